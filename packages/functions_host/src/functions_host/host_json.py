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
from functions_host.json_file import read_json_file
from functions_host.section import Section
from functions_host.settings import parse_timespan, resolve

BODY_LIMIT_SETTING = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"
LOG_LEVELS = ("Trace", "Debug", "Information", "Warning", "Error", "Critical", "None")

_OVERRIDE = "azurefunctionsjobhost__"
_BODY_LIMIT = 104_857_600
_RESOLVED = (("hubName",), ("storageProvider", "connectionName"), ("storageProvider", "connectionStringName"))


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
    """The parts of host.json this host reads; `raw` is the whole document, overrides applied, ``%NAME%`` resolved."""

    raw: dict[str, Any]
    route_prefix: str = "api"
    function_timeout: float | None = 1800.0
    max_request_bytes: int = _BODY_LIMIT
    event_hubs: EventHubsOptions = field(default_factory=EventHubsOptions)
    log_levels: dict[str, str] = field(default_factory=dict)
    functions: tuple[str, ...] | None = None
    closed_when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    configures_durable: bool = False

    def closes_management(self, environ: Mapping[str, str]) -> bool:
        """Whether the app wants its admin and management APIs closed: by a setting's value that host.json names."""
        return any(environ.get(setting, "").strip().lower() in values for setting, values in self.closed_when.items())


def read_host_json(app_dir: Path, environ: Mapping[str, str] | None = None) -> HostJson:
    """Read `host.json`; ``AzureFunctionsJobHost__a__b`` settings override its values, as on the real host."""
    path = app_dir / "host.json"
    if not path.is_file():
        raise StartError(f"{path} is missing: --app must name the folder of a Functions app")
    document = read_json_file(path)
    environ = os.environ if environ is None else environ
    origins: dict[str, str] = {}
    for name, value in environ.items():
        if name.lower().startswith(_OVERRIDE):
            parts = name[len(_OVERRIDE) :].split("__")
            _override(document, parts, value)
            origins[f"host.json {'.'.join(parts)}".lower()] = name
    top = Section(document, "host.json", origins)
    if top.get("version") not in (None, "2.0", 2.0):
        raise top.wrong("version", top.get("version"), '"2.0"')
    extensions = top.section("extensions")
    _resolve(extensions.section("durableTask"), environ)
    return HostJson(
        configures_durable=bool(extensions.get("durableTask")),
        raw=document,
        route_prefix=extensions.section("http").text("routePrefix", "api").strip("/"),
        function_timeout=_function_timeout(top),
        max_request_bytes=_body_limit(environ.get(BODY_LIMIT_SETTING)),
        event_hubs=_event_hubs(extensions.section("eventHubs")),
        functions=_functions(top),
        closed_when=_closed_when(top.section("functionsHost").section("closeManagementWhen")),
        log_levels=_log_levels(top.section("logging").section("logLevel")),
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
    except (ValueError, RecursionError):
        node[key] = value


def _resolve(durable: Section, environ: Mapping[str, str]) -> None:
    """``%NAME%`` in the names of hub and connection; the document itself is changed."""
    for path in _RESOLVED:
        section = durable
        for part in path[:-1]:
            section = section.section(part)
        name = next((known for known in section.values if known.lower() == path[-1].lower()), None)
        if name is not None and isinstance(section.values, dict):
            section.values[name] = resolve(section.text(name, ""), section.where(name), environ)


def _body_limit(text: str | None) -> int:
    if not text:
        return _BODY_LIMIT
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise StartError(f"the setting {BODY_LIMIT_SETTING} must be a number of bytes above zero, not {text!r}")
    return int(text)


def _functions(top: Section) -> tuple[str, ...] | None:
    """The functions to run; an empty list, as on the real host, means all."""
    value = top.get("functions")
    if isinstance(value, dict):
        # As the environment sets a list: functions__0, functions__1.
        value = [value[key] for key in sorted(value)]
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise top.wrong("functions", value, "a list of function names")
    return tuple(value) or None


def _closed_when(section: Section) -> dict[str, tuple[str, ...]]:
    """``{"SETTING": "value"}`` or a list of values; lower-case, as they are compared."""
    found = {}
    for setting, value in section.values.items():
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(each, str) for each in values):
            raise section.wrong(setting, value, "a text or a list of texts")
        found[setting] = tuple(each.lower() for each in values)
    return found


def _log_levels(section: Section) -> dict[str, str]:
    """.NET's names of levels, or their numbers."""
    numbers = {str(number): name for number, name in enumerate(LOG_LEVELS)}
    found = {}
    for category, value in section.values.items():
        known = numbers.get(str(value))
        found[category] = known if known is not None else section.choice(category, LOG_LEVELS, "")
        if not found[category]:
            raise section.wrong(category, value, f"one of {', '.join(LOG_LEVELS)}")
    return found


def _function_timeout(top: Section) -> float | None:
    value = top.get("functionTimeout")
    if value is None:
        return 1800.0
    if str(value) == "-1":
        return None
    seconds = parse_timespan(str(value), top.where("functionTimeout"))
    if seconds <= 0:
        raise top.wrong("functionTimeout", value, "a time span above zero, or -1 for no limit")
    return seconds


def _event_hubs(section: Section) -> EventHubsOptions:
    maximum = section.number("maxEventBatchSize", 100)
    minimum = section.number("minEventBatchSize", 1)
    if minimum > maximum:
        raise section.wrong("minEventBatchSize", minimum, f"at most maxEventBatchSize ({maximum})")
    wait = parse_timespan(section.text("maxWaitTime", "00:01:00"), section.where("maxWaitTime"))
    if not 0 < wait <= 600:
        raise section.wrong("maxWaitTime", section.get("maxWaitTime"), "above zero and at most 00:10:00")
    return EventHubsOptions(
        max_batch=maximum,
        min_batch=minimum,
        max_wait=wait,
        prefetch=section.number("prefetchCount", 300),
        checkpoint_frequency=section.number("batchCheckpointFrequency", 1),
        initial_offset=_initial_offset(section.section("initialOffsetOptions")),
    )


def _initial_offset(section: Section) -> InitialOffset:
    kind = section.choice("type", ("fromStart", "fromEnd", "fromEnqueuedTime"), "fromStart")
    time = section.text("enqueuedTimeUtc", "")
    if kind == "fromEnqueuedTime" and not time:
        raise StartError(f"{section.where('enqueuedTimeUtc')} is needed with type fromEnqueuedTime")
    return InitialOffset(kind, _moment(time, section) if time else None)


def _moment(text: str, section: Section) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise section.wrong("enqueuedTimeUtc", text, "an ISO 8601 time") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)
