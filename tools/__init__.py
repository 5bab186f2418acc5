"""Commands that set up, execute, build and check the book: ``python -m tools.build --help``."""

import sys

# Said here, before Python reads a file whose syntax it does not know.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "This book needs Python 3.11 or newer and this is Python %d.%d: install a newer one, "  # noqa: UP031
        "or name it, for example: make book PYTHON=python3.12" % sys.version_info[:2]
    )
