"""Sends telemetry to Event Hubs: one client a process, events grouped by partition key, a deadline on everything.

The same client tells what the hub holds.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import certifi
from azure.eventhub import EventData
from azure.eventhub.aio import EventHubProducerClient
from azure.eventhub.exceptions import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    EventHubError,
    OperationTimeoutError,
)

from pipeline.coverage import HubPartition
from pipeline.many import for_each
from settings import EventHub, SettingError, get_event_hub

_LOG = logging.getLogger("http_api")

SEND_SECONDS = 15.0
SEND_SECONDS_PER_KEY = 0.01  # each key is a round trip of its own
PROBE_SECONDS = 5.0
PARTITIONS_AT_ONCE = 16
_UNREACHABLE = (AuthenticationError, ConnectError, ConnectionLostError, OperationTimeoutError)


class HubUnavailable(Exception):
    """The hub did not acknowledge within the deadline, or refused. What was sent before stays sent."""


class EventTooLarge(ValueError):
    """One event is larger than the hub takes."""


@dataclass(frozen=True)
class OutgoingEvent:
    partition_key: str
    body: bytes
    content_type: str


@dataclass
class Hub:
    """The process's way to the hub; makes its client on the first use and anew after a failure."""

    _client: EventHubProducerClient | None = None
    _credential: Any = None
    """Outlives the clients: they do not close it, and each new one would fetch a token of its own."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    refused: str | None = None
    """What the hub refused the last events with, though it can be reached (its disk may be full); None since it took
    some."""

    async def send(self, events: Iterable[OutgoingEvent]) -> None:
        """Returns when the hub has acknowledged all; events of one key stay in their order."""
        groups: dict[str, list[EventData]] = {}
        for event in events:
            data = EventData(event.body)
            data.content_type = event.content_type
            groups.setdefault(event.partition_key, []).append(data)
        try:
            await asyncio.wait_for(self._send_groups(groups), SEND_SECONDS + SEND_SECONDS_PER_KEY * len(groups))
        except EventTooLarge:
            raise
        except (EventHubError, SettingError, OSError, asyncio.TimeoutError, ValueError, AttributeError) as error:
            # ValueError and AttributeError: what the client raises from a connection that broke under it.
            said_no = isinstance(error, EventHubError) and not isinstance(error, _UNREACHABLE)
            self.refused = type(error).__name__ if said_no else None
            await self._forget(error)
            raise HubUnavailable(type(error).__name__) from error
        else:
            self.refused = None

    async def partitions(self) -> list[HubPartition]:
        """What each partition holds. Raises ``HubUnavailable`` when the hub does not tell."""
        try:
            client = await self._get()
            return await asyncio.wait_for(_partitions(client), PROBE_SECONDS)
        except (EventHubError, SettingError, OSError, asyncio.TimeoutError, ValueError, AttributeError) as error:
            await self._forget(error)
            raise HubUnavailable(type(error).__name__) from error

    async def close(self) -> None:
        try:
            await self._drop_client()
        finally:
            credential, self._credential = self._credential, None
            if credential is not None:
                await credential.close()

    async def _drop_client(self) -> None:
        async with self._lock:
            client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _send_groups(self, groups: dict[str, list[EventData]]) -> None:
        client = await self._get()
        for key, events in groups.items():
            batch = await client.create_batch(partition_key=key)
            for event in events:
                try:
                    batch.add(event)
                    continue
                except ValueError:  # the batch is full
                    if len(batch) == 0:
                        raise EventTooLarge(f"one message of {key!r} is larger than the hub takes") from None
                await client.send_batch(batch)
                batch = await client.create_batch(partition_key=key)
                try:
                    batch.add(event)
                except ValueError:
                    raise EventTooLarge(f"one message of {key!r} is larger than the hub takes") from None
            await client.send_batch(batch)

    async def _get(self) -> EventHubProducerClient:
        async with self._lock:
            if self._client is None:
                hub = get_event_hub()
                if hub.connection_string is None and self._credential is None:
                    self._credential = identity()
                self._client = _new_client(hub, self._credential)
            return self._client

    async def _forget(self, error: BaseException) -> None:
        _LOG.warning("event hub unavailable: %r", error)
        try:
            await asyncio.wait_for(self._drop_client(), PROBE_SECONDS)
        except Exception:
            _LOG.debug("closing a broken event hub client failed", exc_info=True)


async def _partitions(client: EventHubProducerClient) -> list[HubPartition]:
    # The client makes a connection for each question, which takes half a second: 32 in a row would be given up.
    known = await for_each(await client.get_partition_ids(), PARTITIONS_AT_ONCE, client.get_partition_properties)
    return [
        HubPartition(
            one["id"], one["beginning_sequence_number"], -1 if one["is_empty"] else one["last_enqueued_sequence_number"]
        )
        for one in known
    ]


def _new_client(hub: EventHub, credential: Any) -> EventHubProducerClient:
    # One quick retry for a connection that went idle; whoever called has a deadline, and may call again.
    how: dict[str, Any] = {"retry_total": 1, "retry_backoff_factor": 0.2, "ssl_context": _tls()}
    if hub.connection_string is not None:
        return EventHubProducerClient.from_connection_string(hub.connection_string, eventhub_name=hub.name, **how)
    assert hub.fully_qualified_namespace is not None
    return EventHubProducerClient(hub.fully_qualified_namespace, hub.name, credential, **how)


def identity() -> Any:
    """A credential for who has no connection string; loaded here, as it is a fifth of what the app's start costs."""
    from azure.identity.aio import DefaultAzureCredential

    return DefaultAzureCredential()


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """The client connects anew for each question about a partition, and would read the authorities' file each time,
    also for the local hub, which needs none."""
    return ssl.create_default_context(cafile=certifi.where())


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def get_hub() -> Hub:
    """This process's hub; one for each event loop, because a client belongs to the loop that it was made in."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = Hub()
    return hub
