"""What a fork of a chapter asks its student: prompts, the words that may not be left, and the exercises."""

from __future__ import annotations

import ast
import builtins
import itertools
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator

import pandas as pd
import pytest

from tools.environment import ROOT
from tradebook import claims, prose

CHAPTERS = {path.stem: path for path in sorted((ROOT / "chapters").glob("0[1-5]-*.ipynb"))}
each_chapter = pytest.mark.parametrize("stem", CHAPTERS)

#: Words of the book's own case: its two economies, its company, its sources. Codes and names of tables are no words.
OWN = re.compile(
    r"\bChin(?:a|ese)\b|\bRussian?\b|\bSoviet\b|\bHuawei\b|\bShandong\b|\bChelyabinsk\b|\bLiotech\b|\bRUSNANO\b"
    r"|\b[Tt]hesis(?:'s)?\b(?! of| or)|\b[Tt]he (?:article|brief|news item)\b"
)
PROMPT = re.compile(r"^:::\{admonition\} Your turn\n:class: tb-prompt\n(.+?)\n:::$", re.M | re.S)
LEVELS = ("warm-up", "core", "stretch", "project")


def cells(stem: str) -> list[dict]:
    notebook = json.loads(CHAPTERS[stem].read_text("utf-8"))
    return [dict(c, source="".join(c["source"]), tags=c["metadata"].get("tags", [])) for c in notebook["cells"]]


def prompts(stem: str) -> dict[str, str]:
    return tomllib.loads((ROOT / "coursework" / f"{stem}.prompts.toml").read_text("utf-8"))["cells"]


def markdown_of_a_fork(stem: str) -> dict[str, str]:
    texts = prompts(stem)
    return {c["id"]: texts.get(c["id"], c["source"]) for c in cells(stem) if c["cell_type"] == "markdown"}


def code_of_a_fork(stem: str) -> dict[str, str]:
    return {c["id"]: c["source"] for c in cells(stem) if c["cell_type"] == "code" and "case" not in c["tags"]}


def names_a_case(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Name) and n.id.endswith("_CASE") for n in ast.walk(node))


def reached(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes of code that a case other than the book's reaches, less the line that tells the cases apart."""
    if isinstance(node, ast.Assign) and names_a_case(node.targets[0]):
        return
    yield node
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.If | ast.IfExp) and names_a_case(node.test):
        children = node.orelse if isinstance(node.orelse, list) else [node.orelse]
    for child in children:
        yield from reached(child)


def literals(source: str) -> Iterator[str]:
    for node in reached(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


# --- prompts --------------------------------------------------------------------------------------


@each_chapter
def test_every_paragraph_of_the_books_case_has_a_prompt_and_no_prompt_is_without_one(stem):
    texts = prompts(stem)
    markdown = {c["id"]: c for c in cells(stem) if c["cell_type"] == "markdown"}
    assert set(texts) <= set(markdown), f"of no cell: {set(texts) - set(markdown)}"
    needed = {key for key, c in markdown.items() if "case" in c["tags"] or OWN.search(without_citations(c["source"]))}
    assert needed <= set(texts), f"without a text: {needed - set(texts)}"
    unchanged = [key for key in texts if texts[key].strip() == markdown[key]["source"].strip()]
    assert not unchanged, f"the text is that of the book: {unchanged}"


def without_citations(text: str) -> str:
    return re.sub(r"\{(?:cite(?::\w)?|claim)\}`[^`]+`", "", text)


@each_chapter
def test_no_word_of_the_books_case_is_left_in_the_text_of_a_fork(stem):
    for key, text in markdown_of_a_fork(stem).items():
        found = OWN.search(without_citations(text))
        assert not found, f"{key}: {text[max(0, found.start() - 60) : found.end() + 40]!r}"
        assert "{claim}" not in text or key not in prompts(stem), f"{key} marks a claim"
        elsewhere = re.search(r"\b[Cc]hapters? \d|\b(?:second|third|next|last) chapter\b", text)
        assert not elsewhere, f"{key} speaks of a chapter that is not there: {elsewhere[0]}"


@each_chapter
def test_no_word_of_the_books_case_is_left_in_the_code_of_a_fork(stem):
    for key, source in code_of_a_fork(stem).items():
        if key == "parameters":
            continue
        for text in (*literals(source), *re.findall(r"(?:^|\s)#(.*)$", source, re.M)):
            assert not OWN.search(text), f"{key}: {text!r}"


def test_what_stands_only_on_the_books_branch_is_told_from_what_all_cases_reach():
    code = (
        'THESIS_CASE = X == "Huawei"\na = "Russia" if THESIS_CASE else "all"\n'
        'if THESIS_CASE:\n    b = "China"\nc = "left"'
    )
    assert sorted(literals(code)) == ["all", "left"]
    assert list(literals('d = f"of China {x}"')) == ["of China "]


def test_every_prompt_asks_something_of_its_own():
    asked = [question for stem in CHAPTERS for text in prompts(stem).values() for question in PROMPT.findall(text)]
    assert len(asked) >= 40
    opening = Counter(" ".join(question.split()[:6]) for question in asked)
    assert max(opening.values()) == 1, [words for words, n in opening.items() if n > 1]
    for question in asked:
        sentences = re.split(r"(?<=[.?:])\s+(?=[A-Z`*{])", question)
        assert 150 <= len(question) <= 800, f"{len(question)} characters: {question[:80]}"
        assert 2 <= len(sentences) <= 5, f"{len(sentences)} sentences: {question[:80]}"


@each_chapter
def test_every_case_paragraph_becomes_a_prompt_or_gives_way_to_one_close_by(stem):
    texts, case = prompts(stem), [c["id"] for c in cells(stem) if c["cell_type"] == "markdown" and "case" in c["tags"]]
    asks = [bool(PROMPT.search(texts[key])) for key in case]
    for i, key in enumerate(case):
        assert any(asks[max(0, i - 2) : i + 3]), f"{key} is replaced by nothing, and nothing near it asks"


@each_chapter
def test_numbers_glued_into_prompts_come_from_cells_that_stay(stem):
    made = set()
    for source in code_of_a_fork(stem).values():
        for statement in ast.parse(source).body:  # at the top: not only if something holds
            call = getattr(statement, "value", None)
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "glue":
                made |= {keyword.arg for keyword in call.keywords}
    for key, text in markdown_of_a_fork(stem).items():
        used = set(re.findall(r"\{glue:text\}`(\w+)`", text))
        assert used <= made, f"{key} uses {used - made}"


@each_chapter
def test_citations_directives_and_references_of_prompts_are_whole(stem):
    known = set(re.findall(r"^@\w+\{([^,]+),", (ROOT / "chapters" / "references.bib").read_text("utf-8"), re.M))
    labels = set(re.findall(r"^\(([\w-]+)\)=$", "\n".join(markdown_of_a_fork(stem).values()), re.M))
    for key, text in prompts(stem).items():
        cited = {k.strip() for keys in re.findall(r"\{cite(?::\w)?\}`([^`]+)`", text) for k in keys.split(",")}
        assert cited <= known, f"{key} cites {cited - known}"
        open_fences = []
        for fence, word in re.findall(r"^(:{3,}|`{3,})(.*)$", text, re.M):
            if word.strip():
                open_fences.append(fence)
            else:
                assert open_fences and open_fences.pop() == fence, f"{key} closes what is not open"
        assert not open_fences, f"{key} does not close a directive"
        prose_only = re.sub(r"^```python.*?^```$", "", text, flags=re.M | re.S)
        assert prose_only.count("`") % 2 == 0 and prose_only.count("$") % 2 == 0, f"{key} has an odd quote"
        assert not re.search(r"\]\((?!https?:)", text), f"{key} links to a page that a fork need not have"
        assert set(re.findall(r"\{ref\}`[^<`]+<([\w-]+)>`", text)) <= labels


@each_chapter
def test_headings_and_their_labels_survive_in_a_fork(stem):
    def headings(texts):
        prose_only = (re.sub(r"```.*?```", "", text, flags=re.S) for text in texts)
        return [len(marks) for text in prose_only for marks in re.findall(r"^(#+) ", text, re.M)]

    fork = list(markdown_of_a_fork(stem).values())
    depths = headings(fork)
    assert depths[0] == 1 and depths.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(depths)), "a level of heading is skipped"
    book = [c["source"] for c in cells(stem) if c["cell_type"] == "markdown"]
    labels = [set(re.findall(r"^\(([\w-]+)\)=$", "\n".join(texts), re.M)) for texts in (book, fork)]
    assert labels[0] - labels[1] <= {"liotech-case"}, "a label is lost"


# --- the pattern for an audit ---------------------------------------------------------------------

#: Stand-ins for what each chapter has computed where its pattern stands.
COMPUTED = {
    "01-big-data-context": {"YEAR": 2017, "A": "A", "world": {2017: 3.1}, "share": {"A": {2017: 0.4}}},
    "02-bilateral-trade": {
        "A": "A", "last": 2020, "ours": pd.DataFrame({"total": [99.0], "exports": [0.5]}, index=[2020]),
    },
    "03-high-technology-exports": {
        "X": "X", "focus": "X", "labels": ["list"],
        "levels": pd.DataFrame({"list": [0.4, 2.0]}), "own": pd.Series([90.0]),
    },
    "04-cooperation-models": {
        "A": "A", "B": "B", "year": 2018, "a": pd.DataFrame({"rd_share": [2.5]}, index=[2018]),
        "b": pd.DataFrame({"applications": [37_000.0]}, index=[2018]),
    },
    "05-huawei": {
        "COMPANY": "C", "unit": "billion US dollars", "first": 2009, "last": 2010,
        "sales": pd.Series({2009: 100.0, 2010: 101.0}),
    },
}  # fmt: skip
VERDICTS = {
    "01-big-data-context": ["confirmed", "contradicted"],
    "02-bilateral-trade": ["confirmed", "contradicted"],
    "03-high-technology-exports": ["confirmed", "contradicted"],
    "04-cooperation-models": ["confirmed", "contradicted"],
    "05-huawei": ["confirmed", "contradicted"],
}


@each_chapter
def test_the_pattern_for_an_audit_runs_and_judges(stem):
    (code,) = re.findall(r"^```python\n(.+?)^```$", "\n".join(prompts(stem).values()), re.M | re.S)
    namespace = {"pd": pd, **COMPUTED[stem]}
    exec(code, namespace)  # the code is the book's own
    assert namespace["statements"]["verdict"].to_list() == VERDICTS[stem]
    assert set(namespace["statements"]["verdict"]) <= set(claims.VERDICTS)


@each_chapter
def test_the_pattern_uses_only_what_a_fork_has_computed_by_then(stem):
    code = code_of_a_fork(stem)
    stored = {n.id for s in code.values() for n in ast.walk(ast.parse(s)) if isinstance(n, ast.Name)}
    assert set(COMPUTED[stem]) <= stored


# --- exercises ------------------------------------------------------------------------------------


def exercises(stem: str) -> dict[str, str]:
    """Label → text of every exercise, in order."""
    text = "\n\n".join(markdown_of_a_fork(stem).values())
    found = re.findall(r"^```\{exercise\} (.+?)\n:label: (\S+)\n(.+?)^```$", text, re.M | re.S)
    return {label: f"{title}\n{body}" for title, label, body in found}


@each_chapter
def test_exercises_are_graded_from_a_chart_to_a_project_and_give_a_hint(stem):
    asked = exercises(stem)
    assert len(asked) >= 6
    levels = {label: re.search(r"^\*Level: ([\w-]+)\.\*", text, re.M) for label, text in asked.items()}
    assert all(levels.values()), [label for label, level in levels.items() if not level]
    named = [level[1] for level in levels.values()]
    assert set(named) == set(LEVELS) and named[0] != "stretch"
    assert named[-1] == "project" and named.count("project") == 1
    read = [text for text, level in zip(asked.values(), named, strict=True) if level == "warm-up" and "<fig-" in text]
    assert read, "no chart is read"
    for label, text in asked.items():
        assert text.count("*Hint:*") == 1, label
    introduced = "\n".join(markdown_of_a_fork(stem).values())
    assert all(f"*{level}*" in introduced for level in LEVELS), "the levels are not explained"


@each_chapter
def test_every_exercise_has_a_hidden_solution_of_its_own(stem):
    text = "\n\n".join(markdown_of_a_fork(stem).values())
    hidden = re.findall(r"^```\{solution(?:-start)?\} (\S+)\n:class: dropdown$", text, re.M)
    assert hidden == list(exercises(stem))
    assert text.count("```{solution-end}") == len(re.findall(r"^```\{solution-start\}", text, re.M))


@each_chapter
def test_solutions_compute_show_and_name_their_answers(stem):
    solutions = {key: source for key, source in code_of_a_fork(stem).items() if key.startswith("solution-")}
    assert len(solutions) == len(exercises(stem)) - 1  # the project has an outline
    others = {n.id for key, s in code_of_a_fork(stem).items() if key not in solutions for n in ast.walk(ast.parse(s))
              if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}  # fmt: skip
    for key, source in solutions.items():
        body = ast.parse(source).body
        assert isinstance(body[-1], ast.Expr), f"{key} shows nothing"
        named = {n.id for statement in body for n in ast.walk(statement)
                 if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}  # fmt: skip
        assert named - others, f"{key} gives its answer no name"
        reads = {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        assert reads - named, f"{key} computes from nothing"


@each_chapter
@pytest.mark.parametrize("with_solutions", [True, False])
def test_every_name_is_defined_before_it_is_used_in_a_fork(stem, with_solutions):
    defined = set(dir(builtins))
    for key, source in code_of_a_fork(stem).items():
        if key.startswith("solution-") and not with_solutions:
            continue  # as in a student's copy
        nodes = [node for statement in ast.parse(source).body for node in reached(statement)]
        made = {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ExceptHandler)}
        made |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        made |= {n.arg for n in nodes if isinstance(n, ast.arg)}
        made |= {a.asname or a.name for n in nodes if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}
        used = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        unknown = {name for name in used - made - defined if not name.endswith("_CASE")}
        assert not unknown, f"{key} uses {unknown}"
        defined |= made


def test_labels_of_exercises_are_unique_in_the_book():
    labels = [label for stem in CHAPTERS for label in exercises(stem)]
    assert len(labels) == len(set(labels)) >= 30


@each_chapter
def test_the_box_on_forking_gives_a_command_and_leads_to_the_guide(stem):
    (box,) = [c["source"] for c in cells(stem) if "{admonition} Fork this chapter" in c["source"]]
    number = int(stem[:2])
    assert re.search(rf"^tradebook fork {number} --\w+ \S.* --to \.\./my-project$", box, re.M)
    assert "{doc}`teaching guide <appendices/teaching>`" in box and "tradebook fork --list" in box
    (parameters,) = [c["source"] for c in cells(stem) if "parameters" in c["tags"]]
    options = set(re.findall(r"--(\w+) ", box)) - {"to", "seed", "n"}
    assert options <= {line.split(" =")[0].lower() for line in parameters.splitlines()}


# --- names in sentences ---------------------------------------------------------------------------


def test_names_take_their_article_in_a_sentence():
    assert prose.the("United States") == "the United States" and prose.the("Germany") == "Germany"
    assert prose.the("Netherlands", start=True) == "The Netherlands" and prose.the("Chad", start=True) == "Chad"
    assert prose.the("Faroe Islands") == "the Faroe Islands" and prose.the("North Macedonia") == "North Macedonia"


def test_names_take_their_apostrophe():
    found = [prose.possessive(n) for n in ("Germany", "Cyprus", "United States", "the Netherlands", "The Gambia")]
    assert found == ["Germany's", "Cyprus's", "United States'", "the Netherlands'", "The Gambia's"]


def test_small_amounts_are_told_in_millions():
    pairs = [(0.4, 0), (0.085, 1), (0.54, 2), (-0.0042, 1), (1.4, 0)]
    amounts = [prose.billions(value, digits) for value, digits in pairs]
    assert amounts == ["$400 million", "$85 million", "$0.54 billion", "−$4.2 million", "$1 billion"]
