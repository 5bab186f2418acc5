"""The trade of one pair: totals by both reporters, mirror pairs, products, unusual years."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebook import bilateral
from tradebook.bilateral import NoTradeDataError
from tradebook.data import load


@pytest.fixture(scope="module")
def china_russia():
    return bilateral.totals("CHN", "RUS")


def test_the_pair_of_the_thesis_has_its_own_table(china_russia):
    assert (china_russia["year"].min(), china_russia["year"].max()) == (1978, 2025)
    assert set(china_russia["exporter"]) == {"CHN", "RUS"}
    soviet = china_russia[china_russia["year"] < 1992]
    assert set(soviet["recorded_as"]) == {"SUN"}
    assert set(soviet["reporter"]) == {"CHN"}


def test_any_other_pair_comes_from_the_world_table():
    trade = bilateral.totals("DEU", "KAZ")
    flows = load("bilateral-trade").query("year == 2015 and exporter == 'DEU' and importer == 'KAZ'").iloc[0]
    row = trade.query("year == 2015 and exporter == 'DEU' and reporter == 'DEU'").iloc[0]
    assert row["value_usd"] == flows["exporter_reported_fob_musd"] * 1e6
    assert row["valuation"] == "FOB"
    row = trade.query("year == 2015 and exporter == 'DEU' and reporter == 'KAZ'").iloc[0]
    assert row["value_usd"] == flows["importer_reported_cif_musd"] * 1e6
    assert row["valuation"] == "CIF"


def test_the_order_of_the_two_does_not_matter():
    columns = ["year", "exporter", "importer", "reporter"]
    first = bilateral.totals("IND", "RUS").sort_values(columns, ignore_index=True)
    second = bilateral.totals("RUS", "IND").sort_values(columns, ignore_index=True)
    pd.testing.assert_frame_equal(first, second)


def test_a_state_that_ended_is_continued_and_said_so():
    trade = bilateral.totals("IND", "RUS")
    assert trade["year"].min() == 1960
    assert trade.query("year == 1985")["recorded_as"].str.contains("SUN").all()
    assert trade.query("year == 2000")["recorded_as"].str.contains("RUS").all()


def test_a_pair_without_trade_is_refused():
    with pytest.raises(NoTradeDataError, match="No trade between"):
        bilateral.totals("CHN", "CHN")


def test_what_a_reporter_sees(china_russia):
    seen = bilateral.reported_by(china_russia, "CHN", home="CHN")
    mirrored = bilateral.reported_by(china_russia, "CHN", home="RUS")
    np.testing.assert_allclose(seen["total"], seen["exports"] + seen["imports"])
    np.testing.assert_allclose(seen["balance"], -mirrored["balance"])
    # printed by Chinese customs for 2002, in billion US dollars
    assert seen.loc[2002, "total"] == pytest.approx(11.928, abs=0.005)
    with pytest.raises(NoTradeDataError, match="reports no trade"):
        bilateral.reported_by(china_russia, "USA", home="CHN")


def test_mirror_pairs_and_their_weaker_status(china_russia):
    both = bilateral.mirror(china_russia).set_index(["year", "exporter"])
    assert both.index.is_unique
    assert both.loc[(2015, "CHN"), "status"] == "reported"
    assert both.loc[(2021, "CHN"), "status"] == "derived"
    assert both.loc[(2023, "CHN"), "status"] == "estimated"
    assert both.index.get_level_values("year").min() == 1992


def test_a_report_filled_in_by_the_imf_is_no_second_record():
    rows = [("A", "FOB", 100.0), ("B", "CIF", 106.0)]
    trade = pd.DataFrame(
        {
            "year": 2010,
            "exporter": "A",
            "importer": "B",
            "reporter": r,
            "valuation": v,
            "value_usd": x,
            "status": "reported",
        }
        for r, v, x in rows
    )
    assert bilateral.mirror(trade)["status"].tolist() == ["estimated"]
    trade.loc[1, "value_usd"] = 107.0
    assert bilateral.mirror(trade)["status"].tolist() == ["reported"]


def test_unusual_years_by_hand():
    # log changes: 0.1 nine times, once 1.0; the median is 0.1 and the spread zero but for the small noise added here
    steps = np.array([0.10, 0.11, 0.09, 0.10, 0.12, 0.08, 0.10, 1.00, 0.11, 0.09])
    total = pd.Series(np.exp(np.concatenate([[0], steps.cumsum()])), index=range(2000, 2011))
    found = bilateral.unusual_years(total)
    assert found.index[found["unusual"]].tolist() == [2008]
    deviations = np.abs(steps - 0.10)
    assert found.loc[2008, "score"] == pytest.approx(0.90 / (1.4826 * np.median(deviations)))
    assert found.loc[2008, "growth"] == pytest.approx(100 * (np.e - 1))


@given(st.floats(0.01, 1000))
def test_unusual_years_do_not_depend_on_the_unit(scale):
    total = pd.Series([3.0, 4.0, 4.4, 5.0, 2.0, 2.6, 2.9], index=range(2000, 2007))
    pd.testing.assert_frame_equal(bilateral.unusual_years(total), bilateral.unusual_years(total * scale))


def test_growth_over_a_gap_is_left_out():
    total = pd.Series([1.0, 2.0, 3.0, 5.0, 6.0], index=[2000, 2001, 2002, 2005, 2006])
    assert 2005 not in bilateral.unusual_years(total).index
    assert bilateral.unbroken(total).index.tolist() == [2005, 2006]


def test_classifications_of_pairs():
    assert bilateral.classifications("CHN", "RUS") == ["hs-chapter", "sitc-division", "sitc-section", "lall"]
    assert bilateral.classifications("DEU", "RUS") == ["hs-chapter", "sitc-section"]
    assert bilateral.classifications("CHN", "USA") == ["sitc-division", "sitc-section"]
    assert bilateral.classifications("DEU", "KAZ") == ["sitc-section"]


@pytest.mark.parametrize("classification", ["hs-chapter", "sitc-division", "sitc-section", "lall"])
def test_products_have_one_row_per_key_and_every_group_a_name(classification):
    goods = bilateral.products("CHN", "RUS", classification)
    assert not goods.duplicated(["year", "exporter", "product"]).any()
    assert goods[["product", "group"]].notna().all().all()
    assert set(goods["exporter"]) == {"CHN", "RUS"}
    assert goods.attrs["reporter"]


def test_directions_agree_between_classifications():
    """China's machinery exports of 2015 by Russia's and by China's record: the same order of magnitude."""
    hs = bilateral.products("CHN", "RUS", "hs-chapter").query(
        "year == 2015 and exporter == 'CHN' and product in ('84', '85')"
    )
    sitc = bilateral.products("CHN", "RUS", "sitc-section").query(
        "year == 2015 and exporter == 'CHN' and product == '7'"
    )
    assert 1.0 < hs["value_usd"].sum() / sitc["value_usd"].sum() < 2.0


def test_a_classification_that_does_not_exist_for_the_pair_is_refused():
    with pytest.raises(NoTradeDataError, match="available: sitc-section"):
        bilateral.products("DEU", "KAZ", "hs-chapter")


def test_shares_sum_to_one_hundred():
    goods = bilateral.products("CHN", "RUS")
    table = bilateral.shares(goods, "RUS", top=4)
    assert list(table.columns[-1:]) == ["Other"] and len(table.columns) == 5
    np.testing.assert_allclose(table.sum(axis=1), 100)
    with pytest.raises(NoTradeDataError, match="exports nothing"):
        bilateral.shares(goods, "USA")


def test_top_products_rank_by_value():
    goods = bilateral.products("CHN", "RUS").query("year == 2015")
    top = bilateral.top_products(goods, n=3)
    assert top.groupby("exporter")["rank"].agg(list).map(lambda r: r == [1, 2, 3]).all()
    by_hand = goods[goods["exporter"] == "RUS"].groupby("group")["value_usd"].sum()
    assert top.query("exporter == 'RUS'")["group"].iloc[0] == by_hand.idxmax()
    assert top.query("exporter == 'RUS'")["share"].iloc[0] == pytest.approx(100 * by_hand.max() / by_hand.sum())


def test_unpublished_share_matches_its_definition():
    row = bilateral.unpublished_share("CHN").query("year == 2001 and flow == 'export'").iloc[0]
    assert row["share"] == pytest.approx(100 * (1 - row["chapters_usd"] / row["total_usd"]))
    assert 25 < row["share"] < 35  # stated in the known problems of the table: 70-88 % are published


def test_engine_and_memory_give_the_same(monkeypatch):
    """In a browser there is no engine: the chapter's questions are then answered in memory."""

    def asked() -> list[pd.DataFrame]:
        return [
            bilateral.totals("DEU", "KAZ"),
            bilateral.totals("RUS", "CZE"),
            bilateral.products("DEU", "KAZ"),
            bilateral.advantage(["CHN", "RUS"]),
            bilateral.intensity("CHN", "RUS"),
        ]

    by_engine = asked()
    monkeypatch.setattr(bilateral.engine, "available", lambda name: False)
    for one, other in zip(by_engine, asked(), strict=True):
        assert len(one)
        pd.testing.assert_frame_equal(one, other, check_dtype=False, rtol=1e-12)
