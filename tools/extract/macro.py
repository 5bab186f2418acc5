"""Macro series: World Development Indicators, tariffs, oil price."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tools.extract import economy, field, table, year
from tools.extract.classifications import territory

WDI = {
    "publisher": "World Bank, World Development Indicators",
    "title": "World Bank, World Development Indicators (update of 1 July 2026)",
    "path": "https://databank.worldbank.org/source/world-development-indicators",
}
SDG = {
    "publisher": "UN SDG database",
    "title": "United Nations Statistics Division, SDG Global Database, indicator 17.10.1 (October 2020)",
    "path": "https://unstats.un.org/sdgs/dataportal",
}

NAMES = {
    "BM.GSR.ROYL.CD": "Charges for the use of intellectual property, payments",
    "BX.GSR.ROYL.CD": "Charges for the use of intellectual property, receipts",
    "BX.KLT.DINV.CD.WD": "Foreign direct investment, net inflows",
    "FP.CPI.TOTL.ZG": "Inflation, consumer prices",
    "GB.XPD.RSDV.GD.ZS": "Research and development expenditure",
    "IP.JRN.ARTC.SC": "Scientific and technical journal articles",
    "IP.PAT.NRES": "Patent applications, non-residents",
    "IP.PAT.RESD": "Patent applications, residents",
    "IT.NET.BBND.P2": "Fixed broadband subscriptions",
    "NY.GDP.MKTP.CD": "Gross domestic product",
    "NY.GDP.MKTP.KD.ZG": "Gross domestic product, real growth",
    "NY.GDP.PCAP.CD": "Gross domestic product per head",
    "NY.GDP.PCAP.PP.CD": "Gross domestic product per head at purchasing power parity",
    "SP.POP.SCIE.RD.P6": "Researchers in research and development",
    "SP.POP.TOTL": "Population",
    "TM.VAL.MRCH.CD.WT": "Merchandise imports",
    "TX.VAL.FUEL.ZS.UN": "Fuel exports",
    "TX.VAL.MRCH.CD.WT": "Merchandise exports",
    "TX.VAL.TECH.CD": "High-technology exports",
    "TX.VAL.TECH.MF.ZS": "High-technology exports, share",
}


def _wdi(raw: Path) -> pd.DataFrame:
    frame = pd.read_parquet(raw / "macro/wdi_all_economies.parquet")
    frame = frame.astype({"iso3": str, "indicator": str, "unit": str})
    if set(frame["indicator"]) != set(NAMES):
        raise ValueError("the indicators of the raw file are not those that have a name here")
    return frame


@table(
    "wdi",
    title="World Development Indicators of all economies, 1960–2025",
    description="Twenty indicators: output, prices, population, trade, research, patents. Economies, and WLD for the world.",
    fields=[
        economy("iso3", "Economy, or WLD"),
        year(1960, 2025),
        field(
            "indicator",
            "string",
            "World Bank code; see table wdi-indicators for name and unit",
            required=True,
        ),
        field(
            "value",
            "number",
            "Value in the unit of the indicator",
            "see wdi-indicators.unit",
            required=True,
        ),
    ],
    key=["indicator", "iso3", "year"],
    sources=[WDI],
    licence="cc-by-4.0",
    vintage="1 July 2026",
    kind="snapshot",
    caveats=[
        "Values of 2025 are first estimates.",
        "Russia's GDP in dollars has a break at 2010/2011: earlier years were not recalculated and lie 5.8–6.8 % below the IMF's series. Real growth rates are not affected.",
        "High-technology exports start in 2007 on today's definition. Patent counts end in 2021. Russia has no export composition after 2021.",
        "China's GDP was revised upwards by 1.7 % (median since 2000) against the vintage of April 2025.",
    ],
    references={"indicator": "wdi-indicators.indicator"},
    parquet=True,
)
def wdi(raw: Path) -> pd.DataFrame:
    frame = _wdi(raw)
    # Only economies: the World Bank's regional and income groups change membership between vintages.
    keep = {code for code in frame["iso3"].unique() if territory(code)[0]} | {"WLD", "XKX"}
    return frame[frame["iso3"].isin(keep)].drop(columns="unit")


@table(
    "wdi-indicators",
    title="World Development Indicators: names and units",
    description="What each code of table wdi measures.",
    fields=[
        field("indicator", "string", "World Bank code", required=True),
        field("name", "string", "Name", required=True),
        field("unit", "string", "Unit", required=True),
    ],
    key=["indicator"],
    sources=[WDI],
    licence="cc-by-4.0",
    vintage="1 July 2026",
    kind="constructed",
    caveats=["Names are shortened."],
)
def wdi_indicators(raw: Path) -> pd.DataFrame:
    frame = _wdi(raw)[["indicator", "unit"]].drop_duplicates()
    return frame.assign(name=frame["indicator"].map(NAMES))


@table(
    "tariffs",
    title="Applied tariffs of selected economies, 1988–2022",
    description="World Bank: mean applied tariff on all products, weighted by imports. SDG 17.10.1: weighted mean of most-favoured-nation (WMFN) and preferential (WMPS) tariffs by product class.",
    fields=[
        economy("iso3", "Economy"),
        year(1988, 2022),
        field(
            "indicator",
            "string",
            "TM.TAX.MRCH.WM.AR.ZS, or the SDG series and product class",
            required=True,
        ),
        field(
            "value",
            "number",
            "Tariff rate",
            "per cent of value",
            required=True,
            minimum=0,
            maximum=100,
        ),
        field("source", "string", "Publisher and vintage", required=True),
        field(
            "suspect",
            "boolean",
            "true where the World Bank's own neighbouring values make the value incredible",
            required=True,
        ),
    ],
    key=["iso3", "year", "indicator", "source"],
    sources=[WDI, SDG],
    licence="cc-by-4.0",
    vintage="WDI 2023–24 and 2021; SDG October 2020",
    kind="snapshot",
    caveats=[
        "Weighted means understate protection: a tariff that stops imports has no weight.",
        "2019 is odd for several economies (USA 13.8 % between 1.6 and 1.5; Russia 5.3 %): all values of 2019 are marked suspect.",
        "Russia: no value for 1995, 1998–2000, 2003–04, 2006 and after 2021. DEU and FRA are the common tariff of the European Union.",
    ],
    references={"iso3": "economies.iso3"},
)
def tariffs(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "macro/tariffs.csv")
    source = frame["source"].str.replace(r" \(.*\)", "", regex=True)
    frame = frame.assign(source=source, suspect=(frame["year"] == 2019) & frame["indicator"].str.startswith("TM."))
    return frame[frame["iso3"].map(lambda code: bool(territory(code)[0]) or code == "WLD")]


@table(
    "brent",
    title="Price of Brent crude oil, 1987–2025",
    description="Europe Brent spot price FOB, yearly average.",
    fields=[
        year(1987, 2025),
        field(
            "price_usd_per_barrel",
            "number",
            "Yearly average spot price",
            "US dollars per barrel",
            required=True,
            minimum=0,
        ),
    ],
    key=["year"],
    sources=[
        {
            "publisher": "US Energy Information Administration",
            "title": "US Energy Information Administration, Europe Brent Spot Price FOB (RBRTE)",
            "path": "https://www.eia.gov/dnav/pet/hist/RBRTEA.htm",
        }
    ],
    licence="public-domain",
    vintage="August 2026",
    kind="verbatim",
    caveats=["The series starts in May 1987: that year is the mean of eight months."],
)
def brent(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "macro/commodity_prices.csv", dtype={"date": str, "year": str})
    column = "date" if "date" in frame else "year"
    frame = frame[(frame["indicator"] == "BRENT spot FOB") & (frame["freq"] == "A")]
    return pd.DataFrame({"year": frame[column].astype(int), "price_usd_per_barrel": frame["value"]})
