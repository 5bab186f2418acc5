"""A company's figures over time, its segments and regions, and its peers.

Series come from table ``company-figures``, one vintage each: the value first reported for a year. A
growth rate between two first-reported *segment* values is never taken, because companies move
business between segments and restate the base: `segment_growth` shows what would go wrong.
"""

from __future__ import annotations

import pandas as pd

from tradebook.data import load
from tradebook.errors import TradebookError

__all__ = [
    "CompanyError", "currency", "figure", "gross_margin", "has", "names", "operating_margin",
    "overseas_share", "panel", "patent_rank", "region_shares", "research_share", "research_table",
    "restatements", "revenue", "segment_growth", "segment_shares", "segments", "series",
]  # fmt: skip

SEGMENTS = {
    "carrier": "Carrier networks",
    "enterprise": "Enterprise",
    "consumer": "Consumer devices",
}
REGIONS = {
    "china": "China",
    "emea": "Europe, Middle East, Africa",
    "asia_pacific": "Asia Pacific",
    "americas": "Americas",
}


class CompanyError(TradebookError):
    """A company is unknown, or has no figure for what is asked."""


def names() -> list[str]:
    """The companies of table ``companies``."""
    return load("companies")["company"].to_list()


def _rows(company: str) -> pd.DataFrame:
    if company not in names():
        raise CompanyError(f"There is no company “{company}”; choose one of {', '.join(names())}.")
    frame = load("company-figures")
    return frame[frame["company"] == company]


def currency(company: str) -> str:
    """Currency of the company's own figures, as a three-letter code."""
    _rows(company)
    return load("companies").set_index("company")["currency"][company]


def series(company: str, indicator: str) -> pd.Series:
    """One indicator over the years, empty if there is none.

    Returns
    -------
    Series
        Index: year; in the unit of table ``company-figures`` (levels: billions of a currency).
    """
    rows = _rows(company)
    rows = rows[rows["indicator"] == indicator].set_index("year").sort_index()
    return rows["value"].rename(indicator)


def has(company: str, indicator: str, at_least: int = 2) -> bool:
    """Whether an indicator has this many years."""
    return len(series(company, indicator)) >= at_least


def figure(company: str, indicator: str, year: int) -> float:
    """One value.

    Raises
    ------
    CompanyError
        If it is not in the table.
    """
    values = series(company, indicator)
    if year not in values.index:
        raise CompanyError(f"{company} has no “{indicator}” for {year}; choose a year of {list(values.index)}.")
    return float(values[year])


def revenue(company: str, least: int = 8) -> tuple[pd.Series, str]:
    """The longest revenue series there is, and its unit.

    The company's own series in its currency if it has `least` years, else that of the Fortune
    lists in US dollars (at average exchange rates, without fiscal 2012).
    """
    own, dollars = series(company, "revenue"), series(company, "revenue_usd_fortune")
    if len(own) >= least or len(dollars) == 0:
        return own, f"billion {currency(company)}"
    return dollars, "billion US dollars"


def _margin(company: str, part: str, stated: str) -> pd.DataFrame:
    """100 part / revenue where both levels are known, else the margin as the company states it."""
    levels = 100 * series(company, part) / series(company, "revenue")
    levels = levels.dropna()
    told = series(company, stated)
    told = told[~told.index.isin(levels.index)]
    frame = pd.concat({"recomputed": levels, "as stated": told}, names=["how", "year"])
    return frame.rename("margin").reset_index().sort_values("year", ignore_index=True)


def gross_margin(company: str) -> pd.DataFrame:
    """Gross profit over revenue, per cent: columns `year, margin, how`."""
    return _margin(company, "gross_profit", "gross_margin")


def operating_margin(company: str) -> pd.DataFrame:
    """Operating profit over revenue, per cent: columns `year, margin, how`."""
    return _margin(company, "operating_profit", "operating_margin")


def restatements(company: str, indicator: str = "revenue") -> pd.DataFrame:
    """Years that a later report shows with another value: `first`, `restated`, `change` (%)."""
    frame = pd.DataFrame(
        {"first": series(company, indicator), "restated": series(company, f"{indicator}_restated")}
    ).dropna()
    frame["change"] = 100 * (frame["restated"] / frame["first"] - 1)
    return frame


def segments(company: str) -> pd.DataFrame:
    """Revenue by segment as first reported: index year, a column per segment, billions.

    Only the three segments that the company reported until 2021; those of 2023 are gross of sales
    between segments and cannot be joined to them.
    """
    parts = {label: series(company, f"revenue_segment_{key}") for key, label in SEGMENTS.items()}
    frame = pd.DataFrame(parts)
    return frame[frame.index <= 2021].dropna(how="all")


def segment_shares(company: str) -> pd.DataFrame:
    """Shares of the segments in revenue, per cent, with the rest as “Other”; complete years only."""
    frame = segments(company).dropna()
    total = series(company, "revenue").reindex(frame.index)
    shares = frame.mul(100).div(total, axis=0)
    # Rounding of the parts can exceed the total by a hundredth; such a rest is nothing.
    shares["Other"] = (100 - shares.sum(axis=1)).clip(lower=0)
    return shares.mul(100).div(shares.sum(axis=1), axis=0)


def segment_growth(company: str) -> pd.DataFrame:
    """Growth of segments: as the company states it, and as two first-reported values would give it.

    Returns
    -------
    DataFrame
        `year, segment, stated, naive` (both %), and `restated_base`: the change of the base that
        the stated rate implies, 100 ((value / (1 + stated / 100)) / value of the year before - 1).
    """
    rows = []
    values = segments(company)
    for key, label in SEGMENTS.items():
        stated = series(company, f"growth_segment_{key}")
        for year in stated.index:
            if year in values.index and year - 1 in values.index:
                now, before = values.loc[year, label], values.loc[year - 1, label]
                if pd.notna(now) and pd.notna(before):
                    base = now / (1 + stated[year] / 100)
                    row = (
                        year,
                        label,
                        stated[year],
                        100 * (now / before - 1),
                        100 * (base / before - 1),
                    )
                    rows.append(row)
    columns = ["year", "segment", "stated", "naive", "restated_base"]
    return pd.DataFrame(rows, columns=columns).sort_values(["year", "segment"], ignore_index=True)


def region_shares(company: str) -> pd.DataFrame:
    """Shares of four regions in revenue, per cent, with the rest as “Other”; complete years only."""
    parts = {label: series(company, f"revenue_region_{key}") for key, label in REGIONS.items()}
    frame = pd.DataFrame(parts).dropna()
    shares = frame.mul(100).div(series(company, "revenue").reindex(frame.index), axis=0)
    shares["Other"] = (100 - shares.sum(axis=1)).clip(lower=0)
    return shares.mul(100).div(shares.sum(axis=1), axis=0)


def overseas_share(company: str) -> pd.Series:
    """Revenue outside China, per cent of revenue.

    From the level of China where it is known, 100 (1 - China / revenue); else as stated.
    """
    levels = 100 * (1 - series(company, "revenue_region_china") / series(company, "revenue"))
    told = series(company, "share_overseas")
    china = 100 - series(company, "share_china")
    return levels.dropna().combine_first(told).combine_first(china).rename("overseas")


def research_share(company: str) -> pd.Series:
    """Research and development, per cent of revenue: recomputed where both levels are known."""
    levels = 100 * series(company, "rd_expense") / series(company, "revenue")
    return levels.dropna().combine_first(series(company, "rd_share_of_revenue")).rename("research")


def research_table(year: int) -> pd.DataFrame:
    """Research of all companies in one year, in one currency.

    R&D as the EU Scoreboard measures it (billion euros), or the company's own figure where the
    Scoreboard has none; revenue in euros at the average rate of the year.

    Returns
    -------
    DataFrame
        Index company: `research_eur`, `revenue_eur` (billions), `intensity` (%), `measure`.
    """
    rates = load("company-exchange-rates")
    rates = rates[rates["year"] == year].set_index("currency")["per_euro"]
    rows = {}
    for company in names():
        board = series(company, "rd_investment_eu_scoreboard").get(year)
        own, share = (
            series(company, "rd_expense").get(year),
            series(company, "rd_share_of_revenue").get(year),
        )
        money = currency(company)
        sales = series(company, "revenue").get(year)
        sales = sales if sales is not None else series(company, "revenue_as_first_reported").get(year)
        if sales is None:
            sales, money = series(company, "revenue_usd_fortune").get(year), "USD"
        in_euros = None if sales is None else sales / rates[money]
        if board is not None and in_euros is not None:
            rows[company] = (board, in_euros, 100 * board / in_euros, "EU Scoreboard")
        elif own is not None and share is not None:
            spent = own / rates[currency(company)]
            rows[company] = (spent, 100 * spent / share, share, "own report")
    columns = ["research_eur", "revenue_eur", "intensity", "measure"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return frame.sort_values("intensity", ascending=False)


def panel(indicator: str = "revenue_usd_fortune") -> pd.DataFrame:
    """One indicator of all companies: index year, a column per company that has it."""
    frame = load("company-figures")
    frame = frame[frame["indicator"] == indicator]
    wide = frame.pivot(index="year", columns="company", values="value")
    return wide[[name for name in names() if name in wide]]


def patent_rank(company: str, register: str = "EPO") -> pd.DataFrame:
    """Applications and rank of a company at the EPO or under the PCT: index year."""
    frame = load("patent-applicants")
    mine = frame[(frame["applicant"] == company) & (frame["register"] == register)]
    return mine.set_index("year")[["applications", "rank"]].sort_index()
