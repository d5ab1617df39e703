"""ASP.NET route templates: literals, ``{name}``, ``{name?}``, ``{name=default}``, ``{*rest}`` and constraints."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from functions_host.errors import StartError

Check = Callable[[str], bool]

# Precedence of a segment: a literal before a constrained parameter before a free one before a catch-all.
_LITERAL, _COMPLEX, _CONSTRAINED, _FREE, _CONSTRAINED_REST, _REST = range(1, 7)


@dataclass(slots=True)
class _Parameter:
    name: str
    checks: list[Check]
    optional: bool
    rest: bool
    default: str | None


@dataclass(slots=True)
class Route:
    """One function's template, ready to match. `target` is whatever the owner wants back."""

    template: str
    methods: frozenset[str]
    target: Any
    pattern: re.Pattern[str]
    parameters: list[_Parameter]
    precedence: tuple[int, ...] = ()

    def match(self, path: str) -> dict[str, str] | None:
        """Route values of a decoded path without its leading slash, or None."""
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        values: dict[str, str] = {}
        for position, parameter in enumerate(self.parameters):
            text = found.group(f"p{position}")
            if text is None or text == "":
                if parameter.default is not None:
                    values[parameter.name] = parameter.default
                elif not (parameter.optional or parameter.rest):
                    return None
                elif parameter.rest and text == "":
                    continue
                continue
            if not all(check(text) for check in parameter.checks):
                return None
            values[parameter.name] = text
        return values


@dataclass(slots=True)
class Table:
    """All routes, the more specific ones first."""

    routes: list[Route] = field(default_factory=list)

    def add(self, template: str, methods: Iterable[str], target: Any, where: str) -> Route:
        route = parse(template, methods, target, where)
        self.routes.append(route)
        self.routes.sort(key=lambda known: known.precedence)
        return route

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | frozenset[str]:
        """The route and its values; else the methods that the path would allow (empty: nothing is there)."""
        allowed: set[str] = set()
        fallback: tuple[Route, dict[str, str]] | None = None
        for route in self.routes:
            values = route.match(path)
            if values is None:
                continue
            if method in route.methods:
                return route, values
            if method == "HEAD" and "GET" in route.methods and fallback is None:
                fallback = route, values
            allowed |= route.methods
        return fallback if fallback is not None else frozenset(allowed)


def decode_path(raw: str) -> str:
    """Percent-decode a raw path as Kestrel does: everything but an encoded slash."""
    if "%" not in raw:
        return raw
    return "/".join("%2F".join(unquote(part) for part in re.split("%2[fF]", segment)) for segment in raw.split("/"))


def parse(template: str, methods: Iterable[str], target: Any, where: str) -> Route:
    """Compile a template. StartError, naming `where`, for a malformed one or an unknown constraint."""
    parameters: list[_Parameter] = []
    precedence: list[int] = []
    pattern = ""
    segments = [segment for segment in _split(template.strip("/"), where) if segment]
    for position, segment in enumerate(segments):
        text, rank = _segment(segment, parameters, where)
        last = position == len(segments) - 1
        newest = parameters[-1] if segment.startswith("{") and parameters else None
        if newest is not None and newest.rest and not last:
            raise StartError(f"{where}: the catch-all {{*{newest.name}}} of route {template!r} must come last")
        separator = "/" if position else ""
        may_be_absent = newest is not None and (newest.optional or newest.rest or newest.default is not None)
        pattern += f"(?:{separator}{text})?" if may_be_absent else f"{separator}{text}"
        precedence.append(rank)
    names = [parameter.name.lower() for parameter in parameters]
    if len(names) != len(set(names)):
        raise StartError(f"{where}: route {template!r} uses one parameter name twice")
    compiled = re.compile(pattern + "/?", re.IGNORECASE | re.DOTALL)
    return Route(template, frozenset(m.upper() for m in methods), target, compiled, parameters, tuple(precedence))


def _split(template: str, where: str) -> list[str]:
    """Split at slashes outside of braces (a regex constraint may hold slashes)."""
    segments, depth, start = [], 0, 0
    for position, letter in enumerate(template):
        depth += (letter == "{") - (letter == "}")
        if letter == "/" and depth == 0:
            segments.append(template[start:position])
            start = position + 1
    if depth != 0:
        raise StartError(f"{where}: route {template!r} has unbalanced braces")
    return [*segments, template[start:]]


def _segment(segment: str, parameters: list[_Parameter], where: str) -> tuple[str, int]:
    pattern, rank, position = "", _LITERAL, 0
    pieces = list(_braces(segment))
    for start, end in pieces:
        pattern += re.escape(segment[position:start])
        parameter = _parameter(segment[start + 1 : end], where)
        body = ".*" if parameter.rest else "[^/]+"
        pattern += f"(?P<p{len(parameters)}>{body})"
        parameters.append(parameter)
        position = end + 1
        if len(pieces) > 1 or end - start + 1 < len(segment):
            rank = _COMPLEX
        elif parameter.rest:
            rank = _CONSTRAINED_REST if parameter.checks else _REST
        else:
            rank = _CONSTRAINED if parameter.checks else _FREE
    return pattern + re.escape(segment[position:]), rank


def _braces(segment: str) -> Iterable[tuple[int, int]]:
    depth, start = 0, 0
    for position, letter in enumerate(segment):
        if letter == "{":
            if depth == 0:
                start = position
            depth += 1
        elif letter == "}":
            depth -= 1
            if depth == 0:
                yield start, position


def _parameter(text: str, where: str) -> _Parameter:
    rest = text.startswith("*")
    body = text.lstrip("*")
    name, *constraints = _split_constraints(body)
    tail = constraints[-1] if constraints else name
    optional, default = False, None
    bare = re.sub(r"\(.*\)", "", tail)
    if tail.endswith("?"):
        optional, tail = True, tail[:-1]
    elif "=" in bare:
        tail, default = tail.rsplit("=", 1)
    if constraints:
        constraints[-1] = tail
    else:
        name = tail
    if not re.fullmatch(r"\w[\w-]*", name):
        raise StartError(f"{where}: {{{text}}} is not a valid route parameter")
    return _Parameter(name, [_check(rule, where) for rule in constraints], optional, rest, default)


def _split_constraints(body: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for position, letter in enumerate(body):
        depth += (letter == "(") - (letter == ")")
        if letter == ":" and depth == 0:
            parts.append(body[start:position])
            start = position + 1
    return [*parts, body[start:]]


def _check(rule: str, where: str) -> Check:
    name, _, argument = rule.partition("(")
    argument = argument[:-1] if argument.endswith(")") else argument
    simple = _SIMPLE.get(name.lower())
    try:
        if simple is not None:
            return simple
        return _with_argument(name.lower(), argument)
    except (KeyError, ValueError, re.error):
        raise StartError(f"{where}: the route constraint {rule!r} is unknown or malformed") from None


def _with_argument(name: str, argument: str) -> Check:
    if name == "regex":
        expression = re.compile(argument.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
        return lambda text: expression.search(text) is not None
    numbers = [int(part) for part in argument.split(",")]
    low, high = numbers[0], numbers[-1]
    checks: dict[str, Check] = {
        "length": lambda text: low <= len(text) <= high,
        "minlength": lambda text: len(text) >= low,
        "maxlength": lambda text: len(text) <= low,
        "min": lambda text: _is_integer(text, 64) and int(text) >= low,
        "max": lambda text: _is_integer(text, 64) and int(text) <= low,
        "range": lambda text: _is_integer(text, 64) and low <= int(text) <= high,
    }
    return checks[name]


def _is_integer(text: str, bits: int) -> bool:
    return re.fullmatch(r"[+-]?\d{1,20}", text) is not None and -(1 << bits - 1) <= int(text) < 1 << bits - 1


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) is not None


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _is_datetime(text: str) -> bool:
    for form in ("%Y-%m-%d", "%m/%d/%Y", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M:%S"):
        try:
            datetime.strptime(text, form)
        except ValueError:
            continue
        return True
    try:
        datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


_SIMPLE: dict[str, Check] = {
    "int": lambda text: _is_integer(text, 32),
    "long": lambda text: _is_integer(text, 64),
    "bool": lambda text: text.lower() in ("true", "false"),
    "datetime": _is_datetime,
    "decimal": lambda text: re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text) is not None,
    "double": _is_number,
    "float": _is_number,
    "guid": _is_guid,
    "alpha": lambda text: re.fullmatch(r"[A-Za-z]*", text) is not None,
    "required": lambda text: bool(text),
    "file": lambda text: "." in text.rsplit("/", 1)[-1].strip("."),
    "nonfile": lambda text: "." not in text.rsplit("/", 1)[-1].strip("."),
}
