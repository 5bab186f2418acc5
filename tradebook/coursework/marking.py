"""Compare the values of a submission with those that the data give: points, and a sentence that gives nothing away.

The rules, the same for every exercise: a value within its tolerance has its points; one with the right digits in
another unit (a share for per cent, thousands for millions) or rounded more coarsely than asked has half of them; one
that follows correctly from earlier answers, right or wrong, has them all, unless these are typed at random: zero where
the right one is not, or equal where the right ones differ; the entries of a list share them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Any

from tradebook.coursework.contained import GREATEST_WHOLE, LONGEST_LIST, LONGEST_TEXT, encode, evaluate
from tradebook.coursework.gradingplan import Answer, Variable

__all__ = ["Verdict", "checked", "judge", "literal", "mark_answer", "points"]

Value = list  # ["number", 3.2], ["text", "DEU"], ["list", [...]], ["truth", True], ["none"], ["other", why]
_UNITS = (100.0, 1e3, 1e6, 1e9)
HALF = 0.5


@dataclass(frozen=True)
class Verdict:
    """What a variable has earned of its points, and why."""

    name: str
    points: float
    of: float
    reason: str


def checked(value: object, inside: bool = False) -> Value:
    """A value as it came out of a submission, if it is of a known form and size; else what is wrong with it."""
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        return ["other", "unreadable"]
    kind, content = value[0], value[1] if len(value) == 2 else None
    if value == ["none"]:
        return ["none"]
    if kind == "truth" and isinstance(content, bool):
        return [kind, content]
    if kind == "number" and isinstance(content, int | float) and not isinstance(content, bool):
        small = abs(content) < GREATEST_WHOLE if isinstance(content, int) else math.isfinite(content)
        return [kind, content] if small else ["other", "not a finite number"]
    if kind == "text" and isinstance(content, str) and len(content) <= LONGEST_TEXT:
        return [kind, content]
    if kind == "list" and isinstance(content, list) and len(content) <= LONGEST_LIST and not inside:
        members = [checked(member, inside=True) for member in content]
        return (
            [kind, members] if all(m[0] in ("number", "text", "truth") for m in members) else ["other", "a mixed list"]
        )
    if kind == "other" and isinstance(content, str):
        return [kind, content[:LONGEST_TEXT]]
    return ["other", "unreadable"]


def literal(value: Value) -> Any:
    """The value itself, as an expression can use it."""
    return [literal(member) for member in value[1]] if value[0] == "list" else value[1]


def judge(variable: Variable, given: Value, expected: Value, followed: Value | None = None) -> Verdict:
    """Points of one variable.

    Parameters
    ----------
    variable : Variable
    given : list
        What the submission has, as `checked` returns it.
    expected : list
        What the data give.
    followed : list, optional
        What follows from the student's own earlier answers.
    """
    share, reason = _share(variable, given, expected)
    if share < 1 and followed is not None and followed[0] not in ("other", "none"):
        again, _ = _share(variable, given, followed)
        if again > share:
            share, reason = again, f"follows from your {' and '.join(variable.given)}, which is not right itself"
    return Verdict(variable.name, round(share * variable.points, 2), variable.points, reason)


def _share(variable: Variable, given: Value, expected: Value) -> tuple[float, str]:
    kind, content = given[0], given[1] if len(given) > 1 else None
    if kind == "none":
        return 0.0, "has no value"
    wanted = {"whole": "number"}.get(variable.kind, variable.kind)
    if kind != wanted:
        found = {"number": "a number", "text": "a text", "truth": "True or False", "list": "a list"}.get(kind, content)
        return 0.0, f"is {found}; {variable.form} is asked for"
    right = expected[1]
    if variable.kind == "list":
        return _list_share(variable, content, right)
    if variable.kind == "text":
        return (1.0, "right") if _same_text(content, right) else (0.0, "is not what the data give")
    if variable.kind == "truth":
        return (1.0, "right") if content is right else (0.0, "is not what the data give")
    if _close(content, right, variable):
        return 1.0, "right"
    return _slip(content, right, variable)


def _close(value: float, right: float, variable: Variable) -> bool:
    return abs(value - right) <= max(variable.margin, variable.relative * abs(right)) + 1e-12 * abs(right)


def _slip(value: float, right: float, variable: Variable) -> tuple[float, str]:
    """What kind of mistake a wrong number shows."""
    for factor in _UNITS if variable.kind == "number" and right else ():
        for scaled in (value * factor, value / factor):
            if abs(scaled - right) <= max(variable.relative, 0.005) * abs(right):
                return (
                    HALF,
                    f"has the right digits in another unit ({variable.unit or 'see the question'} is asked for)",
                )
    if variable.kind == "number" and variable.round:
        for digits in range(variable.round - 1, -1, -1):
            if value != 0 and value == round(right, digits):
                return HALF, f"is rounded more coarsely than asked ({variable.form})"
    if right and abs(value + right) <= max(variable.margin, variable.relative * abs(right)):
        return 0.0, "has the opposite sign"
    if variable.kind == "number" and abs(value - right) <= 10 * max(variable.margin, variable.relative * abs(right)):
        return 0.0, "is close, but outside the tolerance: did you round on the way?"
    return 0.0, "is not what the data give"


def _same_text(value: str, right: str) -> bool:
    return " ".join(value.split()).casefold() == " ".join(right.split()).casefold()


def _list_share(variable: Variable, members: list[Value], right: list[Value]) -> tuple[float, str]:
    def same(one: Value, other: Value) -> bool:
        if one[0] != other[0]:
            return False
        return (
            _same_text(one[1], other[1])
            if one[0] == "text"
            else (abs(one[1] - other[1]) <= max(variable.margin, variable.relative * abs(other[1])))
        )

    if not right:
        return (1.0, "right") if not members else (0.0, "is not what the data give")
    if variable.ordered:
        hits = sum(same(a, b) for a, b in zip(members, right, strict=False))
    else:
        left, hits = list(right), 0
        for member in members:
            place = next((i for i, other in enumerate(left) if same(member, other)), None)
            if place is not None:
                del left[place]
                hits += 1
    extra = max(0, len(members) - len(right))
    share = max(0.0, (hits - extra) / len(right))
    if share == 1.0:
        return 1.0, "right"
    more = f", {extra} too many" if extra else ""
    return share, f"has {hits} of {len(right)} entries right{' and in place' if variable.ordered else ''}{more}"


def mark_answer(
    answer: Answer, given: Mapping[str, Value], expected: Mapping[str, Value], followed: Mapping
) -> list[Verdict]:
    """Points of all variables of an exercise."""
    by_name = {v.name: v for v in answer.variables}
    verdicts = []
    for variable in answer.variables:
        earlier = [(by_name[name], given.get(name, ["none"]), expected[name]) for name in variable.given]
        follows = followed.get(variable.name) if _something(earlier) else None
        verdicts.append(judge(variable, given.get(variable.name, ["none"]), expected[variable.name], follows))
    return verdicts


def _something(earlier: list[tuple[Variable, Value, Value]]) -> bool:
    """Whether earlier answers (asked, given, right) say something from which another can follow."""
    for variable, own, right in earlier:
        if own[0] == right[0] == "number" and _close(own[1], 0, variable) and not _close(right[1], 0, variable):
            return False
    pairs = combinations(earlier, 2)
    return not any(one[1] == other[1] and one[2] != other[2] for one, other in pairs)


def follow_cases(answer: Answer, given: Mapping[str, Value]) -> list[dict]:
    """What to evaluate for an exercise: the right values, then what follows from the student's own earlier answers."""
    cases = [{"bind": {}, "evaluate": {v.name: v.value for v in answer.variables}}]
    for variable in answer.variables:
        own = {name: given.get(name, ["none"]) for name in variable.given}
        if own and all(value[0] not in ("none", "other") for value in own.values()):
            bind = {name: literal(value) for name, value in own.items()}
            cases.append({"bind": bind, "evaluate": {variable.name: variable.value}})
    return cases


def points(names: Mapping[str, Any], solution: str, variables: list[dict]) -> float:
    """Points of an exercise inside the notebook itself: what nbgrader's hidden tests call.

    The solution is run on a copy of the notebook's names; nothing of it stays behind. This takes place in the
    submission's own process, as nbgrader does it; ``tradebook grade`` never does.
    """
    answer = Answer("", "", tuple(Variable(**{**v, "given": tuple(v["given"])}) for v in variables))
    given = {v.name: encode(names.get(v.name)) for v in answer.variables}
    expected, *rest = evaluate(dict(names), solution, follow_cases(answer, given))
    followed = {name: value for values in rest for name, value in values.items()}
    return sum(verdict.points for verdict in mark_answer(answer, given, expected, followed))


def described(variable: Variable) -> dict:
    """A variable as plain data, for `points`."""
    return {field.name: getattr(variable, field.name) for field in fields(Variable)}
