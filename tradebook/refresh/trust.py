"""Is what was fetched the table that we know, a few years longer? Everything is tried before anything is written."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd

from tradebook import data
from tradebook.refresh.errors import RefreshError, plain

#: Shares above which a new vintage is not believed: rows of the old one that are gone, values that moved by a factor.
LOST, MOVED, FACTOR = 0.1, 0.05, 3.0
#: A group of rows (an indicator, a flow, a product) is compared if both vintages share as many values as this.
ENOUGH = 5


def checked(frame: pd.DataFrame, resource: dict, old: pd.DataFrame, this_year: int) -> tuple[pd.DataFrame, dict]:
    """The new rows, typed and sorted, with the schema that fits their last year.

    Raises
    ------
    RefreshError
        If columns, types, ranges or key differ from the schema, an economy is unknown, a year has not been yet, or the
        values cannot be a newer vintage of the old ones: a unit has changed, or a good part of them is gone.
    """
    name = resource["name"]
    resource = copy.deepcopy(resource)
    frame = _typed(frame, resource, old)
    _extend_years(frame, resource, this_year)
    try:
        data.check_frame(frame, resource)
    except data.DataError as error:
        raise RefreshError(f"{_problem(error)}; what was fetched is not used.") from None
    _known_economies(frame, name)
    _plausible(frame, old, resource)
    return frame, resource


def _problem(error: data.DataError) -> str:
    """What is wrong with a table, without the advice to restore it."""
    return str(error).partition(f"; {data._RESTORE}")[0].translate(dict.fromkeys(map(ord, "<>&"), "?"))


def _typed(frame: pd.DataFrame, resource: dict, old: pd.DataFrame) -> pd.DataFrame:
    name, columns = resource["name"], [field["name"] for field in resource["schema"]["fields"]]
    if set(frame.columns) != set(columns):
        raise RefreshError(f"Table “{name}” was fetched with other columns; what was fetched is not used.")
    frame = frame[columns]
    empty = frame.isna().any()
    required = [f["name"] for f in resource["schema"]["fields"] if f.get("constraints", {}).get("required")]
    if empty[required].any():
        column = empty[required].idxmax()
        raise RefreshError(f"Table “{name}”: {column} is empty in places; what was fetched is not used.")
    try:
        frame = frame.astype({c: old[c].dtype for c in columns})
    except (TypeError, ValueError, OverflowError):
        what = "text among numbers"
        raise RefreshError(f"Table “{name}” was fetched with {what}; what was fetched is not used.") from None
    numbers = frame.select_dtypes("number").to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(numbers).any():
        raise RefreshError(f"Table “{name}” was fetched with a value that is not finite; what was fetched is not used.")
    return frame.sort_values(resource["schema"]["primaryKey"]).reset_index(drop=True)


def _extend_years(frame: pd.DataFrame, resource: dict, this_year: int) -> None:
    """Let the schema end with the last year of the data, which must have begun."""
    if "year" not in frame or frame.empty:
        return
    last = int(frame["year"].max())
    if last > this_year:
        name = resource["name"]
        raise RefreshError(f"Table “{name}” was fetched with the year {last}; what was fetched is not used.")
    rules = next(f for f in resource["schema"]["fields"] if f["name"] == "year").setdefault("constraints", {})
    if last > rules.get("maximum", last):
        rules["maximum"] = last


def _known_economies(frame: pd.DataFrame, name: str) -> None:
    known = set(data.load("economies")["iso3"])
    for column in {"iso3", "exporter", "importer", "reporter", "partner"} & set(frame):
        unknown = sorted(set(frame[column].unique()) - known)
        if unknown:
            raise RefreshError(
                f"Table “{name}” was fetched with “{plain(unknown[0])}”, which table economies does not have; what was "
                "fetched is not used. If it is an economy, add it there first."
            )


def _plausible(frame: pd.DataFrame, old: pd.DataFrame, resource: dict) -> None:
    name, key = resource["name"], resource["schema"]["primaryKey"]
    values = [f["name"] for f in resource["schema"]["fields"] if f["type"] == "number" and f["name"] not in key]
    both = old.merge(frame, on=key, how="left", suffixes=("_old", "_new"), indicator=True)
    lost = float((both["_merge"] == "left_only").mean())
    if lost > LOST:
        raise RefreshError(
            f"Table “{name}” was fetched without {lost:.0%} of the rows that it has; what was fetched is not used."
        )
    groups = [c for c in key if c not in {"year", "iso3", "exporter", "importer", "partner", "group"}]
    for value in values:
        then, now = both[f"{value}_old"], both[f"{value}_new"]
        known = (then != 0) & (now != 0) & then.notna() & now.notna()
        ratio = (now[known] / then[known]).abs()
        moved = float(((ratio > FACTOR) | (ratio < 1 / FACTOR)).mean()) if len(ratio) else 0.0
        by = [both.loc[known, c] for c in groups] or [pd.Series("all rows", index=ratio.index)]
        for label, part in ratio.groupby(by):
            middle = float(part.median())
            if len(part) >= ENOUGH and not 1 / FACTOR <= middle <= FACTOR:
                what = ", ".join(map(str, label))
                raise RefreshError(
                    f"Table “{name}”, {plain(what)}: values are {middle:.3g} times what they were in half of the rows; "
                    "the unit or definition has changed, so what was fetched is not used."
                )
        if moved > MOVED:
            raise RefreshError(
                f"Table “{name}”: {moved:.0%} of the values of {value} differ by more than a factor of {FACTOR:.0f} "
                "from those that it has; what was fetched is not used."
            )
