"""Figures and tables: refuse emptiness, carry their data, and come out the same each time."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pandas as pd
import pytest

from tradebook import charts, prose, tables
from tradebook.baci import Source
from tradebook.charts import EmptyFigureError

WORDS = {
    "name": "fig-test",
    "number": "9.1",
    "title": "Trade rose <b>fast</b>",
    "subtitle": "Total, per cent",
    "alt": 'A line from 1 to 3 & "back"',
    "tables": ["brent"],
}
YEARS = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [2.0, 1.0, 4.0]}, index=[2000, 2001, 2002])
FAN = pd.DataFrame(
    {
        "median": [4.0, 5.0],
        "lower_80": [3.0, 3.0],
        "upper_80": [5.0, 7.0],
        "lower_95": [2.0, 2.0],
        "upper_95": [6.0, 9.0],
    },
    index=[2003, 2004],
)
CATEGORIES = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 1.5]}, index=["first", "second"])
FORMS = {
    "lines": charts.lines(YEARS, y="per cent"),
    "panels": charts.lines({"left": YEARS, "right": YEARS}, y="per cent", log=True),
    "columns": charts.columns(YEARS["a"], y="per cent", highlight=[2001]),
    "bars": charts.bars(CATEGORIES, x="per cent"),
    "areas": charts.areas({"one": 100 * YEARS.div(YEARS.sum(axis=1), axis=0)}, y="per cent"),
    "dots": charts.dots(CATEGORIES, x="ratio", log=True, reference=(1.0, "one")),
    "fan": charts.fan(YEARS["a"], {"ETS": FAN}, y="billion", shaded="ETS", outcome=pd.Series({2003: 4.5})),
    "stack": charts.stack(CATEGORIES, x="number"),
    "grid": charts.grid(CATEGORIES, label="index", shade=CATEGORIES / 4),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_draws_twice_and_the_same_each_time(form):
    first = charts.figure_html(FORMS[form], **WORDS)
    assert first == charts.figure_html(FORMS[form], **WORDS)
    assert first.count("<svg") == 2
    assert first.count('role="img"') == 2
    ids = re.findall(r'\bid="([^"]+)"', first)
    assert len(ids) == len(set(ids)), "an id stands twice on the page"
    for target in re.findall(r'href="#([^"]+)"', first):
        assert target in ids
    assert "<metadata" not in first and "<!--" not in first


@pytest.mark.parametrize("form", FORMS)
def test_the_table_behind_a_figure_can_be_read_back(form):
    html = charts.figure_html(FORMS[form], **WORDS)
    payload = re.search(r'download="fig-test.csv" href="data:text/csv;base64,([^"]+)"', html)[1]
    text = base64.b64decode(payload).decode()
    assert "# Source: US Energy Information Administration" in text
    frame = pd.read_csv(io.StringIO(text), comment="#")
    assert len(frame) and frame.iloc[:, -1].notna().any()


def test_words_are_escaped_and_sources_named():
    html = charts.figure_html(FORMS["lines"], **WORDS)
    assert "Trade rose &lt;b&gt;fast&lt;/b&gt;" in html
    assert 'aria-label="A line from 1 to 3 &amp; &quot;back&quot;"' in html
    assert "Source: US Energy Information Administration; own calculation" in html


def test_a_source_outside_of_the_book_is_named_with_its_licence():
    own = Source("Flows <1>", "A & B", "A & B, Flows 1", "Open Licence")
    assert charts.source_line([own]) == "Source: A &amp; B; own calculation from Flows &lt;1&gt;."
    both = charts.source_line(["brent", own])
    link = '<a href="appendices/data.html#brent">brent</a>'
    assert both.startswith("Source: US Energy Information Administration")
    assert both.endswith(f"; A &amp; B; own calculation from table {link} and Flows &lt;1&gt;.")
    html = tables.table_html(YEARS, name="t", number="9.1", title="T", subtitle="S", tables=[own, "brent"])
    head = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1]).decode().splitlines()
    assert "# Source: A & B, Flows 1" in head and "# Licence: Open Licence" in head
    assert any(line.startswith("# Source: US Energy") for line in head)


@pytest.mark.parametrize("form", FORMS)
def test_colours_can_be_changed_by_the_page(form):
    html = charts.figure_html(FORMS[form], **WORDS)
    assert f"var(--tb-muted, {charts.PALETTE['muted']})" in html
    bare = re.sub(r"var\([^)]*\)", "", "".join(re.findall(r"<svg.*?</svg>", html, re.S)))
    assert not re.findall(r"#[0-9a-f]{6}\b", bare), "a colour that dark mode cannot change"


@pytest.mark.parametrize(
    "chart",
    [
        charts.lines(YEARS * np.nan, y="x"),
        charts.lines({"full": YEARS, "empty": YEARS * np.nan}, y="x"),
        charts.columns(YEARS["a"] * np.nan, y="x"),
        charts.Chart(lambda figure, narrow: None, YEARS),
        charts.Chart(lambda figure, narrow: figure.subplots() and None, YEARS),
    ],
)
def test_an_empty_panel_is_refused(chart):
    with pytest.raises(EmptyFigureError, match=r"empty|nothing was drawn"):
        charts.figure_html(chart, **WORDS)


def test_a_line_is_not_drawn_across_missing_years():
    gap = pd.Series([1.0, 2.0, 3.0, 4.0], index=[2000, 2001, 2005, 2006])
    assert charts._with_gaps(gap).isna().sum() == 1
    every_tenth = pd.Series([1.0, 2.0, 3.0], index=[1995, 2005, 2015])
    assert charts._with_gaps(every_tenth).notna().all()


def test_tables_align_format_and_escape():
    frame = pd.DataFrame({"who": ["<i>A</i>", "B"], "value": [1234.5, np.nan], "text": ["x", None]})
    html = tables.table_html(
        frame, name="tab-test", number="9.1", title="T", subtitle="S", tables=["brent"], formats={"value": ",.1f"}
    )
    assert '<th scope="row">&lt;i&gt;A&lt;/i&gt;</th>' in html
    assert '<td class="num">1,234.5</td>' in html and '<td class="num">–</td>' in html
    assert '<th scope="col" class="num">value</th>' in html and '<th scope="col">who</th>' in html
    with pytest.raises(tables.EmptyTableError, match="no rows"):
        tables.table_html(frame.iloc[:0], name="t", number="9.2", title="T", subtitle="S")


def test_verdicts_and_anchors_are_markup_on_the_page_and_text_in_the_file():
    frame = pd.DataFrame({"claim": [tables.anchor("thesis-2.1-001")], "verdict": [tables.verdict_chip("confirmed")]})
    html = tables.table_html(frame, name="tab-test", number="9.1", title="T", subtitle="S")
    assert 'id="thesis-2.1-001"' in html and "tb-confirmed" in html
    payload = re.search(r"base64,([^\"]+)", html)[1]
    assert "thesis-2.1-001,confirmed" in base64.b64decode(payload).decode()


def test_an_audit_is_listed_with_notes_and_anchors():
    audited = pd.DataFrame(
        {
            "claim_id": ["thesis-2.1-001", "thesis-2.1-002"],
            "statement": ["A <b>", "B"],
            "stated_value": ["5", ""],
            "unit": ["percent", "rank"],
            "recomputed_value": [4.9, np.nan],
            "verdict": ["contradicted", "not checkable"],
            "note": ["Off by 0.1.", ""],
        }
    )
    listing = tables.audit_listing(audited)
    assert listing["printed"].tolist() == ["5 percent", ""]
    assert listing["statement"].iloc[0].markup == "A &lt;b&gt;<br><small>Off by 0.1.</small>"
    pd.testing.assert_frame_equal(listing, tables.audit_listing(audited.set_index("claim_id")))


def test_numbers_in_words():
    assert prose.billions(-1.25, 1) == "−$1.2 billion"
    assert prose.change(3.14) == "+3.1 %" and prose.change(-3.14) == "−3.1 %"
    assert prose.percent(31.75) == "31.8 %" and prose.times(4.78, 1) == "4.8 times"
    assert prose.join([]) == "none" and prose.join([1]) == "1" and prose.join([1, 2, 3]) == "1, 2 and 3"
    assert prose.runs([1999, 1998, 2000, 2009]) == ["1998–2000", "2009"] and prose.runs([]) == ["no year"]
    assert [prose.direction(x) for x in (1, -1, 0)] == ["rose", "fell", "did not change"]


def test_ordinals():
    wanted = {1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 13: "13th", 21: "21st", 112: "112th"}
    assert {n: prose.ordinal(n) for n in wanted} == wanted


def test_only_text_is_glued():
    with pytest.raises(TypeError, match="glue “x” as text"):
        prose.glue(x=3.0)
