"""A new chapter: what the template becomes, what is refused, and that a failed run leaves nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tools import check_notebooks
from tools.environment import ROOT
from tradebook import claims
from tradebook.coursework import chapters, gradingplan, newchapter
from tradebook.coursework.newchapter import NewChapterError

TOC = """\
# what is in the book
root: chapters/index
parts:
  - caption: Chapters   # numbered
    chapters:
      - file: chapters/01-a   # the first
        sections:
          - file: chapters/extra/more
      # a remark between two
      - file: 'chapters/03-c'
      - file: chapters/06-conclusion
  - caption: Appendices
    chapters:
      - file: chapters/appendices/data  # tables
"""

TITLE, QUESTION = "Who buys: China's {largest} *customers*", "Does $1 in 3 come from few?"
STEM = "07-who-buys-chinas-largest-customers"
TABLES = ["bilateral-trade.parquet", "economies.csv", "companies.csv"]
# The case of the book; what speaks of it must be replaced in a fork.
OWN_CASE = re.compile(r"\b(?:China|Chinese|Russian?|Huawei|thesis|Hong Kong)\b")


@pytest.fixture(scope="session")
def empty_clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a new chapter needs of the book's repository."""
    clone = tmp_path_factory.mktemp("book")
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in ("tradebook", "tools", "coursework/templates", "data/claims"):
        shutil.copytree(ROOT / folder, clone / folder, ignore=ignore)
    (clone / "_toc.yml").write_text(TOC, "utf-8")
    for name in ["CITATION.cff", "data/datapackage.json", *(f"data/{table}" for table in TABLES)]:
        shutil.copy(ROOT / name, clone / name)
    (clone / "chapters").mkdir()
    for name in ("01-a", "02-bilateral-trade", "03-c", "06-conclusion"):
        (clone / "chapters" / f"{name}.ipynb").write_text("{}")
    return clone


@pytest.fixture
def clone(empty_clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same for one test, with a notebook that needs no execution."""
    folder = tmp_path / "book"
    for part in ("coursework", "chapters"):
        shutil.copytree(empty_clone / part, folder / part)
    shutil.copy(empty_clone / "_toc.yml", folder)
    monkeypatch.setattr(newchapter, "_executed", lambda notebook, repository: json.dumps(notebook))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# --- the chapter, made once and for real ---------------------------------------------------------


@pytest.fixture(scope="session")
def made(empty_clone: Path, tmp_path_factory: pytest.TempPathFactory) -> newchapter.NewChapter:
    """A chapter as the command makes it, with a title and a question that hold markup."""
    clone = tmp_path_factory.mktemp("made") / "book"
    shutil.copytree(empty_clone, clone)
    return newchapter.create(TITLE, QUESTION, start=clone / "chapters")


@pytest.fixture(scope="session")
def cells(made: newchapter.NewChapter) -> list[dict]:
    """The cells of its notebook, each source as one text."""
    found = json.loads(made.files[0].read_text("utf-8"))["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in found]


def test_it_writes_three_files_and_an_entry(made: newchapter.NewChapter) -> None:
    names = [path.relative_to(made.repository).as_posix() for path in made.files]
    assert names == [
        f"chapters/{STEM}.ipynb", f"coursework/{STEM}.prompts.toml", f"coursework/{STEM}.grading.toml",
    ]  # fmt: skip
    assert made.number == 7
    listed = yaml.safe_load((made.repository / "_toc.yml").read_text("utf-8"))["parts"][0]["chapters"]
    assert [chapter["file"] for chapter in listed][-2:] == ["chapters/06-conclusion", f"chapters/{STEM}"]
    before = (made.repository / "_toc.yml").read_text("utf-8").replace(f"      - file: chapters/{STEM}\n", "")
    assert before == TOC
    assert not re.search(r"@@\w+@@", "".join(path.read_text("utf-8") for path in made.files))


def test_its_notebook_passes_the_checks_of_stored_notebooks(made: newchapter.NewChapter) -> None:
    assert check_notebooks.problems(made.files[0]) == ([], [])


def test_it_has_the_parts_of_a_chapter_in_their_order(cells: list[dict]) -> None:
    text = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    heading = r"# 7 · Who buys: China's \{largest\} \*customers\*"
    assert text.startswith(f"{heading}\n\n**Does \\$1 in 3 come from few?**\n")
    parts = [
        ":class: tb-objectives", ":class: tb-findings", "## Data", "## Analysis", "## The audit", "## How robust",
        "## What it means", "## Exercises", "{exercise}", "*Hint:*", "{solution-start}", ":class: tb-fork",
    ]  # fmt: skip
    assert all(part in text for part in parts)
    assert [text.index(part) for part in parts] == sorted(text.index(part) for part in parts)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(line.startswith(("import ", "from ")) for line in code[0]["source"].split("\n") if line)
    assert [cell["id"] for cell in code if "parameters" in cell["metadata"].get("tags", [])] == [code[1]["id"]]


def test_its_anchors_names_and_numbers_carry_its_number(cells: list[dict]) -> None:
    source = "\n".join(cell["source"] for cell in cells)
    anchors = re.findall(r"^\(([\w-]+)\)=", source, re.M) + re.findall(r"^:label: (\S+)", source, re.M)
    assert anchors and all(re.search(r"\b(?:chapter-|ex)7-", anchor) for anchor in anchors)
    figures = re.findall(r'name="([\w-]+)", number="([\w.]+)"', source)
    assert len(figures) == 3 and all("-7-" in name and number.startswith("7.") for name, number in figures)


def test_its_text_uses_the_numbers_that_it_computes(cells: list[dict]) -> None:
    glued, shown = set(), []
    for cell in cells:
        for output in cell.get("outputs", []):
            glued.add(output.get("metadata", {}).get("scrapbook", {}).get("name"))
            shown += re.findall(r'<figure class="(tb-\w+)"', "".join(output.get("data", {}).get("text/html", "")))
    used = {name for cell in cells for name in re.findall(r"\{glue:text\}`(\w+)`", cell["source"])}
    assert used and used == glued - {None}
    assert shown == ["tb-figure", "tb-table"]


def test_it_can_be_forked(made: newchapter.NewChapter, cells: list[dict]) -> None:
    (found,) = [c for c in map(_chapter, made.files[:1]) if c.number == made.number]
    assert [(p.name, p.kind) for p in found.parameters] == [("EXPORTER", "economy")]
    prompts = tomllib.loads(made.files[1].read_text("utf-8"))["cells"]
    texts = {cell["id"]: cell for cell in cells if cell["cell_type"] == "markdown"}
    assert set(prompts) <= set(texts)
    case = {name for name, cell in texts.items() if "case" in cell["metadata"].get("tags", [])}
    assert case and case <= set(prompts)
    speaking = {name for name, cell in texts.items() if OWN_CASE.search(cell["source"].replace(_title(texts), ""))}
    assert speaking <= set(prompts) and not any(OWN_CASE.search(text) for text in prompts.values())
    assert all(":class: tb-prompt" in text for text in prompts.values() if text)
    kept = [c["source"] for c in cells if c["cell_type"] == "code" and "case" not in c["metadata"].get("tags", [])]
    assert not any(OWN_CASE.search(source) for source in kept)


def test_the_pattern_for_an_audit_of_ones_own_runs(made: newchapter.NewChapter, cells: list[dict]) -> None:
    prompts = tomllib.loads(made.files[1].read_text("utf-8"))["cells"]
    (pattern,) = re.findall(r"^```python\n(.+?)^```$", "\n".join(prompts.values()), re.M | re.S)
    names = run(cells, until="fig-buyers")
    exec(pattern, names)
    assert set(names["statements"]["verdict"]) <= set(claims.VERDICTS)


def run(cells: list[dict], until: str) -> dict:
    """The names that the cells before one have made; a fork has them too."""
    names: dict = {}
    for cell in cells:
        if cell["id"] == until:
            return names
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code" and "case" not in tags and "hide-input" not in tags:
            exec(cell["source"], names)
    raise AssertionError(f"no cell {until}")


def test_its_exercise_can_be_marked(made: newchapter.NewChapter, cells: list[dict]) -> None:
    plan = gradingplan.read_plan(made.files[2])
    text = "\n".join(cell["source"] for cell in cells)
    assert plan.exercises == re.findall(r"^:label: (\S+)$", text, re.M)
    (answer,) = plan.answers
    names = run(cells, until="md-solution-buyers-end")
    values = [eval(variable.value, names) for variable in answer.variables]
    shares = names["shares"][f"{names['X']} reports"].loc[names["last"]].sort_values(ascending=False)
    assert values[:2] == pytest.approx([shares.iloc[0], shares.iloc[:5].sum()])
    assert 0 < values[0] < values[1] < 100 and values[2] in (1, 5)


def _chapter(path: Path) -> chapters.Chapter:
    return chapters.Chapter(int(path.name[:2]), path)


def _title(texts: dict[str, dict]) -> str:
    """The heading, which is the author's and not the template's."""
    return texts["md-title"]["source"].splitlines()[0]


# --- the table of contents -----------------------------------------------------------------------


@pytest.mark.parametrize(("number", "after"), [(7, "06-conclusion"), (4, "03-c'"), (2, "extra/more")])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_entry_comes_after_the_chapter_before_it(number: int, after: str, end: str) -> None:
    before = TOC.replace("\n", end)
    lines = newchapter.enter(before, number, f"{number:02d}-new").splitlines(keepends=True)
    at = lines.index(f"      - file: chapters/{number:02d}-new{end}")
    assert lines[at - 1].strip().endswith(after)
    assert "".join(lines[:at] + lines[at + 1 :]) == before, "nothing else has changed"
    yaml.safe_load("".join(lines))


def test_a_first_chapter_and_a_last_line_without_end() -> None:
    assert newchapter.enter("- file: chapters/02-b", 1, "01-a") == "- file: chapters/01-a\n- file: chapters/02-b"
    assert newchapter.enter("- file: chapters/02-b", 3, "03-c") == "- file: chapters/02-b\n- file: chapters/03-c\n"
    with pytest.raises(NewChapterError, match="lists no notebook"):
        newchapter.enter("root: chapters/index\n", 1, "01-a")


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "options", "sentence"),
    [
        ("", {}, "The title must be one line of words"),
        (" \t", {}, "The title must be one line of words"),
        ("2026", {}, "The title must be one line of words"),
        ("Two\nlines", {}, "The title must be one line of words"),
        ("A \x1b[31mred title", {}, "The title must be one line of words"),
        ("7 · Ports", {}, "Leave the number out"),
        ("x" * 91, {}, "shorten it to at most 90"),
        ("Порты", {}, "letters of the Latin alphabet"),
        ("Ports", {"question": "  "}, "The question must be one line of words"),
        ("Ports", {"number": 2}, "Number 2 is taken by 02-bilateral-trade.ipynb: leave --number out for 7"),
        ("Ports", {"number": 0}, "a number from 1 to 99, not 0"),
        ("Ports", {"number": 100}, "a number from 1 to 99, not 100"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(clone: Path, title: str, options: dict, sentence: str) -> None:
    before = contents(clone)
    with pytest.raises(NewChapterError, match=re.escape(sentence)) as refusal:
        newchapter.create(title, start=clone, **options)
    assert "\n" not in str(refusal.value)
    assert contents(clone) == before


@pytest.mark.parametrize("folder", ["chapters", "coursework"])
def test_what_exists_is_never_overwritten(clone: Path, folder: str) -> None:
    names = {"chapters": "07-ports.md", "coursework": "07-ports.grading.toml"}
    (clone / folder / names[folder]).write_text("mine")
    before = contents(clone)
    with pytest.raises(NewChapterError, match=r"Number 7 is taken|is there already and stays as it is"):
        newchapter.create("Ports", number=7, start=clone)
    assert contents(clone) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_an_interrupted_run_leaves_nothing(clone: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def stop(*_: object) -> None:
        raise error

    monkeypatch.setattr(newchapter.os, "replace", stop)
    before = contents(clone)
    with pytest.raises((NewChapterError, KeyboardInterrupt)):
        newchapter.create("Ports", start=clone)
    assert contents(clone) == before


def test_a_template_that_fails_leaves_nothing(empty_clone: Path, tmp_path: Path) -> None:
    clone = tmp_path / "book"
    shutil.copytree(empty_clone, clone, ignore=shutil.ignore_patterns("*.parquet"))
    before = contents(clone / "chapters") | contents(clone / "coursework")
    with pytest.raises(NewChapterError, match=r"^The template could not be executed \(DataError: ") as refusal:
        newchapter.create("Ports", start=clone)
    assert "\n" not in str(refusal.value)
    assert contents(clone / "chapters") | contents(clone / "coursework") == before
    assert (clone / "_toc.yml").read_bytes() == (empty_clone / "_toc.yml").read_bytes()


def test_outside_a_clone_the_command_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tradebook.cli", "new-chapter", "Ports"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 1 and not list(tmp_path.iterdir())
    assert len(done.stderr.strip().splitlines()) == 1 and "change to your clone" in done.stderr


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("China's ports", "chinas-ports"),
        ("  São Paulo & the coffee trade ", "sao-paulo-the-coffee-trade"),
        ("Trade in 2020", "trade-in-2020"),
        ("A title of so many words that no file name should hold all of them", "a-title-of-so-many-words-that-no-file"),
        ("x" * 60, "x" * 40),
    ],
)
def test_a_file_is_named_after_the_title(title: str, name: str) -> None:
    assert newchapter.slug(title) == name
