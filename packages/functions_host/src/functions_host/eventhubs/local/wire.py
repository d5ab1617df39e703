"""The client's side of one AMQP connection to the local hub: one session, a link to receive by, and requests."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from typing import Any, cast

from event_hubs_emulator.amqp import outgoing
from event_hubs_emulator.amqp.encoding import (
    NULL,
    TRUE,
    binary,
    boolean,
    described,
    list_of,
    map_of,
    string,
    symbol,
    ubyte,
    uint,
)
from event_hubs_emulator.amqp.incoming import Attach, Begin, Close, Detach, End, Open, Transfer, parse
from event_hubs_emulator.amqp.performatives import (
    AMQP_HEADER,
    ATTACH,
    BEGIN,
    EMPTY_FRAME,
    ROLE_RECEIVER,
    ROLE_SENDER,
    SOURCE,
    TARGET,
    TRANSFER,
    frame,
    performative,
)
from event_hubs_emulator.amqp.types import Described

_U32 = struct.Struct(">I").unpack_from
_MAX_FRAME = 1024 * 1024
_WINDOW = 0x7FFFFFFF
_WRAP = 0xFFFFFFFF
# The hub gives up on a silent peer after eight minutes, we on a silent hub after two.
_HEARTBEAT_SECONDS = 30.0
_SILENCE_SECONDS = 120.0
_REQUESTS, _ANSWERS, _EVENTS = 0, 1, 2
# The hub sends each event that fits into one frame with these bytes around its delivery-id.
_HEAD = b"\x00\x53\x14\xc0\x16\x0b" + uint(_EVENTS) + b"\x70"
_TAIL = b"\xa0\x04\x00\x00\x00\x00\x43\x41\x42\x40\x40\x40\x40\x40"
_ID_AT = 8 + len(_HEAD)
_PAYLOAD_AT = _ID_AT + 4 + len(_TAIL)
_FILTER = "apache.org:selector-filter:string"


class HubError(Exception):
    """The hub's own error: condition and description."""


class Wire(asyncio.Protocol):
    """`payloads` are the events that came and were not taken yet; `some` waits for them.

    Everything that ends the connection or a link is kept in `failure` and raised to whoever waits.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.payloads: list[bytes] = []
        self.failure: Exception | None = None
        self.fast = 0
        self._loop = loop
        self._buffer = b""
        self._greeted = False
        self._parts: dict[int, list[bytes]] = {}
        self._frames = 0
        self._received = 0
        self._granted = 0
        self._credit = 0
        self._attached: dict[int, asyncio.Future[None]] = {}
        self._answer: asyncio.Future[bytes] | None = None
        self._arrived: asyncio.Future[None] | None = None
        self._last = loop.time()
        self._heartbeat: asyncio.TimerHandle | None = None

    # What the connection asks

    async def attach_events(self, address: str, selector: str, credit: int) -> None:
        """Open the link that events come by. Raises HubError if the hub refuses it."""
        self._credit = credit
        source = _terminus(SOURCE, address, map_of([(symbol(_FILTER), _described(_FILTER, string(selector)))]))
        await self._attach(_EVENTS, ROLE_RECEIVER, source, _terminus(TARGET, "events"))
        self._grant()

    async def some(self) -> list[bytes]:
        """Events that have come, at least one. Raises what ended the connection, once all were taken."""
        while not self.payloads:
            if self.failure is not None:
                raise self.failure
            self._arrived = self._loop.create_future()
            await self._arrived
        taken, self.payloads = self.payloads, []
        return taken

    def consumed(self) -> None:
        """What was taken has been dealt with: let as many more come."""
        if self._granted - self._received <= self._credit // 2:
            self._grant()

    async def request(self, properties: Sequence[tuple[str, str]]) -> bytes:
        """Ask ``$management``; returns the encoded answer. One request at a time."""
        if _ANSWERS not in self._attached:
            reply, node = _terminus(TARGET, "answers"), _terminus(SOURCE, "$management")
            await self._attach(_ANSWERS, ROLE_RECEIVER, node, reply)
            self._flow(_ANSWERS, 0, 1000)
            await self._attach(_REQUESTS, ROLE_SENDER, _terminus(SOURCE, "asker"), _terminus(TARGET, "$management"))
        self._answer = self._loop.create_future()
        fields = [string("1"), NULL, NULL, NULL, string("answers")]
        asked = described(0x73, list_of(fields)) + described(
            0x74, map_of([(string(name), string(value)) for name, value in properties])
        )
        head = [uint(_REQUESTS), uint(0), binary(b"1"), uint(0), TRUE, NULL, NULL, NULL, NULL, NULL, NULL]
        self._transport.write(frame(0, described(TRANSFER, list_of(head)) + asked))
        if self.failure is not None:
            raise self.failure
        return await self._answer

    async def close(self) -> None:
        """Say goodbye and go."""
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        if not self._transport.is_closing():
            self._transport.write(outgoing.close())
            self._transport.close()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        begin = [NULL, uint(0), uint(_WINDOW), uint(_WINDOW), uint(255), NULL, NULL, NULL]
        opening = outgoing.open_frame("functions_host", _MAX_FRAME, 0, int(_SILENCE_SECONDS * 500))
        self._transport.write(AMQP_HEADER + opening + performative(0, BEGIN, begin))
        self._beat()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionError("the local hub closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._last = self._loop.time()
        buffer = self._buffer + data if self._buffer else data
        position, size = 0, len(buffer)
        if not self._greeted and size >= 8:
            self._greeted = True
            position = 8
            if buffer[:8] != AMQP_HEADER:
                self._fail(ConnectionError("what listens there does not speak AMQP"))
        payloads = self.payloads
        before = len(payloads)
        while size - position >= 8:
            end = position + int(_U32(buffer, position)[0])
            if end > size:
                break
            start = position + _PAYLOAD_AT
            if buffer[position + 8 : position + _ID_AT] == _HEAD and buffer[position + _ID_AT + 4 : start] == _TAIL:
                payloads.append(buffer[start:end])
            else:
                self._on_frame(buffer[position + 4 * buffer[position + 4] : end])
            position = max(end, position + 8)
        self._buffer = buffer[position:]
        count = len(payloads) - before
        self.fast += count
        if count or len(self.payloads) != before:
            self._frames += count
            self._received += count
            self._wake()

    # Frames

    def _on_frame(self, body: bytes) -> None:
        if not body or self.failure is not None:
            return
        try:
            found, end = parse(body)
            if isinstance(found, Transfer):
                self._on_transfer(found, body[end:])
            elif isinstance(found, Attach):
                waiter = self._attached.get(cast(int, found.handle))
                if waiter is not None and not waiter.done():
                    waiter.set_result(None)
            elif isinstance(found, (Detach, End, Close)):
                self._fail(_error(found.error))
            elif not isinstance(found, (Open, Begin)):
                return  # a flow: the hub's windows are as wide as can be
        except Exception as error:
            self._fail(error)

    def _on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        self._frames += 1
        handle = cast(int, transfer.handle)
        parts = self._parts.setdefault(handle, [])
        parts.append(payload)
        if transfer.more:
            return
        del self._parts[handle]
        whole = b"".join(parts)
        if handle == _EVENTS:
            self._received += 1
            self.payloads.append(whole)
            self._wake()
        elif self._answer is not None and not self._answer.done():
            self._answer.set_result(whole)

    async def _attach(self, handle: int, role: bool, source: bytes, target: bytes) -> None:
        if self.failure is not None:
            raise self.failure
        waiter = self._attached[handle] = self._loop.create_future()
        fields = [string(f"functions_host-{handle}"), uint(handle), boolean(role), ubyte(1), ubyte(0), source, target]
        fields += [NULL, NULL, uint(0) if role == ROLE_SENDER else NULL, NULL, NULL, NULL, NULL]
        self._transport.write(performative(0, ATTACH, fields))
        await waiter
        # A refusal comes as an attach and a detach, in one piece.
        if self.failure is not None:
            raise self.failure

    def _grant(self) -> None:
        self._granted = self._received + self._credit
        self._flow(_EVENTS, self._received, self._credit)

    def _flow(self, handle: int, received: int, credit: int) -> None:
        self._transport.write(
            outgoing.link_flow(
                0,
                self._frames & _WRAP,
                0,
                _WINDOW,
                handle=handle,
                delivery_count=received & _WRAP,
                credit=credit,
                drain=False,
            )
        )

    # The end

    def _beat(self) -> None:
        if self._loop.time() - self._last > _SILENCE_SECONDS:
            self._fail(ConnectionError(f"the local hub said nothing for {_SILENCE_SECONDS:.0f} s"))
            return
        self._transport.write(EMPTY_FRAME)
        self._heartbeat = self._loop.call_later(_HEARTBEAT_SECONDS, self._beat)

    def _fail(self, error: Exception) -> None:
        if self.failure is None:
            self.failure = error
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        for waiter in (*self._attached.values(), self._answer):
            if waiter is not None and not waiter.done():
                waiter.set_exception(self.failure)
                waiter.exception()  # nobody may be waiting
        self._wake()
        self._transport.abort()

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)


def _terminus(code: int, address: str, filters: bytes = NULL) -> bytes:
    return described(code, list_of([string(address), NULL, NULL, NULL, NULL, NULL, NULL, filters]))


def _described(name: str, value: bytes) -> bytes:
    return b"\x00" + symbol(name) + value


def _error(value: Any) -> Exception:
    fields = value.value if isinstance(value, Described) else None
    if not isinstance(fields, list) or not fields:
        return ConnectionError("the local hub ended the link")
    return HubError(": ".join(str(part) for part in fields[:2] if part))
