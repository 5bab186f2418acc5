"""High technology: exports under several definitions, research, productivity, US–China trade."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tools.extract import DATA, economy, field, table, year
from tools.extract.macro import WDI
from tools.extract.trade import COMTRADE

NCSES = {
    "publisher": "NCSES, Science and Engineering Indicators",
    "title": "US National Science Foundation, NCSES, Science and Engineering Indicators 2020, 2022 and 2024",
    "path": "https://ncses.nsf.gov/indicators",
}
CENSUS = {
    "publisher": "US Census Bureau",
    "title": "US Census Bureau, USA Trade Online (merchandise trade)",
    "path": "https://www.census.gov/foreign-trade/",
}
GGDC = {
    "publisher": "Groningen Growth and Development Centre",
    "title": "Groningen Growth and Development Centre, Productivity Level Database 2023 (Inklaar, Marapin and Gräler 2023)",
    "path": "https://www.rug.nl/ggdc/productivity/pld/",
}
PRESS = {
    "publisher": "China Customs and Ministry of Commerce, as quoted by the press",
    "title": "Customs and Ministry of Commerce of China, as quoted by the pages named in each row",
    "path": "http://english.customs.gov.cn/",
}

# Names in the NCSES and Groningen tables -> ISO 3166-1. Groups (EU, "Other ...", regions) are left out.
ECONOMIES = {
    "Australia": "AUS", "Austria": "AUT", "Belgium": "BEL", "Brazil": "BRA", "Canada": "CAN", "China": "CHN",
    "China (incl. Hong Kong)": "CHN", "Finland": "FIN", "France": "FRA", "Germany": "DEU", "Hong Kong": "HKG",
    "India": "IND", "Indonesia": "IDN", "Ireland": "IRL", "Israel": "ISR", "Italy": "ITA", "Japan": "JPN",
    "Malaysia": "MYS", "Mexico": "MEX", "Netherlands": "NLD", "New Zealand": "NZL", "Philippines": "PHL",
    "Poland": "POL", "Russia": "RUS", "Singapore": "SGP", "South Korea": "KOR", "Spain": "ESP", "Sweden": "SWE",
    "Switzerland": "CHE", "Taiwan": "TWN", "Thailand": "THA", "United Kingdom": "GBR", "United States": "USA",
    "Vietnam": "VNM", "World": "WLD", "World (75)": "WLD",
}  # fmt: skip

# Names of partners in the files of the US Census Bureau.
CENSUS_NAMES = {
    "CANADA": "CAN", "MEXICO": "MEX", "GUATEMALA": "GTM", "EL SALVADOR": "SLV", "HONDURAS": "HND", "NICARAGUA": "NIC",
    "COSTA RICA": "CRI", "DOMINICAN REPUBLIC": "DOM", "TRINIDAD AND TOBAGO": "TTO", "COLOMBIA": "COL", "VENEZUELA": "VEN",
    "ECUADOR": "ECU", "PERU": "PER", "CHILE": "CHL", "BRAZIL": "BRA", "ARGENTINA": "ARG", "NORWAY": "NOR",
    "UNITED KINGDOM": "GBR", "SLOVAKIA": "SVK", "SWITZERLAND": "CHE", "RUSSIA": "RUS", "TURKEY": "TUR", "IRAQ": "IRQ",
    "ISRAEL": "ISR", "KUWAIT": "KWT", "SAUDI ARABIA": "SAU", "UNITED ARAB EMIRATES": "ARE", "INDIA": "IND",
    "PAKISTAN": "PAK", "BANGLADESH": "BGD", "SRI LANKA": "LKA", "THAILAND": "THA", "VIETNAM": "VNM", "CAMBODIA": "KHM",
    "MALAYSIA": "MYS", "SINGAPORE": "SGP", "INDONESIA": "IDN", "PHILIPPINES": "PHL", "CHINA": "CHN",
    "KOREA, SOUTH": "KOR", "HONG KONG": "HKG", "TAIWAN": "TWN", "JAPAN": "JPN", "AUSTRALIA": "AUS", "NEW ZEALAND": "NZL",
    "ALGERIA": "DZA", "EGYPT": "EGY", "NIGERIA": "NGA", "ANGOLA": "AGO", "SOUTH AFRICA": "ZAF", "GERMANY": "DEU",
    "IRELAND": "IRL", "ITALY": "ITA", "FRANCE": "FRA", "NETHERLANDS": "NLD", "BELGIUM": "BEL", "SPAIN": "ESP",
    "AUSTRIA": "AUT", "SWEDEN": "SWE", "TOTAL FOR ALL COUNTRIES": "WLD",
}  # fmt: skip


def in_iso(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of single economies and the world, with their codes."""
    frame = frame.assign(iso3=frame["entity"].map(ECONOMIES))
    return frame.dropna(subset=["iso3", "value"]).astype({"year": int})


@table(
    "hightech-exports-old-definition",
    title="High-technology exports in the World Bank's older definition, 1988–2016",
    description="The series that the World Bank published until about 2019, on an older list of products. The newer definition, from 2007, is TX.VAL.TECH.CD of table wdi.",
    fields=[
        economy("iso3", "Exporting economy, or WLD"),
        year(1988, 2016),
        field(
            "edition",
            "string",
            "Edition of the World Development Indicators from which the row was read",
            required=True,
            enum=["2016", "2019"],
        ),
        field(
            "value_usd",
            "number",
            "High-technology exports, older definition",
            "current US dollars",
            required=True,
            minimum=0,
        ),
    ],
    key=["iso3", "year", "edition"],
    sources=[WDI],
    licence="cc-by-4.0",
    vintage="editions of 2015/16 and 2019",
    kind="constructed",
    caveats=[
        "Not to be joined to the newer definition: where both exist (2007–2016) the newer is 5 to 20 % higher.",
        "The edition of 2019 is kept for nine economies and cut at 2016, because its later values already mix the definitions; the edition of 2016 covers 2000–2013.",
        "The editions disagree for the United States in 2005 (24 %) and the United Kingdom in 2012–2013; Russia's value of 2016 is out of line.",
    ],
    references={"iso3": "economies.iso3"},
)
def old_definition(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "macro/hightech_exports_legacy.csv")
    frame["edition"] = frame["source"].str.startswith("WDI-2019").map({True: "2019", False: "2016"})
    groups = {"EAS", "ECA", "ECS", "EMU", "EUU", "HIC", "LMY", "OED", "UMC"}  # groups of economies
    frame = frame[~frame["iso3"].isin(groups)].dropna(subset="value")
    return frame.rename(columns={"value": "value_usd"})


@table(
    "hightech-trade-ncses",
    title="Trade in high-technology goods in the definitions of the US National Science Foundation, 2002–2022",
    description="Exports of knowledge- and technology-intensive (KTI) manufacturing beside all goods (Indicators 2024), and trade in products of high research intensity (Indicators 2020).",
    fields=[
        economy("iso3", "Economy, or WLD for the total of the table"),
        year(2002, 2022),
        field(
            "indicator",
            "string",
            "all-goods, manufactures and kti-manufactures: exports by industry; high-rd-products: products of high R&D intensity",
            required=True,
            enum=["all-goods", "manufactures", "kti-manufactures", "high-rd-products"],
        ),
        field("flow", "string", "export or import", required=True, enum=["export", "import"]),
        field("value_musd", "number", "Value", "million US dollars", required=True, minimum=0),
        field(
            "with_hong_kong",
            "boolean",
            "Whether China stands for China and Hong Kong together, without their mutual trade",
            required=True,
        ),
    ],
    key=["iso3", "year", "indicator", "flow"],
    sources=[NCSES],
    licence="public-domain",
    vintage="Indicators 2020 (tables S6-19) and 2024 (table SKTI-3)",
    kind="constructed",
    caveats=[
        "Two compilers and two definitions: S&P Global / IHS Markit by industry of origin, Oxford Economics by product. Do not join them.",
        "In the products table China includes Hong Kong; in the industries table it does not.",
        "Total goods exports of the industries table exceed the WTO's by up to 20 % for China (2005).",
    ],
)
def ncses_trade(raw: Path) -> pd.DataFrame:
    names = {
        "goods_exports_all_industries": ("all-goods", "export"),
        "goods_exports_manufacturing": ("manufactures", "export"),
        "goods_exports_kti_manufacturing": ("kti-manufactures", "export"),
        "exports_high_rd_intensive_products": ("high-rd-products", "export"),
        "imports_high_rd_intensive_products": ("high-rd-products", "import"),
    }
    frame = pd.read_csv(raw / "hightech/ncses_hightech_trade.csv")
    frame = in_iso(frame[frame["indicator"].isin(names)])
    frame["with_hong_kong"] = frame["entity"].eq("China (incl. Hong Kong)")
    frame[["indicator", "flow"]] = pd.DataFrame(frame["indicator"].map(names).to_list(), index=frame.index)
    return frame.rename(columns={"value": "value_musd"}).drop_duplicates(["iso3", "year", "indicator", "flow"])


@table(
    "china-hightech-customs-points",
    title="China's high-technology trade by its own catalogue: single figures quoted by the press, 1999–2023",
    description="Full-year figures of China's customs and ministries that can be traced to a page with a full address, or that a second page confirms. No complete series was found.",
    fields=[
        year(1999, 2023),
        field("indicator", "string", "What the figure is", required=True),
        field("value", "number", "The figure as quoted", "see unit", required=True),
        field("unit", "string", "Unit of the figure", required=True),
        field("publisher", "string", "Who quotes it", required=True),
        field("url", "string", "Page; empty if only its host is known"),
        field("confirmed", "boolean", "Whether a second page gives the same figure", required=True),
        field("confirmed_by", "string", "Key of the second page"),
    ],
    key=["year", "indicator"],
    sources=[PRESS],
    licence="facts",
    vintage="pages of 2000–2024",
    kind="snapshot",
    caveats=[
        "Quotations, not a statistical series: use them to test a definition, not to draw a line.",
        "The catalogue is China's own; it is close to, but not the same as, the lists of the World Bank and the NSF.",
    ],
)
def customs_points(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "hightech/china_hightech_trade_points.csv")
    places = pd.read_csv(raw / "hightech/sources.csv", dtype=str, index_col="source_id")
    keep = frame["indicator"].str.startswith("hightech_") & frame["entity"].eq("China")
    frame = frame[keep & frame["year"].str.fullmatch(r"\d{4}")]
    # A forecast is not an outturn, and a secondary quotation of a paper is not a figure of customs.
    frame = frame[~frame["note"].fillna("").str.contains("forecast|secondary")]
    frame = frame[frame["source_id"].isin(places.index)].copy()
    address = places["where_read"]
    full = places["address_completeness"].eq("full")
    frame["url"] = [address[i] if full[i] and str(address[i]).startswith("http") else None for i in frame["source_id"]]
    frame["publisher"] = frame["source_id"].map(places["publisher"])
    # A document that this book audits cannot confirm a figure.
    second = frame["confirmed_by"].str.extract(r"^(\w+)")[0]
    frame["confirmed"] = second.map(places["licence"]).fillna("project material").ne("project material")
    frame.loc[~frame["confirmed"], "confirmed_by"] = None
    frame = frame[frame["url"].notna() | frame["confirmed"]]
    frame["year"] = frame["year"].astype(int)
    frame["indicator"] = frame["indicator"].str.replace("_", "-")
    return frame


@table(
    "manufacturing-productivity",
    title="Value added per person in manufacturing, 2005, 2011 and 2017",
    description="Manufacturing value added divided by persons engaged, at market exchange rates and at purchasing power parities of value added.",
    fields=[
        economy("iso3", "Economy"),
        year(2005, 2017, "Benchmark year"),
        field(
            "at_exchange_rate",
            "number",
            "Value added per person at the market exchange rate",
            "thousand US dollars",
            minimum=0,
        ),
        field(
            "at_ppp",
            "number",
            "Value added per person at the purchasing power parity of manufacturing value added",
            "thousand international dollars",
            minimum=0,
        ),
    ],
    key=["iso3", "year"],
    sources=[GGDC],
    licence="facts",
    vintage="Productivity Level Database 2023",
    kind="constructed",
    caveats=["All of manufacturing, not its high-technology part; benchmark years only, none of them 2014."],
    references={"iso3": "economies.iso3"},
)
def productivity(raw: Path) -> pd.DataFrame:
    frame = in_iso(pd.read_csv(raw / "hightech/ggdc_manufacturing_labour_productivity.csv"))
    wide = frame.pivot(index=["iso3", "year"], columns="indicator", values="value")
    wide = wide.rename(
        columns={
            "manufacturing_labour_productivity_exchange_rate": "at_exchange_rate",
            "manufacturing_labour_productivity_ppp": "at_ppp",
        }
    )
    return wide.dropna(subset=["at_exchange_rate", "at_ppp"], how="all").reset_index()


@table(
    "industry-research",
    title="Business research and value added by industry, selected industries",
    description="Business R&D in purchasing power parities (2015–2018) and value added in market dollars (2002–2022) of computers and electronics, pharmaceuticals, aircraft, and all manufacturing.",
    fields=[
        economy("iso3", "Economy"),
        year(2002, 2022),
        field(
            "industry",
            "string",
            "ISIC Rev. 4: manufacturing C, electronics C26, pharmaceuticals C21, aircraft C303",
            required=True,
            enum=["manufacturing", "electronics", "pharmaceuticals", "aircraft"],
        ),
        field("research_mppp", "number", "Business enterprise R&D", "million international dollars (PPP)", minimum=0),
        field("value_added_musd", "number", "Value added", "million US dollars at market exchange rates", minimum=0),
    ],
    key=["iso3", "year", "industry"],
    sources=[NCSES],
    licence="public-domain",
    vintage="Indicators 2020 and 2022 (research), 2024 (value added)",
    kind="constructed",
    caveats=[
        "The two columns are in different dollars: convert the research to market dollars (GDP per head at market rates over GDP per head in PPP) before dividing.",
        "Research is known for seven economies and, by industry, for 2016 and 2018 or the nearest year.",
    ],
    references={"iso3": "economies.iso3"},
)
def industry_research(raw: Path) -> pd.DataFrame:
    research = in_iso(pd.read_csv(raw / "hightech/ncses_business_rd_by_industry.csv"))
    added = in_iso(pd.read_csv(raw / "hightech/ncses_value_added_kti.csv"))
    names = {
        "Manufacturing": "manufacturing",
        "All manufacturing": "manufacturing",
        "Computer, electronic, and optical products": "electronics",
        "Air and spacecraft and related machinery": "aircraft",
    }

    def part(frame: pd.DataFrame, prefix: str, column: str) -> pd.DataFrame:
        frame = frame[frame["indicator"].str.startswith(prefix) & frame["iso3"].ne("WLD")]
        label = frame["indicator"].str.removeprefix(prefix)
        industry = label.map(names).where(~label.str.startswith("Pharmaceuticals"), "pharmaceuticals")
        frame = frame.assign(industry=industry).dropna(subset="industry")
        return frame.drop_duplicates(["iso3", "year", "industry"]).rename(columns={"value": column})[
            ["iso3", "year", "industry", column]
        ]

    return part(research, "berd: ", "research_mppp").merge(
        part(added, "value_added: ", "value_added_musd"), how="outer"
    )


@table(
    "international-patents",
    title="International patent applications (PCT) and patents granted by the United States, 2000–2022",
    description="Applications under the Patent Cooperation Treaty and US utility patents, by economy of the applicant or inventor.",
    fields=[
        economy("iso3", "Economy, or WLD"),
        year(2000, 2022),
        field(
            "indicator",
            "string",
            "pct-applications or us-grants",
            required=True,
            enum=["pct-applications", "us-grants"],
        ),
        field(
            "value",
            "number",
            "Number of applications or grants (fractional counts are rounded by the publisher)",
            "count",
            required=True,
            minimum=0,
        ),
    ],
    key=["iso3", "year", "indicator"],
    sources=[NCSES],
    licence="public-domain",
    vintage="Indicators 2024 (tables SINV-4 and SINV-11)",
    kind="constructed",
    caveats=[
        "China includes Hong Kong in the PCT table.",
        "Year labels were lost in the copy and set by position; for PCT the values add up to the printed row totals.",
    ],
)
def international_patents(raw: Path) -> pd.DataFrame:
    frame = in_iso(pd.read_csv(raw / "hightech/ncses_patents_by_economy.csv"))
    frame["indicator"] = frame["indicator"].map(
        {"pct_applications": "pct-applications", "uspto_utility_patents_granted": "us-grants"}
    )
    return frame.drop_duplicates(["iso3", "year", "indicator"])


@table(
    "us-china-trade",
    title="Goods trade of the United States with China by industry, 2002–2019",
    description="Exports to and general imports from China by commodity group of the North American industry classification (NAICS), as the United States records them.",
    fields=[
        year(2002, 2019),
        field("group", "string", "Commodity group; “All Commodities” is the total", required=True),
        field("exports_usd", "number", "US exports to China", "US dollars", required=True, minimum=0),
        field("imports_usd", "number", "US general imports from China", "US dollars", required=True, minimum=0),
    ],
    key=["year", "group"],
    sources=[CENSUS],
    licence="public-domain",
    vintage="2020",
    kind="constructed",
    caveats=[
        "Sums of twelve months, not seasonally adjusted.",
        "“Computer & Electronics” is an industry, wider and narrower than the Census list of advanced technology products, which holds aircraft and biotechnology too.",
    ],
)
def us_china_trade(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "trade/us_china_trade_naics_monthly_2002_2019.csv")
    months = frame.groupby(["year", "commodity"]).agg(
        exports_usd=("us_exports_usd", "sum"), imports_usd=("us_imports_usd", "sum")
    )
    return months.reset_index().rename(columns={"commodity": "group"})


@table(
    "us-hightech-exports-to-china",
    title="High-technology exports of the United States to China by group, 2013–2020",
    description="US exports at six digits of the Harmonized System, sorted by the Eurostat/OECD list of high-technology products.",
    fields=[
        year(2013, 2020),
        field("group", "string", "Group of the Eurostat list, or “not high-tech”", required=True),
        field("value_usd", "number", "US exports to China", "US dollars", required=True, minimum=0),
    ],
    key=["year", "group"],
    sources=[CENSUS],
    licence="public-domain",
    vintage="February 2021",
    kind="constructed",
    caveats=[
        "Sorted with table hightech-sitc4 over table hs6-concordance; civil aircraft, engines and parts (Census code 8800) count as aerospace.",
        "The list was transcribed; verify it against Eurostat's annex before quoting it as official.",
    ],
)
def us_hightech_exports(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "trade/us_hightech_exports_to_china_by_group_2013_2020.csv")
    return frame.rename(columns={"hightech_group": "group"})


@table(
    "china-chips-aircraft-imports",
    title="China's imports of integrated circuits, large aircraft and turbine parts by origin, 2001–2024",
    description="Six-digit products of the Harmonized System as China reports them.",
    fields=[
        year(2001, 2025),
        economy("exporter", "Economy of origin"),
        field("hs6", "string", "Six-digit code as reported", required=True, pattern="[0-9]{6}"),
        field(
            "group",
            "string",
            "integrated circuits, large aircraft or gas-turbine parts",
            required=True,
            enum=["integrated circuits", "large aircraft", "gas-turbine parts"],
        ),
        field("value_usd", "number", "China's imports", "US dollars", required=True, minimum=0),
    ],
    key=["year", "exporter", "hs6"],
    sources=[COMTRADE],
    licence="comtrade",
    vintage="2025",
    kind="verbatim",
    caveats=[
        "Memory chips (854232) are not in the extract: the sum of the codes is not all integrated circuits.",
        "Origin China is processing trade that left and came back.",
        "Not every code has every year; the Harmonized System was revised in 2002, 2007, 2012, 2017 and 2022.",
    ],
)
def chips_aircraft(raw: Path) -> pd.DataFrame:
    groups = {
        "854221": "integrated circuits",
        "854231": "integrated circuits",
        "854233": "integrated circuits",
        "854239": "integrated circuits",
        "880240": "large aircraft",
        "841191": "gas-turbine parts",
    }
    frame = pd.read_parquet(raw / "trade/comtrade_imports_hs6_by_origin_selected.parquet")
    frame = frame[(frame["importer"] == "CHN") & frame["product_code"].isin(groups)].dropna(
        subset=["exporter", "value_usd"]
    )
    frame = frame[frame["exporter"].astype(str).str.fullmatch("[A-Z]{3}") & (frame["exporter"] != "WLD")]
    frame = frame.rename(columns={"product_code": "hs6"})
    frame = frame.groupby(["year", "exporter", "hs6"], observed=True, as_index=False)["value_usd"].sum()
    return frame.astype({"year": int, "exporter": str, "hs6": str}).assign(group=lambda f: f["hs6"].map(groups))


@table(
    "us-imports-electronics",
    title="US imports of computers and electronic products by origin, 2013–2024",
    description="Imports for consumption of industry 334 (NAICS) from the economies that the Census Bureau lists, and in total (WLD).",
    fields=[
        year(2013, 2024),
        economy("exporter", "Economy of origin, or WLD"),
        field("value_usd", "number", "US imports", "US dollars", required=True, minimum=0),
    ],
    key=["year", "exporter"],
    sources=[CENSUS],
    licence="public-domain",
    vintage="November 2025",
    kind="constructed",
    caveats=[
        "Sums of twelve months; 2025 is left out because December is missing.",
        "Thirty origins and the total; the others are not listed.",
    ],
)
def us_electronics(raw: Path) -> pd.DataFrame:
    frame = pd.read_parquet(raw / "trade/us_imports_naics_monthly_top30_2013_2025.parquet")
    frame = frame[(frame["product_code"].astype(str) == "334") & (frame["year"] <= 2024)]
    frame = frame.assign(exporter=frame["exporter_name"].astype(str).map(CENSUS_NAMES)).dropna(subset="exporter")
    out = frame.groupby(["year", "exporter"], as_index=False)["imports_usd"].sum()
    return out.rename(columns={"imports_usd": "value_usd"}).astype({"year": int})


@table(
    "us-imports-headings",
    title="US imports by heading of the Harmonized System and origin, 2024",
    description="Fine product detail for fifty exporters, seen through one market: the imports of the United States at four digits.",
    fields=[
        year(2024, 2024),
        economy("exporter", "Economy of origin"),
        field("hs4", "string", "Four-digit heading of the Harmonized System", required=True, pattern="[0-9]{4}"),
        field("value_usd", "number", "US imports", "US dollars", required=True, minimum=0),
    ],
    key=["exporter", "hs4"],
    sources=[CENSUS],
    licence="public-domain",
    vintage="2025",
    kind="constructed",
    caveats=[
        "What an economy sells to the United States is not what it sells to the world.",
        "Members of the European Union other than Slovakia are not in the file; the aggregate of the Union is left out.",
    ],
    references={"exporter": "economies.iso3"},
    parquet=True,
)
def us_headings(raw: Path) -> pd.DataFrame:
    frame = pd.read_parquet(raw / "trade/us_imports_hts10_by_country_2024.parquet")
    frame = frame.assign(
        exporter=frame["exporter_name"].astype(str).map(CENSUS_NAMES), hs4=frame["hs6"].astype(str).str[:4]
    )
    frame = frame.dropna(subset="exporter").groupby(["year", "exporter", "hs4"], as_index=False)["value_usd"].sum()
    return frame.astype({"year": int})


@table(
    "yuan-rate",
    title="Exchange rate of the renminbi, yearly averages, 1990–2025",
    description="Renminbi (yuan) per US dollar.",
    fields=[
        year(1990, 2025),
        field(
            "yuan_per_usd",
            "number",
            "Official exchange rate, average of the year",
            "yuan per US dollar",
            required=True,
            minimum=0,
        ),
    ],
    key=["year"],
    sources=[WDI],
    licence="cc-by-4.0",
    vintage="1 July 2026",
    kind="verbatim",
    caveats=["Indicator PA.NUS.FCRF of the World Development Indicators."],
)
def yuan_rate(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "macro/fx.csv", low_memory=False)
    frame = frame[
        (frame["indicator"] == "CNY per USD") & (frame["freq"] == "A") & frame["unit"].str.contains("PA.NUS.FCRF")
    ]
    frame = frame.assign(year=frame["date"].astype(int)).rename(columns={"value": "yuan_per_usd"})
    return frame[frame["year"] >= 1990]


@table(
    "hightech-as-stated",
    title="High-technology exports and productivity as the sources of chapter 3 state them",
    description="The cells of Tables 3.1 and 3.2 of the thesis and of Tables 1 and 2 of the paper on Shandong, copied from the register of claims. No independent series was found.",
    fields=[
        field("source", "string", "thesis or shandong-paper", required=True, enum=["thesis", "shandong-paper"]),
        field("exhibit", "string", "Table of the source, as printed", required=True),
        field("subject", "string", "Field of technology, economy or province", required=True),
        field("indicator", "string", "What the cell gives", required=True),
        year(2005, 2017),
        field("value", "number", "The figure as printed", "see unit", required=True),
        field("unit", "string", "Unit of the figure", required=True),
    ],
    key=["source", "exhibit", "subject", "indicator", "year"],
    sources=[
        {
            "publisher": "as stated in the source",
            "title": "Master's thesis of 2018, Tables 3.1 and 3.2; paper on the exports of Shandong, Tables 1 and 2",
            "path": "https://creativecommons.org/licenses/by/4.0/",
        }
    ],
    licence="facts",
    vintage="2018 and later",
    kind="verbatim",
    caveats=[
        "Statements to be tested, not data: use them to check a document against itself.",
        "Shandong's exports of 2016 are 14.78 in one table of the paper and 14.82 in the other.",
    ],
)
def as_stated(_raw: Path) -> pd.DataFrame:
    cells = pd.concat(
        pd.read_csv(DATA / f"claims/{name}.csv", dtype=str, keep_default_na=False)
        for name in ("thesis", "shandong-paper")
    )
    cells = cells[(cells["chapter"] == "3") & (cells["kind"] == "table-cell") & (cells["stated_value"] != "")]
    exhibit = cells["statement"].str.extract(r"\((Table [\d.]+)\)")[0]
    return cells.assign(exhibit=exhibit, year=cells["period"].astype(int), value=cells["stated_value"].astype(float))
