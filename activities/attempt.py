"""What every step has in common: it runs only for the batch's current attempt."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from observability import log, observe_stage
from pipeline.ports import Conflict, Store
from pipeline.records import Batch

Reference = dict[str, Any]
"""``{"batchId", "instanceId"}``: all that an orchestration hands to a step (the last ones get a little more)."""

Result = dict[str, Any]
"""``{"current": bool, …}``: references and counts, never telemetry. Not current: another attempt has taken over."""


async def run_step(
    store: Store, reference: Reference, stage: str, work: Callable[[Batch], Awaitable[Result]]
) -> Result:
    """Note the stage in the ledger and do the work. ``StoreUnavailable`` and the like are the caller's to retry."""
    with observe_stage(stage, reference):
        try:
            batch = await store.ledger.begin(reference["batchId"], reference["instanceId"], stage)
            return {"current": True, **await work(batch)}
        except Conflict as conflict:
            return superseded(reference, stage, conflict)


def superseded(reference: Reference, stage: str, conflict: Conflict) -> Result:
    log(logging.WARNING, "attempt superseded", stage=stage, reason=str(conflict), **reference)
    return {"current": False}
