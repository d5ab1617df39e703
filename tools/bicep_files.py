"""What stands in a Bicep file: its declarations, what they refer to, and the properties of its resources.

No Bicep compiler is to be had from a registry; tree-sitter's grammar reads the files whole, and with it most of what a
compiler would say of names can be said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_FUNCTIONS = frozenset(
    {"empty", "environment", "guid", "indexOf", "last", "length", "loadJsonContent", "split", "string", "subscription"}
    | {"subscriptionResourceId", "tenant", "toLower", "union", "uniqueString", "max", "min", "contains"}
    | {"description", "allowed", "minValue", "maxValue", "minLength", "maxLength", "secure"}
)
"""Those of the language that are used here, decorators too: a slip of the pen in one shall not pass as a new one."""


@dataclass(frozen=True)
class Property:
    """``path``: names from the resource's root with ``/`` between them, ``[]`` for an element of an array; ``values``
    are the literals that stand there, none where it is worked out."""

    path: str
    values: frozenset[Any]


@dataclass
class Resource:
    name: str
    type: str
    existing: bool
    properties: list[Property]


@dataclass
class Call:
    """A module that is used: its file and the parameters that it is given."""

    path: str
    params: set[str]


@dataclass
class BicepFile:
    path: Path
    errors: list[str] = field(default_factory=list)
    params: dict[str, bool] = field(default_factory=dict)
    """Whether it has a default."""
    variables: set[str] = field(default_factory=set)
    outputs: set[str] = field(default_factory=set)
    resources: dict[str, Resource] = field(default_factory=dict)
    modules: dict[str, Call] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    """Names that are referred to, but for those of loops."""
    module_outputs: set[tuple[str, str]] = field(default_factory=set)
    """(module, output) that are referred to."""

    @property
    def declared(self) -> set[str]:
        return {*self.params, *self.variables, *self.resources, *self.modules}


def read(path: Path) -> BicepFile:
    root = _PARSER.parse(path.read_bytes()).root_node
    found = BicepFile(path, errors=[f"{path.name}:{node.start_point.row + 1}" for node in _errors(root)])
    for node in root.named_children:
        if node.type == "parameter_declaration":
            found.params[_text(node.named_children[0])] = len(node.named_children) > 2
        elif node.type == "variable_declaration":
            found.variables.add(_text(node.named_children[0]))
        elif node.type == "output_declaration":
            found.outputs.add(_text(node.named_children[0]))
        elif node.type == "module_declaration":
            name, file, *_ = node.named_children
            params = next(
                (value for key, value in _entries(_object(node)) if key == "params" and value.type == "object"), None
            )
            found.modules[_text(name)] = Call(_literal(file), {key for key, _ in _entries(params)} if params else set())
        elif node.type == "resource_declaration":
            _resource(found, node, "")
    _references(root, frozenset(), found)
    return found


def _resource(found: BicepFile, node: Node, parent: str) -> None:
    name, kind, *_ = node.named_children
    written = _literal(kind)
    base, _, version = parent.partition("@")
    full = f"{base}/{written}@{version}" if parent else written
    body = _object(node)
    existing = any(child.type == "existing" or _text(child) == "existing" for child in node.children)
    found.resources[_text(name)] = Resource(_text(name), full, existing, list(_properties(body, "")))
    for child in body.named_children:
        for inner in child.named_children:
            if inner.type == "resource_declaration":
                _resource(found, inner, full)


def _properties(node: Node, path: str) -> Iterator[Property]:
    """Of everything that may stand at ``path``: of both sides of a condition, and of a loop's element."""
    if node.type == "object":
        for key, value in _entries(node):
            yield from _properties(value, f"{path}/{key}" if path else key)
    elif node.type == "array":
        for element in node.named_children:
            yield from _properties(element, f"{path}/[]")
    elif node.type == "ternary_expression":
        for side in ("consequence", "alternative"):
            child = node.child_by_field_name(side)
            if child is not None and child.type != "null":
                yield from _properties(child, path)
    elif node.type == "parenthesized_expression":
        yield from _properties(node.named_children[0], path)
    elif node.type == "for_statement":
        yield from _properties(node.named_children[-1], f"{path}/[]")
    else:
        yield Property(path, frozenset({_value(node)}) - {None})


def _value(node: Node) -> Any:
    if node.type == "string" and all(child.type == "string_content" for child in node.named_children):
        return _literal(node)
    if node.type == "number":
        return int(_text(node))
    return {"true": True, "false": False}.get(_text(node)) if node.type == "boolean" else None


def _entries(node: Node) -> Iterator[tuple[str, Node]]:
    for child in node.named_children:
        if child.type == "object_property" and child.named_children[0].type != "resource_declaration":
            key, value = child.named_children[0], child.named_children[-1]
            if key.type == "string" and any(part.type == "interpolation" for part in key.named_children):
                yield "*", value
            else:
                yield _literal(key) if key.type == "string" else _text(key), value


def _object(node: Node) -> Node:
    """The body of a declaration, behind conditions and loops."""
    last = node.named_children[-1]
    while last.type in ("if_statement", "for_statement"):
        last = last.named_children[-1]
    return last


def _references(node: Node, local: frozenset[str], found: BicepFile) -> None:
    if node.type == "for_statement":
        head = node.named_children[0]
        names = [head] if head.type == "identifier" else list(head.named_children)
        local |= {_text(name) for name in names}
        over = node.named_children[1]
        found.used |= {_text(over)} - local if over.type == "identifier" else set()
        for child in node.named_children[1:]:
            _references(child, local, found)
        return
    if node.type == "call_expression":
        function = node.child_by_field_name("function")
        if function is not None and function.type == "identifier":
            found.used |= {_text(function)} - _FUNCTIONS
            for child in node.named_children[1:]:
                _references(child, local, found)
            return
    if node.type == "member_expression":
        inner = node.named_children[0]
        if inner.type == "member_expression" and _text(inner.named_children[-1]) == "outputs":
            found.module_outputs.add((_text(inner.named_children[0]), _text(node.named_children[-1])))
    declared = 1 if node.type.endswith("_declaration") else 0
    if node.type == "object_property" and node.named_children[0].type == "identifier":
        declared = 1
    for child in node.named_children[declared:]:
        if child.type == "identifier" and node.type != "resource_expression":
            found.used |= {_text(child)} - local
        elif child.type != "type":
            _references(child, local, found)
    if node.type == "resource_expression":
        found.used.add(_text(node.named_children[0]))


def _errors(node: Node) -> Iterator[Node]:
    if node.type == "ERROR" or node.is_missing:
        yield node
    for child in node.children:
        yield from _errors(child)


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _literal(node: Node) -> str:
    return _text(node)[1:-1]
