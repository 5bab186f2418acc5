"""Where questions to large tables are computed: DuckDB in this process, or a Spark cluster.

A question is an Ibis expression (see `tradebook.flows`), the same for both. DuckDB is part of the book's environment
and is the default. Somebody who has a Spark cluster sets ``TRADEBOOK_ENGINE=spark://host:7077`` or passes that
address; the machines of the cluster must see the data files under the same path.
"""

from __future__ import annotations

import glob
import os
import re
import socket
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tradebook.data import data_folder, note_read, package, resource
from tradebook.errors import TradebookError

if TYPE_CHECKING:
    import ibis

__all__ = ["DEFAULT", "VARIABLE", "EngineError", "answer", "available", "chosen", "connect", "parquet", "table"]

DEFAULT = "duckdb"
VARIABLE = "TRADEBOOK_ENGINE"
_PACKAGES = {"ibis": "ibis-framework", "duckdb": "duckdb", "pyarrow_hotfix": "pyarrow-hotfix"}
_PATTERN = re.compile(r"[\\*?\[\]{}]")  # signs that mean something in Spark's patterns
_SPARK = re.compile(r"spark://(\[[0-9a-fA-F:]+\]|[\w.\-]+):(\d{1,5})")


class EngineError(TradebookError):
    """The engine asked for is unknown, not installed, or does not answer."""


def chosen(engine: str | None = None) -> str:
    """Name of the engine: the argument, else ``$TRADEBOOK_ENGINE``, else DuckDB.

    Raises
    ------
    EngineError
        If it is neither ``duckdb`` nor the address of a Spark master.
    """
    wanted = (engine or os.environ.get(VARIABLE) or DEFAULT).strip()
    if wanted != DEFAULT and not _SPARK.fullmatch(wanted):
        raise EngineError(
            f"There is no engine “{wanted}”; set {VARIABLE} to duckdb, or to the address of a Spark master such as "
            "spark://localhost:7077."
        )
    return wanted


def available(name: str | None = None) -> bool:
    """Whether this Python can compute Ibis expressions (in a browser it cannot), and reads this table."""
    if any(find_spec(module) is None for module in _PACKAGES):
        return False
    return name is None or ((found := resource(name)) is not None and found["format"] == "parquet")


def connect(engine: str | None = None, *, threads: int = 1, memory: str | None = None) -> ibis.BaseBackend:
    """Open an engine, once for each set of arguments.

    Parameters
    ----------
    engine : str, optional
        As in `chosen`.
    threads : int
        DuckDB's threads. With one, sums of decimals come in the same order, and to the same last digit, on every
        computer; more are faster.
    memory : str, optional
        DuckDB's memory, for instance ``"3GB"``; what does not fit goes to disk. By default most of the machine's.

    Raises
    ------
    EngineError
        If the engine is unknown, its package is missing, or the cluster does not answer.
    """
    return _connect(chosen(engine), threads, memory)


@cache
def _connect(engine: str, threads: int, memory: str | None) -> ibis.BaseBackend:
    for module, name in _PACKAGES.items():
        _need(module, name, "make setup")
    import ibis
    import pyarrow_hotfix  # noqa: F401 (Ibis imports it with DuckDB; named here so that forks bring it)

    if engine == DEFAULT:
        settings = {"memory_limit": memory} if memory else {}
        # What does not fit goes there, not into the reader's folder; nothing is written before that.
        settings["temp_directory"] = str(Path(tempfile.gettempdir(), f"tradebook-{os.getpid()}"))
        # The order of rows without ORDER BY means nothing here, and keeping it costs memory.
        with _quiet():
            return ibis.duckdb.connect(threads=threads, preserve_insertion_order=False, **settings)
    _need("pyspark", "pyspark", "pip install --no-build-isolation -r requirements-spark.txt")
    return _spark(engine)


def _need(module: str, name: str, how: str) -> None:
    if find_spec(module) is None:
        raise EngineError(f"The package {name} is not installed: run `{how}`, or choose another engine ({VARIABLE}).")


def _spark(address: str) -> ibis.BaseBackend:
    host, port = _SPARK.fullmatch(address).groups()
    # Spark itself keeps trying for minutes before it says that nobody is there.
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise EngineError(
            f"No Spark master answers at {address} ({error}): start the cluster, or unset {VARIABLE} to use DuckDB."
        ) from None
    import ibis
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(address).appName("tradebook")
    builder = builder.config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    # Rows come back as Arrow columns: pickled one by one they take ten times as long.
    builder = builder.config("spark.sql.execution.arrow.pyspark.enabled", "true")
    if host in {"localhost", "127.0.0.1"}:
        # The executors of a cluster on this machine reach the driver here, whatever the machine's name resolves to.
        builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    try:
        with _quiet():
            session = builder.getOrCreate()
            session.sparkContext.setLogLevel("OFF")
            return ibis.pyspark.connect(session)
    except (PySparkException, Py4JError, RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".:")
        raise EngineError(
            f"Spark cannot be used ({reason}): it needs Java 17 or 21 here, and workers that can start executors there."
        ) from None


def parquet(files: Path | str, engine: str | None = None, **options: Any) -> ibis.Table:
    """A Parquet file, or a folder of them (``year=2017/part-0.parquet``), as an Ibis table.

    Parameters
    ----------
    files : Path or str
        A file or a folder.
    engine, **options
        As in `connect`.

    Raises
    ------
    EngineError
        If there is no Parquet file, or the engine cannot be opened or cannot read it.
    """
    path = Path(files).resolve()
    if not (path.is_file() or (path.is_dir() and next(path.rglob("*.parquet"), None))):
        raise EngineError(f"There is no Parquet file at {files}: give a file, or a folder made by `tradebook baci`.")
    backend = connect(engine, **options)
    try:
        with _quiet():
            # Both engines take a path for a pattern: brackets in it could name another folder.
            if backend.name != "duckdb":
                return backend.read_parquet(_PATTERN.sub(r"\\\g<0>", path.as_posix()))
            name = glob.escape(path.as_posix())
            if path.is_dir():
                return backend.read_parquet(f"{name}/**/*.parquet", hive_partitioning=True)
            return backend.read_parquet(name)
    except Exception as error:  # as in `answer`
        raise EngineError(f"The engine cannot read {files} ({_reason(error)}): check the data files.") from error


def table(name: str, engine: str | None = None) -> ibis.Table:
    """A table of the data package, as an Ibis table; its file is checked against the package first.

    Raises
    ------
    BigDataError
        If the table is unknown, missing or altered.
    EngineError
        If it is not a Parquet file, or the engine cannot be opened.
    """
    from tradebook.bigdata import checked_file

    path = checked_file(data_folder(), name)
    if path.suffix != ".parquet":
        large = ", ".join(r["name"] for r in package()["resources"] if r["format"] == "parquet")
        raise EngineError(f"Table “{name}” is small: use tradebook.data.load. Engines read {large}.")
    note_read(name)
    return parquet(path, engine)


def answer(question: ibis.Table, sort_by: list[str] | None = None) -> pd.DataFrame:
    """Compute an expression and fetch its rows; sorted, because engines promise no order.

    Parameters
    ----------
    question : ibis.Table
    sort_by : list of str, optional
        By default all columns that hold no measurements (no floating-point numbers).

    Raises
    ------
    EngineError
        If the engine fails on it.
    """
    with _quiet():
        try:
            frame = question.to_pandas()
        except Exception as error:  # DuckDB's, Spark's and Py4J's errors have no common ancestor
            raise EngineError(
                f"The engine could not compute the answer ({_reason(error)}): check the data files, and the log of a "
                "cluster."
            ) from error
    keys = sort_by or [c for c in frame if not pd.api.types.is_float_dtype(frame[c])]
    return frame.sort_values(keys, ignore_index=True) if keys else frame


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide what Ibis says to its own makers about newer versions of DuckDB and pandas."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
