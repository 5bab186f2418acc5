"""Research spending, patents, and the two indices that compare them.

Sokolova, Leontieva and Shkarina (2022, doi:10.18413/2409-1634-2022-8-2-0-2) measure the yield of
research by two indices, with P the number of patent applications, R the spending on research and
development (R&D) in dollars and S = 100 R / GDP the same as a percentage of GDP:

    I_P/I   = P / R    applications per million dollars      (`patents_per_investment`)
    I_P/GDP = P / S    applications per percentage point     (`patents_per_intensity`)

Since S = 100 R / GDP, the second is the first times the size of the economy:
I_P/GDP = I_P/I * GDP / 100. `size_part` says how much of a difference is size alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tradebook.data import load
from tradebook.errors import TradebookError
from tradebook.regression import least_squares

__all__ = [
    "InnovationInputError", "combine", "cross_section", "fitted_line", "index_of", "lagged",
    "patents_per_intensity", "patents_per_investment", "real_spending", "record", "size_part",
    "variants", "vintages",
]  # fmt: skip

_WDI = {
    "GB.XPD.RSDV.GD.ZS": "rd_share",
    "IP.PAT.RESD": "residents",
    "IP.PAT.NRES": "nonresidents",
    "NY.GDP.MKTP.CD": "gdp",
    "NY.GDP.MKTP.KD.ZG": "real_growth",
    "NY.GDP.PCAP.PP.CD": "gdp_ppp_per_head",
    "SP.POP.SCIE.RD.P6": "researchers_per_million",
    "SP.POP.TOTL": "population",
}
_REVISED = ["rd_share", "residents", "nonresidents"]
# What adds up when two economies are taken as one.
_ADDITIVE = [
    "residents", "nonresidents", "applications", "gdp", "gdp_ppp", "population", "researchers",
    "spending", "spending_ppp", "pct_applications", "uspto_grants",
]  # fmt: skip


class InnovationInputError(TradebookError):
    """An economy, vintage or year has no data on research and patents."""


# --- records --------------------------------------------------------------------------------------


def record(economy: str, vintage: str = "current") -> pd.DataFrame:
    """Research and patents of one economy by year.

    Parameters
    ----------
    economy : str
        ISO alpha-3 code.
    vintage : str
        "current" (table `wdi`) or "2021" (table `research-2021`: what an author of that year had;
        GDP, population and researchers still come from `wdi`).

    Returns
    -------
    DataFrame
        Indexed by year. rd_share (per cent of GDP); gdp, gdp_ppp (US dollars, international
        dollars); spending, spending_ppp (R&D, millions of either); residents, nonresidents,
        applications (patent applications, number); researchers (persons); population;
        real_growth (per cent); pct_applications, uspto_grants (number, where the table
        `patents-abroad` has the economy). Missing: not reported.

    Raises
    ------
    InnovationInputError
        If there is no R&D or no patent figure for the economy in that vintage.
    """
    wdi = load("wdi")
    wdi = wdi[(wdi["iso3"] == economy) & wdi["indicator"].isin(_WDI)]
    frame = wdi.pivot(index="year", columns="indicator", values="value").rename(columns=_WDI)
    frame = frame.reindex(columns=list(_WDI.values()))
    if vintage == "2021":
        old = load("research-2021").query("iso3 == @economy")
        old = old.pivot(index="year", columns="indicator", values="value").rename(columns=_WDI)
        frame = frame.drop(columns=_REVISED).join(old.reindex(columns=_REVISED))
    elif vintage != "current":
        raise InnovationInputError(f"There is no vintage “{vintage}”; choose “current” or “2021”.")
    if frame["rd_share"].isna().all() or frame["residents"].isna().all():
        raise InnovationInputError(
            f"No research spending or no patents of {economy} in the vintage “{vintage}”; choose another economy."
        )
    abroad = load("patents-abroad").query("iso3 == @economy")
    abroad = abroad.pivot(index="year", columns="indicator", values="value")
    frame = frame.join(abroad.reindex(columns=["pct_applications", "uspto_grants"]))
    frame["gdp_ppp"] = frame["gdp_ppp_per_head"] * frame["population"]
    frame["researchers"] = frame["researchers_per_million"] * frame["population"] / 1e6
    frame["applications"] = frame["residents"] + frame["nonresidents"]
    frame["spending"] = frame["rd_share"] / 100 * frame["gdp"] / 1e6
    frame["spending_ppp"] = frame["rd_share"] / 100 * frame["gdp_ppp"] / 1e6
    return frame.drop(columns=["gdp_ppp_per_head", "researchers_per_million"])


def vintages(economy: str) -> list[str]:
    """The vintages that have the economy, the oldest first."""
    old = load("research-2021")
    return ["2021", "current"] if (old["iso3"] == economy).any() else ["current"]


def combine(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Two economies taken as one: counts and amounts added, the share of R&D computed anew."""
    both = first[_ADDITIVE] + second[_ADDITIVE]
    return both.assign(rd_share=100 * both["spending"] * 1e6 / both["gdp"])


# --- indices --------------------------------------------------------------------------------------


def patents_per_investment(applications: pd.Series, spending: pd.Series, lag: int = 0) -> pd.Series:
    """I_P/I = P_t / R_(t-lag): applications per million dollars of R&D spent `lag` years before."""
    return applications / lagged(spending, lag)


def patents_per_intensity(applications: pd.Series, rd_share: pd.Series) -> pd.Series:
    """I_P/GDP = P / S: applications per percentage point of GDP spent on R&D."""
    return applications / rd_share


def lagged(series: pd.Series, lag: int) -> pd.Series:
    """The value of `lag` calendar years before, also where years are missing."""
    if lag < 0:
        raise InnovationInputError(f"A lag of {lag} years looks ahead; give 0 or more.")
    if lag == 0:
        return series
    return series.set_axis(series.index + lag).reindex(series.index.union(series.index + lag))


def size_part(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """How much of the difference in I_P/GDP between two economies is the size of the economies.

    ln(ratio of I_P/GDP) = ln(ratio of I_P/I) + ln(ratio of GDP), an identity.

    Returns
    -------
    DataFrame
        By year: ratio_intensity, ratio_investment, ratio_gdp (first over second) and share_size,
        the last term as per cent of the left side (above 100 if the first two differ in sign).
    """
    ratios = pd.DataFrame(
        {
            "ratio_intensity": index_of(first, "I_P/GDP") / index_of(second, "I_P/GDP"),
            "ratio_investment": index_of(first, "I_P/I") / index_of(second, "I_P/I"),
            "ratio_gdp": first["gdp"] / second["gdp"],
        }
    ).dropna()
    share = 100 * np.log(ratios["ratio_gdp"]) / np.log(ratios["ratio_intensity"])
    return ratios.assign(share_size=share)


# label: (what is counted, what it is divided by, scale of the result, unit)
_MEASURES = {
    "I_P/I": ("applications", "spending", 1, "applications per million $"),
    "I_P/GDP": ("applications", "rd_share", 1, "applications per point of GDP"),
    "residents only": ("residents", "spending", 1, "applications per million $"),
    "PPP dollars": ("applications", "spending_ppp", 1, "applications per million int. $"),
    "residents, PPP dollars": ("residents", "spending_ppp", 1, "applications per million int. $"),
    "per thousand researchers": ("residents", "researchers", 1e3, "resident applications"),
    "per million people": ("residents", "population", 1e6, "resident applications"),
    "PCT per billion PPP dollars": ("pct_applications", "spending_ppp", 1e3, "PCT applications"),
    "US grants per billion PPP dollars": ("uspto_grants", "spending_ppp", 1e3, "US patents"),
}
_LAGS = (1, 3, 5)


def index_of(economy: pd.DataFrame, measure: str) -> pd.Series:
    """One measure of patents per effort, by year: a label of `variants`.

    Parameters
    ----------
    economy : DataFrame
        Result of `record`.
    measure : str
        "I_P/I", "I_P/GDP", "residents only", "PPP dollars", "residents, PPP dollars", "per
        thousand researchers", "per million people", "PCT per billion PPP dollars", "US grants per
        billion PPP dollars", or "spending N years before".
    """
    words = measure.split()
    if words[:1] == ["spending"] and len(words) == 4 and words[1].isdigit():
        return patents_per_investment(economy["applications"], economy["spending"], int(words[1]))
    if measure not in _MEASURES:
        raise InnovationInputError(f"There is no measure “{measure}”; choose one of {', '.join(_MEASURES)}.")
    top, bottom, scale, _ = _MEASURES[measure]
    return scale * economy[top] / economy[bottom]


def variants(first: pd.DataFrame, second: pd.DataFrame, year: int) -> pd.DataFrame:
    """Each way to set patents against effort, for two economies in one year.

    Parameters
    ----------
    first, second : DataFrame
        Results of `record`.
    year : int

    Returns
    -------
    DataFrame
        Indexed by measure: unit, first, second, ratio (second over first). Measures that one of
        them lacks in that year are left out.

    Raises
    ------
    InnovationInputError
        If no measure exists for both in that year.
    """
    labels = {label: unit for label, (_, _, _, unit) in _MEASURES.items()}
    for lag in _LAGS:
        labels[f"spending {lag} year{'s' if lag > 1 else ''} before"] = "applications per million $"
    rows = []
    for label, unit in labels.items():
        pair = [index_of(economy, label).get(year, np.nan) for economy in (first, second)]
        rows.append((label, unit, *pair, pair[1] / pair[0]))
    table = pd.DataFrame(rows, columns=["measure", "unit", "first", "second", "ratio"])
    table = table.dropna().set_index("measure")
    if table.empty:
        raise InnovationInputError(f"No measure exists for both economies in {year}.")
    return table


def real_spending(economy: pd.DataFrame) -> pd.Series:
    """R&D in constant prices, first year = 100: share of GDP times the volume of GDP.

    The volume index chains real growth; R&D is deflated like the whole of GDP. Of a record with gaps the longest run of
    years without one counts, the later of two equally long.
    """
    share = economy["rd_share"].dropna()
    years = share.index.to_series()
    runs = years.groupby(years.diff().ne(1).cumsum())
    run = pd.Index(max((part.tolist() for _, part in runs), key=lambda part: (len(part), part[-1])))
    growth = economy["real_growth"].reindex(run)
    growth.iloc[0] = 0.0
    volume = (1 + growth / 100).cumprod()
    spent = share.reindex(run) * volume
    return 100 * spent / spent.iloc[0]


# --- many economies -------------------------------------------------------------------------------


def cross_section(year: int, smallest: float = 0.1) -> pd.DataFrame:
    """The two indices of every economy with data in one year.

    Parameters
    ----------
    year : int
    smallest : float
        Leave out economies that spend less than this on R&D, per cent of GDP: their I_P/GDP
        divides by nearly nothing.

    Returns
    -------
    DataFrame
        Indexed by ISO code: gdp (US dollars), rd_share, applications, spending (million dollars),
        per_investment, per_intensity.
    """
    wdi = load("wdi").query("year == @year and iso3 != 'WLD'")
    wide = wdi.pivot(index="iso3", columns="indicator", values="value").rename(columns=_WDI)
    wide = wide.reindex(columns=list(_WDI.values()))
    wide["applications"] = wide["residents"] + wide["nonresidents"]
    wide["spending"] = wide["rd_share"] / 100 * wide["gdp"] / 1e6
    wide = wide[["gdp", "rd_share", "applications", "spending"]].dropna()
    wide = wide[(wide["rd_share"] >= smallest) & (wide["applications"] > 0)]
    if wide.empty:
        raise InnovationInputError(f"No economy has research spending and patents in {year}; choose 1996–2021.")
    return wide.assign(
        per_investment=patents_per_investment(wide["applications"], wide["spending"]),
        per_intensity=patents_per_intensity(wide["applications"], wide["rd_share"]),
    )


def fitted_line(size: pd.Series, index: pd.Series) -> Mapping[str, float]:
    """Elasticity of an index with respect to size, by least squares on logarithms.

    Returns
    -------
    dict
        slope, low, high (95 per cent interval, heteroscedasticity-robust HC1), intercept, r2, n. A slope of zero:
        the index does not depend on size; of one: it is proportional to size.
    """
    x, y = np.log(size.astype(float)), np.log(index.astype(float))
    if len(x) < 5:
        raise InnovationInputError(f"A line through {len(x)} economies says nothing; give five.")
    fit = least_squares(y.to_numpy(), np.column_stack([np.ones(len(x)), x]))
    low, high = fit.interval(1, 0.95, normal=True)
    return {
        "slope": float(fit.coef[1]),
        "low": low,
        "high": high,
        "intercept": float(fit.coef[0]),
        "r2": float(1 - fit.residuals.var() / y.var(ddof=0)),
        "n": len(x),
    }
