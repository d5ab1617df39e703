"""Step 2 and the way out: the drones are told, and the ledger's line is closed as completed; or as failed with its
stage and error."""

from __future__ import annotations

import logging

from activities import staging
from activities.attempt import run_step, superseded
from activities.staging import Prepare
from activities.store import pages_as_stored
from activities.update_drones import Windowed, tell_drones, tell_news
from observability import log, metrics
from pipeline.clock import now
from pipeline.durable import DurableClient
from pipeline.ports import Conflict, Store
from pipeline.records import Batch, Counts
from pipeline.steps import FAIL, FINISH, Completion, Failure, Findings, Result
from pipeline.windows import starter_of


async def finish(
    store: Store,
    client: DurableClient,
    completion: Completion,
    prepare: Prepare,
    windowed: Windowed | None = None,
) -> Result:
    """Called again after its effect it gives the same answer. ``windowed`` None: all drones are told at once, and so
    they are when the batch runs again, since nobody knows what its first attempt came to."""

    async def work(batch: Batch) -> Findings:
        pages = await pages_as_stored(store, batch, prepare)
        if windowed is None or batch.attempts > 1:
            await tell_drones(store, client, batch, pages)
            await close(store, completion)
            return {}
        held_from = await tell_news(store, client, batch, pages, windowed)
        if held_from is not None:
            await staging.write_held(store, batch)
        await close(store, completion, held_from)
        if held_from is not None:
            await starter_of(store).start(client, batch.hub, batch.partition, windowed.seconds)
        return {}

    return await run_step(store, completion, FINISH, work, completes=True)


async def close(store: Store, completion: Completion, held_from: str | None = None) -> None:
    batch_id, instance_id, counts = completion["batchId"], completion["instanceId"], Counts(**completion["counts"])
    await store.ledger.complete(batch_id, instance_id, counts, now(), held_from=held_from)
    if held_from is None:
        staging.forget(store, batch_id, instance_id)
    metrics.batch_completed({"stored": counts.stored, "duplicate": counts.duplicates, "rejected": counts.rejected})
    log(logging.INFO, "batch completed", batchId=batch_id, instanceId=instance_id, **completion["counts"])


async def fail(store: Store, failure: Failure) -> Result:
    batch_id, instance_id = failure["batchId"], failure["instanceId"]
    stage, error = failure["stage"], failure["error"]
    try:
        await store.ledger.fail(batch_id, instance_id, stage, error, now())
    except Conflict as conflict:
        return superseded(failure, FAIL, conflict)
    staging.forget(store, batch_id, instance_id)
    metrics.batch_failed(stage)
    log(logging.ERROR, "batch failed", batchId=batch_id, instanceId=instance_id, stage=stage, error=error)
    return {"current": True}
