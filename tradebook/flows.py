"""The analysis of bilateral trade at any size, written once: questions to a table of flows.

Each function takes an Ibis table and returns an Ibis expression; nothing is computed before `tradebook.engine.answer`
asks for the rows. DuckDB reads a Parquet file for it, or a Spark cluster does: same functions, equal results. Names of
columns are keywords with the defaults of `tradebook.indices`, which has the same indices for a frame in memory, and
the formulas; the two are tested against each other.

As there, a missing value was not reported: it enters no sum. Unlike there, tables are not checked first for
repeated keys or negative values, which would read them twice: the loaders do that when they write a table
(`tradebook.baci`), and the data package does it for the book's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tradebook.errors import TradebookError

if TYPE_CHECKING:
    import ibis

__all__ = [
    "FlowsError",
    "balance",
    "believed",
    "between",
    "contributions",
    "growth",
    "herfindahl_hirschman",
    "mirror",
    "reports",
    "revealed_comparative_advantage",
    "shares",
    "top_products",
    "totals",
    "trade_intensity",
]

Keys = str | Sequence[str]
MUSD = 1e6  # dollars in a million


class FlowsError(TradebookError):
    """A table of flows does not have a column that the question needs."""


# --- Preparing a table -------------------------------------------------------------------------


def reports(trade: ibis.Table) -> ibis.Table:
    """One row for each report of a flow, from a table with one column for either side (`bilateral-trade`).

    Returns
    -------
    ibis.Table
        year, exporter, importer, reporter (exporter|importer), value_usd; reports that are missing have no row.
    """
    _require(trade, ["year", "exporter", "importer", "exporter_reported_fob_musd", "importer_reported_cif_musd"])
    sides = []
    for side, column in (("exporter", "exporter_reported_fob_musd"), ("importer", "importer_reported_cif_musd")):
        import ibis

        sides.append(
            trade.filter(trade[column].notnull()).select(
                "year", "exporter", "importer", reporter=ibis.literal(side), value_usd=trade[column] * MUSD
            )
        )
    return sides[0].union(sides[1])


def believed(trade: ibis.Table) -> ibis.Table:
    """One value for each flow: what the importer recorded, else what the exporter did (`tradebook.network.flows`).

    Returns
    -------
    ibis.Table
        year, exporter, importer, value (million US dollars), reporter; no world totals, no zeros.
    """
    import ibis

    bought, sold = trade["importer_reported_cif_musd"], trade["exporter_reported_fob_musd"]
    out = trade.select(
        "year", "exporter", "importer", value=bought.coalesce(sold),
        reporter=ibis.ifelse(bought.notnull(), "importer", "exporter"),
    )  # fmt: skip
    return out.filter(out["exporter"] != "WLD", out["importer"] != "WLD", out["exporter"] != out["importer"],
                      out["value"] > 0)  # fmt: skip


def between(flows: ibis.Table, codes: Sequence[str]) -> ibis.Table:
    """Flows whose exporter and importer are both among `codes`, and not the same."""
    inside = flows["exporter"].isin(list(codes)) & flows["importer"].isin(list(codes))
    return flows.filter(inside, flows["exporter"] != flows["importer"])


def totals(flows: ibis.Table, keys: Keys, *, value: str = "value_usd") -> ibis.Table:
    """Sum `value` over everything but `keys`; a sum in which every part is missing stays missing."""
    _require(flows, [*_names(keys), value])
    return flows.group_by(_names(keys)).agg(flows[value].sum().name(value))


# --- Two reports of one flow ---------------------------------------------------------------------


def mirror(
    flows: ibis.Table,
    keys: Keys = ("year", "exporter", "importer"),
    *,
    reporter: str = "reporter",
    value: str = "value_usd",
) -> ibis.Table:
    """The exporter's and the importer's report of each flow side by side, and how far apart they are.

    Parameters
    ----------
    flows : ibis.Table
        One or more rows for each key and reporter (``exporter`` or ``importer``); they are summed first.
    keys : sequence of str
        What identifies a flow; add the product to compare product by product.

    Returns
    -------
    ibis.Table
        The keys, `exports` (FOB), `imports` (CIF), `gap`, `cif_fob_ratio`, `relative_gap`, `log_ratio`, as in
        `tradebook.indices.mirror_asymmetry`; only flows that both report.
    """
    keys = _names(keys)
    _require(flows, [*keys, reporter, value])
    sums = totals(flows, [*keys, reporter], value=value)
    sold = sums.filter(sums[reporter] == "exporter").select(*keys, exports=value)
    bought = sums.filter(sums[reporter] == "importer").select(*keys, imports=value)
    both = sold.join(bought, keys)
    x, m = both["exports"], both["imports"]
    ratio = m / x.nullif(0.0)
    return both.select(
        *keys, "exports", "imports", gap=m - x, cif_fob_ratio=ratio,
        relative_gap=(m - x) / ((m + x) / 2).nullif(0.0), log_ratio=ratio.nullif(0.0).ln(),
    )  # fmt: skip


def balance(
    flows: ibis.Table,
    keys: Keys = "year",
    *,
    exporter: str = "exporter",
    importer: str = "importer",
    value: str = "value_usd",
) -> ibis.Table:
    """Exports, imports, their sum and their difference of every economy, by `keys`.

    Returns
    -------
    ibis.Table
        The keys, `economy`, `exports`, `imports`, `total`, `balance`; a side without any flow is zero.
    """
    import ibis

    keys = _names(keys)
    _require(flows, [*keys, exporter, importer, value])
    sold = flows.select(*keys, economy=exporter, exports=value, imports=ibis.literal(0.0))
    bought = flows.select(*keys, economy=importer, exports=ibis.literal(0.0), imports=value)
    both = sold.union(bought)
    out = both.group_by([*keys, "economy"]).agg(exports=both["exports"].sum(), imports=both["imports"].sum())
    return out.mutate(total=out["exports"] + out["imports"], balance=out["exports"] - out["imports"])


# --- Structure -----------------------------------------------------------------------------------


def shares(flows: ibis.Table, within: Keys, *, value: str = "value_usd") -> ibis.Table:
    """Add `share`: the part of each row in the sum of the rows that agree on `within`."""
    return _with_sums(flows, value, _sum=_names(within)).mutate(
        share=lambda t: t[value] / t["_sum"].nullif(0.0)
    ).drop("_sum")  # fmt: skip


def revealed_comparative_advantage(
    flows: ibis.Table,
    *,
    exporter: str = "exporter",
    product: str = "product",
    value: str = "value_usd",
    by: Keys = "year",
) -> ibis.Table:
    """Balassa index of every exporter and product: its share in the exporter's exports over that in the world's.

    Parameters
    ----------
    flows : ibis.Table
        Flows of one record (one report of each), in any detail: they are summed to exporter and product first.

    Returns
    -------
    ibis.Table
        `by`, exporter, product, value, `rca`; the world is the sum of all exporters in `flows`.
    """
    keys = _names(by)
    own = totals(flows, [*keys, exporter, product], value=value)
    rows = _with_sums(own, value, _exporter=[*keys, exporter], _product=[*keys, product], _world=keys)
    rca = (rows[value] / rows["_exporter"].nullif(0.0)) / (rows["_product"] / rows["_world"]).nullif(0.0)
    return rows.select(*keys, exporter, product, value, rca=rca)


def herfindahl_hirschman(
    flows: ibis.Table, *, product: str = "product", value: str = "value_usd", by: Keys = "year"
) -> ibis.Table:
    """Herfindahl–Hirschman concentration over products: Σ x_k² / (Σ x_k)², after summing `flows` to products.

    Returns
    -------
    ibis.Table
        `by`, `n_products` (those reported), `hhi`.
    """
    keys = _names(by)
    own = totals(flows, [*keys, product], value=value)
    x = own[value]
    sums = own.group_by(keys) if keys else own
    out = sums.agg(n_products=x.count(), _squares=(x * x).sum(), _sum=x.sum())
    hhi = out["_squares"] / (out["_sum"] * out["_sum"]).nullif(0.0)
    return out.select(*keys, "n_products", hhi=hhi)


def top_products(
    flows: ibis.Table, n: int = 5, *, product: str = "product", value: str = "value_usd", by: Keys = "exporter"
) -> ibis.Table:
    """The `n` largest products within `by`, with their rank and share; equal ones by their code.

    Returns
    -------
    ibis.Table
        `by`, product, value, `share` (a fraction of the total within `by`), `rank` (1 = largest).
    """
    import ibis

    keys = _names(by)
    own = totals(flows, [*keys, product], value=value)
    order = ibis.window(group_by=keys, order_by=[ibis.desc(own[value]), own[product]])
    ranked = own.mutate(rank=ibis.row_number().over(order) + 1)
    rows = _with_sums(ranked.filter(ranked["rank"] <= n), value, own, _sum=keys)
    return rows.mutate(share=rows[value] / rows["_sum"].nullif(0.0)).drop("_sum")


def trade_intensity(
    flows: ibis.Table,
    *,
    exporter: str = "exporter",
    importer: str = "importer",
    value: str = "value_usd",
    by: Keys = "year",
) -> ibis.Table:
    """Trade intensity: the importer's share in the exporter's exports over its share in the world's.

    Returns
    -------
    ibis.Table
        `by`, exporter, importer, value, `trade_intensity`.
    """
    keys = _names(by)
    own = totals(flows, [*keys, exporter, importer], value=value)
    rows = _with_sums(own, value, _exporter=[*keys, exporter], _importer=[*keys, importer], _world=keys)
    index = (rows[value] / rows["_exporter"].nullif(0.0)) / (rows["_importer"] / rows["_world"]).nullif(0.0)
    return rows.select(*keys, exporter, importer, value, trade_intensity=index)


# --- Growth --------------------------------------------------------------------------------------


def growth(flows: ibis.Table, by: Keys, *, year: str = "year", value: str = "value_usd") -> ibis.Table:
    """Growth from one year to the next of the sum within `by`, as a fraction; missing after a gap or a zero.

    Returns
    -------
    ibis.Table
        `by`, year, value, `growth`.
    """
    keys = _names(by)
    now = totals(flows, [*keys, year], value=value)
    before = now.select(*keys, **{year: now[year] + 1, "_before": now[value]})
    both = now.left_join(before, [*keys, year])
    return both.select(*keys, year, value, growth=both[value] / both["_before"].nullif(0.0) - 1)


def contributions(
    flows: ibis.Table,
    start: int,
    end: int,
    *,
    by: Keys = "exporter",
    year: str = "year",
    product: str = "product",
    value: str = "value_usd",
) -> ibis.Table:
    """Contribution of every product to the growth of the total within `by` between two years.

    As `tradebook.indices.growth_decomposition`: a product that one of the years does not report counts there as not
    traded.

    Returns
    -------
    ibis.Table
        `by`, product, `value_start`, `value_end`, `change`, `contribution`, `margin` (entering|leaving|intensive).
    """
    import ibis

    keys = _names(by)
    _require(flows, [*keys, year, product, value])
    first, last = (ibis.ifelse(flows[year] == wanted, flows[value], 0.0).sum() for wanted in (start, end))
    chosen = flows.filter(flows[year].isin([start, end])).group_by([*keys, product])
    own = chosen.agg(value_start=first, value_end=last)
    own = own.filter((own["value_start"] > 0) | (own["value_end"] > 0))
    rows = _with_sums(own, "value_start", _sum=keys)
    change = rows["value_end"] - rows["value_start"]
    margin = ibis.cases((rows["value_start"] == 0, "entering"), (rows["value_end"] == 0, "leaving"), else_="intensive")
    return rows.select(
        *keys, product, "value_start", "value_end", change=change,
        contribution=change / rows["_sum"].nullif(0.0), margin=margin,
    )  # fmt: skip


# --- Shared pieces -------------------------------------------------------------------------------


def _names(columns: Keys) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns)


def _require(flows: ibis.Table, columns: Sequence[str]) -> None:
    absent = [column for column in columns if column not in flows.columns]
    if absent:
        raise FlowsError(
            f"The table of flows has no column {absent}; it has {list(flows.columns)}: name the right ones by keyword."
        )


def _with_sums(rows: ibis.Table, value: str, whole: ibis.Table | None = None, **names: list[str]) -> ibis.Table:
    """Add columns with the sum of `value` (over `whole`) within keys: by joins, for a window would sort every row.

    Every row finds its sum, so an inner join would give the same; but an engine may then join the sums to each other
    first (all exporters with all products of a year), and a left join keeps it from that.
    """
    out, whole = rows, rows if whole is None else whole
    for name, keys in names.items():
        sums = (whole.group_by(keys) if keys else whole).agg(**{name: whole[value].sum()})
        if keys:
            out = out.left_join(sums, keys, rname="_of_sum_{name}").drop(*(f"_of_sum_{key}" for key in keys))
        else:
            out = out.cross_join(sums)
    return out
