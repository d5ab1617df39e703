"""The performatives a peer sends, decoded. A field is ``object``: whatever the peer wrote, None if it wrote nothing.

So mypy lets nobody use a field whose type was not looked at.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .decoding import decode, skip
from .encoding import NULL
from .errors import DecodeError
from .performatives import (
    ATTACH,
    BEGIN,
    CLOSE,
    DETACH,
    DISPOSITION,
    END,
    FLOW,
    OPEN,
    SASL_INIT,
    TRANSFER,
)


class Open(NamedTuple):
    """open: the connection's parameters."""

    container_id: object
    hostname: object
    max_frame_size: object
    channel_max: object
    idle_timeout_ms: object
    outgoing_locales: object
    incoming_locales: object
    offered_capabilities: object
    desired_capabilities: object
    properties: object


class Begin(NamedTuple):
    """begin: a session on this channel."""

    remote_channel: object
    next_outgoing_id: object
    incoming_window: object
    outgoing_window: object
    handle_max: object
    offered_capabilities: object
    desired_capabilities: object
    properties: object


class Attach(NamedTuple):
    """attach: a link in this session."""

    name: object
    handle: object
    role: object
    send_settle_mode: object
    receive_settle_mode: object
    source: object
    target: object
    unsettled: object
    incomplete_unsettled: object
    initial_delivery_count: object
    max_message_size: object
    offered_capabilities: object
    desired_capabilities: object
    properties: object


class Flow(NamedTuple):
    """flow: the state of the session and, if it names a handle, of a link."""

    next_incoming_id: object
    incoming_window: object
    next_outgoing_id: object
    outgoing_window: object
    handle: object
    delivery_count: object
    link_credit: object
    available: object
    drain: object
    echo: object
    properties: object


class Transfer(NamedTuple):
    """transfer: a delivery or a piece of one; its bytes follow the performative."""

    handle: object
    delivery_id: object
    delivery_tag: object
    message_format: object
    settled: object
    more: object
    receive_settle_mode: object
    state: object
    resume: object
    aborted: object
    batchable: object


class Disposition(NamedTuple):
    """disposition: the outcome of some deliveries."""

    role: object
    first: object
    last: object
    settled: object
    state: object
    batchable: object


class Detach(NamedTuple):
    """detach: the end of a link."""

    handle: object
    closed: object
    error: object


class End(NamedTuple):
    """end: the end of the session."""

    error: object


class Close(NamedTuple):
    """close: the end of the connection."""

    error: object


class SaslInit(NamedTuple):
    """sasl-init: the mechanism the peer chose."""

    mechanism: object
    initial_response: object
    hostname: object


Performative = Open | Begin | Attach | Flow | Transfer | Disposition | Detach | End | Close | SaslInit

_TYPES: dict[int, type[Performative]] = {
    OPEN: Open,
    BEGIN: Begin,
    ATTACH: Attach,
    FLOW: Flow,
    TRANSFER: Transfer,
    DISPOSITION: Disposition,
    DETACH: Detach,
    END: End,
    CLOSE: Close,
    SASL_INIT: SaslInit,
}
_FIELD_COUNTS = {code: len(kind._fields) for code, kind in _TYPES.items()}
_NEW = tuple.__new__


def name_of(performative: Performative) -> str:
    """What the specification calls it."""
    return _name(type(performative))


def _name(kind: type[Performative]) -> str:
    return "sasl-init" if kind is SaslInit else kind.__name__.lower()


def parse(body: bytes) -> tuple[Performative, int]:
    """Decode the performative at the start of a frame body; return it and where it ends. Raises DecodeError."""
    if body[:2] == b"\x00\x53" and len(body) > 2:
        code, position = body[2], 3
    elif body[:1] == b"\x00":
        code, position = decode(body, 1)
    else:
        raise DecodeError("a frame body does not start with a performative")
    kind = _TYPES.get(code) if isinstance(code, int) else None
    if kind is None:
        raise DecodeError(f"no performative has the descriptor {code!r:.40}")
    fields, end = decode(body, position)
    if not isinstance(fields, list) or body[position] in (0xE0, 0xF0):
        raise DecodeError("a performative is not a list")
    missing = _FIELD_COUNTS[code] - len(fields)
    if missing < 0:
        raise DecodeError(f"{_name(kind)} has {len(kind._fields)} fields, not {len(fields)}")
    if missing:
        fields.extend([None] * missing)
    # What _make does, without a call of a Python function for every frame.
    performative: Any = _NEW(kind, fields)
    return performative, end


def raw_field(body: bytes, name: str) -> bytes:
    """The encoding of one field of the performative in `body`, as the peer wrote it; null if it wrote none.

    `body` is one that `parse` has taken.
    """
    code, position = (body[2], 3) if body[1] == 0x53 else decode(body, 1)
    index = _TYPES[code]._fields.index(name)
    count, position = _list_at(body, position)
    if index >= count:
        return NULL
    for _ in range(index):
        position = skip(body, position)
    return body[position : skip(body, position)]


def _list_at(body: bytes, position: int) -> tuple[int, int]:
    constructor = body[position]
    if constructor == 0xC0:
        return body[position + 2], position + 3
    if constructor == 0xD0:
        return int.from_bytes(body[position + 5 : position + 9], "big"), position + 9
    return 0, position + 1
