"""Each rule of a message: what is accepted, what is rejected with which code and field, what is flagged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.messages import FULL, RULES, accept, codes, reject

MISSING = object()


def message(**fields: Any) -> dict[str, Any]:
    return {"deviceId": "drone-7", **fields}


def test_a_full_message() -> None:
    accepted: Any = accept(FULL)
    assert {key: accepted[key] for key in FULL if key != "timestamp"} == {
        key: value for key, value in FULL.items() if key != "timestamp"
    }
    assert accepted["flightModeNumber"] == 3
    assert accepted["time"] == "2026-03-01T12:00:00.250000Z"
    assert accepted["timeSource"] == "device"
    assert accepted["flags"] == []
    assert "extra" not in accepted


def test_a_message_that_says_nothing() -> None:
    accepted = accept(message())
    assert accepted["keyFrame"] is False
    assert accepted["timeSource"] == "hub"
    unsaid = {"battery", "flightMode", "flightModeNumber", "position", "health", "groundSpeed", "heading", "extra"}
    assert not unsaid & accepted.keys()


def test_null_means_unchanged() -> None:
    nulls: dict[str, Any] = {key: None for key in FULL if key != "deviceId"}
    assert accept(message(**nulls)) == accept(message())
    partly = accept(message(position={"latitude": None, "altitude": 5}, health={"gyrometer": None}))
    assert partly["position"] == {"altitude": 5.0}
    assert "health" not in partly


REJECTED: list[tuple[str, Any, str]] = [
    ("deviceId", MISSING, "missing_device_id"),
    ("deviceId", None, "missing_device_id"),
    ("deviceId", 7, "wrong_type"),
    ("deviceId", True, "wrong_type"),
    ("deviceId", ["a"], "wrong_type"),
    ("deviceId", "", "invalid_device_id"),
    ("deviceId", "-a", "invalid_device_id"),
    ("deviceId", "a b", "invalid_device_id"),
    ("deviceId", "a/b", "invalid_device_id"),
    ("deviceId", "a\n", "invalid_device_id"),
    ("deviceId", "drohne-ä", "invalid_device_id"),
    ("deviceId", "a" * 65, "invalid_device_id"),
    ("timestamp", "yesterday", "invalid_timestamp"),
    ("timestamp", "", "invalid_timestamp"),
    ("timestamp", "2026-03-01T12:00:00", "invalid_timestamp"),
    ("timestamp", 1e300, "invalid_timestamp"),
    ("timestamp", 2**62, "invalid_timestamp"),
    ("timestamp", True, "wrong_type"),
    ("timestamp", 1767225600123456, "invalid_timestamp"),
    ("timestamp", {}, "wrong_type"),
    ("timestamp", [], "wrong_type"),
    ("timestamp", "2026-03-01T12:05:00.500001Z", "timestamp_in_future"),
    ("timestamp", 1772366700501, "timestamp_in_future"),
    ("battery", -0.001, "battery_out_of_range"),
    ("battery", 1.001, "battery_out_of_range"),
    ("battery", 87, "battery_out_of_range"),
    ("battery", True, "wrong_type"),
    ("battery", "0.5", "wrong_type"),
    ("battery", {}, "wrong_type"),
    ("flightMode", "flying", "unknown_flight_mode"),
    ("flightMode", "InFlight", "unknown_flight_mode"),
    ("flightMode", "", "unknown_flight_mode"),
    ("flightMode", "3", "unknown_flight_mode"),
    ("flightMode", 3.5, "wrong_type"),
    ("flightMode", False, "wrong_type"),
    ("flightMode", [3], "wrong_type"),
    ("position", [1, 2], "wrong_type"),
    ("position", "here", "wrong_type"),
    ("position.latitude", 90.0001, "latitude_out_of_range"),
    ("position.latitude", -91, "latitude_out_of_range"),
    ("position.latitude", "47", "wrong_type"),
    ("position.latitude", True, "wrong_type"),
    ("position.longitude", 180.0001, "longitude_out_of_range"),
    ("position.longitude", -181, "longitude_out_of_range"),
    ("position.longitude", {}, "wrong_type"),
    ("position.altitude", 20_000.1, "altitude_out_of_range"),
    ("position.altitude", -1000.1, "altitude_out_of_range"),
    ("position.altitude", "80", "wrong_type"),
    ("health", True, "wrong_type"),
    ("health", [], "wrong_type"),
    ("health.gyrometer", "ok", "wrong_type"),
    ("health.accelerometer", 1, "wrong_type"),
    ("health.magnetometer", 0.0, "wrong_type"),
    ("groundSpeed", -0.1, "ground_speed_out_of_range"),
    ("groundSpeed", "fast", "wrong_type"),
    ("groundSpeed", False, "wrong_type"),
    ("heading", 361, "heading_out_of_range"),
    ("heading", 360.0001, "heading_out_of_range"),
    ("heading", -180.0001, "heading_out_of_range"),
    ("verticalSpeed", 200.1, "vertical_speed_out_of_range"),
    ("verticalSpeed", -200.1, "vertical_speed_out_of_range"),
    ("verticalSpeed", "up", "wrong_type"),
    ("signal", 1.1, "signal_out_of_range"),
    ("signal", -0.1, "signal_out_of_range"),
    ("signal", True, "wrong_type"),
    ("mission", "m" * 65, "mission_too_long"),
    ("mission", 5, "wrong_type"),
    ("position.height", 20_000.1, "height_out_of_range"),
    ("position.height", -1000.1, "height_out_of_range"),
    ("position.height", None.__class__.__name__, "wrong_type"),
    ("position.altitudeReference", "agl", "unknown_altitude_reference"),
    ("position.altitudeReference", 1, "wrong_type"),
    ("heading", "north", "wrong_type"),
    ("heading", True, "wrong_type"),
    ("keyFrame", 1, "wrong_type"),
    ("keyFrame", "true", "wrong_type"),
]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    REJECTED,
    # An object's address would give each process of pytest-xdist tests of other names.
    ids=[f"{f} missing" if v is MISSING else f"{f}={str(v)[:30]!r}" for f, v, _ in REJECTED],
)
def test_rejected(field: str, value: Any, code: str) -> None:
    body = message()
    group, _, part = field.partition(".")
    if value is MISSING:
        del body[group]
    elif part:
        body[group] = {part: value}
    else:
        body[group] = value
    (error,) = reject(body)
    assert (error["code"], error["field"]) == (code, field)
    assert error["value"] == (None if value is MISSING else value)
    assert error["detail"]


@pytest.mark.parametrize(
    ("fields", "key", "kept"),
    [
        ({"deviceId": "A.b_c:d-9"}, "deviceId", "A.b_c:d-9"),
        ({"deviceId": "a" * 64}, "deviceId", "a" * 64),
        ({"timestamp": "2026-03-01T12:05:00.5Z"}, "time", "2026-03-01T12:05:00.500000Z"),
        ({"timestamp": "2026-03-01T13:00:00+01:00"}, "time", "2026-03-01T12:00:00.000000Z"),
        ({"timestamp": 1772366700500}, "time", "2026-03-01T12:05:00.500000Z"),
        ({"timestamp": 1772366400000.0}, "time", "2026-03-01T12:00:00.000000Z"),
        ({"timestamp": 1772366400.5}, "time", "2026-03-01T12:00:00.500000Z"),
        ({"battery": 0}, "battery", 0.0),
        ({"battery": 1}, "battery", 1.0),
        ({"flightMode": "unknown"}, "flightModeNumber", 0),
        ({"flightMode": "offline"}, "flightModeNumber", 5),
        ({"flightMode": 4}, "flightMode", "landing"),
        ({"flightMode": 2.0}, "flightMode", "takeoff"),
        ({"position": {"latitude": 90, "longitude": -180}}, "position", {"latitude": 90.0, "longitude": -180.0}),
        ({"position": {"altitude": -1000}}, "position", {"altitude": -1000.0}),
        ({"position": {"altitude": 20_000}}, "position", {"altitude": 20_000.0}),
        ({"position": {"latitude": 0}}, "position", {"latitude": 0.0}),
        ({"position": {"latitude": 0, "longitude": 5}}, "position", {"latitude": 0.0, "longitude": 5.0}),
        ({"health": {"gyrometer": False}}, "health", {"gyrometer": False}),
        ({"groundSpeed": 0}, "groundSpeed", 0.0),
        ({"groundSpeed": 1e6}, "groundSpeed", 1e6),
        ({"heading": 0}, "heading", 0.0),
        ({"heading": 359.999}, "heading", 359.999),
        ({"heading": -90}, "heading", 270.0),
        ({"heading": 360}, "heading", 0.0),
        ({"heading": -180}, "heading", 180.0),
        ({"heading": -1e-20}, "heading", 0.0),
        ({"verticalSpeed": -0.5}, "verticalSpeed", -0.5),
        ({"signal": 1}, "signal", 1.0),
        ({"mission": "m" * 64}, "mission", "m" * 64),
        ({"mission": ""}, "mission", ""),
        ({"position": {"height": -3}}, "position", {"height": -3.0}),
        ({"position": {"altitudeReference": "msl"}}, "position", {"altitudeReference": "msl"}),
        ({"keyFrame": True}, "keyFrame", True),
    ],
)
def test_accepted(fields: dict[str, Any], key: str, kept: Any) -> None:
    accepted: Any = accept(message(**fields))
    assert accepted[key] == kept
    assert json.dumps(accepted[key]) == json.dumps(kept)


@pytest.mark.parametrize("number", [6, 99, -1, 2**60, 1e300])
def test_other_flight_mode_numbers_are_kept_and_flagged(number: float) -> None:
    accepted = accept(message(flightMode=number))
    assert accepted["flightMode"] == "unknown"
    assert accepted["flightModeNumber"] == number
    assert accepted["flags"] == ["unknown_flight_mode_number"]


@pytest.mark.parametrize(
    ("position", "kept"),
    [
        ({"latitude": 0, "longitude": 0}, None),
        ({"latitude": -0.0, "longitude": 0.0, "altitude": 488, "height": 3}, {"altitude": 488.0, "height": 3.0}),
    ],
)
def test_no_fix_is_flagged_and_latitude_and_longitude_are_ignored(
    position: dict[str, float], kept: dict[str, float] | None
) -> None:
    accepted = accept(message(position=position, battery=0.5))
    assert accepted["flags"] == ["no_gps_fix"]
    assert accepted.get("position") == kept
    assert accepted["battery"] == 0.5


@pytest.mark.parametrize("position", [{}, {"latitude": None, "longitude": None}])
def test_a_position_without_parts_says_nothing(position: dict[str, Any]) -> None:
    accepted = accept(message(position=position))
    assert accepted["flags"] == []
    assert "position" not in accepted


def test_every_broken_rule_is_listed() -> None:
    body = {
        "timestamp": "?",
        "battery": "full",
        "flightMode": "flying",
        "position": {"latitude": 99, "longitude": "x", "altitude": 1e9},
        "health": {"gyrometer": 1, "accelerometer": True, "magnetometer": "ok"},
        "groundSpeed": -1,
        "heading": 400,
        "keyFrame": 0,
    }
    assert sorted(codes(reject(body))) == sorted(
        [
            ("missing_device_id", "deviceId"),
            ("invalid_timestamp", "timestamp"),
            ("wrong_type", "battery"),
            ("unknown_flight_mode", "flightMode"),
            ("latitude_out_of_range", "position.latitude"),
            ("wrong_type", "position.longitude"),
            ("altitude_out_of_range", "position.altitude"),
            ("wrong_type", "health.gyrometer"),
            ("wrong_type", "health.magnetometer"),
            ("ground_speed_out_of_range", "groundSpeed"),
            ("heading_out_of_range", "heading"),
            ("wrong_type", "keyFrame"),
        ]
    )


def test_a_future_timestamp_is_listed_beside_other_reasons() -> None:
    errors = reject(message(timestamp="2027-01-01T00:00:00Z", battery=2))
    assert sorted(codes(errors)) == [("battery_out_of_range", "battery"), ("timestamp_in_future", "timestamp")]


def test_unknown_fields_are_kept_and_change_nothing() -> None:
    extra = {"firmware": "1.2", "id": 9, "time": "now", "Battery": 5, "deep": {"list": [1, None, {"a": 0}]}}
    accepted = accept(message(**extra, position={"latitude": 1, "accuracy": 3}, health={"barometer": "ok"}))
    assert accepted["extra"] == {**extra, "position": {"accuracy": 3}, "health": {"barometer": "ok"}}
    assert accepted["position"] == {"latitude": 1.0}
    assert "health" not in accepted
    assert "battery" not in accepted


def test_negative_zero_is_zero() -> None:
    accepted = accept(message(battery=-0.0, groundSpeed=-0.0, heading=-0.0, position={"altitude": -0.0}))
    assert "-0" not in json.dumps(accepted["battery"]) + json.dumps(accepted["groundSpeed"])
    assert "-0" not in json.dumps(accepted["heading"]) + json.dumps(accepted["position"])


def test_the_rules_can_be_set() -> None:
    rules = replace(RULES, altitude_minimum=0, altitude_maximum=100, future_tolerance_seconds=0)
    assert codes(reject(message(position={"altitude": -1}), rules)) == [("altitude_out_of_range", "position.altitude")]
    assert codes(reject(message(position={"altitude": 101}), rules)) == [("altitude_out_of_range", "position.altitude")]
    assert codes(reject(message(timestamp="2026-03-01T12:00:00.500001Z"), rules)) == [
        ("timestamp_in_future", "timestamp")
    ]


@pytest.mark.parametrize("value", ["x" * 5000, ["y" * 5000], {"k": "ä" * 5000}])
def test_a_long_value_is_shortened_in_its_reason(value: Any) -> None:
    (error,) = reject(message(battery=value))
    assert isinstance(error["value"], str)
    assert 100 < len(error["value"]) < 300
    assert error["value"].endswith("…")
