"""Errors as ``application/problem+json`` (RFC 9457): what a handler raises, and the answer it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import azure.functions as func

from http_api.responses import json_response

PROBLEM_JSON = "application/problem+json"

# kind -> (status, title). The kind is the last part of the problem's ``type``, which programs may rely on.
KINDS: Mapping[str, tuple[int, str]] = {
    "invalid-parameter": (400, "A parameter is not allowed"),
    "invalid-body": (400, "The request's body is not allowed"),
    "invalid-zones": (400, "Zones break the rules"),
    "invalid-telemetry": (400, "Telemetry breaks the rules"),
    "unauthenticated": (401, "Sign-in is required"),
    "forbidden": (403, "A role is missing"),
    "foreign-origin": (403, "Another site's page may not do this"),
    "not-found": (404, "Not found"),
    "conflict": (409, "The state does not allow it"),
    "still-rejected": (409, "The message still breaks the rules"),
    "precondition-failed": (412, "It has been changed meanwhile"),
    "too-large": (413, "The request's body is too large"),
    "unsupported-media-type": (415, "The media type is not supported"),
    "range-not-satisfiable": (416, "There are no such bytes"),
    "precondition-required": (428, "The state that was read must be named"),
    "internal-error": (500, "Something went wrong here"),
    "unavailable": (503, "A part that is needed cannot be reached"),
}


class Problem(Exception):
    """An answer that is an error; ``kind`` is a key of ``KINDS``, ``errors`` the single ones where there are more."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        return KINDS[self.kind][0]

    def response(self) -> func.HttpResponse:
        status, title = KINDS[self.kind]
        body: dict[str, Any] = {
            "type": f"urn:drone-telemetry:problem:{self.kind}",
            "title": title,
            "status": status,
            "detail": self.detail,
        }
        if self.errors is not None:
            body["errors"] = list(self.errors)
        return json_response(body, status=status, headers=self.headers, mimetype=PROBLEM_JSON)


def not_found(what: str, key: str) -> Problem:
    return Problem("not-found", f"there is no {what} {key[:100]!r}")


def unavailable(detail: str, *, retry_after_seconds: int = 5) -> Problem:
    return Problem("unavailable", detail, headers={"Retry-After": str(retry_after_seconds)})
