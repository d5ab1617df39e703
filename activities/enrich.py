"""A step of ``orchestrators.process_batch``, the version before; it goes when that does.

Its instances have this step between ``validate`` and ``store``. Where today's ``validate`` ran before it, nothing is
left to do; where that of the version before did, the batch is prepared from its bytes: nothing of it is stored yet.
"""

from __future__ import annotations

from activities.attempt import run_step
from activities.staging import is_prepared
from activities.validate import prepare
from pipeline.ports import Store
from pipeline.records import Batch
from pipeline.steps import ENRICH, Findings, Reference, Result
from reference_data import ReferenceData
from telemetry.rules import Rules


async def enrich(store: Store, reference: Reference, rules: Rules, known: ReferenceData) -> Result:
    async def work(batch: Batch) -> Findings:
        if not await is_prepared(store, batch):
            await prepare(store, batch, rules, known)
        return {}

    return await run_step(store, reference, ENRICH, work)
