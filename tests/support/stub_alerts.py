"""Alerts as the API answers them, for the stand-in of the API."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

Json = dict[str, Any]


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def alert(number: int, code: str = "low_battery", value: Any = 0.12, ago: float = 60.0, **more: Any) -> Json:
    """Of ``drone-<number>``, raised ``ago`` seconds ago, active and not acknowledged unless told otherwise."""
    raised = time.time() - ago
    return {
        "id": f"drone-{number}~{code}~{int(raised * 1000)}",
        "deviceId": f"drone-{number}",
        "code": code,
        "status": "active",
        "raisedAt": stamp(raised),
        "clearedAt": None,
        "acknowledgedAt": None,
        "acknowledgedBy": None,
        "note": None,
        "escalatedAt": None,
        "value": value,
        "position": {"latitude": 47.476, "longitude": -122.192, "altitude": 80.0},
        "flightId": f"drone-{number}~flight",
        "undelivered": [],
        "instanceId": f"~alert~drone-{number}~{code}~{int(raised * 1000)}",
        "statusQueryGetUri": f"/runtime/webhooks/durabletask/instances/alert-{number}",
        **more,
    }


@dataclass
class Alerts:
    items: list[Json] = field(default_factory=list)
    by: str | None = None  # who acknowledges

    def listed(self, query: dict[str, str]) -> list[Json]:
        found = sorted(self.items, key=lambda one: str(one["raisedAt"]), reverse=True)
        for name in ("status", "code", "deviceId"):
            if name in query:
                found = [one for one in found if one[name] == query[name]]
        if "acknowledged" in query:
            taken = query["acknowledged"] == "true"
            found = [one for one in found if (one["acknowledgedAt"] is not None) == taken]
        return found[: int(query.get("limit", "100"))]

    def get(self, alert_id: str) -> Json | None:
        return next((one for one in self.items if one["id"] == alert_id), None)

    def change(self, alert_id: str, action: str, body: Json) -> Json | None:
        known = self.get(alert_id)
        if known is not None and action == "acknowledge" and known["acknowledgedAt"] is None:
            known |= {"acknowledgedAt": stamp(time.time()), "acknowledgedBy": self.by, "note": body["note"]}
        if known is not None and action == "notify":
            known["undelivered"] = []
        return known
