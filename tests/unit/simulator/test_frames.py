from __future__ import annotations

import json

import pytest

from simulator.drone import Drone
from simulator.frames import changes, encode_json, encode_protobuf, message
from telemetry.protobuf import decode_frame
from tests.support.frames import Frame

SAMPLE = {
    "battery": 0.5,
    "flightMode": "landing",
    "position": {"latitude": 47.5, "longitude": -122.25, "altitude": 0.0},
    "health": {"gyrometer": True, "accelerometer": False, "magnetometer": True},
    "groundSpeed": 3.5,
    "heading": 10.0,
}


def test_a_json_message() -> None:
    fields = message("drone-1", 1_772_366_400_250, SAMPLE, key_frame=True)
    assert json.loads(encode_json(fields)) == {
        "deviceId": "drone-1",
        "timestamp": "2026-03-01T12:00:00.250Z",
        "keyFrame": True,
        **SAMPLE,
    }
    assert "keyFrame" not in message("drone-1", 0, SAMPLE, key_frame=False)


def test_only_changes_are_sent_between_key_frames_whole_groups_at_a_time() -> None:
    moved = {**SAMPLE, "position": {**SAMPLE["position"], "altitude": 1.0}, "heading": 11.0}  # type: ignore[dict-item]
    assert changes(SAMPLE, moved) == {"position": moved["position"], "heading": 11.0}
    assert changes(SAMPLE, dict(SAMPLE)) == {}
    assert changes(None, SAMPLE) == SAMPLE


def test_a_protobuf_frame_is_what_googles_reader_reads() -> None:
    frame = Frame.FromString(encode_protobuf(message("drone-1", 0, SAMPLE, key_frame=True)))
    assert (frame.deviceId, frame.battery, frame.flightMode, frame.keyFrame) == ("drone-1", 0.5, 4, True)
    assert (frame.position.latitude, frame.position.longitude, frame.position.altitude) == (47.5, -122.25, 0.0)
    assert frame.position.HasField("altitude")
    assert (frame.health.gyrometer, frame.health.accelerometer, frame.health.magnetometer) == (True, False, True)
    assert frame.health.HasField("accelerometer")


@pytest.mark.parametrize("fields", [{}, {"battery": 0.25}, {"flightMode": 6}, {"flightMode": "ready"}])
def test_a_frame_has_only_what_the_message_has(fields: dict[str, object]) -> None:
    decoded = decode_frame(encode_protobuf(message("drone-1", 0, fields, key_frame=False)))
    numbered = {**fields, "flightMode": 1} if fields.get("flightMode") == "ready" else fields
    assert decoded == {"deviceId": "drone-1", "keyFrame": False, **numbered}


def test_a_frame_without_a_device() -> None:
    assert decode_frame(encode_protobuf({"battery": 0.5})) == {"battery": 0.5, "keyFrame": False}


def test_a_drones_own_sample_has_all_fields() -> None:
    assert Drone(0, 0).sample().keys() == SAMPLE.keys()
