"""Listings in pages: complete, in order, steady while others write; tokens only of this store and this query."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.ports import BatchFilter, DeadLetterFilter, InvalidContinuation, Page, Store
from pipeline.records import BatchStatus, Counts
from tests.support.records import at, batch, completed, letter, message, running, walk


async def history(store: Store, continuation: str | None, *, limit: int = 3, ascending: bool = True) -> Page[Any]:
    return await store.messages.history(
        "drone-1", None, None, ascending=ascending, limit=limit, continuation=continuation
    )


@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])])
async def test_pages_are_full_and_the_last_one_has_no_token(store: Store, count: int, sizes: list[int]) -> None:
    if count:
        await store.messages.put([message(f"m{n}", second=n) for n in range(count)], "batch-a")
    items, seen = await walk(lambda continuation: history(store, continuation))
    assert [item["id"] for item in items] == [f"m{n}" for n in range(count)]
    assert seen == sizes


async def test_a_walk_is_steady_while_messages_are_written(store: Store) -> None:
    await store.messages.put([message(f"m{n:02d}", second=n * 10) for n in range(10)], "batch-a")
    seen: list[str] = []
    continuation = None
    for turn in range(100):
        page = await history(store, continuation)
        seen += [item["id"] for item in page.items]
        continuation = page.continuation
        if continuation is None:
            break
        # One behind the walk, which it must not show; the old ones must neither be missed nor come twice.
        await store.messages.put([message(f"behind-{turn}", second=0, enqueuedAt=at(0))], "batch-b")
    assert seen == [f"m{n:02d}" for n in range(10)]


async def test_batches_are_listed_newest_first_by_every_filter(store: Store) -> None:
    counts = Counts(1, 1, 0, 0)
    await completed(store, "c1", counts, second=1)
    await running(store, "r2", second=2, partition="1")
    await completed(store, "c3", counts, second=3)
    await store.ledger.receive(batch("w4", second=4, partition="1"), b"")
    await running(store, "f5", second=5)
    await store.ledger.fail("f5", "f5-1", "x", "y", at(6))

    async def ids(**where: Any) -> list[str]:
        first, _ = await walk(lambda continuation: store.ledger.list(BatchFilter(**where), 2, continuation))
        whole = (await store.ledger.list(BatchFilter(**where), 100, None)).items
        assert first == whole
        return [found.id for found in whole]

    assert await ids() == ["f5", "w4", "c3", "r2", "c1"]
    assert await ids(statuses=frozenset({BatchStatus.COMPLETED})) == ["c3", "c1"]
    assert await ids(statuses=frozenset({BatchStatus.COMPLETED, BatchStatus.FAILED})) == ["f5", "c3", "c1"]
    assert await ids(partition="1") == ["w4", "r2"]
    assert await ids(partition="1", statuses=frozenset({BatchStatus.RUNNING})) == ["r2"]
    assert await ids(received_from=at(2), received_to=at(4)) == ["c3", "r2"]
    assert await ids(received_from=at(3), statuses=frozenset({BatchStatus.COMPLETED})) == ["c3"]
    assert await ids(partition="2") == []


async def test_batches_received_at_one_moment_are_all_listed(store: Store) -> None:
    names = [f"b{n:02d}" for n in range(9)]
    for name in names:
        await store.ledger.receive(batch(name), b"")
    found, sizes = await walk(lambda continuation: store.ledger.list(BatchFilter(), 4, continuation))
    assert [one.id for one in found] == names[::-1]
    assert sizes == [4, 4, 1]


async def test_dead_letters_are_listed_newest_first_in_pages(store: Store) -> None:
    await store.dead_letters.put([letter(f"l{n}", second=n // 2, codes=("a", "b")) for n in range(9)], "batch-a")
    for where in (
        DeadLetterFilter(),
        DeadLetterFilter(error_code="a"),
        DeadLetterFilter(status="open"),
        DeadLetterFilter(batch_id="batch-a", error_code="b"),
    ):
        found, sizes = await walk(lambda token, where=where: store.dead_letters.list(where, 4, token))
        assert [one["id"] for one in found] == [f"l{n}" for n in reversed(range(9))]
        assert sizes == [4, 4, 1]


async def test_a_token_that_is_not_ours_is_refused(store: Store) -> None:
    await store.messages.put([message(f"m{n}", second=n) for n in range(5)], "batch-a")
    mine = (await history(store, None)).continuation
    assert mine is not None
    for wrong in ("", "x", "W10", "bnVsbA", mine[:-4], mine + "AAAA", "ä", "A" * 10_000, "[]", "=" * 8):
        with pytest.raises(InvalidContinuation):
            await history(store, wrong)
        with pytest.raises(InvalidContinuation):
            await store.ledger.list(BatchFilter(), 3, wrong)
        with pytest.raises(InvalidContinuation):
            await store.dead_letters.list(DeadLetterFilter(), 3, wrong)


async def test_a_token_of_another_query_is_refused(store: Store) -> None:
    await store.messages.put([message(f"m{n}", second=n) for n in range(5)], "batch-a")
    await store.messages.put([message(f"n{n}", "drone-2", second=n) for n in range(5)], "batch-a")
    mine = (await history(store, None)).continuation
    assert mine is not None
    with pytest.raises(InvalidContinuation):
        await history(store, mine, ascending=False)
    with pytest.raises(InvalidContinuation):
        await store.messages.history("drone-2", None, None, ascending=True, limit=3, continuation=mine)
    with pytest.raises(InvalidContinuation):
        await store.messages.history("drone-1", at(0), None, ascending=True, limit=3, continuation=mine)
    with pytest.raises(InvalidContinuation):
        await store.ledger.list(BatchFilter(), 3, mine)
    # Another page size is the same query.
    assert len((await history(store, mine, limit=1)).items) == 1
