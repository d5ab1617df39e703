"""One connection to an Event Hub by azure-eventhub: to Azure, and to emulators other than the local hub."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from azure.eventhub import EventData
from azure.eventhub.aio import EventHubConsumerClient, PartitionContext

from functions_host.eventhubs.connection import Source, client_arguments
from functions_host.eventhubs.events import from_sdk
from functions_host.eventhubs.hub import OnEvents, OnOpen, read_all
from functions_host.eventhubs.positions import PartitionState, Position

logger = logging.getLogger("functions_host.eventhubs")

_OPEN_SECONDS = 3.0


class SdkConnection:
    """See `hub.HubConnection`. Raises ValueError for a connection string that the SDK cannot read."""

    def __init__(self, source: Source, group: str, *, prefetch: int, max_batch: int, where: str) -> None:
        self._prefetch = prefetch
        self._max_batch = max_batch
        self._where = where
        # No retries inside the SDK: who uses this reconnects, from the position that is right by then.
        arguments: dict[str, Any] = {"consumer_group": group, "retry_total": 0, **client_arguments(source)}
        make = EventHubConsumerClient
        self._client = make.from_connection_string(**arguments) if "conn_str" in arguments else make(**arguments)

    async def partitions(self) -> list[str]:
        return list(await self._client.get_partition_ids())

    async def state(self, partition: str) -> PartitionState:
        found = await self._client.get_partition_properties(partition)
        return PartitionState(
            int(found["beginning_sequence_number"]),
            int(found["last_enqueued_sequence_number"]),
            str(found["last_enqueued_offset"]),
            bool(found["is_empty"]),
        )

    async def receive(self, partition: str, position: Position, on_events: OnEvents, on_open: OnOpen) -> Exception:
        failure: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

        async def on_batch(_: PartitionContext, events: list[EventData]) -> None:
            if events:
                on_open()
                await on_events(read_all(events, from_sdk, f"{self._where} partition {partition}"))

        async def on_error(_: PartitionContext | None, error: Exception) -> None:
            if not failure.done():
                failure.set_result(error)

        receiving = asyncio.ensure_future(
            self._client.receive_batch(
                on_batch,
                partition_id=partition,
                starting_position=position,
                max_batch_size=max(self._prefetch, self._max_batch),
                prefetch=self._prefetch,
                on_error=on_error,
            )
        )
        try:
            # The SDK does not say that a link is open: one that stays without an error for a while is.
            done, _ = await asyncio.wait(
                {receiving, failure}, timeout=_OPEN_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                on_open()
                await asyncio.wait({receiving, failure}, return_when=asyncio.FIRST_COMPLETED)
            if failure.done():
                return failure.result()
            return receiving.exception() or ConnectionError("the receiver ended")
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)

    async def close(self) -> None:
        await self._client.close()
