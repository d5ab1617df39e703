"""New work of an episode: its history events, its rows, and what is let out when they are committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from functions_host.durable import events as ev
from functions_host.durable.actions import CALL_ENTITY, CALL_HTTP, input_text
from functions_host.durable.activities import ActivityTask
from functions_host.durable.clock import wire
from functions_host.durable.core import Core
from functions_host.durable.facts import EventSent, Fact, SubCreated, TaskScheduled, TimerCreated
from functions_host.durable.instances import Instances
from functions_host.durable.jsontext import compact, quote
from functions_host.durable.messages import Message, Operation
from functions_host.durable.orchestration import Orchestration, Parent
from functions_host.durable.scheduled import CreateSub, CreateTimer, ScheduledAction, ScheduleTask, SendEvent
from functions_host.durable.store import Write

_REQUEST_TYPE = (
    '{"$type":"Microsoft.Azure.WebJobs.Extensions.DurableTask.RequestMessage, '
    'Microsoft.Azure.WebJobs.Extensions.DurableTask","op":'
)
_EXISTS = "SELECT 1 FROM instances WHERE instance_id=?"
_NEVER = "0001-01-01T00:00:00"


@dataclass(slots=True)
class Effects:
    """`writes` is what leaves the instance, and counts even if the instance ends with it; `scheduled` what it waits
    for, JSON text of each as its history row keeps it.
    """

    events: list[str] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    scheduled: list[str] = field(default_factory=list)
    tasks: list[ActivityTask] = field(default_factory=list)
    timers: list[CreateTimer] = field(default_factory=list)
    children: list[Orchestration] = field(default_factory=list)
    operations: list[Message] = field(default_factory=list)


class Scheduling:
    """Works out one instance's scheduled actions; `started` is the episode's time, `now` the time the events carry."""

    def __init__(self, core: Core, live: Instances, instance: Orchestration, started: int, now: int) -> None:
        self._core = core
        self._live = live
        self._instance = instance
        self._started = started
        self._now = now
        self._last_sent: dict[str, int] = {}
        self.effects = Effects()

    def work_out(self, actions: Sequence[ScheduledAction]) -> Effects:
        for action in actions:
            if isinstance(action, ScheduleTask):
                self._task(action)
            elif isinstance(action, SendEvent):
                self._message(action)
            elif isinstance(action, CreateTimer):
                self._timer(action)
            else:
                self._child(action)
        return self.effects

    def _task(self, task: ScheduleTask) -> None:
        instance, action, effects = self._instance, task.action, self.effects
        text = compact(action["httpRequest"]) if action["actionType"] == CALL_HTTP else input_text(action)
        effects.events.append(ev.task_scheduled(task.id, task.name, self._now))
        effects.facts.append(TaskScheduled(task.id, task.name, self._now))
        effects.scheduled.append(f'[{task.id},"activity",{quote(task.name)},{quote(text)},null]')
        effects.tasks.append(ActivityTask(instance.instance_id, instance.execution_id, task.id, task.name, text))

    def _timer(self, timer: CreateTimer) -> None:
        effects = self.effects
        effects.events.append(ev.timer_created(timer.id, timer.due, self._now))
        effects.facts.append(TimerCreated(timer.id, timer.due, self._now))
        effects.scheduled.append(f'[{timer.id},"timer","",null,{timer.due}]')
        effects.timers.append(timer)

    def _child(self, sub: CreateSub) -> None:
        instance, effects = self._instance, self.effects
        version = sub.action.get("version") or self._core.options.default_version
        effects.events.append(ev.sub_created(sub.id, sub.name, version, sub.instance_id, self._now))
        effects.facts.append(SubCreated(sub.id, sub.name, sub.instance_id, self._now))
        # Two children of one id: the later takes the place of the earlier, and both callers are told when it ends.
        twin = next((other for other in effects.children if other.instance_id == sub.instance_id), None)
        if twin is not None:
            effects.children.remove(twin)
        else:
            twin = self._live.get(sub.instance_id)
        parent = Parent(
            instance.instance_id,
            instance.execution_id,
            instance.name,
            instance.version,
            sub.id,
            None if twin is None else twin.parent,
        )
        value = sub.action.get("input")
        child = Orchestration(
            sub.instance_id,
            sub.name,
            self._core.ids.hex(),
            version,
            None if value is None else compact(value),
            self._core.clock.now(),
            None,
            parent,
        )
        replaces = twin is not None or bool(self._core.store.read(_EXISTS, (sub.instance_id,)))
        effects.writes += child.insert(replaces)
        effects.children.append(child)

    def _message(self, sent: SendEvent) -> None:
        instance, action, effects = self._instance, sent.action, self.effects
        call = action["actionType"] == CALL_ENTITY
        value = action.get("input")
        operation = Operation(
            sent.message_id,
            str(action.get("operation") or ""),
            None if value is None else compact(value),
            instance.instance_id if call else None,
            instance.execution_id if call else None,
        )
        name = "op" if sent.due is None else f"op@{wire(sent.due)}"
        request = self._request(sent, operation, call)
        effects.events.append(ev.event_sent(sent.id, sent.target, name, request, self._now))
        effects.facts.append(EventSent(sent.id, sent.target, sent.message_id, self._now))
        message = self._core.message(sent.target, operation, sent.due)
        effects.writes.append(message.insert())
        effects.operations.append(message)

    def _request(self, sent: SendEvent, operation: Operation, call: bool) -> str:
        """The extension's RequestMessage."""
        instance = self._instance
        before = self._last_sent.get(sent.target)
        stamp = self._started if before is None else max(self._started, before + 1)
        self._last_sent[sent.target] = stamp
        due = f',"due":"{wire(sent.due)}"' if sent.due is not None else ""
        signal = "" if call else ',"signal":true'
        return (
            f'{_REQUEST_TYPE}{quote(operation.name)}{signal},"input":{quote(operation.input)},"id":"{operation.id}",'
            f'"parent":{quote(instance.instance_id)},"parentExecution":"{instance.execution_id}"{due},'
            f'"Timestamp":"{wire(stamp)}","Predecessor":"{_NEVER if before is None else wire(before)}",'
            f'"requestTime":"{wire(self._now)[:-1]}+00:00"}}'
        )
