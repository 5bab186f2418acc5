"""Chart forms for what is not a series of numbers: a timeline, series under named stages, a network, a matrix of words.

Each returns a `charts.Chart`, so that `charts.show` draws it twice, for a wide column and for a phone, and puts
the table behind it to download.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from tradebook.charts import INK, MUTED, PALETTE, SERIES, Chart
from tradebook.errors import TradebookError

__all__ = ["DiagramInputError", "matrix", "network", "outlook", "scatter", "spread", "stages", "timeline"]

_MARKERS = ("o", "s", "D", "^", "X", "v")


class DiagramInputError(TradebookError):
    """A diagram was given a table without the rows or columns it needs."""


def _need(frame: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    lost = [column for column in columns if column not in frame]
    if lost or frame.empty:
        problem = f"lacks the columns {', '.join(lost)}" if lost else "has no rows"
        raise DiagramInputError(f"The table of {what} {problem}; give {', '.join(columns)}.")


def spread(wanted: Sequence[float], room: float, low: float, high: float) -> np.ndarray:
    """Places for labels, at least `room` apart and as near to the wanted ones as can be.

    Least squares under the order and the distance: with z_i = wanted_i - i * room the places are the isotonic
    regression of z (pool adjacent violators), plus i * room, kept between `low` and `high`.

    Parameters
    ----------
    wanted : sequence of float
        Increasing.
    room : float
        Least distance between neighbours; reduced if they cannot all fit.
    low, high : float
        Range of the places.
    """
    count = len(wanted)
    room = min(room, (high - low) / max(count - 1, 1))
    steps = room * np.arange(count)
    blocks: list[list[float]] = []  # mean, size
    for value in np.asarray(wanted, dtype=float) - steps:
        blocks.append([value, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, size = blocks.pop()
            before, many = blocks[-1]
            blocks[-1] = [(before * many + mean * size) / (many + size), many + size]
    level = np.concatenate([np.full(int(size), mean) for mean, size in blocks])
    return np.clip(level, low, high - steps[-1]) + steps


def _fill(text: str, width: int) -> str:
    """Lines of about `width` characters; a long word stays whole."""
    return textwrap.fill(str(text), width, break_long_words=False)


def _bare(axes: Axes) -> None:
    """No frame, ticks or grid."""
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(False)


def timeline(
    events: pd.DataFrame,
    eras: pd.DataFrame,
    *,
    height: tuple[float, float] | None = None,
) -> Chart:
    """Events on a line of years that runs downwards, beside named eras.

    Parameters
    ----------
    events : DataFrame
        when (year with fraction), label, kind; optional strong (bool: bold label) and hollow (bool: open marker).
    eras : DataFrame
        start, end (years, both included), name.
    """
    _need(events, ["when", "label", "kind"], "events")
    _need(eras, ["start", "end", "name"], "eras")
    events = events.sort_values("when", kind="stable").reset_index(drop=True)
    for column in ("strong", "hollow"):
        events[column] = events.get(column, pd.Series(False, index=events.index)).astype(bool)
    kinds = list(dict.fromkeys(events["kind"]))
    first = min(eras["start"].min(), int(events["when"].min()))
    last = max(eras["end"].max() + 1, int(events["when"].max()) + 1)

    def draw(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        _bare(axes)
        line, text = (0.31, 0.39) if narrow else (0.27, 0.33)
        axes.set_xlim(0, 1)
        axes.set_ylim(last + 0.5, first - 0.5)
        for i, era in enumerate(eras.itertuples(index=False)):
            axes.fill_between(
                [0, line], era.start, era.end + 1, color=PALETTE["c8"], alpha=0.26 if i % 2 else 0.12, linewidth=0
            )
            short = era.end - era.start < 5
            name = era.name if short else _fill(era.name, 15 if narrow else 24) + f"\n{era.start}–{era.end}"
            axes.text(
                0.012,
                (era.start + era.end + 1) / 2,
                name,
                va="center",
                fontsize=8 if narrow else 9,
                color=INK,
                linespacing=1.05,
            )
        axes.plot([line, line], [first, last], color=MUTED, linewidth=1)
        for decade in range(int(np.ceil(first / 10) * 10), int(last) + 1, 10):
            axes.plot([line - 0.012, line], [decade, decade], color=MUTED, linewidth=1)
        room = (last - first + 1) / (figure.get_figheight() - 0.45) * (0.155 if narrow else 0.17)
        places = spread(events["when"], room, first, last)
        for event, place in zip(events.itertuples(index=False), places, strict=True):
            which = kinds.index(event.kind)
            colour = SERIES[which]
            axes.plot([line, text - 0.012], [event.when, place], color=colour, linewidth=0.7, alpha=0.7)
            axes.plot(
                [line], [event.when], _MARKERS[which], color=colour, markersize=5, markeredgewidth=1,
                markerfacecolor="none" if event.hollow else colour,
            )  # fmt: skip
            axes.text(
                text, place, f"{int(event.when)}  {event.label}", va="center", fontsize=8 if narrow else 9,
                color=colour, fontweight="semibold" if event.strong else "normal",
            )  # fmt: skip
        for which, kind in enumerate(kinds):
            axes.plot([], [], _MARKERS[which], color=SERIES[which], markersize=5, label=kind)
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3 if narrow else 6, frameon=False, fontsize=9,
            handletextpad=0.1, columnspacing=1, borderaxespad=0,
        )  # fmt: skip

    tall = 0.6 + 0.2 * len(events)
    return Chart(draw, events, height or (max(tall, 5.0), max(tall, 5.6)))


def stages(
    panels: Mapping[str, tuple[pd.Series, str]],
    eras: pd.DataFrame,
    *,
    log: Sequence[str] = (),
    height: tuple[float, float] | None = None,
) -> Chart:
    """Yearly series, one panel above the other on the same years, under numbered stages.

    Parameters
    ----------
    panels : mapping of title (with unit) to (Series, "line" or "columns")
        Each Series is indexed by year.
    eras : DataFrame
        start, end (years, both included), stage (number).
    log : sequence of str
        Titles of the panels with a logarithmic axis.
    """
    _need(eras, ["start", "end", "stage"], "stages")
    if not panels:
        raise DiagramInputError("There is no series to draw; give at least one panel.")
    years = [int(y) for series, _ in panels.values() for y in series.dropna().index]
    first, last = min(*years, int(eras["start"].min())), max(years)

    def draw(figure: Figure, narrow: bool) -> None:
        for row, (axes, (title, (series, kind))) in enumerate(
            zip(figure.subplots(len(panels), 1, sharex=True, squeeze=False).flat, panels.items(), strict=True)
        ):
            values = series.dropna().sort_index()
            axes.set_title(title, pad=17 if row == 0 else 7)
            if kind == "columns":
                axes.bar(values.index, values, width=0.85, color=SERIES[row])
            else:
                gaps = values.reindex(range(values.index.min(), values.index.max() + 1))
                axes.plot(gaps.index, gaps, color=SERIES[row])
            if title in log:
                axes.set_yscale("log")
                axes.yaxis.set_major_locator(LogLocator(10, (1, 3)))
                axes.yaxis.set_minor_locator(NullLocator())
            else:
                axes.set_ylim(bottom=0)
                axes.yaxis.set_major_locator(MaxNLocator(4))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))
            for i, era in enumerate(eras.itertuples(index=False)):
                axes.axvspan(
                    era.start - 0.5,
                    era.end + 0.5,
                    color=PALETTE["c8"],
                    alpha=0.2 if i % 2 else 0.07,
                    linewidth=0,
                    zorder=0,
                )
                if row == 0:
                    axes.annotate(
                        str(era.stage), ((era.start + era.end) / 2, 1), (0, 4), xycoords=("data", "axes fraction"),
                        textcoords="offset points", ha="center", fontsize=9, color=INK,
                    )  # fmt: skip
            axes.set_xlim(first - 1, last + 1)
            axes.xaxis.set_major_locator(MaxNLocator(5 if narrow else 9, integer=True, steps=[1, 2, 5, 10]))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.0f}"))

    data = pd.concat(
        [
            s.dropna().rename("value").rename_axis("year").reset_index().assign(series=title)
            for title, (s, _) in panels.items()
        ],
        ignore_index=True,
    )
    return Chart(draw, data, height or (1.0 + 1.8 * len(panels), 1.0 + 1.8 * len(panels)))


def network(
    links: pd.DataFrame,
    *,
    sides: tuple[str, str],
    height: tuple[float, float] | None = None,
) -> Chart:
    """Who works with whom, through what: partners of two sides on the left and right, their projects between.

    Parameters
    ----------
    links : DataFrame
        project, partner, side (one of `sides`), group (colour of the project). One row per project and partner.
    sides : (left, right)
        Names of the two sides, as in the column `side`.
    """
    _need(links, ["project", "partner", "side", "group"], "links")
    groups = list(dict.fromkeys(links["group"]))
    projects = links.drop_duplicates("project").sort_values(
        "group", key=lambda column: column.map(groups.index), kind="stable"
    )
    # A project takes as many rows as its longer side has partners.
    most = links.groupby(["project", "side"]).size().groupby("project").max()
    many = most.reindex(projects["project"]).to_numpy()
    rows = dict(zip(projects["project"], np.cumsum(many) - (many + 1) / 2, strict=True))
    deepest = int(many.sum())
    group_of = projects.set_index("project")["group"]
    partners = {}
    for side in sides:
        mine = links[links["side"] == side]
        if mine.empty:
            raise DiagramInputError(f"No partner is on the side “{side}”; check the column side.")
        order = mine.assign(row=mine["project"].map(rows)).groupby("partner", sort=False)["row"].mean()
        order = order.sort_values(kind="stable")
        partners[side] = dict(zip(order.index, spread(order.to_numpy(), 1.0, 0, deepest - 1), strict=True))

    def draw(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        _bare(axes)
        size = 7.4 if narrow else 9
        wrap = 17 if narrow else 42
        edge, half = (0.325, 0.125) if narrow else (0.345, 0.115)
        axes.set_xlim(0, 1)
        axes.set_ylim(deepest - 0.4, -1.5)
        for left, side, x, box in ((True, sides[0], edge, 0.5 - half), (False, sides[1], 1 - edge, 0.5 + half)):
            align = "right" if left else "left"
            outward = -0.012 if left else 0.012
            axes.text(x + outward, -1.1, side, ha=align, fontsize=size + 0.5, color=MUTED)
            for partner, place in partners[side].items():
                axes.plot([x], [place], "o", color=INK, markersize=3.5)
                axes.text(
                    x + outward, place, _fill(partner, wrap), ha=align, va="center", fontsize=size, color=INK,
                    linespacing=0.92,
                )  # fmt: skip
            for link in links[links["side"] == side].itertuples(index=False):
                colour = SERIES[groups.index(link.group)]
                axes.plot(
                    [x, box], [partners[side][link.partner], rows[link.project]], color=colour, linewidth=1.1, alpha=0.8
                )
        axes.text(0.5, -1.1, "through", ha="center", fontsize=size + 0.5, color=MUTED)
        for project, place in rows.items():
            colour = SERIES[groups.index(group_of[project])]
            axes.barh(place, 2 * half, left=0.5 - half, height=0.78, color=colour, alpha=0.16)
            axes.text(
                0.5, place, _fill(project, 15 if narrow else 26), ha="center", va="center", fontsize=size,
                color=colour, linespacing=0.92,
            )  # fmt: skip
        for i, group in enumerate(groups):
            axes.barh([np.nan], [np.nan], color=SERIES[i], alpha=0.5, label=group)
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2 if narrow else 4, frameon=False, fontsize=9,
            handlelength=1, handleheight=0.8, columnspacing=1, borderaxespad=0,
        )  # fmt: skip

    return Chart(draw, links, height or (1.0 + 0.31 * deepest, 1.2 + 0.42 * deepest))


def matrix(
    cells: pd.DataFrame,
    *,
    label: str,
    absent: str = "not said",
    height: tuple[float, float] | None = None,
) -> Chart:
    """A table of short words as a picture: cells with the same word have the same colour.

    Parameters
    ----------
    cells : DataFrame of text
        Index: rows, from top to bottom; columns, from left to right; missing: nothing is known.
    label : str
        What the cells say.
    absent : str
        What a missing cell shows.
    """
    words = [w for w in dict.fromkeys(cells.to_numpy().ravel()) if isinstance(w, str)]
    if not words:
        raise DiagramInputError("Every cell of the matrix is empty; there is nothing to compare.")
    often = pd.Series(cells.to_numpy().ravel()).dropna().value_counts()
    repeated = [w for w in words if often[w] > 1]
    colours = {w: SERIES[i % len(SERIES)] for i, w in enumerate(repeated)}

    def draw(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        axes.set_title(label, pad=34 if narrow else 22)
        axes.grid(visible=False)
        for i, row in enumerate(cells.index):
            for j, column in enumerate(cells):
                word = cells.loc[row, column]
                known = isinstance(word, str)
                colour = colours.get(word, PALETTE["c8"]) if known else PALETTE["c8"]
                axes.barh(i, 0.95, left=j - 0.475, height=0.88, color=colour, alpha=0.22 if known else 0.05)
                axes.text(
                    j, i, _fill(word if known else absent, 10 if narrow else 16), ha="center", va="center",
                    fontsize=7.6 if narrow else 9, color=INK if known else MUTED, linespacing=0.95,
                    fontstyle="normal" if known else "italic",
                )  # fmt: skip
        axes.set_xlim(-0.5, len(cells.columns) - 0.5)
        axes.set_ylim(len(cells) - 0.5, -0.5)
        axes.xaxis.tick_top()
        size = 7.8 if narrow else 9
        axes.set_xticks(range(len(cells.columns)), [_fill(c, 10 if narrow else 16) for c in cells], fontsize=size)
        axes.set_yticks(
            range(len(cells)), [_fill(r, 11 if narrow else 24) for r in cells.index], color=INK, fontsize=size
        )
        axes.tick_params(length=0)
        axes.spines["bottom"].set_visible(False)

    data = cells.rename_axis("row").reset_index().melt("row", var_name="column", value_name="value")
    size = 1.0 + 0.42 * len(cells)
    return Chart(draw, data, height or (size, size * 1.12))


def scatter(
    panels: Mapping[str, pd.DataFrame],
    *,
    x: str,
    names: Mapping[str, str],
    lines: Mapping[str, tuple[float, float]] | None = None,
    height: tuple[float, float] | None = None,
) -> Chart:
    """Points on two logarithmic axes, one panel per entry, with some of them named and a fitted line.

    Parameters
    ----------
    panels : mapping of title (with unit) to DataFrame
        Index: name of the point; columns x and y, both positive.
    x : str
        What the horizontal axis measures, with its unit.
    names : mapping of index value to label
        Points to name.
    lines : mapping of title to (intercept, slope), optional
        ln y = intercept + slope ln x.
    """
    for title, frame in panels.items():
        _need(frame, ["x", "y"], title)

    def draw(figure: Figure, narrow: bool) -> None:
        shape = (len(panels), 1) if narrow else (1, len(panels))
        axes_of = figure.subplots(*shape, squeeze=False).flat
        for axes, (title, frame) in zip(axes_of, panels.items(), strict=True):
            axes.set_title(title)
            axes.set_xlabel(x, loc="left")
            axes.set_xscale("log")
            axes.set_yscale("log")
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_locator(LogLocator(100 if axis is axes.xaxis else 10))
                axis.set_minor_locator(NullLocator())
                axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))
            axes.plot(frame["x"], frame["y"], "o", color=PALETTE["c8"], markersize=4, alpha=0.6)
            if lines and title in lines:
                intercept, slope = lines[title]
                ends = np.array([frame["x"].min(), frame["x"].max()])
                axes.plot(ends, np.exp(intercept + slope * np.log(ends)), color=MUTED, linewidth=1.2)
            for i, (code, label) in enumerate(names.items()):
                if code not in frame.index:
                    continue
                point = frame.loc[code]
                axes.plot([point["x"]], [point["y"]], "o", color=SERIES[i], markersize=7)
                right = point["x"] > np.sqrt(frame["x"].min() * frame["x"].max())
                axes.annotate(
                    label, (point["x"], point["y"]), (-7 if right else 7, 8), textcoords="offset points",
                    ha="right" if right else "left", fontsize=9, color=SERIES[i],
                )  # fmt: skip
            axes.margins(0.08)

    data = pd.concat([f.rename_axis("name").reset_index().assign(panel=t) for t, f in panels.items()])
    return Chart(draw, data, height or (3.7, 3.0 * len(panels)))


def outlook(
    known: Mapping[str, pd.Series],
    forecasts: Mapping[str, pd.DataFrame],
    outcomes: Mapping[str, pd.Series],
    *,
    y: str,
    words: tuple[str, str, str] = ("known then", "forecast", "what came"),
    height: tuple[float, float] | None = None,
) -> Chart:
    """What was known, what was forecast from it, and what came, as points because it is another vintage.

    Parameters
    ----------
    known : mapping of title to Series
        Values by year up to the origin; one panel per entry.
    forecasts : mapping of title to DataFrame
        Result of `forecast.fit_forecast`, indexed by year.
    outcomes : mapping of title to Series
        Values by year in a later vintage; years before the origin show the revision.
    y : str
        What is measured, with its unit.
    words : (known, forecast, outcome)
        Labels.
    """
    if not known:
        raise DiagramInputError("There is no series to draw; give at least one panel.")
    colours = dict(zip(words, SERIES, strict=False))

    def draw(figure: Figure, narrow: bool) -> None:
        shape = (len(known), 1) if narrow else (1, len(known))
        axes_of = figure.subplots(*shape, squeeze=False, sharey=True).flat
        for axes, (title, past) in zip(axes_of, known.items(), strict=True):
            frame, came = forecasts[title], outcomes[title].dropna()
            axes.set_title(f"{title}\n{y}")
            axes.plot(past.index, past, color=colours[words[0]], label=words[0])
            start = past.iloc[-1:]
            middle = pd.concat([start, frame["median"]])
            axes.plot(
                middle.index, middle, color=colours[words[1]], linestyle=(0, (4, 2)), linewidth=1.6, label=words[1]
            )
            for level, alpha in ((95, 0.12), (80, 0.2)):
                low, high = (pd.concat([start, frame[f"{edge}_{level}"]]) for edge in ("lower", "upper"))
                axes.fill_between(low.index, low, high, color=colours[words[1]], alpha=alpha, linewidth=0)
            axes.plot(came.index, came, "D", color=colours[words[2]], markersize=4.5, label=words[2])
            axes.set_ylim(bottom=0)
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.0f}"))
        figure.legend(
            *figure.axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=3, frameon=False, fontsize=9,
            columnspacing=1, handlelength=1.6, borderaxespad=0,
        )  # fmt: skip

    parts = []
    for title, past in known.items():
        parts.append(pd.DataFrame({"panel": title, "series": words[0], "year": past.index, "value": past.to_numpy()}))
        frame = forecasts[title].rename_axis("year").reset_index().rename(columns={"median": "value"})
        keep = [c for c in frame if c in ("year", "value") or c.startswith(("lower_", "upper_"))]
        parts.append(frame[keep].assign(panel=title, series=words[1]))
        came = outcomes[title].dropna()
        parts.append(pd.DataFrame({"panel": title, "series": words[2], "year": came.index, "value": came.to_numpy()}))
    return Chart(draw, pd.concat(parts, ignore_index=True), height or (3.8, 3.0 * len(known) + 0.3))
