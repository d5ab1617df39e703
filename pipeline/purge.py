"""Deletes what is kept no longer: messages, finished batches, resolved dead letters, ended instances' histories.

Never something unfinished: the store's purges take completed batches and resolved dead letters only, and instances are
deleted by id after the engine has named them as ended. A run ends after a while whatever is left; the next goes on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone

from observability import log
from pipeline.attempts import instance_prefix
from pipeline.clock import ago
from pipeline.durable import ENDED, DurableClient
from pipeline.many import for_each
from pipeline.ports import Store
from settings import Retention

KIND_SECONDS = 10.0
AT_ONCE = 16
HISTORIES = 1000
"""Deleted in one go."""
_HOUR = 3600.0
REDELIVERY_HOURS = 90 * 24
"""The longest that Event Hubs keeps events, and may deliver them again."""


async def purge(
    store: Store,
    client: DurableClient,
    retention: Retention,
    hub: str,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, int]:
    """One run; answers how many of each kind it deleted. What fails is logged and tried again by the next run."""
    limit = retention.limit

    def messages() -> Awaitable[int]:
        return store.messages.purge(ago(retention.messages_hours * _HOUR), limit)

    def batches() -> Awaitable[int]:
        return store.ledger.purge(ago(retention.batches_hours * _HOUR), limit)

    def dead_letters() -> Awaitable[int]:
        return store.dead_letters.purge(ago(retention.dead_letters_hours * _HOUR), limit)

    def flights() -> Awaitable[int]:
        return store.flights.purge(ago(retention.flights_hours * _HOUR), limit)

    def forgotten() -> Awaitable[int]:
        return store.ledger.forget(ago(REDELIVERY_HOURS * _HOUR), limit)

    def histories() -> Awaitable[int]:
        return purge_histories(client, retention, hub)

    deleted = {}
    # Batches first: what a batch that runs again is told by must not go before its bytes.
    deleted["batches"], all_gone = await _repeat("batches", batches, limit, clock)
    deleted["deadLetters"] = (await _repeat("deadLetters", dead_letters, limit, clock))[0] if all_gone else 0
    deleted["messages"], _ = await _repeat("messages", messages, limit, clock)
    deleted["flights"], _ = await _repeat("flights", flights, limit, clock)
    await _repeat("forgotten", forgotten, limit, clock)
    deleted["histories"], _ = await _repeat("histories", histories, 1, clock)
    if any(deleted.values()):
        log(logging.INFO, "purged", **deleted)
    return deleted


async def _repeat(
    kind: str, step: Callable[[], Awaitable[int]], full: int, clock: Callable[[], float]
) -> tuple[int, bool]:
    """Repeat while a whole portion was there and there is time; every kind has a time of its own. How many, and whether
    that was all."""
    until = clock() + KIND_SECONDS
    total = 0
    while True:
        try:
            number = await step()
        except Exception as error:
            log(logging.WARNING, "purge failed; the next run goes on", kind=kind, error=str(error))
            return total, False
        total += number
        if number < full:
            return total, True
        if clock() >= until:
            return total, False


async def purge_histories(client: DurableClient, retention: Retention, hub: str) -> int:
    """Delete the histories of (at most a thousand) ended instances of this hub's batches that were created before."""
    before = datetime.now(timezone.utc) - timedelta(hours=retention.durable_hours)
    ended = await client.instance_ids(instance_prefix(hub), before, ENDED, HISTORIES)
    return sum(await for_each(ended, AT_ONCE, client.purge))
