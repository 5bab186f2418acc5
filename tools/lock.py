"""Renew the pins, as a maintainer: ``python -m tools.lock`` (needs uv, ``pip install uv``).

The direct pins at the top of requirements.txt are written by hand. From them this command works out
everything that they need, on Python 3.11 and later and on every system, and writes it twice: below
the direct pins, and with the checksum of every file into requirements.lock.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.environment import LOCK, ROOT, ToolError, say

REQUIREMENTS = ROOT / "requirements.txt"
REST = "# --- Everything these need (written by `python -m tools.lock`, do not edit) ---"
_HEAD = "# requirements.txt with checksums (written by `python -m tools.lock`, do not edit)."


def direct_pins(text: str) -> list[str]:
    """The pins above the generated part of requirements.txt, without their comments."""
    lines = (line.partition("#")[0].strip() for line in text.partition(REST)[0].splitlines())
    return [line for line in lines if line]


def _name(requirement: str) -> str:
    return re.match(r"[\w.\-]+", requirement)[0].lower().replace("_", "-").replace(".", "-")


def resolve(pins: list[str]) -> str:
    """The full lock for these pins, as uv writes it."""
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
        if LOCK.is_file():
            shutil.copy(LOCK, target)  # uv keeps the versions that it finds there
        if subprocess.run([uv, "--no-config", "pip", "compile", *options, str(source)], check=False).returncode:
            raise ToolError("uv found no set of versions (above): change the direct pins in requirements.txt.")
        return target.read_text("utf-8")


def main() -> int:
    """Command line: rewrite the generated part of requirements.txt, and requirements.lock."""
    try:
        top = REQUIREMENTS.read_text("utf-8").partition(REST)[0]
        pins = direct_pins(top)
        lock = resolve(pins)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    direct = {_name(pin) for pin in pins}
    rest = [line.removesuffix(" \\") for line in lock.splitlines() if re.match(r"\w", line)]
    rest = [line for line in rest if _name(line) not in direct]
    REQUIREMENTS.write_text(top + REST + "\n" + "\n".join(rest) + "\n", "utf-8", newline="\n")
    LOCK.write_text(_HEAD + "\n" + lock, "utf-8", newline="\n")
    say(f"{len(pins)} direct pins, {len(rest)} more: requirements.txt and requirements.lock are written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
