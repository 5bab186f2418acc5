"""Which engine computes, and one clear sentence when it cannot."""

from __future__ import annotations

import shutil
import socket
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pytest

from benchmarks import cluster
from tradebook import data, engine
from tradebook.bigdata import BigDataError
from tradebook.engine import EngineError


@pytest.fixture(autouse=True)
def no_engine_set(monkeypatch):
    """A personal setting must not decide what is tested."""
    monkeypatch.delenv(engine.VARIABLE, raising=False)


def test_duckdb_is_the_default_and_the_argument_wins(monkeypatch):
    assert engine.chosen() == "duckdb"
    monkeypatch.setenv(engine.VARIABLE, "spark://cluster.example.org:7077")
    assert engine.chosen() == "spark://cluster.example.org:7077"
    assert engine.chosen("duckdb") == "duckdb"


@pytest.mark.parametrize("name", ["sparc://h:1", "spark://", "spark://host", "spark://host:x", "pandas", "local[2]"])
def test_an_unknown_engine_is_refused(name):
    with pytest.raises(EngineError, match="There is no engine"):
        engine.connect(name)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    engine._connect.cache_clear()
    with pytest.raises(EngineError, match="ibis-framework is not installed: run `make setup`"):
        engine.connect()
    monkeypatch.setattr(engine, "find_spec", lambda name: None if name == "pyspark" else True)
    # Without isolation: else pip fetches what builds pyspark, and nothing pins that.
    how = r"pip install --no-build-isolation -r requirements-spark\.txt"
    with pytest.raises(EngineError, match=f"pyspark is not installed: run `{how}`"):
        engine.connect("spark://localhost:7077")
    assert not any(map(engine.find_spec, ["pyspark"]))
    engine._connect.cache_clear()


def test_the_benchmark_gives_the_same_advice(monkeypatch):
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    assert "`pip install --no-build-isolation -r requirements-spark.txt`" in cluster.missing()


def test_a_cluster_that_does_not_answer_is_reported(monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda name: True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(EngineError, match=f"No Spark master answers at spark://127.0.0.1:{port} .*unset"):
        engine.connect(f"spark://127.0.0.1:{port}")
    with pytest.raises(EngineError, match="No Spark master answers"):
        engine.connect("spark://127.0.0.1:99999")


def test_a_table_is_the_one_of_the_data_package(tmp_path, monkeypatch):
    with data.watch() as read:
        table = engine.table("bilateral-trade")
    assert read == {"bilateral-trade"}
    assert engine.answer(table.count().as_table()).iloc[0, 0] == len(data.load("bilateral-trade"))
    with pytest.raises(BigDataError, match="no table “no-such-table”"):
        engine.table("no-such-table")
    with pytest.raises(EngineError, match=r"Table “brent” is small: use tradebook\.data\.load"):
        engine.table("brent")
    for name in ("datapackage.json", "sitc-sections-matrix.parquet"):
        shutil.copy(data.data_folder() / name, tmp_path / name)
    with (tmp_path / "sitc-sections-matrix.parquet").open("ab") as file:
        file.write(b"0")
    monkeypatch.setenv("TRADEBOOK_DATA", str(tmp_path))
    with pytest.raises(BigDataError, match="altered"):
        engine.table("sitc-sections-matrix")


def test_availability(monkeypatch):
    assert engine.available() and engine.available("bilateral-trade")
    assert not engine.available("brent") and not engine.available("no-such-table")
    monkeypatch.setattr(engine, "find_spec", lambda name: None if name == "duckdb" else True)
    assert not engine.available() and not engine.available("bilateral-trade")


def test_a_folder_of_parquet_files_is_one_table(tmp_path):
    for year in (2019, 2020):
        (tmp_path / f"year={year}").mkdir()
        pd.DataFrame({"exporter": ["A"], "value_usd": [float(year)]}).to_parquet(
            tmp_path / f"year={year}" / "part-0.parquet"
        )
    rows = engine.answer(engine.parquet(tmp_path))
    assert rows.sort_values("year")["value_usd"].tolist() == [2019, 2020]
    assert rows["year"].tolist() == [2019, 2020]
    with pytest.raises(EngineError, match="no Parquet file"):
        engine.parquet(tmp_path / "elsewhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match="no Parquet file"):
        engine.parquet(tmp_path / "empty")


def test_a_path_is_no_pattern(tmp_path):
    for name, value in (("flows [1]*", 1.0), ("flows 1", 2.0)):
        place = tmp_path / name / "year=2019"
        place.mkdir(parents=True)
        pd.DataFrame({"value_usd": [value]}).to_parquet(place / "part-0.parquet")
    for files in (tmp_path / "flows [1]*", tmp_path / "flows [1]*" / "year=2019" / "part-0.parquet"):
        assert engine.answer(engine.parquet(files))["value_usd"].tolist() == [1]


def test_a_path_is_no_pattern_for_spark_either(tmp_path, monkeypatch):
    place = tmp_path / "flows [1]{a,b}*?"
    place.mkdir()
    (place / "part-0.parquet").write_bytes(b"")
    asked = []
    monkeypatch.setattr(engine, "connect", lambda name: SimpleNamespace(name="pyspark", read_parquet=asked.append))
    engine.parquet(place, "spark://localhost:7077")
    assert asked == [f"{tmp_path.as_posix()}/" + r"flows \[1\]\{a,b\}\*\?"]


def test_a_file_that_is_not_parquet_is_one_sentence(tmp_path):
    (tmp_path / "x.parquet").write_text("<html>")
    for files in (tmp_path, tmp_path / "x.parquet"):
        with pytest.raises(EngineError, match=r"The engine cannot read .*check the data files"):
            engine.parquet(files)


def test_a_damaged_file_is_one_sentence(tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"a": range(1000)}).to_parquet(path)
    table = engine.parquet(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(EngineError, match="could not compute"):
        engine.answer(table)


def test_answers_are_sorted_and_of_plain_types():
    ibis = pytest.importorskip("ibis")
    rows = ibis.memtable(pa.table({"b": ["y", "x"], "v": [1.5, 2.5]}))
    got = engine.answer(rows)
    assert got["b"].tolist() == ["x", "y"]
    assert got["v"].dtype == "float64"
    assert engine.answer(rows, ["v"])["b"].tolist() == ["y", "x"]
