"""Input–output accounting: a world worked by hand, published results, identities that must hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradebook import inputoutput
from tradebook.errors import TradebookError
from tradebook.inputoutput import InputOutputError, WorldTable

quick = settings(derandomize=True, max_examples=20, deadline=None, database=None)

# Two economies, two industries. H's industry 2 assembles: it buys 20 from abroad and 10 at home
# for an output of 100, all of it exported as final goods. F's industry 1 makes the parts, from
# nothing; H's industry 1 makes domestic inputs, from nothing. F's industry 2 stands alone.
# Hence, by hand: domestic value added in H's exports 100 - 20 = 80, foreign 20, nothing returns.
SIMPLE = WorldTable(
    ("FFF", "HHH"),
    ("a", "b"),
    np.array([[0, 0, 0, 20], [0, 0, 0, 0], [0, 0, 0, 10], [0, 0, 0, 0]], dtype=float),
    np.array([[30, 0], [50, 0], [0, 40], [100, 0]], dtype=float),
)

# Two economies with one industry each and trade in inputs both ways; output 100 each.
#   A = [[0.1, 0.2], [0.3, 0.2]], det(I - A) = 0.9 * 0.8 - 0.2 * 0.3 = 0.66
#   B = [[0.8, 0.2], [0.3, 0.9]] / 0.66;  v = (0.6, 0.6)
#   H (first) exports 20 of inputs and 10 of final goods: E = 30; L = 1 / 0.9
#   domestic v L E = 0.6 / 0.9 * 30 = 20;  v B_hh E = 0.6 * 0.8 / 0.66 * 30 = 21.8181...
#   foreign 0.6 * 0.3 / 0.66 * 30 = 8.1818...;  VS = 0.3 / 0.9 * 30 = 10
TWO_WAY = WorldTable(
    ("HHH", "FFF"),
    ("a",),
    np.array([[10, 20], [30, 20]], dtype=float),
    np.array([[60, 10], [5, 45]], dtype=float),
)

# Example table “leather” of the R packages decompr and icio, with the results printed in the
# documentation of icio (Krantz): gross exports, domestic content, domestic value added (Borin and
# Mancini), double-counted domestic content, foreign content; and the nine terms of kww().
LEATHER = WorldTable(
    ("ARG", "TUR", "DEU"),
    ("agriculture", "leather", "transport"),
    np.array(
        [
            [16.1, 5.1, 1.8, 3.2, 4.3, 0.4, 3.1, 2.8, 4.9],
            [2.4, 8.0, 3.2, 0.1, 3.2, 1.6, 1.2, 3.9, 11.5],
            [0.9, 0.5, 4.0, 0.0, 0.1, 0.3, 0.0, 0.4, 0.5],
            [1.1, 1.9, 0.2, 18.0, 13.2, 6.1, 9.0, 3.1, 8.9],
            [0.3, 2.8, 0.1, 6.1, 28.1, 6.3, 2.1, 2.5, 25.6],
            [0.0, 0.1, 0.3, 4.1, 3.2, 8.9, 0.2, 0.0, 1.8],
            [1.2, 4.2, 0.3, 4.1, 1.2, 0.6, 29.0, 19.5, 17.9],
            [1.3, 1.1, 0.0, 3.2, 4.8, 2.6, 5.1, 29.1, 24.1],
            [2.1, 1.4, 3.0, 4.1, 3.1, 3.9, 11.3, 8.1, 51.3],
        ]
    ),
    np.array(
        [
            [21.5, 6.1, 8.4],
            [16.2, 1.9, 5.1],
            [11.0, 0.5, 0.8],
            [7.5, 29.5, 14.2],
            [8.9, 24.9, 16.9],
            [1.2, 18.5, 4.9],
            [9.2, 17.9, 51.2],
            [7.9, 10.1, 38.5],
            [25.1, 35.2, 68.4],
        ]
    ),
)
PUBLISHED = {
    "ARG": (64.3, 53.68996, 52.81756, 0.8723949, 10.61004),
    "TUR": (113.6, 92.46175, 89.82482, 2.6369363, 21.13825),
    "DEU": (147.6, 111.29058, 106.84240, 4.4481800, 36.30942),
}
PUBLISHED_KWW = {
    "ARG": (19.34940, 18.97119, 8.411491, 5.259501, 0.8259724, 0.8723949, 3.450595, 3.388617, 3.770832),
    "TUR": (43.39461, 26.20678, 7.740053, 10.475795, 2.0075781, 2.6369363, 10.205386, 5.359698, 5.573163),
    "DEU": (78.73101, 15.23967, 2.748464, 5.689669, 4.4335916, 4.4481800, 26.668992, 4.455024, 5.185401),
}


def random_world(seed: int, many: int = 3, size: int = 2) -> WorldTable:
    """A productive world with positive deliveries."""
    random = np.random.default_rng(seed)
    inputs = random.integers(0, 20, (many * size, many * size)).astype(float)
    final = random.integers(20, 200, (many * size, many)).astype(float)
    return WorldTable(tuple("ABCDE"[:many]), tuple("xyz"[:size]), inputs, final)


def test_one_way_chain_by_hand():
    parts = inputoutput.value_added_in_exports(SIMPLE, "HHH").loc["b"]
    assert parts["exports"] == 100
    assert parts["domestic"] == pytest.approx(80)
    assert parts["foreign"] == pytest.approx(20)
    assert parts["double_counted"] == pytest.approx(0, abs=1e-12)
    assert inputoutput.vertical_specialisation(SIMPLE, "HHH")["b"] == pytest.approx(20)
    origin = inputoutput.origin_of_exports(SIMPLE, "HHH", ["b"])
    assert origin.to_dict() == pytest.approx({"FFF": 20, "HHH": 80})


def test_one_way_chain_has_three_terms():
    home = inputoutput.koopman_wang_wei(SIMPLE, "HHH")
    assert home["final_goods"] == pytest.approx(80)
    assert home["foreign_final"] == pytest.approx(20)
    assert home.drop(["final_goods", "foreign_final"]).abs().max() < 1e-12
    # F exports parts worth 20; they come back to it in the final goods that H sends.
    abroad = inputoutput.koopman_wang_wei(SIMPLE, "FFF")
    assert abroad["returned_final"] == pytest.approx(20)
    assert abroad.sum() == pytest.approx(20)


def test_two_way_trade_by_hand():
    parts = inputoutput.value_added_in_exports(TWO_WAY, "HHH").loc["a"]
    assert parts["exports"] == pytest.approx(30)
    assert parts["domestic"] == pytest.approx(20)
    assert parts["double_counted"] == pytest.approx(0.6 * 0.8 / 0.66 * 30 - 20)
    assert parts["foreign"] == pytest.approx(0.6 * 0.3 / 0.66 * 30)
    assert inputoutput.vertical_specialisation(TWO_WAY, "HHH")["a"] == pytest.approx(10)
    inverse = inputoutput.leontief_inverse(TWO_WAY.coefficients)
    assert inverse == pytest.approx(np.array([[0.8, 0.2], [0.3, 0.9]]) / 0.66)


@pytest.mark.parametrize("economy", PUBLISHED)
def test_published_split(economy):
    parts = inputoutput.value_added_in_exports(LEATHER, economy).sum()
    exports, content, domestic, double, foreign = PUBLISHED[economy]
    assert parts["exports"] == pytest.approx(exports)
    assert parts["domestic"] + parts["double_counted"] == pytest.approx(content, abs=5e-6)
    assert parts["domestic"] == pytest.approx(domestic, abs=5e-6)
    assert parts["double_counted"] == pytest.approx(double, abs=5e-7)
    assert parts["foreign"] == pytest.approx(foreign, abs=5e-6)


@pytest.mark.parametrize("economy", PUBLISHED_KWW)
def test_published_nine_terms(economy):
    terms = inputoutput.koopman_wang_wei(LEATHER, economy)
    assert terms.to_numpy() == pytest.approx(np.array(PUBLISHED_KWW[economy]), abs=6e-6)


@quick
@given(seed=st.integers(0, 10_000))
def test_identities(seed):
    table = random_world(seed)
    inverse = inputoutput.leontief_inverse(table.coefficients)
    assert inverse @ table.final.sum(axis=1) == pytest.approx(table.output)
    assert table.value_added @ inverse == pytest.approx(np.ones(len(table.output)))
    for economy in table.economies:
        parts = inputoutput.value_added_in_exports(table, economy)
        split = parts[["domestic", "double_counted", "foreign"]].sum(axis=1)
        assert split.to_numpy() == pytest.approx(parts["exports"].to_numpy())
        specialised = inputoutput.vertical_specialisation(table, economy)
        assert (specialised + parts["domestic"]).to_numpy() == pytest.approx(parts["exports"].to_numpy())
        assert (specialised - parts["foreign"] > -1e-9).all()
        origin = inputoutput.origin_of_exports(table, economy)
        assert origin.sum() == pytest.approx(parts["exports"].sum())
        assert origin.drop(economy).sum() == pytest.approx(parts["foreign"].sum())
        terms = inputoutput.koopman_wang_wei(table, economy)
        assert terms.sum() == pytest.approx(parts["exports"].sum())
        assert terms.iloc[6:].sum() == pytest.approx(parts["foreign"].sum())
        assert terms["domestic_double"] == pytest.approx(parts["double_counted"].sum())


@quick
@given(seed=st.integers(0, 10_000))
def test_domestic_value_added_is_what_is_lost_without_exports(seed):
    """Los, Timmer and de Vries: GDP minus the GDP of a world in which the exports do not exist."""
    table = random_world(seed)
    own = table.block("A")
    a, demand = table.coefficients.copy(), table.final.sum(axis=1)
    demand[own] = table.final[own, 0]
    others = [i for i in range(len(demand)) if i not in range(own.start, own.stop)]
    a[np.ix_(range(own.start, own.stop), others)] = 0.0
    without = inputoutput.leontief_inverse(a) @ demand
    lost = table.value_added[own] @ (table.output[own] - without[own])
    assert inputoutput.value_added_in_exports(table, "A")["domestic"].sum() == pytest.approx(lost)


def test_lowest_domestic_share():
    # All of H's output b is exported: sorting changes nothing.
    assert inputoutput.lowest_domestic_share(SIMPLE, "HHH", "b") == pytest.approx(0.8)
    # TWO_WAY: VS share 1/3, own imported inputs 0.3, output 100, exports 30:
    # 1 - (1/3 + 0.3 * (100/30 - 1)) = -0.033..., so zero.
    assert inputoutput.lowest_domestic_share(TWO_WAY, "HHH", "a") == 0.0
    # F: exports 35 = 30 + 5, imports 20 per 100, VS share 0.2 / 0.8 = 0.25.
    assert inputoutput.lowest_domestic_share(TWO_WAY, "FFF", "a") == pytest.approx(1 - (0.25 + 0.2 * (100 / 35 - 1)))
    with pytest.raises(InputOutputError, match="exports nothing"):
        inputoutput.lowest_domestic_share(SIMPLE, "HHH", "a")
    with pytest.raises(InputOutputError, match="no industry z"):
        inputoutput.lowest_domestic_share(SIMPLE, "HHH", "z")


def test_arranging_deliveries():
    rows = [("AAA", "c1", "BBB", "c2", 4), ("AAA", "c1", "BBB", "c9", 3), ("AAA", "c1", "BBB", "c8", 2),
            ("BBB", "c2", "AAA", "c1", 1), ("BBB", "c2", "BBB", "c9", -1)]  # fmt: skip
    flows = pd.DataFrame(rows, columns=["exporter", "industry", "importer", "use", "value_musd"])
    table = inputoutput.world_table(flows, industries=["c1", "c2"])
    assert table.economies == ("AAA", "BBB")
    assert table.inputs[0, 3] == 4 and table.inputs[3, 0] == 1
    assert table.final[0].tolist() == [0, 5] and table.final[3].tolist() == [0, -1]
    assert table.exports("AAA").tolist() == [9, 0]
    assert table.output.tolist() == [9, 0, 0, 0]
    assert np.isfinite(table.coefficients).all()


def test_errors():
    flows = pd.DataFrame(columns=["exporter", "industry", "importer", "use", "value_musd"])
    with pytest.raises(InputOutputError, match="no deliveries"):
        inputoutput.world_table(flows, industries=["c1"])
    flows.loc[0] = ["AAA", "c7", "BBB", "c1", 1]
    with pytest.raises(InputOutputError, match="Industry c7"):
        inputoutput.world_table(flows, industries=["c1"])
    with pytest.raises(TradebookError, match="has no XXX"):
        LEATHER.exports("XXX")
    with pytest.raises(InputOutputError, match="no industry steel"):
        inputoutput.origin_of_exports(LEATHER, "DEU", ["steel"])
    with pytest.raises(InputOutputError, match="square"):
        inputoutput.leontief_inverse(np.ones((2, 3)))
    with pytest.raises(InputOutputError, match="use up all"):
        inputoutput.leontief_inverse(np.array([[0.5, 0.5], [0.5, 0.5]]))


def test_every_koopman_wang_wei_term_has_its_words_and_number():
    words = inputoutput.KOOPMAN_WANG_WEI_TERMS
    assert list(words) == list(inputoutput.koopman_wang_wei(SIMPLE, "HHH").index)
    assert [text.split()[0] for text in words.values()] == [str(number) for number in range(1, 10)]
