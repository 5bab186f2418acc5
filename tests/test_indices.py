"""Trade indices: cases worked by hand, algebraic properties, independent implementations."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from ecomplexity import ecomplexity
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import braycurtis
from scipy.stats import entropy
from scipy.stats.contingency import expected_freq

from tradebook import indices
from tradebook.errors import TradebookError
from tradebook.indices import IndexInputError

quick = settings(derandomize=True, max_examples=15, deadline=None, database=None)

# Whole-number trade: sums are exact, so properties can be checked tightly.
amounts = st.integers(min_value=0, max_value=10_000)


def tables(rows: tuple[int, int] = (2, 5), columns: tuple[int, int] = (2, 6)):
    """Matrices of trade in which every row and every column has some."""
    shape = st.tuples(st.integers(*rows), st.integers(*columns))
    return hnp.arrays(np.int64, shape, elements=amounts).filter(
        lambda table: (table.sum(axis=0) > 0).all() and (table.sum(axis=1) > 0).all()
    )


def tidy(table, *, row="exporter", column="product", year=2015) -> pd.DataFrame:
    """The matrix as a tidy frame: rows named A, B, ...; columns p0, p1, ..."""
    table = np.asarray(table, dtype=float)
    return pd.DataFrame(
        {
            "year": year,
            row: np.repeat([chr(65 + i) for i in range(table.shape[0])], table.shape[1]),
            column: np.tile([f"p{k}" for k in range(table.shape[1])], table.shape[0]),
            "value_usd": table.ravel(),
        }
    )


def two_way(exports, imports, year=2015) -> pd.DataFrame:
    """Exports and imports by product p0, p1, ..."""
    return pd.DataFrame(
        {
            "year": year,
            "product": [f"p{k}" for k in range(len(exports))],
            "exports": np.asarray(exports, dtype=float),
            "imports": np.asarray(imports, dtype=float),
        }
    )


def column(frame: pd.DataFrame, name: str) -> list[float]:
    return frame[name].tolist()


def one(frame: pd.DataFrame, name: str) -> float:
    assert len(frame) == 1
    return frame[name].iloc[0]


# Two exporters, two products; world exports 100: A has 40, B has 60; p0 has 50, p1 has 50.
WORLD = tidy([[30, 10], [20, 40]])


# --- Preparing a table -------------------------------------------------------------------------


def test_aggregate_sums_reported_parts_and_keeps_wholly_missing_sums_missing():
    flows = pd.DataFrame(
        {
            "year": [2000, 2000, 2001, 2001, 2002, 2002],
            "importer": list("ababab"),
            "value_usd": [1, 2, 3, np.nan, np.nan, np.nan],
        }
    )
    assert column(indices.aggregate(flows, "year"), "value_usd")[:2] == [3, 3]
    assert math.isnan(indices.aggregate(flows, "year")["value_usd"].iloc[2])


def test_aggregate_over_everything_is_one_row():
    assert one(indices.aggregate(WORLD, []), "value_usd") == 100


def test_exports_and_imports_leaves_gaps_unless_told_that_they_are_zeros():
    flows = pd.DataFrame(
        {
            "year": 2015,
            "product": ["p0", "p0", "p1"],
            "flow": pd.Categorical(["export", "import", "import"]),
            "value_usd": [1.0, 2.0, 3.0],
        }
    )
    keys = ["year", "product"]
    gaps = indices.exports_and_imports(flows, keys)
    assert column(gaps, "imports") == [2, 3]
    assert gaps["exports"].isna().tolist() == [False, True]
    assert column(indices.exports_and_imports(flows, keys, missing_as_zero=True), "exports") == [
        1,
        0,
    ]
    with pytest.raises(IndexInputError, match="re-export"):
        indices.exports_and_imports(flows.assign(flow=["re-export", "import", "import"]), keys)
    with pytest.raises(IndexInputError, match="key"):
        indices.exports_and_imports(flows, [])


def test_a_table_with_one_flow_only_still_has_both_columns():
    flows = pd.DataFrame({"year": [2015], "flow": ["export"], "value_usd": [5.0]})
    assert column(indices.exports_and_imports(flows, "year", missing_as_zero=True), "imports") == [0]


# --- Comparative advantage ---------------------------------------------------------------------


def test_rca_by_hand():
    # A: (30/40)/(50/100) = 1.5 and (10/40)/0.5 = 0.5; B: (20/60)/0.5 = 2/3 and (40/60)/0.5 = 4/3.
    rca = indices.revealed_comparative_advantage(WORLD)
    assert column(rca, "rca") == pytest.approx([1.5, 0.5, 2 / 3, 4 / 3])
    assert "rca" not in WORLD.columns


def test_rca_against_a_given_world():
    # World shares 0.2 and 0.8: A has 0.75/0.2 = 3.75 and 0.25/0.8 = 0.3125.
    world = pd.DataFrame({"year": 2015, "product": ["p0", "p1"], "value_usd": [200.0, 800.0]})
    only_a = WORLD[WORLD["exporter"] == "A"].set_index(pd.Index([7, 3]))
    rca = indices.revealed_comparative_advantage(only_a, world=world)
    assert rca["rca"].to_dict() == pytest.approx({7: 3.75, 3: 0.3125})
    with pytest.raises(IndexInputError, match="product=p1"):
        indices.revealed_comparative_advantage(only_a, world=world.iloc[:1])


def test_rca_missing_value_is_left_out_of_every_total_and_zero_is_not():
    # Without A's p1: A exports 30, all p0; world 90, of which p0 50. A: 1/(5/9) = 1.8.
    flows = WORLD.assign(value_usd=[30, np.nan, 20, 40])
    assert column(indices.revealed_comparative_advantage(flows), "rca")[0] == pytest.approx(1.8)
    assert math.isnan(indices.revealed_comparative_advantage(flows)["rca"].iloc[1])
    zero = WORLD.assign(value_usd=[30, 0, 20, 40])
    assert column(indices.revealed_comparative_advantage(zero), "rca")[:2] == pytest.approx([1.8, 0])


def test_rca_years_are_computed_apart_and_by_may_be_empty():
    other = tidy([[1, 1], [1, 3]], year=2016)
    both = indices.revealed_comparative_advantage(pd.concat([WORLD, other], ignore_index=True))
    alone = indices.revealed_comparative_advantage(other.drop(columns="year"), by=[])
    assert column(both, "rca")[4:] == column(alone, "rca")


@quick
@given(tables())
def test_rca_export_weighted_mean_is_one(table):
    rca = indices.revealed_comparative_advantage(tidy(table))["rca"].to_numpy()
    world_structure = table.sum(axis=0) / table.sum()
    assert rca.reshape(table.shape) @ world_structure == pytest.approx(np.ones(len(table)))
    exporter_weights = table.sum(axis=1) / table.sum()
    assert exporter_weights @ rca.reshape(table.shape) == pytest.approx(np.ones(table.shape[1]))


@quick
@given(tables(), st.floats(1e-6, 1e9))
def test_rca_does_not_depend_on_the_unit(table, unit):
    plain = indices.revealed_comparative_advantage(tidy(table))["rca"]
    scaled = indices.revealed_comparative_advantage(tidy(table * unit))["rca"]
    assert scaled.to_numpy() == pytest.approx(plain.to_numpy())


@quick
@given(tables())
def test_rca_equals_observed_over_expected_frequency(table):
    # The Balassa index is a cell of a contingency table over its value under independence.
    rca = indices.revealed_comparative_advantage(tidy(table))["rca"]
    assert rca.to_numpy() == pytest.approx((table / expected_freq(table)).ravel())


def test_rca_equals_the_ecomplexity_package_cell_by_cell():
    rng = np.random.default_rng(1965)
    frames = []
    for year in (2005, 2015):
        flows = tidy(rng.lognormal(3, 2, size=(12, 15)), year=year)
        flows.loc[rng.random(len(flows)) < 0.2, "value_usd"] = 0.0
        frames.append(flows.sample(frac=0.9, random_state=year))  # some cells have no row
    flows = pd.concat(frames, ignore_index=True)
    names = {"time": "year", "loc": "exporter", "prod": "product", "val": "value_usd"}
    with warnings.catch_warnings():
        # Its complexity step may warn on random tables; only its RCA is of interest here.
        warnings.simplefilter("ignore")
        theirs = ecomplexity(flows, names, check_logsupermodularity=False, verbose=False)
    ours = indices.revealed_comparative_advantage(flows)
    merged = ours.merge(theirs, on=["year", "exporter", "product"], suffixes=("", "_theirs"))
    assert len(merged) == len(flows) == 324
    assert merged["rca"].to_numpy() == pytest.approx(merged["rca_theirs"].to_numpy(), rel=1e-12)


def test_symmetric_rca_by_hand():
    # (0-1)/1 = -1; (1-1)/2 = 0; (3-1)/4 = 0.5.
    assert indices.symmetric_rca(pd.Series([0.0, 1.0, 3.0])).tolist() == [-1, 0, 0.5]
    with pytest.raises(IndexInputError, match="negative"):
        indices.symmetric_rca(pd.Series([1.0, -0.5]))


@quick
@given(st.lists(st.floats(1e-6, 1e6), min_size=1))
def test_symmetric_rca_changes_sign_when_rca_is_inverted(values):
    rca = pd.Series(values)
    symmetric = indices.symmetric_rca(rca)
    assert symmetric.between(-1, 1).all()
    assert symmetric.to_numpy() == pytest.approx(-indices.symmetric_rca(1 / rca), abs=1e-9)


def test_lafay_by_hand():
    # x = 30, 10; m = 10, 10: T = 60, B = 20/60 = 1/3.
    # p0: 100 (20/40 - 1/3) 40/60 = 11.11; p1: 100 (0/20 - 1/3) 20/60 = -11.11.
    lafay = column(indices.lafay(two_way([30, 10], [10, 10])), "lafay")
    assert lafay == pytest.approx([100 / 9, -100 / 9])


def test_lafay_untraded_product_is_zero_and_one_sided_report_is_not_counted():
    full = indices.lafay(two_way([30, 10, 0, 5], [10, 10, 0, np.nan]))
    assert column(full, "lafay")[:3] == pytest.approx([100 / 9, -100 / 9, 0])
    assert math.isnan(full["lafay"].iloc[3])


@quick
@given(tables(rows=(2, 2)))
def test_lafay_sums_to_zero_is_bounded_and_changes_sign_with_the_direction(table):
    lafay = indices.lafay(two_way(table[0], table[1]))["lafay"].to_numpy()
    assert lafay.sum() == pytest.approx(0, abs=1e-9)
    assert (np.abs(lafay) <= 50 + 1e-9).all()
    mirrored = indices.lafay(two_way(table[1], table[0]))["lafay"].to_numpy()
    assert mirrored == pytest.approx(-lafay, abs=1e-9)


@quick
@given(tables(rows=(2, 2)))
def test_lafay_equals_the_formula_as_printed(table):
    x, m = table.astype(float)
    both = x + m
    printed = 100 * ((x - m) / both - (x - m).sum() / both.sum()) * both / both.sum()
    assert indices.lafay(two_way(x, m))["lafay"].to_numpy() == pytest.approx(printed, abs=1e-9)


# --- Intra-industry trade ----------------------------------------------------------------------


def test_grubel_lloyd_by_hand():
    # 1 - |30-10|/40 = 0.5; 1 - 0/20 = 1; one-way trade 0; total: 1 - (20+0+40)/(40+20+40) = 0.4.
    trade = two_way([30, 10, 40], [10, 10, 0])
    assert column(indices.grubel_lloyd(trade), "grubel_lloyd") == [0.5, 1, 0]
    total = indices.grubel_lloyd_aggregate(trade)
    assert one(total, "grubel_lloyd") == pytest.approx(0.4)
    assert one(total, "n_products") == 3


def test_grubel_lloyd_missing_side_is_not_computed_and_not_counted():
    trade = two_way([30, np.nan, 0], [10, 50, 0])
    assert indices.grubel_lloyd(trade)["grubel_lloyd"].isna().tolist() == [False, True, True]
    total = indices.grubel_lloyd_aggregate(trade)
    assert one(total, "grubel_lloyd") == 0.5
    assert one(total, "n_products") == 2


@quick
@given(tables(rows=(2, 2)))
def test_grubel_lloyd_total_is_the_trade_weighted_mean_and_ignores_direction(table):
    trade = two_way(table[0], table[1])
    weights = table.sum(axis=0)
    by_product = indices.grubel_lloyd(trade)["grubel_lloyd"]
    assert by_product.between(0, 1).all()
    total = one(indices.grubel_lloyd_aggregate(trade), "grubel_lloyd")
    assert total == pytest.approx(np.average(by_product, weights=weights))
    mirrored = two_way(table[1], table[0])
    assert one(indices.grubel_lloyd_aggregate(mirrored), "grubel_lloyd") == total
    # Merging products can only raise the measured intra-industry trade.
    merged = two_way([table[0].sum()], [table[1].sum()])
    assert one(indices.grubel_lloyd_aggregate(merged), "grubel_lloyd") >= total - 1e-12


@quick
@given(tables(rows=(2, 2)))
def test_grubel_lloyd_total_is_one_less_the_bray_curtis_distance(table):
    total = one(indices.grubel_lloyd_aggregate(two_way(*table)), "grubel_lloyd")
    assert total == pytest.approx(1 - braycurtis(*table.astype(float)))


# --- Pairs of economies ------------------------------------------------------------------------


def test_trade_intensity_by_hand():
    # A sells 30 of 40 to p0, the world 50 of 100: (30/40)/(50/100) = 1.5; the others as for RCA.
    flows = tidy([[30, 10], [20, 40]], column="importer")
    intensity = indices.trade_intensity(flows)
    assert column(intensity, "trade_intensity") == pytest.approx([1.5, 0.5, 2 / 3, 4 / 3])


@quick
@given(tables())
def test_trade_intensity_equals_observed_over_expected_frequency(table):
    intensity = indices.trade_intensity(tidy(table, column="importer"))["trade_intensity"]
    assert intensity.to_numpy() == pytest.approx((table / expected_freq(table)).ravel())


def test_complementarity_by_hand():
    # A exports 0.75, 0.25; B exports 1/3, 2/3. Q imports 0.5, 0.5.
    # A-Q: 1 - (0.25+0.25)/2 = 0.75; B-Q: 1 - (1/6+1/6)/2 = 5/6.
    imports = pd.DataFrame({"year": 2015, "importer": "Q", "product": ["p0", "p1"], "value_usd": [7.0, 7.0]})
    result = indices.trade_complementarity(WORLD, imports)
    assert list(result.columns) == ["year", "exporter", "importer", "complementarity"]
    assert column(result, "complementarity") == pytest.approx([0.75, 5 / 6])


def test_complementarity_product_reported_by_one_side_only_has_no_share_on_the_other():
    # Exports 0.5 p0, 0.5 p1; imports all p2: nothing in common.
    exports = tidy([[5, 5]])
    imports = pd.DataFrame({"year": [2015], "importer": ["Q"], "product": ["p2"], "value_usd": [9.0]})
    assert one(indices.trade_complementarity(exports, imports), "complementarity") == 0


def test_complementarity_refuses_years_of_one_table_only_and_one_name_for_both_sides():
    imports = WORLD.rename(columns={"exporter": "importer"})
    with pytest.raises(IndexInputError, match="year=2016"):
        indices.trade_complementarity(WORLD, pd.concat([imports, imports.assign(year=2016)], ignore_index=True))
    with pytest.raises(IndexInputError, match="same column"):
        indices.trade_complementarity(WORLD, WORLD, importer="exporter")


@quick
@given(tables(), st.data())
def test_complementarity_is_the_overlap_of_shares_and_symmetric_in_structures(table, data):
    other = data.draw(tables(rows=(2, 4), columns=(table.shape[1], table.shape[1])), label="imports")
    exports, imports = tidy(table), tidy(other, row="importer")
    imports["importer"] = "m" + imports["importer"]
    result = indices.trade_complementarity(exports, imports)
    x = table / table.sum(axis=1, keepdims=True)
    m = other / other.sum(axis=1, keepdims=True)
    overlap = np.minimum(x[:, None, :], m[None, :, :]).sum(axis=2)
    assert column(result, "complementarity") == pytest.approx(overlap.ravel().tolist(), abs=1e-12)
    assert result["complementarity"].between(0, 1).all()
    same = indices.trade_complementarity(
        exports, exports.assign(importer="m" + exports["exporter"]).drop(columns="exporter")
    )
    own = same[same["importer"] == "m" + same["exporter"]]
    assert column(own, "complementarity") == pytest.approx([1.0] * len(table))


def test_export_similarity_by_hand():
    # A 0.75, 0.25; B 1/3, 2/3: min 1/3 + 1/4 = 7/12, in both directions.
    result = indices.export_similarity(WORLD)
    assert list(result.columns) == ["year", "exporter", "other_exporter", "export_similarity"]
    assert column(result, "exporter") == ["A", "B"]
    assert column(result, "other_exporter") == ["B", "A"]
    assert column(result, "export_similarity") == pytest.approx([7 / 12, 7 / 12])


@quick
@given(tables(), st.integers(1, 1000))
def test_export_similarity_is_symmetric_bounded_and_independent_of_size(table, factor):
    result = indices.export_similarity(tidy(table))
    matrix = result.pivot(index="exporter", columns="other_exporter", values="export_similarity")
    assert np.allclose(matrix, matrix.T, equal_nan=True)
    assert result["export_similarity"].between(0, 1).all()
    scaled = table.copy()
    scaled[0] *= factor
    again = indices.export_similarity(tidy(scaled))
    assert column(again, "export_similarity") == pytest.approx(column(result, "export_similarity"), abs=1e-12)
    x = table / table.sum(axis=1, keepdims=True)
    first = result["export_similarity"].iloc[0]
    assert first == pytest.approx(1 - braycurtis(x[0], x[1]), abs=1e-12)


# --- Concentration and diversification ---------------------------------------------------------


def test_herfindahl_by_hand():
    # Shares 0.5, 0.3, 0.2: H = 0.25 + 0.09 + 0.04 = 0.38; (0.38 - 1/3)/(1 - 1/3) = 0.07.
    result = indices.herfindahl_hirschman(tidy([[50, 30, 20]]))
    assert one(result, "n_products") == 3
    assert one(result, "hhi") == pytest.approx(0.38)
    assert one(result, "hhi_normalised") == pytest.approx(0.07)
    # (0.6164414 - 0.5773503) / (1 - 0.5773503) = 0.0924906
    assert one(result, "hhi_unctad") == pytest.approx(0.0924906, abs=1e-7)


def test_concentration_counts_zeros_but_not_missing_products():
    # Shares 0.5, 0.5. n = 2: normalised 0. With a reported zero n = 3: (0.5 - 1/3)/(2/3) = 0.25.
    missing = tidy([[50, 50, np.nan]])
    zero = tidy([[50, 50, 0]])
    assert one(indices.herfindahl_hirschman(missing), "hhi_normalised") == pytest.approx(0)
    assert one(indices.herfindahl_hirschman(zero), "hhi_normalised") == pytest.approx(0.25)
    assert one(indices.theil_concentration(missing), "theil") == pytest.approx(0)
    assert one(indices.theil_concentration(zero), "theil") == pytest.approx(math.log(3 / 2))
    told = indices.herfindahl_hirschman(missing, n_products=3)
    assert one(told, "hhi_normalised") == pytest.approx(0.25)
    told = indices.theil_concentration(missing, n_products=3)
    assert one(told, "theil") == pytest.approx(math.log(3 / 2))
    assert one(told, "n_products") == 3


@pytest.mark.parametrize("index", [indices.herfindahl_hirschman, indices.theil_concentration])
def test_concentration_refuses_a_classification_smaller_than_the_report(index):
    with pytest.raises(IndexInputError, match="n_products=2"):
        index(tidy([[50, 30, 20]]), n_products=2)


def test_a_single_product_has_full_concentration_and_no_normalised_one():
    result = indices.herfindahl_hirschman(tidy([[50]]))
    assert one(result, "hhi") == 1
    assert math.isnan(one(result, "hhi_normalised"))
    assert math.isnan(one(result, "hhi_unctad"))


@quick
@given(tables(columns=(2, 8)))
def test_herfindahl_bounds(table):
    result = indices.herfindahl_hirschman(tidy(table), by=["year", "exporter"])
    n = table.shape[1]
    assert result["hhi"].between(1 / n - 1e-12, 1 + 1e-12).all()
    assert result["hhi_normalised"].between(-1e-12, 1 + 1e-12).all()
    assert result["hhi_unctad"].between(-1e-12, 1 + 1e-12).all()
    equal = indices.herfindahl_hirschman(tidy(np.ones((1, n))))
    assert one(equal, "hhi") == pytest.approx(1 / n)


def test_theil_by_hand():
    # Shares 0.5, 0.25, 0.25: ln 3 + 0.5 ln 0.5 + 0.5 ln 0.25 = ln 3 - 1.5 ln 2 = 0.0588915.
    assert one(indices.theil_concentration(tidy([[50, 25, 25]])), "theil") == pytest.approx(
        math.log(3) - 1.5 * math.log(2)
    )


@quick
@given(tables(columns=(2, 8)))
def test_theil_is_bounded_and_the_missing_part_of_entropy(table):
    theil = indices.theil_concentration(tidy(table), by=["year", "exporter"])["theil"].to_numpy()
    n = table.shape[1]
    assert ((theil >= 0) & (theil <= math.log(n) + 1e-12)).all()
    assert theil == pytest.approx(math.log(n) - entropy(table, axis=1), abs=1e-12)
    # The definition with means: (1/n) sum (x/mu) ln(x/mu).
    ratio = table / table.mean(axis=1, keepdims=True)
    defined = (ratio * np.log(np.where(ratio > 0, ratio, 1))).mean(axis=1)
    assert theil == pytest.approx(defined, abs=1e-12)


@quick
@given(tables(columns=(4, 8)))
def test_theil_decomposes_into_between_and_within_groups_of_products(table):
    flows = tidy(table[:1] + 1)
    flows["group"] = np.where(flows["product"].isin(["p0", "p1"]), "first", "rest")
    whole = one(indices.theil_concentration(flows), "theil")
    within = indices.theil_concentration(flows, by=["year", "group"])
    totals = flows.groupby("group")["value_usd"].sum().to_numpy()
    share = totals / totals.sum()
    size = within["n_products"].to_numpy() / len(flows)
    between = (share * np.log(share / size)).sum()
    assert whole == pytest.approx((share * within["theil"]).sum() + between, abs=1e-12)


def test_diversification_by_hand():
    # World 0.5, 0.5. A: (0.25 + 0.25)/2 = 0.25; B: (1/6 + 1/6)/2 = 1/6.
    result = indices.export_diversification(WORLD)
    assert column(result, "diversification") == pytest.approx([0.25, 1 / 6])
    # World 0.2, 0.8: A (0.55 + 0.55)/2 = 0.55.
    world = pd.DataFrame({"year": 2015, "product": ["p0", "p1"], "value_usd": [2.0, 8.0]})
    given_world = indices.export_diversification(WORLD, world=world)
    assert column(given_world, "diversification")[0] == pytest.approx(0.55)


@quick
@given(tables())
def test_diversification_is_the_same_whether_a_product_is_zero_or_unreported(table):
    full = tidy(table)
    result = indices.export_diversification(full)
    assert result["diversification"].between(0, 1).all()
    x = table / table.sum(axis=1, keepdims=True)
    world = table.sum(axis=0) / table.sum()
    expected = [braycurtis(row, world) for row in x]
    assert column(result, "diversification") == pytest.approx(expected, abs=1e-12)
    listed = full[full["value_usd"] > 0]
    unreported = full.assign(value_usd=full["value_usd"].replace(0, np.nan))
    for fewer in (listed, unreported):
        again = indices.export_diversification(fewer)
        assert column(again, "diversification") == pytest.approx(expected, abs=1e-12)


def test_export_margins_by_hand():
    # World p0 50, p1 30, p2 20. A exports p0 (30 of 50) only: extensive 0.5, intensive 0.6.
    # B exports all (20, 30, 20): extensive 1, intensive 70/100.
    flows = tidy([[30, 0, np.nan], [20, 30, 20]])
    result = indices.export_margins(flows)
    assert column(result, "extensive_margin") == pytest.approx([0.5, 1.0])
    assert column(result, "intensive_margin") == pytest.approx([0.6, 0.7])


@quick
@given(tables())
def test_export_margins_multiply_to_the_share_in_world_exports(table):
    flows = tidy(table)
    world = indices.aggregate(flows, ["year", "product"])
    for margins in (indices.export_margins(flows), indices.export_margins(flows, world=world)):
        product = margins["extensive_margin"] * margins["intensive_margin"]
        assert product.to_numpy() == pytest.approx(table.sum(axis=1) / table.sum())
        assert margins["extensive_margin"].between(0, 1 + 1e-12).all()
        assert margins["intensive_margin"].between(0, 1 + 1e-12).all()


# --- Growth ------------------------------------------------------------------------------------


def test_cagr_by_hand():
    # 100 -> 121 in two years: 10 % a year. 100 -> 110 -> 121 whatever lies between.
    series = pd.Series({2000: 100.0, 2001: 500.0, 2002: 121.0, 2003: np.nan, 2004: 0.0})
    assert indices.compound_annual_growth_rate(series, 2000, 2002) == pytest.approx(0.10)
    assert indices.compound_annual_growth_rate(series) == -1
    assert indices.compound_annual_growth_rate(series, 2000, 2001) == 4


@pytest.mark.parametrize(
    ("values", "start", "end", "says"),
    [
        ({}, None, None, "indexed by year"),
        ({"2000": 1.0, "2001": 2.0}, None, None, "indexed by year"),
        ({2000: 1.0, 2002: 2.0}, 2000, 2001, "2001"),
        ({2000: 1.0, 2001: np.nan}, 2000, 2001, "2001"),
        ({2000: 1.0, 2001: 2.0}, 2001, 2000, "must come after"),
        ({2000: 1.0}, None, None, "must come after"),
        ({2000: 0.0, 2001: 2.0}, None, None, "must be positive"),
        ({2000: 1.0, 2001: -2.0}, None, None, "must be positive"),
    ],
)
def test_cagr_refuses_what_has_no_rate(values, start, end, says):
    with pytest.raises(IndexInputError, match=says):
        indices.compound_annual_growth_rate(pd.Series(values, dtype=float), start, end)


def test_cagr_refuses_a_year_given_twice():
    series = pd.Series([1.0, 2.0, 3.0], index=[2000, 2001, 2001])
    with pytest.raises(IndexInputError, match="exactly one reported value for 2001"):
        indices.compound_annual_growth_rate(series)


@quick
@given(st.floats(1e-3, 1e6), st.floats(1e-3, 1e6), st.integers(1, 60))
def test_cagr_compounds_back_to_the_last_value(first, last, years):
    rate = indices.compound_annual_growth_rate(pd.Series({2000: first, 2000 + years: last}))
    assert first * (1 + rate) ** years == pytest.approx(last)


def two_years(start, end) -> pd.DataFrame:
    return pd.concat(
        [tidy([values], year=year) for values, year in ((start, 2000), (end, 2010))],
        ignore_index=True,
    ).drop(columns="exporter")


def test_growth_decomposition_by_hand():
    # From 100 to 150. p0 60 -> 90 (+0.30), p1 40 -> 0 (-0.40), p2 0 -> 55 (+0.55),
    # p3 not listed -> 5 (+0.05). Total +0.50. p4 untraded in both: not listed.
    flows = two_years([60, 40, 0, np.nan, 0], [90, 0, 55, 5, 0])
    result = indices.growth_decomposition(flows, 2000, 2010)
    assert column(result, "product") == ["p0", "p1", "p2", "p3"]
    assert column(result, "margin") == ["intensive", "leaving", "entering", "entering"]
    assert column(result, "contribution") == pytest.approx([0.30, -0.40, 0.55, 0.05])
    margins = indices.growth_margins(result)
    assert one(margins, "entering") == pytest.approx(0.60)
    assert one(margins, "leaving") == pytest.approx(-0.40)
    assert one(margins, "intensive") == pytest.approx(0.30)
    assert one(margins, "growth") == pytest.approx(0.50)


@quick
@given(tables(rows=(2, 2), columns=(1, 8)))
def test_growth_contributions_sum_to_total_growth(table):
    result = indices.growth_decomposition(two_years(*table), 2000, 2010)
    growth = table[1].sum() / table[0].sum() - 1
    assert result["change"].sum() == table[1].sum() - table[0].sum()
    assert result["contribution"].sum() == pytest.approx(growth, rel=1e-9, abs=1e-12)
    margins = indices.growth_margins(result)
    parts = margins[["entering", "leaving", "intensive"]].sum(axis=1).iloc[0]
    assert parts == pytest.approx(one(margins, "growth"), rel=1e-9, abs=1e-12)
    assert one(margins, "entering") >= 0 >= one(margins, "leaving")


def test_growth_decomposition_of_several_partners():
    flows = pd.concat(
        [
            two_years([1, 1], [2, 1]).assign(partner="A"),
            two_years([1, 3], [1, 0]).assign(partner="B"),
        ],
        ignore_index=True,
    )
    result = indices.growth_decomposition(flows, 2000, 2010, by="partner")
    margins = indices.growth_margins(result, by="partner")
    assert column(margins, "partner") == ["A", "B"]
    assert column(margins, "growth") == pytest.approx([0.5, -0.75])
    assert column(margins, "leaving") == pytest.approx([0, -0.75])


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [(2000, 2011, "no rows for 2011"), (2010, 2000, "must come after"), (2000, 2010, "No trade")],
)
def test_growth_decomposition_refuses_years_it_cannot_compare(start, end, says):
    with pytest.raises(IndexInputError, match=says):
        indices.growth_decomposition(two_years([0, 0], [1, 2]), start, end)


# --- Balance, openness, mirror statistics ------------------------------------------------------


def test_trade_balance_by_hand():
    trade = pd.DataFrame({"year": [1, 2, 3], "exports": [30, 0, 5], "imports": [10, 0, np.nan]})
    result = indices.trade_balance(trade)
    assert column(result, "balance")[:2] == [20, 0]
    assert column(result, "normalised_balance")[0] == 0.5
    assert result["normalised_balance"].isna().tolist() == [False, True, True]
    assert math.isnan(result["balance"].iloc[2])


def test_trade_openness_by_hand():
    trade = pd.DataFrame({"year": [1, 2], "exports": [30, 1], "imports": [10, 1], "gdp": [200, 1]})
    assert column(indices.trade_openness(trade), "openness") == [0.2, 2]
    with pytest.raises(IndexInputError, match="positive GDP"):
        indices.trade_openness(trade.assign(gdp=[200, 0]))


def mirror(exports, imports) -> pd.DataFrame:
    size = len(exports)
    return pd.DataFrame(
        {
            "year": range(size),
            "exporter": "CHN",
            "importer": "RUS",
            "exports": exports,
            "imports": imports,
        }
    )


def test_mirror_asymmetry_by_hand():
    # Exporter 100, importer 110: gap 10, ratio 1.1, 10/105, ln 1.1.
    result = indices.mirror_asymmetry(mirror([100.0], [110.0]))
    assert one(result, "gap") == 10
    assert one(result, "cif_fob_ratio") == pytest.approx(1.1)
    assert one(result, "relative_gap") == pytest.approx(10 / 105)
    assert one(result, "log_ratio") == pytest.approx(0.0953101798)


def test_mirror_asymmetry_of_missing_and_zero_reports():
    result = indices.mirror_asymmetry(mirror([np.nan, 0, 5, 0], [10, 10, 0, 0]))
    assert result["gap"].isna().tolist() == [True, False, False, False]
    assert result["cif_fob_ratio"].isna().tolist() == [True, True, False, True]
    assert result["log_ratio"].isna().all()
    assert column(result, "relative_gap")[1:3] == [2, -2]
    assert math.isnan(result["relative_gap"].iloc[3])


@quick
@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 10**9)), min_size=1, max_size=20))
def test_mirror_measures_change_sign_when_the_reports_are_exchanged(reports):
    x, m = zip(*reports, strict=True)
    one_way = indices.mirror_asymmetry(mirror(x, m))
    other = indices.mirror_asymmetry(mirror(m, x))
    for name in ("gap", "relative_gap", "log_ratio"):
        assert column(one_way, name) == pytest.approx((-other[name]).tolist(), abs=1e-9)
    assert one_way["relative_gap"].between(-2, 2).all()
    assert np.exp(one_way["log_ratio"]).to_numpy() == pytest.approx(one_way["cif_fob_ratio"])


# --- What no index accepts ---------------------------------------------------------------------

# Every index with a table it accepts.
PRODUCTS = tidy([[50, 30, 20]])
TRADE = two_way([30, 10], [10, 10])
YEARS = two_years([1, 2], [3, 4])
CASES = {
    "aggregate": (lambda f: indices.aggregate(f, "product"), PRODUCTS, "value_usd"),
    "revealed_comparative_advantage": (
        indices.revealed_comparative_advantage,
        WORLD,
        "value_usd",
    ),
    "lafay": (indices.lafay, TRADE, "imports"),
    "grubel_lloyd": (indices.grubel_lloyd, TRADE, "exports"),
    "grubel_lloyd_aggregate": (indices.grubel_lloyd_aggregate, TRADE, "imports"),
    "trade_intensity": (
        indices.trade_intensity,
        WORLD.rename(columns={"product": "importer"}),
        "value_usd",
    ),
    "trade_complementarity": (
        lambda f: indices.trade_complementarity(
            WORLD, f.rename(columns={"exporter": "importer"}) if isinstance(f, pd.DataFrame) else f
        ),
        WORLD,
        "value_usd",
    ),
    "export_similarity": (indices.export_similarity, WORLD, "value_usd"),
    "herfindahl_hirschman": (indices.herfindahl_hirschman, PRODUCTS, "value_usd"),
    "theil_concentration": (indices.theil_concentration, PRODUCTS, "value_usd"),
    "export_diversification": (indices.export_diversification, WORLD, "value_usd"),
    "export_margins": (indices.export_margins, WORLD, "value_usd"),
    "growth_decomposition": (
        lambda f: indices.growth_decomposition(f, 2000, 2010),
        YEARS,
        "value_usd",
    ),
    "trade_balance": (indices.trade_balance, TRADE.iloc[:1], "exports"),
    "trade_openness": (indices.trade_openness, TRADE.iloc[:1].assign(gdp=100.0), "gdp"),
    "mirror_asymmetry": (indices.mirror_asymmetry, mirror([1.0], [2.0]), "imports"),
}
every_index = pytest.mark.parametrize("name", CASES)


@every_index
def test_every_index_leaves_its_input_alone(name):
    index, table, _ = CASES[name]
    before = table.copy(deep=True)
    result = index(table)
    assert isinstance(result, pd.DataFrame)
    assert len(result) > 0
    pd.testing.assert_frame_equal(table, before)


@every_index
def test_every_index_refuses_negative_infinite_and_non_numeric_values(name):
    index, table, value = CASES[name]
    for bad, says in ((-1.0, "negative or infinite"), (np.inf, "negative or infinite")):
        with pytest.raises(IndexInputError, match=says):
            index(table.assign(**{value: bad}))
    with pytest.raises(IndexInputError, match="not numeric"):
        index(table.assign(**{value: "much"}))


@every_index
def test_every_index_refuses_missing_columns_empty_tables_and_other_objects(name):
    index, table, value = CASES[name]
    with pytest.raises(IndexInputError, match=f"no column.*{value}"):
        index(table.drop(columns=value))
    with pytest.raises(IndexInputError, match="no rows"):
        index(table.iloc[:0])
    with pytest.raises(IndexInputError, match="not list"):
        index([1, 2, 3])


@every_index
def test_every_index_refuses_empty_keys_and_repeated_rows(name):
    index, table, _ = CASES[name]
    key = "product" if name == "aggregate" else "year"
    with pytest.raises(IndexInputError, match=f"'{key}' has empty cells"):
        index(table.assign(**{key: None}))
    if name != "aggregate":  # which sums them
        with pytest.raises(IndexInputError, match="share the same"):
            index(pd.concat([table, table], ignore_index=True))


@pytest.mark.parametrize(
    "name",
    [
        "revealed_comparative_advantage",
        "lafay",
        "grubel_lloyd_aggregate",
        "trade_complementarity",
        "export_similarity",
        "herfindahl_hirschman",
        "theil_concentration",
        "export_diversification",
        "export_margins",
        "growth_decomposition",
    ],
)
def test_totals_beside_their_parts_are_refused(name):
    index, table, _ = CASES[name]
    doubled = table.assign(product=table["product"].replace("p0", "TOTAL"))
    with pytest.raises(IndexInputError, match="aggregate 'TOTAL'"):
        index(doubled)


def test_the_world_is_refused_as_a_partner():
    flows = tidy([[30, 10], [20, 40]], column="importer").replace("p1", "WLD")
    with pytest.raises(IndexInputError, match="aggregate 'WLD'"):
        indices.trade_intensity(flows)


@pytest.mark.parametrize(
    "name",
    [
        "revealed_comparative_advantage",
        "lafay",
        "grubel_lloyd_aggregate",
        "trade_intensity",
        "trade_complementarity",
        "export_similarity",
        "herfindahl_hirschman",
        "theil_concentration",
        "export_diversification",
        "export_margins",
        "growth_decomposition",
    ],
)
def test_no_shares_without_trade(name):
    index, table, value = CASES[name]
    for nothing in (0.0, np.nan):
        values = {value: nothing} if value == "value_usd" else {"exports": nothing, "imports": 0.0}
        with pytest.raises(IndexInputError, match="No trade is reported for"):
            index(table.assign(**values))


def test_the_case_without_trade_is_named():
    with pytest.raises(IndexInputError, match="year=2015, exporter=B"):
        indices.revealed_comparative_advantage(WORLD.assign(value_usd=[30, 10, 0, 0]))


def test_a_column_named_twice_is_refused():
    # With the exporter as a group of its own, the world would be that exporter: all RCA 1.
    with pytest.raises(IndexInputError, match="named twice"):
        indices.revealed_comparative_advantage(WORLD, by=["year", "exporter"])


def test_growth_margins_needs_a_decomposition():
    with pytest.raises(IndexInputError, match="margin"):
        indices.growth_margins(WORLD)


def test_nullable_numbers_and_categories_are_accepted():
    flows = WORLD.astype({"value_usd": "Float64", "exporter": "category", "product": "category"})
    flows.loc[1, "value_usd"] = pd.NA
    plain = WORLD.assign(value_usd=[30, np.nan, 20, 40])
    for index in (indices.revealed_comparative_advantage, indices.export_diversification):
        ours, expected = index(flows), index(plain)
        last = ours.columns[-1]
        assert ours[last].to_numpy(float) == pytest.approx(expected[last].to_numpy(), nan_ok=True)
    only_a = flows[flows["exporter"] == "A"]  # category B has no rows and is no group
    assert len(indices.herfindahl_hirschman(only_a, by=["year", "exporter"])) == 1


def test_errors_belong_to_the_family_of_the_package():
    assert issubclass(IndexInputError, TradebookError)
