"""The bytes we put into a batch are those that azure-eventhub would have put there."""

from __future__ import annotations

import pytest
from azure.eventhub import EventData, EventDataBatch

from simulator.wire import add, envelope


def by_the_sdk(key: str, content_type: str, *bodies: bytes) -> EventDataBatch:
    batch = EventDataBatch(partition_key=key)
    for body in bodies:
        event = EventData(body)
        event.content_type = content_type
        batch.add(event)
    return batch


@pytest.mark.parametrize("length", [0, 1, 100, 180, 200, 255, 256, 300, 5000, 70_000])
@pytest.mark.parametrize("key", ["drone-7", "d" * 300, "drohne-ä"])
def test_an_event_is_encoded_as_the_sdk_does(key: str, length: int) -> None:
    body = bytes(i % 251 for i in range(length))
    expected = by_the_sdk(key, "application/json", body)
    ours = EventDataBatch(partition_key=key)
    assert add(ours, envelope(key, "application/json"), body)
    assert bytes(ours._message[5][0]) == bytes(expected._message[5][0])
    assert ours.size_in_bytes == expected.size_in_bytes
    assert len(ours) == len(expected) == 1


def test_properties_are_encoded_as_the_sdk_does() -> None:
    event = EventData(b"body")
    event.content_type = "application/json"
    event.properties = {"topic": "thing/product/drone-7/osd"}
    expected = EventDataBatch(partition_key="drone-7")
    expected.add(event)
    ours = EventDataBatch(partition_key="drone-7")
    assert add(ours, envelope("drone-7", "application/json", {"topic": "thing/product/drone-7/osd"}), b"body")
    assert bytes(ours._message[5][0]) == bytes(expected._message[5][0])


def test_a_batch_of_several_drones() -> None:
    batch = EventDataBatch(partition_id="0")
    for number in range(3):
        assert add(batch, envelope(f"drone-{number}", "application/x-protobuf"), b"body")
    expected = [by_the_sdk(f"drone-{n}", "application/x-protobuf", b"body")._message[5][0] for n in range(3)]
    assert [bytes(data) for data in batch._message[5]] == [bytes(data) for data in expected]


def test_a_full_batch_takes_no_more() -> None:
    prefix = envelope("drone-1", "application/json")
    full = by_the_sdk("drone-1", "application/json", b"x" * 100, b"x" * 100)
    batch = EventDataBatch(max_size_in_bytes=full.size_in_bytes, partition_key="drone-1")
    assert add(batch, prefix, b"x" * 100)
    assert add(batch, prefix, b"x" * 100)
    assert not add(batch, prefix, b"")
    assert len(batch) == 2
    assert batch.size_in_bytes == full.size_in_bytes
