"""Command line for large tables: ``tradebook baci`` and ``tradebook pair``."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from tradebook import baci, engine, flows
from tradebook.bilateral import NoTradeDataError
from tradebook.economies import name, resolve

__all__ = ["add_to"]

_PANEL = "Large tables"
_SHOWN = 5  # products in each list


def convert(
    source: Annotated[Path, typer.Argument(help="BACI's archive as downloaded, or a folder with its files.")],
    to: Annotated[Path, typer.Option(help="Folder to make, for TRADEBOOK_FLOWS.")],
    revision: Annotated[str | None, typer.Option(help="HS92, HS96 …, where the source holds several.")] = None,
    years: Annotated[str | None, typer.Option(help="For instance 2000-2022; by default all.")] = None,
) -> None:
    """Check the files of CEPII's BACI and turn them into Parquet, once, for questions by product of six digits."""
    span = None
    if years is not None:
        match = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", years)
        if not match:
            raise baci.BaciError(f"“{years}” are not years: write them like 2017 or 2000-2022.")
        span = (int(match[1]), int(match[2] or match[1]))
    about = baci.convert(source, to, revision=revision, years=span, say=typer.echo)
    rows = sum(about["rows"].values())
    # The whole path: a notebook runs in its own folder.
    typer.echo(
        f"{about['title']}: {rows:,d} flows in {to}. Set {baci.VARIABLE}={to.resolve()} to run chapter 2 on them."
    )


def pair(
    exporter: Annotated[str, typer.Argument(help="ISO code or name.")],
    partner: Annotated[str, typer.Argument(help="ISO code or name.")],
    data: Annotated[Path | None, typer.Option(help=f"Folder made by `tradebook baci`; else ${baci.VARIABLE}.")] = None,
    on: Annotated[str | None, typer.Option("--engine", help="duckdb, or spark://HOST:PORT.")] = None,
) -> None:
    """Describe the trade of a pair by product of six digits: totals, concentration, largest products, strengths."""
    a, b = resolve(exporter), resolve(partner)
    place = data or baci.folder()
    if place is None:
        raise baci.BaciError(f"There are no flows to ask: give --data, or set {baci.VARIABLE} to a folder that "
                             "`tradebook baci` made.")  # fmt: skip
    about, names = baci.described(place), baci.product_names(place)
    table = baci.open_flows(place, on, threads=os.cpu_count() or 1)
    mine = flows.between(table, [a, b])
    sums = engine.answer(flows.totals(mine, ["year", "exporter"]))
    if sums.empty:
        raise NoTradeDataError(f"{place} holds no trade between {name(a)} and {name(b)}; choose another pair.")
    hhi = engine.answer(flows.herfindahl_hirschman(mine, by=["year", "exporter"]))
    wide = pd.concat(
        {
            "billion US$": sums.pivot(index="year", columns="exporter", values="value_usd") / 1e9,
            "products": hhi.pivot(index="year", columns="exporter", values="n_products"),
            "HHI": hhi.pivot(index="year", columns="exporter", values="hhi"),
        },
        axis=1,
    )
    wide.columns = [f"{what}, {seller}" for what, seller in wide.columns]
    typer.echo(f"{about['title']}; {name(a)} ({a}) and {name(b)} ({b})\n")
    typer.echo(wide.to_string(float_format="{:.3f}".format, na_rep="–") + "\n")
    newest = int(sums["year"].max())
    last = table.filter(table["year"] == newest)
    top = engine.answer(flows.top_products(flows.between(last, [a, b]), _SHOWN), ["exporter", "rank"])
    rca = flows.revealed_comparative_advantage(last)
    strong = engine.answer(rca.filter(rca["exporter"].isin([a, b])))
    strong = strong.set_index(["exporter", "product"])["rca"]
    for seller, buyer in ((a, b), (b, a)):
        typer.echo(f"{name(seller)} to {name(buyer)}, {newest}: largest products (share; comparative advantage)")
        for row in top[top["exporter"] == seller].itertuples():
            title = names.get(row.product, "")
            title = title if len(title) <= 70 else title[:69] + "…"
            typer.echo(f"  {row.product}  {row.share:6.1%}  {strong[seller, row.product]:8.2f}  {title}")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    example = "Example: tradebook baci BACI_HS92_V202401b.zip --to flows"
    app.command("baci", rich_help_panel=_PANEL, epilog=example)(convert)
    example = "Example: tradebook pair CHN RUS --data flows --engine spark://localhost:7077"
    app.command("pair", rich_help_panel=_PANEL, epilog=example)(pair)
