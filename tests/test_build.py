"""A build does what is needed and nothing else, and ends in the bytes of a build from nothing, wherever it ran."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from smallbook import build, edit, small_book

from benchmarks import reproducible
from tools import check_site, kernel
from tools.environment import ROOT, ToolError
from tools.results import Inputs, Notebook, Results, inputs_of, read_notebook

# --- results of notebooks ------------------------------------------------------------------------------


def notebook(folder: Path, name: str, *cells: str) -> None:
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), folder / "chapters" / f"{name}.ipynb")


def describe(folder: Path, **tables: str) -> None:
    """A data package of small tables."""
    entries = [{"name": name, "path": f"{name}.csv", "rows": len(text)} for name, text in tables.items()]
    (folder / "data" / "datapackage.json").write_text(json.dumps({"title": "Small", "resources": entries}))
    for name, text in tables.items():
        (folder / "data" / f"{name}.csv").write_text(text)


_DATA = """
import json
from pathlib import Path
_CONSULTED = set()
def load(name):
    found = json.loads(Path("../data/datapackage.json").read_text())["resources"]
    _CONSULTED.add(name)
    return Path("../data", next(one["path"] for one in found if one["name"] == name)).read_text()
def consulted():
    return _CONSULTED
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory) -> Path:
    """A repository whose three notebooks have been executed once; copy it to change it."""
    folder = tmp_path_factory.mktemp("results") / "book"
    for name in ("chapters", "data", "tradebook"):
        (folder / name).mkdir(parents=True)
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "requirements.lock").write_text("one==1\n")
    (folder / "CITATION.cff").write_text("date-released: 2026-01-01\n")
    modules = {"__init__": "", "data": _DATA, "used": "from tradebook import below\n", "below": "N = 1\n"}
    for name, text in (
        modules | {"other": "N = 2\n", "slow": "import pkgutil\nlist(pkgutil.iter_modules(['../tradebook']))"}
    ).items():
        (folder / "tradebook" / f"{name}.py").write_text(text)
    (folder / "tradebook" / "__pycache__").mkdir()
    (folder / "tradebook" / "__pycache__" / "before.txt").write_text("")
    describe(folder, first="1", second="22", third="333")
    notebook(folder, "a", "from tradebook import data, used\nimport sys; sys.path[0]", "print(data.load('first'))")
    notebook(
        folder, "b", "from tradebook import data, other", "print(data.load('second'), open('../data/third.csv').read())"
    )
    notebook(folder, "c", "import os, sys", "print(open('a.ipynb').read()[:1])", "import tradebook.slow")
    results, books = book_of(folder)
    assert run_in(folder, results, books) == ["chapters/a", "chapters/b", "chapters/c"]
    return folder


def book_of(folder: Path) -> tuple[Results, list[Notebook]]:
    return Results(folder, folder / "_build" / "work"), [
        read_notebook(path, folder) for path in sorted((folder / "chapters").glob("*.ipynb"))
    ]


def run_in(folder: Path, results: Results, books: list[Notebook]) -> list[str]:
    """Execute what must be, with the tools of that folder; names of what was."""
    waiting = results.drop_outdated(books, "basis")
    if waiting:
        before = os.environ.get("PYTHONPATH", "")
        assert results.execute(waiting, timeout=60, workers=2, settings={"PYTHONPATH": str(folder)}) > 0
        assert os.environ.get("PYTHONPATH", "") == before
    return [one.name for one in waiting]


@pytest.fixture
def book(executed: Path, tmp_path: Path) -> Path:
    """A copy of the repository at the same place in the eyes of its notebooks: all its paths are relative."""
    return Path(shutil.copytree(executed, tmp_path / "book"))


def waiting(folder: Path) -> list[str]:
    """The notebooks that would be executed now; nothing is dropped."""
    results, books = book_of(folder)
    now = Inputs(folder)
    return [one.name.removeprefix("chapters/") for one in books if not results.is_current(one, now)]


def test_a_kept_result_says_what_it_rests_on(book: Path):
    results, (a, b, c) = book_of(book)
    assert waiting(book) == []
    assert {
        "file:tradebook/used.py",
        "file:tradebook/below.py",
        "table:first",
        "file:data/first.csv",
        "packages",
    } <= set(results.record(a)["inputs"])
    assert not {"table:second", "file:data/second.csv", "file:tradebook/other.py"} & set(results.record(a)["inputs"])
    assert {"table:second", "file:data/third.csv"} <= set(
        results.record(b)["inputs"]
    )  # one read without being declared
    assert "file:chapters/a.ipynb" in results.record(c)["inputs"]
    assert not any("tools/" in name or "_build" in name for name in results.record(c)["inputs"])


def change(text: str):
    return lambda path: path.write_text(text)


@pytest.mark.parametrize(
    ("path", "do", "again"),
    [
        ("data/first.csv", change("9"), ["a"]),
        ("data/second.csv", change("99"), ["b"]),
        ("data/third.csv", Path.unlink, ["b"]),
        ("tradebook/below.py", change("N = 3\n"), ["a"]),  # imported by another module
        ("tradebook/other.py", change("N = 3\n"), ["b"]),
        ("tradebook/slow.py", change("N = 3\n"), ["c"]),  # imported by the last cell
        ("tradebook/__init__.py", change("N = 3\n"), ["a", "b", "c"]),
        ("tradebook/new.py", change(""), ["a", "b", "c"]),  # may stand before another
        ("requirements.lock", change("one==2\n"), ["a", "b", "c"]),
        ("chapters/page.md", change("# Text\n"), []),
        ("tests/test_x.py", change("assert True\n"), []),
    ],
)
def test_exactly_what_rests_on_a_changed_file_is_executed_again(book: Path, path: str, do, again: list[str]):
    (book / path).parent.mkdir(exist_ok=True)
    do(book / path)
    assert waiting(book) == again


def test_the_description_of_a_table_concerns_those_who_asked_for_it(book: Path):
    describe(book, first="1", second="22", third="333")
    assert waiting(book) == []
    package = json.loads((book / "data/datapackage.json").read_text())
    package["resources"][1]["rows"] = 99
    (book / "data/datapackage.json").write_text(json.dumps(package))
    assert waiting(book) == ["b"]
    package["title"] = "Other"
    (book / "data/datapackage.json").write_text(json.dumps(package))
    assert waiting(book) == ["a", "b"]
    read = {"files": ["data/datapackage.json"], "listed": [], "tables": ["*"]}
    assert "file:data/datapackage.json" in inputs_of(read)  # who asks for all of it rests on all of it


def test_code_counts_and_text_does_not(book: Path):
    path = book / "chapters" / "b.ipynb"
    content = nbformat.read(path, as_version=4)
    content.cells.append(nbformat.v4.new_markdown_cell("Text."))
    nbformat.write(content, path)
    assert waiting(book) == []
    content.cells[0].source += "\n# a remark"
    nbformat.write(content, path)
    assert waiting(book) == ["b"]


def test_an_altered_or_unfounded_result_is_not_used(book: Path, monkeypatch: pytest.MonkeyPatch):
    results, (a, b, _) = book_of(book)
    stored = results.cache / "executed" / results.record(a)["key"] / "base.ipynb"
    stored.write_text(stored.read_text().replace("1", "2", 1))
    (results.records / f"{b.name}.json").write_text('{"code": ')
    assert waiting(book) == ["a", "b"]
    monkeypatch.setenv("TRADEBOOK_FLOWS", "/elsewhere")  # then notebooks read what nobody watches
    assert waiting(book) == ["a", "b", "c"]


def test_a_change_while_a_notebook_runs_disowns_its_result(book: Path):
    notebook(book, "b", "import pathlib, tradebook.other as o", "pathlib.Path(o.__file__).write_text('N = 7\\n')")
    results, books = book_of(book)
    assert run_in(book, results, books) == ["chapters/b"]
    assert len(results.disowned) == 1
    assert waiting(book) == ["b"]
    results.keep_untraced(books, "basis")
    assert run_in(book, Results(book, results.work), books) == ["chapters/b"]  # nobody takes it for one of Sphinx's own


def test_a_failing_notebook_is_shown_and_takes_no_other_with_it(book: Path, capsys):
    notebook(book, "b", "import tradebook.other", "1 / 0")
    (book / "data" / "first.csv").write_text("5")
    results, books = book_of(book)
    with pytest.raises(ToolError, match=r"correct b\.ipynb \(above\)"):
        run_in(book, results, books)
    assert "ZeroDivisionError" in capsys.readouterr().out
    assert waiting(book) == ["b"]
    assert not (results.work / "running").exists()


def test_data_out_of_order_end_the_execution(book: Path):
    for name in ("a", "b", "c", "d"):
        notebook(book, name, "import time; time.sleep(60)")
    results, books = book_of(book)
    before = set(psutil.Process().children(recursive=True))

    def check() -> None:
        time.sleep(1)  # until the first notebook runs
        raise ToolError("The data are not in order.")

    with pytest.raises(ToolError, match="not in order"):
        results.execute(results.drop_outdated(books, ""), 90, 2, check, {"PYTHONPATH": str(book)})
    left = set(psutil.Process().children(recursive=True)) - before
    assert psutil.wait_procs(left, timeout=30)[1] == []  # nor does anybody begin with the next notebook


def test_files_outside_the_book_are_none_of_its_inputs():
    assert kernel._inside(str(ROOT / "data" / "x.csv")) == "data/x.csv"
    for path in (os.devnull, str(ROOT / "_build" / "x"), str(ROOT / ".venv" / "x"), str(ROOT.parent / "x")):
        assert kernel._inside(path) is None


# --- pages -----------------------------------------------------------------------------------------------


def written(folder: Path) -> int:
    """How many pages the last run has written."""
    log = (folder / "_build" / "build.log").read_text("utf-8")
    return len({line.split()[-1] for line in log.replace("\r", "\n").splitlines() if "writing output... [" in line})


def other_than_from_nothing(book: Path) -> list[str]:
    """The files of a built book that a build of the same from nothing makes otherwise."""
    other = reproducible.copy_book(book, book.with_name("from nothing"))
    built = build(other)
    assert built.returncode == 0, built.stdout
    sites = [place / "_build" / "html" for place in (book, other)]
    found = [f"{name} {reproducible.where(*(s / name for s in sites))}" for name in reproducible.differences(*sites)]
    shutil.rmtree(other)
    return found


def test_a_build_after_edits_ends_in_the_bytes_of_a_build_from_nothing(tmp_path: Path):
    book = small_book(tmp_path / "book")
    assert "There is no complete book yet" in (first := build(book, "pages")).stdout and first.returncode == 0
    edit(book, "two", "See", "Please see")
    pages = build(book, "pages")
    assert pages.returncode == 0 and "`make book` renews them" in pages.stdout
    assert "Please see" in (book / "_build/html/chapters/two.html").read_text("utf-8")
    assert (book / "_build/html/downloads/tradebook.epub").is_file()
    # A reference that leads nowhere is an error each time, although it stands on a page that was not touched.
    edit(book, "one", "(there)=", "(gone)=")
    for _ in range(2):
        broken = build(book)
        assert broken.returncode == 1 and "undefined label: 'there'" in broken.stdout and "two.md" in broken.stdout
    edit(book, "one", "(gone)=\n## A part", "(there)=\n## Another part")  # shown by another page
    edit(book, "three", "# Three", "# Drei")  # shown by all pages
    assert build(book).returncode == 0
    assert other_than_from_nothing(book) == []
    edit(book, "two", "Please see", "See")
    assert build(book).returncode == 0
    assert written(book) < 4
    assert "Nothing to do" in build(book).stdout
    assert other_than_from_nothing(book) == []


def test_a_page_is_read_again_by_its_content_not_by_its_date(tmp_path: Path):
    book = small_book(tmp_path / "book", search=True)
    assert build(book).returncode == 0
    path = book / "chapters" / "two.md"
    path.write_text(path.read_text().replace("# Two", "# Second").replace("See", "Look"))
    os.utime(path, (86_400, 86_400))
    assert build(book).returncode == 0
    assert "Look" in (book / "_build/html/chapters/two.html").read_text("utf-8")
    assert other_than_from_nothing(book) == []  # nor does Sphinx's index keep words that are gone


# --- the same everywhere ---------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="has no file mask and no processors to choose")
def test_two_builds_in_other_places_under_other_settings_are_the_same(tmp_path: Path):
    lines = list(reproducible.compare(small_book(tmp_path / "source"), tmp_path / "two"))
    assert [line for line in lines if line.startswith("DIFFERENT")] == []
    assert int(next(line for line in lines if "files compared" in line).split()[0]) > 20
    names = [line.split()[2] for line in lines if line.startswith("built in")]
    assert len(set(names)) == 2


def test_the_comparison_finds_what_differs(tmp_path: Path):
    for name, text in (("a", "one"), ("b", "two")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "same.txt").write_text("same")
        (tmp_path / name / "page.html").write_text(f"<p>{text}")
        (tmp_path / name / f"{name}.css").write_text("")
        with zipfile.ZipFile(tmp_path / name / "x.zip", "w") as archive:
            archive.writestr("inside.txt", text)
    one, other = tmp_path / "a", tmp_path / "b"
    assert reproducible.differences(one, other) == ["a.css", "b.css", "page.html", "x.zip"]
    assert reproducible.where(one / "page.html", other / "page.html").startswith("byte 3: b'<p>one'")
    assert "inside.txt" in reproducible.where(one / "x.zip", other / "x.zip")
    assert "only in one" in reproducible.where(one / "a.css", other / "a.css")


def test_a_build_may_know_the_day_and_use_the_one_of_the_release(tmp_path: Path):
    later = reproducible.other_day(tmp_path)
    if not later:
        pytest.skip("no C compiler to turn the clock with")
    code = "import datetime, time; print(time.time(), datetime.date.today())"
    now = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    then = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | later, capture_output=True, text=True, check=True, timeout=60
    )
    assert float(then.stdout.split()[0]) - float(now.stdout.split()[0]) > reproducible.NEXT_YEAR - 1
    assert then.stdout.split()[1] != now.stdout.split()[1]


# --- checks --------------------------------------------------------------------------------------------


def test_what_was_read_of_a_page_is_used_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    site, keep = tmp_path / "site", tmp_path / "read.json"
    site.mkdir()
    page = '<html lang="en"><title>T</title><main><img src="a.png" alt="x"><a href="#b">b</a><figure class="tb-figure">'
    for name in ("a", "b"):
        (site / f"{name}.html").write_text(page + name)
    fresh = check_site.Site(site, keep).pages
    asked: list[str] = []
    parse = check_site.parse
    monkeypatch.setattr(check_site, "parse", lambda text: asked.append(text[-1]) or parse(text))
    assert check_site.Site(site, keep).pages == fresh and not asked
    (site / "b.html").write_text(page + "c")
    check_site.Site(site, keep)
    assert asked == ["c"]
    keep.write_text("{ half")
    assert check_site.Site(site, keep).pages["a.html"] == fresh["a.html"]
