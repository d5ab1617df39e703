"""Orchestrations that are not over, in memory; those that are live in the store alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from functions_host.durable import events as ev
from functions_host.durable.facts import from_events
from functions_host.durable.orchestration import History, Orchestration
from functions_host.durable.store import Store, Write

# Waiting instances beyond this many keep no history in memory; it is read again when something arrives for them.
HISTORIES_IN_MEMORY = 2000

# What Orchestration.from_row reads.
COLUMNS = "i.instance_id, name, execution_id, version, input, created, generation, parent"
TABLES = "instances i LEFT JOIN inputs USING(instance_id)"


class Scheduled(NamedTuple):
    """An activity or a timer as the store has it; `due` of a timer, microseconds."""

    kind: str
    name: str
    input: str | None
    due: int | None


class Instances:
    """Every orchestration that is not over, by id."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._live: dict[str, Orchestration] = {}
        self._idle: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[Orchestration]:
        return iter(self._live.values())

    def get(self, instance_id: str) -> Orchestration | None:
        return self._live.get(instance_id)

    def holds(self, instance: Orchestration) -> bool:
        """Whether it has been neither purged nor replaced."""
        return self._live.get(instance.instance_id) is instance

    def add(self, instance: Orchestration) -> None:
        """A new one takes the place of an older one of its id."""
        older = self._live.get(instance.instance_id)
        if older is not None:
            older.let_go_of_timers()
        self._live[instance.instance_id] = instance

    def remove(self, instance: Orchestration) -> None:
        """It is over; a newer instance of the same id stays."""
        instance.let_go_of_timers()
        if self.holds(instance):
            del self._live[instance.instance_id]
        self._idle.pop(instance.instance_id, None)

    def load(self) -> list[Orchestration]:
        """At start: all that are not over, without their history."""
        rows = self._store.read(
            f"SELECT {COLUMNS}, status, custom_status, output, "
            f"(SELECT count(*) FROM history h WHERE h.instance_id=i.instance_id) FROM {TABLES} "
            "WHERE kind=0 AND status IN ('Pending','Running','Suspended') ORDER BY created"
        )
        for row in rows:
            instance = Orchestration.from_row(row, row[8])
            _, instance.custom_status, instance.output, instance.episodes = row[8:]
            if instance.episodes:
                instance.history = None
            self.add(instance)
        return list(self)

    def under_way(self) -> dict[str, dict[int, Scheduled]]:
        """At start: what each instance has scheduled and has not taken up the end of, by its id."""
        rows = self._store.read(
            "SELECT instance_id, scheduled, ended FROM history JOIN instances USING(instance_id) WHERE kind=0 "
            "AND status IN ('Pending','Running','Suspended') AND (scheduled IS NOT NULL OR ended IS NOT NULL) "
            "ORDER BY instance_id, episode"
        )
        found: dict[str, dict[int, Scheduled]] = {}
        for instance_id, scheduled, ended in rows:
            tasks = found.setdefault(instance_id, {})
            for number in json.loads(ended or "[]"):
                tasks.pop(number, None)
            for number, kind, name, input_text, due in json.loads(scheduled or "[]"):
                tasks[number] = Scheduled(kind, name, input_text, due)
        return found

    def history(self, instance: Orchestration) -> History:
        """Its past episodes, read from the store if they are not in memory."""
        self._idle.pop(instance.instance_id, None)
        if instance.history is None:
            rows = self._store.read(
                "SELECT started, events FROM history WHERE instance_id=? ORDER BY episode", (instance.instance_id,)
            )
            parts = [episode_text(instance, number, *row) for number, row in enumerate(rows)]
            instance.history = History(parts, from_events(json.loads(f"[{','.join(parts)}]")))
        return instance.history

    def idle(self, instance: Orchestration) -> None:
        """It waits; the longest waiting ones give up their history in memory."""
        self._idle.pop(instance.instance_id, None)
        self._idle[instance.instance_id] = None
        while len(self._idle) > HISTORIES_IN_MEMORY:
            oldest = self._live.get(next(iter(self._idle)))
            del self._idle[next(iter(self._idle))]
            if oldest is not None and not oldest.running:
                oldest.history = None


def episode_text(instance: Orchestration, number: int, started: int, events: str) -> str:
    """An episode as history shows it later: its start, the execution's start in the first, then its events."""
    text = ev.orchestrator_started(started)
    if number == 0:
        text += "," + ev.render(instance.started_event(), True)
    return f"{text},{events}" if events else text


def insert_episode(
    instance_id: str, number: int, started: int, events: str, scheduled: str | None, ended: str | None
) -> Write:
    """`events`, `scheduled`, `ended`: JSON text as the columns hold it."""
    return _INSERT_EPISODE, (instance_id, number, started, events, scheduled, ended)


_INSERT_EPISODE = (
    "INSERT OR REPLACE INTO history(instance_id, episode, started, events, scheduled, ended) VALUES (?,?,?,?,?,?)"
)
