"""Other people's formats, through the same door as every event: what is accepted, as what, and what is no message."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from telemetry.model import DeadLetter, Delivery, EventContext, Message
from telemetry.rules import Rules
from telemetry.validation import check_event, validate_batch, validate_dead_letter
from tests.support.other_formats import (
    DJI_OSD,
    MAVLINK_HEARTBEAT,
    MAVLINK_POSITION,
    MAVLINK_STATUS,
    NATIVE,
    RID_STATE,
    TOPIC,
    cloud_event,
)

ENQUEUED = "2026-01-01T00:00:10.000000Z"
RULES = Rules()


def validated(
    body: Any,
    context: EventContext | None = None,
    content_type: str | None = None,
    rules: Rules = RULES,
) -> tuple[list[Message], list[DeadLetter]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    delivery = Delivery("hub", "0", 7, "0", ENQUEUED, data, content_type, None, context)
    result = validate_batch([delivery], rules, "batch", ENQUEUED)
    return result.messages, result.dead_letters


def accepted(body: Any, context: EventContext | None = None, **more: Any) -> dict[str, Any]:
    messages, letters = validated(body, context, **more)
    assert letters == []
    assert len(messages) == 1
    return dict(messages[0])


def rejected(body: Any, context: EventContext | None = None, **more: Any) -> set[str]:
    messages, letters = validated(body, context, **more)
    assert messages == []
    return {error["code"] for letter in letters for error in letter["errors"]}


def nothing(body: Any, context: EventContext | None = None, **more: Any) -> bool:
    return validated(body, context, **more) == ([], [])


def topic(text: str, name: str = "topic") -> EventContext:
    return {"properties": {name: text}}


def place(message: dict[str, Any]) -> dict[str, Any]:
    """The position with what an older table of fields would keep apart."""
    return {**message.get("extra", {}).get("position", {}), **message.get("position", {})}


class TestDji:
    def test_an_osd_push_with_its_topic(self) -> None:
        for name in ("topic", "mqtt-topic", "MQTT-Topic"):
            message = accepted(DJI_OSD, topic(TOPIC, name))
            assert message["deviceId"] == "1581F5FJD228400B"
            assert message["format"] == "dji"
            assert (message["time"], message["timeSource"]) == ("2026-01-01T00:00:00.123000Z", "device")
            assert place(message) == {
                "latitude": 52.51,
                "longitude": 13.4,
                "altitude": 148.2,
                "height": 61.0,
                "altitudeReference": "wgs84",
            }
            assert message["battery"] == 0.64
            assert message["heading"] == 312.5
            assert message["groundSpeed"] == 11.2
            assert message["flightMode"] == "inflight"
            assert message["extra"]["dji"]["mode_code"] == 5
            assert message["extra"]["dji"]["position_state"] == {"is_fixed": 2, "gps_number": 17}
            assert message["extra"]["cloudApi"] == {"tid": "t", "bid": "b"}
            assert message["flags"] == []

    def test_a_push_sent_again_in_another_envelope_is_the_same_message(self) -> None:
        again = {**DJI_OSD, "tid": "other", "bid": "other"}
        assert accepted(DJI_OSD, topic(TOPIC))["id"] == accepted(again, topic(TOPIC))["id"]
        bare, enveloped = accepted(DJI_OSD, topic(TOPIC)), accepted(cloud_event(DJI_OSD, TOPIC))
        assert bare["id"] == enveloped["id"]

    def test_a_partial_push_says_only_what_it_says(self) -> None:
        message = accepted(
            {"timestamp": 1767225600123, "gateway": "4TADKAQ000002J", "data": {"battery": {"capacity_percent": 63}}},
            topic(TOPIC.replace("osd", "state")),
        )
        assert message["battery"] == 0.63
        assert "position" not in message
        assert "flightMode" not in message

    def test_docks_and_remotes_and_other_topics_are_no_message(self) -> None:
        dock = {**DJI_OSD, "gateway": "1581F5FJD228400B"}
        assert nothing(dock, topic(TOPIC))
        for other in ("events", "services", "services_reply", "requests", "status"):
            assert nothing(DJI_OSD, topic(f"thing/product/1581F5FJD228400B/{other}"))

    @pytest.mark.parametrize(
        ("code", "mode"),
        [
            (0, "ready"),
            (2, "ready"),
            (3, "inflight"),
            (4, "takeoff"),
            (9, "inflight"),
            (11, "landing"),
            (14, "offline"),
        ],
    )
    def test_modes(self, code: int, mode: str) -> None:
        assert accepted({**DJI_OSD, "data": {"mode_code": code}}, topic(TOPIC))["flightMode"] == mode

    def test_a_mode_nobody_knows_says_none_and_is_kept(self) -> None:
        message = accepted({**DJI_OSD, "data": {"mode_code": 99}}, topic(TOPIC))
        assert "flightMode" not in message
        assert message["extra"]["dji"]["mode_code"] == 99

    def test_without_a_topic_the_device_is_the_contexts_or_missing(self) -> None:
        assert rejected(DJI_OSD) == {"missing_device_id"}
        by_key = Rules(device_id_source="partition_key")
        assert accepted(DJI_OSD, {"partitionKey": "falcon-1"}, rules=by_key)["deviceId"] == "falcon-1"

    def test_a_serial_that_is_not_the_devices_is_a_mismatch(self) -> None:
        rules = Rules(device_id_source="iothub")
        context: EventContext = {**topic(TOPIC), "system": {"iothub-connection-device-id": "falcon-1"}}
        assert rejected(DJI_OSD, context, rules=rules) == {"device_id_mismatch"}
        context["system"]["iothub-connection-device-id"] = "1581F5FJD228400B"
        assert accepted(DJI_OSD, context, rules=rules)["deviceId"] == "1581F5FJD228400B"

    def test_wrong_values_are_named(self) -> None:
        data = {"latitude": 95, "battery": {"capacity_percent": "64"}, "horizontal_speed": -3}
        assert rejected({**DJI_OSD, "data": data}, topic(TOPIC)) == {
            "latitude_out_of_range",
            "wrong_type",
            "ground_speed_out_of_range",
        }
        assert "not_an_object" in rejected({**DJI_OSD, "data": [1]}, topic(TOPIC))

    def test_no_fix(self) -> None:
        message = accepted({**DJI_OSD, "data": {"latitude": 0, "longitude": 0}}, topic(TOPIC))
        assert message["flags"] == ["no_gps_fix"]
        assert "position" not in message


class TestMavlink:
    def test_a_position(self) -> None:
        message = accepted(MAVLINK_POSITION)
        assert (message["deviceId"], message["format"], message["timeSource"]) == ("mav-7", "mavlink", "hub")
        assert place(message) == {
            "latitude": 52.51,
            "longitude": 13.4,
            "altitude": 96.1,
            "height": 61.0,
            "altitudeReference": "msl",
        }
        assert (message["groundSpeed"], message["heading"]) == (3.126, 106.0)
        assert message["extra"]["mavlink"]["time_boot_ms"] == 812340
        assert message["extra"]["mavlink"]["header"]["sequence"] == 12

    def test_what_is_unknown_is_absent(self) -> None:
        assert "battery" not in accepted(MAVLINK_STATUS)
        unknown = {**MAVLINK_POSITION["message"], "hdg": 65535}
        assert "heading" not in accepted({**MAVLINK_POSITION, "message": unknown})

    def test_health_counts_only_of_sensors_that_are_there_and_on(self) -> None:
        status = {
            "type": "SYS_STATUS",
            "onboard_control_sensors_present": {"bits": 7},
            "onboard_control_sensors_enabled": "MAV_SYS_STATUS_SENSOR_3D_GYRO | MAV_SYS_STATUS_SENSOR_3D_ACCEL",
            "onboard_control_sensors_health": 1,
            "battery_remaining": 71,
        }
        message = accepted({**MAVLINK_STATUS, "message": status})
        assert message["health"] == {"gyrometer": True, "accelerometer": False}
        assert message["battery"] == 0.71

    @pytest.mark.parametrize(
        ("change", "mode"),
        [
            ({"base_mode": {"bits": 81}}, "ready"),
            ({"base_mode": "MAV_MODE_FLAG_CUSTOM_MODE_ENABLED"}, "ready"),
            ({"base_mode": {"bits": 209}}, "inflight"),
            ({"base_mode": "MAV_MODE_FLAG_SAFETY_ARMED | MAV_MODE_FLAG_CUSTOM_MODE_ENABLED"}, "inflight"),
            ({"base_mode": 209, "system_status": {"type": "MAV_STATE_STANDBY"}}, "ready"),
            ({"base_mode": 209, "system_status": 3}, "ready"),
            ({"base_mode": 209, "custom_mode": 9}, "landing"),
            ({"base_mode": 209, "custom_mode": 9, "mavtype": {"type": "MAV_TYPE_FIXED_WING"}}, "inflight"),
            ({"base_mode": 209, "custom_mode": 13, "mavtype": {"type": "MAV_TYPE_FIXED_WING"}}, "takeoff"),
            ({"base_mode": 209, "custom_mode": 20, "mavtype": "MAV_TYPE_VTOL_QUADROTOR"}, "landing"),
            ({"base_mode": 209, "autopilot": 12, "custom_mode": 4 << 16 | 2 << 24}, "takeoff"),
            ({"base_mode": 209, "autopilot": {"type": "MAV_AUTOPILOT_PX4"}, "custom_mode": 0x06040000}, "landing"),
            ({"base_mode": 209, "autopilot": 12, "custom_mode": 9}, "inflight"),
        ],
    )
    def test_heartbeats(self, change: dict[str, Any], mode: str) -> None:
        heartbeat = {**MAVLINK_HEARTBEAT, "message": {**MAVLINK_HEARTBEAT["message"], **change}}
        message = accepted(heartbeat)
        assert message["flightMode"] == mode
        assert message["extra"]["mavlink"]["base_mode"] == change["base_mode"]

    @pytest.mark.parametrize(
        ("state", "mode"), [(1, "ready"), (2, "inflight"), ({"type": "MAV_LANDED_STATE_LANDING"}, "landing")]
    )
    def test_landed_states(self, state: Any, mode: str) -> None:
        message = {"type": "EXTENDED_SYS_STATE", "landed_state": state, "vtol_state": 0}
        assert accepted({**MAVLINK_HEARTBEAT, "message": message})["flightMode"] == mode

    def test_ground_stations_payloads_and_other_types_are_no_message(self) -> None:
        for change in (
            {"mavtype": {"type": "MAV_TYPE_GCS"}, "autopilot": {"type": "MAV_AUTOPILOT_INVALID"}},
            {"mavtype": {"type": "MAV_TYPE_GIMBAL"}},
            {"mavtype": 30},
            {"autopilot": 8},
        ):
            assert nothing({**MAVLINK_HEARTBEAT, "message": {**MAVLINK_HEARTBEAT["message"], **change}})
        camera = {"system_id": 7, "component_id": 100, "sequence": 1}
        assert nothing({**MAVLINK_POSITION, "header": camera})
        for kind in ("ATTITUDE", "PARAM_VALUE", "SYSTEM_TIME", "GPS_RAW_INT", "COMMAND_LONG"):
            assert nothing({**MAVLINK_POSITION, "message": {**MAVLINK_POSITION["message"], "type": kind}})

    def test_the_time_it_was_heard(self) -> None:
        status = {"time": {"last_update": "2026-01-01T01:00:05.214212884+01:00", "counter": 3}}
        message = accepted({**MAVLINK_POSITION, "status": status})
        assert (message["time"], message["timeSource"]) == ("2026-01-01T00:00:05.214212Z", "gateway")

    def test_whose_it_is_when_the_context_names_one(self) -> None:
        by_key = Rules(device_id_source="partition_key")
        assert accepted(MAVLINK_POSITION, {"partitionKey": "falcon-1"}, rules=by_key)["deviceId"] == "falcon-1"
        iothub = Rules(device_id_source="iothub")
        named: EventContext = {"system": {"iothub-connection-device-id": "mav-7"}}
        assert accepted(MAVLINK_POSITION, named, rules=iothub)["deviceId"] == "mav-7"
        other: EventContext = {"system": {"iothub-connection-device-id": "mav-8"}}
        assert rejected(MAVLINK_POSITION, other, rules=iothub) == {"device_id_mismatch"}


BY_KEY = Rules(device_id_source="partition_key")
NAMED: EventContext = {"partitionKey": "falcon-1"}


class TestF3411:
    def state(self, **change: Any) -> dict[str, Any]:
        return accepted({**RID_STATE, **change}, NAMED, rules=BY_KEY)

    def test_a_state_and_its_sentinels(self) -> None:
        message = self.state()
        assert (message["deviceId"], message["format"]) == ("falcon-1", "f3411")
        assert (message["time"], message["timeSource"]) == ("2026-01-01T00:00:00.100000Z", "device")
        assert place(message) == {
            "latitude": 52.51,
            "longitude": 13.4,
            "altitude": 148.0,
            "height": 61.0,
            "altitudeReference": "wgs84",
        }
        assert message["flightMode"] == "inflight"
        for absent in ("heading", "groundSpeed", "verticalSpeed"):
            assert absent not in message
            assert absent not in message["extra"]
        assert message["extra"]["f3411"]["position"] == {"accuracy_h": "HAUnknown"}
        assert message["extra"]["f3411"]["operational_status"] == "Airborne"

    def test_what_is_known(self) -> None:
        message = self.state(track=106.5, speed=11.25, operational_status="Ground")
        assert (message["heading"], message["groundSpeed"], message["flightMode"]) == (106.5, 11.25, "ready")

    def test_unknown_heights_and_heights_above_the_ground_are_no_heights(self) -> None:
        position = {"lat": 52.51, "lng": 13.4, "alt": -1000}
        unknown = self.state(position=position, height={"distance": -1000, "reference": "TakeoffLocation"})
        assert place(unknown) == {"latitude": 52.51, "longitude": 13.4}
        ground = self.state(position=position, height={"distance": 20, "reference": "GroundLevel"})
        assert "height" not in place(ground)
        assert ground["extra"]["f3411"]["height"] == {"distance": 20, "reference": "GroundLevel"}

    def test_the_height_inside_the_position_as_in_the_newer_standard(self) -> None:
        position = {"lat": 52.51, "lng": 13.4, "height": {"distance": 12.5, "reference": "TakeoffLocation"}}
        state = {name: value for name, value in RID_STATE.items() if name != "height"}
        message = accepted({**state, "position": position}, NAMED, rules=BY_KEY)
        assert place(message)["height"] == 12.5

    def test_no_name_no_device(self) -> None:
        assert rejected(RID_STATE) == {"missing_device_id"}

    def test_emergencies_say_no_mode(self) -> None:
        assert "flightMode" not in self.state(operational_status="Emergency")
        assert "flightMode" not in self.state(operational_status="Undeclared")


class TestCloudEvents:
    def test_structured_native(self) -> None:
        event = cloud_event(NATIVE, "telemetry/falcon-1")
        message = accepted(event, content_type="application/cloudevents+json; charset=utf-8")
        assert message["format"] == "json"
        assert message["extra"]["cloudEvent"] == {
            "id": "1",
            "source": "mqtt/broker",
            "type": "MQTT.EventPublished",
            "subject": "telemetry/falcon-1",
        }
        bare = accepted(NATIVE)
        assert message["id"] == bare["id"]
        assert message["deviceId"] == "falcon-1"
        assert message["battery"] == 0.5

    def test_its_time_counts_where_the_message_has_none(self) -> None:
        timeless = {"deviceId": "falcon-1", "battery": 0.5}
        message = accepted({**cloud_event(timeless), "time": "2026-01-01T00:00:03Z"})
        assert (message["time"], message["timeSource"]) == ("2026-01-01T00:00:03.000000Z", "gateway")
        timed = accepted({**cloud_event(NATIVE), "time": "2026-01-01T00:00:03Z"})
        assert (timed["time"], timed["timeSource"]) == ("2026-01-01T00:00:01.000000Z", "device")

    @pytest.mark.parametrize("prefix", ["cloudEvents_", "cloudEvents:", "ce-", "ce_"])
    def test_binary(self, prefix: str) -> None:
        attributes = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "time": "2026-01-01T00:00:03Z"}
        context: EventContext = {"properties": {prefix + name: value for name, value in attributes.items()}}
        message = accepted({"deviceId": "falcon-1"}, context)
        assert message["extra"] == {"cloudEvent": {"id": "1", "source": "s", "type": "t"}}
        assert message["timeSource"] == "gateway"
        context["properties"][prefix + "subject"] = TOPIC
        assert accepted(DJI_OSD, context)["deviceId"] == "1581F5FJD228400B"

    def test_base64_of_anything(self) -> None:
        for data in (
            json.dumps(NATIVE).encode(),
            gzip.compress(json.dumps(NATIVE).encode()),
        ):
            event = cloud_event(None)
            del event["data"]
            event["data_base64"] = base64.b64encode(data).decode()
            assert accepted(event)["id"] == accepted(NATIVE)["id"]

    def test_a_frame_in_base64(self) -> None:
        event = {**cloud_event(None), "data_base64": base64.b64encode(b"\x0a\x01d\x11" + bytes(8)).decode()}
        event["datacontenttype"] = "application/x-protobuf"
        del event["data"]
        message = accepted(event)
        assert (message["deviceId"], message["battery"], message["format"]) == ("d", 0.0, "protobuf")

    def test_a_batch_and_an_array_inside(self) -> None:
        batch = [cloud_event({"deviceId": f"d{n}", "battery": 0.1}) for n in range(3)]
        messages, letters = validated(batch, content_type="application/cloudevents-batch+json")
        assert [m["deviceId"] for m in messages] == ["d0", "d1", "d2"]
        assert letters == []
        inside = cloud_event([{"deviceId": "a"}, {"deviceId": "b", "battery": 7}, {"deviceId": "c"}])
        messages, letters = validated(inside)
        assert [m["deviceId"] for m in messages] == ["a", "c"]
        assert [(letter["deviceId"], letter["index"]) for letter in letters] == [("b", 1)]

    def test_a_dead_letter_replays_to_what_it_was(self) -> None:
        inside = cloud_event([{"deviceId": "a"}, {"battery": 0.5}])
        _, letters = validated(inside)
        event = json.loads(base64.b64decode(letters[0]["body"]))
        assert event == {**cloud_event(None), "data": {"battery": 0.5}}
        again, errors = validate_dead_letter(letters[0], RULES)
        assert again == []
        assert {e["code"] for e in errors} == {"missing_device_id"}

    def test_every_format_inside_is_the_same_message(self) -> None:
        by_key = Rules(device_id_source="partition_key")
        context: EventContext = {"partitionKey": "falcon-1"}
        bare, inside = (
            accepted(RID_STATE, context, rules=by_key),
            accepted(cloud_event(RID_STATE), context, rules=by_key),
        )
        assert bare["id"] == inside["id"]
        assert inside["format"] == "f3411"
        assert accepted(cloud_event(MAVLINK_POSITION))["deviceId"] == "mav-7"
        assert nothing(cloud_event({**DJI_OSD, "gateway": "1581F5FJD228400B"}, TOPIC))

    def test_what_is_wrong_with_an_envelope_is_said(self) -> None:
        empty = cloud_event(None)
        del empty["data"]
        assert rejected(empty) == {"empty_body"}
        assert rejected({**empty, "data_base64": "!!"}) == {"malformed_encoding"}
        assert rejected({**empty, "data_base64": base64.b64encode(b"{").decode()}) == {"malformed_json"}
        assert rejected({**empty, "data": "hello"}) == {"malformed_json"}
        assert "not_an_object" in rejected({**empty, "data": 7})

    def test_text_that_holds_json_is_read(self) -> None:
        assert accepted(cloud_event(json.dumps(NATIVE)))["id"] == accepted(NATIVE)["id"]

    def test_envelopes_without_end_are_refused(self) -> None:
        event: Any = NATIVE
        for _ in range(4):
            event = cloud_event(event)
        assert accepted(event)["deviceId"] == "falcon-1"
        assert rejected(cloud_event(event)) == {"malformed_json"}


class TestNative:
    def test_nothing_native_is_taken_for_another_format(self) -> None:
        for extra in ({"header": {}, "message": {"type": "x"}}, {"data": {}, "gateway": "g"}, {"specversion": "1.0"}):
            message = accepted({"deviceId": "d", **extra})
            assert message["format"] == "json"

    def test_over_http_too(self) -> None:
        body = json.dumps(cloud_event(DJI_OSD, TOPIC)).encode()
        taken, wrong = check_event(body, "application/cloudevents+json", None, RULES, ENQUEUED)
        assert wrong == []
        assert [(source, message["deviceId"]) for source, message in taken] == [
            (cloud_event(DJI_OSD, TOPIC), "1581F5FJD228400B")
        ]
