"""The steps on a SQLite store: what each writes, that twice is once, and the counting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from activities import finish, prepare, staging, store
from activities.staging import Prepare
from durable_sdk import durable_client
from pipeline.attempts import ORCHESTRATOR
from pipeline.clock import now
from pipeline.dead_letters import finish_replay
from pipeline.intake import new_batch
from pipeline.ports import Store, StoreUnavailable
from pipeline.records import Batch, BatchStatus, Claim, Counts
from pipeline.steps import FINISH, Completion, CountsBody, Reference, Result, reference_to
from reference_data import ReferenceData
from telemetry.envelope import pack
from telemetry.identity import instance_id
from telemetry.merge import registers
from telemetry.model import DeadLetter, Delivery
from telemetry.registry import Registry
from telemetry.rules import Rules
from telemetry.validation import validate_batch
from tests.support.engine import Engine
from tests.support.pipeline import (
    NO_REFERENCE_DATA,
    all_letters,
    all_messages,
    body_of,
    delivery,
    make_pipeline,
    message,
    open_sqlite,
)

RULES = Rules()
DELIVERIES = [
    delivery(1, message("a", 1, battery=0.5)),
    delivery(2, [message("b", 2, battery=0.9), message("b", 3, battery=7), message("a", 4)]),
    delivery(3, message("a", 1, battery=0.5)),
    delivery(4, b"\xff not a frame"),
]
COUNTS = Counts(messages=6, stored=3, duplicates=1, rejected=2)
NO_COUNTS: CountsBody = {"messages": 0, "stored": 0, "duplicates": 0, "rejected": 0}


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_sqlite(tmp_path)
    yield opened
    await opened.close()


async def receive(kept: Store, deliveries: list[Delivery]) -> tuple[Batch, Reference]:
    batch = await kept.ledger.receive(new_batch(deliveries), pack(deliveries))
    return batch, reference_to(batch)


def prepares(kept: Store, rules: Rules = RULES, known: ReferenceData = NO_REFERENCE_DATA) -> Prepare:
    return lambda batch: prepare.prepare(kept, batch, rules, known)


async def stored(kept: Store, reference: Reference) -> Result:
    return await store.store(kept, reference, prepares(kept))


async def run_all(
    kept: Store,
    reference: Reference,
    rules: Rules = RULES,
    known: ReferenceData = NO_REFERENCE_DATA,
    drones: int | None = None,
) -> Counts:
    """Every step twice, as if each had been run again after its effect."""
    engine = Engine({})
    prepared = prepares(kept, rules, known)
    answers = [await store.store(kept, reference, prepared) for _ in range(2)]
    assert answers[0] == answers[1]
    assert drones in (None, answers[0]["drones"])
    completion: Completion = {**reference, "counts": answers[0]["counts"]}
    for _ in range(2):
        assert await finish.finish(kept, durable_client(engine.client), completion, prepared) == {"current": True}
    return Counts(**answers[0]["counts"])


async def test_every_message_is_stored_or_dead_lettered_or_a_duplicate(kept: Store) -> None:
    batch, reference = await receive(kept, DELIVERIES)
    assert await run_all(kept, reference) == COUNTS
    messages = await all_messages(kept, ["a", "b"])
    assert [(m["deviceId"], m["sequenceNumber"]) for m in messages["a"] + messages["b"]] == [
        ("a", 1),
        ("a", 2),
        ("b", 2),
    ]
    letters = {letter["sequenceNumber"]: letter for letter in await all_letters(kept)}
    assert sorted(letters) == [2, 4]
    assert letters[2]["errors"][0]["code"] == "battery_out_of_range"
    assert orjson.loads(body_of(letters[2]))["battery"] == 7
    assert body_of(letters[4]) == b"\xff not a frame"
    ended = await kept.ledger.get(batch.id)
    assert ended is not None
    assert (ended.status, ended.counts) == (BatchStatus.COMPLETED, COUNTS)


async def test_a_batch_run_again_counts_the_same(kept: Store) -> None:
    batch, reference = await receive(kept, DELIVERIES)
    await run_all(kept, reference)
    again = await reopen(kept, batch.id)
    assert await run_all(kept, again) == COUNTS
    assert len(await all_letters(kept)) == 2
    assert {letter["attempts"] for letter in await all_letters(kept)} == {2}


async def test_what_another_batch_has_brought_is_a_duplicate(kept: Store) -> None:
    _, first = await receive(kept, DELIVERIES[:2])
    await run_all(kept, first)
    _, overlapping = await receive(kept, DELIVERIES[1:])
    counts = await run_all(kept, overlapping)
    assert counts == Counts(messages=5, stored=0, duplicates=4, rejected=1)


async def test_under_other_settings_an_accepted_message_is_stored_and_its_letter_replayed(kept: Store) -> None:
    high = [delivery(1, [message("a", 1, position={"altitude": 30_000}), message("a", 2, battery=2)])]
    high.append(delivery(2, message("b", 1, position={"altitude": 40_000})))
    batch, reference = await receive(kept, high)
    assert await run_all(kept, reference) == Counts(3, 0, 0, 3)
    again = await reopen(kept, batch.id)
    assert await run_all(kept, again, rules=replace(RULES, altitude_maximum=50_000)) == Counts(3, 2, 0, 1)
    status = {(letter["deviceId"], letter["status"]) for letter in await all_letters(kept)}
    assert status == {("a", "replayed"), ("a", "open"), ("b", "replayed")}
    totals = await kept.dead_letters.totals()
    assert dict(totals.dead_letters) == {"open": 1, "replayed": 2, "discarded": 0}


async def test_a_message_whose_letter_was_discarded_is_not_stored_when_it_is_accepted_later(kept: Store) -> None:
    batch, reference = await receive(kept, [delivery(1, message("a", 1, position={"altitude": 30_000}))])
    await run_all(kept, reference)
    [letter] = await all_letters(kept)
    await kept.dead_letters.resolve(letter["id"], "discarded", at="2026-01-01T00:00:00.000000Z", reason="test flight")
    again = await reopen(kept, batch.id)
    assert await run_all(kept, again, rules=replace(RULES, altitude_maximum=50_000), drones=0) == Counts(1, 0, 0, 1)
    assert [letter["status"] for letter in await all_letters(kept)] == ["discarded"]
    assert (await all_messages(kept, ["a"]))["a"] == []


async def test_a_replayed_letter_counts_as_stored_when_its_batch_is_run_under_the_old_settings(kept: Store) -> None:
    batch, reference = await receive(kept, [delivery(1, message("a", 1, battery=2)), delivery(2, message("a", 2))])
    await run_all(kept, reference)
    [letter] = await all_letters(kept)
    await finish_replay(kept, durable_client(Engine({}).client), await claimed(kept, letter, message("a", 1)))
    again = await reopen(kept, batch.id)
    assert await run_all(kept, again) == Counts(messages=2, stored=2, duplicates=0, rejected=0)


async def test_a_letter_replayed_while_its_batch_is_run_again_is_counted_once(kept: Store) -> None:
    deliveries = [delivery(1, message("a", 1, battery=2)), delivery(2, message("b", 1, battery=3))]
    batch, reference = await receive(kept, deliveries)
    await run_all(kept, reference)
    again = await reopen(kept, batch.id)
    letter = next(letter for letter in await all_letters(kept) if letter["deviceId"] == "a")
    await finish_replay(kept, durable_client(Engine({}).client), await claimed(kept, letter, message("a", 1)))
    counts = Counts(messages=2, stored=1, duplicates=0, rejected=1)
    assert await run_all(kept, again) == counts
    found = await kept.ledger.get(batch.id)
    assert found is not None
    assert found.counts == counts


async def test_enrichment_uses_what_the_registry_says_now(kept: Store) -> None:
    registry = Registry.parse({"drones": [{"id": "a", "home": {"latitude": 47.0, "longitude": -122.0}}]})
    position = {"latitude": 47.0, "longitude": -122.0, "altitude": 500}
    _, reference = await receive(kept, [delivery(1, message("a", 1, position=position)), delivery(2, message("b", 1))])
    await run_all(kept, reference, known=ReferenceData(registry, None))
    messages = await all_messages(kept, ["a", "b"])
    assert messages["a"][0]["derived"]["distanceFromHome"] == 0
    assert messages["a"][0]["derived"]["altitudeLimitExceeded"] is True
    assert messages["b"][0]["flags"] == ["unregistered_device"]


async def test_each_drone_is_signalled_once_and_merged(kept: Store) -> None:
    _, reference = await receive(kept, DELIVERIES)
    engine = Engine({})
    await stored(kept, reference)
    completion: Completion = {**reference, "counts": NO_COUNTS}
    assert await finish.finish(kept, durable_client(engine.client), completion, prepares(kept)) == {"current": True}
    assert {key: len(signals) for key, signals in engine.signals.items()} == {"a": 1, "b": 1}
    await engine.run()
    state = orjson.loads(engine.entities["a"] or "")
    assert registers(state)["battery"][0] == 0.5
    assert (state["last"][2], state["last"][3], state["last"][5]) == (2, 2, "0")


class Refusing:
    """A durable client whose signals fail from the ``good``-th on."""

    def __init__(self, good: int) -> None:
        self.good = good
        self.sent: list[str] = []

    async def signal(self, entity: str, key: str, operation: str, argument: Any) -> None:
        if len(self.sent) >= self.good:
            raise Exception("The operation failed with an unexpected status code 503")
        self.sent.append(key)


async def test_any_signal_that_is_not_taken_fails_the_step(kept: Store) -> None:
    _, reference = await receive(kept, [delivery(i, message(f"drone-{i}", 1)) for i in range(100)])
    await stored(kept, reference)
    refusing: Any = Refusing(60)
    with pytest.raises(Exception, match="status code 503"):
        await finish.finish(kept, refusing, {**reference, "counts": NO_COUNTS}, prepares(kept))
    assert len(refusing.sent) == 60
    unfinished = await kept.ledger.get(reference["batchId"])
    assert unfinished is not None
    assert unfinished.status is BatchStatus.RUNNING


async def test_an_overtaken_attempt_changes_nothing(kept: Store) -> None:
    batch, old = await receive(kept, DELIVERIES)
    new = await reopen(kept, batch.id)
    engine = Engine({})
    assert await stored(kept, old) == {"current": False}
    client = durable_client(engine.client)
    assert await finish.finish(kept, client, {**old, "counts": NO_COUNTS}, prepares(kept)) == {"current": False}
    assert await finish.fail(kept, {**old, "stage": "store", "error": "x"}) == {"current": False}
    assert engine.signals == {}
    current = await kept.ledger.get(batch.id)
    assert current is not None
    assert (current.status, current.instance_id) == (BatchStatus.RECEIVED, new["instanceId"])


async def test_a_failed_batch_keeps_its_stage_and_error(kept: Store) -> None:
    batch, reference = await receive(kept, DELIVERIES)
    await stored(kept, reference)
    for _ in range(2):
        assert await finish.fail(kept, {**reference, "stage": "store", "error": "disk full"}) == {"current": True}
    failed = await kept.ledger.get(batch.id)
    assert failed is not None
    assert (failed.status, failed.stage, failed.error) == (BatchStatus.FAILED, "store", "disk full")
    assert staging._recent[kept].size == 0


async def test_a_batch_that_is_done_leaves_nothing_in_memory(kept: Store) -> None:
    _, reference = await receive(kept, DELIVERIES)
    await stored(kept, reference)
    _, other = await receive(kept, [delivery(9, message("c", 1))])
    await stored(kept, other)
    assert staging._recent[kept].size == 7
    assert await run_all(kept, reference) == COUNTS
    assert staging._recent[kept].size == 1


async def test_a_batch_whose_bytes_are_gone_says_so(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    _, reference = await receive(kept, DELIVERIES)

    async def gone(_: str) -> None:
        return None

    monkeypatch.setattr(kept.ledger, "raw", gone)
    with pytest.raises(prepare.RawBytesMissing, match="its raw bytes are gone"):
        await stored(kept, reference)


@pytest.mark.parametrize("died", [True, False], ids=["in another process", "in one process"])
@pytest.mark.parametrize("window", [0, 0.05], ids=["at once", "window"])
async def test_a_batch_in_memory_becomes_the_same(kept: Store, died: bool, window: float) -> None:
    pipeline = make_pipeline(kept, signal_window=window)
    pipeline.in_memory = True
    finish_batch = pipeline.engine.activities["finish_batch"]

    async def dying(reference: Any) -> Any:
        assert await kept.ledger.staged(reference["batchId"], reference["instanceId"], staging.PREPARED) is None
        if died:
            staging._recent.clear()
        return await finish_batch(reference)

    pipeline.engine.activities["finish_batch"] = dying
    batch = await pipeline.receive(DELIVERIES)
    await pipeline.engine.run()
    ended = await kept.ledger.get(batch.id)
    assert ended is not None
    assert (ended.status, ended.counts) == (BatchStatus.COMPLETED, COUNTS)
    staging._recent.clear()  # the window, too, may end in another process
    await pipeline.sweep_held()
    await pipeline.engine.run()
    assert {device: len(found) for device, found in (await all_messages(kept, ["a", "b"])).items()} == {"a": 2, "b": 1}
    assert set(pipeline.engine.entities) == {"a", "b"}


async def test_a_batch_that_died_after_its_store_step_counts_what_is_stored_under_other_settings(kept: Store) -> None:
    """Prepared again, a message is rejected that was stored before the process died: it stays stored."""
    pipeline = make_pipeline(kept)
    pipeline.in_memory = True
    finish_batch = pipeline.engine.activities["finish_batch"]

    async def in_another_process(reference: Any) -> Any:
        staging._recent.clear()
        pipeline.rules = replace(RULES, altitude_maximum=10.0)
        return await finish_batch(reference)

    pipeline.engine.activities["finish_batch"] = in_another_process
    batch = await pipeline.receive([delivery(1, message("a", 1, position={"altitude": 50})), delivery(2, {"x": 1})])
    await pipeline.engine.run()
    ended = await kept.ledger.get(batch.id)
    assert ended is not None
    assert ended.status is BatchStatus.COMPLETED
    assert ended.counts == Counts(messages=2, stored=1, duplicates=0, rejected=1)
    assert len(await all_letters(kept)) == 1


STRICT = replace(RULES, altitude_maximum=10.0)
BROKEN_CALLS = [
    ("dead_letters", "of_batch"),
    ("dead_letters", "claim"),
    ("messages", "written_by"),
    ("ledger", "count"),
]


@pytest.mark.parametrize(("port", "call"), BROKEN_CALLS)
@pytest.mark.parametrize("before", [RULES, STRICT], ids=["stricter", "looser"])
@pytest.mark.parametrize("died_in", ["store_messages", "finish_batch"])
async def test_after_a_death_and_other_settings_a_try_that_fails_changes_nothing(
    kept: Store, monkeypatch: pytest.MonkeyPatch, before: Rules, died_in: str, port: str, call: str
) -> None:
    """The pages that the try has made anew are found by the next one, which must not take them for those of old."""
    pipeline = make_pipeline(kept)
    pipeline.in_memory, pipeline.rules = True, before
    step = pipeline.engine.activities[died_in]
    broken: Any = getattr(kept, port)
    inner = getattr(broken, call)

    async def failing(*_: Any) -> Any:
        monkeypatch.setattr(broken, call, inner)
        raise StoreUnavailable("planned")

    async def dying(reference: Any) -> Any:
        if died_in == "store_messages":
            await step(reference)
        else:  # as far as its beginning is noted
            await kept.ledger.begin(reference["batchId"], reference["instanceId"], FINISH.stage, "another")
        staging._recent.clear()
        pipeline.rules = STRICT if before is RULES else RULES
        monkeypatch.setattr(broken, call, failing)
        pipeline.engine.activities[died_in] = step
        raise OSError("the process dies")

    pipeline.engine.activities[died_in] = dying
    batch = await pipeline.receive(
        [delivery(1, message("a", 1, position={"altitude": 50})), delivery(2, message("b", 2))]
    )
    await pipeline.engine.run()
    ended = await kept.ledger.get(batch.id)
    assert ended is not None
    assert ended.status is BatchStatus.COMPLETED
    rows = {device: len(found) for device, found in (await all_messages(kept, ["a", "b"])).items()}
    assert (rows, ended.counts) == ({"a": 1, "b": 1}, Counts(messages=2, stored=2, duplicates=0, rejected=0))
    assert set(pipeline.engine.entities) == {"a", "b"}, "what is stored, drones are told"
    # What stricter rules reject stays stored; what looser ones accept is no letter any more.
    assert [letter["status"] for letter in await all_letters(kept)] == ([] if before is RULES else ["replayed"])


@pytest.mark.parametrize("died_after", ["messages", "dead_letters"])
@pytest.mark.parametrize("in_memory", [True, False], ids=["held", "staged"])
async def test_a_store_step_that_died_half_way_counts_what_it_had_stored_under_other_settings(
    kept: Store, monkeypatch: pytest.MonkeyPatch, in_memory: bool, died_after: str
) -> None:
    """What the first run has accepted or rejected stands, whatever today's rules say: staged, it is read again; held by
    a process that has died, it is told by what is stored."""
    pipeline = make_pipeline(kept)
    pipeline.in_memory = in_memory
    port: Any = getattr(kept, died_after)
    put = port.put

    async def dying(*given: Any) -> Any:
        await put(*given)
        staging._recent.clear()
        pipeline.rules = STRICT
        monkeypatch.setattr(port, "put", put)
        raise OSError("the process dies")

    monkeypatch.setattr(port, "put", dying)
    batch = await pipeline.receive([delivery(1, message("a", 1, position={"altitude": 50})), delivery(2, {"x": 1})])
    await pipeline.engine.run()
    ended = await kept.ledger.get(batch.id)
    assert ended is not None
    assert ended.status is BatchStatus.COMPLETED
    assert ended.counts == Counts(messages=2, stored=1, duplicates=0, rejected=1)
    assert len(await all_letters(kept)) == 1


async def test_a_batch_without_messages_completes(kept: Store) -> None:
    _, reference = await receive(kept, [delivery(1, []), delivery(2, [])])
    assert await run_all(kept, reference) == Counts(0, 0, 0, 0)


async def test_the_results_hold_no_telemetry(kept: Store) -> None:
    _, reference = await receive(kept, DELIVERIES)
    assert await stored(kept, reference) == {"current": True, "counts": COUNTS.__dict__, "drones": 2}


async def test_a_dead_letter_that_cannot_be_kept_fails_the_step(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, reference = await receive(kept, DELIVERIES)

    async def down(*_: Any) -> Any:
        raise StoreUnavailable("down")

    monkeypatch.setattr(kept.dead_letters, "put", down)
    with pytest.raises(StoreUnavailable):
        await stored(kept, reference)
    unfinished = await kept.ledger.get(batch.id)
    assert unfinished is not None
    assert unfinished.status is BatchStatus.RUNNING


async def claimed(kept: Store, letter: DeadLetter, body: dict[str, Any]) -> Claim:
    """Claimed for what it would have been without its fault."""
    cured = delivery(letter["sequenceNumber"], body)
    [accepted] = validate_batch([cured], RULES, letter["batchId"], now()).messages
    return (await kept.dead_letters.claim({letter["id"]: [accepted]}, now()))[letter["id"]]


async def reopen(kept: Store, batch_id: str) -> Reference:
    batch = await kept.ledger.get(batch_id)
    assert batch is not None
    following = instance_id(batch.id, batch.attempts + 1)
    opened = await kept.ledger.open_attempt(batch_id, batch, following, batch.updated_at, swept=False)
    return {"batchId": batch_id, "instanceId": opened.instance_id}


async def test_what_a_purged_batch_had_is_a_duplicate_when_it_comes_again(kept: Store) -> None:
    _, first = await receive(kept, DELIVERIES[:3])
    assert await run_all(kept, first) == Counts(messages=5, stored=3, duplicates=1, rejected=1)
    await kept.ledger.purge("2999-01-01T00:00:00.000000Z", 10)
    await kept.messages.purge("2999-01-01T00:00:00.000000Z", 10)
    _, cut_otherwise = await receive(kept, DELIVERIES[1:])
    assert await run_all(kept, cut_otherwise) == Counts(messages=5, stored=0, duplicates=4, rejected=1)
    totals = await kept.ledger.totals()
    assert (totals.stored, totals.rejected) == (3, 2)


async def test_a_batch_in_pages_becomes_the_same(kept: Store) -> None:
    deliveries = [delivery(n, [message("a", n, battery=0.5), message(f"d{n}", n, battery=n % 3)]) for n in range(20)]
    deliveries.append(delivery(20, [message("a", 3, battery=0.5), message("d3", 3, battery=0)]))
    pipeline = make_pipeline(kept)
    pipeline.page_size = 4
    batch = await pipeline.receive(deliveries)
    await pipeline.engine.run()
    found = await kept.ledger.get(batch.id)
    assert found is not None
    assert found.counts == Counts(messages=42, stored=34, duplicates=2, rejected=6)
    assert len((await all_messages(kept, ["a"]))["a"]) == 20
    assert len(await all_letters(kept)) == 6
    # One signal per drone, merged of all pages.
    assert set(pipeline.engine.signalled.values()) == {1}
    assert orjson.loads(pipeline.engine.entities["a"] or "")["lastSeen"] == deliveries[-1].enqueued_at
    reference = await reopen(kept, batch.id)
    pipeline.engine.start(ORCHESTRATOR, reference["instanceId"], {"batchId": batch.id})
    await pipeline.engine.run()
    again = await kept.ledger.get(batch.id)
    assert again is not None
    assert (again.attempts, again.counts) == (2, found.counts)
