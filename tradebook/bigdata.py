"""Questions to tables that are too large to look at: SQL over the data package with DuckDB.

DuckDB reads only the columns and row groups that a question needs, straight from the Parquet file; pandas would have
to load the whole table first. The file is the one that the data package describes (checksum), as with `data.load`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from tradebook.data import data_folder, note_read, resource
from tradebook.errors import TradebookError
from tradebook.inputoutput import world_table
from tradebook.stored import stored

__all__ = ["BigDataError", "checked_file", "query", "size", "value_added"]


class BigDataError(TradebookError):
    """A question names a table that is not there, or asks for what it does not hold."""


@stored("duckdb")
def query(sql: str, *names: str) -> pd.DataFrame:
    """Answer an SQL question about tables of the data package.

    Parameters
    ----------
    sql : str
        A question in DuckDB's SQL; a table has its own name with underscores: ``bilateral_trade``.
    *names : str
        Tables that it uses, for instance ``"bilateral-trade"``.

    Returns
    -------
    DataFrame

    Raises
    ------
    BigDataError
        If a table is unknown or damaged, or the question cannot be answered.
    """
    import duckdb

    note_read(*names)
    # One thread: sums of decimals then come in the same order, and to the same last digit, on every computer.
    connection = duckdb.connect(config={"threads": 1})
    try:
        for name in names:
            path = str(checked_file(data_folder(), name)).replace("'", "''")
            reader = "read_parquet" if path.endswith(".parquet") else "read_csv"
            connection.execute(f"CREATE VIEW {name.replace('-', '_')} AS SELECT * FROM {reader}('{path}')")
        return connection.execute(sql).df()
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise BigDataError(f"The question cannot be answered: {reason}; correct the SQL or name its tables.") from None
    finally:
        connection.close()


@cache
def checked_file(folder: Path, name: str) -> Path:
    """The file of a table, once it is known to be the one that the data package describes.

    Raises
    ------
    BigDataError
        If the table is unknown, missing or altered.
    """
    about = resource(name)
    if about is None:
        raise BigDataError(f"There is no table “{name}” in the data package; see tradebook.data.tables().")
    path = folder / about["path"]
    if not path.exists() or "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest() != about["hash"]:
        raise BigDataError(f"Table “{name}” is missing or altered; restore it from the repository.")
    return path


def size(names: Sequence[str]) -> pd.DataFrame:
    """How large tables are: rows, columns, cells, bytes on disk, and bytes a cell.

    Returns
    -------
    DataFrame
        Index: table; columns `rows`, `columns`, `cells`, `megabytes`, `bytes a cell`.
    """
    note_read(*names)
    rows = {}
    for name in names:
        if (about := resource(name)) is None:
            raise BigDataError(f"There is no table “{name}” in the data package; see tradebook.data.tables().")
        columns = len(about["schema"]["fields"])
        cells = about["rows"] * columns
        rows[name] = (about["rows"], columns, cells, about["bytes"] / 1e6, about["bytes"] / cells)
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=["rows", "columns", "cells", "megabytes", "bytes a cell"]
    )


@stored("duckdb")
@lru_cache(maxsize=4)
def value_added(year: int) -> pd.DataFrame:
    """Gross deliveries and value added between all economies of the world input–output table of a year.

    Value added of economy r that the final demand F_s of economy s absorbs is v_r (I - A)^-1 F_s, summed over the
    industries of r, wherever the goods travelled in between (Johnson and Noguera 2012,
    doi:10.1016/j.jinteco.2011.10.003); A and v as in `tradebook.inputoutput`.

    Parameters
    ----------
    year : int
        1995–2011.

    Returns
    -------
    DataFrame
        exporter, importer (the economy that buys or absorbs), gross_musd (deliveries of goods and services),
        value_added_musd; all pairs, deliveries at home included.

    Raises
    ------
    BigDataError
        If there is no table of the year.
    """
    flows = query(f"SELECT exporter, industry, importer, use, value_musd FROM wiod WHERE year = {int(year)}", "wiod")
    if flows.empty:
        raise BigDataError(f"There is no world input–output table of {year}; choose a year from 1995 to 2011.")
    codes = query("SELECT code FROM wiod_codes WHERE kind = 'industry'", "wiod-codes")["code"]
    table = world_table(flows, industries=list(codes))
    economies = list(table.economies)
    mine = np.zeros((len(economies), len(table.output)))
    for row, economy in enumerate(economies):
        mine[row, table.block(economy)] = table.value_added[table.block(economy)]
    absorbed = pd.DataFrame(table.multipliers(mine) @ table.final, index=economies, columns=economies)
    absorbed = absorbed.rename_axis("exporter").reset_index()
    absorbed = absorbed.melt("exporter", var_name="importer", value_name="value_added_musd")
    gross = flows.groupby(["exporter", "importer"], as_index=False, observed=True)["value_musd"].sum()
    frame = gross.rename(columns={"value_musd": "gross_musd"}).merge(absorbed, how="right").fillna({"gross_musd": 0})
    return frame[["exporter", "importer", "gross_musd", "value_added_musd"]].astype({"gross_musd": float})
