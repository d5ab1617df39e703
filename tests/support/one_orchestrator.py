"""One instance of an orchestrator, played through the SDK step by step: what it calls is answered, time is virtual,
and events come when the script says so. One generation: it ends where the orchestrator ends or begins anew."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.support.engine_history import Event, History, event_raised, later, task_completed, task_failed, timer_fired

CALL_ACTIVITY, CALL_WITH_RETRY, CONTINUE_AS_NEW, CREATE_TIMER = 0, 1, 4, 5
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
STEP = timedelta(milliseconds=10)

Activity = Callable[[Any], Any]


@dataclass
class Played:
    """``calls``: activities with their inputs; ``anew``: the input of the next generation, None when there is none.
    One that has neither ``ended`` nor failed waits for something that does not come."""

    contexts: list[str] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    ended: bool = False
    output: Any = None
    anew: Any = None
    error: str | None = None
    seconds: float = 0.0

    @property
    def custom_status(self) -> Any:
        return self.answers[-1].get("customStatus")


@dataclass
class _Task:
    name: str
    argument: Any
    tries: int = 1
    interval_ms: int = 0
    most: int = 1


def play(
    handle: Callable[[str], str],
    name: str,
    instance_id: str,
    argument: Any,
    activities: dict[str, Activity],
    events: Sequence[tuple[float, str]] = (),
) -> Played:
    """``events`` are (seconds from the start, name)."""
    return _Player(handle, History(name, instance_id, argument, START), activities, events).run()


class _Player:
    def __init__(
        self,
        handle: Callable[[str], str],
        history: History,
        activities: dict[str, Activity],
        events: Sequence[tuple[float, str]],
    ) -> None:
        self._handle, self._history, self._activities = handle, history, activities
        self._now = START
        self._played = Played()
        self._waiting: list[tuple[datetime, int, str, Any]] = []
        self._order = 0
        self._timers: dict[int, int] = {}  # place in the list of actions -> number
        self._cancelled: set[int] = set()
        self._tasks: dict[int, _Task] = {}  # by the number of the task, or of the timer between two tries
        self._scheduled = 0
        for seconds, event in events:
            self._put(START + timedelta(seconds=seconds), "event", event)

    def run(self) -> Played:
        incoming: list[Event] | None = []
        while incoming is not None and self._episode(incoming):
            incoming = self._next()
        self._played.seconds = (self._now - START).total_seconds()
        return self._played

    def _episode(self, incoming: list[Event]) -> bool:
        """False when that was the last one."""
        self._history.begin_episode(self._now, incoming)
        context = self._history.context()
        self._played.contexts.append(context)
        try:
            answer = json.loads(self._handle(context))
        except Exception as error:
            self._played.error = str(error).partition("\n\n$OutOfProcData$:")[0]
            return False
        self._played.answers.append(answer)
        self._carry_out(incoming, list(_flat(answer["actions"])))
        if answer["isDone"]:
            self._played.ended, self._played.output = True, answer.get("output")
            return False
        self._history.end_episode(self._now)
        return True

    def _carry_out(self, incoming: list[Event], actions: list[dict[str, Any]]) -> None:
        for event in incoming:
            self._go_on_trying(event)
        for place, action in enumerate(actions):
            kind = action["actionType"]
            if kind == CREATE_TIMER and action["isCanceled"] and place in self._timers:
                self._cancelled.add(self._timers[place])
            if place < self._scheduled:
                continue
            if kind == CALL_ACTIVITY:
                self._schedule(_Task(action["functionName"], action["input"]))
            elif kind == CALL_WITH_RETRY:
                options = action["retryOptions"]
                interval, most = options["firstRetryIntervalInMilliseconds"], options["maxNumberOfAttempts"]
                self._schedule(_Task(action["functionName"], action["input"], 1, interval, most))
            elif kind == CREATE_TIMER:
                at = datetime.fromisoformat(action["fireAt"].replace("Z", "+00:00"))
                self._timers[place] = self._timer(at)
                if action["isCanceled"]:  # it has its number all the same
                    self._cancelled.add(self._timers[place])
            elif kind == CONTINUE_AS_NEW:
                self._played.anew = json.loads(action["input"])
        self._scheduled = len(actions)

    def _go_on_trying(self, event: Event) -> None:
        """As the host retries: a failure schedules a timer, whose firing schedules the task again."""
        number = event.get("TimerId", event.get("TaskScheduledId"))
        task = None if number is None else self._tasks.get(number)
        if task is None or task.most == 1:
            return
        if "TimerId" in event:
            if task.tries < task.most:
                task.tries += 1
                self._schedule(task)
        elif "Reason" in event:
            delay = task.interval_ms if task.tries < task.most else 0
            self._tasks[self._timer(later(self._now, delay))] = task

    def _next(self) -> list[Event] | None:
        """What happens next; None when nothing does."""
        while self._waiting:
            at, _, kind, what = heapq.heappop(self._waiting)
            if kind == "timer" and what in self._cancelled:
                continue
            self._now = max(self._now, at)
            if kind == "event":
                return [event_raised(what, self._now)]
            if kind == "timer":
                return [timer_fired(what, at, self._now)]
            return [self._run(what)]
        return None

    def _run(self, number: int) -> Event:
        task = self._tasks[number]
        argument = json.loads(task.argument)
        self._played.calls.append((task.name, argument))
        try:
            return task_completed(number, self._activities[task.name](argument), self._now)
        except Exception as error:
            return task_failed(number, task.name, error, self._now)

    def _schedule(self, task: _Task) -> None:
        number = self._history.schedule_task(task.name, self._now)
        self._tasks[number] = task
        self._put(self._now + STEP, "task", number)

    def _timer(self, at: datetime) -> int:
        number = self._history.create_timer(at, self._now)
        self._put(at, "timer", number)
        return number

    def _put(self, at: datetime, kind: str, what: Any) -> None:
        self._order += 1
        heapq.heappush(self._waiting, (at, self._order, kind, what))


def _flat(actions: Any) -> Iterator[dict[str, Any]]:
    for action in actions:
        if isinstance(action, list):
            yield from _flat(action)
        elif "compoundActions" in action:
            yield from _flat(action["compoundActions"])
        else:
            yield action
