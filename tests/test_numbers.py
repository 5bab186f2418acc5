"""Numbers that a notebook hands to other pages."""

from __future__ import annotations

import html
import importlib.util
import json
import re

import pytest

from tools.environment import ROOT

SPEC = importlib.util.spec_from_file_location("tb_numbers", ROOT / "_ext" / "tb_numbers.py")
tb_numbers = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tb_numbers)


def test_what_is_glued_can_be_read(tmp_path):
    output = {
        "output_type": "display_data",
        "data": {tb_numbers.TEXT: "'China’s 5 %'"},
        "metadata": {"scrapbook": {"name": "share", "mime_prefix": "application/papermill.record/"}},
    }
    plain = {"output_type": "stream", "name": "stdout", "text": "x"}
    path = tmp_path / "page.ipynb"
    path.write_text(json.dumps({"cells": [{"outputs": [output, plain]}, {"source": ""}]}), "utf-8")
    assert tb_numbers.glued(path) == {"share": "China’s 5 %"}


@pytest.mark.parametrize("role", ["appendices/claims:share_right", "02-bilateral-trade:finding_mirror"])
def test_the_landing_page_names_numbers_that_exist(role):
    assert role in (ROOT / "chapters" / "index.md").read_text("utf-8")
    page, name = role.split(":")
    value = tb_numbers.glued(ROOT / "chapters" / f"{page}.ipynb")[name]
    assert any(character.isdigit() for character in value)


def test_the_built_landing_page_shows_them(site):
    text = html.unescape((site / "chapters" / "index.html").read_text("utf-8"))
    values = tb_numbers.glued(ROOT / "chapters" / "appendices" / "claims.ipynb")
    assert re.search(rf"make\s+{values['n_claims']} statements", text)
    assert values["share_right"].replace(" ", "\u00a0") in text, "the number is missing, or may part from its sign"
