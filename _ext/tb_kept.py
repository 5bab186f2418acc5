"""What is worked out from the text of pages, kept from one build to the next for the pages that stay as they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path


def worked_out(
    texts: Sequence[str], work: Callable[[str], object], recipe: str, folder: Path | None = None, workers: int = 1
) -> list:
    """What `work` makes of each text.

    Parameters
    ----------
    texts : sequence of str
        The texts.
    work : callable
        A function of a module (other processes must find it) that makes JSON of a text.
    recipe : str
        Whatever else the outcome depends on, such as the function's own code.
    folder : Path, optional
        Holds the outcomes of the last call and of no earlier one; without it nothing is kept.
    workers : int
        Processes at a time, where processes can be copied.
    """
    sums = [hashlib.sha256(f"{recipe}\n{text}".encode()).hexdigest() for text in texts]
    names = [f"{total[:24]}.json" for total in sums]
    before = {path.name for path in folder.glob("*.json")} if folder else set()
    found = {i: json.loads((folder / name).read_text("utf-8")) for i, name in enumerate(names) if name in before}
    missing = [i for i in range(len(texts)) if i not in found]
    if workers > 1 and len(missing) > 2 and "fork" in get_all_start_methods():
        with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
            found |= zip(missing, pool.map(work, [texts[i] for i in missing]), strict=True)
    else:
        found |= {i: work(texts[i]) for i in missing}
    for i in missing if folder else ():
        folder.mkdir(parents=True, exist_ok=True)
        part = (folder / names[i]).with_suffix(".part")
        part.write_text(json.dumps(found[i]), "utf-8")
        part.replace(folder / names[i])
    for name in before - set(names):
        (folder / name).unlink(missing_ok=True)
    return [found[i] for i in range(len(texts))]
