"""Questions in SQL over the data package, and value added between economies."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from tradebook import bigdata, data
from tradebook.bigdata import BigDataError
from tradebook.inputoutput import leontief_inverse, world_table


def test_sql_and_pandas_agree():
    answer = bigdata.query("SELECT sum(price_usd_per_barrel) AS p FROM brent GROUP BY year ORDER BY year", "brent")
    frame = data.load("brent")
    assert answer["p"].tolist() == pytest.approx(frame["price_usd_per_barrel"].tolist())
    totals = bigdata.query(
        "SELECT sum(importer_reported_cif_musd) AS m FROM bilateral_trade WHERE year = 1960 AND exporter = 'JPN'",
        "bilateral-trade",
    )
    flows = data.load("bilateral-trade").query("year == 1960 and exporter == 'JPN'")
    assert totals["m"][0] == pytest.approx(flows["importer_reported_cif_musd"].sum())


def test_two_tables_can_be_joined():
    sql = "SELECT count(*) AS n FROM bilateral_trade t JOIN economies e ON t.exporter = e.iso3 WHERE year = 2020"
    joined = bigdata.query(sql, "bilateral-trade", "economies")
    assert joined["n"][0] == len(data.load("bilateral-trade").query("year == 2020"))


@pytest.mark.parametrize(
    ("sql", "names", "says"),
    [
        ("SELECT * FROM nothing", ("brent",), "cannot be answered"),
        ("SELECT price FROM brent", ("brent",), "cannot be answered"),
        ("SELECT 1", ("no-such-table",), "no table “no-such-table”"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(sql, names, says):
    with pytest.raises(BigDataError, match=says):
        bigdata.query(sql, *names)


def test_an_altered_file_is_refused(tmp_path, monkeypatch):
    for name in ("datapackage.json", "brent.csv"):
        shutil.copy(data.data_folder() / name, tmp_path / name)
    monkeypatch.setenv("TRADEBOOK_DATA", str(tmp_path))
    assert len(bigdata.query("SELECT * FROM brent", "brent"))
    with (tmp_path / "brent.csv").open("a") as file:
        file.write("2026,1\n")
    bigdata.checked_file.cache_clear()
    with pytest.raises(BigDataError, match="altered"):
        bigdata.query("SELECT * FROM brent", "brent")
    bigdata.checked_file.cache_clear()


def test_sizes_are_those_of_the_tables():
    frame = data.load("brent")
    row = bigdata.size(["brent"]).loc["brent"]
    assert (row["rows"], row["columns"], row["cells"]) == (len(frame), frame.shape[1], frame.size)
    with pytest.raises(BigDataError):
        bigdata.size(["no-such-table"])


@pytest.fixture(scope="module")
def added() -> pd.DataFrame:
    return bigdata.value_added(1995)


def test_all_value_added_is_absorbed_somewhere(added):
    flows = bigdata.query("SELECT exporter, industry, importer, use, value_musd FROM wiod WHERE year = 1995", "wiod")
    final = flows[flows["use"].isin(["c37", "c38", "c39", "c41", "c42"])]
    # What economies finally use is the sum of the value added that they absorb, from all origins.
    used = final.groupby("importer")["value_musd"].sum()
    absorbed = added.groupby("importer")["value_added_musd"].sum()
    assert absorbed.to_dict() == pytest.approx(used.astype(float).to_dict(), rel=1e-9)


def test_gross_deliveries_are_sums_of_cells(added):
    sql = "SELECT sum(value_musd) AS s FROM wiod WHERE year = 1995 AND exporter = 'CHN' AND importer = 'USA'"
    direct = bigdata.query(sql, "wiod")
    row = added.query("exporter == 'CHN' and importer == 'USA'").iloc[0]
    assert row["gross_musd"] == direct["s"][0]
    assert len(added) == 41**2


def test_value_added_equals_the_definition_for_two_economies():
    """The same formula, v_r (I - A)^-1 F_s, with the inverse formed, on a table made by hand."""
    cells = [
        ("A", "c1", "A", "c1", 10), ("A", "c1", "B", "c1", 20),
        ("A", "c1", "A", "c37", 50), ("A", "c1", "B", "c37", 20),
        ("B", "c1", "A", "c1", 30), ("B", "c1", "B", "c1", 10),
        ("B", "c1", "A", "c37", 10), ("B", "c1", "B", "c37", 50),
    ]  # fmt: skip
    flows = pd.DataFrame(cells, columns=["exporter", "industry", "importer", "use", "value_musd"])
    table = world_table(flows, industries=["c1"])
    mine = np.diag(table.value_added)
    fast = table.multipliers(mine) @ table.final
    slow = mine @ leontief_inverse(table.coefficients) @ table.final
    assert fast == pytest.approx(slow)
    assert fast.sum(axis=0) == pytest.approx([60, 70])  # final use of A and of B
    assert fast.sum(axis=1) == pytest.approx([60, 70])  # value added: output 100 less inputs 40, 100 less 30


def test_there_is_no_table_of_another_year():
    with pytest.raises(BigDataError, match="2014"):
        bigdata.value_added(2014)
