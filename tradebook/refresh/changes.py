"""What changed between two vintages of a table, and what that does to the book."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from tradebook import claims, data
from tradebook.refresh.errors import RefreshError
from tradebook.refresh.vintages import Vintage, _json

_SAME = 1e-9  # relative difference below which two numbers are the same figure, printed with other digits
_SHOWN = 8  # revisions
_YEARS = 12  # one by one, from the last; the years before are taken together
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Changes:
    """What a new vintage adds, drops and revises.

    Attributes
    ----------
    added, removed : DataFrame
        Rows that only one of the vintages has.
    revised : DataFrame
        Key, `column`, `old`, `new` and `change` (share of the old value; infinite from zero) of values that differ,
        the largest change first.
    joined, gone : list of str
        Economies that only one of the vintages has.
    """

    added: pd.DataFrame
    removed: pd.DataFrame
    revised: pd.DataFrame
    joined: list[str]
    gone: list[str]

    def __bool__(self) -> bool:
        return any(len(part) for part in (self.added, self.removed, self.revised))

    def by_year(self) -> pd.DataFrame:
        """Number of rows added and removed and of values revised, by year."""
        parts = {"added": self.added, "removed": self.removed, "revised": self.revised}
        counts = pd.DataFrame({name: part["year"].value_counts() for name, part in parts.items() if "year" in part})
        return counts.fillna(0).astype(int).sort_index()


def compare(old: pd.DataFrame, new: pd.DataFrame, key: list[str]) -> Changes:
    """Compare two vintages row by row.

    Parameters
    ----------
    old, new : DataFrame
        With the same columns.
    key : list of str
        Columns that identify a row.
    """
    both = old.merge(new, on=key, how="outer", suffixes=("_old", "_new"), indicator=True)
    inside = both[both["_merge"] == "both"]
    parts = []
    for column in [c for c in old.columns if c not in key]:
        then, now = inside[f"{column}_old"], inside[f"{column}_new"]
        if pd.api.types.is_numeric_dtype(then):
            then, now = then.astype(float), now.astype(float)
            differ = ~((then - now).abs() <= _SAME * np.maximum(then.abs(), now.abs())) & ~(then.isna() & now.isna())
            with np.errstate(divide="ignore", invalid="ignore"):
                change = (now - then) / then.abs()
        else:
            differ = (then.astype(object) != now.astype(object)) & ~(then.isna() & now.isna())
            change = pd.Series(np.nan, index=then.index)
        part = inside.loc[differ, key].assign(column=column, old=then[differ].astype(object))
        parts.append(part.assign(new=now[differ].astype(object), change=change[differ].astype(float)))
    revised = pd.concat(parts, ignore_index=True)
    revised = revised.sort_values("change", key=lambda c: -c.abs(), kind="stable", ignore_index=True)
    marks = new[key].merge(old[key], on=key, how="left", indicator=True)["_merge"].to_numpy()
    added = new[marks == "left_only"]
    marks = old[key].merge(new[key], on=key, how="left", indicator=True)["_merge"].to_numpy()
    removed = old[marks == "left_only"]
    before, after = _economies(old), _economies(new)
    return Changes(added, removed, revised, sorted(after - before), sorted(before - after))


def _economies(frame: pd.DataFrame) -> set[str]:
    columns = [c for c in ("iso3", "exporter", "importer", "partner", "group") if c in frame]
    return set().union(*(frame[c].unique() for c in columns))


def report(name: str, before: str, after: str, changes: Changes) -> list[str]:
    """The changes of one table as lines of text."""
    lines = [f"{name}: {before} → {after}"]
    if not changes:
        return [*lines, "  nothing has changed"]
    numbers = (f"{len(part):,}" for part in (changes.added, changes.removed, changes.revised))
    lines.append("  {} rows added, {} removed, {} values revised".format(*numbers))
    for label, codes in (("new", changes.joined), ("gone", changes.gone)):
        if codes:
            lines.append(f"  economies {label}: {', '.join(codes)}")
    counts = changes.by_year()
    counts = counts[(counts > 0).any(axis=1)]
    if len(counts):
        lines.append("  year          added  removed  revised")
        rest = counts.iloc[:-_YEARS]
        rows = [(f"{rest.index[0]}–{rest.index[-1]}", rest.sum())] if len(rest) else []
        for year, row in rows + list(counts.iloc[-_YEARS:].iterrows()):
            lines.append(f"  {year:<10}{row.get('added', 0):>9,}{row.get('removed', 0):>9,}{row.get('revised', 0):>9,}")
    if len(changes.revised):
        lines.append("  largest revisions:")
        key = [c for c in changes.revised if c not in {"column", "old", "new", "change"}]
        for row in changes.revised.head(_SHOWN).to_dict("records"):
            where = " ".join(str(row[c]) for c in key)
            lines.append(f"    {where}  {_shown(row['old'])} → {_shown(row['new'])}  {_change(row['change'])}")
    return lines


def _shown(value: object) -> str:
    if isinstance(value, float):
        return "none" if np.isnan(value) else f"{value:,.6g}"
    return "none" if value is None else str(value)


def _change(share: float) -> str:
    return f"({share:+.1%})".replace("-", "−") if np.isfinite(share) else ""


# --- verdicts --------------------------------------------------------------------------------------


def verdicts(chosen: list[Vintage]) -> pd.DataFrame:
    """Audit the statements of the book with the vintages in place of their tables, in a copy of the data package.

    Returns
    -------
    DataFrame
        As `tradebook.claims.compare`: statements whose verdict or recomputed value differs.
    """
    folder = data.data_folder()
    if not any((folder / "claims").glob("*.csv")):
        nothing = pd.DataFrame(columns=list(claims.AUDIT_COLUMNS)).astype({"recomputed_value": float})
        return claims.compare(nothing, nothing)
    with tempfile.TemporaryDirectory(prefix="tradebook-") as place:
        copy = Path(place, "data")
        shutil.copytree(folder, copy, copy_function=_link)
        package = json.loads((folder / "datapackage.json").read_text("utf-8"))
        new = {vintage.resource["name"]: vintage for vintage in chosen}
        package["resources"] = [new[r["name"]].resource if r["name"] in new else r for r in package["resources"]]
        for vintage in chosen:
            (copy / vintage.resource["path"]).unlink()  # it may be a link to the table that is in use
            (copy / vintage.resource["path"]).write_bytes(vintage.content())
        (copy / "datapackage.json").unlink()
        (copy / "datapackage.json").write_bytes(_json(package))
        running = [_audit(where, Path(place, f"{i}.csv")) for i, where in enumerate((folder, copy))]
        return claims.compare(*[_audited(process, path) for process, path in running])


def _link(source: str, target: str) -> None:
    """The same file under another name where the system allows it, else a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _audit(folder: Path, target: Path) -> tuple[subprocess.Popen, Path]:
    """Start an audit of one data package in a process of its own: this one has the old tables in memory."""
    environ = {**os.environ, "TRADEBOOK_DATA": str(folder), "PYTHONUTF8": "1"}
    environ["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *filter(None, [environ.get("PYTHONPATH")])])
    with open(target, "wb") as out:
        command = [sys.executable, "-m", "tradebook.cli", "audit", "--format", "csv"]
        process = subprocess.Popen(command, env=environ, stdout=out, stderr=subprocess.PIPE, encoding="utf-8")
        return process, target


def _audited(process: subprocess.Popen, path: Path) -> pd.DataFrame:
    said = process.communicate()[1].strip()
    if process.returncode:
        raise RefreshError(
            f"The audit of the book's statements fails with these data ({_short(said)}); the vintage is kept, and "
            "cannot be accepted."
        )
    return claims.read_audit(path)


def _short(said: str, length: int = 300) -> str:
    line = said.splitlines()[-1] if said else "no reason given"
    return line if len(line) <= length else line[:length] + "…"


# --- chapters --------------------------------------------------------------------------------------


def chapters(names: list[str]) -> list[str]:
    """File names of the notebooks that have to be executed again when these tables change.

    A chapter reads a table if its code, or that of a module that it uses, names the table, or if a statement that it
    discusses rests on it.
    """
    found = []
    numbers = _chapters_of_claims(frozenset(names))
    for path in sorted((_ROOT / "chapters").glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        if any(number == path.name[:2].lstrip("0") for number in numbers) or _names(code) & set(names):
            found.append(path.name)
    return found


def _chapters_of_claims(names: frozenset[str]) -> set[str]:
    if not any((data.data_folder() / "claims").glob("*.csv")):
        return set()
    register = claims.register().set_index("claim_id")["chapter"]
    return {str(register[i]) for i, read in claims.dependencies().items() if read & names}


def _names(code: str) -> set[str]:
    """All text constants of a piece of code and of the modules of this package that it uses."""
    seen: set[str] = set()
    texts, waiting = _constants(code), _modules(code)
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            text = (_ROOT / "tradebook" / f"{module}.py").read_text("utf-8")
            texts |= _constants(text)
            waiting |= _modules(text)
    return texts


@cache
def _constants(code: str) -> frozenset[str]:
    tree = ast.parse(_python(code))
    return frozenset(n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))


def _modules(code: str) -> set[str]:
    """Modules of this package that a piece of code imports; the checks of claims are looked at claim by claim."""
    found = set()
    for node in ast.walk(ast.parse(_python(code))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "tradebook":
            found |= {alias.name for alias in node.names} | {(node.module or "").rpartition(".")[2]}
        elif isinstance(node, ast.Import):
            found |= {alias.name.rpartition(".")[2] for alias in node.names if alias.name.startswith("tradebook.")}
    return {name for name in found if name != "cli" and (_ROOT / "tradebook" / f"{name}.py").is_file()}


def _python(code: str) -> str:
    """Code of a notebook without what only IPython understands."""
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in code.splitlines())
