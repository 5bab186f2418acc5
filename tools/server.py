"""Serve the built book to this machine, and let open pages follow what a writer saves."""

from __future__ import annotations

import functools
import http.server
import io
import os
import sys
import threading
from pathlib import Path
from typing import ClassVar

from tools.environment import ToolError


class Pages(http.server.SimpleHTTPRequestHandler):
    """The files of a folder, always fresh."""

    # said here, because some systems map .js to plain text
    extensions_map: ClassVar = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".css": "text/css",
        ".svg": "image/svg+xml",
        ".json": "application/json",
        ".woff2": "font/woff2",
        ".wasm": "application/wasm",
    }

    def end_headers(self) -> None:
        """Let nothing be kept: a rebuilt page shows at the next reload."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the terminal quiet."""


class News:
    """What open pages wait for: another number of the pages."""

    def __init__(self) -> None:
        self.number = 0
        self._changed = threading.Condition()

    def tell(self) -> None:
        """There are new pages."""
        with self._changed:
            self.number += 1
            self._changed.notify_all()

    def wait(self, seen: str, seconds: float) -> bool:
        """Wait for pages with another number than those seen; whether there are any."""
        with self._changed:
            return self._changed.wait_for(lambda: str(self.number) != seen, seconds)


_SCRIPT = b"""const seen = new URL(document.currentScript.src).search;
new EventSource("/-/news" + seen).onmessage = () => location.reload();
"""
_BREATH = 15  # seconds between signs of life, by which the server notices that a page was closed


class LivePages(Pages):
    """The same for a writer: a page that is open in a browser reloads itself when there are new ones.

    The files stay as they are: the script is added while they are served, and it is the site's own, so that the pages'
    Content-Security-Policy allows it. Notebooks that run in the browser do not get it: nothing in them is new, and what
    was computed there would be lost.
    """

    def __init__(self, *arguments, news: News, **options) -> None:
        self._news = news
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        """Answer a request: for the script, for news, or for a file."""
        path, _, seen = self.path.partition("?")
        if path == "/-/reload.js":
            self._head(len(_SCRIPT), "text/javascript")
            self.wfile.write(_SCRIPT)
        elif path == "/-/news":
            self._tell(seen)
        else:
            super().do_GET()

    def send_head(self) -> io.BufferedIOBase | None:
        """A page with the script, any other file as it is."""
        path = Path(self.translate_path(self.path))
        address = self.path.partition("?")[0]
        path = path / "index.html" if address.endswith("/") else path
        if path.suffix != ".html" or not path.is_file() or address.startswith("/lite/"):
            return super().send_head()
        script = f'<script src="/-/reload.js?{self._news.number}"></script></body>'
        page = path.read_bytes().replace(b"</body>", script.encode(), 1)
        self._head(len(page), "text/html; charset=utf-8")
        return io.BytesIO(page)

    def _head(self, length: int | None, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _tell(self, seen: str) -> None:
        self._head(None, "text/event-stream")
        try:
            while not self._news.wait(seen, _BREATH):
                self.wfile.write(b": nothing yet\n\n")
                self.wfile.flush()
            self.wfile.write(b"data: new pages\n\n")
        except OSError:
            pass  # the page was closed


class Server(http.server.ThreadingHTTPServer):
    """A web server for this machine only."""

    allow_reuse_address = os.name != "nt"  # on Windows it would let two servers share a port
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say what went wrong with an answer, unless the browser has just stopped listening."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def open_server(folder: Path, port: int, news: News | None = None) -> Server:
    """A server of a folder that listens on a port; 0 takes any. With `news`, pages reload themselves (`LivePages`).

    Raises
    ------
    ToolError
        The port is taken or does not exist.
    """
    handler = functools.partial(LivePages, news=news) if news else Pages
    try:
        return Server(("127.0.0.1", port), functools.partial(handler, directory=str(folder)))
    except (OSError, OverflowError) as error:
        raise ToolError(
            f"Port {port} cannot be used ({getattr(error, 'strerror', None) or error}): "
            f"name another one, for example make {'watch' if news else 'serve'} PORT={8001 if port != 8001 else 8002}."
        ) from error
