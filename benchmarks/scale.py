"""Time and memory of the questions of chapters 1 and 2 as the table of flows grows.

    python -m benchmarks.scale FOLDER                       # 1 and 10 million rows; pandas, DuckDB, Spark
    python -m benchmarks.scale FOLDER --rows 1 10 100 300 --engines duckdb --write out.csv

Makes the flows (`benchmarks/productflows.py`) below FOLDER if they are not there yet, and puts five questions to them:

- *totals*: value of each pair of economies by year, as either side reports it;
- *mirror*: the two reports of each pair and year joined, and the median ratio of each year;
- *advantage*: revealed comparative advantage of every economy in every product and year, and in how many it is above 1;
- *concentration*: Herfindahl–Hirschman index over products of every economy and year;
- *top products*: the five largest products of every economy and year.

Each engine answers with the same functions (`tradebook.flows`), in a process of its own, whose memory and CPU time
(starting included) are those of the whole process tree (for Spark also master, workers and executors), sampled five
times a second. pandas does the same in memory, with `tradebook.indices`; a process that needs more than --memory is
stopped, and the table says so. Answers of engines are compared by their checksums. The last lines give the exponent b
of time ~ rows^b (1 = linear). On a busy machine only CPU time and memory mean something: the first line says how busy
it is.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import psutil

from benchmarks import cluster, productflows
from tradebook import engine, flows, indices

MILLION = 1_000_000
QUESTIONS = ["totals", "mirror", "advantage", "concentration", "top products"]


# --- the questions --------------------------------------------------------------------------------------------------


def by_engine(table) -> dict[str, Callable[[], pd.DataFrame]]:
    """The five questions as Ibis expressions; each gives a small frame when it is called."""
    sold = table.filter(table["reporter"] == "exporter")
    products = flows.totals(sold, ["year", "exporter", "product"])
    advantage = flows.revealed_comparative_advantage(sold)
    mirrored = flows.mirror(table)
    questions = {
        "totals": flows.totals(table, ["year", "exporter", "importer", "reporter"]),
        "mirror": mirrored.group_by("year").agg(median=mirrored["cif_fob_ratio"].median(), n=mirrored.count()),
        "advantage": advantage.filter(advantage["rca"] > 1).group_by(["year", "exporter"]).agg(n=lambda t: t.count()),
        "concentration": flows.herfindahl_hirschman(products, by=["year", "exporter"]),
        "top products": flows.top_products(products, 5, by=["year", "exporter"]),
    }
    return {name: (lambda question=question: engine.answer(question)) for name, question in questions.items()}


def by_pandas(files: Path) -> dict[str, Callable[[], pd.DataFrame]]:
    """The same five in memory; the first call reads the table, whole."""
    columns = ["year", "exporter", "importer", "product", "reporter", "value_usd"]
    kept: dict[str, pd.DataFrame] = {}

    def table() -> pd.DataFrame:
        if not kept:
            kept["table"] = pd.read_parquet(files, columns=columns)
        return kept["table"]

    def products() -> pd.DataFrame:
        frame = table()
        return indices.aggregate(frame[frame["reporter"] == "exporter"], ["year", "exporter", "product"])

    def totals() -> pd.DataFrame:
        groups = table().groupby(["year", "exporter", "importer", "reporter"], observed=True)
        return groups["value_usd"].sum().reset_index()

    def mirror() -> pd.DataFrame:
        wide = totals().pivot(index=["year", "exporter", "importer"], columns="reporter", values="value_usd").dropna()
        wide = wide.set_axis(["exports", "imports"], axis=1).reset_index()
        ratio = indices.mirror_asymmetry(wide).groupby("year", observed=True)["cif_fob_ratio"]
        return pd.DataFrame({"median": ratio.median(), "n": ratio.size()}).reset_index()

    def advantage() -> pd.DataFrame:
        rca = indices.revealed_comparative_advantage(products())
        above = rca[rca["rca"] > 1].groupby(["year", "exporter"], observed=True).size()
        return above.rename("n").reset_index()

    def concentration() -> pd.DataFrame:
        found = indices.herfindahl_hirschman(products(), by=["year", "exporter"])
        return found[["year", "exporter", "n_products", "hhi"]]

    def top() -> pd.DataFrame:
        own = products().sort_values(["year", "exporter", "value_usd", "product"], ascending=[True, True, False, True])
        groups = own.groupby(["year", "exporter"], observed=True)
        own["share"] = own["value_usd"] / groups["value_usd"].transform("sum")
        own["rank"] = groups.cumcount() + 1
        return own[own["rank"] <= 5]

    return dict(zip(QUESTIONS, (totals, mirror, advantage, concentration, top), strict=True))


def digest(frame: pd.DataFrame) -> list[float]:
    """Rows and column sums of an answer: what engines must agree on."""
    numbers = frame.select_dtypes("number").drop(columns="year", errors="ignore")
    return [len(frame), *(math.fsum(numbers[column].dropna()) for column in sorted(numbers))]


# --- one engine in a process of its own -----------------------------------------------------------------------------


def run_one(name: str, files: Path, threads: int, memory: str) -> None:
    """Answer all questions and print, as JSON lines, seconds and checksum of each."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a cluster is stopped, too
    with tempfile.TemporaryDirectory() as scratch:
        heap = memory.lower().removesuffix("b")
        spark = cluster.start(Path(scratch), workers=2, cores=max(threads // 2, 1), memory=heap)
        with spark if name == "spark" else nullcontext(name) as address:
            if name == "pandas":
                questions = by_pandas(files)
            else:
                if name == "spark":
                    os.environ["SPARK_LOCAL_IP"] = cluster.LOOPBACK
                    os.environ["PYSPARK_SUBMIT_ARGS"] = (
                        f"--driver-memory 1g --executor-memory {heap} --conf spark.local.dir={scratch} "
                        f"--conf spark.sql.shuffle.partitions={4 * threads} pyspark-shell"
                    )
                    opened = engine.parquet(files, address)
                else:
                    opened = engine.parquet(files, threads=threads, memory=memory)
                questions = by_engine(opened)
            for question, ask in questions.items():
                start = time.perf_counter()
                answer = ask()
                seconds = time.perf_counter() - start
                print(json.dumps({"question": question, "seconds": seconds, "digest": digest(answer)}), flush=True)


def measure(name: str, files: Path, threads: int, memory: str, limit: float) -> tuple[list[dict], float, float, str]:
    """Run an engine apart; gives its lines, peak memory and CPU time of its process tree, and why it stopped, if so."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.scale", str(files), "--one", name]
    command += ["--threads", str(threads), "--duckdb-memory", memory]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as trouble:
        process = psutil.Popen(command, stdout=out, stderr=trouble, cwd=Path(__file__).resolve().parents[1])
        peak, busy, stopped = 0.0, 0.0, ""
        while process.poll() is None:
            used, seconds = _usage(process)
            peak, busy = max(peak, used), max(busy, seconds)
            if peak > limit:
                stopped = f"stopped: more than {limit / 1e9:.0f} GB"
                _stop(process)
            time.sleep(0.2)  # looking costs time as well
        out.seek(0), trouble.seek(0)
        lines = [json.loads(line) for line in out if line.startswith("{")]
        if process.returncode and not stopped:
            stopped = "failed: " + (trouble.read().strip().splitlines() or ["without a word"])[-1]
    return lines, peak, busy, stopped


def _usage(process: psutil.Process) -> tuple[float, float]:
    """Memory (bytes) and CPU time (seconds) of a process and all below it."""
    memory = seconds = 0.0
    try:
        tree = [process, *process.children(recursive=True)]
    except psutil.Error:
        return memory, seconds
    for one in tree:
        try:
            # Shared pages count once, where the system says which are (Linux).
            memory += getattr(one.memory_full_info(), "pss", 0) or one.memory_info().rss
            spent = one.cpu_times()
            seconds += spent.user + spent.system
        except psutil.Error:
            continue
    return memory, seconds


def _stop(process: psutil.Process) -> None:
    for one in [*process.children(recursive=True), process]:
        try:
            one.kill()
        except psutil.Error:
            continue
    process.wait()


# --- all of them ----------------------------------------------------------------------------------------------------


def exponent(rows: list[float], seconds: list[float]) -> float:
    """Slope of log time on log rows by least squares; NaN for fewer than two sizes."""
    if len(rows) < 2:
        return math.nan
    x, y = [math.log(v) for v in rows], [math.log(v) for v in seconds]
    middle_x, middle_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y, strict=True)) / sum((a - middle_x) ** 2 for a in x)


def agree(one: list[float], other: list[float]) -> bool:
    """Whether two checksums are of the same answer."""
    return len(one) == len(other) and all(math.isclose(a, b, rel_tol=1e-9) for a, b in zip(one, other, strict=True))


def main(arguments: list[str] | None = None) -> int:
    """Command line: generate, measure, print, and write a table if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the flows are kept")
    parser.add_argument("--rows", type=float, nargs="+", default=[1, 10], help="millions of rows")
    parser.add_argument("--engines", nargs="+", default=["pandas", "duckdb", "spark"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--duckdb-memory", default="3GB", help="what DuckDB, or a Spark executor, may use")
    parser.add_argument("--memory", type=float, default=8, help="GB at which a process is stopped")
    parser.add_argument("--write", type=Path, help="a CSV file for the results")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        run_one(options.one, options.folder, options.threads, options.duckdb_memory)
        return 0
    load = ", ".join(f"{value:.1f}" for value in psutil.getloadavg())
    print(f"{psutil.cpu_count()} cores, load {load}; {psutil.virtual_memory().total / 1e9:.0f} GB of memory")
    titles = " ".join(f"{title:>13s}" for title in QUESTIONS)
    print(f"{'engine':8s} {'rows':>12s} {titles} {'all, s':>8s} {'CPU s':>8s} {'peak GB':>8s}")
    results, right = [], True
    for millions in options.rows:
        rows = int(millions * MILLION)
        files = options.folder / f"{rows}"
        _generate(files, rows)
        expected: dict[str, list[float]] = {}
        for name in options.engines:
            lacks = cluster.missing() if name == "spark" else None
            lines, peak, busy, stopped = ([], 0.0, 0.0, lacks) if lacks else measure(
                name, files, options.threads, options.duckdb_memory, options.memory * 1e9
            )  # fmt: skip
            taken = {line["question"]: line["seconds"] for line in lines}
            for line in lines:
                if not agree(expected.setdefault(line["question"], line["digest"]), line["digest"]):
                    stopped, right = f"differs from the first engine on “{line['question']}”", False
            cells = " ".join(f"{taken.get(q, math.nan):13.2f}" for q in QUESTIONS)
            sums = f"{sum(taken.values()):8.2f} {busy:8.2f} {peak / 1e9:8.2f}"
            print(f"{name:8s} {rows:12,d} {cells} {sums}  {stopped}", flush=True)
            results += [(name, rows, q, taken.get(q), busy, peak / 1e9, stopped) for q in QUESTIONS]
    frame = pd.DataFrame(results, columns=["engine", "rows", "question", "seconds", "cpu_seconds", "peak_gb", "note"])
    print("growth of time and of CPU time with rows (exponents; 1 = linear):")
    for name, part in frame.dropna(subset="seconds").groupby("engine", sort=False):
        whole = part.groupby("rows").agg(wall=("seconds", "sum"), cpu=("cpu_seconds", "first"), n=("seconds", "size"))
        whole = whole[whole["n"] == len(QUESTIONS)]
        fits = [exponent(list(whole.index), list(whole[what])) for what in ("wall", "cpu")]
        print(f"{name:8s} {fits[0]:.2f} {fits[1]:.2f}  (from {len(whole)} sizes)")
    if options.write:
        frame.to_csv(options.write, index=False, float_format="%.3f", lineterminator="\n")
    return 0 if right else 1


def _generate(files: Path, rows: int) -> None:
    done = files / "_complete"
    if done.exists():
        return
    start = time.perf_counter()
    for _ in productflows.write(files, rows):
        pass
    size = sum(path.stat().st_size for path in files.rglob("*.parquet"))
    peak = psutil.Process().memory_info().rss / 1e9
    done.touch()
    print(f"made {rows:,d} rows in {time.perf_counter() - start:.0f} s, {size / 1e9:.2f} GB ({peak:.1f} GB of memory)")


if __name__ == "__main__":
    sys.exit(main())
