"""Made-up flows of goods in the shape of BACI, as large as wanted: ``python -m benchmarks.productflows FOLDER ROWS``.

The shape is that of the folder which `tradebook baci` writes: one row for a year, exporter, importer and product of six
digits, with a value and a quantity, in one Parquet file a year (the years are BACI's: 28, each 3 per cent larger than
the one before). Economies, products, distances and GDPs are real, from the book's tables; the flows are drawn at random
and skewed like trade:

- *Who with whom.* The weight of a pair is that of a gravity equation, GDP × GDP / distance. The number of products
  that a pair trades rises less than in proportion to the weight: most pairs trade few products, a few nearly all.
- *What.* Popularities of products are log-normal, and each economy has its strengths by chapter (also log-normal), so
  that revealed comparative advantage has something to find.
- *How much.* Values are log-normal, with a mean that rises with the weight of the pair and the popularity of the
  product. Quantities are values over a unit value of the product; 2 per cent are missing, as in BACI.
- *Said by whom.* BACI holds one reconciled value for each flow; the comparison of two records needs both. So every
  flow has up to two rows here, `reporter` = exporter or importer: each side reports the true value with an error of its
  own (log-normal, standard deviation 0.25), the importer with 3 to 9 per cent of freight and insurance on top, more
  over a longer distance; 4 per cent of economies are silent in a year, and 5 per cent of single reports are missing.

These are not data. Nothing in the book rests on them: they measure time and memory (`benchmarks/scale.py`).
The same seed and number of rows give the same rows. A year is made at a time, so memory does not grow with the years.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tradebook.data import load

__all__ = ["YEARS", "World", "rows_by_year", "world", "write", "year_of_flows"]

YEARS = range(1995, 2023)
GROWTH = 1.03  # of the number of rows, a year
SILENT, MISSING = 0.04, 0.05  # economies without any report in a year; single reports that are missing
ERROR = 0.25  # standard deviation of a report's error, in logarithms
NO_QUANTITY = 0.02


@dataclass(frozen=True)
class World:
    """What does not depend on the number of rows: economies, products, and how likely they meet."""

    economies: np.ndarray  # codes
    products: np.ndarray  # codes of six digits
    chapter: np.ndarray  # of each product, as a number
    popularity: np.ndarray  # of each product; sums to 1
    unit_value: np.ndarray  # of each product, dollars a tonne
    strength: np.ndarray  # of each economy in each chapter; 1 = average
    exporter: np.ndarray  # of each pair, as a position in `economies`
    importer: np.ndarray
    weight: np.ndarray  # of each pair; sums to 1
    freight: np.ndarray  # of each pair: importer's figure over exporter's


def world(seed: int = 1) -> World:
    """Economies and products of the book's tables, with strengths and popularities drawn at random."""
    draw = np.random.default_rng([seed, 0])
    wdi = load("wdi")
    gdp = wdi[wdi["indicator"] == "NY.GDP.MKTP.CD"].dropna().sort_values("year").groupby("iso3")["value"].last()
    pairs = load("geodist-pairs").dropna(subset="dist")
    pairs = pairs[pairs["exporter"].isin(gdp.index) & pairs["importer"].isin(gdp.index)]
    pairs = pairs[pairs["exporter"] != pairs["importer"]].sort_values(["exporter", "importer"])
    economies = np.array(sorted(set(pairs["exporter"]) | set(pairs["importer"])), dtype=object)
    sold = gdp[pairs["exporter"]].to_numpy() / gdp.max()
    bought = gdp[pairs["importer"]].to_numpy() / gdp.max()
    distance = pairs["dist"].to_numpy(dtype=float)
    weight = sold * bought / distance
    concordance = load("hs6-concordance")
    goods = concordance[concordance["hs_vintage"] == "HS1992"].drop_duplicates("hs6").sort_values("hs6")
    chapters, chapter = np.unique(goods["hs_chapter"].astype(str), return_inverse=True)
    popularity = np.exp(draw.normal(0, 1.2, len(goods)))
    return World(
        economies=economies,
        products=goods["hs6"].to_numpy(dtype=object),
        chapter=chapter,
        popularity=popularity / popularity.sum(),
        unit_value=np.exp(draw.normal(8, 1.5, len(goods))),
        strength=np.exp(draw.normal(0, 0.8, (len(economies), len(chapters)))),
        exporter=np.searchsorted(economies, pairs["exporter"].to_numpy(dtype=object)).astype(np.int64),
        importer=np.searchsorted(economies, pairs["importer"].to_numpy(dtype=object)).astype(np.int64),
        weight=weight / weight.sum(),
        freight=1.03 + 0.06 * distance / distance.max(),
    )


def rows_by_year(rows: int) -> dict[int, int]:
    """Split a number of rows over the years: growing, and adding up exactly."""
    share = GROWTH ** np.arange(len(YEARS))
    edges = np.round(rows * np.cumsum(share) / share.sum()).astype(int)
    return dict(zip(YEARS, np.diff(edges, prepend=0).tolist(), strict=True))


def year_of_flows(about: World, year: int, rows: int, seed: int = 1) -> pa.Table:
    """Exactly `rows` reports of one year, ordered by reporter, exporter, importer and product."""
    draw = np.random.default_rng([seed, year])
    silent = draw.random((2, len(about.economies))) < SILENT  # as exporters, as importers
    heard = np.stack([~silent[0][about.exporter], ~silent[1][about.importer]])
    wanted = rows / ((1 - SILENT) * (1 - MISSING) * 2)
    while True:
        flows = _flows(about, wanted, draw)
        pair = flows // len(about.products)
        reported = heard[:, pair] & (draw.random((2, len(flows))) >= MISSING)
        if reported.sum() >= rows:
            break
        wanted *= 1.05 * rows / max(int(reported.sum()), 1)
    side, flow = np.nonzero(reported)
    keep = np.sort(draw.choice(len(flow), rows, replace=False)) if len(flow) > rows else slice(None)
    side, flow = side[keep], flow[keep]
    value = _values(about, flows, draw)
    product, pair = flows[flow] % len(about.products), pair[flow]
    said = value[flow] * np.exp(draw.normal(0, ERROR, len(flow)))
    said *= np.where(side == 1, about.freight[pair], 1.0)
    said = np.maximum(np.round(said), 1.0)  # BACI gives thousand dollars with three decimals
    tonnes = np.round(said / about.unit_value[product], 3)
    return pa.table(
        {
            "reporter": _coded(side, np.array(["exporter", "importer"], dtype=object)),
            "exporter": _coded(about.exporter[pair], about.economies),
            "importer": _coded(about.importer[pair], about.economies),
            "product": _coded(product, about.products),
            "value_usd": pa.array(said),
            "quantity_t": pa.array(tonnes, mask=draw.random(len(flow)) < NO_QUANTITY),
        }
    )


def _flows(about: World, wanted: float, draw: np.random.Generator) -> np.ndarray:
    """About `wanted` different flows as sorted numbers, pair × number of products + product."""
    n_products = len(about.products)
    # Products of a pair: n (1 - exp(-c w^0.6)), with c such that the sum is the number wanted.
    reach = about.weight**0.6
    low, high = 1e-6, 1e12
    while high / low > 1.0001:
        middle = (low * high) ** 0.5
        few = n_products * -np.expm1(-middle * reach).sum() < wanted
        low, high = (middle, high) if few else (low, middle)
    # The popular products of a pair are drawn more than once, so it takes more draws than products.
    draws = draw.poisson(1.5 * n_products * high * reach / (1 + 0.1 * high * reach))
    draws = np.minimum(draws, 3 * n_products)
    pair = np.repeat(np.arange(len(draws)), draws)
    product = np.searchsorted(np.cumsum(about.popularity), draw.random(len(pair)) * (1 - 1e-12))
    found = np.unique(pair * n_products + product)
    if len(found) > wanted:
        found = found[np.sort(draw.choice(len(found), int(np.ceil(wanted)), replace=False))]
    return found


def _values(about: World, flows: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """True value of each flow, dollars."""
    pair, product = np.divmod(flows, len(about.products))
    mean = np.log(about.weight[pair] / about.weight.mean()) * 0.45
    mean += np.log(about.popularity[product] * len(about.products)) * 0.6
    mean += np.log(about.strength[about.exporter[pair], about.chapter[product]])
    return np.exp(10.5 + mean + draw.normal(0, 1.8, len(flows)))


def _coded(positions: np.ndarray, names: np.ndarray) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(positions.astype(np.int32)), pa.array(names, pa.string()))


def write(folder: Path, rows: int, seed: int = 1) -> Iterator[int]:
    """Write ``folder/year=YYYY/part-0.parquet`` for all years; yields each year when its file is there."""
    about = world(seed)
    for year, count in rows_by_year(rows).items():
        target = folder / f"year={year}" / "part-0.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        table = year_of_flows(about, year, count, seed)
        pq.write_table(table, target, compression="zstd", row_group_size=500_000)
        yield year


def main(arguments: list[str]) -> int:
    """Command line: write flows into a folder."""
    if len(arguments) not in (2, 3) or not all(text.isdigit() for text in arguments[1:]):
        print("usage: python -m benchmarks.productflows FOLDER ROWS [SEED]", file=sys.stderr)
        return 2
    for year in write(Path(arguments[0]), int(arguments[1]), *map(int, arguments[2:])):
        print(year, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
