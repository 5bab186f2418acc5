"""What happened to one series after an event, against stated counterfactuals.

Two counterfactuals: the unit's own past carried on (`extrapolate`), and other units (`synthetic`).
Neither is proof. With one treated unit and a handful of years the honest answer is an interval and
a rank, and `placebo_units` and `placebo_years` show what the same method finds where nothing
happened.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import optimize, stats

from tradebook.errors import TradebookError

__all__ = [
    "EventStudyError", "Synthetic", "extrapolate", "growth_change", "placebo_units",
    "placebo_years", "synthetic",
]  # fmt: skip

LEVEL = 0.95  # of the intervals, unless another one is asked for


class EventStudyError(TradebookError):
    """Too few years or units for an event study, or values that have no logarithm."""


def _logs(values: pd.Series | pd.DataFrame) -> pd.Series | pd.DataFrame:
    if (values <= 0).to_numpy().any():
        raise EventStudyError("An event study in logarithms needs positive values; use another measure.")
    return np.log(values)


def extrapolate(values: pd.Series, event: int, level: float = LEVEL, least: int = 4) -> pd.DataFrame:
    """The trend before an event, carried on, with its prediction interval.

    ln y_t = a + b t + e, ordinary least squares on the n years before `event`; for a later year the
    interval is a + b t ± q s sqrt(1 + 1/n + (t - t̄)² / S_tt), q the Student quantile with n - 2
    degrees of freedom. It assumes independent errors of equal size around one straight line; both
    assumptions make it too narrow far from the data.

    Parameters
    ----------
    values : Series
        Index: year; positive; years may be missing.
    event : int
        First year that the event can have touched.
    level : float
        Probability of the interval.
    least : int
        Fewest years before the event.

    Returns
    -------
    DataFrame
        Index: every year of `values`: `actual`, `expected`, `lower`, `upper`, `gap` (actual over
        expected - 1, per cent) and `inside`.

    Raises
    ------
    EventStudyError
        With fewer than `least` years before the event or none after, or values that are not
        positive.
    """
    values = values.dropna().sort_index()
    before = values[values.index < event]
    if len(before) < max(least, 3) or len(before) == len(values):
        raise EventStudyError(
            f"There are {len(before)} years before {event} and {len(values) - len(before)} from then on; "
            f"give at least {max(least, 3)} before and one after."
        )
    t, y = before.index.to_numpy(float), _logs(before).to_numpy()
    fit = stats.linregress(t, y)
    n, spread = len(t), ((t - t.mean()) ** 2).sum()
    scale = np.sqrt(((y - fit.intercept - fit.slope * t) ** 2).sum() / (n - 2))
    years = values.index.to_numpy(float)
    middle = fit.intercept + fit.slope * years
    reach = stats.t.ppf(0.5 + level / 2, n - 2) * scale * np.sqrt(1 + 1 / n + (years - t.mean()) ** 2 / spread)
    frame = pd.DataFrame(
        {
            "actual": values.to_numpy(),
            "expected": np.exp(middle),
            "lower": np.exp(middle - reach),
            "upper": np.exp(middle + reach),
        },
        index=values.index,
    )
    frame["gap"] = 100 * (frame["actual"] / frame["expected"] - 1)
    frame["inside"] = frame["actual"].between(frame["lower"], frame["upper"])
    return frame


def placebo_years(values: pd.Series, event: int, horizon: int = 1, least: int = 4) -> pd.DataFrame:
    """The same extrapolation, pretending that the event came earlier.

    Returns
    -------
    DataFrame
        Index: pretended event year; `year` (pretended + horizon - 1), `actual`, `expected`, `gap`
        and `inside` of that year. Only years before the true event are used.
    """
    past = values.dropna().sort_index()
    past = past[past.index < event]
    rows = {}
    for fake in past.index[least:]:
        year = fake + horizon - 1
        if year in past.index:
            rows[int(fake)] = extrapolate(past.loc[:year], int(fake), least=least).loc[year]
    columns = ["actual", "expected", "gap", "inside"]
    frame = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns)
    frame.insert(0, "year", frame.index + horizon - 1)
    return frame.rename_axis("pretended")


def growth_change(panel: pd.DataFrame, event: int, window: int = 5) -> pd.DataFrame:
    """Average growth of each unit before and after an event: no weights and no trend.

    The last `window` steps up to the year before the event against all steps after it, in
    logarithms; units with a gap in these years are left out.

    Returns
    -------
    DataFrame
        Index: unit: `before`, `after`, `change` (per cent a year, percentage points), the largest
        fall first.
    """
    years = panel.index[panel.index < event][-(window + 1) :].union(panel.index[panel.index >= event])
    chosen = panel.loc[years].dropna(axis=1)
    if event - 1 not in chosen.index or len(chosen.columns) < 2 or (chosen.index >= event).sum() < 1:
        raise EventStudyError(
            f"Fewer than two units have every year around {event}; choose another event or a shorter window."
        )
    logs = _logs(chosen)
    start, base, end = logs.index[0], event - 1, logs.index[-1]
    frame = pd.DataFrame(
        {
            "before": 100 * np.expm1((logs.loc[base] - logs.loc[start]) / (base - start)),
            "after": 100 * np.expm1((logs.loc[end] - logs.loc[base]) / (end - base)),
        }
    )
    frame["change"] = frame["after"] - frame["before"]
    return frame.sort_values("change")


class Synthetic:
    """A weighted mean of other units that follows one unit before an event.

    Attributes
    ----------
    weights : Series
        Non-negative, sum 1; index: unit.
    path : DataFrame
        Index year: `actual`, `synthetic` (both with the last year before the event as 100) and
        `gap` (per cent of synthetic).
    fit : float
        Root mean squared gap before the event, log points times 100.
    ratio : float
        The same after the event divided by `fit`.
    """

    def __init__(self, weights: pd.Series, path: pd.DataFrame, event: int) -> None:
        self.weights, self.path = weights, path
        gaps = 100 * np.log(path["actual"] / path["synthetic"])
        before, after = gaps[gaps.index < event], gaps[gaps.index >= event]
        # The base year is 100 for both by construction and says nothing about the fit.
        before = before.iloc[:-1]
        self.fit = float(np.sqrt((before**2).mean()))
        self.ratio = float(np.sqrt((after**2).mean()) / self.fit)


def synthetic(panel: pd.DataFrame, unit: str, event: int, least: int = 4) -> Synthetic:
    """Synthetic control on indexed logarithms (Abadie, Diamond and Hainmueller 2010).

    Each series is set to 0 in the last year before the event, in logarithms; the weights w ≥ 0,
    Σ w = 1 minimise the squared distance between `unit` and the weighted mean of the others over
    the years before the event.

    Parameters
    ----------
    panel : DataFrame
        Index: year; columns: units. Only years that the unit has, and other units without a gap in
        them, are used.
    unit : str
        The treated one.
    event : int
        First year that the event can have touched.
    least : int
        Fewest years before the event.

    Raises
    ------
    EventStudyError
        If fewer than two other units are complete, or years are too few.
    """
    if unit not in panel:
        raise EventStudyError(f"“{unit}” is not in the panel; choose one of {', '.join(map(str, panel))}.")
    own = panel.loc[panel[unit].notna()]
    own = own.dropna(axis=1)
    others = own.drop(columns=unit)
    before = own.index < event
    if len(others.columns) < 2 or before.sum() < least or before.all():
        raise EventStudyError(
            f"{unit} has {int(before.sum())} years before {event}, {int((~before).sum())} from then on and "
            f"{len(others.columns)} complete peers; at least {least}, one and two are needed."
        )
    base = own.index[before][-1]
    logs = _logs(own) - _logs(own).loc[base]
    target, donors = logs.loc[before, unit].to_numpy(), logs.loc[before, others.columns].to_numpy()
    count = donors.shape[1]
    solved = optimize.minimize(
        lambda w: ((target - donors @ w) ** 2).sum(),
        np.full(count, 1 / count),
        jac=lambda w: -2 * donors.T @ (target - donors @ w),
        bounds=[(0, 1)] * count,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(count)},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    if not solved.success:
        raise EventStudyError(f"The weights of {unit} could not be found ({solved.message}); use other peers.")
    weights = pd.Series(np.clip(solved.x, 0, None) / np.clip(solved.x, 0, None).sum(), index=others.columns)
    made = logs[others.columns].to_numpy() @ weights.to_numpy()
    path = pd.DataFrame({"actual": 100 * np.exp(logs[unit]), "synthetic": 100 * np.exp(made)}, index=own.index)
    path["gap"] = 100 * (path["actual"] / path["synthetic"] - 1)
    return Synthetic(weights.round(6), path, event)


def placebo_units(panel: pd.DataFrame, unit: str, event: int) -> pd.DataFrame:
    """The same synthetic control for every unit of the panel, as if each had been treated.

    Returns
    -------
    DataFrame
        Index: unit, the treated one first: `fit`, `ratio`, `last_gap` (per cent, last year) and
        `rank` of the ratio from above. The smallest p-value that m units allow is 1/m: `attrs` has
        `p_value` = rank of the treated unit / m and `smallest` = 1/m.
    """
    own = panel.loc[panel[unit].notna()].dropna(axis=1)
    rows = {}
    for name in [unit, *[c for c in own if c != unit]]:
        pool = own if name == unit else own.drop(columns=unit)
        if len(pool.columns) < 3:
            continue
        made = synthetic(pool, name, event)
        rows[name] = (made.fit, made.ratio, made.path["gap"].iloc[-1])
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["fit", "ratio", "last_gap"])
    frame["rank"] = frame["ratio"].rank(ascending=False).astype(int)
    frame.attrs = {"p_value": frame.loc[unit, "rank"] / len(frame), "smallest": 1 / len(frame)}
    return frame
