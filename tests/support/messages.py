"""Deliveries and messages for the tests, with everything that a test does not care about filled in."""

from __future__ import annotations

import json
from typing import Any

from telemetry.model import Delivery, Error, Message
from telemetry.rules import Rules
from telemetry.validation import Validated, validate_batch

ENQUEUED_AT = "2026-03-01T12:00:00.500000Z"
NOW = "2026-03-01T12:00:01.000000Z"
RULES = Rules()
FULL: dict[str, Any] = {
    "deviceId": "drone-7",
    "timestamp": "2026-03-01T12:00:00.250Z",
    "battery": 0.75,
    "flightMode": "inflight",
    "position": {"latitude": 47.476075, "longitude": -122.192026, "altitude": 80.5},
    "health": {"gyrometer": True, "accelerometer": True, "magnetometer": False},
    "groundSpeed": 12.5,
    "heading": 271.0,
    "keyFrame": True,
}


def delivery(body: Any, **changes: Any) -> Delivery:
    """A delivery of these bytes, or of this value as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {
        "hub": "telemetry",
        "partition": "1",
        "sequence_number": 42,
        "offset": "4200",
        "enqueued_at": ENQUEUED_AT,
        "body": raw,
        **changes,
    }
    return Delivery(**given)


def validate(*bodies: Any, rules: Rules = RULES, **changes: Any) -> Validated:
    return validate_batch([delivery(body, **changes) for body in bodies], rules, "batch-1", NOW)


def accept(body: Any, **changes: Any) -> Message:
    """The one message of an event that must be accepted."""
    result = validate(body, **changes)
    assert not result.dead_letters, result.dead_letters[0]["errors"]
    (message,) = result.messages
    return message


def reject(body: Any, rules: Rules = RULES, **changes: Any) -> list[Error]:
    """The reasons of an event that must be rejected as one."""
    result = validate(body, rules=rules, **changes)
    assert not result.messages
    (letter,) = result.dead_letters
    errors: list[Error] = letter["errors"]
    return errors


def codes(errors: list[Error]) -> list[tuple[str, str | None]]:
    return [(error["code"], error["field"]) for error in errors]
