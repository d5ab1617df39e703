"""Every route of the HTTP API."""

from __future__ import annotations

from http_api.openapi.parts import (
    CONTINUATION,
    FROM,
    LIMIT,
    STRING,
    TO,
    Json,
    answer,
    array,
    content,
    nullable,
    operation,
    path,
    problem,
    query,
    record,
    ref,
)
from http_api.openapi.schemas import (
    ALERT_CODE,
    BATCH_STATUS,
    CONNECTIVITY,
    DEAD_LETTER_STATUS,
    DRONE_FIELDS,
    FLIGHT_MODE,
)

_DRONE_ID = path("id", "Device id, exactly as sent.")
_BATCH_ID = path("id", "Batch id.")
_LETTER_ID = path("id", "Dead letter id.")
_FIELD = f"({'|'.join(DRONE_FIELDS)})"
_FIELDS = query(
    "fields",
    {"type": "string", "pattern": f"^{_FIELD}(,{_FIELD})*$"},
    "Only these top-level fields, separated by commas; `id` always stays.",
)
_ANY_TEXT: Json = {"type": "string", "pattern": r"^[^\x00-\x1f\x7f-\x9f]{1,256}$"}
_LINES: Json = {"type": "string", "pattern": r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]{1,1000}$"}
_TIME_VALUE: Json = {"type": "string", "format": "date-time"}
_STATUSES = "|".join(BATCH_STATUS["enum"])
_SEVERAL_STATUSES: Json = {"type": "string", "pattern": f"^({_STATUSES})(,({_STATUSES}))*$"}
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
                query("connectivity", CONNECTIVITY, "By the age of the last message."),
                query("alert", ALERT_CODE, "Those with this alert."),
                query("flightMode", FLIGHT_MODE, "Those in this mode."),
                query("zone", _ANY_TEXT, "Those inside the zone of this id."),
                query(
                    "bbox",
                    {"type": "string", "pattern": rf"^{_DEGREES},{_DEGREES},{_DEGREES},{_DEGREES}$"},
                    "west,south,east,north in degrees; west may be larger than east across the antimeridian.",
                ),
                query("changedSince", _TIME_VALUE, "Those last seen after it."),
                query("idPrefix", _ANY_TEXT, "Those whose id begins so."),
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
                    "The drone. The entity tag covers the stored state, not ages and connectivity.",
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
                    "Messages, or their track.",
                    content={
                        **content(ref("MessageList")),
                        **content(ref("Track"), "application/geo+json"),
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
                query("format", {"type": "string", "enum": ["json", "geojson"], "default": "json"}, "Of the answer."),
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
            parameters=({**query("deviceId", STRING, "Device id, exactly as sent."), "required": True},),
        )
    },
    "/api/zones": {
        "get": operation(
            "get_zones",
            "The zones in force",
            {
                "200": {
                    "description": "Zones for a map; no features where there are no zones.",
                    "content": content(ref("Zones"), "application/geo+json"),
                }
            },
            tag="drones",
            role="GetStatus",
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

_BATCH_FILTER: Json = {
    "status": nullable(_SEVERAL_STATUSES),
    "partition": nullable(_ANY_TEXT),
    "from": nullable(_TIME_VALUE),
    "to": nullable(_TIME_VALUE),
    "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 1000, "default": 100},
}
_NOTHING = content(record({}, description="Nothing needs to be said."))

BATCHES: Json = {
    "/api/batches": {
        "get": operation(
            "list_batches",
            "Batches, newest first",
            {"200": answer("Batches.", ref("BatchList"))},
            tag="batches",
            role="Operate",
            parameters=(
                query("status", _SEVERAL_STATUSES, "One or more, separated by commas."),
                query("partition", _ANY_TEXT, "Of this partition."),
                {**FROM, "description": "Received at or after."},
                {**TO, "description": "Received before."},
                LIMIT,
                CONTINUATION,
            ),
        )
    },
    "/api/batches/{id}": {
        "get": operation(
            "get_batch",
            "One batch",
            {"200": answer("The batch.", ref("Batch"))},
            tag="batches",
            role="Operate",
            problems=("404",),
            parameters=(_BATCH_ID,),
        )
    },
    "/api/batches/{id}/replay": {
        "post": operation(
            "replay_one_batch",
            "Run a batch again under today's rules",
            {
                "202": answer(
                    "A new instance runs it.",
                    ref("CheckStatus"),
                    headers={"Location": {"schema": STRING}, "Retry-After": {"schema": {"type": "integer"}}},
                )
            },
            tag="batches",
            role="Operate",
            problems=("404", "409"),
            parameters=(_BATCH_ID,),
            body=_NOTHING,
        )
    },
    "/api/batches/replay": {
        "post": operation(
            "replay_many_batches",
            "Run the batches again that match; failed ones unless `status` says otherwise",
            {"202": answer("Their ids; those that run are skipped.", ref("ReplayedBatches"))},
            tag="batches",
            role="Operate",
            body=content(record(_BATCH_FILTER, optional=tuple(_BATCH_FILTER))),
        )
    },
}

_LETTER_FILTER: Json = {
    "errorCode": nullable(_ANY_TEXT),
    "deviceId": nullable(_ANY_TEXT),
    "batchId": nullable(_ANY_TEXT),
    "status": nullable(DEAD_LETTER_STATUS),
    "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": 10_000, "default": 10_000},
}

DEAD_LETTERS: Json = {
    "/api/deadletters": {
        "get": operation(
            "list_dead_letters",
            "Rejected messages, newest first",
            {"200": answer("Dead letters.", ref("DeadLetterList"))},
            tag="dead letters",
            role="Operate",
            parameters=(
                query("errorCode", _ANY_TEXT, "Those that break this rule."),
                query("deviceId", _ANY_TEXT, "Of this device."),
                query("batchId", _ANY_TEXT, "Of this batch."),
                query("status", DEAD_LETTER_STATUS, "In this state."),
                LIMIT,
                CONTINUATION,
            ),
        )
    },
    "/api/deadletters/{id}": {
        "get": operation(
            "get_dead_letter",
            "One rejected message with its original bytes",
            {"200": answer("The dead letter.", ref("DeadLetter"))},
            tag="dead letters",
            role="Operate",
            problems=("404",),
            parameters=(_LETTER_ID,),
        )
    },
    "/api/deadletters/{id}/replay": {
        "post": operation(
            "replay_one_dead_letter",
            "Run it through today's rules",
            {
                "200": answer("Stored; asked again, the same answer and nothing done.", ref("DeadLetter")),
                "409": {**problem("Conflict")},
            },
            tag="dead letters",
            role="Operate",
            problems=("404", "409"),
            parameters=(_LETTER_ID,),
            body=_NOTHING,
            description="Still rejected: 409 with `errors`, the broken rules. Discarded: 409.",
        )
    },
    "/api/deadletters/replay": {
        "post": operation(
            "replay_many_dead_letters",
            "Run those that match through today's rules; open ones unless `status` says otherwise",
            {"200": answer("How many.", ref("ReplayedDeadLetters"))},
            tag="dead letters",
            role="Operate",
            body=content(record(_LETTER_FILTER, optional=tuple(_LETTER_FILTER))),
        )
    },
    "/api/deadletters/{id}/discard": {
        "post": operation(
            "discard_dead_letter",
            "Keep the record, and never run it",
            {"200": answer("Discarded; asked again, the record as it is.", ref("DeadLetter"))},
            tag="dead letters",
            role="Operate",
            problems=("404", "409"),
            parameters=(_LETTER_ID,),
            body=content(record({"reason": _LINES}, description="Why.")),
            body_required=True,
        )
    },
}

_HTML = {"text/html": {"schema": {"type": "string"}}}
_PAGE_HEADERS: Json = {"Content-Security-Policy": {"schema": STRING}, "ETag": {"schema": STRING}}

OPERATION: Json = {
    "/api/stats": {
        "get": operation(
            "get_stats",
            "Totals since the store was made",
            {"200": answer("With nothing in flight messages = stored + duplicates + rejected.", ref("Stats"))},
            tag="operation",
            role="Operate",
        )
    },
    "/api/health": {
        "get": operation(
            "get_health",
            "Whether every part can be reached",
            {
                "200": answer("All can.", ref("HealthReport")),
                "503": answer("One cannot.", ref("HealthReport"), headers={"Retry-After": {"schema": STRING}}),
            },
            tag="operation",
            role=None,
        )
    },
    "/api/openapi.json": {
        "get": operation(
            "get_openapi",
            "This description",
            {"200": answer("OpenAPI 3.1.", {"type": "object"})},
            tag="operation",
            role=None,
        )
    },
    "/api/config": {
        "get": operation(
            "get_page_settings",
            "What the web page needs to know before anybody is signed in",
            {"200": answer("Settings without secrets.", ref("PageSettings"))},
            tag="page",
            role=None,
        )
    },
    "/": {
        "get": operation(
            "get_page",
            "The web page",
            {
                "200": {"description": "The page.", "content": _HTML, "headers": _PAGE_HEADERS},
                "304": answer("Nothing new since the entity tag."),
            },
            tag="page",
            role=None,
            problems=("404",),
        )
    },
    "/assets/{path}": {
        "get": operation(
            "get_asset",
            "A part of the web page",
            {
                "200": {
                    "description": "The file.",
                    "content": {"*/*": {"schema": {"type": "string"}}},
                    "headers": _PAGE_HEADERS,
                },
                "304": answer("Nothing new since the entity tag."),
            },
            tag="page",
            role=None,
            problems=("404",),
            parameters=(path("path", "May hold several parts."),),
        )
    },
}

PATHS: Json = {**DRONES, **TELEMETRY, **BATCHES, **DEAD_LETTERS, **OPERATION}
