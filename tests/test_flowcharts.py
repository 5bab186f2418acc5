"""Boxes and arrows: places, edges, refusals, and that both drawings hold every text."""

import pandas as pd
import pytest

from tradebook.charts import Chart, figure_html
from tradebook.data import load
from tradebook.flowcharts import FlowchartError, _edges, evidence, flowchart

BOXES = pd.DataFrame(
    [("a", "First box", 0, 0, "x"), ("b", "Second box", 1, 0, "y"), ("c", "Third box", 1, 1, "y")],
    columns=["box", "text", "column", "row", "group"],
)
ARROWS = pd.DataFrame([("a", "b"), ("a", "c")], columns=["start", "end"])


def draw(chart: Chart) -> str:
    return figure_html(
        chart,
        name="fig-t",
        number="0.1",
        title="t",
        subtitle="s",
        alt="a",
        tables=["strategy-boxes"],
    )


def test_every_word_is_drawn_wide_and_narrow():
    html = draw(flowchart(BOXES, ARROWS))
    for word in ("First", "Second", "Third"):
        assert html.count(f">{word}") == 2, word


def test_data_say_what_leads_where():
    data = flowchart(BOXES, ARROWS).data.set_index("box")
    assert data["leads_to"]["a"] == "b c"
    assert pd.isna(data["leads_to"]["b"])


@pytest.mark.parametrize(
    ("start", "end", "sideways", "expected"),
    [
        ((0.5, 0.5), (1.5, 0.5), True, ((0.9, 0.5), (1.1, 0.5))),
        ((1.5, 0.5), (0.5, 1.5), True, ((1.1, 0.5), (0.9, 1.5))),
        ((0.5, 0.5), (0.5, 1.5), False, ((0.5, 0.8), (0.5, 1.2))),
        ((0.5, 1.5), (0.5, 0.5), False, ((0.5, 1.2), (0.5, 0.8))),
    ],
)
def test_arrows_join_the_sides_that_face(start, end, sideways, expected):
    tail, head = _edges(start, end, (0.4, 0.3), sideways)
    assert tail == pytest.approx(expected[0])
    assert head == pytest.approx(expected[1])


def test_unknown_box_is_named():
    with pytest.raises(FlowchartError, match="“z”"):
        flowchart(BOXES, pd.DataFrame([("a", "z")], columns=["start", "end"]))


def test_two_boxes_in_one_place_are_refused():
    twice = BOXES.assign(column=0, row=0)
    with pytest.raises(FlowchartError, match="same place"):
        flowchart(twice, ARROWS)


def test_the_diagrams_of_the_book_are_whole():
    """Every arrow has its boxes, and every box is joined to another."""
    boxes, arrows = load("strategy-boxes"), load("strategy-arrows")
    for name, group in boxes.groupby("diagram"):
        joined = arrows[arrows["diagram"] == name]
        assert {*joined["start"], *joined["end"]} == set(group["box"]), name
        assert "<svg" in draw(flowchart(group, joined))


AUDIT = pd.DataFrame(
    [
        ("c-1", "Sales rose.", "percent", -12.345, "contradicted", "Tested as: > 0."),
        ("c-2", "Staff is happy.", "", float("nan"), "not checkable", "No survey."),
        ("c-3", "The suit is of 2003.", "year", 2003.0, "confirmed", ""),
    ],
    columns=["claim_id", "statement", "unit", "recomputed_value", "verdict", "note"],
)


def test_evidence_is_the_value_or_the_reason():
    statements = pd.DataFrame(
        [("S", "Growth", "c-1 c-2"), ("T", "Suits", "c-3")], columns=["box", "statement", "claims"]
    )
    table = evidence(statements, AUDIT)
    assert table["verdict"].to_list() == ["contradicted", "not checkable", "confirmed"]
    assert table["evidence"].to_list() == [
        "−12.3 percent: Sales rose.", "No survey.", "year 2003: The suit is of 2003.",
    ]  # fmt: skip


def test_evidence_refuses_an_unknown_claim():
    statements = pd.DataFrame([("S", "Growth", "c-9")], columns=["box", "statement", "claims"])
    with pytest.raises(FlowchartError, match="c-9"):
        evidence(statements, AUDIT)


def test_every_strategy_statement_has_its_claims():
    from tradebook import claims

    audited = claims.audit(chapter=5)
    table = evidence(load("strategy-statements"), audited)
    assert set(table["claim"]) <= set(audited["claim_id"])
    assert table["evidence"].str.len().gt(0).all()
