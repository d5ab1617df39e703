"""What a batch notes of its drones: where a condition begins or ends, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.alerts import noting
from pipeline.alerts.instances import MONITOR_ID
from storage.sqlite import SqliteStore
from telemetry.episodes import begun
from telemetry.merge import merge_messages
from tests.support.alerting import World

ILL = {"health": {"gyrometer": False}}


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    store = SqliteStore(tmp_path)
    await store.open()
    yield World(store, monkeypatch)
    await store.close()


async def noted(world: World) -> list[str]:
    """Drones, and forgets the notes."""
    notes = await world.store.alerts.notes(1000)
    await world.store.alerts.forget(notes)
    return [note.device_id for note in notes]


async def test_only_what_begins_or_ends_is_noted(world: World) -> None:
    await world.deliver(world.message("a", battery=0.9), world.message("b", battery=0.1), world.message("c"))
    assert await noted(world) == ["b"]
    await world.store.alerts.begin(await _episode(world, "b"))
    world.second = 5
    await world.deliver(world.message("a", battery=0.8), world.message("b", battery=0.1))
    assert await noted(world) == []
    await world.deliver(world.message("b", groundSpeed=3.0))  # says nothing of the battery
    assert await noted(world) == []
    await world.say("b", battery=0.5)
    assert await noted(world) == ["b"]


async def _episode(world: World, device: str) -> Any:
    return begun(device, "low_battery", world.now(), world.now(), 0.1, None)


async def test_the_note_has_all_that_the_batch_knows(world: World) -> None:
    await world.deliver(
        world.message("a", second=1, battery=0.1), world.message("a", second=2, health={"gyrometer": False})
    )
    [note] = await world.store.alerts.notes(10)
    assert (note.key, note.at) == ("batch-3~2~0", world.now())
    assert {name for layer in note.patch["layers"] for name in layer[5]} == {"battery", "gyrometer"}


async def test_parts_of_one_batch_replace_each_other_only_when_they_run_again(world: World) -> None:
    parts = [
        merge_messages([world.message("a", second=n, **fields)]) for n, fields in ((1, {"battery": 0.1}), (2, ILL))
    ]
    for states in (*parts, *parts):
        world.second += 3
        await world.noter.note(world.store, world.client, states.values(), "b", world.rules, world.alerts)
    assert [note.key for note in await world.store.alerts.notes(10)] == ["b~1~0", "b~2~0"]


async def test_the_same_is_not_noted_again_at_once(world: World) -> None:
    for second, expected in ((0, ["a"]), (1, []), (1.9, []), (2, ["a"])):
        world.second = second
        await world.say("a", battery=0.1)
        assert await noted(world) == expected, second


async def test_another_verdict_is_noted_at_once(world: World) -> None:
    await world.say("a", battery=0.1)
    await world.store.alerts.begin(await _episode(world, "a"))
    world.second = 1
    await world.say("a", battery=0.9)
    world.second = 1.5
    assert await noted(world) == ["a", "a"]


async def test_old_history_is_not_noted(world: World) -> None:
    await world.deliver(*(world.message(f"d{n}", second=-400, battery=0.1) for n in range(10)))
    world.second = 1
    notes = await world.store.alerts.notes(100)
    # That it is late is another matter.
    assert len(notes) == 10
    await noted(world)
    await world.deliver(*(world.message(f"d{n}", second=-300, battery=0.1) for n in range(10)))
    assert await noted(world) == []


async def test_a_batch_without_notes_reads_what_is_open_once_a_second_at_most(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    unsettled = world.store.alerts.unsettled

    async def counted() -> Any:
        nonlocal reads
        reads += 1
        return await unsettled()

    monkeypatch.setattr(world.store.alerts, "unsettled", counted)
    for tenth in range(30):
        world.second = tenth / 10
        await world.say("a", battery=0.9)
    assert reads == 3


async def test_a_monitor_that_cannot_be_woken_fails_no_batch(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.client.fails = 2
    await world.say("a", battery=0.1)
    assert await noted(world) == ["a"]
    assert "was not woken" in caplog.text
    assert MONITOR_ID not in world.client.statuses


async def test_one_noter_a_store(world: World) -> None:
    assert noting.noter_of(world.store) is noting.noter_of(world.store)
