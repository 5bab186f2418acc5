"""The comparison of notebooks with their stored outputs bites: each kind of output, altered a little, is noticed.

`tests/test_tools.py` tries it on HTML, streams and results; here it is the house's own outputs: a table, a drawing
(its words and its coordinates), and a text handed to the page.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools import execute
from tools.environment import ROOT, run_environment

CODE = """\
import pandas as pd
from tradebook import charts, tables
from tradebook.prose import glue
years = pd.RangeIndex(2018, 2021, name="year")
frame = pd.DataFrame({"China": [1.5, 2.5, 4.5], "Russia": [2.0, 3.0, 3.5]}, index=years)
tables.show(frame.reset_index(), name="tab-x", number="9.1", title="A table", subtitle="billion", tables=["brent"])
charts.show(charts.lines(frame, y="billion"), name="fig-x", number="9.1", title="A figure", subtitle="billion",
            alt="Two lines rise.", tables=["brent"])
glue(growth="+12.4 %")
print("total 18.5")
"""
OUTPUTS = {
    "table": (0, "text/html"),
    "figure": (1, "text/html"),
    "glue": (2, "application/papermill.record/text/plain"),
}


def once(pattern: str, new: str) -> Callable[[str], str]:
    """A change of the first place that a pattern finds."""

    def change(text: str) -> str:
        changed, number = re.subn(pattern, new, text, count=1)
        assert number == 1, f"nothing to alter: {pattern}"
        return changed

    return change


_START = r"(<g id=\"fig-x-w-line2d_\d+\">\s*<path d=\"M [\d.]*)[0-8] "  # of a line: its first coordinate
ALTERATIONS: dict[str, tuple[str, Callable[[str], str]]] = {
    "table cell": ("table", once(r'(<td class="num">)4\.5<', r"\g<1>4.6<")),
    "table head": ("table", once(r"China</th>", "Chino</th>")),
    "table data": ("table", once(r"(base64,\S{60})\S", r"\1A")),
    "words of a drawing": ("figure", once(r">2018</text>", ">2017</text>")),
    "coordinate of a line": ("figure", once(_START, r"\g<1>9 ")),
    "description": ("figure", once(r"Two lines rise\.", "Two lines fall.")),
    "colour": ("figure", once(r"--tb-c1\b", "--tb-c2")),
    "glued text": ("glue", once(r"12\.4", "12.5")),
    "printed text": ("stream", once(r"18\.5", "18.6")),
}  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> tuple[dict[str, str], str]:
    """What nbval says of the notebook as executed, and of each altered one: PASSED or FAILED; and what it printed."""
    folder = tmp_path_factory.mktemp("outputs")
    nbformat.write(new_notebook(cells=[new_code_cell(CODE)]), folder / "good.ipynb")
    before = dict(os.environ)
    os.environ.update(run_environment())
    try:
        execute.execute(folder / "good.ipynb")
    finally:
        os.environ.clear()
        os.environ.update(before)
    for number, (kind, change) in enumerate(ALTERATIONS.values()):
        stored = nbformat.read(folder / "good.ipynb", as_version=4)
        outputs = stored.cells[0].outputs
        if kind == "stream":
            place, name = next(output for output in outputs if output.output_type == "stream"), "text"
        else:
            position, name = OUTPUTS[kind]
            place = [output for output in outputs if output.output_type == "display_data"][position].data
        altered = change(place[name])
        assert altered != place[name]
        place[name] = altered
        nbformat.write(stored, folder / f"altered{number}.ipynb")
    # As `make test` runs it.
    options = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", str(ROOT / "tests" / "nbval-sanitize.cfg")]
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "-p", "no:cacheprovider", "-rA", "-q", *options, "."]
    run = subprocess.run(command, cwd=folder, env=run_environment(), capture_output=True, text=True, check=False)
    lines = [line for line in run.stdout.splitlines() if line.startswith(("PASSED", "FAILED"))]
    return {Path(line.split()[1].split("::")[0]).stem: line.split()[0] for line in lines}, run.stdout


def test_the_outputs_as_stored_are_those_of_a_fresh_run(results):
    found, printed = results
    assert found["good"] == "PASSED", printed


@pytest.mark.parametrize("what", ALTERATIONS)
def test_an_altered_output_is_noticed(results, what):
    found, printed = results
    assert found[f"altered{list(ALTERATIONS).index(what)}"] == "FAILED", printed


def test_the_suite_compares_every_chapter():
    """Nothing in a chapter's notebook tells nbval to look away."""
    for path in sorted((ROOT / "chapters").rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        for cell in nbformat.read(path, as_version=4).cells:
            tags = set(cell.metadata.get("tags", []))
            assert not tags & {"nbval-ignore-output", "nbval-skip", "nbval-raises-exception"}, (
                f"{path.name} {cell.get('id')}"
            )
            assert "NBVAL_" not in cell.source, f"{path.name} {cell.get('id')}"
