"""Replaying an orchestrator's actions against its history, as the extension does it.

The SDK answers every step with all actions since the start, one a yield. The extension walks through them from the
beginning on an engine of its own: it starts each action, waits until history says it ended, ignores its error, and
goes on to the next. What it starts beyond history is new work. The instance is over when the SDK says so, every action
is satisfied (all children of a when-all, one of a when-any) and no task, child or timer is open.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
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
from functions_host.durable.facts import (
    SCHEDULED,
    Completed,
    EventRaised,
    EventSent,
    ExecutionResumed,
    ExecutionStarted,
    ExecutionSuspended,
    Fact,
    Failed,
    OrchestratorStarted,
    Scheduled,
)
from functions_host.durable.names import Registry
from functions_host.durable.nodes import Node, all_of, any_of
from functions_host.durable.scheduled import (
    CreateSub,
    CreateTimer,
    ScheduledAction,
    ScheduleTask,
    SendEvent,
    described,
    fits,
    is_guid,
    message_guid,
)


class NonDeterminismError(Exception):
    """History and the orchestrator's present code disagree; the text names the step."""


class Replay:
    """One walk, which can be taken up again with more. After `run`: `scheduled`, `satisfied`, `open`, `continue_input`,
    `carried`, `unknown`, `buffered`; `seen` is how many facts it has walked through.
    """

    def __init__(self, instance_id: str, execution_id: str, registry: Registry):
        self._instance_id = instance_id
        self._execution_id = execution_id
        self._actions: Sequence[Mapping[str, Any]] = ()
        self._registry = registry
        self._next_action = 0
        self._current: Node | None = None
        self._next_id = 0
        self._guids = 0
        self._now = 0
        self._recorded: dict[int, Scheduled] = {}
        self._new: dict[int, ScheduledAction] = {}
        self._waiting: dict[str, list[Node]] = {}
        self._running = False
        self.seen = 0
        self.open: dict[int, Node] = {}
        self.buffered: dict[str, deque[str]] = {}
        self.continue_input: tuple[str | None] | None = None
        self.carried: list[int] = []
        self.unknown: list[tuple[str, str]] = []
        self.suspended = False

    def suits(self, actions: Sequence[Mapping[str, Any]]) -> bool:
        """Whether a walk from the start over `actions` would have come to where this one stands.

        They must begin with those it knows; and it must not have come to their end, for then it would have gone on to
        what is new at an earlier moment.
        """
        known = len(self._actions)
        return not self.satisfied and actions[:known] == self._actions

    def run(self, actions: Sequence[Mapping[str, Any]], facts: Sequence[Fact]) -> None:
        """Walk on with all actions and the facts it has not seen. Raises NonDeterminismError."""
        self._actions = actions
        recorded = self._recorded
        for fact in facts:
            if isinstance(fact, SCHEDULED):
                recorded[fact.id] = fact
        for position, fact in enumerate(facts, self.seen):
            if type(fact) is Completed:
                self._finish(fact.id, False)
            elif type(fact) is OrchestratorStarted:
                self._now, self._guids = fact.at, 0
            elif isinstance(fact, SCHEDULED):
                self._check_created(fact)
                continue
            elif isinstance(fact, EventRaised):
                self._raise(fact.name, position)
            elif isinstance(fact, Failed):
                self._finish(fact.id, True)
            elif isinstance(fact, ExecutionStarted):
                self._running = True
            elif isinstance(fact, ExecutionSuspended):
                self.suspended = True
            elif isinstance(fact, ExecutionResumed):
                self.suspended = False
            if self._running and (self._current is None or self._current.done):
                self._advance()
        self.seen += len(facts)

    @property
    def scheduled(self) -> list[ScheduledAction]:
        """What was started and is not in history, in the order of ids."""
        return list(self._new.values())

    @property
    def satisfied(self) -> bool:
        """Every action has ended as far as the walk waits for it."""
        return self._next_action >= len(self._actions) and (self._current is None or self._current.done)

    def waits(self) -> list[str]:
        """Names of events the walk waits for, entity answers left out."""
        return [name for name, nodes in self._waiting.items() if nodes and not is_guid(name)]

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
            children = [self._start(child) for child in action["compoundActions"]]
            return any_of(children) if kind == WHEN_ANY else all_of(children)
        raise NonDeterminismError(f"action type {kind!r} is not known to this host")

    def _call(self, action: Mapping[str, Any]) -> Node:
        name = HTTP_ACTIVITY if action["actionType"] == CALL_HTTP else str(action["functionName"])
        if name != HTTP_ACTIVITY and not self._registry.activity(name):
            return self._not_there("activity", name)
        return self._opened(ScheduleTask(self._take_id(), name, action))

    def _call_sub(self, action: Mapping[str, Any]) -> Node:
        name = str(action["functionName"])
        if not self._registry.orchestrator(name):
            return self._not_there("orchestrator", name)
        number = self._take_id()
        child = (action.get("instanceId") or "").strip() or f"{self._execution_id}:{number}"
        return self._opened(CreateSub(number, name, child, action))

    def _timer(self, due: int, cancelled: bool) -> Node:
        timer = CreateTimer(self._take_id(), due)
        node = self._opened(timer)
        if cancelled:
            del self.open[timer.id]
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
        guid = recorded.message_id if isinstance(recorded, EventSent) else self._new_guid()
        due = action_time(action) if action["actionType"] == SCHEDULED_SIGNAL else None
        self._create(SendEvent(number, target, guid, action, due))
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

    def _opened(self, action: ScheduledAction) -> Node:
        self._create(action)
        node = self.open[action.id] = Node()
        return node

    def _create(self, action: ScheduledAction) -> None:
        recorded = self._recorded.get(action.id)
        if recorded is None:
            self._new[action.id] = action
        elif not fits(action, recorded):
            raise NonDeterminismError(
                f"a previous execution of this orchestration scheduled {described(recorded)} with sequence ID "
                f"{action.id}, but the current replay execution scheduled {described(action)} there"
            )

    def _check_created(self, fact: Scheduled) -> None:
        self._new.pop(fact.id, None)
        if fact.id >= self._next_id:
            raise NonDeterminismError(
                f"a previous execution of this orchestration scheduled {described(fact)} with sequence ID {fact.id}, "
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
        self._guids += 1
        return message_guid(self._instance_id, self._now, self._guids)
