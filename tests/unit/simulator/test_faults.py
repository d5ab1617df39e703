from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from simulator.drone import Drone
from simulator.faults import Faults, InvalidFaults, corrupted
from simulator.formats import FORMATS
from simulator.frames import message
from telemetry.rules import Rules
from telemetry.validation import validate_batch
from tests.support.messages import NOW, delivery

LENIENT = replace(
    Rules(), future_tolerance_seconds=1e12, altitude_minimum=-1e9, altitude_maximum=1e9, altitude_limit=1e9
)


@pytest.mark.parametrize("kind", ["json", "protobuf"])
def test_a_corrupted_message_is_one_rejected_message_under_any_settings(kind: str) -> None:
    random = Random(1)
    codes = set()
    drone = Drone(1, 1)
    for turn in range(1000):
        drone.advance(1.0)
        body = corrupted(message("drone-1", 1_772_366_400_000 + turn, drone.sample(), True), kind, turn, random)
        for content_type in (FORMATS[kind].content_type, None):
            result = validate_batch([delivery(body, content_type=content_type)], LENIENT, "batch-1", NOW)
            assert not result.messages, body
            (letter,) = result.dead_letters
            codes |= {error["code"] for error in letter["errors"]}
    assert {"battery_out_of_range", "latitude_out_of_range", "missing_device_id", "invalid_device_id"} <= codes
    expected = {"malformed_json", "wrong_type", "invalid_timestamp", "unknown_flight_mode"}
    assert codes >= (expected if kind == "json" else {"malformed_protobuf"})


def test_the_message_itself_is_left_alone() -> None:
    fields = message("drone-1", 0, Drone(1, 1).sample(), True)
    before = {**fields}
    for _ in range(50):
        corrupted(fields, "json", 0, Random())
    assert fields == before


def test_faults_are_read() -> None:
    assert Faults.parse("duplicates=0.01, reorder=0.05,corrupt=1") == Faults(duplicates=0.01, reorder=0.05, corrupt=1)
    assert Faults.parse("") == Faults()
    assert not Faults.parse("late=0").any
    assert Faults.parse("late=0.1").any


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("fire=0.1", "'fire' is no fault.*duplicates"),
        ("corrupt", "corrupt needs a chance"),
        ("corrupt=often", "'often'"),
        ("corrupt=1.5", "corrupt must be from 0 to 1"),
        ("corrupt=-0.1", "corrupt must be from 0 to 1"),
        ("corrupt=nan", "corrupt must be from 0 to 1"),
        ("corrupt=0.1,corrupt=0.2", "corrupt is given twice"),
    ],
)
def test_a_wrong_fault_is_named(text: str, named: str) -> None:
    with pytest.raises(InvalidFaults, match=named):
        Faults.parse(text)
