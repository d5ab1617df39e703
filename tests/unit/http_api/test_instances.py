"""Orchestrations over HTTP: found newest first, shown with their history, and steered."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from durable_sdk.instances import MOST_EVENTS
from http_api import instance_search
from storage.sqlite import SqliteStore
from tests.support.extension import Extension
from tests.support.http_client import Client
from tests.support.states import keep_batch

HOUR = "2026-01-01T10:"
FINISHED = {"name": "night_watch", "output": {"done": True}, "customStatus": {"stage": "over"}}


@pytest.fixture
def some(extension: Extension) -> Extension:
    """Of three hours and every kind, in an order of ids that is not that of their times."""
    extension.orchestration("telemetry~0~1~2~x~1", "2026-01-01T10:00:05Z")
    extension.orchestration("telemetry~1~1~2~x~1", "2026-01-01T08:00:00Z", "Failed", output="it broke \n {a stack}")
    extension.orchestration("alert-1", "2026-01-01T09:00:00Z", "Running", **FINISHED)
    extension.orchestration("zebra", "2026-01-01T10:00:05Z", "Suspended", output="because")
    extension.orchestration("@drone@drone-1", "2026-01-01T10:00:00Z", "Running", name="@drone@drone-1")
    return extension


async def ids(ask: Client, query: str = "") -> list[str]:
    answer = await ask.get(f"/api/instances?{query}")
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.json()["items"]]


async def test_all_are_listed_newest_first_and_no_entity(ask: Client, some: Extension) -> None:
    assert await ids(ask) == ["zebra", "telemetry~0~1~2~x~1", "alert-1", "telemetry~1~1~2~x~1"]


async def test_filters_are_the_engines_and_ours(ask: Client, some: Extension) -> None:
    assert await ids(ask, "status=Failed,Suspended") == ["zebra", "telemetry~1~1~2~x~1"]
    assert await ids(ask, "name=NIGHT_watch") == ["alert-1"]
    assert await ids(ask, "idPrefix=telemetry~1") == ["telemetry~1~1~2~x~1"]
    assert await ids(ask, "from=2026-01-01T08:00:01Z&to=2026-01-01T10:00:05Z") == ["alert-1"]
    assert await ids(ask, "from=2026-01-01T09:00:00Z&to=2026-01-01T10:00:05.5Z&status=Running") == ["alert-1"]


async def test_pages_go_on_where_the_last_one_ended(ask: Client, extension: Extension) -> None:
    for number in range(30):
        extension.orchestration(f"one-{number:02d}", f"2026-01-01T{number // 4:02d}:00:00Z")
    found: list[str] = []
    token, pages = "", 0
    while token is not None:
        page = (await ask.get(f"/api/instances?limit=7{token and '&continuation=' + quote(token)}")).json()
        found += [one["id"] for one in page["items"]]
        token, pages = page["continuation"], pages + 1
    assert found == [f"one-{number:02d}" for number in reversed(range(30))]
    assert pages == 5


async def test_a_time_with_very_many_is_cut_until_it_can_be_read(
    ask: Client, extension: Extension, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance_search, "MOST", 10)
    monkeypatch.setattr("durable_sdk.v1.instances.PAGE", 5)
    for number in range(59):
        extension.orchestration(f"one-{number:02d}", f"2026-01-01T10:00:{number:02d}Z")
    assert await ids(ask, "to=2026-01-01T10:01:00Z&limit=3") == ["one-58", "one-57", "one-56"]
    assert len(await ids(ask, "limit=1000")) == 59


async def test_a_token_of_another_query_or_of_nobody_is_refused(ask: Client, some: Extension) -> None:
    token = (await ask.get("/api/instances?limit=1")).json()["continuation"]
    for wrong in (f"status=Failed&continuation={token}", "continuation=abc"):
        answer = await ask.get(f"/api/instances?{wrong}")
        assert (answer.status, answer.json()["errors"][0]["parameter"]) == (400, "continuation")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("status=Broken", "status"),
        ("idPrefix=@drone", "idPrefix"),
        ("idPrefix=a/b", "idPrefix"),
        ("from=yesterday", "from"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
    ],
)
async def test_a_wrong_parameter_is_named(ask: Client, some: Extension, query: str, name: str) -> None:
    answer = await ask.get(f"/api/instances?{query}")
    assert (answer.status, answer.json()["errors"][0]["parameter"]) == (400, name)


async def test_one_is_shown_with_its_history_and_without_the_key(ask: Client, some: Extension) -> None:
    event = {"EventType": "TaskCompleted", "FunctionName": "validate_batch", "Result": {"accepted": 2}}
    some.instances["telemetry~0~1~2~x~1"] |= {"historyEvents": [event], "input": {"batchId": "x"}}
    answer = await ask.get("/api/instances/telemetry~0~1~2~x~1")
    assert answer.json() == {
        "id": "telemetry~0~1~2~x~1",
        "name": "process_batch",
        "status": "Completed",
        "createdAt": "2026-01-01T10:00:05.000000Z",
        "updatedAt": "2026-01-01T10:00:05.000000Z",
        "customStatus": None,
        "error": None,
        "batchId": "telemetry~0~1~2~x",
        "input": {"batchId": "x"},
        "output": None,
        "history": [event],
        "historyLeftOut": 0,
        "statusQueryGetUri": "http://localhost:7071/runtime/webhooks/durabletask/instances/telemetry~0~1~2~x~1"
        "?taskHub=Hub&connection=Storage",
    }
    assert b"TASKHUBSECRET" not in answer.body


async def test_a_failed_one_says_why_without_the_stack(ask: Client, some: Extension) -> None:
    (failed,) = (await ask.get("/api/instances?status=Failed")).json()["items"]
    assert failed["error"] == "it broke"


async def test_a_very_long_history_is_cut_to_its_end(ask: Client, some: Extension) -> None:
    some.instances["zebra"]["historyEvents"] = [{"EventType": "EventRaised", "n": n} for n in range(MOST_EVENTS + 3)]
    found = (await ask.get("/api/instances/zebra")).json()
    assert (found["historyLeftOut"], found["history"][0]["n"], len(found["history"])) == (3, 3, MOST_EVENTS)


async def test_it_is_suspended_resumed_and_terminated_with_a_reason(ask: Client, some: Extension) -> None:
    for operation, status in (("suspend", "Suspended"), ("resume", "Running"), ("terminate", "Terminated")):
        answer = await ask.post(f"/api/instances/alert-1/{operation}", {"reason": f"to {operation}"})
        assert (answer.status, answer.json()) == (202, {"id": "alert-1"})
        assert (some.instances["alert-1"]["runtimeStatus"], some.instances["alert-1"]["output"]) == (
            status,
            f"to {operation}",
        )
    await ask.post("/api/instances/zebra/resume")
    assert some.instances["zebra"]["output"] == "no reason given"


async def test_what_its_status_does_not_allow_is_a_conflict_that_says_so(ask: Client, some: Extension) -> None:
    cases = [
        ("POST", "/api/instances/telemetry~0~1~2~x~1/terminate", "Completed"),
        ("POST", "/api/instances/zebra/suspend", "Suspended"),
        ("POST", "/api/instances/alert-1/resume", "Running"),
        ("POST", "/api/instances/alert-1/restart", "Running"),
        ("DELETE", "/api/instances/alert-1", "Running"),
    ]
    before = {key: one["runtimeStatus"] for key, one in some.instances.items()}
    for method, url, status in cases:
        answer = await ask(method, url)
        assert answer.status == 409, url
        assert f"is {status}" in answer.json()["detail"]
    assert {key: one["runtimeStatus"] for key, one in some.instances.items()} == before


async def test_an_ended_one_is_started_anew_and_purged(ask: Client, some: Extension) -> None:
    answer = await ask.post("/api/instances/telemetry~1~1~2~x~1/restart")
    assert (answer.status, answer.json()) == (202, {"id": "new"})
    assert (await ask("DELETE", "/api/instances/telemetry~1~1~2~x~1")).status == 204
    assert (await ask("DELETE", "/api/instances/telemetry~1~1~2~x~1")).status == 404


async def test_what_is_known_by_its_id_is_not_started_under_another(ask: Client, extension: Extension) -> None:
    for name in ("alert_monitor", "Alert_Episode", "alert_delivery"):
        extension.orchestration("~alerts", "2026-01-01T10:00:05Z", "Terminated", name=name)
        answer = await ask.post("/api/instances/~alerts/restart")
        assert (answer.status, "known by its id" in answer.json()["detail"]) == (409, True)


@pytest.mark.parametrize("instance", ["@drone@drone-1", "nobody", "a%2fb", "%00"])
async def test_an_entity_or_what_can_be_no_id_is_not_there(ask: Client, some: Extension, instance: str) -> None:
    asked: list[tuple[str, str, Any]] = [
        ("GET", f"/api/instances/{instance}", None),
        ("DELETE", f"/api/instances/{instance}", None),
        *(("POST", f"/api/instances/{instance}/{word}", {}) for word in ("suspend", "resume", "terminate", "restart")),
    ]
    for method, url, body in asked:
        assert (await ask(method, url, body)).status == 404, (method, url)
    assert "@drone@drone-1" in some.instances


async def test_a_reason_too_long_is_named(ask: Client, some: Extension) -> None:
    answer = await ask.post("/api/instances/alert-1/terminate", {"reason": "x" * 501})
    assert (answer.status, answer.json()["errors"][0]["field"]) == (400, "reason")
    assert some.instances["alert-1"]["runtimeStatus"] == "Running"


async def test_each_attempt_at_a_batch_shows_its_orchestration(
    ask: Client, extension: Extension, store: SqliteStore
) -> None:
    await keep_batch(store, "batch-1", ends="failed")
    extension.orchestration("batch-1~1", "2026-01-01T10:00:05Z", "Failed", historyEvents=[{"EventType": "TaskFailed"}])
    batch = await store.ledger.get("batch-1")
    assert batch is not None
    await store.ledger.open_attempt("batch-1", batch, "batch-1~2", batch.updated_at, swept=False)
    assert (await ask.get("/api/batches/batch-1/instance")).json() == {
        "attempt": 2,
        "instanceId": "batch-1~2",
        "instance": None,
    }
    first = (await ask.get("/api/batches/batch-1/instance?attempt=1")).json()
    assert (first["attempt"], first["instanceId"], first["instance"]["status"]) == (1, "batch-1~1", "Failed")
    assert first["instance"]["history"] == [{"EventType": "TaskFailed"}]
    for wrong in ("3", "0", "x"):
        answer = await ask.get(f"/api/batches/batch-1/instance?attempt={wrong}")
        assert (answer.status, answer.json()["errors"][0]["parameter"]) == (400, "attempt")
    assert (await ask.get("/api/batches/nothing/instance")).status == 404
