"""Forks of chapters: what they hold, what is refused, that nothing is overwritten or left behind; the command line."""

from __future__ import annotations

import ast
import errno
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import frictionless
import nbformat
import pytest
import yaml
from typer.testing import CliRunner

from tradebook import cli
from tradebook.coursework import adequacy, forks, pins, rewriting
from tradebook.coursework.chapters import ROOT, CaseError, chapter, chapters, make_case
from tradebook.data import load, package
from tradebook.suggest import closest

run = CliRunner().invoke
GERMANY_KAZAKHSTAN = {"EXPORTER": "DEU", "PARTNER": "KAZ"}
OTHERS = {
    1: {"FIRST": "IND", "SECOND": "BRA"},
    2: GERMANY_KAZAKHSTAN,
    3: {"EXPORTER": "KOR"},
    4: {"FIRST": "DEU", "SECOND": "KOR"},
    5: {"COMPANY": "Cisco"},
}


def case_of(number: int):
    return make_case(chapter(number), OTHERS[number])


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> forks.Fork:
    """The quickest fork there is, made as the command makes it: run in a kernel of its own."""
    return forks.fork(case_of(5), tmp_path_factory.mktemp("forks") / "cisco")


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> Path:
    """A fork of chapter 2 that was not run."""
    return forks.fork(case_of(2), tmp_path_factory.mktemp("forks") / "pair", check=False).folder


# --- what a fork holds ----------------------------------------------------------------------------------------------


def test_a_fork_is_a_folder_of_its_own(made):
    names = {path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*") if path.is_file()}
    assert {
        "huawei.ipynb", "README.md", "LICENSE", "LICENSE-text", "CITATION.cff", "requirements.txt", "references.bib",
        "_config.yml", "_toc.yml", ".gitignore", ".github/workflows/check.yml", "data/datapackage.json",
        "appendices/data.md", "appendices/sources.md", "_static/tradebook.css", "tradebook/data.py",
    } <= names  # fmt: skip
    assert not [name for name in names if re.search(r"claims|checks|test|__pycache__|fork_commands|\.tmp", name)]
    assert made.figures >= 5 and made.checked
    assert [path.name for path in made.folder.parent.iterdir()] == ["cisco"]  # no temporary folder is left
    if os.name != "nt":
        mask = os.umask(0)
        os.umask(mask)
        assert made.folder.stat().st_mode & 0o777 == 0o777 & ~mask


def test_its_files_name_no_machine_and_no_other_case(made, pair):
    for folder in (made.folder, pair):
        for path in folder.rglob("*"):
            if path.suffix in {".md", ".yml", ".ipynb", ".txt", ".py", ".cff", ".json"}:
                text = path.read_text("utf-8")
                assert str(ROOT) not in text and str(folder) not in text and not re.search(r"<<\w+>>", text), path
    notebook = (made.folder / made.notebook).read_text("utf-8")
    assert not re.search(r"the thesis\b|THESIS_CASE|\{claim\}|tb-case|tb-fork", notebook)


def test_the_notebook_is_the_chapter_for_the_case_without_outputs(pair):
    notebook = nbformat.read(pair / "bilateral-trade.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    parameters = next(cell for cell in code if "parameters" in cell.metadata.get("tags", []))
    values = {s.targets[0].id: s.value.value for s in ast.parse(parameters.source).body}
    assert values == {"EXPORTER": "DEU", "PARTNER": "KAZ", "ORIGIN": 2017}
    assert notebook.cells[0].source.startswith("# Bilateral trade: Germany and Kazakhstan\n")
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "tb-prompt" in text and "_CASE" not in text
    numbers = re.findall(r'name="(fig|tab)-[^"]*",\s*number="2\.(\d+)"', text)
    for kind in ("fig", "tab"):
        found = [int(number) for which, number in numbers if which == kind]
        assert found == list(range(1, len(found) + 1))


def test_the_data_are_a_valid_package_with_the_same_tables(made):
    folder = made.folder / "data"
    report = frictionless.Package(str(folder / "datapackage.json")).validate()
    assert report.valid, report.flatten(["note"])
    descriptor = json.loads((folder / "datapackage.json").read_text("utf-8"))
    known = {resource["name"]: resource for resource in package()["resources"]}
    assert {r["path"] for r in descriptor["resources"]} | {"datapackage.json"} == {p.name for p in folder.iterdir()}
    for resource in descriptor["resources"]:
        assert resource == known[resource["name"]]
        assert "sha256:" + hashlib.sha256((folder / resource["path"]).read_bytes()).hexdigest() == resource["hash"]
        for key in resource["schema"].get("foreignKeys", []):
            assert key["reference"]["resource"] in {r["name"] for r in descriptor["resources"]} | {""}
    page = (made.folder / "appendices" / "data.md").read_text("utf-8")
    assert all(f"({name})=" in page for name in made.tables)


def test_a_slice_follows_references():
    names = [resource["name"] for resource in forks.slice_of_data(["company-figures"])["resources"]]
    assert {"company-figures", "companies", "economies"} <= set(names)


def test_requirements_are_the_books_own_and_only_what_is_needed(pair):
    known = pins.read_pins(ROOT / "requirements.txt")
    wanted = pins.read_pins(pair / "requirements.txt")
    assert wanted.items() <= known.items()
    assert {"pandas", "pyfixest", "statsmodels", "jupyter-book", "jupyterlab", "pyarrow", "colorama"} <= set(wanted)
    assert not {"pytest", "playwright", "typst", "resvg-py", "networkx", "ecomplexity"} & set(wanted)


def test_only_cited_works_go_along(pair):
    notebook = json.loads((pair / "bilateral-trade.ipynb").read_text("utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    keys = set(re.findall(r"^@\w+\{([^,]+),", (pair / "references.bib").read_text("utf-8"), re.M))
    assert keys == rewriting.citations(notebook["cells"]) and "anderson2003" in keys


def test_it_is_configured_as_a_book_of_its_own(pair):
    config = yaml.safe_load((pair / "_config.yml").read_text("utf-8"))
    contents = yaml.safe_load((pair / "_toc.yml").read_text("utf-8"))
    pages = [contents["root"], *(entry["file"] for entry in contents["chapters"])]
    assert all((pair / f"{page}{'.ipynb' if page == pages[0] else '.md'}").is_file() for page in pages)
    for name in config["sphinx"]["local_extensions"]:
        assert (pair / "_ext" / f"{name}.py").is_file()
    own = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["sphinx"]["config"]
    its = config["sphinx"]["config"]
    same = set(own) & set(its) - {"extensions", "html_sidebars", "html_theme_options"}
    assert len(same) > 12 and all(own[key] == its[key] for key in same)
    assert yaml.safe_load((pair / "CITATION.cff").read_text("utf-8"))["references"][0]["title"]
    yaml.safe_load((pair / ".github" / "workflows" / "check.yml").read_text("utf-8"))


def test_a_fork_runs_without_the_book(made):
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-m", "tradebook.cli", "tables"], cwd=made.folder, env=env, capture_output=True, text=True,
        encoding="utf-8",
    )  # fmt: skip
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(made.tables)
    for table in made.tables:  # into a file goes UTF-8, whatever the system would choose
        done = subprocess.run(
            [sys.executable, "-m", "tradebook.cli", "describe", table], cwd=made.folder, capture_output=True,
            env={**env, "PYTHONIOENCODING": "ascii"},
        )  # fmt: skip
        assert done.returncode == 0 and "caveats:" in done.stdout.decode("utf-8"), done.stderr
    again = subprocess.run(
        [sys.executable, "-m", "tradebook.cli", "fork", "2"], cwd=made.folder, env=env, capture_output=True, text=True,
        encoding="utf-8",
    )  # fmt: skip
    assert again.returncode == 1 and "needs the repository of the book" in again.stderr


# --- prompts and code -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", OTHERS)
def test_prompts_fit_the_chapter_and_nothing_of_its_own_case_is_left(number):
    case = case_of(number)
    texts = rewriting.prompts(case.chapter)
    notebook = rewriting.forked_notebook(case, texts)
    assert rewriting.left_over(notebook, case) == []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            ast.parse(cell["source"])
    # The other way round: a text that is taken away is missed, one for no cell is noticed.
    tagged = [
        c["id"] for c in case.chapter.notebook["cells"]
        if c["cell_type"] == "markdown" and "case" in c["metadata"].get("tags", [])
    ]  # fmt: skip
    with pytest.raises(rewriting.RewritingError, match=f"no text for {tagged[0]}"):
        rewriting.forked_notebook(case, {key: text for key, text in texts.items() if key != tagged[0]})
    with pytest.raises(rewriting.RewritingError, match="no cell md-nowhere"):
        rewriting.forked_notebook(case, texts | {"md-nowhere": "?"})


def test_without_prompts_the_words_of_the_case_are_found():
    case = case_of(2)
    notebook = {
        "cells": [
            {"cell_type": "markdown", "id": "a", "source": "China sold more. {cite}`thesis2018`"},
            {"cell_type": "code", "id": "b", "source": 'title = f"{x} is what the thesis says"  # nothing'},
            {"cell_type": "code", "id": "c", "source": 'key = "China"'},
            {"cell_type": "markdown", "id": "d", "source": "A thesis {cite}`thesis2018` is a text."},
        ]
    }
    assert [found.partition(":")[0] for found in rewriting.left_over(notebook, case)] == ["a", "b"]
    mine = make_case(chapter(2), {"EXPORTER": "CHN", "PARTNER": "KAZ"})
    assert [found.partition(":")[0] for found in rewriting.left_over(notebook, mine)] == ["b"]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("if THESIS_CASE:\n    a = 1\nb = 2", "b = 2"),
        ("if THESIS_CASE:\n    a = 1\nelse:\n    a = 2\n    c = 3", "a = 2\nc = 3"),
        ("if not OWN_CASE:\n    a = 1", "a = 1"),
        ("def f():\n    if OWN_CASE:\n        a = 1\n", "def f():\n    pass"),
        ('t = "x" + ("ё; the thesis" if THESIS_CASE else "")', 't = "x"'),
        ('show(note="é" if THESIS_CASE else f"{a}")', 'show(note=f"{a}")'),
        ("if THESIS_CASE and a:\n    b = 1\nc = 1", "c = 1"),
        ("a = 1 if b else 2", "a = 1 if b else 2"),
    ],
)
def test_branches_of_the_own_case_are_cut_out(source, wanted):
    assert rewriting.without_branches(source).strip() == wanted


def test_references_to_pages_that_are_not_there_become_text_or_links():
    text = "See [the rule](appendices/methods.md#a) and {ref}`there <far>`, {ref}`here <near>`.{claim}`x-1`"
    plain = rewriting._without_references(text, {"near"}, "")
    assert plain == "See the rule and there, {ref}`here <near>`."
    linked = rewriting._without_references(text, {"near"}, "https://example.org/book/")
    assert "[the rule](https://example.org/book/chapters/appendices/methods.html#a)" in linked


# --- refusals, and nothing left behind ------------------------------------------------------------------------------


def test_a_target_that_exists_is_left_as_it_is(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "work.txt").write_text("mine")
    with pytest.raises(forks.ForkError, match="exists already"):
        forks.fork(case_of(5), kept)
    assert (kept / "work.txt").read_text() == "mine" and [p.name for p in tmp_path.iterdir()] == ["kept"]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(forks.ForkError, match="exists already"):
        forks.fork(case_of(5), empty)


def test_a_target_that_appears_meanwhile_is_left_as_it_is(tmp_path, monkeypatch):
    target = tmp_path / "target"
    finish = forks._finish
    monkeypatch.setattr(forks, "_finish", lambda *a: (target.write_text("mine"), finish(*a))[1])
    with pytest.raises(forks.ForkError, match="meantime"):
        forks.fork(case_of(5), target, check=False)
    assert target.read_text() == "mine" and [p.name for p in tmp_path.iterdir()] == ["target"]


def test_a_missing_parent_and_the_books_own_folder_are_refused(tmp_path):
    with pytest.raises(forks.ForkError, match="does not exist"):
        forks.fork(case_of(5), tmp_path / "a" / "b")
    with pytest.raises(forks.ForkError, match="inside the book's own folder"):
        forks.fork(case_of(5), ROOT / "chapters" / "mine")


@pytest.mark.parametrize("wrong", ["a cell fails", "the disk is full", "stopped"])
def test_whatever_goes_wrong_nothing_is_left(tmp_path, monkeypatch, wrong):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    def stopped(*arguments):
        raise KeyboardInterrupt

    if wrong == "the disk is full":
        monkeypatch.setattr(forks.shutil, "copyfile", full)
        expected, sentence = forks.ForkError, "no room left"
    elif wrong == "stopped":
        monkeypatch.setattr(forks, "run_notebook", stopped)
        expected, sentence = KeyboardInterrupt, None
    else:
        write = forks.write_fork

        def broken(case, folder):
            name = write(case, folder)
            notebook = json.loads((folder / name).read_text("utf-8"))
            notebook["cells"].insert(2, {
                "cell_type": "code", "id": "broken", "metadata": {}, "source": "1 / 0", "outputs": [],
                "execution_count": None,
            })  # fmt: skip
            (folder / name).write_text(json.dumps(notebook), "utf-8")
            return name

        monkeypatch.setattr(forks, "write_fork", broken)
        expected, sentence = forks.ForkError, "ZeroDivisionError"
    with pytest.raises(expected, match=sentence):
        forks.fork(case_of(5), tmp_path / "target")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Ctrl+C is sent in another way")
def test_ctrl_c_leaves_nothing(tmp_path):
    command = [sys.executable, "-m", "tradebook.cli", "fork", "5", "--company", "Cisco", "--to", str(tmp_path / "t")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as started:
        until = time.monotonic() + 60
        while not list(tmp_path.iterdir()) and started.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=60)
    assert started.returncode not in (0, 2) and "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="needs a plain user")
def test_a_folder_that_may_not_be_written_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(forks.ForkError, match="cannot be written"):
        forks.fork(case_of(5), tmp_path / "target")
    tmp_path.chmod(0o700)


def test_what_is_missing_is_said():
    thin = make_case(chapter(2), {"EXPORTER": "Nauru", "PARTNER": "Tuvalu"})
    said = adequacy.missing(thin)
    assert said.startswith("Nauru and Tuvalu: too little data") and "that Nauru reports" in said and "17 needed" in said
    assert adequacy.missing(case_of(2)) == ""
    late = make_case(chapter(2), GERMANY_KAZAKHSTAN | {"ORIGIN": 2020})
    assert "such years after 2020: 0, 1 needed" in adequacy.missing(late)


def test_requirements_are_counted_from_the_tables():
    from tradebook import bilateral

    trade = bilateral.totals("DEU", "KAZ")
    theirs = bilateral.reported_by(trade, "KAZ", home="DEU")
    run_of = bilateral.unbroken(bilateral.reported_by(trade, "DEU", home="DEU")["total"])
    counted = {need.what: need.found for need in adequacy.needs(case_of(2))}
    assert counted["years of trade that Kazakhstan reports in both directions"] == len(theirs)
    assert counted["years of trade that Germany reports in both directions, in a row up to 2017"] == len(
        run_of.loc[:2017]
    )
    assert counted["such years after 2017"] == len(run_of.loc[2018:])


def test_a_case_must_make_sense():
    two = chapter(2)
    for given, sentence in (
        ({"EXPORTER": "DEU", "PARTNER": "Germany"}, "paired with itself"),
        ({"EXPORTER": "USSR", "PARTNER": "DEU"}, "of the past"),
        ({"EXPORTER": "WLD", "PARTNER": "DEU"}, "not an economy"),
        ({"EXPORTER": "DEU"}, "needs PARTNER"),
    ):
        with pytest.raises(CaseError, match=sentence):
            make_case(two, given)
    turned = make_case(two, {"EXPORTER": "KAZ", "PARTNER": "de"})
    assert turned.subjects == ["KAZ", "DEU"] and turned.title.endswith("Kazakhstan and Germany")


# --- pairs ----------------------------------------------------------------------------------------------------------


def test_pairs_are_distinct_adequate_balanced_and_the_same_each_time():
    two = chapter(2)
    dealt = adequacy.deal(two, 30, 7)
    assert dealt.equals(adequacy.deal(two, 30, 7)) and not dealt.equals(adequacy.deal(two, 30, 8))
    assert dealt.iloc[:10].equals(adequacy.deal(two, 10, 7))
    assert len({frozenset(row) for row in dealt[["exporter", "partner"]].itertuples(index=False)}) == 30
    sides = dealt["continents"].str.split("–").explode().value_counts()
    assert len(sides) == 5 and sides.max() - sides.min() <= 3
    for row in dealt.iloc[::6].itertuples():
        assert adequacy.missing(make_case(two, {"EXPORTER": row.exporter, "PARTNER": row.partner})) == ""
    # Written down once: the deal must not change with a version of Python or pandas.
    assert dealt.iloc[:3, :2].to_numpy().tolist() == [["GHA", "NOR"], ["JAM", "MEX"], ["KWT", "SYR"]]


def test_too_many_pairs_and_other_chapters_are_refused():
    with pytest.raises(adequacy.PairsError, match="pairs have enough data"):
        adequacy.deal(chapter(2), 100_000, 1)
    with pytest.raises(adequacy.PairsError, match="not about two economies"):
        adequacy.deal(chapter(5), 3, 1)


# --- command line ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["fork", "2", "--exporter", "Germny", "--partner", "KAZ"], 1, "Did you mean DEU (Germany)?"),
        (["fork", "bilateral", "--exporter", "DEU", "--partner", "KAZ"], 1, "Did you mean 2 (Bilateral trade)?"),
        (["fork", "5", "--company", "Nokja"], 1, "Did you mean Nokia?"),
        (["fork", "2", "--exporter", "DEU", "--partner", "DE"], 1, "paired with itself"),
        (["fork", "2", "--exporter", "Nauru", "--partner", "TV"], 1, "too little data"),
        (["fork", "2", "--exporter", "DEU"], 2, "--partner"),
        (["fork"], 2, "name a chapter"),
        (["fork", "2", "--exporter", "DEU", "--partner", "KAZ", "--company", "Cisco"], 2, "no such parameter"),
        (["fork", "2", "--exporter", "DEU", "--first", "FRA", "--partner", "KAZ"], 2, "given twice"),
        (["fork", "2", "--exporter", "DEU", "--partner", "KAZ", "--origin", "soon"], 2, "--origin"),
        (["pairs", "--seed", "7", "--n", "0"], 2, "--n"),
        (["audit", "--only", "contradictd"], 1, "Did you mean contradicted?"),
        (["audit", "--source", "tesis"], 1, "Did you mean thesis?"),
    ],
)
def test_errors_are_one_sentence_with_a_suggestion_and_their_exit_code(arguments, code, sentence, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["tradebook", *arguments])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    said = " ".join(re.sub(r"[╭╮╰╯│─]", " ", capsys.readouterr().err).split())
    assert stopped.value.code == code and sentence in said
    if code == 1:
        assert said.count("\n") == 0


def test_a_fork_from_the_command_line(tmp_path):
    target = ["--no-check", "--to", str(tmp_path / "x")]
    done = run(cli.app, ["fork", "4", "--exporter", "kr", "--partner", "Germany", *target])
    assert done.exit_code == 0 and "Research and patents: South Korea and Germany" in done.stdout and not done.stderr
    readme = (tmp_path / "x" / "README.md").read_text("utf-8")
    assert "FIRST = KOR, SECOND = DEU" in readme and "--no-check" in readme


def test_list_names_parameters_and_who_has_enough():
    said = run(cli.app, ["fork", "5", "--list"]).stdout
    assert "--company" in said and "Cisco" in said and "Xiaomi" not in said


def test_pairs_print_a_table_or_commands():
    table = run(cli.app, ["pairs", "--seed", "7", "--n", "3"]).stdout
    assert table.splitlines()[0].startswith("exporter,partner,") and len(table.splitlines()) == 4
    commands = run(cli.app, ["pairs", "--seed", "7", "--n", "2", "--commands"]).stdout
    assert re.fullmatch(r"(tradebook fork 2 --exporter [A-Z]{3} --partner [A-Z]{3}\n){2}", commands)


def test_help_has_examples_and_completion_offers_names():
    assert "Example" in run(cli.app, ["fork", "--help"]).stdout
    from tradebook.coursework import fork_commands

    assert ("KAZ", "Kazakhstan") in fork_commands._complete_economy("kaz")
    assert list(fork_commands._complete_company("nok")) == ["Nokia"]
    assert [number for number, _ in fork_commands._complete_chapter("2")] == ["2"]


def test_the_default_folder_is_named_after_the_case_and_outside_the_book(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert forks.default_target(case_of(2)) == tmp_path / "bilateral-trade-deu-kaz"
    monkeypatch.chdir(ROOT / "chapters")
    assert forks.default_target(case_of(2)).parent == ROOT.parent


def test_make_and_tools_build_know_fork():
    if make := shutil.which("make"):
        shown = subprocess.run(
            [make, "-n", "fork", "CHAPTER=2", "EXPORTER=DEU", "PARTNER=South Korea", "TO=../x"],
            cwd=ROOT, capture_output=True, text=True,
        ).stdout  # fmt: skip
        assert '--exporter "DEU" --partner "South Korea"' in shown and '--to "../x"' in shown
    from tools import build

    assert "fork" in build._parser().format_help()


def test_what_is_mistyped_is_recognised():
    known = {one.title: str(one.number) for one in chapters()}
    assert closest("bilateral trad", known) == ["2"]
    assert closest("zzz", known) == []
    assert set(load("companies")["company"]) >= {"Cisco"}
