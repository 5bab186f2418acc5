"""The data package: valid, loadable, consistent, and refused when damaged."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from frictionless import Package, Schema

from tools import data_page
from tradebook import data
from tradebook.data import DataError, describe, load, package, tables


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A data package of one small table that a test may damage."""
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(data.data_folder() / "brent.csv", folder)
    descriptor = {**package(), "resources": [r for r in package()["resources"] if r["name"] == "brent"]}
    (folder / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")
    monkeypatch.setenv("TRADEBOOK_DATA", str(folder))
    return folder


def reseal(folder, content: bytes) -> None:
    """Write the table and its new checksum, so that only the schema can object."""
    import hashlib

    (folder / "brent.csv").write_bytes(content)
    path = folder / "datapackage.json"
    descriptor = json.loads(path.read_text("utf-8"))
    descriptor["resources"][0]["hash"] = "sha256:" + hashlib.sha256(content).hexdigest()
    path.write_text(json.dumps(descriptor), "utf-8")
    data._read_package.cache_clear()
    data._load.cache_clear()


def test_the_descriptor_is_a_valid_data_package():
    assert Package.metadata_validate(package()) is not None  # a generator: consume it
    assert not list(Package.metadata_validate(package()))


@pytest.mark.parametrize("name", tables())
def test_csv_tables_are_valid_for_frictionless(name):
    resource = next(r for r in package()["resources"] if r["name"] == name)
    schema = Schema.from_descriptor({k: v for k, v in resource["schema"].items() if k != "foreignKeys"})
    if resource["format"] == "parquet":
        # Every column has a type that frictionless knows; the rows are checked by `load`.
        assert [field.name for field in schema.fields] == list(load(name).columns)
        return
    found = Package(
        {"name": "one", "resources": [{**resource, "schema": schema.to_descriptor()}]},
        basepath=str(data.data_folder()),
    ).validate()
    assert found.valid, found.flatten(["title", "rowNumber", "fieldName", "note"])[:3]


@pytest.mark.parametrize("name", tables())
def test_every_table_loads_and_says_what_it_is(name):
    frame, about = load(name), describe(name)
    assert len(frame) == about["rows"] > 0
    assert all(str(about[key]).strip() for key in ("title", "description", "source", "vintage", "licence", "caveats"))
    resource = next(r for r in package()["resources"] if r["name"] == name)
    assert (data.data_folder() / resource["path"]).stat().st_size == resource["bytes"]
    for field in resource["schema"]["fields"]:
        kind = {"integer": "iu", "number": "f", "boolean": "b"}.get(field["type"])
        if kind:
            assert frame[field["name"]].dtype.kind in kind, field["name"]


@pytest.mark.parametrize("name", tables())
def test_foreign_keys_point_to_existing_rows(name):
    resource = next(r for r in package()["resources"] if r["name"] == name)
    for key in resource["schema"].get("foreignKeys", []):
        target = load(key["reference"]["resource"])[key["reference"]["fields"][0]]
        lost = set(load(name)[key["fields"][0]].dropna()) - set(target)
        assert not lost, f"{name}.{key['fields'][0]}: {sorted(lost)[:5]}"


def test_measures_have_units():
    for resource in package()["resources"]:
        for field in resource["schema"]["fields"]:
            if field["type"] == "number":
                assert field.get("unit"), f"{resource['name']}.{field['name']} has no unit"


def test_every_file_in_the_folder_is_declared():
    declared = {r["path"] for r in package()["resources"]} | {"datapackage.json"}
    present = {p.name for p in data.data_folder().iterdir() if p.is_file()}
    assert present == declared


def test_the_data_page_agrees_with_the_package():
    assert data_page.main(["--check"]) == 0


def test_what_load_returns_is_a_copy():
    mine = load("brent")
    mine["price_usd_per_barrel"] = 0.0
    assert (load("brent")["price_usd_per_barrel"] > 0).all()


def test_an_unknown_table_is_answered_with_a_suggestion():
    with pytest.raises(DataError, match="did you mean bilateral-trade"):
        load("bilateral-trad")


def test_a_missing_package_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("TRADEBOOK_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="There is no data package"):
        tables()


def test_a_missing_file_names_the_table(copied):
    (copied / "brent.csv").unlink()
    with pytest.raises(DataError, match=r"“brent”: brent\.csv is missing"):
        load("brent")


def test_an_altered_file_is_refused(copied):
    path = copied / "brent.csv"
    path.write_bytes(path.read_bytes().replace(b"1", b"7", 1))
    with pytest.raises(DataError, match="checksum differs"):
        load("brent")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t.replace("price_usd_per_barrel", "price"), "does not have the columns"),
        (lambda t: t.replace(",", ";"), "does not have the columns"),
        (lambda t: "\n".join([*t.splitlines(), t.splitlines()[-1]]), "repeated keys"),
        (lambda t: "\n".join([*t.splitlines()[:-1], "1950,20"]), "below the least possible"),
        (lambda t: "\n".join([*t.splitlines()[:-1], "2025,cheap"]), "cannot be parsed"),
        (lambda t: "\n".join([*t.splitlines()[:-1], "2025,"]), "are empty"),
        (lambda t: "\n".join([*t.splitlines()[:-1], "2025,-3"]), "below the least possible"),
        (lambda t: t.splitlines()[0] + "\n", "no rows"),
        (lambda t: "", "cannot be parsed"),
    ],
)
def test_a_damaged_table_is_refused_even_with_a_new_checksum(copied, damage, message):
    text = (copied / "brent.csv").read_text("utf-8")
    reseal(copied, damage(text).encode())
    with pytest.raises(DataError, match=message):
        load("brent")


def test_codes_stay_text():
    assert load("hs-chapters")["hs_chapter"].iloc[0] == "01"
    namibia = load("economies").set_index("iso3").loc["NAM", "iso2"]
    assert namibia == "NA"


def test_reconciled_totals():
    """Tables of different publishers must meet where they measure the same, within a stated tolerance."""
    trade = load("bilateral-trade").set_index(["year", "exporter", "importer"])["exporter_reported_fob_musd"]
    wto = load("wdi").query("indicator == 'TX.VAL.MRCH.CD.WT'").set_index(["iso3", "year"])["value"] / 1e6
    for iso3 in ("WLD", "CHN", "RUS", "USA"):
        for year in (2000, 2010, 2015, 2019):
            assert trade[year, iso3, "WLD"] == pytest.approx(wto[iso3, year], rel=0.06), (iso3, year)
    sections = load("sitc-sections-matrix")
    china = sections.query("year == 2015 and exporter == 'CHN'")
    parts = china[china["sitc_section"] != "TOTAL"]["value_usd"].sum()
    assert parts == pytest.approx(china[china["sitc_section"] == "TOTAL"]["value_usd"].sum(), rel=0.01)
    lall = load("china-russia-lall").query("year == 2015 and exporter == 'RUS'")["value_usd"].sum()
    chapters = load("russia-hs-chapters").query("year == 2015 and partner == 'CHN' and flow == 'export'")
    assert lall == pytest.approx(chapters["value_usd"].sum(), rel=0.01)


def test_the_totals_agree_with_customs_headlines():
    totals = load("china-russia-totals").query("reporter == 'CHN'").groupby("year")["value_usd"].sum() / 1e9
    headlines = load("gacc-headlines").set_index("year")["total_busd"]
    pd.testing.assert_series_equal(totals[headlines.index], headlines, check_names=False, rtol=1e-4)
