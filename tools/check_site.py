"""Check the built book, every page of it: ``python -m tools.check_site [folder]``.

Reported are: missing or empty pages, links and anchors that lead nowhere, anything a browser would
fetch from another site, pictures without a description, empty figures, error messages, unresolved
references, and paths of the machine that built it. All problems are listed, not only the first.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import posixpath
import re
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.environment import BUILD, ROOT, files, say

MACHINE_PATH = re.compile(
    r"(?<![\w.:/\-])/(?:home|Users|root|tmp|private|var/folders)/[\w.\-]+"
    r"|\b[A-Z]:\\+(?:Users|Windows)\\|file:///\w"
)
FILE_NAME = re.compile(r"^\S+\.(?:png|svg|jpe?g|gif|webp)$", re.I)
FIGURE_CLASS = "tb-figure"

_VOID = set("area base br col embed hr img input link meta param source track wbr".split())
_DRAWN = set("path line polyline polygon rect circle ellipse text use image".split())
_LOADING_RELS = set(
    "stylesheet icon shortcut apple-touch-icon mask-icon preload modulepreload prefetch "
    "preconnect dns-prefetch "
    "prerender manifest pingback".split()
)
_UNRESOLVED = re.compile(r"\{[a-zA-Z][\w:+\-]*\}`|\{\{.*?\}\}|\[\^[\w\-]+\]|\?\?")
_REMOTE = re.compile(r"^(?:https?|wss?|ftp):|^//", re.I)
_CSS_URL = re.compile(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"'\s]*))\s*\)|@import\s+["']([^"']+)["']""", re.I)
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.S)
_SCRIPT_LOAD = re.compile(
    r"""(?:\bimport\b|\bfrom\b|\bfetch|\bimportScripts|\bsendBeacon|\.(?:src|href)\s*=)"""
    r"""\s*\(?\s*["'`]((?:https?:)?//[^"'`]+)"""
)
_SCRIPT_FILE = re.compile(r"""["'`]((?:https?:)?//[^"'`\s]+\.(?:m?js|css|wasm|woff2?)(?:\?[^"'`]*)?)["'`]""")


@dataclass
class Figure:
    """A ``<figure class="tb-figure">``: how it describes itself and how much it shows."""

    label: str = ""
    drawn: int = 0


@dataclass
class Page:
    """What the checks need to know of one page."""

    title: str = ""
    language: str = ""
    text: list[str] = field(default_factory=list)  # visible text outside code
    words: int = 0  # words in <main> or <article>
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)  # a reader may follow them
    resources: list[str] = field(default_factory=list)  # a browser fetches them by itself
    local_references: list[str] = field(default_factory=list)  # ids used inside the page
    images: list[tuple[str, str | None]] = field(default_factory=list)  # source, alternative text
    figures: list[Figure] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)  # what it tells of the machine that built it
    redirect: bool = False


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[tuple[str, bool]] = []  # tag, and whether it opened a figure
        self.figures: list[Figure] = []

    def inside(self, *tags: str) -> bool:
        return any(tag in tags for tag, _ in self.open)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attributes}
        classes = at.get("class", "").split()
        figure = tag == "figure" and FIGURE_CLASS in classes
        if figure:
            self.figures.append(Figure())
            self.page.figures.append(self.figures[-1])
        if self.figures:
            self.figures[-1].drawn += tag in _DRAWN or (tag == "img" and bool(at.get("src")))
            if at.get("role") == "img" and at.get("aria-label", "").strip():
                self.figures[-1].label = at["aria-label"].strip()
        if tag not in _VOID:
            self.open.append((tag, figure))
        self._record(tag, at, classes)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def _record(self, tag: str, at: dict[str, str], classes: list[str]) -> None:
        page = self.page
        if at.get("id"):
            page.ids.append(at["id"])
        if tag == "a" and at.get("name"):
            page.ids.append(at["name"])
        if tag == "html":
            page.language = at.get("lang", "")
        if tag in ("a", "area") and "href" in at:
            page.links.append(at["href"])
        elif tag == "form" and at.get("action"):
            page.links.append(at["action"])
        elif tag == "link" and at.get("href"):
            loading = _LOADING_RELS & set(at.get("rel", "").lower().split())
            if loading or not _REMOTE.match(at["href"]):
                page.resources.append(at["href"])
        elif tag == "base":
            page.errors.append("a <base> element changes where every link leads")
        elif tag == "meta" and at.get("http-equiv", "").lower() == "refresh":
            page.redirect = True
            page.links.append(at.get("content", "").partition("url=")[2])
        elif tag in ("use", "image"):
            target = at.get("href") or at.get("xlink:href", "")
            if target:
                (page.local_references if target.startswith("#") else page.resources).append(target.removeprefix("#"))
        for name in ("src", "poster", "data") if tag != "data" else ():
            if at.get(name) and (name != "data" or tag == "object"):
                page.resources.append(at[name])
        if at.get("srcset"):
            page.resources.extend(part.split()[0] for part in at["srcset"].split(",") if part.split())
        for name in ("aria-labelledby", "aria-describedby", "aria-controls"):
            page.local_references.extend(at.get(name, "").split())
        for name, value in at.items():
            if name == "style" or "url(" in value:
                page.styles.append(value)
        # an empty description marks decoration: for the frame of a page, not for its content
        if tag == "img" and (self.inside("article") or at.get("alt") != ""):
            page.images.append((at.get("src", ""), at.get("alt")))
        if {"traceback", "system-message", "problematic"} & set(classes):
            page.errors.append(f"an error message of the build is on the page (class {' '.join(classes)})")
        if (
            tag == "script"
            and "src" not in at
            and at.get("type", "") not in ("application/json", "application/ld+json")
        ):
            page.scripts.append("")
        if tag == "style":
            page.styles.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in (name for name, _ in self.open):
            return
        while self.open:
            name, figure = self.open.pop()
            if figure:
                self.figures.pop()
            if name == tag:
                break

    def handle_data(self, data: str) -> None:
        page = self.page
        last = self.open[-1][0] if self.open else ""
        if last == "script":
            if page.scripts:
                page.scripts[-1] += data
        elif last == "style":
            if page.styles:
                page.styles[-1] += data
        elif last == "title" and not self.inside("svg"):
            page.title += data
        elif data.strip():
            if "Traceback (most recent call last)" in data:
                page.errors.append("a Python traceback is on the page")
            if self.inside("main", "article"):
                page.words += len(data.split())
            if not self.inside("pre", "code", "svg", "math", "textarea"):
                page.text.append(data)


def parse(html: str) -> Page:
    """Read a page, or the HTML that a notebook cell has put out."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    return parser.page


def read_pages(folder: Path, names: list[str], keep: Path | None) -> dict[str, Page]:
    """Read pages; those that are as they were when the file `keep` was written are taken from there."""
    recipe = hashlib.sha256(Path(__file__).read_bytes() + str(ROOT).encode()).hexdigest()
    try:
        known = json.loads(keep.read_text("utf-8")) if keep else {}
        known = known["pages"] if known["recipe"] == recipe else {}
    except (OSError, ValueError, KeyError, TypeError):
        known = {}
    pages, found = {}, {}
    for name in names:
        content = (folder / name).read_bytes()
        total = hashlib.sha256(content).hexdigest()
        if name in known and known[name][0] == total:
            found[name] = known[name]
            about = known[name][1]
            images = [tuple(image) for image in about["images"]]
            pages[name] = Page(**about | {"figures": [Figure(**one) for one in about["figures"]], "images": images})
        else:
            html = content.decode("utf-8")
            pages[name] = parse(html)
            for match in sorted({match[0] for match in MACHINE_PATH.finditer(html)}):
                pages[name].paths.append(f"holds a path of the machine that built it ({match})")
            if str(ROOT) in html:
                pages[name].paths.append("holds the path of the folder that the book was built in")
            found[name] = [total, asdict(pages[name])]
    if keep and found != known:
        part = keep.with_name(keep.name + ".part")
        part.write_text(json.dumps({"recipe": recipe, "pages": found}), "utf-8")
        os.replace(part, keep)
    return pages


def figure_problems(page: Page) -> list[str]:
    """What is wrong with the house figures of a page."""
    problems = []
    for number, figure in enumerate(page.figures, 1):
        if not figure.drawn:
            problems.append(f"figure {number} is empty")
        if not figure.label:
            problems.append(f'figure {number} has no description (role="img" with an aria-label)')
        elif FILE_NAME.match(figure.label):
            problems.append(f"figure {number} is described by a file name ({figure.label})")
    return problems


def css_targets(css: str) -> list[str]:
    """Every address that a style sheet loads."""
    return [next(filter(None, match), "") for match in _CSS_URL.findall(_CSS_COMMENT.sub("", css))]


def script_targets(script: str, inline: bool) -> list[str]:
    """Addresses on other sites that a script loads; inline, also those that it keeps for later."""
    if "//" not in script:  # as in the explorers' data, which are long
        return []
    found = _SCRIPT_LOAD.findall(script)
    return found + _SCRIPT_FILE.findall(script) if inline else found


class Site:
    """A built book: all its files, and the problems found in them."""

    def __init__(self, folder: Path, keep: Path | None = None) -> None:
        self.folder = folder
        self.files = {path.relative_to(folder).as_posix() for path in files([folder])}
        # what lies in _static are parts of pages and templates that the theme leaves there; lite/ is an application
        # of others, whose requests tests/test_lite.py watches in a browser
        own = [name for name in self.files if not name.startswith("lite/")]
        names = sorted(name for name in own if name.endswith(".html") and not name.startswith("_"))
        self.pages = read_pages(folder, names, keep)
        self.ids = {name: set(page.ids) for name, page in self.pages.items()}
        self.problems: list[str] = []

    def report(self, name: str, problem: str) -> None:
        """Note a problem once."""
        if (line := f"{name}: {problem}") not in self.problems:
            self.problems.append(line)

    def target(self, name: str, address: str) -> tuple[str, str] | None:
        """File and anchor that an address on page `name` means; None for one on another site."""
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            return None
        path = unquote(parts.path)
        found = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
        if path.endswith("/") or found == ".":
            found = posixpath.normpath(posixpath.join(found, "index.html"))
        return found, unquote(parts.fragment)

    def check_link(self, name: str, address: str, resource: bool = False) -> None:
        """Report an address that leads nowhere, or that fetches something from another site."""
        address = address.strip()
        if resource and _REMOTE.match(address):
            self.report(name, f"fetches something from another site: {address}")
            return
        if address.startswith("/"):
            if name == "404.html":  # shown for addresses of any depth, so its links can't be relative
                return
            self.report(
                name,
                f"{address} starts at the server's root, which fails below a sub-path or from a folder",
            )
            return
        if (found := self.target(name, address)) is None:
            return
        path, anchor = found
        if path not in self.files:
            self.report(name, f"{address} leads to nothing")
        elif path in self.ids and not resource:
            anchor = anchor.partition(":~:")[0]  # what follows marks words to highlight
            if anchor not in {"", "top"} | self.ids[path]:
                self.report(name, f"{address} leads to an anchor that is not there")

    def check_page(self, name: str) -> None:
        """Report what is wrong with one page."""
        page = self.pages[name]
        for address in page.links:
            self.check_link(name, address)
        for address in page.resources:
            self.check_link(name, address, resource=True)
        for style in page.styles:
            for address in css_targets(style):
                if address.startswith("#"):
                    page.local_references.append(address[1:])
                elif not address.startswith("data:"):
                    self.check_link(name, address, resource=True)
        for script in page.scripts:
            for address in script_targets(script, inline=True):
                self.report(name, f"a script would fetch something from another site: {address}")
        if page.redirect:
            return
        if not page.title.strip() or not page.language:
            self.report(name, "has no title, or does not say its language")
        twice = {one for one, number in Counter(page.ids).items() if number > 1}
        for reference in page.local_references:
            if reference not in self.ids[name]:
                self.report(name, f"something refers to #{reference}, which is not on the page")
            elif reference in twice:
                self.report(name, f"something refers to #{reference}, which is on the page more than once")
        for source, alternative in page.images:
            if not (alternative or "").strip():
                self.report(name, f"the picture {source} has no alternative text")
            elif FILE_NAME.match(alternative.strip()):
                self.report(name, f"the alternative text of the picture {source} is a file name")
        for problem in [*figure_problems(page), *page.errors]:
            self.report(name, problem)
        for text in page.text:
            if match := _UNRESOLVED.search(text):
                self.report(name, f"unresolved markup {match[0]!r} in “{' '.join(text.split())[:80]}”")
        for problem in page.paths:
            self.report(name, problem)

    def check(self, expected: list[str]) -> list[str]:
        """All problems of the site, which must have the `expected` pages."""
        for name in expected:
            if name not in self.pages:
                self.report(name, "this page of the table of contents was not built")
            elif self.pages[name].words < 50:
                self.report(name, f"the page is all but empty ({self.pages[name].words} words)")
        if "index.html" not in self.pages:
            self.report("index.html", "the book has no first page")
        for name in self.pages:
            self.check_page(name)
        for name in sorted(self.files):
            if name.startswith("lite/"):
                continue
            if name.endswith(".css"):
                for address in css_targets((self.folder / name).read_text("utf-8")):
                    if not address.startswith(("data:", "#")):
                        self.check_link(name, address, resource=True)
            elif name.endswith((".js", ".mjs")):
                for address in script_targets((self.folder / name).read_text("utf-8"), inline=False):
                    self.report(name, f"would fetch something from another site: {address}")
        return self.problems


def expected_pages(toc: Path) -> list[str]:
    """The pages that the table of contents promises."""
    from sphinx_external_toc.parsing import parse_toc_yaml

    site_map = parse_toc_yaml(toc)
    return [f"{posixpath.splitext(name)[0] if name.endswith(('.md', '.ipynb')) else name}.html" for name in site_map]


def main(arguments: list[str] | None = None) -> int:
    """Command line: check a built book and list its problems."""
    parser = argparse.ArgumentParser(prog="python -m tools.check_site", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=BUILD / "html", help="default: _build/html")
    parser.add_argument("--toc", type=Path, default=ROOT / "_toc.yml", help="default: _toc.yml of this book")
    parser.add_argument("--keep", type=Path, help="a file that remembers what was read of each page")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        print(
            f"There is no built book in {options.folder}: build it first (make book).",
            file=sys.stderr,
        )
        return 1
    if not options.toc.is_file():
        print(
            f"There is no table of contents {options.toc}: restore it from the repository.",
            file=sys.stderr,
        )
        return 1
    site = Site(options.folder, options.keep)
    problems = site.check(expected_pages(options.toc))
    for problem in problems:
        say(f"  {problem}")
    if problems:
        print(
            f"Problems in the built book: {len(problems)}, listed above. Correct them and build again.",
            file=sys.stderr,
        )
        return 1
    say(
        f"{len(site.pages)} pages: every link, anchor, picture and figure is in order, nothing comes from another site."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
