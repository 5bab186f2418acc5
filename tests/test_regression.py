"""Least squares with robust errors, against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from tradebook.regression import least_squares


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray]:
    """Forty years of a variable that depends on another, with shocks that last."""
    random = np.random.default_rng(7)
    x = random.normal(size=40).cumsum()
    shocks = random.normal(size=41)
    return 2 + 0.5 * x + shocks[1:] + 0.6 * shocks[:-1], np.column_stack([np.ones(40), x])


@pytest.mark.parametrize("lags", [1, 3, 8])
def test_newey_west_errors(sample: tuple[np.ndarray, np.ndarray], lags: int) -> None:
    y, design = sample
    fit = least_squares(y, design, lags)
    wanted = sm.OLS(y, design).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=True)
    assert fit.coef == pytest.approx(wanted.params, rel=1e-10)
    assert fit.se == pytest.approx(wanted.bse, rel=1e-10)
    assert [fit.p_value(k) for k in (0, 1)] == pytest.approx(wanted.pvalues, rel=1e-8)
    assert fit.interval(1, 0.9) == pytest.approx(wanted.conf_int(0.1)[1], rel=1e-10)


def test_errors_under_unequal_spread(sample: tuple[np.ndarray, np.ndarray]) -> None:
    y, design = sample
    fit, wanted = least_squares(y, design), sm.OLS(y, design).fit(cov_type="HC1")
    assert fit.se == pytest.approx(wanted.bse, rel=1e-10)
    assert fit.interval(1, 0.95, normal=True) == pytest.approx(wanted.conf_int()[1], rel=1e-10)
    assert fit.residuals == pytest.approx(wanted.resid, abs=1e-10)


def test_mean_of_one_column() -> None:
    fit = least_squares(np.array([1.0, 2.0, 6.0]), np.ones((3, 1)))
    # mean 3; residuals -2, -1, 3; variance (4 + 1 + 9) / 9 * 3 / 2
    assert fit.coef[0] == pytest.approx(3) and fit.se[0] == pytest.approx((14 / 9 * 1.5) ** 0.5)
