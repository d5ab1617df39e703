"""Deletes the durable histories of batches that were completed long enough ago, by the ledger's own list of them.

The engine is not asked which instances have ended: it would look at all of them, millions in a day, for every answer.
The ledger knows each completed batch and how many attempts it took, and a mark tells how far this has come. A portion
whose instances are gone moves the mark; what could not be deleted holds it, and is tried again by the next run.
A failed batch keeps its history until it has been replayed: it tells what happened.

Before the first portion stands one walk through the engine, some pages in each run, for what earlier versions, which
had no mark, have left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from observability import log
from pipeline.attempts import instance_prefix
from pipeline.durable import ENDED, DurableClient, Walk
from pipeline.many import for_each
from pipeline.ports import Store
from pipeline.records import Batch
from settings import Retention
from telemetry.identity import instance_id
from telemetry.times import from_datetime

PORTION = 1000
AT_ONCE = 16
_MARK = "histories"


class Histories:
    """Remembers between the runs of one process where the walk through the engine stands."""

    def __init__(self) -> None:
        self._walk = Walk()
        self._walks: dict[str, Walk] = {}

    def walk_of(self, prefix: str) -> Walk:
        """Where a walk through instances of another kind stands: their ids begin so."""
        return self._walks.setdefault(prefix, Walk(pages=10))

    async def purge(
        self, store: Store, client: DurableClient, retention: Retention, hub: str, has_time: Callable[[], bool]
    ) -> int:
        """The number of instances that were deleted. At least one portion, and more while there is time."""
        now = datetime.now(timezone.utc)
        before = min(now, now - timedelta(hours=retention.durable_hours))
        deleted = 0
        while True:
            mark = await store.ledger.mark(_MARK)
            if mark:
                number, more = await _portion(store, client, mark, from_datetime(before))
            else:
                number, more = await self._left_by_others(store, client, before, hub)
            deleted += number
            if not more or not has_time():
                return deleted

    async def _left_by_others(
        self, store: Store, client: DurableClient, before: datetime, hub: str
    ) -> tuple[int, bool]:
        ended = await client.instance_ids(instance_prefix(hub), before, ENDED, self._walk)
        deleted = sum(await for_each(ended, AT_ONCE, client.purge))
        if self._walk.over:
            # What was created before, and ends later, is completed later: the ledger's list has it.
            await store.ledger.set_mark(_MARK, from_datetime(before))
        return deleted, True


async def _portion(store: Store, client: DurableClient, mark: str, before: str) -> tuple[int, bool]:
    """How many instances were deleted, and whether there may be more."""
    batches = await store.ledger.completed_between(mark, before, PORTION)
    full = len(batches) == PORTION
    if full:
        # The mark is a time: what shares its time with the last one must not be cut from it.
        last = str(batches[-1].completed_at)
        earlier = [batch for batch in batches if str(batch.completed_at) < last]
        batches = earlier or await store.ledger.completed_between(mark, f"{last}~", None)
    results = await for_each(batches, AT_ONCE, lambda batch: _purge(client, batch))
    done = 0
    while done < len(batches) and results[done] is not None:
        done += 1
    settled = batches[:done]
    if done < len(batches):
        held = str(batches[done].completed_at)
        settled = [batch for batch in settled if str(batch.completed_at) < held]
    if settled:
        await store.ledger.set_mark(_MARK, str(settled[-1].completed_at))
    return sum(number or 0 for number in results), full and done == len(batches)


async def _purge(client: DurableClient, batch: Batch) -> int | None:
    """Deletes what the batch's attempts have left; None when something of it is still there."""
    gone = [await _is_gone(client, instance_id(batch.id, attempt)) for attempt in range(1, batch.attempts + 1)]
    return None if None in gone else sum(number or 0 for number in gone)


async def _is_gone(client: DurableClient, instance: str) -> int | None:
    """1 when it was deleted, 0 when it is not there, None when it is: it has been ended then, if it had not."""
    why = "it is still there"
    try:
        if await client.purge(instance):
            return 1
    except Exception as error:  # some engines refuse while it runs
        why = str(error)
    try:
        there = await client.instance(instance)
        if there is None:  # deleted by an earlier run, or never started
            return 0
        if there.status not in ENDED:
            log(logging.WARNING, "orphan ended", instanceId=instance, reason="its batch is completed")
            await client.terminate(instance, "its batch is completed")
            return None
    except Exception as error:
        why = str(error)
    log(logging.WARNING, "history not deleted; the next run tries again", instanceId=instance, error=why)
    return None
