"""Compares infra/ with Azure's public type definitions: ``python -m tools.bicep_types CLONE``.

CLONE is a clone of github.com/Azure/bicep-types-az (bare or not), from which Bicep's compiler has its types. Says what
a type does not have: the type in that version, a property, a value that is none of those allowed, a required property
that is missing. What has been found right is kept in tests/unit/infra/checked_types.json, and a test holds infra/ to
it: what is added later is checked by this once more.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from tools.bicep_files import Resource, read

ROOT = Path(__file__).resolve().parents[1]
INFRA = ROOT / "infra"
CHECKED = ROOT / "tests" / "unit" / "infra" / "checked_types.json"
_REQUIRED, _READ_ONLY = 1, 2
# Of Bicep itself, not of a type.
_OF_THE_LANGUAGE = frozenset({"parent", "scope", "dependsOn"})
Types = list[dict[str, Any]]


def resources() -> list[Resource]:
    """Those that infra/ makes."""
    files = [read(path) for path in sorted(INFRA.rglob("*.bicep"))]
    return [one for file in files for one in file.resources.values() if not one.existing]


def used() -> dict[str, dict[str, list[Any]]]:
    """For each type with its version: the paths that are set, each with the literals that stand there."""
    found: dict[str, dict[str, set[Any]]] = {}
    for resource in resources():
        paths = found.setdefault(resource.type, {})
        for one in resource.properties:
            if one.path.partition("/")[0] not in _OF_THE_LANGUAGE:
                paths.setdefault(one.path, set()).update(one.values)
    return {
        name: {path: sorted(values, key=str) for path, values in sorted(paths.items())}
        for name, paths in sorted(found.items())
    }


class Clone:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = self._git("ls-tree", "-r", "--name-only", "HEAD").splitlines()

    def find(self, name: str) -> tuple[Types, dict[str, Any]] | None:
        """The file's types, and the one of this name (``Microsoft.X/y@version``)."""
        provider, _, rest = name.partition("/")
        wanted = re.compile(rf"/{re.escape(provider)}/{rest.rpartition('@')[2]}/types\.json$", re.IGNORECASE)
        for file in filter(wanted.search, self._files):
            types = self._types(file)
            for one in types:
                if one["$type"] == "ResourceType" and one["name"].lower() == name.lower():
                    return types, types[_index(one["body"])]
        return None

    @cache  # noqa: B019 - one clone a run
    def _types(self, file: str) -> Types:
        loaded: Types = json.loads(self._git("show", f"HEAD:{file}"))
        return loaded

    def _git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(self._path), *arguments], check=True, capture_output=True, text=True
        ).stdout


def problems(clone: Clone) -> list[str]:
    found: list[str] = []
    for name, paths in used().items():
        there = clone.find(name)
        if there is None:
            found.append(f"{name}: there is no such type in that version")
            continue
        types, body = there
        for path, values in paths.items():
            each = (_wrong(types, body, path.split("/"), value) for value in values or [None])
            found += [f"{name}: {path}: {wrong}" for wrong in each if wrong]
        found += [f"{name}: {missing} is required" for missing in _missing(types, body, "", set(paths))]
    return found


def _wrong(types: Types, kind: dict[str, Any], path: list[str], value: Any) -> str | None:
    if not path:
        allowed = _allowed(types, kind)
        known = not allowed or not isinstance(value, str) or value in allowed
        return None if known else f"{value!r} is none of {sorted(allowed)}"
    name, *rest = path
    if kind["$type"] == "AnyType":
        return None
    if kind["$type"] == "UnionType":
        answers = [_wrong(types, types[_index(one)], path, value) for one in kind["elements"]]
        return None if None in answers else answers[0]
    if name == "[]":
        return (
            _wrong(types, types[_index(kind["itemType"])], rest, value)
            if kind["$type"] == "ArrayType"
            else f"is no array but {kind['$type']}"
        )
    answers = [
        "is read-only" if said["flags"] & _READ_ONLY else _wrong(types, types[_index(said["type"])], rest, value)
        for said in _properties(types, kind).get(name, ())
    ]
    if answers:
        return None if None in answers else answers[0]
    if kind.get("additionalProperties"):
        return _wrong(types, types[_index(kind["additionalProperties"])], rest, value)
    return f"{name} is none of its properties"


def _missing(types: Types, kind: dict[str, Any], at: str, paths: set[str]) -> list[str]:
    """Required properties of objects that are spelled out, in which they are not."""
    missing = []
    for name, candidates in _properties(types, kind).items():
        path = f"{at}{name}"
        below = {one for one in paths if one == path or one.startswith(f"{path}/")}
        always = all(said["flags"] & _REQUIRED and not said["flags"] & _READ_ONLY for said in candidates)
        if not below and always and name not in ("id", "type", "apiVersion") and kind["$type"] == "ObjectType":
            missing.append(path)
        inner = types[_index(candidates[0]["type"])]
        if len(candidates) == 1 and inner["$type"] == "ObjectType" and any(one != path for one in below):
            missing += _missing(types, inner, f"{path}/", paths)
    return missing


def _properties(types: Types, kind: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """By name; several where it depends on another property what it is."""
    found: dict[str, list[dict[str, Any]]] = {}
    kinds = [kind.get("properties", {}), kind.get("baseProperties", {})]
    if kind["$type"] == "DiscriminatedObjectType":
        kinds += [types[_index(element)].get("properties", {}) for element in kind["elements"].values()]
    for properties in kinds:
        for name, said in properties.items():
            found.setdefault(name, []).append(said)
    return found


def _allowed(types: Types, kind: dict[str, Any]) -> set[str]:
    """The values of a union of literals; nothing where any text is allowed."""
    if kind["$type"] == "StringLiteralType":
        return {kind["value"]}
    if kind["$type"] != "UnionType":
        return set()
    each = [_allowed(types, types[_index(one)]) for one in kind["elements"]]
    return set().union(*each) if all(each) else set()


def _index(reference: dict[str, str]) -> int:
    return int(reference["$ref"].rpartition("/")[2])


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    found = problems(Clone(Path(sys.argv[1])))
    if found:
        print("\n".join(found))
        return 1
    CHECKED.write_text(json.dumps(used(), indent=1) + "\n", encoding="utf-8")
    print(f"{len(used())} types are right; kept in {CHECKED.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
