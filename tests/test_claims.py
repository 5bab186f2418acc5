"""The register of claims, the rule that gives verdicts, and the audit."""

from __future__ import annotations

import inspect
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tools.coverage import REACH, numbers, role
from tradebook import checks, claims, data
from tradebook.checks import CheckError, Recomputed
from tradebook.claims import ClaimError, Tolerance, half_unit, likely_reading, parse_call, verdict

ROOT = Path(__file__).resolve().parents[1]
quick = settings(derandomize=True, max_examples=50, deadline=None)
UNITS = {"billion US$": "level", "percent": "rate", "times": "level", "percentage points": "rate"}


@pytest.fixture(scope="module")
def register() -> pd.DataFrame:
    return claims.register()


@pytest.fixture(scope="module")
def audited() -> pd.DataFrame:
    return claims.audit()


def found(value: float, unit: str = "billion US$", *alternatives: float, readings=()) -> Recomputed:
    others = tuple((f"alternative {i}", other) for i, other in enumerate(alternatives))
    return Recomputed(value, unit, "a table", others, tuple(readings))


# --- the register ---------------------------------------------------------------------------------


def test_register_keeps_the_contract(register):
    assert tuple(register.columns) == claims.COLUMNS
    assert register.claim_id.is_unique
    sources = "|".join(claims.SOURCES)
    assert register.claim_id.str.fullmatch(rf"(?:{sources})-[a-z0-9.]+(?:-[a-z0-9.]+)*-\d{{3}}").all()
    assert all(row.claim_id.startswith(f"{row.source}-") for row in register.itertuples())
    lines = {"thesis": 787, "chtf": 10, "us-china-brief": 54, "patents-paper": 892, "shandong-paper": 206}
    assert (register.line >= 1).all() and (register.line <= register.source.map(lines)).all()
    assert (register.statement.str.len() < 250).all()


def test_claims_stand_in_reading_order(register):
    for _, group in register.groupby("source"):
        assert group.line.is_monotonic_increasing
    # Numbers are permanent: what a second reading found in a section is numbered after the first.
    for (source, section), group in register.groupby(["source", "section"]):
        numbers = group.claim_id.str.removeprefix(f"{source}-{section}-").astype(int)
        assert numbers.is_unique and numbers.min() >= 1


def test_each_claim_has_a_check_or_a_reason_and_never_both(register):
    tested = register.check != ""
    assert (tested != (register.not_checkable_because != "")).all()
    assert register.not_checkable_because[~tested].str.len().min() > 20


def test_no_verdict_is_stored(register):
    assert not {"verdict", "recomputed_value"} & set(register.columns)
    stored = register.drop(columns="statement").isin(claims.VERDICTS)
    assert not stored.any().any()


def test_every_check_exists_and_takes_the_arguments(register):
    known = checks.registry()
    for text in register.check[register.check != ""]:
        name, positional, keywords = parse_call(text)
        if name in {*claims.RELATIONS, "count"}:
            assert positional and not keywords
        else:
            assert not positional
            inspect.signature(known[name]).bind(**keywords)


def test_every_check_is_used(register):
    used = {parse_call(text)[0] for text in register.check[register.check != ""]}
    assert set(checks.registry()) <= used


def test_relations_quote_claims_and_not_figures(register):
    # 100 makes a share, 1000 a unit; the years between two figures are a property of the claim.
    for text in pd.concat([register.check, register.arithmetic]):
        name, positional, _ = parse_call(text) if text else ("", [], {})
        if name in claims.RELATIONS:
            numbers_ = [item for item in positional if not isinstance(item, str)]
            assert set(numbers_[:-1] if name == "mean_growth" else numbers_) <= {1, 100, 1000}, text


def test_all_cells_of_table_2_1_are_registered(register):
    cells = register[(register.kind == "table-cell") & (register.chapter == 2)]
    counts = cells.groupby(["line", "subject"], sort=False).size().tolist()
    assert counts == [5, 5, 4, 5, 5, 5]
    assert (cells.stated_value == "5").all() and (cells.comparison == "<=").all()


def test_facts_are_cited_and_used(register):
    facts = pd.read_csv(data.data_folder() / "claims" / "facts.csv")
    assert facts.fact.is_unique and facts.notna().all().all()
    assert facts.url.str.startswith("http").all()
    text = " ".join(register.check)
    assert [name for name in facts.fact if name not in text] == []


@pytest.fixture(scope="module")
def coverage() -> pd.DataFrame:
    return pd.read_csv(data.data_folder() / "claims" / "coverage.csv", dtype=str, keep_default_na=False)


def test_every_number_of_every_source_is_covered(register, coverage):
    assert set(coverage.source) == set(claims.SOURCES)
    assert set(coverage.role) == {"stated", "period", "named", "reason"}
    assert ((coverage.claims != "") == (coverage.role != "reason")).all()
    assert ((coverage.reason != "") == (coverage.role == "reason")).all()
    assert not coverage.duplicated(["source", "line", "nth"]).any()


def test_the_claims_that_cover_a_number_name_it(register, coverage):
    rows = {row["claim_id"]: row for row in register.astype(str).to_dict("records")}
    for entry in coverage[coverage.claims != ""].itertuples():
        (number,) = (n for n in numbers(entry.number, int(entry.line)) if n.printed == entry.number)
        for claim in entry.claims.split():
            assert abs(int(rows[claim]["line"]) - int(entry.line)) <= REACH
            assert role(number, rows[claim]) == entry.role, (entry, claim)


def test_the_coverage_table_quotes_no_source(coverage):
    reasons = pd.read_csv(data.data_folder() / "claims" / "coverage-reasons.csv")
    assert coverage.number.str.len().max() <= 20
    assert reasons.pattern.str.len().max() <= 120
    assert set(coverage.reason) - {""} <= set(reasons.reason)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"claim_id": "thesis-9.9-001"}, "claim_id must be"),
        (
            {"check": "total_trade(year=2002)", "not_checkable_because": "no data for this"},
            "not both",
        ),
        ({"check": "", "arithmetic": "", "not_checkable_because": ""}, "not both"),
        ({"threshold": "3", "stated_value": "3"}, "not both"),
        ({"unit": ""}, "needs a unit"),
        ({"comparison": "≈"}, "comparison must be"),
        ({"kind": "guess"}, "kind must be"),
        ({"stated_value": "11,928"}, "plain number"),
        ({"check": "__import__('os').getcwd()"}, "not a call"),
        ({"intended_reading": "another word"}, "belong together"),
        ({"subject": " "}, "fill subject"),
    ],
)
def test_a_row_that_breaks_the_contract_is_named(monkeypatch, tmp_path, change, message):
    folder = tmp_path / "claims"
    folder.mkdir()
    rows = pd.read_csv(data.data_folder() / "claims" / "thesis.csv", dtype=str, keep_default_na=False)
    row = rows[rows.check.str.startswith("total_trade(year=2002")].assign(**change)
    row.to_csv(folder / "thesis.csv", index=False)
    monkeypatch.setattr(claims, "data_folder", lambda: tmp_path)
    with pytest.raises(ClaimError, match=message):
        claims.register()


def test_repeated_ids_and_missing_registers_are_refused(monkeypatch, tmp_path):
    (tmp_path / "claims").mkdir()
    monkeypatch.setattr(claims, "data_folder", lambda: tmp_path)
    with pytest.raises(ClaimError, match="There is no register"):
        claims.register()
    rows = claims.pd.read_csv(data.data_folder() / "claims" / "thesis.csv", dtype=str, keep_default_na=False)
    pd.concat([rows, rows.tail(1)]).to_csv(tmp_path / "claims" / "thesis.csv", index=False)
    with pytest.raises(ClaimError, match="registered twice"):
        claims.register()
    with pytest.raises(ClaimError, match="no source"):
        claims.register("novel")


# --- the small language ---------------------------------------------------------------------------


def test_parse_call_reads_checks_and_relations():
    assert parse_call("total_trade(year=2002)") == ("total_trade", [], {"year": 2002})
    assert parse_call("growth(thesis-2.1-030, us-china-brief-2-014)") == (
        "growth",
        ["thesis-2.1-030", "us-china-brief-2-014"],
        {},
    )
    assert parse_call("f(a-2.1-001, 6)")[1] == ["a-2.1-001", 6]
    assert parse_call("f(groups=['HS 29', 'XVI'], decrease=True)")[2] == {
        "groups": ["HS 29", "XVI"],
        "decrease": True,
    }


@pytest.mark.parametrize("text", ["f", "f(g())", "f(x)", "f(**{'a': 1})", "os.getcwd()", "f(1", "f()()", "1 + 1"])
def test_parse_call_refuses_anything_else(text):
    with pytest.raises(ClaimError, match="not a call"):
        parse_call(text)


# --- the rule -------------------------------------------------------------------------------------


@st.composite
def printed_figures(draw):
    """A figure as a source prints it: 1 to 9999 with up to three decimals."""
    decimals = draw(st.integers(0, 3))
    return f"{draw(st.integers(10**decimals, 9999 * 10**decimals)) / 10**decimals:.{decimals}f}"


@pytest.mark.parametrize(("text", "half"), [("11.928", 0.0005), ("70", 0.5), ("5.6", 0.05), ("-3.10", 0.005)])
def test_precision_is_half_a_unit_of_the_last_digit(text, half):
    assert half_unit(text) == pytest.approx(half)


@quick
@given(printed_figures(), st.floats(-1, 1), st.sampled_from(sorted(UNITS)))
def test_within_half_a_unit_is_confirmed(text, part, unit):
    value = float(text) + part * half_unit(text)
    assert verdict(text, "=", unit, found(value, unit)).verdict == "confirmed"


@quick
@given(
    printed_figures(),
    st.floats(1.001, 50),
    st.sampled_from([-1, 1]),
    st.sampled_from(sorted(UNITS)),
)
def test_beyond_the_tolerance_is_contradicted(text, factor, side, unit):
    reach = max(half_unit(text), Tolerance().of(float(text), unit))
    value = float(text) + side * factor * reach
    assert verdict(text, "=", unit, found(value, unit)).verdict == "contradicted"


@quick
@given(
    printed_figures(),
    st.floats(0.01, 0.99),
    st.sampled_from([-1, 1]),
    st.sampled_from(sorted(UNITS)),
)
def test_between_precision_and_tolerance_is_approximately_right(text, part, side, unit):
    half, reach = half_unit(text), Tolerance().of(float(text), unit)
    assume(reach > 1.01 * half)
    value = float(text) + side * (half * 1.001 + part * (reach - half * 1.001))
    assert verdict(text, "=", unit, found(value, unit)).verdict == "approximately right"


@quick
@given(printed_figures(), st.floats(0, 2e4), st.floats(0, 2e4))
def test_a_value_nearer_to_the_figure_never_gets_a_worse_verdict(text, one, other):
    order = {"confirmed": 0, "approximately right": 1, "contradicted": 2}
    near, far = sorted((one, other), key=lambda value: abs(value - float(text)))
    ranks = [order[verdict(text, "=", "billion US$", found(value)).verdict] for value in (near, far)]
    assert ranks[0] <= ranks[1]


@quick
@given(printed_figures(), st.floats(0, 2e4))
def test_inequalities_hold_or_do_not(text, value):
    stated = float(text)
    truth = {">": value > stated, ">=": value >= stated, "<": value < stated, "<=": value <= stated}
    for comparison, holds in truth.items():
        expected = "confirmed" if holds else "contradicted"
        assert verdict(text, comparison, "billion US$", found(value)).verdict == expected


@quick
@given(printed_figures(), st.floats(3, 100))
def test_an_alternative_that_is_right_is_named(text, factor):
    wrong = found(float(text) * factor, "billion US$", float(text))
    judged = verdict(text, "=", "billion US$", wrong)
    assert judged.verdict == "depends on definition or vintage"
    assert "Right under: alternative 0" in judged.note


@quick
@given(printed_figures(), st.floats(0, 2e4), st.floats(0, 2e4), st.floats(0, 2e4))
def test_arithmetic_never_overrides_data_that_agree(text, value, low, high):
    with_data = verdict(text, "=", "billion US$", found(value))
    with_both = verdict(text, "=", "billion US$", found(value), tuple(sorted((low, high))))
    if with_data.verdict == "contradicted":
        assert with_both.verdict in {"contradicted", "internally inconsistent"}
    else:
        assert with_both.verdict == with_data.verdict


@quick
@given(printed_figures(), st.floats(0, 100))
def test_arithmetic_alone_decides_without_data(text, width):
    stated, half = float(text), half_unit(text)
    touching = verdict(text, "=", "percent", None, (stated + half, stated + half + width))
    apart = verdict(text, "=", "percent", None, (stated + half * 1.1, stated + half * 1.1 + width))
    assert (touching.verdict, apart.verdict) == ("confirmed", "internally inconsistent")


@pytest.mark.parametrize("unit", ["year", "rank", "count", "days", "years"])
def test_dates_ranks_and_counts_are_exact(unit):
    assert verdict("1689", "=", unit, found(1689.0, unit)).verdict == "confirmed"
    assert verdict("1689", "=", unit, found(1690.0, unit)).verdict == "contradicted"


def test_a_hedged_figure_has_five_per_cent():
    assert verdict("30", "about", "percent", found(28.6, "percent")).verdict == "confirmed"
    assert verdict("30", "about", "percent", found(28.4, "percent")).verdict != "confirmed"
    assert verdict("30", "about", "billion US$", found(28.4)).verdict == "contradicted"


def test_a_hedged_rate_is_near_as_far_as_a_plain_one():
    assert verdict("10", "about", "percent", found(10.8, "percent")).verdict == "approximately right"
    assert verdict("10", "about", "percent", found(11.1, "percent")).verdict == "contradicted"


@quick
@given(printed_figures(), st.floats(0, 2e4), st.sampled_from([*sorted(UNITS), "count"]))
def test_a_hedge_never_makes_a_verdict_worse(text, value, unit):
    order = {"confirmed": 0, "approximately right": 1, "contradicted": 2}
    plain, hedged = (order[verdict(text, sign, unit, found(value, unit)).verdict] for sign in ("=", "about"))
    assert hedged <= plain


def test_small_rates_need_to_be_near_in_proportion_too():
    assert verdict("1.6", "=", "percent", found(1.9, "percent")).verdict == "approximately right"
    assert verdict("1.6", "=", "percent", found(2.5, "percent")).verdict == "contradicted"


def test_nothing_to_compare_with_is_not_checkable():
    assert verdict("85", "=", "percent").verdict == "not checkable"


def test_units_must_agree():
    with pytest.raises(CheckError, match="same unit"):
        verdict("11.9", "=", "percent", found(11.9))
    with pytest.raises(CheckError, match="no number"):
        found(math.nan)


def worked_examples():
    page = (data.data_folder().parent / "chapters/appendices/methods-verdicts.md").read_text("utf-8")
    lines = page.split("## Worked examples")[1].split("\n## ")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    return cells[2:]


@pytest.mark.parametrize("row", worked_examples(), ids=lambda row: " ".join(row[:4]))
def test_worked_examples_of_the_methods_page(row):
    printed, comparison, unit, value, alternative, allowed, expected = row
    recomputed = found(float(value), unit, *map(float, alternative.split())) if value else None
    interval = tuple(map(float, allowed.split(" to "))) if allowed else None
    assert verdict(printed, comparison, unit, recomputed, interval).verdict == expected


def test_worked_examples_show_every_verdict():
    assert {row[-1] for row in worked_examples()} == set(claims.VERDICTS)


# --- slips ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "value", "meant"),
    [
        ("218.252", 1218.5, "1218.252: a digit was lost"),
        ("119.28", 11.93, "11.928: a slip of scale by a factor of 10"),
        ("48.2", 48200.0, "48200: a slip of scale by a factor of 1000"),
        ("570.2", 70.2, "70.2: a digit was added"),
        ("72.9", 12.9, "12.9: a digit was altered"),
        ("91.28", 19.28, "19.28: two digits were swapped"),
    ],
)
def test_slips_of_scale_and_of_one_digit_are_recognised(stated, value, meant):
    assert likely_reading(stated, "=", found(value)) == meant
    assert verdict(stated, "=", "billion US$", found(value)).verdict == "contradicted"


def test_another_year_is_recognised_and_does_not_change_the_verdict():
    judged = verdict("23.46", "=", "billion US$", found(17.13, readings=[("section XVI, 2014", 23.458)]))
    assert judged.verdict == "contradicted"
    assert judged.reading.startswith("section XVI, 2014")


@pytest.mark.parametrize(("stated", "value"), [("9.5", 4.67), ("20", 48.1), ("11.928", 9.172), ("1.53", 1.563)])
def test_no_slip_is_invented(stated, value):
    assert likely_reading(stated, "=", found(value)) == ""


def test_slips_rarely_fit_by_chance():
    random = np.random.default_rng(0)
    figures = random.uniform(1, 100, 600)
    others = figures * 10 ** random.uniform(-1, 1, 600)
    hits = [bool(likely_reading(f"{a:.2f}", "=", found(b))) for a, b in zip(figures, others, strict=True)]
    assert np.mean(hits) < 0.06  # 2 % of the pairs are within the tolerance of a factor of ten to begin with


# --- arithmetic inside a document -----------------------------------------------------------------


def relation(text: str, **printed: str):
    return claims._relation(text, {name.replace("_", "-") + "-1-001": figure for name, figure in printed.items()})


def test_relations_carry_the_rounding_of_their_figures():
    middle, (low, high), _ = relation("growth(new-1-001, old-1-001)", new="110", old="100")
    assert middle == pytest.approx(10)
    assert low == pytest.approx(100 * (109.5 / 100.5 - 1)) and high == pytest.approx(100 * (110.5 / 99.5 - 1))
    assert relation("total(a-1-001, b-1-001)", a="70.2", b="7.9")[1] == pytest.approx((78.0, 78.2))
    assert relation("mean_growth(a-1-001, b-1-001, 2)", a="121", b="100")[0] == pytest.approx(10)
    assert relation("count(a-1-001, b-1-001)", a="1", b="2")[:2] == (2.0, (2.0, 2.0))
    assert relation("decrease(a-1-001, b-1-001)", a="60", b="80")[0] == pytest.approx(25)
    assert relation("share_beside(a-1-001, b-1-001, c-1-001)", a="1.32", b="19.73", c="70.2")[0] == pytest.approx(
        4.6967, abs=1e-3
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("growth(x-1-001, a-1-001)", "not a claim"),
        ("root(a-1-001)", "no relation"),
        ("value(b-1-001)", "states none"),
    ],
)
def test_wrong_relations_are_refused(text, message):
    with pytest.raises(ClaimError, match=message):
        relation(text, a="1", b="")


# --- the audit ------------------------------------------------------------------------------------


def test_every_check_runs_and_every_claim_gets_one_verdict(register, audited):
    assert audited.claim_id.tolist() == register.claim_id.tolist()
    assert audited.verdict.isin(claims.VERDICTS).all()
    unchecked = register.not_checkable_because != ""
    assert (audited.verdict == "not checkable").tolist() == unchecked.tolist()
    assert audited.recomputed_value.notna().tolist() == (~unchecked).tolist()
    assert audited.recomputed_from[~unchecked].str.len().min() > 3


def test_the_audit_is_deterministic(audited):
    pd.testing.assert_frame_equal(claims.audit(), audited)


def test_the_audit_can_be_narrowed(audited):
    chapter = claims.audit(chapter=2, source="thesis")
    assert chapter.claim_id.tolist() == audited.claim_id[audited.claim_id.isin(chapter.claim_id)].tolist()
    assert 0 < len(chapter) < len(audited)
    with pytest.raises(ClaimError, match="No claim"):
        claims.audit(chapter=99)


def test_scoreboard_counts_every_claim_once(audited):
    board = claims.scoreboard(audited)
    assert list(board.columns) == [*claims.VERDICTS, "claims"]
    assert board.loc["all", "claims"] == len(audited) == board.drop("all").claims.sum()
    with pytest.raises(ClaimError, match="no column"):
        claims.scoreboard(audited, by="mood")
    chapters = claims.scoreboard(audited, by="chapter")
    assert chapters.loc[2].equals(claims.scoreboard(claims.audit(chapter=2)).loc["all"])
    cells = claims.register().kind.eq("table-cell").sum()
    assert claims.scoreboard(audited, by="kind").loc["table-cell", "claims"] == cells


def test_slips_say_what_was_meant_and_how_we_know(register):
    table = claims.slips()
    assert set(table.claim_id) >= set(register.claim_id[register.intended_reading != ""])
    assert (table[["printed", "meant", "how_known"]].map(len) > 3).all().all()


def test_a_stricter_rule_never_confirms_more(audited):
    strict = claims.audit(tolerance=Tolerance(level=0.0, points=0.0, hedge=0.0))
    right = ["confirmed", "approximately right"]
    assert set(strict.claim_id[strict.verdict.isin(right)]) <= set(audited.claim_id[audited.verdict.isin(right)])
    assert (strict.verdict != "approximately right").all()


def test_a_check_that_fails_is_reported_with_its_claim(monkeypatch):
    original = data.load

    def broken(name):
        if name == "tariffs":
            raise RuntimeError("the table is gone")
        return original(name)

    monkeypatch.setattr(data, "load", broken)
    with pytest.raises(CheckError, match=r"thesis-2\.4-003: RuntimeError: the table is gone"):
        claims.audit()


def test_a_missing_year_is_an_error_and_not_a_verdict():
    checks.forget()
    with pytest.raises(CheckError, match="no figure"):
        checks.registry()["total_trade"](year=1900)


# --- the verdicts rest on the data ----------------------------------------------------------------


def audit_with(monkeypatch, table: str, change) -> pd.DataFrame:
    original = data.load

    def changed(name):
        frame = original(name)
        return change(frame) if name == table else frame

    monkeypatch.setattr(data, "load", changed)
    return claims.audit()


def test_changing_one_cell_flips_the_verdicts_that_rest_on_it(monkeypatch, register, audited):
    def double(frame):
        cell = (frame.year == 2002) & (frame.reporter == "CHN") & (frame.exporter == "CHN")
        assert cell.sum() == 1
        frame.loc[cell, "value_usd"] *= 2
        return frame

    after = audit_with(monkeypatch, "china-russia-totals", double)
    moved = set(audited.claim_id[audited.verdict != after.verdict])
    level = register.claim_id[register.check == "total_trade(year=2002)"].item()
    growth = register.claim_id[register.check == "total_growth(year=2002)"].item()
    assert {level, growth} <= moved
    untouched = register.claim_id[register.check.str.contains("group_") | register.check.str.contains("fact")]
    assert not moved & set(untouched)


def test_what_changed_between_two_audits_is_listed(monkeypatch, audited):
    def double(frame):
        frame.loc[(frame.year == 2002) & (frame.reporter == "CHN") & (frame.exporter == "CHN"), "value_usd"] *= 2
        return frame

    changes = claims.compare(audited, audit_with(monkeypatch, "china-russia-totals", double)).set_index("claim_id")
    assert (changes.verdict_before != changes.verdict_after).any()
    assert (changes.value_before != changes.value_after).all()
    assert not set(changes.index) & set(audited.claim_id[audited.verdict == "not checkable"])
    assert claims.compare(audited, audited).empty
    fewer = claims.compare(audited, audited.iloc[3:])
    assert fewer.claim_id.tolist() == audited.claim_id[:3].tolist() and (fewer.verdict_after == "").all()


def test_an_audit_that_was_stored_is_read_back_the_same(audited, tmp_path):
    audited.to_csv(tmp_path / "audit.csv", index=False)
    assert claims.compare(claims.read_audit(tmp_path / "audit.csv"), audited).empty
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    for name in ("other.csv", "missing.csv"):
        with pytest.raises(ClaimError, match="tradebook audit --format csv"):
            claims.read_audit(tmp_path / name)


def test_correcting_the_data_to_the_printed_figure_confirms_it(monkeypatch, register, audited):
    claim = register.claim_id[register.check.str.startswith("group_growth(flow='export', group='XVII'")].item()
    assert audited.verdict[audited.claim_id == claim].item() == "contradicted"

    def agree(frame):
        rows = (frame.partner == "CHN") & (frame.flow == "export") & frame.hs_chapter.isin(["86", "87", "88", "89"])
        now, before = rows & (frame.year == 2015), rows & (frame.year == 2014)
        frame.loc[now, "value_usd"] *= 3.842 * frame.value_usd[before].sum() / frame.value_usd[now].sum()
        return frame

    after = audit_with(monkeypatch, "russia-hs-chapters", agree)
    assert after.verdict[after.claim_id == claim].item() == "confirmed"


def test_the_register_reads_from_another_data_folder(monkeypatch, tmp_path):
    shutil.copytree(data.data_folder() / "claims", tmp_path / "claims")
    monkeypatch.setattr(claims, "data_folder", lambda: tmp_path)
    assert len(claims.register("thesis")) < len(claims.register())
