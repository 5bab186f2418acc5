"""Trends, breaks, contributions and elasticities against hand-computed cases and independent ways."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradebook import growth
from tradebook.growth import GrowthError

quick = settings(derandomize=True, max_examples=40, deadline=None)


def years(values, first=1961) -> pd.Series:
    return pd.Series(np.asarray(values, dtype=float), index=range(first, first + len(values)))


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


# --- trend ----------------------------------------------------------------------------------------


def test_an_exact_line_gives_its_slope_without_error():
    fit = growth.trend(years(3 - 0.05 * np.arange(30)))
    assert fit.value == pytest.approx(-0.05)
    assert fit.low == pytest.approx(-0.05, abs=1e-9) and fit.high == pytest.approx(-0.05, abs=1e-9)
    assert (fit.n, fit.lags) == (30, 3)


def test_newey_west_errors_equal_the_formula_written_out():
    series, lags = years(noise(40) + 0.02 * np.arange(40)), 3
    x = series.index.to_numpy(dtype=float) - series.index.to_numpy(dtype=float).mean()
    design = np.column_stack([np.ones(40), x])
    coefficients, *_ = np.linalg.lstsq(design, series.to_numpy(), rcond=None)
    scores = design * (series.to_numpy() - design @ coefficients)[:, None]
    middle = scores.T @ scores
    for lag in range(1, lags + 1):
        weight = 1 - lag / (lags + 1)  # Bartlett
        cross = scores[lag:].T @ scores[:-lag]
        middle += weight * (cross + cross.T)
    bread = np.linalg.inv(design.T @ design)
    expected = np.sqrt((bread @ middle @ bread * 40 / 38)[1, 1])
    fit = growth.trend(series, lags=lags)
    assert fit.value == pytest.approx(coefficients[1])
    assert fit.se == pytest.approx(expected, rel=1e-9)


def test_without_lags_and_with_equal_errors_the_interval_is_near_the_textbook_one():
    series = years(noise(400))
    fit = growth.trend(series, lags=0)
    x = np.arange(400.0) - 199.5
    residual = series - series.mean() - fit.value * x
    classic = np.sqrt((residual**2).sum() / 398 / (x**2).sum())
    assert fit.se == pytest.approx(classic, rel=0.1)


@quick
@given(shift=st.floats(-50, 50), scale=st.floats(0.1, 20))
def test_the_slope_scales_with_the_series_and_ignores_its_level(shift, scale):
    plain, moved = growth.trend(years(noise(30))), growth.trend(years(shift + scale * noise(30)))
    assert moved.value == pytest.approx(scale * plain.value, rel=1e-6, abs=1e-9)
    assert moved.p == pytest.approx(plain.p, rel=1e-4)


def test_the_rule_for_lags():
    assert [growth.newey_west_lags(n) for n in (10, 52, 65, 100)] == [2, 3, 3, 4]


@pytest.mark.parametrize("bad", [years(range(9)), years(range(20)).drop(1970), years([1.0, np.nan] * 6)])
def test_a_short_or_broken_series_is_refused(bad):
    with pytest.raises(GrowthError):
        growth.trend(bad)


# --- breaks ---------------------------------------------------------------------------------------


def brute_force(values: np.ndarray, m: int, shortest: int) -> tuple[float, tuple[int, ...]]:
    """The same search by trying every set of places."""
    best = (np.inf, ())
    for places in itertools.combinations(range(shortest, len(values)), m):
        edges = [0, *places, len(values)]
        if min(np.diff(edges)) < shortest:
            continue
        cost = sum(((values[a:b] - values[a:b].mean()) ** 2).sum() for a, b in itertools.pairwise(edges))
        best = min(best, (cost, places))
    return best


@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_breaks_are_the_best_of_all_segmentations(m, seed):
    values = noise(30, seed) + np.repeat([0, 1.5, -1], 10)
    cost, places = brute_force(values, m, 5)
    found = growth.breaks(years(values), most=3, shortest=5).criteria.loc[m]
    assert found["rss"] == pytest.approx(cost)
    assert found["years"] == [1961 + place for place in places]


def test_a_clear_step_is_found():
    values = np.r_[np.full(20, 5.0), np.full(30, 3.0)] + 0.3 * noise(50)
    found = growth.breaks(years(values))
    assert found.years["LWZ"] == [1981] and 1981 in found.years["BIC"]
    segments = found.segments(years(values), "LWZ")
    assert segments[["first", "last", "years"]].to_numpy().tolist() == [[1961, 1980, 20], [1981, 2010, 30]]
    assert segments["mean"].round().tolist() == [5, 3]


def test_noise_alone_has_no_break():
    assert growth.breaks(years(noise(60, 7))).years == {"BIC": [], "LWZ": []}


def test_the_stricter_criterion_never_wants_more_breaks():
    for seed in range(8):
        chosen = growth.breaks(years(noise(50, seed).cumsum())).years
        assert len(chosen["LWZ"]) <= len(chosen["BIC"])


# --- decades, levels, contributions ---------------------------------------------------------------


def test_decade_means_are_labelled_by_what_they_hold():
    table = growth.decade_means(years(range(25), 1966))  # 1966–1990: 4, 10, 10 and 1 years
    assert table.index.tolist() == ["1970s", "1980s"]
    assert table["mean"].tolist() == [8.5, 18.5]
    assert (table["low"] < table["mean"]).all() and (table["mean"] < table["high"]).all()
    assert growth.decade_means(years(range(9), 1961)).index.tolist() == ["1961–1969"]


def test_a_level_is_chained_both_ways_from_its_base():
    level = growth.real_level(years([10, 100, -50], 2001), 44.0, 2002)
    assert level.round(9).to_dict() == {2000: 20.0, 2001: 22.0, 2002: 44.0, 2003: 22.0}
    with pytest.raises(GrowthError, match="1999"):
        growth.real_level(years([1.0], 2001), 1.0, 1999)


def test_the_rest_of_the_world_by_hand():
    # In 2000 the world is 100, the part 20; the world grows to 110, the part to 26: the rest from 80 to 84.
    rest = growth.without(years([10.0], 2001), years([30.0], 2001), 100, 20, 2000)
    assert rest.to_dict() == {2001: pytest.approx(5.0)}
    with pytest.raises(GrowthError, match="larger than the whole"):
        growth.without(years([10.0], 2001), years([30.0], 2001), 10, 20, 2000)


def test_contributions_by_hand():
    size = pd.Series({"A": 60.0, "B": 40.0, "C": np.nan})
    table = growth.contributions(size, pd.Series({"A": 5.0, "B": 10.0, "C": 3.0}))
    assert table.loc["A"].tolist() == pytest.approx([60, 5, 3, 100 * 3 / 7])
    assert table.index.tolist() == ["B", "A"] and "C" not in table.index
    with pytest.raises(GrowthError):
        growth.contributions(size.iloc[2:], pd.Series({"C": 3.0}))


@quick
@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(-20, 20)), min_size=2, max_size=8))
def test_contributions_add_up_to_the_growth_of_the_sum(economies):
    size, rates = pd.DataFrame(economies)[0], pd.DataFrame(economies)[1]
    total = 100 * ((size * (1 + rates / 100)).sum() / size.sum() - 1)
    assert growth.contributions(size, rates)["contribution"].sum() == pytest.approx(total, abs=1e-9)


def test_contributions_of_real_economies_add_up_to_the_published_world():
    from tradebook.data import load

    frame = load("wdi").query("iso3 != 'WLD'").pivot(index="year", columns=["indicator", "iso3"], values="value")
    for year in (1995, 2009, 2017):
        parts = growth.contributions(frame["NY.GDP.MKTP.CD"].loc[year - 1], frame["NY.GDP.MKTP.KD.ZG"].loc[year])
        world = growth.series("NY.GDP.MKTP.KD.ZG", "WLD")[year]
        # The World Bank weighs with prices of 2015, the function with those of the year before.
        assert parts["contribution"].sum() == pytest.approx(world, abs=0.7)


def test_growth_per_head_by_hand():
    rate = growth.per_head(years([10.0], 2001), years([100.0, 104.5], 2000))
    assert rate.round(3).to_dict() == {2001: round(100 * (1.10 / 1.045 - 1), 3)}


def test_an_elasticity_of_two_is_found():
    income = years(noise(30) + 3)
    trade = 100 * ((1 + income / 100) ** 2 * 1.01 - 1)
    fit = growth.elasticity(trade, income.iloc[2:])
    assert fit.value == pytest.approx(2.0) and fit.n == 28


def test_series_names_what_is_missing():
    with pytest.raises(GrowthError, match="XXX"):
        growth.series("NY.GDP.MKTP.CD", "XXX")
    assert growth.series("NY.GDP.MKTP.CD", "SAS", "world-groups").index.is_monotonic_increasing


# --- forecasts ------------------------------------------------------------------------------------


def test_forecast_errors_by_hand():
    outturn = pd.DataFrame({"subject": "X", "indicator": "g", "year": [2016, 2017, 2018], "value": [1.0, 2.0, 4.0]})
    quoted = pd.DataFrame({"subject": ["X"], "indicator": ["g"], "year": [2018], "known": [2016], "forecast": [3.5]})
    row = growth.forecast_errors(quoted, outturn).iloc[0]
    assert row[["outturn", "naive", "error", "naive_error"]].tolist() == [4.0, 1.0, -0.5, -3.0]
    with pytest.raises(GrowthError, match="2019"):
        growth.forecast_errors(quoted.assign(year=2019), outturn)
