"""The service itself and its page."""

from __future__ import annotations

from http_api.openapi.parts import (
    STRING,
    Json,
    answer,
    content,
    operation,
    path,
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
