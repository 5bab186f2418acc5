"""What a chapter needs to know about a case, whether the tables have it, and pairs for a class of students.

Every requirement is a count that is taken from the tables (years, directions, series) and the least that the chapter
can work with. A case is adequate if no requirement is missed; `missing` says of each one that is, what there is and
what is needed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from tradebook.coursework.chapters import Case, Chapter
from tradebook.data import load
from tradebook.economies import lineage
from tradebook.errors import TradebookError

__all__ = ["Need", "PairsError", "adequate_economies", "adequate_pairs", "deal", "missing", "needs"]

GRAVITY_YEARS = range(1992, 2021, 4)  # of the structural estimate of chapter 2
LEARNING = 17  # three fifths of it are the ten years that a forecast must have seen


class PairsError(TradebookError):
    """There are not as many adequate pairs as were asked for."""


@dataclass(frozen=True)
class Need:
    """One requirement: what is counted, how much of it there is, and how much the chapter needs, or bears at most."""

    what: str
    found: float
    least: float = 0
    most: float = float("inf")

    @property
    def met(self) -> bool:
        """Whether there is enough."""
        return self.least <= self.found <= self.most

    def __str__(self) -> str:
        bound = f"{self.least:.0f} needed" if self.found < self.least else f"{self.most:.0f} at most"
        return f"{self.what}: {self.found:.0f}, {bound}"


def needs(case: Case) -> list[Need]:
    """All requirements of the chapter, met or not; none for a chapter that this module does not know."""
    check = _NEEDS.get(case.chapter.stem)
    return check(case) if check else []


def missing(case: Case) -> str:
    """What the tables lack for a case, in one sentence; empty if they have all that its chapter needs."""
    lacking = [str(need) for need in needs(case) if not need.met]
    if not lacking:
        return ""
    more = f"; and {len(lacking) - 4} more" if len(lacking) > 4 else ""
    return f"{case.label}: too little data for chapter {case.chapter.number} ({'; '.join(lacking[:4])}{more})."


@cache
def _all_names() -> dict[str, str]:
    return load("economies").set_index("iso3")["name"].to_dict()


def name(code: str) -> str:
    """As `tradebook.economies.name`, but quick for thousands of codes."""
    return _all_names()[code]


# --- chapter 2: pairs -----------------------------------------------------------------------------


def _pair_years(among: tuple[str, ...] | None = None) -> pd.DataFrame:
    """One row per ordered pair (home, partner) and year that either reports: both sides' records of both directions.

    Columns: sold, bought (home's record, million US dollars), their_sold, their_bought (the partner's). A state that
    ended counts as its successor, as in `bilateral.totals`. `among` names the economies of interest, by default all.
    """
    flows = load("bilateral-trade")
    if among:
        wanted = {old for code in among for old in lineage(code)}
        flows = flows[flows["exporter"].isin(wanted) & flows["importer"].isin(wanted)]
    codes = _codes()
    number = {code: i for i, code in enumerate(codes)}
    number |= {old: number[code] for old, code in _successors().items() if code in number}
    flows = flows.set_axis(["year", "home", "partner", "sold", "their_bought"], axis=1)
    # Numbers instead of codes: a million rows are joined with themselves.
    for side in ("home", "partner"):
        flows[side] = flows[side].map(number)
    flows = flows.dropna(subset=["home", "partner"]).astype({"home": "int64", "partner": "int64"})
    flows = flows[flows["home"] != flows["partner"]]
    keys = ["home", "partner", "year"]
    flows = flows.groupby(keys, as_index=False).sum(min_count=1)
    size = len(codes)
    flows["key"] = (flows["home"] * size + flows["partner"]) * 10_000 + flows["year"]
    back = pd.DataFrame({"key": (flows["partner"] * size + flows["home"]) * 10_000 + flows["year"]})
    back[["their_sold", "bought"]] = flows[["sold", "their_bought"]]
    flows = flows.merge(back, on="key").sort_values("key", ignore_index=True)
    for side in ("home", "partner"):
        flows[side] = pd.Categorical.from_codes(flows[side], categories=codes)
    return flows.drop(columns="key")


def _successors() -> dict[str, str]:
    """Former state → the one that continues its series, as `economies.lineage` has it."""
    former = load("economies").dropna(subset="successor")
    return {row.iso3: row.successor for row in former.itertuples() if row.iso3 in lineage(row.successor)[:-1]}


def _estimated(cif: pd.Series, fob: pd.Series) -> pd.Series:
    ratio = cif / fob
    return np.isclose(ratio, 1.06, rtol=1e-5) | np.isclose(ratio, 1.10, rtol=1e-5)


@cache
def _pairs(origin: int, among: tuple[str, ...] | None = None) -> pd.DataFrame:
    """Requirements of chapter 2 for ordered pairs that trade: one column per count, indexed by (home, partner)."""
    frame = _pair_years(among)
    pair = ["home", "partner"]
    total = frame["sold"] + frame["bought"]
    theirs = frame["their_sold"] + frame["their_bought"]
    out_ratio = frame["their_bought"].notna() & (frame["sold"] > 0) & ~_estimated(frame["their_bought"], frame["sold"])
    back_ratio = frame["bought"].notna() & (frame["their_sold"] > 0) & ~_estimated(frame["bought"], frame["their_sold"])
    gdp = load("wdi").query("indicator == 'NY.GDP.MKTP.CD'")
    rich = pd.MultiIndex.from_frame(gdp.dropna(subset="value")[["iso3", "year"]])
    in_turn = frame["year"].isin(GRAVITY_YEARS)
    has_gdp = in_turn.copy()
    for side in pair:
        there = pd.MultiIndex.from_arrays([frame.loc[in_turn, side].astype(str), frame.loc[in_turn, "year"]]).isin(rich)
        has_gdp[in_turn] &= there
    counts = frame[pair].assign(
        theirs=theirs > 0,
        both=(total > 0) & (theirs > 0),
        mirror_out=out_ratio,
        mirror_back=back_ratio,
        gravity=has_gdp & (frame[["sold", "their_sold", "bought", "their_bought"]] > 0).all(axis=1),
    )
    # The last run of years without a gap, as bilateral.unbroken takes it.
    valid = frame[total.notna()]
    place = valid.groupby(pair, sort=False, observed=True)
    run = valid["year"] - place.cumcount()
    start = valid["year"][run == run.groupby([valid[side] for side in pair], observed=True).transform("last")]
    runs = valid.assign(start=start).groupby(pair, sort=False, observed=True)
    runs = runs.agg(start=("start", "min"), end=("year", "max"))
    table = counts.groupby(pair, sort=False, observed=True).sum().join(runs)
    table["past"] = (origin - table.pop("start") + 1).clip(lower=0).fillna(0)
    table["future"] = (table.pop("end") - origin).clip(lower=0).fillna(0)
    # Codes as text from here on: a lookup of one that never trades is no error then.
    texts = [table.index.get_level_values(side).astype(str) for side in pair]
    table.index = pd.MultiIndex.from_arrays(texts, names=pair)
    sections = load("sitc-sections-matrix").query("sitc_section != 'TOTAL' and year in (1995, 2015) and value_usd > 0")
    if among:
        sections = sections[sections["exporter"].isin(among) & sections["importer"].isin(among)]
    traded = sections.groupby(["exporter", "importer"])["year"].nunique()
    table["products_out"] = traded.reindex(table.index).fillna(0)
    table["products_back"] = traded.reorder_levels([1, 0]).reindex(table.index).fillna(0)
    distances = load("geodist-pairs").dropna(subset=["dist", "distcap"])
    apart = pd.MultiIndex.from_frame(distances[["exporter", "importer"]])
    table["distance"] = table.index.isin(apart)
    return table


#: Column of `_pairs` → the least that chapter 2 can work with, and what is counted ({a} is the exporter).
_PAIR_NEEDS = {
    "past": (LEARNING, "years of trade that {a} reports in both directions, in a row up to {origin}"),
    "future": (1, "such years after {origin}"),
    "theirs": (15, "years of trade that {b} reports in both directions"),
    "both": (12, "years in which both report both directions"),
    "mirror_out": (5, "years with two records of what {a} sells"),
    "mirror_back": (5, "years with two records of what {b} sells"),
    "products_out": (2, "years, of 1995 and 2015, with the products that {a} sells"),
    "products_back": (2, "years, of 1995 and 2015, with the products that {b} sells"),
    "distance": (1, "distance on record"),
    "gravity": (3, "years, every fourth since 1992, with both GDPs and all four records"),
}


def _bilateral(case: Case) -> list[Need]:
    a, b, origin = str(case.values["EXPORTER"]), str(case.values["PARTNER"]), int(case.values["ORIGIN"])
    table = _pairs(origin, (a, b))
    row = table.loc[(a, b)] if (a, b) in table.index else Counter()
    words = {"a": name(a), "b": name(b), "origin": origin}
    return [Need(text.format(**words), row[key], least) for key, (least, text) in _PAIR_NEEDS.items()]


# --- the other chapters: economies and companies ---------------------------------------------------


@cache
def _years(indicator: str, table: str = "wdi") -> dict[str, frozenset[int]]:
    """Economy → years with a value of an indicator."""
    frame = load(table)
    frame = frame[frame["indicator"] == indicator].dropna(subset="value")
    return {code: frozenset(years) for code, years in frame.groupby("iso3")["year"]}


def _last_run(years: Iterable[int]) -> int:
    """Length of the last run of years without a gap."""
    known = set(years)
    year, length = max(known, default=0), 0
    while year - length in known:
        length += 1
    return length


def _longest_run(years: Iterable[int]) -> int:
    """Length of the longest run of years without a gap."""
    known = set(years)
    return max((_last_run(year for year in known if year <= end) for end in known), default=0)


def _world(case: Case) -> list[Need]:
    """Chapter 1: size, growth, income, prices and trade of each of the two."""
    year = int(case.values["YEAR"])
    found = []
    for parameter in ("FIRST", "SECOND"):
        code = str(case.values[parameter])
        who = name(code)
        output = _years("NY.GDP.MKTP.CD").get(code, frozenset())
        growth = _years("NY.GDP.MKTP.KD.ZG").get(code, frozenset())
        income = _years("NY.GDP.PCAP.PP.CD").get(code, frozenset())
        prices = _years("FP.CPI.TOTL.ZG").get(code, frozenset())
        exports = _years("TX.VAL.MRCH.CD.WT").get(code, frozenset())
        sides = {"output": output, "growth": growth, "income per head": income, "exports of goods": exports}
        found += [Need(f"years of {what} of {who}", len(years), 15) for what, years in sides.items()]
        found += [
            Need(f"growth of {who} in {year}", year in growth, 1),
            Need(f"output of {who} in {year - 1} and in 2015", (year - 1 in output) + (2015 in output), 2),
            Need(f"years without a gap at the end of the record of growth of {who}", _last_run(growth), 15),
            Need(f"years of prices of {who} in 2014–2016", len(prices & {2014, 2015, 2016}), 3),
            Need(f"decades (1960, …, 2020) in which {who} is in the network of trade", len(_decades(code)), 2),
        ]
    return [*found, _both_in_network(str(case.values["FIRST"]), str(case.values["SECOND"]), year)]


def _both_in_network(a: str, b: str, year: int) -> Need:
    return Need("decades in which both are in the network of trade", len(_decades(a) & _decades(b)), 2)


@cache
def _trading() -> dict[str, frozenset[int]]:
    """Code of the record → those of the years 1960, 1970, …, 2020 in which anybody records its trade."""
    flows = load("bilateral-trade")
    flows = flows[flows["year"].isin(range(1960, 2021, 10))]
    flows = flows.dropna(subset=["exporter_reported_fob_musd", "importer_reported_cif_musd"], how="all")
    sides = pd.concat([flows[["year", side]].set_axis(["year", "code"], axis=1) for side in ("exporter", "importer")])
    return {code: frozenset(years) for code, years in sides.groupby("code")["year"]}


@cache
def _decades(code: str) -> frozenset[int]:
    return frozenset().union(*(_trading().get(one, frozenset()) for one in lineage(code)))


def _exporter(case: Case) -> list[Need]:
    """Chapter 3: high-technology exports of one economy, hardly ever none."""
    code = str(case.values["EXPORTER"])
    frame = load("wdi").query("indicator == 'TX.VAL.TECH.CD' and iso3 == @code").dropna(subset="value")
    record = f"high-technology exports of {name(code)} (World Bank)"
    return [
        Need(f"years of {record}", int((frame["value"] > 0).sum()), 8),
        Need(f"years in which the {record} are recorded as zero", int((frame["value"] == 0).sum()), most=2),
    ]


def _research(case: Case) -> list[Need]:
    """Chapter 4: research spending and patents of both, in the same years."""
    found = []
    codes = [str(case.values[parameter]) for parameter in ("FIRST", "SECOND")]
    for code in codes:
        spending = _years("GB.XPD.RSDV.GD.ZS").get(code, frozenset())
        found += [
            Need(f"years of research spending of {name(code)}", len(spending), 8),
            Need(f"years in a row of research spending of {name(code)}", _longest_run(spending), 3),
            Need(f"years of patent applications of {name(code)}", len(_applications(code)), 8),
        ]
    known = _measured(codes[1])
    changes = sum(year - 1 in known for year in known)
    found.append(Need(f"years in which {name(codes[1])} can be compared with the year before", changes, 3))
    return [*found, _both_measured(*codes, int(case.values["YEAR"]))]


def _applications(code: str) -> frozenset[int]:
    """Years in which the applications of residents and of others are both on record."""
    return _years("IP.PAT.RESD").get(code, frozenset()) & _years("IP.PAT.NRES").get(code, frozenset())


def _measured(code: str) -> frozenset[int]:
    """Years with research spending, applications and output."""
    spending, output = (_years(i).get(code, frozenset()) for i in ("GB.XPD.RSDV.GD.ZS", "NY.GDP.MKTP.CD"))
    return spending & output & _applications(code)


def _both_measured(a: str, b: str, year: int) -> Need:
    upto = {known for known in _measured(a) & _measured(b) if known <= year}
    return Need(f"years up to {year} with research spending, patents and output of both", len(upto), 5)


def _company(case: Case) -> list[Need]:
    """Chapter 5: any revenue series; where the tables are silent about the rest, the chapter says so and goes on."""
    who = str(case.values["COMPANY"])
    figures = load("company-figures").query("company == @who and indicator.str.startswith('revenue')")
    return [Need(f"years of revenue of {who}", figures["year"].nunique(), 8)]


_NEEDS: dict[str, Callable[[Case], list[Need]]] = {
    "big-data-context": _world,
    "bilateral-trade": _bilateral,
    "high-technology-exports": _exporter,
    "cooperation-models": _research,
    "huawei": _company,
}

# What a pair needs beyond what each of the two does.
_TOGETHER: dict[str, Callable[[str, str, int], Need]] = {
    "big-data-context": _both_in_network,
    "cooperation-models": _both_measured,
}


# --- who has enough -------------------------------------------------------------------------------


def adequate_pairs(one: Chapter) -> list[tuple[str, str]]:
    """All pairs of economies with enough data for a chapter of two economies, each once, in alphabetical order.

    The first of a pair takes the chapter's first parameter. Where a pair has enough only the other way round (chapter 2
    asks more of the exporter's record), it is turned.
    """
    if one.stem == "bilateral-trade":
        table = _pairs(int(one.own_case["ORIGIN"]))
        enough = np.logical_and.reduce([table[key] >= least for key, (least, _) in _PAIR_NEEDS.items()])
        ordered = set(table.index[enough])
        return sorted((a, b) for a, b in ordered if a < b or (b, a) not in ordered)
    first, second = (p.name for p in one.subjects)
    codes = _codes()
    alone = [c for c in codes if all(n.met for n in needs(_with(one, {first: c, second: c})))]
    together, year = _TOGETHER.get(one.stem, lambda a, b, year: Need("", 1, 1)), int(one.own_case.get("YEAR", 0))
    return [(a, b) for i, a in enumerate(alone) for b in alone[i + 1 :] if together(a, b, year).met]


def adequate_economies(one: Chapter) -> list[str]:
    """Economies with enough data for a chapter: of pairs, those that are in at least one; of companies, their names."""
    if len(one.subjects) == 2:
        return sorted({code for pair in adequate_pairs(one) for code in pair})
    parameter = one.subjects[0]
    candidates = _codes() if parameter.kind == "economy" else load("companies")["company"].tolist()
    return [c for c in candidates if all(n.met for n in needs(_with(one, {parameter.name: c})))]


def _codes() -> list[str]:
    return sorted(load("economies").query("kind == 'economy'")["iso3"])


def _with(one: Chapter, values: Mapping[str, str]) -> Case:
    return Case(one, one.own_case | values)


# --- a class of students ---------------------------------------------------------------------------


def deal(one: Chapter, n: int, seed: int) -> pd.DataFrame:
    """Deal `n` different pairs of economies with enough data, the same for the same seed everywhere.

    One by one, that pair is taken which makes the smallest of, in this order: how often its two continents have been
    dealt so far (a pair within a continent counts it twice); how often this combination of continents has; how often
    its two economies have; and the SHA-256 of ``"seed:AAA-BBB"``, which decides between equals. So every continent
    comes up about equally often, an economy comes back only when the others of its continents have come up, and a
    larger class gets the same pairs and some more.

    Parameters
    ----------
    one : Chapter
        A chapter of two economies.
    n : int
        Number of pairs.
    seed : int
        Any whole number.

    Returns
    -------
    DataFrame
        One row per pair: the chapter's two parameters in small letters, their names with ``_name``, ``continents``.

    Raises
    ------
    PairsError
        If there are fewer pairs, or the chapter is not about two economies.
    """
    if [p.kind for p in one.subjects] != ["economy", "economy"]:
        raise PairsError(f"Chapter {one.number} is not about two economies; deal pairs for chapter 1, 2 or 4.")
    if n < 1:
        raise PairsError(f"{n} pairs cannot be dealt; ask for 1 or more.")
    continent = load("geodist-economies").set_index("iso3")["continent"]
    placed = set(continent.index)
    pool = [pair for pair in adequate_pairs(one) if placed.issuperset(pair)]
    if n > len(pool):
        raise PairsError(f"{len(pool)} pairs have enough data for chapter {one.number}; {n} were asked for.")
    waiting: dict[tuple[str, str], list[tuple[str, tuple[str, str]]]] = {}
    for pair in pool:
        where = tuple(sorted((continent[pair[0]], continent[pair[1]])))
        rank = hashlib.sha256(f"{seed}:{'-'.join(sorted(pair))}".encode()).hexdigest()
        waiting.setdefault(where, []).append((rank, pair))
    for pairs in waiting.values():
        pairs.sort()
    places, combinations, seen = Counter(), Counter(), Counter()
    dealt = []
    for _ in range(n):

        def burden(where: tuple[str, str]) -> tuple:
            return places[where[0]] + places[where[1]], combinations[where], waiting[where][0][0]

        where = min((w for w, pairs in waiting.items() if pairs), key=burden)
        chosen = min(waiting[where], key=lambda entry: (seen[entry[1][0]] + seen[entry[1][1]], entry[0]))
        waiting[where].remove(chosen)
        places.update(where)
        combinations[where] += 1
        seen.update(chosen[1])
        dealt.append((*chosen[1], *map(name, chosen[1]), "–".join(where)))
    first, second = (p.name.lower() for p in one.subjects)
    return pd.DataFrame(dealt, columns=[first, second, f"{first}_name", f"{second}_name", "continents"])
