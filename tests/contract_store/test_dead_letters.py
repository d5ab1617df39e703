"""Rejected messages: kept until a person or a replay has dealt with them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pipeline.ports import Conflict, DeadLetterFilter, Store
from pipeline.records import Counts, Outcome, Standing
from tests.support.records import FAR_FUTURE, at, completed, letter, message

STORED, DUPLICATE, SETTLED = Outcome.STORED, Outcome.DUPLICATE, Outcome.SETTLED


async def ids(store: Store, **where: Any) -> list[str]:
    return [item["id"] for item in (await store.dead_letters.list(DeadLetterFilter(**where), 100, None)).items]


async def test_a_letter_comes_back_as_it_was_put(store: Store) -> None:
    put = letter("l1", contentType="application/json", index=None, deviceId=None)
    assert await store.dead_letters.put([put], "batch-a") == [STORED]
    assert await store.dead_letters.get("l1") == put | {"batchId": "batch-a"}
    assert await store.dead_letters.get("l2") is None


async def test_a_body_larger_than_a_document_comes_back_whole(store: Store) -> None:
    body = "A" * 4_000_000
    await store.dead_letters.put([letter("big", body=body)], "batch-a")
    found = await store.dead_letters.get("big")
    assert found is not None
    assert found["body"] == body
    assert (await store.dead_letters.list(DeadLetterFilter(), 10, None)).items == [found]
    assert await store.dead_letters.resolve("big", "discarded", at=at(1), reason="too big") == found | {
        "status": "discarded",
        "resolvedAt": at(1),
        "reason": "too big",
    }
    [standing] = await store.dead_letters.of_batch("batch-a")
    assert (standing.id, standing.status) == ("big", "discarded")


async def test_again_by_the_same_batch_is_stored_by_another_a_duplicate(store: Store) -> None:
    letters = [letter(f"l{n}", second=n) for n in range(5)]
    assert await store.dead_letters.put([*letters, letters[0]], "batch-a") == [STORED] * 5 + [DUPLICATE]
    assert await store.dead_letters.put(letters, "batch-a") == [STORED] * 5
    assert await store.dead_letters.put([letter("new"), *letters], "batch-b") == [STORED] + [DUPLICATE] * 5
    totals = await store.dead_letters.totals()
    assert totals.dead_letters == {"open": 6, "replayed": 0, "discarded": 0}
    assert totals.dead_letter_codes == {"battery_out_of_range": 6}


async def test_many_at_once_from_two_batches(store: Store) -> None:
    letters = [letter(f"l{n}", second=n, codes=("wrong_type", "x")) for n in range(150)]
    one, two = await asyncio.gather(
        store.dead_letters.put(letters, "batch-a"), store.dead_letters.put(letters, "batch-b")
    )
    assert all({a, b} == {STORED, DUPLICATE} for a, b in zip(one, two, strict=True))
    totals = await store.dead_letters.totals()
    assert totals.dead_letters["open"] == 150
    assert totals.dead_letter_codes == {"wrong_type": 150, "x": 150}


async def test_an_open_one_is_brought_up_to_date_by_its_batch_only(store: Store) -> None:
    await store.dead_letters.put([letter("l1", codes=("old", "both"))], "batch-a")
    await store.dead_letters.put([letter("l1", codes=("foreign",), attempts=9)], "batch-b")
    await store.dead_letters.put([letter("l1", second=50, codes=("both", "new"), attempts=2)], "batch-a")
    found = await store.dead_letters.get("l1")
    assert found is not None
    assert ([error["code"] for error in found["errors"]], found["attempts"]) == (["both", "new"], 2)
    assert found["createdAt"] == at(0)
    assert await ids(store, error_code="new") == ["l1"]
    assert await ids(store, error_code="old") == []
    assert (await store.dead_letters.totals()).dead_letter_codes == {"both": 1, "new": 1}


async def test_a_resolved_one_keeps_its_status_when_its_batch_runs_again(store: Store) -> None:
    await store.dead_letters.put([letter("l1")], "batch-a")
    resolved = await store.dead_letters.resolve("l1", "replayed", at=at(3))
    assert await store.dead_letters.put([letter("l1", codes=("new",), attempts=5)], "batch-a") == [SETTLED]
    assert await store.dead_letters.get("l1") == resolved
    assert (await store.dead_letters.totals()).dead_letters == {"open": 0, "replayed": 1, "discarded": 0}


async def test_resolve_once_and_the_same_again_changes_nothing(store: Store) -> None:
    await store.dead_letters.put([letter("l1"), letter("l2")], "batch-a")
    first = await store.dead_letters.resolve("l1", "discarded", at=at(3), reason="noise")
    assert (first["status"], first["resolvedAt"], first["reason"]) == ("discarded", at(3), "noise")
    assert await store.dead_letters.resolve("l1", "discarded", at=at(9), reason="other") == first
    with pytest.raises(Conflict) as caught:
        await store.dead_letters.resolve("l1", "replayed", at=at(9))
    assert caught.value.record == first
    with pytest.raises(KeyError):
        await store.dead_letters.resolve("nobody", "replayed", at=at(9))
    assert (await store.dead_letters.totals()).dead_letters == {"open": 1, "replayed": 0, "discarded": 1}
    assert await ids(store, status="discarded") == ["l1"]
    assert await ids(store, status="open") == ["l2"]
    assert await ids(store, error_code="battery_out_of_range", status="discarded") == ["l1"]


async def test_discard_and_replay_at_once_and_one_wins(store: Store) -> None:
    await store.dead_letters.put([letter("l1")], "batch-a")
    results = await asyncio.gather(
        *(store.dead_letters.resolve("l1", status, at=at(3)) for status in ("replayed", "discarded") * 4),
        return_exceptions=True,
    )
    found = await store.dead_letters.get("l1")
    assert found is not None
    assert [result for result in results if not isinstance(result, Conflict)] == [found] * 4
    totals = (await store.dead_letters.totals()).dead_letters
    assert totals == {"open": 0, "replayed": 0, "discarded": 0} | {found["status"]: 1}


async def test_a_replay_rejected_again_counts_once_a_time(store: Store) -> None:
    await store.dead_letters.put([letter("l1", codes=("old",))], "batch-a")
    errors = letter("x", codes=("new",))["errors"]
    again = await store.dead_letters.record_failed_replay("l1", errors, at(4))
    assert (again["status"], again["attempts"], again["errors"]) == ("open", 2, errors)
    assert await store.dead_letters.record_failed_replay("l1", errors, at(4)) == again
    assert (await store.dead_letters.record_failed_replay("l1", errors, at(5)))["attempts"] == 3
    assert (await store.dead_letters.totals()).dead_letter_codes == {"new": 1}
    # A batch that runs again does not take the attempts back.
    await store.dead_letters.put([letter("l1", codes=("new",))], "batch-a")
    found = await store.dead_letters.get("l1")
    assert found is not None
    assert found["attempts"] == 3
    assert set(found) == set(letter("l1")) | {"batchId"}
    await store.dead_letters.resolve("l1", "discarded", at=at(6))
    with pytest.raises(Conflict):
        await store.dead_letters.record_failed_replay("l1", errors, at(7))
    with pytest.raises(KeyError):
        await store.dead_letters.record_failed_replay("nobody", errors, at(7))


async def test_of_batch_gives_those_that_this_batch_wrote(store: Store) -> None:
    many = [letter(f"l{n}", sequenceNumber=n, messages=1) for n in range(120)]
    await store.dead_letters.put([*many, letter("event", index=None, messages=150, sequenceNumber=200)], "batch-a")
    await store.dead_letters.put([letter("other")], "batch-b")
    await store.dead_letters.resolve("l7", "replayed", at=at(1))
    found = {standing.id: standing for standing in await store.dead_letters.of_batch("batch-a")}
    assert set(found) == {"event", *(f"l{n}" for n in range(120))}
    assert found["l7"] == Standing("l7", "replayed", 1, 7, 0, at(0))
    assert found["event"] == Standing("event", "open", 150, 200, None, at(0))
    assert await store.dead_letters.of_batch("nobody") == []


async def test_a_letter_of_an_earlier_version_stands_for_one_message(store: Store) -> None:
    await store.dead_letters.put([letter("old")], "batch-a")
    assert [standing.messages for standing in await store.dead_letters.of_batch("batch-a")] == [1]


async def test_a_claimed_letter_can_only_become_replayed(store: Store) -> None:
    letters = store.dead_letters
    await letters.put([letter("l1"), letter("l2"), letter("l3")], "batch-a")
    await letters.resolve("l3", "discarded", at=at(1))
    kept: Any = [message("m1", extra={"big": 1234567890123456789})]
    held = await letters.claim({"l1": kept, "l2": None, "l3": kept, "nobody": kept}, at(2))
    assert {name: (claim.letter["status"], claim.messages) for name, claim in held.items()} == {
        "l1": ("open", kept),
        "l2": ("open", None),
        "l3": ("discarded", None),
    }
    # The first claim counts: whoever comes next stores what it says.
    assert (await letters.claim({"l1": []}, at(3)))["l1"].messages == kept
    with pytest.raises(Conflict, match="being replayed"):
        await letters.resolve("l1", "discarded", at=at(4))
    with pytest.raises(Conflict, match="being replayed"):
        await letters.record_failed_replay("l1", letter("x", codes=("c",))["errors"], at(4))
    assert await letters.put([letter("l1", codes=("c",)), letter("l2", codes=("c",))], "batch-a") == [SETTLED, STORED]
    found = await letters.get("l1")
    assert found is not None
    assert (found["status"], found["errors"]) == ("open", letter("l1")["errors"])
    assert "claim" not in str(sorted(found))
    assert await ids(store, status="open") == ["l2", "l1"]


def correction(body: str = "Y29ycmVjdGVk", count: int = 2) -> Any:
    named = [{"id": "m1", "deviceId": "drone-1", "time": at(1)}]
    kinds = {"contentType": "application/json", "contentEncoding": None}
    return {"at": at(2), "by": "Ann", "body": body, "count": count, "messages": named, **kinds}


async def test_a_corrected_letter_keeps_its_bytes_and_the_copy_that_was_first(store: Store) -> None:
    letters = store.dead_letters
    await letters.put([letter("l1"), letter("l2"), letter("l3")], "batch-a")
    await letters.resolve("l2", "discarded", at=at(1))
    before = await letters.get("l1")
    kept: Any = [message("m1", correctedFrom="l1", extra={"big": 1234567890123456789})]
    held = await letters.correct("l1", kept, correction(), at(2))
    assert held is not None
    assert before is not None
    assert (held.letter, held.messages) == (before | {"correction": correction()}, kept)
    assert await letters.get("l1") == held.letter
    # Who comes second is told what was first: another copy, or a claim without one.
    assert await letters.correct("l1", [], correction("b3RoZXI="), at(3)) == held
    assert (await letters.claim({"l1": []}, at(3)))["l1"] == held
    await letters.claim({"l3": kept}, at(3))
    claimed = await letters.correct("l3", [], correction(), at(4))
    assert claimed is not None
    assert (claimed.messages, "correction" in claimed.letter) == (kept, False)
    discarded = await letters.correct("l2", kept, correction(), at(4))
    assert discarded is not None
    assert (discarded.letter["status"], discarded.messages, "correction" in discarded.letter) == (
        "discarded",
        None,
        False,
    )
    assert await letters.correct("nobody", kept, correction(), at(4)) is None
    standing = {one.id: one.corrected for one in await letters.of_batch("batch-a")}
    assert standing == {"l1": 2, "l2": None, "l3": None}
    resolved = await letters.resolve("l1", "replayed", at=at(5))
    assert resolved == held.letter | {"status": "replayed", "resolvedAt": at(5)}
    assert (await letters.list(DeadLetterFilter(status="replayed"), 10, None)).items == [resolved]
    assert (await letters.totals()).dead_letters == {"open": 1, "replayed": 1, "discarded": 1}


async def test_a_large_copy_comes_back_whole(store: Store) -> None:
    large = correction("A" * 3_000_000)
    await store.dead_letters.put([letter("l1", body="B" * 1_500_000)], "batch-a")
    await store.dead_letters.correct("l1", [message("m1")], large, at(2))
    found = await store.dead_letters.get("l1")
    assert found is not None
    assert (found["correction"], len(found["body"])) == (large, 1_500_000)
    assert [one.corrected for one in await store.dead_letters.of_batch("batch-a")] == [2]


async def test_letters_are_counted_by_rule_and_device(store: Store) -> None:
    letters = store.dead_letters
    await letters.put([letter(f"a{n}", second=n, codes=("a", "b")) for n in range(3)], "batch-a")
    await letters.put([letter(f"b{n}", second=10 + n, codes=("b",), deviceId="drone-2") for n in range(2)], "batch-b")
    await letters.put([letter("c", second=20, codes=("b",), deviceId=None)], "batch-b")
    await letters.resolve("a0", "discarded", at=at(30))

    async def groups(most: int = 100, limit: int = 100, **where: Any) -> list[tuple[str, str | None, int]]:
        found = await letters.groups(DeadLetterFilter(**where), most, limit)
        return [(one.error_code, one.device_id, one.letters) for one in found.groups]

    everything = [("a", "drone-1", 3), ("b", "drone-1", 3), ("b", "drone-2", 2), ("b", None, 1)]
    assert await groups() == everything
    assert await groups(limit=2) == everything[:2]
    assert await groups(status="open") == [
        ("a", "drone-1", 2),
        ("b", "drone-1", 2),
        ("b", "drone-2", 2),
        ("b", None, 1),
    ]
    assert await groups(status="replayed") == []
    assert await groups(error_code="a") == [("a", "drone-1", 3)]
    assert await groups(device_id="drone-1", status="discarded") == [("a", "drone-1", 1), ("b", "drone-1", 1)]
    assert await groups(error_code="b", batch_id="batch-b") == [("b", "drone-2", 2), ("b", None, 1)]
    # Of more than it may look at, the newest.
    cut = await letters.groups(DeadLetterFilter(), 4, 100)
    assert (cut.letters, cut.complete) == (4, False)
    assert sorted((one.error_code, one.device_id or "", one.letters) for one in cut.groups) == [
        ("a", "drone-1", 1),
        ("b", "", 1),
        ("b", "drone-1", 1),
        ("b", "drone-2", 2),
    ]
    whole = await letters.groups(DeadLetterFilter(), 6, 100)
    assert (whole.letters, whole.complete) == (6, True)
    assert (whole.groups[0].newest, whole.groups[0].oldest) == (at(2), at(0))


async def test_claims_are_kept_until_they_are_released(store: Store) -> None:
    letters = store.dead_letters
    await letters.put([letter(f"l{n}") for n in range(4)], "batch-a")
    for n in (2, 0, 1):
        await letters.claim({f"l{n}": [message(f"m{n}")]}, at(10 - n))
    assert [claim.letter["id"] for claim in await letters.claims(FAR_FUTURE, 10)] == ["l2", "l1", "l0"]
    assert [claim.letter["id"] for claim in await letters.claims(at(10), 1)] == ["l2"]
    assert await letters.claims(at(8), 10) == []
    resolved = await letters.resolve("l2", "replayed", at=at(20))
    assert (await letters.claims(at(9), 10))[0].letter == resolved
    await letters.release(["l1", "l2", "nobody"])
    assert [claim.letter["id"] for claim in await letters.claims(FAR_FUTURE, 10)] == ["l1", "l0"], "l1 is open"
    assert (await letters.claim({"l2": [message("m9")]}, at(21)))["l2"].messages is None
    assert await letters.get("l2") == resolved


async def test_discard_and_claim_at_once_have_one_winner(store: Store) -> None:
    await store.dead_letters.put([letter(f"l{n}") for n in range(12)], "batch-a")

    async def discard(letter_id: str) -> bool:
        try:
            await store.dead_letters.resolve(letter_id, "discarded", at=at(1))
        except Conflict:
            return False
        return True

    async def claim(letter_id: str) -> bool:
        return (await store.dead_letters.claim({letter_id: []}, at(1)))[letter_id].messages is not None

    for n in range(12):
        assert sorted(await asyncio.gather(discard(f"l{n}"), claim(f"l{n}"))) == [False, True]


async def test_each_filter_and_their_combinations(store: Store) -> None:
    await store.dead_letters.put([letter("l1", second=1, codes=("a", "b"))], "batch-a")
    await store.dead_letters.put([letter("l2", second=2, codes=("b",), deviceId="drone-2")], "batch-a")
    await store.dead_letters.put([letter("l3", second=3, codes=("a",), deviceId=None)], "batch-b")
    await store.dead_letters.resolve("l1", "replayed", at=at(9))
    assert await ids(store) == ["l3", "l2", "l1"]
    assert await ids(store, error_code="a") == ["l3", "l1"]
    assert await ids(store, error_code="b", status="open") == ["l2"]
    assert await ids(store, device_id="drone-1") == ["l1"]
    assert await ids(store, batch_id="batch-a") == ["l2", "l1"]
    assert await ids(store, batch_id="batch-a", error_code="a") == ["l1"]
    assert await ids(store, batch_id="batch-a", error_code="a", status="open") == []
    assert await ids(store, device_id="drone-2", batch_id="batch-a", error_code="b", status="open") == ["l2"]
    assert await ids(store, device_id="drone-2", batch_id="batch-b") == []
    assert await ids(store, error_code="A") == []


async def test_purge_takes_resolved_ones_and_never_an_open_one(store: Store) -> None:
    await store.dead_letters.put([letter(f"l{n}") for n in range(5)], "batch-a")
    for n in range(4):
        await store.dead_letters.resolve(f"l{n}", "replayed" if n % 2 else "discarded", at=at(n))
    before = await store.dead_letters.totals()
    assert await store.dead_letters.purge(at(3), 2) == 2
    assert await ids(store) == ["l4", "l3", "l2"]
    assert await store.dead_letters.purge(at(3), 10) == 1
    assert await store.dead_letters.purge(FAR_FUTURE, 10) == 1
    assert await store.dead_letters.purge(FAR_FUTURE, 10) == 0
    assert await ids(store) == ["l4"]
    assert await ids(store, error_code="battery_out_of_range") == ["l4"]
    assert await store.dead_letters.totals() == before


async def test_a_letter_outlives_its_batch(store: Store) -> None:
    for n, name in enumerate(("kept", "purged", "failed")):
        await completed(store, name, Counts(1, 0, 0, 1), second=n)
        await store.dead_letters.put([letter(name, second=n)], name)
        await store.dead_letters.resolve(name, "discarded", at=at(n))
    await store.ledger.purge(at(0), 10)
    failed = await store.ledger.get("failed")
    assert failed is not None
    await store.ledger.open_attempt("failed", failed, "failed-2", at(5), swept=False)
    await store.ledger.fail("failed", "failed-2", "store", "x", at(6))
    assert await store.dead_letters.purge(FAR_FUTURE, 1) == 0
    assert await store.ledger.purge(at(2), 10) == 2
    assert await store.dead_letters.purge(FAR_FUTURE, 10) == 2
    assert await ids(store) == ["failed"]


async def test_a_body_larger_than_a_document_is_purged_with_its_letter(store: Store) -> None:
    await store.dead_letters.put([letter("big", body="A" * 4_000_000)], "batch-a")
    await store.dead_letters.resolve("big", "discarded", at=at(1))
    assert await store.dead_letters.purge(FAR_FUTURE, 10) == 1
    assert await store.dead_letters.get("big") is None
    # Put again it is a new one.
    assert await store.dead_letters.put([letter("big", body="B")], "batch-a") == [STORED]
    found = await store.dead_letters.get("big")
    assert found is not None
    assert (found["body"], found["status"]) == ("B", "open")
