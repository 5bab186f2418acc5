"""Diagrams: places of labels, refusal of bad tables, and drawings that hold every name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from tradebook import charts, diagrams
from tradebook.diagrams import DiagramInputError

quick = settings(derandomize=True, max_examples=40, deadline=None, database=None)


def drawn(chart: charts.Chart, tables=("cooperation-eras",)) -> str:
    return charts.figure_html(chart, name="fig-test", number="0", title="t", subtitle="s", alt="a", tables=list(tables))


def test_spread_leaves_well_spaced_places_alone():
    assert diagrams.spread([0, 5, 9], 2, 0, 10).tolist() == [0, 5, 9]


def test_spread_moves_a_pair_apart_evenly():
    assert diagrams.spread([5, 5], 2, 0, 10).tolist() == [4, 6]


def test_spread_keeps_inside_the_range():
    assert diagrams.spread([0, 0, 0], 2, 0, 10).tolist() == [0, 2, 4]
    assert diagrams.spread([10, 10], 4, 0, 10).tolist() == [6, 10]
    assert diagrams.spread([1, 2, 3], 100, 0, 10).tolist() == [0, 5, 10]


@quick
@given(st.lists(st.floats(0, 100), min_size=1, max_size=12).map(sorted), st.floats(0.1, 20))
def test_spread_keeps_distance_order_and_range(wanted, room):
    places = diagrams.spread(wanted, room, 0, 100)
    room = min(room, 100 / max(len(wanted) - 1, 1))
    assert (np.diff(places) >= room - 1e-9).all()
    assert places.min() >= -1e-9 and places.max() <= 100 + 1e-9


def test_spread_is_the_least_squares_solution():
    wanted, room = np.array([10.0, 11, 11.5, 30, 30.5, 60]), 3.0
    found = diagrams.spread(wanted, room, 0, 100)
    best = minimize(
        lambda z: ((z - wanted) ** 2).sum(),
        found + np.linspace(-1, 1, 6),
        constraints={"type": "ineq", "fun": lambda z: np.diff(z) - room},
        method="SLSQP",
    )
    np.testing.assert_allclose(found, best.x, atol=1e-3)


ERAS = pd.DataFrame({"stage": [1, 2], "start": [1950, 1960], "end": [1959, 1979], "name": ["Early", "Late"]})


def test_timeline_writes_every_event_and_era():
    events = pd.DataFrame(
        {"when": [1955.5, 1954.0, 1975.0], "label": ["second", "first", "third"], "kind": ["a", "b", "a"]}
    )
    svg = drawn(diagrams.timeline(events, ERAS))
    for text in ("1955  second", "1954  first", "1975  third", "Early", "Late"):
        assert text in svg
    assert diagrams.timeline(events, ERAS).data["label"].to_list() == ["first", "second", "third"]


def test_stages_number_each_stage_and_keep_the_data():
    series = pd.Series([1.0, np.nan, 3.0], index=[1955, 1956, 1970])
    chart = diagrams.stages({"up": (series, "line"), "bars": (series, "columns")}, ERAS, log=["up"])
    assert len(chart.data) == 4 and set(chart.data["series"]) == {"up", "bars"}
    svg = drawn(chart)
    assert "up" in svg and "bars" in svg


def test_network_draws_partners_of_both_sides_and_shared_ones_once():
    links = pd.DataFrame(
        {
            "project": ["one", "one", "two", "two"],
            "partner": ["Ann", "Zed", "Ann", "Yves"],
            "side": ["left", "right", "left", "right"],
            "group": ["g", "g", "h", "h"],
        }
    )
    svg = drawn(diagrams.network(links, sides=("left", "right")))
    for text in ("one", "two", "Zed", "Yves"):
        assert f">{text}<" in svg
    assert svg.count(">Ann<") == 2  # once in each of the two drawings
    with pytest.raises(DiagramInputError):
        diagrams.network(links[links["side"] == "left"], sides=("left", "right"))


def test_matrix_shows_what_is_missing():
    cells = pd.DataFrame({"A": ["same", None], "B": ["same", "other"]}, index=["first", "second"])
    svg = drawn(diagrams.matrix(cells, label="words", absent="not said"))
    assert svg.count(">same<") == 4 and svg.count(">not said<") == 2
    with pytest.raises(DiagramInputError):
        diagrams.matrix(cells[["A"]].iloc[[1]], label="words")


@pytest.mark.parametrize(
    "call",
    [
        lambda: diagrams.timeline(pd.DataFrame({"when": [1.0]}), ERAS),
        lambda: diagrams.timeline(pd.DataFrame({"when": [], "label": [], "kind": []}), ERAS),
        lambda: diagrams.stages({}, ERAS),
    ],
)
def test_bad_tables_are_refused_in_one_sentence(call):
    with pytest.raises(DiagramInputError) as caught:
        call()
    assert str(caught.value).endswith(".")


def test_scatter_names_points_and_draws_the_line():
    frame = pd.DataFrame({"x": [1.0, 10, 100], "y": [2.0, 20, 200]}, index=["a", "b", "c"])
    chart = diagrams.scatter({"t": frame}, x="size", names={"c": "Third"}, lines={"t": (np.log(2), 1.0)})
    svg = drawn(chart)
    assert svg.count(">Third<") == 2 and len(chart.data) == 3
    with pytest.raises(DiagramInputError):
        diagrams.scatter({"t": frame[["x"]]}, x="size", names={})


def test_outlook_keeps_the_three_apart():
    known = pd.Series([1.0, 2], index=[2000, 2001])
    columns = ["median", "lower_80", "upper_80", "lower_95", "upper_95"]
    made = pd.DataFrame([[3.0, 2, 4, 1, 5]], index=[2002], columns=columns)
    came = pd.Series([1.9, 2.5], index=[2001, 2002])
    chart = diagrams.outlook({"A": known}, {"A": made}, {"A": came}, y="per cent")
    assert chart.data.groupby("series")["value"].sum().to_dict() == {"known then": 3, "forecast": 3, "what came": 4.4}
    svg = drawn(chart)
    for text in ("known then", "forecast", "what came", "per cent"):
        assert text in svg
