"""Alerts, and the notes by which batches say of which drones something has to be looked at."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.ports.paging import Page
from telemetry.episodes import Episode
from telemetry.model import DroneState
from telemetry.vocabulary import AlertCode


@dataclass(frozen=True)
class AlertNote:
    """What a batch knows of a drone of which a condition begins or ends: a state to be merged (``telemetry.merge``).
    ``key`` tells the notes of one drone apart, ``at`` is the wall time of the merge (canonical)."""

    device_id: str
    key: str
    at: str
    patch: DroneState


@dataclass(frozen=True)
class AlertFilter:
    """``raised_from`` is inclusive, ``raised_to`` exclusive. Newest first."""

    status: str | None = None  # active | cleared
    acknowledged: bool | None = None
    code: AlertCode | None = None
    device_id: str | None = None
    raised_from: str | None = None
    raised_to: str | None = None


class AlertStore(Protocol):
    """Episodes (``telemetry.episodes``). Those that are pending are never listed."""

    async def note(self, notes: Sequence[AlertNote]) -> None:
        """Keep the notes; one with the same drone and key is replaced."""
        ...

    async def notes(self, limit: int) -> builtins.list[AlertNote]:
        """The oldest."""
        ...

    async def forget(self, notes: Sequence[AlertNote]) -> None: ...

    async def unsettled(self) -> builtins.list[Episode]:
        """All about which something is left to do: pending, active, or cleared and not told."""
        ...

    async def begin(self, episode: Episode) -> bool:
        """Keep a new one. False when one of that id, or one of that drone and code that is not cleared, is there."""
        ...

    async def drop(self, alert_id: str) -> None:
        """Forget one that is pending."""
        ...

    async def get(self, alert_id: str) -> Episode | None: ...

    async def change(self, alert_id: str, change: Callable[[Episode], Episode | None]) -> Episode | None:
        """Replace it by what ``change`` makes of it (None: leave it), atomically; ``change`` may be called more than
        once. What stands there then, None when there is no such alert."""
        ...

    async def list(self, where: AlertFilter, limit: int, continuation: str | None) -> Page[Episode]: ...

    async def purge(self, cleared_before: str, limit: int) -> int:
        """Delete alerts that were cleared before, and notes as old. Returns how many alerts."""
        ...
