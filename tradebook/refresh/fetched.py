"""What has been fetched so far: kept piece by piece, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from datetime import date
from pathlib import Path

import pandas as pd

from tradebook.refresh.files import checksum, write

KEPT_DAYS = 2  # older pieces would be mixed with newer ones of another state of the publisher's data


class Fetched:
    """The pieces of one table, in a folder with a state file that holds their checksums.

    Parameters
    ----------
    folder : Path
    edition : str
        What the publisher calls the state of its data. Pieces of another edition are dropped, never mixed in.
    today : date
    """

    def __init__(self, folder: Path, edition: str, today: date) -> None:
        self._folder, self._file = folder, folder / "state.json"
        self.damaged = 0
        self._state = {"edition": edition, "started": today.isoformat(), "pieces": {}}
        try:
            before = json.loads(self._file.read_text("utf-8"))
            age = (today - date.fromisoformat(before["started"])).days
            if before["edition"] == edition and 0 <= age <= KEPT_DAYS and isinstance(before["pieces"], dict):
                self._state = before
                return
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError):
            self.damaged += 1
        self.clear()

    def get(self, piece: dict) -> pd.DataFrame | None:
        """Rows of a piece that was fetched before; None if there are none, or the file is not what was written."""
        name = _name(piece)
        known = self._state["pieces"].get(name)
        if known is None:
            return None
        try:
            content = (self._folder / name).read_bytes()
        except OSError:
            content = b""
        if checksum(content) != known:
            self.damaged += 1
            return None
        return pd.read_parquet(io.BytesIO(content))

    def put(self, piece: dict, rows: pd.DataFrame) -> None:
        """Keep the rows of a piece."""
        buffer = io.BytesIO()
        rows.to_parquet(buffer, compression="zstd", index=False)
        write(self._folder / _name(piece), buffer.getvalue())
        self._state["pieces"][_name(piece)] = checksum(buffer.getvalue())
        write(self._file, json.dumps(self._state, indent=1).encode())

    def clear(self) -> None:
        """Forget everything."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _name(piece: dict) -> str:
    """File name of a piece, from what was asked for."""
    asked = json.dumps(piece, sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:24] + ".parquet"
