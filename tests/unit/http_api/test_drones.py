"""One drone: body, fields, entity tag, the reference's routes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import states
from tests.support.extension import Extension
from tests.support.http_client import Client

FULL: dict[str, Any] = {
    "battery": 0.1,
    "flightMode": 6,
    "position": {"latitude": 10.5, "longitude": 10.25, "altitude": 100},
    "health": {"gyrometer": True, "accelerometer": False},
    "groundSpeed": 12.5,
    "heading": 270,
}


async def test_a_drone_is_shown_as_its_entity_has_it(ask: Client, extension: Extension) -> None:
    extension.keep(states.state("drone-1", **FULL))
    answer = await ask.get("/api/drones/drone-1")
    drone = answer.json()
    assert answer.status == 200
    assert drone.pop("ageSeconds") > 0
    assert drone == {
        "id": "drone-1",
        "battery": 0.1,
        "flightMode": "unknown",
        "flightModeNumber": 6,
        "position": {
            "latitude": 10.5,
            "longitude": 10.25,
            "altitude": 100,
            "height": None,
            "altitudeReference": "takeoff",
        },
        "health": {"gyrometer": True, "accelerometer": False, "magnetometer": None},
        "groundSpeed": 12.5,
        "heading": 270,
        "verticalSpeed": None,
        "signal": None,
        "mission": None,
        "derived": {
            "zones": ["airport"],
            "healthy": False,
            "outsideGeofence": False,
            "altitudeLimitExceeded": False,
            "distanceFromHome": None,
        },
        "alerts": [
            {"code": "low_battery", "at": "2026-01-02T03:04:05.000000Z"},
            {"code": "sensor_unhealthy", "at": "2026-01-02T03:04:05.000000Z"},
            {"code": "no_fly_zone", "at": "2026-01-02T03:04:05.000000Z"},
        ],
        "updatedAt": {
            **dict.fromkeys(
                ["battery", "flightMode", "position", "health", "groundSpeed", "heading", "derived"],
                "2026-01-02T03:04:05.000000Z",
            ),
            **dict.fromkeys(["verticalSpeed", "signal", "mission"]),
        },
        "lastSeen": "2026-01-02T03:04:05.500000Z",
        "connectivity": "offline",
        "registration": None,
        "lastMessage": {"partition": "0", "sequenceNumber": 1, "enqueuedAt": "2026-01-02T03:04:05.500000Z"},
    }


async def test_a_registered_drone_shows_its_registration(
    ask: Client, extension: Extension, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "drones.json"
    file.write_text(json.dumps({"drones": [{"id": "drone-1", "name": "One", "model": "M"}]}))
    environment.setenv("REGISTRY_FILE", str(file))
    extension.keep(states.state("drone-1", battery=0.5))
    assert (await ask.get("/api/drones/drone-1")).json()["registration"]["name"] == "One"


async def test_only_the_fields_that_are_asked_for(ask: Client, extension: Extension) -> None:
    extension.keep(states.state("drone-1", **FULL))
    answer = await ask.get("/api/drones/drone-1?fields=battery,position")
    assert set(answer.json()) == {"id", "battery", "position"}


@pytest.mark.parametrize("fields", ["speed", "battery,", ""])
async def test_a_field_that_there_is_not_is_refused_with_those_there_are(ask: Client, fields: str) -> None:
    answer = await ask.get(f"/api/drones/drone-1?fields={fields}")
    problem = answer.json()
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["errors"][0]["parameter"] == "fields"
    assert "groundSpeed" in problem["detail"]


async def test_a_drone_never_seen_is_404(ask: Client) -> None:
    answer = await ask.get("/api/drones/nobody")
    assert answer.status == 404
    assert answer.json() == {
        "type": "urn:drone-telemetry:problem:not-found",
        "title": "Not found",
        "status": 404,
        "detail": "there is no drone 'nobody'",
    }


@pytest.mark.parametrize("path", ["..%2Fdrone-1", "drone%2D1%3Fa=x", "%00", "drone-1%20", "%2525", "@drone@drone-1"])
async def test_an_id_that_tries_tricks_reaches_no_entity(ask: Client, extension: Extension, path: str) -> None:
    extension.keep(states.state("drone-1"))
    assert (await ask.get(f"/api/drones/{path}")).status == 404
    assert extension.requests == []


async def test_an_escaped_id_is_decoded_once(ask: Client, extension: Extension) -> None:
    extension.keep(states.state("a:b.c"))
    assert (await ask.get("/api/drones/a%3Ab.c")).status == 200


async def test_a_deleted_entity_is_no_drone(ask: Client, extension: Extension) -> None:
    extension.entities["drone-1"] = (None, "2026-01-01T00:00:00.000000Z")
    assert (await ask.get("/api/drones/drone-1")).status == 404


async def test_nothing_new_is_304_and_a_new_message_is_200(ask: Client, extension: Extension) -> None:
    extension.keep(states.state("drone-1", battery=0.5))
    first = await ask.get("/api/drones/drone-1")
    tag = first.headers["etag"]
    again = await ask.get("/api/drones/drone-1", if_none_match=f'"other", {tag}')
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    assert (await ask.get("/api/drones/drone-1", if_none_match="*")).status == 304
    extension.keep(states.state("drone-1", battery=0.4))
    changed = await ask.get("/api/drones/drone-1", if_none_match=tag)
    assert changed.status == 200
    assert changed.headers["etag"] != tag


async def test_the_reference_routes_give_the_nine_fields(ask: Client, extension: Extension) -> None:
    extension.keep(states.state("drone-1", **FULL))
    expected = {
        "id": "drone-1",
        "Battery": 0.1,
        "FlightMode": 6,
        "Latitude": 10.5,
        "Longitude": 10.25,
        "Altitude": 100,
        "GyrometerOK": True,
        "AccelerometerOK": False,
        "MagnetometerOK": None,
    }
    assert (await ask.get("/api/v1/dronestatus/drone-1")).json() == expected
    assert (await ask.get("/api/GetStatusFunction?deviceId=drone-1&code=key")).json() == expected


@pytest.mark.parametrize(
    "url",
    ["/api/GetStatusFunction", "/api/GetStatusFunction?deviceId=", "/api/v1/dronestatus", "/api/v1/dronestatus/"],
)
async def test_the_reference_routes_without_a_device_say_so(ask: Client, url: str) -> None:
    answer = await ask.get(url)
    assert (answer.status, answer.json()["detail"]) == (400, "Missing DeviceId")


async def test_the_reference_routes_do_not_know_every_drone(ask: Client) -> None:
    assert (await ask.get("/api/v1/dronestatus/nobody")).status == 404
    assert (await ask.get("/api/GetStatusFunction?deviceId=nobody")).status == 404


async def test_a_durable_api_that_fails_is_503_with_a_time_to_wait(ask: Client, extension: Extension) -> None:
    extension.down = True
    for url in ("/api/drones/drone-1", "/api/drones"):
        answer = await ask.get(url)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert extension.url not in answer.body.decode()
