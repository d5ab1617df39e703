"""New work of a step: its history events, its rows, and what starts when they are committed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from functions_host.durable import events as ev
from functions_host.durable.actions import CALL_ENTITY, CALL_HTTP, input_text
from functions_host.durable.activities import ActivityTask
from functions_host.durable.clock import wire
from functions_host.durable.core import Core
from functions_host.durable.entities import Entities
from functions_host.durable.facts import Fact
from functions_host.durable.instances import Instances, Orchestration
from functions_host.durable.jsontext import compact, quote
from functions_host.durable.messages import Message
from functions_host.durable.replay import Plan
from functions_host.durable.store import Write

_INSERT_TASK = (
    "INSERT OR REPLACE INTO tasks(instance_id, task_id, kind, execution_id, name, input, due) VALUES (?,?,?,?,?,?,?)"
)
_REQUEST_TYPE = (
    '{"$type":"Microsoft.Azure.WebJobs.Extensions.DurableTask.RequestMessage, '
    'Microsoft.Azure.WebJobs.Extensions.DurableTask","op":'
)
_NEVER = "0001-01-01T00:00:00"


@dataclass(slots=True)
class Effects:
    """`sent_writes` is the part of `writes` that leaves the instance: it counts even if the instance ends with it."""

    events: list[str] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    sent_writes: list[Write] = field(default_factory=list)
    tasks: list[ActivityTask] = field(default_factory=list)
    timers: list[tuple[int, int]] = field(default_factory=list)
    children: list[Orchestration] = field(default_factory=list)
    operations: list[Message] = field(default_factory=list)


def planned(
    core: Core,
    entities: Entities,
    live: Instances,
    instance: Orchestration,
    plans: list[Plan],
    started: int,
    now: int,
) -> Effects:
    """Work out `plans`; `started` is the episode's time, `now` the time the events carry."""
    effects = Effects()
    last_sent: dict[str, int] = {}
    for plan in plans:
        if plan.kind == "task":
            _task(effects, instance, plan, now)
        elif plan.kind == "timer":
            due = plan.due or 0
            effects.events.append(ev.timer_created(plan.id, due, now))
            effects.facts.append(("plan", "timer", plan.id, None, due, now))
            row = (instance.instance_id, plan.id, "timer", instance.execution_id, "", None, due)
            effects.writes.append((_INSERT_TASK, row))
            effects.timers.append((plan.id, due))
        elif plan.kind == "sub":
            _child(effects, core, live, instance, plan, now)
        else:
            _message(effects, entities, instance, plan, started, now, last_sent)
    effects.writes += effects.sent_writes
    return effects


def _task(effects: Effects, instance: Orchestration, plan: Plan, now: int) -> None:
    action = plan.action
    text = compact(action["httpRequest"]) if action["actionType"] == CALL_HTTP else input_text(action)
    effects.events.append(ev.task_scheduled(plan.id, plan.name, now))
    effects.facts.append(("plan", "task", plan.id, plan.name, None, now))
    row = (instance.instance_id, plan.id, "activity", instance.execution_id, plan.name, text, None)
    effects.writes.append((_INSERT_TASK, row))
    effects.tasks.append(ActivityTask(instance.instance_id, instance.execution_id, plan.id, plan.name, text))


def _child(effects: Effects, core: Core, live: Instances, instance: Orchestration, plan: Plan, now: int) -> None:
    version = plan.action.get("version") or core.options.default_version
    effects.events.append(ev.sub_created(plan.id, plan.name, version, plan.target, now))
    effects.facts.append(("plan", "sub", plan.id, plan.name, plan.target, now))
    parent: dict[str, Any] = {
        "instance_id": instance.instance_id,
        "execution_id": instance.execution_id,
        "name": instance.name,
        "version": instance.version,
        "task_id": plan.id,
    }
    value = plan.action.get("input")
    child = Orchestration(
        plan.target,
        plan.name,
        uuid.uuid4().hex,
        version,
        None if value is None else compact(value),
        core.clock.now(),
        None,
        parent,
    )
    # Two children of one id: the later takes the place of the earlier, and both callers are told when it ends.
    twin = next((other for other in effects.children if other.instance_id == child.instance_id), None)
    if twin is not None:
        effects.children.remove(twin)
    else:
        twin = live.get(child.instance_id)
    if twin is not None:
        parent["replaced"] = twin.parent
    effects.sent_writes += child.insert()
    effects.children.append(child)


def _message(
    effects: Effects,
    entities: Entities,
    instance: Orchestration,
    plan: Plan,
    started: int,
    now: int,
    last_sent: dict[str, int],
) -> None:
    action = plan.action
    call = action["actionType"] == CALL_ENTITY
    value = action.get("input")
    operation_input = None if value is None else compact(value)
    operation = str(action.get("operation") or "")
    before = last_sent.get(plan.target)
    stamp = started if before is None else max(started, before + 1)
    last_sent[plan.target] = stamp
    due = f',"due":"{wire(plan.due)}"' if plan.due is not None else ""
    signal = "" if call else ',"signal":true'
    text = (
        f'{_REQUEST_TYPE}{quote(operation)}{signal},"input":{quote(operation_input)},'
        f'"id":"{plan.guid}","parent":{quote(instance.instance_id)},"parentExecution":"{instance.execution_id}"{due},'
        f'"Timestamp":"{wire(stamp)}","Predecessor":"{_NEVER if before is None else wire(before)}",'
        f'"requestTime":"{wire(now)[:-1]}+00:00"}}'
    )
    name = "op" if plan.due is None else f"op@{wire(plan.due)}"
    effects.events.append(ev.event_sent(plan.id, plan.target, name, text, now))
    effects.facts.append(("plan", "send", plan.id, plan.target, plan.guid, now))
    message = entities.operation(
        plan.target,
        operation,
        operation_input,
        plan.guid,
        (instance.instance_id, instance.execution_id) if call else None,
        plan.due,
    )
    effects.sent_writes.append(message.insert())
    effects.operations.append(message)
