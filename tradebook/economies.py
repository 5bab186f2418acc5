"""Names and codes of economies: from what a reader types to an ISO code, and back to a name."""

from __future__ import annotations

import pandas as pd

from tradebook.data import load
from tradebook.errors import TradebookError
from tradebook.suggest import closest, plain

__all__ = ["UnknownEconomyError", "lineage", "name", "resolve"]


class UnknownEconomyError(TradebookError):
    """No economy has that code or name."""


def resolve(text: str) -> str:
    """Return the ISO alpha-3 code of an economy given as alpha-3, alpha-2 or English name.

    Raises
    ------
    UnknownEconomyError
        If nothing matches; the message offers the nearest names.
    """
    codes = load("economies")
    wanted = plain(str(text))
    for column in ("iso3", "iso2", "name"):
        hit = codes.loc[codes[column].fillna("").map(plain) == wanted, "iso3"]
        if wanted and len(hit):
            return hit.iloc[0]
    known = dict(zip(codes["name"], codes["iso3"], strict=True))
    known |= {code: code for code in codes["iso3"]}
    # A mistyped code most often has its first letter right.
    near = sorted(closest(str(text), known, 6), key=lambda code: plain(code)[0] != wanted[:1])[:3]
    hint = (
        f"Did you mean {' or '.join(f'{code} ({name(code)})' for code in near)}?"
        if near
        else "Give an ISO 3166 code such as DEU, or an English name such as Germany."
    )
    raise UnknownEconomyError(f"There is no economy “{text}”. {hint}")


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
