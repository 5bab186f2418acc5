"""Files that are whole or not there: written beside their place, then moved in; and one run at a time."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from tradebook.refresh.errors import RefreshError

PART = ".part-"


def write(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that an interruption leaves what was there before."""
    part = path.with_name(PART + path.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        reason = (
            f"{path} cannot be written ({error.strerror}); free some disk or see to the folder's rights, and repeat."
        )
        raise RefreshError(reason) from None


def checksum(content: bytes) -> str:
    """Checksum in the form of the data package."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def table_bytes(frame: pd.DataFrame, format: str) -> bytes:
    """A table as the data package stores it: Parquet, or CSV in UTF-8 with plain line ends."""
    if format == "parquet":
        buffer = io.BytesIO()
        frame.to_parquet(buffer, compression="zstd", compression_level=19, index=False)
        return buffer.getvalue()
    return frame.to_csv(index=False, lineterminator="\n").encode("utf-8")


def sweep(folder: Path) -> None:
    """Remove what an interrupted run left half written at or below a folder."""
    for part in list(folder.rglob(PART + "*")):
        shutil.rmtree(part) if part.is_dir() else part.unlink()


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, or say that another run holds it; the end of a process frees it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = open(folder / ".lock", "a+b")  # noqa: SIM115 (only opening it may fail in this way)
    except OSError as error:
        raise RefreshError(f"{folder} cannot be written ({error.strerror}); new data are kept there.") from None
    with handle:
        if not _lock(handle):
            raise RefreshError("Another refresh of these data is running; wait for its end, then repeat the command.")
        yield


if os.name == "nt":
    import msvcrt

    def _lock(handle) -> bool:
        handle.seek(0)
        try:
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(handle) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
