"""The protocol, frame by frame: links, credit, windows, settlement, multi-frame deliveries, errors and their reach."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from event_hubs_emulator import EventHubsEmulator, Limits
from event_hubs_emulator.amqp import performatives as amqp
from event_hubs_emulator.amqp.decoding import decode
from event_hubs_emulator.amqp.encoding import NULL, binary, described, encode, list_of, string, symbol, uint
from event_hubs_emulator.amqp.types import Symbol
from event_hubs_emulator.log.files import read_at, write_all
from event_hubs_emulator.log.partition_log import PartitionLog
from event_hubs_emulator.log.segment import HEADER_SIZE
from event_hubs_emulator.message import BATCH_FORMAT

Connect = Callable[[EventHubsEmulator], Awaitable[Any]]
PARTITION = "single/ConsumerGroups/$Default/Partitions/0"


def _data(body: bytes) -> bytes:
    return described(0x75, binary(body))


def _bodies(*frames: Any) -> list[bytes]:
    """The data of deliveries of one frame each."""
    return [_sections(frame.payload)[0x75] for frame in frames]


def _sections(payload: bytes) -> dict[int, Any]:
    found, position = {}, 0
    while position < len(payload):
        section, position = decode(payload, position)
        found[section.descriptor] = section.value
    return found


async def _send(raw: Any, *bodies: bytes, handle: int = 9) -> None:
    """Send events to the hub `single` one by one, each acknowledged."""
    await raw.sender("single", handle=handle)
    for number, body in enumerate(bodies):
        raw.transfer(_data(body), number, handle=handle)
        assert await raw.outcome() is None


@pytest.mark.parametrize("mechanism", ["ANONYMOUS", "PLAIN", "MSSBCBS", "EXTERNAL", None])
async def test_every_way_to_introduce_oneself_is_accepted(
    hub: EventHubsEmulator, connect: Connect, mechanism: str | None
) -> None:
    opened = await (await connect(hub)).open(sasl=mechanism)
    assert opened.fields[2] == 65536
    assert opened.fields[4] == 240_000
    assert len(opened.fields) == 10


async def test_an_unknown_mechanism_is_refused(hub: EventHubsEmulator, connect: Connect) -> None:
    client = await connect(hub)
    client.write(
        amqp.SASL_HEADER + amqp.performative(0, amqp.SASL_INIT, [symbol("KERBEROS"), NULL, NULL], frame_type=1)
    )
    assert await client.read(8) == amqp.SASL_HEADER
    await client.frame()
    assert (await client.frame()).fields[0] == 1
    assert await client.closed() == b""


async def test_another_protocol_gets_the_header_of_this_one(hub: EventHubsEmulator, connect: Connect) -> None:
    client = await connect(hub)
    client.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    assert await client.closed() == amqp.SASL_HEADER


async def test_a_send_is_read_by_every_group_from_the_beginning(raw: Any) -> None:
    await _send(raw, b"one", b"two")
    for handle, group in enumerate(["$Default", "mine"]):
        await raw.receiver(f"amqps://localhost/single/ConsumerGroups/{group}/Partitions/0", handle=handle)
        raw.credit(10, handle=handle)
        assert _bodies(await raw.expect(amqp.TRANSFER), await raw.expect(amqp.TRANSFER)) == [b"one", b"two"]


async def test_attach_is_echoed_and_completed(raw: Any) -> None:
    attached = await raw.receiver(PARTITION, handle=3, selector="amqp.annotation.x-opt-offset > '-1'")
    assert len(attached.fields) == 14
    name, handle, role, send_settle, receive_settle, source, target = attached.fields[:7]
    assert (name, handle, role, send_settle, receive_settle) == ("link-1-3", 3, False, 1, 0)
    assert (source.value[0], target.value[0], attached.fields[9], attached.fields[10]) == (
        PARTITION,
        "here",
        0,
        1048576,
    )
    assert Symbol("apache.org:selector-filter:string") in source.value[7]


async def test_credit_is_never_exceeded_and_what_is_left_waits(raw: Any) -> None:
    await _send(raw, *[b"%d" % number for number in range(10)])
    await raw.receiver(PARTITION)
    raw.credit(3)
    assert _bodies(*[await raw.expect(amqp.TRANSFER) for _ in range(3)]) == [b"0", b"1", b"2"]
    # The answer to a request comes after whatever was sent before it.
    raw.send(amqp.FLOW, [uint(3), uint(100), uint(0), uint(100), *[NULL] * 5, b"\x41", NULL])
    assert (await raw.frame()).code == amqp.FLOW
    raw.credit(2, received=3)
    assert _bodies(*[await raw.expect(amqp.TRANSFER) for _ in range(2)]) == [b"3", b"4"]
    raw.credit(2, received=4)  # written before the last delivery was seen: one of the two is used up
    assert _bodies(await raw.expect(amqp.TRANSFER)) == [b"5"]


async def test_drain_gives_back_what_is_not_used(raw: Any) -> None:
    await _send(raw, b"only")
    await raw.receiver(PARTITION)
    raw.credit(50, drain=True)
    assert _bodies(await raw.expect(amqp.TRANSFER)) == [b"only"]
    flow = await raw.expect_flow()
    assert (flow.fields[5], flow.fields[6], flow.fields[8]) == (50, 0, True)
    await _send(raw, b"later", handle=8)
    raw.credit(1, received=50)
    assert _bodies(await raw.expect(amqp.TRANSFER)) == [b"later"]


async def test_the_window_of_the_session_holds_even_within_a_delivery(hub: EventHubsEmulator, connect: Connect) -> None:
    client = await connect(hub)
    await client.open(max_frame_size=512)
    body = bytes(range(256)) * 8
    await _send(client, body, b"next")
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
    assert _sections(b"".join(frame.payload for frame in frames))[0x75] == body
    following = await client.expect(amqp.TRANSFER)
    assert (_bodies(following), following.fields[1]) == ([b"next"], 1)


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
    assert _sections(b"".join(frame.payload for frame in received))[0x75] == b"x" * 200_000


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
    assert _bodies(delivered) == [b"event"]
    assert _sections(delivered.payload)[0x72]["x-opt-sequence-number"] == 0


async def test_settled_sends_are_not_answered_but_kept(raw: Any) -> None:
    await raw.sender("single")
    raw.transfer(_data(b"settled"), 0, settled=True)
    raw.transfer(_data(b"not"), 1)
    disposition = await raw.expect_disposition()
    assert (disposition.fields[1], disposition.error) == (1, None)
    await raw.receiver(PARTITION, handle=1)
    raw.credit(5, handle=1)
    assert _bodies(await raw.expect(amqp.TRANSFER), await raw.expect(amqp.TRANSFER)) == [b"settled", b"not"]


async def test_deliveries_are_settled_unless_the_receiver_settles_second(raw: Any) -> None:
    await _send(raw, b"a", b"b")
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


async def test_runtime_metrics_come_when_asked_for(raw: Any) -> None:
    await _send(raw, b"a", b"b")
    await raw.receiver(PARTITION, capabilities=["com.microsoft:enable-receiver-runtime-metric"])
    raw.credit(1)
    annotations = _sections((await raw.expect(amqp.TRANSFER)).payload)[0x71]
    assert annotations["last_enqueued_sequence_number"] == 1
    assert set(annotations) == {
        "last_enqueued_sequence_number",
        "last_enqueued_offset",
        "last_enqueued_time_utc",
        "runtime_info_retrieval_time_utc",
    }


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


async def test_an_event_over_the_limit_is_rejected_and_the_link_goes_on(tmp_path: Path, connect: Connect) -> None:
    limits = Limits(max_message_size=10_000)
    async with EventHubsEmulator(tmp_path, {"single": 1}, port=0, limits=limits) as hub:
        client = await connect(hub)
        await client.open()
        await client.sender("single")
        client.transfer(_data(b"x" * 6000), 0, more=True)
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


@pytest.mark.parametrize(
    ("options", "condition"),
    [
        ({"send": "nowhere"}, "amqp:not-found"),
        ({"send": "amqps://localhost:5672/nowhere/Partitions/0"}, "amqp:not-found"),
        ({"send": "single/Partitions/1"}, "amqp:not-found"),
        ({"send": "single/x/y"}, "amqp:not-found"),
        ({"send": PARTITION}, "amqp:not-allowed"),
        ({"receive": "single"}, "amqp:not-allowed"),
        ({"receive": "single/ConsumerGroups/g/Partitions/7"}, "amqp:not-found"),
        ({"receive": "nowhere/ConsumerGroups/g/Partitions/0"}, "amqp:not-found"),
        ({"receive": PARTITION, "selector": "nonsense"}, "amqp:invalid-field"),
        ({"receive": PARTITION, "selector": "amqp.annotation.x-opt-offset > '99'"}, "com.microsoft:argument-error"),
    ],
)
async def test_what_is_not_there_is_refused_and_the_session_goes_on(
    raw: Any, options: dict[str, str], condition: str
) -> None:
    raw.attach(**options)
    attached = await raw.expect(amqp.ATTACH)
    assert (attached.fields[6] is None) == ("send" in options)
    detached = await raw.expect(amqp.DETACH)
    assert (detached.error, detached.fields[1]) == (condition, True)
    raw.credit(5)
    if "send" in options:
        raw.transfer(_data(b"too early"), 0)
    await raw.sender("single")


async def test_owner_levels(raw: Any) -> None:
    async def refused(**options: Any) -> str | None:
        raw.attach(receive=PARTITION, **options)
        assert (await raw.expect(amqp.ATTACH)).fields[5] is not None
        error: str | None = (await raw.expect(amqp.DETACH)).error
        return error

    async def admitted(*stolen: int, **options: Any) -> None:
        raw.attach(receive=PARTITION, **options)
        frames = [await raw.frame() for _ in range(len(stolen) + 1)]
        assert [frame.fields[0] for frame in frames if frame.code == amqp.DETACH] == list(stolen)
        assert all(frame.error == "amqp:link:stolen" for frame in frames if frame.code == amqp.DETACH)
        for handle in stolen:
            raw.send(amqp.DETACH, [uint(handle), b"\x41", NULL])

    await admitted(handle=0)
    await admitted(handle=1)
    await admitted(0, 1, handle=2, epoch=1)
    assert await refused(handle=3) == "amqp:link:stolen"
    assert await refused(handle=3, epoch=0) == "amqp:link:stolen"
    await admitted(2, handle=3, epoch=1)
    await admitted(3, handle=4, epoch=2)
    await raw.receiver("single/ConsumerGroups/other/Partitions/0", handle=5, epoch=0)
    raw.send(amqp.DETACH, [uint(4), b"\x41", NULL])
    assert (await raw.expect(amqp.DETACH)).error is None
    await admitted(handle=6)


async def test_a_lost_connection_lets_its_owner_level_go(hub: EventHubsEmulator, connect: Connect) -> None:
    first, second = await connect(hub), await connect(hub)
    await first.open()
    await second.open()
    await first.receiver(PARTITION, epoch=9)
    first.writer.transport.abort()
    for _ in range(200):
        second.attach(receive=PARTITION)
        await second.expect(amqp.ATTACH)
        second.send(amqp.FLOW, [uint(0), uint(9), uint(0), uint(9), *[NULL] * 5, b"\x41", NULL])
        if (await second.frame()).code == amqp.FLOW:
            return
        await second.expect(amqp.FLOW)
    pytest.fail("the lost connection still owns the partition")


async def test_management_and_tokens(raw: Any) -> None:
    async def ask(node: str, handle: int, **properties: str) -> dict[int, Any]:
        message = (
            described(0x73, list_of([string("id-7")])) + described(0x74, encode(properties)) + described(0x77, NULL)
        )
        raw.transfer(message, handle, handle=handle)
        answer = await raw.expect(amqp.TRANSFER)
        sections = _sections(answer.payload)
        assert sections[0x73][5] == "id-7"
        assert answer.fields[0] == handle + 1
        return sections

    for handle, node in ((0, "$cbs"), (2, "$management")):
        await raw.sender(node, handle=handle)
        await raw.receiver(node, handle=handle + 1)
        raw.credit(100, handle=handle + 1)
    answer = await ask("$cbs", 0, operation="put-token", type="x", name="sb://y")
    assert answer[0x74] == {
        "status-code": 202, "status-description": "Accepted", "statusCode": 202, "statusDescription": "Accepted",
    }  # fmt: skip
    assert (await ask("$cbs", 0, operation="get-token"))[0x74]["status-code"] == 501
    about = (await ask("$management", 2, operation="READ", type="com.microsoft:eventhub", name="telemetry"))[0x77]
    assert (about["partition_ids"], about["partition_count"]) == (["0", "1", "2", "3"], 4)
    missing = await ask("$management", 2, operation="READ", type="com.microsoft:eventhub", name="nowhere")
    assert missing[0x74]["status-code"] == 404
    assert missing[0x74]["error-condition"] == "amqp:not-found"
    read = {"operation": "READ", "type": "com.microsoft:partition", "name": "single"}
    assert (await ask("$management", 2, **read, partition="1"))[0x74]["status-code"] == 404
    before = (await ask("$management", 2, **read, partition="0"))[0x77]
    assert (before["is_partition_empty"], before["last_enqueued_sequence_number"]) == (True, -1)
    await _send(raw, b"x")
    after = (await ask("$management", 2, **read, partition="0"))[0x77]
    assert (after["is_partition_empty"], after["last_enqueued_sequence_number"], after["last_enqueued_offset"]) == (
        False,
        0,
        "0",
    )
    assert (await ask("$management", 2, operation="DELETE", name="single"))[0x74]["status-code"] == 501


async def test_frames_after_the_end_of_their_session_are_dropped(raw: Any) -> None:
    await raw.sender("single")
    raw.send(amqp.END, [NULL])
    raw.send(amqp.DETACH, [uint(0), b"\x41", NULL])
    assert (await raw.expect(amqp.END)).error is None
    await raw.begin(channel=1)
    await raw.sender("single")


async def test_a_frame_for_no_link_ends_its_session_only(raw: Any) -> None:
    await raw.begin(channel=2)
    raw.transfer(_data(b"x"), 0, handle=7)
    assert (await raw.expect(amqp.END)).error == "amqp:session:unattached-handle"
    raw.attach(send="single", channel=2)
    assert (await raw.frame()).channel == 2


async def test_close_is_answered(raw: Any) -> None:
    raw.send(amqp.CLOSE, [NULL], channel=0)
    assert (await raw.frame()).code == amqp.CLOSE
    assert await raw.closed() == b""


async def test_a_peer_that_wants_heartbeats_gets_them(hub: EventHubsEmulator, connect: Connect) -> None:
    client = await connect(hub)
    await client.open(idle_ms=40)
    assert [await client.read(8) for _ in range(3)] == [amqp.EMPTY_FRAME] * 3


async def test_a_silent_peer_is_cut_off_and_a_heartbeat_prevents_that(tmp_path: Path, connect: Connect) -> None:
    async with EventHubsEmulator(tmp_path, {"single": 1}, port=0, limits=Limits(idle_timeout_ms=100)) as hub:
        silent, beating = await connect(hub), await connect(hub)
        opened = await silent.open()
        assert opened.fields[4] == 100
        await beating.open()

        async def beat() -> None:
            while True:
                beating.write(amqp.EMPTY_FRAME)
                await asyncio.sleep(0.02)

        task = asyncio.create_task(beat())
        assert (await silent.expect(amqp.CLOSE)).error == "amqp:connection:forced"
        await beating.sender("single")
        task.cancel()


async def test_a_stopping_hub_says_goodbye(tmp_path: Path, connect: Connect) -> None:
    async with EventHubsEmulator(tmp_path, {"single": 1}, port=0) as hub:
        client = await connect(hub)
        await client.open()
    assert (await client.expect(amqp.CLOSE)).error == "amqp:connection:forced"
    assert await client.closed() == b""


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
        await _send(client, *[b"%d" % number * 60_000 for number in range(5)])
        log = hub._hubs.find("single").partitions[0]  # type: ignore[union-attr]
        at = HEADER_SIZE + log.after_sequence_number(1, inclusive=True) + damage
        descriptor = log._segments[0].descriptor()
        write_all(descriptor, bytes((read_at(descriptor, 1, at)[0] ^ 0x7F,)), at)
        await client.receiver(PARTITION, capabilities=capabilities)
        client.credit(10)
        numbers: list[int] = []
        while not numbers or numbers[-1] < 4:
            annotations = _sections((await client.expect(amqp.TRANSFER)).payload)[0x72]
            numbers.append(annotations["x-opt-sequence-number"])
    assert numbers == [0, 2, 3, 4]
    assert "damage in" in caplog.text
