from __future__ import annotations

import asyncio

import pytest

from gateway.target import HubRefused, HubUnavailable
from simulator.fleet import Outgoing
from simulator.sender import Sender
from tests.support.simulator_hub import FakeHub


def outgoing(number: int, **kind: bool) -> Outgoing:
    return Outgoing(number, b"body-%d" % number, **kind)


async def sent_through(hub: FakeHub, events: list[Outgoing]) -> Sender:
    sender = Sender(hub, first_retry_seconds=0.001)
    await sender.open(5.0)
    for event in events:
        sender.put(event)
    assert await sender.drain(5.0)
    await sender.close()
    assert hub.closed
    return sender


async def test_everything_arrives_in_order_and_is_counted() -> None:
    hub = FakeHub()
    events = [outgoing(0), outgoing(1, corrupted=True), outgoing(2, duplicated=True), outgoing(3)]
    sender = await sent_through(hub, events)
    assert hub.received == {"0": [events[0], events[2]], "1": [events[1], events[3]]}
    totals = sender.totals
    assert (totals.sent, totals.events, totals.bytes, totals.corrupted, totals.duplicated) == (4, 4, 24, 1, 1)
    assert sender.backlog == 0


async def test_a_batch_takes_what_fits_and_the_next_one_the_rest() -> None:
    hub = FakeHub(most=3)
    events = [outgoing(0) for _ in range(10)]
    await sent_through(hub, events)
    assert hub.received["0"] == events
    assert hub.calls == 1 + 4


async def test_what_is_not_acknowledged_is_sent_again_and_counted_once() -> None:
    hub = FakeHub(None, HubUnavailable("away"), HubUnavailable("away"), None, HubUnavailable("away"), most=2)
    events = [outgoing(0) for _ in range(6)]
    sender = await sent_through(hub, events)
    assert hub.received["0"] == events
    assert sender.totals.sent == 6
    assert sender.trouble is None


async def test_trouble_is_told_while_it_lasts() -> None:
    hub = FakeHub(None, *[HubUnavailable("cable cut")] * 1000)
    sender = Sender(hub, first_retry_seconds=0.001)
    await sender.open(5.0)
    sender.put(outgoing(0))
    assert not await sender.drain(0.05)
    assert sender.trouble == "cable cut"
    assert sender.totals.sent == 0
    assert sender.backlog == 1
    await sender.close()


async def test_a_partition_that_waits_holds_up_no_other() -> None:
    hub = FakeHub()
    sender = Sender(hub, first_retry_seconds=0.001)
    await sender.open(5.0)
    hub.gates["0"].clear()
    sender.put(outgoing(0))
    sender.put(outgoing(1))
    await asyncio.wait_for(hub.arrived["1"].wait(), 5.0)
    assert hub.received == {"0": [], "1": [outgoing(1)]}
    hub.gates["0"].set()
    assert await sender.drain(5.0)
    assert hub.received["0"] == [outgoing(0)]
    await sender.close()


async def test_connecting_is_tried_again_until_the_time_is_up() -> None:
    hub = FakeHub(HubUnavailable("not yet"), HubUnavailable("not yet"))
    sender = Sender(hub, first_retry_seconds=0.001)
    await sender.open(5.0)
    await sender.close()
    never = Sender(FakeHub(*[HubUnavailable("never")] * 100), first_retry_seconds=0.001)
    with pytest.raises(HubUnavailable, match="never"):
        await never.open(0.01)


async def test_a_refusal_is_not_tried_again() -> None:
    hub = FakeHub(HubRefused("no such hub"))
    with pytest.raises(HubRefused, match="no such hub"):
        await Sender(hub).open(5.0)
    assert hub.calls == 1
    hub = FakeHub(None, HubRefused("key revoked"))
    sender = Sender(hub, first_retry_seconds=0.001)
    await sender.open(5.0)
    sender.put(outgoing(0))
    with pytest.raises(HubRefused, match="key revoked"):
        await sender.drain(5.0)
    await sender.close()
