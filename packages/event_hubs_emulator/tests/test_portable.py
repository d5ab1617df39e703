"""What azure-eventhub cannot decode becomes something that it can, and the rest stays as it was sent."""

from __future__ import annotations

import decimal
import struct
from typing import Any

import pytest
from azure.eventhub._pyamqp import _decode as sdk_decode
from azure.eventhub._pyamqp import _encode as sdk_encode
from event_hubs_emulator.amqp import portable
from event_hubs_emulator.amqp.decimals import decimal_text
from event_hubs_emulator.amqp.decoding import decode
from event_hubs_emulator.amqp.encoding import binary, described, encode, list_of, map_of, string, symbol
from event_hubs_emulator.amqp.errors import DecodeError
from event_hubs_emulator.annotations import render
from event_hubs_emulator.message import BATCH_FORMAT, split
from hypothesis import given
from hypothesis import strategies as st

CHAR = b"\x73\x00\x00\x20\xac"  # €
DECIMAL32 = b"\x74\xb2\x00\x00\x0f"  # -1.5: exponent -1, coefficient 15
DECIMAL64 = b"\x84\x31\xa0\x00\x00\x00\x00\x00\x19"  # 2.5
DATA = described(0x75, binary(b"x"))


def _array(element: bytes, count: int, body: bytes = b"") -> bytes:
    return b"\xf0" + struct.pack(">II", len(element) + len(body) + 4, count) + element + body


def _sdk(raw: bytes) -> Any:
    buffer, value = sdk_decode._DECODE_BY_CONSTRUCTOR[raw[0]](memoryview(raw)[1:])
    assert len(buffer) == 0
    return value


def _by_sdk(value: Any) -> bytes:
    output = bytearray()
    sdk_encode.encode_value(output, value)
    return bytes(output)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("32800001", "1"),
        ("b280000f", "-15"),
        ("3200000f", "1.5"),
        ("78000000", "Infinity"),
        ("f8000000", "-Infinity"),
        ("7c000000", "NaN"),
        ("6cb8967f", "9999999"),
        ("6cb89680", "0"),
        ("31c0000000000001", "1"),
        ("31a0000000000019", "2.5"),
        ("6c7386f26fc0ffff", "9999999999999999"),
        ("30400000000000000000000000000001", "1"),
        ("b03c0000000000000000000000003039", "-123.45"),
    ],
)
def test_decimals_are_read_as_the_standard_has_them(raw: str, text: str) -> None:
    assert decimal.Decimal(decimal_text(bytes.fromhex(raw))).compare_total(decimal.Decimal(text)) == 0


@given(st.sampled_from([4, 8, 16]).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
def test_any_bytes_are_some_decimal(raw: bytes) -> None:
    decimal.Decimal(decimal_text(raw))


STRANGE: dict[str, tuple[bytes, Any, set[str]]] = {
    "char": (CHAR, "€".encode(), {"char"}),
    "decimal32": (DECIMAL32, b"-1.5", {"decimal32"}),
    "decimal64": (DECIMAL64, b"2.5", {"decimal64"}),
    "decimal128": (b"\x94\xb0\x3c" + bytes(12) + b"\x30\x39", b"-123.45", {"decimal128"}),
    "decimal128 of the SDK": (
        _by_sdk(decimal.Decimal("12345678901234567890.5")),
        b"12345678901234567890.5",
        {"decimal128"},
    ),
    "in a list": (list_of([encode(1), CHAR, encode("x")]), [1, "€".encode(), b"x"], {"char"}),
    "in a map": (map_of([(string("k"), DECIMAL32), (CHAR, encode(2))]), None, {"char", "decimal32"}),
    "deep": (list_of([map_of([(string("k"), list_of([CHAR]))])]), [{b"k": ["€".encode()]}], {"char"}),
    "described": (described(7, CHAR), "€".encode(), {"char"}),
    "array of chars": (_array(b"\x73", 2, CHAR[1:] * 2), ["€".encode()] * 2, {"char"}),
    "array of lists": (_array(b"\xc0", 1, list_of([CHAR])[1:]), [["€".encode()]], {"char"}),
    "array of described": (_array(b"\x00\x53\x07\x50", 2, b"\x01\x02"), [1, 2], {"array of described values"}),
    "empty array": (list_of([_array(b"\x50", 0), encode("after")]), [[], b"after"], set()),
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_the_sdk_cannot_decode_becomes_what_it_can(name: str) -> None:
    raw, value, changes = STRANGE[name]
    rewritten, changed = portable.check(raw)
    assert set(changed) == changes
    if name == "in a map":
        value = {b"k": b"-1.5", "€".encode(): 2}
    assert value in (None, _sdk(rewritten))
    assert portable.check(rewritten) == (rewritten, ())


@given(st.binary(max_size=60) | st.binary(max_size=30).map(lambda raw: list_of([raw])))
def test_whatever_passes_the_sdk_can_decode(raw: bytes) -> None:
    try:
        rewritten, changed = portable.check(raw)
    except DecodeError:
        return
    _sdk(rewritten)
    if not changed and rewritten == raw:
        decode(raw)


@given(st.data())
def test_damaged_values_that_pass_the_sdk_can_decode(data: st.DataObject) -> None:
    whole = list_of([raw for raw, _, _ in STRANGE.values()] + [encode({"a": [1.5, None, True], "b": b"raw"})])
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        rewritten, _ = portable.check(bytes(damaged))
    except DecodeError:
        return
    _sdk(rewritten)


@pytest.mark.parametrize("section", [0x71, 0x72, 0x74, 0x77, 0x78])
def test_in_every_section_they_are_found_and_said(section: int) -> None:
    value = map_of([(symbol("odd"), CHAR), (symbol("good"), encode(1))])
    message = described(section, value) + (b"" if section == 0x77 else DATA)
    sent = split(described(0x75, binary(DATA)) + described(0x75, binary(message)), BATCH_FORMAT)
    assert sent.rewritten == [(1, ("char",))]
    _, lead, body = render(sent.events[1], 1, 2, 3)
    seen = sdk_decode.decode_payload(memoryview(lead + body))
    parts = (seen.delivery_annotations, seen.message_annotations, seen.application_properties, seen.value, seen.footer)
    [found] = [part for part in parts if part and b"odd" in part]
    assert (found[b"odd"], found[b"good"]) == ("€".encode(), 1)


def test_in_message_properties_and_sequences_too() -> None:
    properties = described(0x73, list_of([DECIMAL64]))
    sent = split(properties + described(0x76, list_of([CHAR])) + described(0x76, list_of([encode(1)])), 0)
    assert sent.rewritten == [(0, ("char", "decimal64"))]
    _, lead, body = render(sent.events[0], 1, 2, 3)
    seen = sdk_decode.decode_payload(memoryview(lead + body))
    assert (seen.properties.message_id, seen.sequence) == (b"2.5", [["€".encode()], [1]])


FOOTER = described(0x78, encode({"f": 1}))
PROPERTIES = described(0x73, list_of([string("id")]))
HOP = described(0x71, encode({"hop": 1}))


@pytest.mark.parametrize(
    "parts",
    [
        (PROPERTIES, FOOTER, DATA),  # rhea, uamqp
        (FOOTER, DATA, PROPERTIES),
        (DATA, FOOTER, PROPERTIES, HOP),  # azure-eventhub writes delivery annotations last
        (HOP, PROPERTIES, DATA, FOOTER),
    ],
)
def test_sections_in_any_order_arrive_in_that_of_the_specification(parts: tuple[bytes, ...]) -> None:
    _, lead, body = render(split(b"".join(parts), 0).events[0], 1, 2, 3)
    codes, position, payload = [], 0, lead + body
    while position < len(payload):
        value, position = decode(payload, position)
        codes.append(value.descriptor)
    assert codes == sorted(codes)
    seen = sdk_decode.decode_payload(memoryview(payload))
    assert (seen.data, seen.footer, seen.properties.message_id) == ([b"x"], {b"f": 1}, b"id")


@pytest.mark.parametrize(
    "message",
    [
        described(0x77, b"\x40"),
        described(0x75, b"\x40"),
        described(0x74, b"\x40") + DATA,
        described(0x78, b"\x40") + DATA,
    ],
)
def test_null_bodies_and_null_sections_are_taken(message: bytes) -> None:
    _, lead, body = render(split(message, 0).events[0], 1, 2, 3)
    seen = sdk_decode.decode_payload(memoryview(lead + body))
    assert (seen.value, seen.application_properties, seen.footer) == (None, None, None)
    assert seen.data == (None if message[2] in (0x75, 0x77) else [b"x"])


def test_a_null_among_data_sections_is_empty() -> None:
    _, lead, body = render(split(DATA + described(0x75, b"\x40") + DATA, 0).events[0], 1, 2, 3)
    assert sdk_decode.decode_payload(memoryview(lead + body)).data == [b"x", b"", b"x"]
