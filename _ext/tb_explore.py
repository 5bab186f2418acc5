"""Sphinx extension: explorers, pictures that a reader can ask for another case.

``{explorer} trade`` puts in any two economies' goods trade, ``{explorer} indicators`` any indicator of up to five
economies. The page holds a finished example (figure and table), drawn here; the scripts in ``explore/`` replace it
when the explorer comes into view, and only the page that has one loads them. The data are cut out of the book's
tables when the build ends: one small script per block of pairs and per indicator, which registers itself, because a
page opened from a folder may not read other files. The same folder holds what the list of statements loads.
"""

from __future__ import annotations

import csv
import hashlib
import html
import json
import math
import re
import shutil
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:  # elsewhere only where it is used: it takes half a second, and most builds compute none of this
    import pandas as pd

SCRIPTS = Path(__file__).with_name("explore")
STATIC = "explore"  # folder of all this below _static
BLOCK = 8  # economies per block: two blocks of them make one file of pairs
DIGITS = 6  # of an indicator, as in every other CSV of the book; trade is kept to the dollar
TRADE_TABLE = "bilateral-trade"
EXAMPLE = ("CHN", "RUS")
EXAMPLE_INDICATOR = "NY.GDP.PCAP.PP.CD"
INDICATOR_TABLES = ("wdi", "macro-structure", "digital")
ANCHORS = {"trade": "any-two-economies", "indicators": "any-indicator"}
PARAMETERS = {"trade": "a b show scale", "indicators": "indicator economies form from to"}
_CLAIM_ROW = re.compile(r'<tr>(<th scope="row"><a id="([^"]+)")')


# --- the data ---------------------------------------------------------------------------------------


def exact(value: float) -> str:
    """A number of million dollars to the dollar, without zeros at its end; nothing if it is not reported."""
    return "" if value != value else f"{value:.6f}".rstrip("0").rstrip(".")


def rounded(value: float) -> str:
    """A number with six significant digits, as short as possible."""
    mantissa, _, power = f"{value:.{DIGITS}g}".partition("e")
    return f"{mantissa}e{int(power)}" if power else mantissa


def packed(years: Iterable[int], values: Iterable[str]) -> str:
    """A series as text, ``first year,value,value,…``, with nothing between two commas where nothing is reported."""
    known = [(year, value) for year, value in zip(years, values, strict=True) if value]
    if not known:
        return ""
    cells = [""] * (known[-1][0] - known[0][0] + 1)
    for year, value in known:
        cells[year - known[0][0]] = value
    return ",".join([str(known[0][0]), *cells])


def unpacked(text: str) -> dict[int, float]:
    """Undo `packed`: values by year."""
    if not text:
        return {}
    first, *cells = text.split(",")
    return {int(first) + i: float(cell) for i, cell in enumerate(cells) if cell}


def successions() -> dict[str, list[str]]:
    """The states that each economy continues, as `economies.lineage` has them."""
    from tradebook.data import load
    from tradebook.economies import lineage

    formers = {code: lineage(code)[:-1] for code in sorted(load("economies")["successor"].dropna().unique())}
    return {code: states for code, states in formers.items() if states}


def continued(flows: pd.DataFrame) -> pd.DataFrame:
    """The flows, those of a state that ended also under its successor (USSR → Russia), as in `bilateral.totals`."""
    import numpy as np
    import pandas as pd

    successor = {former: code for code, formers in successions().items() for former in formers}
    concerned = {*successor, *successor.values()}
    here = flows["exporter"].isin(concerned) | flows["importer"].isin(concerned)
    parts = [flows[here]]
    for columns in (["exporter"], ["importer"], ["exporter", "importer"]):
        later = parts[0][np.logical_and.reduce([parts[0][column].isin(successor) for column in columns])]
        parts.append(later.assign(**{column: later[column].map(successor) for column in columns}))
    joined = pd.concat(parts)
    joined = joined[joined["exporter"] != joined["importer"]]
    # In the year of a succession both can appear: the sum is the pair's trade of that year.
    summed = joined.groupby(["year", "exporter", "importer"], as_index=False).sum(min_count=1)
    return pd.concat([flows[~here], summed[flows.columns]], ignore_index=True)


def trade_order(flows: pd.DataFrame) -> list[str]:
    """The economies of the table, in the order that decides in which block each stands."""
    return sorted({*flows["exporter"].unique(), *flows["importer"].unique()})


def trade_blocks(flows: pd.DataFrame) -> dict[str, dict[str, list[str]]]:
    """Pairs by file: for codes in alphabetical order, four series in million dollars.

    These are: what the first sells to the second in the first's and in the second's report, then what the second
    sells to the first in the second's and in the first's report.
    """
    import numpy as np
    import pandas as pd

    flows = flows[flows["exporter"] != flows["importer"]]
    codes = trade_order(flows)
    count = len(codes)
    seller, buyer = (pd.Categorical(flows[side], codes).codes.astype(int) for side in ("exporter", "importer"))
    years = flows["year"].to_numpy()
    pair = np.minimum(seller, buyer) * count + np.maximum(seller, buyer)
    key = 2 * pair + (seller > buyer)
    order = np.lexsort((years, key))
    key, years = key[order], years[order]
    reports = [
        [exact(value) for value in flows[column].to_numpy()[order].tolist()]
        for column in ("exporter_reported_fob_musd", "importer_reported_cif_musd")
    ]
    bounds = [*np.flatnonzero(np.r_[True, key[1:] != key[:-1]]).tolist(), len(key)]
    blocks: dict[str, dict[str, list[str]]] = {}
    years, keys = years.tolist(), key[bounds[:-1]].tolist()
    for start, end, code in zip(bounds, bounds[1:], keys, strict=False):
        (first, second), back = divmod(code // 2, count), code % 2
        file = "trade/" + "-".join(f"{group:02d}" for group in sorted((first // BLOCK, second // BLOCK)))
        four = blocks.setdefault(file, {}).setdefault(codes[first] + codes[second], [""] * 4)
        for report, values in enumerate(reports):
            four[2 * back + report] = packed(years[start:end], values[start:end])
    return blocks


def indicator_tables() -> tuple[pd.DataFrame, list[dict]]:
    """All values of the macro tables (code, year, indicator, value), and what each indicator is.

    The groups of economies in ``world-groups`` stand beside the economies: same publisher, same vintage.
    """
    import pandas as pd

    from tradebook.data import load

    names = load("wdi-indicators")
    frames, about = [], []
    for table in INDICATOR_TABLES:
        frame = load(table)
        if "name" not in frame:
            frame = frame.merge(names, on="indicator", validate="m:1")
        groups = load("world-groups") if table == "wdi" else None
        for (indicator, name, unit), rows in frame.groupby(["indicator", "name", "unit"]):
            sources = [table]
            values = [rows[["iso3", "year", "indicator", "value"]]]
            if groups is not None and (groups["indicator"] == indicator).any():
                sources.append("world-groups")
                extra = groups[(groups["indicator"] == indicator) & ~groups["group"].isin(rows["iso3"])]
                values.append(extra.rename(columns={"group": "iso3"})[values[0].columns])
            frames.extend(values)
            about.append(
                {
                    "code": indicator, "name": name, "unit": unit, "tables": sources,
                    "first": int(rows["year"].min()), "last": int(rows["year"].max()),
                }
            )  # fmt: skip
    return pd.concat(frames, ignore_index=True), sorted(about, key=lambda indicator: indicator["name"])


def indicator_files(values: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Series by file and economy."""
    values = values.sort_values(["indicator", "iso3", "year"])
    return {
        f"indicator/{indicator}": {
            code: packed(part["year"].tolist(), [rounded(value) for value in part["value"].tolist()])
            for code, part in rows.groupby("iso3")
        }
        for indicator, rows in values.groupby("indicator")
    }


def index(flows: pd.DataFrame, values: pd.DataFrame, indicators: list[dict]) -> dict:
    """What the explorers must know beforehand: names, blocks, successions, indicators, sources."""
    from tradebook.data import describe, load

    codes = load("economies").set_index("iso3")
    order = trade_order(flows)
    present = {*order, *values["iso3"].unique()}
    groups = load("world-groups").drop_duplicates("group").set_index("group")["name"]
    economies = [
        {"code": code, "iso2": row["iso2"] if isinstance(row["iso2"], str) else "", "name": row["name"]}
        for code, row in codes[codes.index.isin(present)].iterrows()
    ]
    economies += [
        {"code": c, "iso2": "", "name": n} for c, n in groups.items() if c in present and c not in codes.index
    ]
    tables = {}
    for name in sorted({TRADE_TABLE, *(table for indicator in indicators for table in indicator["tables"])}):
        about = describe(name)
        tables[name] = {"name": name, **about[["publisher", "source", "licence"]].to_dict()}
    formers = {
        code: [
            {"code": former, "name": codes.at[former, "name"], "to": int(codes.at[former, "valid_to"])}
            for former in states
        ]
        for code, states in successions().items()
    }
    return {
        "block": BLOCK,
        "order": order,
        "economies": sorted(economies, key=lambda economy: economy["name"]),
        "lineage": formers,
        "indicators": indicators,
        "tables": tables,
    }


def script(name: str, content: dict) -> str:
    """A data file: a script that registers its content under its name; one entry a line."""
    lines = ",\n".join(f"{json.dumps(key)}:{_json(value)}" for key, value in content.items())
    return f"tbExplore.data[{json.dumps(name)}]={{\n{lines}\n}};\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def data_files() -> dict[str, str]:
    """Every data file of the explorers: its name below the folder (without ``.js``), and its text."""
    from tradebook.data import load

    flows = continued(load(TRADE_TABLE))
    values, indicators = indicator_tables()
    parts = {**trade_blocks(flows), **indicator_files(values), "index": index(flows, values, indicators)}
    return {name: script(name, parts[name]) for name in sorted(parts)}


def version() -> str:
    """What the addresses of scripts and data end with: it changes when one of them may have."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in (*sorted(SCRIPTS.iterdir()), Path(__file__).resolve().parents[1] / "data" / "datapackage.json"):
        digest.update(path.read_bytes())  # the descriptor has the checksum of every table
    return digest.hexdigest()[:10]


# --- the example on the page -----------------------------------------------------------------------


def decimal(value: float, digits: int) -> str:
    """A number with so many decimals, as chart.js writes it: halves are rounded up."""
    if math.isnan(value):
        return "–"
    whole = Decimal(float(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{whole:,}".replace("-", "−")


def short(value: float) -> str:
    """A number with about three digits, as chart.js writes it."""
    size = abs(value)
    small = min(9, 2 - math.floor(math.log10(size))) if 0 < size < 1 else 0
    return decimal(value, small or (0 if size >= 1000 or not size else 1 if size >= 10 else 2))


def trade_example() -> tuple[str, str]:
    """Figure and table of China and Russia, as the explorer first shows them."""
    import pandas as pd

    from tradebook.bilateral import reported_by
    from tradebook.data import load
    from tradebook.economies import lineage, name

    a, b = EXAMPLE
    states = [*lineage(a), *lineage(b)]
    flows = load(TRADE_TABLE)
    flows = continued(flows[flows["exporter"].isin(states) & flows["importer"].isin(states)])
    flows = flows[flows["exporter"].isin(EXAMPLE) & flows["importer"].isin(EXAMPLE)]
    sold = flows.assign(reporter=flows["exporter"], value_usd=flows["exporter_reported_fob_musd"] * 1e6)
    bought = flows.assign(reporter=flows["importer"], value_usd=flows["importer_reported_cif_musd"] * 1e6)
    trade = pd.concat([sold, bought]).dropna(subset="value_usd")
    frame = pd.DataFrame({f"reported by {name(code)}": reported_by(trade, code, code)["total"] for code in (a, b)})
    first, last = int(trade["year"].min()), int(trade["year"].max())
    newest = frame.index.max()
    said = [
        f"{short(v)}{'' if i else ' billion US dollars'} {who}" for i, (who, v) in enumerate(frame.loc[newest].items())
    ]
    return _example(
        frame, "trade", number="A.2", y="billion US dollars, logarithmic scale", unit="billion US dollars", log=True,
        title=f"Trade between {name(a)} and {name(b)} in {newest}: {', '.join(said)}",
        subtitle=f"Exports plus imports of goods, {first}–{last}", tables=[TRADE_TABLE], note="USSR until 1991.",
    )  # fmt: skip


def indicator_example() -> tuple[str, str]:
    """Figure and table of one indicator of China and Russia, as the explorer first shows them."""
    import pandas as pd

    from tradebook.economies import name
    from tradebook.growth import series

    _, indicators = indicator_tables()
    about = next(indicator for indicator in indicators if indicator["code"] == EXAMPLE_INDICATOR)
    frame = pd.DataFrame({name(code): series(EXAMPLE_INDICATOR, code) for code in EXAMPLE})
    frame = frame.map(lambda value: float(rounded(value)))  # as the explorer has them
    newest = {who: frame[who].dropna().index[-1] for who in frame}
    ends = sorted(((frame.at[year, who], who) for who, year in newest.items()), reverse=True)
    same = len(set(newest.values())) == 1
    said = [f"{who} {short(value)}{'' if same else f' in {newest[who]}'}" for value, who in ends]
    when = f" in {ends and newest[ends[0][1]]}" if same else ""
    return _example(
        frame, "indicators", number="A.3", y=about["unit"], unit=about["unit"], log=False,
        title=f"{about['name']}{when}: {', '.join(said)}",
        subtitle=f"{about['name']}, {about['unit']}, {frame.index[0]}–{frame.index[-1]}",
        tables=about["tables"], note="",
    )  # fmt: skip


def _example(
    frame: pd.DataFrame, kind: str, *, number: str, y: str, unit: str, log: bool, title: str, subtitle: str,
    tables: list[str], note: str,
) -> tuple[str, str]:  # fmt: skip
    from tradebook import charts

    extremes = [
        f"{who}: {short(s.iloc[0])} in {s.index[0]}, {short(s.iloc[-1])} in {s.index[-1]}; "
        f"highest {short(s.max())} in {s.idxmax()}, lowest {short(s.min())} in {s.idxmin()}."
        for who, s in ((who, frame[who].dropna()) for who in frame)
    ]
    figure = charts.figure_html(
        charts.lines(frame, y=y, log=log, zero=not log),
        name=f"fig-{ANCHORS[kind]}", number=number, title=title, subtitle=subtitle, tables=tables, note=note,
        alt=f"Line chart, {y}, {frame.index[0]}–{frame.index[-1]}. {' '.join(extremes)}",
    )  # fmt: skip
    digits = max(0, min(6, len(short(frame.max().max()).partition(".")[2]) + 1))
    heads = "".join(
        f'<th scope="col"{" class=num" if i else ""}>{html.escape(h)}</th>' for i, h in enumerate(["year", *frame])
    )
    rows = "".join(
        f'<tr><th scope="row">{year}</th>'
        + "".join(f'<td class="num">{decimal(value, digits)}</td>' for value in row)
        + "</tr>"
        for year, row in zip(frame.index[::-1], frame.to_numpy()[::-1], strict=True)
        if not all(map(math.isnan, row))
    )
    table = (
        f'<div class="tb-scroll" tabindex="0" role="region" aria-label="Numbers of figure {number}"><table>'
        f"<caption>The numbers of the figure: {html.escape(unit)}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    return figure.replace('href="appendices/data.html', 'href="data.html'), table


# --- the page ----------------------------------------------------------------------------------------


def _choice(name: str, legend: str, options: dict[str, str], chosen: str, kind: str = "") -> str:
    items = "".join(
        f'<label><input type="radio" name="{name}" value="{value}"{" checked" if value == chosen else ""}>'
        f'<span data-label="{value}">{html.escape(text)}</span></label>'
        for value, text in options.items()
    )
    return f'<fieldset class="tb-one {kind}"><legend>{legend}</legend>{items}</fieldset>'


def _field(label: str, control: str, kind: str = "") -> str:
    name = re.search(r'id="([^"]+)"', control)[1]
    return f'<div class="tb-field {kind}"><label for="{name}">{label}</label>{control}</div>'


def _economy(key: str, label: str, name: str) -> str:
    control = (
        f'<input type="text" id="explore-{key}" name="{key}" value="{html.escape(name)}" '
        'autocomplete="off" autocapitalize="off" spellcheck="false">'
    )
    return _field(label, control)


def trade_form() -> str:
    """The choices of the first explorer."""
    from tradebook.economies import name

    a, b = map(name, EXAMPLE)
    shows = {
        "total": "total", "out": f"{a} to {b}", "back": f"{b} to {a}", "balance": f"balance of {a}",
        "mirror": "mirror ratio", "growth": "growth",
    }  # fmt: skip
    return (
        f'<div class="tb-row">{_economy("a", "One economy: name or ISO code", a)}'
        f'{_economy("b", "The other economy", b)}<button type="button" name="swap">Exchange</button></div>'
        + _choice("show", "Show", shows, "total")
        + _choice("scale", "Scale", {"log": "logarithmic", "linear": "linear"}, "log", "tb-scale")
    )


def indicator_form() -> str:
    """The choices of the second explorer."""
    _, indicators = indicator_tables()
    options = "".join(
        f'<option value="{html.escape(indicator["code"])}"'
        f"{' selected' if indicator['code'] == EXAMPLE_INDICATOR else ''}>"
        f"{html.escape(indicator['name'])}</option>"
        for indicator in indicators
    )
    years = "".join(
        _field(label, f'<select id="explore-{key}" name="{key}"><option>{year}</option></select>', "tb-small")
        for key, label, year in (
            ("from", "First year", next(i["first"] for i in indicators if i["code"] == EXAMPLE_INDICATOR)),
            ("to", "Last year", next(i["last"] for i in indicators if i["code"] == EXAMPLE_INDICATOR)),
        )
    )
    choose = _field("Indicator", f'<select id="explore-indicator" name="indicator">{options}</select>')
    return (
        f'<div class="tb-row">{choose}{years}</div>'
        f'<div class="tb-row">{_economy("add", "Economies: up to five, by name or ISO code", "")}</div>'
        '<div class="tb-chips"></div>'
        + _choice("form", "Show", {"level": "as it is", "log": "logarithmic scale", "index": "index"}, "level")
    )


def explorer_html(kind: str, root: str) -> str:
    """The explorer as it stands in the page: choices (switched off until the scripts are there), figure, table."""
    figure, table = {"trade": trade_example, "indicators": indicator_example}[kind]()
    form = {"trade": trade_form, "indicators": indicator_form}[kind]()
    return (
        f'<div class="tb-explorer" data-explorer="{kind}" data-root="{root}" data-version="{version()}" '
        f'data-parameters="{PARAMETERS[kind]}" data-anchor="{ANCHORS[kind]}">'
        # `tb-web`: of use in a browser only, so left out of the book as a file.
        '<noscript class="tb-web"><p><strong>Scripts are switched off in this browser.</strong> The figure and the '
        "table show China and Russia; another choice needs scripts, or the tables named below it.</p></noscript>"
        '<form class="tb-web pst-js-only" autocomplete="off"><fieldset disabled>'
        '<legend class="visually-hidden">What the figure shows</legend>'
        f"{form}</fieldset>"
        '<p class="tb-explorer-start" hidden><button type="button">Start the explorer</button></p>'
        f'<p class="tb-explorer-message" role="alert"></p></form>{figure}{table}</div>'
    )


class Explorer(SphinxDirective):
    """``{explorer} trade`` or ``{explorer} indicators``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        kind = self.arguments[0]
        if kind not in ANCHORS:
            raise self.error(f"there is no explorer “{kind}”: write {' or '.join(ANCHORS)}")
        self.env.metadata[self.env.docname]["explorer"] = "yes"
        root = "../" * self.env.docname.count("/") + f"_static/{STATIC}/"
        return [nodes.raw("", explorer_html(kind, root), format="html")]


def note_version(app: Sphinx, config: Config) -> None:
    """Write pages anew when a script or a table has changed."""
    config.tb_explore_version = version()


def copy_scripts(app: Sphinx) -> None:
    """Put the scripts and styles into the site before pages are written: Sphinx adds checksums to their addresses."""
    if app.builder.name in ("html", "dirhtml"):
        folder = Path(app.outdir, "_static", STATIC)
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(SCRIPTS.iterdir()):
            shutil.copyfile(path, folder / path.name)


def load_on_page(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    """Load the scripts on the pages that use them, and tell the list of statements the kind of each."""
    if app.builder.name not in ("html", "dirhtml"):
        return
    if app.env.metadata.get(pagename, {}).get("explorer"):
        app.add_css_file(f"{STATIC}/explore.css")
        app.add_js_file(f"{STATIC}/start.js", loading_method="defer")
    if pagename == app.config.tb_claims_page and context.get("body"):
        app.add_css_file(f"{STATIC}/claims.css")
        app.add_js_file(f"{STATIC}/claims.js", loading_method="defer")
        kinds = claim_kinds(Path(app.srcdir, app.config.tb_claims_register))
        context["body"] = _CLAIM_ROW.sub(
            lambda row: f'<tr data-kind="{kinds[row[2]]}">{row[1]}' if row[2] in kinds else row[0], context["body"]
        )


def claim_kinds(folder: Path) -> dict[str, str]:
    """The kind of each registered statement."""
    found = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            rows = csv.DictReader(stream)
            if {"claim_id", "kind"} <= set(rows.fieldnames or ()):
                found |= {row["claim_id"]: row["kind"] for row in rows}
    return found


def write_data(app: Sphinx, exception: Exception | None) -> None:
    """Write the data files, if a page has an explorer."""
    used = any("explorer" in about for about in app.env.metadata.values())
    if exception or app.builder.name not in ("html", "dirhtml") or not used:
        return
    folder = Path(app.outdir, "_static", STATIC)
    stamp = Path(app.doctreedir, "explore-version")
    if stamp.is_file() and stamp.read_text("utf-8") == version() and (folder / "index.js").is_file():
        return
    for name, text in data_files().items():
        path = folder / PurePosixPath(f"{name}.js")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    stamp.write_text(version(), encoding="utf-8")


def setup(app: Sphinx) -> dict:
    """Register the directive and connect the steps."""
    app.add_config_value("tb_explore_version", "", "env")
    app.add_directive("explorer", Explorer)
    app.connect("config-inited", note_version)
    app.connect("builder-inited", copy_scripts)
    app.connect("html-page-context", load_on_page)
    # After the site's own scripts have been put together: nobody needs to read through the data.
    app.connect("build-finished", write_data, priority=960)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
