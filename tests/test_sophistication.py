"""PRODY and EXPY: cases worked by hand, properties, an independent implementation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradebook import sophistication
from tradebook.errors import TradebookError
from tradebook.sophistication import SophisticationError

quick = settings(derandomize=True, max_examples=25, deadline=None, database=None)

# R exports 80 of chips and 20 of rice, P 10 of chips and 30 of rice; incomes 40 and 4.
#   shares: chips 0.8 and 0.25, rice 0.2 and 0.75
#   PRODY chips = (0.8 * 40 + 0.25 * 4) / 1.05 = 33 / 1.05;  rice = (0.2 * 40 + 0.75 * 4) / 0.95
EXPORTS = pd.DataFrame(
    {
        "exporter": ["R", "R", "P", "P"],
        "product": ["chips", "rice", "chips", "rice"],
        "value_usd": [80.0, 20.0, 10.0, 30.0],
    }
)
INCOME = pd.Series({"R": 40.0, "P": 4.0})


def tidy(matrix: np.ndarray) -> pd.DataFrame:
    names = [f"e{i}" for i in range(matrix.shape[0])]
    wide = pd.DataFrame(matrix, index=names, columns=[f"p{k}" for k in range(matrix.shape[1])])
    long = wide.rename_axis("exporter").reset_index()
    return long.melt("exporter", var_name="product", value_name="value_usd")


def test_by_hand():
    levels = sophistication.prody(EXPORTS, INCOME)
    assert levels["chips"] == pytest.approx(33 / 1.05)
    assert levels["rice"] == pytest.approx(11 / 0.95)
    exports = sophistication.expy(EXPORTS, levels)
    assert exports["R"] == pytest.approx(0.8 * 33 / 1.05 + 0.2 * 11 / 0.95)
    assert exports["P"] == pytest.approx(0.25 * 33 / 1.05 + 0.75 * 11 / 0.95)


def test_size_of_the_exporter_does_not_matter():
    larger = EXPORTS.assign(value_usd=EXPORTS["value_usd"] * np.array([1000, 1000, 1, 1]))
    pd.testing.assert_series_equal(sophistication.prody(EXPORTS, INCOME), sophistication.prody(larger, INCOME))


@quick
@given(seed=st.integers(0, 10_000))
def test_properties_and_plain_loops(seed):
    random = np.random.default_rng(seed)
    matrix = random.integers(0, 50, (5, 4)) + np.eye(5, 4)
    income = pd.Series(random.uniform(1, 60, 5), index=[f"e{i}" for i in range(5)])
    flows = tidy(matrix)
    levels = sophistication.prody(flows, income)
    # A mean of incomes, and a mean of those means, stay between the lowest and the highest income.
    assert levels.between(income.min(), income.max()).all()
    basket = sophistication.expy(flows, levels)
    assert basket.between(levels.min() - 1e-9, levels.max() + 1e-9).all()
    for k in range(4):
        weights = [matrix[j, k] / matrix[j].sum() for j in range(5)]
        expected = sum(w * y for w, y in zip(weights, income, strict=True)) / sum(weights)
        assert levels[f"p{k}"] == pytest.approx(expected)
    # Linear in income: twice the incomes, twice the levels.
    pd.testing.assert_series_equal(sophistication.prody(flows, 2 * income), 2 * levels)


def test_what_is_left_out():
    flows = pd.concat(
        [EXPORTS, pd.DataFrame({"exporter": ["N", "R"], "product": ["rice", "gold"], "value_usd": [5.0, np.nan]})]
    )
    levels = sophistication.prody(flows, INCOME)  # N has no income, gold no value
    pd.testing.assert_series_equal(levels, sophistication.prody(EXPORTS, INCOME))
    assert sophistication.expy(flows, levels)["N"] == pytest.approx(levels["rice"])
    partly = sophistication.expy(flows, levels.drop("rice"))
    assert partly["R"] == pytest.approx(levels["chips"])


def test_errors():
    with pytest.raises(SophisticationError, match="No exporter has an income"):
        sophistication.prody(EXPORTS, pd.Series({"X": 1.0}))
    with pytest.raises(SophisticationError, match="two rows"):
        sophistication.prody(pd.concat([EXPORTS, EXPORTS]), INCOME)
    with pytest.raises(SophisticationError, match="not negative"):
        sophistication.prody(EXPORTS.assign(value_usd=-1.0), INCOME)
    with pytest.raises(SophisticationError, match="no column"):
        sophistication.prody(EXPORTS.drop(columns="product"), INCOME)
    with pytest.raises(TradebookError, match="No product"):
        sophistication.expy(EXPORTS, pd.Series({"tin": 3.0}))
