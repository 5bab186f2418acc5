"""Make a chapter somebody's own: a folder that runs alone, for another case, checked before it appears.

A fork is written into a temporary folder beside the target, its notebook is run there from top to bottom in a fresh
kernel with nothing but the fork's own code and data, and only a fork that passed is moved to the target, in one step.
Whatever goes wrong before, nothing is left.

Data: a fork holds whole tables, byte for byte those of the book, so that checksums, descriptions and citations stay
true. Cutting them to the rows of one pair would be wrong where it would save most: gravity, revealed advantage, the
intensity of trade and the network of trade are computed over all economies. It starts with the tables that the code
names, and keeps those that were asked for while the notebook ran; without that check (``check=False``) it keeps all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

import yaml

from tradebook import __version__
from tradebook.coursework import adequacy, pins, rewriting
from tradebook.coursework.chapters import ROOT, Case
from tradebook.coursework.folders import in_place_of
from tradebook.data import package
from tradebook.errors import TradebookError
from tradebook.markdown import address, text

__all__ = ["Fork", "ForkError", "default_target", "fork", "run_notebook", "slice_of_data", "tables_named", "write_fork"]

# Needed without being imported by name: what runs and shows a notebook, reads Parquet, draws text, and makes the book.
_TOOLS = ["ipykernel", "jupyterlab", "nbclient", "pyarrow", "font-source-sans-pro", "jupyter-book", "sphinx"]
_TOOLS += ["sphinx-book-theme", "sphinxcontrib-bibtex", "sphinx-design", "sphinx-exercise", "sphinx-togglebutton"]
_TOOLS += ["myst-nb", "sphinx-external-toc", "brotli", "fonttools", "ziamath", "latex2mathml", "tinycss2", "docutils"]
# Extensions of the book that make a site light, plain and without calls to other sites.
_EXTENSIONS = ["tb_light", "tb_mathml", "tb_site"]
_STATIC = ["frame.js", "icons.css", "logo.svg", "tradebook.css"]
_PAGES = ["book-title.html", "layout.html", "table.html"]
# Where a package is imported under another name than the one it is installed by, for Colab.
_COLAB = {
    "duckdb": "duckdb", "font_source_sans_pro": "font-source-sans-pro", "networkx": "networkx", "pyarrow": "pyarrow",
    "pyfixest": "pyfixest", "seaborn": "seaborn", "statsmodels": "statsmodels", "threadpoolctl": "threadpoolctl",
}  # fmt: skip


class ForkError(TradebookError):
    """A fork cannot be made, or the one that was made did not pass its check."""


@dataclass(frozen=True)
class Fork:
    """A finished fork: where it is, what it holds, and what its check found."""

    folder: Path
    notebook: str
    tables: tuple[str, ...]
    figures: int
    checked: bool


@dataclass(frozen=True)
class Run:
    """What a run of a fork's notebook showed."""

    figures: int
    asked: frozenset[str]  # tables that the run asked for


def default_target(case: Case) -> Path:
    """Where a fork goes that nobody has named a place for: the working folder, but never inside the book's own."""
    here = Path.cwd()
    return (ROOT.parent if here == ROOT or ROOT in here.parents else here) / case.slug


def fork(case: Case, target: Path, check: bool = True, say: Callable[[str], None] = lambda _: None) -> Fork:
    """Make a fork.

    Parameters
    ----------
    case : Case
        The chapter and its parameters.
    target : Path
        The folder to make; it must not exist.
    check : bool
        Run the fork before it is moved to its place.
    say : function
        Told in a few words what is going on.

    Raises
    ------
    ForkError
        If the target exists or cannot be written, the tables have too little for the case, or the check failed.
    """
    target = Path(os.path.abspath(target))
    _refuse_target(target)
    say("looking whether the tables have enough")
    if lacking := adequacy.missing(case):
        raise ForkError(lacking)
    with in_place_of(target, ForkError) as folder:
        say("writing the folder")
        notebook = write_fork(case, folder)
        figures, used = 0, None
        if check:
            run = run_notebook(folder / notebook, case, say)
            figures, used = run.figures, run.asked
        say("finishing")
        tables = _finish(case, folder, used)
    return Fork(target, notebook, tuple(tables), figures, check)


def _refuse_target(target: Path) -> None:
    if os.path.lexists(target):
        raise ForkError(f"{target} exists already and is left as it is: name another folder with --to.")
    if target == ROOT or ROOT in target.parents:
        raise ForkError(f"{target} lies inside the book's own folder: name a folder outside of it with --to.")
    if not target.parent.is_dir():
        raise ForkError(f"The folder {target.parent} does not exist: make it first, or name another with --to.")


# --- what a fork holds ----------------------------------------------------------------------------


def write_fork(case: Case, folder: Path) -> str:
    """Write all files of a fork into an existing empty folder; return the name of its notebook.

    The data are those that the code names, see `tables_named`; nothing is run.
    """
    book = case.chapter.path.parents[1]
    templates = book / "coursework" / "templates"
    facts = _about_the_book(book)
    texts = rewriting.prompts(case.chapter, book)
    bare = rewriting.forked_notebook(case, texts, facts["address"])
    sources, modules = sources_of(bare, book)
    extensions = [(book / "_ext" / f"{name}.py").read_text("utf-8") for name in _EXTENSIONS]
    pinned = pins.read_pins(book / "requirements.txt")
    needed = pins.requirements([*sources, *extensions], _TOOLS, pinned)

    first = _render(templates / "first_cell.py", packages=_colab_packages(needed, pinned))
    notebook = rewriting.forked_notebook(case, texts, facts["address"], first.rstrip("\n"))
    if remains := rewriting.left_over(notebook, case):
        raise ForkError(f"The fork still speaks of the book's own case, in cell {'; in cell '.join(remains)}.")
    name = f"{case.chapter.stem}.ipynb"
    _write(folder / name, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")

    for path in modules:
        _copy(path, folder / path.relative_to(book))
    commands = _render(templates / "cli.py", book=facts["title"], place=facts["place"])
    _write(folder / "tradebook" / "cli.py", commands)
    for file in _STATIC:
        _copy(book / "_static" / file, folder / "_static" / file)
    _copy(templates / "_static" / "fork.css", folder / "_static" / "fork.css")
    for file in _PAGES:
        _copy(book / "_templates" / file, folder / "_templates" / file)
    for file in _EXTENSIONS:
        _copy(book / "_ext" / f"{file}.py", folder / "_ext" / f"{file}.py")
    for file in ("LICENSE", "LICENSE-text"):
        _copy(book / file, folder / file)
    _write(folder / "requirements.txt", _requirements_text(needed))
    bibliography = (book / "chapters" / "references.bib").read_text("utf-8")
    _write(folder / "references.bib", _entries(bibliography, rewriting.citations(notebook["cells"])))
    _write(folder / ".gitignore", (templates / "gitignore").read_text("utf-8"))
    _write(folder / ".github" / "workflows" / "check.yml", (templates / "check.yml").read_text("utf-8"))
    _write(folder / "_toc.yml", _render(templates / "_toc.yml", stem=case.chapter.stem))
    _write(folder / "_config.yml", _config(templates, book, case, facts))
    _write(folder / "appendices" / "sources.md", (templates / "sources.md").read_text("utf-8"))
    _write(folder / "CITATION.cff", _render(templates / "CITATION.cff", title=case.title, references=facts["cff"]))
    _write_data(folder, book, case, tables_named(sources))
    return name


def sources_of(notebook: Mapping, book: Path = ROOT) -> tuple[list[str], list[Path]]:
    """The code that a notebook consists of and rests on, and the files of `tradebook` among it."""
    code = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    modules = list(pins.modules_needed(code, book / "tradebook").values())
    return [*code, *(path.read_text("utf-8") for path in modules)], modules


def _finish(case: Case, folder: Path, used: Iterable[str] | None) -> list[str]:
    """Keep only the tables in use, and write the pages that speak of them; return the names of the tables."""
    book = case.chapter.path.parents[1]
    templates = book / "coursework" / "templates"
    if used is not None:
        _write_data(folder, book, case, used)
    for cache in ("__pycache__", ".ipynb_checkpoints"):
        for path in folder.rglob(cache):
            shutil.rmtree(path)
    descriptor = json.loads((folder / "data" / "datapackage.json").read_text("utf-8"))
    names = [resource["name"] for resource in descriptor["resources"]]
    sections = "\n".join(_table_section(resource) for resource in descriptor["resources"])
    _write(folder / "appendices" / "data.md", _render(templates / "data.md", tables=sections))
    facts = _about_the_book(book)
    readme = _render(
        templates / "README.md",
        title=case.title,
        number=str(case.chapter.number),
        book=facts["link"],
        parameters=", ".join(f"{key} = {value}" for key, value in case.values.items()),
        notebook=f"{case.chapter.stem}.ipynb",
        size="1.5 GB" if "pyfixest" in (folder / "requirements.txt").read_text("utf-8") else "1 GB",
        tables=str(len(names)),
        table=names[0],
        citation=facts["citation"],
        version=__version__,
        checked="" if used is not None else "; not run before it was handed over (--no-check)",
    )
    _write(folder / "README.md", readme)
    return names


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _render(template: Path, **values: str) -> str:
    """A template with each ``<<name>>`` replaced."""
    return re.sub(r"<<(\w+)>>", lambda match: values[match[1]], template.read_text("utf-8"))


def _about_the_book(book: Path) -> dict[str, str]:
    """What a fork says of the book: its address on the web (or ""), a link, a citation, and that as CFF."""
    cff = yaml.safe_load((book / "CITATION.cff").read_text("utf-8"))
    config = yaml.safe_load((book / "_config.yml").read_text("utf-8"))
    address = (config.get("html") or {}).get("baseurl") or ""
    address = address.rstrip("/") + "/" if address else ""
    repository = (config.get("repository") or {}).get("url") or ""
    title, place = cff["title"], address or repository
    authors = "; ".join(one.get("name") or f"{one['family-names']}, {one['given-names']}" for one in cff["authors"])
    year = str(cff["date-released"])[:4]
    citation = f"{authors} ({year}). *{title}*, version {cff['version']}." + (f" {place}" if place else "")
    entry = {"type": "book", "title": title, "authors": cff["authors"], "version": str(cff["version"])}
    entry["year"] = int(year)
    if place:
        entry["url"] = place
    listed = yaml.safe_dump([entry], sort_keys=False, allow_unicode=True, width=110)
    return {
        "address": address,
        "title": title,
        "place": f" ({place})" if place else "",
        "link": f"[*{title}*]({place})" if place else f"*{title}*",
        "html": f'<a href="{escape(place)}"><em>{escape(title)}</em></a>' if place else f"<em>{escape(title)}</em>",
        "citation": citation,
        "cff": "\n".join(f"  {line}" for line in listed.rstrip().splitlines()),
    }


def _config(templates: Path, book: Path, case: Case, facts: Mapping[str, str]) -> str:
    own = yaml.safe_load((book / "_config.yml").read_text("utf-8"))["sphinx"]["config"]["extensions"]
    kept = [name for name in own if not name.startswith("tb_")] + _EXTENSIONS
    return _render(
        templates / "_config.yml",
        title=case.title,
        number=str(case.chapter.number),
        book_html=facts["html"],
        local_extensions="\n".join(f"    {name}: _ext" for name in _EXTENSIONS),
        extensions="\n".join(f"      - {name}" for name in kept),
    )


def _requirements_text(needed: Mapping[str, list[str]]) -> str:
    lines = ["# What this project needs, at the versions that its code was checked with:", *needed["direct"]]
    return "\n".join([*lines, "", "# and what these need:", *needed["indirect"], ""])


def _colab_packages(needed: Mapping[str, list[str]], pinned: Mapping[str, str]) -> str:
    """What may be missing on Colab: module → pin, as the text of a dictionary."""
    wanted = {*needed["direct"], *needed["indirect"]}
    pairs = [(module, pinned[name]) for module, name in _COLAB.items() if pinned.get(name) in wanted]
    return "{\n" + "".join(f'        "{module}": "{pin}",\n' for module, pin in pairs) + "    }"


def _entries(bibliography: str, keys: set[str]) -> str:
    """The entries of a BibTeX file that have these keys, in its order."""
    found = re.findall(r"^(@\w+\{([^,\s]+),.*?^\})", bibliography, re.M | re.S)
    if lost := keys - {key for _, key in found}:
        raise ForkError(f"references.bib of the book lacks {', '.join(sorted(lost))}, which the chapter cites: add it.")
    return "\n\n".join(entry for entry, key in found if key in keys) + "\n"


# --- data -----------------------------------------------------------------------------------------


def tables_named(sources: Iterable[str]) -> set[str]:
    """The tables of the data package whose names stand in code as texts: all that the code can ask for."""
    texts = {text for source in sources for text in re.findall(r"""["']([a-z0-9-]+)["']""", source)}
    return {resource["name"] for resource in package()["resources"]} & texts


def slice_of_data(names: Iterable[str]) -> dict:
    """A data package of these tables and of those that they refer to, as a descriptor.

    Tables, checksums and licences are the book's; a reference to another table always leads to one that is there.
    """
    known = {resource["name"]: resource for resource in package()["resources"]}
    wanted, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += [key["reference"]["resource"] or name for key in known[name]["schema"].get("foreignKeys", [])]
    head = {key: value for key, value in package().items() if key != "resources"}
    return head | {"resources": [known[name] for name in known if name in wanted]}


def _write_data(folder: Path, book: Path, case: Case, names: Iterable[str]) -> None:
    """Write the data package of a fork; tables that are there already and no longer wanted go."""
    facts = _about_the_book(book)
    descriptor = slice_of_data(names)
    descriptor |= {
        "name": f"{case.slug}-data",
        "title": f"Data of “{case.title}”",
        "description": f"{descriptor['description']} Taken unchanged from the data of the book: {facts['citation']}",
        "licenses": package().get("licenses")
        or list({json.dumps(terms): terms for r in descriptor["resources"] for terms in r["licenses"]}.values()),
    }
    data = folder / "data"
    data.mkdir(exist_ok=True)
    kept = {resource["path"] for resource in descriptor["resources"]}
    for path in data.iterdir():
        if path.name not in kept:
            path.unlink()
    for name in kept:
        if not (data / name).exists():
            _copy(book / "data" / name, data / name)
    _write(data / "datapackage.json", json.dumps(descriptor, indent=1, ensure_ascii=False) + "\n")


def _table_section(resource: Mapping) -> str:
    """A table on the page “Data”: what it holds, who publishes it, on which terms, how to cite it, its problems."""

    sources = "; ".join(
        f"[{text(s['title'])}]({address(s['path'])})" if "path" in s else text(s["title"]) for s in resource["sources"]
    )
    licences = "; ".join(f"[{text(terms['title'])}]({address(terms['path'])})" for terms in resource["licenses"])
    span = resource["coverage"].get("years")
    size = f"{resource['rows']:,} rows" + (f", {span[0]}–{span[1]}" if span else "")
    columns = ", ".join(f"`{field['name']}`" for field in resource["schema"]["fields"])
    problems = "\n".join(f"- {text(caveat)}" for caveat in resource["caveats"])
    return f"""\
({resource["name"]})=
## {resource["name"]}

**{text(resource["title"])}.** {text(resource["description"])}

- Columns: {columns} ({size})
- Source: {sources}; vintage: {text(resource["vintage"])}
- Licence: {licences}
- Cite as: {text(resource["sources"][0]["title"])}, vintage {text(resource["vintage"])}.
- File: {{download}}`{resource["path"]} <../data/{resource["path"]}>`

Known problems:

{problems}
"""


# --- the check ------------------------------------------------------------------------------------

_WATCH = """
import json as _json
import tradebook.data as _tradebook_data
_tradebook_asked, _tradebook_find = set(), _tradebook_data._resource
def _tradebook_note(name):
    _tradebook_asked.add(name)
    return _tradebook_find(name)
_tradebook_data._resource = _tradebook_note
_tradebook_data._WATCHERS.append(_tradebook_asked)
"""
_TELL = """
print(_json.dumps([sorted(_tradebook_asked), _tradebook_data.__file__]))
"""
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_GLUED = re.compile(r"\{glue:(?:text|)\}`([^`:]+)(?::[^`]*)?`")


def run_notebook(path: Path, case: Case, say: Callable[[str], None] = lambda _: None) -> Run:
    """Run a fork's notebook in a fresh kernel, with the fork's own code and data, and look at what came out.

    The file stays without outputs.

    Raises
    ------
    ForkError
        If a cell fails, a figure or a number in the text is missing, or an output speaks of the book's own case.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.from_dict(json.loads(path.read_text("utf-8")))
    cells = notebook.cells
    notebook.cells = [_silent(_WATCH, "watch"), *cells, _silent(_TELL, "tell")]
    count = sum(cell.cell_type == "code" for cell in cells)
    done = 0

    def progress(cell: Mapping, cell_index: int) -> None:
        nonlocal done
        if cell["cell_type"] == "code" and done < count:
            done += 1
            say(f"running the notebook: cell {done} of {count}")

    client = NotebookClient(
        notebook, kernel_name="python3", kernel_manager_class=_this_python(), timeout=600, record_timing=False,
        coalesce_streams=True, on_cell_start=progress, resources={"metadata": {"path": str(path.parent)}},
    )  # fmt: skip
    try:
        client.execute(env=_kernel_environment(path.parent))
    except CellExecutionError as error:
        lines = [line for line in _ANSI.sub("", str(error)).strip().splitlines() if line.strip()]
        raise ForkError(
            f"The chapter cannot be run for {case.label}, because its code fails there: {lines[-1]}"
        ) from error
    except (CellTimeoutError, DeadKernelError) as error:
        raise ForkError(
            f"The chapter cannot be run for {case.label}: the kernel did not answer ({type(error).__name__})."
        ) from error
    asked, file = json.loads(notebook.cells[-1].outputs[0]["text"])
    if Path(file).resolve().parents[1] != path.parent.resolve():
        raise ForkError(f"The check used the code in {Path(file).parent} instead of the fork's own: unset PYTHONPATH.")
    _require_outputs(cells, case)
    return Run(sum(_figures(cell) for cell in cells), frozenset(asked))


def _this_python() -> type:
    """A manager of kernels that run on this Python, whatever kernels are installed elsewhere."""
    from jupyter_client.manager import AsyncKernelManager

    class ThisPython(AsyncKernelManager):
        def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
            # Without the last word each kernel warns that it listens on this machine without encryption.
            command = [sys.executable, "-m", "ipykernel_launcher", "-f", self.connection_file]
            return [*command, "--IPKernelApp.log_level=40", *(extra_arguments or [])]

    return ThisPython


def _silent(source: str, name: str) -> Mapping:
    import nbformat

    return nbformat.v4.new_code_cell(source, id=name)


def _kernel_environment(folder: Path) -> dict[str, str]:
    """The student's environment: nothing of the book's own, no personal settings."""
    personal = {"TRADEBOOK_DATA", "PYTHONSTARTUP", "MPLBACKEND", "MATPLOTLIBRC", "PYTHONHOME"}
    env = {key: value for key, value in os.environ.items() if key not in personal}
    return env | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}


def _texts(cell: Mapping) -> Iterator[str]:
    """What the outputs of a cell say to a reader: HTML as text without the source line and the cells of tables."""
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            yield output["text"]
        for kind, value in output.get("data", {}).items():
            if kind == "text/html":
                value = re.sub(r'<p class="tb-source">.*?</p>|<style.*?</style>', " ", value, flags=re.S)
                value = re.sub(r"<t[dh]\b.*?</t[dh]>", " ", value, flags=re.S)
                labels = re.findall(r'aria-label="([^"]*)"', value)
                yield unescape(" ".join([*labels, re.sub(r"<[^>]*>", " ", value)]))
            elif kind.endswith("text/plain") and "text/html" not in output["data"]:
                yield str(value)


def _figures(cell: Mapping) -> int:
    return sum('class="tb-figure"' in str(o.get("data", {}).get("text/html", "")) for o in cell.get("outputs", []))


def _require_outputs(cells: list, case: Case) -> None:
    """Every figure drawn, every number in the text there, no word of the book's own case in what the code says.

    That a figure has data `tradebook.charts.show` has seen to: it refuses an empty one.
    """
    glued, problems = set(), []
    own = [re.compile(pattern) for pattern in rewriting.sentences_of(case)]
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        for output in cell["outputs"]:
            if output["output_type"] == "stream" and output["name"] == "stderr":
                problems.append(f"cell {cell['id']} warns: “{output['text'].strip().splitlines()[-1]}”")
            glued.add(output.get("metadata", {}).get("scrapbook", {}).get("name"))
        for shown in _texts(cell):
            problems += [f"cell {cell['id']} says “{m[0]}”" for pattern in own if (m := pattern.search(shown))]
        if "charts.show(" in cell["source"] and not cell["outputs"] and "if " not in cell["source"]:
            problems.append(f"cell {cell['id']} shows no figure")
    prose = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    lost = sorted(set(_GLUED.findall(prose)) - glued)
    if lost:
        problems.append(f"the text needs {', '.join(lost)}, which no cell computes")
    if problems:
        raise ForkError(f"The fork for {case.label} did not pass its check: {'; '.join(problems)}.")
