"""Sphinx extension: a computed number of a notebook in the text of another page.

``{computed}`02-bilateral-trade:finding_growth``` puts in what that notebook has glued under the name. The
value is read from the outputs stored in the notebook, which the tests compare with a fresh run; a name that
is not there is a warning, so it fails the build.
"""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

LOGGER = logging.getLogger(__name__)
TEXT = "application/papermill.record/text/plain"


@cache
def glued(notebook: Path) -> dict[str, str]:
    """Names and texts that a notebook hands to its page."""
    found = {}
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name and TEXT in output.get("data", {}):
                value = output["data"][TEXT]
                found[name] = ast.literal_eval("".join(value))
    return found


class Computed(SphinxRole):
    """``{computed}`page:name```: the page is a notebook, named from the folder of the page that uses it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        page, _, name = self.text.partition(":")
        here = Path(self.env.doc2path(self.env.docname)).parent
        notebook = (here / page).with_suffix(".ipynb")
        if not notebook.is_file() or name not in glued(notebook):
            LOGGER.warning("no notebook %s has glued “%s”", page, name, location=self.get_location())
            return [], []
        self.env.note_dependency(str(notebook))
        text = glued(notebook)[name].replace(" %", "\u00a0%")  # a number and its “%” stay on one line
        # A sentence is found where it is said first; a number belongs to the sentence around it.
        return [nodes.inline("", text, classes=["tb-repeat"]) if text.endswith(".") else nodes.Text(text)], []


def setup(app: Sphinx) -> dict:
    """Register the role."""
    app.add_role("computed", Computed())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
