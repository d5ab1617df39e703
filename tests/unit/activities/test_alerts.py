"""Notices: tried until they arrive or their time is over, once a receiver, and sent again when a person asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.alerts import telling
from pipeline.alerts.keeping import start_deliveries
from settings import Webhook
from storage.sqlite import SqliteStore
from telemetry.episodes import acknowledged, sent_again, undelivered
from tests.support.alerting import ALERTS, World
from webhooks.receivers import Receivers

TWO = replace(ALERTS, webhooks=(Webhook("one", "https://one.example/"), Webhook("two", "https://two.example/")))


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    store = SqliteStore(tmp_path)
    await store.open()
    yield World(store, monkeypatch)
    await store.close()


async def raised(world: World) -> str:
    await world.say(battery=0.1)
    await world.pass_time(3)
    [alert] = await world.alerts_of()
    return alert["id"]


async def waits_and_tries(world: World, alert: str, until: float) -> list[float]:
    """The seconds at which the delivery to the one receiver is tried."""
    tried = []
    while world.second < until:
        before = len(world.got)
        await world.resend()
        if len(world.got) > before:
            tried.append(world.second)
        world.second += 0.5
    return tried


async def test_a_receiver_that_is_away_is_tried_with_back_off_under_one_id(world: World) -> None:
    world.answers = [500] * 5
    alert = await raised(world)
    await waits_and_tries(world, alert, 60)
    assert len(world.got) == 6
    assert len({i for i, _ in world.got}) == 1
    assert len({str(event) for _, event in world.got}) == 1
    assert undelivered((await world.alerts_of())[0]) == []
    assert await waits_and_tries(world, alert, 200) == []


async def test_given_up_after_its_time_and_sent_again(world: World) -> None:
    world.alerts = replace(ALERTS, retry_seconds=20)
    world.answers = [503] * 1000
    alert = await raised(world)
    await waits_and_tries(world, alert, 120)
    assert undelivered((await world.alerts_of())[0]) == ["raised"]
    assert await waits_and_tries(world, alert, 200) == []
    tries = len(world.got)
    world.answers = [503]
    for _ in range(2):  # asked twice is once
        again = await world.store.alerts.change(alert, lambda one: sent_again(one, ["one"], world.now()))
        assert again is not None
        assert undelivered(again) == []
        await start_deliveries(world.client, again)
    await world.drain()
    await waits_and_tries(world, alert, 230)
    assert len(world.got) == tries + 2
    assert len({i for i, _ in world.got}) == 1


async def test_each_receiver_gets_each_notice(world: World) -> None:
    world.alerts = TWO
    alert = await raised(world)
    await world.say(battery=0.9)
    await world.pass_time(11)
    assert sorted(world.types()) == ["cleared", "cleared", "raised", "raised"]
    assert len({i for i, _ in world.got}) == 2
    kept = await world.store.alerts.get(alert)
    assert kept is not None
    assert set(kept["notices"]["raised"]["deliveries"]) == {"one", "two"}


@pytest.mark.parametrize(("status", "expected"), [(410, ["raised"]), (302, []), (404, [])])
async def test_what_an_answer_means(world: World, status: int, expected: list[str]) -> None:
    world.answers = [status]
    await raised(world)
    assert undelivered((await world.alerts_of())[0]) == expected
    await waits_and_tries(world, "", 30)
    assert len(world.got) == (1 if status == 410 else 2)


async def test_a_receiver_that_was_taken_out_gets_nothing(world: World) -> None:
    world.answers = [500]
    alert = await raised(world)
    world.alerts = replace(ALERTS, webhooks=(Webhook("new", "https://new.example/"),))
    await waits_and_tries(world, alert, 30)
    assert len(world.got) == 1
    assert undelivered((await world.alerts_of())[0]) == ["raised"]


async def test_what_arrives_at_once_needs_no_instance(world: World) -> None:
    world.alerts = TWO
    await raised(world)
    assert [name for name, _, _ in world.client.started if name == "alert_delivery"] == []
    world.second = 20
    world.answers = [500]
    await world.say(battery=0.9)
    await world.pass_time(11)
    started = [argument for name, _, argument in world.client.started if name == "alert_delivery"]
    assert [argument["kind"] for argument in started] == ["cleared"]


async def test_a_receiver_that_hangs_is_left_to_an_instance(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "FIRST_TRY_SECONDS", 0.05)

    async def hang(url: str, body: bytes, headers: dict[str, str]) -> int:
        if "one" in url:
            await asyncio.sleep(60)
        return 200

    world.alerts = TWO
    world.receivers = Receivers(hang, lambda: world.second)
    await world.say(battery=0.1)
    world.second = 3
    await world.look()
    [(_, _, argument)] = [one for one in world.client.started if one[0] == "alert_episode"]
    told = await world.tell(argument["alertId"])
    assert told["open"]
    started = [argument for name, _, argument in world.client.started if name == "alert_delivery"]
    assert [(one["kind"], one["receiver"]) for one in started] == [("raised", "one")]


async def test_without_receivers_nothing_is_started(world: World) -> None:
    world.alerts = replace(ALERTS, webhooks=())
    alert = await raised(world)
    await world.say(battery=0.9)
    await world.pass_time(11)
    assert world.got == []
    assert not [name for name, _, _ in world.client.started if name == "alert_delivery"]
    kept = await world.store.alerts.get(alert)
    assert kept is not None
    assert set(kept["notices"]) == {"raised", "cleared"}
    assert await world.store.alerts.unsettled() == []


async def test_a_retry_says_what_was_true_then(world: World) -> None:
    world.answers = [500]
    alert = await raised(world)
    await world.say(battery=0.9)
    await world.pass_time(11)
    await waits_and_tries(world, alert, 40)
    by_type: dict[str, Any] = {event["type"]: event for _, event in world.got}
    first, last = by_type["drone.alert.raised"]["data"], by_type["drone.alert.cleared"]["data"]
    assert (first["status"], first["clearedAt"]) == ("active", None)
    assert (last["status"], last["clearedAt"] is not None) == ("cleared", True)


async def test_told_answers_what_the_orchestrator_waits_for(world: World) -> None:
    alert = await raised(world)
    told = await world.tell(alert)
    assert (told["open"], told["acknowledged"], told["stage"]) == (True, False, "raised")
    assert told["escalateIn"] == pytest.approx(300 - 1, abs=0.01)
    world.second = 400
    late = await world.tell(alert)
    assert late["escalateIn"] == 0
    told = await world.escalate(alert)
    assert (told["open"], told["escalateIn"], told["stage"]) == (True, None, "escalated")
    await world.store.alerts.change(alert, lambda one: acknowledged(one, world.now(), "Ann", "on it"))
    told = await world.escalate(alert)
    assert (told["open"], told["acknowledged"], told["escalateIn"]) == (True, True, None)
    await world.drain()
    assert world.types() == ["raised", "escalated", "acknowledged"]
    by_kind = {event["type"].rpartition(".")[2]: event["data"] for _, event in world.got}
    assert by_kind["escalated"]["acknowledgedBy"] is None
    assert (by_kind["acknowledged"]["acknowledgedBy"], by_kind["acknowledged"]["note"]) == ("Ann", "on it")


async def test_one_that_is_taken_up_is_not_escalated(world: World) -> None:
    alert = await raised(world)
    await world.store.alerts.change(alert, lambda one: acknowledged(one, world.now(), None, None))
    await world.escalate(alert)
    kept = await world.store.alerts.get(alert)
    assert kept is not None
    assert kept["escalatedAt"] is None
    assert set(kept["notices"]) == {"raised", "acknowledged"}


async def test_one_that_is_gone_ends_its_instance(world: World) -> None:
    told = await world.tell("d~low_battery~1")
    assert told == telling.GONE
