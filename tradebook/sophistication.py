"""How rich are the economies that export what an economy exports? PRODY and EXPY.

Both are income levels: PRODY of a product is the mean income of its exporters, EXPY of an economy the
mean PRODY of its exports. Hausmann, Hwang and Rodrik (2007) read a high EXPY as a sophisticated export
basket. The reading is only as fine as the classification: a product class that holds chips and
chargers has one PRODY for both, and the assembler of imported parts gets the income level of the
finished good.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tradebook.errors import TradebookError

__all__ = ["SophisticationError", "expy", "prody"]


class SophisticationError(TradebookError):
    """The exports or the incomes given cannot be used."""


def prody(
    flows: pd.DataFrame,
    income: pd.Series,
    *,
    exporter: str = "exporter",
    product: str = "product",
    value: str = "value_usd",
) -> pd.Series:
    """Income level of products: PRODY_k = Σ_j s_jk Y_j / Σ_j s_jk, with s_jk = x_jk / X_j.

    The weights are the shares of the product in each economy's *own* exports, not in the world's, so
    that a large economy does not count for more than a small one.

    Parameters
    ----------
    flows : DataFrame
        One row per exporter and product of one year; missing values are not reported and left out.
    income : Series
        Income per head by exporter. Exporters without one are left out.

    Returns
    -------
    Series
        Indexed by product, in the unit of `income`.

    Raises
    ------
    SophisticationError
        If rows repeat, a value is negative, or no exporter has an income.

    Source: Hausmann, Hwang and Rodrik (2007), equation for PRODY.
    """
    shares = _shares(flows, exporter, product, value)
    known = income.dropna()
    shares = shares.loc[shares.index.intersection(known.index)]
    if shares.empty:
        raise SophisticationError("No exporter has an income: index `income` by the exporters' codes.")
    weight = shares.sum(axis=0)
    level = shares.mul(known.reindex(shares.index), axis=0).sum(axis=0) / weight.where(weight > 0)
    return level.rename("prody")


def expy(
    flows: pd.DataFrame,
    levels: pd.Series,
    *,
    exporter: str = "exporter",
    product: str = "product",
    value: str = "value_usd",
) -> pd.Series:
    """Income level of exports: EXPY_i = Σ_k s_ik PRODY_k.

    Parameters
    ----------
    flows : DataFrame
        One row per exporter and product of one year.
    levels : Series
        Result of `prody`, indexed by product. Products without a level are left out, and the shares
        of the others are taken as the whole.

    Returns
    -------
    Series
        Indexed by exporter, in the unit of `levels`.

    Raises
    ------
    SophisticationError
        As `prody`, and if no product has a level.

    Source: Hausmann, Hwang and Rodrik (2007), equation for EXPY.
    """
    known = levels.dropna()
    kept = flows[flows[product].isin(known.index)]
    if kept.empty:
        raise SophisticationError("No product of these exports has a level: give the result of prody().")
    shares = _shares(kept, exporter, product, value)
    total = shares.mul(known.reindex(shares.columns), axis=1).sum(axis=1)
    return total.rename("expy")


def _shares(flows: pd.DataFrame, exporter: str, product: str, value: str) -> pd.DataFrame:
    """Shares of products (columns) in the exports of each economy (rows)."""
    missing = [c for c in (exporter, product, value) if c not in flows]
    if missing:
        raise SophisticationError(f"The exports have no column “{missing[0]}”: name it in the call.")
    rows = flows.dropna(subset=[value])
    if rows.duplicated([exporter, product]).any():
        raise SophisticationError("An exporter has two rows of one product: give one year, summed over partners.")
    if (rows[value] < 0).any() or not np.isfinite(rows[value]).all():
        raise SophisticationError("Exports must be finite and not negative: drop re-imports and corrections.")
    wide = rows.pivot(index=exporter, columns=product, values=value).fillna(0.0)
    totals = wide.sum(axis=1)
    return wide[totals > 0].div(totals[totals > 0], axis=0)
