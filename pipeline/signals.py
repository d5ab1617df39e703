"""Signals to the drones: the entity's name and operation, and how the states of many are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from pipeline.durable import DurableClient
from telemetry.model import DroneState

DRONE = "drone"
"""The entity's name; its key is the device id."""
MERGE = "merge"
"""Its one operation: takes a state of ``telemetry.merge`` and keeps what is newer."""

SIGNALS_AT_ONCE = 128
"""A batch of a busy fleet in one go: the local host takes what comes together in one message and one transaction. The
SDK itself has no more than 30 requests under way at any time."""


async def signal_all(client: DurableClient, states: Iterable[DroneState]) -> None:
    """Signal each state's drone, some at once. The first error is raised when what was under way has ended."""
    all_states = list(states)
    waiting, at_once = iter(all_states), min(len(all_states), SIGNALS_AT_ONCE)
    errors: list[Exception] = []
    await asyncio.gather(*(_signal_until_empty(client, waiting, errors) for _ in range(at_once)))
    if errors:
        raise errors[0]


async def _signal_until_empty(client: DurableClient, waiting: Iterator[DroneState], errors: list[Exception]) -> None:
    for state in waiting:
        if errors:
            return
        try:
            await client.signal(DRONE, state["id"], MERGE, state)
        except Exception as error:  # the client raises bare Exception for any answer but 202
            errors.append(error)
            return
