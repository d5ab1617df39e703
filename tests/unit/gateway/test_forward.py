from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.forward import Forwarder
from gateway.spool import Message
from gateway.target import HubRefused, HubUnavailable
from tests.support.gateway.fake_hub import FakeHub, forwarding


@pytest.fixture
def hub() -> FakeHub:
    return FakeHub()


@pytest.fixture
async def forwarder(tmp_path: Path, hub: FakeHub) -> AsyncIterator[Forwarder]:
    made = forwarding(tmp_path, hub)
    yield made
    await made.close()


def numbered(key: str, numbers: range) -> list[Message]:
    return [Message(key, str(n).encode()) for n in numbers]


async def test_each_devices_messages_arrive_in_order_whatever_a_batch_holds(forwarder: Forwarder, hub: FakeHub) -> None:
    hub.most = 7
    for start in range(0, 600, 20):
        numbers = range(start, start + 20)
        await forwarder.put([Message(key, str(n).encode()) for n in numbers for key in ("a", "b")])
    assert await forwarder.drain(5)
    expected = [str(n).encode() for n in range(600)]
    assert hub.of("a") == expected
    assert hub.of("b") == expected
    assert forwarder.sent == 1200
    assert forwarder.waiting == 0


async def test_while_the_hub_is_away_everything_waits_and_then_arrives_in_order(
    forwarder: Forwarder, hub: FakeHub
) -> None:
    hub.away = HubUnavailable("gone for a walk")
    await forwarder.put(numbered("a", range(50)))
    await asyncio.wait_for(hub.tried_often.wait(), 5)
    assert forwarder.waiting == 50
    assert forwarder.trouble == "hub not reached: gone for a walk"
    assert not await forwarder.drain(0.05)
    hub.away = None
    assert await forwarder.drain(5)
    assert hub.of("a") == [str(n).encode() for n in range(50)]
    assert forwarder.trouble is None


async def test_a_hub_that_refuses_is_asked_again_and_nothing_is_lost(
    forwarder: Forwarder, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.forward._WHILE_REFUSED_SECONDS", 0.01)
    hub.away = HubRefused("wrong key")
    await forwarder.put(numbered("a", range(3)))
    await asyncio.wait_for(hub.tried_often.wait(), 5)
    assert forwarder.trouble == "hub not reached: wrong key"
    hub.away = None
    assert await forwarder.drain(5)
    assert hub.of("a") == [b"0", b"1", b"2"]


async def test_what_was_acknowledged_unheard_is_sent_again_with_the_same_bytes(
    forwarder: Forwarder, hub: FakeHub
) -> None:
    hub.unheard = 1
    await forwarder.put(numbered("a", range(3)))
    assert await forwarder.drain(5)
    assert hub.of("a") == [b"0", b"1", b"2", b"0", b"1", b"2"]


async def test_a_message_too_large_for_the_hub_is_dropped_counted_and_harms_no_other(
    forwarder: Forwarder, hub: FakeHub
) -> None:
    hub.largest, hub.most = 10, 1
    await forwarder.put([Message("a", b"1"), Message("a", bytes(11)), Message("a", b"2")])
    assert await forwarder.drain(5)
    assert hub.of("a") == [b"1", b"2"]
    assert (forwarder.too_large, forwarder.dropped) == (1, 1)


async def test_a_disk_that_takes_nothing_is_told_and_counted_and_ends_nothing(
    forwarder: Forwarder, hub: FakeHub
) -> None:
    db = forwarder._spool._db
    await forwarder.on_disk(
        lambda: db.execute(
            "CREATE TRIGGER full BEFORE INSERT ON waiting BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    )
    await forwarder.put(numbered("a", range(3)))
    assert forwarder.dropped == 3
    assert "disk is full" in str(forwarder.trouble)
    await forwarder.on_disk(lambda: db.execute("DROP TRIGGER full"))
    await forwarder.put(numbered("a", range(3, 5)))
    assert await forwarder.drain(5)
    assert hub.of("a") == [b"3", b"4"]


async def test_a_spool_that_fails_for_a_while_is_told_and_nothing_is_lost(
    forwarder: Forwarder, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.forward._LONGEST_PAUSE_SECONDS", 0.01)
    db = forwarder._spool._db
    await forwarder.on_disk(
        lambda: db.execute(
            "CREATE TRIGGER full BEFORE DELETE ON waiting BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    )
    await forwarder.put(numbered("a", range(3)))
    await asyncio.wait_for(hub.tried_often.wait(), 5)
    assert "disk is full" in str(forwarder.trouble)
    assert forwarder.waiting == 3
    await forwarder.on_disk(lambda: db.execute("DROP TRIGGER full"))
    assert await forwarder.drain(5)
    assert hub.of("a")[-3:] == [b"0", b"1", b"2"]
    assert set(hub.of("a")) == {b"0", b"1", b"2"}


async def test_what_can_wait_waits_for_room(tmp_path: Path, hub: FakeHub) -> None:
    hub.away = HubUnavailable("away")
    forwarder = forwarding(tmp_path, hub, limit=200)
    try:
        waiting = asyncio.create_task(forwarder.put_patiently([Message("a", bytes([n]) * 70) for n in range(5)]))
        await asyncio.wait_for(hub.tried_often.wait(), 5)
        assert not waiting.done()
        assert forwarder.waiting == 1
        hub.away = None
        await asyncio.wait_for(waiting, 5)
        assert await forwarder.drain(5)
        assert [body[0] for body in hub.of("a")] == [0, 1, 2, 3, 4]
        await forwarder.put_patiently([Message("a", bytes(300)), Message("a", b"small")])
        assert await forwarder.drain(5)
        assert (hub.of("a")[-1], forwarder.dropped) == (b"small", 1)
    finally:
        await forwarder.close()
