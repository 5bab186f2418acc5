"""What the book holds of others: typefaces, styles and scripts in its pages, and Python with packages in ``lite``.

``licences.toml`` names each piece and where it is in the built book. Versions, licences, texts and copyright notices
are read from the installed packages, and from the wheels and files that the notebooks in the browser are made of.
"""

from __future__ import annotations

import email.parser
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from packaging.utils import canonicalize_name

from tools import lite
from tools.environment import ToolError
from tools.supply import licences

_LICENCE_FILE = re.compile(r"(?i)^(?:licen[cs]e|copying|notice)[\w.\-]*$")
_KERNEL_WHEEL = re.compile(r"/((?:piplite|pyodide_kernel|ipykernel)-[^/]+\.whl)$")


@dataclass(frozen=True)
class Piece:
    """Somebody else's work in the built book."""

    name: str
    version: str
    licence: str  # SPDX expression
    holders: tuple[str, ...]  # copyright notices
    texts: tuple[tuple[str, str], ...] = field(repr=False)  # name and text of each licence file
    files: tuple[str, ...]  # where it is in the built book, as patterns
    what: str
    source: str = ""
    package: str = ""  # the locked package that it comes out of
    sha256: str = ""
    kind: str = ""  # "", "wheel" or "npm"


# --- in the pages ----------------------------------------------------------------------------------------------------


def of_pages() -> list[Piece]:
    """The pieces in the pages and in the editions made of them, as the installed packages have them."""
    return [_from_package(entry) for entry in licences.settings()["piece"]]


def _file(package: str, path: str) -> Path:
    distribution = licences.installed(package)
    file = Path(distribution.locate_file(path)) if distribution else None
    if file is None or not file.is_file():
        raise ToolError(f"{package} has no file {path}: correct tools/supply/licences.toml, or run `make setup`.")
    return file


def _from_package(entry: Mapping) -> Piece:
    package = entry["package"]
    texts = [_text(one, package) for one in entry.get("text", ())]
    if "text" not in entry:
        texts = list(licences.texts_of(licences.installed(package)).items())
    return Piece(
        name=entry["name"],
        version=_version(entry),
        licence=entry.get("licence") or licences.licence_of(package),
        holders=tuple(_named_holders(entry) or _font_holder(entry) or _holders(texts)),
        texts=tuple(texts),
        files=tuple(entry["files"]),
        what=entry["what"],
        source=entry.get("source", ""),
        package=package,
    )


def _named_holders(entry: Mapping) -> list[str]:
    return [one for one in entry.get("holder", "").split("; ") if one and "Rights Reserved" not in one]


def _holders(texts: list[tuple[str, str]]) -> list[str]:
    """The copyright notices of the first text that has some."""
    return next(filter(None, (licences.holders(text) for _, text in texts)), [])[:4]


def _font_names(entry: Mapping) -> dict[int, str]:
    from fontTools.ttLib import TTFont

    with TTFont(_file(entry["package"], entry["font"]), lazy=True) as font:
        return {number: font["name"].getDebugName(number) or "" for number in (0, 5)}


def _font_holder(entry: Mapping) -> list[str]:
    return [_font_names(entry)[0].rstrip(".")] if "font" in entry else []


def _version(entry: Mapping) -> str:
    if "font" in entry:
        return re.search(r"\d[\d.]*", _font_names(entry)[5])[0]
    if "version" in entry:
        path, pattern = entry["version"].split(": ", 1)
        return re.search(pattern, _file(entry["package"], path).read_text("utf-8")[:4000])[1]
    return licences.locked()[entry["package"]][0]


def _text(where: str, package: str = "") -> tuple[str, str]:
    """Name and content of a licence text: a common one, one kept in ``texts``, or a file of a package."""
    if where in licences.settings()["texts"]:
        return f"{where}.txt", licences.standard_text(where)
    if (kept := licences.FOLDER / "texts" / where).is_file():
        return where, licences.read_text(kept.read_bytes())
    path, _, other = where.partition("@")
    return path.rsplit("/", 1)[-1], licences.read_text(_file(other or package, path).read_bytes())


# --- in the notebooks that run in the browser -----------------------------------------------------------------------


def of_browser() -> list[Piece]:
    """The pieces in the folder ``lite``, read from the files that it is made of.

    Raises
    ------
    ToolError
        These files cannot be had (`tools.lite.fetch`).
    """
    found = lite.fetch()
    contents = lite.read_release(found)
    packages = lite.release()["packages"]
    pieces = [_of_release(entry, contents, packages, found) for entry in licences.settings()["browser"]]
    wheels = {name: content for name, content in contents.items() if name.endswith(".whl")}
    wheels |= {path.name: path.read_bytes() for name, path in found.items() if name in ("comm", "networkx", "seaborn")}
    with zipfile.ZipFile(found["jupyterlite-pyodide-kernel"]) as kernel:
        for name in kernel.namelist():
            if match := _KERNEL_WHEEL.search(name):
                wheels[match[1]] = kernel.read(name)
    pieces += [_of_wheel(name, content) for name, content in sorted(wheels.items())]
    return pieces + of_application(found)


def _of_release(entry: Mapping, contents: Mapping[str, bytes], packages: Mapping, found: Mapping[str, Path]) -> Piece:
    release = lite.release()
    files, texts = tuple(entry["files"]), [_text(one) for one in entry.get("text", ())]
    if carrier := entry.get("in"):
        version, sha = lite.carriers()[carrier]
        with zipfile.ZipFile(found[carrier]) as wheel:
            texts = list(_texts_in(wheel, top=True))
    else:
        given = entry["version"]
        python = {"release": release["version"], "release python": release["info"]["python"]}
        python["release emscripten"] = release["info"]["platform"].removeprefix("emscripten_").replace("_", ".")
        version = python.get(given) or (packages[given]["version"] if given in packages else given)
        sha = packages[given]["sha256"] if given in packages else ""
    holders = _named_holders(entry) or _holders(texts)
    return Piece(
        entry["name"], version, entry["licence"], tuple(holders), tuple(texts), files, entry["what"],
        entry.get("source", ""), sha256=sha,
    )  # fmt: skip


def _texts_in(wheel: zipfile.ZipFile, top: bool = False) -> Iterator[tuple[str, str]]:
    """Licence files of a wheel: those of the package first, then those that lie beside parts of it."""
    names = [n for n in wheel.namelist() if _LICENCE_FILE.match(n.rsplit("/", 1)[-1]) and not n.endswith((".py", "/"))]
    for name in sorted(names, key=lambda n: (".dist-info/" not in n, n)):
        if ".dist-info/" in name or not top:
            yield name.partition(".dist-info/")[2] or name, licences.read_text(wheel.read(name))


def _of_wheel(file: str, content: bytes) -> Piece:
    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        texts = list(_texts_in(wheel))
        about = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        meta = email.parser.BytesParser().parsebytes(wheel.read(about))
    fields = {
        key: [str(one) for one in meta.get_all(key, [])] for key in ("License-Expression", "License", "Classifier")
    }
    name = canonicalize_name(meta["Name"])
    licence = licences.settings()["browser-packages"].get(name) or licences.licence_from(fields, [t for _, t in texts])
    if not licence:
        raise ToolError(f"{file} does not say its licence: read it, and name it in tools/supply/licences.toml.")
    holders = licences.holders(texts[0][1])[:4] if texts else []
    if not texts:
        known = [one for one in re.findall(r"[\w.\-]+", licence) if one in licences.settings()["texts"]]
        texts = [_text(one) for one in known]
    if not holders:
        holders = [f"The authors of {name}{f' ({who})' if (who := meta.get('Author')) else ''}"]
    return Piece(
        name, meta["Version"], licence, tuple(holders), tuple(texts), (f"lite/pyodide/{file}",), "Python package",
        kind="wheel", sha256=lite._sha256(content),
    )  # fmt: skip


def of_application(found: Mapping[str, Path]) -> list[Piece]:
    """The packages from npm inside JupyterLite and its kernel, as their own lists name them."""
    lists = []
    with zipfile.ZipFile(found["jupyterlite-core"]) as wheel:
        archive = next(name for name in wheel.namelist() if name.endswith(".tgz"))
        with tarfile.open(fileobj=io.BytesIO(wheel.read(archive))) as application:
            member = application.extractfile("package/build/third-party-licenses.json")
            lists.append(("lite/build/third-party-licenses.json", json.load(member)))
    with zipfile.ZipFile(found["jupyterlite-pyodide-kernel"]) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith("static/third-party-licenses.json"))
        place = f"lite/extensions/{name.partition('labextensions/')[2]}"
        lists.append((place, json.loads(wheel.read(name))))
    pieces = {}
    for place, listing in lists:
        for entry in listing["packages"]:
            licence = licences.settings()["npm"].get(entry["name"], entry["licenseId"].strip("()"))
            text = entry["extractedText"].strip()
            texts = ((place, licences.read_text(text.encode())),) if text else ()
            holders = licences.holders(text)[:2] if text else [f"The authors of {entry['name']}"]
            piece = Piece(entry["name"], entry["versionInfo"], licence, tuple(holders), texts, (place,), "", kind="npm")
            pieces.setdefault((piece.name, piece.version), piece)
    return [piece for _, piece in sorted(pieces.items())]


# --- where they are -------------------------------------------------------------------------------------------------

# Files of the built book that hold nothing but the book's own work and its data.
OWN = (
    "*.html", "_cards/*", "_downloads/*", "_find/*", "_sources/*", "_tables/*", "_static/explore/*", "_static/logo.svg",
    "_static/book.css", "_static/book.js", "_static/fonts/LICENSE.txt", "chapters/*", "downloads/*", "feed.xml",
    "objects.inv", "robots.txt",
    "sitemap.xml", "searchindex.js", "sbom.cdx.json", "third-party-notices.txt",
    "lite/api/*", "lite/data/*", "lite/files/*", "lite/jupyter-lite.json", "lite/pyodide/tradebook-*.whl",
)  # fmt: skip


def unclaimed(site: Path, pieces: list[Piece]) -> list[str]:
    """Files of a built book that no piece claims, and that are not the book's own."""
    patterns = [pattern for piece in pieces for pattern in piece.files]
    names = (path.relative_to(site).as_posix() for path in sorted(site.rglob("*")) if path.is_file())
    return [name for name in names if not any(fnmatch(name, one) for one in (*OWN, *patterns))]


def missing_texts(pieces: list[Piece]) -> list[str]:
    """Pieces without a licence text to pass on, though their licence asks for it."""
    waived = {"bzip2-1.0.6", "blessing", "PSF-2.0 AND blessing"}  # these do not ask for it in compiled form
    return [piece.name for piece in pieces if not piece.texts and piece.licence not in waived and piece.kind != "npm"]
