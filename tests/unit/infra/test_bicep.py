"""What a Bicep compiler would say, as far as it can be said without one: syntax, names, modules, types."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools import bicep_types
from tools.bicep_files import read

FILES = sorted(bicep_types.INFRA.rglob("*.bicep"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_name_is_declared_and_used(path: Path) -> None:
    file = read(path)
    assert file.errors == []
    assert file.used - file.declared == set()
    assert (set(file.params) | file.variables) - file.used == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_modules_are_given_what_they_ask_for_and_asked_for_what_they_give(path: Path) -> None:
    file = read(path)
    for name, call in file.modules.items():
        module = read(path.parent / call.path)
        assert call.params - set(module.params) == set(), name
        assert {param for param, has_default in module.params.items() if not has_default} - call.params == set(), name
    for name, output in file.module_outputs:
        assert output in read(path.parent / file.modules[name].path).outputs


def test_names_that_are_nowhere_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.bicep"
    path.write_text("param p string\nparam q int = 1\nvar v = [for x in list: x]\noutput o string = '${p}${nope}'\n")
    file = read(path)
    assert (file.params, file.variables, file.outputs) == ({"p": False, "q": True}, {"v"}, {"o"})
    assert file.used - file.declared == {"list", "nope"}
    path.write_text("param p string\nresource r 'T/x@1' = {\n  name 'x'\n}\n")
    assert read(path).errors == ["a.bicep:3"]


def test_nothing_is_set_that_has_not_been_compared_with_azures_types() -> None:
    """After a change: ``python -m tools.bicep_types CLONE`` (docs/deployment.md)."""
    assert bicep_types.used() == json.loads(bicep_types.CHECKED.read_text())


TYPES: list[dict[str, Any]] = [
    {"$type": "StringType"},
    {"$type": "StringLiteralType", "value": "small"},
    {"$type": "StringLiteralType", "value": "large"},
    {"$type": "UnionType", "elements": [{"$ref": "#/1"}, {"$ref": "#/2"}]},
    {"$type": "ArrayType", "itemType": {"$ref": "#/0"}},
    {
        "$type": "ObjectType",
        "properties": {
            "size": {"type": {"$ref": "#/3"}, "flags": 1},
            "list": {"type": {"$ref": "#/4"}, "flags": 0},
            "state": {"type": {"$ref": "#/0"}, "flags": 2},
        },
    },
    {
        "$type": "ObjectType",
        "properties": {
            "id": {"type": {"$ref": "#/0"}, "flags": 3},
            "name": {"type": {"$ref": "#/0"}, "flags": 1},
            "properties": {"type": {"$ref": "#/5"}, "flags": 1},
        },
    },
    {"$type": "ResourceType", "name": "Some.Thing/boxes@2026-01-01", "body": {"$ref": "#/6"}},
]


@pytest.fixture
def clone(tmp_path: Path) -> bicep_types.Clone:
    """A repository with one type, laid out as the public one."""
    file = tmp_path / "clone" / "generated" / "thing" / "some.thing" / "2026-01-01" / "types.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(TYPES))
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "types"]):
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", "-C", str(tmp_path / "clone"), *identity, *command], check=True)
    return bicep_types.Clone(tmp_path / "clone")


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ("name: 'x', properties: { size: big ? 'large' : 'small', list: ['a'] }", []),
        ("name: 'x', properties: { size: 'huge' }", ["properties/size: 'huge' is none of ['large', 'small']"]),
        ("name: 'x', properties: { list: ['a'] }", ["properties/size is required"]),
        ("properties: { size: 'small' }", ["name is required"]),
        (
            "name: 'x', properties: { size: 'small', colour: 1 }",
            ["properties/colour: colour is none of its properties"],
        ),
        ("name: 'x', properties: { size: 'small', state: 'on' }", ["properties/state: is read-only"]),
        ("name: 'x', properties: { size: 'small', list: 1 }", []),
        ("name: 'x', properties: { size: ['small'] }", ["properties/size/[]: is no array but StringLiteralType"]),
    ],
)
def test_what_a_type_does_not_have_is_found(
    clone: bicep_types.Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, problems: list[str]
) -> None:
    infra = tmp_path / "infra"
    infra.mkdir()
    lines = body.replace(", properties", "\n  properties")
    text = f"param big bool\nresource r 'Some.Thing/boxes@2026-01-01' = {{\n  {lines}\n}}\n"
    (infra / "main.bicep").write_text(text)
    monkeypatch.setattr(bicep_types, "INFRA", infra)
    assert read(infra / "main.bicep").errors == []
    assert bicep_types.problems(clone) == [f"Some.Thing/boxes@2026-01-01: {problem}" for problem in problems]


def test_a_version_that_is_not_there_is_found(
    clone: bicep_types.Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    infra = tmp_path / "infra"
    infra.mkdir()
    (infra / "main.bicep").write_text("resource r 'Some.Thing/boxes@2026-01-02' = {\n  name: 'x'\n}\n")
    monkeypatch.setattr(bicep_types, "INFRA", infra)
    assert bicep_types.problems(clone) == ["Some.Thing/boxes@2026-01-02: there is no such type in that version"]
