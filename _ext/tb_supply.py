"""Sphinx extension: what the book is made of, as tables on a page and as two files beside the pages.

The directive ``licences`` writes a table: ``pages`` (pieces of others' work in the pages), ``browser`` (in the
notebooks that run in the browser) or ``packages`` (all that the book is made with). ``licence-files`` leads to the
files. When the build ends, the bill of materials (``sbom.cdx.json``) and the notices of others
(``third-party-notices.txt``) are written into the site. ``tools/supply`` computes all of it.
"""

from __future__ import annotations

import html
import os
import sys
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import ClassVar
from zlib import crc32

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[1]
LOGGER = logging.getLogger(__name__)
# Style sheets that Sphinx and MyST-NB write while they build, and the packages that these are of.
GENERATED = {"pygments.css": "pygments", "mystnb.*.css": "myst-nb", "documentation_options.js": "sphinx"}


def supply():
    """What `tools.supply` has made of the packages for this build; the folder of the book may not be on the path."""
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    from tools.environment import ToolError
    from tools.supply import made

    try:
        return made.make(bool(os.environ.get("TRADEBOOK_LITE")))
    except ToolError as error:
        raise ExtensionError(str(error)) from error


def table(head: list[str], rows: Iterable[list[str]], label: str) -> str:
    """A table whose first column names the rows; cells are HTML. The search leaves it out: the files have it all."""
    top = "".join(f'<th scope="col">{one}</th>' for one in head)
    body = "\n".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>' for row in rows
    )
    return (
        f'<div class="tb-scroll tb-licences tb-repeat" tabindex="0" role="region" aria-label="{html.escape(label)}">\n'
        f"<table>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def _piece_rows(pieces: list[dict], told: bool = True) -> list[list[str]]:
    rows = []
    for piece in pieces:
        name = html.escape(piece["name"])
        if piece["source"]:
            name = f'<a href="{html.escape(piece["source"])}">{name}</a>'
        what = f"<br /><small>{html.escape(piece['what'])}</small>" if told else ""
        notice = "<br />".join(html.escape(one) for one in piece["holders"])
        rows.append([f"{name} {html.escape(piece['version'])}{what}", html.escape(piece["licence"]), notice])
    return rows


_HEAD = ["Work, version, what for", "Licence", "Copyright notice"]


class Licences(SphinxDirective):
    """A table of others' work."""

    required_arguments = 1
    option_spec: ClassVar = {}

    def run(self) -> list[nodes.Node]:
        """Write the table that the argument names."""
        kind = self.arguments[0]
        if kind not in ("pages", "browser", "packages"):
            raise self.error(f"licences: “{kind}” is no table; use pages, browser or packages.")
        made = supply()
        # The page changes with the packages, although its source does not.
        for name in ("requirements.lock", "tools/supply/licences.toml"):
            self.env.note_dependency(str(ROOT / name))
        if kind == "pages":
            return [_raw(table(_HEAD, _piece_rows(made.pages), "Others’ work in the pages"))]
        if kind == "packages":
            return [nodes.raw("", _packages(made.packages), format="html")]
        if not made.browser:
            text = "This copy of the book was built without the notebooks that run in the browser."
            return [nodes.paragraph("", text)]
        wholes = [piece for piece in made.browser if piece["kind"] != "wheel"]
        wheels = [piece for piece in made.browser if piece["kind"] == "wheel"]
        parts = [
            table(_HEAD, _piece_rows(wholes), "Others’ work in the notebooks that run in the browser"),
            "<p>Python packages, unchanged and each with its own licence file inside:</p>",
            table(["Package", *_HEAD[1:]], _piece_rows(wheels, told=False), "Python packages for the browser"),
            f"<p>{_npm(made.npm)}</p>",
        ]
        return [_raw(f'<div class="tb-web">{"".join(parts)}</div>')]


def _raw(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def _npm(licences: dict[str, int]) -> str:
    listed = ", ".join(f"{html.escape(name)} ({number})" for name, number in licences.items())
    return (
        f"Inside JupyterLite are {sum(licences.values())} packages from npm: {listed}. The notices name each of them; "
        "their licence texts are in the file <code>third-party-licenses.json</code> of the application."
    )


def _packages(packages: list[dict]) -> str:
    counted = Counter(one["licence"] for one in packages)
    most = ", ".join(f"{html.escape(name)} ({number})" for name, number in counted.most_common(6))
    rows = [
        [html.escape(one["name"]), html.escape(one["version"]), html.escape(one["licence"])]
        for one in sorted(packages, key=lambda one: one["name"])
    ]
    return (
        f"<p>{len(packages)} packages, most often under {most}.</p>"
        f'<div class="tb-web">{table(["Package", "Version", "Licence"], rows, "Packages of the book")}</div>'
    )


class LicenceFiles(SphinxDirective):
    """Links to the bill of materials and to the notices, in a list."""

    def run(self) -> list[nodes.Node]:
        """Write the list."""
        up = "../" * self.env.docname.count("/")
        return [
            _raw(
                '<ul class="simple">'
                f'<li><a href="{up}third-party-notices.txt">third-party-notices.txt</a>: copyright notices and licence '
                "texts of all works in the pages and in the notebooks that run in the browser</li>"
                f'<li><a href="{up}sbom.cdx.json">sbom.cdx.json</a>: bill of materials (CycloneDX 1.6): every package '
                "with version, licence, checksums and what it needs, and every work that the pages hold</li></ul>"
            )
        ]


def unlisted(app: Sphinx, listed: set[str]) -> list[str]:
    """Styles and scripts of the pages that come out of a package that is not among these."""
    from packaging.utils import canonicalize_name

    builder = app.builder
    folders = [Path(app.confdir, path) for path in app.config.html_static_path]
    folders += [Path(folder, "static") for folder in builder.theme.get_theme_dirs()]
    names = {str(file.filename) for file in (*builder._orig_css_files, *builder._orig_js_files) if file.filename}
    found = []
    for name in sorted(name.removeprefix("_static/") for name in names if "://" not in name):
        path = next((path for folder in folders if (path := folder / name).is_file()), None)
        if path is None:
            package = next((p for pattern, p in GENERATED.items() if fnmatch(name, pattern)), "")
        elif path.resolve().is_relative_to(Path(app.confdir).resolve()) and "site-packages" not in path.parts:
            continue
        else:
            parts = path.resolve().parts
            package = canonicalize_name(parts[parts.index("site-packages") + 1]) if "site-packages" in parts else ""
        if package and package not in listed:
            found.append(f"{name} ({package})")
    return found


def write_files(app: Sphinx, exception: Exception | None) -> None:
    """Write both files into the site, and say what the list of pieces lacks."""
    if exception or app.builder.name != "html" or not hasattr(app.builder, "_orig_css_files"):  # nothing was written
        return
    result = supply()
    for one in unlisted(app, {piece["package"] for piece in result.pages}):
        LOGGER.warning(
            "the pages have %s, which is not listed: add it to tools/supply/licences.toml",
            one,
            type="tb",
            subtype="supply",
        )
    from tools.supply import made

    made.write(result, Path(app.outdir))


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the steps."""
    app.add_directive("licences", Licences)
    app.add_directive("licence-files", LicenceFiles)
    app.connect("build-finished", write_files)
    return {
        "version": "1.0",
        "env_version": crc32(Path(__file__).read_bytes()),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
