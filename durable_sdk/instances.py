"""The engine's orchestrations as an operator sees and steers them, as both versions of the SDK answer.

Entities are instances to the engine too (their ids begin with ``@``), and none here: what an operator may end or delete
is never a drone's state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pipeline.durable import InstanceStatus

PAGE = 1000
"""Rows that the engine is asked for at once."""
MOST_EVENTS = 1000
"""Events of one history that are shown, the newest."""

# As the extension takes them: no ``/ \\ # ?``, no control characters, no leading ``@``.
_ID = re.compile(r"[^@/\\#?\x00-\x1f\x7f-\x9f][^/\\#?\x00-\x1f\x7f-\x9f]{0,255}")


def is_orchestration(instance_id: str) -> bool:
    return _ID.fullmatch(instance_id) is not None


class InstanceMissing(KeyError):
    """There is no orchestration of that id."""


class InstanceRefuses(Exception):
    """Its status does not allow that; the text says which status, and what it would have to be."""


@dataclass(frozen=True)
class InstanceQuery:
    """``created_from`` and ``created_to`` are whole seconds (aware, UTC), both inclusive; no status means any."""

    created_from: datetime | None = None
    created_to: datetime | None = None
    statuses: frozenset[InstanceStatus] = frozenset()
    prefix: str | None = None


@dataclass(frozen=True)
class InstanceRow:
    """One line of a list. ``created`` and ``updated`` are aware; ``error`` is what a failed one ended with."""

    id: str
    name: str
    status: InstanceStatus
    created: datetime
    updated: datetime
    custom_status: Any
    error: str | None


@dataclass(frozen=True)
class InstanceDetail:
    """``history``: the events as the Durable HTTP API shows them; ``left_out`` older ones are not among them."""

    row: InstanceRow
    input: Any
    output: Any
    history: list[Mapping[str, Any]]
    left_out: int


class InstanceReader(Protocol):
    """Unreachable is ``aiohttp.ClientError``, ``ConnectionError`` or a time-out, for the caller to answer."""

    async def page(self, where: InstanceQuery, token: str | None) -> tuple[list[InstanceRow], str | None]:
        """Orchestrations in the engine's own order; a page may be empty and still have a token."""
        ...

    async def one(self, instance_id: str) -> InstanceDetail | None: ...

    async def suspend(self, instance_id: str, reason: str) -> None:
        """``InstanceMissing``, ``InstanceRefuses``; so do all that follow."""
        ...

    async def resume(self, instance_id: str, reason: str) -> None: ...

    async def terminate(self, instance_id: str, reason: str) -> None: ...

    async def restart(self, instance_id: str) -> str:
        """The id of a new instance of the same orchestrator with the same input; only of one that has ended."""
        ...

    async def purge(self, instance_id: str) -> None: ...


_UNDER_WAY = (InstanceStatus.PENDING, InstanceStatus.RUNNING, InstanceStatus.CONTINUED_AS_NEW)
ALLOWED: Mapping[str, tuple[InstanceStatus, ...]] = {
    "suspend": _UNDER_WAY,
    "resume": (InstanceStatus.SUSPENDED,),
    "terminate": (*_UNDER_WAY, InstanceStatus.SUSPENDED),
    "restart": (InstanceStatus.COMPLETED, InstanceStatus.FAILED, InstanceStatus.TERMINATED, InstanceStatus.CANCELED),
    "purge": (InstanceStatus.COMPLETED, InstanceStatus.FAILED, InstanceStatus.TERMINATED, InstanceStatus.CANCELED),
}
"""What may be done to an orchestration that is so. Looked at first: the engine answers some of it with an error of its
own making, and would start a second instance beside one that runs."""


def refuse(operation: str, instance_id: str, status: InstanceStatus) -> None:
    """Raises ``InstanceRefuses`` unless ``operation`` may be done to an instance of that status."""
    allowed = ALLOWED[operation]
    if status not in allowed:
        words = ", ".join(one.value for one in allowed)
        raise InstanceRefuses(f"orchestration {instance_id} is {status.value}; {operation} needs one that is {words}")


def error_of(status: InstanceStatus, output: Any) -> str | None:
    """What a failed or terminated instance ended with: the text without the stack that the host puts behind it."""
    if status not in (InstanceStatus.FAILED, InstanceStatus.TERMINATED) or not isinstance(output, str):
        return None
    return output.partition(" \n ")[0].strip()[:1000] or None


def newest(events: list[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], int]:
    """The newest ``MOST_EVENTS``, and how many are left out."""
    return events[-MOST_EVENTS:], max(0, len(events) - MOST_EVENTS)
