"""Codes, frames and outcomes. Every field is written, even trailing nulls: azure-eventhub indexes them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from .encoding import NULL, described, list_of, string, symbol
from .errors import AmqpError

AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
EMPTY_FRAME = b"\x00\x00\x00\x08\x02\x00\x00\x00"

OPEN, BEGIN, ATTACH, FLOW, TRANSFER, DISPOSITION, DETACH, END, CLOSE = range(0x10, 0x19)
SASL_MECHANISMS, SASL_INIT, SASL_OUTCOME = 0x40, 0x41, 0x44
ERROR, ACCEPTED, REJECTED, SOURCE, TARGET = 0x1D, 0x24, 0x25, 0x28, 0x29

ROLE_SENDER, ROLE_RECEIVER = False, True

_FRAME = struct.Struct(">IBBH").pack

ACCEPTED_STATE = described(ACCEPTED, b"\x45")


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
