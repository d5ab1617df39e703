from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from telemetry.enrichment import enrich
from telemetry.merge import merge_messages
from telemetry.model import DroneState
from telemetry.registry import Registry
from telemetry.view import drone_view, etag, history_item, status_v1
from telemetry.zones import Zones
from tests.unit.telemetry.builders import ENQUEUED_AT, FULL, RULES, accept, validate
from tests.unit.telemetry.test_zones import collection, feature, square

NOW = "2026-03-01T12:00:10.000000Z"
REGISTRY = Registry.parse(
    [{"id": "drone-7", "name": "Heron", "home": {"latitude": 47.476075, "longitude": -122.192026}}]
)
ZONES = Zones.parse(
    collection(
        feature(square(-123, 47, -122, 48), id="fence", kind="geofence"),
        feature(square(-122.2, 47.47, -122.19, 47.48), id="airport"),
    )
)


def state(*bodies: dict[str, Any], registry: Registry | None = REGISTRY) -> DroneState:
    messages = validate(list(bodies)).messages
    assert len(messages) == len(bodies)
    (merged,) = merge_messages(enrich(messages, registry, ZONES, RULES)).values()
    loaded: DroneState = json.loads(json.dumps(merged))
    return loaded


def said(second: int, **fields: Any) -> dict[str, Any]:
    return {"deviceId": "drone-7", "timestamp": f"2026-03-01T12:00:0{second}Z", **fields}


def test_a_drone_of_which_everything_is_known() -> None:
    assert drone_view(state(FULL), NOW, RULES, REGISTRY) == {
        "id": "drone-7",
        "battery": 0.75,
        "flightMode": "inflight",
        "flightModeNumber": 3,
        "position": {"latitude": 47.476075, "longitude": -122.192026, "altitude": 80.5},
        "health": {"gyrometer": True, "accelerometer": True, "magnetometer": False},
        "groundSpeed": 12.5,
        "heading": 271.0,
        "derived": {
            "zones": ["airport", "fence"],
            "healthy": False,
            "outsideGeofence": False,
            "altitudeLimitExceeded": False,
            "distanceFromHome": 0.0,
        },
        "alerts": [
            {"code": "sensor_unhealthy", "at": "2026-03-01T12:00:00.250Z"},
            {"code": "no_fly_zone", "at": "2026-03-01T12:00:00.250Z"},
        ],
        "updatedAt": dict.fromkeys(
            ["battery", "flightMode", "position", "health", "groundSpeed", "heading", "derived"],
            "2026-03-01T12:00:00.250Z",
        ),
        "lastSeen": "2026-03-01T12:00:00.500Z",
        "ageSeconds": 9.5,
        "connectivity": "online",
        "registration": REGISTRY.drones["drone-7"],
        "lastMessage": {"partition": "1", "sequenceNumber": 42, "enqueuedAt": "2026-03-01T12:00:00.500Z"},
    }


def test_what_is_unknown_is_null() -> None:
    view = drone_view(state({"deviceId": "drone-7"}, registry=None), NOW, RULES, None)
    nulls = (
        "battery",
        "flightMode",
        "flightModeNumber",
        "position",
        "health",
        "groundSpeed",
        "heading",
        "registration",
    )
    assert [view[name] for name in nulls] == [None] * len(nulls)
    assert view["derived"] == dict.fromkeys(
        ["zones", "healthy", "outsideGeofence", "altitudeLimitExceeded", "distanceFromHome"]
    )
    assert set(view["updatedAt"].values()) == {None}
    assert view["alerts"] == []


def test_unknown_parts_of_a_known_group_are_null() -> None:
    view = drone_view(state(said(1, position={"altitude": 5}, health={"gyrometer": True})), NOW, RULES, None)
    assert view["position"] == {"latitude": None, "longitude": None, "altitude": 5.0}
    assert view["health"] == {"gyrometer": True, "accelerometer": None, "magnetometer": None}
    assert view["derived"]["healthy"] is True


def test_each_time_is_the_latest_of_its_parts() -> None:
    merged = state(
        said(1, battery=0.5, position={"latitude": 1, "longitude": 1, "altitude": 1}),
        said(3, position={"altitude": 2}),
        said(2, health={"gyrometer": False}),
        said(4, health={"magnetometer": True}),
    )
    view = drone_view(merged, NOW, RULES, None)
    assert view["updatedAt"]["battery"] == "2026-03-01T12:00:01Z"
    assert view["updatedAt"]["position"] == "2026-03-01T12:00:03Z"
    assert view["updatedAt"]["health"] == "2026-03-01T12:00:04Z"
    assert view["updatedAt"]["derived"] == "2026-03-01T12:00:01Z"
    assert {"code": "sensor_unhealthy", "at": "2026-03-01T12:00:02Z"} in view["alerts"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"battery": 0.19}, "low_battery"),
        ({"health": {"gyrometer": False}}, "sensor_unhealthy"),
        ({"position": {"latitude": 47.475, "longitude": -122.195}}, "no_fly_zone"),
        ({"position": {"latitude": 1, "longitude": 1}}, "outside_geofence"),
        ({"position": {"latitude": 47.9, "longitude": -122.5, "altitude": 121}}, "altitude_limit"),
    ],
)
def test_each_alert_has_the_time_of_its_value_and_outlives_other_messages(fields: dict[str, Any], code: str) -> None:
    view = drone_view(state(said(1, **fields), said(2, heading=5)), NOW, RULES, None)
    assert view["alerts"] == [{"code": code, "at": "2026-03-01T12:00:01Z"}]


def test_alerts_go_with_the_value_that_raised_them() -> None:
    merged = state(
        said(1, battery=0.1, health={"gyrometer": False}, position={"latitude": 1, "longitude": 1, "altitude": 500}),
        said(
            2, battery=0.9, health={"gyrometer": True}, position={"latitude": 47.9, "longitude": -122.5, "altitude": 9}
        ),
    )
    assert drone_view(merged, NOW, RULES, None)["alerts"] == []


def test_thresholds_count_when_the_state_is_read() -> None:
    merged = state(said(1, battery=0.5))
    assert drone_view(merged, NOW, replace(RULES, low_battery=0.6), None)["alerts"]
    rules = replace(RULES, stale_after_seconds=10, offline_after_seconds=60)
    ages = {"2026-03-01T12:00:10.400000Z": "online", "2026-03-01T12:00:10.500000Z": "stale"}
    ages |= {"2026-03-01T12:01:00.400000Z": "stale", "2026-03-01T12:01:00.500000Z": "offline"}
    ages |= {"2026-03-01T11:00:00.000000Z": "online"}
    assert ENQUEUED_AT == "2026-03-01T12:00:00.500000Z"
    assert {now: drone_view(merged, now, rules, None)["connectivity"] for now in ages} == ages
    assert drone_view(merged, "2026-03-01T11:00:00.000000Z", rules, None)["ageSeconds"] == 0


def test_the_registration_is_todays() -> None:
    merged = state(said(1, battery=0.5), registry=None)
    assert drone_view(merged, NOW, RULES, REGISTRY)["registration"]["name"] == "Heron"
    assert drone_view(merged, NOW, RULES, Registry.parse([]))["registration"] is None


def test_the_etag_is_of_the_state_alone() -> None:
    a, b = said(1, battery=0.5), said(2, heading=7)
    messages = enrich(validate([a, b]).messages, REGISTRY, ZONES, RULES)
    (forth,), (back,) = (merge_messages(order).values() for order in (messages, messages[::-1]))
    assert etag(forth) == etag(back) != etag(state(a))
    assert etag(state(a)).startswith('"')
    assert etag(state(a)).endswith('"')
    reordered: Any = dict(reversed(state(a).items()))
    assert etag(reordered) == etag(state(a))


def test_the_references_body() -> None:
    assert status_v1(state({**FULL, "flightMode": 6})) == {
        "id": "drone-7",
        "Battery": 0.75,
        "FlightMode": 6,
        "Latitude": 47.476075,
        "Longitude": -122.192026,
        "Altitude": 80.5,
        "GyrometerOK": True,
        "AccelerometerOK": True,
        "MagnetometerOK": False,
    }
    unknown = status_v1(state({"deviceId": "drone-7"}))
    assert unknown.pop("id") == "drone-7"
    assert set(unknown.values()) == {None}


def test_a_mode_outside_the_names_is_shown_as_unknown_with_its_number() -> None:
    view = drone_view(state(said(1, flightMode=6)), NOW, RULES, None)
    assert (view["flightMode"], view["flightModeNumber"]) == ("unknown", 6)


def test_a_history_item() -> None:
    (message,) = enrich([accept({**FULL, "note": "x"})], REGISTRY, ZONES, RULES)
    item = history_item(message)
    assert item == {
        **message,
        "time": "2026-03-01T12:00:00.250Z",
        "enqueuedAt": "2026-03-01T12:00:00.500Z",
        "derived": {
            "zones": ["airport", "fence"],
            "outsideGeofence": False,
            "distanceFromHome": 0.0,
            "altitudeLimitExceeded": False,
        },
        "alerts": [
            {"code": "sensor_unhealthy", "at": "2026-03-01T12:00:00.250Z"},
            {"code": "no_fly_zone", "at": "2026-03-01T12:00:00.250Z"},
        ],
    }
    assert item["extra"] == {"note": "x"}
    assert set(history_item(accept({"deviceId": "d"}))) == {
        *("id", "deviceId", "time", "timeSource", "format", "keyFrame", "flags"),
        *("enqueuedAt", "partition", "sequenceNumber", "index", "batchId"),
    }
