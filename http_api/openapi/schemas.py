"""Schemas of what the API takes and gives."""

from __future__ import annotations

from http_api.authorization import Role
from http_api.openapi.parts import (
    BOOLEAN,
    COUNT,
    NUMBER,
    STRING,
    TIME,
    Json,
    array,
    listing,
    nullable,
    record,
    ref,
)
from pipeline.records import BatchStatus
from pipeline.steps import STAGES, STEPS
from telemetry import schema
from telemetry.vocabulary import (
    ALERT_CODES,
    CONNECTIVITY,
    CONTEXT_LEFT_OUT,
    ERROR_CODES,
    FLAGS,
    FORMATS,
    LETTER_STATUSES,
    TIME_SOURCES,
)

CONNECTED: Json = {"type": "string", "enum": list(CONNECTIVITY)}
ALERT_CODE: Json = {"type": "string", "enum": list(ALERT_CODES)}
ERROR_CODE: Json = {"type": "string", "enum": list(ERROR_CODES)}
BATCH_STATUS: Json = {"type": "string", "enum": [status.value for status in BatchStatus]}
STAGE: Json = {
    "type": "string",
    "enum": list(STAGES),
    "description": "; ".join(("The step that runs or failed", *(f"`{step.stage}`: {step.does}" for step in STEPS))),
}
DEAD_LETTER_STATUS: Json = {"type": "string", "enum": list(LETTER_STATUSES)}

_DRONE: Json = {
    "id": STRING,
    **schema.shown_properties(),
    "derived": record(
        {
            "zones": nullable(array(STRING)),
            "healthy": nullable(BOOLEAN),
            "outsideGeofence": nullable(BOOLEAN),
            "altitudeLimitExceeded": nullable(BOOLEAN),
            "distanceFromHome": nullable({**NUMBER, "description": "Metres, geodesic."}),
        }
    ),
    "alerts": array(record({"code": ALERT_CODE, "at": TIME})),
    "updatedAt": {
        "type": "object",
        "additionalProperties": nullable(TIME),
        "description": "Per top-level field the message time of its value, the latest of its parts.",
    },
    "lastSeen": {**TIME, "description": "The latest time at which the hub took a message of it."},
    "ageSeconds": {"type": "number", "description": "Since lastSeen, at reading."},
    "connectivity": CONNECTED,
    "registration": {
        "type": ["object", "null"],
        "description": "What the registry says of it; more than this, if its file does.",
        "properties": {name: nullable(STRING) for name in ("name", "model", "owner")},
        "additionalProperties": True,
    },
    "lastMessage": record({"partition": STRING, "sequenceNumber": COUNT, "enqueuedAt": TIME}),
}
DRONE_FIELDS = tuple(_DRONE)

HEALTH_PARTS = ("store", "durable", "eventHub", "zones", "registry")

_ZONE: Json = {
    "type": "object",
    "properties": {
        "type": {"const": "Feature"},
        "geometry": record({"type": STRING, "coordinates": {"type": "array"}}),
        "properties": {
            "type": "object",
            "properties": {
                **dict.fromkeys(("id", "name", "kind"), STRING),
                **{name: nullable(NUMBER) for name in ("floor", "ceiling")},
            },
            "required": ["id"],
        },
    },
    "required": ["type", "geometry", "properties"],
}

_MESSAGE: Json = {
    "id": STRING,
    "deviceId": STRING,
    "time": TIME,
    "timeSource": {"type": "string", "enum": list(TIME_SOURCES)},
    "format": {"type": "string", "enum": list(FORMATS)},
    "keyFrame": BOOLEAN,
    **schema.kept_properties(),
    "derived": {"type": "object", "additionalProperties": True},
    "alerts": array({}),
    "flags": array(
        {"anyOf": [{"type": "string", "enum": list(FLAGS)}, {"type": "string", "pattern": f"^{CONTEXT_LEFT_OUT}:"}]}
    ),
    "extra": {
        "type": "object",
        "additionalProperties": True,
        "description": "Fields that the device sent beside ours.",
    },
    "enqueuedAt": TIME,
    "partition": STRING,
    "sequenceNumber": COUNT,
    "index": COUNT,
    "batchId": STRING,
    "correctedFrom": {**STRING, "description": "The dead letter whose corrected copy it is."},
}
_MESSAGE_ALWAYS = ("id", "deviceId", "time", "timeSource", "enqueuedAt", "partition", "sequenceNumber", "index")

_POSITION = {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 3}
_LINE = array(_POSITION, minItems=2)

SCHEMAS: Json = {
    "Problem": record(
        {
            "type": {"type": "string", "format": "uri"},
            "title": STRING,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": STRING,
            "errors": array({"type": "object"}, description="The single errors, where there are several."),
        },
        optional=("errors",),
        description="RFC 9457.",
    ),
    "Drone": record(_DRONE),
    "SelectedDrone": {
        **record(_DRONE, optional=tuple(name for name in _DRONE if name != "id")),
        "description": "A drone, or the fields of it that were asked for.",
    },
    "DroneList": listing(
        "SelectedDrone",
        asOf={
            **nullable(TIME),
            "description": "Of what the hub took before it drones know all, but for batches that are still under way. "
            "With a signal window it lies up to that far back; ask with it for what has changed since. Null: unknown.",
        },
    ),
    "Message": record(_MESSAGE, optional=tuple(name for name in _MESSAGE if name not in _MESSAGE_ALWAYS)),
    "MessageList": listing("Message"),
    "Track": record(
        {
            "type": {"const": "Feature"},
            "id": STRING,
            "geometry": {
                "description": "A MultiLineString where the drone was silent for long, and at ±180°; one position is a "
                "Point, none is null.",
                "anyOf": [
                    record({"type": {"const": "LineString"}, "coordinates": _LINE}),
                    record({"type": {"const": "MultiLineString"}, "coordinates": array(_LINE, minItems=2)}),
                    record({"type": {"const": "Point"}, "coordinates": _POSITION}),
                    {"type": "null"},
                ],
            },
            "properties": record({"id": STRING, "times": array({"anyOf": [TIME, array(TIME)]})}),
        },
        description="A GeoJSON Feature (RFC 7946); the times are nested as the positions are.",
    ),
    "ReferenceStatus": record(
        {
            "id": STRING,
            "Battery": nullable(NUMBER),
            "FlightMode": nullable({"type": "integer"}),
            "Latitude": nullable(NUMBER),
            "Longitude": nullable(NUMBER),
            "Altitude": nullable(NUMBER),
            "GyrometerOK": nullable(BOOLEAN),
            "AccelerometerOK": nullable(BOOLEAN),
            "MagnetometerOK": nullable(BOOLEAN),
        }
    ),
    "TelemetryMessage": schema.message_schema(),
    "Accepted": record({"accepted": COUNT}),
    "Batch": record(
        {
            "id": STRING,
            "hub": STRING,
            "partition": STRING,
            "firstSequenceNumber": COUNT,
            "lastSequenceNumber": COUNT,
            "events": COUNT,
            "messages": nullable(COUNT),
            "stored": nullable(COUNT),
            "duplicates": nullable(COUNT),
            "rejected": nullable(COUNT),
            "status": BATCH_STATUS,
            "stage": nullable(STAGE),
            "attempts": COUNT,
            "error": nullable(STRING),
            "receivedAt": TIME,
            "completedAt": nullable(TIME),
            "instanceId": STRING,
            "statusQueryGetUri": {
                "type": "string",
                "description": "Durable status of the current attempt; in Azure it needs the task hub's key as `code`.",
            },
        }
    ),
    "BatchList": listing("Batch"),
    "CheckStatus": {
        "type": "object",
        "description": "The Durable check-status body, without the task hub's key.",
        "properties": {"id": STRING, "statusQueryGetUri": STRING},
        "required": ["id", "statusQueryGetUri"],
        "additionalProperties": STRING,
    },
    "ReplayedBatches": record({"replayed": array(STRING), "skipped": array(STRING)}),
    "Stats": record(
        {
            **dict.fromkeys(("events", "messages", "stored", "rejected", "duplicates"), COUNT),
            "batches": record(dict.fromkeys(BATCH_STATUS["enum"], COUNT)),
            "deadLetters": record(dict.fromkeys(DEAD_LETTER_STATUS["enum"], COUNT)),
            "deadLetterCodes": {"type": "object", "additionalProperties": COUNT},
            "drones": {
                "type": ["integer", "null"],
                "minimum": 0,
                "description": "Null while a large fleet is being counted for the first time.",
            },
            "unprocessed": {**COUNT, "description": "Events in batches that are received, running or failed."},
            "oldestUnprocessedAt": {**nullable(TIME), "description": "When the oldest of those batches was received."},
            "oldestUnfinishedAt": {
                **nullable(TIME),
                "description": "When the batch that stands longest, of those received or running, last moved.",
            },
            "held": {
                **record({"batches": COUNT, "since": nullable(TIME)}),
                "description": "Completed batches of which drones are told at the end of a signal window, and when the "
                "oldest was completed.",
            },
        }
    ),
    "StatsSample": record(
        {
            "at": TIME,
            **dict.fromkeys(("messages", "stored", "duplicates", "rejected"), COUNT),
            "unfinished": {**COUNT, "description": "Batches received or running."},
            "failed": {**COUNT, "description": "Batches."},
            "unprocessed": {**COUNT, "description": "Events in batches that are received, running or failed."},
            "oldestUnprocessedAt": nullable(TIME),
        }
    ),
    "StatsHistory": record({"items": array(ref("StatsSample")), "continuation": {"type": "null"}}),
    "HealthReport": record(
        {
            "status": ref("HealthStatus"),
            "parts": record({part: ref("HealthPart") for part in HEALTH_PARTS}),
        }
    ),
    "HealthStatus": {"type": "string", "enum": ["healthy", "degraded", "unhealthy"]},
    "HealthPart": record({"status": ref("HealthStatus"), "detail": STRING}, optional=("detail",)),
    "RecoveryReport": record(
        {
            "partitions": array(
                record(
                    {
                        "partition": STRING,
                        "oldest": {"type": "integer", "description": "Sequence number."},
                        "newest": {"type": "integer", "description": "Less than `oldest`: nothing is there."},
                        "missing": array(record({"first": COUNT, "last": COUNT})),
                        "events": COUNT,
                    }
                )
            ),
            "events": COUNT,
        }
    ),
    "Recovered": record({"received": COUNT, "batches": array(STRING), "next": nullable(COUNT)}),
    "PageSettings": record(
        {
            "mapTilesUrl": nullable(STRING),
            "mapTilesAttribution": nullable(STRING),
            "mapPmtilesUrl": nullable(
                {**STRING, "description": "Where this server has a PMTiles file, if it has one."}
            ),
            "lowBattery": NUMBER,
            "staleSeconds": NUMBER,
            "offlineSeconds": NUMBER,
            "altitudeLimitMetres": NUMBER,
            "authMode": {"type": "string", "enum": ["none", "app-service"]},
        }
    ),
    "Me": record(
        {
            "signedIn": {"type": "boolean", "description": "False too where nobody has to sign in."},
            "name": nullable({**STRING, "description": "As the sign-in names the caller."}),
            "roles": array({"type": "string", "enum": [role.value for role in Role]}, description="What they may."),
        }
    ),
    "Zones": {
        "type": "object",
        "description": "A GeoJSON FeatureCollection of polygons with id, name, kind, and optionally floor and ceiling.",
        "properties": {"type": {"const": "FeatureCollection"}, "features": array(_ZONE)},
        "required": ["type", "features"],
    },
}
