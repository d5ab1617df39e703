"""What every step has in common."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from activities import attempt
from activities.attempt import KilledTooOften, run_step
from pipeline.intake import new_batch
from pipeline.ports import Store
from pipeline.records import Batch
from pipeline.steps import STORE, VALIDATE, Findings, Reference, reference_to
from telemetry.envelope import pack
from tests.support.pipeline import delivery, message, open_sqlite


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_sqlite(tmp_path)
    yield opened
    await opened.close()


async def received(store: Store, number: int) -> Reference:
    deliveries = [delivery(number, message("a", number))]
    return reference_to(await store.ledger.receive(new_batch(deliveries), pack(deliveries)))


async def deaths(store: Store, reference: Reference) -> int:
    batch = await store.ledger.get(reference["batchId"])
    assert batch is not None
    return batch.deaths


async def done(_: Batch) -> Findings:
    return {}


class ProcessDies(BaseException):
    """Passes through everything, as a kill does."""


async def dies(_: Batch) -> Findings:
    raise ProcessDies


async def run_and_die(store: Store, reference: Reference, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(ProcessDies):
        await run_step(store, reference, VALIDATE, dies)
    monkeypatch.setattr(attempt, "WORKER", name)


async def test_at_the_third_death_of_the_process_a_step_is_not_run_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await received(store, 1)
    for number in range(3):
        await run_and_die(store, reference, monkeypatch, f"process {number}")
    for _ in range(2):  # the engine tries it again
        with pytest.raises(KilledTooOften, match="died 3 times"):
            await run_step(store, reference, VALIDATE, done)
    assert await deaths(store, reference) == 3


async def test_errors_are_no_deaths(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(_: Batch) -> Findings:
        raise OSError("the store is away")

    reference = await received(store, 1)
    for number in range(5):
        with pytest.raises(OSError, match="away"):
            await run_step(store, reference, VALIDATE, fails)
        monkeypatch.setattr(attempt, "WORKER", f"process {number}")
    assert await run_step(store, reference, VALIDATE, done) == {"current": True}
    assert await run_step(store, reference, STORE, done) == {"current": True}
    assert await deaths(store, reference) == 0


async def test_batches_that_ran_at_a_death_run_one_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that waits for its turn at the next death is not counted again."""
    references = [await received(store, number) for number in range(1, 4)]
    for reference in references:
        with pytest.raises(ProcessDies):
            await run_step(store, reference, VALIDATE, dies)
    monkeypatch.setattr(attempt, "WORKER", "the next process")
    under_way: list[str] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def waits(batch: Batch) -> Findings:
        under_way.append(batch.id)
        begun.set()
        await go_on.wait()
        return {}

    running = [asyncio.create_task(run_step(store, reference, VALIDATE, waits)) for reference in references]
    await begun.wait()
    await asyncio.sleep(0.05)  # the others have had their chance
    assert len(under_way) == 1
    batches = [await store.ledger.get(reference["batchId"]) for reference in references]
    assert sum(batch is not None and batch.worker is not None for batch in batches) == 1
    go_on.set()
    assert await asyncio.gather(*running) == [{"current": True}] * 3
    assert [await deaths(store, reference) for reference in references] == [1, 1, 1]
