"""Command line: ``tradebook tables``, ``tradebook describe NAME``, ``tradebook audit``."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated

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
    format: Annotated[Format, typer.Option(help="Scoreboard, or one row per claim.")] = Format.table,
) -> None:
    """Recompute the registered statements of the sources and print their verdicts."""
    result = claims.audit(chapter=chapter, source=source)
    if only is not None:
        if only not in claims.VERDICTS:
            raise claims.ClaimError(f"There is no verdict “{only}”; choose one of {', '.join(claims.VERDICTS)}.")
        result = result[result["verdict"] == only]
    if format is Format.csv:
        typer.echo(result.to_csv(index=False, lineterminator="\n"), nl=False)
    elif format is Format.json:
        rows = json.loads(result.to_json(orient="records"))
        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
    elif result.empty:
        typer.echo("No claim has that verdict.")
    else:
        typer.echo(claims.scoreboard(result).to_string())


def main() -> None:
    """Run the program; an error of the book's own is one sentence and exit status 1."""
    try:
        app()
    except TradebookError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
