"""Events and trigger metadata, held against azure.functions' own converter."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from azure.functions import EventHubEvent
from azure.functions.eventhub import EventHubTriggerConverter
from azure.functions.meta import Datum
from event_data import received
from functions_host.eventhubs import wire
from functions_host.eventhubs.events import ReceivedEvent
from functions_host.eventhubs.metadata import (
    batch_datum,
    batch_metadata,
    body_of,
    event_metadata,
    event_objects,
    system_properties,
)

CONTEXT = {"FullyQualifiedNamespace": "ns", "EventHubName": "hub", "ConsumerGroup": "g", "PartitionId": "3"}


def over_the_wire(event: ReceivedEvent) -> ReceivedEvent:
    """As a worker gets it."""
    return wire.received(wire.wired(event, binary=True))


EVENTS = [
    over_the_wire(received(b'{"a": 1}', 0)),
    over_the_wire(
        received("é".encode(), 1, key="drone-1", properties={"kind": "x", "count": 2}, content_type="text/plain")
    ),
    over_the_wire(received(b"z", 2, annotations={b"iothub-connection-device-id": b"dev", b"other": 7})),
]


def parts(event: EventHubEvent) -> dict[str, Any]:
    return {
        "body": event.get_body(),
        "enqueued_time": event.enqueued_time,
        "partition_key": event.partition_key,
        "sequence_number": event.sequence_number,
        "offset": event.offset,
        "iothub": event.iothub_metadata,
        "metadata": event.metadata,
    }


def test_the_short_way_gives_what_the_converter_gives() -> None:
    metadata = batch_metadata(EVENTS, CONTEXT)
    long = EventHubTriggerConverter.decode(batch_datum(EVENTS, binary=False), trigger_metadata=dict(metadata))
    short = event_objects(EVENTS, metadata, binary=False)
    assert [parts(event) for event in short] == [parts(event) for event in long]
    assert [event.offset for event in short] == [0, 100, 200]
    assert short[1].partition_key == "drone-1"
    assert short[0].enqueued_time == datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert short[2].iothub_metadata == {"connection-device-id": "dev"}


def test_metadata_of_many_has_one_element_per_event() -> None:
    metadata = event_objects(EVENTS, batch_metadata(EVENTS, CONTEXT), binary=False)[0].metadata
    assert metadata is not None
    assert metadata["PartitionContext"] == metadata["TriggerPartitionContext"] == CONTEXT
    assert metadata["PartitionKeyArray"] == ["", "drone-1", ""]
    assert metadata["OffsetArray"] == metadata["OffsetStringArray"] == ["0", "100", "200"]
    assert metadata["SequenceNumberArray"] == [0, 1, 2]
    assert metadata["EnqueuedTimeUtcArray"][1] == "2026-01-01T00:00:00.001Z"
    assert metadata["PropertiesArray"] == [{}, {"kind": "x", "count": 2}, {}]
    assert metadata["SystemPropertiesArray"][1] == {
        "content-type": "text/plain",
        "SequenceNumber": 1,
        "Offset": 100,
        "OffsetString": "100",
        "PartitionKey": "drone-1",
        "EnqueuedTimeUtc": "2026-01-01T00:00:00.001Z",
    }
    assert metadata["SystemPropertiesArray"][2]["other"] == 7


def test_a_single_event_goes_through_the_converter() -> None:
    event = EventHubTriggerConverter.decode(Datum(b"x", "bytes"), trigger_metadata=event_metadata(EVENTS[1], CONTEXT))
    assert (event.sequence_number, event.offset, event.partition_key) == (1, "100", "drone-1")
    assert event.enqueued_time == datetime(2026, 1, 1, 0, 0, 0, 1000, tzinfo=timezone.utc)
    assert event.metadata["Properties"] == {"kind": "x", "count": 2}
    assert event.metadata["PartitionContext"]["PartitionId"] == "3"


def test_metadata_is_made_when_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(_: object) -> dict[str, object]:
        made.append(1)
        return {}

    monkeypatch.setattr("functions_host.eventhubs.metadata.system_properties", counted)
    events = event_objects(EVENTS, batch_metadata(EVENTS, CONTEXT), binary=False)
    assert events[0].get_body()
    assert made == []
    assert events[0].metadata is not None
    assert len(made) == 3


def test_bytes_that_are_no_text_survive_only_as_binary() -> None:
    event = received(b"\x08\xff\x01", 0)
    assert body_of(event, binary=True) == b"\x08\xff\x01"
    assert body_of(event, binary=False) == "\x08�\x01".encode()
    assert body_of(received("é€".encode(), 0), binary=False) == "é€".encode()


def test_offsets_that_are_no_numbers_do_not_break_the_batch() -> None:
    event = received(b"x", 5, offset=b"3:17:5")
    assert system_properties(event)["Offset"] == -1
    assert system_properties(event)["OffsetString"] == "3:17:5"
    assert event_objects([event], batch_metadata([event], CONTEXT), binary=False)[0].sequence_number == 5


def test_a_body_that_is_no_data_says_so() -> None:
    odd = over_the_wire(
        ReceivedEvent(b"[]", 1, "0", body_type="sequence", damage="odd", body_damage="bytes in it are no UTF-8")
    )
    assert (odd.damage, odd.body_damage) == ("odd", "bytes in it are no UTF-8")
    assert (system_properties(odd)["body-type"], system_properties(odd)["body-error"]) == ("sequence", odd.body_damage)
    assert not {"body-type", "body-error"} & system_properties(ReceivedEvent(b"", 1, "0")).keys()


def test_the_wire_keeps_all_there_is_of_an_event() -> None:
    event = received(
        b"x", 7, key="k", properties={"n": 1.5, "b": b"\xff", "s": "t"}, annotations={b"own": 7}, content_type="a/b"
    )
    there = over_the_wire(event)
    assert (there.properties, there.annotations) == ({"n": 1.5, "b": "/w==", "s": "t"}, {"own": 7})
    assert there.message_properties == {"content-type": "a/b"}
    for name in ("body", "sequence_number", "offset", "enqueued", "partition_key", "body_type"):
        assert getattr(there, name) == getattr(event, name)
