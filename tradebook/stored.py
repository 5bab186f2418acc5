"""Results of packages that cannot run everywhere, kept from when the book was built.

In a browser some packages (`pyfixest`, `statsmodels`, `duckdb`) are missing, because nobody builds them for it. A
function marked with `stored` computes where its package is installed. Where it is not, it gives the result that it
gave for the same arguments when the book was built, and says so; for other arguments it refuses.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache, wraps
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tradebook.errors import TradebookError

__all__ = ["FILE", "NotStoredError", "pack", "record", "stored"]

FILE = Path(__file__).with_name("stored.json.gz")  # only in the copy of this package that a browser runs

_recorded: dict[str, Any] | None = None
_said: set[tuple[str, int | None]] = set()
_depth = 0  # a call inside a recorded call is part of it, and not recorded again


class NotStoredError(TradebookError):
    """A package is missing, and no result is stored for these arguments."""


def stored(package: str) -> Callable:
    """Mark a function that needs `package`: where it is missing, the stored result takes its place.

    Arguments and results may be numbers, text, sequences, mappings, arrays, Series, DataFrames with plain columns, and
    dataclasses of these.

    Raises
    ------
    NotStoredError
        When the function is called without its package and with arguments that no result is stored for.
    """

    def mark(function: Callable) -> Callable:
        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if find_spec(package) is None and FILE.exists():
                return _recall(function, package, args, kwargs)
            return _compute(function, args, kwargs)

        return wrapper

    return mark


@contextmanager
def record() -> Iterator[dict[str, Any]]:
    """Collect the results of all marked functions that are called inside the ``with`` block."""
    global _recorded
    before, _recorded = _recorded, {}
    try:
        yield _recorded
    finally:
        _recorded = before


def pack(results: Mapping[str, Any]) -> bytes:
    """What `FILE` holds for these recorded results; the same results give the same bytes."""
    text = json.dumps(dict(sorted(results.items())), separators=(",", ":"))
    return gzip.compress(text.encode(), 9, mtime=0)


def _compute(function: Callable, args: tuple, kwargs: dict) -> Any:
    global _depth
    if _recorded is None or _depth:
        return function(*args, **kwargs)
    _depth += 1
    try:
        result = function(*args, **kwargs)
    finally:
        _depth -= 1
    _recorded[_key(function, args, kwargs)] = _encode(result)
    return result


def _recall(function: Callable, package: str, args: tuple, kwargs: dict) -> Any:
    results = _read(FILE)
    key = _key(function, args, kwargs)
    if key not in results:
        raise NotStoredError(
            f"{package} cannot run in a browser, and {function.__name__}() has a stored result only for the chapter as "
            "it stands: put its code and parameters back, or run the chapter on your own machine (make lab)."
        )
    _say(f"{package} cannot run in a browser: {function.__name__}() gives the result stored when the book was built.")
    return _decode(results[key])


def _say(sentence: str) -> None:
    """Print a sentence, once in each cell of a notebook."""
    from IPython import get_ipython

    shell = get_ipython()
    place = (sentence, shell.execution_count if shell else None)
    if shell is None or place not in _said:
        _said.add(place)
        print(sentence)


@cache
def _read(path: Path) -> dict[str, Any]:
    return json.loads(gzip.decompress(path.read_bytes()))


# --- what a call is recognised by ------------------------------------------------------------------


def _key(function: Callable, args: tuple, kwargs: dict) -> str:
    """Name of the function and a digest of its arguments, the same on every processor and version of pandas."""
    marks = json.dumps([_mark(args), _mark(kwargs)])
    return f"{function.__module__}.{function.__name__} {hashlib.sha256(marks.encode()).hexdigest()[:24]}"


def _mark(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        return [_mark(value.index), [[str(name), _mark_column(value[name])] for name in value]]
    if isinstance(value, pd.Series):
        return [_mark(value.index), _mark_column(value)]
    if isinstance(value, pd.MultiIndex):
        return _mark(value.to_frame(index=False))
    if isinstance(value, pd.Index | np.ndarray):
        return _mark_column(pd.Series(value))
    if isinstance(value, Mapping):
        return [[str(name), _mark(part)] for name, part in sorted(value.items())]
    if isinstance(value, list | tuple | range):
        return [_mark(part) for part in value]
    value = value.item() if isinstance(value, np.generic) else value
    # Nine digits: a last digit that differs from one processor to the next does not count.
    return f"{value:.9g}" if isinstance(value, float) else value


def _mark_column(column: pd.Series) -> list:
    """Sums that any changed, moved or missing value alters."""
    place = np.arange(len(column)) % 9973 + 1.0
    if pd.api.types.is_numeric_dtype(column):
        numbers = column.to_numpy(dtype=float, na_value=np.nan)
        words = []
    else:
        codes, known = pd.factorize(column.astype(object))
        numbers = codes.astype(float)
        words = hashlib.sha256("\n".join(map(str, known)).encode()).hexdigest()
    there = np.isfinite(numbers)
    sums = (numbers[there].sum(), (numbers * place)[there].sum(), place[there].sum())
    return [len(numbers), *(f"{float(total):.9g}" for total in sums), words]


# --- how a result is kept --------------------------------------------------------------------------


def _encode(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        columns = [[name, _encode_column(value[name])] for name in value]
        return {"frame": columns, "index": _encode_column(value.index.to_series()), "name": value.index.name}
    if isinstance(value, pd.Series):
        return {"series": _encode(value.to_frame("value")), "name": value.name}
    if is_dataclass(value):
        kind = type(value)
        parts = {field.name: _encode(getattr(value, field.name)) for field in fields(value)}
        return {"dataclass": f"{kind.__module__}:{kind.__qualname__}", "fields": parts}
    if isinstance(value, Mapping):
        return {"mapping": [[name, _encode(part)] for name, part in value.items()]}
    if isinstance(value, list | tuple):
        return {"list": [_encode(part) for part in value], "tuple": isinstance(value, tuple)}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a stored function returned {type(value).__name__}, which cannot be kept; return plain tables")


def _encode_column(column: pd.Series) -> list:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufb":
        return [column.dtype.str, column.tolist()]
    if pd.api.types.is_numeric_dtype(column):
        raise TypeError(f"a stored function returned a column of type {column.dtype}; use plain numbers")
    return ["text", [None if pd.isna(cell) else str(cell) for cell in column]]


def _decode(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "frame" in value:
        index = pd.Index(_decode_column(value["index"]), name=value["name"])
        return pd.DataFrame({name: _decode_column(column) for name, column in value["frame"]}, index=index)
    if "series" in value:
        return _decode(value["series"])["value"].rename(value["name"])
    if "dataclass" in value:
        module, name = value["dataclass"].split(":")
        kind = getattr(importlib.import_module(module), name)
        return kind(**{field: _decode(part) for field, part in value["fields"].items()})
    if "mapping" in value:
        return {name: _decode(part) for name, part in value["mapping"]}
    parts = [_decode(part) for part in value["list"]]
    return tuple(parts) if value["tuple"] else parts


def _decode_column(column: list) -> np.ndarray:
    kind, cells = column
    return np.array(cells, dtype=object if kind == "text" else kind)
