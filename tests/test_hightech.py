"""High technology by definition, research intensity and content of exports, against the tables themselves."""

from __future__ import annotations

import pandas as pd
import pytest

from tradebook import hightech
from tradebook.data import load
from tradebook.hightech import HighTechnologyError


def test_definitions_are_kept_apart():
    china = hightech.exports("CHN")
    assert list(china) == list(hightech.DEFINITIONS)
    # The older definition starts in 1992, the current one in 2007; neither is continued by the other.
    assert china["World Bank, older"].first_valid_index() == 1992
    assert china["World Bank, current"].first_valid_index() == 2007
    raw = load("wdi").query("iso3 == 'CHN' and indicator == 'TX.VAL.TECH.CD' and year == 2014")
    assert china.loc[2014, "World Bank, current"] == pytest.approx(raw["value"].item() / 1e9)
    with pytest.raises(HighTechnologyError, match="covers XXX"):
        hightech.exports("XXX")


def test_research_intensity_of_the_numeraire():
    """The price level of the United States is one: its intensity needs no conversion."""
    rows = load("industry-research").dropna(subset=["research_mppp", "value_added_musd"])
    raw = rows[rows["iso3"] == "USA"].set_index(["year", "industry"])
    expected = 100 * raw["research_mppp"] / raw["value_added_musd"]
    found = hightech.research_intensity().query("iso3 == 'USA'").set_index(["year", "industry"])
    pd.testing.assert_series_equal(found["intensity"].sort_index(), expected.sort_index(), rtol=1e-6, check_names=False)
    china = hightech.price_level()["CHN"]
    assert china.loc[2000:2020].between(0.2, 1.0).all()


def test_world_table_of_a_year():
    table = hightech.world_table(2011)
    assert len(table.economies) == 41
    assert len(table.industries) == 35
    cells = load("wiod").query("year == 2011")
    assert table.inputs.sum() + table.final.sum() == pytest.approx(cells["value_musd"].sum())
    china = cells[(cells["exporter"] == "CHN") & (cells["importer"] != "CHN")]
    by_industry = china.groupby("industry", observed=True)["value_musd"].sum()
    place = table.industries.index("c14")
    assert table.exports("CHN")[place] == pytest.approx(by_industry["c14"])
