"""Sphinx extension: the first mention of a glossary term on a page leads to its entry.

Only running text counts: no headings, links, code, figures, tables or computed passages. A term that the page already
links by hand is left alone, and so are words of everyday language that happen to be terms (`tb_terms_by_hand`), which
a text links with ``{term}`` where it means the term. Plurals in -s count; a term with a capital letter must be written
so.
"""

from __future__ import annotations

import re
from pathlib import Path
from zlib import crc32

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

# Text inside these is no running text.
NOT_IN = (
    nodes.title,
    nodes.reference,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.figure,
    nodes.table,
    nodes.caption,
    nodes.term,
    nodes.rubric,
    nodes.footnote,
    nodes.citation,
    nodes.label,
    nodes.target,
    addnodes.pending_xref,
    addnodes.glossary,
    addnodes.toctree,
)
NOT_IN_CLASSES = {"pasted-text", "pasted-inline", "bibtex-citation", "tb-mark", "tb-actions", "tb-card", "cell"}


def pattern_of(terms: list[str]) -> tuple[re.Pattern[str], list[str]]:
    """What finds any of the terms (group ``t0``, ``t1`` …), and the terms in that order; a hyphen is like a space."""

    def one(term: str) -> str:
        text = re.sub(r"(?:\\ |\\-|-)+", r"[\\s-]", re.escape(term))
        if term.lower() != term:  # a name or an abbreviation
            return text + ("s?" if term[-1].isalpha() else "")
        ending = r"(?:ies|y)" if re.search(r"[^aeiou]y$", term) else None
        text = text[:-1] + ending if ending else text + (r"(?:e?s)?" if term[-1].isalpha() else "")
        return f"[{text[0]}{text[0].upper()}]{text[1:]}" if text[0].isalpha() else text

    ordered = sorted(terms, key=lambda term: (-len(term), term))
    choices = "|".join(f"(?P<t{i}>{one(term)})" for i, term in enumerate(ordered))
    return re.compile(rf"(?<![\w-])(?:{choices})(?![\w-])"), ordered


class LinkTerms(SphinxPostTransform):
    """Link the first mention of each term."""

    default_priority = 20  # after references are resolved

    def run(self, **kwargs: object) -> None:
        """Walk through the text of one page."""
        std, config = self.env.get_domain("std"), self.app.config
        entries = {name: place for (kind, name), place in std.objects.items() if kind == "term"}
        own = {page for page, _ in entries.values()}
        if self.env.docname in own | {config.root_doc} or not entries or self.app.builder.format != "html":
            return
        by_hand = set(config.tb_terms_by_hand)
        pattern, order = pattern_of([term for term in entries if term not in by_hand])
        linked = {
            reference["refuri"].partition("#")[2]
            for reference in self.document.findall(nodes.reference)
            if "#term-" in reference.get("refuri", "")
        }
        for text in list(self.document.findall(nodes.Text)):
            if not is_running_text(text):
                continue
            parts: list[nodes.Node] = []
            at = 0
            for match in pattern.finditer(text):
                page, anchor = entries[order[int(match.lastgroup[1:])]]
                if anchor in linked:
                    continue
                linked.add(anchor)
                uri = self.app.builder.get_relative_uri(self.env.docname, page) + f"#{anchor}"
                link = nodes.reference("", match[0], internal=True, refuri=uri, classes=["tb-term"])
                parts += [nodes.Text(text[at : match.start()]), link]
                at = match.end()
            if parts:
                text.parent.replace(text, [*parts, nodes.Text(text[at:])])


def is_running_text(text: nodes.Text) -> bool:
    """Whether a text stands in a paragraph or list item, and in nothing that is set apart."""
    node, in_paragraph = text.parent, False
    while node is not None:
        if isinstance(node, NOT_IN) or NOT_IN_CLASSES & set(node.get("classes", ())):
            return False
        in_paragraph = in_paragraph or isinstance(node, nodes.paragraph)
        node = node.parent
    return in_paragraph


def depend_on_glossary(app: Sphinx, doctree: nodes.document) -> None:
    """Read a page anew when the glossary has changed."""
    glossary = app.config.tb_glossary
    if app.env.docname != glossary and glossary in app.env.found_docs:
        app.env.note_dependency(str(Path(app.env.doc2path(glossary))))


def setup(app: Sphinx) -> dict[str, object]:
    """Register the step."""
    app.add_config_value("tb_glossary", "chapters/appendices/glossary", "env")
    app.add_config_value("tb_terms_by_hand", [], "env")
    app.add_post_transform(LinkTerms)
    app.connect("doctree-read", depend_on_glossary)
    return {
        "version": "1.0",
        "env_version": crc32(Path(__file__).read_bytes()),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
