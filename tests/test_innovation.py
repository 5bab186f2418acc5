"""Research and patents: cases by hand, identities, an independent fit, published benchmarks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradebook import innovation
from tradebook.data import load
from tradebook.errors import TradebookError
from tradebook.innovation import InnovationInputError

quick = settings(derandomize=True, max_examples=30, deadline=None, database=None)
positive = st.floats(min_value=0.01, max_value=1e6)


def economy(applications=100.0, rd_share=2.0, gdp=1e10, **more) -> pd.DataFrame:
    """One economy in 2010 and 2011, everything else in proportion."""
    frame = pd.DataFrame({"applications": applications, "rd_share": rd_share, "gdp": gdp}, index=[2010, 2011])
    frame["spending"] = frame["rd_share"] / 100 * frame["gdp"] / 1e6
    frame["spending_ppp"] = 2 * frame["spending"]
    frame["gdp_ppp"] = 2 * frame["gdp"]
    frame["residents"] = 0.6 * frame["applications"]
    frame["nonresidents"] = 0.4 * frame["applications"]
    for column in ("population", "researchers", "pct_applications", "uspto_grants"):
        frame[column] = 1000.0
    return frame.assign(**more)


def test_indices_by_hand():
    one = economy()  # 2 % of 10 billion is 200 million
    assert innovation.index_of(one, "I_P/I")[2010] == pytest.approx(0.5)
    assert innovation.index_of(one, "I_P/GDP")[2010] == pytest.approx(50)
    assert innovation.index_of(one, "residents only")[2010] == pytest.approx(0.3)
    assert innovation.index_of(one, "PPP dollars")[2010] == pytest.approx(0.25)
    assert innovation.index_of(one, "per thousand researchers")[2010] == pytest.approx(60)


def test_lag_counts_calendar_years_and_not_rows():
    spending = pd.Series([10.0, 20.0, 40.0], index=[2000, 2001, 2003])
    applications = pd.Series([1.0, 2.0, 4.0, 8.0], index=[2000, 2001, 2003, 2004])
    index = innovation.patents_per_investment(applications, spending, lag=1)
    assert index.dropna().to_dict() == {2001: 0.2, 2004: 0.2}
    assert innovation.patents_per_investment(applications, spending, lag=0)[2003] == 0.1
    with pytest.raises(InnovationInputError):
        innovation.lagged(spending, -1)


@quick
@given(positive, st.floats(0.1, 6), positive, positive, st.floats(0.1, 6), positive)
def test_second_index_is_the_first_times_size(p1, s1, g1, p2, s2, g2):
    first, second = economy(p1, s1, g1 * 1e9), economy(p2, s2, g2 * 1e9)
    for one in (first, second):
        identity = innovation.index_of(one, "I_P/I") * one["gdp"] / 1e6 / 100
        np.testing.assert_allclose(innovation.index_of(one, "I_P/GDP"), identity)
    parts = innovation.size_part(first, second)
    np.testing.assert_allclose(parts["ratio_intensity"], parts["ratio_investment"] * parts["ratio_gdp"])


def test_two_equal_economies_as_one_double_the_second_index_only():
    one = economy()
    both = innovation.combine(one, one)
    assert both["rd_share"].to_list() == pytest.approx([2.0, 2.0])
    assert innovation.index_of(both, "I_P/I")[2010] == pytest.approx(0.5)
    assert innovation.index_of(both, "I_P/GDP")[2010] == pytest.approx(100)


def test_a_merger_lies_between_its_parts_in_the_first_index():
    first, second = economy(100, 1, 1e10), economy(900, 3, 4e10)
    both = innovation.index_of(innovation.combine(first, second), "I_P/I")[2010]
    values = [innovation.index_of(e, "I_P/I")[2010] for e in (first, second)]
    assert min(values) < both < max(values)


def test_size_part_is_all_when_only_size_differs():
    parts = innovation.size_part(economy(200, 2, 2e10), economy(100, 2, 1e10))
    assert parts["share_size"].to_list() == pytest.approx([100, 100])


def test_variants_leave_out_what_one_of_them_lacks():
    table = innovation.variants(economy(), economy(50, uspto_grants=np.nan), 2011)
    assert "US grants per billion PPP dollars" not in table.index
    assert table.loc["I_P/I", "ratio"] == pytest.approx(0.5)
    assert "spending 1 year before" in table.index and "spending 3 years before" not in table.index
    with pytest.raises(InnovationInputError):
        innovation.variants(economy(), economy(), 1950)


def test_real_spending_by_hand():
    one = pd.DataFrame(
        {"rd_share": [1.0, 1.0, 2.0, np.nan, 2.0], "real_growth": [9.0, 10.0, 0.0, 5.0, 5.0]},
        index=range(2000, 2005),
    )
    # Ten per cent more output, then twice the share; the years after the gap are left out.
    assert innovation.real_spending(one).to_dict() == pytest.approx({2000: 100, 2001: 110, 2002: 220})
    # The longest run counts, wherever it stands.
    assert innovation.real_spending(one.drop(index=[2000, 2001])).to_dict() == pytest.approx({2004: 100})
    assert list(innovation.real_spending(one.set_index(one.index[::-1]).sort_index()).index) == [2002, 2003, 2004]


def test_fitted_line_recovers_a_power_law():
    size = pd.Series(np.geomspace(1, 1e4, 40))
    line = innovation.fitted_line(size, 3 * size**0.7)
    assert line["slope"] == pytest.approx(0.7) and line["r2"] == pytest.approx(1)
    assert np.exp(line["intercept"]) == pytest.approx(3)


def test_fitted_line_against_numpy():
    rng = np.random.default_rng(3)
    size = pd.Series(np.exp(rng.normal(size=60)))
    index = pd.Series(np.exp(0.5 * np.log(size) + rng.normal(size=60)))
    line = innovation.fitted_line(size, index)
    slope, intercept = np.polyfit(np.log(size), np.log(index), 1)
    assert (line["slope"], line["intercept"]) == pytest.approx((slope, intercept))
    # White's sandwich by hand, with the factor n / (n - 2).
    x = np.column_stack([np.ones(60), np.log(size)])
    e = np.log(index).to_numpy() - x @ [intercept, slope]
    bread = np.linalg.inv(x.T @ x)
    sd = np.sqrt((60 / 58 * bread @ (x.T * e**2) @ x @ bread)[1, 1])
    assert line["high"] - line["low"] == pytest.approx(2 * 1.959963985 * sd)
    with pytest.raises(InnovationInputError):
        innovation.fitted_line(size[:3], index[:3])


def test_record_agrees_with_published_spending():
    """China's R&D in PPP dollars, 2010: 213 billion in NCSES SRD-1 (OECD), vintage of 2023."""
    china = innovation.record("CHN")
    assert china.loc[2010, "spending_ppp"] / 1e3 == pytest.approx(213, rel=0.03)
    assert china.loc[2021, "applications"] == 1426644 + 159019


def test_vintages_differ_where_gdp_was_revised():
    old, new = innovation.record("CHN", "2021"), innovation.record("CHN")
    assert old["rd_share"].last_valid_index() == 2018
    gap = old.loc[2018, "rd_share"] / new.loc[2018, "rd_share"] - 1
    assert 0.03 < gap < 0.05  # 2.19 per cent then, 2.10 now
    assert innovation.vintages("CHN") == ["2021", "current"]
    assert innovation.vintages("FIN") == ["current"]


def test_cross_section_is_the_records_of_one_year():
    table = innovation.cross_section(2018)
    for code in ("CHN", "RUS", "DEU"):
        one = innovation.record(code)
        assert table.loc[code, "per_intensity"] == pytest.approx(innovation.index_of(one, "I_P/GDP")[2018])
        assert table.loc[code, "per_investment"] == pytest.approx(innovation.index_of(one, "I_P/I")[2018])
    assert "WLD" not in table.index and (table["rd_share"] >= 0.1).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: innovation.record("SUN"),
        lambda: innovation.record("FIN", "2021"),
        lambda: innovation.record("CHN", "1999"),
        lambda: innovation.cross_section(1950),
        lambda: innovation.index_of(economy(), "patents per lunch"),
    ],
)
def test_bad_requests_say_so_in_one_sentence(call):
    with pytest.raises(TradebookError) as caught:
        call()
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_arms_transfers_keep_their_sum():
    """The register's own totals: 32,980 (USSR) and 38,156 (Russia) million TIV."""
    sums = load("arms-transfers").groupby("supplier")["tiv_m"].sum()
    assert sums["SUN"] == pytest.approx(32979.84, abs=1) and sums["RUS"] == pytest.approx(38156.15, abs=2)
