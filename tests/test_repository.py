"""The repository is complete and names nothing private; its commands are as the README says."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tools import build
from tools.environment import ROOT, files, release_epoch

TEXT_TYPES = {
    "", ".md", ".py", ".txt", ".lock", ".toml", ".yml", ".yaml", ".json", ".ipynb", ".bib",
    ".css", ".js", ".html", ".cff", ".cfg", ".csv", ".svg", ".gitignore",
}  # fmt: skip
LARGEST_FILE = 50 * 2**20
# put together here, so that this file does not hold them itself
FORBIDDEN = {
    "a folder of one machine": re.compile(r"(?<![\w.:/\-])/(?:" + "|".join(["work", "root", "tmp/w"]) + r")/\w"),
    "raw material outside the repository": re.compile(
        r"(?<![\w/\-])(?:" + "|".join(["sha" + "red", "see" + "ds"]) + r")/"
    ),
    "a host of packages": re.compile(r"(?:pypi|pythonhosted|npmjs|registry\.npm|deb\.debian)" + r"\.(?:org|com)"),
}
MODULES = sorted((ROOT / "tradebook").rglob("*.py"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))


def repository_files() -> list[Path]:
    """Files of the repository: what git would keep, or all that is not made by a build."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        found = [ROOT / name for name in names if name]
    except (OSError, subprocess.CalledProcessError):  # a download without history, or no git
        tops = [path for path in ROOT.iterdir() if path.name not in {".git", ".venv", "_build"}]
        found = list(files(tops))
    return [path for path in found if path.is_file()]


FILES = repository_files()


def finds(text: str) -> set[str]:
    """What a text names and should not."""
    return {what for what, pattern in FORBIDDEN.items() if pattern.search(text)}


def test_nothing_names_what_only_its_makers_have():
    found = []
    for path in FILES:
        if path.suffix in TEXT_TYPES:
            found += [f"{path.relative_to(ROOT)}: {what}" for what in finds(path.read_text("utf-8"))]
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        "see /wo" + "rk/main",
        "in sha" + "red/data/x.csv",
        "files.pythonhosted" + ".org",
        '"/ro' + 'ot/x"',
    ],
)
def test_the_scan_finds_what_it_looks_for(text: str):
    assert finds(text)


@pytest.mark.parametrize("text", ["https://example.org/work/x", "a shared folder", "work/x", "pypi packages"])
def test_the_scan_leaves_ordinary_text_alone(text: str):
    assert not finds(text)


def test_no_file_is_too_large_and_nothing_built_is_kept():
    assert [path.name for path in FILES if path.stat().st_size > LARGEST_FILE] == []
    built = {".venv", "_build", "__pycache__", ".ipynb_checkpoints", "tradebook.egg-info"}
    assert [str(path) for path in FILES if built & set(path.relative_to(ROOT).parts)] == []


@pytest.mark.parametrize(
    "name",
    """README.md LICENSE LICENSE-text CITATION.cff CHANGELOG.md Makefile pyproject.toml
    requirements.txt requirements.lock _config.yml _toc.yml .ci/run
    chapters/index.md chapters/references.bib data/datapackage.json""".split(),
)
def test_the_repository_is_complete(name: str):
    assert (ROOT / name).stat().st_size > 0


def test_the_licences_are_the_ones_named():
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("MIT License\n\nCopyright (c)")
    text = (ROOT / "LICENSE-text").read_text("utf-8")
    assert "Creative Commons Attribution 4.0 International Public License" in text
    assert "Section 8 -- Interpretation" in text  # the whole legal code, to its last section


def test_citation_and_version_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {
        "cff-version",
        "message",
        "title",
        "authors",
        "version",
        "date-released",
        "license",
    } <= set(citation)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert citation["version"] == version
    newest = re.search(r"^## (\S+) \((\S+)\)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert newest.groups() == (version, citation["date-released"])
    assert release_epoch() > 0


def undocumented(code: str) -> list[str]:
    """Public functions, classes and methods without a docstring."""
    found = []

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith(
                "_"
            ):
                if ast.get_docstring(node) is None:
                    found.append(prefix + node.name)
                if isinstance(node, ast.ClassDef):
                    visit(node.body, f"{prefix}{node.name}.")

    tree = ast.parse(code)
    if ast.get_docstring(tree) is None:
        found.append("the module")
    visit(tree.body, "")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_everything_public_says_what_it_does(path: Path):
    assert undocumented(path.read_text("utf-8")) == []


def test_the_scan_for_docstrings_bites():
    code = '"""M."""\ndef a(): pass\ndef _b(): pass\nclass C:\n    """C."""\n    def d(self): pass\n'
    assert undocumented(code) == ["a", "C.d"]


def test_workflows_are_valid_and_their_actions_fixed():
    assert WORKFLOWS
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text("utf-8"))
        assert workflow["jobs"]
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        for action in (step["uses"] for step in steps if "uses" in step):
            assert re.fullmatch(r"[\w\-]+/[\w\-]+@[0-9a-f]{40}", action), f"{action} is not fixed to a commit"


SPARK = "requirements-spark.txt"
JOBS = {
    f"{path.stem}: {name}": (workflow, job)
    for path in WORKFLOWS
    for workflow in [yaml.safe_load(path.read_text("utf-8"))]
    for name, job in workflow["jobs"].items()
}


def commands_of(job: dict) -> list[str]:
    """The commands of a job, one a step."""
    return [re.sub(r"\\\n\s*", "", step["run"]) for step in job["steps"] if "run" in step]


def not_installed(commands: list[str]) -> set[str]:
    """Files of packages which tests demand where CI is set, and which a job does not install before it runs tests."""
    script = re.sub(r"\\\n\s*", "", (ROOT / ".ci" / "run").read_text("utf-8"))
    wanted = set(re.findall(r" -r (\S+)", script))
    for command in commands:
        if ".ci/run" in command:
            return set()
        if "pip install" in command and "--no-build-isolation" in command and "--require-hashes" in command:
            wanted -= set(re.findall(r" -r (\S+)", command))
        if re.search(r"\bmake test\b|\bpytest\b", command):
            return wanted - ({SPARK} if "--ignore=tests/test_spark.py" in command else set())
    return set()


def test_workflows_install_what_their_tests_need():
    tested = [name for name, (_, job) in JOBS.items() if re.search("make test|pytest", " ".join(commands_of(job)))]
    assert {"test: book", "test: without-make", "publish: build"} <= set(tested)
    assert {name: not_installed(commands_of(JOBS[name][1])) for name in tested} == {name: set() for name in tested}


def test_a_job_that_installs_too_little_is_found():
    pip = "python -m pip install --no-build-isolation --require-hashes"
    every = {"requirements-teaching.txt", SPARK, ".ci/requirements.txt"}
    assert not_installed(["make setup", "make test"]) == every
    assert not_installed(["make test", f"{pip} -r {SPARK}"]) == every
    assert not_installed(["pip install -r requirements-spark.txt", "make test"]) == every
    assert not_installed([f"{pip} -r requirements-teaching.txt -r .ci/requirements.txt", "python -m pytest"]) == {SPARK}
    assert not_installed([".ci/run"]) == set()


def test_no_job_that_may_write_runs_packages():
    """A job that may write, or keeps the key that pushes, runs nothing from outside the repository."""
    seen = 0
    for name, (workflow, job) in JOBS.items():
        rights = job.get("permissions", workflow["permissions"])
        used = {step["uses"].partition("@")[0]: step.get("with", {}) for step in job["steps"] if "uses" in step}
        if "write" in rights.values():
            seen += 1
            assert set(used) <= {"actions/checkout"}, name
            found = re.search(r"\b(?:make|pip|pytest|npm|npx|uv|venv|tools\.(?!publish\b)\w+)\b", str(commands_of(job)))
            assert found is None, f"{name}: {found}"
        else:
            assert rights == {"contents": "read"} and used["actions/checkout"]["persist-credentials"] is False, name
    assert seen == 1


def test_a_push_to_main_does_not_end_a_run_for_a_tag():
    """GitHub keeps one waiting run in a group."""
    workflow = JOBS["publish: publish"][0]
    assert "github.ref" in workflow["concurrency"]["group"] and not workflow["concurrency"]["cancel-in-progress"]


def test_the_readme_names_only_commands_that_exist():
    readme = (ROOT / "README.md").read_text("utf-8")
    targets = set(re.findall(r"^(\w+(?: \w+)*):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    known = {name for line in targets for name in line.split()}
    named = set(re.findall(r"(?:`|\$ )make (\w+)", readme))
    assert {"book", "test", "lab", "serve", "clean"} <= named <= known
    commands = set(re.findall(r"-m tools\.build (\w+)", readme))
    assert commands
    for command in commands:
        assert build._parser().parse_args([command]).command == command


def test_make_has_a_target_for_every_command():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    commands = build._parser()._subparsers._group_actions[0].choices
    for command in commands:
        assert re.search(rf"^(?:\w+ )*{command}(?: \w+)*:", makefile, re.M), f"no target for {command}"
        assert f"make {command} " in makefile, f"make help does not name {command}"
