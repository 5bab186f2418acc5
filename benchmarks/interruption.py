"""Interrupt builds of a small book and see what is left: ``python benchmarks/interruption.py [--moments N]``.

The book has one page and one notebook, and two versions, A and B, of which the finished pages are known. A build from
one version to the other is killed at a random moment, with every process that it started, or hindered in another way.
Asked each time:

- ``served``: is ``_build/html`` the old pages or the new ones, whole (or, between two renamings, not there)?
- ``sources``: is every file outside ``_build`` as it was?
- ``next``: does the next build end well, without waiting for a lock that nobody holds, with the right pages?
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.environment import ROOT, digest

LONGEST = 600  # seconds for any command
_WORDS = "word " * 60
_EXTENSIONS = "myst_nb, jupyter_book, sphinx_external_toc, sphinx_comments, sphinx_book_theme"
_HEAD = "---\nfile_format: mystnb\nkernelspec: {name: python3, display_name: Python 3}\n---\n\n"
_CELL = '```{code-cell} python3\nopen("../data/number.txt").read().strip()\n```\n'


def finish(running: subprocess.Popen) -> tuple[str, str]:
    """What a process printed by its end; one that does not end is killed, with all it started, and is an error."""
    try:
        return running.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate(timeout=60)
        raise


@dataclass
class Book:
    """A repository with a small book, and what its two versions look like when they are built."""

    folder: Path
    finished: dict[str, str] = field(default_factory=dict)

    @property
    def site(self) -> Path:
        return self.folder / "_build" / "html"

    def pages(self) -> str:
        """Digest of the finished pages; "none" if there are none."""
        return digest([self.site], self.site) if self.site.is_dir() else "none"

    def sources(self) -> str:
        """Digest of every file outside ``_build``."""
        total = hashlib.sha256()
        for path in sorted(p for p in self.folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            name = path.relative_to(self.folder).as_posix()
            if not name.startswith("_build/"):
                total.update(f"\n{name} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
        return total.hexdigest()

    def turn_to(self, version: str) -> None:
        """Make the sources those of version A or B."""
        (self.folder / "chapters" / "index.md").write_text(f"# Small {version}\n\n{_WORDS}\n", "utf-8")
        if (self.folder / "data").is_dir():
            (self.folder / "data" / "number.txt").write_text(f"{version}\n", "utf-8")

    def start(self, *arguments: str, **options) -> subprocess.Popen:
        """Start a command of tools.build in a session of its own."""
        env = {**os.environ, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1", **options.pop("env", {})}
        return subprocess.Popen(
            [sys.executable, *options.pop("before", ["-m", "tools.build"]), *(arguments or ("book",))],
            cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True, **options,
        )  # fmt: skip

    def build(self, **options) -> tuple[int, str, str]:
        """Build to the end; exit code and what was printed."""
        running = self.start(**options)
        out, err = finish(running)
        return running.returncode, out, err


def make_book(folder: Path, notebook: bool) -> Book:
    """Write a small book; with a notebook its builds also start a kernel."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.lock", "CITATION.cff"):
        shutil.copy(ROOT / name, folder / name)
    executed = "cache" if notebook else "'off'"
    (folder / "_config.yml").write_text(
        f"title: Small\nonly_build_toc_files: true\nexecute: {{execute_notebooks: {executed}}}\n"
        "html: {use_multitoc_numbering: false}\nlaunch_buttons: {thebe: false}\n"
        f"sphinx: {{recursive_update: true, config: {{language: en, extensions: [{_EXTENSIONS}]}}}}\n", "utf-8"
    )  # fmt: skip
    toc = "format: jb-book\nroot: chapters/index\n"
    (folder / "chapters").mkdir()
    if notebook:
        (folder / "data").mkdir()
        # As text, because a book with notebooks in JSON would also get a kernel for the browser.
        (folder / "chapters" / "number.md").write_text(f"{_HEAD}# Number\n\n{_WORDS}\n\n{_CELL}", "utf-8")
        toc += "chapters:\n- file: chapters/number\n"
    (folder / "_toc.yml").write_text(toc, "utf-8")
    book = Book(folder)
    for version in "BA":
        book.turn_to(version)
        code, out, err = book.build()
        if code:
            raise RuntimeError(out + err)
        book.finished[version] = book.pages()
    return book


@dataclass
class Found:
    """What one interruption left."""

    how: str
    served: str
    sources: bool
    next: bool
    said: str = ""

    @property
    def sound(self) -> bool:
        return self.served in {"old", "new", "between"} and self.sources and self.next


def look(book: Book, how: str, old: str, new: str, sources: str, said: str = "") -> Found:
    """Ask the three questions after a build from `old` to `new` was interrupted."""
    names = {book.finished[old]: "old", book.finished[new]: "new"}
    served = names.get(book.pages(), "damaged")
    if served == "damaged" and not book.site.exists() and (book.folder / "_build" / "html.old").is_dir():
        served = "between"
    untouched = book.sources() == sources
    code, out, _ = book.build()
    well = code == 0 and book.pages() == book.finished[new] and "waiting for it to end" not in out
    left = {"html.new", "html.old"} & set(os.listdir(book.folder / "_build"))
    return Found(how, served, untouched, well and not left and book.sources() == sources, said)


def kill_at(book: Book, moment: float, old: str, new: str) -> Found:
    """Kill a build and all it started, so many seconds after it began."""
    book.turn_to(new)
    sources = book.sources()
    running = book.start()
    time.sleep(moment)
    still = running.poll() is None
    if still:
        os.killpg(running.pid, signal.SIGKILL)
    finish(running)
    return look(book, f"killed after {moment:.2f} s" if still else "ended before it was killed", old, new, sources)


def one_sentence(err: str) -> bool:
    """Whether what a command printed as its error is one line and no traceback."""
    lines = [line for line in err.strip().splitlines() if line]
    return len(lines) == 1 and "Traceback" not in err and lines[0].endswith((".", ")."))


def file_too_large(book: Book, limit: int, old: str, new: str) -> Found:
    """Build where no file may grow beyond a limit: every writer fails sooner or later."""
    import resource

    book.turn_to(new)
    sources = book.sources()
    code, _, err = book.build(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    said = "" if code == 0 else "one sentence" if one_sentence(err) else err[-300:]
    return look(book, f"files limited to {limit:,} bytes, exit {code}", old, new, sources, said)


_REFUSING = """
import builtins, errno, io, os, pathlib, shutil, sys
number, code, seen = int(sys.argv[1]), getattr(errno, sys.argv[2]), [0]
def refuse(name):
    seen[0] += 1
    if seen[0] >= number:
        raise OSError(code, os.strerror(code), str(name))
def guarded(function, writes):
    def call(*a, **k):
        if writes(*a, **k):
            refuse(a[0] if a else "")
        return function(*a, **k)
    return call
here = os.getcwd() + os.sep
def below(path):
    return isinstance(path, (str, os.PathLike)) and os.path.abspath(path).startswith(here)
def opened(file, mode="r", *a, **k):
    return below(file) and any(c in mode for c in "wax+")
builtins.open = io.open = guarded(open, opened)
for name in ("replace", "rename", "mkdir", "unlink", "rmdir"):
    setattr(os, name, guarded(getattr(os, name), lambda path, *a, **k: below(path)))
from tools import build
exit_code = build.main(["book"])
print("calls", seen[0])
sys.exit(exit_code)
"""


def refused_at(book: Book, number: int, code: str, old: str, new: str) -> Found:
    """Refuse the build's own `number`-th attempt to write below the book, and all after it, with ENOSPC or EROFS."""
    book.turn_to(new)
    sources = book.sources()
    exit_code, _, err = book.build(before=["-c", _REFUSING, str(number), code])
    said = "" if exit_code == 0 else "one sentence" if one_sentence(err) else err[-300:]
    return look(book, f"{code} from write {number} on, exit {exit_code}", old, new, sources, said)


def no_room(book: Book, megabytes: float, old: str, new: str) -> Found | None:
    """Build on a disk of so many megabytes; None where no such disk can be had."""
    book.turn_to(new)
    sources = book.sources()
    script = (
        'mount -t tmpfs -o size="$1" none "$2" || exit 77; cp -a "$3/." "$2/" || exit 76; cd "$2"; '
        'PYTHONPATH="$2" "$4" -m tools.build book'
    )
    place = book.folder.with_name("small-disk")
    place.mkdir(exist_ok=True)
    if shutil.which("unshare") is None:
        return None
    command = [
        "unshare",
        "-m",
        "sh",
        "-c",
        script,
        "sh",
        f"{int(megabytes * 1024)}k",
        str(place),
        str(book.folder),
        sys.executable,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST)
    if done.returncode in (1, 77) and "unshare" in done.stderr:
        return None
    if done.returncode == 77:
        return None
    said = "the disk is too small for the book itself" if done.returncode == 76 else done.stderr.strip()
    # The disk is gone with its builder: what counts is that it failed in a sentence. The book itself is built after it.
    said = "one sentence" if done.returncode == 1 and one_sentence(done.stderr) else said[-300:]
    return look(book, f"disk of {megabytes:g} MB, exit {done.returncode}", old, new, sources, said)


def read_only(book: Book, old: str, new: str) -> Found | None:
    """Build in a folder that is mounted read-only; None where that is not allowed."""
    book.turn_to(new)
    sources = book.sources()
    script = (
        'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 77; cd "$1"; '
        'PYTHONPATH="$1" "$2" -m tools.build book'
    )
    if shutil.which("unshare") is None:
        return None
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(book.folder), sys.executable],
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        return None
    said = "one sentence" if done.returncode == 1 and one_sentence(done.stderr) else done.stderr[-300:]
    return look(book, f"read-only folder, exit {done.returncode}", old, new, sources, said)


def two_at_once(book: Book, old: str, new: str) -> Found:
    """Start two builds together: both end well, one after the other."""
    book.turn_to(new)
    sources = book.sources()
    both = [book.start(), book.start()]
    said = [finish(running) for running in both]
    codes = [running.returncode for running in both]
    waited = sum("waiting for it to end" in out for out, _ in said)
    right = codes == [0, 0] and book.pages() == book.finished[new]
    found = look(book, f"two at once, exits {codes}, {waited} waited", old, new, sources)
    found.next = found.next and right and waited == 1
    return found


def changed_meanwhile(book: Book, old: str, new: str) -> Found:
    """Change page and data while notebooks run, and change them back after the build: no result of between is kept."""
    book.turn_to(new)
    sources = book.sources()
    running = book.start()
    limit = threading.Timer(LONGEST, os.killpg, (running.pid, signal.SIGKILL))
    limit.start()
    for line in running.stdout:
        if "Executing the notebooks" in line:
            book.turn_to(old)
            break
    limit.cancel()
    out, _ = finish(running)
    noticed = running.returncode != 0 or "were changed while it was built" in out
    book.turn_to(new)
    found = look(book, f"changed meanwhile, exit {running.returncode}", old, new, sources)
    # What was built has a little of both; nothing is half-written, and the next build puts it right.
    if found.served == "damaged" and (book.site / "chapters" / "index.html").is_file():
        found.served = "new"
    found.next = found.next and noticed
    return found


def clock_set_back(book: Book, old: str, new: str) -> Found:
    """Everything that was built carries a date in the future, as after a clock was set back."""
    tomorrow = time.time() + 86_400
    for path in (book.folder / "_build").rglob("*"):
        os.utime(path, (tomorrow, tomorrow), follow_symlinks=False)
    book.turn_to(new)
    return look(book, "clock set back by a day", old, new, book.sources())


def no_network(folder: Path) -> tuple[bool, str]:
    """Set up where no index answers: one sentence, nothing that looks complete, and a fresh start the next time."""
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "requirements.lock").write_text(f"idna==3.10 --hash=sha256:{'0' * 64}\n", "utf-8")
    with socket.socket() as free:  # a port at which nobody listens
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    nowhere = {"PIP_INDEX_URL": f"http://127.0.0.1:{port}/simple", "PIP_EXTRA_INDEX_URL": "", "PIP_RETRIES": "0",
               "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}  # fmt: skip
    book = Book(folder)
    said = []
    for _ in range(2):
        running = book.start("setup", env=nowhere)
        out, err = finish(running)
        well = running.returncode == 1 and one_sentence(err) and not (folder / ".venv" / ".complete").exists()
        said.append((well, out, err))
    afresh = "starting it afresh" in said[1][1]
    return all(well for well, *_ in said) and afresh, said[1][2].strip()


@contextmanager
def taken_port() -> Iterator[int]:
    """A port at which somebody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def port_in_use(book: Book) -> tuple[bool, str]:
    """Serve at a port that is taken: one sentence."""
    with taken_port() as port:
        running = book.start("serve", "--port", str(port))
        _, err = finish(running)
    return running.returncode == 1 and one_sentence(err) and "make serve PORT=" in err, err.strip()


def main(arguments: list[str] | None = None) -> int:
    """Interrupt in all ways and print what was found; 1 if anything was not sound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=24, help="how many builds to kill")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--folder", type=Path, required=True, help="an empty folder to work in")
    parser.add_argument("--without-notebook", action="store_true", help="quicker: no kernel is started")
    parser.add_argument("--only", choices=["kills", "hindrances"], help="one half of it")
    options = parser.parse_args(arguments)
    folder = options.folder.resolve()
    book = make_book(folder / "book", notebook=not options.without_notebook)
    book.turn_to("B")
    start = time.perf_counter()
    book.build()
    took = time.perf_counter() - start
    print(f"a whole build takes {took:.1f} s on this machine", flush=True)
    chance, versions, found = random.Random(options.seed), "BA", []

    def done(one: Found | None) -> None:
        if one is None:
            print("  not possible on this machine", flush=True)
            return
        found.append(one)
        print(f"  {'sound' if one.sound else 'NOT SOUND'}: {one.how}; served: {one.served}; {one.said}", flush=True)

    def turn() -> tuple[str, str]:
        nonlocal versions
        versions = versions[::-1]
        return versions[1], versions[0]

    number = 0 if options.only == "hindrances" else options.moments
    for i in range(number):
        for _ in range(5):  # a build that is quicker than the first one is over before its late moments
            moment = (i + chance.random()) / number * took
            one = kill_at(book, moment, *turn())
            done(one)
            if one.how.startswith("killed"):
                break
            took = min(took, moment)
    if options.only != "kills":
        hinder(book, folder, done, turn, found)
    killed = [one for one in found if one.how.startswith("killed")]
    print(f"{len(killed)} builds killed, {len(found)} interruptions, {sum(one.sound for one in found)} of them sound")
    return 0 if all(one.sound for one in found) else 1


def hinder(book: Book, folder: Path, done: Callable, turn: Callable, found: list[Found]) -> None:
    """Everything but kills: no room, nothing to write on, two at once, changes meanwhile, no network, a taken port."""
    for limit in (4096, 65_536, 300_000):
        done(file_too_large(book, limit, *turn()))
    for number, code in zip((1, 2, 3, 5, 8, 13, 20, 30), ("ENOSPC", "EROFS") * 4, strict=True):
        done(refused_at(book, number, code, *turn()))
    size = sum(p.stat().st_size for p in book.folder.rglob("*") if p.is_file()) / 1e6
    for more in (0.5, 2.0):
        done(no_room(book, size * 1.15 + more, *turn()))
    done(read_only(book, *turn()))
    done(two_at_once(book, *turn()))
    done(changed_meanwhile(book, *turn()))
    done(clock_set_back(book, *turn()))
    for what, (well, said) in (("no network", no_network(folder / "setup")), ("port in use", port_in_use(book))):
        found.append(Found(what, "old", True, well, said))
        print(f"  {'sound' if well else 'NOT SOUND'}: {what}: {said}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
