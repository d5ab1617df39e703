"""Pacing: a partition waits for its batch before the last, but never long, and never twice for the same one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipeline.pace import Pace
from pipeline.ports import StoreUnavailable
from tests.support.pipeline import Pipeline, delivery, make_pipeline, message, open_sqlite


@pytest.fixture
async def pipeline(tmp_path: Path) -> AsyncIterator[Pipeline]:
    opened = await open_sqlite(tmp_path)
    yield make_pipeline(opened)
    await opened.close()


async def hold(pipeline: Pipeline, pace: Pace, number: int, partition: str = "0") -> asyncio.Task[None]:
    batch = await pipeline.receive([delivery(number, message("a", number), partition=partition)])
    return asyncio.create_task(pace.hold(pipeline.store.ledger, batch))


async def test_the_first_batches_are_not_held(pipeline: Pipeline) -> None:
    pace = Pace(ahead=1, longest_seconds=60)
    for number in (1, 2):
        await asyncio.wait_for(await hold(pipeline, pace, number), 10)


async def test_a_batch_is_held_until_the_one_before_the_last_has_ended(pipeline: Pipeline) -> None:
    pace = Pace(ahead=1, longest_seconds=60, look_seconds=0.01)
    for number in (1, 2):
        await (await hold(pipeline, pace, number))
    third = await hold(pipeline, pace, 3)
    other = await hold(pipeline, pace, 1, partition="1")
    await asyncio.wait_for(other, 10)
    assert not third.done()
    await pipeline.engine.run()
    await asyncio.wait_for(third, 10)


async def test_a_batch_that_stands_still_holds_its_partition_once_and_for_a_moment(pipeline: Pipeline) -> None:
    pace = Pace(ahead=0, longest_seconds=0.2, look_seconds=0.01)
    await (await hold(pipeline, pace, 1))
    await asyncio.wait_for(await hold(pipeline, pace, 2), 10)
    assert list(pace._started["0"]) == [(await pipeline.receive([delivery(2, message("a", 2))])).id]


async def test_a_store_that_is_away_holds_nobody(pipeline: Pipeline) -> None:
    pace = Pace(ahead=0, longest_seconds=60)
    await (await hold(pipeline, pace, 1))
    second = await pipeline.receive([delivery(2, message("a", 2))])

    async def down(_: str) -> None:
        raise StoreUnavailable("disk full")

    pipeline.store.ledger.get = down  # type: ignore[method-assign, assignment]
    await asyncio.wait_for(pace.hold(pipeline.store.ledger, second), 10)
