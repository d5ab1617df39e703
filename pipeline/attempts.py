"""Attempts at a batch: their instance ids, how one is started, and how a person has a batch run again.

Every attempt is a durable instance of its own (``telemetry.identity.instance_id``), so that the Durable status API
tells the batch's story, and because an id that has ended would silently be replaced if it were started again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from observability import log
from pipeline.clock import now
from pipeline.durable import DurableClient
from pipeline.many import for_each, gather_pages
from pipeline.ports import BatchFilter, Conflict, Store
from pipeline.records import UNFINISHED, Batch
from telemetry.identity import instance_id

ORCHESTRATOR = "process_batch_v2"
OF_BATCHES = frozenset({ORCHESTRATOR, "process_batch"})
"""All whose instances are attempts at batches: also of the version before."""
REPLAYS_AT_ONCE = 8


def instance_prefix(hub: str) -> str:
    """What the ids of all instances of this hub's batches begin with; drones (``@drone@…``) never do."""
    return hub[:20]


@dataclass(frozen=True)
class Replays:
    """Batch ids: those that were started again, and those left alone because they run or changed meanwhile."""

    replayed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


async def start(client: DurableClient, batch: Batch) -> bool:
    """Start the instance of the batch's current attempt; False when that could not be done.

    A start that fails is no error of the caller's: the ledger has the batch as received, and the sweeper starts what
    has no instance. Raising instead would hold the whole partition (or tell a person that a replay failed that is going
    to run) although nothing can be lost.
    """
    try:
        await client.start(ORCHESTRATOR, batch.instance_id, {"batchId": batch.id})
    except Exception as error:
        log(
            logging.WARNING,
            "start failed; the sweeper will start the batch",
            batchId=batch.id,
            instanceId=batch.instance_id,
            error=str(error),
        )
        return False
    return True


async def replay_batch(store: Store, client: DurableClient, batch_id: str) -> Batch:
    """Open a new attempt at a completed or failed batch and start it; returns the ledger's record of that attempt.

    ``KeyError`` when the batch is unknown (or its bytes are gone), ``Conflict`` while it runs.
    """
    batch = await store.ledger.get(batch_id)
    if batch is None:
        raise KeyError(batch_id)
    if batch.status in UNFINISHED:
        raise Conflict(f"batch {batch_id} is {batch.status.value}; only an ended one can be replayed", batch)
    at = now()
    opened = await store.ledger.open_attempt(
        batch_id, batch, instance_id(batch_id, batch.attempts + 1), at, swept=False
    )
    if opened.updated_at != at:
        # The ledger takes the same attempt from two callers as one that repeats itself: the time tells them apart.
        raise Conflict(f"batch {batch_id} has just been replayed by somebody else", opened)
    log(logging.INFO, "batch replayed", batchId=batch_id, instanceId=opened.instance_id)
    await start(client, opened)
    return opened


async def replay_batches(store: Store, client: DurableClient, where: BatchFilter, limit: int) -> Replays:
    """Replay up to ``limit`` batches that match, newest first. Those that run are skipped."""
    result = Replays()

    async def one(batch: Batch) -> None:
        try:
            await replay_batch(store, client, batch.id)
        except (Conflict, KeyError):
            result.skipped.append(batch.id)
        else:
            result.replayed.append(batch.id)

    found = await gather_pages(lambda size, token: store.ledger.list(where, size, token), limit)
    await for_each(found, REPLAYS_AT_ONCE, one)
    return result
