"""The packages that a fork needs, at the versions that the book pins: what its code imports, and what that needs.

Names and dependencies are read from what is installed; versions and platforms from the book's requirements.txt. A
dependency that only another system needs (Windows, macOS) is kept with its condition, as the book's own list has it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

from tradebook.errors import TradebookError

__all__ = ["PinsError", "imported", "modules_needed", "read_pins", "requirements"]

_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;#]+)[ \t]*(;[^#\n]+)?", re.M)
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][\w.-]*)\s*(?:\[([^\]]+)\])?[^;]*(?:;(.*))?$")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


class PinsError(TradebookError):
    """The packages of a fork cannot be told."""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(path: Path) -> dict[str, str]:
    """Name of each package of a requirements.txt → its whole requirement: ``{"pandas": "pandas==3.1.1", …}``."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise PinsError(f"{path.name} is missing: restore it from the book's repository.") from None
    return {
        _normal(name): f"{name}=={version}" + (f" {condition.strip()}" if condition else "")
        for name, version, condition in _PIN.findall(text)
    }


@cache
def imported(source: str) -> frozenset[str]:
    """Full names of all modules that code imports, also inside functions; a relative import does not occur here."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def modules_needed(sources: Iterable[str], package: Path) -> dict[str, Path]:
    """The modules of a package that code needs, and what those need: name → file.

    Parameters
    ----------
    sources : iterable of str
        Code that imports from the package.
    package : Path
        Folder of the package, for instance ``…/tradebook``.
    """
    files = {}
    for path in sorted(package.rglob("*.py")):
        parts = [package.name, *path.relative_to(package).with_suffix("").parts]
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    found: dict[str, Path] = {}
    waiting = [name for source in sources for name in imported(source)]
    while waiting:
        name = waiting.pop()
        # What a module stands in is loaded with it: for tradebook.checks.facts also tradebook.checks.
        for depth in range(1, name.count(".") + 2):
            part = ".".join(name.split(".")[:depth])
            if part in files and part not in found:
                found[part] = files[part]
                waiting += imported(files[part].read_text("utf-8"))
    return dict(sorted(found.items()))


@cache
def _carriers() -> dict[str, list[str]]:
    """Top-level module → the packages that bring it."""
    return {module: sorted({_normal(d) for d in names}) for module, names in metadata.packages_distributions().items()}


def requirements(sources: Iterable[str], extra: Iterable[str], pins: dict[str, str]) -> dict[str, list[str]]:
    """The pins that code needs, directly and through other packages.

    Parameters
    ----------
    sources : iterable of str
        Code whose imports count.
    extra : iterable of str
        Packages that are needed without being imported, such as JupyterLab.
    pins : dict
        What `read_pins` returned.

    Returns
    -------
    dict
        ``"direct"`` and ``"indirect"``: requirements in alphabetical order.

    Raises
    ------
    PinsError
        If something that is needed is not pinned.
    """
    tops = {name.split(".")[0] for source in sources for name in imported(source)}
    direct = {_normal(name) for name in extra}
    for top in tops - set(sys.stdlib_module_names):
        direct |= {name for name in _carriers().get(top, []) if name in pins}
    strange = sorted(direct - set(pins))
    if strange:
        raise PinsError(f"requirements.txt of the book does not pin {', '.join(strange)}, which a fork needs: add it.")
    found: set[str] = set()
    waiting = [(name, frozenset()) for name in direct]
    seen = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found.add(name)
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # of another system: such packages need nothing more
        for need in needs:
            match = _REQUIREMENT.match(need.strip())
            condition = match[3] or ""
            wanted = set(_EXTRA.findall(condition))
            needed = _normal(match[1])
            # Whether a condition on the system holds is what the pin itself says.
            if needed in pins and (not wanted or wanted & extras):
                waiting.append((needed, frozenset(e.strip() for e in (match[2] or "").split(",") if e.strip())))
    return {
        "direct": [pins[name] for name in sorted(direct)],
        "indirect": [pins[name] for name in sorted(found - direct)],
    }
