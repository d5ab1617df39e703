"""What an Event Hubs event costs from the socket to the function: CPU, alternating, in one run.

    python packages/functions_host/benchmarks/receive.py [--events 100000] [--rounds 5]

Three measurements of the same events in the local hub, which is a process of its own and not counted:

- ``sdk``, ``local``: a bare reader of one partition, by azure-eventhub and by the host's own receiver;
- ``host``: a whole host with a function that counts its events: the host's process and its worker.

CPU seconds are read from the operating system; per event and in microseconds they repeat where rates do not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from azure.eventhub import EventData, EventHubProducerClient
from functions_host.eventhubs.connection import Source, local_connection_string
from functions_host.eventhubs.events import ReceivedEvent
from functions_host.eventhubs.hub import HubConnection
from functions_host.eventhubs.local.connection import LocalConnection
from functions_host.eventhubs.positions import START
from functions_host.eventhubs.sdk_connection import SdkConnection
from functions_host.eventhubs.sdk_patches import prepare

BODY = json.dumps(
    {"deviceId": "drone-0001", "timestamp": "2026-01-01T00:00:00Z", "battery": 0.5, "pad": "x" * 220}
).encode()
APP = """
import os
from typing import List
import azure.functions as func

app = func.FunctionApp()
seen = 0


@app.event_hub_message_trigger(
    arg_name="events", event_hub_name="bench", connection="EventHubConnection", cardinality=func.Cardinality.MANY
)
def count(events: List[func.EventHubEvent]) -> None:
    global seen
    seen += len(events)
    for event in events:
        event.get_body()
    if seen >= int(os.environ["EVENTS"]):
        open(os.environ["DONE"], "w").close()
"""
TICK = os.sysconf("SC_CLK_TCK")


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def family(pid: int) -> list[int]:
    """A process and its children that are no hub."""
    found = [pid]
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(OSError):
            if b"event_hubs_emulator" not in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


def fill(connection: str, count: int) -> None:
    with EventHubProducerClient.from_connection_string(connection, eventhub_name="bench") as producer:
        left = count
        while left:
            batch = producer.create_batch(partition_id="0")
            size = min(left, 500)
            for _ in range(size):
                batch.add(EventData(BODY))
            producer.send_batch(batch)
            left -= size


async def read(connection: HubConnection, count: int) -> float:
    """CPU seconds of this process from the first event to the last."""
    seen = 0
    done = asyncio.Event()
    started = 0.0

    async def take(events: list[ReceivedEvent]) -> None:
        nonlocal seen, started
        started = started or time.process_time()
        seen += len(events)
        if seen >= count:
            done.set()

    reading = asyncio.ensure_future(connection.receive("0", START, take, lambda: None))
    await done.wait()
    spent = time.process_time() - started
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await connection.close()
    return spent


def wait_for(true: Callable[[], bool], seconds: float = 300) -> None:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.02)


def whole_host(folder: Path, hub_data: Path, count: int, round_number: int) -> float:
    """CPU seconds of host and worker for all events that lie in a hub before the host starts."""
    app, data, done = folder / "app", folder / f"data{round_number}", folder / f"done{round_number}"
    ready = folder / f"ready{round_number}.json"
    app.mkdir(exist_ok=True)
    (app / "function_app.py").write_text(APP)
    hubs = {"maxEventBatchSize": 1000, "prefetchCount": 2000}
    (app / "host.json").write_text(json.dumps({"version": "2.0", "extensions": {"eventHubs": hubs}}))
    data.mkdir()
    subprocess.run(["cp", "-r", str(hub_data), str(data / "event_hubs")], check=True)
    environ = {**os.environ, "EVENTS": str(count), "DONE": str(done)}
    environ.pop("EventHubConnection", None)
    command = [sys.executable, "-m", "functions_host", "start", "--app", str(app), "--data", str(data), "--port", "0"]
    command += ["--event-hubs-port", "0", "--ready-file", str(ready)]
    with open(folder / "host.log", "ab") as log:
        host = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        wait_for(ready.exists)
        before = sum(cpu_of(pid) for pid in family(host.pid))
        wait_for(done.exists)
        return sum(cpu_of(pid) for pid in family(host.pid)) - before
    finally:
        host.terminate()
        host.wait(20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    prepare()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hub_data, ready = folder / "hub", folder / "hub.json"
        command = [sys.executable, "-m", "event_hubs_emulator", "--port", "0", "--data", str(hub_data)]
        command += ["--hub", "bench:1", "--ready-file", str(ready)]
        spent: dict[str, list[float]] = {"sdk": [], "local": [], "host": []}
        hub = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            wait_for(ready.exists)
            connection = json.loads(ready.read_text())["eventHubConnection"]
            port = int(connection.split("localhost:")[1].split(";")[0].strip("/"))
            fill(connection, options.events)
            source = Source("bench", connection_string=local_connection_string(port))
            for number in range(options.rounds):
                sdk = SdkConnection(source, "g", prefetch=2000, max_batch=1000, where="benchmark")
                spent["sdk"].append(asyncio.run(read(sdk, options.events)))
                local = LocalConnection(port, "bench", "g", prefetch=2000, where="benchmark")
                spent["local"].append(asyncio.run(read(local, options.events)))
                spent["host"].append(whole_host(folder, hub_data, options.events, number))
        finally:
            hub.terminate()
            hub.wait(20)
    for what, seconds in spent.items():
        each = sorted(1e6 * value / options.events for value in seconds)
        line = f"{what:6} {statistics.median(each):6.1f} µs of CPU per event ({each[0]:.1f} to {each[-1]:.1f})"
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
