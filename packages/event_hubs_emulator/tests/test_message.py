"""Sends split into events, and events annotated: nothing of the sender's is lost, nothing broken gets through."""

from __future__ import annotations

from typing import Any

import pytest
from azure.eventhub import EventData, EventDataBatch
from azure.eventhub._pyamqp import _decode as sdk_decode
from azure.eventhub._pyamqp import _encode as sdk_encode
from azure.eventhub._pyamqp.message import BatchMessage, Header, Message, Properties
from azure.eventhub.amqp import AmqpAnnotatedMessage
from event_hubs_emulator.amqp.encoding import binary, described, encode, map_of, string, symbol
from event_hubs_emulator.amqp.errors import DecodeError, DeliveryFault
from event_hubs_emulator.annotations import render
from event_hubs_emulator.message import BATCH_FORMAT, Event, split
from event_hubs_emulator.runtime_metrics import with_metrics
from hypothesis import given
from hypothesis import strategies as st


def _encoded(message: Any) -> bytes:
    output = bytearray()
    sdk_encode.encode_payload(output, message)
    return bytes(output)


def _as_consumer_sees(event: Event, sequence_number: int = 7, offset: int = 1234, enqueued_ms: int = 5678) -> Message:
    _, lead, body = render(event, sequence_number, offset, enqueued_ms)
    return sdk_decode.decode_payload(memoryview(lead + body))


FULL = Message(
    header=Header(durable=True, priority=3),
    delivery_annotations={b"x-opt-hop": 1},
    message_annotations={b"x-opt-partition-key": "k", b"x-opt-mine": "kept", b"x-opt-offset": "forged"},
    properties=Properties(message_id="id", content_type="application/json", correlation_id="c"),
    application_properties={"speed": 1.5, "name": "d", "n": 7, "flag": True},
    data=[b"one", b"two"],
    footer={b"x-opt-end": 1},
)


def test_everything_of_an_event_arrives_with_the_annotations_of_the_hub() -> None:
    sent = split(_encoded(FULL), 0)
    assert sent.partition_key == "k"
    message = _as_consumer_sees(sent.events[0])
    assert message.message_annotations == {
        b"x-opt-sequence-number": 7,
        b"x-opt-offset": b"1234",
        b"x-opt-enqueued-time": 5678,
        b"x-opt-mine": b"kept",
        b"x-opt-partition-key": b"k",
    }
    assert message.header.durable is True
    assert message.properties.content_type == b"application/json"
    assert message.application_properties == {b"speed": 1.5, b"name": b"d", b"n": 7, b"flag": True}
    assert message.data == [b"one", b"two"]
    assert message.footer == {b"x-opt-end": 1}
    assert message.delivery_annotations == {b"x-opt-hop": 1}


def test_metrics_join_the_delivery_annotations_of_an_event() -> None:
    header_length, lead, body = render(split(_encoded(FULL), 0).events[0], 1, 2, 3)
    metrics = [(symbol("m"), encode(1))]
    message = sdk_decode.decode_payload(memoryview(with_metrics(lead + body, header_length, metrics)))
    assert (message.delivery_annotations, message.header.priority) == ({b"m": 1, b"x-opt-hop": 1}, 3)
    header_length, lead, body = render(split(DATA, 0).events[0], 1, 2, 3)
    message = sdk_decode.decode_payload(memoryview(with_metrics(lead + body, header_length, metrics)))
    assert (message.delivery_annotations, message.data) == ({b"m": 1}, [b"x"])


def test_many_annotations_need_the_large_map() -> None:
    annotations = {f"x-opt-{number}".encode(): "v" * 10 for number in range(100)}
    sent = split(_encoded(Message(message_annotations=annotations, data=[b"x"])), 0)
    message = _as_consumer_sees(sent.events[0], sequence_number=2**40, offset=2**50)
    assert len(message.message_annotations) == 103
    assert message.message_annotations[b"x-opt-offset"] == str(2**50).encode()


def test_a_batch_is_its_events_in_order_each_with_its_own_annotations() -> None:
    batch = EventDataBatch(partition_key="drone-7")
    for number in range(3):
        event = EventData(f"body {number}")
        event.properties = {"number": number}
        batch.add(event)
    sent = split(_encoded(batch._message), BATCH_FORMAT)
    assert sent.partition_key == "drone-7"
    messages = [_as_consumer_sees(event) for event in sent.events]
    assert [message.data for message in messages] == [[b"body 0"], [b"body 1"], [b"body 2"]]
    assert [message.application_properties for message in messages] == [{b"number": number} for number in range(3)]
    assert {message.message_annotations[b"x-opt-partition-key"] for message in messages} == {b"drone-7"}


def test_events_of_one_batch_may_differ_in_everything() -> None:
    payloads = [
        Message(data=[b"a"]),
        Message(data=[b"a" * 300]),
        FULL,
        Message(data=[b"b"]),
        Message(value={"k": [1, "two", 3.0]}),
        Message(sequence=[[1, 2], ["x"]]),
        Message(properties=Properties(content_type="text/plain"), data=[b""]),
        Message(properties=Properties(content_type="text/plain"), data=[b"c", b"d"]),
        Message(properties=Properties(content_type="text/html"), data=[b"e"]),
        Message(message_annotations={b"x-opt-partition-key": "own"}, data=[b"f"]),
        Message(application_properties={"a": 1}),
    ]
    batch = BatchMessage(data=[_encoded(payload) for payload in payloads])
    events = split(_encoded(batch), BATCH_FORMAT).events
    assert len(events) == len(payloads)
    for payload, event in zip(payloads, events, strict=True):
        alone = split(_encoded(payload), 0).events[0]
        assert render(event, 1, 2, 3) == render(alone, 1, 2, 3)


def test_the_first_key_of_a_batch_without_its_own_decides() -> None:
    keyed = _encoded(Message(message_annotations={b"x-opt-partition-key": "k"}, data=[b"x"]))
    assert split(_encoded(BatchMessage(data=[keyed])), BATCH_FORMAT).partition_key == "k"
    assert split(_encoded(BatchMessage(data=[_encoded(Message(data=[b"x"]))])), BATCH_FORMAT).partition_key is None


@given(
    st.lists(
        st.tuples(
            st.booleans(), st.dictionaries(st.text(max_size=5), st.integers(0, 3), max_size=2), st.binary(max_size=300)
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_batch_gives_the_same_events_as_single_sends(events: list[tuple[bool, dict[str, int], bytes]]) -> None:
    encoded = [
        _encoded(
            Message(
                message_annotations={b"x-opt-partition-key": "k"} if keyed else None,
                application_properties=dict(properties),
                data=[body],
            )
        )
        for keyed, properties, body in events
    ]
    split_events = split(_encoded(BatchMessage(data=encoded)), BATCH_FORMAT).events
    assert split_events == [split(message, 0).events[0] for message in encoded]


def test_an_annotated_message_with_an_amqp_value_keeps_it() -> None:
    annotated = AmqpAnnotatedMessage(value_body={"a": [1, 2]})
    batch = EventDataBatch()
    batch.add(annotated)
    [event] = split(_encoded(batch._message), BATCH_FORMAT).events
    assert _as_consumer_sees(event).value == {b"a": [1, 2]}


def test_sections_named_by_long_numbers_become_short_for_the_sdk() -> None:
    long_name = b"\x00\x80" + bytes(7) + b"\x75" + binary(b"body")
    header = b"\x00\x80" + bytes(7) + b"\x70" + b"\xc0\x02\x01\x41"
    message = _as_consumer_sees(split(header + long_name, 0).events[0])
    assert (message.data, message.header.durable) == ([b"body"], True)


DATA = described(0x75, binary(b"x"))
PROPERTIES = described(0x73, b"\x45")


@pytest.mark.parametrize(
    "payload",
    [
        b"hello",
        b"\x00\x53",
        b"\x00\x53\x75",
        b"\x00\x53\x75\xa0\x05abc",
        b"\x00\x53\x99\x45",
        described(0x75, string("no binary")),
        described(0x72, b"\x45") + DATA,
        DATA + described(0x77, b"\x41"),
        described(0x77, b"\x41") + described(0x77, b"\x41"),
        PROPERTIES + PROPERTIES + DATA,
        described(0x70, b"\x41") + DATA,
        described(0x70, b"\xc0\x07\x06\x40\x40\x40\x40\x40\x40") + DATA,
        described(0x73, b"\x41") + DATA,
        described(0x74, b"\x45") + DATA,
        described(0x74, map_of([(string("a"), b"\xa1\x09bad")])) + DATA,
        described(0x76, b"\x41"),
        described(0x77, b"\xc1\x03\x01\x40\x40"),
        b"\x00" + symbol("amqp:data:binary") + binary(b"x"),
    ],
)
def test_what_would_hurt_a_consumer_is_refused(payload: bytes) -> None:
    with pytest.raises(DecodeError):
        split(payload, 0)
    with pytest.raises(DecodeError):
        split(DATA.replace(b"\xa0\x01x", binary(DATA)) + described(0x75, binary(payload)), BATCH_FORMAT)


@pytest.mark.parametrize("payload", [b"", DATA[:-1], described(0x77, b"\x41"), DATA + described(0x72, encode({}))])
def test_a_batch_that_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(DecodeError):
        split(payload, BATCH_FORMAT)


def test_an_unknown_message_format_is_refused() -> None:
    with pytest.raises(DeliveryFault, match="not-implemented"):
        split(DATA, 1)


@given(st.data())
def test_damaged_messages_raise_nothing_but_a_decode_error(data: st.DataObject) -> None:
    whole = _encoded(BatchMessage(data=[_encoded(FULL), _encoded(Message(data=[b"y"]))]))
    raw = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    for message_format in (0, BATCH_FORMAT):
        try:
            sent = split(cut, message_format)
        except DecodeError:
            continue
        for event in sent.events:
            _as_consumer_sees(event)
