"""Start `tools.pages` quickly: ``python -m tools.render OUTPUT RESULTS [--jobs N]``.

Before jupyter-book and Sphinx are imported, some of their detours are cut short; what they do stays the same.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import sys


def main() -> int:
    """Command line; returns the exit code."""
    # A part of jsonschema that checks kinds of addresses, and which nothing here uses, takes longer to import than a
    # page to build; jsonschema does without it.
    sys.modules.setdefault("rfc3987_syntax", None)
    # pybtex looks through all installed packages for each part of each entry of the bibliography.
    importlib.metadata.entry_points = functools.cache(importlib.metadata.entry_points)
    from tools.pages import main as render

    return render()


if __name__ == "__main__":
    exit_code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)  # nobody needs the memory back, object by object
