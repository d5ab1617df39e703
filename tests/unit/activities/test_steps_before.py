"""Attempts of ``process_batch``, the version before, that were under way when today's code was deployed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from activities import staging
from activities.before import prepared
from pipeline.clock import now
from pipeline.ports import Store
from pipeline.records import Batch, BatchStatus, Counts
from pipeline.steps import ENRICH, STEPS_BEFORE, reference_to
from telemetry.rules import Rules
from telemetry.validation import validate_batch
from tests.support.engine import Engine
from tests.support.pipeline import (
    Pipeline,
    all_letters,
    all_messages,
    delivery,
    make_pipeline,
    message,
    open_sqlite,
)

DELIVERIES = [delivery(1, [message("a", 1, battery=0.5), message("b", 2)]), delivery(2, message("b", 3, battery=7))]
COUNTS = Counts(messages=3, stored=2, duplicates=0, rejected=1)


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_sqlite(tmp_path)
    yield opened
    await opened.close()


async def under_way(kept: Store) -> tuple[Pipeline, Batch]:
    """Received, and its instance of the version before started."""
    pipeline = make_pipeline(kept, Engine({}))
    batch = await pipeline.receive(DELIVERIES)
    pipeline.engine.instances.clear()
    pipeline.engine.ready.clear()
    pipeline.engine.start("process_batch", batch.instance_id, {"batchId": batch.id})
    return pipeline, batch


def old_activities(pipeline: Pipeline, done: int) -> dict[str, Any]:
    """The first ``done`` steps as the version before did them: three documents a batch; the rest as today."""
    store = pipeline.store

    async def staged(reference: Any, **documents: Any) -> Any:
        batch = await store.ledger.begin(reference["batchId"], reference["instanceId"], "validate")
        for name, content in documents.items():
            await store.ledger.stage(batch.id, batch.instance_id, name, orjson.dumps(content))
        return {"current": True}

    async def validate(reference: Any) -> Any:
        found = validate_batch(DELIVERIES, Rules(), reference["batchId"], now())
        return await staged(reference, messages=found.messages, dead_letters=found.dead_letters)

    async def enriched(reference: Any) -> Any:
        messages = await store.ledger.staged(reference["batchId"], reference["instanceId"], "messages")
        return await staged(reference, enriched=orjson.loads(messages or b""))

    old = {"validate_batch": validate, "enrich_messages": enriched}
    return {name: old[name] for name in [step.activity for step in STEPS_BEFORE][:done]}


@pytest.mark.parametrize("done", range(3))
async def test_an_instance_goes_on_wherever_it_was(kept: Store, done: int) -> None:
    pipeline, batch = await under_way(kept)
    pipeline.engine.activities |= old_activities(pipeline, done)
    await pipeline.engine.run()
    ended = await kept.ledger.get(batch.id)
    assert ended is not None
    assert (ended.status, ended.counts) == (BatchStatus.COMPLETED, COUNTS)
    assert {device: len(found) for device, found in (await all_messages(kept, ["a", "b"])).items()} == {"a": 1, "b": 1}
    assert len(await all_letters(kept)) == 1
    assert set(pipeline.engine.entities) == {"a", "b"}
    assert pipeline.engine.instances[batch.instance_id].output == {
        "batchId": batch.id,
        "current": True,
        "counts": COUNTS.__dict__,
        "drones": 2,
    }


async def test_what_is_prepared_is_not_prepared_again(kept: Store) -> None:
    pipeline, batch = await under_way(kept)
    reference = reference_to(batch)
    assert (await pipeline.engine.activities["validate_batch"](reference))["current"]
    before = await kept.ledger.staged(batch.id, batch.instance_id, staging.PREPARED)
    staging._recent.clear()

    async def anew(_: Batch) -> None:
        raise AssertionError("it has been prepared")

    assert await prepared(kept, reference, ENRICH, anew) == {"current": True}
    assert before is not None
    assert await kept.ledger.staged(batch.id, batch.instance_id, staging.PREPARED) == before
