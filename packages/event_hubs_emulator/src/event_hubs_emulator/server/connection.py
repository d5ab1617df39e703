"""One TCP connection: protocol headers, SASL, frames, heartbeats, and what ends it."""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import cast

from event_hubs_emulator.amqp import outgoing
from event_hubs_emulator.amqp.encoding import encode
from event_hubs_emulator.amqp.errors import (
    CONNECTION_FORCED,
    FRAMING_ERROR,
    INTERNAL_ERROR,
    INVALID_FIELD,
    NOT_ALLOWED,
    RESOURCE_LIMIT_EXCEEDED,
    AmqpError,
    ConnectionFault,
    DecodeError,
)
from event_hubs_emulator.amqp.incoming import Begin, Close, End, Open, SaslInit, name_of, parse
from event_hubs_emulator.amqp.performatives import AMQP_HEADER, EMPTY_FRAME, SASL_HEADER
from event_hubs_emulator.amqp.types import Symbol

from .heartbeat import Heartbeat
from .other_protocols import asked_for
from .service import Service
from .session import Session

_LOGGER = logging.getLogger(__name__)
_MECHANISMS = ("ANONYMOUS", "PLAIN", "MSSBCBS", "EXTERNAL")
_MIN_FRAME_SIZE = 512
# Past this many bytes that the peer has not taken, nothing more is produced for it and nothing more is read from it.
_HIGH_WATER = 512 * 1024
_LINGER_SECONDS = 2.0
# Longer than this, one connection's frames are not worked on while others wait.
_TURN_SECONDS = 0.01
_CONTAINER_ID = f"event-hubs-emulator-{uuid.uuid4()}"
_PROPERTIES = encode({Symbol("product"): "event-hubs-emulator"})


class Connection(asyncio.Protocol):
    """The server's side of one connection. All work is done in the callbacks of the event loop."""

    transport: asyncio.Transport
    _heartbeat: Heartbeat

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        self.service = service
        self.limits = service.limits
        self.loop = loop
        self.paused = False
        self.peer_max_frame_size = _MIN_FRAME_SIZE
        self._buffer = b""
        self._receive = self._on_header
        self._opened = False
        self._closing = False
        self._sessions: dict[int, Session] = {}
        self._used_channels: set[int] = set()
        self._out: list[bytes] = []
        self._reading = False
        self._yielding = False
        self._authenticating = False
        self._peer = "?"
        self._spoken = False
        self._lost = loop.create_future()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's transports have this interface without being subclasses.
        self.transport = transport = cast(asyncio.Transport, transport)
        transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._peer = str(transport.get_extra_info("peername"))
        self.service.connections.add(self)
        self._heartbeat = Heartbeat(
            self.loop, self.limits.idle_timeout_ms, lambda: self.send(EMPTY_FRAME), self._give_up
        )

    def connection_lost(self, exc: Exception | None) -> None:
        self.service.connections.discard(self)
        self._closing = True
        self._heartbeat.stop()
        self._release()
        if not self._lost.done():
            self._lost.set_result(None)

    def pause_writing(self) -> None:
        self.paused = True
        if not self._closing:
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.paused = False
        if self._closing:
            return
        if not self._yielding:
            self.transport.resume_reading()
        for session in self._sessions.values():
            session.wake()

    def data_received(self, data: bytes) -> None:
        self._heartbeat.last_received = self.loop.time()
        if self._yielding:
            self._buffer += data
        elif not self._closing:
            self._work(self._buffer + data if self._buffer else data)

    def _work(self, data: bytes) -> None:
        self._reading = True
        try:
            self._consume(data)
        except AmqpError as fault:
            self.fail(fault)
        except Exception:
            _LOGGER.exception("%s: an error of the emulator's own", self._peer)
            self.fail(ConnectionFault(INTERNAL_ERROR, "the emulator failed on a frame; its log says why"))
        finally:
            self._reading = False
            self._flush()

    # Bytes in

    def _consume(self, data: bytes) -> None:
        position, size = 0, len(data)
        turn_ends = self.loop.time() + _TURN_SECONDS
        while size - position >= 8 and not self._closing:
            taken = self._receive(data, position)
            if not taken:
                break
            position += taken
            if self.loop.time() > turn_ends and size - position >= 8:
                self._yield()
                break
        self._buffer = data[position:] if position else data

    def _yield(self) -> None:
        """Let the other connections have a turn, and go on with what came after that."""
        self._yielding = True
        self.transport.pause_reading()
        self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._yielding = False
        if self._closing:
            return
        if not self.paused:
            self.transport.resume_reading()
        self._work(self._buffer)

    def _on_header(self, data: bytes, position: int) -> int:
        header = data[position : position + 8]
        if header == SASL_HEADER and not self._spoken and not self._authenticating:
            self._authenticating = True
            self.send(SASL_HEADER + outgoing.sasl_mechanisms(_MECHANISMS))
            self._receive = self._on_frame
        elif header == AMQP_HEADER:
            self.send(AMQP_HEADER)
            self._spoken = True
            self._receive = self._on_frame
        else:
            what, answer = asked_for(data[position:])
            _LOGGER.warning("%s: %s", self._peer, what)
            # What the specification wants for a protocol one does not speak: the header of the one spoken, and goodbye.
            self.send(SASL_HEADER if answer is None else answer)
            self._finish(linger=True)
        return 8

    def _on_frame(self, data: bytes, position: int) -> int:
        size = int.from_bytes(data[position : position + 4], "big")
        if size > self.limits.max_frame_size or size < 8:
            raise ConnectionFault(
                FRAMING_ERROR, f"a frame of {size} bytes; 8 to {self.limits.max_frame_size} are allowed"
            )
        if len(data) - position < size:
            return 0
        offset = data[position + 4] * 4
        if offset < 8 or offset > size:
            raise ConnectionFault(FRAMING_ERROR, "a frame whose data offset is outside of it")
        frame_type = data[position + 5]
        body = data[position + offset : position + size]
        if frame_type == 1:
            self._on_sasl(body)
        elif not body:
            return size
        elif frame_type == 0 and self._spoken:
            channel = int.from_bytes(data[position + 6 : position + 8], "big")
            self._on_amqp(channel, body)
        else:
            raise ConnectionFault(FRAMING_ERROR, f"a frame of the type {frame_type} is not expected here")
        return size

    def _on_sasl(self, body: bytes) -> None:
        performative, _ = parse(body)
        if not isinstance(performative, SaslInit) or self._spoken:
            raise ConnectionFault(FRAMING_ERROR, "a SASL frame out of turn")
        known = performative.mechanism in _MECHANISMS
        self.send(outgoing.sasl_outcome(0 if known else 1))
        self._receive = self._on_header
        if not known:
            self._finish()

    def _on_amqp(self, channel: int, body: bytes) -> None:
        performative, end = parse(body)
        if isinstance(performative, Close):
            self._on_close()
        elif isinstance(performative, Open):
            self._on_open(performative)
        elif not self._opened:
            raise ConnectionFault(FRAMING_ERROR, f"{name_of(performative)} before open")
        elif isinstance(performative, Begin):
            self._on_begin(channel, performative)
        elif isinstance(performative, End):
            self._on_end(channel)
        else:
            session = self._sessions.get(channel)
            if session is None and channel in self._used_channels:
                # azure-eventhub detaches its links after it ended their session.
                return
            if session is None:
                raise ConnectionFault(NOT_ALLOWED, f"{name_of(performative)} on channel {channel}, where no session is")
            session.handle(performative, body, end)

    def _on_open(self, peer: Open) -> None:
        if self._opened:
            raise ConnectionFault(NOT_ALLOWED, "a second open")
        peer_max, idle = peer.max_frame_size, peer.idle_timeout_ms
        if peer_max is not None and (not isinstance(peer_max, int) or peer_max < _MIN_FRAME_SIZE):
            raise ConnectionFault(INVALID_FIELD, f"max-frame-size is at least {_MIN_FRAME_SIZE}")
        self._opened = True
        self.peer_max_frame_size = min(peer_max or 1024 * 1024, 1024 * 1024)
        limits = self.limits
        self.send(
            outgoing.open_frame(
                _CONTAINER_ID, limits.max_frame_size, limits.channel_max, limits.idle_timeout_ms, _PROPERTIES
            )
        )
        self._heartbeat.opened(idle if isinstance(idle, int) and idle > 0 else None)

    def _on_begin(self, channel: int, begin: Begin) -> None:
        if channel > self.limits.channel_max:
            raise ConnectionFault(RESOURCE_LIMIT_EXCEEDED, f"channel {channel} is beyond channel-max")
        if channel in self._sessions:
            raise ConnectionFault(NOT_ALLOWED, f"a second begin on channel {channel}")
        self._used_channels.add(channel)
        self._sessions[channel] = Session(self, channel, begin)

    def _on_end(self, channel: int) -> None:
        session = self._sessions.pop(channel, None)
        if session is None:
            raise ConnectionFault(NOT_ALLOWED, f"end on channel {channel}, where no session is")
        if not session.ended:
            session.end(None)

    def _on_close(self) -> None:
        self.send(outgoing.close())
        self._finish()

    # Bytes out

    def send(self, frames: bytes) -> None:
        """Send frames in order; those of one read go out in one write."""
        self._out.append(frames)
        if not self._reading:
            self._flush()

    def _flush(self) -> None:
        if self._out:
            data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
            self._out.clear()
            if data and not self.transport.is_closing():
                self._heartbeat.last_sent = self.loop.time()
                self.transport.write(data)

    # Heartbeats and the end

    def _give_up(self, patience: float) -> None:
        self.fail(ConnectionFault(CONNECTION_FORCED, f"no frame for {patience:.0f} s"))

    def log_fault(self, what: str, fault: AmqpError) -> None:
        """Say in the log which peer got which error for what."""
        _LOGGER.warning("%s: %s: %s", self._peer, what, fault)

    def fail(self, fault: AmqpError) -> None:
        """Close with an error: this connection only."""
        if self._closing:
            return
        self.log_fault("connection closed", fault)
        if isinstance(fault, DecodeError):
            fault = ConnectionFault(fault.condition, fault.description)
        if not self._opened and self._spoken:
            # Even an error can only be told after open.
            self.send(outgoing.open_frame(_CONTAINER_ID))
        if self._spoken:
            self.send(outgoing.close(fault))
        self._finish(linger=True)

    def shut_down(self) -> None:
        """The server stops: tell the peer, which may come back."""
        if not self._closing and self._opened:
            fault = ConnectionFault(CONNECTION_FORCED, "the event hub is stopping")
            self.send(outgoing.close(fault))
        self._finish()

    def _finish(self, *, linger: bool = False) -> None:
        self._flush()
        self._closing = True
        self._release()
        self._heartbeat.stop()
        if linger:
            # What the peer still sends is read and dropped: closing on it would reset the connection, and the error
            # would never be seen.
            self.transport.write_eof()
            self.transport.resume_reading()
        else:
            self.transport.close()
        # A peer that does not take the last frames, or does not end, keeps the socket no longer than this.
        self.loop.call_later(_LINGER_SECONDS, self.transport.abort)

    def _release(self) -> None:
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def abort(self) -> None:
        self.transport.abort()

    async def closed(self) -> None:
        """Wait until the socket is gone."""
        await asyncio.shield(self._lost)
