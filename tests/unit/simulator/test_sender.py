from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from simulator.fleet import Outgoing
from simulator.sender import HubRefused, HubUnavailable, Sender


class FakeHub:
    """Two partitions by even and odd drones; ``failures`` says for each call in turn what goes wrong with it."""

    def __init__(self, *failures: Exception | None, most: int = 1000) -> None:
        self.failures = list(failures)
        self.received: dict[str, list[Outgoing]] = {"0": [], "1": []}
        self.most = most
        self.calls = 0
        self.closed = False
        self.open_gate = asyncio.Event()
        self.open_gate.set()

    async def open(self) -> Sequence[str]:
        self._maybe_fail()
        return list(self.received)

    def partition_of(self, outgoing: Outgoing) -> str:
        return str(outgoing.drone % 2)

    async def send(self, partition: str, events: Sequence[Outgoing]) -> int:
        await self.open_gate.wait()
        await asyncio.sleep(0)
        self._maybe_fail()
        taken = events[: self.most]
        self.received[partition] += taken
        return len(taken)

    async def close(self) -> None:
        self.closed = True

    def _maybe_fail(self) -> None:
        self.calls += 1
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure


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
    hub.open_gate.clear()
    sender.put(outgoing(0))
    await asyncio.sleep(0.01)
    lane_one = asyncio.create_task(sender._transport.send("1", []))
    assert not lane_one.done()
    hub.open_gate.set()
    assert await sender.drain(5.0)
    await lane_one
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
