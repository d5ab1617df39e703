"""Scheduled actions: what an orchestrator's actions ask for, as the walk through them starts it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from functions_host.durable.facts import EventSent, Scheduled, SubCreated, TaskScheduled, TimerCreated

_GUID_NAMESPACE = uuid.UUID("9e952958-5e33-4daf-827f-2fa12937b875")


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


def message_guid(instance_id: str, now: int, number: int) -> str:
    """The id of an entity message: the same for the `number`-th of an episode, however often that is replayed."""
    return str(uuid.uuid5(_GUID_NAMESPACE, f"{instance_id}_{now}_{number}"))


def is_guid(name: str) -> bool:
    """Whether an event of that name is an entity's answer."""
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False
