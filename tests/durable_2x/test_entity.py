"""The drone entity on 2.x: by the SDK's own ``execute_entity``, and by signals through its engine."""

from __future__ import annotations

import itertools
from typing import Any

import azure.durable_functions as df
import azure.durable_functions.testing as durable_testing
import pytest

from durable_sdk import entity_reader
from pipeline.signals import DRONE, MERGE, signal_all
from telemetry.merge import merge
from tests.support.host_2x import FUNCTIONS, Host
from tests.support.states import patch as state

ENTITY: Any = FUNCTIONS[DRONE].get_user_function().entity_function
PATCHES = [state(1, battery=0.9), state(2, heading=10.0), state(3, battery=0.4)]


def run(operation: str, patch: Any, stored: Any = None) -> Any:
    return durable_testing.execute_entity(
        ENTITY, operation, input=patch, state=stored, entity_name=DRONE, entity_key="drone-1"
    )


def merged() -> Any:
    result: Any = None
    for patch in PATCHES:
        result = merge(result, patch)
    return result


def test_any_order_and_repetition_gives_the_same_bytes() -> None:
    seen = set()
    for order in itertools.permutations([*PATCHES, PATCHES[0]]):
        stored = None
        for patch in order:
            outcome = run(MERGE, patch, stored)
            stored = outcome.get_state()
        assert outcome.get_result() is None
        assert outcome.actions == ()
        seen.add(outcome.serialized_state)
    assert len(seen) == 1
    assert stored == merged()


@pytest.mark.parametrize(
    ("operation", "patch"),
    [(MERGE, None), (MERGE, {"id": "drone-1"}), (MERGE, {**PATCHES[0], "id": "drone-2"}), ("reset", PATCHES[0])],
)
def test_what_cannot_be_merged_is_an_error(operation: str, patch: Any) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        run(operation, patch, PATCHES[0])


async def test_bad_signals_between_good_ones_change_nothing(host: Host) -> None:
    drone = df.EntityId(DRONE, "drone-1")
    await host.client.signal_entity(drone, MERGE, PATCHES[2])
    await host.client.signal_entity(drone, MERGE)
    await host.client.signal_entity(drone, "reset", PATCHES[0])
    await host.client.signal_entity(drone, MERGE, {**PATCHES[0], "id": "drone-2"})
    await host.client.signal_entity(df.EntityId(DRONE, "never"), "reset", PATCHES[0])
    for patch in PATCHES:
        await host.client.signal_entity(drone, MERGE, patch)
    async with host.running():
        await host.idle()
    reader = entity_reader(host.client, DRONE)
    assert await reader.state("drone-1") == merged()
    assert await reader.state("never") is None
    assert await reader.state("unknown") is None


async def test_a_fleet_is_signalled_listed_and_paged_through(host: Host) -> None:
    states: Any = [{**PATCHES[0], "id": f"drone-{number:03d}"} for number in range(75)]
    async with host.running():
        await signal_all(host.durable, states)
        await host.idle()
    reader = entity_reader(host.client, DRONE)
    found: list[tuple[str, Any]] = []
    token, pages = None, 0
    while pages == 0 or token is not None:
        page = await reader.page(20, token)
        found += page.items
        token, pages = page.token, pages + 1
    assert pages == 4
    assert dict(found) == {one["id"]: one for one in states}
    bare = await reader.page(1000, None, fetch_state=False)
    assert len(bare.items) == 75
    assert {one for _, one in bare.items} == {None}
    assert (await reader.page(10, None, operated_from="2026-01-01T00:00:00.000000Z")).items
    assert (await reader.page(10, None, operated_from="2999-01-01T00:00:00.000000Z")).items == []
    await reader.reachable()


async def test_an_engine_that_is_away_is_a_connection_error(host: Host) -> None:
    host.backend.stop()
    reader = entity_reader(host.client, DRONE)
    for call in (reader.state("drone-1"), reader.page(10, None), reader.reachable()):
        with pytest.raises(ConnectionError):
            await call
