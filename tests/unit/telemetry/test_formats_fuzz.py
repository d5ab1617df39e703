"""Mutated messages of every format: rejected or read, never an exception, never another drone's id."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from telemetry.model import Delivery, EventContext
from telemetry.rules import Rules
from telemetry.validation import validate_batch, validate_dead_letter
from tests.support.other_formats import (
    DJI_OSD,
    MAVLINK_HEARTBEAT,
    MAVLINK_POSITION,
    MAVLINK_STATUS,
    RID_STATE,
    TOPIC,
    cloud_event,
)

ENQUEUED = "2026-01-01T00:00:10.000000Z"
_STRANGE: list[Any] = [
    *(None, True, False, 0, -1, 1, 7, 255, 361, 65535, 2**31, 2**63, -(2**63), 1e308, -1e308, 1.5, -0.0),
    *("", "x", "7", "MAV_TYPE_GCS", "|", "\u0000", "2026", "é" * 50),
    *([], {}, [1], [[]], {"type": 3}, {"type": "x"}, {"bits": None}, {"bits": "x"}, {"value": []}, {"": {}}),
]
CASES: list[tuple[str, Any, EventContext | None, Rules, set[str]]] = [
    ("dji", DJI_OSD, {"properties": {"topic": TOPIC}}, Rules(), {"1581F5FJD228400B"}),
    ("position", MAVLINK_POSITION, None, Rules(), {"mav-7"}),
    ("status", MAVLINK_STATUS, None, Rules(), {"mav-7"}),
    ("heartbeat", MAVLINK_HEARTBEAT, None, Rules(), {"mav-7"}),
    ("f3411", RID_STATE, {"partitionKey": "falcon-1"}, Rules(device_id_source="partition_key"), {"falcon-1"}),
    ("cloud event", cloud_event(DJI_OSD, TOPIC), None, Rules(), {"1581F5FJD228400B"}),
    ("cloud event of another", cloud_event(MAVLINK_POSITION), None, Rules(), {"mav-7"}),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        return found + [p for name, part in value.items() for p in places(part, (*path, name))]
    if isinstance(value, list):
        return found + [p for index, part in enumerate(value) for p in places(part, (*path, index))]
    return found


def mutated(value: Any, rng: random.Random) -> Any:
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        possible = places(value)
        if not possible:
            break
        *way, last = rng.choice(possible)
        inside = value
        for step in way:
            inside = inside[step]
        action = rng.randrange(4)
        if action == 0:
            del inside[last]
        elif action == 1 and isinstance(inside, dict):
            inside[rng.choice(("type", "data", "specversion", "data_base64", "deviceid", "x"))] = rng.choice(_STRANGE)
        else:
            inside[last] = rng.choice(_STRANGE)
    return value


def own_words(value: Any) -> set[str]:
    """The names that a mutated message gives itself."""
    inside = value.get("data") if isinstance(value.get("data"), dict) else {}
    headers = [h for h in (value.get("header"), inside.get("header")) if isinstance(h, dict)]
    subject = str(value.get("subject", "")).split("/")[2:3]
    return {f"mav-{header.get('system_id')}" for header in headers} | set(subject)


@pytest.mark.parametrize(("name", "value", "context", "rules", "devices"), CASES, ids=[case[0] for case in CASES])
def test_mutated(name: str, value: Any, context: EventContext | None, rules: Rules, devices: set[str]) -> None:
    rng = random.Random(name)
    for _ in range(1500):
        changed = mutated(value, rng)
        body = json.dumps(changed).encode()
        delivery = Delivery("hub", "0", 7, "0", ENQUEUED, body, None, None, context)
        result = validate_batch([delivery], rules, "batch", ENQUEUED)
        for message in result.messages:
            assert message["deviceId"] in {*devices, *own_words(changed)}, changed
        for letter in result.dead_letters:
            again, errors = validate_dead_letter(letter, rules)
            assert again == [], changed
            assert {e["code"] for e in errors} == {e["code"] for e in letter["errors"]}, changed


@pytest.mark.parametrize(("name", "value", "context", "rules", "devices"), CASES, ids=[case[0] for case in CASES])
def test_damaged_bytes(name: str, value: Any, context: EventContext | None, rules: Rules, devices: set[str]) -> None:
    rng = random.Random(name)
    body = json.dumps(value).encode()
    for _ in range(500):
        damaged = bytearray(body)
        for _ in range(rng.randrange(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        cut = bytes(damaged[: rng.randrange(len(damaged) + 1)]) if rng.random() < 0.3 else bytes(damaged)
        delivery = Delivery("hub", "0", 7, "0", ENQUEUED, cut, None, None, context)
        result = validate_batch([delivery], rules, "batch", ENQUEUED)
        assert len(result.messages) + result.rejected <= 1
