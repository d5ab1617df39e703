"""Replay by a person: batches, many batches, dead letters, many dead letters; twice is once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import settings
from pipeline.attempts import replay_batch, replay_batches
from pipeline.dead_letters import StillRejected, replay_dead_letter, replay_dead_letters
from pipeline.ports import BatchFilter, Conflict, DeadLetterFilter
from pipeline.records import BatchStatus, Counts
from telemetry.merge import registers
from tests.support.engine import Status
from tests.support.pipeline import Pipeline, all_batches, all_letters, all_messages, delivery, make_pipeline, message
from tests.support.pipeline import open_sqlite as open_store

FAILED = BatchFilter(statuses=frozenset({BatchStatus.FAILED}))
HIGH = {"altitude": 30_000}


@pytest.fixture
async def pipeline(tmp_path: Path) -> AsyncIterator[Pipeline]:
    opened = await open_store(tmp_path)
    yield make_pipeline(opened)
    await opened.close()


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings under which drones may fly 50 km high."""

    def switch() -> None:
        monkeypatch.setenv("ALTITUDE_RANGE_METRES", "-1000,50000")
        settings.get_settings.cache_clear()

    settings.get_settings.cache_clear()
    yield switch
    monkeypatch.undo()
    settings.get_settings.cache_clear()


async def failed_batch(pipeline: Pipeline, number: int = 1) -> Any:
    batch = await pipeline.receive([delivery(number, message("a", number))])
    activities, pipeline.engine.activities = (
        pipeline.engine.activities,
        {**pipeline.activities(), "store_messages": boom},
    )
    await pipeline.engine.run()
    pipeline.engine.activities = activities
    return await pipeline.store.ledger.get(batch.id)


async def boom(_: Any) -> Any:
    raise OSError("disk full")


async def test_a_failed_batch_is_replayed_as_a_new_instance(pipeline: Pipeline) -> None:
    failed = await failed_batch(pipeline)
    assert (failed.status, failed.stage) == (BatchStatus.FAILED, "store")
    assert "disk full" in failed.error
    opened = await replay_batch(pipeline.store, pipeline.durable, failed.id)
    assert opened.instance_id == f"{failed.id}~2"
    await pipeline.engine.run()
    ended = await pipeline.store.ledger.get(failed.id)
    assert ended is not None
    assert (ended.status, ended.attempts, ended.error, ended.counts) == (
        BatchStatus.COMPLETED,
        2,
        None,
        Counts(1, 1, 0, 0),
    )
    assert pipeline.engine.instances[f"{failed.id}~1"].status is Status.Failed


async def test_replaying_a_completed_batch_changes_nothing_that_is_kept(pipeline: Pipeline) -> None:
    batch = await pipeline.receive([delivery(1, message("a", 1)), delivery(2, message("a", 2, battery=2))])
    await pipeline.engine.run()
    before = await snapshot(pipeline)
    await replay_batch(pipeline.store, pipeline.durable, batch.id)
    await pipeline.engine.run()
    after = await snapshot(pipeline)
    assert after == before


async def snapshot(pipeline: Pipeline) -> Any:
    [batch] = await all_batches(pipeline.store)
    letters = [{**letter, "attempts": None} for letter in await all_letters(pipeline.store)]
    totals = await pipeline.store.ledger.totals()
    return (
        batch.status,
        batch.counts,
        letters,
        await all_messages(pipeline.store, ["a"]),
        totals,
        pipeline.engine.entities,
    )


async def test_a_batch_that_runs_cannot_be_replayed(pipeline: Pipeline) -> None:
    batch = await pipeline.receive([delivery(1, message("a", 1))])
    with pytest.raises(Conflict, match="is received"):
        await replay_batch(pipeline.store, pipeline.durable, batch.id)
    await pipeline.engine.run(3)
    with pytest.raises(Conflict, match="is running"):
        await replay_batch(pipeline.store, pipeline.durable, batch.id)


async def test_an_unknown_batch_is_unknown(pipeline: Pipeline) -> None:
    with pytest.raises(KeyError):
        await replay_batch(pipeline.store, pipeline.durable, "nope")


async def test_of_many_replays_at_once_one_is_done(pipeline: Pipeline) -> None:
    failed = await failed_batch(pipeline)
    answers = await asyncio.gather(
        *(replay_batch(pipeline.store, pipeline.durable, failed.id) for _ in range(20)), return_exceptions=True
    )
    assert [a.instance_id for a in answers if not isinstance(a, BaseException)] == [f"{failed.id}~2"]
    assert sum(isinstance(answer, Conflict) for answer in answers) == 19
    await pipeline.engine.run()
    assert len(pipeline.engine.instances) == 2


async def test_a_replay_whose_start_fails_is_started_by_the_sweeper(pipeline: Pipeline) -> None:
    failed = await failed_batch(pipeline)

    async def down(*_: Any) -> str:
        raise Exception("connection refused")

    pipeline.client.start_new = down
    opened = await replay_batch(pipeline.store, pipeline.durable, failed.id)
    assert (opened.status, opened.sweeps) == (BatchStatus.RECEIVED, 0)


async def test_many_are_replayed_up_to_the_limit_and_the_running_skipped(pipeline: Pipeline) -> None:
    failed = [await failed_batch(pipeline, number) for number in range(1, 6)]
    running = await pipeline.receive([delivery(9, message("a", 9))])
    result = await replay_batches(pipeline.store, pipeline.durable, FAILED, 3)
    assert len(result.replayed) == 3
    assert result.skipped == []
    result = await replay_batches(pipeline.store, pipeline.durable, BatchFilter(), 100)
    assert len(result.replayed) == 2
    assert running.id in result.skipped
    await pipeline.engine.run()
    assert {batch.status for batch in await all_batches(pipeline.store)} == {BatchStatus.COMPLETED}
    assert len(failed) == 5


async def test_a_dead_letter_is_stored_when_the_settings_allow_it(pipeline: Pipeline, lenient: Any) -> None:
    batch = await pipeline.receive([delivery(1, [message("a", 1), message("a", 2, position=HIGH)])])
    await pipeline.engine.run()
    [letter] = await all_letters(pipeline.store)
    with pytest.raises(StillRejected) as caught:
        await replay_dead_letter(pipeline.store, pipeline.durable, letter["id"])
    assert [error["code"] for error in caught.value.errors] == ["altitude_out_of_range"]
    assert (await all_letters(pipeline.store))[0]["attempts"] == 2
    lenient()
    for _ in range(3):
        replayed = await replay_dead_letter(pipeline.store, pipeline.durable, letter["id"])
        assert replayed["status"] == "replayed"
    await pipeline.engine.run()
    assert len((await all_messages(pipeline.store, ["a"]))["a"]) == 2
    assert registers(json.loads(pipeline.engine.entities["a"] or ""))["altitude"][0] == 30_000
    counted = await pipeline.store.ledger.get(batch.id)
    assert counted is not None
    assert counted.counts == Counts(messages=2, stored=2, duplicates=0, rejected=0)
    assert (await pipeline.store.ledger.totals()).rejected == 0


async def test_a_dead_letter_whose_message_came_by_another_way_is_a_duplicate(pipeline: Pipeline, lenient: Any) -> None:
    same = message("a", 2, position=HIGH)
    first = await pipeline.receive([delivery(1, same)])
    await pipeline.engine.run()
    [letter] = await all_letters(pipeline.store)
    lenient()
    pipeline.rules = settings.get_settings().rules
    await pipeline.receive([delivery(2, same)])
    await pipeline.engine.run()
    await replay_dead_letter(pipeline.store, pipeline.durable, letter["id"])
    counted = await pipeline.store.ledger.get(first.id)
    assert counted is not None
    assert counted.counts == Counts(messages=1, stored=0, duplicates=1, rejected=0)


async def test_a_discarded_letter_is_not_replayed(pipeline: Pipeline) -> None:
    await pipeline.receive([delivery(1, message("a", 1, battery=2))])
    await pipeline.engine.run()
    [letter] = await all_letters(pipeline.store)
    await pipeline.store.dead_letters.resolve(letter["id"], "discarded", at=letter["createdAt"], reason="x")
    with pytest.raises(Conflict, match="is discarded"):
        await replay_dead_letter(pipeline.store, pipeline.durable, letter["id"])
    with pytest.raises(KeyError):
        await replay_dead_letter(pipeline.store, pipeline.durable, "nope")


async def test_a_signal_that_fails_leaves_the_letter_open_and_asking_again_does_the_rest(
    pipeline: Pipeline, lenient: Any
) -> None:
    batch = await pipeline.receive([delivery(1, message("a", 1, position=HIGH))])
    await pipeline.engine.run()
    [letter] = await all_letters(pipeline.store)
    lenient()
    signal = pipeline.client.signal_entity

    async def down(*_: Any) -> None:
        raise Exception("The operation failed with an unexpected status code 503")

    pipeline.client.signal_entity = down
    with pytest.raises(Exception, match="503"):
        await replay_dead_letter(pipeline.store, pipeline.durable, letter["id"])
    assert [one["status"] for one in await all_letters(pipeline.store)] == ["open"]
    pipeline.client.signal_entity = signal
    await replay_dead_letter(pipeline.store, pipeline.durable, letter["id"])
    counted = await pipeline.store.ledger.get(batch.id)
    assert counted is not None
    assert counted.counts == Counts(1, 1, 0, 0)


async def test_many_letters_are_replayed_and_counted(pipeline: Pipeline, lenient: Any) -> None:
    high = [message("a", second, position=HIGH) for second in range(5)]
    await pipeline.receive([delivery(1, high), delivery(2, message("b", 1, battery=2)), delivery(3, b"\xff")])
    await pipeline.engine.run()
    discarded = [letter for letter in await all_letters(pipeline.store) if letter["deviceId"] == "b"]
    await pipeline.store.dead_letters.resolve(discarded[0]["id"], "discarded", at="2026-01-01T00:00:00.000000Z")
    lenient()
    result = await replay_dead_letters(pipeline.store, pipeline.durable, DeadLetterFilter(), 100)
    assert (result.replayed, result.still_rejected, result.skipped) == (5, 1, 1)
    again = await replay_dead_letters(pipeline.store, pipeline.durable, DeadLetterFilter(status="open"), 100)
    assert (again.replayed, again.still_rejected, again.skipped) == (0, 1, 0)


async def test_letters_are_replayed_up_to_the_limit(pipeline: Pipeline, lenient: Any) -> None:
    await pipeline.receive([delivery(1, [message("a", second, position=HIGH) for second in range(5)])])
    await pipeline.engine.run()
    lenient()
    result = await replay_dead_letters(pipeline.store, pipeline.durable, DeadLetterFilter(status="open"), 2)
    assert (result.replayed, result.still_rejected, result.skipped) == (2, 0, 0)
