"""Staged documents: remembered in the process that wrote them, read from the ledger everywhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from activities import staging
from activities.staging import Recent, StagedDocumentMissing, read_staged, take_staged, write_staged
from pipeline.intake import new_batch
from pipeline.ports import Conflict, Store
from pipeline.records import Batch
from telemetry.envelope import pack
from tests.support.pipeline import delivery, message, open_sqlite

DOCUMENTS = [{"id": "d1"}, {"id": "d2"}]


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_sqlite(tmp_path)
    yield opened
    await opened.close()


async def a_batch(kept: Store) -> Batch:
    deliveries = [delivery(1, message("a", 1))]
    return await kept.ledger.receive(new_batch(deliveries), pack(deliveries))


async def test_another_process_reads_what_this_one_has_staged(kept: Store) -> None:
    batch = await a_batch(kept)
    await write_staged(kept, batch, "messages", DOCUMENTS)
    assert await read_staged(kept, batch, "messages") is DOCUMENTS
    staging._recent.clear()
    assert await read_staged(kept, batch, "messages") == DOCUMENTS


async def test_what_was_taken_and_changed_is_not_seen_by_who_comes_again(kept: Store) -> None:
    batch = await a_batch(kept)
    await write_staged(kept, batch, "messages", [{"id": "d1"}])
    taken = await take_staged(kept, batch, "messages")
    taken[0]["changed"] = True
    assert await take_staged(kept, batch, "messages") == [{"id": "d1"}]


async def test_nothing_is_remembered_that_the_ledger_did_not_take(kept: Store) -> None:
    batch = await a_batch(kept)
    await kept.ledger.fail(batch.id, batch.instance_id, "store", "x", batch.received_at)
    with pytest.raises(Conflict):
        await write_staged(kept, batch, "messages", DOCUMENTS)
    with pytest.raises(StagedDocumentMissing):
        await read_staged(kept, batch, "messages")


def test_memory_is_bounded_by_the_number_of_documents() -> None:
    recent = Recent(capacity=5)
    for number in range(10):
        recent.remember(("b", str(number), "messages"), [{}, {}])
        recent.remember(("b", str(number), "messages"), [{}, {}])
    assert recent.size == 4
    assert recent.look(("b", "7", "messages")) is None
    assert recent.take(("b", "9", "messages")) == [{}, {}]
    assert recent.size == 2
    recent.remember(("b", "x", "messages"), [{}] * 6)
    assert recent.size == 0
