"""One message in each format, as public specifications have it; the numbers are invented."""

from __future__ import annotations

from typing import Any

TOPIC = "thing/product/1581F5FJD228400B/osd"
NATIVE: dict[str, Any] = {"deviceId": "falcon-1", "timestamp": "2026-01-01T00:00:01Z", "battery": 0.5}
DJI_OSD: dict[str, Any] = {
    "tid": "t",
    "bid": "b",
    "timestamp": 1767225600123,
    "gateway": "4TADKAQ000002J",
    "data": {
        "mode_code": 5,
        "latitude": 52.51,
        "longitude": 13.4,
        "height": 148.2,
        "elevation": 61.0,
        "attitude_head": -47.5,
        "horizontal_speed": 11.2,
        "vertical_speed": -0.5,
        "battery": {"capacity_percent": 64},
        "position_state": {"is_fixed": 2, "gps_number": 17},
    },
}
MAVLINK_POSITION: dict[str, Any] = {
    "header": {"system_id": 7, "component_id": 1, "sequence": 12},
    "message": {
        "type": "GLOBAL_POSITION_INT",
        "time_boot_ms": 812340,
        "lat": 525100000,
        "lon": 134000000,
        "alt": 96100,
        "relative_alt": 61000,
        "vx": -310,
        "vy": 40,
        "vz": -12,
        "hdg": 10600,
    },
}
MAVLINK_STATUS: dict[str, Any] = {
    "header": {"system_id": 7, "component_id": 1, "sequence": 13},
    "message": {"type": "SYS_STATUS", "battery_remaining": -1, "voltage_battery": 15200},
}
MAVLINK_HEARTBEAT: dict[str, Any] = {
    "header": {"system_id": 7, "component_id": 1, "sequence": 14},
    "message": {
        "type": "HEARTBEAT",
        "custom_mode": 4,
        "mavtype": {"type": "MAV_TYPE_QUADROTOR"},
        "autopilot": {"type": "MAV_AUTOPILOT_ARDUPILOTMEGA"},
        "base_mode": {"bits": 209},
        "system_status": {"type": "MAV_STATE_ACTIVE"},
        "mavlink_version": 3,
    },
}
RID_STATE: dict[str, Any] = {
    "timestamp": {"value": "2026-01-01T00:00:00.1Z", "format": "RFC3339"},
    "operational_status": "Airborne",
    "position": {"lat": 52.51, "lng": 13.4, "alt": 148.0, "accuracy_h": "HAUnknown"},
    "height": {"distance": 61.0, "reference": "TakeoffLocation"},
    "track": 361,
    "speed": 255,
    "vertical_speed": 63,
}


def cloud_event(data: Any, subject: str | None = None) -> dict[str, Any]:
    """Structured, as Event Grid's MQTT broker routes a message."""
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "mqtt/broker",
        "type": "MQTT.EventPublished",
        "datacontenttype": "application/json",
        "data": data,
    }
    return event if subject is None else {**event, "subject": subject}
