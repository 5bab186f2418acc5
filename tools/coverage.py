"""Is every number of the source documents registered? Lists them, and what covers each.

``python -m tools.coverage thesis=thesis.txt chtf=news.txt`` reads the texts of the sources (which are not
part of the repository), looks for every figure and number word, and asks of each: does a claim registered at
its line state it, cover it as its period, or name it; or does a rule of ``data/claims/coverage-reasons.csv``
say why it is no statement (a page number, a reference)? What neither covers is printed, and the exit status
is 1. ``--write`` stores the answer, number by number but without the sources' sentences, as
``data/claims/coverage.csv``.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
CLAIMS = ROOT / "data" / "claims"
COLUMNS = ("source", "line", "nth", "number", "role", "claims", "reason")
ROLES = ("stated", "period", "named", "none")
#: A claim covers numbers up to this many lines away: a page break can cut a sentence in two.
REACH = 2

_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_CARDINALS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
).split()
_TENS = "thirty forty fifty sixty seventy eighty ninety".split()
_WORDS: dict[str, tuple[float, ...]] = {
    **{word: (float(number),) for number, word in enumerate(_CARDINALS)},
    **{word: (10.0 * number,) for number, word in enumerate(_TENS, 3)},
    "twenty-five": (25.0,),
    # A number word that can also be a share or a change of the figure.
    **{word: (float(number),) for number, word in enumerate("first second".split(), 1)},
    "third": (3.0, 1 / 3, 33.3, 33.33),
    "fourth": (4.0, 0.25, 25.0),
    **{word: (float(number),) for number, word in enumerate("fifth sixth seventh eighth ninth tenth".split(), 5)},
    **dict.fromkeys(("half", "halves", "halved"), (0.5, 50.0, 2.0)),
    **dict.fromkeys(("quarter", "quarters"), (0.25, 25.0, 4.0)),
    **dict.fromkeys(("double", "doubled", "doubling", "twice"), (2.0, 100.0)),
    **dict.fromkeys(("triple", "tripled", "tripling"), (3.0, 200.0)),
    "decade": (10.0,),
    "decades": (10.0,),
    "century": (100.0,),
    "dozen": (12.0,),
    "dozens": (12.0, 24.0),
    **{word: (value,) for word, value in _SCALES.items()},
    **{f"{word}s": (value,) for word, value in _SCALES.items()},
    # Russian forms, for the abstract that a source gives in Russian.
    **dict.fromkeys(("два", "две", "двух", "двумя"), (2.0,)),
    **dict.fromkeys(("три", "трёх", "трех"), (3.0,)),
}  # fmt: skip
_ANY_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_NUMBER = re.compile(
    r"(?P<figure>(?:(?<![\w.)-])-)?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)*))"
    rf"(?:\s?(?P<scale>{'|'.join(_SCALES)})s?\b)?|\b(?P<word>{_ANY_WORD})\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Number:
    """A figure or number word in a source: where it stands, as printed, and what it can mean."""

    line: int
    nth: int
    printed: str
    values: tuple[float, ...]
    start: int
    end: int


def numbers(text: str, line: int) -> Iterator[Number]:
    """The numbers of one line, in their order."""
    for nth, match in enumerate(_NUMBER.finditer(text), 1):
        if match["word"]:
            values = _WORDS[match["word"].lower()]
        elif match["figure"].count(".") > 1:
            values = ()  # the number of a section: it can only be named, not stated
        else:
            figure = float(match["figure"].replace(",", ""))
            scale = _SCALES.get((match["scale"] or "").lower(), 1.0)
            # "218.252 billion" may be registered as 218.252 (billion US$), 218252 (million) or in full.
            values = tuple({figure * scale / unit for unit in (scale, 1.0, 1e3, 1e6, 1e9, 1e12)})
            values = values if match["scale"] else (figure,)
        yield Number(line, nth, match.group(), values, match.start(), match.end())


def role(number: Number, claim: dict[str, str]) -> str:
    """How `claim` covers `number`: the first of `ROLES` that fits."""
    stated = {float(claim[name]) for name in ("stated_value", "threshold") if claim[name]}
    if any(abs(value - figure) <= 1e-9 * max(1.0, abs(figure)) for value in number.values for figure in stated):
        return "stated"
    spellings = {number.printed.lower(), number.printed.replace(",", "").lower()}
    spellings |= {f"{value:g}" for value in number.values}
    whole = re.compile(rf"(?<![\d.])(?:{'|'.join(map(re.escape, spellings))})(?!\d|\.\d)")
    if whole.search(claim["period"].lower()):
        return "period"
    words = " ".join(claim[name] for name in ("statement", "subject", "indicator", "check", "arithmetic"))
    return "named" if whole.search(words.lower()) else "none"


def _rows(name: str) -> list[dict[str, str]]:
    with (CLAIMS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cover(source: str, text: str, claims: list[dict], reasons: list[dict]) -> Iterator[tuple[dict, str]]:
    """One row of ``coverage.csv`` for each number of a source's text, with the words around it.

    Where several claims cover a number, those in the strongest role are named; a reason is sought only
    for a number that no claim covers.
    """
    rules = [(int(rule["first"]), int(rule["last"]), re.compile(rule["pattern"], re.I), rule["reason"])
             for rule in reasons if rule["source"] == source]  # fmt: skip
    for line, words in enumerate(text.split("\n"), 1):
        near = [claim for claim in claims if abs(int(claim["line"]) - line) <= REACH]
        for number in numbers(words, line):
            roles = {claim["claim_id"]: role(number, claim) for claim in near}
            best = min(roles.values(), key=ROLES.index, default="none")
            ids = [claim for claim, found in roles.items() if found == best] if best != "none" else []
            reason = ""
            if best == "none":
                reason = next((why for first, last, pattern, why in rules if first <= line <= last and any(
                    match.start() <= number.start and number.end <= match.end() for match in pattern.finditer(words)
                )), "")  # fmt: skip
                best = "reason" if reason else "open"
            values = (source, line, number.nth, number.printed, best, " ".join(ids), reason)
            around = words[max(0, number.start - 45) : number.end + 45]
            yield dict(zip(COLUMNS, values, strict=True)), around


def unprinted(source: str, text: str, claims: list[dict]) -> list[dict]:
    """Claims of a source whose stated figure stands nowhere near their line: slips of the register."""
    lines = dict(enumerate(text.split("\n"), 1))
    found = {line: list(numbers(words, line)) for line, words in lines.items()}
    return [
        claim
        for claim in claims
        if claim["stated_value"]
        and not any(
            role(number, claim) == "stated"
            for line in range(int(claim["line"]) - REACH, int(claim["line"]) + REACH + 1)
            for number in found.get(line, [])
        )
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run the program; 1 if a number is not covered."""
    parser = argparse.ArgumentParser(prog="python -m tools.coverage", description=__doc__.split("\n")[0])
    parser.add_argument(
        "texts", nargs="+", metavar="SOURCE=FILE", help="text of a source, for instance thesis=thesis.txt"
    )
    parser.add_argument(
        "--lines", default="1-1000000", help="print only what is open in these lines, for instance 146-237"
    )
    parser.add_argument("--write", action="store_true", help="store the answer in data/claims/coverage.csv")
    options = parser.parse_args(arguments)
    first, last = map(int, options.lines.split("-"))
    reasons, rows, left = _rows("coverage-reasons"), [], 0
    for entry in options.texts:
        source, _, path = entry.partition("=")
        text, claims = Path(path).read_text("utf-8"), _rows(source)
        covered = list(cover(source, text, claims, reasons))
        counts = Counter(row["role"] for row, _ in covered)
        print(
            f"{source}: {len(covered)} numbers;",
            ", ".join(f"{counts[name]} {name}" for name in [*ROLES[:3], "reason", "open"]),
        )
        for row, around in covered:
            if row["role"] == "open" and first <= row["line"] <= last:
                print(f"  open: line {row['line']}, number {row['nth']}, “{row['number']}”: … {around} …")
        for claim in unprinted(source, text, claims):
            if first <= int(claim["line"]) <= last:
                where = f"{claim['claim_id']} (line {claim['line']})"
                print(f"  not printed there: {where}: {claim['stated_value']} {claim['unit']}")
        left += counts["open"]
        rows += [row for row, _ in covered]
    if options.write:
        with (CLAIMS / "coverage.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return int(left > 0)


if __name__ == "__main__":
    sys.exit(main())
