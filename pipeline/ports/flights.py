"""Flights, worked out from stored messages."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from pipeline.ports.paging import Page
from telemetry.flights import Flight, Fold
from telemetry.model import Message


@dataclass(frozen=True)
class FlightHead:
    """How far a drone's flights have been worked out. ``version`` is the adapter's, None before it is saved."""

    device_id: str
    fold: Fold
    by_mode: bool  # the drone has said a flight mode
    version: str | None


@dataclass(frozen=True)
class FlightChange:
    """What replaces one drone's ``head`` in the version that was read, and the flights of it to put and to delete (by
    id)."""

    head: FlightHead
    put: Sequence[Flight] = ()
    delete: Sequence[str] = ()


class Arrival(NamedTuple):
    """A message and its place in the order in which messages were stored; several may share one."""

    position: int
    message: Message
    """At least the fields that ``telemetry.flights`` reads."""


@dataclass(frozen=True)
class Arrivals:
    """Messages in the order in which they were stored. ``more``: there may be others behind them. ``mark``: a position,
    as text. Every read of messages that begins later sees all up to the position ``visible``."""

    messages: list[Arrival]
    mark: str
    more: bool
    visible: int


@dataclass(frozen=True)
class FlightFilter:
    """Flights that overlap from ``time_from`` (inclusive) to ``time_to`` (exclusive). Newest start first."""

    device_id: str | None = None
    time_from: str | None = None
    time_to: str | None = None


class FlightStore(Protocol):
    """Flights (``telemetry.flights``), worked out from stored messages; everything here can be worked out again."""

    @property
    def arrivals_at_once(self) -> int:
        """How many arrivals are best read at once: each portion writes every drone that flies once, so a larger one
        saves writes, and takes about 1 KB of memory a message."""
        ...

    async def arrivals(self, mark: str, limit: int) -> Arrivals:
        """Messages stored after ``mark`` ("" for all), each once. What was stored in the last seconds may come
        later."""
        ...

    async def mark(self) -> str:
        """The mark last set, "" before."""
        ...

    async def set_mark(self, mark: str) -> None: ...

    async def heads(self, device_ids: Sequence[str]) -> builtins.list[FlightHead]:
        """Those that are kept, in any order."""
        ...

    async def save(self, changes: Sequence[FlightChange]) -> builtins.list[str]:
        """Each drone's change all or nothing; a drone is named once. Returns the drones of which nothing was changed,
        because the head that is kept has another version than the change's."""
        ...

    async def between(self, device_id: str, time_from: str | None, time_to: str | None) -> builtins.list[Flight]:
        """Flights of one drone of which any part lies from ``time_from`` to ``time_to``, both inclusive."""
        ...

    async def get(self, flight_id: str) -> Flight | None: ...

    async def list(self, where: FlightFilter, limit: int, continuation: str | None) -> Page[Flight]: ...

    async def purge(self, ended_before: str, limit: int) -> int:
        """Delete flights whose last message is older. Returns how many."""
        ...
