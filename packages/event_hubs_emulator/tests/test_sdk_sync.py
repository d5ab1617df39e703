"""azure-eventhub's threaded clients against the hub, which runs in a loop beside them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub import (
    CheckpointStore,
    EventData,
    EventHubConsumerClient,
    EventHubProducerClient,
    EventHubSharedKeyCredential,
)
from azure.eventhub._eventprocessor.in_memory_checkpoint_store import InMemoryCheckpointStore
from event_hubs_emulator import EventHubsEmulator

QUICK = {"socket_timeout": 0.05}
PARTITIONS = 4


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[str]:
    """The connection string of a hub `telemetry`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    hub = EventHubsEmulator(tmp_path, {"telemetry": PARTITIONS}, port=0)
    asyncio.run_coroutine_threadsafe(hub.start(), loop).result(10)
    yield hub.connection_string
    asyncio.run_coroutine_threadsafe(hub.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def _producer(connection: str, **options: Any) -> EventHubProducerClient:
    return EventHubProducerClient.from_connection_string(connection, eventhub_name="telemetry", **QUICK, **options)


def _consume(
    connection: str, count: int, store: CheckpointStore | None = None, checkpoint: bool = False, **options: Any
) -> list[tuple[str, str]]:
    """Receive until there are `count` events: (partition, body)."""
    client = EventHubConsumerClient.from_connection_string(
        connection, "workers", eventhub_name="telemetry", checkpoint_store=store, load_balancing_interval=0.2, **QUICK
    )
    found: list[tuple[str, str]] = []
    enough = threading.Event()

    def on_batch(context: Any, events: list[EventData]) -> None:
        found.extend((context.partition_id, event.body_as_str()) for event in events)
        if checkpoint and events:
            context.update_checkpoint(events[-1])
        if len(found) >= count:
            enough.set()

    thread = threading.Thread(
        target=client.receive_batch,
        args=(on_batch,),
        kwargs={"starting_position": "-1", "max_wait_time": 0.1} | options,
    )
    thread.start()
    try:
        assert enough.wait(20), f"{len(found)} of {count} events"
    finally:
        client.close()
        thread.join(10)
    return found


def test_send_by_partition_key_round_robin_and_event_and_receive_all(connection: str) -> None:
    with _producer(connection) as client:
        assert client.get_partition_ids() == ["0", "1", "2", "3"]
        for partition in (0, 3):
            batch = client.create_batch(partition_id=str(partition))
            batch.add(EventData(f"at {partition}"))
            client.send_batch(batch)
        for number in range(PARTITIONS):
            client.send_event(EventData(f"anywhere {number}"))
        client.send_event(EventData("keyed"), partition_key="k")
        state = client.get_partition_properties("0")
    assert state["last_enqueued_sequence_number"] >= 1
    found = _consume(connection, 2 + PARTITIONS + 1)
    assert {(where, body) for where, body in found if body.startswith("at")} == {("0", "at 0"), ("3", "at 3")}
    assert len({partition for partition, body in found if body.startswith("anywhere")}) == PARTITIONS


def test_a_consumer_goes_on_after_its_checkpoint_and_gets_the_rest_again(connection: str) -> None:
    store = InMemoryCheckpointStore()
    with _producer(connection) as client:
        client.send_batch([EventData("one")], partition_id="1")
        assert _consume(connection, 1, store, checkpoint=True, partition_id="1") == [("1", "one")]
        client.send_batch([EventData("two")], partition_id="1")
    for _ in range(2):
        assert _consume(connection, 1, store, partition_id="1") == [("1", "two")]


def test_the_buffered_producer(connection: str) -> None:
    acknowledged: list[EventData] = []
    failed: list[Any] = []
    client = _producer(
        connection,
        buffered_mode=True,
        on_success=lambda events, partition: acknowledged.extend(events),
        on_error=lambda events, partition, error: failed.append(error),
        max_wait_time=0.1,
    )
    with client:
        for number in range(200):
            client.send_event(EventData(str(number)), partition_key=f"k{number % 5}")
        client.flush()
    assert not failed
    assert len(acknowledged) == 200
    assert sorted(int(body) for _, body in _consume(connection, 200)) == list(range(200))


def test_a_key_credential_works_like_a_connection_string(connection: str) -> None:
    host = connection.split("sb://")[1].split(";")[0]
    credential = EventHubSharedKeyCredential("RootManageSharedAccessKey", "any key at all")
    with EventHubProducerClient(host, "telemetry", credential, use_tls=False, **QUICK) as client:
        client.send_event(EventData("x"), partition_id="0")
        assert client.get_partition_properties("0")["last_enqueued_sequence_number"] == 0
