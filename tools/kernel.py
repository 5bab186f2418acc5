"""A Python kernel that notes what a notebook reads; `tools.results` starts it in place of the usual one.

From the first cell on it notes every file of the repository that Python opens or imports, the folders of the book's
code and data that are listed, and the tables whose description is asked for. A file that compiled code opens by
itself (DuckDB, Arrow) is noted because `tradebook` compares its checksum first.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.util import source_from_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_LISTED = ("tradebook", "data")  # folders whose lists of files may decide what a cell does
_INSTALLED = f"{os.sep}site-packages{os.sep}"  # thousands of modules, none of which is the repository's
_APART = ("tools/__init__.py", "tools/kernel.py")  # read by the kernel, not by the notebook

_opened: set[str] = set()
_listed: set[str] = set()
_recording = None  # kept, because it ends when nobody holds it
_recorded: dict[str, object] | None = None


def _note(event: str, arguments: tuple) -> None:
    if event == "open":
        path, mode, _ = arguments
        if isinstance(path, str) and not (isinstance(mode, str) and mode[:1] in "wax"):
            _opened.add(path if path[:1] == os.sep else os.path.abspath(path))
        elif isinstance(path, bytes):
            _opened.add(os.path.abspath(os.fsdecode(path)))
    elif event in ("os.listdir", "os.scandir") and isinstance(arguments[0], str):
        _listed.add(os.path.abspath(arguments[0]))


def start() -> None:
    """Start the kernel, with the arguments that Jupyter gives."""
    if sys.path[0] == "" or Path(sys.path[0]) == Path.cwd():
        del sys.path[0]  # as ipykernel_launcher does; IPython puts it back
    sys.addaudithook(_note)
    if os.environ.get("TRADEBOOK_RECORD"):
        _record()
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()


def _record() -> None:
    """Collect what a browser without all packages needs (`tradebook.stored`), for as long as the kernel runs."""
    global _recording, _recorded
    from tradebook import stored

    _recording = stored.record()
    _recorded = _recording.__enter__()


def _inside(path: str) -> str | None:
    """A path from the repository's folder on; None outside it, and for hidden and built files."""
    try:
        name = Path(os.path.realpath(path)).relative_to(ROOT)
    except ValueError:
        return None
    return None if not name.parts or (name.parts[0][0] in "._" and name.parts[0] != "_static") else name.as_posix()


def _source(path: str) -> str:
    try:
        return source_from_cache(path) if path.endswith(".pyc") else path
    except ValueError:
        return path


def _decides(folder: str) -> bool:
    """Whether the list of a folder's files may decide what a cell does; whoever looks for modules lists caches, too."""
    parts = folder.split("/")
    return parts[0] in _LISTED and "__pycache__" not in parts


def report(target: str) -> None:
    """Write what was read so far, as JSON: files, listed folders, tables asked for, recorded results."""
    modules = {str(getattr(module, "__file__", None) or "") for module in list(sys.modules.values())}
    opened = {_inside(_source(path)) for path in _opened | modules if path and _INSTALLED not in path}
    listed = {_inside(path) for path in _listed}
    data = sys.modules.get("tradebook.data")
    about = {
        "files": sorted(name for name in opened - {None, *_APART} if (ROOT / name).is_file()),
        "listed": sorted(name for name in listed - {None} if _decides(name)),
        "tables": sorted(data.consulted()) if data else [],
        "recorded": _recorded,
    }
    Path(target).write_text(json.dumps(about), "utf-8")
