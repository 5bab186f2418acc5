"""Make an assignment of a chapter: one folder with what students get and what a lecturer needs.

From one source, the chapter's exercises with ``coursework/<chapter>.grading.toml``, `make` writes a course folder in
nbgrader's layout: ``source/`` for the lecturer (solutions, tests), ``release/`` for the students (neither), the rubric
for what is answered in words. No answer is stored: the solution is run on the data whenever marks are given.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tradebook import __version__
from tradebook.coursework import exercises
from tradebook.coursework.chapters import ROOT, chapters
from tradebook.coursework.containment import ENDS, Limits, run, workplace
from tradebook.coursework.folders import in_place_of
from tradebook.coursework.gradingplan import Plan, read_plan
from tradebook.coursework.marking import checked, follow_cases, literal
from tradebook.errors import TradebookError

__all__ = ["Assignment", "AssignmentError", "find_assignments", "make", "read_assignment", "read_notebook"]

_ABOUT = "assignment.json"
_PLAN = "grading.toml"
_LARGEST_NOTEBOOK = 50 * 2**20
# What nbgrader's hidden tests import; a fork brings neither.
_MARKING = ("errors.py", *(f"coursework/{name}.py" for name in ("__init__", "contained", "gradingplan", "marking")))
_CONFIG = '''"""For nbgrader: `nbgrader generate_assignment {name}`, `nbgrader autograde {name}` in this folder."""

c = get_config()
c.CourseDirectory.course_id = "{name}"
c.ClearSolutions.code_stub = {{"python": {code_stub!r}}}
c.ClearSolutions.text_stub = {text_stub!r}
c.IncludeHeaderFooter.header = ""
c.ExecutePreprocessor.timeout = 600
'''


_FOR_STUDENTS = """
## Your assignment

The exercises stand in `{file}`. Under each is a table of names; give each its value in the cell below, computed
from the data, and run the cell after it: it checks the form of your answer (kind, length, range), not the value.
Questions in words have a cell of their own. You may add cells. When you are marked, the chapter's own cells are the
original ones.

Before you hand in, restart the kernel and run everything: a name that is set only in a cell that you have deleted has
no value then. The check on GitHub and the build as a book pass when every answer has the right form. Hand in `{file}`
alone.
"""


class AssignmentError(TradebookError):
    """An assignment cannot be made, found or marked."""


@dataclass(frozen=True)
class Assignment:
    """An assignment that was made.

    Attributes
    ----------
    folder : Path
        The course folder.
    name : str
        Name of the assignment, as of its folders in ``source`` and ``release``.
    file : str
        Name of the notebook.
    case : dict
        The parameters.
    plan : Plan
        What is asked.
    glued : dict
        Texts of the chapter that questions name.
    """

    folder: Path
    name: str
    file: str
    case: dict
    plan: Plan
    glued: dict

    @property
    def release(self) -> Path:
        """Folder that students get."""
        return self.folder / "release" / self.name

    @property
    def source(self) -> Path:
        """Folder with solutions and tests."""
        return self.folder / "source" / self.name

    def notebook(self, kind: str) -> dict:
        """The notebook of ``release`` or ``source``."""
        return read_notebook(self.folder / kind / self.name / self.file)


def read_assignment(folder: Path) -> Assignment:
    """Read a course folder that `make` has written.

    Raises
    ------
    AssignmentError
        If it is not one, or something in it is missing.
    """
    try:
        about = json.loads((folder / _ABOUT).read_text("utf-8"))
        plan = read_plan(folder / _PLAN).only(about["asked"])
        found = Assignment(folder, about["name"], about["notebook"], about["case"], plan, about["glued"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AssignmentError(
            f"{folder} is not a folder that “tradebook assignment” has made ({type(error).__name__}: {error})."
        ) from None
    for needed in (found.release, found.source):
        if not (needed / found.file).is_file():
            raise AssignmentError(f"{needed} has no {found.file}: make the assignment again.")
    return found


# --- making ----------------------------------------------------------------------------------------


def make(
    fork: Callable[[Path], Path],
    plan_file: Path,
    target: Path,
    *,
    say: Callable[[str], None] = lambda text: None,
) -> Assignment:
    """Write a course folder.

    Parameters
    ----------
    fork : callable
        Writes a fork of the chapter, with its solutions, into the folder that it is given (which is not there yet) and
        returns the path of its notebook.
    plan_file : Path
        The grading plan of the chapter.
    target : Path
        Folder to make; it must not be there.
    say : callable
        Told what is going on, a sentence at a time.

    Raises
    ------
    AssignmentError
        If `target` is there already or cannot be written, the plan does not fit the chapter, or the data of the case
        answer nothing.
    """
    if os.path.lexists(target):
        raise AssignmentError(f"{target} exists already and is left as it is: name another folder with --to.")
    if not target.parent.is_dir():
        raise AssignmentError(f"The folder {target.parent} does not exist: make it first, or name another with --to.")
    plan = read_plan(plan_file)
    with in_place_of(target, AssignmentError) as draft:
        (draft / "source").mkdir()
        name = _write_course(fork, plan, plan_file, draft, say)
    say(f"{name} is in {target}.")
    return read_assignment(target)


def _write_course(
    fork: Callable[[Path], Path], plan: Plan, plan_file: Path, folder: Path, say: Callable[[str], None]
) -> str:
    """Write everything of a course folder; the name of the assignment."""
    place = folder / "source" / "fork"
    notebook_file = fork(place)
    (place / "tradebook" / "coursework").mkdir(exist_ok=True)
    for module in _MARKING:
        shutil.copyfile(ROOT / "tradebook" / module, place / "tradebook" / module)
    with (place / "README.md").open("a", encoding="utf-8", newline="\n") as readme:
        readme.write(_FOR_STUDENTS.format(file=notebook_file.name))
    notebook = read_notebook(notebook_file)
    about = notebook["metadata"].get("tradebook", {})
    file, case = notebook_file.name, about.get("case", {})
    name = _name(notebook_file.stem, about)
    say("running the chapter and its solutions")
    asked, left_out, glued = _try_solutions(notebook, plan, place, plan_file.name)
    kept = plan.only(asked)
    source = exercises.source_notebook(notebook, kept, glued, {**about, "assignment": name})
    place = place.rename(folder / "source" / name)
    _write_json(place / file, source)
    release = folder / "release" / name
    shutil.copytree(place, release)
    _write_json(release / file, exercises.release_notebook(source))
    shutil.copyfile(plan_file, folder / _PLAN)
    named = {key: glued[key] for r in kept.rubrics for key in exercises.glued_names(r.question) if key in glued}
    content = {"name": name, "notebook": file, "case": case, "asked": asked, "left_out": left_out, "glued": named}
    _write_json(folder / _ABOUT, {**content, "tradebook": __version__})
    config = _CONFIG.format(name=name, code_stub=exercises.CODE_STUB, text_stub=exercises.TEXT_STUB)
    _write(folder / "nbgrader_config.py", config)
    _write(folder / "rubric.md", exercises.rubric_text(source, kept, left_out, glued))
    _write(folder / "README.md", _readme(name, kept, left_out))
    (folder / "submitted").mkdir()
    return name


def _name(stem: str, about: Mapping) -> str:
    """Name of an assignment: the chapter, the subjects of its case, and years other than the book's."""
    case = about.get("case", {})
    own = next((one.own_case for one in chapters() if one.path.stem == about.get("chapter")), case)
    subjects = [value for value in case.values() if isinstance(value, str)]
    years = [f"{key}-{value}" for key, value in case.items() if not isinstance(value, str) and value != own.get(key)]
    return "-".join([stem, *(exercises.slug(part) for part in [*subjects, *years])])


def _try_solutions(notebook: dict, plan: Plan, fork: Path, plan_name: str) -> tuple[dict, dict, dict]:
    """Run the chapter with its solutions: what has an answer in this case, what has none, the texts it glues."""
    cells = {c["id"]: c for c in notebook["cells"] if c["cell_type"] == "code"}
    labels = exercises.labels(notebook)
    here = [answer for answer in plan.answers if answer.exercise in labels and answer.solution in cells]
    solutions = {answer.solution for answer in here}
    steps = [{"id": key, "source": cell["source"]} for key, cell in cells.items() if key not in solutions]
    place = next((n for n, key in enumerate(cells) if key in solutions), len(cells))
    solve = [{"id": a.exercise, "solve": cells[a.solution]["source"], "cases": follow_cases(a, {})} for a in here]
    steps[place:place] = solve
    with workplace(fork) as where:
        outcome = run(steps, where, Limits(seconds=900, cell_seconds=600), glued=True)
    if outcome.ended != "finished":
        raise AssignmentError(
            f"The chapter does not run for this case: it {ENDS[outcome.ended]}. {outcome.failed}".strip()
        )
    broken = next((m for m in outcome.messages if m.get("error")), None)
    if broken:
        raise AssignmentError(f"The chapter does not run for this case: cell “{broken['end']}”, {broken['error']}.")
    solved = {m["end"]: m["solved"][0] for m in outcome.messages if "solved" in m}
    asked: dict[str, list[str]] = {}
    left_out: dict[str, str] = {}
    for answer in plan.answers:
        for variable in answer.variables:
            if answer not in here:
                left_out[variable.name] = "the exercise is about the book's own case"
                continue
            if variable.name in outcome.names:
                raise AssignmentError(
                    f"{plan_name}: the chapter itself has a variable {variable.name}; choose another name."
                )
            value = checked(solved[answer.exercise][variable.name])
            if value[0] in ("none", "other"):
                failed = value[0] == "other" and "Error" in value[1]
                left_out[variable.name] = value[1] if failed else "the data have no answer"
            elif trouble := exercises.form_error(variable, literal(value)):
                raise AssignmentError(f"{plan_name}: the right value does not pass the check of its form ({trouble}).")
            else:
                asked.setdefault(answer.exercise, []).append(variable.name)
    if not asked:
        raise AssignmentError(
            "The data of this case answer none of the exercises: choose economies with longer records."
        )
    return asked, left_out, outcome.glued


def _readme(name: str, plan: Plan, left_out: Mapping[str, str]) -> str:
    by_value = sum(a.points for a in plan.answers)
    by_hand = sum(r.points for r in plan.rubrics)
    lines = [
        f"# {name}",
        "",
        f"{by_value:g} points are for values, given by program; {by_hand:g} for words, given by hand (`rubric.md`).",
        "",
        f"- `release/{name}`: what students get. Hand out the folder, or its notebook to those who have the rest.",
        f"- `source/{name}`: the same with solutions and tests. Keep it to yourself.",
        "- `submitted/`: put what comes back here, a notebook or a folder for each student, named by student.",
        "- `tradebook grade submitted --out marks.csv` marks it and writes a text for each student into `feedback/`.",
        "- `grading.toml`: points and tolerances; change them before you mark, they hold from the next marking on.",
        "",
        "The folder is an nbgrader course as well: `nbgrader generate_assignment`, `nbgrader autograde` and",
        "`nbgrader formgrader` work in it. nbgrader runs a submission with all of your rights; `tradebook grade` shuts",
        "it in.",
    ]
    if left_out:
        lines += [
            "",
            "Not asked, because the data of this case have no answer: " + ", ".join(f"`{n}`" for n in left_out) + ".",
        ]
    return "\n".join(lines) + "\n"


def _write_json(path: Path, content: dict) -> None:
    _write(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8", newline="\n")


# --- notebooks -------------------------------------------------------------------------------------


def read_notebook(path: Path) -> dict:
    """Read a notebook, of anyone: a dictionary whose cells have a type, a text and metadata.

    Raises
    ------
    AssignmentError
        If the file is no notebook; one sentence says why.
    """
    try:
        if path.is_symlink() or not path.is_file():
            raise AssignmentError(f"{path.name} is a link or no file; hand in the notebook itself.")
        if path.stat().st_size > _LARGEST_NOTEBOOK:
            raise AssignmentError(f"{path.name} is larger than 50 MB; clear its outputs and hand it in again.")
        notebook = json.loads(path.read_bytes().decode("utf-8"))
        cells = []
        for number, cell in enumerate(notebook["cells"]):
            source = cell["source"]
            text = source if isinstance(source, str) else "".join(source)
            metadata = cell.get("metadata", {})
            if not isinstance(metadata, dict) or cell["cell_type"] not in ("code", "markdown", "raw"):
                raise TypeError(f"cell {number + 1} is malformed")
            cells.append({**cell, "source": text, "metadata": metadata, "id": str(cell.get("id", f"cell-{number}"))})
        if not isinstance(notebook.get("metadata", {}), dict):
            raise TypeError("its metadata are malformed")
    except AssignmentError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError) as error:
        why = "it is not valid JSON" if isinstance(error, ValueError) else f"{type(error).__name__} {error}"
        raise AssignmentError(
            f"{path.name} is no notebook that can be read ({why}): save it again and hand it in again."
        ) from None
    return {**notebook, "cells": cells, "metadata": notebook.get("metadata", {})}


def find_assignments(submissions: Path, named: list[Path]) -> list[Assignment]:
    """The assignments to mark by: those named, or the one whose folder the submissions lie in.

    Raises
    ------
    AssignmentError
        If there is none, or two have the same name, so that a notebook cannot say which of them it answers.
    """
    if named:
        folders: dict[Path, Path] = {}
        for folder in named:
            below = sorted(path.parent for path in folder.glob(f"*/{_ABOUT}"))
            here = [folder] if (folder / _ABOUT).is_file() or not below else below
            folders |= {one.resolve(): one for one in here}
        found: dict[str, Assignment] = {}
        for assignment in map(read_assignment, folders.values()):
            other = found.setdefault(assignment.name, assignment)
            if other is not assignment:
                raise AssignmentError(
                    f"{other.folder} and {assignment.folder} are both named {assignment.name}, so that their "
                    "submissions cannot be told apart: mark each alone, its submissions with its folder."
                )
        return list(found.values())
    for folder in submissions.resolve().parents:
        if (folder / _ABOUT).is_file():
            return [read_assignment(folder)]
    raise AssignmentError(
        "No assignment was found above the submissions: put them into its folder “submitted”, or use --assignment."
    )
