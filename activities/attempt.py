"""What every step has in common: it runs only for the batch's current attempt."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from observability import log, observe_stage
from pipeline.ports import Conflict, Store
from pipeline.records import Batch
from pipeline.steps import Findings, Reference, Result, Step


async def run_step(
    store: Store, reference: Reference, step: Step, work: Callable[[Batch], Awaitable[Findings]]
) -> Result:
    """Note the stage in the ledger and do the work. ``StoreUnavailable`` and the like are the caller's to retry."""
    with observe_stage(step.stage, reference):
        try:
            batch = await store.ledger.begin(reference["batchId"], reference["instanceId"], step.stage)
            return {"current": True, **await work(batch)}
        except Conflict as conflict:
            return superseded(reference, step, conflict)


def superseded(reference: Reference, step: Step, conflict: Conflict) -> Result:
    ids = {"batchId": reference["batchId"], "instanceId": reference["instanceId"]}
    log(logging.WARNING, "attempt superseded", stage=step.stage, reason=str(conflict), **ids)
    return {"current": False}
