"""Requests and responses of the two request nodes, `$cbs` and `$management`."""

from __future__ import annotations

from typing import Any, NamedTuple

from .amqp.decoding import decode, skip
from .amqp.encoding import NULL, described, encode, int32, list_of, map_of, string, symbol
from .sections import APPLICATION_PROPERTIES, PROPERTIES, VALUE, section_at


class Request(NamedTuple):
    """A request to `$cbs` or `$management`."""

    message_id: bytes  # as encoded, to be given back
    reply_to: str | None
    properties: dict[Any, Any]


def parse_request(payload: bytes) -> Request:
    """Read the properties and application properties of a message. Raises DecodeError."""
    message_id, reply_to = NULL, None
    properties: dict[Any, Any] = {}
    position = 0
    while position < len(payload):
        code, start, position = section_at(payload, position)
        if code not in (PROPERTIES, APPLICATION_PROPERTIES):
            continue
        value, _ = decode(payload, start)
        if code == APPLICATION_PROPERTIES and isinstance(value, dict):
            properties = value
        elif code == PROPERTIES and isinstance(value, list) and value:
            first = start + (3 if payload[start] == 0xC0 else 9)
            message_id = payload[first : skip(payload, first)]
            if len(value) > 4 and isinstance(value[4], str):
                reply_to = value[4]
    return Request(message_id, reply_to, properties)


def response(request: Request, status: int, description: str, body: Any, condition: str | None = None) -> bytes:
    """The answer to a request: its status in application properties, `body` as an AMQP value."""
    fields = [NULL] * 13
    fields[5] = request.message_id
    # The second pair of names is that of AMQP management; azure-eventhub looks for the description under it.
    answers = [
        (string("status-code"), int32(status)),
        (string("status-description"), string(description)),
        (string("statusCode"), int32(status)),
        (string("statusDescription"), string(description)),
    ]
    if condition is not None:
        answers.append((string("error-condition"), symbol(condition)))
    return b"".join(
        (
            described(PROPERTIES, list_of(fields)),
            described(APPLICATION_PROPERTIES, map_of(answers)),
            described(VALUE, body if isinstance(body, bytes) else encode(body)),
        )
    )
