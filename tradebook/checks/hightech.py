"""Checks of chapter 3: high-technology exports, their content, research, and US–China trade.

No complete series exists in the definition that the sources quote, China's own catalogue. Levels and
growth are therefore tested against the World Bank's current definition, with its older one and those
of the US National Science Foundation (NCSES) as alternatives, and against single figures of China's
customs where one is known.
"""

from __future__ import annotations

import math

import pandas as pd

from tradebook import hightech, inputoutput
from tradebook.checks import CheckError, Recomputed, check, memo, table
from tradebook.checks.facts import _row
from tradebook.checks.series import at, compound_growth, growth, span

_NEW = "World Bank, current definition (wdi)"
_OLD = "World Bank, older definition (hightech-exports-old-definition)"
_PRODUCTS = "NCSES, products of high research intensity, with Hong Kong (hightech-trade-ncses)"
_INDUSTRIES = "NCSES, knowledge- and technology-intensive manufacturing (hightech-trade-ncses)"
_LABELS = dict(zip((_NEW, _OLD, _PRODUCTS, _INDUSTRIES), hightech.DEFINITIONS, strict=True))
_CUSTOMS = "China's catalogue, as quoted by the press (china-hightech-customs-points)"
_LALL = "UNCTAD, Lall's high technology (china-lall-by-partner-group)"
_US = "US Census Bureau (us-china-trade)"
_EXPORTS = "high-technology exports"


# --- series ---------------------------------------------------------------------------------------


@memo
def _indicator(code: str, iso3: str) -> pd.Series:
    frame = table("wdi")
    frame = frame[(frame.indicator == code) & (frame.iso3 == iso3)]
    return frame.set_index("year").value.sort_index()


@memo
def _exports(definition: str, iso3: str) -> pd.Series:
    """High-technology exports in one definition, billion US$."""
    series = hightech.exports(iso3)
    label = _LABELS[definition]
    return series[label].dropna() if label in series else pd.Series(dtype=float)


def _by_definition(measure, unit: str, first: str = _NEW, note: str = "", others=()) -> Recomputed:
    """One measure in every definition that has the years; `first` is what is compared first."""
    found = []
    for definition in dict.fromkeys((first, _NEW, _OLD, _PRODUCTS, _INDUSTRIES)):
        try:
            found.append((definition, float(measure(definition))))
        except CheckError:
            continue
    if not found:
        raise CheckError("No definition of high technology has these years; choose others.")
    (name, value), *rest = found
    return Recomputed(value, unit, name, (*rest, *others), note=note)


@memo
def _points(indicator: str) -> pd.Series:
    frame = table("china-hightech-customs-points")
    return frame[frame.indicator == indicator].set_index("year").value


# --- level, growth, share -------------------------------------------------------------------------


@check
def hightech_exports(year: int) -> Recomputed:
    """China's high-technology exports, billion US$; a figure of customs first where one is known."""
    points = _points("hightech-exports")
    result = _by_definition(lambda d: at(_exports(d, "CHN"), year, _EXPORTS), "billion US$")
    if year not in points.index:
        return result
    others = ((result.source, result.value), *result.alternatives)
    return Recomputed(float(points[year]), "billion US$", _CUSTOMS, others)


@check
def hightech_growth(year: int) -> Recomputed:
    """Growth of China's high-technology exports against the year before, percent."""
    return _by_definition(lambda d: growth(_exports(d, "CHN"), year, _EXPORTS), "percent")


@check
def hightech_falls(start: int, end: int) -> Recomputed:
    """Years from `start` to `end` in which China's high-technology exports fell."""

    def falls(definition: str) -> float:
        series = span(_exports(definition, "CHN"), start - 1, end)
        return float((series.diff().dropna() < 0).sum())

    return _by_definition(falls, "count", _OLD)


@check
def hightech_fast_years(start: int, end: int, rate: float) -> Recomputed:
    """Years from `start` to `end` in which the exports grew by more than `rate` percent."""

    def years(definition: str) -> float:
        series = span(_exports(definition, "CHN"), start - 1, end)
        return float((100 * series.pct_change().dropna() > rate).sum())

    return _by_definition(years, "count", _OLD)


@check
def hightech_growth_trend(start: int, end: int) -> Recomputed:
    """Slope of the growth rates over time, percentage points a year (least squares)."""

    def slope(definition: str) -> float:
        rates = 100 * span(_exports(definition, "CHN"), start - 1, end).pct_change().dropna()
        years = rates.index.to_series() - rates.index.to_series().mean()
        return float((years * rates).sum() / (years**2).sum())

    return _by_definition(slope, "percentage points", _OLD)


@check
def hightech_world_share(year: int, iso3: str = "CHN", asia: str = "", old: str = "") -> Recomputed:
    """Share of an economy in world high-technology exports, percent.

    `old` names a fact that gives the share in an older edition; `asia` one that gives the share in
    Asia's exports, which a source may have meant.
    """

    def share(definition: str) -> float:
        part = at(_exports(definition, iso3), year, _EXPORTS)
        return 100 * part / at(_exports(definition, "WLD"), year, "world exports")

    facts = ((_row(old)["what"], float(_row(old)["value"])),) if old else ()
    result = _by_definition(share, "percent", others=facts)
    readings = ((_row(asia)["what"], float(_row(asia)["value"])),) if asia else ()
    return Recomputed(result.value, "percent", result.source, result.alternatives, readings)


@check
def hightech_world_share_change(start: int, end: int) -> Recomputed:
    """Change of China's share in world high-technology exports, percentage points."""

    def change(definition: str) -> float:
        china, world = _exports(definition, "CHN"), _exports(definition, "WLD")
        shares = 100 * china / world
        return at(shares.dropna(), end, "share") - at(shares.dropna(), start, "share")

    return _by_definition(change, "percentage points", _OLD)


@check
def hightech_rank(year: int) -> Recomputed:
    """Rank of China among the exporters of high technology, 1 = largest."""

    def rank(definition: str) -> float:
        if definition == _NEW:
            frame = table("wdi")
            frame = frame[(frame.indicator == "TX.VAL.TECH.CD") & (frame.year == year)]
            values = frame.set_index("iso3").value.drop("WLD", errors="ignore")
        else:
            raise CheckError("not all economies")
        if "CHN" not in values:
            raise CheckError("no figure")
        return float(1 + (values > values["CHN"]).sum())

    return _by_definition(rank, "rank")


@check
def hightech_share_of_goods(year: int) -> Recomputed:
    """High-technology exports in China's goods exports, percent."""
    goods = at(_indicator("TX.VAL.MRCH.CD.WT", "CHN") / 1e9, year, "goods exports")
    return _by_definition(lambda d: 100 * at(_exports(d, "CHN"), year, _EXPORTS) / goods, "percent")


@check
def share_of_goods_trade(claim: str, year: int) -> Recomputed:
    """What a printed share of China's goods trade would be in billion US$."""
    share = float(_printed()[claim])
    total = math.fsum(
        at(_indicator(f"{flow}.VAL.MRCH.CD.WT", "CHN") / 1e9, year, "goods trade") for flow in ("TX", "TM")
    )
    note = f"China's goods trade in {year}: {total:,.1f} billion US$; {share} percent of it."
    return Recomputed(share / 100 * total, "billion US$", "World Bank (wdi)", note=note)


@memo
def _lall(flow: str, group: str) -> pd.DataFrame:
    frame = table("china-lall-by-partner-group")
    frame = frame[(frame.flow == flow) & (frame.partner_group == group)]
    return frame.pivot(index="year", columns="lall_code", values="value_usd") / 1e9


@check
def hightech_share_of_trade(year: int, manufactures: bool = False) -> Recomputed:
    """High technology in China's trade both ways, percent; of manufactures only, if asked."""
    both = _lall("export", "World").loc[year] + _lall("import", "World").loc[year]
    codes = [c for c in both.index if not manufactures or c[:2] in {"LT", "MT", "HT"}]
    share = 100 * both[["HT1", "HT2"]].sum() / both[codes].sum()
    others = ()
    if not manufactures:
        goods = at(_indicator("TX.VAL.MRCH.CD.WT", "CHN") / 1e9, year, "goods exports")
        others = ((f"exports alone, {_NEW}", 100 * at(_exports(_NEW, "CHN"), year, _EXPORTS) / goods),)
    return Recomputed(float(share), "percent", _LALL, others)


@check
def hightech_balance(year: int) -> Recomputed:
    """China's high-technology exports minus imports, billion US$."""
    exports, imports = _points("hightech-exports"), _points("hightech-imports")
    value = at(exports, year, "exports") - at(imports, year, "imports")
    return Recomputed(value, "billion US$", _CUSTOMS)


@check
def first_hightech_surplus() -> Recomputed:
    """First year in which China's high-technology exports exceeded its imports."""

    def first(exports: pd.Series, imports: pd.Series) -> float:
        ahead = (exports - imports).dropna()
        return float(ahead.index[ahead > 0][0])

    def ncses(flow: str) -> pd.Series:
        frame = table("hightech-trade-ncses")
        frame = frame[(frame.indicator == "high-rd-products") & (frame.iso3 == "CHN")]
        return frame[frame.flow == flow].set_index("year").value_musd.sort_index()

    customs = first(_points("hightech-exports").sort_index(), _points("hightech-imports"))
    lall = [_lall(flow, "World")[["HT1", "HT2"]].sum(axis=1) for flow in ("export", "import")]
    others = ((_LALL, first(*lall)), (_PRODUCTS, first(ncses("export"), ncses("import"))))
    note = "The customs points known are those of 2004 and 2008; the NCSES series starts in 2003."
    return Recomputed(customs, "year", _CUSTOMS, others, note=note)


@check
def customs_point(indicator: str, year: int) -> Recomputed:
    """A single figure of China's customs or Ministry of Commerce."""
    frame = table("china-hightech-customs-points")
    row = frame[(frame.indicator == indicator) & (frame.year == year)]
    if row.empty:
        raise CheckError(f"No {indicator} is known for {year}; choose another year.")
    value, unit = float(row.value.iloc[0]), row.unit.iloc[0].replace("USD billion", "billion US$")
    return Recomputed(value, unit, _CUSTOMS, note=f"Figure of {year}.")


@check
def fall_since_point(claim: str, indicator: str, year: int) -> Recomputed:
    """By how many percent a printed figure is below a single figure of customs."""
    point = customs_point(indicator=indicator, year=year)
    fall = 100 * (1 - float(_printed()[claim]) / point.value)
    return Recomputed(fall, "percent", f"{point.source}, {claim}", note=f"{point.value:g} in {year}.")


@check
def printed_sum_change(new: list, old: list) -> Recomputed:
    """Change from one sum of printed figures to another, percent."""
    now, before = (math.fsum(_printed()[list(group)]) for group in (new, old))
    return Recomputed(100 * (now / before - 1), "percent", f"{_DOCUMENT}, {new[0]} … {old[-1]}", internal=True)


@check
def fact_share(part: str, whole: str) -> Recomputed:
    """Share of one cited figure in another, percent."""
    value = 100 * float(_row(part)["value"]) / float(_row(whole)["value"])
    return Recomputed(value, "percent", _row(part)["citation"], note=f"{_row(part)['what']}.")


@check
def printed_mean(claims: list) -> Recomputed:
    """Plain mean of figures that the document prints itself, percent."""
    values = _printed()[claims]
    return Recomputed(math.fsum(values) / len(values), "percent", f"{_DOCUMENT}: {len(values)}", internal=True)


# --- China's economy and trade --------------------------------------------------------------------


def _yuan_trade() -> pd.Series:
    """China's goods trade, trillion yuan, at the average exchange rate of the year."""
    rate = table("yuan-rate").set_index("year").yuan_per_usd
    both = _indicator("TX.VAL.MRCH.CD.WT", "CHN") + _indicator("TM.VAL.MRCH.CD.WT", "CHN")
    return (both * rate / 1e12).dropna()


@check
def goods_trade_yuan(year: int) -> Recomputed:
    """China's goods trade both ways, trillion yuan."""
    source = "World Bank (wdi), at the average exchange rate (yuan-rate)"
    return Recomputed(at(_yuan_trade(), year, "goods trade"), "trillion yuan", source)


@check
def goods_trade_yuan_growth(year: int) -> Recomputed:
    """Growth of China's goods trade in yuan, percent; in dollars as the alternative."""
    both = _indicator("TX.VAL.MRCH.CD.WT", "CHN") + _indicator("TM.VAL.MRCH.CD.WT", "CHN")
    others = (("in US dollars", growth(both, year, "goods trade")),)
    value = growth(_yuan_trade(), year, "goods trade")
    return Recomputed(value, "percent", "World Bank (wdi), yuan-rate", others)


@check
def goods_trade_falls_before(year: int) -> Recomputed:
    """Years in a row, up to the year before, in which China's goods trade fell (in yuan)."""

    def run(series: pd.Series) -> float:
        last = year - 1
        while growth(series, last, "goods trade") < 0:
            last -= 1
        return float(year - 1 - last)

    both = _indicator("TX.VAL.MRCH.CD.WT", "CHN") + _indicator("TM.VAL.MRCH.CD.WT", "CHN")
    value = run(_yuan_trade())
    return Recomputed(value, "count", "World Bank (wdi), yuan-rate", (("in US dollars", run(both)),))


@check
def lowest_gdp_growth(start: int, end: int) -> Recomputed:
    """Lowest yearly growth of China's output in a period, percent."""
    series = span(_indicator("NY.GDP.MKTP.KD.ZG", "CHN"), start, end)
    return Recomputed(float(series.min()), "percent", "World Bank (wdi)", note=f"In {series.idxmin()}.")


@check
def licence_fees_ratio(year: int) -> Recomputed:
    """China's payments for the use of intellectual property over its receipts."""
    paid, received = _indicator("BM.GSR.ROYL.CD", "CHN"), _indicator("BX.GSR.ROYL.CD", "CHN")
    value = at(paid, year, "payments") / at(received, year, "receipts")
    return Recomputed(value, "times", "World Bank (wdi)")


@check
def researchers_ratio(year: int, other: str) -> Recomputed:
    """Researchers per million people, China over another economy."""
    china, there = (_indicator("SP.POP.SCIE.RD.P6", code) for code in ("CHN", other))
    value = at(china, year, "researchers") / at(there, year, "researchers")
    return Recomputed(value, "times", "World Bank (wdi)", note=f"{china[year]:,.0f} per million in China.")


# --- whose value added ----------------------------------------------------------------------------


@memo
def _world(year: int) -> inputoutput.WorldTable:
    return hightech.world_table(year)


@check
def domestic_value_added_share(industry: str, year: int) -> Recomputed:
    """Domestic value added in China's exports of one industry, percent of the exports.

    The alternative is the lower bound: every imported part that the industry buys goes into exports.
    """
    world = _world(year)
    parts = inputoutput.value_added_in_exports(world, "CHN").loc[industry]
    bound = inputoutput.lowest_domestic_share(world, "CHN", industry)
    others = (("the lower bound, all imported parts of the industry in its exports", 100 * bound),)
    value = 100 * parts["domestic"] / parts["exports"]
    return Recomputed(float(value), "percent", f"World Input-Output Database (wiod), {industry}", others)


@check
def lall_export_share(groups: list, year: int) -> Recomputed:
    """Share of Lall groups in China's exports, percent."""
    values = _lall("export", "World").loc[year]
    return Recomputed(float(100 * values[groups].sum() / values.sum()), "percent", _LALL)


# --- research and productivity --------------------------------------------------------------------


@memo
def _research(industry: str) -> pd.DataFrame:
    """Business R&D over value added, percent, year x economy, both in market dollars."""
    frame = hightech.research_intensity()
    frame = frame[frame.industry == industry]
    return frame.pivot(index="year", columns="iso3", values="intensity")


@check
def research_intensity(industry: str, year: int, over: str = "") -> Recomputed:
    """Business R&D over value added of a Chinese industry, percent; or its ratio to another economy's."""
    shares = _research(industry)
    source = f"NCSES (industry-research), {industry}, {year}"
    note = "Research converted from PPP to market dollars; the source may divide by sales, not value added."
    if not over:
        return Recomputed(at(shares["CHN"].dropna(), year, industry), "percent", source, note=note)
    value = at(shares["CHN"].dropna(), year, industry) / at(shares[over].dropna(), year, industry)
    return Recomputed(value, "times", source, note=note)


@check
def research_against_median(industry: str, claim: str, year: int) -> Recomputed:
    """A printed intensity over the median of the economies known."""
    stated = float(_printed()[claim])
    shares = _research(industry).loc[year].dropna()
    listed = ", ".join(f"{code} {value:.1f}" for code, value in shares.items())
    source = f"NCSES (industry-research), {industry}, {year}"
    return Recomputed(stated / float(shares.median()), "times", source, note=f"Percent: {listed}.")


@check
def productivity_ratio(other: str, year: int) -> Recomputed:
    """Value added per person in manufacturing, another economy over China; PPP as the alternative."""
    frame = table("manufacturing-productivity").set_index(["iso3", "year"])
    values = frame.at_exchange_rate, frame.at_ppp
    rate, ppp = (float(column[other, year] / column["CHN", year]) for column in values)
    source = "Groningen (manufacturing-productivity), at exchange rates"
    return Recomputed(rate, "times", source, (("at purchasing power parity", ppp),))


# --- United States and China ----------------------------------------------------------------------

_COMPUTERS = "Computer & Electronics"


@memo
def us_gap(group: str = "All Commodities") -> pd.Series:
    """US imports from China minus US exports to China of one commodity group, billion US$."""
    frame = table("us-china-trade")
    frame = frame[frame.group == group].set_index("year").sort_index()
    if frame.empty:
        raise CheckError(f"There is no commodity group “{group}”; see table us-china-trade.")
    return (frame.imports_usd - frame.exports_usd) / 1e9


def _electrical() -> pd.Series:
    return us_gap(_COMPUTERS) + us_gap("Electrical Equipment, Appliances & Components")


@check
def us_gap_level(year: int) -> Recomputed:
    """The US deficit with China in computers and electronics, billion US$."""
    return Recomputed(at(us_gap(_COMPUTERS), year, "gap"), "billion US$", _US)


@check
def us_gap_change(start: int, end: int, group: str = _COMPUTERS) -> Recomputed:
    """Change of the US deficit with China, billion US$."""
    gap = us_gap(group)
    return Recomputed(at(gap, end, "gap") - at(gap, start, "gap"), "billion US$", f"{_US}, {group}")


@check
def us_gap_multiple(start: int, end: int) -> Recomputed:
    """The US deficit with China in computers and electronics as a multiple of an earlier one."""
    wider = _electrical()
    total = us_gap()
    others = (
        ("with electrical equipment", wider[end] / wider[start]),
        ("all goods", total[end] / total[start]),
    )
    gap = us_gap(_COMPUTERS)
    return Recomputed(at(gap, end, "gap") / at(gap, start, "gap"), "times", _US, others)


@check
def us_gap_share(year: int, since: int) -> Recomputed:
    """Computers and electronics in the US deficit with China, percent."""
    gap, total, wider = us_gap(_COMPUTERS), us_gap(), _electrical()
    grown = 100 * (gap[year] - gap[since]) / (total[year] - total[since])
    others = (
        ("with electrical equipment", 100 * wider[year] / total[year]),
        (f"of the increase since {since}", grown),
    )
    return Recomputed(100 * at(gap, year, "gap") / total[year], "percent", _US, others)


@memo
def _lall_imports(group: str) -> pd.Series:
    """China's imports of high technology (Lall HT) from a group of economies, billion US$."""
    return _lall("import", group)[["HT1", "HT2"]].sum(axis=1)


@check
def hightech_imports_growth(start: int, end: int) -> Recomputed:
    """Average growth a year of China's high-technology imports, percent."""
    series = _lall_imports("World")
    periods = ((2002, 2008), (2000, 2004), (2009, 2014))
    others = tuple((f"{a}–{b}", compound_growth(series, a, b, "imports")) for a, b in periods)
    points = _points("hightech-imports")
    first, last = int(points.index.min()), int(points.index.max())
    others += ((f"{_CUSTOMS}, {first}–{last}", compound_growth(points, first, last, "imports")),)
    value = compound_growth(series, start, end, "imports")
    return Recomputed(value, "percent", _LALL, others, note=f"Compound, {start}–{end}.")


@check
def us_share_of_imports_change(start: int, end: int) -> Recomputed:
    """Change of North America's share in China's high-technology imports, percentage points."""
    share = 100 * _lall_imports("Developed economies: America") / _lall_imports("World")
    note = f"From {share[start]:.1f} to {share[end]:.1f} percent; the United States and Canada."
    return Recomputed(float(share[end] - share[start]), "percentage points", _LALL, note=note)


@check
def us_over_japan(start: int, end: int, divisions: list) -> Recomputed:
    """China's imports of SITC divisions from the United States over those from Japan."""
    frame = table("china-sitc-divisions")
    frame = frame[(frame.flow == "import") & frame.sitc_division.isin(divisions)]
    frame = frame[frame.year.between(start, end)]
    sums = frame.groupby("partner").value_usd.sum()
    america, japan = (_lall_imports(f"Developed economies: {g}") for g in ("America", "Asia"))
    ratio = (span(america, start, end).sum()) / (span(japan, start, end).sum()) if end <= 2017 else None
    others = ((f"{_LALL}: United States and Canada over Japan and Israel", float(ratio)),) if ratio else ()
    source = f"China's figures (china-sitc-divisions), divisions {' '.join(divisions)}, {start}–{end}"
    return Recomputed(float(sums["USA"] / sums["JPN"]), "times", source, others)


@check
def gap_closed_at_japans_share(year: int) -> Recomputed:
    """Part of the US deficit that would close if North America sold China as much as Japan, percent."""
    more = _lall_imports("Developed economies: Asia")[year] - _lall_imports("Developed economies: America")[year]
    gap = at(us_gap(_COMPUTERS), year, "gap")
    note = f"{more:,.1f} billion US$ more, against a deficit of {gap:,.1f} in computers and electronics."
    frame = table("china-sitc-divisions")
    frame = frame[(frame.flow == "import") & (frame.year == year)]
    sums = frame[frame.sitc_division.isin(["75", "76", "77", "87"])].groupby("partner").value_usd.sum()
    others = tuple(
        (f"SITC 75, 76, 77, 87, {label}", float(100 * (sums[code] - sums["USA"]) / 1e9 / gap))
        for code, label in (("JPN", "as much as Japan"), ("KOR", "as much as South Korea"))
    )
    return Recomputed(100 * more / gap, "percent", f"{_LALL}; {_US}", others, note=note)


# --- a company ------------------------------------------------------------------------------------


def _company(company: str, indicator: str, year: int) -> float:
    frame = table("company-figures")
    row = frame[(frame.company == company) & (frame.indicator == indicator) & (frame.year == year)]
    if row.empty:
        raise CheckError(f"There is no {indicator} of {company} in {year}; see table company-figures.")
    return float(row.value.iloc[0])


@check
def company_revenue_usd(company: str, year: int) -> Recomputed:
    """Revenue of a Chinese company, billion US$ at the average exchange rate of the year."""
    rate = table("yuan-rate").set_index("year").yuan_per_usd
    value = _company(company, "revenue", year) / at(rate, year, "exchange rate")
    others = (("Fortune Global 500", _company(company, "revenue_usd_fortune", year)),)
    return Recomputed(value, "billion US$", "Annual report (company-figures), yuan-rate", others)


@check
def company_research_usd(company: str, year: int) -> Recomputed:
    """Research of a Chinese company, billion US$, as the company stated it in the press."""
    share = _company(company, "rd_share_of_revenue", year) / 100
    rate = table("yuan-rate").set_index("year").yuan_per_usd
    derived = share * _company(company, "revenue", year) / at(rate, year, "exchange rate")
    value = _company(company, "rd_expense_usd", year)
    return Recomputed(value, "billion US$", "company-figures", (("its share of revenue", derived),))


# --- a province; facts against each other -----------------------------------------------------------


@memo
def _stated(subject: str, indicator: str, exhibit: str) -> pd.Series:
    frame = table("hightech-as-stated")
    frame = frame[(frame.subject == subject) & (frame.indicator == indicator) & (frame.exhibit == exhibit)]
    return frame.set_index("year").value.sort_index()


@check
def stated_overtaking(behind: str, ahead: str) -> Recomputed:
    """First year of a printed table in which one province, behind the year before, exports more than another."""
    first, second = (_stated(name, _EXPORTS, "Table 2") for name in (ahead, behind))
    leads = first > second
    years = leads.index[leads & ~leads.shift(fill_value=True)]
    before = ", ".join(str(year) for year in leads.index[leads] if year < years[0])
    note = f"{ahead} was ahead in {before} already." if before else ""
    return Recomputed(float(years[0]), "year", "Table 2 of the document (hightech-as-stated)", note=note)


@check
def stated_first_fall(subject: str) -> Recomputed:
    """First year of a printed table in which exports are below those of the year before."""
    changes = _stated(subject, _EXPORTS, "Table 1").diff()
    year = changes.index[changes < 0][0]
    note = f"By {-changes[year]:.2f} billion US$."
    return Recomputed(float(year), "year", "Table 1 of the document (hightech-as-stated)", note=note)


def _usd(name: str, year: int) -> float:
    """A cited amount in billion yuan, as billion US$ at the average rate of the year."""
    rate = table("yuan-rate").set_index("year").yuan_per_usd
    return float(_row(name)["value"]) / at(rate, year, "exchange rate")


@check
def fact_in_usd(name: str, year: int) -> Recomputed:
    """A cited amount in billion yuan, in billion US$ at the average exchange rate of the year."""
    note = f"{_row(name)['what']}: {float(_row(name)['value']):,.2f} billion yuan."
    return Recomputed(_usd(name, year), "billion US$", f"{_row(name)['citation']}; yuan-rate", note=note)


@check
def share_of_cited(claim: str, whole: str, year: int, growth: str = "") -> Recomputed:
    """A printed amount in billion US$ as a share of a cited one, percent.

    A `whole` in billion yuan is converted at the average rate of `year`. If it is that of the year after,
    `growth` names the fact by how many percent it grew in yuan.
    """
    total = float(_row(whole)["value"]) if _row(whole)["unit"] == "billion US$" else _usd(whole, year)
    if growth:
        total /= 1 + float(_row(growth)["value"]) / 100
    note = f"{total:,.1f} billion US$ in {year}, from: {_row(whole)['what']}."
    return Recomputed(100 * float(_printed()[claim]) / total, "percent", _row(whole)["citation"], note=note)


@check
def fact_growth(new: str, old: str) -> Recomputed:
    """Change from one cited figure to another, percent."""
    value = 100 * (float(_row(new)["value"]) / float(_row(old)["value"]) - 1)
    note = f"{_row(old)['what']}; {_row(new)['what']}."
    return Recomputed(value, "percent", _row(new)["citation"], note=note)


@check
def pair_trade_multiple(first: str, second: str, start: int, end: int) -> Recomputed:
    """Goods trade between two economies as a multiple of that of an earlier year, importers' reports."""
    frame = table("bilateral-trade")
    both = frame[frame.exporter.isin([first, second]) & frame.importer.isin([first, second])]
    sums = both.groupby("year").importer_reported_cif_musd.sum(min_count=2) / 1e3
    note = f"{sums[start]:,.1f} and {sums[end]:,.1f} billion US$."
    value = at(sums, end, "trade") / at(sums, start, "trade")
    return Recomputed(value, "times", "IMF (bilateral-trade), importers' reports", note=note)


# --- the thesis: paths, competitiveness, its own tables ---------------------------------------------


@check
def hightech_share_falls(start: int, end: int) -> Recomputed:
    """Years from `start` to `end` in which China's share in world high-technology exports fell."""

    def falls(definition: str) -> float:
        shares = (_exports(definition, "CHN") / _exports(definition, "WLD")).dropna()
        return float((span(shares, start - 1, end).diff().dropna() < 0).sum())

    return _by_definition(falls, "count", _OLD)


@check
def hightech_record(year: int) -> Recomputed:
    """Rank of a year's high-technology exports among all years up to it, 1 = a record."""

    def rank(definition: str) -> float:
        series = _exports(definition, "CHN")
        return float(1 + (series[series.index < year] > at(series, year, _EXPORTS)).sum())

    return _by_definition(rank, "rank")


@check
def hightech_exports_over(year: int, other: str) -> Recomputed:
    """China's high-technology exports over those of another economy."""

    def ratio(definition: str) -> float:
        return at(_exports(definition, "CHN"), year, _EXPORTS) / at(_exports(definition, other), year, _EXPORTS)

    return _by_definition(ratio, "times")


@check
def hightech_advantage(year: int) -> Recomputed:
    """Revealed comparative advantage: high technology in China's goods exports over that in the world's."""

    def advantage(definition: str) -> float:
        parts = {code: at(_exports(definition, code), year, _EXPORTS) for code in ("CHN", "WLD")}
        goods = {code: at(_indicator("TX.VAL.MRCH.CD.WT", code), year, "goods exports") / 1e9 for code in parts}
        return (parts["CHN"] / goods["CHN"]) / (parts["WLD"] / goods["WLD"])

    return _by_definition(advantage, "times")


@check
def us_imports_growth(year: int, group: str = _COMPUTERS) -> Recomputed:
    """Growth of US imports of a commodity group from China, percent."""
    frame = table("us-china-trade")
    imports = frame[frame.group == group].set_index("year").imports_usd
    return Recomputed(growth(imports, year, group), "percent", f"{_US}, {group}")


@check
def import_growth_from_usa(division: str, year: int) -> Recomputed:
    """Growth of China's imports of one SITC division from the United States, percent."""
    frame = table("china-sitc-divisions")
    frame = frame[(frame.partner == "USA") & (frame.flow == "import") & (frame.sitc_division == division)]
    value = growth(frame.set_index("year").value_usd, year, f"division {division}")
    return Recomputed(value, "percent", f"China's figures (china-sitc-divisions), division {division}")


@check
def division_export_growth(divisions: list, year: int) -> Recomputed:
    """Growth of China's exports of some SITC divisions together, percent."""
    frame = table("china-sitc-divisions")
    frame = frame[(frame.partner == "WLD") & (frame.flow == "export") & frame.sitc_division.isin(divisions)]
    value = growth(frame.groupby("year").value_usd.sum(), year, "exports")
    return Recomputed(value, "percent", f"China's figures (china-sitc-divisions), divisions {' '.join(divisions)}")


@check
def leading_fields_change(start: int, end: int) -> Recomputed:
    """Change of the share of electronics, computers and telecommunications in high technology, percentage points.

    In Lall's classes HT1 / (HT1 + HT2); the alternative is SITC 75, 76 and 77 in these and instruments (87).
    """
    lall = _lall("export", "World")
    share = 100 * lall["HT1"] / (lall["HT1"] + lall["HT2"])
    frame = table("china-sitc-divisions")
    frame = frame[(frame.partner == "WLD") & (frame.flow == "export")]
    wide = frame.pivot(index="year", columns="sitc_division", values="value_usd")
    sitc = 100 * wide[["75", "76", "77"]].sum(axis=1) / wide[["75", "76", "77", "87"]].sum(axis=1)
    others = (("SITC 75–77 in 75–77 and 87 (china-sitc-divisions)", float(sitc[end] - sitc[start])),)
    note = f"From {share[start]:.1f} to {share[end]:.1f} percent."
    return Recomputed(float(share[end] - share[start]), "percentage points", _LALL, others, note=note)


@memo
def _value_added(iso3: str) -> pd.DataFrame:
    """Value added by industry, million US$, year x industry."""
    frame = table("industry-research")
    return frame[frame.iso3 == iso3].pivot(index="year", columns="industry", values="value_added_musd")


_HIGH = ["aircraft", "electronics", "pharmaceuticals"]
_NCSES = "NCSES (industry-research), aircraft, electronics and pharmaceuticals"


@check
def hightech_in_gdp_change(start: int, end: int) -> Recomputed:
    """Change of the share of high-technology industries in China's output, percentage points."""
    added = _value_added("CHN")
    gdp = _indicator("NY.GDP.MKTP.CD", "CHN") / 1e6
    share = 100 * added[_HIGH].sum(axis=1) / gdp
    inside = 100 * added[_HIGH].sum(axis=1) / added["manufacturing"]
    others = (("of manufacturing", float(inside[end] - inside[start])),)
    note = f"From {share[start]:.2f} to {share[end]:.2f} percent of GDP."
    return Recomputed(float(share[end] - share[start]), "percentage points", f"{_NCSES}; wdi", others, note=note)


@check
def hightech_value_added_growth(start: int, end: int) -> Recomputed:
    """Average growth a year of the value added of China's high-technology industries, percent, in dollars."""
    series = _value_added("CHN")[_HIGH].sum(axis=1)
    return Recomputed(compound_growth(series, start, end, "value added"), "percent", f"{_NCSES}, {start}–{end}")


@check
def electronics_location_change(start: int, end: int) -> Recomputed:
    """Change of China's part in the electronics industry of the economies known, percentage points."""
    frame = table("industry-research")
    wide = frame[frame.industry == "electronics"].pivot(index="year", columns="iso3", values="value_added_musd")
    share = 100 * wide["CHN"] / wide.sum(axis=1)
    note = f"From {share[start]:.1f} to {share[end]:.1f} percent of {', '.join(wide.columns)}."
    source = "NCSES (industry-research), value added of electronics"
    return Recomputed(float(share[end] - share[start]), "percentage points", source, note=note)


@check
def domestic_share_gap(industry: str, year: int, other: str) -> Recomputed:
    """Domestic value added in exports of an industry, China minus another economy, percentage points."""
    world = _world(year)
    shares = []
    for economy in ("CHN", other):
        parts = inputoutput.value_added_in_exports(world, economy).loc[industry]
        shares.append(100 * float(parts["domestic"] / parts["exports"]))
    note = f"China {shares[0]:.1f}, {other} {shares[1]:.1f} percent."
    source = f"World Input-Output Database (wiod), {industry}, {year}"
    return Recomputed(shares[0] - shares[1], "percentage points", source, note=note)


@check
def income_over_world(year: int) -> Recomputed:
    """China's output per head over that of the world, in dollars; the alternative in purchasing power."""
    rate, ppp = (
        at(_indicator(code, "CHN"), year, "output") / at(_indicator(code, "WLD"), year, "output")
        for code in ("NY.GDP.PCAP.CD", "NY.GDP.PCAP.PP.CD")
    )
    return Recomputed(rate, "times", "World Bank (wdi)", (("at purchasing power parity", ppp),))


@memo
def _printed() -> pd.Series:
    """Figures as the documents print them, by claim."""
    from tradebook.claims import register  # the register knows the checks, not the other way round

    claims = register().set_index("claim_id")
    return pd.to_numeric(claims.stated_value.replace("", None))


_DOCUMENT = "other figures of the document"


@check
def remainder(claims: list, whole: float = 100, unit: str = "percent") -> Recomputed:
    """What other printed parts leave of a whole."""
    values = _printed()[claims]
    return Recomputed(whole - math.fsum(values), unit, f"{_DOCUMENT}, {claims[0]} … {claims[-1]}", internal=True)


@check
def printed_rank(claim: str, among: list, other: str = "", among_other: list = ()) -> Recomputed:
    """Rank of a printed figure among printed figures, 1 = largest; `other` among `among_other` is the alternative."""

    def rank(which: str, group: list) -> float:
        values = _printed()
        return float(1 + (values[list(group)] > values[which]).sum())

    others = ((f"{other} among its like", rank(other, among_other)),) if other else ()
    return Recomputed(rank(claim, among), "rank", f"{_DOCUMENT}, {claim} among its like", others, internal=True)


@check
def lowest_rank_of_share(claim: str) -> Recomputed:
    """The lowest rank that a part with this share can have: at most 100 / share parts are as large."""
    share = float(_printed()[claim])
    note = f"A part with {share:g} percent of the whole; no rank is given for the others."
    return Recomputed(float(100 // share), "rank", f"{_DOCUMENT}, {claim}", note=note, internal=True)


@check
def below_all_manufacturing(claims: dict, year: int) -> Recomputed:
    """In how many economies the printed product per person in high technology is below that in all manufacturing."""
    frame = table("manufacturing-productivity").set_index(["iso3", "year"])
    found = {code: (float(_printed()[claim]), frame.at_exchange_rate[code, year]) for code, claim in claims.items()}
    note = "; ".join(f"{code} {printed:g} against {known:.1f}" for code, (printed, known) in found.items())
    value = float(sum(printed < known for printed, known in found.values()))
    return Recomputed(value, "count", f"Groningen (manufacturing-productivity), {year}", note=f"{note}.")


@check
def industry_productivity(industry: str, iso3: str, people: str, year: int) -> Recomputed:
    """Value added of an industry per person employed, thousand US$; the people from a cited source."""
    row = _row(people)
    value = at(_value_added(iso3)[industry], year, industry) * 1e3 / float(row["value"])
    note = f"{row['what']}: {float(row['value']):,.0f}."
    source = f"NCSES (industry-research), {industry}, {year}; {row['citation']}"
    return Recomputed(value, "thousand US$ a person", source, note=note)


@check
def sector_profit_rate(profit: str, revenue: str, profit_share: str, revenue_share: str) -> Recomputed:
    """Profit over revenue of a sector, percent, from those of all industry and the sector's shares in both."""
    whole = 100 * float(_row(profit)["value"]) / float(_row(revenue)["value"])
    ratio = float(_row(profit_share)["value"]) / float(_row(revenue_share)["value"])
    note = f"All industry {whole:.2f} percent, {_row(profit)['citation']}; the sector's part in profits over its part "
    note += f"in revenue {ratio:.3f}, {_row(profit_share)['citation']}."
    return Recomputed(whole * ratio, "percent", "cited facts", note=note)


@check
def fact_in_goods_exports(name: str, year: int, other: str = "", other_year: int = 0) -> Recomputed:
    """A cited value of exports, billion US$, in China's goods exports of a year, percent."""

    def share(fact: str, when: int) -> float:
        goods = at(_indicator("TX.VAL.MRCH.CD.WT", "CHN"), when, "goods exports") / 1e9
        return 100 * float(_row(fact)["value"]) / goods

    others = ((f"{_row(other)['what']} ({_row(other)['citation']})", share(other, other_year)),) if other else ()
    source = f"{_row(name)['citation']}; wdi"
    return Recomputed(share(name, year), "percent", source, others, note=f"{_row(name)['what']}.")
