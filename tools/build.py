"""Build, check, test, serve and clean the book: ``python -m tools.build COMMAND``.

The Makefile only calls these commands, so a machine without make has them all. `setup`, `clean` and
`distclean` need nothing but Python; the others run in the environment that `setup` makes.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import lighthouse
from tools.environment import (
    BUILD,
    LOCK,
    ROOT,
    VENV,
    ToolError,
    digest,
    notebooks,
    only_one,
    run_environment,
    say,
    set_up,
    venv_python,
)
from tools.generator import Generator
from tools.results import PYTHON, Notebook, Results, Worker, other_inputs, read_notebook, remove, write
from tools.server import News, open_server

SITE = BUILD / "html"
WORK = BUILD / "work"  # the page generator writes here; finished pages move to SITE
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
_LONGEST = 3600  # seconds that the check of the data may take
_JOBS = min(4, os.cpu_count() or 1)  # notebooks, or pages, at a time


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Say what begins, and how long it took."""
    say(f"{name} …")
    start = time.perf_counter()
    yield
    say(f"  done in {time.perf_counter() - start:.1f} s")


def _inputs(names: list[str], but: Callable[[Path], bool] | None = None, *settings: str) -> str:
    told = [f"{name}={os.environ[name]}" for name in other_inputs()]
    return digest((ROOT / name for name in names), ROOT, " ".join([PYTHON, *told, *settings]), but)


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


def build_book(pages_only: bool = False) -> None:
    """Build the book as far as needed (`_build`), and say where it is."""
    _build(pages_only, Ahead())
    if pages_only:
        say("EPUB, PDF, zips and the notebooks for the browser are those of before: `make book` renews them.")
    say(f"Open the book: {(SITE / 'index.html').as_uri()}")
    say("or run `make serve`.")


def _build(pages_only: bool, ahead: Ahead) -> None:
    """Execute the notebooks, build and check the pages, and only then replace the previous ones.

    With `pages_only` the editions to take along and the notebooks for the browser stay those of the last complete
    build, and the book does not count as built; without an earlier build everything is made. `ahead` holds what
    was started before; it is used, and ended.
    """
    _require_packages()
    _require_book()
    from tools import editions, lite

    with only_one(BUILD), ahead:
        _finish_swap()
        record = _record()
        if pages_only and not (SITE.is_dir() and "parts" in record):
            say("There is no complete book yet: building all of it.")
            pages_only = False
        if is_current():
            say("Nothing to do: the book is built from the files as they are now.")
        else:
            inputs = _inputs(_INPUTS)
            in_browser = "lite" in record["parts"] if pages_only else lite.is_available()
            with stage("Executing the notebooks and building the pages"), ThreadPoolExecutor(1) as beside:
                task = beside.submit(_take_over) if pages_only else None
                html = _pages(inputs, _for_browser(in_browser), ahead)
                if task:
                    for path in task.result():
                        os.replace(path, html / path.name)
            if pages_only:
                editions.list_editions(html)
                parts = record["parts"]
            else:
                parts = _complete(html, record, in_browser)
            with stage("Checking the pages"):
                _check(html)
            _swap(html)
            changed = _inputs(_INPUTS) != inputs  # then nobody knows which of them the pages show
            known = {"inputs": "", "pages": "", "parts": parts}
            if not (changed or pages_only):
                known |= {"inputs": inputs, "pages": digest([SITE], SITE)}
            write(RECORD, json.dumps(known))
            if changed:
                say("Files of the book were changed while it was built: they are not in it before the next build.")


def _for_browser(there: bool) -> dict[str, str]:
    return {"TRADEBOOK_LITE": "1"} if there else {}


def build_edition(file: str) -> None:
    """Build the book as far as needed, with it all its editions, and say where one of them is."""
    build_book()
    path = SITE / "downloads" / file
    if not path.is_file():  # removed by hand
        raise ToolError(f"{path.relative_to(ROOT).as_posix()} is missing: run `make clean`, then this again.")
    say(f"{file}: {path.relative_to(ROOT).as_posix()}")


def _complete(html: Path, record: dict, in_browser: bool) -> dict[str, str]:
    """Add what is made from the pages or stands beside them; return on what the parts rest that a build may keep."""
    from tools import editions, lite

    # What an earlier build has made is taken from there, if nobody has touched it since.
    whole = bool(record.get("pages")) and SITE.is_dir() and record["pages"] == digest([SITE], SITE)
    kept, parts = record.get("parts", {}) if whole else {}, {}
    with stage("Making the EPUB, the PDF, the zips and what runs in the browser"), ThreadPoolExecutor(1) as beside:
        task = None
        if in_browser:
            parts["lite"] = lite.basis()
            old = SITE / lite.FOLDER if kept.get("lite") == parts["lite"] else None
            task = beside.submit(lite.build, html, old)
        parts["data"] = _inputs(["data", "CITATION.cff", "LICENSE-text", "tools/package.py", "tools/environment.py"])
        old = SITE / editions.FOLDER / editions.DATA_ZIP.file if kept.get("data") == parts["data"] else None
        for path in editions.make_all(html, old):
            say(f"  {path.name}, {editions.megabytes(path.stat().st_size)}")
        if task:
            task.result()
    return parts


def _take_over() -> list[Path]:
    """The editions and the notebooks for the browser of the old pages, for new ones, without copying them."""
    from tools import editions, lite

    remove(WORK / "beside")
    (WORK / "beside").mkdir(parents=True)
    names = [name for name in (editions.FOLDER, lite.FOLDER) if (SITE / name).is_dir()]
    return [Path(shutil.copytree(SITE / name, WORK / "beside" / name, copy_function=_link)) for name in names]


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copy2(source, target)


def _check_data() -> None:
    """Ask whether the tables make sense together, if they have changed since they were last found in order."""
    if not (ROOT / "data" / "datapackage.json").is_file():  # a book without data
        return
    passed = BUILD / "data-checked"
    current = _inputs(["data", "tools/check_data.py", "tradebook/control.py", "tradebook/data.py"])
    if passed.is_file() and passed.read_text("utf-8") == current:
        return
    command = [sys.executable, "-m", "tools.check_data"]
    try:
        wrong = subprocess.run(command, cwd=ROOT, env=run_environment(), check=False, timeout=_LONGEST).returncode
    except subprocess.TimeoutExpired:
        raise ToolError(f"The check of the data took more than {_LONGEST} s: run `make check` to see why.") from None
    if wrong:
        raise ToolError("The data are not in order: correct the problems listed above and run `make book` again.")
    write(passed, current)


# --- pages ----------------------------------------------------------------------------------------------


def _pages(inputs: str, settings: dict[str, str], ahead: Ahead) -> Path:
    """Execute what must be executed and render what must be rendered; return a folder with finished pages."""
    results = Results(ROOT, WORK)
    generator = ahead.generator(settings)
    executed = _notebooks_of_the_book()
    basis = _inputs(_EXECUTION_INPUTS)
    try:
        waiting = results.drop_outdated(executed, basis)
        if waiting:
            total = results.execute(waiting, _timeout(), _JOBS, _check_data, _recording(settings), ahead.workers)
            say(f"  executed: {len(waiting)} of {len(executed)} notebooks, {total:.1f} s in all")
        else:
            _check_data()
        return generator.make(lambda: _inputs(_INPUTS) == inputs)
    finally:
        results.keep_untraced(executed, basis if _inputs(_EXECUTION_INPUTS) == basis else None)


def _recording(settings: dict[str, str]) -> dict[str, str]:
    """What kernels are told when their results are to go along into the browser."""
    return {"TRADEBOOK_RECORD": "1"} if settings else {}


class Ahead:
    """Processes that are started before they are needed; they end with a ``with`` block."""

    def __init__(self) -> None:
        self.workers: list[Worker] = []
        self._generator: Generator | None = None

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def generator(self, settings: dict[str, str]) -> Generator:
        """A page generator that is prepared for the files as they are: the one that waits, or another."""
        fresh = self._generator is None
        if fresh:
            self._generator = Generator(WORK, LOG, _JOBS, settings)  # starts, while files are compared
        rests_on = _rest_of_pages(settings)
        if not fresh and not self._generator.is_ready(settings, rests_on):
            self._generator.end()
            self._generator, fresh = Generator(WORK, LOG, _JOBS, settings), True
        if fresh:
            self._generator.prepare(rests_on)
        return self._generator

    def prepare(self, settings: dict[str, str]) -> None:
        """Start what the next build will need, and wait until it waits."""
        try:
            self.workers = [Worker(ROOT, _recording(settings))]
            self.generator(settings).settle()
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """End whatever runs."""
        for process in [self._generator, *self.workers]:
            if process:
                process.end()
        self._generator, self.workers = None, []


def _settings_of_execution() -> dict:
    import yaml

    try:
        return (yaml.safe_load((ROOT / "_config.yml").read_text("utf-8")) or {}).get("execute") or {}
    except (yaml.YAMLError, AttributeError) as error:
        where = getattr(error, "problem_mark", None)
        place = f", line {where.line + 1}" if where else ""
        raise ToolError(f"_config.yml cannot be read as YAML{place}: correct it and run the command again.") from None


def _timeout() -> int:
    return int(_settings_of_execution().get("timeout", 30))


def _notebooks_of_the_book() -> list[Notebook]:
    """The notebooks that are pages, if results are to be kept at all."""
    execution = _settings_of_execution()
    if execution.get("execute_notebooks") != "cache" or execution.get("exclude_patterns"):
        return []
    listed = set(re.findall(r"\b(?:file|root): *[\"']?([^\s\"'#]+)", (ROOT / "_toc.yml").read_text("utf-8")))
    found = [read_notebook(path, ROOT) for path in notebooks()]
    return [one for one in found if {one.name, f"{one.name}.ipynb"} & listed]


def _is_page(path: Path) -> bool:
    return path.suffix in (".md", ".ipynb") and path.is_relative_to(ROOT / "chapters")


def _rest_of_pages(settings: dict[str, str]) -> str:
    """What all pages rest on: everything but the text of each, and which there are."""
    names = (path.relative_to(ROOT).as_posix() for path in (ROOT / "chapters").rglob("*") if _is_page(path))
    return _inputs(_INPUTS, _is_page, str(ROOT), " ".join(sorted(names)), *settings)


def _check(html: Path) -> None:
    from tools.check_site import main as check_site

    if not html.is_dir() or check_site([str(html), "--keep", str(BUILD / "pages-read.json")]):
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
        remove(left_over)


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


def serve(port: int) -> None:
    """Serve the built book to this machine only."""
    if not SITE.exists() and _OLD.is_dir():  # a build was interrupted between two renamings
        with only_one(BUILD):
            _finish_swap()
    if not (SITE / "index.html").is_file():
        raise ToolError("There is no built book to serve: run `make book` first.")
    with open_server(SITE, port) as server, contextlib.suppress(KeyboardInterrupt):
        say(f"The book is at http://127.0.0.1:{server.server_port}/ (Ctrl+C ends)")
        server.serve_forever()


def watch(port: int) -> None:
    """Serve the pages, and make them again whenever a file of the book is saved, until somebody stops it."""
    _require_packages()
    _require_book()
    from watchfiles import watch as look

    news = News()
    folders = [ROOT / name for name in _INPUTS if (ROOT / name).is_dir()]
    own = ["tools", "requirements.lock"]
    started_with, seen = _inputs(own), ""
    with contextlib.suppress(KeyboardInterrupt), Ahead() as ahead, open_server(SITE, port, news) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # Files beside the folders, and what a system does not tell of, are looked at once a second.
        for _ in itertools.chain([()], look(*folders, step=20, rust_timeout=1000, yield_on_timeout=True)):
            try:
                now, with_what = _inputs(_INPUTS), _inputs(own)
            except OSError:  # a file went while they were compared: there will be another look
                continue
            if now == seen:
                continue
            if with_what != started_with:
                raise ToolError("What the book is built with has changed: run `make watch` again.")
            begun, first, seen = time.perf_counter(), not seen, now
            with _telling():
                _build(True, ahead)
                say(f"Ready after {time.perf_counter() - begun:.1f} s.")
                news.tell()
            if first:
                say(f"The book is at http://127.0.0.1:{server.server_port}/ (Ctrl+C ends)")
            with _telling(), only_one(BUILD):
                ahead.prepare(_for_browser("lite" in _record().get("parts", {})))
            say("Waiting for changes …")


@contextlib.contextmanager
def _telling() -> Iterator[None]:
    """Say what went wrong, and go on: the pages are those of before."""
    try:
        yield
    except ToolError as error:
        say(f"\n{error}")
    except OSError as error:
        say(f"\n{_refused(error)}")


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
                remove(path) if path.is_dir() else path.unlink()
    for name in (".hypothesis", ".ruff_cache"):
        remove(ROOT / name)
    for folder in ("tradebook", "tools", "tests", "_ext", "chapters"):
        for name in ("__pycache__", ".ipynb_checkpoints"):
            for path in (ROOT / folder).rglob(name):
                remove(path)


def clean_all() -> None:
    """Remove the environment as well."""
    clean()
    for path in (BUILD, VENV, ROOT / "tradebook.egg-info"):
        remove(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.build", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("setup", help="create .venv and install the locked packages")
    commands.add_parser("book", help="execute the notebooks and build _build/html, as far as needed")
    commands.add_parser("pages", help="only the pages, quickly, for writers: `book` then completes the rest")
    watching = commands.add_parser("watch", help="serve the book, and build a page again whenever it is saved")
    watching.add_argument("--port", type=int, default=8000, help="default: 8000; 0 takes any that is free")
    commands.add_parser("pdf", help="the same as `book`, and say where the PDF is")
    commands.add_parser("epub", help="the same as `book`, and say where the EPUB is")
    commands.add_parser("test", help="build, run all tests, check everything; more options go to pytest")
    commands.add_parser("check", help="check the committed notebooks and the built book")
    commands.add_parser("execute", help="execute the notebooks in place (name some, or all)")
    commands.add_parser("lab", help="open JupyterLab on the chapters; more options go to it")
    serving = commands.add_parser("serve", help="serve the built book on this machine")
    serving.add_argument("--port", type=int, default=8000, help="default: 8000")
    commands.add_parser("fork", help="make a chapter your own; options as of `tradebook fork`", add_help=False)
    measured = commands.add_parser("lighthouse", help="measure the built book with Lighthouse (from npm)")
    measured.add_argument("page", nargs="*", help="for instance chapters/index.html; default: every chapter")
    commands.add_parser("audit", help="ask what is known against the packages (needs a network)")
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
    if options.command == "audit":
        from tools.supply.audit import audit

        return audit()
    commands: dict[str, Callable[[], None]] = {
        "setup": set_up,
        "book": build_book,
        "pages": lambda: build_book(pages_only=True),
        "watch": lambda: watch(options.port),
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
