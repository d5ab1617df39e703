"""Zones and registry."""

from __future__ import annotations

from http_api.openapi.parts import (
    CONTINUATION,
    CONTINUATION_VALUE,
    COUNT,
    LIMIT,
    STRING,
    TIME,
    Json,
    answer,
    array,
    content,
    listing,
    nullable,
    operation,
    path,
    record,
    ref,
)

_TAG = {"ETag": {"schema": STRING, "description": "Names the state that was read; If-Match takes it."}}
_IF_NONE_MATCH: Json = {"name": "If-None-Match", "in": "header", "required": False, "schema": STRING}
_IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "schema": STRING,
    "description": "The ETag that was read: 428 without it, 412 when it is no longer that.",
}
_CHANGED = ("412", "428")
_NOT_MODIFIED = answer("Nothing new since the entity tag.", headers={"ETag": {"schema": STRING}})
_GEO_JSON = "application/geo+json"
_VERSION = path("version", "From 1.", {"type": "string", "pattern": "^[0-9]{1,9}$"})
_DEVICE_ID = path("id", "Device id, exactly as sent.")

REFERENCE_SCHEMAS: Json = {
    "ZonesVersion": record(
        {
            "version": COUNT,
            "at": TIME,
            "by": nullable({**STRING, "description": "Who made it, where people sign in; `file`: the file."}),
        }
    ),
    "ZonesVersionList": listing("ZonesVersion"),
    "Registration": {
        "type": "object",
        "description": "What the registry says of a drone; more than this, if its author does.",
        "properties": {
            "id": STRING,
            **{name: nullable(STRING) for name in ("name", "model", "owner")},
            "home": {"type": ["object", "null"], "additionalProperties": True},
        },
        "required": ["id"],
        "additionalProperties": True,
    },
    "RegistrationList": record({"items": array(ref("Registration")), "continuation": CONTINUATION_VALUE}),
}


def _zones(description: str) -> Json:
    return {"description": description, "headers": _TAG, "content": content(ref("Zones"), _GEO_JSON)}


REFERENCE: Json = {
    "/api/zones": {
        "get": operation(
            "get_zones",
            "The zones in force",
            {"200": _zones("Zones, as they were drawn; no features where there are none."), "304": _NOT_MODIFIED},
            tag="reference",
            role="GetStatus",
            parameters=(_IF_NONE_MATCH,),
        ),
        "put": operation(
            "put_zones",
            "Replace the zones",
            {"200": _zones("The new zones. They are in force in every process within ten seconds.")},
            tag="reference",
            role="Operate",
            problems=_CHANGED,
            description="Every broken rule stands in `errors`, with the indices of feature and ring; nothing changes.",
            parameters=(_IF_MATCH,),
            body=content({"type": "object"}),
            body_required=True,
        ),
    },
    "/api/zones/versions": {
        "get": operation(
            "list_zone_versions",
            "Versions of the zones, newest first",
            {"200": answer("Versions; none while the file is in force.", ref("ZonesVersionList"))},
            tag="reference",
            role="GetStatus",
            parameters=(LIMIT, CONTINUATION),
        )
    },
    "/api/zones/versions/{version}": {
        "get": operation(
            "get_zone_version",
            "The zones as they were",
            {"200": {"description": "Zones.", "content": content(ref("Zones"), _GEO_JSON)}},
            tag="reference",
            role="GetStatus",
            problems=("404",),
            parameters=(_VERSION,),
        )
    },
    "/api/zones/versions/{version}/restore": {
        "post": operation(
            "restore_zone_version",
            "Put earlier zones in force again, as a new version",
            {"200": _zones("The zones in force.")},
            tag="reference",
            role="Operate",
            problems=("404", "412", "415"),
            parameters=(_VERSION, {**_IF_MATCH, "description": "Optional: 412 when the zones are no longer those."}),
        )
    },
    "/api/registry": {
        "get": operation(
            "get_registry",
            "The registrations, by id",
            {"200": answer("Registrations.", ref("RegistrationList"), headers=_TAG), "304": _NOT_MODIFIED},
            tag="reference",
            role="GetStatus",
            parameters=(LIMIT, CONTINUATION, _IF_NONE_MATCH),
        )
    },
    "/api/registry/{id}": {
        "get": operation(
            "get_registration",
            "One registration",
            {"200": answer("The registration.", ref("Registration"), headers=_TAG), "304": _NOT_MODIFIED},
            tag="reference",
            role="GetStatus",
            problems=("404",),
            parameters=(_DEVICE_ID, _IF_NONE_MATCH),
        ),
        "put": operation(
            "put_registration",
            "Register a drone, or change its registration",
            {
                "200": answer("Changed.", ref("Registration"), headers=_TAG),
                "201": answer("Made; a new one needs no If-Match.", ref("Registration"), headers=_TAG),
            },
            tag="reference",
            role="Operate",
            problems=("404", *_CHANGED),
            parameters=(
                _DEVICE_ID,
                _IF_MATCH,
                {**_IF_NONE_MATCH, "description": "`*`: only a new one; 412 when it is there already."},
            ),
            body=content(ref("Registration")),
            body_required=True,
        ),
        "delete": operation(
            "delete_registration",
            "Take a drone out of the registry",
            {"204": answer("It is gone.")},
            tag="reference",
            role="Operate",
            problems=("404", "415", *_CHANGED),
            parameters=(_DEVICE_ID, _IF_MATCH),
        ),
    },
}
