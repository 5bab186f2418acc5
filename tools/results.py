"""Results of the notebooks: executed side by side, kept, and dropped when what they rest on has changed.

jupyter-cache, from which the pages take the results, knows a notebook by its code alone. Beside each result this module
keeps what the notebook read while it ran (`tools.kernel`): files of the repository, modules among them, and tables of
the data package, each with its checksum. A result is used again only if code, packages and all of these are as they
were; otherwise exactly that notebook is executed again, and a result without such a record is not used at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import re
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from tools.environment import ToolError, checksum, end, files, say, start

PYTHON = f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]}"
LONGEST = 3600  # seconds that one notebook may take; its cells have limits of their own
PACKAGE = "data/datapackage.json"
# Settings with which notebooks read other files than the book's: such results are for one build only.
OTHER_INPUTS = ("TRADEBOOK_FLOWS", "TRADEBOOK_ENGINE")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Inputs:
    """Checksums of what results rest on, as it is now; each is computed once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[str, str] = {}

    def of(self, name: str) -> str:
        """Checksum of an input: ``file:path``, ``names:folder``, ``table:name``, ``package`` or ``packages``."""
        if name not in self._known:
            self._known[name] = self._compute(name)
        return self._known[name]

    def _compute(self, name: str) -> str:
        kind, _, what = name.partition(":")
        try:
            if kind == "file":
                return checksum(self.root / what)
            if kind == "names":
                return _sha("\n".join(sorted(p.name for p in (self.root / what).iterdir() if p.suffix)).encode())
            if kind == "packages":  # the installed ones
                return _sha(PYTHON.encode() + (self.root / "requirements.lock").read_bytes())
            described = self._package()
            if kind == "table":
                entry = next((one for one in described["resources"] if one["name"] == what), None)
                return _sha(json.dumps(entry, sort_keys=True).encode())
            head = described | {"resources": [one["name"] for one in described["resources"]]}
            return _sha(json.dumps(head, sort_keys=True).encode())
        except (OSError, ValueError, KeyError, TypeError):
            return ""  # missing or damaged: not what it was

    def _package(self) -> dict:
        if not hasattr(self, "_described"):
            self._described = json.loads((self.root / PACKAGE).read_bytes())
        return self._described

    def knows(self, name: str) -> bool:
        """Whether the checksum was computed already."""
        return name in self._known

    def take(self) -> Inputs:
        """Read all files that a notebook may read, so that later changes do not pass for what was read."""
        names = [p for p in self.root.iterdir() if p.name[0] not in "._" or p.name == "_static"]
        for path in files(names):
            self.of(f"file:{path.relative_to(self.root).as_posix()}")
        for top in ("data", "tradebook"):
            for folder, folders, _ in os.walk(self.root / top):
                folders[:] = [name for name in folders if name != "__pycache__"]
                self.of(f"names:{Path(folder).relative_to(self.root).as_posix()}")
        if (self.root / PACKAGE).is_file():
            for table in self._package().get("resources", []):
                self.of(f"table:{table['name']}")
            self.of("package")
        self.of("packages")
        return self


def inputs_of(read: dict) -> list[str]:
    """Names of the inputs of a notebook, from what its kernel reports.

    The description of all tables is one file; a notebook rests on the entries of the tables that it asked for, unless
    it asked for the whole.
    """
    opened = [name for name in read["files"] if name != PACKAGE or "*" in read["tables"]]
    found = [f"file:{name}" for name in opened] + [f"names:{name}" for name in read["listed"]]
    if PACKAGE in read["files"]:
        found += ["package", *(f"table:{name}" for name in read["tables"] if name != "*")]
    return ["packages", *found]


@dataclass(frozen=True)
class Notebook:
    """A notebook as the build sees it: its file, its name in the book, and what is known of its code."""

    path: Path
    name: str  # chapters/02-bilateral-trade
    code: str  # checksum of the code and of the kernel's name
    size: int


def read_notebook(path: Path, root: Path) -> Notebook:
    """Read a notebook's code.

    Raises
    ------
    ToolError
        It is no notebook.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
        code = ["".join(cell["source"]) for cell in found["cells"] if cell["cell_type"] == "code"]
        kernel = found["metadata"].get("kernelspec")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolError(f"{path.name} is not a readable notebook ({type(error).__name__}): restore it.") from None
    name = path.relative_to(root).with_suffix("").as_posix()
    return Notebook(path, name, _sha(json.dumps([kernel, code]).encode()), len("".join(code)))


@dataclass
class Results:
    """What is kept of the notebooks of the book in `root`, below the folder `work`."""

    root: Path
    work: Path
    disowned: set[str] = field(default_factory=set)  # computed from files that were changed meanwhile

    @property
    def cache(self) -> Path:
        """The folder of jupyter-cache."""
        return self.work / "_build" / ".jupyter_cache"

    @property
    def records(self) -> Path:
        """What each result rests on."""
        return self.work / "results"

    @property
    def _basis(self) -> Path:
        return self.work / "results-basis"

    # --- which results can be used -----------------------------------------------------------------

    def record(self, notebook: Notebook) -> dict | None:
        """The record of a notebook's result; None if there is none or it cannot be read."""
        try:
            found = json.loads((self.records / f"{notebook.name}.json").read_text("utf-8"))
            return found if {"code", "key", "outputs", "inputs"} <= found.keys() else None
        except (OSError, ValueError, AttributeError):
            return None

    def is_current(self, notebook: Notebook, now: Inputs) -> bool:
        """Whether a kept result is what the notebook would give now."""
        known = self.record(notebook)
        if known is None or known["code"] != notebook.code or other_inputs():
            return False
        if any(now.of(name) != known["inputs"][name] for name in known["inputs"]):
            return False
        executed = self.cache / "executed" / known["key"] / "base.ipynb"
        return executed.is_file() and _sha(executed.read_bytes()) == known["outputs"]

    def stored(self, notebook: Notebook) -> Path:
        """Where the results of functions are that cannot run in a browser (`tradebook.stored`)."""
        return self.records / f"{notebook.name}.stored.json"

    def drop_outdated(self, notebooks: Iterable[Notebook], basis: str) -> list[Notebook]:
        """Forget every result that cannot be used; return the notebooks that have none.

        `basis` stands for all that executed cells may depend on: with it go the results that Sphinx itself computed
        (of notebooks written as text), for which nobody knows what they read.
        """
        notebooks = list(notebooks)
        if not are_whole(self.cache):
            remove(self.cache)
            remove(self.records)
        now = Inputs(self.root)
        current = [one for one in notebooks if self.is_current(one, now)]
        kept = {self.record(one)["key"] for one in current} | self._untraced(basis)
        for path in (p for p in self.records.rglob("*") if p.is_file()):
            name = re.sub(r"(\.stored)?\.json$", "", path.relative_to(self.records).as_posix())
            if name not in {one.name for one in current}:
                path.unlink()
        drop(self.cache, lambda key: key not in kept)
        return [one for one in notebooks if one not in current]

    def _untraced(self, basis: str) -> set[str]:
        try:
            known = json.loads(self._basis.read_text("utf-8"))
            return set(known["keys"]) if known["basis"] == basis else set()
        except (OSError, ValueError, KeyError, TypeError):
            return set()

    def keep_untraced(self, notebooks: Iterable[Notebook], basis: str | None) -> None:
        """Note the results that Sphinx itself has computed; with None, as their inputs were changed, forget them."""
        if basis is None:
            self._basis.unlink(missing_ok=True)
            return
        traced = {record["key"] for one in notebooks if (record := self.record(one))} | self.disowned
        keys = [path.name for path in sorted(self.cache.glob("executed/*")) if path.name not in traced]
        self.work.mkdir(parents=True, exist_ok=True)
        write(self._basis, json.dumps({"basis": basis, "keys": keys}))

    # --- execution ---------------------------------------------------------------------------------

    def execute(
        self,
        notebooks: Sequence[Notebook],
        timeout: int,
        workers: int,
        meanwhile: Callable[[], None] | None = None,
        settings: dict[str, str] | None = None,
        ready: Iterable[Worker] = (),
    ) -> float:
        """Execute notebooks side by side and keep their results; return the sum of their times in seconds.

        Parameters
        ----------
        timeout : int
            Seconds that one cell may take.
        workers : int
            Notebooks at a time.
        meanwhile : callable, optional
            Done beside them, before all others; what it raises is raised once all have ended.
        settings : dict, optional
            More environment variables for the kernels.
        ready : iterable of Worker, optional
            Processes that wait already; those with the same settings are used, and ended.

        Raises
        ------
        ToolError
            A notebook failed. The others are executed to their end, and their results are kept.
        """
        before = Inputs(self.root).take()
        folder = self.work / "running"
        remove(folder)
        folder.mkdir(parents=True)
        idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        crew = [one for one in ready if one.settings == (settings or {})]
        for worker in crew:
            idle.put(worker)

        def run(notebook: Notebook) -> dict:
            try:
                worker = idle.get_nowait()
            except queue.Empty:
                worker = Worker(self.root, settings or {})
                crew.append(worker)
            answer = worker.run(notebook.path, timeout, Path(tempfile.mkdtemp(dir=folder)))
            idle.put(worker)
            return answer

        failed, total = {}, 0.0
        pool = ThreadPoolExecutor(workers)
        try:
            other = [pool.submit(meanwhile)] if meanwhile else []
            # The longest first: at the end, no worker then waits long for another one.
            running = {pool.submit(run, one): one for one in sorted(notebooks, key=lambda one: -one.size)}
            # Takes a while, and nothing else is to be done now.
            import jupyter_cache.cache.main  # noqa: F401

            for future in as_completed([*other, *running]):
                if future in other:
                    future.result()
                    continue
                notebook, answer = running[future], future.result()
                if "error" in answer:
                    failed[notebook.path.name] = answer["error"]
                    continue
                say(f"  {notebook.name}: {answer['seconds']:.1f} s")
                total += answer["seconds"]
                self._keep(notebook, answer, before)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # first, so that nobody takes the next notebook
            for worker in crew:
                worker.end()
            pool.shutdown()
            for worker in crew:  # again, for one that was just being started
                worker.end()
            remove(folder)
        for name, error in sorted(failed.items()):
            say(f"  {name}: a cell failed\n" + "\n".join(f"    {line}" for line in error.splitlines()))
        if failed:
            raise ToolError(
                f"The book was not built: correct {' and '.join(sorted(failed))} (above) and run `make book` again."
            )
        return total

    def _keep(self, notebook: Notebook, answer: dict, before: Inputs) -> None:
        import nbformat
        from jupyter_cache import get_cache
        from jupyter_cache.base import CacheBundleIn

        executed = nbformat.read(answer["executed"], as_version=4)
        bundle = CacheBundleIn(executed, str(notebook.path), data={"execution_seconds": answer["seconds"]})
        key = get_cache(str(self.cache)).cache_notebook_bundle(bundle, check_validity=False, overwrite=True).hashkey
        read = json.loads(Path(answer["read"]).read_text("utf-8")) if answer["read"] else None
        now, names = Inputs(self.root), inputs_of(read) if read else []
        if (
            not names
            or other_inputs()
            or any(not before.knows(name) or now.of(name) != before.of(name) for name in names)
        ):
            self.disowned.add(key)
            return
        if read["recorded"] is not None:
            write(self.stored(notebook), json.dumps(read["recorded"]))
        known = {
            "code": notebook.code,
            "key": key,
            "outputs": _sha((self.cache / "executed" / key / "base.ipynb").read_bytes()),
            "inputs": {name: before.of(name) for name in names},
            "seconds": round(answer["seconds"], 2),
        }
        write(self.records / f"{notebook.name}.json", json.dumps(known, indent=1))


def other_inputs() -> list[str]:
    """Settings by which notebooks read files that are not the book's."""
    return [name for name in OTHER_INPUTS if os.environ.get(name)]


def write(path: Path, text: str) -> None:
    """Write a file so that an interruption leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, "utf-8")
    os.replace(part, path)


def remove(path: Path) -> None:
    """Remove a folder, if it is there."""
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ToolError(
            f"{path} cannot be removed ({error.strerror}): close the program that uses it and try again."
        ) from error


def are_whole(cache: Path) -> bool:
    """Whether what jupyter-cache keeps can be used: a full disk or an interruption may leave half of it."""
    if not cache.is_dir() or not any(cache.iterdir()):
        return True
    if not (cache / "__version__.txt").is_file():  # written when the database has its tables
        return False
    try:
        with contextlib.closing(sqlite3.connect(f"{(cache / 'global.db').as_uri()}?mode=ro", uri=True)) as base:
            keys = [key for (key,) in base.execute("SELECT hashkey FROM nbcache")]
            sound = base.execute("PRAGMA quick_check").fetchone() == ("ok",)
        for key in keys:
            json.loads((cache / "executed" / str(key) / "base.ipynb").read_text("utf-8"))
    except (sqlite3.Error, OSError, ValueError):
        return False
    return sound


def drop(cache: Path, outdated: Callable[[str], bool]) -> None:
    """Take results out of jupyter-cache; first from its list, so that it never lists what is gone."""
    if not (cache / "global.db").is_file():
        return
    with contextlib.closing(sqlite3.connect(cache / "global.db", timeout=30)) as base:
        keys = [str(key) for (key,) in base.execute("SELECT hashkey FROM nbcache") if outdated(str(key))]
        base.executemany("DELETE FROM nbcache WHERE hashkey = ?", [(key,) for key in keys])
        base.commit()
        listed = {str(key) for (key,) in base.execute("SELECT hashkey FROM nbcache")}
    for folder in cache.glob("executed/*"):
        if folder.name not in listed:
            remove(folder)


# --- the processes that execute ----------------------------------------------------------------------


class Worker:
    """A process that executes notebooks one after the other; it imports what it needs before it is asked."""

    def __init__(self, root: Path, settings: dict[str, str]) -> None:
        self.settings = settings
        self._process = start(["-m", "tools.results"], settings, root)

    def run(self, path: Path, timeout: int, folder: Path) -> dict:
        """Execute a notebook into a folder; the worker's answer, or what it said last."""
        limit = threading.Timer(LONGEST, self._process.kill)
        limit.start()
        said: deque[str] = deque(maxlen=20)
        try:
            job = {"path": str(path), "timeout": timeout, "folder": str(folder)}
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
            for line in self._process.stdout:
                if line.startswith(_ANSWER):
                    return json.loads(line.removeprefix(_ANSWER))
                said.append(line.rstrip())
        except OSError:
            pass
        finally:
            limit.cancel()
        return {"error": "\n".join([*said, f"The process that executed it ended, or took more than {LONGEST} s."])}

    def end(self) -> None:
        """End the process; its kernel ends with it."""
        end(self._process)


_ANSWER = "answer of the worker: "


def _execute(path: Path, timeout: int, folder: Path) -> dict:
    """Execute a notebook as the page generator would, and write it and what it read into `folder`."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    class Client(NotebookClient):
        def create_kernel_manager(self):
            manager = super().create_kernel_manager()
            argv = manager.kernel_spec.argv
            if argv[-4:-2] == ["-m", "ipykernel_launcher"]:
                argv[-4:-2] = ["-c", "from tools import kernel; kernel.start()"]
            return manager

    notebook = nbformat.read(path, as_version=4)
    executed, read = folder / "executed.ipynb", folder / "read.json"
    # The last request of all; a kernel of another language has none and is not asked.
    question = f"from tools import kernel as _kernel; _kernel.report({str(read)!r})"
    python = notebook.metadata.get("kernelspec", {}).get("name", "python3") == "python3"
    if python:
        notebook.cells.append(nbformat.v4.new_code_cell(question))
    client = Client(
        notebook,
        timeout=timeout,
        record_timing=False,
        shutdown_kernel="immediate",  # it has reported, and nothing waits for it to tidy up
        resources={"metadata": {"path": str(path.parent)}},
    )
    start = time.perf_counter()
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        return {"error": _ANSI.sub("", str(error)).strip()}
    seconds = time.perf_counter() - start
    if python:
        notebook.cells.pop()
    nbformat.write(notebook, executed)
    return {"seconds": seconds, "executed": str(executed), "read": str(read) if read.is_file() else ""}


def main() -> int:
    """Execute the notebooks that standard input names, until it ends."""
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            jobs.put(line)
        os._exit(0)  # whoever asked has ended, in whatever way

    threading.Thread(target=listen, daemon=True).start()
    import nbclient  # noqa: F401  while nobody asks for anything yet

    while True:
        job = json.loads(jobs.get())
        try:
            answer = _execute(Path(job["path"]), job["timeout"], Path(job["folder"]))
        except Exception as error:  # whatever it is, the build must hear of it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(f"{_ANSWER}{json.dumps(answer)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
