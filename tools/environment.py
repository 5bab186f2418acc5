"""Where the book runs: its folder, its virtual environment, and the same settings everywhere.

Only the standard library is used here, because this module runs before anything is installed.
"""

from __future__ import annotations

import contextlib
import hashlib
import locale
import os
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "_build"
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"

_COMPLETE = VENV / ".complete"  # written when the installation has succeeded
_INSTALLING = VENV / ".installing"  # there while it runs: still there later means it was interrupted
_SKIPPED_FOLDERS = {"__pycache__", ".ipynb_checkpoints", ".pytest_cache"}
_SKIPPED_FILES = {".DS_Store", "Thumbs.db"}
_UNSAVED = re.compile(r"^\.[#~]|~$|\.sw[a-z]$")  # what editors, and Jupyter, leave beside a file while they save it
_LONGEST = 7200  # seconds that one build waits for another


class ToolError(Exception):
    """A command cannot go on; the message is one sentence that says what to do."""


def say(text: str = "") -> None:
    """Print a line at once, also into a pipe, and on a terminal that lacks some characters."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


def is_of_the_book(name: str) -> bool:
    """Whether a file of that name may be the book's, and not a file manager's or an editor's."""
    return name not in _SKIPPED_FILES and not _UNSAVED.search(name)


def files(paths: Iterable[Path]) -> Iterator[Path]:
    """All files at or below the paths that matter to the book, sorted; caches are left out."""
    found = set()
    for path in paths:
        if path.is_file():
            found.add(path)
        elif path.is_dir():
            for folder, folders, names in os.walk(path):
                folders[:] = [name for name in folders if name not in _SKIPPED_FOLDERS]
                found.update(Path(folder, name) for name in names if is_of_the_book(name))
    return iter(sorted(found, key=lambda path: path.as_posix()))


def notebooks() -> list[Path]:
    """The book's notebooks."""
    return [path for path in files([ROOT / "chapters"]) if path.suffix == ".ipynb"]


_SUMS: dict[tuple, str] = {}


def checksum(path: Path) -> str:
    """SHA-256 of a file; asked again in the same run, it is read again only if it may have been written since."""
    about = path.stat()
    key = (str(path), about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
    if (known := _SUMS.get(key)) is not None:
        return known
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if time.time_ns() - about.st_mtime_ns > 3_000_000_000:  # another write would have another date
        _SUMS[key] = found
    return found


def digest(paths: Iterable[Path], base: Path, extra: str = "", but: Callable[[Path], bool] | None = None) -> str:
    """SHA-256 of the names, relative to `base`, and contents of all files, and of `extra`.

    Files for which `but` is true do not count.
    """
    total = hashlib.sha256(extra.encode())
    for path in files(paths):
        if but is None or not but(path):
            total.update(f"\n{path.relative_to(base).as_posix()} {checksum(path)}".encode())
    return total.hexdigest()


def release_epoch() -> int:
    """Seconds since 1970 of the release date in CITATION.cff, the date that built pages carry."""
    match = re.search(r"^date-released: *['\"]?(\d{4})-(\d\d)-(\d\d)", _read(ROOT / "CITATION.cff"), re.M)
    if match is None:
        raise ToolError(
            "CITATION.cff has no `date-released: YYYY-MM-DD`: restore the line, the build dates pages by it."
        )
    return int(datetime(*map(int, match.groups()), tzinfo=UTC).timestamp())


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise ToolError(
            f"{path.name} is missing: restore it from the repository (git checkout -- {path.name})."
        ) from None


def run_environment() -> dict[str, str]:
    """Environment variables for every step that executes or builds: the same on each machine.

    Personal settings (start-up files of IPython and matplotlib, another data folder, other modules
    on the path) are left out, hashing, dates, time zone and language are fixed, and linear algebra
    runs in one thread, because the number of threads changes the last digits of sums.
    """
    personal = BUILD / ".run"
    profile = personal / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    # kernels listen on this machine only; without this line each one warns that it does not encrypt
    (profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n", "utf-8")
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in {"MPLBACKEND", "MATPLOTLIBRC", "TRADEBOOK_DATA", "PYTHONSTARTUP", "FORCE_COLOR"}
    }
    env.update(
        PYTHONPATH=str(ROOT),
        PYTHONNOUSERSITE="1",
        PYTHONHASHSEED="0",
        PYTHONUTF8="1",
        SOURCE_DATE_EPOCH=str(release_epoch()),
        TZ="UTC",
        COLUMNS="80",  # pandas breaks tables where the terminal ends
        LINES="24",
        NO_COLOR="1",
        IPYTHONDIR=str(personal / "ipython"),
        MPLCONFIGDIR=str(personal / "matplotlib"),
        JUPYTER_PREFER_ENV_PATH="1",
        OMP_NUM_THREADS="1",
        OPENBLAS_NUM_THREADS="1",
        MKL_NUM_THREADS="1",
        VECLIB_MAXIMUM_THREADS="1",
    )
    before = locale.setlocale(locale.LC_ALL)
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "C.UTF-8")
        env["LC_ALL"] = "C.UTF-8"
    locale.setlocale(locale.LC_ALL, before)
    return env


def start(arguments: list[str], settings: dict[str, str], root: Path = ROOT) -> subprocess.Popen[str]:
    """Start this Python beside us, to be talked to in lines; `settings` are more environment variables."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=root,
        env={**run_environment(), **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )


def end(process: subprocess.Popen[str]) -> None:
    """End a process that `start` has started, whatever it does."""
    process.kill()
    process.wait(timeout=60)
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            stream.close()


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, after whoever holds it; the end of a process frees it."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "a+b") as handle:
        if not _try_lock(handle):
            say("Another build of this book is running: waiting for it to end …")
            _wait_for_lock(handle)
        yield


def _wait_for_lock(handle) -> None:
    end = time.monotonic() + _LONGEST
    while not _try_lock(handle):
        if time.monotonic() > end:
            raise ToolError("Another build of this book does not end: stop it, and run the command again.")
        time.sleep(0.2)


if os.name == "nt":
    import msvcrt

    def _try_lock(handle) -> bool:
        handle.seek(0)
        try:
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(handle) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


# --- the virtual environment ----------------------------------------------------------------------


def venv_python() -> Path:
    """The Python of ``.venv``."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _works(python: Path) -> bool:
    try:
        check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
        return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def set_up() -> None:
    """Make ``.venv`` with the locked packages and the book's own code, unless that is done."""
    wanted = hashlib.sha256("\n".join([str(ROOT), _read(LOCK), _read(ROOT / "pyproject.toml")]).encode()).hexdigest()
    python = venv_python()
    if _COMPLETE.is_file() and _COMPLETE.read_text() == wanted and python.exists():
        return
    with only_one(BUILD):
        if _COMPLETE.is_file() and _COMPLETE.read_text() == wanted and python.exists():
            return  # another process has just done it
        _COMPLETE.unlink(missing_ok=True)
        if VENV.exists() and (_INSTALLING.exists() or not _works(python)):
            say("The environment in .venv is broken or half installed: starting it afresh …")
            try:
                shutil.rmtree(VENV)
            except OSError as error:
                raise ToolError(
                    f".venv cannot be removed ({error.strerror}): close what uses it, delete it, try again."
                ) from error
        if not VENV.exists():
            _create()
        _INSTALLING.touch()
        _install(python)
        _COMPLETE.write_text(wanted)
        _INSTALLING.unlink()
    say(f"The environment is ready: {VENV.relative_to(ROOT)}")


def _create() -> None:
    say(f"Creating .venv with Python {sys.version.split()[0]} …")
    # the base interpreter, so that the environment does not hang on another one that may be deleted
    base = getattr(sys, "_base_executable", None) or sys.executable
    made = subprocess.run([base, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise ToolError(
            "This Python cannot create virtual environments: install its venv module "
            "(Debian and Ubuntu: apt-get install python3-venv) and try again."
        )


def _install(python: Path) -> None:
    number = sum(1 for line in _read(LOCK).splitlines() if re.match(r"[a-z0-9]", line))
    say(f"Installing the {number} packages of requirements.lock (about 650 MB, some minutes) …")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    _run_pip([*pip, "--require-hashes", "-r", str(LOCK)], number)
    _run_pip([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], 0)


def _run_pip(command: list[str], number: int) -> None:
    """Run pip and turn its hundreds of lines into a few."""
    seen, last = 0, deque(maxlen=12)
    env = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as pip:
        for line in pip.stdout:
            last.append(line.rstrip())
            if line.startswith(("Collecting ", "Requirement already satisfied")):
                seen += 1
                if seen % 40 == 0:
                    say(f"  {seen} of {number} packages")
            elif number and line.startswith("Installing collected packages"):
                say("  all there; unpacking them …")
    if pip.returncode:
        say("\n".join(last))
        raise ToolError(
            "Installing the packages failed, for the reason just above; when it is put right "
            "(mostly: reach the Python package index, free some disk space), run the command again."
        )
