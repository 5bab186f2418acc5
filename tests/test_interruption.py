"""A build that is killed, hindered or doubled leaves the old pages or the new ones.

`benchmarks/interruption.py` interrupts more often.
"""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import time
from pathlib import Path

import pytest

from benchmarks import interruption
from benchmarks.interruption import Book, Found
from tools import build, execute
from tools.environment import ToolError
from tools.results import Results
from tools.server import open_server

# Windows has neither process groups that can be killed nor limits of the size of files.
pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills process groups")


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Book:
    return interruption.make_book(tmp_path_factory.mktemp("interruption") / "book", notebook=False)


@pytest.fixture
def turn(book: Book) -> tuple[str, str]:
    """The version that is built, and the one to build next."""
    built = next(version for version, pages in book.finished.items() if pages == book.pages())
    return built, "AB".replace(built, "")


def assert_sound(found: Found) -> None:
    assert found.sound, found


@pytest.fixture(scope="module")
def seconds(book: Book) -> float:
    """How long a build takes here."""
    built = next(version for version, pages in book.finished.items() if pages == book.pages())
    book.turn_to("AB".replace(built, ""))
    start = time.perf_counter()
    assert book.build()[0] == 0
    return time.perf_counter() - start


@pytest.mark.parametrize("part", [0.15, 0.55, 0.9])
def test_a_killed_build_leaves_whole_pages_and_the_next_one_works(book, seconds, turn, part):
    assert_sound(interruption.kill_at(book, part * seconds, *turn))


@pytest.mark.parametrize(("number", "code"), [(1, "EROFS"), (4, "ENOSPC"), (9, "ENOSPC")])
def test_a_disk_that_refuses_is_one_sentence(book, turn, number, code):
    found = interruption.refused_at(book, number, code, *turn)
    assert_sound(found)
    assert found.said == "one sentence" and found.how.endswith("exit 1"), found


def test_files_that_cannot_grow_are_one_sentence(book, turn):
    found = interruption.file_too_large(book, 30_000, *turn)
    assert_sound(found)
    assert found.said == "one sentence", found


def test_two_builds_at_once_both_end_well(book, turn):
    assert_sound(interruption.two_at_once(book, *turn))


def test_a_file_changed_while_the_book_is_built_is_built_in_next_time(book, turn):
    assert_sound(interruption.changed_meanwhile(book, *turn))


def test_a_clock_set_back_hides_no_change(book, turn):
    assert_sound(interruption.clock_set_back(book, *turn))


def test_a_taken_port_is_one_sentence(book):
    well, said = interruption.port_in_use(book)
    assert well, said


def test_what_is_left_is_looked_at(book, turn):
    """The questions are asked in earnest: damaged pages and touched sources are reported."""
    old, new = turn
    book.turn_to(new)
    page = book.site / "chapters" / "index.html"
    text = page.read_text("utf-8")
    page.write_text(text[: len(text) // 2], "utf-8")
    found = interruption.look(book, "half a page", old, new, "other sources")
    assert (found.served, found.sources, found.sound) == ("damaged", False, False)


# --- without building ------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the build takes for the repository, with old pages in place and new ones made."""
    places = {
        "BUILD": "",
        "SITE": "html",
        "WORK": "work",
        "RECORD": "build.json",
        "_NEW": "html.new",
        "_OLD": "html.old",
    }
    monkeypatch.setattr(build, "ROOT", tmp_path)
    for name, place in places.items():
        monkeypatch.setattr(build, name, tmp_path / "_build" / place)
    for place, text in (("html", "old"), ("made", "new")):
        (tmp_path / "_build" / place).mkdir(parents=True)
        (tmp_path / "_build" / place / "index.html").write_text(text)
    return tmp_path


@pytest.mark.parametrize("step", [1, 2, 3, 4])
@pytest.mark.parametrize("after", [False, True])
def test_new_pages_come_whole_wherever_the_renaming_stops(folder, monkeypatch, step, after):
    calls = 0

    def replace(source, target, real=os.replace):
        nonlocal calls
        calls += 1
        if calls == step and not after:
            raise KeyboardInterrupt
        real(source, target)
        if calls == step:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(build.os, "replace", replace)
        try:
            build._swap(folder / "_build" / "made")
        except KeyboardInterrupt:
            assert step < 4
    build._finish_swap()
    assert (build.SITE / "index.html").read_text() == ("new" if step > 3 or (step == 3 and after) else "old")
    assert not build._NEW.exists() and not build._OLD.exists()


def test_serving_between_two_renamings_finds_the_old_pages(folder):
    os.replace(build.SITE, build._OLD)
    with open_server(folder, 0) as other, pytest.raises(ToolError, match="cannot be used"):
        build.serve(other.server_port)
    assert (build.SITE / "index.html").read_text() == "old"


def kept(folder: Path) -> Results:
    """Results as jupyter-cache keeps them, of a notebook written as text."""
    results = Results(folder, build.WORK)
    (results.cache / "executed" / "k").mkdir(parents=True, exist_ok=True)
    (results.cache / "executed" / "k" / "base.ipynb").write_text("{}")
    (results.cache / "__version__.txt").write_text("1")
    (results.cache / "global.db").unlink(missing_ok=True)
    with sqlite3.connect(results.cache / "global.db") as base:
        base.execute("CREATE TABLE nbcache (hashkey TEXT)")
        base.execute("INSERT INTO nbcache VALUES ('k')")
    base.close()
    return results


def are_kept(results: Results) -> bool:
    """Whether the result is there once what cannot be used is dropped."""
    results.drop_outdated([], "basis")
    return (results.cache / "executed" / "k").is_dir()


@pytest.mark.parametrize(
    "harm",
    [
        lambda r: (r / "global.db").write_bytes(b""),
        lambda r: (r / "global.db").write_bytes((r / "global.db").read_bytes()[:4500]),
        lambda r: (r / "global.db").unlink(),
        lambda r: (r / "__version__.txt").unlink(),
        lambda r: (r / "executed" / "k" / "base.ipynb").write_text('{"cells": ['),
        lambda r: (r / "executed" / "k" / "base.ipynb").unlink(),
    ],
)
def test_half_of_the_kept_results_are_dropped(folder, harm):
    results = kept(folder)
    assert not are_kept(results)  # nobody had said on what they rest
    results = kept(folder)
    results.keep_untraced([], "basis")
    assert are_kept(results)
    harm(results.cache)
    assert not are_kept(results)
    assert not results.cache.exists()


def test_results_of_data_that_changed_meanwhile_are_disowned(folder):
    results = kept(folder)
    results.keep_untraced([], "basis")
    assert are_kept(results)
    results.drop_outdated([], "another basis")
    assert not (results.cache / "executed" / "k").exists()
    results = kept(folder)
    results.keep_untraced([], "basis")
    results.keep_untraced([], None)
    assert not are_kept(results)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "x.html"), "x.html could not be .* free some disk space"),
        (OSError(errno.EROFS, "Read-only file system"), "A file could not be .* a folder that can be written"),
        (PermissionError(errno.EACCES, "Permission denied", "/else/y"), "/else/y could not be .* the right to write"),
        (OSError(errno.EIO, "Input/output error"), "put that right"),
    ],
)
def test_what_a_disk_refuses_is_said_in_a_sentence(monkeypatch, capsys, error, says):
    def refuse() -> None:
        raise error

    monkeypatch.setattr(build, "build_book", refuse)
    assert build.main(["book"]) == 1
    said = capsys.readouterr().err.strip()
    assert interruption.one_sentence(said), said
    assert re.search(says, said), said


def test_data_that_are_not_in_order_stop_the_build_until_they_are(folder, monkeypatch, capfd):
    (folder / "data").mkdir()
    (folder / "data" / "datapackage.json").write_text("{}")
    answers = iter([1, 0])
    asked = []

    def run(command, **options):
        asked.append(command[2])
        return type("Done", (), {"returncode": next(answers)})

    monkeypatch.setattr(build.subprocess, "run", run)
    with pytest.raises(ToolError, match="The data are not in order"):
        build._check_data()
    build._check_data()
    build._check_data()  # nothing has changed since they were in order
    assert asked == ["tools.check_data"] * 2


def test_what_a_killed_execution_leaves_beside_a_notebook_goes_with_the_next(tmp_path):
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    path = tmp_path / "sample.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1 + 1")]), path)
    for name in (".sample-abc.tmp", ".other-abc.tmp"):
        (tmp_path / name).write_text("half")
    assert execute.execute(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".other-abc.tmp", "sample.ipynb"]
