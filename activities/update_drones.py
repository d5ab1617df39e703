"""Step 4: one merged signal for each drone of the batch, through the durable client.

Signals are sent at least once and not all at once; the merge in the entity absorbs that. All accepted messages are
merged, duplicates too: whoever stored them first may have failed before it came to its signals. The signals go out from
here and not from the orchestrator because its history would keep every one of them.
"""

from __future__ import annotations

from activities.attempt import run_step
from activities.staging import ENRICHED, page_names, take_staged
from pipeline.durable import DurableClient
from pipeline.ports import Store
from pipeline.records import Batch
from pipeline.signals import signal_all
from pipeline.steps import UPDATE_DRONES, Findings, Reference, Result
from telemetry.merge import merge, merge_messages
from telemetry.model import DroneState

MOST_WAITING = 20_000
"""States in memory at once; a batch of more drones than that tells some of them twice."""


async def update_drones(store: Store, client: DurableClient, reference: Reference) -> Result:
    """Answers the number of ``drones``."""

    async def work(batch: Batch) -> Findings:
        drones = 0
        waiting: dict[str, DroneState] = {}
        for name in await page_names(store, batch, ENRICHED):
            states = merge_messages(await take_staged(store, batch, name))
            for key, state in states.items() if waiting else ():
                waiting[key] = merge(waiting.get(key), state)
            waiting = waiting or states
            if len(waiting) >= MOST_WAITING:
                await signal_all(client, waiting.values())
                drones += len(waiting)
                waiting = {}
        await signal_all(client, waiting.values())
        return {"drones": drones + len(waiting)}

    return await run_step(store, reference, UPDATE_DRONES, work)
