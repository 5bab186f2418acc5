"""Command line: ``tradebook``, whose commands stand in three groups: data and audit, large tables, teaching."""

from __future__ import annotations

import io
import json
import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from tradebook import __version__, claims, data, flow_commands
from tradebook.coursework import assignment_commands, fork_commands, newchapter
from tradebook.errors import TradebookError
from tradebook.suggest import did_you_mean

DATA = "Data and audited statements"

app = typer.Typer(
    help="The data and the audited statements of the book, and what you can make of its chapters.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class Format(StrEnum):
    """How an audit is printed."""

    table = "table"
    csv = "csv"
    json = "json"


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Options of the program itself."""
    if show:
        typer.echo(__version__)
        raise typer.Exit()


@app.command(rich_help_panel=DATA, epilog="Example: tradebook tables")
def tables() -> None:
    """List the tables of the data package, with rows and years."""
    for name in data.tables():
        about = data.describe(name)
        typer.echo(f"{name:32s} {about['rows']:>9,d}  {about['years'] or '':10s} {about['title']}")


@app.command(rich_help_panel=DATA, epilog="Example: tradebook describe bilateral-trade")
def describe(name: Annotated[str, typer.Argument(help="Name of a table.")]) -> None:
    """Say what a table is: source, vintage, licence, coverage, known problems, fields."""
    for key, value in data.describe(name).items():
        typer.echo(f"{key}: {value}")


@app.command(rich_help_panel=DATA, epilog="Example: tradebook audit --chapter 2 --only contradicted --format csv")
def audit(
    chapter: Annotated[int | None, typer.Option(help="Only the claims of this chapter.")] = None,
    source: Annotated[str | None, typer.Option(help="Only the claims of this source.")] = None,
    only: Annotated[str | None, typer.Option(help="Only claims with this verdict.")] = None,
    against: Annotated[
        Path | None, typer.Option(help="An audit stored earlier with --format csv: print only what has changed since.")
    ] = None,
    format: Annotated[Format, typer.Option(help="Scoreboard, or one row per claim.")] = Format.table,
) -> None:
    """Recompute the registered statements of the sources and print their verdicts."""
    if only is not None and only not in claims.VERDICTS:
        raise claims.ClaimError(f"There is no verdict “{only}”. {did_you_mean(only, claims.VERDICTS)}")
    if source is not None and source not in claims.SOURCES:
        raise claims.ClaimError(f"There is no source “{source}”. {did_you_mean(source, claims.SOURCES)}")
    before = claims.read_audit(against) if against else None
    result = claims.audit(chapter=chapter, source=source)
    if before is not None:
        before = before[before["claim_id"].isin(_claims_of(chapter, source, before))]
        result = claims.compare(before, result)
        if only is not None:
            result = result[(result["verdict_before"] == only) | (result["verdict_after"] == only)]
    elif only is not None:
        result = result[result["verdict"] == only]
    if format is Format.csv:
        typer.echo(result.to_csv(index=False, lineterminator="\n"), nl=False)
    elif format is Format.json:
        rows = json.loads(result.to_json(orient="records", double_precision=15))
        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
    elif before is not None:
        _print_changes(result)
    elif result.empty:
        typer.echo("No claim has that verdict.")
    else:
        _print_scoreboard(result)


@app.command(
    "new-chapter",
    rich_help_panel=fork_commands.PANEL,
    epilog='Example: tradebook new-chapter "Trade in services" --question "Who sells them?"',
)
def new_chapter(
    title: Annotated[str, typer.Argument(help="Heading of the chapter, without a number.")],
    question: Annotated[str, typer.Option(help="The question that the chapter answers.")] = newchapter.QUESTION,
    number: Annotated[int | None, typer.Option(help="Number of the chapter; by default the next one.")] = None,
) -> None:
    """Add a chapter to the book from a template that runs: notebook, coursework, entry in the contents."""
    typer.echo("Writing and executing the chapter …")
    added = newchapter.create(title, question, number)
    for path in added.files:
        typer.echo(f"  wrote {path.relative_to(added.repository).as_posix()}")
    typer.echo("  entered it in _toc.yml")
    typer.echo(f"Chapter {added.number} runs: replace its example by your own content (make lab), then make test.")


def _claims_of(chapter: int | None, source: str | None, before: pd.DataFrame) -> pd.Series:
    """Ids of an earlier audit that belong to the same part: claims dropped since count as of that part."""
    known = claims.register(source)
    here = known["claim_id"] if chapter is None else known.loc[known["chapter"] == chapter, "claim_id"]
    dropped = ~before["claim_id"].isin(claims.register()["claim_id"])
    return pd.concat([here, before.loc[dropped, "claim_id"]])


def _print_changes(changes: pd.DataFrame) -> None:
    flipped = changes[changes["verdict_before"] != changes["verdict_after"]]
    typer.echo(f"{len(flipped)} verdicts and {len(changes) - len(flipped)} other recomputed values have changed.")
    for row in changes.itertuples():
        values = " → ".join(
            "none" if math.isnan(value) else f"{value:.6g}" for value in (row.value_before, row.value_after)
        )
        verdicts = f"{row.verdict_before or 'new'} → {row.verdict_after or 'dropped'}"
        typer.echo(f"{row.claim_id:26s} {values:28s} {verdicts if row.Index in flipped.index else row.verdict_after}")


def _print_scoreboard(result: pd.DataFrame) -> None:
    for by in ("source", "chapter"):
        typer.echo(claims.scoreboard(result, by=by).to_string() + "\n")
    figures = result["stated_value"] != ""
    tested = figures & (result["verdict"] != "not checkable")
    if figures.any():
        share = tested.sum() / figures.sum()
        typer.echo(f"{figures.sum()} statements give a figure; {tested.sum()} of them ({share:.0%}) are recomputed.")


@app.command(rich_help_panel=DATA, epilog="Example: tradebook refresh wdi")
def refresh(
    tables: Annotated[list[str] | None, typer.Argument(help="Tables; if none is named, all that can be.")] = None,
    show: Annotated[bool, typer.Option("--list", help="Say which tables can be refreshed, others why not.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be asked for, and ask nobody.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Only look at vintages that were fetched before.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Replace the tables by their new vintages.")] = False,
) -> None:
    """Fetch newer data from the publishers and show what they change; replace tables only with --accept."""
    from tradebook import refresh as renewal  # only here: it needs packages that a reader of the book does not

    names = tables or []
    if show:
        lines = renewal.listing()
    elif dry_run:
        lines = renewal.plan(names, renewal.Around())
    else:
        lines = []
        renewal.refresh(names, accept=accept, offline=offline, say=typer.echo, progress=_progress)
    for line in lines:
        typer.echo(line)


def _progress(pieces: list, label: str):
    """A progress bar on a terminal, nothing elsewhere."""
    return typer.progressbar(pieces, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())


fork_commands.add_to(app)
flow_commands.add_to(app)
assignment_commands.add_to(app)


def main() -> None:
    """Run the program; an error of the book's own is told in plain sentences, with exit status 1.

    What goes into a file or to another program is UTF-8, whatever the system would choose.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        app()
    except TradebookError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
