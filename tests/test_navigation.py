"""Finding one's way in a browser: search and its ranking, previews, citations, wrong addresses, editions."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from test_browser import CHAPTER, LANDING, PHONE, visit

pytestmark = pytest.mark.browser

Serving = Callable[[Path], AbstractContextManager[str]]

# What a reader may look for, and where the answer stands: the first result, or one of the first five.
FIRST = {
    "Treaty of Nerchinsk": ["claims.html#thesis-2.1-"],
    "thesis-2.1-004": ["claims.html#thesis-2.1-004"],
    "mirror statistics": ["glossary.html#term-mirror-statistics"],
    "revealed comparative advantage": ["glossary.html#term-revealed-comparative-advantage"],
    "gravity equation": ["glossary.html#term-gravity-equation"],
    "PPML": ["glossary.html#term-PPML"],
    "how to cite a figure": ["cite.html"],
    "shuttle trade": ["glossary.html#term-shuttle-trade"],
    "Santos Silva log of gravity": ["bibliography.html#"],
    "Brent oil price": ["data.html#brent"],
    "cooperation models": ["04-cooperation-models.html"],
}
AMONG_FIVE = {
    "Huawei revenue": ["05-huawei.html#fig-"],
    "back-test of forecasts": ["02-bilateral-trade.html#fig-backtest", "methods-models.html#back-test"],
    "Shandong exports": ["claims.html#shandong-paper", "03-high-technology-exports.html#fig-"],
    "tariff preference": ["glossary.html#term-applied-tariff", "glossary.html#term-MFN-tariff"],
}


def results(page: Page, base: str, query: str) -> list[str]:
    """The addresses that a search finds, best first."""
    page.goto(f"{base}search.html?q={query.replace(' ', '+')}")
    page.locator("#search-results ul.search > li").first.wait_for()
    found = "links => links.map(link => link.getAttribute('href'))"
    return page.eval_on_selector_all("#search-results ul.search > li > a", found)


def test_search_ranks_what_was_meant_first(browser: Browser, address: str) -> None:
    faults: list[str] = []
    with visit(browser, address, faults) as context:
        page = context.new_page()
        for many, queries in ((1, FIRST), (5, AMONG_FIVE)):
            for query, expected in queries.items():
                found = results(page, address, query)[:many]
                if not any(place in one for one in found for place in expected):
                    faults.append(f"“{query}” finds {found}")
    assert not faults


def test_search_works_from_a_folder_with_words_around_what_it_finds(browser: Browser, site: Path) -> None:
    faults: list[str] = []
    folder = site.resolve().as_uri() + "/"
    with visit(browser, folder, faults) as context:
        page = context.new_page()
        assert "glossary.html#term-shuttle-trade" in results(page, folder, "shuttle trade")[0]
        marked = {text.strip().lower() for text in page.locator("#search-results p.context mark").all_inner_texts()}
        assert {"shuttle", "trade"} <= marked
        page.locator("#search-results ul.search a").first.click()
        page.wait_for_url("**/glossary.html#term-shuttle-trade")
    assert not faults


def test_search_follows_what_is_typed(browser: Browser, address: str) -> None:
    with visit(browser, address, []) as context:
        page = context.new_page()
        page.goto(f"{address}search.html")
        field = page.locator(".bd-search-container input[name=q]")
        field.press_sequentially("tarif")  # not finished
        expect(page.locator("#search-results [role=status]")).to_contain_text("places for “tarif”")
        expect(page.locator("#search-results ul.search > li a").first).to_contain_text("ariff")
        field.fill("revaeled comparative")  # two letters exchanged
        expect(page.locator("#search-results ul.search > li a").first).to_contain_text("comparative advantage")
        field.fill("xqzzy")
        expect(page.locator("#search-results [role=status]")).to_have_text("No places for “xqzzy”")


LINKS = {
    "term": (".bd-article a.tb-term", ""),
    "work": (".bd-article .bibtex-citation a", ""),
    "figure": (".bd-article a[href='#fig-mirror-anchor']", "Figure 2."),
    "statement": (".bd-article .tb-mark a", ""),
}


@pytest.mark.parametrize("kind", LINKS)
def test_previews_open_with_the_keyboard(browser: Browser, address: str, kind: str) -> None:
    selector, expected = LINKS[kind]
    faults: list[str] = []
    with visit(browser, address, faults) as context:
        page = context.new_page()
        page.goto(address + CHAPTER)
        link, box = page.locator(selector).first, page.locator("#tb-preview")
        link.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        expect(link).to_be_focused()
        expect(box).to_be_visible()
        expect(link).to_have_attribute("aria-describedby", "tb-preview")
        assert box.get_attribute("role") == "tooltip" and len(box.inner_text()) > 20
        assert expected in box.inner_text()
        page.keyboard.press("Escape")  # closes it, the focus stays
        expect(box).to_be_hidden()
        expect(link).to_be_focused()
        assert link.get_attribute("aria-describedby") is None
    assert not faults


def test_a_preview_stays_while_the_pointer_is_on_it(browser: Browser, site: Path) -> None:
    faults: list[str] = []
    folder = site.resolve().as_uri() + "/"
    with visit(browser, folder, faults) as context:
        page = context.new_page()
        page.goto(folder + CHAPTER)
        link, box = page.locator(".bd-article a.tb-term").first, page.locator("#tb-preview")
        link.scroll_into_view_if_needed()
        link.hover()
        expect(box).to_be_visible()
        box.hover()
        page.wait_for_timeout(600)  # longer than it takes to close
        expect(box).to_be_visible()
        edges = box.bounding_box()
        assert edges["x"] >= 0 and edges["x"] + edges["width"] <= page.viewport_size["width"]
        page.mouse.move(2, 2)
        expect(box).to_be_hidden()
    assert not faults


def test_a_citation_is_copied(browser: Browser, address: str) -> None:
    with visit(browser, address, [], PHONE) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.goto(address + CHAPTER)
        box = page.locator(".tb-cite-page")
        box.locator("summary").click()
        box.get_by_role("button", name="Copy the BibTeX entry").click()
        expect(box.get_by_text("Copied.")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()").strip() == box.locator("pre").inner_text().strip()


class Lost(SimpleHTTPRequestHandler):
    """Answers wrong addresses with the site's own page, as GitHub Pages does."""

    def send_error(self, code: int, *args: object, **kwargs: object) -> None:
        """Send the page for wrong addresses."""
        text = (Path(self.directory) / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def lost_address(site: Path) -> Iterator[str]:
    """The book from a server that sends the page for wrong addresses."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Lost, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("wrong", ["nothing", "chapters/nothing.html", "chapters/appendices/a/b/nothing.html"])
def test_a_wrong_address_leads_back_from_any_depth(browser: Browser, lost_address: str, wrong: str) -> None:
    with visit(browser, lost_address, []) as context:
        page = context.new_page()
        page.goto(lost_address + wrong)
        expect(page.locator("h1")).to_have_text("There is no such page")
        page.get_by_role("link", name="2 · Bilateral trade").click()
        page.wait_for_url(lost_address + CHAPTER)
        page.goto(lost_address + wrong)
        page.get_by_role("searchbox").fill("shuttle")
        page.get_by_role("button", name="Search").click()
        page.wait_for_url(f"{lost_address}search.html?q=shuttle")


def test_editions_show_where_there_are_some(browser: Browser, serving: Serving, site: Path, tmp_path: Path) -> None:
    editions = [
        {"name": "latest", "version": "2.1.0", "pages": [CHAPTER, "index.html"]},
        {"name": "v1.0", "version": "1.0.2", "pages": ["index.html"]},
    ]
    (tmp_path / "editions.json").write_text(json.dumps(editions), "utf-8")
    for edition in editions:
        (tmp_path / edition["name"]).symlink_to(site.resolve(), target_is_directory=True)
    faults: list[str] = []
    with serving(tmp_path) as base, visit(browser, base, faults) as context:
        page = context.new_page()
        page.goto(f"{base}v1.0/{CHAPTER}")
        control = page.locator(".tb-editions")
        expect(control.locator("summary")).to_have_text("Edition: v1.0")
        control.locator("summary").click()
        expect(control.locator("a[aria-current]")).to_have_text("v1.0")
        expect(control.locator("a[aria-current]")).to_have_attribute("href", f"{base}v1.0/index.html")
        control.get_by_role("link", name="latest (2.1.0)").click()  # to the same page, which it has
        page.wait_for_url(f"{base}latest/{CHAPTER}")
    assert not faults


def test_editions_are_hidden_where_there_are_none(browser: Browser, address: str, site: Path) -> None:
    for base in (address, site.resolve().as_uri() + "/"):
        faults: list[str] = []
        with visit(browser, base, faults) as context:
            page = context.new_page()
            page.goto(base + LANDING)
            page.wait_for_load_state("load")
            expect(page.locator(".tb-editions")).to_be_hidden()
        assert not faults
