"""What a few bytes may cost: refused by their form, before any work that their counts and depths ask for."""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from event_hubs_emulator import EventHubsEmulator
from event_hubs_emulator.amqp import performatives as amqp
from event_hubs_emulator.amqp import portable
from event_hubs_emulator.amqp.decoding import decode
from event_hubs_emulator.amqp.encoding import NULL, binary, described, encode, list_of, map_of, string, uint, uuid
from event_hubs_emulator.amqp.errors import DecodeError, LinkFault
from event_hubs_emulator.message import split
from event_hubs_emulator.position import _parse
from event_hubs_emulator.server.address import Address, hub_of_audience, parse_address

Connect = Callable[[EventHubsEmulator], Awaitable[Any]]
PARTITION = "single/ConsumerGroups/$Default/Partitions/0"
DATA = described(0x75, binary(b"x"))


def _array(element: bytes, count: int, body: bytes = b"") -> bytes:
    return b"\xf0" + struct.pack(">II", len(element) + len(body) + 4, count) + element + body


def _deep_arrays(depth: int) -> bytes:
    value = b"\x40"
    for _ in range(depth):
        value = _array(value[:1], 1, value[1:])
    return value


HOSTILE = {
    "nulls": _array(b"\x40", 65_536),
    "four thousand million nulls": _array(b"\x40", 2**32 - 1),
    "empty lists": _array(b"\x45", 17),
    "deep arrays": _deep_arrays(5_000),
    "deep lists": b"\xc0\xff\x01" * 5_000,
    "descriptors in a row": b"\x00\x53\x01" * 5_000 + b"\x40",
    "descriptors of an array": _array(b"\x00\x53\x01" * 5_000 + b"\x40", 1),
    "descriptors in descriptors": b"\x00" * 5_000 + b"\x40" * 5_001,
    "a list as descriptor": b"\x00\xc0\x01\x00\x40",
    "keys that collide": map_of([(uuid(UUID(int=n * (2**61 - 1))), NULL) for n in range(1_000)]),
    "a described key": map_of([(described(0x24, b"\x45"), NULL)]),
    "an array as key": map_of([(_array(b"\x50", 1, b"\x01"), NULL)]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_values_whose_counts_or_depths_exceed_their_bytes_are_refused(name: str) -> None:
    for read in (lambda raw: decode(raw)[0], portable.check):
        with pytest.raises(DecodeError):
            read(HOSTILE[name])
    for section in (0x72, 0x74, 0x77, 0x78):
        with pytest.raises(DecodeError):
            split(described(section, HOSTILE[name]) + DATA, 0)


@pytest.mark.parametrize("name", HOSTILE)
async def test_such_values_in_a_frame_close_their_connection_only(
    hub: EventHubsEmulator, connect: Connect, raw: Any, name: str
) -> None:
    await raw.sender("single")
    other = await connect(hub)
    await other.open()
    other.send(amqp.BEGIN, [NULL, uint(0), uint(1), uint(1), NULL, NULL, NULL, HOSTILE[name]], channel=2)
    assert (await other.expect(amqp.CLOSE)).error == "amqp:decode-error"
    raw.transfer(DATA, 0)
    assert await raw.outcome() is None


@pytest.mark.parametrize(
    "selector",
    [
        "amqp.annotation.x-opt-offset > " + " " * 60_000,
        " " * 60_000 + "x",
        "amqp.annotation.x-opt-sequence-number > '" + "9" * 5_000 + "'",
        "amqp.annotation.x-opt-offset >" + "'" * 50_000,
    ],
)
async def test_endless_selectors_are_refused(raw: Any, selector: str) -> None:
    raw.attach(receive=PARTITION, selector=selector)
    assert (await raw.frame()).code == amqp.ATTACH
    assert (await raw.frame()).error == "amqp:invalid-field"


def test_selectors_are_read_as_before() -> None:
    for text in ("amqp.annotation.x-opt-offset>'12'", " AMQP.annotation.X-opt-Offset  >  12 "):
        assert _parse(text) == ("offset", False, "12")
    assert _parse("amqp.annotation.x-opt-enqueuedtimeutc >= '@latest'") == ("enqueuedtimeutc", True, "@latest")


@pytest.mark.parametrize(
    "address", ["a" * 60_000, "/" * 60_000, "%61" * 20_000, "amqps:" + "/" * 60_000, "a." * 30_000]
)
async def test_endless_addresses_are_refused(raw: Any, address: str) -> None:
    for handle, way in enumerate(("send", "receive")):
        raw.attach(**{way: address}, handle=handle)
        assert (await raw.frame()).code == amqp.ATTACH
        assert (await raw.frame()).error == "amqp:not-found"


@pytest.mark.parametrize("partition", ["9" * 5_000, "-1", "01", "1e3", "", "١", "4"])
async def test_a_partition_that_is_none_is_not_found(raw: Any, partition: str) -> None:
    raw.attach(receive=f"telemetry/ConsumerGroups/$Default/Partitions/{partition[:900]}")
    assert (await raw.frame()).code == amqp.ATTACH
    assert (await raw.frame()).error == "amqp:not-found"


def test_addresses_are_read_as_before() -> None:
    assert parse_address("amqps://host:5671/hub/Partitions/3") == Address(hub="hub", partition="3")
    assert parse_address("/hub/") == parse_address("AMQP://host/hub") == Address(hub="hub")
    assert parse_address("hub/ConsumerGroups/g%20h/Partitions/0") == Address(hub="hub", group="g h", partition="0")
    assert parse_address("amqps://host/$cbs").node == "$cbs"
    with pytest.raises(LinkFault, match="not-found"):
        parse_address("amqps://host")


def test_a_token_is_for_the_hub_its_audience_names() -> None:
    assert hub_of_audience("sb://localhost/hub/ConsumerGroups/g/Partitions/0") == "hub"
    assert hub_of_audience("amqps://host:5671/hub") == "hub"
    assert hub_of_audience("sb://localhost/") is hub_of_audience("sb://localhost") is None


async def test_digits_without_end_in_a_request_are_answered(raw: Any) -> None:
    await raw.receiver("$management", handle=1)
    await raw.sender("$management", handle=2)
    raw.credit(10, handle=1)
    entries = {"operation": "READ", "type": "com.microsoft:partition", "name": "single", "partition": "9" * 5_000}
    raw.transfer(described(0x74, encode(entries)) + described(0x77, NULL), 0, handle=2)
    answer = await raw.expect(amqp.TRANSFER)
    assert answer.sections[0x74]["status-code"] == 404


async def test_a_long_partition_key_is_refused(raw: Any) -> None:
    await raw.sender("telemetry")
    annotations = map_of([(b"\xa3\x13x-opt-partition-key", string("k" * 129))])
    raw.transfer(described(0x72, annotations) + DATA, 0)
    assert await raw.outcome() == "amqp:decode-error"


async def test_empty_frames_of_a_delivery_are_not_kept(hub: EventHubsEmulator, raw: Any) -> None:
    await raw.sender("single")
    for _ in range(2_000):
        raw.transfer(b"", 0, more=True)
    raw.transfer(DATA, 0)
    assert await raw.outcome() is None
    await raw.receiver(PARTITION, handle=5)
    raw.credit(1, handle=5)
    assert await raw.bodies(1) == [b"x"]


async def test_a_connection_with_much_to_do_lets_others_have_their_turn(
    hub: EventHubsEmulator, connect: Connect, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a turn of no length at all, every frame is a turn: nothing may get lost, nor out of order."""
    from event_hubs_emulator.server import connection

    monkeypatch.setattr(connection, "_TURN_SECONDS", -1.0)
    await raw.sender("single")
    for number in range(500):
        raw.transfer(described(0x75, binary(b"%d" % number)), number)
    assert [await raw.outcome() for _ in range(500)] == [None] * 500
    other = await connect(hub)
    await other.open()
    await other.receiver(PARTITION)
    other.credit(500)
    assert await other.bodies(500) == [b"%d" % number for number in range(500)]


async def test_a_list_of_everything_but_its_end_is_a_decode_error(raw: Any) -> None:
    raw.write(amqp.frame(1, described(amqp.BEGIN, list_of([b"\xd0\x00\x00\x00\x04\xff\xff\xff\xff"]))))
    assert (await raw.expect(amqp.CLOSE)).error == "amqp:decode-error"
