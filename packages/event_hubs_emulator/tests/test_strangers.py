"""Clients that want another protocol, another hub or a guarantee, and those who never say what they want."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub import EventData
from azure.eventhub.aio import EventHubProducerClient
from azure.eventhub.exceptions import AuthenticationError, EventHubError
from event_hubs_emulator import EventHubsEmulator, Limits
from event_hubs_emulator.amqp import performatives as amqp
from event_hubs_emulator.amqp.encoding import NULL, described, encode
from event_hubs_emulator.server.other_protocols import asked_for
from event_hubs_emulator.throttle import Throttle

Connect = Callable[[EventHubsEmulator], Awaitable[Any]]
UPGRADE = (
    b"GET /$servicebus/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Protocol: AMQPWSB10\r\n\r\n"
)
API_VERSIONS = b"\x00\x00\x00\x21\x00\x12\x00\x03\x00\x00\x00\x01\x00\x10kafka-python-2.0"


@pytest.mark.parametrize(
    ("first", "said", "answer"),
    [
        (UPGRADE, "AMQP over WebSockets ('GET /$servicebus/websocket HTTP/1.1')", b"HTTP/1.1 501 "),
        (b"POST /telemetry/messages HTTP/1.1\r\n\r\n", "HTTP ('POST /telemetry/messages HTTP/1.1')", b"HTTP/1.1 501 "),
        (API_VERSIONS, "the Kafka protocol was asked for (request 18)", b""),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", "TLS was asked for", amqp.SASL_HEADER),
        (b"SSH-2.0-OpenSSH_9.7\r\n", "b'SSH-2.0-' is no AMQP 1.0", amqp.SASL_HEADER),
        (b"AMQP\x00\x00\x09\x01", "is no AMQP 1.0", amqp.SASL_HEADER),
    ],
)
async def test_other_protocols_are_named_in_the_log(
    hub: EventHubsEmulator,
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
    first: bytes,
    said: str,
    answer: bytes,
) -> None:
    client = await connect(hub)
    client.write(first)
    assert (await client.closed()).startswith(answer)
    [line] = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said in line
    assert "speaks AMQP 1.0 over plain TCP" in line


def test_a_request_line_cannot_forge_lines_of_the_log() -> None:
    what, _ = asked_for(b"GET /\n2026 ERROR forged\x1b[2J HTTP/1.1\r\n\r\n")
    assert "\n" not in what
    assert "\x1b" not in what


async def _put_token(raw: Any, audience: str) -> tuple[int, str]:
    await raw.receiver("$cbs", handle=1)
    await raw.sender("$cbs", handle=2)
    raw.credit(10, handle=1)
    entries = {"operation": "put-token", "type": "servicebus.windows.net:sastoken", "name": audience}
    raw.transfer(described(0x74, encode(entries)) + described(0x77, encode("token")), 0, handle=2)
    answer = (await raw.expect(amqp.TRANSFER)).sections[0x74]
    return answer["status-code"], answer["status-description"]


@pytest.mark.parametrize(
    ("audience", "status"),
    [
        ("sb://localhost/single", 202),
        ("amqps://localhost:5671/SINGLE/ConsumerGroups/$Default/Partitions/0", 202),
        ("sb://localhost/", 202),
        ("sb://localhost/nope", 404),
        ("sb://localhost/nope/Partitions/0", 404),
        ("sb://localhost/" + "x" * 5_000, 404),
    ],
)
async def test_a_token_for_a_hub_that_is_not_there_is_not_found(raw: Any, audience: str, status: int) -> None:
    code, description = await _put_token(raw, audience)
    assert code == status
    assert ("single" in description) == (status == 404)


async def test_the_sdk_is_told_at_once_which_hubs_there_are(hub: EventHubsEmulator) -> None:
    """Without its own retries, which it makes after any error: 12 s of pauses by default."""
    async with EventHubProducerClient.from_connection_string(
        hub.connection_string, eventhub_name="nope", retry_total=0
    ) as client:
        with pytest.raises(EventHubError, match="event hubs here: telemetry, single") as caught:
            await asyncio.wait_for(client.send_batch([EventData("x")], partition_id="0"), 5)
    assert isinstance(caught.value, AuthenticationError)


async def test_idempotent_publishing_is_not_promised(raw: Any) -> None:
    raw.attach(send="single/Partitions/0", capabilities=["com.microsoft:idempotent-producer"])
    assert (await raw.frame()).code == amqp.ATTACH
    assert (await raw.frame()).error == "amqp:not-implemented"


async def test_a_connection_that_is_never_opened_ends_even_if_it_sends_a_byte_now_and_then(tmp_path: Path) -> None:
    limits = Limits(idle_timeout_ms=100)
    async with EventHubsEmulator(tmp_path, {"single": 1}, port=0, limits=limits) as hub:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        # Bytes of a frame that is never whole.
        writer.write(amqp.AMQP_HEADER + b"\x00\x00\x10\x00\x02\x00\x00\x00")

        async def drip() -> None:
            while True:
                await asyncio.sleep(0.02)
                writer.write(b"\x00")

        dripping = asyncio.ensure_future(drip())
        answer = await asyncio.wait_for(reader.read(), 10)
        dripping.cancel()
        writer.close()
        assert b"amqp:connection:forced" in answer


async def test_a_listener_without_descriptors_waits_says_so_once_and_goes_on(
    hub: EventHubsEmulator, connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    accept, failures = loop.sock_accept, 0

    async def exhausted(listening: socket.socket) -> Any:
        nonlocal failures
        failures += 1
        if failures < 4:
            raise OSError(errno.EMFILE, "Too many open files")
        return await accept(listening)

    monkeypatch.setattr(loop, "sock_accept", exhausted)
    monkeypatch.setattr("event_hubs_emulator.server.listener._LONGEST_PAUSE", 0.05)
    # The one under way was started before: it takes this connection, and the next ones meet the failure.
    first = await connect(hub)
    await first.open()
    second = await connect(hub)
    await second.open()
    assert failures >= 4
    [line] = [record.getMessage() for record in caplog.records if "cannot accept" in record.getMessage()]
    assert "Too many open files" in line


def test_a_throttle_counts_what_it_holds_back() -> None:
    now = 100.0
    throttle = Throttle(10.0, lambda: now)
    assert [throttle.admit() for _ in range(3)] == ["", None, None]
    now = 110.0
    assert throttle.admit() == " (2 more since the last such line)"
    now = 120.0
    assert throttle.admit() == ""


async def test_a_sasl_dialogue_inside_an_open_connection_is_out_of_turn(raw: Any) -> None:
    raw.write(amqp.performative(0, amqp.SASL_INIT, [NULL] * 3, frame_type=1))
    assert (await raw.expect(amqp.CLOSE)).error == "amqp:connection:framing-error"


async def test_frames_before_the_header_of_their_protocol_end_the_connection(
    hub: EventHubsEmulator, connect: Connect
) -> None:
    client = await connect(hub)
    client.write(amqp.SASL_HEADER)
    assert await client.read(8) == amqp.SASL_HEADER
    await client.frame()
    client.send(amqp.OPEN, [NULL] * 10, channel=0)
    assert await client.closed() == b""
