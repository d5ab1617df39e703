"""Batches over HTTP: reading the ledger, and replay."""

from __future__ import annotations

import pytest

from pipeline.records import BatchStatus
from storage.sqlite import SqliteStore
from tests.support.extension import Extension
from tests.support.http_client import Client
from tests.support.states import keep_batch


async def test_a_batch_is_shown_whole(ask: Client, store: SqliteStore) -> None:
    await keep_batch(store, "batch-1", ends="completed")
    assert (await ask.get("/api/batches/batch-1")).json() == {
        "id": "batch-1",
        "hub": "telemetry",
        "partition": "0",
        "firstSequenceNumber": 1,
        "lastSequenceNumber": 2,
        "events": 2,
        "messages": 3,
        "stored": 1,
        "duplicates": 1,
        "rejected": 1,
        "status": "completed",
        "stage": None,
        "attempts": 1,
        "error": None,
        "receivedAt": "2026-01-02T03:04:05.500000Z",
        "completedAt": "2026-01-02T03:04:05.500000Z",
        "instanceId": "batch-1~1",
        "statusQueryGetUri": "http://localhost:7071/runtime/webhooks/durabletask/instances/batch-1~1"
        "?taskHub=Hub&connection=Storage",
    }


async def test_a_failed_batch_says_where_and_why(ask: Client, store: SqliteStore) -> None:
    await keep_batch(store, "batch-1", ends="failed")
    batch = (await ask.get("/api/batches/batch-1")).json()
    assert (batch["status"], batch["stage"], batch["error"], batch["messages"]) == (
        "failed",
        "store",
        "disk full",
        None,
    )


async def test_no_answer_holds_the_task_hubs_key(ask: Client, store: SqliteStore) -> None:
    await keep_batch(store, "batch-1", ends="failed")
    answers = [
        await ask.get("/api/batches"),
        await ask.get("/api/batches/batch-1"),
        await ask.post("/api/batches/batch-1/replay"),
    ]
    for answer in answers:
        assert b"TASKHUBSECRET" not in answer.body
        assert "TASKHUBSECRET" not in str(answer.headers)


async def test_an_unknown_batch_is_404(ask: Client) -> None:
    assert (await ask.get("/api/batches/nothing")).status == 404
    assert (await ask.post("/api/batches/nothing/replay")).status == 404


async def test_batches_are_filtered_and_newest_first(ask: Client, store: SqliteStore) -> None:
    await keep_batch(store, "a", received_at="2026-01-01T00:00:00.000000Z", ends="completed")
    await keep_batch(store, "b", received_at="2026-01-02T00:00:00.000000Z", ends="failed", partition="1")
    await keep_batch(store, "c", received_at="2026-01-03T00:00:00.000000Z")

    async def ids(query: str) -> list[str]:
        return [batch["id"] for batch in (await ask.get(f"/api/batches?{query}")).json()["items"]]

    assert await ids("") == ["c", "b", "a"]
    assert await ids("status=failed,received") == ["c", "b"]
    assert await ids("partition=1") == ["b"]
    assert await ids("from=2026-01-02T00:00:00Z&to=2026-01-03T00:00:00.000000Z") == ["b"]
    first = (await ask.get("/api/batches?limit=2")).json()
    assert [batch["id"] for batch in first["items"]] == ["c", "b"]
    assert await ids(f"limit=2&continuation={first['continuation']}") == ["a"]


@pytest.mark.parametrize(
    ("query", "name"), [("status=lost", "status"), ("status=failed,", "status"), ("from=x", "from"), ("id=1", "id")]
)
async def test_a_wrong_parameter_is_named(ask: Client, query: str, name: str) -> None:
    answer = await ask.get(f"/api/batches?{query}")
    assert (answer.status, answer.json()["errors"][0]["parameter"]) == (400, name)


@pytest.mark.parametrize("status", ["failed", "completed"])
async def test_replay_starts_a_new_instance(ask: Client, store: SqliteStore, extension: Extension, status: str) -> None:
    await keep_batch(store, "batch-1", ends=status)
    answer = await ask.post("/api/batches/batch-1/replay")
    links = answer.json()
    assert answer.status == 202
    assert answer.headers["location"] == links["statusQueryGetUri"]
    assert "reason={text}" in links["terminatePostUri"]
    assert extension.started == {links["id"]: {"batchId": "batch-1"}}
    batch = await store.ledger.get("batch-1")
    assert batch is not None
    assert (batch.status, batch.attempts, batch.instance_id) == (BatchStatus.RECEIVED, 2, links["id"])


async def test_a_batch_that_runs_is_409(ask: Client, store: SqliteStore, extension: Extension) -> None:
    await keep_batch(store, "batch-1", ends="failed")
    assert (await ask.post("/api/batches/batch-1/replay")).status == 202
    again = await ask.post("/api/batches/batch-1/replay")
    assert (again.status, again.json()["type"]) == (409, "urn:drone-telemetry:problem:conflict")
    assert len(extension.started) == 1


async def test_many_are_replayed_failed_ones_unless_told_otherwise(
    ask: Client, store: SqliteStore, extension: Extension
) -> None:
    await keep_batch(store, "done", ends="completed")
    await keep_batch(store, "waits")
    for name in ("f1", "f2", "f3"):
        await keep_batch(store, name, ends="failed")
    first = await ask.post("/api/batches/replay", {"limit": 2.0})
    assert first.status == 202
    assert len(first.json()["replayed"]) == 2
    second = (await ask.post("/api/batches/replay")).json()
    assert {*first.json()["replayed"], *second["replayed"]} == {"f1", "f2", "f3"}
    third = (await ask.post("/api/batches/replay", {"status": "completed,received", "partition": "0"})).json()
    assert third["replayed"] == ["done"]
    assert set(third["skipped"]) == {"waits", "f1", "f2", "f3"}
    assert len(extension.started) == 4


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "lost"}, "status"),
        ({"status": ["failed"]}, "status"),
        ({"limit": 0}, "limit"),
        ({"limit": True}, "limit"),
        ({"limit": "5"}, "limit"),
        ({"limit": 2.5}, "limit"),
        ({"partition": {}}, "partition"),
        ({"from": 5}, "from"),
        ({"partion": "0"}, "partion"),
    ],
)
async def test_a_wrong_field_of_the_body_is_named(ask: Client, body: dict[str, object], field: str) -> None:
    answer = await ask.post("/api/batches/replay", body)
    problem = answer.json()
    assert (answer.status, problem["errors"][0]["field"]) == (400, field)
    assert field in problem["detail"]


@pytest.mark.parametrize("body", [b"[", b"[]", b'"failed"'])
async def test_a_body_that_is_no_object_is_400(ask: Client, body: bytes) -> None:
    assert (await ask.post("/api/batches/replay", body)).status == 400


async def test_a_body_that_is_not_json_is_415_and_one_too_large_413(ask: Client) -> None:
    assert (await ask.post("/api/batches/replay", b"status=failed", content_type="text/plain")).status == 415
    assert (await ask.post("/api/batches/replay", b" " * (1024 * 1024 + 1))).status == 413


@pytest.mark.parametrize("name", ["a%2Fb", "a%23", "a%3Fb", "..", "a%20b", "a%00", "x" * 101, "é"])
@pytest.mark.parametrize("route", ["batches", "deadletters"])
async def test_what_can_be_no_id_is_never_looked_up(
    ask: Client, store: SqliteStore, monkeypatch: pytest.MonkeyPatch, route: str, name: str
) -> None:
    async def looked_up(_: str) -> None:
        raise AssertionError("looked up")

    monkeypatch.setattr(store.ledger, "get", looked_up)
    monkeypatch.setattr(store.dead_letters, "get", looked_up)
    for answer in (await ask.get(f"/api/{route}/{name}"), await ask.post(f"/api/{route}/{name}/replay")):
        assert answer.status == 404
        assert len(answer.body) < 400
