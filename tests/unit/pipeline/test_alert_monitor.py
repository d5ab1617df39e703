"""Alerts on a clock of their own: raised and cleared once, after their dwell, whatever is repeated, late or killed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.alerts import monitor as module
from pipeline.alerts.instances import MONITOR
from pipeline.ports import StoreUnavailable
from storage.sqlite import SqliteStore
from telemetry import times
from tests.support.alerting import ALERTS, START, World
from tests.support.faults.proxies import PlannedStore

LOW: dict[str, Any] = {"battery": 0.1}
FULL: dict[str, Any] = {"battery": 0.9}


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    store = SqliteStore(tmp_path)
    await store.open()
    yield World(store, monkeypatch)
    await store.close()


def at(second: float) -> str:
    return times.add_seconds(START, second)


async def test_raised_after_its_dwell_and_cleared_after_the_other(world: World) -> None:
    await world.say(**FULL)
    world.second = 5
    await world.say(**LOW)
    await world.pass_time(1.9)
    assert await world.alerts_of() == []
    await world.pass_time(0.2)
    [alert] = await world.alerts_of()
    assert (alert["status"], alert["raisedAt"], alert["activeAt"]) == ("active", at(5), at(7))
    assert (alert["value"], world.types()) == (0.1, ["raised"])
    world.second = 60
    await world.say(**FULL)
    await world.pass_time(9.9)
    assert (await world.alerts_of())[0]["status"] == "active"
    await world.pass_time(0.2)
    [alert] = await world.alerts_of()
    assert (alert["status"], alert["raisedAt"], alert["clearedAt"]) == ("cleared", at(5), at(70))
    assert world.types() == ["raised", "cleared"]
    await world.pass_time(600)
    assert world.types() == ["raised", "cleared"]


async def test_a_pause_of_less_than_a_second_is_waited_out(world: World) -> None:
    """The engine's timers may fire a second early."""
    world.monitor.wait = 1.0
    await world.say(**LOW)
    await world.look()
    assert world.second == 0
    world.second = 1.2
    await world.look()
    assert world.second == 2
    assert [alert["activeAt"] for alert in await world.alerts_of()] == [at(2)]


async def test_no_further_message_is_needed(world: World) -> None:
    await world.say(**LOW)
    await world.pass_time(3)
    await world.say(**FULL)
    await world.pass_time(11)
    assert world.types() == ["raised", "cleared"]


async def test_what_does_not_last_is_none(world: World) -> None:
    await world.say(**LOW)
    await world.pass_time(1)
    await world.say(**FULL)
    await world.pass_time(60)
    assert await world.alerts_of() == []
    assert await world.store.alerts.unsettled() == []
    assert world.got == []


async def test_an_interruption_while_it_is_pending_begins_it_anew(world: World) -> None:
    await world.say(**LOW)
    await world.pass_time(0.5)
    world.second = 1
    # Both between two looks: the state has what came last.
    await world.deliver(world.message(second=0.8, **FULL), world.message(second=1, **LOW))
    await world.pass_time(1.5)
    assert await world.alerts_of() == []
    await world.pass_time(1)
    [alert] = await world.alerts_of()
    assert alert["raisedAt"] == at(1)


async def test_an_interruption_while_it_is_active_does_not_end_it(world: World) -> None:
    await world.say(**LOW)
    await world.pass_time(3)
    for second in (10, 20, 30):
        world.second = second
        await world.say(**FULL)
        await world.pass_time(5)
        await world.say(**LOW)
        await world.pass_time(4)
    assert world.types() == ["raised"]
    [alert] = await world.alerts_of()
    assert (alert["status"], alert["absentSince"]) == ("active", None)


async def test_it_begins_with_the_first_message_that_says_so(world: World) -> None:
    await world.say(**FULL)
    world.second = 30
    await world.deliver(*(world.message(second=second, battery=0.3 - second / 100) for second in (5, 9, 12, 20)))
    await world.pass_time(3)
    [alert] = await world.alerts_of()
    assert alert["raisedAt"] == at(12)


@pytest.mark.parametrize(
    ("fields", "code", "value"),
    [
        ({"battery": 0.05}, "low_battery", 0.05),
        ({"health": {"gyrometer": True, "magnetometer": False, "accelerometer": False}}, "sensor_unhealthy",
         ["accelerometer", "magnetometer"]),
        ({"position": {"latitude": 47.0, "longitude": 8.0, "height": 500.0}}, "altitude_limit", 500.0),
    ],
)  # fmt: skip
async def test_what_raised_it_and_where(world: World, fields: dict[str, Any], code: str, value: Any) -> None:
    await world.say(**fields)
    await world.pass_time(3)
    [alert] = await world.alerts_of()
    assert (alert["code"], alert["value"]) == (code, value)
    assert alert["position"] == fields.get("position")


async def test_old_telemetry_raises_nothing(world: World) -> None:
    old = [world.message(second=second, **LOW) for second in (-3600, -600, -121)]
    await world.deliver(*old)
    await world.pass_time(60)
    # But that it is a backlog.
    assert [alert["code"] for alert in await world.alerts_of()] == ["telemetry_delayed"]


async def test_telemetry_that_is_young_enough_raises(world: World) -> None:
    await world.deliver(world.message(second=-25, **LOW))
    await world.pass_time(3)
    assert [(alert["code"], alert["raisedAt"]) for alert in await world.alerts_of()] == [("low_battery", at(-25))]


async def test_a_delay_ends_when_the_drone_is_silent(world: World) -> None:
    await world.deliver(world.message(second=-600, **FULL))
    await world.pass_time(3)
    assert world.types() == ["raised"]
    await world.pass_time(30)  # not online any more
    assert world.types() == ["raised"]
    await world.pass_time(20)
    assert world.types() == ["raised", "cleared"]


async def test_a_delay_that_comes_back_after_a_silence_is_another_alert(world: World) -> None:
    """The drone's clock is behind for good: nothing it says is newer than what it said before the first one."""
    await world.deliver(world.message(second=-600, **FULL))
    for _ in range(5):
        await world.pass_time(60)
        await world.deliver(world.message(second=world.second / 1000 - 700, **FULL))
    await world.pass_time(60)
    assert world.types() == ["raised", "cleared"] * 6
    alerts = await world.alerts_of()
    assert len({alert["id"] for alert in alerts}) == 6
    assert {alert["raisedAt"] for alert in alerts} == {at(-600)}


async def test_a_note_of_long_ago_shortens_no_dwell(world: World) -> None:
    await world.deliver(world.message(**FULL), world.message("d", **LOW))
    await world.pass_time(3)
    assert world.types() == ["raised"]
    world.second = 4
    await world.deliver(world.message(**FULL), signalled=False)  # stays a note
    world.second = 5
    await world.deliver(world.message(**LOW), signalled=False)
    await world.pass_time(25)
    assert world.types() == ["raised"]
    await world.deliver(world.message(**FULL), signalled=False)
    await world.pass_time(9)
    assert world.types() == ["raised"]
    await world.pass_time(2)
    assert world.types() == ["raised", "cleared"]


async def test_an_alert_of_a_silent_drone_stays(world: World) -> None:
    await world.say(**LOW)
    await world.pass_time(3600)
    assert world.types() == ["raised"]


async def test_history_that_is_sent_meanwhile_ends_nothing(world: World) -> None:
    await world.say(**LOW)
    await world.pass_time(3)
    await world.deliver(*(world.message(second=second, **FULL) for second in range(-3000, -2000, 100)))
    await world.pass_time(60)
    low = [alert for alert in await world.alerts_of() if alert["code"] == "low_battery"]
    assert [alert["status"] for alert in low] == ["active"]


async def test_it_need_not_wait_for_the_signal(world: World) -> None:
    await world.deliver(world.message(**LOW), signalled=False)
    await world.pass_time(3)
    assert world.types() == ["raised"]
    assert len(await world.store.alerts.notes(10)) == 1
    world.drones.merge()
    await world.pass_time(31)
    assert await world.store.alerts.notes(10) == []


async def test_a_note_that_no_signal_follows_is_given_up(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.deliver(world.message(**LOW), signalled=False)
    await world.pass_time(module.LOST_SECONDS + 120)
    assert await world.store.alerts.notes(10) == []
    assert "is given up" in caplog.text
    assert world.types() == ["raised", "cleared"]  # the drone's state never had it


async def test_what_no_batch_has_noted_is_found_on_patrol(world: World) -> None:
    await world.say(**LOW)
    await world.store.alerts.forget(await world.store.alerts.notes(10))
    await world.pass_time(120)
    assert world.types() == ["raised"]


async def test_a_clock_that_fell_back_is_found_on_patrol(world: World) -> None:
    await world.deliver(world.message(second=200, **FULL))  # 200 s ahead
    await world.pass_time(1)
    for second in range(2, 40, 2):
        world.second = second
        await world.say(**FULL)
        await world.look()
    await world.pass_time(25)
    assert [alert["code"] for alert in await world.alerts_of()] == ["telemetry_delayed"]


async def test_after_a_death_everything_goes_on(world: World) -> None:
    await world.say(**LOW)
    await world.look()
    world.monitor = world.new_monitor()
    world.second = 30
    await world.pass_time(1)
    assert world.types() == ["raised"]
    world.monitor = world.new_monitor()
    await world.say(**FULL)
    await world.pass_time(5)
    world.monitor = world.new_monitor()
    await world.pass_time(30)
    assert world.types() == ["raised", "cleared"]


async def test_a_start_or_an_event_that_is_lost_is_made_up_for(world: World) -> None:
    await world.say(**LOW)
    await world.look()
    world.client.lost = 1
    world.second += 2
    await world.look()
    assert (world.client.lost, world.got) == (0, [])
    await world.pass_time(20)
    assert world.types() == ["raised"]
    await world.say(**FULL)
    await world.look()
    world.client.lost = 1
    world.second += 10
    await world.look()
    await world.drain()
    assert (world.client.lost, world.types()) == (0, ["raised"])
    await world.pass_time(20)
    assert world.types() == ["raised", "cleared"]


async def test_an_idle_fleet_costs_the_tick_only(world: World) -> None:
    pause, looks = 0.0, 0
    while world.second < 3600:
        pause = await world.look(pause)
        world.second += pause
        looks += 1
    assert pause == module.IDLE_SECONDS
    assert looks < 70
    assert sum(world.drones.reads.values()) == 0


async def test_drones_of_which_nothing_is_noted_are_not_read(world: World) -> None:
    for second in range(60):
        world.second = second
        await world.deliver(*(world.message(f"drone-{n}", **FULL) for n in range(50)))
        await world.look()
    assert sum(world.drones.reads.values()) == 0
    assert world.drones.pages <= 3
    assert world.client.events == []


async def test_many_alerts_do_not_have_all_drones_read_again_and_again(world: World) -> None:
    await world.deliver(*(world.message(f"drone-{n}", **LOW) for n in range(200)))
    await world.pass_time(3)
    assert len(world.got) == 200
    world.drones.reads.clear()
    for second in range(4, 64):
        world.second = second
        await world.deliver(*(world.message(f"drone-{n}", **LOW) for n in range(200)))
        await world.look()
    assert sum(world.drones.reads.values()) <= 60 * module.RECHECKED
    assert len(world.got) == 200


async def test_the_monitor_is_woken_and_not_too_often(world: World) -> None:
    await world.say("a", **LOW)
    assert [name for name, _, _ in world.client.started] == [MONITOR]
    await world.say("b", **LOW)
    assert world.client.events == []
    world.second = 2
    await world.say("c", **LOW)
    assert [name for _, name in world.client.events] == ["changed"]
    # What it was not woken for it finds soon all the same.
    assert await world.look() < ALERTS.raise_seconds


class Sometimes:
    """Calls fail by chance, before their effect or after it."""

    def __init__(self, seed: int, share: float) -> None:
        self.random, self.share = random.Random(seed), share

    async def around(self, name: str, call: Any, error: Any) -> Any:
        chance = self.random.random()
        if chance < self.share / 2:
            raise error()
        result = await call()
        if chance < self.share:
            raise error()
        return result


@pytest.mark.parametrize("seed", range(12))
async def test_one_raise_and_one_clear_whatever_is_repeated_reordered_or_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """A drone's battery goes up and down; each message may come late and again, and any call may fail."""
    chance = random.Random(seed)
    store = SqliteStore(tmp_path)
    await store.open()
    world = World(store, monkeypatch, replace(ALERTS, clear_seconds=4))
    world.store = PlannedStore(store, Sometimes(seed, 0.15))
    on_the_way: list[tuple[float, Any]] = []
    low = False
    for step in range(120):
        world.second = step / 2
        if chance.random() < 0.06:
            low = not low
        said = world.message(battery=0.1 if low else 0.9)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            on_the_way.append((world.second + chance.choice((0, 0, 0, 0.5, 3, 8)), said))
        arrived = [message for due, message in on_the_way if due <= world.second]
        on_the_way = [(due, message) for due, message in on_the_way if due > world.second]
        chance.shuffle(arrived)
        while arrived:
            try:
                await world.deliver(*arrived, signalled=chance.random() < 0.7)
            except StoreUnavailable:
                continue  # the activity runs again
            break
        world.client.fails = chance.choice((0, 0, 0, 0, 1, 2))
        try:
            if chance.random() < 0.1:
                world.monitor = world.new_monitor()
            await world.look()
            await world.drain()
        except (StoreUnavailable, ConnectionError):
            continue
    world.store, world.client.fails = store, 0
    await world.deliver(*(message for _, message in on_the_way))
    for _ in range(4):
        await world.pass_time(30)
        await world.resend()
    alerts = await world.alerts_of()
    assert [alert["status"] for alert in alerts].count("active") == int(low)
    assert len(alerts) >= 1
    assert len({alert["raisedAt"] for alert in alerts}) == len(alerts)
    told = Counter((event["data"]["id"], event["type"]) for event in dict(world.got).values())
    expected = Counter(
        (alert["id"], f"drone.alert.{kind}")
        for alert in alerts
        for kind in ("raised", *(("cleared",) if alert["status"] == "cleared" else ()))
    )
    assert told == expected
    assert await store.alerts.notes(10) == []
    await store.close()
