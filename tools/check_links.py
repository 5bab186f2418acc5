"""Ask every address outside the book whether it still answers: ``python -m tools.check_links [folder]``.

Needs a network, so no test and no build runs it; a workflow does, once a week. An address is gone if its server says
so (404, 410) or if there is no such server, twice. Other answers are listed as unclear: many publishers refuse
programs, or are slow.
"""

from __future__ import annotations

import argparse
import html
import re
import ssl
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.environment import BUILD, say

_LINK = re.compile(r'<a\b[^>]*\bhref="(https?://[^"#]+)')
_AGENT = "Mozilla/5.0 (compatible; tradebook link check)"
GONE = {404, 410}


def outside_links(site: Path) -> dict[str, list[str]]:
    """The addresses outside the book that readers may follow, each with the pages that name it."""
    found: dict[str, list[str]] = {}
    for path in sorted(site.rglob("*.html")):
        page = path.relative_to(site).as_posix()
        if page.startswith(("_", "lite/")):
            continue
        for address in sorted(set(map(html.unescape, _LINK.findall(path.read_text("utf-8"))))):
            found.setdefault(address, []).append(page)
    return found


def ask(address: str, timeout: float) -> tuple[str, str]:
    """What an address answers: ``ok``, ``gone`` or ``unclear``, and the answer itself."""
    for method in ("HEAD", "GET"):
        request = urllib.request.Request(address, method=method, headers={"User-Agent": _AGENT, "Accept": "*/*"})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return "ok", str(answer.status)
        except urllib.error.HTTPError as error:
            if method == "GET":  # some servers do not know HEAD
                return ("gone" if error.code in GONE else "unclear"), f"{error.code} {error.reason}"
        except urllib.error.URLError as error:
            if isinstance(error.reason, (ssl.SSLError, TimeoutError)):
                return "unclear", str(error.reason)
            if method == "GET":
                return "gone", str(error.reason)
        except (OSError, ValueError) as error:
            if method == "GET":
                return "unclear", str(error) or type(error).__name__
    raise AssertionError("not reached: the last method always returns")


def check(addresses: list[str], timeout: float = 20, wait: float = 30, workers: int = 8) -> dict[str, tuple[str, str]]:
    """Ask all addresses; those that seem gone are asked again after a while."""
    with ThreadPoolExecutor(workers) as pool:
        answers = dict(zip(addresses, pool.map(lambda a: ask(a, timeout), addresses), strict=True))
        doubtful = [address for address, (kind, _) in answers.items() if kind == "gone"]
        if doubtful:
            time.sleep(wait)
            answers |= dict(zip(doubtful, pool.map(lambda a: ask(a, timeout), doubtful), strict=True))
    return answers


def main(arguments: list[str] | None = None) -> int:
    """Command line: exit code 1 if an address is gone."""
    parser = argparse.ArgumentParser(prog="python -m tools.check_links", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=BUILD / "html", help="default: _build/html")
    parser.add_argument("--wait", type=float, default=30, help="seconds before a second try (default: 30)")
    options = parser.parse_args(arguments)
    links = outside_links(options.folder)
    if not links:
        print(f"There is no built book with links in {options.folder}: build it first (make book).", file=sys.stderr)
        return 1
    answers = check(list(links), wait=options.wait)
    kinds = {kind: [a for a, (k, _) in answers.items() if k == kind] for kind in ("ok", "unclear", "gone")}
    for kind in ("unclear", "gone"):
        for address in kinds[kind]:
            say(f"{kind}: {address} ({answers[address][1]}), on {', '.join(links[address][:3])}")
    ok, unclear, gone = (len(kinds[kind]) for kind in ("ok", "unclear", "gone"))
    say(f"{len(links)} addresses: {ok} answer, {unclear} unclear, {gone} gone.")
    return 1 if kinds["gone"] else 0


if __name__ == "__main__":
    sys.exit(main())
