"""The World Bank, UN Comtrade and the IMF on this machine, with faults: a server for the tests of `tradebook refresh`.

Answers have the forms of ``tests/responses``; their rows come from data frames that a test may change.
"""

from __future__ import annotations

import copy
import gzip
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd
from lxml import etree

FORMS = Path(__file__).parent / "responses"
NAMES = {  # as the World Bank calls some of its indicators; a test takes the unit of the others from the code
    "NY.GDP.MKTP.CD": "GDP (current US$)", "NY.GDP.MKTP.KD.ZG": "GDP growth (annual %)",
    "SP.POP.TOTL": "Population, total", "PA.NUS.FCRF": "Official exchange rate (LCU per US$, period average)",
}  # fmt: skip
GROUPS = {"WLD", "EAS", "HIC"}


@dataclass
class Fault:
    """Something that goes wrong with answers to addresses that contain `where`, the first `times` times."""

    status: int = 200
    headers: dict = field(default_factory=dict)
    change: Callable[[bytes], bytes] = lambda body: body
    cut: bool = False  # the connection breaks in the middle
    wait: float = 0.0
    where: str = ""
    times: int = 1


def form(name: str):
    """One of the documented forms."""
    return json.loads((FORMS / name).read_text("utf-8"))


class Publishers(ThreadingHTTPServer):
    """A server that stands for the three publishers; use it in a ``with`` block."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.wdi = pd.DataFrame(columns=["iso3", "year", "indicator", "value"])
        self.names = dict(NAMES)
        self.updated = "2026-10-15"
        self.comtrade = pd.DataFrame(columns=["year", "reporter", "partner", "flow", "product", "value_usd"])
        self.imts = pd.DataFrame(columns=["reporter", "partner", "flow", "year", "value_usd"])
        self.faults: list[Fault] = []
        self.asked: list[tuple[str, dict, dict]] = []  # address, query, headers

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Publishers:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address) -> None:
        """A client that hangs up is what some tests are about."""

    def answer(self, path: str, query: dict) -> tuple[bytes, str]:
        """Body and type of the answer to an address."""
        host, _, rest = path.lstrip("/").partition("/")
        if host == "api.worldbank.org":
            return json.dumps(self._world_bank(rest, query)).encode(), "application/json;charset=utf-8"
        if host == "comtradeapi.un.org":
            return json.dumps(self._comtrade(rest, query)).encode(), "application/json; charset=utf-8"
        return self._imf(rest, query), "application/xml"

    def _world_bank(self, path: str, query: dict):
        if path.endswith("sources/2"):
            answer = form("worldbank-source.json")
            answer[1][0]["lastupdated"] = self.updated
            return answer
        if "/series/" not in path:
            for part in ("concepts", "time"):
                if part in path.lower():
                    return form(f"worldbank-{part}.json")
            if "country" not in path:
                return form("worldbank-classes.json")
            answer = form("worldbank-economies.json")
            answer[1] += [{**answer[1][1], "id": code, "iso2Code": code} for code in sorted(GROUPS - {"WLD"})]
            return answer
        parts = path.split("/")
        code, economies = parts[parts.index("series") + 1], parts[parts.index("country") + 1].split(";")
        rows = self.wdi[self.wdi["indicator"] == code]
        if economies != ["all"]:
            rows = rows[rows["iso3"].isin(economies)]
        size, page = int(query["per_page"]), int(query["page"])
        answer = form("worldbank-data.json")
        sample = answer["source"]["data"][0]
        answer |= {"page": page, "pages": -(-len(rows) // size), "per_page": size, "total": len(rows)}
        answer["source"]["data"] = [
            {
                "variable": [
                    {**sample["variable"][0], "id": row.iso3, "value": row.iso3},
                    {**sample["variable"][1], "id": code, "value": self.names.get(code, code)},
                    {**sample["variable"][2], "id": f"YR{row.year}", "value": str(row.year)},
                ],
                "value": row.value,
            }
            for row in rows.iloc[(page - 1) * size : page * size].itertuples()
        ]
        return answer

    def _comtrade(self, path: str, query: dict):
        rows = self.comtrade
        rows = rows[(rows["year"] == int(query["period"])) & rows["flow"].isin(query["flowCode"].split(","))]
        if query["cmdCode"] not in {"AG2", "TOTAL"}:
            rows = rows[rows["product"] == query["cmdCode"]]
        answer = form("comtrade-data.json")
        sample = answer["data"][0]
        answer["data"] = [
            {
                **sample, "period": str(row.year), "reporterCode": int(query["reportercode"]), "cmdCode": row.product,
                "flowCode": row.flow, "partnerISO": row.partner, "primaryValue": row.value_usd,
            }
            for row in rows.head(int(query["maxRecords"])).itertuples()
        ]  # fmt: skip
        answer["count"] = len(answer["data"])
        return answer

    def _imf(self, path: str, query: dict) -> bytes:
        reporter, flows, _, _ = path.rsplit("/", 1)[1].split(".")
        tree = etree.parse(FORMS / "imf-data.xml")
        dataset = next(node for node in tree.iter() if str(node.tag).endswith("DataSet"))
        sample = dataset.find("Series")
        for series in dataset.findall("Series"):
            dataset.remove(series)
        rows = self.imts[(self.imts["reporter"] == reporter) & self.imts["flow"].isin(flows.split("+"))]
        rows = rows[rows["year"] >= int(query["startPeriod"])]
        for (partner, flow), part in rows.groupby(["partner", "flow"]):
            series = copy.deepcopy(sample)
            series.attrib.update({"COUNTRY": reporter, "INDICATOR": flow, "COUNTERPART_COUNTRY": partner})
            for child in list(series):
                series.remove(child)
            for row in part.itertuples():
                etree.SubElement(series, "Obs", TIME_PERIOD=str(row.year), OBS_VALUE=repr(float(row.value_usd)))
            dataset.append(series)
        return etree.tostring(tree, xml_declaration=True, encoding="UTF-8")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one go

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        path, query = unquote(place.path), {name: values[0] for name, values in parse_qs(place.query).items()}
        self.server.asked.append((self.path, query, dict(self.headers)))
        fault = next((f for f in self.server.faults if f.times and f.where in path), Fault())
        fault.times -= 1
        time.sleep(fault.wait)
        body, kind = self.server.answer(path, query)
        body = fault.change(body)
        self.send_response(fault.status)
        self.send_header("Content-Type", fault.headers.pop("Content-Type", kind))
        self.send_header("Content-Length", str(len(body)))
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if fault.cut else body)
        self.close_connection = fault.cut

    def log_message(self, *_) -> None:
        """Quiet."""


def bomb(size: int) -> bytes:
    """A few kilobytes that unpack to `size` bytes of blanks."""
    return gzip.compress(b" " * size, 9)
