"""One step of an orchestration: deliver what arrived, run the function, replay its actions, write what follows."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from functions_host.durable import events as ev
from functions_host.durable import failures
from functions_host.durable import messages as msg
from functions_host.durable.actions import State, parse_state
from functions_host.durable.facts import Fact
from functions_host.durable.instances import Orchestration
from functions_host.durable.jsontext import compact, quote
from functions_host.durable.messages import Message
from functions_host.durable.replay import NonDeterminismError, Plan, Registry, Replay

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Arrivals:
    """What one episode brings: rendered events and what they say."""

    events: list[ev.Incoming] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    told_by: list[Message] = field(default_factory=list)
    done_tasks: list[int] = field(default_factory=list)
    terminated: bool = False
    termination: str | None = None
    suspension: str | None = None


@dataclass(slots=True)
class Outcome:
    """What a step leads to. `status` None: the instance goes on; `result` is JSON text, `plans` is new work."""

    status: str | None = None
    result: str | None = None
    reason: str = ""
    error: str = ""
    custom_status: str | None = None
    plans: list[Plan] = field(default_factory=list)
    continue_input: str | None = None
    continues: bool = False
    suspended: bool = False
    carried: list[int] = field(default_factory=list)


def collect(instance: Orchestration, facts: list[Fact]) -> Arrivals:
    """Turn waiting messages into events; answers to tasks that are not open (a second delivery) are left out."""
    arrivals = Arrivals()
    plans = {fact[2]: fact for fact in facts if fact[0] == "plan"}
    ended = {fact[1] for fact in facts if fact[0] in ("done", "fail")}
    while instance.inbox:
        message = instance.inbox.popleft()
        message.consumed = True
        arrivals.messages.append(message)
        payload, at = message.payload, message.payload["at"]
        if message.kind in (msg.TASK, msg.SUB, msg.TIMER):
            number = payload["id"]
            if number not in plans or number in ended:
                continue
            ended.add(number)
            arrivals.done_tasks.append(number)
            arrivals.events.append(_ended(message.kind, payload, plans[number]))
            arrivals.facts.append(("fail" if "reason" in payload else "done", number))
            arrivals.told_by.append(message)
            continue
        arrivals.told_by.append(message)
        if message.kind == msg.EVENT:
            arrivals.events.append(ev.event_raised(payload["name"], payload["input"], at))
            arrivals.facts.append(("event", payload["name"]))
        elif message.kind == msg.TERMINATE:
            arrivals.events.append(ev.terminated(payload["reason"], at))
            arrivals.facts.append(("terminate",))
            arrivals.terminated = True
            arrivals.termination = payload["reason"]
        elif message.kind == msg.SUSPEND:
            arrivals.events.append(ev.suspended(payload["reason"], at))
            arrivals.facts.append(("suspend",))
            arrivals.suspension = payload["reason"]
        elif message.kind == msg.RESUME:
            arrivals.events.append(ev.resumed(payload["reason"], at))
            arrivals.facts.append(("resume",))
        elif message.kind == msg.REWIND:
            arrivals.events.append(ev.rewound(payload["reason"], at))
            arrivals.facts.append(("rewind",))
    return arrivals


def _ended(kind: str, payload: dict[str, Any], plan: Fact) -> ev.Incoming:
    number, at = payload["id"], payload["at"]
    if kind == msg.TIMER:
        return ev.timer_fired(number, plan[4], plan[5])
    failed = "reason" in payload
    if kind == msg.TASK:
        if failed:
            return ev.task_failed(number, payload["reason"], payload["details"], at)
        return ev.task_completed(number, payload["result"], at)
    if failed:
        return ev.sub_failed(number, payload["reason"], payload["details"], at)
    return ev.sub_completed(number, payload["result"], at)


def context_json(instance: Orchestration, parts: list[str], opening: str, replaying: bool, sleep_ms: int) -> str:
    """The orchestration trigger's text. `opening` is the new episode without its end."""
    parent = instance.parent["instance_id"] if instance.parent else None
    history = ",".join(parts)
    return (
        f'{{"history":[{history}{"," if history else ""}{opening}],'
        f'"input":{instance.input if instance.input is not None else "null"},'
        f'"instanceId":{quote(instance.instance_id)},"isReplaying":{"true" if replaying else "false"},'
        f'"parentInstanceId":{quote(parent)},"upperSchemaVersion":1,"upperSchemaVersionNew":3,'
        '"longRunningTimerIntervalDuration":"3.00:00:00","maximumShortTimerDuration":"6.00:00:00",'
        f'"defaultHttpAsyncRequestSleepTimeMillseconds":{sleep_ms}}}'
    )


def decide(instance: Orchestration, state: State, facts: list[Fact], arrivals: Arrivals, registry: Registry) -> Outcome:
    """What follows from the function's answer."""
    outcome = Outcome()
    if state.custom_status is not None:
        outcome.custom_status = compact(state.custom_status)
    if arrivals.terminated:
        return outcome
    replay = Replay(instance.instance_id, instance.execution_id, state.actions, registry)
    try:
        replay.run(facts)
    except NonDeterminismError as error:
        text = failures.non_determinism(str(error))
        logger.warning("orchestration '%s' (%s): %s", instance.instance_id, instance.name, text)
        return _failed(outcome, text, text)
    except (KeyError, ValueError, TypeError) as error:
        text = failures.orchestrator_output(instance.name, f"its actions are not understood: {error}")
        return _failed(outcome, text, str(error))
    _warn_unknown(instance, replay)
    outcome.suspended = replay.suspended
    if replay.suspended:
        return outcome
    outcome.plans = replay.plans
    over = state.is_done or state.error is not None
    if not over or not replay.satisfied or replay.open:
        _warn_stuck(instance, state, replay)
        return outcome
    if state.error is not None:
        return _failed(outcome, failures.orchestrator_output(instance.name, state.error), state.error)
    if replay.continue_input is not None:
        outcome.continues = True
        value = replay.continue_input[0]
        outcome.continue_input = None if value is None else compact(value)
        outcome.carried = replay.carried
        _warn_dropped(instance, replay)
        return outcome
    outcome.status = "Completed"
    outcome.result = None if state.output is None else compact(state.output)
    return outcome


def failed_before_answer(instance: Orchestration, error: str) -> Outcome:
    """The function could not be run, or broke without a state."""
    return _failed(Outcome(), failures.orchestrator_output(instance.name, error), error)


def _failed(outcome: Outcome, text: str, error: str) -> Outcome:
    outcome.status = "Failed"
    outcome.reason = text
    outcome.error = error
    outcome.result = compact(text)
    return outcome


def parse_answer(text: str) -> State:
    """Raises ValueError."""
    return parse_state(text)


def _warn(instance: Orchestration, key: str, text: str) -> None:
    """Say it once an instance."""
    if key not in instance.warned:
        instance.warned.add(key)
        logger.warning("orchestration '%s' (%s): %s", instance.instance_id, instance.name, text)


def _warn_unknown(instance: Orchestration, replay: Replay) -> None:
    for kind, name in replay.unknown:
        _warn(
            instance,
            f"{kind} {name}",
            f"{replay.current_action()} calls the {kind} '{name}', which is not registered; "
            "as on Azure the orchestration will wait for it for ever",
        )


def _warn_stuck(instance: Orchestration, state: State, replay: Replay) -> None:
    if replay.open or replay.unknown or instance.inbox:
        return
    if (state.is_done or state.error is not None) and not replay.satisfied:
        waits = ", ".join(f"'{name}'" for name in replay.waits())
        if waits:
            _warn(
                instance,
                "waits " + waits,
                f"its function has returned, but {replay.current_action()} still waits on the host's side for the "
                f"event {waits}: as on Azure it stays Running until that is raised (an event satisfied two waits in "
                "the SDK, or a name differs in case)",
            )
    elif not state.is_done and state.error is None and replay.satisfied and state.actions:
        _warn(
            instance,
            "nothing open",
            f"{replay.current_action()} is satisfied on the host's side, but its function still waits and nothing is "
            "open: it will wait for ever unless an event comes (an event name that differs in case, for example)",
        )


def _warn_dropped(instance: Orchestration, replay: Replay) -> None:
    dropped = [name for names in replay.buffered.values() for name in names]
    if dropped:
        logger.warning(
            "orchestration '%s' (%s): continue_as_new drops %d event(s) that had arrived and were not waited for: %s; "
            "Azure drops them too",
            instance.instance_id,
            instance.name,
            len(dropped),
            ", ".join(f"'{name}'" for name in dropped),
        )
