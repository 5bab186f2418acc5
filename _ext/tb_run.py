"""Sphinx extension: on each page that is a notebook, the ways to run it.

“Run in the browser” leads to the copy in the folder ``lite``, which ``tools/lite.py`` writes beside the pages; nothing
of it is loaded before. The build says by ``$TRADEBOOK_LITE`` that the folder will be there; otherwise there is no
button. Binder and Colab need a public repository: they appear once ``repository.url`` in ``_config.yml`` names one.
"""

from __future__ import annotations

import html
import os
import re
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit
from zlib import crc32

from docutils import nodes
from sphinx.application import Sphinx

_HEADING = re.compile(r"</h1>")


def launch_links(repository: str, branch: str, path: str) -> dict[str, str]:
    """Addresses of the notebook `path` on Binder and Colab; none unless the repository is on GitHub."""
    parts = urlsplit(repository)
    name = parts.path.strip("/").removesuffix(".git")
    if parts.netloc != "github.com" or name.count("/") != 1:
        return {}
    ref = quote(branch, safe="")
    return {
        "Binder": f"https://mybinder.org/v2/gh/{name}/{ref}?labpath={quote(path, safe='')}",
        "Colab": f"https://colab.research.google.com/github/{name}/blob/{ref}/{quote(path)}",
    }


def colab_note(repository: str) -> str:
    """What a reader must run first in Colab, which brings neither the book's code nor its data."""
    lines = [
        f"!git clone -q --depth 1 {repository} /content/book",
        "!pip install -q /content/book",
        "%env TRADEBOOK_DATA=/content/book/data",
    ]
    return (
        '<details class="tb-run-colab"><summary>In Colab, first run these lines</summary>'
        f"<pre>{html.escape(chr(10).join(lines))}</pre></details>"
    )


def run_row(browser: str | None, links: dict[str, str], repository: str) -> str:
    """The row of links under a page's heading; empty if there is none to show."""
    parts = []
    if browser:
        parts.append(
            f'<a class="tb-run-button" href="{html.escape(browser)}">Run in the browser</a> '
            '<span class="tb-run-note">nothing to install; fetches about 80 MB once</span>'
        )
    parts += [f'<a href="{html.escape(address)}">{name}</a>' for name, address in links.items()]
    if not parts:
        return ""
    return f'<p class="tb-run">{" ".join(parts)}</p>{colab_note(repository) if "Colab" in links else ""}'


def add_row(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Put the row below the heading of a notebook's page."""
    source = Path(str(app.env.doc2path(pagename))) if pagename in app.env.found_docs else Path()
    if app.builder.name != "html" or source.suffix != ".ipynb" or not context.get("body"):
        return
    options = app.config.html_theme_options
    repository = options.get("repository_url") or ""
    path = PurePosixPath(source.relative_to(app.srcdir).as_posix())
    browser = None
    if app.config.tb_run_in_browser:
        browser = f"{context['pathto']('lite/notebooks/index.html', 1)}?path={quote(path.name)}"
    links = launch_links(repository, options.get("repository_branch") or "main", str(path)) if repository else {}
    row = run_row(browser, links, repository)
    context["body"] = _HEADING.sub(lambda match: match[0] + row, context["body"], count=1)


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the step; the setting belongs to the pages, so that a change writes them anew."""
    app.add_config_value("tb_run_in_browser", bool(os.environ.get("TRADEBOOK_LITE")), "html", types=[bool])
    app.connect("html-page-context", add_row)
    return {
        "version": "1.0",
        "env_version": crc32(Path(__file__).read_bytes()),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
