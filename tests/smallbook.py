"""A book of four pages, in a repository of its own with the book's tools, for tests that build one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.environment import ROOT

WORDS = "word " * 60
EXTENSIONS = "myst_nb, jupyter_book, sphinx_external_toc, sphinx_comments, sphinx_book_theme"


# As `tb_find` does: what all pages share is then no reason to write them all.
_NO_SEARCH = """
from pathlib import Path
def without(app):
    for step in ("load_indexer", "index_page"):
        setattr(app.builder, step, lambda *arguments: None)
    app.builder.dump_search_index = lambda: Path(app.outdir, "searchindex.js").write_text("Search.setIndex({})")
def setup(app):
    app.connect("builder-inited", without)
    return {"parallel_read_safe": True}
"""


def small_book(folder: Path, search: bool = False) -> Path:
    """A repository with a book of four pages that refer to each other, with Sphinx's search or without."""
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    if not search:
        (folder / "_ext").mkdir()
        (folder / "_ext" / "no_search.py").write_text(_NO_SEARCH)
    for name in ("requirements.lock", "CITATION.cff"):
        shutil.copy(ROOT / name, folder)
    (folder / "_config.yml").write_text(
        "title: Small\nonly_build_toc_files: true\nexecute: {execute_notebooks: 'off'}\n"
        "html: {use_multitoc_numbering: false}\nlaunch_buttons: {thebe: false}\n"
        f"sphinx: {{recursive_update: true, {'local_extensions: {no_search: _ext}, ' * (not search)}"
        f"config: {{language: en, extensions: [{EXTENSIONS}{', no_search' * (not search)}]}}}}\n"
    )
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: chapters/index\nchapters:\n"
        + "".join(f"- file: chapters/{name}\n" for name in ("one", "two", "three"))
    )
    (folder / "chapters").mkdir()
    for name, text in (
        ("index", "# Small\n\nSee {doc}`one`."),
        ("one", "# One\n\n(there)=\n## A part\n\nSee {ref}`end`."),
        ("two", "# Two\n\nSee {ref}`there`."),
        ("three", "# Three\n\n(end)=\n## The end\n\nNothing."),
    ):
        (folder / "chapters" / f"{name}.md").write_text(f"{text}\n\n{WORDS}\n")
    return folder


def build(folder: Path, command: str = "book") -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "tools.build", command]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300)


def edit(folder: Path, page: str, old: str, new: str) -> None:
    path = folder / "chapters" / f"{page}.md"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
