"""Forks for a seeded sample of cases of all chapters, executed; `python -m benchmarks.forks` draws a larger one."""

from __future__ import annotations

from functools import cache

import pytest

from benchmarks import forks as sampled
from tradebook.coursework import adequacy
from tradebook.coursework.chapters import Case

SEED = 11
#: Chapter → cases that are run. One of chapter 2 takes about ten seconds, of the others one to five.
RUN = {1: 7, 2: 8, 3: 8, 4: 10, 5: 7}


@cache
def _cases(number: int) -> list[Case]:
    adequate = [case for case in sampled.sample(SEED, number) if not adequacy.missing(case)]
    return adequate[: RUN[number]]


@pytest.mark.parametrize(("number", "place"), [(n, i) for n, count in RUN.items() for i in range(count)])
def test_an_adequate_case_runs_to_its_end(number, place):
    result = sampled.try_here(_cases(number)[place])
    assert not result.failed and result.figures >= 5


@cache
def _thin() -> list[Case]:
    return sampled.thin(SEED, sampled.REFUSED)


@pytest.mark.parametrize("place", range(sampled.REFUSED))
def test_a_thin_case_is_refused_with_what_is_missing(place):
    case = _thin()[place]
    said = adequacy.missing(case)
    assert said.startswith(f"{case.label}: too little data for chapter 2 (") and "needed" in said


def test_the_sample_is_of_all_continents_and_large_enough():
    codes = {code for case in sampled.sample(SEED, 2) for code in case.subjects}
    continent = adequacy.load("geodist-economies").set_index("iso3")["continent"]
    assert set(continent.reindex(sorted(codes)).dropna()) >= {"Africa", "America", "Asia", "Europe", "Pacific"}
    assert sum(RUN.values()) >= 40
