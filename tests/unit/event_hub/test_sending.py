"""The way to the hub, with the real client against the local Event Hubs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub import EventData
from azure.eventhub.aio import EventHubConsumerClient
from azure.eventhub.exceptions import ConnectError, EventDataSendError

from event_hub import sending
from event_hub.sending import EventTooLarge, Hub, HubUnavailable, OutgoingEvent
from pipeline.coverage import HubPartition
from settings import EventHub
from tools.local_host import ROOT

pytestmark = pytest.mark.e2e


class LocalHub:
    """The local Event Hubs as a process of its own that can be ended and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = "0"
        self.connection = ""
        self.start()

    def start(self) -> None:
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "event_hubs_emulator", "--port", self.port, "--hub", "telemetry:4"),
                *("--data", str(self.folder / "data"), "--ready-file", str(ready)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while not ready.exists():
            assert time.monotonic() < deadline, "the local hub does not start"
            time.sleep(0.02)
        self.connection = json.loads(ready.read_text())["eventHubConnection"]
        self.port = self.connection.split("localhost:")[1].split(";")[0].strip("/")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalHub]:
    running = LocalHub(tmp_path)
    yield running
    running.stop()


@pytest.fixture
async def hub(local: LocalHub, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.setattr(sending, "get_event_hub", lambda: EventHub("telemetry", "$Default", local.connection, None))
    hub = Hub()
    yield hub
    await hub.close()


def event(device: str, number: int) -> OutgoingEvent:
    return OutgoingEvent(device, json.dumps({"deviceId": device, "n": number}).encode(), "application/json")


async def received(local: LocalHub, count: int) -> list[tuple[str, EventData]]:
    """(partition, event) of the first ``count`` events."""
    found: list[tuple[str, EventData]] = []
    done = asyncio.Event()

    async def keep(context: object, data: EventData) -> None:
        found.append((context.partition_id, data))  # type: ignore[attr-defined]
        if len(found) == count:
            done.set()

    async with EventHubConsumerClient.from_connection_string(
        local.connection, consumer_group="$Default", eventhub_name="telemetry"
    ) as consumer:
        task = asyncio.create_task(consumer.receive(keep, starting_position="-1"))
        await asyncio.wait_for(done.wait(), 30)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return found


async def test_events_keep_their_key_their_order_and_their_type(hub: Hub, local: LocalHub) -> None:
    sent = [event(f"drone-{number % 3}", number) for number in range(9)]
    await hub.send(sent)
    by_device: dict[str, list[int]] = {}
    partitions: dict[str, set[str]] = {}
    for partition, data in await received(local, 9):
        body = json.loads(data.body_as_str())
        assert data.partition_key == body["deviceId"].encode()
        assert data.content_type == "application/json"
        by_device.setdefault(body["deviceId"], []).append(body["n"])
        partitions.setdefault(body["deviceId"], set()).add(partition)
    assert by_device == {"drone-0": [0, 3, 6], "drone-1": [1, 4, 7], "drone-2": [2, 5, 8]}
    assert all(len(where) == 1 for where in partitions.values())


async def test_more_of_one_key_than_fits_a_batch_goes_in_several(hub: Hub, local: LocalHub) -> None:
    large = [OutgoingEvent("drone-1", b"%d" % number + b"x" * 400_000, "application/json") for number in range(5)]
    await hub.send(large)
    assert [data.body_as_str()[0] for _, data in await received(local, 5)] == list("01234")


@pytest.mark.parametrize("before", [0, 1])
async def test_an_event_larger_than_the_hub_takes_is_told_apart(hub: Hub, before: int) -> None:
    events = [event("drone-1", number) for number in range(before)]
    with pytest.raises(EventTooLarge, match="drone-1"):
        await hub.send([*events, OutgoingEvent("drone-1", b"x" * (1024 * 1024), "application/json")])
    await hub.send([event("drone-1", 1)])


async def test_a_hub_that_went_away_is_unavailable_and_found_again(hub: Hub, local: LocalHub) -> None:
    await hub.partitions()
    await hub.send([event("drone-1", 1)])
    local.stop()
    with pytest.raises(HubUnavailable):
        await hub.send([event("drone-1", 2)])
    assert hub.refused is None  # asking it tells as much
    with pytest.raises(HubUnavailable):
        await hub.partitions()
    local.start()
    await hub.send([event("drone-1", 3)])
    await hub.partitions()
    numbers = [json.loads(data.body_as_str())["n"] for _, data in await received(local, 2)]
    assert numbers == [1, 3]


async def test_a_hub_that_does_not_answer_is_unavailable_at_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = f"Endpoint=sb://localhost:{port};SharedAccessKeyName=k;SharedAccessKey=s;UseDevelopmentEmulator=true;"
    monkeypatch.setattr(sending, "get_event_hub", lambda: EventHub("telemetry", "$Default", connection, None))
    monkeypatch.setattr(sending, "SEND_SECONDS", 0.2)
    monkeypatch.setattr(sending, "PROBE_SECONDS", 0.2)
    hub = Hub()
    with pytest.raises(HubUnavailable, match="Timeout"):
        await hub.send([event("drone-1", 1)])
    server.close()


async def test_partitions_are_asked_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    class Client:
        """Answers nobody before so many ask as may at once."""

        asking, enough = 0, asyncio.Event()

        async def get_partition_ids(self) -> list[str]:
            return [str(number) for number in range(32)]

        async def get_partition_properties(self, partition: str) -> dict[str, Any]:
            self.asking += 1
            if self.asking == sending.PARTITIONS_AT_ONCE:
                self.enough.set()
            await self.enough.wait()
            number = int(partition)
            return {
                "id": partition,
                "beginning_sequence_number": number,
                "is_empty": number % 2 == 0,
                "last_enqueued_sequence_number": number + 9,
            }

    monkeypatch.setattr(sending, "PROBE_SECONDS", 20)
    found = await Hub(Client()).partitions()
    assert [one.id for one in found] == [str(number) for number in range(32)]
    assert (found[0], found[1]) == (HubPartition("0", 0, -1), HubPartition("1", 1, 10))


async def test_a_hub_that_is_not_set_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EventHubConnection", raising=False)
    with pytest.raises(HubUnavailable, match="SettingError"):
        await Hub().send([event("drone-1", 1)])


async def test_what_a_hub_refuses_is_remembered_until_it_takes_some(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(groups: object) -> None:
        raise EventDataSendError("the log cannot be written: no space left")

    with monkeypatch.context() as patched:
        patched.setattr(hub, "_send_groups", full)
        with pytest.raises(HubUnavailable):
            await hub.send([event("drone-1", 1)])
    assert hub.refused == "EventDataSendError"
    await hub.partitions()
    assert hub.refused == "EventDataSendError"
    await hub.send([event("drone-1", 1)])
    assert hub.refused is None


async def test_one_credential_serves_all_clients_and_is_closed_with_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients come and go with every failure of the hub; a token that was fetched stays good."""
    made: list[str] = []

    class Credential:
        def __init__(self) -> None:
            made.append("credential")

        async def close(self) -> None:
            made.append("credential closed")

    class Client:
        def __init__(self, namespace: str, name: str, credential: object, **_: object) -> None:
            assert isinstance(credential, Credential)
            made.append(f"client of {namespace}/{name}")

        async def get_partition_ids(self) -> list[str]:
            raise ConnectError("away")

        async def close(self) -> None:
            made.append("client closed")

    identity = EventHub("telemetry", "$Default", None, "n.example.org")
    monkeypatch.setattr(sending, "get_event_hub", lambda: identity)
    monkeypatch.setattr(sending, "identity", Credential)
    monkeypatch.setattr(sending, "EventHubProducerClient", Client)
    hub = Hub()
    for _ in range(2):
        with pytest.raises(HubUnavailable):
            await hub.partitions()
    await hub.close()
    client = ["client of n.example.org/telemetry", "client closed"]
    assert made == ["credential", *client, *client, "credential closed"]


def test_the_way_in_by_identity_is_loaded_only_for_those_who_take_it() -> None:
    script = (
        "import sys, function_app\n"
        "assert 'azure.eventhub' in sys.modules and 'azure.identity' not in sys.modules\n"
        "from event_hub.sending import identity\n"
        "identity()\n"
        "assert 'azure.identity' in sys.modules\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
