"""Ideas as data: diagrams of boxes and arrows, and statements beside the evidence for them.

A diagram is a table of boxes (column and row, from the top left) and a table of arrows. On a wide
page columns run from left to right; on a phone the diagram is turned, and they run from top to
bottom.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from tradebook.charts import INK, MUTED, SERIES, Chart
from tradebook.errors import TradebookError

__all__ = ["FlowchartError", "evidence", "flowchart"]

#: Half the size of a box, as part of its cell: across and down, on a wide page and on a phone.
_HALF = {False: (0.38, 0.36), True: (0.46, 0.36)}
#: Characters that fit across the whole drawing at the size of the text.
_CHARACTERS = {False: 112, True: 52}


class FlowchartError(TradebookError):
    """A diagram names a box that does not exist, or puts two boxes in one place."""


def flowchart(
    boxes: pd.DataFrame,
    arrows: pd.DataFrame,
    *,
    groups: Mapping[str, int] | None = None,
    height: tuple[float, float] | None = None,
) -> Chart:
    """Draw boxes joined by arrows.

    Parameters
    ----------
    boxes : DataFrame
        `box` (key), `text`, `column`, `row` (whole numbers or halves, from 0), `group`.
    arrows : DataFrame
        `start`, `end`: keys of boxes.
    groups : mapping of group to position, optional
        Which series colour a group has; by default in order of appearance.
    height : (wide, narrow), optional
        Height in inches.

    Returns
    -------
    charts.Chart
        The data behind it are the boxes, with the keys that each leads to.

    Raises
    ------
    FlowchartError
        If an arrow names an unknown box, or two boxes share a place.
    """
    places = boxes.set_index("box")
    unknown = sorted({*arrows["start"], *arrows["end"]} - set(places.index))
    if unknown:
        raise FlowchartError(f"An arrow names the box “{unknown[0]}”, which is not drawn; correct the arrows.")
    if boxes.duplicated(["column", "row"]).any():
        raise FlowchartError("Two boxes of the diagram stand in the same place; give each its own column and row.")
    order = groups or {group: i for i, group in enumerate(dict.fromkeys(boxes["group"]))}
    columns, rows = places["column"].max() + 1, places["row"].max() + 1

    def draw(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        across, down = (rows, columns) if narrow else (columns, rows)
        axes.set_xlim(0, across)
        axes.set_ylim(down, 0)
        axes.axis("off")
        half = _HALF[narrow]
        width = max(int(_CHARACTERS[narrow] / across * 2 * half[0]), 8)
        centres = {}
        for key, box in places.iterrows():
            x, y = (box["row"], box["column"]) if narrow else (box["column"], box["row"])
            centres[key] = (x + 0.5, y + 0.5)
            colour = SERIES[order[box["group"]] % len(SERIES)]
            for face, edge, alpha in ((colour, "none", 0.12), ("none", colour, 1.0)):
                axes.add_patch(
                    FancyBboxPatch(
                        (x + 0.5 - half[0], y + 0.5 - half[1]), 2 * half[0], 2 * half[1],
                        boxstyle="round,pad=0,rounding_size=0.06", facecolor=face, edgecolor=edge,
                        alpha=alpha, linewidth=1.2, mutation_aspect=1,
                    )
                )  # fmt: skip
            text = "\n".join(textwrap.wrap(box["text"], width, break_long_words=False))
            axes.text(
                *centres[key],
                text,
                ha="center",
                va="center",
                fontsize=8.6,
                color=INK,
                linespacing=1.05,
            )
        for start, end in zip(arrows["start"], arrows["end"], strict=True):
            onward = places["column"][start] != places["column"][end]
            tail, head = _edges(centres[start], centres[end], half, sideways=onward != narrow)
            axes.add_patch(FancyArrowPatch(tail, head, arrowstyle="-|>", mutation_scale=9, color=MUTED, linewidth=1.1))

    leads_to = arrows.groupby("start")["end"].agg(" ".join)
    data = boxes.assign(leads_to=boxes["box"].map(leads_to))
    size = height or (0.4 + 0.78 * rows, 0.4 + 1.05 * columns)
    return Chart(draw, data, size)


def _edges(
    start: tuple[float, float], end: tuple[float, float], half: tuple[float, float], sideways: bool
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where an arrow leaves one box and meets the other: the middle of the sides that face."""
    axis = 0 if sideways else 1
    sign = 1 if end[axis] > start[axis] else -1
    step = (sign * half[0], 0.0) if sideways else (0.0, sign * half[1])
    return (start[0] + step[0], start[1] + step[1]), (end[0] - step[0], end[1] - step[1])


def evidence(statements: pd.DataFrame, audited: pd.DataFrame) -> pd.DataFrame:
    """Statements of a framework (SWOT, PEST …) beside the audit of the claims that carry them.

    Parameters
    ----------
    statements : DataFrame
        `box`, `statement`, `claims` (claim ids separated by spaces), in order.
    audited : DataFrame
        Result of `claims.audit`.

    Returns
    -------
    DataFrame
        One row per statement and claim: `box, statement, claim, verdict, evidence` — the
        recomputed value with its unit and source, or the reason why there is none.

    Raises
    ------
    FlowchartError
        If a claim is not in the audit.
    """
    by_id = audited.set_index("claim_id")
    rows = []
    for item in statements.itertuples():
        for claim in item.claims.split():
            if claim not in by_id.index:
                raise FlowchartError(f"“{item.statement}” names the claim {claim}, which is not in the audit.")
            found = by_id.loc[claim]
            if pd.notna(found["recomputed_value"]):
                text = f"{_figure(found['recomputed_value'], found['unit'])}: {found['statement']}"
            else:
                text = found["note"]
            rows.append((item.box, item.statement, claim, found["verdict"], text))
    return pd.DataFrame(rows, columns=["box", "statement", "claim", "verdict", "evidence"])


def _figure(value: float, unit: str) -> str:
    """Three digits are enough beside a verdict; years and ranks are whole."""
    if unit in {"year", "rank"}:
        return f"{unit} {value:.0f}"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3g}"
    return f"{text} {unit}".replace("-", "−")
