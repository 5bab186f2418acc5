"""While somebody writes: pages are made again when they are saved, served whole, and shown by the browser."""

from __future__ import annotations

import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest
from playwright.sync_api import Browser
from smallbook import build, edit, small_book

from benchmarks import build as watch
from benchmarks import reproducible
from tools import build as building
from tools import generator
from tools.environment import ToolError
from tools.server import News, open_server


class Watching(watch.Watching):
    """``make watch`` in a book, whose pages can be asked for."""

    def page(self, name: str) -> str:
        """A page as it is served."""
        address = re.search(r"http://\S+/", self.said_first)[0]
        with urlopen(f"{address}chapters/{name}.html", timeout=30) as answer:
            return answer.read().decode()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small book that is built; copy it."""
    book = small_book(tmp_path_factory.mktemp("watched") / "book")
    assert build(book).returncode == 0
    return book


@pytest.fixture
def book(built: Path) -> Iterator[Path]:
    """The same book at its own place, for one test: what is kept of a build holds only there."""
    kept = built.with_name("kept")
    shutil.copytree(built, kept)
    yield built
    shutil.rmtree(built)
    kept.rename(built)


@pytest.fixture
def watching(book: Path) -> Iterator[Watching]:
    with Watching(book) as running:
        yield running


def test_a_saved_page_is_made_again_and_a_broken_one_leaves_the_old(book: Path, watching: Watching):
    edit(book, "two", "See", "Please see")
    printed = watching.until("Waiting for changes")
    assert re.search(r"Ready after [\d.]+ s\.", printed)
    assert "Please see" in watching.page("two")
    edit(book, "one", "(there)=", "(gone)=")
    broken = watching.until("Waiting for changes")
    assert "undefined label: 'there'" in broken and "Ready" not in broken
    assert "Please see" in watching.page("two")
    edit(book, "one", "(gone)=", "(there)=")
    edit(book, "three", "Nothing.", "Something.")
    assert "Ready" in watching.until("Waiting for changes")
    assert "Something." in watching.page("three")
    watching.process.kill()
    assert build(book).returncode == 0
    other = reproducible.copy_book(book, book.with_name("from nothing"))
    assert build(other).returncode == 0
    assert reproducible.differences(book / "_build" / "html", other / "_build" / "html") == []
    shutil.rmtree(other)


def test_another_build_in_between_is_noticed(book: Path, watching: Watching):
    edit(book, "two", "See", "Please see")
    assert build(book).returncode == 0  # at the same time
    watching.until("Waiting for changes")
    edit(book, "three", "Nothing.", "Something.")
    assert "Ready" in watching.until("Waiting for changes")
    assert "Please see" in watching.page("two") and "Something." in watching.page("three")
    assert (book / "_build" / "html" / "chapters" / "one.html").is_file()


def test_it_ends_when_the_tools_change_and_says_so(book: Path, watching: Watching):
    with open(book / "tools" / "pages.py", "a") as module:
        module.write("# changed\n")
    assert "run `make watch` again" in watching.until("has changed")
    assert watching.process.wait(timeout=60) == 1


def test_a_slip_in_the_settings_is_said_and_waited_out(book: Path, watching: Watching):
    settings = book / "_config.yml"
    text = settings.read_text()
    settings.write_text(f"{text}more: [\n")
    assert "_config.yml cannot be read as YAML, line " in watching.until("Waiting for changes")
    settings.write_text(text.replace("title: Small", "title: Smaller"))
    assert "Ready" in watching.until("Waiting for changes")
    assert "Smaller" in watching.page("two")


@pytest.mark.skipif(os.name == "nt", reason="processes have other signals there")
def test_a_build_that_is_killed_alone_takes_the_page_generator_with_it(book: Path):
    extension = book / "_ext" / "no_search.py"
    wait = 'print("it waits", flush=True) or __import__("time").sleep(100)'
    slow = f'app.connect("env-before-read-docs", lambda *arguments: {wait})'
    extension.write_text(extension.read_text().replace("def setup(app):", f"def setup(app):\n    {slow}"))
    command = [sys.executable, "-m", "tools.build", "book"]
    env = {**os.environ, "PYTHONPATH": str(book)}
    with subprocess.Popen(command, cwd=book, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        log = book / "_build" / "build.log"
        log.unlink()
        while not (log.is_file() and "it waits" in log.read_text()):
            assert running.poll() is None
            time.sleep(0.1)
        children = psutil.Process(running.pid).children(recursive=True)
        running.kill()
        assert children and psutil.wait_procs(children, timeout=30)[1] == []


@pytest.mark.skipif(os.name == "nt", reason="processes have other signals there")
def test_a_killed_watch_leaves_no_process_behind(watching: Watching):
    children = psutil.Process(watching.process.pid).children(recursive=True)
    assert len(children) >= 2  # the page generator and a process for notebooks wait
    watching.process.kill()
    assert psutil.wait_procs(children, timeout=60)[1] == []


def test_what_fails_while_it_is_prepared_is_not_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(generator, "start", lambda *_: subprocess.Popen(["true"], stdin=-1, stdout=-1, text=True))
    (tmp_path / "_build" / "html").mkdir(parents=True)
    one = generator.Generator(tmp_path, tmp_path / "log", 1, {})
    with monkeypatch.context() as patched, pytest.raises(OSError, match="full"):
        patched.setattr(generator, "remove", lambda path: (_ for _ in ()).throw(OSError("full")))
        one.prepare("this")
    assert not one.is_ready({}, "this")
    one.prepare("this")
    assert one.is_ready({}, "this") and not one.is_ready({}, "that") and not one.is_ready({"x": "1"}, "this")
    one.end()


def test_a_taken_port_is_said_before_anything_is_built(book: Path, monkeypatch: pytest.MonkeyPatch):
    with open_server(book, 0) as server:
        monkeypatch.setattr(building, "_build", lambda *_: pytest.fail("built"))
        with pytest.raises(ToolError, match=r"Port \d+ cannot be used .*: name another one"):
            building.watch(server.server_port)


# --- what is served ------------------------------------------------------------------------------------


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[str, News, Path]]:
    (tmp_path / "index.html").write_text("<html><body><p>Old</p></body></html>")
    (tmp_path / "lite").mkdir()
    for name in ("x.txt", "lite/index.html"):
        (tmp_path / name).write_text("</body>")
    news = News()
    with open_server(tmp_path, 0, news) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", news, tmp_path
        server.shutdown()


def get(address: str) -> str:
    with urlopen(address, timeout=30) as answer:
        return answer.read().decode()


def test_pages_get_the_script_and_other_files_stay(live: tuple[str, News, Path]):
    address, news, folder = live
    for name in ("", "index.html", "index.html?x=1"):
        assert get(address + name).count('<script src="/-/reload.js?0"></script></body>') == 1
    assert get(f"{address}x.txt") == "</body>"
    assert get(f"{address}lite/index.html") == "</body>"  # or what was computed there would be lost
    assert "reload" not in (folder / "index.html").read_text()
    news.tell()
    assert "reload.js?1" in get(address)


def test_news_reach_whoever_has_older_pages(live: tuple[str, News, Path]):
    address, news, _ = live
    threading.Timer(0.3, news.tell).start()
    assert get(f"{address}-/news?0") == "data: new pages\n\n"
    assert get(f"{address}-/news?0") == "data: new pages\n\n"  # too late for the call, but not for the news
    assert not news.wait("1", 0.01)


def test_a_browser_that_stops_listening_is_no_error(live: tuple[str, News, Path], capfd):
    address, _, folder = live
    (folder / "index.html").write_bytes(b"x" * 20_000_000)
    for path in ("/", "/-/news?0"):
        with socket.create_connection(("127.0.0.1", int(address.split(":")[2].strip("/")))) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            connection.recv(10)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # cut, not closed
    assert get(f"{address}x.txt") == "</body>"
    time.sleep(0.3)
    assert "Traceback" not in capfd.readouterr().err


def test_an_open_page_shows_what_is_new(site: Path, browser: Browser):
    news, context = News(), browser.new_context()
    with open_server(site, 0, news) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.goto(f"http://127.0.0.1:{server.server_port}/chapters/index.html")
        page.evaluate("window.old = true")
        with page.expect_navigation(timeout=60_000):
            news.tell()
        page.wait_for_load_state()
        assert page.evaluate("window.old") is None
        assert said == []  # the policy of the pages allows the script and its question
        page.goto("about:blank")
        server.shutdown()
    context.close()
