"""Build, check, test, serve and clean the book: ``python -m tools.build COMMAND``.

The Makefile only calls these commands, so a machine without make has them all. `setup`, `clean` and
`distclean` need nothing but Python; the others run in the environment that `setup` makes.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import functools
import http.server
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

from tools import lighthouse
from tools.environment import (
    BUILD,
    LOCK,
    ROOT,
    VENV,
    ToolError,
    digest,
    only_one,
    run_environment,
    say,
    set_up,
    venv_python,
)

SITE = BUILD / "html"
WORK = BUILD / "work"  # jupyter-book writes here; finished pages move to SITE
RECORD = BUILD / "build.json"  # what the pages in SITE were built from
LOG = BUILD / "build.log"

# what executed cells depend on besides their own code, which is all that jupyter-cache looks at
_EXECUTION_INPUTS = ["data", "tradebook", "requirements.lock"]
_INPUTS = [
    *_EXECUTION_INPUTS,
    "chapters",
    "_config.yml",
    "_toc.yml",
    "_ext",
    "_static",
    "_templates",
    "tools",
]
_INPUTS += [
    "CITATION.cff",
    "CHANGELOG.md",
    "LICENSE",
    "LICENSE-text",
    "README.md",
    "requirements.txt",
]
_PYTHON = f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]}"

_PROBLEM = re.compile(r"\b(?:WARNING|ERROR|CRITICAL|SEVERE)\b|^[A-Z][a-z ]+ error(?: \([\w.]+\))?:")
_HEAD = re.compile(r" error(?: \([\w.]+\))?:$")  # what went wrong stands on the next line
_FAILURE = re.compile(
    r"(An error occurred while executing the following cell:.*?)(?:^The above exception|\Z)"
    r"|^Exception occurred:(.*?)^The full traceback",
    re.M | re.S,
)
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Say what begins, and how long it took."""
    say(f"{name} …")
    start = time.perf_counter()
    yield
    say(f"  done in {time.perf_counter() - start:.1f} s")


def _inputs(names: list[str]) -> str:
    return digest((ROOT / name for name in names), ROOT, _PYTHON)


def _record() -> dict[str, str]:
    try:
        return json.loads(RECORD.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def is_current() -> bool:
    """Whether ``_build/html`` is complete, unchanged, and built from the files as they are now."""
    record = _record()
    return SITE.is_dir() and record.get("inputs") == _inputs(_INPUTS) and record.get("pages") == digest([SITE], SITE)


def _require_packages() -> None:
    """Stop unless this Python has the pinned jupyter-book and the book's own code."""
    from importlib.metadata import PackageNotFoundError, version

    wanted = re.search(r"^jupyter-book==([^\s\\]+)", LOCK.read_text("utf-8"), re.M)[1]
    with contextlib.suppress(PackageNotFoundError):
        if version("jupyter-book") == wanted:
            return
    raise ToolError(
        "This Python does not have the book's packages: run `make setup` (or "
        "`python -m tools.build setup`) and use the Python in .venv."
    )


def _require_book() -> None:
    for name in ("_config.yml", "_toc.yml"):
        if not (ROOT / name).is_file():
            raise ToolError(f"{name} is missing: restore it from the repository (git checkout -- {name}).")


def build_book() -> None:
    """Execute the notebooks, build and check the pages, and only then replace the previous ones."""
    _require_packages()
    _require_book()
    from tools import lite

    with only_one(BUILD):
        _finish_swap()
        if is_current():
            say("Nothing to do: the book is built from the files as they are now.")
        else:
            inputs = _inputs(_INPUTS)
            basis = _inputs(_EXECUTION_INPUTS)
            _check_data()
            _drop_outdated_results()
            in_browser = lite.is_available()
            with stage("Executing the notebooks and building the pages"):
                try:
                    html = _run_jupyter_book({"TRADEBOOK_LITE": "1"} if in_browser else {})
                finally:
                    _disown_results(basis)
            if in_browser:
                with stage("Adding notebooks that run in the browser"):
                    lite.build(html)
            with stage("Making the EPUB, the PDF and the zips"):
                _make_editions(html)
            with stage("Checking the pages"):
                _check(html)
            _swap(html)
            changed = _inputs(_INPUTS) != inputs  # then nobody knows which of them the pages show
            RECORD.write_text(json.dumps({"inputs": "" if changed else inputs, "pages": digest([SITE], SITE)}), "utf-8")
            if changed:
                say("Files of the book were changed while it was built: run `make book` again to have them in it.")
    say(f"Open the book: {(SITE / 'index.html').as_uri()}")
    say("or run `make serve`.")


def build_edition(file: str) -> None:
    """Build the book as far as needed, with it all its editions, and say where one of them is."""
    build_book()
    path = SITE / "downloads" / file
    if not path.is_file():  # removed by hand
        raise ToolError(f"{path.relative_to(ROOT).as_posix()} is missing: run `make clean`, then this again.")
    say(f"{file}: {path.relative_to(ROOT).as_posix()}")


def _make_editions(html: Path) -> None:
    from tools.editions import make_all, megabytes

    for path in make_all(html):
        say(f"  {path.name}, {megabytes(path.stat().st_size)}")


def _check_data() -> None:
    """Ask whether the tables make sense together, if they have changed since they were last found in order."""
    if not (ROOT / "data" / "datapackage.json").is_file():  # a book without data
        return
    passed = BUILD / "data-checked"
    current = _inputs(["data", "tools/check_data.py", "tradebook/control.py", "tradebook/data.py"])
    if passed.is_file() and passed.read_text("utf-8") == current:
        return
    with stage("Checking the data"):
        command = [sys.executable, "-m", "tools.check_data"]
        if subprocess.run(command, cwd=ROOT, env=run_environment(), check=False).returncode:
            raise ToolError("The data are not in order: correct the problems listed above and run `make book` again.")
    passed.write_text(current, "utf-8")


def _disown_results(basis: str) -> None:
    """Forget on what the kept results rest if data, code or packages were changed while notebooks ran."""
    if _inputs(_EXECUTION_INPUTS) != basis:
        (WORK / "results-basis").unlink(missing_ok=True)


def _drop_outdated_results() -> None:
    """Forget notebook results if data, code or packages have changed, and all that Sphinx kept.

    Sphinx does not repeat the warnings of pages that it keeps from an earlier run, so it always
    starts afresh.
    """
    results = WORK / "_build" / ".jupyter_cache"
    basis = WORK / "results-basis"
    current = _inputs(_EXECUTION_INPUTS)
    for folder in ("html", ".doctrees", "jupyter_execute"):
        _remove(WORK / "_build" / folder)
    if not basis.is_file() or basis.read_text() != current or not _are_whole(results):
        _remove(results)
    WORK.mkdir(parents=True, exist_ok=True)
    basis.write_text(current)


def _are_whole(results: Path) -> bool:
    """Whether what jupyter-cache keeps can be used: a full disk or an interruption may leave half of it."""
    if not results.is_dir() or not any(results.iterdir()):
        return True
    if not (results / "__version__.txt").is_file():  # written when the database has its tables
        return False
    try:
        with contextlib.closing(sqlite3.connect(f"{(results / 'global.db').as_uri()}?mode=ro", uri=True)) as base:
            keys = [key for (key,) in base.execute("SELECT hashkey FROM nbcache")]
            sound = base.execute("PRAGMA quick_check").fetchone() == ("ok",)
        for key in keys:
            json.loads((results / "executed" / str(key) / "base.ipynb").read_text("utf-8"))
    except (sqlite3.Error, OSError, ValueError):
        return False
    return sound


def _remove(path: Path) -> None:
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ToolError(
            f"{path.relative_to(ROOT)} cannot be removed ({error.strerror}): close the program "
            "that uses it and try again."
        ) from error


def _run_jupyter_book(settings: dict[str, str]) -> Path:
    """Run jupyter-book with every warning an error; stop with all the problems that it found."""
    code = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    options = ["build", ".", "--path-output", str(WORK), "--all", "-W", "--keep-going", "-n"]
    problems, last = [], []
    with (
        open(LOG, "w", encoding="utf-8") as log,
        subprocess.Popen(
            [sys.executable, "-c", code, *options],
            cwd=ROOT,
            env={**run_environment(), **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as book,
    ):
        for raw in book.stdout:
            log.write(raw)
            line = _ANSI.sub("", raw).replace(str(ROOT) + os.sep, "").rstrip()
            last = [*last[-14:], line]
            if "Executing notebook using" in line or "Executed notebook in" in line:
                say(f"  {line.removesuffix(' [mystnb]')}")
            elif problems and _HEAD.search(problems[-1]) and line.strip():
                problems[-1] += f" {line.strip()}"
            elif _PROBLEM.search(line) and line not in problems and "warnings treated as errors" not in line:
                problems.append(line)
    if book.returncode or problems:
        for line in problems or last:
            say(f"  {line}")
        for failure in _failures():
            say("\n" + "\n".join(f"    {line}" for line in failure.splitlines()))
        raise ToolError(
            f"The book was not built: correct the problems listed above and run `make book` again "
            f"(everything that was printed is in {LOG.relative_to(ROOT).as_posix()})."
        )
    html = WORK / "_build" / "html"
    (html / ".buildinfo").unlink(missing_ok=True)  # a digest that depends on where the book was built
    return html


def _failures() -> list[str]:
    """Cells that failed, or where Sphinx stopped: from the log and the reports on notebooks."""
    reports = sorted((WORK / "_build" / "html" / "reports").rglob("*.log"))
    texts = [_ANSI.sub("", path.read_text("utf-8")) for path in (LOG, *reports)]
    found = [match for text in texts for match in _FAILURE.findall(text)]
    return [cell.strip() for cell, _ in found if cell] or [crash.strip("\n") for _, crash in found]


def _check(html: Path) -> None:
    from tools.check_site import main as check_site

    if not html.is_dir() or check_site([str(html)]):
        raise ToolError(
            f"The new pages are left in {html.relative_to(ROOT)} to look at: correct the problems "
            "and run `make book` again."
        )


_NEW, _OLD = BUILD / "html.new", BUILD / "html.old"


def _swap(html: Path) -> None:
    """Put finished pages in place; whatever interrupts this, `_finish_swap` completes it."""
    try:
        os.replace(html, _NEW)
        if SITE.exists():
            os.replace(SITE, _OLD)
        os.replace(_NEW, SITE)
    except OSError as error:
        raise ToolError(
            f"The new pages could not be put into _build/html ({error.strerror}): "
            "close the program that has it open (a running `make serve`?) and try again."
        ) from error
    shutil.rmtree(_OLD, ignore_errors=True)


def _finish_swap() -> None:
    if _OLD.exists() and not SITE.exists():
        os.replace(_OLD, SITE)
    for left_over in (_NEW, _OLD):
        _remove(left_over)


def check() -> None:
    """Check the committed notebooks and the built book."""
    from tools.check_notebooks import main as check_notebooks
    from tools.check_site import main as check_site

    failed = []
    if (ROOT / "data" / "datapackage.json").is_file():
        from tools.check_data import main as check_data

        with stage("Checking the data"):
            if check_data([]):
                failed.append("the data")
    with stage("Checking the notebooks"):
        if check_notebooks([]):
            failed.append("the notebooks")
    with stage("Checking the built book"):
        if check_site([]):
            failed.append("the built book")
    if failed:
        raise ToolError(f"Problems in {' and '.join(failed)}: they are listed above.")


def test(extra: list[str]) -> None:
    """Build if needed, run all tests and the notebooks against their stored outputs, and check."""
    build_book()
    workers = ["-n", "2", "--dist", "loadfile"] if (os.cpu_count() or 1) > 1 else []
    nbval = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", "tests/nbval-sanitize.cfg"]
    with stage("Running the tests, and the notebooks against their stored outputs"):
        tests = subprocess.run(
            [sys.executable, "-m", "pytest", *workers, *nbval, "tests", "chapters", *extra],
            cwd=ROOT,
            env=run_environment(),
            check=False,
        ).returncode
    failed = ["Tests failed"] if tests else []
    try:
        check()
    except ToolError as error:
        failed.append(str(error).removesuffix(": they are listed above."))
    if failed:
        raise ToolError(f"{'; '.join(failed)}: see above, correct it and run `make test` again.")


class _Pages(http.server.SimpleHTTPRequestHandler):
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
        self.send_header("Cache-Control", "no-cache")  # a rebuilt page shows at the next reload
        super().end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the terminal quiet."""


class _Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = os.name != "nt"  # on Windows it would let two servers share a port


def serve(port: int) -> None:
    """Serve the built book to this machine only."""
    if not SITE.exists() and _OLD.is_dir():  # a build was interrupted between two renamings
        with only_one(BUILD):
            _finish_swap()
    if not (SITE / "index.html").is_file():
        raise ToolError("There is no built book to serve: run `make book` first.")
    try:
        server = _Server(("127.0.0.1", port), functools.partial(_Pages, directory=str(SITE)))
    except (OSError, OverflowError) as error:
        raise ToolError(
            f"Port {port} cannot be used ({getattr(error, 'strerror', None) or error}): "
            f"name another one, for example make serve PORT={8001 if port != 8001 else 8002}."
        ) from error
    with server, contextlib.suppress(KeyboardInterrupt):
        say(f"The book is at http://127.0.0.1:{server.server_port}/ (Ctrl+C ends)")
        server.serve_forever()


def lab(extra: list[str]) -> int:
    """Open JupyterLab on the chapters."""
    _require_packages()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with contextlib.suppress(KeyboardInterrupt):
        return subprocess.run(
            [sys.executable, "-m", "jupyterlab", *extra, "chapters"], cwd=ROOT, env=env, check=False
        ).returncode
    return 0


def fork(extra: list[str]) -> int:
    """Make a chapter somebody's own; the options are those of ``tradebook fork``."""
    set_up()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    command = [str(venv_python()), "-m", "tradebook.cli", "fork", *(extra or ["--help"])]
    with contextlib.suppress(KeyboardInterrupt):
        return subprocess.run(command, env=env, check=False).returncode
    return 130


def clean() -> None:
    """Remove everything that was built, and caches; the environment stays."""
    with only_one(BUILD):
        for path in BUILD.iterdir():
            if path.name != ".lock":
                _remove(path) if path.is_dir() else path.unlink()
    for name in (".hypothesis", ".ruff_cache"):
        _remove(ROOT / name)
    for folder in ("tradebook", "tools", "tests", "_ext", "chapters"):
        for name in ("__pycache__", ".ipynb_checkpoints"):
            for path in (ROOT / folder).rglob(name):
                _remove(path)


def clean_all() -> None:
    """Remove the environment as well."""
    clean()
    for path in (BUILD, VENV, ROOT / "tradebook.egg-info"):
        _remove(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.build", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("setup", help="create .venv and install the locked packages")
    commands.add_parser("book", help="execute the notebooks and build _build/html, as far as needed")
    commands.add_parser("pdf", help="the same, and say where the PDF is")
    commands.add_parser("epub", help="the same, and say where the EPUB is")
    commands.add_parser("test", help="build, run all tests, check everything; more options go to pytest")
    commands.add_parser("check", help="check the committed notebooks and the built book")
    commands.add_parser("execute", help="execute the notebooks in place (name some, or all)")
    commands.add_parser("lab", help="open JupyterLab on the chapters; more options go to it")
    serving = commands.add_parser("serve", help="serve the built book on this machine")
    serving.add_argument("--port", type=int, default=8000, help="default: 8000")
    commands.add_parser("fork", help="make a chapter your own; options as of `tradebook fork`", add_help=False)
    measured = commands.add_parser("lighthouse", help="measure the built book with Lighthouse (from npm)")
    measured.add_argument("page", nargs="*", help="for instance chapters/index.html; default: every chapter")
    commands.add_parser("clean", help="remove what was built")
    commands.add_parser("distclean", help="remove what was built, and .venv")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = _parser()
    options, extra = parser.parse_known_args(arguments)
    if extra and options.command not in ("test", "lab", "execute", "fork"):
        parser.error(f"{options.command} does not know {' '.join(extra)}")
    try:
        return _run(options, extra)
    except ToolError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except OSError as error:
        # what the disk refuses may come up in any step; whatever the step was, it has not replaced anything
        print(f"\n{_refused(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\nStopped; nothing half-finished is left in its place, so run the command again.",
            file=sys.stderr,
        )
        return 130


def _refused(error: OSError) -> str:
    """One sentence about a file that could not be read or written."""
    name = error.filename2 or error.filename
    where = os.fsdecode(name) if isinstance(name, (str, bytes, os.PathLike)) else "A file"
    where = where.removeprefix(str(ROOT) + os.sep)
    room, right = "free some disk space", "give yourself the right to write there"
    cures = {
        errno.ENOSPC: room,
        errno.EDQUOT: room,
        errno.EFBIG: "raise the limit of sizes",
        errno.EROFS: "copy the book to a folder that can be written",
        errno.EACCES: right,
        errno.EPERM: right,
    }
    what = f"{where} could not be read or written ({error.strerror or error})"
    return f"{what}: {cures.get(error.errno, 'put that right')} and run the command again."


def _run(options: argparse.Namespace, extra: list[str]) -> int:
    if options.command == "execute":
        from tools.execute import main as execute

        _require_packages()
        return execute(extra)
    if options.command == "lab":
        return lab(extra)
    if options.command == "fork":
        return fork(extra)
    commands: dict[str, Callable[[], None]] = {
        "setup": set_up,
        "book": build_book,
        "pdf": lambda: build_edition("tradebook.pdf"),
        "epub": lambda: build_edition("tradebook.epub"),
        "test": lambda: test(extra),
        "check": check,
        "serve": lambda: serve(options.port),
        "lighthouse": lambda: lighthouse.measure(options.page),
        "clean": clean,
        "distclean": clean_all,
    }
    commands[options.command]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
