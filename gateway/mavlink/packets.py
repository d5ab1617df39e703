"""Packets out of a stream of bytes, decoded by pymavlink.

pymavlink's own stream parser takes a damaged packet's length at its word and throws away what follows; here a packet
that fails its checksum costs itself only. Only the message types that say something are decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pymavlink.dialects.v20 import ardupilotmega as dialect

from telemetry.mavlink import says_something

_V1, _V2 = 0xFE, 0xFD
_V1_HEADER, _V2_HEADER, _CHECKSUM, _SIGNATURE = 6, 10, 2, 13
_SIGNED = 1
_ALSO_WANTED = ("SYSTEM_TIME", "GPS_RAW_INT")
_WANTED = frozenset(
    number
    for number, kind in dialect.mavlink_map.items()
    if says_something(kind.msgname) or kind.msgname in _ALSO_WANTED
)


class Packet(NamedTuple):
    """One message of a system's component: type name and fields as in the specification, raw."""

    system: int
    component: int
    kind: str
    values: dict[str, Any]


class Packets:
    """The packets of one sender: feed its bytes in order. Never raises, whatever the bytes."""

    def __init__(self) -> None:
        self.received = 0
        """Packets with a right checksum, decoded or not."""
        self.bad = 0
        """Damaged packets and stretches of bytes that are none."""
        self._buffer = b""
        self._decoder = dialect.MAVLink(None)

    def feed_datagram(self, data: bytes) -> Iterator[Packet]:
        """As ``feed``; but what is left of an earlier datagram is given up when this one starts a packet of its own."""
        if self._buffer and _whole(data, 0) is not None:
            self.bad += 1
            self._buffer = b""
        return self.feed(data)

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that are complete now; what is left waits for more."""
        buffer = self._buffer + data
        self._buffer = b""
        at, end = 0, len(buffer)
        noise = False
        while at < end:
            if buffer[at] not in (_V1, _V2):
                noise = True
                at += 1
                continue
            length = _length(buffer, at)
            if length is None or at + length > end:
                self._buffer = buffer[at:]
                break
            number = _whole(buffer, at)
            if number is None:
                noise = True
                at += 1
                continue
            self.bad += noise
            noise = False
            self.received += 1
            if number in _WANTED and (packet := self._decode(buffer[at : at + length])) is not None:
                yield packet
            at += length
        self.bad += noise

    def _decode(self, data: bytes) -> Packet | None:
        try:
            message = self._decoder.decode(bytearray(data))
        except (dialect.MAVError, ValueError):
            self.bad += 1
            return None
        return Packet(message.get_srcSystem(), message.get_srcComponent(), message.msgname, vars(message))


def _length(buffer: bytes, at: int) -> int | None:
    """The whole packet's length as its header says; None when the header is not there yet."""
    if len(buffer) - at < 3:
        return None
    payload = buffer[at + 1]
    if buffer[at] == _V1:
        return _V1_HEADER + payload + _CHECKSUM
    return _V2_HEADER + payload + _CHECKSUM + (_SIGNATURE if buffer[at + 2] & _SIGNED else 0)


def _whole(buffer: bytes, at: int) -> int | None:
    """The message number when a whole packet with a right checksum starts here. A type of another dialect has a
    checksum that nobody here can check: it is one when the next packet follows it, or nothing."""
    length = _length(buffer, at) if buffer[at : at + 1] in (b"\xfe", b"\xfd") else None
    if length is None or at + length > len(buffer):
        return None
    end = at + length
    if buffer[at] == _V1:
        number, body_end = buffer[at + 5], end - _CHECKSUM
    else:
        if buffer[at + 2] & ~_SIGNED:
            return None
        number = int.from_bytes(buffer[at + 7 : at + 10], "little")
        body_end = end - _CHECKSUM - (_SIGNATURE if buffer[at + 2] & _SIGNED else 0)
    kind = dialect.mavlink_map.get(number)
    if kind is None:
        return number if end == len(buffer) or buffer[end] in (_V1, _V2) else None
    checked = dialect.x25crc(buffer[at + 1 : body_end] + bytes((kind.crc_extra,)))
    return number if checked.crc == int.from_bytes(buffer[body_end : body_end + 2], "little") else None
