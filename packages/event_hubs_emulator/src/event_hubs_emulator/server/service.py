"""What all connections of one server share: the hubs, the limits, who reads what, and what forces writes to disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from event_hubs_emulator.amqp.errors import NOT_FOUND, LinkFault
from event_hubs_emulator.health import WriteHealth
from event_hubs_emulator.hubs import Hub, Hubs

from .address import Address
from .exclusive import Receivers
from .syncer import Syncer

if TYPE_CHECKING:
    from event_hubs_emulator.log.partition_log import PartitionLog
    from event_hubs_emulator.message import Event


@dataclass(frozen=True)
class Limits:
    """What the server asks of its peers."""

    max_frame_size: int = 64 * 1024
    max_message_size: int = 1024 * 1024
    # Advertised in open; a peer silent for twice as long is cut off. Azure's is four minutes, too.
    idle_timeout_ms: int = 240_000
    # Sends in flight on one link before the sender has to wait.
    producer_credit: int = 1000
    channel_max: int = 4095
    handle_max: int = 1023


class OpenConnection(Protocol):
    """A connection, as far as stopping the server goes."""

    def shut_down(self) -> None: ...

    def abort(self) -> None: ...

    async def closed(self) -> None: ...


class Service:
    """The state shared by the connections of one server."""

    def __init__(self, hubs: Hubs, limits: Limits, syncer: Syncer | None) -> None:
        self.hubs = hubs
        self.limits = limits
        self.receivers = Receivers()
        self.health = WriteHealth()
        self.connections: set[OpenConnection] = set()
        self._syncer = syncer

    def hub(self, name: str) -> Hub:
        """The hub with this name. Raises LinkFault."""
        hub = self.hubs.find(name)
        if hub is None:
            raise LinkFault(NOT_FOUND, self.no_such_hub(name))
        return hub

    def no_such_hub(self, name: str) -> str:
        """What a client is told that asks for a hub that is not there."""
        served = ", ".join(hub.name for hub in self.hubs)
        return f"The messaging entity '{name[:200]}' could not be found. The event hubs here: {served[:500]}."

    def partition(self, address: Address) -> PartitionLog[Event]:
        """The partition an address names. Raises LinkFault."""
        log = self.hub(address.hub).partition(address.partition or "")
        if log is None:
            raise LinkFault(NOT_FOUND, f"The messaging entity '{address.hub}' has no partition '{address.partition}'.")
        return log

    def when_durable(self, log: PartitionLog[Event], then: Callable[[OSError | None], None]) -> None:
        """Call `then` once what was appended to `log` is as safe as asked for; with the error if it never will be."""
        if self._syncer is None:
            then(None)
        else:
            self._syncer.add(log, then)

    async def close(self) -> None:
        """Say goodbye on every connection."""
        connections = list(self.connections)
        for connection in connections:
            connection.shut_down()
        if connections:
            # A peer that does not read must not hold the process up.
            await asyncio.wait([asyncio.ensure_future(connection.closed()) for connection in connections], timeout=0.3)
        for connection in list(self.connections):
            connection.abort()
        if self._syncer is not None:
            await self._syncer.close()
