"""What one episode brings: waiting messages turned into history events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from functions_host.durable import events as ev
from functions_host.durable import messages as msg
from functions_host.durable.facts import (
    Completed,
    EventRaised,
    ExecutionResumed,
    ExecutionSuspended,
    ExecutionTerminated,
    Fact,
    Failed,
    Scheduled,
    TimerCreated,
)
from functions_host.durable.messages import Message


@dataclass(slots=True)
class Arrivals:
    """`messages` is all that was taken up; `events`, rendered, what came of it, `facts` what they say.

    `told_by` has the message behind each fact; `done_tasks` the ids of what has ended. `termination` and
    `suspension` are the last such message, if there was one.
    """

    messages: list[Message] = field(default_factory=list)
    events: list[ev.Incoming] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    told_by: list[Message] = field(default_factory=list)
    done_tasks: list[int] = field(default_factory=list)
    termination: msg.Terminate | None = None
    suspension: msg.Suspend | None = None

    def _add(self, message: Message, event: ev.Incoming, fact: Fact) -> None:
        self.events.append(event)
        self.facts.append(fact)
        self.told_by.append(message)


def collect(waiting: Iterable[Message], open_tasks: Mapping[int, Scheduled]) -> Arrivals:
    """`open_tasks`: of the history so far. Answers to others (a second delivery) are left out."""
    arrivals = Arrivals()
    ended: set[int] = set()
    for message in waiting:
        arrivals.messages.append(message)
        payload = message.payload
        if isinstance(payload, (msg.TaskEnded, msg.SubEnded, msg.TimerDue)):
            task = open_tasks.get(payload.id)
            if task is not None and payload.id not in ended:
                ended.add(payload.id)
                arrivals.done_tasks.append(payload.id)
                failed = not isinstance(payload, msg.TimerDue) and payload.reason is not None
                fact = Failed(payload.id) if failed else Completed(payload.id)
                arrivals._add(message, _ended(payload, task), fact)
        elif isinstance(payload, msg.Event):
            event = ev.event_raised(payload.name, payload.input, payload.at)
            arrivals._add(message, event, EventRaised(payload.name))
        elif isinstance(payload, msg.Terminate):
            arrivals.termination = payload
            arrivals._add(message, ev.terminated(payload.reason, payload.at), ExecutionTerminated())
        elif isinstance(payload, msg.Suspend):
            arrivals.suspension = payload
            arrivals._add(message, ev.suspended(payload.reason, payload.at), ExecutionSuspended())
        elif isinstance(payload, msg.Resume):
            arrivals._add(message, ev.resumed(payload.reason, payload.at), ExecutionResumed())
        elif isinstance(payload, msg.Rewind):
            # Of no meaning for replay: history itself was rewritten.
            arrivals.events.append(ev.rewound(payload.reason, payload.at))
    return arrivals


def _ended(payload: msg.TaskEnded | msg.SubEnded | msg.TimerDue, task: Scheduled) -> ev.Incoming:
    if isinstance(payload, msg.TimerDue):
        fire_at = task.fire_at if isinstance(task, TimerCreated) else payload.at
        return ev.timer_fired(payload.id, fire_at, task.at)
    if isinstance(payload, msg.TaskEnded):
        if payload.reason is not None:
            return ev.task_failed(payload.id, payload.reason, payload.details, payload.at)
        return ev.task_completed(payload.id, payload.result, payload.at)
    if payload.reason is not None:
        return ev.sub_failed(payload.id, payload.reason, payload.details, payload.at)
    return ev.sub_completed(payload.id, payload.result, payload.at)
