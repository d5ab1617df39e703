"""The Event Hubs output binding: sends what a function returned or set."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from azure.eventhub import EventData
from azure.eventhub.aio import EventHubProducerClient

from functions_host.eventhubs.connection import Source, client_arguments
from functions_host.functions import Slot


class EventHubOutputs:
    """One producer per hub, opened when first needed. `source_of` resolves a binding."""

    def __init__(self, source_of: Callable[[dict[str, Any]], Source]) -> None:
        self._source_of = source_of
        self._producers: dict[Source, EventHubProducerClient] = {}
        self._locks: dict[Source, asyncio.Lock] = {}

    async def write(self, slot: Slot, datum: Any) -> None:
        """Send a string or bytes as one event, a list as one event per element (objects as JSON)."""
        if datum is None or datum.type is None:
            return
        bodies = _bodies(datum)
        if not bodies:
            return
        source = self._source_of(slot.binding)
        producer = self._producers.get(source)
        if producer is None:
            producer = self._producers[source] = _producer(source)
        # The SDK's producer is not made for concurrent sends on one link.
        async with self._locks.setdefault(source, asyncio.Lock()):
            batch = await producer.create_batch()
            for body in bodies:
                try:
                    batch.add(EventData(body))
                except ValueError:
                    if len(batch) == 0:
                        raise
                    await producer.send_batch(batch)
                    batch = await producer.create_batch()
                    batch.add(EventData(body))
            await producer.send_batch(batch)

    async def close(self) -> None:
        for producer in self._producers.values():
            await producer.close()
        self._producers.clear()


def _producer(source: Source) -> EventHubProducerClient:
    arguments = client_arguments(source)
    if "conn_str" in arguments:
        return EventHubProducerClient.from_connection_string(**arguments)
    return EventHubProducerClient(**arguments)


def _bodies(datum: Any) -> list[str | bytes]:
    if datum.type == "json":
        value = json.loads(datum.value)
        items = value if isinstance(value, list) else [value]
        return [item if isinstance(item, str) else json.dumps(item) for item in items]
    if datum.type == "bytes":
        return [datum.value]
    return [str(datum.value)]
