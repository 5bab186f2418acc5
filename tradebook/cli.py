"""Command line: ``tradebook tables``, ``tradebook describe NAME``, ``tradebook audit``."""

from __future__ import annotations

import json
import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from tradebook import __version__, claims, data
from tradebook.errors import TradebookError

app = typer.Typer(
    help="Look at the data and the audited statements of the book.",
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


@app.command(epilog="Example: tradebook tables")
def tables() -> None:
    """List the tables of the data package, with rows and years."""
    for name in data.tables():
        about = data.describe(name)
        typer.echo(f"{name:32s} {about['rows']:>9,d}  {about['years'] or '':10s} {about['title']}")


@app.command(epilog="Example: tradebook describe bilateral-trade")
def describe(name: Annotated[str, typer.Argument(help="Name of a table.")]) -> None:
    """Say what a table is: source, vintage, licence, coverage, known problems, fields."""
    for key, value in data.describe(name).items():
        typer.echo(f"{key}: {value}")


@app.command(epilog="Example: tradebook audit --chapter 2 --only contradicted --format csv")
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
        raise claims.ClaimError(f"There is no verdict “{only}”; choose one of {', '.join(claims.VERDICTS)}.")
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


def main() -> None:
    """Run the program; an error of the book's own is one sentence and exit status 1."""
    try:
        app()
    except TradebookError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
