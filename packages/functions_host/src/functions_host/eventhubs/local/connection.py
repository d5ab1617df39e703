"""One connection to the local hub; see `hub.HubConnection`."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from functions_host.eventhubs.hub import OnEvents, OnOpen, read_all
from functions_host.eventhubs.local.events import native, read_event, sections
from functions_host.eventhubs.local.wire import HubError, Wire
from functions_host.eventhubs.positions import PartitionState, Position

_OPEN_SECONDS = 15.0
_APPLICATION, _VALUE = 0x74, 0x77


class LocalConnection:
    """Made without a connection yet; the first question opens it."""

    def __init__(self, port: int, hub: str, group: str, *, prefetch: int, where: str) -> None:
        self._port = port
        self._hub = hub
        self._group = group
        self._prefetch = prefetch
        self._where = where
        self._wire: Wire | None = None

    async def partitions(self) -> list[str]:
        found = await self._ask("com.microsoft:eventhub")
        return [str(partition) for partition in found["partition_ids"]]

    async def state(self, partition: str) -> PartitionState:
        found = await self._ask("com.microsoft:partition", ("partition", partition))
        return PartitionState(
            int(found["begin_sequence_number"]),
            int(found["last_enqueued_sequence_number"]),
            str(found["last_enqueued_offset"]),
            bool(found["is_partition_empty"]),
        )

    async def receive(self, partition: str, position: Position, on_events: OnEvents, on_open: OnOpen) -> Exception:
        address = f"{self._hub}/ConsumerGroups/{self._group}/Partitions/{partition}"
        try:
            wire = await self._opened()
            await asyncio.wait_for(wire.attach_events(address, selector(position), self._prefetch), _OPEN_SECONDS)
            on_open()
            while True:
                await on_events(read_all(await wire.some(), read_event, f"{self._where} partition {partition}"))
                wire.consumed()
        except Exception as error:
            return error

    async def close(self) -> None:
        if self._wire is not None:
            await self._wire.close()

    async def _opened(self) -> Wire:
        if self._wire is not None:
            return self._wire
        loop = asyncio.get_running_loop()
        made = loop.create_connection(lambda: Wire(loop), "127.0.0.1", self._port)
        _, wire = await asyncio.wait_for(made, _OPEN_SECONDS)
        self._wire = wire
        return wire

    async def _ask(self, kind: str, *more: tuple[str, str]) -> dict[str, Any]:
        wire = await self._opened()
        asked = [("operation", "READ"), ("type", kind), ("name", self._hub), *more]
        answer = dict(sections(await asyncio.wait_for(wire.request(asked), _OPEN_SECONDS)))
        told = answer[_APPLICATION]
        if told.get("status-code") != 200:
            raise HubError(str(told.get("status-description")))
        found: dict[str, Any] = native(answer[_VALUE])
        return found


def selector(position: Position) -> str:
    """The filter that starts after `position`, as Event Hubs' clients write it."""
    if isinstance(position, datetime):
        return f"amqp.annotation.x-opt-enqueued-time > '{int(position.timestamp() * 1000)}'"
    kind = "sequence-number" if isinstance(position, int) else "offset"
    return f"amqp.annotation.x-opt-{kind} > '{position}'"
