"""The connection to Event Hubs, through azure-eventhub's public client: one for each lane of the spool."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Protocol

from azure.eventhub import EventData

from gateway.spool import Waiting
from gateway.target import Target, told

_SEND_TIMEOUT_SECONDS = 20.0
_JSON = "application/json"
_LONGEST_KEY = 128


class Unsendable(Exception):
    """A message that no hub will ever take: alone it is more than a batch holds."""


class Lane(Protocol):
    """Where a lane's messages go."""

    async def send(self, key: str, messages: Sequence[Waiting]) -> int:
        """Send as many of the first messages of one device as a batch holds, and wait until they are acknowledged; how
        many. Raises HubUnavailable, HubRefused, Unsendable."""
        ...

    async def close(self) -> None: ...


class HubLane:
    """A producer client that is made anew after every trouble."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._client: Any = None
        self._credential: Any = None
        # Whatever goes wrong is told in one line of ours; the SDK tells it in pages.
        logging.getLogger("azure").setLevel(logging.CRITICAL + 1)

    async def send(self, key: str, messages: Sequence[Waiting]) -> int:
        try:
            if self._client is None:
                self._client, self._credential = self._target.client()
            batch = await self._client.create_batch(partition_key=partition_key(key))
            taken = 0
            for message in messages:
                try:
                    batch.add(_event(message))
                except ValueError:
                    break
                taken += 1
            if not taken:
                raise Unsendable(f"{len(messages[0].body)} bytes; the hub takes {batch.max_size_in_bytes}")
            await self._client.send_batch(batch, timeout=_SEND_TIMEOUT_SECONDS)
        except Unsendable:
            raise
        except Exception as error:
            await self.close()
            raise told(error, self._target.hub) from error
        return taken

    async def close(self) -> None:
        parts, self._client, self._credential = (self._client, self._credential), None, None
        for part in parts:
            if part is not None:
                await part.close()


def partition_key(key: str) -> str:
    """The key as Event Hubs takes it: at most 128 bytes. Nothing longer is a device id, but a broker's topic may be."""
    return key.encode()[:_LONGEST_KEY].decode(errors="ignore")


def _event(message: Waiting) -> EventData:
    event = EventData(message.body)
    event.content_type = _JSON
    if message.properties:
        event.properties = dict(message.properties)
    return event
