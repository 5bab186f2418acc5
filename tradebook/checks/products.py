"""Checks of chapter 2 on products: what Russia and China sell each other.

Product groups are Russia's figures unless a check says otherwise: the source's groups are the
sections of the Harmonized System, as in reports on Russia's trade. `flow` is Russia's (``export``,
``import``).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from tradebook.checks import Recomputed, check, memo, table
from tradebook.checks.series import at, growth, span
from tradebook.indices import export_similarity, herfindahl_hirschman

_HS = "Russia's figures by HS chapter (russia-hs-chapters)"
_LALL = "UNCTAD's Lall groups (china-russia-lall)"
_NEAREST = "China's figures, nearest SITC divisions"

#: The divisions of SITC Rev. 4 nearest to a section of the Harmonized System: the same products in
#: China's figures.
_NEAREST_DIVISIONS = {
    "I": ["00", "01", "02", "03"],
    "II": ["04", "05", "07", "22", "29"],
    "III": ["41", "42", "43"],
    "IV": ["06", "08", "09", "11", "12"],
    "V": ["27", "28", "32", "33", "34", "35"],
    "VI": ["51", "52", "53", "54", "55", "56", "59"],
    "VIII": ["21", "61", "83"],
    "IX": ["24", "63"],
    "XI": ["26", "65", "84"],
    "XII": ["85"],
    "XV": ["67", "68", "69"],
    "XVI": ["71", "72", "73", "74", "75", "76", "77"],
    "XVII": ["78", "79"],
    "XVIII": ["87", "88"],
    "XX": ["82", "89"],
}


# --- products: sections and chapters of the Harmonized System, Russia's figures -------------------


@memo
def _chapters(flow: str) -> pd.DataFrame:
    """Russia's trade with China, billion US$, year x HS chapter; empty = no trade recorded."""
    frame = table("russia-hs-chapters")
    frame = frame[(frame.partner == "CHN") & (frame.flow == flow)]
    return frame.pivot_table(index="year", columns="hs_chapter", values="value_usd", aggfunc="sum") / 1e9


@memo
def _sections(flow: str) -> pd.DataFrame:
    """The same by section of the Harmonized System."""
    return _by_section(_chapters(flow))


def _by_section(chapters: pd.DataFrame) -> pd.DataFrame:
    section = table("hs-chapters").set_index("hs_chapter").hs_section
    return chapters.T.groupby(section).sum(min_count=1).T


def _group(flow: str, group: str) -> pd.Series:
    """One product group by year: a section (“XVI”) or chapters (“HS 61 62”)."""
    if group.startswith("HS "):
        return _chapters(flow)[group.split()[1:]].sum(axis=1, min_count=1)
    return _sections(flow)[group]


@memo
def _name(group: str) -> str:
    if group.startswith("HS "):
        return group
    names = table("hs-chapters").drop_duplicates("hs_section").set_index("hs_section").section_name
    return f"section {group}, {names[group].lower()}"


@memo
def _divisions(flow: str) -> pd.DataFrame:
    """The same trade in China's figures, billion US$, year x SITC division; `flow` is Russia's."""
    frame = table("china-sitc-divisions")
    mirrored = {"export": "import", "import": "export"}[flow]
    frame = frame[(frame.partner == "RUS") & (frame.flow == mirrored)]
    return frame.pivot_table(index="year", columns="sitc_division", values="value_usd", aggfunc="sum") / 1e9


def _china_group(flow: str, group: str) -> pd.Series | None:
    """A section in China's figures by its nearest SITC divisions; None where there are none."""
    if group not in _NEAREST_DIVISIONS:
        return None
    return _divisions(flow).reindex(columns=_NEAREST_DIVISIONS[group]).sum(axis=1, min_count=1)


def _readings(
    measure: Callable[[str, int], float], year: int, group: str, read_as: str
) -> tuple[tuple[str, float], ...]:
    """What the source may have meant: another year, or the group `read_as`."""
    wanted = [(group, year - 1), (group, year + 1)]
    if read_as:
        wanted += [(read_as, year), (read_as, year - 1), (read_as, year + 1)]
    return tuple((f"{_name(g)}, {y}", measure(g, y)) for g, y in wanted)


@check
def group_value(flow: str, group: str, year: int, read_as: str = "") -> Recomputed:
    """Value of Russia's exports to (imports from) China of one product group, billion US$."""
    china = _china_group(flow, group)
    others = ((_NEAREST, float(china[year])),) if china is not None else ()

    def value(g: str, y: int) -> float:
        return at(_group(flow, g), y, g)

    return Recomputed(
        value(group, year),
        "billion US$",
        f"{_HS}, {_name(group)}",
        others,
        _readings(value, year, group, read_as),
    )


@check
def group_share(flow: str, group: str, year: int, read_as: str = "") -> Recomputed:
    """Share of one product group in Russia's exports to (imports from) China, percent."""
    china = _china_group(flow, group)
    others = ()
    if china is not None:
        share = 100 * float(china[year]) / float(_divisions(flow).loc[year].sum())
        others = ((_NEAREST, share),)

    def share_of(g: str, y: int) -> float:
        return 100 * at(_group(flow, g), y, g) / float(_chapters(flow).loc[y].sum())

    return Recomputed(
        share_of(group, year),
        "percent",
        f"{_HS}, {_name(group)}",
        others,
        _readings(share_of, year, group, read_as),
    )


@check
def group_growth(flow: str, group: str, year: int, decrease: bool = False, without: str = "") -> Recomputed:
    """Change of one product group against the year before, percent; a fall if `decrease`.

    The group without the chapter `without`, if given, is an alternative (some sources leave out
    aircraft).
    """
    sign = -1 if decrease else 1
    china = _china_group(flow, group)
    others = ()
    if china is not None:
        others = ((_NEAREST, sign * growth(china, year, group)),)
    if without:
        rest = _group(flow, group) - _group(flow, f"HS {without}")
        others += ((f"without HS {without}", sign * growth(rest, year, group)),)

    def change(g: str, y: int) -> float:
        return sign * growth(_group(flow, g), y, g)

    readings = _readings(change, year, group, "")
    if not group.startswith("HS "):
        chapters = table("hs-chapters")
        traded = _chapters(flow).loc[[year - 1, year]].dropna(axis=1).columns
        inside = [c for c in chapters.hs_chapter[chapters.hs_section == group] if c in traded]
        readings += tuple((f"HS {c} alone, {year}", change(f"HS {c}", year)) for c in inside)
    return Recomputed(change(group, year), "percent", f"{_HS}, {_name(group)}", others, readings)


@check
def groups_share(flow: str, groups: list, year: int, lall: list | None = None, bound: list | None = None) -> Recomputed:
    """Share of several product groups together, percent.

    Alternatives: China's figures by the nearest SITC divisions; the Lall groups `lall` in the same
    year; the SITC sections `bound` in 1995, which hold more than the groups.
    """
    total = float(_chapters(flow).loc[year].sum())
    together = float(math.fsum(_group(flow, group).fillna(0)[year] for group in groups))
    others = []
    if year in _divisions(flow).index and all(group in _NEAREST_DIVISIONS for group in groups):
        china = math.fsum(float(_china_group(flow, group)[year]) for group in groups)
        others.append((_NEAREST, 100 * china / float(_divisions(flow).loc[year].sum())))
    if lall:
        exporter = "RUS" if flow == "export" else "CHN"
        share = float(_lall_shares(exporter).loc[year, lall].sum())
        others.append((f"UNCTAD's Lall groups {', '.join(lall)}, {year}", share))
    if bound:
        values = _sections_1995(flow)
        share = float(100 * values[bound].sum() / values.sum())
        others.append((f"upper bound in 1995, SITC sections {', '.join(bound)}", share))
    note = f"Groups: {', '.join(groups)}; {year}."
    return Recomputed(100 * together / total, "percent", _HS, tuple(others), note=note)


@check
def least_groups_share(flow: str, groups: list, start: int, end: int) -> Recomputed:
    """The smallest share of several product groups together in any year of a period, percent."""
    together = sum(_group(flow, group) for group in groups)
    shares = span(100 * together / _chapters(flow).sum(axis=1), start, end)
    note = f"Groups: {', '.join(groups)}; {shares.min():.1f} to {shares.max():.1f} percent, {start}–{end}."
    return Recomputed(float(shares.min()), "percent", _HS, note=note)


@check
def direction_growth(flow: str, year: int) -> Recomputed:
    """Change of all of Russia's exports to (imports from) China against the year before, percent."""
    china = growth(_divisions(flow).sum(axis=1), year, flow)
    return Recomputed(growth(_chapters(flow).sum(axis=1), year, flow), "percent", _HS, (("China's figures", china),))


@check
def group_share_change(flow: str, group: str, start: int, end: int) -> Recomputed:
    """Change of a product group's share between two years, percentage points."""
    shares = 100 * _group(flow, group) / _chapters(flow).sum(axis=1)
    change = at(shares, end, group) - at(shares, start, group)
    note = f"From {shares[start]:.1f} to {shares[end]:.1f} percent, {start}–{end}."
    return Recomputed(change, "percentage points", f"{_HS}, {_name(group)}", note=note)


@check
def group_value_change(flow: str, group: str, start: int, end: int) -> Recomputed:
    """Change of a product group's value between two years, billion US$."""
    values = _group(flow, group)
    change = at(values, end, group) - at(values, start, group)
    return Recomputed(change, "billion US$", f"{_HS}, {_name(group)}")


def _rank_in(values: pd.Series, members: list[str]) -> float:
    """Rank of some columns, taken together, among the other columns."""
    return float(1 + (values.drop(members) > values[members].sum()).sum())


@check
def section_rank(flow: str, section: str, start: int, end: int, chapter: str = "", bound: str = "") -> Recomputed:
    """Rank of a section of the Harmonized System by value over the years, 1 = largest.

    Alternatives: `chapter` among the chapters; `bound`, the SITC section around it, in 1995.
    """
    values = span(_sections(flow), start, end).sum()
    others = []
    if chapter:
        chapters = span(_chapters(flow), start, end).sum()
        others.append((f"chapter {chapter} among the HS chapters", _rank_in(chapters, [chapter])))
    others += _bound_1995(flow, [bound] if bound else [])
    years = str(start) if start == end else f"{start}–{end}"
    note = f"Among {len(values)} sections, {years}."
    return Recomputed(_rank_in(values, [section]), "rank", f"{_HS}, {_name(section)}", tuple(others), note=note)


@check
def chapter_rank(flow: str, chapter: str, year: int, bound: str = "") -> Recomputed:
    """Rank of a chapter among the chapters of the Harmonized System by value, 1 = largest.

    `bound`, if given, is the SITC section around it, in 1995.
    """
    values = _chapters(flow).loc[year].dropna()
    others = tuple(_bound_1995(flow, [bound] if bound else []))
    note = f"Among {len(values)} chapters, {year}."
    return Recomputed(_rank_in(values, [chapter]), "rank", f"{_HS}, HS {chapter}", others, note=note)


@check
def division_rank(flow: str, division: str, year: int, chapters: list | None = None, section: str = "") -> Recomputed:
    """Rank of a SITC division in China's figures, 1 = largest; `flow` is Russia's.

    The alternative is the rank of the nearest `chapters`, taken together, or `section` of the
    Harmonized System in Russia's figures of 2000–2010.
    """
    values = _divisions(flow).loc[year]
    others = []
    if chapters:
        rank = _rank_in(span(_chapters(flow), 2000, 2010).sum(), chapters)
        others.append((f"HS {' '.join(chapters)} in Russia's figures, 2000–2010", rank))
    if section:
        rank = _rank_in(span(_sections(flow), 2000, 2010).sum(), [section])
        others.append((f"HS section {section} in Russia's figures, 2000–2010", rank))
    source = f"China's figures by SITC division (china-sitc-divisions), division {division}"
    note = f"Among the SITC divisions, {year}."
    return Recomputed(_rank_in(values.dropna(), [division]), "rank", source, tuple(others), note=note)


@check
def among_top(flow: str, groups: list, year: int, places: list, read_as: list | None = None) -> Recomputed:
    """How many of the named sections hold the places first to last by value.

    `read_as` are the sections that the source may have meant; they become the reading.
    """
    ranked = _sections(flow).loc[year].sort_values(ascending=False)
    first, last = places
    holders = list(ranked.index[first - 1 : last])
    readings = ()
    if read_as:
        label = f"sections {', '.join(read_as)} meant"
        readings = ((label, float(sum(section in holders for section in read_as))),)
    note = f"Places {first} to {last} are held by sections {', '.join(holders)}."
    value = float(sum(section in holders for section in groups))
    return Recomputed(value, "count", _HS, readings=readings, note=note)


@check
def among_fastest(flow: str, groups: list, year: int, without: str = "") -> Recomputed:
    """How many of the named sections are among the fastest growing (as many as are named).

    The same without the chapter `without`, if given, is the alternative (some sources leave out aircraft).
    """

    def fastest(chapters: pd.DataFrame) -> pd.Series:
        sections = _by_section(chapters)
        rates = 100 * (sections.loc[year] / sections.loc[year - 1] - 1)
        return rates.sort_values(ascending=False).iloc[: len(groups)]

    first = fastest(_chapters(flow))
    listed = ", ".join(f"{section} ({rate:+.1f} %)" for section, rate in first.items())
    others = ()
    if without:
        rest = fastest(_chapters(flow).drop(columns=without))
        others = ((f"without HS {without}", float(rest.index.isin(groups).sum())),)
    value = float(first.index.isin(groups).sum())
    return Recomputed(value, "count", _HS, others, note=f"The fastest: sections {listed}.")


def _tidy_sections(flow: str, years: list[int]) -> pd.DataFrame:
    """Sections of some years with one row per year and section, for the indices."""
    wide = _sections(flow).loc[years]
    return wide.melt(ignore_index=False, value_name="value_usd").dropna().reset_index()


@check
def concentration(flow: str, year: int) -> Recomputed:
    """Herfindahl–Hirschman index over the sections of the Harmonized System, 0 to 1."""
    result = herfindahl_hirschman(_tidy_sections(flow, [year]), product="hs_section")
    return Recomputed(float(result["hhi"].item()), "index 0 to 1", _HS)


@check
def structure_similarity(flow: str, first: int, second: int, also: list = ()) -> Recomputed:
    """Similarity of the section structure of two years (Finger and Kreinin), percent.

    The alternatives compare other first years (`also`) with the second.
    """

    def similarity(start: int) -> float:
        pairs = export_similarity(_tidy_sections(flow, [start, second]), exporter="year", product="hs_section", by=())
        one = pairs[(pairs["year"] == start) & (pairs["other_year"] == second)]
        return 100 * float(one["export_similarity"].item())

    alternatives = tuple((f"{year} and {second}", similarity(year)) for year in also)
    return Recomputed(similarity(first), "percent", _HS, alternatives, note=f"{first} and {second}.")


@check
def export_mix_similarity(first: str, second: str, year: int) -> Recomputed:
    """Similarity of what two economies export to the world, by SITC section (Finger and Kreinin), percent.

    The alternative compares what they export to each other.
    """
    frame = table("sitc-sections-matrix")
    frame = frame[(frame.year == year) & frame.exporter.isin([first, second]) & (frame.sitc_section != "TOTAL")]

    def similarity(flows: pd.DataFrame) -> float:
        values = flows.groupby(["exporter", "sitc_section"], as_index=False).value_usd.sum()
        pairs = export_similarity(values, product="sitc_section", by=())
        one = pairs[(pairs["exporter"] == first) & (pairs["other_exporter"] == second)]
        return 100 * float(one["export_similarity"].item())

    alternatives = (("exports to each other", similarity(frame[frame.importer.isin([first, second])])),)
    return Recomputed(similarity(frame), "percent", "UNCTAD (sitc-sections-matrix)", alternatives, note=f"{year}.")


@memo
def _sections_1995(flow: str) -> pd.Series:
    """Trade of 1995 by SITC section, US$, exporter's figures: all that is known before 2000."""
    exporter, importer = ("RUS", "CHN") if flow == "export" else ("CHN", "RUS")
    frame = table("sitc-sections-matrix")
    frame = frame[(frame.year == 1995) & (frame.exporter == exporter) & (frame.importer == importer)]
    return frame.set_index("sitc_section").value_usd.drop("TOTAL")


def _bound_1995(flow: str, sections: list[str]) -> list[tuple[str, float]]:
    """Best rank that a group inside one SITC section can have had in 1995: that of the section."""
    label = "the case that it filled its SITC section in 1995"
    return [(label, _rank_in(_sections_1995(flow), [section])) for section in sections]


# --- products: Russia's trade with all partners ---------------------------------------------------

#: Members of the European Union in 2014 whose trade with Russia is in the table; Croatia, Luxembourg and Portugal
#: are not.
_EUROPEAN_UNION = (
    "AUT BEL BGR CYP CZE DEU DNK ESP EST FIN FRA GBR GRC HUN IRL ITA LTU LVA MLT NLD POL ROU SVK SVN SWE"
).split()


@memo
def _russia_all(flow: str) -> pd.DataFrame:
    """Russia's trade with all partners, billion US$, year x (partner, HS chapter)."""
    frame = table("russia-hs-chapters")
    frame = frame[frame.flow == flow]
    return frame.pivot_table(index="year", columns=["partner", "hs_chapter"], values="value_usd", aggfunc="sum") / 1e9


def _of_chapters(frame: pd.DataFrame, chapters: list) -> pd.DataFrame:
    return frame.loc[:, frame.columns.isin(chapters, level="hs_chapter")] if chapters else frame


@check
def china_in_russias_imports(start: int, end: int, chapters: list = ()) -> Recomputed:
    """Change of China's share in Russia's imports of some chapters (default: all), percentage points."""
    imports = _of_chapters(_russia_all("import"), chapters)
    shares = 100 * imports["CHN"].sum(axis=1) / imports.sum(axis=1)
    change = at(shares, end, "China's share") - at(shares, start, "China's share")
    note = f"From {shares[start]:.1f} to {shares[end]:.1f} percent, {start}–{end}."
    if chapters:
        note += f" Chapters {', '.join(chapters)}."
    note += " A share shows no cause."
    return Recomputed(change, "percentage points", _HS, note=note)


@check
def european_imports_change(start: int, end: int, chapters: list) -> Recomputed:
    """Change of Russia's imports of some chapters from the European Union, percent."""
    imports = _of_chapters(_russia_all("import"), chapters)
    values = imports.loc[:, imports.columns.isin(_EUROPEAN_UNION, level="partner")].sum(axis=1)
    note = f"From {values[start]:.2f} to {values[end]:.2f} billion US$, {start}–{end}; chapters {', '.join(chapters)}."
    return Recomputed(100 * float(values[end] / values[start] - 1), "percent", _HS, note=note)


@check
def russias_net_imports(year: int, chapters: list) -> Recomputed:
    """Russia's imports of some chapters from all partners minus its exports of them, billion US$."""
    imports, exports = (
        float(_of_chapters(_russia_all(flow), chapters).loc[year].sum()) for flow in ("import", "export")
    )
    note = f"Imports {imports:.2f}, exports {exports:.2f} billion US$, {year}; chapters {', '.join(chapters)}."
    return Recomputed(imports - exports, "billion US$", _HS, note=note)


# --- products: technology groups ------------------------------------------------------------------


@memo
def _lall_shares(exporter: str) -> pd.DataFrame:
    """Shares of the Lall groups in one direction of the trade, percent, year x group."""
    frame = table("china-russia-lall")
    frame = frame[frame.exporter == exporter].pivot(index="year", columns="lall_code", values="value_usd")
    return 100 * frame.div(frame.sum(axis=1), axis=0)


@check
def lall_share(exporter: str, groups: list, start: int, end: int, wider: list | None = None) -> Recomputed:
    """Share of Lall groups in one direction of the trade, percent; mean of the annual shares.

    `wider`, if given, are further groups that a wider definition counts in: the alternative.
    """
    shares = span(_lall_shares(exporter), start, end)
    narrow = shares[groups].sum(axis=1)
    others = ()
    if wider:
        wide = float(shares[groups + wider].sum(axis=1).mean())
        others = ((f"groups {', '.join(wider)} counted too", wide),)
    note = f"Lall groups {', '.join(groups)}."
    if start < end:
        note += f" {narrow.min():.1f} to {narrow.max():.1f} percent in single years."
    return Recomputed(float(narrow.mean()), "percent", _LALL, others, note=note)


@check
def lall_share_change(exporter: str, groups: list, start: int, end: int) -> Recomputed:
    """Change of the share of Lall groups between two years, percentage points."""
    shares = _lall_shares(exporter)[groups].sum(axis=1)
    note = f"From {shares[start]:.1f} to {shares[end]:.1f} percent, {start}–{end}."
    return Recomputed(float(shares[end] - shares[start]), "percentage points", _LALL, note=note)


@check
def lall_value_change(exporter: str, groups: list, start: int, end: int) -> Recomputed:
    """Change of the value of Lall groups between two years, billion US$.

    The alternative is the change of their share in percentage points: it serves claims whose test
    is the sign alone.
    """
    frame = table("china-russia-lall")
    frame = frame[(frame.exporter == exporter) & frame.lall_code.isin(groups)]
    values = frame.groupby("year").value_usd.sum() / 1e9
    shares = _lall_shares(exporter)[groups].sum(axis=1)
    note = f"Value {values[start]:.2f} to {values[end]:.2f} billion US$, {start}–{end}."
    alternatives = (("share in trade, percentage points", float(shares[end] - shares[start])),)
    return Recomputed(float(values[end] - values[start]), "billion US$", _LALL, alternatives, note=note)


@check
def high_tech_gap(year: int) -> Recomputed:
    """Share of high technology (Lall HT) in China's exports to Russia minus to the world."""
    world = table("china-lall-by-partner-group")
    world = world[(world.partner_group == "World") & (world.flow == "export") & (world.year == year)]
    values = world.set_index("lall_code").value_usd
    to_world = 100 * values[["HT1", "HT2"]].sum() / values.sum()
    to_russia = _lall_shares("CHN").loc[year, ["HT1", "HT2"]].sum()
    note = f"{to_russia:.1f} percent to Russia, {to_world:.1f} percent to the world, {year}."
    source = f"{_LALL}, china-lall-by-partner-group"
    return Recomputed(float(to_russia - to_world), "percentage points", source, note=note)


@check
def high_technology_change(economy: str, start: int, end: int) -> Recomputed:
    """Change of an economy's high-technology exports to the world, billion US$.

    The alternative is the change of their share in manufactured exports, percentage points: it serves claims whose
    test is the sign alone.
    """
    frame = table("wdi")
    frame = frame[frame.iso3 == economy].pivot(index="year", columns="indicator", values="value")
    values, shares = frame["TX.VAL.TECH.CD"].dropna() / 1e9, frame["TX.VAL.TECH.MF.ZS"].dropna()
    change = at(values, end, "high technology") - at(values, start, "high technology")
    note = f"From {values[start]:.0f} to {values[end]:.0f} billion US$, {start}–{end}."
    alternatives = (("share in manufactured exports, percentage points", float(shares[end] - shares[start])),)
    source = "World Development Indicators (wdi), TX.VAL.TECH.CD"
    return Recomputed(change, "billion US$", source, alternatives, note=note)


@check
def researchers_rank(economy: str, year: int) -> Recomputed:
    """Rank of an economy by the number of its researchers, 1 = most; alternative: per million people."""
    frame = table("wdi")
    frame = frame[frame.year == year].pivot(index="iso3", columns="indicator", values="value")
    density = frame["SP.POP.SCIE.RD.P6"].dropna()
    number = (density * frame["SP.POP.TOTL"]).dropna()
    rank, other = (float(series.rank(ascending=False)[economy]) for series in (number, density))
    note = f"About {number[economy] / 1e6:,.0f} researchers among {len(number)} economies with data, {year}."
    source = "World Development Indicators (wdi), SP.POP.SCIE.RD.P6"
    return Recomputed(rank, "rank", source, (("per million people", other),), note=note)


@check
def primary_and_consumer_share(year: int) -> Recomputed:
    """Share of primary, resource-based and light consumer goods in trade both ways, percent."""
    frame = table("china-russia-lall")
    values = frame[frame.year == year].groupby("lall_code").value_usd.sum()
    shares = 100 * values / values.sum()
    both = float(shares[["PP", "RB1", "RB2", "LT1"]].sum())
    alternatives = (
        ("primary goods alone (PP)", float(shares["PP"])),
        ("textiles, clothing, footwear alone (LT1)", float(shares["LT1"])),
    )
    return Recomputed(both, "percent", _LALL, alternatives)
