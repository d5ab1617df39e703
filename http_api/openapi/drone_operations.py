"""Drones, and telemetry coming in."""

from __future__ import annotations

from http_api.openapi.parts import (
    CONTINUATION,
    EVERY,
    FROM,
    LIMIT,
    STRING,
    TO,
    TRACK_CONTENT,
    Json,
    answer,
    array,
    content,
    operation,
    path,
    query,
    ref,
)
from http_api.openapi.schemas import (
    ALERT_CODE,
    CONNECTED,
    DRONE_FIELDS,
)
from http_api.openapi.values import ANY_TEXT, TIME_VALUE
from telemetry.export import FORMATS
from telemetry.schema import FLIGHT_MODE

_DRONE_ID = path("id", "Device id, exactly as sent.")
_FIELD = f"({'|'.join(DRONE_FIELDS)})"
_FIELDS = query(
    "fields",
    {"type": "string", "pattern": f"^{_FIELD}(,{_FIELD})*$"},
    "Only these top-level fields, separated by commas; `id` always stays.",
)
_DEGREES = r"[+-]?[0-9]{1,3}(\.[0-9]{1,20})?"

DRONES: Json = {
    "/api/drones": {
        "get": operation(
            "list_drones",
            "The fleet",
            {"200": answer("Drones.", ref("DroneList"))},
            tag="drones",
            role="GetStatus",
            description="A request looks at a bounded number of drones; with filters a page may be short, even empty, "
            "and still have a continuation.",
            parameters=(
                query("connectivity", CONNECTED, "By the age of the last message."),
                query("alert", ALERT_CODE, "Those with this alert."),
                query("flightMode", FLIGHT_MODE, "Those in this mode."),
                query("zone", ANY_TEXT, "Those inside the zone of this id."),
                query(
                    "bbox",
                    {"type": "string", "pattern": rf"^{_DEGREES},{_DEGREES},{_DEGREES},{_DEGREES}$"},
                    "west,south,east,north in degrees; west may be larger than east across the antimeridian.",
                ),
                query("changedSince", TIME_VALUE, "Those last seen after it."),
                query("idPrefix", ANY_TEXT, "Those whose id begins so."),
                _FIELDS,
                LIMIT,
                CONTINUATION,
            ),
        )
    },
    "/api/drones/{id}": {
        "get": operation(
            "get_drone",
            "One drone's latest state",
            {
                "200": answer(
                    "The drone. The entity tag covers the stored state, connectivity, alerts and registration.",
                    ref("SelectedDrone"),
                    headers={"ETag": {"schema": STRING}},
                ),
                "304": answer("Nothing new since the entity tag.", headers={"ETag": {"schema": STRING}}),
            },
            tag="drones",
            role="GetStatus",
            problems=("404",),
            parameters=(
                _DRONE_ID,
                _FIELDS,
                {"name": "If-None-Match", "in": "header", "required": False, "schema": STRING},
            ),
        )
    },
    "/api/drones/{id}/history": {
        "get": operation(
            "get_drone_history",
            "One drone's stored messages by message time",
            {
                "200": answer(
                    "Messages, or all of the range as one file.",
                    content={
                        **content(ref("MessageList")),
                        **TRACK_CONTENT,
                    },
                )
            },
            tag="drones",
            role="GetStatus",
            problems=("404",),
            parameters=(
                _DRONE_ID,
                FROM,
                TO,
                query("order", {"type": "string", "enum": ["asc", "desc"], "default": "desc"}, "By message time."),
                EVERY,
                query(
                    "format",
                    {"type": "string", "enum": ["json", *FORMATS], "default": "json"},
                    "Of the answer; all but json give the whole range, oldest first, at most EXPORT_LIMIT messages.",
                ),
                LIMIT,
                CONTINUATION,
            ),
        )
    },
    "/api/v1/dronestatus/{deviceid}": {
        "get": operation(
            "get_drone_status_v1",
            "Latest state in the reference solution's form",
            {"200": answer("The drone.", ref("ReferenceStatus"))},
            tag="drones",
            role="GetStatus",
            problems=("404",),
            parameters=(path("deviceid", "Device id, exactly as sent."),),
        )
    },
    "/api/GetStatusFunction": {
        "get": operation(
            "get_status_function",
            "The same by query parameter, as the reference solution has it",
            {"200": answer("The drone.", ref("ReferenceStatus"))},
            tag="drones",
            role="GetStatus",
            problems=("404",),
            parameters=(
                {
                    **query("deviceId", {"type": "string", "minLength": 1}, "Device id, exactly as sent."),
                    "required": True,
                },
            ),
        )
    },
}

TELEMETRY: Json = {
    "/api/telemetry": {
        "post": operation(
            "post_telemetry",
            "Send telemetry",
            {"202": answer("Sent to Event Hubs, the device id as partition key.", ref("Accepted"))},
            tag="telemetry",
            role="SendTelemetry",
            description="All messages are checked first; any bad one gives 400 with every broken rule, and nothing is "
            "sent. At most 1 MiB, which may be gzip (`Content-Encoding`). After a 503 some may have been sent: "
            "messages with a timestamp may simply be sent again.",
            body={
                **content({"anyOf": [ref("TelemetryMessage"), array(ref("TelemetryMessage"), maxItems=10_000)]}),
                **content({"type": "string", "format": "binary"}, "application/x-protobuf"),
            },
            body_required=True,
        )
    },
}
