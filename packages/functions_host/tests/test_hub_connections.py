"""Both ways of reading a hub, azure-eventhub's and the host's own, against the local hub in this process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from azure.eventhub import EventData
from azure.eventhub.aio import EventHubProducerClient
from azure.eventhub.amqp import AmqpAnnotatedMessage
from event_hubs_emulator.emulator import EventHubsEmulator
from functions_host.eventhubs.connection import Source, local_connection_string
from functions_host.eventhubs.events import ReceivedEvent
from functions_host.eventhubs.hub import HubConnection
from functions_host.eventhubs.local.connection import LocalConnection, selector
from functions_host.eventhubs.positions import START, PartitionState, Position
from functions_host.eventhubs.sdk_connection import SdkConnection
from functions_host.eventhubs.sdk_patches import prepare

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[EventHubsEmulator]:
    prepare()
    async with EventHubsEmulator(tmp_path / "hub", {"h": 3}, "127.0.0.1", 0) as running:
        yield running


@pytest.fixture(params=["sdk", "local"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def connect(way: str, hub: EventHubsEmulator, *, prefetch: int = 300, name: str = "h") -> HubConnection:
    if way == "local":
        return LocalConnection(hub.port, name, "$Default", prefetch=prefetch, where="f")
    source = Source(name, connection_string=local_connection_string(hub.port))
    return SdkConnection(source, "$Default", prefetch=prefetch, max_batch=100, where="f")


async def send(hub: EventHubsEmulator, *bodies: str | bytes | EventData | AmqpAnnotatedMessage, key: str = "") -> None:
    producer = EventHubProducerClient.from_connection_string(hub.connection_string, eventhub_name="h")
    async with producer:
        batch = await producer.create_batch(partition_id=None if key else "1", partition_key=key or None)
        for body in bodies:
            batch.add(EventData(body) if isinstance(body, (str, bytes)) else body)
        await producer.send_batch(batch)


class Reading:
    """Receives in the background what comes after a position."""

    def __init__(self, connection: HubConnection, position: Position, partition: str = "1") -> None:
        self.connection = connection
        self.events: list[ReceivedEvent] = []
        self.opened = asyncio.Event()
        self.hold = asyncio.Event()
        self.hold.set()
        self.task = asyncio.ensure_future(connection.receive(partition, position, self._take, self.opened.set))

    async def _take(self, events: list[ReceivedEvent]) -> None:
        self.events += events
        await self.hold.wait()

    async def until(self, count: int) -> list[ReceivedEvent]:
        while len(self.events) < count:
            assert not self.task.done(), self.task.result()
            await asyncio.sleep(0.01)
        return self.events


@contextlib.asynccontextmanager
async def reading(
    way: str, hub: EventHubsEmulator, position: Position = START, *, prefetch: int = 300
) -> AsyncIterator[Reading]:
    connection = connect(way, hub, prefetch=prefetch)
    made = Reading(connection, position)
    try:
        yield made
    finally:
        made.task.cancel()
        await asyncio.gather(made.task, return_exceptions=True)
        await connection.close()


def numbers(events: list[ReceivedEvent]) -> list[int]:
    return [event.sequence_number for event in events]


async def test_hub_and_partitions_are_described(way: str, hub: EventHubsEmulator) -> None:
    connection = connect(way, hub)
    assert await connection.partitions() == ["0", "1", "2"]
    assert (await connection.state("1")).last == -1
    await send(hub, "a", "b")
    state = await connection.state("1")
    assert state == PartitionState(0, 1, state.last_offset, False)
    assert int(state.last_offset) >= 0
    await connection.close()


async def test_events_come_in_order_with_all_that_belongs_to_them(way: str, hub: EventHubsEmulator) -> None:
    rich = EventData(b"rich")
    rich.properties = {"a": 1, "b": "text"}
    rich.content_type = "text/plain"
    await send(hub, "plain", rich, AmqpAnnotatedMessage(value_body={"x": [1]}), b"\xff")
    async with reading(way, hub) as it:
        events = await it.until(4)
        assert it.opened.is_set()
    assert numbers(events) == [0, 1, 2, 3]
    assert [event.body for event in events] == [b"plain", b"rich", b'{"x":[1]}', b"\xff"]
    assert {str(name if isinstance(name, str) else name.decode()) for name in events[1].properties} == {"a", "b"}
    assert set(events[1].message_properties) == {"content-type"}
    moment = events[0].enqueued_time
    assert moment is not None
    assert abs((datetime.now(timezone.utc) - moment).total_seconds()) < 60


async def test_partition_keys_come_along(way: str, hub: EventHubsEmulator) -> None:
    await send(hub, "a", key="drone-7")
    for partition in ("0", "1", "2"):
        connection = connect(way, hub)
        if (await connection.state(partition)).last == 0:
            it = Reading(connection, START, partition)
            assert (await it.until(1))[0].partition_key == "drone-7"
            it.task.cancel()
        await connection.close()


async def test_reading_starts_after_a_position(way: str, hub: EventHubsEmulator) -> None:
    await send(hub, *[str(number) for number in range(10)])
    connection = connect(way, hub)
    last = (await connection.state("1")).last_offset
    await connection.close()
    async with reading(way, hub, 6) as it:
        assert numbers(await it.until(3)) == [7, 8, 9]
    async with reading(way, hub, datetime(2020, 1, 1, tzinfo=timezone.utc)) as it:
        assert len(await it.until(10)) == 10
    for end in (last, "@latest"):
        async with reading(way, hub, end) as it:
            await asyncio.wait_for(it.opened.wait(), 10)
            await send(hub, "new")
            assert [event.body for event in await it.until(1)] == [b"new"]


async def test_a_slow_reader_is_not_run_over(way: str, hub: EventHubsEmulator) -> None:
    for _ in range(4):
        await send(hub, *["x" * 100] * 500)
    async with reading(way, hub, prefetch=50) as it:
        it.hold.clear()
        await it.until(1)
        await asyncio.sleep(0.3)
        # What one call was given, and nothing more while it waits.
        assert len(it.events) <= 350
        it.hold.set()
        assert numbers(await it.until(2000)) == list(range(2000))


async def test_the_frames_of_the_hub_are_those_that_are_read_at_fixed_places(hub: EventHubsEmulator) -> None:
    await send(hub, *["x" * 100] * 50)
    async with reading("local", hub) as it:
        await it.until(50)
        assert isinstance(it.connection, LocalConnection)
        assert it.connection._wire is not None
        assert it.connection._wire.fast == 50


async def test_large_events_come_whole(way: str, hub: EventHubsEmulator) -> None:
    await send(hub, b"a" * 900_000)
    await send(hub, b"b" * 70_000, b"c")
    async with reading(way, hub) as it:
        events = await it.until(3)
    assert [len(event.body) for event in events] == [900_000, 70_000, 1]


async def test_what_is_not_there_is_an_error(way: str, hub: EventHubsEmulator) -> None:
    missing = connect(way, hub, name="missing")
    with pytest.raises(Exception, match="missing"):
        await missing.partitions()
    await missing.close()
    connection = connect(way, hub)
    error = await Reading(connection, START, "99").task
    assert isinstance(error, Exception)
    await connection.close()


async def test_the_end_of_the_hub_ends_the_reading(way: str, tmp_path: Path) -> None:
    prepare()
    async with EventHubsEmulator(tmp_path / "hub", {"h": 2}, "127.0.0.1", 0) as hub:
        connection = connect(way, hub)
        it = Reading(connection, START)
        await asyncio.wait_for(it.opened.wait(), 10)
    assert isinstance(await asyncio.wait_for(it.task, 20), Exception)
    await connection.close()


async def test_nobody_there_is_an_error(way: str, hub: EventHubsEmulator) -> None:
    connection = LocalConnection(1, "h", "g", prefetch=1, where="f")
    with pytest.raises(OSError, match="Connect"):
        await connection.partitions()
    assert isinstance(await Reading(connection, START).task, OSError)
    await connection.close()


def test_selectors_are_those_of_event_hubs() -> None:
    assert selector("-1") == "amqp.annotation.x-opt-offset > '-1'"
    assert selector(5) == "amqp.annotation.x-opt-sequence-number > '5'"
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert selector(moment) == "amqp.annotation.x-opt-enqueued-time > '1767225600000'"
