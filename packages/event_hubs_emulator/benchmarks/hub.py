"""What the hub costs the client: azure-eventhub against this hub and against a server that does nothing, in one run.

    python packages/event_hubs_emulator/benchmarks/hub.py [--events 60000]

Prints one JSON object. For sending and receiving it has the events per second against both servers and their ratio: 1.0
means that the SDK alone is the limit. Both servers run all the time and get blocks of events in turn, of which the
median counts, so that whatever else the machine does slows both. `hub_cpu_us_per_event` is the CPU time of the hub's
process, its start included, for one event sent and received. The null server shakes hands as the hub does, accepts
sends unread, and answers credit with frames that were built before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from azure.eventhub import EventData, EventHubConsumerClient, EventHubProducerClient
from event_hubs_emulator import EventHubsEmulator
from event_hubs_emulator.amqp.encoding import binary, described
from event_hubs_emulator.annotations import render
from event_hubs_emulator.message import Event
from event_hubs_emulator.server import nodes
from event_hubs_emulator.server import session as sessions
from event_hubs_emulator.server.interfaces import LinkSession
from event_hubs_emulator.server.link import Link, ReceivingLink, SendingLink
from event_hubs_emulator.server.link_request import LinkRequest

HUB = "bench"
BODY = b"x" * 300
BATCH = 500
# What is measured at a time, before it is the other server's turn.
BLOCK = 3000
_PREFETCH = 300


class NullProducerLink(ReceivingLink):
    """Accepts everything unread."""

    def on_delivery(self, delivery_id: int, settled: bool, payload: bytes, message_format: int) -> None:
        self.accept(delivery_id, settled)


class NullConsumerLink(SendingLink):
    """Answers any credit with the same frames."""

    def attached(self) -> None:
        _, lead, body = render(Event(b"", b"", b"", 0, described(0x75, binary(BODY))), 1, 1, 1)
        self.credit = _PREFETCH
        self.session.remote_window += _PREFETCH
        self._frames = [b"".join(self.frames(lead + body)) for _ in range(_PREFETCH)]
        self._block = b"".join(self._frames)
        self.credit = self.delivery_count = 0

    def wake(self) -> None:
        while self.credit > 0 and not self.session.connection.paused:
            count = min(self.credit, _PREFETCH)
            self.session.connection.send(self._block if count == _PREFETCH else b"".join(self._frames[:count]))
            self.credit -= count
            self.delivery_count += count
            self.session.remote_window -= count


def _null_link(session: LinkSession, request: LinkRequest) -> Link:
    if request.node is not None:
        return nodes.attach_link(session, request)
    return NullConsumerLink(session, request) if request.role else NullProducerLink(session, request)


async def _serve(null: bool, data: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    attach = _null_link if null else nodes.attach_link
    with mock.patch.object(sessions, "attach_link", attach):
        await _listen(data, stop)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _say(str(usage.ru_utime + usage.ru_stime))


async def _listen(data: str, stop: asyncio.Event) -> None:
    async with EventHubsEmulator(data, {HUB: 1}, port=0) as hub:
        _say(hub.connection_string)
        await stop.wait()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Sender:
    """A producer whose `block` sends some batches and returns the seconds it took."""

    def __init__(self, connection: str) -> None:
        self.client = EventHubProducerClient.from_connection_string(connection, eventhub_name=HUB)
        self._send()

    def _send(self) -> None:
        batch = self.client.create_batch(partition_id="0")
        for _ in range(BATCH):
            batch.add(EventData(BODY))
        self.client.send_batch(batch)

    def block(self, events: int) -> float:
        started = time.perf_counter()
        for _ in range(events // BATCH):
            self._send()
        return time.perf_counter() - started


class Receiver:
    """A consumer whose `block` receives some events and returns the seconds it took."""

    def __init__(self, connection: str) -> None:
        self.client = EventHubConsumerClient.from_connection_string(connection, "$Default", eventhub_name=HUB)
        # The client's own loop would add its polling and a thread to the figure.
        self._consumer = self.client._create_consumer("$Default", "0", "-1", self._take, prefetch=_PREFETCH)
        self._count = 0
        self.block(1)

    def _take(self, events: list[EventData]) -> None:
        self._count += len(events)

    def block(self, events: int) -> float:
        started, goal = time.perf_counter(), self._count + events
        while self._count < goal:
            self._consumer.receive(batch=True, max_batch_size=_PREFETCH, max_wait_time=None)
        return time.perf_counter() - started

    def close(self) -> None:
        self._consumer.close()
        self.client.close()


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


def measure(events: int = 60_000) -> dict[str, Any]:
    """Run both servers side by side, block by block in turn; return the figures described above."""
    blocks = max(events // BLOCK, 4)
    with tempfile.TemporaryDirectory() as data:
        servers = {name: Server(name == "null", str(Path(data) / name)) for name in ("null", "hub")}
        senders = {name: Sender(server.connection) for name, server in servers.items()}
        send = _in_turn(senders, blocks)
        for sender in senders.values():
            sender.client.close()
        receivers = {name: Receiver(server.connection) for name, server in servers.items()}
        # The first of what was sent went into opening the receivers.
        receive = _in_turn(receivers, blocks - 1)
        for receiver in receivers.values():
            receiver.close()
        cpu = {name: server.stop() for name, server in servers.items()}
    return {
        "events": blocks * BLOCK,
        "event_bytes": len(BODY),
        "batch": BATCH,
        "send": _figures(send),
        "receive": _figures(receive),
        "hub_cpu_us_per_event": round(cpu["hub"] * 1e6 / (blocks * BLOCK), 1),
    }


def _in_turn(clients: Mapping[str, Sender | Receiver], blocks: int) -> dict[str, float]:
    """Events per second with each server, by the median block."""
    seconds: dict[str, list[float]] = {name: [] for name in clients}
    for _ in range(blocks):
        for name, client in clients.items():
            seconds[name].append(client.block(BLOCK))
    return {name: BLOCK / statistics.median(times) for name, times in seconds.items()}


def _figures(rates: dict[str, float]) -> dict[str, float]:
    hub, null = rates["hub"], rates["null"]
    return {"hub_events_per_s": round(hub), "null_events_per_s": round(null), "ratio": round(hub / null, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the hub against a null server.")
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--serve", choices=["null", "hub"], help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(_serve(arguments.serve == "null", arguments.data))
    else:
        _say(json.dumps(measure(arguments.events)))


if __name__ == "__main__":
    main()
