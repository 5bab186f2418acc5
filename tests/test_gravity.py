"""Gravity: known coefficients, an independent estimator, left-out ratios, sample rules, errors."""

import numpy as np
import pandas as pd
import pytest

from tradebook.errors import TradebookError
from tradebook.gravity import (
    COVARIATES,
    GravityError,
    _fit,
    _left_out,
    _sample,
    as_flows,
    estimate,
    pair_ratio,
    product_ratio,
)

GDP = pd.DataFrame({"iso3": ["E00"], "year": [2001], "value": [1.0]})
BETA = {"log_distance": -0.9, "contig": 0.5, "comlang_off": 0.3, "colony": 0.2}


def simulate(n=20, years=(2001,), noise=0.0, seed=1, gdp=None):
    """Flows of n economies from known effects and BETA; gamma noise with mean one."""
    rng = np.random.default_rng(seed)
    codes = [f"E{k:02d}" for k in range(n)]
    place = rng.uniform(0, 5000, (n, 2))
    symmetric = np.triu(rng.random((n, n)), 1)
    rows = []
    for a in range(n):
        for b in range(n):
            draw = symmetric[min(a, b), max(a, b)]
            rows.append(
                {
                    "exporter": codes[a],
                    "importer": codes[b],
                    "distw": np.hypot(*(place[a] - place[b])) + 50,
                    "contig": int(draw > 0.85),
                    "comlang_off": int(0.3 < draw < 0.5),
                    "colony": int(draw < 0.12),
                }
            )
    distances = pd.DataFrame(rows)
    tables, sizes = [], []
    for year in years:
        out, into = rng.normal(8, 1, n), rng.normal(8, 1, n)
        size = pd.Series(np.exp(rng.normal(5, 1, n)), codes)
        table = distances[distances.exporter != distances.importer].copy()
        eta = sum(BETA[c] * (np.log(table.distw) if c == "log_distance" else table[c]) for c in COVARIATES)
        if gdp is None:
            eta += table.exporter.map(dict(zip(codes, out, strict=True)))
            eta += table.importer.map(dict(zip(codes, into, strict=True)))
        else:
            eta += gdp[0] * np.log(table.exporter.map(size))
            eta += gdp[1] * np.log(table.importer.map(size))
        table["expected"] = np.exp(eta)
        table["value"] = table.expected
        if noise:
            table["value"] *= rng.gamma(1 / noise, noise, len(table))
        tables.append(table.assign(year=year)[["year", "exporter", "importer", "value", "expected"]])
        sizes.append(pd.DataFrame({"iso3": codes, "year": year, "value": size.to_numpy()}))
    return pd.concat(tables, ignore_index=True), distances, pd.concat(sizes, ignore_index=True)


def multiply(flows, exporter, importer, factor):
    chosen = (flows.exporter == exporter) & (flows.importer == importer)
    return flows.assign(value=flows.value.where(~chosen, flows.value * factor))


def test_exact_data_give_back_the_coefficients():
    flows, distances, _ = simulate(years=(2001, 2002))
    fit = estimate(flows, distances)
    assert fit.coefficients.coef.to_dict() == pytest.approx(BETA, abs=1e-6)
    assert fit.pseudo_r2 == pytest.approx(1)
    assert (fit.n_observations, fit.n_pairs, fit.n_economies) == (2 * 20 * 19, 190, 20)


def test_noisy_data_give_the_coefficients_within_their_standard_errors():
    flows, distances, _ = simulate(n=30, years=(2001, 2002, 2003), noise=0.5)
    table = estimate(flows, distances).coefficients
    assert ((table.coef - pd.Series(BETA)).abs() < 3 * table.se).all()
    assert (table.se < 0.2).all()
    np.testing.assert_allclose((table.high - table.low) / (2 * table.se), 1.959964, rtol=1e-6)


def test_equals_a_poisson_glm_with_dummies():
    sm = pytest.importorskip("statsmodels.api")
    flows, distances, _ = simulate(n=10, years=(2001, 2002), noise=0.5)
    fit = estimate(flows, distances)
    data = flows.merge(distances)
    pair = data[["exporter", "importer"]].min(axis=1) + data[["exporter", "importer"]].max(axis=1)
    year = data.year.astype(str)
    effects = pd.concat(
        [
            pd.get_dummies(data.exporter + year, dtype=float),
            # Each year's importer effects are known up to a constant: leave one out a year.
            pd.get_dummies("to" + data.importer + year, dtype=float).drop(columns=["toE002001", "toE002002"]),
        ],
        axis=1,
    )
    x = data.assign(log_distance=np.log(data.distw))[list(COVARIATES)].join(effects)
    glm = sm.GLM(data.value, x, family=sm.families.Poisson()).fit(
        tol=1e-12, cov_type="cluster", cov_kwds={"groups": pd.factorize(pair)[0]}
    )
    names = list(COVARIATES)
    np.testing.assert_allclose(fit.coefficients.coef, glm.params[names], atol=1e-6)
    # Both correct by G/(G-1) * (N-1)/(N-k). The dummies lose one column a year (two years: two),
    # pyfixest's k counts every effect but one.
    n, k_glm, k_effects = len(data), x.shape[1], 4 + 4 * 10 - 1
    factor = np.sqrt((n - k_glm) / (n - k_effects))
    np.testing.assert_allclose(fit.coefficients.se, glm.bse[names] * factor, rtol=1e-5)
    predicted = fit.predictions.set_index(["year", "exporter", "importer"]).predicted
    expected = pd.Series(glm.fittedvalues.to_numpy(), data.set_index(predicted.index.names).index)
    np.testing.assert_allclose(predicted, expected.reindex(predicted.index), rtol=1e-5)


def test_fitted_trade_adds_up_to_actual_trade_of_every_economy_and_year():
    flows, distances, _ = simulate(years=(2001, 2002), noise=1.0)
    predictions = estimate(flows, distances).predictions
    for side in ("exporter", "importer"):
        sums = predictions.groupby(["year", side])[["actual", "predicted"]].sum()
        np.testing.assert_allclose(sums.predicted, sums.actual, rtol=1e-4)


def test_a_known_multiplier_of_one_pair_is_found():
    flows, distances, _ = simulate(years=(2001, 2002))
    flows = multiply(multiply(flows, "E03", "E07", 2.5), "E07", "E03", 0.4)
    table = pair_ratio(flows, distances, "E03", "E07", years=[2002], comparable=30)
    ratios = table.set_index("flow").ratio
    assert list(table.flow) == ["exports", "imports", "total"]
    assert ratios.exports == pytest.approx(2.5, rel=1e-6)
    assert ratios.imports == pytest.approx(0.4, rel=1e-6)
    assert list(table.position[:2]) == ["above", "below"]
    # All other pairs sit on the equation: their ratios are one.
    assert table.comparable_median.to_list() == pytest.approx([1, 1, 1], rel=1e-4)
    assert list(table.percentile_comparable[:2]) == [100, 0]
    assert list(table.n_partners) == [36, 36, 36]


def test_the_traditional_equation_finds_gdp_elasticities_and_the_multiplier():
    flows, distances, gdp = simulate(years=(2001, 2002), gdp=(0.8, 0.7))
    fit = estimate(flows, distances, gdp=gdp)
    expected = {"log_gdp_exporter": 0.8, "log_gdp_importer": 0.7} | BETA
    assert fit.coefficients.coef.to_dict() == pytest.approx(expected, abs=1e-6)
    table = pair_ratio(multiply(flows, "E03", "E07", 3), distances, "E03", "E07", gdp=gdp)
    assert table[table.flow == "exports"].ratio.to_list() == pytest.approx([3, 3], rel=1e-6)
    without = gdp[gdp.iso3 != "E05"]
    dropped = estimate(flows, distances, gdp=without).dropped
    assert dropped["no GDP of the exporter"] == 2 * 19
    assert dropped["no GDP of the importer"] == 2 * 19


def test_left_out_predictions_are_close_to_refitting_without_each_flow():
    flows, distances, _ = simulate(n=60, noise=0.5, seed=2)
    data, _ = _sample(flows, distances, None, None, "distw")
    fit = _fit(data, None)
    closed, fitted = _left_out(data, fit, None), fit.predict(type="response")
    largest = data.value.nlargest(12).index
    exact = []
    for row in largest:
        dummy = data.assign(alone=(data.index == row).astype(float))
        exact.append(data.value[row] / np.exp(_fit(dummy, None, ("alone",)).coef()["alone"]))
    error = np.sqrt(np.mean(np.log(closed[largest] / exact) ** 2))
    in_sample_error = np.sqrt(np.mean(np.log(fitted[largest] / exact) ** 2))
    assert error < 0.05
    assert error < in_sample_error / 4


def test_the_interval_covers_actual_over_expected_trade():
    flows, distances, _ = simulate(n=25, noise=0.3, seed=4)
    expected = flows.set_index(["exporter", "importer"])
    hits = []
    for a in range(0, 24, 2):
        for b in range(a + 1, 25, 6):
            exporter, importer = f"E{a:02d}", f"E{b:02d}"
            row = pair_ratio(flows, distances, exporter, importer).iloc[0]
            truth = expected.loc[(exporter, importer)]
            hits.append(row.ratio_low <= truth.value / truth.expected <= row.ratio_high)
    # The nominal level is 95 per cent; clustered errors with many effects run somewhat short.
    assert len(hits) == 30
    assert 0.8 <= np.mean(hits) < 1


def test_the_comparable_range_is_the_quantile_range_of_the_nearest_pairs():
    flows, distances, _ = simulate(noise=0.5)
    row = pair_ratio(flows, distances, "E03", "E07", comparable=40, comparable_level=0.8).iloc[0]
    everyone = pair_ratio(flows, distances, "E03", "E07", comparable=10_000).iloc[0]
    assert (row.n_comparable, everyone.n_comparable) == (40, 20 * 19 - 2)
    assert row.comparable_low < row.comparable_median < row.comparable_high
    assert everyone.ratio == row.ratio
    wide = pair_ratio(flows, distances, "E03", "E07", comparable=40).iloc[0]
    assert wide.comparable_low < row.comparable_low < row.comparable_high < wide.comparable_high


def test_ratio_does_not_depend_on_units_row_order_or_the_side_asked_from():
    flows, distances, _ = simulate(noise=0.5)
    one = pair_ratio(flows, distances, "E03", "E07").set_index("flow")
    scaled = flows.assign(value=flows.value * 1e6).sample(frac=1, random_state=0)
    other = pair_ratio(scaled, distances, "E07", "E03").set_index("flow")
    shared = ["ratio", "ratio_low", "ratio_high", "comparable_low", "percentile_partners"]
    for flow, mirror in (("exports", "imports"), ("imports", "exports"), ("total", "total")):
        np.testing.assert_allclose(
            one.loc[flow, shared].astype(float), other.loc[mirror, shared].astype(float), rtol=1e-5
        )
    assert estimate(flows, distances).pseudo_r2 == pytest.approx(estimate(scaled, distances).pseudo_r2)


def test_a_direction_that_is_not_reported_has_no_row():
    flows, distances, _ = simulate(years=(2001, 2002), noise=0.5)
    gone = (flows.year == 2001) & (flows.exporter == "E07") & (flows.importer == "E03")
    table = pair_ratio(flows[~gone], distances, "E03", "E07")
    assert list(table[table.year == 2001].flow) == ["exports"]
    assert list(table[table.year == 2002].flow) == ["exports", "imports", "total"]


def test_dropped_observations_are_counted_by_reason():
    flows, distances, _ = simulate()
    extra = pd.DataFrame(
        [
            (2001, "E00", "WLD", 9.0),  # aggregate
            (2001, "E01", "E01", 5.0),  # domestic
            (2002, "E01", "E02", 5.0),  # the only flow of 2002
        ],
        columns=["year", "exporter", "importer", "value"],
    )
    data = pd.concat([flows, extra], ignore_index=True)
    data.loc[0, "value"], data.loc[1, "value"], data.loc[2, "value"] = np.nan, 0, -1
    fit = estimate(data, distances)
    assert fit.dropped.to_dict() == {
        "not reported": 1,
        "zero or negative": 2,
        "same economy": 1,
        "aggregate, or no distance known": 1,
        "only partner of the economy in that year": 1,
    }
    assert fit.n_observations == len(data) - fit.dropped.sum()


def test_a_covariate_that_never_varies_is_left_empty():
    flows, distances, _ = simulate()
    table = estimate(flows, distances.assign(colony=0)).coefficients
    assert np.isnan(table.coef["colony"]) and table.coef.drop("colony").notna().all()


def test_as_flows_keeps_missing_reports_missing():
    trade = pd.DataFrame(
        {
            "year": 2001,
            "exporter": ["A", "A"],
            "importer": ["B", "C"],
            "exporter_reported_fob_musd": [10.0, np.nan],
            "importer_reported_cif_musd": [12.0, 5.0],
        }
    )
    assert as_flows(trade).value.fillna(-1).to_list() == [10, -1]
    assert as_flows(trade, "importer").value.to_list() == [12, 5]
    assert as_flows(trade, "mean").value.fillna(-1).to_list() == [11, -1]
    with pytest.raises(GravityError, match="use one of 'exporter', 'importer', 'mean'"):
        as_flows(trade, "both")


def test_product_ratio_runs_one_equation_per_group():
    first, distances, _ = simulate(noise=0.5, seed=1)
    second, _, _ = simulate(noise=0.5, seed=1)
    second = multiply(second, "E03", "E07", 4)
    third = first[~first.exporter.isin(["E03", "E07"])]
    products = pd.concat([first.assign(group="x"), second.assign(group="y"), third.assign(group="z")])
    table = product_ratio(products, distances, "E03", "E07", product="group", comparable=30)
    assert list(table.group) == ["x"] * 3 + ["y"] * 3
    alone = pair_ratio(first, distances, "E03", "E07", comparable=30)
    pd.testing.assert_frame_equal(table[table.group == "x"].drop(columns="group"), alone, check_exact=False)
    exports = table[table.flow == "exports"].ratio.to_list()
    assert exports[1] == pytest.approx(4 * exports[0], rel=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f, d: pair_ratio(f, d, "E03", "XYZ"), "No usable trade between E03 and XYZ"),
        (lambda f, d: pair_ratio(f, d, "E03", "E03"), "No usable trade between E03 and E03"),
        (lambda f, d: pair_ratio(f, d, "E03", "E07", years=[1900]), "No observation is left"),
        (lambda f, d: estimate(f.drop(columns="value"), d), "`flows` has no column 'value'"),
        (lambda f, d: estimate(f, d, distance="km"), "`distances` has no column 'km'"),
        (lambda f, d: estimate(pd.concat([f, f]), d), "more than one row for the same year"),
        (lambda f, d: estimate(f, pd.concat([d, d])), "`distances` has more than one row"),
        (lambda f, d: estimate(f, d, gdp=pd.concat([GDP, GDP])), "`gdp` has more than one row"),
        (
            lambda f, d: product_ratio(f.assign(group=1), d, "E03", "XYZ", product="group"),
            "No product group has trade between E03 and XYZ",
        ),
    ],
)
def test_errors_are_one_clear_sentence(change, message):
    flows, distances, _ = simulate()
    with pytest.raises(GravityError, match=message) as error:
        change(flows, distances)
    assert isinstance(error.value, TradebookError)
    assert "\n" not in str(error.value)
