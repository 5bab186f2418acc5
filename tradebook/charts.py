"""House style and chart forms of the book, defined once.

A chapter builds a `Chart` with one of the forms (`lines`, `columns`, `bars`, `areas`, `dots`, `fan`, `grid`)
and shows it with `show`. That draws it twice (for a wide column and for a phone), refuses it when an axes is
empty, and emits one HTML figure: a title that says the finding, the drawing with its alternative text, the
source, and the table behind it.

Colours are written into the SVG as CSS variables with the light palette as fallback, so that a page can
recolour the same drawing for dark mode.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tradebook.data import describe
from tradebook.errors import TradebookError

if TYPE_CHECKING:
    from tradebook.baci import Source

__all__ = [
    "Chart",
    "EmptyFigureError",
    "areas",
    "bars",
    "columns",
    "dots",
    "fan",
    "grid",
    "lines",
    "show",
    "stack",
]

PALETTE = {
    "ink": "#1b2733",
    "muted": "#56636f",
    "grid": "#d9dee3",
    "c1": "#2961be",
    "c2": "#c65016",
    "c3": "#0b6151",
    "c4": "#59238d",
    "c5": "#5f4700",
    "c6": "#1d7d9f",
    "c7": "#b21c65",
    "c8": "#68727c",
}
SERIES = [PALETTE[f"c{i}"] for i in (1, 2, 3, 4, 6, 7, 5, 8)]
INK, MUTED, GRID = PALETTE["ink"], PALETTE["muted"], PALETTE["grid"]
_REFERENCE = "_reference"  # label of lines that are no data; matplotlib keeps such labels to itself
WIDE, NARROW = 7.4, 3.7  # inches; a point of type is about 1.3 CSS pixels in both


class EmptyFigureError(TradebookError):
    """A figure, or one panel of it, has no data to show."""


@dataclass(frozen=True)
class Chart:
    """A drawing that is not made yet: how to draw it, how high it is, and the table behind it."""

    draw: Callable[[Figure, bool], None]
    data: pd.DataFrame
    height: tuple[float, float] = (3.9, 3.9)


@lru_cache(maxsize=1)
def _register_fonts() -> None:
    for weight in ("Regular", "Semibold", "It"):
        font_manager.fontManager.addfont(str(files("font_source_sans_pro") / "files" / f"SourceSansPro-{weight}.ttf"))


def _style() -> dict:
    return {
        **sns.axes_style("ticks"),
        "font.family": "Source Sans Pro",
        "font.size": 10,
        "axes.edgecolor": MUTED,
        "axes.facecolor": "none",
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "axes.labelcolor": MUTED,
        "axes.labelsize": 9.5,
        "axes.linewidth": 0.8,
        "axes.prop_cycle": mpl.cycler(color=SERIES),
        "axes.spines.left": False,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlecolor": MUTED,
        "axes.titlelocation": "left",
        "axes.titlesize": 9.5,
        "axes.titlepad": 7,
        "figure.facecolor": "none",
        "patch.edgecolor": "none",
        "patch.force_edgecolor": False,
        "patch.linewidth": 0,
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "lines.linewidth": 2.0,
        "lines.solid_capstyle": "round",
        "text.color": INK,
        "text.parse_math": False,  # a dollar sign in a name is a dollar sign
        "xtick.color": MUTED,
        "xtick.labelsize": 9.5,
        "xtick.major.size": 3,
        "ytick.color": MUTED,
        "ytick.labelsize": 9.5,
        "ytick.left": False,
        "svg.fonttype": "none",  # text stays text: small, sharp at any size, searchable
        "svg.hashsalt": "tradebook",
    }


# --- showing -------------------------------------------------------------------------------------


def show(
    chart: Chart,
    *,
    name: str,
    number: str,
    title: str,
    subtitle: str,
    alt: str,
    tables: Sequence[str | Source],
    note: str = "",
):
    """Show a chart as an HTML figure with caption, alternative text, source and data.

    Parameters
    ----------
    chart : Chart
        What one of the forms of this module returned.
    name : str
        Anchor and file name, for instance ``"fig-total-trade"``.
    number : str
        Number in the book, for instance ``"2.1"``.
    title, subtitle : str
        The finding in one sentence; what is measured, and its unit.
    alt : str
        What the drawing shows, for a reader who cannot see it.
    tables : sequence of str or baci.Source
        Names of the data tables behind it, or a source outside of the book; they give the source line.
    note : str, optional
        A caveat printed before the source.

    Raises
    ------
    EmptyFigureError
        If an axes has nothing to show.
    """
    from IPython.display import display

    html = figure_html(
        chart,
        name=name,
        number=number,
        title=title,
        subtitle=subtitle,
        alt=alt,
        tables=tables,
        note=note,
    )
    display({"text/html": html, "text/plain": f"Figure {number}. {title} [{alt}]"}, raw=True)


def figure_html(
    chart: Chart,
    *,
    name: str,
    number: str,
    title: str,
    subtitle: str,
    alt: str,
    tables: Sequence[str | Source],
    note: str = "",
) -> str:
    """The HTML that `show` displays (same parameters), as a string."""
    wide = _svg(chart, f"{name}-w", narrow=False)
    narrow = _svg(chart, f"{name}-n", narrow=True)
    label = escape(alt, quote=True)
    return (
        f'<figure class="tb-figure" id="{name}">'
        f'<figcaption class="tb-head"><strong>Figure {number}. {escape(title)}</strong>'
        f"<span>{escape(subtitle)}</span></figcaption>"
        f'<div class="tb-plot tb-wide" role="img" aria-label="{label}">{wide}</div>'
        f'<div class="tb-plot tb-narrow" role="img" aria-label="{label}" style="display:none">{narrow}</div>'
        f'<p class="tb-source">{escape(note) + " " if note else ""}{source_line(tables)} '
        f"{csv_link(chart.data, name, tables)}</p></figure>"
    )


def source_line(tables: Sequence[str | Source]) -> str:
    """“Source: publishers; tables; own calculation.”, each table linked to its entry in the Data appendix."""
    if not tables:
        return "Source: own calculation."
    publishers = [p for table in tables for p in _about(table)["publisher"].split("; ")]
    links = [f'<a href="appendices/data.html#{table}">{table}</a>' for table in tables if isinstance(table, str)]
    noun = "table" if len(links) == 1 else "tables"
    behind = [f"{noun} {', '.join(links)}"] if links else []
    behind += [escape(table.title) for table in tables if not isinstance(table, str)]
    return f"Source: {escape('; '.join(dict.fromkeys(publishers)))}; own calculation from {' and '.join(behind)}."


def _about(table: str | Source) -> Mapping[str, str]:
    """Publisher, source and licence of a table of the book, or of flows that are the reader's own."""
    return dict(describe(table)) if isinstance(table, str) else table._asdict()


def csv_link(data: pd.DataFrame, name: str, tables: Sequence[str | Source]) -> str:
    """A link that carries the table behind a figure as CSV; its first lines name sources and licences."""
    about = [_about(table) for table in tables]
    head = [f"# {name}: data of the figure or table, book “China, Russia and the Trade in High Technology”"]
    head += [f"# Source: {text}" for text in dict.fromkeys(a["source"] for a in about)]
    head += [f"# Licence: {text}" for text in dict.fromkeys(a["licence"] for a in about)]
    # Six digits: enough for any use, and the same on every processor.
    text = "\n".join(head) + "\n" + data.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    payload = base64.b64encode(text.encode()).decode()
    return f'<a class="tb-csv" download="{name}.csv" href="data:text/csv;base64,{payload}">Data (CSV)</a>'


def _svg(chart: Chart, prefix: str, narrow: bool) -> str:
    _register_fonts()
    with mpl.rc_context(_style()):
        figure = Figure(figsize=(NARROW if narrow else WIDE, chart.height[narrow]), layout="constrained")
        FigureCanvasSVG(figure)
        chart.draw(figure, narrow)
        _refuse_empty(figure)
        # Lay out once, then draw once: savefig with a layout engine would draw everything twice.
        figure.get_layout_engine().execute(figure)
        figure.set_layout_engine("none")
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return _clean_svg(buffer.getvalue(), prefix)


def _refuse_empty(figure: Figure) -> None:
    shown = [axes for axes in figure.axes if axes.get_visible()]
    if not shown:
        raise EmptyFigureError("The figure has no axes: nothing was drawn; check the data given to the chart.")
    for axes in shown:
        if not axes.has_data() or not _finite_points(axes):
            raise EmptyFigureError(
                f"Panel “{axes.get_title(loc='left')}” of the figure is empty: check the data given to the chart."
            )


def _finite_points(axes: Axes) -> bool:
    """Whether any line, bar, area or dot has a finite position."""
    for line in axes.lines:
        if line.get_label() != _REFERENCE and np.isfinite(np.asarray(line.get_ydata(), dtype=float)).any():
            return True
    if any(
        np.isfinite(patch.get_path().vertices).any() and np.isfinite(patch.get_extents().bounds).all()
        for patch in axes.patches
    ):
        return True
    return any(
        len(path.vertices) and np.isfinite(path.vertices).any()
        for collection in axes.collections
        for path in collection.get_paths()
    ) or any(np.isfinite(np.asarray(c.get_offsets(), dtype=float)).any() for c in axes.collections)


def _clean_svg(svg: str, prefix: str) -> str:
    """Inline form: no prologue, comments or metadata; short numbers; ids of its own; colours as variables."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.S)
    # A hundredth of a point is finer than any screen; scales are left alone.
    svg = re.sub(r"(scale\([^)]*\))|(-?\d+\.\d\d)\d+", lambda m: m[1] or m[2], svg)
    svg = svg.replace(
        "font-family: 'Source Sans Pro'",
        "font-family: 'Tradebook Sans', 'Source Sans Pro', sans-serif",
    )
    svg = re.sub(r' transform="rotate\(-0 [^"]*\)"', "", svg)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    names = {colour: key for key, colour in PALETTE.items()}
    svg = re.sub(
        r": (#[0-9a-f]{6})",
        lambda m: f": var(--tb-{names[m[1]]}, {m[1]})" if m[1] in names else m[0],
        svg,
    )
    svg = re.sub(r' (width|height)="([\d.]+)pt"', "", svg, count=2)
    svg = svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
    return re.sub(r"\s*\n\s*", "\n", svg).strip()


# --- forms ---------------------------------------------------------------------------------------


def lines(
    frame: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    y: str,
    log: bool = False,
    marks: Mapping[int, str] | None = None,
    reference: tuple[float, str] | None = None,
    shade: tuple[float, float, str] | None = None,
    bands: Mapping[str, Sequence[tuple[pd.Series, pd.Series]]] | None = None,
    dashed: Sequence[str] = (),
    points: Sequence[str] = (),
    zero: bool = False,
    digits: int | None = None,
    height: tuple[float, float] | None = None,
) -> Chart:
    """Lines over years, labelled at their ends.

    Parameters
    ----------
    frame : DataFrame or mapping of title to DataFrame
        Index: year; one column per line, its name is the label. A mapping draws one panel per entry.
    y : str
        What the vertical axis measures, with its unit.
    log : bool
        Logarithmic axis: equal distances are equal percentages.
    marks : mapping of year to text, optional
        Years to point out on the first line.
    reference : (value, label), optional
        A horizontal line to compare with.
    shade : (low, high, label), optional
        A horizontal band to compare with.
    bands : mapping of column to a list of (lower, upper), optional
        Ranges around a line, the widest first; they go into the data as `lower_1`, `upper_1` and so on.
    dashed : sequence of str
        Columns drawn dashed.
    points : sequence of str
        Columns drawn as separate points, not joined; their `bands` are bars.
    zero : bool
        Start the axis at zero.
    digits : int, optional
        Decimals of the axis labels.
    height : (wide, narrow), optional
        Height in inches.
    """
    panels = dict(frame) if isinstance(frame, Mapping) else {"": frame}
    colours = _colours(panels)

    def draw(figure: Figure, narrow: bool) -> None:
        stacked = len(panels) > 1 and narrow
        grid = figure.subplots(
            len(panels) if stacked else 1,
            1 if stacked else len(panels),
            sharey=len(panels) > 1,
            squeeze=False,
        )
        for axes, (title, data) in zip(grid.flat, panels.items(), strict=True):
            axes.set_title(f"{title}\n{y}" if title else y)
            for column in data:
                values = data[column].dropna()
                if values.empty:
                    continue
                if column in points:
                    axes.plot(values.index, values, "D", color=colours[column], markersize=5)
                    for low, high in (bands or {}).get(column, ()):
                        axes.vlines(low.index, low, high, color=colours[column], linewidth=1.4)
                    continue
                joined = _with_gaps(values)
                axes.plot(
                    joined.index,
                    joined,
                    color=colours[column],
                    linestyle=(0, (4, 2)) if column in dashed else "-",
                )
                alone = values[
                    joined.shift(1).isna().reindex(values.index) & joined.shift(-1).isna().reindex(values.index)
                ]
                dots_at = values if len(values) < 4 else alone
                axes.plot(dots_at.index, dots_at, "o", color=colours[column], markersize=4)
                for low, high in (bands or {}).get(column, ()):
                    axes.fill_between(low.index, low, high, color=colours[column], alpha=0.16, linewidth=0)
            if log:
                axes.set_yscale("log")
                # One range for all panels: they share the axis.
                reach = [part.to_numpy().ravel() for part in panels.values()]
                for ranges in (bands or {}).values():
                    reach += [np.asarray(edge) for pair in ranges for edge in pair]
                reach = np.concatenate(reach).astype(float)
                axes.set_ylim(np.nanmin(reach) * 0.75, np.nanmax(reach) * 1.3)
            elif zero:
                # Over all panels: they share the axis, and a fixed end on one would cut off the others.
                top = max(np.nanmax(part.to_numpy(dtype=float)) for part in panels.values())
                axes.set_ylim(0, 1.05 * top)
            _years(axes, data.index, narrow or len(panels) > 1)
            _numbers(axes, log, digits)
            if shade:
                axes.axhspan(shade[0], shade[1], color=MUTED, alpha=0.15, linewidth=0)
                if shade[2]:
                    _note(axes, shade[1], shade[2])
            if reference:
                axes.axhline(reference[0], color=MUTED, linewidth=1, label=_REFERENCE)
                if reference[1]:
                    _note(axes, reference[0], reference[1])
            if marks:
                _mark(axes, data.iloc[:, 0], marks, narrow)
            if len(data.columns) > 1 or len(panels) > 1:
                _end_labels(axes, data, colours, narrow)

    table = _long(panels)
    for column, ranges in (bands or {}).items():
        here = table["series"] == column
        for i, (low, high) in enumerate(ranges, start=1):
            table.loc[here, f"lower_{i}"] = table.loc[here, "year"].map(low)
            table.loc[here, f"upper_{i}"] = table.loc[here, "year"].map(high)
    size = height or ((3.9, 3.7) if len(panels) == 1 else (3.7, 2.9 * len(panels)))
    return Chart(draw, table, size)


def bars(
    values: pd.Series | pd.DataFrame,
    *,
    x: str,
    highlight: Sequence = (),
    digits: int = 0,
    labels: bool = True,
    height: tuple[float, float] | None = None,
) -> Chart:
    """Horizontal bars, one per category; a frame draws its columns side by side with labels at the first group.

    Parameters
    ----------
    values : Series or DataFrame
        Index: category, in the order from top to bottom; values, one column per group.
    x : str
        What the length measures, with its unit.
    highlight : sequence
        Categories drawn in the strong colour (Series only); the others are muted.
    digits : int
        Decimals of the value labels.
    labels : bool
        Whether to write the value at the end of each bar.
    """
    frame = values.to_frame(x) if isinstance(values, pd.Series) else values

    def draw(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        axes.grid(axis="y", visible=False)
        axes.grid(axis="x", visible=True)
        axes.set_title(x)
        groups = len(frame.columns)
        thick = 0.78 / groups
        places = np.arange(len(frame))
        for g, column in enumerate(frame):
            offset = (g - (groups - 1) / 2) * thick
            strong = [not len(highlight) or category in highlight for category in frame.index]
            colours = [SERIES[g] if s else PALETTE["c8"] for s in strong]
            drawn = axes.barh(places + offset, frame[column], thick * 0.92, color=colours)
            if labels:
                texts = [f"{v:,.{digits}f}".replace("-", "−") if np.isfinite(v) else "" for v in frame[column]]
                axes.bar_label(drawn, texts, padding=3, fontsize=8.5, color=MUTED)
        axes.set_yticks(places, [_wrap(str(c), 22 if narrow else 34) for c in frame.index], color=INK)
        axes.invert_yaxis()
        axes.axvline(0, color=MUTED, linewidth=0.8, label=_REFERENCE)
        axes.margins(x=0.12, y=0.02)
        axes.xaxis.set_major_locator(MaxNLocator(4 if narrow else 7))
        axes.xaxis.set_major_formatter(FuncFormatter(_plain))
        if groups > 1:
            figure.legend(
                handles=[mpl.patches.Patch(color=SERIES[g], label=c) for g, c in enumerate(frame)],
                loc="outside upper left",
                ncols=1 if narrow and groups > 2 else groups,
                frameon=False,
                fontsize=9.5,
                handlelength=1,
                borderaxespad=0.1,
            )

    size = 1.0 + 0.27 * len(frame) * max(1, 0.75 * len(frame.columns))
    data = frame.rename_axis("category").reset_index().melt("category", var_name="series", value_name="value")
    return Chart(draw, data, height or (max(size, 2.2), max(size * 1.08, 2.4)))


def stack(
    frame: pd.DataFrame,
    *,
    x: str,
    colours: Mapping[str, str] | None = None,
    height: tuple[float, float] | None = None,
) -> Chart:
    """Horizontal bars made of parts: one bar per row, its parts side by side with their numbers.

    Parameters
    ----------
    frame : DataFrame
        Index: rows, from top to bottom; columns: parts, from left to right; counts or amounts, not negative.
    x : str
        What the length measures, with its unit.
    colours : mapping of column to name of a palette colour, optional
        Where the parts have a colour of their own all over the book, as verdicts have (``claims.COLOURS``).
    """
    tints = [PALETTE[colours[column]] if colours else SERIES[i % len(SERIES)] for i, column in enumerate(frame)]

    def draw(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        axes.set_xlabel(x, loc="left")
        axes.grid(visible=False)
        places = np.arange(len(frame))
        left = np.zeros(len(frame))
        widest = frame.sum(axis=1).max()
        for column, tint in zip(frame, tints, strict=True):
            amounts = frame[column].to_numpy(dtype=float)
            axes.barh(places, amounts, 0.62, left=left, color=tint, alpha=0.82)
            for place, amount, start in zip(places, amounts, left, strict=True):
                # A number needs room: about one character for each two hundredths of the width.
                if amount >= widest * (0.07 if narrow else 0.03):
                    axes.annotate(
                        _plain(amount), (start + amount / 2, place + 0.31), (0, -2), textcoords="offset points",
                        ha="center", va="top", fontsize=8, color=tint,
                    )  # fmt: skip
            left += amounts
        axes.set_yticks(places, [_wrap(str(c), 18 if narrow else 30) for c in frame.index], color=INK)
        axes.set_ylim(len(frame) - 0.3, -0.6)
        axes.spines["bottom"].set_visible(False)
        axes.set_xticks([])
        figure.legend(
            handles=[mpl.patches.Patch(color=t, label=c, alpha=0.82) for c, t in zip(frame, tints, strict=True)],
            loc="outside upper left",
            ncols=2 if narrow else 3,
            frameon=False,
            fontsize=9,
            handlelength=1,
            columnspacing=1,
            borderaxespad=0.1,
        )

    data = frame.rename_axis("row").reset_index().melt("row", var_name="part", value_name="value")
    size = 1.1 + 0.5 * len(frame)
    return Chart(draw, data, height or (size, size + 0.5))


def columns(
    values: pd.Series,
    *,
    y: str,
    highlight: Sequence[int] = (),
    marks: Mapping[int, str] | None = None,
) -> Chart:
    """Vertical bars over years, the highlighted ones in the strong colour with their marks.

    Parameters
    ----------
    values : Series
        Index: year.
    y : str
        What the height measures, with its unit.
    highlight : sequence of int
        Years in the strong colour.
    marks : mapping of year to text, optional
        Labels at bars; by default the value of the highlighted years.
    """
    marks = {year: f"{values[year]:+.0f}".replace("-", "−") for year in highlight} if marks is None else marks

    def draw(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        axes.set_title(y)
        colours = [PALETTE["c2"] if year in highlight else PALETTE["c1"] for year in values.index]
        axes.bar(values.index, values, color=colours, width=0.8)
        axes.axhline(0, color=MUTED, linewidth=0.8, label=_REFERENCE)
        for year, text in marks.items():
            high = values[year] >= 0
            label = f"{year}\n{text}" if high else f"{text}\n{year}"
            axes.annotate(
                label,
                (year, values[year]),
                (0, 3 if high else -3),
                textcoords="offset points",
                ha="center",
                va="bottom" if high else "top",
                fontsize=8.5,
                color=INK,
                linespacing=0.95,
            )
        axes.margins(y=0.18)
        _years(axes, values.index, narrow)
        _numbers(axes, False, None)

    data = values.rename("value").rename_axis("year").reset_index().assign(series=y)
    return Chart(draw, data)


def areas(panels: Mapping[str, pd.DataFrame], *, y: str, height: tuple[float, float] | None = None) -> Chart:
    """Shares of a whole over years as stacked areas, one panel per entry, labelled inside or at the edge.

    Parameters
    ----------
    panels : mapping of title to DataFrame
        Index: year; columns: parts, from the bottom up, summing to 100.
    y : str
        What the height measures, with its unit.
    """
    parts = list(dict.fromkeys(column for data in panels.values() for column in data))
    colours = {part: SERIES[i % 7] for i, part in enumerate(p for p in parts if p != "Other")}
    colours["Other"] = PALETTE["c8"]

    def draw(figure: Figure, narrow: bool) -> None:
        grid = figure.subplots(len(panels) if narrow else 1, 1 if narrow else len(panels), squeeze=False)
        for axes, (title, data) in zip(grid.flat, panels.items(), strict=True):
            axes.set_title(f"{title}\n{y}")
            axes.grid(visible=False)
            drawn = _with_gaps(data)
            tops = drawn.cumsum(axis=1, skipna=False)
            bottoms = tops - drawn
            for part in data:
                axes.fill_between(
                    drawn.index,
                    bottoms[part],
                    tops[part],
                    color=colours[part],
                    alpha=0.82,
                    linewidth=0,
                )
                axes.plot(drawn.index, tops[part], color=GRID, linewidth=0.7)
            middles = (bottoms.iloc[-1] + tops.iloc[-1]) / 2
            axes.set_ylim(0, 100)
            axes.set_xlim(data.index.min(), data.index.max())
            _years(axes, data.index, True)
            axes.yaxis.set_major_locator(MaxNLocator(5))
            _place_labels(axes, middles, {p: _wrap(p, 17) for p in data}, colours)

    size = height or (4.3, 3.5 * len(panels))
    return Chart(draw, _long(panels), size)


def dots(
    frame: pd.DataFrame,
    *,
    x: str,
    log: bool = False,
    reference: tuple[float, str] | None = None,
    intervals: Mapping[str, tuple[pd.Series, pd.Series]] | None = None,
    digits: int | None = None,
    height: tuple[float, float] | None = None,
) -> Chart:
    """Dots on a line per category: two or more states of each, joined by a thin bar (a dumbbell).

    Parameters
    ----------
    frame : DataFrame
        Index: category, from top to bottom; one column per state.
    x : str
        What the position measures, with its unit.
    log : bool
        Logarithmic axis.
    reference : (value, label), optional
        Vertical line to compare with.
    intervals : mapping of column to (lower, upper), optional
        Uncertainty of a column's dots, drawn as a bar.
    """

    def draw(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        axes.set_xlabel(x, loc="left")
        axes.grid(axis="y", visible=False)
        axes.grid(axis="x", visible=True)
        places = np.arange(len(frame))
        if not intervals:
            axes.hlines(places, frame.min(axis=1), frame.max(axis=1), color=PALETTE["c8"], linewidth=1.2)
        for g, column in enumerate(frame):
            if intervals and column in intervals:
                low, high = intervals[column]
                axes.hlines(places, low, high, color=SERIES[g], linewidth=5, alpha=0.25)
            axes.plot(frame[column], places, "o", color=SERIES[g], markersize=7, label=column)
        if log:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(mpl.ticker.LogLocator(10, (1, 2, 5) if not narrow else (1,)))
            axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())
        else:
            axes.xaxis.set_major_locator(MaxNLocator(4 if narrow else 7))
        axes.xaxis.set_major_formatter(FuncFormatter(_plain))
        axes.set_yticks(places, [_wrap(str(c), 20 if narrow else 36) for c in frame.index], color=INK)
        axes.set_ylim(len(frame) - 0.4, -1.5 if reference else -0.6)
        if reference:
            axes.axvline(reference[0], color=MUTED, linewidth=1, label=_REFERENCE)
            axes.annotate(
                reference[1],
                (reference[0], -1.35),
                (4, 0),
                textcoords="offset points",
                fontsize=8.5,
                color=MUTED,
                va="center",
            )
        # Above everything, at the left edge of the figure: room that a phone has, too.
        names_fit = sum(len(str(column)) + 5 for column in frame) < (38 if narrow else 80)
        figure.legend(
            loc="outside upper left",
            ncols=len(frame.columns) if names_fit else 1,
            frameon=False,
            fontsize=9.5,
            handletextpad=0.1,
            columnspacing=1,
            borderaxespad=0.1,
        )

    lines_in = max(_wrap(str(c), 20).count("\n") + 1 for c in frame.index)
    wide = 1.3 + 0.34 * len(frame)
    narrow_height = 1.5 + len(frame) * max(0.34, 0.15 * lines_in + 0.06)
    data = frame.rename_axis("category").reset_index().melt("category", var_name="series", value_name="value")
    if intervals:
        for part, place in (("lower", 0), ("upper", 1)):
            data[part] = [
                intervals[s][place].get(c, np.nan) if s in intervals else np.nan
                for c, s in zip(data["category"], data["series"], strict=True)
            ]
    return Chart(draw, data, height or (wide, narrow_height))


def fan(
    history: pd.Series,
    forecasts: Mapping[str, pd.DataFrame],
    *,
    y: str,
    shaded: str,
    outcome: pd.Series | None = None,
    log: bool = True,
    height: tuple[float, float] | None = None,
) -> Chart:
    """A history, forecasts with intervals from its end, and, if known, what happened.

    Parameters
    ----------
    history : Series
        Observed values up to the origin, indexed by year.
    forecasts : mapping of label to DataFrame
        Results of `forecast.fit_forecast`, indexed by year: `median`, `lower_80`, `upper_80`, `lower_95`, `upper_95`.
    y : str
        What is forecast, with its unit.
    shaded : str
        The forecast whose 80 and 95 per cent intervals are drawn.
    outcome : Series, optional
        Observed values after the origin.
    log : bool
        Logarithmic axis.
    """
    colours = {label: SERIES[i + 1] for i, label in enumerate(forecasts)}

    def draw(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        axes.set_title(y)
        axes.plot(history.index, history, color=SERIES[0])
        ends, texts, tints = {}, {}, {}
        start = pd.Series({history.index[-1]: history.iloc[-1]})
        for label, frame in forecasts.items():
            path = pd.concat([start, frame["median"]])
            axes.plot(path.index, path, color=colours[label], linestyle=(0, (4, 2)), linewidth=1.6)
            for level, alpha in ((95, 0.12), (80, 0.2)):
                if label == shaded:
                    low = pd.concat([start, frame[f"lower_{level}"]])
                    high = pd.concat([start, frame[f"upper_{level}"]])
                    axes.fill_between(low.index, low, high, color=colours[label], alpha=alpha, linewidth=0)
            ends[label], texts[label], tints[label] = path.iloc[-1], label, colours[label]
        if outcome is not None:
            joined = pd.concat([start, outcome])
            axes.plot(joined.index, joined, color=SERIES[0])
            ends["outcome"], texts["outcome"], tints["outcome"] = (
                outcome.iloc[-1],
                "what happened",
                SERIES[0],
            )
        axes.axvline(history.index[-1], color=MUTED, linewidth=0.8, linestyle=":")
        if log:
            axes.set_yscale("log")
        _years(axes, history.index.union(next(iter(forecasts.values())).index), narrow)
        _numbers(axes, log, None)
        _place_labels(axes, pd.Series(ends), {k: _wrap(t, 16) for k, t in texts.items()}, tints)

    rows = [pd.DataFrame({"year": history.index, "series": "observed", "value": history.to_numpy()})]
    if outcome is not None:
        rows.append(pd.DataFrame({"year": outcome.index, "series": "observed", "value": outcome.to_numpy()}))
    for label, frame in forecasts.items():
        part = frame.rename_axis("year").reset_index().rename(columns={"median": "value"})
        keep = [c for c in part if c in ("year", "value") or c.startswith(("lower_", "upper_"))]
        rows.append(part[keep].assign(series=label))
    return Chart(draw, pd.concat(rows, ignore_index=True), height or (4.1, 3.9))


def grid(frame: pd.DataFrame, *, label: str, shade: pd.DataFrame, digits: int = 1) -> Chart:
    """A heat map with its numbers: rows by columns, blue where `shade` is positive, orange where negative.

    Parameters
    ----------
    frame : DataFrame
        Index: rows, from top to bottom; columns, from left to right.
    label : str
        What the cells measure.
    shade : DataFrame
        Of the same shape, from -1 to 1: strength and sign of the colour (for RCA its symmetric form).
    """

    def draw(figure: Figure, narrow: bool) -> None:
        axes = figure.subplots()
        axes.set_title(label, pad=22)
        axes.grid(visible=False)
        for i, row in enumerate(frame.index):
            for j, column in enumerate(frame):
                value = frame.loc[row, column]
                if not np.isfinite(value):
                    continue
                depth = shade.loc[row, column]
                colour = PALETTE["c1"] if depth > 0 else PALETTE["c2"]
                axes.barh(i, 0.96, left=j - 0.48, height=0.92, color=colour, alpha=0.5 * abs(depth))
                axes.text(
                    j,
                    i,
                    f"{value:.{digits}f}".replace("-", "−"),
                    ha="center",
                    va="center",
                    fontsize=9,
                )
        axes.set_xlim(-0.5, len(frame.columns) - 0.5)
        axes.set_ylim(len(frame) - 0.5, -0.5)
        axes.xaxis.tick_top()
        axes.set_xticks(range(len(frame.columns)), [_wrap(str(c), 9 if narrow else 16) for c in frame])
        axes.set_yticks(range(len(frame)), [_wrap(str(r), 16 if narrow else 34) for r in frame.index], color=INK)
        axes.tick_params(length=0)
        axes.spines["bottom"].set_visible(False)

    data = frame.rename_axis("row").reset_index().melt("row", var_name="column", value_name="value")
    size = 1.0 + 0.36 * len(frame)
    return Chart(draw, data, (size, size * 1.1))


# --- parts of a drawing ----------------------------------------------------------------------------


def _colours(panels: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    names = list(dict.fromkeys(column for data in panels.values() for column in data))
    return {column: SERIES[i % len(SERIES)] for i, column in enumerate(names)}


def _with_gaps(data: pd.Series | pd.DataFrame) -> pd.Series | pd.DataFrame:
    """The same with an empty year inside every gap, so that no line is drawn across years without a value.

    A gap is a step longer than the usual one: a series of every tenth year has none.
    """
    steps = data.index.to_series().diff()
    gaps = steps[steps > steps.median()]
    empty = [int(year - step / 2) for year, step in gaps.items()]
    return data.reindex(data.index.union(empty)) if empty else data


def _long(panels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    parts = []
    for title, data in panels.items():
        part = data.rename_axis("year").reset_index().melt("year", var_name="series", value_name="value")
        parts.append(part.assign(panel=title) if len(panels) > 1 else part)
    return pd.concat(parts, ignore_index=True).dropna(subset="value")


def _wrap(text: str, width: int) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, width))


def _plain(value: float, _position: int | None = None) -> str:
    return f"{value:,.10g}".replace("-", "−")


def _years(axes: Axes, index: pd.Index, narrow: bool) -> None:
    axes.set_xlabel("")
    axes.xaxis.set_major_locator(MaxNLocator(5 if narrow else 9, integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    span = index.max() - index.min()
    axes.set_xlim(index.min() - 0.01 * span, index.max() + 0.01 * span)


def _numbers(axes: Axes, log: bool, digits: int | None) -> None:
    axes.set_ylabel("")
    if log:
        axes.yaxis.set_major_locator(mpl.ticker.LogLocator(10, (1, 2, 5)))
        axes.yaxis.set_minor_locator(mpl.ticker.NullLocator())
    if digits is None:
        axes.yaxis.set_major_formatter(FuncFormatter(_plain))
    else:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.{digits}f}".replace("-", "−")))


def _note(axes: Axes, height: float, text: str) -> None:
    axes.annotate(
        text,
        (0.005, height),
        (0, 2),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        fontsize=8.5,
        color=MUTED,
        va="bottom",
    )


def _mark(axes: Axes, values: pd.Series, marks: Mapping[int, str], narrow: bool) -> None:
    for year, text in marks.items():
        if year not in values.index or not np.isfinite(values[year]):
            continue
        axes.plot([year], [values[year]], "o", color=INK, markersize=4.5)
        # Below a trough, above anything else, so that the label stays clear of the line.
        around = values.reindex([year - 1, year + 1])
        trough = not (around < values[year]).any()
        axes.annotate(
            text if not narrow else str(year),
            (year, values[year]),
            (0 if trough else -4, -6 if trough else 4),
            textcoords="offset points",
            ha="center" if trough else "right",
            va="top" if trough else "bottom",
            fontsize=8.5,
            color=INK,
            linespacing=0.95,
        )


def _end_labels(axes: Axes, data: pd.DataFrame, colours: Mapping[str, str], narrow: bool) -> None:
    ends = {column: data[column].dropna().iloc[-1] for column in data if data[column].notna().any()}
    if not ends:
        return
    texts = {column: _wrap(column, 11 if narrow else 18) for column in ends}
    _place_labels(
        axes,
        pd.Series(ends),
        texts,
        colours,
    )


def _place_labels(axes: Axes, heights: pd.Series, texts: Mapping, colours: Mapping) -> None:
    """Write each label beside the right edge at its height, pushed apart where they would touch."""
    transform = axes.transData
    x = axes.get_xlim()[1]
    wanted = pd.Series({k: transform.transform((x, v))[1] for k, v in heights.items()}).sort_values()
    size = 9.0
    dpi = axes.figure.dpi / 72
    # Room for each label: half of its own lines and half of its neighbour's.
    lines_in = {k: texts[k].count("\n") + 1 for k in wanted.index}
    placed = wanted.to_list()
    keys = list(wanted.index)
    for _ in range(60):
        moved = False
        for i in range(len(placed) - 1):
            room = size * 1.12 * dpi * (lines_in[keys[i]] + lines_in[keys[i + 1]]) / 2
            short = room - (placed[i + 1] - placed[i])
            if short > 0.05:
                placed[i] -= short / 2
                placed[i + 1] += short / 2
                moved = True
        if not moved:
            break
    for key, spot in zip(keys, placed, strict=True):
        axes.annotate(
            texts[key],
            (1, heights[key]),
            (6, (spot - wanted[key]) / dpi),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=size,
            color=colours[key],
            linespacing=1.0,
            annotation_clip=False,
        )
