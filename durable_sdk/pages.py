"""Entities of one name in pages, as both versions read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

DEADLINE_SECONDS = 20.0


class InvalidHostToken(ValueError):
    """The extension does not take this continuation token."""


@dataclass(frozen=True)
class EntityPage:
    """``items`` are (key, state); a short or empty page may still carry a token."""

    items: list[tuple[str, Any]]
    token: str | None


class EntityReader(Protocol):
    async def state(self, key: str) -> dict[str, Any] | None: ...

    async def page(
        self, top: int, token: str | None, *, fetch_state: bool = True, operated_from: str | None = None
    ) -> EntityPage: ...

    async def reachable(self) -> None: ...
