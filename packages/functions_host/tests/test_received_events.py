"""What becomes of bodies and properties of all kinds, as azure-eventhub decodes them."""

from __future__ import annotations

import json
import struct
import uuid
from decimal import Decimal
from typing import Any

import pytest
from azure.eventhub import EventData
from azure.eventhub._pyamqp._decode import decode_payload
from azure.eventhub._pyamqp._encode import encode_payload
from azure.eventhub._pyamqp.aio import _receiver_async
from azure.eventhub._pyamqp.message import Message
from functions_host.eventhubs import wire
from functions_host.eventhubs.events import ReceivedEvent, Unreadable, from_sdk
from functions_host.eventhubs.metadata import batch_metadata, body_of
from functions_host.eventhubs.tolerant_decoding import decimal_of, install_tolerant_decoding, tolerant

MARKS = {b"x-opt-sequence-number": 7, b"x-opt-offset": b"700", b"x-opt-enqueued-time": 1_767_225_600_000}


def event(**sections: Any) -> ReceivedEvent:
    return from_sdk(EventData._from_message(Message(**{"message_annotations": MARKS, **sections})))


@pytest.mark.parametrize(
    ("sections", "body"),
    [
        ({"data": [b"ab", b"c"]}, b"abc"),
        ({"value": b"caf\xc3\xa9"}, "café".encode()),
        ({"value": b"\xff\xfe"}, b"\xff\xfe"),
        ({"value": {b"a": b"x", b"n": [1, 2.5, True, None]}}, b'{"a":"x","n":[1,2.5,true,null]}'),
        ({"value": {True: {b"deep": []}}}, b'{"true":{"deep":[]}}'),
        ({"value": {2: b"x", b"2": b"y"}}, b'[[2,"x"],["2","y"]]'),
        ({"value": None}, b"null"),
        ({"value": 12}, b"12"),
        ({"value": float("nan")}, b'"NaN"'),
        ({"value": [float("inf"), float("-inf")]}, b'["Infinity","-Infinity"]'),
        ({"value": uuid.UUID(int=1)}, b'"00000000-0000-0000-0000-000000000001"'),
        ({"value": Decimal("1.50")}, b'"1.50"'),
        ({"sequence": [[1, b"two"], [{b"three": 3}]]}, b'[1,"two",{"three":3}]'),
        ({"sequence": [[b"\xff\xfe"]]}, b'["//4="]'),
    ],
)
def test_bodies(sections: dict[str, Any], body: bytes) -> None:
    found = event(**sections)
    odd = "bytes in it are no UTF-8" if body == b'["//4="]' else ""
    assert (found.body, found.damage, found.body_damage) == (body, odd, odd)
    assert found.body_type == next(iter(sections))
    assert (found.sequence_number, found.offset) == (7, "700")


def deep(levels: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(levels):
        nested = [nested]
    return nested


def test_what_cannot_become_json_is_handed_over_as_text_and_named() -> None:
    found = event(value=deep(300))
    assert found.body.startswith(b"[[[[")
    assert "nested more than 200 deep" in found.damage
    assert event(data=["text", 1]).damage == "its data is no binary"


def test_odd_properties_and_annotations_spoil_nothing() -> None:
    found = event(
        data=[b"x"],
        application_properties={b"deep": deep(300), b"bytes": b"\xff", b"big": Decimal(1)},
        message_annotations={**MARKS, b"x-opt-partition-key": b"\xffk", b"x-opt-enqueued-time": 2**62, b"n": 1},
    )
    assert found.enqueued_time is None
    there = [wire.received(wire.wired(each, binary=True)) for each in (found, event(data=[b"y"]))]
    metadata = batch_metadata(there, {})
    assert json.loads(metadata["PropertiesArray"].value)[1] == {}
    assert "deep" in str(json.loads(metadata["PropertiesArray"].value)[0])
    assert json.loads(metadata["SystemPropertiesArray"].value)[0]["n"] == 1
    assert body_of(found, binary=False) == b"x"


def test_an_event_without_a_sequence_number_says_so() -> None:
    with pytest.raises(Unreadable, match="no sequence number"):
        event(data=[b"x"], message_annotations={})


def encoded(body: bytes = b"hello", **sections: Any) -> bytes:
    marks = {**MARKS, b"x-opt-enqueued-time": 1}  # the SDK's encoder takes a number for 32 bits
    return bytes(encode_payload(bytearray(), Message(message_annotations=marks, data=[body], **sections)))


def with_property(constructor_and_value: bytes) -> bytes:
    """A message with application properties a=<given>, b="good"."""
    entries = b"\xa1\x01a" + constructor_and_value + b"\xa1\x01b\xa1\x04good"
    section = b"\x00\x53\x74\xd1" + struct.pack(">II", len(entries) + 4, 4) + entries
    whole = encoded()
    data = whole.index(b"\x00\x53\x75")
    return whole[:data] + section + whole[data:]


def decoded(payload: bytes) -> ReceivedEvent:
    return from_sdk(EventData._from_message(tolerant(decode_payload)(memoryview(payload))))


def test_the_sdk_in_use_is_known_and_takes_the_decoder() -> None:
    assert install_tolerant_decoding()
    assert install_tolerant_decoding()
    assert getattr(_receiver_async.decode_payload, "is_tolerant", False)


@pytest.mark.parametrize(
    ("encoded_value", "value"),
    [
        (b"\x73\x00\x01\xf6\x00", "\U0001f600"),
        (b"\x73\x00\x00\xd8\x00", "U+D800"),
        (b"\x74" + struct.pack(">I", (99 << 23) | 12345), Decimal("123.45")),
        (b"\x84" + struct.pack(">Q", (1 << 63) | (398 << 53) | 7), Decimal(-7)),
    ],
)
def test_types_that_the_sdk_does_not_know_are_decoded(encoded_value: bytes, value: Any) -> None:
    assert install_tolerant_decoding()
    found = decoded(with_property(encoded_value))
    assert found.properties == {b"a": value, b"b": b"good"}
    assert (found.body, found.damage) == (b"hello", "")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (struct.pack(">I", 0x78000000), Decimal("Infinity")),
        (struct.pack(">I", 0xF8000000), Decimal("-Infinity")),
        (struct.pack(">I", (0b11 << 29) | (101 << 21) | 0), Decimal(8388608)),
        (struct.pack(">I", (0b11 << 29) | (101 << 21) | 0x1FFFFF), Decimal(0)),
    ],
)
def test_decimals_in_binary_integer_encoding(raw: bytes, expected: Decimal) -> None:
    assert decimal_of(raw, exponent_bits=8, bias=101, digits=7) == expected
    assert decimal_of(struct.pack(">I", 0x7C000000), exponent_bits=8, bias=101, digits=7).is_nan()


def test_a_property_that_cannot_be_decoded_is_left_out_and_named() -> None:
    found = decoded(with_property(b"\x77\x00\x00\x00\x01"))
    assert found.properties == {b"b": b"good"}
    assert (found.body, found.sequence_number, found.offset) == (b"hello", 7, "700")
    assert "application_properties without b'a'" in found.damage


def test_a_body_that_cannot_be_decoded_is_handed_over_as_its_bytes() -> None:
    whole = encoded()
    value = b"\xd1" + struct.pack(">II", 4 + 5, 2) + b"\x45" + b"\x54\x01" + b"\x40\x40"
    found = decoded(whole[: whole.index(b"\x00\x53\x75")] + b"\x00\x53\x77" + value)
    assert (found.body, found.sequence_number) == (value, 7)
    assert "the body's encoded bytes" in found.damage


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_message_that_ends_too_early_keeps_what_it_has(cut: int) -> None:
    found = decoded(encoded(b"0123456789abcdef")[:-cut])
    assert found.sequence_number == 7
    assert b"0123" in found.body


def test_descriptors_without_end_are_bytes_like_others() -> None:
    whole = encoded()
    found = decoded(whole[: whole.index(b"\x00\x53\x75")] + b"\x00" * 5000)
    assert (found.sequence_number, found.body) == (7, b"\x00" * 5000)
