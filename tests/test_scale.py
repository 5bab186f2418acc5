"""The benchmark of large tables: what it makes is of BACI's shape and the same each time, and its engines agree."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pandas as pd
import pytest

from benchmarks import productflows, scale
from tradebook import engine
from tradebook.data import load

ROWS = 60_000


@pytest.fixture(scope="module")
def world():
    """Economies and products, drawn once."""
    return productflows.world()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small set of flows in files."""
    place = tmp_path_factory.mktemp("flows")
    assert list(productflows.write(place, ROWS)) == list(productflows.YEARS)
    return place


@pytest.fixture(scope="module")
def made(folder) -> pd.DataFrame:
    """The same in memory."""
    return pd.read_parquet(folder)


def test_the_number_of_rows_is_exact_and_grows_over_the_years(made):
    assert len(made) == ROWS
    counts = made["year"].value_counts().sort_index()
    assert counts.to_dict() == productflows.rows_by_year(ROWS)
    assert counts.is_monotonic_increasing
    for rows in (1, 999, 300_000_000):
        assert sum(productflows.rows_by_year(rows).values()) == rows


def test_codes_are_real_and_keys_unique(made):
    assert set(made["exporter"]) | set(made["importer"]) <= set(load("economies")["iso3"])
    concordance = load("hs6-concordance")
    assert set(made["product"]) <= set(concordance.loc[concordance["hs_vintage"] == "HS1992", "hs6"])
    assert (made["exporter"] != made["importer"]).all()
    keys = ["year", "reporter", "exporter", "importer", "product"]
    assert not made.duplicated(keys).any()
    assert (made["value_usd"] >= 1).all()
    assert 0.01 < made["quantity_t"].isna().mean() < 0.03


def test_flows_are_skewed_like_trade(world):
    year = productflows.year_of_flows(world, 2020, 200_000).to_pandas()
    sold = year[year["reporter"] == "exporter"]
    pairs = sold.groupby(["exporter", "importer"], observed=True)["value_usd"].agg(["sum", "size"])
    pairs = pairs.sort_values("sum", ascending=False)
    assert pairs["sum"].head(len(pairs) // 100).sum() > 0.25 * pairs["sum"].sum()  # one pair in a hundred
    assert pairs["size"].median() < pairs["size"].mean() / 2  # most pairs trade few products
    assert sold["value_usd"].mean() > 3 * sold["value_usd"].median()


def test_the_two_reports_differ_by_freight_and_error(made):
    wide = made.pivot_table(index=["year", "exporter", "importer", "product"], columns="reporter",
                            values="value_usd", observed=True)  # fmt: skip
    assert 0.7 < wide.notna().all(axis=1).mean() < 1
    logs = np.log(wide["importer"] / wide["exporter"]).dropna()
    assert 1.02 < math.exp(logs.median()) < 1.10
    assert logs.std() == pytest.approx(math.sqrt(2) * productflows.ERROR, rel=0.05)


def test_the_same_seed_gives_the_same_rows(world):
    def digest(seed: int) -> str:
        frame = productflows.year_of_flows(world, 2000, 2_000, seed).to_pandas()
        return hashlib.sha256(pd.util.hash_pandas_object(frame).to_numpy().tobytes()).hexdigest()

    assert digest(1) == digest(1) != digest(2)


def test_pandas_and_duckdb_agree(folder, made):
    expected = {name: scale.digest(ask()) for name, ask in scale.by_pandas(folder).items()}
    answers = scale.by_engine(engine.parquet(folder, threads=2))
    assert list(answers) == list(expected) == scale.QUESTIONS
    for name, ask in answers.items():
        assert scale.agree(scale.digest(ask()), expected[name]), name
    assert not scale.agree([1.0], [1.0, 2.0]) and not scale.agree([1.0], [1.0001])


def test_growth_exponent():
    assert scale.exponent([1e6, 1e7, 1e8], [0.5, 5.0, 50.0]) == pytest.approx(1)
    assert scale.exponent([1e6, 1e7], [1.0, 100.0]) == pytest.approx(2)
    assert math.isnan(scale.exponent([1e6], [1.0]))


def test_an_engine_that_needs_too_much_is_stopped(folder):
    lines, peak, _, stopped = scale.measure("duckdb", folder, 1, "1GB", limit=1e6)
    assert stopped.startswith("stopped: more than") and peak > 1e6
    assert len(lines) < len(scale.QUESTIONS)
