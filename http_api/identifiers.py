"""Ids in paths. What can be no id is never looked up, so no store meets characters that mean something to it."""

from __future__ import annotations

import re

from http_api.endpoint import Call
from http_api.problem import not_found
from telemetry import episodes, flights
from telemetry.device_id import DEVICE_ID_PATTERN

# As telemetry.identity makes them: letters, digits and . _ : - ~, at most 100, a hub's name first.
_DOCUMENT_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:~-]{0,99}")


def document_id(call: Call, what: str) -> str:
    """The id of a batch or dead letter in the path, as the host decoded it. Raises the 404 for what can be none."""
    return _made_here(call, what)


def flight_id(call: Call) -> str:
    """The id of a flight in the path. Raises the 404 for what can be none."""
    found = _made_here(call, "flight")
    if flights.device_of(found) is None:
        raise not_found("flight", found)
    return found


def alert_id(call: Call) -> str:
    """The id of an alert in the path. Raises the 404 for what can be none."""
    found = _made_here(call, "alert")
    if episodes.device_of(found) is None:
        raise not_found("alert", found)
    return found


def _made_here(call: Call, what: str) -> str:
    found = call.path["id"]
    if _DOCUMENT_ID.fullmatch(found) is None:
        raise not_found(what, found)
    return found


def device_id(text: str) -> str:
    """The id of a drone. Raises the 404 for what can be none: to the extension, any text is an entity's key."""
    if DEVICE_ID_PATTERN.fullmatch(text) is None:
        raise not_found("drone", text)
    return text
