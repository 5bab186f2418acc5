"""Mark submissions: each is run shut in, then the solutions are run once, on the data, in another process.

A notebook that is broken, stops, loops or does harm has the marks for what is left of it, and a note that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from tradebook.coursework import exercises
from tradebook.coursework.assignments import Assignment, AssignmentError, read_notebook
from tradebook.coursework.containment import ENDS, Limits, Outcome, run, workplace
from tradebook.coursework.gradingplan import Plan
from tradebook.coursework.markbook import printable
from tradebook.coursework.marking import Verdict, checked, follow_cases, mark_answer

__all__ = ["Marked", "grade", "notebooks"]

_MOST_RUNS = 3


@dataclass
class Marked:
    """What one notebook has earned."""

    student: str
    file: str
    assignment: Assignment | None
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    walls: dict = field(default_factory=dict)

    @property
    def points(self) -> float:
        """Points for values."""
        return round(sum(v.points for verdicts in self.verdicts.values() for v in verdicts), 2)

    @property
    def of(self) -> float:
        """Points that there are for values."""
        return sum(a.points for a in self.assignment.plan.answers) if self.assignment else 0.0


def notebooks(submissions: Path) -> list[tuple[str, Path]]:
    """Students and their notebooks, in order: a notebook, or a folder of notebooks or of folders named by student.

    Raises
    ------
    AssignmentError
        If there is nothing to mark.
    """
    if submissions.is_file():
        return [(submissions.stem, submissions)]
    if not submissions.is_dir():
        raise AssignmentError(f"{submissions} is not there: name a notebook or a folder of them.")
    found = []
    for path in sorted(submissions.rglob("*.ipynb")):
        parts = path.relative_to(submissions).parts
        if not any(part.startswith(".") for part in parts):
            found.append((parts[0] if len(parts) > 1 else path.stem, path))
    if not found:
        raise AssignmentError(
            f"There is no notebook in {submissions}: put the submissions there, one each or one folder each."
        )
    return found


def grade(
    submissions: Path,
    assignments: list[Assignment],
    limits: Limits | None = None,
    *,
    system: bool = True,
    jobs: int = 1,
    say: Callable[[str], None] = lambda text: None,
) -> list[Marked]:
    """Mark a notebook or a folder of them.

    Parameters
    ----------
    submissions : Path
    assignments : list of Assignment
        A notebook says which one it answers; where there is only one, that one is taken.
    limits : Limits, optional
        What a submission may use.
    system : bool
        False: without the walls of the operating system (for tests).
    jobs : int
        Submissions that run at a time.
    say : callable
        Told what has been done, a line at a time.

    Returns
    -------
    list of Marked
        In the order of the notebooks' names; a notebook that cannot be read or run has zero for what is missing.
    """
    found = notebooks(submissions)
    base = submissions if submissions.is_dir() else submissions.parent

    def collect(entry: tuple[str, Path]) -> tuple[Marked, dict[str, list]]:
        student, path = entry
        marked = Marked(student, path.relative_to(base).as_posix(), None)
        values = _collect(path, marked, assignments, limits or Limits(), system)
        say(printable(f"{student}: {'; '.join(marked.notes) or 'done'}"))
        return marked, values

    with ThreadPoolExecutor(max(1, jobs)) as pool:
        ran = list(pool.map(collect, found))
    for assignment in assignments:
        mine = [(marked, values) for marked, values in ran if marked.assignment is assignment]
        if mine:
            say(f"{assignment.name}: computing the answers from the data …")
            _mark(assignment, mine)
    return [marked for marked, _ in ran]


def _collect(
    path: Path, marked: Marked, assignments: list[Assignment], limits: Limits, system: bool
) -> dict[str, list]:
    """Run a submission and return the values of what was asked."""
    marked.assignment = assignments[0] if len(assignments) == 1 else None
    try:
        notebook = read_notebook(path)
        about = notebook["metadata"].get("tradebook")
        name = about.get("assignment") if isinstance(about, dict) else None
        match = next((a for a in assignments if a.name == name), None)
        if match:
            marked.assignment = match
        elif marked.assignment is None:
            raise AssignmentError(f"{path.name} does not say which of the assignments it answers.")
        else:
            marked.notes.append("the notebook does not say that it answers this assignment")
        steps = _steps(marked.assignment, notebook, marked)
    except AssignmentError as error:
        marked.notes.append(str(error).rstrip("."))
        return {}
    values: dict[str, list] = {}
    for turn in range(_MOST_RUNS):
        with workplace(marked.assignment.release) as place:
            outcome = run(steps, place, limits, system=system)
        marked.walls = marked.walls or outcome.walls
        values.update(_values(marked.assignment.plan, outcome))
        _note_errors(marked, steps, outcome)
        if outcome.ended == "finished":
            break
        stopped = next((step for step in steps if step["id"] == outcome.last), None)
        own = stopped is not None and stopped["own"]
        where = f" in {stopped['exercise'] or 'a cell before the exercises'}" if own else ""
        marked.notes.append(f"the notebook {ENDS[outcome.ended]}{where}")
        if not own or turn == _MOST_RUNS - 1:
            break
        marked.errors.setdefault(stopped["exercise"] or "", f"the cell {ENDS[outcome.ended]}")
        steps = [step for step in steps if step is not stopped]  # the rest may still earn marks
    return values


def _steps(assignment: Assignment, notebook: dict, marked: Marked) -> list[dict]:
    """The cells to run: the chapter's as released, whatever was done to them; the student's own in their places."""
    release = assignment.notebook("release")["cells"]
    known = {c["metadata"]["nbgrader"]["grade_id"]: c for c in release}
    own: dict[str, list[str]] = {}
    last, changed = "", []
    for cell in notebook["cells"]:
        key = exercises.grade_id(cell)
        key = key if key in known else cell["id"] if cell["id"] in known else None
        if key is not None:
            last = key
        if cell["cell_type"] != "code":
            continue
        if key is None or exercises.is_answer(known[key]):
            own.setdefault(last, []).append(cell["source"])
        elif not key.startswith(exercises.TESTS) and cell["source"].strip() != known[key]["source"].strip():
            changed.append(key)
    if changed:
        marked.notes.append(f"changed cells of the chapter were put back ({', '.join(changed[:5])})")
    names = [v.name for answer in assignment.plan.answers for v in answer.variables]
    labels = [answer.exercise for answer in assignment.plan.answers]
    steps, exercise = [], None
    for text in own.get("", []):
        steps.append({"id": f"own-{len(steps)}", "source": text, "report": names, "exercise": None, "own": True})
    end = max((n for n, c in enumerate(release) if exercises.grade_id(c) in labels), default=0)
    for number, cell in enumerate(release):
        key = exercises.grade_id(cell)
        if key in labels:
            exercise = key
            if key not in own:
                marked.errors.setdefault(key, "its answer cell is missing")
        elif cell["cell_type"] == "code" and not key.startswith(exercises.TESTS) and number < end:
            steps.append({"id": f"chapter-{key}", "source": cell["source"], "own": False})
        for text in own.get(key, []):
            steps.append(
                {"id": f"own-{len(steps)}", "source": text, "report": names, "exercise": exercise, "own": True}
            )
    return steps


def _values(plan: Plan, outcome: Outcome) -> dict[str, list]:
    """Each variable as it stood after its own exercise; where it was set elsewhere, as it stood last."""
    values: dict[str, list] = {}
    reports = [m for m in outcome.messages if isinstance(m.get("values"), dict)]
    for answer in plan.answers:
        for variable in answer.variables:
            for only_own in (True, False):
                for message in reports:
                    value = checked(message["values"].get(variable.name))
                    if (
                        value[0] != "none"
                        and value != ["other", "unreadable"]
                        and (message.get("exercise") == answer.exercise or not only_own)
                    ):
                        values[variable.name] = value
                if variable.name in values:
                    break
    return values


def _note_errors(marked: Marked, steps: list[dict], outcome: Outcome) -> None:
    by_id = {step["id"]: step for step in steps}
    refused = []
    for message in outcome.messages:
        step = by_id.get(message.get("end")) if isinstance(message.get("end"), str) else None
        if step is None or not step["own"]:
            continue
        if isinstance(message.get("error"), str) and message["error"]:
            marked.errors.setdefault(step["exercise"] or "", message["error"][:300])
        if isinstance(message.get("refused"), list):
            refused += [str(what)[:100] for what in message["refused"][:3]]
    note = f"tried what is not allowed: {'; '.join(refused[:3])}"
    if refused and note not in marked.notes:
        marked.notes.append(note)


def _mark(assignment: Assignment, ran: list[tuple[Marked, dict[str, list]]]) -> None:
    """Run the solutions once, on the data, and give all submissions of an assignment their points."""
    plan, notebook = assignment.plan, assignment.notebook("source")
    solutions = exercises.solutions(notebook)
    labels = [answer.exercise for answer in plan.answers]
    steps: list[dict] = []
    for cell in notebook["cells"]:
        key = exercises.grade_id(cell)
        if key in labels:
            answer = plan.answer(key)
            cases = [follow_cases(answer, {})[0]]
            for _, values in ran:
                cases += follow_cases(answer, values)[1:]
            steps.append({"id": key, "solve": solutions[key], "cases": cases})
        elif (
            cell["cell_type"] == "code"
            and not key.startswith(exercises.TESTS)
            and len([s for s in steps if "solve" in s]) < len(labels)
        ):
            steps.append({"id": f"chapter-{key}", "source": cell["source"]})
    with workplace(assignment.source) as place:
        outcome = run(steps, place, Limits(seconds=900, cell_seconds=600, output=2**26))
    solved = {m["end"]: m["solved"] for m in outcome.messages if "solved" in m}
    if set(labels) - set(solved):
        raise AssignmentError(
            f"The solutions of {assignment.name} do not run any more ({outcome.failed or outcome.ended})."
        )
    for answer in plan.answers:
        expected, *rest = solved[answer.exercise]
        expected = {name: checked(value) for name, value in expected.items()}
        if empty := [name for name, value in expected.items() if value[0] in ("none", "other")]:
            raise AssignmentError(f"The data give no value for {empty[0]} any more: make the assignment again.")
        remaining: Iterator[dict] = iter(rest)
        for marked, values in ran:
            followed = {}
            for _ in follow_cases(answer, values)[1:]:
                followed |= {name: checked(value) for name, value in next(remaining).items()}
            verdicts = mark_answer(answer, values, expected, followed)
            error = marked.errors.get(answer.exercise)
            marked.verdicts[answer.exercise] = [
                replace(v, reason=f"{v.reason} ({error})") if error and not v.points else v for v in verdicts
            ]
