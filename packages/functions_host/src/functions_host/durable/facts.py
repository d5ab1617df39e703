"""What history says, reduced to what replaying the actions needs: one small tuple an event.

Shapes: ``("start", at)`` an episode begins; ``("run",)`` the execution begins; ``("plan", kind, id, name, extra, at)``
something was scheduled (kind task, sub, timer or send; extra is a timer's due time, a message's id or a child's
instance id); ``("done", id)`` a task, child or timer ended well, ``("fail", id)`` badly; ``("event", name)``;
``("suspend",)``, ``("resume",)``, ``("terminate",)``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from functions_host.durable import events as ev
from functions_host.durable.clock import parse

Fact = tuple[Any, ...]


def from_events(history: Iterable[dict[str, Any]]) -> list[Fact]:
    """Facts of parsed history events; those without a meaning for replay are left out."""
    facts: list[Fact] = []
    for event in history:
        fact = _fact(event)
        if fact is not None:
            facts.append(fact)
    return facts


def _fact(event: dict[str, Any]) -> Fact | None:
    kind = event["EventType"]
    if kind == ev.ORCHESTRATOR_STARTED:
        return ("start", parse(event["Timestamp"]))
    if kind == ev.EXECUTION_STARTED:
        return ("run",)
    if kind == ev.TASK_SCHEDULED:
        return ("plan", "task", event["EventId"], event["Name"], None, parse(event["Timestamp"]))
    if kind in (ev.TASK_COMPLETED, ev.SUB_COMPLETED):
        return ("done", event["TaskScheduledId"])
    if kind in (ev.TASK_FAILED, ev.SUB_FAILED):
        return ("fail", event["TaskScheduledId"])
    if kind == ev.SUB_CREATED:
        return ("plan", "sub", event["EventId"], event["Name"], event["InstanceId"], parse(event["Timestamp"]))
    if kind == ev.TIMER_CREATED:
        return ("plan", "timer", event["EventId"], None, parse(event["FireAt"]), parse(event["Timestamp"]))
    if kind == ev.TIMER_FIRED:
        return ("done", event["TimerId"])
    if kind == ev.EVENT_SENT:
        message = json.loads(event["Input"])
        return ("plan", "send", event["EventId"], event["InstanceId"], message["id"], parse(event["Timestamp"]))
    if kind == ev.EVENT_RAISED:
        return ("event", event["Name"])
    if kind == ev.SUSPENDED:
        return ("suspend",)
    if kind == ev.RESUMED:
        return ("resume",)
    if kind == ev.EXECUTION_TERMINATED:
        return ("terminate",)
    return None
