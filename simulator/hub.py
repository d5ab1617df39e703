"""The connection to Event Hubs, through azure-eventhub as any device has it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from azure.eventhub import parse_connection_string

# The hub's hash of partition keys, as the SDK's own buffered producer uses it to fill batches by partition. It has no
# public name; a batch per key instead would be a request per drone and message.
from azure.eventhub._buffered_producer._partition_resolver import PartitionResolver
from azure.eventhub.aio import EventHubProducerClient
from azure.eventhub.exceptions import AuthenticationError, EventHubError

from simulator import wire
from simulator.fleet import Outgoing
from simulator.sender import HubRefused, HubUnavailable

_SEND_TIMEOUT_SECONDS = 20.0
_NOT_FOUND = ("amqp:not-found", "messaging entity", "not found")


class InvalidTarget(ValueError):
    """The connection settings say no hub."""


@dataclass(frozen=True)
class Target:
    """Which hub: by connection string, or by fully qualified namespace with the identity the environment gives."""

    hub: str
    connection: str | None = None
    namespace: str | None = None

    @classmethod
    def of(cls, connection: str | None, namespace: str | None, hub: str | None) -> Target:
        """``hub`` counts before the connection string's EntityPath; without either it is ``telemetry``.
        Raises InvalidTarget."""
        if connection:
            try:
                parsed = parse_connection_string(connection)
            except ValueError as error:
                raise InvalidTarget(f"not an Event Hubs connection string: {error}") from None
            return cls(hub or parsed.eventhub_name or "telemetry", connection=connection)
        if namespace:
            return cls(hub or "telemetry", namespace=namespace)
        raise InvalidTarget("no hub to send to: give --connection, or set EventHubConnection")


class EventHub:
    """Sends each event to the partition of its drone's key, with the key, many drones in one batch."""

    def __init__(self, target: Target, content_type: str) -> None:
        self._target = target
        self._content_type = content_type
        self._client: Any = None
        self._credential: Any = None
        self._resolver: Any = None
        self._prefixes: dict[int, tuple[bytes, str]] = {}
        # Whatever goes wrong is told in one line of ours; the SDK tells it in pages.
        logging.getLogger("azure").setLevel(logging.CRITICAL + 1)

    async def open(self) -> Sequence[str]:
        await self.close()
        self._client = self._make_client()
        try:
            partitions: list[str] = await self._client.get_partition_ids()
        except Exception as error:
            await self.close()
            raise _told(error, self._target.hub) from error
        self._resolver = PartitionResolver(partitions)
        return partitions

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
            raise _told(error, self._target.hub) from error
        return taken

    async def close(self) -> None:
        for part in (self._client, self._credential):
            if part is not None:
                await part.close()
        self._client = self._credential = None

    def _known(self, drone: int) -> tuple[bytes, str]:
        known = self._prefixes.get(drone)
        if known is None:
            key = f"drone-{drone}"
            partition = self._resolver.get_partition_id_by_partition_key(key)
            known = self._prefixes[drone] = (wire.envelope(key, self._content_type), partition)
        return known

    def _make_client(self) -> EventHubProducerClient:
        # Few retries inside: the sender retries until it is stopped, and tells about it.
        common = {"retry_total": 1, "retry_backoff_factor": 0.2}
        if self._target.connection is not None:
            return EventHubProducerClient.from_connection_string(
                self._target.connection, eventhub_name=self._target.hub, **common
            )
        # Imported where it is needed: with a connection string nobody waits for it.
        from azure.identity.aio import DefaultAzureCredential

        self._credential = DefaultAzureCredential()
        return EventHubProducerClient(self._target.namespace, self._target.hub, self._credential, **common)


def _told(error: Exception, hub: str) -> HubUnavailable | HubRefused:
    text = " ".join(str(error).split()).partition(" Error condition:")[0] or type(error).__name__
    if isinstance(error, AuthenticationError):
        return HubRefused(f"the hub refuses these credentials: {text}")
    if isinstance(error, EventHubError) and any(mark in text.lower() for mark in _NOT_FOUND):
        return HubRefused(f"there is no hub {hub!r} there: {text}")
    return HubUnavailable(text)
