"""Query parameters: each route names those it takes; everything else is refused by name.

A ``Parameter`` turns text into a value or raises ``ValueError``; ``allowed`` says in words what it takes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import azure.functions as func

from http_api.problem import Problem
from telemetry.times import parse_rfc3339

PLATFORM_PARAMETERS = frozenset(
    {"code", "clientId"}
)  # function keys travel in them, except where a route has a use for the name


@dataclass(frozen=True)
class Parameter:
    parse: Callable[[Any], Any]  # of text; of the list itself where ``json_type`` is list
    allowed: str
    default: Any = None
    json_type: type = str  # what it has to be as a field of a JSON body


def read_parameters(request: func.HttpRequest, known: Mapping[str, Parameter]) -> dict[str, Any]:
    """The values of all known parameters, defaults included. Raises the 400 ``Problem`` that names every wrong one."""
    values = {name: parameter.default for name, parameter in known.items()}
    errors: list[dict[str, Any]] = []
    seen: set[str] = set()
    for name, text in _pairs(request):
        parameter = known.get(name)
        if parameter is None and name in PLATFORM_PARAMETERS:
            continue
        if parameter is None:
            taken = ", ".join(known) or "none"
            errors.append({"parameter": name, "value": text, "detail": f"is unknown here; known: {taken}"})
        elif name in seen:
            errors.append({"parameter": name, "value": text, "detail": "is given more than once"})
        else:
            try:
                values[name] = parameter.parse(text)
            except ValueError:
                errors.append({"parameter": name, "value": text, "detail": f"allowed: {parameter.allowed}"})
        seen.add(name)
    if errors:
        raise invalid(*errors)
    return values


def invalid(*errors: Mapping[str, Any]) -> Problem:
    said = "; ".join(f"query parameter {e['parameter']!r} ({str(e['value'])[:100]!r}): {e['detail']}" for e in errors)
    return Problem("invalid-parameter", said, errors=[{**e, "value": str(e["value"])[:200]} for e in errors])


def invalid_continuation(value: str) -> Problem:
    return invalid({"parameter": "continuation", "value": value, "detail": "is no token that this list handed out"})


def _pairs(request: func.HttpRequest) -> Sequence[tuple[str, str]]:
    # From the URL where it is there: the host's mapping joins repeated parameters and may leave out empty ones.
    try:
        query = urlsplit(request.url).query
    except ValueError:  # the caller's Host header is part of it, and may be anything
        query = ""
    return parse_qsl(query, keep_blank_values=True) if query else list(request.params.items())


def limit(default: int = 100, highest: int = 1000) -> Parameter:
    return Parameter(lambda text: whole_number(text, 1, highest), f"a whole number from 1 to {highest}", default, int)


def seconds(most: float = 1e7) -> Parameter:
    def parse(value: str) -> float:
        if not re.fullmatch(r"[0-9]{1,8}(\.[0-9]{1,6})?", value) or not 0 < float(value) <= most:
            raise ValueError(value)
        return float(value)

    return Parameter(parse, f"a number of seconds above 0, at most {most:.0f}")


def whole_number(text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
        raise ValueError(text)
    return int(text)


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def text(longest: int = 256, *, lines: bool = False) -> Parameter:
    """Text without control characters; ``lines``: it may have several lines, and tabs."""
    control = _CONTROL_BUT_LINES if lines else _CONTROL

    def parse(value: str) -> str:
        if not 1 <= len(value) <= longest or control.search(value):
            raise ValueError(value)
        return value

    return Parameter(parse, f"text of 1 to {longest} characters, no control characters")


def continuation() -> Parameter:
    def parse(value: str) -> str:
        # Every token that is handed out is made of these; a store is never asked about anything else.
        if not re.fullmatch(r"[A-Za-z0-9_\-=.~+/]{1,8192}", value):
            raise ValueError(value)
        return value

    return Parameter(parse, "a token that this list handed out")


def choice(values: Sequence[str], default: str | None = None) -> Parameter:
    def parse(value: str) -> str:
        if value not in values:
            raise ValueError(value)
        return value

    return Parameter(parse, "one of " + ", ".join(values), default)


def choices(values: Sequence[str]) -> Parameter:
    """Several of ``values``, separated by commas; a frozenset, empty when the parameter is not given."""

    def parse(value: str) -> frozenset[str]:
        parts = value.split(",")
        if any(part not in values for part in parts):
            raise ValueError(value)
        return frozenset(parts)

    return Parameter(parse, "one or more of " + ", ".join(values) + ", separated by commas", frozenset())


def ids(most: int = 100) -> Parameter:
    """A field of a JSON body only."""

    def parse(value: list[Any]) -> list[str]:
        if not 1 <= len(value) <= most or not all(isinstance(one, str) and 1 <= len(one) <= 256 for one in value):
            raise ValueError(value)
        return list(dict.fromkeys(value))

    return Parameter(parse, f"an array of 1 to {most} ids", None, list)


def instant() -> Parameter:
    """A time, as canonical text in UTC."""

    def parse(value: str) -> str:
        # A plus sign that was not escaped in a URL arrives as a blank.
        return parse_rfc3339(re.sub(r"(?<=\d) (?=\d\d(:?\d\d)?$)", "+", value))

    return Parameter(parse, "an RFC 3339 time with offset, as 2026-01-31T12:00:00Z")


BoundingBox = tuple[float, float, float, float]
"""west, south, east, north in degrees; west is larger than east across the antimeridian (RFC 7946, 5.2)."""


def bounding_box() -> Parameter:
    def parse(value: str) -> BoundingBox:
        parts = value.split(",")
        if len(parts) != 4 or not all(re.fullmatch(r"\s*[+-]?\d{1,3}(\.\d{1,20})?\s*", p, re.ASCII) for p in parts):
            raise ValueError(value)
        west, south, east, north = (float(part) for part in parts)
        inside = all(math.fabs(x) <= 180 for x in (west, east)) and -90 <= south <= north <= 90
        if not inside:
            raise ValueError(value)
        return west, south, east, north

    return Parameter(parse, "west,south,east,north in degrees (-180..180, -90..90), south not above north")
