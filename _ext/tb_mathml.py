"""Sphinx extension: formulas become MathML while the book is built.

Browsers draw MathML themselves, so a page needs no maths script, no maths font and no network,
and screen readers can speak it. The LaTeX source stays in the ``alttext`` attribute.
A formula that cannot be converted raises a Sphinx warning that names its page.
"""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from zlib import crc32

from docutils import nodes
from latex2mathml.converter import Converter
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

LOGGER = logging.getLogger(__name__)

# Outer environments say where a formula stands, not how it looks: Sphinx numbers equations itself.
_WRAPPER = re.compile(r"\\(begin|end)\{(equation|displaymath|math)\*?\}")
_LABEL = re.compile(r"\\label\{([^}]+)\}")
_EQREF = re.compile(r"\\(?:eq)?ref\{([^}]+)\}")
# The converter does not know these spellings: same meaning in ones that it knows.
_SPELLINGS = (
    (
        re.compile(r"\\(begin|end)\{(?:aligned|align\*?|gathered|gather\*?|eqnarray\*?)\}"),
        r"\\\1{split}",
    ),
    (re.compile(r"\\(arg|sgn|corr|cov|var|plim)(?![A-Za-z])"), r"\\operatorname{\1}"),
    (re.compile(r"\\(?:nonumber|notag|displaylimits)(?![A-Za-z])"), ""),
    (re.compile(r"\\!"), ""),
)
_ACCENTS = {
    "\u0302",
    "^",
    "~",
    "\u02dc",
    "\u00af",
    "\u2015",
    "\u203e",
    "\u02d9",
    "\u00a8",
    "\u2192",
}
_BOLD_STARTS = (
    (("A", "Z"), 0x1D400),
    (("a", "z"), 0x1D41A),
    (("0", "9"), 0x1D7CE),
    (("Α", "Ω"), 0x1D6A8),
    (("α", "ω"), 0x1D6C2),
)
_LIMIT_NAMES = {"max", "min", "lim", "sup", "inf", "arg\u2009max", "arg\u2009min", "plim"}
_SPACE_AFTER_NAME = "0.167em"


class FormulaError(ValueError):
    """A formula that the converter cannot express in MathML."""


def to_mathml(latex: str, display: bool = False) -> str:
    """Return the MathML of a LaTeX formula.

    Raises
    ------
    FormulaError
        The formula is broken, or uses a command that has no MathML.
    """
    source = latex.strip()
    tex = _LABEL.sub("", _WRAPPER.sub("", source)).strip()
    for pattern, replacement in _SPELLINGS:
        tex = pattern.sub(replacement, tex)
    if display and r"\\" in tex and r"\begin" not in tex:
        tex = rf"\begin{{split}}{tex}\end{{split}}"
    try:
        root = Converter(display="block" if display else "inline").convert_to_element(tex)
    except Exception as error:  # the converter's errors share no useful base class
        raise FormulaError(f"{type(error).__name__} in {source!r}") from error
    for element in root.iter():
        _tidy(element)
    for element in list(root.iter()):
        _join_names(element)
        if display:
            _limits_below(element)
    leftovers = {e.text for e in root.iter() if e.text and e.tag != "mtext" and re.search(r"[\\&]", e.text)}
    if leftovers or not "".join(root.itertext()).strip():
        raise FormulaError(f"no MathML for {', '.join(sorted(leftovers)) or 'an empty formula'} in {source!r}")
    root.set("alttext", " ".join(source.split()))
    return ET.tostring(root, encoding="unicode")


def _tidy(element: ET.Element) -> None:
    """Bring one element into the part of MathML that browsers implement (MathML Core)."""
    # The converter writes character references into text, which would be escaped once more.
    element.text = html.unescape(element.text) if element.text else element.text
    if element.get("width") == "negativethinmathspace":
        element.set("width", "-0.167em")
    alignment = element.attrib.pop("columnalign", None)
    if alignment in ("left", "right"):
        element.set("class", f"tb-{alignment}")
    if element.tag == "mo" and element.text in ("|", "/"):
        element.attrib.update({"lspace": "0", "rspace": "0"})  # as in TeX; browsers leave a gap
    if element.tag == "mtable":
        for name in ("rowspacing", "columnspacing"):
            element.attrib.pop(name, None)
    if element.get("mathvariant", "").startswith("bold") and element.text:
        element.text = "".join(map(_bold, element.text))
        del element.attrib["mathvariant"]
    if element.tag == "mover" and len(element) == 2 and element[1].text:
        over = html.unescape(element[1].text)
        if over in _ACCENTS:
            element.set("accent", "true")
            element[1].attrib.pop("accent", None)
            if over == "\u2015":  # a horizontal bar does not stretch, an overline does
                element[1].text = "\u203e"


def _limits_below(element: ET.Element) -> None:
    """Put the limits of max, lim and their like below them in a displayed formula."""
    below = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
    if element.tag in below and len(element) and (element[0].text or "") in _LIMIT_NAMES:
        element.tag = below[element.tag]
        element[0].tag = "mo"
        element[0].attrib.update({"movablelimits": "true", "form": "prefix"})


def _bold(character: str) -> str:
    for (first, last), start in _BOLD_STARTS:
        if first <= character <= last:
            return chr(start + ord(character) - ord(first))
    return character


def _join_names(parent: ET.Element) -> None:
    """Write ``RCA`` as one upright name and leave a thin space after names such as ``ln``."""
    children = list(parent)
    index = 0
    while index < len(children):
        child = children[index]
        if child.tag == "mi" and child.get("mathvariant") == "normal":
            while (
                index + 1 < len(children)
                and children[index + 1].tag in ("mi", "mn")
                and (children[index + 1].get("mathvariant") == "normal")
            ):
                child.text = (child.text or "") + (children[index + 1].text or "")
                parent.remove(children.pop(index + 1))
            if len(child.text or "") > 1:
                del child.attrib["mathvariant"]  # several letters are upright by themselves
        index += 1
    if parent.tag not in ("math", "mrow", "mtd", "mstyle"):
        return
    for child in list(parent):
        name = child if child.tag in ("mi", "mo") else (child[0] if len(child) else child)
        is_name = name.tag in ("mi", "mo") and len(name.text or "") > 1 and (name.text or "").isalpha()
        position = list(parent).index(child)
        if is_name and name.tag == "mo":
            name.tag = "mi"
        if not is_name or position + 1 >= len(parent):
            continue
        following = parent[position + 1]
        inner = following[0] if following.tag == "mrow" and len(following) else following
        if inner.tag in ("mi", "mn", "msub", "msup", "msubsup", "mfrac", "mover"):
            parent.insert(position + 1, ET.Element("mspace", {"width": _SPACE_AFTER_NAME}))


def _convert(self, node: nodes.Element, display: bool) -> str:
    try:
        return to_mathml(node.astext(), display)
    except FormulaError as error:
        LOGGER.warning("formula left as LaTeX source: %s", error, location=node, type="tb", subtype="math")
        return f'<code class="tb-latex">{self.encode(node.astext())}</code>'


def visit_inline(self, node: nodes.math) -> None:
    """Write an inline formula."""
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(_convert(self, node, display=False) + "</span>")
    raise nodes.SkipNode


def visit_block(self, node: nodes.math_block) -> None:
    """Write a displayed formula, with its number when it has one."""
    self.body.append(self.starttag(node, "div", CLASS="math tb-equation notranslate nohighlight"))
    self.body.append(f'<div class="tb-formula">{_convert(self, node, display=True)}</div>')
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def register_labels(app: Sphinx, doctree: nodes.document) -> None:
    r"""Let ``\label{x}`` name a displayed formula and ``\eqref{x}`` refer to it.

    The parser gives a numbered environment a random label; here it gets the one written in it, or a
    counted one, so that anchors stay the same from build to build.
    """
    domain, docname = app.env.get_domain("math"), app.env.docname
    for count, block in enumerate(list(doctree.findall(nodes.math_block)), start=1):
        written = _LABEL.search(block.astext())
        current = block.get("label")
        if written is None and (not current or "amsmath" not in block["classes"]):
            continue
        name = written.group(1) if written else f"{docname.rsplit('/', 1)[-1]}-{count}"
        identifier = nodes.make_id(f"equation-{name}")
        if current:
            domain.equations[name] = domain.equations.pop(current)
            _rename_id(doctree, nodes.make_id(f"equation-{current}"), identifier)
        else:
            domain.note_equation(docname, name, location=block)
            block["ids"].append(identifier)
        block["label"], block["docname"] = name, docname
        block["number"] = domain.get_equation_number_for(name)
    for inline in list(doctree.findall(nodes.math)):
        reference = _EQREF.fullmatch(inline.astext().strip())
        if not reference:
            continue
        target = addnodes.pending_xref(
            "",
            nodes.literal("", reference.group(1)),
            refdomain="math",
            reftype="eq",
            reftarget=reference.group(1),
            refdoc=docname,
            refexplicit=False,
            refwarn=True,
        )
        inline.replace_self(target)


def _rename_id(doctree: nodes.document, old: str, new: str) -> None:
    for element in doctree.findall(nodes.Element):
        if old in element.get("ids", ()):
            element["ids"] = [new if i == old else i for i in element["ids"]]
        if element.get("refid") == old:
            element["refid"] = new


def setup(app: Sphinx) -> dict[str, object]:
    """Register the renderer (chosen with ``html_math_renderer: mathml``)."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.connect("doctree-read", register_labels)
    # A changed extension makes Sphinx build all pages anew.
    return {
        "version": "1.0",
        "env_version": crc32(Path(__file__).read_bytes()),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
