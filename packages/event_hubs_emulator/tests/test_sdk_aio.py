"""azure-eventhub's asyncio clients against the hub."""

from __future__ import annotations

import asyncio
import datetime
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub import EventData
from azure.eventhub._buffered_producer._partition_resolver import PartitionResolver
from azure.eventhub.aio import EventHubConsumerClient, EventHubProducerClient
from azure.eventhub.amqp import AmqpAnnotatedMessage, AmqpMessageBodyType
from azure.eventhub.exceptions import ConnectError, ConnectionLostError, EventDataSendError
from event_hubs_emulator import EventHubsEmulator, Limits

# The SDK waits for frames in steps of this; its own default makes each step of a test last a fifth of a second.
QUICK: dict[str, Any] = {"socket_timeout": 0.05}
NO_RETRY: dict[str, Any] = {"retry_total": 0} | QUICK


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens inside the hub or the SDK and has no event of its own."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


def producer(hub: EventHubsEmulator, name: str = "telemetry", **options: Any) -> EventHubProducerClient:
    return EventHubProducerClient.from_connection_string(hub.connection_string, eventhub_name=name, **(QUICK | options))


def consumer(
    hub: EventHubsEmulator, name: str = "telemetry", group: str = "$Default", **options: Any
) -> EventHubConsumerClient:
    return EventHubConsumerClient.from_connection_string(
        hub.connection_string, group, eventhub_name=name, **(QUICK | options)
    )


async def receive(
    hub: EventHubsEmulator, count: int, name: str = "telemetry", **options: Any
) -> list[tuple[str, EventData]]:
    """Receive `count` events: (partition, event)."""
    found: list[tuple[str, EventData]] = []
    enough = asyncio.Event()

    async def on_batch(context: Any, events: list[EventData]) -> None:
        found.extend((context.partition_id, event) for event in events)
        if len(found) >= count:
            enough.set()

    options = {"starting_position": "-1", "max_wait_time": 0.2} | options
    async with consumer(hub, name) as client:
        task = asyncio.create_task(client.receive_batch(on_batch, **options))
        waiting = asyncio.create_task(enough.wait())
        await asyncio.wait([task, waiting], timeout=20, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(found) == count
    return found


async def test_events_arrive_whole_in_order_where_their_key_belongs(hub: EventHubsEmulator) -> None:
    resolver = PartitionResolver(["0", "1", "2", "3"])
    async with producer(hub) as client:
        properties = await client.get_eventhub_properties()
        assert properties["eventhub_name"] == "telemetry"
        assert properties["partition_ids"] == ["0", "1", "2", "3"]
        assert abs(datetime.datetime.now(datetime.timezone.utc) - properties["created_at"]).total_seconds() < 60
        for key in ("drone-1", "drone-2", "drøne-3"):
            batch = await client.create_batch(partition_key=key)
            for number in range(5):
                event = EventData(f"{key} {number}")
                event.properties = {"number": number, "text": "x", "ratio": 0.5, "id": uuid.UUID(int=7)}
                event.content_type, event.message_id, event.correlation_id = "application/json", f"m{number}", "c"
                batch.add(event)
            await client.send_batch(batch)
    events = await receive(hub, 15)
    for key in ("drone-1", "drone-2", "drøne-3"):
        mine = [(partition, event) for partition, event in events if (event.partition_key or b"").decode() == key]
        assert [event.body_as_str() for _, event in mine] == [f"{key} {number}" for number in range(5)]
        assert {partition for partition, _ in mine} == {resolver.get_partition_id_by_partition_key(key)}
        for number, (_, event) in enumerate(mine):
            assert event.properties == {b"number": number, b"text": b"x", b"ratio": 0.5, b"id": uuid.UUID(int=7)}
            assert (event.content_type, event.message_id, event.correlation_id) == (
                "application/json",
                f"m{number}",
                "c",
            )
            assert event.system_properties[b"content-type"] == b"application/json"
            assert abs(datetime.datetime.now(datetime.timezone.utc) - event.enqueued_time).total_seconds() < 60
    for partition in "0123":
        numbers = [event.sequence_number for where, event in events if where == partition]
        assert numbers == list(range(len(numbers)))
        offsets = [int(event.offset or "") for where, event in events if where == partition]
        assert offsets == sorted(set(offsets))


async def test_every_kind_of_body(hub: EventHubsEmulator) -> None:
    messages = [
        EventData(b""),
        EventData([b"several", b"sections"]),
        AmqpAnnotatedMessage(value_body={"a": [1, "two", None], "b": 2.5}),
        AmqpAnnotatedMessage(sequence_body=[[1, 2], ["three"]]),
        AmqpAnnotatedMessage(
            data_body=b"hop", delivery_annotations={"x-opt-hop": 1}, annotations={"x-opt-mine": "kept"}
        ),
    ]
    async with producer(hub, "single") as client:
        await client.send_batch(messages)
        for message in messages:
            await client.send_event(message)
    events = [event for _, event in await receive(hub, 10, "single")]
    for half in (events[:5], events[5:]):
        assert b"".join(half[0].body) == b""
        assert list(half[1].body) == [b"several", b"sections"]
        assert (half[2].body_type, half[2].body) == (AmqpMessageBodyType.VALUE, {b"a": [1, b"two", None], b"b": 2.5})
        assert (half[3].body_type, list(half[3].body)) == (AmqpMessageBodyType.SEQUENCE, [[1, 2], [b"three"]])
        assert half[4].raw_amqp_message.annotations[b"x-opt-mine"] == b"kept"


async def test_every_starting_position(hub: EventHubsEmulator) -> None:
    async with producer(hub, "single") as client:
        for number in range(3):
            await client.send_event(EventData(str(number)))
            await asyncio.sleep(0.002)
        events = [event for _, event in await receive(hub, 3, "single")]
        second = events[1]
        starts = [{"starting_position": at} for at in (second.offset, second.sequence_number, second.enqueued_time)]
        exclusive = [receive(hub, 1, "single", **start) for start in starts]
        inclusive = [receive(hub, 2, "single", starting_position_inclusive=True, **start) for start in starts]
        for got in await asyncio.gather(*exclusive, *inclusive):
            assert [event.body_as_str() for _, event in got] == ["1", "2"][-len(got) :]

        late: list[str] = []
        opened, arrived = asyncio.Event(), asyncio.Event()

        async def on_event(context: Any, event: EventData | None) -> None:
            opened.set()
            if event is not None:
                late.append(event.body_as_str())
                arrived.set()

        async with consumer(hub, "single") as reader:
            task = asyncio.create_task(reader.receive(on_event, starting_position="@latest", max_wait_time=0.1))
            await asyncio.wait_for(opened.wait(), 10)
            partition = hub._hubs.find("single").partitions[0]  # type: ignore[union-attr]
            await until(lambda: bool(partition._subscribers))
            await client.send_event(EventData("new"))
            await asyncio.wait_for(arrived.wait(), 10)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert late == ["new"]


async def test_partition_properties_and_runtime_metrics(hub: EventHubsEmulator) -> None:
    async with producer(hub, "single") as client:
        empty = await client.get_partition_properties("0")
        assert (empty["is_empty"], empty["last_enqueued_sequence_number"], empty["last_enqueued_offset"]) == (
            True,
            -1,
            "-1",
        )
        assert empty["last_enqueued_time_utc"].year == 1
        await client.send_batch([EventData("a"), EventData("b")])
        properties = await client.get_partition_properties("0")
    tracked: list[Any] = []

    async def on_event(context: Any, event: EventData) -> None:
        tracked.append((context.last_enqueued_event_properties, event))

    async with consumer(hub, "single") as reader:
        task = asyncio.create_task(
            reader.receive(on_event, starting_position="-1", track_last_enqueued_event_properties=True)
        )
        await until(lambda: len(tracked) == 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    last, event = tracked[-1]
    assert (last["sequence_number"], last["offset"], last["enqueued_time"]) == (1, event.offset, event.enqueued_time)
    assert properties["last_enqueued_sequence_number"] == 1
    assert properties["last_enqueued_offset"] == event.offset
    assert properties["last_enqueued_time_utc"] == event.enqueued_time
    assert (properties["beginning_sequence_number"], properties["is_empty"]) == (0, False)


async def test_a_higher_owner_level_takes_over(hub: EventHubsEmulator) -> None:
    errors: list[Any] = []
    opened = {level: asyncio.Event() for level in (1, 2)}

    async def run(level: int) -> None:
        async def on_event(context: Any, event: Any) -> None:
            opened[level].set()

        async def on_error(context: Any, error: Exception) -> None:
            errors.append((level, error))

        async with consumer(hub, "single", retry_total=0) as client:
            await client.receive(on_event, on_error=on_error, owner_level=level, partition_id="0", max_wait_time=0.1)

    receivers = hub._service.receivers  # type: ignore[union-attr]

    async def owned_by(level: int) -> None:
        await until(lambda: [r.owner_level for group in receivers._attached.values() for r in group] == [level])

    first = asyncio.create_task(run(1))
    await owned_by(1)
    second = asyncio.create_task(run(2))
    await owned_by(2)
    await until(lambda: bool(errors))
    for task in (first, second):
        task.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    level, error = errors[0]
    assert level == 1
    assert isinstance(error, ConnectionLostError)
    assert "link:stolen" in str(error)


async def test_errors_reach_the_application(tmp_path: Path) -> None:
    limits = Limits(max_message_size=20_000)
    async with EventHubsEmulator(tmp_path, {"single": 1}, port=0, limits=limits) as hub:
        async with producer(hub, "nowhere", **NO_RETRY) as client:
            with pytest.raises(ConnectError, match="'nowhere' could not be found"):
                await client.get_eventhub_properties()
        async with producer(hub, "single", **NO_RETRY) as client:
            batch = await client.create_batch()
            assert batch.max_size_in_bytes == 20_000
            with pytest.raises(ValueError, match="size limit"):
                batch.add(EventData("x" * 20_000))
            with pytest.raises(EventDataSendError, match=r"MessageSizeExceeded|message-size-exceeded"):
                await client.send_event(EventData("x" * 30_000))
            await client.send_event(EventData("still alive"))
            assert (await client.get_partition_properties("0"))["last_enqueued_sequence_number"] == 0
        error = await _error_of_consuming(hub, starting_position=10**6)
        assert isinstance(error, ConnectError)
        assert "The supplied sequence number '1000000' is invalid" in str(error)


async def _error_of_consuming(hub: EventHubsEmulator, **options: Any) -> Exception:
    failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    async def on_event(context: Any, event: EventData | None) -> None: ...

    async def on_error(context: Any, error: Exception) -> None:
        if not failed.done():
            failed.set_result(error)

    async with consumer(hub, "single", **NO_RETRY) as client:
        task = asyncio.create_task(client.receive(on_event, on_error=on_error, partition_id="0", **options))
        error = await asyncio.wait_for(failed, 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return error


async def test_a_megabyte_goes_both_ways(hub: EventHubsEmulator) -> None:
    body = bytes(range(256)) * 4000
    async with producer(hub, "single") as client:
        await client.send_event(EventData(body))
        batch = await client.create_batch()
        sent = 0
        while True:
            try:
                batch.add(EventData(body[:50_000]))
            except ValueError:
                break
            sent += 1
        await client.send_batch(batch)
    assert sent > 15
    events = [b"".join(event.body) for _, event in await receive(hub, 1 + sent, "single")]
    assert events[0] == body
    assert set(events[1:]) == {body[:50_000]}


async def test_the_buffered_producer_keeps_the_order_of_each_key(hub: EventHubsEmulator) -> None:
    failed: list[Any] = []

    async def on_success(events: Any, partition_id: Any) -> None: ...

    async def on_error(events: Any, partition_id: Any, error: Any) -> None:
        failed.append(error)

    client = producer(
        hub, buffered_mode=True, on_success=on_success, on_error=on_error, max_buffer_length=50, max_wait_time=0.1
    )
    async with client:
        for number in range(400):
            await client.send_event(EventData(str(number)), partition_key=f"k{number % 7}")
        await client.flush()
        assert not failed
        events = await receive(hub, 400)
    resolver = PartitionResolver(["0", "1", "2", "3"])
    for key in range(7):
        mine = [
            (where, int(event.body_as_str())) for where, event in events if event.partition_key == f"k{key}".encode()
        ]
        assert [number for _, number in mine] == list(range(key, 400, 7))
        assert {where for where, _ in mine} == {resolver.get_partition_id_by_partition_key(f"k{key}")}


async def test_a_client_goes_on_after_the_hub_was_restarted(tmp_path: Path) -> None:
    async with EventHubsEmulator(tmp_path, {"single": 1}, port=0) as hub:
        port = hub.port
        client = producer(hub, "single", retry_total=8, retry_backoff_factor=0.05)
        await client.send_event(EventData("before"))
    async with EventHubsEmulator(tmp_path, {}, port=port) as hub:
        await client.send_event(EventData("after"))
        await client.close()
        events = [event for _, event in await receive(hub, 2, "single")]
    assert [(event.body_as_str(), event.sequence_number) for event in events] == [("before", 0), ("after", 1)]


async def test_an_idle_consumer_keeps_its_connection(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """azure-eventhub answers the hub's idle time-out with heartbeats of its own; the hub counts them."""
    got = asyncio.Event()

    async def on_event(context: Any, event: EventData) -> None:
        got.set()

    limits = Limits(idle_timeout_ms=500)
    async with (
        EventHubsEmulator(tmp_path, {"single": 1}, port=0, limits=limits) as hub,
        consumer(hub, "single") as client,
    ):
        task = asyncio.create_task(client.receive(on_event, starting_position="-1", partition_id="0"))
        log = hub._hubs.find("single").partitions[0]  # type: ignore[union-attr]
        await until(lambda: bool(log._subscribers))
        attached = list(log._subscribers)
        # Longer than the hub's patience with a silent peer, which is twice its time-out.
        await asyncio.sleep(1.3)
        assert list(log._subscribers) == attached
        async with producer(hub, "single") as sender:
            await sender.send_event(EventData("x"), partition_id="0")
        await asyncio.wait_for(got.wait(), 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert "no frame for" not in caplog.text


async def test_a_port_in_use_is_an_error_that_leaves_the_folder_free(hub: EventHubsEmulator, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    with pytest.raises(OSError, match="in use"):
        await EventHubsEmulator(folder, {"single": 1}, port=hub.port).start()
    async with EventHubsEmulator(folder, {}, port=0) as other:
        assert other.hub_sizes == {"single": 1}
