"""The purge: what is old and finished goes, what is unfinished or young stays, and a run is bounded."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.intake import new_batch
from pipeline.ports import StoreUnavailable
from pipeline.purge import purge
from pipeline.records import BatchStatus
from settings import read_settings
from telemetry.envelope import pack
from tests.support.engine import Status
from tests.support.pipeline import (
    Pipeline,
    all_batches,
    all_letters,
    all_messages,
    delivery,
    make_pipeline,
    message,
    open_sqlite,
)

KEEP = read_settings({}).retention
NOTHING = replace(KEEP, messages_hours=-1, batches_hours=-1, dead_letters_hours=-1, durable_hours=-1)
"""Everything counts as old."""


@pytest.fixture
async def pipeline(tmp_path: Path) -> AsyncIterator[Pipeline]:
    opened = await open_sqlite(tmp_path)
    yield make_pipeline(opened)
    await opened.close()


async def fill(pipeline: Pipeline) -> None:
    await pipeline.receive([delivery(1, message("a", 1)), delivery(2, message("a", 2, battery=2))])
    await pipeline.receive([delivery(3, message("a", 3, battery=3))])
    await pipeline.engine.run()
    [first, _] = await all_letters(pipeline.store)
    await pipeline.store.dead_letters.resolve(first["id"], "discarded", at="2026-01-01T00:00:00.000000Z", reason="x")
    deliveries = [delivery(4, message("a", 4))]
    lost = await pipeline.store.ledger.receive(new_batch(deliveries), pack(deliveries))
    broken = await pipeline.receive([delivery(5, message("a", 5))])
    await pipeline.store.ledger.fail(broken.id, broken.instance_id, "store", "x", lost.received_at)


async def test_what_is_finished_and_old_goes_and_what_is_not_stays(pipeline: Pipeline) -> None:
    await fill(pipeline)
    deleted = await purge(pipeline.store, pipeline.durable, NOTHING, "telemetry")
    assert deleted == {"messages": 1, "batches": 2, "deadLetters": 1, "flights": 0, "alerts": 0, "histories": 2}
    assert {batch.status for batch in await all_batches(pipeline.store)} == {BatchStatus.RECEIVED, BatchStatus.FAILED}
    assert [letter["status"] for letter in await all_letters(pipeline.store)] == ["open"]
    assert [instance.status for instance in pipeline.engine.instances.values()] == [Status.Pending]


async def test_what_is_young_stays(pipeline: Pipeline) -> None:
    await fill(pipeline)
    keep = replace(KEEP, messages_hours=1e6, dead_letters_hours=1e6)
    assert set((await purge(pipeline.store, pipeline.durable, keep, "telemetry")).values()) == {0}
    assert len(pipeline.engine.instances) == 3


async def test_the_totals_outlive_what_they_count(pipeline: Pipeline) -> None:
    await fill(pipeline)
    before = await pipeline.store.ledger.totals()
    await purge(pipeline.store, pipeline.durable, NOTHING, "telemetry")
    after = await pipeline.store.ledger.totals()
    assert (
        (after.messages, after.stored, after.rejected) == (before.messages, before.stored, before.rejected) == (3, 1, 2)
    )


async def test_a_run_goes_on_while_there_is_time(pipeline: Pipeline) -> None:
    await pipeline.receive([delivery(i, message("a", i)) for i in range(7)])
    await pipeline.engine.run()
    few = replace(NOTHING, limit=2)
    seconds = itertools.count(0, 30)
    rushed = await purge(pipeline.store, pipeline.durable, few, "telemetry", clock=lambda: float(next(seconds)))
    assert rushed["messages"] == 2
    assert (await purge(pipeline.store, pipeline.durable, few, "telemetry"))["messages"] == 5
    assert (await all_messages(pipeline.store, ["a"]))["a"] == []


async def test_one_kind_that_cannot_be_purged_holds_no_other(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(pipeline)

    async def down(*_: Any) -> int:
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(pipeline.store.messages, "purge", down)
    deleted = await purge(pipeline.store, pipeline.durable, NOTHING, "telemetry")
    assert (deleted["messages"], deleted["batches"]) == (0, 2)
    assert "disk full" in caplog.text


async def test_letters_stay_while_batches_are_left_that_may_ask_for_them(pipeline: Pipeline) -> None:
    await fill(pipeline)
    seconds = itertools.count(0, 30)
    few = replace(NOTHING, limit=1)
    rushed = await purge(pipeline.store, pipeline.durable, few, "telemetry", clock=lambda: float(next(seconds)))
    assert (rushed["batches"], rushed["deadLetters"], rushed["messages"]) == (1, 0, 1)
    assert (await purge(pipeline.store, pipeline.durable, NOTHING, "telemetry"))["deadLetters"] == 1


async def test_what_is_left_of_a_purged_batch_goes_when_its_own_time_is_over(pipeline: Pipeline) -> None:
    await pipeline.receive([delivery(1, message("a", 1))])
    await pipeline.engine.run()
    [batch] = await all_batches(pipeline.store)

    async def left() -> int:
        return len(await pipeline.store.ledger.purged(batch.hub, batch.partition, 0, 100))

    await purge(pipeline.store, pipeline.durable, NOTHING, "telemetry")
    assert await left() == 1
    await purge(pipeline.store, pipeline.durable, replace(NOTHING, purged_hours=-1), "telemetry")
    assert await left() == 0
