"""Batches whose drones have not all been told, and what of a drone was enqueued since."""

from __future__ import annotations

import pytest

from pipeline.ports import Held, HeldTotals, Store
from pipeline.records import Counts
from tests.support.records import FAR_FUTURE, at, batch, message, running

ID, ONE, TWO = "hub-0-1-9", "hub-0-1-9-1", "hub-0-1-9-2"
COUNTS = Counts(messages=10, stored=6, duplicates=3, rejected=1)


async def hold(store: Store, batch_id: str, *, second: int, partition: str = "0") -> Held:
    begun = await running(store, batch_id, partition=partition)
    await store.ledger.stage(batch_id, begun.instance_id, "prepared", b"[1]")
    done = await store.ledger.complete(batch_id, begun.instance_id, COUNTS, at(second), held_from=at(second - 1))
    assert done.counts == COUNTS
    return Held(batch_id, begun.instance_id, "telemetry", partition, at(second), at(second - 1))


async def test_a_held_batch_is_found_with_what_it_staged_until_it_is_released(store: Store) -> None:
    held = await hold(store, ID, second=5)
    assert await store.held.list("telemetry", "0", 10) == [held]
    assert await store.ledger.staged(ID, ONE, "prepared") == b"[1]"
    for _ in range(2):
        await store.held.release([held])
        assert await store.held.list("telemetry", "0", 10) == []
        assert await store.ledger.staged(ID, ONE, "prepared") is None
    found = await store.ledger.get(ID)
    assert found is not None
    assert found.counts == COUNTS


async def test_completing_again_holds_it_once_and_not_anew(store: Store) -> None:
    held = await hold(store, ID, second=5)
    await store.ledger.complete(ID, ONE, COUNTS, at(6), held_from=at(1))
    assert await store.held.list("telemetry", "0", 10) == [held]
    await store.held.release([held])
    await store.ledger.complete(ID, ONE, COUNTS, at(6), held_from=at(1))
    assert await store.held.list("telemetry", "0", 10) == []


async def test_large_documents_stay_too(store: Store) -> None:
    large = b"s" * 5_000_000
    begun = await running(store)
    await store.ledger.stage(ID, ONE, "prepared", large)
    await store.ledger.complete(ID, ONE, COUNTS, at(5), held_from=at(1))
    assert await store.ledger.staged(ID, ONE, "prepared") == large
    await store.held.release([Held(ID, begun.instance_id, "telemetry", "0", at(5), at(1))])
    assert await store.ledger.staged(ID, ONE, "prepared") is None


async def test_each_partitions_are_listed_oldest_first_and_counted_together(store: Store) -> None:
    assert await store.held.totals() == HeldTotals()
    for name, second, partition in (("b3", 30, "0"), ("b1", 10, "0"), ("b2", 20, "1")):
        await hold(store, name, second=second, partition=partition)
    assert [one.id for one in await store.held.list("telemetry", "0", 10)] == ["b1", "b3"]
    assert [one.id for one in await store.held.list("telemetry", "0", 1)] == ["b1"]
    assert [one.id for one in await store.held.list("telemetry", "1", 10)] == ["b2"]
    assert await store.held.list("other", "0", 10) == []
    assert await store.held.totals() == HeldTotals(3, at(10), at(9))
    assert await store.held.partitions(at(10)) == []
    assert await store.held.partitions(at(11)) == [("telemetry", "0")]
    assert await store.held.partitions(at(31)) == [("telemetry", "0"), ("telemetry", "1")]


async def test_a_replay_leaves_it_held(store: Store) -> None:
    held = await hold(store, ID, second=5)
    done = await store.ledger.get(ID)
    assert done is not None
    await store.ledger.open_attempt(ID, done, TWO, at(7), swept=False)
    assert await store.held.list("telemetry", "0", 10) == [held]
    await store.ledger.begin(ID, TWO, "validate")
    await store.ledger.stage(ID, TWO, "prepared", b"[2]")
    assert await store.ledger.staged(ID, ONE, "prepared") == b"[1]"
    await store.ledger.complete(ID, TWO, COUNTS, at(9))
    assert await store.held.list("telemetry", "0", 10) == [held]
    assert await store.ledger.staged(ID, ONE, "prepared") == b"[1]"
    assert await store.ledger.staged(ID, TWO, "prepared") is None
    await store.held.release([held])
    assert await store.ledger.staged(ID, ONE, "prepared") is None


async def test_what_is_held_is_not_purged(store: Store) -> None:
    held = await hold(store, ID, second=5)
    assert await store.ledger.purge(FAR_FUTURE, 10) == 0
    assert await store.ledger.staged(ID, ONE, "prepared") == b"[1]"
    await store.held.release([held])
    assert await store.ledger.purge(FAR_FUTURE, 10) == 1
    await store.held.release([held])  # of a batch that is gone


async def test_releasing_what_is_not_there_changes_nothing(store: Store) -> None:
    await store.ledger.receive(batch(), b"raw")
    await store.held.release(
        [Held(ID, ONE, "telemetry", "0", at(1), at(0)), Held("nobody", "x", "h", "0", at(1), at(0))]
    )
    found = await store.ledger.get(ID)
    assert found is not None
    assert found.instance_id == ONE


@pytest.mark.parametrize("limit", [2, 10])
async def test_what_of_a_drone_was_enqueued_since_is_found_whatever_its_time(store: Store, limit: int) -> None:
    late = message("late", second=1, enqueuedAt=at(9))
    some = [
        late,
        *(message(f"m{n}", second=n, extra={"n": n}) for n in range(8)),
        message("other", "drone-2", second=9),
    ]
    await store.messages.put(some, "b1")
    found = await store.messages.enqueued_since("drone-1", at(6), limit)
    expected = ["late", "m7", "m6"][:limit]
    assert sorted(one["id"] for one in found) == sorted(expected)
    assert all(one["deviceId"] == "drone-1" and one["batchId"] == "b1" for one in found)
    assert {one["id"]: one.get("extra") for one in found} == {
        name: None if name == "late" else {"n": int(name[1:])} for name in expected
    }
