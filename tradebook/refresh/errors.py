"""What can go wrong when data are fetched."""

from __future__ import annotations

from tradebook.errors import TradebookError


class RefreshError(TradebookError):
    """New data cannot be fetched, trusted or put in place; the message says why, and what to do."""


class AwayError(RefreshError):
    """A publisher answers no request for now, for whatever table."""


class PassingError(Exception):
    """An answer that may be right the next time: `wait` is what the publisher asks for, in seconds."""

    def __init__(self, problem: str, wait: float | None = None) -> None:
        super().__init__(problem)
        self.wait = wait


def plain(text: object, length: int = 60) -> str:
    """What a publisher sent, made safe to print: printable ASCII without markup, one line, not long."""
    safe = (c if c.isascii() and c.isprintable() and c not in "<>&" else "?" for c in str(text)[: length + 1])
    shown = "".join(safe)
    return shown if len(shown) <= length else shown[:length] + "…"
