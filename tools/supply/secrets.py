"""Look for keys, passwords and tokens in the files of the repository: ``python -m tools.supply secrets [--history]``.

The patterns are those of detect-secrets, for the keys of some twenty services; what its list lacks stands here. Long
random values are looked for only where a name says that they are secret (``api_key = "…"``): the repository is
full of checksums. With ``--history`` every version of every file is read that git has.
"""

from __future__ import annotations

import math
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.environment import ROOT, ToolError

# Public addresses of computers are no secrets. Keys of IBM's services are known by the name before them alone, so the
# rule for named values finds them as well, and sooner.
_LEFT_OUT = {"Public IP (ipv4)", "IBM Cloud IAM Key", "IBM COS HMAC Credentials", "SoftLayer Credentials"}
_LEFT_OUT |= {"Cloudant Credentials"}
_MORE = {
    "Google API key": r"AIza[0-9A-Za-z_\-]{35}",
    "GitHub fine-grained token": r"github_pat_[0-9A-Za-z_]{60,}",
    "key of a language model": r"sk-(?:proj|ant|or|svcacct)-[0-9A-Za-z_\-]{20,}",
    "private key": r"-----BEGIN (?:ENCRYPTED |\w+ )?PRIVATE KEY",
    "Google service account": r'"private_key_id"\s*:\s*"[0-9a-f]{40}"',
}
_NAMED = re.compile(r"""(?i)(?:key|token|secret|passwd|password|pwd)["']?\s*(?:=|:|:=)\s*["']?([0-9a-z+/=_\-]{20,})""")
_TIMEOUT = 600


@dataclass(frozen=True)
class Finding:
    """Something that looks like a secret; the value itself is not kept."""

    where: str
    line: int
    kind: str

    def __str__(self) -> str:
        return f"{self.where}, line {self.line}: {self.kind}"


@cache
def patterns() -> dict[str, list[re.Pattern[str]]]:
    """What is looked for, by kind."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector

    found = {}
    for kind, plugin in get_mapping_from_secret_type_to_class().items():
        if issubclass(plugin, RegexBasedDetector) and kind not in _LEFT_OUT:
            found[kind] = list(plugin().denylist)
    return found | {kind: [re.compile(pattern)] for kind, pattern in _MORE.items()}


def entropy(value: str) -> float:
    """Bits per character of a string by the frequency of its characters (Shannon)."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())


def is_random(value: str) -> bool:
    """Whether a value looks like a key: kinds of characters mixed, many different ones, and not in their order."""
    digits, upper, lower = (len(re.findall(kind, value)) for kind in ("[0-9]", "[A-Z]", "[a-z]"))
    mixed = (digits > 2 and upper + lower > 2) or min(digits, upper, lower) > 0
    return mixed and "0123456789" not in value and entropy(value) > 3.2


def find(text: str, where: str = "") -> list[Finding]:
    """What looks like a secret in a text."""
    found = set()
    for kind, several in patterns().items():
        for pattern in several:
            found |= {(match.start(), kind) for match in pattern.finditer(text)}
    for match in _NAMED.finditer(text):
        if is_random(match[1]):
            found.add((match.start(), "a random value under the name of a secret"))
    return [Finding(where, text.count("\n", 0, start) + 1, kind) for start, kind in sorted(found)]


def text_of(content: bytes) -> str | None:
    """A file as text; None if it is none (pictures, Parquet files)."""
    if b"\0" in content[:8000]:
        return None
    return content.decode("utf-8", "replace")


def in_files(paths: Iterable[Path], base: Path = ROOT) -> list[Finding]:
    """What looks like a secret in files."""
    found = []
    for path in paths:
        if (text := text_of(path.read_bytes())) is not None:
            found += find(text, path.relative_to(base).as_posix())
    return found


def tracked(root: Path = ROOT) -> list[Path]:
    """The files that git keeps in a folder, and those that it would."""
    names = _git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z").decode().split("\0")
    return [root / name for name in names if name and (root / name).is_file()]


def _git(root: Path, *command: str, given: bytes | None = None) -> bytes:
    try:
        run = subprocess.run(
            ["git", *command], cwd=root, input=given, capture_output=True, check=True, timeout=_TIMEOUT
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise ToolError(f"{root} has no history: run this in a clone of the repository, with git installed.") from error
    return run.stdout


def versions(root: Path = ROOT) -> Iterator[tuple[str, bytes]]:
    """Every version of every file of the history, and every message of a commit or tag, each once."""
    names: dict[str, str] = {}
    for line in _git(root, "rev-list", "--objects", "--all", "--no-object-names").decode().splitlines():
        names.setdefault(line, "")
    for line in _git(root, "rev-list", "--objects", "--all").decode().splitlines():
        key, _, name = line.partition(" ")
        names[key] = name
    for reference in _git(root, "for-each-ref", "--format=%(objectname)").decode().split():
        names.setdefault(reference, "")
    content = _git(root, "cat-file", "--batch", given="\n".join(names).encode() + b"\n")
    at = 0
    while at < len(content):
        head, _, _ = content[at : at + 200].partition(b"\n")
        key, kind, size = head.decode().split()
        start = at + len(head) + 1
        if kind != "tree":
            yield f"{names[key] or kind} ({key[:10]})", content[start : start + int(size)]
        at = start + int(size) + 1


def in_history(root: Path = ROOT) -> tuple[list[Finding], int]:
    """What looks like a secret in the history, and how many texts were read."""
    found, read = [], 0
    for where, content in versions(root):
        if (text := text_of(content)) is not None:
            found += find(text, where)
            read += 1
    return found, read
