"""The command line: answers, one-sentence errors, exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tradebook import __version__, cli

run = CliRunner().invoke


def test_version_and_help():
    assert run(cli.app, ["--version"]).stdout.strip() == __version__
    assert "audit" in run(cli.app, ["--help"]).stdout


def test_what_is_not_shown_on_a_terminal_is_utf_8():
    done = subprocess.run(
        [sys.executable, "-m", "tradebook.cli", "describe", "economies"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
    )
    assert done.returncode == 0, done.stderr.decode()
    assert "→" in done.stdout.decode("utf-8")


def test_tables_and_describe():
    assert "bilateral-trade" in run(cli.app, ["tables"]).stdout
    assert "caveats:" in run(cli.app, ["describe", "brent"]).stdout


def test_audit_formats_agree():
    rows = list(csv.DictReader(io.StringIO(run(cli.app, ["audit", "--chapter", "2", "--format", "csv"]).stdout)))
    parsed = json.loads(run(cli.app, ["audit", "--chapter", "2", "--format", "json"]).stdout)
    assert [r["claim_id"] for r in rows] == [r["claim_id"] for r in parsed]
    assert list(rows[0]) == [
        "claim_id", "source", "section", "line", "statement", "stated_value", "unit",
        "recomputed_value", "recomputed_from", "verdict", "note",
    ]  # fmt: skip
    only = run(cli.app, ["audit", "--chapter", "2", "--only", "contradicted", "--format", "csv"]).stdout
    assert {r["verdict"] for r in csv.DictReader(io.StringIO(only))} == {"contradicted"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["describe", "bilateral-trad"], "did you mean bilateral-trade"),
        (["audit", "--only", "wrong"], "There is no verdict"),
        (["audit", "--chapter", "99"], "No claim is registered for chapter 99"),
    ],
)
def test_an_error_is_one_sentence_and_status_1(arguments, sentence):
    done = subprocess.run(
        [sys.executable, "-m", "tradebook.cli", *arguments], capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 1
    assert sentence in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
