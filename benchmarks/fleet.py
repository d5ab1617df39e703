"""The fleet as a second process, and probes that tell how long a message takes from a device to an HTTP answer."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from azure.eventhub import EventData, EventHubProducerClient

from tools.local_host import LocalHost

HUB = "telemetry"
POLL_SECONDS = 0.03


def simulator(connection: str, *, drones: int, rate: float, seconds: float, seed: int = 1) -> subprocess.Popen[bytes]:
    """``python -m simulator`` as a process of its own; the last line of its stdout is what it sent."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "simulator", "--drones", str(drones), "--rate", str(rate)),
            *("--seconds", str(seconds), "--seed", str(seed)),
            *("--connection", connection, "--hub", HUB),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


class Fleet:
    """The simulator against the host's hub; ``result`` waits for its end and gives its last line."""

    def __init__(self, host: LocalHost, *, drones: int, rate: float, seconds: float, seed: int = 1) -> None:
        self._process = simulator(host.connection, drones=drones, rate=rate, seconds=seconds, seed=seed)
        self.pid = self._process.pid

    def result(self) -> dict[str, Any]:
        output, _ = self._process.communicate()
        last: dict[str, Any] = json.loads(output.decode().strip().splitlines()[-1])
        return last

    def running(self) -> bool:
        return self._process.poll() is None


class Probes:
    """Probe drones beside a fleet: each message carries a new battery value, and is timed from the call that sends it
    to the first ``GET /api/drones/{id}`` that shows it. The polling adds 15 ms on average. The connection that they are
    sent by is open before: azure-eventhub takes half a second for that, which a device does once."""

    def __init__(self, host: LocalHost, *, per_second: int, prefix: str = "probe") -> None:
        self._host = host
        self._interval = 1 / per_second
        self._prefix = prefix
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.seconds: list[float] = []
        self.lost = 0
        self.sent = 0

    def run(self, seconds: float) -> None:
        """Sends probes for that long and waits for the answer to the last one."""
        with EventHubProducerClient.from_connection_string(self._host.connection, eventhub_name=HUB) as producer:
            producer.create_batch()
            started = time.monotonic()
            while (due := started + self.sent * self._interval) < started + seconds:
                time.sleep(max(0.0, due - time.monotonic()))
                device = f"{self._prefix}-{self.sent % 200}"
                value = round((self.sent // 200 + 1) / 10_000, 4)
                begin = time.monotonic()
                body = json.dumps({"deviceId": device, "battery": value, "flightMode": "ready"}).encode()
                producer.send_batch([EventData(body)], partition_key=device)
                self.sent += 1
                thread = threading.Thread(target=self._watch, args=(device, value, begin), daemon=True)
                thread.start()
                self._threads.append(thread)
        for thread in self._threads:
            thread.join()

    def _watch(self, device: str, value: float, begin: float) -> None:
        while time.monotonic() < begin + 60:
            answer = self._host.request("GET", f"/api/drones/{device}?fields=battery")
            if answer.status == 200 and answer.json()["battery"] == value:
                self.seconds.append(time.monotonic() - begin)
                return
            time.sleep(POLL_SECONDS)
        self.lost += 1


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and all its children (Linux)."""
    total = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            status = (path / "status").read_text()
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        if int(path.name) == pid or int(fields["PPid"]) == pid:
            total += int(fields.get("VmRSS", "0 kB").split()[0]) * 1024
    return total
