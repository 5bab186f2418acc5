"""The network of world trade: who is central, and who trades together.

An economy is a node; the trade of two economies, both directions added, is the weight of the edge between them.

References
----------
Serrano and Boguñá (2003), doi:10.1103/PhysRevE.68.015101, and De Benedictis and Tajoli (2011),
doi:10.1111/j.1467-9701.2011.01360.x (the trade network); Brin and Page (1998),
doi:10.1016/S0169-7552(98)00110-X (PageRank); Blondel et al. (2008),
doi:10.1088/1742-5468/2008/10/P10008 (communities).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from tradebook.charts import GRID, INK, MUTED, PALETTE, SERIES, Chart
from tradebook.economies import lineage
from tradebook.errors import TradebookError

__all__ = [
    "NetworkError", "centrality", "circles", "communities", "flows", "graph", "recorded_as", "reporters", "shares",
    "standing", "together",
]  # fmt: skip

SEEDS = tuple(range(6))


class NetworkError(TradebookError):
    """The trade network is empty, or does not have the economy asked for."""


def flows(trade: pd.DataFrame) -> pd.DataFrame:
    """One value for each directed flow: what the importer recorded, else what the exporter recorded.

    Importers are believed first because customs watch what comes in; the exporter's report fills the gap for
    importers that did not report, which includes the USSR and many poor economies.

    Parameters
    ----------
    trade : DataFrame
        The table `bilateral-trade`.

    Returns
    -------
    DataFrame
        year, exporter, importer, value (million US dollars), reporter (importer|exporter); no world totals, no zeros.
    """
    bought, sold = trade["importer_reported_cif_musd"], trade["exporter_reported_fob_musd"]
    out = trade[["year", "exporter", "importer"]].assign(
        value=bought.fillna(sold), reporter=np.where(bought.notna(), "importer", "exporter")
    )
    named = (out["exporter"] != "WLD") & (out["importer"] != "WLD") & (out["exporter"] != out["importer"])
    return out[named & (out["value"] > 0)].reset_index(drop=True)


def graph(flows: pd.DataFrame, year: int) -> nx.Graph:
    """The network of one year: `weight` of an edge is the trade of the two, both ways, million US dollars.

    Raises
    ------
    NetworkError
        If there is no trade in the year.
    """
    chosen = flows[flows["year"] == year]
    if chosen.empty:
        raise NetworkError(f"There is no trade in {year}; choose a year from 1960 to 2020.")
    ends = np.sort(chosen[["exporter", "importer"]].to_numpy(dtype=str), axis=1)
    edges = pd.DataFrame({"a": ends[:, 0], "b": ends[:, 1], "weight": chosen["value"].to_numpy()})
    edges = edges.groupby(["a", "b"], as_index=False)["weight"].sum()
    network = nx.Graph()
    network.add_nodes_from(sorted(set(edges["a"]) | set(edges["b"])))
    network.add_weighted_edges_from(edges.itertuples(index=False, name=None))
    return network


def shares(flows: pd.DataFrame, economies: Sequence[str]) -> pd.DataFrame:
    """Share of economies in world trade, per cent: exports plus imports over the sum of all economies'.

    Returns
    -------
    DataFrame
        Index: year; one column per economy, its forerunner's trade included (`recorded_as`); empty where no trade.
    """
    sold, bought = (
        flows.groupby(["year", side])["value"].sum().rename_axis(["year", "code"]) for side in ("exporter", "importer")
    )
    trade = sold.add(bought, fill_value=0).unstack()
    percent = 100 * trade.div(trade.sum(axis=1), axis=0)
    columns = {e: percent.reindex(columns=lineage(e)).sum(axis=1, min_count=1) for e in economies}
    return pd.DataFrame(columns)


def recorded_as(network: nx.Graph, economy: str) -> str | None:
    """The code under which an economy, or the state that it continues, is in the network; None if it is not."""
    return next((code for code in reversed(lineage(economy)) if code in network), None)


def standing(networks: Mapping[int, nx.Graph], economy: str) -> pd.DataFrame:
    """Where an economy stands in the network of each year.

    Returns
    -------
    DataFrame
        Index: year; `recorded_as`, `share`, `rank`, `of` (number of economies), `pagerank_rank`, `group` (the largest
        trader of its community). A year without trade is left out.

    Raises
    ------
    NetworkError
        If it trades in none of the years.
    """
    rows = {}
    for year, network in networks.items():
        code = recorded_as(network, economy)
        if code is None:
            continue
        table, (groups, _) = centrality(network), communities(network)
        fellows = groups.index[groups == groups[code]]
        leader = table.loc[table.index.isin(fellows), "trade"].idxmax()
        own = table.loc[code]
        rows[year] = (code, own["share"], int(own["rank"]), len(network), int(own["pagerank_rank"]), leader)
    if not rows:
        raise NetworkError(f"{economy} has no trade in these years; choose other years or another economy.")
    names = ["recorded_as", "share", "rank", "of", "pagerank_rank", "group"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names).rename_axis("year")


def centrality(network: nx.Graph) -> pd.DataFrame:
    """How central each economy is.

    Returns
    -------
    DataFrame
        Index: economy, the largest trader first. `trade` (its trade with all, million US dollars), `share` (per
        cent of the sum over economies), `partners`, `pagerank` (the part of the time that a walk spends there which
        follows a dollar of trade at random and jumps with probability 0.15: central is who trades much with central
        ones), `rank` and `pagerank_rank` (1 = highest).
    """
    trade = pd.Series(dict(network.degree(weight="weight")))
    table = pd.DataFrame(
        {
            "trade": trade,
            "share": 100 * trade / trade.sum(),
            "partners": pd.Series(dict(network.degree())),
            "pagerank": pd.Series(nx.pagerank(network, alpha=0.85, weight="weight", tol=1e-12, max_iter=1000)),
        }
    ).rename_axis("economy")
    table["rank"] = table["trade"].rank(ascending=False).astype(int)
    table["pagerank_rank"] = table["pagerank"].rank(ascending=False).astype(int)
    return table.sort_values("trade", ascending=False)


def communities(network: nx.Graph, seeds: Sequence[int] = SEEDS) -> tuple[pd.Series, float]:
    """Groups that trade more inside than their size lets expect: the partition with the highest modularity.

    Modularity is the share of trade inside groups minus the share expected if every economy spread its trade in
    proportion to the others' trade. The Louvain method finds a good partition, not surely the best one; it is run
    from several seeds, on the edges of at least a millionth of all trade, and the best result kept.

    Returns
    -------
    (Series, float)
        Number of the group by economy (0 = the group with the largest trade), and the modularity.
    """
    best, score = None, -np.inf
    for parts in _partitions(network, tuple(seeds)):
        value = nx.community.modularity(network, parts, weight="weight")
        if value > score + 1e-12:
            best, score = parts, value
    trade = dict(network.degree(weight="weight"))
    ordered = sorted(best, key=lambda part: -math.fsum(trade[node] for node in part))
    return pd.Series({node: i for i, part in enumerate(ordered) for node in sorted(part)}), float(score)


def together(network: nx.Graph, a: str, b: str, seeds: Sequence[int] = SEEDS) -> float:
    """Share of Louvain runs that put two economies into one group: how firm a statement about communities is.

    Raises
    ------
    NetworkError
        If one of them does not trade in the network.
    """
    for economy in (a, b):
        if recorded_as(network, economy) is None:
            raise NetworkError(f"{economy} has no trade in this network; choose another year or economy.")
    a, b = recorded_as(network, a), recorded_as(network, b)
    runs = _partitions(network, tuple(seeds))
    return sum(any(a in part and b in part for part in parts) for parts in runs) / len(runs)


@lru_cache(maxsize=16)  # graphs are told apart by identity: one that `graph` made is not changed
def _partitions(network: nx.Graph, seeds: tuple[int, ...]) -> list[list[set[str]]]:
    # Numbers for names: the order of a set of numbers does not depend on the process, that of strings does.
    names = sorted(network)
    places = {name: i for i, name in enumerate(names)}
    numbered = nx.Graph()
    numbered.add_nodes_from(range(len(names)))
    # Most edges of recent years are below a millionth of all trade: they cannot move a trader, and cost time.
    least = 1e-6 * network.size(weight="weight")
    numbered.add_weighted_edges_from(
        (places[a], places[b], w) for a, b, w in sorted(network.edges(data="weight")) if w >= least
    )
    out = []
    for seed in seeds:
        parts = nx.community.louvain_communities(numbered, weight="weight", seed=seed)
        out.append([{names[i] for i in part} for part in parts])
    return out


def reporters(trade: pd.DataFrame) -> pd.Series:
    """Number of economies that reported any bilateral flow, by year: how complete the network can be."""
    sold = trade[trade["exporter_reported_fob_musd"].notna() & (trade["exporter"] != "WLD")]
    bought = trade[trade["importer_reported_cif_musd"].notna() & (trade["importer"] != "WLD")]
    sides = (sold[["year", "exporter"]], bought[["year", "importer"]])
    who = pd.concat([side.set_axis(["year", "who"], axis=1) for side in sides])
    return who.drop_duplicates().groupby("year")["who"].count()


# --- drawing ---------------------------------------------------------------------------------------


def circles(
    networks: Mapping[int, nx.Graph],
    order: Sequence[str],
    *,
    highlight: Sequence[str],
    partners: int = 3,
) -> Chart:
    """The same economies on a circle in several years: dot size is trade, lines are each one's main partners.

    Parameters
    ----------
    networks : mapping of year to graph
        Results of `graph`.
    order : sequence of str
        Economies to draw, clockwise from the top; the same places in every panel.
    highlight : sequence of str
        Economies whose dots, names and lines are strong.
    partners : int
        Lines drawn from each economy: to its largest partners among those drawn.
    """
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(order)) / len(order)
    places = {code: (np.cos(a), np.sin(a)) for code, a in zip(order, angles, strict=True)}
    rows = []
    for year, network in networks.items():
        size = centrality(network)["share"]
        here = {code: recorded_as(network, code) for code in order}
        for code in order:
            if here[code] is None:
                continue
            other = {o: network.get_edge_data(here[code], n, {}).get("weight", 0.0) for o, n in here.items() if n}
            main = sorted((o for o in other if other[o] > 0 and o != code), key=lambda o: (-other[o], o))[:partners]
            rows.append((year, code, here[code], size[here[code]], ";".join(main)))
    table = pd.DataFrame(rows, columns=["year", "economy", "recorded_as", "share_percent", "main_partners"])
    strong = {code: SERIES[i] for i, code in enumerate(highlight)}

    def draw(figure: Figure, narrow: bool) -> None:
        down = len(networks) if narrow else int(np.ceil(len(networks) / 2))
        grid = figure.subplots(down, 1 if narrow else 2, squeeze=False)
        for axes in grid.flat[len(networks) :]:
            axes.set_visible(False)
        for axes, (year, part) in zip(grid.flat, table.groupby("year"), strict=False):  # an empty panel at the end
            axes.set_title(str(year), fontsize=11, color=INK)
            axes.grid(visible=False)
            axes.set_axis_off()
            axes.set_aspect("equal")
            seen = part.set_index("economy")
            curves: dict[str, list[np.ndarray]] = {}
            for code in seen.index:
                for other in filter(None, seen["main_partners"][code].split(";")):
                    # A quadratic Bézier curve, bent towards the centre.
                    start, end = np.array(places[code]), np.array(places[other])
                    t = np.linspace(0, 1, 24)[:, None]
                    curve = (1 - t) ** 2 * start + t * (1 - t) * 0.5 * (start + end) + t**2 * end
                    curves.setdefault(code if code in strong else "", []).append(curve)
            # Muted lines below, those of the highlighted economies above, thicker for a larger partner.
            for code, drawn in curves.items():
                widths = 0.9 if not code else [2.2 - 0.5 * rank for rank in range(len(drawn))]
                lines = LineCollection(drawn, colors=strong.get(code, GRID), linewidths=widths, zorder=1 + bool(code))
                axes.add_collection(lines, autolim=False)
            points, sizes = np.array([places[code] for code in seen.index]), 14 + 34 * seen["share_percent"]
            tints = [strong.get(code, PALETTE["c8"]) for code in seen.index]
            axes.scatter(*points.T, s=sizes, color=tints, zorder=3, linewidths=0)
            for code in seen.index:
                x, y = places[code]
                angle = np.degrees(np.arctan2(y, x))
                left = x < -1e-9
                reach = 1.1 + 0.022 * np.sqrt(seen["share_percent"][code])
                axes.text(
                    reach * x, reach * y, seen["recorded_as"][code],
                    rotation=angle + 180 if left else angle, rotation_mode="anchor",
                    ha="right" if left else "left", va="center",
                    fontsize=10 if code in strong else 8.5, color=strong.get(code, MUTED),
                )  # fmt: skip
            axes.set_xlim(-1.42, 1.42)
            axes.set_ylim(-1.42, 1.42)

    return Chart(draw, table, (3.55 * int(np.ceil(len(networks) / 2)), 3.5 * len(networks)))
