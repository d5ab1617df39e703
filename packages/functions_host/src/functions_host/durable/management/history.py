"""History as the management API shows it: by name, each task as one event."""

from __future__ import annotations

import json
from typing import Any

from functions_host.durable import events as ev
from functions_host.durable.clock import wire
from functions_host.durable.instances import COLUMNS, TABLES, episode_text
from functions_host.durable.jsontext import compact
from functions_host.durable.management.hub import TaskHub
from functions_host.durable.orchestration import ENTITY, Orchestration

_HIDDEN = frozenset({ev.ORCHESTRATOR_STARTED, ev.ORCHESTRATOR_COMPLETED})
_ENDS = frozenset({ev.TASK_COMPLETED, ev.TASK_FAILED, ev.SUB_COMPLETED, ev.SUB_FAILED})
_SCHEDULED = frozenset({ev.TASK_SCHEDULED, ev.SUB_CREATED})
_WITH_RESULT = frozenset({ev.TASK_COMPLETED, ev.SUB_COMPLETED, ev.EXECUTION_COMPLETED})
# What is internal to the engine, by event.
_DROPPED = frozenset({"EventId", "IsPlayed", "TaskScheduledId", "TimerId", "OrchestrationInstance", "ParentInstance"})


def history_json(hub: TaskHub, row: tuple[Any, ...], show_output: bool) -> str:
    """JSON array of events; `row` is the status row."""
    if row[1] == ENTITY:
        return _entity_history(row)
    events = stored_events(hub, row[0])
    ended = {event["TaskScheduledId"]: event for event in events if event["EventType"] in _ENDS}
    scheduled = {event["EventId"]: event for event in events if event["EventType"] in _SCHEDULED}
    shown = []
    for event in events:
        kind = event["EventType"]
        if kind in _HIDDEN or (kind in _SCHEDULED and event["EventId"] in ended):
            continue
        shown.append(_shown(event, scheduled, show_output))
    return compact(shown)


def stored_events(hub: TaskHub, instance_id: str) -> list[dict[str, Any]]:
    """All events of an instance's present execution, parsed."""
    (row,) = hub.read(f"SELECT {COLUMNS} FROM {TABLES} WHERE i.instance_id=?", (instance_id,))
    instance = Orchestration.from_row(row, "")
    episodes = hub.read("SELECT started, events FROM history WHERE instance_id=? ORDER BY episode", (instance_id,))
    texts = [episode_text(instance, number, *episode) for number, episode in enumerate(episodes)]
    events: list[dict[str, Any]] = json.loads(f"[{','.join(texts)}]")
    return events


def _shown(event: dict[str, Any], scheduled: dict[int, dict[str, Any]], show_output: bool) -> dict[str, Any]:
    kind = event["EventType"]
    view = {key: value for key, value in event.items() if key not in _DROPPED}
    view = {"EventType": ev.NAMES[kind], **{key: value for key, value in view.items() if key != "EventType"}}
    if kind in _WITH_RESULT:
        if show_output:
            view["Result"] = _parsed(event["Result"])
        else:
            view.pop("Result", None)
    if kind == ev.EXECUTION_STARTED:
        view.pop("Version", None)
        view.pop("Tags", None)
        view["FunctionName"] = view.pop("Name")
    elif kind in _SCHEDULED:
        view.pop("Version", None)
    elif kind in _ENDS:
        origin = scheduled.get(event["TaskScheduledId"])
        if origin is not None:
            view["ScheduledTime"] = origin["Timestamp"].removesuffix("Z") + "+00:00"
            view["FunctionName"] = origin["Name"]
            if kind in (ev.SUB_COMPLETED, ev.SUB_FAILED):
                view["InstanceId"] = origin["InstanceId"]
            view["Input"] = None
    return view


def _parsed(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _entity_history(row: tuple[Any, ...]) -> str:
    instance_id, updated = row[0], row[8]
    return compact(
        [
            {
                "EventType": "ExecutionStarted",
                "Input": compact({"exists": bool(row[9]), "state": row[10], "sorter": {}}),
                "Correlation": None,
                "ParentTraceContext": None,
                "ScheduledStartTime": None,
                "Generation": None,
                "GenerateNewTrace": False,
                "Timestamp": wire(updated),
                "FunctionName": instance_id,
            }
        ]
    )
