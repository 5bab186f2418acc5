"""Marks of audited statements in the text: what they show, where they lead, and the way back."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from tradebook import claims, tables

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "_ext"))

import tb_claims
import tb_numbers

# How many statements each chapter has; a chapter without any marks none.
STATEMENTS = claims.register()["chapter"].value_counts()
CHAPTERS = [path for path in sorted((ROOT / "chapters").glob("[0-9]*.ipynb")) if int(path.name[:2]) in STATEMENTS]
LIST = "chapters/appendices/claims.html"
VERDICTS = {"thesis-2.1-034": "contradicted", "thesis-2.1-031": "confirmed", "patents-paper-1-006": "not checkable"}
MARK = re.compile(r"\{claim\}`([^`]*)`")


# --- the role, in a small book of its own -------------------------------------------------------

Build = Callable[..., tuple[Path, str]]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """A function that writes pages of a small book, builds it, and returns its folder and its warnings."""
    rows = "".join(f'<tr><th scope="row"><a id="{c}" href="#{c}">{c}</a></th><td>…</td></tr>' for c in VERDICTS)
    data = {tb_numbers.TEXT: [repr(json.dumps(VERDICTS))]}
    output = {"data": data, "metadata": {"scrapbook": {"name": "verdicts"}}}
    (tmp_path / "list.ipynb").write_text(json.dumps({"cells": [{"outputs": [output]}]}), "utf-8")
    (tmp_path / "list.rst").write_text(f"The list\n========\n\n.. raw:: html\n\n   <table>{rows}</table>\n", "utf-8")
    names = ["list", *(f"page{n}" for n in range(7))]  # enough of them for several processes to share
    index = "A book\n======\n\n.. toctree::\n\n" + "".join(f"   {name}\n" for name in names)
    (tmp_path / "index.rst").write_text(index, "utf-8")
    for name in names[1:]:
        (tmp_path / f"{name}.rst").write_text(f"{name}\n=====\n\nNo statement.\n", "utf-8")

    def run(builder: str = "html", parallel: int = 1, **pages: str) -> tuple[Path, str]:
        for name, text in pages.items():
            (tmp_path / f"{name}.rst").write_text(text, "utf-8")
        settings = {
            "extensions": "tb_claims",
            "tb_claims_page": "list",
            "tb_claims_register": str(ROOT / "data" / "claims"),
        }
        folder, warnings = tmp_path / "_out" / builder, io.StringIO()
        with docutils_namespace(), patch_docutils():
            Sphinx(
                tmp_path, None, folder, tmp_path / "_out" / "doctrees", builder,
                settings, status=None, warning=warnings, parallel=parallel,
            ).build()  # fmt: skip
        return folder, warnings.getvalue()

    return run


PAGE = "2 · Trade\n=========\n\nIt grew. :claim:`thesis-2.1-034 thesis-2.1-031` And fell. :claim:`thesis-2.1-034`\n"


def test_a_mark_leads_to_the_row_and_says_the_verdict(build: Build) -> None:
    folder, warnings = build(page1=PAGE)
    assert not warnings
    soup = BeautifulSoup((folder / "page1.html").read_text("utf-8"), "html.parser")
    both, single = soup.select(".tb-mark")
    assert both.select_one(".tb-mark-count").get_text() == "2 statements" and not single.select(".tb-mark-count")
    first, second = both.select("a")
    assert first["href"] == "list.html#thesis-2.1-034"
    assert first.get_text() == "Statement 2.1-034: contradicted"
    assert first["title"].endswith(" – contradicted") and "80 billion" in first["title"]
    assert first.select_one(".tb-contradicted") and second.select_one(".tb-confirmed")
    # a page may speak of a statement twice: the way back leads to the first place
    assert first["id"] == "mark-thesis-2.1-034" and not single.a.get("id")


def test_a_statement_without_a_verdict_is_a_warning(build: Build) -> None:
    folder, warnings = build(page1="A page\n======\n\nWords :claim:`thesis-2.1-035 thesis-2.1-031`.\n")
    assert "page1.rst:4: WARNING: no statement “thesis-2.1-035” has a verdict" in warnings
    page = (folder / "page1.html").read_text("utf-8")
    assert "2.1-031" in page and "2.1-035" not in page


def ways_back(folder: Path) -> dict[str, tuple[str, str]]:
    """Address and words of each link from the list into the text."""
    soup = BeautifulSoup((folder / "list.html").read_text("utf-8"), "html.parser")
    return {row.a["id"]: (row.small.a["href"], row.small.get_text()) for row in soup.select("tr") if row.small}


@pytest.mark.parametrize("parallel", [1, 2])
def test_the_list_leads_back_and_follows_when_marks_change(build: Build, parallel: int) -> None:
    folder, _ = build(parallel=parallel, page1=PAGE, page4="Four\n====\n\n:claim:`patents-paper-1-006`\n")
    chapter = "discussed in chapter 2"
    assert ways_back(folder) == {
        "thesis-2.1-034": ("page1.html#mark-thesis-2.1-034", chapter),
        "thesis-2.1-031": ("page1.html#mark-thesis-2.1-031", chapter),
        "patents-paper-1-006": ("page4.html#mark-patents-paper-1-006", "discussed in Four"),
    }
    # only the page with the mark is read again, the list is written again
    build(parallel=parallel, page1=PAGE.replace(" thesis-2.1-031", ""))
    assert set(ways_back(folder)) == {"thesis-2.1-034", "patents-paper-1-006"}
    stamp = (folder / "list.html").stat().st_mtime_ns
    build(parallel=parallel)
    assert (folder / "list.html").stat().st_mtime_ns == stamp, "nothing has changed"


@pytest.mark.parametrize("builder", ["text", "latex", "epub", "dirhtml"])
def test_other_kinds_of_book_can_be_made(build: Build, builder: str) -> None:
    folder, warnings = build(builder, page1=PAGE)
    assert [line for line in warnings.splitlines() if "conf value" not in line and "copyright" not in line] == []
    if builder == "text":
        assert "Statement 2.1-034: contradicted" in (folder / "page1.txt").read_text("utf-8")
    if builder == "dirhtml":
        assert 'href="../list/#thesis-2.1-034"' in (folder / "page1" / "index.html").read_text("utf-8")


def test_marks_have_the_colours_of_the_tables() -> None:
    assert set(tb_claims.KINDS) == set(claims.VERDICTS) and set(tb_claims.SOURCES) == set(claims.SOURCES)
    css = (ROOT / "_static" / "tradebook.css").read_text("utf-8")
    for verdict, kind in tb_claims.KINDS.items():
        assert f'class="tb-verdict tb-{kind}"' in tables.verdict_chip(verdict).markup
        assert f".tb-{kind} {{ color: var(--tb-{claims.COLOURS[verdict]});" in css
        assert f".tb-{kind}::before {{ content:" in css


# --- the marks in the chapters ------------------------------------------------------------------


def marks(path: Path) -> Iterator[tuple[list[str], str, list[str]]]:
    """The statements of each mark of a chapter, the paragraph it stands in, and the tags of the cell."""
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        paragraphs = "".join(cell["source"]).split("\n\n") if cell["cell_type"] == "markdown" else []
        for paragraph in paragraphs:
            for mark in MARK.finditer(paragraph):
                yield mark[1].split(), paragraph, cell["metadata"].get("tags", [])


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_chapter_marks_its_own_statements(path: Path) -> None:
    chapter_of = claims.register().set_index("claim_id")["chapter"]
    found = list(marks(path))
    assert len(found) >= min(15, STATEMENTS[int(path.name[:2])])
    for claimed, paragraph, _ in found:
        assert 1 <= len(set(claimed)) == len(claimed) <= 4, claimed
        for claim in claimed:
            home = chapter_of.get(claim)
            assert home is not None, f"{claim} is not in the register"
            assert f"{home:02d}" == path.name[:2] or f"chapter {home}" in paragraph, (
                f"{claim} belongs to chapter {home}"
            )


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_marks_stand_where_the_text_speaks_of_a_source(path: Path) -> None:
    # what a fork keeps must not be marked with what a source says of China and Russia
    for claimed, paragraph, tags in marks(path):
        case = "case" in tags or "tb-case" in paragraph
        assert case or re.search(r"\b(thesis|article|brief|paper|sources?)\b", paragraph), claimed


def test_marks_of_the_built_book_agree_with_the_audit(site: Path) -> None:
    audited = claims.audit().set_index("claim_id")["verdict"]
    rows = BeautifulSoup((site / LIST).read_text("utf-8"), "html.parser").select("#tab-audit-all tbody tr")
    row_of = {row.a["id"]: row for row in rows}
    marked = {}
    for path in CHAPTERS:
        soup = BeautifulSoup((site / "chapters" / f"{path.stem}.html").read_text("utf-8"), "html.parser")
        links = soup.select(".tb-mark a")
        assert len(links) == sum(len(claimed) for claimed, _, _ in marks(path))
        for link in links:
            page, _, claim = link["href"].partition("#")
            assert page == LIST.removeprefix("chapters/") and claim in row_of
            assert link.get_text().endswith(f": {audited[claim]}"), claim
            assert link.select_one(f".tb-{tb_claims.KINDS[audited[claim]]}"), claim
            assert row_of[claim].select_one(".tb-verdict").get_text() == audited[claim], claim
            if link.get("id"):
                marked.setdefault(claim, f"../{path.stem}.html#{link['id']}")
    back = {claim: row.th.small.a["href"] for claim, row in row_of.items() if row.th.small}
    assert back == marked
