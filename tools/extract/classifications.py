"""Code lists: economies, HS, SITC, Lall's technology groups, high technology."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from babel import Locale
from babel.core import get_global

from tools.extract import field, table

CLDR = {
    "publisher": "Unicode CLDR",
    "title": "Unicode CLDR territory names (English)",
    "path": "https://cldr.unicode.org/",
}
CONCORDANCE = {
    "publisher": "UN Statistics Division",
    "title": "UN Statistics Division and World Bank WITS classification tables, as collected in the R package concordance",
    "path": "https://github.com/insongkim/concordance",
}

# Codes that CLDR does not map one to one: states that are gone (ISO 3166-3 or IMF usage), unions, and Kosovo.
FORMER = {
    "SUN": ("USSR", 1922, 1991, "RUS"),
    "CSK": ("Czechoslovakia", 1918, 1992, "CZE"),
    "DDR": ("East Germany", 1949, 1990, "DEU"),
    "YUG": ("Yugoslavia", 1945, 1992, "SCG"),
    "SCG": ("Serbia and Montenegro", 1992, 2006, "SRB"),
    "ANT": ("Netherlands Antilles", 1954, 2010, "CUW"),
    "BLX": ("Belgium–Luxembourg", 1922, 1998, "BEL"),
    "YAR": ("North Yemen", 1962, 1990, "YEM"),
    "YMD": ("South Yemen", 1967, 1990, "YEM"),
    "VDR": ("North Vietnam", 1945, 1976, "VNM"),
}
SPECIAL = {"WLD": ("World", None), "XKX": ("Kosovo", "XK")}
# The IMF's own code for a territory that ISO has: West Bank and Gaza.
IMF_CODES = {"WBG": "PSE"}
# CLDR's longer names, in the words that a sentence of the book uses.
SHORT = {
    "HKG": "Hong Kong",
    "MAC": "Macao",
    "PSE": "Palestine",
    "MMR": "Myanmar",
    "COD": "DR Congo",
    "COG": "Congo",
}

SECTION_SHORT = {
    "I": "Animals and animal products",
    "II": "Plant products",
    "III": "Fats and oils",
    "IV": "Food, drink, tobacco",
    "V": "Minerals and fuels",
    "VI": "Chemicals",
    "VII": "Plastics and rubber",
    "VIII": "Leather and furs",
    "IX": "Wood and wood products",
    "X": "Pulp and paper",
    "XI": "Textiles and clothing",
    "XII": "Footwear and headgear",
    "XIII": "Stone, ceramics, glass",
    "XIV": "Precious metals and stones",
    "XV": "Base metals",
    "XVI": "Machinery and electrical",
    "XVII": "Vehicles and aircraft",
    "XVIII": "Instruments, optics, clocks",
    "XIX": "Arms",
    "XX": "Furniture, toys, other goods",
    "XXI": "Art and antiques",
    "XXII": "Not specified",
}


def territory(code: str) -> tuple[str | None, str | None]:
    """English short name and alpha-2 code of an alpha-3 code; (None, None) if CLDR has none."""
    alpha2 = get_global("territory_aliases").get(code, [])
    if len(alpha2) != 1:
        return None, None
    return Locale("en").territories.get(alpha2[0]), alpha2[0]


@table(
    "economies",
    title="Economies and their ISO codes",
    description="Every economy that appears in a table of this package, with its ISO codes and the short English name used in the book.",
    fields=[
        field(
            "iso3",
            "string",
            "ISO 3166-1 alpha-3 code; former states: ISO 3166-3 or IMF usage",
            required=True,
            pattern="[A-Z]{3}",
        ),
        field(
            "iso2",
            "string",
            "ISO 3166-1 alpha-2 code; empty for former states and the world",
            pattern="[A-Z]{2}",
        ),
        field("name", "string", "Short English name", required=True),
        field(
            "kind",
            "string",
            "What the code stands for",
            required=True,
            enum=["economy", "former", "world"],
        ),
        field("valid_from", "integer", "First year of a former state"),
        field("valid_to", "integer", "Last full or partial year of a former state"),
        field(
            "successor",
            "string",
            "Code under which the book continues a former state's series",
            pattern="[A-Z]{3}",
        ),
    ],
    key=["iso3"],
    sources=[CLDR],
    licence="own",
    vintage="CLDR as shipped with Babel 2.x",
    kind="constructed",
    caveats=[
        "A successor is a convention for drawing one line through a break (USSR → Russia); it is not the same territory.",
        "BLX is the IMF's code for the Belgium–Luxembourg union, which reported trade as one until 1996–98.",
    ],
)
def economies(raw: Path) -> pd.DataFrame:
    trade, macro = raw / "trade", raw / "macro"
    dots = pd.read_parquet(trade / "imf_dots_1960_2020.parquet", columns=["reporter", "partner"])
    matrix = pd.read_parquet(trade / "unctad_trade_matrix_sitc_sections_1995_2005_2015.parquet")
    pairs = pd.read_parquet(trade / "cepii_geodist_pairs.parquet", columns=["iso_o"])
    from tools.extract.trade import GEODIST_CODES

    codes = set(FORMER) | set(SPECIAL)
    for column in (dots["reporter"], dots["partner"], matrix["exporter"], matrix["importer"]):
        codes |= set(column.dropna().astype(object))
    codes |= set(pairs["iso_o"].replace(GEODIST_CODES))
    places = pd.read_parquet(trade / "cepii_geodist_economies.parquet", columns=["iso3"])["iso3"]
    codes |= set(places.replace(GEODIST_CODES))
    for name, column in (
        ("rus_imts_by_partner_2016_2024.csv", "partner"),
        ("rus_reported_totals_by_partner_2000_2020.csv", "partner"),
    ):
        codes |= set(pd.read_csv(trade / name, keep_default_na=False)[column])
    wdi = pd.read_parquet(macro / "wdi_all_economies.parquet", columns=["iso3"])["iso3"]
    # WDI also carries regional groups: only codes that CLDR knows as a territory are economies.
    codes |= {code for code in set(wdi.astype(object)) if territory(code)[0]}
    codes = {
        IMF_CODES.get(code, code) for code in codes if len(code) == 3 and code.isalpha()
    }  # IMTS also has groups (G001 …)
    rows, unknown = [], []
    for code in sorted(codes):
        name, alpha2 = territory(code)
        if code in FORMER:
            label, first, last, successor = FORMER[code]
            rows.append((code, None, label, "former", first, last, successor))
        elif code in SPECIAL:
            rows.append(
                (
                    code,
                    SPECIAL[code][1],
                    SPECIAL[code][0],
                    "world" if code == "WLD" else "economy",
                    None,
                    None,
                    None,
                )
            )
        elif name:
            rows.append((code, alpha2, SHORT.get(code, name), "economy", None, None, None))
        else:
            unknown.append(code)
    if unknown:
        raise ValueError(f"neither a territory nor listed as a former state: {unknown}")
    frame = pd.DataFrame(rows, columns=["iso3", "iso2", "name", "kind", "valid_from", "valid_to", "successor"])
    return frame.astype({"valid_from": "Int64", "valid_to": "Int64"})


@table(
    "hs-chapters",
    title="Harmonized System: chapters and sections",
    description="The chapters (two digits) of the Harmonized System with the section each belongs to.",
    fields=[
        field("hs_chapter", "string", "HS chapter, two digits", required=True, pattern=r"\d{2}"),
        field("chapter_name", "string", "Name of the chapter; empty for reserved codes"),
        field("hs_section", "string", "HS section, Roman numeral", required=True),
        field("section_name", "string", "Name of the section", required=True),
        field("section_short", "string", "Short name of the section, for charts (ours)", required=True),
    ],
    key=["hs_chapter"],
    sources=[CONCORDANCE],
    licence="mit",
    vintage="HS 2017 names",
    kind="verbatim",
    caveats=["Chapter 99 and code 98 are national special provisions, not part of the international nomenclature."],
)
def hs_chapters(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "trade/class_hs_chapters_sections.csv", dtype=str)
    frame = frame.assign(section_short=frame["hs_section"].map(SECTION_SHORT))
    return frame.rename(columns={"hs2": "hs_chapter"})


@table(
    "lall-groups",
    title="Lall's technology groups of exports",
    description="The eleven groups in which Lall (2000) sorts traded products by the technology they embody.",
    fields=[
        field("lall_code", "string", "Code of the group", required=True),
        field("name", "string", "Name of the group", required=True),
        field(
            "broad",
            "string",
            "Broad class",
            required=True,
            enum=[
                "Primary products",
                "Resource-based",
                "Low technology",
                "Medium technology",
                "High technology",
                "Unclassified",
            ],
        ),
    ],
    key=["lall_code"],
    sources=[
        {
            "publisher": "Lall (2000)",
            "title": "Lall, S. (2000), The technological structure and performance of developing country manufactured exports, 1985–98; group names as used by UNCTADstat",
            "path": "https://unctadstat.unctad.org/",
        }
    ],
    licence="unctad",
    vintage="UNCTADstat",
    kind="verbatim",
    caveats=[
        "The class of a product says what technology its industry uses on average, not how much of it the exporting economy added."
    ],
)
def lall_groups(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "trade/chn_rus_lall_tech_1995_2017.csv")
    frame = frame[["product_code", "product_name"]].drop_duplicates()
    frame.columns = ["lall_code", "name"]
    broad = {
        "PP": "Primary products",
        "RB": "Resource-based",
        "LT": "Low technology",
        "MT": "Medium technology",
        "HT": "High technology",
        "UN": "Unclassified",
    }
    frame["broad"] = frame["lall_code"].str[:2].map(broad)
    return frame


@table(
    "lall-sitc2",
    title="Lall's classification on SITC Rev. 2 groups",
    description="Which of Lall's technology groups each three-digit group of SITC Rev. 2 belongs to.",
    fields=[
        field("sitc2", "string", "SITC Rev. 2 group, three digits", required=True, pattern=r"\d{3}"),
        field("sitc2_name", "string", "Name of the group", required=True),
        field("lall_code", "string", "Lall group", required=True),
        field("lall_name", "string", "Name of the Lall group", required=True),
    ],
    key=["sitc2"],
    sources=[
        {
            "publisher": "Lall (2000)",
            "title": "Lall, S. (2000), The technological structure and performance of developing country manufactured exports, 1985–98",
            "path": "https://doi.org/10.1080/713688318",
        }
    ],
    licence="own",
    vintage="Transcribed from the paper's annex",
    kind="constructed",
    caveats=[
        "Transcribed, not copied from a file of the author's: the 239 codes are exactly the 239 groups of SITC Rev. 2, none missing, none twice; check against the annex before quoting one of them."
    ],
)
def lall_sitc2(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "trade/class_lall_2000_sitc2.csv", dtype=str)
    return frame.rename(columns={"sitc2_3digit": "sitc2"})


def _sitc(raw: Path, revision: int) -> pd.DataFrame:
    frame = pd.read_csv(raw / f"trade/class_sitc{revision}_names.csv", dtype=str, keep_default_na=False)
    frame.columns = ["code", "name"]
    return frame.drop_duplicates("code")


def _sitc_fields() -> list[dict]:
    return [
        field(
            "code",
            "string",
            "SITC code; its length gives the level (1 section … 5 item)",
            required=True,
        ),
        field("name", "string", "Name", required=True),
    ]


@table(
    "sitc-rev2",
    title="SITC Rev. 2: codes and names",
    description="All levels of the Standard International Trade Classification, Revision 2.",
    fields=_sitc_fields(),
    key=["code"],
    sources=[CONCORDANCE],
    licence="mit",
    vintage="SITC Rev. 2 (1975)",
    kind="verbatim",
    caveats=["Names are the registry's, long and in its own spelling."],
)
def sitc_rev2(raw: Path) -> pd.DataFrame:
    return _sitc(raw, 2)


@table(
    "sitc-rev4",
    title="SITC Rev. 4: codes and names",
    description="All levels of the Standard International Trade Classification, Revision 4.",
    fields=_sitc_fields(),
    key=["code"],
    sources=[CONCORDANCE],
    licence="mit",
    vintage="SITC Rev. 4 (2006)",
    kind="verbatim",
    caveats=["Names are the registry's, long and in its own spelling."],
)
def sitc_rev4(raw: Path) -> pd.DataFrame:
    return _sitc(raw, 4)


@table(
    "hightech-sitc4",
    title="High-technology products in SITC Rev. 4 (Eurostat/OECD list)",
    description="The nine groups of high-technology products, as prefixes of SITC Rev. 4 codes to include or to exclude.",
    fields=[
        field("hightech_group", "string", "Group of high-technology products", required=True),
        field(
            "rule",
            "string",
            "Whether the prefix is taken in or left out",
            required=True,
            enum=["include", "exclude"],
        ),
        field("sitc4_prefix", "string", "Prefix of SITC Rev. 4 codes", required=True, pattern=r"\d+"),
        field("sitc4_name", "string", "Name of that code"),
    ],
    key=["hightech_group", "rule", "sitc4_prefix"],
    sources=[
        {
            "publisher": "Eurostat",
            "title": "Eurostat, High-tech aggregation by SITC Rev. 4 (annex to the indicators on high-tech industry)",
            "path": "https://ec.europa.eu/eurostat/cache/metadata/Annexes/htec_esms_an5.pdf",
        }
    ],
    licence="own",
    vintage="April 2009 list",
    kind="constructed",
    caveats=[
        "Transcribed from knowledge of the annex: all prefixes exist in SITC Rev. 4 and their titles agree; verify against the annex before quoting it as official."
    ],
)
def hightech_sitc4(raw: Path) -> pd.DataFrame:
    return pd.read_csv(raw / "trade/class_hightech_eurostat_sitc4_rules.csv", dtype=str)


@table(
    "hs6-concordance",
    title="HS six-digit products: SITC, section, high-technology and Lall group",
    description="Each six-digit product of seven vintages of the Harmonized System with its SITC codes and technology groups.",
    fields=[
        field(
            "hs_vintage",
            "string",
            "Vintage of the Harmonized System",
            required=True,
            pattern=r"HS\d{4}",
        ),
        field("hs6", "string", "HS product, six digits", required=True, pattern=r"\d{6}"),
        field("hs_name", "string", "Name of the product"),
        field("hs_chapter", "string", "HS chapter", required=True, pattern=r"\d{2}"),
        field("hs_section", "string", "HS section, Roman numeral"),
        field("sitc2", "string", "SITC Rev. 2"),
        field("sitc3", "string", "SITC Rev. 3"),
        field("sitc4", "string", "SITC Rev. 4"),
        field(
            "hightech_group",
            "string",
            "Eurostat/OECD high-technology group; empty = not high technology",
        ),
        field("lall_code", "string", "Lall group"),
    ],
    key=["hs_vintage", "hs6"],
    sources=[CONCORDANCE],
    licence="mit",
    vintage="HS 1992 … HS 2022",
    kind="constructed",
    caveats=[
        "A product may straddle several SITC codes; one target is kept. High-technology and Lall groups follow from the SITC code and inherit that choice."
    ],
    parquet=True,
)
def hs6_concordance(raw: Path) -> pd.DataFrame:
    frame = pd.read_parquet(raw / "trade/class_hs6_concordance.parquet").rename(columns={"hs2": "hs_chapter"})
    return frame.astype(object).where(frame.notna(), None)
