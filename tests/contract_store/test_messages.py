"""Accepted messages: written once, whoever brings them; read by drone and time."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from pipeline.ports import Page, Store
from pipeline.records import Outcome
from telemetry.model import Message
from tests.support.records import FAR_FUTURE, FAR_PAST, at, message, walk

STORED, DUPLICATE = Outcome.STORED, Outcome.DUPLICATE
WEIRD = [
    "a b",
    "ä-ö",
    "quote\"'",
    "percent%2F",
    "semi;colon",
    "x" * 90,
    "UPPER",
    "upper",
    "0",
    "null",
    "[1]",
    "e\u0301",
]


async def history(store: Store, device_id: str = "drone-1", **changes: object) -> Page[Message]:
    arguments: dict[str, object] = {"ascending": True, "limit": 100, "continuation": None} | changes
    return await store.messages.history(
        device_id,
        arguments.pop("time_from", None),  # type: ignore[arg-type]
        arguments.pop("time_to", None),  # type: ignore[arg-type]
        **arguments,  # type: ignore[arg-type]
    )


async def test_a_message_comes_back_as_it_was_put(store: Store) -> None:
    put = message("m1", position={"latitude": 47.5, "altitude": None}, extra={"ünï": ["ö", 1.5, None, True, 2**53]})
    assert await store.messages.put([put], "batch-a") == [STORED]
    assert (await history(store)).items == [put | {"batchId": "batch-a"}]


async def test_nothing_put_is_nothing_done(store: Store) -> None:
    assert await store.messages.put([], "batch-a") == []


async def test_again_by_the_same_batch_is_stored_by_another_a_duplicate(store: Store) -> None:
    messages = [message(f"m{n}", f"drone-{n % 3}", second=n) for n in range(10)]
    assert await store.messages.put(messages, "batch-a") == [STORED] * 10
    assert await store.messages.put(messages, "batch-a") == [STORED] * 10
    assert await store.messages.put(messages, "batch-b") == [DUPLICATE] * 10
    assert {item["batchId"] for item in (await history(store)).items} == {"batch-a"}


async def test_outcomes_are_in_order_of_the_messages(store: Store) -> None:
    await store.messages.put([message("m1", second=1), message("m3", second=3)], "batch-a")
    mixed = [message(f"m{n}", second=n) for n in range(5)] + [message("m0", second=0, index=5)]
    assert await store.messages.put(mixed, "batch-b") == [STORED, DUPLICATE, STORED, DUPLICATE, STORED, DUPLICATE]
    # The same again by the same batch: the same counts.
    assert await store.messages.put(mixed, "batch-b") == [STORED, DUPLICATE, STORED, DUPLICATE, STORED, DUPLICATE]
    assert [item["id"] for item in (await history(store)).items] == ["m0", "m1", "m2", "m3", "m4"]


async def test_of_twins_the_one_that_was_written_first_is_stored_however_often_asked(store: Store) -> None:
    twins = [message("m1", index=index) for index in range(3)]
    assert await store.messages.put([twins[1]], "batch-a") == [STORED]
    for _ in range(2):
        assert await store.messages.put(twins, "batch-a") == [DUPLICATE, STORED, DUPLICATE]
        assert await store.messages.put([twins[2], message("m2", second=1)], "batch-a") == [DUPLICATE, STORED]
    assert await store.messages.put([message("m1", index=1)], "batch-b") == [DUPLICATE]
    assert await store.messages.put([message("m1", index=1, sequenceNumber=2)], "batch-a") == [DUPLICATE]


async def test_written_by_gives_the_slots_of_the_documents_of_a_batch(store: Store) -> None:
    mine = [message(f"m{n}", f"drone-{n % 3}", second=n, sequenceNumber=10 + n // 4, index=n % 4) for n in range(10)]
    await store.messages.put([message("m3", "drone-0", second=3)], "batch-b")
    await store.messages.put(mine, "batch-a")
    written = {(10 + n // 4, n % 4) for n in range(10)}
    assert await store.messages.written_by("batch-a", at(0), at(9)) == written - {(10, 3)}
    assert await store.messages.written_by("batch-a", at(4), at(6)) == {(11, 0), (11, 1), (11, 2)}
    assert await store.messages.written_by("nobody", at(0), at(9)) == set()
    documents = await store.messages.of_batch("batch-a", at(4), at(6))
    assert sorted(documents, key=lambda one: one["index"]) == [{**mine[n], "batchId": "batch-a"} for n in (4, 5, 6)]
    assert await store.messages.of_batch("nobody", at(0), at(9)) == []


async def test_two_batches_bring_the_same_messages_at_once(store: Store) -> None:
    messages = [message(f"m{n}", f"drone-{n % 7}", second=n) for n in range(60)]
    batches = [f"batch-{n}" for n in range(4)]
    outcomes = await asyncio.gather(*(store.messages.put(messages, batch_id) for batch_id in batches))
    for position in range(60):
        assert Counter(one[position] for one in outcomes) == {STORED: 1, DUPLICATE: 3}
    again = await asyncio.gather(*(store.messages.put(messages, batch_id) for batch_id in batches))
    assert again == outcomes


async def test_two_runs_of_one_batch_at_once_both_call_it_stored(store: Store) -> None:
    messages = [message(f"m{n}", f"drone-{n % 7}", second=n) for n in range(60)]
    outcomes = await asyncio.gather(*(store.messages.put(messages, "batch-a") for _ in range(2)))
    assert outcomes == [[STORED] * 60, [STORED] * 60]
    assert len((await history(store, "drone-1")).items) == 9


async def test_more_than_one_statement_or_transaction_holds(store: Store) -> None:
    messages = [message(f"m{n:04d}", "drone-1", second=n) for n in range(257)]
    assert await store.messages.put(messages[100:200], "batch-a") == [STORED] * 100
    assert await store.messages.put(messages, "batch-b") == [STORED] * 100 + [DUPLICATE] * 100 + [STORED] * 57
    assert [item["id"] for item in (await history(store, limit=1000)).items] == [item["id"] for item in messages]


async def test_weird_ids_are_just_ids(store: Store) -> None:
    messages = [message(weird, weird[:64], second=n) for n, weird in enumerate(WEIRD)]
    assert await store.messages.put(messages, "batch-a") == [STORED] * len(WEIRD)
    assert await store.messages.put(messages, "batch-b") == [DUPLICATE] * len(WEIRD)
    for weird in WEIRD:
        assert [item["id"] for item in (await history(store, weird[:64])).items] == [weird]


async def test_history_is_bounded_by_from_inclusive_and_to_exclusive(store: Store) -> None:
    await store.messages.put([message(f"m{n}", second=n) for n in range(6)], "batch-a")
    await store.messages.put([message("other", "drone-2", second=3)], "batch-a")
    page = await history(store, time_from=at(2), time_to=at(4))
    assert [item["id"] for item in page.items] == ["m2", "m3"]
    page = await history(store, time_from=at(2), time_to=at(4), ascending=False)
    assert [item["id"] for item in page.items] == ["m3", "m2"]
    assert page.continuation is None
    assert (await history(store, "nobody")).items == []


@pytest.mark.parametrize("ascending", [True, False])
async def test_messages_of_one_time_are_in_order_of_their_ids(store: Store, ascending: bool) -> None:
    ids = [f"m{n:02d}" for n in range(11)]
    await store.messages.put([message(one, second=7) for one in reversed(ids)], "batch-a")
    seen: list[str] = []
    continuation = None
    while True:
        page = await history(store, ascending=ascending, limit=4, continuation=continuation)
        seen += [item["id"] for item in page.items]
        continuation = page.continuation
        if continuation is None:
            break
    assert seen == (ids if ascending else ids[::-1])


async def test_purge_takes_the_oldest_enqueued_and_no_more_than_asked(store: Store) -> None:
    await store.messages.put([message(f"m{n}", f"drone-{n}", second=n) for n in range(6)], "batch-a")
    assert await store.messages.purge(FAR_PAST, 10) == 0
    assert await store.messages.purge(at(5), 2) == 2
    left = [n for n in range(6) if (await history(store, f"drone-{n}")).items]
    assert left == [2, 3, 4, 5]
    assert await store.messages.purge(at(5), 10) == 3
    assert await store.messages.purge(FAR_FUTURE, 10) == 1


async def test_a_message_larger_than_a_document_comes_back_whole(store: Store) -> None:
    big = message("big", extra={"log": ["x" * 1000] * 3000, "exact": 2**63 + 1, "deep": {"a": [{}]}})
    small = message("small", second=1)
    assert await store.messages.put([big, small], "batch-a") == [STORED, STORED]
    assert await store.messages.put([big], "batch-b") == [DUPLICATE]
    assert (await history(store)).items == [big | {"batchId": "batch-a"}, small | {"batchId": "batch-a"}]
    assert await store.messages.purge(FAR_FUTURE, 10) == 2
    assert (await history(store)).items == []


async def test_of_equal_times_they_come_in_the_order_of_their_stamps(store: Store) -> None:
    """Enqueued time, sequence number (as a number), index, id: a track has the order in which it was flown."""
    stamps = [
        (enqueued, sequence, index, f"{name}{enqueued}{sequence}{index}")
        for enqueued in (0, 1)
        for sequence in (9, 10)
        for index in (2, 10)
        for name in "zy"
    ]
    messages = [
        message(identity, enqueuedAt=at(enqueued), sequenceNumber=sequence, index=index)
        for enqueued, sequence, index, identity in stamps
    ]
    messages.append(message("later", second=1, enqueuedAt=at(0), sequenceNumber=0))
    expected = [identity for *_, identity in sorted(stamps)] + ["later"]
    await store.messages.put(messages, "batch-a")
    for ascending in (True, False):
        for limit in (1, 3, 100):

            async def ask(continuation: str | None, ascending: bool = ascending, limit: int = limit) -> Page[Message]:
                return await history(store, ascending=ascending, limit=limit, continuation=continuation)

            found, sizes = await walk(ask)
            assert [item["id"] for item in found] == (expected if ascending else expected[::-1])
            assert max(sizes) <= limit
