"""The chapters of the book as things that take parameters: which there are, what they ask for, and a case of one.

A chapter says what it can be run for in its cell tagged ``parameters``: one assignment a line, with a remark. What kind
of thing a parameter is follows from its value in the book: a code of table ``economies``, a name of table
``companies``, or a year.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tradebook import economies
from tradebook.data import load
from tradebook.errors import TradebookError
from tradebook.prose import the
from tradebook.suggest import closest, did_you_mean, plain

__all__ = ["ROOT", "Case", "CaseError", "Chapter", "Parameter", "chapter", "chapters", "make_case"]

ROOT = Path(__file__).resolve().parents[2]  # of the book, when this package lies in its repository
_FILE = re.compile(r"(\d+)-([a-z0-9-]+)\.ipynb")


class CaseError(TradebookError):
    """A chapter is not there, or cannot be run for what was asked."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a chapter: its name, the value it has in the book, what it is, and the remark beside it."""

    name: str
    default: str | int
    kind: str  # economy | company | year
    remark: str


@dataclass(frozen=True)
class Chapter:
    """A chapter with parameters.

    Attributes
    ----------
    number : int
        As printed.
    path : Path
        The notebook.
    """

    number: int
    path: Path

    @cached_property
    def notebook(self) -> dict:
        """The notebook as JSON, each cell's source as one text."""
        notebook = json.loads(self.path.read_text("utf-8"))
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"])
        return notebook

    @property
    def stem(self) -> str:
        """Name of the file without its number: “bilateral-trade”."""
        return _FILE.fullmatch(self.path.name)[2]

    @cached_property
    def title(self) -> str:
        """Heading of the chapter without its number."""
        for cell in self.notebook["cells"]:
            if match := re.search(r"^# (?:\d+ · )?(.+)$", cell["source"], re.M):
                return match[1]
        return self.stem

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters in the order of their cell."""
        cells = [c for c in self.notebook["cells"] if "parameters" in c["metadata"].get("tags", [])]
        if not cells:
            return ()
        source = cells[0]["source"]
        lines = source.splitlines()
        found = []
        for statement in ast.parse(source).body:
            if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Constant):
                raise CaseError(
                    f"{self.path.name}: the cell “parameters” may hold nothing but names and values; move the rest."
                )
            value = statement.value.value
            remark = lines[statement.end_lineno - 1].partition("#")[2].strip()
            found.append(Parameter(statement.targets[0].id, value, _kind(value, self.path.name), remark))
        return tuple(found)

    @property
    def subjects(self) -> tuple[Parameter, ...]:
        """The parameters that make a case: economies and companies, not years."""
        return tuple(p for p in self.parameters if p.kind != "year")

    @property
    def own_case(self) -> dict[str, str | int]:
        """The values in the book."""
        return {p.name: p.default for p in self.parameters}


def _kind(value: str | int, where: str) -> str:
    if isinstance(value, int):
        return "year"
    if value in set(load("economies")["iso3"]):
        return "economy"
    if value in set(load("companies")["company"]):
        return "company"
    raise CaseError(f"{where}: the parameter {value!r} is neither an economy, a company nor a year of our tables.")


def chapters(book: Path = ROOT) -> list[Chapter]:
    """The chapters that can be run for another case, in the order of the book.

    Raises
    ------
    CaseError
        If `book` is not the book's repository.
    """
    files = [(_FILE.fullmatch(path.name), path) for path in sorted((book / "chapters").glob("*.ipynb"))]
    found = [one for match, path in files if match and (one := Chapter(int(match[1]), path)).parameters]
    if not found:
        raise CaseError("There are no chapters here: run this in a copy of the book's repository, not in a fork of it.")
    return found


def chapter(text: str | int, book: Path = ROOT) -> Chapter:
    """A chapter by its number, its file name or its title.

    Raises
    ------
    CaseError
        If there is none; the message offers the nearest.
    """
    known = chapters(book)
    wanted = plain(str(text))
    for one in known:
        if wanted and wanted in (str(one.number), f"{one.number:02d}", plain(one.path.stem), plain(one.stem)):
            return one
        if wanted and wanted == plain(one.title):
            return one
    labels = {one.stem: f"{one.number} ({one.title})" for one in known}
    labels |= {one.title: f"{one.number} ({one.title})" for one in known}
    near = closest(str(text), labels, 1)
    hint = f"Did you mean {near[0]}?" if near else f"Choose one of {', '.join(str(one.number) for one in known)}."
    raise CaseError(f"There is no chapter “{text}” that can be run for another case. {hint}")


@dataclass(frozen=True)
class Case:
    """A chapter with values for all of its parameters."""

    chapter: Chapter
    values: Mapping[str, str | int]

    @property
    def subjects(self) -> list[str]:
        """The codes or names that make the case: ["DEU", "KAZ"]."""
        return [str(self.values[p.name]) for p in self.chapter.subjects]

    @property
    def names(self) -> dict[str, str]:
        """Parameter → what a reader calls it: {"EXPORTER": "Germany", …}."""
        kinds = {p.name: p.kind for p in self.chapter.parameters}
        return {
            key: economies.name(str(value)) if kinds[key] == "economy" else str(value)
            for key, value in self.values.items()
        }

    @property
    def title(self) -> str:
        """Title of a fork: “Bilateral trade: Germany and Kazakhstan”."""
        pattern = _titles(self.chapter.path.parents[1]).get(self.chapter.stem, {}).get("title")
        if pattern:
            return pattern.format(**{key.lower(): the(value) for key, value in self.names.items()})
        return f"{self.chapter.title}: {' and '.join(the(self.names[p.name]) for p in self.chapter.subjects)}"

    @property
    def label(self) -> str:
        """The case in a few words: “Germany and Kazakhstan”."""
        return " and ".join(self.names[p.name] for p in self.chapter.subjects)

    @property
    def slug(self) -> str:
        """Name for a folder: “bilateral-trade-deu-kaz”."""
        return "-".join([self.chapter.stem, *(re.sub(r"[^a-z0-9]+", "-", s.lower()) for s in self.subjects)])


def _titles(book: Path) -> dict:
    path = book / "coursework" / "titles.toml"
    return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}


def make_case(one: Chapter, given: Mapping[str, str | int | None]) -> Case:
    """Fill the parameters of a chapter: economies by code or name, companies by name, years as numbers.

    Parameters
    ----------
    one : Chapter
    given : mapping of parameter to value
        A year that is not given keeps the book's value. The economies may be given as alpha-2, alpha-3 or names.

    Raises
    ------
    CaseError
        If an economy or company is missing, unknown, no economy of today, or paired with itself.
    """
    values: dict[str, str | int] = {}
    for parameter in one.parameters:
        value = given.get(parameter.name)
        if parameter.kind == "year":
            values[parameter.name] = parameter.default if value is None else int(value)
        elif value is None:
            raise CaseError(f"Chapter {one.number} needs {parameter.name}: {parameter.remark}.")
        elif parameter.kind == "economy":
            values[parameter.name] = _economy(str(value))
        else:
            values[parameter.name] = _company(str(value))
    who = [values[p.name] for p in one.subjects]
    if len(set(who)) < len(who):
        raise CaseError(f"{economies.name(str(who[0]))} cannot be paired with itself; name another partner.")
    return Case(one, values)


def _economy(text: str) -> str:
    code = economies.resolve(text)
    row = load("economies").set_index("iso3").loc[code]
    if row["kind"] == "world":
        raise CaseError(f"{row['name']} ({code}) is not an economy but a sum of several; name one of them.")
    if row["kind"] == "former":
        raise CaseError(f"{row['name']} ({code}) is an economy of the past; name its successor, which continues it.")
    return code


def _company(text: str) -> str:
    known = load("companies")["company"].tolist()
    for name in known:
        if plain(name) == plain(text):
            return name
    raise CaseError(f"There is no company “{text}” in our tables. {did_you_mean(text, known)}")
