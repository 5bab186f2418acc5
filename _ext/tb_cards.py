"""Sphinx extension: the picture that other sites show where somebody links to a chapter.

For each page with a figure, one of its figures (the first, or the one named in `tb_card_figures`) is put beside the
page's title on a card of 1200 × 630 pixels, from the same drawing that the page shows, in its light colours. The same
drawing and fonts give the same bytes everywhere. The first page gets the card of the chapter `tb_card_root`.
"""

from __future__ import annotations

import hashlib
import html
import re
import shutil
from functools import cache
from importlib import util
from importlib.metadata import version
from pathlib import Path
from zlib import crc32

import resvg_py
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from tb_meta import CARDS

LOGGER = logging.getLogger(__name__)

WIDTH, HEIGHT, MARGIN = 1200, 630, 56
TEXT_WIDTH = 400  # of the column beside the figure
FONT = "Source Sans Pro"
_FIGURE = re.compile(r'<figure class="tb-figure" id="([^"]+)">(.*?)</figure>', re.DOTALL)
_TITLE = re.compile(r"<strong>(?:Figure [\w.]+\.\s)?(.*?)</strong>", re.DOTALL)
_DRAWING = re.compile(r'<div class="tb-plot tb-wide"[^>]*aria-label="([^"]*)"[^>]*>\s*(<svg\b.*?</svg>)', re.DOTALL)
_VARIABLE = re.compile(r"var\(--[\w-]+,\s*(#[0-9a-f]{6})\)")
_SIZE = re.compile(r'\b(?:width|height)="[^"]*"')


@cache
def _fonts() -> dict[str, str]:
    folder = Path(util.find_spec("font_source_sans_pro").submodule_search_locations[0], "files")
    return {name: str(folder / f"SourceSansPro-{name}.ttf") for name in ("Regular", "Semibold", "It")}


@cache
def _advances(face: str) -> tuple[dict[int, float], float]:
    """Widths of the characters of a face, as parts of the type size; the second is for those it does not have."""
    from fontTools.ttLib import TTFont

    with TTFont(_fonts()[face]) as font:
        units, widths = font["head"].unitsPerEm, font["hmtx"]
        return {code: widths[name][0] / units for code, name in font.getBestCmap().items()}, 0.6


def wrap(text: str, face: str, size: float, width: float, most: int) -> list[str]:
    """Break a text into at most `most` lines that fit; what is over is cut with an ellipsis."""
    known, other = _advances(face)

    def length(line: str) -> float:
        return size * sum(known.get(ord(c), other) for c in line)

    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if length(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > most:
        last = lines[most - 1]
        while length(f"{last} …") > width:
            last = last.rpartition(" ")[0]
        lines[most - 1 :] = [f"{last.rstrip(',;:–')} …"]
    return lines


def card(book: str, title: str, finding: str, drawing: str, logo: str) -> str:
    """The card as SVG: title and finding to the left, the drawing to the right, the book's name below."""
    drawing = _VARIABLE.sub(r"\1", drawing).replace("'Tradebook Sans', ", "").replace("sans-serif", f"'{FONT}'")
    left = MARGIN + TEXT_WIDTH + 40
    place = f'<svg x="{left}" y="{MARGIN}" width="{WIDTH - MARGIN / 2 - left}" height="{HEIGHT - 180}" '
    drawing = re.sub(r"<svg\b", place, drawing, count=1)
    small = f'<svg x="{MARGIN}" y="{HEIGHT - 74}" width="44" height="44" '
    logo = small + _SIZE.sub("", logo[: logo.index(">")]).removeprefix("<svg ") + logo[logo.index(">") :]
    texts, y = [], MARGIN + 34.0
    for text, face, size, colour, most in (
        (title, "Semibold", 46, "#1b2733", 5),
        (finding, "Regular", 27, "#56636f", 7),
    ):
        for line in wrap(text, face, size, TEXT_WIDTH, most):
            weight = 600 if face == "Semibold" else 400
            texts.append(
                f'<text x="{MARGIN}" y="{y:g}" font-size="{size}" font-weight="{weight}" fill="{colour}">'
                f"{html.escape(line)}</text>"
            )
            y += size * 1.2
        y += 14
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="{FONT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/><rect width="{WIDTH}" height="10" fill="#1b2733"/>'
        f"{''.join(texts)}{drawing}"
        f'<path d="M{MARGIN} {HEIGHT - 92}H{WIDTH - MARGIN}" stroke="#d9dee3" stroke-width="1.5"/>'
        f"{logo}"
        f'<text x="{MARGIN + 60}" y="{HEIGHT - 43}" font-size="26" font-weight="600" fill="#1b2733">'
        f"{html.escape(book)}</text></svg>"
    )


def as_png(svg: str, keep: Path | None = None) -> bytes:
    """Draw a card with the book's own fonts only, so that it is the same everywhere; kept in the folder `keep`."""
    recipe = repr((version("resvg-py"), version("font-source-sans-pro"), WIDTH, HEIGHT, svg))
    kept = keep / f"card-{hashlib.sha256(recipe.encode()).hexdigest()[:24]}.png" if keep else None
    if kept and kept.is_file():
        return kept.read_bytes()
    files = list(_fonts().values())
    png = bytes(
        resvg_py.svg_to_bytes(svg_string=svg, width=WIDTH, height=HEIGHT, font_files=files, skip_system_fonts=True)
    )
    if kept:
        keep.mkdir(parents=True, exist_ok=True)
        kept.with_suffix(".part").write_bytes(png)
        kept.with_suffix(".part").replace(kept)
    return png


def figures(doctree: nodes.document) -> dict[str, tuple[str, str, str]]:
    """The figures of a page in their order: of each its finding, what it shows, and the drawing."""
    found: dict[str, tuple[str, str, str]] = {}
    for raw in doctree.findall(nodes.raw):
        for name, inside in _FIGURE.findall(raw.astext()) if "tb-figure" in raw.astext() else ():
            title, drawing = _TITLE.search(inside), _DRAWING.search(inside)
            if title and drawing:
                found[name] = (html.unescape(title[1]), html.unescape(drawing[1]), drawing[2])
    return found


def draw_cards(app: Sphinx, env: BuildEnvironment) -> None:
    """Draw the cards of all pages with a figure."""
    if app.builder.format != "html":
        return
    env.tb_cards = {}
    shutil.rmtree(Path(app.outdir, CARDS), ignore_errors=True)
    read = getattr(env, "tb_figures_read", {})
    env.tb_figures_read = {}
    logo = Path(app.confdir, "_static", "logo.svg").read_text(encoding="utf-8")
    for name in sorted(env.found_docs):
        chosen, moment = app.config.tb_card_figures.get(name), env.all_docs.get(name)
        if name in read and read[name][:2] == (moment, chosen):  # its text is as it was
            shown, wanted = read[name][2:]
        else:
            shown = figures(env.get_doctree(name))
            wanted = chosen or next(iter(shown), None)
        env.tb_figures_read[name] = (moment, chosen, {wanted: shown[wanted]} if wanted in shown else {}, wanted)
        if wanted is None:
            continue
        if wanted not in shown:
            LOGGER.warning("page %s has no figure “%s” for its card", name, wanted, type="tb", subtype="card")
            continue
        finding, description, drawing = shown[wanted]
        names = {name: env.titles[name].astext()}
        if name == app.config.tb_card_root:
            names[app.config.root_doc] = "An audited, executable book"
        for page, title in names.items():
            png = as_png(
                card(app.config.html_title, title, finding, drawing, logo), Path(app.doctreedir).parent / ".figures"
            )
            target = f"{CARDS}/{Path(page).name}.png"
            path = Path(app.outdir, target)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png)
            env.tb_cards[page] = (target, description)


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the step: all pages are read, none is written."""
    app.add_config_value("tb_card_figures", {}, "html")
    app.add_config_value("tb_card_root", "chapters/02-bilateral-trade", "html")
    app.setup_extension("tb_meta")
    app.connect("env-updated", draw_cards)
    return {
        "version": "1.0",
        "env_version": crc32(Path(__file__).read_bytes()),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
