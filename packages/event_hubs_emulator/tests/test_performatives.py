"""Performatives: every field is written, missing ones are read as null, and others' bytes can be echoed."""

from __future__ import annotations

import pytest
from azure.eventhub._pyamqp import _decode as sdk_decode
from azure.eventhub._pyamqp import _encode as sdk_encode
from azure.eventhub._pyamqp.endpoints import Source
from azure.eventhub._pyamqp.performatives import AttachFrame
from event_hubs_emulator.amqp import performatives as amqp
from event_hubs_emulator.amqp.encoding import NULL, list_of, string, symbol, uint
from event_hubs_emulator.amqp.errors import AmqpError, DecodeError, LinkFault
from event_hubs_emulator.amqp.incoming import Close, Flow, parse, raw_field
from hypothesis import given
from hypothesis import strategies as st


def _body(code: int, fields: list[bytes]) -> bytes:
    return amqp.performative(0, code, fields)[8:]


def test_missing_fields_are_null() -> None:
    flow, _ = parse(_body(amqp.FLOW, [uint(1)]))
    assert flow == Flow(1, *[None] * 10)


def test_trailing_nulls_are_written() -> None:
    frame = amqp.performative(0, amqp.BEGIN, [NULL] * 8)
    _, fields = sdk_decode.decode_frame(memoryview(frame[8:]))
    assert fields == [None] * 8


def test_a_field_can_be_had_as_the_peer_encoded_it() -> None:
    source = Source(address="hub", filters={})
    attach = AttachFrame("n", 1, True, 0, 0, source, None, None, None, None, None, None, None, None)
    _, body = sdk_encode.encode_frame(attach)
    parse(bytes(body or b""))
    raw = raw_field(bytes(body or b""), "source")
    assert raw in bytes(body or b"")
    assert raw.startswith(b"\x00\x53\x28")
    assert raw_field(bytes(body or b""), "target") == NULL
    assert raw_field(_body(amqp.ATTACH, [string("n")]), "source") == NULL


def test_a_descriptor_may_be_a_long_number() -> None:
    body = b"\x00\x80" + bytes(7) + b"\x18" + list_of([NULL])
    assert parse(body) == (Close(None), len(body))
    assert raw_field(body, "error") == NULL


@pytest.mark.parametrize(
    "body",
    [b"\x00\x53\x19\x45", b"\x00\x53\x18\x40", b"\x40", b"\x00\x53", b"\x00" + symbol("open:list") + b"\x45",
     _body(amqp.CLOSE, [NULL] * 2), b"\x00\x53\x18\xf0\x00\x00\x00\x05\x00\x00\x00\x00\x40"],
)  # fmt: skip
def test_what_is_no_performative_is_a_decode_error(body: bytes) -> None:
    with pytest.raises(DecodeError):
        parse(body)


@given(st.binary(max_size=80))
def test_no_frame_body_raises_anything_but_a_decode_error(body: bytes) -> None:
    for raw in (body, b"\x00\x53\x12" + body):
        try:
            parse(raw)
        except DecodeError:
            continue


def test_the_sdk_reads_an_error() -> None:
    fault: AmqpError = LinkFault("amqp:not-found", "nothing there")
    _, fields = sdk_decode.decode_frame(memoryview(_body(amqp.DETACH, [uint(0), NULL, amqp.error(fault)])))
    assert fields[2] == [b"amqp:not-found", b"nothing there", None]
    _, fields = sdk_decode.decode_frame(
        memoryview(_body(amqp.DISPOSITION, [NULL, uint(0), NULL, NULL, amqp.rejected(fault), NULL]))
    )
    assert fields[4] == {"rejected": [[b"amqp:not-found", b"nothing there", None]]}
