"""From deliveries to accepted messages and dead letters: nothing is left out, and no bad message touches a good one."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import orjson

from telemetry import context as event_context
from telemetry import times
from telemetry.formats import Reading
from telemetry.identity import hub_message_id, message_id
from telemetry.letters import dead_letter_of, delivery_of, letters_of
from telemetry.misplaced import has_misplaced
from telemetry.model import DeadLetter, Delivery, Error, Message
from telemetry.reading import message_reader
from telemetry.rejection import EventRejected, broken
from telemetry.rules import Rules
from telemetry.told import Told, read_event, read_value, told_by, value_of
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


def validate_batch(deliveries: Sequence[Delivery], rules: Rules, batch_id: str, now: str) -> Validated:
    """Every message of the deliveries, accepted or rejected with every reason. ``now`` (canonical) is only the creation
    time of dead letters: the verdict is the same whenever it is asked for."""
    [validated] = validate_in_pages(deliveries, rules, batch_id, now, sys.maxsize)
    return validated


def validate_in_pages(
    deliveries: Iterable[Delivery], rules: Rules, batch_id: str, now: str, size: int
) -> Iterator[Validated]:
    """The same, in at least one page. A page ends with the event that makes it ``size`` messages or more, accepted or
    not: what a batch becomes need not be in memory at once, and the caller can do something else in between."""
    result = Validated()
    rejected_messages = 0
    read = message_reader(rules)
    by_body = rules.device_id_source == "body"
    for delivery in deliveries:
        if len(result.messages) + rejected_messages >= size:
            yield result
            result, rejected_messages = Validated(), 0
        try:
            value, decoded = value_of(delivery)
        except EventRejected as rejected:
            result.dead_letters.append(dead_letter_of(delivery, None, None, [rejected.error], batch_id, now))
            rejected_messages += 1
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
        event = told_by(value, delivery, rules, read, decoded)
        rejections: list[tuple[int, Told]] = []
        for index, told in enumerate(event.told):
            kept = _accepted(told, delivery, index, rules, batch_id)
            if kept is None:
                rejections.append((index, told))
            else:
                result.messages.append(kept)
        if rejections:
            result.dead_letters += letters_of(event, rejections, delivery, batch_id, now)
            rejected_messages += len(rejections)
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
            told = list(enumerate(read_event(delivery, rules, read).told))
        else:
            told = [(index, one) for one in read_value(orjson.loads(delivery.body), delivery, rules, read, "json")]
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
        event = read_event(delivery, rules, message_reader(rules))
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


def _accepted(told: Told, delivery: Delivery, index: int, rules: Rules, batch_id: str) -> Message | None:
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
