"""Requests read and answers made the way the real API does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from functions_host.durable.binding import WEBHOOK_PATH
from functions_host.durable.jsontext import compact
from functions_host.durable.transport import ManagementRequest, ManagementResponse

# Newtonsoft reads property names without quotes: what it misses then is the colon.
_UNQUOTED_NAME = re.compile(r"[ \t]*\{[ \t]*[A-Za-z_$][\w$]*(?:[ \t]+(?=[^:\s])|(?=[^:\s\w]))")

_INTEGER = re.compile(r"[ \t\r\n]*[+-]?[0-9]+[ \t\r\n]*")
_LONGEST_NUMBER = 64
_DEEPEST = 64

JSON = "application/json; charset=utf-8"


class Query:
    """Query parameters, names without case."""

    def __init__(self, request: ManagementRequest) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in request.query:
            self._values.setdefault(name.lower(), []).append(value)

    def get(self, name: str) -> str | None:
        """The first value."""
        values = self._values.get(name.lower())
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        return self._values.get(name.lower(), [])

    def flag(self, name: str, default: bool) -> bool:
        """As .NET's bool.Parse reads it; what it cannot read counts as the default."""
        text = (self.get(name) or "").strip().lower()
        return text == "true" if text in ("true", "false") else default

    def number(self, name: str, default: int) -> int:
        """As .NET's int.Parse reads it, 32 bits; what it cannot read counts as the default."""
        text = self.get(name) or ""
        if not _INTEGER.fullmatch(text) or len(text) > _LONGEST_NUMBER:
            return default
        number = int(text)
        return number if -(2**31) <= number < 2**31 else default


def empty(status: int) -> ManagementResponse:
    return ManagementResponse(status, {"Content-Length": "0"})


def json_text(status: int, text: str, headers: Mapping[str, str] | None = None) -> ManagementResponse:
    """`text` is JSON already."""
    return ManagementResponse(status, {"Content-Type": JSON, **(headers or {})}, text.encode())


def json_value(status: int, value: Any, headers: Mapping[str, str] | None = None) -> ManagementResponse:
    return json_text(status, compact(value), headers)


def message(status: int, text: str) -> ManagementResponse:
    return json_value(status, {"Message": text})


def failure(status: int, text: str, error: str, error_type: str) -> ManagementResponse:
    """With the exception's text; there is no .NET stack here to show."""
    return json_value(
        status, {"Message": text, "ExceptionMessage": error, "ExceptionType": error_type, "StackTrace": ""}
    )


def invalid_json(error: str) -> ManagementResponse:
    return failure(400, "Invalid JSON content", error, "Newtonsoft.Json.JsonReaderException")


def unexpected(error: str, error_type: str) -> ManagementResponse:
    """500 for what the API has no answer of its own for."""
    return failure(500, "Something went wrong while processing your request", error, error_type)


def invalid_state(operation: str, instance_id: str, status: str) -> ManagementResponse:
    return unexpected(
        f"Cannot {operation} the orchestration instance {instance_id} because instance is in the {status} state.",
        "System.InvalidOperationException",
    )


def request_url(request: ManagementRequest) -> str:
    """The URL as the caller wrote it, for Location."""
    path = "/" + request.path.lstrip("/")
    query = "&".join(f"{quote(name)}={quote(value, safe='~@:,')}" for name, value in request.query)
    return f"{request.base_url}{WEBHOOK_PATH}{path}{'?' + query if query else ''}"


def json_error(text: str) -> str:
    """What is wrong with JSON text, worded like Newtonsoft's reader."""
    if not text.strip():
        return "Error reading JToken from JsonReader. Path '', line 0, position 0."
    if too_deep := _too_deep(text):
        return too_deep
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        unquoted = _UNQUOTED_NAME.match(text)
        if unquoted is not None and unquoted.end() < len(text):
            at = unquoted.end()
            return (
                f"Invalid character after parsing property name. Expected ':' but got: {text[at]}. "
                f"Path '', line 1, position {at}."
            )
        position = min(error.pos, len(text) - 1)
        line = error.lineno - 1 if error.pos == 0 else error.lineno
        column = error.colno - 1
        return (
            f"Unexpected character encountered while parsing value: {text[position]}. "
            f"Path '', line {line}, position {column}."
        )
    except ValueError:
        # Python's limit for the digits of an integer; Newtonsoft has a lower one.
        return "JSON integer is too large to parse. Path '', line 1, position 380."
    return ""


def _too_deep(text: str) -> str | None:
    """Newtonsoft's reader stops at a depth of 64: so no document is too deep for those that come after it."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return None
    depth = 0
    in_string = False
    skip = False
    for position, character in enumerate(text):
        if skip:
            skip = False
        elif in_string:
            skip = character == "\\"
            in_string = character != '"'
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > _DEEPEST:
                line = text.count("\n", 0, position) + 1
                column = position - text.rfind("\n", 0, position)
                return (
                    f"The reader's MaxDepth of {_DEEPEST} has been exceeded. Path '', line {line}, position {column}."
                )
        elif character in "]}":
            depth -= 1
    return None


def is_json_type(request: ManagementRequest) -> bool:
    media = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return media == "application/json"
