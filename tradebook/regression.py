"""Least squares with robust standard errors.

b = (X'X)^-1 X'y with covariance (X'X)^-1 S (X'X)^-1 n / (n - k); e are the residuals, x_t the rows of X:

    S = sum_t e_t^2 x_t x_t'                                            heteroscedasticity (HC1; White 1980)
    S + sum_j (1 - j / (L + 1)) sum_t e_t e_{t-j} (x_t x_{t-j}' + x_{t-j} x_t')   and autocorrelation up to L years
                                                                        (HAC; Newey and West 1987)

Written out here, because a page that runs in a browser has no package for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

__all__ = ["Fit", "least_squares"]


@dataclass(frozen=True)
class Fit:
    """An estimated regression: coefficients, their standard errors, residuals, degrees of freedom."""

    coef: np.ndarray
    se: np.ndarray
    residuals: np.ndarray
    freedom: int

    def interval(self, number: int, level: float, normal: bool = False) -> tuple[float, float]:
        """Confidence interval of a coefficient by Student's t, or by the normal distribution."""
        reach = self._law(normal).ppf(0.5 + level / 2) * self.se[number]
        return float(self.coef[number] - reach), float(self.coef[number] + reach)

    def p_value(self, number: int) -> float:
        """Two-sided p value of a zero coefficient, by Student's t."""
        return float(2 * self._law(False).sf(abs(self.coef[number] / self.se[number])))

    def _law(self, normal: bool):
        return stats.norm if normal else stats.t(self.freedom)


def least_squares(y: np.ndarray, design: np.ndarray, lags: int = 0) -> Fit:
    """Regress `y` (n) on the columns of `design` (n by k), with HC1 errors, or HAC errors if `lags` is positive."""
    n, k = design.shape
    inverse = np.linalg.pinv(design)
    coef = inverse @ y
    residuals = y - design @ coef
    scores = design * residuals[:, None]
    spread = scores.T @ scores
    for lag in range(1, lags + 1):
        crossed = scores[lag:].T @ scores[:-lag]
        spread += (1 - lag / (lags + 1)) * (crossed + crossed.T)
    bread = inverse @ inverse.T
    covariance = bread @ spread @ bread * n / (n - k)
    return Fit(coef, np.sqrt(np.diag(covariance)), residuals, n - k)
