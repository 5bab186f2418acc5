"""Newer data from the publishers: fetch, distrust, compare, and replace only when told to.

``tradebook refresh`` asks the World Bank, UN Comtrade and the IMF through their own clients for the tables that come
from them (`catalogue`). What they answer passes a `door` that keeps their pace and refuses what is broken, hostile or
of another form than they document; it is kept piece by piece (`fetched`), so that an interrupted run goes on where it
stopped; it must fit the schema and resemble the table that the book has (`trust`). Then it is stored as a new vintage
beside the data package (`vintages`), and the command says what it would change (`changes`). The data package itself
changes only with ``--accept``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import pandas as pd

from tradebook import data
from tradebook.refresh import changes, vintages
from tradebook.refresh.catalogue import REFRESHABLE, Entry, why_not
from tradebook.refresh.door import Around
from tradebook.refresh.errors import RefreshError
from tradebook.refresh.fetched import Fetched
from tradebook.refresh.files import alone, sweep
from tradebook.refresh.trust import checked
from tradebook.refresh.vintages import Vintage

__all__ = ["REFRESHABLE", "Around", "RefreshError", "listing", "plan", "refresh"]

_MODULES = {"wbgapi": "wbgapi", "comtradeapicall": "comtradeapicall", "sdmx1": "sdmx"}


def listing() -> list[str]:
    """Lines that say which tables can be refreshed, from whom, and why the others cannot."""
    lines = []
    for name in data.tables():
        if name in REFRESHABLE:
            publisher, now = REFRESHABLE[name].publisher, data.describe(name)["vintage"]
            lines.append(f"{name:32s} {publisher.name} (with {publisher.client}); now of {now}")
    lines.append("")
    lines += [f"{name:32s} no: {why_not(name)}" for name in data.tables() if name not in REFRESHABLE]
    return lines


def plan(names: list[str], around: Around) -> list[str]:
    """Lines that say what would be asked for; nothing is."""
    lines = []
    for name in _chosen(names):
        entry = REFRESHABLE[name]
        _need(entry)
        pieces = entry.open(data.load(name), around).pieces()
        noun = "request" if len(pieces) == 1 else "requests"
        least = max(1, round(len(pieces) * entry.publisher.pause))
        lines.append(f"{name}: {len(pieces)} {noun} to {entry.publisher.host}, in {least} seconds or more")
    return lines


def refresh(
    names: list[str],
    around: Around | None = None,
    *,
    accept: bool = False,
    offline: bool = False,
    say: Callable[[str], None] = print,
    progress: Callable[[list, str], Callable] | None = None,
    before: Callable[[str], None] = lambda step: None,
) -> list[Vintage]:
    """Fetch new vintages of tables, say what they change and, if told to, put them into the data package.

    Parameters
    ----------
    names : list of str
        Tables; all that can be refreshed if none is named.
    around : Around, optional
        Clock, chance, environment.
    accept : bool
        Replace the tables. A vintage that is stored already is taken as it is; else one is fetched.
    offline : bool
        Ask nobody: look at the vintages that are stored.
    say : callable
        Gets each line of the report.
    progress : callable, optional
        Gets the pieces of a table and a label, gives a context manager over the pieces.
    before : callable
        Called before each step of an accept, with its name.

    Returns
    -------
    list of Vintage
        Vintages that differ from the data package (or did, before they were accepted).

    Raises
    ------
    RefreshError
        If data cannot be fetched or are not believed; the data package is then as it was.
    """
    around = around or Around()
    chosen = _chosen(names)
    with alone(vintages.home()):
        for name in vintages.recover():
            say(f"{name}: an interrupted --accept has been finished")
        for folder in (vintages.home(), data.data_folder()):
            sweep(folder)
        found = []
        for name in chosen:
            vintage = vintages.newest(name) if accept or offline else None
            if vintage is None and not offline:
                vintage = _fetch(name, around, say, progress)
            elif vintage is None:
                say(f"{name}: no newer vintage is stored")
            if vintage is not None:
                found.append(vintage)
        if found:
            _report(found, say)
            if accept:
                again = changes.chapters([vintage.resource["name"] for vintage in found])
                vintages.accept(found, before)
                _say_what_is_next(found, again, say)
            else:
                tables = " ".join(vintage.resource["name"] for vintage in found)
                say(f"The book still uses the old vintages. To replace them: tradebook refresh {tables} --accept")
    return found


def _chosen(names: list[str]) -> list[str]:
    for name in names:
        if name not in data.tables():
            data.describe(name)  # says which table may be meant
        if name not in REFRESHABLE:
            raise RefreshError(f"Table “{name}” cannot be refreshed: it {why_not(name)}.")
    return list(dict.fromkeys(names)) or [name for name in data.tables() if name in REFRESHABLE]


def _need(entry: Entry) -> None:
    package = entry.publisher.client
    if find_spec(_MODULES[package]) is None:
        raise RefreshError(f"The package {package} is not installed: run pip install {package}, or make setup.")


def _fetch(name: str, around: Around, say: Callable, progress: Callable | None) -> Vintage | None:
    """Fetch one table and store it, unless it is the vintage that the book has."""
    entry, resource, old = REFRESHABLE[name], data._resource(name), data.load(name)
    _need(entry)
    source = entry.open(old, around)
    edition = source.edition()
    if entry.dated and vintages.day(edition) == resource["vintage"]:
        say(f"{name}: {vintages.day(edition)} is the newest vintage")
        return None
    kept = Fetched(
        vintages.home() / ".fetched" / name, edition.isoformat() if entry.dated else "undated", around.today()
    )
    parts = [rows for rows in _pieces(name, source, kept, say, progress) if len(rows)]
    try:
        if not parts:
            raise RefreshError(f"{entry.publisher.name} sent no rows for table “{name}”; nothing was kept.")
        rows = entry.shape(pd.concat(parts, ignore_index=True), old)
        frame, fitting = checked(rows, resource, old, around.today().year)
    except RefreshError:
        kept.clear()
        raise
    key = resource["schema"]["primaryKey"]
    if not changes.compare(old, frame, key):
        say(f"{name}: nothing has changed since {resource['vintage']}")
        kept.clear()
        return None
    vintage = vintages.store(fitting, frame, edition, entry.source(vintages.day(edition)), entry.caveat)
    kept.clear()
    return vintage


def _pieces(name: str, source, kept: Fetched, say: Callable, progress: Callable | None) -> list[pd.DataFrame]:
    """All pieces of a table: those that are kept, and the others from the publisher."""
    pieces = source.pieces()
    have = {i: rows for i, piece in enumerate(pieces) if (rows := kept.get(piece)) is not None}
    if kept.damaged:
        say(f"{name}: {kept.damaged} of the pieces that were kept are damaged and are fetched again")
    if have:
        say(f"{name}: {len(have)} of {len(pieces)} pieces were fetched before")
    missing = [i for i in range(len(pieces)) if i not in have]

    def fetch(todo) -> None:
        for i in todo:
            have[i] = source.fetch(pieces[i])
            kept.put(pieces[i], have[i])

    if progress is None:
        fetch(missing)
    else:
        with progress(missing, name) as shown:
            fetch(shown)
    return [have[i] for i in range(len(pieces))]


def _report(found: list[Vintage], say: Callable) -> None:
    for vintage in found:
        resource = vintage.resource
        name = resource["name"]
        new = data._read(vintage.folder / resource["path"], resource) if vintage.content() else None
        what = changes.compare(data.load(name), new, resource["schema"]["primaryKey"])
        for line in changes.report(name, data.describe(name)["vintage"], resource["vintage"], what):
            say(line)
    moved = changes.verdicts(found)
    flipped = moved[moved["verdict_before"] != moved["verdict_after"]]
    say(f"{len(flipped)} verdicts and {len(moved) - len(flipped)} other recomputed values change.")
    for row in flipped.itertuples():
        values = f"{row.value_before:.6g} → {row.value_after:.6g}"
        say(f"  {row.claim_id:26s} {values:28s} {row.verdict_before or 'new'} → {row.verdict_after or 'dropped'}")


def _say_what_is_next(found: list[Vintage], again: list[str], say: Callable) -> None:
    for vintage in found:
        say(f"{vintage.resource['name']}: the book now uses the vintage of {vintage.resource['vintage']}")
    if again:
        say(f"Chapters to execute again (make execute): {', '.join(again)}")
    say("Then read the chapters: numbers in sentences follow the data, the words around them do not. Known problems of")
    say("the old vintages stay listed with the tables; python -m tools.data_page writes the Data appendix anew.")
