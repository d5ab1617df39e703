"""What the hub costs the client: azure-eventhub against this hub and against a server that does nothing, in one run.

    python packages/event_hubs_emulator/benchmarks/hub.py [--events 40000] [--rounds 3]

Prints one JSON object. For sending and receiving it has the events per second against both servers (the best of the
rounds, which alternate) and their ratio: 1.0 means that the SDK alone is the limit. `cpu_us_per_event` is what the
hub's process spends, by rusage, on one event sent and received. The null server shakes hands as the hub does, accepts
sends unread, and answers credit with frames that were built before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from azure.eventhub import EventData, EventHubConsumerClient, EventHubProducerClient
from event_hubs_emulator import EventHubsEmulator
from event_hubs_emulator.amqp.encoding import binary, described
from event_hubs_emulator.annotations import render
from event_hubs_emulator.message import Event
from event_hubs_emulator.server.attach import Attach, attach_link
from event_hubs_emulator.server.link import Link, ReceivingLink, SendingLink
from event_hubs_emulator.server.service import Service
from event_hubs_emulator.server.session import Session

HUB = "bench"
BODY = b"x" * 300
BATCH = 500
_BLOCK = 300


class NullProducerLink(ReceivingLink):
    """Accepts everything unread."""

    def on_delivery(self, delivery_id: int, settled: bool, payload: bytes, message_format: int) -> None:
        self.accept(delivery_id, settled)


class NullConsumerLink(SendingLink):
    """Answers any credit with the same frames."""

    def attached(self) -> None:
        _, lead, body = render(Event(b"", b"", 0, described(0x75, binary(BODY))), 1, 1, 1)
        self.credit = _BLOCK
        self.session.remote_window += _BLOCK
        self._frames = [b"".join(self.frames(lead + body)) for _ in range(_BLOCK)]
        self._block = b"".join(self._frames)
        self.credit = self.delivery_count = 0

    def wake(self) -> None:
        while self.credit > 0 and not self.session.connection.paused:
            count = min(self.credit, _BLOCK)
            self.session.connection.send(self._block if count == _BLOCK else b"".join(self._frames[:count]))
            self.credit -= count
            self.delivery_count += count
            self.session.remote_window -= count


def _null_link(service: Service, session: Session, attach: Attach) -> Link:
    if attach.node is not None:
        return attach_link(session, attach)
    return NullConsumerLink(session, attach) if attach.role else NullProducerLink(session, attach)


async def _serve(null: bool, data: str) -> None:
    if null:
        Service.attach_link = lambda self, session, attach: _null_link(self, session, attach)  # type: ignore[method-assign]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with EventHubsEmulator(data, {HUB: 1}, port=0) as hub:
        _say(hub.connection_string)
        await stop.wait()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _say(str(usage.ru_utime + usage.ru_stime))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _send(connection: str, events: int) -> float:
    with EventHubProducerClient.from_connection_string(connection, eventhub_name=HUB) as producer:
        batch = producer.create_batch(partition_id="0")
        for _ in range(BATCH):
            batch.add(EventData(BODY))
        producer.send_batch(batch)
        started = time.perf_counter()
        for _ in range(events // BATCH):
            batch = producer.create_batch(partition_id="0")
            for _ in range(BATCH):
                batch.add(EventData(BODY))
            producer.send_batch(batch)
        return events / (time.perf_counter() - started)


def _receive(connection: str, events: int) -> float:
    client = EventHubConsumerClient.from_connection_string(connection, "$Default", eventhub_name=HUB)
    consumer = client._create_consumer(  # the client's own loop would add its polling and a thread to the figure
        "$Default", "0", "-1", lambda received: counts.append(len(received)), prefetch=_BLOCK
    )
    counts: list[int] = []
    started = 0.0
    while sum(counts) < events:
        consumer.receive(batch=True, max_batch_size=_BLOCK, max_wait_time=None)
        # Opening takes a second and is not what is measured.
        if len(counts) == 1 and not started:
            started = time.perf_counter()
    rate = sum(counts[1:]) / (time.perf_counter() - started)
    consumer.close()
    client.close()
    return rate


class Server:
    """One of the servers in a process of its own."""

    def __init__(self, null: bool, data: str) -> None:
        command = [sys.executable, os.path.abspath(__file__), "--serve", "null" if null else "hub", "--data", data]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.connection = self._process.stdout.readline().strip()

    def stop(self) -> float:
        """Stop it; return the CPU seconds it used."""
        self._process.terminate()
        output, _ = self._process.communicate(timeout=10)
        return float(output.strip())


def measure(events: int = 40_000, rounds: int = 3) -> dict[str, Any]:
    """Run both servers by turns; return the figures described above."""
    best: dict[str, float] = {}
    cpu_us = []
    for _ in range(rounds):
        for name in ("null", "hub"):
            with tempfile.TemporaryDirectory() as data:
                server = Server(name == "null", str(Path(data) / "hubs"))
                send = _send(server.connection, events)
                receive = _receive(server.connection, events)
                seconds = server.stop()
            best[f"{name}_send"] = max(best.get(f"{name}_send", 0.0), send)
            best[f"{name}_receive"] = max(best.get(f"{name}_receive", 0.0), receive)
            if name == "hub":
                cpu_us.append(seconds * 1e6 / events)
    return {
        "events": events,
        "event_bytes": len(BODY),
        "batch": BATCH,
        "send": _figures(best["hub_send"], best["null_send"]),
        "receive": _figures(best["hub_receive"], best["null_receive"]),
        "cpu_us_per_event": round(min(cpu_us), 1),
    }


def _figures(hub: float, null: float) -> dict[str, float]:
    return {"hub_events_per_s": round(hub), "null_events_per_s": round(null), "ratio": round(hub / null, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the hub against a null server.")
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", choices=["null", "hub"], help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(_serve(arguments.serve == "null", arguments.data))
    else:
        _say(json.dumps(measure(arguments.events, arguments.rounds)))


if __name__ == "__main__":
    main()
