"""High technology of one economy: exports by definition, research intensity, whose value added.

There is no one “high technology”. Each definition is a list of products or industries of its own; they
are kept side by side and never joined.
"""

from __future__ import annotations

import pandas as pd

from tradebook import inputoutput
from tradebook.data import load
from tradebook.errors import TradebookError

__all__ = [
    "DEFINITIONS", "HighTechnologyError", "content_of_exports", "exports", "price_level",
    "research_intensity", "world_table",
]  # fmt: skip

#: Label of a definition -> table and, where a table has several, indicator.
DEFINITIONS = {
    "World Bank, current": ("wdi", "TX.VAL.TECH.CD"),
    "World Bank, older": ("hightech-exports-old-definition", ""),
    "NSF, research-intensive products": ("hightech-trade-ncses", "high-rd-products"),
    "NSF, KTI industries": ("hightech-trade-ncses", "kti-manufactures"),
}


class HighTechnologyError(TradebookError):
    """There is no such definition, or no data for the economy."""


def exports(iso3: str) -> pd.DataFrame:
    """High-technology exports of an economy (or WLD) in every definition that covers it.

    Returns
    -------
    DataFrame
        Indexed by year, one column per definition, billion US dollars; missing = not reported. Where
        two editions of the older definition have a year, the newer edition counts.

    Raises
    ------
    HighTechnologyError
        If no definition covers the economy.
    """
    columns = {}
    for label, (table, indicator) in DEFINITIONS.items():
        frame = load(table)
        frame = frame[frame["iso3"] == iso3]
        if indicator:
            frame = frame[frame["indicator"] == indicator]
        if "flow" in frame:
            frame = frame[frame["flow"] == "export"]
        if "edition" in frame:
            frame = frame.sort_values("edition").drop_duplicates("year", keep="last")
        value, unit = ("value_musd", 1e3) if "value_musd" in frame else ("value", 1e9)
        value = "value_usd" if "value_usd" in frame else value
        if len(frame):
            columns[label] = frame.set_index("year")[value].sort_index() / unit
    if not columns:
        raise HighTechnologyError(
            f"No definition of high-technology exports covers {iso3}; choose an exporter that reports them."
        )
    return pd.DataFrame(columns).sort_index()


def price_level() -> pd.Series:
    """Price level of output by economy and year: GDP per head at market rates over that in PPP."""
    frame = load("wdi")
    frame = frame[frame["indicator"].isin(["NY.GDP.PCAP.CD", "NY.GDP.PCAP.PP.CD"])]
    wide = frame.pivot(index=["iso3", "year"], columns="indicator", values="value")
    return (wide["NY.GDP.PCAP.CD"] / wide["NY.GDP.PCAP.PP.CD"]).rename("price_level")


def research_intensity() -> pd.DataFrame:
    """Business research over value added by industry, both in market dollars.

    Research is published in purchasing power parities; it is turned into market dollars with the price
    level of the economy's output, because value added is in market dollars.

    Returns
    -------
    DataFrame
        `iso3, year, industry, intensity` (per cent), only where both sides are known.
    """
    frame = load("industry-research").dropna(subset=["research_mppp", "value_added_musd"])
    frame = frame.merge(price_level().reset_index(), on=["iso3", "year"])
    market = frame["research_mppp"] * frame["price_level"]
    frame["intensity"] = 100 * market / frame["value_added_musd"]
    return frame[["iso3", "year", "industry", "intensity"]]


def world_table(year: int) -> inputoutput.WorldTable:
    """The world input–output table of one year (table wiod), 1995–2011."""
    return _arranged(load("wiod"), year)


def _arranged(flows: pd.DataFrame, year: int) -> inputoutput.WorldTable:
    codes = load("wiod-codes")
    industries = list(codes["code"][codes["kind"] == "industry"])
    return inputoutput.world_table(flows[flows["year"] == year], industries=industries)


def content_of_exports(economies: list[str], industry: str, origins_of: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whose value added is in the exports of one industry, year by year.

    Parameters
    ----------
    economies : list of str
        Exporters to split.
    industry : str
        Code of the exporting industry in table wiod.
    origins_of : str
        The exporter whose value added is told by origin.

    Returns
    -------
    content : DataFrame
        `year, economy, exports, domestic, double_counted, foreign, specialised` (million US dollars,
        the last being imported inputs after Hummels, Ishii and Yi) and `lowest` (a share, see
        `inputoutput.lowest_domestic_share`).
    origins : DataFrame
        Indexed by year, one column per economy of origin, million US dollars.
    """
    rows, origins = [], {}
    flows = load("wiod")  # once: it has millions of rows
    for year in sorted(flows["year"].unique()):
        table = _arranged(flows, year)
        for economy in economies:
            parts = inputoutput.value_added_in_exports(table, economy).loc[industry]
            if not parts["exports"] > 0:
                continue
            specialised = inputoutput.vertical_specialisation(table, economy)[industry]
            lowest = inputoutput.lowest_domestic_share(table, economy, industry)
            rows.append((year, economy, *parts, specialised, lowest))
        origins[year] = inputoutput.origin_of_exports(table, origins_of, [industry])
    names = ["year", "economy", "exports", "domestic", "double_counted", "foreign", "specialised", "lowest"]
    return pd.DataFrame(rows, columns=names), pd.DataFrame(origins).T.rename_axis("year")
