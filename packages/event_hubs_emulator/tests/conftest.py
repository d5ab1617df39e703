"""Fixtures: a hub that listens, and a client that speaks raw frames, for what azure-eventhub never does."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from event_hubs_emulator import EventHubsEmulator
from event_hubs_emulator.amqp import performatives as amqp
from event_hubs_emulator.amqp.decoding import decode
from event_hubs_emulator.amqp.encoding import (
    NULL,
    binary,
    boolean,
    described,
    encode,
    list_of,
    string,
    symbol_array,
    ubyte,
    uint,
    ulong,
    ushort,
)
from event_hubs_emulator.amqp.types import Described, Symbol
from hypothesis import HealthCheck, settings

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("busy-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy-machine")

_PATIENCE = 10.0
_SELECTOR = Symbol("apache.org:selector-filter:string")


class Frame:
    """A received frame: channel, performative code, fields and payload."""

    def __init__(self, channel: int, body: bytes) -> None:
        self.channel = channel
        described_list, end = decode(body)
        self.code: int = described_list.descriptor
        self.fields: list[Any] = described_list.value
        self.payload = body[end:]

    @property
    def sections(self) -> dict[int, Any]:
        """The sections of the payload, by descriptor; only the last of those that repeat."""
        found, position = {}, 0
        while position < len(self.payload):
            section, position = decode(self.payload, position)
            found[section.descriptor] = section.value
        return found

    @property
    def body(self) -> bytes:
        """The data of a delivery of one frame."""
        data: bytes = self.sections[0x75]
        return data

    @property
    def error(self) -> str | None:
        """The condition in close, end, detach or a rejected disposition."""
        value = self.fields[-1] if self.code in (amqp.CLOSE, amqp.END, amqp.DETACH) else self.fields[4]
        if isinstance(value, Described) and value.descriptor == amqp.REJECTED:
            value = value.value[0]
        return str(value.value[0]) if isinstance(value, Described) and value.descriptor == amqp.ERROR else None


class RawClient:
    """An AMQP client that does exactly what it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def send(self, code: int, fields: list[bytes], channel: int = 1) -> None:
        self.write(amqp.performative(channel, code, fields))

    async def read(self, size: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(size), _PATIENCE)

    async def frame(self) -> Frame:
        """The next frame that is not empty."""
        while True:
            size, offset, _, channel = struct.unpack(">IBBH", await self.read(8))
            body = await self.read(size - 8)
            if body:
                return Frame(channel, body[(offset - 2) * 4 :])

    async def expect(self, code: int) -> Frame:
        """The next frame with this performative; flows and dispositions before it are passed over."""
        while True:
            frame = await self.frame()
            if frame.code == code:
                return frame
            assert frame.code in (amqp.FLOW, amqp.DISPOSITION), f"got 0x{frame.code:02x} {frame.fields}"

    async def closed(self) -> bytes:
        """Everything that still comes until the server closes the socket."""
        return await asyncio.wait_for(self.reader.read(), _PATIENCE)

    async def open(
        self, *, sasl: str | None = "ANONYMOUS", max_frame_size: int = 65536, idle_ms: int | None = None
    ) -> Frame:
        """Shake hands, open the connection and begin a session on channel 1; return the server's open."""
        if sasl is not None:
            self.write(amqp.SASL_HEADER)
            assert await self.read(8) == amqp.SASL_HEADER
            assert (await self.frame()).code == amqp.SASL_MECHANISMS
            name = b"\xa3" + bytes((len(sasl),)) + sasl.encode()
            self.write(amqp.performative(0, amqp.SASL_INIT, [name, binary(b""), NULL], frame_type=1))
            assert (await self.frame()).fields[0] == 0
        self.write(amqp.AMQP_HEADER)
        assert await self.read(8) == amqp.AMQP_HEADER
        idle = NULL if idle_ms is None else uint(idle_ms)
        self.send(amqp.OPEN, [string("raw"), NULL, uint(max_frame_size), ushort(100), idle, *[NULL] * 5], channel=0)
        opened = await self.frame()
        assert opened.code == amqp.OPEN
        await self.begin()
        return opened

    async def begin(self, channel: int = 1, window: int = 1_000_000) -> None:
        self.send(amqp.BEGIN, [NULL, uint(0), uint(window), uint(1_000_000), *[NULL] * 4], channel)
        assert (await self.frame()).code == amqp.BEGIN

    def attach(
        self,
        *,
        receive: str | None = None,
        send: str | None = None,
        handle: int = 0,
        channel: int = 1,
        selector: str | None = None,
        epoch: int | None = None,
        settle: tuple[int, int] = (2, 0),
        capabilities: list[str] | None = None,
    ) -> None:
        """Ask for a link; what comes back is for the test to read."""
        filters = encode({_SELECTOR: Described(_SELECTOR, selector)}) if selector else NULL
        source = described(0x28, list_of([string(receive or "here"), *[NULL] * 6, filters, *[NULL] * 3]))
        target = described(0x29, list_of([string(send or "here"), *[NULL] * 6]))
        properties = encode({Symbol("com.microsoft:epoch"): epoch}) if epoch is not None else NULL
        wanted = symbol_array(capabilities) if capabilities else NULL
        fields = [string(f"link-{channel}-{handle}"), uint(handle), boolean(receive is not None)]
        fields += [ubyte(settle[0]), ubyte(settle[1]), source, target, NULL, NULL]
        fields += [NULL if receive else uint(0), ulong(0), NULL, wanted, properties]
        self.send(amqp.ATTACH, fields, channel)

    def credit(
        self,
        credit: int,
        *,
        handle: int = 0,
        received: int = 0,
        drain: bool = False,
        window: int = 1_000_000,
        frames: int = 0,
    ) -> None:
        fields = [
            uint(frames),
            uint(window),
            uint(0),
            uint(1_000_000),
            uint(handle),
            uint(received),
            uint(credit),
            NULL,
        ]
        self.send(amqp.FLOW, [*fields, boolean(drain), boolean(False), NULL])

    def transfer(
        self,
        payload: bytes,
        delivery: int,
        *,
        handle: int = 0,
        settled: bool = False,
        more: bool = False,
        message_format: int = 0,
        first: bool = True,
    ) -> None:
        fields = [
            uint(handle),
            uint(delivery) if first else NULL,
            binary(b"tag") if first else NULL,
            uint(message_format),
        ]
        fields += [boolean(settled), boolean(more), *[NULL] * 5]
        body = described(amqp.TRANSFER, list_of(fields)) + payload
        self.write(amqp.frame(1, body))

    async def sender(self, address: str, handle: int = 0) -> None:
        """Attach a sending link and wait for its credit."""
        self.attach(send=address, handle=handle)
        assert (await self.frame()).code == amqp.ATTACH
        assert (await self.expect_flow()).fields[6] > 0

    async def publish(self, *bodies: bytes, handle: int = 9) -> None:
        """Send events to the hub `single` one by one, each acknowledged."""
        await self.sender("single", handle=handle)
        for number, body in enumerate(bodies):
            self.transfer(described(0x75, binary(body)), number, handle=handle)
            assert await self.outcome() is None

    async def bodies(self, count: int) -> list[bytes]:
        """The data of the next deliveries, each of one frame."""
        return [(await self.expect(amqp.TRANSFER)).body for _ in range(count)]

    async def expect_flow(self) -> Frame:
        frame = await self.frame()
        assert frame.code == amqp.FLOW, frame.fields
        return frame

    async def receiver(self, address: str, **options: Any) -> Frame:
        """Attach a receiving link; return the server's attach."""
        self.attach(receive=address, **options)
        attached = await self.frame()
        assert attached.code == amqp.ATTACH
        return attached

    async def outcome(self) -> str | None:
        """The next disposition: None if accepted, or else the condition of the error."""
        disposition = await self.expect_disposition()
        return disposition.error

    async def expect_disposition(self) -> Frame:
        while True:
            frame = await self.frame()
            if frame.code == amqp.DISPOSITION:
                return frame
            assert frame.code == amqp.FLOW, frame.fields


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[EventHubsEmulator]:
    """A hub on a free port: `telemetry` with 4 partitions, `single` with one."""
    async with EventHubsEmulator(tmp_path / "hubs", {"telemetry": 4, "single": 1}, port=0) as emulator:
        yield emulator


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[EventHubsEmulator], Awaitable[RawClient]]]:
    """Connect a raw client to a hub, without shaking hands."""
    clients: list[RawClient] = []

    async def to(emulator: EventHubsEmulator) -> RawClient:
        client = RawClient(*await asyncio.open_connection("127.0.0.1", emulator.port))
        clients.append(client)
        return client

    yield to
    for client in clients:
        client.writer.close()


@pytest.fixture
async def raw(hub: EventHubsEmulator, connect: Callable[[EventHubsEmulator], Awaitable[RawClient]]) -> RawClient:
    """A raw client with an open connection and a session on channel 1."""
    client = await connect(hub)
    await client.open()
    return client
