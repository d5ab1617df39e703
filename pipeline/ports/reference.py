"""Zones and registry."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.ports.paging import Page
from telemetry.registry import Registration


@dataclass(frozen=True)
class ZonesVersion:
    """One version of the zones, from 1: a GeoJSON FeatureCollection, when it was made (canonical) and by whom."""

    version: int
    at: str
    by: str | None
    document: dict[str, Any]


@dataclass(frozen=True)
class RegistrationRecord:
    registration: Registration
    version: int


class ReferenceStore(Protocol):
    """Zones and registry, once somebody has changed them; before that the files they are seeded from are in force."""

    async def revision(self) -> str:
        """Changes with everything that changes here; "" while nothing was ever changed. One cheap read."""
        ...

    async def zones(self, version: int | None = None) -> ZonesVersion | None:
        """That version, or the newest."""
        ...

    async def put_zones(self, new: ZonesVersion) -> None:
        """``Conflict`` unless ``new`` follows the newest version."""
        ...

    async def zone_versions(self, limit: int, continuation: str | None) -> Page[ZonesVersion]:
        """Newest first, without their documents."""
        ...

    async def registry(self) -> builtins.list[RegistrationRecord] | None:
        """All registrations by id; None before ``take_over``."""
        ...

    async def take_over(self, registrations: Sequence[Registration]) -> None:
        """Keep the file's registrations, each in version 1: from now on the store's are in force. Done once only."""
        ...

    async def put_registration(self, registration: Registration, expect: int | None) -> RegistrationRecord:
        """Make it (``expect`` None) or replace it in that version. ``Conflict`` when another one is there."""
        ...

    async def delete_registration(self, device_id: str, expect: int) -> None:
        """``Conflict`` when it is not there in that version."""
        ...
