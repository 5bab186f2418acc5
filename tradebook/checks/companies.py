"""Checks of chapter 5: figures of Huawei, its segments, regions, research and rank.

The company's own annual reports come first, because the source quotes them; other vintages and the
Fortune lists are the alternatives.
"""

from __future__ import annotations

import math

import pandas as pd

from tradebook import companies
from tradebook.checks import CheckError, Recomputed, check, table
from tradebook.checks.facts import fact
from tradebook.checks.series import at, compound_growth

_FIGURES = "company figures (company-figures)"
_PATENTS = "patent applicants (patent-applicants)"
_MONEY = {"CNY billion": "billion yuan", "USD billion": "billion US$"}


def _unit(company: str, indicator: str) -> str:
    frame = table("company-figures")
    rows = frame[(frame["company"] == company) & (frame["indicator"] == indicator)]
    if rows.empty:
        raise CheckError(f"There is no “{indicator}” of {company}; choose another indicator.")
    unit = rows["unit"].iloc[0]
    return _MONEY.get(unit, unit)


@check
def company_figure(indicator: str, year: int, company: str = "Huawei", also: list = (), unit: str = "") -> Recomputed:
    """One figure of a company; `also` lists other years as possible readings."""
    values = companies.series(company, indicator)
    readings = tuple((f"the figure of {other}", at(values, other, indicator)) for other in also)
    return Recomputed(
        at(values, year, indicator),
        unit or _unit(company, indicator),
        f"{_FIGURES}, {company}, {year}",
        readings=readings,
    )


@check
def company_change(indicator: str, start: int, end: int, company: str = "Huawei") -> Recomputed:
    """Change of a figure between two years, percent."""
    values = companies.series(company, indicator)
    change = 100 * (at(values, end, indicator) / at(values, start, indicator) - 1)
    return Recomputed(change, "percent", f"{_FIGURES}, {start}–{end}")


@check
def company_mean_growth(indicator: str, start: int, end: int, also: list = ()) -> Recomputed:
    """Compound growth of a figure of Huawei, percent a year; `also` lists other [start, end]."""
    values = companies.series("Huawei", indicator)

    def growth(first: int, last: int) -> float:
        return 100 * ((at(values, last, indicator) / at(values, first, indicator)) ** (1 / (last - first)) - 1)

    others = tuple((f"{first}–{last}", growth(first, last)) for first, last in also)
    return Recomputed(growth(start, end), "percent", f"{_FIGURES}, {start}–{end}", others)


@check
def company_margin(kind: str, start: int, end: int) -> Recomputed:
    """Mean gross or operating margin of Huawei over the years on record, percent."""
    frame = companies.gross_margin("Huawei") if kind == "gross" else companies.operating_margin("Huawei")
    chosen = frame[frame["year"].between(start, end)]
    if chosen.empty:
        raise CheckError(f"There is no {kind} margin between {start} and {end}; choose other years.")
    years = ", ".join(map(str, chosen["year"]))
    low, high = chosen["margin"].min(), chosen["margin"].max()
    note = f"Mean of {years}; from {low:.1f} to {high:.1f} %."
    last = (f"{chosen['year'].iloc[-1]} alone", float(chosen["margin"].iloc[-1]))
    return Recomputed(float(chosen["margin"].mean()), "percent", _FIGURES, (last,), note=note)


@check
def company_margin_change(kind: str, start: int, end: int) -> Recomputed:
    """Change of the gross or operating margin of Huawei, percentage points."""
    frame = companies.gross_margin("Huawei") if kind == "gross" else companies.operating_margin("Huawei")
    margin = frame.set_index("year")["margin"]
    change = at(margin, end, "margin") - at(margin, start, "margin")
    return Recomputed(change, "percentage points", f"{_FIGURES}, {start}–{end}")


@check
def segment_share(segment: str, year: int) -> Recomputed:
    """Share of a segment in Huawei's revenue, as first reported, percent."""
    part = companies.series("Huawei", f"revenue_segment_{segment}")
    whole = companies.series("Huawei", "revenue")
    return Recomputed(100 * at(part, year, segment) / at(whole, year, "revenue"), "percent", f"{_FIGURES}, {year}")


@check
def segment_rank(segment: str, year: int) -> Recomputed:
    """Rank of a segment by revenue among the three of Huawei."""
    row = companies.segments("Huawei").loc[year].dropna()
    rank = row.rank(ascending=False)[companies.SEGMENTS[segment]]
    return Recomputed(float(rank), "rank", f"{_FIGURES}, {year}")


@check
def segment_growth_lead(segment: str, year: int) -> Recomputed:
    """Stated growth of a segment minus growth of all revenue, percentage points."""
    stated = at(companies.series("Huawei", f"growth_segment_{segment}"), year, segment)
    whole = companies.series("Huawei", "revenue")
    growth = 100 * (at(whole, year, "revenue") / at(whole, year - 1, "revenue") - 1)
    return Recomputed(stated - growth, "percentage points", f"{_FIGURES}, {year}")


@check
def segment_compound_growth(segment: str, start: int, end: int) -> Recomputed:
    """Growth of a segment over several years, compounded from the yearly rates that Huawei states, percent."""
    stated = companies.series("Huawei", f"growth_segment_{segment}")
    rates = [at(stated, year, f"growth of {segment}") for year in range(start + 1, end + 1)]
    growth = 100 * (math.prod(1 + rate / 100 for rate in rates) - 1)
    note = f"By year {', '.join(f'{rate:g}' for rate in rates)} percent."
    return Recomputed(growth, "percent", f"{_FIGURES}, {start}–{end}", note=note)


@check
def segment_in_dollars(segment: str, year: int) -> Recomputed:
    """Revenue of a segment in billion US$, at the rate that Fortune applied to the whole company."""
    part = at(companies.series("Huawei", f"revenue_segment_{segment}"), year, segment)
    yuan = at(companies.series("Huawei", "revenue"), year, "revenue")
    dollars = at(companies.series("Huawei", "revenue_usd_fortune"), year, "Fortune revenue")
    return Recomputed(part * dollars / yuan, "billion US$", f"{_FIGURES}, {year}")


@check
def segment_over_company(segment: str, company: str, year: int) -> Recomputed:
    """A segment of Huawei as a multiple of the whole revenue of another company, in US$."""
    part = segment_in_dollars(segment=segment, year=year).value
    other = at(companies.series(company, "revenue_usd_fortune"), year, company)
    return Recomputed(part / other, "times", f"{_FIGURES}, {year}")


@check
def least_overseas_share(start: int, end: int, to: int = 0, facts: list = ()) -> Recomputed:
    """Lowest share of revenue from outside China over the years on record, percent; `to` extends.

    `facts` adds [year, name of a cited fact] for years that the table lacks.
    """
    told = {year: fact(name=name).value for year, name in facts}
    share = companies.overseas_share("Huawei")
    share = share.combine_first(pd.Series(told, dtype=float)).sort_index()
    known = share.loc[start:end]
    years = ", ".join(map(str, known.index))
    others = ((f"{start}–{to}", float(share.loc[start:to].min())),) if to else ()
    return Recomputed(float(known.min()), "percent", _FIGURES, others, note=f"Years on record: {years}.")


@check
def overseas_least_change(start: int, end: int) -> Recomputed:
    """Lowest change of revenue from outside China between neighbouring years on record, percent."""
    share = companies.overseas_share("Huawei")
    levels = (share * companies.series("Huawei", "revenue") / 100).dropna().loc[start:end]
    changes = 100 * levels.pct_change().dropna()
    years = ", ".join(map(str, levels.index))
    return Recomputed(float(changes.min()), "percent", _FIGURES, note=f"Years on record: {years}.")


@check
def overseas_change(start: int, end: int, level: bool = False) -> Recomputed:
    """Change of the share of revenue from outside China (points), or of that revenue (percent)."""
    share = companies.overseas_share("Huawei")
    first, last = at(share, start, "overseas share"), at(share, end, "overseas share")
    if not level:
        return Recomputed(last - first, "percentage points", f"{_FIGURES}, {start}–{end}")
    whole = companies.series("Huawei", "revenue")
    change = 100 * (last * at(whole, end, "revenue") / (first * at(whole, start, "revenue")) - 1)
    return Recomputed(change, "percent", f"{_FIGURES}, {start}–{end}")


@check
def region_share(region: str, year: int) -> Recomputed:
    """Share of a region in Huawei's revenue, percent."""
    part = companies.series("Huawei", f"revenue_region_{region}")
    whole = companies.series("Huawei", "revenue")
    return Recomputed(100 * at(part, year, region) / at(whole, year, "revenue"), "percent", f"{_FIGURES}, {year}")


@check
def research_least(start: int, end: int) -> Recomputed:
    """Lowest share of R&D in Huawei's revenue over the years on record, percent."""
    share = companies.research_share("Huawei").loc[start:end]
    return Recomputed(float(share.min()), "percent", _FIGURES, note=f"{start}–{end}; lowest in {share.idxmin()}.")


@check
def peer_rank(year: int, among: list) -> Recomputed:
    """Rank of Huawei by revenue in US$ among `among`."""
    row = companies.panel().loc[year, ["Huawei", *among]].dropna()
    return Recomputed(
        float(row.rank(ascending=False)["Huawei"]),
        "rank",
        f"{_FIGURES}, {year}",
        note=f"Among {', '.join(row.index)}.",
    )


@check
def patent_applications(year: int, also: list = (), register: str = "EPO") -> Recomputed:
    """Applications of Huawei at the EPO (or under the PCT)."""
    mine = companies.patent_rank("Huawei", register)["applications"]
    readings = tuple((f"the applications of {other}", float(mine[other])) for other in also)
    return Recomputed(
        float(at(mine, year, "applications")),
        "applications",
        f"{_PATENTS}, {year}",
        readings=readings,
    )


@check
def patent_applicant_rank(year: int, register: str = "EPO") -> Recomputed:
    """Rank of Huawei among applicants."""
    ranks = companies.patent_rank("Huawei", register)["rank"]
    return Recomputed(float(at(ranks, year, "rank")), "rank", f"{_PATENTS}, {year}")


@check
def company_least_growth(start: int, end: int, indicator: str = "revenue") -> Recomputed:
    """Lowest change of a figure of Huawei between neighbouring years on record, percent."""
    values = companies.series("Huawei", indicator).loc[start - 1 : end]
    changes = 100 * values.pct_change().dropna()
    missing = [str(year) for year in range(start - 1, end + 1) if year not in values.index]
    gap = f" No figure for {', '.join(missing)}." if missing else ""
    return Recomputed(
        float(changes.min()),
        "percent",
        _FIGURES,
        note=f"{start}–{end}; lowest in {changes.idxmin()}.{gap}",
    )


@check
def company_total(indicator: str, start: int, end: int) -> Recomputed:
    """Sum of a figure of Huawei over some years, of which none may be missing."""
    values = companies.series("Huawei", indicator)
    total = math.fsum(at(values, year, indicator) for year in range(start, end + 1))
    return Recomputed(float(total), _unit("Huawei", indicator), f"{_FIGURES}, {start}–{end}")


@check
def segment_count(year: int) -> Recomputed:
    """Number of segments for which Huawei reports revenue."""
    known = companies.segments("Huawei").loc[year].dropna()
    return Recomputed(float(len(known)), "count", f"{_FIGURES}, {year}", note=f"{', '.join(known.index)}.")


@check
def segment_peer_rank(segment: str, year: int, among: list, other: str = "") -> Recomputed:
    """Rank of a segment of Huawei among the whole revenues of `among`, in US$, 1 = largest.

    `other` names a cited fact with the rank under another measure.
    """
    rivals = {name: at(companies.series(name, "revenue_usd_fortune"), year, name) for name in among}
    part = segment_in_dollars(segment=segment, year=year).value
    rank = 1 + sum(value > part for value in rivals.values())
    others = ((fact(name=other).note.rstrip("."), fact(name=other).value),) if other else ()
    note = f"{part:.1f} billion US$ against {', '.join(f'{name} {value:.1f}' for name, value in rivals.items())}."
    return Recomputed(float(rank), "rank", f"{_FIGURES}, {year}", others, note=note)


@check
def profit_margin_rank(year: int, among: list, wider: list = ()) -> Recomputed:
    """Rank of Huawei by net profit over revenue (Fortune lists); `wider` adds companies."""
    margin = 100 * companies.panel("profit_usd_fortune").loc[year] / companies.panel().loc[year]

    def rank(names: list) -> float:
        rivals = [at(margin.dropna(), name, "profit margin") for name in names]
        return float(1 + sum(value > margin["Huawei"] for value in rivals))

    others = ((f"with {', '.join(wider)}", rank([*among, *wider])),) if wider else ()
    listed = ", ".join(f"{name} {margin[name]:.1f} %" for name in ["Huawei", *among, *wider])
    return Recomputed(rank(among), "rank", f"{_FIGURES}, {year}", others, note=f"{listed}.")


@check
def largest_region_share(year: int) -> Recomputed:
    """Share of the largest of Huawei's four regions in its revenue, percent."""
    shares = {name: region_share(region=name, year=year).value for name in companies.REGIONS}
    largest = max(shares, key=shares.get)
    return Recomputed(shares[largest], "percent", f"{_FIGURES}, {year}", note=f"{companies.REGIONS[largest]}.")


@check
def broadband_lead(economy: str, continents: list, year: int) -> Recomputed:
    """Fixed broadband of an economy minus that of the best of some continents, per 100 people.

    Continents: the mean of their economies (CEPII's list), weighted by population.
    """
    frame = table("wdi")
    wide = frame[frame["year"] == year].pivot(index="iso3", columns="indicator", values="value")
    lines = wide["IT.NET.BBND.P2"]
    known = table("geodist-economies").drop_duplicates("iso3").set_index("iso3")["continent"]
    means = {}
    for continent in continents:
        inside = wide.index.isin(known.index[known == continent])
        people = wide["SP.POP.TOTL"].where(lines.notna())[inside]
        means[continent] = float((lines[inside] * people).sum() / people.sum())
    own = at(lines.dropna(), economy, "fixed broadband")
    note = f"{economy} {own:.1f}; {', '.join(f'{name} {value:.1f}' for name, value in means.items())}."
    source = "World Development Indicators (wdi), IT.NET.BBND.P2"
    return Recomputed(own - max(means.values()), "per 100 people", source, note=note)


@check
def years_since_fact(name: str, year: int) -> Recomputed:
    """Years from a dated fact to `year`."""
    found = fact(name=name)
    return Recomputed(year - found.value, "years", found.source, note=f"To {year}. {found.note}")


@check
def fact_change(name: str, base: str, also: list = ()) -> Recomputed:
    """A fact minus another in percent; `also` lists other pairs [fact, base] as alternatives."""

    def change(new: str, old: str) -> float:
        return fact(name=new).value - fact(name=old).value

    others = tuple((fact(name=new).note.rstrip("."), change(new, old)) for new, old in also)
    note = f"From {fact(name=base).value:g} to {fact(name=name).value:g} percent. {fact(name=name).note}"
    return Recomputed(change(name, base), "percentage points", fact(name=name).source, others, note=note)


@check
def fact_in_yuan(name: str, currency: str, year: int) -> Recomputed:
    """A fact in billions of a currency, in billion yuan at the average rates of the year."""
    rates = table("company-exchange-rates")
    per_euro = rates[rates["year"] == year].set_index("currency")["per_euro"]
    value = fact(name=name).value * per_euro["CNY"] / per_euro[currency]
    source = f"{fact(name=name).source}; exchange rates (company-exchange-rates), {year}"
    return Recomputed(float(value), "billion yuan", source, note=fact(name=name).note)


# --- telecommunications, exchange rate, staff: what sections 5.4.2 to 5.5.2 say of them ------------


def _subscriptions(indicator: str) -> pd.Series:
    """Subscriptions of the world, million: those per 100 people times the population."""
    world = table("wdi").query("iso3 == 'WLD'").pivot(index="year", columns="indicator", values="value")
    if indicator in world:
        per_100 = world[indicator]
    else:
        rows = table("digital").query("iso3 == 'WLD' and indicator == @indicator")
        per_100 = rows.set_index("year")["value"]
    return (per_100 * world["SP.POP.TOTL"] / 1e8).dropna()


_TELEPHONES = "World Bank (digital, wdi)"


@check
def mobile_over_fixed(year: int, lines: str) -> Recomputed:
    """Mobile subscriptions of the world over its fixed telephone lines (a cited fact, million)."""
    mobile, fixed = at(_subscriptions("IT.CEL.SETS.P2"), year, "mobile subscriptions"), fact(name=lines)
    note = f"{mobile:,.0f} million mobile subscriptions in {year}. {fixed.note}"
    return Recomputed(mobile / fixed.value, "times", _TELEPHONES, note=note)


@check
def mobile_gain_rank(start: int, end: int, lines: list) -> Recomputed:
    """Rank of mobile among three networks by new subscriptions, 1 = most: mobile, broadband, fixed lines.

    `lines` names two cited facts, the fixed lines before `start` and at `end` (million).
    """
    gains = {}
    for name, indicator in (("mobile", "IT.CEL.SETS.P2"), ("fixed broadband", "IT.NET.BBND.P2")):
        values = _subscriptions(indicator)
        gains[name] = at(values, end, name) - at(values, start, name)
    gains["fixed telephone"] = fact(name=lines[1]).value - fact(name=lines[0]).value
    rank = 1 + sum(gain > gains["mobile"] for gain in gains.values())
    note = f"Million, {start}–{end}: " + ", ".join(f"{name} {gain:,.0f}" for name, gain in gains.items()) + "."
    return Recomputed(float(rank), "rank", _TELEPHONES, note=note)


@check
def mobile_growth(start: int, end: int) -> Recomputed:
    """Growth of the world's mobile subscriptions, percent a year (compound)."""
    values = _subscriptions("IT.CEL.SETS.P2")
    rate = compound_growth(values, start, end, "mobile subscriptions")
    return Recomputed(rate, "percent", _TELEPHONES, note=f"{start}–{end}.")


@check
def dollar_rate_change(start: int, end: int, also: list = ()) -> Recomputed:
    """Change of the yuan against the dollar, yearly averages, percent (positive: the yuan rose)."""
    rate = table("yuan-rate").set_index("year")["yuan_per_usd"]

    def rise(first: int, last: int) -> float:
        return 100 * (at(rate, first, "exchange rate") / at(rate, last, "exchange rate") - 1)

    others = tuple((f"{first}–{last}", rise(first, last)) for first, last in also)
    note = f"{rate[start]:.2f} yuan to the dollar in {start}, {rate[end]:.2f} in {end}."
    return Recomputed(rise(start, end), "percent", "exchange rate (yuan-rate)", others, note=note)


@check
def revenue_per_head_change(start: int, end: int) -> Recomputed:
    """Change of Huawei's revenue for each of its employees, percent."""
    per_head = 1e3 * companies.series("Huawei", "revenue") / companies.series("Huawei", "employees")
    first, last = (at(per_head.dropna(), year, "revenue for each employee") for year in (start, end))
    note = f"{first:.2f} million yuan in {start}, {last:.2f} in {end}."
    return Recomputed(100 * (last / first - 1), "percent", f"{_FIGURES}, {start}–{end}", note=note)


@check
def staff_cost_multiple(cost: str, year: int, wage: str, also: str = "") -> Recomputed:
    """Huawei's cost of staff for each employee over an average wage (cited facts: billion yuan, yuan)."""
    paid, staff = fact(name=cost), at(companies.series("Huawei", "employees"), year, "employees")
    per_head = 1e9 * paid.value / staff

    def multiple(name: str) -> float:
        return per_head / fact(name=name).value

    others = ((fact(name=also).note.rstrip("."), multiple(also)),) if also else ()
    note = f"{per_head:,.0f} yuan for each of {staff:,.0f} employees. {paid.note} {fact(name=wage).note}"
    return Recomputed(multiple(wage), "times", f"{_FIGURES}, {year}", others, note=note)


@check
def fact_multiple(name: str, base: str) -> Recomputed:
    """One cited figure over another of the same unit."""
    upper, lower = fact(name=name), fact(name=base)
    if upper.unit != lower.unit:
        raise CheckError(f"“{name}” is in {upper.unit}, “{base}” in {lower.unit}; choose figures of one unit.")
    return Recomputed(upper.value / lower.value, "times", upper.source, note=f"{upper.note} {lower.note}")


@check
def borrowing_link(start: int, end: int, to: int = 0) -> Recomputed:
    """Correlation of Huawei's borrowings with its revenue from abroad over the years on record.

    `to` ends the period earlier, as the alternative.
    """
    abroad = companies.overseas_share("Huawei") * companies.series("Huawei", "revenue") / 100
    pair = pd.DataFrame({"borrowed": companies.series("Huawei", "total_borrowings"), "abroad": abroad}).dropna()

    def link(last: int) -> float:
        return float(pair.loc[start:last].corr().iloc[0, 1])

    others = ((f"{start}–{to}, {len(pair.loc[start:to])} years", link(to)),) if to else ()
    note = f"{len(pair.loc[start:end])} years on record: {', '.join(map(str, pair.loc[start:end].index))}."
    return Recomputed(link(end), "correlation", f"{_FIGURES}, {start}–{end}", others, note=note)


@check
def us_imports_change(start: int, end: int) -> Recomputed:
    """Change of US imports of computers and electronics from China, percent."""
    rows = table("us-china-trade").query("group == 'Computer & Electronics'").set_index("year")
    imports = rows["imports_usd"] / 1e9
    first, last = (at(imports, year, "imports") for year in (start, end))
    note = f"{first:.0f} billion US$ in {start}, {last:.0f} in {end}."
    return Recomputed(100 * (last / first - 1), "percent", "US Census Bureau (us-china-trade)", note=note)


@check
def decade_growth_lead(multiple: str, years: int, base: str) -> Recomputed:
    """Yearly growth that a cited multiple over some years means, minus a cited rate, percentage points."""
    rise, rate = fact(name=multiple), fact(name=base)
    yearly = 100 * (rise.value ** (1 / years) - 1)
    note = f"{yearly:.1f} percent a year. {rise.note} {rate.note}"
    return Recomputed(yearly - rate.value, "percentage points", rise.source, note=note)


@check
def state_support(credit: str, year: int, grants: str, later: int) -> Recomputed:
    """A state bank's line of credit, percent of Huawei's contract sales; the alternative: `later` grants of revenue."""
    sales = at(companies.series("Huawei", "contract_sales_usd"), year, "contract sales")
    line, given = fact(name=credit), fact(name=grants)
    whole = at(companies.series("Huawei", "revenue"), later, "revenue")
    others = ((f"government grants of {later} in revenue", 100 * given.value / whole),)
    note = f"{line.note} Contract sales of {year}: {sales:.1f} billion US$."
    return Recomputed(100 * line.value / sales, "percent", f"{line.source}; {_FIGURES}", others, note=note)
