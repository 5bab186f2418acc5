"""What a table adds up to: the figures by which `tradebook.data.load` knows a table again, whatever file holds it.

A checksum tells that a file has changed, not what in it, and it says nothing once somebody has renewed it. Beside the
checksum the data package therefore has, for each table, the number of rows, the years and economies that it covers, and
for each column a control: how many cells are filled; the sum, least and greatest of numbers, and their magnitude (the
sum of the decimal logarithms, in which a small value weighs as much as a large one); how many different texts and how
many characters in all. `difference` names the first that a table does not meet.

Columns are looked at through `Distinct`, the different values and where each stands, because the columns of large
tables repeat few values.
"""

from __future__ import annotations

import math
import re
import unicodedata
from functools import cached_property

import numpy as np
import pandas as pd

__all__ = [
    "ECONOMY_COLUMNS", "Distinct", "control", "coverage", "describe_rows", "difference", "key_problem", "shown",
    "text_problem",
]  # fmt: skip

#: Columns that hold codes of economies and count for the coverage of a table.
ECONOMY_COLUMNS = ("iso3", "exporter", "importer", "reporter", "partner")
#: Share of a sum by which it may differ: the rounding of a parser of decimal numbers, nothing more.
SUM_TOLERANCE = 2e-15
#: How far a magnitude may differ: the rounding of the logarithms of a million values. A change of one value by a
#: twenty-millionth is more.
MAGNITUDE_TOLERANCE = 2e-8
_LONGEST = 2000  # characters of a text
# What no text of a publisher holds: marks of HTML, control characters, invisible ones that turn the direction of
# writing, what stands for a byte that could not be read, and the pairs that UTF-8 read as Latin-1 leaves.
_STRANGE = re.compile(
    "[<>\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd]|[ÃÂÐÑ][\u0080-\u00bf]|â€"
)


class Distinct:
    """The different values of a column, in order, and for each cell the position of its value (−1 if it is empty)."""

    def __init__(self, column: pd.Series) -> None:
        if isinstance(column.dtype, pd.CategoricalDtype):  # its categories have an order of their own: c2 before c10
            codes, values = column.cat.codes.to_numpy(), column.cat.categories
            place = np.cumsum(np.bincount(codes[codes >= 0], minlength=len(values)) > 0) - 1
            used = np.flatnonzero(np.diff(place, prepend=-1))
            self.codes = np.append(place, -1)[codes]
            self.values = pd.Series(values[used].astype(object))
            return
        codes, values = pd.factorize(column)
        values = pd.Series(values.astype(object), dtype=object)
        order = values.argsort(kind="stable").to_numpy()
        rank = np.empty(len(order) + 1, dtype=np.intp)  # what NumPy counts with: 32 bits in a browser
        rank[order], rank[-1] = np.arange(len(order)), -1
        self.codes = rank[codes]
        self.values = values.iloc[order].reset_index(drop=True)

    @cached_property
    def counts(self) -> np.ndarray:
        """How often each value occurs."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))


def key_problem(keys: list[Distinct]) -> str | None:
    """What is wrong with the key of a table: rows must be in its order, and no key may occur twice."""
    place = np.zeros(len(keys[0].codes), dtype=np.int64)
    for column in keys:
        place = place * (len(column.values) + 1) + column.codes + 1
    step = np.diff(place)
    if (step > 0).all():
        return None
    repeated = len(place) - len(np.unique(place))
    return "repeated" if repeated else "unsorted"


def text_problem(values: pd.Series) -> str | None:
    """Say what no text of a publisher has, if one of these values has it."""
    for value in map(str, values):
        if found := _STRANGE.search(value):
            return f"{shown(value)} holds {shown(found[0])}, which no publisher writes"
        if len(value) > _LONGEST:
            return f"a text has {len(value):,} characters"
        if not unicodedata.is_normalized("NFC", value):
            return f"{shown(value)} is not in Unicode's normal form"
    return None


def shown(value: object, most: int = 40) -> str:
    """A value inside a sentence: quoted, short, on one line, without a character that acts on a terminal or page."""
    text = str(value)
    text = text if len(text) <= most else text[:most] + "…"
    return "“" + "".join(c if c.isprintable() and c not in "<>" else f"U+{ord(c):04X}" for c in text) + "”"


def coverage(frame: pd.DataFrame) -> dict:
    """First and last year, and how many economies a table has."""
    out = {}
    if "year" in frame:
        out["years"] = [int(frame["year"].min()), int(frame["year"].max())]
    codes = [frame[name] for name in ECONOMY_COLUMNS if name in frame]
    if codes:
        out["economies"] = len(set().union(*(column.unique() for column in codes)))
    return out


def control(frame: pd.DataFrame, fields: list[dict], distinct: dict[str, Distinct] | None = None) -> dict:
    """The control of each column of a table.

    Parameters
    ----------
    frame : DataFrame
        A table as `tradebook.data.load` returns it.
    fields : list of dict
        Its fields as the data package describes them.
    distinct : dict, optional
        Columns whose different values are known already.

    Returns
    -------
    dict
        By column: `present` (cells that are not empty); of numbers `sum`, `minimum`, `maximum` and, unless they are
        whole, `magnitude`; of text `distinct` and `characters`; of truth values `true`.
    """
    known, out = distinct or {}, {}
    for field in fields:
        name = field["name"]
        column = frame[name]
        out[name] = {"present": int(column.notna().sum())}
        if field["type"] == "boolean":
            out[name]["true"] = int(column.eq(True).sum())
        elif pd.api.types.is_numeric_dtype(column):
            values = column.dropna()
            if not len(values):
                continue
            whole = pd.api.types.is_integer_dtype(values)
            total = int(values.sum()) if whole else math.fsum(values.to_numpy(dtype=float).tolist())
            kind = int if whole else float
            out[name] |= {"sum": total, "minimum": kind(values.min()), "maximum": kind(values.max())}
            if not whole:
                sizes = np.abs(values.to_numpy(dtype=float))
                out[name]["magnitude"] = round(float(np.log10(sizes[sizes > 0]).sum()), 9)
        else:
            texts = known.get(name) or Distinct(column)
            lengths = np.array([len(str(value)) for value in texts.values], dtype=np.int64)
            out[name] |= {"distinct": len(texts.values), "characters": int(lengths @ texts.counts)}
    return out


def describe_rows(frame: pd.DataFrame, fields: list[dict]) -> dict:
    """What the descriptor of a table says about its rows: `rows`, `coverage` and `control`."""
    return {"rows": len(frame), "coverage": coverage(frame), "control": control(frame, fields)}


_SAYS = {
    "present": "filled cells", "sum": "as sum", "minimum": "as least value", "maximum": "as greatest value",
    "magnitude": "as magnitude", "distinct": "different texts", "characters": "characters in all", "true": "times true",
}  # fmt: skip


def difference(frame: pd.DataFrame, resource: dict, distinct: dict[str, Distinct] | None = None) -> str | None:
    """The first respect in which a table is not the one that was described, in words; None if there is none."""
    if "rows" in resource and len(frame) != resource["rows"]:
        return f"has {len(frame):,} rows, not {resource['rows']:,}"
    if "control" not in resource:
        return None
    found = control(frame, resource["schema"]["fields"], distinct)
    for column, wanted in resource["control"].items():
        for measure, value in wanted.items():
            got = found.get(column, {}).get(measure)
            if got != value and not _close(measure, got, value):
                return f"column “{column}” has {_number(got)} {_SAYS[measure]}, not {_number(value)}"
    now = coverage(frame)
    for measure, value in resource.get("coverage", {}).items():
        if now.get(measure) != value:
            return f"covers {measure} {now.get(measure)}, not {value}"
    return None


def _close(measure: str, got: float | None, wanted: float) -> bool:
    if measure == "sum" and got is not None:
        return math.isclose(got, wanted, rel_tol=SUM_TOLERANCE, abs_tol=0.0)
    return measure == "magnitude" and got is not None and abs(got - wanted) <= MAGNITUDE_TOLERANCE


def _number(value: float | None) -> str:
    if value is None:
        return "nothing"
    return f"{value:,}" if isinstance(value, int) else f"{value:.15g}"
