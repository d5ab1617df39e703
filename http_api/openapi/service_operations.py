"""The service itself and its page."""

from __future__ import annotations

from http_api.openapi.parts import (
    STRING,
    Json,
    answer,
    content,
    operation,
    path,
    query,
    record,
    ref,
)
from http_api.openapi.values import ANY_TEXT

_SEQUENCE_NUMBER: Json = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
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
    "/api/stats/history": {
        "get": operation(
            "get_stats_history",
            "The last hour of the totals, a sample every few seconds while there is work",
            {"200": answer("Oldest first, as the process that answers has seen it.", ref("StatsHistory"))},
            tag="operation",
            role="Operate",
            parameters=(query("since", {"type": "string", "format": "date-time"}, "Those taken after."),),
        )
    },
    "/api/health": {
        "get": operation(
            "get_health",
            "Whether every part can be reached",
            {
                "200": answer("All can; with a remark, if a part is degraded.", ref("HealthReport")),
                "503": answer("One cannot.", ref("HealthReport"), headers={"Retry-After": {"schema": STRING}}),
            },
            tag="operation",
            role=None,
        )
    },
    "/api/recovery": {
        "get": operation(
            "get_recovery",
            "What the hub holds, and which of it never came to the store",
            {"200": answer("By partition; what is only on its way counts as missing too.", ref("RecoveryReport"))},
            tag="operation",
            role="Operate",
        ),
        "post": operation(
            "recover",
            "Read events of one partition again",
            {"200": answer("They are batches now; `next` is where to go on.", ref("Recovered"))},
            tag="operation",
            role="Operate",
            body=content(
                record(
                    {"partition": ANY_TEXT, "first": _SEQUENCE_NUMBER, "last": _SEQUENCE_NUMBER},
                    description="At most 2,000 events are read at once. Doing it again, or beside the trigger, "
                    "finds the same messages.",
                )
            ),
            body_required=True,
        ),
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
    "/api/schemas/telemetry.json": {
        "get": operation(
            "get_telemetry_schema",
            "The JSON Schema of a telemetry message, with the units, and the ranges that the settings give",
            {"200": answer("JSON Schema 2020-12.", content=content({"type": "object"}, "application/schema+json"))},
            tag="telemetry",
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
    "/api/me": {
        "get": operation(
            "get_me",
            "Who the caller is, and what they may",
            {"200": answer("What is known of the caller.", ref("Me"))},
            tag="page",
            role=None,
        )
    },
    "/api/map.pmtiles": {
        "get": operation(
            "get_map_tiles",
            "A range of bytes of the base map, a PMTiles file",
            {
                "206": {
                    "description": "At most 4 MiB of the range.",
                    "content": {"application/vnd.pmtiles": {"schema": {"type": "string", "format": "binary"}}},
                    "headers": {"Content-Range": {"schema": STRING}, "ETag": {"schema": STRING}},
                },
                "304": answer("Nothing new since the entity tag."),
            },
            tag="page",
            role="GetStatus",
            problems=("404", "412", "416"),
            description="There where MAP_PMTILES_FILE is set. The file is never sent whole: 400 without Range.",
            parameters=(
                {"name": "Range", "in": "header", "required": False, "schema": STRING},
                {"name": "If-Range", "in": "header", "required": False, "schema": STRING},
                {"name": "If-None-Match", "in": "header", "required": False, "schema": STRING},
            ),
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
