"""JSON bodies of requests: size, media type, and each field by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import azure.functions as func
import orjson

from http_api.parameters import Parameter
from http_api.problem import Problem

MAX_BODY_BYTES = 1024 * 1024


def media_type(request: func.HttpRequest) -> str | None:
    """The content type without its parameters, lower case; None when the request names none."""
    header: str = request.headers.get("content-type", "")
    return header.partition(";")[0].strip().lower() or None


def required_media_type(request: func.HttpRequest, *allowed: str) -> str:
    """As ``media_type``. Raises the 415 ``Problem`` when there is none.

    A browser sends a body without a content type, or with one of three that forms know, to any site without asking that
    site first; every other type it asks for beforehand (a CORS preflight), and nobody here says yes.
    """
    kind = media_type(request)
    if kind is None:
        raise Problem("unsupported-media-type", f"the content type is missing; allowed: {', '.join(allowed)}")
    return kind


def limited_body(request: func.HttpRequest) -> bytes:
    body: bytes = request.get_body()
    if len(body) > MAX_BODY_BYTES:
        raise Problem("too-large", f"the body has {len(body)} bytes; allowed: at most {MAX_BODY_BYTES}")
    return body


def read_json(request: func.HttpRequest) -> Any:
    """Whatever JSON the body is. A ``Problem`` when it is none, too large, or of another type."""
    kind = required_media_type(request, "application/json")
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem("unsupported-media-type", f"the content type is {kind!r}; allowed: application/json")
    try:
        return orjson.loads(limited_body(request))
    except orjson.JSONDecodeError as error:
        raise Problem("invalid-body", f"the body is not JSON: {error.msg}") from error


def read_json_object(request: func.HttpRequest, fields: Mapping[str, Parameter]) -> dict[str, Any]:
    """The fields of a JSON object, each checked; no body is an empty object. A ``Problem`` names the wrong ones.

    A field that is null counts as not given.
    """
    body = limited_body(request)
    values = {name: field.default for name, field in fields.items()}
    if not body:
        return values
    kind = required_media_type(request, "application/json")
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem("unsupported-media-type", f"the content type is {kind!r}; allowed: application/json")
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem("invalid-body", f"the body is not JSON: {error.msg}") from error
    if not isinstance(given, dict):
        raise Problem("invalid-body", "the body is no JSON object")
    errors: list[dict[str, Any]] = []
    for name, value in given.items():
        field = fields.get(name)
        if field is None:
            known = ", ".join(fields) or "none"
            errors.append({"field": name[:200], "value": _shown(value), "detail": f"is unknown here; known: {known}"})
            continue
        if value is None:
            continue
        try:
            if isinstance(value, float) and value.is_integer():
                value = int(value)  # JSON has one kind of number: 5.0 is 5
            if type(value) is not field.json_type:  # exactly: true is no number
                raise ValueError(value)
            values[name] = field.parse(value if isinstance(value, list) else str(value))
        except ValueError:
            errors.append({"field": name, "value": _shown(value), "detail": f"allowed: {field.allowed}"})
    if errors:
        said = "; ".join(f"{error['field']!r}: {error['detail']}" for error in errors)
        raise Problem("invalid-body", said, errors=errors)
    return values


def _shown(value: Any) -> str:
    """A wrong value as text, short enough for an error message."""
    if isinstance(value, str):
        return value[:200]
    if isinstance(value, (dict, list)):  # any size and depth
        return "an object" if isinstance(value, dict) else "an array"
    return json.dumps(value)[:200]
