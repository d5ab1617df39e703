"""One episode of an orchestration: history and what arrived, as the function is handed them and as they are kept.

Nothing here waits, writes or logs.
"""

from __future__ import annotations

from functions_host.durable import events as ev
from functions_host.durable.arrivals import Arrivals
from functions_host.durable.facts import ExecutionStarted, Fact, OrchestratorStarted
from functions_host.durable.jsontext import quote
from functions_host.durable.orchestration import PENDING, History, Orchestration
from functions_host.durable.replay import Replay


class Episode:
    """`started` is its time, microseconds; `continued`: the first one of a successor by continue-as-new."""

    __slots__ = (
        "_start", "arrivals", "continued", "facts", "first", "history", "instance", "number", "replay", "started",
    )  # fmt: skip

    def __init__(self, instance: Orchestration, history: History, arrivals: Arrivals, started: int) -> None:
        self.instance = instance
        self.history = history
        self.arrivals = arrivals
        self.started = started
        self.number = instance.episodes
        self.replay: Replay | None = None
        self.first = self.number == 0
        self.continued = self.first and instance.status != PENDING
        self._start = ev.orchestrator_started(started)
        self.facts: list[Fact] = [OrchestratorStarted(started), *self._beginning(), *arrivals.facts]

    @property
    def base(self) -> int:
        """How many facts stand before this episode's arrivals."""
        return len(self.history.facts) + len(self.facts) - len(self.arrivals.facts)

    def facts_after(self, seen: int) -> list[Fact]:
        """Those of history and of this episode, without what it schedules; not the first `seen`."""
        return [*self.history.facts[seen:], *self.facts]

    def context(self, sleep_milliseconds: int) -> str:
        """The orchestration trigger's text: all history, this episode without its end."""
        instance = self.instance
        opening = [self._opening(played=False)]
        if self.continued:
            opening.append(ev.orchestrator_completed(self.started))
        opening += [ev.render(event, False) for event in self.arrivals.events]
        parent = instance.parent.instance_id if instance.parent else None
        return (
            f'{{"history":[{",".join([*self.history.parts, *opening])}],'
            f'"input":{instance.input if instance.input is not None else "null"},'
            f'"instanceId":{quote(instance.instance_id)},"isReplaying":{"false" if self.first else "true"},'
            f'"parentInstanceId":{quote(parent)},"upperSchemaVersion":1,"upperSchemaVersionNew":3,'
            '"longRunningTimerIntervalDuration":"3.00:00:00","maximumShortTimerDuration":"6.00:00:00",'
            f'"defaultHttpAsyncRequestSleepTimeMillseconds":{sleep_milliseconds}}}'
        )

    def written(self) -> list[str]:
        """Its events as they are stored: all but its start, as later episodes see them, before what it schedules."""
        events = [ev.orchestrator_completed(self.started, True)] if self.continued else []
        return events + [ev.render(event, True) for event in self.arrivals.events]

    def remembered(self, written: list[str]) -> str:
        """Its text in later contexts; `written` is all that was stored of it."""
        return ",".join([self._opening(played=True), *written])

    def _beginning(self) -> list[Fact]:
        return [ExecutionStarted()] if self.first else []

    def _opening(self, played: bool) -> str:
        if not self.first:
            return self._start
        return f"{self._start},{ev.render(self.instance.started_event(), played)}"
