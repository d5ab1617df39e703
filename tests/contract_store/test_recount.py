"""A dead letter that is replayed with success moves one of its batch's rejected ones, once."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.ports import Conflict, Store
from pipeline.records import Counts, Outcome
from tests.support.records import FAR_FUTURE, at, completed, running

ID, ONE, TWO = "hub-0-1-9", "hub-0-1-9-1", "hub-0-1-9-2"


async def counts_and_totals(store: Store) -> tuple[Counts | None, Counts]:
    found = await store.ledger.get(ID)
    totals = await store.ledger.totals()
    counts = found.counts if found else None
    return counts, Counts(totals.messages, totals.stored, totals.duplicates, totals.rejected)


async def test_one_moves_to_stored_or_duplicates(store: Store) -> None:
    await completed(store, ID, Counts(5, 2, 1, 2))
    await store.ledger.recount(ID, "letter-1", Outcome.STORED)
    await store.ledger.recount(ID, "letter-2", Outcome.DUPLICATE)
    assert await counts_and_totals(store) == (Counts(5, 3, 2, 0), Counts(5, 3, 2, 0))


async def test_the_same_letter_moves_once_however_often_asked(store: Store) -> None:
    await completed(store, ID, Counts(5, 1, 1, 3))
    await asyncio.gather(*(store.ledger.recount(ID, "letter-1", Outcome.STORED) for _ in range(8)))
    await store.ledger.recount(ID, "letter-1", Outcome.DUPLICATE)
    assert await counts_and_totals(store) == (Counts(5, 2, 1, 2), Counts(5, 2, 1, 2))


async def test_many_letters_at_once_all_move(store: Store) -> None:
    await completed(store, ID, Counts(20, 0, 0, 20))
    await asyncio.gather(*(store.ledger.recount(ID, f"letter-{n}", Outcome.STORED) for n in range(20)))
    assert await counts_and_totals(store) == (Counts(20, 20, 0, 0), Counts(20, 20, 0, 0))


async def test_counts_never_go_below_zero(store: Store) -> None:
    await completed(store, ID, Counts(5, 5, 0, 0))
    await store.ledger.recount(ID, "letter-1", Outcome.STORED)
    assert await counts_and_totals(store) == (Counts(5, 5, 0, 0), Counts(5, 5, 0, 0))


async def test_while_an_attempt_runs_it_is_taken_up_at_its_end(store: Store) -> None:
    await running(store)
    await store.ledger.recount(ID, "letter-1", Outcome.STORED)
    await store.ledger.recount(ID, "letter-1", Outcome.STORED)
    assert (await counts_and_totals(store))[0] is None
    await store.ledger.complete(ID, ONE, Counts(5, 3, 0, 2), at(5))
    assert await counts_and_totals(store) == (Counts(5, 4, 0, 1), Counts(5, 4, 0, 1))
    await store.ledger.complete(ID, ONE, Counts(5, 3, 0, 2), at(5))
    assert await counts_and_totals(store) == (Counts(5, 4, 0, 1), Counts(5, 4, 0, 1))


async def test_a_new_attempt_counts_everything_afresh(store: Store) -> None:
    begun = await running(store)
    await store.ledger.recount(ID, "letter-1", Outcome.STORED)
    failed = await store.ledger.fail(ID, ONE, "store", "broken", at(5))
    await store.ledger.recount(ID, "letter-2", Outcome.STORED)
    assert begun.attempts == failed.attempts
    await store.ledger.open_attempt(ID, failed, TWO, at(6), swept=False)
    await store.ledger.begin(ID, TWO, "validate")
    await store.ledger.complete(ID, TWO, Counts(5, 4, 0, 1), at(7))
    assert await counts_and_totals(store) == (Counts(5, 4, 0, 1), Counts(5, 4, 0, 1))


async def test_what_the_attempt_has_counted_itself_is_not_moved_again(store: Store) -> None:
    done = await completed(store, ID, Counts(5, 2, 0, 3))
    await store.ledger.open_attempt(ID, done, TWO, at(6), swept=False)
    await store.ledger.begin(ID, TWO, "validate")
    await store.ledger.recount(ID, "letter-1", Outcome.STORED)
    for _ in range(2):  # a step may run twice
        await store.ledger.settle_recounts(ID, TWO, ["letter-1", "unknown"])
    await store.ledger.recount(ID, "letter-2", Outcome.STORED)
    await store.ledger.complete(ID, TWO, Counts(5, 3, 0, 2), at(7))
    assert await counts_and_totals(store) == (Counts(5, 4, 0, 1), Counts(5, 4, 0, 1))


async def test_only_the_current_attempt_settles(store: Store) -> None:
    done = await completed(store, ID, Counts(5, 2, 0, 3))
    with pytest.raises(Conflict):
        await store.ledger.settle_recounts(ID, ONE, ["letter-1"])
    await store.ledger.open_attempt(ID, done, TWO, at(6), swept=False)
    with pytest.raises(Conflict):
        await store.ledger.settle_recounts(ID, ONE, ["letter-1"])


async def test_a_replay_that_runs_shows_the_move_in_its_old_counts(store: Store) -> None:
    done = await completed(store, ID, Counts(5, 3, 0, 2))
    await store.ledger.open_attempt(ID, done, TWO, at(6), swept=False)
    await store.ledger.recount(ID, "letter-1", Outcome.STORED)
    assert await counts_and_totals(store) == (Counts(5, 4, 0, 1), Counts(5, 4, 0, 1))
    await store.ledger.begin(ID, TWO, "validate")
    await store.ledger.complete(ID, TWO, Counts(5, 3, 0, 2), at(7))
    assert await counts_and_totals(store) == (Counts(5, 4, 0, 1), Counts(5, 4, 0, 1))


async def test_of_a_purged_batch_the_totals_move_once(store: Store) -> None:
    await completed(store, ID, Counts(5, 3, 0, 2))
    await store.ledger.recount(ID, "letter-1", Outcome.STORED)
    assert await store.ledger.purge(FAR_FUTURE, 10) == 1
    await store.ledger.recount(ID, "letter-1", Outcome.STORED)
    await store.ledger.recount(ID, "letter-2", Outcome.DUPLICATE)
    await store.ledger.recount(ID, "letter-2", Outcome.DUPLICATE)
    assert await counts_and_totals(store) == (None, Counts(5, 4, 1, 0))
