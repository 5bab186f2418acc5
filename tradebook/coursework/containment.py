"""Run a submission where it can do no harm: a process of its own, in a throw-away copy, behind walls and limits.

What a submission is kept from, by platform:

========================  =======================  =========================  ==========================
threat                    Linux from 6.2 on        macOS                      Windows
                          (Landlock, seccomp)
========================  =======================  =========================  ==========================
endless loop              process group killed     process group killed       process tree killed
memory                    limit and watch          watch (and limit)          watch
disk, large files         limit and watch          limit and watch            watch
files outside its copy    kernel                   Python's functions only    Python's functions only
network                   kernel                   Python's functions only    Python's functions only
other programs, forks     kernel                   Python's functions only    Python's functions only
answers                   never in its process     never in its process       never in its process
========================  =======================  =========================  ==========================

“Python's functions only” is a hook on what Python reports of itself, and so it is on an older Linux. It refuses what a
program does by mistake and the usual ways out; compiled code passes it, and so does Python code that is written to find
the hook and change it: enough against accidents and idle curiosity, not against an attacker. There, run the grading of
a class you do not trust in Docker.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tradebook.errors import TradebookError

__all__ = ["ENDS", "ContainmentError", "Limits", "Outcome", "run", "workplace"]

_PROGRAM = Path(__file__).with_name("contained.py")
#: How a run can end, other than well, in words that follow “the notebook”.
ENDS = {
    "time": "used up its time",
    "memory": "used too much memory",
    "disk": "filled the disk",
    "output": "flooded its output",
    "processes": "started too many programs",
    "crashed": "ended the program that ran it",
}
_PAUSE = 0.2
_MOST_PROCESSES = 4
_MOST_FILES = 5000


class ContainmentError(TradebookError):
    """A submission cannot be run safely."""


@dataclass(frozen=True)
class Limits:
    """What a submission may use: seconds in all and a cell, bytes of memory, of a file, of disk, of output."""

    seconds: float = 240
    cell_seconds: float = 60
    memory: int = 6 * 2**30
    file: int = 64 * 2**20
    disk: int = 256 * 2**20
    output: int = 2**20


@dataclass
class Outcome:
    """What a run has left: its messages (untrusted), how it ended, the cell that ran last, the walls that stood."""

    messages: list[dict] = field(default_factory=list)
    ended: str = "finished"  # or: time, memory, disk, output, processes, crashed
    last: str | None = None
    walls: dict = field(default_factory=dict)
    failed: str = ""
    glued: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


@contextlib.contextmanager
def workplace(release: Path) -> Iterator[Path]:
    """A throw-away copy of a release folder, ``work``, beside an empty ``home``; removed at the end."""
    place = Path(tempfile.mkdtemp(prefix="marking-")).resolve()
    for root in (sys.prefix, sys.base_prefix, "/usr"):
        if release.resolve().is_relative_to(root):
            _remove(place)
            raise ContainmentError(
                f"{release} lies inside {root}, which submissions can read: move it to another folder."
            )
    try:
        shutil.copytree(release, place / "work", symlinks=True)
        (place / "home").mkdir()
        shutil.copyfile(_PROGRAM, place / "contained.py")
        yield place
    finally:
        _remove(place)


def run(steps: list[dict], place: Path, limits: Limits, *, system: bool = True, glued: bool = False) -> Outcome:
    """Run the steps of a notebook in a workplace and collect what they report.

    Parameters
    ----------
    steps : list of dict
        Cells (``id``, ``source``, ``report``: names to report after it) or solutions (``solve``, ``cases``).
    place : Path
        Folder made by `workplace`.
    limits : Limits
        When to stop.
    system : bool
        False: without the walls of the operating system, as on a platform that has none (for tests).
    glued : bool
        Also return the texts that the notebook glues and the names it defines: for the lecturer's own notebook only.
    """
    work, home = place / "work", place / "home"
    job = {
        "steps": steps, "folder": str(work), "writable": [str(work), str(home)], "system": system, "glued": glued,
        "limits": {"memory": limits.memory, "file": limits.file, "cell_seconds": limits.cell_seconds,
                   "seconds": limits.seconds + 30},
    }  # fmt: skip
    separate = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    process = subprocess.Popen(
        [sys.executable, "-B", "-s", str(place / "contained.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        cwd=work, env=_environment(work, home), **separate,
    )  # fmt: skip
    outcome = Outcome()
    received = bytearray()
    reader = threading.Thread(target=_receive, args=(process, received, limits.output), daemon=True)
    writer = threading.Thread(target=_send, args=(process, json.dumps(job).encode()), daemon=True)
    reader.start()
    writer.start()
    try:
        outcome.ended = _watch(process, received, place, limits)
    finally:
        _kill(process)
    reader.join(timeout=5)
    writer.join(timeout=5)
    if not reader.is_alive():
        process.stdout.close()
    _read_messages(bytes(received[: limits.output]), outcome)
    return outcome


def _environment(work: Path, home: Path) -> dict[str, str]:
    """Nothing of the grader's own environment but what a program needs to start."""
    kept = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "WINDIR", "COMSPEC", "LD_LIBRARY_PATH", "NUMBER_OF_PROCESSORS")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    names = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "TMPDIR", "TEMP", "TMP", "IPYTHONDIR", "MPLCONFIGDIR")
    environment.update(dict.fromkeys(names, str(home)))
    environment.update(
        PYTHONPATH=str(work), PYTHONDONTWRITEBYTECODE="1", PYTHONUTF8="1", PYTHONHASHSEED="0", MPLBACKEND="agg",
        USER="student", LOGNAME="student", USERNAME="student",
        OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", NUMEXPR_NUM_THREADS="1",
    )  # fmt: skip
    return environment


def _send(process: subprocess.Popen, job: bytes) -> None:
    with contextlib.suppress(OSError), process.stdin as pipe:
        pipe.write(job)


def _receive(process: subprocess.Popen, received: bytearray, most: int) -> None:
    """Read what the process reports; of a flood only as much as shows that it is one."""
    with contextlib.suppress(OSError, ValueError):
        while len(received) <= most and (part := os.read(process.stdout.fileno(), 65536)):
            received.extend(part)


def _watch(process: subprocess.Popen, received: bytearray, place: Path, limits: Limits) -> str:
    """Wait for the end, or for the first limit that is passed."""
    deadline = time.monotonic() + limits.seconds
    before, turn = _used(place), 0
    while process.poll() is None:
        if time.monotonic() > deadline:
            return "time"
        if len(received) > limits.output:
            return "output"
        try:
            family = [psutil.Process(process.pid)]
            family += family[0].children(recursive=True)
            if len(family) > _MOST_PROCESSES:
                return "processes"
            if sum(member.memory_info().rss for member in family) > limits.memory:
                return "memory"
        except psutil.Error:
            pass  # it has just ended
        if turn % 5 == 0:
            size, files = _used(place)
            if size - before[0] > limits.disk or files - before[1] > _MOST_FILES:
                return "disk"
        turn += 1
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PAUSE)
    return "finished"


def _used(place: Path) -> tuple[int, int]:
    """Bytes and number of files below a folder; a folder that hides itself or is endlessly deep counts as full."""
    size = count = 0
    pending = [os.fspath(place)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    count += 1
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        size += entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
        except OSError:
            return sys.maxsize, sys.maxsize
        if count > 10 * _MOST_FILES:
            break
    return size, count


def _kill(process: subprocess.Popen) -> None:
    """End the process and everything that it has started."""
    family: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        family = psutil.Process(process.pid).children(recursive=True)
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    for member in family:
        with contextlib.suppress(psutil.Error):
            member.kill()
    with contextlib.suppress(OSError):
        process.kill()
    process.wait()


def _read_messages(content: bytes, outcome: Outcome) -> None:
    """Sort what was received; anything that is not as it should be is left out."""
    done = False
    for line in content.splitlines():
        try:
            message = json.loads(line)
        except (ValueError, RecursionError, MemoryError):
            continue
        if not isinstance(message, dict):
            continue
        if "walls" in message and not outcome.walls and isinstance(message["walls"], dict):
            outcome.walls = message["walls"]
        elif isinstance(message.get("failed"), str):
            outcome.failed = message["failed"][:500]
        elif "done" in message:
            done = True
            for name in ("glued", "names"):
                if isinstance(message.get(name), dict | list):
                    setattr(outcome, name, message[name])
        else:
            if isinstance(message.get("begin"), str):
                outcome.last = message["begin"]
            outcome.messages.append(message)
    if outcome.ended == "finished" and not done:
        outcome.ended = "crashed"


def _remove(place: Path) -> None:
    """Remove a folder whatever is in it: without rights, endlessly deep, or full of links."""
    pending, emptied, number = [place], [], 0
    while pending:
        folder = pending.pop()
        with contextlib.suppress(OSError):
            folder.chmod(stat.S_IRWXU)
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    number += 1
                    flat = place / f"removed-{number}"  # beside each other, so that no path grows too long
                    os.rename(entry.path, flat)
                    pending.append(flat)
                else:
                    os.unlink(entry.path)
        emptied.append(folder)
    for folder in reversed(emptied):
        with contextlib.suppress(OSError):
            folder.rmdir()
