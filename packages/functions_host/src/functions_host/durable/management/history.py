"""History as the management API shows it: by name, each task as one event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions_host.durable import events as ev
from functions_host.durable.clock import wire
from functions_host.durable.instances import ENTITY, from_row
from functions_host.durable.jsontext import compact

if TYPE_CHECKING:
    from functions_host.durable.engine import DurableEngine

_HIDDEN = frozenset({ev.ORCHESTRATOR_STARTED, ev.ORCHESTRATOR_COMPLETED})
_ENDS = frozenset({ev.TASK_COMPLETED, ev.TASK_FAILED, ev.SUB_COMPLETED, ev.SUB_FAILED})
_SCHEDULED = frozenset({ev.TASK_SCHEDULED, ev.SUB_CREATED})
_WITH_RESULT = frozenset({ev.TASK_COMPLETED, ev.SUB_COMPLETED, ev.EXECUTION_COMPLETED})
# What is internal to the engine, by event.
_DROPPED = frozenset({"EventId", "IsPlayed", "TaskScheduledId", "TimerId", "OrchestrationInstance", "ParentInstance"})


def history_json(engine: DurableEngine, row: tuple[Any, ...], show_output: bool) -> str:
    """JSON array of events; `row` is the status row."""
    if row[1] == ENTITY:
        return _entity_history(row)
    events = stored_events(engine, row[0])
    ended = {event["TaskScheduledId"]: event for event in events if event["EventType"] in _ENDS}
    scheduled = {event["EventId"]: event for event in events if event["EventType"] in _SCHEDULED}
    shown = []
    for event in events:
        kind = event["EventType"]
        if kind in _HIDDEN or (kind in _SCHEDULED and event["EventId"] in ended):
            continue
        shown.append(_shown(event, scheduled, show_output))
    return compact(shown)


def stored_events(engine: DurableEngine, instance_id: str) -> list[dict[str, Any]]:
    """All events of an instance's present execution, parsed."""
    rows = engine.store.read(
        "SELECT name, execution_id, version, input, created, generation, parent FROM instances "
        "LEFT JOIN inputs USING(instance_id) WHERE instance_id=?",
        (instance_id,),
    )
    parent = json.loads(rows[0][6]) if rows[0][6] else None
    instance = from_row((instance_id, *rows[0][:6]), parent, "")
    started = ev.render(instance.started_event(), True)
    episodes = engine.store.read(
        "SELECT started, events FROM history WHERE instance_id=? ORDER BY episode", (instance_id,)
    )
    texts = []
    for number, (at, text) in enumerate(episodes):
        texts.append(ev.orchestrator_started(at))
        if number == 0:
            texts.append(started)
        if text:
            texts.append(text)
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
