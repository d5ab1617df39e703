"""The sweeper: lost starts, stuck and ended instances, orphans in both directions, and when it gives up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.intake import new_batch
from pipeline.orphans import end_orphans
from pipeline.ports import StoreUnavailable
from pipeline.records import Batch, BatchStatus
from pipeline.sweep import Sweeper
from settings import Sweeping, read_settings
from telemetry.envelope import pack
from tests.support.engine import Status
from tests.support.pipeline import Pipeline, delivery, make_pipeline, message, open_sqlite

AT_ONCE = replace(read_settings({}).sweeping, stalled_seconds=-1)
"""Every unfinished batch counts as stalled, whatever its age."""


@pytest.fixture
async def pipeline(tmp_path: Path) -> AsyncIterator[Pipeline]:
    opened = await open_sqlite(tmp_path)
    yield make_pipeline(opened)
    await opened.close()


async def run_sweep(pipeline: Pipeline, sweeping: Sweeping = AT_ONCE) -> None:
    await Sweeper().sweep(pipeline.store, pipeline.durable, sweeping)
    await end_orphans(pipeline.store, pipeline.durable, sweeping, "telemetry")


async def lost_start(pipeline: Pipeline, number: int = 1) -> Batch:
    deliveries = [delivery(number, message("a", number))]
    return await pipeline.store.ledger.receive(new_batch(deliveries), pack(deliveries))


async def get(pipeline: Pipeline, batch: Batch) -> Batch:
    found = await pipeline.store.ledger.get(batch.id)
    assert found is not None
    return found


async def test_a_lost_start_is_made_up_for_and_is_no_attempt_of_its_own(pipeline: Pipeline) -> None:
    batch = await lost_start(pipeline)
    await run_sweep(pipeline)
    assert list(pipeline.engine.instances) == [batch.instance_id]
    await pipeline.engine.run()
    ended = await get(pipeline, batch)
    assert (ended.status, ended.attempts, ended.sweeps) == (BatchStatus.COMPLETED, 1, 0)


async def test_starts_that_fail_for_long_make_no_batch_fail(pipeline: Pipeline) -> None:
    batch = await lost_start(pipeline)
    start_new = pipeline.client.start_new

    async def down(*_: Any) -> str:
        raise Exception("connection refused")

    pipeline.client.start_new = down
    for _ in range(10):
        await run_sweep(pipeline)
    pipeline.client.start_new = start_new
    await run_sweep(pipeline)
    await pipeline.engine.run()
    assert (await get(pipeline, batch)).status is BatchStatus.COMPLETED


async def test_a_batch_that_has_just_come_is_left_alone(pipeline: Pipeline) -> None:
    batch = await lost_start(pipeline)
    await run_sweep(pipeline, replace(AT_ONCE, stalled_seconds=60))
    assert (await get(pipeline, batch)).attempts == 1


@pytest.mark.parametrize("status", [Status.Completed, Status.Failed, Status.Terminated, Status.Canceled])
async def test_an_instance_that_ended_without_its_batch_is_followed_by_another(pipeline: Pipeline, status: Any) -> None:
    batch = await pipeline.receive([delivery(1, message("a", 1))])
    pipeline.engine.instances[batch.instance_id].status = status
    await run_sweep(pipeline)
    await pipeline.engine.run()
    ended = await get(pipeline, batch)
    assert (ended.status, ended.attempts) == (BatchStatus.COMPLETED, 2)


@pytest.mark.parametrize("status", [Status.Running, Status.Pending, Status.ContinuedAsNew, Status.Suspended])
async def test_an_instance_that_moves_is_left_alone(pipeline: Pipeline, status: Any) -> None:
    batch = await pipeline.receive([delivery(1, message("a", 1))])
    pipeline.engine.instances[batch.instance_id].status = status
    await run_sweep(pipeline)
    assert (await get(pipeline, batch)).attempts == 1


async def test_an_instance_that_the_engine_has_lost_is_ended_and_followed_by_another(pipeline: Pipeline) -> None:
    batch = await pipeline.receive([delivery(1, message("a", 1))])
    instance = pipeline.engine.instances[batch.instance_id]
    pipeline.engine.ready.clear()
    instance.status = Status.Running
    instance.updated -= timedelta(seconds=AT_ONCE.stuck_seconds + 1)
    await run_sweep(pipeline)
    assert instance.status is Status.Terminated
    await pipeline.engine.run()
    ended = await get(pipeline, batch)
    assert (ended.status, ended.attempts) == (BatchStatus.COMPLETED, 2)


async def test_an_instance_that_waits_for_its_turn_is_given_more_time(pipeline: Pipeline) -> None:
    batch = await pipeline.receive([delivery(1, message("a", 1))])
    instance = pipeline.engine.instances[batch.instance_id]
    instance.created -= timedelta(seconds=AT_ONCE.stuck_seconds * 2)
    instance.updated = instance.created
    await run_sweep(pipeline, replace(AT_ONCE, limit=10))
    assert (await get(pipeline, batch)).attempts == 1
    instance.updated -= timedelta(seconds=AT_ONCE.stuck_seconds * 10)
    await run_sweep(pipeline)
    assert (await get(pipeline, batch)).attempts == 2


async def test_a_suspended_instance_is_a_persons_own_affair(pipeline: Pipeline) -> None:
    batch = await pipeline.receive([delivery(1, message("a", 1))])
    instance = pipeline.engine.instances[batch.instance_id]
    instance.status = Status.Suspended
    instance.updated -= timedelta(days=9)
    await run_sweep(pipeline)
    assert (await get(pipeline, batch)).attempts == 1


async def test_after_three_sweeps_the_batch_is_failed_and_says_why(pipeline: Pipeline) -> None:
    batch = await lost_start(pipeline)
    await run_sweep(pipeline)
    for _ in range(AT_ONCE.max_sweeps):
        await pipeline.client.terminate((await get(pipeline, batch)).instance_id, "x")
        await run_sweep(pipeline)
    assert (await get(pipeline, batch)).attempts == 4
    await pipeline.client.terminate(f"{batch.id}~4", "x")
    await run_sweep(pipeline)
    failed = await get(pipeline, batch)
    assert failed.status is BatchStatus.FAILED
    assert failed.error == "started again 3 times without coming to an end; the last instance is Terminated"
    await run_sweep(pipeline)
    assert (await get(pipeline, batch)).attempts == 4
    assert len(pipeline.engine.instances) == 4


async def test_while_the_engine_cannot_be_asked_nothing_is_started_and_nothing_used_up(pipeline: Pipeline) -> None:
    batch = await lost_start(pipeline)

    async def down(*_: Any, **__: Any) -> Any:
        raise Exception("connection refused")

    pipeline.client.get_status = down
    pipeline.client.get_status_by = down
    with pytest.raises(Exception, match="connection refused"):
        await run_sweep(pipeline)
    assert (await get(pipeline, batch)).sweeps == 0


async def test_one_batch_that_cannot_be_swept_holds_no_other(pipeline: Pipeline) -> None:
    first, second = [await pipeline.receive([delivery(i, message("a", i))]) for i in (1, 2)]
    for batch in (first, second):
        await pipeline.client.terminate(batch.instance_id, "x")
    reopen = pipeline.store.ledger.open_attempt

    async def failing(batch_id: str, *args: Any, **kwargs: Any) -> Any:
        if batch_id == first.id:
            raise StoreUnavailable("disk full")
        return await reopen(batch_id, *args, **kwargs)

    pipeline.store.ledger.open_attempt = failing  # type: ignore[method-assign]
    await run_sweep(pipeline)
    assert [(await get(pipeline, batch)).attempts for batch in (first, second)] == [1, 2]


async def test_two_sweepers_at_once_open_one_attempt(pipeline: Pipeline) -> None:
    batch = await pipeline.receive([delivery(1, message("a", 1))])
    await pipeline.client.terminate(batch.instance_id, "x")
    await asyncio.gather(*(run_sweep(pipeline) for _ in range(5)))
    assert (await get(pipeline, batch)).attempts == 2


@pytest.mark.parametrize("kind", ["no batch", "overtaken", "batch ended"])
async def test_an_instance_without_a_batch_to_work_on_is_ended(pipeline: Pipeline, kind: str) -> None:
    batch = await lost_start(pipeline)
    orphan = {"no batch": "telemetry~9~1~2~t~1", "overtaken": f"{batch.id}~7", "batch ended": batch.instance_id}[kind]
    if kind == "batch ended":
        await pipeline.store.ledger.fail(batch.id, batch.instance_id, "store", "x", batch.received_at)
    await pipeline.client.start_new("process_batch", orphan, {"batchId": orphan.rpartition("~")[0]})
    await run_sweep(pipeline, replace(AT_ONCE, stalled_seconds=60))
    assert pipeline.engine.instances[orphan].status is Status.Pending, "it may be young"
    pipeline.engine.instances[orphan].created -= timedelta(seconds=AT_ONCE.stuck_seconds + 1)
    await run_sweep(pipeline, replace(AT_ONCE, stalled_seconds=60))
    assert pipeline.engine.instances[orphan].status is Status.Terminated


async def test_an_old_instance_at_work_on_its_batch_is_no_orphan(pipeline: Pipeline) -> None:
    batch = await pipeline.receive([delivery(1, message("a", 1))])
    pipeline.engine.instances[batch.instance_id].created -= timedelta(days=1)
    await run_sweep(pipeline)
    assert pipeline.engine.instances[batch.instance_id].status is Status.Pending


async def test_an_instance_whose_batch_is_unknown_ends_without_effect(pipeline: Pipeline) -> None:
    await pipeline.client.start_new("process_batch", "telemetry~9~1~2~t~1", {"batchId": "telemetry~9~1~2~t"})
    await pipeline.engine.run()
    instance = pipeline.engine.instances["telemetry~9~1~2~t~1"]
    assert instance.status is Status.Completed
    assert instance.output["current"] is False


async def test_batches_that_are_left_alone_keep_nobody_from_being_looked_at(pipeline: Pipeline) -> None:
    suspended = [await pipeline.receive([delivery(i, message("a", i))]) for i in range(1, 8)]
    for batch in suspended:
        pipeline.engine.instances[batch.instance_id].status = Status.Suspended
    lost = await lost_start(pipeline, 9)
    sweeper, few = Sweeper(), replace(AT_ONCE, limit=3)
    looked_at: list[str] = []
    ask = pipeline.client.get_status

    async def watched(instance_id: str) -> Any:
        looked_at.append(instance_id)
        return await ask(instance_id)

    pipeline.client.get_status = watched
    for _ in range(3):
        await sweeper.sweep(pipeline.store, pipeline.durable, few)
    assert lost.instance_id in pipeline.engine.instances
    assert len(looked_at) == 9
    assert set(looked_at) == {batch.instance_id for batch in (*suspended, lost)}, "everybody within three runs"
    for _ in range(3):
        await sweeper.sweep(pipeline.store, pipeline.durable, few)
    assert len(looked_at) == 18
    assert all(looked_at.count(batch.instance_id) >= 2 for batch in suspended), "round and round"


async def test_a_few_stalled_batches_are_each_looked_at_once_in_a_run(pipeline: Pipeline) -> None:
    batches = [await lost_start(pipeline, number) for number in (1, 2)]
    sweeper = Sweeper()
    for _ in range(3):
        await sweeper.sweep(pipeline.store, pipeline.durable, replace(AT_ONCE, limit=2))
    assert set(pipeline.engine.instances) == {batch.instance_id for batch in batches}
