"""From deliveries to accepted messages and dead letters: nothing is left out, and no bad message touches a good one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from telemetry import times
from telemetry.decoding import decode_event
from telemetry.identity import dead_letter_id, hub_message_id, message_id
from telemetry.model import DeadLetter, Delivery, Error, Message
from telemetry.reading import claimed_device_id, message_reader
from telemetry.rejection import EventRejected, broken
from telemetry.rules import Rules


@dataclass
class Validated:
    """``len(messages) + len(dead_letters)`` is the number of messages in the batch."""

    messages: list[Message] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)


@dataclass(frozen=True)
class Rejected:
    """What is wrong with the message at ``index`` of one event; None when the event as a whole cannot be read."""

    index: int | None
    errors: list[Error]


def validate_batch(deliveries: Sequence[Delivery], rules: Rules, batch_id: str, now: str) -> Validated:
    """Every message of the deliveries, accepted or rejected with every reason. ``now`` (canonical) is only the creation
    time of dead letters: the verdict is the same whenever it is asked for."""
    result = Validated()
    read = message_reader(rules)
    for delivery in deliveries:
        try:
            decoded = decode_event(delivery.body, delivery.content_type, delivery.content_encoding)
        except EventRejected as rejected:
            result.dead_letters.append(_dead_letter(delivery, None, None, [rejected.error], batch_id, now))
            continue
        single = not isinstance(decoded, list)
        for index, element in enumerate([decoded] if single else decoded):
            message, errors = _validate(read(element), element, delivery, index, rules, batch_id)
            if errors:
                place = None if single else index
                result.dead_letters.append(_dead_letter(delivery, place, element, errors, batch_id, now))
            else:
                result.messages.append(message)
    return result


def validate_dead_letter(letter: DeadLetter, rules: Rules) -> tuple[list[Message], list[Error]]:
    """Today's verdict on a dead letter's kept bytes, with the identity its message had when it was delivered.

    Either messages (none for an event that turns out to be ``[]``) or errors, never both: an event of several messages
    is accepted as a whole or stays what it is.
    """
    delivery, index = delivery_of(letter)
    batch_id = letter["batchId"]
    read = message_reader(rules)
    try:
        if index is None:
            decoded = decode_event(delivery.body, delivery.content_type, delivery.content_encoding)
            elements = list(enumerate(decoded if isinstance(decoded, list) else [decoded]))
        else:
            elements = [(index, orjson.loads(delivery.body))]
    except EventRejected as rejected:
        return [], [rejected.error]
    except orjson.JSONDecodeError as error:
        return [], [broken("malformed_json", None, None, str(error))]
    messages: list[Message] = []
    all_errors: list[Error] = []
    for place, element in elements:
        message, errors = _validate(read(element), element, delivery, place, rules, batch_id)
        messages.append(message)
        all_errors += errors
    return ([], all_errors) if all_errors else (messages, [])


def check_event(
    body: bytes, content_type: str | None, content_encoding: str | None, rules: Rules, now: str
) -> tuple[list[tuple[Any, Message]], list[Rejected]]:
    """The verdict on a body that no hub has delivered yet, as if it were enqueued ``now`` (canonical).

    Gives the accepted messages, each with the element as the sender wrote it, and the rejected ones.
    """
    delivery = Delivery("", "", 0, "", now, body, content_type, content_encoding)
    read = message_reader(rules)
    try:
        decoded = decode_event(body, content_type, content_encoding)
    except EventRejected as rejected:
        return [], [Rejected(None, [rejected.error])]
    accepted: list[tuple[Any, Message]] = []
    rejections: list[Rejected] = []
    for index, element in enumerate(decoded if isinstance(decoded, list) else [decoded]):
        message, errors = _validate(read(element), element, delivery, index, rules, "")
        if errors:
            rejections.append(Rejected(index, errors))
        else:
            accepted.append((element, message))
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
    )
    return delivery, letter["index"]


def _validate(
    said: tuple[Message, list[Error]], element: Any, delivery: Delivery, index: int, rules: Rules, batch_id: str
) -> tuple[Message, list[Error]]:
    message, errors = said
    enqueued_at = delivery.enqueued_at
    time = message.get("time")
    # Three steps, because the exact sum costs more than all other checks of a message.
    if time is not None and time > enqueued_at and time > _latest_for_second(enqueued_at[:20], rules):
        latest = times.add_seconds(enqueued_at, rules.future_tolerance_seconds)
        if time > latest:
            detail = f"timestamp is later than {latest}, the latest allowed for an event enqueued at {enqueued_at}"
            errors.append(broken("timestamp_in_future", "timestamp", element["timestamp"], detail))
    if errors:
        return message, errors
    if time is not None:
        message["id"] = message_id(orjson.dumps(message, option=orjson.OPT_SORT_KEYS))
        message["timeSource"] = "device"
    else:
        message["id"] = hub_message_id(delivery.hub, delivery.partition, delivery.sequence_number, enqueued_at, index)
        message["time"] = enqueued_at
        message["timeSource"] = "hub"
    message["enqueuedAt"] = enqueued_at
    message["partition"] = delivery.partition
    message["sequenceNumber"] = delivery.sequence_number
    message["index"] = index
    message["batchId"] = batch_id
    return message, errors


@lru_cache(maxsize=256)
def _latest_for_second(second: str, rules: Rules) -> str:
    """The latest time allowed for an event enqueued as that second began: allowed for later ones too."""
    return times.add_seconds(second + "000000Z", rules.future_tolerance_seconds)


def _dead_letter(
    delivery: Delivery, index: int | None, element: Any, errors: list[Error], batch_id: str, now: str
) -> DeadLetter:
    """``index`` None keeps the event's bytes as delivered, else the element (of an array) as compact JSON."""
    whole = index is None
    body = delivery.body if whole else orjson.dumps(element)
    return {
        "id": dead_letter_id(delivery.hub, delivery.partition, delivery.sequence_number, delivery.enqueued_at, index),
        "status": "open",
        "errors": errors,
        "body": base64.b64encode(body).decode(),
        "deviceId": claimed_device_id(element),
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
    }
