"""Histories go by the ledger's list of completed batches: none is left behind, none is looked for again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline import histories
from pipeline.attempts import replay_batch
from pipeline.histories import Histories
from pipeline.purge import purge
from pipeline.records import Batch, Counts
from settings import read_settings
from telemetry.identity import instance_id
from tests.support.engine import Status
from tests.support.pipeline import Pipeline, delivery, make_pipeline, message, open_sqlite

KEEP = read_settings({}).retention
AT_ONCE = replace(KEEP, durable_hours=-1)
"""Everything that has been completed is old enough."""


@pytest.fixture
async def pipeline(tmp_path: Path) -> AsyncIterator[Pipeline]:
    opened = await open_sqlite(tmp_path)
    await opened.ledger.set_mark("histories", "2026")  # nothing is left of earlier versions
    yield make_pipeline(opened)
    await opened.close()


async def completed(pipeline: Pipeline, *numbers: int) -> list[Batch]:
    batches = [await pipeline.receive([delivery(n, message("a", n))]) for n in numbers]
    await pipeline.engine.run()
    return batches


async def run(pipeline: Pipeline, *, has_time: bool = False) -> int:
    return await Histories().purge(pipeline.store, pipeline.durable, AT_ONCE, "telemetry", lambda: has_time)


def asking(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The engine's answers to nothing but ids: whatever else it is asked for fails."""
    asked: list[str] = []
    delete = pipeline.client.purge_instance_history

    async def noted(instance: str) -> Any:
        asked.append(instance)
        return await delete(instance)

    async def all_of_them(**_: Any) -> Any:
        raise AssertionError("the engine was asked for its instances")

    monkeypatch.setattr(pipeline.client, "purge_instance_history", noted)
    monkeypatch.setattr(pipeline.client, "get_status_by", all_of_them)
    return asked


async def test_each_is_deleted_once_and_never_looked_for_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asking(pipeline, monkeypatch)
    monkeypatch.setattr(histories, "PORTION", 3)
    batches = await completed(pipeline, *range(1, 9))
    assert await run(pipeline) == 2, "the third may share its time with a fourth"
    assert await run(pipeline, has_time=True) == 6
    assert await run(pipeline, has_time=True) == 0
    assert sorted(asked) == sorted(batch.instance_id for batch in batches)
    assert pipeline.engine.instances == {}
    later = await completed(pipeline, 20)
    assert await run(pipeline) == 1
    assert asked[8:] == [later[0].instance_id]


async def test_young_ones_and_those_of_failed_batches_stay(pipeline: Pipeline) -> None:
    await completed(pipeline, 1)
    broken = await pipeline.receive([delivery(2, message("a", 2))])
    await pipeline.store.ledger.fail(broken.id, broken.instance_id, "store", "x", broken.received_at)
    await pipeline.engine.run()
    young = await Histories().purge(pipeline.store, pipeline.durable, KEEP, "telemetry", lambda: True)
    assert (young, len(pipeline.engine.instances)) == (0, 2)
    assert await run(pipeline) == 1
    assert list(pipeline.engine.instances) == [broken.instance_id]


async def test_all_attempts_go_when_the_last_has_completed(pipeline: Pipeline) -> None:
    (batch,) = await completed(pipeline, 1)
    assert await run(pipeline) == 1
    await replay_batch(pipeline.store, pipeline.durable, batch.id)
    await pipeline.engine.run()
    await replay_batch(pipeline.store, pipeline.durable, batch.id)
    assert await run(pipeline) == 0, "it runs"
    await pipeline.engine.run()
    assert set(pipeline.engine.instances) == {instance_id(batch.id, 2), instance_id(batch.id, 3)}
    assert await run(pipeline) == 2


async def test_batches_that_share_a_time_stay_together(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histories, "PORTION", 2)
    times = ["2026-05-01T00:00:01.000000Z"] * 1 + ["2026-05-01T00:00:02.000000Z"] * 4 + ["2026-05-01T00:00:03.000000Z"]
    for number, at in enumerate(times, 1):
        batch = await pipeline.receive([delivery(number, message("a", number))])
        await pipeline.store.ledger.begin(batch.id, batch.instance_id, "validate")
        await pipeline.store.ledger.complete(batch.id, batch.instance_id, Counts(1, 1, 0, 0), at)
    for instance in pipeline.engine.instances.values():
        instance.status = Status.Completed
    assert [await run(pipeline) for _ in range(4)] == [1, 4, 1, 0]
    assert pipeline.engine.instances == {}


async def test_what_cannot_be_deleted_is_tried_again_and_holds_the_mark_only(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    batches = await completed(pipeline, 1, 2, 3)
    delete, broken = pipeline.client.purge_instance_history, {batches[1].instance_id}

    async def sometimes(instance: str) -> Any:
        if instance in broken:
            raise Exception("503")
        return await delete(instance)

    monkeypatch.setattr(pipeline.client, "purge_instance_history", sometimes)
    assert await run(pipeline, has_time=True) == 2
    assert list(pipeline.engine.instances) == [batches[1].instance_id]
    assert "503" in caplog.text
    broken.clear()
    assert await run(pipeline) == 1
    assert await run(pipeline) == 0


async def test_an_attempt_that_still_runs_is_ended_and_goes_with_the_next_run(pipeline: Pipeline) -> None:
    (batch,) = await completed(pipeline, 1)
    instance = pipeline.engine.instances[batch.instance_id]
    instance.status = Status.Running
    assert await run(pipeline) == 0
    assert instance.status is Status.Terminated
    assert await run(pipeline) == 1


async def test_a_store_without_a_mark_begins_with_what_earlier_versions_left(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pipeline.store.ledger.set_mark("histories", "")
    left = [f"telemetry~0~{n}~1" for n in range(130)]
    for instance_of_old in left:
        await pipeline.client.start_new("process_batch", instance_of_old, {"batchId": "x"})
    for instance in list(pipeline.engine.instances.values())[:120]:
        instance.status = Status.Completed
        instance.created -= timedelta(hours=KEEP.durable_hours + 1)
    await completed(pipeline)
    first = await Histories().purge(pipeline.store, pipeline.durable, KEEP, "telemetry", lambda: False)
    assert (first, len(pipeline.engine.instances)) == (120, 10)
    assert await pipeline.store.ledger.mark("histories")
    asking(pipeline, monkeypatch)
    assert await Histories().purge(pipeline.store, pipeline.durable, KEEP, "telemetry", lambda: True) == 0


async def test_the_walk_through_empty_pages_goes_on_from_run_to_run(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine of millions answers empty pages with tokens: a run takes some, and the mark comes with the last."""
    await pipeline.store.ledger.set_mark("histories", "")
    await pipeline.client.start_new("process_batch", "telemetry~0~1~1", {"batchId": "x"})
    pipeline.engine.instances["telemetry~0~1~1"].status = Status.Completed
    pages: list[list[str]] = [[], [], [], ["telemetry~0~1~1"], []]
    durable: Any = pipeline.durable

    async def next_page(prefix: str, before: Any, statuses: Any, walk: Any) -> list[str]:
        number = int(walk.token or 0)
        walk.token, walk.over = str(number + 1), number + 1 == len(pages)
        return pages[number]

    monkeypatch.setattr(durable, "instance_ids", next_page)
    search = Histories()
    deleted = []
    while not await pipeline.store.ledger.mark("histories"):
        deleted.append(await search.purge(pipeline.store, durable, AT_ONCE, "telemetry", lambda: False))
    assert deleted == [0, 0, 0, 1, 0]


async def test_a_run_of_the_purge_deletes_them_before_their_batches(pipeline: Pipeline) -> None:
    await completed(pipeline, 1)
    gone = replace(AT_ONCE, batches_hours=-1)
    deleted = await purge(pipeline.store, pipeline.durable, gone, "telemetry")
    assert (deleted["histories"], deleted["batches"]) == (1, 1)
    assert pipeline.engine.instances == {}


async def test_walks_through_other_instances_go_on_from_run_to_run() -> None:
    search = Histories()
    search.walk_of("~alert~").token = "7"
    assert search.walk_of("~alert~").token == "7"
    assert search.walk_of("~notice~").token is None
