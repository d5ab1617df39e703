"""Step 5 and the way out: the ledger's line is closed as completed, or as failed with its stage and error."""

from __future__ import annotations

import logging

from activities.attempt import superseded
from observability import log, metrics, observe_stage
from pipeline.clock import now
from pipeline.ports import Conflict, Store
from pipeline.records import Counts
from pipeline.steps import COMPLETE, FAIL, Completion, Failure, Result


async def complete(store: Store, completion: Completion) -> Result:
    """Called again after its effect it gives the same answer."""
    batch_id, instance_id = completion["batchId"], completion["instanceId"]
    counts = Counts(**completion["counts"])
    ids = {"batchId": batch_id, "instanceId": instance_id}
    with observe_stage(COMPLETE.stage, completion):
        try:
            await store.ledger.complete(batch_id, instance_id, counts, now())
        except Conflict as conflict:
            return superseded(completion, COMPLETE, conflict)
    metrics.batch_completed({"stored": counts.stored, "duplicate": counts.duplicates, "rejected": counts.rejected})
    log(logging.INFO, "batch completed", **ids, **completion["counts"])
    return {"current": True}


async def fail(store: Store, failure: Failure) -> Result:
    batch_id, instance_id = failure["batchId"], failure["instanceId"]
    stage, error = failure["stage"], failure["error"]
    try:
        await store.ledger.fail(batch_id, instance_id, stage, error, now())
    except Conflict as conflict:
        return superseded(failure, FAIL, conflict)
    metrics.batch_failed(stage)
    log(logging.ERROR, "batch failed", batchId=batch_id, instanceId=instance_id, stage=stage, error=error)
    return {"current": True}
