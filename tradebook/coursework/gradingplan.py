"""How the exercises of a chapter are marked: ``coursework/<chapter>.grading.toml``, read and checked.

An ``[[answer]]`` names an exercise, the cell of the book that solves it and the variables that a student fills; what a
variable should be is an expression in the names of that cell, evaluated on the data whenever marks are given. A
``[[rubric]]`` is a question that is answered in words and marked by hand.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any

from tradebook.errors import TradebookError

__all__ = ["Answer", "Criterion", "Plan", "PlanError", "Rubric", "Variable", "read_plan"]

KINDS = {
    "number": "a number",
    "whole": "a whole number",
    "text": "a text",
    "truth": "True or False",
    "list": "a list",
}
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class PlanError(TradebookError):
    """A grading plan is missing or cannot be used."""


@dataclass(frozen=True)
class Variable:
    """One variable of an answer.

    Attributes
    ----------
    name, kind, meaning, unit : str
        What the student reads; `kind` is one of `KINDS`.
    value : str
        Expression for the right value, in the names of the solution and of the variables before this one.
    points : float
    round : int or None
        Decimals asked for.
    tolerance, relative : float
        A number is right within the larger of `tolerance` and `relative` times the right value; without either, within
        six tenths of the last decimal asked for.
    minimum, maximum : float or None
        What the form of an answer allows, shown to the student: no hint at the value.
    length : int or None
        Entries of a list.
    ordered : bool
        Whether the order of a list counts.
    given : tuple of str
        Variables before it that `value` uses: if the student's are wrong, what follows from them is right as well.
    """

    name: str
    kind: str
    meaning: str
    value: str
    points: float
    unit: str = ""
    round: int | None = None
    tolerance: float | None = None
    relative: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    length: int | None = None
    ordered: bool = True
    given: tuple[str, ...] = ()

    @property
    def margin(self) -> float:
        """The absolute tolerance."""
        if self.tolerance is not None:
            return self.tolerance
        return 0.6 * 10.0**-self.round if self.round is not None else 0.0

    @property
    def form(self) -> str:
        """What to write, in words: “a number in per cent, to 2 decimals”."""
        text = KINDS[self.kind]
        if self.kind == "list" and self.length is not None:
            text = f"a list of {self.length}"
        if self.unit:
            text += f" ({self.unit})"
        if self.round is not None:
            text += f", to {self.round} decimal{'s' * (self.round != 1)}" if self.round else ", to the nearest whole"
        if self.kind == "list" and not self.ordered:
            text += ", in any order"
        return text


@dataclass(frozen=True)
class Answer:
    """An exercise that is marked by its values: its label, the cell that solves it, the variables."""

    exercise: str
    solution: str
    variables: tuple[Variable, ...]

    @property
    def points(self) -> float:
        """Points of the exercise without its prose."""
        return sum(variable.points for variable in self.variables)


@dataclass(frozen=True)
class Criterion:
    """What a marker looks for in a text, with what earns all of the points and half of them."""

    name: str
    points: float
    full: str
    half: str


@dataclass(frozen=True)
class Rubric:
    """A question that is answered in words."""

    exercise: str
    question: str
    criteria: tuple[Criterion, ...]

    @property
    def points(self) -> float:
        """Points of all criteria."""
        return sum(criterion.points for criterion in self.criteria)


@dataclass(frozen=True)
class Plan:
    """The answers and rubrics of a chapter."""

    answers: tuple[Answer, ...]
    rubrics: tuple[Rubric, ...]

    @property
    def exercises(self) -> list[str]:
        """Labels of all exercises, in the order of the file."""
        return list(dict.fromkeys([*(a.exercise for a in self.answers), *(r.exercise for r in self.rubrics)]))

    def answer(self, exercise: str) -> Answer | None:
        """The answer of an exercise, if values are asked for."""
        return next((a for a in self.answers if a.exercise == exercise), None)

    def rubrics_of(self, exercise: str) -> list[Rubric]:
        """The questions in words of an exercise."""
        return [r for r in self.rubrics if r.exercise == exercise]

    def only(self, asked: Mapping[str, list[str]]) -> Plan:
        """The plan with the variables that have an answer in a case: exercise → names."""
        answers = []
        for answer in self.answers:
            kept = tuple(v for v in answer.variables if v.name in asked.get(answer.exercise, []))
            if kept:
                answers.append(Answer(answer.exercise, answer.solution, kept))
        return Plan(tuple(answers), self.rubrics)


def read_plan(path: Path) -> Plan:
    """Read a grading plan.

    Raises
    ------
    PlanError
        If it is missing, is not TOML, or an entry lacks something, has something unknown, or contradicts another.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise PlanError(f"There is no {path.name}: write it beside the other grading plans, then try again.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise PlanError(f"{path.name} cannot be read ({error}): correct it.") from None
    if extra := set(content) - {"answer", "rubric"}:
        raise PlanError(f"{path.name} has an unknown table “{min(extra)}”; use [[answer]] and [[rubric]].")
    for table in ("answer", "rubric"):
        _check_tables(content, table, f"{path.name}:")
    answers = []
    for entry in content.get("answer", []):
        where = f"{path.name}, answer {entry.get('exercise', '?')}"
        _check_tables(entry, "variable", f"{where}:", within="answer.")
        variables = tuple(_variable(v, where) for v in entry.get("variable", []))
        answers.append(_record(Answer, {**_without(entry, "variable"), "variables": variables}, where))
    rubrics = []
    for entry in content.get("rubric", []):
        where = f"{path.name}, rubric {entry.get('exercise', '?')}"
        _check_tables(entry, "criterion", f"{where}:", within="rubric.")
        criteria = tuple(_record(Criterion, c, where) for c in entry.get("criterion", []))
        rubrics.append(_record(Rubric, {**_without(entry, "criterion"), "criteria": criteria}, where))
    plan = Plan(tuple(answers), tuple(rubrics))
    _check(plan, path.name)
    return plan


def _without(entry: Mapping, key: str) -> dict:
    return {name: value for name, value in entry.items() if name != key}


def _check_tables(entry: Mapping[str, Any], name: str, where: str, within: str = "") -> None:
    found = entry.get(name, [])
    if not (isinstance(found, list) and all(isinstance(one, dict) for one in found)):
        raise PlanError(f"{where} write [[{within}{name}]] in double brackets above each {name}.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -math.inf < value < math.inf


# What the type of a field, as it is written in its class, allows, and how a message says it.
_TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "str": (lambda value: isinstance(value, str), "a text in quotation marks"),
    "float": (_is_number, "a number without quotation marks"),
    "int": (lambda value: _is_number(value) and isinstance(value, int) and value >= 0, "a whole number from 0 on"),
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "tuple[str, ...]": (
        lambda value: isinstance(value, list | tuple) and all(isinstance(one, str) for one in value),
        "a list of texts in square brackets",
    ),
}


def _record(kind: type, entry: Mapping[str, Any], where: str) -> Any:
    known = {field.name: field for field in fields(kind)}
    if unknown := set(entry) - set(known):
        raise PlanError(f"{where}: “{min(unknown)}” is not known; use {', '.join(known)}.")
    needed = [name for name, field in known.items() if field.default is MISSING and name not in entry]
    if needed:
        raise PlanError(f"{where}: “{needed[0]}” is missing.")
    for name, value in entry.items():
        allows, words = _TYPES.get(known[name].type.removesuffix(" | None"), (lambda value: True, ""))
        if not allows(value):
            raise PlanError(f"{where}: “{name}” must be {words}.")
    return kind(**entry)


def _variable(entry: Mapping[str, Any], where: str) -> Variable:
    where = f"{where}, {entry.get('name', '?')}"
    variable = _record(Variable, entry, where)
    variable = replace(variable, given=tuple(variable.given))
    if not variable.name.isidentifier() or keyword.iskeyword(variable.name):
        raise PlanError(f"{where}: this is no name that a variable can have.")
    if variable.kind not in KINDS:
        raise PlanError(f"{where}: there is no kind “{variable.kind}”; use {', '.join(KINDS)}.")
    if variable.kind == "number" and variable.margin == 0 and not variable.relative:
        raise PlanError(f"{where}: a number needs “round”, “tolerance” or “relative”, or only equality would count.")
    try:
        ast.parse(variable.value, mode="eval")
    except SyntaxError:
        raise PlanError(f"{where}: “{variable.value}” is no expression.") from None
    return variable


def _check(plan: Plan, name: str) -> None:
    labels = [answer.exercise for answer in plan.answers]
    names = [variable.name for answer in plan.answers for variable in answer.variables]
    for values, what in ((labels, "exercise"), (names, "variable")):
        if len(set(values)) < len(values):
            twice = next(value for value in values if values.count(value) > 1)
            raise PlanError(f"{name}: the {what} {twice} stands there twice; give each its own.")
    for label in plan.exercises:
        if not _LABEL.fullmatch(label):
            raise PlanError(f"{name}: “{label}” is no label of an exercise; use letters, digits and hyphens.")
    for answer in plan.answers:
        if not answer.variables:
            raise PlanError(f"{name}: the answer {answer.exercise} has no variable.")
        before: set[str] = set()
        for variable in answer.variables:
            if not set(variable.given) <= before:
                raise PlanError(f"{name}: {variable.name} is given a variable that does not stand before it.")
            before.add(variable.name)
    points = [v.points for a in plan.answers for v in a.variables] + [
        c.points for r in plan.rubrics for c in r.criteria
    ]
    if any(p <= 0 for p in points) or any(not r.criteria for r in plan.rubrics):
        raise PlanError(f"{name}: every variable and criterion needs points above zero, every rubric a criterion.")
