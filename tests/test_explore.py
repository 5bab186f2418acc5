"""The explorers: their data are the book's tables, and they work with keyboard, phone, folder and without scripts."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page, expect
from test_browser import DESKTOP, PHONE, visit

from tradebook import claims
from tradebook.bilateral import NoTradeDataError, mirror, reported_by, totals
from tradebook.data import load
from tradebook.economies import name

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "_ext"))

import tb_explore

PAGE = "chapters/appendices/explore.html"
LIST = "chapters/appendices/claims.html"
TRADE, INDICATORS = '[data-explorer="trade"]', '[data-explorer="indicators"]'
SHOWS = ("total", "out", "back", "balance", "mirror", "growth")


# --- the data files -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """The data files as a build writes them."""
    return tb_explore.data_files()


def content(text: str) -> tuple[str, dict]:
    """Name and content of a data file."""
    found = re.fullmatch(r'tbExplore\.data\["([^"]+)"\]=(\{.*\});\n', text, re.DOTALL)
    return found[1], json.loads(found[2])


@pytest.fixture(scope="module")
def index(files: dict[str, str]) -> dict:
    """What the explorers know beforehand."""
    return content(files["index"])[1]


def series_of(files: dict[str, str], index: dict, seller: str, buyer: str) -> tuple[dict, dict]:
    """One flow in the seller's and in the buyer's report, found as the script finds it."""
    first, second = sorted((seller, buyer))
    blocks = sorted(index["order"].index(code) // index["block"] for code in (first, second))
    stored = content(files[f"trade/{blocks[0]:02d}-{blocks[1]:02d}"])[1].get(first + second, [""] * 4)
    four = [tb_explore.unpacked(text) for text in stored]
    return (four[0], four[1]) if seller == first else (four[2], four[3])


def seeded_pairs() -> list[tuple[str, str]]:
    """Thirty pairs: twenty at random, and some with states that ended, tiny ones, and totals."""
    flows = load("bilateral-trade")
    codes = sorted({*flows["exporter"].unique(), *flows["importer"].unique()})
    chosen = random.Random(5)
    pairs = [tuple(chosen.sample(codes, 2)) for _ in range(20)]
    return [
        *pairs, ("RUS", "DEU"), ("CZE", "RUS"), ("BEL", "FRA"), ("SUN", "USA"), ("CSK", "SUN"),
        ("CHN", "USA"), ("KAZ", "UZB"), ("WLD", "CHN"), ("TWN", "JPN"), ("BTN", "NRU"),
    ]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), seeded_pairs(), ids="-".join)
def test_pairs_equal_what_the_chapters_compute(files: dict[str, str], index: dict, a: str, b: str) -> None:
    try:
        trade = totals(a, b)
    except NoTradeDataError:
        trade = pd.DataFrame(columns=["exporter", "reporter", "year", "value_usd"])
    for seller, buyer in ((a, b), (b, a)):
        for reporter, stored in zip((seller, buyer), series_of(files, index, seller, buyer), strict=True):
            rows = trade[(trade["exporter"] == seller) & (trade["reporter"] == reporter)]
            wanted = dict(zip(rows["year"], rows["value_usd"] / 1e6, strict=True))
            assert stored.keys() == wanted.keys()
            assert stored == pytest.approx(wanted, abs=6e-7, rel=1e-12)  # to the dollar


def test_china_and_russia_equal_the_table(files: dict[str, str], index: dict) -> None:
    flows = load("bilateral-trade")
    for seller, buyer in (("CHN", "RUS"), ("RUS", "CHN")):
        states = {"CHN": ["CHN"], "RUS": ["RUS", "SUN"]}
        rows = flows[flows["exporter"].isin(states[seller]) & flows["importer"].isin(states[buyer])]
        for column, stored in zip(rows.columns[3:], series_of(files, index, seller, buyer), strict=True):
            wanted = rows.groupby("year")[column].sum(min_count=1).dropna().to_dict()
            assert stored.keys() == wanted.keys()
            assert stored == pytest.approx(wanted, abs=6e-7, rel=1e-12)


def test_every_record_is_there(files: dict[str, str], index: dict) -> None:
    flows = load("bilateral-trade")
    kept = flows[flows["exporter"] != flows["importer"]]
    formers = {state["code"] for states in index["lineage"].values() for state in states}
    concerned = formers | set(index["lineage"])
    plain = kept[~(kept["exporter"].isin(concerned) | kept["importer"].isin(concerned))]
    stored = 0
    for name_, text in files.items():
        if name_.startswith("trade/"):
            for pair, four in content(text)[1].items():
                if not {pair[:3], pair[3:]} & concerned:
                    stored += sum(cell != "" for report in four for cell in report.split(",")[1:])
    assert stored == plain.iloc[:, 3:].notna().to_numpy().sum()


def test_indicators_equal_the_tables(files: dict[str, str], index: dict) -> None:
    chosen = random.Random(6)
    checked = 0
    for indicator in index["indicators"]:
        stored = content(files[f"indicator/{indicator['code']}"])[1]
        frames = [load(table).rename(columns={"group": "iso3"}) for table in indicator["tables"]]
        rows = pd.concat([f[f["indicator"] == indicator["code"]] for f in frames]).drop_duplicates(["iso3", "year"])
        assert stored.keys() == set(rows["iso3"])
        for code in chosen.sample(sorted(stored), 2):
            here = rows[rows["iso3"] == code]
            wanted = dict(zip(here["year"], here["value"], strict=True))
            found = tb_explore.unpacked(stored[code])
            assert found.keys() == wanted.keys()
            assert found == pytest.approx(wanted, rel=5.1e-6)
            checked += 1
    assert checked >= 30


def test_files_are_small_and_always_the_same(files: dict[str, str], index: dict) -> None:
    weights = {name_: len(gzip.compress(text.encode(), 6)) for name_, text in files.items()}
    assert max(weights.values()) < 60_000
    assert [n for n, text in files.items() if content(text)[0] != n] == []
    values = tb_explore.indicator_tables()[0]
    values = values.sample(frac=1, random_state=1)  # the order of the rows does not matter
    again = {n: tb_explore.script(n, part) for n, part in tb_explore.indicator_files(values).items()}
    assert again == {n: files[n] for n in again}
    flows = load("bilateral-trade")
    flows = flows[flows["exporter"].isin(["CHN", "SUN", "RUS"]) & flows["importer"].isin(["CHN", "SUN", "RUS"])]
    one = tb_explore.trade_blocks(tb_explore.continued(flows))
    assert one == tb_explore.trade_blocks(tb_explore.continued(flows.sample(frac=1, random_state=1)))


@pytest.mark.parametrize(
    ("series", "text"),
    [
        ({}, ""),
        ({1999: 2.5}, "1999,2.5"),
        ({1960: 0.000001, 1963: 12.0}, "1960,0.000001,,,12"),
        ({2000: 0.0}, "2000,0"),
    ],
)
def test_a_series_as_text(series: dict[int, float], text: str) -> None:
    assert tb_explore.packed(series, map(tb_explore.exact, series.values())) == text
    assert tb_explore.unpacked(text) == series


def test_numbers_are_written_short() -> None:
    assert tb_explore.exact(float("nan")) == ""
    assert tb_explore.exact(38097.732658) == "38097.732658"
    assert [tb_explore.rounded(v) for v in (1190721475853.16, -0.05, 100.0, 1e-7)] == [
        "1.19072e12",
        "-0.05",
        "100",
        "1e-7",
    ]
    assert [tb_explore.short(v) for v in (47362.3, 107.66, 1.349, -0.0596, 0.0)] == [
        "47,362",
        "107.7",
        "1.35",
        "−0.0596",
        "0",
    ]


# --- the built pages ------------------------------------------------------------------------------


def test_the_site_has_the_data(site: Path, files: dict[str, str]) -> None:
    folder = site / "_static" / "explore"
    written = {p.relative_to(folder).with_suffix("").as_posix() for p in folder.rglob("*.js")}
    assert written == {*files, *(p.stem for p in tb_explore.SCRIPTS.glob("*.js"))}
    for file in sorted(files)[::40]:
        assert (folder / f"{file}.js").read_text("utf-8") == files[file]


def test_only_its_pages_load_the_scripts(site: Path) -> None:
    loading = {
        path.relative_to(site).as_posix(): sorted({*re.findall(r'(?:src|href)="[^"]*/explore/(\w+\.\w+)', text)})
        for path in site.rglob("*.html")
        if "/explore/" in (text := path.read_text("utf-8")) and "lite" not in path.relative_to(site).parts
    }
    assert {page: found for page, found in loading.items() if found} == {
        PAGE: ["explore.css", "start.js"],
        LIST: ["claims.css", "claims.js"],
    }


def test_the_example_stands_in_the_page(site: Path) -> None:
    soup = BeautifulSoup((site / PAGE).read_text("utf-8"), "html.parser")
    for kind in tb_explore.ANCHORS:
        box = soup.select_one(f'[data-explorer="{kind}"]')
        assert "Scripts are switched off" in box.noscript.get_text()
        assert box.select_one("figure .tb-plot svg") and box.select_one("table tbody td.num")
        assert box.fieldset.has_attr("disabled")


def test_statements_have_their_kind(site: Path) -> None:
    soup = BeautifulSoup((site / LIST).read_text("utf-8"), "html.parser")
    rows = {row.a["id"]: row["data-kind"] for row in soup.select("#tab-audit-all tbody tr")}
    register = claims.register().reset_index()
    assert rows == dict(zip(register["claim_id"], register["kind"], strict=True))


# --- in a browser ---------------------------------------------------------------------------------


def open_explorer(page: Page, url: str, kind: str = TRADE) -> None:
    """Open the page and wait for an explorer to be ready."""
    page.goto(url)
    page.locator(kind).scroll_into_view_if_needed()
    expect(page.locator(f"{kind}[data-state=ready]")).to_have_count(1)


def shown_table(page: Page, kind: str = TRADE) -> list[list[str]]:
    """The cells of the table below an explorer."""
    return page.locator(f"{kind} table").evaluate("t => [...t.rows].map(r => [...r.cells].map(c => c.textContent))")


def title_of(page: Page, kind: str = TRADE) -> str:
    """The title of an explorer's figure."""
    return page.locator(f"{kind} .tb-head strong").inner_text().removesuffix("#")  # the link to the figure


def number(text: str) -> float | None:
    """A number as the table writes it."""
    return None if text == "–" else float(text.replace(",", "").replace("−", "-"))


@pytest.mark.browser
def test_a_pair_is_chosen_with_the_keyboard(browser: Browser, address: str) -> None:
    faults: list[str] = []
    with visit(browser, address, faults) as context:
        page = context.new_page()
        open_explorer(page, address + PAGE)
        page.locator("#explore-a").focus()
        page.keyboard.type("kazak")
        expect(page.locator("#explore-a")).to_have_attribute("aria-expanded", "true")
        page.keyboard.press("ArrowDown")
        expect(page.locator("#explore-a-list [aria-selected=true]")).to_have_text("Kazakhstan KAZ")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.locator("#explore-b")).to_be_focused()
        page.keyboard.type("UZ")  # an ISO code
        page.keyboard.press("Enter")
        expect(page.locator(f"{TRADE} .tb-head strong")).to_contain_text(
            "Trade between Kazakhstan and Uzbekistan in 2020"
        )
        expect(page.locator("#explore-b")).to_have_value("Uzbekistan")
        page.locator(f"{TRADE} input[name=show]:checked").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator(f"{TRADE} .tb-head strong")).to_contain_text("Goods from Kazakhstan to Uzbekistan")
        assert parse_qs(urlsplit(page.url).query) == {"a": ["KAZ"], "b": ["UZB"], "show": ["out"]}
        slider = page.locator(f"{TRADE} input[type=range]")
        slider.focus()
        page.keyboard.press("ArrowLeft")
        expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^2019: reported by Kazakhstan "))
        expect(page.locator(f"{TRADE} .tb-reading")).to_contain_text("2019: reported by Kazakhstan")
    assert not faults


@pytest.mark.browser
def test_the_address_keeps_the_choice(browser: Browser, address: str) -> None:
    with visit(browser, address, []) as context:
        page, other = context.new_page(), context.new_page()
        for kind, query in (
            (TRADE, "a=DEU&b=FRA&show=balance"),
            (TRADE, "a=CHN&b=WLD&show=out&scale=linear"),
            (INDICATORS, "indicator=SP.POP.TOTL&economies=CHN.IND.RUS&form=index&from=1990"),
        ):
            open_explorer(page, f"{address}{PAGE}?{query}", kind)
            link = page.locator(kind).get_by_role("link", name="Link to this view").get_attribute("href")
            assert urlsplit(link).query == query
            open_explorer(other, link, kind)
            assert title_of(other, kind) == title_of(page, kind)
            assert shown_table(other, kind) == shown_table(page, kind)


@pytest.mark.browser
def test_the_table_equals_what_the_chapters_compute(browser: Browser, address: str) -> None:
    trade = totals("DEU", "RUS")
    kinds = {"total": "total", "balance": "balance"}
    with visit(browser, address, []) as context:
        page = context.new_page()
        for show, column in kinds.items():
            open_explorer(page, f"{address}{PAGE}?a=DEU&b=RUS&show={show}")
            heads, *rows = shown_table(page)
            assert heads == ["year", "reported by Germany", "reported by Russia"]
            ours, theirs = (reported_by(trade, code, code)[column] for code in ("DEU", "RUS"))
            theirs = -theirs if show == "balance" else theirs
            assert {int(year) for year, *_ in rows} == {*ours.index, *theirs.index}
            for year, *cells in rows:
                for cell, wanted in zip(map(number, cells), (ours, theirs), strict=True):
                    assert (cell is None) == (int(year) not in wanted.index)
                    assert cell is None or cell == pytest.approx(wanted[int(year)], abs=0.0051)
        open_explorer(page, f"{address}{PAGE}?a=DEU&b=RUS&show=mirror")
        both = mirror(trade)
        both = both[both["status"] != "estimated"]
        for seller, place in (("DEU", 1), ("RUS", 2)):
            wanted = both[both["exporter"] == seller].set_index("year").eval("imports / exports")
            rows = {int(r[0]): number(r[place]) for r in shown_table(page)[1:]}
            assert {y: v for y, v in rows.items() if v is not None} == pytest.approx(wanted.to_dict(), abs=6e-4)
        open_explorer(page, f"{address}{PAGE}?a=DEU&b=RUS&show=growth")
        total = reported_by(trade, "DEU", "DEU")["total"]
        rows = {int(r[0]): number(r[1]) for r in shown_table(page)[1:]}
        assert 1992 not in {y for y, v in rows.items() if v is not None}, "no growth from the USSR's trade to Russia's"
        assert rows[2010] == pytest.approx(100 * (total[2010] / total[2009] - 1), abs=0.06)


@pytest.mark.browser
def test_the_example_is_what_the_scripts_show(browser: Browser, address: str, site: Path) -> None:
    soup = BeautifulSoup((site / PAGE).read_text("utf-8"), "html.parser")
    with visit(browser, address, []) as context:
        page = context.new_page()
        for kind in (TRADE, INDICATORS):
            open_explorer(page, address + PAGE, kind)
            expect(page.locator(f"{kind} .tb-live")).to_have_count(1)
            box = soup.select_one(kind)
            assert title_of(page, kind) == box.select_one(".tb-head strong").get_text().removesuffix("#")
            assert page.locator(f"{kind} .tb-head span").inner_text() == box.select_one(".tb-head span").get_text()
            assert shown_table(page, kind) == [[c.get_text() for c in row.select("th, td")] for row in box.select("tr")]
            assert page.locator(f"{kind} .tb-live").get_attribute("aria-label").startswith("Line chart, ")


@pytest.mark.browser
def test_the_csv_has_what_is_shown(browser: Browser, address: str) -> None:
    with visit(browser, address, []) as context:
        page = context.new_page()
        query = "indicator=NY.GDP.MKTP.KD.ZG&economies=CHN.RUS"
        open_explorer(page, f"{address}{PAGE}?{query}", INDICATORS)
        with page.expect_download() as started:
            page.locator(INDICATORS).get_by_role("link", name="Data (CSV)").click()
        assert started.value.suggested_filename == "NY.GDP.MKTP.KD.ZG-CHN-RUS.csv"
        text = Path(started.value.path()).read_text("utf-8")
        assert "# Unit: annual %\n" in text and "# Licence: " in text and "# Source: World Bank" in text
        rows = list(csv.DictReader(io.StringIO("".join(x for x in text.splitlines(True) if x[0] != "#"))))
        table = load("wdi")
        table = table[table["indicator"] == "NY.GDP.MKTP.KD.ZG"]
        for code in ("CHN", "RUS"):
            wanted = table[table["iso3"] == code].set_index("year")["value"].to_dict()
            found = {int(row["year"]): float(row[name(code)]) for row in rows if row[name(code)]}
            assert found == pytest.approx(wanted, rel=5.1e-6)


@pytest.mark.browser
def test_what_cannot_be_shown_is_said_in_one_sentence(browser: Browser, address: str) -> None:
    cases = {
        "a=Germny&b=FRA": "There is no economy “Germny” here; did you mean DEU (Germany)",
        "a=BTN&b=NRU": "No trade between Bhutan and Nauru is on record in 1960–2020; choose another pair.",
        "a=CHN&b=china": "An economy does not trade with itself: choose two different ones.",
        "indicator=X.Y": "There is no indicator “X.Y” here: choose one from the list.",
        "indicator=FP.CPI.TOTL.ZG&economies=CHN&form=log": "values of zero or below",
        "indicator=IT.NET.SECR.P6&economies=CHN.NRU": "has no value for Nauru",
    }
    with visit(browser, address, []) as context:
        page = context.new_page()
        for query, sentence in cases.items():
            kind = TRADE if query.startswith("a=") else INDICATORS
            open_explorer(page, f"{address}{PAGE}?{query}", kind)
            expect(page.locator(f"{kind} [role=alert]")).to_contain_text(sentence)
        open_explorer(page, address + PAGE)
        page.locator("#explore-b").fill("Atlantis")
        page.keyboard.press("Tab")
        expect(page.locator(f"{TRADE} [role=alert]")).to_contain_text("There is no economy “Atlantis” here")
        page.locator("#explore-b").fill("Japan")
        page.keyboard.press("Enter")
        expect(page.locator(f"{TRADE} [role=alert]")).to_be_empty()
        expect(page.locator(f"{TRADE} .tb-head strong")).to_contain_text("China and Japan")


@pytest.mark.browser
def test_economies_are_added_and_removed(browser: Browser, address: str) -> None:
    with visit(browser, address, []) as context:
        page = context.new_page()
        open_explorer(page, address + PAGE, INDICATORS)
        for typed in ("IND", "united states", "Brazil"):
            page.locator("#explore-add").fill(typed)
            page.keyboard.press("Enter")
        heads = page.locator(f"{INDICATORS} thead th")
        expect(heads).to_have_text(["year", "China", "Russia", "India", "United States", "Brazil"])
        expect(page.locator("#explore-add")).to_be_disabled()
        page.get_by_role("button", name="Remove Russia").click()
        expect(heads).to_have_text(["year", "China", "India", "United States", "Brazil"])
        page.locator("#explore-indicator").select_option("SP.POP.TOTL")
        expect(page.locator(f"{INDICATORS} .tb-head strong")).to_contain_text("Population in 20")
        page.locator("#explore-from").select_option("2000")
        expect(page.locator(f"{INDICATORS} tbody tr:last-child th")).to_have_text("2000")
        assert parse_qs(urlsplit(page.url).query)["economies"] == ["CHN.IND.USA.BRA"]


@pytest.mark.browser
def test_explorers_start_when_they_come_into_view(browser: Browser, address: str) -> None:
    asked: list[str] = []
    with visit(browser, address, []) as context:
        page = context.new_page()
        page.on("request", lambda request: asked.append(urlsplit(request.url).path.partition("/explore/")[2]))
        page.set_viewport_size({"width": 1280, "height": 300})
        page.goto(address + PAGE)
        page.wait_for_load_state("load")
        assert set(filter(None, asked)) == {"explore.css", "start.js"}
        page.locator(TRADE).scroll_into_view_if_needed()
        expect(page.locator(f"{TRADE}[data-state=ready]")).to_have_count(1)
        assert len([file for file in asked if file.startswith("trade/")]) == 1
        assert not [file for file in asked if file.startswith("indicator/")]


@pytest.mark.browser
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_explorers_fit_a_phone_and_follow_the_mode(browser: Browser, address: str, mode: str) -> None:
    faults: list[str] = []
    with visit(browser, address, faults, PHONE, mode) as context:
        page = context.new_page()
        open_explorer(page, address + PAGE)
        for show in SHOWS:
            page.locator(f"{TRADE} input[name=show][value={show}]").check(force=True)
            expect(page.locator(f"{TRADE} [role=alert]")).to_be_empty()
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], show
            box = page.locator(f"{TRADE} .tb-live svg").bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"] and box["height"] > 250
            outside = page.locator(f"{TRADE} .tb-live svg").evaluate(
                "svg => [...svg.querySelectorAll('text')].map(t => t.getBoundingClientRect())"
                ".filter(r => r.left < 0 || r.right > innerWidth).length"
            )
            assert outside == 0, show
        stroke = page.locator(f"{TRADE} .tb-live path[fill=none]").first.evaluate("e => getComputedStyle(e).stroke")
        palette = {"light": "rgb(41, 97, 190)", "dark": "rgb(99, 148, 245)"}  # c1 of the style sheet
        assert stroke == palette[mode]
    assert not faults


@pytest.mark.browser
def test_explorers_work_from_a_folder(browser: Browser, site: Path) -> None:
    faults: list[str] = []
    folder = site.resolve().as_uri() + "/"
    with visit(browser, folder, faults) as context:
        page = context.new_page()
        open_explorer(page, folder + PAGE + "?a=DEU&b=FRA")
        expect(page.locator(f"{TRADE} .tb-head strong")).to_contain_text("Trade between Germany and France in 2020")
        page.locator("#explore-b").fill("ITA")
        page.keyboard.press("Enter")
        expect(page.locator(f"{TRADE} .tb-head strong")).to_contain_text("Germany and Italy")
        assert "b=ITA" in page.url
        open_explorer(page, folder + PAGE + "?indicator=SP.POP.TOTL", INDICATORS)
    assert not faults


@pytest.mark.browser
def test_without_scripts_the_example_is_there(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(address + PAGE)
    for kind in (TRADE, INDICATORS):
        expect(page.locator(f"{kind} noscript")).to_be_visible()
        assert "Scripts are switched off in this browser." in page.locator(f"{kind} noscript").text_content()
        expect(page.locator(f"{kind} form")).to_be_hidden()
        expect(page.locator(f"{kind} figure .tb-narrow svg")).to_be_visible()
        expect(page.locator(f"{kind} tbody tr").first).to_be_visible()
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_explorers_have_no_accessibility_faults(browser: Browser, address: str, mode: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    with visit(browser, address, [], DESKTOP, mode) as context:
        page = context.new_page()
        open_explorer(page, address + PAGE + "?a=CHN&b=RUS&indicator=SP.POP.TOTL")
        expect(page.locator(f"{INDICATORS}[data-state=ready]")).to_have_count(1)
        page.locator("#explore-b").fill("united")
        expect(page.locator("#explore-b-list")).to_be_visible()
        found = {
            v["id"]: [n["target"] for n in v["nodes"]] for v in axe.run(page, options=options).response["violations"]
        }
        assert found == {}
        page.locator("#explore-b").fill("Atlantis")
        page.keyboard.press("Enter")
        assert axe.run(page, context=TRADE, options=options).response["violations"] == []


# --- the list of statements -------------------------------------------------------------------------


@pytest.mark.browser
def test_statements_are_filtered_counted_and_sorted(browser: Browser, address: str) -> None:
    faults: list[str] = []
    register = claims.register().reset_index()
    with visit(browser, address, faults) as context:
        page = context.new_page()
        page.goto(address + LIST)
        output, rows = page.locator(".tb-filter output"), page.locator("#tab-audit-all tbody tr:visible")
        expect(output).to_have_text(f"All {len(register)} statements")
        page.locator(".tb-filter select[name=kind]").select_option("rank")
        page.locator(".tb-filter select[name=chapter]").select_option("3")
        wanted = register[(register["kind"] == "rank") & (register["chapter"] == 3)]
        expect(output).to_have_text(f"{len(wanted)} of {len(register)} statements")
        expect(rows).to_have_count(len(wanted))
        counts = [int(text) for text in page.locator(".tb-by-verdict b").all_text_contents()]
        assert sum(counts) == len(wanted)
        page.locator(".tb-by-verdict button", has_text="confirmed").focus()
        page.keyboard.press("Space")
        expect(rows).to_have_count(counts[0])
        assert [int(t) for t in page.locator(".tb-by-verdict b").all_text_contents()] == counts, (
            "counts do not depend on the choice"
        )
        page.locator("#tab-audit-all thead button", has_text="line").click()
        expect(page.locator("#tab-audit-all thead th[aria-sort=ascending]")).to_have_text("line")
        lines = [int(text) for text in rows.locator("td:last-child").all_inner_texts()]
        assert lines == sorted(lines)
        page.wait_for_url("**?*sort=line*")
        assert parse_qs(urlsplit(page.url).query) == {
            "kind": ["rank"], "chapter": ["3"], "verdict": ["confirmed"], "sort": ["line"],
        }  # fmt: skip
        before = rows.locator("a[id]").evaluate_all("links => links.map(a => a.id)")
        page.reload()
        expect(rows).to_have_count(counts[0])
        assert rows.locator("a[id]").evaluate_all("links => links.map(a => a.id)") == before
        page.get_by_role("button", name="Show all").click()
        expect(output).to_have_text(f"All {len(register)} statements")
        page.locator(".tb-filter input").fill("no such words anywhere")
        expect(output).to_contain_text("No statement fits")
        expect(rows).to_have_count(0)
    assert not faults


@pytest.mark.browser
def test_words_find_the_statements_that_hold_them(browser: Browser, address: str) -> None:
    with visit(browser, address, [], PHONE) as context:
        page = context.new_page()
        page.goto(address + LIST + "?q=export+patents")
        rows = page.locator("#tab-audit-all tbody tr")
        texts = [text.lower() for text in rows.evaluate_all("rows => rows.map(r => r.textContent)")]
        fits = [all(word in text for word in ("export", "patents")) for text in texts]
        hidden = rows.evaluate_all("rows => rows.map(r => r.hidden)")
        assert 0 < sum(fits) <= 30 and hidden == [not fit for fit in fits]
        some = rows.nth(hidden.index(True)).locator("a[id]").get_attribute("id")
        page.goto(f"{address}{LIST}?q=export+patents#{some}")
        expect(page.locator(f"[id='{some}']")).to_be_visible()  # an address of a row shows it, whatever the filter says
        page.locator(".tb-filter input").fill("the")
        many = sum("the" in text for text in texts)
        expect(page.locator(".tb-filter output")).to_have_text(f"{many} of {len(texts)} statements")
        assert many > 200
        expect(page.locator("#tab-audit-all tbody tr:visible")).to_have_count(30)  # and more when one comes to the end
        page.locator(".tb-more").scroll_into_view_if_needed()
        expect(page.locator("#tab-audit-all tbody tr:visible").nth(59)).to_be_attached()
        page.locator(".tb-sorter select").select_option("-line")
        expect(page.locator("#tab-audit-all thead th[aria-sort=descending]")).to_have_count(1)
