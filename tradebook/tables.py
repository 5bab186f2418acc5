"""Tables as a page shows them: caption, units, aligned numbers, source, and the table to download."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from tradebook.charts import csv_link, source_line
from tradebook.errors import TradebookError

if TYPE_CHECKING:
    from tradebook.baci import Source

__all__ = ["EmptyTableError", "Html", "anchor", "audit_listing", "show", "table_html", "verdict_chip", "with_note"]


class EmptyTableError(TradebookError):
    """A table has no rows."""


def show(
    frame: pd.DataFrame,
    *,
    name: str,
    number: str,
    title: str,
    subtitle: str,
    tables: Sequence[str | Source] = (),
    formats: Mapping[str, str] | None = None,
    note: str = "",
):
    """Show a frame as an HTML table with caption, source and download.

    Parameters
    ----------
    frame : DataFrame
        What to show; columns as they shall be headed. The first column names the rows.
    name : str
        Anchor and file name, for instance ``"tab-mirror"``.
    number : str
        Number in the book, for instance ``"2.1"``.
    title, subtitle : str
        What the table says; what is measured, and in which units.
    tables : sequence of str or baci.Source
        Names of the data tables behind it, or a source outside of the book; they give the source line.
    formats : mapping of column to format specification, optional
        For instance ``{"share": ".1f"}``; numbers without one are shown with thousands separators.
    note : str, optional
        A caveat printed before the source.

    Raises
    ------
    EmptyTableError
        If there is no row to show.
    """
    from IPython.display import display

    html = table_html(
        frame,
        name=name,
        number=number,
        title=title,
        subtitle=subtitle,
        tables=tables,
        formats=formats,
        note=note,
    )
    display({"text/html": html, "text/plain": f"Table {number}. {title}"}, raw=True)


def table_html(
    frame: pd.DataFrame,
    *,
    name: str,
    number: str,
    title: str,
    subtitle: str,
    tables: Sequence[str | Source] = (),
    formats: Mapping[str, str] | None = None,
    note: str = "",
) -> str:
    """The HTML that `show` displays (same parameters), as a string."""
    if frame.empty:
        raise EmptyTableError(f"Table {number} (“{title}”) has no rows: check the data given to it.")
    formats = formats or {}
    # The first column names the rows and stays left, numbers (years) or not.
    numeric = {c for c in frame.columns[1:] if pd.api.types.is_numeric_dtype(frame[c]) or c in formats}
    head = "".join(f'<th scope="col"{_class(c in numeric)}>{escape(str(c))}</th>' for c in frame)
    body = []
    for row in frame.itertuples(index=False, name=None):
        cells = []
        for position, (column, value) in enumerate(zip(frame, row, strict=True)):
            text = cell(value, formats.get(column))
            if position == 0:
                cells.append(f'<th scope="row">{text}</th>')
            else:
                cells.append(f"<td{_class(column in numeric)}>{text}</td>")
        body.append("<tr>" + "".join(cells) + "</tr>")
    note = escape(note) + " " if note else ""
    source = source_line(tables) + " " if tables else ""
    return (
        f'<figure class="tb-table" id="{name}">'
        f'<figcaption class="tb-head"><strong>Table {number}. {escape(title)}</strong>'
        f"<span>{escape(subtitle)}</span></figcaption>"
        f'<div class="tb-scroll" tabindex="0" role="region" aria-label="Table {number}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
        f'<p class="tb-source">{note}{source}{csv_link(_plain(frame), name, tables)}</p></figure>'
    )


@dataclass(frozen=True)
class Html:
    """A cell that is HTML already and must not be escaped (a verdict chip, an anchor), and the same as plain text."""

    markup: str
    text: str


def verdict_chip(verdict: str) -> Html:
    """A verdict as a coloured chip; the colour repeats what the words say."""
    kinds = {
        "confirmed": "confirmed",
        "approximately right": "approximately-right",
        "depends on definition or vintage": "depends",
        "contradicted": "contradicted",
        "internally inconsistent": "inconsistent",
        "not checkable": "not-checkable",
    }
    return Html(f'<span class="tb-verdict tb-{kinds[verdict]}">{escape(verdict)}</span>', verdict)


def anchor(name: str) -> Html:
    """A name that can be linked to: the cell of a claim in an audit table."""
    return Html(f'<a id="{escape(name)}" href="#{escape(name)}">{escape(name)}</a>', name)


def with_note(statement: str, note: str) -> Html:
    """A statement with a remark below it in small type."""
    small = f"<br><small>{escape(note)}</small>" if note else ""
    return Html(escape(statement) + small, f"{statement} [{note}]" if note else statement)


def audit_listing(audited: pd.DataFrame) -> pd.DataFrame:
    """The result of `claims.audit` as a page lists it: claim, verdict, statement with its note, printed, recomputed."""
    audited = audited.reset_index(drop=True) if "claim_id" in audited else audited.reset_index()
    return pd.DataFrame(
        {
            "claim": audited["claim_id"].map(anchor),
            "verdict": audited["verdict"].map(verdict_chip),
            "statement": [
                with_note(statement, note)
                for statement, note in zip(audited["statement"], audited["note"], strict=True)
            ],
            # A statement without a figure has a unit only for its test: nothing was printed.
            "printed": (audited["stated_value"] + " " + audited["unit"]).where(audited["stated_value"] != "", ""),
            # A year has no thousands to separate.
            "recomputed": [
                Html(f"{value:.0f}", f"{value:.0f}") if unit == "year" and pd.notna(value) else value
                for value, unit in zip(audited["recomputed_value"], audited["unit"], strict=True)
            ],
        }
    )


def cell(value: object, spec: str | None) -> str:
    """One cell: numbers formatted, gaps as an en dash, text escaped."""
    if isinstance(value, Html):
        return value.markup
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return "–"
    if isinstance(value, str):
        return escape(value)
    return escape(format(value, spec if spec is not None else ",").replace("-", "−"))


def _class(numeric: bool) -> str:
    return ' class="num"' if numeric else ""


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The same table for a CSV file: HTML cells become their text."""
    return frame.map(lambda value: value.text if isinstance(value, Html) else value)
