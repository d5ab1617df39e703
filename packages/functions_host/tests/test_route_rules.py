"""Which functions are in error for their routes, as the real host's own tests have it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from functions_host.http.route_rules import problems, route_of


@dataclass
class Function:
    name: str
    trigger: dict[str, Any] = field(default_factory=dict)


def function(name: str, route: str | None = None, *methods: str) -> Function:
    return Function(name, {"route": route, "methods": list(methods) or None})


@pytest.mark.parametrize(("route", "expected"), [(None, "f"), ("", "f"), ("  ", "f"), ("/", "/"), ("a/{b}", "a/{b}")])
def test_a_function_without_a_route_has_its_name(route: str | None, expected: str) -> None:
    assert route_of(function("f", route)) == expected


@pytest.mark.parametrize("route", ["admin/x", "/Admin", "administration", "runtime/webhooks", "RUNTIME"])
def test_the_hosts_own_routes_are_taken(route: str) -> None:
    assert problems([function("f", route)]) == {"f": "The specified route conflicts with one or more built in routes."}


def test_routes_without_such_a_beginning_are_free() -> None:
    assert problems([function("f", "x/admin"), function("Admin2", "y")]) == {}


@pytest.mark.parametrize(
    ("one", "two", "collide"),
    [
        (function("a", "x", "GET"), function("b", "/X/", "get", "POST"), True),
        (function("a", "x", "GET"), function("b", "x", "POST"), False),
        (function("a", "x"), function("b", "x", "POST"), True),
        (function("a", "x"), function("b", "y"), False),
        (function("a", "b"), function("b"), True),
    ],
)
def test_the_same_route_and_method_twice(one: Function, two: Function, collide: bool) -> None:
    expected = "The route specified conflicts with the route defined by function 'a'."
    assert problems([one, two]) == ({"b": expected} if collide else {})


def test_a_function_in_error_is_in_nobodys_way() -> None:
    found = problems([function("a", "x", "GET"), function("b", "x", "GET", "POST"), function("c", "x", "POST")])
    assert set(found) == {"b"}
