"""Sphinx extension: what a reader can do with a figure or a table, in one line below it.

*Data* (CSV), *image* (SVG, PNG), *code* (unfolds the cell that made it) and *cite*. All of it is made out of the figure
that the notebook holds, while the page is written:

- The CSV starts with lines of ``#`` that name the figure, what is measured, units, sources and licences. They stay
  with the numbers wherever the file goes, which a second file beside it would not; ``#`` is also what the W3C's “CSV
  on the Web” takes for a comment. The last of these lines says how to read past them.
- The image stands alone: light colours, title, source and licence are drawn into it. `standalone` and `picture` make
  it; other tools may call them.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from zlib import crc32

import PIL
import resvg_py
from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from tb_cards import wrap
from tb_meta import Book, Page, apa, page_of, read_book
from tb_site import TEXT_FACES, font_source

INK, MUTED, PAPER = "#1b2733", "#56636f", "#ffffff"
FAMILY = "'Source Sans Pro', 'Source Sans 3', 'Segoe UI', Arial, sans-serif"
MARGIN = 18  # units of the drawing, which are points
WIDTH = 640  # of an image, in pixels of a screen; the PNG has twice as many
COLOURS = 128  # in a PNG: a drawing has few, the others are shades at its edges

_FIGURE = re.compile(r'<figure class="tb-(figure|table)" id="([^"]+)">.*?</figure>', re.DOTALL)
_TITLE = re.compile(
    r'<figcaption class="tb-head"><strong>((?:Figure|Table) \S+?)\. (.*?)</strong><span>(.*?)</span>', re.DOTALL
)
_DRAWING = re.compile(r'<div class="tb-plot tb-wide" role="img" aria-label="([^"]*)">(<svg\b.*?</svg>)', re.DOTALL)
_SOURCE = re.compile(r'<p class="tb-source">(.*?)</p>', re.DOTALL)
_CSV = re.compile(r'\s*<a class="tb-csv" download="([^"]+)" href="data:text/csv;base64,([^"]*)">[^<]*</a>')
_CELL = re.compile(r'(?=<div class="cell\b)')
_INPUT = re.compile(r'<div class="cell_input\b[^"]*"')
_VARIABLE = re.compile(r"var\(--tb-\w+, (#[0-9a-f]{6})\)")
_BOX = re.compile(r'\bviewBox="([-\d.]+) ([-\d.]+) ([\d.]+) ([\d.]+)"')
_SVG = "{http://www.w3.org/2000/svg}"


def plain(markup: str) -> str:
    """The text of a piece of HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", markup)).split())


@dataclass(frozen=True)
class Shown:
    """A figure or a table as a page shows it."""

    name: str  # fig-total-trade
    number: str  # Figure 2.1
    title: str
    measure: str  # what is measured, in which unit
    source: str
    alt: str = ""
    drawing: str = ""  # SVG; a table has none


def read_figure(markup: str) -> Shown | None:
    """Read the HTML of a figure or a table; None if it is not in the form of the book's."""
    name, title, source = _FIGURE.match(markup), _TITLE.search(markup), _SOURCE.search(markup)
    if not (name and title and source):
        return None
    drawing = _DRAWING.search(markup)
    return Shown(
        name=name[2],
        number=title[1],
        title=plain(title[2]),
        measure=plain(title[3]),
        source=plain(_CSV.sub("", source[1])),
        alt=html.unescape(drawing[1]) if drawing else "",
        drawing=drawing[2] if drawing else "",
    )


# --- image ---------------------------------------------------------------------------------------


def font_files() -> list[str]:
    """The files of the book's typeface, with which images are drawn whatever the machine has."""
    found = [font_source("font_source_sans_pro", f"files/SourceSansPro-{face}.ttf") for face in TEXT_FACES.values()]
    return [str(path) for path in found if path]


def balanced(text: str, face: str, size: float, width: float) -> list[str]:
    """Break a text into as few lines as fit this width, and make them about equally long."""
    lines = wrap(text, face, size, width, most=99)
    while len(lines) > 1 and len(narrower := wrap(text, face, size, width - size, most=99)) == len(lines):
        lines, width = narrower, width - size
    return lines


def light(drawing: str) -> str:
    """A drawing of a page with the colours of light mode in place of the page's variables, and with named fonts."""
    drawing = _VARIABLE.sub(r"\1", drawing)
    drawing = drawing.replace("'Tradebook Sans', 'Source Sans Pro', sans-serif", FAMILY)
    return re.sub(r"<defs>\s*<style\b.*?</style>\s*</defs>\s*", "", drawing, count=1, flags=re.DOTALL)


def standalone(shown: Shown, credit: str) -> str:
    """A figure as an SVG file of its own: title, measure, drawing, source and a line of credit, on white.

    Raises
    ------
    ValueError
        If the figure has no drawing.
    """
    if not (box := _BOX.search(shown.drawing)):
        raise ValueError(f"{shown.name} has no drawing to make an image of.")
    left, top, width, height = map(float, box.groups())
    inside = light(shown.drawing)
    inside = inside[inside.index(">") + 1 : inside.rindex("</svg>")].strip()

    texts, y = [], 16.0
    for words, size, face, colour in ((shown.title, 14, "Semibold", INK), (shown.measure, 10.5, "Regular", MUTED)):
        for line in balanced(words, face, size, width):
            y += size * 1.25
            texts.append(_text(line, y, size, colour, bold=face == "Semibold"))
    above = y + 10
    y = above + height + 8
    for words in (shown.source, credit):
        for line in wrap(words, "Regular", 8.5, width, most=99):
            y += 8.5 * 1.3
            texts.append(_text(line, y, 8.5, MUTED))
        y += 2
    whole, tall = width + 2 * MARGIN, y + 10
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{WIDTH}" height="{WIDTH * tall / whole:.0f}" viewBox="0 0 {whole:g} {tall:g}" role="img" '
        f'aria-labelledby="{shown.name}-title {shown.name}-alt">\n'
        f'<title id="{shown.name}-title">{html.escape(f"{shown.number}. {shown.title}", quote=False)}</title>\n'
        f'<desc id="{shown.name}-alt">{html.escape(shown.alt, quote=False)}</desc>\n'
        f'<rect width="{whole:g}" height="{tall:g}" fill="{PAPER}"/>\n'
        f'<rect x="{MARGIN}" y="12" width="{width:g}" height="1.5" fill="{INK}"/>\n'
        f'<g font-family="{FAMILY}">\n' + "\n".join(texts) + "\n</g>\n"
        f'<g transform="translate({MARGIN - left:g} {above - top:g})" stroke-linejoin="round" stroke-linecap="butt">\n'
        f"{inside}\n</g>\n</svg>\n"
    )


def _text(line: str, y: float, size: float, colour: str, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    words = html.escape(line, quote=False)
    return f'<text x="{MARGIN}" y="{y:.2f}" font-size="{size:g}"{weight} fill="{colour}">{words}</text>'


def picture(svg: str, width: int, colours: int = COLOURS, keep: Path | None = None) -> bytes:
    """Draw an SVG as a PNG of this width, with few colours; kept in the folder `keep` for the next build."""
    recipe = repr((version("resvg-py"), PIL.__version__, width, colours, svg))
    kept = keep / f"{hashlib.sha256(recipe.encode()).hexdigest()[:24]}.png" if keep else None
    if kept and kept.is_file():
        return kept.read_bytes()
    drawn = resvg_py.svg_to_bytes(
        svg_string=svg, width=width, background=PAPER, skip_system_fonts=True, font_files=font_files()
    )
    image = Image.open(io.BytesIO(bytes(drawn))).convert("RGB")
    image = image.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    if kept:
        keep.mkdir(parents=True, exist_ok=True)
        kept.with_suffix(".part").write_bytes(out.getvalue())
        kept.with_suffix(".part").replace(kept)
    return out.getvalue()


# --- data ----------------------------------------------------------------------------------------


def units(drawing: str) -> list[str]:
    """What stands at the axes of a drawing: the muted words that belong to no tick."""
    if not drawing:
        return []
    found: list[str] = []

    def collect(element: ElementTree.Element) -> None:
        if re.search(r"-[xy]tick_\d+$", element.get("id", "")):
            return
        style = element.get("style", "")
        if element.tag == f"{_SVG}text" and "font-size: 9.5px" in style and "var(--tb-muted," in style:
            found.append(" ".join("".join(element.itertext()).split()))
        for child in element:
            collect(child)

    collect(ElementTree.fromstring(drawing))
    return list(dict.fromkeys(found))


def with_header(text: str, shown: Shown, credit: str) -> str:
    """The data of a figure with what a reader must know of them in front, each line behind ``#``."""
    lines = text.splitlines(keepends=True)
    stored = [line.rstrip("\n") for line in lines if line.startswith("#")]
    head = [f"{shown.number}. {shown.title}", f"Measured: {shown.measure}"]
    head += [f"Unit: {'; '.join(axes)}"] if (axes := units(shown.drawing)) else []
    head += [line.removeprefix("# ") for line in stored if line.startswith(("# Source:", "# Licence:"))]
    head += [
        f"From: {credit}",
        "An empty cell means: not reported. Lines with # are no data: "
        'pandas.read_csv(file, comment="#") in Python, read.csv(file, comment.char = "#") in R.',
    ]
    return "".join(f"# {line}\n" for line in head) + "".join(line for line in lines if not line.startswith("#"))


# --- page ----------------------------------------------------------------------------------------


def citation(shown: Shown, book: Book, page: Page) -> str:
    """How to cite a figure or a table: like a chapter, under its own title and address, with the source of the data."""
    address = f"{page.address}#{shown.name}" if page.address else ""
    own = replace(page, title=f"{shown.title} [{shown.number}]", is_root=False, address=address)
    source = shown.source[shown.source.index("Source: ") :] if "Source: " in shown.source else ""
    return f"{''.join(apa(book, own))} {source}".strip()


def tool_line(shown: Shown, data: str, images: dict[str, str], code: str, cite: str) -> str:
    """The line of links below a figure; `data` is a whole link, `images` and `code` are addresses."""
    parts = [data] if data else []
    for kind, address in images.items():
        file = f"{shown.name}.{kind.lower()}"
        parts.append(f'<a download="{file}" href="{html.escape(address)}">Image ({kind})</a>')
    if code:
        parts.append(f'<a class="tb-code" href="#{code}">Code</a>')
    parts.append(
        # The script adds the button that copies (_static/navigate.js).
        '<details class="tb-cite-this"><summary>Cite</summary>'
        f'<div><p class="tb-citation">{html.escape(cite, quote=False)}</p></div></details>'
    )
    # `tb-web`: of use in a browser only, so left out of the book as a file.
    return f'<div class="tb-tools tb-web" role="group" aria-label="{shown.number}: use it">{" · ".join(parts)}</div>'


def equip(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Write the images of a page's figures and put the line of links below each figure and table."""
    body = context.get("body")
    if app.builder.name not in ("html", "dirhtml", "singlehtml") or not body or '<figure class="tb-' not in body:
        return
    book, page = read_book(Path(app.srcdir, "CITATION.cff")), page_of(app, pagename)
    place = f"chapter {page.number}" if page.number else f"“{page.title}”"
    folder = PurePosixPath("_downloads") / PurePosixPath(pagename).name

    def link(markup: str, code: str) -> str:
        shown = read_figure(markup)
        if shown is None:  # not one of the notebooks' figures
            return markup
        address = f", {page.address}#{shown.name}" if page.address else ""
        credit = f"{shown.number} of “{book.title}” (version {book.version}), {place}{address}"
        data = ""
        if stored := _CSV.search(markup):
            text = with_header(base64.b64decode(stored[2]).decode(), shown, credit)
            payload = base64.b64encode(text.encode()).decode()
            data = f'<a class="tb-csv" download="{stored[1]}" href="data:text/csv;base64,{payload}">Data (CSV)</a>'
            markup = markup.replace(stored[0], "", 1)
        images = {}
        if shown.drawing:
            svg = standalone(shown, f"{credit}. Figure: CC BY 4.0.")
            png = picture(svg, 2 * WIDTH, keep=Path(app.doctreedir).parent / ".figures")
            for kind, content in (("SVG", svg.encode()), ("PNG", png)):
                file = str(folder / f"{shown.name}.{kind.lower()}")
                Path(app.outdir, file).parent.mkdir(parents=True, exist_ok=True)
                Path(app.outdir, file).write_bytes(content)
                images[kind] = context["pathto"](file, 1)
        tools = tool_line(shown, data, images, code, citation(shown, book, page))
        return markup.removesuffix("</figure>") + tools + "</figure>"

    def one_cell(cell: str) -> str:
        figure = _FIGURE.search(cell)
        if not figure:
            return cell
        code = ""
        if source := _INPUT.search(cell, 0, figure.start()):
            # The address of what is folded away: a browser unfolds it by itself.
            code, title = f"code-{figure[2]}", _TITLE.search(figure[0])
            name = f"Code of {title[1] if title else figure[2]}"
            label = f'{source[0]} id="{code}" tabindex="-1" role="group" aria-label="{name}"'
            cell = cell[: source.start()] + label + cell[source.end() :]
        return _FIGURE.sub(lambda match: link(match[0], code), cell)

    context["body"] = "".join(map(one_cell, _CELL.split(body)))


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the step; it comes before those that move the data to files and make the drawings small."""
    app.connect("html-page-context", equip, priority=800)
    return {
        "version": "1.0",
        "env_version": crc32(Path(__file__).read_bytes()),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
