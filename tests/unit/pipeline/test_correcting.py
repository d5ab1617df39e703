"""A corrected copy in a letter's place: judged like everything, stored once, counted once, whatever else happens."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import settings
from pipeline.attempts import replay_batch
from pipeline.correcting import NothingIn, check_correction, correct_dead_letter
from pipeline.dead_letters import StillRejected, discard_dead_letter, finish_claims, replay_dead_letter
from pipeline.ports import Conflict
from pipeline.records import Counts
from telemetry.merge import registers
from tests.support.pipeline import (
    Pipeline,
    all_batches,
    all_letters,
    all_messages,
    body_of,
    delivery,
    make_pipeline,
    message,
)
from tests.support.pipeline import open_sqlite as open_store

HIGH = {"altitude": 30_000}
GOOD = json.dumps(message("a", 2, battery=0.5))


@pytest.fixture
async def pipeline(tmp_path: Path) -> AsyncIterator[Pipeline]:
    opened = await open_store(tmp_path)
    yield make_pipeline(opened)
    await opened.close()


async def rejected(pipeline: Pipeline, *bodies: Any) -> list[str]:
    await pipeline.receive([delivery(number, body) for number, body in enumerate(bodies, start=1)])
    await pipeline.engine.run()
    return [letter["id"] for letter in sorted(await all_letters(pipeline.store), key=lambda one: one["id"])]


async def counts(pipeline: Pipeline) -> Counts:
    """Of the one batch; the totals say the same."""
    (batch,) = await all_batches(pipeline.store)
    assert batch.counts is not None
    totals = await pipeline.store.ledger.totals()
    assert Counts(totals.messages, totals.stored, totals.duplicates, totals.rejected) == batch.counts
    counted = batch.counts
    assert counted.messages == counted.stored + counted.duplicates + counted.rejected
    return counted


async def test_a_copy_is_stored_in_its_letters_place_and_each_names_the_other(pipeline: Pipeline) -> None:
    wrong = message("a", 2, battery=5)
    (letter_id,) = await rejected(pipeline, message("a", 1), wrong)
    assert await counts(pipeline) == Counts(2, 1, 0, 1)
    letter = await correct_dead_letter(pipeline.store, pipeline.durable, letter_id, GOOD, "Ann")
    await pipeline.engine.run()
    assert letter["status"] == "replayed"
    assert json.loads(body_of(letter)) == wrong
    correction = letter["correction"]
    assert base64.b64decode(correction["body"]).decode() == GOOD
    assert (correction["by"], correction["count"]) == ("Ann", 1)
    stored = (await all_messages(pipeline.store, ["a"]))["a"]
    copy = next(one for one in stored if one.get("correctedFrom") == letter_id)
    assert correction["messages"] == [{"id": copy["id"], "deviceId": "a", "time": copy["time"]}]
    assert (copy["battery"], copy["sequenceNumber"], copy["batchId"]) == (0.5, 2, letter["batchId"])
    assert await counts(pipeline) == Counts(2, 2, 0, 0)
    assert registers(json.loads(pipeline.engine.entities["a"] or ""))["battery"][0] == 0.5


async def test_the_same_copy_again_does_nothing_another_is_a_conflict(pipeline: Pipeline) -> None:
    (letter_id,) = await rejected(pipeline, message("a", 2, battery=5))
    first = await correct_dead_letter(pipeline.store, pipeline.durable, letter_id, GOOD, None)
    signalled = pipeline.engine.signalled.copy()
    assert await correct_dead_letter(pipeline.store, pipeline.durable, letter_id, GOOD, "Bob") == first
    assert pipeline.engine.signalled == signalled
    with pytest.raises(Conflict, match="another corrected copy"):
        await correct_dead_letter(pipeline.store, pipeline.durable, letter_id, GOOD + " ", None)
    assert await replay_dead_letter(pipeline.store, pipeline.durable, letter_id) == first
    with pytest.raises(Conflict):
        await discard_dead_letter(pipeline.store, pipeline.durable, letter_id, "late")
    assert await counts(pipeline) == Counts(1, 1, 0, 0)


async def test_a_copy_that_is_still_wrong_leaves_the_letter_as_it_is(pipeline: Pipeline) -> None:
    (letter_id,) = await rejected(pipeline, message("a", 2, battery=5))
    before = await pipeline.store.dead_letters.get(letter_id)
    with pytest.raises(StillRejected) as caught:
        await correct_dead_letter(
            pipeline.store,
            pipeline.durable,
            letter_id,
            json.dumps(message("a", 2, battery=3, flightMode="sideways")),
            None,
        )
    assert {error["field"] for error in caught.value.errors} == {"battery", "flightMode"}
    for nothing in ("[]", "[ ]"):
        with pytest.raises(NothingIn):
            await correct_dead_letter(pipeline.store, pipeline.durable, letter_id, nothing, None)
    assert await pipeline.store.dead_letters.get(letter_id) == before
    with pytest.raises(KeyError):
        await correct_dead_letter(pipeline.store, pipeline.durable, "nobody", GOOD, None)


async def test_a_check_says_what_a_copy_would_become_and_keeps_nothing(pipeline: Pipeline) -> None:
    (letter_id,) = await rejected(pipeline, message("a", 2, battery=5))
    messages, errors = await check_correction(pipeline.store, letter_id, GOOD)
    assert ([one["deviceId"] for one in messages], errors) == (["a"], [])
    for wrong, code in (
        ("", "empty_body"),
        ("{", "malformed_json"),
        ("7", "not_an_object"),
        ("{}", "missing_device_id"),
    ):
        messages, errors = await check_correction(pipeline.store, letter_id, wrong)
        assert (messages, [error["code"] for error in errors]) == ([], [code]), wrong
    assert await counts(pipeline) == Counts(1, 0, 0, 1)
    assert [letter["status"] for letter in await all_letters(pipeline.store)] == ["open"]


async def test_bytes_that_nobody_could_read_become_several_messages(pipeline: Pipeline) -> None:
    (letter_id,) = await rejected(pipeline, b"\x0a\x01A\x12\x00", message("b", 1))
    copy = json.dumps([message("a", 1), message("b", 1), message("a", 2)])
    letter = await correct_dead_letter(pipeline.store, pipeline.durable, letter_id, copy, None)
    assert letter["correction"]["count"] == 3
    # The message of b was there already.
    assert await counts(pipeline) == Counts(4, 3, 1, 0)
    (batch,) = await all_batches(pipeline.store)
    await replay_batch(pipeline.store, pipeline.durable, batch.id)
    await pipeline.engine.run()
    assert await counts(pipeline) == Counts(4, 3, 1, 0)


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings under which drones may fly 50 km high."""
    settings.get_settings.cache_clear()

    def switch() -> None:
        monkeypatch.setenv("ALTITUDE_RANGE_METRES", "-1000,50000")
        settings.get_settings.cache_clear()

    yield switch
    monkeypatch.undo()
    settings.get_settings.cache_clear()


@pytest.mark.parametrize("copy", [message("a", 2, position={"altitude": 300}), message("a", 1)])
async def test_rules_that_accept_the_original_later_do_not_bring_it_back(
    pipeline: Pipeline, lenient: Any, copy: Any
) -> None:
    """Neither when the copy was stored, nor when it was a message that was there already."""
    (letter_id,) = await rejected(pipeline, message("a", 1), message("a", 2, position=HIGH))
    await correct_dead_letter(pipeline.store, pipeline.durable, letter_id, json.dumps(copy), None)
    await pipeline.engine.run()
    before = (await counts(pipeline), await all_messages(pipeline.store, ["a"]), dict(pipeline.engine.entities))
    lenient()
    pipeline.rules = settings.get_settings().rules
    pipeline.engine.activities = pipeline.activities()
    (batch,) = await all_batches(pipeline.store)
    await replay_batch(pipeline.store, pipeline.durable, batch.id)
    await pipeline.engine.run()
    after = (await counts(pipeline), await all_messages(pipeline.store, ["a"]), dict(pipeline.engine.entities))
    assert after == before


async def test_what_a_crash_cut_short_is_finished_by_the_sweeper(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    (letter_id,) = await rejected(pipeline, message("a", 2, battery=5))

    async def away(*_: Any) -> Any:
        raise OSError("the process is gone")

    monkeypatch.setattr(pipeline.store.messages, "put", away)
    with pytest.raises(OSError, match="gone"):
        await correct_dead_letter(pipeline.store, pipeline.durable, letter_id, GOOD, None)
    monkeypatch.undo()
    (letter,) = await all_letters(pipeline.store)
    assert (letter["status"], letter["correction"]["count"]) == ("open", 1)
    with pytest.raises(Conflict):
        await pipeline.store.dead_letters.resolve(letter_id, "discarded", at="2999", reason="no")
    await finish_claims(pipeline.store, pipeline.durable, "2999-01-01T00:00:00.000000Z", 10)
    (letter,) = await all_letters(pipeline.store)
    assert letter["status"] == "replayed"
    assert await counts(pipeline) == Counts(1, 1, 0, 0)


async def test_correcting_replaying_discarding_and_running_again_at_once_count_once(
    pipeline: Pipeline, lenient: Any
) -> None:
    """Whoever wins, each letter is answered once and the numbers hold."""
    bodies = [message("a", number, position=HIGH) for number in range(12)]
    letter_ids = await rejected(pipeline, *bodies)
    lenient()
    pipeline.rules = settings.get_settings().rules
    pipeline.engine.activities = pipeline.activities()
    (batch,) = await all_batches(pipeline.store)
    await replay_batch(pipeline.store, pipeline.durable, batch.id)
    store, client = pipeline.store, pipeline.durable
    copies = [json.dumps(message("b", number)) for number in range(12)]
    await asyncio.gather(
        pipeline.engine.run(),
        *(correct_dead_letter(store, client, one, copy, None) for one, copy in zip(letter_ids, copies, strict=True)),
        *(replay_dead_letter(store, client, one) for one in letter_ids[::2]),
        *(discard_dead_letter(store, client, one, "no") for one in letter_ids[::3]),
        return_exceptions=True,
    )
    await finish_claims(store, client, "2999-01-01T00:00:00.000000Z", 100)
    await pipeline.engine.run()
    counted = await counts(pipeline)
    letters = await all_letters(store)
    stored = await all_messages(store, ["a", "b"])
    assert {letter["status"] for letter in letters} <= {"replayed", "discarded"}
    assert len(stored["b"]) == sum("correction" in letter for letter in letters)
    places = [one["sequenceNumber"] for some in stored.values() for one in some]
    assert len(places) == len(set(places)), "one message for each delivery"
    assert counted == Counts(12, len(places), 0, 12 - len(places))
