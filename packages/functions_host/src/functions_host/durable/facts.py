"""What history events say, reduced to what replaying the actions needs: one small tuple per event.

`id` is the EventId of what was scheduled; `at` and `fire_at` are microseconds since 1970. Kinds are told apart by their
type, never by equality: tuples of two kinds may be equal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from functions_host.durable import events as ev
from functions_host.durable.clock import parse


class OrchestratorStarted(NamedTuple):
    """An episode begins."""

    at: int


class ExecutionStarted(NamedTuple):
    """The execution begins."""


class TaskScheduled(NamedTuple):
    id: int
    name: str
    at: int


class SubCreated(NamedTuple):
    id: int
    name: str
    instance_id: str
    at: int


class TimerCreated(NamedTuple):
    id: int
    fire_at: int
    at: int


class EventSent(NamedTuple):
    """A message to an entity; `message_id` is what its answer will be called."""

    id: int
    target: str
    message_id: str
    at: int


class Completed(NamedTuple):
    """A task, a child or a timer ended well."""

    id: int


class Failed(NamedTuple):
    """A task or a child ended badly."""

    id: int


class EventRaised(NamedTuple):
    name: str


class ExecutionSuspended(NamedTuple):
    pass


class ExecutionResumed(NamedTuple):
    pass


class ExecutionTerminated(NamedTuple):
    pass


Scheduled = TaskScheduled | SubCreated | TimerCreated | EventSent
SCHEDULED = (TaskScheduled, SubCreated, TimerCreated, EventSent)
Fact = (
    OrchestratorStarted
    | ExecutionStarted
    | Scheduled
    | Completed
    | Failed
    | EventRaised
    | ExecutionSuspended
    | ExecutionResumed
    | ExecutionTerminated
)


def from_events(history: Iterable[dict[str, Any]]) -> list[Fact]:
    """Facts of parsed history events; those without a meaning for replay are left out."""
    return [fact for fact in map(_fact, history) if fact is not None]


def _fact(event: dict[str, Any]) -> Fact | None:
    kind = event["EventType"]
    if kind == ev.ORCHESTRATOR_STARTED:
        return OrchestratorStarted(_time(event["Timestamp"]))
    if kind == ev.EXECUTION_STARTED:
        return ExecutionStarted()
    if kind == ev.TASK_SCHEDULED:
        return TaskScheduled(event["EventId"], event["Name"], _time(event["Timestamp"]))
    if kind in (ev.TASK_COMPLETED, ev.SUB_COMPLETED):
        return Completed(event["TaskScheduledId"])
    if kind in (ev.TASK_FAILED, ev.SUB_FAILED):
        return Failed(event["TaskScheduledId"])
    if kind == ev.SUB_CREATED:
        return SubCreated(event["EventId"], event["Name"], event["InstanceId"], _time(event["Timestamp"]))
    if kind == ev.TIMER_CREATED:
        return TimerCreated(event["EventId"], _time(event["FireAt"]), _time(event["Timestamp"]))
    if kind == ev.TIMER_FIRED:
        return Completed(event["TimerId"])
    if kind == ev.EVENT_SENT:
        message = json.loads(event["Input"])
        return EventSent(event["EventId"], event["InstanceId"], message["id"], _time(event["Timestamp"]))
    if kind == ev.EVENT_RAISED:
        return EventRaised(event["Name"])
    if kind == ev.SUSPENDED:
        return ExecutionSuspended()
    if kind == ev.RESUMED:
        return ExecutionResumed()
    if kind == ev.EXECUTION_TERMINATED:
        return ExecutionTerminated()
    return None


def _time(text: str) -> int:
    moment = parse(text)
    if moment is None:
        raise ValueError(f"history holds {text!r} where a time must be")
    return moment
