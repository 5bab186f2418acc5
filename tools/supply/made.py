"""What lies beside the pages about their making: the bill of materials and the notices of others' work.

Both depend on the packages and on this code, not on the chapters, so they are kept until one of these changes.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.environment import BUILD, LOCK, ROOT, digest
from tools.supply import licences

CACHE = BUILD / "supply"
SBOM, NOTICES = "sbom.cdx.json", "third-party-notices.txt"
# All that the result depends on, besides the packages that are installed as LOCK says.
INPUTS = ("CITATION.cff", "LICENSE", "requirements.txt", "requirements.lock", "tools/supply")
INPUTS += ("tools/browser", "tools/lite.py")


@dataclass(frozen=True)
class Made:
    """Two files, and the rows of the tables on the page about licences."""

    sbom: str
    notices: str
    pages: list[dict]  # pieces in the pages
    browser: list[dict]  # pieces in the notebooks that run in the browser
    npm: dict[str, int]  # number of packages from npm by licence
    packages: list[dict]  # packages that the book is made with


def make(browser: bool) -> Made:
    """The files and tables, for a book with the notebooks that run in the browser or without.

    Raises
    ------
    ToolError
        A package does not say its licence, or what runs in the browser cannot be had.
    """
    key = digest((ROOT / name for name in INPUTS), ROOT, f"{sys.version_info[:2]} {browser}")[:20]
    kind = "browser" if browser else "pages"
    kept = CACHE / f"{kind}-{key}.json"
    try:
        return Made(**json.loads(kept.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        pass  # not there, or not whole
    made = _make(browser)
    with contextlib.suppress(OSError):  # without room or rights it is made again next time
        CACHE.mkdir(parents=True, exist_ok=True)
        for old in CACHE.glob(f"{kind}-*.json"):
            old.unlink(missing_ok=True)
        handle, part = tempfile.mkstemp(dir=CACHE, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(made), file)
        os.replace(part, kept)
    return made


def _make(browser: bool) -> Made:
    import yaml

    from tools.supply import notices, pieces, sbom

    pages = pieces.of_pages()
    others = pieces.of_browser() if browser else []
    title = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["title"]
    texts = {name: licences.standard_text(name) for name in licences.settings()["texts"]}
    npm: dict[str, int] = {}
    for piece in others:
        if piece.kind == "npm":
            npm[piece.licence] = npm.get(piece.licence, 0) + 1
    locked = licences.locked(LOCK)
    return Made(
        sbom=sbom.sbom([*pages, *others]),
        notices=notices.notices([*pages, *others], title, texts),
        pages=[_row(piece) for piece in pages],
        browser=[_row(piece) for piece in others if piece.kind != "npm"],
        npm=dict(sorted(npm.items(), key=lambda item: (-item[1], item[0]))),
        packages=[
            {"name": name, "version": version, "licence": licences.licence_of(name), "marker": marker}
            for name, (version, _, marker) in locked.items()
        ],
    )


def _row(piece) -> dict:
    row = asdict(piece) | {"holders": list(piece.holders)}
    return {name: row[name] for name in ("name", "version", "licence", "holders", "what", "source", "package", "kind")}


def write(made: Made, site: Path) -> None:
    """Put both files beside the pages."""
    (site / SBOM).write_text(made.sbom, encoding="utf-8", newline="\n")
    (site / NOTICES).write_text(made.notices, encoding="utf-8", newline="\n")
