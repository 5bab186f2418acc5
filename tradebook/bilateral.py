"""The goods trade of one pair of economies: totals by both reporters, mirror gaps, product structure.

Every function takes two ISO alpha-3 codes, or the frame that another function here returned, and chooses the
most detailed table that covers the pair. China–Russia has tables of its own; any other pair falls back
on the world-wide ones.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tradebook import baci, engine, indices
from tradebook import flows as questions
from tradebook.data import load
from tradebook.economies import lineage, name
from tradebook.errors import TradebookError

__all__ = [
    "NoTradeDataError",
    "advantage",
    "classifications",
    "intensity",
    "mirror",
    "products",
    "reported_by",
    "section_names",
    "shares",
    "top_products",
    "totals",
    "unbroken",
    "unpublished_share",
    "unusual_years",
]


#: Classification → table; flows at six digits are the reader's own, and only their groups come from a table.
_TABLES = {
    "hs-chapter": "russia-hs-chapters",
    "sitc-division": "china-sitc-divisions",
    "sitc-section": "sitc-sections-matrix",
    "lall": "china-russia-lall",
}


class NoTradeDataError(TradebookError):
    """The tables hold no trade, or too little, for what was asked."""


def totals(a: str, b: str) -> pd.DataFrame:
    """Goods trade between two economies, each direction as each side reports it.

    Parameters
    ----------
    a, b : str
        ISO alpha-3 codes. A state that ended is continued by its successor (USSR → Russia); the column
        `recorded_as` keeps the code of the record.

    Returns
    -------
    DataFrame
        year, exporter, importer, reporter, valuation (FOB|CIF), value_usd (US dollars), status, source, recorded_as.
        China–Russia: 1978–2025; other pairs: 1960–2020. ``attrs["table"]`` names the table.

    Raises
    ------
    NoTradeDataError
        If neither side reports any trade with the other.
    """
    pair = {a, b}
    if pair == {"CHN", "RUS"}:
        frame = load("china-russia-totals")
        frame["recorded_as"] = np.where(frame["year"] < 1992, "SUN", "RUS")
        frame[["exporter", "importer"]] = frame[["exporter", "importer"]].replace("SUN", "RUS")
        frame.attrs["table"] = "china-russia-totals"
        return frame
    codes = {code: here for here in (a, b) for code in lineage(here)}
    flows = _between("bilateral-trade", list(codes))
    flows = flows.assign(
        recorded_as=flows["exporter"] + "–" + flows["importer"],
        exporter=flows["exporter"].map(codes),
        importer=flows["importer"].map(codes),
    )
    flows = flows[flows["exporter"] != flows["importer"]]
    common = ["year", "exporter", "importer", "recorded_as"]
    sold = flows[[*common, "exporter_reported_fob_musd"]].set_axis([*common, "value_usd"], axis=1)
    bought = flows[[*common, "importer_reported_cif_musd"]].set_axis([*common, "value_usd"], axis=1)
    frame = pd.concat(
        [
            sold.assign(reporter=sold["exporter"], valuation="FOB"),
            bought.assign(reporter=bought["importer"], valuation="CIF"),
        ]
    ).dropna(subset="value_usd")
    if frame.empty:
        raise NoTradeDataError(
            f"No trade between {name(a)} and {name(b)} is on record in 1960–2020; choose another pair."
        )
    # In the year of a succession both codes can appear: the sum is the pair's trade of that year.
    keys = ["year", "exporter", "importer", "reporter", "valuation"]
    frame = frame.groupby(keys, as_index=False).agg(value_usd=("value_usd", "sum"), recorded_as=("recorded_as", "last"))
    frame["value_usd"] *= 1e6
    frame = frame.assign(status="reported", source="IMF DOTS (vintage 2021)")
    frame.attrs["table"] = "bilateral-trade"
    return frame


def reported_by(trade: pd.DataFrame, reporter: str, home: str) -> pd.DataFrame:
    """Exports, imports, total and balance of `home` in the words of one reporter, by year.

    Returns
    -------
    DataFrame
        Indexed by year, in billion US dollars. A year is present only if the reporter gives both directions.
    """
    seen = trade[trade["reporter"] == reporter]
    if seen.empty:
        raise NoTradeDataError(f"{name(reporter)} reports no trade of this pair; use the partner's report.")
    exported = seen[seen["exporter"] == home].set_index("year")["value_usd"] / 1e9
    imported = seen[seen["importer"] == home].set_index("year")["value_usd"] / 1e9
    out = pd.DataFrame({"exports": exported, "imports": imported}).dropna().sort_index()
    if out.empty:
        raise NoTradeDataError(
            f"{name(reporter)} never reports both directions of this trade in one year; use the partner's report."
        )
    return out.assign(total=out["exports"] + out["imports"], balance=out["exports"] - out["imports"])


def mirror(trade: pd.DataFrame) -> pd.DataFrame:
    """The two reports of each flow side by side.

    Returns
    -------
    DataFrame
        year, exporter, importer, exports (the exporter's figure, FOB), imports (the importer's, CIF), status. Only
        years in which both report; `status` is the weaker of the two (estimated < derived < reported).
    """
    keys = ["year", "exporter", "importer"]
    sold = trade[trade["reporter"] == trade["exporter"]].set_index(keys)
    bought = trade[trade["reporter"] == trade["importer"]].set_index(keys)
    both = sold[["value_usd", "status"]].join(bought[["value_usd", "status"]].add_suffix("_cif"), how="inner")
    rank = {"estimated": 0, "derived": 1, "reported": 2}
    weaker = both["status"].where(both["status"].map(rank) <= both["status_cif"].map(rank), both["status_cif"])
    # The IMF fills a missing report with the partner's times 1.06 (formerly 1.10): not a second record.
    ratio = both["value_usd_cif"] / both["value_usd"]
    filled = np.isclose(ratio, 1.06, rtol=1e-5) | np.isclose(ratio, 1.10, rtol=1e-5)
    weaker = weaker.mask(filled, "estimated")
    out = pd.DataFrame({"exports": both["value_usd"], "imports": both["value_usd_cif"], "status": weaker})
    return out.reset_index().sort_values(keys, ignore_index=True)


def unusual_years(total: pd.Series, threshold: float = 2.0) -> pd.DataFrame:
    """Years whose growth is far from the usual, by a robust z-score of log changes.

    The score is ``(g - median(g)) / (1.4826 · MAD(g))`` with ``g`` the log change and MAD the median absolute
    deviation, which for a normal variable estimates the standard deviation (Rousseeuw and Croux 1993).

    Parameters
    ----------
    total : Series
        Positive values indexed by consecutive years.
    threshold : float
        Score beyond which a year counts as unusual.

    Returns
    -------
    DataFrame
        Indexed by year: growth (per cent), score, unusual (bool).
    """
    if (total <= 0).any():
        raise NoTradeDataError("Growth needs positive values in every year; leave out the empty years first.")
    logs = np.log(total).diff().dropna()
    logs = logs[total.index.to_series().diff().reindex(logs.index) == 1]
    spread = 1.4826 * (logs - logs.median()).abs().median()
    score = (logs - logs.median()) / spread
    return pd.DataFrame({"growth": np.expm1(logs) * 100, "score": score, "unusual": score.abs() > threshold})


def unbroken(series: pd.Series) -> pd.Series:
    """The last run of consecutive years without a gap: what a forecast can start from."""
    series = series.dropna().sort_index()
    run = (series.index.to_series().diff() != 1).cumsum()
    return series[run == run.iloc[-1]]


def shares(trade: pd.DataFrame, exporter: str, top: int = 6) -> pd.DataFrame:
    """Product groups of one direction as per cent of its yearly total, the rest as “Other”.

    Parameters
    ----------
    trade : DataFrame
        Result of `products`.
    exporter : str
        Which direction.
    top : int
        How many groups to name: those with the largest mean share.

    Returns
    -------
    DataFrame
        Index: year; columns: groups, the largest first, then “Other”. Rows sum to 100.
    """
    wide = trade[trade["exporter"] == exporter].pivot_table(
        index="year", columns="group", values="value_usd", aggfunc="sum", fill_value=0.0
    )
    if wide.empty:
        raise NoTradeDataError(f"{name(exporter)} exports nothing in this table; use the other direction.")
    wide = 100 * wide.div(wide.sum(axis=1), axis=0)
    named = wide.mean().sort_values(ascending=False, kind="stable").index[:top]
    out = wide[named]
    rest = 100 - out.sum(axis=1)
    return out.assign(Other=rest) if (rest > 0.05).any() else out


def classifications(a: str, b: str) -> list[str]:
    """Product classifications for which the pair's trade is on record, the most detailed first.

    “hs6” (all pairs, where ``TRADEBOOK_FLOWS`` names a folder of flows that the reader has made with `tradebook baci`),
    “hs-chapter” (Russia and a partner, 2000–2020), “sitc-division” (China and ten partners, 2010–2018), “sitc-section”
    (all pairs, 1995, 2005, 2015), “lall” (China–Russia, 1995–2017).
    """
    found = ["hs6"] if baci.folder() else []
    if "RUS" in (a, b) and (load("russia-hs-chapters")["partner"].isin({a, b} - {"RUS"})).any():
        found.append("hs-chapter")
    if "CHN" in (a, b) and (load("china-sitc-divisions")["partner"].isin({a, b} - {"CHN"})).any():
        found.append("sitc-division")
    sections = load("sitc-sections-matrix")
    if (sections["exporter"].isin([a, b]) & sections["importer"].isin([a, b])).any():
        found.append("sitc-section")
    if {a, b} == {"CHN", "RUS"}:
        found.append("lall")
    return found


def products(a: str, b: str, classification: str | None = None) -> pd.DataFrame:
    """Trade of the pair by product, both directions.

    Parameters
    ----------
    a, b : str
        ISO alpha-3 codes.
    classification : str, optional
        One of `classifications(a, b)`; by default the most detailed.

    Returns
    -------
    DataFrame
        year, exporter, importer, product, product_name, group, value_usd. `group` is the HS section, the SITC
        section, or Lall's broad class. Of ``attrs``, `reporter` says whose customs recorded it, `table` where it
        stands (the name of a table, or for “hs6” a `baci.Source`; figures take either), and `doubtful` which years
        the table warns of for this pair.

    Raises
    ------
    NoTradeDataError
        If the pair has no record in that classification.
    """
    possible = classifications(a, b)
    chosen = classification or (possible[0] if possible else "sitc-section")
    if chosen not in possible:
        raise NoTradeDataError(
            f"No {chosen} record of trade between {name(a)} and {name(b)}; available: {', '.join(possible) or 'none'}."
        )
    makers = {
        "hs6": _hs6,
        "hs-chapter": _hs_chapters,
        "sitc-division": _sitc_divisions,
        "sitc-section": _sitc_sections,
        "lall": _lall,
    }
    frame, reporter = makers[chosen](a, b)
    columns = ["year", "exporter", "importer", "product", "product_name", "group", "value_usd"]
    frame = frame[columns].sort_values(columns[:4], ignore_index=True)
    inflated = chosen == "hs-chapter" and {a, b} == {"CHN", "RUS"}  # see the known problems of the table
    table = baci.attribution(baci.folder()) if chosen == "hs6" else _TABLES[chosen]
    frame.attrs.update(classification=chosen, reporter=reporter, table=table, doubtful=[2016, 2017] if inflated else [])
    return frame


def _directed(frame: pd.DataFrame, reporter: str, partner: str) -> pd.DataFrame:
    """Exporter and importer from the reporter's point of view of `flow`."""
    sells = frame["flow"] == "export"
    return frame.assign(exporter=np.where(sells, reporter, partner), importer=np.where(sells, partner, reporter))


def section_names() -> pd.Series:
    """Short names of the ten SITC sections, indexed by code: the registry's names up to the first qualification."""
    titles = load("sitc-rev4").set_index("code")["name"]
    titles = titles[titles.index.str.len() == 1]
    return titles.str.replace(r"(,| classified| and transactions).*", "", regex=True)


def _hs6(a: str, b: str) -> tuple[pd.DataFrame, str]:
    place = baci.folder()
    frame = engine.answer(questions.between(baci.open_flows(place), [a, b]))
    if frame.empty:
        raise NoTradeDataError(f"{place} holds no trade between {name(a)} and {name(b)}; choose another pair.")
    sections = load("hs-chapters").set_index("hs_chapter")["section_short"]
    return frame.assign(
        product_name=frame["product"].map(baci.product_names(place)),
        group=frame["product"].str[:2].map(sections).fillna("Not classified"),
    ), "BACI"


def _hs_chapters(a: str, b: str) -> tuple[pd.DataFrame, str]:
    partner = b if a == "RUS" else a
    frame = load("russia-hs-chapters")
    frame = _directed(frame[frame["partner"] == partner], "RUS", partner)
    frame = frame.merge(load("hs-chapters"), on="hs_chapter", validate="m:1")
    names = {"hs_chapter": "product", "chapter_name": "product_name", "section_short": "group"}
    return frame.rename(columns=names), name("RUS")


def _sitc_divisions(a: str, b: str) -> tuple[pd.DataFrame, str]:
    partner = b if a == "CHN" else a
    frame = load("china-sitc-divisions")
    frame = _directed(frame[frame["partner"] == partner], "CHN", partner)
    titles = load("sitc-rev4").set_index("code")["name"]
    return frame.assign(
        product=frame["sitc_division"],
        product_name=frame["sitc_division"].map(titles),
        group=frame["sitc_division"].str[0].map(section_names()),
    ), name("CHN")


def _sitc_sections(a: str, b: str) -> tuple[pd.DataFrame, str]:
    frame = _between("sitc-sections-matrix", [a, b])
    frame = frame[frame["sitc_section"] != "TOTAL"]
    label = frame["sitc_section"].map(section_names())
    return frame.assign(product=frame["sitc_section"], product_name=label, group=label), "each exporter"


def _lall(a: str, b: str) -> tuple[pd.DataFrame, str]:
    frame = load("china-russia-lall").merge(load("lall-groups"), on="lall_code", validate="m:1")
    return frame.rename(
        columns={"lall_code": "product", "name": "product_name", "broad": "group"}
    ), "UNCTAD, from Russia's records"


def top_products(trade: pd.DataFrame, by: str = "group", n: int = 5) -> pd.DataFrame:
    """The `n` largest products of each direction over all years of `trade`, with their shares.

    Returns
    -------
    DataFrame
        exporter, importer, rank, the column `by`, value_usd (sum over the years), share (per cent of the direction).
    """
    sums = trade.groupby(["exporter", "importer", by], as_index=False)["value_usd"].sum()
    sums["share"] = 100 * sums["value_usd"] / sums.groupby("exporter")["value_usd"].transform("sum")
    sums["rank"] = sums.groupby("exporter")["value_usd"].rank(ascending=False, method="first").astype(int)
    return sums[sums["rank"] <= n].sort_values(["exporter", "rank"], ignore_index=True)


# --- Questions to the world's trade ----------------------------------------------------------------
#
# A pair's place in the world needs the whole of a large table. It is asked of the engine (`tradebook.engine`: DuckDB,
# or the Spark cluster that the reader has set); in a browser, where there is none, the same is computed in memory.


def advantage(economies: list[str]) -> pd.DataFrame:
    """Revealed comparative advantage of economies in the ten SITC sections, 1995, 2005 and 2015.

    Parameters
    ----------
    economies : list of str
        ISO alpha-3 codes.

    Returns
    -------
    DataFrame
        year, exporter, product (section), value_usd (exports to the world), rca (1 = the world's share).
    """
    if engine.available("sitc-sections-matrix"):
        table = engine.table("sitc-sections-matrix").rename(product="sitc_section")
        whole = questions.revealed_comparative_advantage(table.filter(table["product"] != "TOTAL"))
        return engine.answer(whole.filter(whole["exporter"].isin(economies)))
    table = load("sitc-sections-matrix").rename(columns={"sitc_section": "product"})
    exports = indices.aggregate(table[table["product"] != "TOTAL"], ["year", "exporter", "product"])
    whole = indices.revealed_comparative_advantage(exports)
    return whole[whole["exporter"].isin(economies)].reset_index(drop=True)


def intensity(a: str, b: str, since: int = 1995) -> pd.DataFrame:
    """Trade intensity of a pair by exporters' reports, both directions.

    Returns
    -------
    DataFrame
        year, exporter, importer, value_usd, trade_intensity (1 = as the world does); from `since` on.
    """
    if engine.available("bilateral-trade"):
        table = engine.table("bilateral-trade")
        rows = questions.reports(table.filter(table["year"] >= since))
        rows = rows.filter(rows["reporter"] == "exporter", rows["exporter"] != "WLD", rows["importer"] != "WLD")
        return engine.answer(questions.between(questions.trade_intensity(rows), [a, b]))
    table = load("bilateral-trade")
    table = table[(table["year"] >= since) & (table["exporter"] != "WLD") & (table["importer"] != "WLD")]
    sold = table.dropna(subset="exporter_reported_fob_musd")
    sold = sold.assign(value_usd=sold["exporter_reported_fob_musd"] * questions.MUSD)
    whole = indices.trade_intensity(sold[["year", "exporter", "importer", "value_usd"]])
    return whole[whole["exporter"].isin([a, b]) & whole["importer"].isin([a, b])].reset_index(drop=True)


def _between(table: str, codes: list[str]) -> pd.DataFrame:
    """Rows of a large table whose exporter and importer are among the codes."""
    if engine.available(table):
        return engine.answer(questions.between(engine.table(table), codes))
    frame = load(table)
    inside = frame["exporter"].isin(codes) & frame["importer"].isin(codes) & (frame["exporter"] != frame["importer"])
    return frame[inside]


def unpublished_share(partner: str) -> pd.DataFrame:
    """Share of Russia's trade with `partner` that its published HS chapters leave out, per cent.

    Returns
    -------
    DataFrame
        year, flow, total_usd, chapters_usd, share. Totals are UN Comtrade's; where IMF IMTS has the year, its total is
        used (Comtrade's of 2016 and 2017 are inflated). Slightly negative values are rounding between vintages.
    """
    chapters = load("russia-hs-chapters")
    chapters = chapters[chapters["partner"] == partner].groupby(["year", "flow"])["value_usd"].sum()
    total = load("russia-totals-comtrade")
    total = total[total["partner"] == partner].set_index(["year", "flow"])["value_usd"]
    newer = load("russia-totals-imts")
    newer = newer[newer["partner"] == partner].set_index(["year", "flow"])["value_musd"] * 1e6
    total = newer.reindex(total.index).fillna(total)
    out = pd.DataFrame({"total_usd": total, "chapters_usd": chapters}).dropna()
    return out.assign(share=100 * (1 - out["chapters_usd"] / out["total_usd"])).reset_index()
