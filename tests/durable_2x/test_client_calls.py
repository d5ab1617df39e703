"""Every client call of the app on 2.x, by the functions that make it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import azure.durable_functions as df
import pytest

from pipeline.attempts import start
from pipeline.durable import InstanceStatus
from pipeline.histories import Histories
from pipeline.intake import new_batch, receive
from pipeline.orphans import end_orphans
from pipeline.records import Batch, BatchStatus
from pipeline.sweep import Sweeper, why_restart
from settings import read_settings
from storage.sqlite import SqliteStore
from telemetry.envelope import pack
from telemetry.model import Delivery
from tests.support.host_2x import Host
from tests.support.pipeline import delivery, message

SWEEPING = replace(read_settings({}).sweeping, stalled_seconds=-1, stuck_seconds=-1)
RETENTION = replace(read_settings({}).retention, durable_hours=-1)
DELIVERIES = [delivery(1, message("a", 1)), delivery(2, message("b", 2))]
Status = df.OrchestrationRuntimeStatus


async def kept(store: SqliteStore, deliveries: Sequence[Delivery] = DELIVERIES) -> Batch:
    """A batch in the ledger whose start was lost."""
    return await store.ledger.receive(new_batch(deliveries), pack(deliveries))


async def get(store: SqliteStore, batch: Batch) -> Batch:
    found = await store.ledger.get(batch.id)
    assert found is not None
    return found


async def test_a_second_start_of_a_running_or_ended_instance_is_no_error_and_runs_nothing(
    host: Host, store: SqliteStore
) -> None:
    batch = await kept(store)
    assert await start(host.durable, batch)
    assert await start(host.durable, batch)
    async with host.running():
        await host.ended(batch.instance_id)
        calls = list(host.calls)
        assert await start(host.durable, batch)
        await host.idle()
    assert host.calls == calls


async def test_a_start_that_cannot_be_done_is_left_to_the_sweeper(host: Host, store: SqliteStore) -> None:
    batch = await kept(store)
    host.backend.stop()
    assert not await start(host.durable, batch)


async def test_only_an_instance_that_never_was_is_missing(host: Host, store: SqliteStore) -> None:
    assert await host.durable.instance("unknown") is None
    batch = await kept(store)
    await start(host.durable, batch)
    status = await host.durable.instance(batch.instance_id)
    assert status is not None
    assert status.status is InstanceStatus.PENDING
    # The SDK gives no time zone, unlike 1.x: the adapter reads it as UTC.
    assert status.moved.tzinfo is not None
    assert why_restart(status, replace(SWEEPING, stuck_seconds=60)) is None
    assert "has not moved" in (why_restart(status, SWEEPING) or "")


async def test_a_batch_that_is_delivered_again_after_a_lost_start_is_started(host: Host, store: SqliteStore) -> None:
    batch = await kept(store)
    async with host.running():
        assert (await receive(store, host.durable, DELIVERIES)).id == batch.id
        assert (await host.ended(batch.instance_id)).runtime_status is Status.Completed
    assert (await get(store, batch)).status is BatchStatus.COMPLETED


async def test_the_sweeper_starts_what_was_lost_and_starts_again_what_ended_without_its_batch(
    host: Host, store: SqliteStore, quick_retries: None
) -> None:
    def away(_: Any) -> Any:
        raise OSError("the store is away")

    batch = await kept(store)
    await Sweeper().sweep(store, host.durable, SWEEPING)
    assert await host.client.get_status(batch.instance_id)
    host.activities = {"store_messages": away, "fail_batch": away}
    async with host.running():
        assert (await host.ended(batch.instance_id)).runtime_status is Status.Failed
        host.activities = {}
        await Sweeper().sweep(store, host.durable, SWEEPING)
        following = (await get(store, batch)).instance_id
        assert following != batch.instance_id
        assert (await host.ended(following)).runtime_status is Status.Completed
    ended = await get(store, batch)
    assert (ended.status, ended.attempts, ended.sweeps) == (BatchStatus.COMPLETED, 2, 1)


async def test_the_sweeper_leaves_a_suspended_instance_alone(host: Host, store: SqliteStore) -> None:
    batch = await kept(store)
    await start(host.durable, batch)
    await host.client.suspend(batch.instance_id, "a person looks at it")
    async with host.running():
        status = None
        while status is not Status.Suspended:
            await asyncio.sleep(0.01)
            status = (await host.client.get_status(batch.instance_id)).runtime_status
        await Sweeper().sweep(store, host.durable, SWEEPING)
    assert (await get(store, batch)).attempts == 1


async def test_orphans_of_this_hub_are_ended_and_nothing_else(host: Host, store: SqliteStore) -> None:
    batch = await kept(store)
    await start(host.durable, batch)
    orphans = ["telemetry~0~9~9~20260101T000000000000Z~1", batch.id + "~7"]
    for instance in (*orphans, "somebody-elses"):
        await host.client.start_new("process_batch", instance, {"batchId": "unknown"})
    await end_orphans(store, host.durable, SWEEPING, "telemetry")
    async with host.running():
        for instance in orphans:
            assert (await host.ended(instance)).runtime_status is Status.Terminated
        for instance in (batch.instance_id, "somebody-elses"):
            assert (await host.ended(instance)).runtime_status is not Status.Terminated


async def test_histories_of_ended_instances_of_this_hub_are_purged_and_nothing_else(
    host: Host, store: SqliteStore
) -> None:
    done, failed = await kept(store), "telemetry~0~9~9~20260101T000000000000Z~1"
    await start(host.durable, done)
    await host.client.start_new("process_batch", "somebody-elses", {"batchId": "unknown"})
    await host.client.start_new("process_batch", failed, {})
    async with host.running():
        for instance in (done.instance_id, failed, "somebody-elses"):
            await host.ended(instance)
    await host.client.start_new("process_batch", "telemetry~waiting", {"batchId": "unknown"})
    assert (await host.client.get_status(failed)).runtime_status is Status.Failed
    long = replace(RETENTION, durable_hours=1)
    assert await Histories().purge(store, host.durable, long, "telemetry", lambda: False) == 0
    await store.ledger.set_mark("histories", "")  # as if nothing had been looked at yet
    assert await Histories().purge(store, host.durable, RETENTION, "telemetry", lambda: False) == 2
    assert not await host.client.get_status(done.instance_id)
    assert not await host.client.get_status(failed)
    assert await host.client.get_status("somebody-elses")
    assert await host.client.get_status("telemetry~waiting")


@pytest.mark.parametrize("call", ["terminate", "purge_instance_history"])
async def test_calls_about_what_is_not_there_do_no_harm(host: Host, call: str) -> None:
    arguments: tuple[Any, ...] = ("unknown", "why") if call == "terminate" else ("unknown",)
    await getattr(host.client, call)(*arguments)
    assert not await host.client.get_status("unknown")
