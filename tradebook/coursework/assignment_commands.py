"""Command line for teaching: ``tradebook assignment`` and ``tradebook grade``.

Exit codes as of `fork_commands`; a submission that is broken or contained is a line of the marks, no error.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from tradebook.coursework import fork_commands as forking
from tradebook.coursework.chapters import chapter, make_case

__all__ = ["add_to"]

_SHUT_IN = "Submissions were shut in by the operating system: files, network and other programs."
_PYTHON_ONLY = (
    "Submissions were shut in as to {what} by Python alone, which a program made to pass it can pass: do not mark a "
    "class that you do not trust on this computer; use Linux 6.2 or newer, or Docker."
)


def assignment(
    number: Annotated[
        str,
        typer.Argument(
            metavar="CHAPTER", help="Number or name of a chapter.", autocompletion=forking._complete_chapter
        ),
    ],
    to: Annotated[Path, typer.Option(help="Course folder to make; it must not exist.")],
    exporter: Annotated[str | None, forking._economy_option("The economy from whose side the chapter looks")] = None,
    partner: Annotated[str | None, forking._economy_option("The other one")] = None,
    first: Annotated[str | None, forking._economy_option("Chapters 1 and 4: the first economy")] = None,
    second: Annotated[str | None, forking._economy_option("Chapters 1 and 4: the second one")] = None,
    company: Annotated[
        str | None, typer.Option(help="Chapter 5: a company of our tables.", autocompletion=forking._complete_company)
    ] = None,
    year: Annotated[int | None, typer.Option(help="Chapters 1 and 4: the year that is taken apart.")] = None,
    origin: Annotated[int | None, typer.Option(help="Chapters 2 and 4: last year that a forecaster may see.")] = None,
    event: Annotated[int | None, typer.Option(help="Chapter 5: first year that the event can have touched.")] = None,
) -> None:
    """Make an assignment of a chapter's exercises: a release for students, solutions and tests for you, a rubric.

    The folder is an nbgrader course as well. No answer is stored in it: the solutions are run on the data.
    """
    one = chapter(number)
    options = {"exporter": exporter, "partner": partner, "first": first, "second": second}
    options |= {"company": company, "year": year, "origin": origin, "event": event}
    case = make_case(one, forking._given(one, options))

    from tradebook.coursework import assignments, forks

    say, wipe = forking._progress()
    plan = one.path.parents[1] / "coursework" / f"{one.path.stem}.grading.toml"

    def fork(folder: Path) -> Path:
        return folder / forks.fork(case, folder, say=say).notebook

    try:
        made = assignments.make(fork, plan, to, say=say)
    finally:
        wipe()
    by_value = sum(answer.points for answer in made.plan.answers)
    by_hand = sum(rubric.points for rubric in made.plan.rubrics)
    typer.echo(f"{case.title}: {made.folder}")
    typer.echo(
        f"{by_value:g} points for values, {by_hand:g} for words. Students get release/{made.name}; read README.md."
    )
    if importlib.util.find_spec("nbgrader") is None:
        typer.echo("For nbgrader's own commands in that folder: pip install -r requirements-teaching.txt")


def grade(
    submitted: Annotated[
        Path,
        typer.Argument(metavar="SUBMISSIONS", help="A notebook, or a folder of notebooks or of students' folders."),
    ],
    assignment: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of an assignment, or of several; by default the one that the submissions lie in."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="CSV file for the marks (feedback/ is written beside it); by default they are printed."),
    ] = None,
    seconds: Annotated[
        int, typer.Option(min=1, help="Time for one submission, in seconds; a quarter of it for one cell.")
    ] = 240,
    memory: Annotated[int, typer.Option(min=256, help="Memory for one submission, in megabytes.")] = 6144,
    jobs: Annotated[int, typer.Option(min=1, help="Submissions that run at a time.")] = 1,
) -> None:
    """Mark submissions, each shut in: marks for every exercise as CSV, a text for every student.

    What is answered in words is left empty for you; rubric.md of the assignment says how to mark it.
    """
    from tradebook.coursework import assignments, markbook, submissions
    from tradebook.coursework.containment import Limits

    feedback = out.parent / "feedback" if out else None
    for path in (out, feedback):
        if path is not None and os.path.lexists(path):
            raise assignments.AssignmentError(
                f"{path} exists already and is left as it is: move it, or name another with --out."
            )
    if out is not None and not out.parent.is_dir():
        raise assignments.AssignmentError(
            f"The folder {out.parent} does not exist: make it first, or name another with --out."
        )
    known = assignments.find_assignments(submitted, assignment or [])
    say, wipe = forking._progress()
    limits = Limits(seconds=seconds, cell_seconds=max(1, seconds / 4), memory=memory * 2**20)
    with _kept_free(out, feedback):
        try:
            marked = submissions.grade(submitted, known, limits, jobs=jobs, say=say)
        except OSError as error:
            reason = f"{error.strerror or type(error).__name__}, {error.filename or 'a temporary file'}"
            raise assignments.AssignmentError(
                f"The marking stopped, and nothing is stored ({reason}): see to that, and mark again."
            ) from error
        finally:
            wipe()
    marks = markbook.marks_csv(marked)
    if out is None:
        typer.echo(marks, nl=False)
    else:
        try:
            out.write_text(marks, "utf-8", newline="\n")
            markbook.write_feedback(marked, feedback)
        except OSError as error:
            typer.echo(marks, nl=False)  # of perhaps an hour's work
            raise assignments.AssignmentError(
                f"{out} and {feedback} cannot be written in full ({error.strerror or type(error).__name__}): the "
                "marks are printed instead, keep them."
            ) from error
        typer.echo(f"{len(marked)} notebooks marked: {out}, a text for each in {feedback}.")
    if ran := [m.walls for m in marked if m.walls]:
        open_to = {"files": "files", "calls": "network and other programs"}
        lacking = [what for wall, what in open_to.items() if not all(walls.get(wall) for walls in ran)]
        typer.echo(_PYTHON_ONLY.format(what=" and ".join(lacking)) if lacking else _SHUT_IN, err=True)


@contextmanager
def _kept_free(out: Path | None, feedback: Path | None) -> Iterator[None]:
    """Make the file and the folder before the marking, so that it is not done in vain; take them away if it fails."""
    if out is None:
        yield
        return
    from tradebook.coursework.assignments import AssignmentError

    made: list[Callable[[], None]] = []
    try:
        try:
            out.open("x").close()
            made.append(out.unlink)
            feedback.mkdir()
            made.append(feedback.rmdir)
        except OSError as error:
            raise AssignmentError(
                f"{error.filename or out} cannot be made ({error.strerror or type(error).__name__}): name another file "
                "with --out."
            ) from error
        yield
    except BaseException:
        for undo in made:
            with suppress(OSError):
                undo()
        raise


def add_to(app: typer.Typer) -> None:
    """Give the program these commands."""
    app.command(
        "assignment",
        rich_help_panel=forking.PANEL,
        epilog="Example: tradebook assignment 2 --exporter DEU --partner KAZ --to ../trade-course",
    )(assignment)
    example = "Example: tradebook grade ../trade-course/submitted --out marks.csv"
    app.command("grade", rich_help_panel=forking.PANEL, epilog=example)(grade)
