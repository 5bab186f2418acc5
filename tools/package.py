"""Zips that are the same on every machine: sorted names, one date, no trace of who packed them."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tools.environment import ROOT, files, release_epoch

# What is packed already: packing it again costs time and gains nothing.
_PACKED = {".parquet", ".png", ".jpg", ".webp", ".woff2", ".zip", ".epub", ".pdf", ".whl"}


def write_zip(target: Path, members: Mapping[str, Path | bytes], first: Iterable[str] = ()) -> None:
    """Write a zip of files or contents by their names in it.

    Members named in `first` come first and are stored as they are; the others follow in alphabetical order.
    """
    first = list(first)
    date = time.gmtime(release_epoch())[:6]
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with zipfile.ZipFile(part, "w") as archive:
        for name in [*first, *sorted(set(members) - set(first))]:
            member = members[name]
            entry = zipfile.ZipInfo(name, date)
            entry.create_system = 3  # as if on Unix, on Windows too
            entry.external_attr = 0o100644 << 16
            stored = name in first or Path(name).suffix in _PACKED
            entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(entry, member if isinstance(member, bytes) else member.read_bytes(), compresslevel=6)
    part.replace(target)


def folder_members(folder: Path, prefix: str, without: Iterable[str] = ()) -> dict[str, Path | bytes]:
    """The files of a folder by their names in a zip; `without` names folders that stay out."""
    left_out = tuple(f"{name}/" for name in without)
    found = {path.relative_to(folder).as_posix(): path for path in files([folder])}
    return {f"{prefix}/{name}": path for name, path in found.items() if not name.startswith(left_out)}


def data_members(prefix: str = "tradebook-data") -> dict[str, Path | bytes]:
    """The data package: tables, audited statements, their description, a README, and the licence of our own part."""
    members = folder_members(ROOT / "data", prefix)
    members[f"{prefix}/README.md"] = _data_readme().encode()
    members[f"{prefix}/LICENSE-text"] = ROOT / "LICENSE-text"
    members[f"{prefix}/CITATION.cff"] = ROOT / "CITATION.cff"
    return members


def _data_readme() -> str:
    package = json.loads((ROOT / "data" / "datapackage.json").read_text("utf-8"))
    lines = [
        f"# {package['title']}",
        "",
        "`datapackage.json` is a Frictionless Data Package. It describes every table: fields, units, source, vintage,",
        "licence, checksum and known problems. Nothing is filled in or interpolated: a missing value was not reported.",
        "",
        "To use these data with the book's code, set `TRADEBOOK_DATA` to this folder first:",
        "",
        "    import os",
        "    os.environ['TRADEBOOK_DATA'] = '/path/to/tradebook-data'",
        "    from tradebook.data import load",
        "    load('economies')",
        "",
        "The audited statements are in `claims/`, in the book's own words; they are under CC BY 4.0 (LICENSE-text).",
        "The tables stay under the terms of their publishers:",
        "",
        "| table | file | licence |",
        "|---|---|---|",
    ]
    for table in package["resources"]:
        licences = table.get("licenses") or package.get("licenses") or []
        terms = "; ".join(one.get("title") or one.get("name") or one.get("path", "") for one in licences)
        lines.append(f"| {table['name']} | `{table['path']}` | {terms.replace('|', '/')} |")
    return "\n".join([*lines, "", "How to cite: see CITATION.cff, and cite the publisher of the data as well.", ""])
