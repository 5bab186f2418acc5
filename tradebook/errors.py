"""The one exception that every module of `tradebook` derives its own from."""

from __future__ import annotations


class TradebookError(Exception):
    """Something is wrong with the input; the message says what, and what to do about it."""
