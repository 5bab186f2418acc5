"""Assignments: two notebooks from one source; perfect, wrong, malicious and broken submissions; the marks they earn."""

from __future__ import annotations

import copy
import csv
import errno
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tradebook import cli
from tradebook.coursework import (
    assignments,
    chapters,
    contained,
    containment,
    exercises,
    gradingplan,
    markbook,
    marking,
    submissions,
)
from tradebook.coursework.containment import Limits

PLAN = """
[[answer]]
exercise = "ex-peak"
solution = "solution-peak"

[[answer.variable]]
name = "peak_year"
kind = "whole"
meaning = "year of the largest value"
value = "top"
minimum = 1900
maximum = 2100
points = 1

[[answer.variable]]
name = "peak_share"
kind = "number"
meaning = "its part of the sum of all years"
unit = "per cent"
round = 1
value = "100 * record[peak_year] / sum(record.values())"
given = ["peak_year"]
minimum = 0
maximum = 100
points = 2

[[answer]]
exercise = "ex-order"
solution = "solution-order"

[[answer.variable]]
name = "years_down"
kind = "list"
meaning = "years, the largest value first"
value = "sorted(record, key=record.get, reverse=True)"
length = 4
points = 2

[[answer.variable]]
name = "has_gap"
kind = "truth"
meaning = "whether a year is missing"
value = "gap"
points = 1

[[answer]]
exercise = "ex-none"
solution = "solution-none"

[[answer.variable]]
name = "not_known"
kind = "number"
round = 1
meaning = "what the data of this case do not say"
value = "float('nan')"
points = 1

[[rubric]]
exercise = "ex-peak"
question = "Why was {glue:text}`peak_told` the peak?"

[[rubric.criterion]]
name = "reason"
points = 2
full = "Names a reason with a source."
half = "Names a reason."
"""


def _exercise(label: str, title: str) -> str:
    question = "Ask {ref}`the record <data>` about {glue:text}`peak_told`."
    return f"```{{exercise}} {title}\n:label: {label}\n{question}\n```\n\n"


_START, _END = "```{solution-start} x\n:class: dropdown\n```", "SECRET remark.\n\n```{solution-end}\n```\n\n"
CELLS = [
    ("markdown", "md-title", "# A small chapter"),
    ("code", "data", "record = {2001: 10.0, 2002: 40.0, 2004: 20.0, 2005: 30.0}"),
    ("markdown", "md-exercises", "## Exercises\n\n" + _exercise("ex-peak", "The peak") + _START),
    ("code", "solution-peak", "top = max(record, key=record.get)  # SECRET"),
    ("markdown", "md-peak-end", _END + _exercise("ex-order", "The order") + _START),
    ("code", "solution-order", "SECRET = max(record) - min(record) + 1\ngap = SECRET > len(record)"),
    ("markdown", "md-order-end", _END + _exercise("ex-none", "Unknown") + _START),
    ("code", "solution-none", "pass  # SECRET"),
    ("markdown", "md-none-end", _END),
    ("code", "glue", "from IPython.display import display\n"
     "display({'text/plain': repr('the boom')}, metadata={'scrapbook': {'name': 'peak_told'}}, raw=True)"),
]  # fmt: skip
RIGHT = {
    "ex-peak": "peak_year = 2002\npeak_share = 40.0",
    "ex-order": "years_down = [2002, 2005, 2004, 2001]\nhas_gap = True",
}


def small_fork(folder: Path) -> Path:
    """A fork of a chapter in miniature."""
    (folder / "tradebook").mkdir(parents=True)
    (folder / "tradebook" / "__init__.py").write_text("")
    (folder / "README.md").write_text("# A fork")
    cells = [{"cell_type": kind, "id": key, "metadata": {}, "source": text} for kind, key, text in CELLS]
    for cell in cells:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "tradebook": {"chapter": "02-small", "case": {"WHO": "DEU"}}}
    path = folder / "small.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))
    return path


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> assignments.Assignment:
    """An assignment of the small chapter."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "plan.toml").write_text(PLAN)
    return assignments.make(small_fork, folder / "plan.toml", folder / "course")


def answered(course: assignments.Assignment, answers: dict[str, str], path: Path) -> Path:
    """The release with code in its answer cells."""
    notebook = course.notebook("release")
    for cell in notebook["cells"]:
        key = exercises.grade_id(cell)
        if key in answers:
            cell["source"] += "\n" + answers[key]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook))
    return path


def marked(course, answers: dict[str, str], folder: Path, **options) -> submissions.Marked:
    path = answered(course, answers, folder / "student.ipynb")
    options.setdefault("limits", Limits(seconds=20, cell_seconds=10))
    return submissions.grade(path, [course], **options)[0]


# --- what is made ----------------------------------------------------------------------------------


def test_a_release_holds_no_solution_and_asks_only_what_the_data_answer(course):
    for path in course.release.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            assert "SECRET" not in text and "SOLUTION\\n" not in text and "record.get" not in text, path
    text = json.dumps(course.notebook("release"))
    assert "peak_share = None" in text and "not_known" not in text
    assert "Ask the record about the boom." in text  # a glued text reads as text
    assert "SECRET" in json.dumps(course.notebook("source"))
    rubric = (course.folder / "rubric.md").read_text("utf-8")
    assert (
        "Names a reason with a source." in rubric and "`not_known`" in rubric and "Why was the boom the peak?" in rubric
    )


def test_the_visible_checks_pass_for_right_and_wrong_values_and_fail_for_wrong_forms(course):
    check = next(c["source"] for c in course.notebook("release")["cells"] if exercises.grade_id(c) == "check-ex-peak")
    exec(check, {"peak_year": 2002, "peak_share": 40.0})
    exec(check, {"peak_year": 1950, "peak_share": 3})
    for wrong in ({"peak_year": None}, {"peak_year": "2002"}, {"peak_share": 400.0}, {"peak_share": [40.0]}):
        with pytest.raises(AssertionError):
            exec(check, {"peak_year": 2002, "peak_share": 40.0} | wrong)


@pytest.mark.parametrize("kind", gradingplan.KINDS)
def test_a_form_that_is_right_is_not_refused_for_its_kind(kind):
    rounded = 1 if kind == "number" else None
    variable = gradingplan.Variable("x", kind, "", "x", 1, round=rounded)
    numbers = [0, 1, 1.0, -2.5, True, np.True_, np.float32(2.5), np.int64(3), np.longdouble(2.5), Fraction(1, 3), 1e17]
    wild = [10**18, 10**400, float("nan"), float("inf"), 1j, Decimal("1.5"), None, b"a", {1: 2}, {1: 2}.keys()]
    texts = ["a", " ", "a" * 500, "a" * 501, np.str_("a"), pd.Timestamp("2020-01-01"), pd.NA, object()]
    alone = [*numbers, *wild, *texts]
    lists = [[one] for one in alone] + [(1, 2), {1}, range(3), [], [1] * 200, [1] * 201, [[1], [2]], [None, None]]
    lists += [
        np.array([1.5, 2]),
        np.array([True]),
        np.array([[1], [2]]),
        np.array(1),
        pd.Series([1, 2]),
        pd.DataFrame(),
    ]
    lists += [pd.Series([1.0, None]), pd.Series(["a"]), pd.Series([pd.Timestamp("2020-01-01")]), iter([1])]
    wanted = "number" if kind == "whole" else kind
    passed = []
    for value in (*alone, *lists):
        try:
            trouble = exercises.form_error(variable, value)
        except Exception:  # of the value's own, as "1 < 1j": it does not pass either
            continue
        if not trouble:
            passed.append(value)
            assert marking.checked(contained.encode(value))[0] == wanted, repr(value)
    assert len(passed) >= 2


def test_the_form_of_an_answer_is_what_it_says():
    one, many = (gradingplan.Variable("x", kind, "", "x", 1, round=1) for kind in ("number", "list"))
    truth = gradingplan.Variable("x", "truth", "", "x", 1)
    assert not exercises.form_error(truth, np.True_) and not exercises.form_error(many, [True, "a", 1.5])
    assert not exercises.form_error(one, np.float32(2)) and not exercises.form_error(one, Fraction(1, 3))
    for value in (0, 1, 1.0):
        assert exercises.form_error(truth, value) == "x must be True or False"
    for value in (True, float("nan"), 10**400):
        assert exercises.form_error(one, value)
    for value in ([None, None], [[1], [2]], np.array([[1], [2]])):
        assert exercises.form_error(many, value)


def test_an_existing_folder_is_left_alone_and_a_failure_leaves_nothing(tmp_path):
    (tmp_path / "plan.toml").write_text(
        PLAN.replace('name = "peak_year"', 'name = "record"', 1).replace('given = ["peak_year"]', "")
    )
    (tmp_path / "there").mkdir()
    with pytest.raises(assignments.AssignmentError, match="exists already"):
        assignments.make(small_fork, tmp_path / "plan.toml", tmp_path / "there")
    with pytest.raises(assignments.AssignmentError, match="the chapter itself has a variable record"):
        assignments.make(small_fork, tmp_path / "plan.toml", tmp_path / "new")
    (tmp_path / "plan.toml").write_text(PLAN.replace("maximum = 2100", "maximum = 2001"))
    with pytest.raises(assignments.AssignmentError, match="right value does not pass the check of its form"):
        assignments.make(small_fork, tmp_path / "plan.toml", tmp_path / "new")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plan.toml", "there"]


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [(errno.ENOSPC, "There is no room left for"), (errno.EACCES, "cannot be written"), (None, "in the meantime")],
)
def test_a_disk_that_is_full_or_shut_is_one_sentence(tmp_path, trouble, sentence):
    def broken(folder: Path) -> Path:
        if trouble:
            raise OSError(trouble, os.strerror(trouble))
        (tmp_path / "course").write_text("mine")
        return small_fork(folder)

    (tmp_path / "plan.toml").write_text(PLAN)
    with pytest.raises(assignments.AssignmentError, match=sentence):
        assignments.make(broken, tmp_path / "plan.toml", tmp_path / "course")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plan.toml"] if trouble else ["course", "plan.toml"]


def test_the_name_of_an_assignment_has_the_years_that_are_not_the_books():
    one = chapters.chapter(2)
    for origin, ending in ((one.own_case["ORIGIN"], "kaz"), (2017, "kaz-origin-2017"), (2010, "kaz-origin-2010")):
        case = chapters.make_case(one, {"EXPORTER": "DEU", "PARTNER": "KAZ", "ORIGIN": origin})
        about = {"chapter": one.path.stem, "case": dict(case.values)}
        expected = "kaz" if origin == one.own_case["ORIGIN"] else ending
        assert assignments._name("bilateral-trade", about) == f"bilateral-trade-deu-{expected}"


def test_two_assignments_of_one_name_are_not_mixed_up(course, tmp_path):
    for name in ("one", "two"):
        shutil.copytree(course.folder, tmp_path / name)
    one, two = tmp_path / "one", tmp_path / "two"
    with pytest.raises(assignments.AssignmentError, match=r"one and .*two are both named small-deu"):
        assignments.find_assignments(tmp_path, [tmp_path])
    with pytest.raises(assignments.AssignmentError, match="both named"):
        assignments.find_assignments(tmp_path, [one, two])
    assert len(assignments.find_assignments(tmp_path, [one, two / ".." / "one"])) == 1  # the same folder twice


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ('kind = "whole"→kind = "wholes"', "no kind “wholes”"),
        ("points = 2→points = 0", "points above zero"),
        ('value = "top"→value = "top +"', "no expression"),
        ('given = ["peak_year"]→given = ["has_gap"]', "does not stand before it"),
        ("round = 1→rounds = 1", "“rounds” is not known"),
        ('meaning = "year of the largest value"→', "“meaning” is missing"),
        ('name = "has_gap"→name = "peak_year"', "stands there twice"),
        ('round = 1→tolerance = "0.11"', "peak_share: “tolerance” must be a number"),
        ('round = 1→relative = "2%"', "“relative” must be a number"),
        ("round = 1→round = 1.5", "“round” must be a whole number"),
        ("round = 1→tolerance = inf", "“tolerance” must be a number"),
        ("points = 2→points = true", "“points” must be a number"),
        ("length = 4→ordered = 1", "“ordered” must be true or false"),
        ('given = ["peak_year"]→given = "peak_year"', "“given” must be a list of texts"),
        ('exercise = "ex-peak"→exercise = 3', "“exercise” must be a text"),
        ("[[rubric]]→[rubric]", r"plan.toml: write \[\[rubric\]\] in double brackets"),
        ("[[rubric.criterion]]→[rubric.criterion]", r"write \[\[rubric.criterion\]\] in double brackets"),
        ('points = 2\nfull→points = "1.5"\nfull', "rubric ex-peak: “points” must be a number"),
    ],
)
def test_a_mistake_in_a_plan_is_one_sentence(tmp_path, change, sentence):
    old, new = change.split("→")
    assert old in PLAN
    (tmp_path / "plan.toml").write_text(PLAN.replace(old, new, 1))
    with pytest.raises(gradingplan.PlanError, match=sentence) as caught:
        gradingplan.read_plan(tmp_path / "plan.toml")
    assert "\n" not in str(caught.value)


def test_every_chapter_has_a_plan_that_fits_it():
    for chapter in chapters.chapters():
        plan = gradingplan.read_plan(chapters.ROOT / "coursework" / f"{chapter.path.stem}.grading.toml")
        labels = exercises.labels(chapter.notebook)
        assert plan.exercises and sorted(plan.exercises) == sorted(labels) and len(labels) >= 5
        code = {c["id"]: c["source"] for c in chapter.notebook["cells"] if c["cell_type"] == "code"}
        assert all(answer.solution in code for answer in plan.answers)
        used = {word for text in code.values() for word in _names(text)}
        assert not [v.name for a in plan.answers for v in a.variables if v.name in used]


def _names(source: str) -> set[str]:
    import ast

    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


# --- marks -----------------------------------------------------------------------------------------


def test_a_perfect_submission_has_full_marks(course, tmp_path):
    result = marked(course, RIGHT, tmp_path)
    assert (result.points, result.of, result.notes, result.errors) == (6, 6, [], {})
    # The lecturer's own notebook, handed in, is perfect as well.
    (tmp_path / "source").mkdir()
    shutil.copyfile(course.source / course.file, tmp_path / "source" / "lecturer.ipynb")
    assert submissions.grade(tmp_path / "source", [course])[0].points == 6


@pytest.mark.parametrize(
    ("exercise", "code", "points", "reason"),
    [
        ("ex-peak", "peak_year = 2001\npeak_share = 40.0", 2, "is not what the data give"),
        ("ex-peak", "peak_year = 2001\npeak_share = 10.0", 2, "follows from your peak_year"),
        ("ex-peak", "peak_year = 2002\npeak_share = 0.4", 2, "in another unit"),
        ("ex-peak", "peak_year = 2002\npeak_share = -40", 1, "opposite sign"),
        ("ex-peak", "peak_year = 2002\npeak_share = 40.3", 1, "close, but outside the tolerance"),
        ("ex-peak", "peak_year = 2002\npeak_share = '40'", 1, "is a text; a number"),
        ("ex-peak", "peak_year = 2002\npeak_share = float('nan')", 1, "not a finite number"),
        ("ex-peak", "peak_year = 10 ** 5000\npeak_share = 40", 2, "absurd size"),
        ("ex-peak", "peak_year = 2002\n1 / 0\npeak_share = 40", 1, "ZeroDivisionError"),
        ("ex-peak", "peak_year = (", 0, "SyntaxError"),
        ("ex-order", "years_down = [2002, 2005, 2001, 2004]\nhas_gap = True", 2, "2 of 4 entries right and in place"),
        (
            "ex-order",
            "import numpy as np\nyears_down = np.array([2002, 2005, 2004, 2001])\nhas_gap = np.True_",
            3,
            "right",
        ),
        ("ex-order", "years_down = record\nhas_gap = 1", 0, "is a number; True or False"),
    ],
)
def test_a_wrong_answer_costs_what_it_should(course, tmp_path, exercise, code, points, reason):
    result = marked(course, {**RIGHT, exercise: code}, tmp_path)
    assert sum(v.points for v in result.verdicts[exercise]) == points
    assert any(reason in v.reason for v in result.verdicts[exercise])
    others = [v for e, verdicts in result.verdicts.items() if e != exercise for v in verdicts]
    assert all(v.points == v.of for v in others)
    told = markbook.feedback(result)
    assert "2002" not in told and "40" not in told.replace("40.3", "")  # what is right is not said


def test_a_unit_slip_and_coarse_rounding_cost_half():
    variable = gradingplan.Variable("x", "number", "", "x", 2, unit="per cent", round=2)
    share = {
        value: marking.judge(variable, ["number", value], ["number", 12.3456]).points for value in (12.35, 12.3, 0.1235)
    }
    assert share == {12.35: 2, 12.3: 1, 0.1235: 1}


@pytest.mark.parametrize(
    ("exercise", "solution", "typed", "points"),
    [
        ("ex5-restated", "over_two_years = 21.0", (21.0, 10.0, 11.0), 3),
        ("ex5-restated", "over_two_years = 21.0", (44.0, 20.0, 24.0), 2),  # a slip is paid for once
        ("ex5-restated", "over_two_years = 21.0", (0, 0, 0), 0),
        ("ex5-restated", "over_two_years = 21.0", (0.01, 0, 0), 0),
        ("ex5-restated", "over_two_years = 0.0", (0, 0, 0), 3),
        ("ex5-denominator", "share_change, from_own = 12.0, 20.0", (0, 0, 0), 0),
        ("ex5-denominator", "share_change, from_own = 12.0, 20.0", (7, 7, 0), 0),
        ("ex5-denominator", "share_change, from_own = 12.0, 20.0", (7, 20, -13), 3),
    ],
)
def test_nothing_follows_from_zeros_that_are_typed(exercise, solution, typed, points):
    plan = gradingplan.read_plan(chapters.ROOT / "coursework" / "05-huawei.grading.toml")
    variables = plan.answer(exercise).variables
    names = dict(zip((v.name for v in variables), typed, strict=True))
    assert marking.points(names, solution, [marking.described(v) for v in variables]) == points


def test_a_changed_chapter_is_put_back_and_helper_cells_are_run(course, tmp_path):
    path = answered(course, {**RIGHT, "ex-order": "years_down = ranked()\nhas_gap = True"}, tmp_path / "student.ipynb")
    notebook = json.loads(path.read_text())
    helper = {"cell_type": "code", "id": "mine", "metadata": {}, "source": [
        "def ranked():\n", "    return [2002, 2005, 2004, 2001]"], "outputs": [], "execution_count": None}  # fmt: skip
    place = next(n for n, c in enumerate(notebook["cells"]) if exercises.grade_id(c) == "ex-order")
    notebook["cells"].insert(place, helper)
    data = next(c for c in notebook["cells"] if exercises.grade_id(c) == "data")
    data["source"] = "record = None"
    path.write_text(json.dumps(notebook))
    result = submissions.grade(path, [course])[0]
    assert result.points == 6 and "changed cells of the chapter were put back (data)" in result.notes[0]


def test_a_whole_chapter_is_made_run_and_marked(tmp_path, capsys):
    from tradebook.coursework import forks

    one = chapters.chapter(5)
    case = chapters.make_case(one, {"COMPANY": "Cisco"})
    plan = chapters.ROOT / "coursework" / f"{one.path.stem}.grading.toml"
    made = assignments.make(
        lambda folder: folder / forks.fork(case, folder, check=False).notebook, plan, tmp_path / "course"
    )
    assert not json.loads((made.folder / "assignment.json").read_text("utf-8"))["left_out"]
    notebook = made.notebook("source")
    variable = next(v for a in made.plan.answers for v in a.variables if v.kind == "list")
    cell = next(c for c in notebook["cells"] if variable.name in c["source"] and c["metadata"]["nbgrader"]["solution"])
    cell["source"] += f"\n{variable.name} = [1]"
    path = made.folder / "submitted" / "ann.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert cli.app(["grade", str(path.parent), "--out", str(tmp_path / "marks.csv")], standalone_mode=False) is None
    row = next(csv.DictReader(io.StringIO((tmp_path / "marks.csv").read_text("utf-8"))))
    assert float(row["of"]) == sum(a.points for a in made.plan.answers) == float(row["points"]) + variable.points
    assert "shut in" in capsys.readouterr().err
    assert variable.name in (tmp_path / "feedback" / "ann.md").read_text("utf-8")
    with pytest.raises(assignments.AssignmentError, match="exists already"):
        cli.app(["grade", str(path), "--out", str(tmp_path / "marks.csv")], standalone_mode=False)


def _graded(course, folder: Path, out: Path):
    path = answered(course, RIGHT, folder / "ann.ipynb")
    return CliRunner().invoke(cli.app, ["grade", str(path), "--assignment", str(course.folder), "--out", str(out)])


def test_marks_are_not_lost_where_they_cannot_be_written(course, tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a").mkdir()
    monkeypatch.setattr(markbook, "write_feedback", full)
    done = _graded(course, tmp_path / "in", tmp_path / "a" / "marks.csv")
    assert isinstance(done.exception, assignments.AssignmentError) and "No space left" in str(done.exception)
    assert "ann,small-deu,ann.ipynb,3,3,6,6" in done.stdout

    # What stops before or while it marks leaves neither an empty file nor an empty folder.
    monkeypatch.setattr(submissions, "grade", full)
    (tmp_path / "b").mkdir()
    done = _graded(course, tmp_path / "in", tmp_path / "b" / "marks.csv")
    assert isinstance(done.exception, assignments.AssignmentError) and "The marking stopped" in str(done.exception)
    done = _graded(course, tmp_path / "in", tmp_path / "b" / f"{'m' * 300}.csv")
    assert isinstance(done.exception, assignments.AssignmentError) and "cannot be made" in str(done.exception)
    assert list((tmp_path / "b").iterdir()) == []


# --- submissions that mean harm ----------------------------------------------------------------------

SEARCH = """
import gc, os, sys
found = []
for folder, _, files in os.walk("/", onerror=lambda e: None):
    found += [name for name in files if "grading.toml" in name or name == "assignment.json"]
    if len(found) > 3: break
for module in list(sys.modules.values()):
    for name in ("expected", "PLAN", "solution"):
        if hasattr(module, name): found.append(name)
frame = sys._getframe()
while frame:
    found += [name for name in frame.f_locals if name in ("expected", "solution", "answers")]
    frame = frame.f_back
found += [o for o in gc.get_objects() if isinstance(o, dict) and "peak_share" in o and o.get("peak_share") == 40.0]
years_down, has_gap = (["found"] * 4, False) if found else ([], False)
"""
PATCH = """
import builtins, json, math
class Same(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    def __abs__(self): return 0.0
    def tolist(self): return True
math.isfinite = lambda x: True
json.dumps = lambda *a, **k: '{"verdict": "full marks"}'
builtins.abs = lambda x: 0
years_down, has_gap = Same(1), Same(1)
"""
CHANNEL = """
import json, os
values = {"marks": ["number", 100], "years_down": ["list", [["number", "x"]]], "has_gap": ["list", [["list", [[]]]]]}
fake = {"end": "own-0", "exercise": "ex-order", "error": "", "values": values}
for handle in range(3, 64):
    try: os.write(handle, json.dumps(fake).encode() + b"\\n{\\n[[[[" + b"[" * 100000 + b"\\n")
    except OSError: pass
years_down, has_gap = [2002], False
"""
FLOOD = """
import os
for handle in range(1, 64):
    try:
        for _ in range(100): os.write(handle, b"x" * 2**20)
    except OSError: pass
"""
DISK = """
for number in range(60):
    with open(f"big{number}", "wb") as file:
        for _ in range(10): file.write(b"x" * 2**20)
"""
MALICE = {
    "loop": "while True: pass",
    "stubborn loop": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "exit": "import os\nos._exit(0)",
    "memory": "hog = [bytearray(2**27) for _ in range(64)]",
    "flood": FLOOD,
    "disk": DISK,
    "search": SEARCH,
    "patch": PATCH,
    "channel": CHANNEL,
    "signal": "import os\nfor s in range(1, 32):\n    try: os.kill(os.getppid(), s)\n    except Exception: pass",
    "depth": "import os\nfor _ in range(1200):\n    os.mkdir('d')\n    os.chdir('d')",
}
TIGHT = Limits(seconds=6, cell_seconds=2, memory=2 * 2**30, file=2**25, disk=2**28)


@pytest.mark.parametrize("kind", MALICE)
def test_malice_earns_nothing_and_costs_the_others_nothing(course, tmp_path, monkeypatch, kind):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    result = marked(course, {**RIGHT, "ex-order": MALICE[kind]}, tmp_path, limits=TIGHT)
    assert [v.points for v in result.verdicts["ex-peak"]] == [1, 2]
    assert sum(v.points for v in result.verdicts["ex-order"]) <= (
        0.5 if kind == "channel" else 0
    )  # [2002] is set there
    assert kind in ("search", "patch", "channel", "signal", "disk", "depth") or result.notes or result.errors
    assert not list((tmp_path / "scratch").iterdir())


@pytest.mark.parametrize("system", [True, False], ids=["with the system's walls", "with Python's alone"])
def test_files_outside_its_copy_cannot_be_read_written_or_removed(course, tmp_path, system):
    sentinel = tmp_path / "sentinel.txt"
    sentinel.write_text("here")
    mine = course.folder / "grading.toml"
    code = f"""
import os, pathlib, shutil
sentinel, plan = {str(sentinel)!r}, {str(mine)!r}
gone = []
def attempt(action, *args):
    try:
        action(*args)
        gone.append(action.__name__)
    except Exception:
        pass
attempt(os.remove, sentinel)
attempt(os.rename, sentinel, "stolen")
attempt(shutil.rmtree, os.path.dirname(sentinel))
attempt(open, sentinel, "w")
attempt(open, plan)
attempt(open, "/proc/self/root" + plan)
attempt(os.open, plan, os.O_RDONLY)
attempt(os.listdir, os.path.dirname(plan))
attempt(os.chmod, sentinel, 0)
attempt(os.utime, sentinel)
attempt(os.symlink, plan, "link")
attempt(open, "link")
attempt(os.link, plan, "hard")
attempt(pathlib.Path(sentinel).unlink)
attempt(os.mkdir, os.path.dirname(sentinel) + "/new")
attempt(getattr(os, "mkfifo", None), os.path.dirname(sentinel) + "/pipe")
attempt(getattr(os, "mknod", None), os.path.dirname(sentinel) + "/file")
deep = "/".join("d" * 40)
os.makedirs(deep)
def from_handle(action, *more):
    work, start = os.getcwd(), os.open(".", os.O_RDONLY)
    os.chdir(deep)  # seen from here, the path leads to a place inside
    try: action("../" * 20 + sentinel.lstrip("/"), *more, dir_fd=start)
    finally: os.chdir(work)
attempt(from_handle, os.open, os.O_RDWR)
attempt(from_handle, os.chmod, 0)
attempt(from_handle, os.remove)
os.mkdir("own")
shutil.rmtree("own")
open("own.txt", "w").write("allowed")
os.remove("own.txt")
for name in os.listdir("."):
    shutil.rmtree(name, ignore_errors=True) if os.path.isdir(name) else os.remove(name)
has_gap = gone == [] and not os.path.exists("own")
years_down = []
"""
    result = marked(course, {**RIGHT, "ex-order": code}, tmp_path / "in", system=system)
    assert [v.points for v in result.verdicts["ex-order"]] == [0, 1], result  # has_gap: nothing succeeded
    assert sentinel.read_text() == "here" and (course.release / course.file).is_file()
    assert any("not allowed" in note for note in result.notes)


@pytest.mark.parametrize("system", [True, False], ids=["with the system's walls", "with Python's alone"])
def test_network_and_other_programs_are_out_of_reach(course, tmp_path, system):
    code = f"""
import os, socket, subprocess, urllib.request
done = []
def attempt(action, *args, **more):
    try:
        action(*args, **more)
        done.append(str(action))
    except Exception:
        pass
attempt(socket.create_connection, ("127.0.0.1", 9), timeout=1)
attempt(socket.getaddrinfo, "localhost", 80)
attempt(socket.socket().bind, ("127.0.0.1", 0)) if not {system} else attempt(socket.socket)
attempt(urllib.request.urlopen, "http://127.0.0.1:9/", timeout=1)
attempt(subprocess.run, ["true"])
attempt(os.system, "true")
attempt(os.fork) if hasattr(os, "fork") else None
import multiprocessing.util
attempt(multiprocessing.util.spawnv_passfds, b"/bin/sh", [b"sh", b"-c", b"true"], [])
attempt(os.kill, os.getppid(), 0)
has_gap, years_down = done == [], done
"""
    result = marked(course, {**RIGHT, "ex-order": code}, tmp_path, system=system)
    assert [v.points for v in result.verdicts["ex-order"]] == [0, 1], result


@pytest.fixture(scope="module")
def walls(tmp_path_factory) -> dict:
    """What the system of this computer can do."""
    with containment.workplace(tmp_path_factory.mktemp("empty")) as place:
        return containment.run([], place, Limits()).walls


def test_compiled_code_stays_inside_where_the_kernel_helps(course, tmp_path, walls):
    if not (walls["files"] and walls["calls"]):
        pytest.skip("This kernel has no Landlock: there is nothing to test.")
    sentinel = tmp_path / "sentinel.txt"
    sentinel.write_text("here")
    mode = sentinel.stat().st_mode
    code = f"""
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
path = {str(sentinel)!r}.encode()
open("own.txt", "w").close()
everybody = struct.pack("<I" + "HHI" * 3, 2, *(part for tag in (1, 4, 32) for part in (tag, 7, 2**32 - 1)))
value = struct.pack("<QII", ctypes.addressof(buffer := ctypes.create_string_buffer(everybody)), len(everybody), 0)
tried = [
    libc.unlink(path), libc.open(path, 0), libc.open(path, 1), libc.chmod(path, 0), libc.truncate(path, 0),
    libc.rename(path, b"stolen"), libc.link(path, b"hard"), libc.fork(), libc.vfork(),
    libc.socket(2, 1, 0), libc.socket(2, 2, 0), libc.socket(1, 1, 0),
    libc.execv(b"/bin/true", (ctypes.c_char_p * 2)(b"true", None)),
    libc.kill(1, 0), libc.kill(-1, 0), libc.ptrace(16, 1, 0, 0), libc.setsid(),
    libc.unshare(0x10000000), libc.memfd_create(b"x", 0), libc.mknod(b"disk", 0o60666, 0x800),
    libc.truncate(b"own.txt", 0),
    libc.syscall(466, -100, path, 0, b"user.x"), libc.syscall(469, -100, path, value, 16, 0),
    libc.syscall(463, -100, path, 0, b"system.posix_acl_access", value, 16),
]
has_gap, years_down = all(result == -1 for result in tried), [result for result in tried]
import threading
worker = threading.Thread(target=lambda: None)
worker.start()
worker.join()
"""
    result = marked(course, {**RIGHT, "ex-order": code}, tmp_path / "in")
    assert [v.points for v in result.verdicts["ex-order"]] == [0, 1], result
    assert result.errors == {} and sentinel.read_text() == "here" and sentinel.stat().st_mode == mode


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock belongs to Linux")
@pytest.mark.parametrize(("version", "stands"), [(0, False), (1, False), (2, False), (3, True), (6, True)])
def test_a_wall_that_lets_files_be_emptied_does_not_count(tmp_path, monkeypatch, version, stands):
    class Library:
        def syscall(self, number, attributes, *more):
            if number == contained._LANDLOCK_CREATE:
                return version if attributes is None else os.open(os.devnull, os.O_RDONLY)
            return 0

        def prctl(self, *arguments):
            return 0

    monkeypatch.setattr(contained, "_libc", Library)
    assert contained.shut_files([str(tmp_path)], [str(tmp_path)]) is stands


def test_an_endless_loop_in_compiled_code_is_ended(course, tmp_path):
    code = "import re\nre.fullmatch('(a+)+b', 'a' * 64)"
    result = marked(
        course, {"ex-peak": code, "ex-order": RIGHT["ex-order"]}, tmp_path, limits=Limits(seconds=3, cell_seconds=60)
    )
    assert result.points == 3 and "used up its time in ex-peak" in result.notes[0]


# --- submissions that are broken ---------------------------------------------------------------------


def test_broken_notebooks_get_a_sentence_and_do_not_stop_the_run(course, tmp_path, monkeypatch):
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    folder = tmp_path / "submitted"
    good = answered(course, RIGHT, folder / "good" / "nb.ipynb")
    whole = json.loads(good.read_text())
    (folder / "=cmd()" / "x").mkdir(parents=True)
    (folder / "=cmd()" / "x" / "nb.ipynb").write_text("{not json")
    (folder / "deep.ipynb").write_text("[" * 100000)
    (folder / "list.ipynb").write_text("[1, 2]")
    (folder / "binary.ipynb").write_bytes(b"\xff\xfe\x00")
    (folder / "cells.ipynb").write_text(json.dumps({"cells": [{"cell_type": "code", "source": 3}], "metadata": {}}))
    try:
        os.symlink(course.source / course.file, folder / "link.ipynb")
    except OSError:  # Windows may not let anybody make a link
        (folder / "link.ipynb").write_text("")
    missing = copy.deepcopy(whole)
    missing["cells"] = [c for c in missing["cells"] if exercises.grade_id(c) not in ("ex-order", "data")]
    (folder / "missing.ipynb").write_text(json.dumps(missing))
    results = {m.student: m for m in submissions.grade(folder, [course], jobs=2)}
    assert not list((tmp_path / "scratch").iterdir())  # the throw-away copies are thrown away
    assert {name: m.points for name, m in results.items()} == {
        "good": 6, "=cmd()": 0, "deep": 0, "list": 0, "binary": 0, "cells": 0, "link": 0, "missing": 3,
    }  # fmt: skip
    assert all(len(results[n].notes) == 1 for n in ("=cmd()", "deep", "list", "binary", "cells", "link"))
    assert "its answer cell is missing" in results["missing"].errors["ex-order"]
    rows = list(csv.DictReader(io.StringIO(markbook.marks_csv(list(results.values())))))
    by_name = {row["student"]: row for row in rows}
    assert (
        by_name["good"]["ex-peak"] == "3"
        and by_name["good"]["points"] == "6"
        and by_name["good"]["ex-peak (prose)"] == ""
    )
    assert "'=cmd()" in by_name  # no formula
    markbook.write_feedback(list(results.values()), tmp_path / "feedback")
    assert len(list((tmp_path / "feedback").iterdir())) == len(results)


def test_markup_in_a_submission_has_no_power_in_its_feedback(course, tmp_path):
    code = "raise ValueError('<script>alert(1)</script> [x](javascript:y) `code`')"
    told = markbook.feedback(marked(course, {"ex-order": code}, tmp_path))
    assert "&lt;script&gt;" in told and "<script>" not in told and "\\[x\\](javascript" in told


def test_each_notebook_is_marked_by_the_assignment_that_it_names(course, tmp_path):
    (tmp_path / "plan.toml").write_text(PLAN)

    def other_case(folder: Path) -> Path:
        path = small_fork(folder)
        path.write_text(path.read_text().replace("2002: 40.0", "2002: 50.0").replace('"DEU"', '"KAZ"'))
        return path

    other = assignments.make(other_case, tmp_path / "plan.toml", tmp_path / "course")
    answered(course, RIGHT, tmp_path / "in" / "one.ipynb")
    answered(other, {**RIGHT, "ex-peak": "peak_year, peak_share = 2002, 45.5"}, tmp_path / "in" / "two.ipynb")
    results = submissions.grade(tmp_path / "in", [course, other])
    assert [(m.student, m.assignment.name, m.points) for m in results] == [
        ("one", "small-deu", 6),
        ("two", "small-kaz", 6),
    ]


# --- the field's tool --------------------------------------------------------------------------------


def test_the_pins_for_teaching_are_exact_and_change_none_of_the_book(root):
    def pins(name: str) -> dict[str, str]:
        lines = (line.partition("#")[0].strip() for line in (root / name).read_text("utf-8").splitlines())
        lines = [line for line in lines if line and not line.startswith(("-r ", "--hash"))]
        pinned = [line.partition(";")[0].strip(" \\") for line in lines]
        assert all(line.count("==") == 1 for line in pinned)
        return dict(line.lower().replace("_", "-").split("==") for line in pinned)

    teaching = pins("requirements-teaching.txt")
    assert "nbgrader" in teaching and not set(teaching) & set(pins("requirements.txt"))


def _nbgrader() -> None:
    """Skip where nbgrader is not installed, but never where CI is set."""
    if importlib.util.find_spec("nbgrader") is None:
        message = "nbgrader is not installed: pip install -r requirements-teaching.txt."
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)


def test_nbgrader_makes_the_same_release_and_gives_the_same_marks(course, tmp_path):
    _nbgrader()
    folder = tmp_path / "course"
    shutil.copytree(course.folder, folder)
    shutil.rmtree(folder / "release")

    # It calls programs of its own environment by name.
    environment = {**os.environ, "PATH": str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]}

    def nbgrader(*arguments: str) -> None:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr

    nbgrader("generate_assignment", course.name)
    theirs = json.loads((folder / "release" / course.name / course.file).read_text("utf-8"))
    mine = course.notebook("release")
    assert ["".join(c["source"]).strip() for c in theirs["cells"]] == [c["source"].strip() for c in mine["cells"]]
    for student, answers in (("perfect", RIGHT), ("wrong", {**RIGHT, "ex-peak": "peak_year, peak_share = 2002, 0.4"})):
        answered(course, answers, folder / "submitted" / student / course.name / course.file)
    nbgrader("autograde", course.name)
    nbgrader("export", "--to", "grades.csv")
    with (folder / "grades.csv").open(encoding="utf-8") as file:
        scores = {row["student_id"]: float(row["raw_score"]) for row in csv.DictReader(file)}
    assert scores == {"perfect": 6.0, "wrong": 5.0}
