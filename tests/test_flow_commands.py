"""`tradebook baci` and `tradebook pair`, from the published files to the printed answer."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tests.test_baci import files, put
from tradebook import baci, cli
from tradebook.errors import TradebookError

run = CliRunner().invoke


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A converted folder, made by the command."""
    folder = tmp_path_factory.mktemp("commands")
    source = put(folder / "source", files())
    done = run(cli.app, ["baci", str(source), "--to", str(folder / "flows"), "--years", "2016-2017"])
    assert done.exit_code == 0, done.output
    assert "BACI HS92, version 202401b: 12 flows" in done.stdout
    return folder / "flows"


def test_a_pair_is_described(place, monkeypatch):
    done = run(cli.app, ["pair", "china", "RU", "--data", str(place)])
    assert done.exit_code == 0, done.output
    text = done.stdout
    assert "BACI HS92, version 202401b; China (CHN) and Russia (RUS)" in text
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    # 2017: China sells 1.8 billion of one product, Russia 20 billion and 10 thousand of two.
    assert lines["2017"][1:5] == ["1.800", "20.000", "1", "2"]
    assert "100.0%" in lines["851712"]
    monkeypatch.setenv(baci.VARIABLE, str(place))
    assert run(cli.app, ["pair", "CHN", "RUS"]).stdout == text


def test_the_setting_that_is_printed_holds_in_every_folder(tmp_path, monkeypatch):
    put(tmp_path / "source", files())
    monkeypatch.chdir(tmp_path)
    done = run(cli.app, ["baci", "source", "--to", "flows"])
    assert f"Set {baci.VARIABLE}={tmp_path / 'flows'} to run" in done.stdout
    monkeypatch.setenv(baci.VARIABLE, "flows")
    with pytest.raises(TradebookError, match="relative path “flows”"):
        run(cli.app, ["pair", "CHN", "RUS"], catch_exceptions=False)
    assert run(cli.app, ["pair", "CHN", "RUS", "--data", "flows"]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["pair", "CHN", "RUS"], "There are no flows to ask"),
        (["pair", "CHN", "RUS", "--data", "nowhere"], "There are no converted flows in nowhere"),
        (["baci", "nowhere", "--to", "x"], "There is no file or folder nowhere"),
        (["baci", "nowhere", "--to", "x", "--years", "all"], "“all” are not years"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(arguments, says):
    with pytest.raises(TradebookError, match=says):
        run(cli.app, arguments, catch_exceptions=False)


def test_other_pairs_and_engines(place):
    with pytest.raises(TradebookError, match="no trade between Germany and France"):
        run(cli.app, ["pair", "DEU", "FRA", "--data", str(place)], catch_exceptions=False)
    with pytest.raises(TradebookError, match="There is no engine “spark”"):
        run(cli.app, ["pair", "CHN", "RUS", "--data", str(place), "--engine", "spark"], catch_exceptions=False)
