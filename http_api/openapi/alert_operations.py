"""Alerts."""

from __future__ import annotations

from http_api.openapi.parts import (
    CONTINUATION,
    FROM,
    LIMIT,
    STRING,
    TIME,
    TO,
    Json,
    answer,
    array,
    content,
    listing,
    nullable,
    operation,
    path,
    query,
    record,
    ref,
)
from http_api.openapi.schemas import ALERT_CODE
from http_api.openapi.values import LINES
from telemetry import schema
from telemetry.episodes import NOTICE_TYPES, SHOWN_STATUSES, event_type

_STATUS: Json = {"type": "string", "enum": list(SHOWN_STATUSES)}
_NOTICE: Json = {"type": "string", "enum": [event_type(kind) for kind in NOTICE_TYPES]}
_ALERT_ID = path("id", "Made of the drone, the code and the time at which it was raised.")
_VALUE: Json = {
    "anyOf": [{"type": "number"}, array(STRING), {"type": "null"}],
    "description": "What raised it: the battery (fraction), the names of the ill sensors, the ids of the zones, metres "
    "from home (`outside_geofence`), metres of height or altitude, seconds of delay. Null where it is not known.",
}

ALERT_SCHEMAS: Json = {
    "Alert": record(
        {
            "id": STRING,
            "deviceId": STRING,
            "code": ALERT_CODE,
            "status": _STATUS,
            "raisedAt": {**TIME, "description": "Message time at which the condition began."},
            "clearedAt": nullable({**TIME, "description": "When it was cleared; null while it is active."}),
            "acknowledgedAt": nullable(TIME),
            "acknowledgedBy": nullable({**STRING, "description": "Who had signed in; null where nobody has to."}),
            "note": nullable(STRING),
            "escalatedAt": nullable({**TIME, "description": "When it had been unacknowledged for too long."}),
            "value": _VALUE,
            "position": nullable(schema.kept_properties()["position"]),
            "flightId": nullable({**STRING, "description": "The flight in which it was raised."}),
            "undelivered": array(_NOTICE, description="Notices that at least one receiver never got."),
            "instanceId": {**STRING, "description": "The durable instance of the episode."},
            "statusQueryGetUri": STRING,
        },
        description="An episode of one code of one drone.",
    ),
    "AlertList": listing("Alert"),
}

ALERTS: Json = {
    "/api/alerts": {
        "get": operation(
            "list_alerts",
            "Alerts, newest first",
            {"200": answer("Alerts.", ref("AlertList"))},
            tag="alerts",
            role="GetStatus",
            parameters=(
                query("status", _STATUS, "In this state."),
                query(
                    "acknowledged", {"type": "string", "enum": ["true", "false"]}, "Whether somebody has taken it up."
                ),
                query("code", ALERT_CODE, "Of this kind."),
                query("deviceId", {"type": "string", "minLength": 1}, "Only this drone's."),
                {**FROM, "description": "Raised at or after."},
                {**TO, "description": "Raised before."},
                LIMIT,
                CONTINUATION,
            ),
        )
    },
    "/api/alerts/{id}": {
        "get": operation(
            "get_alert",
            "One alert",
            {"200": answer("The alert.", ref("Alert"))},
            tag="alerts",
            role="GetStatus",
            problems=("404",),
            parameters=(_ALERT_ID,),
        )
    },
    "/api/alerts/{id}/acknowledge": {
        "post": operation(
            "acknowledge_alert",
            "Take it up: it is not escalated any more",
            {"200": answer("Acknowledged; asked again, the alert as it is.", ref("Alert"))},
            tag="alerts",
            role="Operate",
            problems=("404",),
            parameters=(_ALERT_ID,),
            body=content(record({"note": nullable(LINES)}, optional=("note",), description="What is to be known.")),
        )
    },
    "/api/alerts/{id}/notify": {
        "post": operation(
            "notify_alert",
            "Send the notices again that were given up",
            {
                "200": answer("None was given up; nothing is sent.", ref("Alert")),
                "202": answer("They go out again, under the same `webhook-id`.", ref("Alert")),
            },
            tag="alerts",
            role="Operate",
            problems=("404",),
            parameters=(_ALERT_ID,),
            body=content(record({})),
        )
    },
}
