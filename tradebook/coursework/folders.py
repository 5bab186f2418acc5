"""Make a folder as a whole or not at all: it is written beside its place and moved there in one step."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tradebook.errors import TradebookError

__all__ = ["in_place_of"]


@contextmanager
def in_place_of(target: Path, wrong: type[TradebookError]) -> Iterator[Path]:
    """A new folder beside `target` that becomes it if all goes well, and disappears if not.

    Raises
    ------
    TradebookError
        Of the kind `wrong`: if `target` cannot be written, or has appeared while the folder was made.
    """
    folder = None
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        yield folder
        mask = os.umask(0)
        os.umask(mask)
        folder.chmod(0o777 & ~mask)  # temporary folders are their maker's alone
        if os.path.lexists(target):
            raise wrong(f"{target} has appeared in the meantime and is left as it is: name another folder.")
        os.rename(folder, target)
        folder = None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise wrong(f"There is no room left for {target}: free some space, or name another place.") from error
        reason = error.strerror or type(error).__name__
        raise wrong(f"{target} cannot be written ({reason}): name a folder that you may write to.") from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
