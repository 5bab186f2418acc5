"""BACI as its publisher gives it, turned once into Parquet that the engines read.

CEPII's BACI (Gaulier and Zignago 2010, CEPII working paper 2010-23) holds a value and a quantity for every exporter,
importer, product of six digits of the Harmonized System and year since 1995. It is too large for this book, so a reader
downloads it: one archive for each revision of the Harmonized System, in which are ``BACI_HS92_Y1995_V202401b.csv`` and
so on, ``country_codes_V202401b.csv`` and ``product_codes_HS92_V202401b.csv``. `convert` checks all of them and writes a
folder; with ``TRADEBOOK_FLOWS`` set to it, chapter 2 describes what a pair trades by product of six digits.

Layout: http://www.cepii.fr/DATA_DOWNLOAD/baci/doc/DescriptionBACI.html. Columns of a year: t (year), i (exporter), j
(importer), k (product), v (thousand current dollars), q (tonnes; ``NA`` or nothing if unknown). BACI is *reconciled*:
one value of a flow, from both customs' reports, without freight. It has no two records to compare, so the mirror
statistics of chapter 2 stay with the book's own tables.
"""

from __future__ import annotations

import csv
import glob
import hashlib
import io
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from tradebook import engine
from tradebook.errors import TradebookError

if TYPE_CHECKING:
    import ibis

__all__ = [
    "SPECIAL", "VARIABLE", "BaciError", "Source", "attribution", "convert", "described", "folder", "open_flows",
    "product_names",
]  # fmt: skip

VARIABLE = "TRADEBOOK_FLOWS"
COLUMNS = ["t", "i", "j", "k", "v", "q"]
# Codes of BACI that are not an economy's present ISO code. 490 is what the United Nations call “Other Asia, not
# elsewhere specified”: in practice Taiwan, which has no row of its own in UN Comtrade.
SPECIAL = {58: "BLX", 490: "TWN", 530: "ANT", 736: "SDN", 891: "SCG"}
_YEAR = re.compile(r"BACI_(HS\d\d)_Y(\d{4})_V(\d{6}\w?)\.csv")
_COUNTRIES = re.compile(r"country_codes_V(\d{6}\w?)\.csv")
_PRODUCTS = re.compile(r"product_codes_(HS\d\d)_V(\d{6}\w?)\.csv")
_AGAIN = "remove it and convert the archive again with `tradebook baci`"
_SAID = {"title", "publisher", "licence", "revision", "version", "rows", "files", "bytes"}
_NUMBER = r"'^[0-9]*[.]?[0-9]+([eE][-+]?[0-9]+)?$'"


class BaciError(TradebookError):
    """The files are not those that CEPII publishes, or a folder was not made from them."""


class Source(NamedTuple):
    """What stands under a figure made from these flows; for a table of the book `tradebook.data.describe` knows it.

    A tuple, because it goes into the ``attrs`` of a frame, which pandas writes to a Parquet file as JSON.
    """

    title: str
    publisher: str
    source: str
    licence: str


# --- Reading what was converted ------------------------------------------------------------------


def folder() -> Path | None:
    """The folder that `convert` made, from ``$TRADEBOOK_FLOWS``; None if it is not set.

    Raises
    ------
    BaciError
        If the path is relative, or the folder holds no flows.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    if not Path(named).is_absolute():
        raise BaciError(
            f"{VARIABLE} is the relative path “{named}”, which a notebook reads from its own folder: give it whole."
        )
    described(Path(named))
    return Path(named)


def described(place: Path) -> dict:
    """What a converted folder says of itself: revision, version, years, rows, files with checksums and sizes.

    Raises
    ------
    BaciError
        If it was not made by `convert`.
    """
    try:
        about = json.loads((place / "flows.json").read_text("utf-8"))
    except (OSError, ValueError):
        about = None
    if not isinstance(about, dict) or not about.keys() >= _SAID:
        raise BaciError(
            f"There are no converted flows in {place}: make them with `tradebook baci SOURCE --to {place}`, or unset "
            f"{VARIABLE}."
        )
    return about


def attribution(place: Path) -> Source:
    """Publisher, title and licence of a converted folder, as a figure names them."""
    about = described(place)
    return Source(
        about["title"],
        about["publisher"],
        f"{about['publisher']}, {about['title']} (Gaulier and Zignago 2010)",
        about["licence"],
    )


def open_flows(place: Path, engine_name: str | None = None, **options: object) -> ibis.Table:
    """The flows of a converted folder, for `tradebook.flows`.

    Returns
    -------
    ibis.Table
        year, exporter, importer (ISO alpha-3, as in the book), product (six digits), value_usd, quantity_t.

    Raises
    ------
    BaciError
        If a file is missing, has another size, or was added: without a year, the answers would be of other years.
    """
    wanted = described(place)["bytes"]
    # Sizes, and not the checksums: those would read gigabytes before each question.
    found = {path.relative_to(place).as_posix(): path.stat().st_size for path in (place / "flows").rglob("*.parquet")}
    if found != wanted:
        name = min(name for name in found.keys() | wanted if found.get(name) != wanted.get(name))
        what = "does not belong to it" if name not in wanted else "has another size" if name in found else "is missing"
        raise BaciError(f"The folder {place} is not as it was converted ({name} {what}): {_AGAIN}.")
    return engine.parquet(place / "flows", engine_name, **options)


def product_names(place: Path) -> pd.Series:
    """Names of the products, indexed by their code of six digits.

    Raises
    ------
    BaciError
        If the folder's list of products is missing or damaged.
    """
    try:
        frame = pd.read_csv(place / "products.csv", dtype=str, keep_default_na=False)
        return frame.set_index("product")["name"]
    except (OSError, ValueError, KeyError):  # missing, no table or not UTF-8, other columns
        raise BaciError(f"The folder {place} is not as it was converted (no list products.csv): {_AGAIN}.") from None


# --- Converting ----------------------------------------------------------------------------------


def convert(
    source: Path,
    target: Path,
    *,
    revision: str | None = None,
    years: tuple[int, int] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> dict:
    """Check the published files and write them as Parquet: ``flows/year=2017/part-0.parquet`` and so on.

    Parameters
    ----------
    source : Path
        The archive as downloaded, or a folder with its files.
    target : Path
        A folder that does not exist yet; it appears when everything is right.
    revision : str, optional
        ``"HS92"`` and so on; needed only where the source holds several.
    years : (int, int), optional
        First and last year, the earlier one first; by default all that are there.
    say : callable, optional
        Called with a sentence for each year.

    Returns
    -------
    dict
        As `described`.

    Raises
    ------
    BaciError
        If a file or a year is missing, columns have changed, a cell is not what the layout says, a code is not in
        the lists of codes, a key is repeated, the years run backwards, or the target exists or cannot be written.
    """
    try:
        if target.exists():
            raise BaciError(f"{target} exists already: name another folder, or remove it.")
        with _members(source) as (names, fetch):
            (revision, files), release = _choose(names, revision, years)
            countries = _countries(fetch(_one(names, _COUNTRIES, release, "country_codes")))
            products = _products(fetch(_one(names, _PRODUCTS, release, "product_codes", revision)))
            about = {
                "title": f"BACI {revision}, version {release}",
                "publisher": "CEPII",
                "licence": "Etalab Open Licence 2.0",
                "revision": revision,
                "version": release,
            }
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".baci-") as scratch:
                made = Path(scratch, "made")
                about |= _write_flows(made, files, fetch, countries, products, say)
                (made / "flows.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
                made.rename(target)
    except OSError as error:  # what is read says so itself
        raise BaciError(
            f"{target} cannot be written ({error.strerror or error}): name a folder where you may write, and that has "
            "room."
        ) from None
    return about


def _write_flows(
    made: Path,
    files: dict[int, str],
    fetch: Callable[[str], Path],
    countries: pd.DataFrame,
    products: dict[str, str],
    say: Callable[[str], None],
) -> dict[str, dict]:
    """Write all years and the lists of codes; gives the number of rows, and the checksum and size of each file."""
    (made / "flows").mkdir(parents=True)
    rows, hashes, sizes = {}, {}, {}
    for year, name in sorted(files.items()):
        part = made / "flows" / f"year={year}" / "part-0.parquet"
        part.parent.mkdir()
        rows[str(year)], padded = _convert_year(fetch(name), year, part, countries, products, made.parent / "spill")
        inside = part.relative_to(made).as_posix()
        hashes[inside], sizes[inside] = "sha256:" + _sha256(part), part.stat().st_size
        restored = f"; leading zeros restored in {padded:,d} product codes" if padded else ""
        say(f"{name}: {rows[str(year)]:,d} flows{restored}")
    _write_codes(made / "economies.csv", ["code", "economy", "name"], countries.itertuples(index=False))
    _write_codes(made / "products.csv", ["product", "name"], sorted(products.items()))
    return {"rows": rows, "files": hashes, "bytes": sizes}


@contextmanager
def _members(source: Path) -> Iterator[tuple[list[str], Callable[[str], Path]]]:
    """Names of the files of a folder or archive, and a function that gives the path of one."""
    if os.path.isdir(source):  # Path.is_dir raises where a folder above it may not be entered
        paths = {path.name: path for path in sorted(source.rglob("*.csv"))}
        yield list(paths), paths.__getitem__
        return
    try:
        archive = zipfile.ZipFile(source)
    except (FileNotFoundError, NotADirectoryError):
        raise BaciError(f"There is no file or folder {source}: name BACI's archive, or its folder.") from None
    except OSError as error:
        raise BaciError(f"{source} cannot be read ({error.strerror or error}): see who may read it.") from None
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise BaciError(f"{source} cannot be read as an archive ({error}): download it again.") from None
    with archive, tempfile.TemporaryDirectory() as scratch:
        members = {Path(name).name: name for name in archive.namelist() if name.endswith(".csv")}

        def fetch(name: str) -> Path:
            # One file at a time: all of them unpacked would take ten times the room of the archive.
            for old in Path(scratch).iterdir():
                old.unlink()
            target = Path(scratch, name)
            try:
                with target.open("wb") as unpacked:
                    unpacked.writelines(_blocks(archive, members[name]))
            except OSError as error:
                raise BaciError(
                    f"{name} cannot be unpacked into {scratch} ({error.strerror or error}): make room there, or set "
                    "TMPDIR to a folder on another disk."
                ) from None
            return target

        yield list(members), fetch


def _blocks(archive: zipfile.ZipFile, member: str) -> Iterator[bytes]:
    """Content of a file in an archive, a piece at a time."""
    name = Path(member).name
    try:
        with archive.open(member) as packed:
            while block := packed.read(1 << 20):
                yield block
    except RuntimeError as error:  # a method of compression that Python does not know, or a password
        raise BaciError(
            f"{name} cannot be unpacked here ({error}): unpack the archive with another program, and name its folder."
        ) from None
    except Exception as error:  # every method of compression has an error of its own
        raise BaciError(f"{name} cannot be unpacked ({error}): download the archive again.") from None


def _choose(
    names: list[str], revision: str | None, years: tuple[int, int] | None
) -> tuple[tuple[str, dict[int, str]], str]:
    """Revision, file of each year, and version."""
    found: dict[tuple[str, str], dict[int, str]] = {}
    for name in names:
        if match := _YEAR.fullmatch(name):
            found.setdefault((match[1], match[3]), {})[int(match[2])] = name
    if revision:
        found = {key: files for key, files in found.items() if key[0] == revision}
    if not found:
        raise BaciError(
            f"There is no year of BACI{' ' + revision if revision else ''} among {len(names)} CSV files; their names "
            "are like BACI_HS92_Y2017_V202401b.csv."
        )
    if len(found) > 1:
        several = ", ".join(f"{key[0]} V{key[1]}" for key in sorted(found))
        raise BaciError(f"Several editions are mixed ({several}): choose a revision, and keep one version in a folder.")
    (key, files) = next(iter(found.items()))
    first, last = years or (min(files), max(files))
    if first > last:
        raise BaciError(f"The years {first}–{last} run backwards: write the earlier one first.")
    lost = [str(year) for year in range(first, last + 1) if year not in files]
    if lost:
        raise BaciError(
            f"BACI {key[0]} V{key[1]} lacks {', '.join(lost)}: download the archive again, or choose other years "
            f"(it has {min(files)}–{max(files)})."
        )
    return (key[0], {year: name for year, name in files.items() if first <= year <= last}), key[1]


def _one(names: list[str], pattern: re.Pattern, release: str, what: str, revision: str | None = None) -> str:
    for name in names:
        match = pattern.fullmatch(name)
        if match and match.groups() == ((revision, release) if revision else (release,)):
            return name
    raise BaciError(f"The file {what}_{revision + '_' if revision else ''}V{release}.csv is missing: take it from the "
                    "same archive.")  # fmt: skip


def _content(path: Path, most: int = -1) -> bytes:
    """The first bytes of a file, or all."""
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise BaciError(f"{path} cannot be read ({error.strerror or error}): see who may read it.") from None


def _table(path: Path, wanted: Sequence[Sequence[str]]) -> pd.DataFrame:
    """A small CSV file as text, with one of the lists of columns that are known."""
    content = _content(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")  # what a spreadsheet makes of it
    try:
        # As text: NA is Namibia's alpha-2 code.
        frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    except ValueError as error:  # pandas: empty, a quotation mark that is not closed, a row with more cells
        reason = " ".join(str(error).split()).rstrip(".")
        raise BaciError(f"{path.name} is no table ({reason}): download the archive again.") from None
    for columns in wanted:
        if set(columns) <= set(frame.columns):
            return frame[list(columns)]
    raise BaciError(f"{path.name} has the columns {', '.join(frame.columns)}, not {', '.join(wanted[0])}: its layout "
                    "has changed, or it was edited.")  # fmt: skip


def _countries(path: Path) -> pd.DataFrame:
    """Columns code (number), economy (the book's code) and name."""
    layouts = ["country_code country_name country_iso3", "country_code country_name_full iso_3digit_alpha"]
    frame = _table(path, [columns.split() for columns in layouts]).set_axis(["code", "name", "iso3"], axis=1)
    wrong = frame.loc[~frame["code"].str.fullmatch(r"\d{1,3}"), "code"]
    if len(wrong) or frame["code"].astype(int).duplicated().any():
        raise BaciError(f"{path.name}: the column country_code is not a list of different numbers: restore the file.")
    code = frame["code"].astype(int)
    # What is no economy (a region, “not elsewhere specified”) keeps its number: it collides with no alpha-3 code.
    iso3 = frame["iso3"].str.strip().where(frame["iso3"].str.fullmatch(r"\s*[A-Z]{3}\s*"), code.map("{:03d}".format))
    iso3 = code.map(SPECIAL).fillna(iso3)
    return pd.DataFrame({"code": code, "economy": iso3, "name": frame["name"]})


def _products(path: Path) -> dict[str, str]:
    frame = _table(path, [["code", "description"]])
    codes = frame["code"].str.strip()
    codes = codes.where(~codes.str.fullmatch(r"\d{5}"), "0" + codes)
    return dict(zip(codes, frame["description"], strict=True))


def _convert_year(
    path: Path, year: int, target: Path, countries: pd.DataFrame, products: dict[str, str], spill: Path
) -> tuple[int, int]:
    """Check and write one year; gives the number of rows, and of product codes that had lost a leading zero."""
    import duckdb

    header = _content(path, 1000).partition(b"\n")[0].decode("utf-8-sig", "replace").strip().replace('"', "")
    if sorted(header.split(",")) != sorted(COLUMNS):
        raise BaciError(f"{path.name} has the columns {header or 'of an empty file'}, not {','.join(COLUMNS)}: its "
                        "layout has changed, or it was edited.")  # fmt: skip
    # What does not fit into memory goes to `spill`; by default it would go to the reader's folder.
    connection = duckdb.connect(config={"preserve_insertion_order": False, "temp_directory": str(spill)})
    try:
        connection.register("countries", countries[["code", "economy"]].astype({"economy": object}))
        connection.register("products", pd.DataFrame({"code": list(products)}, dtype=object))
        text = dict.fromkeys(header.split(","), "VARCHAR")
        connection.execute(
            f"CREATE TABLE raw AS SELECT trim(t) t, trim(i) i, trim(j) j, trim(v) v, trim(q) q, "
            "length(trim(k)) < 6 AS padded, CASE WHEN padded THEN lpad(trim(k), 6, '0') ELSE trim(k) END AS k FROM "
            f"read_csv(?, header = true, delim = ',', quote = '\"', columns = {text}, auto_detect = false)",
            [glob.escape(str(path))],  # DuckDB takes it for a pattern
        )
        _check_year(connection, path.name, year)
        # Two numbers can stand for one economy (Sudan before and after 2011): their flows are added. Where the quantity
        # of one is unknown, so is that of both: the sum of the others would belong to a smaller value.
        many = countries["economy"].duplicated().any()
        value, quantity = "v::DOUBLE * 1000", "CASE WHEN q IN ('', 'NA') THEN NULL ELSE q::DOUBLE END"
        if many:
            value, quantity = f"sum({value})", f"CASE WHEN count({quantity}) = count(*) THEN sum({quantity}) END"
        connection.execute(
            f"CREATE VIEW flows AS SELECT e.economy AS exporter, m.economy AS importer, k AS product, "
            f"{value} AS value_usd, {quantity} AS quantity_t FROM raw "
            "JOIN countries e ON e.code = raw.i::INTEGER JOIN countries m ON m.code = raw.j::INTEGER"
            + (" GROUP BY ALL" if many else "")
        )
        connection.execute(
            "COPY (SELECT * FROM flows ORDER BY exporter, importer, product) TO "
            f"'{str(target).replace(chr(39), chr(39) * 2)}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 500000)"
        )
        rows = connection.execute("SELECT count(*) FROM flows").fetchone()[0]
        padded = connection.execute("SELECT count(*) FROM raw WHERE padded").fetchone()[0]
        return rows, padded
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        if isinstance(error, duckdb.OperationalError):  # a disk, or memory, and not what stands in the file
            raise BaciError(
                f"{path.name} cannot be converted ({reason}): make room in memory and on the disk, or name a folder on "
                "another disk."
            ) from None
        raise BaciError(f"{path.name} cannot be read ({reason}): download the archive again.") from None
    finally:
        connection.close()


def _check_year(connection, name: str, year: int) -> None:
    """Refuse the first kind of row that is not as the layout says, with an example."""
    faults = [
        ("t", f"t IS DISTINCT FROM '{year}'", f"is not {year}"),
        ("i", "NOT coalesce(regexp_full_match(i, '[0-9]{1,3}'), false)", "is not a code of a country"),
        ("j", "NOT coalesce(regexp_full_match(j, '[0-9]{1,3}'), false)", "is not a code of a country"),
        ("k", "NOT coalesce(regexp_full_match(k, '[0-9A-Z]{6}'), false)", "is not a product of six digits"),
        ("v", f"NOT coalesce(regexp_matches(v, {_NUMBER}), false) OR try_cast(v AS DOUBLE) <= 0",
         "is not a positive number"),
        ("q", f"NOT coalesce(q IN ('', 'NA') OR regexp_matches(q, {_NUMBER}), true)", "is neither a number nor NA"),
    ]  # fmt: skip
    rows = connection.execute("SELECT count(*) FROM raw").fetchone()[0]
    if not rows:
        raise BaciError(f"{name} has no rows: download the archive again.")
    for column, wrong, what in faults:
        bad, example = connection.execute(f"SELECT count(*), min({column}) FROM raw WHERE {wrong}").fetchone()
        if bad:
            raise BaciError(
                f"{name}: in {bad:,d} of {rows:,d} rows the column {column} {what} (for example “{example or ''}”): "
                "download the archive again."
            )
    for column, table in (("i", "countries"), ("j", "countries"), ("k", "products")):
        code = f"{column}::INTEGER" if table == "countries" else column
        strange = connection.execute(
            f"SELECT min({column}) FROM raw WHERE {code} NOT IN (SELECT code FROM {table})"
        ).fetchone()[0]
        if strange is not None:
            raise BaciError(f"{name}: the code “{strange}” in the column {column} is not in the list of {table}: take "
                            "all files from one archive.")  # fmt: skip
    twice = connection.execute("SELECT i, j, k FROM raw GROUP BY ALL HAVING count(*) > 1 LIMIT 1").fetchone()
    if twice:
        raise BaciError(f"{name} has two rows for exporter {twice[0]}, importer {twice[1]} and product {twice[2]}: "
                        "download the archive again.")  # fmt: skip


def _write_codes(path: Path, header: list[str], rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
