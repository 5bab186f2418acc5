"""The built pages: self-contained, light, readable, with formulas and figures that work.

Everything here is read from the files in ``_build/html``; ``test_browser.py`` opens them.
"""

from __future__ import annotations

import csv
import gzip
import re
import sys
from itertools import combinations
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from bs4.element import NavigableString

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "_ext"))

import tb_light
import tb_mathml
import tb_site

FIRST_VISIT = 500_000  # bytes over the network, gzipped
NEXT_VISIT = 150_000  # the page and what only this page loads: all else is in the browser's cache
LOADING_LINKS = {
    "stylesheet",
    "icon",
    "preload",
    "modulepreload",
    "prefetch",
    "preconnect",
    "dns-prefetch",
    "manifest",
    "apple-touch-icon",
}
LATEX = re.compile(r"\\[A-Za-z]{2,}|\$\$")
SERIES = [f"c{n}" for n in range(1, 9)]


def pages(site: Path) -> dict[str, BeautifulSoup]:
    """Return every page of the book by its address, parsed."""
    found = [p for p in tb_light.site_pages(site) if not p.relative_to(site).parts[0].startswith("_")]
    return {p.relative_to(site).as_posix(): BeautifulSoup(p.read_text("utf-8"), "html.parser") for p in found}


@pytest.fixture(scope="module")
def soups(site: Path) -> dict[str, BeautifulSoup]:
    """The parsed pages of the built site."""
    return pages(site)


@pytest.fixture(scope="module")
def book(soups: dict[str, BeautifulSoup]) -> dict[str, BeautifulSoup]:
    """The pages that carry the book's text (without the entry page and the one for wrong addresses)."""
    return {name: soup for name, soup in soups.items() if name not in ("index.html", "404.html")}


def loads(soup: BeautifulSoup) -> list[str]:
    """Return the addresses that a browser fetches to show a page."""
    found = [tag["href"] for tag in soup.find_all("link", href=True) if LOADING_LINKS & set(tag.get("rel", []))]
    for name, attribute in (
        ("script", "src"),
        ("img", "src"),
        ("source", "src"),
        ("iframe", "src"),
        ("video", "src"),
        ("video", "poster"),
        ("audio", "src"),
        ("embed", "src"),
        ("track", "src"),
        ("object", "data"),
        ("image", "href"),
        ("use", "href"),
    ):
        found += [tag[attribute] for tag in soup.find_all(name) if tag.get(attribute)]
    for tag in soup.find_all(srcset=True):
        found += [part.split()[0] for part in tag["srcset"].split(",") if part.strip()]
    for tag in soup.find_all(style=True):
        found += css_addresses(tag["style"])
    for tag in soup.find_all("style"):
        found += css_addresses(tag.get_text())
    return [address for address in found if not address.startswith(("data:", "#"))]


def css_addresses(css: str) -> list[str]:
    """Return the addresses that a style sheet fetches."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    # A quoted address may hold brackets, as pictures written into the style sheet do.
    addresses = [a or b or c for a, b, c in re.findall(r"url\(\s*(?:\"([^\"]*)\"|'([^']*)'|([^)\"']*))\s*\)", css)]
    addresses += re.findall(r"@import\s+[\"']([^\"']+)[\"']", css)
    return [a.strip() for a in addresses if not a.startswith(("data:", "#"))]


def is_external(address: str) -> bool:
    """Say whether an address leads away from the site."""
    return bool(urlsplit(address).netloc) or address.startswith("//")


def local_file(site: Path, page: str, address: str) -> Path:
    """Return the file behind a relative address on a page."""
    return (site / page).parent.joinpath(unquote(urlsplit(address).path)).resolve()


# --- what is there -----------------------------------------------------------------------------


def test_every_page_of_the_contents_is_built(site: Path) -> None:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    wanted = [toc["root"], *(c["file"] for part in toc["parts"] for c in part["chapters"])]
    missing = [name for name in wanted if not (site / f"{name}.html").is_file()]
    assert not missing


def test_the_entry_page_leads_to_the_landing_page(soups: dict[str, BeautifulSoup], site: Path) -> None:
    refresh = soups["index.html"].find("meta", attrs={"http-equiv": "refresh"})["content"]
    target = refresh.split("url=")[1]
    assert not is_external(target) and not target.startswith("/")
    assert (site / target).is_file()


def test_head_of_every_page(soups: dict[str, BeautifulSoup]) -> None:
    titles = {}
    for name, soup in soups.items():
        assert soup.html.get("lang") == "en", name
        title = soup.title.get_text(strip=True)
        assert len(title) > 10, name
        assert titles.setdefault(title, name) == name, f"{name} and {titles[title]} share a title"
        descriptions = soup.find_all("meta", attrs={"name": "description"})
        assert len(descriptions) == 1, name
        assert 20 < len(descriptions[0]["content"]) < 300, name
        assert len(soup.find_all("meta", attrs={"name": "viewport"})) == 1, name
        assert len(soup.find_all("h1")) == 1, name


def test_frame_of_every_page(book: dict[str, BeautifulSoup]) -> None:
    for name, soup in book.items():
        skip = soup.select_one(".skip-link a")
        assert skip and soup.find(id=skip["href"].lstrip("#")), f"{name}: skip link leads nowhere"
        assert soup.select_one("main") and soup.select_one(".tb-licence"), name
        assert len(soup.select("#pst-search-dialog")) == 1, f"{name}: search dialog"
        buttons = [
            b for b in soup.find_all("button") if not (b.get_text(strip=True) or b.get("aria-label") or b.get("title"))
        ]
        assert not buttons, f"{name}: buttons without a name"
        assert not soup.select(".thebe-launch-button, [id^=thebe]"), name


def test_identifiers_are_unique(book: dict[str, BeautifulSoup]) -> None:
    for name, soup in book.items():
        ids = [tag["id"] for tag in soup.find_all(id=True)]
        doubled = {i for i in ids if ids.count(i) > 1}
        assert not doubled, name


# --- self-contained and light ------------------------------------------------------------------


def test_pages_load_nothing_from_elsewhere(soups: dict[str, BeautifulSoup]) -> None:
    external = [(name, a) for name, soup in soups.items() for a in loads(soup) if is_external(a)]
    assert not external


def test_style_sheets_load_nothing_from_elsewhere(site: Path) -> None:
    sheets = sorted((site / "_static").rglob("*.css"))
    assert sheets
    external = [(s.name, a) for s in sheets for a in css_addresses(s.read_text("utf-8")) if is_external(a)]
    assert not external


def test_everything_that_is_loaded_exists(soups: dict[str, BeautifulSoup], site: Path) -> None:
    missing = {
        (name, a) for name, soup in soups.items() for a in loads(soup) if not local_file(site, name, a).is_file()
    }
    assert not missing


def test_no_leftovers_of_the_theme(site: Path) -> None:
    names = [p.relative_to(site).as_posix() for p in site.rglob("*") if p.is_file() and site / "lite" not in p.parents]
    unwanted = [n for n in names if n.endswith(".map") or re.search(r"fontawesome|fa-solid|thebe|mathjax", n, re.I)]
    assert not unwanted
    sheets = [p for p in (site / "_static").rglob("*.css") if p != site / tb_light.STYLES]
    assert not {p.name for p in sheets} & {"theme.css", "pydata-sphinx-theme.css", "basic.css"}
    assert not re.search(r"@font-face\s*\{[^}]*Awesome", (site / tb_light.STYLES).read_text("utf-8"))


def weight(path: Path) -> int:
    """Bytes over the network."""
    content = path.read_bytes()
    return len(content) if path.suffix in (".woff2", ".png", ".webp") else len(gzip.compress(content, 6, mtime=0))


def loaded_files(site: Path, name: str, soup: BeautifulSoup) -> set[Path]:
    """What a first visit fetches besides the page: styles with their fonts, scripts, icons."""
    files = {local_file(site, name, a) for a in loads(soup)}
    for sheet in [f for f in files if f.suffix == ".css"]:
        files |= {sheet.parent.joinpath(urlsplit(a).path).resolve() for a in css_addresses(sheet.read_text("utf-8"))}
    return {f for f in files if f.is_file()}


def test_weight_of_every_page(book: dict[str, BeautifulSoup], site: Path) -> None:
    files = {name: loaded_files(site, name, soup) for name, soup in book.items()}
    shared = set.intersection(*files.values())
    assert shared, "every page loads the book's style sheet and script"
    heavy = {}
    for name, own in files.items():
        page = weight(site / name)
        first, following = page + sum(map(weight, own)), page + sum(map(weight, own - shared))
        if first > FIRST_VISIT or following > NEXT_VISIT:
            heavy[name] = (first, following)
    assert not heavy


def test_what_pages_share_can_be_kept_for_ever(book: dict[str, BeautifulSoup], site: Path) -> None:
    """An address names the content: another content has another address."""
    for name, soup in book.items():
        for address in (tb_light.STYLES, tb_light.SCRIPTS):
            tag = soup.find("link", href=re.compile(address)) or soup.find("script", src=re.compile(address))
            found = urlsplit(tag.get("href") or tag["src"])
            assert found.query == f"v={tb_light.version_of((site / address).read_bytes())}", name
    for address in css_addresses((site / tb_light.STYLES).read_text("utf-8")):
        path, _, version = address.partition("?v=")
        assert version == tb_light.version_of((site / tb_light.STYLES).parent.joinpath(path).read_bytes()), address


def test_nothing_blocks_the_first_paint(soups: dict[str, BeautifulSoup]) -> None:
    for name, soup in soups.items():
        sheets = soup.select("link[rel=stylesheet]")
        assert len(sheets) <= 2, f"{name}: the book's style sheet, and at most one of its own"
        for script in soup.select("script[src]"):
            waits = script.has_attr("defer") or script.has_attr("async") or script.get("type") == "module"
            assert waits, f"{name}: {script['src']}"


def test_pages_run_only_what_the_site_brings(site: Path) -> None:
    policy = tb_light.POLICY
    assert "'self'" in policy and "unsafe" not in policy and "http" not in policy and "*" not in policy
    for path in tb_light.site_pages(site):
        soup, name = BeautifulSoup(path.read_text("utf-8"), "html.parser"), path.relative_to(site).as_posix()
        if name == "404.html":  # loads nothing and has a policy of its own
            continue
        tags = soup.find_all("meta", attrs={"http-equiv": "Content-Security-Policy"})
        assert [tag["content"] for tag in tags] == [policy], name
        assert not tags[0].find_previous(["script", "link", "style"]), f"{name}: something stands before the policy"
        inline = [s for s in soup.find_all("script", src=False) if s.get("type", "text/javascript").endswith("script")]
        assert all(tb_light.hashed(script.string) in policy for script in inline), name
        assert not soup.find_all("style") and not soup.find_all(style=True), f"{name}: styles inside the page"
        handlers = [a for tag in soup.find_all(True) for a in tag.attrs if re.match(r"on[a-z]+$", a)]
        assert not handlers, name
        assert not soup.find_all(href=re.compile("^javascript:")), name


def test_drawings_have_a_size_before_they_are_drawn(book: dict[str, BeautifulSoup]) -> None:
    for name, soup in book.items():
        for picture in [*soup.select(".tb-plot > svg"), *soup.select("article img")]:
            assert picture.get("width") and picture.get("height"), name


def test_fonts_are_small_and_hold_what_formulas_need(site: Path, book: dict[str, BeautifulSoup]) -> None:
    from fontTools.ttLib import TTFont

    fonts = sorted((site / "_static" / "fonts").glob("*.woff2"))
    assert len(fonts) == len(tb_site.TEXT_FACES) + 1
    for path in fonts:
        assert path.stat().st_size < 60_000, path.name
        assert "Source" not in TTFont(path)["name"].getDebugName(1), "the licence reserves the name"
    assert (site / "_static" / "fonts" / "LICENSE.txt").is_file()
    formulas = TTFont(site / "_static" / "fonts" / "tradebook-math.woff2")
    assert "MATH" in formulas
    used = {c for soup in book.values() for m in soup.find_all("math") for c in m.get_text() if c.isprintable()}
    assert {c for c in used if ord(c) not in formulas.getBestCmap()} <= {"\u2061", "\u2009"}


# --- formulas ----------------------------------------------------------------------------------


def test_formulas_are_mathml(book: dict[str, BeautifulSoup]) -> None:
    formulas = 0
    for name, soup in book.items():
        assert not soup.select(".tb-latex"), f"{name}: a formula was not converted"
        for box in soup.select("span.math, div.math"):
            assert box.find("math"), f"{name}: {box.get_text()[:60]}"
        for formula in soup.find_all("math"):
            formulas += 1
            assert formula.get("alttext", "").strip(), name
    assert formulas > 0


def test_no_latex_is_left_in_the_text(book: dict[str, BeautifulSoup]) -> None:
    left = [
        (name, text.strip()[:60])
        for name, soup in book.items()
        for text in soup.body.find_all(string=LATEX)
        if type(text) is NavigableString and not text.find_parent(["code", "pre", "script", "style"])
    ]
    assert not left


@pytest.mark.parametrize(
    ("latex", "wanted"),
    [
        (r"\mathrm{RCA}_{ik}", "<mi>RCA</mi>"),
        (r"\frac{a}{b}", "<mfrac>"),
        (r"a < b", "<mo>&lt;</mo>"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "<mtable"),
        (r"\begin{cases} 1 & x > 0 \\ 0 & x \le 0 \end{cases}", "<mtable"),
        (r"\max_k x", "<munder>"),
        (r"\mathbf{z}", "\U0001d433"),
    ],
)
def test_formula_converter(latex: str, wanted: str) -> None:
    assert wanted in tb_mathml.to_mathml(latex, display=True)


@pytest.mark.parametrize("latex", [r"\undefinedcommand x", r"a_{", r"a & b", ""])
def test_formula_converter_refuses_what_it_cannot_express(latex: str) -> None:
    with pytest.raises(tb_mathml.FormulaError):
        tb_mathml.to_mathml(latex)


def test_formula_keeps_its_source_for_readers_of_the_text() -> None:
    assert r'alttext="\frac{a}{b} &lt; 1"' in tb_mathml.to_mathml(r"\frac{a}{b} < 1")


# --- figures and tables ------------------------------------------------------------------------


def test_figures_say_what_they_show_and_offer_their_data(book: dict[str, BeautifulSoup], site: Path) -> None:
    figures = [(name, f) for name, soup in book.items() for f in soup.select("figure.tb-figure")]
    assert any("02-bilateral-trade" in name for name, _ in figures)
    for name, figure in figures:
        where = f"{name}#{figure.get('id')}"
        assert figure.get("id"), where
        assert figure.select_one("figcaption.tb-head strong").get_text(strip=True), where
        assert "Source:" in figure.select_one(".tb-source").get_text(), where
        plots = figure.select(".tb-plot")
        assert plots, where
        for plot in plots:
            label = plot.get("aria-label", "")
            data = figure.find(id=plot.get("aria-details"))
            assert data and local_file(site, name, data["href"]).is_file(), f"{where}: no long description"
            assert plot.get("role") == "img" and len(label) > 30 and not re.search(r"\.(png|svg)$", label), where
            assert plot.find("svg") and plot.find("svg").get("viewbox"), where
        assert_csv_links_work(site, name, figure, where)


def test_tables_are_readable_with_a_screen_reader(book: dict[str, BeautifulSoup], site: Path) -> None:
    for name, soup in book.items():
        for table in soup.select("figure.tb-table"):
            where = f"{name}#{table.get('id')}"
            region = table.select_one(".tb-scroll")
            assert region and region.get("tabindex") == "0" and region.get("aria-label"), where
            assert all(th.get("scope") for th in table.select("th")), where
            assert table.select_one("thead") and table.select_one("tbody td"), where
            assert_csv_links_work(site, name, table, where)


def test_verdict_marks_carry_words(book: dict[str, BeautifulSoup]) -> None:
    for name, soup in book.items():
        for mark in soup.select(".tb-verdict"):
            assert len(mark.get_text(strip=True)) > 5, name


def assert_csv_links_work(site: Path, page: str, figure: BeautifulSoup, where: str) -> None:
    """Check the data links of one figure or table."""
    links = figure.select("a[download$='.csv']")
    assert links, f"{where}: no data link"
    for link in links:
        assert not link["href"].startswith("data:"), f"{where}: data left in the page"
        with local_file(site, page, link["href"]).open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.reader(stream) if row and not row[0].startswith("#")]
        assert len(rows) > 1 and len({len(row) for row in rows}) == 1, where


def test_csv_data_move_to_files(tmp_path: Path) -> None:
    class App:
        outdir = tmp_path

    data = "data:text/csv;charset=utf-8;base64,YSxiCjEsMgo="
    link = f'<a download="fig.csv" class="x" href="{data}">Data</a>'
    context = {"body": f"<p>{link}</p>", "pathto": lambda name, resource: f"../{name}"}
    tb_site.move_csv_to_files(App, "chapters/one", context)
    assert (tmp_path / "_downloads" / "one" / "fig.csv").read_text("utf-8") == "a,b\n1,2\n"
    assert context["body"] == '<p><a download="fig.csv" class="x" href="../_downloads/one/fig.csv">Data</a></p>'


def test_icon_rules_leave_the_style_sheet_and_nothing_else_does() -> None:
    css = (
        '.a{color:red}.fa-house:before{content:"x"}.fa,.fas{font-weight:900}.b .fa-x{top:0}'
        "@font-face{font-family:Font Awesome;src:url(a.woff2)}.c{left:0}"
    )
    assert tb_site.strip_icon_font(css) == ".a{color:red}.b .fa-x{top:0}.c{left:0}"


# --- colours -----------------------------------------------------------------------------------


def palette(mode: str) -> dict[str, str]:
    """Return the colours of one mode from the style sheet."""
    css = (ROOT / "_static" / "tradebook.css").read_text("utf-8")
    block = re.search(rf"html\[data-theme=\"{mode}\"\]\s*\{{([^}}]*--tb-page[^}}]*)\}}", css).group(1)
    return dict(re.findall(r"--tb-([a-z0-9]+):\s*(#[0-9a-f]{6});", block))


def linear(colour: str) -> list[float]:
    """Return the linear red, green and blue of a colour."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast ratio of two colours."""
    lights = sorted(sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear(c), strict=True)) for c in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


# Machado, Oliveira and Fernandes (2009), full severity, on linear light.
VISION = {
    "full": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
}


def seen(colour: str, vision: str) -> tuple[float, float, float]:
    """Return a colour as seen with one kind of vision, in OKLab (Ottosson 2020)."""
    light = linear(colour)
    r, g, b = (min(1.0, max(0.0, sum(w * p for w, p in zip(row, light, strict=True)))) for row in VISION[vision])
    long, middle, short = (
        (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3),
        (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3),
        (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3),
    )
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_and_series_stand_out_from_the_page(mode: str) -> None:
    colours = palette(mode)
    weak = {
        (name, ground): round(contrast(colours[name], colours[ground]), 2)
        for name in ("ink", "muted", "link", *SERIES)
        for ground in ("page", "box")
        if contrast(colours[name], colours[ground])
        < (4.5 if ground == "page" or name in ("ink", "muted", "link") else 3)
    }
    assert not weak


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("vision", list(VISION))
def test_series_colours_stay_apart(mode: str, vision: str) -> None:
    colours = palette(mode)
    # The grey c8 marks context, not a series of its own.
    close = {
        (a, b): round(distance, 3)
        for a, b in combinations(SERIES[:7], 2)
        if (
            distance := sum(
                (x - y) ** 2 for x, y in zip(seen(colours[a], vision), seen(colours[b], vision), strict=True)
            )
            ** 0.5
        )
        < 0.07
    }
    assert not close
