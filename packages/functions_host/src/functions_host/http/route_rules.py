"""Routes that the real host does not allow: it names them at the start, and that function alone is in error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

# Any route that begins with these letters, as on the real host: ``administration`` too, and whatever the routePrefix.
_RESERVED = ("admin", "runtime")


class HttpFunction(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def trigger(self) -> dict[str, Any]: ...


def route_of(function: HttpFunction) -> str:
    """The route below the prefix; a function without one, or with an empty one, has its name."""
    route = function.trigger.get("route")
    return function.name if route is None or not str(route).strip() else str(route)


def problems(functions: Iterable[HttpFunction]) -> dict[str, str]:
    """By function name, why it is in error. Of two functions in each other's way the later is."""
    found: dict[str, str] = {}
    routed: list[HttpFunction] = []
    for function in functions:
        route = route_of(function).strip("/").lower()
        rival = next((other for other in routed if _collide(function.trigger, route, other)), None)
        if route.startswith(_RESERVED):
            found[function.name] = "The specified route conflicts with one or more built in routes."
        elif rival is not None:
            found[function.name] = f"The route specified conflicts with the route defined by function '{rival.name}'."
        else:
            routed.append(function)
    return found


def _collide(trigger: Mapping[str, Any], route: str, other: HttpFunction) -> bool:
    if route != route_of(other).strip("/").lower():
        return False
    one, two = _methods(trigger), _methods(other.trigger)
    return not one or not two or bool(one & two)


def _methods(trigger: Mapping[str, Any]) -> set[str]:
    """Empty: all."""
    return {str(method).upper() for method in trigger.get("methods") or ()}
