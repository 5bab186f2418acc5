"""Names and codes of economies: from what a reader types to an ISO code, and back to a name."""

from __future__ import annotations

import difflib
import unicodedata

import pandas as pd

from tradebook.data import load
from tradebook.errors import TradebookError

__all__ = ["UnknownEconomyError", "lineage", "name", "resolve"]


class UnknownEconomyError(TradebookError):
    """No economy has that code or name."""


def _plain(text: str) -> str:
    """Lower case, no accents, no punctuation: “Côte d’Ivoire” and “cote divoire” are the same."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed.lower() if c.isalnum())


def resolve(text: str) -> str:
    """Return the ISO alpha-3 code of an economy given as alpha-3, alpha-2 or English name.

    Raises
    ------
    UnknownEconomyError
        If nothing matches; the message offers the nearest names.
    """
    codes = load("economies")
    wanted = _plain(str(text))
    for column in ("iso3", "iso2", "name"):
        hit = codes.loc[codes[column].fillna("").map(_plain) == wanted, "iso3"]
        if wanted and len(hit):
            return hit.iloc[0]
    known = {_plain(label): code for label, code in zip(codes["name"], codes["iso3"], strict=True)}
    known |= {_plain(code): code for code in codes["iso3"]}
    near = list(dict.fromkeys(known[m] for m in difflib.get_close_matches(wanted, known, n=5)))
    hint = (
        f"did you mean {' or '.join(f'{code} ({name(code)})' for code in near[:3])}?"
        if near
        else "give an ISO 3166 code such as DEU, or an English name such as Germany."
    )
    raise UnknownEconomyError(f"There is no economy “{text}”; {hint}")


def name(iso3: str) -> str:
    """Short English name of an economy: ``name("KOR")`` is “South Korea”."""
    codes = load("economies").set_index("iso3")["name"]
    if iso3 not in codes.index:
        return name(resolve(iso3))
    return codes[iso3]


def lineage(iso3: str) -> list[str]:
    """Codes under which an economy's series runs back in time, oldest first: RUS → [SUN, RUS].

    Only a predecessor that ended before its successor began counts as the same line in a chart;
    the break is drawn, never hidden.
    """
    codes = load("economies")
    predecessors = codes.loc[(codes["successor"] == iso3) & codes["valid_to"].notna(), "iso3"]
    # DEU existed beside DDR: its own code already runs through, so nothing is put before it.
    alone = {"SUN": "RUS", "CSK": "CZE", "BLX": "BEL"}
    return [code for code in predecessors if alone.get(code) == iso3] + [iso3]


def names(codes: pd.Series) -> pd.Series:
    """Names for a column of codes."""
    return codes.map(load("economies").set_index("iso3")["name"])
