"""Trade in goods by partner (IMTS, the successor of the Direction of Trade Statistics), through `sdmx1`.

The values are plain US dollars: the attribute SCALE only says how the IMF's own site shows them.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator
from datetime import date

import pandas as pd

from tradebook.refresh.door import Around, Door, Publisher
from tradebook.refresh.errors import PassingError, RefreshError, plain
from tradebook.refresh.payload import changed

IMF = Publisher("The IMF", "api.imf.org", "sdmx1", pause=1.0, largest=256 << 20)
_NAME = IMF.name
FLOW = "IMF.STA,IMTS,1.0.0"
FLOWS = {"XG_FOB_USD": "export", "MG_CIF_USD": "import"}
#: The IMF's codes for what ISO 3166 or the book calls otherwise.
ALIASES = {"G001": "WLD", "WBG": "PSE", "KOS": "XKX"}


class Imts:
    """Trade by partner as the named economies report it: one piece for each reporter."""

    publisher = IMF

    def __init__(self, reporters: list[str], first: int, around: Around) -> None:
        self._reporters, self._first, self._around = reporters, first, around
        self._door = Door(IMF, _check, around)

    def edition(self) -> date:
        """Today: the IMF takes in new reports every month, and does not number them."""
        return self._around.today()

    def pieces(self) -> list[dict]:
        """What is to be asked for."""
        return [{"reporter": code, "first": self._first} for code in self._reporters]

    def fetch(self, piece: dict) -> pd.DataFrame:
        """Rows `reporter, partner, flow, year, value_musd` of one reporter; the IMF's regions are left out."""
        theirs = {ours: code for code, ours in ALIASES.items()}
        key = f"{theirs.get(piece['reporter'], piece['reporter'])}.{'+'.join(FLOWS)}..A"
        params = {"startPeriod": str(piece["first"])}
        rows = []
        with self._client() as client:
            message = client.data(FLOW, key=key, params=params)
            for dataset in message.data:
                rows += [row for row in (self._row(obs, piece) for obs in dataset.obs) if row]
        frame = pd.DataFrame(rows, columns=["reporter", "partner", "flow", "year", "value_musd"])
        if frame.duplicated(["partner", "flow", "year"]).any():
            raise changed(_NAME, f"a flow of {piece['reporter']} comes twice")
        return frame

    def _row(self, obs, piece: dict) -> tuple | None:
        about = {name: str(part.value) for name, part in obs.key.values.items()}
        try:
            reporter, flow = about["COUNTRY"], about["INDICATOR"]
            partner, year = about["COUNTERPART_COUNTRY"], about["TIME_PERIOD"]
        except KeyError as error:
            raise changed(_NAME, f"no {error.args[0]}") from None
        if ALIASES.get(reporter, reporter) != piece["reporter"] or about.get("FREQUENCY") != "A" or flow not in FLOWS:
            raise changed(_NAME, f"something else than was asked for came for {piece['reporter']}")
        if obs.value is None:
            return None
        try:
            value = float(str(obs.value))
        except ValueError:
            raise changed(_NAME, f"a value is {plain(obs.value)!r} and not a number") from None
        if not math.isfinite(value):
            if math.isnan(value):  # how SDMX writes “not available”
                return None
            raise changed(_NAME, "a value is not finite")
        if not (year.isascii() and year.isdigit() and len(year) == 4):
            raise changed(_NAME, f"a year is {plain(year)!r}")
        partner = ALIASES.get(partner, partner)
        if not (partner.isalpha() and len(partner) == 3):
            if not partner.isalnum() or len(partner) > 8:
                raise changed(_NAME, f"a partner is called {plain(partner)!r}")
            return None  # a region or a group: TX799, GX170
        return piece["reporter"], partner, FLOWS[flow], int(year), value / 1e6

    @contextlib.contextmanager
    def _client(self) -> Iterator:
        """`sdmx1`, asking through our door."""
        import sdmx

        log = logging.getLogger("sdmx")
        before = log.level
        log.setLevel(logging.CRITICAL)  # it warns that it has to do without a structure definition, which is not needed
        try:
            yield sdmx.Client("IMF_DATA", session=self._door)
        except RefreshError:
            raise
        except Exception as error:  # a parser of XML may fail in many ways
            raise changed(_NAME, f"its client reports {type(error).__name__}") from None
        finally:
            log.setLevel(before)


def _check(path: str, body: bytes) -> None:
    """Let an answer through that is SDMX in XML, version 2.1, without entities."""
    from lxml import etree

    start = body.lstrip()[:500]
    if not start.startswith(b"<"):
        raise changed(_NAME, "no XML")
    if b"<html" in start.lower():
        raise RefreshError(f"{_NAME} sent a web page instead of data; its interface may be down for maintenance.")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise RefreshError(f"{_NAME} sent XML that defines entities, which no data need; nothing was kept.")
    if b"StructureSpecificData" not in start and b"GenericData" not in start:
        raise changed(_NAME, "no SDMX data")
    try:
        etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    except etree.XMLSyntaxError as error:
        if "depth" in str(error).lower():
            raise RefreshError(f"{_NAME} sent data nested without end; nothing was kept.") from None
        raise PassingError("sent data that break off or are garbled") from None
