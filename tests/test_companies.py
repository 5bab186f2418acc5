"""Company figures: recomputed margins against printed ones, restated bases, shares, research, checks."""

import pandas as pd
import pytest

from tradebook import companies
from tradebook.checks import CheckError
from tradebook.checks import companies as checks
from tradebook.companies import CompanyError
from tradebook.data import load


def test_recomputed_margins_equal_the_printed_ones():
    """Two independent columns of the annual reports: levels and rates."""
    margin = companies.operating_margin("Huawei").set_index("year")
    printed = companies.series("Huawei", "operating_margin")
    both = margin[margin["how"] == "recomputed"].join(printed.rename("printed"), how="inner")
    assert len(both) >= 10
    assert (both["margin"] - both["printed"]).abs().max() < 0.06
    gross = companies.gross_margin("Huawei").set_index("year")["margin"]
    told = companies.series("Huawei", "gross_margin")
    assert (gross - told).abs().max() < 0.06


def test_research_share_equals_the_printed_one():
    told = companies.series("Huawei", "rd_share_of_revenue")
    assert (companies.research_share("Huawei") - told).abs().max() < 0.12


def test_revenue_in_yuan_and_fortune_dollars_give_a_real_exchange_rate():
    """Two separate transcriptions; the yuan was between 6.1 and 7.1 to the dollar."""
    rate = companies.series("Huawei", "revenue") / companies.series("Huawei", "revenue_usd_fortune")
    assert rate.dropna().between(6.1, 7.1).all()
    assert len(rate.dropna()) == 14


def test_segments_fill_the_whole():
    shares = companies.segment_shares("Huawei")
    assert shares.sum(axis=1).to_list() == pytest.approx([100] * len(shares))
    assert (shares["Other"] < 3).all()
    assert shares.loc[2016, "Carrier networks"] == pytest.approx(55.7, abs=0.05)


def test_first_reported_segments_mislead_where_the_base_was_restated():
    growth = companies.segment_growth("Huawei").set_index(["year", "segment"])
    assert growth.loc[(2019, "Enterprise"), "stated"] == 8.6
    assert growth.loc[(2019, "Enterprise"), "naive"] == pytest.approx(100 * (89.7 / 74.4 - 1))
    assert growth.loc[(2019, "Enterprise"), "restated_base"] == pytest.approx(100 * (89.7 / 1.086 / 74.4 - 1))
    assert growth.loc[(2012, "Carrier networks"), "restated_base"] == pytest.approx(0, abs=0.2)


def test_restatements_are_later_values_of_the_same_year():
    table = companies.restatements("Huawei")
    assert table.loc[2010].to_list() == pytest.approx([185.176, 182.5, 100 * (182.5 / 185.176 - 1)])


def test_regions_and_overseas_agree():
    shares = companies.region_shares("Huawei")
    overseas = companies.overseas_share("Huawei")
    for year in shares.index:
        assert 100 - shares.loc[year, "China"] == pytest.approx(overseas[year], abs=0.05)


def test_research_table_recomputes_from_euros():
    table = companies.research_table(2023)
    rates = load("company-exchange-rates").set_index(["currency", "year"])["per_euro"]
    euros = 704.174 / rates["CNY", 2023]
    assert table.loc["Huawei", "intensity"] == pytest.approx(100 * 19.939 / euros)
    assert table.loc["Samsung", "measure"] == "own report"
    assert table.loc["Samsung", "revenue_eur"] == pytest.approx(28352.8 / rates["KRW", 2023] / 0.109)
    assert table["intensity"].is_monotonic_decreasing


def test_revenue_prefers_the_own_long_series():
    assert companies.revenue("Huawei")[1] == "billion CNY"
    assert companies.revenue("Cisco")[1] == "billion US dollars"
    assert len(companies.revenue("ZTE")[0]) == len(companies.series("ZTE", "revenue"))


@pytest.mark.parametrize("company", companies.names())
def test_every_company_degrades_without_error(company):
    for function in (
        companies.operating_margin, companies.gross_margin, companies.segments, companies.segment_shares,
        companies.segment_growth, companies.region_shares, companies.overseas_share, companies.research_share,
        companies.patent_rank, companies.restatements,
    ):  # fmt: skip
        assert isinstance(function(company), pd.DataFrame | pd.Series)
    assert len(companies.revenue(company)[0])


def test_unknown_company_and_year_are_refused():
    with pytest.raises(CompanyError, match="Ericsson"):
        companies.series("Acme", "revenue")
    with pytest.raises(CompanyError, match="2005"):
        companies.figure("Huawei", "revenue", 2005)


def test_every_figure_says_why_it_may_be_used():
    """A press figure without a complete address needs a second source."""
    figures = load("company-figures")
    complete = load("company-sources").set_index("source")["complete"]
    only = figures[figures["checked"] == "second source only"]
    assert only["confirmed_by"].notna().all() and len(only)
    for row in figures[figures["checked"] == "address"].itertuples():
        assert all(complete[key.strip()] for key in row.source.split(";")), row.source


# --- checks ---------------------------------------------------------------------------------------


def test_growth_rates_by_hand():
    found = checks.company_mean_growth("revenue", 2012, 2016, also=[[2011, 2015]])
    assert found.value == pytest.approx(100 * ((521.574 / 220.19) ** 0.25 - 1))
    assert found.alternatives[0][1] == pytest.approx(100 * ((395.009 / 203.93) ** 0.25 - 1))


def test_epo_reading_of_the_year_before():
    found = checks.patent_applications(2016, also=[2015])
    assert found.value == 2390
    assert found.readings == (("the applications of 2015", 1953.0),)


def test_overseas_share_names_its_years():
    found = checks.least_overseas_share(2007, 2016, to=2017)
    assert found.value == pytest.approx(100 * (1 - 235.5 / 521.574))
    assert found.alternatives[0][1] < 50 < found.value
    assert "2011" in found.note


def test_margin_mean_and_change():
    assert checks.company_margin("operating", 2015, 2016).value == pytest.approx(
        (100 * 45.786 / 395.009 + 100 * 47.515 / 521.574) / 2
    )
    assert checks.company_margin_change("operating", 2015, 2016).value == pytest.approx(
        100 * 47.515 / 521.574 - 100 * 45.786 / 395.009
    )


def test_checks_refuse_years_without_data():
    for call in (
        lambda: checks.company_figure("revenue", 2001),
        lambda: checks.company_figure("happiness", 2016),
        lambda: checks.company_margin("gross", 2012, 2013),
        lambda: checks.patent_applicant_rank(2005),
    ):
        with pytest.raises(CheckError):
            call()
