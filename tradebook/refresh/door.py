"""The one way out to a publisher, and the one way in for what it answers.

The publishers' clients ask through a `Door`, which stands where they would put their own session. It keeps to the
publisher's pace, repeats what may succeed the next time (with growing pauses, or the pause that the publisher asks
for), and hands an answer on only when it is complete, of bearable size and of the documented shape.
"""

from __future__ import annotations

import io
import ipaddress
import os
import random
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests

from tradebook.refresh.errors import AwayError, PassingError, RefreshError

MIRROR = "TRADEBOOK_REFRESH_MIRROR"
_PASSING = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Publisher:
    """Who publishes, under which host, and how the host wants to be asked.

    Attributes
    ----------
    pause : float
        Seconds between two requests.
    largest : int
        Bytes that one answer may have when it is unpacked.
    key : str
        Environment variable that holds the user's key, if the publisher gives keys.
    """

    name: str
    host: str
    client: str
    pause: float
    largest: int
    key: str = ""


@dataclass
class Around:
    """What a run takes from its surroundings; tests give their own."""

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    today: Callable[[], date] = date.today
    random: random.Random = field(default_factory=random.Random)
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    attempts: int = 5
    timeout: tuple[float, float] = (10.0, 60.0)  # to connect; between two pieces of an answer
    patience: float = 300.0  # for one answer from its first to its last byte, and for a pause that is asked for


class Door(requests.Session):
    """A session of `requests` that goes to one publisher only.

    Parameters
    ----------
    publisher : Publisher
    check : callable
        Gets the address and the bytes of each answer; raises `PassingError` if it is broken off, `RefreshError` if it
        is not what the publisher documents.
    around : Around
    """

    def __init__(self, publisher: Publisher, check: Callable[[str, bytes], None], around: Around) -> None:
        super().__init__()
        self.publisher, self._check, self._around = publisher, check, around
        self._mirror = _mirror(around.environ)
        self.trust_env = not self._mirror  # no proxy on the way to this machine
        self._last = -1e9
        self.requests = 0
        self.headers["User-Agent"] = "tradebook refresh"

    def send(self, request: requests.PreparedRequest, **options) -> requests.Response:
        """Send one request, as often as needed, and return an answer that has been read and checked."""
        asked = urlsplit(request.url)
        if asked.scheme != "https" or asked.hostname != self.publisher.host:
            raise RefreshError(f"A request for {self.publisher.name} would go to another host; it was not sent.")
        if self._mirror:
            request.url = f"{self._mirror}/{asked.hostname}{asked.path}" + (f"?{asked.query}" if asked.query else "")
        options |= {"timeout": self._around.timeout, "stream": True, "allow_redirects": False}
        for attempt in range(1, self._around.attempts + 1):
            self._keep_pace()
            try:
                return self._once(request, asked.path, options)
            except PassingError as error:
                problem, wait = str(error), error.wait
            if attempt == self._around.attempts:
                break
            self._around.sleep(self._pause(attempt, wait))
        raise AwayError(
            f"{self.publisher.name} ({self.publisher.host}) {problem}, {self._around.attempts} times in a row; nothing "
            "was changed, and what was fetched before is kept: run the command again later."
        )

    def _once(self, request: requests.PreparedRequest, path: str, options: dict) -> requests.Response:
        self.requests += 1
        try:
            with super().send(request, **options) as response:
                self._check_status(response)
                body = self._read(response)
        except requests.Timeout:
            raise PassingError("did not answer in time") from None
        except requests.ConnectionError as error:
            # urllib3 reports a pause between two pieces of an answer as a broken connection.
            slow = "timed out" in str(error).lower()
            raise PassingError("did not answer in time" if slow else "cannot be reached") from None
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError, zlib.error):
            raise PassingError("broke off its answer") from None
        self._check(path, body)
        whole = requests.Response()  # the one above has been read, and requests reads no answer twice
        whole.status_code, whole.url, whole.request = 200, response.url, request
        whole.headers["Content-Type"] = response.headers.get("Content-Type", "")
        whole.raw, whole.encoding = io.BytesIO(body), "utf-8"
        return whole

    def _check_status(self, response: requests.Response) -> None:
        status, name = response.status_code, self.publisher.name
        if status == 200:
            return
        if status in _PASSING:
            raise PassingError(f"answered with status {status}", self._retry_after(response))
        self.cookies.clear()
        if status in (401, 403):
            said = response.raw.read(2000, decode_content=True).decode("utf-8", "replace").lower()
            if "quota" in said:
                raise AwayError(
                    f"{name} allows no more requests for now (its quota is used up); nothing was changed, and what "
                    "was fetched is kept: run the command again tomorrow."
                )
            hint = f"check the key in {self.publisher.key}" if self.publisher.key else "run the command again later"
            raise AwayError(f"{name} refuses the request (status {status}); {hint}.")
        if 300 <= status < 400:
            raise RefreshError(f"{name} sends the request on to another address, which is not followed; see its news.")
        raise RefreshError(f"{name} answered with status {status}; its interface may have changed, see its news.")

    def _retry_after(self, response: requests.Response) -> float | None:
        """Seconds that the publisher asks to wait: a number, or a date, in the header Retry-After."""
        text = response.headers.get("Retry-After", "").strip()
        if text.isdigit():
            wait = float(text[:9])
        else:
            try:
                wait = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
            except (TypeError, ValueError):
                return None
        if wait > self._around.patience:
            raise AwayError(
                f"{self.publisher.name} asks to wait {wait / 60:.0f} minutes; nothing was changed, and what was "
                "fetched is kept: run the command again after that."
            )
        return max(0.0, wait)

    def _read(self, response: requests.Response) -> bytes:
        """The unpacked body, as long as it is not too large and does not take too long."""
        parts, size, end = [], 0, self._around.clock() + self._around.patience
        for part in response.iter_content(1 << 16):
            size += len(part)
            if size > self.publisher.largest:
                raise RefreshError(
                    f"{self.publisher.name} sent more than {self.publisher.largest >> 20} MB in one answer, which no "
                    "table needs; nothing was kept."
                )
            if self._around.clock() > end:
                raise PassingError("did not answer in time")
            parts.append(part)
        return b"".join(parts)

    def _keep_pace(self) -> None:
        rest = self._last + self.publisher.pause - self._around.clock()
        if rest > 0:
            self._around.sleep(rest)
        self._last = self._around.clock()

    def _pause(self, attempt: int, wait: float | None) -> float:
        """1, 2, 4, 8 … seconds, up to half as much again by chance, and not less than was asked for."""
        grown = 2.0 ** (attempt - 1) * (1 + self._around.random.random() / 2)
        return max(grown, wait or 0.0)


def _mirror(environ: dict[str, str]) -> str:
    """Address on this machine that stands for all publishers, from the environment; empty if there is none."""
    address = environ.get(MIRROR, "").rstrip("/")
    if not address:
        return ""
    host = urlsplit(address).hostname or ""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise RefreshError(f"{MIRROR} must be an address on this machine, such as http://127.0.0.1:8000; correct it.")
    return address
