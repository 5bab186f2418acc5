"""Turn the book into pages, in a process of its own: ``python -m tools.render OUTPUT RESULTS [--jobs N]``.

It waits for two lines on standard input: ``fresh`` (read all pages again) or ``go on``, upon which it configures itself
and takes up its state, and ``make``, when the results of the notebooks are there. (`tools.render` only imports this
module quickly.)

What jupyter-book's own command does (every warning an error, every reference checked), and two things more. Pages are
read and written by several processes. And where an earlier run has left its state, only those pages are made again
that differ: a page is read again if its source, a file that it depends on or its notebook's result has other content
(dates of files decide nothing), and all pages are written again if anything has changed that pages show of each other.

The state must come from a run without any warning: Sphinx does not repeat the warnings of pages that it keeps.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import hashlib
import importlib
import json
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

import jupyter_book.sphinx
import yaml
from docutils import nodes
from jinja2 import FileSystemBytecodeCache
from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from tools.environment import ROOT
from tools.generator import WAITING

# Of what Sphinx knows of all pages, what other pages may show; the other domains are for programming languages.
_DOMAINS = ("std", "math", "citation", "cite", "exercise", "solution", "proof", "prf", "index")
_SHARED = ("titles", "longtitles", "toctree_includes", "toc_num_entries", "toc_secnumbers", "toc_fignumbers")
_SHARED += ("metadata", "glob_toctrees", "numbered_toctrees", "dlfiles", "tb_marks", "tb_cards")
# Concerns one page alone, such as places in it, which move with every line that is added above.
_OWN = {"line", "lineno", "wordcount", "bibdata"}


def plain(value: object) -> object:
    """A value as lists and text, the same for equal values whatever their order in memory."""
    if isinstance(value, nodes.Node):
        return value.pformat()
    if isinstance(value, Mapping):
        return sorted([str(key), plain(part)] for key, part in value.items() if key not in _OWN)
    if isinstance(value, set | frozenset):
        return sorted(map(str, map(plain, value)))
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, list):  # pages that are read again come last
        return sorted(map(plain, value), key=json.dumps)
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    if isinstance(value, str | int | float | None):
        return value
    if not hasattr(value, "__dict__"):
        return repr(value)
    return [type(value).__name__, plain({name: part for name, part in vars(value).items() if name[0] != "_"})]


def _without_lines(about: Mapping) -> dict:
    slugs = {slug: rest for slug, (_, *rest) in about.get("myst_slugs", {}).items()}
    return {**about, "myst_slugs": slugs}


def shared(env: BuildEnvironment) -> dict[str, str]:
    """Checksums of what pages may show of each other: titles, contents, numbers, labels, terms, works, statements."""
    found = {name: plain(getattr(env, name, None)) for name in _SHARED}
    found["metadata"] = plain({name: _without_lines(about) for name, about in env.metadata.items()})
    found |= {name: plain(env.domaindata[name]) for name in _DOMAINS if name in env.domaindata}
    return {name: hashlib.sha256(json.dumps(part).encode()).hexdigest() for name, part in found.items()}


def keep_bibliography(env: BuildEnvironment) -> None:
    """Spare sphinxcontrib-bibtex formatting all works again when the same ones are cited in the same order."""
    domain = env.get_domain("cite")
    formatted = domain.env_updated

    def env_updated() -> Iterable[str]:
        names = sorted(env.found_docs)
        lists = [(key.docname, key.id_, env.all_docs.get(key.docname)) for key in domain.bibliographies]
        cited = [key for name in names for ref in domain.citation_refs if ref.docname == name for key in ref.targets]
        state = repr((lists, [target.key for target in cited], domain.bibdata.bibfiles))
        before, env.tb_cited = getattr(env, "tb_cited", ""), state
        return [] if state == before and domain.citations else formatted()

    domain.env_updated = env_updated


_HASHED = re.compile(r"[0-9a-f]{32}")


class Book(Sphinx):
    """Sphinx, with pages known by their content."""

    results = Path()
    few = False  # pages to be made again

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        if "sphinx_multitoc_numbering" in self.extensions:  # numbers sections after all pages are read
            self.extensions["sphinx_multitoc_numbering"].parallel_read_safe = True
        if not all(one.parallel_read_safe and one.parallel_write_safe for one in self.extensions.values()):
            self.parallel = 1
        self._sums: dict[Path, str] = {}
        self._read_before: dict[str, tuple[str, str]] = {}
        if not hasattr(self.env, "tb_read"):
            self.env.tb_read = {}
        self.connect("doctree-read", self.note_text, priority=1000)
        self.connect("env-merge-info", self.merge_texts)
        if "cite" in self.env.domains:
            keep_bibliography(self.env)
        self.connect("builder-inited", self.keep_templates)
        self.connect("env-get-outdated", self.changed)
        self.connect("env-get-updated", self.showing, priority=1000)  # when sections and figures have their numbers
        self.connect("build-finished", self.sweep)

    def build(self, *arguments, **options) -> None:
        """Make the pages, once that is asked for."""
        # What opening the results for the first time takes is done while nobody waits.
        with contextlib.suppress(Exception):  # Sphinx will say what is wrong with them
            get_cache(self.env.mystnb_config.execution_cache_path).list_cache_records()
        print(WAITING, flush=True)
        if not sys.stdin.readline():
            os._exit(1)  # whoever asked has ended
        threading.Thread(target=_end_with_asker, daemon=True).start()
        super().build(*arguments, **options)

    def keep_templates(self, app: Sphinx) -> None:
        """Compile the theme's templates once, not in every run; Jinja compares their text with what is kept."""
        folder = Path(self.doctreedir).parent / ".templates"
        folder.mkdir(parents=True, exist_ok=True)
        if environment := getattr(self.builder.templates, "environment", None):
            environment.bytecode_cache = FileSystemBytecodeCache(str(folder))

    def basis(self, env: BuildEnvironment, docname: str) -> str:
        """Checksum of all that a page is read from."""
        record = self.results / f"{docname}.json"
        paths = [Path(env.doc2path(docname)), *(Path(self.srcdir, name) for name in env.dependencies[docname])]
        total = hashlib.sha256()
        if record.is_file():
            total.update(json.loads(record.read_text("utf-8"))["outputs"].encode())
        for path in sorted({Path(os.path.normpath(path)) for path in paths}):
            if path not in self._sums:
                self._sums[path] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            total.update(f"\n{path} {self._sums[path]}".encode())
        return total.hexdigest()

    def changed(self, app: Sphinx, env: BuildEnvironment, *others: set[str]) -> list[str]:
        """The pages that must be read again."""
        known = getattr(env, "tb_basis", {})
        found = [name for name in env.found_docs if known.get(name) != self.basis(env, name)]
        self.few = len(found) < 3
        self._read_before = dict(env.tb_read)
        return found

    def own(self, docname: str) -> str:
        """Checksum of a page's source and of its notebook's result."""
        paths = [Path(self.env.doc2path(docname)), self.results / f"{docname}.json"]
        return " ".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file())

    def note_text(self, app: Sphinx, doctree: nodes.document) -> None:
        """Note what a page was read as."""
        docname = self.env.docname
        text = hashlib.sha256(doctree.pformat().encode()).hexdigest()
        self.env.tb_read[docname] = (self.own(docname), text)

    def merge_texts(self, app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
        """Take over what another process has noted."""
        env.tb_read.update({name: other.tb_read[name] for name in docnames if name in other.tb_read})

    def leave_unchanged(self, env: BuildEnvironment) -> None:
        """Write no page that was read again, because a file that it depends on has changed, and is what it was."""
        same = {name for name, read in env.tb_read.items() if self._read_before.get(name) == read}
        write = self.builder.write

        def write_others(names: Iterable[str] | None, updated: Iterable[str], method: str = "update") -> None:
            write([name for name in names or () if name not in same], [n for n in updated if n not in same], method)

        self.builder.write = write_others

    def showing(self, app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
        """Of pages that need not be read again, those that must be written: all, if something shared has changed."""
        env.tb_basis = {name: self.basis(env, name) for name in env.found_docs}
        before, env.tb_shared = getattr(env, "tb_shared", None), shared(env)
        if before is None:
            return []
        # Sphinx's own index for the search is the same only if it is made of all pages; `tb_find` has another one.
        own_search = getattr(self.builder, "search", False) and "index_page" not in vars(self.builder)
        if before == env.tb_shared and not own_search:
            if self.few:  # for a page or two, another process would take longer
                self.parallel = 1
            self.leave_unchanged(env)
            return [self.config.root_doc]  # with no page to write, Sphinx would not write what all pages share
        changed = [name for name in env.tb_shared if before.get(name) != env.tb_shared[name]]
        print(f"Writing all pages: {', '.join(changed) or 'the search index'} changed.")
        return sorted(env.found_docs)

    def sweep(self, app: Sphinx, exception: Exception | None) -> None:
        """Remove files that an earlier run has copied for pages, and that none uses any more."""
        folder = Path(self.outdir, "_downloads")
        used = {path for _, path in self.env.dlfiles.values()}
        for path in folder.glob("*/*") if exception is None else ():
            if _HASHED.fullmatch(path.parent.name) and path.relative_to(folder).as_posix() not in used:
                shutil.rmtree(path.parent)
        images = {name for _, name in self.env.images.values()}
        for path in Path(self.outdir, "_images").glob("*") if exception is None else ():
            if path.name not in images:
                path.unlink()


def _end_with_asker() -> None:
    """End this process when whoever asked ends: with that the folder's lock is gone, and others may build."""
    # Not through sys.stdin, whose lock a forked process would inherit while it is held.
    while os.read(0, 1):
        pass
    os._exit(1)


def import_extensions() -> None:
    """Import the extensions that ``_config.yml`` names, while nothing else is to be done."""
    about = (yaml.safe_load((ROOT / "_config.yml").read_text("utf-8")) or {}).get("sphinx") or {}
    sys.path[:0] = sorted({str(ROOT / folder) for folder in (about.get("local_extensions") or {}).values()})
    for name in ((about.get("config") or {}).get("extensions")) or []:
        with contextlib.suppress(ImportError):  # Sphinx will say so
            importlib.import_module(name)
    for name in ("myst_nb.sphinx_ext", "sphinx.builders.html"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.render", description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("results", type=Path, help="folder of the records of the notebooks' results")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    Book.results = options.results
    import_extensions()
    told = sys.stdin.readline()
    if not told:
        return 1
    fresh = told.strip() == "fresh"
    # Doctrees are millions of small objects that are read in one go: looking for garbage meanwhile finds none.
    if fresh:
        gc.set_threshold(200_000, 50, 50)
    else:  # a few pages
        gc.disable()
    jupyter_book.sphinx.Sphinx = Book
    outcome = jupyter_book.sphinx.build_sphinx(
        ROOT,
        options.output,
        noconfig=True,
        path_config=ROOT / "_config.yml",
        confoverrides={
            "external_toc_path": (ROOT / "_toc.yml").as_posix(),
            "latex_individualpages": False,
            "nitpicky": True,
        },
        builder="html",
        warningiserror=True,
        keep_going=True,
        freshenv=fresh,
        jobs=options.jobs,
    )
    return int(outcome) if isinstance(outcome, int) else 1
