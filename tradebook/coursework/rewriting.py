"""From the cells of a chapter to the cells of a fork: another case, prompts for paragraphs, no branches of the book's.

Code is changed as text, in place of the nodes that Python's own parser finds, so that what stays looks as it did.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from tradebook.coursework.chapters import ROOT, Case, Chapter
from tradebook.errors import TradebookError

__all__ = [
    "RewritingError", "citations", "forked_notebook", "left_over", "prompts", "sentences_of", "without_branches",
    "words_of",
]  # fmt: skip

_FLAG = re.compile(r"\b[A-Z]+_CASE\b")
_CITE = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")
_FORK_BOX = re.compile(r"^(`{3,}|:{3,})\{admonition\}[^\n]*\n:class: [^\n]*\btb-fork\b.*?^\1\s*$\n?", re.M | re.S)
_LINK = re.compile(r"(?<!!)\[([^\]\n]+)\]\((?!https?://|mailto:|#)([^)\s]+)\)")
_LABEL = re.compile(r"^\(([a-z0-9-]+)\)=\s*$|^:(?:label|name): *(\S+)\s*$", re.M)

#: Words that belong to the book's own case: what they stand for (a code of table economies, a company, or "" for
#: the sources). A fork may hold them only if that is part of its case.
_OWN_WORDS = {
    r"\bChin(?:a|ese)\b": "CHN",
    r"\bRussian?\b": "RUS",
    r"\bChelyabinsk\b": "RUS",
    r"\bShandong\b": "CHN",
    r"\bHuawei\b": "Huawei",
    r"\b[Tt]he (?:thesis|policy brief|news item)\b": "",
    r"\bthis thesis\b": "",
    r"\b(?:master's|master’s) thesis\b": "",
}


class RewritingError(TradebookError):
    """A chapter cannot be turned into a fork: its prompts or its code are not as they must be."""


def prompts(one: Chapter, book: Path = ROOT) -> dict[str, str]:
    """What stands in a fork of the chapter in place of its Markdown cells: id of the cell → text.

    Raises
    ------
    RewritingError
        If the chapter has no file of prompts, or the file is damaged.
    """
    path = book / "coursework" / f"{one.path.stem}.prompts.toml"
    try:
        return tomllib.loads(path.read_text("utf-8"))["cells"]
    except FileNotFoundError:
        raise RewritingError(
            f"Chapter {one.number} has no prompts yet: write coursework/{path.name} for it, then fork it."
        ) from None
    except (tomllib.TOMLDecodeError, KeyError, UnicodeDecodeError) as error:
        raise RewritingError(f"coursework/{path.name} is damaged ({error}): restore it from the repository.") from None


# --- the notebook ---------------------------------------------------------------------------------


def forked_notebook(case: Case, texts: Mapping[str, str], address: str = "", first_cell: str = "") -> dict:
    """The notebook of a fork, without outputs.

    Parameters
    ----------
    case : Case
    texts : mapping of cell id to Markdown
        What `prompts` returns.
    address : str
        Where the book stands on the web, with a slash at its end; references to other pages of the book become links
        to it, or plain text where it is empty.
    first_cell : str
        Code that the notebook begins with, before the title's text is reached by a kernel.

    Raises
    ------
    RewritingError
        If a text is missing, or belongs to no cell.
    """
    cells = [dict(cell, metadata=dict(cell["metadata"])) for cell in case.chapter.notebook["cells"]]
    _require_texts(case.chapter, cells, texts)
    kept = []
    for cell in cells:
        own = "case" in cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code":
            if own:
                continue
            cell["source"] = without_branches(cell["source"])
            cell |= {"outputs": [], "execution_count": None}
        else:
            cell["source"] = _FORK_BOX.sub("", texts.get(cell["id"], cell["source"])).strip("\n")
        cell["metadata"] = {key: value for key, value in cell["metadata"].items() if key != "execution"}
        if own:
            cell["metadata"].pop("tags")
        if cell["source"].strip():
            kept.append(cell)
    _set_parameters(kept, case)
    _drop_unused(kept)
    _renumber(kept)
    _retitle(kept, case.title)
    labels = {a or b for c in kept if c["cell_type"] == "markdown" for a, b in _LABEL.findall(c["source"])}
    for cell in kept:
        if cell["cell_type"] == "markdown":
            cell["source"] = _without_references(cell["source"], labels, address)
    if first_cell:
        setup = {"cell_type": "code", "id": "setup", "metadata": {"tags": ["remove-cell"]}, "source": first_cell}
        kept.insert(1, setup | {"outputs": [], "execution_count": None})
    metadata = {key: case.chapter.notebook["metadata"][key] for key in ("kernelspec", "language_info")}
    metadata["tradebook"] = {"chapter": case.chapter.path.stem, "case": dict(case.values)}
    return {"cells": kept, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _require_texts(one: Chapter, cells: list[dict], texts: Mapping[str, str]) -> None:
    markdown = {c["id"]: c for c in cells if c["cell_type"] == "markdown"}
    strange = [key for key in texts if key not in markdown]
    lacking = [key for key, c in markdown.items() if "case" in c["metadata"].get("tags", []) and key not in texts]
    if strange or lacking:
        what = f"no cell {', '.join(strange)}" if strange else f"no text for {', '.join(lacking)}"
        raise RewritingError(
            f"coursework/{one.path.stem}.prompts.toml does not fit {one.path.name} ({what}): change one of them."
        )


def _set_parameters(cells: list[dict], case: Case) -> None:
    """Put the values of the case into the cell of parameters, each line with its remark."""
    cell = next(c for c in cells if "parameters" in c["metadata"].get("tags", []))
    remarks = {p.name: p.remark for p in case.chapter.parameters}
    cell["source"] = "\n".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}" + (f"  # {remarks[name]}" if remarks[name] else "")
        for name, value in case.values.items()
    )


def _retitle(cells: list[dict], title: str) -> None:
    for cell in cells:
        if cell["cell_type"] == "markdown" and re.search(r"^# ", cell["source"], re.M):
            cell["source"] = re.sub(r"^# .+$", lambda _: f"# {title}", cell["source"], count=1, flags=re.M)
            return


def _renumber(cells: list[dict]) -> None:
    """Number the figures and the tables that are left without gaps."""
    counts = {"fig": 0, "tab": 0}

    def numbered(match: re.Match) -> str:
        counts[match[2]] += 1
        return f"{match[1]}{counts[match[2]]}"

    for cell in cells:
        if cell["cell_type"] == "code":
            pattern = r"""(name="(fig|tab)-[^"]*",\s*number="\d+\.)\d+"""
            cell["source"] = re.sub(pattern, numbered, cell["source"])


def _without_references(text: str, labels: set[str], address: str) -> str:
    """Markdown without marks of claims, and with references only to what the fork has."""
    text = re.sub(r"[ \n]?\{claim\}`[^`]*`", "", text)
    text = re.sub(r"\{(?:term|doc|computed|numref|eq)\}`([^`<]+?)(?:\s*<[^>]*>)?`", r"\1", text)

    def reference(match: re.Match) -> str:
        shown, _, label = match[1].partition("<")
        label = (label or shown).rstrip("> ").strip()
        return match[0] if label in labels else shown.strip()

    text = re.sub(r"\{(?:ref|any)\}`([^`]+)`", reference, text)

    def link(match: re.Match) -> str:
        shown, target = match.groups()
        page, _, anchor = target.partition("#")
        if page in labels:
            return match[0]
        if not address or not re.search(r"\.(?:md|ipynb)$", page):
            return shown
        page = re.sub(r"\.(?:md|ipynb)$", ".html", page)
        return f"[{shown}]({address}chapters/{page}{'#' + anchor if anchor else ''})"

    return _LINK.sub(link, text)


def citations(cells: Iterable[Mapping]) -> set[str]:
    """Keys of references.bib that the Markdown cells cite."""
    texts = [c["source"] for c in cells if c["cell_type"] == "markdown"]
    return {key.strip() for text in texts for keys in _CITE.findall(text) for key in keys.split(",")}


# --- code -----------------------------------------------------------------------------------------


def without_branches(source: str) -> str:
    """Code without the branches that only the book's own case reaches: ``if THESIS_CASE``, ``… if THESIS_CASE else …``.

    A statement that is left without any body goes; where the name is no longer used, its definition goes too, which
    `_drop_unused` sees to.
    """
    while (change := _first_branch(source)) is not None:
        start, end, text = change
        source = source[:start] + text + source[end:]
    source = re.sub(r" \+ \((?:\[\]|\"\")\)", "", source)
    return "\n".join(line.rstrip() for line in source.strip("\n").splitlines())


def _first_branch(source: str) -> tuple[int, int, str] | None:
    """Where the outermost branch on the book's case stands, and the text that takes its place."""
    if not _FLAG.search(source):
        return None
    place = _places(source)
    for node, parent in _walk(ast.parse(source)):
        if isinstance(node, ast.IfExp) and (holds := _truth(node.test)) is not None:
            chosen = node.body if holds else node.orelse
            start, end = place(node)
            return start, end, source[slice(*place(chosen))]
        if isinstance(node, ast.If) and (holds := _truth(node.test)) is not None:
            chosen = node.body if holds else node.orelse
            start, end = source.rfind("\n", 0, place(node)[0]) + 1, place(node)[1]
            if not chosen:
                left_empty = len(getattr(parent, "body", [])) == 1 and not isinstance(parent, ast.Module)
                return start, end, " " * node.col_offset + "pass" if left_empty else ""
            first, last = place(chosen[0])[0], place(chosen[-1])[1]
            body = source[source.rfind("\n", 0, first) + 1 : last]
            return start, end, _dedented(body, chosen[0].col_offset - node.col_offset)
    return None


def _walk(node: ast.AST, parent: ast.AST | None = None) -> Iterator[tuple[ast.AST, ast.AST | None]]:
    """All nodes with their parents, outer ones first; not into f-strings, where Python 3.11 has no true positions."""
    yield node, parent
    if not isinstance(node, ast.JoinedStr):
        for child in ast.iter_child_nodes(node):
            yield from _walk(child, node)


def _truth(test: ast.expr) -> bool | None:
    """What a condition is when no name that ends in _CASE is true; None if that does not decide it."""
    if isinstance(test, ast.Name) and _FLAG.fullmatch(test.id):
        return False
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _truth(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) and False in map(_truth, test.values):
        return False
    return None


def _places(source: str) -> Callable[[ast.AST], tuple[int, int]]:
    """A function from a node to where it begins and ends in the text (the parser counts bytes within lines)."""
    lines = source.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)

    def at(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    return lambda node: (at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset))


def _dedented(body: str, by: int) -> str:
    return "\n".join(line[by:] if line[:by].isspace() else line for line in body.split("\n"))


def _drop_unused(cells: list[dict]) -> None:
    """Drop imports and the definition of a name that ends in _CASE where nothing uses them any more, and empty cells.

    What is left of such a name, inside an f-string, is false in a fork: its definition says so.
    """
    code = [c for c in cells if c["cell_type"] == "code"]
    used = {
        node.id
        for c in code
        for node in ast.walk(ast.parse(c["source"]))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    for cell in code:
        changes = []
        place = _places(cell["source"])
        for node in ast.walk(ast.parse(cell["source"])):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if _FLAG.fullmatch(name):
                    changes.append((node, f"{name} = False" if name in used else None))
            elif isinstance(node, ast.Import | ast.ImportFrom):
                names = [a for a in node.names if (a.asname or a.name.split(".")[0]) in used]
                if len(names) < len(node.names):
                    text = _import_line(node, names) if names else None
                    changes.append((node, text))
        for node, text in sorted(changes, key=lambda change: -change[0].lineno):
            start, end = place(node)
            line_end = cell["source"].find("\n", end)
            line_end = len(cell["source"]) if line_end < 0 else line_end
            if text is None:
                cell["source"] = cell["source"][:start] + cell["source"][line_end + 1 :]
            elif _FLAG.match(text):
                cell["source"] = cell["source"][:start] + text + cell["source"][line_end:]
            else:
                cell["source"] = cell["source"][:start] + text + cell["source"][end:]
        cell["source"] = re.sub(r"\n{3,}", "\n\n", cell["source"]).strip("\n")
    cells[:] = [c for c in cells if c["source"].strip()]


def _import_line(node: ast.Import | ast.ImportFrom, names: list[ast.alias]) -> str:
    kept = type(node)(**{**dict(ast.iter_fields(node)), "names": names})
    line = ast.unparse(kept)
    if len(line) <= 88:
        return line
    head, _, rest = line.partition(" import ")
    return f"{head} import (\n    " + ",\n    ".join(rest.split(", ")) + ",\n)"


# --- what must not be left ------------------------------------------------------------------------


def words_of(case: Case) -> list[str]:
    """Patterns of words that only the book's own case may hold, less those that are part of this case."""
    mine = set(case.subjects)
    return [pattern for pattern, stands_for in _OWN_WORDS.items() if stands_for not in mine]


def sentences_of(case: Case) -> list[str]:
    """Patterns of words that no output may hold: those of `words_of` that are not the name of an economy or company.

    A name may come from the data; an adjective, or “the thesis”, comes from a sentence.
    """
    adjectives = {r"\bChin(?:a|ese)\b": r"\bChinese\b", r"\bRussian?\b": r"\bRussian\b"}
    return [adjectives.get(pattern, pattern) for pattern in words_of(case) if pattern != r"\bHuawei\b"]


def left_over(notebook: Mapping, case: Case) -> list[str]:
    """Sentences about the book's own case that are left in a fork, each with the id of its cell.

    Looked at are Markdown, comments, and texts in code of three words or more: a shorter text is a key of the data
    ("World", "Base metals"), and what comes out of the data may name any economy.
    """
    patterns = [re.compile(pattern) for pattern in words_of(case)]
    found = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            texts = [_CITE.sub("", cell["source"])]
        else:
            comments = re.findall(r"(?:^|\s)#(.*)$", cell["source"], re.M)
            texts = [*comments, *(text for text in _literals(cell["source"]) if len(text.split()) > 2)]
        for text in texts:
            for pattern in patterns:
                if match := pattern.search(text):
                    piece = " ".join(text[max(0, match.start() - 40) : match.end() + 40].split())
                    found.append(f"{cell['id']}: “{piece}”")
                    break
    return found


def _literals(source: str) -> Iterator[str]:
    """Texts in code; of an f-string, what stands between its braces' contents."""
    inside = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            yield "…".join(part.value if isinstance(part, ast.Constant) else "" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value
