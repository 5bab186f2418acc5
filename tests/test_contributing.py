"""What contributors and teachers are told: the commands exist, the links lead somewhere, the forms are valid."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
import yaml
from typer.testing import CliRunner

from tools import build
from tools.environment import ROOT
from tradebook import cli

TEACHING = ROOT / "chapters" / "appendices" / "teaching.md"
PAGES = [
    ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CODE_OF_CONDUCT.md", TEACHING, ROOT / "chapters" / "index.md",
]  # fmt: skip
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
PROGRAM = typer.main.get_command(cli.app)
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


# --- commands ------------------------------------------------------------------------------------


def commands(text: str) -> Iterator[str]:
    """The commands that a page shows: lines of a console, and single commands in running text."""
    text = re.sub(r" \\\n +", " ", text)  # a command in several lines
    shown = re.findall(r"^(?:\$ |    (?=tradebook|make |python ))(.+)$", text, re.M)
    shown += re.findall(r"(?<!`)`((?:[\w./\\]*bin/)?(?:tradebook|make|python3?|pytest) [^`\n]+)`(?!`)", text)
    for line in shown:
        yield re.split(r"\s#\s|\s>\s", line)[0].strip()


def fault(command: str) -> str:
    """What is wrong with a command; empty if it can be given."""
    words = [word.rpartition("/")[2] if at == 0 else word for at, word in enumerate(shlex.split(command))]
    if words[0] == "tradebook":
        name, rest = words[1], words[2:]
        if name.startswith("-"):
            return ""
        if name not in PROGRAM.commands:
            return f"there is no tradebook {name}"
        if CliRunner().invoke(cli.app, [name, "--help"]).exit_code:
            return f"tradebook {name} --help fails"
        known = {option for one in PROGRAM.commands[name].params for option in (*one.opts, *one.secondary_opts)}
        return ", ".join(f"tradebook {name} has no {word}" for word in rest if word[:2] == "--" and word not in known)
    if words[0] == "make":
        targets = {name for line in re.findall(r"^([\w -]+):", MAKEFILE, re.M) for name in line.split()}
        return "" if words[1] in targets else f"there is no target {words[1]}"
    if words[:2] in (["python", "-m"], ["python3", "-m"]) and words[2].startswith("tools"):
        if importlib.util.find_spec(words[2]) is None:
            return f"there is no module {words[2]}"
        if words[2] == "tools.build" and len(words) > 3:
            return "" if words[3] in build._parser()._subparsers._group_actions[0].choices else f"no command {words[3]}"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_commands_on_a_page_can_be_given(page: Path) -> None:
    faults = [found for command in commands(page.read_text("utf-8")) if (found := fault(command))]
    assert not faults


def test_the_teaching_page_shows_the_commands_for_coursework() -> None:
    shown = {shlex.split(command)[1] for command in commands(TEACHING.read_text("utf-8")) if "tradebook" in command}
    assert {"fork", "pairs", "assignment", "grade", "new-chapter", "audit"} <= shown


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$ tradebook audit --chapter 2   # all of it", ""),
        ("`tradebook audit --chapters 2`", "tradebook audit has no --chapters"),
        ("$ .venv/bin/tradebook adit", "there is no tradebook adit"),
        ("`make test ARGS='-k x'`", ""),
        ("`make tests`", "there is no target tests"),
        ("$ python -m tools.nothing", "there is no module tools.nothing"),
        ("`python -m tools.build bok`", "no command bok"),
    ],
)
def test_a_wrong_command_is_found(text: str, found: str) -> None:
    (command,) = commands(text)
    assert fault(command) == found


# --- links ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [path for path in PAGES if path.parent == ROOT], ids=lambda path: path.name)
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)\s#]+)(?:#([\w-]+))?\)", text)
    for target, anchor in links:
        assert (page.parent / target).exists(), target
        if anchor:
            other = (page.parent / target).read_text("utf-8")
            titles = re.findall(r"^#+ (.+)$", other, re.M)
            assert anchor in {re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")) for title in titles}, anchor


def test_newcomers_find_their_way() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "(CONTRIBUTING.md)" in readme and "(chapters/appendices/teaching.md)" in readme
    assert "(CODE_OF_CONDUCT.md)" in (ROOT / "CONTRIBUTING.md").read_text("utf-8")


# --- forms for reports ---------------------------------------------------------------------------

# What GitHub's syntax for issue forms asks for: of each kind of element the attributes it may have, and those it must.
ELEMENTS = {
    "markdown": ({"value"}, {"value"}),
    "input": ({"label", "description", "placeholder", "value"}, {"label"}),
    "textarea": ({"label", "description", "placeholder", "value", "render"}, {"label"}),
    "dropdown": ({"label", "description", "multiple", "options", "default"}, {"label", "options"}),
    "checkboxes": ({"label", "description", "options"}, {"label", "options"}),
}


def form_faults(form: dict) -> list[str]:
    """What GitHub would refuse in an issue form."""
    faults = []
    allowed = {"name", "description", "title", "labels", "assignees", "projects", "type", "body"}
    if not {"name", "description", "body"} <= set(form) <= allowed:
        faults.append("keys of the form")
    body = form.get("body") or [{}]
    if all(part.get("type") == "markdown" for part in body):
        faults.append("nothing to fill in")
    for part in body:
        known, needed = ELEMENTS.get(part.get("type"), (set(), {"type"}))
        attributes = part.get("attributes") or {}
        if not needed <= set(attributes) <= known or not set(part) <= {"type", "id", "attributes", "validations"}:
            faults.append(f"element {part.get('id') or part.get('type')}")
        if not all(isinstance(attributes.get(key, ""), str) for key in ("label", "description", "placeholder")):
            faults.append(f"text of {part.get('id')}")
        options = attributes.get("options", [])
        labels = [one["label"] if part["type"] == "checkboxes" else one for one in options]
        if len(set(labels)) < len(labels) or not all(isinstance(one, str) and one != "None" for one in labels):
            faults.append(f"options of {part.get('id')}")
        if set(part.get("validations", {})) - {"required"}:
            faults.append(f"validations of {part.get('id')}")
    fields = [part for part in body if part.get("type") != "markdown"]
    ids = [part.get("id") for part in fields]
    if len(set(ids)) < len(ids) or not all(re.fullmatch(r"[\w-]+", str(one)) for one in ids):
        faults.append("identifiers")
    names = [part.get("attributes", {}).get("label") for part in fields]
    if len(set(names)) < len(names):
        faults.append("labels")
    return faults


def test_forms_for_reports_are_valid() -> None:
    read = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in FORMS}
    settings = read.pop("config")
    assert set(settings) <= {"blank_issues_enabled", "contact_links"}
    assert set(read) == {"data-error", "statement", "feature", "teaching"}
    assert {name: form_faults(form) for name, form in read.items()} == {name: [] for name in read}
    assert len({form["name"] for form in read.values()}) == len(read)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda f: f.pop("description"), "keys of the form"),
        (lambda f: f["body"][0].update(type="text"), "element where"),
        (lambda f: f["body"][0]["attributes"].pop("label"), "element where"),
        (lambda f: f["body"][1].update(id="where"), "identifiers"),
        (lambda f: f["body"][1]["attributes"].update(label="Where?"), "labels"),
        (lambda f: f["body"][1]["attributes"].update(options=["a", "a"]), "options of kind"),
        (lambda f: f["body"][1]["attributes"].update(options=[True]), "options of kind"),
        (lambda f: f["body"][0].update(validations={"needed": True}), "validations of where"),
        (lambda f: f.update(body=[{"type": "markdown", "attributes": {"value": "x"}}]), "nothing to fill in"),
    ],
)
def test_a_damaged_form_is_found(change, found: str) -> None:
    form = {
        "name": "N",
        "description": "D",
        "body": [
            {"type": "input", "id": "where", "attributes": {"label": "Where?"}},
            {"type": "dropdown", "id": "kind", "attributes": {"label": "What?", "options": ["a", "b"]}},
        ],
    }
    assert form_faults(form) == []
    change(form)
    assert found in form_faults(form)
