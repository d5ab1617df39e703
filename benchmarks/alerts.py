"""From the condition to the POST: drones whose battery falls, beside a fleet of 1,000 at one message a second each."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from azure.eventhub import EventData, EventHubProducerClient

from benchmarks.fleet import HUB, Fleet, percentile
from benchmarks.report import Row
from tools.local_host import LocalHost, wait_until

DRONES = 1_000
EVERY_SECONDS = 0.5
RAISE_SECONDS, CLEAR_SECONDS = 2.0, 10.0
LONGEST_SECONDS = 2.0
"""Beyond the dwell, for 95 of 100."""


class Receiver:
    """Keeps when each notice came, by drone and type, and each ``webhook-id`` as often as it came."""

    def __init__(self) -> None:
        self.came: dict[tuple[str, str], float] = {}
        self.ids: Counter[str] = Counter()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["content-length"])))
                receiver.ids[self.headers["webhook-id"]] += 1
                receiver.came.setdefault((event["subject"], event["type"].rpartition(".")[2]), time.monotonic())
                self.send_response(204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def settings(self) -> dict[str, str]:
        return {
            "ALERT_WEBHOOKS": f"http://127.0.0.1:{self.server.server_port}/",
            "ALERT_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        }


def measure(*, quick: bool) -> list[Row]:
    seconds = 30 if quick else 120
    receiver = Receiver()
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalHost(Path(folder) / "data", settings=receiver.settings()) as host,
    ):
        fleet = Fleet(host, drones=DRONES, rate=1, seconds=seconds + 25)
        time.sleep(5)  # the fleet is in the air
        low = _send(host, "battery", 0.05, seconds)
        wait_until(lambda: _told(receiver, low, "raised"), 60, lambda: "not all were raised")
        full = _send_all(host, list(low), 0.9)
        wait_until(lambda: _told(receiver, full, "cleared"), 60, lambda: "not all were cleared")
        fleet.result()
    raised = [receiver.came[drone, "raised"] - sent - RAISE_SECONDS for drone, sent in low.items()]
    cleared = [receiver.came[drone, "cleared"] - sent - CLEAR_SECONDS for drone, sent in full.items()]
    what = f"{len(low)} alerts beside {DRONES:,} drones x 1 message/s, beyond the dwell"
    return [
        Row("alerts", f"{what}: sent to POST, p50", percentile(raised, 0.50), "s"),
        Row("alerts", f"{what}: sent to POST, p95", percentile(raised, 0.95), "s", LONGEST_SECONDS, at_least=False),
        Row("alerts", f"{what}: all cleared at once, p95", percentile(cleared, 0.95), "s"),
        Row("alerts", "notices that came more than once", float(max(receiver.ids.values()) - 1), "", 0, at_least=False),
    ]


def _send(host: LocalHost, prefix: str, battery: float, seconds: float) -> dict[str, float]:
    """One drone after the other says ``battery``; when each was sent."""
    sent: dict[str, float] = {}
    with EventHubProducerClient.from_connection_string(host.connection, eventhub_name=HUB) as producer:
        started = time.monotonic()
        while (due := started + len(sent) * EVERY_SECONDS) < started + seconds:
            time.sleep(max(0.0, due - time.monotonic()))
            drone = f"{prefix}-{len(sent)}"
            sent[drone] = time.monotonic()
            _say(producer, drone, battery)
    return sent


def _send_all(host: LocalHost, drones: list[str], battery: float) -> dict[str, float]:
    with EventHubProducerClient.from_connection_string(host.connection, eventhub_name=HUB) as producer:
        sent = {}
        for drone in drones:
            sent[drone] = time.monotonic()
            _say(producer, drone, battery)
    return sent


def _say(producer: EventHubProducerClient, drone: str, battery: float) -> None:
    body = json.dumps({"deviceId": drone, "timestamp": time.time(), "battery": battery}).encode()
    producer.send_batch([EventData(body)], partition_key=drone)


def _told(receiver: Receiver, drones: dict[str, float], kind: str) -> bool:
    return all((drone, kind) in receiver.came for drone in drones)
