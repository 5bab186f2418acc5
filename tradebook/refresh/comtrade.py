"""UN Comtrade, through the client of the United Nations Statistics Division, `comtradeapicall`.

Without a key UN Comtrade answers with 500 rows at most, and says nowhere that there were more: an answer of that
length counts as cut off. With a key (free of charge) it is 100,000.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace

import pandas as pd

from tradebook.refresh.door import Around, Door, Publisher
from tradebook.refresh.errors import RefreshError, plain
from tradebook.refresh.payload import changed, number_of, read_json

KEY = "COMTRADE_KEY"
COMTRADE = Publisher("UN Comtrade", "comtradeapi.un.org", "comtradeapicall", pause=1.1, largest=256 << 20, key=KEY)
_NAME = COMTRADE.name
LIMIT, LIMIT_WITH_KEY = 500, 100_000
#: What there is to say, after its name, of a table that has more rows in a year than UN Comtrade sends without a key.
NEEDS_KEY = (
    f"needs a key of {_NAME}, which sends {LIMIT} rows at most without one: put a key (free of charge, "
    f"https://comtradedeveloper.un.org) in the environment variable {KEY}"
)

REPORTERS = {"CHN": "156", "RUS": "643"}
#: Numbers of UN Comtrade, which differ from the UN's own for France, India and the USA.
PARTNERS = {
    "AUS": "36", "DEU": "276", "FRA": "251", "HKG": "344", "IND": "699", "JPN": "392", "KOR": "410", "RUS": "643",
    "USA": "842", "VNM": "704", "WLD": "0",
}  # fmt: skip
#: “Other Asia, not elsewhere specified” is what UN Comtrade calls Taiwan.
ALIASES = {"W00": "WLD", "S19": "TWN"}
FLOWS = {"X": "export", "M": "import"}
HS = {"H0": "HS1992", "H1": "HS1996", "H2": "HS2002", "H3": "HS2007", "H4": "HS2012", "H5": "HS2017", "H6": "HS2022"}
_TEXT = ("classificationCode", "partnerISO", "cmdCode", "flowCode", "customsCode")
_CODES = ("reporterCode", "partner2Code", "motCode", "period")


class Comtrade:
    """One table as one economy reports it: a piece for each year and, where that is too much, each part of a year.

    Parameters
    ----------
    reporter : str
        ISO code of who reports.
    classification : str
        ``HS``: as reported; ``S4``: SITC, fourth revision.
    parts : list of dict
        What each year is asked for in: `cmdCode`, `flowCode`, `partner`.
    first : int
        First year.
    """

    publisher = COMTRADE

    def __init__(self, reporter: str, classification: str, parts: list[dict], first: int, around: Around) -> None:
        self._reporter, self._classification, self._parts = reporter, classification, parts
        self._years = range(first, around.today().year)
        self._today = around.today
        self._key = around.environ.get(KEY, "").strip() or None
        self._door = Door(COMTRADE, _check, around)

    def edition(self) -> date:
        """Today: UN Comtrade takes in new reports every day."""
        return self._today()

    def pieces(self) -> list[dict]:
        """What is to be asked for."""
        what = {"reporter": self._reporter, "classification": self._classification}
        return [{**what, "year": year, **part} for year in self._years for part in self._parts]

    def fetch(self, piece: dict) -> pd.DataFrame:
        """Rows `year, partner, flow, product, classification, value_usd` of one year, or of a part of it."""
        limit = LIMIT_WITH_KEY if self._key else LIMIT
        query = {
            "typeCode": "C", "freqCode": "A", "clCode": piece["classification"], "period": str(piece["year"]),
            "reporterCode": REPORTERS[piece["reporter"]], "cmdCode": piece["cmdCode"], "flowCode": piece["flowCode"],
            "partnerCode": PARTNERS[piece["partner"]] if piece.get("partner") else None, "partner2Code": "0",
            "customsCode": "C00", "motCode": "0", "maxRecords": limit, "format_output": "JSON",
            "breakdownMode": "classic", "includeDesc": True,
        }  # fmt: skip
        with self._client() as client:
            found = client.getFinalData(self._key, **query) if self._key else client.previewFinalData(**query)
        if found is None or len(found) >= limit:
            raise RefreshError(
                f"{_NAME} cut off its answer for {piece['reporter']} in {piece['year']} at {limit} rows; set {KEY} to "
                "a key, with which it sends more."
            )
        rows = [self._row(record, piece) for record in found.to_dict("records")]
        frame = pd.DataFrame(
            [row for row in rows if row], columns=["year", "partner", "flow", "product", "classification", "value_usd"]
        )
        if frame.duplicated(["partner", "flow", "product"]).any():
            raise changed(_NAME, f"a flow of {piece['year']} comes twice")
        return frame

    def _row(self, record: dict, piece: dict) -> tuple | None:
        """One record, or None for a partner that is no economy (ships' stores, areas not specified)."""
        asked = (REPORTERS[piece["reporter"]], "0", "0", str(piece["year"]))
        if tuple(str(record[name]) for name in _CODES) != asked or record["customsCode"] != "C00":
            raise changed(_NAME, f"records of another reporter, year or breakdown came for {piece['year']}")
        if record["flowCode"] not in piece["flowCode"].split(","):
            raise changed(_NAME, f"flow {plain(record['flowCode'])!r} was not asked for")
        partner = ALIASES.get(record["partnerISO"], record["partnerISO"])
        if not (partner.isalpha() and partner.isascii() and len(partner) == 3):
            if len(partner) > 4:
                raise changed(_NAME, f"a partner is called {plain(partner)!r}")
            return None
        flow, value = FLOWS[record["flowCode"]], float(record["primaryValue"])
        return piece["year"], partner, flow, record["cmdCode"], record["classificationCode"], value

    @contextlib.contextmanager
    def _client(self) -> Iterator:
        """`comtradeapicall`, asking through our door: the key goes into a header, never into an address."""
        import comtradeapicall
        import urllib3
        from comtradeapicall import PreviewGet

        def request(method: str, url: str, fields: dict, **_) -> SimpleNamespace:
            asked = {name: value for name, value in fields.items() if name != "subscription-key"}
            headers = {"Ocp-Apim-Subscription-Key": self._key} if self._key else {}
            answer = self._door.request(method, url, params=asked, headers=headers)
            return SimpleNamespace(status=answer.status_code, data=answer.content)

        pool = SimpleNamespace(request=request)
        before = PreviewGet.urllib3
        PreviewGet.urllib3 = SimpleNamespace(PoolManager=lambda: pool, exceptions=urllib3.exceptions)
        try:
            yield comtradeapicall
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise changed(_NAME, f"its client reports {type(error).__name__}") from None
        finally:
            PreviewGet.urllib3 = before


def _check(path: str, body: bytes) -> None:
    """Let an answer through that has the form of UN Comtrade's interface, version 1."""
    answer = read_json(body, _NAME)
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
        raise changed(_NAME, "no records")
    if answer.get("error"):
        raise RefreshError(f"{_NAME} reports an error (“{plain(answer['error'])}”); run the command again later.")
    for record in answer["data"]:
        if not isinstance(record, dict) or any(isinstance(value, dict | list) for value in record.values()):
            raise changed(_NAME, "a record within a record")
        lost = [name for name in (*_TEXT, *_CODES, "primaryValue") if name not in record]
        if lost:
            raise changed(_NAME, f"a record has no {', '.join(lost)}")
        if not all(isinstance(record[name], str) and len(record[name]) <= 40 for name in _TEXT):
            raise changed(_NAME, "a code is not a short text")
        if number_of(record["primaryValue"], _NAME, "a value") is None:
            raise changed(_NAME, "a record without a value")
