"""What the listener asks of a connection to an Event Hub, whoever makes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from functions_host.eventhubs.events import ReceivedEvent
from functions_host.eventhubs.positions import PartitionState, Position

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
