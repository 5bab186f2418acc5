"""Every page for every reader: axe-core's rules in both colour modes, and what no rule engine can see.

axe-core (Deque, MPL 2.0) comes out of the package axe-playwright-python. It is given pages in which long tables are cut
to their first rows and code listings to one: what repeats is made by one function, and looking at each of ten thousand
cells takes minutes. ``AXE=full`` looks at all of it.
"""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from test_browser import CHAPTER, DESKTOP, PHONE, page_names, visit

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]  # WCAG 2.2, levels A and AA
ONE_OF_A_KIND = """() => {
    document.querySelectorAll('tbody tr:nth-child(n + 8), tbody + tbody').forEach((row) => row.remove());
    document.querySelectorAll('.tb-plot svg').forEach((drawing) => drawing.replaceChildren());
    [...document.querySelectorAll('.highlight pre')].slice(1).forEach((code) => code.replaceChildren(code.innerText));
}"""
# Boxes are measured, and parts of a page are laid out, when they come near the screen. A browser without a window may
# stop drawing frames, and then nothing that waits for one would ever go on.
READ_TO_THE_END = """async () => {
    const frame = () => new Promise((done) => { requestAnimationFrame(done); setTimeout(done, 100); });
    for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
        scrollTo(0, y);
        await frame();
    }
    scrollTo(0, 0);
}"""
CHECK = """async (rules) => {
    const found = await axe.run(document, { ...rules, resultTypes: ['violations'] });
    return found.violations.map((v) => `${v.id}, ${v.nodes.length} times: ${v.nodes[0].html.slice(0, 150)}`);
}"""
# Where the contrast of colours is the question, only colours differ between the modes.
COLOUR_RULES = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


def every_kind_of_page(site: Path) -> list[str]:
    """The book's pages (without the one that leads on), and one of the tables that describe its figures."""
    tables = [path.relative_to(site).as_posix() for path in sorted(site.glob("_tables/*/*.html"))]
    return [name for name in page_names(site) if name != "index.html"] + tables[:1]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_no_page_breaks_a_rule(browser: Browser, address: str, site: Path, mode: str) -> None:
    axe = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    full = os.environ.get("AXE") == "full"
    rules = {"runOnly": RULES} if mode == "light" or full else COLOUR_RULES
    faults: list[str] = []
    with visit(browser, address, faults, DESKTOP, mode) as context:
        page = context.new_page()
        for name in every_kind_of_page(site):
            page.goto(address + name)
            page.wait_for_load_state("load")
            if not full:
                page.evaluate(ONE_OF_A_KIND)
            page.evaluate(READ_TO_THE_END)
            page.evaluate(axe)
            faults += [f"{name}: {fault}" for fault in page.evaluate(CHECK, rules)]
    assert not faults


def test_a_figure_leads_to_its_data_as_a_table(browser: Browser, address: str) -> None:
    faults: list[str] = []
    with visit(browser, address, faults) as context:
        page = context.new_page()
        page.goto(address + CHAPTER)
        figure = page.locator("figure.tb-figure").first
        described = figure.locator(".tb-plot").first.get_attribute("aria-details")
        figure.locator(f"#{described}").click()
        page.wait_for_url("**/_tables/**")
        assert page.locator("table tbody tr").count() > 3
        assert page.locator("h1").inner_text().startswith("Figure ")
        page.get_by_role("link", name="Back to the figure").click()
        page.wait_for_url(f"**/{Path(CHAPTER).name}#*")
    assert not faults


# --- reflow ------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [320, 640], ids=["smallest phone", "desktop at 200 percent"])
def test_pages_reflow(browser: Browser, address: str, site: Path, width: int) -> None:
    wide = []
    with visit(browser, address, [], {"width": width, "height": 640}) as context:
        page = context.new_page()
        for name in every_kind_of_page(site):
            page.goto(address + name)
            page.evaluate(READ_TO_THE_END)
            if (needed := page.evaluate("document.documentElement.scrollWidth")) > width:
                wide.append(f"{name}: {needed} pixels on a screen of {width}")
    assert not wide


def test_text_spacing_cuts_nothing_off(browser: Browser, address: str) -> None:
    """WCAG 1.4.12: wider spacing of lines, words and letters, set by the reader."""
    with visit(browser, address, [], PHONE) as context:
        page = context.new_page()
        page.goto(address + CHAPTER)
        page.evaluate("""() => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
                word-spacing: 0.16em !important } p { margin-bottom: 2em !important }`);
            document.adoptedStyleSheets.push(sheet);
        }""")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        cut = page.evaluate("""() => [...document.querySelectorAll('.bd-article :is(p, li, h1, h2, h3, figcaption)')]
            .filter((e) => e.clientHeight && getComputedStyle(e).overflowY !== 'visible'
                && e.scrollHeight > e.clientHeight + 2).map((e) => e.textContent.slice(0, 60))""")
        assert not cut


# --- keyboard ----------------------------------------------------------------------------------


def focused(page: Page) -> dict:
    """Where the focus is, whether it can be seen, and whether it comes after where it was."""
    return page.evaluate("""() => {
        const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
        const before = window.before ?? document.body;
        window.before = e;
        return { tag: e.tagName, text: (e.innerText || e.ariaLabel || '').trim().slice(0, 40),
            later: Boolean(before.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING),
            ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && style.opacity === '1',
            inView: box.bottom > 0 && box.top < innerHeight && box.width > 0 };
    }""")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_focus_is_seen_and_goes_through_the_page_in_order(
    browser: Browser,
    address: str,
    size: dict[str, int],
) -> None:
    with visit(browser, address, [], size) as context:
        page = context.new_page()
        page.goto(address + CHAPTER)
        stops = []
        for _ in range(45):
            page.keyboard.press("Tab")
            stops.append(focused(page))
        assert not [stop for stop in stops if not (stop["ring"] and stop["inView"])]
        assert not [stop for stop in stops if not stop["later"]], "the focus jumps back, or is caught"


def test_menus_and_contents_work_by_keyboard(browser: Browser, address: str) -> None:
    faults: list[str] = []
    with visit(browser, address, faults, PHONE) as context:
        page = context.new_page()
        page.goto(address + CHAPTER)
        button = page.locator(".dropdown-toggle").first
        button.focus()
        page.keyboard.press("ArrowDown")
        assert button.get_attribute("aria-expanded") == "true"
        assert page.evaluate("document.activeElement.closest('.dropdown-menu') !== null")
        page.keyboard.press("Escape")
        assert button.get_attribute("aria-expanded") == "false"
        assert page.evaluate("document.activeElement.classList.contains('dropdown-toggle')")
        toggle = page.locator(".primary-toggle").first
        toggle.focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.closest('dialog[open]') !== null")
        page.keyboard.press("Escape")
        expect(toggle).to_be_focused()
    assert not faults


# --- wishes of the reader's system -------------------------------------------------------------


def test_nothing_moves_for_who_wants_no_motion(browser: Browser, address: str, site: Path) -> None:
    with visit(browser, address, []) as context:  # with reduced motion
        page = context.new_page()
        for name in (CHAPTER, "chapters/index.html"):
            page.goto(address + name)
            assert page.evaluate("""() => [...document.querySelectorAll('*')].every((e) => {
                const s = getComputedStyle(e);
                return s.transitionDuration.split(', ').every((t) => t === '0s') && s.animationName === 'none'
                    && s.scrollBehavior === 'auto';
            })"""), name
            assert page.evaluate("document.getAnimations().length") == 0


def test_colours_of_the_system_keep_buttons_and_drawings_visible(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=PHONE, forced_colors="active")
    page = context.new_page()
    page.goto(address + CHAPTER)
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    icons = page.locator(".bd-header-article :is(.fa-bars, .fa-list, .fa-magnifying-glass):visible")
    assert icons.count() == 3
    for icon in icons.all():
        assert icon.evaluate("e => getComputedStyle(e).backgroundColor") != ground
    paper = page.locator(".tb-plot:visible").first.evaluate("e => getComputedStyle(e).backgroundColor")
    assert paper == page.evaluate("""() => {
        const probe = document.body.appendChild(document.createElement('i'));
        probe.style.cssText = 'forced-color-adjust: none; color: var(--tb-page)';
        return getComputedStyle(probe).color;
    }""")
    context.close()
