"""The durable engine as the pipeline sees it: instances, and the one protocol by which it is asked.

The adapter over the SDK's client stands in ``durable_sdk``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol


class InstanceStatus(str, Enum):
    """The engine's words for where an instance stands."""

    PENDING = "Pending"
    RUNNING = "Running"
    CONTINUED_AS_NEW = "ContinuedAsNew"
    SUSPENDED = "Suspended"
    COMPLETED = "Completed"
    FAILED = "Failed"
    TERMINATED = "Terminated"
    CANCELED = "Canceled"


UNDER_WAY = frozenset({InstanceStatus.PENDING, InstanceStatus.RUNNING})
ENDED = frozenset({InstanceStatus.COMPLETED, InstanceStatus.FAILED, InstanceStatus.TERMINATED, InstanceStatus.CANCELED})


@dataclass(frozen=True)
class Instance:
    """An orchestration as the engine knows it; ``moved`` (aware) is when it last did anything."""

    id: str
    status: InstanceStatus
    moved: datetime


@dataclass
class Walk:
    """Where a walk through all instances stands, so that each call takes some pages and the next goes on."""

    pages: int = 50
    token: str | None = None
    over: bool = False
    """Whether the last call has come to the end; the next begins anew."""


class StatePage(Protocol):
    """``items`` are (key, state)."""

    @property
    def items(self) -> list[tuple[str, Any]]: ...
    @property
    def token(self) -> str | None: ...


class DroneReader(Protocol):
    """Reads the drones' entities."""

    async def state(self, key: str) -> dict[str, Any] | None: ...

    async def page(self, top: int, token: str | None, *, operated_from: str | None = None) -> StatePage:
        """Of those that were told something since then (canonical). ``ValueError`` for a token that is not its own."""
        ...


class DurableClient(Protocol):
    """Every call may fail with any exception: the SDK raises bare ``Exception`` for each answer it does not like."""

    async def start(self, orchestrator: str, instance_id: str, argument: Any) -> None:
        """Start an instance. One of that id that is under way already is what was wanted."""
        ...

    async def instance(self, instance_id: str) -> Instance | None: ...

    async def instance_ids(
        self, prefix: str, created_before: datetime, statuses: Collection[InstanceStatus], walk: Walk
    ) -> list[str]:
        """Ids of the instances that begin with ``prefix``, were created before then (aware, UTC) and have one of the
        statuses: on the next so many pages of ``walk``, which may hold none. The engine looks at every instance for
        it; of millions that takes thousands of pages."""
        ...

    async def raise_event(self, instance_id: str, name: str) -> None:
        """An event without content. Fails where there is no such instance, or it has ended."""
        ...

    def status_uri(self, instance_id: str) -> str:
        """Where the engine tells of it, without the key that opens everything."""
        ...

    async def signal(self, entity: str, key: str, operation: str, argument: Any) -> None: ...

    async def terminate(self, instance_id: str, reason: str) -> None: ...

    async def purge(self, instance_id: str) -> int:
        """Delete the history of an instance that has ended; the number of those deleted, 0 or 1."""
        ...
