"""The data package: `load` a table, `describe` it, list the `tables`.

Every table of the book is described in ``data/datapackage.json`` (a Frictionless Data Package). `load` reads a table,
once per process, and refuses it when the file is not the one that was described (checksum), does not have the
described columns, types, ranges, key, references and texts, or does not add up to what was described
(`tradebook.control`). Chapters never open a file by path.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from tradebook.browser import fetch
from tradebook.control import Distinct, difference, key_problem, shown, text_problem
from tradebook.errors import TradebookError

__all__ = [
    "DataError", "check_frame", "consulted", "data_folder", "describe", "described_registers", "load", "note_read",
    "package", "read_register", "resource", "tables", "watch",
]  # fmt: skip

_WATCHERS: list[set[str]] = []
_CONSULTED: set[str] = set()
_RESTORE = "restore the file from the repository (git checkout -- data), or download the release again"
_DESCRIBE = "if the change is meant, describe it with python -m tools.check_data --describe"


class DataError(TradebookError):
    """A table is unknown, missing, damaged, or does not have the schema that the data package gives."""


def data_folder() -> Path:
    """Folder of the data package: ``$TRADEBOOK_DATA`` if set, else ``data/`` beside the package."""
    named = os.environ.get("TRADEBOOK_DATA")
    return Path(named) if named else Path(__file__).resolve().parents[1] / "data"


@lru_cache(maxsize=4)
def _read_package(folder: Path) -> dict:
    path = folder / "datapackage.json"
    try:
        described = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"There is no data package in {folder}: {_RESTORE}, or set TRADEBOOK_DATA to its folder."
        ) from None
    except OSError as error:
        raise DataError(f"datapackage.json cannot be read ({error.strerror}): {_RESTORE}.") from None
    except ValueError as error:  # not JSON, or not UTF-8
        raise DataError(f"datapackage.json is damaged ({_one_line(error)}): {_RESTORE}.") from None
    needed = ("name", "path", "format", "hash", "schema", "rows", "coverage")
    try:
        complete = all(key in resource for resource in described["resources"] for key in needed)
    except (KeyError, TypeError):
        complete = False
    if not complete:
        raise DataError(f"datapackage.json is damaged (it does not describe every table): {_RESTORE}.")
    return described


def _one_line(error: object, most: int = 160) -> str:
    """What a parser says, in one short line without marks of a page."""
    text = " ".join(str(error).split()).translate(dict.fromkeys(map(ord, "<>"), "?")).rstrip(".")
    return text if len(text) <= most else text[:most] + "…"


def package() -> dict:
    """The whole data package descriptor, as a dictionary."""
    _CONSULTED.add("*")
    return _read_package(data_folder())


def tables() -> list[str]:
    """Names of all tables, in the order of the data package."""
    return [resource["name"] for resource in _read_package(data_folder())["resources"]]


def resource(name: str) -> dict | None:
    """What the data package says of one table; None if it has no such table."""
    found = next((one for one in _read_package(data_folder())["resources"] if one["name"] == name), None)
    if found is not None:
        _CONSULTED.add(name)
    return found


def consulted() -> set[str]:
    """Names of the tables that this process has asked for, their rows or their description; ``*`` for all of them."""
    return set(_CONSULTED)


def _resource(name: str) -> dict:
    if (found := resource(name)) is not None:
        return found
    import difflib

    close = difflib.get_close_matches(name, tables(), n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known tables: {', '.join(tables())}."
    raise DataError(f"There is no table “{name}” in the data package; {hint}")


def load(name: str) -> pd.DataFrame:
    """Return a table as a typed DataFrame.

    Parameters
    ----------
    name : str
        Name of the table in the data package, for instance ``"bilateral-trade"``.

    Returns
    -------
    DataFrame
        One row per record, columns typed as the schema says: integers ``int64``, numbers ``float64``, text ``str``.
        Missing cells mean “not reported”. The frame is a copy: change it freely.

    Raises
    ------
    DataError
        If the table is unknown, missing, altered since it was described, or not as its schema says.
    """
    note_read(name)
    return _load(data_folder(), name).copy()


@contextmanager
def watch() -> Iterator[set[str]]:
    """Collect the names of the tables that are loaded inside the ``with`` block."""
    read: set[str] = set()
    _WATCHERS.append(read)
    try:
        yield read
    finally:
        _WATCHERS.pop()


def note_read(*names: str) -> None:
    """Tell those who `watch` that a result rests on these tables."""
    for read in _WATCHERS:
        read.update(names)


@cache
def _load(folder: Path, name: str) -> pd.DataFrame:
    resource = _resource(name)
    path = folder / resource["path"]
    try:
        if sys.platform == "emscripten" and not path.exists():
            fetch(path, resource["hash"].removeprefix("sha256:"))
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"Table “{name}”: {resource['path']} {_why_unread(error)}; {_RESTORE}.") from None
    if "sha256:" + hashlib.sha256(content).hexdigest() != resource["hash"]:
        raise DataError(
            f"Table “{name}”: {resource['path']} is not the file that was described (checksum differs); {_RESTORE}."
        )
    try:
        frame = _read(path, resource)
    except Exception as error:  # any parser may fail in its own way on a file it cannot read
        reason = f"{type(error).__name__}: {_one_line(str(error).replace(str(path), resource['path']))}"
        raise DataError(f"Table “{name}”: {resource['path']} cannot be parsed ({reason}); {_RESTORE}.") from None
    distinct = check_frame(frame, resource)
    _check_references(folder, resource, distinct)
    if changed := difference(frame, resource, distinct):
        raise DataError(f"Table “{name}” is not the one that was described: {changed}; {_RESTORE}.")
    return frame


def _why_unread(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "is missing"
    if isinstance(error, IsADirectoryError):
        return "is a folder, not a file"
    return f"cannot be read ({error.strerror or error})"


def _check_references(folder: Path, resource: dict, distinct: dict[str, Distinct]) -> None:
    """Raise `DataError` unless the rows that a table refers to are in the tables that it refers to."""
    for key in resource["schema"].get("foreignKeys", []):
        (column,), target = key["fields"], key["reference"]
        if target["resource"] not in tables():
            continue  # a package with a part of the tables
        known = set(_load(folder, target["resource"])[target["fields"][0]].dropna())
        lost = [value for value in distinct[column].values if value not in known]
        if lost:
            raise DataError(
                f"Table “{resource['name']}”, column “{column}”: {shown(lost[0])} is not in table "
                f"“{target['resource']}”; {_RESTORE}."
            )


def read_register(folder: Path, name: str) -> pd.DataFrame:
    """A register of statements, ``<name>.csv`` of a folder, as text: verified, an empty cell an empty text.

    ``datapackage.json`` beside it describes the registers. Without it (a folder of one's own, a test) there is nothing
    to compare with; the book's own folder must have it (``python -m tools.check_data``).

    Raises
    ------
    DataError
        If the file is missing, not described, altered, or cannot be read.
    """
    path = _register_file(folder, name)
    resource = next((one for one in _registers(folder) if one["name"] == name), None)
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        typed = None if resource is None else typed_register(frame, resource["schema"]["fields"])
    except ValueError as error:  # what pandas raises for what is no table, not UTF-8, or no number
        reason = f"{type(error).__name__}: {_one_line(error)}"
        raise DataError(f"Register “{name}”: claims/{name}.csv cannot be parsed ({reason}); {_RESTORE}.") from None
    for column in frame.columns.difference(["comparison"]):  # its signs are < and >
        if problem := text_problem(pd.Series(frame[column].unique())):
            raise DataError(f"Register “{name}”, column {shown(column)}: {problem}; {_RESTORE}.")
    if typed is not None:
        expected = [field["name"] for field in resource["schema"]["fields"]]
        changed = "it has other columns" if list(frame.columns) != expected else difference(typed, resource)
        if changed:
            raise DataError(f"Register “{name}” is not the one that was described: {changed}; {_RESTORE}; {_DESCRIBE}.")
    return frame


def typed_register(frame: pd.DataFrame, fields: list[dict]) -> pd.DataFrame:
    """The columns of a register with its numbers as numbers, by which it is known again."""
    numbers = [f["name"] for f in fields if f["type"] == "number" and f["name"] in frame]
    return frame.assign(**{name: pd.to_numeric(frame[name].replace("", None)).astype("float64") for name in numbers})


def described_registers(folder: Path) -> list[str]:
    """Names of the registers that a folder's ``datapackage.json`` describes; none if it has no such file."""
    return [resource["name"] for resource in _registers(folder)]


def _registers(folder: Path) -> list[dict]:
    return _read_package(folder)["resources"] if (folder / "datapackage.json").exists() else []


def _register_file(folder: Path, name: str) -> Path:
    path = folder / f"{name}.csv"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"Register “{name}”: claims/{name}.csv {_why_unread(error)}; {_RESTORE}.") from None
    if registers := _registers(folder):
        described = next((one for one in registers if one["name"] == name), None)
        if described is None or "sha256:" + hashlib.sha256(content).hexdigest() != described["hash"]:
            what = "is not described" if described is None else "is not the file that was described (checksum differs)"
            raise DataError(f"Register “{name}”: claims/{name}.csv {what}; {_RESTORE}; {_DESCRIBE}.")
    return path


def _read(path: Path, resource: dict) -> pd.DataFrame:
    fields = resource["schema"]["fields"]
    if resource["format"] == "parquet":
        frame = pd.read_parquet(path)
    else:
        # As text first: codes such as "01" or "NA" (Namibia's alpha-2) must not become numbers or gaps.
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    for field in fields:
        column = field["name"]
        if column not in frame:
            continue  # check_frame reports it, with the other differences
        if field["type"] == "integer":
            whole = pd.to_numeric(frame[column])
            frame[column] = whole.astype("Int64" if whole.isna().any() else "int64")
        elif field["type"] == "number":
            frame[column] = pd.to_numeric(frame[column]).astype("float64")
        elif field["type"] == "boolean":
            frame[column] = frame[column].astype(str).str.lower().map({"true": True, "false": False})
    return frame


def check_frame(frame: pd.DataFrame, resource: dict) -> dict[str, Distinct]:
    """Raise `DataError` unless `frame` has the columns, types, ranges, texts, order and key that `resource` describes.

    Returns
    -------
    dict
        The different values of each column of text and of the key, by column.
    """
    name, schema = resource["name"], resource["schema"]
    expected = [field["name"] for field in schema["fields"]]
    if list(frame.columns) != expected:
        lost = [c for c in expected if c not in frame.columns]
        extra = [shown(c) for c in frame.columns if c not in expected]
        what = "; ".join(
            [f"missing: {', '.join(lost)}"] * bool(lost) + [f"unexpected: {', '.join(extra[:5])}"] * bool(extra)
        )
        raise DataError(
            f"Table “{name}” does not have the columns of its schema ({what or 'their order differs'}); {_RESTORE}."
        )
    if frame.empty:
        raise DataError(f"Table “{name}” has no rows; {_RESTORE}.")
    texts = {field["name"] for field in schema["fields"] if field["type"] not in {"integer", "number", "boolean"}}
    distinct = {c: Distinct(frame[c]) for c in expected if c in texts or c in schema["primaryKey"]}
    for field in schema["fields"]:
        column = field["name"]
        problem = _column_problem(frame[column], field, distinct[column].values if column in texts else None)
        if problem:
            raise DataError(f"Table “{name}”, column “{column}”: {problem}; {_RESTORE}.")
    if (fault := key_problem([distinct[c] for c in schema["primaryKey"]])) == "repeated":
        again = frame.duplicated(schema["primaryKey"])
        row = frame.loc[again, schema["primaryKey"]].iloc[0]
        first = ", ".join(f"{column} {shown(value)}" for column, value in row.items())
        raise DataError(f"Table “{name}” has {int(again.sum())} repeated keys, the first {first}; {_RESTORE}.")
    if fault:
        raise DataError(f"Table “{name}” does not have its rows in the order of its key; {_RESTORE}.")
    return distinct


def _column_problem(column: pd.Series, field: dict, texts: pd.Series | None) -> str | None:
    rules = field.get("constraints", {})
    if rules.get("required") and (empty := int(column.isna().sum())):
        return f"{empty} cells are empty, none may be"
    if texts is not None:
        return _text_problem(texts, rules)
    if field["type"] == "boolean":
        return None if column.isin([True, False]).all() else "holds something else than true and false"
    if not pd.api.types.is_numeric_dtype(column):
        return "holds text where numbers belong"
    if np.isinf(column.to_numpy(dtype=float, na_value=np.nan)).any():
        return "has a value that is not finite"
    if "minimum" in rules and (least := column.min()) < rules["minimum"]:
        return f"has {least}, below the least possible value {rules['minimum']}"
    if "maximum" in rules and (greatest := column.max()) > rules["maximum"]:
        return f"has {greatest}, above the greatest possible value {rules['maximum']}"
    return None


def _text_problem(values: pd.Series, rules: dict) -> str | None:
    """What is wrong with one of the different texts of a column."""
    if "enum" in rules and not values.isin(rules["enum"]).all():
        return f"has {shown(values[~values.isin(rules['enum'])].iloc[0])}, not one of {', '.join(rules['enum'])}"
    if "pattern" in rules:
        wrong = values[~values.astype(str).str.fullmatch(rules["pattern"])]
        if len(wrong):
            return f"has {shown(wrong.iloc[0])}, which does not match {rules['pattern']}"
    return text_problem(values)


def describe(name: str) -> pd.Series:
    """Say what a table is: title, source, vintage, licence, coverage, known problems, fields.

    Returns
    -------
    Series
        Indexed by `title`, `description`, `publisher`, `source`, `vintage`, `licence`, `rows`, `years`,
        `economies`, `kind`, `caveats`, `fields`; read from the data package, so that it agrees with what `load` checks.

    Raises
    ------
    DataError
        If there is no table of that name.
    """
    resource = _resource(name)
    span = resource["coverage"].get("years")
    return pd.Series(
        {
            "title": resource["title"],
            "description": resource["description"],
            "publisher": "; ".join(source["publisher"] for source in resource["sources"]),
            "source": "; ".join(source["title"] for source in resource["sources"]),
            "vintage": resource["vintage"],
            "licence": "; ".join(licence["title"] for licence in resource["licenses"]),
            "rows": resource["rows"],
            "years": f"{span[0]}–{span[1]}" if span else "",
            "economies": resource["coverage"].get("economies", ""),
            "kind": resource["kind"],
            "caveats": " ".join(resource["caveats"]),
            "fields": ", ".join(field["name"] for field in resource["schema"]["fields"]),
        },
        name=name,
    )
