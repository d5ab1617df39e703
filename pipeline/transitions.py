"""The life of a batch as pure functions of its record: what each step makes of it, or why it may not.

Both adapters call these, so that a batch lives by the same rules wherever it is kept. Each returns the new record, or
the very object it was given where nothing changes (a call that is being repeated).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipeline.ports import Conflict
from pipeline.records import UNFINISHED, Batch, BatchStatus, Counts, Move

MAX_ERROR_CHARACTERS = 4000


def current(batch: Batch | None, batch_id: str, instance_id: str) -> Batch:
    """The batch, if ``instance_id`` is its current attempt; ``Conflict`` otherwise."""
    if batch is None:
        raise Conflict(f"batch {batch_id} is not in the ledger")
    if batch.instance_id != instance_id:
        raise Conflict(f"batch {batch_id} is run by {batch.instance_id}, no longer by {instance_id}", batch)
    return batch


def unfinished(batch: Batch | None, batch_id: str, instance_id: str) -> Batch:
    found = current(batch, batch_id, instance_id)
    if found.status not in UNFINISHED:
        raise Conflict(f"batch {batch_id} is {found.status.value} already", found)
    return found


def begin(
    batch: Batch | None, batch_id: str, instance_id: str, stage: str, now: str, worker: str | None = None
) -> Batch:
    """The same step begun by another ``worker``, though the first has not told of an end: that process has died."""
    found = unfinished(batch, batch_id, instance_id)
    if (found.status, found.stage, found.updated_at, found.worker) == (BatchStatus.RUNNING, stage, now, worker):
        return found
    died = found.stage == stage and found.worker is not None and found.worker != worker
    return replace(
        found,
        status=BatchStatus.RUNNING,
        stage=stage,
        updated_at=now,
        worker=worker,
        deaths=found.deaths + died,
        stage_before=found.stage,
    )


def leave(batch: Batch | None, batch_id: str, instance_id: str) -> Batch:
    """The step under way has come to an end, if only to an error."""
    found = unfinished(batch, batch_id, instance_id)
    return found if found.worker is None else replace(found, worker=None)


def complete(
    batch: Batch | None, batch_id: str, instance_id: str, counts: Counts, at: str, moves: Iterable[Move]
) -> Batch:
    """``moves``: of dead letters that this attempt counted as rejected and that were replayed since (``recount``)."""
    found = current(batch, batch_id, instance_id)
    if found.status is BatchStatus.COMPLETED:
        return found
    if found.status is not BatchStatus.RUNNING:
        raise Conflict(f"batch {batch_id} is {found.status.value}, not running", found)
    for one in moves:
        counts = move(counts, one)
    return replace(
        found,
        status=BatchStatus.COMPLETED,
        stage=None,
        error=None,
        counts=counts,
        updated_at=at,
        completed_at=at,
        worker=None,
        deaths=0,
    )


def fail(batch: Batch | None, batch_id: str, instance_id: str, stage: str, error: str, at: str) -> Batch:
    found = current(batch, batch_id, instance_id)
    if found.status is BatchStatus.FAILED:
        return found
    found = unfinished(found, batch_id, instance_id)
    cut = error[:MAX_ERROR_CHARACTERS]
    return replace(found, status=BatchStatus.FAILED, stage=stage, error=cut, updated_at=at, worker=None)


def open_attempt(batch: Batch | None, batch_id: str, expect: Batch, instance_id: str, at: str, swept: bool) -> Batch:
    if batch is None:
        raise Conflict(f"batch {batch_id} is not in the ledger")
    if batch.instance_id == instance_id and batch.attempts == expect.attempts + 1:
        return batch  # this very call has been here before
    if (batch.status, batch.attempts, batch.instance_id) != (expect.status, expect.attempts, expect.instance_id):
        raise Conflict(f"batch {batch_id} is {batch.status.value} in attempt {batch.attempts} by now", batch)
    return replace(
        batch,
        status=BatchStatus.RECEIVED,
        stage=None,
        attempts=batch.attempts + 1,
        sweeps=batch.sweeps + 1 if swept else 0,
        instance_id=instance_id,
        error=None,
        updated_at=at,
        completed_at=None,
        worker=None,
        deaths=batch.deaths if swept else 0,
    )


def move(counts: Counts, by: Move) -> Counts:
    """The counts without the rejected ones that a dead letter stood for, and with what became of them."""
    if counts.rejected < by.messages:
        return counts  # of an earlier version, which did not count this letter
    return Counts(
        messages=counts.messages - by.messages + by.stored + by.duplicates,
        stored=counts.stored + by.stored,
        duplicates=counts.duplicates + by.duplicates,
        rejected=counts.rejected - by.messages,
    )
