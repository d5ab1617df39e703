"""What each word of the vocabulary means, in a sentence for people: docs/messages.md is made of it."""

from __future__ import annotations

from telemetry.fields import FIELDS, Field
from telemetry.rules import Rules
from telemetry.vocabulary import AlertCode, ErrorCode, Flag

_ERRORS: dict[ErrorCode, str] = {
    "empty_body": "The event has no body.",
    "too_large": "It unpacks to more than 16 MiB.",
    "unreadable_body": "The hub's client could not read the body (an AMQP value or sequence that has no JSON).",
    "unsupported_content_encoding": "The content encoding is none of gzip, deflate, zstd and br.",
    "malformed_encoding": "A deflate, zstd or brotli stream that is broken or cut off.",
    "malformed_gzip": "A gzip stream that is broken or cut off.",
    "malformed_json": "No strict JSON: UTF-8, no NaN, no lone surrogates, nested at most 64 deep.",
    "malformed_protobuf": "Neither JSON nor a frame as the reference's devices send it.",
    "too_many_messages": "More than 10,000 messages in one event.",
    "not_an_object": "A message must be an object.",
    "wrong_type": "The value has another JSON type than its field; numbers in strings are not numbers.",
    "missing_device_id": "Nobody says which drone it is.",
    "invalid_device_id": "Not 1 to 64 letters, digits and `._:-`, or it begins with one of those.",
    "invalid_timestamp": "No time; the detail says what is missing, or what it looks like.",
    "timestamp_in_future": "More than `FUTURE_TOLERANCE_SECONDS` after the hub took the event.",
    "device_id_mismatch": "The body names another drone than the gateway (`DEVICE_ID_SOURCE`).",
    "unknown_flight_mode": "A name that is none of the modes.",
}


def _of_field(field: Field) -> str:
    if field.limits is not None:
        return "Outside of `ALTITUDE_RANGE_METRES`."
    return f"`{field.path}` {field.range_text(Rules())}."


ERRORS: dict[ErrorCode, str] = {
    **_ERRORS,
    **{field.code: _of_field(field) for field in FIELDS if field.code is not None and field.code not in _ERRORS},
}

FLAGS: dict[Flag, str] = {
    "no_gps_fix": "Latitude and longitude are exactly 0: they are passed over, the rest counts.",
    "unknown_flight_mode_number": "A number without a name: kept as `unknown`, with the number.",
    "unregistered_device": "There is a registry, and this drone is not in it.",
    "misplaced_fields": "A field's name at the wrong place, or a usual other name for one (`lat`, `time`, "
    "`batteryPercent`): kept in `extra`, and nothing moves by it.",
    "implausible_clock": "The drone's time is before `TIMESTAMP_NOT_BEFORE`: the hub's counts, what the drone said is "
    "kept in `extra.deviceTime`.",
}

ALERTS: dict[AlertCode, str] = {
    "low_battery": "`battery` is below `LOW_BATTERY`.",
    "sensor_unhealthy": "A sensor of `health` is false.",
    "no_fly_zone": "It is inside a zone of kind `no_fly`.",
    "outside_geofence": "There are zones of kind `geofence`, and it is inside none.",
    "altitude_limit": "It is higher than `ALTITUDE_LIMIT_METRES`, or than its geofence's ceiling.",
    "telemetry_delayed": "It is online, but its newest message is more than `STALE_SECONDS` older than what the hub "
    "took last, or newer by so much than what it says now: a backlog, or a clock that is wrong.",
}
