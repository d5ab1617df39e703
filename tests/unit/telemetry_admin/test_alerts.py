"""`alerts`: list, show, acknowledge, notify."""

from __future__ import annotations

from typing import Any

from tests.support.admin import Admin
from tests.support.service import Service


def alert(name: str, **values: Any) -> dict[str, Any]:
    return {
        "id": name,
        "deviceId": "d1",
        "code": "low_battery",
        "status": "active",
        "raisedAt": "2026-01-02T03:04:05Z",
        "clearedAt": None,
        "acknowledgedAt": None,
        "acknowledgedBy": None,
        "note": None,
        "escalatedAt": None,
        "value": 0.15,
        "position": None,
        "flightId": None,
        "instanceId": "i",
        "statusQueryGetUri": "u",
        "undelivered": [],
        **values,
    }


def test_active_ones_are_a_table(admin: Admin, service: Service) -> None:
    seen = alert("a2", acknowledgedAt="2026-01-02T03:05:00Z", acknowledgedBy="me", undelivered=["drone.alert.raised"])
    service.answers["GET /api/alerts"] = (200, {"items": [alert("a1"), seen], "continuation": None})
    result = admin("alerts", "list", "--unacknowledged", "--kind", "low_battery", "--device", "d1")
    rows = {line.split()[0]: line for line in result.out.splitlines()[2:]}
    assert rows["a1"].split() == ["a1", "d1", "low_battery", "active", "2026-01-02T03:04:05Z", "–", "–", "0.15"]
    assert "2026-01-02T03:05:00Z by me" in rows["a2"]
    assert "drone.alert.raised" in rows["a2"]
    assert service.asked[0][1] == {
        "status": ["active"],
        "acknowledged": ["false"],
        "code": ["low_battery"],
        "deviceId": ["d1"],
        "limit": ["1000"],
    }
    admin("alerts", "list", "--status", "any", "--acknowledged", "--from", "2026-01-01T00:00:00Z")
    assert service.asked[1][1] == {"acknowledged": ["true"], "from": ["2026-01-01T00:00:00Z"], "limit": ["1000"]}


def test_one_alert(admin: Admin, service: Service) -> None:
    service.answers["GET /api/alerts/a1"] = (200, alert("a1"))
    assert admin("alerts", "show", "a1", "--json").json() == alert("a1")


def test_some_are_acknowledged_with_a_note(admin: Admin, service: Service) -> None:
    service.answers["POST /api/alerts/a1/acknowledge"] = (200, alert("a1"))
    result = admin("alerts", "acknowledge", "a1", "nothing", "--note", "on my way")
    assert (result.code, result.out.strip()) == (1, "1 acknowledged, 1 refused")
    assert "nothing: 404 Not found: there is no such thing" in result.err
    assert service.asked[0][2] == {"note": "on my way"}


def test_a_missing_role_is_told_once(admin: Admin, service: Service) -> None:
    for name in ("a1", "a2"):
        service.answers[f"POST /api/alerts/{name}/acknowledge"] = (403, {"title": "No", "detail": "the role Operate"})
    result = admin("alerts", "acknowledge", "a1", "a2")
    assert result.code == 1
    assert "the role Operate (whoever is signed in lacks the role" in result.err
    assert len(service.asked) == 1


def test_notices_are_sent_again(admin: Admin, service: Service) -> None:
    service.answers["POST /api/alerts/a1/notify"] = (202, alert("a1"))
    assert admin("alerts", "notify", "a1", "--json").json() == {"alerts": [alert("a1")], "refused": {}}
