"""The Event Hubs starter: ledger first, then start; what a second delivery does; what holds the partition."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest
from azure.functions.eventhub import EventHubTriggerConverter
from azure.functions.meta import Datum

from event_hub.deliveries import deliveries_of
from pipeline import intake
from pipeline.ports import Store, StoreUnavailable
from pipeline.records import BatchStatus
from starters import ingest
from telemetry.envelope import pack, unpack
from tests.support.engine import Status
from tests.support.pipeline import Pipeline, all_batches, delivery, make_pipeline, message, open_sqlite

DELIVERIES = [delivery(1, message("a", 1)), delivery(2, message("b", 1))]


@pytest.fixture
async def pipeline(tmp_path: Path) -> AsyncIterator[Pipeline]:
    opened = await open_sqlite(tmp_path)
    yield make_pipeline(opened)
    await opened.close()


async def test_a_batch_is_kept_with_its_bytes_and_started(pipeline: Pipeline) -> None:
    batch = await pipeline.receive(DELIVERIES)
    raw = await pipeline.store.ledger.raw(batch.id)
    assert unpack(raw or b"") == DELIVERIES
    assert list(pipeline.engine.instances) == [batch.instance_id]
    await pipeline.engine.run()
    [ended] = await all_batches(pipeline.store)
    assert ended.status is BatchStatus.COMPLETED
    assert (ended.events, ended.first_sequence_number, ended.last_sequence_number) == (2, 1, 2)


async def test_a_completed_batch_is_not_started_again(pipeline: Pipeline) -> None:
    batch = await pipeline.receive(DELIVERIES)
    await pipeline.engine.run()
    before = pipeline.engine.instances[batch.instance_id]
    again = await pipeline.receive(DELIVERIES)
    assert again.status is BatchStatus.COMPLETED
    assert pipeline.engine.instances[batch.instance_id] is before
    assert pipeline.engine.ready == []


async def test_a_failed_batch_waits_for_a_person(pipeline: Pipeline) -> None:
    batch = await pipeline.receive(DELIVERIES)
    await pipeline.store.ledger.fail(batch.id, batch.instance_id, "store", "x", batch.received_at)
    await pipeline.client.terminate(batch.instance_id, "x")
    await pipeline.receive(DELIVERIES)
    assert pipeline.engine.instances[batch.instance_id].status is Status.Terminated


async def test_a_start_that_conflicts_is_a_success(pipeline: Pipeline) -> None:
    batch = intake.new_batch(DELIVERIES)
    await pipeline.client.start_new("process_batch", batch.instance_id, {"batchId": batch.id})
    kept = await pipeline.receive(DELIVERIES)
    await pipeline.engine.run()
    [ended] = await all_batches(pipeline.store)
    assert ended.status is BatchStatus.COMPLETED
    assert kept.instance_id == batch.instance_id


async def test_forty_deliveries_of_one_batch_at_once_run_it_once(pipeline: Pipeline) -> None:

    await asyncio.gather(*(pipeline.receive(DELIVERIES) for _ in range(40)))
    await pipeline.engine.run()
    [batch] = await all_batches(pipeline.store)
    assert (batch.status, batch.attempts) == (BatchStatus.COMPLETED, 1)
    assert list(pipeline.engine.instances) == [batch.instance_id]


async def test_a_lost_start_is_made_up_for_by_the_next_delivery(pipeline: Pipeline) -> None:
    batch = intake.new_batch(DELIVERIES)
    await pipeline.store.ledger.receive(batch, pack(DELIVERIES))
    assert pipeline.engine.instances == {}
    await pipeline.receive(DELIVERIES)
    await pipeline.engine.run()
    [ended] = await all_batches(pipeline.store)
    assert (ended.status, ended.attempts) == (BatchStatus.COMPLETED, 1)


async def test_an_instance_that_has_just_ended_is_not_replaced(pipeline: Pipeline) -> None:
    batch = await pipeline.receive(DELIVERIES)
    await pipeline.client.terminate(batch.instance_id, "x")
    before = pipeline.engine.instances[batch.instance_id]
    await pipeline.receive(DELIVERIES)
    assert pipeline.engine.instances[batch.instance_id] is before


async def test_a_start_that_fails_is_left_to_the_sweeper(pipeline: Pipeline, caplog: pytest.LogCaptureFixture) -> None:
    async def down(*_: Any) -> str:
        raise Exception("connection refused")

    pipeline.client.start_new = down
    batch = await pipeline.receive(DELIVERIES)
    assert batch.status is BatchStatus.RECEIVED
    assert "the sweeper will start the batch" in caplog.text


class Flaky:
    """A ledger whose ``receive`` fails for a while."""

    def __init__(self, store: Store, failures: int) -> None:
        self._receive = store.ledger.receive
        self.failures = failures
        self.ledger = self

    async def receive(self, batch: Any, raw: bytes) -> Any:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("disk full")
        return await self._receive(batch, raw)


async def test_the_ledger_is_tried_again_a_few_times(pipeline: Pipeline) -> None:
    flaky: Any = Flaky(pipeline.store, 3)
    batch = await intake.receive(flaky, pipeline.durable, DELIVERIES)
    assert await pipeline.store.ledger.get(batch.id) is not None


async def test_a_ledger_that_stays_down_raises_so_that_the_partition_is_held(pipeline: Pipeline) -> None:
    flaky: Any = Flaky(pipeline.store, 1000)
    with pytest.raises(StoreUnavailable, match="disk full"):
        await intake.receive(flaky, pipeline.durable, DELIVERIES)
    assert pipeline.engine.instances == {}


def test_what_one_batch_cannot_hold_is_cut_in_parts() -> None:
    mega = 1024 * 1024
    small = [delivery(i, b"x" * 300) for i in range(2000)]
    assert intake.parts_of(small) == [small]
    large = [delivery(i, b"x" * (mega - 1)) for i in range(10)]
    parts = intake.parts_of(large)
    assert [len(part) for part in parts] == [4, 4, 2]
    assert [one for part in parts for one in part] == large
    packed = [delivery(i, b"\x1f\x8b" + b"x" * (mega - 2)) for i in range(3)]
    assert [len(part) for part in intake.parts_of(packed)] == [1, 1, 1]


def test_events_weigh_as_the_messages_that_they_may_become() -> None:
    def parts(body: bytes, number: int = 80) -> list[int]:
        return [len(part) for part in intake.parts_of([delivery(i, body) for i in range(number)])]

    few_bytes = gzip.compress(b"[" + b",".join([b"{}", b"1"] * 5000) + b"]")
    assert len(few_bytes) < 150
    assert max(parts(few_bytes)) * len(few_bytes) < 8_000
    assert parts(b"[" + b"1," * 6000 + b"1]") == [3] * 26 + [2]
    bundle = json.dumps([message(f"d{n}", 1, battery=0.5, position={"altitude": 1}) for n in range(100)]).encode()
    assert parts(bundle) == [80], "a gateway's bundles stay together"
    assert parts(gzip.compress(bundle)) == [80]
    assert parts(b"{" + b'"a":1,' * 1000 + b'"b":1}', 300) == [300], "one message, however many its fields"


def test_the_trigger_is_retried_for_ever() -> None:
    [function] = [f for f in ingest.blueprint._function_builders if f._function.get_function_name() == "ingest"]
    policy = function._function.get_settings_dict("retry_policy")
    assert policy["max_retry_count"] == "-1"
    trigger = function._function.get_trigger()
    assert (trigger.name, trigger.connection, trigger.consumer_group) == (
        "events",
        "EventHubConnection",
        "dronetelemetry",
    )


def trigger_events(**metadata: Any) -> list[func.EventHubEvent]:
    system = [
        {
            "SequenceNumber": 7,
            "Offset": "700",
            "EnqueuedTimeUtc": "2026-01-01T00:00:01.1234567Z",
            "PartitionKey": None,
            "content-type": "application/json",
        },
        {"SequenceNumber": 8, "Offset": "800", "EnqueuedTimeUtc": "2026-01-01T00:00:02Z", "PartitionKey": "a"},
    ]
    given = {
        "PartitionContext": Datum(json.dumps({"PartitionId": "3", "ConsumerGroup": "g"}), "json"),
        "SystemPropertiesArray": Datum(json.dumps(system), "json"),
        "PropertiesArray": Datum(json.dumps([{}, {"Content-Encoding": "gzip"}]), "json"),
        **metadata,
    }
    bodies = Datum(SimpleNamespace(bytes=[b"{}", b"\x1f\x8b"]), "collection_bytes")
    events: list[func.EventHubEvent] = EventHubTriggerConverter.decode(bodies, trigger_metadata=given)
    return events


def test_deliveries_say_where_and_how_the_hub_delivered_them() -> None:
    first, second = deliveries_of(trigger_events(), "telemetry")
    assert (first.hub, first.partition, first.sequence_number, first.offset) == ("telemetry", "3", 7, "700")
    assert first.enqueued_at == "2026-01-01T00:00:01.123456Z"
    assert (first.body, first.content_type, first.content_encoding) == (b"{}", "application/json", None)
    assert (second.sequence_number, second.content_type, second.content_encoding) == (8, None, "gzip")
    assert second.enqueued_at == "2026-01-01T00:00:02.000000Z"


def test_what_came_with_an_event_is_kept_with_it() -> None:
    system = [
        {
            "message-id": "m-1",
            "correlation-id": "c-1",
            "iothub-connection-device-id": "falcon-1",
            "iothub-enqueuedtime": "2026-01-01T00:00:00.5Z",
            "x-opt-other": 1,
            "PartitionKey": "key",
        }
    ]
    properties = [{"site": "north", "level": 3, "Content-Type": "application/json"}]
    first, second = deliveries_of(
        trigger_events(
            SystemPropertiesArray=Datum(json.dumps([*system, {}]), "json"),
            PropertiesArray=Datum(json.dumps([*properties, {}]), "json"),
            PartitionKeyArray=Datum(SimpleNamespace(string=["key", ""]), "collection_string"),
        ),
        "telemetry",
    )
    assert first.context == {
        "partitionKey": "key",
        "system": {
            "message-id": "m-1",
            "correlation-id": "c-1",
            "iothub-connection-device-id": "falcon-1",
            "iothub-enqueuedtime": "2026-01-01T00:00:00.5Z",
        },
        "properties": {"site": "north", "level": 3},
    }
    assert first.content_type == "application/json"
    assert second.context is None


def test_events_without_metadata_are_taken_all_the_same() -> None:
    event = func.EventHubEvent(body=b"{}", sequence_number=1, offset="1", enqueued_time=datetime(2026, 1, 1))
    [one] = deliveries_of([event], "telemetry")
    assert (one.partition, one.enqueued_at) == (
        "unknown",
        datetime(2026, 1, 1, tzinfo=timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    )


def test_a_batch_has_the_same_identity_whenever_it_is_delivered() -> None:
    assert intake.new_batch(DELIVERIES).id == intake.new_batch(DELIVERIES).id
    other = [delivery(1, message("a", 1), partition="1"), DELIVERIES[1]]
    assert intake.new_batch(other).id != intake.new_batch(DELIVERIES).id
