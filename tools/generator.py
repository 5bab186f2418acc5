"""The page generator as the build sees it: a process started early, told when to begin, and listened to.

It imports what it needs at once, so it is started before anybody knows what is to be done; then it is prepared (it
takes the state of the last run and configures itself); and it makes the pages when the results of the notebooks are
there. Whatever happens to it, the state of the last run that had nothing to complain of stays as it was.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tools.environment import ROOT, ToolError, end, say, start
from tools.results import remove, write

_LONGEST = 3600  # seconds that the pages may take
WAITING = "waiting for the notebooks"  # what it prints when it is prepared
_STATE = ("html", ".doctrees", "jupyter_execute")  # what a run leaves in its folder for the next one

_PROBLEM = re.compile(r"\b(?:WARNING|ERROR|CRITICAL|SEVERE)\b|^[A-Z][a-z ]+ error(?: \([\w.]+\))?:")
_HEAD = re.compile(r" error(?: \([\w.]+\))?:$")  # what went wrong stands on the next line
_FAILURE = re.compile(
    r"(An error occurred while executing the following cell:.*?)(?:^The above exception|\Z)"
    r"|^Exception occurred:(.*?)^The full traceback",
    re.M | re.S,
)
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Generator:
    """A process that makes the pages once.

    Parameters
    ----------
    work : Path
        The folder that it works in; it holds the state of the last run as well.
    log : Path
        The file that takes all that it prints.
    jobs : int
        Processes at a time.
    settings : dict
        More environment variables.
    """

    def __init__(self, work: Path, log: Path, jobs: int, settings: dict[str, str]) -> None:
        self._settings, self._rests_on, self._mark = settings, "", ""
        self.place, self._kept, self._site, self._log = work / "_build", work / "kept", work / "site", log
        self._beside = ThreadPoolExecutor(1)
        self._copying: Future | None = None
        self._said: list[str] = []  # read already
        options = [str(self.place / "html"), str(work / "results"), "--jobs", str(jobs)]
        self._process = start(["-m", "tools.render", *options], settings)

    def prepare(self, rests_on: str) -> None:
        """Give it the state of the last run, and let it configure itself.

        The state is copied, so that a run that fails, or is killed, takes nothing from the next one. If anything but
        the text of pages has changed since (`rests_on` stands for all that), the pages are made afresh.
        """
        (self.place / "prepared").unlink(missing_ok=True)
        for name in _STATE:
            remove(self.place / name)
        known = self._kept / "rests-on"
        fresh = not (known.is_file() and known.read_text("utf-8") == rests_on)
        for name in () if fresh else _STATE:
            if (self._kept / name).is_dir():
                shutil.copytree(self._kept / name, self.place / name, ignore=_shared_files)
        self._tell("fresh" if fresh else "go on")
        self._copying = self._beside.submit(self._copy_pages, fresh)
        self._rests_on, self._mark = rests_on, f"{os.getpid()} {time.time_ns()}"
        write(self.place / "prepared", self._mark)  # last: what fails before leaves nothing that looks prepared

    def settle(self) -> None:
        """Wait until it is prepared and touches nothing until it is told to: then another build may use the folder."""
        self._copying.result()
        for line in self._process.stdout:
            self._said.append(line)
            if line.rstrip() == WAITING:
                return

    def is_ready(self, settings: dict[str, str], rests_on: str) -> bool:
        """Whether it was prepared for just this, and no other build has used the folder since."""
        mark = self.place / "prepared"
        asked = (self._settings, self._rests_on) == (settings, rests_on)
        return asked and mark.is_file() and mark.read_text("utf-8") == self._mark

    def make(self, still: Callable[[], bool]) -> Path:
        """Make the pages, and return a folder with them; the state is kept if everything is `still` as it was then.

        Raises
        ------
        ToolError
            There were warnings or errors; all of them have been printed.
        """
        self._tell("make")
        self._listen()
        self._copying.result()
        _copy_changed(self.place / "html", self._site)
        (self._kept / "rests-on").unlink(missing_ok=True)
        remove(self._kept)
        if still():
            self._kept.mkdir(parents=True)
            for name in _STATE:
                if (self.place / name).is_dir():
                    os.replace(self.place / name, self._kept / name)
            write(self._kept / "rests-on", self._rests_on)
        return self._site

    def end(self) -> None:
        """End the process, whatever it does."""
        end(self._process)
        self._beside.shutdown(cancel_futures=True)

    def _copy_pages(self, fresh: bool) -> None:
        """Copy the pages of the last run, while it begins: most of them will stay as they are."""
        remove(self._site)
        if not fresh:
            _copy_changed(self._kept / "html", self._site)

    def _tell(self, word: str) -> None:
        with contextlib.suppress(OSError):  # it has ended, and says why
            self._process.stdin.write(f"{word}\n")
            self._process.stdin.flush()

    def _listen(self) -> None:
        problems, last = [], []
        with open(self._log, "w", buffering=1, encoding="utf-8") as log:
            limit = threading.Timer(_LONGEST, self._process.kill)
            limit.daemon = True
            limit.start()
            for raw in itertools.chain(self._said, self._process.stdout):
                log.write(raw)
                line = _ANSI.sub("", raw).replace(str(ROOT) + os.sep, "").rstrip()
                last = [*last[-14:], line]
                if "Executing notebook using" in line or "Executed notebook in" in line:
                    say(f"  {line.removesuffix(' [mystnb]')}")
                elif problems and _HEAD.search(problems[-1]) and line.strip():
                    problems[-1] += f" {line.strip()}"
                elif _PROBLEM.search(line) and line not in problems and "warnings treated as errors" not in line:
                    problems.append(line)
            limit.cancel()
        if not (self._process.wait(timeout=60) or problems):
            return
        for line in problems or last:
            say(f"  {line}")
        for failure in self._failures():
            say("\n" + "\n".join(f"    {line}" for line in failure.splitlines()))
        raise ToolError(
            f"The book was not built: correct the problems listed above and run `make book` again "
            f"(everything that was printed is in {self._log.relative_to(ROOT).as_posix()})."
        )

    def _failures(self) -> list[str]:
        """Cells that failed, or where Sphinx stopped: from the log and the reports on notebooks."""
        reports = sorted((self.place / "html" / "reports").rglob("*.log"))
        texts = [_ANSI.sub("", path.read_text("utf-8")) for path in (self._log, *reports)]
        found = [match for text in texts for match in _FAILURE.findall(text)]
        return [cell.strip() for cell, _ in found if cell] or [crash.strip("\n") for _, crash in found]


def _copy_changed(source: Path, target: Path) -> None:
    """Make a folder the copy of another; what has the same size and date as there is taken for the same.

    Left out is the page generator's note of the folder that it worked in, and what it says of failures.
    """
    wanted = {}
    for folder, _, names in os.walk(source):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), source)
            if path != ".buildinfo" and not path.startswith("reports" + os.sep):
                wanted[path] = os.path.join(folder, name)
    for folder, _, names in os.walk(target, topdown=False):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.relpath(path, target) not in wanted:
                os.unlink(path)
        with contextlib.suppress(OSError):
            os.rmdir(folder)  # if it is empty
    for path, original in wanted.items():
        copy = os.path.join(target, path)
        if not _alike(original, copy):
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy2(original, copy)


def _alike(one: str, other: str) -> bool:
    try:
        first, second = os.stat(one), os.stat(other)
    except FileNotFoundError:
        return False
    return (first.st_size, first.st_mtime_ns) == (second.st_size, second.st_mtime_ns)


def _shared_files(folder: str, names: list[str]) -> list[str]:
    """Scripts and style sheets that every run writes: pages carry checksums only of those that were there before."""
    path = Path(folder)
    if path.name == "html":
        return ["searchindex.js"]  # Sphinx would keep words in it that are gone
    if path.name != "_static" or path.parent.name != "html":
        return []
    return [name for name in names if (path / name).is_file()]
