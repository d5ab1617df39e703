"""What every step has in common: it runs only for the batch's current attempt."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from observability import log, observe_stage
from pipeline.ports import Conflict, Store
from pipeline.records import Batch, BatchStatus
from pipeline.samples import SAMPLES, sample_seconds
from pipeline.steps import Findings, Reference, Result, Step

WORKER = uuid.uuid4().hex
"""This process."""
MOST_DEATHS = 3


class KilledTooOften(Exception):
    """The process died each time that it ran this step of the batch: it is not tried again by itself."""


async def run_step(
    store: Store,
    reference: Reference,
    step: Step,
    work: Callable[[Batch], Awaitable[Findings]],
    *,
    completes: bool = False,
) -> Result:
    """Note the stage in the ledger and do the work. ``StoreUnavailable`` and the like are the caller's to retry.
    ``completes``: the work completes the batch, so an attempt that has completed it has been here before.

    A batch that was under way when a process died may have been the reason. Such batches run one at a time, so that
    one which kills the process is not taken for the others that ran beside it; at the third death it is given up.
    """
    batch_id, instance_id = reference["batchId"], reference["instanceId"]
    SAMPLES.touch(store, sample_seconds())
    with observe_stage(step.stage, reference):
        try:
            batch = await store.ledger.begin(batch_id, instance_id, step.stage, WORKER)
            if batch.deaths >= MOST_DEATHS:
                raise KilledTooOften(f"the process died {batch.deaths} times while it ran this step of the batch")
            if batch.deaths == 0:
                return {"current": True, **await _tried(store, batch, work)}
            await store.ledger.leave(batch_id, instance_id)  # while it waits it is nobody's death
            async with _one_at_a_time():
                batch = await store.ledger.begin(batch_id, instance_id, step.stage, WORKER)
                return {"current": True, **await _tried(store, batch, work)}
        except Conflict as conflict:
            if completes and _has_completed(conflict.record, instance_id):
                return {"current": True}
            return superseded(reference, step, conflict)


def _has_completed(record: Batch | None, instance_id: str) -> bool:
    return record is not None and (record.status, record.instance_id) == (BatchStatus.COMPLETED, instance_id)


async def _tried(store: Store, batch: Batch, work: Callable[[Batch], Awaitable[Findings]]) -> Findings:
    try:
        return await work(batch)
    except Conflict:
        raise
    except Exception:
        with contextlib.suppress(Exception):  # that it is not noted costs at most a death that was none
            await store.ledger.leave(batch.id, batch.instance_id)
        raise


_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


def _one_at_a_time() -> asyncio.Lock:
    return _locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())


def superseded(reference: Reference, step: Step, conflict: Conflict) -> Result:
    ids = {"batchId": reference["batchId"], "instanceId": reference["instanceId"]}
    log(logging.WARNING, "attempt superseded", stage=step.stage, reason=str(conflict), **ids)
    return {"current": False}
