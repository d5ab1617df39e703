"""Answers: JSON by orjson, and conditional reads by entity tag (RFC 9110, 13.1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import azure.functions as func
import orjson

# Answers hold live operational data: no cache may keep them, and no browser may take them for something else.
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def json_response(
    body: Any,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    mimetype: str = "application/json",
) -> func.HttpResponse:
    return func.HttpResponse(
        orjson.dumps(body), status_code=status, headers={**_HEADERS, **(headers or {})}, mimetype=mimetype
    )


def not_modified(headers: Mapping[str, str]) -> func.HttpResponse:
    return func.HttpResponse(b"", status_code=304, headers={**_HEADERS, **headers})


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether the header names ``etag``, by weak comparison; ``*`` names every one."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag.removeprefix("W/") in tags
