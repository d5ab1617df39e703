"""The sweeper: finds stalled batches, asks the durable engine why, and starts again what nobody works on.

Stalled is a received or running batch whose record has not changed for a while. What to do follows from its
instance: none (the start was lost) → it is started now; one that has ended without the batch (the process died in
between) → a new attempt; one that has not moved for a long time (the engine lost it) → ended, then a new attempt; one
that moves, or that a person has suspended → left alone. After three attempts of the sweeper's in a row the batch is
failed and waits for a person. A start that was lost is none of them: an engine that takes no starts for an hour must
not turn every batch of that hour into a failed one.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone

from observability import log
from pipeline.attempts import start
from pipeline.clock import ago, now
from pipeline.dead_letters import finish_claims
from pipeline.durable import ENDED, DurableClient, Instance, InstanceStatus
from pipeline.many import for_each
from pipeline.orphans import end_instance
from pipeline.ports import Conflict, Store
from pipeline.records import Batch
from pipeline.steps import START
from settings import Sweeping
from telemetry.identity import instance_id

AT_ONCE = 8
# A pending instance waits for its turn, which takes its time under a backlog; only a very long wait means it is lost.
_PENDING_FACTOR = 6


class Sweeper:
    """Goes round the stalled batches, ``limit`` of them in one run. The next run goes on behind the last one it looked
    at, so that those which it leaves alone, however many, keep nobody from being looked at."""

    def __init__(self) -> None:
        self._last: Batch | None = None

    async def sweep(self, store: Store, client: DurableClient, sweeping: Sweeping) -> None:
        """One run. A batch that cannot be dealt with now is logged, left as it is, and holds no other."""

        async def one(batch: Batch) -> None:
            try:
                await recover(store, client, sweeping, batch)
            except Conflict:
                return  # it moved while we looked
            except Exception as error:
                log(logging.WARNING, "not swept", batchId=batch.id, instanceId=batch.instance_id, error=str(error))

        await for_each(await self._next(store, sweeping), AT_ONCE, one)
        await finish_claims(store, client, ago(sweeping.stalled_seconds), sweeping.limit)

    async def _next(self, store: Store, sweeping: Sweeping) -> list[Batch]:
        before = ago(sweeping.stalled_seconds)
        found = await store.ledger.stalled(before, sweeping.limit, after=self._last)
        if self._last is not None and len(found) < sweeping.limit:  # once round: on from the oldest
            seen = {batch.id for batch in found}
            oldest = await store.ledger.stalled(before, sweeping.limit - len(found))
            found += [batch for batch in oldest if batch.id not in seen]
            self._last = None if len(oldest) < sweeping.limit - len(seen) else oldest[-1]
        else:
            self._last = found[-1] if len(found) == sweeping.limit else None
        return found


async def recover(store: Store, client: DurableClient, sweeping: Sweeping, batch: Batch) -> None:
    instance = await client.instance(batch.instance_id)
    if instance is None:
        if await start(client, batch):
            log(logging.WARNING, "lost start made up for", batchId=batch.id, instanceId=batch.instance_id)
        return
    reason = why_restart(instance, sweeping)
    if reason is None:
        return
    if batch.sweeps >= sweeping.max_sweeps:
        error = f"started again {batch.sweeps} times without coming to an end; the last instance {reason}"
        await store.ledger.fail(batch.id, batch.instance_id, batch.stage or START, error, now())
        log(logging.ERROR, "batch given up", batchId=batch.id, instanceId=batch.instance_id, error=error)
        if instance.status not in ENDED:
            await end_instance(client, batch.instance_id, "its batch was given up")
        return
    following = instance_id(batch.id, batch.attempts + 1)
    opened = await store.ledger.open_attempt(batch.id, batch, following, now(), swept=True)
    log(logging.WARNING, "batch swept", batchId=batch.id, instanceId=following, swept=batch.instance_id, reason=reason)
    if instance.status not in ENDED:
        await end_instance(client, batch.instance_id, f"superseded by {following}")
    await start(client, opened)


def why_restart(instance: Instance, sweeping: Sweeping) -> str | None:
    """What is wrong with the instance of a stalled batch; None when it is to be left alone."""
    status = instance.status
    if status in ENDED:
        return f"is {status.value}"
    if status is InstanceStatus.SUSPENDED:
        return None
    allowed = sweeping.stuck_seconds * (_PENDING_FACTOR if status is InstanceStatus.PENDING else 1)
    idle = datetime.now(timezone.utc) - instance.moved
    if idle > timedelta(seconds=allowed):
        return f"is {status.value} and has not moved for {idle.total_seconds():.0f} s"
    return None
