"""Execute notebooks in place: ``python -m tools.execute [notebook …]``.

Running them again changes no byte.

A notebook is written back only when every cell ran; what would differ from one machine or minute to
the next (timings, the version of Python, random cell names) is not kept.
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

from tools.environment import ToolError, notebooks, run_environment, say

_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def code_digest(notebook) -> str:
    """SHA-256 of a notebook's code; stored beside the outputs, it says whose outputs they are."""
    code = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()


def normalise(notebook) -> None:
    """Drop from a notebook, in place, what depends on the machine or the moment."""
    for number, cell in enumerate(notebook.cells):
        cell.metadata.pop("execution", None)
        cell.metadata.pop("ExecuteTime", None)
        if "id" not in cell:
            cell["id"] = hashlib.sha256(f"{number}\n{cell.source}".encode()).hexdigest()[:8]
        for output in cell.get("outputs", []):
            output.get("metadata", {}).pop("execution", None)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata.pop("widgets", None)
    notebook.metadata["kernelspec"] = dict(_KERNEL)
    notebook.metadata["language_info"] = dict(_LANGUAGE)
    notebook.metadata["tradebook"] = {"executed_code": code_digest(notebook)}


def execute(path: Path) -> bool:
    """Execute one notebook in its folder and write it back; return whether the file changed.

    Raises
    ------
    ToolError
        The file is no notebook, or a cell fails: then the file stays as it was.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    try:
        before = path.read_text("utf-8")
        notebook = nbformat.reads(before, as_version=4)
    except FileNotFoundError:
        raise ToolError(f"There is no notebook {path}: check the name.") from None
    except Exception as error:  # nbformat raises several kinds for a damaged file
        raise ToolError(f"{path} is not a readable notebook ({type(error).__name__}): restore it.") from error
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=600,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        say(_ANSI.sub("", str(error)).strip())
        raise ToolError(
            f"{path.name} was left as it was, because a cell failed (above): correct it and try again."
        ) from error
    normalise(notebook)
    after = nbformat.writes(notebook)
    if not after.endswith("\n"):
        after += "\n"
    if after == before:
        return False
    for left_over in path.parent.glob(f".{glob.escape(path.stem)}-*.tmp"):  # of a run that was killed
        left_over.unlink(missing_ok=True)
    # beside the notebook, then renamed over it: an interruption leaves the old file or the new one
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(after)
        os.chmod(temporary, path.stat().st_mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return True


def main(arguments: list[str] | None = None) -> int:
    """Command line: execute the notebooks named, or all chapters."""
    parser = argparse.ArgumentParser(prog="python -m tools.execute", description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all notebooks in chapters/")
    paths = parser.parse_args(arguments).notebooks or notebooks()
    settings = run_environment()
    os.environ.clear()
    os.environ.update(settings)
    try:
        if not paths:
            raise ToolError("There is no notebook in chapters/: name one.")
        for path in paths:
            start = time.perf_counter()
            say(f"{path.name} …")
            changed = execute(path.resolve())
            say(f"  {'written' if changed else 'unchanged'} after {time.perf_counter() - start:.1f} s")
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
