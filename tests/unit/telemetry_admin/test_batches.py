"""`batches`: list, show, replay with what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.admin import Admin
from tests.support.service import Service

ACCEPTED = (202, {"id": "x"})
STORY = (("POST", "/replay"), ("GET", ""), ("GET", ""))  # started, looked at while it runs and when it has ended


def batch(name: str, status: str = "failed", **values: Any) -> dict[str, Any]:
    return {
        "id": name,
        "status": status,
        "stage": "store",
        "attempts": 1,
        "events": 2,
        "stored": None,
        "rejected": None,
        "receivedAt": "2026-01-02T03:04:05Z",
        "error": "disk full",
        **values,
    }


def listed(*batches: dict[str, Any], continuation: str | None = None) -> tuple[int, Any]:
    return 200, {"items": list(batches), "continuation": continuation}


def test_failed_batches_are_a_table(admin: Admin, service: Service) -> None:
    long = "telemetry~0~" + "9" * 70
    service.answers["GET /api/batches"] = listed(batch(long), batch("b2", error="x" * 200))
    result = admin("batches", "list", "--partition", "3", "--from", "2026-01-01T00:00:00Z")
    assert result.code == 0
    header, *_ = result.out.splitlines()
    assert header.split() == ["ID", "STATUS", "STAGE", "ATTEMPTS", "EVENTS", "STORED", "REJECTED", "RECEIVED", "ERROR"]
    row = next(line for line in result.out.splitlines() if line.startswith(long))
    assert row.split()[1:3] == ["failed", "store"]
    assert "–" in row
    assert "x" * 100 not in result.out
    _, query, _ = service.asked[0]
    assert query == {
        "status": ["failed"],
        "partition": ["3"],
        "from": ["2026-01-01T00:00:00Z"],
        "limit": ["1000"],
    }


def test_pages_are_followed_up_to_the_limit(admin: Admin, service: Service) -> None:
    service.answers["GET /api/batches"] = [listed(batch("b1"), batch("b2"), continuation="t"), listed(batch("b3"))]
    assert [b["id"] for b in admin("batches", "list", "--json", "--limit", "3").json()] == ["b1", "b2", "b3"]
    assert service.asked[1][1]["continuation"] == ["t"]
    assert service.asked[1][1]["limit"] == ["1"]


def test_nothing_there_is_said_in_words(admin: Admin, service: Service) -> None:
    service.answers["GET /api/batches"] = listed()
    assert admin("batches", "list", "--status", "any").out.strip() == "no such batches"
    assert "status" not in service.asked[0][1]


def test_one_batch_is_shown_whole(admin: Admin, service: Service) -> None:
    service.answers["GET /api/batches/a~1"] = (200, batch("a~1", error="line one\nline \x1b[31mtwo"))
    result = admin("batches", "show", "a~1")
    assert "disk" not in result.out
    assert r"line one\nline \x1b[31mtwo" in result.out


def test_one_is_replayed_and_waited_for(admin: Admin, service: Service) -> None:
    service.answers["POST /api/batches/b1/replay"] = ACCEPTED
    service.answers["GET /api/batches/b1"] = [(200, batch("b1", "running")), (200, batch("b1", "completed"))]
    result = admin("batches", "replay", "b1")
    assert (result.code, result.out.strip()) == (0, "1 started, 0 refused: 1 completed, 0 failed")
    assert service.paths() == ["POST /api/batches/b1/replay", "GET /api/batches/b1", "GET /api/batches/b1"]


def test_all_that_failed_are_replayed_once(admin: Admin, service: Service) -> None:
    service.answers["GET /api/batches"] = listed(batch("b1"), batch("b2"), batch("b3"))
    for name, end in (("b1", "completed"), ("b2", "failed")):
        service.answers[f"POST /api/batches/{name}/replay"] = ACCEPTED
        service.answers[f"GET /api/batches/{name}"] = (200, batch(name, end))
    service.answers["POST /api/batches/b3/replay"] = (409, {"title": "The state", "detail": "batch b3 is running"})
    result = admin("batches", "replay", "--all", "--json")
    assert result.code == 1
    assert {name: sorted(ids) for name, ids in result.json().items()} == {
        "started": ["b1", "b2"],
        "refused": ["b3"],
        "completed": ["b1"],
        "failed": ["b2"],
        "unfinished": [],
    }
    assert sum(path.startswith("POST") for path in service.paths()) == 3


def test_what_is_refused_and_what_fails_again_is_told(admin: Admin, service: Service) -> None:
    service.answers["POST /api/batches/b1/replay"] = ACCEPTED
    service.answers["GET /api/batches/b1"] = (200, batch("b1", "failed"))
    result = admin("batches", "replay", "b1", "nothing")
    assert result.code == 1
    assert "nothing: 404 Not found: there is no such thing" in result.err
    assert "b1: failed again" in result.err
    assert result.out.strip() == "1 started, 1 refused: 0 completed, 1 failed"


def test_waiting_has_an_end(admin: Admin, service: Service) -> None:
    service.answers["POST /api/batches/b1/replay"] = ACCEPTED
    service.answers["GET /api/batches/b1"] = (200, batch("b1", "running"))
    result = admin("batches", "replay", "b1", "--timeout", "0.05")
    assert (result.code, result.out.strip()) == (1, "1 started, 0 refused: 0 completed, 0 failed, 1 unfinished")


def test_a_wave_has_ended_before_the_next_begins(
    admin: Admin, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry_admin.batches.WAVE", 1)
    for name in ("b1", "b2"):
        service.answers[f"POST /api/batches/{name}/replay"] = ACCEPTED
        service.answers[f"GET /api/batches/{name}"] = [(200, batch(name, "running")), (200, batch(name, "completed"))]
    assert admin("batches", "replay", "b1", "b2").code == 0
    one_by_one = [f"{verb} /api/batches/{name}{end}" for name in ("b1", "b2") for verb, end in STORY]
    assert service.paths() == one_by_one


def test_a_batch_that_takes_long_is_looked_at_less_and_less_often(
    admin: Admin, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("telemetry_admin.batches.time.sleep", pauses.append)
    service.answers["POST /api/batches/b1/replay"] = ACCEPTED
    running = [(200, batch("b1", "running"))] * 15
    service.answers["GET /api/batches/b1"] = [*running, (200, batch("b1", "completed"))]
    assert admin("batches", "replay", "b1").code == 0
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1] == 0.5


def test_nobody_has_to_wait(admin: Admin, service: Service) -> None:
    service.answers["POST /api/batches/b1/replay"] = ACCEPTED
    result = admin("batches", "replay", "b1", "--no-wait")
    assert (result.code, result.out.strip()) == (0, "1 started, 0 refused")
    assert service.paths() == ["POST /api/batches/b1/replay"]
