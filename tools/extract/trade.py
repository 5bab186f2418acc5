"""Trade flows: totals by both reporters, product structure, distances."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tools.extract import economy, field, table, year
from tools.extract.classifications import IMF_CODES

DOTS = {
    "publisher": "IMF, Direction of Trade Statistics",
    "title": "International Monetary Fund, Direction of Trade Statistics (vintage of end 2021)",
    "path": "https://data.imf.org/",
}
IMTS = {
    "publisher": "IMF, IMTS",
    "title": "International Monetary Fund, International Trade in Goods by Partner Country (IMTS 1.0.0)",
    "path": "https://data.imf.org/",
}
COMTRADE = {
    "publisher": "UN Comtrade",
    "title": "United Nations, UN Comtrade",
    "path": "https://comtradeplus.un.org/",
}
UNCTAD = {
    "publisher": "UNCTADstat",
    "title": "UNCTAD, UNCTADstat: merchandise trade matrix",
    "path": "https://unctadstat.unctad.org/",
}
MIRROR = {
    "publisher": "MGIMO mirror estimate",
    "title": "MGIMO University, mirror estimate of Russia's exports from partners' customs",
    "path": "https://github.com/quantviews/mgimo-foreign-trade",
}
CEPII = {
    "publisher": "CEPII GeoDist",
    "title": "CEPII, GeoDist (Mayer and Zignago 2011)",
    "path": "https://www.cepii.fr/CEPII/en/bdd_modele/bdd_modele_item.asp?id=6",
}
COW = {
    "publisher": "Correlates of War",
    "title": "Correlates of War, Trade 4.0 (Barbieri and Keshk 2016)",
    "path": "https://correlatesofwar.org/data-sets/bilateral-trade/",
}

# CEPII's codes of 2011 that ISO 3166-1 writes otherwise.
GEODIST_CODES = {"ROM": "ROU", "ZAR": "COD", "TMP": "TLS", "PAL": "PSE"}

# Customs headline totals that stand in for a table China has not published by partner, and where each can be read.
HEADLINES = [
    (
        2021,
        146.887,
        "https://imparcialnews.com.br/?p=56219",
        "https://tass.com/economy/1511265 (146.87)",
    ),
    (
        2023,
        240.110,
        "https://ria.ru/20250829/tovarooborot-2038225464.html",
        "https://sputnikglobe.com/20240307/china-russia-trade-in-january-february-2024-up-to-3701bln-1117180822.html (240.11)",
    ),
    (
        2024,
        244.819,
        "https://ria.ru/20250829/tovarooborot-2038225464.html",
        "https://www.themoscowtimes.com/2025/01/13/china-russia-trade-hit-record-high-in-2024-a87590 (244.8)",
    ),
    (
        2025,
        228.105,
        "https://tass.com/economy/2071285",
        "https://www.themoscowtimes.com/2026/01/14/china-posts-first-annual-decline-in-trade-with-russia-since-2020-a91675 (228.1)",
    ),
]


def flow_names(flow: pd.Series) -> pd.Series:
    """Words instead of Comtrade's and the IMF's letters."""
    return flow.astype(object).str[0].map({"X": "export", "M": "import"})


def year_reporter_value(unit: str = "US dollars") -> list[dict]:
    return [field("value_usd", "number", "Value of goods", unit, required=True, minimum=0)]


def side(first: int, last: int) -> list[dict]:
    """Columns that name a flow: year, who exports, who imports, who says so, at what valuation."""
    return [
        year(first, last),
        economy("exporter", "Exporting economy"),
        economy("importer", "Importing economy"),
        economy("reporter", "Economy whose customs recorded the flow"),
        field(
            "valuation",
            "string",
            "FOB: at the exporter's border; CIF: with freight and insurance to the importer's border",
            required=True,
        ),
    ]


@table(
    "china-russia-totals",
    title="China–Russia (USSR) goods trade as each side reports it, 1978–2025",
    description="One row per year, direction and reporter: the preferred source of each cell is named in the row.",
    fields=[
        *side(1978, 2025),
        *year_reporter_value(),
        field(
            "status",
            "string",
            "reported: published by the reporter; derived: headline total minus imports; estimated: filled by the IMF from partners' data",
            required=True,
            enum=["reported", "derived", "estimated"],
        ),
        field("source", "string", "Publisher and vintage of this cell", required=True),
    ],
    key=["year", "exporter", "importer", "reporter"],
    sources=[
        DOTS,
        IMTS,
        COMTRADE,
        MIRROR,
        {
            "publisher": "China Customs (headline totals)",
            "title": "General Administration of Customs of China, yearly headline totals as quoted by the press (table gacc-headlines)",
            "path": "http://english.customs.gov.cn/",
        },
    ],
    licence="imf",
    vintage="DOTS end 2021; IMTS 1.0.0; Comtrade 2025; mirror estimate May 2026",
    kind="constructed",
    caveats=[
        "China's exports of 2021 and 2023–2025 are derived: customs headline total minus the imports summed from months; an error of about half a billion dollars is possible.",
        "Russia's figures for 2022–2024 are IMF estimates from partners' data, so their gap to China's is not a mirror test.",
        "China's imports of 2011 are 39.0 billion in this IMF vintage but 40.4 in UN Comtrade; the total of 2011 is therefore 1.7 % below the customs figure.",
        "Before 1992 the partner is the USSR (SUN); the USSR did not report by partner.",
    ],
    references={
        "exporter": "economies.iso3",
        "importer": "economies.iso3",
        "reporter": "economies.iso3",
    },
)
def china_russia_totals(raw: Path) -> pd.DataFrame:
    wide = pd.read_csv(raw / "trade/chn_rus_annual_preferred_1978_2025.csv")
    cells = [
        ("chn_exports_to_rus_chn_reported", "CHN", "RUS", "CHN", "FOB"),
        ("chn_imports_from_rus_chn_reported", "RUS", "CHN", "CHN", "CIF"),
        ("rus_exports_to_chn_rus_reported", "RUS", "CHN", "RUS", "FOB"),
        ("rus_imports_from_chn_rus_reported", "CHN", "RUS", "RUS", "CIF"),
    ]
    parts = []
    for column, exporter, importer, reporter, valuation in cells:
        part = wide[["year", column, f"{column}_src"]].dropna(subset=column)
        part.columns = ["year", "value_usd", "source"]
        parts.append(part.assign(exporter=exporter, importer=importer, reporter=reporter, valuation=valuation))
    frame = pd.concat(parts)
    soviet = frame["year"] < 1992
    for column in ("exporter", "importer"):
        frame.loc[soviet, column] = frame.loc[soviet, column].replace("RUS", "SUN")
    derived = frame["source"].str.startswith("DERIVED")
    estimated = frame["source"].str.contains("partner-based|IMF/partner")
    frame["status"] = np.select([derived, estimated], ["derived", "estimated"], "reported")
    frame.loc[derived, "source"] = "Customs headline total (gacc-headlines) minus mirror imports"
    frame.loc[estimated, "source"] = "IMF IMTS 1.0.0, estimate from partners' data"
    return frame


@table(
    "china-russia-totals-by-source",
    title="China–Russia (USSR) goods trade: every source side by side, 1870–2025",
    description="The same flow as given by each publisher and vintage, for tests of robustness. Nothing is preferred here.",
    fields=[
        *side(1870, 2025),
        field("source", "string", "Publisher and vintage", required=True),
        *year_reporter_value(),
        field("note", "string", "What is peculiar to the row"),
    ],
    key=["year", "exporter", "importer", "reporter", "source", "valuation"],
    sources=[DOTS, IMTS, COMTRADE, UNCTAD, COW, MIRROR],
    licence="imf",
    vintage="as named in each row",
    kind="constructed",
    caveats=[
        "UN Comtrade's totals reported by Russia for 2016 (76.3 billion) and 2017 (98.6) are inflated; Russian customs and the IMF's IMTS say 66.1 and 86.9.",
        "Correlates of War: China includes Hong Kong and Macao from about 1999; code RUS stands for the Russian Empire and the USSR before 1992; both directions as the importer reported them.",
        "Correlates of War prints zero for 1960–1963, years in which other records show trade: read those zeros as “not known”.",
    ],
    references={"reporter": "economies.iso3"},
)
def china_russia_totals_by_source(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "trade/chn_rus_total_all_sources.csv")
    dots_soviet = frame["source"].str.startswith("IMF DOTS") & (frame["year"] < 1992)
    for column in ("exporter", "importer"):
        frame.loc[dots_soviet, column] = frame.loc[dots_soviet, column].replace("RUS", "SUN")
    return frame


@table(
    "gacc-headlines",
    title="China Customs: yearly headline totals of trade with Russia, as quoted",
    description="The four years for which China's exports to Russia have to be derived from the published total.",
    fields=[
        year(2021, 2025),
        field(
            "total_busd",
            "number",
            "Exports plus imports, as quoted",
            "billion US dollars",
            required=True,
            minimum=0,
        ),
        field("url", "string", "Page that quotes the customs figure", required=True),
        field(
            "confirmed_by",
            "string",
            "Second page that quotes it (with its rounding)",
            required=True,
        ),
    ],
    key=["year"],
    sources=[
        {
            "publisher": "China Customs, as quoted by the press",
            "title": "General Administration of Customs of China, as quoted by news agencies",
            "path": "http://english.customs.gov.cn/",
        }
    ],
    licence="facts",
    vintage="pages of 2022–2026",
    kind="snapshot",
    caveats=["Press quotations, each confirmed by a second page; customs later revise such totals slightly."],
)
def gacc_headlines(raw: Path) -> pd.DataFrame:
    quoted = pd.read_csv(raw / "trade/gacc_headline_anchors.csv")
    totals = quoted[quoted["measure"] == "total_turnover"].set_index("year")["value_busd"]
    frame = pd.DataFrame(HEADLINES, columns=["year", "total_busd", "url", "confirmed_by"])
    if not np.allclose(frame["total_busd"], totals[frame["year"]]):
        raise ValueError("the headline totals differ from the raw file")
    return frame


@table(
    "bilateral-trade",
    title="Goods trade between all pairs of economies, by both reporters, 1960–2020",
    description="One row per year and directed pair: what the exporter says it sold (FOB) and what the importer says it bought (CIF). WLD as a partner is the reporter's world total; WLD as exporter or importer pairs it with the sum over all reporters.",
    fields=[
        year(1960, 2020),
        economy("exporter", "Exporting economy, or WLD"),
        economy("importer", "Importing economy, or WLD"),
        field(
            "exporter_reported_fob_musd",
            "number",
            "Exports as the exporter reports them, FOB",
            "million US dollars",
            minimum=0,
        ),
        field(
            "importer_reported_cif_musd",
            "number",
            "Imports as the importer reports them, CIF",
            "million US dollars",
            minimum=0,
        ),
    ],
    key=["year", "exporter", "importer"],
    sources=[DOTS],
    licence="imf",
    vintage="end 2021",
    kind="constructed",
    caveats=[
        "The IMF fills a missing report from the partner's, times 1.06 (formerly 1.10), without a flag: a ratio of exactly that size is one record, not two (about 0.6 % of pairs since 2004, mostly Turkmenistan's).",
        "Taiwan does not report to the IMF: only its partners' reports exist. The USSR, and Russia before 1992, do not report by partner.",
        "Former states keep their own codes (SUN, CSK, DDR, YUG, BLX …); DEU before 1991 is West Germany.",
        "Five negative world totals for Malaysia, 1960–63, are left out as impossible. IMF regional aggregates are left out.",
        "Reported by different rules: CIF values exceed FOB by freight and insurance, of the order of 6–10 %.",
    ],
    references={"exporter": "economies.iso3", "importer": "economies.iso3"},
    parquet=True,
)
def bilateral_trade(raw: Path) -> pd.DataFrame:
    raw_flows = pd.read_parquet(raw / "trade/imf_dots_1960_2020.parquet").dropna(subset=["reporter", "partner"])
    raw_flows = raw_flows[raw_flows["value_musd"] >= 0].astype({"reporter": str, "partner": str, "flow": str})
    key = ["year", "exporter", "importer"]
    sold = raw_flows[raw_flows["flow"] == "X_FOB"].rename(
        columns={
            "reporter": "exporter",
            "partner": "importer",
            "value_musd": "exporter_reported_fob_musd",
        }
    )
    bought = raw_flows[raw_flows["flow"] == "M_CIF"].rename(
        columns={
            "reporter": "importer",
            "partner": "exporter",
            "value_musd": "importer_reported_cif_musd",
        }
    )
    frame = sold[[*key, "exporter_reported_fob_musd"]].merge(
        bought[[*key, "importer_reported_cif_musd"]], on=key, how="outer", validate="1:1"
    )
    return frame.astype({"year": "int64"})


@table(
    "cow-china-trade",
    title="China's goods trade with each partner before the IMF series, 1949–1965",
    description="Imports as recorded by the importing state, both directions, from the Correlates of War project.",
    fields=[
        year(1949, 1965),
        field(
            "exporter_cow",
            "string",
            "Exporting state, Correlates of War abbreviation",
            required=True,
        ),
        field(
            "importer_cow",
            "string",
            "Importing state, Correlates of War abbreviation",
            required=True,
        ),
        field(
            "bloc",
            "string",
            "Political bloc of China's partner at the time",
            required=True,
            enum=["USSR", "other socialist", "other"],
        ),
        field(
            "imports_musd",
            "number",
            "Imports as recorded by the importer; empty = not known",
            "million US dollars",
            minimum=0,
        ),
    ],
    key=["year", "exporter_cow", "importer_cow"],
    sources=[COW],
    licence="cow",
    vintage="4.0",
    kind="constructed",
    caveats=[
        "Trade with the USSR is recorded for 1955–1957 only; the zeros of 1960–1963 contradict other records.",
        "State abbreviations are those of Correlates of War, which has states that ISO has not.",
        "The bloc column is ours: Council for Mutual Economic Assistance members, Albania, Yugoslavia, North Korea, North Vietnam, Mongolia, Cuba from 1961.",
    ],
)
def cow_china_trade(raw: Path) -> pd.DataFrame:
    frame = pd.read_parquet(raw / "trade/cow_dyadic_trade_v4_1870_2014.parquet")
    frame = frame.drop(columns=["importer_cow", "exporter_cow"]).astype({"importer": str, "exporter": str})
    frame = frame[frame["year"].between(1949, 1965) & ((frame["importer"] == "CHN") | (frame["exporter"] == "CHN"))]
    partner = frame["exporter"].where(frame["importer"] == "CHN", frame["importer"])
    socialist = {"POL", "CZE", "GDR", "HUN", "ROM", "BUL", "ALB", "YUG", "PRK", "DRV", "MON"}
    is_socialist = partner.isin(socialist) | ((partner == "CUB") & (frame["year"] >= 1961))
    frame = frame.assign(bloc=np.select([partner == "RUS", is_socialist], ["USSR", "other socialist"], "other"))
    # A zero between two states of known trade is a gap in the record (see the caveats).
    frame.loc[(partner == "RUS") & (frame["imports_musd"] == 0), "imports_musd"] = np.nan
    return frame.rename(columns={"importer": "importer_cow", "exporter": "exporter_cow"}).astype({"year": "int64"})


@table(
    "russia-hs-chapters",
    title="Russia's goods trade by HS chapter and partner, 2000–2020",
    description="Exports and imports as Russia reports them, two-digit Harmonized System, 62 partners.",
    fields=[
        year(2000, 2020),
        economy("partner", "Partner economy"),
        field("flow", "string", "Direction seen from Russia", required=True, enum=["export", "import"]),
        field("hs_chapter", "string", "HS chapter", required=True, pattern=r"\d{2}"),
        field(
            "value_usd",
            "number",
            "Value: exports FOB, imports CIF",
            "US dollars",
            required=True,
            minimum=0,
        ),
        field(
            "hs_vintage",
            "string",
            "Vintage of the Harmonized System in which it was reported",
            required=True,
            pattern=r"HS\d{4}",
        ),
    ],
    key=["year", "partner", "flow", "hs_chapter"],
    sources=[COMTRADE],
    licence="comtrade",
    vintage="February 2022",
    kind="snapshot",
    caveats=[
        "Secret chapters (arms, aircraft) are not published: the chapters of Russia's exports to China in 2000–2006 add up to 70–88 % of the total.",
        "2016 and 2017 are inflated with China against Russian customs and IMF totals (imports by about a fifth): leave those two years out of comparisons.",
        "Chapters keep their borders between HS vintages only roughly.",
    ],
    references={"partner": "economies.iso3"},
    parquet=True,
)
def russia_hs_chapters(raw: Path) -> pd.DataFrame:
    frame = pd.read_parquet(raw / "trade/rus_reported_hs2_by_partner_2000_2020.parquet")
    frame = frame.assign(flow=flow_names(frame["flow"]))
    frame = frame.rename(columns={"product_code": "hs_chapter", "classification": "hs_vintage"})
    return frame.astype({"year": "int64", "partner": str, "hs_chapter": str, "hs_vintage": str})


@table(
    "russia-totals-comtrade",
    title="Russia's goods trade by partner, 2000–2020 (UN Comtrade)",
    description="Totals as Russia reports them, including the chapters it keeps secret.",
    fields=[
        year(2000, 2020),
        economy("partner", "Partner economy"),
        field("flow", "string", "Direction seen from Russia", required=True, enum=["export", "import"]),
        *year_reporter_value(),
    ],
    key=["year", "partner", "flow"],
    sources=[COMTRADE],
    licence="comtrade",
    vintage="February 2022",
    kind="snapshot",
    caveats=[
        "The totals with China of 2016 and 2017 are inflated against Russian customs and IMF figures: use russia-totals-imts for those years."
    ],
    references={"partner": "economies.iso3"},
)
def russia_totals_comtrade(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "trade/rus_reported_totals_by_partner_2000_2020.csv", keep_default_na=False)
    return frame.assign(flow=flow_names(frame["flow"]))


@table(
    "russia-totals-imts",
    title="Russia's goods trade by partner, 2016–2024 (IMF IMTS)",
    description="Exports FOB and imports CIF by partner with Russia as the reporter.",
    fields=[
        year(2016, 2024),
        economy("partner", "Partner economy"),
        field("flow", "string", "Direction seen from Russia", required=True, enum=["export", "import"]),
        field("value_musd", "number", "Value", "million US dollars", required=True, minimum=0),
    ],
    key=["year", "partner", "flow"],
    sources=[IMTS],
    licence="imf",
    vintage="IMTS 1.0.0",
    kind="snapshot",
    caveats=[
        "2022–2024 are the IMF's estimates from partners' data: Russia stopped publishing by partner. IMF regional aggregates are left out."
    ],
    references={"partner": "economies.iso3"},
)
def russia_totals_imts(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(
        raw / "trade/rus_imts_by_partner_2016_2024.csv",
        keep_default_na=False,
        na_values={"value_musd": [""]},
    )
    frame = frame.assign(partner=frame["partner"].replace(IMF_CODES))
    frame = frame[frame["partner"].str.fullmatch("[A-Z]{3}")].dropna(subset="value_musd")
    return frame.assign(flow=flow_names(frame["flow"]))


@table(
    "china-russia-lall",
    title="China–Russia goods trade by Lall technology group, 1995–2017",
    description="Both directions, eleven technology groups, seen from Russia.",
    fields=[
        year(1995, 2017),
        economy("exporter", "Exporting economy"),
        economy("importer", "Importing economy"),
        field("lall_code", "string", "Lall group", required=True),
        *year_reporter_value(),
    ],
    key=["year", "exporter", "importer", "lall_code"],
    sources=[UNCTAD],
    licence="unctad",
    vintage="2018",
    kind="constructed",
    caveats=[
        "UNCTAD published the flows by group of countries; Russia is the Group of Eight minus the Group of Seven, checked against BRICS minus BASIC (equal to 0.0001 dollars in every cell).",
        "Russia's exports are Russia's own reports; imports from China are UNCTAD's reconciliation and lie between the two national reports.",
        "Russia's exports of 1995 have the same shares by group as 1996: UNCTAD's estimate, not an observation.",
    ],
    references={
        "lall_code": "lall-groups.lall_code",
        "exporter": "economies.iso3",
        "importer": "economies.iso3",
    },
)
def china_russia_lall(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "trade/chn_rus_lall_tech_1995_2017.csv")
    return frame.rename(columns={"product_code": "lall_code"})


@table(
    "china-lall-by-partner-group",
    title="China's goods trade by Lall technology group and group of partners, 1995–2017",
    description="Trade of each UNCTAD group of economies with China, by technology group; “World” is one of the groups.",
    fields=[
        year(1995, 2017),
        field("partner_group", "string", "Group of partner economies, UNCTAD's name", required=True),
        field("flow", "string", "Direction seen from China", required=True, enum=["export", "import"]),
        field("lall_code", "string", "Lall group", required=True),
        *year_reporter_value(),
    ],
    key=["year", "partner_group", "flow", "lall_code"],
    sources=[UNCTAD],
    licence="unctad",
    vintage="2018",
    kind="snapshot",
    caveats=[
        "Groups overlap: never add them up. China's exports are the partner group's imports from China, China's imports the group's exports to China."
    ],
    references={"lall_code": "lall-groups.lall_code"},
    parquet=True,
)
def china_lall_by_partner_group(raw: Path) -> pd.DataFrame:
    frame = pd.read_parquet(raw / "trade/chn_trade_by_lall_tech_partner_groups_1995_2017.parquet")
    frame = frame.assign(
        flow=frame["direction"].astype(object).map({"CHN_to_group": "export", "group_to_CHN": "import"})
    )
    return frame.rename(columns={"product_code": "lall_code"}).astype({"partner_group": str, "lall_code": str})


@table(
    "china-sitc-divisions",
    title="China's goods trade by SITC division with ten partners, 2010–2018",
    description="Exports and imports as China reports them, two-digit SITC Rev. 4.",
    fields=[
        year(2010, 2018),
        economy("partner", "Partner economy; WLD: world (exports of nine divisions only)"),
        field("flow", "string", "Direction seen from China", required=True, enum=["export", "import"]),
        field(
            "sitc_division",
            "string",
            "SITC Rev. 4 division, two digits",
            required=True,
            pattern=r"\d{2}",
        ),
        *year_reporter_value(),
    ],
    key=["year", "partner", "flow", "sitc_division"],
    sources=[COMTRADE],
    licence="comtrade",
    vintage="about 2019",
    kind="snapshot",
    caveats=["Partners: Russia, USA, Japan, South Korea, Germany, France, India, Vietnam, Hong Kong, Australia."],
    references={"partner": "economies.iso3"},
    parquet=True,
)
def china_sitc_divisions(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(
        raw / "trade/chn_reported_sitc4_2digit_10_partners_2010_2018.csv",
        dtype={"product_code": str},
    )
    frame = frame.assign(flow=flow_names(frame["flow"]))
    return frame.rename(columns={"product_code": "sitc_division"})


@table(
    "sitc-sections-matrix",
    title="Exports between all pairs of economies by SITC section: 1995, 2005, 2015",
    description="UNCTAD's merchandise trade matrix: sections 0–9 of SITC Rev. 3 and the total, as the exporter reports.",
    fields=[
        field("year", "integer", "Calendar year", required=True, minimum=1995, maximum=2015),
        economy("exporter", "Exporting economy"),
        economy("importer", "Importing economy"),
        field(
            "sitc_section",
            "string",
            "SITC Rev. 3 section, or TOTAL",
            required=True,
            pattern=r"\d|TOTAL",
        ),
        *year_reporter_value(),
    ],
    key=["year", "exporter", "importer", "sitc_section"],
    sources=[UNCTAD],
    licence="unctad",
    vintage="about 2017",
    kind="snapshot",
    caveats=[
        "Three years only. Sections add up to 99.2–100 % of the total.",
        "Rows of one small territory (Sint Maarten and Bonaire together) are left out: it has no code of its own.",
    ],
    references={"exporter": "economies.iso3", "importer": "economies.iso3"},
    parquet=True,
)
def sitc_sections_matrix(raw: Path) -> pd.DataFrame:
    frame = pd.read_parquet(raw / "trade/unctad_trade_matrix_sitc_sections_1995_2005_2015.parquet")
    frame = frame.dropna(subset=["exporter", "importer"]).rename(columns={"product_code": "sitc_section"})
    return frame.astype({"exporter": str, "importer": str, "sitc_section": str})


@table(
    "geodist-pairs",
    title="Distances and ties between all pairs of economies",
    description="Bilateral distance, common border, languages and colonial ties of 224 economies.",
    fields=[
        economy("exporter", "First economy (origin)"),
        economy("importer", "Second economy (destination)"),
        *[
            field(name, "integer", text, required=True, minimum=0, maximum=1)
            for name, text in {
                "contig": "1 if the two share a land border",
                "comlang_off": "1 if they share an official language",
                "comlang_ethno": "1 if a language is spoken by at least 9 % of people in both",
                "colony": "1 if one ever was a colony of the other",
                "comcol": "1 if they had a common coloniser after 1945",
                "curcol": "1 if one is a colony of the other now",
                "col45": "1 if one was a colony of the other after 1945",
                "smctry": "1 if they were or are the same country",
            }.items()
        ],
        field(
            "dist",
            "number",
            "Great-circle distance between the main cities",
            "km",
            required=True,
            minimum=0,
        ),
        field(
            "distcap",
            "number",
            "Great-circle distance between the capitals",
            "km",
            required=True,
            minimum=0,
        ),
        field(
            "distw",
            "number",
            "Population-weighted distance between cities, arithmetic mean",
            "km",
            minimum=0,
        ),
        field(
            "distwces",
            "number",
            "Population-weighted distance between cities, harmonic mean",
            "km",
            minimum=0,
        ),
    ],
    key=["exporter", "importer"],
    sources=[CEPII],
    licence="etalab-2.0",
    vintage="2011",
    kind="snapshot",
    caveats=[
        "Codes of 2011 that ISO writes otherwise (ROM, ZAR, TMP, PAL) are mapped; YUG stands for Serbia and Montenegro before 2006. No South Sudan, Kosovo, Serbia or Montenegro.",
        "Weighted distances are missing for about 2,200 pairs.",
        "`colony` is 1 for Russia and the members of its empire (Finland, Poland, the Baltic states …); China–Russia is 0.",
    ],
    references={"exporter": "economies.iso3", "importer": "economies.iso3"},
    parquet=True,
)
def geodist_pairs(raw: Path) -> pd.DataFrame:
    frame = pd.read_parquet(raw / "trade/cepii_geodist_pairs.parquet").rename(
        columns={"iso_o": "exporter", "iso_d": "importer"}
    )
    for column in ("exporter", "importer"):
        frame[column] = frame[column].replace(GEODIST_CODES)
    for column in ("distw", "distwces"):
        frame[column] = pd.to_numeric(frame[column].replace(".", np.nan))
    flags = [
        "contig",
        "comlang_off",
        "comlang_ethno",
        "colony",
        "comcol",
        "curcol",
        "col45",
        "smctry",
    ]
    return frame.astype(dict.fromkeys(flags, "int64"))


@table(
    "geodist-economies",
    title="Economies: continent, area, capital and its coordinates",
    description="One row per economy of CEPII GeoDist.",
    fields=[
        economy("iso3", "Economy"),
        field("name", "string", "CEPII's English name", required=True),
        field("continent", "string", "Continent", required=True),
        field("area_km2", "number", "Area", "km²", minimum=0),
        field("landlocked", "integer", "1 if without a coast", required=True, minimum=0, maximum=1),
        field("capital", "string", "Capital", required=True),
        field(
            "lat",
            "number",
            "Latitude of the capital",
            "degrees north",
            required=True,
            minimum=-90,
            maximum=90,
        ),
        field(
            "lon",
            "number",
            "Longitude of the capital",
            "degrees east",
            required=True,
            minimum=-180,
            maximum=180,
        ),
    ],
    key=["iso3"],
    sources=[CEPII],
    licence="etalab-2.0",
    vintage="2011",
    kind="snapshot",
    caveats=[
        "Capitals of 2011: Kazakhstan's is Astana, Côte d'Ivoire's Yamoussoukro. Other economic centres are left out."
    ],
    references={"iso3": "economies.iso3"},
)
def geodist_economies(raw: Path) -> pd.DataFrame:
    frame = pd.read_parquet(raw / "trade/cepii_geodist_economies.parquet")
    frame = frame.assign(iso3=frame["iso3"].replace(GEODIST_CODES))
    frame = frame[(frame["cap"] == 1) | ~frame["iso3"].duplicated(keep=False)].drop_duplicates("iso3")
    frame = frame.rename(columns={"country": "name", "area": "area_km2", "city_en": "capital"})
    return frame.astype({"landlocked": "int64"})


@table(
    "russia-oil-gas-exports",
    title="Russia's exports since 2019: oil and gas against the rest, by main partner",
    description="Partners' customs records summed to years; full years only.",
    fields=[
        year(2019, 2025),
        field(
            "importer",
            "string",
            "China, India, Türkiye, or OTH: all others",
            required=True,
            enum=["CHN", "IND", "TUR", "OTH"],
        ),
        field(
            "product_group",
            "string",
            "Oil and gas, or all other goods",
            required=True,
            enum=["oil and gas", "non-oil-gas"],
        ),
        *year_reporter_value(),
    ],
    key=["year", "importer", "product_group"],
    sources=[MIRROR],
    licence="facts",
    vintage="May 2026",
    kind="constructed",
    caveats=[
        "An estimate from partners' customs, partly nowcast. China stopped publishing the volume, not the value, of pipeline gas after 2022."
    ],
)
def russia_oil_gas_exports(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "trade/rus_exports_mirror_monthly_2019_2026.csv")
    frame = frame.rename(columns={"product_code": "product_group"})
    yearly = frame.groupby(["year", "importer", "product_group"])["value_usd"].agg(["sum", "count"]).reset_index()
    return yearly[yearly["count"] == 12].rename(columns={"sum": "value_usd"})


@table(
    "china-energy-imports",
    title="China's imports of crude oil, coal and liquefied gas by origin, 2001–2024",
    description="Three HS products as China reports them.",
    fields=[
        year(2001, 2024),
        economy("exporter", "Origin"),
        field(
            "hs6",
            "string",
            "HS product: 270900 crude oil, 270112 bituminous coal, 271111 liquefied natural gas",
            required=True,
            enum=["270900", "270112", "271111"],
        ),
        *year_reporter_value(),
    ],
    key=["year", "exporter", "hs6"],
    sources=[COMTRADE],
    licence="comtrade",
    vintage="2025",
    kind="snapshot",
    caveats=["2024 has crude oil only. Pipeline gas (271121) is not in the table."],
    references={"exporter": "economies.iso3"},
)
def china_energy_imports(raw: Path) -> pd.DataFrame:
    frame = pd.read_parquet(raw / "trade/comtrade_imports_hs6_by_origin_selected.parquet")
    frame = frame[(frame["importer"] == "CHN") & frame["product_code"].isin(["270900", "270112", "271111"])]
    frame = frame.dropna(subset="exporter").rename(columns={"product_code": "hs6"})
    return frame.astype({"year": "int64", "exporter": str, "hs6": str})
