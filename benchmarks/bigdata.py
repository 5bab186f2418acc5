"""Time the questions of chapter 1: the same answer from pandas and from DuckDB, on ever larger tables.

    python benchmarks/bigdata.py

Times differ between computers and runs; they are printed here and nowhere in the book.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pandas as pd

from tradebook import bigdata
from tradebook.data import data_folder

QUESTIONS = [
    (
        "wdi", "exports of China by year", "SELECT year, sum(value) v FROM wdi WHERE iso3 = 'CHN' AND "
        "indicator = 'TX.VAL.MRCH.CD.WT' GROUP BY year",
        lambda t: t[(t["iso3"] == "CHN") & (t["indicator"] == "TX.VAL.MRCH.CD.WT")].groupby("year")["value"].sum(),
    ),
    (
        "bilateral-trade", "buyers from China in 2020", "SELECT importer, sum(importer_reported_cif_musd) v FROM "
        "bilateral_trade WHERE year = 2020 AND exporter = 'CHN' GROUP BY importer",
        lambda t: t[(t["year"] == 2020) & (t["exporter"] == "CHN")]
        .groupby("importer")["importer_reported_cif_musd"].sum(),
    ),
    (
        "wiod", "deliveries from China by use and year", "SELECT year, use, sum(value_musd) v FROM wiod WHERE "
        "exporter = 'CHN' GROUP BY year, use",
        lambda t: t[t["exporter"] == "CHN"].groupby(["year", "use"], observed=True)["value_musd"].sum(),
    ),
]  # fmt: skip


def seconds(work: Callable, repeat: int = 3) -> tuple[float, object]:
    """Shortest of some runs, and the result."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return min(times), result


def main() -> None:
    print(f"{'table':16s} {'question':40s} {'rows':>10s} {'pandas s':>9s} {'DuckDB s':>9s}")
    for name, question, sql, ask in QUESTIONS:
        path = data_folder() / f"{name}.parquet"
        slow, by_pandas = seconds(lambda path=path, ask=ask: ask(pd.read_parquet(path)))
        fast, by_duckdb = seconds(lambda sql=sql, name=name: bigdata.query(sql, name))
        if abs(by_pandas.sum() - by_duckdb["v"].sum()) > 1e-6 * abs(by_pandas.sum()):
            sys.exit(f"pandas and DuckDB disagree on “{question}”: the benchmark is void.")
        print(f"{name:16s} {question:40s} {bigdata.size([name])['rows'].iloc[0]:>10,d} {slow:>9.3f} {fast:>9.3f}")
    taken, _ = seconds(lambda: bigdata.value_added.__wrapped__(2011), 1)
    print(f"{'wiod':16s} {'value added of all by all, 2011':40s} {'':>10s} {'':>9s} {taken:>9.3f}")


if __name__ == "__main__":
    main()
