"""Measure the built book with Lighthouse, as a phone on a slow network sees it: ``make lighthouse``.

Nothing of the book needs it: Lighthouse comes from npm (``npm install --global lighthouse``) and is found on the path
or through the variable LIGHTHOUSE, and so is Chromium (CHROMIUM). The pages are served compressed, as web hosts do. The
score of performance depends on the machine: measure while it does nothing else.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tools.environment import BUILD, ToolError, say

SITE = BUILD / "html"
PROMISED = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
HEADS = ("perf", "access", "best", "seo", "kB first visit", "kB next visit", "own requests", "third party")
_COMPRESSED = {".html", ".css", ".js", ".svg", ".json", ".xml", ".txt", ".csv"}


class _Compressed(SimpleHTTPRequestHandler):
    """Files with gzip; those with a version in their address may be kept for ever."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send one file."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        self.send_response(200)
        if path.suffix in _COMPRESSED:
            content = gzip.compress(content, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Cache-Control", f"max-age={31_536_000 if '?v=' in self.path else 600}")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Found(NamedTuple):
    """What Lighthouse found on a page: scores from 0 to 100, bytes over the network, number of requests."""

    scores: dict[str, int]
    first_visit: int
    next_visit: int
    own: int
    third_party: int

    def row(self, page: str) -> str:
        """The page as a line of the table."""
        cells = [*map(str, self.scores.values()), f"{self.first_visit / 1000:.0f}", f"{self.next_visit / 1000:.0f}"]
        cells += [str(self.own), str(self.third_party)]
        return f"{page:<42}" + "".join(f"{cell:>{len(head) + 2}}" for cell, head in zip(cells, HEADS, strict=True))


def program(variable: str, instruction: str, *names: str) -> str:
    """Path of a program that a variable names or that stands on the path."""
    found = os.environ.get(variable) or next(filter(None, map(shutil.which, names)), None)
    if found is None or not shutil.which(found):
        name = found or names[0]
        raise ToolError(f"There is no {name} to measure with: {instruction}, or set {variable} to its path.")
    return found


def read_report(report: dict) -> Found:
    """Read a report of Lighthouse.

    On the next visit the browser has what carries a version in its address; all else is counted again.
    """
    host = urlsplit(report["finalDisplayedUrl"]).netloc
    requests = [item for item in report["audits"]["network-requests"]["details"]["items"] if "url" in item]
    requests = [item for item in requests if urlsplit(item["url"]).scheme in ("http", "https")]
    own = {item["url"] for item in requests if urlsplit(item["url"]).netloc == host}
    size = [(item.get("transferSize", 0), "?v=" in item["url"]) for item in requests]
    return Found(
        {name: round(100 * (report["categories"][name]["score"] or 0)) for name in PROMISED},
        sum(bytes_ for bytes_, _ in size),
        sum(bytes_ for bytes_, kept in size if not kept),
        len(own),
        len({item["url"] for item in requests} - own),
    )


def run_lighthouse(command: list[str], chromium: str, address: str) -> dict:
    """The report of Lighthouse on an address."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [*command, address, "--quiet", "--output=json", f"--output-path={report}"]
        command.append("--chrome-flags=--headless=new --no-sandbox --disable-gpu")
        env = {**os.environ, "CHROME_PATH": chromium}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode or not report.is_file():
            why = (done.stderr.strip() or done.stdout.strip() or "it gave no reason").splitlines()[-1]
            raise ToolError(f"Lighthouse did not measure {address}: {why}")
        return json.loads(report.read_text("utf-8"))


@contextlib.contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve a folder to this machine; gives its address."""
    handler = functools.partial(_Compressed, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def measure(pages: list[str]) -> None:
    """Print what Lighthouse finds on pages (all chapters, if none is named); fail below what is promised."""
    if not (SITE / "index.html").is_file():
        raise ToolError("There is no built book to measure: run `make book` first.")
    pages = pages or [path.relative_to(SITE).as_posix() for path in sorted(SITE.glob("chapters/*.html"))]
    for page in pages:
        if not (SITE / page).is_file():
            raise ToolError(f"The built book has no page {page}: name it as in chapters/index.html.")
    command = [program("LIGHTHOUSE", "run `npm install --global lighthouse`", "lighthouse")]
    chromium = program("CHROMIUM", "install it", "chromium", "chromium-browser", "google-chrome", "chrome")
    low = []
    with served(SITE) as root:
        say(f"{'page':<42}" + "".join(f"{head:>{len(head) + 2}}" for head in HEADS))
        for page in pages:
            found = read_report(run_lighthouse(command, chromium, f"{root}/{page}"))
            say(found.row(page))
            if found.third_party or any(found.scores[name] < least for name, least in PROMISED.items()):
                low.append(page)
    if low:
        promise = ", ".join(f"{name} {least}" for name, least in PROMISED.items())
        raise ToolError(f"Below what is promised ({promise}, nothing from third parties): {', '.join(low)}.")
