"""The notices that the licences of others ask for, as one text that lies beside the pages."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Iterable

from tools.supply.pieces import Piece

_LINE = "=" * 100


def _entry(piece: Piece, printed: dict[str, str]) -> str:
    lines = [_LINE, f"{piece.name} {piece.version}".strip(), f"Licence: {piece.licence}", *piece.holders]
    lines += [f"Source: {piece.source}"] * bool(piece.source)
    lines += textwrap.wrap(f"In: {', '.join(piece.files)}", 100, break_long_words=False, break_on_hyphens=False)
    parts = ["\n".join(lines)]
    for name, text in piece.texts:
        key = hashlib.sha256(" ".join(text.split()).encode()).hexdigest()
        if key in printed:
            parts.append(f"--- {name}: the same text as under {printed[key]}")
        else:
            printed[key] = f"{piece.name} {piece.version}".strip()
            parts.append(f"--- {name}\n\n{text.rstrip()}")
    return "\n\n".join(parts)


def notices(pieces: Iterable[Piece], title: str, texts: dict[str, str]) -> str:
    """All pieces of others' work in the built book, each with its licence, its notices and its licence text.

    Parameters
    ----------
    pieces : iterable of Piece
        The pieces of the pages and of the notebooks in the browser.
    title : str
        Of the book.
    texts : dict of str
        Common licence texts by SPDX identifier, for packages from npm that come without one.
    """
    pieces = list(pieces)
    printed: dict[str, str] = {}
    found = [
        f"Notices of others' work in “{title}”\n\n"
        "The pages of the book, and the notebooks that run in the browser where this copy has them, hold pieces\n"
        "of the works below. The book's own text and figures are under CC BY 4.0, its code is under the MIT\n"
        "licence; data are under the terms of their publishers.\n"
        f"\n{_LINE}\nContents\n"
    ]
    found[0] += "\n".join(f"  {p.name} {p.version}: {p.licence}" for p in pieces if p.kind != "npm")
    found += [_entry(piece, printed) for piece in pieces if piece.kind != "npm"]
    if npm := [piece for piece in pieces if piece.kind == "npm"]:
        lines = [f"  {p.name} {p.version}: {p.licence}. {'; '.join(p.holders)}" for p in npm]
        found.append(
            f"{_LINE}\nPackages from npm inside JupyterLite\n\nTheir licence texts are in\n  "
            + "\n  ".join(sorted({file for piece in npm for file in piece.files}))
            + "\nFor those that come without a text, the texts of their licences follow the list. The npm registry\n"
            "has the source of each under its name and version; that of elkjs is at https://github.com/kieler/elkjs.\n\n"
            + "\n".join(lines)
        )
        wanted = sorted({p.licence for p in npm if not p.texts})
        found += [f"{_LINE}\n{name}\n\n{texts[name].rstrip()}" for name in wanted if name in texts]
    return "\n\n".join(found) + "\n"
