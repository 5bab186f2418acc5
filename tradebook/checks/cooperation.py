"""Checks of chapter 4: dated events, the battery venture, arms deliveries, research and patents.

Research and patents are those of the current World Development Indicators (table ``wdi``); what an author of
2021 had (table ``research-2021``) is the alternative.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from tradebook import forecast, innovation
from tradebook.checks import CheckError, Recomputed, check, memo, table
from tradebook.checks.bilateral import totals
from tradebook.checks.series import at, span

_EVENTS = "dated events (cooperation-events)"
_ARMS = "SIPRI, yearly sums (arms-transfers)"
_WDI = "World Development Indicators (wdi)"
_THEN = "vintage of 2021"
_CASE = "the thesis's own examples (cooperation-projects)"


# --- events, venture, models ----------------------------------------------------------------------


def _event(event: str) -> pd.Series:
    rows = table("cooperation-events").set_index("event_id")
    if event not in rows.index or pd.isna(rows.loc[event, "confirmed_by"]):
        raise CheckError(f"No second source dates the event “{event}”; choose a confirmed one.")
    return rows.loc[event]


def _dated(row: pd.Series, value: float, unit: str) -> Recomputed:
    note = f"{row['event']}: {row['date']} ({row['confirmed_by']})."
    return Recomputed(float(value), unit, _EVENTS, note=note)


@check
def event_year(event: str) -> Recomputed:
    """Year of an event that a source other than the audited one dates."""
    row = _event(event)
    return _dated(row, row["year"], "year")


@check
def event_month(event: str) -> Recomputed:
    """Month (1–12) of an event that a source other than the audited one dates."""
    row = _event(event)
    parts = row["date"].split("-")
    if len(parts) < 2:
        raise CheckError(f"The source of “{event}” gives no month; check the year only.")
    return _dated(row, int(parts[1]), "month")


@check
def venture(item: str, side: str = "both") -> Recomputed:
    """An amount of the Liotech venture as agreed in April 2010, billion roubles."""
    rows = table("liotech").query("item == @item and side == @side and account != 'thesis'")
    rows = rows.set_index("account")["value_rub_bn"]
    if "agreement 2010" not in rows:
        raise CheckError(f"The agreement of 2010 has no “{item}” of {side}; choose another item.")
    others = tuple((account, float(value)) for account, value in rows.items() if account != "agreement 2010")
    return Recomputed(
        float(rows["agreement 2010"]), "billion roubles", "RUSNANO's release of April 2010 (liotech)", readings=others
    )


@check
def model_rank(form: str) -> Recomputed:
    """Rank of an organisation model by the number of examples that the thesis gives, 1 = most."""
    projects = table("cooperation-projects")
    counts = projects.loc[projects["source"] == "thesis", "form"].value_counts()
    note = "; ".join(f"{name}: {count}" for name, count in counts.items())
    rank = float(counts.rank(ascending=False, method="min").get(form, np.nan))
    return Recomputed(rank, "rank", _CASE, note=f"Examples: {note}.")


@check
def trade_change(start: int, end: int) -> Recomputed:
    """Change of goods trade between two years in China's figures, percent."""
    trade = totals("CHN")
    change = 100 * (at(trade, end, "total trade") / at(trade, start, "total trade") - 1)
    return Recomputed(change, "percent", "China's figures (china-russia-totals)", note=f"{start}–{end}.")


# --- arms -----------------------------------------------------------------------------------------


@memo
def arms() -> pd.Series:
    """Deliveries to China by year, million TIV; zero where the register has none."""
    sums = table("arms-transfers").groupby("year")["tiv_m"].sum()
    return sums.reindex(range(int(sums.index.min()), int(sums.index.max()) + 1), fill_value=0.0)


@check
def arms_change(before: list, after: list, shorter: int = 0) -> Recomputed:
    """Change of mean yearly arms deliveries from one period to another, percent.

    `shorter`: the same for that many years at the end of each period, as the alternative.
    """

    def change(years: int) -> float:
        means = []
        for first, last in (before, after):
            means.append(span(arms(), last - years + 1 if years else first, last).mean())
        return float(100 * (means[1] / means[0] - 1))

    others = ((f"last {shorter} years of each period", change(shorter)),) if shorter else ()
    note = f"Mean of {after[0]}–{after[1]} against {before[0]}–{before[1]}."
    return Recomputed(change(0), "percent", _ARMS, others, note=note)


@check
def arms_decade_rank(decade: int) -> Recomputed:
    """Rank of a decade by arms deliveries from 1950 on, 1 = most."""
    sums = arms().groupby(arms().index // 10 * 10).sum()
    note = "; ".join(f"{d}s: {v:,.0f}" for d, v in sums.items())
    return Recomputed(float(sums.rank(ascending=False)[decade]), "rank", _ARMS, note=f"Million TIV by decade: {note}.")


# --- research and patents -------------------------------------------------------------------------


@memo
def _record(economy: str, vintage: str = "current") -> pd.DataFrame:
    return innovation.record(economy, vintage)


def _both_vintages(measure: Callable[[str], float], unit: str, note: str = "", others: tuple = ()) -> Recomputed:
    """A measure in the current vintage, with that of 2021 as the alternative where it has the year."""
    then = measure("2021")
    alternatives = ((_THEN, then),) if np.isfinite(then) else ()
    return Recomputed(measure("current"), unit, _WDI, alternatives + others, note=note)


@check
def rd_rank(economy: str, year: int) -> Recomputed:
    """Rank of an economy by R&D spending at purchasing power parity, 1 = most."""
    wide = table("wdi").query("year == @year and iso3 != 'WLD'")
    wide = wide.pivot(index="iso3", columns="indicator", values="value")
    nominal = wide["GB.XPD.RSDV.GD.ZS"] * wide["NY.GDP.MKTP.CD"]
    ppp = wide["GB.XPD.RSDV.GD.ZS"] * wide["NY.GDP.PCAP.PP.CD"] * wide["SP.POP.TOTL"]
    ranks = [spent.rank(ascending=False)[economy] for spent in (ppp, nominal)]
    others = (("current US dollars", float(ranks[1])),)
    note = f"Among {int(ppp.notna().sum())} economies with data."
    return Recomputed(float(ranks[0]), "rank", _WDI, others, note=note)


@check
def rd_multiple(first: str, second: str, year: int) -> Recomputed:
    """R&D spending of one economy over that of another, current dollars; PPP as the alternative."""

    def ratio(column: str) -> float:
        return at(_record(first)[column] / _record(second)[column], year, "R&D spending")

    return Recomputed(ratio("spending"), "times", _WDI, (("PPP dollars", ratio("spending_ppp")),))


@check
def years_above_world(economy: str, start: int, end: int) -> Recomputed:
    """Years in which an economy's R&D share of GDP was above the world's."""
    shares = table("wdi").query("indicator == 'GB.XPD.RSDV.GD.ZS'")
    shares = shares.pivot(index="year", columns="iso3", values="value")[[economy, "WLD"]]
    shares = shares.loc[start:end].dropna()
    highest = (shares[economy] / shares["WLD"]).max()
    note = f"{len(shares)} years; at most {100 * highest:.0f} % of the world's share."
    return Recomputed(float((shares[economy] > shares["WLD"]).sum()), "count", _WDI, note=note)


@check
def applications_multiple(first: str, second: str, year: int) -> Recomputed:
    """Patent applications at one office over those at another; residents as the alternative."""

    def ratio(column: str) -> float:
        return at(_record(first)[column] / _record(second)[column], year, "patent applications")

    return Recomputed(ratio("applications"), "times", _WDI, (("residents only", ratio("residents")),))


@check
def applications_change(economy: str, start: int, end: int) -> Recomputed:
    """Change of patent applications at an office, percent; residents as the alternative."""

    def change(column: str) -> float:
        series = _record(economy)[column]
        return 100 * (at(series, end, "applications") / at(series, start, "applications") - 1)

    return Recomputed(change("applications"), "percent", _WDI, (("residents only", change("residents")),))


@check
def spending_falls(economy: str, start: int, end: int) -> Recomputed:
    """Years from `start` to `end` in which R&D spending in constant prices fell."""

    def falls(series: pd.Series) -> pd.Index:
        changes = series.diff().loc[start:end].dropna()
        return changes.index[changes < 0]

    real = falls(innovation.real_spending(_record(economy)))
    others = (
        ("current US dollars", float(len(falls(_record(economy)["spending"])))),
        ("PPP dollars", float(len(falls(_record(economy)["spending_ppp"])))),
    )
    note = f"It fell in {', '.join(map(str, real))}." if len(real) else "It rose every year."
    return Recomputed(float(len(real)), "count", _WDI, others, note=note)


@check
def yield_gap(measure: str, year: int, first: str = "RUS", second: str = "CHN") -> Recomputed:
    """Patents per effort of the first economy as per cent of the second's; other measures in the note."""

    def gap(vintage: str, which: str = measure) -> float:
        pair = [innovation.index_of(_record(e, vintage), which).get(year, np.nan) for e in (first, second)]
        return float(100 * pair[0] / pair[1])

    rows = innovation.variants(_record(second), _record(first), year)["ratio"]
    note = f"Over {len(rows)} measures it is {100 * rows.min():.0f} to {100 * rows.max():.0f} %."
    return _both_vintages(gap, "percent", note)


@check
def years_ahead(measure: str, start: int, end: int, first: str = "RUS", second: str = "CHN") -> Recomputed:
    """Years in which the first economy had more patents per effort than the second."""

    def ahead(which: str) -> pd.Index:
        pair = [innovation.index_of(_record(e), which).loc[start:end] for e in (first, second)]
        ratio = (pair[0] / pair[1]).dropna()
        return ratio.index[ratio > 1]

    years = ahead(measure)
    others = tuple(
        (which, float(len(ahead(which)))) for which in ("residents, PPP dollars", "per thousand researchers")
    )
    note = f"Ahead in {years.min()}–{years.max()}." if len(years) else "Never ahead."
    return Recomputed(float(len(years)), "count", _WDI, others, note=note)


@check
def size_elasticity(index: str, year: int) -> Recomputed:
    """Per cent by which an index rises across economies when GDP is one per cent larger.

    `index` is per_investment (I_P/I) or per_intensity (I_P/GDP). Zero: it measures something other
    than size; one: it is proportional to size.
    """
    table_of_year = innovation.cross_section(year)
    line = innovation.fitted_line(table_of_year["gdp"], table_of_year[index])
    note = f"{line['n']} economies; 95 % interval {line['low']:.2f} to {line['high']:.2f}."
    return Recomputed(line["slope"], "percent", _WDI, note=note)


@check
def forecast_change(economy: str, horizon: int) -> Recomputed:
    """Change of the R&D share of GDP that a forecast with the data of 2021 expects, percentage points.

    Median of the mean of four methods (`tradebook.forecast`) `horizon` years after the last value, minus that value.
    """
    share = _record(economy, "2021")["rd_share"].dropna()
    expected = forecast.fit_forecast(share, "combination", horizon)["median"].iloc[-1] - share.iloc[-1]
    last = int(share.index[-1])
    now = _record(economy)["rd_share"]
    came = float(now.get(last + horizon, np.nan) - now.get(last, np.nan))
    note = f"From {last}; the change that came, in the current vintage: {came:+.2f} points."
    return Recomputed(float(expected), "percentage points", "forecast from research-2021", note=note)


@check
def fee_multiple(economy: str, start: int, end: int) -> Recomputed:
    """Charges paid for intellectual property abroad over charges received, sums of a period."""
    rows = table("wdi").query("iso3 == @economy and @start <= year <= @end")
    sums = rows.groupby("indicator")["value"].sum()
    return Recomputed(float(sums["BM.GSR.ROYL.CD"] / sums["BX.GSR.ROYL.CD"]), "times", _WDI)
