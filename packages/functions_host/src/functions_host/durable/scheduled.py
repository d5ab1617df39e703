"""Scheduled actions: what an orchestrator's actions ask for, as the walk through them starts it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from functions_host.durable.facts import EventSent, Scheduled, SubCreated, TaskScheduled, TimerCreated


class ScheduleTask(NamedTuple):
    id: int
    name: str
    action: Mapping[str, Any]


class CreateSub(NamedTuple):
    id: int
    name: str
    instance_id: str
    action: Mapping[str, Any]


class CreateTimer(NamedTuple):
    id: int
    due: int


class SendEvent(NamedTuple):
    """To an entity; `due` of a scheduled signal, microseconds."""

    id: int
    target: str
    message_id: str
    action: Mapping[str, Any]
    due: int | None = None


ScheduledAction = ScheduleTask | CreateSub | CreateTimer | SendEvent


def fits(action: ScheduledAction, recorded: Scheduled) -> bool:
    """Whether `recorded` is what this action left in history."""
    if isinstance(action, ScheduleTask):
        return isinstance(recorded, TaskScheduled) and recorded.name == action.name
    if isinstance(action, CreateTimer):
        return isinstance(recorded, TimerCreated)
    if isinstance(action, CreateSub):
        return isinstance(recorded, SubCreated) and recorded.name == action.name
    return isinstance(recorded, EventSent) and recorded.target == action.target


def described(one: ScheduledAction | Scheduled) -> str:
    """For messages: ``an activity task named 'echo'``."""
    if isinstance(one, (ScheduleTask, TaskScheduled)):
        return f"an activity task named '{one.name}'"
    if isinstance(one, (CreateSub, SubCreated)):
        return f"a sub-orchestration named '{one.name}'"
    if isinstance(one, (SendEvent, EventSent)):
        return f"an entity message named '{one.target}'"
    return "a timer"
