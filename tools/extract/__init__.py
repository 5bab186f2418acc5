"""Build the data package: raw files of the publishers -> tables in the book's own schema.

A reader never needs this: the tables are committed. It is kept so that every table can be traced to the
raw file it came from, and rebuilt by whoever holds those files::

    python -m tools.extract --raw PATH_TO_RAW_FILES [table ...]

Each table is one function, declared with :func:`table`. Its decorator carries everything that the data
package says about the table (title, source, licence, vintage, known problems, fields, key); the function
returns the rows. :func:`build` sorts and checks them against those fields, writes the file and its descriptor.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tradebook.control import describe_rows
from tradebook.data import _read, check_frame

DATA = Path(__file__).resolve().parents[2] / "data"
PACKAGE = {
    "$schema": "https://datapackage.org/profiles/1.0/datapackage.json",
    "profile": "data-package",
    "name": "china-russia-high-technology-trade",
    "title": "Data of the book “China, Russia and the Trade in High Technology”",
    "description": (
        "Tidy extracts of published statistics. Empty cells mean “not reported”; nothing is filled in or "
        "interpolated. Cite the original publisher named with each table."
    ),
    "version": "0.1.0",
}

# name, what it permits, where it is written down
LICENCES = {
    "cc-by-4.0": {
        "name": "CC-BY-4.0",
        "title": "Creative Commons Attribution 4.0",
        "path": "https://creativecommons.org/licenses/by/4.0/",
    },
    "imf": {
        "name": "other-attribution",
        "title": "IMF data terms: free use with attribution",
        "path": "https://www.imf.org/en/about/copyright-and-terms",
    },
    "comtrade": {
        "name": "other-attribution",
        "title": "UN Comtrade: free use with attribution; small extract, no bulk redistribution",
        "path": "https://comtradeplus.un.org/",
    },
    "unctad": {
        "name": "other-attribution",
        "title": "UNCTADstat: free use with citation",
        "path": "https://unctadstat.unctad.org/",
    },
    "etalab-2.0": {
        "name": "etalab-2.0",
        "title": "Etalab Open Licence 2.0",
        "path": "https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
    },
    "cow": {
        "name": "other-attribution",
        "title": "Correlates of War: free use with citation",
        "path": "https://correlatesofwar.org/data-sets/bilateral-trade/",
    },
    "public-domain": {
        "name": "other-pd",
        "title": "Public domain (US Government work)",
        "path": "https://www.usa.gov/government-works",
    },
    "facts": {
        "name": "other-closed",
        "title": "Publisher states no terms: small derived table, cite the publisher",
        "path": "https://creativecommons.org/publicdomain/mark/1.0/",
    },
    "mit": {
        "name": "MIT",
        "title": "MIT licence (code list published with the R package concordance)",
        "path": "https://opensource.org/license/mit",
    },
    "sipri": {
        "name": "other-nc",
        "title": "(c) SIPRI: non-commercial use with citation; yearly sums only, not the register",
        "path": "https://www.sipri.org/about/terms-and-conditions",
    },
    "own": {
        "name": "CC-BY-4.0",
        "title": "Compiled for this book, CC BY 4.0",
        "path": "https://creativecommons.org/licenses/by/4.0/",
    },
}

TABLES: dict[str, Table] = {}


@dataclass(frozen=True)
class Table:
    """What the data package says about one table, and the function that makes its rows."""

    name: str
    make: Callable[[Path], pd.DataFrame]
    descriptor: dict


def field(name: str, type: str, description: str, unit: str | None = None, **constraints) -> dict:
    """Descriptor of one column; a number or integer measured in something needs a `unit`."""
    out: dict = {"name": name, "type": type, "description": description}
    if unit:
        out["unit"] = unit
    if constraints:
        out["constraints"] = constraints
    return out


def year(first: int, last: int, description: str = "Calendar year") -> dict:
    """The usual `year` column, with the range that the table covers."""
    return field("year", "integer", description, required=True, minimum=first, maximum=last)


def economy(name: str, description: str) -> dict:
    """A column of ISO 3166-1 alpha-3 codes (former states: ISO 3166-3 or IMF usage)."""
    return field(name, "string", description, required=True, pattern="[A-Z]{3}")


def table(
    name: str,
    *,
    title: str,
    description: str,
    fields: list[dict],
    key: list[str],
    sources: list[dict],
    licence: str,
    vintage: str,
    kind: str,
    caveats: list[str],
    references: dict[str, str] | None = None,
    parquet: bool = False,
) -> Callable:
    """Declare a table: `references` maps a column to `table.column` (a foreign key)."""
    if kind not in {"verbatim", "constructed", "snapshot"}:
        raise ValueError(f"{name}: kind is {kind!r}, not verbatim, constructed or snapshot")
    if not all("publisher" in source for source in sources):
        raise ValueError(f"{name}: every source needs a publisher, for the source line of figures")
    path = f"{name}.{'parquet' if parquet else 'csv'}"
    descriptor = {
        "name": name,
        "path": path,
        "profile": "tabular-data-resource" if not parquet else "data-resource",
        "title": title,
        "description": description,
        "format": "parquet" if parquet else "csv",
        "mediatype": "application/vnd.apache.parquet" if parquet else "text/csv",
        **({} if parquet else {"encoding": "utf-8"}),
        "kind": kind,
        "vintage": vintage,
        "sources": sources,
        "licenses": [LICENCES[licence]],
        "caveats": caveats,
        "schema": {
            "fields": fields,
            "primaryKey": key,
            "missingValues": [""],
            "foreignKeys": [
                {
                    "fields": [column],
                    "reference": {
                        "resource": target.split(".")[0],
                        "fields": [target.split(".")[1]],
                    },
                }
                for column, target in (references or {}).items()
            ],
        },
    }
    if not references:
        del descriptor["schema"]["foreignKeys"]

    def declare(make: Callable[[Path], pd.DataFrame]) -> Callable:
        TABLES[name] = Table(name, make, descriptor)
        return make

    return declare


def build(names: list[str], raw: Path) -> None:
    """Write the named tables (all, if none is named) and the data package that describes them."""
    package_file = DATA / "datapackage.json"
    known = {}
    if package_file.exists():
        known = {r["name"]: r for r in json.loads(package_file.read_text("utf-8"))["resources"]}
    for name in names or TABLES:
        entry = TABLES[name]
        columns = [f["name"] for f in entry.descriptor["schema"]["fields"]]
        frame = entry.make(raw)[columns]
        frame = frame.sort_values(entry.descriptor["schema"]["primaryKey"]).reset_index(drop=True)
        check_frame(frame, entry.descriptor)
        path = DATA / entry.descriptor["path"]
        if entry.descriptor["format"] == "parquet":
            frame.to_parquet(path, compression="zstd", compression_level=19, index=False)
        else:
            frame.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
        content = path.read_bytes()
        known[name] = {
            **entry.descriptor,
            "bytes": len(content),
            "hash": "sha256:" + hashlib.sha256(content).hexdigest(),
            **describe_rows(_read(path, entry.descriptor), entry.descriptor["schema"]["fields"]),
        }
        print(f"{name:34s} {len(frame):>9,d} rows {len(content) / 1e6:7.2f} MB", flush=True)
    resources = [known[name] for name in TABLES if name in known]
    text = json.dumps({**PACKAGE, "resources": resources}, indent=1, ensure_ascii=False)
    package_file.write_text(text + "\n", "utf-8")
