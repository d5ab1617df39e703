"""What host and workers say to each other: plain tuples, marshalled, each behind its length, many in one write.

``marshal`` is safe here: both ends are the same interpreter, and nothing that a client sent is ever unmarshalled, for
bodies travel as bytes and text inside the tuples.
"""

from __future__ import annotations

import asyncio
import marshal
import struct
from collections.abc import Callable
from typing import Any

Message = tuple[Any, ...]

# From the host: what to load, that calls will come, one call, that one is no longer wanted, an answer, the end; many
# calls of entities; that signals are stored, or are not.
LOAD, BEGIN, CALL, CANCEL, REPLY, STOP, TURNS, SIGNALLED = range(8)
# From a worker: its functions, that it cannot start, what came of a call (well, badly, not taken up, cannot be
# cancelled), a question to the durable engine, a line for the host's log; what came of many calls of entities, all
# well; signals to entities.
INDEX, REFUSED, DONE, FAILED, SKIPPED, HELD, ASK, SAY, TURNED, SIGNALS = range(10, 20)

_LENGTH = struct.Struct("<I")
_HEAD = _LENGTH.size


def packed(message: Message) -> bytes:
    """ValueError for anything but None, bool, numbers, text, bytes, and tuples, lists and dicts of them."""
    body = marshal.dumps(message)
    return _LENGTH.pack(len(body)) + body


class Receiver:
    """Takes bytes as they come, hands over the messages that are complete."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        rest = self._rest
        rest += data
        found: list[Message] = []
        start, end = 0, len(rest)
        with memoryview(rest) as view:
            while end - start >= _HEAD:
                (length,) = _LENGTH.unpack_from(rest, start)
                if end - start - _HEAD < length:
                    break
                start += _HEAD + length
                found.append(marshal.loads(view[start - length : start]))
        if start:
            del rest[:start]
        return found


class Stream(asyncio.Protocol):
    """One direction or both, on the event loop; what is sent in one turn of the loop goes out in one write."""

    def __init__(self, received: Callable[[list[Message]], None], lost: Callable[[], None]) -> None:
        self._received = received
        self._lost = lost
        self._receiver = Receiver()
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()

    def send(self, message: Message) -> None:
        """Raises ValueError for a message that cannot be packed; one for an end that is gone is dropped."""
        self._out.append(packed(message))
        if len(self._out) == 1:
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received(self._receiver.feed(data))

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        self._lost()

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self._transport is not None:
            self._transport.write(out[0] if len(out) == 1 else b"".join(out))
