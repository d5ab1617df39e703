"""The actions an orchestrator's answer lists: types and what is read from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from functions_host.durable.clock import parse

CALL_ACTIVITY = 0
CALL_ACTIVITY_WITH_RETRY = 1
CALL_SUB = 2
CALL_SUB_WITH_RETRY = 3
CONTINUE_AS_NEW = 4
CREATE_TIMER = 5
WAIT_FOR_EVENT = 6
CALL_ENTITY = 7
CALL_HTTP = 8
SIGNAL_ENTITY = 9
SCHEDULED_SIGNAL = 10
WHEN_ANY = 11
WHEN_ALL = 12

HTTP_ACTIVITY = "BuiltIn::HttpActivity"

_NAMES = {
    CALL_ACTIVITY: "CallActivity",
    CALL_ACTIVITY_WITH_RETRY: "CallActivityWithRetry",
    CALL_SUB: "CallSubOrchestrator",
    CALL_SUB_WITH_RETRY: "CallSubOrchestratorWithRetry",
    CONTINUE_AS_NEW: "ContinueAsNew",
    CREATE_TIMER: "CreateTimer",
    WAIT_FOR_EVENT: "WaitForExternalEvent",
    CALL_ENTITY: "CallEntity",
    CALL_HTTP: "CallHttp",
    SIGNAL_ENTITY: "SignalEntity",
    SCHEDULED_SIGNAL: "ScheduledSignalEntity",
    WHEN_ANY: "WhenAny",
    WHEN_ALL: "WhenAll",
}


class State:
    """An orchestrator's answer, parsed: `actions` flat (schema V2 and later), `output` as JSON text."""

    __slots__ = ("actions", "custom_status", "error", "is_done", "output")

    def __init__(self, document: Mapping[str, Any]) -> None:
        nested = document.get("actions") or [[]]
        self.actions: list[Mapping[str, Any]] = (
            nested[0] if document.get("schemaVersion") else [_yield_of(step) for step in nested if step]
        )
        self.is_done = bool(document.get("isDone"))
        self.output = document.get("output")
        self.error: str | None = document.get("error") or None
        self.custom_status = document.get("customStatus")


def _yield_of(step: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    # Schema V1, of SDKs older than the 1.7 this host is made for: the actions of one yield, waited for as a race.
    return step[0] if len(step) == 1 else {"actionType": WHEN_ANY, "compoundActions": step}


def parse_state(text: str) -> State:
    """Raises ValueError if the text is no JSON object."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        document = json.loads(text)
    else:
        # The quick reader makes floats of whole numbers beyond 64 bits: where there is a float, Python's reads again.
        if isinstance(document, dict) and (
            _holds_float(document.get("output")) or _holds_float(document.get("customStatus"))
        ):
            document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError(f"an orchestrator must answer with a JSON object, not {text[:100]!r}")
    return State(document)


def _holds_float(value: Any) -> bool:
    if value is None or type(value) is str:
        return False
    if isinstance(value, list):
        return any(_holds_float(item) for item in value)
    if isinstance(value, dict):
        return any(_holds_float(item) for item in value.values())
    return isinstance(value, float)


def describe(action: Mapping[str, Any]) -> str:
    """For messages: ``CallActivity 'echo'``."""
    kind = _NAMES.get(action.get("actionType", -1), "unknown")
    name = action.get("functionName") or action.get("externalEventName") or action.get("instanceId")
    return f"{kind} '{name}'" if name else kind


def action_time(action: Mapping[str, Any]) -> int:
    """fireAt in microseconds."""
    fire_at = parse(str(action["fireAt"]))
    if fire_at is None:
        raise ValueError(f"fireAt {action['fireAt']!r} is no time")
    return fire_at


def input_text(action: Mapping[str, Any]) -> str | None:
    """The action's input as the function receives it: the SDK's JSON text, or JSON text of a bare value."""
    value = action.get("input")
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _retry(action: Mapping[str, Any]) -> Mapping[str, Any]:
    options: Mapping[str, Any] = action.get("retryOptions") or {}
    return options


def retry_limit(action: Mapping[str, Any]) -> int:
    return max(1, int(_retry(action).get("maxNumberOfAttempts", 1)))


def retry_delay(action: Mapping[str, Any], attempt: int, elapsed: int) -> int:
    """Microseconds to wait after failed attempt `attempt` (from 1); none after the last."""
    options = _retry(action)
    if attempt >= retry_limit(action):
        return 0
    first = float(options.get("firstRetryIntervalInMilliseconds", 0))
    delay = first * float(options.get("backoffCoefficient") or 1) ** (attempt - 1)
    longest = options.get("maxRetryIntervalInMilliseconds")
    if longest:
        delay = min(delay, float(longest))
    return int(delay * 1000)
