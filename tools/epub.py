"""The book as an EPUB 3: text that flows, formulas as MathML, drawings as SVG, no script, nothing fetched.

It is packed here, out of the built pages, and not by Sphinx's own builder: that one would need a second run over all
notebooks with a configuration of its own, and would write each figure twice and tables wider than a reader's screen.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from html import escape
from pathlib import Path

from lxml import etree

from tools.editions import (
    About,
    Chapter,
    audit_tables,
    colophon,
    text_of,
)
from tools.package import write_zip

_PIECE = 150_000  # characters per file; readers become slow with much larger ones
_NARROW = 44  # characters that fit side by side on a phone or a small e-reader
_KEPT = set("id href class alt src lang scope colspan rowspan start value type alttext display aria-label role".split())
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")
_REFERENCE = re.compile(r"#([^\s\")]+)")

_CSS = """\
@font-face { font-family: "Tradebook Sans"; font-weight: 400; src: url("fonts/tradebook-sans-400.woff2"); }
@font-face { font-family: "Tradebook Sans"; font-weight: 400; font-style: italic;
  src: url("fonts/tradebook-sans-400-italic.woff2"); }
@font-face { font-family: "Tradebook Sans"; font-weight: 600; src: url("fonts/tradebook-sans-600.woff2"); }
@font-face { font-family: "Tradebook Math"; src: url("fonts/tradebook-math.woff2"); }
body { margin: 0 1em; line-height: 1.45; widows: 2; orphans: 2; }
h1, h2, h3, h4, figcaption, table, .tb-source, .tb-statement, .tb-index, .tb-row, svg text {
  font-family: "Tradebook Sans", sans-serif; }
h1, h2, h3, h4 { line-height: 1.2; font-weight: 600; break-after: avoid; page-break-after: avoid; text-align: left;
  hyphens: none; -webkit-hyphens: none; }
h1 { margin: 1.5em 0 1em; font-size: 1.7em; }
h2 { margin: 1.8em 0 0.6em; font-size: 1.3em; }
h3, h4 { margin: 1.4em 0 0.4em; font-size: 1.1em; }
p { margin: 0 0 0.7em; }
a { color: #1d55ab; text-decoration: none; }
math { font-family: "Tradebook Math", "STIX Two Math", math; }
code, pre { font-family: monospace; font-size: 0.85em; }
code { overflow-wrap: anywhere; }
pre { margin: 0.8em 0; padding-left: 0.7em; border-left: 2px solid #8b949f; white-space: pre-wrap;
  overflow-wrap: anywhere; line-height: 1.35; font-size: 0.75em; }
blockquote { margin: 0.8em 1.2em; }
figure { margin: 1.5em 0; padding-top: 0.5em; border-top: 2px solid #1b2733; }
figure.tb-figure { break-inside: avoid; page-break-inside: avoid; }
figcaption { margin-bottom: 0.6em; text-align: left; }
figcaption strong, figcaption span { display: block; line-height: 1.3; }
figcaption span, .tb-source, small, .tb-case-note, .tb-label { font-size: 0.85em; color: #56636f; }
.tb-bar svg { display: block; width: 100%; height: 1.2em; }
.tb-plot svg { display: block; width: 100%; height: auto; max-width: 30em; margin: 0 auto; }
.tb-source { margin-top: 0.5em; text-align: left; }
table { border-collapse: collapse; width: 100%; font-size: 0.8em; line-height: 1.3; }
th, td { padding: 0.3em 0.6em 0.3em 0; border-bottom: 1px solid #d9dee3; text-align: left; vertical-align: top;
  font-weight: 400; hyphens: none; -webkit-hyphens: none; }
thead th { font-weight: 600; vertical-align: bottom; border-bottom: 1px solid #56636f; }
td p, th p, dd p, li p { margin: 0; }
.num { text-align: right; }
.tb-row, .tb-statement { margin: 0 0 0.8em; padding-bottom: 0.6em; border-bottom: 1px solid #d9dee3; font-size: 0.85em;
  line-height: 1.35; text-align: left; break-inside: avoid; page-break-inside: avoid; }
.tb-row p, .tb-statement p { margin: 0; }
.tb-row small, .tb-statement small { display: block; }
.tb-row-name { font-weight: 600; }
.tb-verdict { font-weight: 600; }
.tb-confirmed { color: #0b6151; }
.tb-approximately-right { color: #1d7d9f; }
.tb-depends { color: #5f4700; }
.tb-contradicted { color: #c65016; }
.tb-inconsistent { color: #b21c65; }
.tb-not-checkable { color: #68727c; }
.tb-mark { font-size: 0.75em; }
.tb-index { padding: 0; list-style: none; font-size: 0.85em; }
.tb-equation { margin: 1em 0; overflow-x: auto; text-align: center; }
.admonition { margin: 1.2em 0; padding: 0.6em 0.9em; border: 1px solid #d9dee3; border-left: 4px solid #2961be; }
.admonition-title { font-family: "Tradebook Sans", sans-serif; font-weight: 600; }
.tb-case { margin: 1em 0; padding-left: 0.8em; border-left: 3px dotted #8b949f; }
.tb-small svg { max-width: 20em; margin: 0; }
.tb-card, .tb-finding, .tb-chapter { margin: 1em 0; padding: 0.2em 0 0 0.9em; border-left: 4px solid #8b949f; }
.tb-card > p:first-child, .tb-finding > p:first-child, .tb-lead { font-weight: 600; }
.citation { margin-bottom: 0.7em; }
.citation p { display: inline; margin-left: 0.4em; }
dt { font-weight: 600; margin-top: 0.6em; break-after: avoid; page-break-after: avoid; }
dd { margin: 0 0 0 1.2em; }
.tb-cover { margin: 0; text-align: center; }
.tb-cover img { max-width: 100%; max-height: 100vh; }
nav ol { list-style: none; padding-left: 1.1em; }
nav > ol { padding-left: 0; }
"""


def write_epub(target: Path, site: Path, chapters: list[Chapter], about: About, cover: bytes) -> None:
    """Write the EPUB."""
    pieces = [(chapter, list(_pieces(chapter))) for chapter in chapters]
    places = {
        (chapter.name, anchor): (file, anchor)
        for chapter, files in pieces
        for file, nodes in files
        for node in nodes
        for anchor in [one.get("id") for one in node.iter() if isinstance(one.tag, str) and one.get("id")]
    }
    starts = {chapter.name: files[0][0] for chapter, files in pieces}
    members: dict[str, Path | bytes] = {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": _CONTAINER.encode(),
        "OEBPS/style.css": _CSS.encode(),
        "OEBPS/cover.png": cover,
        "OEBPS/cover.xhtml": _page(
            "Cover",
            f'<section epub:type="cover" class="tb-cover"><img src="cover.png" alt="{escape(about.title)}"/></section>',
            about,
        ),
    }
    for font in sorted((site / "_static" / "fonts").glob("tradebook-*.woff2")):
        members[f"OEBPS/fonts/{font.name}"] = font
    licence = site / "_static" / "fonts" / "LICENSE.txt"
    if licence.is_file():
        members["OEBPS/fonts/LICENSE.txt"] = licence
    spine = ["cover.xhtml", "nav.xhtml"]
    for chapter, files in pieces:
        for number, (file, nodes) in enumerate(files):
            for node in nodes:
                _finish(node, chapter, file, places, starts)
            kind = "appendix" if chapter.part == "Appendices" else "chapter"
            inner = "".join(map(_serialise, nodes))
            opening = f'<section epub:type="{kind}" role="doc-{kind}">' if number == 0 else "<section>"
            members[f"OEBPS/{file}"] = _page(chapter.title, f"{opening}{inner}</section>", about)
            spine.append(file)
    members["OEBPS/colophon.xhtml"] = _page(
        "About this edition",
        '<section epub:type="colophon"><h1>About this edition</h1>'
        + "".join(f"<p>{escape(text)}</p>" for text in colophon(about, "EPUB"))
        + "</section>",
        about,
    )
    spine.append("colophon.xhtml")
    members["OEBPS/nav.xhtml"] = _navigation(pieces, about)
    members["OEBPS/content.opf"] = _package(members, spine, about)
    write_zip(target, members, first=["mimetype"])


# --- files ------------------------------------------------------------------------------------------


def _pieces(chapter: Chapter) -> Iterator[tuple[str, list[etree._Element]]]:
    """The chapter in files of a readable size, cut where a section begins."""
    for table, rows in list(audit_tables(chapter.body)):
        _stack_statements(table, rows)
    for table in list(chapter.body.iter("table")):
        _fit_table(table)
    for svg in chapter.body.iter("svg"):
        _drop_names(svg)
    root = chapter.body.find("section")
    opening = [node for node in root if node.tag != "section"]
    opening = [*(node for node in chapter.body if node is not root), *opening]
    groups, size = [opening], sum(map(_length, opening))
    for section in root.findall("section"):
        length = _length(section)
        if size + length > _PIECE and groups[-1]:
            groups.append([])
            size = 0
        groups[-1].append(section)
        size += length
    if root.get("id"):  # links to the chapter itself
        groups[0][0].set("id", groups[0][0].get("id") or root.get("id"))
    for number, nodes in enumerate(groups):
        yield f"{chapter.stem}{f'-{number + 1}' if number else ''}.xhtml", nodes


def _length(node: etree._Element) -> int:
    return len(etree.tostring(node, encoding="unicode"))


def _finish(
    node: etree._Element,
    chapter: Chapter,
    file: str,
    places: dict[tuple[str, str], tuple[str, str]],
    starts: dict[str, str],
) -> None:
    """Turn links into links between files of the EPUB, and keep only attributes that EPUB knows."""
    for element in list(node.iter()):
        if next(element.iterancestors("svg", "math"), None) is not None or element.tag in ("svg", "math"):
            continue
        href = element.get("href", "")
        if href.startswith("book:"):
            name, _, anchor = href.removeprefix("book:").partition("#")
            path, anchor = places.get((name, anchor), (starts[name], ""))
            element.set("href", f"{'' if path == file and anchor else path}{f'#{_id(anchor)}' if anchor else ''}")
        for key in list(element.attrib):
            if key not in _KEPT:
                del element.attrib[key]
        if element.get("id"):
            element.set("id", _id(element.get("id")))
        if element.tag == "div" and element.get("role") in ("img", "region"):
            element.attrib.pop("role")
            element.attrib.pop("aria-label", None)


def _id(name: str) -> str:
    """A name as XML wants one."""
    name = _UNSAFE.sub("-", name)
    return name if name[0].isalpha() or name[0] == "_" else f"n-{name}"


def _serialise(node: etree._Element) -> str:
    return etree.tostring(node, encoding="unicode", method="xml")


def _page(title: str, body: str, about: About) -> bytes:
    """A content document; parsed once more, so that one that is not well formed never gets into the book."""
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">'
        f'<head><meta charset="UTF-8"/><title>{escape(title)}</title>'
        f'<link rel="stylesheet" type="text/css" href="style.css"/></head>\n<body>{body}</body></html>\n'
    ).encode()
    etree.fromstring(text)
    return text


# --- drawings and tables ----------------------------------------------------------------------------


def _drop_names(svg: etree._Element) -> None:
    """Take names off the parts of a drawing that nothing refers to."""
    svg.attrib.pop("version", None)
    used = {name for part in svg.iter() for value in part.attrib.values() for name in _REFERENCE.findall(value)}
    for part in svg.iter():
        if part.get("id") and part.get("id") not in used:
            del part.attrib["id"]


def _stack_statements(table: etree._Element, rows: list[list[etree._Element]]) -> None:
    """Set a list of statements as paragraphs: five columns do not fit a small screen."""
    listing = etree.Element("div")
    for head, verdict, statement, printed, recomputed, *_ in rows:
        item = etree.SubElement(listing, "div", {"class": "tb-statement"})
        first = etree.SubElement(item, "p")
        first.append(head.find("a[@id]"))
        first[0].attrib.pop("href", None)
        first[0].tail = " "
        first.append(verdict[0])
        for rest in head:  # where the text discusses it
            first.append(rest)
        second = etree.SubElement(item, "p")
        second.text = statement.text
        second.extend(list(statement))
        figures = [
            f"{name}: {text}"
            for name, text in (("Printed", text_of(printed)), ("Recomputed", text_of(recomputed)))
            if text not in ("", "–")
        ]
        if figures:
            etree.SubElement(item, "p").text = " · ".join(figures)
    table.getparent().replace(table, listing)


def _fit_table(table: etree._Element) -> None:
    """Set a table whose columns do not fit side by side row by row, each value with the head of its column."""
    head = table.find("thead/tr")
    rows = [list(row) for row in table.iterfind("tbody/tr")]
    if head is None or not rows or any(cell.get("colspan") or cell.get("rowspan") for cell in table.iter("th", "td")):
        return
    names = [text_of(cell) for cell in head]
    words = [
        max(
            (len(word) for row in rows for word in text_of(row[i]).split()),
            default=0,
        )
        for i in range(len(names))
    ]
    widths = [
        max(word, *(len(part) for part in name.split()), 0) if name else word
        for word, name in zip(words, names, strict=True)
    ]
    if sum(widths) + 2 * len(names) <= _NARROW:
        return
    listing = etree.Element("div")
    for row in rows:
        item = etree.SubElement(listing, "div", {"class": "tb-row"})
        for i, (title, cell) in enumerate(zip(head, row, strict=True)):
            if not text_of(cell):
                continue
            line = etree.SubElement(item, "p", {"class": "tb-row-name"} if i == 0 else {})
            if i and text_of(title):
                label = etree.SubElement(line, "span", {"class": "tb-label"})
                _move_inline(deepcopy(title), label)
                label.tail = ": "
            _move_inline(cell, line)
    table.getparent().replace(table, listing)


def _move_inline(cell: etree._Element, line: etree._Element) -> None:
    """Move what stands in a cell to the end of a line, paragraphs as parts of it."""
    text = cell.text or ""
    if len(line):
        line[-1].tail = (line[-1].tail or "") + text
    else:
        line.text = (line.text or "") + text
    for part in list(cell):
        if part.tag == "p":
            part.tag = "span"
        line.append(part)


# --- navigation and package -------------------------------------------------------------------------


def _navigation(pieces: list[tuple[Chapter, list[tuple[str, list[etree._Element]]]]], about: About) -> bytes:
    lines, part = [], ""
    for chapter, files in pieces:
        if chapter.part != part:
            lines.append(f"{'</ol></li>' if part else ''}<li><span>{escape(chapter.part)}</span><ol>")
            part = chapter.part
        sections = [
            f'<li><a href="{file}#{_id(section.get("id"))}">{escape(text_of(section.find("h2")))}</a></li>'
            for file, nodes in files
            for section in nodes
            if section.tag == "section" and section.get("id") and section.find("h2") is not None
        ]
        inner = f"<ol>{''.join(sections)}</ol>" if sections and chapter.part == "Chapters" else ""
        lines.append(f'<li><a href="{files[0][0]}">{escape(chapter.title)}</a>{inner}</li>')
    lines.append("</ol></li>" if part else "")
    lines.append('<li><a href="colophon.xhtml">About this edition</a></li>')
    first = pieces[0][1][0][0]
    body = (
        f'<nav epub:type="toc" role="doc-toc" id="toc"><h1>Contents</h1><ol>{"".join(lines)}</ol></nav>'
        '<nav epub:type="landmarks" id="landmarks" hidden="hidden"><h2>Landmarks</h2><ol>'
        '<li><a epub:type="cover" href="cover.xhtml">Cover</a></li>'
        '<li><a epub:type="toc" href="#toc">Contents</a></li>'
        f'<li><a epub:type="bodymatter" href="{first}">Start of the text</a></li></ol></nav>'
    )
    return _page("Contents", body, about)


_CONTAINER = """\
<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
_TYPES = {
    ".xhtml": "application/xhtml+xml",
    ".css": "text/css",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".txt": "text/plain",
}


def _package(members: Iterable[str], spine: list[str], about: About) -> bytes:
    items = []
    texts = {name.removeprefix("OEBPS/"): content for name, content in members.items() if name.startswith("OEBPS/")}
    for name in sorted(texts):
        suffix = posixpath.splitext(name)[1]
        content = texts[name] if suffix == ".xhtml" else b""
        properties = [
            *(["nav"] if name == "nav.xhtml" else []),
            *(["cover-image"] if name == "cover.png" else []),
            *(["svg"] if b"<svg" in content else []),
            *(["mathml"] if b"<math" in content else []),
        ]
        attribute = f' properties="{" ".join(properties)}"' if properties else ""
        items.append(f'<item id="{_item(name)}" href="{name}" media-type="{_TYPES[suffix]}"{attribute}/>')
    references = "".join(
        f'<itemref idref="{_item(name)}" linear="{"no" if name == "cover.xhtml" else "yes"}"/>' for name in spine
    )
    features = "structuralNavigation tableOfContents readingOrder alternativeText MathML displayTransformability"
    accessibility = [
        *(f'<meta property="schema:accessMode">{mode}</meta>' for mode in ("textual", "visual")),
        '<meta property="schema:accessModeSufficient">textual,visual</meta>',
        '<meta property="schema:accessModeSufficient">textual</meta>',
        *(f'<meta property="schema:accessibilityFeature">{one}</meta>' for one in features.split()),
        '<meta property="schema:accessibilityHazard">none</meta>',
        '<meta property="schema:accessibilitySummary">Every figure has an alternative text that says what it shows, '
        "formulas are MathML with their LaTeX source as alternative, headings and tables are marked up, and the "
        "reading order is that of the text. The numbers behind the figures are in the data package of the book.</meta>",
    ]
    modified = f"{about.date}T00:00:00Z"
    creators = "".join(
        f'<dc:creator id="creator-{i}">{escape(name)}</dc:creator>'
        f'<meta refines="#creator-{i}" property="role" scheme="marc:relators">aut</meta>'
        for i, name in enumerate(about.creators, 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="book-id" xml:lang="en" '
        'prefix="schema: http://schema.org/">\n'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f'<dc:identifier id="book-id">{escape(about.identifier)}</dc:identifier>\n'
        f'<dc:title id="title">{escape(about.title)}</dc:title>'
        '<meta refines="#title" property="title-type">main</meta>\n'
        f'<dc:title id="subtitle">{escape(about.subtitle)}</dc:title>'
        '<meta refines="#subtitle" property="title-type">subtitle</meta>\n'
        f"{creators}\n<dc:language>en</dc:language>\n<dc:date>{about.date}</dc:date>\n"
        f"<dc:description>{escape(about.description)}</dc:description>\n"
        f"<dc:rights>{escape(about.rights)}</dc:rights>\n"
        + "".join(f"<dc:subject>{escape(one)}</dc:subject>\n" for one in about.keywords)
        + f'<meta property="dcterms:modified">{modified}</meta>\n'
        + "\n".join(accessibility)
        + "\n</metadata>\n<manifest>\n"
        + "\n".join(items)
        + f"\n</manifest>\n<spine>{references}</spine>\n</package>\n"
    ).encode()


def _item(name: str) -> str:
    return f"item-{_UNSAFE.sub('-', name)}"
