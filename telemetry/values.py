"""What every reader of JSON values needs."""

from __future__ import annotations

from typing import Any


def number(value: Any) -> float | None:
    """A number as JSON has it; anything else is none, a boolean too."""
    return value if type(value) is float or type(value) is int else None


def put(into: dict[str, Any], name: str, value: Any) -> None:
    """Unless it is unknown."""
    if value is not None:
        into[name] = value
