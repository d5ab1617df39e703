"""Ends unfinished instances that no batch needs: its record is gone, has ended, or goes on under another attempt.

Whoever supersedes an instance ends it, and the purge of histories ends what still runs of a completed batch
(``pipeline.histories``). This looks for what a crash in between has left, on some pages of the engine's instances in
each run: all of them at once would be thousands of pages, again and again.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone

from observability import log
from pipeline.attempts import instance_prefix
from pipeline.durable import UNDER_WAY, DurableClient, Walk
from pipeline.ports import Store
from pipeline.records import UNFINISHED
from settings import Sweeping


async def end_orphans(
    store: Store, client: DurableClient, sweeping: Sweeping, hub: str, walk: Walk | None = None
) -> None:
    """End unfinished instances that are old and no batch's current attempt, on the next pages of ``walk``."""
    before = datetime.now(timezone.utc) - timedelta(seconds=sweeping.stuck_seconds)
    for instance in await client.instance_ids(instance_prefix(hub), before, UNDER_WAY, walk or Walk()):
        batch = await store.ledger.get(instance.rpartition("~")[0])
        if batch is None or batch.instance_id != instance:
            reason = "no batch needs it" if batch is None else f"superseded by {batch.instance_id}"
            log(logging.WARNING, "orphan ended", instanceId=instance, reason=reason)
            await end_instance(client, instance, reason)
        elif batch.status not in UNFINISHED:
            log(logging.WARNING, "orphan ended", instanceId=instance, reason=f"batch is {batch.status.value}")
            await end_instance(client, instance, f"its batch is {batch.status.value}")


async def end_instance(client: DurableClient, instance: str, reason: str) -> None:
    try:
        await client.terminate(instance, reason)
    except Exception as error:
        log(logging.WARNING, "instance not ended", instanceId=instance, error=str(error))
