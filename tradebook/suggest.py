"""“Did you mean”: what a mistyped word was probably meant to be."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping

__all__ = ["closest", "did_you_mean", "plain"]


def plain(text: str) -> str:
    """Lower case, no accents, no punctuation: “Côte d’Ivoire” and “cote divoire” are the same."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed.lower() if c.isalnum())


def closest(word: str, known: Iterable[str] | Mapping[str, str], n: int = 3) -> list[str]:
    """Up to `n` of the known words that look like `word`, the most similar first; of a mapping, their values."""
    meant = known if isinstance(known, Mapping) else {one: one for one in known}
    spelt = {plain(label): value for label, value in meant.items()}
    wanted = plain(word)
    likeness = {label: difflib.SequenceMatcher(None, wanted, label).ratio() for label in spelt}
    best = max(likeness.values(), default=0)
    near = [label for label in sorted(spelt, key=lambda x: -likeness[x]) if likeness[label] >= max(0.6, best - 0.1)]
    near += [label for label in spelt if len(wanted) > 2 and label.startswith(wanted)]
    return list(dict.fromkeys(spelt[label] for label in near))[:n]


def did_you_mean(word: str, known: Iterable[str] | Mapping[str, str]) -> str:
    """“Did you mean contradicted?”, or “Choose one of …” if nothing is near."""
    near = closest(word, known)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    values = dict.fromkeys(known.values() if isinstance(known, Mapping) else known)
    return f"Choose one of {', '.join(values)}."
