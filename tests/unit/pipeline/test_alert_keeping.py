"""What ended before its time is started again, and what lives is left alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipeline.alerts.instances import (
    DELIVERY,
    DELIVERY_PREFIX,
    EPISODE,
    EPISODE_PREFIX,
    MONITOR,
    MONITOR_ID,
    delivery_instance,
    episode_instance,
)
from pipeline.alerts.keeping import LOOKS, Reviver, keep_monitor, tell_episode
from pipeline.attempts import instance_prefix
from pipeline.durable import InstanceStatus
from pipeline.orphans import end_orphans
from pipeline.purge import purge
from settings import read_settings
from storage.sqlite import SqliteStore
from telemetry.episodes import episode_id
from tests.support.alerting import World

ENDED = [InstanceStatus.COMPLETED, InstanceStatus.FAILED, InstanceStatus.TERMINATED]


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    store = SqliteStore(tmp_path)
    await store.open()
    yield World(store, monkeypatch)
    await store.close()


async def raised(world: World, device: str = "d") -> str:
    await world.say(device, battery=0.1)
    await world.pass_time(3)
    [alert] = await world.alerts_of(device)
    return alert["id"]


@pytest.mark.parametrize("status", [None, *ENDED])
async def test_a_monitor_that_is_not_there_is_started(world: World, status: InstanceStatus | None) -> None:
    if status is not None:
        world.client.statuses[MONITOR_ID] = status
    await keep_monitor(world.client)
    assert world.client.started == [(MONITOR, MONITOR_ID, {})]


@pytest.mark.parametrize("status", [InstanceStatus.RUNNING, InstanceStatus.PENDING, InstanceStatus.SUSPENDED])
async def test_one_that_lives_is_left_alone(world: World, status: InstanceStatus) -> None:
    world.client.statuses[MONITOR_ID] = status
    world.client.moved = datetime.now(timezone.utc) - timedelta(minutes=5)
    await keep_monitor(world.client)
    assert (world.client.started, world.client.terminated) == ([], [])


async def test_one_that_does_not_move_is_ended_and_started(world: World) -> None:
    world.client.statuses[MONITOR_ID] = InstanceStatus.RUNNING
    world.client.moved = datetime.now(timezone.utc) - timedelta(hours=1)
    await keep_monitor(world.client)
    assert world.client.terminated == [MONITOR_ID]
    await keep_monitor(world.client)
    assert world.client.started == [(MONITOR, MONITOR_ID, {})]
    world.client.statuses[MONITOR_ID] = InstanceStatus.SUSPENDED  # by a person
    await keep_monitor(world.client)
    assert world.client.terminated == [MONITOR_ID]


@pytest.mark.parametrize("status", ENDED)
async def test_an_episode_that_ended_too_early_is_started_again_and_tells_nothing_twice(
    world: World, status: InstanceStatus
) -> None:
    alert = await raised(world)
    other = await raised(world, "e")
    world.client.statuses[episode_instance(alert)] = status
    world.client.started.clear()
    await Reviver().run(world.store, world.client)
    assert world.client.started == []  # it may just be on its way
    world.second += 31
    await Reviver().run(world.store, world.client)
    assert world.client.started == [(EPISODE, episode_instance(alert), {"alertId": alert})]
    await world.drain()
    assert world.types() == ["raised", "raised"]
    assert other != alert


async def test_a_delivery_that_ended_too_early_is_started_again(world: World) -> None:
    world.answers = [500]
    alert = await raised(world)
    instance = delivery_instance(alert, "raised", "one", 1)
    world.client.statuses[instance] = InstanceStatus.TERMINATED
    world.second += 31
    world.client.started.clear()
    await Reviver().run(world.store, world.client)
    [(orchestrator, started, argument)] = world.client.started
    assert (orchestrator, started, argument["alertId"]) == (DELIVERY, instance, alert)
    await world.drain()
    assert [i for i, _ in world.got] == [world.got[0][0]] * 2


async def test_many_are_gone_through_run_by_run(world: World) -> None:
    drones = [f"d{n:03d}" for n in range(LOOKS + 20)]
    await world.deliver(*(world.message(drone, battery=0.1) for drone in drones))
    await world.pass_time(40)
    for instance in world.client.statuses:
        world.client.statuses[instance] = InstanceStatus.TERMINATED
    world.client.started.clear()
    reviver = Reviver()
    for expected in (LOOKS, LOOKS + 20, LOOKS + 20):
        await reviver.run(world.store, world.client)
        assert len({instance for name, instance, _ in world.client.started if name == EPISODE}) == expected
    assert len(world.client.started) == LOOKS + 20


async def test_what_has_ended_takes_no_event_and_is_started(world: World) -> None:
    alert = await raised(world)
    world.client.statuses[episode_instance(alert)] = InstanceStatus.FAILED
    world.client.started.clear()
    await tell_episode(world.client, alert, "cleared")
    assert [name for name, _, _ in world.client.started] == [EPISODE]


def test_ids_fit_and_are_no_batchs() -> None:
    longest = episode_id("d" * 64, "telemetry_delayed", "2084-01-01T00:00:00.000000Z")
    assert len(episode_instance(longest)) <= 100
    assert len(delivery_instance(longest, "acknowledged", "0123456789", 99)) <= 100
    for hub in ("telemetry", "alert", "_", "~alert"):
        for one in (MONITOR_ID, EPISODE_PREFIX, DELIVERY_PREFIX):
            # A hub's name begins with a letter or a digit.
            assert not one.startswith(instance_prefix(hub)) or not hub[0].isalnum()
    assert not MONITOR_ID.startswith((EPISODE_PREFIX, DELIVERY_PREFIX))


async def test_purged_when_they_have_ended_and_never_swept(world: World) -> None:
    alert = await raised(world)
    world.answers = [500]
    done = await raised(world, "telemetry")
    world.second += 5
    await world.resend()
    await world.say("telemetry", battery=0.9)
    await world.pass_time(20)
    assert world.client.statuses[episode_instance(done)] is InstanceStatus.COMPLETED
    world.client.statuses[MONITOR_ID] = InstanceStatus.RUNNING
    settings = read_settings({})
    await end_orphans(world.store, world.client, settings.sweeping, "telemetry")
    assert world.client.terminated == []
    everything = replace(settings.retention, durable_hours=-1, alerts_hours=-1e4)
    deleted = await purge(world.store, world.client, everything, "telemetry")
    assert deleted["histories"] == 2  # of one episode, and of the notice that did not arrive at once
    assert set(world.client.statuses) == {MONITOR_ID, episode_instance(alert)}
    assert deleted["alerts"] == 1
    assert await world.alerts_of("telemetry") == []
    assert [one["id"] for one in await world.alerts_of()] == [alert]
