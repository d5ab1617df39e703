"""The gateway as a process: the hub away for ten minutes of flight, killed in the midst, fuzzed; nothing is missing."""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import time
from pathlib import Path

import pytest
from event_hubs_emulator import EventHubsEmulator

from tests.support.gateway.flights import START, Flight, tlog
from tests.support.gateway.processes import Gateway, everything
from tests.support.simulator_hub import until

pytestmark = pytest.mark.e2e

_STEP_SECONDS = 0.0025  # a tenth of a second of flight
_MOST_UNREAD = 64 * 1024  # a part of the least that a socket holds


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def hub(folder: Path, port: int) -> EventHubsEmulator:
    return EventHubsEmulator(folder, hubs={"telemetry": 4}, port=port)


class Radio:
    """Flies by UDP, forty times as fast as a drone."""

    def __init__(self, flights: list[Flight]) -> None:
        self.flights = flights
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.step = 0

    async def fly(self, seconds: float, port: int) -> None:
        due, first = time.monotonic(), self.step
        for self.step in range(first, first + round(seconds * 10)):
            at = START + self.step / 10
            for flight in self.flights:
                for packet in flight.packets(at):
                    self.socket.sendto(packet, ("127.0.0.1", port))
            # A radio does not catch up, nor does it fly on for seconds before a machine that is stalled.
            due = max(due + _STEP_SECONDS, time.monotonic())
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if self.step % 10 == 0:
                await until(lambda: _unread(port) < _MOST_UNREAD, 60)
        self.step += 1


def _unread(port: int) -> int:
    """Bytes that wait at the UDP socket of that port, as the kernel counts them; 0 where it does not say (Linux)."""
    sockets = Path("/proc/net/udp")
    if not sockets.exists():
        return 0
    lines = [line.split() for line in sockets.read_text().splitlines()[1:]]
    return sum(int(line[4].split(":")[1], 16) for line in lines if int(line[1].split(":")[1], 16) == port)


async def test_ten_minutes_without_a_hub_and_a_kill_cost_not_one_second(tmp_path: Path) -> None:
    port = free_port()
    radio = Radio([Flight(1), Flight(2)])
    emulator = hub(tmp_path / "hub", port)
    await emulator.__aenter__()
    connection = emulator.connection_string
    gateway = Gateway(connection, tmp_path / "spool", "mavlink", "udpin:127.0.0.1:0", "--device-id", "2=falcon-2")
    try:
        await gateway.start()
        await radio.fly(20, await gateway.port())
        await emulator.__aexit__(None, None, None)
        await radio.fly(300.5, await gateway.port())
        await asyncio.sleep(0.5)  # what is on its way to a process that is killed is lost on every machine
        await gateway.kill()
        await gateway.start()
        await radio.fly(300, await gateway.port())
        emulator = hub(tmp_path / "hub", port)
        await emulator.__aenter__()
        await radio.fly(20, await gateway.port())
        await gateway.said(re.compile(r" 0 waiting"))
        summary = await gateway.stop()
        assert (summary["waiting"], summary["dropped"]) == (0, 0)
        events = await everything(connection)
    finally:
        if gateway.process is not None and gateway.process.returncode is None:
            await gateway.kill()
        await emulator.__aexit__(None, None, None)

    seconds = round(radio.step / 10 + 0.49)
    for device in ("mav-1", "falcon-2"):
        messages = [json.loads(body) for key, body in events if key == device]
        told = [m["timestamp"] for m in messages]
        times = [time for time in told if time[:10] == "2026-01-01"]
        # Started again, and stalled for a second before the drone has told its time, it takes its own clock's.
        assert len(told) - len(times) <= 1
        assert times == sorted(times)
        assert {m["deviceId"] for m in messages} == {device}
        minutes = [f"2026-01-01T00:{second // 60:02d}:{second % 60:02d}" for second in range(seconds)]
        assert [t[:19] for t in times if t == max(u for u in times if u[:19] == t[:19])] == minutes
        bodies = [body for key, body in events if key == device]
        # Only a send whose acknowledgement was lost may come twice, and then it is the same bytes.
        assert len(bodies) - len(set(bodies)) <= 60
        assert len(set(told)) == len(set(bodies))


async def test_random_datagrams_harm_nothing_and_invent_nobody(tmp_path: Path) -> None:
    rng = random.Random(5)
    radio = Radio([Flight(7)])
    async with hub(tmp_path / "hub", 0) as emulator:
        gateway = await Gateway(emulator.connection_string, tmp_path / "spool", "mavlink", "udpin:127.0.0.1:0").start()
        port = await gateway.port()
        noise = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for _ in range(30):
            await radio.fly(1, port)
            for sender in (noise, radio.socket):
                for _ in range(10):
                    data = bytearray(rng.randbytes(rng.randrange(1, 300)))
                    data[0] = rng.choice((0xFD, 0xFE, data[0]))
                    sender.sendto(bytes(data), ("127.0.0.1", port))
        await asyncio.sleep(0.5)
        summary = await gateway.stop()
        assert gateway.process is not None
        assert gateway.process.returncode == 0
        events = await everything(emulator.connection_string)
    assert {key for key, _ in events} == {"mav-7"}
    assert len({json.loads(body)["timestamp"][:19] for _, body in events}) == 30
    assert summary["sent"] == len(events)
    assert not any("Traceback" in line for line in gateway.lines)


async def test_a_recording_is_sent_once_and_again_it_is_the_same_bytes(tmp_path: Path) -> None:
    path = tlog(tmp_path / "flight.tlog", [Flight(1)], 60)
    async with hub(tmp_path / "hub", 0) as emulator:
        for _ in range(2):
            gateway = Gateway(emulator.connection_string, tmp_path / "spool", "file", str(path))
            summary = await (await gateway.start()).end()
            assert (summary["messages"], summary["sent"], summary["waiting"]) == (60, 60, 0)
        events = await everything(emulator.connection_string)
    assert len(events) == 120
    assert len(set(events)) == 60


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["mavlink", "udp:nowhere"], "names no port"),
        (["mavlink", "gone.tlog"], "no file gone.tlog"),
        (["mavlink", "carrier-pigeon"], "is no source"),
        (["file", "gone.csv"], "gone.csv: No such file"),
        (["dji", "--broker", "http://x"], "mqtt://HOST:PORT"),
    ],
)
async def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, arguments: list[str], told: str) -> None:
    connection = "Endpoint=sb://localhost:1;SharedAccessKeyName=k;SharedAccessKey=v;UseDevelopmentEmulator=true"
    gateway = Gateway(connection, tmp_path, *arguments)
    await (await gateway.start()).end()
    assert gateway.process is not None
    assert gateway.process.returncode == 1
    assert len(gateway.lines) == 1
    assert told in gateway.lines[0]
