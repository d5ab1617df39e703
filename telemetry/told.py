"""What each element of an event says, whatever its format, and who its device is."""

from __future__ import annotations

from typing import Any, NamedTuple

from telemetry import context as event_context
from telemetry.decoding import decode_event
from telemetry.formats import Context, Reading, readings
from telemetry.model import Delivery, Error, Message
from telemetry.reading import MessageReader
from telemetry.rejection import EventRejected, broken
from telemetry.rules import Rules
from telemetry.vocabulary import Format


class Told(NamedTuple):
    """What one element says (``message``, ``errors``), and what it was read from."""

    message: Message
    errors: list[Error]
    element: Any  # in the native shape
    source: Any  # as the sender wrote it
    format: Format
    reading: Reading | None  # None: it came in the native shape


class Event(NamedTuple):
    told: list[Told]
    single: bool  # one message that is the whole body


def read_event(delivery: Delivery, rules: Rules, read: MessageReader) -> Event:
    """Raises EventRejected."""
    value, decoded = value_of(delivery)
    return told_by(value, delivery, rules, read, decoded)


def told_by(value: Any, delivery: Delivery, rules: Rules, read: MessageReader, decoded: Format) -> Event:
    if type(value) is not list:
        told = read_value(value, delivery, rules, read, decoded)
        return Event(told, len(told) == 1)
    return Event([one for element in value for one in read_value(element, delivery, rules, read, decoded)], False)


def value_of(delivery: Delivery) -> tuple[Any, Format]:
    """The body's value. What was no AMQP data is JSON, or the text or bytes that an AMQP value held. Raises
    EventRejected."""
    if delivery.context is None or "system" not in delivery.context:
        return decode_event(delivery.body, delivery.content_type, delivery.content_encoding)
    body_type = event_context.system_property(delivery.context, event_context.BODY_TYPE)
    damage = event_context.system_property(delivery.context, event_context.BODY_ERROR)
    if damage is not None:
        raise EventRejected("unreadable_body", f"the body cannot be read: {damage}")
    try:
        return decode_event(delivery.body, delivery.content_type, delivery.content_encoding)
    except EventRejected as rejected:
        if body_type is None or not rejected.error["code"].startswith("malformed"):
            raise
        detail = f"the body is an AMQP {body_type} that is no message: {rejected.error['detail']}"
        raise EventRejected("unreadable_body", detail) from None


def read_value(value: Any, delivery: Delivery, rules: Rules, read: MessageReader, decoded: Format) -> list[Told]:
    """The messages of one value: one, unless it is in a format that says otherwise."""
    context = delivery.context
    if (
        type(value) is dict
        and "deviceId" in value
        and (context is None or "properties" not in context)
        and rules.device_id_source == "body"
    ):
        message, errors = read(value)  # nearly every message is this
        return [Told(message, errors, value, value, decoded, None)]
    device = event_context.named_device(context, rules)
    try:
        found = readings(value, Context(delivery.content_type, context, device, decoded))
    except EventRejected as rejected:  # of an array only this element
        return [Told({}, [rejected.error], value, value, decoded, None)]
    if found is None:
        element, mismatch = _with_device(value, device, rules)
        message, errors = read(element)
        return [Told(message, errors + mismatch, element, value, decoded, None)]
    told: list[Told] = []
    for reading in found:
        element, mismatch = _with_device(reading.element, device, rules)
        message, errors = read(element)
        told.append(Told(message, errors + mismatch, element, reading.source, reading.format, reading))
    return told


def _with_device(element: Any, device: Any, rules: Rules) -> tuple[Any, list[Error]]:
    """The element with the device as ``DEVICE_ID_SOURCE`` names it, and what is wrong if it names another."""
    if rules.device_id_source == "body" or type(element) is not dict:
        return element, []
    claimed = element.get("deviceId")
    # Without the source's word the body's does not count: anybody could write it there.
    named = {**element, "deviceId": device}
    if device is None or claimed is None or claimed == device:
        return named, []
    source = event_context.NAMED_BY[rules.device_id_source]
    detail = f"the body names {claimed!r}, but the event's {source} names {device!r}"
    return named, [broken("device_id_mismatch", "deviceId", claimed, detail)]
