from __future__ import annotations

import itertools
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
from tests.support.geojson import collection, feature, square
from tests.support.messages import ENQUEUED_AT, FULL, RULES, accept, validate
from tests.support.old_states import old_state

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
        "position": {
            "latitude": 47.476075,
            "longitude": -122.192026,
            "altitude": 80.5,
            "height": None,
            "altitudeReference": "takeoff",
        },
        "health": {"gyrometer": True, "accelerometer": True, "magnetometer": False},
        "groundSpeed": 12.5,
        "heading": 271.0,
        "verticalSpeed": None,
        "signal": None,
        "mission": None,
        "derived": {
            "zones": ["airport", "fence"],
            "healthy": False,
            "outsideGeofence": False,
            "altitudeLimitExceeded": False,
            "distanceFromHome": 0.0,
        },
        "alerts": [
            {"code": "sensor_unhealthy", "at": "2026-03-01T12:00:00.250000Z"},
            {"code": "no_fly_zone", "at": "2026-03-01T12:00:00.250000Z"},
        ],
        "updatedAt": {
            **dict.fromkeys(
                ["battery", "flightMode", "position", "health", "groundSpeed", "heading", "derived"],
                "2026-03-01T12:00:00.250000Z",
            ),
            **dict.fromkeys(["verticalSpeed", "signal", "mission"]),
        },
        "lastSeen": "2026-03-01T12:00:00.500000Z",
        "ageSeconds": 9.5,
        "connectivity": "online",
        "registration": REGISTRY.drones["drone-7"],
        "lastMessage": {"partition": "1", "sequenceNumber": 42, "enqueuedAt": "2026-03-01T12:00:00.500000Z"},
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
    assert view["position"] == {
        "latitude": None,
        "longitude": None,
        "altitude": 5.0,
        "height": None,
        "altitudeReference": "takeoff",
    }
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
    assert view["updatedAt"]["battery"] == "2026-03-01T12:00:01.000000Z"
    assert view["updatedAt"]["position"] == "2026-03-01T12:00:03.000000Z"
    assert view["updatedAt"]["health"] == "2026-03-01T12:00:04.000000Z"
    assert view["updatedAt"]["derived"] == "2026-03-01T12:00:01.000000Z"
    assert {"code": "sensor_unhealthy", "at": "2026-03-01T12:00:02.000000Z"} in view["alerts"]


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
    assert view["alerts"] == [{"code": code, "at": "2026-03-01T12:00:01.000000Z"}]


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


def tag(merged: DroneState, now: str = NOW, registry: Registry | None = REGISTRY) -> str:
    return etag(merged, drone_view(merged, now, RULES, registry))


def test_the_etag_is_of_all_that_is_shown_but_the_age() -> None:
    a, b = said(1, battery=0.5), said(2, heading=7)
    messages = enrich(validate([a, b]).messages, REGISTRY, ZONES, RULES)
    (forth,), (back,) = (merge_messages(order).values() for order in (messages, messages[::-1]))
    assert tag(forth) == tag(back) != tag(state(a))
    assert tag(state(a)).startswith('"')
    assert tag(state(a)).endswith('"')
    reordered: Any = dict(reversed(state(a).items()))
    assert tag(reordered) == tag(state(a))
    assert tag(forth, "2026-03-01T12:00:11.000000Z") == tag(forth)
    assert tag(forth, "2026-03-01T12:00:31.000000Z") != tag(forth)
    assert tag(forth, registry=None) != tag(forth)
    assert etag(forth, drone_view(forth, NOW, replace(RULES, low_battery=0.6), REGISTRY)) != tag(forth)


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
        "time": "2026-03-01T12:00:00.250000Z",
        "enqueuedAt": "2026-03-01T12:00:00.500000Z",
        "derived": {
            "zones": ["airport", "fence"],
            "outsideGeofence": False,
            "distanceFromHome": 0.0,
            "altitudeLimitExceeded": False,
        },
        "alerts": [
            {"code": "sensor_unhealthy", "at": "2026-03-01T12:00:00.250000Z"},
            {"code": "no_fly_zone", "at": "2026-03-01T12:00:00.250000Z"},
        ],
    }
    assert item["extra"] == {"note": "x"}
    assert set(history_item(accept({"deviceId": "d"}))) == {
        *("id", "deviceId", "time", "timeSource", "format", "keyFrame", "flags"),
        *("enqueuedAt", "partition", "sequenceNumber", "index", "batchId"),
    }


def at_of(code: str, merged: DroneState, now: str = NOW) -> str | None:
    found: dict[str, str] = {alert["code"]: alert["at"] for alert in drone_view(merged, now, RULES, None)["alerts"]}
    return found.get(code)


def second(number: int) -> str:
    return f"2026-03-01T12:00:0{number}.000000Z"


def test_an_alerts_time_is_the_latest_at_which_it_did_not_hold() -> None:
    bodies = [said(1, battery=0.5), said(2, battery=0.1), said(3, battery=0.09), said(4, battery=0.08)]
    for order in itertools.permutations(bodies):
        assert at_of("low_battery", state(*order)) == second(1)
    assert at_of("low_battery", state(*bodies, said(5, battery=0.3), said(6, battery=0.1))) == second(5)
    assert at_of("low_battery", state(*bodies, said(5, battery=0.3))) is None


def test_where_it_never_was_otherwise_it_is_the_earliest_known() -> None:
    for order in itertools.permutations([said(2, battery=0.1), said(3, battery=0.09), said(4, battery=0.08)]):
        assert at_of("low_battery", state(*order)) == second(2)


def test_each_codes_time_stands_still_while_it_holds() -> None:
    well = {"position": {"latitude": 47.9, "longitude": -122.5, "altitude": 9}, "health": {"gyrometer": True}}
    ill = {"position": {"latitude": 47.475, "longitude": -122.195, "altitude": 500}, "health": {"gyrometer": False}}
    merged = state(said(1, **well), said(2, **ill), said(3, **ill))
    assert [at_of(code, merged) for code in ("sensor_unhealthy", "no_fly_zone", "altitude_limit")] == [second(1)] * 3
    out = state(said(1, **well), said(2, position={"latitude": 1, "longitude": 1}), said(3, battery=0.5))
    assert at_of("outside_geofence", out) == second(1)


def test_a_sensor_that_is_well_does_not_hide_how_long_another_has_been_ill() -> None:
    merged = state(
        said(1, health={"gyrometer": True, "accelerometer": True}),
        said(2, health={"accelerometer": False}),
        said(3, health={"gyrometer": True}),
    )
    assert at_of("sensor_unhealthy", merged) == second(1)
    turns = state(
        said(1, health={"gyrometer": True, "accelerometer": True}),
        said(2, health={"gyrometer": False, "accelerometer": True}),
        said(3, health={"gyrometer": True, "accelerometer": False}),
    )
    assert at_of("sensor_unhealthy", turns) == second(1)


def test_telemetry_that_is_late_is_told() -> None:
    late = state({"deviceId": "drone-7", "timestamp": "2026-03-01T11:59:30Z"})
    assert at_of("telemetry_delayed", late) == "2026-03-01T11:59:30.000000Z"
    assert at_of("telemetry_delayed", late, "2026-03-01T12:05:00.000000Z") is None  # not online any more
    assert at_of("telemetry_delayed", state({"deviceId": "drone-7", "timestamp": "2026-03-01T11:59:31Z"})) is None


def test_a_clock_that_was_ahead_is_told_while_what_it_says_now_is_passed_over() -> None:
    def sent(number: int, timestamp: str) -> list[Any]:
        body = {"deviceId": "drone-7", "timestamp": timestamp, "battery": number / 10}
        return validate(body, sequence_number=number, enqueued_at=f"2026-03-01T12:00:0{number}.000000Z").messages

    ahead, right, caught_up = sent(1, "2026-03-01T12:04:30Z"), sent(2, second(2)), sent(3, "2026-03-01T12:04:00.5Z")
    (alone,) = merge_messages(ahead).values()
    assert at_of("telemetry_delayed", alone) is None
    for order in itertools.permutations([*ahead, *right]):
        (frozen,) = merge_messages(order).values()
        assert at_of("telemetry_delayed", frozen) == "2026-03-01T12:04:30.000000Z"
    (again,) = merge_messages([*ahead, *right, *caught_up]).values()
    assert at_of("telemetry_delayed", again) is None


def test_a_clock_that_fell_back_does_not_freeze_the_drone() -> None:
    good = validate({"deviceId": "d", "timestamp": second(0), "battery": 0.71}, sequence_number=1).messages
    for clock in ("1970-01-01T00:00:05Z", 0, 12345):
        body = {"deviceId": "d", "timestamp": clock, "battery": 0.03}
        later = validate(body, sequence_number=2, enqueued_at="2026-03-01T12:00:01.000000Z").messages
        (merged,) = merge_messages([*good, *later]).values()
        assert drone_view(merged, NOW, RULES, None)["battery"] == 0.03


def test_a_state_of_the_version_before_is_shown() -> None:
    messages = validate(said(1, battery=0.1), said(2, heading=7, position={"latitude": 1, "altitude": 5})).messages
    view = drone_view(old_state(messages), NOW, RULES, None)
    assert (view["battery"], view["heading"], view["position"]["altitude"]) == (0.1, 7.0, 5.0)
    assert view["alerts"] == [{"code": "low_battery", "at": second(1)}]
    assert view["lastMessage"] == {"partition": "1", "sequenceNumber": 42, "enqueuedAt": ENQUEUED_AT}
    assert status_v1(old_state(messages))["Battery"] == 0.1


def test_what_an_altitude_refers_to_is_said_or_set() -> None:
    merged = state(said(1, position={"altitude": 5}))
    view = drone_view(merged, NOW, replace(RULES, altitude_reference="msl"), None)
    assert view["position"]["altitudeReference"] == "msl"
    merged = state(said(1, position={"altitude": 5, "altitudeReference": "wgs84"}), said(2, position={"height": 3}))
    view = drone_view(merged, NOW, RULES, None)
    assert (view["position"]["altitudeReference"], view["position"]["height"]) == ("wgs84", 3.0)
    assert view["updatedAt"]["position"] == second(2)


def test_the_fields_that_came_later_are_shown() -> None:
    view = drone_view(state(said(1, verticalSpeed=-0.5, signal=0.8, mission="survey")), NOW, RULES, None)
    assert (view["verticalSpeed"], view["signal"], view["mission"]) == (-0.5, 0.8, "survey")
    assert view["updatedAt"]["mission"] == second(1)
