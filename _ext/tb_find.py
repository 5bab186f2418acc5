"""Sphinx extension: what helps to find things: a search that also works from a folder, previews, anchors.

When the pages are written, two scripts with data are made of them: what the search page looks through (pages,
sections, figures, tables, statements, terms, works) and what a link's preview shows (terms, works, figures). They are
scripts because a page opened from a folder on disk may load those, but may not read other files. The search page
loads the first; the second is loaded with the first preview. ``_static/navigate.js`` uses both.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from zlib import crc32

from bs4 import BeautifulSoup
from bs4.element import Tag
from docutils import nodes
from sphinx.application import Sphinx
from tb_kept import worked_out

SEARCH, PREVIEWS = "_find/search.js", "_find/previews.js"
# Sphinx's own search, which reads pages over the network.
UNUSED = ("searchindex.js", "_static/searchtools.js", "_static/language_data.js")
MOST_OF_A_FIGURE = 140  # characters: what it shows is said first, single values come later
_LABEL = re.compile(
    r'(<figure class="tb-(?:figure|table)" id="([^"]+)">\s*<figcaption[^>]*>\s*<strong>)'
    r"(\w+ [\w.]*\w)(.*?)(</strong>)",
    re.DOTALL,
)
_ADDRESS = re.compile(r"(?:URL|doi)\s*:\s*\S+|\[\s*link\s*\]")
_LOADED = re.compile(rf'(?<=")({re.escape(SEARCH)})(?:\?v=\w+)?(?=")')
_NAME = re.compile(r"(?<=[a-z,(] )[A-ZА-Я][\w’'-]{3,}")  # not at the start of a sentence
_LISTING = re.compile(r'<div class="highlight">.*?</pre>', re.DOTALL)
_SILENT = re.compile(r"<(svg|script|style|math)\b.*?</\1>", re.DOTALL)
_FORMULA = re.compile(r'<math\b[^>]*\balttext="([^"]*)"[^>]*>.*?</math>', re.DOTALL)
# What repeats another page (`tb-repeat`), or stands in every chapter (`tb-fork`), is found where it is said first.
_NO_TEXT = {"headerlink", "tb-mark", "tb-source", "tb-repeat", "tb-fork", "visually-hidden", "cell_input", "highlight"}


def add_anchors(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Give each figure and table the link to itself that headings have."""
    if app.builder.format != "html" or not context.get("body"):
        return

    def lead(match: re.Match[str]) -> str:
        before, name, label, title, end = match.groups()
        link = f'<a class="headerlink" href="#{name}" title="Link to this {label.split()[0].lower()}">#</a>'
        return f"{before}{label}{title}{link}{end}"

    context["body"] = _LABEL.sub(lead, context["body"])


def words_of(part: Tag | None) -> str:
    """The text of a part of a page, in one line."""
    return " ".join(part.get_text(" ").split()) if part is not None else ""


def tidy(text: str) -> str:
    """Text without the blanks that a change of element leaves before punctuation."""
    return re.sub(r"\s+([.,;:!?)\]”’])", r"\1", re.sub(r"([(\[“])\s+", r"\1", text))


def article_of(page: str) -> Tag | None:
    """The text of a page, without drawings, code and controls; a formula is its LaTeX source."""
    page = _SILENT.sub("", _FORMULA.sub(lambda m: m[1], page))
    article = BeautifulSoup(page, "lxml").find("article")
    for part in article.find_all(_is_no_text) if article else ():
        part.decompose()
    return article


def _is_no_text(part: Tag) -> bool:
    return part.name in ("nav", "button") or not _NO_TEXT.isdisjoint(part.get("class", ()))


def names_in(remark: str) -> str:
    """Of a remark on a statement, what a reader may look for: the intended reading of a slip, and the first names."""
    before, _, meant = remark.partition("Likely intended reading: ")
    names = list(dict.fromkeys(_NAME.findall(before)))[:3]
    return " ".join(filter(None, [meant[:80], *names]))


def entries_of(article: Tag) -> list[tuple[str, str, str, str]]:
    """What can be found on a page: kind, anchor, title and text of each, taking them out of what contains them.

    Of a table the heads of its rows and columns count, not what its cells hold; of a statement what its document says.
    """
    found: list[tuple[str, str, str, str]] = []
    for row in article.select("figure.tb-table tr:has(> th > a[id])"):
        cells = row.find_all("td")
        link = row.find("a", id=True)
        if len(cells) >= 4:
            remark = words_of(cells[1].find("small"))
            for small in cells[1].find_all("small"):
                small.decompose()
            text = " ".join(filter(None, [*map(words_of, [cells[0], cells[2]]), names_in(remark)]))
            found.append(("statement", link["id"], words_of(cells[1]), text))
        row.decompose()
    for cell in article.select("tbody td + td, tbody th + td, table.table thead"):
        cell.decompose()
    for figure in article.select("figure.tb-figure, figure.tb-table"):
        kind = "figure" if "tb-figure" in figure["class"] else "table"
        strong, span = figure.find("strong"), figure.select_one("figcaption span")
        picture = figure.find(role="img")
        table = figure.find("table")
        text = " ".join(filter(None, [words_of(span), picture["aria-label"] if picture else "", words_of(table)]))
        found.append((kind, figure.get("id", ""), words_of(strong), text[:MOST_OF_A_FIGURE]))
        figure.decompose()
    for name in article.select("dl.myst > dt"):  # of a data table: said again, or of no use in a search
        if words_of(name) in ("Cite as", "Coverage", "File", "Key", "Kind", "Licence") and name.find_next_sibling("dd"):
            name.find_next_sibling("dd").decompose()
            name.decompose()
    for group in article.select("dl.glossary"):
        names: list[Tag] = []
        for part in group.find_all(["dt", "dd"], recursive=False):
            if part.name == "dt":
                names.append(part)
                continue
            title = ", ".join(words_of(name) for name in names)
            found.append(("term", names[0].get("id", "") if names else "", title, words_of(part)))
            names = []
        group.decompose()
    for work in article.select("[id].citation, div.citation[id]"):
        label = work.find(class_="label")
        if label:
            label.decompose()
        found.append(("work", work["id"], _ADDRESS.sub("", words_of(work)).strip(), ""))
        work.decompose()
    parts: list[tuple[str, str, str, str]] = []
    for section in reversed(article.find_all("section")):  # the innermost first
        heading = section.find(re.compile("^h[1-6]$"))
        title, level = words_of(heading), heading.name if heading else ""
        if heading:
            heading.decompose()
        anchor = section.get("id", "")
        text = words_of(section)
        section.decompose()
        parts.append(("page" if level == "h1" else "section", "" if level == "h1" else anchor, title, text))
    return [
        (kind, anchor, tidy(title), tidy(text)) for kind, anchor, title, text in (*reversed(parts), *found) if title
    ]


def as_script(name: str, data: object) -> str:
    """Data as a script that hands them to the page."""
    return f"window.{name}={json.dumps(data, ensure_ascii=False, separators=(',', ':'))};\n"


def found_on(page: str) -> list[list[str]] | None:
    """What can be found on a page, as `entries_of` has it; None if it has no text."""
    article = article_of(page)
    return None if article is None else [list(entry) for entry in entries_of(article)]


def read_pages(pages: Iterable[str], keep: Path | None = None, workers: int = 1) -> list[list[list[str]] | None]:
    """What can be found on each page; kept in the folder `keep` for pages that stay as they are."""
    texts = [_LISTING.sub("", page[max(page.find("<article"), 0) :]) for page in pages]
    recipe = " ".join(
        [*map(metadata.version, ("beautifulsoup4", "lxml", "soupsieve")), Path(__file__).read_text("utf-8")]
    )
    return worked_out(texts, found_on, recipe, keep, workers)


def collect(pages: dict[str, str], claims_page: str, keep: Path | None = None, workers: int = 1) -> tuple[dict, dict]:
    """Data of the search and of the previews, from the HTML of the pages by address.

    A statement stands in its chapter's audit and in the list of all; the list is what the search leads to.
    """
    titles: list[list[str]] = []
    entries: list[list] = []
    previews: dict[str, dict] = {"terms": {}, "works": {}, "figures": {}}
    for address, found in zip(pages, read_pages(pages.values(), keep, workers), strict=True):
        if found is None:
            continue
        name = next((title for kind, _, title, _ in found if kind == "page"), "")
        titles.append([address, name])
        for kind, anchor, title, text in found:
            if kind == "statement" and address != claims_page:
                continue
            entries.append([kind, len(titles) - 1, anchor, title, text])
            if kind == "term":
                previews["terms"][anchor] = [title, text]
            elif kind == "work":
                previews["works"][anchor] = title
            elif kind in ("figure", "table"):
                previews["figures"][anchor] = title
    return {"pages": titles, "entries": entries}, previews


def write_data(app: Sphinx, exception: Exception | None) -> None:
    """Write the data of search and previews, and remove the search that they replace."""
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    target = app.builder.get_target_uri
    pages = {target(name): out / target(name) for name in _reading_order(app)}
    texts = {address: path.read_text(encoding="utf-8") for address, path in pages.items() if path.is_file()}
    keep = Path(app.doctreedir).parent / ".find"
    search, previews = collect(texts, target(app.config.tb_claims_page), keep, app.parallel)
    # A term has several names, and a preview is asked for by any of them.
    glossary = texts.get(target(app.config.tb_glossary), "")
    previews["terms"] = _for_every_name(glossary, previews["terms"])
    for file, name, data in ((SEARCH, "tbSearchData", search), (PREVIEWS, "tbPreviewData", previews)):
        (out / file).parent.mkdir(exist_ok=True)
        (out / file).write_text(as_script(name, data), encoding="utf-8", newline="\n")
    if (page := out / "search.html").is_file():  # another content has another address, and can be kept for ever
        version = hashlib.sha256((out / SEARCH).read_bytes()).hexdigest()[:10]
        text = page.read_text(encoding="utf-8")
        page.write_text(_LOADED.sub(rf"\1?v={version}", text), encoding="utf-8", newline="\n")
    for name in UNUSED:
        (out / name).unlink(missing_ok=True)


def _for_every_name(glossary: str, terms: dict[str, list[str]]) -> dict[str, list[str]]:
    """The definitions by the anchors of all names of a term."""
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for anchor, _end in re.findall(r'<dt\b[^>]*\bid="(term-[^"]+)"|(</dd>)', glossary):
        if anchor:
            names.append(html.unescape(anchor))
        elif names:
            found |= {name: terms[names[0]] for name in names if names[0] in terms}
            names = []
    return found


def _reading_order(app: Sphinx) -> list[str]:
    """The pages as the table of contents lists them, then others."""
    ordered, waiting = [], [app.config.root_doc]
    while waiting:
        name = waiting.pop(0)
        if name not in ordered:
            ordered.append(name)
            waiting[:0] = app.env.toctree_includes.get(name, [])
    return [*ordered, *sorted(set(app.env.found_docs) - set(ordered))]


def make_no_index(app: Sphinx) -> None:
    """Spare Sphinx the index of its own search: it would be removed, and missed by the next run."""
    if app.builder.format == "html":
        for step in ("load_indexer", "index_page", "dump_search_index"):
            setattr(app.builder, step, lambda *arguments: None)


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the steps: anchors come after all who read the captions, data before the pages are finished."""
    app.setup_extension("tb_claims")  # which page lists the statements
    app.setup_extension("tb_terms")  # which page is the glossary
    app.connect("builder-inited", make_no_index)
    app.connect("html-page-context", add_anchors, priority=960)
    app.connect("build-finished", write_data, priority=920)
    return {
        "version": "1.0",
        "env_version": crc32(Path(__file__).read_bytes()),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
