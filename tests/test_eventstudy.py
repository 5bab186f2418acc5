"""Event studies: hand-computed cases, statsmodels as a second opinion, coverage, bad input."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from tradebook.eventstudy import (
    EventStudyError,
    extrapolate,
    growth_change,
    placebo_units,
    placebo_years,
    synthetic,
)


@pytest.fixture
def steady():
    """Ten per cent a year, then a halving from 2010 on."""
    years = range(2000, 2014)
    values = [100 * 1.1**i * (0.5 if year >= 2010 else 1) for i, year in enumerate(years)]
    return pd.Series(values, index=years)


@pytest.fixture
def noisy():
    rng = np.random.default_rng(3)
    years = range(2000, 2014)
    return pd.Series(np.exp(4 + 0.08 * np.arange(14) + 0.1 * rng.standard_normal(14)), index=years)


def test_a_halving_of_a_straight_line_is_minus_fifty(steady):
    table = extrapolate(steady, 2010)
    assert table.loc[2010:, "gap"].to_list() == pytest.approx([-50] * 4)
    assert table.loc[:2009, "gap"].to_list() == pytest.approx([0] * 10, abs=1e-9)
    assert not table.loc[2010:, "inside"].any()


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_interval_equals_that_of_statsmodels(noisy, level):
    table = extrapolate(noisy, 2010, level)
    before = noisy.loc[:2009]
    fit = sm.OLS(np.log(before.to_numpy()), sm.add_constant(before.index.to_numpy(float))).fit()
    new = sm.add_constant(noisy.index.to_numpy(float))
    other = fit.get_prediction(new).summary_frame(alpha=1 - level)
    np.testing.assert_allclose(np.log(table["expected"]), other["mean"], atol=1e-9)
    np.testing.assert_allclose(np.log(table["lower"]), other["obs_ci_lower"], atol=1e-9)
    np.testing.assert_allclose(np.log(table["upper"]), other["obs_ci_upper"], atol=1e-9)


def test_missing_years_keep_their_place(steady):
    table = extrapolate(steady.drop(2005), 2010)
    assert 2005 not in table.index
    assert table["gap"][2012] == pytest.approx(-50)


def test_scale_does_not_matter(noisy):
    one, other = extrapolate(noisy, 2010), extrapolate(7 * noisy, 2010)
    np.testing.assert_allclose(one["gap"], other["gap"])


@pytest.mark.parametrize(
    ("values", "event"),
    [
        (pd.Series([1.0, 2, 3, 4], index=range(2000, 2004)), 2002),
        (pd.Series([1.0, 2, 3, 4], index=range(2000, 2004)), 2010),
        (pd.Series([1.0, -2, 3, 4, 5, 6], index=range(2000, 2006)), 2005),
    ],
)
def test_too_little_or_negative_is_refused(values, event):
    with pytest.raises(EventStudyError):
        extrapolate(values, event)


def test_intervals_hold_what_they_promise_on_independent_errors():
    """About 95 of 100 next values fall inside, when the model is true."""
    rng = np.random.default_rng(11)
    hits = []
    for _ in range(400):
        series = pd.Series(np.exp(0.05 * np.arange(9) + 0.1 * rng.standard_normal(9)), index=range(9))
        hits.append(extrapolate(series, 8)["inside"][8])
    assert 0.92 < np.mean(hits) < 0.98


def test_placebo_years_use_the_past_only(steady):
    table = placebo_years(steady, 2010, horizon=2)
    assert list(table.index) == [2004, 2005, 2006, 2007, 2008]
    assert (table["year"] == table.index + 1).all()
    assert table["gap"].abs().max() < 1e-6


@pytest.fixture
def panel(steady):
    """Unit “a” is the mean (in logarithms) of b and c until 2010; d goes its own way."""
    rng = np.random.default_rng(5)
    b = np.exp(np.cumsum(0.05 + 0.1 * rng.standard_normal(14)))
    c = np.exp(np.cumsum(0.05 + 0.1 * rng.standard_normal(14)))
    d = np.exp(np.cumsum(-0.2 + 0.1 * rng.standard_normal(14)))
    a = np.sqrt(b * c) * np.where(np.arange(14) >= 10, 0.6, 1.0)
    return pd.DataFrame({"a": a, "b": b, "c": c, "d": d}, index=range(2000, 2014))


def test_synthetic_finds_the_weights_it_was_made_of(panel):
    made = synthetic(panel, "a", 2010)
    assert made.weights.to_dict() == pytest.approx({"b": 0.5, "c": 0.5, "d": 0.0}, abs=1e-3)
    assert made.path["gap"].loc[2010:].to_list() == pytest.approx([-40] * 4, abs=0.2)
    assert made.path.loc[2009, ["actual", "synthetic"]].to_list() == pytest.approx([100, 100])


def test_weights_are_shares(panel):
    made = synthetic(panel, "d", 2010)
    assert made.weights.sum() == pytest.approx(1)
    assert (made.weights >= 0).all()


def test_units_with_gaps_are_left_out(panel):
    panel.loc[2003, "d"] = np.nan
    assert "d" not in synthetic(panel, "a", 2010).weights


def test_placebo_rank_is_bounded_by_the_number_of_units(panel):
    table = placebo_units(panel, "a", 2010)
    assert table["rank"]["a"] == 1
    assert table.attrs["p_value"] == table.attrs["smallest"] == 1 / 4


def test_synthetic_needs_peers_and_years(panel):
    for chosen, event in ((panel[["a", "b"]], 2010), (panel, 2002), (panel, 2020)):
        with pytest.raises(EventStudyError):
            synthetic(chosen, "a", event)
    with pytest.raises(EventStudyError, match="“x”"):
        synthetic(panel, "x", 2010)


def test_growth_change_by_hand():
    years = [2005, 2006, 2007, 2008, 2009, 2010]
    frame = pd.DataFrame(
        {"a": [100, 110, 121, 133.1, 133.1, 133.1], "b": [100.0] * 6, "c": [1, np.nan, 1, 1, 1, 1]},
        index=years,
    )
    table = growth_change(frame, 2009, window=3)
    assert table.index.to_list() == ["a", "b"]
    assert table.loc["a"].to_list() == pytest.approx([10, 0, -10])
    assert table.loc["b"].to_list() == pytest.approx([0, 0, 0])


def test_growth_change_needs_two_units(panel):
    with pytest.raises(EventStudyError):
        growth_change(panel[["a"]], 2010)
