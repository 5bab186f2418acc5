"""Renew the pins, as a maintainer: ``python -m tools.lock [--raise NAME…]`` (needs uv, ``pip install uv``).

The direct pins at the top of requirements.txt are written by hand. From them this command works out
everything that they need, on Python 3.11 and later and on every system, and writes it twice: below
the direct pins, and with the checksum of every file into requirements.lock.

Then the same for what only some readers or the tests want (`EXTRAS`): the pins at the top of each file are written by
hand, with their reasons; their checksums, and everything else that they need and the book does not have, are
written here. No version of the book's own packages changes for them.

A version that is locked stays while the pins written by hand allow it. ``--raise`` lets go of the named packages: they
come in the newest version that those pins allow.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tools.environment import LOCK, ROOT, ToolError, say

REQUIREMENTS = ROOT / "requirements.txt"
REST = "# --- Everything these need (written by `python -m tools.lock`, do not edit) ---"
_HEAD = "# requirements.txt with checksums (written by `python -m tools.lock`, do not edit)."
# Files of packages beside those of the book, and whether they are installed into its environment.
EXTRAS = {
    "requirements-teaching.txt": True,
    "requirements-spark.txt": True,
    ".ci/requirements.txt": True,
    ".ci/audit.txt": False,
}
_REST_BESIDE = "# --- Everything these need that the book does not have (written by `python -m tools.lock`) ---"
_REST_APART = "# --- Everything these need (written by `python -m tools.lock`, do not edit) ---"
_PIN = re.compile(r"^[A-Za-z0-9][\w.\-]*(?:\[[\w,\-]+\])?==[^\s\\#;]+(?: *; *[^\\#\n]+)?", re.M)


def direct_pins(text: str) -> list[str]:
    """The pins above the generated part of requirements.txt, without their comments."""
    lines = (line.partition("#")[0].strip() for line in text.partition(REST)[0].splitlines())
    return [line for line in lines if line]


def _name(requirement: str) -> str:
    return re.match(r"[\w.\-]+", requirement)[0].lower().replace("_", "-").replace(".", "-")


def blocks(text: str) -> dict[str, str]:
    """The requirements of a lock with their checksums, by name."""
    parts = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.M)
    return {_name(part): part.partition("#")[0].rstrip(" \\\n") + "\n" for part in parts if _PIN.match(part)}


def resolve(pins: list[str], kept: Path, fixed: str = "", raised: Iterable[str] = ()) -> str:
    """The full lock for these pins, as uv writes it.

    Parameters
    ----------
    pins : list of str
        What is wanted.
    kept : Path
        A lock whose versions stay where they can.
    fixed : str
        Pins that no other version may replace.
    raised : iterable of str
        Names of packages whose version in `kept` does not count.

    Raises
    ------
    ToolError
        There is no uv, or no set of versions.
    """
    uv = shutil.which("uv")
    if uv is None:
        raise ToolError("uv is not installed: `pip install uv`, then run the command again.")
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "direct.in"), Path(folder, "lock")
        source.write_text("\n".join(pins) + "\n", "utf-8")
        options = [
            "--universal",
            "--python-version",
            "3.11",
            "--fork-strategy",
            "fewest",
            "--generate-hashes",
        ]
        options += ["--no-header", "--no-annotate", "--quiet", "-o", str(target)]
        if fixed:
            Path(folder, "fixed").write_text(fixed, "utf-8")
            options += ["--constraints", str(Path(folder, "fixed"))]
        options += [f"--upgrade-package={name}" for name in raised]
        if kept.is_file():
            pinned = [line.removesuffix(" \\") for line in kept.read_text("utf-8").splitlines()]
            # uv keeps the versions that it finds there
            target.write_text("\n".join(line for line in pinned if _PIN.match(line)) + "\n", "utf-8")
        if subprocess.run([uv, "--no-config", "pip", "compile", *options, str(source)], check=False).returncode:
            raise ToolError("uv found no set of versions (above): change the direct pins.")
        return target.read_text("utf-8")


def _top(text: str) -> str:
    """What is written by hand in a file of `EXTRAS`."""
    return re.split(r"^# --- Everything ", text, flags=re.M)[0]


def renewed(text: str, lock: str, beside: set[str]) -> str:
    """A file of `EXTRAS` with the checksums of its pins, and with what else they need and the book does not have.

    Parameters
    ----------
    text : str
        The file as it is.
    lock : str
        What uv found for its pins.
    beside : set of str
        Names of packages that are there already.
    """
    found = blocks(lock)
    top = _top(text)
    direct = [_name(pin) for pin in _PIN.findall(top)]
    head = re.sub(r"^[ \t]+--hash=.*\n?", "", top, flags=re.M)
    for name in direct:
        pin = re.compile(rf"^{re.escape(name)}(?=[\[=])[^\n#]*(?=\n|#|\Z)", re.M | re.I)
        head = pin.sub(found[name].rstrip("\n").replace("\\", "\\\\"), head)
    rest = [found[name] for name in sorted(set(found) - set(direct) - beside)]
    mark = _REST_BESIDE if beside else _REST_APART
    return head.rstrip("\n") + "\n" + (f"\n{mark}\n{''.join(rest)}" if rest else "")


def _renew_extras(lock: str, raised: Iterable[str]) -> None:
    for name, within in EXTRAS.items():
        path = ROOT / name
        text = path.read_text("utf-8")
        fixed = "\n".join(_PIN.findall(lock)) if within else ""
        found = resolve(_PIN.findall(_top(text)), path, fixed, raised)
        path.write_text(renewed(text, found, set(blocks(lock)) if within else set()), "utf-8", newline="\n")
        say(f"{name} is written.")


def _locked() -> dict[str, dict[str, str]]:
    """The packages of each file with checksums: by name, as ``name==version``."""
    found = {}
    for file in (LOCK.name, *EXTRAS):
        text = (ROOT / file).read_text("utf-8") if (ROOT / file).is_file() else ""
        found[file] = {name: re.match(r"[^\s;\\]+", block)[0] for name, block in blocks(text).items()}
    return found


def _check_raised(names: Iterable[str], locked: dict[str, dict[str, str]]) -> None:
    """Refuse packages that no file holds, and those that are pinned by hand wherever they are."""
    by_hand = {LOCK.name: direct_pins(REQUIREMENTS.read_text("utf-8"))}
    by_hand |= {file: _PIN.findall(_top((ROOT / file).read_text("utf-8"))) for file in EXTRAS}
    for name in names:
        places = [file for file, packages in locked.items() if name in packages]
        if not places:
            raise ToolError(f"No package is called {name}: look for its name in {LOCK.name}.")
        if all(name in map(_name, by_hand[file]) for file in places):
            file = REQUIREMENTS.name if places[0] == LOCK.name else places[0]
            raise ToolError(f"{name} is pinned by hand: change its version in {file}, then run `python -m tools.lock`.")


def _tell_raised(names: Iterable[str], before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> None:
    for file in after:
        for name in names:
            old, new = before[file].get(name), after[file].get(name)
            if old and old == new:
                say(f"{file}: {old} stays; no newer version goes with the pins written by hand.")
            elif old or new:
                say(f"{file}: {new or 'nothing'} in place of {old or 'nothing'}.")


def main(arguments: list[str] | None = None) -> int:
    """Command line: rewrite the generated part of requirements.txt, requirements.lock, and the other files."""
    parser = argparse.ArgumentParser(prog="python -m tools.lock", description=__doc__)
    parser.add_argument("--raise", dest="raised", nargs="+", default=[], metavar="NAME", help="packages to raise")
    raised = sorted({re.sub(r"[-_.]+", "-", name).lower() for name in parser.parse_args(arguments).raised})
    try:
        before = _locked()
        _check_raised(raised, before)
        top = REQUIREMENTS.read_text("utf-8").partition(REST)[0]
        pins = direct_pins(top)
        lock = resolve(pins, LOCK, raised=raised)
        direct = {_name(pin) for pin in pins}
        rest = [line.removesuffix(" \\") for line in lock.splitlines() if re.match(r"\w", line)]
        rest = [line for line in rest if _name(line) not in direct]
        REQUIREMENTS.write_text(top + REST + "\n" + "\n".join(rest) + "\n", "utf-8", newline="\n")
        LOCK.write_text(_HEAD + "\n" + lock, "utf-8", newline="\n")
        say(f"{len(pins)} direct pins, {len(rest)} more: requirements.txt and requirements.lock are written.")
        _renew_extras(lock, raised)
        _tell_raised(raised, before, _locked())
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
