"""The analysis written against Ibis gives what the pandas functions of the book give, on the book's own tables.

`CASES` are shared with the test on a Spark cluster (test_spark.py), which compares it with DuckDB.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tradebook import bilateral, engine, flows, indices, network
from tradebook.data import load

ibis = pytest.importorskip("ibis")

YEARS = [1995, 2019, 2020]
SECTIONS = {"sitc_section": "product"}
NEAR = {"rtol": 1e-9, "atol": 1e-12}


def pairs(name: str | None = None):
    """The table of pairs, three years of it."""
    trade = engine.table("bilateral-trade", name)
    return trade.filter(trade["year"].isin(YEARS))


def sections(name: str | None = None):
    """The matrix of SITC sections without its totals."""
    matrix = engine.table("sitc-sections-matrix", name).rename(product="sitc_section")
    return matrix.filter(matrix["product"] != "TOTAL")


def exporters_reports(name: str | None = None):
    """What exporters say of each pair, without the world as a partner."""
    rows = flows.reports(pairs(name))
    return rows.filter(rows["reporter"] == "exporter", rows["exporter"] != "WLD", rows["importer"] != "WLD")


def small(**columns):
    """A table made by hand."""
    return ibis.memtable(pa.table(columns))


# Question by name: engine -> expression.
CASES = {
    "totals": lambda e=None: flows.totals(flows.reports(pairs(e)), ["year", "exporter", "reporter"]),
    "believed": lambda e=None: flows.believed(pairs(e)),
    "between": lambda e=None: flows.between(pairs(e), ["CHN", "RUS", "KAZ"]),
    "mirror": lambda e=None: flows.mirror(flows.reports(pairs(e))),
    "balance": lambda e=None: flows.balance(sections(e)),
    "shares": lambda e=None: flows.shares(
        flows.totals(sections(e), ["year", "exporter", "product"]), ["year", "exporter"]
    ),
    "rca": lambda e=None: flows.revealed_comparative_advantage(sections(e)),
    "hhi": lambda e=None: flows.herfindahl_hirschman(sections(e), by=["year", "exporter"]),
    "hhi without groups": lambda e=None: flows.herfindahl_hirschman(sections(e), by=[]),
    "top": lambda e=None: flows.top_products(sections(e), 3, by=["year", "exporter"]),
    "intensity": lambda e=None: flows.trade_intensity(exporters_reports(e)),
    "growth": lambda e=None: flows.growth(flows.reports(pairs(e)), ["exporter", "reporter"]),
    "contributions": lambda e=None: flows.contributions(sections(e), 1995, 2015),
}


@pytest.fixture(scope="module")
def trade() -> pd.DataFrame:
    """The table of pairs in memory."""
    frame = load("bilateral-trade")
    return frame[frame["year"].isin(YEARS)]


@pytest.fixture(scope="module")
def matrix() -> pd.DataFrame:
    """The matrix of sections in memory."""
    frame = load("sitc-sections-matrix").rename(columns=SECTIONS)
    return frame[frame["product"] != "TOTAL"]


@pytest.fixture(scope="module")
def exports(matrix) -> pd.DataFrame:
    """World exports by economy and section."""
    return indices.aggregate(matrix, ["year", "exporter", "product"])


def same(got: pd.DataFrame, expected: pd.DataFrame, keys: list[str]) -> None:
    """The same rows and columns, in any order, with values equal to nine digits."""
    expected = expected[list(got.columns)].sort_values(keys, ignore_index=True)
    got = got.sort_values(keys, ignore_index=True)
    assert len(got)
    for key in keys:
        assert list(got[key]) == list(expected[key])
    for column in got.columns.difference(keys):
        if pd.api.types.is_numeric_dtype(got[column]):
            np.testing.assert_allclose(got[column].astype(float), expected[column].astype(float), **NEAR)
        else:
            assert list(got[column]) == list(expected[column])


def long(trade: pd.DataFrame) -> pd.DataFrame:
    """Reports one under the other, in pandas."""
    sides = {"exporter": "exporter_reported_fob_musd", "importer": "importer_reported_cif_musd"}
    parts = [
        trade[["year", "exporter", "importer"]].assign(reporter=side, value_usd=trade[column] * 1e6)
        for side, column in sides.items()
    ]
    return pd.concat(parts).dropna(subset="value_usd")


def test_totals(trade):
    expected = long(trade).groupby(["year", "exporter", "reporter"], as_index=False)["value_usd"].sum()
    same(engine.answer(CASES["totals"]()), expected, ["year", "exporter", "reporter"])


def test_believed_is_the_network_of_chapter_1(trade):
    same(engine.answer(CASES["believed"]()), network.flows(trade), ["year", "exporter", "importer"])


def test_between(trade):
    inside = trade["exporter"].isin(["CHN", "RUS", "KAZ"]) & trade["importer"].isin(["CHN", "RUS", "KAZ"])
    same(engine.answer(CASES["between"]()), trade[inside], ["year", "exporter", "importer"])


def test_mirror_is_that_of_chapter_2(trade):
    both = trade.dropna(subset=["exporter_reported_fob_musd", "importer_reported_cif_musd"])
    x, m = both["exporter_reported_fob_musd"] * 1e6, both["importer_reported_cif_musd"] * 1e6
    both = both.assign(exports=x, imports=m)
    same(engine.answer(CASES["mirror"]()), indices.mirror_asymmetry(both), ["year", "exporter", "importer"])


def test_balance(matrix):
    sold = matrix.groupby(["year", "exporter"])["value_usd"].sum().rename_axis(["year", "economy"])
    bought = matrix.groupby(["year", "importer"])["value_usd"].sum().rename_axis(["year", "economy"])
    expected = pd.DataFrame({"exports": sold, "imports": bought}).fillna(0.0)
    expected = expected.assign(total=expected.sum(axis=1), balance=expected["exports"] - expected["imports"])
    same(engine.answer(CASES["balance"]()), expected.reset_index(), ["year", "economy"])


def test_shares(exports):
    sums = exports.groupby(["year", "exporter"])["value_usd"].transform("sum")
    same(engine.answer(CASES["shares"]()), exports.assign(share=exports["value_usd"] / sums), list(exports)[:3])


def test_revealed_comparative_advantage(exports):
    same(engine.answer(CASES["rca"]()), indices.revealed_comparative_advantage(exports), list(exports)[:3])


def test_concentration(exports, matrix):
    expected = indices.herfindahl_hirschman(exports, by=["year", "exporter"])
    same(engine.answer(CASES["hhi"]()), expected, ["year", "exporter"])
    whole = indices.herfindahl_hirschman(indices.aggregate(matrix, ["product"]), by=[])
    assert engine.answer(CASES["hhi without groups"]())["hhi"][0] == pytest.approx(whole["hhi"][0])


def test_top_products_is_that_of_chapter_2(exports):
    got = engine.answer(flows.top_products(flows.between(sections(), ["CHN", "RUS"]), 3, by=["exporter", "importer"]))
    frame = bilateral.products("CHN", "RUS", "sitc-section")
    expected = bilateral.top_products(frame, by="product", n=3)
    expected = expected.assign(share=expected["share"] / 100)
    same(got, expected, ["exporter", "importer", "rank"])
    ranks = engine.answer(CASES["top"]()).groupby(["year", "exporter"])["rank"]
    assert (ranks.min() == 1).all() and (ranks.max() <= 3).all()
    assert len(ranks) == len(exports.groupby(["year", "exporter"]))


def test_equal_products_are_ranked_by_code():
    equal = small(exporter=["A"] * 3, product=["c", "a", "b"], value_usd=[1.0, 1.0, 1.0])
    assert list(engine.answer(flows.top_products(equal, 2), ["rank"])["product"]) == ["a", "b"]


def test_trade_intensity(trade):
    sold = long(trade).query("reporter == 'exporter' and exporter != 'WLD' and importer != 'WLD'")
    expected = indices.trade_intensity(sold.drop(columns="reporter"))
    same(engine.answer(CASES["intensity"]()), expected, ["year", "exporter", "importer"])


def test_growth(trade):
    sums = long(trade).groupby(["exporter", "reporter", "year"], as_index=False)["value_usd"].sum()
    before = sums.assign(year=sums["year"] + 1).rename(columns={"value_usd": "before"})
    both = sums.merge(before, how="left")
    expected = both.assign(growth=both["value_usd"] / both["before"].replace(0, np.nan) - 1)
    got = engine.answer(CASES["growth"]())
    assert got["growth"].notna().any() and got["growth"].isna().any()
    same(got, expected, ["exporter", "reporter", "year"])


def test_contributions(exports):
    # An exporter without any trade at the start has no growth: there the function in memory refuses.
    began = exports[(exports["year"] == 1995) & (exports["value_usd"] > 0)]["exporter"]
    expected = indices.growth_decomposition(exports[exports["exporter"].isin(began)], 1995, 2015, by="exporter")
    got = engine.answer(CASES["contributions"]())
    assert set(got["margin"]) == {"entering", "leaving", "intensive"}
    assert got.loc[~got["exporter"].isin(began), "contribution"].isna().all()
    same(got[got["exporter"].isin(began)], expected, ["exporter", "product"])


def test_missing_is_not_zero():
    gaps = small(year=[1] * 3, exporter=["A", "A", "B"], product=["x", "y", "x"], value_usd=[None, 2.0, None])
    sums = engine.answer(flows.totals(gaps, "exporter")).set_index("exporter")["value_usd"]
    assert sums["A"] == 2 and np.isnan(sums["B"])
    counted = engine.answer(flows.herfindahl_hirschman(gaps, by=["year", "exporter"])).set_index("exporter")
    assert counted["n_products"].to_dict() == {"A": 1, "B": 0}
    assert counted["hhi"]["A"] == 1 and np.isnan(counted["hhi"]["B"])


def test_a_missing_column_is_named():
    with pytest.raises(flows.FlowsError, match=r"no column \['reporter'\]"):
        flows.mirror(sections())
    with pytest.raises(flows.FlowsError, match="exporter_reported_fob_musd"):
        flows.reports(sections())
