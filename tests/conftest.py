"""What all tests share: a fixed environment, the repository's folder, the built book, a browser."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import matplotlib
import pytest
from hypothesis import settings

from tools import build
from tools.environment import ROOT, run_environment

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
