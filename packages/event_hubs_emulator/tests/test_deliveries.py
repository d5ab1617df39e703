"""Deliveries both ways: credit, windows, many frames, settlement, limits, and what a broken or damaged event does."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from event_hubs_emulator import EventHubsEmulator, Limits
from event_hubs_emulator.amqp import performatives as amqp
from event_hubs_emulator.amqp.encoding import NULL, binary, described, list_of, uint
from event_hubs_emulator.log.files import read_at, write_all
from event_hubs_emulator.log.partition_log import PartitionLog
from event_hubs_emulator.log.segment import HEADER_SIZE
from event_hubs_emulator.message import BATCH_FORMAT
from event_hubs_emulator.server.connection import Connection
from event_hubs_emulator.server.link import ReceivingLink

Connect = Callable[[EventHubsEmulator], Awaitable[Any]]
PARTITION = "single/ConsumerGroups/$Default/Partitions/0"


def _data(body: bytes) -> bytes:
    return described(0x75, binary(body))


async def test_credit_is_never_exceeded_and_what_is_left_waits(raw: Any) -> None:
    await raw.publish(*[b"%d" % number for number in range(10)])
    await raw.receiver(PARTITION)
    raw.credit(3)
    assert await raw.bodies(3) == [b"0", b"1", b"2"]
    # The answer to a request comes after whatever was sent before it.
    raw.send(amqp.FLOW, [uint(3), uint(100), uint(0), uint(100), *[NULL] * 5, b"\x41", NULL])
    assert (await raw.frame()).code == amqp.FLOW
    raw.credit(2, received=3)
    assert await raw.bodies(2) == [b"3", b"4"]
    raw.credit(2, received=4)  # written before the last delivery was seen: one of the two is used up
    assert await raw.bodies(1) == [b"5"]


async def test_drain_gives_back_what_is_not_used(raw: Any) -> None:
    await raw.publish(b"only")
    await raw.receiver(PARTITION)
    raw.credit(50, drain=True)
    assert await raw.bodies(1) == [b"only"]
    flow = await raw.expect_flow()
    assert (flow.fields[5], flow.fields[6], flow.fields[8]) == (50, 0, True)
    await raw.publish(b"later", handle=8)
    raw.credit(1, received=50)
    assert await raw.bodies(1) == [b"later"]


async def test_the_window_of_the_session_holds_even_within_a_delivery(hub: EventHubsEmulator, connect: Connect) -> None:
    client = await connect(hub)
    await client.open(max_frame_size=512)
    body = bytes(range(256)) * 8
    await client.publish(body, b"next")
    await client.receiver(PARTITION)
    client.credit(10, window=2)
    frames = [await client.expect(amqp.TRANSFER) for _ in range(2)]
    client.send(amqp.FLOW, [uint(2), uint(0), uint(0), uint(100), *[NULL] * 5, b"\x41", NULL])
    assert (await client.frame()).code == amqp.FLOW
    client.send(amqp.FLOW, [uint(2), uint(100), uint(0), uint(100), *[NULL] * 7])
    while frames[-1].fields[5]:
        frames.append(await client.expect(amqp.TRANSFER))
    assert len(frames) > 3
    assert all(len(frame.payload) <= 512 for frame in frames)
    assert {frame.fields[1] for frame in frames} == {0}
    assert b"".join(frame.payload for frame in frames).endswith(_data(body))
    following = await client.expect(amqp.TRANSFER)
    assert (following.body, following.fields[1]) == (b"next", 1)


async def test_a_send_in_many_frames_is_one_event(raw: Any) -> None:
    payload = _data(b"x" * 200_000)
    await raw.sender("single")
    pieces = [payload[start : start + 60_000] for start in range(0, len(payload), 60_000)]
    for number, piece in enumerate(pieces):
        raw.transfer(piece, 0, more=number < len(pieces) - 1, first=number == 0)
    assert await raw.outcome() is None
    await raw.receiver(PARTITION, handle=1)
    raw.credit(1, handle=1)
    received = [await raw.expect(amqp.TRANSFER)]
    while received[-1].fields[5]:
        received.append(await raw.expect(amqp.TRANSFER))
    assert b"".join(frame.payload for frame in received).endswith(payload)


async def test_an_aborted_send_is_no_event(raw: Any) -> None:
    await raw.sender("single")
    raw.transfer(_data(b"never")[:5], 0, more=True)
    fields = [uint(0), NULL, NULL, NULL, NULL, b"\x42", NULL, NULL, NULL, b"\x41", NULL]
    raw.write(amqp.frame(1, described(amqp.TRANSFER, list_of(fields))))
    raw.transfer(_data(b"event"), 1)
    assert await raw.outcome() is None
    await raw.receiver(PARTITION, handle=1)
    raw.credit(5, handle=1)
    delivered = await raw.expect(amqp.TRANSFER)
    assert delivered.body == b"event"
    assert delivered.sections[0x72]["x-opt-sequence-number"] == 0


async def test_settled_sends_are_not_answered_but_kept(raw: Any) -> None:
    await raw.sender("single")
    raw.transfer(_data(b"settled"), 0, settled=True)
    raw.transfer(_data(b"not"), 1)
    disposition = await raw.expect_disposition()
    assert (disposition.fields[1], disposition.error) == (1, None)
    await raw.receiver(PARTITION, handle=1)
    raw.credit(5, handle=1)
    assert await raw.bodies(2) == [b"settled", b"not"]


async def test_deliveries_are_settled_unless_the_receiver_settles_second(raw: Any) -> None:
    await raw.publish(b"a", b"b")
    await raw.receiver(PARTITION, handle=0, settle=(0, 0))
    raw.credit(2, handle=0)
    assert [(await raw.expect(amqp.TRANSFER)).fields[4] for _ in range(2)] == [True, True]
    attached = await raw.receiver(PARTITION, handle=1, settle=(0, 1))
    assert attached.fields[3] == 0
    raw.credit(2, handle=1)
    first, second = await raw.expect(amqp.TRANSFER), await raw.expect(amqp.TRANSFER)
    assert (first.fields[4], second.fields[4]) == (False, False)
    assert first.fields[2] != second.fields[2]
    raw.send(
        amqp.DISPOSITION, [b"\x41", uint(first.fields[1]), uint(second.fields[1]), b"\x42", amqp.ACCEPTED_STATE, NULL]
    )
    settled = await raw.expect_disposition()
    assert settled.fields[:4] == [False, first.fields[1], second.fields[1], True]


async def test_credit_is_given_again_as_sends_are_done(tmp_path: Path, connect: Connect) -> None:
    async with EventHubsEmulator(tmp_path, {"single": 1}, port=0, limits=Limits(producer_credit=4)) as hub:
        client = await connect(hub)
        await client.open()
        client.attach(send="single")
        await client.frame()
        assert (await client.expect_flow()).fields[6] == 4
        for number in range(2):
            client.transfer(_data(b"x"), number)
        flows = [frame for frame in [await client.frame() for _ in range(3)] if frame.code == amqp.FLOW]
        assert [(flow.fields[5], flow.fields[6]) for flow in flows] == [(2, 4)]


async def test_sends_in_flight_are_limited_by_credit(
    tmp_path: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk is busy, a sender may send what it has credit for; one that sends more loses its link."""
    go_on = threading.Event()
    monkeypatch.setattr(PartitionLog, "sync", lambda self: lambda: go_on.wait(10))
    limits = Limits(producer_credit=4)
    async with EventHubsEmulator(tmp_path, {"single": 1}, port=0, limits=limits, fsync=True) as hub:
        client = await connect(hub)
        await client.open()
        await client.sender("single")
        for number in range(5):
            client.transfer(_data(b"x"), number)
        assert (await client.expect(amqp.DETACH)).error == "amqp:link:transfer-limit-exceeded"
        go_on.set()
        assert [await client.outcome() for _ in range(4)] == [None] * 4
        await client.sender("single", handle=1)


def _kept_of_unfinished(hub: EventHubsEmulator) -> int:
    """Bytes kept of deliveries whose last frame has not come."""
    service = hub._service
    assert service is not None
    connections = [connection for connection in service.connections if isinstance(connection, Connection)]
    sessions = [session for connection in connections for session in connection._sessions.values()]
    links = [link for session in sessions for link in session._links.values()]
    return sum(len(part) for link in links if isinstance(link, ReceivingLink) for part in link._parts)


async def test_an_event_over_the_limit_is_rejected_and_the_link_goes_on(tmp_path: Path, connect: Connect) -> None:
    limits = Limits(max_message_size=10_000)
    async with EventHubsEmulator(tmp_path, {"single": 1}, port=0, limits=limits) as hub:
        client = await connect(hub)
        await client.open()
        await client.sender("single")
        client.transfer(_data(b"x" * 6000), 0, more=True)
        client.transfer(b"x" * 6000, 0, first=False, more=True)
        client.send(amqp.FLOW, [uint(0), uint(9), uint(0), uint(9), *[NULL] * 5, b"\x41", NULL])
        await client.expect_flow()
        assert _kept_of_unfinished(hub) == 0
        client.transfer(b"x" * 6000, 0, first=False)
        assert await client.outcome() == "amqp:link:message-size-exceeded"
        client.transfer(_data(b"x" * 9000), 1)
        assert await client.outcome() is None


@pytest.mark.parametrize("payload", [b"garbage", _data(b"x")[:-1], described(0x72, b"\x45") + _data(b"x")])
async def test_a_broken_event_is_rejected_and_the_link_goes_on(raw: Any, payload: bytes) -> None:
    await raw.sender("single")
    raw.transfer(payload, 0)
    assert await raw.outcome() == "amqp:decode-error"
    raw.transfer(payload, 1, message_format=BATCH_FORMAT)
    assert await raw.outcome() == "amqp:decode-error"
    raw.transfer(_data(b"fine"), 2)
    assert await raw.outcome() is None


async def test_a_broken_event_sent_settled_ends_its_link(raw: Any) -> None:
    await raw.sender("single")
    raw.transfer(b"garbage", 0, settled=True)
    assert (await raw.expect(amqp.DETACH)).error == "amqp:decode-error"


async def test_synced_sends_are_acknowledged_after_the_sync(
    tmp_path: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    synced: list[int] = []
    fsync = os.fsync

    def spy(descriptor: int) -> None:
        fsync(descriptor)
        synced.append(descriptor)

    async with EventHubsEmulator(tmp_path, {"single": 1}, port=0, fsync=True) as hub:
        monkeypatch.setattr(os, "fsync", spy)
        client = await connect(hub)
        await client.open()
        await client.sender("single")
        for number in range(3):
            before = len(synced)
            client.transfer(_data(b"x"), number)
            assert await client.outcome() is None
            assert len(synced) > before
        monkeypatch.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError("disk gone")))
        client.transfer(_data(b"x"), 3)
        assert await client.outcome() == "amqp:internal-error"


@pytest.mark.parametrize("capabilities", [None, ["com.microsoft:enable-receiver-runtime-metric"]])
@pytest.mark.parametrize("damage", [0, 4, 40])
async def test_a_damaged_event_is_skipped_and_the_rest_arrives(
    tmp_path: Path, connect: Connect, caplog: pytest.LogCaptureFixture, damage: int, capabilities: list[str] | None
) -> None:
    """A bit that fell over on the disk, in the CRC, the length or the body of a record."""
    async with EventHubsEmulator(tmp_path, {"single": 1}, port=0) as hub:
        client = await connect(hub)
        await client.open()
        await client.publish(*[b"%d" % number * 60_000 for number in range(5)])
        log = hub._hubs.find("single").partitions[0]  # type: ignore[union-attr]
        at = HEADER_SIZE + log.after_sequence_number(1, inclusive=True) + damage
        descriptor = log._segments[0].descriptor()
        write_all(descriptor, bytes((read_at(descriptor, 1, at)[0] ^ 0x7F,)), at)
        await client.receiver(PARTITION, capabilities=capabilities)
        client.credit(10)
        numbers: list[int] = []
        while not numbers or numbers[-1] < 4:
            annotations = (await client.expect(amqp.TRANSFER)).sections[0x72]
            numbers.append(annotations["x-opt-sequence-number"])
    assert numbers == [0, 2, 3, 4]
    assert "damage in" in caplog.text
