"""Histories as the Durable extension hands them to Python: numbers for event types, nulls written out, ids in order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

Event = dict[str, Any]

EXECUTION_STARTED = 0
TASK_SCHEDULED = 4
TASK_COMPLETED = 5
TASK_FAILED = 6
TIMER_CREATED = 10
TIMER_FIRED = 11
EVENT_RAISED = 15
ORCHESTRATOR_STARTED = 12
ORCHESTRATOR_COMPLETED = 13

# What the SDK adds to a failure's reason when it makes an exception of it.
DETAILS = json.dumps({"$type": "System.Exception, System.Private.CoreLib", "StackTraceString": "at Host.Somewhere"})


def timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


class History:
    """The history of one instance, episode by episode."""

    def __init__(self, name: str, instance_id: str, argument: Any, now: datetime) -> None:
        self.name = name
        self.instance_id = instance_id
        self.argument = argument
        self.events: list[Event] = []
        self._next_id = 0
        self._started: Event = {
            "OrchestrationInstance": {"InstanceId": instance_id, "ExecutionId": "00000000-0000-0000-0000-000000000001"},
            "EventType": EXECUTION_STARTED,
            "ParentInstance": None,
            "Name": name,
            "Version": None,
            "Input": json.dumps(argument),
            "Tags": None,
            "Correlation": None,
            "ParentTraceContext": None,
            "ScheduledStartTime": None,
            "Generation": 0,
            **_plain(now),
        }

    def begin_episode(self, now: datetime, incoming: Sequence[Event]) -> None:
        """OrchestratorStarted and what has come in since; what came in before counts as played from now on."""
        for event in self.events:
            if event["EventType"] in (EXECUTION_STARTED, TASK_COMPLETED, TASK_FAILED, TIMER_FIRED, EVENT_RAISED):
                event["IsPlayed"] = True
        self.events.append({"EventType": ORCHESTRATOR_STARTED, **_plain(now)})
        if len(self.events) == 1:
            self.events.append(self._started)
        self.events.extend(incoming)

    def end_episode(self, now: datetime) -> None:
        self.events.append({"EventType": ORCHESTRATOR_COMPLETED, **_plain(now)})

    def schedule_task(self, name: str, now: datetime) -> int:
        return self._schedule({"EventType": TASK_SCHEDULED, "Name": name, "Version": "", "Input": None}, now)

    def create_timer(self, fire_at: datetime, now: datetime) -> int:
        return self._schedule({"EventType": TIMER_CREATED, "FireAt": timestamp(fire_at)}, now)

    def context(self) -> str:
        """The text that an orchestrator function is handed."""
        return json.dumps(
            {
                "history": self.events,
                "input": self.argument,
                "instanceId": self.instance_id,
                "isReplaying": any(event["EventType"] == ORCHESTRATOR_COMPLETED for event in self.events),
                "parentInstanceId": None,
                "upperSchemaVersion": 1,
                "upperSchemaVersionNew": 3,
                "longRunningTimerIntervalDuration": "3.00:00:00",
                "maximumShortTimerDuration": "6.00:00:00",
                "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
            }
        )

    def _schedule(self, event: Event, now: datetime) -> int:
        number = self._next_id
        self._next_id += 1
        self.events.append({**event, **_plain(now), "EventId": number})
        return number


def task_completed(number: int, result: Any, now: datetime) -> Event:
    text = None if result is None else json.dumps(result, separators=(",", ":"))
    return {"EventType": TASK_COMPLETED, "TaskScheduledId": number, "Result": text, **_plain(now)}


def task_failed(number: int, name: str, error: BaseException, now: datetime) -> Event:
    reason = f"Activity function '{name}' failed:  {type(error).__name__}: {error}"
    return {
        "EventType": TASK_FAILED,
        "TaskScheduledId": number,
        "Reason": reason,
        "Details": DETAILS,
        "FailureDetails": None,
        **_plain(now),
    }


def timer_fired(number: int, fire_at: datetime, now: datetime) -> Event:
    return {"EventType": TIMER_FIRED, "TimerId": number, "FireAt": timestamp(fire_at), **_plain(now)}


def event_raised(name: str, now: datetime) -> Event:
    """Without content."""
    return {"EventType": EVENT_RAISED, "Name": name, "Input": "null", "ParentTraceContext": None, **_plain(now)}


def later(now: datetime, milliseconds: int) -> datetime:
    return now + timedelta(milliseconds=milliseconds)


def _plain(now: datetime) -> Event:
    return {"EventId": -1, "IsPlayed": False, "Timestamp": timestamp(now)}
