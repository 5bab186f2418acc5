"""Vintages beside the data package, and the one that takes its place.

``vintages/<table>/<date>/`` beside the folder of the data package holds a table and a ``datapackage.json`` that
describes it. `accept` puts such tables into the data package. Each of its steps leaves a package that is whole, either
the old or the new one, so that an interruption does no harm; `recover` finishes what was begun.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from tradebook import control, data
from tradebook.refresh.errors import RefreshError
from tradebook.refresh.files import PART, checksum, table_bytes, write

_ACCEPTED = ".accepted"  # in the name of a file that has been described, and not yet taken its usual name
_MONTHS = "January February March April May June July August September October November December".split()


@dataclass(frozen=True)
class Vintage:
    """A table of one date: its descriptor, and the folder that holds both."""

    folder: Path
    resource: dict

    def content(self) -> bytes:
        """The bytes of the table, verified."""
        try:
            content = (self.folder / self.resource["path"]).read_bytes()
        except OSError as error:
            raise RefreshError(f"{self.folder} cannot be read ({error.strerror}); delete it and fetch again.") from None
        if checksum(content) != self.resource["hash"]:
            raise RefreshError(f"{self.folder} has been altered since it was fetched; delete it and fetch again.")
        return content


def home() -> Path:
    """Folder of all vintages: beside the data package, not in it."""
    return data.data_folder().parent / "vintages"


def day(when: date) -> str:
    """A date as the data package writes it: 1 July 2026."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def date_of(text: str) -> date | None:
    """The date that `day` writes so; None for a vintage that is no full date, such as “end 2021”."""
    try:
        number, month, year = text.split()
        return date(int(year), _MONTHS.index(month) + 1, int(number))
    except ValueError:
        return None


def describe(resource: dict, frame: pd.DataFrame, content: bytes, when: date, source: dict, caveat: str) -> dict:
    """Descriptor of a new vintage, from the one of the table so far."""
    out = {**resource, "vintage": day(when), "sources": [source], "bytes": len(content), "hash": checksum(content)}
    out |= control.describe_rows(frame, resource["schema"]["fields"])
    if caveat and caveat not in out["caveats"]:
        out["caveats"] = [*out["caveats"], caveat]
    before, now = (f"{first}–{last}" for first, last in (_years(resource), _years(out)))
    return out | {"title": out["title"].replace(before, now)}


def _years(resource: dict) -> list:
    return resource["coverage"].get("years", ["", ""])


def store(resource: dict, frame: pd.DataFrame, when: date, source: dict, caveat: str) -> Vintage:
    """Write a vintage; it appears under its name only when it is whole."""
    content = table_bytes(frame, resource["format"])
    folder = home() / resource["name"] / when.isoformat()
    part = folder.with_name(PART + folder.name)
    shutil.rmtree(part, ignore_errors=True)
    write(part / resource["path"], content)
    as_read = data._read(part / resource["path"], resource)  # text may round the last digit of a number
    new = describe(resource, as_read, content, when, source, caveat)
    package = {key: value for key, value in data.package().items() if key != "resources"} | {"resources": [new]}
    write(part / "datapackage.json", _json(package))
    if folder.exists():
        shutil.rmtree(folder)
    os.replace(part, folder)
    return Vintage(folder, new)


def newest(name: str) -> Vintage | None:
    """The newest vintage of a table that is stored, if it is newer than what the data package has.

    Where the data package has no full date for the table, any stored vintage with other contents counts as newer.
    """
    now = data._resource(name)
    known = date_of(now["vintage"])
    after = known.isoformat() if known else ""  # dates of this form sort as text
    folders = sorted(
        path
        for path in (home() / name).glob("????-??-??")
        if path.name > after and (path / "datapackage.json").is_file()
    )
    if not folders:
        return None
    try:
        resource = json.loads((folders[-1] / "datapackage.json").read_text("utf-8"))["resources"][0]
        same = resource["hash"] == now["hash"]
    except (ValueError, LookupError, TypeError):
        raise RefreshError(f"{folders[-1]} is damaged; delete it and fetch again.") from None
    return None if same else Vintage(folders[-1], resource)


def _json(package: dict) -> bytes:
    return (json.dumps(package, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


# --- taking the place of what the data package has -----------------------------------------------


def accept(chosen: list[Vintage], before: Callable[[str], None] = lambda step: None) -> None:
    """Put vintages into the data package.

    The new files come beside the old ones under names of their own. One replacement of ``datapackage.json`` then makes
    them the tables: before it the old package is whole, after it the new one. The rest, which `recover` can do at any
    time, gives the files their usual names.

    Parameters
    ----------
    chosen : list of Vintage
    before : callable
        Called before each step, with its name.
    """
    folder, package = data.data_folder(), _read(data.data_folder())
    new = {vintage.resource["name"]: vintage for vintage in chosen}
    for name, vintage in new.items():
        before(f"write {name}")
        write(folder / _aside(vintage.resource["path"]), vintage.content())
    resources = [
        {**new[r["name"]].resource, "path": _aside(new[r["name"]].resource["path"])} if r["name"] in new else r
        for r in package["resources"]
    ]
    before("switch")
    write(folder / "datapackage.json", _json({**package, "resources": resources}))
    recover(before)


def recover(before: Callable[[str], None] = lambda step: None) -> list[str]:
    """Finish an `accept` that was interrupted, or take back one that had not switched yet.

    Returns
    -------
    list of str
        Tables whose new vintage was in place, under a name of its own.
    """
    folder = data.data_folder()
    package = _read(folder)
    waiting = [r for r in package["resources"] if _ACCEPTED in Path(r["path"]).suffixes]
    for resource in waiting:
        before(f"copy {resource['name']}")
        write(folder / _usual(resource["path"]), (folder / resource["path"]).read_bytes())
    if waiting:
        before("name")
        named = [{**r, "path": _usual(r["path"])} for r in package["resources"]]
        write(folder / "datapackage.json", _json({**package, "resources": named}))
    for spare in sorted(folder.glob(f"*{_ACCEPTED}.*")):
        before(f"remove {spare.name}")
        spare.unlink()
    data._read_package.cache_clear()
    data._load.cache_clear()
    return [resource["name"] for resource in waiting]


def _aside(path: str) -> str:
    usual = Path(path)
    return f"{usual.stem}{_ACCEPTED}{usual.suffix}"


def _usual(path: str) -> str:
    return path.replace(_ACCEPTED + ".", ".")


def _read(folder: Path) -> dict:
    data._read_package.cache_clear()
    return data._read_package(folder)
