"""How pages are made small: drawings, code listings, style sheets and scripts lose what does not show."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import tinycss2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "_ext"))

import tb_light

SVG = (
    '<svg aria-hidden="true" focusable="false" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 532.8 280.8" '
    'xmlns="http://www.w3.org/2000/svg" version="1.1">\n<defs>\n'
    '<style type="text/css">*{stroke-linejoin: round; stroke-linecap: butt}</style>\n</defs>\n'
    '<g id="f-figure_1">\n<g id="f-patch_1">\n<path d="M 0 280.8\nL 532.8 280.8\nz\n" style="fill: none"/>\n</g>\n'
    '<g id="f-line_1">\n<path d="M 10.00 20.00\nL 110.04 20.04\nL 110.04 60.00\n" clip-path="url(#f-clip)" '
    'style="fill: none; stroke: var(--tb-c1, #2961be); stroke-width: 2; stroke-linejoin: round"/>\n</g>\n'
    '<g id="f-line_2">\n<path d="M 10.00 90.00\nL 110.00 90.00\n" clip-path="url(#f-clip)" '
    'style="fill: none; stroke: var(--tb-c1, #2961be); stroke-width: 2"/>\n</g>\n'
    '<g id="f-mark">\n<defs>\n<path id="f-m1" d="M 0 1.25\nC 0.33 1.25 0.65 1.12 0.88 0.88\nz\n" '
    'style="stroke: var(--tb-c2, #c65016)"/>\n</defs>\n<g>\n'
    '<use xlink:href="#f-m1" x="71.25" y="261.79" style="fill: var(--tb-c2, #c65016); stroke: var(--tb-c2, #c65016)"/>'
    "\n</g>\n</g>\n"
    '<g id="f-text_1">\n<text style="font-size: 9px; font-family: \'Tradebook Sans\'; fill: var(--tb-muted, #56636f)" '
    'x="7" y="99.97">R&amp;D &lt; 1</text>\n</g>\n</g>\n'
    '<defs>\n<clipPath id="f-clip">\n<rect x="0" y="0" width="532.8" height="280.84"/>\n</clipPath>\n</defs>\n</svg>'
)


def points(path: str) -> list[tuple[float, float]]:
    """The end points of a path's steps, counted from the origin."""
    found, here, start, kind = [], (0.0, 0.0), (0.0, 0.0), ""
    tokens = tb_light._NUMBER.findall(path)
    while tokens:
        if tokens[0].isalpha():
            kind = tokens.pop(0)
        size = {"m": 2, "l": 2, "h": 1, "v": 1, "c": 6, "q": 4, "z": 0}[kind.lower()]
        numbers = [float(tokens.pop(0)) for _ in range(size)]
        base = (0.0, 0.0) if kind.isupper() else here
        if kind.lower() == "z":
            here = start
            continue
        step = {"h": [*numbers, 0.0], "v": [0.0, *numbers]}.get(kind, numbers)[-2:]
        here = (base[0] + step[0], base[1] + step[1])
        if kind.lower() == "m":
            start = here
        found.append(here)
    return found


# --- drawings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["M 1.23 4.56\nL 99.99 4.56\nL 0.04 -87.65\nL 0.04 12\nz\nM 5 5\nL 77.77 6.66\n"])
def test_a_path_leads_through_the_same_points(path: str) -> None:
    slim = tb_light.slim_path(path)
    assert len(slim) < len(path)
    for (x, y), (u, v) in zip(points(path), points(slim), strict=True):
        assert abs(x - u) <= 0.0501 and abs(y - v) <= 0.0501, "more than half of the last digit away"


def test_rounding_does_not_add_up_along_a_path() -> None:
    path = "M 0 0" + "".join(f"\nL {0.16 * n:.2f} {0.14 * n * n:.2f}" for n in range(1, 600))
    assert points(tb_light.slim_path(path))[-1] == pytest.approx((95.8, 50_232.1), abs=0.06)


def test_a_sampled_curve_becomes_the_curve_and_other_lines_stay() -> None:
    def curve(bend: float) -> str:
        steps = [(t / 23) for t in range(24)]
        at = [(200 * t, 300 * t * (1 - t) + bend * t**3) for t in steps]
        return "M" + "\nL".join(f" {x:.2f} {y:.2f}" for x, y in at)

    assert re.fullmatch(r"m0 0q[\d.]+ [\d.]+ 200 0", tb_light.slim_path(curve(0.0)))
    assert "q" not in tb_light.slim_path(curve(60.0))


def test_a_drawing_keeps_what_shows_and_nothing_else() -> None:
    slim = tb_light.slim_svg(SVG)
    assert 'style="' not in slim and "<style" not in slim and "font-family" not in slim
    assert "f-figure_1" not in slim and 'id="f-m1"' in slim and 'id="f-clip"' in slim
    assert 'width="533" height="281"' in slim, "a drawing without size moves the page when it comes"
    assert slim.count("<path") == 2, "two lines of one look are one path; the background without colour is gone"
    assert "m10 20h100v40M10 90h100" in slim
    assert '<use x="71.2" y="261.8" href="#f-m1" fill="var(--tb-c2, #c65016)"/>' in slim
    assert ">R&amp;D &lt; 1</text>" in slim
    assert len(slim) < 0.6 * len(SVG)


def test_a_small_mark_keeps_its_form() -> None:
    assert ".33" in tb_light.slim_path("M 0 1.25\nC 0.33 1.25 0.65 1.12 0.88 0.88\nz\n")


def test_a_dot_becomes_a_circle() -> None:
    arcs = [(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1)]
    ends = [(50 + 4 * x / (x * x + y * y) ** 0.5, 60 + 4 * y / (x * x + y * y) ** 0.5) for x, y in arcs]
    curves = "".join(f"C 0 0 0 0 {x:.2f} {y:.2f}\n" for x, y in ends[1:])
    assert tb_light.as_circle(f"M 50 64\n{curves}z\n") == pytest.approx((50, 60, 4), abs=0.01)
    assert tb_light.as_circle(f"M 50 65\n{curves}z\n") is None


def test_an_unknown_path_is_left_alone() -> None:
    assert tb_light.slim_path("M 0 0 A 5 5 0 0 1 9 9") == "M 0 0 A 5 5 0 0 1 9 9"


# --- code listings -----------------------------------------------------------------------------


def test_only_tokens_without_a_look_of_their_own_lose_their_mark() -> None:
    css = (
        'html[data-theme="light"] .highlight { background: #fefefe; color: #080808 }\n'
        'html[data-theme="light"] .highlight .n { color: #080808 }\n'
        'html[data-theme="light"] .highlight .k { color: #6730C5 }\n'
        'html[data-theme="light"] .highlight .kn { color: #6730C5 }\n'
        'html[data-theme="dark"] .highlight .kn { color: #DCC6E0 }\n'
        'html[data-theme="light"] .highlight .p { color: #080808 }\n'
        'html[data-theme="dark"] .highlight { background: #2b2b2b; color: #F8F8F2 }\n'
        'html[data-theme="dark"] .highlight .n { color: #f8f8f2 }\n'
        'html[data-theme="dark"] .highlight .k { color: #DCC6E0 }\n'
        'html[data-theme="dark"] .highlight .p { color: #FF0000 }\n'
    )
    names = tb_light.token_names(css.replace("{ color: #6730C5 }", "{ color: #6730C5 } /* Keyword */"))
    assert names == {"k": "k", "kn": "k", "n": "", "p": "p"}
    code = (
        '<div class="highlight"><pre><span></span><span class="kn">from</span> <span class="k">not</span> '
        '<span class="n">x</span><span class="p">(</span>\n</pre></div><span class="n">text</span>'
    )
    assert tb_light.slim_code(code, names) == (
        '<div class="highlight"><pre><span class="k">from not</span> x<span class="p">(</span>\n</pre></div>'
        '<span class="n">text</span>'
    )


# --- styles and scripts ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        (".used{a:b}.gone{a:b}", [".used"]),
        (".used .gone,.used p{a:b}", [".used p"]),
        ("p:not(.gone){a:b}.used:hover::before{a:b}", ["p:not(.gone)", ".used:hover::before"]),
        ("@media print{.gone{a:b}}@media screen{.used{a:b}}", ["@media screen", ".used"]),
        ("#here{a:b}#away{a:b}video{a:b}html[data-theme=dark] .used{a:b}", ["#here", "html[data-theme=dark] .used"]),
        (".set-by-script{a:b}", [".set-by-script"]),
        ("@font-face{font-family:X;src:url(x.woff2)}", ["@font-face"]),
    ],
)
def test_rules_that_no_page_can_match_leave_the_style_sheet(css: str, kept: list[str]) -> None:
    words, _ = tb_light.known_words(['<p class="used other" id="here">'], ['x.classList.add("set-by-script")'])
    rules = tinycss2.parse_stylesheet(css, True, True)
    out = tb_light.purged(rules, words)
    assert re.findall(r"([^{}\n]+)\{(?!\})", out) == kept


def test_variables_and_animations_that_nothing_uses_leave_the_style_sheet() -> None:
    css = """:root { --a: 1px; --b: var(--c); --c: 2px; --d: 3px; --e: var(--a) } /* --a */
        .x { top: var(--b); animation: in 1s } @keyframes in { 0% { top: 0 } } @keyframes out { 0% { top: 0 } }"""
    slim = tb_light.without_unused(css, {"x"}, "style.setProperty('--d', 1)")
    assert slim == (
        ":root{--b: var(--c);--c: 2px;--d: 3px}\n.x{top: var(--b);animation: in 1s}\n@keyframes in{0% { top: 0 }}\n"
    )


def test_a_style_sheet_takes_its_imports_and_addresses_along(tmp_path: Path) -> None:
    (tmp_path / "_static" / "styles").mkdir(parents=True)
    (tmp_path / "_static" / "base.css").write_text("a{b:url(a.png)}")
    (tmp_path / "_static" / "font.woff2").write_bytes(b"font")
    (tmp_path / "_static" / "styles" / "x.css").write_text('@import "../base.css";\nq{src:url("../font.woff2")}')
    version = tb_light.version_of(b"font")
    sheet = tb_light.whole_sheet("_static/styles/x.css", tmp_path)
    assert sheet == f'a{{b:url("a.png")}}\nq{{src:url("font.woff2?v={version}")}}'


def test_a_page_is_finished_once() -> None:
    page = (
        '<meta charset="utf-8" />\n<link rel="stylesheet" href="../_static/book.css" />\n'
        '<script src="../_static/book.js" defer></script><script src="own.js"></script>'
        '<script type="module" src="m.js"></script><button onclick="window.print()">'
        "<code>Content-Security-Policy</code>"
    )
    versions = {tb_light.STYLES: "1", tb_light.SCRIPTS: "2"}
    done = tb_light.stamp(tb_light.finish_page(page), versions)
    assert 'href="../_static/book.css?v=1"' in done and 'src="../_static/book.js?v=2"' in done
    assert '<script defer src="own.js">' in done and '<script type="module" src="m.js">' in done
    assert "onclick" not in done and done.index("Content-Security-Policy") < done.index("stylesheet")
    assert tb_light.stamp(tb_light.finish_page(done), versions) == done
    assert 'book.css?v=3"' in tb_light.stamp(done, {**versions, tb_light.STYLES: "3"})


def test_styles_inside_the_text_become_classes() -> None:
    body = '<style scoped>\np {}\n</style><tr style="text-align: right;"><td class="a" style="text-align: left"></td>'
    assert tb_light.shed_styles(body) == '<tr class="tb-right"><td class="a tb-left"></td>'


def test_a_cell_keeps_room_for_what_it_will_show() -> None:
    drawing = '<div class="tb-plot tb-{}" role="img"><svg viewBox="0 0 100 {}"></svg></div>'
    code = '<details class="hide"><pre>a\n</pre></details>'
    body = (
        f'<p>x</p><div class="cell docutils">{drawing.format("wide", 50)}{drawing.format("narrow", 300)}</div>'
        f'<div class="cell tag_x">{code}</div><div class="cell"><pre>{"a" + chr(10) * 19}</pre></div>'
    )
    rooms = re.findall(r'<div class="cell tb-room-(\d+)', tb_light.estimate_heights(body))
    assert rooms == ["8", "3"], "1,560 and 530 pixels; what is folded away needs none"


def test_a_long_section_keeps_room_and_a_short_one_needs_none() -> None:
    drawing = '<div class="cell"><div class="tb-plot tb-wide"><svg viewBox="0 0 100 100"></svg></div></div>'
    inner = f"<section><h3>c</h3>{drawing * 4}</section>"
    body = f'<section id="a"><h1>t</h1><section id="b"><p>x</p>{inner}</section><section id="c">y</section></section>'
    sized = tb_light.estimate_heights(body)
    assert re.findall(r"<section[^>]*>", sized) == [
        '<section id="a">', '<section id="b" class="tb-hall-3">', "<section>", '<section id="c">',
    ]  # fmt: skip
    assert [body[begin:end] for begin, end in tb_light.sections_of(body)] == [
        f'<section id="b"><p>x</p>{inner}', '<section id="c">y'
    ]  # fmt: skip


def test_a_script_goes_only_where_no_page_needs_it() -> None:
    need = tb_light.NEEDS["_static/togglebutton.js"]
    assert need.search('<div class="tip admonition dropdown">') and need.search('<div class="cell toggle">')
    assert not need.search('<details class="sd-dropdown">') and not need.search('<div class="admonition note">')


def test_the_table_of_a_figure_is_a_table() -> None:
    out = tb_light.as_table([["year", "value", "note"], ["1978", "-0.5", "a < b"], ["1979", "", ""]], "Data")
    assert '<th scope="row">1978</th><td class="num">-0.5</td><td>a &lt; b</td>' in out
    assert '<th scope="col">year</th><th scope="col" class="num">value</th>' in out
