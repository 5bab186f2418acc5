"""What the book is made of: locks with checksums, licences, the bill of materials, notices, secrets, the audit."""

from __future__ import annotations

import ast
import base64
import errno
import hashlib
import io
import json
import os
import random
import re
import string
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from bs4 import BeautifulSoup
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import build, lite, lock
from tools.environment import LOCK, ROOT, ToolError
from tools.supply import __main__ as command
from tools.supply import audit, licences, made, pieces, sbom, secrets

sys.path.insert(0, str(ROOT / "_ext"))

import tb_supply

SETTINGS = licences.settings()
ACCEPTED = set(SETTINGS["accepted"])
WORKFLOW = ROOT / ".github" / "workflows" / "audit.yml"


# --- locks ----------------------------------------------------------------------------------------


def lock_problems(text: str, present: set[str]) -> list[str]:
    """What a file of pins lacks: an exact version, checksums, or something that one of its packages needs."""
    there = {canonicalize_name(name) for name in lock.blocks(text)} | present
    lines = re.findall(r"^[A-Za-z0-9][^\n]*", text, re.M)
    found = [f"{line} is not pinned" for line in lines if "==" not in line]
    for name, block in lock.blocks(text).items():
        if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", block):
            found.append(f"{name} has no checksum")
        package = licences.installed(name)
        needs = map(Requirement, (package.requires or ()) if package else ())
        needs = (one for one in needs if one.marker is None or one.marker.evaluate({"extra": ""}))
        lacks = (one.name for one in needs if canonicalize_name(one.name) not in there)
        found += [f"{name} needs {one}, which is not in the file" for one in lacks]
    return found


@pytest.mark.parametrize("path", audit.LOCKS, ids=lambda path: path.name)
def test_every_lock_is_complete_and_has_checksums(path: Path) -> None:
    text = path.read_text("utf-8")
    name = path.relative_to(ROOT).as_posix()
    book = {canonicalize_name(one) for one in lock.blocks(LOCK.read_text("utf-8"))}
    present = book if lock.EXTRAS.get(name) else set()
    assert lock.blocks(text) and lock_problems(text, present) == []
    if path != LOCK:
        assert not present & {canonicalize_name(one) for one in lock.blocks(text)}, "a version of the book changes"


def test_a_lock_that_lacks_something_is_found() -> None:
    whole = LOCK.read_text("utf-8")
    assert lock_problems(whole.replace("\npandas==", "\npandas>="), set())
    without = re.sub(r"^tzdata==.*?(?=^[a-z])", "", whole, flags=re.M | re.S)
    assert any("needs tzdata" in one for one in lock_problems(without, set())) or sys.platform == "linux"
    without = re.sub(r"^numpy==.*?(?=^[a-z])", "", whole, flags=re.M | re.S)
    assert any("needs numpy" in one for one in lock_problems(without, set()))
    bare = re.sub(r"^(pandas==[\d.]+) \\\n(?: +--hash.*\n)+", r"\1\n", whole, flags=re.M)
    assert lock_problems(bare, set()) == ["pandas has no checksum"]


def test_nothing_is_installed_without_checksums() -> None:
    """Whatever runs pip, here or in a workflow: from a file with checksums, or only the book itself."""
    places = [ROOT / ".ci" / "run", *(ROOT / ".github" / "workflows").glob("*.y*ml"), ROOT / "Makefile"]
    for path in places:
        text = re.sub(r"\\\n\s*", "", path.read_text("utf-8"))
        for line in re.findall(r"pip install[^\n<]*", text):
            files = re.findall(r"-r (\S+)", line)
            locked = all((ROOT / name) in audit.LOCKS for name in files)
            assert (files and locked) or "--no-deps" in line, f"{path.name}: {line.strip()}"


def test_a_renewed_file_keeps_its_words_and_gets_checksums() -> None:
    top = "# For somebody.\n-r requirements.lock\n\n# why\n"
    text = f"{top}alpha==1.0 \\\n    --hash=sha256:old\n\n# --- Everything these x ---\nold==1\n"
    alpha = "alpha==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
    beta = "beta==2.0 ; os_name == 'nt' \\\n    --hash=sha256:cc\n"
    found = f"{alpha}{beta}gamma==3 \\\n    --hash=sha256:dd\n"
    new = lock.renewed(text, found, {"gamma"})
    assert new.startswith(top + alpha) and beta in new and "gamma" not in new and "old" not in new
    assert lock.renewed(new, found, {"gamma"}) == new


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of pins in a folder of their own, and in place of uv a function that knows of version 2 of everything."""
    (tmp_path / "requirements.txt").write_text(f"alpha==1  # why\n\n{lock.REST}\nbeta-x==1\n")
    (tmp_path / "requirements.lock").write_text(f"alpha==1 \\\n    {SUM}\nbeta-x==1 \\\n    {SUM}\n")
    (tmp_path / "extra.txt").write_text(f"gamma==1 \\\n    {SUM}\n\n# --- Everything x ---\ndelta==1 \\\n    {SUM}\n")

    def run(command: list[str], **options: object) -> SimpleNamespace:
        raised = {one.partition("=")[2] for one in command if one.startswith("--upgrade-package=")}
        target = Path(command[command.index("-o") + 1])
        kept = dict(line.split("==") for line in target.read_text("utf-8").split())
        wanted = dict(line.partition("#")[0].split("==") for line in Path(command[-1]).read_text("utf-8").split())
        found = {name: "2" if name in raised else version for name, version in kept.items()} | wanted
        target.write_text("".join(f"{name}=={found[name]} \\\n    {SUM}\n" for name in sorted(found)))
        return SimpleNamespace(returncode=0)

    for name, value in (("ROOT", tmp_path), ("EXTRAS", {"extra.txt": True})):
        monkeypatch.setattr(lock, name, value)
    for name, file in (("REQUIREMENTS", "requirements.txt"), ("LOCK", "requirements.lock")):
        monkeypatch.setattr(lock, name, tmp_path / file)
    monkeypatch.setattr(lock.shutil, "which", lambda name: name)
    monkeypatch.setattr(lock.subprocess, "run", run)
    return tmp_path


SUM = f"--hash=sha256:{'0' * 64}"


def test_a_package_that_nobody_pinned_by_hand_can_be_raised(locks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def pins() -> dict[str, list[str]]:
        return {path.name: re.findall(r"^[\w-]+==\d", path.read_text("utf-8"), re.M) for path in locks.iterdir()}

    before = pins()
    assert lock.main([]) == 0
    assert pins() == before, "without a name every version stays"
    assert lock.main(["--raise", "Beta_x", "delta"]) == 0
    assert "requirements.lock: beta-x==2 in place of beta-x==1." in capsys.readouterr().out
    assert pins() == {
        "requirements.txt": ["alpha==1", "beta-x==2"],
        "requirements.lock": ["alpha==1", "beta-x==2"],
        "extra.txt": ["gamma==1", "delta==2"],
    }
    assert lock.main(["--raise", "delta"]) == 0
    assert "extra.txt: delta==2 stays; no newer version" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("alpha", "alpha is pinned by hand: change its version in requirements.txt, then run `python -m tools.lock`."),
        ("Gamma", "gamma is pinned by hand: change its version in extra.txt, then run `python -m tools.lock`."),
        ("deta", "No package is called deta: look for its name in requirements.lock."),
    ],
)
def test_what_cannot_be_raised_is_refused(
    locks: Path, capsys: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    before = {path: path.read_bytes() for path in locks.iterdir()}
    assert lock.main(["--raise", "beta-x", name]) == 1
    assert capsys.readouterr().err == f"{message}\n"
    assert {path: path.read_bytes() for path in locks.iterdir()} == before


# --- licences -------------------------------------------------------------------------------------


def test_every_package_has_an_accepted_licence() -> None:
    assert licences.refusals(ACCEPTED, SETTINGS["exceptions"], list(licences.locked())) == []


def test_every_piece_has_an_accepted_licence() -> None:
    found = pieces.of_pages()
    assert [p.name for p in found if not licences.is_accepted(p.licence, ACCEPTED)] == []
    assert all(p.holders or "AUTHORS" in str(p.texts) for p in found), [p.name for p in found if not p.holders]
    assert pieces.missing_texts(found) == []


def test_every_piece_for_the_browser_has_an_accepted_licence(site: Path) -> None:
    if not (site / lite.FOLDER).is_dir():
        pytest.skip("This book was built without the notebooks that run in the browser.")
    refused = {p.name for p in pieces.of_browser() if not licences.is_accepted(p.licence, ACCEPTED)}
    assert refused == set(SETTINGS["npm-exceptions"]), "neither more nor less than the exceptions"
    assert all(len(reason) > 40 for reason in SETTINGS["npm-exceptions"].values())


def test_unknown_and_unwanted_licences_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"beta": ["AGPL-3.0-only"], "gamma": ["ask us"], "delta": ["MIT OR GPL-2.0-only"]}
    monkeypatch.setattr(licences, "licence_of", licences.licence_of.__wrapped__)
    packages = {
        name: SimpleNamespace(
            metadata=SimpleNamespace(get_all=lambda key, v=value: v if key == "License" else []), files=()
        )
        for name, value in fields.items()
    }
    monkeypatch.setattr(licences, "installed", packages.get)
    monkeypatch.setattr(licences, "texts_of", lambda package: {})
    found = licences.refusals(ACCEPTED, {"epsilon": "no"}, ["alpha", "beta", "gamma", "delta"])
    assert [one.split()[0] for one in found] == ["alpha", "beta", "gamma"]
    assert "not installed" in found[0] and "AGPL-3.0-only" in found[1] and "does not say" in found[2]
    assert licences.refusals(ACCEPTED, {"beta": "a reason"}, ["beta"]) == []
    assert licences.refusals(ACCEPTED, {"beta": " "}, ["beta"]), "an exception without a reason"


def test_exceptions_are_needed_and_have_reasons() -> None:
    for name, reason in SETTINGS["exceptions"].items():
        assert len(reason) > 40, name
        assert not licences.is_accepted(licences.licence_of(name), ACCEPTED), f"{name} needs no exception any more"
    assert set(SETTINGS["packages"]) <= set(licences.locked()), "a licence is named for a package that is gone"
    assert all(len(reason) > 20 for reason in SETTINGS["known"].values())


def test_what_the_metadata_say_is_not_said_again() -> None:
    """A licence named by hand, of a package that names it itself, could be wrong without anybody noticing."""
    for name, given in SETTINGS["packages"].items():
        if (package := licences.installed(name)) is not None:
            fields = {
                key: package.metadata.get_all(key) or [] for key in ("License-Expression", "License", "Classifier")
            }
            own = licences.licence_from(fields, list(licences.texts_of(package).values()))
            assert own is None or (own == given and canonicalize_name(name) == "overrides"), f"{name} says {own} itself"


BSD = "Redistribution and use in source and binary forms, with or without modification, are permitted."


@pytest.mark.parametrize(
    ("fields", "texts", "licence"),
    [
        ({"License-Expression": ["MIT AND PSF-2.0"]}, [], "MIT AND PSF-2.0"),
        ({"License": ["BSD-3-Clause"], "Classifier": ["License :: OSI Approved :: BSD License"]}, [], "BSD-3-Clause"),
        ({"License": ["Apache 2.0"]}, [], "Apache-2.0"),
        ({"Classifier": ["License :: OSI Approved :: MIT License"]}, [], "MIT"),
        ({"Classifier": ["License :: OSI Approved :: BSD License"]}, [BSD], "BSD-2-Clause"),
        ({"Classifier": ["License :: OSI Approved :: BSD License"]}, [BSD + " to endorse or promote"], "BSD-3-Clause"),
        ({"Classifier": ["License :: OSI Approved :: BSD License"]}, [], None),
        ({"Classifier": ["License :: OSI Approved :: BSD License"]}, [BSD, BSD + " to endorse or promote"], None),
        ({"Classifier": [f"License :: OSI Approved :: {n} License" for n in ("MIT", "BSD")]}, [], None),
        ({"License": ["MIT\nand more"]}, [], None),
        ({"License": ["Proprietary"]}, [], None),
    ],
)
def test_the_licence_is_read_from_the_metadata(fields: dict, texts: list[str], licence: str | None) -> None:
    assert licences.licence_from(fields, texts) == licence


@pytest.mark.parametrize(
    ("expression", "accepted"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
    ],
)
def test_of_alternatives_one_is_enough(expression: str, accepted: bool) -> None:
    assert licences.is_accepted(expression, {"MIT"}) is accepted


def test_copyright_notices_are_found() -> None:
    text = " * Copyright (c) 2019-2024, A. Person\nCopyright: the licence says so\n- Copyright © 2020 B\n"
    text += "no copyright here\n  Copyright (c) 2001 The University of\n      Somewhere.  All rights\n      reserved.\n"
    third = "Copyright (c) 2001 The University of Somewhere"
    assert licences.holders(text) == ["Copyright (c) 2019-2024, A. Person", "Copyright © 2020 B", third]


# --- pieces in the built book ---------------------------------------------------------------------


@cache
def all_pieces(site: Path) -> list[pieces.Piece]:
    """The pieces of a built book, with those of the notebooks in the browser if it has them."""
    return pieces.of_pages() + (pieces.of_browser() if (site / lite.FOLDER).is_dir() else [])


def test_every_file_of_the_site_belongs_to_somebody(site: Path, tmp_path: Path) -> None:
    known = all_pieces(site)
    assert pieces.unclaimed(site, known) == []
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "vendor.js").write_text("x")
    (tmp_path / "_static" / "fonts").mkdir()
    (tmp_path / "_static" / "fonts" / "other.woff2").write_bytes(b"x")
    assert pieces.unclaimed(tmp_path, known) == ["_static/fonts/other.woff2", "_static/vendor.js"]


def test_every_piece_is_where_it_is_said_to_be(site: Path) -> None:
    names = [path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()]
    for piece in all_pieces(site):
        lost = [one for one in piece.files if not any(pieces.fnmatch(name, one) for name in names)]
        assert not lost, f"{piece.name}: {lost}"


def test_the_style_sheet_comes_out_of_listed_packages(tmp_path: Path) -> None:
    packages = tmp_path / "site-packages"
    for name in ("sphinx_design", "new_theme"):
        (packages / name).mkdir(parents=True)
        (packages / name / f"{name}.css").write_text("")
    (tmp_path / "book" / "own").mkdir(parents=True)
    (tmp_path / "book" / "own" / "own.css").write_text("")
    names = ["_static/sphinx_design.css", "_static/new_theme.css", "_static/own.css", "_static/pygments.css"]
    files = [SimpleNamespace(filename=name) for name in names]
    config = SimpleNamespace(html_static_path=[str(packages / "sphinx_design"), str(packages / "new_theme"), "own"])
    builder = SimpleNamespace(
        _orig_css_files=files, _orig_js_files=[], theme=SimpleNamespace(get_theme_dirs=lambda: [])
    )
    app = SimpleNamespace(confdir=str(tmp_path / "book"), config=config, builder=builder)
    assert tb_supply.unlisted(app, {"sphinx-design", "pygments"}) == ["new_theme.css (new-theme)"]
    assert tb_supply.unlisted(app, {"new-theme"}) == ["pygments.css (pygments)", "sphinx_design.css (sphinx-design)"]


def wheel(name: str, fields: str, texts: dict[str, str]) -> bytes:
    """A wheel with nothing in it but its description and licence texts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(
            f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{fields}\n"
        )
        for path, text in texts.items():
            archive.writestr(path, text)
    return stream.getvalue()


def test_a_wheel_says_what_it_is() -> None:
    texts = {
        "two-1.0.dist-info/LICENSE": "Copyright (c) 2020 Two\r\n\f",
        "two/vendored/COPYING": "Copyright 2010 Three\n",
    }
    piece = pieces._of_wheel("two-1.0-py3-none-any.whl", content := wheel("two", "License: MIT\n", texts))
    assert (piece.name, piece.version, piece.licence, piece.holders) == (
        "two",
        "1.0",
        "MIT",
        ("Copyright (c) 2020 Two",),
    )
    assert [name for name, _ in piece.texts] == ["LICENSE", "two/vendored/COPYING"]
    assert piece.sha256 == hashlib.sha256(content).hexdigest()
    bare = pieces._of_wheel("one-1.0.whl", wheel("one", "License: Apache-2.0\nAuthor: One\n", {}))
    assert "Apache License" in bare.texts[0][1] and bare.holders == ("The authors of one (One)",)
    with pytest.raises(ToolError, match="does not say its licence"):
        pieces._of_wheel("one-1.0.whl", wheel("one", "", {}))


def test_texts_are_passed_on_once_and_whole(site: Path) -> None:
    known = all_pieces(site)
    text = (site / made.NOTICES).read_text("utf-8")
    assert pieces.missing_texts(known) == []
    flat = " ".join(text.split())
    for piece in known:
        assert piece.name in text
        if piece.kind != "npm":
            assert all(" ".join(one.split()) in flat for _, one in piece.texts), piece.name
            assert all(holder in text for holder in piece.holders), piece.name
    for found in ("SIL OPEN FONT LICENSE Version 1.1", "Permission is hereby granted, free of charge", "Adobe Systems"):
        assert found in text
    if len(known) > len(pieces.of_pages()):
        for found in (
            "Mozilla Public License Version 2.0",
            "PYTHON SOFTWARE FOUNDATION LICENSE",
            "OpenSSL Project",
            "libffi",
        ):
            assert found in text
        assert "third-party-licenses.json" in text
    assert flat.count("Everyone is permitted to copy and distribute verbatim copies") <= 1


# --- bill of materials ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bill(site: Path) -> dict:
    """The bill of materials of the built book."""
    return json.loads((site / made.SBOM).read_text("utf-8"))


def test_the_bill_of_materials_passes_the_schema(site: Path) -> None:
    text = (site / made.SBOM).read_text("utf-8")
    assert sbom.is_valid(text) == ""
    broken = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "nonsense", "name": "x"}]}
    assert "nonsense" in sbom.is_valid(json.dumps(broken))


def test_the_bill_of_materials_holds_the_whole_lock(bill: dict) -> None:
    there = {one["bom-ref"]: one for one in bill["components"]}
    for name, (version, sums, _) in licences.locked().items():
        entry = there[f"pkg:pypi/{name}@{version}"]
        assert (entry["name"], entry["version"], entry["purl"]) == (name, version, entry["bom-ref"])
        assert [one["content"] for one in entry["externalReferences"][0]["hashes"]] == list(sums)
        stated = entry["licenses"][0]
        assert (stated.get("expression") or stated["license"]["id"]) == licences.licence_of(name)
    assert bill["specVersion"] == "1.6" and bill["metadata"]["component"]["name"] == "tradebook"


def test_the_bill_of_materials_says_what_needs_what(bill: dict) -> None:
    graph = {one["ref"]: set(one.get("dependsOn", ())) for one in bill["dependencies"]}
    known = {one["bom-ref"] for one in bill["components"]} | {"book"}
    inside = {part["bom-ref"] for one in bill["components"] for part in one.get("components", ())}
    assert known <= set(graph) and set().union(*graph.values()) <= known | inside

    def key(name: str) -> str:
        return f"pkg:pypi/{name}@{licences.locked()[name][0]}"

    assert {key("numpy"), key("python-dateutil")} <= graph[key("pandas")]
    assert key("colorama") in graph[key("tqdm")], "what only Windows needs"
    direct = {
        canonicalize_name(Requirement(one).name) for one in lock.direct_pins(lock.REQUIREMENTS.read_text("utf-8"))
    }
    assert {key(name) for name in direct} <= graph["book"]
    reached, todo = set(), ["book"]
    while todo:
        new = graph.get(todo.pop(), set()) - reached
        reached |= new
        todo += new
    assert reached >= known - {"book"}, f"nothing needs {sorted(known - reached - {'book'})}"


def test_the_bill_of_materials_lists_the_pieces(bill: dict, site: Path) -> None:
    everything = [*bill["components"], *(part for one in bill["components"] for part in one.get("components", ()))]
    named = {(f"{one['group']}/" if one.get("group") else "") + one["name"] for one in everything}
    for piece in all_pieces(site):
        assert {piece.name, canonicalize_name(piece.name.replace(" ", "-"))} & named, piece.name
    for piece in (one for one in all_pieces(site) if one.kind == "wheel"):
        entry = next(one for one in everything if one["bom-ref"] == f"site:pkg:pypi/{piece.name}@{piece.version}")
        assert entry["hashes"] == [{"alg": "SHA-256", "content": piece.sha256}]
        assert hashlib.sha256((site / piece.files[0]).read_bytes()).hexdigest() == piece.sha256


def test_the_bill_of_materials_is_the_same_every_time() -> None:
    """Also where sets come in another order, and at another time."""
    code = "from tools.supply import pieces, sbom; print(sbom.sbom(pieces.of_pages()), end='')"
    runs = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True, timeout=300
        )
        runs.append(run.stdout)
    assert runs[0] == runs[1] and b'"serialNumber": "urn:uuid:' in runs[0]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["date-released"].encode() in runs[0]


def test_what_was_made_is_kept_and_half_of_it_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = made.Made("sbom", "notices", [], [], {}, [])
    asked = []
    monkeypatch.setattr(made, "CACHE", tmp_path / "kept")
    monkeypatch.setattr(made, "_make", lambda browser: asked.append(browser) or whole)
    assert made.make(False) == whole == made.make(False) and asked == [False]
    assert made.make(True) == whole == made.make(False) and asked == [False, True], "one does not drive out the other"
    (kept,) = (tmp_path / "kept").glob("browser-*")
    kept.write_text(kept.read_text("utf-8")[:20], "utf-8")
    assert made.make(True) == whole and len(asked) == 3
    monkeypatch.setattr(made, "INPUTS", ("CITATION.cff",))
    assert made.make(True) == whole and len(asked) == 4, "other packages, another file"
    assert len(list((tmp_path / "kept").glob("browser-*"))) == 1


def test_the_page_of_licences(site: Path) -> None:
    page = site / "chapters" / "appendices" / "licences.html"
    soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
    tables = {div["aria-label"]: [[c.get_text() for c in r.find_all(["th", "td"])] for r in div.select("tbody tr")]
              for div in soup.select(".tb-licences")}  # fmt: skip
    wanted = [[name, version, licences.licence_of(name)] for name, (version, _, _) in licences.locked().items()]
    assert tables["Packages of the book"] == wanted
    shown = tables["Others’ work in the pages"]
    for piece, row in zip(pieces.of_pages(), shown, strict=True):
        assert row[0] == f"{piece.name} {piece.version}{piece.what}" and row[1] == piece.licence
        assert all(one in row[2] for one in piece.holders)
    assert (len(tables) == 4) == (site / lite.FOLDER).is_dir()
    for link in soup.select("article ul a[href$='.txt'], article ul a[href$='.json']"):
        assert (page.parent / link["href"]).resolve().is_file()
    assert {Path(link["href"]).name for link in soup.select("article ul a[href]")} >= {made.SBOM, made.NOTICES}


# --- the audit ------------------------------------------------------------------------------------


def report(*packages: dict) -> str:
    """What pip-audit prints."""
    return json.dumps({"dependencies": list(packages), "fixes": []})


CLEAN = {"name": "alpha", "version": "1.0", "vulns": []}
BAD = {"name": "beta", "version": "2", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["3"]}]}
SKIPPED = {"name": "gamma", "skip_reason": "Dependency not found on PyPI and could not be audited: gamma (1)"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """Answers of the services; ``asked["pypi"] = report(...)``."""
    answers: dict[str, str | None] = {"pypi": None, "osv": None}

    def ask(python: Path, service: str, wanted: list[str]) -> audit.Answer | None:
        return audit.read(answers[service]) if answers[service] is not None else None

    monkeypatch.setattr(audit, "program", lambda: Path(sys.executable))
    monkeypatch.setattr(audit, "packages", lambda: {"requirements.lock": ["alpha==1.0", "beta==2", "gamma==1"]})
    monkeypatch.setattr(audit, "ask", ask)
    return answers


def test_an_audit_without_answers_is_no_pass(asked: dict, capsys: pytest.CaptureFixture[str]) -> None:
    for answer in (None, report(SKIPPED | {"name": "alpha"}, SKIPPED | {"name": "beta"}, SKIPPED)):
        asked["pypi"] = answer
        assert audit.audit() == 2
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and "Not checked" in err and "alpha 1.0, beta 2, gamma 1" in err


def test_what_one_service_leaves_open_the_other_is_asked(asked: dict, capsys: pytest.CaptureFixture[str]) -> None:
    asked["pypi"] = report(CLEAN, CLEAN | {"name": "beta", "version": "2"}, SKIPPED)
    assert audit.audit() == 2
    asked["osv"] = report({"name": "gamma", "version": "1", "vulns": []})
    assert audit.audit() == 0
    assert "3 packages: nothing is known against any of them." in capsys.readouterr().out


def test_what_is_known_is_told(
    asked: dict, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked["pypi"] = report(CLEAN, BAD, CLEAN | {"name": "gamma", "version": "1"})
    assert audit.audit() == 1
    out, err = capsys.readouterr()
    assert out.strip() == "requirements.lock: beta 2: PYSEC-1 (CVE-1); mended in 3" and err.count("\n") == 1
    assert "tools.lock --raise NAME" in err
    for known, code in (("PYSEC-1", 0), ("CVE-1", 0), ("PYSEC-", 1), ("CVE", 1), ("beta 2", 1)):
        monkeypatch.setitem(licences.settings(), "known", {known: "does not matter here"})
        assert audit.audit() == code, known


def test_an_exception_excuses_one_problem_only(asked: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    asked["pypi"] = report(BAD | {"vulns": [{"id": "PYSEC-2024-48", "fix_versions": []}]})
    monkeypatch.setitem(licences.settings(), "known", {"PYSEC-2024-4": "does not matter here"})
    assert audit.audit() == 1


def test_names_are_compared_however_they_are_spelt(
    asked: dict, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip-audit answers with the names in their common form, the release of Pyodide has others."""
    monkeypatch.setattr(audit, "packages", lambda: {"tools/browser": ["Pillow==10", "prompt_toolkit==3"]})
    asked["pypi"] = report(SKIPPED | {"name": "pillow"}, SKIPPED | {"name": "prompt-toolkit"})
    assert audit.audit() == 2
    assert "Pillow 10, prompt_toolkit 3" in capsys.readouterr().err


def test_the_audit_asks_about_everything() -> None:
    wanted = audit.packages()
    for name, (version, _, _) in licences.locked().items():
        assert f"{name}=={version}" in [one.lower() for one in wanted["requirements.lock"]], name
    assert {name for name in wanted if name != "tools/browser"} == {p.relative_to(ROOT).as_posix() for p in audit.LOCKS}
    assert f"pandas=={lite.release()['packages']['pandas']['version']}" in wanted["tools/browser"]


def test_pip_audit_is_asked_so_that_it_installs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def run(command: list[str], **options: object) -> SimpleNamespace:
        seen.append(command)
        assert options["timeout"]
        return SimpleNamespace(stdout="" if "osv" in command else report(CLEAN), returncode=0)

    monkeypatch.setattr(audit.subprocess, "run", run)
    assert audit.ask(Path("python"), "pypi", ["alpha==1.0"]) == audit.Answer(["alpha 1.0"], [], [])
    assert audit.ask(Path("python"), "osv", ["alpha==1.0"]) is None
    assert {"--no-deps", "--disable-pip"} <= set(seen[0])


def test_without_an_index_the_audit_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "FOLDER", tmp_path / "audit")
    failed = SimpleNamespace(returncode=1)
    monkeypatch.setattr(audit.subprocess, "run", lambda *a, **o: failed)
    assert audit.audit() == 2
    assert (
        capsys.readouterr().err.strip()
        == "pip-audit cannot be installed: reach the Python package index and try again."
    )


def test_a_workflow_asks_every_week() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert re.fullmatch(r"\d+ \d+ \* \* \d", workflow[True]["schedule"][0]["cron"])  # YAML reads `on` as true
    assert any("tools.supply audit" in step.get("run", "") for step in workflow["jobs"]["packages"]["steps"])


# --- secrets --------------------------------------------------------------------------------------


def seeded() -> dict[str, str]:
    """Made-up secrets, put together here so that this file holds none."""
    draw = random.Random(7)

    def letters(n: int, of: str = string.ascii_letters + string.digits) -> str:
        return "".join(draw.choice(of) for _ in range(n))

    upper = string.ascii_uppercase + string.digits
    part = letters(20)
    return {
        "AWS": f"key = AK{'IA'}{letters(16, upper)}",
        "GitHub": f"gh{'p_'}{letters(36)}",
        "GitHub, fine-grained": f"github{'_pat_'}{letters(82)}",
        "GitLab": f"glp{'at-'}{letters(20)}",
        "Google": f"AI{'za'}{letters(35)}",
        "JSON Web Token": f"ey{'J'}{part}.ey{'J'}{part}.{part}",
        "private key": f"-----BEGIN {'RSA'} PRIVATE {'KEY'}-----",
        "encrypted private key": f"-----BEGIN ENCRYPTED PRIVATE {'KEY'}-----",
        "OpenSSH key": f"-----BEGIN OPENSSH PRIVATE {'KEY'}-----",
        "PyPI": f"py{'pi-'}AgEIcHlwaS5vcmc{letters(80)}",
        "Slack": f"xo{'xb-'}123456789012-{letters(24, string.ascii_lowercase + string.digits)}",
        "Stripe": f"sk{'_live_'}{letters(24)}",
        "address with a password": f"https://user:{letters(10)}@{'example'}.org/",
        "named value": f'comtrade_{"key"} = "{letters(32, "0123456789abcdef")}"',
        "named value, YAML": f"api-{'token'}: {letters(40)}",
        "named value, JSON": f'{{"client_{"secret"}": "{letters(30)}"}}',
    }


@pytest.mark.parametrize("kind", seeded())
def test_a_secret_is_found_wherever_it_stands(kind: str) -> None:
    value = seeded()[kind]
    for text in (value, f"words\n  {value}\nwords", f"# {value}"):
        assert secrets.find(text), kind
    line = secrets.find(f"one\ntwo\n{value}\n", "file.py")[0]
    assert (line.where, line.line) == ("file.py", 3) and value not in str(line), "the secret itself is not printed"


@pytest.mark.parametrize(
    "text",
    [
        "sha256:" + hashlib.sha256(b"x").hexdigest(),
        f'"hash": "{hashlib.sha256(b"y").hexdigest()}"',
        "key = digest(paths, ROOT, some_function_with_a_long_name)",
        "COMTRADE_KEY in the environment",
        "password = os.environ['THE_PASSWORD_OF_SOMETHING']",
        "https://example.org:8080/path@2.0",
        "the keys: exporter, importer, year",
    ],
)
def test_ordinary_text_is_no_secret(text: str) -> None:
    assert secrets.find(text) == []


def test_no_file_holds_a_secret() -> None:
    try:
        paths = secrets.tracked()
    except ToolError:
        pytest.skip("this copy has no history that says which files belong to it")
    assert len(paths) > 100 and list(map(str, secrets.in_files(paths))) == []


def test_the_history_is_read_with_all_its_versions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def git(*words: str) -> None:
        named = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *named, *words], cwd=tmp_path, check=True, capture_output=True, timeout=60)

    try:
        git("init", "-q")
    except OSError:
        pytest.skip("git is not installed")
    file = tmp_path / "settings.py"
    for text in ("x = 1\n", seeded()["GitHub"], "x = 2\n"):
        file.write_text(text, "utf-8")
        git("add", ".")
        git("commit", "-qm", "change")
    (tmp_path / "picture.png").write_bytes(b"\0" + seeded()["GitHub"].encode())
    git("add", ".")
    git("commit", "-qm", "with " + seeded()["Google"])
    assert secrets.in_files(secrets.tracked(tmp_path), tmp_path) == []
    found, read = secrets.in_history(tmp_path)
    assert sorted(one.where.split(" (")[0] for one in found) == ["commit", "settings.py"]
    assert read == 3 + 4  # versions of the file, messages; the picture is no text
    with pytest.raises(ToolError, match="has no history"):
        secrets.tracked(Path(tmp_path.anchor))


def test_the_command_fails_on_a_secret(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(secrets, "tracked", lambda: [])
    monkeypatch.setattr(secrets, "in_files", lambda paths: [secrets.Finding("a.py", 3, "a token")])
    assert command.main(["secrets"]) == 1
    out, err = capsys.readouterr()
    assert "a.py, line 3: a token" in out and "Withdraw" in err
    monkeypatch.setattr(secrets, "in_files", lambda paths: [])
    assert command.main(["secrets"]) == 0


# --- policies of the pages ------------------------------------------------------------------------


def directives(path: Path) -> dict[str, list[str]]:
    """The policy of a page, by directive; it must come before anything that it is to govern."""
    soup = BeautifulSoup(path.read_text("utf-8"), "html.parser")
    (tag,) = soup.find_all("meta", attrs={"http-equiv": "Content-Security-Policy"})
    assert not tag.find_previous(["script", "link", "style"]), path
    inline = [one.string for one in soup.find_all("script", src=False) if one.get("type") != "application/json"]
    parts = (part.split() for part in tag["content"].split(";"))
    policy = {name: sources for name, *sources in parts}
    for script in filter(None, inline):
        sha = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{sha}'" in policy["script-src"], path
    return policy


def test_every_page_forbids_what_it_does_not_need(site: Path) -> None:
    """Everything is forbidden that no directive allows: frames, workers, plug-ins, media."""
    pages = [path for path in site.rglob("*.html") if not {"_sources", "_static"} & set(path.relative_to(site).parts)]
    assert {"404.html", "search.html", "index.html"} <= {path.name for path in pages}
    for path in pages:
        text = path.read_text("utf-8")
        name = path.relative_to(site).as_posix()
        (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy"\s+content="([^"]*)"', text)
        assert policy.startswith("default-src 'none'"), name
        assert "base-uri 'none'" in policy and "form-action" in policy, name
        assert not re.search(r"https?:|\*|script-src[^;]*'unsafe-inline'", policy), name
        if not name.startswith("lite/"):
            assert "unsafe" not in policy, name


def test_the_notebooks_in_the_browser_have_a_policy(site: Path) -> None:
    if not (site / lite.FOLDER).is_dir():
        pytest.skip("This book was built without the notebooks that run in the browser.")
    policy = directives(site / lite.FOLDER / "notebooks" / "index.html")
    assert policy["default-src"] == ["'none'"] and policy["object-src"] == policy["base-uri"] == ["'none'"]
    allowed = {one for sources in policy.values() for one in sources if not one.startswith("'sha256-")}
    assert allowed == {"'none'", "'self'", "data:", "blob:", "'unsafe-eval'", "'wasm-unsafe-eval'", "'unsafe-inline'"}
    assert "'unsafe-inline'" not in policy["script-src"]


# --- what SECURITY.md promises --------------------------------------------------------------------


def test_security_names_only_what_exists() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    tests = re.findall(r"`(tests/\w+\.py)::(\w+)`", text)
    assert len(tests) > 15
    for path, name in tests:
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{path}::{name}"
    for path in re.findall(r"`((?:tools|tradebook|\.github)/[\w./]+|[\w\-]+\.(?:md|txt|cff))`", text):
        built = path in {made.SBOM, made.NOTICES}
        assert built or (ROOT / path).exists(), path
    assert "://" not in text, "no address that goes out of date"


def test_the_book_is_served_to_this_machine_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    places = []

    def server(place: tuple[str, int], handler: object) -> None:
        places.append(place)
        raise OSError(errno.EACCES, "refused")

    (tmp_path / "index.html").write_text("x")
    monkeypatch.setattr(build, "SITE", tmp_path)
    monkeypatch.setattr("tools.server.Server", server)
    with pytest.raises(ToolError):
        build.serve(8000)
    assert places == [("127.0.0.1", 8000)]
