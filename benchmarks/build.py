"""How long builds take, beside plain ``jupyter-book build``: ``python benchmarks/build.py --folder FOLDER``.

In a copy of the book, with the environment there and nothing else:

- the measure: what the notebooks take one after the other on one core, as plain jupyter-book reports it, and what
  jupyter-book takes to render all pages once their results are there;
- a cold build, as ``make book`` does it, with all editions and checks;
- after a sentence is added to a chapter, and after its code is changed: how long it takes until ``make watch``, which
  runs all the time, has the new pages in place; how long ``make pages`` takes, started anew; and plain jupyter-book;
- after a table is changed, and after a module is: how long ``make pages`` takes, which notebooks it executes, and how
  long plain jupyter-book takes;
- whether all these builds together end in the same files as one build of the result from nothing (``--compare``).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.reproducible import ROOT, copy_book, differences

LONGEST = 3600  # seconds for one command
TARGET_COLD, TARGET_PROSE = 1.3, 5.0
_EXECUTED = re.compile(r"^  (chapters/\S+): [\d.]+ s$", re.M)
_PLAIN = re.compile(r"/(chapters/\S+)\.ipynb: Executed notebook in ([\d.]+) seconds")
_PLAIN_BOOK = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"


@dataclass
class Run:
    """One command: how long it took and what it printed."""

    seconds: float
    printed: str

    @property
    def executed(self) -> list[str]:
        """The notebooks that a build of ours has executed."""
        return sorted(_EXECUTED.findall(self.printed))

    @property
    def times(self) -> dict[str, float]:
        """The notebooks that plain jupyter-book has executed, with their own times."""
        return {name: float(seconds) for name, seconds in _PLAIN.findall(re.sub(r"\x1b\[[\d;]*m", "", self.printed))}


def run(folder: Path, command: list[str], one_core: bool = False) -> Run:
    """Run a command in the copy of the book, with the settings that every build has.

    Raises
    ------
    RuntimeError
        It failed; the message is what it printed last.
    """

    def pin() -> None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])

    env = {**os.environ, "PYTHONPATH": str(folder)}
    if command[0] == "plain":
        # Its own command, with our settings, so that both do the same work.
        code = "import subprocess, sys; from tools.environment import run_environment; "
        code += "sys.exit(subprocess.run([sys.executable, *sys.argv[1:]], env=run_environment()).returncode)"
        command = ["-c", code, "-c", _PLAIN_BOOK, "build", ".", *command[1:]]
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", check=False, timeout=LONGEST,
        preexec_fn=pin if one_core and hasattr(os, "sched_setaffinity") else None,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} failed:\n{done.stdout[-3000:]}")
    return Run(seconds, done.stdout)


def ours(folder: Path, what: str) -> Run:
    """A command of the book: ``book`` or ``pages``."""
    return run(folder, ["-m", "tools.build", what])


def plain(folder: Path, place: Path, *options: str, one_core: bool = False) -> Run:
    """Plain ``jupyter-book build`` into a folder outside the book."""
    return run(folder, ["plain", "--path-output", str(place), *options], one_core)


class Watching:
    """``make watch`` in the copy of the book, for the length of a ``with`` block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Watching:
        command = [sys.executable, "-m", "tools.build", "watch", "--port", "0"]
        env = {**os.environ, "PYTHONPATH": str(self.folder)}
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said_first = self.until("Waiting for changes")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def until(self, said: str) -> str:
        """What it prints, as far as a line with these words."""
        printed = ""
        for line in self.process.stdout:
            printed += line
            if said in line:
                return printed
        raise RuntimeError(f"make watch ended without saying “{said}”:\n{printed[-3000:]}")

    def after(self, edit: Callable[[], None]) -> Run:
        """Make an edit, and wait until the new pages are in their place."""
        time.sleep(4)  # as a writer does
        edit()
        start = time.perf_counter()
        printed = self.until("Ready after")
        seconds = time.perf_counter() - start
        self.until("Waiting for changes")
        return Run(seconds, printed)


# --- edits ---------------------------------------------------------------------------------------------


def edit_cell(notebook: Path, kind: str, text: str) -> None:
    """Add a line to the last cell of a kind in a notebook."""
    content = json.loads(notebook.read_text("utf-8"))
    cell = [one for one in content["cells"] if one["cell_type"] == kind and "".join(one["source"]).strip()][-1]
    cell["source"] = "".join(cell["source"]) + text
    notebook.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")


def edit_table(folder: Path, name: str) -> None:
    """Change one number of a table (the last digit of the first value that is no code) and describe it again."""
    edit = f"""
import re
from pathlib import Path
from tradebook.data import data_folder, load, resource
about = resource({name!r})
path = data_folder() / about["path"]
frame = load({name!r})
column = next(f["name"] for f in reversed(about["schema"]["fields"]) if f["type"] == "number")
row = frame.index[frame[column].notna()][0]
frame.loc[row, column] = round(frame.loc[row, column] * (1 + 1e-9), 12) + 1e-9
if path.suffix == ".parquet":
    frame.to_parquet(path, index=False)
else:
    frame.to_csv(path, index=False, lineterminator="\\n")
"""
    run(folder, ["-c", edit])
    run(folder, ["-m", "tools.check_data", "--describe"])


def readers(folder: Path, kind: str, name: str) -> list[str]:
    """Notebooks that cannot do without a table or a module: those that fail once it is gone.

    This asks the notebooks themselves, and nothing that the build has noted.
    """
    from tools.results import read_notebook

    place = folder.with_name(f"{folder.name} without {name}")
    copy_book(folder, place)
    if kind == "table":
        next(place.glob(f"data/{name}.*")).unlink()
    else:  # a module that is not there would be found where the book is installed from
        (place / "tradebook" / f"{name}.py").write_text("raise ImportError('taken away')\n", "utf-8")
    found = []
    for path in sorted((place / "chapters").rglob("*.ipynb")):
        notebook = read_notebook(path, place)
        code = (
            "import json, sys; sys.argv = ['x']; space = {'__name__': '__main__'}\n"
            f"for cell in json.load(open({str(path)!r}, encoding='utf-8'))['cells']:\n"
            "    if cell['cell_type'] == 'code': exec(''.join(cell['source']), space)\n"
        )
        try:
            run(place, ["-W", "ignore", "-c", code])
        except RuntimeError:
            found.append(notebook.name)
    shutil.rmtree(place)
    return found


def said(names: Iterable[str]) -> str:
    """Notebooks in a line."""
    return ", ".join(name.removeprefix("chapters/") for name in names) or "none"


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 1 if a target is missed or the wrong notebooks were executed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="an empty folder to work in")
    parser.add_argument("--again", action="store_true", help="only the edits, in the folder of an earlier run")
    parser.add_argument("--chapter", default="chapters/02-bilateral-trade", help="the chapter that is edited")
    parser.add_argument("--table", default="tariffs", help="the table that is changed")
    parser.add_argument("--module", default="gravity", help="the module that is changed")
    parser.add_argument("--ask", action="store_true", help="find out who reads the table and the module by removing it")
    parser.add_argument("--compare", action="store_true", help="compare the outcome with a build from nothing")
    parser.add_argument("--repeat", type=int, default=3, help="how often each edit of the chapter is measured")
    options = parser.parse_args(arguments)
    book, place = options.folder.resolve() / "book", options.folder.resolve() / "plain"
    chapter, missed = book / f"{options.chapter}.ipynb", []

    def show(what: str, seconds: float, note: str = "") -> None:
        print(f"{what:58s} {seconds:7.1f} s  {note}".rstrip(), flush=True)

    def judge(what: str, well: bool) -> str:
        if not well:
            missed.append(what)
        return "met" if well else "MISSED"

    def builds() -> None:
        alone = plain(book, place, one_core=True)
        times = alone.times
        show("plain jupyter-book, nothing cached, one core", alone.seconds)
        show("  of this the notebooks", sum(times.values()), f"{len(times)} of them")
        render = plain(book, place, "--all")
        show("plain jupyter-book, all pages rendered from kept results", render.seconds)
        measure = sum(times.values()) + render.seconds
        show("the measure: notebooks on one core, and rendering", measure)
        cold = ours(book, "book")
        ratio = cold.seconds / measure
        verdict = judge("cold", ratio <= TARGET_COLD)
        show("make book, nothing cached", cold.seconds, f"{ratio:.2f} of the measure; target {TARGET_COLD}: {verdict}")
        show("make book, nothing to do", ours(book, "book").seconds)

    def compared(what: str, mine: Run, expected: list[str] | None) -> Run:
        right = (
            "" if expected is None else f"right notebooks: {judge(f'{what}: notebooks', mine.executed == expected)}; "
        )
        show(what, mine.seconds, f"{right}executed: {said(mine.executed)}")
        theirs = plain(book, place)
        show("  plain jupyter-book", theirs.seconds, f"executed: {said(theirs.times)}")
        return theirs

    def several(what: str, kind: str, rebuild: Callable[[Callable[[], None]], Run]) -> None:
        """An edit of a kind, several times; the medians count, because the speed of a machine varies."""
        seconds, limits = [], []
        for _ in range(options.repeat):
            number = next(numbers)
            text = f"\n\nA sentence more, number {number}.\n" if kind == "markdown" else f"\n# remark {number}"
            mine = rebuild(lambda text=text: edit_cell(chapter, kind, text))
            if kind == "markdown" and text.strip() not in page.read_text("utf-8"):
                raise RuntimeError("The new pages lack the sentence.")
            theirs = compared(what, mine, [options.chapter] if kind == "code" else [])
            seconds.append(mine.seconds)
            limits.append(theirs.times.get(options.chapter, 0) + TARGET_PROSE)
        limit = median(limits)
        show(f"{what}, median", median(seconds), f"limit {limit:.1f} s: {judge(what, median(seconds) <= limit)}")

    def once(edit: Callable[[], None]) -> Run:
        edit()
        return ours(book, "pages")

    if not options.again:
        copy_book(ROOT, book)
        builds()
    page, numbers = book / "_build" / "html" / f"{options.chapter}.html", itertools.count()
    with Watching(book) as watching:
        several("make watch, a sentence more", "markdown", watching.after)
        several("make watch, code of one chapter", "code", watching.after)
    several("make pages, a sentence more", "markdown", once)
    several("make pages, code of one chapter", "code", once)
    asked = readers(book, "table", options.table) if options.ask else None
    edit_table(book, options.table)
    compared(f"make pages, the table {options.table}", ours(book, "pages"), asked)
    asked = readers(book, "module", options.module) if options.ask else None
    with open(book / "tradebook" / f"{options.module}.py", "a", encoding="utf-8") as module:
        module.write("\n# a remark\n")
    compared(f"make pages, the module {options.module}", ours(book, "pages"), asked)
    done = ours(book, "book")
    show("make book, which completes the pages", done.seconds)
    if options.compare:
        other = copy_book(book, options.folder.resolve() / "from nothing")
        ours(other, "book")
        different = differences(book / "_build" / "html", other / "_build" / "html")
        print(f"files that differ from a build of the same from nothing: {len(different)} {' '.join(different[:9])}")
        missed += different[:1]
    print(f"missed: {', '.join(missed)}" if missed else "every target is met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
