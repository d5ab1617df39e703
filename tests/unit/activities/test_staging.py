"""Staged documents: remembered in the process that wrote them, read from the ledger everywhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from activities import staging
from activities.staging import (
    THE_ONLY,
    Recent,
    StagedDocumentMissing,
    find_pages,
    hold,
    numbered,
    pages_of,
    read_page,
    write_held,
    write_page,
    write_page_number,
)
from pipeline.intake import new_batch
from pipeline.ports import Conflict, Store
from pipeline.records import Batch
from telemetry.envelope import pack
from tests.support.pipeline import delivery, message, open_sqlite

MESSAGE: Any = {"id": "d1"}
LETTER: Any = {"id": "l1"}
PREPARED = staging.Prepared([MESSAGE], [LETTER])


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
    await write_page(kept, batch, THE_ONLY, PREPARED)
    assert await find_pages(kept, batch) == [THE_ONLY]
    assert await read_page(kept, batch, THE_ONLY) is PREPARED
    staging._recent.clear()
    assert await find_pages(kept, batch) == [THE_ONLY]
    assert await read_page(kept, batch, THE_ONLY) == PREPARED


async def test_pages_are_found_by_their_number(kept: Store) -> None:
    batch = await a_batch(kept)
    for number in range(2):
        await write_page(kept, batch, numbered(number), PREPARED)
    await write_page_number(kept, batch, 2)
    staging._recent.clear()
    pages = await find_pages(kept, batch)
    assert [await read_page(kept, batch, page) for page in pages] == [PREPARED, PREPARED]


async def test_what_the_version_before_has_staged_is_read(kept: Store) -> None:
    batch = await a_batch(kept)
    for name, document in (("messages", b'[{"id": "d1"}]'), ("enriched", b'[{"id": "d1"}]')):
        await kept.ledger.stage(batch.id, batch.instance_id, name, document)
    with pytest.raises(StagedDocumentMissing):
        await find_pages(kept, batch)  # its letters are missing
    await kept.ledger.stage(batch.id, batch.instance_id, "dead_letters", b'[{"id": "l1"}]')
    [page] = await find_pages(kept, batch)
    assert await read_page(kept, batch, page) == PREPARED
    await write_page(kept, batch, page, staging.Prepared([], PREPARED.letters))
    assert (await read_page(kept, batch, page)).messages == []


async def test_pages_of_the_version_before_are_read(kept: Store) -> None:
    batch = await a_batch(kept)
    for name, document in (("enriched", PREPARED.messages), ("dead_letters", PREPARED.letters)):
        for number in range(2):
            await kept.ledger.stage(batch.id, batch.instance_id, f"{name}.{number}", orjson.dumps(document))
        await kept.ledger.stage(batch.id, batch.instance_id, name, b'{"pages": 2}')
    pages = await find_pages(kept, batch)
    assert [await read_page(kept, batch, page) for page in pages] == [PREPARED, PREPARED]


async def test_nothing_is_remembered_that_the_ledger_did_not_take(kept: Store) -> None:
    batch = await a_batch(kept)
    await kept.ledger.fail(batch.id, batch.instance_id, "store", "x", batch.received_at)
    with pytest.raises(Conflict):
        await write_page(kept, batch, THE_ONLY, PREPARED)
    with pytest.raises(StagedDocumentMissing):
        await find_pages(kept, batch)


def test_memory_is_bounded_by_the_number_of_documents() -> None:
    recent = Recent(capacity=5)
    for number in range(10):
        recent.remember(("b", str(number), "prepared"), PREPARED)
        recent.remember(("b", str(number), "prepared"), PREPARED)
    assert recent.size == 4
    assert recent.look(("b", "7", "prepared")) is None
    assert recent.look(("b", "9", "prepared")) is PREPARED
    recent.remember(("b", "x", "prepared"), staging.Prepared(PREPARED.messages * 6, []))
    assert recent.size == 0


async def test_what_is_held_stands_in_the_ledger_only_when_others_will_ask_for_it(kept: Store) -> None:
    batch = await a_batch(kept)
    key = (batch.id, batch.instance_id, staging.PREPARED)
    assert hold(kept, batch, PREPARED)
    assert await find_pages(kept, batch) == [THE_ONLY]
    assert await read_page(kept, batch, THE_ONLY) is PREPARED
    assert await kept.ledger.staged(*key) is None
    await write_held(kept, batch)
    written = await kept.ledger.staged(*key)
    assert orjson.loads(written or b"") == {"messages": [MESSAGE], "letters": [LETTER]}
    await kept.ledger.stage(*key, b"{}")
    await write_held(kept, batch)  # it has been written
    assert await kept.ledger.staged(*key) == b"{}"


async def test_what_was_held_by_a_process_that_has_died_is_prepared_again(kept: Store) -> None:
    batch = await a_batch(kept)
    asked: list[Batch] = []

    async def again(batch: Batch) -> None:
        asked.append(batch)
        await write_page(kept, batch, THE_ONLY, PREPARED)

    assert hold(kept, batch, PREPARED)
    assert await pages_of(kept, batch, again) == ([THE_ONLY], False)
    staging._recent.clear()
    assert await pages_of(kept, batch, again) == ([THE_ONLY], True)
    assert asked == [batch]


def test_nothing_is_held_that_would_push_out_what_stands_nowhere_else() -> None:
    recent = Recent(capacity=5)
    first, second, third = (("b", str(number), "prepared") for number in range(3))
    assert recent.hold(first, PREPARED)
    assert recent.hold(second, PREPARED)
    assert not recent.hold(third, PREPARED)
    assert recent.unwritten(first) is PREPARED
    recent.remember(first, PREPARED)
    assert recent.unwritten(first) is None
    recent.forget("b", "1")
    assert (recent.size, recent.look(second)) == (2, None)
    assert recent.hold(third, PREPARED)
