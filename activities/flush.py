"""The end of a window: each drone of the partition's held batches hears once of what they all say.

A crash anywhere in between leaves the batches held, and the next run tells their drones again.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

from activities.staging import StagedDocumentMissing, find_pages, forget, read_page
from activities.update_drones import tell_merged
from observability import log
from pipeline.attempts import replay_batch
from pipeline.durable import DurableClient
from pipeline.ports import Conflict, Held, Store
from pipeline.signals import signal_all
from pipeline.windows import Flushed, Window
from telemetry.merge import merge_messages
from telemetry.model import DroneState

BATCHES_AT_ONCE = 100


async def flush(store: Store, client: DurableClient, window: Window, *, most_batches: int = BATCHES_AT_ONCE) -> Flushed:
    """What is held of the window's partition, up to ``most_batches``."""
    held = await store.held.list(window["hub"], window["partition"], most_batches)

    async def said() -> AsyncIterator[dict[str, DroneState]]:
        for one in held:
            async for states in _said_by(store, client, one):
                yield states

    drones = await tell_merged(said(), lambda states: signal_all(client, states))
    await store.held.release(held)
    for one in held:
        forget(store, one.id, one.instance_id)
    return {"batches": len(held), "drones": drones, "more": len(held) == most_batches}


async def _said_by(store: Store, client: DurableClient, held: Held) -> AsyncIterator[dict[str, DroneState]]:
    """What the batch knows of its drones, page by page."""
    try:
        for page in await find_pages(store, held):
            yield merge_messages((await read_page(store, held, page)).told)
    except StagedDocumentMissing as missing:
        # Somebody has deleted it. Another attempt finds everything stored and tells all drones.
        log(logging.ERROR, "held batch runs again", batchId=held.id, reason=str(missing))
        try:
            await replay_batch(store, client, held.id)
        except (Conflict, KeyError) as error:  # it runs already, or has been purged
            log(logging.WARNING, "held batch not run again", batchId=held.id, reason=str(error))
