"""host.json, checked: a wrong value stops the start with its name."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from functions_host.errors import StartError
from functions_host.settings import parse_timespan

BODY_LIMIT_SETTING = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"
_BODY_LIMIT = 104_857_600
_OVERRIDE = "azurefunctionsjobhost__"


@dataclass(frozen=True, slots=True)
class InitialOffset:
    """Where a consumer group without a checkpoint starts: fromStart, fromEnd, or fromEnqueuedTime (an aware time)."""

    kind: str = "fromStart"
    enqueued_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventHubsOptions:
    """`extensions.eventHubs` of extension v6. Times in seconds."""

    max_batch: int = 100
    min_batch: int = 1
    max_wait: float = 60.0
    prefetch: int = 300
    checkpoint_frequency: int = 1
    initial_offset: InitialOffset = field(default_factory=InitialOffset)


@dataclass(frozen=True, slots=True)
class HostJson:
    """The parts of host.json this host reads; `raw` is the whole document, overrides applied."""

    raw: dict[str, Any]
    route_prefix: str = "api"
    function_timeout: float | None = 1800.0
    max_request_bytes: int = _BODY_LIMIT
    event_hubs: EventHubsOptions = field(default_factory=EventHubsOptions)
    log_levels: dict[str, str] = field(default_factory=dict)
    functions: tuple[str, ...] | None = None


def read_host_json(app_dir: Path, environ: Mapping[str, str] | None = None) -> HostJson:
    """Read `host.json`; ``AzureFunctionsJobHost__a__b`` settings override its values, as on the real host."""
    path = app_dir / "host.json"
    if not path.is_file():
        raise StartError(f"{path} is missing: --app must name the folder of a Functions app")
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise StartError(f"host.json is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise StartError("host.json must hold a JSON object")
    environ = os.environ if environ is None else environ
    for name, value in environ.items():
        if name.lower().startswith(_OVERRIDE):
            _override(document, name[len(_OVERRIDE) :].split("__"), value)
    extensions = _section(document, "extensions", "host.json")
    http = _section(extensions, "http", "host.json extensions")
    levels = _section(_section(document, "logging", "host.json"), "logLevel", "host.json logging")
    prefix = _value(http, "routePrefix", "api")
    return HostJson(
        raw=document,
        route_prefix=str(prefix).strip("/"),
        function_timeout=_function_timeout(_value(document, "functionTimeout")),
        max_request_bytes=_body_limit(environ.get(BODY_LIMIT_SETTING)),
        event_hubs=_event_hubs(_section(extensions, "eventHubs", "host.json extensions")),
        functions=_functions(_value(document, "functions")),
        log_levels={str(key): str(value) for key, value in levels.items()},
    )


def _override(document: dict[str, Any], path: list[str], value: str) -> None:
    node = document
    for part in path[:-1]:
        key = next((known for known in node if known.lower() == part.lower()), part)
        child = node.get(key)
        if not isinstance(child, dict):
            child = node[key] = {}
        node = child
    key = next((known for known in node if known.lower() == path[-1].lower()), path[-1])
    try:
        node[key] = json.loads(value)
    except ValueError:
        node[key] = value


def _value(section: Mapping[str, Any], name: str, default: Any = None) -> Any:
    """Names in host.json are read without regard to case, as .NET's configuration does."""
    if name in section:
        return section[name]
    return next((value for known, value in section.items() if known.lower() == name.lower()), default)


def _section(parent: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    value = _value(parent, name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise StartError(f"{where}: {name} must be an object")
    return value


def _body_limit(text: str | None) -> int:
    if not text:
        return _BODY_LIMIT
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise StartError(f"the setting {BODY_LIMIT_SETTING} must be a number of bytes above zero, not {text!r}")
    return int(text)


def _functions(value: Any) -> tuple[str, ...] | None:
    """The functions to run; an empty list, as on the real host, means all."""
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise StartError(f"host.json functions must be a list of function names, not {value!r}")
    return tuple(value) or None


def _function_timeout(value: Any) -> float | None:
    if value is None:
        return 1800.0
    if str(value) == "-1":
        return None
    seconds = parse_timespan(str(value), "host.json functionTimeout")
    if seconds <= 0:
        raise StartError("host.json functionTimeout must be above zero, or -1 for no limit")
    return seconds


def _event_hubs(section: dict[str, Any]) -> EventHubsOptions:
    where = "host.json extensions.eventHubs"

    def number(name: str, default: int, least: int = 1) -> int:
        value = _value(section, name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise StartError(f"{where}.{name} must be a whole number of at least {least}, not {value!r}")
        return value

    maximum = number("maxEventBatchSize", 100)
    minimum = number("minEventBatchSize", 1)
    if minimum > maximum:
        raise StartError(f"{where}.minEventBatchSize ({minimum}) is above maxEventBatchSize ({maximum})")
    wait = parse_timespan(_value(section, "maxWaitTime", "00:01:00"), f"{where}.maxWaitTime")
    if not 0 < wait <= 600:
        raise StartError(f"{where}.maxWaitTime must be above zero and at most 00:10:00")
    return EventHubsOptions(
        max_batch=maximum,
        min_batch=minimum,
        max_wait=wait,
        prefetch=number("prefetchCount", 300),
        checkpoint_frequency=number("batchCheckpointFrequency", 1),
        initial_offset=_initial_offset(_section(section, "initialOffsetOptions", where), where),
    )


def _initial_offset(section: dict[str, Any], where: str) -> InitialOffset:
    kind = str(_value(section, "type") or "fromStart")
    known = {"fromstart": "fromStart", "fromend": "fromEnd", "fromenqueuedtime": "fromEnqueuedTime"}
    if kind.lower() not in known:
        raise StartError(f"{where}.initialOffsetOptions.type {kind!r} is none of {', '.join(known.values())}")
    time = _value(section, "enqueuedTimeUtc")
    if known[kind.lower()] == "fromEnqueuedTime" and not time:
        raise StartError(f"{where}.initialOffsetOptions.enqueuedTimeUtc is needed with type fromEnqueuedTime")
    return InitialOffset(known[kind.lower()], _moment(str(time), where) if time else None)


def _moment(text: str, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise StartError(f"{where}.initialOffsetOptions.enqueuedTimeUtc {text!r} is not an ISO 8601 time") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)
