"""What marking leaves: the marks as CSV, and a text for each student. Nothing of a submission has power over either."""

from __future__ import annotations

import csv
import html
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tradebook.coursework.exercises import in_words
from tradebook.coursework.gradingplan import Plan

if TYPE_CHECKING:
    from tradebook.coursework.submissions import Marked

__all__ = ["feedback", "marks_csv", "printable", "safe", "write_feedback"]


def marks_csv(marked: list[Marked]) -> str:
    """Marks as CSV: a row for each notebook, a column for each exercise, prose left empty for the marker."""
    columns = list(dict.fromkeys(a.exercise for m in marked if m.assignment for a in m.assignment.plan.answers))
    written = list(dict.fromkeys(r.exercise for m in marked if m.assignment for r in m.assignment.plan.rubrics))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            "student",
            "assignment",
            "file",
            *columns,
            "points",
            "of",
            *(f"{e} (prose)" for e in written),
            "prose_of",
            "notes",
        ]
    )
    for m in marked:
        plan = m.assignment.plan if m.assignment else Plan((), ())
        cells = [sum(v.points for v in m.verdicts[e]) if e in m.verdicts else "" for e in columns]
        cells = [f"{c:g}" if c != "" else "" for c in cells]
        prose = [f"{sum(r.points for r in plan.rubrics):g}"]
        row = [m.student, m.assignment.name if m.assignment else "", m.file, *cells, f"{m.points:g}", f"{m.of:g}"]
        writer.writerow([_cell(c) for c in [*row, *[""] * len(written), *prose, "; ".join(m.notes)]])
    return out.getvalue()


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = printable(str(text))
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def feedback(marked: Marked) -> str:
    """What one student is told: for each variable what was wrong, not what is right."""
    plan = marked.assignment.plan if marked.assignment else Plan((), ())
    lines = [f"# {safe(marked.student)}", ""]
    if marked.assignment:
        lines += [f"{safe(marked.assignment.name)}: {marked.points:g} of {marked.of:g} points for values.", ""]
    lines += [f"- {safe(note[:1].upper() + note[1:])}." for note in marked.notes]
    if marked.errors.get(""):
        lines.append(f"- A cell before the exercises stopped: {safe(marked.errors[''])}.")
    for exercise in plan.exercises:
        verdicts = marked.verdicts.get(exercise, [])
        rubrics = plan.rubrics_of(exercise)
        lines += ["", f"## {exercise}", ""]
        lines += [f"- `{v.name}` {safe(v.reason)}: {v.points:g} of {v.of:g}." for v in verdicts]
        if exercise in marked.errors and all(v.points for v in verdicts):
            lines.append(f"- Its cell stopped: {safe(marked.errors[exercise])}.")
        lines += [
            f"- In words, marked by hand: {in_words(r.question, marked.assignment.glued)} ({r.points:g} points)"
            for r in rubrics
        ]
    return "\n".join(lines).strip() + "\n"


def printable(text: str) -> str:
    """One line without characters that steer a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def safe(text: str) -> str:
    """Text of a submission without power over the page that shows it."""
    text = printable(text)[:400]
    return re.sub(r"([\\`*_\[\]#|~!])", r"\\\1", html.escape(text, quote=False))


def write_feedback(marked: list[Marked], folder: Path) -> None:
    """Write one text for each notebook into a folder, named by student."""
    folder.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    for m in marked:
        stem = re.sub(r"[^\w.-]+", "-", m.student).strip(".-")[:80] or "student"
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        (folder / f"{name}.md").write_text(feedback(m), "utf-8", newline="\n")
