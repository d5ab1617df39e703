"""The protocol around deliveries: hand-shakes, links and their refusal, owner levels, requests, heartbeats, ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from event_hubs_emulator import EventHubsEmulator, Limits
from event_hubs_emulator.amqp import performatives as amqp
from event_hubs_emulator.amqp.encoding import NULL, binary, described, encode, list_of, string, symbol, uint
from event_hubs_emulator.amqp.types import Symbol

Connect = Callable[[EventHubsEmulator], Awaitable[Any]]
PARTITION = "single/ConsumerGroups/$Default/Partitions/0"


def _data(body: bytes) -> bytes:
    return described(0x75, binary(body))


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
    await raw.publish(b"one", b"two")
    for handle, group in enumerate(["$Default", "mine"]):
        await raw.receiver(f"amqps://localhost/single/ConsumerGroups/{group}/Partitions/0", handle=handle)
        raw.credit(10, handle=handle)
        assert await raw.bodies(2) == [b"one", b"two"]


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


async def test_runtime_metrics_come_when_asked_for(raw: Any) -> None:
    await raw.publish(b"a", b"b")
    await raw.receiver(PARTITION, capabilities=["com.microsoft:enable-receiver-runtime-metric"])
    raw.credit(1)
    annotations = (await raw.expect(amqp.TRANSFER)).sections[0x71]
    assert annotations["last_enqueued_sequence_number"] == 1
    assert set(annotations) == {
        "last_enqueued_sequence_number",
        "last_enqueued_offset",
        "last_enqueued_time_utc",
        "runtime_info_retrieval_time_utc",
    }


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
        sections: dict[int, Any] = answer.sections
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
    await raw.publish(b"x")
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
