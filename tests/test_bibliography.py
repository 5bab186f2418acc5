"""The bibliography, the citations and the glossary agree with each other and with the data package."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pybtex.database import BibliographyData, Entry, parse_string

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ROOT / "chapters"
BIB = CHAPTERS / "references.bib"

# What a reader needs to find the work. A database has no year of its own: its vintage is in the data package.
REQUIRED = {
    "article": {"author", "title", "journal", "year"},
    "book": {"author", "title", "publisher", "year"},
    "incollection": {"author", "title", "booktitle", "publisher", "year"},
    "inproceedings": {"author", "title", "booktitle", "year"},
    "mastersthesis": {"author", "title", "school", "year"},
    "misc": {"author", "title"},
    "phdthesis": {"author", "title", "school", "year"},
    "techreport": {"author", "title", "institution", "year"},
}
FIRST_YEAR, LAST_YEAR = 1700, 2026
DOI = re.compile(r"10\.\d{4,9}/[^\s{}]+[^\s{}.,;]")
URL = re.compile(r"https?://[a-zA-Z0-9.-]+\.[a-z]{2,}(/\S*)?")
CITE = re.compile(r"\{cite(?::[a-z]+)*\}`([^`]+)`")
TERM = re.compile(r"\{term\}`([^`]+)`")
GLOSSARY = re.compile(r"^```\{glossary\}\n(.*?)^```", re.DOTALL | re.MULTILINE)


def bibliography() -> BibliographyData:
    """The entries of references.bib; pybtex refuses a key that occurs twice."""
    return parse_string(BIB.read_text(encoding="utf-8"), "bibtex")


def entries() -> list[tuple[str, Entry]]:
    return list(bibliography().entries.items())


def pages() -> dict[str, str]:
    """The Markdown of every page: of a notebook, its Markdown cells."""
    texts = {}
    for path in sorted(CHAPTERS.rglob("*")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        if path.suffix == ".md":
            texts[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
        elif path.suffix == ".ipynb":
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            texts[path.relative_to(ROOT).as_posix()] = "\n\n".join(
                "".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"
            )
    return texts


def cited(text: str) -> Iterator[str]:
    """The keys that a page cites; ``{see}key{p. 3}`` is a key with words around it."""
    for keys in CITE.findall(text):
        yield from (re.sub(r"\{[^}]*\}", "", key).strip() for key in keys.split(","))


def terms_used(text: str) -> Iterator[str]:
    """The glossary terms that a page refers to; ``words <term>`` shows other words."""
    for label in TERM.findall(text):
        shown = re.fullmatch(r".*<([^<>]+)>", label, re.DOTALL)
        yield " ".join((shown.group(1) if shown else label).split())


def terms_defined(text: str) -> list[str]:
    """The terms of the glossary directives of a page: their lines without indentation."""
    lines = (line for block in GLOSSARY.findall(text) for line in block.splitlines())
    return [line.strip() for line in lines if line and not line.startswith((" ", ":"))]


def test_references_parse_and_are_many() -> None:
    assert len(bibliography().entries) > 50


def test_keys_are_unique_also_without_regard_to_case() -> None:
    written = re.findall(r"^@(?!comment|string|preamble)\w+\{\s*([^,\s]+)", BIB.read_text("utf-8"), re.M | re.I)
    repeated = [key for key, count in Counter(key.lower() for key in written).items() if count > 1]
    assert not repeated
    assert len(written) == len(bibliography().entries)


def test_no_work_occurs_under_two_keys() -> None:
    def plain(text: str) -> str:
        return re.sub(r"[^\w]+", " ", text.lower()).strip()

    titles = Counter((plain(entry.fields["title"]), entry.fields.get("year")) for _, entry in entries())
    dois = Counter(entry.fields["doi"].lower() for _, entry in entries() if "doi" in entry.fields)
    assert [work for work, count in (titles + dois).items() if count > 1] == []


@pytest.mark.parametrize(("key", "entry"), entries(), ids=[key for key, _ in entries()])
def test_an_entry_is_complete_and_well_formed(key: str, entry: Entry) -> None:
    assert entry.type in REQUIRED, f"{key}: say which fields a {entry.type} needs in REQUIRED"
    have = {name.lower() for name, value in entry.fields.items() if value.strip()}
    have |= {role for role, persons in entry.persons.items() if persons}
    assert REQUIRED[entry.type] <= have, f"{key} lacks {sorted(REQUIRED[entry.type] - have)}"
    if "year" in entry.fields:
        assert re.fullmatch(r"\d{4}", entry.fields["year"]), key
        assert FIRST_YEAR <= int(entry.fields["year"]) <= LAST_YEAR, key
    if "doi" in entry.fields:  # the bare identifier: the style makes the address
        assert DOI.fullmatch(entry.fields["doi"]), f"{key}: {entry.fields['doi']}"
    if "url" in entry.fields:
        assert URL.fullmatch(entry.fields["url"]), f"{key}: {entry.fields['url']}"
    if "pages" in entry.fields:
        assert re.fullmatch(r"\w+(--\w+)?", entry.fields["pages"]), f"{key}: {entry.fields['pages']}"
        first, _, last = entry.fields["pages"].partition("--")
        if last and first.isdigit() and last.isdigit():
            assert int(first) <= int(last), key


def test_every_citation_has_its_entry() -> None:
    known = set(bibliography().entries)
    missing = {(page, key) for page, text in pages().items() for key in cited(text) if key not in known}
    assert not missing


def test_every_term_used_is_in_the_glossary_once() -> None:
    texts = pages()
    defined = [term for text in texts.values() for term in terms_defined(text)]
    assert len(defined) > 45
    repeated = [term for term, count in Counter(term.lower() for term in defined).items() if count > 1]
    assert not repeated
    known = {term.lower() for term in defined}
    missing = {(page, term) for page, text in texts.items() for term in terms_used(text) if term.lower() not in known}
    assert not missing


def test_the_glossary_is_sorted() -> None:
    """Readers of the source look terms up too; a further name of a term stands under the first."""
    text = (CHAPTERS / "appendices" / "glossary.md").read_text(encoding="utf-8")
    groups = [
        re.sub(r"[^\w]+", " ", group.lower())
        for group in re.findall(
            r"(?:^|\n\n)(?!:)(\S[^\n]*)\n", GLOSSARY.search(text).group(1).replace(":sorted:\n", "")
        )
    ]
    assert groups == sorted(groups)


def test_how_to_cite_agrees_with_citation_cff() -> None:
    text = " ".join((CHAPTERS / "appendices" / "cite.md").read_text(encoding="utf-8").split())
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    versions = set(re.findall(r"[Vv]ersion (\d+\.\d+\.\d+)", text))
    assert versions == {str(citation["version"])}
    assert f"year = {{{str(citation['date-released'])[:4]}}}" in text
    main_title = re.split(r"[:—–]", citation["title"])[0].strip()
    assert main_title.lower() in text.lower()


def test_the_reproducibility_statement_lists_every_table() -> None:
    text = (CHAPTERS / "appendices" / "reproducibility.md").read_text(encoding="utf-8")
    section = text.split("## Dataset list")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.MULTILINE)
    package = json.loads((ROOT / "data" / "datapackage.json").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(resource["name"] for resource in package["resources"])


def test_the_readers_of_pages_find_what_they_should() -> None:
    """A pattern that matches nothing would let every other test pass."""
    text = "As {cite:t}`a2000` and {cite:p}`b2001,c2002{p. 3}` say, {term}`CIF` and {term}`gaps <mirror gap>`."
    assert list(cited(text)) == ["a2000", "b2001", "c2002"]
    assert list(terms_used(text)) == ["CIF", "mirror gap"]
    assert terms_defined("```{glossary}\n:sorted:\n\nCIF\ncost\n  Text.\n```\n") == ["CIF", "cost"]
    assert sum(len(list(cited(page))) for page in pages().values()) > 20
