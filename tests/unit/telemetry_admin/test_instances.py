"""`instances`: orchestrations in an operator's words."""

from __future__ import annotations

from typing import Any

import pytest

from telemetry_admin.cli import main
from tests.support.admin import Admin
from tests.support.service import Service

CONFLICT = (409, {"title": "The state does not allow it", "detail": "it has ended"})


def instance(name: str, **values: Any) -> dict[str, Any]:
    return {
        "id": name,
        "name": "process_batch",
        "status": "Running",
        "createdAt": "2026-01-02T03:04:05Z",
        "updatedAt": "2026-01-02T03:04:06Z",
        "customStatus": {"stage": "store"},
        "error": None,
        "batchId": "b1",
        **values,
    }


def listed(*names: str) -> tuple[int, Any]:
    return 200, {"items": [instance(name) for name in names], "continuation": None}


def test_instances_are_a_table(admin: Admin, service: Service) -> None:
    service.answers["GET /api/instances"] = listed("i1")
    which = ("--status", "running,failed", "--prefix", "i", "--name", "process_batch")
    result = admin("instances", "list", *which, "--to", "2026-02-01T00:00:00Z")
    (row,) = result.out.splitlines()[2:]
    assert row.split()[:5] == ["i1", "process_batch", "Running", "2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"]
    assert '{"stage": "store"}' in row
    assert service.asked[0][1] == {
        "status": ["Running,Failed"],
        "idPrefix": ["i"],
        "name": ["process_batch"],
        "to": ["2026-02-01T00:00:00Z"],
        "limit": ["1000"],
    }


def test_a_history_is_shown_step_by_step(admin: Admin, service: Service) -> None:
    step = {
        "EventType": "TaskCompleted",
        "FunctionName": "validate",
        "ScheduledTime": "2026-01-02T03:04:05.0000000+00:00",
        "Timestamp": "2026-01-02T03:04:05.2500000Z",
        "Result": '{"valid": 3}',
    }
    service.answers["GET /api/instances/i1"] = (200, instance("i1", history=[step], historyLeftOut=0))
    result = admin("instances", "show", "i1", "--history")
    (row,) = (line for line in result.out.splitlines() if "TaskCompleted" in line)
    assert "0.250 s" in row
    assert '{"valid": 3}' in row
    assert "TaskCompleted" not in admin("instances", "show", "i1").out


def test_they_are_suspended_resumed_and_terminated(admin: Admin, service: Service) -> None:
    for verb, done in (("suspend", "suspended"), ("resume", "resumed"), ("terminate", "terminated")):
        service.answers[f"POST /api/instances/i1/{verb}"] = (202, {"id": "i1"})
        service.answers[f"POST /api/instances/i2/{verb}"] = CONFLICT
        result = admin("instances", verb, "i1", "i2", "i3", "--reason", "a test")
        assert (result.code, result.out.strip()) == (1, f"1 {done}, 2 refused")
        assert "i2: 409 The state does not allow it: it has ended" in result.err
        assert "i3: 404 Not found" in result.err
        assert service.asked[-1][2] == {"reason": "a test"}


def test_one_is_restarted(admin: Admin, service: Service) -> None:
    service.answers["POST /api/instances/i1/restart"] = (202, {"id": "new"})
    assert admin("instances", "restart", "i1").out.strip() == "started as new"


def test_only_what_has_ended_is_purged(admin: Admin, service: Service) -> None:
    service.answers["GET /api/instances"] = listed("i1", "i2")
    service.answers["DELETE /api/instances/i1"] = (204, b"")
    service.answers["DELETE /api/instances/i2"] = CONFLICT
    result = admin("instances", "purge", "--all", "--to", "2026-01-02T00:00:00Z")
    assert (result.code, result.out.strip()) == (1, "1 purged, 1 refused")
    assert service.asked[0][1] == {
        "status": ["Completed,Failed,Terminated,Canceled"],
        "to": ["2026-01-02T00:00:00Z"],
        "limit": ["1000"],
    }
    assert admin("instances", "purge", "i1", "--json").json() == {"purged": ["i1"], "refused": {}}


def test_a_missing_role_ends_it(admin: Admin, service: Service) -> None:
    service.answers["POST /api/instances/i1/terminate"] = (403, {"title": "A role is missing", "detail": "Operate"})
    result = admin("instances", "terminate", "i1")
    assert result.code == 1
    assert "lacks the role" in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("purge",),
        ("purge", "i1", "--all"),
        ("purge", "--all", "--status", "running"),
        ("list", "--status", "finished"),
        ("list", "--from", "yesterday"),
        ("list", "--watch", "0"),
    ],
)
def test_what_is_wrong_is_named(
    service: Service, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["instances", *arguments, "--url", service.url])
    assert ended.value.code == 2
    assert service.asked == []
    assert "--" in capsys.readouterr().err.splitlines()[-1]
