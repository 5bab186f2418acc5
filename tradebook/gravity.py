"""Structural and traditional gravity equations by Poisson pseudo-maximum likelihood (PPML).

The estimator is `pyfixest.fepois`; this module only prepares the sample, reads the result and
compares one pair of economies with what the equation predicts when that pair is left out.

Frames expected
---------------
flows : year, exporter, importer, value - one row per directed pair and year (see `as_flows`).
distances : the table `geodist-pairs` - exporter, importer, distw, contig, comlang_off, colony.
gdp : iso3, year, value - only for the traditional variant.

References
----------
Anderson and van Wincoop (2003), doi:10.1257/000282803321455214; Santos Silva and Tenreyro (2006),
doi:10.1162/rest.88.4.641; Correia, Guimaraes and Zylkin (2020), doi:10.1177/1536867X20909691.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tradebook.errors import TradebookError
from tradebook.stored import stored

COVARIATES = ("log_distance", "contig", "comlang_off", "colony")
GDP_COVARIATES = ("log_gdp_exporter", "log_gdp_importer")
REPORTERS = ("exporter", "importer", "mean")

# Tighter than pyfixest's default (1e-6): fitted and actual trade of every economy then agree to
# about seven digits, which the left-out ratios use and the tests check.
_IWLS_TOLERANCE = 1e-10
_DEMEANING_TOLERANCE = 1e-7
_MAX_ITERATIONS = 100


class GravityError(TradebookError):
    """The gravity equation cannot be estimated on the data given."""


# Of the intervals, unless others are asked for: of estimates, and of the ratios of comparable pairs.
LEVEL, COMPARABLE_LEVEL = 0.95, 0.90


class _Intervals(NamedTuple):
    """The three settings of the intervals of `pair_ratio`."""

    comparable: int
    level: float
    comparable_level: float


@dataclass(frozen=True)
class GravityFit:
    """An estimated gravity equation.

    Attributes
    ----------
    coefficients : index = covariate; columns coef, se, low, high (normal interval at `level`).
        A covariate that the sample cannot identify (collinear) has empty cells.
    n_observations, n_pairs, n_economies : size of the sample used; pairs are undirected.
    pseudo_r2 : 1 - deviance / deviance of a constant (Cameron and Windmeijer 1996); unlike
        McFadden's measure it does not depend on the currency unit.
    dropped : index = reason, values = observations left out for it.
    predictions : year, exporter, importer, actual, predicted (fitted values, in sample).
    level : confidence level of `coefficients`.
    """

    coefficients: pd.DataFrame
    n_observations: int
    n_pairs: int
    n_economies: int
    pseudo_r2: float
    dropped: pd.Series
    predictions: pd.DataFrame
    level: float


def as_flows(trade: pd.DataFrame, reported_by: str = "exporter") -> pd.DataFrame:
    """Choose whose report measures each flow of the table `bilateral-trade`.

    Parameters
    ----------
    trade : year, exporter, importer, exporter_reported_fob_musd, importer_reported_cif_musd.
    reported_by : "exporter" (FOB), "importer" (CIF) or "mean" (arithmetic mean of the two, only
        where both sides report, so that no flow mixes valuations by accident).

    Returns
    -------
    year, exporter, importer, value (million US$). Missing reports stay missing.
    """
    exports, imports = trade["exporter_reported_fob_musd"], trade["importer_reported_cif_musd"]
    if reported_by not in REPORTERS:
        raise GravityError(f"reported_by is {reported_by!r}; use one of {', '.join(map(repr, REPORTERS))}.")
    values = {"exporter": exports, "importer": imports, "mean": (exports + imports) / 2}
    return trade[["year", "exporter", "importer"]].assign(value=values[reported_by])


@stored("pyfixest")
def estimate(
    flows: pd.DataFrame,
    distances: pd.DataFrame,
    years: Iterable[int] | None = None,
    gdp: pd.DataFrame | None = None,
    *,
    distance: str = "distw",
    level: float = LEVEL,
) -> GravityFit:
    """Estimate the gravity equation by PPML.

    Structural (``gdp=None``): X_ijt = exp(a_it + b_jt + beta' z_ij) * e_ijt with exporter-year
    effects a and importer-year effects b. Traditional (``gdp`` given): the effects are replaced by
    the logarithms of both GDPs and year effects. z holds log distance, contiguity, common
    official language and colonial link. Standard errors are clustered by undirected pair.

    Parameters
    ----------
    flows : year, exporter, importer, value (any unit; only positive reported flows are used).
    distances : exporter, importer, contig, comlang_off, colony and the column `distance` (km).
    years : years to use; all when omitted.
    gdp : iso3, year, value (any unit).
    distance : the distance measure, "distw" (population-weighted), "dist" or "distcap".
    level : confidence level of the intervals.

    Raises
    ------
    GravityError : a column is missing, nothing is left to estimate, or PPML does not converge.
    """
    data, dropped = _sample(flows, distances, years, gdp, distance)
    fit = _fit(data, gdp)
    predicted = fit.predict(type="response")
    names = [*(GDP_COVARIATES if gdp is not None else ()), *COVARIATES]
    z = NormalDist().inv_cdf(0.5 + level / 2)
    table = pd.DataFrame({"coef": fit.coef(), "se": fit.se()}).reindex(names)
    table = table.assign(low=table.coef - z * table.se, high=table.coef + z * table.se)
    constant = np.full(len(data), data.value.mean())
    return GravityFit(
        coefficients=table.rename_axis("covariate"),
        n_observations=len(data),
        n_pairs=data.pair.nunique(),
        n_economies=len(set(data.exporter) | set(data.importer)),
        pseudo_r2=1 - _deviance(data.value, predicted) / _deviance(data.value, constant),
        dropped=dropped,
        predictions=data[["year", "exporter", "importer"]].assign(actual=data.value, predicted=predicted),
        level=level,
    )


@stored("pyfixest")
def pair_ratio(
    flows: pd.DataFrame,
    distances: pd.DataFrame,
    exporter: str,
    importer: str,
    years: Iterable[int] | None = None,
    gdp: pd.DataFrame | None = None,
    *,
    distance: str = "distw",
    comparable: int = 100,
    level: float = LEVEL,
    comparable_level: float = COMPARABLE_LEVEL,
) -> pd.DataFrame:
    """Compare the trade of one pair, year by year, with what the other pairs' trade predicts.

    Each year is its own cross-section. Two dummies, one a direction, take the pair out of the
    estimation, so that exp(dummy) = actual / predicted *without* the pair. A dummy for a single
    observation fits it perfectly: its clustered standard error holds no noise of that observation
    and measures only how well the prediction is estimated. Two intervals are therefore given:

    ratio_low, ratio_high
        confidence interval of actual over *expected* trade: uncertainty of the prediction alone.
    comparable_low, comparable_high
        the central `comparable_level` of the same ratio among the `comparable` pairs whose
        predicted trade is nearest in logarithms: how far ordinary pairs of that size stray. A
        pair outside this range is unusual; one inside it is not, whatever the first interval.

    Ratios of the comparison pairs are left-out ratios too (`_left_out`).

    Parameters
    ----------
    flows, distances, years, gdp, distance : as in `estimate`.
    exporter, importer : ISO 3166 alpha-3 codes of the pair.
    comparable : number of comparison pairs.
    level, comparable_level : coverage of the two intervals.

    Returns
    -------
    One row per year and flow ("exports" of `exporter` to `importer`, "imports" the other way,
    "total" both): year, flow, actual, predicted, ratio, ratio_low, ratio_high, comparable_low,
    comparable_median, comparable_high, percentile_comparable, percentile_partners (share of the
    comparison pairs, and of all pairs of either economy, with a lower ratio, 0-100),
    n_comparable, n_partners, position ("above", "within", "below" the comparable range).
    A year or flow that is not reported, or cannot be predicted, has no row.

    Raises
    ------
    GravityError : the pair has no usable flow at all, or as in `estimate`.
    """
    data, _ = _sample(flows, distances, years, gdp, distance)
    forth, back = _is_flow(data, exporter, importer), _is_flow(data, importer, exporter)
    usable_years = sorted(data.year[forth | back].unique())
    if exporter == importer or not usable_years:
        raise GravityError(
            f"No usable trade between {exporter} and {importer}: check the ISO codes, that a flow "
            "is reported in these years, and that both economies have distances"
            f"{' and GDP' if gdp is not None else ''}."
        )
    data = data.assign(forth=forth.astype(float), back=back.astype(float))
    intervals = _Intervals(comparable, level, comparable_level)
    rows = []
    for year in usable_years:
        section = data[data.year == year].reset_index(drop=True)
        compared = _compare(section, gdp, exporter, importer, intervals)
        rows.extend({"year": int(year), **row} for row in compared)
    if not rows:
        raise GravityError(
            f"The trade of {exporter} and {importer} cannot be predicted from their other trade: "
            "they have too few other partners in these years."
        )
    return pd.DataFrame(rows)


@stored("pyfixest")
def product_ratio(
    flows: pd.DataFrame,
    distances: pd.DataFrame,
    exporter: str,
    importer: str,
    product: str = "sitc_section",
    **options: Any,
) -> pd.DataFrame:
    """Run `pair_ratio` for every product group: where is trade below its prediction?

    Parameters
    ----------
    flows : year, exporter, importer, value and the column named by `product`.
    product : column that holds the product group; one regression is run per group.
    **options : passed on to `pair_ratio` (years, distance, comparable, ...).

    Returns
    -------
    The columns of `pair_ratio` preceded by `product`. A group in which the pair reports no trade
    has no row.
    """
    tables = []
    for group, part in flows.groupby(product, observed=True, sort=True):
        if not (_is_flow(part, exporter, importer) | _is_flow(part, importer, exporter)).any():
            continue
        table = pair_ratio(part, distances, exporter, importer, **options)
        table.insert(0, product, group)
        tables.append(table)
    if not tables:
        raise GravityError(f"No product group has trade between {exporter} and {importer}: check the ISO codes.")
    return pd.concat(tables, ignore_index=True)


def _sample(
    flows: pd.DataFrame,
    distances: pd.DataFrame,
    years: Iterable[int] | None,
    gdp: pd.DataFrame | None,
    distance: str,
) -> tuple[pd.DataFrame, pd.Series]:
    """Join flows, distances and GDP; return the sample and the observations dropped by reason."""
    _require(distances, ("exporter", "importer"), (distance, *COVARIATES[1:]), "distances")
    if years is not None and "year" in flows:
        flows = flows[flows.year.isin(list(years))]
    _require(flows, ("year", "exporter", "importer"), ("value",), "flows")
    data = flows[["year", "exporter", "importer", "value"]]
    dropped: dict[str, int] = {}

    def keep(condition: pd.Series, reason: str) -> None:
        nonlocal data
        dropped[reason] = int((~condition).sum())
        data = data[condition]

    keep(data.value.notna(), "not reported")
    keep(data.value > 0, "zero or negative")
    # Both sides share one sorted list of codes, so that pairs and effects are integers.
    codes = sorted(set(data.exporter.unique()) | set(data.importer.unique()))
    economy = pd.CategoricalDtype(codes)
    ends = {"exporter": economy, "importer": economy}
    data = data.astype({**ends, "value": float})
    keep(data.exporter != data.importer, "same economy")
    known = distances.exporter.isin(codes) & distances.importer.isin(codes)
    geography = distances.loc[known, ["exporter", "importer", distance, *COVARIATES[1:]]]
    data = data.merge(geography.astype(ends), on=["exporter", "importer"], how="left", validate="many_to_one")
    keep(data[distance] > 0, "aggregate, or no distance known")
    data = data.assign(log_distance=np.log(data[distance]))
    if gdp is not None:
        _require(gdp, ("iso3", "year"), ("value",), "gdp")
        size = gdp[["iso3", "year", "value"]].astype({"iso3": economy})
        for side in ("exporter", "importer"):
            renamed = size.dropna().rename(columns={"iso3": side, "value": "gdp"})
            data = data.merge(renamed, on=[side, "year"], how="left", validate="many_to_one")
            keep(data.gdp > 0, f"no GDP of the {side}")
            data = data.assign(**{f"log_gdp_{side}": np.log(data.gdp)}).drop(columns="gdp")
    origin, destination = data.exporter.cat.codes.astype(int), data.importer.cat.codes.astype(int)
    data = data.assign(
        pair=np.minimum(origin, destination) * len(codes) + np.maximum(origin, destination),
        exporter_year=data.year.astype(int) * len(codes) + origin,
        importer_year=data.year.astype(int) * len(codes) + destination,
    )
    if gdp is None:
        # An economy-year with a single partner is fitted exactly by its own effect. Dropping it
        # can leave another one alone, hence the loop.
        before = len(data)
        alone = pd.Series(True, index=data.index)
        while alone.any():
            alone = ~(data.exporter_year.duplicated(keep=False) & data.importer_year.duplicated(keep=False))
            data = data[~alone]
        dropped["only partner of the economy in that year"] = before - len(data)
    if data.empty:
        raise GravityError(
            "No observation is left for the gravity equation: check the years, the ISO codes and "
            "that flows and distances use the same codes."
        )
    # A fixed order makes sums, and so the last digits, independent of the order of the input.
    data = data.sort_values(["exporter_year", "importer_year"]).reset_index(drop=True)
    return data, pd.Series(dropped, name="observations").rename_axis("reason")


def _fit(data: pd.DataFrame, gdp: pd.DataFrame | None, extra: tuple[str, ...] = ()) -> Any:
    """PPML with pyfixest; raises instead of returning an estimate that did not converge."""
    # Imported here: the import takes a second, and most readers of the package need no gravity.
    import pyfixest

    names = [*(GDP_COVARIATES if gdp is not None else ()), *COVARIATES, *extra]
    # A constant column (all years alike, nobody contiguous) is no covariate; fepois would fail.
    names = [name for name in names if data[name].nunique() > 1]
    if gdp is None:
        effects = " | exporter_year + importer_year"
    else:
        effects = " | year" if data.year.nunique() > 1 else ""
    with warnings.catch_warnings():
        # Collinear covariates are shown as empty cells of the coefficient table.
        warnings.filterwarnings("ignore", message=".*multicollinearity.*")
        # pyfixest 0.60 still uses a keyword that pandas 3.1 announces it will remove.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        fit = pyfixest.fepois(
            f"value ~ {' + '.join(names)}{effects}",
            data[["value", "pair", "year", "exporter_year", "importer_year", *names]],
            vcov={"CRV1": "pair"},
            fixef_rm="none",
            iwls_tol=_IWLS_TOLERANCE,
            iwls_maxiter=_MAX_ITERATIONS,
            demeaner=pyfixest.MapDemeaner(fixef_tol=_DEMEANING_TOLERANCE),
        )
    if not fit.convergence:
        raise GravityError(f"PPML did not converge in {_MAX_ITERATIONS} iterations: use more years or economies.")
    return fit


def _compare(
    section: pd.DataFrame,
    gdp: pd.DataFrame | None,
    exporter: str,
    importer: str,
    intervals: _Intervals,
) -> Iterator[dict]:
    """Yield the rows of `pair_ratio` for one year's cross-section."""
    ends = {"forth": (exporter, importer), "back": (importer, exporter)}
    dummies = [name for name in ends if section[name].any()]
    fit = _fit(section, gdp, tuple(dummies))
    names = list(fit.coef().index)
    if not set(dummies) <= set(names):
        return
    where = [names.index(name) for name in dummies]
    log_ratio = fit.coef().to_numpy()[where]
    covariance = fit._vcov[np.ix_(where, where)]
    actual = np.array([section.value[section[name] == 1].item() for name in dummies])
    predicted = actual / np.exp(log_ratio)

    others = section.assign(predicted=_left_out(section, fit, gdp))
    others = others[(others.forth + others.back == 0) & (others.predicted > 0)]
    others = others[["exporter", "importer", "pair", "value", "predicted"]]
    for k, name in enumerate(dummies):
        origin, destination = ends[name]
        partners = (others.exporter == origin) | (others.importer == destination)
        flow = "exports" if name == "forth" else "imports"
        yield {"flow": flow} | _row(actual[k], predicted[k], covariance[k, k], others, partners, intervals)
    if len(dummies) == 2:
        # Delta method: d log(m1 + m2) = share1 d log m1 + share2 d log m2.
        share = predicted / predicted.sum()
        totals, pair = _both_ways(others), [exporter, importer]
        partners = totals.exporter.isin(pair) | totals.importer.isin(pair)
        yield {"flow": "total"} | _row(
            actual.sum(), predicted.sum(), share @ covariance @ share, totals, partners, intervals
        )


def _both_ways(others: pd.DataFrame) -> pd.DataFrame:
    """Add up the two directions of every pair that reports both."""
    both = others[others.pair.duplicated(keep=False)].sort_values("pair", kind="stable")
    first, second = both.iloc[::2].reset_index(drop=True), both.iloc[1::2].reset_index(drop=True)
    return first.assign(value=first.value + second.value, predicted=first.predicted + second.predicted)


def _row(
    actual: float,
    predicted: float,
    variance: float,
    others: pd.DataFrame,
    partners: pd.Series,
    intervals: _Intervals,
) -> dict:
    """One row of `pair_ratio`: the ratio, its two intervals, its ranks."""
    ratios = others.value / others.predicted
    gap = (np.log(others.predicted) - np.log(predicted)).abs()
    nearest = ratios[gap.sort_values(kind="stable").index[: intervals.comparable]]
    tail = (1 - intervals.comparable_level) / 2
    low, median, high = nearest.quantile([tail, 0.5, 1 - tail])
    ratio = actual / predicted
    width = np.exp(NormalDist().inv_cdf(0.5 + intervals.level / 2) * np.sqrt(variance))
    return {
        "actual": actual,
        "predicted": predicted,
        "ratio": ratio,
        "ratio_low": ratio / width,
        "ratio_high": ratio * width,
        "comparable_low": low,
        "comparable_median": median,
        "comparable_high": high,
        "percentile_comparable": 100 * (nearest < ratio).mean(),
        "percentile_partners": 100 * (ratios[partners] < ratio).mean(),
        "n_comparable": len(nearest),
        "n_partners": int(partners.sum()),
        "position": "above" if ratio > high else "below" if ratio < low else "within",
    }


def _left_out(section: pd.DataFrame, fit: Any, gdp: pd.DataFrame | None) -> pd.Series:
    """Predict each flow of a cross-section as if that flow had not been used.

    Structural: by PPML's first-order conditions fitted and actual trade have the same sum for
    every exporter and every importer (Fally 2015). Without flow ij, and with all else held,
    exporter i's effect is rescaled by (X_i - X_ij) / (X_i - M_ij) and importer j's likewise
    (X actual, M fitted, X_i the exporter's total), which gives the prediction in closed form.
    Traditional: seven parameters are shared by all pairs, so the fitted value itself is used.
    """
    fitted = pd.Series(fit.predict(type="response"), index=section.index)
    if gdp is not None:
        return fitted
    prediction = fitted.copy()
    for effect in ("exporter_year", "importer_year"):
        total = section.groupby(effect).value.transform("sum")
        rest = total - fitted
        # An economy whose only other flow is the pair's own has nothing left to rescale by.
        scale = (total - section.value) / rest.where(rest > 1e-6 * total)
        prediction = prediction * scale
    return prediction


def _is_flow(data: pd.DataFrame, exporter: str, importer: str) -> pd.Series:
    return (data.exporter == exporter) & (data.importer == importer)


def _deviance(actual: pd.Series, predicted: np.ndarray) -> float:
    """Poisson deviance of positive flows."""
    return float(2 * (actual * np.log(actual / predicted) - (actual - predicted)).sum())


def _require(frame: pd.DataFrame, key: tuple[str, ...], others: tuple[str, ...], name: str) -> None:
    """Check that a frame has its columns and one row per key."""
    missing = [column for column in (*key, *others) if column not in frame]
    if missing:
        raise GravityError(
            f"The frame `{name}` has no column {', '.join(map(repr, missing))}: "
            "rename its columns as the docstring of tradebook.gravity says."
        )
    if frame.duplicated(list(key)).any():
        raise GravityError(
            f"The frame `{name}` has more than one row for the same {', '.join(key)}: select one "
            "product, indicator or report, or add the rows up, first."
        )
