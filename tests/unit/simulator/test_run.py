from __future__ import annotations

import asyncio
import io
import json
from datetime import datetime
from itertools import pairwise

import pytest

from gateway.target import HubRefused, HubUnavailable
from simulator import run as run_module
from simulator.faults import Faults
from simulator.fleet import Fleet, Outgoing
from simulator.run import run
from simulator.sender import Sender
from tests.support.simulator_hub import FakeHub, until


def fleet(drones: int = 10, rate: float = 50.0, faults: str = "") -> Fleet:
    return Fleet(drones, rate, seed=100, kind="json", key_frame_gap=10, faults=Faults.parse(faults))


def everything(hub: FakeHub) -> list[Outgoing]:
    return [outgoing for received in hub.received.values() for outgoing in received]


def sender_of(hub: FakeHub) -> Sender:
    return Sender(hub, first_retry_seconds=0.001)


async def test_a_run_sends_what_is_due_in_its_time_and_sums_it_up() -> None:
    hub = FakeHub()
    summary, complete = await run(fleet(), sender_of(hub), 0.4, asyncio.Event(), progress=io.StringIO())
    assert complete
    sent = everything(hub)
    assert len(sent) == 200
    assert summary == {
        "sent": 200,
        "events": 200,
        "bytes": sum(len(outgoing.body) for outgoing in sent),
        "seconds": summary["seconds"],
        "rate": pytest.approx(200 / summary["seconds"], rel=0.01),
        "corrupted": 0,
        "duplicated": 0,
    }
    assert summary["seconds"] >= 0.39
    assert hub.closed


async def test_messages_are_measured_when_they_are_due() -> None:
    hub = FakeHub()
    await run(fleet(drones=2, rate=20.0), sender_of(hub), 0.5, asyncio.Event(), progress=io.StringIO())
    stamps = [datetime.fromisoformat(json.loads(out.body)["timestamp"][:-1]) for out in hub.received["0"]]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(stamps)]
    assert gaps == [pytest.approx(0.05, abs=0.0011)] * 9


async def test_what_faults_held_back_is_sent_at_the_end_and_counted() -> None:
    hub = FakeHub()
    faulty = fleet(faults="late=0.5,duplicates=0.3,corrupt=0.2")
    summary, _ = await run(faulty, sender_of(hub), 0.4, asyncio.Event(), progress=io.StringIO())
    sent = everything(hub)
    assert summary["sent"] == len(sent) == 200 + summary["duplicated"]
    assert summary["duplicated"] == sum(outgoing.duplicated for outgoing in sent) > 0
    assert summary["corrupted"] == sum(outgoing.corrupted for outgoing in sent) > 0


async def test_a_slow_hub_is_caught_up_with() -> None:
    hub = FakeHub()
    for gate in hub.gates.values():
        gate.clear()
    sender = sender_of(hub)
    running = asyncio.create_task(run(fleet(), sender, 0.4, asyncio.Event(), progress=io.StringIO()))
    await until(lambda: sender.backlog == 200)
    assert not everything(hub)
    for gate in hub.gates.values():
        gate.set()
    summary, complete = await running
    assert complete
    assert summary["sent"] == len(everything(hub)) == 200


async def test_an_outage_loses_and_repeats_nothing() -> None:
    hub = FakeHub(None, None, *[HubUnavailable("away")] * 5, None, HubUnavailable("away"), most=7)
    summary, complete = await run(fleet(), sender_of(hub), 0.4, asyncio.Event(), progress=io.StringIO())
    assert complete
    bodies = [outgoing.body for outgoing in everything(hub)]
    assert summary["sent"] == len(bodies) == len(set(bodies)) == 200


async def test_a_stop_ends_an_endless_run_with_all_it_measured() -> None:
    hub, stop = FakeHub(), asyncio.Event()
    running = asyncio.create_task(run(fleet(), sender_of(hub), 0.0, stop, progress=io.StringIO()))
    await asyncio.wait_for(hub.arrived["0"].wait(), 5.0)
    stop.set()
    summary, complete = await asyncio.wait_for(running, 5.0)
    assert complete
    assert summary["sent"] == len(everything(hub)) > 0


async def test_a_stop_while_the_hub_is_away_says_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "_STOP_SECONDS", 0.05)
    hub, stop = FakeHub(None, None, *[HubUnavailable("away")] * 100_000, most=3), asyncio.Event()
    sender = sender_of(hub)
    running = asyncio.create_task(run(fleet(), sender, 0.0, stop, progress=io.StringIO()))
    await until(lambda: sender.backlog > 0 and sender.trouble is not None)
    stop.set()
    summary, complete = await asyncio.wait_for(running, 5.0)
    assert not complete
    assert summary["sent"] == len(everything(hub))
    assert sender.backlog > 0


async def test_a_stop_before_the_hub_is_reached_ends_at_once() -> None:
    hub, stop = FakeHub(*[HubUnavailable("away")] * 100_000), asyncio.Event()
    running = asyncio.create_task(run(fleet(), sender_of(hub), 0.0, stop, progress=io.StringIO()))
    await until(lambda: hub.calls > 2)
    stop.set()
    summary, complete = await asyncio.wait_for(running, 5.0)
    assert complete
    assert summary["sent"] == summary["rate"] == 0


async def test_a_hub_that_is_never_reached_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "_CONNECT_SECONDS", 0.02)
    hub = FakeHub(*[HubUnavailable("nobody there")] * 100_000)
    with pytest.raises(HubUnavailable, match="nobody there"):
        await run(fleet(), sender_of(hub), 1.0, asyncio.Event(), progress=io.StringIO())
    assert hub.closed


async def test_a_refusal_during_the_run_ends_it() -> None:
    hub = FakeHub(None, None, HubRefused("key revoked"))
    with pytest.raises(HubRefused, match="key revoked"):
        await run(fleet(), sender_of(hub), 0.0, asyncio.Event(), progress=io.StringIO())


async def test_drones_wait_while_too_much_is_not_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "_LEAST_BACKLOG", 100)
    monkeypatch.setattr(run_module, "_BACKLOG_SECONDS", 0.001)
    hub, stop = FakeHub(), asyncio.Event()
    for gate in hub.gates.values():
        gate.clear()
    busy, sender = fleet(drones=10, rate=1000.0), sender_of(hub)
    running = asyncio.create_task(run(busy, sender, 0.0, stop, progress=io.StringIO()))
    await until(lambda: busy.turn >= 100)
    await asyncio.sleep(0.1)  # two more ticks, in which nothing may be added
    assert sender.backlog == busy.turn == 100
    for gate in hub.gates.values():
        gate.set()
    await asyncio.wait_for(hub.arrived["0"].wait(), 5.0)
    stop.set()
    summary, _ = await asyncio.wait_for(running, 20.0)
    assert summary["sent"] == busy.turn


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_progress_is_one_line_that_renews_itself_on_a_terminal() -> None:
    out = Terminal()
    await run(fleet(rate=2.0), sender_of(FakeHub()), 1.3, asyncio.Event(), progress=out)
    text = out.getvalue()
    assert text.startswith("\r")
    assert "sent" in text
    assert text.count("\n") == 1
    assert text.endswith("\n")


async def test_trouble_is_a_line_of_its_own_elsewhere() -> None:
    out, stop = io.StringIO(), asyncio.Event()
    hub = FakeHub(*[HubUnavailable("cable cut")] * 100_000)
    running = asyncio.create_task(run(fleet(), sender_of(hub), 0.0, stop, progress=out))
    await until(lambda: "\n" in out.getvalue())
    stop.set()
    await running
    (line,) = out.getvalue().splitlines()
    assert "hub not reached: cable cut" in line
