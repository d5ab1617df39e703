"""One merged signal for each drone of a batch, through the durable client.

Signals are sent at least once and not all at once; the merge in the entity absorbs that. All accepted messages are
merged, duplicates too: whoever stored them first may have failed before it came to its signals. The signals go out from
here and not from the orchestrator because its history would keep every one of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from activities.staging import Page, read_page
from pipeline.alerts.noting import note_changes
from pipeline.durable import DurableClient
from pipeline.ports import Store
from pipeline.records import Batch
from pipeline.signals import signal_all
from pipeline.told import Read, told_of
from telemetry.merge import merge, merge_messages
from telemetry.model import DroneState
from telemetry.rules import Rules

MOST_WAITING = 20_000
"""States in memory at once; what is of more drones than that tells some of them twice."""


@dataclass(frozen=True)
class Windowed:
    """Signals wait for up to so many ``seconds``, but for news. ``read`` gives the stored state of a drone."""

    seconds: float
    rules: Rules
    read: Read


async def tell_news(
    store: Store, client: DurableClient, batch: Batch, pages: Sequence[Page], windowed: Windowed
) -> str | None:
    """Tell the drones of which there is news that cannot wait. The earliest enqueued time of the messages of which
    others are still to be told, None when there are no others."""
    told = told_of(store)
    held_from: list[str] = []
    for page in pages:
        messages = (await read_page(store, batch, page)).told
        states = merge_messages(messages)
        urgent, learned = await told.urgent(states, windowed.read, windowed.rules)
        await note_changes(store, client, states.values(), batch.id)
        await signal_all(client, urgent)
        told.remember(learned)
        if len(urgent) < len(states):
            held_from.append(min(message["enqueuedAt"] for message in messages))
    return min(held_from, default=None)


async def tell_drones(store: Store, client: DurableClient, batch: Batch, pages: Sequence[Page]) -> int:
    """How many were told."""

    async def said() -> AsyncIterator[dict[str, DroneState]]:
        for page in pages:
            yield merge_messages((await read_page(store, batch, page)).told)

    async def tell(states: Collection[DroneState]) -> None:
        await note_changes(store, client, states, batch.id)
        await signal_all(client, states)

    return await tell_merged(said(), tell)


async def tell_merged(
    said: AsyncIterator[dict[str, DroneState]], tell: Callable[[Collection[DroneState]], Awaitable[None]]
) -> int:
    """Tell of each drone once what all that is ``said`` comes to. How many were told."""
    drones = 0
    waiting: dict[str, DroneState] = {}
    async for states in said:
        for key, state in states.items() if waiting else ():
            waiting[key] = merge(waiting.get(key), state)
        waiting = waiting or states
        if len(waiting) >= MOST_WAITING:
            await tell(waiting.values())
            drones += len(waiting)
            waiting = {}
    await tell(waiting.values())
    return drones + len(waiting)
