"""Alter cells of the data at random and see what notices: ``python benchmarks/mutation.py``.

Three questions, each with a seeded sample:

1. *Any cell.* A cell of a table on which statements rest is altered (one digit, ×1.1, ×2, ×1000), and the data
   package is described anew, as if the altered table had been published. Does its schema refuse it? Does a
   recomputed value or a verdict move? (With the old description the checksum refuses every one; that is
   measured too.) Most cells serve no statement, so a low share is expected here.
2. *Cells that matter.* For a statement drawn at random, a cell on which it rests is searched by halving its
   tables. Is there one? Does its alteration move the recomputed value, does it flip the verdict, and do only
   statements move that rest on the table?
3. *Figures and tables* (``--outputs N``; slow: it runs notebooks). For N cells of question 1, of tables that
   the chapters load: does an output of a chapter change?
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd

from tradebook import checks, claims, data

ALTERATIONS = ("digit", "×1.1", "×2", "×1000")


@dataclass(frozen=True)
class Cell:
    """One cell of a table."""

    table: str
    row: int
    column: str


def value_columns(name: str) -> list[str]:
    """Columns of a table that hold measurements: numbers outside its key."""
    schema = data._resource(name)["schema"]
    return [
        f["name"]
        for f in schema["fields"]
        if f["type"] in {"number", "integer"} and f["name"] not in schema["primaryKey"]
    ]


def pick(name: str, random: np.random.Generator) -> Cell:
    """A cell of the table that holds a number other than zero."""
    frame, columns = data.load(name), value_columns(name)
    while True:
        cell = Cell(name, int(random.integers(len(frame))), str(random.choice(columns)))
        value = frame.at[cell.row, cell.column]
        if pd.notna(value) and value != 0:
            return cell


def altered(value: float, how: str, random: np.random.Generator) -> float:
    """The value after one alteration of `ALTERATIONS`; always another number."""
    if how == "digit":
        text = f"{abs(value):.12g}"
        places = [i for i, c in enumerate(text.split("e")[0][:6]) if c.isdigit()]
        place = int(random.choice(places))
        other = random.choice([d for d in "123456789" if d != text[place]])
        return float(np.sign(value)) * float(text[:place] + other + text[place + 1 :])
    return value * float(how.removeprefix("×"))


@contextlib.contextmanager
def changed_tables(changes: dict[str, pd.DataFrame]) -> Iterator[None]:
    """Inside the ``with`` block, `data.load` gives these frames in place of the tables."""
    original = data._load

    def load(folder: Path, name: str) -> pd.DataFrame:
        return changes[name] if name in changes else original(folder, name)

    data._load = load
    checks.forget()
    try:
        yield
    finally:
        data._load = original
        checks.forget()


def with_cell(cell: Cell, how: str, random: np.random.Generator) -> pd.DataFrame:
    """The table with one cell altered. Whole numbers stay whole, as the schema demands."""
    frame = data.load(cell.table)
    new = altered(float(frame.at[cell.row, cell.column]), how, random)
    if pd.api.types.is_integer_dtype(frame[cell.column]):
        new = round(new) if round(new) != frame.at[cell.row, cell.column] else round(new) + 1
    frame.loc[cell.row, cell.column] = new
    return frame


def disturbed(name: str, rows: np.ndarray, seed: int = 1, least: float = 1e-3, most: float = 1e3) -> pd.DataFrame:
    """The table with the values of these rows multiplied by different random factors (shares and growth rates would
    not notice a common one)."""
    frame = data.load(name)
    factors = np.exp(np.random.default_rng(seed).uniform(np.log(least), np.log(most), len(frame)))
    for column in value_columns(name):
        scaled = frame[column].astype("float64")
        scaled.iloc[rows] = (scaled * factors).iloc[rows]
        frame[column] = scaled
    return frame


def shuffled(name: str, seed: int = 1) -> pd.DataFrame:
    """The table with everything outside its key in another order: signs, dates and ranks change as well."""
    frame, random = data.load(name), np.random.default_rng(seed)
    for field in data._resource(name)["schema"]["fields"]:
        column = field["name"]
        if column not in data._resource(name)["schema"]["primaryKey"]:
            frame[column] = frame[column].to_numpy()[random.permutation(len(frame))]
    return frame


class Statements:
    """The register, ready to recompute single statements."""

    def __init__(self) -> None:
        self.rows = claims.register().set_index("claim_id", drop=False)
        self.printed, self.exact = claims._figures(self.rows)
        self.available = checks.registry()
        self.tables = claims.dependencies()

    def outcome(self, claim: str) -> tuple:
        """Value, verdict and note; the message of the error if the check refuses the data."""
        try:
            value, _, judged = claims._judge(
                self.rows.loc[claim], self.printed, self.exact, self.available, claims.Tolerance()
            )
        except Exception as error:  # a check may fail in any way on damaged data: that, too, is noticed
            return (type(error).__name__, "check fails", str(error))
        return (value, judged.verdict, judged.note) if value == value else (None, judged.verdict, judged.note)

    def outcomes(self, ids: list[str]) -> dict[str, tuple]:
        return {claim: self.outcome(claim) for claim in ids}

    def resting_on(self, name: str) -> list[str]:
        return [claim for claim, names in self.tables.items() if name in names]

    def cell_under(self, claim: str, name: str) -> Cell | None:
        """A cell of the table on which the statement rests, by halving the rows; None if no single row moves it."""
        before = self.outcome(claim)

        def moves(rows: np.ndarray) -> bool:
            with changed_tables({name: disturbed(name, rows)}):
                return self.outcome(claim) != before

        rows = np.arange(len(data.load(name)))
        if not value_columns(name) or not moves(rows):
            return None
        while len(rows) > 1:
            halves = np.array_split(rows, 2)
            rows = next((half for half in halves if moves(half)), None)
            if rows is None:
                return None
        frame, row = data.load(name), int(rows[0])
        columns = [c for c in value_columns(name) if pd.notna(frame.at[row, c]) and frame.at[row, c] != 0]
        for column in columns:
            frame = data.load(name)
            frame[column] = frame[column].astype("float64")
            frame.loc[row, column] *= 1000
            with changed_tables({name: frame}):
                if self.outcome(claim) != before:
                    return Cell(name, row, column)
        return None


def refused_by_schema(cell: Cell, frame: pd.DataFrame) -> bool:
    try:
        data.check_frame(frame, data._resource(cell.table))
    except data.DataError:
        return True
    return False


def refused_by_checksum(cell: Cell, frame: pd.DataFrame, folder: Path) -> bool:
    """Write the altered table over a copy of the package, without describing it anew, and load it."""
    path = folder / data._resource(cell.table)["path"]
    path.unlink()
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    before, os.environ["TRADEBOOK_DATA"] = os.environ.get("TRADEBOOK_DATA"), str(folder)
    try:
        data._load(folder, cell.table)
    except data.DataError:
        return True
    else:
        return False
    finally:
        os.environ.pop("TRADEBOOK_DATA") if before is None else os.environ.update(TRADEBOOK_DATA=before)
        shutil.copy(data.data_folder() / path.name, path)


def any_cell(statements: Statements, number: int, random: np.random.Generator) -> pd.DataFrame:
    """Question 1: one row per altered cell."""
    names = sorted({name for tables in statements.tables.values() for name in tables if value_columns(name)})
    found = []
    with tempfile.TemporaryDirectory() as copy:
        folder = Path(copy)
        for path in data.data_folder().iterdir():
            if path.is_file():
                shutil.copy(path, folder)
        for turn in range(number):
            cell, how = pick(str(random.choice(names)), random), ALTERATIONS[turn % len(ALTERATIONS)]
            frame, ids = with_cell(cell, how, random), statements.resting_on(cell.table)
            before = statements.outcomes(ids)
            with changed_tables({cell.table: frame}):
                after = statements.outcomes(ids)
            found.append(
                {
                    "table": cell.table, "row": cell.row, "column": cell.column, "alteration": how,
                    "checksum": refused_by_checksum(cell, frame, folder), "schema": refused_by_schema(cell, frame),
                    "value moves": any(before[i] != after[i] for i in ids),
                    "verdict flips": any(before[i][1] != after[i][1] for i in ids),
                }
            )  # fmt: skip
    return pd.DataFrame(found)


def cells_that_matter(statements: Statements, number: int, random: np.random.Generator) -> pd.DataFrame:
    """Question 2: one row per statement drawn and alteration."""
    resting = [claim for claim, names in statements.tables.items() if any(map(value_columns, names))]
    found = []
    for claim in random.choice(resting, min(number, len(resting)), replace=False):
        names = random.permutation(sorted(name for name in statements.tables[claim] if value_columns(name)))
        cell = next((c for c in (statements.cell_under(claim, str(name)) for name in names) if c), None)
        if cell is None:
            found.append({"claim": claim, "table": ", ".join(names), "alteration": "", "cell": False})
            continue
        everything = list(statements.rows.index)
        before = statements.outcomes(everything)
        for how in ALTERATIONS:
            with changed_tables({cell.table: with_cell(cell, how, random)}):
                after = statements.outcomes(everything)
            moved = {i for i in everything if before[i] != after[i]}
            found.append(
                {
                    "claim": claim, "table": cell.table, "alteration": how, "cell": True,
                    "value moves": claim in moved, "verdict flips": before[claim][1] != after[claim][1],
                    "others moved": len(moved - {claim}),
                    "only its table's": moved <= set(statements.resting_on(cell.table)),
                }
            )  # fmt: skip
    return pd.DataFrame(found)


def outputs(cells: pd.DataFrame, number: int, random: np.random.Generator) -> pd.DataFrame:
    """Question 3: run the notebooks that load a table on the altered table; does an output differ?"""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    from tools.environment import notebooks, run_environment

    texts = {path: path.read_text("utf-8") for path in notebooks()}
    found = []
    for row in cells.sample(min(number, len(cells)), random_state=int(random.integers(1 << 30))).itertuples():
        cell = Cell(row.table, row.row, row.column)
        frame, noticed = with_cell(cell, row.alteration, random), ""
        with tempfile.TemporaryDirectory() as copy:
            folder = Path(copy) / "data"
            shutil.copytree(data.data_folder(), folder)
            _describe_anew(folder, cell.table, frame)
            for path, text in texts.items():
                notebook = nbformat.reads(text, as_version=4)
                stored = [json.dumps(c.get("outputs", []), sort_keys=True) for c in notebook.cells]
                settings = run_environment() | {"TRADEBOOK_DATA": str(folder)}
                try:
                    place = {"metadata": {"path": str(path.parent)}}
                    NotebookClient(
                        notebook, timeout=600, record_timing=False, coalesce_streams=True, resources=place
                    ).execute(env=settings)
                except CellExecutionError:
                    noticed = f"{path.stem} stops"
                    break
                for one in notebook.cells:
                    for output in one.get("outputs", []):
                        output.get("metadata", {}).pop("execution", None)
                if stored != [json.dumps(c.get("outputs", []), sort_keys=True) for c in notebook.cells]:
                    noticed = f"{path.stem} changes"
                    break
        found.append({"table": cell.table, "alteration": row.alteration, "claims moved": row[7], "noticed": noticed})
        print(found[-1], flush=True)
    return pd.DataFrame(found)


def _describe_anew(folder: Path, name: str, frame: pd.DataFrame) -> None:
    """Store an altered table and its new checksum, as a publication would."""
    import hashlib

    package = json.loads((folder / "datapackage.json").read_text("utf-8"))
    resource = next(r for r in package["resources"] if r["name"] == name)
    path = folder / resource["path"]
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    resource["hash"] = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    resource["bytes"] = path.stat().st_size
    (folder / "datapackage.json").write_text(json.dumps(package), "utf-8")


def share(column: pd.Series) -> str:
    return f"{int(column.sum())} of {len(column)} ({column.mean():.0%})"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cells", type=int, default=200, help="cells of question 1")
    parser.add_argument("--statements", type=int, default=40, help="statements of question 2")
    parser.add_argument("--outputs", type=int, default=0, help="cells of question 3 (a minute each)")
    parser.add_argument("--seed", type=int, default=20240229)
    options = parser.parse_args(arguments)
    random = np.random.default_rng(options.seed)
    statements = Statements()

    cells = any_cell(statements, options.cells, random)
    print(f"1. Any cell of the {cells['table'].nunique()} tables drawn, {len(cells)} cells")
    for name in ("checksum", "schema", "value moves", "verdict flips"):
        print(f"   {name}: {share(cells[name])}")

    matter = cells_that_matter(statements, options.statements, random)
    drawn = matter.drop_duplicates("claim")
    print(f"2. Statements drawn: {len(drawn)}; a single cell moves it: {share(drawn['cell'])}")
    tried = matter[matter["cell"]]
    for name in ("value moves", "verdict flips", "only its table's"):
        print(f"   {name}: {share(tried[name].astype(bool))}")
    print(tried.groupby("alteration")[["value moves", "verdict flips"]].mean().to_string(float_format="{:.0%}".format))
    print("   no single cell:", Counter(matter.loc[~matter["cell"], "claim"]))
    if options.outputs:
        result = outputs(cells, options.outputs, random)
        print(f"3. An output of a chapter changes or a chapter stops: {share(result['noticed'] != '')}")


if __name__ == "__main__":
    main()
