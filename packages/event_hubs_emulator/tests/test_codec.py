"""The codec: what is encoded is decoded again, the SDK agrees, and no bytes do more than a DecodeError."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from azure.eventhub._pyamqp import _decode as sdk_decode
from azure.eventhub._pyamqp import _encode as sdk_encode
from event_hubs_emulator.amqp import encoding
from event_hubs_emulator.amqp.decoding import decode, skip
from event_hubs_emulator.amqp.encoding import encode
from event_hubs_emulator.amqp.errors import DecodeError
from event_hubs_emulator.amqp.types import Decimal, Described, Symbol, Timestamp
from hypothesis import given
from hypothesis import strategies as st

_INT64 = st.integers(-(2**63), 2**63 - 1)
_SYMBOLS = st.text(st.characters(max_codepoint=127), max_size=300).map(Symbol)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    _INT64,
    st.floats(allow_nan=False),
    st.text(max_size=300),
    _SYMBOLS,
    st.binary(max_size=300),
    st.uuids(),
    _INT64.map(Timestamp),
    st.sampled_from([4, 8, 16]).map(lambda size: Decimal(bytes(range(size)))),
)
_KEYS = st.one_of(st.text(max_size=20), _SYMBOLS)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.dictionaries(_KEYS, inner, max_size=6),
        st.builds(Described, st.one_of(st.integers(0, 200), _SYMBOLS), inner),
    ),
    max_leaves=12,
)


@given(_VALUES)
def test_what_is_encoded_is_decoded_and_skipped_to_its_end(value: Any) -> None:
    raw = encode(value)
    decoded, end = decode(raw + b"\x40", 0)
    assert decoded == value
    assert type(decoded) is type(value)
    assert end == len(raw) == skip(raw + b"\x40", 0)


@given(
    st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(-(2**31), 2**31 - 1), st.text(max_size=300), st.binary(max_size=300)
        ),
        lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=9), inner, max_size=5)),
        max_leaves=10,
    )
)
def test_values_encoded_by_the_sdk_are_decoded(value: Any) -> None:
    output = bytearray()
    sdk_encode.encode_value(output, value)
    assert decode(bytes(output)) == (value, len(output))


@given(st.recursive(_INT64 | st.binary(max_size=300), lambda inner: st.lists(inner, max_size=80), max_leaves=80))
def test_the_sdk_decodes_what_is_encoded(value: Any) -> None:
    raw = memoryview(encode(value))
    rest, decoded = sdk_decode._DECODE_BY_CONSTRUCTOR[raw[0]](raw[1:])
    assert (decoded, len(rest)) == (value, 0)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("4100", True), ("5601", True), ("5600", False), ("50ff", 255), ("51ff", -1), ("60ffff", 65535), ("61ffff", -1),
        ("43", 0), ("52ff", 255), ("70ffffffff", 2**32 - 1), ("44", 0), ("53ff", 255), ("80" + "ff" * 8, 2**64 - 1),
        ("54ff", -1), ("71ffffffff", -1), ("55ff", -1), ("81" + "ff" * 8, -1), ("723fc00000", 1.5), ("7300000041", "A"),
        ("8300000000000003e8", Timestamp(1000)), ("a3026869", Symbol("hi")), ("45", []), ("c00100", []), ("c10100", {}),
        ("e0050253 0102".replace(" ", ""), None),
    ],
)  # fmt: skip
def test_encodings_of_the_specification(raw: str, value: Any) -> None:
    data = bytes.fromhex(raw)
    if value is None:
        data, value = bytes.fromhex("e004025301 02".replace(" ", "")), [1, 2]
    assert decode(data)[0] == value


def test_the_sdk_decodes_long_lists_and_large_ones() -> None:
    for value in ([7] * 300, [b"x" * 300] * 3, {str(number): number for number in range(300)}):
        raw = memoryview(encode(value))
        rest, decoded = sdk_decode._DECODE_BY_CONSTRUCTOR[raw[0]](raw[1:])
        assert len(decoded) == len(value)
        assert len(rest) == 0


def test_integers_use_the_smallest_encoding() -> None:
    assert encoding.uint(0) == b"\x43"
    assert encoding.uint(255) == b"\x52\xff"
    assert encoding.uint(256) == b"\x70\x00\x00\x01\x00"
    assert encoding.long(-128) == b"\x55\x80"
    assert encoding.long(128) == b"\x81" + struct.pack(">q", 128)
    assert decode(encode(2**64 - 1))[0] == 2**64 - 1
    with pytest.raises(OverflowError):
        encode(2**64)
    with pytest.raises(TypeError):
        encode(object())


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_decode_error(raw: bytes) -> None:
    for read in (decode, skip):
        try:
            read(raw, 0)
        except DecodeError:
            continue


@given(_VALUES, st.data())
def test_damaged_values_raise_nothing_but_a_decode_error(value: Any, data: st.DataObject) -> None:
    raw = bytearray(encode(value))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    for read in (decode, skip):
        try:
            read(cut, 0)
        except DecodeError:
            continue


@pytest.mark.parametrize(
    "raw",
    [
        b"\xf0" + struct.pack(">II", 5, 2**32 - 1) + b"\x40",  # four thousand million nulls in five bytes
        b"\xd0" + struct.pack(">II", 4, 2**32 - 1),
        b"\x00" * 100_000,
        (b"\xc0\xff\x01" * 100_000),
        b"\xc1\x03\x01\x40\x40",  # a map with a key and no value
        b"\xc1\x04\x02\x45\x40",  # a list as a key
        b"\xa1\x01\xff",
        b"\x73\x00\x11\x00\x00",
        b"\x01",
        b"",
    ],
)
def test_hostile_values_are_refused_at_once(raw: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(raw)


def test_nesting_that_would_end_the_stack_is_refused() -> None:
    raw = b"\x40"
    for _ in range(200):
        raw = b"\xd0" + struct.pack(">II", len(raw) + 4, 1) + raw
    with pytest.raises(DecodeError, match="deep"):
        decode(raw)
