"""Other people's JSON formats against the native one, per message: from an event's bytes to an accepted message."""

from __future__ import annotations

import time
from typing import Any

import orjson

from benchmarks.batches import deliveries
from benchmarks.report import Row
from telemetry.model import Delivery, EventContext
from telemetry.rules import Rules
from telemetry.validation import validate_batch
from tests.support.other_formats import DJI_OSD, MAVLINK_POSITION, RID_STATE, TOPIC, cloud_event

MESSAGES = 1_000
ENQUEUED = "2026-03-01T12:00:10.000000Z"


def measure(*, quick: bool) -> list[Row]:
    by_key = Rules(device_id_source="partition_key")
    known = {**RID_STATE, "track": 100.5, "speed": 4.5, "vertical_speed": 1.0}
    named: EventContext = {"partitionKey": "falcon-1"}
    topic: EventContext = {**named, "properties": {"topic": TOPIC}}
    native = orjson.loads(deliveries(1, 1)[0].body)
    cases = {
        "native": _deliveries(native, named),
        "DJI Cloud API": _deliveries(DJI_OSD, topic),
        "MAVLink": _deliveries(MAVLINK_POSITION, named),
        "F3411": _deliveries(known, named),
        "CloudEvents around native": _deliveries(cloud_event(native), named),
    }
    best = dict.fromkeys(cases, float("inf"))
    # In turns, and the best of each: what else runs on the machine slows some turns of all.
    for _ in range(10 if quick else 40):
        for name, events in cases.items():
            rules = by_key if name == "F3411" else Rules()
            started = time.process_time()
            result = validate_batch(events, rules, "batch", ENQUEUED)
            best[name] = min(best[name], time.process_time() - started)
            assert len(result.messages) == MESSAGES
    base = best["native"]
    return [
        Row("formats", "native, a message", 1e6 * base / MESSAGES, "µs"),
        *(
            Row("formats", f"{name} against native, a message", took / base, "x", 2, at_least=False)
            for name, took in best.items()
            if name != "native"
        ),
    ]


def _deliveries(message: Any, context: EventContext) -> list[Delivery]:
    body = orjson.dumps(message)
    return [Delivery("hub", "0", n, str(n), ENQUEUED, body, None, None, context) for n in range(MESSAGES)]
