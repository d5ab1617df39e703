"""Performatives, frames and outcomes. Every field is written, even trailing nulls: azure-eventhub indexes them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from .decoding import decode, skip
from .encoding import NULL, described, list_of, string, symbol, ubyte
from .errors import AmqpError, DecodeError

AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
EMPTY_FRAME = b"\x00\x00\x00\x08\x02\x00\x00\x00"

OPEN, BEGIN, ATTACH, FLOW, TRANSFER, DISPOSITION, DETACH, END, CLOSE = range(0x10, 0x19)
SASL_MECHANISMS, SASL_INIT, SASL_OUTCOME = 0x40, 0x41, 0x44
ERROR, ACCEPTED, REJECTED, SOURCE, TARGET = 0x1D, 0x24, 0x25, 0x28, 0x29

ROLE_SENDER, ROLE_RECEIVER = False, True

_FRAME = struct.Struct(">IBBH").pack
_NAMES = {
    OPEN: "open",
    BEGIN: "begin",
    ATTACH: "attach",
    FLOW: "flow",
    TRANSFER: "transfer",
    DISPOSITION: "disposition",
}
_NAMES |= {DETACH: "detach", END: "end", CLOSE: "close", SASL_INIT: "sasl-init"}
# How many fields each performative of a peer has; missing ones are null.
_FIELDS = {OPEN: 10, BEGIN: 8, ATTACH: 14, FLOW: 11, TRANSFER: 11, DISPOSITION: 6, DETACH: 3, END: 1, CLOSE: 1}
_FIELDS |= {SASL_INIT: 3}

ACCEPTED_STATE = described(ACCEPTED, b"\x45")


class Performative:
    """A decoded performative: its `code`, its `fields` (padded with None), where its list ends in the frame body."""

    __slots__ = ("_body", "code", "end", "fields")

    def __init__(self, code: int, fields: list[Any], body: bytes, end: int) -> None:
        self.code = code
        self.fields = fields
        self.end = end
        self._body = body

    @property
    def name(self) -> str:
        return _NAMES[self.code]

    def raw(self, index: int) -> bytes:
        """The encoding of one field as the peer wrote it; null if it wrote none."""
        position, count = _list_start(self._body, skip_descriptor(self._body))
        if index >= count:
            return NULL
        for _ in range(index):
            position = skip(self._body, position)
        return self._body[position : skip(self._body, position)]


def skip_descriptor(body: bytes) -> int:
    return skip(body, 1)


def _list_start(body: bytes, position: int) -> tuple[int, int]:
    constructor = body[position]
    if constructor == 0xC0:
        return position + 3, body[position + 2]
    if constructor == 0xD0:
        return position + 9, int.from_bytes(body[position + 5 : position + 9], "big")
    return position + 1, 0


def parse(body: bytes) -> Performative:
    """Decode the performative at the start of a frame body. Raises DecodeError."""
    if body[:2] != b"\x00\x53":
        return _parse_general(body)
    return _checked(body[2] if len(body) > 2 else -1, body, 3)


def _parse_general(body: bytes) -> Performative:
    if body[:1] != b"\x00":
        raise DecodeError("a frame body does not start with a performative")
    code, position = decode(body, 1)
    return _checked(code, body, position)


def _checked(code: Any, body: bytes, position: int) -> Performative:
    expected = _FIELDS.get(code) if isinstance(code, int) else None
    if expected is None:
        raise DecodeError(f"no performative has the descriptor {code!r:.40}")
    fields, end = decode(body, position)
    if not isinstance(fields, list) or body[position] in (0xE0, 0xF0):
        raise DecodeError("a performative is not a list")
    if len(fields) > expected:
        raise DecodeError(f"{_NAMES[code]} has {expected} fields, not {len(fields)}")
    fields.extend([None] * (expected - len(fields)))
    return Performative(code, fields, body, end)


def frame(channel: int, body: bytes, frame_type: int = 0) -> bytes:
    """One frame: 8 bytes of header and the body."""
    return _FRAME(len(body) + 8, 2, frame_type, channel) + body


def performative(channel: int, code: int, fields: Sequence[bytes], frame_type: int = 0) -> bytes:
    """A frame that holds a performative whose fields are encoded already."""
    return frame(channel, described(code, list_of(fields)), frame_type)


def error(fault: AmqpError) -> bytes:
    """The error value: condition, description and an empty info; all three, because clients index them."""
    return described(ERROR, list_of([symbol(fault.condition), string(fault.description), NULL]))


def rejected(fault: AmqpError) -> bytes:
    """The rejected outcome with its error."""
    return described(REJECTED, list_of([error(fault)]))


def sasl_outcome(code: int) -> bytes:
    return performative(0, SASL_OUTCOME, [ubyte(code), NULL], frame_type=1)
