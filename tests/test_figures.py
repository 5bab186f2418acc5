"""What a reader can do with a figure, and the book's figures on the landing page."""

from __future__ import annotations

import base64
import functools
import gzip
import io
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "_ext"))

import tb_figures
import tb_landing
import tb_meta

NOTEBOOKS = sorted((ROOT / "chapters").rglob("*.ipynb"))
LANDING, CHAPTER = "chapters/index.html", "chapters/02-bilateral-trade.html"
CREDIT = "Figure 1.1 of “A book” (version 9.9), chapter 1"
SVG = "{http://www.w3.org/2000/svg}"
# Drawings without axes: their lines and boxes measure nothing.
WITHOUT_AXES = re.compile(r"circles|timeline|matrix|cooperation-network|strategy")


@functools.cache
def stored() -> dict[str, str]:
    """The HTML of every figure and table that the notebooks hold, by name."""
    outputs = (
        "".join(output.get("data", {}).get("text/html", ""))
        for notebook in NOTEBOOKS
        for cell in json.loads(notebook.read_text("utf-8"))["cells"]
        for output in cell.get("outputs", [])
    )
    return {match[2]: match[0] for text in outputs for match in tb_figures._FIGURE.finditer(text)}


def figures() -> list[tb_figures.Shown]:
    """Every figure with a drawing."""
    return [shown for text in stored().values() if (shown := tb_figures.read_figure(text)) and shown.drawing]


def data_of(name: str) -> str:
    """The CSV that the notebook holds for a figure or table."""
    return base64.b64decode(tb_figures._CSV.search(stored()[name])[2]).decode()


# --- images --------------------------------------------------------------------------------------


def test_every_figure_is_read() -> None:
    unread = [name for name, text in stored().items() if tb_figures.read_figure(text) is None]
    assert len(stored()) > 100 and not unread
    assert len(figures()) == sum('class="tb-figure"' in text for text in stored().values())


def test_every_figure_stands_alone_as_svg() -> None:
    for shown in figures():
        svg = tb_figures.standalone(shown, CREDIT)
        root = ElementTree.fromstring(svg)
        assert not re.search(r"var\(|<style|class=|tb-|Tradebook", svg.replace("china-russia-tb", "")), shown.name
        assert not re.search(r'(?:href|src)="(?!#)', svg), f"{shown.name} asks for another file"
        assert not re.search(r"url\((?!#)", svg), f"{shown.name} asks for another file"
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        assert len(ids) == len(set(ids)), shown.name
        assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg)) <= {
            pair for i in ids for pair in ((i, ""), ("", i))
        }, shown.name
        assert root.find(f"{SVG}title").text == f"{shown.number}. {shown.title}"
        assert root.find(f"{SVG}desc").text == shown.alt and len(shown.alt) > 30
        words = " ".join(text.text or "" for text in root.iter(f"{SVG}text"))
        for wanted in (shown.title, shown.measure, shown.source, CREDIT):
            assert wanted in words, f"{shown.name}: “{wanted}” is not drawn"
        assert svg == tb_figures.standalone(shown, CREDIT)


def test_words_above_and_below_a_drawing_fit_its_width() -> None:
    for shown in figures():
        root = ElementTree.fromstring(tb_figures.standalone(shown, CREDIT))
        width = float(root.get("viewBox").split()[2]) - 2 * tb_figures.MARGIN
        for line in root.findall(f"{SVG}g/{SVG}text"):
            size = float(line.get("font-size", "0"))
            face = "Semibold" if line.get("font-weight") else "Regular"
            if size:  # ours; the drawing's own words name their size in a style
                assert tb_figures.wrap(line.text, face, size, width, most=9) == [line.text], shown.name


def test_a_title_is_broken_into_lines_of_about_one_length() -> None:
    lines = tb_figures.balanced(
        "Oil lost 73 % and the rouble 55 % of its value; output fell by 2.0 % in 2015", "Semibold", 14, 400
    )
    assert len(lines) == 2 and min(map(len, lines)) > 25
    assert tb_figures.balanced("Short", "Regular", 10, 400) == ["Short"]


@pytest.mark.parametrize("name", ["fig-total-trade", "fig-structure", "fig-network-circles"])
def test_a_figure_becomes_a_small_png(name: str, tmp_path: Path) -> None:
    svg = tb_figures.standalone(tb_figures.read_figure(stored()[name]), CREDIT)
    png = tb_figures.picture(svg, 800, keep=tmp_path)
    image = Image.open(io.BytesIO(png))
    height = float(ElementTree.fromstring(svg).get("height")) / tb_figures.WIDTH * 800
    assert image.mode == "P" and image.width == 800 and abs(image.height - height) < 3
    counts = {colour: n for n, colour in image.convert("RGB").getcolors()}
    paper = counts[(255, 255, 255)] / (image.width * image.height)
    assert 0.3 < paper < 0.97, "blank, or without its ground"
    assert any(r - b > 80 for r, g, b in counts) and any(b - r > 80 for r, g, b in counts), "no series"
    assert len(png) < 150_000
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == png == tb_figures.picture(svg, 800), "drawn twice, the bytes differ"


def test_a_table_has_no_image() -> None:
    shown = tb_figures.read_figure(stored()["tab-audit"])
    with pytest.raises(ValueError, match="no drawing"):
        tb_figures.standalone(shown, CREDIT)


# --- data ----------------------------------------------------------------------------------------


def test_data_say_what_they_are_and_read_back_unchanged() -> None:
    for name, text in stored().items():
        shown = tb_figures.read_figure(text)
        written = tb_figures.with_header(data_of(name), shown, CREDIT)
        head = [line for line in written.splitlines() if line.startswith("# ")]
        assert head[0] == f"# {shown.number}. {shown.title}" and f"# From: {CREDIT}" in head, name
        assert f"# Measured: {shown.measure}" in head and shown.measure, name
        if "Source: " in shown.source and "own calculation." not in shown.source:
            assert any(line.startswith("# Source: ") for line in head), name
            assert any(line.startswith("# Licence: ") for line in head), name
        plain = "".join(line for line in data_of(name).splitlines(keepends=True) if not line.startswith("#"))
        pd.testing.assert_frame_equal(
            pd.read_csv(io.StringIO(written), comment="#"), pd.read_csv(io.StringIO(plain)), obj=name
        )


def test_figures_with_axes_name_their_units() -> None:
    without = {shown.name for shown in figures() if not tb_figures.units(shown.drawing)}
    assert not {name for name in without if not WITHOUT_AXES.search(name)}
    assert tb_figures.units(tb_figures.read_figure(stored()["fig-total-trade"]).drawing) == [
        "billion US dollars, logarithmic scale"
    ]


# --- citation ------------------------------------------------------------------------------------


def test_a_citation_names_title_number_version_place_and_source() -> None:
    book = tb_meta.read_book(ROOT / "CITATION.cff")
    shown = tb_figures.read_figure(stored()["fig-mirror"])
    page = tb_meta.Page("chapters/02-bilateral-trade", "Bilateral trade", "2", False, "")
    cited = tb_figures.citation(shown, book, page)
    for wanted in (shown.title, f"[{shown.number}]", book.title, f"Version {book.version}", "chapter 2", book.year):
        assert wanted in cited
    assert "Source: IMF" in cited and "http" not in cited
    there = tb_meta.Page("chapters/02-bilateral-trade", "Bilateral trade", "2", False, "https://example.org/b/02.html")
    assert "https://example.org/b/02.html#fig-mirror" in tb_figures.citation(shown, book, there)


# --- landing page's pictures ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fig-world-growth", "fig-technology", "fig-cooperation-stages"])
def test_a_sketch_has_shapes_and_no_words(name: str) -> None:
    drawing = tb_figures.read_figure(stored()[name]).drawing
    drawn = tb_landing.sketch(drawing)
    root = ElementTree.fromstring(drawn)
    assert not list(root.iter(f"{SVG}text")) and len(list(root.iter(f"{SVG}path"))) > 2
    assert root.get("viewBox") == "0 0 {} {}".format(*tb_landing.SKETCH)
    assert "var(--tb-c1" in drawn and drawn == tb_landing.sketch(drawing)


def test_a_figure_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError):
        tb_landing.figure_of(ROOT / "chapters" / "02-bilateral-trade.ipynb", "fig-none")


# --- the built pages -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, BeautifulSoup]:
    """The pages that come from notebooks, and the landing page."""
    names = [LANDING, *(path.relative_to(ROOT).with_suffix(".html").as_posix() for path in NOTEBOOKS)]
    return {name: BeautifulSoup((site / name).read_text("utf-8"), "html.parser") for name in names}


def test_every_figure_and_table_has_its_line_of_tools(pages: dict[str, BeautifulSoup], site: Path) -> None:
    version = tb_meta.read_book(ROOT / "CITATION.cff").version
    seen = set()
    for page, soup in pages.items():
        for figure in soup.select("figure.tb-figure, figure.tb-table"):
            where = f"{page}#{figure['id']}"
            seen.add(figure["id"])
            (tools,) = figure.select(".tb-tools")
            number, _, title = figure.select_one("figcaption strong").find(string=True).partition(". ")
            assert tools["role"] == "group" and tools["aria-label"].startswith(number), where
            files = {Path(a["href"]).suffix: (site / page).parent / a["href"] for a in tools.select("a[download]")}
            assert set(files) == ({".csv", ".svg", ".png"} if figure.select_one(".tb-plot") else {".csv"}), where
            for kind, file in files.items():
                assert file.is_file() and file.name == f"{figure['id']}{kind}", where
            if ".png" in files:
                with Image.open(files[".png"]) as image:
                    assert image.width == 2 * tb_figures.WIDTH and image.mode == "P", where
            code = soup.find(id=tools.select_one("a.tb-code")["href"].removeprefix("#"))
            assert code and "cell_input" in code["class"] and code["tabindex"] == "-1", where
            assert code.find_parent(class_="cell") is figure.find_parent(class_="cell"), "code of another cell"
            cite = tools.select_one("details.tb-cite-this .tb-citation").get_text()
            assert title.strip() in cite and f"[{number}]" in cite and f"Version {version}" in cite, where
    assert seen == set(stored())


def test_the_landing_page_shows_findings_score_and_chapters(pages: dict[str, BeautifulSoup]) -> None:
    soup = pages[LANDING]
    small = soup.select(".tb-finding .tb-small")
    assert len(small) == 3
    for plot in small:
        assert plot["role"] == "img" and len(plot["aria-label"]) > 30 and plot.select("path")
    chapters = soup.select(".tb-chapter")
    leading_to = [chapter.select_one("p a[href$='.html']")["href"] for chapter in chapters]
    assert sorted(leading_to) == sorted(path.with_suffix(".html").name for path in NOTEBOOKS if path.name[0].isdigit())
    for chapter, target in zip(chapters, leading_to, strict=True):
        sketch = chapter.select_one(".tb-sketch")
        assert bool(sketch) == bool(pages[f"chapters/{target}"].select("figure.tb-figure")), target
        if sketch:
            assert sketch["aria-hidden"] == "true" and sketch.select("path") and not sketch.select("text")
    assert len(soup.select(".tb-journeys .tb-card")) == 3


def test_chapters_that_the_landing_page_does_not_name_get_a_card(tmp_path: Path) -> None:
    drawn = next(text for text in stored().values() if "tb-narrow" in text)
    opening = "# {}\n\n**Which of {{them}} grew?**\n"
    findings = "\n```{admonition} Found\n:class: tb-findings\n\n1. {glue:text}`one`\n```\n"
    prefix = "application/papermill.record/"
    glued = {"output_type": "display_data", "metadata": {"scrapbook": {"name": "one", "mime_prefix": prefix}}}
    glued["data"] = {f"{prefix}text/plain": "'Seven grew.'"}
    for name, title, outputs in (
        ("01-named", "1 · Named", []),
        ("07-drawn", "7 · With a figure", [{"text/html": drawn}]),
        ("08-bare", "8 · Without a *figure*", []),
        ("09-unlisted", "9 · Not in the contents", []),
        ("report", "A report", []),
    ):
        shown = [{"output_type": "display_data", "data": data, "metadata": {}} for data in outputs]
        shown += [glued] * bool(outputs)
        text = opening.format(title) + findings * bool(outputs)
        cells = [
            {"cell_type": "markdown", "id": "a", "metadata": {}, "source": text},
            {"cell_type": "code", "id": "b", "metadata": {}, "source": "", "execution_count": 1, "outputs": shown},
        ]
        notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(notebook), "utf-8")
    listed = "```{toctree}\n01-named\n07-drawn\n08-bare\nreport\n```"
    own = ":::::{div} tb-chapters\n{doc}`One <01-named>`\n\n```{other-chapters}\n```\n:::::\n"
    (tmp_path / "index.md").write_text(f"# Book\n\n{own}\n{listed}\n", "utf-8")
    settings = {
        "extensions": ["myst_nb", "sphinx_design", "tb_claims", "tb_landing", "tb_numbers"],
        "source_suffix": {".md": "myst-nb", ".ipynb": "myst-nb"},
        "myst_enable_extensions": ["colon_fence"],
        "nb_execution_mode": "off",
        "exclude_patterns": ["09*"],
        "html_theme": "basic",
    }
    warnings = io.StringIO()
    with docutils_namespace(), patch_docutils():
        Sphinx(tmp_path, None, tmp_path / "out", tmp_path / "trees", "html", settings, None, warnings).build()
    assert not warnings.getvalue()
    soup = BeautifulSoup((tmp_path / "out" / "index.html").read_text("utf-8"), "html.parser")
    cards = soup.select(".tb-chapters > .tb-chapter")
    assert [card.a["href"] for card in cards] == ["07-drawn.html", "08-bare.html"]
    assert [card.a.get_text() for card in cards] == ["7 · With a figure", "8 · Without a figure"]
    assert [len(card.select(".tb-sketch svg")) for card in cards] == [1, 0]
    texts = [[text.get_text() for text in card.select("p")[1:]] for card in cards]
    assert texts == [["Which of {them} grew?", "Seven grew."], ["Which of {them} grew?"]]


def test_the_score_is_that_of_the_list(pages: dict[str, BeautifulSoup]) -> None:
    soup = pages[LANDING]
    counts = {
        li.select_one(".tb-verdict").get_text(): li.find_all("span")[1].get_text() for li in soup.select(".tb-key li")
    }
    listed = BeautifulSoup(stored()["tab-audit-all"], "html.parser").select("tbody .tb-verdict")
    wanted = pd.Series([mark.get_text() for mark in listed]).value_counts()
    assert counts == {verdict: f"{wanted.get(verdict, 0):,}" for verdict in tb_landing.KINDS}
    label = soup.select_one(".tb-bar")["aria-label"]
    assert label.startswith(f"Of {len(listed):,} statements: ")
    widths = [float(part["width"]) for part in soup.select(".tb-bar rect")]
    assert len(widths) == len(tb_landing.KINDS) and 960 < sum(widths) <= 1000
    for row in soup.select(".tb-verdict-list tbody tr"):
        verdict, count = (cell.get_text(strip=True) for cell in row.select("td")[:2])
        assert count == counts[verdict]


def test_the_landing_page_is_light(pages: dict[str, BeautifulSoup], site: Path) -> None:
    soup, total = pages[LANDING], len(gzip.compress((site / LANDING).read_bytes(), 6))
    loaded = [tag["src"] for tag in soup.select("script[src], img[src]")] + [
        tag["href"] for tag in soup.select("link[rel=stylesheet]")
    ]
    for address in dict.fromkeys(loaded):
        total += len(gzip.compress(((site / LANDING).parent / urlsplit(address).path).read_bytes(), 6))
    fonts = sorted((site / "_static" / "fonts").glob("tradebook-sans-[46]00.woff2"))
    assert len(fonts) == 2
    assert total + sum(font.stat().st_size for font in fonts) < 120_000


# --- in a browser --------------------------------------------------------------------------------


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own for each test."""
    with browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce") as page:
        yield page


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
def test_code_unfolds_and_takes_the_focus(page: Page, address: str, scripts: bool) -> None:
    if not scripts:
        page.route("**/*.js*", lambda route: route.abort())
    page.goto(address + CHAPTER)
    fold = page.locator("div.cell:has(#fig-mirror) details.hide")
    expect(fold).not_to_have_attribute("open", "")
    page.locator("#fig-mirror a.tb-code").focus()
    page.keyboard.press("Enter")
    expect(fold).to_have_attribute("open", "")
    expect(page.locator("#code-fig-mirror")).to_be_focused()
    expect(page.locator("#code-fig-mirror pre")).to_be_in_viewport()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_citation_opens_by_keyboard_and_fits(page: Page, address: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address + CHAPTER)
    page.locator("#fig-mirror .tb-tools summary").focus()
    text = page.locator("#fig-mirror .tb-citation")
    expect(text).to_be_hidden()
    page.keyboard.press("Enter")
    expect(text).to_be_visible()
    figure, box = page.locator("#fig-mirror").bounding_box(), text.bounding_box()
    assert box["x"] >= figure["x"] and box["x"] + box["width"] <= figure["x"] + figure["width"] + 1
    page.keyboard.press("Tab")
    expect(page.locator("#fig-mirror .tb-copy")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
def test_an_image_is_fetched_only_when_asked_for(page: Page, address: str) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(address + CHAPTER)
    page.wait_for_load_state("networkidle")
    assert not [url for url in fetched if "_downloads" in url]
    with page.expect_download() as started:
        page.locator("#fig-mirror a[download$='.png']").click()
    assert Path(started.value.path()).read_bytes().startswith(b"\x89PNG")


@pytest.mark.browser
def test_paper_has_no_tools(page: Page, address: str) -> None:
    page.goto(address + CHAPTER)
    page.emulate_media(media="print")
    assert not page.locator(".tb-tools:visible").count()
    expect(page.locator("#fig-mirror .tb-source")).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 1024, 390, 320])
def test_the_landing_page_fits_every_screen(page: Page, address: str, width: int, mode: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=mode)
    page.goto(address + LANDING)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    clipped = page.evaluate(
        """() => [...document.querySelectorAll('.bd-article :is(p, li, td, h1, h2, .tb-verdict)')]
            .filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0).map((e) => e.textContent.trim())"""
    )
    assert not clipped
    colour = page.evaluate("getComputedStyle(document.querySelector('.tb-bar .tb-confirmed')).fill")
    wanted = page.evaluate("getComputedStyle(document.querySelector('.tb-key .tb-confirmed')).color")
    assert colour == wanted
