"""Checks of chapter 1: the world economy, and the place of China and Russia in it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from tradebook import growth as growth_tools
from tradebook.checks import CheckError, Recomputed, check, memo, table
from tradebook.checks.facts import fact
from tradebook.checks.series import at, growth, span

_GDP = "NY.GDP.MKTP.CD"
_GDP_GROWTH = "NY.GDP.MKTP.KD.ZG"
_INFLATION = "FP.CPI.TOTL.ZG"
_WDI = "World Bank (wdi)"
_GROUPS = {"EAS", "EAP", "SAS", "ECS", "LCN", "MEA", "NAC", "SSF", "HIC", "LMY"}


@memo
def _series(indicator: str, code: str) -> pd.Series:
    """One indicator of an economy, of the world or of a World Bank group, by year."""
    if code in _GROUPS:
        frame = table("world-groups")
        frame = frame[frame["group"] == code]
    else:
        frame = table("wdi")
        frame = frame[frame["iso3"] == code]
    found = frame[frame["indicator"] == indicator].set_index("year")["value"].sort_index()
    if found.empty:
        raise CheckError(f"There is no {indicator} for {code}; correct the claim's check.")
    return found


def _listed(rates: dict[str, float]) -> str:
    """Rates of economies for a note."""
    return "; ".join(f"{code} {rate:.1f} percent" for code, rate in rates.items()) + "."


# --- output ---------------------------------------------------------------------------------------


@check
def mean_gdp_growth(economy: str, start: int, end: int) -> Recomputed:
    """Mean of real GDP growth over some years, percent a year; the alternatives are the years."""
    rates = span(_series(_GDP_GROWTH, economy), start, end)
    single = tuple((str(year), float(rate)) for year, rate in rates.items())
    return Recomputed(float(rates.mean()), "percent", f"{_WDI}, {_GDP_GROWTH}", single if start < end else ())


@check
def gdp_growth_in_vintages(year: int) -> Recomputed:
    """Growth of Russia's real GDP, percent; the alternative is what Rosstat published in 2018."""
    rosstat = table("rosstat-annual").query("indicator == 'gdp'").set_index("year")["change"]
    value = at(_series(_GDP_GROWTH, "RUS"), year, "GDP growth")
    old = (("Rosstat, July 2018", at(rosstat, year, "GDP growth")),)
    return Recomputed(value, "percent", f"{_WDI}, July 2026", old)


@check
def fastest_gdp_growth(economies: list, year: int) -> Recomputed:
    """The largest real GDP growth among some economies, percent: negative if all of them shrank.

    Alternative, if Russia is among them: with what Rosstat published for Russia in 2018.
    """
    rates = {code: at(_series(_GDP_GROWTH, code), year, "GDP growth") for code in economies}
    note = _listed(rates)
    rosstat = table("rosstat-annual").query("indicator == 'gdp'").set_index("year")["change"]
    other = ()
    if "RUS" in rates and year in rosstat.index:
        other = (("Russia as in Rosstat, July 2018", max((rates | {"RUS": float(rosstat[year])}).values())),)
    return Recomputed(max(rates.values()), "percent", f"{_WDI}, {_GDP_GROWTH}", other, note=note)


@check
def growth_lead(economy: str, year: int) -> Recomputed:
    """Real GDP growth of an economy minus that of the world, percentage points."""
    gap = at(_series(_GDP_GROWTH, economy), year, "growth") - at(_series(_GDP_GROWTH, "WLD"), year, "growth")
    return Recomputed(gap, "percentage points", f"{_WDI}, {_GDP_GROWTH}")


@check
def mean_growth_lead(economy: str, start: int, end: int, earlier: int) -> Recomputed:
    """Mean real GDP growth of an economy minus that of the world, percentage points a year.

    Alternative: from the year `earlier` on.
    """

    def lead(first: int) -> float:
        own, world = _series(_GDP_GROWTH, economy), _series(_GDP_GROWTH, "WLD")
        return float((span(own, first, end) - span(world, first, end)).mean())

    other = ((f"{earlier}–{end}", lead(earlier)),)
    return Recomputed(lead(start), "percentage points", f"{_WDI}, {_GDP_GROWTH}", other)


@check
def growth_shift(economy: str, before: list, after: list) -> Recomputed:
    """Mean real GDP growth of one period minus that of an earlier one, points; any World Bank group."""
    rates = _series(_GDP_GROWTH, economy)
    first, second = span(rates, *before).mean(), span(rates, *after).mean()
    years = ["–".join(map(str, dict.fromkeys(period))) for period in (before, after)]
    note = f"{first:.2f} percent a year in {years[0]}, {second:.2f} in {years[1]}."
    return Recomputed(float(second - first), "percentage points", f"{_WDI}, {_GDP_GROWTH}", note=note)


@check
def growth_rank_since(year: int, start: int) -> Recomputed:
    """Rank of a year's world growth among the years from `start` on up to it, 1 = highest."""
    rates = span(_series(_GDP_GROWTH, "WLD"), start, year)
    note = ", ".join(f"{y} {rate:.1f}" for y, rate in rates.items()) + " percent."
    return Recomputed(float(rates.rank(ascending=False)[year]), "rank", f"{_WDI}, {_GDP_GROWTH}", note=note)


@check
def growth_trend(start: int, end: int) -> Recomputed:
    """Slope of world growth on time, percentage points a decade.

    Alternatives: per person, the world without China, and from the year after the break of 1974 on.
    """
    world = _series(_GDP_GROWTH, "WLD")
    per_head = growth_tools.per_head(world, _series("SP.POP.TOTL", "WLD"))
    china = _series(_GDP_GROWTH, "CHN")
    rest = growth_tools.without(
        world, china, at(_series(_GDP, "WLD"), 2015, "GDP"), at(_series(_GDP, "CHN"), 2015, "GDP"), 2015
    )

    def slope(series: pd.Series, first: int) -> float:
        return 10 * growth_tools.trend(span(series, first, end)).value

    alternatives = (
        ("growth per head", slope(per_head, start)),
        ("world without China", slope(rest, start)),
    )
    if start < 1975:
        alternatives += ((f"from 1975 to {end}", slope(world, 1975)),)
    whole = growth_tools.trend(span(world, start, end))
    note = f"95 percent interval {10 * whole.low:.2f} to {10 * whole.high:.2f} a decade (Newey–West)."
    return Recomputed(10 * whole.value, "percentage points", f"{_WDI}, {_GDP_GROWTH}", alternatives, note=note)


@check
def growth_swings(start: int, end: int) -> Recomputed:
    """Standard deviation of world growth around its linear trend, percentage points."""
    rates = span(_series(_GDP_GROWTH, "WLD"), start, end)
    line = np.polyval(np.polyfit(rates.index, rates, 1), rates.index)
    return Recomputed(float((rates - line).std(ddof=2)), "percentage points", f"{_WDI}, {_GDP_GROWTH}")


@check
def years_since_crisis(until: int) -> Recomputed:
    """Years from the last year before world output fell for the last time before `until`, to `until`."""
    rates = _series(_GDP_GROWTH, "WLD")
    fell = rates.index[(rates < 0) & (rates.index < until)]
    note = f"World output fell in {fell[-1]}; counted from {fell[-1] - 1}."
    return Recomputed(float(until - (fell[-1] - 1)), "years", f"{_WDI}, {_GDP_GROWTH}", note=note)


@check
def last_fall_of_output(until: int) -> Recomputed:
    """The last year before `until` in which world output fell."""
    rates = _series(_GDP_GROWTH, "WLD")
    year = rates.index[(rates < 0) & (rates.index < until)][-1]
    return Recomputed(float(year), "year", f"{_WDI}, {_GDP_GROWTH}", note=f"World output: {rates[year]:.1f} percent.")


@check
def gdp_trillion(economy: str, year: int) -> Recomputed:
    """GDP in current dollars, trillion; the alternatives are older vintages."""
    older = table("gdp-vintages")
    older = older[(older["iso3"] == economy) & (older["year"] == year)]
    alternatives = tuple((row.vintage, row.value_usd / 1e12) for row in older.itertuples())
    value = at(_series(_GDP, economy), year, "GDP") / 1e12
    return Recomputed(value, "trillion US$", f"{_WDI}, July 2026", alternatives)


@check
def one_point_of_growth(economy: str, year: int) -> Recomputed:
    """A hundredth of GDP, billion US$ at current prices: what one percentage point of growth adds."""
    value = at(_series(_GDP, economy), year, "GDP") / 1e11
    return Recomputed(value, "billion US$", f"{_WDI}, {_GDP}")


@check
def gdp_world_rank(economy: str, year: int) -> Recomputed:
    """Rank by GDP in current dollars, 1 = largest; the alternative is at purchasing power parity."""
    frame = table("wdi")
    frame = frame[(frame["year"] == year) & (frame["iso3"] != "WLD")]
    wide = frame.pivot(index="iso3", columns="indicator", values="value")
    power = wide["NY.GDP.PCAP.PP.CD"] * wide["SP.POP.TOTL"]
    alternatives = (("purchasing power parity", float(power.rank(ascending=False)[economy])),)
    return Recomputed(float(wide[_GDP].rank(ascending=False)[economy]), "rank", f"{_WDI}, {_GDP}", alternatives)


@memo
def _contributions(year: int, weights: str) -> pd.DataFrame:
    frame = table("wdi")
    frame = frame[frame["iso3"] != "WLD"].pivot(index=["iso3", "year"], columns="indicator", values="value")
    before = frame.xs(year - 1, level="year")
    size = before[_GDP] if weights == "market" else before["NY.GDP.PCAP.PP.CD"] * before["SP.POP.TOTL"]
    return growth_tools.contributions(size, frame.xs(year, level="year")[_GDP_GROWTH])


#: World growth of 2017 as the United Nations estimated it in December 2017 (fact in data/claims/facts.csv).
_FIRST_ESTIMATE = "wesp-2018-world-growth-2017"


def _as_first_estimated(share: float, year: int) -> tuple[tuple[str, float], ...]:
    """The same contribution over the growth of 2017 that was estimated at the time."""
    if year != 2017:
        return ()
    rate = at(_series(_GDP_GROWTH, "WLD"), year, "growth")
    first = fact(name=_FIRST_ESTIMATE).value
    return ((f"over the world growth estimated in 2017 ({first:g} percent, now {rate:.1f})", share * rate / first),)


@check
def contribution_to_growth(economy: str, year: int) -> Recomputed:
    """Share of an economy in the growth of world output, percent, at market exchange rates.

    Alternatives: at purchasing power parity, and with the world growth that was estimated in 2017.
    """
    market = float(_contributions(year, "market")["share"][economy])
    power = float(_contributions(year, "power")["share"][economy])
    source = f"{_WDI}, market exchange rates of {year - 1}"
    others = (("purchasing power parity", power), *_as_first_estimated(market, year))
    return Recomputed(market, "percent", source, others)


@check
def asian_contribution(year: int) -> Recomputed:
    """Share of East and South Asia in the growth of world output, percent, at market exchange rates.

    As the United Nations draws it, without Japan, Australia and New Zealand, which count as developed; the first
    alternative is the World Bank's whole East Asia and Pacific with South Asia, the second its low- and middle-income
    part.
    """
    world = at(_series(_GDP, "WLD"), year - 1, "GDP") * at(_series(_GDP_GROWTH, "WLD"), year, "growth")

    def share(codes: list[str]) -> float:
        parts = (at(_series(_GDP, c), year - 1, "GDP") * at(_series(_GDP_GROWTH, c), year, "growth") for c in codes)
        return 100 * math.fsum(parts) / world

    value = share(["EAS", "SAS"]) - share(["JPN", "AUS", "NZL"])
    others = (
        ("with Japan, Australia and New Zealand", share(["EAS", "SAS"])),
        ("low- and middle-income economies only", share(["EAP", "SAS"])),
        *_as_first_estimated(value, year),
    )
    return Recomputed(value, "percent", f"World Bank (world-groups), market exchange rates of {year - 1}", others)


# --- prices ---------------------------------------------------------------------------------------


@check
def inflation(economy: str, year: int) -> Recomputed:
    """Consumer prices, mean of the year on the year before, percent; Russia also December on December."""
    value = at(_series(_INFLATION, economy), year, "inflation")
    other = ()
    if economy == "RUS":
        monthly = table("russia-monthly").query("indicator == 'prices-year'").set_index("month")["value"]
        other = (("December on December", float(monthly[f"{year}-12"])),)
    return Recomputed(value, "percent", f"{_WDI}, {_INFLATION}", other)


@check
def inflation_change(economy: str, start: int, end: int) -> Recomputed:
    """Consumer price inflation of one year minus that of an earlier one, percentage points."""
    rates = _series(_INFLATION, economy)
    change = at(rates, end, "inflation") - at(rates, start, "inflation")
    note = f"{rates[start]:.2f} percent in {start}, {rates[end]:.2f} in {end}."
    return Recomputed(change, "percentage points", f"{_WDI}, {_INFLATION}", note=note)


@check
def lowest_inflation(economies: list, year: int) -> Recomputed:
    """The smallest inflation among some economies as a multiple of the world's."""
    world = at(_series(_INFLATION, "WLD"), year, "inflation")
    rates = {code: at(_series(_INFLATION, code), year, "inflation") for code in economies}
    note = "; ".join(f"{code} {rate:.1f} percent" for code, rate in rates.items()) + f"; world {world:.1f}."
    return Recomputed(min(rates.values()) / world, "times", f"{_WDI}, {_INFLATION}", note=note)


@check
def highest_inflation_among(economies: list, year: int) -> Recomputed:
    """The largest consumer price inflation among some economies, percent: negative if prices fell in all."""
    rates = {code: at(_series(_INFLATION, code), year, "inflation") for code in economies}
    return Recomputed(max(rates.values()), "percent", f"{_WDI}, {_INFLATION}", note=_listed(rates))


@check
def commodity_price_change(year: int) -> Recomputed:
    """Change of the price index of all commodities, percent; alternatives: groups of commodities."""
    prices = table("commodity-prices").pivot(index="year", columns="commodity", values="price_index")
    others = tuple((name, growth(prices[name], year, name)) for name in ("energy", "metals", "food and beverages"))
    value = growth(prices["all commodities"], year, "commodity prices")
    return Recomputed(value, "percent", "IMF (commodity-prices)", others)


# --- trade and capital ----------------------------------------------------------------------------


@memo
def _export_growth() -> pd.Series:
    exports = _series("TX.VAL.MRCH.CD.WT", "WLD")
    return 100 * (exports / exports.shift(1) - 1).dropna()


@memo
def _volume_growth() -> pd.Series:
    return table("world-trade").query("indicator == 'NE.EXP.GNFS.KD.ZG'").set_index("year")["value"]


@check
def world_export_growth(start: int, end: int) -> Recomputed:
    """Mean growth of world goods exports in current dollars, percent a year.

    Alternative: exports of goods and services at constant prices.
    """
    value = float(span(_export_growth(), start, end).mean())
    volume = float(span(_volume_growth(), start, end).mean())
    years = ", ".join(f"{y} {rate:.1f}" for y, rate in span(_export_growth(), start, end).items())
    source = f"{_WDI}, goods in current dollars"
    return Recomputed(value, "percent", source, (("volume of goods and services", volume),), note=f"{years} percent.")


@check
def services_lead(start: int, end: int) -> Recomputed:
    """Mean growth of world services exports minus that of goods exports, points a year, dollars."""
    services = table("world-trade").query("indicator == 'BX.GSR.NFSV.CD'").set_index("year")["value"]
    rates = 100 * (services / services.shift(1) - 1).dropna()
    gap = span(rates, start, end).mean() - span(_export_growth(), start, end).mean()
    return Recomputed(float(gap), "percentage points", "World Bank (world-trade, wdi), current dollars")


@check
def trade_to_growth(start: int, end: int) -> Recomputed:
    """Mean growth of world trade (volume) over mean growth of world output."""
    value = span(_volume_growth(), start, end).mean() / span(_series(_GDP_GROWTH, "WLD"), start, end).mean()
    return Recomputed(float(value), "times", "World Bank (world-trade, wdi)")


@check
def trade_to_growth_ratio(before: list, after: list) -> Recomputed:
    """Ratio of mean trade growth (volume) to mean output growth in one period minus an earlier one."""
    output = _series(_GDP_GROWTH, "WLD")

    def ratio(start: int, end: int) -> float:
        return float(span(_volume_growth(), start, end).mean() / span(output, start, end).mean())

    note = f"{ratio(*before):.2f} in {before[0]}–{before[1]}, {ratio(*after):.2f} in {after[0]}–{after[1]}."
    return Recomputed(ratio(*after) - ratio(*before), "times", "World Bank (world-trade, wdi)", note=note)


@check
def investment_against_peak(start: int, end: int) -> Recomputed:
    """Largest world inflow of direct investment in some years, percent of the peak before 2008."""
    inflows = _series("BX.KLT.DINV.CD.WD", "WLD")
    peak = inflows[inflows.index < 2008].max()
    later = span(inflows, start, end)
    note = f"Peak {peak / 1e12:.2f} trillion US$ in {inflows[inflows.index < 2008].idxmax()}."
    return Recomputed(float(100 * later.max() / peak), "percent", f"{_WDI}, direct investment", note=note)


@check
def investment_growth(year: int) -> Recomputed:
    """Change of world inflows of direct investment against the year before, percent."""
    inflows = _series("BX.KLT.DINV.CD.WD", "WLD")
    return Recomputed(growth(inflows, year, "direct investment"), "percent", f"{_WDI}, direct investment")


# --- industry, work and debt ----------------------------------------------------------------------

_INDUSTRY = "NV.IND.TOTL.ZS"
_STRUCTURE = "World Bank (macro-structure)"


@memo
def _structure(indicator: str, code: str) -> pd.Series:
    """One indicator of the table macro-structure, by year."""
    frame = table("macro-structure")
    found = frame[(frame["indicator"] == indicator) & (frame["iso3"] == code)].set_index("year")["value"].sort_index()
    if found.empty:
        raise CheckError(f"The table macro-structure has no {indicator} for {code}; correct the claim's check.")
    return found


@check
def structure_change(indicator: str, economy: str, start: int, end: int) -> Recomputed:
    """Change between two years of a share or rate in the table macro-structure, percentage points."""
    values = _structure(indicator, economy)
    first, last = at(values, start, indicator), at(values, end, indicator)
    note = f"{first:.2f} percent in {start}, {last:.2f} in {end}."
    return Recomputed(last - first, "percentage points", f"{_STRUCTURE}, {indicator}", note=note)


@check
def industry_rank(economy: str, year: int) -> Recomputed:
    """Rank by value added of industry in current dollars among the economies of macro-structure, 1 = largest."""
    frame = table("macro-structure")
    frame = frame[(frame["indicator"] == _INDUSTRY) & (frame["year"] == year) & (frame["iso3"] != "WLD")]
    values = {row.iso3: row.value / 100 * at(_series(_GDP, row.iso3), year, "GDP") / 1e12 for row in frame.itertuples()}
    largest = sorted(values, key=values.get, reverse=True)[:3]
    note = "; ".join(f"{code} {values[code]:.2f} trillion US$" for code in largest) + f"; {len(values)} economies."
    rank = 1.0 + sum(value > values[economy] for value in values.values())
    return Recomputed(rank, "rank", f"World Bank (macro-structure, wdi), {_INDUSTRY}", note=note)


@check
def economies_with_more_debt(year: int, before: int, limit: float) -> Recomputed:
    """Share of the economies on record whose public debt is a larger part of output than in `before`, percent.

    The note counts those with a debt above `limit` percent of output.
    """
    frame = table("macro-structure")
    debt = frame[frame["indicator"] == "WEO.GGXWDG_NGDP"].pivot(index="iso3", columns="year", values="value")
    debt = debt[[before, year]].dropna()
    note = f"{len(debt)} economies; {int((debt[year] > limit).sum())} of them have a debt above {limit:g} percent."
    return Recomputed(float(100 * (debt[year] > debt[before]).mean()), "percent", "IMF (macro-structure)", note=note)


@check
def debt_rank(economy: str, among: list, year: int) -> Recomputed:
    """Rank of an economy by public debt in percent of output among `among`, 1 = least indebted."""
    debts = {code: at(_structure("WEO.GGXWDG_NGDP", code), year, "public debt") for code in among}
    rank = 1.0 + sum(debt < debts[economy] for debt in debts.values())
    return Recomputed(rank, "rank", "IMF (macro-structure)", note=_listed(debts))


@check
def reserves_in_months(economy: str, year: int) -> Recomputed:
    """Official reserves at the end of a year in months of goods imports of that year."""
    reserves = at(_structure("FI.RES.TOTL.CD", economy), year, "reserves")
    imports = at(_series("TM.VAL.MRCH.CD.WT", economy), year, "goods imports")
    note = f"Reserves {reserves / 1e9:.0f} billion US$, goods imports {imports / 1e9:.0f} billion."
    return Recomputed(12 * reserves / imports, "months", "World Bank (macro-structure, wdi)", note=note)


# --- cited figures against each other -------------------------------------------------------------


@check
def cited_gap(name: str, less: str) -> Recomputed:
    """One cited rate minus another, percentage points."""
    first, second = fact(name=name), fact(name=less)
    note = f"{first.note} {second.note}"
    return Recomputed(first.value - second.value, "percentage points", f"{first.source}; {second.source}", note=note)


@check
def growth_as_first_printed(name: str, economy: str, year: int) -> Recomputed:
    """Real GDP growth as a cited first print has it, percent; the alternative is today's figure."""
    first = fact(name=name)
    today = at(_series(_GDP_GROWTH, economy), year, "GDP growth")
    return Recomputed(first.value, "percent", first.source, ((f"{_WDI}, July 2026", today),), note=first.note)


@check
def cited_growth(name: str, new: str, old: str) -> Recomputed:
    """A cited rate of growth, percent; the alternative is the growth from one cited level to another."""
    stated, after, before = fact(name=name), fact(name=new), fact(name=old)
    levels = 100 * (after.value / before.value - 1)
    note = f"{stated.note} Levels: {before.value:g} and {after.value:g} {after.unit}."
    return Recomputed(stated.value, "percent", stated.source, (("from the published levels", levels),), note=note)


@check
def cited_share_gain(share: str, part: str, whole: str) -> Recomputed:
    """A cited share minus the share that a cited part had in a cited whole a year before, percentage points."""
    later, one, all_ = fact(name=share), fact(name=part), fact(name=whole)
    before = 100 * one.value / all_.value
    note = f"{later.value:g} percent after {before:.2f} ({one.value:g} of {all_.value:g} {all_.unit})."
    return Recomputed(later.value - before, "percentage points", f"{later.source}; {one.source}", note=note)


# --- Russia ---------------------------------------------------------------------------------------


@check
def rouble_crises(start: int, end: int, above: float, lower: float, earlier: int) -> Recomputed:
    """Number of times that the dollar became more than `above` percent dearer in roubles within six months.

    Monthly means; a crisis lasts as long as the rate stands that far above its value of six months before.
    Alternatives: a `lower` bound, and from the year `earlier` on.
    """
    months = table("russia-monthly").query("indicator == 'roubles-per-dollar'").set_index("month")["value"].sort_index()
    rise = 100 * (months / months.shift(6) - 1)

    def begun(first: int, bound: float) -> list[str]:
        above_bound = rise.loc[f"{first}-01" : f"{end}-12"] > bound
        return list(above_bound.index[above_bound & ~above_bound.shift(1, fill_value=False)])

    others = (
        (f"dearer by more than {lower:g} percent", float(len(begun(start, lower)))),
        (f"from {earlier} on", float(len(begun(earlier, above)))),
    )
    note = "Six months later the dollar was that much dearer first in " + ", ".join(begun(start, above)) + "."
    return Recomputed(float(len(begun(start, above))), "count", "Bank of Russia (russia-monthly)", others, note=note)


@check
def real_income_fall(start: int, end: int) -> Recomputed:
    """Fall of real disposable income over the years `start` to `end`, percent (three years: three changes)."""
    rates = table("rosstat-annual").query("indicator == 'real disposable income'").set_index("year")["change"]

    def fall(first: int) -> float:
        return float(100 * (1 - (1 + span(rates, first, end) / 100).prod()))

    other = ((f"from the level of {start}", fall(start + 1)),)
    return Recomputed(fall(start), "percent", "Rosstat (rosstat-annual), July 2018", other)


@check
def poverty_rate(economy: str, year: int) -> Recomputed:
    """Share of people below the national poverty line, percent; alternatives: 3 dollars a day, the peak."""
    frame = table("poverty")
    frame = frame[frame["iso3"] == economy].pivot(index="year", columns="indicator", values="value")
    national = frame["SI.POV.NAHC"].dropna()
    others = (
        ("3 dollars a day", at(frame["SI.POV.DDAY"].dropna(), year, "poverty")),
        (f"highest since {national.index[0]} ({national.idxmax()})", float(national.max())),
    )
    return Recomputed(at(national, year, "poverty"), "percent", "World Bank (poverty), national line", others)


@check
def monthly_change(indicator: str, start: str, end: str) -> Recomputed:
    """Change between two months of a series of `russia-monthly`, percent."""
    months = table("russia-monthly")
    values = months[months["indicator"] == indicator].set_index("month")["value"]
    note = f"{values[start]:.1f} in {start}, {values[end]:.1f} in {end}."
    return Recomputed(float(100 * (values[end] / values[start] - 1)), "percent", "russia-monthly", note=note)


@check
def highest_inflation(start: str, end: str) -> Recomputed:
    """Highest consumer price inflation over twelve months between two months, percent, Russia."""
    months = table("russia-monthly").query("indicator == 'prices-year'").set_index("month")["value"]
    part = months.loc[start:end]
    return Recomputed(float(part.max()), "percent", "Rosstat (russia-monthly)", note=f"Reached in {part.idxmax()}.")


@check
def recessions_since(start: int, end: int) -> Recomputed:
    """Number of times that Russia's output began to fall in some years."""
    rates = span(_series(_GDP_GROWTH, "RUS"), start - 1, end)
    begun = [year for year in rates.index[1:] if rates[year] < 0 <= rates[year - 1]]
    note = "Output began to fall in " + ", ".join(map(str, begun)) + "."
    return Recomputed(float(len(begun)), "count", f"{_WDI}, {_GDP_GROWTH}", note=note)


# --- high technology: what the source says of it in passing ---------------------------------------


@memo
def _high_technology(old: bool) -> pd.Series:
    """Growth of China's high-technology exports, percent a year, in the older or the newer definition."""
    if old:
        values = table("hightech-exports-old-definition").query("iso3 == 'CHN' and edition == '2019'")
        values = values.set_index("year")["value_usd"].sort_index()
    else:
        values = _series("TX.VAL.TECH.CD", "CHN")
    return 100 * (values / values.shift(1) - 1).dropna()


_OLD = "World Bank, older definition (hightech-exports-old-definition)"


@check
def high_technology_growth(year: int) -> Recomputed:
    """Growth of China's high-technology exports in a year, percent; alternative: newer definition."""
    newer = _high_technology(False)
    other = (("newer definition (wdi)", float(newer[year])),) if year in newer.index else ()
    return Recomputed(at(_high_technology(True), year, "high-technology exports"), "percent", _OLD, other)


@check
def high_technology_years(start: int, end: int, above: float) -> Recomputed:
    """Number of years in which China's high-technology exports grew by more than `above` percent."""
    rates = span(_high_technology(True), start, end)
    note = ", ".join(f"{year} {rate:.0f}" for year, rate in rates.items()) + " percent."
    return Recomputed(float((rates > above).sum()), "count", _OLD, note=note)


@check
def high_technology_median_growth(start: int, end: int) -> Recomputed:
    """Median growth of China's high-technology exports, percent a year: half of the years lie above it."""
    rates = span(_high_technology(True), start, end)
    note = ", ".join(f"{year} {rate:.0f}" for year, rate in rates.items()) + " percent."
    return Recomputed(float(rates.median()), "percent", _OLD, note=note)
