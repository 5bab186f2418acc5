"""Checks of chapter 2 on totals: China–Russia goods trade and the economies behind it.

Totals are China's figures, because the source quotes China's customs; Russia's are the alternative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from tradebook.checks import CheckError, Recomputed, check, memo, table
from tradebook.checks.series import at, compound_growth, growth, span

_CHINA = "China's figures (china-russia-totals)"
_RUSSIA = "Russia's figures"
_WDI = "World Development Indicators (wdi)"
_TRADE = "total trade"


@memo
def totals(reporter: str) -> pd.Series:
    """Trade both ways as `reporter` records it, billion US$; a year needs both directions."""
    frame = table("china-russia-totals")
    sums = frame[frame.reporter == reporter].groupby("year").value_usd.agg(["sum", "size"])
    return sums["sum"][sums["size"] == 2] / 1e9


@memo
def _comtrade() -> pd.Series:
    """Trade both ways as China reports it to UN Comtrade, billion US$, 2010–2018."""
    frame = table("china-russia-totals-by-source")
    frame = frame[frame.source == "UN Comtrade SITC Rev.4 2-digit summed"]
    return frame.groupby("year").value_usd.sum() / 1e9


def _both(measure: Callable[[pd.Series], float], unit: str, note: str = "") -> Recomputed:
    """One measure on China's totals, with Russia's as the alternative."""
    alternatives = ((_RUSSIA, measure(totals("RUS"))),)
    return Recomputed(measure(totals("CHN")), unit, _CHINA, alternatives, note=note)


# --- totals ---------------------------------------------------------------------------------------


def _level_or_growth(measure: Callable[[pd.Series], float], unit: str, years: set) -> Recomputed:
    """A measure of single years, with every other record that has these years."""
    records = ((_RUSSIA, totals("RUS")), ("China's figures in UN Comtrade", _comtrade()))
    others = tuple((name, measure(series)) for name, series in records if years <= set(series.index))
    return Recomputed(measure(totals("CHN")), unit, _CHINA, others)


@check
def total_trade(year: int) -> Recomputed:
    """Goods trade both ways, billion US$."""
    return _level_or_growth(lambda series: at(series, year, _TRADE), "billion US$", {year})


@check
def total_growth(year: int, decrease: bool = False) -> Recomputed:
    """Change of trade against the year before, percent; positive for a fall if `decrease`."""
    sign = -1 if decrease else 1
    years = {year - 1, year}
    return _level_or_growth(lambda series: sign * growth(series, year, _TRADE), "percent", years)


@check
def total_change(start: int, end: int) -> Recomputed:
    """Change of trade from one year to another, percent."""
    return _both(lambda series: 100 * (at(series, end, _TRADE) / at(series, start, _TRADE) - 1), "percent")


@check
def total_multiple(year: int, base: int) -> Recomputed:
    """Trade as a multiple of a base year."""
    return _both(lambda series: at(series, year, _TRADE) / at(series, base, _TRADE), "times")


@check
def average_growth(start: int, end: int) -> Recomputed:
    """Average growth of trade, compound, percent a year."""
    china, years = totals("CHN"), end - start + 1
    longer = compound_growth(china, start - 1, end, _TRADE)
    mean = float(np.mean([growth(china, year, _TRADE) for year in range(start, end + 1)]))
    alternatives = (
        (f"growth into {start} counted too ({years} rates, compound)", longer),
        (f"plain mean of the {years} annual rates", mean),
        (_RUSSIA, compound_growth(totals("RUS"), start, end, _TRADE)),
    )
    value = compound_growth(china, start, end, _TRADE)
    return Recomputed(value, "percent", _CHINA, alternatives, note=f"Compound, {start}–{end}.")


@check
def average_growth_gain(before: list, after: list) -> Recomputed:
    """Average growth of trade in one period minus that in an earlier one, points a year."""

    def gain(series: pd.Series) -> float:
        first = compound_growth(series, *before, _TRADE)
        return compound_growth(series, *after, _TRADE) - first

    return _both(gain, "percentage points")


@check
def growth_run(start: int) -> Recomputed:
    """Consecutive years of growth of goods trade, counted from `start`."""

    def run(series: pd.Series) -> float:
        year = start
        while year in series.index and growth(series, year, _TRADE) > 0:
            year += 1
        return float(year - start)

    return _both(run, "count")


@check
def growth_rank(year: int, start: int, end: int) -> Recomputed:
    """Rank of a year's growth among the growth rates of a period, 1 = highest."""

    def rank(series: pd.Series) -> float:
        rates = pd.Series({y: growth(series, y, _TRADE) for y in range(start, end + 1)})
        return float(rates.rank(ascending=False)[year])

    return _both(rank, "rank")


@check
def record_rank(year: int) -> Recomputed:
    """Rank of a year's goods trade among all years from 1978 up to it, 1 = highest."""

    def rank(series: pd.Series) -> float:
        return float(series[series.index <= year].rank(ascending=False)[year])

    return _both(rank, "rank")


@check
def lowest_rank(year: int, around: int) -> Recomputed:
    """Rank of a year's goods trade among the `around` years before and after it, 1 = lowest.

    The alternative takes the `around` years centred on the year.
    """
    china = totals("CHN")

    def rank(series: pd.Series, reach: int) -> float:
        return float(span(series, year - reach, year + reach).rank()[year])

    half = around // 2
    alternatives = (
        (f"{around} years centred on {year} ({year - half}–{year + half})", rank(china, half)),
        (f"{_RUSSIA}, {year - around}–{year + around}", rank(totals("RUS"), around)),
    )
    note = f"Among {year - around}–{year + around}."
    return Recomputed(rank(china, around), "rank", _CHINA, alternatives, note=note)


@check
def record_before(year: int, step: int = 10) -> Recomputed:
    """Highest trade before `year`, billion US$: a mark first passed in `year` lies above it.

    The note names the round mark (a multiple of `step`) that `year` passed for the first time.
    """
    china = totals("CHN")
    before = float(china[china.index < year].max())
    reached = at(china, year, _TRADE)
    mark = step * np.floor(reached / step)
    note = f"Trade was {reached:.1f} billion US$ in {year}; the highest before was {before:.1f}."
    if before < mark:
        note += f" The round mark first passed in {year} is {mark:.0f} billion."
    return Recomputed(before, "billion US$", _CHINA, note=note)


@check
def years_to_recover(peak: int) -> Recomputed:
    """Years after `peak` until goods trade exceeds the peak again."""

    def years(series: pd.Series) -> float:
        later = series[series.index > peak]
        above = later[later > series[peak]]
        if above.empty:
            raise CheckError(f"Trade never exceeded its level of {peak}; choose another peak.")
        return float(above.index.min() - peak)

    return _both(years, "years")


@check
def falling_years(start: int, end: int) -> Recomputed:
    """Number of years in a period in which goods trade fell against the year before."""

    def falls(series: pd.Series) -> float:
        return float(sum(growth(series, year, _TRADE) < 0 for year in range(start, end + 1)))

    found = _level_or_growth(falls, "count", set(range(start - 1, end + 1)))
    return replace(found, note=f"Among {start}–{end}.")


@check
def slowest_growth(start: int, end: int) -> Recomputed:
    """The smallest growth of goods trade in any year of a period, percent."""
    return _both(lambda series: min(growth(series, year, _TRADE) for year in range(start, end + 1)), "percent")


@check
def growth_against_world(year: int) -> Recomputed:
    """Growth of the bilateral trade minus growth of world goods exports, percentage points, current dollars."""
    world = growth(_wdi("TX.VAL.MRCH.CD.WT", "WLD"), year, "world exports")

    def lead(series: pd.Series) -> float:
        return growth(series, year, _TRADE) - world

    note = f"World exports {world:+.1f} percent, {year}."
    return Recomputed(
        lead(totals("CHN")), "percentage points", f"{_CHINA}, wdi", ((_RUSSIA, lead(totals("RUS"))),), note=note
    )


@check
def trend(start: int, end: int) -> Recomputed:
    """Slope of log goods trade on time, percent a year: 100 (exp b - 1)."""

    def slope(series: pd.Series) -> float:
        part = span(series, start, end)
        return 100 * (float(np.exp(np.polyfit(part.index, np.log(part), 1)[0])) - 1)

    return _both(slope, "percent")


@check
def years_of_trade(until: int) -> Recomputed:
    """Years from the first record of the Russian Federation as a partner to `until`."""
    frame = table("china-russia-totals")
    first = int(frame.year[frame.exporter == "RUS"].min())
    return Recomputed(float(until - first), "years", "china-russia-totals", note=f"First year {first}.")


# --- the economies behind the trade ---------------------------------------------------------------


@memo
def _wdi(indicator: str, iso3: str) -> pd.Series:
    frame = table("wdi")
    frame = frame[(frame.indicator == indicator) & (frame.iso3 == iso3)]
    if frame.empty:
        raise CheckError(f"The table wdi has no {indicator} for {iso3}; correct the claim's check.")
    return frame.set_index("year").value.sort_index()


_GDP_GROWTH = "NY.GDP.MKTP.KD.ZG"


@check
def gdp_growth(economy: str, year: int) -> Recomputed:
    """Growth of real GDP, percent."""
    value = at(_wdi(_GDP_GROWTH, economy), year, "GDP growth")
    return Recomputed(value, "percent", f"{_WDI}, {_GDP_GROWTH}")


@check
def slowest_gdp_growth(economies: list, year: int) -> Recomputed:
    """The smallest real GDP growth among some economies, percent: positive if all of them grew."""
    rates = {iso3: at(_wdi(_GDP_GROWTH, iso3), year, "GDP growth") for iso3 in economies}
    note = "; ".join(f"{iso3} {rate:.1f} percent" for iso3, rate in rates.items()) + "."
    return Recomputed(
        min(rates.values()),
        "percent",
        f"{_WDI}, {_GDP_GROWTH}",
        note=note,
    )


@check
def least_export_weight(economies: list, year: int) -> Recomputed:
    """The smallest ratio of goods exports to GDP among some economies, percent."""
    weights = {
        iso3: 100 * at(_wdi("TX.VAL.MRCH.CD.WT", iso3), year, "exports") / at(_wdi("NY.GDP.MKTP.CD", iso3), year, "GDP")
        for iso3 in economies
    }
    note = "; ".join(f"{iso3} {weight:.1f} percent" for iso3, weight in weights.items()) + f", {year}."
    return Recomputed(min(weights.values()), "percent", _WDI, note=note)


@check
def common_border(first: str, second: str) -> Recomputed:
    """1 if two economies have a common land border, 0 if not."""
    pairs = table("geodist-pairs")
    pair = pairs[(pairs.exporter == first) & (pairs.importer == second)]
    return Recomputed(float(pair.contig.item()), "count", "CEPII GeoDist (geodist-pairs)")


@check
def gdp_growth_gain(economy: str, before: list, after: list) -> Recomputed:
    """Mean real GDP growth in one period minus that in an earlier one, percentage points."""
    rates = _wdi(_GDP_GROWTH, economy)
    first, second = span(rates, *before).mean(), span(rates, *after).mean()
    note = f"{first:.1f} percent a year {before[0]}–{before[1]}, "
    note += f"{second:.1f} percent a year {after[0]}–{after[1]}."
    source = f"{_WDI}, {_GDP_GROWTH}"
    return Recomputed(float(second - first), "percentage points", source, note=note)


@check
def gdp_rank_asia_pacific(economy: str, year: int) -> Recomputed:
    """Rank by GDP per person in Asia and Oceania, 1 = highest; alternative: by total GDP."""
    continents = table("geodist-economies").set_index("iso3").continent
    members = set(continents.index[continents.isin(["Asia", "Pacific", "Oceania"])])
    frame = table("wdi")
    frame = frame[(frame.year == year) & frame.iso3.isin(members)]

    def rank(indicator: str) -> float:
        values = frame[frame.indicator == indicator].set_index("iso3").value
        return float(values.rank(ascending=False)[economy])

    alternatives = (("total GDP", rank("NY.GDP.MKTP.CD")),)
    source = f"{_WDI}, GDP per person in US$"
    return Recomputed(rank("NY.GDP.PCAP.CD"), "rank", source, alternatives)


@check
def trade_follows_gdp(start: int, end: int) -> Recomputed:
    """Correlation of the growth of trade with that of Russia's (alternative: China's) real GDP."""
    trade = span(totals("CHN"), start - 1, end).pct_change().dropna()

    def correlation(economy: str) -> float:
        return float(np.corrcoef(trade, span(_wdi(_GDP_GROWTH, economy), start, end))[0, 1])

    return Recomputed(
        correlation("RUS"),
        "correlation",
        f"{_CHINA}, wdi: Russia's GDP",
        (("China's GDP", correlation("CHN")),),
    )


@memo
def _china_share_in_russia() -> pd.Series:
    """China's share in Russia's goods trade (Russia's figures over WTO totals), percent by year."""
    world = _wdi("TX.VAL.MRCH.CD.WT", "RUS") + _wdi("TM.VAL.MRCH.CD.WT", "RUS")
    return (100 * totals("RUS") * 1e9 / world).dropna()


@check
def china_share_change(start: int, end: int) -> Recomputed:
    """Change of China's share in Russia's goods trade, percentage points."""
    shares = _china_share_in_russia()
    change = at(shares, end, "China's share") - at(shares, start, "China's share")
    note = f"From {shares[start]:.1f} to {shares[end]:.1f} percent, {start}–{end}."
    return Recomputed(change, "percentage points", "china-russia-totals (Russia's figures), wdi", note=note)


@check
def trade_under_sanctions(before: int, after: int) -> Recomputed:
    """Change of goods trade both ways, percent.

    One alternative is the change of China's share in Russia's trade in percentage points: it
    serves claims whose test is the sign alone.
    """
    plain = total_change(before, after)
    share = china_share_change(before, after)
    alternatives = (
        *plain.alternatives,
        ("China's share in Russia's trade, percentage points", share.value),
    )
    return Recomputed(plain.value, "percent", _CHINA, alternatives, note=share.note)


@memo
def _recorded_1955_1957() -> pd.DataFrame:
    frame = table("cow-china-trade")
    frame = frame[frame.year.between(1955, 1957) & frame.imports_musd.notna()].copy()
    frame["partner"] = frame.importer_cow.where(frame.importer_cow != "CHN", frame.exporter_cow)
    return frame


@check
def recorded_share_1950s(blocs: list | None = None, partner: str = "") -> Recomputed:
    """Share of partners in China's recorded trade of 1955–1957, percent.

    Only these years have trade with the USSR. Partners are blocs (``USSR``, ``other socialist``) or
    one state by its Correlates of War abbreviation. The alternatives are the single years.
    """
    frame = _recorded_1955_1957()
    chosen = frame.partner == partner if partner else frame.bloc.isin(blocs)

    def share(rows: pd.Series) -> float:
        return float(100 * frame.imports_musd[rows & chosen].sum() / frame.imports_musd[rows].sum())

    alternatives = tuple((str(year), share(frame.year == year)) for year in (1955, 1956, 1957))
    note = "Only pairs with recorded trade count; Hong Kong and several socialist states are missing."
    return Recomputed(
        share(frame.year > 0),
        "percent",
        "Correlates of War (cow-china-trade)",
        alternatives,
        note=note,
    )


@check
def recorded_rank_1950s(partner: str) -> Recomputed:
    """Rank of a partner in China's recorded trade of 1955–1957, 1 = largest."""
    values = _recorded_1955_1957().groupby("partner").imports_musd.sum()
    return Recomputed(float(values.rank(ascending=False)[partner]), "rank", "Correlates of War (cow-china-trade)")


_TARIFF = "TM.TAX.MRCH.WM.AR.ZS"


@memo
def _tariff(iso3: str) -> pd.Series:
    frame = table("tariffs")
    frame = frame[(frame.indicator == _TARIFF) & (frame.iso3 == iso3)]
    return frame.sort_values("source").drop_duplicates("year", keep="last").set_index("year").value


@check
def tariff_gap(economy: str, other: str, year: int, also: list = ()) -> Recomputed:
    """Weighted mean applied tariff of one economy minus that of another, percentage points.

    `also` names further economies to compare with: the alternatives.
    """
    first, second = at(_tariff(economy), year, "tariff"), at(_tariff(other), year, "tariff")
    alternatives = tuple((f"compared with {iso3}", first - at(_tariff(iso3), year, "tariff")) for iso3 in also)
    note = f"{economy} {first:.2f} percent, {other} {second:.2f} percent, {year}."
    return Recomputed(first - second, "percentage points", f"tariffs, {_TARIFF}", alternatives, note=note)


@check
def tariff_change(economy: str, start: int, end: int) -> Recomputed:
    """Change of the weighted mean applied tariff between two years, percentage points."""
    rates = _tariff(economy)
    change = at(rates, end, "tariff") - at(rates, start, "tariff")
    note = f"From {rates[start]:.2f} to {rates[end]:.2f} percent, {start}–{end}."
    return Recomputed(change, "percentage points", f"tariffs, {_TARIFF}", note=note)
