"""What pages say about themselves, search data, editions, links out: from the code and from the built pages."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import xml.etree.ElementTree as ElementTree
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "_ext"))

import tb_cards
import tb_find
import tb_meta
import tb_terms

from tools import check_links, publish

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
CHAPTER = "chapters/02-bilateral-trade.html"
# Notebooks whose heading has a number.
NUMBERED = {
    f"chapters/{path.stem}.html"
    for path in (ROOT / "chapters").glob("*.ipynb")
    if re.match(r"# \d+ · ", "".join(json.loads(path.read_text("utf-8"))["cells"][0]["source"]))
}
PLACE = "https://example.org/book/latest/"
ATOM = "{http://www.w3.org/2005/Atom}"
FIGURE = (
    '<figure class="tb-figure" id="fig-one"><figcaption class="tb-head"><strong>Figure 1.1. Trade grew</strong>'
    '<span>billion dollars</span></figcaption><div class="tb-plot tb-wide" role="img" aria-label="A line that rises.">'
    '<svg viewBox="0 0 100 50" xmlns="http://www.w3.org/2000/svg"><path d="M0 50L100 0" '
    'style="stroke: var(--tb-c1, #2961be)"/></svg></div></figure>'
)


# --- a book of two pages, with and without a place on the web ------------------------------------


@pytest.fixture(scope="module")
def small_books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same two pages built without an address of their own and with one."""
    source = tmp_path_factory.mktemp("book")
    (source / "templates").mkdir()
    shutil.copy(ROOT / "_templates" / "cite-page.html", source / "templates")
    (source / "templates" / "layout.html").write_text(
        "<html><head><title>The book</title>{{ metatags }}"
        '{% if pageurl %}<link rel="canonical" href="{{ pageurl }}"/>{% endif %}</head>'
        '<body><article>{% block body %}{{ body }}{% endblock %}</article>{% include "cite-page.html" %}</body></html>'
    )
    (source / "templates" / "search.html").write_text(
        '{% extends "layout.html" %}{% block body %}<script src="_find/search.js"></script>{% endblock %}'
    )
    (source / "templates" / "page.html").write_text('{% extends "layout.html" %}')
    for name in ("CITATION.cff", "CHANGELOG.md"):
        shutil.copy(ROOT / name, source)
    (source / "_static").mkdir()
    shutil.copy(ROOT / "_static" / "logo.svg", source / "_static")
    indented = "\n".join(f"   {line}" for line in FIGURE.splitlines())
    (source / "index.rst").write_text("The book\n========\n\nFirst.\n\n.. toctree::\n\n   one\n   words\n")
    (source / "one.rst").write_text(
        f"1 · Trade & growth\n==================\n\nTariff lines and a tariff line.\n\n.. raw:: html\n\n{indented}\n"
    )
    (source / "words.rst").write_text(
        "Words\n=====\n\n.. glossary::\n\n   tariff line\n      The most detailed code of a tariff.\n"
    )
    found = {}
    for kind, place in (("nowhere", ""), ("placed", PLACE)):
        settings = {
            "extensions": ["tb_meta", "tb_cards", "tb_find", "tb_terms"],
            "html_baseurl": place,
            "templates_path": ["templates"],
            "html_static_path": ["_static"],
            "html_title": "The book",
            "tb_card_root": "one",
            "tb_claims_page": "claims",
            "tb_glossary": "words",
            "html_theme": "basic",
        }
        out = tmp_path_factory.mktemp(kind)
        warnings = io.StringIO()
        with docutils_namespace(), patch_docutils():
            Sphinx(str(source), None, str(out), str(out / ".trees"), "html", settings, None, warnings).build()
        assert not warnings.getvalue()
        found[kind] = out
    return found


def head(out: Path, page: str) -> BeautifulSoup:
    """A page of a small book, parsed."""
    return BeautifulSoup((out / page).read_text("utf-8"), "html.parser")


def metas(soup: BeautifulSoup) -> dict[str, str]:
    """The named values in the head of a page."""
    return {m.get("name") or m.get("property"): m["content"] for m in soup.find_all("meta", content=True)}


def linked_data(soup: BeautifulSoup) -> list[dict]:
    """What a page says of itself in schema.org's words."""
    scripts = soup.find_all("script", type="application/ld+json")
    assert len(scripts) == 1
    data = json.loads(scripts[0].string)
    assert data["@context"] == "https://schema.org"
    return data["@graph"]


def test_with_a_place_on_the_web_addresses_are_absolute(small_books: dict[str, Path]) -> None:
    out = small_books["placed"]
    soup = head(out, "one.html")
    named = metas(soup)
    assert soup.find("link", rel="canonical")["href"] == PLACE + "one.html"
    assert named["og:url"] == named["citation_public_url"] == named["DC.identifier"] == PLACE + "one.html"
    assert named["og:image"] == PLACE + "_cards/one.png"
    assert (named["og:image:width"], named["og:image:height"]) == ("1200", "630")
    assert named["og:image:alt"] == "A line that rises."
    assert named["twitter:card"] == "summary_large_image"
    chapter = linked_data(soup)[0]
    assert chapter["url"] == PLACE + "one.html" and chapter["image"] == PLACE + "_cards/one.png"
    assert chapter["isPartOf"]["url"] == PLACE + "index.html"
    places = ElementTree.parse(out / "sitemap.xml").findall(".//{*}loc")
    assert {place.text for place in places} == {PLACE + name for name in ("index.html", "one.html", "words.html")}
    assert f"Sitemap: {PLACE}sitemap.xml" in (out / "robots.txt").read_text("utf-8")
    assert 'href="/book/latest/one.html"' in (out / "404.html").read_text("utf-8")
    assert f"url       = {{{PLACE}one.html}}" in (out / "_downloads/cite/one.bib").read_text("utf-8")
    assert ElementTree.parse(out / "feed.xml").find(f"{ATOM}link[@rel='self']").get("href") == PLACE + "feed.xml"


def test_without_a_place_on_the_web_no_address_is_made_up(small_books: dict[str, Path]) -> None:
    out = small_books["nowhere"]
    soup = head(out, "one.html")
    named = metas(soup)
    assert soup.find("link", rel="canonical") is None
    assert not {"og:url", "og:image", "citation_public_url", "DC.identifier"} & set(named)
    chapter = linked_data(soup)[0]
    assert chapter["url"] == "one.html" and chapter["image"] == "_cards/one.png"
    assert not (out / "sitemap.xml").exists()
    assert "Sitemap" not in (out / "robots.txt").read_text("utf-8")
    for name in ("feed.xml", "404.html", "_downloads/cite/one.bib", "_downloads/cite/one.ris"):
        text = (out / name).read_text("utf-8").replace("http://www.w3.org/2005/Atom", "")
        assert "http:" not in text and "https:" not in text, name


def test_what_a_page_is_called(small_books: dict[str, Path]) -> None:
    named = metas(head(small_books["nowhere"], "one.html"))
    assert named["citation_title"] == named["DC.title"] == "Trade & growth"
    assert named["citation_book_title"] == CITATION["title"]
    assert named["citation_author"] == CITATION["authors"][0]["name"]
    assert named["citation_publication_date"] == str(CITATION["date-released"]).replace("-", "/")
    assert named["og:title"] == "1 · Trade & growth" and named["og:type"] == "article"
    chapter = linked_data(head(small_books["nowhere"], "one.html"))[0]
    assert (chapter["@type"], chapter["name"], chapter["position"]) == ("Chapter", "Trade & growth", 1)
    book = linked_data(head(small_books["nowhere"], "index.html"))[0]
    assert (book["@type"], book["name"]) == ("Book", CITATION["title"])
    assert [c["name"] for c in book["hasPart"]] == ["Trade & growth"]


def test_the_card_is_a_picture_of_the_right_size_and_always_the_same(small_books: dict[str, Path]) -> None:
    pictures = [(small_books[kind] / "_cards" / "one.png").read_bytes() for kind in ("nowhere", "placed")]
    assert pictures[0] == pictures[1]
    assert pictures[0].startswith(b"\x89PNG")
    assert [int.from_bytes(pictures[0][at : at + 4], "big") for at in (16, 20)] == [1200, 630]
    assert "var(" not in tb_cards.card("Book", "Title", "Finding", FIGURE[FIGURE.index("<svg") :], "<svg x='1'></svg>")


def test_lines_of_a_card_fit() -> None:
    text = "China’s high-technology exports, and how much of their value was added in China"
    lines = tb_cards.wrap(text, "Semibold", 46, 400, 5)
    assert " ".join(lines) == text and len(lines) > 3
    cut = tb_cards.wrap(text, "Semibold", 46, 400, 2)
    assert len(cut) == 2 and cut[-1].endswith(" …")


@pytest.mark.parametrize("name", ["one", "index", "words"])
def test_a_page_offers_its_citation(small_books: dict[str, Path], name: str) -> None:
    out = small_books["nowhere"]
    box = head(out, f"{name}.html").find("details", class_="tb-cite-page")
    bib = (out / f"_downloads/cite/{name}.bib").read_text("utf-8")
    assert box.find("pre").get_text().strip() == bib.strip()
    for link in box.find_all("a"):
        assert (out / link["href"]).is_file()
    assert str(CITATION["version"]) in box.find("p").get_text()
    ris = (out / f"_downloads/cite/{name}.ris").read_text("utf-8").splitlines()
    assert ris[0] == ("TY  - BOOK" if name == "index" else "TY  - CHAP") and ris[-1] == "ER  - "


def test_citations_of_persons() -> None:
    book = tb_meta.Book("A Book", (("Doe", "Jane Ann"), ("Roe", "R.")), "2.0", "2027-01-31", "", (), "10.5/x")
    page = tb_meta.Page("ch/two", "Trade", "2", False, "https://example.org/two.html")
    assert "".join(tb_meta.apa(book, page)) == (
        "Doe, J. A., & Roe, R. (2027). Trade. In A Book (Version 2.0, chapter 2). https://doi.org/10.5/x"
    )
    from pybtex.database import parse_string

    entry = parse_string(tb_meta.bibtex(book, page), "bibtex").entries["tradebook2027trade"]
    assert entry.type == "incollection" and entry.fields["booktitle"] == "A Book"
    assert [p.last_names for p in entry.persons["author"]] == [["Doe"], ["Roe"]]
    assert "AU  - Doe, Jane Ann\n" in tb_meta.ris(book, page) and "DO  - 10.5/x\n" in tb_meta.ris(book, page)


def test_the_feed_has_every_release(small_books: dict[str, Path]) -> None:
    releases = re.findall(r"^## (\S+) \((\S+)\)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    feed = ElementTree.parse(small_books["nowhere"] / "feed.xml").getroot()
    entries = feed.findall(f"{ATOM}entry")
    assert [(e.find(f"{ATOM}title").text, e.find(f"{ATOM}updated").text) for e in entries] == [
        (f"Version {version}", f"{date}T00:00:00Z") for version, date in releases
    ]
    assert all("<li>" in e.find(f"{ATOM}content").text for e in entries)
    names = [one.text for one in feed.iter(f"{ATOM}id")]
    assert len(set(names)) == len(names) and all(name.startswith("urn:uuid:") for name in names)


def test_data_tables_and_works_in_the_words_of_schema_org() -> None:
    env = SimpleNamespace(dlfiles={"data/brent.csv": ({"data"}, "abc/brent.csv")})
    app = SimpleNamespace(srcdir=ROOT, env=env, config=SimpleNamespace(tb_data_package="data/datapackage.json"))
    package = json.loads((ROOT / "data/datapackage.json").read_text("utf-8"))
    found = tb_meta._datasets(app, "data.html", "../{}".format)
    assert [d["alternateName"] for d in found] == [r["name"] for r in package["resources"]]
    for one in found:
        assert one["@type"] == "Dataset" and one["creator"] and all(one["license"]) and len(one["description"]) >= 50, (
            one
        )
    brent = next(d for d in found if d["alternateName"] == "brent")
    assert brent["temporalCoverage"] == "1987/2025"
    assert brent["distribution"] == {
        "@type": "DataDownload", "encodingFormat": "text/csv", "contentUrl": "../_downloads/abc/brent.csv",
    }  # fmt: skip
    assert sum("distribution" in d for d in found) == 1, "only what the site offers"


# --- terms, anchors, search data -------------------------------------------------------------------


def test_the_first_mention_of_a_term_is_linked(small_books: dict[str, Path]) -> None:
    soup = head(small_books["nowhere"], "one.html")
    links = soup.find_all("a", class_="tb-term")
    assert [(a.get_text(), a["href"]) for a in links] == [("Tariff lines", "words.html#term-tariff-line")]
    assert not head(small_books["nowhere"], "words.html").find_all("a", class_="tb-term")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("by PPML alone", "PPML"),
        ("the ppml", None),
        ("Gravity equations hold", "gravity equation"),
        ("a back test", "back-test"),
        ("trade diversions", "trade diversion"),
        ("elasticities differ", "elasticity"),
        ("openness-like", None),
        ("the openness of", "openness"),
    ],
)
def test_which_words_are_a_term(text: str, expected: str | None) -> None:
    terms = ["PPML", "gravity equation", "back-test", "trade diversion", "elasticity", "openness", "trade"]
    pattern, order = tb_terms.pattern_of(terms)
    match = pattern.search(text)
    assert (order[int(match.lastgroup[1:])] if match else None) == expected


def test_running_text_is_told_from_the_rest() -> None:
    inside = nodes.paragraph("", "", text := nodes.Text("openness"))
    assert tb_terms.is_running_text(text)
    nodes.section("", nodes.title("", "", heading := nodes.Text("openness")), inside)
    assert not tb_terms.is_running_text(heading)
    nodes.paragraph("", "", nodes.reference("", "", linked := nodes.Text("openness")))
    assert not tb_terms.is_running_text(linked)
    nodes.paragraph("", "", nodes.inline("", "", glued := nodes.Text("openness"), classes=["pasted-text"]))
    assert not tb_terms.is_running_text(glued)


def test_a_figure_gets_a_link_to_itself(small_books: dict[str, Path]) -> None:
    figure = head(small_books["nowhere"], "one.html").find(id="fig-one")
    assert figure.find("a", class_="headerlink")["href"] == "#fig-one"
    assert figure.find("a", class_="headerlink")["title"] == "Link to this figure"


def test_what_the_search_looks_through() -> None:
    page = (
        "<article><section id='top'><h1>Trade<a class='headerlink' href='#top'>#</a></h1><p>Intro , first.</p>"
        "<p class='tb-repeat'>Said on another page.</p>"
        f"<section id='deep'><h2>Deep</h2><p>Below.</p>{FIGURE}</section>"
        "<figure class='tb-table' id='tab-a'><figcaption><strong>Table 1. All</strong></figcaption><table><tbody>"
        "<tr><th><a id='s-1' href='#s-1'>s-1</a></th><td>confirmed</td><td>Trade grew.<br>"
        "<small>It fell in Moscow. Likely intended reading: rose.</small></td>"
        "<td>5 percent</td><td>5.1</td></tr></tbody></table></figure></section></article>"
    )
    found = tb_find.entries_of(tb_find.article_of(page))
    assert found == [
        ("page", "", "Trade", "Intro, first."),
        ("section", "deep", "Deep", "Below."),
        ("statement", "s-1", "Trade grew.", "confirmed 5 percent rose. Moscow"),
        ("figure", "fig-one", "Figure 1.1. Trade grew", "billion dollars A line that rises."),
        ("table", "tab-a", "Table 1. All", ""),
    ]


def test_the_search_page_names_the_version_of_its_data(small_books: dict[str, Path]) -> None:
    folder = small_books["nowhere"]
    version = hashlib.sha256((folder / tb_find.SEARCH).read_bytes()).hexdigest()[:10]
    loaded = [script["src"] for script in head(folder, "search.html").find_all("script", src=True)]
    assert loaded == [f"{tb_find.SEARCH}?v={version}"]


# --- editions, archive, links out ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pushed", "edition"),
    [
        ("refs/heads/main", "latest"),
        ("refs/tags/v1.0.3", "v1.0"),
        ("refs/tags/v2.10", "v2.10"),
    ],
)
def test_what_was_pushed_names_the_edition(pushed: str, edition: str) -> None:
    assert publish.edition_of(pushed) == edition


@pytest.mark.parametrize("tag", ["x", "v2", "v2.0-rc1", "v1.0.0b1", "version"])
def test_a_tag_that_is_no_version_replaces_no_edition(
    small_books: dict[str, Path], tmp_path: Path, tag: str, capsys: pytest.CaptureFixture
) -> None:
    assert publish.main([str(tmp_path / "site"), f"refs/tags/{tag}", "--site", str(small_books["nowhere"])]) == 1
    assert capsys.readouterr().err == f"“{tag}” is no tag of an edition: use one such as v1.0.0.\n"
    assert not (tmp_path / "site").exists()


def test_editions_stand_side_by_side(small_books: dict[str, Path], tmp_path: Path) -> None:
    for name, kind in (("v1.0", "nowhere"), ("v1.10", "nowhere"), ("v1.2", "nowhere"), ("latest", "placed")):
        editions = publish.publish(small_books[kind], tmp_path, name)
    assert [e["name"] for e in editions] == ["latest", "v1.10", "v1.2", "v1.0"]
    assert json.loads((tmp_path / "editions.json").read_text("utf-8")) == editions
    assert editions[0]["version"] == CITATION["version"]
    assert {"index.html", "one.html"} <= set(editions[0]["pages"]) and "404.html" not in editions[0]["pages"]
    assert "url=latest/index.html" in (tmp_path / "index.html").read_text("utf-8")
    assert (tmp_path / ".nojekyll").exists()
    assert f"Sitemap: {PLACE}sitemap.xml" in (tmp_path / "robots.txt").read_text("utf-8")
    publish.publish(small_books["nowhere"], tmp_path, "latest")  # replaced, the others stay
    assert [e["name"] for e in publish.list_editions(tmp_path)] == ["latest", "v1.10", "v1.2", "v1.0"]
    lost = (tmp_path / "404.html").read_text("utf-8")
    assert 'data-folders="latest v1.10 v1.2 v1.0"' in lost and 'data-to="latest/index.html"' in lost
    assert publish.main([str(tmp_path), "new", "--site", str(small_books["placed"])]) == 1


class Machines:
    """Machines that run the last step of the workflow that publishes, each in a clone of its own."""

    def __init__(self, folder: Path) -> None:
        steps = yaml.safe_load((ROOT / ".github" / "workflows" / "publish.yml").read_text("utf-8"))["jobs"]["publish"]
        self.script = steps["steps"][-1]["run"]
        self.folder, self.remote, self.count = folder, folder / "remote.git", 0
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.program("sleep", "exit 0")
        self.program("python3", f"exec '{sys.executable}' \"$@\"")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GITHUB_SHA": "0" * 40,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        first = folder / "first"
        (first / "tools").mkdir(parents=True)
        for name in ("__init__.py", "environment.py", "publish.py"):
            shutil.copy(ROOT / "tools" / name, first / "tools" / name)
        for command in (
            ["init", "--quiet", "--bare", "--initial-branch=main", str(self.remote)],
            ["-C", str(first), "init", "--quiet", "--initial-branch=main"],
            ["-C", str(first), "add", "--all"],
            ["-C", str(first), "-c", "user.name=n", "-c", "user.email=e@example.org", "commit", "-qm", "c"],
            ["-C", str(first), "push", "--quiet", str(self.remote), "main"],
        ):
            self.git(*command)

    def program(self, name: str, text: str) -> None:
        """Put a program before those of this machine."""
        (self.programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.programs / name).chmod(0o755)

    def git(self, *arguments: str) -> str:
        """What git prints."""
        run = subprocess.run(["git", *arguments], env=self.environment, capture_output=True, text=True, check=True)
        return run.stdout

    def new(self) -> Path:
        """A machine that has the built book."""
        self.count += 1
        clone = self.folder / f"machine-{self.count}" / "repository"
        self.git("clone", "--quiet", str(self.remote), str(clone))
        built = clone / "_build" / "html"
        built.mkdir(parents=True)
        for name in ("index.html", "404.html"):
            (built / name).write_text("<title>Book</title>")
        return clone

    def publish(self, reference: str, machine: Path | None = None) -> int:
        """Publish what was pushed; returns the exit code."""
        environment = {**self.environment, "GITHUB_REF": reference}
        command = ["bash", "-e", "-c", self.script]
        return subprocess.run(
            command, cwd=machine or self.new(), env=environment, capture_output=True, check=False
        ).returncode

    def editions(self) -> set[str]:
        """The editions on the branch, which is one commit."""
        assert self.git("--git-dir", str(self.remote), "rev-list", "--count", "gh-pages").strip() == "1"
        names = set(self.git("--git-dir", str(self.remote), "ls-tree", "--name-only", "gh-pages").split())
        listed = json.loads(self.git("--git-dir", str(self.remote), "show", "gh-pages:editions.json"))
        found = {name for name in names if publish.EDITION.fullmatch(name)}
        assert found == {one["name"] for one in listed} and names - found <= {
            ".nojekyll", "404.html", "editions.json", "index.html", "robots.txt",
        }  # fmt: skip
        return found


@pytest.fixture
def machines(tmp_path: Path) -> Machines:
    """A repository without published editions, and machines that publish it."""
    if os.name == "nt" or not shutil.which("bash") or not shutil.which("git"):
        pytest.skip("The workflow publishes with bash and git.")
    return Machines(tmp_path)


def test_publishing_keeps_what_others_published(machines: Machines) -> None:
    assert machines.publish("refs/tags/v1.0.0") == 0
    assert machines.editions() == {"v1.0"}
    assert machines.publish("refs/heads/main") == 0
    assert machines.editions() == {"v1.0", "latest"}
    # Another machine publishes v1.1 after this one has fetched, and before it pushes.
    slow, quick, script, once = machines.new(), machines.new(), machines.folder / "script", machines.folder / "once"
    script.write_text(machines.script)
    machines.program(
        "python3",
        f"'{sys.executable}' \"$@\" || exit 1\nmkdir '{once}' 2>/dev/null || exit 0\n"
        f"cd '{quick}' && GITHUB_REF=refs/tags/v1.1.0 bash -e '{script}'",
    )
    assert machines.publish("refs/tags/v2.0.0", slow) == 0
    assert once.exists() and machines.editions() == {"v1.0", "v1.1", "v2.0", "latest"}


@pytest.mark.parametrize("fails", ["ls-remote", "fetch"])
def test_publishing_stops_when_the_editions_cannot_be_had(machines: Machines, fails: str) -> None:
    assert machines.publish("refs/tags/v1.0.0") == 0
    machine = machines.new()
    machines.program("git", f'[ "$1" = {fails} ] && exit 128\nexec {shutil.which("git")} "$@"')
    assert machines.publish("refs/heads/main", machine) != 0
    (machines.programs / "git").unlink()
    assert machines.editions() == {"v1.0"}


def test_the_archive_is_described_as_the_citation_says() -> None:
    archive = json.loads((ROOT / ".zenodo.json").read_text("utf-8"))
    assert archive["title"] == CITATION["title"]
    assert archive["version"] == CITATION["version"]
    assert archive["publication_date"] == CITATION["date-released"]
    assert archive["keywords"] == CITATION["keywords"]
    assert [c["name"] for c in archive["creators"]] == [
        a.get("name") or f"{a['family-names']}, {a['given-names']}" for a in CITATION["authors"]
    ]
    assert archive["license"] in CITATION["license"]
    assert all(licence.replace("-", " ").replace(" 4.0", "") in archive["notes"] for licence in CITATION["license"])


def test_workflows_pass_actionlint() -> None:
    program = shutil.which("actionlint")
    if program is None:
        pytest.skip("actionlint is not installed")
    run = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


class Answers(BaseHTTPRequestHandler):
    """A web server of which each path says how it answers."""

    def do_GET(self) -> None:
        """Answer with the number that the path names; ``/405`` knows GET only."""
        code = int(self.path.strip("/").partition("-")[0])
        self.send_response(200 if code == 405 and self.command == "GET" else code)
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815 (its name in http.server)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def test_links_that_lead_nowhere_are_found(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"http://127.0.0.1:{server.server_port}"
        links = "".join(f'<a class="x" href="{host}/{path}#part">x</a>' for path in ("200", "404", "403", "405", "410"))
        (tmp_path / "a.html").write_text(links + '<a href="b.html">inside</a>', "utf-8")
        (tmp_path / "_tables").mkdir()
        (tmp_path / "_tables" / "t.html").write_text(f'<a href="{host}/404-apart">x</a>', "utf-8")
        assert check_links.main([str(tmp_path), "--wait", "0"]) == 1
        server.shutdown()
    said = capsys.readouterr().out
    assert "5 addresses: 2 answer, 1 unclear, 2 gone." in said
    assert f"gone: {host}/404 (404 Not Found), on a.html" in said


# --- the built book --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, BeautifulSoup]:
    """The pages of the book's contents, parsed."""
    return {p.relative_to(site).as_posix(): head(site, p) for p in sorted((site / "chapters").rglob("*.html"))}


def test_every_page_says_what_it_is(pages: dict[str, BeautifulSoup]) -> None:
    for name, soup in pages.items():
        about, named = linked_data(soup)[0], metas(soup)
        heading = soup.find("h1")
        heading.find("a", class_="headerlink").decompose()
        title = re.sub(r"^\d+ · ", "", heading.get_text(strip=True))
        expected = CITATION["title"] if name == "chapters/index.html" else title
        assert about["name"] == named["citation_title"] == expected, name
        kind = "Book" if name == "chapters/index.html" else "Chapter" if name in NUMBERED else "WebPage"
        assert about["@type"] == kind, name
        assert about["description"] == named["description"] == named["og:description"], name
        assert soup.find("link", rel="alternate", type="application/atom+xml"), name


def test_chapters_have_their_card_and_cite_what_they_use(pages: dict[str, BeautifulSoup], site: Path) -> None:
    assert set(pages) >= NUMBERED and len(NUMBERED) >= 5
    for name in NUMBERED:
        about = linked_data(pages[name])[0]
        if pages[name].select("figure.tb-figure"):
            assert (site / name).parent.joinpath(about["image"]).resolve().is_file(), name
        assert len(about["citation"]) > 3 and all(work["name"] for work in about["citation"]), name
    kinds = {work["@type"] for work in linked_data(pages["chapters/appendices/bibliography.html"])[0]["citation"]}
    assert {"ScholarlyArticle", "Book", "Thesis", "Report"} <= kinds


def test_the_data_page_describes_every_table(site: Path, pages: dict[str, BeautifulSoup]) -> None:
    soup = pages["chapters/appendices/data.html"]
    tables = [one for one in linked_data(soup) if one["@type"] == "Dataset"]
    assert len(tables) == len(json.loads((ROOT / "data/datapackage.json").read_text("utf-8"))["resources"])
    for table in tables:
        assert soup.find(id=table["url"].partition("#")[2]), table["name"]
        assert Path(site / "chapters/appendices" / table["distribution"]["contentUrl"]).is_file(), table["name"]


def test_every_figure_and_table_has_an_anchor(pages: dict[str, BeautifulSoup]) -> None:
    without = [
        figure["id"]
        for soup in pages.values()
        for figure in soup.select("figure.tb-figure, figure.tb-table")
        if not figure.select_one(f"figcaption a.headerlink[href='#{figure['id']}']")
    ]
    assert not without


def test_chapters_lead_to_the_glossary(pages: dict[str, BeautifulSoup]) -> None:
    glossary = pages["chapters/appendices/glossary.html"]
    for name, soup in pages.items():
        links = [a["href"] for a in soup.select("a.tb-term")]
        assert len(links) == len(set(links)), name
        assert all(glossary.find(id=link.partition("#")[2]) for link in links), name
        assert not soup.select(":is(h1, h2, h3, h4, figure, pre, a a) a.tb-term"), name
        if name in NUMBERED:
            assert len(links) >= 3, name


def search_data(site: Path) -> dict:
    """What the search looks through."""
    return json.loads((site / tb_find.SEARCH).read_text("utf-8").removeprefix("window.tbSearchData=").rstrip(";\n"))


def test_the_search_knows_every_statement_term_and_figure(pages: dict[str, BeautifulSoup], site: Path) -> None:
    data = search_data(site)
    known = {kind: {e[2] for e in data["entries"] if e[0] == kind} for kind in ("statement", "figure", "table")}
    assert known["statement"] == {
        a["id"] for a in pages["chapters/appendices/claims.html"].select("#tab-audit-all th > a[id]")
    }
    for kind in ("figure", "table"):
        assert known[kind] == {f["id"] for soup in pages.values() for f in soup.select(f"figure.tb-{kind}")}
    anchors = {name: {t["id"] for t in soup.find_all(id=True)} for name, soup in pages.items()}
    dead = [e[:3] for e in data["entries"] if e[2] and e[2] not in anchors[data["pages"][e[1]][0]]]
    assert not dead


def test_weight_of_the_search(site: Path) -> None:
    own = [site / "search.html", site / tb_find.SEARCH]
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in own) < 150_000  # the rest is cached by then
    assert not any((site / name).exists() for name in tb_find.UNUSED)


def test_without_a_place_the_book_names_none(pages: dict[str, BeautifulSoup], site: Path) -> None:
    if yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["html"].get("baseurl"):
        pytest.skip("the book has a place on the web")
    assert not (site / "sitemap.xml").exists()
    for name, soup in pages.items():
        assert not {"og:url", "og:image", "citation_public_url"} & set(metas(soup)), name
        assert not soup.find("link", rel="canonical"), name
