"""The same questions on a real Spark cluster: a master and two workers on this machine, equal to DuckDB's answers."""

from __future__ import annotations

import os

import pandas as pd
import pytest

from benchmarks import cluster
from tests.test_flows import CASES, NEAR
from tradebook import bilateral, engine

# Py4J leaves closing its sockets to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # processes that live for a minute need no optimised code
SMALL = (
    "--driver-memory 512m --executor-memory 512m --conf spark.sql.shuffle.partitions=2 "
    f"--conf 'spark.executor.extraJavaOptions={QUICK}' --driver-java-options '{QUICK}' pyspark-shell"
)


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    """A running cluster; without Java or pyspark its tests are skipped, but never where CI is set."""
    lacks = cluster.missing()
    if lacks:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(lacks)
    with cluster.start(tmp_path_factory.mktemp("spark"), workers=2, cores=1, memory="512m") as found:
        session = None
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(engine.VARIABLE, found)
                patch.setenv("SPARK_LOCAL_IP", cluster.LOOPBACK)
                patch.setenv("PYSPARK_SUBMIT_ARGS", SMALL)
                session = engine.connect()._session
                yield found
        finally:
            if session is not None:
                session.stop()
            engine._connect.cache_clear()


def test_the_cluster_has_two_workers(address):
    backend = engine.connect(address)
    assert backend.name == "pyspark"
    context = backend._session.sparkContext
    assert context.master == address and not context.master.startswith("local")
    engine.answer(CASES["totals"](address))
    executors = context._jsc.sc().statusTracker().getExecutorInfos()
    assert len(executors) == 3  # one on each worker, and the driver


def test_the_environment_variable_chooses_it(address):
    assert engine.table("bilateral-trade").get_backend().name == "pyspark"
    assert engine.table("bilateral-trade", "duckdb").get_backend().name == "duckdb"


@pytest.mark.parametrize("name", CASES)
def test_answers_are_equal(address, name):
    spark, duckdb = (engine.answer(CASES[name](e)) for e in (address, "duckdb"))
    assert len(duckdb) and spark.dtypes.to_dict().keys() == duckdb.dtypes.to_dict().keys()
    pd.testing.assert_frame_equal(spark, duckdb, check_dtype=False, **NEAR)


def test_chapter_2_asks_the_cluster(address, monkeypatch):
    def asked() -> list[pd.DataFrame]:
        return [bilateral.totals("DEU", "KAZ"), bilateral.advantage(["CHN"]), bilateral.intensity("CHN", "RUS")]

    by_spark = asked()
    monkeypatch.setenv(engine.VARIABLE, "duckdb")
    for one, other in zip(by_spark, asked(), strict=True):
        assert len(one)
        pd.testing.assert_frame_equal(one, other, check_dtype=False, **NEAR)


def test_a_question_that_fails_is_one_sentence(address, tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"a": range(1000)}).to_parquet(path)
    table = engine.parquet(path, address)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(engine.EngineError, match="could not compute"):
        engine.answer(table)
