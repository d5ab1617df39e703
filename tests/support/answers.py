"""What the API answers, for tests that stand in for it."""

from __future__ import annotations

from typing import Any

STATS = {
    "events": 3,
    "messages": 3,
    "stored": 2,
    "duplicates": 0,
    "rejected": 1,
    "batches": {"received": 0, "running": 1, "completed": 2, "failed": 4},
    "deadLetters": {"open": 1, "replayed": 0, "discarded": 0},
    "deadLetterCodes": {"battery_out_of_range": 1},
    "drones": 5,
    "oldestUnfinishedAt": "2026-01-02T03:04:05Z",
}


def flight(name: str, **values: Any) -> dict[str, Any]:
    return {
        "id": name,
        "deviceId": "d1",
        "startedAt": "2026-01-02T03:04:05Z",
        "endedAt": None,
        "status": "ongoing",
        "durationSeconds": 3723.4,
        "distanceMetres": 12345.6,
        "maxHeight": 79.6,
        "maxAltitude": None,
        "maxGroundSpeed": None,
        "batteryStart": 0.954,
        "batteryEnd": None,
        "takeoff": None,
        "landing": None,
        "messages": 7,
        "alerts": ["low_battery", "no_fly_zone"],
        "mission": None,
        **values,
    }
