"""Read what a publisher sent without trusting it."""

from __future__ import annotations

import json
import math
from typing import Any

from tradebook.refresh.errors import PassingError, RefreshError, plain


def read_json(body: bytes, name: str) -> Any:
    """JSON in its strict form: whole, no key twice, no NaN or Infinity, not nested without end.

    Raises
    ------
    PassingError
        If the text breaks off or is garbled: the next answer may be whole.
    RefreshError
        If it is something else than JSON, or JSON that no statistical office would send.
    """
    start = body.lstrip()[:200].lower()
    if start.startswith(b"<"):
        what = "a web page" if b"html" in start else "XML"
        raise RefreshError(f"{name} sent {what} instead of data; its interface may be down for maintenance.")

    def pairs(items: list[tuple[str, Any]]) -> dict:
        found = dict(items)
        if len(found) < len(items):
            raise RefreshError(f"{name} sent a record that has a field twice; nothing was kept.")
        return found

    def number(text: str) -> float:
        value = float(text)
        if not math.isfinite(value):
            raise RefreshError(f"{name} sent {plain(text)}, which is no finite number; nothing was kept.")
        return value

    try:
        return json.loads(body.decode("utf-8-sig"), object_pairs_hook=pairs, parse_constant=number, parse_float=number)
    except RecursionError:
        raise RefreshError(f"{name} sent data nested without end; nothing was kept.") from None
    except ValueError:  # also UnicodeDecodeError, and numbers of thousands of digits
        raise PassingError("sent data that break off or are garbled") from None


def changed(name: str, what: str) -> RefreshError:
    """The error for an answer that has not the documented shape."""
    return RefreshError(
        f"{name} answers in another form than it documents ({what}); nothing was kept. A newer version of the book may "
        "know the new form."
    )


def number_of(value: Any, name: str, what: str) -> float | None:
    """A number or nothing; text, truth values and lists are refused."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise changed(name, f"{what} is {plain(value)!r} and not a number")
    try:
        return float(value)
    except OverflowError:
        raise changed(name, f"{what} is not a bearable number") from None
