"""Forecasts: by hand, against direct statsmodels calls, back-test bookkeeping, bad input."""

import warnings

import numpy as np
import pandas as pd
import pytest

import tradebook.forecast as forecast_module
from tradebook.errors import TradebookError
from tradebook.forecast import METHODS, ForecastInputError, accuracy, fit_forecast, rolling_origin

Z80, Z95 = 1.2815515655446004, 1.959963984540054


@pytest.fixture(scope="module")
def series():
    """Forty years of growth with shocks."""
    rng = np.random.default_rng(7)
    logs = 1 + np.cumsum(0.08 + 0.2 * rng.standard_normal(40))
    return pd.Series(np.exp(logs), index=range(1980, 2020))


@pytest.fixture(scope="module")
def errors(series):
    return rolling_origin(series, ("naive", "drift"), min_train=30, horizons=(1, 2, 5))


def test_naive_by_hand():
    values = pd.Series([1.0, 2.0] * 5, index=range(2001, 2011))
    table = fit_forecast(values, "naive", 4)
    assert list(table.year) == [2011, 2012, 2013, 2014]
    assert table["median"].to_list() == pytest.approx([2, 2, 2, 2])
    # Every yearly change is a doubling or halving: s = ln 2, and s_4 = 2 ln 2.
    assert table.upper_95[0] == pytest.approx(2 * 2**Z95)
    assert table.lower_80[3] == pytest.approx(2 / 4**Z80)
    assert table["mean"][0] == pytest.approx(2 * np.exp(np.log(2) ** 2 / 2))


def test_drift_is_the_line_through_first_and_last(series):
    table = fit_forecast(series, "drift", 6)
    slope = np.log(series.iloc[-1] / series.iloc[0]) / (len(series) - 1)
    line = np.log(series.iloc[-1]) + slope * np.arange(1, 7)
    np.testing.assert_allclose(np.log(table["median"]), line)
    changes = np.diff(np.log(series))
    s = np.sqrt(((changes - slope) ** 2).sum() / (len(changes) - 1))
    wanted = s * np.sqrt(6 * (1 + 6 / len(changes)))
    assert np.log(table.upper_95[5] / table["median"][5]) / Z95 == pytest.approx(wanted)


def test_drift_of_constant_growth_is_certain():
    values = pd.Series(100 * 1.05 ** np.arange(12), index=range(2000, 2012))
    table = fit_forecast(values, "drift", 3)
    wanted = 100 * 1.05 ** np.arange(12, 15)
    for column in ("median", "mean", "lower_95", "upper_95"):
        np.testing.assert_allclose(table[column], wanted)


def direct_ets(logs, level):
    """A plain statsmodels call on plain logarithms, searching from one smoothing level."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    model = ETSModel(pd.Series(logs), error="add", trend="add", damped_trend=True)
    start = model.start_params.copy()
    start[0] = level
    return model.fit(start_params=start, maxiter=500, disp=False)


@pytest.mark.parametrize(("seed", "winner"), [(10, 0.9), (2, 0.1)])
def test_ets_equals_the_best_of_two_statsmodels_searches(seed, winner):
    rng = np.random.default_rng(seed)
    logs = np.cumsum(0.1 + 0.2 * rng.standard_normal(30))
    series = pd.Series(np.exp(logs), index=range(1990, 2020))
    results = {level: direct_ets(logs, level) for level in (0.1, 0.9)}
    # Both cases have two peaks: one search stops at the lower one.
    assert max(results, key=lambda level: results[level].llf) == winner
    assert abs(results[0.1].llf - results[0.9].llf) > 1
    frame = results[winner].get_prediction(start=30, end=34).summary_frame(alpha=0.2)
    table = fit_forecast(series, "ets", 5)
    np.testing.assert_allclose(np.log(table["median"]), frame["mean"], rtol=1e-3)
    np.testing.assert_allclose(np.log(table.lower_80), frame["pi_lower"], rtol=1e-3)
    assert set(table.specification) == {"ETS(A,Ad,N)"} and set(table.note) == {""}


def test_arima_equals_statsmodels_and_has_the_lowest_aicc(series):
    from statsmodels.tsa.arima.model import ARIMA

    logs = np.log(series.to_numpy())
    candidates = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for p in (0, 1):
            for q in (0, 1):
                for trend, tail in (("n", ""), ("t", " with drift")):
                    result = ARIMA(logs, order=(p, 1, q), trend=trend).fit()
                    candidates[f"ARIMA({p},1,{q}){tail}"] = result
    table = fit_forecast(series, "arima", 5)
    chosen = table.specification[0]
    best = min(result.aicc for result in candidates.values())
    assert candidates[chosen].aicc <= best + 0.0101
    direct = candidates[chosen].get_forecast(5)
    bounds = direct.conf_int(alpha=0.05)
    np.testing.assert_allclose(np.log(table["median"]), direct.predicted_mean, rtol=1e-4)
    np.testing.assert_allclose(np.log(table.lower_95), bounds[:, 0], rtol=1e-4)
    np.testing.assert_allclose(np.log(table.upper_95), bounds[:, 1], rtol=1e-4)


def test_combination_averages_logarithms_of_medians_and_bounds(series):
    members = [fit_forecast(series, method, 3) for method in METHODS[:-1]]
    table = fit_forecast(series, "combination", 3)
    for column in ("median", "lower_80", "upper_95"):
        wanted = np.exp(np.mean([np.log(member[column]) for member in members], axis=0))
        np.testing.assert_allclose(table[column], wanted)


@pytest.mark.parametrize("method", METHODS)
def test_intervals_are_nested_widen_and_repeat_exactly(series, method):
    table = fit_forecast(series, method, 8)
    assert (table.lower_95 < table.lower_80).all() and (table.lower_80 < table["median"]).all()
    assert (table["median"] < table["mean"]).all()
    assert (table["median"] < table.upper_80).all() and (table.upper_80 < table.upper_95).all()
    width = np.log(table.upper_80 / table.lower_80)
    assert (np.diff(width) > 0).all()
    pd.testing.assert_frame_equal(table, fit_forecast(series, method, 8), check_exact=True)


@pytest.mark.parametrize("method", METHODS)
def test_forecasts_scale_with_the_unit(series, method):
    """Optimisers see standardised logarithms, so dollars and billions give the same forecast."""
    one, thousand = fit_forecast(series, method, 3), fit_forecast(series * 1000, method, 3)
    np.testing.assert_allclose(thousand["median"], 1000 * one["median"], rtol=1e-6)


def test_levels_can_be_chosen(series):
    table = fit_forecast(series, "naive", 1, level=(50, 99.5))
    assert {"lower_50", "upper_50", "lower_99.5", "upper_99.5"} <= set(table)
    assert "lower_80" not in table


def test_rolling_origin_counts_and_uses_the_past_only(series, errors):
    # Origins 2009 (30 years) to 2018; horizon 5 can be scored from 2009 to 2014 only.
    counts = errors.groupby(["method", "horizon"]).size()
    assert counts.to_dict() == {(method, h): n for method in ("naive", "drift") for h, n in ((1, 10), (2, 9), (5, 6))}
    assert errors.origin.min() == 2009 and errors.year.max() == 2019
    assert (errors.year == errors.origin + errors.horizon).all()
    changed = series.copy()
    changed.loc[2015:] *= 10
    again = rolling_origin(changed, ("naive", "drift"), min_train=30, horizons=(1, 2, 5))
    early = errors.origin < 2015
    np.testing.assert_array_equal(again.forecast[early], errors.forecast[early])
    assert (again.actual != errors.actual)[errors.year >= 2015].all()


def test_rolling_origin_row_by_hand(series, errors):
    row = errors[(errors.method == "naive") & (errors.origin == 2012) & (errors.horizon == 2)]
    row = row.iloc[0]
    assert row.forecast == pytest.approx(series[2012])
    assert row.actual == pytest.approx(series[2014])
    assert row.log_error == pytest.approx(np.log(series[2014] / series[2012]))
    changes = np.abs(np.diff(np.log(series.loc[:2012])))
    assert row.scaled_error == pytest.approx(abs(row.log_error) / changes.mean())
    table = fit_forecast(series.loc[:2012], "naive", 2)
    assert row.inside_80 == (table.lower_80[1] <= series[2014] <= table.upper_80[1])


def test_chosen_origins(series):
    table = rolling_origin(series, ("drift",), origins=[2010], horizons=range(1, 20))
    assert list(table.year) == list(range(2011, 2020))
    assert set(table.origin) == {2010}


def test_accuracy_by_hand():
    rows = pd.DataFrame(
        {
            "method": ["naive", "naive", "drift", "drift"],
            "horizon": 1,
            "actual": [100.0, 200.0, 100.0, 200.0],
            "forecast": [80.0, 250.0, 100.0, 160.0],
            "inside_80": [True, False, True, True],
            "inside_95": [True, True, True, True],
        }
    )
    rows["log_error"] = np.log(rows.actual / rows.forecast)
    rows["scaled_error"] = rows.log_error.abs() / 0.1
    table = accuracy(rows)
    naive, drift = table.iloc[0], table.iloc[1]
    assert list(table.method) == ["naive", "drift"] and list(table.n) == [2, 2]
    assert (naive.mape, drift.mape) == pytest.approx((22.5, 10))
    assert naive.smape == pytest.approx((200 * 20 / 180 + 200 * 50 / 450) / 2)
    e = np.log(1.25)  # all the non-zero errors are this large
    assert (naive.rmse_log, drift.rmse_log) == pytest.approx((e, e / np.sqrt(2)))
    assert (naive.mase, drift.mase) == pytest.approx((e / 0.1, e / 0.2))
    assert (naive.relative_mae, drift.relative_mae) == pytest.approx((1, 0.5))
    assert list(table.coverage_80) == [50, 100] and list(table.coverage_95) == [100, 100]
    assert accuracy(rows[rows.method == "drift"]).relative_mae.isna().all()
    overall = accuracy(rows, by=["method"])
    assert overall.relative_mae.to_list() == pytest.approx([1, 0.5])
    with pytest.raises(ForecastInputError, match="groups by method first"):
        accuracy(rows, by=["horizon"])


def test_accuracy_of_naive_relative_to_itself_is_one_at_every_horizon(errors):
    table = accuracy(errors)
    assert (table[table.method == "naive"].relative_mae == 1).all()
    drift, naive = (table[table.method == m].set_index("horizon") for m in ("drift", "naive"))
    np.testing.assert_allclose(drift.relative_mae, drift.mase / naive.mase, rtol=0.2)


@pytest.mark.parametrize("method", ["ets", "arima"])
def test_a_model_that_does_not_converge_is_replaced_and_says_so(series, method, monkeypatch):
    monkeypatch.setattr(forecast_module, "_converged", lambda result: False)
    table = fit_forecast(series, method, 3)
    drift = fit_forecast(series, "drift", 3)
    np.testing.assert_array_equal(table["median"], drift["median"])
    assert set(table.note) == {f"{method} did not converge: replaced by drift"}
    assert set(table.specification) == {"random walk with drift"}


@pytest.mark.parametrize("method", METHODS[1:4])
def test_constant_growth_continues(method):
    values = pd.Series(100 * 1.05 ** np.arange(12), index=range(2000, 2012))
    table = fit_forecast(values, method, 3)
    np.testing.assert_allclose(table["median"], 100 * 1.05 ** np.arange(12, 15))
    wanted = "" if method == "drift" else f"{method} has no variation to learn from: "
    assert table.note[0].startswith(wanted)


def without(year):
    return lambda s: s.drop(year)


def with_value(year, value):
    return lambda s: s.where(s.index != year, value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without(1999), "has no value for 1999: start it after the gap"),
        (with_value(1998, np.nan), "has no value for 1998"),
        (lambda s: s.drop(range(1990, 1999)), "1990, 1991, 1992, 1993, 1994 and more"),
        (with_value(2001, 0.0), "value of 2001 is not a positive number"),
        (with_value(2001, -5.0), "value of 2001 is not a positive number"),
        (with_value(2001, np.inf), "value of 2001 is not a positive number"),
        (lambda s: s.loc[:1988], "has 9 years; a forecast needs at least 10"),
        (lambda s: s.iloc[:0], "has 0 years"),
        (lambda s: s.sort_index(ascending=False), "must rise and not repeat"),
        (lambda s: pd.concat([s, s.tail(1)]), "must rise and not repeat"),
        (lambda s: s.set_axis([f"y{k}" for k in range(len(s))]), "indexed by whole years"),
        (lambda s: list(s), "indexed by whole years"),
    ],
)
def test_bad_series_get_one_clear_sentence(series, change, message):
    with pytest.raises(ForecastInputError, match=message) as error:
        fit_forecast(change(series), "naive", 1)
    assert isinstance(error.value, TradebookError)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: fit_forecast(s, "prophet", 1), "Unknown method 'prophet'"),
        (lambda s: fit_forecast(s, "naive", 0), "1 or more"),
        (lambda s: fit_forecast(s, "naive", 1, level=(0.8, 120)), "between 0 and 100"),
        (lambda s: rolling_origin(s, ()), "none given"),
        (lambda s: rolling_origin(s, horizons=()), "1 or more"),
        (lambda s: rolling_origin(s, min_train=5), "must be at least 10"),
        (lambda s: rolling_origin(s, min_train=40), "No origin leaves a year to score"),
        (lambda s: rolling_origin(s, origins=[1985]), "use 1989 or later"),
    ],
)
def test_bad_requests_get_one_clear_sentence(series, call, message):
    with pytest.raises(ForecastInputError, match=message):
        call(series)
