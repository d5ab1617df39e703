"""Step 4: one merged signal for each drone of the batch, through the durable client.

Signals are sent at least once and not all at once; the merge in the entity absorbs that. All accepted messages are
merged, duplicates too: whoever stored them first may have failed before it came to its signals. The signals go out from
here and not from the orchestrator because its history would keep every one of them.
"""

from __future__ import annotations

from activities.attempt import run_step
from activities.staging import ENRICHED, take_staged
from pipeline.durable import DurableClient
from pipeline.ports import Store
from pipeline.records import Batch
from pipeline.signals import signal_all
from pipeline.steps import UPDATE_DRONES, Findings, Reference, Result
from telemetry.merge import merge_messages


async def update_drones(store: Store, client: DurableClient, reference: Reference) -> Result:
    """Answers the number of ``drones``."""

    async def work(batch: Batch) -> Findings:
        states = merge_messages(await take_staged(store, batch, ENRICHED))
        await signal_all(client, states.values())
        return {"drones": len(states)}

    return await run_step(store, reference, UPDATE_DRONES, work)
