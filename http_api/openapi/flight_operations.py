"""Flights."""

from __future__ import annotations

from http_api.openapi.parts import (
    CONTINUATION,
    COUNT,
    EVERY,
    FROM,
    LIMIT,
    NUMBER,
    STRING,
    TIME,
    TO,
    TRACK_CONTENT,
    Json,
    answer,
    array,
    listing,
    nullable,
    operation,
    path,
    query,
    record,
    ref,
)
from http_api.openapi.schemas import ALERT_CODE
from telemetry import schema
from telemetry.export import FORMATS
from telemetry.flights import STATUSES

_PAGING = (
    {**FROM, "description": "Flights that overlap the range; inclusive."},
    {**TO, "description": "Exclusive."},
    LIMIT,
    CONTINUATION,
)
_FLIGHT_ID = path("id", "Made of the drone and the start.")
_METRES = nullable({**NUMBER, "description": "Metres."})

FLIGHT_SCHEMAS: Json = {
    "Flight": record(
        {
            "id": STRING,
            "deviceId": STRING,
            "startedAt": {**TIME, "description": "Message time of its first message."},
            "endedAt": nullable({**TIME, "description": "Message time of its last message; null while it is ongoing."}),
            "status": {"type": "string", "enum": list(STATUSES)},
            "durationSeconds": {"type": "number", "minimum": 0, "description": "Up to the last message."},
            "distanceMetres": {"type": "number", "minimum": 0, "description": "Horizontal, geodesic, point to point."},
            "maxHeight": _METRES,
            "maxAltitude": _METRES,
            "maxGroundSpeed": nullable({**NUMBER, "description": "Metres per second."}),
            "batteryStart": nullable(NUMBER),
            "batteryEnd": nullable(NUMBER),
            "takeoff": nullable(schema.kept_properties()["position"]),
            "landing": nullable(schema.kept_properties()["position"]),
            "messages": COUNT,
            "alerts": array(ALERT_CODE),
            "mission": nullable(STRING),
        }
    ),
    "FlightList": listing("Flight"),
}

FLIGHTS: Json = {
    "/api/drones/{id}/flights": {
        "get": operation(
            "list_drone_flights",
            "One drone's flights, newest first",
            {"200": answer("Flights.", ref("FlightList"))},
            tag="flights",
            role="GetStatus",
            problems=("404",),
            parameters=(path("id", "Device id, exactly as sent."), *_PAGING),
        )
    },
    "/api/flights": {
        "get": operation(
            "list_flights",
            "The fleet's flights, newest first",
            {"200": answer("Flights.", ref("FlightList"))},
            tag="flights",
            role="GetStatus",
            parameters=(query("deviceId", {"type": "string", "minLength": 1}, "Only this drone's."), *_PAGING),
        )
    },
    "/api/flights/{id}": {
        "get": operation(
            "get_flight",
            "One flight",
            {"200": answer("The flight.", ref("Flight"))},
            tag="flights",
            role="GetStatus",
            problems=("404",),
            description="Late messages mend, join and split flights: an id whose flight has become part of another "
            "answers 404.",
            parameters=(_FLIGHT_ID,),
        )
    },
    "/api/flights/{id}/track": {
        "get": operation(
            "get_flight_track",
            "A flight's messages as one file, oldest first",
            {"200": answer("The track.", content=TRACK_CONTENT)},
            tag="flights",
            role="GetStatus",
            problems=("404",),
            parameters=(
                _FLIGHT_ID,
                query("format", {"type": "string", "enum": list(FORMATS), "default": "geojson"}, "Of the file."),
                EVERY,
            ),
        )
    },
}
