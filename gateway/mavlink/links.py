"""Where live MAVLink comes from: UDP, TCP and serial lines. Each goes on for as long as the gateway runs: what breaks
is opened again."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from gateway.needs import NotInstalled

_AGAIN_SECONDS = 1.0
_DEFAULT_BAUD = 57600
_READ_BYTES = 4096
_RECEIVE_BUFFER = 4 << 20  # seconds of a large fleet, for when the disk is slow

Reply = Callable[[bytes], None]


class InvalidSource(ValueError):
    """A source that cannot be understood; the text says what there is."""


class Receiver(Protocol):
    """Takes what arrives."""

    def listening(self, where: str) -> None:
        """A port is open, and this is its address."""
        ...

    def received(self, source: str, data: bytes, reply: Reply, *, datagram: bool) -> None: ...

    def trouble(self, link: str, text: str | None) -> None:
        """What is wrong with a link at the moment; None when it is well again."""
        ...


@dataclass(frozen=True)
class Source:
    """``kind`` is udpin, tcp, serial or tlog; ``place`` the rest of what was typed."""

    kind: str
    place: str
    host: str = ""
    port: int = 0
    baud: int = _DEFAULT_BAUD

    @classmethod
    def parse(cls, text: str) -> Source:
        """``udpin:HOST:PORT``, ``tcp:HOST:PORT``, ``serial:DEVICE[:BAUD]`` or a ``.tlog`` file.

        Raises InvalidSource."""
        kind, colon, place = text.partition(":")
        if kind in ("udpin", "udp", "tcp") and colon:
            host, _, port = place.rpartition(":")
            host = host.strip("[]")
            if not port.isdecimal() or not 0 <= int(port) <= 65535:
                raise InvalidSource(f"{text!r} names no port: write {kind}:HOST:PORT, as in {kind}:0.0.0.0:14550")
            return cls("tcp" if kind == "tcp" else "udpin", place, host or "0.0.0.0", int(port))
        if kind == "serial" and colon:
            device, _, baud = place.rpartition(":")
            if device and baud.isdecimal():
                return cls("serial", place, device, baud=int(baud))
            return cls("serial", place, place)
        if text.lower().endswith(".tlog"):
            if not Path(text).is_file():
                raise InvalidSource(f"there is no file {text}")
            return cls("tlog", text)
        raise InvalidSource(
            f"{text!r} is no source: udpin:HOST:PORT, tcp:HOST:PORT, serial:DEVICE[:BAUD] or a .tlog file"
        )


async def listen(source: Source, receiver: Receiver) -> None:
    """Receive from a live source until cancelled. Raises OSError when a UDP port cannot be had, NotInstalled."""
    await {"udpin": _udp, "tcp": _tcp, "serial": _serial}[source.kind](source, receiver)


async def _udp(source: Source, receiver: Receiver) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Datagrams(receiver), local_addr=(source.host, source.port)
    )
    socket_ = transport.get_extra_info("socket")
    socket_.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    receiver.listening("udpin:{}:{}".format(*socket_.getsockname()[:2]))
    try:
        await asyncio.Event().wait()
    finally:
        transport.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self._receiver.received(
            f"{address[0]}:{address[1]}", data, lambda reply: self._transport.sendto(reply, address), datagram=True
        )

    def error_received(self, error: Exception) -> None:
        """Somebody whom we asked for rates is gone: nothing to do, others are heard."""


async def _tcp(source: Source, receiver: Receiver) -> None:
    link = f"tcp:{source.place}"
    while True:
        try:
            reader, writer = await asyncio.open_connection(source.host, source.port)
            try:
                receiver.trouble(link, None)
                while data := await reader.read(_READ_BYTES):
                    receiver.received(source.place, data, writer.write, datagram=False)
                receiver.trouble(link, "the other side closed the connection")
            finally:
                writer.close()
        except OSError as error:
            receiver.trouble(link, str(error))
        await asyncio.sleep(_AGAIN_SECONDS)


async def _serial(source: Source, receiver: Receiver) -> None:
    try:
        import serial
    except ImportError as error:
        raise NotInstalled.of(error, "a serial line") from None
    loop = asyncio.get_running_loop()
    link = f"serial:{source.place}"
    over = threading.Event()

    def read(port: Any) -> None:
        # A thread: pyserial has no other way on Windows. The timeout lets it see that it is over.
        while not over.is_set():
            data = port.read(port.in_waiting or 1)
            if data and not loop.is_closed():
                loop.call_soon_threadsafe(partial(receiver.received, link, data, port.write, datagram=False))

    try:
        while True:
            try:
                port = await asyncio.to_thread(serial.Serial, source.host, source.baud, timeout=0.2, write_timeout=1)
                with port:
                    receiver.trouble(link, None)
                    await asyncio.to_thread(read, port)
            except (OSError, serial.SerialException) as error:
                receiver.trouble(link, str(error))
            await asyncio.sleep(_AGAIN_SECONDS)
    finally:
        over.set()
