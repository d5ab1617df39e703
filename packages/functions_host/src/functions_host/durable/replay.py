"""Replaying an orchestrator's actions against its history, as the extension does it.

The SDK answers every step with all actions since the start, one a yield. The extension walks through them from the
beginning on an engine of its own: it starts each action, waits until history says it ended, ignores its error, and
goes on to the next. What it starts beyond history is new work. The instance is over when the SDK says so, every action
is satisfied (all children of a when-all, one of a when-any) and no task, child or timer is open.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions_host.durable.actions import (
    CALL_ACTIVITY,
    CALL_ACTIVITY_WITH_RETRY,
    CALL_ENTITY,
    CALL_HTTP,
    CALL_SUB,
    CALL_SUB_WITH_RETRY,
    CONTINUE_AS_NEW,
    CREATE_TIMER,
    HTTP_ACTIVITY,
    SCHEDULED_SIGNAL,
    SIGNAL_ENTITY,
    WAIT_FOR_EVENT,
    WHEN_ALL,
    WHEN_ANY,
    action_time,
    describe,
    retry_delay,
    retry_limit,
)
from functions_host.durable.facts import Fact

_GUID_NAMESPACE = uuid.UUID("9e952958-5e33-4daf-827f-2fa12937b875")


class NonDeterminismError(Exception):
    """History and the orchestrator's present code disagree; the text names the step."""


@dataclass(slots=True)
class Plan:
    """New work: kind is task, sub, timer or send."""

    kind: str
    id: int
    name: str = ""
    action: Mapping[str, Any] = field(default_factory=dict)
    due: int | None = None
    guid: str = ""
    target: str = ""


class Node:
    """A started action: done or not, and who is told."""

    __slots__ = ("done", "failed", "then")

    def __init__(self, done: bool = False) -> None:
        self.done = done
        self.failed = False
        self.then: Callable[[], None] | None = None

    def finish(self, failed: bool = False) -> None:
        if not self.done:
            self.done = True
            self.failed = failed
            if self.then is not None:
                self.then()


@dataclass(slots=True)
class Registry:
    """Which function names exist, asked case-insensitively."""

    activity: Callable[[str], bool]
    orchestrator: Callable[[str], bool]
    entity: Callable[[str], bool]


class Replay:
    """One walk. After `run`: `plans`, `satisfied`, `open`, `continue_input`, `carried`, `unknown`, `buffered`."""

    def __init__(self, instance_id: str, execution_id: str, actions: Sequence[Mapping[str, Any]], registry: Registry):
        self._instance_id = instance_id
        self._execution_id = execution_id
        self._actions = actions
        self._registry = registry
        self._next_action = 0
        self._current: Node | None = None
        self._next_id = 0
        self._guids = 0
        self._now = 0
        self._recorded: dict[int, Fact] = {}
        self._created: dict[int, Plan] = {}
        self._waiting: dict[str, list[Node]] = {}
        self._running = False
        self.open: dict[int, Node] = {}
        self.buffered: dict[str, deque[str]] = {}
        self.continue_input: tuple[str | None] | None = None
        self.carried: list[int] = []
        self.unknown: list[tuple[str, str]] = []
        self.suspended = False
        self.terminated = False

    def run(self, facts: Sequence[Fact]) -> None:
        """Raises NonDeterminismError."""
        self._recorded = {fact[2]: fact for fact in facts if fact[0] == "plan"}
        for position, fact in enumerate(facts):
            kind = fact[0]
            if kind == "done":
                self._finish(fact[1], False)
            elif kind == "start":
                self._now = fact[1]
            elif kind == "plan":
                self._check_created(fact)
            elif kind == "event":
                self._raise(fact[1], position)
            elif kind == "fail":
                self._finish(fact[1], True)
            elif kind == "run":
                self._running = True
            elif kind == "suspend":
                self.suspended = True
            elif kind == "resume":
                self.suspended = False
            elif kind == "terminate":
                self.terminated = True
            if self._running and (self._current is None or self._current.done):
                self._advance()

    @property
    def plans(self) -> list[Plan]:
        """What was started and is not in history, in the order of ids."""
        return [plan for number, plan in self._created.items() if number not in self._recorded]

    @property
    def satisfied(self) -> bool:
        """Every action has ended as far as the walk waits for it."""
        return self._next_action >= len(self._actions) and (self._current is None or self._current.done)

    def waits(self) -> list[str]:
        """Names of events the walk waits for, entity answers left out."""
        return [name for name, nodes in self._waiting.items() if nodes and not _is_guid(name)]

    def current_action(self) -> str:
        """The action the walk stands at, for messages."""
        index = min(self._next_action, len(self._actions)) - 1
        return f"action {index + 1} ({describe(self._actions[index])})" if index >= 0 else "its start"

    def _advance(self) -> None:
        while (self._current is None or self._current.done) and self._next_action < len(self._actions):
            action = self._actions[self._next_action]
            self._next_action += 1
            self._current = self._start(action)

    def _start(self, action: Mapping[str, Any]) -> Node:
        kind = action["actionType"]
        if kind in (CALL_ACTIVITY, CALL_HTTP):
            return self._call(action)
        if kind == CALL_SUB:
            return self._call_sub(action)
        if kind in (CALL_ACTIVITY_WITH_RETRY, CALL_SUB_WITH_RETRY):
            return self._with_retry(action, self._call if kind == CALL_ACTIVITY_WITH_RETRY else self._call_sub)
        if kind == CREATE_TIMER:
            return self._timer(action_time(action), bool(action.get("isCanceled")))
        if kind == WAIT_FOR_EVENT:
            return self._wait(str(action["externalEventName"]))
        if kind in (CALL_ENTITY, SIGNAL_ENTITY, SCHEDULED_SIGNAL):
            return self._send(action)
        if kind == CONTINUE_AS_NEW:
            self.continue_input = (action.get("input"),)
            return Node(done=True)
        if kind in (WHEN_ALL, WHEN_ANY):
            return self._compound(action, kind == WHEN_ANY)
        raise NonDeterminismError(f"action type {kind!r} is not known to this host")

    def _call(self, action: Mapping[str, Any]) -> Node:
        name = HTTP_ACTIVITY if action["actionType"] == CALL_HTTP else str(action["functionName"])
        if name != HTTP_ACTIVITY and not self._registry.activity(name):
            return self._not_there("activity", name)
        return self._opened(Plan("task", self._take_id(), name, action))

    def _call_sub(self, action: Mapping[str, Any]) -> Node:
        name = str(action["functionName"])
        if not self._registry.orchestrator(name):
            return self._not_there("orchestrator", name)
        number = self._take_id()
        child = (action.get("instanceId") or "").strip() or f"{self._execution_id}:{number}"
        return self._opened(Plan("sub", number, name, action, target=child))

    def _timer(self, due: int, cancelled: bool) -> Node:
        plan = Plan("timer", self._take_id(), due=due)
        node = self._opened(plan)
        if cancelled:
            del self.open[plan.id]
            node.finish()
        return node

    def _wait(self, name: str) -> Node:
        node = Node()
        key = name.lower()
        early = self.buffered.get(key)
        if early:
            early.popleft()
            node.done = True
        else:
            self._waiting.setdefault(key, []).append(node)
        return node

    def _send(self, action: Mapping[str, Any]) -> Node:
        target = str(action["instanceId"])
        if not self._registry.entity(target[1:].split("@", 1)[0]):
            return self._not_there("entity", target)
        number = self._take_id()
        recorded = self._recorded.get(number)
        guid = recorded[4] if recorded is not None and recorded[1] == "send" else self._new_guid()
        due = action_time(action) if action["actionType"] == SCHEDULED_SIGNAL else None
        self._create(Plan("send", number, target, action, due=due, guid=guid, target=target))
        return self._wait(guid) if action["actionType"] == CALL_ENTITY else Node(done=True)

    def _with_retry(self, action: Mapping[str, Any], call: Callable[[Mapping[str, Any]], Node]) -> Node:
        whole = Node()
        first = self._now

        def attempt(number: int) -> None:
            node = call(action)
            if node.done and not node.failed:
                # The function does not exist: the extension's call throws before it schedules anything.
                whole.finish()
                return
            node.then = lambda: ended(node, number)

        def ended(node: Node, number: int) -> None:
            if not node.failed:
                whole.finish()
                return
            # Even the last attempt is followed by a timer: the SDK waits for it before it raises.
            timer = self._timer(self._now + retry_delay(action, number, self._now - first), False)
            timer.then = lambda: attempt(number + 1) if number < retry_limit(action) else whole.finish(True)

        attempt(1)
        return whole

    def _compound(self, action: Mapping[str, Any], any_one: bool) -> Node:
        whole = Node()
        children = [self._start(child) for child in action["compoundActions"]]
        open_children = [child for child in children if not child.done]
        if any_one:
            if len(open_children) < len(children) or not children:
                whole.done = True
            for child in open_children:
                child.then = _both(child.then, whole.finish)
            return whole
        left = len(open_children)
        whole.done = left == 0

        def one_ended() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                whole.finish()

        for child in open_children:
            child.then = _both(child.then, one_ended)
        return whole

    def _opened(self, plan: Plan) -> Node:
        self._create(plan)
        node = self.open[plan.id] = Node()
        return node

    def _create(self, plan: Plan) -> None:
        recorded = self._recorded.get(plan.id)
        if recorded is not None and (recorded[1] != plan.kind or (plan.kind != "timer" and recorded[3] != plan.name)):
            raise NonDeterminismError(
                f"a previous execution of this orchestration scheduled {_step(recorded)} with sequence ID {plan.id}, "
                f"but the current replay execution scheduled {_step(('plan', plan.kind, plan.id, plan.name))} there"
            )
        self._created[plan.id] = plan

    def _check_created(self, fact: Fact) -> None:
        if fact[2] not in self._created:
            raise NonDeterminismError(
                f"a previous execution of this orchestration scheduled {_step(fact)} with sequence ID {fact[2]}, "
                "but the current replay execution hasn't (yet?) scheduled it"
            )

    def _finish(self, number: int, failed: bool) -> None:
        node = self.open.pop(number, None)
        if node is not None:
            node.finish(failed)

    def _raise(self, name: str, position: int) -> None:
        if self.continue_input is not None:
            self.carried.append(position)
            return
        key = name.lower()
        waiting = self._waiting.get(key)
        if waiting:
            # Newest first: waiters of earlier, lost races stay on the stack below.
            waiting.pop().finish()
        else:
            self.buffered.setdefault(key, deque()).append(name)

    def _not_there(self, kind: str, name: str) -> Node:
        self.unknown.append((kind, name))
        return Node(done=True)

    def _take_id(self) -> int:
        number = self._next_id
        self._next_id += 1
        return number

    def _new_guid(self) -> str:
        name = f"{self._instance_id}_{self._now}_{self._guids}"
        self._guids += 1
        return str(uuid.uuid5(_GUID_NAMESPACE, name))


def _both(first: Callable[[], None] | None, second: Callable[[], None]) -> Callable[[], None]:
    if first is None:
        return second

    def call() -> None:
        first()
        second()

    return call


def _step(fact: Fact) -> str:
    kinds = {"task": "an activity task", "sub": "a sub-orchestration", "timer": "a timer", "send": "an entity message"}
    return kinds[fact[1]] + (f" named '{fact[3]}'" if fact[1] != "timer" else "")


def _is_guid(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False
