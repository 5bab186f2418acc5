"""The tool that looks for numbers of a source which no statement covers."""

from __future__ import annotations

import pytest

from tools import coverage
from tools.coverage import cover, numbers, role, unprinted

BLANK = dict.fromkeys(
    ("statement", "subject", "indicator", "period", "stated_value", "threshold", "unit", "check", "arithmetic"), ""
)


def claim(line: int, **columns: str) -> dict[str, str]:
    return BLANK | {"claim_id": f"chtf-1-{line:03d}", "line": str(line)} | columns


def printed(text: str) -> list[str]:
    return [number.printed for number in numbers(text, 1)]


def test_figures_and_number_words_are_found():
    assert printed("In 2015 it fell by -4.9%, to 1,234.5 and two thirds.") == ["2015", "-4.9", "1,234.5", "two"]
    assert printed("about 218.252 billion, half of 2001-2007") == ["218.252 billion", "half", "2001", "2007"]
    assert printed("2.2.1 Third, twenty-five tonnes of one someone") == ["2.2.1", "Third", "twenty-five", "one"]
    assert printed("обмен двух стран") == ["двух"]


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("1.3 trillion", {"stated_value": "1300"}, "stated"),
        ("1.3 trillion", {"stated_value": "1.3"}, "stated"),
        ("1.3", {"stated_value": "1300"}, "none"),
        ("a third", {"stated_value": "33.3"}, "stated"),
        ("-4.9", {"stated_value": "-4.9"}, "stated"),
        ("4.9", {"stated_value": "-4.9"}, "none"),
        ("2015", {"period": "2014-2015"}, "period"),
        ("2015", {"period": "20151"}, "none"),
        ("five", {"statement": "Five parks were built."}, "named"),
        ("five", {"check": "parks(number=5)"}, "named"),
        ("15", {"statement": "It rose by 15.2 %."}, "none"),
    ],
)
def test_a_claim_covers_a_number_in_its_strongest_role(text, columns, expected):
    (number,) = numbers(text, 1)
    assert role(number, claim(1, **columns)) == expected


def test_every_number_is_covered_by_a_claim_near_it_or_by_a_reason():
    text = "3 Trade\nIt grew by 7 % to 12.\n\n\nIt grew by 7 %."
    rules = [{"source": "chtf", "first": "1", "last": "1", "pattern": r"^\d+ ", "reason": "number of a section"}]
    rows = [row for row, _ in cover("chtf", text, [claim(2, stated_value="7")], rules)]
    assert [(row["number"], row["role"]) for row in rows] == [
        ("3", "reason"), ("7", "stated"), ("12", "open"), ("7", "open"),
    ]  # fmt: skip
    assert [row["claims"] for row in rows] == ["", "chtf-1-002", "", ""]


def test_a_rule_covers_only_the_number_that_it_encloses():
    rules = [{"source": "chtf", "first": "1", "last": "9", "pattern": r"\[\d+\]", "reason": "reference"}]
    rows = [row for row, _ in cover("chtf", "It sold 12 [12].", [], rules)]
    assert [row["role"] for row in rows] == ["open", "reason"]


def test_a_stated_figure_that_is_not_printed_is_found():
    claims = [claim(1, stated_value="7"), claim(2, stated_value="8")]
    assert unprinted("chtf", "It grew by 7 %.", claims) == [claims[1]]


def test_the_tool_writes_the_table_and_fails_while_numbers_are_open(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(coverage, "CLAIMS", tmp_path)
    (tmp_path / "coverage-reasons.csv").write_text("source,first,last,pattern,reason\n", "utf-8")
    (tmp_path / "chtf.csv").write_text(",".join(claim(1)) + "\n" + ",".join(claim(1, stated_value="7").values()) + "\n")
    (tmp_path / "news.txt").write_text("It grew by 7 %, then by 9 %.", "utf-8")
    assert coverage.main([f"chtf={tmp_path / 'news.txt'}", "--write"]) == 1
    assert "“9”" in capsys.readouterr().out
    rows = (tmp_path / "coverage.csv").read_text("utf-8").splitlines()
    assert rows == [",".join(coverage.COLUMNS), "chtf,1,1,7,stated,chtf-1-001,", "chtf,1,2,9,open,,"]
