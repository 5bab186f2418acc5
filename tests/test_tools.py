"""Every check of the tools finds the fault it is there for, and passes what is in order."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import build, check_notebooks, check_site, environment, execute, lighthouse
from tools.environment import ROOT, ToolError

FIGURE = (
    '<figure class="tb-figure" role="img" aria-label="Exports rise from 1 to 9 billion dollars.">'
    '<svg><path d="M0 0L1 1"/></svg></figure>'
)

# --- notebooks ------------------------------------------------------------------------------------


def html_output(html: str):
    return new_output("display_data", {"text/html": html, "text/plain": "<HTML>"})


def notebook_file(folder: Path, *cells, digest: str | None = None) -> Path:
    """Write a notebook as `make execute` leaves it."""
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), *cells])
    execute.normalise(notebook)
    if digest:
        notebook.metadata["tradebook"]["executed_code"] = digest
    path = folder / "sample.ipynb"
    nbformat.write(notebook, path)
    return path


def cell(*outputs, source: str = "show()", count: int | None = 1, **options):
    return new_code_cell(source, execution_count=count, outputs=list(outputs), **options)


def test_a_notebook_in_order_passes(tmp_path: Path):
    table = html_output("<table><tr><td>1</td></tr></table>")
    path = notebook_file(tmp_path, cell(html_output(FIGURE)), cell(table, new_output("stream", text="1\n"), count=2))
    assert check_notebooks.problems(path) == ([], [])


HOME = "/ho" + "me/someone/book"


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ([cell(new_output("error", ename="KeyError", evalue="'CHN'"))], "ended with an error"),
        ([cell(count=None)], "has not been executed"),
        ([cell(count=2), cell(count=1)], "out of order"),
        (
            [cell(new_output("stream", name="stderr", text="FutureWarning: soon"))],
            "prints a warning",
        ),
        ([cell(new_output("stream", text=f"read {HOME}/x.csv"))], "path of the machine"),
        ([cell(source=f"open('{HOME}/x.csv')")], "path of the machine"),
        ([cell(new_output("stream", text=f"{ROOT}"))], "path of"),
        (
            [cell(new_output("execute_result", {"text/plain": "<Axes at 0x7f00aa00bb00>"}))],
            "differs from run to run",
        ),
        ([cell(new_output("display_data", {"image/png": "iVBOR"}))], "bare image/png"),
        (
            [cell(new_output("display_data", {"application/papermill.record/image/png": "iVBOR"}))],
            "bare image/png",
        ),
        ([cell(html_output('<img src="x.png" alt="A line.">'))], "outside a figure of the house"),
        ([cell(html_output("<figure><svg><path/></svg></figure>"))], "neither"),
        ([cell(html_output(FIGURE.replace('<path d="M0 0L1 1"/>', "")))], "is empty"),
        ([cell(html_output(FIGURE.replace("aria-label", "title")))], "has no description"),
        ([cell(html_output(FIGURE.replace('role="img"', "")))], "has no description"),
        (
            [cell(html_output('<script src="https://example.org/x.js"></script>'))],
            "from another site",
        ),
    ],
)
def test_each_fault_of_a_notebook_is_found(tmp_path: Path, cells: list, fault: str, capsys):
    path = notebook_file(tmp_path, *cells)
    assert fault in "; ".join(check_notebooks.problems(path)[0])
    assert check_notebooks.main([str(path)]) == 1
    assert fault in capsys.readouterr().out


def test_code_changed_after_execution_is_found(tmp_path: Path):
    path = notebook_file(tmp_path, cell(), digest="0" * 64)
    assert "changed after it was executed" in check_notebooks.problems(path)[0][0]


def test_a_long_cell_is_a_remark_and_a_damaged_file_a_fault(tmp_path: Path):
    path = notebook_file(tmp_path, cell(source="\n".join(f"x = {n}" for n in range(16))))
    faults, remarks = check_notebooks.problems(path)
    assert not faults
    assert "16 lines" in remarks[0]
    path.write_text("{")
    assert "not a valid notebook" in check_notebooks.problems(path)[0][0]


# --- execution ------------------------------------------------------------------------------------


def test_execution_twice_gives_the_same_bytes_and_an_error_writes_nothing(tmp_path: Path, capsys):
    path = tmp_path / "sample.ipynb"
    notebook = new_notebook(cells=[new_code_cell("print('a')\nprint('b')"), new_code_cell("{1, 2} | {3}")])
    for one in notebook.cells:
        del one["id"]  # as an older editor leaves it
    notebook["nbformat_minor"] = 4
    path.write_text(nbformat.writes(notebook), "utf-8")
    assert execute.execute(path)
    first = path.read_bytes()
    assert not execute.execute(path)
    assert path.read_bytes() == first
    written = nbformat.read(path, as_version=4)
    assert written.cells[0].outputs[0].text == "a\nb\n"
    assert "version" not in written.metadata.language_info
    assert check_notebooks.problems(path) == ([], [])

    written.cells.append(new_code_cell("1 / 0"))
    nbformat.write(written, path)
    before = path.read_bytes()
    with pytest.raises(ToolError, match="left as it was"):
        execute.execute(path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["sample.ipynb"]
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_a_name_that_is_no_notebook_is_refused_in_a_sentence(tmp_path: Path, capsys):
    assert execute.main([str(tmp_path / "none.ipynb")]) == 1
    assert "There is no notebook" in capsys.readouterr().err
    (tmp_path / "bad.ipynb").write_text("not json")
    assert execute.main([str(tmp_path / "bad.ipynb")]) == 1
    assert "not a readable notebook" in capsys.readouterr().err


def test_nbval_notices_a_changed_output_of_every_kind(tmp_path: Path):
    code = "from IPython.display import HTML, display\ndisplay(HTML('<b>4.2</b>'))\nprint(4.2)\n4.2"
    notebook = new_notebook(cells=[new_code_cell(code)])
    nbformat.write(notebook, tmp_path / "good.ipynb")
    execute.execute(tmp_path / "good.ipynb")
    places = {"html": (0, "text/html"), "stream": (1, None), "result": (2, "text/plain")}
    for kind, (number, mime) in places.items():
        stored = nbformat.read(tmp_path / "good.ipynb", as_version=4)
        output = stored.cells[0].outputs[number]
        place, name = (output, "text") if mime is None else (output.data, mime)
        assert "4.2" in place[name]
        place[name] = place[name].replace("4.2", "4.3")
        nbformat.write(stored, tmp_path / f"{kind}.ipynb")
    options = [
        "--nbval",
        "--nbval-current-env",
        "--nbval-sanitize-with",
        str(ROOT / "tests" / "nbval-sanitize.cfg"),
    ]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        os.devnull,
        "-p",
        "no:cacheprovider",
        "-rA",
        "-q",
        *options,
        ".",
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    results = {line.split("::")[0] for line in run.stdout.splitlines() if line.startswith(("PASSED", "FAILED"))}
    assert results == {"PASSED good.ipynb", *(f"FAILED {kind}.ipynb" for kind in places)}, run.stdout


# --- the built site -------------------------------------------------------------------------------

WORDS = "word " * 60
PAGE = (
    '<html lang="en"><head><title>T</title>{head}</head><body><main><article>'
    + WORDS
    + "{body}</article></main></body></html>"
)


def site(folder: Path, body: str = "", head: str = "", **more: str) -> list[str]:
    """Problems of a small site of two pages and a style sheet, with something added to one page."""
    pages = {
        "index.html": PAGE.format(head="", body='<a href="chapters/a.html#there">a</a>'),
        "chapters/a.html": PAGE.format(
            head='<link rel="stylesheet" href="../_static/s.css?v=1">'
            '<link rel="canonical" href="https://example.org/a">' + head,
            body='<h2 id="there">A</h2><a href="https://example.org/">out</a>'
            '<a href="../index.html">up</a>' + FIGURE + body,
        ),
        "_static/s.css": "/* @import 'https://example.org/no' */a { background: url(data:image/png;base64,AA) }",
        **{name.replace("__", "/").replace("_dot_", "."): text for name, text in more.items()},
    }
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return check_site.Site(folder).check(["index.html", "chapters/a.html"])


def test_a_site_in_order_passes(tmp_path: Path):
    assert site(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="b.html">b</a>', "leads to nothing"),
        ('<a href="../index.html#gone">b</a>', "an anchor that is not there"),
        ('<a href="#gone">b</a>', "an anchor that is not there"),
        ('<a href="/index.html">b</a>', "the server's root"),
        ('<a href="../INDEX.html">b</a>', "leads to nothing"),
        ('<script src="https://example.org/x.js"></script>', "from another site"),
        ('<script src="//example.org/x.js"></script>', "from another site"),
        ('<script src="gone.js"></script>', "leads to nothing"),
        ('<script>const later = "https://example.org/thebe.js";</script>', "from another site"),
        (
            '<script type="module">import x from "https://example.org/x";</script>',
            "from another site",
        ),
        ('<script>fetch("https://example.org/count")</script>', "from another site"),
        ('<link rel="preconnect" href="https://fonts.example.org">', "from another site"),
        ('<iframe src="https://example.org/"></iframe>', "from another site"),
        (
            '<img srcset="https://example.org/x.png 2x" src="data:," alt="A map.">',
            "from another site",
        ),
        ('<style>@import "https://example.org/x.css";</style>', "from another site"),
        ("<p style=\"background: url('https://example.org/x.png')\">x</p>", "from another site"),
        ('<img src="data:,">', "no alternative text"),
        ('<img src="data:," alt="">', "no alternative text"),
        ('<img src="data:," alt="../_images/0a1b.png">', "is a file name"),
        (
            '<figure class="tb-figure" role="img" aria-label="A line."><svg><g/></svg></figure>',
            "is empty",
        ),
        ('<figure class="tb-figure"><svg><path/></svg></figure>', "has no description"),
        ('<div class="output traceback">NameError</div>', "an error message of the build"),
        ("<pre>Traceback (most recent call last):</pre>", "a Python traceback"),
        ('<span class="problematic">x</span>', "an error message of the build"),
        ("<p>see {ref}`there`</p>", "unresolved markup"),
        ("<p>grew by {{ growth }} percent</p>", "unresolved markup"),
        ("<p>as noted[^source]</p>", "unresolved markup"),
        ("<p>Table ??</p>", "unresolved markup"),
        (f"<p>read from {HOME}</p>", "a path of the machine"),
        (f'<p title="{ROOT}">x</p>', "a path of the machine|the folder that the book was built in"),
        ('<svg><use href="#gone"/></svg>', "which is not on the page"),
        ('<svg><g id="m"/><g id="m"/><use xlink:href="#m"/></svg>', "on the page more than once"),
        ('<svg><g clip-path="url(#gone)"/></svg>', "which is not on the page"),
        ('<p aria-labelledby="gone">x</p>', "which is not on the page"),
    ],
)
def test_each_fault_of_a_page_is_found(tmp_path: Path, body: str, fault: str):
    found = site(tmp_path, body)
    assert found
    assert all(any(one in problem for one in fault.split("|")) for problem in found), found


@pytest.mark.parametrize(
    "body",
    [
        "<pre>write {ref}`there` and ??</pre>",
        '<svg><g id="m"/><use xlink:href="#m"/><g clip-path="url(#m)"/></svg>',
        '<a href="https://example.org/home/me/">x</a><a href="mailto:a@example.org">y</a>',
        '<script type="application/ld+json">{"url": "https://example.org/x.js"}</script>',
        '<p><a href="#">top</a> <a href="a.html?x=1#there">x</a></p>',
    ],
)
def test_what_is_in_order_is_not_reported(tmp_path: Path, body: str):
    assert site(tmp_path, body) == []


def test_faults_outside_the_pages_are_found(tmp_path: Path):
    assert "leads to nothing" in site(tmp_path / "a", **{"_static__s_dot_css": "a { src: url('gone.woff2') }"})[0]
    assert "another site" in site(tmp_path / "b", **{"_static__x_dot_js": 'import("https://example.org/x.js")'})[0]
    assert "all but empty" in site(tmp_path / "c", **{"index_dot_html": '<html lang="en"><title>T</title>'})[0]
    assert "not built" in check_site.Site(tmp_path / "c").check(["chapters/z.html"])[0]
    (tmp_path / "d").mkdir()
    assert "the book has no first page" in check_site.Site(tmp_path / "d").check([])[0]


def test_the_command_lists_problems_and_fails(tmp_path: Path, capsys):
    toc = tmp_path / "_toc.yml"
    toc.write_text("format: jb-book\nroot: index\nchapters:\n- file: chapters/a\n")
    site(tmp_path / "html", '<a href="gone.html">x</a>')
    assert check_site.main([str(tmp_path / "html"), "--toc", str(toc)]) == 1
    assert "gone.html leads to nothing" in capsys.readouterr().out
    site(tmp_path / "html")
    assert check_site.main([str(tmp_path / "html"), "--toc", str(toc)]) == 0
    assert check_site.main([str(tmp_path / "none")]) == 1
    assert "build it first" in capsys.readouterr().err


# --- building -------------------------------------------------------------------------------------


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A repository with a book of one page, and the tools."""
    for name in ("tools", "requirements.lock", "CITATION.cff"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    extensions = "myst_nb, jupyter_book, sphinx_external_toc, sphinx_comments, sphinx_book_theme"
    (tmp_path / "_config.yml").write_text(
        "title: Small\nonly_build_toc_files: true\nexecute: {execute_notebooks: 'off'}\n"
        "html: {use_multitoc_numbering: false}\nlaunch_buttons: {thebe: false}\n"
        f"sphinx: {{recursive_update: true, config: {{language: en, "
        f"extensions: [{extensions}]}}}}\n"
    )
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: chapters/index\n")
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "index.md").write_text(f"# Small\n\n{WORDS}\n")
    return tmp_path


def run_build(book: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.build", *arguments]
    env = {**os.environ, "PYTHONPATH": str(book)}
    return subprocess.run(command, cwd=book, env=env, capture_output=True, text=True, check=False, timeout=300)


def test_a_book_is_built_once_and_a_faulty_one_never_replaces_it(book: Path):
    first = run_build(book, "book")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Open the book: file://" in first.stdout
    page = book / "_build" / "html" / "chapters" / "index.html"
    good = page.read_bytes()
    assert "Nothing to do" in run_build(book, "book").stdout

    (book / "chapters" / "index.md").write_text(f"# Small\n\n{WORDS} {{ref}}`nowhere` [x](#gone)\n\n![](no.png)\n")
    for _ in range(2):  # the second time, too: warnings must not be forgotten
        faulty = run_build(book, "book")
        assert faulty.returncode == 1
        for fault in ("nowhere", "gone", "no.png"):
            assert fault in faulty.stdout
        assert faulty.stderr.strip().count("\n") == 0
        assert "run `make book` again" in faulty.stderr
    assert page.read_bytes() == good


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the build takes for the repository."""
    monkeypatch.setattr(build, "ROOT", tmp_path)
    places = {
        "BUILD": "",
        "SITE": "html",
        "WORK": "work",
        "RECORD": "build.json",
        "_NEW": "html.new",
        "_OLD": "html.old",
    }
    for name, place in places.items():
        monkeypatch.setattr(build, name, tmp_path / "_build" / place)
    (tmp_path / "_build").mkdir()
    return tmp_path


def test_an_interrupted_swap_is_completed(folder: Path):
    (folder / "_build" / "html.old").mkdir()
    (folder / "_build" / "html.old" / "index.html").write_text("old")
    (folder / "_build" / "html.new").mkdir()
    build._finish_swap()
    assert (build.SITE / "index.html").read_text() == "old"
    assert sorted(os.listdir(folder / "_build")) == ["html"]


def test_a_finished_build_is_current_until_an_input_or_a_page_changes(folder: Path):
    (folder / "data").mkdir()
    (folder / "data" / "t.csv").write_text("1")
    build.SITE.mkdir()
    page = build.SITE / "index.html"
    page.write_text("page")

    def finish() -> None:
        pages = environment.digest([build.SITE], build.SITE)
        build.RECORD.write_text(build.json.dumps({"inputs": build._inputs(build._INPUTS), "pages": pages}))

    assert not build.is_current()
    finish()
    assert build.is_current()
    page.write_text("changed by hand")
    assert not build.is_current()
    finish()
    (folder / "data" / "t.csv").write_text("2")
    assert not build.is_current()
    build.RECORD.write_text("{ half written")
    assert not build.is_current()


def test_clean_removes_what_was_built(folder: Path):
    (folder / "_build" / "html").mkdir()
    (folder / "_build" / "build.log").write_text("x")
    (folder / "tools" / "__pycache__").mkdir(parents=True)
    build.clean()
    assert os.listdir(folder / "_build") == [".lock"]
    assert not (folder / "tools" / "__pycache__").exists()


def test_serving_says_what_is_wrong(folder: Path):
    with pytest.raises(ToolError, match="run `make book` first"):
        build.serve(8000)
    build.SITE.mkdir()
    (build.SITE / "index.html").write_text("page")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ToolError, match="make serve PORT="):
            build.serve(taken.getsockname()[1])
    with pytest.raises(ToolError, match="make serve PORT="):
        build.serve(70000)


def test_lighthouse_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(lighthouse, "SITE", tmp_path)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("LIGHTHOUSE", raising=False)
    assert build.main(["lighthouse"]) == 1
    assert "run `make book` first" in capsys.readouterr().err
    (tmp_path / "index.html").write_text("page")
    assert build.main(["lighthouse", "none.html"]) == 1
    assert "has no page none.html" in capsys.readouterr().err
    assert build.main(["lighthouse", "index.html"]) == 1
    assert capsys.readouterr().err.strip() == (
        "There is no lighthouse to measure with: run `npm install --global lighthouse`, or set LIGHTHOUSE to its path."
    )


def report_of(root: str, performance: float, *others: str) -> dict:
    """A report of Lighthouse, with what we read of it."""
    own = {"index.html": 40_000, "a.css?v=1": 20_000, "a.svg": 600}
    sizes = {"data:image/svg+xml,": 0, **{f"{root}/{name}": size for name, size in own.items()}}
    items = [{"url": url, "transferSize": size} for url, size in {**sizes, **dict.fromkeys(others, 5_000)}.items()]
    scores = {**dict.fromkeys(lighthouse.PROMISED, 1), "performance": performance}
    return {
        "finalDisplayedUrl": f"{root}/index.html",
        "audits": {"network-requests": {"details": {"items": items}}},
        "categories": {name: {"score": score} for name, score in scores.items()},
    }


def test_a_report_of_lighthouse_is_read_as_a_row():
    found = lighthouse.read_report(report_of("http://127.0.0.1:1", 0.971))
    assert found == ({**dict.fromkeys(lighthouse.PROMISED, 100), "performance": 97}, 60_600, 40_600, 3, 0)
    assert found.row("index.html").split() == ["index.html", "97", "100", "100", "100", "61", "41", "3", "0"]


@pytest.mark.parametrize(
    ("score", "others", "fails"), [(0.95, (), False), (0.94, (), True), (1, ("https://a/b",), True)]
)
def test_lighthouse_fails_below_what_is_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, score: float, others: tuple[str, ...], fails: bool
):
    monkeypatch.setattr(lighthouse, "SITE", tmp_path)
    (tmp_path / "index.html").write_text("<p>page</p>" * 99)
    for variable in ("LIGHTHOUSE", "CHROMIUM"):
        monkeypatch.setenv(variable, sys.executable)
    seen = []

    def run(command: list[str], chromium: str, address: str) -> dict:
        with urllib.request.urlopen(f"{address}?v=1") as answer:
            seen.append((answer.headers["Content-Encoding"], answer.headers["Cache-Control"]))
        return report_of(address.removesuffix("/index.html"), score, *others)

    monkeypatch.setattr(lighthouse, "run_lighthouse", run)
    assert build.main(["lighthouse", "index.html"]) == int(fails)
    printed = capsys.readouterr()
    assert seen == [("gzip", "max-age=31536000")] and "third party" in printed.out
    assert ("Below what is promised" in printed.err) == fails


def test_a_second_build_waits_for_the_first(tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from tools.environment import only_one\n"
        "with only_one(Path(sys.argv[1])): print('in', flush=True)"
    )
    with environment.only_one(tmp_path):
        command = [sys.executable, "-c", code, str(tmp_path)]
        other = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert "waiting" in other.stdout.readline()
        assert other.poll() is None
    assert other.communicate(timeout=60)[0].strip() == "in"
    assert other.returncode == 0


def test_an_unknown_command_or_an_old_environment_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys):
    with pytest.raises(SystemExit):
        build.main(["bok"])
    (tmp_path / "lock").write_text("jupyter-book==0.0.1 \\\n")
    monkeypatch.setattr(build, "LOCK", tmp_path / "lock")
    assert build.main(["book"]) == 1
    assert "make setup" in capsys.readouterr().err


# --- the environment ------------------------------------------------------------------------------


@pytest.fixture
def fake_venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An environment whose installation is only noted; the list says what was done."""
    done: list[str] = []
    (tmp_path / "requirements.lock").write_text("a==1\n")
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "BUILD", tmp_path / "_build")
    monkeypatch.setattr(environment, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "_COMPLETE", tmp_path / ".venv" / ".complete")
    monkeypatch.setattr(environment, "_INSTALLING", tmp_path / ".venv" / ".installing")
    monkeypatch.setattr(environment, "_works", lambda python: python.exists())

    def create() -> None:
        done.append("create")
        environment.venv_python().parent.mkdir(parents=True)
        environment.venv_python().touch()

    monkeypatch.setattr(environment, "_create", create)
    monkeypatch.setattr(environment, "_install", lambda python: done.append("install"))
    return done


def test_set_up_does_only_what_is_needed(fake_venv: list[str]):
    environment.set_up()
    environment.set_up()
    assert fake_venv == ["create", "install"]
    environment.LOCK.write_text("a==2\n")
    environment.set_up()
    assert fake_venv == ["create", "install", "install"]


def test_an_interrupted_installation_is_started_afresh(fake_venv: list[str], monkeypatch: pytest.MonkeyPatch):
    def interrupted(python: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(environment, "_install", interrupted)
        with pytest.raises(KeyboardInterrupt):
            environment.set_up()
    assert not environment._COMPLETE.exists()
    environment.set_up()
    assert fake_venv == ["create", "create", "install"]


def test_a_failed_installation_says_so_and_shows_why(capsys):
    with pytest.raises(ToolError, match="run the command again"):
        environment._run_pip([sys.executable, "-c", "print('no such package'); raise SystemExit(1)"], 0)
    assert "no such package" in capsys.readouterr().out


def test_runs_do_not_see_personal_settings(monkeypatch: pytest.MonkeyPatch):
    for name in ("MPLBACKEND", "MATPLOTLIBRC", "TRADEBOOK_DATA"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("PYTHONPATH", "mine")
    env = environment.run_environment()
    assert not {"MPLBACKEND", "MATPLOTLIBRC", "TRADEBOOK_DATA"} & set(env)
    assert env["PYTHONPATH"] == str(ROOT)
    assert (env["TZ"], env["PYTHONHASHSEED"]) == ("UTC", "0")
