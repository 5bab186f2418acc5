"""Numbers in prose: formatted where they are computed, and glued into the text of the page."""

from __future__ import annotations

import re

__all__ = [
    "billions", "change", "direction", "glue", "join", "ordinal", "percent", "plain", "possessive", "runs",
    "the", "times",
]  # fmt: skip

#: Names of economies that take an article in a sentence.
_WITH_ARTICLE = re.compile(
    r"United (?:States|Kingdom|Arab Emirates)|Netherlands|Philippines|Bahamas|Gambia|Comoros|Maldives|USSR"
    r"|(?:DR )?Congo|.+ (?:Republic|Islands|Territories)|Isle of Man"
)


def glue(**texts: str) -> None:
    """Make each text available to the page as ``{glue:text}`` under its name.

    Raises
    ------
    TypeError
        If a value is not text: format it first, so that the reader sees it as intended.
    """
    from IPython.display import display

    prefix = "application/papermill.record/"
    for name, text in texts.items():
        if not isinstance(text, str):
            raise TypeError(f"glue “{name}” as text, formatted with its unit, not as {type(text).__name__}")
        # What myst_nb.glue displays, without importing the whole of Sphinx into every kernel.
        display(
            {f"{prefix}text/plain": repr(text)},
            metadata={"scrapbook": {"name": name, "mime_prefix": prefix}},
            raw=True,
        )


def plain(value: float, digits: int = 0) -> str:
    """A number with thousands separators and a real minus sign."""
    return f"{value:,.{digits}f}".replace("-", "−")


def billions(value: float, digits: int = 1) -> str:
    """An amount given in billion US dollars: “$48.1 billion”, or in millions if it is small: “$85 million”."""
    if 0 < abs(value) < max(0.1, 10.0**-digits):
        millions = 1000 * abs(value)
        return f"{'−' if value < 0 else ''}${millions:,.{0 if millions >= 10 else 1}f} million"
    return f"{'−' if value < 0 else ''}${abs(value):,.{digits}f} billion"


def percent(value: float, digits: int = 1) -> str:
    """A percentage: “31.8 %”."""
    return f"{plain(value, digits)} %"


def change(value: float, digits: int = 1) -> str:
    """A signed percentage change: “+12.4 %”, “−32.0 %”."""
    return f"{value:+,.{digits}f} %".replace("-", "−")


def times(value: float, digits: int = 1) -> str:
    """A multiple: “4.8 times”."""
    return f"{plain(value, digits)} times"


def direction(value: float, up: str = "rose", down: str = "fell", flat: str = "did not change") -> str:
    """The verb for a change: `up` if positive, `down` if negative, `flat` if zero."""
    return up if value > 0 else down if value < 0 else flat


def join(words: list) -> str:
    """Words as an English list: “1981, 1994 and 2009”; “none” if empty."""
    texts = [str(word) for word in words]
    if not texts:
        return "none"
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " and " + texts[-1]


def runs(years) -> list[str]:
    """Consecutive years as spans: 1998, 1999, 2000, 2009 → “1998–2000”, “2009”; “no year” if empty."""
    spans: list[list[int]] = []
    for year in sorted(int(y) for y in years):
        if spans and year == spans[-1][1] + 1:
            spans[-1][1] = year
        else:
            spans.append([year, year])
    return [str(a) if a == b else f"{a}–{b}" for a, b in spans] or ["no year"]


def ordinal(number: int) -> str:
    """A rank in figures: 1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, "th")
    return f"{number}{ending}"


def the(name: str, *, start: bool = False) -> str:
    """A name as it stands in a sentence: “the United States”, “Germany”; “The United States” at its `start`."""
    if not _WITH_ARTICLE.fullmatch(name):
        return name
    return f"{'The' if start else 'the'} {name}"


def possessive(name: str) -> str:
    """A name with its apostrophe: “Germany's”, “Cyprus's”, “the United States'”."""
    plural = name.endswith("s") and _WITH_ARTICLE.fullmatch(re.sub("^[Tt]he ", "", name))
    return f"{name}'" if plural else f"{name}'s"
