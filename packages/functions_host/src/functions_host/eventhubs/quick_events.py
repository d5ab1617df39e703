"""Received events are built without building, and throwing away, an empty outgoing event for each first.

azure-eventhub's EventData._from_message calls the constructor for its attributes, then replaces nearly all of them:
8 µs of its own CPU per event, a seventh of what receiving one costs.
"""

from __future__ import annotations

from typing import Any

from azure.eventhub import EventData
from azure.eventhub._pyamqp.message import Message
from azure.eventhub.amqp import AmqpAnnotatedMessage

original = EventData._from_message


def from_message(cls: Any, message: Any, raw_amqp_message: Any = None) -> EventData:
    """EventData._from_message: the same attributes with the same values."""
    event: EventData = cls.__new__(cls)
    event._last_enqueued_event_properties = {}
    event._sys_properties = None
    event._uamqp_message = None
    event._message = message
    event._raw_amqp_message = raw_amqp_message or AmqpAnnotatedMessage(message=message)
    return event


def install_quick_events() -> bool:
    """Put it in place of the SDK's own, if both give the same here and now; another version may have changed."""
    sample = Message(data=[b"x"], message_annotations={b"x-opt-offset": b"1"})
    theirs, ours = original(sample).__dict__, from_message(EventData, sample).__dict__
    plain = {name: value for name, value in theirs.items() if name != "_raw_amqp_message"}
    same = theirs.keys() == ours.keys() and all(ours[name] == value for name, value in plain.items())
    if same:
        EventData._from_message = classmethod(from_message)
    return same
