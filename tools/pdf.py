"""The book as a PDF, typeset by Typst out of the built pages.

Typst comes as one package from the Python package index, so no browser and no TeX is needed. It sets drawings as
vectors, formulas in STIX Two Math and long tables with their head on every page; it tags the text (PDF/UA-1: headings,
lists, tables, alternative texts, reading order) and writes the same file for the same pages.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

from tools.editions import SYMBOLS, About, Chapter, audit_tables, classes, colophon, text_of
from tools.environment import ToolError, say

STYLE = Path(__file__).with_name("pdf.typ")

_BLOCKS = set("p div section ul ol dl table figure pre blockquote h1 h2 h3 h4 h5 h6 details hr svg article".split())
_WIDTH = 166  # millimetres from the left edge of the text to the right edge of the margin column
_PERCENT = re.compile(r"(?<=\d)[ \u2009\u202f]%")  # a number keeps its sign beside it
_LINKED_PAGES = {"std-ref", "std-doc", "doc"}  # references whose page number is printed


_WRAPS = {
    "em": "emph",
    "i": "emph",
    "cite": "emph",
    "strong": "strong",
    "b": "strong",
    "small": "remark",
    "sup": "super",
    "sub": "sub",
}


def write_pdf(target: Path, chapters: list[Chapter], about: About, cover: str) -> None:
    """Typeset the book; `cover` is its first page as SVG."""
    import typst

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copyfile(STYLE, work / "style.typ")
        (work / "cover.svg").write_text(cover, "utf-8")
        source = Typesetter(chapters, about, work).source()
        missing = {character for character in source if character.isprintable()} - known_characters()
        if missing:
            say(f"  no font of the PDF has {' '.join(sorted(missing))}: each is set as □")
            source = source.translate({ord(character): "\u25a1" for character in missing})
        (work / "book.typ").write_text(source, "utf-8")
        try:
            pdf = typst.compile(
                str(work / "book.typ"),
                root=str(work),
                font_paths=font_folders(),
                ignore_system_fonts=True,  # the same letters on every machine
                timestamp=datetime.fromtimestamp(about.epoch, UTC),
                pdf_standards=["ua-1"],
            )
        except RuntimeError as error:
            raise ToolError(f"Typst could not set the book: {error}") from error
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(pdf)


def render_cover(svg: str) -> bytes:
    """The cover as PNG, for the EPUB."""
    import typst

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "cover.svg").write_text(svg, "utf-8")
        (Path(folder) / "cover.typ").write_text(
            '#set page(width: 160mm, height: 226mm, margin: 0pt)\n#image("cover.svg", width: 100%)\n', "utf-8"
        )
        return typst.compile(
            str(Path(folder) / "cover.typ"),
            root=folder,
            font_paths=font_folders(),
            ignore_system_fonts=True,
            format="png",
            ppi=254,
        )


def font_folders() -> list[str]:
    """Folders of the fonts that installed packages carry."""
    installed = (("font_source_sans_pro", "files"), ("ziamath", "fonts"))  # only found, not imported
    found = [Path(find_spec(name).submodule_search_locations[0], folder) for name, folder in installed]
    return [str(folder) for folder in found]


@cache
def known_characters() -> set[str]:
    """The characters that the fonts of the text have."""
    names = ("SourceSansPro-Regular", "STIXTwoMath-Regular")
    return {chr(code) for name in names for code in _cmap(name)}


def _cmap(name: str) -> dict[int, str]:
    from fontTools.ttLib import TTFont

    path = next(path for folder in font_folders() for path in sorted(Path(folder).glob(f"{name}.[ot]tf")))
    return TTFont(path).getBestCmap()


def quoted(text: str) -> str:
    """A string in Typst's code."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def said(text: str) -> str:
    """Text in Typst's markup, nothing in it read as markup."""
    text = _PERCENT.sub("\u00a0%", text)
    return f"#{quoted(text)}" if text else ""


class Typesetter:
    """Writes the pages of the book as Typst markup."""

    def __init__(self, chapters: list[Chapter], about: About, work: Path) -> None:
        self.chapters = chapters
        self.about = about
        self.work = work
        self.chapter = chapters[0]
        self.drawings = 0
        self.aliases: dict[str, str] = {}  # names of a place, and the one that it has in the PDF
        self.wanted: set[str] = set()  # places that a link leads to
        self.set: set[str] = set()  # places that are written already
        self._survey()

    def _survey(self) -> None:
        for chapter in self.chapters:
            start = f"{chapter.name}#"
            self.aliases[start] = start
            for section in chapter.body.iter("section"):
                heading = next((one for one in section if re.fullmatch("h[1-6]", str(one.tag))), None)
                if heading is None:
                    continue
                own = start if heading.tag == "h1" else f"{chapter.name}#{section.get('id')}"
                for one in (section, *(s for s in section if s.tag == "span"), heading):
                    if one.get("id"):
                        self.aliases[f"{chapter.name}#{one.get('id')}"] = own
            for element in chapter.body.iter():
                if isinstance(element.tag, str) and element.get("id"):
                    place = f"{chapter.name}#{element.get('id')}"
                    self.aliases.setdefault(place, place)
            for link in chapter.body.iter("a"):
                if link.get("href", "").startswith("book:"):
                    self.wanted.add(link.get("href").removeprefix("book:"))
        self.wanted = {self.aliases.get(place, "") for place in self.wanted}

    def place(self, address: str) -> str:
        """The place that an address in the book means: that of the chapter if there is no such anchor."""
        return self.aliases.get(address, f"{address.partition('#')[0]}#")

    def source(self) -> str:
        """The whole book as Typst markup."""
        about, parts, part = self.about, [], None
        day = time.gmtime(about.epoch)
        parts.append(
            '#import "style.typ": *\n'
            f"#set document(title: {quoted(f'{about.title}: {about.subtitle}')}, "
            f"author: ({', '.join(map(quoted, about.creators))},), description: {quoted(about.description)}, "
            f"keywords: ({', '.join(map(quoted, about.keywords))},), "
            f"date: datetime(year: {day.tm_year}, month: {day.tm_mon}, day: {day.tm_mday}))\n"
            f"#show: book.with(title: {quoted(about.title)})\n"
            f'#cover-page(image("cover.svg", width: 210mm, height: 297mm, alt: {quoted(f"Cover: {about.title}")}))\n'
            f"#imprint[{self._paragraphs(colophon(about, 'PDF'))}]\n#contents()\n"
        )
        for chapter in self.chapters:
            self.chapter = chapter
            if chapter.part == "Appendices" and part != chapter.part:
                parts.append("#metadata(none)<appendices>")
            part = chapter.part
            body = self.flow(chapter.body)
            wide = chapter.stem == "data"  # seventy descriptions of tables, to look something up in
            body += "\n\n#place.flush()"  # figures of a chapter stay in it
            parts.append(f"#reference[\n{body}\n]" if wide else body)
        return self._only_to_places("\n\n".join(parts) + "\n")

    def _only_to_places(self, source: str) -> str:
        """Lead links to places that the edition leaves out (a cell of folded code) to their chapters."""

        def lead(match: re.Match[str]) -> str:
            place = match[1]
            return match[0] if place in self.set else f"#go({quoted(place.partition('#')[0] + '#')}"

        return re.sub(r'#go\("([^"]*)"', lead, source)

    @staticmethod
    def _paragraphs(texts: Iterable[str]) -> str:
        return "\n\n".join(map(said, texts))

    # --- blocks

    def flow(self, element: etree._Element) -> str:
        """The content of an element: paragraphs and blocks."""
        blocks: list[str] = []
        run: list[str] = [self.text(element.text)]

        def finish_run() -> None:
            line = _trimmed(run)
            if line:
                blocks.append(line)
            run.clear()

        for child in element:
            if not isinstance(child.tag, str):
                run.append(self.text(child.tail))
            elif child.tag in _BLOCKS:
                finish_run()
                block = self.block(child)
                if block:
                    blocks.append(block)
                run.append(self.text(child.tail))
            else:
                run.append(self.inline(child))
                run.append(self.text(child.tail))
        finish_run()
        return "\n\n".join(blocks)

    def block(self, element: etree._Element) -> str:
        """One block."""
        tag, kinds = element.tag, classes(element)
        if re.fullmatch("h[1-6]", tag):
            return self.heading(element)
        if tag in ("p", "div") and "admonition-title" in kinds:
            return ""  # set by the box
        anchor = "" if tag == "section" else self.anchor(element)
        if tag == "p":
            return anchor + self.paragraph(element)
        if tag in ("ul", "ol"):
            return anchor + self.list(element, kinds)
        if tag == "dl":
            return anchor + self.terms(element)
        if tag == "table":
            return anchor + self.table(element)
        if tag == "figure":
            return anchor + self.figure(element)
        if tag == "pre":
            return anchor + f"#listing({quoted(''.join(element.itertext()).rstrip())})"
        if tag == "blockquote":
            return anchor + f"#quote(block: true)[{self.flow(element)}]"
        if tag == "hr":
            return "#line(length: 100%)"
        if tag == "svg":
            return anchor + self.drawing(element)
        if tag == "div":
            return anchor + self.division(element, kinds)
        return anchor + self.flow(element)

    def division(self, element: etree._Element, kinds: set[str]) -> str:
        """A ``div``: its class says what it is."""
        if "tb-equation" in kinds:
            number = element.find("span")
            shown = element.find(".//math")
            label = quoted(text_of(number)) if number is not None else "none"
            return f"#shown({label}, {self.math(shown, True)})"
        if "admonition" in kinds:
            title = next((one for one in element.iter("p") if "admonition-title" in classes(one)), None)
            kind = next((one for one in ("tb-findings", "tb-objectives", "tb-fork") if one in kinds), "")
            kind = kind or next((one for one in ("exercise", "solution") if one in kinds), "note")
            head = self.inlines(title) if title is not None else ""
            return f"#box-of({quoted(kind)}, [{head}])[\n{self.flow(element)}\n]"
        if "tb-case" in kinds:
            note = element.find("p")
            body = self.flow_without(element, note)
            return f"#case-only[\n{body}\n]"
        if kinds & {"tb-card", "tb-finding", "tb-chapter"}:
            first = element.find("p")
            title = "" if first is None else self.inlines(first)
            return f"#card([{title}])[\n{self.flow_without(element, first)}\n]"
        if "tb-lead" in kinds:
            return f"#lead[{self.flow(element)}]"
        if "citation" in kinds:
            label = element.find("span")
            return f"#entry([{said(text_of(label))}])[{self.flow_without(element, label)}]"
        return self.flow(element)

    def flow_without(self, element: etree._Element, part: etree._Element | None) -> str:
        """The content of an element without one of its children."""
        if part is not None:
            part.getparent().remove(part)
        return self.flow(element)

    def heading(self, element: etree._Element) -> str:
        """A heading; the first of a page opens a chapter."""
        level = int(element.tag[1])
        body = self.inlines(element)
        section = element.getparent()
        own = f"{self.chapter.name}#{section.get('id')}"
        if level == 1:
            number, dot, title = text_of(element).partition(" · ")
            front = not self.chapter.part
            if front:
                body = said("About this book")
            elif dot:
                body = f"#chapter-number({quoted(number)}){said(title)}"
            own = f"{self.chapter.name}#"
        own = self.aliases.get(own, own)
        self.set.add(own)
        opening = "#new-chapter()\n" if level == 1 else ""
        return f"{opening}#heading(level: {level})[{body}]#label({quoted(own)})"

    def paragraph(self, element: etree._Element) -> str:
        """A paragraph, with the marks of statements beside it."""
        marks = [one for one in element.iter("span") if "tb-mark" in classes(one)]
        chips = []
        for mark in marks:
            chips += [self.inline(link) for link in mark.iter("a")]
            parent, tail = mark.getparent(), mark.tail or ""
            before = mark.getprevious()
            if before is None:
                parent.text = (parent.text or "").rstrip() + tail
            else:
                before.tail = (before.tail or "").rstrip() + tail
            mark.tail = None
            parent.remove(mark)
        line = self.inlines(element)
        kinds = classes(element)
        if chips:
            return f"#marked([{line}], ({', '.join(f'[{chip}]' for chip in chips)},))"
        if "tb-source" in kinds and line:
            return f"#source-line[{line}]"
        return line

    def list(self, element: etree._Element, kinds: set[str]) -> str:
        """A list; the index of statements is one in columns."""
        if "tb-index" in kinds:
            entries = []
            for item in element.iterfind("li"):
                link = item.find("a")
                verdict = next(iter(item.iter("span")))
                colour = next((one for one in classes(verdict) if one in SYMBOLS), "")
                place = self.place(link.get("href").removeprefix("book:"))
                entries.append(
                    f"({quoted(text_of(link))}, {quoted(colour)}, {quoted(SYMBOLS.get(colour, ''))}, {quoted(place)})"
                )
            return f"#statement-index(({', '.join(entries)},))"
        items = ", ".join(f"[{self.anchor(item)}{self.flow(item)}]" for item in element.iterfind("li"))
        if element.tag == "ol":
            return f"#enum(start: {element.get('start', '1')}, {items})"
        return f"#list({items})"

    def terms(self, element: etree._Element) -> str:
        """A list of terms and what they mean."""
        items: list[str] = []
        names: list[str] = []  # several terms may share a meaning
        for child in element:
            if child.tag == "dt":
                names.append(self.anchor(child) + self.inlines(child))
            elif child.tag == "dd":
                items.append(f"terms.item([{said(', ').join(names)}], [{self.flow(child)}])")
                names = []
        return f"#terms({', '.join(items)})" if items else ""

    def figure(self, element: etree._Element) -> str:
        """A figure or table with its heading."""
        caption = element.find("figcaption")
        title, subtitle = caption.find("strong"), caption.find("span")
        head = f"[{self.inlines(title)}], [{self.inlines(subtitle) if subtitle is not None else ''}]"
        body = self.flow_without(element, caption)
        kind = "plate" if next(element.iter("svg"), None) is not None else "exhibit"
        return f"#{kind}({head})[\n{body}\n]"

    def drawing(self, svg: etree._Element) -> str:
        """A drawing, from a file of its own."""
        self.drawings += 1
        path = self.work / f"drawing-{self.drawings:03}.svg"
        label = svg.get("aria-label")
        path.write_text(etree.tostring(svg, encoding="unicode", with_tail=False), "utf-8")
        frames = set().union(*(classes(one) for one in svg.iterancestors("div")))
        size = ", width: 62mm" if "tb-small" in frames else ", height: 4mm" if "tb-bar" in frames else ""
        return f"#drawing({quoted(path.name)}, {quoted(label)}{size})"

    def table(self, element: etree._Element) -> str:
        """A table: as wide as it must be, in smaller type when it has many columns, its head on every page."""
        head = [list(row) for row in element.iterfind("thead/tr")]
        rows = [list(row) for row in element.iterfind("tbody/tr")]
        number = max(map(len, [*head, *rows]))
        audit = any(table is element for table, _ in audit_tables(element.getparent()))
        size, columns = _AUDIT if audit else _measures(head, rows, number)
        numeric = [
            sum("num" in classes(row[i]) or "text-right" in classes(row[i]) for row in rows if i < len(row))
            > len(rows) / 2
            or ("dataframe" in classes(element) and i > 0 and _all_numbers(rows, i))
            for i in range(number)
        ]
        align = ", ".join("right" if one else "left" for one in numeric)
        parts = []
        if head:
            cells = "".join(f"[{self.cell(cell)}], " for row in head for cell in row)
            parts.append(f"table.header({cells})")
        for row in rows:
            cells = [f"[{self.cell(cell)}]" for cell in row]
            cells += ["[]"] * (number - len(row))
            parts.append(", ".join(cells))
        inner = ",\n".join(parts)
        return f"#grid-of({size}pt, ({', '.join(columns)},), ({align},))(\n{inner}\n)"

    def cell(self, element: etree._Element) -> str:
        """What stands in a cell."""
        return self.anchor(element) + self.flow(element)

    # --- lines

    def anchor(self, element: etree._Element) -> str:
        """A place to link to, where a link wants one."""
        place = f"{self.chapter.name}#{element.get('id')}" if element.get("id") else ""
        if not place or place not in self.wanted or place in self.set or self.aliases[place] != place:
            return ""
        self.set.add(place)
        return f"#metadata(none)#label({quoted(place)})"

    def text(self, text: str | None) -> str:
        """A stretch of text, its white space made single."""
        return said(re.sub(r"[ \t\r\n]+", " ", text)) if text else ""

    def inlines(self, element: etree._Element) -> str:
        """The content of a line."""
        parts = [self.text(element.text)]
        for child in element:
            if isinstance(child.tag, str):
                parts.append(self.inline(child))
            parts.append(self.text(child.tail))
        return _trimmed(parts)

    def inline(self, element: etree._Element) -> str:
        """One element of a line."""
        tag, kinds = element.tag, classes(element)
        if tag == "br":
            return "#linebreak()"
        if tag == "math":
            return f"#{self.math(element, False)}"
        if tag in ("code", "kbd", "samp"):
            return self.anchor(element) + f"#code-in-line({quoted(text_of(element))})"
        anchor = self.anchor(element)
        if tag in _BLOCKS:  # a block within a line
            return anchor + self.block(element)
        body = self._inner(element)
        if tag == "a":
            return anchor + self.link(element, body)
        colour = next((one for one in kinds if one in SYMBOLS), "")
        if colour:
            return f"{anchor}#verdict({quoted(colour)})[{body}]"
        wrap = _WRAPS.get(tag)
        return f"{anchor}#{wrap}[{body}]" if wrap and body else anchor + body

    def _inner(self, element: etree._Element) -> str:
        parts = [self.text(element.text)]
        for child in element:
            if isinstance(child.tag, str):
                parts.append(self.inline(child))
            parts.append(self.text(child.tail))
        return "".join(parts)

    def link(self, element: etree._Element, body: str) -> str:
        """A link; one to another chapter says the page, one to another site its address."""
        address = element.get("href", "")
        if not address or not body:
            return body
        if address.startswith("book:"):
            place = self.place(address.removeprefix("book:"))
            page = any(_LINKED_PAGES & classes(one) for one in element.iter("span"))
            page = page and place.partition("#")[0] != self.chapter.name and not self.in_table(element)
            return f"#go({quoted(place)}{', page: true' if page else ''})[{body}]"
        plain = text_of(element)
        printed = plain in address or plain.startswith(("doi:", "http", "www.")) or self.in_table(element)
        note = "" if printed or self.chapter.stem in ("bibliography", "data") else f"#address({quoted(address)})"
        return f"#link({quoted(address)})[{body}]{note}"

    @staticmethod
    def in_table(element: etree._Element) -> bool:
        """Whether it stands in a table or a heading, where a note would not fit."""
        return next(element.iterancestors("table", "figcaption", "h1", "h2", "h3"), None) is not None

    def math(self, element: etree._Element, display: bool) -> str:
        """A formula, without the leading ``#``."""
        alt = element.get("alttext") or text_of(element)
        return f"math.equation(block: {str(display).lower()}, alt: {quoted(alt)}, ${formula(element)}$)"


def _trimmed(parts: list[str]) -> str:
    """A line without white space at its ends."""
    parts = [part for part in parts if part]
    while parts and parts[0] in ('#" "',):
        parts.pop(0)
    while parts and parts[-1] in ('#" "',):
        parts.pop()
    if parts and parts[0].startswith('#" '):
        parts[0] = '#"' + parts[0][3:]
    if parts and parts[-1].endswith(' "') and parts[-1].startswith('#"'):
        parts[-1] = parts[-1][:-2] + '"'
    return "".join(parts)


# --- tables -----------------------------------------------------------------------------------------

_AUDIT = (7.5, ["26mm", "22mm", "1fr", "20mm", "17mm"])
_SIZES = (8.5, 8, 7.5, 7, 6.5, 6)
_GAP = 3.2  # millimetres beside the text of a cell


def _measures(
    head: list[list[etree._Element]], rows: list[list[etree._Element]], number: int
) -> tuple[float, list[str]]:
    """Size of type and widths of columns, so that no word is wider than its column."""

    def widths(i: int, breaks: bool) -> float:
        """Width of the longest text of a column, or of its longest word, in millimetres at one point of type."""
        cells = [row[i] for row in (*head, *rows) if i < len(row)]
        return max(
            (
                _length(part) * (1.25 if cell.find(".//code") is not None else 1.07 if cell.tag == "th" else 1.0)
                for cell in cells
                for part in (text_of(cell).split() if breaks else _lines(cell))
            ),
            default=1.0,
        )

    natural_at_1 = [widths(i, False) for i in range(number)]
    needed_at_1 = [widths(i, True) for i in range(number)]
    for size in _SIZES:
        natural = [width * size + _GAP for width in natural_at_1]
        needed = [width * size + _GAP for width in needed_at_1]
        if sum(natural) <= _WIDTH:
            return size, ["auto"] * number
        if sum(needed) <= _WIDTH or size == _SIZES[-1]:
            break
    # Each column gets its longest word; what is left goes to the columns of long texts.
    room = _WIDTH - sum(needed)
    wish = [min(more - least, 180) for more, least in zip(natural, needed, strict=True)]
    short = {i for i in range(number) if wish[i] <= 12}
    if sum(wish[i] for i in short) < room / 2:
        room -= sum(wish[i] for i in short)
    else:
        short = set()
    shares = [0 if i in short else wish[i] ** 0.7 for i in range(number)]
    total = sum(shares) or 1
    found = [
        needed[i] + (wish[i] if i in short else min(wish[i], max(room, 0) * shares[i] / total)) for i in range(number)
    ]
    return size, [f"{width:.1f}mm" for width in found]


def _lines(cell: etree._Element) -> list[str]:
    """The lines of a cell: what stands between breaks."""
    parts = [[cell.text or ""]]
    for child in cell:
        if child.tag in ("br", "small", "p", "li"):
            parts.append([])
        parts[-1] += ["".join(child.itertext()), child.tail or ""]
    return [" ".join("".join(part).split()) for part in parts]


@cache
def _advances() -> tuple[dict[int, int], int]:
    from fontTools.ttLib import TTFont

    font = TTFont(Path(font_folders()[0]) / "SourceSansPro-Regular.ttf")
    widths = font["hmtx"]
    return {code: widths[name][0] for code, name in font.getBestCmap().items()}, font["head"].unitsPerEm


def _length(text: str) -> float:
    """Width of a text in Source Sans Pro, in millimetres at one point of type."""
    advances, unit = _advances()
    return sum(advances.get(ord(character), unit * 0.6) for character in text) / unit * 0.3528


def _all_numbers(rows: list[list[etree._Element]], i: int) -> bool:
    found = [text_of(row[i]) for row in rows if i < len(row) and text_of(row[i])]
    return bool(found) and all(re.fullmatch(r"[-−+]?[\d,.]+ ?%?|NaN|nan|–", text) for text in found)


# --- formulas ---------------------------------------------------------------------------------------

_ACCENTS = {
    "‾": "overline",
    "¯": "overline",
    "^": "hat",
    "̂": "hat",
    "~": "tilde",
    "˜": "tilde",
    "→": "arrow",
    "˙": "dot",
}


def formula(element: etree._Element) -> str:
    """MathML in Typst's notation."""
    tag = str(element.tag).rpartition("}")[2]
    children = [child for child in element if isinstance(child.tag, str)]
    inner = [formula(child) for child in children]
    text = element.text or ""
    if tag == "mi":
        plain = len(text) > 1 or element.get("mathvariant") == "normal"
        return f"upright({quoted(text)})" if plain else _symbol(text)
    if tag == "mn":
        return quoted(text) if not text.isdigit() else text
    if tag in ("mtext", "ms"):
        return quoted(text)
    if tag == "mo":
        return _symbol(text)
    if tag == "mspace":
        return f"#h({element.get('width', '0em')})"
    if tag == "mfrac":
        return f"frac({inner[0]}, {inner[1]})"
    if tag == "msqrt":
        return f"sqrt({' '.join(inner)})"
    if tag == "mroot":
        return f"root({inner[1]}, {inner[0]})"
    if tag == "msub":
        return f"attach({inner[0]}, br: {inner[1]})"
    if tag == "msup":
        return f"attach({inner[0]}, tr: {inner[1]})"
    if tag == "msubsup":
        return f"attach({inner[0]}, br: {inner[1]}, tr: {inner[2]})"
    if tag in ("mover", "munder", "munderover"):
        return _over_and_under(tag, children, inner)
    if tag == "mtable":
        cells = [[formula(cell) for cell in row] for row in children]
        return f"mat(delim: #none, {'; '.join(', '.join(row) for row in cells)})"
    return _row(children, inner)


def _over_and_under(tag: str, children: list[etree._Element], inner: list[str]) -> str:
    mark = (children[1].text or "").strip()
    if tag == "mover" and mark in _ACCENTS:
        return f"{_ACCENTS[mark]}({inner[0]})"
    if tag == "munder" and mark == "⏟":
        return f"underbrace({inner[0]})"
    if tag == "munder" and children[0].tag == "munder" and (children[0][1].text or "").strip() == "⏟":
        return f"underbrace({formula(children[0][0])}, {inner[1]})"
    parts = {"mover": ("t",), "munder": ("b",), "munderover": ("b", "t")}[tag]
    places = ", ".join(f"{place}: {text}" for place, text in zip(parts, inner[1:], strict=True))
    return f"attach(limits({inner[0]}), {places})"


def _row(children: list[etree._Element], inner: list[str]) -> str:
    fences = [i for i, child in enumerate(children) if child.tag == "mo" and child.get("stretchy") == "true"]
    if len(fences) == 2 and fences == [0, len(children) - 1]:
        left, right = (children[i].text or "" for i in fences)
        middle = " ".join(inner[1:-1])
        if (left, right) == ("(", ")"):
            return f"lr(( {middle} ))"
        if (left, right) == ("|", "|"):
            return f"abs({middle})"
    return " ".join(inner)


def _symbol(text: str) -> str:
    """A letter or sign that Typst reads as nothing else."""
    return f"\\{text}" if len(text) == 1 and text.isascii() and not text.isalnum() else text
