"""`tradebook refresh` against the documented forms of the publishers' answers, served on this machine, with faults."""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.publishers import NAMES, Fault, Publishers, bomb, form
from tools.environment import ROOT
from tradebook import cli, control, data, refresh
from tradebook.refresh import Around, RefreshError, changes, files, vintages
from tradebook.refresh.catalogue import REFRESHABLE, why_not
from tradebook.refresh.door import MIRROR
from tradebook.refresh.worldbank import UNITS

TODAY = date(2026, 11, 22)
KEY = "0123456789abcdef-the-key"
SMALL = """
economies wdi-indicators wdi yuan-rate world-groups russia-hs-chapters russia-totals-imts china-energy-imports
""".split()
ECONOMIES = ["CHN", "RUS", "USA", "DEU", "WLD"]
INDICATORS = ["NY.GDP.MKTP.CD", "NY.GDP.MKTP.KD.ZG", "SP.POP.TOTL"]


def cut_down(name: str) -> pd.DataFrame:
    """A table of the book, or the part of it that is enough here."""
    frame = data.load(name)
    if name in {"wdi", "world-groups"}:
        frame = frame[(frame["year"] >= 2008) & frame["indicator"].isin(INDICATORS)]
    if name == "wdi":
        frame = frame[frame["iso3"].isin(ECONOMIES)]
    if name == "world-groups":
        frame = frame[frame["group"].isin(["WLD", "EAS", "HIC"])]
    if name == "wdi-indicators":
        frame = frame[frame["indicator"].isin(INDICATORS)]
    if name == "russia-totals-imts":
        frame = frame[frame["partner"].isin(["CHN", "DEU", "IND", "PSE", "TUR", "USA"])]
    if name == "russia-hs-chapters":
        frame = frame[(frame["year"] == frame["year"].max()) & (frame["partner"] == "CHN")]
    if name == "china-energy-imports":
        frame = frame[(frame["year"] >= 2021) & (frame["hs6"] == "270900")]
    return frame.reset_index(drop=True)


@pytest.fixture(scope="session")
def originals(tmp_path_factory) -> Path:
    """A small data package: written once, copied for each test."""
    folder = tmp_path_factory.mktemp("book") / "data"
    folder.mkdir()
    resources = []
    for name in SMALL:
        resource, frame = data._resource(name), cut_down(name)
        content = files.table_bytes(frame, resource["format"])
        (folder / resource["path"]).write_bytes(content)
        new = {**resource, "bytes": len(content), "hash": files.checksum(content)}
        resources.append(new | control.describe_rows(frame, resource["schema"]["fields"]))
    package = {**data.package(), "resources": resources}
    (folder / "datapackage.json").write_text(json.dumps(package), "utf-8")
    return folder


@pytest.fixture
def book(originals, tmp_path, monkeypatch) -> Path:
    """The folder of a small data package that a test may refresh."""
    folder = tmp_path / "data"
    shutil.copytree(originals, folder)
    monkeypatch.setenv("TRADEBOOK_DATA", str(folder))
    yield folder
    data._read_package.cache_clear()
    data._load.cache_clear()


@pytest.fixture
def world(book):
    """The publishers, with data that are somewhat newer than the book's."""
    with Publishers() as server:
        wdi = data.load("wdi")
        newer = pd.DataFrame(
            {"iso3": ["RUS", "CHN"], "year": 2026, "indicator": "SP.POP.TOTL", "value": [143e6, 1403e6]}
        )
        groups = data.load("world-groups").rename(columns={"group": "iso3"})[["iso3", "year", "indicator", "value"]]
        yuan = data.load("yuan-rate").rename(columns={"yuan_per_usd": "value"})
        yuan = yuan.assign(iso3="CHN", indicator="PA.NUS.FCRF")
        channel = newer.head(1).assign(iso3="CHI", value=1e5)
        server.wdi = pd.concat([wdi, newer, groups[groups["iso3"] != "WLD"], yuan, channel], ignore_index=True)
        revised = (
            (server.wdi["iso3"] == "CHN") & (server.wdi["year"] == 2023) & (server.wdi["indicator"] == INDICATORS[0])
        )
        server.wdi.loc[revised, "value"] *= 1.02
        imts = data.load("russia-totals-imts")
        flows = {"export": "XG_FOB_USD", "import": "MG_CIF_USD"}
        imts = imts.assign(reporter="RUS", flow=imts["flow"].map(flows), value_usd=imts["value_musd"] * 1e6)
        more = pd.DataFrame({"year": [2025, 2025], "partner": ["CHN", "TX799"], "reporter": "RUS", "flow": "XG_FOB_USD",
                             "value_usd": [1.25e11, 9e11]})  # fmt: skip
        server.imts = pd.concat([imts.drop(columns="value_musd").replace({"partner": {"PSE": "WBG"}}), more])
        oil = data.load("china-energy-imports").rename(columns={"exporter": "partner", "hs6": "product"})
        oil = oil.assign(flow="M", partner=oil["partner"].replace("TWN", "S19"))
        extra = pd.DataFrame({"year": [2025] * 3, "partner": ["RUS", "W00", "_X"], "product": "270900", "flow": "M",
                              "value_usd": [6e10, 3e11, 5.0]})  # fmt: skip
        server.comtrade = pd.concat([oil, extra], ignore_index=True)
        yield server


@pytest.fixture
def around(world):
    """Surroundings without real waiting: `pauses` lists what would have been waited for."""
    pauses: list[float] = []
    made = Around(
        sleep=pauses.append, clock=lambda: 0.0, today=lambda: TODAY, random=random.Random(7),
        environ={MIRROR: world.address}, timeout=(30.0, 30.0), attempts=4,
    )  # fmt: skip
    made.pauses = pauses
    return made


def run(names, around, **options) -> list[str]:
    """The lines that a refresh says."""
    lines: list[str] = []
    refresh.refresh([names] if isinstance(names, str) else names, around, say=lines.append, **options)
    return lines


def contents(folder: Path) -> dict[str, str]:
    """Checksums of all files of a folder, without locks."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def forget() -> None:
    data._read_package.cache_clear()
    data._load.cache_clear()


# --- what it is for -------------------------------------------------------------------------------


def test_a_vintage_is_stored_beside_the_old_and_the_book_stays_as_it_is(book, world, around):
    before = contents(book)
    lines = run("wdi", around)
    assert contents(book) == before
    folder = book.parent / "vintages" / "wdi" / "2026-10-15"
    package = json.loads((folder / "datapackage.json").read_text("utf-8"))
    (resource,) = package["resources"]
    assert resource["vintage"] == "15 October 2026" and "15 October 2026" in resource["sources"][0]["title"]
    assert resource["coverage"]["years"] == [2008, 2026]
    assert next(f for f in resource["schema"]["fields"] if f["name"] == "year")["constraints"]["maximum"] == 2026
    new = data._read(folder / resource["path"], resource)
    assert len(new) == resource["rows"] == len(data.load("wdi")) + 2
    assert "CHI" not in set(new["iso3"]) and "EAS" not in set(new["iso3"])  # the Channel Islands; a group
    text = "\n".join(lines)
    assert "2 rows added, 0 removed, 1 values revised" in text
    assert "NY.GDP.MKTP.CD CHN 2023" in text and "(+2.0%)" in text
    assert "tradebook refresh wdi --accept" in text
    assert [p.name for p in (book.parent / "vintages").iterdir() if p.name not in {".lock", ".fetched"}] == ["wdi"]


def test_accept_takes_the_stored_vintage_without_asking_again(book, world, around):
    run("wdi", around)
    world.asked.clear()
    lines = run("wdi", around, accept=True)
    assert not world.asked
    forget()
    assert data.load("wdi")["year"].max() == 2026
    assert data.describe("wdi")["vintage"] == "15 October 2026"
    assert any("execute again" in line and "01-big-data-context.ipynb" in line for line in lines)
    usual = {data._resource(name)["path"] for name in SMALL} | {"datapackage.json"}
    assert {path.name for path in book.iterdir()} == usual
    assert run("wdi", around, offline=True) == ["wdi: no newer vintage is stored"]
    assert run("wdi", around) == ["wdi: 15 October 2026 is the newest vintage"]


def test_nothing_is_stored_when_nothing_has_changed(book, world, around):
    assert run("yuan-rate", around) == ["yuan-rate: nothing has changed since 1 July 2026"]
    assert run("wdi-indicators", around) == ["wdi-indicators: nothing has changed since 1 July 2026"]
    assert not list((book.parent / "vintages").rglob("datapackage.json"))
    for world.updated in ("2026-07-01", "2026-06-30"):
        assert run("wdi", around) == ["wdi: 1 July 2026 is the newest vintage"]


def test_units_are_checked_with_the_rows_of_the_world(book, world, around):
    run("wdi-indicators", around)
    asked = [path for path, _, _ in world.asked if "/series/" in path]
    assert len(asked) == len(INDICATORS) and all("/country/WLD/" in path for path in asked)
    shutil.rmtree(book.parent / "vintages")
    world.wdi = world.wdi[(world.wdi["iso3"] != "WLD") | (world.wdi["indicator"] != "SP.POP.TOTL")]
    with pytest.raises(RefreshError, match=r"sent no values of SP\.POP\.TOTL for the world"):
        run("wdi-indicators", around)


def test_a_vintage_of_this_date_is_not_fetched_again(book, world, around):
    first = run(["wdi", "russia-totals-imts"], around)
    world.asked.clear()
    lines = run(["wdi", "russia-totals-imts"], around)
    assert lines[0] == "wdi: the vintage of 15 October 2026 was fetched before"
    assert lines[2:] == first and not asked_for("/series/", world) and not asked_for("sdmx", world)
    world.updated = "2026-11-01"
    assert "fetched before" not in "\n".join(run("wdi", around))


def test_a_stored_vintage_older_than_the_books_is_not_accepted(book, world, around):
    run("wdi", around)
    package = json.loads((book / "datapackage.json").read_text("utf-8"))
    (resource,) = (r for r in package["resources"] if r["name"] == "wdi")
    resource["vintage"] = "1 November 2026"  # as if the book had been updated since
    (book / "datapackage.json").write_text(json.dumps(package), "utf-8")
    forget()
    before = contents(book)
    assert run("wdi", around, offline=True) == ["wdi: no newer vintage is stored"]
    assert run("wdi", around, accept=True) == ["wdi: 1 November 2026 is the newest vintage"]
    assert contents(book) == before


def test_a_date_is_read_as_it_is_written():
    for when in (TODAY, date(2026, 7, 1), date(2024, 2, 29)):
        assert vintages.date_of(vintages.day(when)) == when
    for text in ("end 2021", "July 2026", "2025", "2023–24", "31 June 2026", "about 1 July 2026"):
        assert vintages.date_of(text) is None


def test_groups_keep_the_names_of_the_book(book, world, around):
    world.wdi.loc[(world.wdi["iso3"] == "EAS") & (world.wdi["year"] == 2024), "value"] *= 1.01
    run("world-groups", around)
    folder = book.parent / "vintages" / "world-groups" / "2026-10-15"
    new = pd.read_csv(folder / "world-groups.csv")
    assert set(new["name"]) == set(data.load("world-groups")["name"])


def test_the_imf_in_millions_without_its_regions(book, world, around):
    text = "\n".join(run("russia-totals-imts", around))
    assert "1 rows added, 0 removed, 0 values revised" in text
    new = pd.read_csv(book.parent / "vintages" / "russia-totals-imts" / "2026-11-22" / "russia-totals-imts.csv")
    assert new.loc[new["year"] == 2025].to_dict("records") == [
        {"year": 2025, "partner": "CHN", "flow": "export", "value_musd": 125000.0}
    ]
    (asked,) = [path for path, _, _ in world.asked]
    assert "/data/IMF.STA,IMTS,1.0.0/RUS.XG_FOB_USD+MG_CIF_USD..A?" in asked


def test_comtrade_without_a_key_asks_one_year_and_product_at_a_time(book, world, around):
    text = "\n".join(run("china-energy-imports", around))
    assert "1 rows added, 0 removed, 0 values revised" in text
    assert [query["period"] for _, query, _ in world.asked] == ["2021", "2022", "2023", "2024", "2025"]
    assert all("/public/v1/preview/C/A/HS" in path and query["maxRecords"] == "500" for path, query, _ in world.asked)
    assert around.pauses == [1.1] * 4  # its pace


def test_several_tables_at_once_and_all_by_default(book, world, around):
    lines = run([], around)
    assert {path.parent.name for path in (book.parent / "vintages").glob("*/*") if path.name[0] != "."} >= {
        "wdi", "russia-totals-imts", "china-energy-imports",
    }  # fmt: skip
    assert any("refresh wdi russia-totals-imts china-energy-imports --accept" in line for line in lines)


def put_claims(book: Path, *wanted: str) -> pd.DataFrame:
    """Give the small book a register of these statements."""
    register = pd.read_csv(ROOT / "data" / "claims" / "thesis.csv", dtype=str, keep_default_na=False)
    some = register.set_index("claim_id", drop=False).loc[list(wanted)]
    (book / "claims").mkdir()
    some.to_csv(book / "claims" / "thesis.csv", index=False)
    return some


def test_verdicts_that_flip_are_named(book, world, around):
    """A small register: two statements rest on China's growth in 2017, the third on that of 2016, which stays."""
    some = put_claims(book, "thesis-1.3-030", "thesis-1.3-037", "thesis-1.3-015")
    assert some["check"].str.startswith("gdp_growth(economy='CHN'").all()
    cell = (world.wdi["indicator"] == INDICATORS[1]) & (world.wdi["iso3"] == "CHN") & (world.wdi["year"] == 2017)
    world.wdi.loc[cell, "value"] = 6.5
    lines = run("wdi", around)
    at = lines.index("2 verdicts and 0 other recomputed values change.")
    flips = {line.split()[0]: " ".join(line.split()[4:]) for line in lines[at + 1 : at + 3]}
    assert flips["thesis-1.3-030"].endswith("→ confirmed")
    assert flips["thesis-1.3-037"] == "confirmed → contradicted"


def test_data_that_no_statement_can_be_checked_with_are_not_accepted(book, world, around):
    put_claims(book, "thesis-1.3-037")
    cell = (world.wdi["indicator"] == INDICATORS[1]) & (world.wdi["iso3"] == "CHN") & (world.wdi["year"] == 2017)
    world.wdi = world.wdi[~cell]
    before = contents(book)
    with pytest.raises(RefreshError, match=r"the book's statements fails with these data .* cannot be accepted"):
        run("wdi", around, accept=True)
    assert contents(book) == before


# --- faults that pass ------------------------------------------------------------------------------

PASSING = {
    "too many requests": Fault(429, {"Retry-After": "7"}),
    "server error": Fault(500),
    "bad gateway with a web page": Fault(502, change=lambda body: b"<html>Bad gateway</html>"),
    "service unavailable": Fault(503, times=2),
    "connection broken in the middle": Fault(cut=True),
    "data cut off": Fault(change=lambda body: body[: len(body) // 2]),
    "slow": Fault(wait=3.0),
}


def asked_for(where: str, world) -> int:
    """Requests for data; the clients remember some of what they ask for besides."""
    return sum(where in path for path, _, _ in world.asked)


@pytest.mark.parametrize("name", PASSING)
@pytest.mark.parametrize(
    ("table", "where"), [("yuan-rate", "series"), ("china-energy-imports", "preview"), ("russia-totals-imts", "sdmx")]
)
def test_what_passes_is_tried_again(book, world, around, name, table, where):
    run(table, around)
    asked, found = asked_for(where, world), contents(book.parent / "vintages")
    shutil.rmtree(book.parent / "vintages")
    fault = PASSING[name]
    times = fault.times
    world.faults = [Fault(fault.status, dict(fault.headers), fault.change, fault.cut, fault.wait, where, times)]
    world.asked.clear()
    around.pauses.clear()
    if fault.wait:
        around.timeout = (1.0, 1.0)
    run(table, around)
    again = asked_for(where, world) - asked
    assert again == times or (fault.wait and again > times)  # a busy machine may be slow once more
    assert contents(book.parent / "vintages") == found  # byte for byte what it is without the fault
    if fault.status == 429:
        assert 7.0 in around.pauses


def test_pauses_grow_differ_and_can_be_repeated(book, world, around):
    def pauses() -> list[float]:
        around.pauses.clear()
        around.random = random.Random(3)
        world.faults = [Fault(500, where="series", times=99)]
        with pytest.raises(RefreshError, match="answered with status 500, 4 times in a row; nothing was changed"):
            run("yuan-rate", around)
        return [pause for pause in around.pauses if pause >= 1]

    first = pauses()
    assert len(first) == 3
    assert all(2**i <= pause <= 1.5 * 2**i for i, pause in enumerate(first))
    assert any(pause % 1 for pause in first) and pauses() == first


@pytest.mark.parametrize("asked", ["3600", "Sun, 29 Nov 2099 10:00:00 GMT"])
def test_a_long_wait_is_left_to_the_user(book, world, around, asked):
    world.faults = [Fault(429, {"Retry-After": asked}, where="series")]
    with pytest.raises(RefreshError, match=r"The World Bank asks to wait \d+ minutes; nothing was changed"):
        run("yuan-rate", around)


def test_no_network_is_one_sentence(book, world, around):
    around.environ = {MIRROR: "http://127.0.0.1:9"}
    before = contents(book)
    with pytest.raises(RefreshError, match="cannot be reached, 4 times in a row") as caught:
        run("wdi", around)
    assert "\n" not in str(caught.value) and contents(book) == before


# --- several tables, one of which fails ------------------------------------------------------------


@pytest.mark.parametrize("accept", [False, True])
def test_a_table_that_fails_does_not_hold_up_the_others(book, world, around, accept):
    world.faults = [Fault(change=lambda body: b"<html></html>", where="series", times=9)]
    before, lines = contents(book), []
    with pytest.raises(RefreshError) as caught:
        refresh.refresh(["wdi", "yuan-rate", "russia-totals-imts"], around, say=lines.append, accept=accept)
    assert str(caught.value).startswith("wdi, yuan-rate: The World Bank sent a web page")
    assert len(str(caught.value).splitlines()) == 1
    assert "  1 rows added, 0 removed, 0 values revised" in lines
    assert lines[-1].endswith("To replace them: tradebook refresh russia-totals-imts --accept")
    assert lines[-1].startswith("Not all tables could be had") == accept
    assert (book.parent / "vintages/russia-totals-imts/2026-11-22").is_dir() and contents(book) == before


def test_each_reason_has_its_line(book, world, around):
    world.faults = [Fault(change=lambda body: b"<html></html>", where=where, times=9) for where in ("series", "IMTS")]
    with pytest.raises(RefreshError) as caught:
        run(["yuan-rate", "russia-totals-imts"], around)
    assert [line.split()[0] for line in str(caught.value).splitlines()] == ["yuan-rate:", "russia-totals-imts:"]


def test_a_damaged_vintage_does_not_hide_the_others(book, world, around):
    run(["wdi", "russia-totals-imts"], around)
    (book.parent / "vintages/wdi/2026-10-15/datapackage.json").write_text("{")
    lines: list[str] = []
    with pytest.raises(RefreshError, match=r"^wdi: .* is damaged; delete it and fetch again"):
        refresh.refresh(["wdi", "russia-totals-imts"], around, say=lines.append, offline=True)
    assert "  1 rows added, 0 removed, 0 values revised" in lines


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_publisher_that_refuses_everybody_is_not_asked_for_its_other_tables(book, world, around, status):
    around.environ["COMTRADE_KEY"] = KEY
    quota = json.dumps(form("comtrade-refusal.json")).encode()
    fault = Fault(status, {"Retry-After": "3600"} if status == 429 else {}, lambda body: quota, where="comtrade")
    fault.times = 99
    world.faults = [fault]
    with pytest.raises(RefreshError, match=r"^russia-hs-chapters, china-energy-imports: UN Comtrade"):
        run(["russia-hs-chapters", "china-energy-imports", "yuan-rate"], around)
    assert asked_for("comtrade", world) == (around.attempts if status == 500 else 1)
    assert asked_for("series", world)


# --- faults that do not pass -----------------------------------------------------------------------


def edited(change):
    """A fault that changes the parsed answer."""

    def on_bytes(body: bytes) -> bytes:
        answer = json.loads(body)
        return json.dumps(change(answer) or answer).encode()

    return on_bytes


def rows_of(answer) -> list[dict]:
    return answer["source"]["data"] if "source" in answer else answer["data"]


def every(**values):
    """A change of the same fields in every row."""
    return edited(lambda answer: [row.update(values) for row in rows_of(answer)] and None)


def variable(position: int, **values):
    return edited(lambda answer: [row["variable"][position].update(values) for row in rows_of(answer)] and None)


def scaled(factor: float, name: str):
    return edited(lambda answer: [row.update({name: row[name] * factor}) for row in rows_of(answer)] and None)


def renamed(old: str, new: str):
    return edited(lambda answer: [row.update({new: row.pop(old)}) for row in rows_of(answer)] and None)


SCRIPT = "<script>alert(1)</script>"
BAD_JSON = {
    "web page": (lambda body: b"<!DOCTYPE html><html>Sorry</html>", "sent a web page instead of data"),
    "NaN": (lambda body: body.replace(b'"value": ', b'"value": NaN, "was": ', 1), "NaN, which is no finite number"),
    "Infinity": (lambda body: body.replace(b'"page": 1', b'"page": -Infinity', 1), "no finite number"),
    "too large a number": (lambda body: body.replace(b'"page": 1', b'"page": 1e999', 1), "no finite number"),
    "a field twice": (lambda body: body.replace(b'"page": 1', b'"page": 1, "page": 2', 1), "a field twice"),
    "nested without end": (lambda body: b"[" * 300_000 + b"]" * 300_000, "nested without end"),
    "not an object": (lambda body: b"42", "another form than it documents"),
    "refusal": (lambda body: json.dumps(form("worldbank-refusal.json")).encode(), "refuses the request"),
    "no rows": (edited(lambda a: rows_of(a).clear()), "no observations"),
    "renamed field": (renamed("value", "Value"), "without code or value"),
    "renamed list": (edited(lambda a: a["source"].update(observations=a["source"].pop("data"))), "no observations"),
    "other concept": (variable(0, concept="Province"), "something else than economy"),
    "text as value": (every(value="12"), "is '12' and not a number"),
    "truth as value": (every(value=True), "is 'True' and not a number"),
    "a list as value": (every(value=[1]), "not a number"),
    "script as economy": (variable(0, id=SCRIPT), "does not match"),
    "unknown economy": (variable(0, id="QQQ"), "another year|repeated keys|“QQQ”"),
    "another indicator": (variable(1, id="SP.POP.TOTL"), "came for"),
    "another unit by name": (variable(1, value="GDP (constant 2015 US$)"), "unit or definition may have changed"),
    "a long text": (variable(0, id="A" * 1000), "without code or value"),
    "script as name": (variable(1, value=SCRIPT), "unit or definition may have changed"),
    "year to come": (variable(2, id="YR2099", value="2099"), "year 2099|repeated keys"),
    "thousand times": (scaled(1000.0, "value"), "the unit or definition has changed"),
    "endless pages": (edited(lambda a: a.update(total=10**15)), "total is"),
    "pages of nothing": (edited(lambda a: a.update(per_page=0)), "pages without rows"),
}


def refused(name: str, fault: Fault, sentence: str, world, around, book) -> None:
    """The table is refused in one sentence, safe to print, and nothing is left behind but whole pieces."""
    before = contents(book)
    world.faults = [fault]
    with pytest.raises(RefreshError, match=sentence) as caught:
        run(name, around)
    said = str(caught.value)
    assert len(said.splitlines()) == 1 and len(said) < 300 and "<" not in said
    assert contents(book) == before
    assert not list((book.parent / "vintages").rglob("datapackage.json"))
    assert not list((book.parent / "vintages").rglob(".part-*"))


@pytest.mark.parametrize("name", BAD_JSON)
def test_the_world_bank_is_not_believed(book, world, around, name):
    change, sentence = BAD_JSON[name]
    refused("wdi", Fault(change=change, where="series/NY.GDP.MKTP.CD", times=9), sentence, world, around, book)


BAD_RECORDS = {
    "renamed field": (renamed("primaryValue", "value"), "a record has no primaryValue"),
    "error in words": (edited(lambda a: a.update(error="Something " + SCRIPT)), "reports an error"),
    "text as value": (every(primaryValue="1"), "not a number"),
    "no value": (every(primaryValue=None), "a record without a value"),
    "another reporter": (every(reporterCode=842), "another reporter, year or breakdown"),
    "another year": (every(period="1999"), "another reporter, year or breakdown"),
    "by mode of transport": (every(motCode=2100), "another reporter, year or breakdown"),
    "another flow": (every(flowCode="X"), "was not asked for"),
    "script as partner": (every(partnerISO=SCRIPT), "a partner is called"),
    "a long text": (every(partnerISO="A" * 1000), "not a short text"),
    "unknown partner": (every(partnerISO="QQQ"), "comes twice"),
    "nested": (every(primaryValue={"a": 1}), "a record within a record"),
    "thousandth": (scaled(0.001, "primaryValue"), "the unit or definition has changed"),
    "negative": (scaled(-1.0, "primaryValue"), "below the least possible value"),
    "no records": (edited(lambda a: a.update(data=None)), "no records"),
    "nothing": (edited(lambda a: a.update(data=[])), "no rows|without"),
}


@pytest.mark.parametrize("name", BAD_RECORDS)
def test_comtrade_is_not_believed(book, world, around, name):
    change, sentence = BAD_RECORDS[name]
    refused("china-energy-imports", Fault(change=change, where="preview", times=99), sentence, world, around, book)


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
BAD_XML = {
    "web page": (lambda body: b"<!doctype html><html></html>", "a web page instead of data"),
    "not XML": (lambda body: b'{"data": []}', "no XML"),
    "entities": (lambda body: ENTITIES + body.partition(b"?>")[2], "defines entities"),
    "nested without end": (
        lambda body: body.replace(b"<Group ", b"<Group>" * 5000 + b"</Group>" * 5000 + b"<Group ", 1),
        "nested without end",
    ),
    "another message": (lambda body: body.replace(b"StructureSpecificData", b"Structure"), "no SDMX data"),
    "a dimension renamed": (lambda body: body.replace(b"COUNTERPART_COUNTRY=", b"PARTNER="), "no COUNTERPART_COUNTRY"),
    "another reporter": (lambda body: body.replace(b'COUNTRY="RUS"', b'COUNTRY="USA"'), "else than was asked"),
    "monthly": (lambda body: body.replace(b'FREQUENCY="A"', b'FREQUENCY="M"'), "something else than was asked"),
    "text as value": (lambda body: body.replace(b'OBS_VALUE="', b'OBS_VALUE="x'), "and not a number"),
    "infinite": (lambda body: body.replace(b'OBS_VALUE="', b'OBS_VALUE="1e999" A="', 1), "not finite"),
    "script as partner": (
        lambda body: body.replace(b'COUNTERPART_COUNTRY="CHN"', b'COUNTERPART_COUNTRY="&lt;script&gt;"'),
        "a partner is called",
    ),
    "unknown partner": (
        lambda body: body.replace(b'COUNTERPART_COUNTRY="CHN"', b'COUNTERPART_COUNTRY="QQQ"'), "“QQQ”, which table"
    ),
    "millions as dollars": (
        lambda body: re.sub(rb'OBS_VALUE="(.*?)"', lambda m: b'OBS_VALUE="%g"' % (float(m[1]) / 1e6), body),
        "the unit or definition has changed",
    ),
    "series only": (lambda body: body.replace(b"<Obs ", b"<Not "), "another form|no rows"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_XML)
def test_the_imf_is_not_believed(book, world, around, name):
    change, sentence = BAD_XML[name]
    refused("russia-totals-imts", Fault(change=change, where="IMTS", times=9), sentence, world, around, book)


@pytest.mark.parametrize(
    ("table", "where"), [("yuan-rate", "series"), ("china-energy-imports", "preview"), ("russia-totals-imts", "IMTS")]
)
def test_a_bomb_does_not_go_off(book, world, around, table, where, monkeypatch):
    module = importlib.import_module(REFRESHABLE[table].open(data.load(table), around).__module__)
    (name,) = [name for name, value in vars(module).items() if value is REFRESHABLE[table].publisher]
    monkeypatch.setattr(module, name, replace(REFRESHABLE[table].publisher, largest=1 << 20))
    packed = bomb(3 << 20)
    assert len(packed) < 1 << 13
    fault = Fault(headers={"Content-Encoding": "gzip"}, change=lambda body: packed, where=where, times=9)
    refused(table, fault, "more than 1 MB in one answer", world, around, book)


def test_a_redirect_is_not_followed(book, world, around):
    fault = Fault(302, {"Location": "http://127.0.0.1:9/elsewhere"}, where="series")
    refused("yuan-rate", fault, "sends the request on to another address", world, around, book)


def test_a_quota_is_not_pressed(book, world, around):
    quota = json.dumps(form("comtrade-refusal.json")).encode()
    fault = Fault(403, change=lambda body: quota, where="preview", times=9)
    refused("china-energy-imports", fault, "its quota is used up", world, around, book)
    assert len(world.asked) == 1


def test_an_answer_cut_at_the_limit_is_not_taken_for_whole(book, world, around):
    many = pd.DataFrame({"year": 2022, "partner": [f"{i:03d}" for i in range(700)], "product": "270900", "flow": "M",
                         "value_usd": 1.0})  # fmt: skip
    world.comtrade = pd.concat([world.comtrade, many], ignore_index=True)
    with pytest.raises(RefreshError, match="cut off its answer for CHN in 2022 at 500 rows; set COMTRADE_KEY"):
        run("china-energy-imports", around)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda rows: rows[rows["year"] < 2020], r"without \d+% of the rows"),
        (lambda rows: rows.assign(value_usd=rows["value_usd"].where(rows.index % 9 > 0, 7.0)), "factor of 3"),
        (lambda rows: rows[rows["flow"] != "MG_CIF_USD"], r"without \d+% of the rows"),
        (
            lambda rows: pd.concat([rows, rows.tail(5).assign(partner="PSE"), rows.tail(5).assign(partner="WBG")]),
            "twice",
        ),
    ],
)
def test_a_vintage_that_cannot_be_newer_is_not_believed(book, world, around, damage, sentence):
    world.imts = damage(world.imts.reset_index(drop=True))
    with pytest.raises(RefreshError, match=sentence):
        run("russia-totals-imts", around)
    assert not list((book.parent / "vintages").rglob("datapackage.json"))


# --- interruptions ---------------------------------------------------------------------------------


def test_an_interrupted_run_goes_on_where_it_stopped(book, world, around, monkeypatch):
    run("wdi", around)
    whole = contents(book.parent / "vintages")
    shutil.rmtree(book.parent / "vintages")
    world.faults = [Fault(times=2, where="series"), Fault(500, where="series", times=9)]
    with pytest.raises(RefreshError, match="what was fetched before is kept"):
        run("wdi", around)
    kept = list((book.parent / "vintages" / ".fetched" / "wdi").glob("*.parquet"))
    assert len(kept) == 2
    kept[0].write_bytes(kept[0].read_bytes()[:-20])  # a piece that was damaged since
    world.faults, world.asked = [], []
    lines = run("wdi", around)
    assert "wdi: 1 of the pieces that were kept are damaged and are fetched again" in lines
    assert "wdi: 1 of 3 pieces were fetched before" in lines
    assert sum("/series/" in path for path, _, _ in world.asked) == 2
    assert contents(book.parent / "vintages") == whole


@pytest.mark.parametrize("what", ["edition", "age", "state"])
def test_pieces_of_another_edition_are_not_mixed_in(book, world, around, what):
    world.faults = [Fault(times=2, where="series"), Fault(500, where="series", times=9)]
    with pytest.raises(RefreshError):
        run("wdi", around)
    if what == "edition":
        world.updated = "2026-11-20"
    elif what == "age":
        around.today = lambda: date(2026, 12, 1)
    else:
        (book.parent / "vintages/.fetched/wdi/state.json").write_text('{"edition": "2026-')
    world.faults, world.asked = [], []
    run("wdi", around)
    assert sum("/series/" in path for path, _, _ in world.asked) == 3


def test_an_interruption_by_hand_leaves_only_whole_files(book, world, around):
    before = contents(book)

    def progress(pieces, label):
        class Bar:
            def __enter__(self):
                def some():
                    yield from pieces[:2]
                    raise KeyboardInterrupt

                return some()

            def __exit__(self, *_):
                return False

        return Bar()

    with pytest.raises(KeyboardInterrupt):
        run("wdi", around, progress=progress)
    assert contents(book) == before
    assert not list((book.parent / "vintages").rglob(".part-*"))
    world.asked.clear()
    run("wdi", around)
    assert sum("/series/" in path for path, _, _ in world.asked) == 1


def test_two_refreshes_at_once(book, world, around):
    with files.alone(vintages.home()), pytest.raises(RefreshError, match="Another refresh of these data is running"):
        run("wdi", around)
    with files.alone(vintages.home()):
        done = in_a_process(book, world, "yuan-rate")
    assert done.returncode == 1 and "Another refresh" in done.stderr
    run("yuan-rate", around)  # the lock is free again


class PowerCutError(Exception):
    """Stands for one."""


def test_an_accept_can_be_interrupted_at_each_step(book, world, around, originals):
    run(["wdi", "russia-totals-imts"], around)
    start = book.parent / "start"
    shutil.copytree(book, start)
    found = [vintages.newest(name) for name in ("wdi", "russia-totals-imts")]
    steps: list[str] = []
    vintages.accept(found, steps.append)
    assert len(steps) == 8, steps
    old, new = contents(start), contents(book)
    assert old != new and old.keys() == new.keys()
    rows_old = {"wdi": 2025, "russia-totals-imts": 2024}
    rows_new = {"wdi": 2026, "russia-totals-imts": 2025}
    for number in range(len(steps)):
        shutil.rmtree(book)
        shutil.copytree(start, book)
        forget()
        done: list[str] = []

        def stop(step: str, number=number, done=done) -> None:
            if len(done) == number:
                raise PowerCutError
            done.append(step)

        with pytest.raises(PowerCutError):
            vintages.accept(found, stop)
        forget()
        last = {name: int(data.load(name)["year"].max()) for name in rows_old}  # whole, at every moment
        assert last == (rows_old if number <= steps.index("switch") else rows_new), steps[number]
        for name in data.tables():
            data.load(name)
        finished = vintages.recover()
        assert contents(book) == (new if last == rows_new else old), steps[number]
        assert bool(finished) <= (last == rows_new)


def test_the_next_run_finishes_an_accept(book, world, around):
    run("wdi", around)

    def stop(step: str) -> None:
        if step == "name":
            raise PowerCutError

    with pytest.raises(PowerCutError):
        run("wdi", around, accept=True, before=stop)
    forget()
    assert run("yuan-rate", around)[0] == "wdi: an interrupted --accept has been finished"
    assert data.load("wdi")["year"].max() == 2026 and not list(book.glob("*.accepted.*"))


def test_an_altered_vintage_is_not_accepted(book, world, around):
    run("yuan-rate", around)
    run("russia-totals-imts", around)
    path = book.parent / "vintages/russia-totals-imts/2026-11-22/russia-totals-imts.csv"
    path.write_bytes(path.read_bytes().replace(b"125000.0", b"925000.0"))
    before = contents(book)
    with pytest.raises(RefreshError, match="has been altered since it was fetched"):
        run("russia-totals-imts", around, accept=True)
    assert contents(book) == before


# --- the key ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [None, Fault(500, times=99), Fault(401, times=9), Fault(cut=True, times=99)])
def test_the_key_is_sent_in_a_header_and_kept_nowhere(book, world, around, caplog, capsys, fault):
    caplog.set_level(logging.DEBUG)
    around.environ["COMTRADE_KEY"] = KEY
    world.faults = [fault] if fault else []
    lines: list[str] = []
    try:
        refresh.refresh(["china-energy-imports"], around, say=lines.append)
        assert fault is None
    except RefreshError as error:
        assert fault is not None
        while error is not None:
            lines.append(repr(error))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert world.asked and all(headers["Ocp-Apim-Subscription-Key"] == KEY for _, _, headers in world.asked)
    assert all("/data/v1/get/C/A/HS" in path and KEY not in path for path, _, _ in world.asked)
    printed = "".join(capsys.readouterr())
    written = b"".join(p.read_bytes() for p in book.parent.rglob("*") if p.is_file())
    assert caplog.text  # there is a log at this level, and it does not hold the key
    assert KEY not in "\n".join(lines) + printed + caplog.text and KEY.encode() not in written


def test_no_key_goes_to_the_others(book, world, around):
    around.environ["COMTRADE_KEY"] = KEY
    run(["yuan-rate", "russia-totals-imts"], around)
    assert not any(KEY in str(asked) for asked in world.asked)


@pytest.mark.parametrize("key", [{}, {"COMTRADE_KEY": " "}])
def test_a_table_that_needs_a_key_says_so_before_anything_is_asked(book, world, around, key):
    around.environ |= key
    for ask in (run, refresh.plan):
        with pytest.raises(
            RefreshError, match=r"“russia-hs-chapters” needs a key .* environment variable COMTRADE_KEY"
        ):
            ask(["wdi", "russia-hs-chapters"], around)
    assert not world.asked


def test_without_names_a_table_without_its_key_is_left_out(book, world, around):
    start = "russia-hs-chapters: left out, since it needs a key"
    lines = run([], around)
    assert sum(line.startswith(start) for line in lines) == 1
    assert "russia-hs-chapters --accept" not in lines[-1] and "china-energy-imports --accept" in lines[-1]
    planned = refresh.plan([], around)
    assert planned[0].startswith(start) and any(line.startswith("wdi: ") for line in planned)
    around.environ["COMTRADE_KEY"] = KEY
    assert not any(line.startswith(start) for line in refresh.plan([], around))


def test_only_this_machine_may_stand_for_the_publishers(book, around):
    around.environ[MIRROR] = "http://example.org"
    with pytest.raises(RefreshError, match="must be an address on this machine"):
        run("yuan-rate", around)


# --- the command -----------------------------------------------------------------------------------


def test_the_command(book, world, monkeypatch):
    monkeypatch.setenv(MIRROR, world.address)

    def said(*arguments: str) -> str:
        done = CliRunner().invoke(cli.app, ["refresh", *arguments], catch_exceptions=False)
        assert done.exit_code == 0
        return done.output

    listed = said("--list")
    assert "The World Bank (with wbgapi)" in listed and "economies                        no: " in listed
    assert "wdi: 3 requests or more to api.worldbank.org" in said("wdi", "--dry-run")
    assert "no newer vintage is stored" in said("wdi", "--offline")
    assert not world.asked
    assert "1 rows added" in said("russia-totals-imts")
    world.asked.clear()
    assert "1 rows added" in said("russia-totals-imts", "--offline")
    assert "the book now uses the vintage of " in said("russia-totals-imts", "--accept")
    assert not world.asked


def in_a_process(book: Path, world, *arguments: str) -> subprocess.CompletedProcess:
    environ = {**os.environ, "TRADEBOOK_DATA": str(book), MIRROR: world.address}
    words = [sys.executable, "-m", "tradebook.cli", "refresh", *arguments]
    return subprocess.run(words, env=environ, capture_output=True, text=True, encoding="utf-8", check=False)


def test_an_error_of_the_command_is_one_sentence(book, world):
    wrong = in_a_process(book, world, "economies")
    assert wrong.returncode == 1 and wrong.stdout == ""
    assert len(wrong.stderr.splitlines()) == 1 and "Table “economies” cannot be refreshed: it " in wrong.stderr


def test_a_missing_client_is_one_sentence(book, world, around, monkeypatch):
    monkeypatch.setattr(refresh, "find_spec", lambda name: None if name == "sdmx" else name)
    with pytest.raises(RefreshError, match="The package sdmx1 is not installed"):
        run(["yuan-rate", "russia-totals-imts"], around)
    assert not world.asked  # it is missed before the first table is fetched


def test_the_words_of_an_audit_are_read_as_they_are_written(tmp_path, monkeypatch):
    options: dict = {}
    monkeypatch.setattr(changes.subprocess, "Popen", lambda command, **given: options.update(given))
    changes._audit(tmp_path, tmp_path / "audit.csv")
    assert options["env"]["PYTHONUTF8"] == "1" and options["encoding"] == "utf-8"


# --- the catalogue ---------------------------------------------------------------------------------


def test_every_table_can_be_refreshed_or_has_a_reason():
    assert set(REFRESHABLE) <= set(data.tables())
    assert all(why_not(name) for name in data.tables() if name not in REFRESHABLE)


def test_units_are_known_for_all_indicators_and_agree_with_the_book():
    names = [name for name, entry in REFRESHABLE.items() if entry.publisher.client == "wbgapi" and name != "yuan-rate"]
    used = set().union(*(data.load(name)["indicator"].unique() for name in names)) | {"PA.NUS.FCRF"}
    assert used == set(UNITS)
    assert all(UNITS[code] in name.lower() for code, name in NAMES.items())
    units = data.load("wdi-indicators").set_index("indicator")["unit"]
    for code, unit in units.items():
        if unit.startswith("%") or unit.startswith("current US$"):
            assert UNITS[code] == unit.lower().removesuffix(" (bop)"), code


@pytest.mark.parametrize("name", sorted(REFRESHABLE))
def test_the_rows_of_a_publisher_become_the_rows_of_the_table(name, around):
    """What the table has, put in the publisher's form and back, is the table again."""
    os.environ.pop("TRADEBOOK_DATA", None)
    forget()
    old = data.load(name).head(20000) if name == "bilateral-trade" else data.load(name)
    entry = REFRESHABLE[name]
    if entry.publisher.client == "wbgapi":
        rows = old.rename(columns={"group": "iso3", "yuan_per_usd": "value"})
    elif entry.publisher.client == "comtradeapicall":
        codes = {vintage: code for code, vintage in refresh.catalogue.HS.items()}
        names = {"exporter": "partner", "hs6": "product", "hs_chapter": "product", "sitc_division": "product"}
        rows = old.rename(columns=names)
        rows["classification"] = rows["hs_vintage"].map(codes) if "hs_vintage" in rows else "H6"
    elif name == "bilateral-trade":
        sold = {"exporter": "reporter", "importer": "partner", "exporter_reported_fob_musd": "value_musd"}
        bought = {"importer": "reporter", "exporter": "partner", "importer_reported_cif_musd": "value_musd"}
        parts = [(sold, "export"), (bought, "import")]
        rows = pd.concat([old.rename(columns=n).assign(flow=flow).dropna(subset="value_musd") for n, flow in parts])
        rows = rows[["reporter", "partner", "flow", "year", "value_musd"]]
    else:
        rows = old.assign(reporter="RUS")
    key = data._resource(name)["schema"]["primaryKey"]
    shaped = entry.shape(rows, old)
    assert not changes.compare(old, shaped, key)
    assert changes.compare(old, shaped.iloc[1:], key)
