"""Why something is rejected: one entry per broken rule, in the shape of the HTTP API."""

from __future__ import annotations

import math
from typing import Any

import orjson

from telemetry.model import Error
from telemetry.vocabulary import ErrorCode, EventErrorCode

_LONGEST_VALUE = 256


class EventRejected(Exception):
    """The event as a whole cannot be read; ``error`` says why."""

    def __init__(self, code: EventErrorCode, detail: str) -> None:
        super().__init__(detail)
        self.error: Error = {"code": code, "field": None, "value": None, "detail": detail}


def broken(code: ErrorCode, field: str | None, value: Any, detail: str) -> Error:
    """One broken rule. A value that JSON cannot say, or a very long one, is given as (the start of) its text."""
    return {"code": code, "field": field, "value": _shown(value), "detail": detail}


def wrong_type(field: str | None, value: Any, expected: str) -> Error:
    return broken("wrong_type", field, value, f"{field or 'message'} must be {expected}, not {json_type(value)}")


def json_type(value: Any) -> str:
    """The name of the value's JSON type, with its article."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


def _shown(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_VALUE else value[:_LONGEST_VALUE] + "…"
    if isinstance(value, (list, dict)):
        text = orjson.dumps(value)
        if len(text) > _LONGEST_VALUE:
            return text[:_LONGEST_VALUE].decode("utf-8", "ignore") + "…"
    return value
