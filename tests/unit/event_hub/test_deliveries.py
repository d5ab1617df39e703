"""An event that was read from the hub is the delivery that the trigger would have made of it."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from azure.eventhub import EventData
from azure.eventhub._pyamqp.message import Header, Message, Properties
from azure.eventhub.amqp import AmqpMessageBodyType

from event_hub.deliveries import deliveries_from


def received(**parts: object) -> EventData:
    annotations = {
        b"x-opt-sequence-number": 7,
        b"x-opt-offset": b"700",
        b"x-opt-enqueued-time": 1_767_225_600_123,
        b"x-opt-partition-key": b"drone-1",
        b"iothub-connection-device-id": b"falcon-1",
    }
    properties = Properties(content_type=b"application/json", message_id=b"m-1")
    message = Message(
        **{
            "header": Header(),
            "message_annotations": annotations,
            "properties": properties,
            "application_properties": {b"topic": b"thing", b"number": 5, b"content-encoding": b"gzip"},
            **parts,
        }
    )
    return EventData._from_message(message)


def test_everything_that_comes_with_an_event() -> None:
    (one,) = deliveries_from([received(data=[b"bo", b"dy"])], "telemetry", "3")
    assert (one.hub, one.partition, one.sequence_number, one.offset) == ("telemetry", "3", 7, "700")
    assert one.enqueued_at == datetime(2026, 1, 1, 0, 0, 0, 123_000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert (one.body, one.content_type, one.content_encoding) == (b"body", "application/json", "gzip")
    assert one.context is not None
    assert one.context["partitionKey"] == "drone-1"
    assert one.context["properties"] == {"topic": "thing", "number": 5}
    assert one.context["system"]["iothub-connection-device-id"] == "falcon-1"


@pytest.mark.parametrize(
    ("parts", "body", "kind"),
    [
        ({"value": {b"battery": 0.5}}, b'{"battery": 0.5}', AmqpMessageBodyType.VALUE),
        ({"value": b"text"}, b"text", AmqpMessageBodyType.VALUE),
        ({"sequence": [[1, b"a"]]}, b'[[1, "a"]]', AmqpMessageBodyType.SEQUENCE),
    ],
)
def test_a_body_that_is_no_data_is_its_json(parts: dict[str, object], body: bytes, kind: AmqpMessageBodyType) -> None:
    (one,) = deliveries_from([received(**parts)], "telemetry", "0")
    assert one.body == body
    assert one.context is not None
    assert one.context["system"]["body-type"] == kind.value


def test_nothing_is_nothing() -> None:
    assert deliveries_from([], "telemetry", "0") == []
