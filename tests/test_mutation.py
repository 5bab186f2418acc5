"""Data that are altered move the verdicts that rest on them (`benchmarks/mutation.py` draws larger samples)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks import mutation
from tradebook import data

SAMPLE = 20


@pytest.fixture(scope="module")
def statements() -> mutation.Statements:
    return mutation.Statements()


@pytest.fixture(scope="module")
def resting(statements) -> list[str]:
    return [i for i, names in statements.tables.items() if any(map(mutation.value_columns, names))]


def test_no_check_ignores_the_data(statements):
    resting = [i for i, names in statements.tables.items() if names]
    names = {name for i in resting for name in statements.tables[i]}
    before = statements.outcomes(resting)
    still = set(resting)
    for disturb in (lambda n: mutation.disturbed(n, np.arange(len(data.load(n)))), mutation.shuffled):
        with mutation.changed_tables({name: disturb(name) for name in names}):
            after = statements.outcomes(resting)
        still -= {i for i in still if before[i] != after[i]}
    # A count of years with trade, or the first place of a group with nearly all the trade, survives even that.
    assert len(still) <= 0.02 * len(resting), sorted(still)


def test_what_rests_on_no_table_stays(statements):
    free = [i for i, names in statements.tables.items() if not names]
    before = statements.outcomes(free)
    changes = {name: mutation.disturbed(name, np.arange(len(data.load(name)))) for name in ("wdi", "company-figures")}
    with mutation.changed_tables(changes):
        assert statements.outcomes(free) == before


def test_a_single_cell_moves_the_statement_that_rests_on_it(statements, resting):
    random = np.random.default_rng(3)
    found, moved, flipped = 0, 0, 0
    for claim in random.choice(resting, SAMPLE, replace=False):
        names = sorted(name for name in statements.tables[claim] if mutation.value_columns(name))
        cell = next((c for c in (statements.cell_under(claim, name) for name in names) if c), None)
        if cell is None:
            continue
        found += 1
        before = statements.outcome(claim)
        with mutation.changed_tables({cell.table: mutation.with_cell(cell, "×1000", random)}):
            after = statements.outcome(claim)
        moved += before != after
        flipped += before[1] != after[1]
    assert found >= 0.75 * SAMPLE  # the rest hangs on no single cell: a first place by far
    assert moved == found
    assert flipped >= found / 5


def test_only_statements_move_that_rest_on_the_altered_table(statements):
    frame = data.load("china-russia-totals")
    everything = list(statements.rows.index)
    before = statements.outcomes(everything)
    with mutation.changed_tables(
        {"china-russia-totals": mutation.disturbed("china-russia-totals", np.arange(len(frame)))}
    ):
        after = statements.outcomes(everything)
    moved = {i for i in everything if before[i] != after[i]}
    assert moved and moved <= set(statements.resting_on("china-russia-totals"))


@pytest.mark.parametrize("how", mutation.ALTERATIONS)
def test_an_alteration_changes_a_number(how):
    random = np.random.default_rng(5)
    for value in (1.0, -4.9, 0.00031, 12345.678, 2.5e12, 10.0):
        new = mutation.altered(value, how, random)
        assert math.isfinite(new) and new != value and (new > 0) == (value > 0)
