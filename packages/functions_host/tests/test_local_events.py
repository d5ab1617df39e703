"""An event of the local hub is the same, whether azure-eventhub decodes it or the host itself."""

from __future__ import annotations

import struct
from typing import Any
from uuid import UUID

import pytest
from azure.eventhub import EventData, EventDataBatch
from azure.eventhub._pyamqp._decode import decode_payload
from event_hubs_emulator.amqp.encoding import binary, described, encode, list_of, map_of, string, symbol
from event_hubs_emulator.amqp.types import Decimal, Described, Symbol, Timestamp
from event_hubs_emulator.annotations import render
from event_hubs_emulator.message import Event, split
from functions_host.eventhubs import wire
from functions_host.eventhubs.amqp_values import plain_or_text
from functions_host.eventhubs.events import ReceivedEvent, Unreadable, from_sdk
from functions_host.eventhubs.local import events
from functions_host.eventhubs.local.events import read_event
from functions_host.eventhubs.metadata import system_properties
from functions_host.eventhubs.tolerant_decoding import install_tolerant_decoding, tolerant

KEY = (b"\xa3\x13x-opt-partition-key" + string("drone-1"), 1)
DATA = described(0x75, binary(b'{"a": 1}'))


def message(
    body: bytes = DATA, annotations: bytes = b"", count: int = 0, number: int = 7, header: bytes = b""
) -> bytes:
    event = Event(header, b"", annotations, count, body)
    return b"".join(render(event, number, number * 100, 1_767_225_600_000 + number)[1:])


def by_sdk(payload: bytes) -> ReceivedEvent:
    return from_sdk(EventData._from_message(tolerant(decode_payload)(memoryview(payload))))


def comparable(event: ReceivedEvent) -> dict[str, Any]:
    return {
        "body": event.body,
        "number": event.sequence_number,
        "offset": event.offset,
        "enqueued": event.enqueued_time,
        "key": event.partition_key,
        "properties": plain_or_text(event.properties),
        "damage": (event.damage, event.body_damage, event.body_type),
        "system": system_properties(wire.received(wire.wired(event, binary=True))),
    }


def application(**values: Any) -> bytes:
    return described(0x74, map_of([(string(name), encode(value)) for name, value in values.items()]))


COMMON = [
    message(),
    message(described(0x75, binary(b""))),
    message(described(0x75, binary(b"x" * 5000))),
    message(DATA, *KEY),
    message(DATA, b"\xa3\x13x-opt-partition-key" + string("é" * 100), 1),
    message(number=0),
    message(number=2**40),
]
HEADER = described(0x70, list_of([b"\x41"]))
PROPERTIES = described(0x73, list_of([string("id"), b"\x40", string("to")]))
COMMON += [
    message(DATA, *KEY, header=HEADER),
    message(PROPERTIES + DATA),
    message(PROPERTIES + application(a="text") + DATA, *KEY, header=HEADER),
    message(application(a="text", n=5, f=1.5, t=True, none=None, raw=b"\xff", when=Timestamp(1)) + DATA),
    message(application(u=UUID(int=7), s=Symbol("sym"), d=Described(Symbol("x"), 3)) + DATA),
    message(b"\x00\x53\x73\x45" + DATA),
]
VALUE = message(described(0x77, encode({"a": [1, "b", None], "n": {"x": 1.5}})))
OTHER = [
    message(application(a="x" * 600) + DATA),
    message(described(0x75, binary(b"one ")) + described(0x75, binary(b"two"))),
    message(DATA, symbol("iothub-connection-device-id") + string("dev"), 1),
    message(DATA, KEY[0] + symbol("other") + encode(5), 2),
    message(described(0x77, string("text é"))),
    message(described(0x77, binary(b"\xff\xfe"))),
    VALUE,
    message(described(0x77, b"\x40")),
    message(described(0x76, encode([1, "two"])) + described(0x76, encode([b"\xff", {"three": 3}]))),
    message(DATA + described(0x78, map_of([(symbol("foot"), encode(1))]))),
]


@pytest.mark.parametrize("payload", COMMON)
def test_common_events_are_read_at_fixed_places(payload: bytes) -> None:
    assert events._common(payload) is not None
    assert comparable(read_event(payload)) == comparable(by_sdk(payload))


@pytest.mark.parametrize("payload", OTHER)
def test_other_events_are_the_same_too(payload: bytes) -> None:
    assert events._common(payload) is None
    assert comparable(events._any(payload)) == comparable(by_sdk(payload))
    assert comparable(read_event(payload)) == comparable(by_sdk(payload))


def test_events_of_one_sender_share_what_they_say_alike() -> None:
    payloads = [message(PROPERTIES + application(site=site) + DATA, number=n) for n, site in enumerate("aab")]
    first, second, third = map(read_event, payloads)
    assert first.properties is second.properties
    assert first.properties != third.properties
    one, two, three = (wire.wired(event, binary=True)[-1] for event in (first, second, third))
    assert one is two
    assert one != three
    assert [comparable(event) for event in (first, second, third)] == [comparable(by_sdk(p)) for p in payloads]


def test_what_the_sdk_sends_is_common() -> None:
    """The whole way of a sender's event: header, key and content type."""
    event = EventData(b'{"a": 1}')
    event.content_type, event.properties = "application/json", {"site": "a"}
    batch = EventDataBatch(partition_key="drone-1")
    batch.add(event)
    [sent] = split(bytes(batch._message[5][0]), 0).events
    payload = b"".join(render(sent, 7, 700, 1_767_225_600_000)[1:])
    assert events._common(payload) is not None
    assert comparable(read_event(payload)) == comparable(by_sdk(payload))


def test_types_the_sdk_lacks_are_decoded_alike() -> None:
    assert install_tolerant_decoding()
    raw = struct.pack(">I", (99 << 23) | 12345)
    payload = message(application(d=Decimal(raw), c="x") + DATA)
    assert plain_or_text(read_event(payload).properties) == {"d": "123.45", "c": "x"}
    assert comparable(read_event(payload)) == comparable(by_sdk(payload))


@pytest.mark.parametrize("cut", [1, 5, 9, 20])
@pytest.mark.parametrize("payload", [COMMON[3], COMMON[10], VALUE])
def test_a_message_that_ends_too_early_keeps_what_it_has(payload: bytes, cut: int) -> None:
    found = read_event(payload[:-cut])
    assert comparable(found) == comparable(by_sdk(payload[:-cut]))
    assert found.sequence_number == 7


def test_what_has_no_place_is_unreadable() -> None:
    for payload in (b"", DATA, b"\x00" * 50, b"nonsense", COMMON[0][:30]):
        with pytest.raises(Unreadable):
            read_event(payload)
