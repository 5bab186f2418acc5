"""Check the data package as a whole: ``python -m tools.check_data [--describe]``.

`tradebook.data.load` refuses a table that is not the one that was described. This command, which ``make book`` runs
when data have changed and ``make check`` runs always, asks besides whether the tables make sense together, so that a
wrong table is found even where its description has been renewed with it:

- every file in ``data/`` is described, and every register of statements is the one that was described;
- codes of economies are known; the years of a table reach the bounds of its schema, and each of its possible values
  occurs;
- no value jumps to a hundred times its neighbours in its series and back, in tables whose series do not do that;
- tables that measure the same meet (`MEETINGS`), parts make their total, distances are the same in both directions,
  codes agree with those they are part of.

``--describe`` renews what the descriptors say about the files (size, checksum, rows, coverage, control) after a change
that is meant; it writes nothing unless the tables are as their schemas say.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tradebook import control, data
from tradebook.claims import SOURCES, _validate
from tradebook.claims import register as claims_register
from tradebook.data import DataError, load
from tradebook.errors import TradebookError

#: A value so many times its neighbours in a series, and back, is an error: the next unit is a thousand away.
JUMP = 100.0
#: Tables with series of small flows, which do jump: their values are known by their totals.
JUMPING = {
    "bilateral-trade", "china-chips-aircraft-imports", "china-energy-imports", "china-lall-by-partner-group",
    "china-sitc-divisions", "company-figures", "research-2021", "russia-hs-chapters", "russia-totals-comtrade",
    "russia-totals-imts", "sitc-sections-matrix", "wdi", "wiod",
}  # fmt: skip
#: Tables whose schema allows years that no row has yet.
OPEN_YEARS = {"china-chips-aircraft-imports", "china-hightech-customs-points", "company-figures", "cooperation-events"}
_CODE = "[A-Z]{3}"
_REST = "ROW"  # the input-output tables' rest of the world
#: Columns of the registers that hold numbers.
_FIGURES = {"stated_value", "threshold", "value", "line", "nth", "first", "last", "chapter"}
_DESCRIBED = ("bytes", "hash", "rows", "coverage", "control")


# --- tables that measure the same -------------------------------------------------------------------


@dataclass(frozen=True)
class Meeting:
    """Two measures of the same: their ratio, by whatever both are known for, must stay within a band.

    Attributes
    ----------
    what : str
        What is compared, for the sentence that reports a breach.
    tables : tuple of str
        Tables that it rests on; the first is the one to suspect.
    ratio : callable
        Makes the ratios.
    low, high : float
        The band: what the tables show today, with some room; far less than a factor of 1000.
    least : int
        How many ratios there are at least: a table that has lost its rows meets nothing.
    """

    what: str
    tables: tuple[str, ...]
    ratio: Callable[[], pd.Series]
    low: float
    high: float
    least: int


def _sums(name: str, column: str, by: list[str], where: str = "") -> pd.Series:
    frame = load(name)
    return (frame.query(where) if where else frame).groupby(by)[column].sum(min_count=1)


def _indicator(name: str, indicator: str, column: str = "value") -> pd.Series:
    frame = load(name)
    return frame[frame["indicator"] == indicator].set_index(["iso3", "year"])[column]


def _flow(exporter: str, importer: str, column: str = "exporter_reported_fob_musd") -> pd.Series:
    """A flow in US dollars by year, from the book's main table."""
    frame = load("bilateral-trade")
    chosen = frame[(frame["exporter"] == exporter) & (frame["importer"] == importer)]
    return chosen.set_index("year")[column] * 1e6


def _to_russia(name: str, column: str, scale: float = 1.0) -> pd.Series:
    """Russia's trade by year and partner in US dollars, both directions added."""
    return _sums(name, column, ["year", "partner", "flow"]) * scale


def _reports(side: str) -> pd.Series:
    """What partners add up to, for large reporters, as part of what is reported with the world."""
    frame = load("bilateral-trade")
    column, other = {
        "exporter": ("exporter_reported_fob_musd", "importer"), "importer": ("importer_reported_cif_musd", "exporter"),
    }[side]  # fmt: skip
    frame = frame[(frame["year"] >= 1995) & frame[column].notna()]
    world = frame[frame[other] == "WLD"].groupby(["year", side])[column].sum()
    parts = frame[frame[other] != "WLD"].groupby(["year", side])[column].sum()
    return parts / world[world > 50_000]


def _mirror() -> pd.Series:
    """Imports as partners report them over exports as an economy reports them, for large exporters by year."""
    frame = load("bilateral-trade").dropna()
    frame = frame[(frame["exporter"] != "WLD") & (frame["importer"] != "WLD")]
    sums = frame.groupby(["year", "exporter"])[["exporter_reported_fob_musd", "importer_reported_cif_musd"]].sum()
    large = sums["exporter_reported_fob_musd"] > 50_000
    return (sums["importer_reported_cif_musd"] / sums["exporter_reported_fob_musd"])[large]


def _sections() -> pd.Series:
    frame = load("sitc-sections-matrix")
    whole = frame["sitc_section"] == "TOTAL"
    by = ["year", "exporter", "importer"]
    total = frame[whole].groupby(by)["value_usd"].sum()
    parts = frame[~whole].groupby(by)["value_usd"].sum()
    return parts / total[total > 1e9]


def _sections_and_totals() -> pd.Series:
    sections = load("sitc-sections-matrix")
    by = ["year", "exporter"]
    sections = sections[sections["sitc_section"] == "TOTAL"].groupby(by)["value_usd"].sum()
    world = load("bilateral-trade").query("importer == 'WLD'").set_index(by)["exporter_reported_fob_musd"] * 1e6
    return sections / world[world > 1e10]


def _chapters_and_totals() -> pd.Series:
    total = _sums("russia-totals-comtrade", "value_usd", ["year", "partner", "flow"])
    return _sums("russia-hs-chapters", "value_usd", ["year", "partner", "flow"]) / total[total > 1e9]


def _products_and_flows(name: str, importer: str = "CHN") -> pd.Series:
    """What single products of an exporter are of all that the importer buys from it."""
    products = _sums(name, "value_usd", ["year", "exporter"])
    flows = load("bilateral-trade")
    flows = flows[flows["importer"] == importer].set_index(["year", "exporter"])["importer_reported_cif_musd"] * 1e6
    return products / flows[flows > 1e9]


def _accumulated(name: str, column: str, whole: str) -> pd.Series:
    """The sum over groups of a table, by year, over the group that stands for all."""
    frame = load(name)
    parts = frame[frame["group"] != whole].groupby("year")[column].sum()
    return parts / frame[frame["group"] == whole].set_index("year")[column]


def _world_sums() -> pd.Series:
    world = load("world-groups").query("group == 'WLD' and indicator != 'NY.GDP.MKTP.KD.ZG'")
    parts = _sums("wdi", "value", ["indicator", "year"], "iso3 != 'WLD'")
    return (parts / world.set_index(["indicator", "year"])["value"]).dropna()


def _input_output() -> pd.Series:
    """Exports of goods and services in the input-output tables over those of goods, by exporter and year."""
    frame = load("wiod")
    sides = [frame[side].cat.codes.to_numpy() for side in ("exporter", "importer")]
    home = frame["importer"].cat.categories.get_indexer(frame["exporter"].cat.categories)
    abroad = frame.loc[home[sides[0]] != sides[1], ["year", "exporter", "value_musd"]]
    sums = abroad.groupby(["year", "exporter"], observed=True)["value_musd"].sum() * 1e6
    sums.index = pd.MultiIndex.from_arrays([sums.index.get_level_values(0), sums.index.get_level_values(1).astype(str)])
    sums.index.names = ["year", "exporter"]
    world = load("bilateral-trade").query("importer == 'WLD'").set_index(["year", "exporter"])
    world = world["exporter_reported_fob_musd"] * 1e6
    return sums / world[world > 1e10]


def _high_technology() -> pd.Series:
    frame = load("hightech-trade-ncses").query("flow == 'export' and indicator == 'all-goods'")
    goods = frame.set_index(["iso3", "year"])["value_musd"] * 1e6
    return goods / _indicator("wdi", "TX.VAL.MRCH.CD.WT")


def _great_circles() -> pd.Series:
    """Distances of the pairs over those between the two places on a sphere, where the pair is 500 km apart or more."""
    places = load("geodist-economies").set_index("iso3")[["lat", "lon"]]
    pairs = load("geodist-pairs")
    pairs = pairs[pairs["dist"] >= 500].set_index(["exporter", "importer"])
    (lat, lon), (lat2, lon2) = (
        np.radians(places.reindex(pairs.index.get_level_values(side)).to_numpy()).T for side in (0, 1)
    )
    half = np.sin((lat2 - lat) / 2) ** 2 + np.cos(lat) * np.cos(lat2) * np.sin((lon2 - lon) / 2) ** 2
    return pairs["dist"] / (2 * 6371 * np.arcsin(np.sqrt(half)))


def _monthly_oil() -> pd.Series:
    monthly = load("russia-monthly").query("indicator == 'brent'")
    mean = monthly.groupby(monthly["month"].astype(str).str[:4].astype(int))["value"].mean()
    return load("brent").set_index("year")["price_usd_per_barrel"] / mean


def _as_economies(series: pd.Series) -> pd.Series:
    """Years of the world by code and year, as tables of indicators have them."""
    return pd.concat({"WLD": series}, names=["iso3", "year"])


MEETINGS = (
    Meeting("sections and totals of a pair", ("sitc-sections-matrix",), _sections, 0.8, 1.01, 3650),
    Meeting("exports by section and in all", ("sitc-sections-matrix", "bilateral-trade"),
            _sections_and_totals, 0.35, 4.6, 195),
    Meeting("partners and the world, exports", ("bilateral-trade",), lambda: _reports("exporter"), 0.8, 1.001, 1020),
    Meeting("partners and the world, imports", ("bilateral-trade",), lambda: _reports("importer"), 0.6, 1.001, 1020),
    Meeting("both reports of exports", ("bilateral-trade",), _mirror, 0.12, 2.0, 1180),
    Meeting("chapters and totals of Russia's trade", ("russia-hs-chapters", "russia-totals-comtrade"),
            _chapters_and_totals, 0.08, 1.001, 1415),
    Meeting("two publications of Russia's trade", ("russia-totals-imts", "russia-totals-comtrade"),
            lambda: _to_russia("russia-totals-imts", "value_musd", 1e6)
            / _to_russia("russia-totals-comtrade", "value_usd"), 0.6, 3.6, 595),
    Meeting("Russia's trade and the main table", ("russia-totals-comtrade", "bilateral-trade"),
            lambda: _sums("russia-totals-comtrade", "value_usd", ["year"], "partner == 'CHN' and flow == 'export'")
            / _flow("RUS", "CHN"), 0.9, 1.45, 21),
    Meeting("China and Russia in two tables", ("china-russia-totals", "bilateral-trade"),
            lambda: _sums("china-russia-totals", "value_usd", ["year"],
                          "exporter == 'CHN' and importer == 'RUS' and reporter == 'CHN'") / _flow("CHN", "RUS"),
            0.99, 1.01, 29),
    Meeting("technology groups and totals", ("china-russia-lall", "bilateral-trade"),
            lambda: _sums("china-russia-lall", "value_usd", ["year"], "exporter == 'CHN'") / _flow("CHN", "RUS"),
            0.75, 1.2, 23),
    Meeting("technology groups and China's exports", ("china-lall-by-partner-group", "bilateral-trade"),
            lambda: _sums("china-lall-by-partner-group", "value_usd", ["year"],
                          "partner_group == 'World' and flow == 'export'") / _flow("CHN", "WLD"), 1.0, 1.8, 23),
    Meeting("divisions and China's exports to Russia", ("china-sitc-divisions", "bilateral-trade"),
            lambda: _sums("china-sitc-divisions", "value_usd", ["year"], "partner == 'RUS' and flow == 'export'")
            / _flow("CHN", "RUS"), 0.98, 1.01, 9),
    Meeting("energy and all imports of China", ("china-energy-imports", "bilateral-trade"),
            lambda: _products_and_flows("china-energy-imports"), 1e-11, 1.1, 745),
    Meeting("chips and aircraft and all imports of China", ("china-chips-aircraft-imports", "bilateral-trade"),
            lambda: _products_and_flows("china-chips-aircraft-imports"), 1e-11, 1.1, 1055),
    Meeting("electronics and all imports of the United States", ("us-imports-electronics", "bilateral-trade"),
            lambda: _products_and_flows("us-imports-electronics", "USA"), 3e-4, 0.8, 246),
    Meeting("groups and all goods of China and the United States", ("us-china-trade",),
            lambda: _accumulated("us-china-trade", "imports_usd", "All Commodities"), 0.99, 1.01, 18),
    Meeting("high technology and all exports of the United States to China",
            ("us-hightech-exports-to-china", "us-china-trade"),
            lambda: _sums("us-hightech-exports-to-china", "value_usd", ["year"])
            / _sums("us-china-trade", "exports_usd", ["year"], "group == 'All Commodities'"), 0.98, 1.0, 7),
    Meeting("national product in two vintages", ("gdp-vintages", "wdi"),
            lambda: load("gdp-vintages").set_index(["iso3", "year"])["value_usd"]
            / load("gdp-vintages")[["iso3", "year"]].merge(
                _indicator("wdi", "NY.GDP.MKTP.CD").reset_index(), how="left", on=["iso3", "year"]
            ).set_index(["iso3", "year"])["value"], 0.1, 1.8, 2560),
    Meeting("economies and the world", ("wdi", "world-groups"), _world_sums, 0.9, 1.01, 131),
    Meeting("goods in two tables", ("hightech-trade-ncses", "wdi"), _high_technology, 0.85, 1.4, 228),
    Meeting("input-output tables and exports of goods", ("wiod", "bilateral-trade"), _input_output, 0.6, 4.6, 550),
    Meeting("patents in two tables", ("patents-abroad", "international-patents"),
            lambda: _sums("patents-abroad", "value", ["iso3", "year"])
            / _sums("international-patents", "value", ["iso3", "year"]),
            0.98, 1.02, 388),
    Meeting("research in two vintages", ("research-2021", "wdi"),
            lambda: _indicator("research-2021", "GB.XPD.RSDV.GD.ZS") / _indicator("wdi", "GB.XPD.RSDV.GD.ZS"),
            0.6, 1.35, 352),
    Meeting("patents in two vintages", ("research-2021", "wdi"),
            lambda: _indicator("research-2021", "IP.PAT.RESD") / _indicator("wdi", "IP.PAT.RESD"), 0.97, 1.01, 495),
    Meeting("services and goods in world trade", ("world-trade", "wdi"),
            lambda: _as_economies(load("world-trade").query("indicator == 'BX.GSR.NFSV.CD'").set_index("year")["value"])
            / _as_economies(_sums("wdi", "value", ["year"], "indicator == 'TX.VAL.MRCH.CD.WT'")), 0.1, 0.18, 47),
    Meeting("high technology in two definitions", ("hightech-exports-old-definition", "wdi"),
            lambda: _sums("hightech-exports-old-definition", "value_usd", ["iso3", "year"], "edition == edition")
            / _indicator("wdi", "TX.VAL.MRCH.CD.WT"), 1e-3, 0.7, 482),
    Meeting("China's customs and both tables", ("gacc-headlines", "china-russia-totals"),
            lambda: load("gacc-headlines").set_index("year")["total_busd"] * 1e9
            / _sums("china-russia-totals", "value_usd", ["year"], "reporter == 'CHN'"), 0.99, 1.01, 4),
    Meeting("oil by month and by year", ("brent", "russia-monthly"), _monthly_oil, 0.98, 1.02, 38),
    Meeting("oil and the index of energy", ("commodity-prices", "brent"),
            lambda: load("commodity-prices").query("commodity == 'energy'").set_index("year")["price_index"]
            / load("brent").set_index("year")["price_usd_per_barrel"], 1.8, 3.3, 33),
    Meeting("distances and places", ("geodist-pairs", "geodist-economies"), _great_circles, 0.5, 5.5, 49400),
    Meeting("yuan per dollar and per euro", ("company-exchange-rates", "yuan-rate"),
            lambda: load("company-exchange-rates").query("currency == 'CNY'").set_index("year")["per_euro"]
            / load("yuan-rate").set_index("year")["yuan_per_usd"], 1.0, 1.25, 9),
)  # fmt: skip


def meets(meeting: Meeting) -> str | None:
    """What is wrong with a meeting, or None."""
    ratio = meeting.ratio().replace([np.inf, -np.inf], np.nan).dropna()
    if len(ratio) < meeting.least:
        return f"{meeting.what}: only {len(ratio)} pairs of values to compare, not {meeting.least} or more"
    outside = ratio[(ratio < meeting.low) | (ratio > meeting.high)]
    if len(outside):
        where = outside.index[0]
        where = ", ".join(map(str, where)) if isinstance(where, tuple) else where
        band = f"between {meeting.low:g} and {meeting.high:g}"
        return f"{meeting.what} ({where}): the ratio is {outside.iloc[0]:.4g}, not {band}"
    return None


# --- one table at a time ----------------------------------------------------------------------------


def table_problems(resource: dict) -> Iterator[str]:
    """What is wrong with one table that has passed its schema."""
    name, frame = resource["name"], load(resource["name"])
    economies = set(load("economies")["iso3"])
    key = resource["schema"]["primaryKey"]
    for field in resource["schema"]["fields"]:
        column, rules = field["name"], field.get("constraints", {})
        if rules.get("pattern") == _CODE and column != "currency" and name != "economies":
            lost = sorted(set(frame[column].dropna().unique()) - economies - {_REST})
            if lost:
                yield f"column “{column}” has {control.shown(lost[0])}, which table “economies” does not have"
        for value in sorted(set(rules.get("enum", ())) - set(frame[column].dropna().unique())):
            yield f"column “{column}” has no {control.shown(value)}"
        if column == "year" and "minimum" in rules and name not in OPEN_YEARS:
            ends = [int(frame[column].min()), int(frame[column].max())]
            if ends != [rules["minimum"], rules["maximum"]]:
                yield f"covers {ends[0]}–{ends[1]}, not {rules['minimum']}–{rules['maximum']}"
        smooth = "year" in key and name not in JUMPING and column not in key
        if smooth and field["type"] in {"number", "integer"} and (at := jump(frame, key, column)):
            yield f"column “{column}” jumps at {at} by more than a factor of {JUMP:g} from its neighbours"


def jump(frame: pd.DataFrame, key: list[str], column: str) -> str | None:
    """The key of the first value that is far from both its neighbours in its series (from the only one, at an end)."""
    series = [c for c in key if c != "year"]
    known = frame.loc[frame[column].notna() & (frame[column] != 0), [*key, column]].sort_values([*series, "year"])
    size = np.log10(known[column].abs().astype(float)).to_numpy()
    other = np.ones(len(known) + 1, dtype=bool)  # whether a series begins here
    if len(known) > 1:
        other[1:-1] = (known[series] != known[series].shift()).any(axis=1).to_numpy()[1:] if series else False
    step = np.diff(size, prepend=np.nan, append=np.nan)
    step[other] = np.nan
    before, after = step[:-1], -step[1:]  # above the one before, above the one after
    both = np.sign(before) == np.sign(after)
    far = np.where(np.isnan(before), np.abs(after), np.where(np.isnan(after), np.abs(before), 0.0))
    far = np.where(both, np.minimum(np.abs(before), np.abs(after)), far)
    places = np.flatnonzero(far > np.log10(JUMP))
    # Beside an end it could be either of two values: one that is far from both its neighbours is named first.
    places = sorted(places, key=lambda i: np.isnan(before[i]) or np.isnan(after[i]))
    return ", ".join(map(str, known[key].iloc[places[0]])) if len(places) else None


def agreement_problems() -> Iterator[tuple[str, str]]:
    """Tables whose parts do not agree with each other: name of the table, and what is wrong."""
    pairs = load("geodist-pairs")
    there = pairs.set_index(["exporter", "importer"])
    back = there.rename_axis(["importer", "exporter"]).reorder_levels(["exporter", "importer"]).reindex(there.index)
    for column in there.columns.difference(["smctry"]):  # the one flag that its publisher has in one direction only
        if ((there[column] - back[column]).abs() > 0.02).any() or (there[column].isna() != back[column].isna()).any():
            yield "geodist-pairs", f"column “{column}” differs between the two directions of a pair"
    products = load("hs6-concordance")
    if not (products["hs6"].str[:2] == products["hs_chapter"]).all():
        yield "hs6-concordance", "a product is not in the chapter that its code begins with"
    groups = load("lall-groups").set_index("lall_code")["name"]
    sorted_in = load("lall-sitc2")
    if not (sorted_in["lall_name"] == sorted_in["lall_code"].map(groups)).all():
        yield "lall-sitc2", "a group has another name than in table “lall-groups”"
    by = ["year", "exporter", "importer", "reporter"]
    totals = load("china-russia-totals").merge(load("china-russia-totals-by-source"), on=by, suffixes=("", "_source"))
    same = (totals["value_usd"] / totals["value_usd_source"] - 1).abs() < 1e-6
    lost = ~same.groupby([totals[c] for c in by]).any()
    if lost.any() or len(lost) < 0.97 * len(load("china-russia-totals")):
        yield "china-russia-totals", "a total is that of no source in table “china-russia-totals-by-source”"
    if not set(pairs["exporter"]) <= set(load("geodist-economies")["iso3"]):
        yield "geodist-economies", "an economy of table “geodist-pairs” is not there"
    twice = load("economies").dropna(subset="iso2")
    if twice["iso2"].duplicated().any() or twice["name"].duplicated().any():
        yield "economies", "two economies have the same code or name"


def file_problems(folder: Path) -> Iterator[str]:
    """Files that nothing describes, registers that are not the ones described."""
    declared = {resource["path"] for resource in data.package()["resources"]} | {"datapackage.json"}
    yield from (
        f"data/{path.name} is described nowhere: add it to data/datapackage.json or remove it."
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name not in declared
    )
    claims = folder / "claims"
    if not (claims / "datapackage.json").is_file():
        yield "data/claims/datapackage.json is missing: restore it from the repository (git checkout -- data)."
        return
    described = {resource["name"] for resource in data._read_package(claims)["resources"]}
    for name in sorted(described | {path.stem for path in claims.glob("*.csv")}):
        try:
            problem = register_problem(name, data.read_register(claims, name))
        except TradebookError as error:
            problem = str(error)
        if problem:
            yield problem


def register_problem(name: str, frame: pd.DataFrame) -> str | None:
    """What is wrong with a register as it stands, whatever its description says."""
    fault = None
    if name in SOURCES:
        _validate(frame, name)
    elif name == "facts":
        if list(frame.columns) != ["fact", "value", "unit", "what", "citation", "url"]:
            fault = "it has other columns"
        elif frame["fact"].duplicated().any():
            fault = "a fact is there twice"
        elif pd.to_numeric(frame["value"], errors="coerce").isna().any() or (frame == "").any(axis=None):
            fault = "a fact has no number, unit, citation or address"
        elif not frame["url"].str.startswith("http").all():
            fault = "a fact has no address"
        else:
            used = " ".join(claims_register()["check"])
            called = set(re.findall(r"\bfact\(name='([^']+)'", used))
            unused = sorted(fact for fact in frame["fact"] if f"'{fact}'" not in used)
            absent = sorted(called - set(frame["fact"]))
            if unused:
                fault = f"no statement uses {control.shown(unused[0])}"
            elif absent:
                fault = f"a statement uses {control.shown(absent[0])}, which is not there"
    elif name == "coverage":
        if list(frame.columns) != ["source", "line", "nth", "number", "role", "claims", "reason"]:
            fault = "it has other columns"
        elif frame.duplicated(["source", "line", "nth"]).any():
            fault = "a number is there twice"
        else:
            known = set(claims_register()["claim_id"])
            lost = {claim for cell in frame["claims"] for claim in cell.split()} - known
            fault = f"{control.shown(sorted(lost)[0])} is no statement" if lost else None
    return f"Register “{name}”: {fault}; {data._RESTORE}." if fault else None


def problems() -> list[str]:
    """Everything that is wrong with the data package, one sentence each."""
    found = list(file_problems(data.data_folder()))
    unread = set()
    for resource in data.package()["resources"]:
        name = resource["name"]
        try:
            found += [f"Table “{name}”: {problem}; {data._RESTORE}." for problem in table_problems(resource)]
        except DataError as error:
            unread.add(name)
            if str(error) not in found:
                found.append(str(error))
    if unread:
        return found  # what rests on tables that cannot be read need not be asked
    for meeting in MEETINGS:
        if problem := meets(meeting):
            name = meeting.tables[0]
            found.append(f"Table “{name}” does not agree with itself or others: {problem}; {data._RESTORE}.")
    found += [f"Table “{name}”: {problem}; {data._RESTORE}." for name, problem in agreement_problems()]
    return found


# --- the descriptors --------------------------------------------------------------------------------


def describe(folder: Path) -> list[str]:
    """Write what the files are into the descriptors, and return the names of the tables and registers that changed.

    Raises
    ------
    DataError
        If a table is not as its schema says; nothing is written then.
    """
    package = json.loads((folder / "datapackage.json").read_text("utf-8"))
    changed = []
    for resource in package["resources"]:
        before = {key: resource.get(key) for key in _DESCRIBED}
        content = (folder / resource["path"]).read_bytes()
        frame = data._read(folder / resource["path"], resource)
        data.check_frame(frame, resource)
        resource |= {"bytes": len(content), "hash": _checksum(content)}
        resource |= control.describe_rows(frame, resource["schema"]["fields"])
        if before != {key: resource.get(key) for key in _DESCRIBED}:
            changed.append(resource["name"])
    registers = []
    for path in sorted((folder / "claims").glob("*.csv")):
        content = path.read_bytes()
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        fields = [{"name": name, "type": "number" if name in _FIGURES else "string"} for name in frame.columns]
        rows = control.describe_rows(data.typed_register(frame, fields), fields)
        registers.append(
            {
                "name": path.stem, "path": path.name, "profile": "tabular-data-resource", "format": "csv",
                "mediatype": "text/csv", "encoding": "utf-8", "schema": {"fields": fields},
                "bytes": len(content), "hash": _checksum(content), **rows,
            }
        )  # fmt: skip
    described = {
        "$schema": package["$schema"], "profile": "data-package", "name": "audited-statements",
        "title": "Registers of the audited statements", "resources": registers,
    }  # fmt: skip
    old = folder / "claims" / "datapackage.json"
    known = {r["name"]: r["hash"] for r in json.loads(old.read_text("utf-8"))["resources"]} if old.is_file() else {}
    changed += [f"claims/{r['path']}" for r in registers if known.get(r["name"]) != r["hash"]]
    for path, text in ((folder / "datapackage.json", package), (old, described)):
        _write(path, json.dumps(text, indent=1, ensure_ascii=False) + "\n")
    data._read_package.cache_clear()
    data._load.cache_clear()
    return changed


def _checksum(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _write(path: Path, text: str) -> None:
    """Replace a file at once, so that an interruption leaves the old one or the new one."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, "utf-8", newline="\n")
    os.replace(part, path)


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.check_data", description=__doc__)
    parser.add_argument("--describe", action="store_true", help="renew the descriptors after a change that is meant")
    options = parser.parse_args(arguments)
    try:
        if options.describe:
            changed = describe(data.data_folder())
            print(f"described anew: {', '.join(changed) or 'nothing, all was as described'}")
        found = problems()
    except DataError as error:
        found = [str(error)]
    except OSError as error:
        found = [f"{error.filename} cannot be read or written ({error.strerror}): {data._RESTORE}."]
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
