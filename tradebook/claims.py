"""The register of audited statements, the rule that turns numbers into a verdict, and the audit.

The register (``data/claims/<source>.csv``) holds one row per statement of a source document. A row
names the check that recomputes it from the data (`tradebook.checks`) or from other claims of the
same document, or says why neither is possible. A verdict is never stored: `verdict` computes it
each time.

Two columns hold a small language, read by `parse_call`, never evaluated as Python:

``check``
    one call of a registered check with literal keyword arguments: ``total_trade(year=2002)``; or,
    where no data exist, one relation as below.
``arithmetic``
    one relation of `RELATIONS` over claims of the document and plain numbers, which the figure must
    fulfil besides: ``growth(thesis-2.1-029, thesis-2.1-025)``.
"""

from __future__ import annotations

import ast
import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tradebook import checks, data
from tradebook.checks import CheckError, Recomputed
from tradebook.data import data_folder
from tradebook.errors import TradebookError

__all__ = [
    "AUDIT_COLUMNS", "COLOURS", "COLUMNS", "COMPARISONS", "KINDS", "RELATIONS", "SOURCES", "VERDICTS", "CheckError",
    "ClaimError", "Judgement", "Tolerance", "audit", "compare", "coverage", "dependencies", "half_unit",
    "likely_reading", "parse_call", "read_audit", "register", "scoreboard", "slips", "verdict",
]  # fmt: skip

SOURCES = ("thesis", "chtf", "us-china-brief", "patents-paper", "shandong-paper")
KINDS = (
    "number",
    "percentage",
    "growth",
    "date",
    "rank",
    "comparison",
    "table-cell",
    "qualitative",
)
COMPARISONS = ("=", "about", ">", ">=", "<", "<=")
VERDICTS = (
    "confirmed",
    "approximately right",
    "depends on definition or vintage",
    "contradicted",
    "internally inconsistent",
    "not checkable",
)
#: Palette colour of each verdict, in charts as on the pages.
COLOURS = dict(zip(VERDICTS, ("c3", "c6", "c5", "c2", "c7", "c8"), strict=True))
#: Columns of a register file. `threshold` is ours, `stated_value` the source's; a claim that is
#: tested has one of them.
COLUMNS = (
    "claim_id", "source", "section", "line", "statement", "subject", "indicator", "period",
    "stated_value", "threshold", "comparison", "unit", "kind", "check", "arithmetic",
    "not_checkable_because", "intended_reading", "how_known", "chapter",
)  # fmt: skip
#: Columns of an audit.
AUDIT_COLUMNS = (
    "claim_id", "source", "section", "line", "statement", "stated_value", "unit", "recomputed_value",
    "recomputed_from", "verdict", "note",
)  # fmt: skip
_FILLED = (
    "claim_id",
    "source",
    "section",
    "line",
    "statement",
    "subject",
    "indicator",
    "kind",
    "chapter",
)
_EXACT_UNITS = {"year", "years", "rank", "count", "days"}
_RATE_UNITS = {"percent", "percentage points"}


class ClaimError(TradebookError):
    """The register of claims, or one row of it, is not as it must be."""


# --- the register ---------------------------------------------------------------------------------


def register(source: str | None = None) -> pd.DataFrame:
    """Read and validate the register.

    Parameters
    ----------
    source : str, optional
        One of `SOURCES`; by default all sources that have a file.

    Returns
    -------
    DataFrame
        `COLUMNS`, all text except `line` and `chapter` (integers); indexed 0…n-1 in reading order.

    Raises
    ------
    ClaimError
        If a file is missing or a row breaks the contract; the message names the claim.
    """
    if source is not None and source not in SOURCES:
        raise ClaimError(f"There is no source “{source}”; choose one of {', '.join(SOURCES)}.")
    wanted = SOURCES if source is None else (source,)
    folder = data_folder() / "claims"
    try:
        described = data.described_registers(folder)
        found = [key for key in wanted if (folder / f"{key}.csv").exists() or key in described]
        frames = [data.read_register(folder, key) for key in found]
    except data.DataError as error:
        raise ClaimError(str(error)) from None
    if not found:
        raise ClaimError("There is no register in data/claims; restore the folder from the repository.")
    for key, frame in zip(found, frames, strict=True):
        _validate(frame, key)
    claims = pd.concat(frames, ignore_index=True)
    return claims.astype({"line": int, "chapter": int})


def coverage() -> pd.DataFrame:
    """How completely each source is registered: its figures and number words, and what covers them.

    Returns
    -------
    DataFrame
        One row per source and a last row ``all``; columns `numbers` (figures and number words in the text), `stated`
        (the figure of a claim), `period` (the year of one), `named` (in the words of one), `reason` (no statement:
        the number of a page, a section, a reference). Counted from ``data/claims/coverage.csv``, which lists every
        number.
    """
    try:
        listed = data.read_register(data_folder() / "claims", "coverage")
    except data.DataError as error:
        raise ClaimError(str(error)) from None
    roles = ["stated", "period", "named", "reason"]
    counts = pd.crosstab(listed["source"], listed["role"]).reindex(index=list(SOURCES), columns=roles, fill_value=0)
    counts.loc["all"] = counts.sum()
    counts.insert(0, "numbers", counts.sum(axis=1))
    counts.columns.name = None
    return counts


def _validate(frame: pd.DataFrame, source: str) -> None:
    if tuple(frame.columns) != COLUMNS:
        raise ClaimError(f"{source}.csv must have the columns {', '.join(COLUMNS)}, in this order.")
    repeated = frame.claim_id[frame.claim_id.duplicated()]
    if len(repeated):
        raise ClaimError(f"Claim {repeated.iloc[0]} is registered twice; give each row its own claim_id.")
    for row in frame.itertuples(index=False):
        problem = _problem(row, source)
        if problem:
            raise ClaimError(f"Claim {row.claim_id or '(without id)'} in {source}.csv: {problem}.")


def _problem(row, source: str) -> str | None:
    """The first breach of the claims contract in one row, or None."""
    empty = [name for name in _FILLED if not getattr(row, name).strip()]
    if empty:
        return f"fill {', '.join(empty)}"
    if not re.fullmatch(rf"{re.escape(source)}-{re.escape(row.section)}-\d{{3}}", row.claim_id):
        return f"claim_id must be “{source}-<section>-<three digits>”"
    if row.source != source or not row.line.isdigit() or not row.chapter.isdigit():
        return "source must match the file, line and chapter must be whole numbers"
    if row.kind not in KINDS:
        return f"kind must be one of {', '.join(KINDS)}"
    tested = bool(row.check)
    if tested == bool(row.not_checkable_because) or (row.arithmetic and not tested):
        return "give either a check or not_checkable_because, and not both"
    if bool(row.intended_reading) != bool(row.how_known):
        return "intended_reading and how_known belong together"
    if not tested:
        return None
    if row.comparison not in COMPARISONS:
        return f"comparison must be one of {' '.join(COMPARISONS)}"
    if bool(row.stated_value) == bool(row.threshold):
        return "fill stated_value (the source's figure) or threshold (ours), and not both"
    if not row.unit:
        return "a tested claim needs a unit"
    for text in filter(None, (row.check, row.arithmetic)):
        parse_call(text)
    half_unit(row.stated_value or row.threshold)
    return None


def parse_call(text: str) -> tuple[str, list, dict]:
    """Read ``name(argument, keyword=literal)`` without evaluating it.

    Positional arguments are claim ids or numbers (relations), keyword arguments are Python
    literals (checks).

    Returns
    -------
    (name, positional, keywords)
    """
    # Claim ids contain hyphens and dots: quote them, so that the text is an ordinary Python call.
    quoted = re.sub(r"(?<![\w'\"-])([a-z][a-z-]*-[\d.]+-\d{3})(?![\w'\"])", r"'\1'", text)
    try:
        call = ast.parse(quoted, mode="eval").body
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
            raise ValueError
        positional = [ast.literal_eval(argument) for argument in call.args]
        keywords = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
        if None in keywords:
            raise ValueError
    except (SyntaxError, ValueError):
        raise ClaimError(f"“{text}” is not a call such as total_trade(year=2002); correct the register.") from None
    return call.func.id, positional, keywords


# --- the rule -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tolerance:
    """How far “approximately right” reaches; one set for the whole book.

    Attributes
    ----------
    level : float
        Amounts and multiples: share of the stated figure. 2 % covers the largest difference
        between two publications of one national total in the tables of this book (China's imports
        of 2011: 1.7 % of the total).
    points : float
        Shares and growth rates: percentage points.
    part : float
        Shares and growth rates: never more than this part of the figure itself, so that “1.6 %”
        and “2.5 %” differ.
    hedge : float
        A hedged figure (“about”, “nearly”) is right within this part of the figure.
    digits : float
        A digit slip is recognised only if the corrected figure is this close (share of the figure).
    """

    level: float = 0.02
    points: float = 1.0
    part: float = 0.2
    hedge: float = 0.05
    digits: float = 0.001

    def of(self, stated: float, unit: str) -> float:
        """The distance from `stated`, in its own unit, that still counts as approximately right."""
        if unit in _EXACT_UNITS:
            return 0.0
        if unit in _RATE_UNITS:
            return min(self.points, self.part * abs(stated))
        return self.level * abs(stated)


@dataclass(frozen=True)
class Judgement:
    """A verdict, the sentences that explain it, and the likely intended reading, if any."""

    verdict: str
    note: str = ""
    reading: str = ""


def half_unit(printed: str) -> float:
    """Half a unit of the last printed digit: 0.0005 for “11.928”, 0.5 for “70”."""
    match = re.fullmatch(r"-?\d+(?:\.(\d+))?", printed.strip())
    if not match:
        raise ClaimError(f"“{printed}” is not a plain number; write 11.928, and its unit in the unit column.")
    return 0.5 * 10.0 ** -len(match.group(1) or "")


def _right(value: float, printed: str, comparison: str, tolerance: Tolerance) -> bool:
    """Is `value` what the source says, within the precision of the printed figure?"""
    stated, half = float(printed), half_unit(printed)
    slack = 1e-9 * max(1.0, abs(stated))  # binary floats: 11.9285 - 11.928 is not exactly 0.0005
    match comparison:
        case "=":
            return abs(value - stated) <= half + slack
        case "about":
            return abs(value - stated) <= max(half, tolerance.hedge * abs(stated)) + slack
        case ">":
            return value > stated
        case ">=":
            return value >= stated
        case "<":
            return value < stated
        case "<=":
            return value <= stated
    raise ClaimError(f"comparison “{comparison}” is not one of {' '.join(COMPARISONS)}.")


def _close(value: float, printed: str, comparison: str, unit: str, tolerance: Tolerance) -> bool:
    """Is `value` near the figure, plain or hedged? An inequality has no such margin."""
    reach = tolerance.of(float(printed), unit)
    return comparison in {"=", "about"} and abs(value - float(printed)) <= reach * (1 + 1e-9) and reach > 0


def verdict(
    stated: str,
    comparison: str,
    unit: str,
    recomputed: Recomputed | None = None,
    arithmetic: tuple[float, float] | None = None,
    tolerance: Tolerance = Tolerance(),
) -> Judgement:
    """The rule: map a stated figure and what was recomputed to a verdict.

    Tried in this order, the first that fits decides:

    1. neither data nor arithmetic → *not checkable*;
    2. the recomputed value is right within the precision of the printed figure → *confirmed*;
    3. it is near (`Tolerance`), and the source states a figure, not an inequality → *approximately right*;
    4. it is wrong, but an alternative definition, vintage or reporter is right or near →
       *depends on definition or vintage*;
    5. it is wrong, and does not follow from the document's own figures either, or was recomputed from nothing
    else → *internally inconsistent*;
    6. it is wrong → *contradicted*.

    Without data, arithmetic alone decides between *confirmed* and *internally inconsistent*.

    Parameters
    ----------
    stated : str
        The figure as printed: its number of digits is its precision.
    comparison : str
        ``=``, ``about``, or how the true value compares with the figure (``>`` for “more than”).
    unit : str
        Unit of the figure; must equal `recomputed.unit`.
    recomputed : Recomputed, optional
        What the data say.
    arithmetic : (low, high), optional
        Range that the document's other figures allow, given their own rounding.
    tolerance : Tolerance

    Returns
    -------
    Judgement
    """
    if recomputed is None and arithmetic is None:
        return Judgement("not checkable")
    follows = arithmetic is None or _overlaps(arithmetic, stated, comparison, tolerance)
    if recomputed is None:
        own = _range_text(arithmetic, unit)
        if follows:
            return Judgement("confirmed", f"Follows from the document's own figures ({own}).")
        return Judgement("internally inconsistent", f"The document's own figures give {own}.")
    if recomputed.unit != unit:
        raise CheckError(f"The check gives {recomputed.unit}, the claim states {unit}; make them the same unit.")

    def right(value: float) -> bool:
        return _right(value, stated, comparison, tolerance)

    def near(value: float) -> bool:
        return _close(value, stated, comparison, unit, tolerance)

    equal = [item for item in recomputed.alternatives if right(item[1])]
    nearly = [item for item in recomputed.alternatives if near(item[1]) and item not in equal]
    rest = [item for item in recomputed.alternatives if item not in equal + nearly]
    notes = [recomputed.note] if recomputed.note else []
    reading = ""
    if right(recomputed.value):
        name = "confirmed"
    elif near(recomputed.value):
        name = "approximately right"
        notes.append(_distance(recomputed.value, float(stated), unit))
    elif equal or nearly:
        name = "depends on definition or vintage"
        notes.append(f"Wrong under {recomputed.source}.")
    else:
        name = "internally inconsistent" if recomputed.internal or not follows else "contradicted"
        reading = likely_reading(stated, comparison, recomputed, tolerance)
    for wording, items in (("Right", equal), ("Approximately right", nearly), ("Wrong", rest)):
        if items:
            listed = "; ".join(f"{label} ({_number(value, unit)})" for label, value in items)
            notes.append(f"{wording} under: {listed}.")
    if not follows:
        notes.append(f"The document's own figures give {_range_text(arithmetic, unit)}.")
    return Judgement(name, " ".join(notes), reading)


def _overlaps(allowed: tuple[float, float], stated: str, comparison: str, tolerance: Tolerance) -> bool:
    """Can the printed figure and the range of the document's other figures both be true?"""
    low, high = allowed
    figure, half = float(stated), half_unit(stated)
    if comparison in {">", ">="}:
        return _right(high, stated, comparison, tolerance)
    if comparison in {"<", "<="}:
        return _right(low, stated, comparison, tolerance)
    reach = max(half, tolerance.hedge * abs(figure)) if comparison == "about" else half
    slack = 1e-9 * max(1.0, abs(figure))
    return low - slack <= figure + reach and figure - reach <= high + slack


def likely_reading(stated: str, comparison: str, recomputed: Recomputed, tolerance: Tolerance = Tolerance()) -> str:
    """The likely intended reading of a wrong figure, or an empty text.

    Tried in this order: another reading that the check offers (another year, another product),
    which the figure must fit within its precision or a tenth of `tolerance.level`; a power of ten,
    within `tolerance.level`; a digit lost, added or altered, or two neighbours swapped, within
    `tolerance.digits`. Digit slips are sought in figures of three digits or more: a shorter figure
    has so many neighbours that one fits by chance.
    """
    if comparison not in {"=", "about"}:
        return ""
    figure, half = float(stated), half_unit(stated)
    fits = [
        (abs(value - figure), label, value)
        for label, value in recomputed.readings
        if abs(value - figure) <= max(half, 0.1 * tolerance.level * abs(figure)) * (1 + 1e-9)
    ]
    if fits:
        _, label, value = min(fits)
        return f"{label} ({_number(value, recomputed.unit)})"
    if recomputed.unit in _EXACT_UNITS or len(re.sub(r"\D", "", stated).lstrip("0")) < 2:
        return ""
    values = [recomputed.value, *(value for _, value in recomputed.alternatives)]
    for power in (1, -1, 2, -2, 3, -3):
        scaled = figure * 10.0**power
        if any(abs(value - scaled) <= max(half * 10.0**power, tolerance.level * abs(scaled)) for value in values):
            return f"{scaled:g}: a slip of scale by a factor of {'1' + '0' * abs(power)}"
    if len(re.sub(r"\D", "", stated).lstrip("0")) < 3:
        return ""
    for text, slip in _digit_slips(stated):
        reach = max(half_unit(text), tolerance.digits * abs(float(text)))
        if any(abs(value - float(text)) <= reach for value in values):
            return f"{text}: {slip}"
    return ""


def _digit_slips(printed: str) -> Iterator[tuple[str, str]]:
    """Figures that differ from `printed` by one slip of the pen; the decimals keep their places."""
    sign, body = ("-", printed[1:]) if printed.startswith("-") else ("", printed)
    places = [i for i, character in enumerate(body) if character.isdigit()]
    candidates: list[tuple[str, str]] = []
    for i in range(body.find(".") + 1 if "." in body else len(body) + 1):
        candidates += [(body[:i] + d + body[i:], "a digit was lost") for d in "0123456789"]
    candidates += [(body[:i] + body[i + 1 :], "a digit was added") for i in places]
    candidates += [(body[:i] + d + body[i + 1 :], "a digit was altered") for i in places for d in "0123456789"]
    for i, j in itertools.pairwise(places):
        swapped = body[:i] + body[j] + body[i + 1 : j] + body[i] + body[j + 1 :]
        candidates.append((swapped, "two digits were swapped"))
    for text, slip in candidates:
        # A change of less than a tenth is a revision of the figure, not a slip of the pen.
        if re.fullmatch(r"\d+(\.\d+)?", text) and abs(float(text) / float(body) - 1) > 0.1:
            yield sign + text, slip


def _number(value: float, unit: str = "") -> str:
    """Four significant digits, whole numbers plain, without an exponent, for notes."""
    if unit == "year":
        return f"{value:.0f}"
    if value == round(value) and abs(value) < 1e9:
        return f"{value:,.0f}"
    if not 1e-4 <= abs(value) < 1e9:
        return f"{value:.4g}"
    return f"{value:,.{max(0, 3 - math.floor(math.log10(abs(value))))}f}"


def _distance(value: float, stated: float, unit: str) -> str:
    if unit in _RATE_UNITS:
        return f"Off by {_number(abs(value - stated))} percentage points."
    return f"Off by {_number(100 * abs(value / stated - 1))} %."


def _range_text(allowed: tuple[float, float], unit: str) -> str:
    low, high = (_number(value, unit) for value in allowed)
    return low if low == high else f"{low} to {high}"


# --- arithmetic inside a document -----------------------------------------------------------------

#: Relations between figures of one document. Each is monotone in every argument, so that its range
#: over rounded figures is reached at the ends of their intervals.
RELATIONS = {
    "value": lambda a: a,
    "total": lambda *parts: math.fsum(parts),  # exact: Python 3.12 changed how `sum` rounds
    "growth": lambda new, old: 100 * (new / old - 1),
    "grown": lambda old, percent: old * (1 + percent / 100),
    "decrease": lambda new, old: 100 * (1 - new / old),
    "multiple": lambda new, old: new / old,
    "mean_growth": lambda new, old, years: 100 * ((new / old) ** (1 / years) - 1),
    # Share of a part when the value and the share of another part of the same total are given.
    "share_beside": lambda part, other_value, other_share: part / (other_value / other_share),
}


def _relation(
    text: str, printed: dict[str, str], exact: frozenset[str] = frozenset()
) -> tuple[float, tuple[float, float], str]:
    """Central value, range and wording of a relation over the printed figures of other claims.

    The claims in `exact` state years, ranks or counts, which are not rounded.
    """
    name, arguments, keywords = parse_call(text)
    ids = [argument for argument in arguments if isinstance(argument, str)]
    unknown = [claim for claim in ids if claim not in printed]
    if unknown or keywords:
        raise ClaimError(f"“{text}” names {unknown[0] if unknown else 'a keyword'}: not a claim; correct it.")
    if name == "count":
        number = float(len(ids))
        return number, (number, number), f"number of claims {ids[0]} … {ids[-1]}"
    if name not in RELATIONS:
        raise ClaimError(f"There is no relation “{name}”; use count, {', '.join(RELATIONS)}.")
    intervals = []
    for argument in arguments:
        if isinstance(argument, str):
            if not printed[argument]:
                raise ClaimError(f"“{text}” needs the figure of {argument}, which states none; correct it.")
            figure, half = float(printed[argument]), 0.0 if argument in exact else half_unit(printed[argument])
            intervals.append((figure - half, figure, figure + half))
        else:
            intervals.append((argument, argument, argument))
    function = RELATIONS[name]
    corners = [function(*corner) for corner in itertools.product(*((low, high) for low, _, high in intervals))]
    middle = function(*(middle for _, middle, _ in intervals))
    return middle, (min(corners), max(corners)), text


# --- the audit ------------------------------------------------------------------------------------


def audit(chapter: int | None = None, source: str | None = None, tolerance: Tolerance = Tolerance()) -> pd.DataFrame:
    """Recompute every claim and give each its verdict.

    Parameters
    ----------
    chapter : int, optional
        Only the claims discussed in this chapter.
    source : str, optional
        Only the claims of this source.
    tolerance : Tolerance
        Another one shows how far verdicts depend on it.

    Returns
    -------
    DataFrame
        One row per claim in reading order: `claim_id, source, section, line, statement,
        stated_value, unit, recomputed_value, recomputed_from, verdict, note`.

    Raises
    ------
    CheckError
        If a check fails to run; the message names every claim concerned.
    """
    columns = AUDIT_COLUMNS[:7]
    rows = [
        (
            *(getattr(claim, name) for name in columns),
            value,
            origin,
            judgement.verdict,
            _full_note(claim, judgement),
        )
        for claim, value, origin, judgement in _judged(chapter, source, tolerance)
    ]
    return pd.DataFrame(rows, columns=list(AUDIT_COLUMNS))


def compare(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """What changed between two audits, for instance before and after the data were refreshed.

    Parameters
    ----------
    before, after : DataFrame
        Results of `audit`.

    Returns
    -------
    DataFrame
        One row per claim whose verdict or recomputed value differs: `claim_id, statement, stated_value, unit,
        value_before, value_after, verdict_before, verdict_after`, changed verdicts first. A claim that only one of
        the audits has shows an empty verdict in the other.
    """
    kept = ["claim_id", "statement", "stated_value", "unit", "recomputed_value", "verdict"]
    both = before[kept].merge(after[kept], on="claim_id", how="outer", suffixes=("_before", "_after"), sort=False)
    for name in ("statement", "stated_value", "unit"):
        both[name] = both[f"{name}_after"].fillna(both[f"{name}_before"])
    both = both.fillna({"verdict_before": "", "verdict_after": ""})
    both = both.rename(columns={f"recomputed_{name}": name for name in ("value_before", "value_after")})
    flipped = both["verdict_before"] != both["verdict_after"]
    # An audit that was stored as text and read again has the same numbers to the last bit but one.
    old, new = both["value_before"], both["value_after"]
    moved = ~((old - new).abs() <= 1e-12 * new.abs()) & ~(old.isna() & new.isna())
    columns = ["claim_id", *kept[1:4], "value_before", "value_after", "verdict_before", "verdict_after"]
    return pd.concat([both.loc[flipped, columns], both.loc[moved & ~flipped, columns]], ignore_index=True)


def read_audit(path: Path) -> pd.DataFrame:
    """An audit that ``tradebook audit --format csv`` has stored.

    Raises
    ------
    ClaimError
        If there is no such file, or it is not an audit.
    """
    try:
        stored = pd.read_csv(path, dtype={"stated_value": str, "unit": str, "note": str}, keep_default_na=False,
                             na_values={"recomputed_value": [""]}, encoding="utf-8")  # fmt: skip
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ClaimError(f"{path} cannot be read as an audit ({type(error).__name__}); store one with "
                         "tradebook audit --format csv.") from None  # fmt: skip
    if tuple(stored.columns) != AUDIT_COLUMNS:
        raise ClaimError(f"{path} is not an audit of this book; store one with tradebook audit --format csv.")
    return stored


def dependencies() -> dict[str, frozenset[str]]:
    """Names of the tables on which each claim rests: those that its check read.

    A claim that is compared with a cited fact or with its own document rests on no table.

    Returns
    -------
    dict
        From `claim_id` to table names, for every claim of the register.
    """
    claims = register()
    printed, exact = _figures(claims)
    available, found = checks.registry(), {}
    checks.forget()
    for claim in claims.itertuples(index=False):
        with data.watch() as read:
            _judge(claim, printed, exact, available, Tolerance())
        found[claim.claim_id] = frozenset(read)
    checks.forget()
    return found


def _figures(claims: pd.DataFrame) -> tuple[dict[str, str], frozenset[str]]:
    """The figures that the documents print, by claim, and the claims whose figure is not rounded."""
    exact = claims.loc[claims.unit.isin(_EXACT_UNITS), "claim_id"]
    return dict(zip(claims.claim_id, claims.stated_value, strict=True)), frozenset(exact)


def _judged(chapter: int | None, source: str | None, tolerance: Tolerance) -> list[tuple]:
    claims = register(source)
    printed, exact = _figures(claims)
    chosen = claims if chapter is None else claims[claims.chapter == chapter]
    if chosen.empty:
        raise ClaimError(f"No claim is registered for chapter {chapter}; choose another chapter.")
    available = checks.registry()
    checks.forget()
    judged, failures = [], []
    for claim in chosen.itertuples(index=False):
        try:
            judged.append((claim, *_judge(claim, printed, exact, available, tolerance)))
        # A check may fail in any way; all failures are reported together, below.
        except Exception as error:
            failures.append((claim.claim_id, error))
    checks.forget()
    if failures:
        listed = "; ".join(f"{claim}: {type(error).__name__}: {error}" for claim, error in failures)
        raise CheckError(f"{len(failures)} checks failed to run; correct them ({listed}).") from failures[0][1]
    return judged


def _judge(claim, printed: dict[str, str], exact: frozenset[str], available: dict, tolerance: Tolerance) -> tuple:
    """Recomputed value, where it comes from, and the judgement of one claim."""
    recomputed, allowed, value, origin = None, None, math.nan, ""
    figure = claim.stated_value or claim.threshold
    name, positional, keywords = parse_call(claim.check) if claim.check else ("", [], {})
    relation = claim.check if name in {*RELATIONS, "count"} else claim.arithmetic
    if relation:
        value, allowed, origin = _relation(relation, printed, exact)
    if name and relation != claim.check:
        if name not in available or positional:
            raise ClaimError(f"“{claim.check}” is not a check with keyword arguments; correct the register.")
        recomputed = available[name](**keywords)
        value, origin = recomputed.value, recomputed.source
    judgement = verdict(figure, claim.comparison, claim.unit, recomputed, allowed, tolerance)
    return value, origin, judgement


def _full_note(claim, judgement: Judgement) -> str:
    parts = []
    if claim.threshold:
        parts.append(f"Tested as: {claim.comparison} {claim.threshold}.")
    if claim.not_checkable_because:
        parts.append(claim.not_checkable_because)
    parts.append(judgement.note)
    meant = judgement.reading or claim.intended_reading
    if meant:
        parts.append(f"Likely intended reading: {meant}.")
    return " ".join(filter(None, parts))


def scoreboard(audited: pd.DataFrame, by: str = "section") -> pd.DataFrame:
    """Count verdicts.

    Parameters
    ----------
    audited : DataFrame
        Result of `audit`.
    by : str
        Column of the audit or of the register to count by, for instance ``"source"``,
        ``"section"``, ``"chapter"`` or ``"kind"``.

    Returns
    -------
    DataFrame
        One row per value of `by` and a last row ``all``; a column for each of `VERDICTS` and
        ``claims``.
    """
    if by in audited:
        groups = audited[by]
    elif by in COLUMNS:
        groups = audited.claim_id.map(register().set_index("claim_id")[by]).rename(by)
    else:
        raise ClaimError(f"Claims have no column “{by}”; choose one of {', '.join(COLUMNS)}.")
    counts = pd.crosstab(groups, audited["verdict"])
    counts = counts.reindex(columns=list(VERDICTS), fill_value=0)
    counts.loc["all"] = counts.sum()
    counts["claims"] = counts.sum(axis=1)
    counts.columns.name = None
    return counts


def slips(chapter: int | None = None, source: str | None = None) -> pd.DataFrame:
    """Slips and mistranslations: what is printed, what was meant, how we know.

    Returns
    -------
    DataFrame
        `claim_id, section, line, printed, meant, how_known`; from the register where words
        slipped, from `likely_reading` where figures did.
    """
    rows = []
    for claim, _, origin, judgement in _judged(chapter, source, Tolerance()):
        meant = [text for text in (claim.intended_reading, judgement.reading) if text]
        if meant:
            known = claim.how_known or f"recomputed from {origin}"
            figure = f" [{claim.stated_value} {claim.unit}]" if claim.stated_value else ""
            place = (claim.claim_id, claim.section, claim.line)
            rows.append((*place, f"{claim.statement}{figure}", "; ".join(meant), known))
    return pd.DataFrame(rows, columns=["claim_id", "section", "line", "printed", "meant", "how_known"])
