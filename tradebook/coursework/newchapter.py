"""Add a chapter to the book, from a template that passes the book's tests as it stands.

The template is a notebook with a small working example: `create` gives it a number, a title and a question, executes
it, adds what coursework needs to know of it, and enters it in the table of contents. What exists is never overwritten,
and a run that fails leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tradebook.errors import TradebookError

__all__ = ["QUESTION", "NewChapter", "NewChapterError", "create", "enter", "find_repository", "slug"]

TEMPLATES = Path("coursework", "templates", "chapter")
QUESTION = "On how few buyers does an exporter depend, and does the answer change with the record that is read?"
_LONGEST_TITLE, _LONGEST_SLUG = 90, 40
_CHAPTER = re.compile(r"(\d+)-.+\.(?:ipynb|md)")
_ENTRY = re.compile(r"""( *)- file: *["']?chapters/(\d+)-[^\s"'#/]+["']? *(?:#.*)?""")
_MARKUP = re.compile(r"([\\`*_{}\[\]<>$#|~^&])")
_PLACEHOLDER = re.compile(r"@@(\w+)@@")


class NewChapterError(TradebookError):
    """A chapter cannot be added: a bad title, a number that is taken, no repository, or a cell that fails."""


@dataclass(frozen=True)
class NewChapter:
    """What was added: the number of the chapter, the repository, and the new files."""

    number: int
    repository: Path
    files: tuple[Path, ...]


def create(title: str, question: str = QUESTION, number: int | None = None, start: Path | None = None) -> NewChapter:
    """Write, execute and enter a new chapter.

    Parameters
    ----------
    title : str
        Heading of the chapter, without its number.
    question : str
        What the chapter answers; it stands below the heading.
    number : int, optional
        By default the one after the last chapter.
    start : Path, optional
        A folder inside the repository; by default the current one.

    Raises
    ------
    NewChapterError
        With one sentence that says what is wrong; nothing has been written then.
    """
    repository = find_repository(start or Path.cwd())
    title, question = _checked("title", title), _checked("question", question)
    if re.match(r"\d+ *[·.:)-]", title):
        raise NewChapterError("Leave the number out of the title: it is put in front of it (choose one with --number).")
    if len(title) > _LONGEST_TITLE:
        raise NewChapterError(f"The title has {len(title)} characters: shorten it to at most {_LONGEST_TITLE}.")
    number = _free_number(repository, number)
    stem = f"{number:02d}-{slug(title)}"
    contents = repository / "_toc.yml"
    enter(_read(contents), number, stem)  # finds out now whether it can be entered later
    values = {"number": str(number), "title": _escaped(title), "question": _escaped(question)}
    files = {
        repository / "chapters" / f"{stem}.ipynb": _executed(_notebook(repository, values), repository),
        repository / "coursework" / f"{stem}.prompts.toml": _filled(repository, "prompts.toml", values),
        repository / "coursework" / f"{stem}.grading.toml": _filled(repository, "grading.toml", values),
    }
    _write(files, lambda: _replace(contents, enter(_read(contents), number, stem)))
    return NewChapter(number, repository, tuple(files))


def find_repository(start: Path) -> Path:
    """The book's repository that a folder lies in.

    Raises
    ------
    NewChapterError
        If there is none; a fork of a chapter is no repository of the book.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / TEMPLATES).is_dir() and (folder / "_toc.yml").is_file() and (folder / "chapters").is_dir():
            return folder
    raise NewChapterError(
        "A chapter is added to a copy of the book's repository, and this folder is not in one: change to your clone "
        "and run the command there."
    )


def slug(title: str) -> str:
    """A title as part of a file name: “China's ports” → “chinas-ports”.

    Raises
    ------
    NewChapterError
        If the title has no letter or digit that a file name can be made of.
    """
    plain = unicodedata.normalize("NFKD", re.sub(r"['’]", "", title)).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    if not words:
        raise NewChapterError(
            f"No file can be named after the title “{title}”: give one with letters of the Latin alphabet, and change "
            "the heading in the notebook afterwards."
        )
    name = words[0][:_LONGEST_SLUG]
    for word in words[1:]:
        if len(name) + 1 + len(word) > _LONGEST_SLUG:
            break
        name += f"-{word}"
    return name


def enter(contents: str, number: int, stem: str) -> str:
    """The text of ``_toc.yml`` with a chapter entered after the one before it; comments and order stay as they are.

    Raises
    ------
    NewChapterError
        If no chapter is listed, so that there is no place to enter one.
    """
    lines = contents.splitlines(keepends=True)
    listed = [(at, match) for at, line in enumerate(lines) if (match := _ENTRY.fullmatch(line.rstrip("\r\n")))]
    if not listed:
        raise NewChapterError("_toc.yml lists no notebook of chapters/: restore it (git checkout -- _toc.yml).")
    earlier = [(at, match) for at, match in listed if int(match[2]) < number]
    at, match = earlier[-1] if earlier else listed[0]
    if earlier:
        at += 1
        while at < len(lines) and re.match(rf"{match[1]} +\S", lines[at]):  # what belongs to the entry
            at += 1
    end = "\r\n" if lines[0].endswith("\r\n") else "\n"
    if at and not lines[at - 1].endswith("\n"):
        lines[at - 1] += end
    lines.insert(at, f"{match[1]}- file: chapters/{stem}{end}")
    return "".join(lines)


# --- what is asked for -----------------------------------------------------------------------------


def _checked(what: str, text: str) -> str:
    text = text.strip()
    if not text or not text.isprintable() or not any(character.isalpha() for character in text):
        raise NewChapterError(f"The {what} must be one line of words; “{ascii(text)[1:-1]}” is not.")
    return text


def _free_number(repository: Path, number: int | None) -> int:
    taken = {
        int(match[1]): path.name
        for path in sorted((repository / "chapters").iterdir())
        if (match := _CHAPTER.fullmatch(path.name))
    }
    following = max(taken, default=0) + 1
    number = following if number is None else number
    if number in taken:
        raise NewChapterError(
            f"Number {number} is taken by {taken[number]}: leave --number out for {following}, or choose another one."
        )
    if not 1 <= number <= 99:
        raise NewChapterError(f"A chapter has a number from 1 to 99, not {number}.")
    return number


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _MARKUP.sub(r"\\\1", text)


# --- what is written -------------------------------------------------------------------------------


def _fill(text: str, values: dict[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _filled(repository: Path, name: str, values: dict[str, str]) -> str:
    return _fill(_read(repository / TEMPLATES / name), values)


def _notebook(repository: Path, values: dict[str, str]) -> dict:
    """The template with its placeholders filled; its outputs are still to come."""
    notebook = json.loads(_read(repository / TEMPLATES / "chapter.ipynb"))
    for cell in notebook["cells"]:
        cell["source"] = _fill("".join(cell["source"]), values)
    return notebook


def _executed(notebook: dict, repository: Path) -> str:
    """The notebook with its outputs, as the repository's own tool executes and stores it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "chapter.ipynb")
        path.write_text(json.dumps(notebook), "utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "tools.execute", str(path)],
            cwd=repository,
            env={**os.environ, "PYTHONPATH": str(repository), "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        if done.returncode:
            said = [line for line in f"{done.stdout}\n{done.stderr}".splitlines() if re.match(r"\w*Error\b", line)]
            reason = f" ({said[-1]})" if said else ""
            raise NewChapterError(
                f"The template could not be executed{reason}: run `make setup`, and `git status` to see what differs."
            )
        return path.read_text("utf-8")


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise NewChapterError(
            f"{path.name} is missing: restore it from the repository (git checkout -- {path.name})."
        ) from None


def _write(files: dict[Path, str], then: Callable[[], None]) -> None:
    """Write new files and do what comes last; if anything fails, remove what was written."""
    written = []
    try:
        for path, text in files.items():
            with path.open("x", encoding="utf-8", newline="\n") as stream:
                written.append(path)
                stream.write(text)
        then()
    except BaseException as error:
        for path in written:
            path.unlink(missing_ok=True)
        if isinstance(error, FileExistsError):
            name = Path(error.filename).name
            raise NewChapterError(f"{name} is there already and stays as it is: choose another title.") from error
        if isinstance(error, OSError):
            raise NewChapterError(f"The chapter could not be written ({error.strerror}): nothing was added.") from error
        raise


def _replace(path: Path, text: str) -> None:
    """Replace a file by another text, all at once."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode())
        shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
