"""The exercises of a chapter's notebook, and the two notebooks that an assignment makes of them.

A chapter writes an exercise as ``{exercise}`` and its solution between ``{solution-start}`` and ``{solution-end}``. In
an assignment each exercise becomes a heading with the variables that are asked for, a cell for the answer, a cell that
checks the answer's form, a cell of hidden tests and a cell for each question in words, marked as nbgrader marks cells.
"""

from __future__ import annotations

import ast
import numbers
import re
from collections.abc import Iterator, Mapping
from pprint import pformat

from tradebook.coursework.contained import GREATEST_WHOLE, LONGEST_LIST, LONGEST_TEXT
from tradebook.coursework.gradingplan import Answer, Plan, Variable
from tradebook.coursework.marking import described

__all__ = [
    "CODE_STUB", "TESTS", "TEXT_STUB", "form_error", "glued_names", "grade_id", "in_words", "is_answer", "labels",
    "release_notebook", "rubric_text", "slug", "solutions", "source_notebook",
]  # fmt: skip

CODE_STUB = "# Your code here: compute the values from the data and give them to the names above."
TEXT_STUB = "*Your answer:*"
#: How ids of cells begin that look at answers.
TESTS = ("check-", "marks-")
_BEGIN, _END = "### BEGIN SOLUTION", "### END SOLUTION"
_HIDDEN_BEGIN, _HIDDEN_END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
_FENCE = re.compile(r"^(`{3,}|:{3,})\{(exercise|solution-start|solution-end|solution)\}\s*(.*?)\s*$")
_REF = re.compile(r"\{ref\}`([^`<]+?)\s*(?:<[^>`]*>)?`")
_GLUE = re.compile(r"\{glue:(?:text)?\}`([^`]+)`")


def slug(text: str) -> str:
    """Letters and digits of a text, for the name of a folder."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "case"


# --- reading a chapter -----------------------------------------------------------------------------


def pieces(source: str) -> Iterator[tuple[str, str, str]]:
    """The parts of a Markdown text: kind (text, exercise, solution, solution-start, solution-end), title, body."""
    lines, plain = source.split("\n"), []
    position = 0
    while position < len(lines):
        match = _FENCE.match(lines[position])
        if not match:
            plain.append(lines[position])
            position += 1
            continue
        if "\n".join(plain).strip():
            yield "text", "", "\n".join(plain).strip("\n")
        plain = []
        end = position + 1
        while end < len(lines) and lines[end].strip() != match[1]:
            end += 1
        yield match[2], match[3], "\n".join(lines[position + 1 : end])
        position = end + 1
    if "\n".join(plain).strip():
        yield "text", "", "\n".join(plain).strip("\n")


def _exercise(body: str) -> tuple[str, str]:
    """Label and text of an exercise."""
    match = re.search(r"^:(?:label|name): *(\S+)\s*$", body, re.M)
    text = re.sub(r"^:[a-z]+:.*$\n?", "", body, flags=re.M).strip("\n")
    return (match[1] if match else ""), text


def labels(notebook: Mapping) -> list[str]:
    """Labels of the exercises of a chapter, in its order."""
    found = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            found += [_exercise(body)[0] for kind, _, body in pieces(cell["source"]) if kind == "exercise"]
    return found


def grade_id(cell: Mapping) -> str:
    """The id by which nbgrader knows a cell; empty if it has none."""
    about = cell["metadata"].get("nbgrader")
    found = about.get("grade_id") if isinstance(about, dict) else None
    return found if isinstance(found, str) else ""


def is_answer(cell: Mapping) -> bool:
    """Whether a cell of a release is for the student to fill."""
    return bool(cell["metadata"]["nbgrader"]["solution"])


# --- the lecturer's notebook -----------------------------------------------------------------------


def source_notebook(notebook: Mapping, plan: Plan, glued: Mapping[str, str], about: Mapping) -> dict:
    """The notebook with solutions and tests.

    Parameters
    ----------
    notebook : mapping
        A fork of the chapter, with solutions.
    plan : Plan
        What is asked.
    glued : mapping
        Name → text of what the chapter glues: it stands in the exercises as text, so that they read well in Jupyter.
    about : mapping
        Put into the notebook's metadata under ``tradebook``.
    """
    code = {c["id"]: c["source"] for c in notebook["cells"] if c["cell_type"] == "code"}
    cells, number, hidden = [], 0, False
    for cell in notebook["cells"]:
        if cell["cell_type"] != "markdown":
            if not hidden:
                cells.append(_cell(cell["cell_type"], cell["id"], cell["source"], tags=cell["metadata"].get("tags")))
            continue
        part = 0
        for kind, title, body in pieces(cell["source"]):
            if kind == "solution-start":
                hidden = True
            elif kind == "solution-end":
                hidden = False
            elif hidden or kind == "solution":
                continue
            elif kind == "exercise":
                number += 1
                label, text = _exercise(body)
                cells += _cells_of(number, title, label, in_words(text, glued), plan, code, glued)
            else:
                part += 1
                key = cell["id"] if part == 1 else f"{cell['id']}-{part}"
                cells.append(_cell("markdown", key, body, tags=cell["metadata"].get("tags")))
    metadata = {**{k: v for k, v in notebook["metadata"].items() if k != "tradebook"}, "tradebook": dict(about)}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def glued_names(text: str) -> list[str]:
    """The glued texts that a text names."""
    return _GLUE.findall(text)


def in_words(text: str, glued: Mapping[str, str]) -> str:
    """A text as Jupyter can show it: what it glues in its place, references as plain words."""
    return _REF.sub(r"\1", _GLUE.sub(lambda match: _plain(match[1], glued), text))


def _plain(name: str, glued: Mapping[str, str]) -> str:
    """A glued text as it reads; its record keeps it as Python writes it."""
    text = glued.get(name)
    if text is None:
        return name
    try:
        return str(ast.literal_eval(text))
    except (ValueError, SyntaxError):
        return text


def _cell(
    kind: str, key: str, source: str, *, tags: list | None = None, answer: bool = False, points: float | None = None
) -> dict:
    """A cell with nbgrader's marks: locked unless it is for an answer, graded if it has points."""
    key = re.sub(r"[^A-Za-z0-9_-]", "-", key)[:64]
    marks = {
        "grade": points is not None, "grade_id": key, "locked": not answer, "schema_version": 3, "solution": answer,
        "task": False,
    }  # fmt: skip
    if points is not None:
        marks["points"] = points
    cell = {"cell_type": kind, "id": key, "metadata": {"nbgrader": marks}, "source": source}
    if tags:
        cell["metadata"]["tags"] = tags
    return {**cell, "execution_count": None, "outputs": []} if kind == "code" else cell


def _cells_of(number: int, title: str, label: str, text: str, plan: Plan, code: Mapping, glued: Mapping) -> list[dict]:
    """The cells of one exercise."""
    answer, rubrics = plan.answer(label), plan.rubrics_of(label)
    total = (answer.points if answer else 0) + sum(r.points for r in rubrics)
    heading = f"### Exercise {number}: {title}" + (f" ({total:g} points)" if total else "")
    lines = [heading, "", text]
    if answer:
        lines += [
            "",
            "Give these names their values:",
            "",
            "| name | what it is | how to write it | points |",
            "|:--|:--|:--|--:|",
        ]
        lines += [f"| `{v.name}` | {v.meaning} | {v.form} | {v.points:g} |" for v in answer.variables]
    cells = [_cell("markdown", f"task-{label}", "\n".join(lines))]
    if answer:
        cells.append(_cell("code", label, _answer_source(answer, code[answer.solution]), answer=True))
        cells.append(_cell("code", f"check-{label}", _check_source(answer)))
        cells.append(
            _cell("code", f"marks-{label}", _marks_source(answer, code[answer.solution]), points=answer.points)
        )
    for place, rubric in enumerate(rubrics, 1):
        question = f"**In words ({rubric.points:g} points).** {in_words(rubric.question, glued)}"
        model = "\n".join(f"- {c.name} ({c.points:g}): {c.full}" for c in rubric.criteria)
        source = f"{question}\n\n{_BEGIN}\n{model}\n{_END}"
        cells.append(_cell("markdown", f"prose-{label}-{place}", source, answer=True, points=rubric.points))
    return cells


def _answer_source(answer: Answer, solution: str) -> str:
    width = max(len(v.name) for v in answer.variables)
    empty = [f"{v.name:{width}} = None  # {v.form}" for v in answer.variables]
    names = [f"{v.name} = {v.value}" for v in answer.variables if v.value != v.name]
    return "\n".join([*empty, _BEGIN, solution, *names, _END])


def _check_source(answer: Answer) -> str:
    """Checks of form that a student may see: they hold for right and wrong values alike."""
    lines = [
        "# This cell checks the form of your answer: kind, length, range. It says nothing about the value.",
        "import numbers",
        "",
    ]
    for variable in answer.variables:
        lines += _checks(variable)
    return "\n".join([*lines, 'print("The form is right.")'])


def form_error(variable: Variable, value: object) -> str:
    """What the check that students see says of a value; empty if its form is right."""
    try:
        exec("\n".join(_checks(variable)), {"numbers": numbers, variable.name: value})
    except AssertionError as error:
        return str(error)
    return ""


def _checks(variable: Variable) -> list[str]:
    name, kind, true_or_false = variable.name, variable.kind, '__name__ in ("bool", "bool_")'
    lines = [f'assert {name} is not None, "{name} has no value yet"']
    if kind in ("number", "whole"):
        base = "numbers.Real" if kind == "number" else "numbers.Integral"
        right = f"isinstance({name}, {base}) and not isinstance({name}, bool)"
        lines.append(f'assert {right}, "{name} must be {variable.form}"')
        lines.append(f'assert abs({name}) < {GREATEST_WHOLE:g}, "{name} is not finite, or absurdly large"')
        for bound, sign, word in ((variable.minimum, ">=", "below"), (variable.maximum, "<=", "above")):
            if bound is not None:
                lines.append(f'assert {name} {sign} {bound:g}, "{name} cannot be {word} {bound:g}"')
    elif kind == "text":
        lines.append(f'assert isinstance({name}, str) and {name}.strip(), "{name} must be a text"')
        lines.append(f'assert len({name}) <= {LONGEST_TEXT}, "{name} is longer than {LONGEST_TEXT} characters"')
    elif kind == "truth":
        lines.append(f'assert type({name}).{true_or_false}, "{name} must be True or False"')
    else:
        listed = f'isinstance({name}, (list, tuple, set, frozenset, range)) or hasattr({name}, "tolist")'
        lines.append(f'assert ({listed}) and getattr({name}, "ndim", 1) == 1, "{name} must be a list"')
        lines.append(
            f'assert len({name}) == {variable.length}, "{name} must have {variable.length} entries"'
            if variable.length is not None
            else f'assert len({name}) <= {LONGEST_LIST}, "{name} has more than {LONGEST_LIST} entries"'
        )
        known = f"isinstance(v, (str, numbers.Real)) or type(v).{true_or_false}"
        sensible = f"len(v) <= {LONGEST_TEXT} if isinstance(v, str) else abs(v) < {GREATEST_WHOLE:g}"
        lines.append(f'assert all({known} for v in {name}), "the entries of {name} must be numbers or texts"')
        lines.append(f'assert all({sensible} for v in {name}), "an entry of {name} is not finite, or absurdly large"')
    return lines


def _marks_source(answer: Answer, solution: str) -> str:
    """Hidden tests for nbgrader: the solution is run on the notebook's names, the last line is the number of points."""
    variables = pformat([described(v) for v in answer.variables], sort_dicts=False, width=110)
    return "\n".join(
        [
            f"# {answer.points:g} points: the values are compared with those that the data give.",
            _HIDDEN_BEGIN,
            "from tradebook.coursework import marking",
            "",
            f"asked = {variables}",
            f"solution = {solution!r}",
            "marking.points(globals(), solution, asked)",
            _HIDDEN_END,
        ]
    )


def solutions(source: Mapping) -> dict[str, str]:
    """Exercise → code of its solution, out of the lecturer's notebook (which a lecturer may have changed)."""
    found = {}
    for cell in source["cells"]:
        if cell["cell_type"] == "code" and is_answer(cell):
            body = cell["source"].split(_BEGIN, 1)[-1].split(_END, 1)[0]
            found[grade_id(cell)] = body.strip("\n")
    return found


# --- the students' notebook ------------------------------------------------------------------------


def release_notebook(source: Mapping) -> dict:
    """The notebook without solutions and hidden tests, as ``nbgrader generate_assignment`` would leave it."""
    cells = []
    for cell in source["cells"]:
        text = _without(cell["source"], _HIDDEN_BEGIN, _HIDDEN_END, None)
        if is_answer(cell):
            text = _without(text, _BEGIN, _END, CODE_STUB if cell["cell_type"] == "code" else TEXT_STUB)
        cells.append({**cell, "source": text})
    return {**source, "cells": cells}


def _without(text: str, begin: str, end: str, instead: str | None) -> str:
    kept, inside = [], False
    for line in text.split("\n"):
        if line.strip() == begin:
            inside = True
            kept += [] if instead is None else [instead]
        elif line.strip() == end:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


# --- the rubric ------------------------------------------------------------------------------------


def rubric_text(source: Mapping, plan: Plan, left_out: Mapping[str, str], glued: Mapping[str, str]) -> str:
    """How to mark: points for values, and for each question in words what earns all and what earns half."""
    titles = {
        grade_id(c).removeprefix("task-"): c["source"].split("\n", 1)[0].lstrip("# ")
        for c in source["cells"]
        if grade_id(c).startswith("task-")
    }
    by_value, by_hand = sum(a.points for a in plan.answers), sum(r.points for r in plan.rubrics)
    lines = [
        "# Marking rubric",
        "",
        f"{by_value:g} points for values, given by `tradebook grade`; {by_hand:g} points for words, given by you; "
        f"{by_value + by_hand:g} together.",
        "",
        "A value has its points if it lies within the tolerance of what the data give; half of them if its digits are",
        "right in another unit or it is rounded more coarsely than asked; all of them if it follows correctly from an",
        "earlier answer of the same exercise, right or wrong, but not from a zero or from two equal answers where the",
        "right ones are others. A list shares its points among its entries.",
    ]
    for label in [label for label in titles if label in plan.exercises]:
        lines += ["", f"## {titles[label]}"]
        if answer := plan.answer(label):
            lines += ["", "| value | what it is | counts as right | points |", "|:--|:--|:--|--:|"]
            lines += [f"| `{v.name}` | {v.meaning} | {_right(v)} | {v.points:g} |" for v in answer.variables]
        for rubric in plan.rubrics_of(label):
            question = in_words(rubric.question, glued)
            lines += ["", f"**{question}** ({rubric.points:g} points)", ""]
            lines += ["| criterion | points | full | half |", "|:--|--:|:--|:--|"]
            lines += [f"| {c.name} | {c.points:g} | {c.full} | {c.half} |" for c in rubric.criteria]
    if left_out:
        lines += ["", "## Not asked", "", "The data of this case have no answer:", ""]
        lines += [f"- `{name}` ({reason})" for name, reason in left_out.items()]
    return "\n".join(lines) + "\n"


def _right(variable: Variable) -> str:
    if variable.kind not in ("number", "whole") or not (variable.margin or variable.relative):
        return "equal" if variable.kind != "list" else "entry by entry" + (" in order" if variable.ordered else "")
    parts = [f"± {variable.margin:g}"] * bool(variable.margin) + [f"± {100 * variable.relative:g} %"] * bool(
        variable.relative
    )
    return " or ".join(parts)
