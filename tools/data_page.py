"""Write the pages that repeat the data package: ``python -m tools.data_page [--check]``.

They are the appendix “Data” and the list of datasets in the reproducibility statement. Both are committed, so that the
book builds without this step; ``--check`` (run by the tests) fails when they are not what the data package says.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tradebook.data import package
from tradebook.markdown import address, text

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "chapters" / "appendices" / "data.md"
STATEMENT = ROOT / "chapters" / "appendices" / "reproducibility.md"

KINDS = {
    "verbatim": "verbatim (the publisher's values in our columns)",
    "constructed": "constructed (joined or derived from published values; see the known problems)",
    "snapshot": "snapshot (an extract of a larger publication, frozen at its vintage)",
}

INTRODUCTION = """\
# Data

<!-- Written by tools/data_page.py from data/datapackage.json: change the descriptor, not this page. -->

Every number of this book comes from one of the {count} tables on this page, {size:.0f} MB in all. They form a
[Frictionless Data Package](https://datapackage.org/): one file per table and a descriptor that gives each column its type,
unit and meaning, each table its source, vintage, licence and known problems, and each file its checksum. In Python,
`load("table-name")` from `tradebook.data` returns a table after checking it against that descriptor; `describe("table-name")`
says what stands here.

- **Missing is not zero.** An empty cell means “not reported”. Nothing is filled in or interpolated.
- **Economies** are ISO 3166-1 alpha-3 codes; states that are gone keep their own (see [economies](#economies)).
- **Cite the publisher** named with a table, not this book, when you use its numbers.

The whole package: {{download}}`datapackage.json <../../data/datapackage.json>` and the files below, in one folder.

Under each figure and table of the chapters is a CSV file of what it shows. Its first lines begin with `#` and name the
figure, what is measured, the units, the sources and their licences. They stand in the file itself, so that they go where the
numbers go; tools that know no comments must be told about them: `pandas.read_csv(file, comment="#")`,
`read.csv(file, comment.char = "#")` in R, `read_csv('file.csv', comment = '#')` in DuckDB. A spreadsheet shows them as the
first rows. Numbers have six significant digits.

| Table | What it holds | Rows | Years |
| --- | --- | ---: | --- |
{index}
"""


def years(resource: dict) -> str:
    span = resource["coverage"].get("years")
    return f"{span[0]}–{span[1]}" if span else ""


def limits(field: dict) -> str:
    """The constraints of a column in words."""
    rules = field.get("constraints", {})
    words = []
    if "enum" in rules:
        words.append("one of " + ", ".join(f"`{value}`" for value in rules["enum"]))
    if "minimum" in rules and "maximum" in rules:
        words.append(f"{rules['minimum']} to {rules['maximum']}")
    elif "minimum" in rules:
        words.append(f"at least {rules['minimum']}")
    if not rules.get("required"):
        words.append("may be empty")
    return "; ".join(words)


def section(resource: dict) -> str:
    """One table: anchor, description, columns, source, licence, problems, citation, download."""
    name = resource["name"]
    rows = [
        f"| `{f['name']}` | {f['type']} | {text(f.get('unit', ''))} | {text(f['description'])} | {text(limits(f))} |"
        for f in resource["schema"]["fields"]
    ]
    sources = "; ".join(
        f"[{text(s['title'])}]({address(s['path'])})" if "path" in s else text(s["title"]) for s in resource["sources"]
    )
    licences = "; ".join(f"[{text(terms['title'])}]({address(terms['path'])})" for terms in resource["licenses"])
    problems = "\n".join(f"- {text(caveat)}" for caveat in resource["caveats"])
    economies = resource["coverage"].get("economies")
    coverage = f"{resource['rows']:,} rows" + (f", {years(resource)}" if years(resource) else "")
    coverage += f", {economies} economies (aggregates included)" if economies else ""
    cited = resource["sources"][0]["title"]
    keys = ", ".join(f"`{k}`" for k in resource["schema"]["primaryKey"])
    links = [
        f"`{k['fields'][0]}` → [{k['reference']['resource']}](#{k['reference']['resource']})"
        for k in resource["schema"].get("foreignKeys", [])
    ]
    return f"""\
({name})=
## {name}

**{text(resource["title"])}.** {text(resource["description"])}

| Column | Type | Unit | Meaning | Values |
| --- | --- | --- | --- | --- |
{chr(10).join(rows)}

: Key
:: {keys}{"; refers to " + ", ".join(links) if links else ""}
: Coverage
:: {coverage}
: Source
:: {sources}; vintage: {text(resource["vintage"])}
: Kind
:: {KINDS[resource["kind"]]}
: Licence
:: {licences}
: Cite as
:: {text(cited)}, vintage {text(resource["vintage"])}.
: File
:: {{download}}`{resource["path"]} <../../data/{resource["path"]}>` ({resource["bytes"] / 1e6:,.2f} MB, SHA-256 `{resource["hash"][7:19]}…`)

**Known problems**

{problems}
"""


def page() -> str:
    """The whole page as MyST Markdown."""
    resources = package()["resources"]
    index = "\n".join(
        f"| [{r['name']}](#{r['name']}) | {text(r['title'])} | {r['rows']:,} | {years(r)} |" for r in resources
    )
    size = sum(r["bytes"] for r in resources) / 1e6
    parts = [INTRODUCTION.format(count=len(resources), size=size, index=index)]
    body = "\n".join(section(r) for r in resources)
    # Definition lists as MyST writes them: the term on its own line, the definition after a colon.
    body = re.sub(r"^: (.+)\n:: (.+)$", r"\1\n: \2\n", body, flags=re.M)
    return "\n".join([*parts, body]).rstrip() + "\n"


def statement() -> str:
    """The reproducibility statement with the list of datasets as it must be."""
    rows = [
        f"| `{r['name']}` | {text('; '.join(dict.fromkeys(s['publisher'] for s in r['sources'])))} |"
        for r in package()["resources"]
    ]
    # A run of table rows whose first cell is the name of a table.
    return re.sub(
        r"(?:^\| `[a-z0-9-]+` \|.*\n)+", "\n".join(rows) + "\n", STATEMENT.read_text("utf-8"), count=1, flags=re.M
    )


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` say which does not agree with the data package."""
    for path, wanted in ((PAGE, page()), (STATEMENT, statement())):
        current = path.read_text("utf-8") if path.exists() else ""
        if current == wanted:
            continue
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)} does not agree with the data package: run python -m tools.data_page.")
            return 1
        path.write_text(wanted, "utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
