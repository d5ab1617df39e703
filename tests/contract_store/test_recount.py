"""A dead letter that is replayed with success moves one of its batch's rejected ones, once."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.ports import Conflict, Store
from pipeline.records import Counts, Move
from tests.support.records import FAR_FUTURE, at, completed, running

STORED, DUPLICATE = Move(1, 1, 0), Move(1, 0, 1)
ID, ONE, TWO = "hub-0-1-9", "hub-0-1-9-1", "hub-0-1-9-2"


async def counts_and_totals(store: Store) -> tuple[Counts | None, Counts]:
    found = await store.ledger.get(ID)
    totals = await store.ledger.totals()
    counts = found.counts if found else None
    return counts, Counts(totals.messages, totals.stored, totals.duplicates, totals.rejected)


async def test_one_moves_to_stored_or_duplicates(store: Store) -> None:
    await completed(store, ID, Counts(5, 2, 1, 2))
    await store.ledger.recount(ID, "letter-1", STORED)
    await store.ledger.recount(ID, "letter-2", DUPLICATE)
    assert await counts_and_totals(store) == (Counts(5, 3, 2, 0), Counts(5, 3, 2, 0))


async def test_the_same_letter_moves_once_however_often_asked(store: Store) -> None:
    await completed(store, ID, Counts(5, 1, 1, 3))
    await asyncio.gather(*(store.ledger.recount(ID, "letter-1", STORED) for _ in range(8)))
    await store.ledger.recount(ID, "letter-1", DUPLICATE)
    assert await counts_and_totals(store) == (Counts(5, 2, 1, 2), Counts(5, 2, 1, 2))


async def test_many_letters_at_once_all_move(store: Store) -> None:
    await completed(store, ID, Counts(20, 0, 0, 20))
    await asyncio.gather(*(store.ledger.recount(ID, f"letter-{n}", STORED) for n in range(20)))
    assert await counts_and_totals(store) == (Counts(20, 20, 0, 0), Counts(20, 20, 0, 0))


async def test_counts_never_go_below_zero(store: Store) -> None:
    await completed(store, ID, Counts(5, 5, 0, 0))
    await store.ledger.recount(ID, "letter-1", STORED)
    assert await counts_and_totals(store) == (Counts(5, 5, 0, 0), Counts(5, 5, 0, 0))


async def test_while_an_attempt_runs_it_is_taken_up_at_its_end(store: Store) -> None:
    await running(store)
    await store.ledger.recount(ID, "letter-1", STORED)
    await store.ledger.recount(ID, "letter-1", STORED)
    assert (await counts_and_totals(store))[0] is None
    await store.ledger.complete(ID, ONE, Counts(5, 3, 0, 2), at(5))
    assert await counts_and_totals(store) == (Counts(5, 4, 0, 1), Counts(5, 4, 0, 1))
    await store.ledger.complete(ID, ONE, Counts(5, 3, 0, 2), at(5))
    assert await counts_and_totals(store) == (Counts(5, 4, 0, 1), Counts(5, 4, 0, 1))


async def test_a_new_attempt_counts_everything_afresh(store: Store) -> None:
    begun = await running(store)
    await store.ledger.recount(ID, "letter-1", STORED)
    failed = await store.ledger.fail(ID, ONE, "store", "broken", at(5))
    await store.ledger.recount(ID, "letter-2", STORED)
    assert begun.attempts == failed.attempts
    await store.ledger.open_attempt(ID, failed, TWO, at(6), swept=False)
    await store.ledger.begin(ID, TWO, "validate")
    await store.ledger.complete(ID, TWO, Counts(5, 4, 0, 1), at(7))
    assert await counts_and_totals(store) == (Counts(5, 4, 0, 1), Counts(5, 4, 0, 1))


async def test_what_the_attempt_has_counted_itself_is_not_moved_again(store: Store) -> None:
    done = await completed(store, ID, Counts(5, 2, 0, 3))
    await store.ledger.open_attempt(ID, done, TWO, at(6), swept=False)
    await store.ledger.begin(ID, TWO, "validate")
    await store.ledger.recount(ID, "before", STORED)
    for _ in range(2):  # a step may run twice
        await store.ledger.count(ID, TWO, Counts(5, 4, 0, 1), ["before", "after"])
    await store.ledger.recount(ID, "after", STORED)
    await store.ledger.recount(ID, "another", DUPLICATE)
    await store.ledger.complete(ID, TWO, Counts(5, 4, 0, 1), at(7))
    assert await counts_and_totals(store) == (Counts(5, 4, 1, 0), Counts(5, 4, 1, 0))


async def test_an_attempt_completes_with_what_it_counted_last(store: Store) -> None:
    """A step that ran twice may answer with what it found the first time."""
    await running(store)
    await store.ledger.count(ID, ONE, Counts(5, 2, 0, 3), [])
    await store.ledger.count(ID, ONE, Counts(5, 4, 0, 1), ["letter-1"])
    await store.ledger.complete(ID, ONE, Counts(5, 2, 0, 3), at(7))
    assert await counts_and_totals(store) == (Counts(5, 4, 0, 1), Counts(5, 4, 0, 1))


async def test_what_an_overtaken_attempt_counted_is_forgotten(store: Store) -> None:
    begun = await running(store)
    await store.ledger.count(ID, ONE, Counts(5, 2, 0, 3), [])
    await store.ledger.open_attempt(ID, begun, TWO, at(6), swept=True)
    await store.ledger.begin(ID, TWO, "validate")
    await store.ledger.complete(ID, TWO, Counts(5, 4, 0, 1), at(7))
    assert (await counts_and_totals(store))[0] == Counts(5, 4, 0, 1)


async def test_a_letter_for_many_moves_as_many(store: Store) -> None:
    await completed(store, ID, Counts(200, 10, 0, 190))
    await store.ledger.recount(ID, "letter-1", Move(150, 120, 30))
    await store.ledger.recount(ID, "letter-2", Move(1, 2, 1))  # of an event that turns out to hold three
    assert await counts_and_totals(store) == (Counts(202, 132, 31, 39), Counts(202, 132, 31, 39))


async def test_only_the_current_attempt_counts(store: Store) -> None:
    done = await completed(store, ID, Counts(5, 2, 0, 3))
    with pytest.raises(Conflict):
        await store.ledger.count(ID, ONE, Counts(5, 5, 0, 0), ["letter-1"])
    await store.ledger.open_attempt(ID, done, TWO, at(6), swept=False)
    with pytest.raises(Conflict):
        await store.ledger.count(ID, ONE, Counts(5, 5, 0, 0), ["letter-1"])
    await store.ledger.recount(ID, "letter-1", STORED)
    assert (await counts_and_totals(store))[0] == Counts(5, 3, 0, 2)


async def test_a_replay_that_runs_shows_the_move_in_its_old_counts(store: Store) -> None:
    done = await completed(store, ID, Counts(5, 3, 0, 2))
    await store.ledger.open_attempt(ID, done, TWO, at(6), swept=False)
    await store.ledger.recount(ID, "letter-1", STORED)
    assert await counts_and_totals(store) == (Counts(5, 4, 0, 1), Counts(5, 4, 0, 1))
    await store.ledger.begin(ID, TWO, "validate")
    await store.ledger.complete(ID, TWO, Counts(5, 3, 0, 2), at(7))
    assert await counts_and_totals(store) == (Counts(5, 4, 0, 1), Counts(5, 4, 0, 1))


async def test_of_a_purged_batch_the_totals_move_once(store: Store) -> None:
    await completed(store, ID, Counts(5, 3, 0, 2))
    await store.ledger.recount(ID, "letter-1", STORED)
    assert await store.ledger.purge(FAR_FUTURE, 10) == 1
    await store.ledger.recount(ID, "letter-1", STORED)
    await store.ledger.recount(ID, "letter-2", DUPLICATE)
    await store.ledger.recount(ID, "letter-2", DUPLICATE)
    assert await counts_and_totals(store) == (None, Counts(5, 4, 1, 0))
