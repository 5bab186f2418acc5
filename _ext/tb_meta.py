"""Sphinx extension: what a page says about itself to reference managers, search engines and other sites.

Every page carries citation metadata (Highwire and Dublin Core, which Zotero reads), a preview card (Open Graph), a
description in schema.org's words (JSON-LD), and a folded box that cites it, with files for reference managers. Beside
the pages stand a feed of the changelog, ``robots.txt``, a page for addresses that lead nowhere, and a site map.

Who wrote the book, its title, version and date come from ``CITATION.cff``. Addresses of the book on the web are made
from `html_baseurl` alone; while that is empty, they are relative to the page or left out.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import posixpath
import re
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

import yaml
from docutils import nodes
from markdown_it import MarkdownIt
from sphinx.application import Sphinx

CITES = "_downloads/cite"  # files for reference managers
CARDS = "_cards"  # pictures for preview cards, by tb_cards
FEED = "feed.xml"
_DESCRIPTION = re.compile(r'<meta (?=[^>]*name="description")[^>]*content="([^"]*)"')
_NUMBER = re.compile(r"(\d+) · (.+)")
_RELEASE = re.compile(r"^## (\S+) \((\d{4}-\d\d-\d\d)\)\s*\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_SMALL_WORDS = {"a", "an", "the"}
# The kinds of works in references.bib, in schema.org's words; every other one is a CreativeWork.
_WORKS = {
    "article": "ScholarlyArticle",
    "incollection": "ScholarlyArticle",
    "inproceedings": "ScholarlyArticle",
    "book": "Book",
    "phdthesis": "Thesis",
    "mastersthesis": "Thesis",
    "techreport": "Report",
    "report": "Report",
}


@dataclass(frozen=True)
class Book:
    """The book, as ``CITATION.cff`` describes it."""

    title: str
    authors: tuple[tuple[str, str], ...]  # family name (or the name of a group), given names
    version: str
    date: str
    licence: str
    keywords: tuple[str, ...]
    doi: str

    @property
    def year(self) -> str:
        """The year of the edition."""
        return self.date[:4]


@dataclass(frozen=True)
class Page:
    """One page: what is needed to cite it."""

    name: str  # as Sphinx names it
    title: str  # without the number
    number: str  # of a chapter
    is_root: bool
    address: str  # absolute, or empty


@cache
def read_book(path: Path) -> Book:
    """Read ``CITATION.cff``."""
    cff = yaml.safe_load(path.read_text(encoding="utf-8"))
    authors = tuple((a.get("name") or a["family-names"], a.get("given-names", "")) for a in cff["authors"])
    return Book(
        title=cff["title"],
        authors=authors,
        version=str(cff["version"]),
        date=str(cff["date-released"]),
        licence="https://creativecommons.org/licenses/by/4.0/",
        keywords=tuple(cff.get("keywords", ())),
        doi=cff.get("doi", ""),
    )


def base(app: Sphinx) -> str:
    """Where the book stands on the web, with a final slash; empty if no place is set."""
    address = (app.config.html_baseurl or "").strip()
    return f"{address.rstrip('/')}/" if address else ""


def page_of(app: Sphinx, pagename: str) -> Page:
    """What there is to know of a page of the book's contents."""
    title = app.env.titles[pagename].astext()
    numbered = _NUMBER.fullmatch(title)
    return Page(
        name=pagename,
        title=numbered[2] if numbered else title,
        number=numbered[1] if numbered else "",
        is_root=pagename == app.config.root_doc,
        address=base(app) + app.builder.get_target_uri(pagename) if base(app) else "",
    )


# --- citations -------------------------------------------------------------------------------------


def _part(page: Page) -> str:
    return f"chapter {page.number}" if page.number else "appendix"


def _initials(given: str) -> str:
    return " ".join(f"{name[0]}." for name in given.split())


def apa(book: Book, page: Page) -> tuple[str, str, str]:
    """A citation in APA style, in three parts: before, in and after the italics."""
    names = [f"{family}, {_initials(given)}" if given else f"{family}." for family, given in book.authors]
    who = names[0] if len(names) == 1 else f"{', '.join(names[:-1])}, & {names[-1]}"
    place = f" https://doi.org/{book.doi}" if book.doi else f" {page.address}" if page.address else ""
    if page.is_root:
        return f"{who} ({book.year}). ", book.title, f" (Version {book.version}).{place}"
    end = "" if page.title.endswith(("?", "!")) else "."
    before = f"{who} ({book.year}). {page.title}{end} In "
    return before, book.title, f" (Version {book.version}, {_part(page)}).{place}"


def cite_key(book: Book, page: Page) -> str:
    """A name for a page in a list of references, such as ``tradebook2026bilateral``."""
    words = [re.sub(r"[^a-z0-9]", "", word) for word in page.title.lower().replace("’", "").split()]
    word = next((w for w in words if w and w not in _SMALL_WORDS), "")
    return f"tradebook{book.year}{'' if page.is_root else word}"


def _tex(text: str) -> str:
    return re.sub(r"([&%$#_])", r"\\\1", text)


def bibtex(book: Book, page: Page) -> str:
    """A citation for BibTeX."""
    names = " and ".join(f"{family}, {given}" if given else f"{{{family}}}" for family, given in book.authors)
    fields = {"author": f"{{{names}}}"}
    if page.is_root:
        fields["title"] = f"{{{_tex(book.title)}}}"
    else:
        fields["title"] = f"{{{_tex(page.title)}}}"
        fields["booktitle"] = f"{{{_tex(book.title)}}}"
        if page.number:
            fields["chapter"] = f"{{{page.number}}}"
    fields["year"] = f"{{{book.year}}}"
    fields["note"] = (
        f"{{Version {book.version}}}" if page.number or page.is_root else f"{{Appendix, version {book.version}}}"
    )
    if book.doi:
        fields["doi"] = f"{{{book.doi}}}"
    if page.address:
        fields["url"] = f"{{{page.address}}}"
    width = max(map(len, fields))
    kind = "book" if page.is_root else "incollection"
    lines = ",\n".join(f"  {name:<{width}} = {value}" for name, value in fields.items())
    return f"@{kind}{{{cite_key(book, page)},\n{lines}\n}}\n"


def ris(book: Book, page: Page) -> str:
    """A citation in the RIS format, which reference managers read."""
    lines = [("TY", "BOOK" if page.is_root else "CHAP")]
    lines += [("AU", f"{family}, {given}" if given else family) for family, given in book.authors]
    lines += [("TI", book.title if page.is_root else page.title)]
    lines += [] if page.is_root else [("T2", book.title)]
    lines += [("PY", book.year), ("DA", book.date.replace("-", "/")), ("ET", f"Version {book.version}"), ("LA", "en")]
    lines += [("DO", book.doi)] if book.doi else []
    lines += [("UR", page.address)] if page.address else []
    return "".join(f"{tag}  - {value}\n" for tag, value in lines) + "ER  - \n"


def offer_citation(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Write the files for reference managers, and hand the template what it shows."""
    if app.builder.format != "html" or doctree is None or pagename not in app.env.titles:
        return
    book, page = read_book(Path(app.srcdir, "CITATION.cff")), page_of(app, pagename)
    stem = f"{CITES}/{posixpath.basename(page.name)}"
    links = {}
    for kind, text in (("bib", bibtex(book, page)), ("ris", ris(book, page))):
        path = Path(app.outdir, f"{stem}.{kind}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        links[kind] = context["pathto"](f"{stem}.{kind}", 1)
    context["tb_cite"] = {
        "what": "book" if page.is_root else "chapter" if page.number else "page",
        "apa": apa(book, page),
        "bibtex": bibtex(book, page),
        **links,
    }


# --- in the head of a page -------------------------------------------------------------------------


def citation_tags(book: Book, page: Page) -> list[tuple[str, str]]:
    """Names and values for reference managers: Highwire's, which decide what Zotero makes of it, and Dublin Core's."""
    title = book.title if page.is_root else page.title
    tags = [("citation_title", title)]
    tags += [("citation_author", f"{family}, {given}" if given else family) for family, given in book.authors]
    tags += [("citation_publication_date", book.date.replace("-", "/")), ("citation_language", "en")]
    if not page.is_root:
        tags += [("citation_book_title", book.title), ("citation_inbook_title", book.title)]
    tags += [("citation_keywords", keyword) for keyword in book.keywords]
    tags += [("citation_doi", book.doi)] if book.doi else []
    tags += [("citation_public_url", page.address)] if page.address else []
    tags += [("DC.title", title)]
    tags += [("DC.creator", f"{family}, {given}" if given else family) for family, given in book.authors]
    tags += [("DC.date", book.date), ("DC.language", "en"), ("DC.rights", book.licence), ("DC.format", "text/html")]
    tags += [("DC.identifier", page.address)] if page.address else []
    if not page.is_root:
        tags += [("DCTERMS.isPartOf", book.title)]
    return tags


def card_tags(app: Sphinx, book: Book, page: Page, description: str) -> list[tuple[str, str]]:
    """Names and values of the preview card; a picture needs an absolute address."""
    heading = book.title if page.is_root else f"{page.number} · {page.title}" if page.number else page.title
    tags = [
        ("og:type", "book" if page.is_root else "article"),
        ("og:site_name", app.config.html_title),
        ("og:title", heading),
        ("og:description", description),
        ("og:locale", "en_GB"),
    ]
    picture = app.env.tb_cards.get(page.name) or app.env.tb_cards.get(app.config.root_doc)
    if page.address:
        tags.append(("og:url", page.address))
    if page.address and picture:
        tags += [
            ("og:image", base(app) + picture[0]),
            ("og:image:type", "image/png"),
            ("og:image:width", "1200"),
            ("og:image:height", "630"),
            ("og:image:alt", picture[1]),
            ("twitter:card", "summary_large_image"),
        ]
    else:
        tags.append(("twitter:card", "summary"))
    return tags


def _people(book: Book) -> list[dict]:
    return [
        {"@type": "Person", "name": f"{given} {family}"} if given else {"@type": "Organization", "name": family}
        for family, given in book.authors
    ]


def _without_braces(text: str) -> str:
    return re.sub(r"[{}]", "", text)


def _works(app: Sphinx, pagename: str) -> list[dict]:
    """The works that a page cites (the bibliography: all of them), as schema.org describes works."""
    if "cite" not in app.env.domains:
        return []
    domain = app.env.get_domain("cite")
    cited = {target.key for ref in domain.citation_refs if ref.docname == pagename for target in ref.targets}
    listed = {c.key for c in domain.citations if c.bibliography_key.docname == pagename}
    works = []
    for key in sorted(cited | listed):
        entry = domain.bibdata.data.entries.get(key)
        if entry is None:
            continue
        fields = {name: _without_braces(entry.fields.get(name, "")) for name in ("title", "year", "doi", "url")}
        people = []
        for person in entry.persons.get("author", ()):
            given, family = (*person.first_names, *person.middle_names), (*person.prelast_names, *person.last_names)
            name = _without_braces(" ".join((*given, *family)))
            people.append({"@type": "Person" if given else "Organization", "name": name})
        work = {"@type": _WORKS.get(entry.type, "CreativeWork"), "name": fields["title"]}
        work |= {"author": people} if people else {}
        work |= {"datePublished": fields["year"]} if fields["year"].isdigit() else {}
        work |= {"identifier": f"https://doi.org/{fields['doi']}"} if fields["doi"] else {}
        work |= {"url": fields["url"]} if fields["url"] and not fields["doi"] else {}
        works.append(work)
    return works


def _datasets(app: Sphinx, where: str, file_address: Callable[[str], str]) -> list[dict]:
    """The tables of the data package, as schema.org describes data sets."""
    descriptor = Path(app.config.tb_data_package)
    package = json.loads(Path(app.srcdir, descriptor).read_text(encoding="utf-8"))
    found = []
    for table in package["resources"]:
        publishers = dict.fromkeys(source["publisher"] for source in table["sources"])
        about = {
            "@type": "Dataset",
            "@id": f"{where}#{table['name']}",
            "name": table["title"],
            "alternateName": table["name"],
            "description": " ".join([table["description"], *table.get("caveats", ())]),
            "url": f"{where}#{table['name']}",
            "creator": [{"@type": "Organization", "name": name} for name in publishers],
            "license": [licence.get("path") or licence["title"] for licence in table["licenses"]],
            "variableMeasured": [field["name"] for field in table["schema"]["fields"]],
            "version": table["vintage"],
            "isAccessibleForFree": True,
        }
        years = table["coverage"].get("years")
        about |= {"temporalCoverage": f"{years[0]}/{years[1]}"} if years else {}
        if offered := app.env.dlfiles.get((descriptor.parent / table["path"]).as_posix()):
            about["distribution"] = {
                "@type": "DataDownload",
                "encodingFormat": table["mediatype"],
                "contentUrl": file_address(f"_downloads/{offered[1]}"),
            }
        found.append(about)
    return found


def graph(app: Sphinx, book: Book, page: Page, description: str, pathto) -> dict:
    """What a page is, in schema.org's words; without a place on the web, with addresses relative to the page."""

    def address(name: str) -> str:
        target = app.builder.get_target_uri(name)
        return base(app) + target if base(app) else pathto(name) if name != page.name else posixpath.basename(target)

    def file_address(path: str) -> str:
        return base(app) + path if base(app) else pathto(path, 1)

    root = address(app.config.root_doc)
    picture = app.env.tb_cards.get(page.name)
    common = {
        "author": _people(book),
        "datePublished": book.date,
        "version": book.version,
        "inLanguage": "en",
        "license": book.licence,
        "isAccessibleForFree": True,
    }
    whole = {"@type": "Book", "@id": f"{root}#book", "name": book.title, "url": root, **common}
    whole |= {"identifier": f"https://doi.org/{book.doi}"} if book.doi else {}
    if page.is_root:
        chapters = []
        for name in sorted(app.env.titles):
            other = page_of(app, name)
            if other.number:
                here = address(name)
                chapters.append(
                    {
                        "@type": "Chapter",
                        "@id": f"{here}#chapter",
                        "name": other.title,
                        "position": int(other.number),
                        "url": here,
                    }
                )
        whole |= {"description": description, "keywords": list(book.keywords), "hasPart": chapters}
        return {"@context": "https://schema.org", "@graph": [whole]}
    here = address(page.name)
    kind = "Chapter" if page.number else "WebPage"
    part = {
        "@type": kind,
        "@id": f"{here}#{kind.lower()}",
        "name": page.title,
        "url": here,
        "description": description,
        **common,
    }
    part |= {"position": int(page.number)} if page.number else {}
    if picture:
        part["image"] = file_address(picture[0])
    works = _works(app, page.name)
    part |= {"citation": works} if works else {}
    part["isPartOf"] = {key: whole[key] for key in ("@type", "@id", "name", "url")}
    data = _datasets(app, here, file_address) if page.name == app.config.tb_data_page else []
    return {"@context": "https://schema.org", "@graph": [part, *data]}


def as_linked_data(about: dict) -> str:
    """A description in schema.org's words as an element of the head."""
    text = json.dumps(about, ensure_ascii=False, separators=(",", ":"))
    # Inside a script element nothing is unescaped: neither its end tag nor what begins a comment may occur.
    text = text.replace("<", r"\u003c")
    return f'<script type="application/ld+json">{text}</script>'


def describe_page(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Complete the head of a page and what its template shows."""
    if app.builder.format != "html":
        return
    context["tb_feed"] = FEED
    if doctree is None or pagename not in app.env.titles:
        return
    book, page = read_book(Path(app.srcdir, "CITATION.cff")), page_of(app, pagename)
    described = _DESCRIPTION.search(context.get("metatags", ""))
    description = html.unescape(described[1]) if described else ""
    tags = [f'<meta name="{name}" content="{html.escape(value)}" />' for name, value in citation_tags(book, page)]
    for name, value in card_tags(app, book, page, description):
        kind = "name" if name.startswith("twitter:") else "property"
        tags.append(f'<meta {kind}="{name}" content="{html.escape(value)}" />')
    tags.append(as_linked_data(graph(app, book, page, description, context["pathto"])))
    context["metatags"] = context.get("metatags", "") + "\n" + "\n".join(tags) + "\n"


# --- beside the pages ------------------------------------------------------------------------------


def feed(changelog: str, book: Book, site: str, root: str) -> str:
    """The changelog as a feed (Atom): one entry for each release, newest first.

    Atom, not RSS, because its identifiers and links need not be addresses on the web: the feed is valid before the
    book has one. `site` is that address or empty, `root` the landing page from there.
    """
    atom = ElementTree.Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": "en"})
    releases = _RELEASE.findall(changelog)
    space = uuid.uuid5(uuid.NAMESPACE_URL, book.title)

    def add(parent: ElementTree.Element, tag: str, text: str = "", **attributes: str) -> None:
        ElementTree.SubElement(parent, tag, attributes).text = text or None

    def common(parent: ElementTree.Element, title: str, name: str, date: str) -> None:
        add(parent, "title", title)
        add(parent, "id", f"urn:uuid:{uuid.uuid5(space, name)}")
        add(parent, "updated", f"{date}T00:00:00Z")
        add(parent, "link", rel="alternate", type="text/html", href=site + root)

    common(atom, f"{book.title}: what changed", "feed", releases[0][1] if releases else book.date)
    if site:
        add(atom, "link", rel="self", type="application/atom+xml", href=site + FEED)
    for family, given in book.authors:
        author = ElementTree.SubElement(atom, "author")
        add(author, "name", f"{given} {family}".strip())
    for version, date, text in releases:
        entry = ElementTree.SubElement(atom, "entry")
        common(entry, f"Version {version}", version, date)
        add(entry, "content", MarkdownIt().render(text.strip()), type="html")
    ElementTree.indent(atom)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(atom, encoding="unicode") + "\n"


def site_map(addresses: list[str], date: str) -> str:
    """The list of pages that search engines read; all carry the date of the edition."""
    lines = [f"  <url><loc>{html.escape(a)}</loc><lastmod>{date}</lastmod></url>" for a in addresses]
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        + "\n".join(lines)
        + "\n</urlset>\n"
    )


def robots(site: str) -> str:
    """Everything may be read; where the site map is, once the book has a place on the web."""
    return "User-agent: *\nAllow: /\n" + (f"\nSitemap: {site}sitemap.xml\n" if site else "")


# A page for a wrong address is sent from any depth, so its links can't be relative. With a place on the web they are
# counted from there. Without one, this script finds the root: it ends before the first folder that the site has.
_FIND_ROOT = (
    "const parts=location.pathname.split('/');"
    "const at=parts.findIndex((part)=>document.body.dataset.folders.split(' ').includes(part));"
    "const root=parts.slice(0,at<0?-1:at).join('/')+'/';"
    "document.querySelectorAll('[data-to]').forEach((e)=>"
    "e.setAttribute(e.tagName==='FORM'?'action':'href',root+e.dataset.to));"
)
_LOST_STYLE = (
    ":root{color-scheme:light dark;--page:#fff;--ink:#1b2733;--muted:#56636f;--link:#1d55ab;--grid:#d9dee3}"
    "@media(prefers-color-scheme:dark){:root{--page:#14181e;--ink:#e3e9ef;--muted:#a5b1bd;--link:#8ab4f8;--grid:#38434e}}"
    "body{margin:0;background:var(--page);color:var(--ink);"
    'font:1.0625rem/1.6 system-ui,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}'
    "main{max-width:40rem;margin:12vh auto;padding:0 1.2rem}h1{font-size:2.3rem;line-height:1.15;margin:0 0 1rem}"
    "p:first-child{color:var(--muted);margin:0 0 .4rem}a{color:var(--link)}li{margin:.3rem 0}"
    "input,button{font:inherit;color:inherit;background:var(--page);border:1px solid var(--muted);border-radius:4px;"
    "padding:.35rem .7rem;min-height:2.75rem;box-sizing:border-box}form{display:flex;gap:.5rem;margin:1.2rem 0}"
    "input{flex:1;min-width:0}:focus-visible{outline:3px solid #c65016;outline-offset:2px}"
)


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def lost_page(title: str, links: list[tuple[str, str]], folders: list[str], root: str) -> str:
    """The page for an address that leads nowhere; it needs no other file. `root` is the path of the site, or empty."""

    def link(target: str) -> str:
        return f'href="{html.escape(root + target)}"' + ("" if root else f' data-to="{html.escape(target)}"')

    items = "\n".join(f"<li><a {link(target)}>{html.escape(text)}</a></li>" for target, text in links)
    policy = f"default-src 'none'; style-src {_hashed(_LOST_STYLE)}; script-src {_hashed(_FIND_ROOT)}; base-uri 'none'"
    script = "" if root else f"<script>{_FIND_ROOT}</script>\n"
    form = link("search.html").replace("href=", "action=", 1)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}; form-action \'self\' file:">\n'
        f"<title>Page not found – {html.escape(title)}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="description" content="This address leads to no page of the book; here is where to go on.">\n'
        '<meta name="robots" content="noindex">\n'
        f"<style>{_LOST_STYLE}</style>\n</head>\n"
        f'<body data-folders="{html.escape(" ".join(folders))}">\n<main>\n<p>{html.escape(title)}</p>\n'
        "<h1>There is no such page</h1>\n"
        "<p>The address may be mistyped, or the page may have moved since the link was made.</p>\n"
        f'<form role="search" {form}><input type="search" name="q" aria-label="Search the book" '
        'placeholder="Search the book"> <button>Search</button></form>\n'
        f"<ul>\n{items}\n</ul>\n</main>\n{script}</body>\n</html>\n"
    )


def write_beside_pages(app: Sphinx, exception: Exception | None) -> None:
    """Write the feed, ``robots.txt``, the page for wrong addresses and, with a place on the web, the site map."""
    if exception or app.builder.format != "html":
        return
    site, out, source = base(app), Path(app.outdir), Path(app.srcdir)
    book, root = read_book(source / "CITATION.cff"), app.builder.get_target_uri(app.config.root_doc)

    def write(name: str, text: str) -> None:
        (out / name).write_text(text, encoding="utf-8", newline="\n")

    write(FEED, feed((source / "CHANGELOG.md").read_text(encoding="utf-8"), book, site, root))
    write("robots.txt", robots(site))
    chapters = [(app.builder.get_target_uri(name), title.astext()) for name, title in sorted(app.env.titles.items())]
    links = [(root, "The first page"), *((uri, title) for uri, title in chapters if _NUMBER.fullmatch(title))]
    folders = sorted({path.name for path in out.iterdir() if path.is_dir()})
    path = re.sub(r"^https?://[^/]*", "", site)
    write("404.html", lost_page(app.config.html_title, links, folders, path))
    if site:
        write("sitemap.xml", site_map([site + uri for uri, _ in chapters], book.date))


def prepare(app: Sphinx) -> None:
    """Make room for the pictures of the preview cards."""
    if not hasattr(app.env, "tb_cards"):
        app.env.tb_cards = {}


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the steps: a page is described after tb_site has given it its description."""
    app.add_config_value("tb_data_package", "data/datapackage.json", "html")
    app.add_config_value("tb_data_page", "chapters/appendices/data", "html")
    app.connect("builder-inited", prepare)
    app.connect("html-page-context", offer_citation, priority=400)  # the theme drops templates that show nothing at 500
    app.connect("html-page-context", describe_page, priority=930)
    app.connect("build-finished", write_beside_pages, priority=940)
    return {
        "version": "1.0",
        "env_version": crc32(Path(__file__).read_bytes()),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
