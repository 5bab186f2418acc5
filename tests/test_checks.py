"""Checks on small tables: cases that can be computed by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from tradebook import checks
from tradebook.checks import CheckError, Recomputed, bilateral, cooperation, hightech, products
from tradebook.checks import companies as company_checks
from tradebook.checks import hightech as hightech_checks
from tradebook.checks import world as world_checks

# --- chapter 2: totals and products ---------------------------------------------------------------


@pytest.fixture
def small_tables(monkeypatch):
    """Put small tables in the place of the real ones: ``small_tables(module, name=frame, …)``."""

    def put(module, **frames: pd.DataFrame) -> None:
        checks.forget()
        monkeypatch.setattr(module, "table", lambda name: frames[name.replace("-", "_")])

    yield put
    checks.forget()


def test_shares_in_russias_imports_are_those_of_the_named_chapters(small_tables):
    rows = [
        # year, partner, flow, chapter, value: China 2 of 8 in chapter 61 in 2010, 6 of 12 in 2018.
        (2010, "CHN", "import", "61", 2e9), (2010, "DEU", "import", "61", 6e9), (2010, "DEU", "import", "85", 2e9),
        (2018, "CHN", "import", "61", 6e9), (2018, "DEU", "import", "61", 3e9), (2018, "VNM", "import", "61", 3e9),
        (2018, "CHN", "export", "61", 1e9),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["year", "partner", "flow", "hs_chapter", "value_usd"])
    small_tables(products, russia_hs_chapters=frame)
    known = checks.registry()
    change = known["china_in_russias_imports"]
    assert change(start=2010, end=2018, chapters=["61"]).value == pytest.approx(50 - 25)
    assert change(start=2010, end=2018).value == pytest.approx(50 - 20)
    # Vietnam is no member of the European Union: 6 to 3 billion is a fall by half.
    assert known["european_imports_change"](start=2010, end=2018, chapters=["61"]).value == pytest.approx(-50)
    assert known["russias_net_imports"](year=2018, chapters=["61"]).value == pytest.approx(12 - 1)
    with pytest.raises(CheckError, match="2011"):
        change(start=2011, end=2018)


def test_the_fastest_sections_can_be_ranked_without_a_chapter(small_tables):
    values = {"15": (1, 5), "10": (1, 3), "50": (1, 2), "87": (1, 4), "88": (8, 2)}
    frame = pd.DataFrame(
        [(year, "CHN", "export", c, 1e9 * v[i]) for c, v in values.items() for i, year in enumerate((2014, 2015))],
        columns=["year", "partner", "flow", "hs_chapter", "value_usd"],
    )
    sections = {"15": "III", "10": "II", "50": "XI", "87": "XVII", "88": "XVII"}
    chapters = pd.DataFrame({"hs_chapter": list(sections), "hs_section": list(sections.values())})
    small_tables(products, russia_hs_chapters=frame, hs_chapters=chapters)
    found = checks.registry()["among_fastest"](flow="export", groups=["III", "XVII", "II"], year=2015, without="88")
    # With aircraft the section of vehicles falls from 9 to 6; without them it quadruples.
    assert found.value == 2
    assert found.alternatives == (("without HS 88", 3.0),)
    share = checks.registry()["least_groups_share"](flow="export", groups=["XI", "XVII"], start=2014, end=2015)
    assert share.value == pytest.approx(100 * 8 / 16)


def test_export_mixes_have_in_common_the_smaller_of_each_pair_of_shares(small_tables):
    frame = pd.DataFrame(
        [
            ("CHN", "RUS", "3", 1.0), ("CHN", "USA", "7", 3.0), ("CHN", "RUS", "TOTAL", 4.0),
            ("RUS", "CHN", "3", 6.0), ("RUS", "USA", "7", 2.0),
        ],
        columns=["exporter", "importer", "sitc_section", "value_usd"],
    ).assign(year=2015)  # fmt: skip
    small_tables(products, sitc_sections_matrix=frame)
    found = checks.registry()["export_mix_similarity"](first="CHN", second="RUS", year=2015)
    # Shares 25 and 75 against 75 and 25 per cent; to each other both sell section 3 alone.
    assert found.value == pytest.approx(25 + 25)
    assert found.alternatives[0][1] == pytest.approx(100)


def test_trade_is_compared_with_world_trade_and_output(small_tables):
    rows = [
        (year, r, e, v / 2 * 1e9)
        for year, v in ((2008, 50), (2009, 40))
        for r in ("CHN", "RUS")
        for e in ("CHN", "RUS")
    ]
    totals = pd.DataFrame(rows, columns=["year", "reporter", "exporter", "value_usd"])
    indicators = [
        ("TX.VAL.MRCH.CD.WT", "WLD", 2008, 100.0), ("TX.VAL.MRCH.CD.WT", "WLD", 2009, 90.0),
        ("TX.VAL.MRCH.CD.WT", "CHN", 2009, 30.0), ("NY.GDP.MKTP.CD", "CHN", 2009, 100.0),
        ("TX.VAL.MRCH.CD.WT", "RUS", 2009, 5.0), ("NY.GDP.MKTP.CD", "RUS", 2009, 50.0),
    ]  # fmt: skip
    wdi = pd.DataFrame(indicators, columns=["indicator", "iso3", "year", "value"])
    small_tables(bilateral, china_russia_totals=totals, wdi=wdi)
    known = checks.registry()
    assert known["growth_against_world"](year=2009).value == pytest.approx(-20 + 10)
    assert known["slowest_growth"](start=2009, end=2009).value == pytest.approx(-20)
    assert known["least_export_weight"](economies=["CHN", "RUS"], year=2009).value == pytest.approx(10)


# --- chapter 5: figures of a company --------------------------------------------------------------


def test_growth_of_a_segment_is_compounded_from_the_stated_rates():
    found = company_checks.segment_compound_growth(segment="enterprise", start=2016, end=2019)
    # 35.1, 23.8 and 8.6 per cent: 1.351 × 1.238 × 1.086 = 1.816376
    assert found.value == pytest.approx(81.6376, abs=1e-4)
    with pytest.raises(CheckError, match="growth of enterprise"):
        company_checks.segment_compound_growth(segment="enterprise", start=2019, end=2020)


def test_least_growth_takes_neighbouring_years_on_record_and_names_the_gap(monkeypatch):
    figures = pd.Series({2011: 10.0, 2012: 11.0, 2014: 22.0, 2015: 23.1})
    monkeypatch.setattr(company_checks.companies, "series", lambda company, indicator: figures)
    found = company_checks.company_least_growth(start=2012, end=2015, indicator="operating_profit")
    assert found.value == pytest.approx(5.0)
    assert found.note == "2012–2015; lowest in 2015. No figure for 2013."


def test_revenue_abroad_falls_if_the_share_falls_faster_than_revenue_rises(monkeypatch):
    share = pd.Series({2011: 60.0, 2012: 50.0, 2016: 40.0})
    revenue = pd.Series({2011: 100.0, 2012: 110.0, 2016: 200.0})
    monkeypatch.setattr(company_checks.companies, "overseas_share", lambda company: share)
    monkeypatch.setattr(company_checks.companies, "series", lambda company, indicator: revenue)
    # 60, 55 and 80: the lowest change is that from 60 to 55.
    found = company_checks.overseas_least_change(start=2011, end=2016)
    assert found.value == pytest.approx(100 * (55 / 60 - 1))


def test_a_cited_share_counts_among_the_years_on_record(monkeypatch):
    share = pd.Series({2011: 60.0, 2012: 50.0})
    monkeypatch.setattr(company_checks.companies, "overseas_share", lambda company: share)
    told = Recomputed(45.0, "percent", "a newspaper")
    monkeypatch.setattr(company_checks, "fact", lambda name: told)
    assert company_checks.least_overseas_share(start=2010, end=2012).value == 50
    found = company_checks.least_overseas_share(start=2010, end=2012, facts=[[2010, "told"]])
    assert found.value == 45 and found.note == "Years on record: 2010, 2011, 2012."


def test_broadband_of_a_continent_is_weighted_by_population(monkeypatch):
    lines, people = "IT.NET.BBND.P2", "SP.POP.TOTL"
    rows = [("AAA", lines, 10.0), ("AAA", people, 1.0), ("BBB", lines, 2.0), ("BBB", people, 3.0)]
    # Without a figure of its lines, CCC must not weigh; DDD is the economy compared.
    rows += [("CCC", people, 100.0), ("DDD", lines, 30.0), ("DDD", people, 5.0)]
    wdi = pd.DataFrame(rows, columns=["iso3", "indicator", "value"]).assign(year=2016)
    places = pd.DataFrame({"iso3": ["AAA", "BBB", "CCC", "DDD"], "continent": ["Asia"] * 3 + ["America"]})
    tables = {"wdi": wdi, "geodist-economies": places}
    monkeypatch.setattr(company_checks, "table", tables.__getitem__)
    found = company_checks.broadband_lead(economy="DDD", continents=["Asia"], year=2016)
    assert found.value == pytest.approx(30 - (10 * 1 + 2 * 3) / 4)


def test_a_rank_by_profit_margin_is_not_one_by_profit(monkeypatch):
    revenue = pd.DataFrame({"Huawei": [100.0], "Big": [1000.0], "Rich": [10.0]}, index=[2016])
    profit = pd.DataFrame({"Huawei": [7.0], "Big": [50.0], "Rich": [2.0]}, index=[2016])
    panels = {"profit_usd_fortune": profit, "revenue_usd_fortune": revenue}
    monkeypatch.setattr(company_checks.companies, "panel", lambda name="revenue_usd_fortune": panels[name])
    found = company_checks.profit_margin_rank(year=2016, among=["Big"], wider=["Rich"])
    assert found.value == 1 and found.alternatives == (("with Rich", 2.0),)


def test_kronor_become_yuan_through_the_euro(monkeypatch):
    rates = pd.DataFrame({"year": [2016, 2016], "currency": ["CNY", "SEK"], "per_euro": [7.5, 10.0]})
    monkeypatch.setattr(company_checks, "table", {"company-exchange-rates": rates}.__getitem__)
    monkeypatch.setattr(company_checks, "fact", lambda name: Recomputed(100.0, "billion kronor", "a report"))
    found = company_checks.fact_in_yuan(name="any", currency="SEK", year=2016)
    assert found.value == pytest.approx(75) and found.unit == "billion yuan"


# --- chapter 4: arms, cooperation -----------------------------------------------------------------


@pytest.fixture
def small_arms(small_tables):
    """Deliveries of 2000–2003, and their kinds and forms in two of these years."""
    arms = pd.DataFrame({"year": [2000, 2001, 2003], "supplier": "RUS", "recipient": "CHN", "tiv_m": [10.0, 30.0, 4.0]})
    rows = [
        # year, kind, form, million TIV
        (2001, "ships", "finished", 18.0), (2001, "aircraft", "made in China", 6.0), (2001, "aircraft", "parts", 6.0),
        (2003, "ships", "finished", 1.0), (2003, "aircraft", "parts", 3.0),
    ]  # fmt: skip
    forms = pd.DataFrame(rows, columns=["year", "kind", "form", "tiv_m"])
    small_tables(cooperation, arms_transfers=arms, arms_forms=forms)


def test_mean_arms_deliveries_count_years_without_any(small_arms):
    known = checks.registry()
    # 20 a year in 2000–2001; nothing in 2002 and 4 in 2003 are 2 a year.
    assert known["arms_gain"](before=[2000, 2001], after=[2002, 2003]).value == -18
    assert known["arms_contrast"](periods=[[2000, 2001], [2002, 2003]]).value == 10
    # Means of 20, 2, 10 and 4: their neighbours differ 2-fold, 2.5-fold and 2-fold.
    assert known["arms_contrast"](periods=[[2000, 2001], [2002, 2003], [2000, 2000], [2003, 2003]]).value == 2


def test_forms_and_kinds_of_arms_are_shares_of_their_period(small_arms):
    known = checks.registry()
    assert known["arms_form_share"](form="finished", start=2000, end=2001).value == pytest.approx(60)
    assert known["arms_form_share"](form="made in China", start=2003, end=2003).value == 0
    change = known["arms_form_change"](form="made in China", before=[2001, 2001], after=[2003, 2003], wider="parts")
    # Made in China 20 % and then none; with parts 40 % and then 75 %.
    assert change.value == pytest.approx(-20)
    assert change.alternatives[0][1] == pytest.approx(35)
    rank = known["arms_kind_rank"]
    assert rank(kinds=["aircraft"], start=2001, end=2001).value == 2
    assert rank(kinds=["aircraft", "engines"], start=2003, end=2003).value == 1


def test_arms_by_form_add_up_to_the_deliveries_of_russia():
    forms, sums = checks.table("arms-forms"), checks.table("arms-transfers")
    ours = forms.groupby("year")["tiv_m"].sum()
    theirs = sums[sums["supplier"] == "RUS"].set_index("year")["tiv_m"]
    assert list(ours.index) == list(theirs.index)
    assert (ours - theirs).abs().max() < 0.5  # each of up to seven cells a year is rounded to 0.1


def test_trade_is_set_against_a_cited_level_in_its_unit(monkeypatch):
    monkeypatch.setattr(cooperation, "totals", lambda reporter: pd.Series({1978: 0.2}))
    cited = {"level": Recomputed(50.0, "million US$", "a report"), "year": Recomputed(1970.0, "year", "a report")}
    monkeypatch.setattr(cooperation, "fact", lambda name: cited[name])
    # 200 million against 50.
    assert cooperation.trade_since(name="level", year=1978).value == pytest.approx(300)
    with pytest.raises(CheckError, match="million US"):
        cooperation.trade_since(name="year", year=1978)


def test_trade_in_high_technology_counts_both_directions(small_tables):
    rows = [
        # year, exporter, group, value: high technology 1 + 3 in 2000, 6 + 2 in 2001.
        (2000, "CHN", "HT1", 1e9), (2000, "RUS", "HT2", 3e9), (2000, "RUS", "PP", 9e9),
        (2001, "CHN", "HT1", 6e9), (2001, "RUS", "HT2", 2e9), (2001, "RUS", "PP", 1e9),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["year", "exporter", "lall_code", "value_usd"])
    small_tables(cooperation, china_russia_lall=frame)
    found = checks.registry()["pair_hightech_change"](start=2000, end=2001)
    assert found.value == pytest.approx(100)
    assert [round(value) for _, value in found.alternatives] == [500, -33]


def test_definitions_without_both_years_are_left_out(monkeypatch):
    exports = pd.DataFrame({"new": [None, 3.0, 4.0], "old": [1.0, 2.0, None], "both": [1.0, 1.0, 5.0]}, index=[1, 2, 3])
    monkeypatch.setattr(cooperation.hightech, "exports", lambda economy: exports)
    assert cooperation.hightech_exports_change(economy="RUS", start=1, end=2).value == pytest.approx(100)
    found = cooperation.hightech_exports_change(economy="RUS", start=1, end=3)
    assert (found.source, found.value) == ("both", pytest.approx(400))
    monkeypatch.setattr(cooperation.hightech, "exports", lambda economy: exports[["new"]])
    with pytest.raises(CheckError, match="No definition"):
        cooperation.hightech_exports_change(economy="RUS", start=1, end=3)


# --- the four other sources: two digital economies, a province --------------------------------------


def test_high_technology_is_weighed_against_all_partners(small_tables):
    pair = [(2017, "CHN", "HT1", 2e9), (2017, "CHN", "PP", 4e9), (2017, "RUS", "HT2", 1e9), (2017, "RUS", "PP", 5e9)]
    world = [
        # year, group, flow, Lall group, value: of imports and exports of 2017 half is high technology.
        (2017, "World", "import", "HT1", 50e9), (2017, "World", "import", "PP", 50e9),
        (2017, "World", "export", "HT2", 60e9), (2017, "World", "export", "LT1", 60e9),
        (2010, "World", "export", "HT1", 20e9), (2010, "Near", "export", "HT1", 2e9),
        (2010, "Near", "export", "PP", 9e9), (2017, "Near", "export", "HT1", 9e9), (2017, "Near", "export", "PP", 1e9),
    ]  # fmt: skip
    small_tables(
        cooperation,
        china_russia_lall=pd.DataFrame(pair, columns=["year", "exporter", "lall_code", "value_usd"]),
        china_lall_by_partner_group=pd.DataFrame(
            world, columns=["year", "partner_group", "flow", "lall_code", "value_usd"]
        ),
    )
    known = checks.registry()
    # 3 of 12 billion with Russia, 110 of 220 with all.
    assert known["pair_hightech_weight"](year=2017).value == pytest.approx(0.25 / 0.5)
    assert known["russian_share_of_hightech_imports"](year=2017).value == pytest.approx(2)
    # 4.5-fold to the group, 3-fold to the world.
    assert known["hightech_exports_lead"](group="Near", start=2010, end=2017).value == pytest.approx(1.5)
    with pytest.raises(CheckError, match="Far"):
        known["hightech_exports_lead"](group="Far", start=2010, end=2017)


def test_indicators_are_compared_in_one_year_and_named(small_tables):
    columns = ["iso3", "year", "indicator", "name", "value"]
    digital = [("CHN", 2021, "U", "Users", 60.0), ("WLD", 2021, "U", "Users", 50.0), ("CHN", 2022, "U", "Users", 70.0)]
    wdi = [("CHN", 2021, "G", 3e12), ("WLD", 2021, "G", 9e12)]
    small_tables(
        cooperation,
        digital=pd.DataFrame(digital, columns=columns),
        wdi=pd.DataFrame(wdi, columns=["iso3", "year", "indicator", "value"]),
        wdi_indicators=pd.DataFrame({"indicator": ["G"], "name": ["Output"]}),
    )
    known = checks.registry()
    found = known["indicator_multiple"](indicator="U", first="CHN", second="WLD", year=2021, also="G")
    assert found.value == pytest.approx(1.2)
    assert found.alternatives == (("Output", pytest.approx(1 / 3)),)
    level = known["indicator_level"]
    assert level(indicator="U", economy="CHN", year=2021, later=2022).alternatives == (("2022", 70.0),)
    with pytest.raises(CheckError, match="2020"):
        level(indicator="U", economy="CHN", year=2020)


def test_the_share_of_a_supplier_counts_only_the_years_asked_for(small_tables):
    rows = [
        (2001, "RUS", "large aircraft", 9e9), (2002, "RUS", "large aircraft", 1e9),
        (2003, "USA", "large aircraft", 3e9),
        (2003, "RUS", "gas-turbine parts", 1e9), (2003, "USA", "gas-turbine parts", 1e9),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["year", "exporter", "group", "value_usd"])
    small_tables(cooperation, china_chips_aircraft_imports=frame)
    found = checks.registry()["aircraft_supplier_share"](exporter="RUS", start=2002, end=2003)
    assert found.value == pytest.approx(25)
    assert found.alternatives[0][1] == pytest.approx(50)


@pytest.fixture
def stated(small_tables):
    """Two provinces: B is ahead of A in the first year, behind in the second, ahead for good from the third."""
    series = {"A": {2012: 5.0, 2013: 7.0, 2014: 6.0, 2015: 5.0}, "B": {2012: 6.0, 2013: 6.0, 2014: 8.0, 2015: 9.0}}
    rows = [
        (subject, "high-technology exports", exhibit, year, value)
        for subject, values in series.items()
        for year, value in values.items()
        for exhibit in ("Table 1", "Table 2")
    ]
    frame = pd.DataFrame(rows, columns=["subject", "indicator", "exhibit", "year", "value"])
    small_tables(hightech_checks, hightech_as_stated=frame)


def test_an_overtaking_needs_a_year_behind(stated):
    found = checks.registry()["stated_overtaking"](behind="A", ahead="B")
    assert (found.value, found.note) == (2014, "B was ahead in 2012 already.")
    assert checks.registry()["stated_first_fall"](subject="A").value == 2014


def test_a_cited_amount_in_yuan_is_converted_at_the_rate_of_its_year(small_tables, monkeypatch):
    facts = pd.DataFrame(
        {
            "value": [150.0, 1100.0, 10.0],
            "unit": ["billion US$", "billion yuan", "percent"],
            "what": "exports",
            "citation": "a report",
        },
        index=["dollars", "yuan", "growth"],
    )
    monkeypatch.setattr(hightech_checks, "_row", lambda name: facts.loc[name])
    small_tables(hightech_checks, yuan_rate=pd.DataFrame({"year": [2016, 2017], "yuan_per_usd": [5.0, 10.0]}))
    known = checks.registry()
    share = known["share_of_cited"]
    monkeypatch.setattr(hightech_checks, "_printed", lambda: {"first": 15.0, "second": 11.0, "third": 20.0})
    assert share(claim="first", whole="dollars", year=2015).value == pytest.approx(10)
    assert share(claim="second", whole="yuan", year=2017).value == pytest.approx(10)  # of 110 billion US$
    # The year before: 1000 billion yuan at 5 are 200 billion US$.
    assert share(claim="third", whole="yuan", year=2016, growth="growth").value == pytest.approx(10)
    assert known["fact_in_usd"](name="yuan", year=2017).value == pytest.approx(110)
    assert known["fact_growth"](new="dollars", old="growth").value == pytest.approx(1400)


def test_trade_of_a_pair_needs_both_directions(small_tables):
    rows = [
        (1979, "CHN", "USA", 1000.0), (1979, "USA", "CHN", 1000.0), (2014, "CHN", "USA", 15000.0),
        (2014, "USA", "CHN", 5000.0), (2015, "CHN", "USA", 9.0), (2014, "CHN", "JPN", 7.0), (2014, "CHN", "CHN", None),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["year", "exporter", "importer", "importer_reported_cif_musd"])
    small_tables(hightech_checks, bilateral_trade=frame)
    multiple = checks.registry()["pair_trade_multiple"]
    assert multiple(first="CHN", second="USA", start=1979, end=2014).value == pytest.approx(10)
    with pytest.raises(CheckError, match="found no number"):
        multiple(first="CHN", second="USA", start=1979, end=2015)


# --- chapter 3: high technology ---------------------------------------------------------------------


def test_printed_figures_against_each_other(monkeypatch):
    printed = pd.Series({"a": 66.5, "b": 20.7, "c": 5.8, "d": 33.0})
    monkeypatch.setattr(hightech, "_printed", lambda: printed)
    assert hightech.remainder(claims=["b", "c"]).value == pytest.approx(73.5)  # 100 - 20.7 - 5.8
    assert hightech.printed_rank(claim="b", among=["a", "b", "c"]).value == 2
    assert hightech.printed_rank(claim="b", among=["a", "b"], other="c", among_other=["c", "d"]).alternatives[0][1] == 2
    assert hightech.lowest_rank_of_share(claim="a").value == 1  # no other part can be as large
    assert hightech.lowest_rank_of_share(claim="d").value == 3  # three parts of 33 percent fit


def test_paths_of_high_technology(monkeypatch):
    exports = {
        "CHN": pd.Series({2010: 10.0, 2011: 14.0, 2012: 15.0, 2013: 14.5}),
        "WLD": pd.Series({2010: 100.0, 2011: 120.0, 2012: 150.0, 2013: 120.0}),
        "USA": pd.Series({2013: 29.0}),
    }
    monkeypatch.setattr(hightech, "_exports", lambda definition, iso3: exports[iso3])
    # shares 10, 11.67, 10, 12.08: one fall; 14.5 is the second-largest of four; 14.5 / 29 is a half
    assert hightech.hightech_share_falls(start=2011, end=2013).value == 1
    assert hightech.hightech_record(year=2013).value == 2
    assert hightech.hightech_exports_over(year=2013, other="USA").value == 0.5
    goods = {"CHN": pd.Series({2013: 58e9}), "WLD": pd.Series({2013: 960e9})}
    monkeypatch.setattr(hightech, "_indicator", lambda code, iso3: goods[iso3])
    assert hightech.hightech_advantage(year=2013).value == pytest.approx(2.0)  # a quarter over an eighth


def test_industry_against_cited_figures(monkeypatch):
    facts = {
        "people": ("2000", "people", "a survey"),
        "profit": ("6", "profit", "a bureau"),
        "revenue": ("100", "revenue", "a bureau"),
        "profit-share": ("8", "share", "a ministry"),
        "revenue-share": ("10", "share", "a ministry"),
    }
    names = ("value", "what", "citation")
    monkeypatch.setattr(hightech, "_row", lambda name: dict(zip(names, facts[name], strict=True)))
    monkeypatch.setattr(hightech, "_value_added", lambda iso3: pd.DataFrame({"aircraft": {2014: 250.0}}))
    found = hightech.industry_productivity(industry="aircraft", iso3="USA", people="people", year=2014)
    assert found.value == 125.0  # 250 million US$ over 2000 persons, in thousand US$
    rate = hightech.sector_profit_rate(
        profit="profit", revenue="revenue", profit_share="profit-share", revenue_share="revenue-share"
    )
    assert rate.value == pytest.approx(4.8)  # 6 percent times 8 over 10


# --- chapter 1: the world economy -----------------------------------------------------------------


def _wdi(**series: dict[int, float]) -> pd.DataFrame:
    """A small table wdi; series are named INDICATOR__ECONOMY, with underscores for the dots of the code."""
    rows = [
        (name.split("__")[1], year, name.split("__")[0].replace("_", "."), value)
        for name, values in series.items()
        for year, value in values.items()
    ]
    return pd.DataFrame(rows, columns=["iso3", "year", "indicator", "value"])


def test_growth_against_the_world_and_rosstats_older_figure(small_tables):
    wdi = _wdi(
        NY_GDP_MKTP_KD_ZG__RUS={2014: 5.0, 2015: -2.0, 2016: 0.2},
        NY_GDP_MKTP_KD_ZG__BRA={2014: 1.0, 2015: -3.0, 2016: -3.3},
        NY_GDP_MKTP_KD_ZG__WLD={2014: 2.0, 2015: -1.0, 2016: 3.0},
        NY_GDP_MKTP_CD__CHN={2016: 11.5e12},
    )
    rosstat = pd.DataFrame({"year": [2016], "indicator": ["gdp"], "change": [-0.2]})
    small_tables(world_checks, wdi=wdi, rosstat_annual=rosstat)
    lead = world_checks.mean_growth_lead(economy="RUS", start=2015, end=2016, earlier=2014)
    assert lead.value == pytest.approx((-1.0 - 2.8) / 2)
    assert lead.alternatives == (("2014–2016", pytest.approx((3.0 - 1.0 - 2.8) / 3)),)
    fastest = world_checks.fastest_gdp_growth(economies=["RUS", "BRA"], year=2016)
    assert (fastest.value, fastest.alternatives) == (0.2, (("Russia as in Rosstat, July 2018", -0.2),))
    assert world_checks.fastest_gdp_growth(economies=["BRA"], year=2016).alternatives == ()
    assert world_checks.last_fall_of_output(until=2017).value == 2015
    assert world_checks.one_point_of_growth(economy="CHN", year=2016).value == pytest.approx(115)


def test_industry_debt_and_reserves_of_three_economies(small_tables):
    wdi = _wdi(
        NY_GDP_MKTP_CD__CHN={2016: 10e12}, NY_GDP_MKTP_CD__USA={2016: 19e12}, TM_VAL_MRCH_CD_WT__RUS={2016: 200e9}
    )
    rows = [
        ("CHN", 2015, "NV.IND.TOTL.ZS", 41.0), ("CHN", 2016, "NV.IND.TOTL.ZS", 40.0),
        ("USA", 2016, "NV.IND.TOTL.ZS", 20.0), ("WLD", 2016, "NV.IND.TOTL.ZS", 26.0),
        ("CHN", 2007, "WEO.GGXWDG_NGDP", 30.0), ("CHN", 2017, "WEO.GGXWDG_NGDP", 55.0),
        ("USA", 2007, "WEO.GGXWDG_NGDP", 65.0), ("USA", 2017, "WEO.GGXWDG_NGDP", 105.0),
        ("DEU", 2007, "WEO.GGXWDG_NGDP", 64.0), ("DEU", 2017, "WEO.GGXWDG_NGDP", 64.0),
        ("RUS", 2017, "WEO.GGXWDG_NGDP", 14.0), ("RUS", 2016, "FI.RES.TOTL.CD", 300e9),
    ]  # fmt: skip
    structure = pd.DataFrame(rows, columns=["iso3", "year", "indicator", "value"])
    small_tables(world_checks, wdi=wdi, macro_structure=structure)
    # 4.0 trillion of industry against 3.8; the world is no economy.
    assert world_checks.industry_rank(economy="CHN", year=2016).value == 1
    assert world_checks.industry_rank(economy="USA", year=2016).value == 2
    change = world_checks.structure_change(indicator="NV.IND.TOTL.ZS", economy="CHN", start=2015, end=2016)
    assert change.value == pytest.approx(-1)
    # Russia has no debt of 2007 and is left out; Germany's has not changed.
    debt = world_checks.economies_with_more_debt(year=2017, before=2007, limit=60)
    assert debt.value == pytest.approx(200 / 3)
    assert debt.note == "3 economies; 2 of them have a debt above 60 percent."
    assert world_checks.debt_rank(economy="CHN", among=["CHN", "RUS", "USA"], year=2017).value == 2
    assert world_checks.reserves_in_months(economy="RUS", year=2016).value == pytest.approx(18)
    with pytest.raises(CheckError, match=r"SL.UEM"):
        world_checks.structure_change(indicator="SL.UEM.TOTL.ZS", economy="CHN", start=2015, end=2016)


def test_a_rouble_crisis_is_counted_once_while_it_lasts(small_tables):
    months = [str(month) for month in pd.period_range("2008-01", "2010-12", freq="M")]
    # 20 until mid-2008, then 32 (60 percent dearer for six months), 40 from mid-2010 (25 percent).
    values = [20.0] * 6 + [32.0] * 24 + [40.0] * 6
    frame = pd.DataFrame({"month": months, "indicator": "roubles-per-dollar", "value": values})
    small_tables(world_checks, russia_monthly=frame)
    found = world_checks.rouble_crises(start=2009, end=2010, above=40, lower=20, earlier=2008)
    assert found.value == 0  # the last month of the crisis is December 2008
    assert found.alternatives == (("dearer by more than 20 percent", 1.0), ("from 2008 on", 1.0))


def test_cited_figures_against_each_other(monkeypatch):
    cited = {
        "growth": Recomputed(25.6, "percent", "a bureau", note="Growth."),
        "forecast": Recomputed(6.5, "percent", "a bank", note="Forecast."),
        "share": Recomputed(12.5, "percent", "a bureau"),
        "new": Recomputed(4.2, "trillion yuan", "a paper"),
        "old": Recomputed(3.0, "trillion yuan", "a paper"),
        "all": Recomputed(30.0, "trillion yuan", "a paper"),
    }
    monkeypatch.setattr(world_checks, "fact", lambda name: cited[name])
    assert world_checks.cited_gap(name="growth", less="forecast").value == pytest.approx(19.1)
    growth = world_checks.cited_growth(name="growth", new="new", old="old")
    assert growth.value == 25.6
    assert growth.alternatives == (("from the published levels", pytest.approx(40)),)
    monkeypatch.setattr(world_checks, "_series", lambda indicator, code: pd.Series({2016: 25.68}))
    printed = world_checks.growth_as_first_printed(name="growth", economy="CHN", year=2016)
    assert (printed.value, printed.alternatives[0][1]) == (25.6, 25.68)
    gain = world_checks.cited_share_gain(share="share", part="old", whole="all")
    assert (gain.value, gain.unit) == (pytest.approx(2.5), "percentage points")


def test_prices_of_several_economies_and_the_median_year(small_tables):
    wdi = _wdi(FP_CPI_TOTL_ZG__USA={2015: 0.1}, FP_CPI_TOTL_ZG__JPN={2015: -0.4})
    exports = pd.DataFrame(
        {"iso3": "CHN", "edition": "2019", "year": range(2010, 2014), "value_usd": [100.0, 150.0, 135.0, 148.5]}
    )
    small_tables(world_checks, wdi=wdi, hightech_exports_old_definition=exports)
    highest = world_checks.highest_inflation_among(economies=["USA", "JPN"], year=2015)
    assert (highest.value, highest.note) == (0.1, "USA 0.1 percent; JPN -0.4 percent.")
    # Growth of 50, -10 and 10 percent.
    assert world_checks.high_technology_median_growth(start=2011, end=2013).value == pytest.approx(10)


def test_ranks_within_a_continent_leave_others_out(small_tables):
    codes = {"rd": "GB.XPD.RSDV.GD.ZS", "head": "NY.GDP.PCAP.PP.CD", "people": "SP.POP.TOTL"}
    values = {"CHN": (2, 1, 9), "RUS": (1, 4, 2), "JPN": (3, 4, 1), "USA": (3, 6, 3)}  # spending 18, 8, 12 and 54
    rows = [
        (economy, 2020, code, float(value))
        for economy, three in values.items()
        for code, value in zip(codes.values(), three, strict=True)
    ]
    land = {"iso3": ["CHN", "RUS", "JPN", "USA"], "continent": ["Asia", "Asia", "Asia", "America"]}
    small_tables(
        cooperation,
        wdi=pd.DataFrame(rows, columns=["iso3", "year", "indicator", "value"]),
        geodist_economies=pd.DataFrame(land),
    )
    rank = checks.registry()["rd_rank_within"]
    assert rank(economy="CHN", continent="Asia", year=2020).value == 1
    found = rank(economy="RUS", continent="Asia", year=2020)
    assert (found.value, found.alternatives) == (3, (("R&D as a share of GDP", 3.0),))
    assert rank(economy="CHN", continent="Asia", year=2020).alternatives[0][1] == 2


# --- chapter 5, sections 5.4.2 to 5.5.2 -----------------------------------------------------------


@pytest.fixture
def told(monkeypatch):
    """Put facts in the place of the register's: ``told(name=(value, unit), …)``."""

    def put(**facts: tuple[float, str]) -> None:
        known = {name: Recomputed(float(v), unit, "a citation", note=f"{name}.") for name, (v, unit) in facts.items()}
        monkeypatch.setattr(company_checks, "fact", lambda name: known[name])

    return put


def test_mobile_subscriptions_are_counted_against_other_networks(small_tables, told):
    rows = [("SP.POP.TOTL", 2005, 5e9), ("SP.POP.TOTL", 2006, 6e9),
            ("IT.NET.BBND.P2", 2005, 1.0), ("IT.NET.BBND.P2", 2006, 2.0)]  # fmt: skip
    wdi = pd.DataFrame(rows, columns=["indicator", "year", "value"]).assign(iso3="WLD")
    mobile = pd.DataFrame({"year": [2005, 2006], "value": [20.0, 25.0]})
    small_tables(company_checks, wdi=wdi, digital=mobile.assign(iso3="WLD", indicator="IT.CEL.SETS.P2"))
    told(before=(1000, "million"), now=(1600, "million"))
    # 20 % of 5 and 25 % of 6 billion people: 1,000 and 1,500 million; broadband: 50 and 120.
    assert company_checks.mobile_over_fixed(year=2006, lines="before").value == pytest.approx(1.5)
    assert company_checks.mobile_growth(start=2005, end=2006).value == pytest.approx(50)
    found = company_checks.mobile_gain_rank(start=2005, end=2006, lines=["before", "now"])
    assert found.value == 2
    assert "mobile 500, fixed broadband 70, fixed telephone 600" in found.note


def test_the_yuan_rises_when_a_dollar_costs_less(small_tables):
    rate = pd.DataFrame({"year": [2005, 2013, 2017], "yuan_per_usd": [8.0, 6.4, 8.0]})
    small_tables(company_checks, yuan_rate=rate)
    found = company_checks.dollar_rate_change(start=2005, end=2013, also=[[2013, 2017]])
    assert found.value == pytest.approx(25)
    assert found.alternatives == (("2013–2017", pytest.approx(-20)),)


def test_us_imports_are_those_of_computers_and_electronics(small_tables):
    rows = [(2007, "Computer & Electronics", 10e9), (2017, "Computer & Electronics", 15e9), (2007, "Chemicals", 1e9)]
    frame = pd.DataFrame(rows, columns=["year", "group", "imports_usd"])
    small_tables(company_checks, us_china_trade=frame)
    assert company_checks.us_imports_change(start=2007, end=2017).value == pytest.approx(50)


def test_staff_and_revenue_are_counted_for_each_employee(monkeypatch, told):
    figures = {
        "employees": pd.Series({2010: 1000.0, 2016: 2000.0}),
        "revenue": pd.Series({2010: 1.0, 2012: 9.0, 2016: 3.0}),
    }
    monkeypatch.setattr(company_checks.companies, "series", lambda company, indicator: figures[indicator])
    assert company_checks.revenue_per_head_change(start=2010, end=2016).value == pytest.approx(50)
    told(cost=(0.4, "billion yuan"), wage=(50_000, "yuan"), best=(100_000, "yuan"))
    found = company_checks.staff_cost_multiple(cost="cost", year=2016, wage="wage", also="best")
    assert (found.value, found.alternatives) == (pytest.approx(4), (("best", pytest.approx(2)),))


def test_cited_figures_are_compared_only_in_one_unit(told):
    told(a=(30, "billion US$"), b=(25, "billion US$"), c=(25, "million US$"))
    assert company_checks.fact_multiple(name="a", base="b").value == pytest.approx(1.2)
    with pytest.raises(CheckError, match="one unit"):
        company_checks.fact_multiple(name="a", base="c")


def test_a_multiple_over_two_years_becomes_a_yearly_rate(told):
    told(rise=(1.44, "times"), rate=(5, "percent"))
    assert company_checks.decade_growth_lead(multiple="rise", years=2, base="rate").value == pytest.approx(15)


def test_state_support_is_a_share_of_sales_or_of_revenue(monkeypatch, told):
    figures = {"contract_sales_usd": pd.Series({2004: 5.0}), "revenue": pd.Series({2018: 200.0})}
    monkeypatch.setattr(company_checks.companies, "series", lambda company, indicator: figures[indicator])
    told(line=(10, "billion US$"), grants=(1, "billion yuan"))
    found = company_checks.state_support(credit="line", year=2004, grants="grants", later=2018)
    assert (found.value, found.alternatives[0][1]) == (pytest.approx(200), pytest.approx(0.5))


def test_borrowings_can_move_with_and_against_revenue_from_abroad(monkeypatch):
    figures = {
        "revenue": pd.Series({2016: 100.0, 2017: 100.0, 2018: 100.0, 2019: 100.0}),
        "total_borrowings": pd.Series({2016: 1.0, 2017: 2.0, 2018: 3.0}),
    }
    monkeypatch.setattr(company_checks.companies, "series", lambda company, indicator: figures[indicator])
    monkeypatch.setattr(
        company_checks.companies, "overseas_share", lambda company: pd.Series({2016: 50.0, 2017: 60.0, 2018: 20.0})
    )
    found = company_checks.borrowing_link(start=2016, end=2019, to=2017)
    # Deviations (-1, 0, 1) and (20, 50, -70) / 3: r = -30 over the root of 2 · 2,600 / 3.
    assert found.value == pytest.approx(-30 / (2 * 2600 / 3) ** 0.5)
    assert found.alternatives == (("2016–2017, 2 years", pytest.approx(1)),)
    assert "3 years on record" in found.note
