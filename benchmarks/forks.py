"""Forks for a seeded sample of cases, end to end: ``python -m benchmarks.forks [--seed 7] [--kernel]``.

Each case is made as `tradebook fork` makes it and its notebook is run. By default all run in this one process, which
keeps the tables in memory and draws each figure once without writing it out (`run_here`); ``--kernel`` makes real
folders in a temporary place, each run in a kernel of its own. The table says what came of each case. The sample holds
pairs that `tradebook.coursework.adequacy.deal` deals, exporters from all continents, all companies, and pairs with too
little data, which must be refused.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tradebook import charts
from tradebook.coursework import adequacy, forks, rewriting
from tradebook.coursework.chapters import Case, chapter, make_case
from tradebook.data import load, watch
from tradebook.errors import TradebookError

PAIRS = {2: 42, 1: 10, 4: 10}  # chapter → adequate pairs in the sample
EXPORTERS = 12
REFUSED = 12  # pairs and economies with too little data


@dataclass(frozen=True)
class Result:
    """What came of a case: time, figures shown (0 if refused), and a sentence where it was refused or failed."""

    case: Case
    seconds: float  # by the clock
    cpu: float  # seconds of this process's processor time
    figures: int
    refused: str = ""
    failed: str = ""


def _hashed(seed: int, text: str) -> str:
    return hashlib.sha256(f"{seed}:{text}".encode()).hexdigest()


def exporters(seed: int, n: int) -> list[str]:
    """Economies with enough data for chapter 3, the continents in turn."""
    continent = load("geodist-economies").set_index("iso3")["continent"]
    groups: dict[str, list[str]] = {}
    for code in sorted(adequacy.adequate_economies(chapter(3)), key=lambda c: _hashed(seed, c)):
        if code in continent.index:
            groups.setdefault(continent[code], []).append(code)
    order = [codes[i] for i in range(n) for _, codes in sorted(groups.items()) if i < len(codes)]
    return order[:n]


def sample(seed: int = 7, only: int | None = None) -> list[Case]:
    """Cases of all chapters, or of one: adequate ones, then, of chapter 2, ones that must be refused."""
    cases = []
    for number, n in PAIRS.items():
        if only not in (None, number):
            continue
        one = chapter(number)
        names = [p.name for p in one.subjects]
        dealt = adequacy.deal(one, n, seed).iloc[:, :2]
        for turn, row in enumerate(dealt.itertuples(index=False)):
            # Every third pair the other way round, where that has enough too: the order matters.
            both = [make_case(one, dict(zip(names, codes, strict=True))) for codes in (row[::-1], row)]
            cases.append(both[0] if turn % 3 == 2 and not adequacy.missing(both[0]) else both[1])
    if only in (None, 3):
        cases += [make_case(chapter(3), {"EXPORTER": code}) for code in exporters(seed, EXPORTERS)]
    if only in (None, 5):
        cases += [make_case(chapter(5), {"COMPANY": name}) for name in load("companies")["company"]]
    return cases + (thin(seed, REFUSED) if only in (None, 2) else [])


def thin(seed: int, n: int) -> list[Case]:
    """Pairs of chapter 2 that the tables have too little for, of all kinds of lack."""
    codes = sorted(load("economies").query("kind == 'economy'")["iso3"], key=lambda c: _hashed(seed, c))
    found = []
    for a, b in pairwise(codes):
        case = make_case(chapter(2), {"EXPORTER": a, "PARTNER": b})
        if len(found) < n and adequacy.missing(case):
            found.append(case)
    return found


# --- one process --------------------------------------------------------------------------------------------------


def _draw_once(chart: charts.Chart, prefix: str, narrow: bool) -> str:
    """What `charts._svg` does up to its test for empty figures, once and without layout and file."""
    if not narrow:
        charts._register_fonts()
        with charts.mpl.rc_context(charts._style()):
            figure = charts.Figure(figsize=(charts.WIDE, chart.height[0]))
            charts.FigureCanvasSVG(figure)
            chart.draw(figure, narrow)
            charts._refuse_empty(figure)
    return "<svg></svg>"


@contextlib.contextmanager
def _outputs() -> Iterator[list]:
    """Collect what code displays, as the outputs of a notebook cell."""
    import IPython.display

    shown: list = []

    def display(*things: object, metadata: Mapping | None = None, raw: bool = False) -> None:
        for thing in things:
            data = thing if raw else {"text/plain": repr(thing)}
            shown.append({"output_type": "display_data", "data": data, "metadata": metadata or {}})

    before = IPython.display.display, charts._svg
    IPython.display.display, charts._svg = display, _draw_once
    try:
        yield shown
    finally:
        IPython.display.display, charts._svg = before


def run_here(notebook: Mapping, case: Case) -> forks.Run:
    """Run the code of a fork's notebook in this process and check its outputs as `tradebook fork` does.

    Raises
    ------
    ForkError
        As `forks.run_notebook`.
    """
    space: dict[str, object] = {"__name__": "__main__"}
    cells = []
    with _outputs() as shown, watch() as read, warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)  # a kernel does not show them to a student either
        for cell in notebook["cells"]:
            shown.clear()
            said = io.StringIO()
            if cell["cell_type"] == "code":
                try:
                    with contextlib.redirect_stdout(said):
                        exec(compile(cell["source"], f"<{cell['id']}>", "exec"), space)
                except Exception as error:  # a cell may fail in any way
                    raise forks.ForkError(
                        f"The chapter cannot be run for {case.label}, because its code fails in cell {cell['id']}: "
                        f"{type(error).__name__}: {error}"
                    ) from error
            outputs = list(shown)
            if said.getvalue():
                outputs.append({"output_type": "stream", "name": "stdout", "text": said.getvalue()})
            cells.append({**cell, "outputs": outputs})
    forks._require_outputs(cells, case)
    return forks.Run(sum('class="tb-figure"' in str(o) for c in cells for o in c["outputs"]), frozenset(read))


def try_here(case: Case) -> Result:
    """Make and run the notebook of a case in this process."""
    start, cpu = time.perf_counter(), time.process_time()
    figures, refused, failed = 0, adequacy.missing(case), ""
    if not refused:
        try:
            notebook = rewriting.forked_notebook(case, rewriting.prompts(case.chapter))
            if remains := rewriting.left_over(notebook, case):
                raise forks.ForkError(f"left over: {'; '.join(remains)}")
            run = run_here(notebook, case)
            if lost := run.asked - forks.tables_named(forks.sources_of(notebook)[0]):
                raise forks.ForkError(f"read tables that the code does not name: {', '.join(sorted(lost))}")
            figures = run.figures
        except TradebookError as error:
            failed = str(error)
    return Result(case, time.perf_counter() - start, time.process_time() - cpu, figures, refused, failed)


def try_folder(case: Case) -> Result:
    """Make a real fork in a temporary folder, as the command does."""
    start, cpu = time.perf_counter(), time.process_time()
    figures, refused, failed = 0, "", ""
    with tempfile.TemporaryDirectory() as place:
        try:
            figures = forks.fork(case, Path(place, "fork")).figures
        except TradebookError as error:
            refused, failed = (str(error), "") if adequacy.missing(case) else ("", str(error))
    return Result(case, time.perf_counter() - start, time.process_time() - cpu, figures, refused, failed)


def main(arguments: list[str] | None = None) -> int:
    """Command line: run the sample and print its table; exit status 1 if a case failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forks", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--chapter", type=int, help="only this chapter")
    parser.add_argument("--kernel", action="store_true", help="real folders, each with a kernel of its own")
    options = parser.parse_args(arguments)
    cases = sample(options.seed, options.chapter)
    failed = 0
    for case in cases:
        result = (try_folder if options.kernel else try_here)(case)
        failed += bool(result.failed)
        what = f"REFUSED {result.refused}" if result.refused else f"FAILED {result.failed}" if result.failed else ""
        print(
            f"{case.chapter.number} {'–'.join(case.subjects):10s} {result.seconds:6.1f} s ({result.cpu:.1f} s CPU)  "
            f"{what or f'{result.figures} figures'}",
            flush=True,
        )
    print(f"{len(cases)} cases, {failed} failed.")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
