"""Command line of the extraction: ``python -m tools.extract --raw DIR [table ...]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.extract import (  # noqa: F401  (each declares its tables)
    TABLES,
    build,
    classifications,
    companies,
    cooperation,
    hightech,
    macro,
    trade,
    world,
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.extract", description=__doc__)
    parser.add_argument("--raw", type=Path, required=True, help="folder with trade/ and macro/")
    parser.add_argument("tables", nargs="*", metavar="table", help="only these (default: all)")
    options = parser.parse_args()
    unknown = sorted(set(options.tables) - set(TABLES))
    if unknown:
        print(f"No table is called {', '.join(unknown)}; known: {', '.join(TABLES)}.", file=sys.stderr)
        return 2
    if not (options.raw / "trade").is_dir() or not (options.raw / "macro").is_dir():
        print(f"{options.raw} has no trade/ and macro/ folders: point --raw at them.", file=sys.stderr)
        return 2
    build(options.tables, options.raw)
    return 0


if __name__ == "__main__":
    sys.exit(main())
