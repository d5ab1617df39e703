"""Whatever is done in whatever order: no message twice, none lost, and the totals are the sum of what happened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.ports import Conflict, Store
from pipeline.records import Batch, BatchStatus, Counts, Move, Outcome
from tests.support.records import FAR_FUTURE, at, batch, message, walk

_SETTINGS = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
_run = {"number": 0}


def _fresh() -> str:
    """A prefix of its own: the examples of one test share one store."""
    _run["number"] += 1
    return f"run{_run['number']}"


@_SETTINGS
@given(puts=st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 9), max_size=12)), max_size=6))
async def test_puts_in_any_order_store_each_message_once(store: Store, puts: list[tuple[int, list[int]]]) -> None:
    prefix = _fresh()
    owner: dict[int, tuple[int, int]] = {}
    for batch_number, numbers in puts:
        messages = [message(f"{prefix}-{n}", prefix, second=n, index=place) for place, n in enumerate(numbers)]
        outcomes = await store.messages.put(messages, f"{prefix}-{batch_number}")
        for place, (number, outcome) in enumerate(zip(numbers, outcomes, strict=True)):
            first = owner.setdefault(number, (batch_number, place)) == (batch_number, place)
            assert outcome is (Outcome.STORED if first else Outcome.DUPLICATE)
    found, _ = await walk(
        lambda token: store.messages.history(prefix, None, None, ascending=True, limit=4, continuation=token)
    )
    assert {item["id"]: item["batchId"] for item in found} == {
        f"{prefix}-{number}": f"{prefix}-{batch_number}" for number, (batch_number, _) in owner.items()
    }
    assert len(found) == len(owner)


MOVES = (Move(1, 1, 0), Move(1, 0, 1), Move(3, 2, 1), Move(1, 0, 0), Move(1, 2, 0))
_COUNTS = st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)).map(lambda c: Counts(sum(c), *c))
_STEP = st.one_of(
    st.tuples(st.just("receive")),
    st.tuples(st.just("begin")),
    st.tuples(st.just("complete"), _COUNTS),
    st.tuples(st.just("fail")),
    st.tuples(st.just("open")),
    st.tuples(st.just("recount"), st.integers(0, 3), st.sampled_from(MOVES)),
)


@_SETTINGS
@given(steps=st.lists(_STEP, max_size=14))
async def test_totals_are_the_sum_of_the_ledger(store: Store, steps: list[tuple[Any, ...]]) -> None:
    batch_id = _fresh()
    before = await store.ledger.totals()
    current: Batch | None = None
    for step in steps:
        current = await _do(store, batch_id, current, step) or current
    after = await store.ledger.totals()
    counts = (current and current.counts) or Counts(0, 0, 0, 0)
    assert after.messages - before.messages == counts.messages
    assert after.stored - before.stored == counts.stored
    assert after.duplicates - before.duplicates == counts.duplicates
    assert after.rejected - before.rejected == counts.rejected
    assert counts.messages == counts.stored + counts.duplicates + counts.rejected
    for status in BatchStatus:
        expected = 1 if current is not None and current.status is status else 0
        assert after.batches[status.value] - before.batches[status.value] == expected
    await store.ledger.purge(FAR_FUTURE, 100)
    assert await store.ledger.totals() == after


async def _do(store: Store, batch_id: str, current: Batch | None, step: tuple[Any, ...]) -> Batch | None:
    if step[0] == "receive":
        return await store.ledger.receive(batch(batch_id), b"raw")
    if current is None:
        return None
    instance = current.instance_id
    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        "begin": lambda: store.ledger.begin(batch_id, instance, "validate"),
        "complete": lambda: store.ledger.complete(batch_id, instance, step[1], at(9)),
        "fail": lambda: store.ledger.fail(batch_id, instance, "store", "broken", at(9)),
        "open": lambda: store.ledger.open_attempt(
            batch_id, current, f"{batch_id}-{current.attempts + 1}", at(9), swept=False
        ),
        "recount": lambda: store.ledger.recount(batch_id, f"{batch_id}-{step[1]}", step[2]),
    }
    refused: Conflict | None = None
    try:
        await calls[step[0]]()
        # Each step is safe to repeat.
        await calls[step[0]]()
    except Conflict as conflict:
        refused = conflict
    found = await store.ledger.get(batch_id)
    if refused is not None:
        assert refused.record == current == found
    return found
