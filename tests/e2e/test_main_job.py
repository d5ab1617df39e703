"""From Event Hubs to each drone's latest state over HTTP, through real AMQP, orchestrations and entities."""

from __future__ import annotations

import base64
import json

import pytest

from tests.support.senders import flights, message, send
from tools.local_host import LocalHost, wait_until

pytestmark = pytest.mark.e2e


def counted(host: LocalHost) -> int:
    return int(host.get("/api/stats")["messages"])


def test_every_message_is_stored_once_and_the_drones_show_the_latest(host: LocalHost) -> None:
    before = counted(host)
    sent = [message(f"conserve-{m['deviceId']}", i // 20) for i, m in enumerate(flights(20, 50))]
    send(host.connection, sent)
    stats = host.settled(messages=before + len(sent))

    assert stats["messages"] == before + 1_000
    assert stats["messages"] == stats["stored"] + stats["duplicates"] + stats["rejected"]
    for drone in range(20):
        history = host.items(f"/api/drones/conserve-drone-{drone}/history?limit=20")
        assert [m["battery"] for m in history] == [round(1 - n / 10_000, 4) for n in reversed(range(50))]
        state = host.get(f"/api/drones/conserve-drone-{drone}")
        assert state["battery"] == round(1 - 49 / 10_000, 4)
        place = {"latitude": 47.47, "longitude": -122.19, "altitude": 149, "height": None}
        assert state["position"] == {**place, "altitudeReference": "takeoff"}


def test_a_bad_message_harms_neither_its_array_nor_its_batch(host: LocalHost) -> None:
    before = counted(host)
    bad = {"deviceId": "poison-1", "battery": 7, "flightMode": "sideways"}
    bundle = json.dumps([message("poison-2", 0), bad, message("poison-3", 0)]).encode()
    not_json = b"{ this is not JSON"
    send(host.connection, [message("poison-0", 0), bundle, not_json, message("poison-4", 0)], partition="1")
    host.settled(messages=before + 6)

    for drone in (0, 2, 3, 4):
        assert host.get(f"/api/drones/poison-{drone}")["battery"] == 1.0
    assert host.request("GET", "/api/drones/poison-1").status == 404
    letter = host.items("/api/deadletters?deviceId=poison-1")[0]
    assert {e["code"] for e in letter["errors"]} == {"battery_out_of_range", "unknown_flight_mode"}
    assert json.loads(base64.b64decode(letter["body"])) == bad
    broken = host.items("/api/deadletters?errorCode=malformed_json")[0]
    assert base64.b64decode(broken["body"]) == not_json


def test_what_is_sent_twice_is_stored_once(host: LocalHost) -> None:
    before = host.get("/api/stats")
    sent = [message("twice", n) for n in range(100)]
    send(host.connection, sent)
    host.settled(messages=before["messages"] + 100)
    once = host.request("GET", "/api/drones/twice").headers["etag"]
    stored = host.items("/api/drones/twice/history")
    send(host.connection, list(reversed(sent)))
    stats = host.settled(messages=before["messages"] + 200)

    assert stats["duplicates"] == before["duplicates"] + 100
    assert stats["stored"] == before["stored"] + 100
    assert host.items("/api/drones/twice/history") == stored
    assert host.get("/api/drones/twice")["battery"] == 0.9901
    assert once  # lastSeen moves on with a new delivery, and the tag with it: only its presence is promised here


def test_a_batch_tells_its_story_in_the_ledger_and_in_the_durable_status(host: LocalHost) -> None:
    before = counted(host)
    send(host.connection, [message("story", n) for n in range(10)], partition="2")
    host.settled(messages=before + 10)
    history = host.items("/api/drones/story/history")
    batch = host.get(f"/api/batches/{history[0]['batchId']}")

    assert batch["status"] == "completed"
    assert batch["partition"] == "2"
    assert batch["messages"] == batch["stored"] + batch["duplicates"] + batch["rejected"]
    address = batch["statusQueryGetUri"].replace("{", "%7B")
    status = host.request("GET", address[address.index("/runtime") :] + "&showHistory=true")
    assert status.status == 200
    told = status.json()
    assert told["runtimeStatus"] == "Completed"
    assert told["instanceId"] == batch["instanceId"]
    assert len(status.body) < 16_000  # references only: the history does not grow with the batch


def test_the_routes_of_the_reference_answer_as_it_does(host: LocalHost) -> None:
    before = counted(host)
    send(host.connection, [message("compatible", 0, flightMode=6, health={"gyrometer": True})])
    host.settled(messages=before + 1)
    expected = {
        "id": "compatible",
        "Battery": 1.0,
        "FlightMode": 6,
        "Latitude": 47.47,
        "Longitude": -122.19,
        "Altitude": 100,
        "GyrometerOK": True,
        "AccelerometerOK": None,
        "MagnetometerOK": None,
    }
    assert host.get("/api/v1/dronestatus/compatible") == expected
    assert host.get("/api/GetStatusFunction?deviceId=compatible") == expected
    missing = host.request("GET", "/api/GetStatusFunction")
    assert missing.status == 400
    assert "Missing DeviceId" in missing.json()["detail"]


def test_telemetry_over_http_reaches_the_drone(host: LocalHost) -> None:
    answer = host.request("POST", "/api/telemetry", [message("by-http", 0), message("by-http", 1)])
    assert (answer.status, answer.json()) == (202, {"accepted": 2})
    state = wait_until(
        lambda: (a := host.request("GET", "/api/drones/by-http")).status == 200 and a.json(), 20, lambda: "no drone"
    )
    assert state["battery"] in (1.0, 0.9999)
