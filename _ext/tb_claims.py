"""Sphinx extension: marks that lead from the text to the statements it discusses, and back.

``{claim}`thesis-2.1-034 thesis-2.1-031``` marks the place at which the text speaks of these statements. Each
identifier becomes a link to its row in the list of all statements, with the verdict that the list's notebook has
glued as ``verdicts``; an identifier that it does not know is a warning, so it fails the build. In the list, each
statement that has a mark gets a link back to the first one.
"""

from __future__ import annotations

import csv
import html
import json
import re
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import NoUri
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole
from tb_numbers import glued

LOGGER = logging.getLogger(__name__)

# The colours and symbols of tradebook.css, by verdict.
KINDS = {
    "confirmed": "confirmed",
    "approximately right": "approximately-right",
    "depends on definition or vintage": "depends",
    "contradicted": "contradicted",
    "internally inconsistent": "inconsistent",
    "not checkable": "not-checkable",
}
# What stands for a source in front of the section and number; most statements are the thesis's.
SOURCES = {
    "thesis": "",
    "chtf": "fair ",
    "us-china-brief": "brief ",
    "patents-paper": "patents ",
    "shandong-paper": "Shandong ",
}
_ROW = re.compile(r'<th scope="row"><a id="([^"]+)" [^>]*>[^<]*</a>')


@cache
def registered(folder: Path) -> dict[str, tuple[str, str, str]]:
    """The register: of each statement the source, the section with the number, and our wording."""
    found = {}
    for source, name in SOURCES.items():
        with (folder / f"{source}.csv").open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                found[row["claim_id"]] = (name, row["claim_id"].removeprefix(f"{source}-"), row["statement"])
    return found


class Claim(SphinxRole):
    """``{claim}`id id …```: one mark for one or several statements."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        notebook = Path(self.env.srcdir, self.config.tb_claims_page + ".ipynb")
        self.env.note_dependency(str(notebook))
        verdicts = json.loads(glued(notebook).get("verdicts", "{}"))
        register = registered(Path(self.env.srcdir, self.config.tb_claims_register))
        marked = self.env.tb_marks.setdefault(self.env.docname, [])
        claims = self.text.split()
        mark = nodes.inline(classes=["tb-mark"])
        if len(claims) > 1:
            mark += nodes.inline("", f"{len(claims)} statements", classes=["tb-mark-count"])
        for claim in claims:
            if claim not in verdicts or claim not in register:
                LOGGER.warning("no statement “%s” has a verdict", claim, location=self.get_location())
                continue
            (source, number, statement), verdict = register[claim], verdicts[claim]
            link = nodes.reference(internal=True, reftitle=f"{statement} – {verdict}", tb_claim=claim)
            chip = nodes.inline(classes=[f"tb-{KINDS[verdict]}"])
            chip += nodes.inline("", "Statement ", classes=["visually-hidden"])
            chip += [nodes.Text(source), nodes.inline("", number, classes=["tb-mark-number"])]
            chip += nodes.inline("", f": {verdict}", classes=["visually-hidden"])
            link += chip
            if claim not in marked:
                marked.append(claim)
                link["ids"].append(f"mark-{claim}")
            mark += [nodes.Text(" "), link] if len(mark) else [link]
        return ([mark] if mark.children else []), []


def link_to_list(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give each mark of a page its address; only HTML pages have the rows to lead to."""
    for link in list(doctree.findall(lambda node: isinstance(node, nodes.reference) and "tb_claim" in node)):
        try:
            page = app.builder.get_relative_uri(docname, app.config.tb_claims_page).partition("#")[0]
        except NoUri:  # a book without the list
            link.replace_self(link.children)
            continue
        link["refuri"] = f"{page}#{link['tb_claim']}" if app.builder.format == "html" else page


def link_from_list(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document) -> None:
    """In the list of all statements, lead from a statement to the first place that discusses it."""
    if pagename != app.config.tb_claims_page or app.builder.format != "html":
        return
    places = {claim: page for page in sorted(app.env.tb_marks, reverse=True) for claim in app.env.tb_marks[page]}

    def lead(row: re.Match[str]) -> str:
        claim = row[1]
        if claim not in places:
            return row[0]
        title = app.env.titles[places[claim]].astext()
        number = title.partition(" ·")[0]  # chapters carry their number in their title
        place = html.escape(f"chapter {number}" if number.isdigit() else title)
        address = html.escape(f"{context['pathto'](places[claim])}#mark-{claim}")
        return f'{row[0]}<small><a href="{address}">discussed in {place}</a></small>'

    context["body"] = _ROW.sub(lead, context["body"])


def forget_page(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Drop the marks of a page that is read anew or gone."""
    env.tb_marks.pop(docname, None)


def merge_pages(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    """Take over the marks of pages that another process has read."""
    env.tb_marks.update({name: other.tb_marks[name] for name in docnames if name in other.tb_marks})


def renew_list(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Write the list of all statements anew when marks have come, gone or moved to another page."""
    now = {name: list(claims) for name, claims in env.tb_marks.items()}
    before, env.tb_marks_listed = getattr(env, "tb_marks_listed", {}), now
    return [app.config.tb_claims_page] if now != before and app.config.tb_claims_page in env.found_docs else []


def prepare(app: Sphinx) -> None:
    """Make room for the marks in a new environment."""
    if not hasattr(app.env, "tb_marks"):
        app.env.tb_marks = {}


def setup(app: Sphinx) -> dict:
    """Register the role and connect the steps."""
    app.add_config_value("tb_claims_page", "chapters/appendices/claims", "env")
    app.add_config_value("tb_claims_register", "data/claims", "env")
    app.add_role("claim", Claim())
    app.connect("builder-inited", prepare)
    app.connect("env-purge-doc", forget_page)
    app.connect("env-merge-info", merge_pages)
    app.connect("env-updated", renew_list)
    app.connect("doctree-resolved", link_to_list)
    app.connect("html-page-context", link_from_list)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
