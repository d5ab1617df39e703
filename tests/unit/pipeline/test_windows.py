"""Signals in two speeds: on the engine in memory and a SQLite store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from activities import staging
from activities.flush import flush
from pipeline import windows
from pipeline.attempts import replay_batch
from pipeline.freshness import Freshness
from pipeline.ports import Store
from pipeline.records import Counts
from pipeline.windows import FLUSH, SLOTS, Window, flush_id, window_at
from telemetry.merge import merge_messages
from telemetry.model import Delivery
from tests.support.engine import Status
from tests.support.pipeline import Pipeline, all_messages, delivery, make_pipeline, message, open_sqlite

LENGTH = 0.05
HELD: Window = {"hub": "telemetry", "partition": "0", "seconds": 0.0}


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_sqlite(tmp_path)
    yield opened
    await opened.close()


def event(number: int, device: str = "a", **fields: Any) -> Delivery:
    said = {"battery": 0.9, "flightMode": "inflight", **fields}
    return delivery(number, message(device, number % 60, **said), second=number % 60)


async def receive(pipeline: Pipeline, *deliveries: Delivery) -> None:
    """The batch runs; flushes are left."""
    await pipeline.receive(deliveries)
    engine = pipeline.engine
    while others := [number for number, item in enumerate(engine.ready) if not _is_flush(item.key)]:
        engine.ready.insert(0, engine.ready.pop(others[0]))
        await engine.step()


def _is_flush(key: str) -> bool:
    return "~flush~" in key


def flushes(pipeline: Pipeline) -> list[str]:
    return [key for key in pipeline.engine.instances if _is_flush(key)]


async def test_a_drone_is_signalled_once_a_window_but_for_news(kept: Store) -> None:
    pipeline = make_pipeline(kept, signal_window=3600)
    for number in range(1, 11):
        await receive(pipeline, event(number), event(number, "b", battery=0.1 if number > 5 else 0.9))
    assert pipeline.engine.signalled == {"a": 1, "b": 2}
    assert (await kept.held.totals()).batches == 9
    assert len(flushes(pipeline)) <= 2  # the hour may have ended in between
    await pipeline.engine.run()
    assert pipeline.engine.signalled == {"a": 2, "b": 3}
    assert (await kept.held.totals()).batches == 0
    stored = await all_messages(kept, ["a", "b"])
    for key, messages in stored.items():
        assert json.loads(pipeline.engine.entities[key] or "") == merge_messages(messages)[key]
    [instance] = [pipeline.engine.instances[key] for key in flushes(pipeline)][-1:]
    assert instance.status is Status.Completed
    assert instance.output["drones"] == 2


async def test_a_batch_of_nothing_but_news_is_not_held(kept: Store) -> None:
    pipeline = make_pipeline(kept, signal_window=3600)
    await receive(pipeline, event(1), event(1, "b"))
    assert (await kept.held.totals()).batches == 0
    assert flushes(pipeline) == []


async def test_a_batch_that_runs_again_tells_all_its_drones(kept: Store) -> None:
    pipeline = make_pipeline(kept, signal_window=3600)
    await receive(pipeline, event(1))
    await receive(pipeline, event(2))
    [held] = await kept.held.list("telemetry", "0", 10)
    await replay_batch(kept, pipeline.durable, held.id)
    await pipeline.engine.run()
    assert pipeline.engine.signalled == {"a": 3}
    assert (await kept.held.totals()).batches == 0


async def test_a_flush_that_fails_is_made_up_for_by_the_sweeper(kept: Store) -> None:
    pipeline = make_pipeline(kept, signal_window=LENGTH)
    await receive(pipeline, event(1))
    await receive(pipeline, event(2, battery=0.8))
    whole = pipeline.engine.activities[windows.FLUSH_ACTIVITY]

    async def fails(_: Any) -> Any:
        raise OSError("planned")

    pipeline.engine.activities[windows.FLUSH_ACTIVITY] = fails
    await pipeline.engine.run()
    [failed] = flushes(pipeline)
    assert pipeline.engine.instances[failed].status is Status.Failed
    assert (await kept.held.totals()).batches == 1
    pipeline.engine.activities[windows.FLUSH_ACTIVITY] = whole
    await windows.sweep_held(kept, pipeline.durable, LENGTH, 3600)
    assert len(flushes(pipeline)) == 1, "it is not late yet"
    for _ in range(3):
        await pipeline.sweep_held()
    assert len(flushes(pipeline)) == 2
    await pipeline.engine.run()
    assert (await kept.held.totals()).batches == 0
    assert json.loads(pipeline.engine.entities["a"] or "")["layers"][0][5]["battery"] == 0.8


async def test_instances_are_no_more_than_there_are_slots(kept: Store) -> None:
    pipeline = make_pipeline(kept, signal_window=LENGTH)
    for number in range(1, 3 * SLOTS):
        await pipeline.receive([event(number)])
        await pipeline.engine.run()
        await asyncio.sleep(LENGTH)
    assert SLOTS / 2 < len(flushes(pipeline)) <= SLOTS
    assert (await kept.held.totals()).batches == 0


async def test_a_start_that_fails_fails_nothing(kept: Store) -> None:
    pipeline = make_pipeline(kept, signal_window=3600)
    await receive(pipeline, event(1))
    start = pipeline.client.start_new

    async def refuse(name: str, *arguments: Any) -> Any:
        if name == FLUSH:
            raise OSError("planned")
        return await start(name, *arguments)

    pipeline.client.start_new = refuse
    await receive(pipeline, event(2))
    assert flushes(pipeline) == []
    pipeline.client.start_new = start
    await receive(pipeline, event(3))
    assert len(flushes(pipeline)) == 1
    await pipeline.engine.run()
    assert (await kept.held.totals()).batches == 0


async def test_portions_are_done_one_after_another(kept: Store) -> None:
    pipeline = make_pipeline(kept, signal_window=3600)
    for number in range(1, 6):
        await receive(pipeline, event(number))
    pipeline.engine.activities[windows.FLUSH_ACTIVITY] = lambda window: flush(
        kept, pipeline.durable, window, most_batches=2
    )
    await pipeline.engine.run()
    [instance] = [pipeline.engine.instances[key] for key in flushes(pipeline)]
    assert instance.output == {"batches": 4, "drones": 2}
    assert instance.scheduled == 4  # the timer, and three portions, the last of none
    assert (await kept.held.totals()).batches == 0


async def test_another_process_reads_what_is_staged(kept: Store) -> None:
    pipeline = make_pipeline(kept, signal_window=3600)
    await receive(pipeline, event(1))
    await receive(pipeline, event(2, battery=0.7))
    staging._recent.clear()
    assert await flush(kept, pipeline.durable, HELD) == {"batches": 1, "drones": 1, "more": False}
    await pipeline.engine.run()
    assert json.loads(pipeline.engine.entities["a"] or "")["layers"][0][5]["battery"] == 0.7


async def test_a_batch_whose_staged_document_is_gone_runs_again(kept: Store) -> None:
    pipeline = make_pipeline(kept, signal_window=3600)
    await receive(pipeline, event(1))
    await receive(pipeline, event(2, battery=0.7))
    [held] = await kept.held.list("telemetry", "0", 10)
    database: Any = kept
    await database.database.write(lambda connection: connection.execute("DELETE FROM batch_staged").rowcount)
    staging._recent.clear()
    assert await flush(kept, pipeline.durable, HELD) == {"batches": 1, "drones": 0, "more": False}
    await pipeline.engine.run()
    assert json.loads(pipeline.engine.entities["a"] or "")["layers"][0][5]["battery"] == 0.7
    batch = await kept.ledger.get(held.id)
    assert batch is not None
    assert (batch.attempts, batch.counts) == (2, Counts(1, 1, 0, 0))


def test_windows_of_a_partition_follow_each_other_and_those_of_others_end_at_other_times() -> None:
    for partition in ("0", "1", "31"):
        number, end = window_at(partition, 10, 1_000_003.7)
        assert 0 < end - 1_000_003.7 <= 10
        for moment, following in ((end - 0.001, 0), (end + 0.001, 1)):
            its_number, its_end = window_at(partition, 10, moment)
            assert its_number == number + following
            assert its_end == pytest.approx(end + 10 * following)
    assert len({round(window_at(str(partition), 10, 0)[1], 3) for partition in range(32)}) > 28
    assert flush_id("telemetry", "0", 7) == "telemetry~flush~0~7"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def read_by(pipeline: Pipeline, freshness: Freshness, window: float = 3600) -> Any:
    async def read(key: str) -> Any:
        return json.loads(pipeline.engine.entities.get(key) or "null")

    return await freshness.state("a", read, window)


async def test_one_drone_is_fresh_while_its_signals_wait(kept: Store) -> None:
    """And the same, byte for byte, when they have come."""
    pipeline = make_pipeline(kept, signal_window=3600)
    clock = Clock()
    freshness = Freshness(kept, clock)
    assert await read_by(pipeline, freshness) is None
    for number in range(1, 5):
        await receive(pipeline, event(number, battery=1 - number / 10, heading=number))
        clock.now += 2
        fresh = await read_by(pipeline, freshness)
        assert fresh == merge_messages((await all_messages(kept, ["a"]))["a"])["a"]
    kept_by_entity = json.loads(pipeline.engine.entities["a"] or "")
    assert kept_by_entity != fresh
    assert await read_by(pipeline, freshness, window=0) == kept_by_entity
    await pipeline.engine.run()
    assert json.dumps(json.loads(pipeline.engine.entities["a"] or "")) == json.dumps(fresh)
    assert await read_by(pipeline, freshness) == fresh


async def test_what_was_held_a_moment_ago_is_still_looked_for(kept: Store) -> None:
    """The entity hears of it a little after the flush has let go of it."""
    pipeline = make_pipeline(kept, signal_window=3600)
    clock = Clock()
    freshness = Freshness(kept, clock)
    await receive(pipeline, event(1))
    await receive(pipeline, event(2, battery=0.5))
    fresh = await read_by(pipeline, freshness)
    before = dict(pipeline.engine.entities)
    await pipeline.engine.run()
    pipeline.engine.entities = before
    clock.now += 10
    assert await read_by(pipeline, freshness) == fresh
    clock.now += 10
    assert await read_by(pipeline, freshness) == json.loads(before["a"] or "")


async def test_the_list_says_how_old_it_is(kept: Store) -> None:
    pipeline = make_pipeline(kept, signal_window=3600)
    clock = Clock()
    freshness = Freshness(kept, clock)
    now = await freshness.as_of(3600)
    assert now is not None
    assert now > "2026-01-02"
    await receive(pipeline, event(1))
    await receive(pipeline, event(2), event(3))
    clock.now += 2
    assert await freshness.as_of(3600) == event(2).enqueued_at
    assert (await freshness.as_of(0) or "") > now
    await pipeline.engine.run()
    clock.now += 2
    assert (await freshness.as_of(3600) or "") > now
