"""Command line for coursework: ``tradebook fork`` and ``tradebook pairs``.

Exit codes: 0 done, 1 an error of the book's own in one sentence, 2 a command that is not written as it must be.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import fill
from typing import Annotated

import typer

from tradebook.coursework.chapters import ROOT, Chapter, chapter, chapters, make_case

__all__ = ["PANEL", "add_to"]

PANEL = "Teaching with the book"

#: Option → the parameters that it may stand for, the first that a chapter has.
_OPTIONS = {
    "exporter": ("EXPORTER", "FIRST"),
    "partner": ("PARTNER", "SECOND"),
    "first": ("FIRST", "EXPORTER"),
    "second": ("SECOND", "PARTNER"),
    "company": ("COMPANY",),
    "year": ("YEAR",),
    "origin": ("ORIGIN",),
    "event": ("EVENT",),
}
_ECONOMY = "ISO alpha-2 or alpha-3 code, or name"


def _complete_chapter(incomplete: str) -> Iterator[tuple[str, str]]:
    for one in chapters():
        if str(one.number).startswith(incomplete):
            yield str(one.number), one.title


def _column(table: str, *names: str) -> Iterator[tuple[str, ...]]:
    """Columns of a small table, read without pandas: a completion must not keep anybody waiting."""
    with open(ROOT / "data" / f"{table}.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield tuple(row[name] for name in names)


def _complete_economy(incomplete: str) -> Iterator[tuple[str, str]]:
    for iso3, name, kind in _column("economies", "iso3", "name", "kind"):
        if kind == "economy" and (
            iso3.startswith(incomplete.upper()) or name.casefold().startswith(incomplete.casefold())
        ):
            yield iso3, name


def _complete_company(incomplete: str) -> Iterator[str]:
    for (name,) in _column("companies", "company"):
        if name.casefold().startswith(incomplete.casefold()):
            yield name


def _progress() -> tuple[Callable[[str], None], Callable[[], None]]:
    """Functions to say how far a command is, on one line of a terminal, and to wipe that line; silent elsewhere."""
    if not sys.stderr.isatty():
        return lambda text: None, lambda: None

    def say(text: str) -> None:
        print(f"\r\x1b[K{text} …", end="", file=sys.stderr, flush=True)

    return say, lambda: print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _economy_option(help_text: str):
    return typer.Option(help=f"{help_text}: {_ECONOMY}.", autocompletion=_complete_economy, metavar="ECONOMY")


def fork(
    number: Annotated[
        str | None,
        typer.Argument(metavar="CHAPTER", help="Number or name of a chapter.", autocompletion=_complete_chapter),
    ] = None,
    exporter: Annotated[str | None, _economy_option("The economy from whose side the chapter looks")] = None,
    partner: Annotated[str | None, _economy_option("The other one")] = None,
    first: Annotated[str | None, _economy_option("Chapters 1 and 4: the first (--exporter does the same)")] = None,
    second: Annotated[str | None, _economy_option("Chapters 1 and 4: the second (--partner does the same)")] = None,
    company: Annotated[
        str | None, typer.Option(help="Chapter 5: a company of our tables.", autocompletion=_complete_company)
    ] = None,
    year: Annotated[int | None, typer.Option(help="Chapters 1 and 4: the year that is taken apart.")] = None,
    origin: Annotated[int | None, typer.Option(help="Chapters 2 and 4: last year that a forecaster may see.")] = None,
    event: Annotated[int | None, typer.Option(help="Chapter 5: first year that the event can have touched.")] = None,
    to: Annotated[Path | None, typer.Option(help="Folder to make; by default one named after the case.")] = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Run the fork before it is handed over (about half a minute).")
    ] = True,
    show: Annotated[bool, typer.Option("--list", help="List chapters, parameters, and who has enough data.")] = False,
) -> None:
    """Make a chapter your own: a folder that runs alone, for another case.

    The order of two economies matters: the chapter looks from the side of the first.
    """
    if show:
        _list([chapter(number)] if number else chapters())
        return
    if number is None:
        raise typer.BadParameter("name a chapter, for instance 2, or ask for --list.", param_hint="CHAPTER")
    one = chapter(number)
    options = {"exporter": exporter, "partner": partner, "first": first, "second": second}
    options |= {"company": company, "year": year, "origin": origin, "event": event}
    case = make_case(one, _given(one, options))

    from tradebook.coursework import forks

    say, wipe = _progress()
    try:
        made = forks.fork(case, to or forks.default_target(case), check, say)
    finally:
        wipe()
    run = f"It ran from top to bottom; {made.figures} figures have data." if check else "It was not run (--no-check)."
    typer.echo(f"{case.title}: {made.folder}")
    typer.echo(f"{run} {len(made.tables)} tables go with it. Start with README.md there.")


def _given(one: Chapter, options: dict[str, str | int | None]) -> dict[str, str | int]:
    """Values by the names of the chapter's parameters; a command that does not fit the chapter is not accepted."""
    names = [p.name for p in one.parameters]
    given: dict[str, str | int] = {}
    for option, value in options.items():
        if value is None:
            continue
        wanted = next((name for name in _OPTIONS[option] if name in names), None)
        if wanted is None:
            fitting = ", ".join(f"--{name.lower()}" for name in names)
            text = f"chapter {one.number} has no such parameter; it has {fitting}."
            raise typer.BadParameter(text, param_hint=f"--{option}")
        if wanted in given:
            raise typer.BadParameter(f"{wanted} is given twice; give it once.", param_hint=f"--{option}")
        given[wanted] = value
    lacking = [p for p in one.subjects if p.name not in given]
    if lacking:
        words = " and ".join(f"--{p.name.lower()} ({p.remark})" for p in lacking)
        raise typer.BadParameter(f"chapter {one.number} needs {words}.", param_hint="CHAPTER")
    return given


def _list(those: list[Chapter]) -> None:
    from tradebook.coursework import adequacy

    say, wipe = _progress()
    for one in those:
        say(f"counting what the tables have for chapter {one.number}")
        who = adequacy.adequate_economies(one)
        wipe()
        typer.echo(f"{one.number}  {one.title}")
        for parameter in one.parameters:
            typer.echo(f"     --{parameter.name.lower():9s} {parameter.remark} (in the book: {parameter.default})")
        kinds = {p.kind for p in one.subjects}
        what = "companies" if kinds == {"company"} else "economies"
        paired = ", each in at least one pair" if len(one.subjects) == 2 else ""
        text = f"{len(who)} {what} with enough data{paired}: {', '.join(who)}"
        typer.echo(fill(text, 100, initial_indent="     ", subsequent_indent="     ") + "\n")


def pairs(
    seed: Annotated[int, typer.Option(help="Any whole number; the same one gives the same pairs everywhere.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many pairs: one for each student.")],
    number: Annotated[
        str, typer.Option("--chapter", help="Chapter 1, 2 or 4.", autocompletion=_complete_chapter)
    ] = "2",
    commands: Annotated[bool, typer.Option("--commands", help="Print the command that makes each fork.")] = False,
) -> None:
    """Deal a class different pairs of economies that have enough data, from all continents.

    One by one, the pair is taken whose continents, combination of continents and economies have come up least so far;
    the SHA-256 of "seed:AAA-BBB" decides between equals. A larger class gets the same pairs and some more.
    """
    from tradebook.coursework import adequacy

    one = chapter(number)
    say, wipe = _progress()
    say("counting what the tables have")
    try:
        dealt = adequacy.deal(one, n, seed)
    finally:
        wipe()
    first, second = dealt.columns[:2]
    if commands:
        for row in dealt.itertuples(index=False):
            typer.echo(f"tradebook fork {one.number} --{first} {row[0]} --{second} {row[1]}")
    else:
        typer.echo(dealt.to_csv(index=False, lineterminator="\n"), nl=False)


def add_to(app: typer.Typer) -> None:
    """Give the program these commands."""
    app.command(
        "fork",
        rich_help_panel=PANEL,
        epilog="Examples: tradebook fork 2 --exporter DEU --partner Kazakhstan --to ../my-project · "
        "tradebook fork 5 --company Cisco · tradebook fork --list",
    )(fork)
    app.command("pairs", rich_help_panel=PANEL, epilog="Example: tradebook pairs --seed 7 --n 30 > class.csv")(pairs)
