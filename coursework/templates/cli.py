"""Command line of a fork: ``python -m tradebook.cli tables``, ``python -m tradebook.cli describe NAME``."""

from __future__ import annotations

import sys

from tradebook import data
from tradebook.errors import TradebookError

_USAGE = "Use `python -m tradebook.cli tables`, or `python -m tradebook.cli describe NAME`."


def main(arguments: list[str]) -> int:
    """Answer a command; exit status 1 for an error of the data, 2 for a command that is not known here."""
    match arguments:
        case ["tables"]:
            for name in data.tables():
                about = data.describe(name)
                print(f"{name:32s} {about['rows']:>9,d}  {about['years'] or '':10s} {about['title']}")
        case ["describe", name]:
            for key, value in data.describe(name).items():
                print(f"{key}: {value}")
        case ["fork" | "pairs" | "assignment" | "audit" | "new-chapter" | "refresh" as command, *_]:
            wanted = "the repository of the book “<<book>>”<<place>>"
            print(f"This is a fork: `tradebook {command}` needs {wanted}.", file=sys.stderr)
            return 1
        case _:
            print(_USAGE, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    if not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8")  # whatever the system would choose for a file
    try:
        sys.exit(main(sys.argv[1:]))
    except TradebookError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
