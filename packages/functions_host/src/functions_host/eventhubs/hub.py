"""What the listener asks of a connection to an Event Hub, whoever makes it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

from functions_host.eventhubs.events import ReceivedEvent, Unreadable
from functions_host.eventhubs.positions import PartitionState, Position

logger = logging.getLogger("functions_host.eventhubs")

Raw = TypeVar("Raw")
OnEvents = Callable[[list[ReceivedEvent]], Awaitable[None]]
OnOpen = Callable[[], None]


class HubConnection(Protocol):
    """One connection, for one partition or for asking. Every method may raise whatever ends the connection."""

    async def partitions(self) -> list[str]: ...

    async def state(self, partition: str) -> PartitionState: ...

    async def receive(self, partition: str, position: Position, on_events: OnEvents, on_open: OnOpen) -> Exception:
        """Hand over events, in order, one call at a time, until something ends it; returns what.

        `on_open` is called when the link is known to be open, at the latest before the first events.
        """
        ...

    async def close(self) -> None: ...


def read_all(raw: Iterable[Raw], read: Callable[[Raw], ReceivedEvent], where: str) -> list[ReceivedEvent]:
    """The events in this host's own form; one that cannot be read is named, and holds up none of the others."""
    found: list[ReceivedEvent] = []
    for one in raw:
        try:
            found.append(read(one))
        except Unreadable as error:
            after = f"after offset {found[-1].offset}" if found else "that came first"
            logger.error("%s: the event %s cannot be read and is passed over: %s", where, after, error)
    return found
