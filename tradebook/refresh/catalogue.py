"""Which tables can be refreshed, from whom, and how the publisher's rows become the table's; and why others cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import pandas as pd

from tradebook import data
from tradebook.refresh.comtrade import COMTRADE, HS, Comtrade
from tradebook.refresh.door import Around, Publisher
from tradebook.refresh.errors import RefreshError
from tradebook.refresh.imf import IMF, Imts
from tradebook.refresh.worldbank import WORLD_BANK, WorldBank


class Source(Protocol):
    """What a publisher's module offers for one table."""

    def edition(self) -> date:
        """Date of the publisher's data."""

    def pieces(self) -> list[dict]:
        """What is to be asked for, in parts that are fetched and kept one by one."""

    def fetch(self, piece: dict) -> pd.DataFrame:
        """Rows of one part."""


@dataclass(frozen=True)
class Entry:
    """How one table is refreshed.

    Attributes
    ----------
    open : callable
        From the rows that the table has now, the `Source` to ask.
    shape : callable
        From all rows that were fetched, and those that the table has now, the new rows of the table.
    dated : bool
        True if the publisher dates its data; else the day of fetching is their date.
    caveat : str
        A sentence that the new vintage adds to the known problems.
    needs_key : bool
        True if the publisher sends all rows of the table only to who has a key.
    """

    publisher: Publisher
    open: Callable[[pd.DataFrame, Around], Source]
    shape: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]
    dated: bool = False
    caveat: str = ""
    needs_key: bool = False

    def lacks_key(self, environ: dict[str, str]) -> bool:
        """Whether the table cannot be fetched because the environment has no key for it."""
        return self.needs_key and not environ.get(self.publisher.key, "").strip()

    def source(self, day: str) -> dict:
        """Source of the data package for data of this day."""
        titles = {
            WORLD_BANK.name: f"World Bank, World Development Indicators (update of {day})",
            COMTRADE.name: f"United Nations, UN Comtrade (fetched on {day})",
            IMF.name: "International Monetary Fund, International Trade in Goods by Partner Country (IMTS 1.0.0, "
            f"fetched on {day})",
        }
        publisher, path = {
            WORLD_BANK.name: (
                "World Bank, World Development Indicators",
                "https://databank.worldbank.org/source/world-development-indicators",
            ),
            COMTRADE.name: ("UN Comtrade", "https://comtradeplus.un.org/"),
            IMF.name: ("IMF, IMTS", "https://data.imf.org/"),
        }[self.publisher.name]
        return {"publisher": publisher, "title": titles[self.publisher.name], "path": path}


# --- World Bank -----------------------------------------------------------------------------------


def _indicators(table: str = "") -> Callable[[pd.DataFrame, Around], WorldBank]:
    """Ask for the indicators of the table, for its own economies or groups; for the world where it has neither."""

    def start(old: pd.DataFrame, around: Around) -> WorldBank:
        codes = sorted(old["indicator"].unique())
        column = next((name for name in ("iso3", "group") if name in old), None)
        if table == "all" or column is None:
            return WorldBank(codes, around, economies=None if table == "all" else ["WLD"])
        return WorldBank(codes, around, economies=sorted(old[column].unique()))

    return start


def _yuan(old: pd.DataFrame, around: Around) -> WorldBank:
    return WorldBank(["PA.NUS.FCRF"], around, economies=["CHN"])


def _as_fetched(rows: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Rows from the first year of the table on; names and units are the book's own, by indicator and group."""
    frame = rows.rename(columns={"iso3": "group"}) if "group" in old else rows
    frame = frame[frame["year"] >= old["year"].min()]
    for column, by in (("name", "group" if "group" in old else "indicator"), ("unit", "indicator")):
        if column in old:
            frame = frame.assign(**{column: frame[by].map(dict(zip(old[by], old[column], strict=True)))})
    return frame[list(old.columns)]


def _yuan_rate(rows: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    frame = rows.rename(columns={"value": "yuan_per_usd"})
    return frame.loc[frame["year"] >= old["year"].min(), ["year", "yuan_per_usd"]]


def _unchanged(rows: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Names and units are the book's own: that every indicator still has its unit has been checked on the way.

    Raises
    ------
    RefreshError
        If an indicator came without rows, so that its unit was not checked.
    """
    silent = sorted(set(old["indicator"]) - set(rows["indicator"]))
    if silent:
        raise RefreshError(
            f"{WORLD_BANK.name} sent no values of {', '.join(silent)} for the world, so that their units cannot be "
            "checked; nothing was kept."
        )
    return old


# --- UN Comtrade ----------------------------------------------------------------------------------


def _products(reporter: str, flows: str) -> Callable[[pd.DataFrame, Around], Comtrade]:
    def start(old: pd.DataFrame, around: Around) -> Comtrade:
        parts = [{"cmdCode": code, "flowCode": flows} for code in sorted(old["hs6"].unique())]
        return Comtrade(reporter, "HS", parts, int(old["year"].min()), around)

    return start


def _totals(old: pd.DataFrame, around: Around) -> Comtrade:
    parts = [{"cmdCode": "TOTAL", "flowCode": flow} for flow in ("X", "M")]
    return Comtrade("RUS", "HS", parts, int(old["year"].min()), around)


def _chapters(old: pd.DataFrame, around: Around) -> Comtrade:
    parts = [{"cmdCode": "AG2", "flowCode": "X,M"}]
    return Comtrade("RUS", "HS", parts, int(old["year"].min()), around)


def _divisions(old: pd.DataFrame, around: Around) -> Comtrade:
    parts = [{"cmdCode": "AG2", "flowCode": "X,M", "partner": code} for code in sorted(old["partner"].unique())]
    return Comtrade("CHN", "S4", parts, int(old["year"].min()), around)


def _imports(rows: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    frame = rows.rename(columns={"partner": "exporter", "product": "hs6"})
    if "group" in old:
        frame = frame.assign(group=frame["hs6"].map(dict(zip(old["hs6"], old["group"], strict=True))))
    return frame.loc[frame["exporter"] != "WLD", list(old.columns)]


def _by_partner(rows: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """The partners that the table has; the product under the table's own name."""
    product = "hs_chapter" if "hs_chapter" in old else "sitc_division"
    frame = rows[rows["partner"].isin(old["partner"].unique())].rename(columns={"product": product})
    if "hs_vintage" in old:
        frame = frame.assign(hs_vintage=frame["classification"].map(HS))
    return frame[list(old.columns)]


def _by_partner_total(rows: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    return rows.loc[rows["partner"].isin(old["partner"].unique()), list(old.columns)]


# --- IMF ------------------------------------------------------------------------------------------


def _russia(old: pd.DataFrame, around: Around) -> Imts:
    return Imts(["RUS"], int(old["year"].min()), around)


def _everybody(old: pd.DataFrame, around: Around) -> Imts:
    return Imts(sorted(set(old["exporter"]) | set(old["importer"])), int(old["year"].min()), around)


def _partners(rows: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    return rows.loc[rows["partner"] != "WLD", list(old.columns)]


def _pairs(rows: pd.DataFrame, old: pd.DataFrame) -> pd.DataFrame:
    """Both reports of each directed pair in one row."""
    rows = rows[(rows["value_musd"] >= 0) | (rows["partner"] != "WLD")]  # negative world totals are impossible
    names = {"reporter": "exporter", "partner": "importer", "value_musd": "exporter_reported_fob_musd"}
    sold = rows[rows["flow"] == "export"].rename(columns=names)
    names = {"reporter": "importer", "partner": "exporter", "value_musd": "importer_reported_cif_musd"}
    bought = rows[rows["flow"] == "import"].rename(columns=names)
    key = ["year", "exporter", "importer"]
    both = sold.drop(columns="flow").merge(bought.drop(columns="flow"), on=key, how="outer", validate="1:1")
    return both[list(old.columns)]


REFRESHABLE = {
    "wdi": Entry(WORLD_BANK, _indicators("all"), _as_fetched, dated=True),
    "wdi-indicators": Entry(WORLD_BANK, _indicators(), _unchanged, dated=True),
    "world-groups": Entry(WORLD_BANK, _indicators(), _as_fetched, dated=True),
    "world-trade": Entry(WORLD_BANK, _indicators(), _as_fetched, dated=True),
    "digital": Entry(WORLD_BANK, _indicators(), _as_fetched, dated=True),
    "poverty": Entry(WORLD_BANK, _indicators(), _as_fetched, dated=True),
    "yuan-rate": Entry(WORLD_BANK, _yuan, _yuan_rate, dated=True),
    "china-energy-imports": Entry(COMTRADE, _products("CHN", "M"), _imports),
    "china-chips-aircraft-imports": Entry(COMTRADE, _products("CHN", "M"), _imports),
    "china-sitc-divisions": Entry(COMTRADE, _divisions, _by_partner),
    "russia-totals-comtrade": Entry(COMTRADE, _totals, _by_partner_total),
    "russia-hs-chapters": Entry(COMTRADE, _chapters, _by_partner, needs_key=True),
    "russia-totals-imts": Entry(IMF, _russia, _partners),
    "bilateral-trade": Entry(
        IMF, _everybody, _pairs,
        caveat="Earlier vintages were the Direction of Trade Statistics, which the IMF has replaced by IMTS: some "
        "reports are estimated in another way, and former states may be missing.",
    ),
}  # fmt: skip

_OLD_ON_PURPOSE = {
    "gdp-vintages", "research-2021", "hightech-exports-old-definition", "hightech-as-stated", "rosstat-annual",
}  # fmt: skip
_PUT_TOGETHER = {"china-russia-totals", "china-russia-totals-by-source", "macro-structure", "tariffs"}


def why_not(name: str) -> str:
    """Why a table cannot be refreshed, as half a sentence."""
    about = data.describe(name)
    if name in _OLD_ON_PURPOSE:
        return "holds on purpose what was published then"
    if name in _PUT_TOGETHER:
        return "is put together from several publishers or vintages; it is made anew by hand"
    if not about["years"]:
        return f"does not grow by years ({about['publisher']})"
    if about["kind"] == "constructed":
        return f"was worked out by hand from what is published as files and pages ({about['publisher']})"
    return f"comes from files that the publisher offers for download ({about['publisher']})"
