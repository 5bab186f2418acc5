"""Checks against dated facts: a year, a count or a share that a cited publication gives.

The facts are in ``data/claims/facts.csv``, each with its citation and address; they serve claims
that no statistical series covers.
"""

from __future__ import annotations

import pandas as pd

from tradebook.checks import CheckError, Recomputed, check, memo
from tradebook.data import DataError, data_folder, read_register


@memo
def facts() -> pd.DataFrame:
    """All facts: value, unit, what, citation, url; indexed by name."""
    folder = data_folder() / "claims"
    try:
        read_register(folder, "facts")  # refuses what is not the file that was described
        return pd.read_csv(folder / "facts.csv", index_col="fact", encoding="utf-8")
    except DataError as error:
        raise CheckError(str(error)) from None


def _row(name: str) -> pd.Series:
    known = facts()
    if name not in known.index:
        raise CheckError(f"There is no fact “{name}” in data/claims/facts.csv; add it with its citation.")
    return known.loc[name]


@check
def fact(name: str, other: str = "") -> Recomputed:
    """A dated fact, and `other` as the alternative (the same thing at another date)."""
    row = _row(name)
    alternatives = ((_row(other)["what"], float(_row(other)["value"])),) if other else ()
    return Recomputed(
        float(row["value"]),
        row["unit"],
        row["citation"],
        alternatives,
        note=f"{row['what']} ({row['citation']}).",
    )
