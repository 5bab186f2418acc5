"""The trade network on cases that can be checked by hand, and its drawing."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from tradebook import charts, network
from tradebook.data import load
from tradebook.multiples import MultiplesError, multiples
from tradebook.network import NetworkError


def trade_table(*rows) -> pd.DataFrame:
    columns = ["year", "exporter", "importer", "exporter_reported_fob_musd", "importer_reported_cif_musd"]
    return pd.DataFrame(rows, columns=columns).astype({columns[3]: float, columns[4]: float})


@pytest.fixture
def blocs() -> nx.Graph:
    """Two groups of three that trade much inside and little across."""
    flows = []
    for group in (["AUT", "BEL", "CHE"], ["DNK", "ESP", "FIN"]):
        flows += [(2000, a, b, np.nan, 100) for a in group for b in group if a != b]
    flows.append((2000, "AUT", "DNK", np.nan, 10))
    return network.graph(network.flows(trade_table(*flows)), 2000)


def test_the_importer_is_believed_first_and_gaps_are_filled():
    flows = network.flows(
        trade_table(
            (2000, "AUT", "BEL", 90, 100), (2000, "BEL", "AUT", 50, np.nan), (2000, "AUT", "WLD", 500, 500),
            (2000, "CHE", "AUT", np.nan, np.nan), (2000, "DNK", "AUT", np.nan, 0),
        )
    )  # fmt: skip
    assert flows[["exporter", "importer", "value", "reporter"]].to_numpy().tolist() == [
        ["AUT", "BEL", 100.0, "importer"],
        ["BEL", "AUT", 50.0, "exporter"],
    ]


def test_an_edge_is_trade_both_ways():
    flows = network.flows(trade_table((2000, "AUT", "BEL", 90, 100), (2000, "BEL", "AUT", 50, 60)))
    made = network.graph(flows, 2000)
    assert made["AUT"]["BEL"]["weight"] == 160
    with pytest.raises(NetworkError, match="1999"):
        network.graph(flows, 1999)


def test_centrality_by_hand():
    star = network.graph(
        network.flows(trade_table(*[(2000, "AUT", other, np.nan, 100) for other in ("BEL", "CHE", "DNK")])), 2000
    )
    table = network.centrality(star)
    assert table.loc["AUT", ["trade", "share", "partners", "rank", "pagerank_rank"]].tolist() == [300, 50, 3, 1, 1]
    assert table["share"].sum() == pytest.approx(100) and table["pagerank"].sum() == pytest.approx(1)
    # The walk: the centre c and each leaf l solve c = 0.15/4 + 0.85 * 3 l and l = 0.15/4 + 0.85 c / 3.
    centre = (0.0375 + 0.85 * 3 * 0.0375) / (1 - 0.85**2)
    assert table.loc["AUT", "pagerank"] == pytest.approx(centre, rel=1e-9)


def test_communities_find_the_blocs(blocs):
    groups, score = network.communities(blocs)
    assert groups[["AUT", "BEL", "CHE"]].nunique() == 1 and groups.nunique() == 2
    inside, everything = 2 * 3 * 200, 2 * 3 * 200 + 10
    assert score == pytest.approx(inside / everything - 0.5)  # two halves of equal weight
    assert network.together(blocs, "AUT", "CHE") == 1 and network.together(blocs, "AUT", "FIN") == 0
    with pytest.raises(NetworkError, match="USA"):
        network.together(blocs, "AUT", "USA")


def test_communities_do_not_depend_on_the_order_of_the_rows(blocs):
    shuffled = nx.Graph()
    shuffled.add_weighted_edges_from(sorted(blocs.edges(data="weight"), reverse=True))
    first, second = network.communities(blocs), network.communities(shuffled)
    assert first[1] == pytest.approx(second[1])
    assert first[0].sort_index().tolist() == second[0].sort_index().tolist()


def test_a_state_is_continued_by_its_successor():
    flows = network.flows(trade_table((1980, "SUN", "AUT", np.nan, 100), (2000, "RUS", "AUT", np.nan, 100)))
    networks = {year: network.graph(flows, year) for year in (1980, 2000)}
    table = network.standing(networks, "RUS")
    assert table["recorded_as"].to_dict() == {1980: "SUN", 2000: "RUS"}
    assert network.shares(flows, ["RUS"])["RUS"].to_dict() == {1980: 50.0, 2000: 50.0}
    assert network.recorded_as(networks[2000], "CHN") is None
    with pytest.raises(NetworkError, match="CHN"):
        network.standing(networks, "CHN")


def test_shares_of_the_real_world_add_up():
    flows = network.flows(load("bilateral-trade").query("year == 2019"))
    codes = sorted(set(flows["exporter"]) | set(flows["importer"]))
    assert network.shares(flows, codes).loc[2019].sum() == pytest.approx(100)
    assert flows["value"].sum() / 1e6 == pytest.approx(18.9, abs=1.5)  # world trade of 2019, trillion US dollars


def test_reporters_are_counted_once():
    table = trade_table((2000, "AUT", "BEL", 90, 100), (2000, "AUT", "CHE", 5, np.nan), (2000, "WLD", "AUT", 5, 5))
    assert network.reporters(table).to_dict() == {2000: 2}


def test_the_drawing_has_every_economy_in_every_year(blocs):
    chart = network.circles({2000: blocs, 2001: blocs}, sorted(blocs), highlight=["AUT"], partners=2)
    assert len(chart.data) == 12 and set(chart.data["year"]) == {2000, 2001}
    assert chart.data.query("economy == 'AUT'")["main_partners"].iloc[0] == "BEL;CHE"
    html = charts.figure_html(
        chart, name="fig-x", number="0", title="t", subtitle="s", alt="a", tables=["bilateral-trade"]
    )
    again = charts.figure_html(
        chart, name="fig-x", number="0", title="t", subtitle="s", alt="a", tables=["bilateral-trade"]
    )
    assert html == again and html.count(">AUT<") == 4  # two panels, drawn wide and narrow


# --- small multiples -------------------------------------------------------------------------------


def test_small_multiples_keep_panels_months_and_values():
    monthly = pd.Series([1.0, 2.0, 3.0], index=["2014-01", "2014-02", "2014-03"])
    yearly = pd.Series([5.0, -1.0], index=[2014, 2015])
    chart = multiples({"oil": monthly, "output": yearly}, bars=["output"], moments=["2014-02"])
    assert chart.data.groupby("panel")["value"].sum().to_dict() == {"oil": 6.0, "output": 4.0}
    html = charts.figure_html(chart, name="fig-y", number="0", title="t", subtitle="s", alt="a", tables=["brent"])
    assert ">oil<" in html and ">output<" in html


def test_a_panel_without_data_is_refused():
    with pytest.raises(MultiplesError, match="nothing here"):
        multiples({"nothing here": pd.Series([np.nan], index=[2000])})
