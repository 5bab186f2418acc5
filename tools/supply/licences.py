"""Under which licence each package may be used, and what its licence asks to be passed on.

The licence of a package is read from its own metadata: the licence expression where it gives one, else its licence
field or classifiers, and for “BSD” the text of the licence itself. ``licences.toml`` says it where the metadata do not,
and which licences the book accepts.
"""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from license_expression import ExpressionError, ExpressionParseError, Licensing, get_spdx_licensing
from packaging.utils import canonicalize_name

from tools.environment import LOCK, ROOT, ToolError

FOLDER = Path(__file__).parent
SETTINGS = FOLDER / "licences.toml"
FIELDS = ("License-Expression", "License", "Classifier")  # where metadata name a licence
_PIN = re.compile(r"^([\w.\-]+)==([^\s;\\]+)(?: ; ([^\\\n]+?))?(?: \\)?$", re.M)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_TEXT_FILE = re.compile(r"(?i)^(?:un)?(?:licen[cs]e|copying|notice|authors)[\w.\-]*$")
# Classifiers and free words that mean one licence; “BSD” may mean two.
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "SIL Open Font License 1.1 (OFL-1.1)": "OFL-1.1",
    "Historical Permission Notice and Disclaimer (HPND)": "HPND",
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
}
_COPYRIGHT = re.compile(
    r"^(?P<before>[ \t*#/\-]*(?:MIT License )?)"
    r"(?P<notice>(?:©|copyright\b:?[ \t]*(?:\(c\)|©|(?=[\d<]{4}))|\(c\) (?=\d{4})).*\w.*)"
    r"(?P<more>(?:\n(?P=before)[ \t]+\w.*){0,2})",
    re.I | re.M,
)


@cache
def settings() -> dict:
    """What ``licences.toml`` says."""
    return tomllib.loads(SETTINGS.read_text("utf-8"))


@cache
def locked(path: Path = LOCK) -> dict[str, tuple[str, tuple[str, ...], str]]:
    """Version, SHA-256 sums and marker of each package of a lock, by name."""
    found = {}
    for block in re.split(r"\n(?=[A-Za-z0-9])", path.read_text("utf-8")):
        if match := _PIN.search(block):
            found[canonicalize_name(match[1])] = (match[2], tuple(sorted(_HASH.findall(block))), match[3] or "")
    return dict(sorted(found.items()))


def installed(name: str) -> Distribution | None:
    """The installed package of this name; None where another system or Python needs it."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


@cache
def _spdx() -> Licensing:
    return get_spdx_licensing()


@cache
def parsed(expression: str):
    """An SPDX expression, taken apart; None if it is none."""
    if not expression or "\n" in expression:
        return None
    try:
        return _spdx().parse(expression, validate=True, simple=True)
    except (ExpressionError, ExpressionParseError):
        return None


def is_accepted(expression: str, accepted: set[str]) -> bool:
    """Whether licences from this list are enough: of alternatives one, of several that apply together all."""

    def check(node) -> bool:
        if type(node).__name__ == "AND":
            return all(map(check, node.args))
        if type(node).__name__ == "OR":
            return any(map(check, node.args))
        return str(node) in accepted

    return (tree := parsed(expression)) is not None and check(tree)


def licence_from(fields: dict[str, list[str]], texts: list[str]) -> str | None:
    """The SPDX expression that a package's metadata give; None if they leave it open.

    Parameters
    ----------
    fields : dict of list of str
        Values of ``License-Expression``, ``License`` and ``Classifier``.
    texts : list of str
        Texts of its licence files.
    """
    for value in fields.get("License-Expression", []) + fields.get("License", []):
        if (tree := parsed(value.strip())) is not None:
            return str(tree)
    words = [one.rpartition(" :: ")[2] for one in fields.get("Classifier", []) if one.startswith("License ::")]
    words = [one for one in words if one != "OSI Approved"] or [one.strip() for one in fields.get("License", [])]
    if len(words) == 1 and words[0] in _CLASSIFIERS:
        return _CLASSIFIERS[words[0]]
    if words == ["BSD License"]:
        return bsd_of(texts)
    return None


def bsd_of(texts: list[str]) -> str | None:
    """Which of the two BSD licences a text is."""
    kinds = set()
    for text in (" ".join(one.split()) for one in texts):
        if "Redistribution and use in source and binary forms" in text:
            third = re.search(r"(?:endorse or promote|names? of .{0,120} may not be used)", text, re.I)
            kinds.add("BSD-3-Clause" if third else "BSD-2-Clause")
    return kinds.pop() if len(kinds) == 1 else None


def texts_of(package: Distribution) -> dict[str, str]:
    """The licence files that a package has installed, by name, and notices that belong to them."""
    found = {}
    for file in package.files or ():
        beside = ".dist-info" in file.parts[0]
        if beside and _TEXT_FILE.match(file.name) and (path := Path(package.locate_file(file))).is_file():
            found[file.name if file.name not in found else "/".join(file.parts[1:])] = read_text(path.read_bytes())
    if not found and len(whole := package.metadata.get("License") or "") > 400:  # the text stands in the metadata
        found["License"] = re.sub(r"^ {8}", "", whole, flags=re.M) + "\n"
    return dict(sorted(found.items()))


def read_text(content: bytes) -> str:
    """A licence file as text, with the line ends and the white space of all others."""
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    return re.sub(r"[ \t]+$", "", text, flags=re.M).strip("\n") + "\n"


@cache
def licence_of(name: str) -> str:
    """The licence of a locked package as SPDX expression.

    Raises
    ------
    ToolError
        Neither the package nor ``licences.toml`` says it.
    """
    if name in settings()["packages"]:
        return settings()["packages"][name]
    package = installed(name)
    if package is None:
        raise ToolError(f"{name} is not installed here: name its licence in tools/supply/licences.toml.")
    fields = {key: package.metadata.get_all(key) or [] for key in FIELDS}
    if found := licence_from(fields, list(texts_of(package).values())):
        return found
    raise ToolError(
        f"{name} does not say its licence in a known form: read it, and name it in tools/supply/licences.toml."
    )


def holders(text: str) -> list[str]:
    """The copyright notices of a licence text, each once; lines that are indented further belong to the one above."""
    found = []
    for match in _COPYRIGHT.finditer(text):
        whole = " ".join((match["notice"] + match["more"]).split())
        line = re.split(r"[;,.]? *all rights reserved", whole, flags=re.I)[0]
        found.append(line.rstrip(" .,;*/"))
    return list(dict.fromkeys(line for line in found if line and len(line) < 200))


def refusals(accepted: set[str], exceptions: dict[str, str], names: list[str]) -> list[str]:
    """What speaks against packages: a licence that is not known, or not accepted and not excepted with a reason."""
    found = []
    for name in names:
        try:
            licence = licence_of(name)
        except ToolError as error:
            found.append(str(error))
            continue
        if not is_accepted(licence, accepted) and not exceptions.get(name, "").strip():
            found.append(
                f"{name} is under {licence}, which the book does not accept: replace it, or say why it may stay."
            )
    return found


def standard_text(identifier: str) -> str:
    """The text of a common licence, as a package of the lock or this repository has it."""
    owner, _, part = settings()["texts"][identifier].partition(":")
    if owner == "repository":
        text = read_text((ROOT / part).read_bytes())
        return re.sub(r"^(MIT License\n\n)?Copyright .*\n\n", r"\1", text) if identifier == "MIT" else text
    package = installed(owner)
    found = texts_of(package) if package else {}
    if part not in found:
        raise ToolError(
            f"{owner} has no file {part}: name another place of {identifier} in tools/supply/licences.toml."
        )
    return found[part]


def as_json(value: object) -> str:
    """JSON that is the same every time."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
