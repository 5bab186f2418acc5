"""The bill of materials of the book (SBOM) in the form CycloneDX, which libraries and scanners read.

It lists every package that the book is made with, as ``requirements.lock`` has it, and every piece of others' work that
the built book passes on. The same lock gives the same file, byte for byte: the serial number is made of the
contents, the date is the release date of the book.
"""

from __future__ import annotations

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

import yaml
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalContact
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.environment import ROOT, release_epoch
from tools.lock import REQUIREMENTS, direct_pins
from tools.supply import licences
from tools.supply.pieces import Piece

VERSION = SchemaVersion.V1_6
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # of addresses, RFC 9562
# Where the packages run: a dependency counts if it holds on one of these.
_SYSTEMS = [
    {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"},
    {"sys_platform": "darwin", "os_name": "posix", "platform_system": "Darwin"},
    {"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows"},
]
_PYTHONS = ("3.11", "3.12", "3.13")


def _holds(requirement: Requirement, extras: Iterable[str]) -> bool:
    if requirement.marker is None:
        return True
    base = {"platform_python_implementation": "CPython", "implementation_name": "cpython", "platform_machine": "x86_64"}
    return any(
        requirement.marker.evaluate(
            base | system | {"python_version": python, "python_full_version": f"{python}.0", "extra": extra}
        )
        for system in _SYSTEMS
        for python in _PYTHONS
        for extra in extras
    )


def dependencies() -> dict[str, set[str]]:
    """What each locked package needs, of the locked ones, on any system and Python that the book runs with."""
    locked = licences.locked()
    needs = {
        name: [Requirement(one) for one in (package.requires or ())] if (package := licences.installed(name)) else []
        for name in locked
    }
    extras: dict[str, set[str]] = defaultdict(lambda: {""})
    for pin in direct_pins(REQUIREMENTS.read_text("utf-8")):
        extras[canonicalize_name(Requirement(pin).name)] |= Requirement(pin).extras
    before = -1
    while (size := sum(map(len, extras.values()))) != before:  # an extra of one package may ask for one of another
        before = size
        for name, requirements in needs.items():
            for requirement in requirements:
                if requirement.extras and _holds(requirement, extras[name]):
                    extras[canonicalize_name(requirement.name)] |= requirement.extras
    return {
        name: {canonicalize_name(r.name) for r in requirements if _holds(r, extras[name])} & set(locked) - {name}
        for name, requirements in needs.items()
    }


def _licence(expression: str) -> list:
    if re.search(r"\s", expression):
        return [LicenseExpression(expression)]
    return [DisjunctiveLicense(id=expression)]


def _role(where: Iterable[str]) -> list[Property]:
    return [Property(name="tradebook:in", value=one) for one in where]


def _locked_component(name: str, version: str, sums: tuple[str, ...], marker: str, files: tuple[str, ...]) -> Component:
    purl = PackageURL("pypi", None, name, version)
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        bom_ref=purl.to_string(),
        purl=purl,
        licenses=_licence(licences.licence_of(name)),
        # One package, several files: one for each system and Python. pip installs none that has another sum.
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(purl.to_string()),
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in sums],
            )
        ],
        properties=[Property(name="tradebook:marker", value=marker)] * bool(marker) + _role(files),
    )


def _piece_component(piece: Piece, parts: Iterable[Component] = ()) -> Component:
    kinds = {"wheel": "pypi", "npm": "npm"}
    group, _, name = piece.name.rpartition("/") if piece.kind == "npm" else ("", "", piece.name)
    purl = PackageURL(kinds.get(piece.kind, "generic"), group or None, name.replace(" ", "-"), piece.version or None)
    source = [ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(piece.source))] if piece.source else []
    return Component(
        type=ComponentType.LIBRARY,
        group=group or None,
        name=name,
        version=piece.version or None,
        bom_ref=f"site:{purl.to_string()}",
        purl=purl,
        licenses=_licence(piece.licence),
        copyright="\n".join(piece.holders) or None,
        description=piece.what or None,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=piece.sha256)] if piece.sha256 else [],
        external_references=source,
        properties=_role(piece.files),
        components=parts,
    )


def sbom(pieces: list[Piece]) -> str:
    """The bill of materials as JSON."""
    about = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    book = Component(
        type=ComponentType.APPLICATION,
        name="tradebook",
        version=str(about["version"]),
        bom_ref="book",
        description=about["title"],
        licenses=_licence("MIT AND CC-BY-4.0"),
        authors=[OrganizationalContact(name=one.get("name") or one["family-names"]) for one in about["authors"]],
    )
    locked = licences.locked()
    # A piece that is a locked package itself is told there; what only came along in one is a component of its own.
    same = {p.package: p.files for p in pieces if p.package == canonicalize_name(p.name.replace(" ", "-"))}
    made = {name: _locked_component(name, *locked[name], same.get(name, ())) for name in locked}
    npm = [_piece_component(p) for p in pieces if p.kind == "npm"]
    apart = [p for p in pieces if p.kind != "npm" and not (p.package and p.files == same.get(p.package))]
    own = {p.name: _piece_component(p, npm if p.name == "JupyterLite" else ()) for p in apart}

    bom = Bom(metadata=BomMetaData(component=book, timestamp=datetime.fromtimestamp(release_epoch(), UTC)))
    for component in (*made.values(), *own.values()):
        bom.components.add(component)
    direct = {canonicalize_name(Requirement(pin).name) for pin in direct_pins(REQUIREMENTS.read_text("utf-8"))}
    bom.register_dependency(book, [*(made[name] for name in sorted(direct)), *own.values()])
    for name, needed in dependencies().items():
        bom.register_dependency(made[name], [made[one] for one in sorted(needed)])
    for piece in apart:
        bom.register_dependency(own[piece.name], [made[piece.package]] if piece.package else [])
    contents = [about["version"], locked, [(p.name, p.version, p.licence, p.sha256, p.files) for p in pieces]]
    bom.serial_number = uuid.uuid5(_NAMESPACE, licences.as_json(contents))
    return _written(bom)


def _written(bom: Bom) -> str:
    text = make_outputter(bom, OutputFormat.JSON, VERSION).output_as_string(indent=None)
    # The list of values, with one component a line: short, and a change shows where it is.
    data = json.loads(text)
    head = {key: value for key, value in data.items() if key not in ("components", "dependencies")}
    rows = {
        key: ",\n".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in data[key])
        for key in ("components", "dependencies")
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in sorted(head.items())]
    lines += [f"{json.dumps(key)}: [\n{value}\n]" for key, value in rows.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def is_valid(text: str) -> str:
    """What the CycloneDX schema, which the library carries, has against a bill of materials; empty if nothing."""
    from cyclonedx.validation.json import JsonStrictValidator

    found = JsonStrictValidator(VERSION).validate_str(text)
    return re.sub(r"\s+", " ", str(getattr(found, "data", found)))[:500] if found is not None else ""
