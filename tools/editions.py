"""The book to take along: ``python -m tools.editions [folder of the built pages]``.

All editions are made from the built pages, so that they cannot differ from them in a word: an EPUB (`tools.epub`), a
PDF (`tools.pdf`), a zip of the pages that opens offline and a zip of the data package (`tools.package`). They go
to the folder ``downloads`` of the pages, and the page *Downloads* gets its list with sizes and checksums.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import posixpath
import re
import shutil
import sys
import textwrap
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from lxml import etree
from lxml import html as lxml_html

from tools.environment import BUILD, ROOT, ToolError, release_epoch, say

FOLDER = "downloads"  # below the built pages
PAGE = "chapters/appendices/downloads"
# Pages that are nothing without a browser.
WEB_PAGES = {PAGE, "chapters/appendices/explore", "chapters/appendices/privacy"}
# Classes of the elements on PAGE that lists replace.
MARKER = "tb-downloads"
MARKER_OF_NOTEBOOKS = "tb-notebooks"

# The parts of a page that need a browser. A figure's controls are among them, so a new one is left out by itself;
# anything else that makes sense on the web only can carry the class tb-web.
_CONTROLS = set("script style template button form input select dialog iframe object noscript nav link".split())
_WEB_ONLY = {"headerlink", "toctree-wrapper", "tb-actions", "tb-web", "tb-run", "visually-hidden"}
# An HTML parser writes all names small; SVG tells small from capital.
_SVG_NAMES = {
    name.lower(): name
    for name in (
        "viewBox clipPath clipPathUnits preserveAspectRatio linearGradient radialGradient gradientUnits "
        "gradientTransform patternUnits patternTransform markerWidth markerHeight markerUnits refX refY "
        "textLength lengthAdjust textPath pathLength"
    ).split()
}
# What the style sheet of the pages writes before a verdict.
SYMBOLS = {
    "tb-confirmed": "✓",
    "tb-approximately-right": "≈",
    "tb-depends": "±",
    "tb-contradicted": "≠",
    "tb-inconsistent": "∑",
    "tb-not-checkable": "–",
}
# The same, for drawings of verdicts.
_VERDICT_COLOURS = {
    "tb-confirmed": "#0b6151",
    "tb-approximately-right": "#1d7d9f",
    "tb-depends": "#5f4700",
    "tb-contradicted": "#c65016",
    "tb-inconsistent": "#b21c65",
    "tb-not-checkable": "#b3b8bd",
}
_VARIABLE = re.compile(r"var\(--[\w-]+,\s*([^()]+)\)")


@dataclass(frozen=True)
class About:
    """What CITATION.cff says of the book."""

    title: str
    subtitle: str
    creators: tuple[str, ...]
    version: str
    epoch: int  # seconds since 1970 of the release
    identifier: str
    keywords: tuple[str, ...]

    @property
    def date(self) -> str:
        """Date of the release, as in 2026-11-21."""
        return time.strftime("%Y-%m-%d", time.gmtime(self.epoch))

    @property
    def rights(self) -> str:
        """The terms of text, code and data in a line."""
        return (
            f"© {self.year} {', '.join(self.creators)}. Text and figures: CC BY 4.0; code: MIT; "
            "data: the terms of their publishers."
        )

    @property
    def description(self) -> str:
        """What the book is, in a line."""
        return (
            "Five documents make statements about trade between China and Russia and about China’s high technology; "
            "this book computes them again from open data and says what holds."
        )

    @property
    def year(self) -> str:
        """Year of the release."""
        return self.date[:4]


@dataclass(frozen=True)
class Chapter:
    """A page of the book without what needs a browser.

    Links to other pages of the book read ``book:page#anchor``; links to files of the site are gone.
    """

    name: str  # chapters/02-bilateral-trade
    part: str  # caption in the contents; empty for the first page
    title: str
    body: etree._Element = field(repr=False)

    @property
    def stem(self) -> str:
        """The last part of the name."""
        return posixpath.basename(self.name)


def about() -> About:
    """Read CITATION.cff; without a DOI the identifier is a UUID made of title and version."""
    given = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    title, _, subtitle = given["title"].partition(": ")
    creators = tuple(
        one.get("name") or f"{one.get('given-names', '')} {one.get('family-names', '')}".strip()
        for one in given["authors"]
    )
    version = str(given["version"])
    identifier = (
        f"https://doi.org/{given['doi']}"
        if given.get("doi")
        else f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'tradebook {title} {version}')}"
    )
    keywords = tuple(given.get("keywords", ()))
    return About(title, subtitle, creators, version, release_epoch(), identifier, keywords)


def contents() -> list[tuple[str, str]]:
    """Names of all pages in reading order, each with the part of the book that it belongs to."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    parts = toc.get("parts") or [{"chapters": toc.get("chapters", [])}]  # a small book has no parts
    listed = [(chapter["file"], part.get("caption", "")) for part in parts for chapter in part["chapters"]]
    return [(toc["root"], ""), *((name, part) for name, part in listed if name not in WEB_PAGES)]


def read_chapters(site: Path, narrow: bool) -> list[Chapter]:
    """Read the built pages, with one drawing of each figure: the narrow one or the wide one."""
    pages = contents()
    names = {name for name, _ in pages}
    chapters = [_read_chapter(site, name, part, names, narrow) for name, part in pages]
    _list_statements_once(chapters)
    return chapters


def _read_chapter(site: Path, name: str, part: str, names: set[str], narrow: bool) -> Chapter:
    body = _article(site, name)
    _choose_drawings(body, site, name, narrow)
    for element in list(body.iter()):
        if _is_dropped(element):
            drop(element)
    for svg in list(body.iter("svg")):
        label = description(svg)
        if not label:  # an ornament
            drop(svg)
            continue
        mend_svg(svg)
        svg.set("aria-label", label)
        svg.set("role", "img")
    _write_out_marks(body)
    _resolve_links(body, name, names)
    for line in body.xpath('.//p[contains(@class, "tb-source")]'):
        _tidy_source(line)
    return Chapter(name, part, text_of(body.find(".//h1")), body)


def _article(site: Path, name: str) -> etree._Element:
    """The text of a built page, without the frame of the site."""
    path = site / f"{name}.html"
    if not path.is_file():
        raise ToolError(f"{path} is missing: run `make book` first, the editions are made from its pages.")
    page = lxml_html.fromstring(path.read_bytes(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    articles = page.xpath('//article[contains(concat(" ", @class, " "), " bd-article ")]')
    if len(articles) != 1:
        raise ToolError(f"{path} has no article to read: build the book anew with `make book`.")
    return articles[0]


def classes(element: etree._Element) -> set[str]:
    """The classes of an element."""
    return set((element.get("class") or "").split())


def text_of(element: etree._Element) -> str:
    """The text of an element, its white space made single."""
    return " ".join("".join(element.itertext()).split())


def drop(element: etree._Element) -> None:
    """Take an element out of its tree, and leave the text after it."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
        element.tail = None
    parent.remove(element)


def _is_dropped(element: etree._Element) -> bool:
    if not isinstance(element.tag, str):
        return True  # a comment
    if element.tag in _CONTROLS:
        return next(element.iterancestors("svg"), None) is None or element.tag == "script"
    if element.tag == "details":  # folded code; what folds below a figure
        return "hide" in classes(element) or next(element.iterancestors("figure"), None) is not None
    if element.tag == "a" and "download" in element.attrib and "download" not in classes(element):
        return True
    return bool(_WEB_ONLY & classes(element))


def _choose_drawings(body: etree._Element, site: Path, name: str, narrow: bool) -> None:
    """Keep one drawing per figure; one that the page loads from a file comes into the text."""
    wanted, other = ("tb-narrow", "tb-wide") if narrow else ("tb-wide", "tb-narrow")
    for figure in body.xpath('.//figure[contains(@class, "tb-figure")]'):
        plots = [e for e in figure.iter("div") if "tb-plot" in classes(e)]
        if any(wanted in classes(plot) for plot in plots):
            for plot in plots:
                if other in classes(plot):
                    drop(plot)
        for image in list(figure.iter("img")):
            source = site.joinpath(posixpath.dirname(name), unquote(urlsplit(image.get("src", "")).path))
            if source.suffix == ".svg" and source.is_file():
                svg = lxml_html.fromstring(source.read_bytes())
                image.getparent().replace(image, svg if svg.tag == "svg" else svg.find(".//svg"))


def description(svg: etree._Element) -> str:
    """The alternative text of a drawing: its own, or that of the frame around it."""
    own = svg.get("aria-label") or (svg.findtext("title") or "")
    frames = (one.get("aria-label") for one in svg.iterancestors("div", "figure") if one.get("role") == "img")
    return " ".join((own or next(filter(None, frames), "")).split())


def mend_svg(svg: etree._Element) -> None:
    """Write a drawing so that every reader understands it: light colours, no style sheet, names as in SVG."""
    given = {
        "xmlns": "http://www.w3.org/2000/svg",
        "xmlns:xlink": "http://www.w3.org/1999/xlink",
        "font-family": "Tradebook Sans, Source Sans Pro, sans-serif",
        "stroke-linejoin": "round",  # what the style sheet of the pages, or matplotlib's own, says of all lines
        "stroke-linecap": "butt",
    }
    for name, value in given.items():
        svg.set(name, svg.get(name) or value)
    for part in [*svg.iter("style"), *svg.iter("title"), *svg.iter("metadata")]:
        drop(part)
    for element in svg.iter():
        if not isinstance(element.tag, str):
            continue
        element.tag = _SVG_NAMES.get(element.tag, element.tag)
        for kind in classes(element) & _VERDICT_COLOURS.keys():
            element.set("fill", _VERDICT_COLOURS[kind])
        for key, value in list(element.attrib.items()):
            if key in ("focusable", "aria-hidden", "class", "role", "aria-label") or key.startswith("data-"):
                del element.attrib[key]
                continue
            if "var(" in value:
                element.set(key, value := _VARIABLE.sub(r"\1", value))
            if key == "href":  # older readers know only this name
                del element.attrib[key]
                element.set("xlink:href", value)
            elif key in _SVG_NAMES:
                del element.attrib[key]
                element.set(_SVG_NAMES[key], value)


def _resolve_links(body: etree._Element, name: str, names: set[str]) -> None:
    for link in list(body.iter("a")):
        if next(link.iterancestors("svg"), None) is not None or "href" not in link.attrib:
            continue
        address = urlsplit(link.get("href"))
        if address.scheme or address.netloc:
            continue
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(address.path)))
        target = path.removesuffix(".html") if address.path else name
        if target in names:
            link.set("href", f"book:{target}#{unquote(address.fragment)}")
        elif any("tb-source" in classes(one) for one in link.iterancestors("p")):  # the data behind a figure
            drop(link)
        elif link.get("id"):  # something else may lead here
            del link.attrib["href"]
        elif _stands_alone(link):  # an invitation to go to a page that is not here
            line = link.getparent()
            drop(link)
            if not text_of(line):
                drop(line)
        else:
            link.drop_tag()


def _stands_alone(link: etree._Element) -> bool:
    """Whether the paragraph of a link is nothing but links."""
    line = link.getparent()
    rest = [line.text, *(one.tail for one in line)]
    return line.tag == "p" and all(one.tag == "a" for one in line) and not "".join(one or "" for one in rest).strip()


def _write_out_marks(body: etree._Element) -> None:
    """Put into the text what the style sheet of the pages writes: symbols of verdicts, “This case only”."""
    for element in body.iter("span"):
        symbol = next((SYMBOLS[one] for one in classes(element) if one in SYMBOLS), None)
        if symbol:
            element.text = f"{symbol} {element.text or ''}"
    for element in body.iter("div"):
        if "tb-case" in classes(element):
            note = etree.Element("p", {"class": "tb-case-note"})
            note.text = "This case only"
            element.insert(0, note)


def _tidy_source(line: etree._Element) -> None:
    """Take away the dots that stood between links, now gone, at the end of a source line."""
    last = line[-1] if len(line) else None
    text = (line.text if last is None else last.tail) or ""
    text = re.sub(r"[\s·]+$", "", text)
    if last is None:
        line.text = text
    else:
        last.tail = text


def audit_tables(body: etree._Element) -> Iterator[tuple[etree._Element, list[list[etree._Element]]]]:
    """The tables that list statements, each with the cells of its rows."""
    for table in body.iter("table"):
        rows = [list(row) for row in table.iterfind("tbody/tr")]
        if rows and all(row and row[0].find("a[@id]") is not None for row in rows):
            yield table, rows


def _list_statements_once(chapters: list[Chapter]) -> None:
    """Make a table that lists again what chapters before it list an index to these, and lead marks there as well."""
    listed: dict[str, str] = {}
    for chapter in chapters:
        for table, rows in list(audit_tables(chapter.body)):
            names = [row[0].find("a[@id]").get("id") for row in rows]
            if all(name in listed for name in names):
                _make_index(table, rows, listed)
            else:
                listed.update((name, chapter.name) for name in names if name not in listed)
    for chapter in chapters:
        for link in chapter.body.iter("a"):
            target, _, anchor = link.get("href", "").removeprefix("book:").partition("#")
            if anchor in listed and target in {one.name for one in chapters}:
                link.set("href", f"book:{listed[anchor]}#{anchor}")


def _make_index(table: etree._Element, rows: list[list[etree._Element]], listed: dict[str, str]) -> None:
    index = etree.Element("ul", {"class": "tb-index"})
    for head, verdict, *_ in rows:
        name = head.find("a[@id]").get("id")
        entry = etree.SubElement(index, "li")
        link = etree.SubElement(entry, "a", {"href": f"book:{listed[name]}#{name}"})
        link.text, link.tail = name, " "
        entry.append(verdict[0])
    table.getparent().replace(table, index)
    figure = next(index.iterancestors("figure"), None)
    subtitle = figure.find("figcaption/span") if figure is not None else None
    if subtitle is not None:
        subtitle.text = "Where each statement stands in its chapter, and its verdict"


def colophon(about: About, form: str) -> list[str]:
    """What a reader of an edition should know about it, in paragraphs."""
    return [
        f"{about.title}: {about.subtitle}. Version {about.version}, {about.date}. {about.rights}",
        f"This {form} has the text, figures, tables and results of the book's pages, as one run of its notebooks gave "
        "them. Three things are only on the pages and in the notebooks: code that is folded there, the tables to "
        "download behind each figure, and the controls to filter and sort. Each statement is set out once, in its "
        "chapter; the list of all statements is an index to these places.",
        "Who wants to check a number finds the notebooks, the data with their licences and the program of the book in "
        "its repository, and the same pages to open without a network in the zip of the book.",
    ]


def cover_svg(about: About) -> str:
    """The first page: title and names over the two lines of the book's sign, which mirror each other."""

    def lines(text: str, size: float, top: float, weight: int, colour: str, width: int) -> str:
        return "".join(
            f'<text x="24" y="{top + i * size * 1.12:.1f}" font-size="{size}" font-weight="{weight}" fill="{colour}">'
            f"{html.escape(line)}</text>"
            for i, line in enumerate(textwrap.wrap(text, width))
        )

    below = 52 + 16.8 * len(textwrap.wrap(about.title, 20))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 210 297" font-family="Source Sans Pro, sans-serif">'
        '<rect width="210" height="297" fill="#16283c"/>'
        f"{lines(about.title, 15, 52, 600, '#ffffff', 20)}{lines(about.subtitle, 7.5, below, 400, '#f2a37c', 44)}"
        '<path d="M24 200h162" stroke="#8fa3b5" stroke-width="0.7" stroke-dasharray="1.6 2.4"/>'
        '<g fill="none" stroke-width="3.2" stroke-linecap="round" stroke-linejoin="round">'
        '<path d="M26 232 56 221 82 213 104 200 130 178 152 168 184 148" stroke="#ffffff"/>'
        '<path d="M26 168 56 179 82 187 104 200 130 222 152 232 184 252" stroke="#f2854f"/></g>'
        f"{lines(', '.join(about.creators), 6, 276, 400, '#ffffff', 50)}"
        f'<text x="186" y="276" font-size="4.6" text-anchor="end" fill="#b9c6d2">Version {html.escape(about.version)}, '
        f"{about.year}</text></svg>"
    )


# --- building -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edition:
    """One thing to download."""

    file: str  # its name in the folder of the downloads
    title: str
    text: str


BOOK_PDF = Edition(
    "tradebook.pdf",
    "The book as PDF",
    "Typeset for A4, to print or to read on a large screen: contents and page numbers, figures as vectors, links, "
    "tags for screen readers.",
)
BOOK_EPUB = Edition(
    "tradebook.epub",
    "The book as EPUB",
    "For phones, tablets and e-readers: the text flows, formulas are MathML, every figure has an alternative text.",
)
PAGES_ZIP = Edition(
    "tradebook-pages.zip",
    "These pages in one file",
    "Unpack it and open index.html: search, figures and downloads work without a network.",
)
DATA_ZIP = Edition(
    "tradebook-data.zip",
    "The data package",
    "Every table with its description, source and licence, and the audited statements.",
)


def make_pdf(site: Path) -> Path:
    """Typeset the PDF into the built pages."""
    from tools.pdf import write_pdf

    target = site / FOLDER / BOOK_PDF.file
    write_pdf(target, read_chapters(site, narrow=False), about(), cover_svg(about()))
    return target


def make_epub(site: Path) -> Path:
    """Pack the EPUB into the built pages."""
    from tools.epub import write_epub
    from tools.pdf import render_cover

    target = site / FOLDER / BOOK_EPUB.file
    write_epub(target, site, read_chapters(site, narrow=True), about(), render_cover(cover_svg(about())))
    return target


def make_data_zip(site: Path) -> Path:
    """Pack the data package into the built pages."""
    from tools.package import data_members, write_zip

    target = site / FOLDER / DATA_ZIP.file
    write_zip(target, data_members())
    return target


def make_pages_zip(site: Path) -> Path:
    """Pack the built pages, without the other editions and without the Python that runs in a browser."""
    from tools.package import folder_members, write_zip

    target = site / FOLDER / PAGES_ZIP.file
    target.unlink(missing_ok=True)
    prefix = "tradebook"
    members = folder_members(site, prefix, without=["lite", FOLDER])
    for name, path in members.items():
        if name.endswith(".html") and b"lite/" in (content := path.read_bytes()):
            members[name] = _TO_LITE.sub(b"", content)
    page = site / f"{PAGE}.html"
    if page.is_file():
        members[f"{prefix}/{PAGE}.html"] = filled_page(page.read_text("utf-8"), site, []).encode()
    write_zip(target, members)
    return target


# A link to the Python that runs in a browser, with the note after it.
_TO_LITE = re.compile(
    rb'<a\b[^>]*\bhref="(?:\.\./)*lite/[^"]*"[^>]*>.*?</a>(?:\s*<span class="tb-run-note">.*?</span>)?', re.S
)


def make_all(site: Path, data_zip: Path | None = None) -> list[Path]:
    """Make every edition of the built pages and list them on their page; `data_zip` is one made of the same data."""
    made = [make_epub(site), make_pdf(site)]
    if (ROOT / "data" / "datapackage.json").is_file():  # a book without data has no archive of them
        if data_zip is not None and data_zip.is_file():
            made.append(Path(shutil.copy(data_zip, site / FOLDER / DATA_ZIP.file)))
        else:
            made.append(make_data_zip(site))
    made.append(make_pages_zip(site))
    list_editions(site)
    return made


_HEADING = re.compile(r"<h1\b.*?</h1>", re.S)


def list_editions(site: Path) -> None:
    """Write what there is to download, with sizes and checksums, on the page of the downloads."""
    page = site / f"{PAGE}.html"
    if page.is_file():
        there = [one for one in (BOOK_PDF, BOOK_EPUB, PAGES_ZIP, DATA_ZIP) if (site / FOLDER / one.file).is_file()]
        page.write_text(filled_page(page.read_text("utf-8"), site, there), "utf-8", newline="\n")


def filled_page(page: str, site: Path, editions: list[Edition]) -> str:
    """The page of the downloads with a list in its place, or in place of an earlier list."""
    up = "../" * PAGE.count("/")
    entries = []
    for one in editions:
        content = (site / FOLDER / one.file).read_bytes()
        entries.append(
            f'<dt><a href="{up}{FOLDER}/{one.file}" download="{one.file}">{html.escape(one.title)}</a> '
            f"({megabytes(len(content))})</dt><dd><p>{html.escape(one.text)}<br><small>SHA-256 "
            f'<code class="literal">{hashlib.sha256(content).hexdigest()}</code></small></p></dd>'
        )
    nothing = (
        "<p>This is the copy of the pages that opens without a network; the other editions are where you got it.</p>"
    )
    page = _fill(page, MARKER, f"<dl>{''.join(entries)}</dl>" if entries else nothing)
    entries = []
    for name, _ in contents():
        notebook = site / "_sources" / f"{name}.ipynb"
        if notebook.is_file():
            heading = _HEADING.search((site / f"{name}.html").read_text("utf-8"))[0]
            title = text_of(lxml_html.fragment_fromstring(heading)).removesuffix("#")
            entries.append(
                f'<li><p><a href="{up}_sources/{name}.ipynb" download="{notebook.name}">{html.escape(title)}</a> '
                f"({megabytes(notebook.stat().st_size)})</p></li>"
            )
    return _fill(page, MARKER_OF_NOTEBOOKS, f'<ul class="simple">{"".join(entries)}</ul>' if entries else "")


def _fill(page: str, marker: str, content: str) -> str:
    place = re.compile(rf'<div class="{marker}\b[^"]*">.*?</div>', re.S)
    return place.sub(lambda _: f'<div class="{marker}">{content}</div>', page, count=1) if content else page


def megabytes(size: int) -> str:
    """A size as a reader wants it."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.editions", description=__doc__)
    parser.add_argument("site", nargs="?", type=Path, default=BUILD / "html", help="default: _build/html")
    site = parser.parse_args(arguments).site
    try:
        for path in make_all(site):
            say(f"{path.name}: {megabytes(path.stat().st_size)}")
    except ToolError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
