"""Checks of chapter 4: dated events, the battery venture, arms deliveries, research and patents.

Research and patents are those of the current World Development Indicators (table ``wdi``); what an author of
2021 had (table ``research-2021``) is the alternative.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from tradebook import forecast, hightech, innovation
from tradebook.checks import CheckError, Recomputed, check, memo, table
from tradebook.checks.bilateral import totals
from tradebook.checks.facts import fact
from tradebook.checks.series import at, span

_EVENTS = "dated events (cooperation-events)"
_ARMS = "SIPRI, yearly sums (arms-transfers)"
_FORMS = "SIPRI, yearly sums by kind and form (arms-forms)"
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
    names = table("cooperation-models").set_index("form")["name"]
    note = "; ".join(f"{names[name]}: {count}" for name, count in counts.items())
    rank = float(counts.rank(ascending=False, method="min").get(form, np.nan))
    return Recomputed(rank, "rank", _CASE, note=f"Examples: {note}.")


@check
def trade_change(start: int, end: int) -> Recomputed:
    """Change of goods trade between two years in China's figures, percent."""
    trade = totals("CHN")
    change = 100 * (at(trade, end, "total trade") / at(trade, start, "total trade") - 1)
    return Recomputed(change, "percent", "China's figures (china-russia-totals)", note=f"{start}–{end}.")


@check
def trade_since(name: str, year: int) -> Recomputed:
    """Change of goods trade, China's figures, against a cited earlier level in million US$, percent."""
    earlier, now = fact(name=name), 1e3 * at(totals("CHN"), year, "total trade")
    if earlier.unit != "million US$":
        raise CheckError(f"The fact “{name}” is in {earlier.unit}; give trade in million US$.")
    note = f"{earlier.note} {now:,.0f} million US$ in {year}."
    source = "China's figures (china-russia-totals) and a cited level"
    return Recomputed(100 * (now / earlier.value - 1), "percent", source, note=note)


@check
def classes(classification: str, section: str) -> Recomputed:
    """Number of classes that a section of the thesis lists in one of its classifications."""
    rows = table("cooperation-models").query("classification == @classification and section == @section")
    note = f"Listed in section {section}: {', '.join(rows.sort_values('position')['name'])}."
    return Recomputed(float(len(rows)), "count", "the thesis's own list (cooperation-models)", note=note)


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


@check
def arms_gain(before: list, after: list) -> Recomputed:
    """Mean yearly arms deliveries of one period minus those of an earlier one, million TIV a year."""
    first, second = span(arms(), *before).mean(), span(arms(), *after).mean()
    note = f"{first:,.0f} million TIV a year in {before[0]}–{before[1]}, {second:,.0f} in {after[0]}–{after[1]}."
    return Recomputed(float(second - first), "million TIV a year", _ARMS, note=note)


@check
def arms_contrast(periods: list) -> Recomputed:
    """The least multiple between the mean yearly arms deliveries of any two of several periods."""
    means = pd.Series({f"{first}–{last}": span(arms(), first, last).mean() for first, last in periods}).sort_values()
    note = "; ".join(f"{period}: {mean:,.0f} million TIV a year" for period, mean in means.items())
    return Recomputed(float((means / means.shift()).min()), "times", _ARMS, note=f"{note}.")


@memo
def _arms_shares(start: int, end: int, by: str) -> pd.Series:
    """Shares of Russia's arms deliveries to China by kind or form, percent of the TIV of a period."""
    rows = table("arms-forms").query("@start <= year <= @end")
    sums = rows.groupby(by)["tiv_m"].sum()
    return 100 * sums / sums.sum()


def _listed(shares: pd.Series) -> str:
    return ", ".join(f"{name} {share:.0f} %" for name, share in shares.sort_values(ascending=False).items())


@check
def arms_form_share(form: str, start: int, end: int) -> Recomputed:
    """Share of Russia's arms deliveries to China that came in one form, percent of the TIV."""
    shares = _arms_shares(start, end, "form")
    note = f"{start}–{end}: {_listed(shares)}."
    return Recomputed(float(shares.get(form, 0.0)), "percent", _FORMS, note=note)


@check
def arms_form_change(form: str, before: list, after: list, wider: str = "") -> Recomputed:
    """Change of the share of one form in Russia's arms deliveries to China, percentage points.

    `wider` is a form that a wider definition counts in: the alternative.
    """
    first, second = _arms_shares(*before, "form"), _arms_shares(*after, "form")
    change = second.sub(first, fill_value=0.0)
    others = ((f"{wider} counted too", float(change[form] + change[wider])),) if wider else ()
    note = f"{before[0]}–{before[1]}: {_listed(first)}; {after[0]}–{after[1]}: {_listed(second)}."
    return Recomputed(float(change[form]), "percentage points", _FORMS, others, note=note)


@check
def arms_kind_rank(kinds: list, start: int, end: int) -> Recomputed:
    """Rank of some kinds of weapon, taken together, in Russia's arms deliveries to China, 1 = most."""
    shares = _arms_shares(start, end, "kind")
    together = shares.reindex(kinds).sum()
    note = f"{start}–{end}: {_listed(shares)}."
    return Recomputed(float(1 + (shares.drop(kinds, errors="ignore") > together).sum()), "rank", _FORMS, note=note)


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


# --- two digital economies, trade in high technology ------------------------------------------------


def _measure(indicator: str, economy: str, year: int) -> float:
    """An indicator of the table ``digital`` or, failing that, of ``wdi``."""
    for name in ("digital", "wdi"):
        rows = table(name).query("indicator == @indicator and iso3 == @economy and year == @year")
        if len(rows):
            return float(rows["value"].iloc[0])
    raise CheckError(f"There is no {indicator} of {economy} in {year}; choose another year.")


def _name_of(indicator: str) -> str:
    names = pd.concat([table("digital"), table("wdi-indicators")]).drop_duplicates("indicator")
    return str(names.set_index("indicator").loc[indicator, "name"])


def _source_of(indicator: str) -> str:
    return "World Development Indicators (digital)" if indicator in set(table("digital")["indicator"]) else _WDI


@check
def indicator_level(indicator: str, economy: str, year: int, later: int = 0) -> Recomputed:
    """An indicator that is a percentage, in one year; in a later one as the alternative."""
    others = ((str(later), _measure(indicator, economy, later)),) if later else ()
    return Recomputed(_measure(indicator, economy, year), "percent", _source_of(indicator), others, note=f"{year}.")


@check
def indicator_multiple(indicator: str, first: str, second: str, year: int, also: str = "") -> Recomputed:
    """An indicator of one economy over that of another; the same of a second indicator as the alternative."""

    def pair(which: str) -> list[float]:
        return [_measure(which, economy, year) for economy in (first, second)]

    def short(value: float) -> str:
        return f"{value / 1e9:,.0f} billion" if value >= 1e9 else f"{value:,.1f}"

    values = pair(indicator)
    others = ((_name_of(also), pair(also)[0] / pair(also)[1]),) if also else ()
    note = f"{_name_of(indicator)} in {year}: {first} {short(values[0])}, {second} {short(values[1])}."
    return Recomputed(values[0] / values[1], "times", _source_of(indicator), others, note=note)


@check
def rd_rank_within(economy: str, continent: str, year: int) -> Recomputed:
    """Rank of an economy within a continent by R&D spending at PPP, 1 = most; by R&D share of GDP too."""
    land = table("geodist-economies")
    codes = set(land.loc[land["continent"] == continent, "iso3"])
    wide = table("wdi").query("year == @year").pivot(index="iso3", columns="indicator", values="value")
    wide = wide[wide.index.isin(codes)]
    share = wide["GB.XPD.RSDV.GD.ZS"]
    spent = share * wide["NY.GDP.PCAP.PP.CD"] * wide["SP.POP.TOTL"]
    others = (("R&D as a share of GDP", float(share.rank(ascending=False)[economy])),)
    note = f"Among {int(spent.notna().sum())} economies of {continent} with data."
    return Recomputed(float(spent.rank(ascending=False)[economy]), "rank", _WDI, others, note=note)


@check
def rd_share_change(economy: str, start: int, end: int) -> Recomputed:
    """Change of the R&D share of GDP, percentage points."""

    def change(vintage: str) -> float:
        share = _record(economy, vintage)["rd_share"]
        return float(share.get(end, np.nan) - share.get(start, np.nan))

    return _both_vintages(change, "percentage points", f"{start}–{end}.")


@memo
def _lall_pair() -> pd.DataFrame:
    """China–Russia trade, US dollars: year and exporter x all goods, high technology (Lall)."""
    rows = table("china-russia-lall")
    rows = rows.assign(high=rows["value_usd"].where(rows["lall_code"].isin(["HT1", "HT2"]), 0.0))
    return rows.groupby(["year", "exporter"])[["value_usd", "high"]].sum()


@memo
def _lall_world(group: str = "World") -> pd.DataFrame:
    """The same of China with a group of partners: year and flow x all goods, high technology."""
    rows = table("china-lall-by-partner-group").query("partner_group == @group")
    if rows.empty:
        raise CheckError(f"There is no group of partners “{group}”; see table china-lall-by-partner-group.")
    rows = rows.assign(high=rows["value_usd"].where(rows["lall_code"].isin(["HT1", "HT2"]), 0.0))
    return rows.groupby(["year", "flow"])[["value_usd", "high"]].sum()


@check
def pair_hightech_weight(year: int) -> Recomputed:
    """Share of high technology in China–Russia trade over its share in all trade of China."""
    pair, world = _lall_pair().loc[year].sum(), _lall_world().loc[year].sum()
    shares = [100 * both["high"] / both["value_usd"] for both in (pair, world)]
    note = f"{shares[0]:.1f} % with Russia, {shares[1]:.1f} % with all partners."
    return Recomputed(float(shares[0] / shares[1]), "times", "UNCTAD (china-russia-lall, lall groups)", note=note)


@check
def russian_share_of_hightech_imports(year: int) -> Recomputed:
    """Russia's share in China's imports of high technology, percent."""
    part, whole = _lall_pair().loc[(year, "RUS"), "high"], _lall_world().loc[(year, "import"), "high"]
    note = f"{part / 1e9:,.2f} of {whole / 1e9:,.0f} billion US$."
    return Recomputed(float(100 * part / whole), "percent", "UNCTAD (china-russia-lall, lall groups)", note=note)


@check
def hightech_exports_lead(group: str, start: int, end: int) -> Recomputed:
    """Growth factor of China's high-technology exports to a group over that to the world."""
    factors = [
        float(_lall_world(name).loc[(end, "export"), "high"] / _lall_world(name).loc[(start, "export"), "high"])
        for name in (group, "World")
    ]
    note = f"{start}–{end}: to {group} {factors[0]:.2f}-fold, to the world {factors[1]:.2f}-fold."
    return Recomputed(factors[0] / factors[1], "times", "UNCTAD (china-lall-by-partner-group)", note=note)


@check
def aircraft_supplier_share(exporter: str, start: int, end: int) -> Recomputed:
    """Share of an exporter in China's imports of large aircraft, percent; of turbine parts as the alternative."""
    rows = table("china-chips-aircraft-imports").query("@start <= year <= @end")
    sums = rows.groupby(["group", "exporter"])["value_usd"].sum()

    def share(group: str) -> float:
        return float(100 * sums[group].get(exporter, 0.0) / sums[group].sum())

    others = (("gas-turbine parts", share("gas-turbine parts")),)
    note = f"{sums['large aircraft'].sum() / 1e9:,.0f} billion US$ of large aircraft in {start}–{end}."
    source = "China's imports (china-chips-aircraft-imports)"
    return Recomputed(share("large aircraft"), "percent", source, others, note=note)


@check
def pair_hightech_change(start: int, end: int) -> Recomputed:
    """Change of China–Russia trade in high technology (Lall) both ways, percent; each direction too."""

    def change(values: pd.Series) -> float:
        return 100 * (at(values, end, "high technology") / at(values, start, "high technology") - 1)

    high = _lall_pair()["high"].unstack("exporter")
    both = high.sum(axis=1)
    others = (("China's exports", change(high["CHN"])), ("Russia's exports", change(high["RUS"])))
    note = f"{both[start] / 1e9:,.2f} billion US$ in {start}, {both[end] / 1e9:,.2f} in {end}."
    return Recomputed(change(both), "percent", "UNCTAD (china-russia-lall, lall groups)", others, note=note)


@check
def hightech_exports_change(economy: str, start: int, end: int) -> Recomputed:
    """Change of an economy's high-technology exports, percent, in each definition that has both years."""
    series = hightech.exports(economy)
    both = series.loc[[start, end]].dropna(axis=1)
    if both.empty:
        raise CheckError(f"No definition has the exports of {economy} in {start} and in {end}; choose others.")
    (name, value), *others = (100 * (both.loc[end] / both.loc[start] - 1)).items()
    note = f"{both.loc[start, name]:,.2f} billion US$ in {start}, {both.loc[end, name]:,.2f} in {end}."
    return Recomputed(float(value), "percent", name, tuple((label, float(rate)) for label, rate in others), note=note)
