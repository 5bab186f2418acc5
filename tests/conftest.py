"""What all tests share: a fixed environment, the repository's folder, the built book, a browser."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib
import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

from tools import build
from tools.environment import ROOT, run_environment
from tools.server import open_server

# For a bare `pytest` too. Not through MPLBACKEND, which the kernels that nbval starts inherit.
matplotlib.use("Agg")
os.environ.update(run_environment())
for personal in ("MPLBACKEND", "TRADEBOOK_DATA", "FORCE_COLOR"):
    os.environ.pop(personal, None)

# The same examples in every run, and no limit of time per example: machines differ.
settings.register_profile("book", derandomize=True, deadline=None, database=None)
settings.load_profile("book")


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def site() -> Path:
    """Folder of the built book; `make test` builds it before the tests run."""
    if not build.is_current():
        pytest.fail("The built book is missing or out of date: run `make book`, then the tests again.")
    return build.SITE


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium; without one its tests are skipped, but never where CI is set."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        message = "There is no Chromium: install it (apt-get install chromium) or set CHROMIUM."
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    return found


@pytest.fixture(scope="module")  # no longer: while it runs, nothing else in the process can use asyncio
def browser(chromium: str) -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Address of a folder on a web server of its own."""
    with open_server(folder, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def serving() -> Callable[[Path], AbstractContextManager[str]]:
    """What serves a folder: ``with serving(folder) as address``."""
    return serve


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Address of the book, served below a sub-path as on a project's web site."""
    with serve(site.parent) as root:
        yield f"{root}{site.name}/"
