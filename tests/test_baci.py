"""BACI's published layout, in files made here: what is right arrives unchanged, what is wrong is refused."""

from __future__ import annotations

import base64
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from tradebook import baci, bilateral, charts, engine, flows, indices
from tradebook.baci import BaciError
from tradebook.data import load

RELEASE = "V202401b"
COUNTRIES = """country_code,country_name,country_iso2,country_iso3
58,Belgium-Luxembourg (...1998),,BEL
156,China,CN,CHN
490,"Other Asia, not elsewhere specified",,S19
516,Namibia,NA,NAM
643,Russian Federation,RU,RUS
697,"Europe EFTA, not elsewhere specified",,R20
729,Sudan,SD,SDN
736,Sudan (...2011),SD,SDN
837,Bunkers,,N/A
"""
PRODUCTS = """code,description
010121,"Horses: live, pure-bred breeding animals"
270900,Oils: petroleum oils and oils obtained from bituminous minerals; crude
851712,Telephones for cellular networks or for other wireless networks
"""
ROWS = {
    2016: """2016,643,156,270900,16500000.5,51000000
2016,156,643,851712,1500000.25,  12345.678
2016,156,643,010121,12.001,NA
2016,736,156,270900,100,
""",
    2017: """2017,643,156,270900,20000000,52000000
2017,643,156,010121,10,0.5
2017,156,643,851712,1800000,            NA
2017,490,643,851712,70000.125,700
2017,516,156,010121,1.5,0.001
2017,729,156,270900,200,1
2017,736,156,270900,300,NA
2017,697,643,851712,5,1
2017,837,643,270900,7,1
""",
}


def files() -> dict[str, str]:
    """The layout as CEPII documents it: names and contents."""
    made = {f"BACI_HS92_Y{year}_{RELEASE}.csv": "t,i,j,k,v,q\n" + rows for year, rows in ROWS.items()}
    made[f"country_codes_{RELEASE}.csv"] = COUNTRIES
    made[f"product_codes_HS92_{RELEASE}.csv"] = PRODUCTS
    made["Readme.txt"] = "BACI\n"
    return made


def put(place: Path, made: dict[str, str]) -> Path:
    """Write files into a folder."""
    place.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (place / name).write_text(text, "utf-8", newline="")
    return place


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with two years."""
    return put(tmp_path / "BACI_HS92_V202401b", files())


@pytest.fixture(scope="module")
def converted(tmp_path_factory) -> Path:
    """The same, converted."""
    place = tmp_path_factory.mktemp("baci")
    baci.convert(put(place / "source", files()), place / "flows")
    return place / "flows"


def test_every_flow_arrives_with_its_unit(converted):
    got = engine.answer(baci.open_flows(converted)).set_index(["year", "exporter", "importer", "product"])
    assert got.loc[(2016, "RUS", "CHN", "270900"), "value_usd"] == 16500000500
    assert got.loc[(2016, "CHN", "RUS", "851712"), "quantity_t"] == 12345.678
    assert len(got) == 12  # 13 rows, two of them of one economy


def test_unknown_quantities_are_missing_and_zeros_lead(converted):
    got = engine.answer(baci.open_flows(converted)).set_index(["year", "exporter", "product"])
    assert pd.isna(got.loc[(2016, "CHN", "010121"), "quantity_t"])  # NA
    assert pd.isna(got.loc[(2016, "SDN", "270900"), "quantity_t"])  # nothing
    assert pd.isna(got.loc[(2017, "CHN", "851712"), "quantity_t"])  # NA after blanks
    assert baci.product_names(converted)["010121"].startswith("Horses")


def test_special_codes(converted):
    got = engine.answer(baci.open_flows(converted))
    sellers = got[got["year"] == 2017].groupby("exporter")["value_usd"].sum()
    assert sellers["TWN"] == 70000125  # 490, “Other Asia, not elsewhere specified”
    assert sellers["SDN"] == 500_000  # two numbers of one economy
    assert got.loc[(got["year"] == 2017) & (got["exporter"] == "SDN"), "quantity_t"].isna().all()  # one is unknown
    assert sellers["NAM"] == 1500  # its alpha-2 code is NA
    assert sellers["837"] == 7000  # no economy: keeps its number
    economies = pd.read_csv(converted / "economies.csv", dtype=str, keep_default_na=False).set_index("code")
    assert economies.loc["58", "economy"] == "BLX" and economies.loc["490", "economy"] == "TWN"
    known = set(load("economies")["iso3"])
    assert set(baci.SPECIAL.values()) <= known


def test_the_folder_says_what_it_is(converted):
    about = baci.described(converted)
    assert (about["revision"], about["version"]) == ("HS92", "202401b")
    assert about["rows"] == {"2016": 4, "2017": 8}
    assert set(about["files"]) == {f"flows/year={year}/part-0.parquet" for year in ROWS}
    assert about["bytes"] == {name: (converted / name).stat().st_size for name in about["files"]}


def test_an_archive_gives_the_same_as_its_folder(source, converted, tmp_path):
    archive = tmp_path / "BACI_HS92_V202401b.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in source.iterdir():
            packed.write(path, f"BACI_HS92_V202401b/{path.name}")
    said = []
    about = baci.convert(archive, tmp_path / "out", say=said.append)
    assert about == baci.described(converted)
    assert said == ["BACI_HS92_Y2016_V202401b.csv: 4 flows", "BACI_HS92_Y2017_V202401b.csv: 8 flows"]
    assert not list(tmp_path.glob(".baci-*"))


def test_older_lists_of_countries_are_understood(source, tmp_path):
    names = ("country_name,country_iso2,country_iso3", "country_name_full,iso_2digit_alpha,iso_3digit_alpha")
    older = COUNTRIES.replace(*names)
    put(source, {f"country_codes_{RELEASE}.csv": older})
    assert baci.convert(source, tmp_path / "out")["rows"] == {"2016": 4, "2017": 8}


def test_codes_that_a_spreadsheet_has_shortened_are_restored(source, tmp_path):
    name = f"BACI_HS92_Y2017_{RELEASE}.csv"
    put(source, {name: files()[name].replace("010121", "10121")})
    said = []
    baci.convert(source, tmp_path / "out", say=said.append)
    assert said[1].endswith("leading zeros restored in 2 product codes")
    assert set(engine.answer(baci.open_flows(tmp_path / "out"))["product"]) == {"010121", "270900", "851712"}


def test_years_can_be_chosen(source, tmp_path):
    assert set(baci.convert(source, tmp_path / "out", years=(2017, 2017))["rows"]) == {"2017"}
    with pytest.raises(BaciError, match=r"lacks 2015: .*it has 2016–2017"):
        baci.convert(source, tmp_path / "other", years=(2015, 2017))
    with pytest.raises(BaciError, match="The years 2017–2016 run backwards"):
        baci.convert(source, tmp_path / "other", years=(2017, 2016))
    assert not (tmp_path / "other").exists()


FIRST, SECOND = (f"BACI_HS92_Y{year}_{RELEASE}.csv" for year in (2016, 2017))


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        (SECOND, ("t,i,j,k,v,q", "t,i,j,k,v"), r"has the columns t,i,j,k,v, not t,i,j,k,v,q"),
        (SECOND, ("t,i,j,k,v,q", "year,i,j,k,v,q"), "layout has changed"),
        (SECOND, ("2017,643,156,270900", "2016,643,156,270900"), "in 1 of 9 rows the column t is not 2017"),
        (SECOND, ("643,156,270900,20000000", "643,156,270900,twenty"), "v is not a positive number .*“twenty”"),
        (SECOND, ("643,156,270900,20000000", "643,156,270900,"), "v is not a positive number"),
        (SECOND, ("643,156,270900,20000000", "643,156,270900,-1"), "v is not a positive number"),
        (SECOND, ("643,156,270900,20000000", "643,156,270900,0"), "v is not a positive number"),
        (SECOND, ("643,156,270900,20000000", "643,156,270900,inf"), "v is not a positive number"),
        (SECOND, ("490,643,851712,70000.125,700", "490,643,851712,70000.125,many"), "q is neither a number nor NA"),
        (SECOND, ("643,156,270900", "RUS,156,270900"), "i is not a code of a country .*“RUS”"),
        (SECOND, ("643,156,270900", "643,999,270900"), "“999” in the column j is not in the list of countries"),
        (SECOND, ("643,156,270900", "643,156,999999"), "“999999” in the column k is not in the list of products"),
        (SECOND, ("643,156,270900", "643,156,27.09"), "k is not a product of six digits"),
        (SECOND, ("2017,643,156,010121,10,0.5", "2017,643,156,270900,10,0.5"), "two rows for exporter 643"),
        (SECOND, (",52000000\n", "\n"), "cannot be read"),
        (FIRST, (ROWS[2016], ""), "has no rows"),
        (f"country_codes_{RELEASE}.csv", ("country_code,", "code,"), "layout has changed"),
        (f"country_codes_{RELEASE}.csv", ("643,Russian", "156,Russian"), "not a list of different numbers"),
        (f"product_codes_HS92_{RELEASE}.csv", ("code,description", "k,name"), "layout has changed"),
    ],
)
def test_files_that_are_not_as_published_are_refused(source, tmp_path, name, change, says):
    before = files()[name]
    assert change[0] in before
    put(source, {name: before.replace(*change, 1)})
    with pytest.raises(BaciError, match=says):
        baci.convert(source, tmp_path / "out")
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".baci-*"))


@pytest.mark.parametrize(
    ("lost", "added", "says"),
    [
        (f"country_codes_{RELEASE}.csv", {}, "country_codes_V202401b.csv is missing"),
        (f"product_codes_HS92_{RELEASE}.csv", {}, "product_codes_HS92_V202401b.csv is missing"),
        (SECOND, {f"BACI_HS92_Y2018_{RELEASE}.csv": "t,i,j,k,v,q\n"}, "lacks 2017"),
        ("Readme.txt", {f"BACI_HS17_Y2017_{RELEASE}.csv": ""}, "Several editions are mixed"),
        ("Readme.txt", {"BACI_HS92_Y2017_V202501.csv": ""}, "HS92 V202401b, HS92 V202501"),
    ],
)
def test_an_incomplete_or_mixed_source_is_refused(source, tmp_path, lost, added, says):
    (source / lost).unlink()
    put(source, added)
    with pytest.raises(BaciError, match=says):
        baci.convert(source, tmp_path / "out")


def test_what_is_no_source_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.zip").write_text("<html>not found</html>")
    cases = {"empty": "no year of BACI", "text.zip": "cannot be read as an archive", "no": "no file or folder"}
    for name, says in cases.items():
        with pytest.raises(BaciError, match=says):
            baci.convert(tmp_path / name, tmp_path / "out")
    with pytest.raises(BaciError, match="exists already"):
        baci.convert(tmp_path / "empty", tmp_path / "empty")


def test_a_damaged_archive_is_refused(source, tmp_path):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for path in sorted(source.iterdir()):
            packed.write(path, path.name)
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b"16500000.5", b"16500000.6"))
    with pytest.raises(BaciError, match=r"BACI_HS92_Y2016_V202401b\.csv cannot be unpacked"):
        baci.convert(archive, tmp_path / "out")


def packed(source: Path, archive: Path) -> Path:
    """The files of a folder as an archive."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as new:
        for path in sorted(source.iterdir()):
            new.write(path, path.name)
    return archive


def change_headers(archive: Path, place: int, value: bytes) -> None:
    """Write over the headers of all files in an archive; `place` is counted in the local header."""
    content = bytearray(archive.read_bytes())
    for mark, further in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        start = content.find(mark)
        while start >= 0:
            at = start + place + further
            content[at : at + len(value)] = value
            start = content.find(mark, start + 4)
    archive.write_bytes(content)


def test_a_damaged_compressed_archive_is_refused(source, tmp_path):
    archive = packed(source, tmp_path / "a.zip")
    content = bytearray(archive.read_bytes())
    start = content.index(FIRST.encode()) + len(FIRST)  # where its compressed bytes begin
    content[start : start + 8] = b"\xff" * 8
    archive.write_bytes(content)
    with pytest.raises(BaciError, match=rf"{FIRST} cannot be unpacked \(.*: download the archive again"):
        baci.convert(archive, tmp_path / "out")


@pytest.mark.parametrize(("place", "value"), [(8, b"\x09\x00"), (6, b"\x01\x00")], ids=["Deflate64", "encrypted"])
def test_an_archive_that_python_cannot_unpack_is_left_to_another_program(source, tmp_path, place, value):
    archive = packed(source, tmp_path / "a.zip")
    change_headers(archive, place, value)
    with pytest.raises(BaciError, match=r"cannot be unpacked here \(.*: unpack the archive with another program"):
        baci.convert(archive, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (f"country_codes_{RELEASE}.csv", "", "is no table .*: download the archive again"),
        (f"product_codes_HS92_{RELEASE}.csv", PRODUCTS + '851713,"Telephones', "is no table"),
        (f"product_codes_HS92_{RELEASE}.csv", PRODUCTS + "020110,Meat, fresh, chilled\n", "is no table"),
    ],
)
def test_a_list_of_codes_that_is_no_table_is_refused(source, tmp_path, name, content, says):
    put(source, {name: content})
    with pytest.raises(BaciError, match=rf"{name} .*{says}"):
        baci.convert(source, tmp_path / "out")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes, as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_folder_that_cannot_be_written_is_said_so(source, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BaciError, match=r"out cannot be written \(.*name a folder where you may write"):
        baci.convert(source, tmp_path / "file" / "out")
    archive = packed(source, tmp_path / "a.zip")
    with largest_file(100), pytest.raises(BaciError, match=r"cannot be unpacked into .*: make room there"):
        baci.convert(archive, tmp_path / "out")
    with largest_file(600), pytest.raises(BaciError, match=r"cannot be converted \(.*: make room in memory and on the"):
        baci.convert(source, tmp_path / "out")
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".baci-*"))


def test_paths_are_no_patterns(tmp_path):
    """Brackets would name the file of another folder beside it."""
    other = files()
    other[FIRST] = other[FIRST].replace("16500000.5", "1")
    put(tmp_path / "BACI 1", other)
    source = put(tmp_path / "BACI [1]", files())
    baci.convert(source, tmp_path / "flows [1]*")
    got = engine.answer(baci.open_flows(tmp_path / "flows [1]*"))
    assert got["value_usd"].max() == 20_000_000_000 and 16500000500 in got["value_usd"].tolist()


def test_what_does_not_fit_into_memory_goes_beside_the_target(source, tmp_path, monkeypatch):
    import duckdb

    connect, settings = duckdb.connect, []
    monkeypatch.setattr(duckdb, "connect", lambda **options: settings.append(options["config"]) or connect(**options))
    baci.convert(source, tmp_path / "out")
    assert len(settings) == 2
    assert all(Path(one["temp_directory"]).parents[1] == tmp_path for one in settings)


def test_an_incomplete_folder_does_not_answer(converted, tmp_path):
    shutil.copytree(converted, tmp_path / "flows")
    part = tmp_path / "flows" / "flows" / "year=2017" / "part-0.parquet"
    content = part.read_bytes()
    part.write_bytes(content[:-1])
    with pytest.raises(BaciError, match=r"year=2017/part-0\.parquet has another size\): remove it and convert"):
        baci.open_flows(tmp_path / "flows")
    part.unlink()
    with pytest.raises(BaciError, match=r"year=2017/part-0\.parquet is missing"):
        baci.open_flows(tmp_path / "flows")
    part.write_bytes(content)
    part.with_name("part-1.parquet").write_bytes(content)
    with pytest.raises(BaciError, match=r"part-1\.parquet does not belong to it"):
        baci.open_flows(tmp_path / "flows")
    part.with_name("part-1.parquet").unlink()
    assert len(engine.answer(baci.open_flows(tmp_path / "flows"))) == 12
    for damage in ("", "code\n1\n", None):
        (tmp_path / "flows" / "products.csv").write_text(damage or "")
        if damage is None:
            (tmp_path / "flows" / "products.csv").unlink()
        with pytest.raises(BaciError, match=r"no list products\.csv\): remove it and convert"):
            baci.product_names(tmp_path / "flows")


def test_chapter_2_runs_at_six_digits(converted, monkeypatch):
    assert "hs6" not in bilateral.classifications("CHN", "RUS")
    before = bilateral.products("CHN", "RUS", "hs-chapter")
    monkeypatch.setenv(baci.VARIABLE, str(converted))
    assert bilateral.classifications("CHN", "RUS")[0] == "hs6"
    goods = bilateral.products("CHN", "RUS")
    assert (goods.attrs["classification"], goods.attrs["reporter"]) == ("hs6", "BACI")
    assert list(goods.columns) == list(before.columns)
    assert goods.loc[goods["product"] == "270900", "product_name"].iloc[0].startswith("Oils")
    assert set(goods["group"]) <= set(load("hs-chapters")["section_short"])
    # What stands under its figures: CEPII and its licence, and no table of the book.
    line = charts.source_line([goods.attrs["table"]])
    assert line == "Source: CEPII; own calculation from BACI HS92, version 202401b."
    link = charts.csv_link(goods.head(1), "fig", [goods.attrs["table"]])
    head = base64.b64decode(link.split("base64,")[1].split('"')[0]).decode()
    assert "# Source: CEPII, BACI HS92, version 202401b" in head and "# Licence: Etalab Open Licence 2.0" in head
    json.dumps(goods.attrs)  # what pandas does with them in a Parquet file
    # What the chapter does with it.
    crude = bilateral.shares(goods, "RUS")
    assert crude.loc[2017].sum() == pytest.approx(100)
    concentration = indices.herfindahl_hirschman(goods, by=["exporter", "year"])
    at_scale = flows.herfindahl_hirschman(
        flows.between(baci.open_flows(converted), ["CHN", "RUS"]), by=["exporter", "year"]
    )
    pd.testing.assert_frame_equal(
        engine.answer(at_scale), concentration[["exporter", "year", "n_products", "hhi"]], check_dtype=False
    )
    grown = indices.growth_decomposition(goods, 2016, 2017, by="exporter")
    assert indices.growth_margins(grown, by="exporter").set_index("exporter").loc["RUS", "entering"] > 0


def test_what_is_said_of_russias_record_is_taken_from_it(root):
    """The cells about the thesis name Russia's table: they must not take the goods that BACI may have given."""
    cells = json.loads((root / "chapters" / "02-bilateral-trade.ipynb").read_text("utf-8"))["cells"]
    case = [cell for cell in cells if cell["cell_type"] == "code" and "case" in cell["metadata"].get("tags", [])]
    assert case and not [cell["source"] for cell in case if re.search(r"\bgoods[.\[]", "".join(cell["source"]))]


def test_a_folder_that_was_not_converted_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(baci.VARIABLE, str(tmp_path))
    with pytest.raises(BaciError, match="There are no converted flows"):
        bilateral.classifications("CHN", "RUS")
    for content in ("{", "[]", '{"title": "BACI"}'):
        (tmp_path / "flows.json").write_text(content)
        with pytest.raises(BaciError, match="There are no converted flows"):
            baci.folder()
    monkeypatch.setenv(baci.VARIABLE, "flows")
    with pytest.raises(BaciError, match="relative path “flows”"):
        baci.folder()


def test_the_description_is_plain_json(converted):
    assert json.loads((converted / "flows.json").read_text())["licence"] == "Etalab Open Licence 2.0"
