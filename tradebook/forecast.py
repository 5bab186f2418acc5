"""Forecasts of a short annual series of positive values, with back-tests.

Every method works on natural logarithms and treats the h-step forecast of the logarithm as normal
with mean m_h and standard deviation s_h. Transformed back, exp(m_h) is the *median*,
exp(m_h + s_h^2 / 2) the *mean*, and exp(m_h -/+ z s_h) the prediction interval; half of the
outcomes are expected on either side of the median, which is therefore the point forecast.
The intervals assume normal, equally spread yearly shocks and, drift apart, take the estimated
parameters as known: on 30-50 annual points their nominal coverage is a hope, not a fact.
`rolling_origin` and `accuracy` measure it.

Methods (Hyndman and Athanasopoulos 2021, https://otexts.com/fpp3/)
-------------------------------------------------------------------
naive        random walk: tomorrow as today.
drift        random walk with drift: the line through the first and the last logarithm.
ets          Holt's linear trend with damping, additive errors: ETS(A,Ad,N), by `statsmodels`,
             the highest likelihood reached from three starting values.
arima        ARIMA(p,1,q), p and q in {0, 1}, with and without drift, by `statsmodels`: the fewest
             parameters among those within 0.01 of the lowest AICc.
combination  average of m_h and s_h of the methods above (equal weights, quantiles averaged).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from tradebook.errors import TradebookError
from tradebook.stored import stored

METHODS = ("naive", "drift", "ets", "arima", "combination")
MIN_YEARS = 10
_MEMBERS = METHODS[:-1]
# (p, q, drift), fewest parameters first. One difference throughout: AICc cannot compare models of
# differently differenced data.
_ARIMA_GRID = sorted(((p, q, drift) for p in (0, 1) for q in (0, 1) for drift in (False, True)), key=sum)
# A tie within this margin is broken by simplicity, not by the last digits of an optimiser.
_AICC_TIE = 0.01
LEVELS = (80, 95)  # coverage of prediction intervals in per cent, unless others are asked for
# Starting values of the smoothing level. The likelihood often has two peaks, a fixed trend (level
# near 0) and a random walk (level near 1), and a search climbs the nearer one.
_ETS_STARTS = (0.1, 0.5, 0.9)
_LIKELIHOOD_TIE = 0.001
_MAX_ITERATIONS = 500


class ForecastInputError(TradebookError):
    """The series or the request cannot be forecast."""


@dataclass(frozen=True)
class _LogForecast:
    """Means and standard deviations of the logarithm 1..h years ahead."""

    mean: np.ndarray
    sd: np.ndarray
    specification: str
    note: str = ""


@stored("statsmodels")
def fit_forecast(series: pd.Series, method: str, horizon: int, level: Sequence[float] = LEVELS) -> pd.DataFrame:
    """Forecast a series `horizon` years ahead.

    Parameters
    ----------
    series : positive values indexed by consecutive years, at least `MIN_YEARS` of them.
    method : one of `METHODS`.
    horizon : number of years to forecast.
    level : coverage of the prediction intervals in per cent.

    Returns
    -------
    year, method, median, mean, lower_80, upper_80, lower_95, upper_95 (a pair for each level, in
    the unit of the series), specification (the model fitted) and note (empty, or what had to be
    replaced because an estimate did not converge).

    Raises
    ------
    ForecastInputError : years missing or repeated, a value that is not positive, too few years,
        an unknown method, a horizon or level that makes no sense.
    """
    values = _checked(series)
    _check_request([method], [horizon], level)
    forecast = _forecast_all(np.log(values), [method], horizon)[method]
    table = pd.DataFrame(
        {
            "year": int(series.index[-1]) + np.arange(1, horizon + 1),
            "method": method,
            "median": np.exp(forecast.mean),
            "mean": np.exp(forecast.mean + forecast.sd**2 / 2),
        }
    )
    for percent in level:
        lower, upper = _interval(forecast.mean, forecast.sd, percent)
        table[f"lower_{percent:g}"], table[f"upper_{percent:g}"] = np.exp(lower), np.exp(upper)
    return table.assign(specification=forecast.specification, note=forecast.note)


@stored("statsmodels")
def rolling_origin(
    series: pd.Series,
    methods: Sequence[str] = METHODS,
    min_train: int = 20,
    horizons: Iterable[int] = (1, 2, 3, 4, 5),
    *,
    origins: Iterable[int] | None = None,
    level: Sequence[float] = LEVELS,
) -> pd.DataFrame:
    """Forecast from many past years and compare with what happened.

    At every origin each method sees the series up to that year only; models, orders and
    parameters are chosen anew.

    Parameters
    ----------
    series, level : as in `fit_forecast`.
    methods : the methods to compare.
    min_train : years that the first training sample has; later ones grow by a year each.
    horizons : years ahead to score.
    origins : last training years to use instead of all (for example ``[2017]``).

    Returns
    -------
    One row per method, origin and horizon that the series can score: method, origin, horizon,
    year, actual, forecast (the median), log_error = ln(actual / forecast), scaled_error =
    |log_error| / mean |yearly change of the logarithm| in the training sample, inside_80,
    inside_95, specification, note.
    """
    values = _checked(series)
    horizons = sorted(set(horizons))
    _check_request(methods, horizons, level)
    first, last = int(series.index[0]), int(series.index[-1])
    if min_train < MIN_YEARS:
        raise ForecastInputError(f"min_train is {min_train}; it must be at least {MIN_YEARS}.")
    if origins is None:
        origins = range(first + min_train - 1, last)
    origins = [o for o in sorted(set(origins)) if o + horizons[0] <= last]
    if not origins:
        raise ForecastInputError(
            f"No origin leaves a year to score in {first}-{last}: give a smaller min_train or earlier origins."
        )
    if origins[0] - first + 1 < MIN_YEARS:
        raise ForecastInputError(
            f"Origin {origins[0]} leaves fewer than {MIN_YEARS} years to learn from: "
            f"use {first + MIN_YEARS - 1} or later."
        )
    logs = np.log(values)
    rows = []
    for origin in origins:
        train = logs[: origin - first + 1]
        scale = np.abs(np.diff(train)).mean()
        forecasts = _forecast_all(train, methods, horizons[-1])
        for method in methods:
            forecast = forecasts[method]
            for h in horizons:
                if origin + h > last:
                    continue
                mean, sd = forecast.mean[h - 1], forecast.sd[h - 1]
                actual = logs[origin + h - first]
                row = {
                    "method": method,
                    "origin": origin,
                    "horizon": h,
                    "year": origin + h,
                    "actual": np.exp(actual),
                    "forecast": np.exp(mean),
                    "log_error": actual - mean,
                    "scaled_error": abs(actual - mean) / scale,
                }
                for percent in level:
                    lower, upper = _interval(mean, sd, percent)
                    row[f"inside_{percent:g}"] = bool(lower <= actual <= upper)
                row |= {"specification": forecast.specification, "note": forecast.note}
                rows.append(row)
    return pd.DataFrame(rows)


def accuracy(errors: pd.DataFrame, by: Sequence[str] = ("method", "horizon")) -> pd.DataFrame:
    """Summarise the errors of `rolling_origin`.

    Formulas (Hyndman and Koehler 2006, doi:10.1016/j.ijforecast.2006.03.001); y actual, f median
    forecast, e = ln(y / f), averages over the rows of a group:

    - mape: mean 100 |y - f| / y; smape: mean 200 |y - f| / (y + f), both in per cent;
    - rmse_log: square root of the mean e^2 (0.1 is about 10 per cent);
    - mase: mean |e| / mean |yearly change of ln y| in training; below 1, the forecast errs less
      than the average yearly change within the training years;
    - relative_mae: mean |e| / mean |e| of the naive method in the same group; below 1 beats naive
      (empty if `errors` holds no naive forecast);
    - coverage_80, coverage_95: per cent of outcomes inside the interval; the name says the target.

    Parameters
    ----------
    errors : the result of `rolling_origin`.
    by : grouping columns; the first is "method".
    """
    by = list(by)
    if by[:1] != ["method"]:
        raise ForecastInputError("accuracy groups by method first: give by=('method', ...).")
    gap = (errors.actual - errors.forecast).abs()
    scored = errors.assign(
        ape=100 * gap / errors.actual,
        sape=200 * gap / (errors.actual + errors.forecast),
        absolute=errors.log_error.abs(),
        squared=errors.log_error**2,
    )
    order = list(dict.fromkeys(errors.method))
    scored["method"] = pd.Categorical(scored.method, order)
    groups = scored.groupby(by, observed=True)
    means = groups[["ape", "sape", "squared", "scaled_error", "absolute"]].mean()
    absolute = means["absolute"]
    if "naive" not in order:
        relative = np.nan
    elif by == ["method"]:
        relative = absolute / absolute["naive"]
    else:
        naive = absolute.xs("naive", level="method")
        relative = absolute / naive.reindex(absolute.index.droplevel("method")).to_numpy()
    table = pd.DataFrame(
        {
            "n": groups.size(),
            "mape": means.ape,
            "smape": means.sape,
            "rmse_log": np.sqrt(means.squared),
            "mase": means.scaled_error,
            "relative_mae": relative,
        }
    )
    for column in [c for c in errors if c.startswith("inside_")]:
        table[column.replace("inside", "coverage")] = 100 * groups[column].mean()
    return table.reset_index().astype({"method": object})


def _forecast_all(logs: np.ndarray, methods: Sequence[str], horizon: int) -> dict:
    """Fit each method once; a combination re-uses its members."""
    wanted = _MEMBERS if "combination" in methods else methods
    fitters = {"naive": _naive, "drift": _drift, "ets": _ets, "arima": _arima}
    # One BLAS thread: the matrices are tiny, so that threads only wait for each other (many times
    # slower on a busy machine), and sums in one order are the same on every run.
    with threadpool_limits(limits=1):
        forecasts = {method: fitters[method](logs, horizon) for method in wanted}
    if "combination" in methods:
        members = [forecasts[method] for method in _MEMBERS]
        forecasts["combination"] = _LogForecast(
            np.mean([m.mean for m in members], axis=0),
            np.mean([m.sd for m in members], axis=0),
            "mean of " + ", ".join(_MEMBERS),
            "; ".join(m.note for m in members if m.note),
        )
    return forecasts


def _naive(logs: np.ndarray, horizon: int) -> _LogForecast:
    """Random walk; s_h = s sqrt(h), s^2 the mean squared yearly change."""
    steps = np.arange(1, horizon + 1)
    sd = np.sqrt(np.mean(np.diff(logs) ** 2))
    return _LogForecast(np.full(horizon, logs[-1]), sd * np.sqrt(steps), "random walk")


def _drift(logs: np.ndarray, horizon: int) -> _LogForecast:
    """Random walk with drift; s_h = s sqrt(h (1 + h / (T - 1))), s on T - 2 degrees of freedom."""
    steps = np.arange(1, horizon + 1)
    changes = np.diff(logs)
    sd = changes.std(ddof=1) * np.sqrt(steps * (1 + steps / len(changes)))
    return _LogForecast(logs[-1] + steps * changes.mean(), sd, "random walk with drift")


def _ets(logs: np.ndarray, horizon: int) -> _LogForecast:
    """ETS(A,Ad,N) by maximum likelihood, exact variance formula."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    standard, shift, scale = _standardised(logs)
    if scale == 0:
        return _replaced(logs, horizon, "ets has no variation to learn from")
    model = ETSModel(pd.Series(standard), error="add", trend="add", damped_trend=True)
    with warnings.catch_warnings():
        # Convergence is read from the results below, and a failure is reported in `note`.
        warnings.simplefilter("ignore")
        results = [
            model.fit(
                start_params=np.r_[level, model.start_params[1:]],
                maxiter=_MAX_ITERATIONS,
                disp=False,
            )
            for level in _ETS_STARTS
        ]
    results = [result for result in results if _converged(result)]
    if not results:
        return _replaced(logs, horizon, "ets did not converge")
    # The first of equally good ones, so that the choice does not hang on the last digits.
    best = max(result.llf for result in results)
    result = next(result for result in results if result.llf >= best - _LIKELIHOOD_TIE)
    frame = result.get_prediction(start=len(logs), end=len(logs) + horizon - 1).summary_frame(alpha=0.05)
    mean = frame["mean"].to_numpy()
    sd = (frame["pi_upper"].to_numpy() - mean) / NormalDist().inv_cdf(0.975)
    return _LogForecast(shift + scale * mean, scale * sd, "ETS(A,Ad,N)")


def _arima(logs: np.ndarray, horizon: int) -> _LogForecast:
    """The best ARIMA(p,1,q) of the grid by AICc among those that converge."""
    from statsmodels.tsa.arima.model import ARIMA

    standard, shift, scale = _standardised(logs)
    if scale == 0:
        return _replaced(logs, horizon, "arima has no variation to learn from")
    fitted, failed = [], []
    for p, q, drift in _ARIMA_GRID:
        name = f"ARIMA({p},1,{q}){' with drift' if drift else ''}"
        model = ARIMA(standard, order=(p, 1, q), trend="t" if drift else "n")
        with warnings.catch_warnings():
            # As in _ets: convergence is read from the result. Starting values outside the
            # stationary region also warn, and do no harm.
            warnings.simplefilter("ignore")
            # cov_type: the covariance of the estimates is not used, and costs most of the time.
            result = model.fit(cov_type="none", method_kwargs={"maxiter": _MAX_ITERATIONS})
            if not _converged(result):
                # The gradient method can stop at the optimum without recognising it.
                result = model.fit(
                    start_params=result.params,
                    cov_type="none",
                    method_kwargs={"method": "nm", "maxiter": 10 * _MAX_ITERATIONS},
                )
        if _converged(result):
            fitted.append((result.aicc, name, result))
        else:
            failed.append(name)
    if not fitted:
        return _replaced(logs, horizon, "arima did not converge")
    best = min(aicc for aicc, _, _ in fitted)
    _, name, result = next(candidate for candidate in fitted if candidate[0] <= best + _AICC_TIE)
    forecast = result.get_forecast(horizon)
    note = f"not converged and left out: {', '.join(failed)}" if failed else ""
    return _LogForecast(shift + scale * forecast.predicted_mean, scale * forecast.se_mean, name, note)


def _standardised(logs: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Logarithms from zero in units of the standard deviation of their yearly changes.

    Optimisers then see the same numbers whatever the unit of the series. The scale is 0 when
    growth is constant, so that there is nothing to estimate.
    """
    changes = np.diff(logs)
    if np.ptp(changes) < 1e-9:
        return logs - logs[0], logs[0], 0.0
    scale = changes.std(ddof=1)
    return (logs - logs[0]) / scale, logs[0], scale


def _converged(result) -> bool:
    """Whether the optimiser of a `statsmodels` result reports success with a finite likelihood."""
    returned = result.mle_retvals
    converged = returned["converged"] if isinstance(returned, dict) else returned.converged
    return bool(converged) and bool(np.isfinite(result.llf))


def _replaced(logs: np.ndarray, horizon: int, reason: str) -> _LogForecast:
    """Drift in place of a model that could not be estimated, said so in the note."""
    drift = _drift(logs, horizon)
    return _LogForecast(drift.mean, drift.sd, drift.specification, f"{reason}: replaced by drift")


def _interval(mean, sd, percent: float):
    z = NormalDist().inv_cdf(0.5 + percent / 200)
    return mean - z * sd, mean + z * sd


def _checked(series: pd.Series) -> np.ndarray:
    """Return the values, or say in one sentence what is wrong with the series."""
    if not isinstance(series, pd.Series) or not pd.api.types.is_integer_dtype(series.index):
        raise ForecastInputError("The series must be a pandas Series indexed by whole years.")
    years = series.index
    if not (years.is_unique and years.is_monotonic_increasing):
        raise ForecastInputError("The years of the series must rise and not repeat: sort them.")
    values = pd.to_numeric(series, errors="coerce").to_numpy(float)
    holes = set(years[np.isnan(values)])
    if len(years):
        holes |= set(range(int(years[0]), int(years[-1]) + 1)) - set(years)
    if holes:
        listed = ", ".join(str(int(year)) for year in sorted(holes)[:5])
        raise ForecastInputError(
            f"The series has no value for {listed}{' and more' if len(holes) > 5 else ''}: start "
            "it after the gap, because nothing is interpolated here."
        )
    if len(values) < MIN_YEARS:
        raise ForecastInputError(f"The series has {len(values)} years; a forecast needs at least {MIN_YEARS}.")
    if not (np.isfinite(values).all() and (values > 0).all()):
        bad = int(years[~(np.isfinite(values) & (values > 0))][0])
        raise ForecastInputError(
            f"The value of {bad} is not a positive number, and logarithms are used: check the data."
        )
    return values


def _check_request(methods: Sequence[str], horizons: Sequence[int], level: Sequence[float]) -> None:
    unknown = [method for method in methods if method not in METHODS]
    if unknown or not methods:
        raise ForecastInputError(
            f"Unknown method {', '.join(map(repr, unknown)) or '(none given)'}: use {', '.join(METHODS)}."
        )
    if not horizons or min(horizons) < 1:
        raise ForecastInputError("A horizon must be a whole number of years, 1 or more.")
    if not level or not all(0 < percent < 100 for percent in level):
        raise ForecastInputError("A level is a percentage between 0 and 100, such as 80 or 95.")
