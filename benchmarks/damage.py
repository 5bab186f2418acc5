"""Damage the data in many seeded ways and see what notices: ``python benchmarks/damage.py [--rounds N]``.

For each table of the data package and each register of statements, every fault of `FAULTS` that applies is put into a
copy of the file, and three questions are asked:

(a) The descriptor is as it was: does `tradebook.data.load` (for a register `tradebook.claims`) refuse, in one sentence
    that names the table and says what to do?
(b) Somebody has renewed size and checksum: does `load` refuse all the same, by schema, references, texts, order, or
    because the table does not add up to what was described?
(c) Somebody has described the file anew altogether, rows, coverage and totals included: does `tools.check_data` see
    that the table makes no sense, alone or with the others?

A fault after which the table loads as the very same frame is harmless: it counts nowhere. Large tables are damaged
once, others in every round.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd

from tools import check_data
from tradebook import claims, control, data
from tradebook.errors import TradebookError

LARGE = 1_000_000  # rows
_SCRIPT = "<script>alert('x')</script>"
_ABROAD = {"iso3", "exporter", "importer", "reporter", "partner", "supplier", "recipient", "economy"}


@dataclass
class Subject:
    """A table or register that is to be damaged: its descriptor, its file, and its cells."""

    resource: dict
    content: bytes
    register: bool = False

    @property
    def name(self) -> str:
        return self.resource["name"]

    @property
    def text(self) -> bool:
        return self.resource["format"] == "csv"

    def cells(self) -> pd.DataFrame:
        """The cells of the file: as text from CSV, typed from Parquet."""
        if self.text:
            return pd.read_csv(io.BytesIO(self.content), dtype=str, keep_default_na=False, encoding="utf-8")
        return pd.read_parquet(io.BytesIO(self.content))

    def written(self, cells: pd.DataFrame) -> bytes:
        """The bytes of a file with these cells."""
        if self.text:
            return cells.to_csv(index=False, lineterminator="\n").encode()
        buffer = io.BytesIO()
        cells.to_parquet(buffer, compression="zstd", compression_level=1, index=False)
        return buffer.getvalue()

    def columns(self, *kinds: str, key: bool = False) -> list[str]:
        """Names of the columns of these types; those of the key only if asked for."""
        keys = set(self.resource["schema"].get("primaryKey", ["claim_id"]))
        fields = self.resource["schema"]["fields"]
        return [f["name"] for f in fields if f["type"] in kinds and (key or f["name"] not in keys)]

    def measures(self) -> list[str]:
        """Columns that hold numbers outside the key; of a register the figures of the sources."""
        if self.register:
            return [c for c in ("stated_value", "value") if c in {f["name"] for f in self.resource["schema"]["fields"]}]
        return self.columns("number", "integer")


class NotApplicableError(Exception):
    """A table has nothing that this fault could damage."""


def _pick(
    subject: Subject, names: list[str], random: np.random.Generator, fits: Callable
) -> tuple[pd.DataFrame, int, str]:
    """Cells, and the place of one in these columns that fits."""
    cells = subject.cells()
    for name in random.permutation(names):
        rows = np.flatnonzero(cells[name].map(fits).to_numpy(dtype=bool)) if len(cells) < LARGE else None
        if rows is None:  # a sample is enough
            some = np.sort(random.choice(len(cells), 1000, replace=False))
            rows = some[cells[name].iloc[some].map(fits).to_numpy(dtype=bool)]
        if len(rows):
            return cells, int(random.choice(rows)), str(name)
    raise NotApplicableError


def _put(cells: pd.DataFrame, row: int, column: str, value: object) -> pd.DataFrame:
    if not isinstance(value, type(cells[column].iloc[row])) and not pd.api.types.is_numeric_dtype(cells[column]):
        cells[column] = cells[column].astype(object)
    if isinstance(cells[column].dtype, pd.CategoricalDtype):
        cells[column] = cells[column].astype(object)
    cells.iloc[row, cells.columns.get_loc(column)] = value
    return cells


def _is_number(value: object) -> bool:
    try:
        return float(value) != 0 and np.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def truncated(s: Subject, random: np.random.Generator) -> bytes:
    return s.content[: int(len(s.content) * random.uniform(0.05, 0.98))]


def last_rows_lost(s: Subject, random: np.random.Generator) -> bytes:
    cells = s.cells()
    kept = int(len(cells) * random.uniform(0.3, 0.95))
    return s.written(cells.iloc[: max(1, kept)])


def wrong_delimiter(s: Subject, random: np.random.Generator) -> bytes:
    if not s.text:
        raise NotApplicableError
    return s.cells().to_csv(index=False, lineterminator="\n", sep=str(random.choice([";", "\t", "|"]))).encode()


def renamed_column(s: Subject, random: np.random.Generator) -> bytes:
    cells = s.cells()
    name = str(random.choice(cells.columns))
    return s.written(cells.rename(columns={name: name.upper() if random.random() < 0.5 else name + "_"}))


def swapped_columns(s: Subject, random: np.random.Generator) -> bytes:
    """Two columns change places, their heads stay: preferably two that look alike."""
    cells = s.cells()
    groups = [s.measures(), [c for c in cells if c in _ABROAD], list(cells)]
    group = next((g for g in groups if len(g) > 1), None)
    if group is None:
        raise NotApplicableError
    a, b = random.choice(group, 2, replace=False)
    return s.written(cells.assign(**{a: cells[b], b: cells[a]}))


def reordered_columns(s: Subject, random: np.random.Generator) -> bytes:
    cells = s.cells()
    order = list(cells.columns)
    if len(order) < 2:
        raise NotApplicableError
    i = int(random.integers(len(order) - 1))
    order[i], order[i + 1] = order[i + 1], order[i]
    return s.written(cells[order])


def text_in_a_number(s: Subject, random: np.random.Generator) -> bytes:
    cells, row, column = _pick(s, s.measures(), random, _is_number)
    if not s.text:
        cells[column] = cells[column].map(str)
    return s.written(_put(cells, row, column, str(random.choice(["n.a.", "12,5", "1 000", "--", "1.2.3"]))))


def duplicated_key(s: Subject, random: np.random.Generator) -> bytes:
    cells = s.cells()
    row = int(random.integers(len(cells)))
    return s.written(pd.concat([cells.iloc[: row + 1], cells.iloc[row:]], ignore_index=True))


def column_in_another_unit(s: Subject, random: np.random.Generator) -> bytes:
    cells, _, column = _pick(s, s.measures(), random, _is_number)
    if s.register:
        raise NotApplicableError
    if s.text:
        cells[column] = cells[column].map(lambda v: f"{float(v) * 1000:.12g}" if _is_number(v) else v)
    else:
        cells[column] = cells[column] * 1000
    return s.written(cells)


def _changed_number(s: Subject, random: np.random.Generator, change: Callable[[str], str]) -> bytes:
    cells, row, column = _pick(s, s.measures(), random, _is_number)
    value = cells[column].iloc[row]
    new = change(value if s.text else f"{value:.12g}" if isinstance(value, float) else str(value))
    return s.written(_put(cells, row, column, new if s.text else type(value)(float(new))))


def cell_in_another_unit(s: Subject, random: np.random.Generator) -> bytes:
    return _changed_number(s, random, lambda text: f"{float(text) * 1000:.12g}")


def one_digit_altered(s: Subject, random: np.random.Generator) -> bytes:
    def change(text: str) -> str:
        places = [i for i, c in enumerate(text.lower().split("e")[0]) if c.isdigit()][:8]
        place = int(random.choice(places))
        return text[:place] + str(random.choice([d for d in "123456789" if d != text[place]])) + text[place + 1 :]

    return _changed_number(s, random, change)


def a_number_lost(s: Subject, random: np.random.Generator) -> bytes:
    cells, row, column = _pick(s, s.measures(), random, _is_number)
    if not s.text and pd.api.types.is_integer_dtype(cells[column]):
        cells[column] = cells[column].astype(float)
    return s.written(_put(cells, row, column, str(random.choice(["", "NaN", "NA"])) if s.text else np.nan))


def mixed_encodings(s: Subject, random: np.random.Generator) -> bytes:
    """One text is in another encoding than the rest: as bytes in CSV, as what misreading leaves in Parquet."""
    names = s.columns("string", key=True)
    cells, row, column = _pick(s, names, random, lambda v: isinstance(v, str) and len(v) > 0)
    if not s.text:
        return s.written(_put(cells, row, column, str(cells[column].iloc[row]) + "é".encode().decode("latin-1")))
    marked = s.written(_put(cells, row, column, str(cells[column].iloc[row]) + "@@here@@"))
    return marked.replace(b"@@here@@", random.choice(["Москва".encode("cp1251"), "é".encode("latin-1")]))


def windows_line_ends(s: Subject, random: np.random.Generator) -> bytes:
    if not s.text:
        raise NotApplicableError
    return s.content.replace(b"\n", b"\r\n")


def byte_order_mark(s: Subject, random: np.random.Generator) -> bytes:
    if not s.text:
        raise NotApplicableError
    return b"\xef\xbb\xbf" + s.content


def economy_dropped(s: Subject, random: np.random.Generator) -> bytes:
    cells = s.cells()
    columns = [c for c in cells if c in _ABROAD]
    if not columns:
        raise NotApplicableError
    column = str(random.choice(columns))
    code = random.choice(cells[column].dropna().unique().astype(str))
    left = cells[cells[column].astype(str) != code]
    if not len(left):
        raise NotApplicableError
    return s.written(left)


def years_shifted(s: Subject, random: np.random.Generator) -> bytes:
    cells = s.cells()
    if "year" not in cells:
        raise NotApplicableError
    step = int(random.choice([-1, 1]))
    year = cells["year"]
    cells["year"] = year.map(lambda v: str(int(v) + step) if v else v) if s.text else year + step
    return s.written(cells)


def script_in_a_name(s: Subject, random: np.random.Generator) -> bytes:
    cells, row, column = _pick(s, s.columns("string", key=True), random, lambda v: isinstance(v, str) and len(v) > 0)
    return s.written(_put(cells, row, column, str(cells[column].iloc[row]) + _SCRIPT))


def empty_file(s: Subject, random: np.random.Generator) -> bytes:
    return b""


def missing_file(s: Subject, random: np.random.Generator) -> bytes | None:
    return None


def folder_in_its_place(s: Subject, random: np.random.Generator) -> str:
    return "folder"


FAULTS: tuple[Callable, ...] = (
    missing_file, folder_in_its_place, empty_file, truncated, last_rows_lost, wrong_delimiter, renamed_column,
    swapped_columns, reordered_columns, text_in_a_number, duplicated_key, column_in_another_unit, cell_in_another_unit,
    one_digit_altered, a_number_lost, mixed_encodings, windows_line_ends, byte_order_mark, economy_dropped,
    years_shifted, script_in_a_name,
)  # fmt: skip
_NO_FILE = (missing_file, folder_in_its_place)  # nothing there that could be described anew


# --- what notices -----------------------------------------------------------------------------------


def subjects() -> list[Subject]:
    """All tables and registers."""
    folder = data.data_folder()
    found = [Subject(r, (folder / r["path"]).read_bytes()) for r in data.package()["resources"]]
    registers = data._read_package(folder / "claims")["resources"]
    return found + [Subject(r, (folder / "claims" / r["path"]).read_bytes(), register=True) for r in registers]


def forget() -> None:
    """Drop what was read, so that the next answer comes from the files."""
    data._read_package.cache_clear()
    data._load.cache_clear()


def bad_sentence(message: str, name: str) -> str | None:
    """What is wrong with a refusal; None if it is one clear sentence that names the table and says what to do."""
    faults = {
        "more than one line": "\n" in message,
        "does not name the table": f"“{name}”" not in message,
        "does not say what to do": "restore the file" not in message,
        "no full stop": not message.endswith("."),
        "a path of this machine": str(data.data_folder()) in message or tempfile.gettempdir() in message,
        "a traceback": "Traceback" in message,
        "too long": len(message) > 600,
        "a mark of a page": "<" in message or ">" in message,
    }
    return next((fault for fault, there in faults.items() if there), None)


def put(path: Path, damaged: bytes | str | None) -> None:
    """Put damaged content, a folder, or nothing in the place of a file."""
    path.unlink()
    if isinstance(damaged, bytes):
        path.write_bytes(damaged)
    elif damaged == "folder":
        path.mkdir()


def restore(path: Path, original: Path) -> None:
    """Undo `put`."""
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    try:
        os.link(original, path)
    except OSError:
        shutil.copyfile(original, path)


@contextlib.contextmanager
def package_copy() -> Iterator[Path]:
    """A copy of the data package that may be damaged; the book's own is read until it has been loaded once."""
    source = data.data_folder()
    with tempfile.TemporaryDirectory(prefix="damage-") as place:
        folder = Path(place) / "data"
        shutil.copytree(source, folder, copy_function=lambda a, b: restore(Path(b), Path(a)))
        yield folder


@dataclass
class Outcome:
    """What became of one damaged file: for each layer the refusal, or "" if there was none."""

    table: str
    fault: str
    harmless: bool
    as_described: str
    checksum_renewed: str
    described_anew: str
    sentence: str


def damage(subject: Subject, fault: Callable, random: np.random.Generator, source: Path, folder: Path) -> Outcome:
    """Damage one file of a copied package and ask the three questions.

    Raises
    ------
    NotApplicableError
        If the file has nothing that this fault could damage.
    """
    damaged = fault(subject, random)
    if damaged == subject.content:
        raise NotApplicableError
    part = Path("claims") / subject.resource["path"] if subject.register else Path(subject.resource["path"])
    put(folder / part, damaged)
    try:
        if subject.register:
            return _register_outcome(subject, fault, folder, damaged)
        return _table_outcome(subject, fault, source, folder)
    finally:
        restore(folder / part, source / part)


def _refusal(ask: Callable[[], object]) -> tuple[str, object]:
    """The message of a refusal, or "" and the answer. Anything but a refusal is an error of the book."""
    try:
        return "", ask()
    except TradebookError as error:
        return str(error), None


def _table_outcome(subject: Subject, fault: Callable, source: Path, folder: Path) -> Outcome:
    resource, path = subject.resource, folder / subject.resource["path"]
    load = data._load.__wrapped__
    described, _ = _refusal(lambda: load(folder, subject.name))
    bad = bad_sentence(described, subject.name) or ""
    if fault in _NO_FILE:
        return Outcome(subject.name, fault.__name__, False, described, described, described, bad)
    renewed = resource | {"hash": check_data._checksum(path.read_bytes()), "bytes": path.stat().st_size}
    with described_as(renewed):
        again, frame = _refusal(lambda: load(folder, subject.name))
    if frame is not None and frame.equals(data._load(source, subject.name)):
        return Outcome(subject.name, fault.__name__, True, described, "", "", bad)
    anew = _refusal_after_describing(renewed, path) or ""
    bad = next((b for m in (described, again) if m and (b := bad_sentence(m, subject.name))), "")
    return Outcome(subject.name, fault.__name__, False, described, again, anew, bad)


@contextlib.contextmanager
def described_as(resource: dict, frame: pd.DataFrame | None = None) -> Iterator[None]:
    """Inside the ``with`` block the package describes a table so, and loads it as this frame."""
    find, read, held = data._resource, data._load, data.package
    changed = held() | {"resources": [resource if r["name"] == resource["name"] else r for r in held()["resources"]]}
    data._resource = lambda name: resource if name == resource["name"] else find(name)
    data.package = lambda: changed
    if frame is not None:
        data._load = lambda folder, name: frame if name == resource["name"] else read(folder, name)
    try:
        yield
    finally:
        data._resource, data._load, data.package = find, read, held


def _refusal_after_describing(resource: dict, path: Path) -> str | None:
    """What `tools.check_data` says when the damaged file is described anew."""
    resource = copy.deepcopy(resource)
    try:
        frame = data._read(path, resource)
    except Exception as error:  # `load` says so in a sentence; here only that it cannot be read counts
        return f"cannot be parsed ({type(error).__name__})"
    try:
        distinct = data.check_frame(frame, resource)
        data._check_references(data.data_folder(), resource, distinct)
        resource |= control.describe_rows(frame, resource["schema"]["fields"])
    except TradebookError as error:
        return str(error)
    with described_as(resource, frame):
        try:
            return _problem_of(resource, frame)
        except TradebookError as error:  # another table refers to what is gone
            return str(error)


def _problem_of(resource: dict, frame: pd.DataFrame) -> str | None:
    """What `tools.check_data` finds about one table that has passed its schema."""
    name = resource["name"]
    for other in data.package()["resources"]:
        for key in other["schema"].get("foreignKeys", []):
            if key["reference"]["resource"] == name:
                known = set(frame[key["reference"]["fields"][0]])
                lost = set(data._load(data.data_folder(), other["name"])[key["fields"][0]].dropna()) - known
                if lost:
                    return f"table “{other['name']}” refers to {control.shown(sorted(lost)[0])}"
    if found := next(check_data.table_problems(resource), None):
        return found
    for meeting in check_data.MEETINGS:
        if name in meeting.tables and (found := check_data.meets(meeting)):
            return found
    return next((problem for _, problem in check_data.agreement_problems()), None)


def _register_outcome(subject: Subject, fault: Callable, folder: Path, damaged: bytes | str | None) -> Outcome:
    def ask(where: Path) -> pd.DataFrame:
        frame = data.read_register(where, subject.name)
        if subject.name in claims.SOURCES:
            claims._validate(frame, subject.name)
        return frame

    described, _ = _refusal(lambda: ask(folder / "claims"))
    bad = bad_sentence(described, subject.name) or ""
    if fault in _NO_FILE:
        return Outcome("claims/" + subject.name, fault.__name__, False, described, described, described, bad)
    here = folder / "claims"
    new = subject.resource | {"hash": check_data._checksum(damaged), "bytes": len(damaged)}
    held = data._registers
    data._registers = lambda place: [new if r["name"] == subject.name else r for r in held(place)]
    try:
        renewed, frame = _refusal(lambda: ask(here))
    finally:
        data._registers = held
    same = frame is not None and frame.equals(subject.cells())
    with tempfile.TemporaryDirectory(prefix="register-") as place:  # without a descriptor: nothing to compare with
        Path(place, f"{subject.name}.csv").write_bytes(damaged)
        anew, read = _refusal(lambda: ask(Path(place)))
        if read is not None:
            problem, answer = _refusal(lambda: check_data.register_problem(subject.name, read))
            anew = problem or str(answer or "")
    bad = next((b for m in (described, renewed) if m and (b := bad_sentence(m, subject.name))), bad)
    return Outcome("claims/" + subject.name, fault.__name__, same, described, renewed, "" if same else anew, bad)


def run(
    names: list[str] | None, seed: int, rounds: int, faults: tuple[Callable, ...] = FAULTS, large: bool = True
) -> pd.DataFrame:
    """Every fault in every table: one row per damaged file."""
    source, found = data.data_folder(), []
    with package_copy() as folder:
        for subject in subjects():
            if names is not None and ("claims/" * subject.register + subject.name) not in names:
                continue
            if not large and subject.resource["rows"] >= LARGE:
                continue
            for turn in range(1 if subject.resource["rows"] >= LARGE else rounds):
                for number, fault in enumerate(faults):
                    random = np.random.default_rng([seed, turn, number, *subject.name.encode()])
                    with contextlib.suppress(NotApplicableError):
                        found.append(damage(subject, fault, random, source, folder))
    forget()
    return pd.DataFrame(found)


def shares(found: pd.DataFrame) -> pd.DataFrame:
    """By fault: how many files, how many harmless, what per cent of the harmful ones each layer refuses."""
    harmful = found[~found["harmless"]]
    layers = {name: name.replace(" ", "_") for name in ("as described", "checksum renewed", "described anew")}
    out = pd.DataFrame({"files": found.groupby("fault").size(), "harmless": found.groupby("fault")["harmless"].sum()})
    for label, column in layers.items():
        out[label] = 100 * (harmful[column] != "").groupby(harmful["fault"]).mean()
    out = out.reindex([fault.__name__ for fault in FAULTS if fault.__name__ in out.index])
    out.loc["all"] = [len(found), found["harmless"].sum(), *(100 * (harmful[c] != "").mean() for c in layers.values())]
    return out.astype({"files": int, "harmless": int})


def main(arguments: list[str] | None = None) -> int:
    """Print the shares, and every harmful fault that passed a layer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1, help="how often each fault is put into each table")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--small", action="store_true", help="leave out tables of a million rows and more")
    parser.add_argument("table", nargs="*", help="only these (registers as claims/NAME)")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    found = run(options.table or None, options.seed, options.rounds, large=not options.small)
    tables = found[~found["table"].str.startswith("claims/")]
    registers = found[found["table"].str.startswith("claims/")]
    for title, part in (("Tables", tables), ("Registers of statements", registers)):
        if len(part):
            listed = shares(part).to_string(float_format="%.1f", na_rep="–")
            print(f"{title}: per cent of harmful files refused\n{listed}\n")
    harmful = found[~found["harmless"]]
    accepted = found[found["harmless"] & (found["as_described"] == "")]
    took = time.perf_counter() - start
    print(f"{len(found)} damaged files ({len(harmful)} harmful) in {took:.0f} s, seed {options.seed}")
    print(f"harmless faults by kind: {found[found['harmless']].groupby('fault').size().to_dict()}")
    for label, part in (
        ("harmless and accepted as they are", accepted),
        ("refusals that are not one clear sentence", found[found["sentence"] != ""]),
        ("harmful, not refused as described", harmful[harmful["as_described"] == ""]),
        ("harmful, not refused with a renewed checksum", harmful[harmful["checksum_renewed"] == ""]),
        ("harmful, not refused when described anew", harmful[harmful["described_anew"] == ""]),
    ):
        listed = part.groupby("fault")["table"].agg(lambda names: ", ".join(sorted(set(names))))
        print(f"\n{label}: {len(part)}" + "".join(f"\n  {fault}: {names}" for fault, names in listed.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
