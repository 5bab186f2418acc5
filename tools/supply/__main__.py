"""The supply chain from the command line: ``python -m tools.supply sbom|audit|secrets``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.environment import ToolError, say


def main(arguments: list[str] | None = None) -> int:
    """Run one of the three; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.supply", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    written = commands.add_parser("sbom", help="write the bill of materials and the notices of others' work")
    written.add_argument("folder", nargs="?", type=Path, default=Path(), help="default: this folder")
    written.add_argument("--browser", action="store_true", help="with what the notebooks in the browser are made of")
    commands.add_parser("audit", help="ask what is known against the locked packages (needs a network)")
    scanned = commands.add_parser("secrets", help="look for keys and passwords in the files")
    scanned.add_argument("--history", action="store_true", help="in every version of every file")
    options = parser.parse_args(arguments)
    try:
        if options.command == "sbom":
            from tools.supply import made

            made.write(made.make(options.browser), options.folder)
            return 0
        if options.command == "audit":
            from tools.supply import audit

            return audit.audit()
        from tools.supply import secrets

        if options.history:
            found, read = secrets.in_history()
        else:
            paths = secrets.tracked()
            found, read = secrets.in_files(paths), len(paths)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    for one in found:
        say(f"  {one}")
    if found:
        print(
            f"Possible secrets: {len(found)}, listed above. Withdraw each real one where it is valid; "
            "taking it out of a file does not take it out of the history.",
            file=sys.stderr,
        )
        return 1
    say(f"{read} {'versions of files and messages' if options.history else 'files'}: no key, password or token.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
