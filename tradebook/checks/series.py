"""Small steps that checks share: a value of one year, a change, a period without gaps."""

from __future__ import annotations

import pandas as pd

from tradebook.checks import CheckError


def at(series: pd.Series, year: int, what: str) -> float:
    """The value of one year; an error if there is none."""
    if year not in series.index:
        raise CheckError(f"There is no figure for {what} in {year}; choose a year with data.")
    return float(series.loc[year])


def growth(series: pd.Series, year: int, what: str) -> float:
    """Change against the year before, percent."""
    return 100 * (at(series, year, what) / at(series, year - 1, what) - 1)


def compound_growth(series: pd.Series, start: int, end: int, what: str) -> float:
    """Average growth a year: 100 ((V_end / V_start)^(1 / (end - start)) - 1), percent."""
    return 100 * ((at(series, end, what) / at(series, start, what)) ** (1 / (end - start)) - 1)


def span(series: pd.Series, start: int, end: int) -> pd.Series:
    """The years `start` to `end`; an error if one is missing."""
    part = series[(series.index >= start) & (series.index <= end)]
    if len(part) < end - start + 1:
        raise CheckError(f"The series has gaps between {start} and {end}; choose years with data.")
    return part
