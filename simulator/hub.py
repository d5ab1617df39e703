"""The connection to Event Hubs, through azure-eventhub as any device has it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

# The hub's hash of partition keys, as the SDK's own buffered producer uses it to fill batches by partition. It has no
# public name; a batch per key instead would be a request per drone and message.
from azure.eventhub._buffered_producer._partition_resolver import PartitionResolver

from gateway.target import Target, told
from simulator import wire
from simulator.fleet import Outgoing
from simulator.formats import Format

_SEND_TIMEOUT_SECONDS = 20.0


class EventHub:
    """Sends each event to the partition of its drone's key, with the key, many drones in one batch."""

    def __init__(self, target: Target, spoken: Format) -> None:
        self._target = target
        self._spoken = spoken
        self._client: Any = None
        self._credential: Any = None
        self._resolver: Any = None
        self._prefixes: dict[int, tuple[bytes, str]] = {}
        # Whatever goes wrong is told in one line of ours; the SDK tells it in pages.
        logging.getLogger("azure").setLevel(logging.CRITICAL + 1)

    async def open(self) -> Sequence[str]:
        await self.close()
        self._client, self._credential = self._target.client()
        try:
            partitions: list[str] = await self._client.get_partition_ids()
            await self._open_links(partitions)
        except Exception as error:
            await self.close()
            raise told(error, self._target.hub) from error
        self._resolver = PartitionResolver(partitions)
        return partitions

    async def _open_links(self, partitions: Sequence[str]) -> None:
        """The SDK would open a link at its first use and take a second or two over all, which the first messages would
        wait for, and then come all at once. It has no public name for this, but for the link to no partition."""
        await self._client.create_batch()

        async def one(partition: str) -> None:
            await self._client._start_producer(partition, _SEND_TIMEOUT_SECONDS)
            await self._client._producers[partition]._open_with_retry()

        await asyncio.gather(*(one(partition) for partition in partitions))

    def partition_of(self, outgoing: Outgoing) -> str:
        return self._known(outgoing.drone)[1]

    async def send(self, partition: str, events: Sequence[Outgoing]) -> int:
        try:
            batch = await self._client.create_batch(partition_id=partition)
            taken = 0
            for outgoing in events:
                if not wire.add(batch, self._known(outgoing.drone)[0], outgoing.body):
                    break
                taken += 1
            await self._client.send_batch(batch, timeout=_SEND_TIMEOUT_SECONDS)
        except Exception as error:
            raise told(error, self._target.hub) from error
        return taken

    async def close(self) -> None:
        for part in (self._client, self._credential):
            if part is not None:
                await part.close()
        self._client = self._credential = None

    def _known(self, drone: int) -> tuple[bytes, str]:
        known = self._prefixes.get(drone)
        if known is None:
            key = self._spoken.device(drone)
            partition = self._resolver.get_partition_id_by_partition_key(key)
            prefix = wire.envelope(key, self._spoken.content_type, self._spoken.properties(key))
            known = self._prefixes[drone] = (prefix, partition)
        return known
