"""Results kept for where a package is missing: the same result, and a refusal for anything else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tradebook import stored


@dataclass(frozen=True)
class Answer:
    """A table with a number."""

    table: pd.DataFrame
    share: float


def double(frame: pd.DataFrame, factor: float = 2.0) -> Answer:
    """What stands for a function of a package."""
    return Answer(frame.assign(value=frame.value * factor), float(frame.value.sum()))


COMPUTES = stored.stored("numpy")(double)  # a package that is there
MISSING = stored.stored("no_such_package")(double)


@pytest.fixture
def frame() -> pd.DataFrame:
    """A table with text, numbers and a gap."""
    return pd.DataFrame({"iso3": ["CHN", "RUS", None], "value": [1.5, np.nan, 3.0], "year": [1, 2, 3]})


@pytest.fixture
def kept(frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the result of one call, in the place where the package looks for it."""
    with stored.record() as results:
        COMPUTES(frame, factor=3.0)
    path = tmp_path / "stored.json.gz"
    path.write_bytes(stored.pack(results))
    monkeypatch.setattr(stored, "FILE", path)
    return path


def test_a_stored_result_is_the_computed_one(
    kept: Path, frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    found, wanted = MISSING(frame, factor=3.0), double(frame, factor=3.0)
    pd.testing.assert_frame_equal(found.table, wanted.table, check_dtype=False)
    assert found.share == wanted.share and isinstance(found, Answer)
    assert capsys.readouterr().out.count("no_such_package cannot run in a browser") == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.assign(value=[1.5, np.nan, 3.001]),
        lambda f: f.assign(value=[np.nan, 1.5, 3.0]),
        lambda f: f.assign(iso3=["CHN", None, "RUS"]),
        lambda f: f.assign(iso3=["RUS", "CHN", None]),
        lambda f: f.rename(columns={"year": "time"}),
        lambda f: f.iloc[::-1],
        lambda f: f.iloc[:2],
        lambda f: f.set_axis([1, 2, 3]),
    ],
)
def test_other_arguments_are_refused(kept: Path, frame: pd.DataFrame, change) -> None:
    with pytest.raises(stored.NotStoredError, match=r"no_such_package cannot run in a browser, and double\(\)"):
        MISSING(change(frame), factor=3.0)
    with pytest.raises(stored.NotStoredError):
        MISSING(frame)


def test_last_digits_do_not_count(kept: Path, frame: pd.DataFrame) -> None:
    assert MISSING(frame.assign(value=frame.value * (1 + 1e-15)), factor=3.0).share == pytest.approx(4.5)


def test_nothing_is_stored_where_the_package_is(kept: Path, frame: pd.DataFrame) -> None:
    assert COMPUTES(frame, factor=7.0).table.value[0] == pytest.approx(10.5)


def test_without_a_file_the_function_runs(frame: pd.DataFrame) -> None:
    assert not stored.FILE.exists()
    assert MISSING(frame).share == pytest.approx(4.5)


def test_only_the_outermost_call_is_recorded(frame: pd.DataFrame) -> None:
    outer = stored.stored("numpy")(lambda f: COMPUTES(f).table)
    with stored.record() as results:
        outer(frame)
    assert len(results) == 1 and "<lambda>" in next(iter(results))


def test_the_same_results_give_the_same_bytes(frame: pd.DataFrame) -> None:
    with stored.record() as one:
        COMPUTES(frame, factor=1.0), COMPUTES(frame)
    with stored.record() as other:
        COMPUTES(frame), COMPUTES(frame, factor=1.0)
    assert stored.pack(one) == stored.pack(other)


def test_kinds_of_results() -> None:
    series = pd.Series([1, 2], index=[2020, 2021], name="gap")
    value = {"a": (1, None, True, "x"), "b": [2.5, series]}
    back = stored._decode(stored._encode(value))
    assert back["a"] == value["a"] and back["b"][0] == 2.5
    pd.testing.assert_series_equal(back["b"][1], series)
    with pytest.raises(TypeError, match="cannot be kept"):
        stored._encode(object())
