"""Codes and names of economies."""

from __future__ import annotations

import pytest

from tradebook.data import load
from tradebook.economies import UnknownEconomyError, lineage, name, names, resolve


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("DEU", "DEU"),
        ("de", "DEU"),
        ("Germany", "DEU"),
        ("south korea", "KOR"),
        ("Cote d'Ivoire", "CIV"),
        ("ussr", "SUN"),
    ],
)
def test_codes_and_names_are_understood(typed, code):
    assert resolve(typed) == code


def test_a_mistyped_name_gets_a_suggestion():
    with pytest.raises(UnknownEconomyError, match=r"Did you mean DEU \(Germany\)\?"):
        resolve("Germny")
    with pytest.raises(UnknownEconomyError, match="Give an ISO 3166 code"):
        resolve("xqzw")
    with pytest.raises(UnknownEconomyError):
        resolve("")


def test_names_are_short_and_unique():
    table = load("economies")
    assert table["name"].is_unique
    assert name("HKG") == "Hong Kong"
    assert names(table["iso3"]).tolist() == table["name"].tolist()


def test_a_line_runs_back_only_where_nothing_overlaps():
    assert lineage("RUS") == ["SUN", "RUS"]
    assert lineage("CZE") == ["CSK", "CZE"]
    assert lineage("DEU") == ["DEU"]
    assert lineage("CHN") == ["CHN"]
