"""The whole command against a real hub process: what the last line says is what the hub holds."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub.aio import EventHubConsumerClient, EventHubProducerClient

from gateway.target import Target
from simulator.formats import FORMATS
from simulator.hub import EventHub
from telemetry import times
from telemetry.model import Delivery
from telemetry.rules import Rules
from telemetry.validation import validate_batch
from tests.support.simulator_hub import until

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parents[3]


class Hub:
    """The local hub as a process that can be killed and started again with its data."""

    def __init__(self, data: Path) -> None:
        self.data = data
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.connection = (
            f"Endpoint=sb://localhost:{self.port};SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true;"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        ready = self.data / "ready.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "event_hubs_emulator", "--port", str(self.port), "--hub", "telemetry:4"]
        command += ["--data", str(self.data / "log"), "--ready-file", str(ready)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not ready.exists():
            assert self.process.poll() is None, "the hub ended"
            assert time.monotonic() < deadline, "the hub is not ready"
            time.sleep(0.02)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def has_kept_more_than(self, size: int) -> bool:
        return sum(path.stat().st_size for path in self.data.rglob("*") if path.is_file()) > size

    async def count(self) -> int:
        """How many events the hub has, by what it says itself."""
        client = EventHubProducerClient.from_connection_string(self.connection, eventhub_name="telemetry")
        async with client:
            partitions = await client.get_partition_ids()
            said = [await client.get_partition_properties(partition) for partition in partitions]
        return sum(part["last_enqueued_sequence_number"] + 1 for part in said if not part["is_empty"])

    async def events(self, count: int) -> list[Any]:
        """All events once there are ``count``."""
        found: list[Any] = []
        enough = asyncio.Event()

        async def take(_: Any, events: list[Any]) -> None:
            found.extend(events)
            if len(found) >= count:
                enough.set()

        client = EventHubConsumerClient.from_connection_string(self.connection, "$Default", eventhub_name="telemetry")
        async with client:
            receiving = asyncio.create_task(client.receive_batch(take, starting_position="-1", max_wait_time=0.5))
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(enough.wait(), 20)
            # Longer than the consumer waits: anything sent twice would come now.
            await asyncio.sleep(1.0)
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
        return found


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    running = Hub(tmp_path)
    running.start()
    yield running
    running.kill()


def fly(hub: Hub, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "simulator", "--connection", hub.connection, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def last_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    summary: dict[str, Any] = json.loads(out.splitlines()[-1])
    assert set(summary) == {"sent", "events", "bytes", "seconds", "rate", "corrupted", "duplicated"}
    return summary


def body_of(event: Any) -> bytes:
    return b"".join(event.body)


@pytest.mark.parametrize("kind", ["json", "protobuf"])
async def test_the_hub_holds_what_the_last_line_says(hub: Hub, kind: str) -> None:
    faults = "duplicates=0.05,reorder=0.05,corrupt=0.05"
    process = fly(hub, "--drones", "20", "--rate", "20", "--seconds", "2", "--format", kind, "--faults", faults)
    summary = await asyncio.to_thread(last_line, process)
    assert summary["sent"] == summary["events"] == 800 + summary["duplicated"]
    assert summary["rate"] == pytest.approx(summary["sent"] / summary["seconds"], rel=0.01)
    events = await hub.events(summary["sent"])
    assert len(events) == summary["sent"]
    assert sum(len(body_of(event)) for event in events) == summary["bytes"]
    assert {event.content_type for event in events} == {
        {"json": "application/json", "protobuf": "application/x-protobuf"}[kind]
    }
    deliveries = [
        Delivery(
            "telemetry",
            "0",
            number,
            "0",
            times.from_datetime(event.enqueued_time),
            body_of(event),
            event.content_type,
        )
        for number, event in enumerate(events)
    ]
    result = validate_batch(deliveries, Rules(), "batch-1", "2026-03-01T12:00:00.000000Z")
    assert len(result.dead_letters) == summary["corrupted"] > 0
    if kind == "json":
        duplicates = len(result.messages) - len({message["id"] for message in result.messages})
        assert duplicates == summary["duplicated"] > 0
    assert {message["deviceId"] for message in result.messages} == {f"drone-{number}" for number in range(20)}


async def test_each_drone_stays_in_one_partition_under_its_key(hub: Hub) -> None:
    summary = await asyncio.to_thread(last_line, fly(hub, "--drones", "40", "--rate", "5", "--seconds", "1"))
    places: dict[str, set[str]] = {}

    async def take(context: Any, events: list[Any]) -> None:
        for event in events:
            device = json.loads(body_of(event))["deviceId"]
            assert event.partition_key.decode() == device
            places.setdefault(device, set()).add(context.partition_id)

    client = EventHubConsumerClient.from_connection_string(hub.connection, "$Default", eventhub_name="telemetry")
    async with client:
        receiving = asyncio.create_task(client.receive_batch(take, starting_position="-1"))
        await until(lambda: len(places) == 40 or receiving.done(), 20)
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
    assert summary["sent"] == 200
    assert len(places) == 40
    assert {len(partitions) for partitions in places.values()} == {1}
    assert len(set().union(*places.values())) == 4


async def test_a_hub_that_is_killed_and_comes_back_gets_everything(hub: Hub) -> None:
    process = fly(hub, "--drones", "20", "--rate", "10", "--seconds", "4")
    await until(lambda: hub.has_kept_more_than(20_000))
    hub.kill()
    await asyncio.sleep(0.5)  # an outage, in which the drones go on
    hub.start()
    summary = await asyncio.to_thread(last_line, process)
    assert summary["sent"] == 800
    bodies = {body_of(event) for event in await hub.events(800)}
    # A batch whose acknowledgement was lost is there twice; none is missing.
    assert len(bodies) == 800


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_ends_with_the_last_line(hub: Hub, number: signal.Signals) -> None:
    process = fly(hub, "--drones", "10", "--rate", "10")
    await until(lambda: hub.has_kept_more_than(5_000))
    process.send_signal(number)
    summary = await asyncio.to_thread(last_line, process)
    assert summary["sent"] == await hub.count() > 0


async def test_every_link_is_open_before_the_first_message(hub: Hub) -> None:
    event_hub = EventHub(Target("telemetry", hub.connection), FORMATS["json"])
    partitions = await event_hub.open()
    try:
        assert [event_hub._client._producers[partition].running for partition in partitions] == [True] * 4
    finally:
        await event_hub.close()


async def test_a_hub_that_is_not_there_is_named(hub: Hub) -> None:
    process = fly(hub, "--hub", "nowhere", "--seconds", "1")
    out, err = await asyncio.to_thread(process.communicate, timeout=60)
    assert process.returncode == 1
    assert out == ""
    assert "no hub 'nowhere'" in err
