"""From deliveries to accepted messages and dead letters: nothing is left out, and no bad message touches a good one."""

from __future__ import annotations

import base64
import binascii
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from telemetry import context as event_context
from telemetry import times
from telemetry.decoding import decode_event
from telemetry.formats import Context, Reading, readings
from telemetry.identity import dead_letter_id, hub_message_id, message_id
from telemetry.misplaced import has_misplaced
from telemetry.model import DeadLetter, Delivery, Error, Message
from telemetry.reading import MessageReader, claimed_device_id, message_reader
from telemetry.rejection import EventRejected, broken
from telemetry.rules import Rules
from telemetry.vocabulary import CONTEXT_LEFT_OUT, Flag, Format, TimeSource


@dataclass
class Validated:
    """``len(messages) + rejected`` is the number of messages in the batch."""

    messages: list[Message] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """How many messages the dead letters stand for."""
        return sum(letter["messages"] for letter in self.dead_letters)


@dataclass(frozen=True)
class Rejected:
    """What is wrong with the message at ``index`` of one event; None when the event as a whole cannot be read."""

    index: int | None
    errors: list[Error]


IMPLAUSIBLE_CLOCK: Flag = "implausible_clock"
MISPLACED_FIELDS: Flag = "misplaced_fields"

MANY_ALIKE = 100
"""An event of more elements than this, all rejected for the same codes, is one dead letter."""


class _Told(NamedTuple):
    """What one element says (``message``, ``errors``), and what it was read from."""

    message: Message
    errors: list[Error]
    element: Any  # in the native shape
    source: Any  # as the sender wrote it
    format: Format
    reading: Reading | None  # None: it came in the native shape


class _Event(NamedTuple):
    told: list[_Told]
    single: bool  # one message that is the whole body


def validate_batch(deliveries: Sequence[Delivery], rules: Rules, batch_id: str, now: str) -> Validated:
    """Every message of the deliveries, accepted or rejected with every reason. ``now`` (canonical) is only the creation
    time of dead letters: the verdict is the same whenever it is asked for."""
    [validated] = validate_in_pages(deliveries, rules, batch_id, now, sys.maxsize)
    return validated


def validate_in_pages(
    deliveries: Iterable[Delivery], rules: Rules, batch_id: str, now: str, size: int
) -> Iterator[Validated]:
    """The same, in at least one page. A page ends with the event that makes it hold ``size`` messages and letters or
    more, so that what a batch becomes need not be in memory at once."""
    result = Validated()
    read = message_reader(rules)
    by_body = rules.device_id_source == "body"
    for delivery in deliveries:
        if len(result.messages) + len(result.dead_letters) >= size:
            yield result
            result = Validated()
        try:
            value, decoded = _decode(delivery)
        except EventRejected as rejected:
            result.dead_letters.append(_dead_letter(delivery, None, None, [rejected.error], batch_id, now))
            continue
        if by_body and type(value) is dict and "deviceId" in value:
            # The short way for what nearly every event is: one good message in the native shape. A partition key
            # alone, which nearly every sender sets, changes nothing while the body names the device.
            context = delivery.context
            if context is None or (len(context) == 1 and "partitionKey" in context):
                message, errors = read(value)
                if not errors and _kept(message, errors, value, decoded, None, delivery, 0, rules, batch_id):
                    result.messages.append(message)
                    continue
        event = _told_by(value, delivery, rules, read, decoded)
        rejections: list[tuple[int, _Told]] = []
        for index, told in enumerate(event.told):
            kept = _accepted(told, delivery, index, rules, batch_id)
            if kept is None:
                rejections.append((index, told))
            else:
                result.messages.append(kept)
        if rejections:
            result.dead_letters += _letters(event, rejections, delivery, batch_id, now)
    yield result


def validate_dead_letter(letter: DeadLetter, rules: Rules) -> tuple[list[Message], list[Error]]:
    """Today's verdict on a dead letter's kept bytes, with the identity its message had when it was delivered.

    Either messages (none for an event that turns out to be ``[]``) or errors, never both: an event of several messages
    is accepted as a whole or stays what it is.
    """
    delivery, index = delivery_of(letter)
    read = message_reader(rules)
    try:
        if index is None:
            told = list(enumerate(_read_event(delivery, rules, read).told))
        else:
            told = [(index, one) for one in _read_value(orjson.loads(delivery.body), delivery, rules, read, "json")]
    except EventRejected as rejected:
        return [], [rejected.error]
    except orjson.JSONDecodeError as error:
        return [], [broken("malformed_json", None, None, str(error))]
    messages: list[Message] = []
    all_errors: list[Error] = []
    for place, one in told:
        message = _accepted(one, delivery, place, rules, letter["batchId"])
        if message is None:
            all_errors += one.errors
        else:
            messages.append(message)
    return ([], all_errors) if all_errors else (messages, [])


def check_event(
    body: bytes, content_type: str | None, content_encoding: str | None, rules: Rules, now: str
) -> tuple[list[tuple[Any, Message]], list[Rejected]]:
    """The verdict on a body that no hub has delivered yet, as if it were enqueued ``now`` (canonical).

    Gives the accepted messages, each with the element as the sender wrote it, and the rejected ones.
    """
    delivery = Delivery("", "", 0, "", now, body, content_type, content_encoding)
    if rules.device_id_source == "partition_key":  # which will be the device that the body names
        rules = replace(rules, device_id_source="body")
    try:
        event = _read_event(delivery, rules, message_reader(rules))
    except EventRejected as rejected:
        return [], [Rejected(None, [rejected.error])]
    accepted: list[tuple[Any, Message]] = []
    rejections: list[Rejected] = []
    for index, told in enumerate(event.told):
        message = _accepted(told, delivery, index, rules, "")
        if message is None:
            rejections.append(Rejected(index, told.errors))
        else:
            accepted.append((told.source, message))
    return accepted, rejections


def delivery_of(letter: DeadLetter) -> tuple[Delivery, int | None]:
    """The delivery that a dead letter keeps (its body is one element's JSON when there is an index).

    Raises ValueError when the kept body is not base64.
    """
    try:
        body = base64.b64decode(letter["body"], validate=True)
    except binascii.Error as error:
        raise ValueError(f"dead letter {letter['id']}: body is not base64: {error}") from error
    delivery = Delivery(
        letter["hub"],
        letter["partition"],
        letter["sequenceNumber"],
        letter["offset"],
        letter["enqueuedAt"],
        body,
        letter.get("contentType"),
        letter.get("contentEncoding"),
        letter.get("context"),
    )
    return delivery, letter["index"]


def _read_event(delivery: Delivery, rules: Rules, read: MessageReader) -> _Event:
    """Raises EventRejected."""
    value, decoded = _decode(delivery)
    return _told_by(value, delivery, rules, read, decoded)


def _told_by(value: Any, delivery: Delivery, rules: Rules, read: MessageReader, decoded: Format) -> _Event:
    if type(value) is not list:
        told = _read_value(value, delivery, rules, read, decoded)
        return _Event(told, len(told) == 1)
    return _Event([one for element in value for one in _read_value(element, delivery, rules, read, decoded)], False)


def _decode(delivery: Delivery) -> tuple[Any, Format]:
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


def _read_value(value: Any, delivery: Delivery, rules: Rules, read: MessageReader, decoded: Format) -> list[_Told]:
    """The messages of one value: one, unless it is in a format that says otherwise."""
    context = delivery.context
    if (
        type(value) is dict
        and "deviceId" in value
        and (context is None or "properties" not in context)
        and rules.device_id_source == "body"
    ):
        message, errors = read(value)  # nearly every message is this
        return [_Told(message, errors, value, value, decoded, None)]
    device = event_context.named_device(context, rules)
    try:
        found = readings(value, Context(delivery.content_type, context, device, decoded))
    except EventRejected as rejected:  # of an array only this element
        return [_Told({}, [rejected.error], value, value, decoded, None)]
    if found is None:
        element, mismatch = _with_device(value, device, rules)
        message, errors = read(element)
        return [_Told(message, errors + mismatch, element, value, decoded, None)]
    told: list[_Told] = []
    for reading in found:
        element, mismatch = _with_device(reading.element, device, rules)
        message, errors = read(element)
        told.append(_Told(message, errors + mismatch, element, reading.source, reading.format, reading))
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
    detail = f"the body names {claimed!r}, but by its {rules.device_id_source} the event is {device!r}'s"
    return named, [broken("device_id_mismatch", "deviceId", claimed, detail)]


def _accepted(told: _Told, delivery: Delivery, index: int, rules: Rules, batch_id: str) -> Message | None:
    """The message as it is kept; None when it is rejected (``told.errors`` has every reason)."""
    message, errors, element, _, decoded, reading = told
    return _kept(message, errors, element, decoded, reading, delivery, index, rules, batch_id)


def _kept(
    message: Message,
    errors: list[Error],
    element: Any,
    decoded: Format,
    reading: Reading | None,
    delivery: Delivery,
    index: int,
    rules: Rules,
    batch_id: str,
) -> Message | None:
    enqueued_at = delivery.enqueued_at
    time = message.get("time")
    # Three steps, because the exact sum costs more than all other checks of a message.
    if time is not None and time > enqueued_at and time > _latest_for_second(enqueued_at[:20], rules):
        latest = times.add_seconds(enqueued_at, rules.future_tolerance_seconds)
        if time > latest:
            detail = f"timestamp is later than {latest}, the latest allowed for an event enqueued at {enqueued_at}"
            errors.append(broken("timestamp_in_future", "timestamp", element["timestamp"], detail))
    if errors:
        return None
    source: TimeSource = "device"
    if time is not None and time < rules.not_before:
        message["flags"].append(IMPLAUSIBLE_CLOCK)
        message["extra"] = {**message.get("extra", {}), "deviceTime": element["timestamp"]}
        time = None
    if time is None:
        time, source = _time_beside(reading, delivery, rules)
        message["time"] = time
    if source == "device":
        message["id"] = message_id(orjson.dumps(message, option=orjson.OPT_SORT_KEYS))
    else:
        message["id"] = hub_message_id(delivery.hub, delivery.partition, delivery.sequence_number, enqueued_at, index)
    message["timeSource"] = source
    message["format"] = decoded
    # Other people's formats put their own words where they belong.
    if "extra" in message and (reading is None or reading.format == "json") and has_misplaced(message["extra"]):
        message["flags"].append(MISPLACED_FIELDS)
    if reading is not None and reading.extra:
        message["extra"] = {**message.get("extra", {}), **reading.extra}
    if delivery.context is not None and "leftOut" in delivery.context:
        message["flags"] += [f"{CONTEXT_LEFT_OUT}:{name}" for name in delivery.context["leftOut"]]
    message["enqueuedAt"] = enqueued_at
    message["partition"] = delivery.partition
    message["sequenceNumber"] = delivery.sequence_number
    message["index"] = index
    message["batchId"] = batch_id
    return message


def _time_beside(reading: Reading | None, delivery: Delivery, rules: Rules) -> tuple[str, TimeSource]:
    """The time of a message whose body has none, and who says so. A word that is no plausible time is passed over."""
    words: list[tuple[Any, TimeSource]] = []
    context = delivery.context
    words.append((event_context.system_property(context, event_context.CREATED_ANNOTATION), "device"))
    if reading is not None:
        words.append((reading.timestamp, reading.time_source))
    words.append((event_context.system_property(context, event_context.ENQUEUED_ANNOTATION), "gateway"))
    for word, source in words:
        if word is None:
            continue
        try:
            time = times.from_word(word)
        except ValueError:
            continue
        if rules.not_before <= time <= times.add_seconds(delivery.enqueued_at, rules.future_tolerance_seconds):
            return time, source
    return delivery.enqueued_at, "hub"


@lru_cache(maxsize=256)
def _latest_for_second(second: str, rules: Rules) -> str:
    """The latest time allowed for an event enqueued as that second began: allowed for later ones too."""
    return times.add_seconds(second + "000000Z", rules.future_tolerance_seconds)


def _letters(
    event: _Event, rejections: list[tuple[int, _Told]], delivery: Delivery, batch_id: str, now: str
) -> list[DeadLetter]:
    """One each, or one for all of a large event that is wrong throughout in the same way: a few bytes must not become
    thousands of documents."""
    if len(rejections) == len(event.told) > MANY_ALIKE:
        codes = [{error["code"] for error in told.errors} for _, told in rejections]
        if all(some == codes[0] for some in codes):
            _, first = rejections[0]
            one_device = len({claimed_device_id(told.element) for _, told in rejections}) == 1
            letter = _dead_letter(delivery, None, first if one_device else None, first.errors, batch_id, now)
            return [{**letter, "messages": len(rejections)}]
    return [
        _dead_letter(delivery, None if event.single else index, told, told.errors, batch_id, now)
        for index, told in rejections
    ]


def _dead_letter(
    delivery: Delivery,
    index: int | None,
    told: _Told | None,
    errors: list[Error],
    batch_id: str,
    now: str,
) -> DeadLetter:
    """``index`` None keeps the event's bytes as delivered, else the element (of an array) as compact JSON."""
    whole = index is None
    body = delivery.body if whole or told is None else orjson.dumps(told.source)
    return {
        "id": dead_letter_id(delivery.hub, delivery.partition, delivery.sequence_number, delivery.enqueued_at, index),
        "status": "open",
        "errors": errors,
        "body": base64.b64encode(body).decode(),
        "deviceId": None if told is None else claimed_device_id(told.element),
        "hub": delivery.hub,
        "partition": delivery.partition,
        "offset": delivery.offset,
        "sequenceNumber": delivery.sequence_number,
        "enqueuedAt": delivery.enqueued_at,
        "index": index,
        "batchId": batch_id,
        "attempts": 1,
        "createdAt": now,
        "resolvedAt": None,
        "reason": None,
        "contentType": delivery.content_type if whole else "application/json",
        "contentEncoding": delivery.content_encoding if whole else None,
        "context": delivery.context,
        "messages": 1,
    }
