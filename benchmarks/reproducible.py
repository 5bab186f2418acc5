"""Build the book twice from nothing, and compare every byte: ``python benchmarks/reproducible.py --folder FOLDER``.

The two builds have nothing in common but the files of the repository: other folders with names of other lengths, one
of them with a space and a letter that is not ASCII; another time zone, language, file mask, seed of Python's hashing,
number of processors; other settings of the reader; other dates of files; and, where a C compiler is at hand, another
day. Compared are all files of ``_build/html``: pages, data files, images, fonts, the zips, the EPUB, the PDF, and the
notebooks with the Python that runs in a browser.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 3600  # seconds for one build
_APART = shutil.ignore_patterns("_build", ".git", ".venv", "__pycache__", ".ipynb_checkpoints", ".*_cache", "vintages")

# What reaches a build from outside; the second day is one on which the year, and the clock of some countries, turns.
FIRST = {"TZ": "UTC", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}
SECOND = {
    "TZ": "Pacific/Auckland", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "4711", "COLUMNS": "40",
    "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "MPLBACKEND": "svg", "FORCE_COLOR": "1", "TERM": "dumb",
    "SOURCE_DATE_EPOCH": "86400",
}  # fmt: skip
NEXT_YEAR = 40 * 86_400 + 7 * 3600  # seconds; at the end of November this is in January

_CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long later(void) { const char *s = getenv("BOOK_LATER"); return s ? atol(s) : 0; }
int clock_gettime(clockid_t id, struct timespec *t) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(id, t);
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) t->tv_sec += later();
    return code;
}
time_t time(time_t *out) {
    struct timespec t; clock_gettime(CLOCK_REALTIME, &t);
    if (out) *out = t.tv_sec;
    return t.tv_sec;
}
int gettimeofday(struct timeval *v, void *zone) {
    struct timespec t; clock_gettime(CLOCK_REALTIME, &t);
    v->tv_sec = t.tv_sec; v->tv_usec = t.tv_nsec / 1000;
    return 0;
}
"""


def other_day(folder: Path) -> dict[str, str]:
    """Settings with which every program takes it to be weeks later; none without a C compiler (or off Linux)."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None or not sys.platform.startswith("linux"):
        return {}
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(_CLOCK, "utf-8")
    made = subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    return {"LD_PRELOAD": str(library), "BOOK_LATER": str(NEXT_YEAR)} if made.returncode == 0 else {}


def copy_book(source: Path, folder: Path, aged: float = 0) -> Path:
    """A copy of a repository without what was built; its files are dated so many seconds back."""
    shutil.copytree(source, folder, ignore=_APART)
    moment = time.time() - aged
    for number, path in enumerate(sorted(folder.rglob("*"))):
        os.utime(path, (moment + number % 7, moment + number % 7))
    return folder


def build(folder: Path, settings: dict[str, str], mask: int, processors: int | None = None) -> None:
    """Build a copy of the book from nothing.

    Raises
    ------
    RuntimeError
        The build failed; the message is what it printed last.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "PYTHON"))}
    env |= {"PYTHONPATH": str(folder), **settings}

    def prepare() -> None:
        os.umask(mask)
        if processors and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:processors])

    done = subprocess.run(
        [sys.executable, "-m", "tools.build", "book"], cwd=folder, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False, timeout=LONGEST,
        preexec_fn=prepare if os.name == "posix" else None,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stdout[-3000:])


def sums(folder: Path) -> dict[str, str]:
    """Checksums of the files of a folder by their names."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def differences(one: Path, other: Path) -> list[str]:
    """Names of the files that only one of two folders has, or that are not the same."""
    first, second = sums(one), sums(other)
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def where(one: Path, other: Path, width: int = 60) -> str:
    """Where two files begin to differ."""
    if not (one.is_file() and other.is_file()):
        return "only in one of the builds"
    if zipfile.is_zipfile(one) and zipfile.is_zipfile(other):
        with zipfile.ZipFile(one) as a, zipfile.ZipFile(other) as b:
            listed = [
                {i.filename: (i.CRC, i.date_time, i.external_attr) for i in archive.infolist()} for archive in (a, b)
            ]
        parts = [name for name in listed[0].keys() | listed[1].keys() if listed[0].get(name) != listed[1].get(name)]
        return f"members {', '.join(sorted(parts)[:5]) or 'in another order or packing'}"
    first, second = one.read_bytes(), other.read_bytes()
    at = next(
        (i for i, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]),
        min(len(first), len(second)),
    )
    begin = max(0, at - width // 2)
    return f"byte {at}: {first[begin : at + width]!r} / {second[begin : at + width]!r}"


def compare(source: Path, folder: Path) -> Iterator[str]:
    """Build a book twice below `folder`; yields how, and then every difference."""
    folder.mkdir(parents=True, exist_ok=True)
    later = other_day(folder)
    one, other = folder / "a", folder / "another place" / "bük with a longer name"
    for place, settings, mask, processors, aged in (
        (one, FIRST, 0o022, None, 0),
        (other, SECOND | later, 0o077, 1, 400 * 86_400),
    ):
        start = time.perf_counter()
        copy_book(source, place, aged)
        build(place, settings, mask, processors)
        yield f"built in {place.name!r} in {time.perf_counter() - start:.0f} s"
    yield f"the second build {f'ran {NEXT_YEAR // 86_400} days later' if later else 'ran on the same day'}"
    sites = [place / "_build" / "html" for place in (one, other)]
    names, kinds = sums(sites[0]), Counter(Path(name).suffix or name for name in sums(sites[0]))
    yield f"{len(names)} files compared: " + ", ".join(f"{n} {kind}" for kind, n in kinds.most_common(12))
    for name in differences(*sites):
        yield f"DIFFERENT {name}: {where(sites[0] / name, sites[1] / name)}"


def main(arguments: list[str] | None = None) -> int:
    """Print what was compared and every difference; 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="an empty folder to work in")
    parser.add_argument("--book", type=Path, default=ROOT, help="another repository with a book")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    different = 0
    for line in compare(options.book.resolve(), options.folder.resolve()):
        different += line.startswith("DIFFERENT")
        print(line, flush=True)
    print(f"{different} files differ" if different else "every file is the same, byte for byte")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
