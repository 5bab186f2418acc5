"""Damaged data are refused in one sentence, and no text of the data acts on a page.

`benchmarks/damage.py` damages every table and register.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
import sys
import warnings as pythonwarnings
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from lxml import etree
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from benchmarks import damage
from tools import check_data, data_page
from tradebook import charts, claims, control, data, prose, tables
from tradebook import markdown as as_markdown
from tradebook.claims import ClaimError
from tradebook.data import DataError

#: Tables of each kind: of text, of codes, of numbers with and without years, of flows, in CSV and in Parquet.
TABLES = """brent companies cooperation-eras gacc-headlines lall-groups tariffs us-hightech-exports-to-china yuan-rate
china-sitc-divisions claims/chtf claims/facts claims/coverage""".split()


# --- damaged files ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outcomes() -> pd.DataFrame:
    return damage.run(TABLES, seed=7, rounds=1)


def test_every_harmful_fault_is_refused_as_described(outcomes):
    assert len(outcomes) > 200
    assert set(outcomes["fault"]) == {fault.__name__ for fault in damage.FAULTS}
    assert (outcomes["as_described"] != "").all(), outcomes[outcomes["as_described"] == ""]


def test_every_refusal_is_one_sentence_that_names_the_table(outcomes):
    assert (outcomes["sentence"] == "").all(), outcomes[outcomes["sentence"] != ""].iloc[0].to_dict()


def test_a_renewed_checksum_hides_nothing(outcomes):
    harmful = outcomes[~outcomes["harmless"]]
    assert (harmful["checksum_renewed"] != "").all(), harmful[harmful["checksum_renewed"] == ""]


def test_only_what_leaves_the_frame_as_it_was_is_harmless(outcomes):
    assert set(outcomes.loc[outcomes["harmless"], "fault"]) == {"windows_line_ends", "byte_order_mark"}


def test_most_tables_that_make_no_sense_are_found_even_when_described_anew(outcomes):
    harmful = outcomes[~outcomes["harmless"] & ~outcomes["table"].str.startswith("claims/")]
    assert (harmful["described_anew"] != "").mean() > 0.75


def test_the_benchmark_reports_a_fault_that_passes(outcomes):
    """The share is measured: a layer that refuses nothing is reported as such."""
    blind = outcomes.assign(as_described="")
    assert damage.shares(blind).loc["all", "as described"] == 0
    assert damage.shares(outcomes).loc["all", "as described"] == 100
    assert damage.bad_sentence("Traceback: no", "brent") and damage.bad_sentence("two\nlines", "brent")


# --- the rules ---------------------------------------------------------------------------------------


def test_the_data_are_in_order(capsys):
    assert check_data.main([]) == 0, capsys.readouterr().out


def test_each_meeting_finds_a_unit_that_is_a_thousand_times_off():
    meeting = next(m for m in check_data.MEETINGS if m.tables[0] == "brent")
    assert check_data.meets(meeting) is None
    frame = data.load("brent")
    frame["price_usd_per_barrel"] *= 1000
    with damage.described_as(data._resource("brent"), frame):
        assert "the ratio is" in check_data.meets(meeting)
    with damage.described_as(data._resource("brent"), data.load("brent").head(3)):
        assert "only 3 pairs" in check_data.meets(meeting)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([1.0, 1.1, 1200.0, 1.2], "2002"),
        ([1.0, 0.001, 1.1, 1.0], "2001"),
        ([1.0, 1.0, 1.0, 900.0], "2003"),
        ([1.0, 30.0, 2.0, 50.0], None),
    ],
)
def test_a_jump_in_a_series_is_found(values, found):
    frame = pd.DataFrame({"iso3": "CHN", "year": range(2000, 2004), "value": values})
    other = frame.assign(iso3="RUS", value=1e9)  # another series may be of another size
    assert (check_data.jump(pd.concat([frame, other]), ["iso3", "year"], "value") or "None").split(", ")[-1] == str(
        found
    )


def test_a_control_is_the_same_however_the_file_is_written(tmp_path):
    for name in ("brent", "china-sitc-divisions"):
        resource, frame = data._resource(name), data.load(name)
        frame.to_csv(tmp_path / "t.csv", index=False, lineterminator="\r\n")
        frame.to_parquet(tmp_path / "t.parquet", index=False)
        for path, kind in (("t.csv", "csv"), ("t.parquet", "parquet")):
            again = data._read(tmp_path / path, resource | {"format": kind})
            assert control.difference(again, resource) is None


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (lambda f: f.head(5), "has 5 rows, not 39"),
        (lambda f: f.assign(year=f["year"] - 1), "column “year” has"),
        (
            lambda f: f.assign(price_usd_per_barrel=f["price_usd_per_barrel"].where(f["year"] != 2000)),
            "has 38 filled cells, not 39",
        ),
        (
            lambda f: f.assign(price_usd_per_barrel=f["price_usd_per_barrel"].where(f["year"] != 2000, 28.6)),
            "as sum, not",
        ),
    ],
)
def test_a_difference_is_told_in_words(damaged, message):
    assert message in control.difference(damaged(data.load("brent")), data._resource("brent"))


def test_keys_and_texts_have_rules():
    one, two = (control.Distinct(pd.Series(v)) for v in (["a", "a", "b"], [1, 2, 1]))
    assert control.key_problem([one, two]) is None
    assert control.key_problem([one]) == "repeated"
    assert control.key_problem([two, one]) == "unsorted"
    for text in ("a<b>", "a\x00", "a\u202eb", "\ufffd", "Ã©", "e\u0301", "x" * 3000):
        assert control.text_problem(pd.Series([text]))
    assert control.text_problem(pd.Series(["Côte d’Ivoire & Co. (“x”) – 5 %", "Москва"])) is None


def test_categories_have_an_order_of_their_own():
    kind = pd.CategoricalDtype(["c2", "c9", "c10"])
    codes = control.Distinct(pd.Series(["c10", None, "c2"], dtype=kind))
    assert codes.codes.tolist() == [1, -1, 0] and codes.values.tolist() == ["c2", "c10"]


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A small data package with its registers, which a test may damage."""
    folder = tmp_path / "data"
    source = data.data_folder()
    shutil.copytree(source / "claims", folder / "claims")
    kept = [r for r in data.package()["resources"] if r["name"] in {"brent", "companies", "economies"}]
    for resource in kept:
        shutil.copy(source / resource["path"], folder)
    (folder / "datapackage.json").write_text(json.dumps({**data.package(), "resources": kept}), "utf-8")
    monkeypatch.setenv("TRADEBOOK_DATA", str(folder))
    damage.forget()
    yield folder
    damage.forget()


def test_a_table_that_refers_to_what_is_gone_is_refused(package):
    path, resource = package / "economies.csv", data._resource("economies")
    rows = path.read_text("utf-8").splitlines()
    path.write_text("\n".join(row for row in rows if not row.startswith("SWE")) + "\n", "utf-8", newline="\n")
    frame = data._read(path, resource)
    resource |= control.describe_rows(frame, resource["schema"]["fields"]) | {
        "hash": check_data._checksum(path.read_bytes())
    }
    descriptor = {
        **data.package(),
        "resources": [resource if r["name"] == "economies" else r for r in data.package()["resources"]],
    }
    (package / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")
    damage.forget()
    with pytest.raises(DataError, match="“companies”, column “iso3”: “SWE” is not in table “economies”"):
        data.load("companies")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"resources": [{"name": "brent"}]}', '{"resources": 5}', "\xff"])
def test_a_damaged_descriptor_is_one_sentence(package, content):
    (package / "datapackage.json").write_bytes(content.encode("latin-1"))
    damage.forget()
    with pytest.raises(DataError, match=r"^datapackage\.json is damaged .*restore the file.*\.$") as refused:
        data.load("brent")
    assert "\n" not in str(refused.value)


def test_describing_anew_restores_a_descriptor_and_refuses_what_breaks_the_schema(package, capsys):
    before = json.loads((package / "datapackage.json").read_text("utf-8"))
    (package / "brent.csv").write_text(
        (package / "brent.csv").read_text("utf-8").replace("1987,18.53", "1987,18.54"), "utf-8"
    )
    assert check_data.describe(package) == ["brent"]
    damage.forget()
    assert data.load("brent").set_index("year").at[1987, "price_usd_per_barrel"] == 18.54
    after = json.loads((package / "datapackage.json").read_text("utf-8"))
    assert [r["name"] for r, s in zip(before["resources"], after["resources"], strict=True) if r != s] == ["brent"]
    (package / "brent.csv").write_text("year,price_usd_per_barrel\n1987,-1\n", "utf-8")
    with pytest.raises(DataError, match="below the least"):
        check_data.describe(package)
    assert json.loads((package / "datapackage.json").read_text("utf-8")) == after


def test_the_committed_descriptors_are_those_of_the_files(tmp_path):
    """Writing them again changes nothing (small tables and all registers; the large ones are loaded elsewhere)."""
    source = data.data_folder()
    kept = [r for r in data.package()["resources"] if r["rows"] < 5000]
    shutil.copytree(source / "claims", tmp_path / "claims")
    for resource in kept:
        shutil.copy(source / resource["path"], tmp_path)
    text = json.dumps({**data.package(), "resources": kept}, indent=1, ensure_ascii=False) + "\n"
    (tmp_path / "datapackage.json").write_text(text, "utf-8", newline="\n")
    registers = (tmp_path / "claims" / "datapackage.json").read_bytes()
    assert check_data.describe(tmp_path) == []
    assert (tmp_path / "datapackage.json").read_text("utf-8") == text
    assert (tmp_path / "claims" / "datapackage.json").read_bytes() == registers
    assert all("control" in resource for resource in data.package()["resources"])


def test_an_altered_register_is_refused_by_all_who_read_it(package):
    for name, ask in (("chtf", claims.register), ("coverage", claims.coverage)):
        path = package / "claims" / f"{name}.csv"
        path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
        with pytest.raises(ClaimError, match=f"Register “{name}”: .*checksum differs.*--describe"):
            ask()
    (package / "claims" / "thesis.csv").unlink()
    with pytest.raises(ClaimError, match=r"Register “thesis”: .* is missing"):
        claims.register("thesis")
    from tradebook.checks import CheckError, facts

    (package / "claims" / "facts.csv").write_text("fact,value\n", "utf-8")
    with pytest.raises(CheckError, match="Register “facts”"):
        facts.facts.__wrapped__()


def test_files_and_registers_that_nothing_describes_are_found(package):
    assert list(check_data.file_problems(package)) == []
    (package / "stray.csv").write_text("x", "utf-8")
    (package / "claims" / "novel.csv").write_text("x\n", "utf-8")
    problems = list(check_data.file_problems(package))
    assert "data/stray.csv is described nowhere" in problems[0] and "“novel”" in problems[1]
    (package / "claims" / "datapackage.json").unlink()
    assert "claims/datapackage.json is missing" in list(check_data.file_problems(package))[1]


def test_facts_and_coverage_have_rules_of_their_own(package):
    facts = data.read_register(package / "claims", "facts")
    assert check_data.register_problem("facts", facts) is None
    assert "there twice" in check_data.register_problem("facts", pd.concat([facts, facts.tail(1)]))
    assert "no number" in check_data.register_problem("facts", facts.assign(value="much"))
    assert "no statement uses" in check_data.register_problem(
        "facts", facts.replace({"fact": {facts["fact"][0]: "unused"}})
    )
    assert "which is not there" in check_data.register_problem("facts", facts.head(3))
    coverage = data.read_register(package / "claims", "coverage")
    assert check_data.register_problem("coverage", coverage) is None
    assert "is no statement" in check_data.register_problem(
        "coverage", coverage.replace({"claims": {"chtf-1-002": "chtf-1-999"}})
    )


# --- text that would act on a page -------------------------------------------------------------------

HOSTILE = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "quotes": "\"'><b onmouseover=alert(1)>x</b> id=\"y\"",
    "ampersands": "A & B &amp; &lt;i&gt; &#60;u&#62;",
    "direction": "abc\u202edef\u200fghi\u2066",
    "long": "x" * 5000,
    "markdown": "`a` **b** _c_ [d](javascript:alert(1)) ![e](f.png) <g> {math}`h` $i$ %j ~~k~~ | l | # m \\n :::{note}",
    "glue": "{glue:text}`other` {raw}`x` ```{raw} html\n<script>1</script>\n```",
    "comment": "--><script>alert(1)</script><!-- ]]> <![CDATA[ x ]]> <!--<script>",
    "dollars": "US$ and A$ and $\\frac{1}{2}$",
    "template": "{{ config }} {% raw %} ${x}",
    "formula": "=HYPERLINK(\"http://example.org\")",
    "lines": "one\ntwo\r\n# three\n\n- four",
}  # fmt: skip


class Parsed(HTMLParser):
    """What a browser would make of markup: elements with their attributes, and text."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def shape(self) -> list:
        """Elements with the names of their attributes: what hostile text must not change."""
        return [(tag, sorted(attributes)) for tag, attributes in self.tags]

    def words(self) -> str:
        return " ".join("".join(self.texts).split())


def plain(text: str) -> str:
    return " ".join(text.split())


hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))


@hostile
def test_a_table_shows_hostile_text_as_text(text):
    def made(word: str) -> str:
        frame = pd.DataFrame({word: [word, "b"], "value": [1.5, 2], "words": [word, word]})
        return tables.table_html(
            frame, name="tab-x", number="1", title=word, subtitle=word, tables=["brent"], note=word
        )

    parsed, harmless = Parsed(made(text)), Parsed(made("word"))
    assert parsed.shape() == harmless.shape()
    assert parsed.words().count(plain(text)) == 7
    rows = csv_rows(made(text))
    assert rows[0][0] == text and rows[1][2] == text


def csv_rows(markup: str) -> list[list[str]]:
    """The table that a figure or table carries as CSV."""
    payload = re.search(r'href="data:text/csv;base64,([A-Za-z0-9+/=]+)"', markup)[1]
    lines = base64.b64decode(payload).decode("utf-8")
    body = lines[re.search(r"^(?!#)", lines, re.M).start() :]
    return list(csv.reader(io.StringIO(body, newline="")))


@pytest.mark.filterwarnings("ignore:Glyph")  # the font has no control characters
@hostile
def test_a_figure_shows_hostile_text_as_text(text):
    def made(word: str) -> str:
        frame = pd.DataFrame({word: [1.0, 2, 4], "other": [2.0, 3, 5]}, index=pd.RangeIndex(2000, 2003, name="year"))
        chart = charts.lines(frame, y=word[:60], log=False)
        return charts.figure_html(
            chart, name="fig-x", number="1", title=word, subtitle=word, alt=word, tables=["brent"], note=word
        )

    shown = text[:200]
    markup = made(shown)
    parsed, harmless = Parsed(markup), Parsed(made("word"))
    assert {tag for tag, _ in parsed.tags} <= {tag for tag, _ in harmless.tags} | {"tspan"}
    assert {name for _, names in parsed.shape() for name in names} <= {
        "transform",
        *(name for _, names in harmless.shape() for name in names),
    }
    labels = [attributes["aria-label"] for tag, attributes in parsed.tags if "aria-label" in attributes]
    assert labels == [shown, shown]
    assert shown[:20].split("\n")[0].strip() in plain(" ".join(parsed.texts))
    for svg in re.findall(r"<svg.*?</svg>", markup, re.S):
        etree.fromstring(svg.encode())  # well-formed, so no text has become markup
    assert len(re.findall("<svg", markup)) == 2
    assert "year" in csv_rows(markup)[0] or csv_rows(markup)[0]


def test_dollars_in_a_label_are_no_formula():
    frame = pd.DataFrame({"A$ and B$": [1.0, 2, 4], "other": [2.0, 3, 5]}, index=pd.RangeIndex(2000, 2003, name="year"))
    markup = charts.figure_html(
        charts.lines(frame, y="US$ per A$", log=False),
        name="f",
        number="1",
        title="t",
        subtitle="s",
        alt="a",
        tables=["brent"],
    )
    words = Parsed(markup).words()
    assert "US$ per A$" in words and "A$ and" in words


@hostile
def test_the_list_of_statements_shows_hostile_text_as_text(text):
    audited = pd.DataFrame(
        {name: [text] for name in ("claim_id", "statement", "note", "stated_value", "unit")}
        | {"verdict": ["confirmed"], "recomputed_value": [1.0]}
    )
    listing = tables.audit_listing(audited)
    made = tables.table_html(listing, name="tab-x", number="1", title="t", subtitle="s")
    harmless = audited.replace(text, "word")
    assert (
        Parsed(made).shape()
        == Parsed(
            tables.table_html(tables.audit_listing(harmless), name="tab-x", number="1", title="t", subtitle="s")
        ).shape()
    )
    assert Parsed(made).words().count(plain(text)) >= 4


ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "_ext"))


@pytest.fixture(scope="module")
def glued_page(tmp_path_factory) -> dict[str, BeautifulSoup]:
    """A page whose notebook has glued each hostile text, and one that takes them over, as Sphinx makes them."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

    shown: list[dict] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("IPython.display.display", lambda content, metadata, raw: shown.append((content, metadata)))
        prose.glue(**HOSTILE)
    outputs = [new_output("display_data", content, metadata=metadata) for content, metadata in shown]
    lines = "\n\n".join(f"Begin {{glue:text}}`{name}` end." for name in HOSTILE)
    taken = "\n\n".join(f"Begin {{computed}}`one:{name}` end." for name in HOSTILE)
    source = tmp_path_factory.mktemp("glued")
    cells = [new_markdown_cell(f"# One\n\n{lines}"), new_code_cell("glue()", execution_count=1, outputs=outputs)]
    about = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    nbformat.write(new_notebook(cells=cells, metadata=about), source / "one.ipynb")
    (source / "two.md").write_text(f"# Two\n\n{taken}\n", "utf-8")
    (source / "index.md").write_text("# Index\n\n```{toctree}\none\ntwo\n```\n", "utf-8")
    settings = {"extensions": ["myst_nb", "tb_numbers"], "nb_execution_mode": "off", "html_theme": "basic",
                "smartquotes": False, "source_suffix": {".md": "myst-nb", ".ipynb": "myst-nb"}}  # fmt: skip
    warnings = io.StringIO()
    with docutils_namespace(), patch_docutils(), pythonwarnings.catch_warnings():
        pythonwarnings.simplefilter("ignore")
        Sphinx(str(source), None, str(source / "out"), str(source / "trees"), "html", settings, None, warnings).build()
    assert not warnings.getvalue()
    return {
        name: BeautifulSoup((source / "out" / f"{name}.html").read_text("utf-8"), "html.parser")
        for name in ("one", "two")
    }


@pytest.mark.parametrize("page", ["one", "two"])
def test_glued_text_stands_in_the_page_as_text(glued_page, page):
    article = glued_page[page].find("div", class_="body")
    paragraphs = [p for p in article.find_all("p") if p.get_text().startswith("Begin ")]
    assert [plain(p.get_text()) for p in paragraphs] == [f"Begin {plain(text)} end." for text in HOSTILE.values()]
    assert {tag.name for p in paragraphs for tag in p.find_all(True)} <= {"span"}
    assert not article.find_all(
        ["script", "img", "b", "iframe", "a"], class_=lambda c: c is None or "headerlink" not in c
    )


@hostile
def test_the_page_of_the_data_shows_hostile_descriptions_as_text(text):
    short = plain(text)[:300]
    resource = {
        **data._resource("brent"), "title": short, "description": short, "vintage": short,
        "caveats": [short, f"# {short}", f"1. {short}"],
        "sources": [{"publisher": short, "title": short, "path": "https://example.org/a_(b)?c=d&e"}],
    }  # fmt: skip
    resource["schema"] = {**resource["schema"], "fields": [
        {"name": "year", "type": "integer", "description": short, "unit": short}, *resource["schema"]["fields"][1:]
    ]}  # fmt: skip
    page = re.sub(r"^: (.+)\n:: (.+)$", r"\1\n: \2\n", data_page.section(resource), flags=re.M)
    config = MdParserConfig(enable_extensions={"dollarmath", "deflist", "colon_fence", "substitution"})
    tokens = create_md_parser(config, RendererHTML).parse(page)
    kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}
    acting = """html_block html_inline math_inline math_block image blockquote_open fence colon_fence
    substitution_inline substitution_block hr ordered_list_open myst_line_comment""".split()
    assert not kinds & set(acting), kinds
    assert sum(token.type == "heading_open" for token in tokens) == 1
    roles = [child.content for token in tokens for child in token.children or () if child.type == "myst_role"]
    assert len(roles) == 1  # the file to download
    links = [child.attrs["href"] for token in tokens for child in token.children or () if child.type == "link_open"]
    assert links == ["https://example.org/a_(b)?c=d&e", resource["licenses"][0]["path"]]
    words = plain(
        " ".join("".join(c.content for c in t.children if c.content or c.type == "text") for t in tokens if t.children)
    )
    marked = "`" in short and as_markdown._CODE.search(short)  # a name between backticks is shown as code, without them
    assert marked or words.count(short) >= 6


def test_an_address_that_is_no_page_is_refused():
    for bad in (
        "javascript:alert(1)",
        "https://a b",
        "data:text/html,x",
        "https://a)](javascript:x",
        "http://a<b>",
        "//a",
    ):
        with pytest.raises(DataError, match="no address"):
            as_markdown.address(bad)
    for resource in data.package()["resources"]:
        for one in (*resource["sources"], *resource["licenses"]):
            if "path" in one:
                assert as_markdown.address(one["path"])


@hostile
def test_the_explorers_carry_hostile_names_as_data(text, monkeypatch):
    import tb_explore

    body = tb_explore.script("index", {"name": text, text: [text]})
    value = json.loads(re.fullmatch(r'tbExplore\.data\["index"\]=(.*);\n', body, re.S)[1])
    assert value == {"name": text, text: [text]}
    assert "\u2028" not in body and "\u2029" not in body
    word = [{"code": text, "name": text, "first": 1990, "last": 2000, "unit": text, "tables": ["wdi"]}]
    own = {
        "code": tb_explore.EXAMPLE_INDICATOR,
        "name": "x",
        "first": 1990,
        "last": 2000,
        "unit": "y",
        "tables": ["wdi"],
    }
    monkeypatch.setattr(tb_explore, "indicator_tables", lambda: (None, [*word, own]))
    parsed = Parsed(tb_explore.indicator_form())
    option = next(attributes for tag, attributes in parsed.tags if tag == "option")
    assert option["value"] == text and text.splitlines()[0][:20] in "".join(parsed.texts)
    assert {tag for tag, _ in parsed.tags} <= {
        "div",
        "label",
        "select",
        "option",
        "input",
        "fieldset",
        "legend",
        "span",
    }
    assert Parsed(tb_explore._economy("a", "Economy", text)).tags[-1][1]["value"] == text


def test_the_scripts_write_no_markup():
    """What scripts show comes in as text: none of them parses a string as HTML or runs one."""
    for path in [*(ROOT / "_static").glob("*.js"), *(ROOT / "_ext" / "explore").glob("*.js")]:
        found = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser",
            path.read_text("utf-8"),
        )
        assert not found, f"{path.name}: {found}"


@hostile
def test_what_a_page_says_of_itself_cannot_end_its_script(text):
    import tb_meta

    markup = tb_meta.as_linked_data({"name": text, "list": [text]})
    parsed = Parsed(f"<head>{markup}<title>T</title></head>")
    assert [tag for tag, _ in parsed.tags] == ["head", "script", "title"]
    assert json.loads("".join(parsed.texts[:-1])) == {"name": text, "list": [text]}
    assert "<!--" not in markup and "</script" not in markup.removesuffix("</script>")


@hostile
def test_search_and_previews_find_hostile_text_as_text(text):
    import tb_find

    frame = pd.DataFrame({"a": [text[:300]], "b": [1]})
    shown = tables.table_html(frame, name="tab-x", number="1", title=text[:300], subtitle="s")
    page = f"<main><article><section id='p'><h1>Page</h1>{shown}</section></article></main>"
    search, _ = tb_find.collect({"p.html": f"<html><body>{page}</body></html>"}, "claims.html")
    script = tb_find.as_script("tbSearchData", search)
    again = json.loads(re.fullmatch(r"window\.tbSearchData=(.*);\n", script, re.S)[1])
    assert again == search
    title = next(entry[3] for entry in search["entries"] if entry[2] == "tab-x")
    squeezed = re.compile(r"\W+")
    assert squeezed.sub("", text[:300]) in squeezed.sub("", title)


@hostile
def test_a_mark_shows_a_hostile_statement_as_text(text, tmp_path, monkeypatch):
    import tb_claims
    import tb_numbers

    claim = "thesis-2.1-034"
    monkeypatch.setattr(tb_claims, "registered", lambda folder: {claim: ("", "2.1-034", text)})
    output = {
        "data": {tb_numbers.TEXT: [repr(json.dumps({claim: "confirmed"}))]},
        "metadata": {"scrapbook": {"name": "verdicts"}},
    }
    (tmp_path / "list.ipynb").write_text(json.dumps({"cells": [{"outputs": [output]}]}), "utf-8")
    (tmp_path / "list.rst").write_text("List\n====\n\nx\n", "utf-8")
    (tmp_path / "index.rst").write_text(f"Index\n=====\n\n:claim:`{claim}`\n\n.. toctree::\n\n   list\n", "utf-8")
    settings = {"extensions": "tb_claims", "tb_claims_page": "list", "html_theme": "basic",
                "source_suffix": {".rst": "restructuredtext"}}  # fmt: skip
    with docutils_namespace(), patch_docutils():
        Sphinx(
            str(tmp_path), None, str(tmp_path / "o"), str(tmp_path / "t"), "html", settings, None, io.StringIO()
        ).build()
    link = BeautifulSoup((tmp_path / "o" / "index.html").read_text("utf-8"), "html.parser").select_one(".tb-mark a")
    assert plain(link["title"]) == plain(f"{text} – confirmed")
    assert sorted(set(link.attrs) - {"class", "href", "id", "title"}) == [] and {
        t.name for t in link.find_all(True)
    } == {"span"}
