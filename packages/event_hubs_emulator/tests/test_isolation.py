"""Nothing one connection does, however broken, harms another one or the process."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from event_hubs_emulator import EventHubsEmulator
from event_hubs_emulator.amqp import performatives as amqp
from event_hubs_emulator.amqp.encoding import NULL, binary, described, list_of, string, symbol, uint, ushort
from event_hubs_emulator.server.connection import Connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Connect = Callable[[EventHubsEmulator], Awaitable[Any]]
PARTITION = "single/ConsumerGroups/$Default/Partitions/0"
DATA = described(0x75, binary(b"x"))


async def _works(client: Any, number: int) -> None:
    client.transfer(DATA, number)
    assert await client.outcome() is None


@pytest.mark.parametrize(
    ("broken", "condition"),
    [
        (b"\x00\x00\x00\x07\x02\x00\x00\x00", "amqp:connection:framing-error"),
        (b"\x7f\xff\xff\xff\x02\x00\x00\x00", "amqp:connection:framing-error"),
        (b"\x00\x00\x00\x09\x01\x00\x00\x00\x40", "amqp:connection:framing-error"),
        (b"\x00\x00\x00\x09\x09\x00\x00\x00\x40", "amqp:connection:framing-error"),
        (b"\x00\x00\x00\x09\x02\x05\x00\x00\x40", "amqp:connection:framing-error"),
        (amqp.frame(1, b"\x40"), "amqp:decode-error"),
        (amqp.frame(1, b"\x00\x53\x14\xc0\x05\x01\xa1\x09ab"), "amqp:decode-error"),
        (amqp.frame(1, described(0x30, b"\x45")), "amqp:decode-error"),
        (amqp.performative(1, amqp.BEGIN, [NULL, uint(0), uint(1), uint(1)]), "amqp:not-allowed"),
        (amqp.performative(50, amqp.FLOW, []), "amqp:not-allowed"),
        (amqp.performative(50, amqp.END, [NULL]), "amqp:not-allowed"),
        (amqp.performative(0, amqp.OPEN, [string("again")]), "amqp:not-allowed"),
        (amqp.performative(5000, amqp.BEGIN, [NULL, uint(0), uint(1), uint(1)]), "amqp:resource-limit-exceeded"),
        (amqp.performative(2, amqp.BEGIN, [NULL, NULL, string("x"), uint(1)]), "amqp:invalid-field"),
        (amqp.performative(1, amqp.ATTACH, [string("n"), uint(9999), b"\x42"]), "amqp:connection:framing-error"),
        (
            amqp.performative(0, amqp.SASL_INIT, [symbol("ANONYMOUS"), NULL, NULL], frame_type=1),
            "amqp:connection:framing-error",
        ),
    ],
)
async def test_a_broken_frame_closes_its_connection_only(
    hub: EventHubsEmulator, connect: Connect, raw: Any, broken: bytes, condition: str
) -> None:
    await raw.sender("single")
    other = await connect(hub)
    await other.open()
    other.write(broken)
    assert (await other.expect(amqp.CLOSE)).error == condition
    assert await other.closed() == b""
    await _works(raw, 0)


@pytest.mark.parametrize(
    "first",
    [
        amqp.performative(1, amqp.BEGIN, [NULL] * 8),
        amqp.performative(0, amqp.OPEN, [string("c"), NULL, uint(100)]),
        amqp.performative(0, amqp.OPEN, [string("c"), NULL, string("big")]),
    ],
)
async def test_an_error_before_open_is_told_too(hub: EventHubsEmulator, connect: Connect, first: bytes) -> None:
    client = await connect(hub)
    client.write(amqp.AMQP_HEADER + first)
    assert await client.read(8) == amqp.AMQP_HEADER
    assert (await client.frame()).code == amqp.OPEN
    assert (await client.frame()).code == amqp.CLOSE


@pytest.mark.parametrize(
    "fields",
    [[], [string("n")], [NULL, uint(1), b"\x42"], [string("n"), uint(1), uint(1)], [string("n"), string("x"), b"\x41"]],
)
async def test_an_attach_that_names_no_link_ends_the_session(raw: Any, fields: list[bytes]) -> None:
    raw.send(amqp.ATTACH, fields)
    assert (await raw.expect(amqp.END)).error == "amqp:invalid-field"


async def test_an_error_of_our_own_is_told_and_harms_nobody_else(
    hub: EventHubsEmulator, connect: Connect, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from event_hubs_emulator.server import session

    await raw.sender("single")
    other = await connect(hub)
    await other.open()
    with monkeypatch.context() as patch:
        patch.setattr(session, "LinkRequest", lambda *attach: 1 / 0)
        other.attach(send="single")
        assert (await other.expect(amqp.CLOSE)).error == "amqp:internal-error"
    await _works(raw, 0)


def _attach(target: str, handle: int) -> bytes:
    terminus = described(0x29, list_of([string(target)]))
    return amqp.performative(1, amqp.ATTACH, [string(target), uint(handle), b"\x42", *[NULL] * 3, terminus])


_VALID = [
    amqp.performative(1, amqp.FLOW, [uint(0), uint(9), uint(0), uint(9), uint(0), uint(0), uint(5), *[NULL] * 4]),
    amqp.performative(1, amqp.DISPOSITION, [b"\x41", uint(0), uint(3), b"\x41", amqp.ACCEPTED_STATE, NULL]),
    amqp.performative(1, amqp.DETACH, [uint(0), b"\x41", NULL]),
    _attach("$management", 1),
    _attach("single", 2),
    amqp.frame(1, described(amqp.TRANSFER, list_of([uint(1), uint(0), binary(b"t"), uint(0)])) + DATA),
    amqp.performative(3, amqp.BEGIN, [NULL, uint(0), uint(1), uint(1)]),
    amqp.performative(0, amqp.OPEN, [string("c"), NULL, uint(512), ushort(1), uint(1000)]),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(_VALID)), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
)
def test_fuzzed_frames_never_hurt_others(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], damage: list[tuple[int, int]]
) -> None:
    """Whatever arrives, the answer is frames and a close, and a second connection goes on sending."""
    data = bytearray(b"".join(pieces))
    for at, value in damage:
        if data:
            data[at % len(data)] = value
    asyncio.run(_fuzz(tmp_path_factory, bytes(data)))


async def _fuzz(folders: pytest.TempPathFactory, data: bytes) -> None:
    from event_hubs_emulator.server.connection import _LOGGER

    failures: list[str] = []
    async with EventHubsEmulator(folders.mktemp("hub"), {"single": 1}, port=0) as hub:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        good_reader, good_writer = await asyncio.open_connection("127.0.0.1", hub.port)
        handshake = amqp.AMQP_HEADER + amqp.performative(0, amqp.OPEN, [string("c"), *[NULL] * 9])
        handshake += amqp.performative(1, amqp.BEGIN, [NULL, uint(0), uint(100), uint(100), *[NULL] * 4])
        original, _LOGGER.exception = _LOGGER.exception, lambda *text: failures.append(str(text))  # type: ignore[method-assign]
        try:
            writer.write(handshake + data)
            writer.write_eof()
            await asyncio.wait_for(reader.read(), 5)
            good_writer.write(handshake + amqp.performative(0, amqp.CLOSE, [NULL]))
            answer = await asyncio.wait_for(good_reader.read(), 5)
            assert answer.endswith(amqp.performative(0, amqp.CLOSE, [NULL]))
        finally:
            _LOGGER.exception = original  # type: ignore[method-assign]
            writer.close()
            good_writer.close()
    assert not failures, "an error of the emulator's own"


def _connections(hub: EventHubsEmulator) -> list[Connection]:
    assert hub._service is not None
    return [connection for connection in hub._service.connections if isinstance(connection, Connection)]


def _waiting(hub: EventHubsEmulator) -> list[int]:
    """Bytes that each connection's peer has not taken yet."""
    return [connection.transport.get_write_buffer_size() for connection in _connections(hub)]


def _shrink_buffers(hub: EventHubsEmulator, client: Any) -> None:
    """Have the kernel hold little between the hub and a client, or it takes megabytes before anyone waits."""
    transports = [connection.transport for connection in _connections(hub)]
    for transport in [client.writer.transport, *transports]:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, option, 65_536)


async def test_a_consumer_that_does_not_read_costs_no_memory_and_holds_nobody_up(
    hub: EventHubsEmulator, connect: Connect, raw: Any
) -> None:
    size = 5_000_000
    await raw.sender("single")
    for number in range(size // 50_000):
        raw.transfer(described(0x75, binary(b"x" * 50_000)), number, settled=True)
    await _works(raw, 1000)
    for number in range(6):
        sleeper = await connect(hub)
        await sleeper.open()
        sleeper.writer.transport.pause_reading()
        _shrink_buffers(hub, sleeper)
        sleeper.attach(receive=PARTITION.replace("$Default", f"g{number}"))
        sleeper.credit(1_000_000)
    for number in range(100):
        await _works(raw, 2000 + number)
    assert max(_waiting(hub)) > 0, "nobody waits: the sleepers' sockets took it all"
    assert max(_waiting(hub)) < 1_500_000


async def test_a_peer_that_asks_and_never_reads_is_not_read_any_more(
    hub: EventHubsEmulator, connect: Connect, raw: Any
) -> None:
    greedy = await connect(hub)
    await greedy.open()
    greedy.writer.transport.pause_reading()
    _shrink_buffers(hub, greedy)
    echo = amqp.performative(1, amqp.FLOW, [uint(0), uint(9), uint(0), uint(9), *[NULL] * 5, b"\x41", NULL])
    await raw.sender("single")
    for number in range(20):
        greedy.write(echo * 5_000)
        await _works(raw, number)
    for number in range(50):
        await _works(raw, 100 + number)
    assert max(_waiting(hub)) > 0
    assert max(_waiting(hub)) < 1_500_000
    assert greedy.writer.transport.get_write_buffer_size() > 1_000_000


async def test_the_error_is_seen_though_more_was_sent_after_the_broken_frame(
    hub: EventHubsEmulator, connect: Connect
) -> None:
    client = await connect(hub)
    await client.open()
    client.write(b"\x7f\xff\xff\xff\x02\x00\x00\x00" + bytes(3_000_000))
    assert (await client.expect(amqp.CLOSE)).error == "amqp:connection:framing-error"
    assert await client.closed() == b""


@pytest.mark.e2e
def test_mutated_dialogues_harm_nobody() -> None:
    """A short run of what `benchmarks/fuzz.py` does 100,000 times; it also says how long an answer may take."""
    script = Path(__file__).parent.parent / "benchmarks" / "fuzz.py"
    command = [
        sys.executable,
        str(script),
        "--dialogues",
        "1500",
        "--seed",
        str(time.time_ns() % 10**9),
        "--limit",
        "0",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    figures = json.loads(ended.stdout)
    assert not figures["failures"], figures
    assert figures["answers_beside"] > 0
