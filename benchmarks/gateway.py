"""The gateway with 50 vehicles that each send position and attitude ten times a second and their state once: how much
of one core it takes, the hub beside it. Seconds of processor, so what else runs on the machine matters little."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from event_hubs_emulator import EventHubsEmulator

from benchmarks.report import Row
from tests.support.gateway.flights import Flight

VEHICLES, HERTZ = 50, 10
_LISTENING = re.compile(rb"listening on udpin:127\.0\.0\.1:(\d+)")


def measure(*, quick: bool) -> list[Row]:
    cores, packets, messages = asyncio.run(_measure(5 if quick else 20))
    what = f"{VEHICLES} vehicles, {packets:,.0f} packets/s of MAVLink by UDP"
    return [
        Row("gateway", f"{what}: processor", cores, "cores", 0.5, at_least=False),
        Row("gateway", f"{what}: sent on", messages, "messages/s"),
    ]


async def _measure(seconds: int) -> tuple[float, float, float]:
    """Cores, packets a second, messages a second."""
    with tempfile.TemporaryDirectory() as folder:
        async with EventHubsEmulator(Path(folder) / "hub", hubs={"telemetry": 4}, port=0) as hub:
            return await asyncio.to_thread(_with_gateway, hub.connection_string, Path(folder) / "spool", seconds)


def _with_gateway(connection: str, spool: Path, seconds: int) -> tuple[float, float, float]:
    command = [sys.executable, "-m", "gateway", "mavlink", "udpin:127.0.0.1:0", "--connection", connection]
    with subprocess.Popen([*command, "--spool", str(spool)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            return _flown(process, seconds)
        finally:
            process.kill()


def _flown(process: subprocess.Popen[bytes], seconds: int) -> tuple[float, float, float]:
    assert process.stderr is not None
    found = _LISTENING.search(process.stderr.readline())
    assert found is not None
    # Nobody else reads what it says, and a full pipe would stop it.
    said: list[bytes] = []
    threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True).start()
    began = time.time() + 1
    flights = [Flight(number + 1, booted=began - 100, began=began) for number in range(VEHICLES)]
    steps = [
        [packet for flight in flights for packet in flight.packets(began + step / HERTZ)]
        for step in range(seconds * HERTZ)
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radio:
        before, started = _used(process.pid), time.monotonic()
        for number, packets in enumerate(steps, 1):
            for packet in packets:
                radio.sendto(packet, ("127.0.0.1", int(found.group(1))))
            time.sleep(max(0.0, started + number / HERTZ - time.monotonic()))
        after, took = _used(process.pid), time.monotonic() - started
    process.terminate()
    process.wait(30)
    sent = re.search(rb"([\d,]+) sent", said[-1]) if said else None
    assert sent is not None
    return (after - before) / took, sum(map(len, steps)) / took, int(sent.group(1).replace(b",", b"")) / took


def _used(process: int) -> float:
    """Seconds of processor that a process has used, in user and in system mode (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
