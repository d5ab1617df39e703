"""Building blocks of the description."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

PROBLEM_JSON = "application/problem+json"


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Json) -> Json:
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def record(properties: Json, *, optional: tuple[str, ...] = (), description: str | None = None, **more: Any) -> Json:
    """An object with exactly these properties, all required but the ``optional`` ones."""
    schema: Json = {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
        **more,
    }
    return schema if description is None else {"description": description, **schema}


def array(items: Json, **more: Any) -> Json:
    return {"type": "array", "items": items, **more}


def listing(item: str, **more: Json) -> Json:
    return record({"items": array(ref(item)), "continuation": CONTINUATION_VALUE, **more})


STRING: Json = {"type": "string"}
NUMBER: Json = {"type": "number"}
BOOLEAN: Json = {"type": "boolean"}
COUNT: Json = {"type": "integer", "minimum": 0}
TIME: Json = {"type": "string", "format": "date-time", "pattern": "Z$"}
CONTINUATION_VALUE: Json = {
    "type": ["string", "null"],
    "description": "Opaque; pass it back as `continuation` for what follows. Null at the end. A page may be short, "
    "even empty, and still have one.",
}


def query(name: str, schema: Json, description: str) -> Json:
    # A value in a form of several, as `a,b`, is one text, not repeated parameters.
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def path(name: str, description: str, schema: Json | None = None) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": schema or {"type": "string", "minLength": 1},
        "description": description,
    }


LIMIT = query(
    "limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "How many at most in one answer."
)
CONTINUATION = query(
    "continuation",
    {"type": "string", "pattern": "^[A-Za-z0-9_=.~+/-]{1,8192}$"},
    "What the previous answer of this list gave; the filters have to be the same.",
)
FROM = query("from", {"type": "string", "format": "date-time"}, "Inclusive.")
TO = query("to", {"type": "string", "format": "date-time"}, "Exclusive.")


def content(schema: Json, media_type: str = "application/json") -> Json:
    return {media_type: {"schema": schema}}


NOTHING = content(record({}, description="Nothing needs to be said."))
"""The body of what needs none."""

EVERY = query(
    "every",
    {"type": "string", "pattern": r"^[0-9]{1,8}(\.[0-9]{1,6})?$"},
    "At most one message in that many seconds.",
)
TRACK_CONTENT: Json = {
    **content(ref("Track"), "application/geo+json"),
    **content(STRING, "text/csv"),
    **content(STRING, "application/gpx+xml"),
    **content(STRING, "application/vnd.google-earth.kml+xml"),
}
"""A range of messages as one file."""


def answer(description: str, schema: Json | None = None, *, headers: Json | None = None, **more: Any) -> Json:
    response: Json = {"description": description}
    if schema is not None:
        response["content"] = content(schema)
    if headers:
        response["headers"] = headers
    return {**response, **more}


def problem(name: str) -> Json:
    return {"$ref": f"#/components/responses/{name}"}


_PROBLEMS = {
    "400": "BadRequest",
    "401": "Unauthenticated",
    "403": "Forbidden",
    "404": "NotFound",
    "409": "Conflict",
    "412": "PreconditionFailed",
    "413": "TooLarge",
    "415": "UnsupportedMediaType",
    "416": "RangeNotSatisfiable",
    "428": "PreconditionRequired",
    "503": "Unavailable",
}


def operation(
    operation_id: str,
    summary: str,
    responses: Json,
    *,
    tag: str,
    role: str | None,
    problems: tuple[str, ...] = (),
    parameters: tuple[Json, ...] = (),
    body: Json | None = None,
    body_required: bool = False,
    description: str | None = None,
) -> Json:
    """``problems`` are the statuses that come beside those every operation with a role has."""
    statuses = (
        set(problems) | {"400", "503"} | ({"401", "403"} if role else set()) | ({"413", "415"} if body else set())
    )
    result: Json = {
        "operationId": operation_id,
        "summary": summary,
        "tags": [tag],
        "security": [{"appService": [role]}, {}] if role else [{}],
        "responses": {**responses, **{s: problem(_PROBLEMS[s]) for s in sorted(statuses) if s not in responses}},
    }
    if description:
        result["description"] = description
    if role:
        result["x-role"] = role
    if parameters:
        result["parameters"] = list(parameters)
    if body:
        result["requestBody"] = {"required": body_required, "content": body}
    return result
