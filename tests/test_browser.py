"""The built book in a browser: every page in four forms, search, downloads, files on disk."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "_ext"))

import tb_light

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
CHAPTER = "chapters/02-bilateral-trade.html"
LANDING = "chapters/index.html"
# The colours of a figure's marks, and of every box that is painted behind them.
COLOURS_OF_A_FIGURE = """() => {
    const picture = document.querySelector('figure.tb-figure .tb-wide svg');
    const style = (element) => getComputedStyle(element);
    const marks = [...picture.querySelectorAll('*')].map((e) => style(e).stroke + style(e).fill);
    const grounds = [];
    for (let e = picture; e !== document.body; e = e.parentElement) grounds.push(
        style(e).backgroundColor);
    return [marks.join(), grounds.filter((colour) => colour !== 'rgba(0, 0, 0, 0)')];
}"""


@contextlib.contextmanager
def visit(
    browser: Browser,
    allowed: str,
    faults: list[str],
    size: dict[str, int] = DESKTOP,
    mode: str = "light",
) -> Iterator[BrowserContext]:
    """Open a browsing context that blocks other hosts and notes every fault of its pages."""
    context = browser.new_context(viewport=size, color_scheme=mode, reduced_motion="reduce", accept_downloads=True)

    def check(route: Route) -> None:
        url = route.request.url
        if url.startswith((allowed, "data:", "blob:")):
            route.continue_()
        else:
            faults.append(f"asks for {url}")
            route.abort()

    def watch(page: Page) -> None:
        page.on(
            "console",
            lambda m: faults.append(f"{page.url}: {m.text}") if m.type == "error" else None,
        )
        page.on("pageerror", lambda e: faults.append(f"{page.url}: {e}"))
        page.on("response", lambda r: faults.append(f"{r.status} {r.url}") if r.status >= 400 else None)

    context.route("**/*", check)
    context.on("page", watch)
    yield context
    context.close()


def page_names(site: Path) -> list[str]:
    """Return the addresses of the book's pages (the one for wrong addresses has no colour modes to choose)."""
    names = [p.relative_to(site).as_posix() for p in tb_light.site_pages(site)]
    return [n for n in names if not n.startswith("_") and n != "404.html"]


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page(browser: Browser, address: str, site: Path, size: dict[str, int], mode: str) -> None:
    faults: list[str] = []
    with visit(browser, address, faults, size, mode) as context:
        page = context.new_page()
        for name in page_names(site):
            page.goto(address + name)
            page.wait_for_load_state("load")
            if name == "index.html":
                page.wait_for_url(address + LANDING)
            expect(page.locator("h1:visible")).to_have_count(1)
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > size["width"]:
                faults.append(f"{name}: {width} pixels wide on a screen of {size['width']}")
            shown = page.evaluate("document.documentElement.dataset.theme")
            if shown != mode:
                faults.append(f"{name}: shown in {shown} mode")
    assert not faults


def test_figures_fit_the_screen(browser: Browser, address: str) -> None:
    for size, shown, hidden in (
        (DESKTOP, ".tb-wide", ".tb-narrow"),
        (PHONE, ".tb-narrow", ".tb-wide"),
    ):
        with visit(browser, address, [], size) as context:
            page = context.new_page()
            page.goto(address + CHAPTER)
            figures = page.locator("figure.tb-figure:has(.tb-narrow)")
            assert figures.count() > 0
            for index in range(figures.count()):
                expect(figures.nth(index).locator(shown)).to_be_visible()
                expect(figures.nth(index).locator(hidden)).to_be_hidden()
                box = figures.nth(index).locator(f"{shown} svg").bounding_box()
                assert box["width"] > 250 and box["height"] > 120
                assert box["x"] >= 0 and box["x"] + box["width"] <= size["width"]


def test_figures_follow_the_colour_mode(browser: Browser, address: str) -> None:
    inks = {}
    for mode in ("light", "dark"):
        with visit(browser, address, [], DESKTOP, mode) as context:
            page = context.new_page()
            page.goto(address + CHAPTER)
            inks[mode] = page.evaluate(COLOURS_OF_A_FIGURE)
            page_colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert set(inks[mode][1]) <= {page_colour}, "a box of another colour behind a figure"
    assert inks["light"][0] != inks["dark"][0]


def test_search_finds_a_page(browser: Browser, address: str) -> None:
    faults: list[str] = []
    with visit(browser, address, faults) as context:
        page = context.new_page()
        page.goto(address + LANDING)
        page.keyboard.press("Control+k")
        field = page.locator("#pst-search-dialog input[name=q]")
        expect(field).to_be_focused()
        field.fill("mirror")
        field.press("Enter")
        page.wait_for_url("**/search.html?q=mirror*")
        results = page.locator("#search-results ul.search li a")
        expect(page.locator(f"#search-results ul.search a[href*='{Path(CHAPTER).name}']").first).to_be_visible()
        results.first.click()
        expect(page.locator("h1:visible")).to_have_count(1)
    assert not faults


def test_solutions_are_hidden_until_they_are_asked_for(browser: Browser, address: str) -> None:
    with visit(browser, address, []) as context:
        page = context.new_page()
        page.goto(address + CHAPTER)
        solutions = page.locator("div.solution")
        listing = solutions.first.locator(".highlight").first
        solutions.first.scroll_into_view_if_needed()
        assert solutions.count() >= 5
        assert page.locator("div.solution.toggle-hidden").count() == solutions.count()
        expect(listing).to_be_hidden()
        solutions.first.locator("button.toggle-button").focus()
        page.keyboard.press("Enter")
        expect(listing).to_be_visible()


def test_colour_mode_button_is_remembered(browser: Browser, address: str) -> None:
    faults: list[str] = []
    with visit(browser, address, faults) as context:
        page = context.new_page()
        page.goto(address + CHAPTER)
        ground = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(ground)
        page.locator(".theme-switch-button").first.click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(page.locator("body")).not_to_have_css("background-color", light)
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert not faults


def test_data_of_a_figure_downloads(browser: Browser, address: str, site: Path) -> None:
    with visit(browser, address, []) as context:
        page = context.new_page()
        page.goto(address + CHAPTER)
        link = page.locator("figure.tb-figure a[download]").first
        with page.expect_download() as started:
            link.click()
        download = started.value
        assert download.suggested_filename == link.get_attribute("download")
        stored = (site / CHAPTER).parent / link.get_attribute("href")
        assert Path(download.path()).read_bytes() == stored.read_bytes()


def test_keyboard_reaches_the_text_first(browser: Browser, address: str) -> None:
    with visit(browser, address, []) as context:
        page = context.new_page()
        page.goto(address + CHAPTER)
        page.keyboard.press("Tab")
        expect(page.locator(".skip-link a")).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url("**#main-content")


def test_contents_open_on_a_phone(browser: Browser, address: str) -> None:
    with visit(browser, address, [], PHONE) as context:
        page = context.new_page()
        page.goto(address + LANDING)
        link = page.locator("#pst-primary-sidebar-modal a", has_text="Bilateral trade")
        expect(link).to_be_hidden()
        page.locator(".primary-toggle").click()
        expect(link).to_be_visible()
        link.click()
        page.wait_for_url(f"**/{Path(CHAPTER).name}")


READ = "(document.querySelector('#pst-page-toc-nav a[aria-current]')?.hash ?? '')"


def test_contents_mark_the_section_that_is_read(browser: Browser, address: str) -> None:
    with visit(browser, address, []) as context:
        page = context.new_page()
        page.goto(address + CHAPTER)
        links = page.eval_on_selector_all("#pst-page-toc-nav a", "all => all.map((a) => a.hash)")
        assert len(links) > 5 and page.evaluate(READ) == ""
        # Into the middle of a section, forwards and back, over others: its heading is never on the screen.
        for link in (links[2], links[5], links[1]):
            page.wait_for_function(
                f"""(id) => {{
                    const {{ top, height }} = document.querySelector(id).getBoundingClientRect();
                    const step = top + height / 2 - innerHeight / 4;
                    if (Math.abs(step) > 5) scrollBy({{ top: step, behavior: 'instant' }});
                    return Math.abs(step) <= 5 && {READ} === id;
                }}""",
                arg=link,
                timeout=5000,
            )
            assert page.locator("#pst-page-toc-nav a.active").count() == 1
        for edge, link in (("document.body.scrollHeight", links[-1]), ("0", "")):
            page.wait_for_function(f"(id) => {{ scrollTo(0, {edge}); return {READ} === id; }}", arg=link, timeout=5000)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_address_leads_to_its_place(browser: Browser, address: str, size: dict[str, int]) -> None:
    with visit(browser, address, [], size) as context:
        page = context.new_page()
        page.goto(address + CHAPTER)
        places = page.eval_on_selector_all("section > section[id], figure[id]", "all => all.map((a) => a.id)")
        for place, anew in [(place, anew) for anew in (True, False) for place in places[1::4]]:
            if anew:
                page.goto("about:blank")
                page.goto(f"{address}{CHAPTER}#{place}")
            else:
                page.evaluate(
                    """(id) => document.body.appendChild(Object.assign(
                        document.createElement('a'), { href: `#${id}` })).click()""",
                    place,
                )
            page.wait_for_timeout(300)
            page.wait_for_function(
                """(id) => {
                    const { top } = document.getElementById(id).getBoundingClientRect();
                    return (top > -5 && top < 220) || innerHeight + scrollY > document.documentElement.scrollHeight - 3;
                }""",
                arg=place,
                timeout=5000,
            )


def test_wide_tables_scroll_in_their_own_region(browser: Browser, address: str) -> None:
    with visit(browser, address, [], PHONE) as context:
        page = context.new_page()
        page.goto(address + CHAPTER)
        regions = page.locator(".tb-scroll:visible").all()
        assert regions
        for region in regions:
            box = region.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
            assert region.evaluate("e => getComputedStyle(e).overflowX") == "auto"


def test_book_opens_from_a_folder(browser: Browser, site: Path) -> None:
    faults: list[str] = []
    folder = site.resolve().as_uri() + "/"
    with visit(browser, folder, faults) as context:
        page = context.new_page()
        page.goto(folder + "index.html")
        page.wait_for_url(folder + LANDING)
        for name in page_names(site):  # the policy of the pages must let their own files in
            if name == "index.html":  # leads on
                continue
            page.goto(folder + name)
            page.wait_for_load_state("load")
            assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontFamily").startswith('"Tradebook')
            assert page.evaluate("getComputedStyle(document.body).margin") == "0px"
        page.goto(folder + CHAPTER)
        assert page.locator("html").get_attribute("data-theme") == "light"
        page.locator(".theme-switch-button").first.click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('1rem \"Tradebook Sans\"'))")
        page.goto(folder + "search.html?q=mirror")
        expect(page.locator(f"#search-results ul.search a[href*='{Path(CHAPTER).name}']").first).to_be_visible()
    assert not faults


def test_the_policy_stops_what_the_site_does_not_bring(browser: Browser, address: str, site: Path) -> None:
    """A policy that lets everything through would pass every other test."""
    for base in (address, site.resolve().as_uri() + "/"):
        context = browser.new_context()
        page = context.new_page()
        page.goto(base + CHAPTER)
        stopped = page.evaluate("""async () => {
            const stopped = new Set();
            document.addEventListener("securitypolicyviolation", (event) => stopped.add(event.effectiveDirective));
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.head.append(script);
            document.body.insertAdjacentHTML("beforeend", '<img src="x:" onerror="window.ran = true">'
                + '<img src="http://127.0.0.1:9/other.png"><p style="color: red">x</p>');
            await fetch("http://127.0.0.1:9/other.json").catch(() => {});
            await new Promise((done) => setTimeout(done, 200));
            return [window.ran ?? false, [...stopped].sort()];
        }""")
        wanted = ["connect-src", "img-src", "script-src-attr", "script-src-elem", "style-src-attr"]
        assert stopped == [False, wanted], base
        context.close()
