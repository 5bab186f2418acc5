"""Trade indices on tidy tables.

One way to call them all:

* **Input** is a tidy frame: one row per key (year, economy, product ...), one column of values.
  Column names are keywords (``exporter=``, ``importer=``, ``product=``, ``value=``, ``exports=``,
  ``imports=``); their defaults are those words, and ``value="value_usd"``.
* ``by=`` names the columns whose every combination is computed on its own: ``by="year"`` (the
  default), ``by=["year", "partner"]``, or ``by=[]`` for a frame that holds one case only.
* **Output** is a new frame. An index with a value per row adds its column to a copy of the input;
  an index with a value per group returns one row per group. Nothing is changed in place.
* **Missing is not zero.** A missing value (NaN, or a key that has no row) was not reported: it
  enters no sum and no count. A zero was reported: it enters the counts. Where a source leaves out
  its zeros, say so with ``exports_and_imports(..., missing_as_zero=True)`` or ``n_products=``.
* An aggregate beside its parts ("TOTAL", "WLD") would be counted twice and is refused.
* Indices are fractions, not percentages; only `lafay` is in points of 100, as in its definition.

A table with more keys than an index needs is summed first with `aggregate`::

    flows = load("sitc-sections-matrix").query("sitc_section != 'TOTAL'")
    exports = aggregate(flows, ["year", "exporter", "sitc_section"])
    revealed_comparative_advantage(exports, product="sitc_section")

    hs = load("russia-hs-chapters")
    trade = exports_and_imports(hs, ["year", "partner", "hs_chapter"], missing_as_zero=True)
    grubel_lloyd_aggregate(trade, product="hs_chapter", by=["year", "partner"])

Formulas, readings and sources: the book's appendix "Methods: trade indices".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from scipy.special import xlogy

from tradebook.errors import TradebookError

AGGREGATES = ("TOTAL", "WLD")

Keys = str | Sequence[str]


class IndexInputError(TradebookError):
    """The table cannot give the index; the message says why and what to change."""


# --- Preparing a table -------------------------------------------------------------------------


def aggregate(flows: pd.DataFrame, keys: Keys, *, value: str = "value_usd") -> pd.DataFrame:
    """Sum `value` over everything but `keys`: one row per combination of the keys.

    A sum in which every part is missing stays missing; otherwise missing parts are left out.

    Raises
    ------
    IndexInputError
        Missing column, empty frame, negative or non-numeric value.
    """
    keys = _names(keys)
    flows = _checked(flows, keys, [value], unique=False)
    return _grouped(flows, keys)[[value]].sum(min_count=1).reset_index(drop=not keys)


def exports_and_imports(
    flows: pd.DataFrame,
    keys: Keys,
    *,
    flow: str = "flow",
    value: str = "value_usd",
    missing_as_zero: bool = False,
) -> pd.DataFrame:
    """Turn rows labelled ``export`` / ``import`` into the columns `exports` and `imports`.

    Parameters
    ----------
    flows : one row per `keys` and flow.
    missing_as_zero : set a flow without a row or value to zero. Right for a customs table that
        lists only what was traded (its zeros are left out); wrong when the reporter is silent.

    Raises
    ------
    IndexInputError
        As for every index, or a flow that is neither ``export`` nor ``import``.
    """
    keys = _names(keys)
    if not keys:
        raise IndexInputError("Name at least one key: the columns that identify a row.")
    flows = _checked(flows, [*keys, flow], [value])
    unknown = sorted(set(flows[flow].astype(str)) - {"export", "import"})
    if unknown:
        raise IndexInputError(f"Column '{flow}' holds {unknown}: it may only hold 'export' and 'import'.")
    wide = flows.assign(**{flow: flows[flow].astype(str)}).pivot(index=keys, columns=flow, values=value)
    wide = wide.reindex(columns=["export", "import"]).set_axis(["exports", "imports"], axis=1)
    return (wide.fillna(0.0) if missing_as_zero else wide).reset_index()


# --- Comparative advantage ---------------------------------------------------------------------


def revealed_comparative_advantage(
    flows: pd.DataFrame,
    *,
    exporter: str = "exporter",
    product: str = "product",
    value: str = "value_usd",
    by: Keys = "year",
    world: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Balassa index: the product's share in the exporter's exports over its share in the world's.

    RCA_ik = (x_ik / X_i) / (x_wk / X_w), from 0 to infinity, 1 = the world's share.

    Parameters
    ----------
    flows : one row per `by`, exporter and product.
    world : reference exports, one row per `by` and product; by default the sum of all exporters
        in `flows`, which is right only if `flows` holds (nearly) all of them.

    Returns
    -------
    Copy of `flows` with the column `rca`; NaN where the value is missing or the world exports
    none of the product.

    Raises
    ------
    IndexInputError
        Invalid table; an exporter or a world without exports; a product absent from `world`.

    Source: Balassa (1965).
    """
    keys = _names(by)
    flows = _checked(flows, [*keys, exporter, product], [value], parts=[exporter, product])
    own = _share(flows, [*keys, exporter], value)
    of_product, of_world = _world_exports(flows, keys, product, value, world)
    return flows.assign(rca=_divide(own, of_product / of_world))


def symmetric_rca(rca: pd.Series) -> pd.Series:
    """Symmetric RCA, (RCA - 1) / (RCA + 1): from -1 through 0 (the world's share) to 1.

    Raises
    ------
    IndexInputError
        A negative RCA.

    Source: Dalum, Laursen and Villumsen (1998).
    """
    if (rca < 0).any():
        raise IndexInputError("RCA is negative: give the column `rca`, which starts at 0.")
    return ((rca - 1) / (rca + 1)).rename("symmetric_rca")


def lafay(
    trade: pd.DataFrame,
    *,
    product: str = "product",
    exports: str = "exports",
    imports: str = "imports",
    by: Keys = "year",
) -> pd.DataFrame:
    """Lafay index: a product's normalised balance against the overall one, weighted by its trade.

    LFI_k = 100 [ (x_k - m_k)/(x_k + m_k) - B ] (x_k + m_k) / T, where T is total trade and B the
    total balance over T. Positive = specialised; the products of a group sum to 0.

    Returns
    -------
    Copy of `trade` with the column `lafay`, in points. A product with a missing side is NaN and
    enters no total; a product with two zeros is 0.

    Raises
    ------
    IndexInputError
        Invalid table; a group without trade reported on both sides.

    Source: Lafay (1992).
    """
    keys = _names(by)
    trade = _checked(trade, [*keys, product], [exports, imports], parts=[product])
    both = trade[exports] + trade[imports]
    balance = trade[exports] - trade[imports]
    total = _total(trade.assign(_both=both), keys, "_both")
    overall = _sum_within(trade.assign(_balance=balance), keys, "_balance") / total
    # (x-m)/(x+m) * (x+m)/T is written as (x-m)/T, so that an untraded product gives 0, not 0/0.
    return trade.assign(lafay=100 * (balance - overall * both) / total)


# --- Intra-industry trade ----------------------------------------------------------------------


def grubel_lloyd(
    trade: pd.DataFrame,
    *,
    product: str = "product",
    exports: str = "exports",
    imports: str = "imports",
    by: Keys = "year",
) -> pd.DataFrame:
    """Grubel-Lloyd index of each product, GL_k = 1 - |x_k - m_k| / (x_k + m_k), from 0 to 1.

    Returns
    -------
    Copy of `trade` with the column `grubel_lloyd`; NaN where a side is missing or both are 0.

    Raises
    ------
    IndexInputError
        Invalid table.

    Source: Grubel and Lloyd (1971).
    """
    trade = _checked(trade, [*_names(by), product], [exports, imports])
    gap = (trade[exports] - trade[imports]).abs()
    return trade.assign(grubel_lloyd=1 - _divide(gap, trade[exports] + trade[imports]))


def grubel_lloyd_aggregate(
    trade: pd.DataFrame,
    *,
    product: str = "product",
    exports: str = "exports",
    imports: str = "imports",
    by: Keys = "year",
) -> pd.DataFrame:
    """Trade-weighted Grubel-Lloyd index, GL = 1 - sum|x_k - m_k| / sum(x_k + m_k), from 0 to 1.

    Returns
    -------
    One row per group: `n_products` with both sides reported, `grubel_lloyd`.

    Raises
    ------
    IndexInputError
        Invalid table; a group without trade reported on both sides.

    Source: Grubel and Lloyd (1971), without their correction for the overall imbalance.
    """
    keys = _names(by)
    trade = _checked(trade, [*keys, product], [exports, imports], parts=[product])
    trade = trade.assign(_gap=(trade[exports] - trade[imports]).abs(), _both=trade[exports] + trade[imports])
    _total(trade, keys, "_both")
    groups = _grouped(trade, keys)
    result = groups.agg(n_products=("_both", "count"), _gap=("_gap", "sum"), _both=("_both", "sum"))
    result["grubel_lloyd"] = 1 - result["_gap"] / result["_both"]
    return result.drop(columns=["_gap", "_both"]).reset_index(drop=not keys)


# --- Pairs of economies ------------------------------------------------------------------------


def trade_intensity(
    flows: pd.DataFrame,
    *,
    exporter: str = "exporter",
    importer: str = "importer",
    value: str = "value_usd",
    by: Keys = "year",
) -> pd.DataFrame:
    """Trade intensity: j's share in i's exports over j's share in the world's exports.

    T_ij = (x_ij / X_i) / (X_wj / X_w), from 0 to infinity, 1 = as the world does. The world is all
    exporters in `flows`, exporter i included.

    Returns
    -------
    Copy of `flows` with the column `trade_intensity`; NaN where the flow is missing or nobody
    exports to j.

    Raises
    ------
    IndexInputError
        Invalid table; an exporter without exports.

    Source: Mikic and Gilbert (2009), "trade intensity".
    """
    keys = _names(by)
    flows = _checked(flows, [*keys, exporter, importer], [value], parts=[exporter, importer])
    own = _share(flows, [*keys, exporter], value)
    to_importer = _sum_within(flows, [*keys, importer], value)
    return flows.assign(trade_intensity=_divide(own, to_importer / _total(flows, keys, value)))


def trade_complementarity(
    exports: pd.DataFrame,
    imports: pd.DataFrame,
    *,
    exporter: str = "exporter",
    importer: str = "importer",
    product: str = "product",
    value: str = "value_usd",
    by: Keys = "year",
) -> pd.DataFrame:
    """Michaely index: how well the structure of i's exports fits the structure of j's imports.

    C_ij = 1 - sum_k |m_jk - x_ik| / 2, with shares of total exports and imports; from 0 (no
    product in common) to 1 (the same structure).

    Parameters
    ----------
    exports : one row per `by`, exporter and product (its exports to the world).
    imports : one row per `by`, importer and product (its imports from the world).

    Returns
    -------
    One row per group, exporter and other importer, with the column `complementarity`. A product
    that one side does not report has no share there.

    Raises
    ------
    IndexInputError
        Invalid table; an economy without trade; groups that only one of the tables has.

    Source: Michaely (1996).
    """
    if exporter == importer:
        raise IndexInputError("exporter= and importer= name the same column: rename one of them.")
    keys = _names(by)
    left = _structures(exports, keys, exporter, product, value)
    right = _structures(imports, keys, importer, product, value)
    if left.keys() != right.keys():
        only = sorted(left.keys() ^ right.keys())[0]
        raise IndexInputError(f"Only one of the two tables has {_where(keys, only)}: keep the groups that both have.")
    pairs = [_pairs(keys, group, left[group], right[group], exporter, importer, "complementarity") for group in left]
    return pd.concat(pairs, ignore_index=True)


def export_similarity(
    flows: pd.DataFrame,
    *,
    exporter: str = "exporter",
    product: str = "product",
    value: str = "value_usd",
    by: Keys = "year",
) -> pd.DataFrame:
    """Finger-Kreinin index: the part of the export structures that two exporters share.

    ES_ij = sum_k min(s_ik, s_jk), with s the shares of products in exports (to the world, or to
    the third market that `flows` holds); from 0 (nothing in common) to 1 (the same structure).

    Returns
    -------
    One row per group and ordered pair, in columns `exporter`, `other_exporter` and
    `export_similarity`. A product that one exporter does not report has no share there.

    Raises
    ------
    IndexInputError
        Invalid table; an exporter without exports.

    Source: Finger and Kreinin (1979).
    """
    keys = _names(by)
    structures = _structures(flows, keys, exporter, product, value)
    pairs = [
        _pairs(keys, group, shares, shares, exporter, f"other_{exporter}", "export_similarity")
        for group, shares in structures.items()
    ]
    return pd.concat(pairs, ignore_index=True)


# --- Concentration and diversification ---------------------------------------------------------


def herfindahl_hirschman(
    flows: pd.DataFrame,
    *,
    product: str = "product",
    value: str = "value_usd",
    by: Keys = "year",
    n_products: int | None = None,
) -> pd.DataFrame:
    """Herfindahl-Hirschman concentration over products (or partners: ``product="partner"``).

    With shares s_k and n products: `hhi` = sum s_k^2, from 1/n to 1; `hhi_normalised` =
    (H - 1/n) / (1 - 1/n), from 0 to 1; `hhi_unctad` = (sqrt(H) - sqrt(1/n)) / (1 - sqrt(1/n)),
    the form that UNCTAD publishes.

    Parameters
    ----------
    n_products : number of products in the classification; by default those reported in the group,
        zeros included.

    Returns
    -------
    One row per group: `n_products`, `hhi`, `hhi_normalised`, `hhi_unctad` (the last two NaN when
    n = 1).

    Raises
    ------
    IndexInputError
        Invalid table; a group without trade; `n_products` below what a group reports.

    Source: Hirschman (1964); UNCTAD Handbook of Statistics, "Calculation methods".
    """
    keys = _names(by)
    flows = _checked(flows, [*keys, product], [value], parts=[product])
    flows = flows.assign(_square=_share(flows, keys, value) ** 2)
    groups = _grouped(flows, keys)
    result = groups.agg(n_products=(value, "count"), hhi=("_square", "sum"))
    n = _product_count(result, n_products)
    floor = 1 / n
    result["hhi_normalised"] = _divide(result["hhi"] - floor, 1 - floor)
    result["hhi_unctad"] = _divide(np.sqrt(result["hhi"]) - np.sqrt(floor), 1 - np.sqrt(floor))
    return result.reset_index(drop=not keys)


def theil_concentration(
    flows: pd.DataFrame,
    *,
    product: str = "product",
    value: str = "value_usd",
    by: Keys = "year",
    n_products: int | None = None,
) -> pd.DataFrame:
    """Theil's T over products: T = (1/n) sum (x_k/mu) ln(x_k/mu) = ln n + sum s_k ln s_k.

    From 0 (equal shares) to ln n (one product). A zero contributes 0 and counts in n.

    Parameters
    ----------
    n_products : as in `herfindahl_hirschman`.

    Returns
    -------
    One row per group: `n_products`, `theil`.

    Raises
    ------
    IndexInputError
        As `herfindahl_hirschman`.

    Source: Theil (1967); Cadot, Carrere and Strauss-Kahn (2011).
    """
    keys = _names(by)
    flows = _checked(flows, [*keys, product], [value], parts=[product])
    share = _share(flows, keys, value)
    # s ln s tends to 0 with s: xlogy gives 0 for a zero share.
    flows = flows.assign(_term=xlogy(share, share))
    result = _grouped(flows, keys).agg(n_products=(value, "count"), theil=("_term", "sum"))
    result["theil"] += np.log(_product_count(result, n_products))
    # Equal shares give 0 up to rounding, which may fall below.
    result["theil"] = result["theil"].clip(lower=0.0)
    return result.reset_index(drop=not keys)


def export_diversification(
    flows: pd.DataFrame,
    *,
    exporter: str = "exporter",
    product: str = "product",
    value: str = "value_usd",
    by: Keys = "year",
    world: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """UNCTAD diversification: half the summed distance from the world's export structure.

    D_i = sum_k |s_ik - s_wk| / 2, from 0 (the world's structure) towards 1 (very different).

    Parameters
    ----------
    world : as in `revealed_comparative_advantage`.

    Returns
    -------
    One row per group and exporter: `diversification`. A product that the exporter does not report
    has no share in its exports but keeps its share in the world's.

    Raises
    ------
    IndexInputError
        As `revealed_comparative_advantage`.

    Source: UNCTADstat, merchandise diversification index, after Finger and Kreinin (1979).
    """
    keys = _names(by)
    flows = _checked(flows, [*keys, exporter, product], [value], parts=[exporter, product])
    own = _share(flows, [*keys, exporter], value)
    of_product, of_world = _world_exports(flows, keys, product, value, world)
    reference = (of_product / of_world).where(own.notna())
    # Products that the exporter lacks add their whole world share: 1 less the shares seen here.
    flows = flows.assign(_gap=(own - reference).abs(), _seen=reference)
    result = _grouped(flows, [*keys, exporter])[["_gap", "_seen"]].sum()
    distance = (result["_gap"] + 1 - result["_seen"]) / 2
    return distance.clip(0.0, 1.0).rename("diversification").reset_index()


def export_margins(
    flows: pd.DataFrame,
    *,
    exporter: str = "exporter",
    product: str = "product",
    value: str = "value_usd",
    by: Keys = "year",
    world: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Hummels-Klenow margins: how wide, and how deep, an exporter's presence in world trade is.

    With K_i the products that i exports: `extensive_margin` = (world exports of K_i) / (world
    exports); `intensive_margin` = (i's exports) / (world exports of K_i). Their product is i's
    share in world exports. Here the world includes i; in the paper it is the rest of the world.

    Returns
    -------
    One row per group and exporter: `extensive_margin`, `intensive_margin`.

    Raises
    ------
    IndexInputError
        As `revealed_comparative_advantage`.

    Source: Hummels and Klenow (2005).
    """
    keys = _names(by)
    flows = _checked(flows, [*keys, exporter, product], [value], parts=[exporter, product])
    _total(flows, [*keys, exporter], value)
    of_product, of_world = _world_exports(flows, keys, product, value, world)
    flows = flows.assign(
        _own=flows[value] / of_world,
        extensive_margin=(of_product / of_world).where(flows[value] > 0),
    )
    result = _grouped(flows, [*keys, exporter])[["_own", "extensive_margin"]].sum().reset_index()
    result["intensive_margin"] = result["_own"] / result["extensive_margin"]
    return result.drop(columns="_own")


# --- Growth ------------------------------------------------------------------------------------


def compound_annual_growth_rate(series: pd.Series, start: int | None = None, end: int | None = None) -> float:
    """Compound annual growth rate, (v_end / v_start)^(1 / (end - start)) - 1, as a fraction.

    Parameters
    ----------
    series : values indexed by year; `start` and `end` default to its first and last year.

    Raises
    ------
    IndexInputError
        An index that is not years; a year that is absent, repeated or missing; `end` not after
        `start`; a starting value that is not positive, or a negative final value.
    """
    if len(series) == 0 or not pd.api.types.is_numeric_dtype(series.index):
        raise IndexInputError("Give a series of values indexed by year (a number).")
    start = series.index.min() if start is None else start
    end = series.index.max() if end is None else end
    if end <= start:
        raise IndexInputError(f"Growth from {start} to {end}: the last year must come after.")
    for year in (start, end):
        if (series.index == year).sum() != 1 or pd.isna(series.loc[year]):
            raise IndexInputError(f"The series needs exactly one reported value for {year}: choose another year.")
    first, last = float(series.loc[start]), float(series.loc[end])
    if first <= 0 or last < 0:
        raise IndexInputError(
            f"Growth from {first:g} ({start}) to {last:g} ({end}) has no rate: "
            "the first value must be positive and the last not negative."
        )
    return (last / first) ** (1 / (end - start)) - 1


def growth_decomposition(
    flows: pd.DataFrame,
    start: int,
    end: int,
    *,
    year: str = "year",
    product: str = "product",
    value: str = "value_usd",
    by: Keys = (),
) -> pd.DataFrame:
    """Contribution of every product to the growth of the total between two years.

    contribution_k = (v_k,end - v_k,start) / V_start; the contributions sum to the total growth
    (V_end - V_start) / V_start. `margin` is ``entering`` (no trade at the start), ``leaving`` (no
    trade at the end) or ``intensive`` (traded in both); entering and leaving are the extensive
    margin.

    Growth compares two lists of products, so here, and only here, a product that one of the years
    does not report counts as not traded in that year: use one classification for both.

    Returns
    -------
    One row per group and product traded in either year: `value_start`, `value_end`, `change`,
    `contribution`, `margin`.

    Raises
    ------
    IndexInputError
        Invalid table; a year without data; a group without trade in the starting year.
    """
    keys = _names(by)
    flows = _checked(flows, [year, *keys, product], [value], parts=[product])
    if end <= start:
        raise IndexInputError(f"Growth from {start} to {end}: the last year must come after.")
    for wanted in (start, end):
        if not (flows[year] == wanted).any():
            raise IndexInputError(f"The table has no rows for {wanted}: choose another year.")
    columns = {start: "value_start", end: "value_end"}
    result = (
        flows[flows[year].isin(columns)]
        .pivot(index=[*keys, product], columns=year, values=value)
        .rename(columns=columns)
        .rename_axis(columns=None)
        .fillna(0.0)
        .reset_index()
    )
    result["change"] = result["value_end"] - result["value_start"]
    result["contribution"] = result["change"] / _total(result, keys, "value_start")
    result = result[(result["value_start"] > 0) | (result["value_end"] > 0)].reset_index(drop=True)
    result["margin"] = np.select(
        [result["value_start"] == 0, result["value_end"] == 0],
        ["entering", "leaving"],
        default="intensive",
    )
    return result


def growth_margins(decomposition: pd.DataFrame, *, by: Keys = ()) -> pd.DataFrame:
    """Sum the contributions of `growth_decomposition` by margin.

    Returns
    -------
    One row per group: `entering`, `leaving`, `intensive` and their sum `growth`, as fractions of
    the starting total.

    Raises
    ------
    IndexInputError
        A frame that is not the result of `growth_decomposition`.
    """
    keys = _names(by)
    _require(decomposition, [*keys, "contribution", "margin"])
    parts = {
        margin: decomposition["contribution"].where(decomposition["margin"] == margin, 0.0)
        for margin in ("entering", "leaving", "intensive")
    }
    table = decomposition[keys].assign(**parts, growth=decomposition["contribution"])
    columns = ["entering", "leaving", "intensive", "growth"]
    return _grouped(table, keys)[columns].sum().reset_index(drop=not keys)


# --- Balance, openness, mirror statistics ------------------------------------------------------


def trade_balance(
    trade: pd.DataFrame,
    *,
    exports: str = "exports",
    imports: str = "imports",
    by: Keys = "year",
) -> pd.DataFrame:
    """Trade balance X - M (in the unit of the values) and normalised (X - M) / (X + M), -1 to 1.

    Returns
    -------
    Copy of `trade` (one row per `by`) with `balance` and `normalised_balance`; NaN where a side
    is missing; the normalised balance is NaN as well where both are 0.

    Raises
    ------
    IndexInputError
        Invalid table.
    """
    trade = _checked(trade, _names(by), [exports, imports])
    balance = trade[exports] - trade[imports]
    return trade.assign(balance=balance, normalised_balance=_divide(balance, trade[exports] + trade[imports]))


def trade_openness(
    trade: pd.DataFrame,
    *,
    exports: str = "exports",
    imports: str = "imports",
    gdp: str = "gdp",
    by: Keys = "year",
) -> pd.DataFrame:
    """Trade openness (X + M) / GDP; all three in the same unit.

    Returns
    -------
    Copy of `trade` (one row per `by`) with `openness`; NaN where one of the three is missing.

    Raises
    ------
    IndexInputError
        Invalid table; a GDP of zero.

    Source: World Bank (2013), "openness to trade".
    """
    trade = _checked(trade, _names(by), [exports, imports, gdp])
    if (trade[gdp] == 0).any():
        raise IndexInputError(f"Column '{gdp}' holds a zero: openness needs a positive GDP.")
    return trade.assign(openness=(trade[exports] + trade[imports]) / trade[gdp])


def mirror_asymmetry(
    trade: pd.DataFrame,
    *,
    exports: str = "exports",
    imports: str = "imports",
    by: Keys = ("year", "exporter", "importer"),
) -> pd.DataFrame:
    """Compare the exporter's figure X (FOB) with the importer's figure M (CIF) for the same flow.

    `gap` = M - X; `cif_fob_ratio` = M / X; `relative_gap` = (M - X) / ((M + X) / 2), from -2 to 2;
    `log_ratio` = ln(M / X). Exchanging the two reports only changes the sign of the last two.

    Parameters
    ----------
    trade : one row per `by`; `exports` as the exporter reports it, `imports` as the importer does.

    Returns
    -------
    Copy of `trade` with the four columns; NaN where a side is missing, the ratio also where X is
    0, the log ratio where either is 0, the relative gap where both are.

    Raises
    ------
    IndexInputError
        Invalid table.

    Source: Hummels and Lugovskyy (2006) on what the ratio can and cannot measure.
    """
    trade = _checked(trade, _names(by), [exports, imports])
    x, m = trade[exports], trade[imports]
    ratio = _divide(m, x)
    return trade.assign(
        gap=m - x,
        cif_fob_ratio=ratio,
        relative_gap=_divide(m - x, (m + x) / 2),
        log_ratio=np.log(ratio.where(ratio > 0)),
    )


# --- Shared pieces -----------------------------------------------------------------------------


def _names(columns: Keys) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns)


def _require(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise IndexInputError(f"Give a pandas DataFrame, not {type(frame).__name__}.")
    absent = [column for column in columns if column not in frame.columns]
    if absent:
        raise IndexInputError(
            f"The table has no column {absent}; it has {list(frame.columns)}: pass the right names as keywords."
        )
    if frame.empty:
        raise IndexInputError("The table has no rows: check the filter that made it.")


def _checked(
    frame: pd.DataFrame,
    keys: Sequence[str],
    values: Sequence[str],
    *,
    parts: Sequence[str] = (),
    unique: bool = True,
) -> pd.DataFrame:
    """Return a copy with float values, or raise on whatever would give a wrong index silently."""
    _require(frame, [*keys, *values])
    if len(set(keys)) < len(keys):
        raise IndexInputError(
            f"A column is named twice in {list(keys)}: by= takes only the keys that the other keywords do not name."
        )
    for key in keys:
        if frame[key].isna().any():
            raise IndexInputError(f"Column '{key}' has empty cells: drop or fill those rows.")
    for part in parts:
        doubled = [name for name in AGGREGATES if frame[part].eq(name).any()]
        if doubled:
            raise IndexInputError(
                f"Column '{part}' holds the aggregate '{doubled[0]}' beside its parts: drop it, or it is counted twice."
            )
    if unique:
        repeated = frame.duplicated(list(keys)) if keys else pd.Series(len(frame) > 1)
        if repeated.any():
            raise IndexInputError(
                f"Several rows share the same {list(keys)}: sum them with aggregate() or name the other keys in by=."
            )
    floats = {}
    for name in values:
        try:
            column = frame[name].to_numpy(dtype=float, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise IndexInputError(f"Column '{name}' is not numeric.") from error
        if (column < 0).any() or np.isinf(column).any():
            raise IndexInputError(f"Column '{name}' holds a negative or infinite value: trade values are 0 or more.")
        floats[name] = column
    return frame.assign(**floats)


def _grouped(frame: pd.DataFrame, keys: Sequence[str]):
    # Without keys every row belongs to one group. Categories without rows are no groups.
    return frame.groupby(list(keys) if keys else (lambda _: 0), observed=True)


def _sum_within(frame: pd.DataFrame, keys: Sequence[str], value: str) -> pd.Series:
    """Sum of the reported values of the row's group, on every row."""
    return _grouped(frame, keys)[value].transform("sum")


def _total(frame: pd.DataFrame, keys: Sequence[str], value: str) -> pd.Series:
    """`_sum_within`, refusing groups that sum to zero: they have no shares."""
    total = _sum_within(frame, keys, value)
    if not (total > 0).all():
        first = frame.loc[~(total > 0), list(keys)].iloc[0]
        raise IndexInputError(
            f"No trade is reported for {_where(keys, first)}, so shares cannot be computed: leave this case out."
        )
    return total


def _where(keys: Sequence[str], group: Sequence) -> str:
    return ", ".join(f"{k}={v}" for k, v in zip(keys, group, strict=False)) or "this table"


def _share(frame: pd.DataFrame, keys: Sequence[str], value: str) -> pd.Series:
    return frame[value] / _total(frame, keys, value)


def _divide(numerator: pd.Series, denominator: pd.Series) -> pd.Series:
    """Divide, leaving NaN (not computable) where the denominator is zero."""
    return numerator / denominator.where(denominator != 0)


def _world_exports(
    flows: pd.DataFrame, keys: list[str], product: str, value: str, world: pd.DataFrame | None
) -> tuple[pd.Series, pd.Series]:
    """World exports of each row's product, and of all products, aligned with `flows`."""
    if world is None:
        return _sum_within(flows, [*keys, product], value), _total(flows, keys, value)
    world = _checked(world, [*keys, product], [value], parts=[product])
    world = world.assign(_product=world[value], _all=_total(world, keys, value))
    matched = flows[[*keys, product]].merge(
        world[[*keys, product, "_product", "_all"]], on=[*keys, product], how="left"
    )
    absent = matched["_product"].isna()
    if absent.any():
        case = _where([*keys, product], matched.loc[absent, [*keys, product]].iloc[0])
        raise IndexInputError(f"The world table reports nothing for {case}: add it, or drop it.")
    matched.index = flows.index
    return matched["_product"], matched["_all"]


def _product_count(result: pd.DataFrame, n_products: int | None) -> pd.Series:
    if n_products is not None:
        if n_products < result["n_products"].max():
            raise IndexInputError(
                f"n_products={n_products} is less than the {result['n_products'].max()} products "
                "reported: give the size of the whole classification."
            )
        result["n_products"] = n_products
    return result["n_products"]


def _structures(
    frame: pd.DataFrame, keys: list[str], economy: str, product: str, value: str
) -> dict[tuple, pd.DataFrame]:
    """Shares of products (columns) in the trade of each economy (rows), for every group."""
    frame = _checked(frame, [*keys, economy, product], [value], parts=[economy, product])
    frame = frame.assign(_share=_share(frame, [*keys, economy], value))
    return {
        group: rows.pivot(index=economy, columns=product, values="_share").fillna(0.0)
        for group, rows in _each(frame, keys)
    }


def _each(frame: pd.DataFrame, keys: list[str]) -> Iterator[tuple[tuple, pd.DataFrame]]:
    for group, rows in _grouped(frame, keys):
        yield (group if keys else ()), rows


def _pairs(
    keys: list[str],
    group: tuple,
    left: pd.DataFrame,
    right: pd.DataFrame,
    left_name: str,
    right_name: str,
    index_name: str,
) -> pd.DataFrame:
    """Overlap of every structure on the left with every other one on the right."""
    products = left.columns.union(right.columns)
    distance = cdist(
        left.reindex(columns=products, fill_value=0.0),
        right.reindex(columns=products, fill_value=0.0),
        metric="cityblock",
    )
    # Shares sum to 1, so 1 - distance/2 is the sum of the smaller shares; rounding may pass 0 or 1.
    overlap = pd.DataFrame(
        (1 - distance / 2).clip(0.0, 1.0),
        index=pd.Index(left.index.astype(object), name=left_name),
        columns=pd.Index(right.index.astype(object), name=right_name),
    )
    pairs = overlap.stack().rename(index_name).reset_index()
    pairs = pairs[pairs[left_name] != pairs[right_name]]
    for position, (key, part) in enumerate(zip(keys, group, strict=True)):
        pairs.insert(position, key, part)
    return pairs
