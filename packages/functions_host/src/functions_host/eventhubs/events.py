"""A received event, whoever received it: plain values that a function's arguments and metadata are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from functions_host.eventhubs.amqp_values import holds_binary, json_bytes, last_resort, text_of

if TYPE_CHECKING:
    from azure.eventhub import EventData

# Under this annotation a decoder says what of an event could not be read.
DAMAGE = b"x-functions-host-damage"

_SEQUENCE_NUMBER = b"x-opt-sequence-number"
_OFFSET = b"x-opt-offset"
_ENQUEUED = b"x-opt-enqueued-time"
_KEY = b"x-opt-partition-key"
_OWN = frozenset({_SEQUENCE_NUMBER, _OFFSET, _ENQUEUED, _KEY, DAMAGE})
# In the order of AMQP's properties section.
MESSAGE_PROPERTIES = (
    "message_id",
    "user_id",
    "to",
    "subject",
    "reply_to",
    "correlation_id",
    "content_type",
    "content_encoding",
    "absolute_expiry_time",
    "creation_time",
    "group_id",
    "group_sequence",
    "reply_to_group_id",
)


@dataclass(slots=True, eq=False)
class SharedProperties:
    """Properties that many events have alike. Nobody changes them; `wired` is what they are on the wire, once known."""

    properties: Mapping[Any, Any]
    message_properties: Mapping[str, Any]
    wired: tuple[Any, ...] | None = None


@dataclass(slots=True)
class ReceivedEvent:
    """One event of a partition.

    `enqueued` is in milliseconds since 1970. `annotations` are those that the four named fields do not tell;
    `message_properties` are AMQP's own (content-type and so on), those that are set. `damage` says what of the event
    could not be read, and is empty when all could. `shared`: its properties are those, and nothing else is told of it.
    """

    body: bytes
    sequence_number: int
    offset: str
    enqueued: int | None = None
    partition_key: str | None = None
    properties: Mapping[Any, Any] = field(default_factory=dict)
    annotations: Mapping[Any, Any] = field(default_factory=dict)
    message_properties: Mapping[str, Any] = field(default_factory=dict)
    damage: str = ""
    body_type: str = "data"  # of AMQP: data, value or sequence
    body_damage: str = ""  # the part of ``damage`` that concerns the body
    shared: SharedProperties | None = field(default=None, compare=False, repr=False)

    @property
    def enqueued_time(self) -> datetime | None:
        return None if self.enqueued is None else _moment(self.enqueued)


@lru_cache(maxsize=1024)
def _moment(milliseconds: int) -> datetime | None:
    """Events that were sent together have one."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None


class Unreadable(Exception):
    """An event without a sequence number: nothing can be said of it but where it lies."""


def from_sdk(event: EventData) -> ReceivedEvent:
    """What azure-eventhub received. Raises Unreadable, and nothing else."""
    message = event.raw_amqp_message
    annotations: Mapping[Any, Any] = message.annotations or {}
    number = annotations.get(_SEQUENCE_NUMBER)
    if not isinstance(number, int):
        raise Unreadable(str(annotations.get(DAMAGE) or "it has no sequence number"))
    damage = str(annotations.get(DAMAGE) or "")
    body, body_damage = body_bytes(message.body_type.name, message.body)
    enqueued, key = annotations.get(_ENQUEUED), annotations.get(_KEY)
    rest = annotations if len(annotations) > 3 else {}
    return ReceivedEvent(
        body=body,
        sequence_number=number,
        offset=text_of(annotations.get(_OFFSET) or ""),
        enqueued=enqueued if isinstance(enqueued, int) else None,
        partition_key=None if key is None else text_of(key),
        properties=message.application_properties or {},
        annotations={name: value for name, value in rest.items() if name not in _OWN} if rest else rest,
        message_properties=_message_properties(message.properties) if message.properties else {},
        damage="; ".join(part for part in (damage, body_damage) if part),
        body_type=message.body_type.name.lower(),
        body_damage=body_damage,
    )


def body_bytes(kind: str, body: Any) -> tuple[bytes, str]:
    """The bytes of a body of kind DATA, VALUE or SEQUENCE, and what is wrong with them (mostly nothing).

    A value that is a string or a binary is its bytes; any other value, and the elements of all sequence sections as one
    list, are JSON, in which bytes that are no UTF-8 have become base64. What cannot even become JSON is Python's text.
    """
    try:
        if kind == "VALUE":
            return (bytes(body), "") if isinstance(body, (bytes, bytearray)) else (json_bytes(body), _odd_bytes(body))
        sections = list(body)
        if kind == "SEQUENCE":
            flat = [item for part in sections for item in (part if isinstance(part, (list, tuple)) else [part])]
            return json_bytes(flat), _odd_bytes(flat)
        if all(isinstance(part, (bytes, bytearray, memoryview)) for part in sections):
            return b"".join(sections), ""
        return json_bytes(sections[0] if len(sections) == 1 else sections), "its data is no binary"
    except Exception as error:
        return last_resort(body), f"its body cannot be written as JSON ({type(error).__name__}: {error})"


def _odd_bytes(value: Any) -> str:
    return "bytes in it are no UTF-8" if holds_binary(value) else ""


def _message_properties(properties: Any) -> dict[str, Any]:
    found = {name.replace("_", "-"): getattr(properties, name, None) for name in MESSAGE_PROPERTIES}
    return {name: value for name, value in found.items() if value}
