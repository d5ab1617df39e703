"""Step 4: one merged signal for each drone of the batch, through the durable client.

Signals are sent at least once and not all at once; the merge in the entity absorbs that. All accepted messages are
merged, duplicates too: whoever stored them first may have failed before it came to its signals. The signals go out from
here and not from the orchestrator because its history would keep every one of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import azure.durable_functions as df

from activities.attempt import Reference, Result, run_step
from activities.staging import ENRICHED, take_staged
from entities.drone import MERGE, NAME
from starters.attempts import DurableClient
from storage.ports import Batch, Store
from telemetry.merge import merge_messages

SIGNALS_AT_ONCE = 32


async def update_drones(store: Store, client: DurableClient, reference: Reference) -> Result:
    """Answers the number of ``drones``."""

    async def work(batch: Batch) -> Result:
        states = merge_messages(await take_staged(store, batch, ENRICHED))
        await signal_all(client, states.values())
        return {"drones": len(states)}

    return await run_step(store, reference, "update_drones", work)


async def signal_all(client: DurableClient, states: Iterable[dict[str, Any]]) -> None:
    """Signal each state's drone, some at once. The first error is raised when what was under way has ended."""
    waiting = iter(states)
    errors: list[Exception] = []
    await asyncio.gather(*(_signal_until_empty(client, waiting, errors) for _ in range(SIGNALS_AT_ONCE)))
    if errors:
        raise errors[0]


async def _signal_until_empty(
    client: DurableClient, waiting: Iterator[dict[str, Any]], errors: list[Exception]
) -> None:
    for state in waiting:
        if errors:
            return
        try:
            await client.signal_entity(df.EntityId(NAME, state["id"]), MERGE, state)
        except Exception as error:  # the client raises bare Exception for any answer but 202
            errors.append(error)
            return
