"""Checks of chapter 5: figures of Huawei, its segments, regions, research and rank.

The company's own annual reports come first, because the source quotes them; other vintages and the
Fortune lists are the alternatives.
"""

from __future__ import annotations

from tradebook import companies
from tradebook.checks import CheckError, Recomputed, check, table
from tradebook.checks.series import at

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
def least_overseas_share(start: int, end: int, to: int = 0) -> Recomputed:
    """Lowest share of revenue from outside China over the years on record, percent; `to` extends."""
    share = companies.overseas_share("Huawei")
    known = share.loc[start:end]
    years = ", ".join(map(str, known.index))
    others = ((f"{start}–{to}", float(share.loc[start:to].min())),) if to else ()
    return Recomputed(float(known.min()), "percent", _FIGURES, others, note=f"Years on record: {years}.")


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
def implied_dollar_rate_change(start: int, end: int, also: list = ()) -> Recomputed:
    """Change of the yuan against the dollar, percent (positive: the yuan rose).

    Rate: Huawei's revenue in yuan over the same revenue in Fortune's dollars (yearly averages).
    """
    rate = companies.series("Huawei", "revenue") / companies.series("Huawei", "revenue_usd_fortune")

    def rise(first: int, last: int) -> float:
        return 100 * (at(rate.dropna(), first, "rate") / at(rate.dropna(), last, "rate") - 1)

    others = tuple((f"{first}–{last}", rise(first, last)) for first, last in also)
    return Recomputed(rise(start, end), "percent", f"{_FIGURES}, {start}–{end}", others)


@check
def company_least_growth(start: int, end: int) -> Recomputed:
    """Lowest yearly change of Huawei's revenue over a period, percent."""
    values = companies.series("Huawei", "revenue").loc[start - 1 : end]
    changes = 100 * values.pct_change().dropna()
    return Recomputed(
        float(changes.min()),
        "percent",
        _FIGURES,
        note=f"{start}–{end}; lowest in {changes.idxmin()}.",
    )
