"""Sphinx extension: what other pages show of the chapters: their figures, small, their goals, the audit's score.

``{drawing}`` shows a figure of a notebook: its phone form with words (``:form: small``), or only its lines and areas
(``:form: sketch``), which stand for a chapter and say nothing by themselves. ``{other-chapters}`` puts in a card for
each numbered chapter that the page itself does not name, and ``{learning-goals}`` the goals and sections of all of
them. ``{score}`` draws how many statements got which verdict, and ``{verdict-count}`` gives one of these numbers in the
text. All of it comes from the notebooks, so nothing here is drawn, counted or repeated by hand.
"""

from __future__ import annotations

import html
import json
import posixpath
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from functools import cache
from pathlib import Path
from zlib import crc32

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole
from tb_claims import KINDS
from tb_numbers import glued

LOGGER = logging.getLogger(__name__)

SKETCH = (440, 116)  # width and height of a sketch
_FIGURE = r'<figure class="tb-figure" id="{}">.*?</figure>'
_PLOT = re.compile(
    r'<div class="tb-plot tb-(wide|narrow)" role="img" aria-label="([^"]*)"[^>]*>(<svg\b.*?</svg>)', re.DOTALL
)
_NUMBER = re.compile(r"<strong>(Figure \S+?)\. ")
_NAME = re.compile(r'<figure class="tb-figure" id="([^"]+)"')
_TITLE, _QUESTION = re.compile(r"^# +(.+)$", re.M), re.compile(r"^\*\*(.+)\*\*$", re.M)
_FINDING = re.compile(r"^:class: tb-findings\n.*?\{glue:text\}`(\w+)`", re.M | re.S)
_CHAPTER = re.compile(r"\d+ · ")
_GOALS = re.compile(r"^(?:`{3,}|:{3,})\{admonition\}[^\n]*\n:class: tb-objectives\n(.*?)^(?:`{3,}|:{3,})$", re.M | re.S)
_LOCAL = re.compile(r"\]\(([\w./-]+\.(?:ipynb|md))")  # in a link to another page
_SECTION = re.compile(r"^\(([\w-]+)\)=\n## ", re.M)
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_WORDS = re.compile(r"-(?:matplotlib\.axis|legend|text)_\d+$")  # groups with ticks, labels and keys
_POINT = re.compile(r"(-?[\d.]+) (-?[\d.]+)")


@cache
def figure_of(notebook: Path, name: str) -> tuple[str, dict[str, str], str]:
    """Of a figure stored in a notebook: its number, its drawings by width, and its alternative text.

    Raises
    ------
    KeyError
        If the notebook has no figure of that name.
    """
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            markup = "".join(output.get("data", {}).get("text/html", ""))
            if found := re.search(_FIGURE.format(re.escape(name)), markup, re.DOTALL):
                plots = {width: drawing for width, _, drawing in _PLOT.findall(found[0])}
                return _NUMBER.search(found[0])[1], plots, html.unescape(_PLOT.search(found[0])[2])
    raise KeyError(name)


def sketch(drawing: str) -> str:
    """The lines and areas of a drawing without words, ticks and frame, stretched to the size of all sketches."""
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(drawing)
    xs: list[float] = []
    ys: list[float] = []

    def strip(parent: ElementTree.Element) -> None:
        for child in list(parent):
            name = child.get("id", "")
            if child.tag == f"{{{_SVG}}}text" or _WORDS.search(name):
                parent.remove(child)
                continue
            if re.search(r"-axes_\d+$", name):  # its first part is its ground, which says where it stands
                points = _POINT.findall(child.find(f".//{{{_SVG}}}path").get("d", ""))
                xs.extend(float(x) for x, _ in points)
                ys.extend(float(y) for _, y in points)
            strip(child)

    strip(root)
    width, height = SKETCH
    across, down = width / (max(xs) - min(xs)), height / (max(ys) - min(ys))
    inside = ElementTree.Element(f"{{{_SVG}}}g")
    inside.set("transform", f"scale({across:.4f} {down:.4f}) translate({-min(xs):.2f} {-min(ys):.2f})")
    inside.extend(list(root))
    root[:] = [inside]
    root.set("viewBox", f"0 0 {width} {height}")
    return ElementTree.tostring(root, encoding="unicode")


class Drawing(SphinxDirective):
    """``{drawing} page:figure``: the page is a notebook, named from the folder of the page that uses it."""

    required_arguments = 1
    option_spec = {"form": lambda value: directives.choice(value, ("small", "sketch"))}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        page, _, name = self.arguments[0].partition(":")
        notebook = (Path(self.env.doc2path(self.env.docname)).parent / page).with_suffix(".ipynb")
        try:
            number, drawings, alt = figure_of(notebook, name)
        except (OSError, KeyError):
            LOGGER.warning("no notebook %s has a figure “%s”", page, name, location=self.get_location())
            return []
        self.env.note_dependency(str(notebook))
        if self.options.get("form") == "sketch":
            drawn = f'<div class="tb-plot tb-sketch tb-web" aria-hidden="true">{sketch(drawings["wide"])}</div>'
            return [nodes.raw("", drawn, format="html")]
        label = html.escape(f"{alt} ({number})")
        drawn = f'<div class="tb-plot tb-small" role="img" aria-label="{label}">{drawings["narrow"]}</div>'
        return [nodes.raw("", drawn, format="html")]


def opening_of(notebook: Path) -> tuple[str, str, str]:
    """Of a chapter the title, the question below it, and the name of its first finding: all in its first cell."""
    first = "".join(json.loads(notebook.read_text("utf-8"))["cells"][0]["source"])
    found = (_TITLE.search(first), _QUESTION.search(first), _FINDING.search(first))
    title, question, finding = (match[1].strip() if match else "" for match in found)
    return title, question, finding


def first_figure_of(notebook: Path) -> str:
    """The name of the first figure of a notebook; empty if it has none."""
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            if found := _NAME.search("".join(output.get("data", {}).get("text/html", ""))):
                return found[1]
    return ""


class OtherChapters(SphinxDirective):
    """``{other-chapters}``: cards of the numbered chapters beside this page that it does not name itself."""

    def run(self) -> list[nodes.Node]:
        here = Path(self.env.doc2path(self.env.docname))
        named = here.read_text("utf-8")
        cards: list[str] = []
        for notebook in sorted(here.parent.glob("*.ipynb")):
            self.env.note_dependency(str(notebook))  # also of one that is left out, as it may not be the next time
            title, question, finding = opening_of(notebook)
            docname = notebook.with_suffix("").relative_to(self.env.srcdir).as_posix()
            if f"<{notebook.stem}>" in named or docname not in self.env.found_docs or not _CHAPTER.match(title):
                continue
            name = first_figure_of(notebook)
            drawing = [f"```{{drawing}} {notebook.stem}:{name}", ":form: sketch", "```", ""] if name else []
            cards += ["::::{div} tb-chapter", *drawing, f"{{doc}}`{notebook.stem}`", "", question, ""]
            cards += [f"{{computed}}`{notebook.stem}:{finding}`" if finding else "", "::::", ""]
        return self.parse_text_to_nodes("\n".join(cards)) if cards else []


class LearningGoals(SphinxDirective):
    """``{learning-goals}``: of each numbered chapter its goals, what it asks of a reader, and links to its sections."""

    def run(self) -> list[nodes.Node]:
        root = Path(self.env.doc2path(self.config.root_doc)).parent
        here = Path(self.env.doc2path(self.env.docname)).parent
        lines: list[str] = []
        for notebook in sorted(root.glob("*.ipynb")):
            self.env.note_dependency(str(notebook))
            cells = json.loads(notebook.read_text("utf-8"))["cells"]
            text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
            goals = _GOALS.search(text)
            if not goals or not _CHAPTER.match(opening_of(notebook)[0]):
                continue
            docname = notebook.with_suffix("").relative_to(self.env.srcdir).as_posix()
            way = posixpath.relpath(root, here)  # addresses in the box are written for the chapter's own folder
            box = _LOCAL.sub(rf"]({way}/\1", goals[1].strip())
            sections = [f"{{ref}}`{label}`" for label in _SECTION.findall(text)]
            lines += [f"**{{doc}}`/{docname}`**", "", box, ""]
            lines += [f"*Sections:* {', '.join(sections)}.", ""] if sections else []
        goals = self.parse_text_to_nodes("\n".join(lines)) if lines else []
        return [nodes.container("", *goals, classes=["tb-repeat"])]


class FigureLink(SphinxRole):
    """``{figure-link}`page:figure```: the number of a figure, leading to it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        page, _, name = self.text.partition(":")
        notebook = (Path(self.env.doc2path(self.env.docname)).parent / page).with_suffix(".ipynb")
        try:
            number, _, _ = figure_of(notebook, name)
        except (OSError, KeyError):
            LOGGER.warning("no notebook %s has a figure “%s”", page, name, location=self.get_location())
            return [], []
        self.env.note_dependency(str(notebook))
        target = str(notebook.relative_to(self.env.srcdir).with_suffix("").as_posix())
        return [nodes.reference("", number, internal=True, tb_figure=(target, name))], []


def link_to_figures(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give the links to figures their addresses."""
    for link in doctree.findall(lambda node: isinstance(node, nodes.reference) and "tb_figure" in node):
        page, name = link["tb_figure"]
        link["refuri"] = f"{app.builder.get_relative_uri(docname, page)}#{name}"


def verdicts(notebook: Path) -> Counter[str]:
    """How many statements got which verdict, by the list's own notebook."""
    return Counter(json.loads(glued(notebook).get("verdicts", "{}")).values())


class Score(SphinxDirective):
    """``{score}``: one bar for all statements, a part for each verdict, and what the parts are."""

    def run(self) -> list[nodes.Node]:
        notebook = Path(self.env.srcdir, self.config.tb_claims_page + ".ipynb")
        self.env.note_dependency(str(notebook))
        counts = verdicts(notebook)
        if not counts:
            LOGGER.warning("no notebook has glued “verdicts”", location=self.get_location())
            return []
        total, at, parts, keys = sum(counts.values()), 0.0, [], []
        for verdict, kind in KINDS.items():
            share = 1000 * counts[verdict] / total
            parts.append(f'<rect class="tb-{kind}" x="{at:.1f}" width="{max(share - 2, 1):.1f}" height="10"/>')
            keys.append(
                f'<li><span class="tb-verdict tb-{kind}">{verdict}</span> <span>{counts[verdict]:,}</span></li>'
            )
            at += share
        words = ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in KINDS)
        bar = f'<svg viewBox="0 0 1000 10" width="1000" height="10" preserveAspectRatio="none">{"".join(parts)}</svg>'
        drawn = (
            f'<div class="tb-score"><div class="tb-bar" role="img" aria-label="Of {total:,} statements: {words}.">'
            f'{bar}</div><ul class="tb-key">{"".join(keys)}</ul></div>'
        )
        return [nodes.raw("", drawn, format="html")]


class VerdictCount(SphinxRole):
    """``{verdict-count}`confirmed```: how many statements got this verdict."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        notebook = Path(self.env.srcdir, self.config.tb_claims_page + ".ipynb")
        self.env.note_dependency(str(notebook))
        if self.text not in KINDS:
            LOGGER.warning("there is no verdict “%s”", self.text, location=self.get_location())
            return [], []
        return [nodes.Text(f"{verdicts(notebook)[self.text]:,}")], []


def setup(app: Sphinx) -> dict[str, object]:
    """Register directives and roles."""
    app.add_directive("drawing", Drawing)
    app.add_directive("other-chapters", OtherChapters)
    app.add_directive("learning-goals", LearningGoals)
    app.add_directive("score", Score)
    app.add_role("figure-link", FigureLink())
    app.add_role("verdict-count", VerdictCount())
    app.connect("doctree-resolved", link_to_figures)
    return {
        "version": "1.0",
        "env_version": crc32(Path(__file__).read_bytes()),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
