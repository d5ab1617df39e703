"""The life of a batch."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pipeline.ports import BatchFilter, Conflict, Store
from pipeline.records import Batch, BatchStatus, Counts, Purged
from tests.support.records import FAR_FUTURE, FAR_PAST, at, batch, completed, running

ID, ONE, TWO = "hub-0-1-9", "hub-0-1-9-1", "hub-0-1-9-2"
COUNTS = Counts(messages=10, stored=6, duplicates=3, rejected=1)


async def test_a_received_batch_stands_with_its_bytes(store: Store) -> None:
    received = await store.ledger.receive(batch(), b"\x00raw\xff")
    assert received == replace(batch(), updated_at=at(0))
    assert await store.ledger.get(ID) == received
    assert await store.ledger.raw(ID) == b"\x00raw\xff"


async def test_what_is_not_there_is_none(store: Store) -> None:
    assert await store.ledger.get("nobody") is None
    assert await store.ledger.raw("nobody") is None
    assert await store.ledger.staged("nobody", "x", "y") is None


async def test_receiving_again_leaves_the_record_and_its_bytes_alone(store: Store) -> None:
    begun = await running(store)
    again = await store.ledger.receive(batch(instance_id="other", events=3), b"other")
    assert again == begun
    assert await store.ledger.raw(ID) == b"raw"
    assert (await store.ledger.totals()).events == 9


async def test_forty_receive_one_batch_at_once(store: Store) -> None:
    got = await asyncio.gather(*(store.ledger.receive(batch(instance_id=f"i{n}", events=1), b"raw") for n in range(40)))
    assert len(set(got)) == 1
    totals = await store.ledger.totals()
    assert (totals.events, totals.batches["received"]) == (1, 1)


async def test_begin_names_the_stage_and_moves_on(store: Store) -> None:
    await running(store)
    second = await store.ledger.begin(ID, ONE, "enrich")
    assert (second.status, second.stage) == (BatchStatus.RUNNING, "enrich")
    assert second.updated_at > at(0)
    assert await store.ledger.get(ID) == second


async def test_complete_keeps_counts_and_drops_staged_documents(store: Store) -> None:
    await running(store)
    await store.ledger.stage(ID, ONE, "validated", b"[1]")
    assert await store.ledger.staged(ID, ONE, "validated") == b"[1]"
    done = await store.ledger.complete(ID, ONE, COUNTS, at(5))
    assert (done.status, done.counts, done.completed_at, done.stage) == (BatchStatus.COMPLETED, COUNTS, at(5), None)
    assert await store.ledger.staged(ID, ONE, "validated") is None
    assert await store.ledger.raw(ID) == b"raw"


async def test_complete_again_changes_nothing(store: Store) -> None:
    await running(store)
    done = await store.ledger.complete(ID, ONE, COUNTS, at(5))
    assert await store.ledger.complete(ID, ONE, Counts(1, 1, 0, 0), at(9)) == done
    assert (await store.ledger.totals()).messages == 10


async def test_fail_keeps_stage_and_cut_error(store: Store) -> None:
    await running(store)
    failed = await store.ledger.fail(ID, ONE, "store", "x" * 5000, at(5))
    assert (failed.status, failed.stage, failed.error) == (BatchStatus.FAILED, "store", "x" * 4000)
    assert await store.ledger.fail(ID, ONE, "other", "y", at(6)) == failed
    assert await store.ledger.get(ID) == failed


async def test_a_batch_that_never_began_can_fail(store: Store) -> None:
    await store.ledger.receive(batch(), b"raw")
    assert (await store.ledger.fail(ID, ONE, "start", "gone", at(5))).status is BatchStatus.FAILED


@pytest.mark.parametrize("end", ["complete", "fail"])
async def test_an_ended_batch_does_not_begin_or_stage(store: Store, end: str) -> None:
    await running(store)
    if end == "complete":
        await store.ledger.complete(ID, ONE, COUNTS, at(5))
    else:
        await store.ledger.fail(ID, ONE, "store", "broken", at(5))
    with pytest.raises(Conflict) as caught:
        await store.ledger.begin(ID, ONE, "validate")
    assert caught.value.record == await store.ledger.get(ID)
    with pytest.raises(Conflict):
        await store.ledger.stage(ID, ONE, "x", b"")
    assert await store.ledger.staged(ID, ONE, "x") is None


async def test_an_ended_batch_does_not_end_otherwise(store: Store) -> None:
    await running(store)
    await store.ledger.fail(ID, ONE, "store", "broken", at(5))
    with pytest.raises(Conflict):
        await store.ledger.complete(ID, ONE, COUNTS, at(6))
    await running(store, "other")
    await store.ledger.complete("other", "other-1", COUNTS, at(5))
    with pytest.raises(Conflict):
        await store.ledger.fail("other", "other-1", "store", "late", at(6))


async def test_a_batch_that_has_not_begun_does_not_complete(store: Store) -> None:
    await store.ledger.receive(batch(), b"raw")
    with pytest.raises(Conflict):
        await store.ledger.complete(ID, ONE, COUNTS, at(5))


async def test_an_unknown_batch_is_a_conflict_without_record(store: Store) -> None:
    for call in (
        store.ledger.begin(ID, ONE, "x"),
        store.ledger.complete(ID, ONE, COUNTS, at(1)),
        store.ledger.fail(ID, ONE, "x", "y", at(1)),
        store.ledger.stage(ID, ONE, "x", b""),
        store.ledger.open_attempt(ID, batch(), TWO, at(1), swept=False),
    ):
        with pytest.raises(Conflict) as caught:
            await call
        assert caught.value.record is None


async def test_only_the_current_attempt_may_change_anything(store: Store) -> None:
    begun = await running(store)
    await store.ledger.stage(ID, ONE, "validated", b"old")
    opened = await store.ledger.open_attempt(ID, begun, TWO, at(7), swept=True)
    for call in (
        store.ledger.begin(ID, ONE, "x"),
        store.ledger.complete(ID, ONE, COUNTS, at(8)),
        store.ledger.fail(ID, ONE, "x", "y", at(8)),
        store.ledger.stage(ID, ONE, "late", b""),
    ):
        with pytest.raises(Conflict) as caught:
            await call
        assert caught.value.record == opened
    assert await store.ledger.get(ID) == opened
    assert await store.ledger.staged(ID, TWO, "validated") is None


async def test_a_sweep_counts_and_a_person_starts_the_count_again(store: Store) -> None:
    begun = await running(store)
    swept = await store.ledger.open_attempt(ID, begun, TWO, at(7), swept=True)
    assert (swept.status, swept.attempts, swept.sweeps, swept.instance_id) == (BatchStatus.RECEIVED, 2, 1, TWO)
    assert (swept.stage, swept.error, swept.updated_at) == (None, None, at(7))
    again = await store.ledger.open_attempt(ID, swept, "three", at(8), swept=True)
    assert (again.attempts, again.sweeps) == (3, 2)
    replayed = await store.ledger.open_attempt(ID, again, "four", at(9), swept=False)
    assert (replayed.attempts, replayed.sweeps) == (4, 0)


async def test_opening_the_same_attempt_again_changes_nothing(store: Store) -> None:
    begun = await running(store)
    opened = await store.ledger.open_attempt(ID, begun, TWO, at(7), swept=False)
    assert await store.ledger.open_attempt(ID, begun, TWO, at(8), swept=False) == opened
    started = await store.ledger.begin(ID, TWO, "validate")
    assert await store.ledger.open_attempt(ID, begun, TWO, at(9), swept=False) == started


async def test_two_open_an_attempt_at_once_and_one_wins(store: Store) -> None:
    begun = await running(store)
    results = await asyncio.gather(
        *(store.ledger.open_attempt(ID, begun, f"attempt-{n}", at(7), swept=False) for n in range(10)),
        return_exceptions=True,
    )
    winners = [result for result in results if isinstance(result, Batch)]
    assert len(winners) == 1
    assert all(isinstance(result, (Batch, Conflict)) for result in results)
    assert await store.ledger.get(ID) == winners[0]
    assert winners[0].attempts == 2


async def test_two_runs_of_one_attempt_at_once_end_as_one(store: Store) -> None:
    await store.ledger.receive(batch(), b"raw")

    async def run() -> Batch:
        await store.ledger.begin(ID, ONE, "validate")
        await store.ledger.stage(ID, ONE, "validated", b"[1]")
        return await store.ledger.complete(ID, ONE, COUNTS, at(5))

    first, second = await asyncio.gather(run(), run(), return_exceptions=True)
    # The slower one may find the batch completed already; never is anything counted twice.
    assert any(isinstance(result, Batch) for result in (first, second))
    assert all(isinstance(result, (Batch, Conflict)) for result in (first, second))
    totals = await store.ledger.totals()
    assert (totals.messages, totals.batches["completed"], totals.batches["running"]) == (10, 1, 0)


async def test_a_replay_keeps_the_counts_until_it_completes(store: Store) -> None:
    await running(store)
    done = await store.ledger.complete(ID, ONE, COUNTS, at(5))
    opened = await store.ledger.open_attempt(ID, done, TWO, at(7), swept=False)
    assert (opened.counts, opened.completed_at) == (COUNTS, None)
    assert (await store.ledger.totals()).rejected == 1
    await store.ledger.begin(ID, TWO, "validate")
    again = await store.ledger.complete(ID, TWO, Counts(10, 7, 3, 0), at(9))
    assert again.counts == Counts(10, 7, 3, 0)
    totals = await store.ledger.totals()
    assert (totals.messages, totals.stored, totals.duplicates, totals.rejected) == (10, 7, 3, 0)


async def test_staging_again_overwrites(store: Store) -> None:
    await running(store)
    await store.ledger.stage(ID, ONE, "validated", b"one")
    await store.ledger.stage(ID, ONE, "validated", b"two")
    await store.ledger.stage(ID, ONE, "enriched", b"three")
    assert await store.ledger.staged(ID, ONE, "validated") == b"two"
    assert await store.ledger.staged(ID, ONE, "enriched") == b"three"


async def test_bytes_far_larger_than_a_document(store: Store) -> None:
    raw, staged = b"r" * 5_000_000, b"s" * 5_000_000
    await store.ledger.receive(batch(), raw)
    await store.ledger.stage(ID, ONE, "validated", staged)
    assert await store.ledger.raw(ID) == raw
    assert await store.ledger.staged(ID, ONE, "validated") == staged


async def test_stalled_finds_the_unfinished_oldest_first(store: Store) -> None:
    await store.ledger.receive(batch("young", second=30), b"")
    await store.ledger.receive(batch("old", second=10), b"")
    await running(store, "runs", second=5)  # begun by the clock, so it stood still since today
    await running(store, "done", second=1)
    await store.ledger.complete("done", "done-1", COUNTS, at(2))
    await running(store, "broken", second=1)
    await store.ledger.fail("broken", "broken-1", "x", "y", at(2))
    assert [found.id for found in await store.ledger.stalled(at(30), 10)] == ["old"]
    assert [found.id for found in await store.ledger.stalled(FAR_FUTURE, 10)] == ["old", "young", "runs"]
    assert [found.id for found in await store.ledger.stalled(FAR_FUTURE, 2)] == ["old", "young"]
    assert await store.ledger.stalled(FAR_PAST, 10) == []
    old, young, runs = await store.ledger.stalled(FAR_FUTURE, 10)
    assert await store.ledger.stalled(FAR_FUTURE, 1, after=old) == [young]
    assert await store.ledger.stalled(FAR_FUTURE, 10, after=young) == [runs]
    assert await store.ledger.stalled(FAR_FUTURE, 10, after=runs) == []


async def test_purge_takes_only_what_completed_before(store: Store) -> None:
    for n in range(4):
        await running(store, f"done-{n}", second=n)
        await store.ledger.stage(f"done-{n}", f"done-{n}-1", "validated", b"x")
        await store.ledger.complete(f"done-{n}", f"done-{n}-1", COUNTS, at(n))
    await running(store, "runs")
    await store.ledger.receive(batch("waits"), b"raw")
    await running(store, "broken")
    await store.ledger.fail("broken", "broken-1", "x", "y", at(0))
    before = await store.ledger.totals()

    assert await store.ledger.purge(at(3), 2) == 2
    assert await store.ledger.get("done-0") is None
    assert await store.ledger.raw("done-1") is None
    assert await store.ledger.get("done-2") is not None
    assert await store.ledger.purge(at(3), 10) == 1
    assert await store.ledger.purge(at(3), 10) == 0
    assert await store.ledger.raw("done-3") == b"raw"
    for kept in ("runs", "waits", "broken"):
        assert await store.ledger.raw(kept) == b"raw"
    assert await store.ledger.totals() == before
    assert before.batches == {"received": 1, "running": 1, "completed": 4, "failed": 1}


async def test_a_replayed_batch_is_not_purged_while_it_runs(store: Store) -> None:
    await running(store)
    done = await store.ledger.complete(ID, ONE, COUNTS, at(5))
    await store.ledger.open_attempt(ID, done, TWO, at(7), swept=False)
    assert await store.ledger.purge(FAR_FUTURE, 10) == 0
    assert await store.ledger.raw(ID) == b"raw"


async def test_a_purged_batch_is_known_when_it_comes_again(store: Store) -> None:
    await completed(store, "b1", Counts(9, 9, 0, 0), second=5)
    assert await store.ledger.purge(FAR_FUTURE, 10) == 1
    assert await store.ledger.get("b1") is None
    assert await store.ledger.raw("b1") is None
    again = await store.ledger.receive(batch("b1", second=50), b"raw")
    assert (again.id, again.status, again.received_at) == ("b1", BatchStatus.COMPLETED, at(5))
    assert await store.ledger.get("b1") is None
    assert (await store.ledger.list(BatchFilter(), 10, None)).items == []
    assert await store.ledger.stalled(FAR_FUTURE, 10) == []
    assert await store.ledger.purge(FAR_FUTURE, 10) == 0
    assert (await store.ledger.totals()).events == 9
    with pytest.raises(Conflict):
        await store.ledger.begin("b1", "b1-1", "validate")


async def test_events_of_purged_batches_are_known_by_their_numbers(store: Store) -> None:
    for name, first, partition in (("b1", 10, "0"), ("b2", 20, "0"), ("b3", 10, "1")):
        changes = {"first_sequence_number": first, "last_sequence_number": first + 9, "partition": partition}
        begun = await running(store, name, second=first, **changes)
        await store.ledger.complete(name, begun.instance_id, Counts(1, 1, 0, 0), at(first))
    assert await store.ledger.purged("telemetry", "0", 0, 100) == []
    await store.ledger.purge(FAR_FUTURE, 10)
    one, two = Purged(10, 19, at(10)), Purged(20, 29, at(20))
    for start, end, expected in (
        (0, 100, [one, two]),
        (0, 9, []),
        (0, 10, [one]),
        (19, 20, [one, two]),
        (21, 22, [two]),
        (30, 99, []),
    ):
        found = await store.ledger.purged("telemetry", "0", start, end)
        assert sorted(found, key=lambda left: left.first_sequence_number) == expected
    assert one.holds(15, at(10))
    assert not one.holds(15, at(11)), "a hub that was made anew"
    assert not one.holds(20, at(9))


async def test_a_step_that_another_process_had_begun_is_a_death(store: Store) -> None:
    ledger = store.ledger
    received = await ledger.receive(batch(), b"raw")
    assert (received.deaths, received.worker) == (0, None)
    first = await ledger.begin(ID, ONE, "validate", "w1")
    assert (first.deaths, first.stage_before) == (0, None)
    again = await ledger.begin(ID, ONE, "validate", "w1")
    assert (again.deaths, again.stage_before) == (0, "validate"), "tried again by the same process"
    assert (await ledger.begin(ID, ONE, "validate", "w2")).deaths == 1
    next_step = await ledger.begin(ID, ONE, "enrich", "w3")
    assert (next_step.deaths, next_step.stage_before) == (1, "validate"), "the step before has ended"
    await ledger.leave(ID, ONE)
    await ledger.leave(ID, ONE)
    assert (await ledger.begin(ID, ONE, "enrich", "w4")).deaths == 1, "that one told of its end"
    died = await ledger.begin(ID, ONE, "enrich", "w5")
    assert (died.deaths, died.worker) == (2, "w5")
    assert await ledger.get(ID) == died
    swept = await ledger.open_attempt(ID, died, TWO, at(5), swept=True)
    assert (swept.deaths, swept.worker) == (2, None)
    with pytest.raises(Conflict):
        await ledger.leave(ID, ONE)
    failed = await ledger.fail(ID, TWO, "enrich", "killed", at(6))
    replayed = await ledger.open_attempt(ID, failed, "three", at(7), swept=False)
    assert replayed.deaths == 0


async def test_completed_batches_are_listed_by_their_completion_between_two_times(store: Store) -> None:
    for number, second in (("a", 3), ("b", 1), ("c", 2), ("d", 3)):
        begun = await store.ledger.receive(batch(number), b"raw")
        await store.ledger.begin(number, begun.instance_id, "validate")
        await store.ledger.complete(number, begun.instance_id, Counts(1, 1, 0, 0), at(second))
    await store.ledger.receive(batch("under way"), b"raw")

    async def listed(after: str, before: str, limit: int | None) -> list[str]:
        return [one.id for one in await store.ledger.completed_between(after, before, limit)]

    assert (await listed("", FAR_FUTURE, None))[:2] == ["b", "c"]
    assert set(await listed(at(2), FAR_FUTURE, None)) == {"a", "d"}
    assert await listed("", at(3), None) == ["b", "c"]
    assert await listed("", FAR_FUTURE, 1) == ["b"]
    assert set(await listed(at(1), f"{at(3)}~", None)) == {"c", "a", "d"}


async def test_a_mark_stays_as_it_was_set(store: Store) -> None:
    assert await store.ledger.mark("one") == ""
    await store.ledger.set_mark("one", at(1))
    await store.ledger.set_mark("one", at(2))
    assert (await store.ledger.mark("one"), await store.ledger.mark("two")) == (at(2), "")
    assert (await store.ledger.totals()).events == 0
