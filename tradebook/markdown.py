"""Text from data inside Markdown: shown as it is written, so that nothing in it can act."""

from __future__ import annotations

import re

from tradebook.data import DataError

__all__ = ["address", "text"]

#: A name between backticks, shown as code.
_CODE = re.compile(r"`[\w .,&()/’'-]+`")


def text(value: str) -> str:
    """Prose of a descriptor inside Markdown, on one line: nothing in it acts, except a name between backticks."""
    value = " ".join(value.split())
    parts, place = [], 0
    for code in [*_CODE.finditer(value), None]:
        prose = value[place : code.start() if code else None]
        prose = re.sub(r"&(?=#?\w+;)", "&amp;", prose).replace("<", "&lt;").replace(">", "&gt;")
        parts.append(re.sub(r"[\\*\[\]{}|$~^`!]|(?<!\w)_", r"\\\g<0>", prose))
        if code:
            parts.append(code[0])
            place = code.end()
    # At the beginning of a line, of a list's entry or of a definition these would begin a block.
    first = re.compile(r"^([#+=:%@]|-(?=[\s-]|$))|^(\d+)(?=[.)](?:\s|$))")
    return first.sub(lambda m: f"\\{m[1]}" if m[1] else f"{m[2]}\\", "".join(parts))


def address(value: str) -> str:
    """An address inside the brackets of a Markdown link; only what a browser opens as a page.

    Raises
    ------
    DataError
        If it is no address of the web.
    """
    if not re.fullmatch(r"https?://[^\s<>()\[\]`\"\\]*(?:\([^\s<>()]*\)[^\s<>()]*)*", value):
        raise DataError(f"{value[:80]!r} in datapackage.json is no address that begins with http: correct it.")
    return value
