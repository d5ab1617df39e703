"""Python types for the AMQP types that Python has no own type for."""

from __future__ import annotations

from typing import Any, NamedTuple


class Symbol(str):
    """An AMQP symbol: ASCII, from a constrained domain."""

    __slots__ = ()


class Timestamp(int):
    """Milliseconds since the Unix epoch, UTC."""

    __slots__ = ()


class Described(NamedTuple):
    """A value with its descriptor (a number or a symbol)."""

    descriptor: Any
    value: Any


class Decimal(NamedTuple):
    """An IEEE 754 decimal kept as its raw big-endian bytes (4, 8 or 16): the hub only carries it."""

    raw: bytes
