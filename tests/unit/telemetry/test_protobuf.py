from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.protobuf import decode_frame
from telemetry.rejection import EventRejected
from tests.support.frames import frame
from tests.support.messages import accept, codes, reject

doubles = st.floats(allow_nan=False)
positions = st.fixed_dictionaries({}, optional={"latitude": doubles, "longitude": doubles, "altitude": doubles})
sensors = st.fixed_dictionaries(
    {}, optional={"gyrometer": st.booleans(), "accelerometer": st.booleans(), "magnetometer": st.booleans()}
)
frames = st.fixed_dictionaries(
    {},
    optional={
        "deviceId": st.text(),
        "battery": doubles,
        "flightMode": st.integers(-(1 << 31), (1 << 31) - 1),
        "position": positions,
        "health": sensors,
        "keyFrame": st.booleans(),
    },
)
NO_POSITION = {"latitude": 0.0, "longitude": 0.0, "altitude": 0.0}
NO_HEALTH = {"gyrometer": False, "accelerometer": False, "magnetometer": False}


@given(frames)
def test_reads_what_googles_writer_wrote(fields: dict[str, object]) -> None:
    expected = dict(fields)
    for group, defaults in (("position", NO_POSITION), ("health", NO_HEALTH)):
        if group in fields:
            expected[group] = {**defaults, **fields[group]}  # type: ignore[dict-item]
    if expected.get("position") == NO_POSITION:  # which says nothing
        expected["position"] = {"latitude": 0.0, "longitude": 0.0}
    assert decode_frame(frame(**fields)) == expected


def test_a_recorded_frame_of_the_reference_device() -> None:
    body = (
        b"\x0a\x07drone-0\x11" + struct.pack("<d", 0.98) + b"\x18\x06\x22\x1b"
        b"\x09"
        + struct.pack("<d", 47.476075)
        + b"\x11"
        + struct.pack("<d", -122.192026)
        + b"\x19"
        + struct.pack("<d", 0.0)
        + b"\x2a\x06\x08\x01\x10\x01\x18\x00\x30\x01"
    )
    message = accept(body)
    assert message["deviceId"] == "drone-0"
    assert message["battery"] == 0.98
    assert (message["flightMode"], message["flightModeNumber"]) == ("unknown", 6)
    assert message["flags"] == ["unknown_flight_mode_number"]
    assert message["position"] == {"latitude": 47.476075, "longitude": -122.192026, "altitude": 0.0}
    assert message["health"] == {"gyrometer": True, "accelerometer": True, "magnetometer": False}
    assert message["keyFrame"] is True
    assert message["timeSource"] == "hub"
    assert message["time"] == message["enqueuedAt"]


def test_missing_top_level_fields_are_unchanged_and_missing_parts_are_defaults() -> None:
    message = accept(frame(deviceId="drone-1", position={"latitude": 1.5}))
    assert message["position"] == {"latitude": 1.5, "longitude": 0.0, "altitude": 0.0}
    assert not {"battery", "flightMode", "health"} & message.keys()
    assert message["keyFrame"] is False
    assert accept(frame(deviceId="drone-1", health={}))["health"] == NO_HEALTH


def test_an_empty_position_group_is_no_fix() -> None:
    message = accept(frame(deviceId="drone-1", position={}))
    assert message["flags"] == ["no_gps_fix"]
    assert "position" not in message


def test_unknown_fields_of_every_wire_type_are_skipped() -> None:
    unknown = b"\x38\x96\x01" + b"\x41" + bytes(8) + b"\x4a\x03abc" + b"\x55" + bytes(4)
    group = b"\x5b\x08\x01\x11" + bytes(8) + b"\x1a\x01x\x25" + bytes(4) + b"\x63\x64\x5c"
    assert decode_frame(unknown + frame(deviceId="d") + group) == {"deviceId": "d"}


def test_the_last_of_several_counts_and_groups_are_merged() -> None:
    body = frame(deviceId="a", position={"latitude": 1.0, "altitude": 5.0}) + frame(
        deviceId="b", position={"latitude": 2.0}
    )
    assert decode_frame(body) == {"deviceId": "b", "position": {"latitude": 2.0, "longitude": 0.0, "altitude": 5.0}}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\x08\x01", id="deviceId as varint"),
        pytest.param(b"\x15\x00\x00\x00\x00", id="battery as float"),
        pytest.param(b"\x1a\x01\x03", id="flightMode as bytes"),
        pytest.param(b"\x20\x01", id="position as varint"),
        pytest.param(b"\x22\x05\x0d\x00\x00\x00\x00", id="latitude as float"),
        pytest.param(b"\x2d\x00\x00\x00\x00", id="health as fixed32"),
        pytest.param(b"\x2a\x03\x0a\x01\x01", id="gyrometer as bytes"),
        pytest.param(b"\x31" + bytes(8), id="keyFrame as fixed64"),
        pytest.param(b"\x0b\x0c", id="deviceId as group"),
        pytest.param(b"\x0a\x02\xff\xfe", id="deviceId not UTF-8"),
        pytest.param(b"\x0a", id="no length"),
        pytest.param(b"\x0a\x05abc", id="bytes cut off"),
        pytest.param(b"\x11\x00\x00", id="double cut off"),
        pytest.param(b"\x3d\x00", id="fixed32 cut off"),
        pytest.param(b"\x18", id="varint missing"),
        pytest.param(b"\x18\x80\x80", id="varint cut off"),
        pytest.param(b"\x18" + b"\xff" * 10 + b"\x01", id="varint too long"),
        pytest.param(b"\x00\x01", id="field number 0"),
        pytest.param(b"\x3e", id="wire type 6"),
        pytest.param(b"\x3f", id="wire type 7"),
        pytest.param(b"\x3c", id="group end without start"),
        pytest.param(b"\x3b", id="group never ends"),
        pytest.param(b"\x3b\x44", id="group ends with another number"),
        pytest.param(b"\x3b\x41\x00", id="double cut off in a group"),
        pytest.param(b"\x3b" * 70 + b"\x3c" * 70, id="groups nested too deep"),
    ],
)
def test_malformed_frames(body: bytes) -> None:
    with pytest.raises(EventRejected) as rejected:
        decode_frame(body)
    assert rejected.value.error["code"] == "malformed_protobuf"
    assert codes(reject(body, content_type="application/x-protobuf")) == [("malformed_protobuf", None)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.5])
def test_numbers_that_are_no_battery(value: float) -> None:
    errors = reject(frame(deviceId="d", battery=value))
    assert codes(errors) == [("battery_out_of_range", "battery")]


def test_a_negative_flight_mode_is_kept_and_flagged() -> None:
    message = accept(frame(deviceId="d", flightMode=-2))
    assert (message["flightMode"], message["flightModeNumber"]) == ("unknown", -2)
    assert message["flags"] == ["unknown_flight_mode_number"]


def test_a_frame_without_device() -> None:
    assert codes(reject(frame(battery=0.5))) == [("missing_device_id", "deviceId")]
