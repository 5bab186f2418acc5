"""Put a built book among its published editions: ``python -m tools.publish FOLDER NAME [--site _build/html]``.

FOLDER is what a web site shows: a folder for each edition (``latest``, ``v1.0``), and beside them ``editions.json``,
from which the pages list the editions, a first page that leads to the newest, the page for wrong addresses,
``robots.txt`` and, where the book has a place on the web, the list of its site maps. An edition of the same name is
replaced, the others stay as they are.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import sys
from pathlib import Path

from tools.environment import BUILD, ToolError, say

EDITION = re.compile(r"latest|v\d+(?:\.\d+)*")
PLACE = re.compile(r"<loc>(.*?)</loc>")


def edition_of(reference: str) -> str:
    """The name of the edition for what was pushed: ``v1.0`` for the tags v1.0.0, v1.0.1 …, ``latest`` for a branch.

    Raises
    ------
    ToolError
        The tag is no version, so it says of no edition that it is to be replaced.
    """
    if not reference.startswith("refs/tags/"):
        return "latest"
    tag = re.fullmatch(r"refs/tags/v(\d+)\.(\d+)(?:\.\d+)*", reference)
    if tag is None:
        raise ToolError(f"“{reference.removeprefix('refs/tags/')}” is no tag of an edition: use one such as v1.0.0.")
    return f"v{tag[1]}.{tag[2]}"


def _order(name: str) -> tuple[int, ...]:
    return (-1,) if name == "latest" else tuple(-int(part) for part in name[1:].split("."))


def pages_of(edition: Path) -> list[str]:
    """The pages of an edition that a reader may be on."""
    names = (path.relative_to(edition).as_posix() for path in edition.rglob("*.html"))
    return sorted(name for name in names if not name.startswith(("_", "lite/", "404.html")))


def version_of(edition: Path) -> str:
    """The version of an edition, as its feed of changes names it last."""
    feed = edition / "feed.xml"
    found = re.search(r"<title>Version ([^<]+)</title>", feed.read_text("utf-8")) if feed.is_file() else None
    return found[1] if found else ""


def list_editions(folder: Path) -> list[dict]:
    """The editions in a folder: ``latest`` first, then the newest."""
    names = sorted(
        (path.name for path in folder.iterdir() if path.is_dir() and EDITION.fullmatch(path.name)), key=_order
    )
    return [{"name": n, "version": version_of(folder / n), "pages": pages_of(folder / n)} for n in names]


def entry_page(title: str, newest: str) -> str:
    """The first page of the site, which leads on to the newest edition."""
    target = f"{newest}/index.html"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy"'
        " content=\"default-src 'none'; base-uri 'none'; form-action 'none'\">\n"
        f"<title>{html.escape(title)}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="refresh" content="0; url={target}">\n<link rel="canonical" href="{target}">\n'
        f'</head>\n<body>\n<h1><a href="{target}">{html.escape(title)}</a></h1>\n</body>\n</html>\n'
    )


def publish(site: Path, folder: Path, name: str) -> list[dict]:
    """Copy a built book into a folder of editions, and write what stands beside them; returns the editions."""
    if not EDITION.fullmatch(name):
        raise ToolError(f"“{name}” is no name of an edition: use latest, or v and a version such as v1.0.")
    if not (site / "index.html").is_file():
        raise ToolError(f"There is no built book in {site}: build it first (make book).")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / name, ignore_errors=True)
    shutil.copytree(site, folder / name)
    editions = list_editions(folder)

    def write(file: str, text: str) -> None:
        (folder / file).write_text(text, encoding="utf-8", newline="\n")

    newest = editions[0]["name"]
    title = re.search(r"<title>(.*?)</title>", (folder / newest / "index.html").read_text("utf-8"), re.DOTALL)[1]
    write("editions.json", json.dumps(editions, ensure_ascii=False, indent=1) + "\n")
    write("index.html", entry_page(html.unescape(title.strip()), newest))
    write(".nojekyll", "")  # or GitHub Pages leaves out folders that begin with an underscore
    lost = (folder / newest / "404.html").read_text("utf-8")
    # Without a place on the web the page finds the root before a folder that it knows: here, before an edition.
    names = " ".join(edition["name"] for edition in editions)
    lost = re.sub(r'data-folders="[^"]*"', f'data-folders="{names}"', lost)
    write("404.html", re.sub(r'data-to="', f'data-to="{newest}/', lost))
    maps = [
        f"{name}/sitemap.xml" for name in (e["name"] for e in editions) if (folder / name / "sitemap.xml").is_file()
    ]
    robots = "User-agent: *\nAllow: /\n"
    if maps and (place := PLACE.search((folder / maps[0]).read_text("utf-8"))):
        root = place[1].partition(f"/{maps[0].partition('/')[0]}/")[0]
        robots += f"\nSitemap: {root}/{maps[0]}\n"
    write("robots.txt", robots)
    return editions


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.publish", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder of all editions")
    parser.add_argument("name", help="latest, v1.0 …, or what was pushed: refs/heads/main, refs/tags/v1.0.0")
    parser.add_argument("--site", type=Path, default=BUILD / "html", help="the built book (default: _build/html)")
    options = parser.parse_args(arguments)
    try:
        name = edition_of(options.name) if options.name.startswith("refs/") else options.name
        editions = publish(options.site, options.folder, name)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    say(f"{name} is in {options.folder}; editions: {', '.join(e['name'] for e in editions)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
