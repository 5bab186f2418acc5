"""Sphinx extension: pages that are small, start fast, and run only what the book itself brings.

While a page is written, its drawings and its code listings lose what does not show, and the data of each figure
are also written as a page with a table (the figure's long description). When the build ends: all style sheets that
every page loads become one, without the rules that no page can use; all scripts become one, which runs after the
page is shown; and each page gets its Content-Security-Policy, which allows nothing but the site's own files.

A handler of ``html-page-context`` with a priority below 950 sees the drawings as the notebooks hold them.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import json
import posixpath
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from zlib import crc32

import tinycss2
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from tb_kept import worked_out

LOGGER = logging.getLogger(__name__)

STYLES, SCRIPTS = "_static/book.css", "_static/book.js"
TABLES = "_tables"  # the long descriptions; a name with an underscore is no page of the book's contents
# The theme's own files: its templates write them into each page, not into Sphinx's list.
THEME_STYLES = ("_static/styles/theme.css", "_static/styles/pydata-sphinx-theme.css")
IMPORTED = "_static/basic.css"  # by the first of them
# Scripts of the theme whose place _static/frame.js takes.
REPLACED_SCRIPTS = (
    "_static/scripts/bootstrap.js",
    "_static/scripts/pydata-sphinx-theme.js",
    "_static/scripts/sphinx-book-theme.js",
)
# Scripts that are of use only if a page has something like this.
NEEDS = {
    "_static/design-tabs.js": re.compile(r'class="sd-tab-set'),
    "_static/togglebutton.js": re.compile(
        r'class="(?:[^"]* )?(?:toggle|admonition [^"]*\bdropdown|dropdown [^"]*\badmonition)[ "]'
    ),
}

# The one script that runs before the page is shown: it sets the colour mode, so that no page flashes in the other.
MODE_SCRIPT = (
    '(function(r){var m="auto";try{m=localStorage.getItem("mode")||m}catch(e){}'
    'var d=matchMedia("(prefers-color-scheme: dark)").matches;'
    'r.dataset.mode=m;r.dataset.theme=m==="auto"?(d?"dark":"light"):m})(document.documentElement)'
)


def hashed(text: str) -> str:
    """The name of an inline script in a policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# Opened from a folder, a page and its files have no common origin in some browsers: `file:` allows them by scheme.
# On the web no page can load a `file:` address, so it allows nothing there.
POLICY = (
    "default-src 'none'; "
    f"script-src 'self' file: {hashed(MODE_SCRIPT)}; "
    "style-src 'self' file:; "
    "img-src 'self' file: data:; "
    "font-src 'self' file:; "
    "connect-src 'self' file:; "
    "object-src 'none'; base-uri 'none'; form-action 'self' file:"
)
_POLICY_TAG = (
    f'<meta http-equiv="Content-Security-Policy" content="{POLICY}" />\n'
    '<meta name="referrer" content="no-referrer" />'  # sites that a reader goes to need not know from where
)


def is_site(app: Sphinx) -> bool:
    """Whether the build makes the pages of a web site."""
    return app.builder.name in ("html", "dirhtml", "singlehtml")


# --- drawings --------------------------------------------------------------------------------------

_DRAWING = re.compile(r'(<div class="tb-plot[^>]*>\s*)(<svg\b.*?</svg>)', re.DOTALL)
_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_NUMBER = re.compile(r"[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
_POINTS = {"M": 1, "L": 1, "Q": 2, "C": 3, "Z": 0}
# What the style sheet says for all drawings (`.tb-plot svg`), so that no element needs to repeat it.
_GIVEN = {("stroke-linejoin", "round"), ("stroke-linecap", "butt")}


def short(value: int, digits: int) -> str:
    """A number of ``10 ** -digits``, as short as it can be written."""
    text = f"{value / 10**digits:.{digits}f}".rstrip("0").rstrip(".") if digits else str(value)
    return re.sub(r"^(-?)0\.", r"\1.", text) if text != "-0" else "0"


def as_curve(points: list[tuple[float, float]]) -> tuple[float, float] | None:
    """The control point of the quadratic Bézier curve that these points sample evenly; None if they do not."""
    if len(points) < 8:
        return None
    (x0, y0), (x2, y2), last = points[0], points[-1], len(points) - 1
    t = (last // 2) / last
    x, y = points[last // 2]
    control = tuple((p - (1 - t) ** 2 * a - t**2 * b) / (2 * t * (1 - t)) for p, a, b in ((x, x0, x2), (y, y0, y2)))
    for i, (x, y) in enumerate(points):
        t = i / last
        for p, a, c, b in ((x, x0, control[0], x2), (y, y0, control[1], y2)):
            if abs((1 - t) ** 2 * a + 2 * t * (1 - t) * c + t**2 * b - p) > 0.04:
                return None
    return control


def as_circle(path: str) -> tuple[float, float, float] | None:
    """Centre and radius of the circle that matplotlib draws as eight Bézier curves; None if it is none."""
    tokens = _NUMBER.findall(path)
    if "".join(t for t in tokens if t.isalpha()).upper() not in ("MCCCCCCCCZ", "MCCCCCCCC"):
        return None
    values = [float(token) for token in tokens if not token.isalpha()]
    ends = list(zip(values[::2], values[1::2], strict=True))[::3]
    x, y = (sum(point[i] for point in ends[:-1]) / 8 for i in (0, 1))
    reach = [((u - x) ** 2 + (v - y) ** 2) ** 0.5 for u, v in ends]
    return (x, y, reach[0]) if max(reach) - min(reach) < 0.03 else None


def slim_path(path: str) -> str:
    """The same outline in steps from point to point, to a tenth of a point (small marks: a hundredth)."""
    tokens = _NUMBER.findall(path)
    steps: list[tuple[str, list[tuple[float, float]]]] = []
    at = 0
    while at < len(tokens):
        kind = tokens[at].upper()
        if kind not in _POINTS or (tokens[at] != kind and kind != "Z"):
            return path  # not in the form that matplotlib writes
        size = 2 * _POINTS[kind]
        values = [float(token) for token in tokens[at + 1 : at + 1 + size]]
        steps.append((kind, list(zip(values[::2], values[1::2], strict=True))))
        at += 1 + size
    xs, ys = zip(*[point for _, points in steps for point in points] or [(0.0, 0.0)], strict=True)
    digits = 1 if max(max(xs) - min(xs), max(ys) - min(ys)) > 30 else 2

    # A run of lines that samples a curve becomes the curve.
    joined: list[tuple[str, list[tuple[float, float]]]] = []
    for i, (kind, points) in enumerate(steps):
        joined.append((kind, points))
        ends = i + 1 == len(steps) or steps[i + 1][0] != "L"
        start = next((j for j in range(len(joined) - 1, -1, -1) if joined[j][0] != "L"), -1)
        if kind == "L" and ends and start >= 0 and joined[start][0] == "M":
            run = [p[0] for _, p in joined[start:]]
            if (control := as_curve(run)) is not None:
                joined[start + 1 :] = [("Q", [control, run[-1]])]

    out, previous, here, begin = [], "", (0, 0), (0, 0)
    for kind, points in joined:
        whole = [(round(x * 10**digits), round(y * 10**digits)) for x, y in points]
        if kind == "Z":
            out.append("z")
            here, previous = begin, "z"
            continue
        moves = [(x - here[0], y - here[1]) for x, y in whole]
        letter = kind.lower()
        if letter == "m":
            begin = whole[-1]
        if letter == "l" and moves[0][1] == 0:
            letter, numbers = "h", [moves[0][0]]
        elif letter == "l" and moves[0][0] == 0:
            letter, numbers = "v", [moves[0][1]]
        else:
            numbers = [n for move in moves for n in move]
        text = ""
        for number in numbers:
            word = short(number, digits)
            text += word if not text or word.startswith("-") else f" {word}"
        if letter == previous and letter not in "m":
            out.append(text if text.startswith("-") else f" {text}")
        else:
            out.append(letter + text)
        here, previous = whole[-1], letter
    return "".join(out)


def is_shown(element: ElementTree.Element) -> bool:
    """Whether an element of a drawing has any effect; styles of whole drawings stand in the style sheet."""
    if element.tag == "path" and not element.get("id"):
        return element.get("fill") != "none" or element.get("stroke", "none") != "none"
    return element.tag != "style" and (element.tag not in ("g", "defs") or len(element) > 0)


def may_join(one: ElementTree.Element, other: ElementTree.Element) -> bool:
    """Whether two neighbours are lines of one look, which a single path draws just the same."""
    looks = [{name: value for name, value in e.attrib.items() if name != "d"} for e in (one, other)]
    return (
        one.tag == other.tag == "path"
        and looks[0] == looks[1]
        and looks[0].get("fill") == "none"
        and not {"id", "transform", "opacity", "stroke-opacity"} & looks[0].keys()
        and one.get("d", "").startswith("m")
        and other.get("d", "").startswith("m")
    )


def written(element: ElementTree.Element) -> str:
    """An element of a drawing as text, without line breaks."""
    attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in element.attrib.items())
    inside = html.escape(element.text or "", quote=False) + "".join(map(written, element))
    return f"<{element.tag}{attributes}>{inside}</{element.tag}>" if inside else f"<{element.tag}{attributes}/>"


def slim_svg(svg: str) -> str:
    """The same picture with less: no empty groups, unused names or invisible shapes; styles as plain attributes."""
    # Read by a parser for XML: what matplotlib writes is XML.
    root = ElementTree.fromstring(svg)
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg))
    used = {name for pair in used for name in pair if name}
    defined: dict[str, ElementTree.Element] = {}

    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        if _XLINK in element.attrib:
            element.set("href", element.attrib.pop(_XLINK))
        for declaration in filter(str.strip, element.attrib.pop("style", "").split(";")):
            name, value = (part.strip() for part in declaration.split(":", 1))
            if (name, value) not in _GIVEN and name != "font-family":
                element.set(name, value)
        if element.get("id") in used:
            defined[element.get("id")] = element
        else:
            element.attrib.pop("id", None)
        if circle := as_circle(element.get("d", "")):
            del element.attrib["d"]
            element.tag = "circle"
            element.attrib.update(zip(("cx", "cy", "r"), (short(round(n * 100), 2) for n in circle), strict=True))
        elif "d" in element.attrib:
            element.set("d", slim_path(element.get("d")))
        for name in {"x", "y", "width", "height"} & set(element.attrib):
            element.set(name, short(round(float(element.get(name)) * 10), 1))
    for element in root.iter("use"):  # what the drawn mark says itself, it need not be told
        target = defined.get(element.get("href", "").removeprefix("#"))
        for name in list(element.attrib) if target is not None else ():
            line = name == "fill" and re.fullmatch(r"m\S+ \S+[hv][-.\d]+", target.get("d", ""))
            if line or (name in target.attrib and name not in ("id", "x", "y", "transform", "clip-path")):
                del element.attrib[name]

    def tidy(parent: ElementTree.Element) -> None:
        children: list[ElementTree.Element] = []
        for child in list(parent):
            tidy(child)
            bare_group = child.tag == "g" and not child.attrib
            for part in list(child) if bare_group else [child]:
                part.tail = None
                if not is_shown(part):
                    continue
                if children and may_join(children[-1], part):
                    # The first step of a path counts from the origin; behind another path it must say so.
                    children[-1].set("d", f"{children[-1].get('d')}M{part.get('d')[1:]}")
                else:
                    children.append(part)
        parent[:] = children
        if parent.tag != "text":
            parent.text = None

    tidy(root)
    box = [float(n) for n in root.get("viewBox").split()]
    attributes = {
        "viewBox": " ".join(f"{n:g}" for n in box),
        "width": f"{box[2]:.0f}",
        "height": f"{box[3]:.0f}",
        "aria-hidden": "true",
        "focusable": "false",
    }
    root.attrib.clear()
    root.attrib.update(attributes)
    return written(root)


def slim_drawings(body: str) -> str:
    """Reduce every drawing of a page."""
    return _DRAWING.sub(lambda match: match[1] + slim_svg(match[2]), body)


# --- code listings ---------------------------------------------------------------------------------

_TOKEN = re.compile(r'<span class="(\w+)">([^<]*)</span>')
_TOKEN_RULE = re.compile(r"data-theme=\"(\w+)\"\] \.highlight (?:\.(\w+) )?\{([^}]*)\}")
_SAME = re.compile(r'<span class="(\w+)">([^<]*)</span>(\s*)<span class="\1">')


def token_names(css: str) -> dict[str, str]:
    """For each class of the highlighter one that looks the same in every mode; none if it looks like other code."""
    looks: dict[str, dict[str, str]] = {}
    for mode, name, declarations in _TOKEN_RULE.findall(css):
        own = [d.strip().lower() for d in declarations.split(";") if name or not d.strip().startswith("background")]
        looks.setdefault(name, {})[mode] = "; ".join(filter(None, own))
    around = looks.pop("", {})
    names: dict[str, str] = {}
    for name in sorted(looks, key=lambda name: (len(name), name)):
        same = next((other for other in names.values() if other and looks[other] == looks[name]), name)
        names[name] = "" if looks[name] == around else same
    return names


def slim_code(body: str, names: dict[str, str]) -> str:
    """Take the marks off tokens that look like the code around them, and join neighbours of one look."""

    def renamed(token: re.Match[str]) -> str:
        name = names.get(token[1], token[1])
        return f'<span class="{name}">{token[2]}</span>' if name else token[2]

    def reduce(listing: re.Match[str]) -> str:
        code = _TOKEN.sub(renamed, listing[0]).replace("<span></span>", "")
        while (joined := _SAME.sub(r'<span class="\1">\2\3', code)) != code:
            code = joined
        return code

    return re.sub(r'<div class="highlight">.*?</pre>', reduce, body, flags=re.DOTALL)


# --- long descriptions -----------------------------------------------------------------------------

_FIGURE = re.compile(r'<figure class="tb-figure" id="([^"]+)">.*?</figure>', re.DOTALL)
_TITLE = re.compile(r"<figcaption[^>]*><strong>(.*?)</strong><span>(.*?)</span>", re.DOTALL)
_DATA = re.compile(r'<a\b[^>]*\bdownload="[^"]+\.csv"[^>]*>[^<]*</a>')
_HREF = re.compile(r'\bhref="([^"]+)"')


def as_table(rows: list[list[str]], label: str) -> str:
    """A table of HTML: the first row heads the columns, the first column names the rows; numbers are aligned."""
    columns = list(zip(*rows[1:], strict=True))
    numeric = [all(re.fullmatch(r"-?[\d.]+(?:e[+-]?\d+)?|", cell) for cell in column) for column in columns]
    kind = [' class="num"' if n and i else "" for i, n in enumerate(numeric)]
    head = "".join(f'<th scope="col"{k}>{html.escape(c)}</th>' for c, k in zip(rows[0], kind, strict=True))
    body = []
    for first, *rest in rows[1:]:
        cells = "".join(f"<td{k}>{html.escape(c)}</td>" for c, k in zip(rest, kind[1:], strict=True))
        body.append(f'<tr><th scope="row">{html.escape(first)}</th>{cells}</tr>')
    return (
        f'<div class="tb-scroll" tabindex="0" role="region" aria-label="{html.escape(label)}">\n<table>\n<thead>'
        f"<tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(body) + "\n</tbody>\n</table>\n</div>"
    )


def describe_figures(app: Sphinx, pagename: str, context: dict) -> None:
    """Write the data of each figure as a page with a table, and lead to it from the figure."""
    pathto = context["pathto"]

    def describe(match: re.Match[str]) -> str:
        figure, name = match[0], match[1]
        title, link = _TITLE.search(figure), _DATA.search(figure)
        if not title or not link or (address := _HREF.search(link[0])[1]).startswith("data:"):
            return figure
        source = Path(app.outdir, posixpath.normpath(posixpath.join(posixpath.dirname(pagename), address)))
        lines = source.read_text(encoding="utf-8").splitlines()
        notes = [line.removeprefix("# ") for line in lines if line.startswith("#")][1:]
        rows = list(csv.reader(line for line in lines if not line.startswith("#")))
        target = f"{TABLES}/{PurePosixPath(pagename).name}/{name}.html"
        text, measure = (html.unescape(re.sub(r"<[^>]*>", "", part)) for part in title.groups())
        path = Path(app.outdir, target)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            app.builder.templates.render(
                "table.html",
                {
                    "root": "../../",
                    "tb_mode_script": MODE_SCRIPT,
                    "lang": app.config.language,
                    "title": text,
                    "measure": measure,
                    "back": f"../../{app.builder.get_target_uri(pagename)}#{name}",
                    "page": html.unescape(re.sub(r"<[^>]*>", "", str(context.get("title", "")))),
                    "csv": f"../../{source.relative_to(app.outdir).as_posix()}",
                    "notes": notes,
                    "table": as_table(rows, f"Data: {text}"),
                    "styles": STYLES,
                },
            ),
            encoding="utf-8",
            newline="\n",
        )
        where = html.escape(pathto(target, 1))
        lead = f'{link[0]} · <a class="tb-as-table" id="{name}-data" href="{where}">Data as a table</a>'
        return figure.replace(link[0], lead).replace(' role="img"', f' role="img" aria-details="{name}-data"')

    context["body"] = _FIGURE.sub(describe, context["body"])


# --- one page --------------------------------------------------------------------------------------

_PAGE_STYLE = re.compile(r"<style\b[^>]*>.*?</style>\s*", re.DOTALL)
_ALIGNED = re.compile(r'(?: class="([^"]*)")? style="text-align: ?(left|right|center);?"')


def shed_styles(body: str) -> str:
    """Take out styles inside the text, which the policy forbids: the style sheet has what is needed of them."""
    body = _PAGE_STYLE.sub("", body).replace(' style="display:none"', "")
    return _ALIGNED.sub(lambda m: f' class="{f"{m[1]} " if m[1] else ""}tb-{m[2]}"', body)


_CELL = re.compile(r'(?=<div class="cell\b)')
_LISTING = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)
_BOX = re.compile(r'<div class="tb-plot (tb-wide|tb-narrow)[^>]*>\s*<svg viewBox="0 0 ([\d.]+) ([\d.]+)"')
WIDTHS = {"tb-wide": 704, "tb-narrow": 380}  # of a figure on a wide screen, and on a phone, in pixels
STEP, STEPS = 200, 12
_SECTION = re.compile(r"<(/?)section\b")
_DRAWN = re.compile(r"<(svg|pre|table)\b.*?</\1>", re.DOTALL)
_BLOCK = re.compile(r"<(?:p|li|h[2-6])\b")
HALL, HALLS = 1000, 12


def height_of(cell: str, around: int = 360, table: int = 1000) -> float:
    """About how high a cell will be, in pixels: its listing, a drawing and what is written around it, a table."""
    height = 60.0
    for listing in _LISTING.findall(cell):
        folded = "<details" in cell[: cell.index(listing)]
        height += 0 if folded else 30 + 22 * (listing.count("\n") + 1)
    drawings = [WIDTHS[kind] * float(h) / float(w) for kind, w, h in _BOX.findall(cell)]
    height += around + max(drawings) if drawings else 0
    return height + (table if "<table" in cell else 0)


def sections_of(body: str) -> list[tuple[int, int]]:
    """Where the sections of a page begin and end: those right below its title."""
    depth, begin, found = 0, 0, []
    for tag in _SECTION.finditer(body):
        depth += -1 if tag[1] else 1
        if depth == 2 and not tag[1]:
            begin = tag.start()
        elif depth == 1 and tag[1]:
            found.append((begin, tag.start()))
    return found


def estimate_heights(body: str) -> str:
    """Give each cell and each section a class for about its height, in steps: room is kept until it is laid out.

    A reader may come to a section from the contents, so what lies above need not be laid out at all.
    """

    def sized(cell: str) -> str:
        if (height := height_of(cell)) < STEP:
            return cell
        steps = min(-(-int(height) // STEP), STEPS)
        return re.sub(r'^<div class="cell\b', f'<div class="cell tb-room-{steps}', cell)

    first, *cells = _CELL.split(body)
    body = first + "".join(map(sized, cells))
    for begin, end in reversed(sections_of(body)):
        section = body[begin:end]
        text = re.sub(r"<[^>]*>|(?<=\s)\s+", "", _DRAWN.sub("", section))
        height = 0.25 * len(text) + 20 * len(_BLOCK.findall(section))  # as measured on a chapter; all text is in it
        height += sum(height_of(cell, around=0, table=400) for cell in _CELL.split(section)[1:])
        tag, rest = section.split(">", 1)
        if (halls := min(round(height / HALL), HALLS)) and "class=" not in tag:
            body = f'{body[:begin]}{tag} class="tb-hall-{halls}">{rest}{body[end:]}'
    return body


def prepare_page(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Reduce the text of a page, and divide its styles and scripts into the book's and its own."""
    if not is_site(app):
        return
    if context.get("body"):
        describe_figures(app, pagename, context)
        context["body"] = estimate_heights(shed_styles(slim_drawings(context["body"])))
    context["tb_mode_script"], context["tb_styles"], context["tb_scripts"] = MODE_SCRIPT, STYLES, SCRIPTS
    styles, scripts = common_files(app)
    context["css_files"] = [file for file in context["css_files"] if file not in styles]
    own = [file for file in context["script_files"] if file not in scripts]
    context["script_files"] = [file for file in own if file.filename]
    for file in own:
        # The theme tells its version switcher and its search the name of the page; we have neither of the two.
        if not file.filename and not file.attributes.get("body", "").startswith("DOCUMENTATION_OPTIONS."):
            LOGGER.warning("page %s has an inline script: put it into a file", pagename, type="tb", subtype="script")


def common_files(app: Sphinx) -> tuple[list, list]:
    """The style sheets and scripts that every page of the book would load."""
    # Sphinx keeps them here while handlers add files to single pages.
    return app.builder._orig_css_files, app.builder._orig_js_files


# --- one style sheet, one script -------------------------------------------------------------------

_CSS_ADDRESS = re.compile(r"url\(\s*(['\"]?)(?!data:|#)([^'\")]+)\1\s*\)")
_CSS_IMPORT = re.compile(r"@import\s+(?:url\()?\s*['\"]?([^'\")]+)['\"]?\s*\)?\s*;")
_CLASS_OR_ID = re.compile(r'\b(?:class|id)="([^"]*)"')
_ELEMENT = re.compile(r"<([a-z][a-z0-9]*)")
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_NAME = re.compile(r"--[\w-]+")
_READ = re.compile(r"var\(\s*(--[\w-]+)")
_DEEP = {"media", "supports", "container", "layer"}


def site_pages(site: Path) -> list[Path]:
    """The pages that the book consists of; what others build into a folder of the site keeps its own rules."""
    apart = {"_static", "_sources", "lite"}
    return [path for path in sorted(site.rglob("*.html")) if not apart & set(path.relative_to(site).parts)]


def read(path: Path) -> str:
    """The text of a file of the site."""
    return path.read_text(encoding="utf-8")


def words_on(page: str) -> tuple[list[str], list[str]]:
    """Every element name, class and id of a page; and the variables of style sheets that it names."""
    names = {name for group in set(_CLASS_OR_ID.findall(page)) for name in group.split()}
    return sorted(names.union(_ELEMENT.findall(page))), sorted(set(_NAME.findall(page)))


def known_words(pages: Iterable[str], scripts: Iterable[str], keep: Path | None = None) -> tuple[set[str], set[str]]:
    """The words of all pages (`words_on`) and of the scripts, any word of which may become a class.

    What a page has is kept in the folder `keep` for the next build.
    """
    words, names = set[str](), set[str]()
    for on_page in worked_out(list(pages), words_on, Path(__file__).read_text("utf-8"), keep):
        words.update(on_page[0])
        names.update(on_page[1])
    for script in scripts:
        words.update(_WORD.findall(script))
        names.update(_NAME.findall(script))
    return words, names


def can_match(selector: list, words: set[str]) -> bool:
    """Whether elements with these names can match; what stands in brackets or parentheses is taken as a match."""
    before = ""
    for token in selector:
        if token.type == "hash" and token.value not in words:
            return False
        if token.type == "ident" and not before.endswith(":"):
            if before == "." and token.value not in words:
                return False
            if before != "." and (name := token.value.lower()) not in words and name not in ("html", "body"):
                return False
        before = token.value if token.type in ("literal", "ident") else ""
    return True


def split(tokens: list, mark: str) -> list[list]:
    """The parts of a run of tokens between marks."""
    parts: list[list] = [[]]
    for token in tokens:
        if token.type == "literal" and token.value == mark:
            parts.append([])
        elif token.type != "comment":
            parts[-1].append(token)
    return parts


def compact(content: list, variables: set[str] | None = None) -> str:
    """Declarations without comments, without white space that means nothing, and without other variables."""
    kept = []
    for part in split(content, ";"):
        text = re.sub(r"\s+", " ", tinycss2.serialize(part)).strip()
        if text and not (variables is not None and text.startswith("--") and _NAME.match(text)[0] not in variables):
            kept.append(text)
    return ";".join(kept)


def purged(rules: list, words: set[str], variables: set[str] | None = None) -> str:
    """Style rules without the selectors that no page can match, and without variables that are not among these."""
    out = []
    for rule in rules:
        if rule.type == "qualified-rule":
            kept = [s for s in split(rule.prelude, ",") if can_match(s, words)]
            inside = compact(rule.content, variables)
            if kept and inside:
                out.append(f"{','.join(tinycss2.serialize(s).strip() for s in kept)}{{{inside}}}")
        elif rule.type == "at-rule" and rule.content is not None:
            prelude = f"@{rule.at_keyword} {tinycss2.serialize(rule.prelude).strip()}".strip()
            if rule.lower_at_keyword in _DEEP:
                inside = purged(tinycss2.parse_rule_list(rule.content, True, True), words, variables)
            else:
                inside = re.sub(r"\s+", " ", tinycss2.serialize(rule.content)).strip()
            if inside:
                out.append(f"{prelude}{{{inside}}}")
    return "\n".join(out)


def without_unused(css: str, words: set[str], elsewhere: str) -> str:
    """A style sheet without the rules that no page can match, and without variables that nothing reads."""
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    read_elsewhere = set(_NAME.findall(elsewhere))
    variables, slim = None, purged(rules, words)
    while (used := read_elsewhere | set(_READ.findall(slim))) != variables:  # a variable may read another
        variables, slim = used, purged(rules, words, used)
    return without_unused_animations(slim)


def kept_sheet(css: str, words: set[str], names: list[str], keep: Path) -> str:
    """What `without_unused` makes of a style sheet; kept in the folder `keep` for the next build."""
    used = sorted(words & {*_WORD.findall(css), *_WORD.findall(css.lower())})
    recipe = json.dumps([Path(__file__).read_text(encoding="utf-8"), tinycss2.VERSION, css, used, names])
    kept = keep / f"{hashlib.sha256(recipe.encode()).hexdigest()[:24]}.css"
    if not kept.is_file():
        keep.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        part.write_text(without_unused(css, set(used), " ".join(names)), encoding="utf-8", newline="\n")
        part.replace(kept)
    return read(kept)


def without_unused_animations(css: str) -> str:
    """A style sheet without the animations that no rule plays."""
    played = " ".join(re.findall(r"animation(?:-name)?\s*:([^;}]*)", css))
    return re.sub(
        r"^@(?:-webkit-)?keyframes ([\w-]+)\{.*\}\n?",
        lambda match: match[0] if match[1] in played.split() or f"{match[1]}," in played else "",
        css,
        flags=re.MULTILINE,
    )


def version_of(content: bytes) -> str:
    """What stands behind ``?v=`` in an address: another content has another address and can be kept for ever."""
    return hashlib.sha256(content).hexdigest()[:10]


def whole_sheet(name: str, site: Path) -> str:
    """A style sheet as part of the book's: with what it imports, addresses counted from there and with versions."""
    folder = posixpath.dirname(name)

    def place(address: str) -> str:
        return posixpath.normpath(posixpath.join(folder, address.partition("?")[0]))

    def rebase(match: re.Match[str]) -> str:
        path = place(match[2])
        file = site / path
        version = f"?v={version_of(file.read_bytes())}" if file.is_file() else ""
        return f'url("{posixpath.relpath(path, posixpath.dirname(STYLES))}{version}")'

    parts = _CSS_IMPORT.split(read(site / name))  # every second one is the address of an import
    parts[1::2] = [whole_sheet(place(address), site) for address in parts[1::2]]
    parts[::2] = [_CSS_ADDRESS.sub(rebase, part) for part in parts[::2]]
    return "".join(parts)


# Left by an earlier run: the explorers' data, which set no class.
_DATA_SCRIPT = re.compile(r"_static/explore/(?:trade/|indicator/|index\.js$)")


def write_bundles(app: Sphinx, pages: list[str]) -> None:
    """Write the one style sheet and the one script, and remove what they are made of."""
    site = Path(app.outdir)
    styles, scripts = common_files(app)
    styles = [*THEME_STYLES, *(f.filename for f in sorted(styles, key=lambda f: f.priority))]
    if not all((site / name).is_file() for name in styles):
        return  # nothing was written in this run: what an earlier one has bundled still holds
    # Settings, which stand in pages, come first: scripts that are deferred start at once, and read them.
    files = sorted(scripts, key=lambda file: (bool(file.filename), file.priority))
    taken = {*styles, IMPORTED, *REPLACED_SCRIPTS, *(str(file.filename) for file in files if file.filename)}
    unused = {name for name, need in NEEDS.items() if not any(map(need.search, pages))}
    # The first line keeps a "use strict" of one script from binding the others.
    script = ";\n"
    for file in files:
        if not file.filename:
            script += f"{file.attributes['body']}\n;\n"
        elif file.filename not in {*REPLACED_SCRIPTS, *unused}:
            script += f"{read(site / file.filename).rstrip()}\n;\n"
    beside = {path.relative_to(site).as_posix(): path for path in sorted(site.glob("_static/**/*.js"))}
    others = [read(path) for name, path in beside.items() if name not in taken and not _DATA_SCRIPT.match(name)]

    cache = Path(app.doctreedir).parent
    words, names = known_words(pages, [script, *others], cache / ".words")
    sheets = [whole_sheet(name, site) for name in styles]
    css = kept_sheet("\n".join(sheets), words, sorted(names), cache / ".styles")
    for name, text in ((STYLES, css), (SCRIPTS, script)):
        (site / name).write_text(text, encoding="utf-8", newline="\n")
    for name in taken:
        (site / name).unlink(missing_ok=True)


_STAMP = re.compile(rf'(?<=[/"])({re.escape(STYLES)}|{re.escape(SCRIPTS)})(?:\?v=\w+)?"')
_SCRIPT_FILE = re.compile(r"<script(?![^>]*\b(?:defer|async|type=))(?=[^>]*\ssrc=)")
_CHARSET = re.compile(r"<meta charset=[^>]*>")


def finish_page(page: str) -> str:
    """A page with its policy, and with scripts that wait; a finished page stays as it is."""
    page = page.replace(' onclick="window.print()"', ' data-print=""')
    page = _SCRIPT_FILE.sub("<script defer", page)
    if 'http-equiv="Content-Security-Policy"' not in page:
        page = _CHARSET.sub(lambda m: f"{m[0]}\n{_POLICY_TAG}", page, count=1)
    return page


def stamp(page: str, versions: dict[str, str]) -> str:
    """A page with the versions of the files that it loads; with none of them, without any."""
    return _STAMP.sub(lambda m: f'{m[1]}?v={versions[m[1]]}"' if versions else f'{m[1]}"', page)


def finish_site(app: Sphinx, exception: Exception | None) -> None:
    """Bundle styles and scripts, and finish every page."""
    if exception or not is_site(app) or not hasattr(app.builder, "_orig_css_files"):  # nothing was to be written
        return
    site = Path(app.outdir)
    before = {path: read(path) for path in site_pages(site)}
    pygments = site / "_static" / "pygments.css"  # part of the book's style sheet afterwards
    names = token_names(read(pygments)) if pygments.is_file() else {}
    # Pages of an earlier run are finished; only addresses may change in them.
    slim = {path: page if _POLICY_TAG in page else slim_code(page, names) for path, page in before.items()}
    pages = {path: stamp(finish_page(page), {}) for path, page in slim.items()}
    write_bundles(app, list(pages.values()))
    versions = {name: version_of((site / name).read_bytes()) for name in (STYLES, SCRIPTS)}
    for path, page in pages.items():
        if (finished := stamp(page, versions)) != before[path]:
            path.write_text(finished, encoding="utf-8", newline="\n")


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the steps; they come after all others'."""
    app.connect("html-page-context", prepare_page, priority=950)
    app.connect("build-finished", finish_site, priority=950)
    return {
        "version": "1.0",
        "env_version": crc32(Path(__file__).read_bytes()),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
