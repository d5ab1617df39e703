"""Reads events of the hub again, beside the trigger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from azure.eventhub import EventData
from azure.eventhub.aio import EventHubConsumerClient, PartitionContext
from azure.eventhub.exceptions import EventHubError

from event_hub.sending import HubUnavailable, identity
from settings import EventHub, SettingError

_CHUNK = 500
QUIET_SECONDS = 5.0
"""Without an event for so long there are no more: retention may take those away that were asked for."""

_UNREACHABLE = (EventHubError, SettingError, OSError, asyncio.TimeoutError, ValueError, AttributeError)


async def read_events(
    hub: EventHub, group: str, partition: str, first: int, last: int, most: int
) -> tuple[list[EventData], bool]:
    """Events ``first`` to ``last`` in order, ``most`` at most; and whether ``last`` was reached, so that those of them
    that were not read are not there any more.

    ``group`` must not be the trigger's: it reads exclusively. ``HubUnavailable`` when the hub does not answer.
    """
    found: list[EventData] = []
    done = asyncio.Event()
    failed: list[Exception] = []
    reached = False

    async def take(_: PartitionContext, events: list[EventData]) -> None:
        nonlocal reached
        if not events:
            done.set()
        for event in events:
            if done.is_set():
                return
            number = event.sequence_number or 0
            if number <= last:
                found.append(event)
            reached = reached or number >= last
            if reached or len(found) == most:
                done.set()

    async def fail(_: PartitionContext, error: Exception) -> None:
        failed.append(error)
        done.set()

    async with _client(hub, group) as client:
        receiving = asyncio.ensure_future(
            client.receive_batch(
                take,
                max_batch_size=_CHUNK,
                max_wait_time=QUIET_SECONDS,
                partition_id=partition,
                starting_position=first,
                starting_position_inclusive=True,
                on_error=fail,
            )
        )
        ended = asyncio.ensure_future(done.wait())
        await asyncio.wait({receiving, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if receiving.done() and (error := receiving.exception()) is not None:
            raise HubUnavailable(type(error).__name__) from error
        await client.close()
        await asyncio.wait({receiving}, timeout=QUIET_SECONDS)
        receiving.cancel()
    if failed:
        raise HubUnavailable(type(failed[0]).__name__) from failed[0]
    return found, reached


@asynccontextmanager
async def _client(hub: EventHub, group: str) -> AsyncIterator[EventHubConsumerClient]:
    retries: dict[str, Any] = {"retry_total": 1, "retry_backoff_factor": 0.2}
    credential: Any = None
    try:
        if hub.connection_string is not None:
            client = EventHubConsumerClient.from_connection_string(
                hub.connection_string, group, eventhub_name=hub.name, **retries
            )
        else:
            assert hub.fully_qualified_namespace is not None
            credential = identity()
            client = EventHubConsumerClient(hub.fully_qualified_namespace, hub.name, group, credential, **retries)
        async with client:
            yield client
    except HubUnavailable:
        raise
    except _UNREACHABLE as error:
        raise HubUnavailable(type(error).__name__) from error
    finally:
        if credential is not None:
            await credential.close()
