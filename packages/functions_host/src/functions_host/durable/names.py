"""Function names, which the real host compares without case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


class Names:
    """Registered names of one kind, read again whenever their number changes."""

    def __init__(self, registered: Callable[[], Mapping[str, Any]]) -> None:
        self._registered = registered
        self._folded: dict[str, str] = {}
        self._found: dict[str, str] = {}

    def find(self, name: str) -> str | None:
        """The name as registered, or None."""
        registered = self._registered()
        if len(registered) != len(self._folded):
            self._folded = {known.lower(): known for known in registered}
            self._found = {}
        found = self._found.get(name)
        if found is None:
            found = self._folded.get(name.lower())
            if found is not None:
                self._found[name] = found
        return found

    def has(self, name: str) -> bool:
        return self.find(name) is not None

    def all(self) -> list[str]:
        return list(self._registered())


@dataclass(slots=True)
class Registry:
    """Which function names exist, asked case-insensitively."""

    activity: Callable[[str], bool]
    orchestrator: Callable[[str], bool]
    entity: Callable[[str], bool]
