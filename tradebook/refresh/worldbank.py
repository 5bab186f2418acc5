"""World Development Indicators, through the World Bank's client `wbgapi`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pandas as pd

from tradebook.refresh.door import Around, Door, Publisher
from tradebook.refresh.errors import RefreshError, plain
from tradebook.refresh.payload import changed, number_of, read_json

WORLD_BANK = Publisher("The World Bank", "api.worldbank.org", "wbgapi", pause=0.3, largest=64 << 20)
_NAME = WORLD_BANK.name
_ROWS = 5000  # on one page
_MOST = 2_000_000  # rows of one indicator; the whole of it has some 17 000
# Codes of the World Bank for what is no economy of ISO 3166.
LEFT_OUT = {"CHI": "Channel Islands"}

#: What the World Bank's own name of an indicator must contain: its unit. Another unit would change every number.
UNITS = {
    "BM.GSR.ROYL.CD": "current us$", "BX.GSR.ROYL.CD": "current us$", "BX.KLT.DINV.CD.WD": "current us$",
    "FP.CPI.TOTL.ZG": "annual %", "GB.XPD.RSDV.GD.ZS": "% of gdp", "IP.JRN.ARTC.SC": "articles",
    "IP.PAT.NRES": "patent applications, nonresidents", "IP.PAT.RESD": "patent applications, residents",
    "IT.NET.BBND.P2": "per 100 people", "NY.GDP.MKTP.CD": "current us$", "NY.GDP.MKTP.KD.ZG": "annual %",
    "NY.GDP.PCAP.CD": "current us$", "NY.GDP.PCAP.PP.CD": "current international $",
    "SP.POP.SCIE.RD.P6": "per million people", "SP.POP.TOTL": "population, total",
    "TM.VAL.MRCH.CD.WT": "current us$", "TX.VAL.FUEL.ZS.UN": "% of merchandise exports",
    "TX.VAL.MRCH.CD.WT": "current us$", "TX.VAL.TECH.CD": "current us$",
    "TX.VAL.TECH.MF.ZS": "% of manufactured exports", "IT.NET.USER.ZS": "% of population",
    "IT.CEL.SETS.P2": "per 100 people", "IT.NET.SECR.P6": "per 1 million people",
    "TX.VAL.ICTG.ZS.UN": "% of total goods exports", "SI.POV.NAHC": "national poverty lines (% of population)",
    "SI.POV.DDAY": "$3.00 a day (2021 ppp)", "SI.POV.GINI": "gini index", "PA.NUS.FCRF": "lcu per us$, period average",
    "NE.EXP.GNFS.KD.ZG": "annual % growth", "BX.GSR.NFSV.CD": "current us$",
}  # fmt: skip


class WorldBank:
    """One table of the World Development Indicators: one piece for each indicator."""

    publisher = WORLD_BANK

    def __init__(self, indicators: list[str], around: Around, *, economies: list[str] | None = None) -> None:
        self._indicators, self._economies = indicators, economies
        self._door = Door(WORLD_BANK, _check, around)

    def edition(self) -> date:
        """Day of the World Bank's last update of the indicators."""
        with self._client() as client:
            text = str(client.source.get(2).get("lastupdated", ""))
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise changed(_NAME, f"the date of the last update is {plain(text)!r}") from None

    def pieces(self) -> list[dict]:
        """What is to be asked for."""
        return [{"indicator": code, "economies": self._economies or "all"} for code in self._indicators]

    def fetch(self, piece: dict) -> pd.DataFrame:
        """Rows `iso3, year, indicator, value` of one indicator; the World Bank's groups only where they are named."""
        wanted, rows = piece["economies"], []
        with self._client() as client:
            found = client.data.fetch(
                piece["indicator"], economy=wanted, time="all", labels=True, skipBlanks=True,
                numericTimeKeys=True, params={"per_page": _ROWS}, db=2,
            )  # fmt: skip
            for row in found:
                code, series = row["economy"]["id"], row["series"]
                if series["id"] != piece["indicator"]:
                    raise changed(_NAME, f"{plain(series['id'])} came for {piece['indicator']}")
                unit = UNITS[piece["indicator"]]
                if unit not in " ".join(series["value"].lower().split()):
                    raise RefreshError(
                        f"{_NAME} now calls {piece['indicator']} “{plain(series['value'], 90)}”, and not in {unit}: "
                        "the unit or definition may have changed; nothing was kept."
                    )
                grouped = row["economy"]["aggregate"] and code != "WLD"
                if (wanted == "all" and (grouped or code in LEFT_OUT)) or not isinstance(row["time"]["id"], int):
                    continue
                rows.append((code, row["time"]["id"], piece["indicator"], float(row["value"])))
        return pd.DataFrame(rows, columns=["iso3", "year", "indicator", "value"])

    @contextmanager
    def _client(self) -> Iterator:
        """`wbgapi`, asking through our door."""
        import wbgapi

        before, wbgapi.requests = wbgapi.requests, self._door
        try:
            yield wbgapi
        except (wbgapi.APIError, LookupError, TypeError, ValueError, AttributeError) as error:
            said = plain(error.msg) if isinstance(error, wbgapi.APIError) else type(error).__name__
            raise changed(_NAME, f"its client reports {said}") from None
        finally:
            wbgapi.requests = before


def _check(path: str, body: bytes) -> None:
    """Let an answer through that has the form of the World Bank's interface, version 2."""
    answer = read_json(body, _NAME)
    head = answer[0] if isinstance(answer, list) and answer else answer
    if not isinstance(head, dict):
        raise changed(_NAME, "no record of pages")
    if head.get("message"):
        message = head["message"][0] if isinstance(head["message"], list) else {}
        said = plain(message.get("value", "")) if isinstance(message, dict) else ""
        raise RefreshError(f"{_NAME} refuses the request (“{said}”); an indicator may have been withdrawn.")
    for name in ("page", "per_page", "total"):
        number = head.get(name)
        if not str(number).isdigit() or len(str(number)) > 9 or int(number) > _MOST:
            raise changed(_NAME, f"{name} is {plain(number)!r}")
    if int(head["per_page"]) < 1:
        raise changed(_NAME, "pages without rows")
    if re.search(r"/sources/2/series/.*/time/", path):
        _check_rows(answer, int(head["total"]))


def _check_rows(answer: dict, total: int) -> None:
    """Observations: a value, and what it is about under the names Country, Series and Time."""
    source = answer.get("source") if isinstance(answer, dict) else None
    rows = source.get("data") if isinstance(source, dict) else None
    if not isinstance(rows, list) or (total and not rows):
        raise changed(_NAME, "no observations")
    for row in rows:
        about = row.get("variable") if isinstance(row, dict) else None
        if not isinstance(about, list) or not all(isinstance(part, dict) for part in about):
            raise changed(_NAME, "an observation that does not say what it is about")
        names = {part.get("concept") for part in about if all(isinstance(text, str) for text in part.values())}
        if names != {"Country", "Series", "Time"} or len(about) != 3:
            raise changed(_NAME, "an observation about something else than economy, indicator and year")
        if any(not _short(part.get(key)) for part in about for key in ("id", "value")) or "value" not in row:
            raise changed(_NAME, "an observation without code or value")
        number_of(row["value"], _NAME, "a value")


def _short(text: object) -> bool:
    return isinstance(text, str) and len(text) <= 300
