"""Sphinx extension: a light site that loads nothing from elsewhere.

While pages are written: the CSV behind each figure moves from a data address in the page to a file,
and every page gets a description. When the build ends: the fonts are cut down to the characters
we use, and what the theme brings but our pages never load (icon fonts, source maps, translations)
leaves the site.
"""

from __future__ import annotations

import base64
import hashlib
import html
import logging as std_logging
import re
import shutil
from importlib import metadata, util
from pathlib import Path, PurePosixPath
from zlib import crc32

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)

# The licence of the text face reserves its name, so the reduced copies carry the name of the book.
TEXT_FACES = {"400": "Regular", "400-italic": "It", "600": "Semibold"}
_PUNCTUATION = "\u2009\u200a\u202f‐‑‒–—‘’‚“”„†•…‰′″‹›₀₁₂₃₄€₽№™←↑→↓∆∑−√≈≠≤≥●✓"
TEXT_CHARACTERS = frozenset(
    (
        *range(0x20, 0x7F),  # Latin
        *range(0xA0, 0x180),  # Latin of western and central Europe
        *range(0x391, 0x3CA),  # Greek
        *range(0x400, 0x460),  # Cyrillic
        *map(ord, _PUNCTUATION),
    )
)
TEXT_FEATURES = ("kern", "liga", "mark", "mkmk", "ccmp", "locl", "tnum", "lnum", "sups", "subs")
MATH_FEATURES = ("ssty", "dtls", "flac")

# Parts of the theme that no page of ours refers to.
UNUSED_STATIC = (
    "**/*.map",
    "scripts/fontawesome.js*",
    "vendor",
    "locales",
    "images",
    "webpack-macros.html",
    "sbt-webpack-macros.html",
)
# Style rules of the theme's icon font; the icons we show are drawn in _static/icons.css.
_ICON_RULE = re.compile(r"(?:(?<=[}/\n])|^)\s*(?:\.fa(?:[bsrl]|-[a-z0-9-]+)?(?:[:.][a-z:.-]*)?\s*,?\s*)+\{[^{}]*\}")
_ICON_FACE = re.compile(r"@font-face\s*\{[^}]*Awesome[^}]*\}")
_SOURCE_MAP = re.compile(r"\s*/[/*]# sourceMappingURL=[^\s*]+(?:\s*\*/)?")

_CSV_LINK = re.compile(r"<a\b[^>]*?\bhref=\"data:text/csv[^\",]*;base64,([A-Za-z0-9+/=\s]*)\"[^>]*>")
_VIEWPORT = re.compile(r'<meta name="viewport"[^>]*>')
_MATH = re.compile(r"<math\b.*?</math>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_MENDED = (
    ("<th></th>", "<td></td>"),  # a corner cell heads nothing
    ('<th scope="col"></th>', "<td></td>"),
    ('<th class="head"><p></p></th>', "<td><p></p></td>"),
    ('role="doc-biblioentry"', 'role="listitem"'),  # the entries stand in a list
    ('<summary aria-label="Toggle hidden content">', "<summary>"),  # its name is the text that is seen
    (' id="exercise-content"', ""),
    (' id="solution-content"', ""),  # the same on every exercise
)
_DOWNLOAD_NAME = re.compile(r"\bdownload=\"([A-Za-z0-9][A-Za-z0-9._-]*\.csv)\"")


def note_assets(app: Sphinx, config: Config) -> None:
    """Make Sphinx write all pages anew when a style, script or template of ours has changed."""
    files = sorted(
        path
        for folder in (*config.html_static_path, *config.templates_path)
        if Path(folder).parent == Path(".")
        for path in Path(app.confdir, folder).rglob("*")
        if path.is_file()
    )
    config.tb_assets = hashlib.sha256(b"".join(map(Path.read_bytes, files))).hexdigest()


def complete_head(context: dict, doctree: nodes.document | None) -> None:
    """Give a page without a ``description`` of its own its first paragraph as description."""
    # The page frame sets the viewport already.
    context["metatags"] = _VIEWPORT.sub("", context.get("metatags", ""))
    if 'name="description"' in context["metatags"]:
        return
    paragraphs = doctree.findall(nodes.paragraph) if doctree is not None else ()
    texts = (" ".join(paragraph.astext().split()) for paragraph in paragraphs)
    text = next((text for text in texts if len(text) > 40), None)
    text = text or f"{html.unescape(str(context.get('title', '')))} – {context['docstitle']}"
    if len(text) > 160:
        text = text[:157].rsplit(" ", 1)[0].rstrip(",;:–- ") + " …"
    context["metatags"] += f'\n<meta name="description" content="{html.escape(text)}" />\n'


def move_csv_to_files(app: Sphinx, pagename: str, context: dict) -> None:
    """Write CSV data that a page holds as data addresses to files and link to these instead."""
    body = context.get("body")
    if not body or "data:text/csv" not in body:
        return
    folder = PurePosixPath("_downloads") / PurePosixPath(pagename).name
    written: dict[str, bytes] = {}

    def replace(match: re.Match[str]) -> str:
        tag, content = match.group(0), base64.b64decode(match.group(1))
        name = _DOWNLOAD_NAME.search(tag)
        if not name:
            LOGGER.warning(
                'a CSV link on page %s has no file name: add download="name.csv" to it',
                pagename,
                type="tb",
                subtype="csv",
            )
            return tag
        if written.setdefault(name.group(1), content) != content:
            LOGGER.warning(
                "page %s offers two different files under the name %s: rename one",
                pagename,
                name.group(1),
                type="tb",
                subtype="csv",
            )
            return tag
        target = Path(app.outdir, folder, name.group(1))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        address = context["pathto"](str(folder / name.group(1)), 1)
        return re.sub(r"\bhref=\"data:[^\"]*\"", lambda _: f'href="{address}"', tag)

    context["body"] = _CSV_LINK.sub(replace, body)


def mend_html(context: dict) -> None:
    """Mend the HTML of tables by pandas, of the bibliography and of exercises."""
    for found, mended in _MENDED:
        if context.get("body"):
            context["body"] = context["body"].replace(found, mended)


def clear_files(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Remove what an earlier run has written beside a page: its figures may have other names now."""
    if app.builder.format == "html" and doctree is not None:
        for folder, kinds in (("_downloads", (".csv", ".svg", ".png")), ("_tables", (".html",))):
            for path in Path(app.outdir, folder, PurePosixPath(pagename).name).glob("*"):
                if path.suffix in kinds:
                    path.unlink()


def prepare_page(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Handle one page before its template is filled in."""
    if app.builder.format != "html":
        return
    complete_head(context, doctree)
    move_csv_to_files(app, pagename, context)
    mend_html(context)


def font_source(package: str, file: str) -> Path | None:
    """Return a font file that an installed package carries."""
    spec = util.find_spec(package)
    path = Path(spec.submodule_search_locations[0], file) if spec else None
    return path if path and path.exists() else None


def reduce_font(source: Path, family: str, characters: frozenset[int], features: tuple[str, ...], cache: Path) -> Path:
    """Return a woff2 copy of a font with only these characters; made once, then kept in `cache`."""
    recipe = repr(
        (metadata.version("fonttools"), source.name, source.stat().st_size, family, sorted(characters), features)
    )
    target = cache / f"{hashlib.sha256(recipe.encode()).hexdigest()[:20]}.woff2"
    if target.exists():
        return target
    from fontTools import subset  # hundreds of modules

    std_logging.getLogger("fontTools").setLevel(std_logging.WARNING)  # it reports every table
    options = subset.Options(
        flavor="woff2",
        layout_features=list(features),
        hinting=False,
        recalc_timestamp=False,
        name_IDs=[0, 1, 2, 4, 6, 13, 14],
    )
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 4, 6):
            record.string = family.replace(" ", "") if record.nameID == 6 else family
    cache.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(target.with_suffix(".part")), options)
    return target.with_suffix(".part").replace(target)


def formula_characters(site: Path) -> frozenset[int]:
    """Return the characters that the formulas of a built site use."""
    formulas = (
        match
        for page in site.rglob("*.html")
        if "_sources" not in page.parts
        for match in _MATH.findall(page.read_text(encoding="utf-8"))
    )
    used = {c for f in formulas for c in html.unescape(_TAG.sub("", f)) if c.isprintable()}
    return frozenset(map(ord, used | {"\u221a"})) if used else frozenset()  # a root is drawn, not written


def write_fonts(site: Path, cache: Path) -> None:
    """Put the reduced text and formula fonts, and their licence, into a built site."""
    missing = [
        name for name, module in (("brotli", "brotli"), ("fonttools", "fontTools")) if util.find_spec(module) is None
    ]
    text = {
        face: font_source("font_source_sans_pro", f"files/SourceSansPro-{name}.ttf")
        for face, name in TEXT_FACES.items()
    }
    licence = font_source("font_source_sans_pro", "files/LICENSE.txt")
    formulas = font_source("ziamath", "fonts/STIXTwoMath-Regular.ttf")
    missing += ["font-source-sans-pro"] * (not all((*text.values(), licence)))
    missing += ["ziamath"] * (formulas is None)
    if missing:
        LOGGER.warning(
            "pages fall back to system fonts because packages are missing: %s; install requirements.txt",
            ", ".join(missing),
            type="tb",
            subtype="fonts",
        )
        return
    folder = site / "_static" / "fonts"
    folder.mkdir(parents=True, exist_ok=True)
    for face, source in text.items():
        reduced = reduce_font(source, "Tradebook Sans", TEXT_CHARACTERS, TEXT_FEATURES, cache)
        shutil.copyfile(reduced, folder / f"tradebook-sans-{face}.woff2")
    characters = formula_characters(site)
    if characters:
        reduced = reduce_font(formulas, "Tradebook Math", characters, MATH_FEATURES, cache)
        shutil.copyfile(reduced, folder / "tradebook-math.woff2")
    notice = (
        "Tradebook Sans is a reduced copy of Source Sans Pro, Tradebook Math one of STIX Two Math\n"
        "(Copyright 2001-2020 The STIX Fonts Project Authors, https://github.com/stipub/stixfonts).\n"
        "Both are under the licence below.\n\n"
    )
    (folder / "LICENSE.txt").write_text(notice + licence.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")


def strip_icon_font(css: str) -> str:
    """Return the theme's style sheet without the rules of its icon font."""
    return _SOURCE_MAP.sub("", _ICON_RULE.sub("", _ICON_FACE.sub("", css)))


def finish_site(app: Sphinx, exception: Exception | None) -> None:
    """Reduce the built site to what its pages load."""
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    for pattern in UNUSED_STATIC:
        for path in sorted(static.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in sorted((*static.glob("styles/*.css"), *static.glob("scripts/*.js"))):
        text = path.read_text(encoding="utf-8")
        slim = strip_icon_font(text) if path.suffix == ".css" else _SOURCE_MAP.sub("", text)
        if slim != text:
            path.write_text(slim, encoding="utf-8", newline="\n")
    write_fonts(Path(app.outdir), Path(app.doctreedir).parent / ".fonts")
    write_entry_page(app)


def write_entry_page(app: Sphinx) -> None:
    """Write ``index.html``, which leads on to the landing page from a web root or a folder."""
    target = html.escape(app.builder.get_target_uri(app.config.root_doc))
    title = html.escape(app.config.html_title)
    place = f"{app.config.html_baseurl.rstrip('/')}/" if app.config.html_baseurl else ""
    Path(app.outdir, "index.html").write_text(
        f'<!DOCTYPE html>\n<html lang="{app.config.language}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n"
        f'<meta name="description" content="{title}: entry page, leads to the book.">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="canonical" href="{html.escape(place)}{target}">\n'
        f'<meta http-equiv="refresh" content="0; url={target}">\n'
        '<link rel="icon" href="_static/logo.svg">\n'
        f'</head>\n<body>\n<h1><a href="{target}">{title}</a></h1>\n</body>\n</html>\n',
        encoding="utf-8",
        newline="\n",
    )


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the steps; the last one runs after all other extensions' own."""
    app.add_config_value("tb_assets", "", "html")
    app.connect("config-inited", note_assets)
    app.connect("html-page-context", clear_files, priority=100)
    app.connect("html-page-context", prepare_page, priority=900)
    app.connect("build-finished", finish_site, priority=900)
    # A changed extension makes Sphinx build all pages anew.
    return {
        "version": "1.0",
        "env_version": crc32(Path(__file__).read_bytes()),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
