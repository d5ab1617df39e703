"""Rewinding a failed orchestration: its last failures are taken out of history, and it runs again from there.

As the real one does it, what is taken out becomes a GenericEvent in place, with its EventId, so that the work which is
done again gets the ids it had. Failures that the orchestrator went on from (a caught error, a retry that succeeded)
stay; a retry that was exhausted cannot be rewound, there as here: its timers stay, and the replay no longer fits.
"""

from __future__ import annotations

import json
from typing import Any

from functions_host.durable import events as ev
from functions_host.durable import messages as msg
from functions_host.durable.core import Core
from functions_host.durable.instances import COLUMNS, TABLES
from functions_host.durable.jsontext import compact
from functions_host.durable.orchestration import RUNNING, Orchestration
from functions_host.durable.store import Write

_PLANS = frozenset({ev.TASK_SCHEDULED, ev.SUB_CREATED, ev.TIMER_CREATED, ev.EVENT_SENT})
_FAILURES = frozenset({ev.TASK_FAILED, ev.SUB_FAILED})

Episode = tuple[int, list[dict[str, Any]]]


class Rewind:
    """Writes for one instance and those of its children that made it fail."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.writes: list[Write] = []
        self.instances: list[Orchestration] = []

    def plan(self, instance_id: str, reason: str | None) -> bool:
        """False if there is no failed instance of that id."""
        instance = self._load(instance_id)
        if instance is None:
            return False
        episodes = self._episodes(instance_id)
        events = [event for _, batch in episodes for event in batch]
        names = {event["EventId"]: event for event in events if event["EventType"] == ev.SUB_CREATED}
        taken_out = {event["TaskScheduledId"] for event in _last_failures(events)}
        again = set(taken_out)
        for number in taken_out:
            if number in names and self.plan(names[number]["InstanceId"], reason):
                # The child runs again and will answer: it stays created.
                again.discard(number)
        for index, (_, batch) in enumerate(episodes):
            changed = [_rewritten(event, taken_out, again) for event in batch]
            if changed != batch:
                text = compact(changed)[1:-1]
                self.writes.append(
                    ("UPDATE history SET events=? WHERE instance_id=? AND episode=?", (text, instance_id, index))
                )
        now = self._core.clock.now()
        message = self._core.message(instance_id, msg.Rewind(now, reason))
        self.writes.append(
            ("UPDATE instances SET status=?, output=NULL, updated=? WHERE instance_id=?", (RUNNING, now, instance_id))
        )
        self.writes.append(message.insert())
        instance.inbox.append(message)
        instance.episodes = len(episodes)
        self.instances.append(instance)
        return True

    def _load(self, instance_id: str) -> Orchestration | None:
        rows = self._core.store.read(
            f"SELECT {COLUMNS} FROM {TABLES} WHERE i.instance_id=? AND status='Failed'", (instance_id,)
        )
        if not rows:
            return None
        instance = Orchestration.from_row(rows[0], RUNNING)
        instance.history = None
        return instance

    def _episodes(self, instance_id: str) -> list[Episode]:
        rows = self._core.store.read(
            "SELECT started, events FROM history WHERE instance_id=? ORDER BY episode", (instance_id,)
        )
        return [(started, json.loads(f"[{text}]")) for started, text in rows]


def _last_failures(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Failures after which nothing was scheduled any more; all of them if there is none such."""
    last_plan = max((i for i, event in enumerate(events) if event["EventType"] in _PLANS), default=-1)
    failures = [event for event in events[last_plan + 1 :] if event["EventType"] in _FAILURES]
    return failures or [event for event in events if event["EventType"] in _FAILURES]


def _rewritten(event: dict[str, Any], taken_out: set[int], again: set[int]) -> dict[str, Any]:
    kind = event["EventType"]
    gone = (
        kind == ev.EXECUTION_COMPLETED
        or (kind in _FAILURES and event["TaskScheduledId"] in taken_out)
        or (kind in (ev.TASK_SCHEDULED, ev.SUB_CREATED) and event["EventId"] in again)
    )
    if not gone:
        return event
    kept = {key: event[key] for key in ("EventId", "IsPlayed", "Timestamp")}
    return {"Data": None, "EventType": ev.GENERIC, **kept}
