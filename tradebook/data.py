"""The data package: `load` a table, `describe` it, list the `tables`.

Every table of the book is described in ``data/datapackage.json`` (a Frictionless Data Package). `load` reads a table,
once per process, and refuses it when the file is not the one that was described (checksum) or does not have the
described columns, types, ranges and key. Chapters never open a file by path.
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

import pandas as pd

from tradebook.browser import fetch
from tradebook.errors import TradebookError

__all__ = ["DataError", "check_frame", "data_folder", "describe", "load", "note_read", "package", "tables", "watch"]

_WATCHERS: list[set[str]] = []
_RESTORE = "restore the file from the repository (git checkout -- data), or download the release again"


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
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"There is no data package in {folder}: {_RESTORE}, or set TRADEBOOK_DATA to its folder."
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"datapackage.json is damaged ({error}): {_RESTORE}.") from None


def package() -> dict:
    """The whole data package descriptor, as a dictionary."""
    return _read_package(data_folder())


def tables() -> list[str]:
    """Names of all tables, in the order of the data package."""
    return [resource["name"] for resource in package()["resources"]]


def _resource(name: str) -> dict:
    for resource in package()["resources"]:
        if resource["name"] == name:
            return resource
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
        reason = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
        raise DataError(f"Table “{name}”: {resource['path']} {reason}; {_RESTORE}.") from None
    if "sha256:" + hashlib.sha256(content).hexdigest() != resource["hash"]:
        raise DataError(
            f"Table “{name}”: {resource['path']} is not the file that was described (checksum differs); {_RESTORE}."
        )
    try:
        frame = _read(path, resource)
    except Exception as error:  # any parser may fail in its own way on a file it cannot read
        raise DataError(
            f"Table “{name}”: {resource['path']} cannot be parsed ({type(error).__name__}: {error}); {_RESTORE}."
        ) from None
    check_frame(frame, resource)
    return frame


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


def check_frame(frame: pd.DataFrame, resource: dict) -> None:
    """Raise `DataError` unless `frame` has the columns, types, ranges and key that `resource` describes."""
    name, schema = resource["name"], resource["schema"]
    expected = [field["name"] for field in schema["fields"]]
    if list(frame.columns) != expected:
        lost = [c for c in expected if c not in frame.columns]
        extra = [c for c in frame.columns if c not in expected]
        what = "; ".join(
            [f"missing: {', '.join(lost)}"] * bool(lost) + [f"unexpected: {', '.join(extra)}"] * bool(extra)
        )
        raise DataError(
            f"Table “{name}” does not have the columns of its schema ({what or 'their order differs'}); {_RESTORE}."
        )
    if frame.empty:
        raise DataError(f"Table “{name}” has no rows; {_RESTORE}.")
    for field in schema["fields"]:
        problem = _column_problem(frame[field["name"]], field)
        if problem:
            raise DataError(f"Table “{name}”, column “{field['name']}”: {problem}; {_RESTORE}.")
    repeated = frame.duplicated(schema["primaryKey"])
    if repeated.any():
        row = frame.loc[repeated, schema["primaryKey"]].iloc[0].to_dict()
        raise DataError(f"Table “{name}” has {int(repeated.sum())} repeated keys, the first {row}; {_RESTORE}.")


def _column_problem(column: pd.Series, field: dict) -> str | None:
    rules = field.get("constraints", {})
    present = column.dropna()
    if rules.get("required") and len(present) < len(column):
        return f"{len(column) - len(present)} cells are empty, none may be"
    if field["type"] in {"integer", "number"}:
        if not pd.api.types.is_numeric_dtype(column):
            return "holds text where numbers belong"
        if "minimum" in rules and (present < rules["minimum"]).any():
            return f"has {present.min()}, below the least possible value {rules['minimum']}"
        if "maximum" in rules and (present > rules["maximum"]).any():
            return f"has {present.max()}, above the greatest possible value {rules['maximum']}"
    if field["type"] == "string":
        if "enum" in rules and not present.isin(rules["enum"]).all():
            return f"has {present[~present.isin(rules['enum'])].iloc[0]!r}, not one of {', '.join(rules['enum'])}"
        if "pattern" in rules:
            values = pd.Series(present.unique())
            wrong = values[~values.astype(str).str.fullmatch(rules["pattern"])]
            if len(wrong):
                return f"has {wrong.iloc[0]!r}, which does not match {rules['pattern']}"
    return None


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
