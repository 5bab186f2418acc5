"""Check the stored notebooks: ``python -m tools.check_notebooks [notebook …]``.

Nothing is run. Every code cell must have run, in order, without an error or a warning, and the
outputs must belong to the code; no output may name a path of the machine, and every figure must
show something and say what it shows. Cells longer than 15 lines are pointed out but do not fail.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from tools.check_site import FIGURE_CLASS, MACHINE_PATH, css_targets, figure_problems, parse
from tools.environment import ROOT, notebooks, say
from tools.execute import code_digest

LONGEST_CELL = 15
_GLUE = "application/papermill.record/"
_PICTURES = {"image/png", "image/jpeg", "image/svg+xml"}
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}|<Figure size ")
_REMOTE = re.compile(r"^(?:https?:)?//", re.I)


def _outputs(cell) -> list[tuple[str, str]]:
    """Kind and text of everything that a cell has put out; a glued output counts as what it is."""
    found = []
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            found.append((output["name"], output["text"]))
        elif output["output_type"] == "error":
            found.append(("error", f"{output['ename']}: {output['evalue']}"))
        else:
            found.extend((kind.removeprefix(_GLUE), str(text)) for kind, text in output["data"].items())
    return found


def _output_problems(kind: str, text: str) -> list[str]:
    if kind == "error":
        return [f"ended with an error ({text.splitlines()[0]})"]
    if kind in _PICTURES:
        return [f"puts out a bare {kind}: show figures with tradebook.charts.show, which adds description and data"]
    problems = []
    if kind == "stderr":
        problems.append(f"prints a warning: “{text.strip().splitlines()[0]}”" if text.strip() else "prints to stderr")
    if match := MACHINE_PATH.search(text):
        problems.append(f"puts out a path of the machine ({match[0]})")
    if str(ROOT) in text:
        problems.append("puts out the path of the folder it ran in")
    if match := _ADDRESS.search(text):
        problems.append(f"puts out what differs from run to run or says nothing (“{match[0]}”)")
    if kind == "text/html":
        page = parse(text)
        problems += figure_problems(page)
        strange = re.findall(rf'<figure(?! class="(?:{FIGURE_CLASS}|tb-table)")', text)
        if strange:
            problems.append(
                f'has a <figure> that is neither "{FIGURE_CLASS}" nor "tb-table": show figures with '
                "tradebook.charts.show and tables with tradebook.tables.show"
            )
        if not page.figures and any(source for source, _ in page.images):
            problems.append("has a picture outside a figure of the house: show figures with tradebook.charts.show")
        loaded = page.resources + [address for style in page.styles for address in css_targets(style)]
        problems += [f"fetches something from another site ({one})" for one in loaded if _REMOTE.match(one)]
    return problems


def problems(path: Path) -> tuple[list[str], list[str]]:
    """Faults of a notebook, and remarks that do not fail the check."""
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # nbformat raises several kinds for a damaged file
        return [f"is not a valid notebook ({type(error).__name__}): restore it from the repository"], []
    faults, remarks, count = [], [], 0
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        where = f"cell {number}"
        if match := MACHINE_PATH.search(cell.source):
            faults.append(f"{where} names a path of the machine ({match[0]})")
        if "skip-execution" in cell.metadata.get("tags", []):
            continue
        count += 1
        if cell.execution_count is None:
            faults.append(f"{where} has not been executed")
        elif cell.execution_count != count:
            faults.append(f"{where} was executed out of order (number {cell.execution_count} instead of {count})")
        for kind, text in _outputs(cell):
            faults += [f"{where} {problem}" for problem in _output_problems(kind, text)]
        lines = len([line for line in cell.source.splitlines() if line.strip()])
        if lines > LONGEST_CELL:
            remarks.append(f"{where} has {lines} lines of code: could it be shorter than {LONGEST_CELL + 1}?")
    if notebook.metadata.get("tradebook", {}).get("executed_code") != code_digest(notebook):
        faults.append("its code was changed after it was executed: run `make execute`")
    return faults, remarks


def main(arguments: list[str] | None = None) -> int:
    """Command line: check the notebooks named, or all chapters."""
    parser = argparse.ArgumentParser(prog="python -m tools.check_notebooks", description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all notebooks in chapters/")
    paths = parser.parse_args(arguments).notebooks or notebooks()
    if not paths:
        print("There is no notebook to check in chapters/: name one.", file=sys.stderr)
        return 1
    total = 0
    for path in paths:
        faults, remarks = problems(path)
        total += len(faults)
        for remark in remarks:
            say(f"  {path.name}: {remark} (remark)")
        for fault in faults:
            say(f"  {path.name}: {fault}")
    if total:
        print(
            f"Problems in the notebooks: {total}, listed above. Correct them and run `make execute`.",
            file=sys.stderr,
        )
        return 1
    say(f"{len(paths)} notebooks: executed in order, no errors or warnings, every figure described.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
