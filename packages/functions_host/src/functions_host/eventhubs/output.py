"""The Event Hubs output binding: sends what a function returned or set."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from azure.eventhub import EventData
from azure.eventhub.aio import EventHubProducerClient

from functions_host.eventhubs.connection import Source, client_arguments
from functions_host.payloads import Value


class EventHubOutputs:
    """One producer per hub, opened when first needed. `source_of` resolves a binding."""

    def __init__(self, source_of: Callable[[dict[str, Any]], Source]) -> None:
        self._source_of = source_of
        self._producers: dict[Source, EventHubProducerClient] = {}
        self._locks: dict[Source, asyncio.Lock] = {}

    async def write(self, binding: dict[str, Any], value: Value) -> None:
        """Send a string or bytes as one event, a list as one event per element (objects as JSON)."""
        if value is None:
            return
        bodies = _bodies(value[1], value[2])
        if not bodies:
            return
        source = self._source_of(binding)
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


def _bodies(kind: str, value: Any) -> list[str | bytes]:
    if kind == "json":
        document = json.loads(value)
        items = document if isinstance(document, list) else [document]
        return [item if isinstance(item, str) else json.dumps(item) for item in items]
    return [value] if kind == "bytes" else [str(value)]
