"""Every closed list of words of the domain, each defined once; what names one of them is checked by the type checker.

OpenAPI, query parameters, the simulator, the page and docs/messages.md take them from here.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

FlightMode = Literal["unknown", "ready", "takeoff", "inflight", "landing", "offline"]
FLIGHT_MODES: Final[tuple[FlightMode, ...]] = get_args(FlightMode)
"""Names by number, as the reference's enum has them."""
FLIGHT_MODE_NUMBERS: Final[dict[str, int]] = {name: number for number, name in enumerate(FLIGHT_MODES)}

Connectivity = Literal["online", "stale", "offline"]
CONNECTIVITY: Final[tuple[Connectivity, ...]] = get_args(Connectivity)
ONLINE, STALE, OFFLINE = CONNECTIVITY

TimeSource = Literal["device", "gateway", "hub"]
TIME_SOURCES: Final[tuple[TimeSource, ...]] = get_args(TimeSource)

DeviceIdSource = Literal["body", "iothub", "partition_key"]
DEVICE_ID_SOURCES: Final[tuple[DeviceIdSource, ...]] = get_args(DeviceIdSource)
"""Who names the device."""

Format = Literal["json", "protobuf", "dji", "mavlink", "f3411"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
"""What a message was read from: the native JSON, the reference's frame, and what ``telemetry.formats`` reads."""

AltitudeReference = Literal["msl", "wgs84", "takeoff"]
ALTITUDE_REFERENCES: Final[tuple[AltitudeReference, ...]] = get_args(AltitudeReference)
"""Mean sea level, the ellipsoid, the take-off point."""

Sensor = Literal["gyrometer", "accelerometer", "magnetometer"]
SENSORS: Final[tuple[Sensor, ...]] = get_args(Sensor)

ZoneKind = Literal["no_fly", "geofence"]
ZONE_KINDS: Final[tuple[ZoneKind, ...]] = get_args(ZoneKind)
NO_FLY, GEOFENCE = ZONE_KINDS

AlertCode = Literal[
    "low_battery", "sensor_unhealthy", "no_fly_zone", "outside_geofence", "altitude_limit", "telemetry_delayed"
]
ALERT_CODES: Final[tuple[AlertCode, ...]] = get_args(AlertCode)

Flag = Literal[
    "no_gps_fix", "unknown_flight_mode_number", "unregistered_device", "misplaced_fields", "implausible_clock"
]
FLAGS: Final[tuple[Flag, ...]] = get_args(Flag)
CONTEXT_LEFT_OUT: Final = "context_left_out"
"""A flag of the form ``context_left_out:NAME`` for each property that did not fit beside an event."""

LetterStatus = Literal["open", "replayed", "discarded"]
LETTER_STATUSES: Final[tuple[LetterStatus, ...]] = get_args(LetterStatus)
OPEN, REPLAYED, DISCARDED = LETTER_STATUSES
"""Of a dead letter."""

EventErrorCode = Literal[
    "empty_body",
    "too_large",
    "unreadable_body",
    "unsupported_content_encoding",
    "malformed_encoding",
    "malformed_gzip",
    "malformed_json",
    "malformed_protobuf",
    "too_many_messages",
]
EVENT_ERROR_CODES: Final[tuple[EventErrorCode, ...]] = get_args(EventErrorCode)
"""Why an event as a whole cannot be read."""

MessageErrorCode = Literal[
    "not_an_object",
    "wrong_type",
    "missing_device_id",
    "invalid_device_id",
    "invalid_timestamp",
    "timestamp_in_future",
    "device_id_mismatch",
    "battery_out_of_range",
    "unknown_flight_mode",
    "latitude_out_of_range",
    "longitude_out_of_range",
    "altitude_out_of_range",
    "height_out_of_range",
    "unknown_altitude_reference",
    "ground_speed_out_of_range",
    "heading_out_of_range",
    "vertical_speed_out_of_range",
    "signal_out_of_range",
    "mission_too_long",
]
MESSAGE_ERROR_CODES: Final[tuple[MessageErrorCode, ...]] = get_args(MessageErrorCode)
"""Which rule a message breaks."""

ErrorCode = Literal[EventErrorCode, MessageErrorCode]
ERROR_CODES: Final[tuple[ErrorCode, ...]] = (*EVENT_ERROR_CODES, *MESSAGE_ERROR_CODES)
