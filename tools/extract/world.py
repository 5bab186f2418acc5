"""World tables: input–output tables, the world economy, digital indicators, Russia's crisis of 2014."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tools.extract import LICENCES, economy, field, table, year
from tools.extract.classifications import territory

LICENCES["wiod"] = {
    "name": "other-attribution",
    "title": "WIOD 2013 release: free use with citation of Timmer et al. (2015)",
    "path": "https://www.rug.nl/ggdc/valuechain/wiod/wiod-2013-release",
}

WIOD = {
    "publisher": "World Input-Output Database",
    "title": "World Input-Output Database, 2013 release (Timmer et al. 2015), world input–output tables in basic prices",
    "path": "https://www.rug.nl/ggdc/valuechain/wiod/wiod-2013-release",
}

WDI = {
    "publisher": "World Bank, World Development Indicators",
    "title": "World Bank, World Development Indicators (update of 1 July 2026)",
    "path": "https://databank.worldbank.org/source/world-development-indicators",
}
WDI_2025 = {
    "publisher": "World Bank, World Development Indicators",
    "title": "World Bank, World Development Indicators (update of 15 April 2025)",
    "path": "https://databank.worldbank.org/source/world-development-indicators",
}
WDI_2023 = {
    "publisher": "World Bank, World Development Indicators",
    "title": "World Bank, World Development Indicators (a vintage of 2023–24 that ends in 2022)",
    "path": "https://databank.worldbank.org/source/world-development-indicators",
}
WEO = {
    "publisher": "IMF, World Economic Outlook",
    "title": "International Monetary Fund, World Economic Outlook database (April 2024)",
    "path": "https://www.imf.org/en/Publications/WEO/weo-database/2024/April",
}
PCPS = {
    "publisher": "IMF, Primary Commodity Prices",
    "title": "International Monetary Fund, Primary Commodity Price System (October 2025)",
    "path": "https://www.imf.org/en/Research/commodity-prices",
}
EIA = {
    "publisher": "US Energy Information Administration",
    "title": "US Energy Information Administration, Europe Brent Spot Price FOB (RBRTE)",
    "path": "https://www.eia.gov/dnav/pet/hist/RBRTEM.htm",
}
CBR = {
    "publisher": "Bank of Russia",
    "title": "Bank of Russia, official exchange rate of the US dollar (daily, to November 2023)",
    "path": "https://www.cbr.ru/eng/currency_base/",
}
ROSSTAT = {
    "publisher": "Rosstat",
    "title": "Rosstat, consumer prices month on month (November 2025)",
    "path": "https://rosstat.gov.ru/statistics/price",
}
KEP = {
    "publisher": "Rosstat",
    "title": "Rosstat, Short-term economic indicators (July 2018)",
    "path": "https://rosstat.gov.ru/",
}


@table(
    "wiod",
    title="World input–output tables, 1995–2011",
    description="One row per non-zero cell: what an industry of one economy delivered to an industry or a final use of another (or of its own), in basic prices. 40 economies and the rest of the world.",
    fields=[
        year(1995, 2011),
        economy("exporter", "Delivering economy (equal to importer: domestic delivery); ROW is the rest of the world"),
        field("industry", "string", "Delivering industry; see table wiod-codes", required=True, pattern="c[1-9][0-9]?"),
        economy("importer", "Receiving economy; ROW is the rest of the world"),
        field(
            "use",
            "string",
            "Receiving industry (c1–c35) or final use (c37–c42); see table wiod-codes",
            required=True,
            pattern="c[1-9][0-9]?",
        ),
        field("value_musd", "integer", "Value of the delivery in basic prices", "million US dollars", required=True),
    ],
    key=["year", "exporter", "industry", "importer", "use"],
    sources=[WIOD],
    licence="wiod",
    vintage="release of November 2013",
    kind="verbatim",
    caveats=[
        "Values are rounded to a million dollars; cells that are zero after rounding are left out, so row sums differ from published output by up to 110 million.",
        "Negative cells are changes in inventories (c42) and a few of fixed capital formation (c41).",
        "Bilateral flows are estimates that make all national accounts fit together: China's deliveries of goods to Russia in 2010 are 43.6 billion here, 29.6 in China's customs record and 39.1 in Russia's.",
        "ROW is estimated as one economy. Later years are in the 2016 release, which has other industries and is not part of this book.",
    ],
    references={"industry": "wiod-codes.code", "use": "wiod-codes.code"},
    parquet=True,
)
def wiod(raw: Path) -> pd.DataFrame:
    frame = pd.read_parquet(raw / "trade/wiod_wiot_1995_2011.parquet")
    return frame.rename(columns={"product_code": "industry", "use_code": "use"})


@table(
    "wiod-codes",
    title="World input–output tables: industries and final uses",
    description="What each code of table wiod stands for.",
    fields=[
        field("code", "string", "Code in table wiod", required=True),
        field("name", "string", "Industry or final use", required=True),
        field(
            "nace",
            "string",
            "Code of the classification NACE Rev. 1 / ISIC Rev. 3, or the WIOD's own abbreviation of a final use",
            required=True,
        ),
        field("kind", "string", "industry or final use", required=True, enum=["industry", "final use"]),
    ],
    key=["code"],
    sources=[WIOD],
    licence="wiod",
    vintage="release of November 2013",
    kind="verbatim",
    caveats=[
        "Industries are broad: c14, “electrical and optical equipment”, holds computers, telephones, instruments and cables alike."
    ],
)
def wiod_codes(raw: Path) -> pd.DataFrame:
    return pd.read_csv(raw / "trade/wiod_codes.csv").rename(columns={"nace1_isic3": "nace"})


GROUPS = {
    "WLD": "World",
    "EAS": "East Asia and Pacific",
    "EAP": "East Asia and Pacific, without high-income economies",
    "SAS": "South Asia",
    "ECS": "Europe and Central Asia",
    "LCN": "Latin America and Caribbean",
    "MEA": "Middle East and North Africa",
    "NAC": "North America",
    "SSF": "Sub-Saharan Africa",
    "HIC": "High-income economies",
    "LMY": "Low- and middle-income economies",
}


@table(
    "world-groups",
    title="Output and population of the world's regions and income groups, 1960–2025",
    description="The World Bank's own aggregates of gross domestic product, its real growth and population.",
    fields=[
        field("group", "string", "World Bank code of the group", required=True, enum=list(GROUPS)),
        field("name", "string", "Name of the group", required=True),
        year(1960, 2025),
        field("indicator", "string", "World Bank code; see table wdi-indicators for name and unit", required=True),
        field("value", "number", "Value in the unit of the indicator", "see wdi-indicators.unit", required=True),
    ],
    key=["indicator", "group", "year"],
    sources=[WDI],
    licence="cc-by-4.0",
    vintage="1 July 2026",
    kind="snapshot",
    caveats=[
        "Groups have the members of 2026 in all years; income groups change membership between vintages.",
        "Growth of a group is that of its sum in constant US dollars of 2015: large dollar economies weigh more than at purchasing power parity. Values of 2025 are first estimates.",
    ],
    references={"indicator": "wdi-indicators.indicator"},
)
def world_groups(raw: Path) -> pd.DataFrame:
    frame = pd.read_parquet(raw / "macro/wdi_all_economies.parquet")
    frame = frame.astype({"iso3": str, "indicator": str}).rename(columns={"iso3": "group"})
    wanted = ["NY.GDP.MKTP.CD", "NY.GDP.MKTP.KD.ZG", "SP.POP.TOTL"]
    frame = frame[frame["group"].isin(list(GROUPS)) & frame["indicator"].isin(wanted)]
    return frame.assign(name=frame["group"].map(GROUPS))


@table(
    "world-trade",
    title="World trade in volume, and world exports of services, 1971–2022",
    description="Growth of world exports of goods and services at constant prices, and world exports of services in current dollars.",
    fields=[
        year(1971, 2022),
        field(
            "indicator",
            "string",
            "NE.EXP.GNFS.KD.ZG: growth of exports of goods and services at constant prices; BX.GSR.NFSV.CD: exports of services",
            required=True,
            enum=["NE.EXP.GNFS.KD.ZG", "BX.GSR.NFSV.CD"],
        ),
        field("value", "number", "Value", "per cent a year; US dollars", required=True),
    ],
    key=["indicator", "year"],
    sources=[WDI_2023],
    licence="cc-by-4.0",
    vintage="2023–24",
    kind="verbatim",
    caveats=[
        "An older vintage than table wdi: the two are not joined in one series. No second copy was found to check the values against.",
        "Volume covers goods and services together; no volume series of goods alone was found in an open copy.",
    ],
)
def world_trade(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "macro/world_trade.csv")
    return frame[frame["indicator"].isin(["NE.EXP.GNFS.KD.ZG", "BX.GSR.NFSV.CD"]) & (frame["iso3"] == "WLD")]


COMMODITIES = {
    "IMF PALLFNF": "all commodities",
    "IMF PNRG": "energy",
    "IMF PMETA": "metals",
    "IMF PFANDB": "food and beverages",
}


@table(
    "commodity-prices",
    title="Commodity price indices, 1992–2024",
    description="Yearly means of four of the IMF's monthly price indices.",
    fields=[
        year(1992, 2024),
        field("commodity", "string", "Group of commodities", required=True, enum=list(COMMODITIES.values())),
        field("price_index", "number", "Mean of twelve months", "2016 = 100", required=True, minimum=0),
    ],
    key=["commodity", "year"],
    sources=[PCPS],
    licence="imf",
    vintage="October 2025",
    kind="constructed",
    caveats=[
        "Small derived table: yearly means. The index of all commodities starts in 2003. Prices are in US dollars."
    ],
)
def commodity_prices(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "macro/commodity_prices.csv", dtype={"date": str})
    frame = frame[frame["indicator"].isin(list(COMMODITIES)) & (frame["freq"] == "A")]
    return pd.DataFrame(
        {
            "year": frame["date"].astype(int),
            "commodity": frame["indicator"].map(COMMODITIES),
            "price_index": frame["value"],
        }
    )


DIGITAL = {
    "IT.NET.USER.ZS": "Internet users",
    "IT.CEL.SETS.P2": "Mobile telephone subscriptions",
    "IT.NET.SECR.P6": "Secure internet servers",
    "TX.VAL.ICTG.ZS.UN": "ICT goods exports",
}
DIGITAL_UNITS = {
    "IT.NET.USER.ZS": "per cent of population",
    "IT.CEL.SETS.P2": "per 100 people",
    "IT.NET.SECR.P6": "per million people",
    "TX.VAL.ICTG.ZS.UN": "per cent of goods exports",
}


@table(
    "digital",
    title="Digital indicators of 36 economies and groups, 1960–2025",
    description="Internet users, mobile subscriptions, secure servers and the share of information and communication technology in goods exports. Fixed broadband of all economies is in table wdi.",
    fields=[
        economy("iso3", "Economy, or WLD"),
        year(1960, 2025),
        field("indicator", "string", "World Bank code", required=True, enum=list(DIGITAL)),
        field("name", "string", "What is measured", required=True),
        field("unit", "string", "Unit of the value", required=True),
        field("value", "number", "Value", "see unit", required=True, minimum=0),
    ],
    key=["indicator", "iso3", "year"],
    sources=[WDI, WDI_2025, WDI_2023],
    licence="cc-by-4.0",
    vintage="July 2026; internet users April 2025; ICT goods 2023",
    kind="snapshot",
    caveats=[
        "Internet users of Russia 2008–2010 were revised upwards later (2009: 42.6 per cent here, 29 in the vintage of 2020).",
        "Secure servers count certificates found by a survey of addresses that changed in size: levels of different years are hard to compare.",
        "ICT goods exports end in 2021 (world: 2022) and cover eleven economies and groups; one copy only.",
    ],
    references={"iso3": "economies.iso3"},
)
def digital(raw: Path) -> pd.DataFrame:
    frames = [pd.read_csv(raw / "macro" / name) for name in ("wdi_science_tech.csv", "ict_goods_exports.csv")]
    frame = pd.concat(frames)
    frame = frame[frame["indicator"].isin(list(DIGITAL)) & _economies(frame["iso3"])]
    return frame.assign(name=frame["indicator"].map(DIGITAL), unit=frame["indicator"].map(DIGITAL_UNITS))


def _economies(codes: pd.Series) -> pd.Series:
    """True for economies and the world: the World Bank's groups change membership between vintages."""
    return codes.map(lambda code: bool(territory(code)[0]) or code in {"WLD", "XKX"})


@table(
    "gdp-vintages",
    title="Gross domestic product in current dollars: older vintages, 1960–2023",
    description="What was published before the revisions of 2025–26, to check figures that quote an older vintage.",
    fields=[
        economy("iso3", "Economy, or WLD"),
        year(1960, 2023),
        field("vintage", "string", "Publisher and date", required=True, enum=["WDI April 2025", "WEO April 2024"]),
        field("value_usd", "number", "Gross domestic product at market prices", "US dollars", required=True, minimum=0),
    ],
    key=["vintage", "iso3", "year"],
    sources=[WDI_2025, WEO],
    licence="imf",
    vintage="April 2025; April 2024",
    kind="snapshot",
    caveats=[
        "China's GDP was revised upwards in 2025: 2016 is 11.23 trillion dollars in the vintage of April 2025, 11.46 in that of July 2026 (table wdi).",
        "For Russia the World Bank's level of 1997–2010 is 6–7 % below the IMF's and equal from 2011: older years were not recalculated.",
        "The IMF's 2022–2023 may be staff estimates.",
    ],
    references={"iso3": "economies.iso3"},
)
def gdp_vintages(raw: Path) -> pd.DataFrame:
    bank = pd.read_csv(raw / "macro/wdi_vintage_2025-04.csv").query("indicator == 'NY.GDP.MKTP.CD'")
    fund = pd.read_csv(raw / "macro/imf_weo.csv").query("indicator == 'WEO.NGDPD'")
    frame = pd.concat(
        [
            bank.assign(vintage="WDI April 2025", value_usd=bank["value"]),
            fund.assign(vintage="WEO April 2024", value_usd=fund["value"] * 1e9),
        ]
    )
    return frame[_economies(frame["iso3"])]


POVERTY = ["SI.POV.NAHC", "SI.POV.DDAY", "SI.POV.GINI"]


@table(
    "poverty",
    title="Poverty and inequality of 29 economies, 1963–2024",
    description="Share of the population below the national poverty line (SI.POV.NAHC) and below 3 dollars a day at purchasing power parity of 2021 (SI.POV.DDAY), and the Gini index (SI.POV.GINI).",
    fields=[
        economy("iso3", "Economy, or WLD"),
        year(1963, 2024),
        field("indicator", "string", "World Bank code", required=True, enum=POVERTY),
        field(
            "value",
            "number",
            "Share of the population, or index",
            "per cent; Gini index 0–100",
            required=True,
            minimum=0,
            maximum=100,
        ),
    ],
    key=["indicator", "iso3", "year"],
    sources=[WDI],
    licence="cc-by-4.0",
    vintage="1 July 2026",
    kind="snapshot",
    caveats=[
        "National lines differ: Russia's was the subsistence minimum until 2020 and is relative since. Lines of two economies are not comparable."
    ],
    references={"iso3": "economies.iso3"},
)
def poverty(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "macro/wdi_social.csv")
    return frame[frame["indicator"].isin(POVERTY) & _economies(frame["iso3"])]


STRUCTURE = {
    "NV.IND.TOTL.ZS": ("Value added of industry, construction included", "per cent of output"),
    "NE.GDI.TOTL.ZS": ("Gross investment", "per cent of output"),
    "SL.UEM.TOTL.ZS": ("Unemployment, modelled by the ILO", "per cent of the labour force"),
    "FI.RES.TOTL.CD": ("Official reserves, gold included", "US dollars"),
    "WEO.GGXWDG_NGDP": ("Gross debt of general government", "per cent of output"),
}


@table(
    "macro-structure",
    title="Industry, investment, unemployment, reserves and public debt of 27 economies, 1960–2025",
    description="Share of industry and of investment in output, unemployment, official reserves, and the debt of general government.",
    fields=[
        economy("iso3", "Economy, or WLD"),
        year(1960, 2025),
        field("indicator", "string", "World Bank or IMF code", required=True, enum=list(STRUCTURE)),
        field("name", "string", "What is measured", required=True),
        field("unit", "string", "Unit of the value", required=True),
        field("value", "number", "Value", "see unit", required=True),
    ],
    key=["indicator", "iso3", "year"],
    sources=[WDI, WEO],
    licence="imf",
    vintage="World Bank 1 July 2026; IMF April 2024",
    kind="snapshot",
    caveats=[
        "Twenty-seven economies, not all: a share of economies counted here is not one of the world. Public debt covers 26 economies and ends in 2023; the world has none.",
        "Services are not among the indicators: what is not industry is services and agriculture together. World industry starts in 1991.",
        "Unemployment is an estimate of the International Labour Organization; for China it differs from the registered and the surveyed urban rates that the government publishes.",
        "The IMF's debt of 2022–2023 may be staff estimates. China's leaves out the borrowing of local governments' companies.",
    ],
    references={"iso3": "economies.iso3"},
)
def macro_structure(raw: Path) -> pd.DataFrame:
    frame = pd.concat([pd.read_csv(raw / "macro/wdi_macro.csv"), pd.read_csv(raw / "macro/imf_weo.csv")])
    frame = frame[frame["indicator"].isin(list(STRUCTURE)) & _economies(frame["iso3"])]
    names, units = ({code: text[i] for code, text in STRUCTURE.items()} for i in (0, 1))
    return frame.assign(name=frame["indicator"].map(names), unit=frame["indicator"].map(units))


@table(
    "russia-monthly",
    title="Oil price, rouble and consumer prices by month, 1991–2026",
    description="Brent crude, the Bank of Russia's dollar rate, and consumer prices over the month and over twelve months.",
    fields=[
        field("month", "yearmonth", "Calendar month", required=True),
        field(
            "indicator",
            "string",
            "What is measured",
            required=True,
            enum=["brent", "roubles-per-dollar", "prices-month", "prices-year"],
        ),
        field(
            "value",
            "number",
            "Value",
            "brent: US dollars per barrel; roubles per US dollar; prices: per cent",
            required=True,
        ),
    ],
    key=["indicator", "month"],
    sources=[EIA, CBR, ROSSTAT],
    licence="facts",
    vintage="EIA August 2026; Bank of Russia November 2023; Rosstat November 2025",
    kind="constructed",
    caveats=[
        "The rouble rate is the mean of the official rate over all calendar days of the month; roubles before 1998 are divided by 1000. It ends in November 2023.",
        "prices-year is chained from twelve monthly rates; it agrees with Rosstat's December figures to 0.06 percentage points.",
    ],
)
def russia_monthly(raw: Path) -> pd.DataFrame:
    prices = pd.read_csv(raw / "macro/commodity_prices.csv", dtype={"date": str})
    oil = prices[(prices["indicator"] == "BRENT spot FOB") & (prices["freq"] == "M")].assign(indicator="brent")
    rates = pd.read_csv(raw / "macro/fx.csv", dtype={"date": str})
    rouble = rates[(rates["indicator"] == "RUB per USD") & (rates["freq"] == "M") & (rates["source"] == "CBR-2023-11")]
    rouble = rouble.assign(indicator="roubles-per-dollar")
    rosstat = pd.read_csv(raw / "macro/russia_rosstat.csv", dtype={"date": str})
    month = rosstat[rosstat["indicator"] == "CPI month-on-month"].sort_values("date")
    chained = (month["value"] / 100).rolling(12).apply(lambda window: window.prod(), raw=True)
    over_year = month.assign(indicator="prices-year", value=(100 * (chained - 1)).round(3)).dropna(subset="value")
    over_month = month.assign(indicator="prices-month", value=(month["value"] - 100).round(3))
    frame = pd.concat([oil, rouble, over_month, over_year])
    return frame.rename(columns={"date": "month"})


ANNUAL = {
    "KEP GDP_yoy": "gdp",
    "KEP DISPOSABLE_INCOME_yoy": "real disposable income",
    "KEP WAGE_REAL_yoy": "real wage",
    "KEP CPI_rog": "consumer prices, December on December",
}


@table(
    "rosstat-annual",
    title="Russia: output, incomes and prices as Rosstat gave them in 2018, 1999–2017",
    description="Yearly change in the vintage that an author of early 2018 could read.",
    fields=[
        year(1999, 2017),
        field("indicator", "string", "What changes", required=True, enum=list(ANNUAL.values())),
        field(
            "change",
            "number",
            "Change against the year before (prices: December on December)",
            "per cent",
            required=True,
        ),
    ],
    key=["indicator", "year"],
    sources=[KEP],
    licence="facts",
    vintage="July 2018",
    kind="verbatim",
    caveats=["Output of 2015–2017 (−2.5, −0.2, +1.5 per cent) has been revised since: table wdi has −2.0, +0.2, +1.8."],
)
def rosstat_annual(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "macro/russia_rosstat.csv", dtype={"date": str})
    frame = frame[frame["indicator"].isin(list(ANNUAL))]
    return pd.DataFrame(
        {
            "year": frame["date"].astype(int),
            "indicator": frame["indicator"].map(ANNUAL),
            "change": (frame["value"] - 100).round(3),
        }
    )
