"""What every step has in common: it runs only for the batch's current attempt."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from observability import log, observe_stage
from pipeline.ports import Conflict, Store
from pipeline.records import Batch
from pipeline.steps import Step

Reference = dict[str, Any]
"""``{"batchId", "instanceId"}``: all that an orchestration hands to a step (the last ones get a little more)."""

Result = dict[str, Any]
"""``{"current": bool, …}``: references and counts, never telemetry. Not current: another attempt has taken over."""


async def run_step(
    store: Store, reference: Reference, step: Step, work: Callable[[Batch], Awaitable[Result]]
) -> Result:
    """Note the stage in the ledger and do the work. ``StoreUnavailable`` and the like are the caller's to retry."""
    with observe_stage(step.stage, reference):
        try:
            batch = await store.ledger.begin(reference["batchId"], reference["instanceId"], step.stage)
            return {"current": True, **await work(batch)}
        except Conflict as conflict:
            return superseded(reference, step, conflict)


def superseded(reference: Reference, step: Step, conflict: Conflict) -> Result:
    log(logging.WARNING, "attempt superseded", stage=step.stage, reason=str(conflict), **reference)
    return {"current": False}
