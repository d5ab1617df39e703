"""A part of host.json or local.settings.json, read with checks: what is wrong is named, with what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions_host.errors import StartError
from functions_host.json_file import shown


@dataclass(frozen=True, slots=True)
class Section:
    """`path` is how messages name it; `origins` says which environment variable set a value, by its lower-case path.

    Names are read without regard to case and numbers and flags may be texts, as in .NET's configuration. Each method
    raises StartError for a value that is not allowed.
    """

    values: Mapping[str, Any]
    path: str
    origins: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> Any:
        """The value, or None."""
        if name in self.values:
            return self.values[name]
        return next((value for known, value in self.values.items() if known.lower() == name.lower()), None)

    def section(self, name: str) -> Section:
        value = self.get(name)
        if value is not None and not isinstance(value, dict):
            raise self.wrong(name, value, "an object")
        return Section(value or {}, self._path(name), self.origins)

    def text(self, name: str, default: str) -> str:
        value = self.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.wrong(name, value, "a text")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.get(name)
        known = {"true": True, "false": False, "none": default, "": default}
        if isinstance(value, (dict, list)) or str(value).lower() not in known:
            raise self.wrong(name, value, "true or false")
        return known[str(value).lower()]

    def number(self, name: str, default: int, least: int = 1, most: int | None = None) -> int:
        value = self.get(name)
        if value is None:
            return default
        number = whole_number(value)
        if number is None or number < least or (most is not None and number > most):
            limits = f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most}"
            raise self.wrong(name, value, limits)
        return number

    def choice(self, name: str, choices: Sequence[str], default: str) -> str:
        value = self.get(name)
        if value is None:
            return default
        found = next((choice for choice in choices if str(value).lower() == choice.lower()), None)
        if found is None:
            raise self.wrong(name, value, f"one of {', '.join(choices)}")
        return found

    def wrong(self, name: str, value: Any, allowed: str) -> StartError:
        """The error to raise for a value that is not `allowed`."""
        return StartError(f"{self.where(name)} must be {allowed}, not {shown(value)}")

    def where(self, name: str) -> str:
        path = self._path(name)
        origin = self.origins.get(path.lower())
        return path if origin is None else f"{path} (set by {origin})"

    def _path(self, name: str) -> str:
        return f"{self.path} {name}" if self.path.endswith(".json") else f"{self.path}.{name}"


def whole_number(value: Any) -> int | None:
    """An int, or a text of one; None for everything else, true and false among it."""
    if isinstance(value, str):
        text = value.strip()
        digits = text.removeprefix("-")
        return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
