"""What the package needs only where it runs in a browser, by Pyodide: fetching tables from the book's site."""

from __future__ import annotations

from pathlib import Path

__all__ = ["fetch"]


def fetch(path: Path, digest: str) -> None:
    """Fetch a table that is not there yet from the site that this page came from, and keep it at `path`.

    Parameters
    ----------
    path : Path
        Where the data package has the table.
    digest : str
        Its SHA-256 in hexadecimal; on the site the file carries the first digits in its name.
    """
    import pyodide_js
    from js import XMLHttpRequest

    request = XMLHttpRequest.new()
    # Not asynchronous: `load` is a plain function. The page itself is not held up, Python runs beside it.
    request.open("GET", f"{pyodide_js._api.config.indexURL}../data/{digest[:12]}-{path.name}", False)
    request.responseType = "arraybuffer"
    request.send()
    if request.status != 200:
        raise OSError(f"the site answered {request.status}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(request.response.to_bytes())
