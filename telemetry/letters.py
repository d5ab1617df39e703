"""Dead letters: what is kept of a rejected message, and the delivery that is read out of it again."""

from __future__ import annotations

import base64
import binascii

import orjson

from telemetry.context import BODY_ERROR, BODY_TYPE
from telemetry.identity import dead_letter_id
from telemetry.model import DeadLetter, Delivery, Error
from telemetry.reading import claimed_device_id
from telemetry.told import Event, Told

_OF_THE_BODY = frozenset({BODY_TYPE, BODY_ERROR})
MANY_ALIKE = 100
"""An event of more elements than this, all rejected for the same codes, is one dead letter."""


def letters_of(
    event: Event, rejections: list[tuple[int, Told]], delivery: Delivery, batch_id: str, now: str
) -> list[DeadLetter]:
    """One each, or one for all of a large event that is wrong throughout in the same way: a few bytes must not become
    thousands of documents."""
    if len(rejections) == len(event.told) > MANY_ALIKE:
        codes = [{error["code"] for error in told.errors} for _, told in rejections]
        if all(some == codes[0] for some in codes):
            _, first = rejections[0]
            one_device = len({claimed_device_id(told.element) for _, told in rejections}) == 1
            letter = dead_letter_of(delivery, None, first if one_device else None, first.errors, batch_id, now)
            return [{**letter, "messages": len(rejections)}]
    return [
        dead_letter_of(delivery, None if event.single else index, told, told.errors, batch_id, now)
        for index, told in rejections
    ]


def dead_letter_of(
    delivery: Delivery,
    index: int | None,
    told: Told | None,
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


def with_text(letter: DeadLetter, text: str) -> DeadLetter:
    """A copy of the letter whose event said this JSON text, and nothing of how its own body could not be read."""
    context = letter.get("context")
    if context is not None and "system" in context:
        kept = {name: value for name, value in context["system"].items() if name not in _OF_THE_BODY}
        context = {**context, "system": kept}
    return {
        **letter,
        "body": base64.b64encode(text.encode("utf-8", "surrogatepass")).decode(),
        "contentType": "application/json",
        "contentEncoding": None,
        "context": context,
    }


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
