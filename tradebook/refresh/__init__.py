"""Newer data from the publishers: fetch, distrust, compare, and replace only when told to.

``tradebook refresh`` asks the World Bank, UN Comtrade and the IMF through their own clients for the tables that come
from them (`catalogue`). What they answer passes a `door` that keeps their pace and refuses what is broken, hostile or
of another form than they document; it is kept piece by piece (`fetched`), so that an interrupted run goes on where it
stopped; it must fit the schema and resemble the table that the book has (`trust`). Then it is stored as a new vintage
beside the data package (`vintages`), and the command says what it would change (`changes`). The data package itself
changes only with ``--accept``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import pandas as pd

from tradebook import data
from tradebook.refresh import changes, vintages
from tradebook.refresh.catalogue import REFRESHABLE, why_not
from tradebook.refresh.comtrade import NEEDS_KEY
from tradebook.refresh.door import Around
from tradebook.refresh.errors import AwayError, RefreshError
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
    lines: list[str] = []
    for name in _ready(_chosen(names), around, lines.append if not names else None):
        entry = REFRESHABLE[name]
        pieces = entry.open(data.load(name), around).pieces()
        noun = "request" if len(pieces) == 1 else "requests"
        least = max(1, round(len(pieces) * entry.publisher.pause))
        lines.append(f"{name}: {len(pieces)} {noun} or more to {entry.publisher.host}, in {least} seconds or more")
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
        Tables; if none is named, all that can be refreshed with the keys that there are.
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
        If data cannot be fetched or are not believed. The other tables are fetched and reported before, and the data
        package is as it was. The message has a line for each reason.
    """
    around = around or Around()
    chosen = _chosen(names)
    problems: dict[str, list[str]] = {}
    with alone(vintages.home()):
        for name in vintages.recover():
            say(f"{name}: an interrupted --accept has been finished")
        for folder in (vintages.home(), data.data_folder()):
            sweep(folder)
        have = _stored(chosen, problems) if accept or offline else dict.fromkeys(chosen)
        missing = [name for name, vintage in have.items() if vintage is None]
        if offline:
            for name in missing:
                say(f"{name}: no newer vintage is stored")
        else:
            missing = _ready(missing, around, say if not names else None)
            have |= _fetch_all(missing, around, say, progress, problems)
        found = [vintage for vintage in have.values() if vintage is not None]
        if found:
            with _noted(problems):
                _report(found, say)
                if accept and not problems:
                    again = changes.chapters([vintage.resource["name"] for vintage in found])
                    vintages.accept(found, before)
                    _say_what_is_next(found, again, say)
                else:
                    _say_how_to_accept(found, accept, say)
    if problems:
        raise RefreshError(_told(problems, named=len(chosen) > 1))
    return found


@contextmanager
def _noted(problems: dict[str, list[str]], *tables: str) -> Iterator[None]:
    """Keep the sentence of an error, with the tables that it is about, so that the other tables can go on."""
    try:
        yield
    except RefreshError as error:
        problems.setdefault(str(error), []).extend(tables)


def _told(problems: dict[str, list[str]], named: bool) -> str:
    """One line for each problem; it begins with its tables if they are to be `named`."""
    return "\n".join(
        f"{', '.join(tables)}: {sentence}" if named and tables else sentence for sentence, tables in problems.items()
    )


def _chosen(names: list[str]) -> list[str]:
    for name in names:
        if name not in data.tables():
            data.describe(name)  # says which table may be meant
        if name not in REFRESHABLE:
            raise RefreshError(f"Table “{name}” cannot be refreshed: it {why_not(name)}.")
    return list(dict.fromkeys(names)) or [name for name in data.tables() if name in REFRESHABLE]


def _ready(names: list[str], around: Around, leave_out: Callable[[str], None] | None) -> list[str]:
    """The tables for which there are the clients and the keys.

    Raises
    ------
    RefreshError
        If a client is not installed; if a key is missing, unless `leave_out` is there to be told so.
    """
    for name in names:
        package = REFRESHABLE[name].publisher.client
        if find_spec(_MODULES[package]) is None:
            raise RefreshError(f"The package {package} is not installed: run pip install {package}, or make setup.")
    locked = [name for name in names if REFRESHABLE[name].lacks_key(around.environ)]
    for name in locked:
        if leave_out is None:
            raise RefreshError(f"Table “{name}” {NEEDS_KEY}.")
        leave_out(f"{name}: left out, since it {NEEDS_KEY}")
    return [name for name in names if name not in locked]


def _stored(names: list[str], problems: dict[str, list[str]]) -> dict[str, Vintage | None]:
    """The stored vintages that are newer than the book's; tables without one have none, damaged ones are left out."""
    found = {}
    for name in names:
        with _noted(problems, name):
            found[name] = vintages.newest(name)
    return found


def _fetch_all(
    names: list[str], around: Around, say: Callable, progress: Callable | None, problems: dict[str, list[str]]
) -> dict[str, Vintage | None]:
    """Fetch tables one by one. A publisher that answers nobody for now is not asked for its other tables."""
    found: dict[str, Vintage | None] = {}
    away: dict[str, AwayError] = {}
    for name in names:
        host = REFRESHABLE[name].publisher.host
        with _noted(problems, name):
            if host in away:
                raise away[host]
            try:
                found[name] = _fetch(name, around, say, progress)
            except AwayError as error:
                away[host] = error
                raise
    return found


def _fetch(name: str, around: Around, say: Callable, progress: Callable | None) -> Vintage | None:
    """Fetch one table and store it, unless the book has a vintage as new, or one of this date is stored."""
    entry, resource, old = REFRESHABLE[name], data._resource(name), data.load(name)
    source = entry.open(old, around)
    edition, known = source.edition(), vintages.date_of(resource["vintage"])
    if entry.dated and known and edition <= known:
        say(f"{name}: {resource['vintage']} is the newest vintage")
        return None
    stored = vintages.newest(name)
    if stored is not None and stored.resource["vintage"] == vintages.day(edition):
        say(f"{name}: the vintage of {vintages.day(edition)} was fetched before")
        return stored
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


def _say_how_to_accept(found: list[Vintage], accept: bool, say: Callable) -> None:
    tables = " ".join(vintage.resource["name"] for vintage in found)
    still = "Not all tables could be had, so the book still uses" if accept else "The book still uses"
    say(f"{still} the old vintages. To replace them: tradebook refresh {tables} --accept")


def _say_what_is_next(found: list[Vintage], again: list[str], say: Callable) -> None:
    for vintage in found:
        say(f"{vintage.resource['name']}: the book now uses the vintage of {vintage.resource['vintage']}")
    if again:
        say(f"Chapters to execute again (make execute): {', '.join(again)}")
    say("Then read the chapters: numbers in sentences follow the data, the words around them do not. Known problems of")
    say("the old vintages stay listed with the tables; python -m tools.data_page writes the Data appendix anew.")
