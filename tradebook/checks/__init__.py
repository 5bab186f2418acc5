"""Checks: small functions that recompute what a claim says, one module per chapter.

A check takes keyword arguments only and returns a `Recomputed`. It reads tables through `table`,
which loads each table once per audit, and keeps intermediate results with `memo`. Register a
function with the `check` decorator; a claim then names it in its `check` column, for instance
``total_trade(year=2002)``.
"""

from __future__ import annotations

import functools
import importlib
import math
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from tradebook import data
from tradebook.errors import TradebookError

__all__ = ["CheckError", "Recomputed", "check", "forget", "memo", "registry", "table"]


class CheckError(TradebookError):
    """A check could not be run: unknown name, wrong arguments, or no data for what it asks."""


@dataclass(frozen=True)
class Recomputed:
    """What a check found.

    Attributes
    ----------
    value : float
        The recomputed value, from the statistic that the source evidently quotes.
    unit : str
        Its unit; must be the unit of the claim.
    source : str
        Tables and, where it matters, the reporter.
    alternatives : tuple of (label, value)
        The same thing under another definition, vintage or reporter.
    readings : tuple of (label, value)
        Something else that the source may have meant (another year, another product): evidence for
        a slip, never for a verdict.
    note : str
        What a reader must know about the computation.
    internal : bool
        The value rests on nothing but other figures of the same document: if the figure is wrong, the document
        contradicts itself.
    """

    value: float
    unit: str
    source: str
    alternatives: tuple[tuple[str, float], ...] = ()
    readings: tuple[tuple[str, float], ...] = ()
    note: str = ""
    internal: bool = False

    def __post_init__(self) -> None:
        for label, value in (("value", self.value), *self.alternatives, *self.readings):
            if not math.isfinite(value):
                raise CheckError(f"A check found no number for “{label}” ({self.source}); correct its arguments.")


_CHECKS: dict[str, Callable[..., Recomputed]] = {}
_KEPT: dict[tuple, object] = {}


def check(function: Callable[..., Recomputed]) -> Callable[..., Recomputed]:
    """Register `function` under its own name, so that claims can call it."""
    name = function.__name__
    if name in _CHECKS:
        raise CheckError(f"Two checks are called “{name}”; rename one of them.")
    _CHECKS[name] = function
    return function


def registry() -> dict[str, Callable[..., Recomputed]]:
    """All checks by name; imports every module of this package once."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(_CHECKS)


def table(name: str) -> pd.DataFrame:
    """`tradebook.data.load`, once per audit. Do not change the frame that you get."""
    return _kept(("table", name), data.load, name)


def memo(function: Callable) -> Callable:
    """Keep the results of `function` until `forget` is called."""

    @functools.wraps(function)
    def kept(*args):
        return _kept((function.__module__, function.__qualname__, *args), function, *args)

    return kept


def _kept(key: tuple, function: Callable, *args):
    """The result of ``function(*args)``, kept with the names of the tables that it read."""
    if key not in _KEPT:
        with data.watch() as read:
            result = function(*args)
        _KEPT[key] = (result, read)
    result, read = _KEPT[key]
    data.note_read(*read)
    return result


def forget() -> None:
    """Drop all tables and results kept by `table` and `memo`: the next audit reads the data
    anew."""
    _KEPT.clear()
