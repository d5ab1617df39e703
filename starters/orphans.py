"""Ends unfinished instances that no batch needs: its record is gone, has ended, or goes on under another attempt.

Asking for them costs the engine a walk through its instances: so it is done when cleaning up, not in every sweep.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone

import azure.durable_functions as df

from observability import log
from settings import Sweeping
from starters.attempts import UNFINISHED, DurableClient
from storage.ports import Store

_Status = df.OrchestrationRuntimeStatus


async def end_orphans(store: Store, client: DurableClient, sweeping: Sweeping, hub: str) -> None:
    """End unfinished instances that are old and no batch's current attempt. At most a hundred come in one answer; those
    that are ended make room for the next run's."""
    before = datetime.now(timezone.utc) - timedelta(seconds=sweeping.stuck_seconds)
    statuses = await client.get_status_by(
        created_time_to=before,
        runtime_status=[_Status.Pending, _Status.Running],
        instance_id_prefix=instance_prefix(hub),
    )
    for status in statuses:
        batch = await store.ledger.get(status.instance_id.rpartition("~")[0])
        if batch is None or batch.instance_id != status.instance_id:
            reason = "its batch is not in the ledger" if batch is None else f"superseded by {batch.instance_id}"
            log(logging.WARNING, "orphan ended", instanceId=status.instance_id, reason=reason)
            await end_instance(client, status.instance_id, reason)
        elif batch.status not in UNFINISHED:
            log(logging.WARNING, "orphan ended", instanceId=status.instance_id, reason=f"batch is {batch.status.value}")
            await end_instance(client, status.instance_id, f"its batch is {batch.status.value}")


def instance_prefix(hub: str) -> str:
    """What the ids of all instances of this hub's batches begin with; drones (``@drone@…``) never do."""
    return hub[:20]


async def end_instance(client: DurableClient, instance: str, reason: str) -> None:
    try:
        await client.terminate(instance, reason)
    except Exception as error:
        log(logging.WARNING, "instance not ended", instanceId=instance, error=str(error))
