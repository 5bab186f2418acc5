"""Small multiples: several series over one time axis, each in its own panel with its own unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from tradebook.charts import MUTED, SERIES, Chart, _end_labels, _numbers, _with_gaps, _years
from tradebook.errors import TradebookError

__all__ = ["MultiplesError", "multiples"]


class MultiplesError(TradebookError):
    """A panel has nothing to show, or the panels do not share a kind of time."""


def multiples(
    panels: Mapping[str, pd.DataFrame | pd.Series],
    *,
    log: Sequence[str] = (),
    zero: Sequence[str] = (),
    bars: Sequence[str] = (),
    reference: Mapping[str, float] | None = None,
    moments: Sequence = (),
    height: tuple[float, float] | None = None,
) -> Chart:
    """Panels over the same time axis; a line has one colour in all of them.

    Parameters
    ----------
    panels : mapping of title to DataFrame or Series
        Title: what is measured, with its unit. Index: year, or month as text (“2014-12”); all of one kind. A Series
        is one line without a label.
    log, zero, bars : sequences of titles
        Panels with a logarithmic axis, with an axis that starts at zero, and drawn as bars (Series only).
    reference : mapping of title to value, optional
        A horizontal line in a panel.
    moments : sequence
        Years or months at which every panel has a thin vertical line.
    height : (wide, narrow), optional
        Height in inches.

    Raises
    ------
    MultiplesError
        If a panel is empty.
    """
    frames = {t: p.to_frame("") if isinstance(p, pd.Series) else p for t, p in panels.items()}
    for title, frame in frames.items():
        if frame.dropna(how="all").empty:
            raise MultiplesError(f"The panel “{title}” has no data; leave it out or choose other series.")
    names = list(dict.fromkeys(c for frame in frames.values() for c in frame))
    colours = {name: SERIES[i % len(SERIES)] for i, name in enumerate(names)}
    drawn = {t: frame.set_axis(_decimal(frame.index)) for t, frame in frames.items()}
    lines = _decimal(pd.Index(moments)) if len(moments) else []
    whole = pd.Index(np.concatenate([frame.index for frame in drawn.values()]))

    def draw(figure: Figure, narrow: bool) -> None:
        down = len(drawn) if narrow else int(np.ceil(len(drawn) / 2))
        grid = figure.subplots(down, 1 if narrow else 2, squeeze=False)
        for axes in grid.flat[len(drawn) :]:
            axes.set_visible(False)
        for axes, (title, frame) in zip(grid.flat, drawn.items(), strict=False):
            axes.set_title(title)
            for column in frame:
                values = frame[column].dropna()
                if title in bars:
                    axes.bar(values.index + 0.5 * (not _whole_years(panels)), values, width=0.7, color=colours[column])
                    axes.axhline(0, color=MUTED, linewidth=0.8)
                    continue
                joined = _with_gaps(values) if _whole_years(panels) else values
                axes.plot(joined.index, joined, color=colours[column])
                if len(values) < 4:
                    axes.plot(values.index, values, "o", color=colours[column], markersize=4)
            if title in log:
                axes.set_yscale("log")
                axes.margins(y=0.12)
            elif title in zero:
                axes.set_ylim(bottom=0)
            for place in lines:
                axes.axvline(place, color=MUTED, linewidth=0.8, linestyle=(0, (2, 3)))
            if reference and title in reference:
                axes.axhline(reference[title], color=MUTED, linewidth=1)
            _years(axes, whole, True)
            _numbers(axes, title in log, None)
            if title in log and np.divide(*axes.get_ylim()[::-1]) > 500:
                axes.yaxis.set_major_locator(LogLocator(10))
            if [c for c in frame if c]:
                _end_labels(axes, frame, colours, narrow)

    rows = [
        frame.rename_axis("time").reset_index().melt("time", var_name="series", value_name="value").assign(panel=title)
        for title, frame in frames.items()
    ]
    data = pd.concat(rows, ignore_index=True).dropna(subset="value")
    return Chart(draw, data, height or (2.5 * int(np.ceil(len(frames) / 2)), 2.3 * len(frames)))


def _decimal(index: pd.Index) -> pd.Index:
    """Months as decimal years, in the middle of the month; years as they are."""
    if not pd.api.types.is_numeric_dtype(index):
        return pd.Index([int(str(m)[:4]) + (int(str(m)[5:7]) - 0.5) / 12 for m in index])
    return index


def _whole_years(panels: Mapping) -> bool:
    return all(pd.api.types.is_numeric_dtype(panel.index) for panel in panels.values())
