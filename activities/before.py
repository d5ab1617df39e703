"""The steps of ``orchestrators.process_batch``, the version before, that are not today's; they go when it does.

Its instances prepare a batch in two steps, and tell its drones in another than the one that closes it.
"""

from __future__ import annotations

from activities import finish
from activities.attempt import run_step, superseded
from activities.staging import Prepare, is_prepared
from activities.store import pages_as_stored
from activities.update_drones import tell_drones
from observability import observe_stage
from pipeline.durable import DurableClient
from pipeline.ports import Conflict, Store
from pipeline.records import Batch
from pipeline.steps import COMPLETE, UPDATE_DRONES, Completion, Findings, Reference, Result, Step


async def prepared(store: Store, reference: Reference, step: Step, prepare: Prepare) -> Result:
    """``step`` is ``VALIDATE`` or ``ENRICH``: what the first has done, the second finds done."""

    async def work(batch: Batch) -> Findings:
        if not await is_prepared(store, batch):
            await prepare(batch)
        return {}

    return await run_step(store, reference, step, work)


async def update_drones(store: Store, client: DurableClient, reference: Reference, prepare: Prepare) -> Result:
    """Answers the number of ``drones``."""

    async def work(batch: Batch) -> Findings:
        return {"drones": await tell_drones(store, client, batch, await pages_as_stored(store, batch, prepare))}

    return await run_step(store, reference, UPDATE_DRONES, work)


async def complete(store: Store, completion: Completion) -> Result:
    """Called again after its effect it gives the same answer."""
    with observe_stage(COMPLETE.stage, completion):
        try:
            await finish.close(store, completion)
        except Conflict as conflict:
            return superseded(completion, COMPLETE, conflict)
    return {"current": True}
