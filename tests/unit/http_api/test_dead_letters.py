"""Dead letters over HTTP: reading, replay, discarding."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from storage.sqlite import SqliteStore
from tests.support import states
from tests.support.extension import Extension
from tests.support.http_client import Client

BAD = {"deviceId": "drone-1", "timestamp": "2026-01-02T03:04:05.000000Z", "position": {"altitude": 25_000}}
NAMELESS = {"battery": 2}


async def keep(store: SqliteStore, *bodies: Any, batch_id: str = "batch-1") -> list[str]:
    await states.keep_batch(store, batch_id, ends="completed")
    letters = states.validated(*bodies, batch_id=batch_id).dead_letters
    await store.dead_letters.put(letters, batch_id)
    return [letter["id"] for letter in letters]


async def test_a_dead_letter_is_shown_with_its_bytes_and_every_reason(ask: Client, store: SqliteStore) -> None:
    (letter_id,) = await keep(store, NAMELESS)
    letter = (await ask.get(f"/api/deadletters/{letter_id}")).json()
    assert base64.b64decode(letter.pop("body")) == b'{"battery": 2}'
    assert {(error["code"], error["field"]) for error in letter.pop("errors")} == {
        ("missing_device_id", "deviceId"),
        ("battery_out_of_range", "battery"),
    }
    assert letter == {
        "id": letter_id,
        "status": "open",
        "deviceId": None,
        "hub": "telemetry",
        "partition": "0",
        "offset": "100",
        "sequenceNumber": 1,
        "enqueuedAt": "2026-01-02T03:04:05.500000Z",
        "index": None,
        "batchId": "batch-1",
        "attempts": 1,
        "createdAt": "2026-01-02T03:04:05.500000Z",
        "resolvedAt": None,
        "reason": None,
        "contentType": "application/json",
        "contentEncoding": None,
        "context": None,
        "messages": 1,
    }


async def test_dead_letters_are_filtered(ask: Client, store: SqliteStore) -> None:
    high, nameless = await keep(store, BAD, NAMELESS)
    (other,) = await keep(store, [BAD], batch_id="batch-2")

    async def ids(query: str) -> set[str]:
        return {letter["id"] for letter in (await ask.get(f"/api/deadletters?{query}")).json()["items"]}

    assert await ids("") == {high, nameless, other}
    assert await ids("errorCode=missing_device_id") == {nameless}
    assert await ids("deviceId=drone-1") == {high, other}
    assert await ids("batchId=batch-2") == {other}
    assert await ids("status=discarded") == set()
    assert await ids("status=open&deviceId=drone-1&batchId=batch-1") == {high}


@pytest.mark.parametrize(
    ("query", "name"),
    [("status=closed", "status"), ("errorCode=typo", "errorCode"), ("deviceId=", "deviceId"), ("x=1", "x")],
)
async def test_a_wrong_parameter_is_named(ask: Client, query: str, name: str) -> None:
    answer = await ask.get(f"/api/deadletters?{query}")
    assert (answer.status, answer.json()["errors"][0]["parameter"]) == (400, name)


async def test_an_unknown_dead_letter_is_404(ask: Client) -> None:
    assert (await ask.get("/api/deadletters/nothing")).status == 404
    assert (await ask.post("/api/deadletters/nothing/replay")).status == 404
    assert (await ask.post("/api/deadletters/nothing/discard", {"reason": "x"})).status == 404


async def test_still_bad_is_409_with_the_reasons(ask: Client, store: SqliteStore) -> None:
    (letter_id,) = await keep(store, BAD)
    answer = await ask.post(f"/api/deadletters/{letter_id}/replay")
    problem = answer.json()
    assert (answer.status, problem["type"]) == (409, "urn:drone-telemetry:problem:still-rejected")
    assert [error["code"] for error in problem["errors"]] == ["altitude_out_of_range"]
    letter = (await ask.get(f"/api/deadletters/{letter_id}")).json()
    assert (letter["status"], letter["attempts"]) == ("open", 2)


async def test_good_under_todays_rules_is_stored_once(
    ask: Client, store: SqliteStore, extension: Extension, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("ALTITUDE_RANGE_METRES", "-1000,30000")
    (letter_id,) = await keep(store, BAD)
    first = await ask.post(f"/api/deadletters/{letter_id}/replay")
    again = await ask.post(f"/api/deadletters/{letter_id}/replay")
    assert (first.status, first.json()["status"]) == (200, "replayed")
    assert (again.status, again.json()) == (200, first.json())
    assert len((await ask.get("/api/drones/drone-1/history")).json()["items"]) == 1
    assert [r.split("?")[0] for r in extension.requests] == ["POST /durabletask/entities/drone/drone-1"]


async def test_a_discarded_one_keeps_its_reason_and_is_not_replayed(ask: Client, store: SqliteStore) -> None:
    (letter_id,) = await keep(store, BAD)
    discarded = await ask.post(f"/api/deadletters/{letter_id}/discard", {"reason": "test flight"})
    assert (discarded.status, discarded.json()["status"], discarded.json()["reason"]) == (
        200,
        "discarded",
        "test flight",
    )
    again = await ask.post(f"/api/deadletters/{letter_id}/discard", {"reason": "another"})
    assert (again.status, again.json()) == (200, discarded.json())
    assert (await ask.post(f"/api/deadletters/{letter_id}/replay")).status == 409


async def test_a_replayed_one_is_not_discarded(
    ask: Client, store: SqliteStore, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("ALTITUDE_RANGE_METRES", "-1000,30000")
    (letter_id,) = await keep(store, BAD)
    await ask.post(f"/api/deadletters/{letter_id}/replay")
    assert (await ask.post(f"/api/deadletters/{letter_id}/discard", {"reason": "x"})).status == 409


@pytest.mark.parametrize(
    "body", [None, {}, {"reason": ""}, {"reason": "x" * 1001}, {"reason": None}, {"reason": {}}, {"why": "x"}]
)
async def test_discarding_needs_a_reason(ask: Client, store: SqliteStore, body: Any) -> None:
    (letter_id,) = await keep(store, BAD)
    answer = await ask.post(f"/api/deadletters/{letter_id}/discard", body)
    assert answer.status == 400
    assert "reason" in answer.json()["detail"]
    assert (await ask.get(f"/api/deadletters/{letter_id}")).json()["status"] == "open"


async def test_many_are_replayed_by_filter(ask: Client, store: SqliteStore, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ALTITUDE_RANGE_METRES", "-1000,30000")
    await keep(store, BAD, NAMELESS, [{**BAD, "deviceId": "drone-2"}])
    one = await ask.post("/api/deadletters/replay", {"deviceId": "drone-2"})
    assert (one.status, one.json()) == (200, {"replayed": 1, "stillRejected": 0, "skipped": 0})
    rest = await ask.post("/api/deadletters/replay")
    assert rest.json() == {"replayed": 1, "stillRejected": 1, "skipped": 0}
    done = await ask.post("/api/deadletters/replay", {"status": "replayed"})
    assert done.json() == {"replayed": 0, "stillRejected": 0, "skipped": 2}


GOOD = '{"deviceId": "drone-1", "timestamp": "2026-01-02T03:04:05Z", "battery": 0.5}'


async def test_a_copy_is_checked_and_stored_in_the_letters_place(ask: Client, store: SqliteStore) -> None:
    (letter_id,) = await keep(store, NAMELESS)
    url = f"/api/deadletters/{letter_id}"
    wrong = await ask.post(f"{url}/check", {"text": '{"deviceId": "drone-1", "battery": 2}'})
    assert (wrong.status, wrong.json()["accepted"], wrong.json()["messages"]) == (200, 0, [])
    assert [(error["code"], error["field"]) for error in wrong.json()["errors"]] == [
        ("battery_out_of_range", "battery")
    ]
    refused = await ask.post(f"{url}/correct", {"text": "{}"})
    assert (refused.status, refused.json()["type"].rpartition(":")[2]) == (409, "still-rejected")
    assert [error["code"] for error in refused.json()["errors"]] == ["missing_device_id"]
    right = (await ask.post(f"{url}/check", {"text": GOOD})).json()
    assert (right["accepted"], right["errors"], right["messages"][0]["deviceId"]) == (1, [], "drone-1")
    assert (await ask.get(url)).json()["status"] == "open"

    answer = await ask.post(f"{url}/correct", {"text": GOOD})
    assert answer.status == 200
    letter = answer.json()
    assert (letter["status"], letter["correction"]["messages"]) == ("replayed", right["messages"])
    assert base64.b64decode(letter["body"]) == b'{"battery": 2}'
    history = (await ask.get("/api/drones/drone-1/history")).json()["items"]
    assert [one["correctedFrom"] for one in history] == [letter_id]
    assert (await ask.post(f"{url}/correct", {"text": GOOD})).json() == letter
    assert (await ask.post(f"{url}/correct", {"text": "{}"})).status == 409


@pytest.mark.parametrize("body", [{}, {"text": None}, {"text": 7}, {"text": ["x"]}, {"copy": GOOD}])
async def test_a_copy_that_is_no_text_is_named(ask: Client, store: SqliteStore, body: Any) -> None:
    (letter_id,) = await keep(store, NAMELESS)
    for route in ("check", "correct"):
        answer = await ask.post(f"/api/deadletters/{letter_id}/{route}", body)
        assert answer.status == 400
        assert answer.json()["errors"][0]["field"] in ("text", "copy")
    empty = await ask.post(f"/api/deadletters/{letter_id}/correct", {"text": "[]"})
    assert (empty.status, empty.json()["errors"][0]["detail"]) == (
        400,
        "allowed: JSON text that holds at least one message",
    )
    for route in ("check", "correct"):
        assert (await ask.post(f"/api/deadletters/nothing/{route}", {"text": GOOD})).status == 404


async def test_letters_are_counted_in_groups(ask: Client, store: SqliteStore) -> None:
    await keep(store, BAD, BAD, NAMELESS)
    found = (await ask.get("/api/deadletter-groups")).json()
    assert [(one["errorCode"], one["deviceId"], one["letters"]) for one in found["items"]] == [
        ("altitude_out_of_range", "drone-1", 2),
        ("battery_out_of_range", None, 1),
        ("missing_device_id", None, 1),
    ]
    assert (found["letters"], found["complete"], found["continuation"]) == (3, True, None)
    assert len((await ask.get("/api/deadletter-groups?limit=1&status=open")).json()["items"]) == 1
    answer = await ask.get("/api/deadletter-groups?status=lost")
    assert (answer.status, answer.json()["errors"][0]["parameter"]) == (400, "status")


async def test_those_of_these_ids_are_replayed(ask: Client, store: SqliteStore) -> None:
    one, two, other = await keep(store, BAD, NAMELESS, NAMELESS)
    await ask.post(f"/api/deadletters/{two}/discard", {"reason": "noise"})
    answer = await ask.post("/api/deadletters/replay", {"ids": [one, two, "nothing", one]})
    assert answer.json() == {"replayed": 0, "stillRejected": 1, "skipped": 2}
    attempts = {letter: (await ask.get(f"/api/deadletters/{letter}")).json()["attempts"] for letter in (one, other)}
    assert attempts == {one: 2, other: 1}
    wrong: Any
    for wrong in ([], ["x"] * 101, [7], [""], "x", {}):
        refused = await ask.post("/api/deadletters/replay", {"ids": wrong})
        assert (refused.status, refused.json()["errors"][0]["field"]) == (400, "ids"), wrong
