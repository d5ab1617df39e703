"""Ends unfinished instances that no batch needs: its record is gone, has ended, or goes on under another attempt.

Asking for them costs the engine a walk through its instances: so it is done when cleaning up, not in every sweep.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone

from observability import log
from pipeline.attempts import instance_prefix
from pipeline.durable import UNDER_WAY, DurableClient
from pipeline.ports import Store
from pipeline.records import UNFINISHED
from settings import Sweeping

MOST = 100_000
"""Old unfinished instances that one run looks at: far more than there ever are."""


async def end_orphans(store: Store, client: DurableClient, sweeping: Sweeping, hub: str) -> None:
    """End unfinished instances that are old and no batch's current attempt."""
    before = datetime.now(timezone.utc) - timedelta(seconds=sweeping.stuck_seconds)
    for instance in await client.instance_ids(instance_prefix(hub), before, UNDER_WAY, MOST):
        batch = await store.ledger.get(instance.rpartition("~")[0])
        if batch is None or batch.instance_id != instance:
            reason = "its batch is not in the ledger" if batch is None else f"superseded by {batch.instance_id}"
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
