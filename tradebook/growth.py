"""Growth: trends with honest errors, structural breaks, decade means, contributions, elasticities.

Series are pandas Series indexed by year; growth rates are in per cent a year.

References
----------
Newey and West (1987), doi:10.2307/1913610 (errors); Bai and Perron (1998, 2003),
doi:10.2307/2998540, doi:10.1002/jae.659 (breaks); Yao (1988), doi:10.1016/0167-7152(88)90118-6,
and Liu, Wu and Zidek (1997), Statistica Sinica 7, 497-525 (how many breaks).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tradebook.data import load
from tradebook.errors import TradebookError
from tradebook.regression import least_squares

__all__ = [
    "Breaks",
    "GrowthError",
    "Slope",
    "breaks",
    "contributions",
    "decade_means",
    "elasticity",
    "forecast_errors",
    "newey_west_lags",
    "per_head",
    "real_level",
    "series",
    "trend",
    "without",
]


class GrowthError(TradebookError):
    """A growth series is too short, has gaps, or does not match another one."""


@dataclass(frozen=True)
class Slope:
    """A regression slope with Newey-West errors.

    Attributes
    ----------
    value, low, high : the slope and its confidence interval (t distribution).
    se, p : standard error, and p-value of the test that the slope is zero.
    n, lags : observations, and lags of the Newey-West estimator.
    """

    value: float
    low: float
    high: float
    se: float
    p: float
    n: int
    lags: int


@dataclass(frozen=True)
class Breaks:
    """Shifts of the mean of a series.

    Attributes
    ----------
    years : dict
        Criterion (``"BIC"``, ``"LWZ"``) to the first years of new segments that it chooses.
    criteria : DataFrame
        Index: number of breaks; columns `years`, `rss`, `BIC`, `LWZ` (smaller is better).
    """

    years: dict[str, list[int]]
    criteria: pd.DataFrame

    def segments(self, series: pd.Series, criterion: str = "BIC") -> pd.DataFrame:
        """First and last year, mean and number of years of each segment that a criterion chooses."""
        starts = [int(series.index[0]), *self.years[criterion]]
        ends = [*[year - 1 for year in self.years[criterion]], int(series.index[-1])]
        rows = [(a, b, series.loc[a:b].mean(), len(series.loc[a:b])) for a, b in zip(starts, ends, strict=True)]
        return pd.DataFrame(rows, columns=["first", "last", "mean", "years"])


def series(indicator: str, economy: str, table: str = "wdi") -> pd.Series:
    """One indicator of one economy, indexed by year.

    Parameters
    ----------
    indicator : str
        World Bank code.
    economy : str
        ISO alpha-3 code, or WLD; with `table` ``"world-groups"`` the code of a group.

    Raises
    ------
    GrowthError
        If the table has none.
    """
    frame = load(table)
    code = "group" if "group" in frame else "iso3"
    found = frame[(frame["indicator"] == indicator) & (frame[code] == economy)]
    if found.empty:
        raise GrowthError(f"The table {table} has no {indicator} for {economy}; choose another economy.")
    return found.set_index("year")["value"].sort_index()


def per_head(growth: pd.Series, population: pd.Series) -> pd.Series:
    """Growth per head: 100 ((1 + g / 100) / (1 + n / 100) - 1), with n the growth of population in per cent."""
    people = population / population.shift(1)
    return (100 * ((1 + growth / 100) / people - 1)).dropna()


def newey_west_lags(n: int) -> int:
    """Lags by the usual rule floor(4 (n / 100)^(2/9)); for 65 years: 3."""
    return int(np.floor(4 * (n / 100) ** (2 / 9)))


def trend(series: pd.Series, lags: int | None = None, level: float = 0.95) -> Slope:
    """Linear trend y = a + b t by least squares, with Newey-West errors.

    Parameters
    ----------
    series : Series
        Indexed by year, without gaps; at least ten years.
    lags : int, optional
        By default `newey_west_lags`.
    level : float
        Of the confidence interval.

    Returns
    -------
    Slope
        In units of the series per year.

    Raises
    ------
    GrowthError
        If the series has gaps or fewer than ten years.
    """
    _check(series, 10)
    years = pd.Series(series.index.to_numpy(dtype=float), index=series.index)
    return _slope(series, years, lags, level)


def elasticity(trade: pd.Series, income: pd.Series, lags: int | None = None, level: float = 0.95) -> Slope:
    """Short-run elasticity of trade to income: slope of log growth of trade on log growth of income.

    Parameters
    ----------
    trade, income : Series
        Growth in per cent, indexed by year; only common years are used, at least eight.

    Returns
    -------
    Slope
        Per cent of trade for one per cent of income, Newey-West errors.
    """
    both = pd.concat([trade, income], axis=1, keys=["trade", "income"]).dropna()
    _check(both["trade"], 8)
    logs = np.log1p(both / 100)
    return _slope(logs["trade"], logs["income"], lags, level)


def _slope(y: pd.Series, x: pd.Series, lags: int | None, level: float) -> Slope:
    lags = newey_west_lags(len(y)) if lags is None else lags
    # Centred: the slope is the same, and years near 2000 do not make the matrix ill-conditioned.
    design = np.column_stack([np.ones(len(x)), x - x.mean()])
    fit = least_squares(y.to_numpy(dtype=float), design, lags)
    low, high = fit.interval(1, level)
    return Slope(float(fit.coef[1]), low, high, float(fit.se[1]), fit.p_value(1), len(y), lags)


def decade_means(series: pd.Series, level: float = 0.95) -> pd.DataFrame:
    """Mean of each decade with a Newey-West interval.

    Returns
    -------
    DataFrame
        Index: label of the decade (“1961–1969” if it is cut); columns `mean`, `low`, `high`, `years`.
        Decades with fewer than five years are left out.
    """
    rows = {}
    for start, part in series.dropna().groupby(series.dropna().index // 10 * 10):
        if len(part) < 5:
            continue
        first, last = int(part.index[0]), int(part.index[-1])
        label = f"{start}s" if last - first == 9 else f"{first}–{last}"
        fit = least_squares(part.to_numpy(dtype=float), np.ones((len(part), 1)), newey_west_lags(len(part)))
        low, high = fit.interval(0, level)
        rows[label] = (part.mean(), low, high, len(part))
    if not rows:
        raise GrowthError("No decade has five years of data; give a longer series.")
    return pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "low", "high", "years"])


def breaks(series: pd.Series, most: int = 4, shortest: int = 8) -> Breaks:
    """Shifts of the mean by least squares, after Bai and Perron.

    For each number of breaks m up to `most`, the dates are those that minimise the sum of squared deviations
    from segment means, found exactly by dynamic programming over all segmentations with at least `shortest`
    years each. How many is chosen by two criteria, with p = 2 m + 1 parameters (means and dates) and n years:

        BIC = ln(RSS / n) + p ln(n) / n                       (Yao)
        LWZ = ln(RSS / (n - p)) + 0.299 p ln(n)^2.1 / n       (Liu, Wu, Zidek)

    The second is stricter; serial correlation makes the first find too many breaks.

    Raises
    ------
    GrowthError
        If the series has gaps, or fewer than two segments' years.
    """
    _check(series, 2 * shortest)
    values = series.to_numpy(dtype=float)
    n = len(values)
    sums, squares = np.r_[0, values.cumsum()], np.r_[0, (values**2).cumsum()]

    def cost(i: int, j: int) -> float:
        """Squared deviations from the mean of values[i:j]."""
        return squares[j] - squares[i] - (sums[j] - sums[i]) ** 2 / (j - i)

    # best[m][j]: least cost of values[:j] with m breaks, and the place of the last one.
    best = [{j: (cost(0, j), None) for j in range(shortest, n + 1)}]
    for m in range(1, most + 1):
        row = {}
        for j in range((m + 1) * shortest, n + 1):
            options = [(best[m - 1][i][0] + cost(i, j), i) for i in range(m * shortest, j - shortest + 1)]
            row[j] = min(options)
        if n not in row:
            break
        best.append(row)
    rows = []
    for m in range(len(best)):
        places, end = [], n
        for k in range(m, 0, -1):
            end = best[k][end][1]
            places.append(int(series.index[end]))
        rss, p = max(best[m][n][0], 1e-12), 2 * m + 1
        rows.append(
            {
                "years": sorted(places),
                "rss": rss,
                "BIC": np.log(rss / n) + p * np.log(n) / n,
                "LWZ": np.log(rss / (n - p)) + 0.299 * p * np.log(n) ** 2.1 / n,
            }
        )
    criteria = pd.DataFrame(rows).rename_axis("breaks")
    return Breaks({name: criteria["years"][criteria[name].idxmin()] for name in ("BIC", "LWZ")}, criteria)


def real_level(growth: pd.Series, value: float, base: int) -> pd.Series:
    """Level at constant prices of `base` from growth rates: the value of that year, chained both ways.

    Parameters
    ----------
    growth : Series
        Real growth, per cent, without gaps; must cover the years from `base` + 1 on or up to `base`.
    value : float
        Level in the base year.

    Returns
    -------
    Series
        Indexed by year, from the year before the first growth rate.
    """
    _check(growth, 1)
    index = pd.concat([pd.Series({growth.index[0] - 1: 1.0}), (1 + growth / 100).cumprod()])
    if base not in index.index:
        raise GrowthError(f"The growth rates do not reach the base year {base}; choose one of their years.")
    return value * index / index[base]


def without(world: pd.Series, part: pd.Series, world_value: float, part_value: float, base: int) -> pd.Series:
    """Growth of the world without one of its parts.

    Both are chained to levels at prices of `base`; the difference of the levels is the rest of the world. This is
    how the World Bank adds up its world (constant dollars of 2015), so that the parts sum to the whole.

    Parameters
    ----------
    world, part : Series
        Real growth, per cent.
    world_value, part_value : float
        Levels in the base year, in one currency.

    Returns
    -------
    Series
        Growth of the rest, per cent, for the common years.
    """
    years = world.index.intersection(part.index)
    rest = real_level(world, world_value, base) - real_level(part, part_value, base)
    if (rest.dropna() <= 0).any():
        raise GrowthError("The part is larger than the whole in some year; check units and base year.")
    return (100 * rest.dropna().pct_change()).dropna().loc[years[0] : years[-1]]


def contributions(size: pd.Series, growth: pd.Series) -> pd.DataFrame:
    """Contribution of each economy to the growth of their sum.

    contribution_i = share_i of last year's total times growth_i, in percentage points; they add up to the growth
    of the sum. An economy without either figure is left out of the total.

    Parameters
    ----------
    size : Series
        Output of the year before, indexed by economy; its prices decide the weights (market rates, purchasing power).
    growth : Series
        Real growth in the year, per cent.

    Returns
    -------
    DataFrame
        Index: economy, largest contribution first; columns `weight` (per cent), `growth`, `contribution`
        (percentage points), `share` (per cent of the total growth).
    """
    frame = pd.concat([size, growth], axis=1, keys=["size", "growth"]).dropna()
    if frame.empty:
        raise GrowthError("No economy has both a size and a growth rate; choose a year with data.")
    frame["weight"] = 100 * frame["size"] / frame["size"].sum()
    frame["contribution"] = frame["weight"] * frame["growth"] / 100
    frame["share"] = 100 * frame["contribution"] / frame["contribution"].sum()
    order = frame["contribution"].sort_values(ascending=False).index
    return frame.loc[order, ["weight", "growth", "contribution", "share"]]


def forecast_errors(forecasts: pd.DataFrame, outturn: pd.DataFrame) -> pd.DataFrame:
    """Forecasts against what came, and against the forecast “as in the last year known”.

    Parameters
    ----------
    forecasts : DataFrame
        Columns `subject` (economy), `indicator`, `year`, `known` (last year whose value was known or
        estimated when the forecast was made), `forecast`.
    outturn : DataFrame
        Columns `subject`, `indicator`, `year`, `value`.

    Returns
    -------
    DataFrame
        The forecasts with `outturn`, `error` (forecast minus outturn), `naive` (the value of the year
        `known`) and `naive_error`.

    Raises
    ------
    GrowthError
        If an outturn is missing: a forecast must not be judged on half of the cases.
    """
    known = outturn.set_index(["subject", "indicator", "year"])["value"]
    out = forecasts.copy()
    try:
        keys = zip(out["subject"], out["indicator"], out["year"], strict=True)
        out["outturn"] = [known.at[key] for key in keys]
        keys = zip(out["subject"], out["indicator"], out["known"], strict=True)
        out["naive"] = [known.at[key] for key in keys]
    except KeyError as error:
        raise GrowthError(f"There is no outturn for {error.args[0]}; add it or leave the forecast out.") from None
    out["error"] = out["forecast"] - out["outturn"]
    out["naive_error"] = out["naive"] - out["outturn"]
    return out


def _check(series: pd.Series, least: int) -> None:
    if len(series) < least:
        raise GrowthError(f"The series has {len(series)} years; at least {least} are needed.")
    if series.isna().any() or (np.diff(series.index) != 1).any():
        raise GrowthError("The series has gaps; choose years without any.")
