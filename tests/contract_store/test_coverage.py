"""Which sequence numbers have come: kept with every batch, purge or not."""

from __future__ import annotations

from pipeline.coverage import Range
from pipeline.ports import Store
from pipeline.records import Counts
from tests.support.records import FAR_FUTURE, at, batch


async def come(store: Store, partition: str = "0") -> tuple[Range, ...]:
    return (await store.ledger.coverage()).ranges.get(("telemetry", partition), ())


async def receive(store: Store, first: int, last: int, partition: str = "0") -> str:
    identity = f"telemetry-{partition}-{first}-{last}"
    await store.ledger.receive(
        batch(identity, first_sequence_number=first, last_sequence_number=last, partition=partition), b"raw"
    )
    return identity


async def test_ranges_grow_join_and_are_kept_apart_by_partition(store: Store) -> None:
    assert await come(store) == ()
    await receive(store, 0, 9)
    await receive(store, 10, 19)
    await receive(store, 30, 39)
    await receive(store, 5, 9, partition="1")
    assert await come(store) == ((0, 19), (30, 39))
    await receive(store, 0, 9)
    await receive(store, 15, 29)
    assert await come(store) == ((0, 39),)
    assert await come(store, "1") == ((5, 9),)


async def test_what_the_hub_has_no_more_can_be_covered(store: Store) -> None:
    await receive(store, 10, 19)
    await store.ledger.cover("telemetry", "0", 0, 9)
    await store.ledger.cover("telemetry", "0", 0, 9)
    assert await come(store) == ((0, 19),)


async def test_a_purged_batch_has_come_all_the_same(store: Store) -> None:
    identity = await receive(store, 0, 9)
    await store.ledger.begin(identity, f"{identity}-1", "validate")
    await store.ledger.complete(identity, f"{identity}-1", Counts(9, 9, 0, 0), at(1))
    assert await store.ledger.purge(FAR_FUTURE, 10) == 1
    assert await come(store) == ((0, 9),)
