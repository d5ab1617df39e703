"""Orchestrations that are not over, in memory; those that are live in the store alone."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from functions_host.durable import events as ev
from functions_host.durable.facts import Fact, from_events
from functions_host.durable.messages import Message
from functions_host.durable.store import Store, Write
from functions_host.durable.timers import Timer

PENDING = "Pending"
RUNNING = "Running"
SUSPENDED = "Suspended"
COMPLETED = "Completed"
FAILED = "Failed"
TERMINATED = "Terminated"
ACTIVE = frozenset({PENDING, RUNNING, SUSPENDED})

ORCHESTRATION = 0
ENTITY = 1

# Waiting instances beyond this many keep no history in memory; it is read again when something arrives for them.
HISTORIES_IN_MEMORY = 2000


class Conflict(Exception):
    """An instance of that id is not over; the text is its status."""


class Orchestration:
    """One instance. `parent` has instance_id, execution_id, name, version and task_id."""

    __slots__ = (
        "blocked",
        "created",
        "custom_status",
        "deferred",
        "episodes",
        "execution_id",
        "facts",
        "generation",
        "inbox",
        "input",
        "instance_id",
        "name",
        "output",
        "outstanding",
        "parent",
        "parts",
        "queued",
        "running",
        "status",
        "step_seconds",
        "timers",
        "updated",
        "version",
        "warned",
    )

    def __init__(
        self,
        instance_id: str,
        name: str,
        execution_id: str,
        version: str | None,
        input_text: str | None,
        created: int,
        generation: int | None,
        parent: dict[str, Any] | None = None,
        status: str = PENDING,
    ) -> None:
        self.instance_id = instance_id
        self.name = name
        self.execution_id = execution_id
        self.version = version
        self.input = input_text
        self.created = created
        self.updated = created
        self.generation = generation
        self.parent = parent
        self.status = status
        self.custom_status: str | None = None
        self.output: str | None = None
        self.episodes = 0
        # Both None while evicted: the text of past episodes, and what it says.
        self.parts: list[str] | None = []
        self.facts: list[Fact] | None = []
        self.inbox: deque[Message] = deque()
        self.queued = False
        self.running = False
        self.outstanding = 0
        self.step_seconds = 0.0
        # Waits a little for more results of a fan-out, so that fewer steps replay its long history.
        self.deferred = False
        # Its version is not this host's: it stays Pending.
        self.blocked = False
        self.timers: dict[int, Timer] = {}
        self.warned: set[str] = set()

    def has_work(self) -> bool:
        if self.status not in ACTIVE:
            return False
        return not self.blocked and (self.episodes == 0 or bool(self.inbox and not self.deferred))

    def started_event(self) -> ev.Incoming:
        """Its ExecutionStarted, which is not stored: name, version and input stand in the instance's row."""
        return ev.execution_started(
            self.instance_id,
            self.execution_id,
            self.name,
            self.version,
            self.input,
            parent_json(self.parent),
            self.generation,
            self.created,
        )

    def insert(self) -> list[Write]:
        """Writes that create the instance, over an older one of the same id if there is one."""
        return [
            ("DELETE FROM history WHERE instance_id=?", (self.instance_id,)),
            ("DELETE FROM tasks WHERE instance_id=?", (self.instance_id,)),
            (
                "INSERT OR REPLACE INTO instances(instance_id, kind, name, status, execution_id, version, generation, "
                "parent, created, updated) VALUES (?,?,?,?,?,?,?,?,?,?)",
                (
                    self.instance_id,
                    ORCHESTRATION,
                    self.name,
                    self.status,
                    self.execution_id,
                    self.version,
                    self.generation,
                    json.dumps(self.parent) if self.parent else None,
                    self.created,
                    self.created,
                ),
            ),
            ("INSERT OR REPLACE INTO inputs(instance_id, input) VALUES (?,?)", (self.instance_id, self.input)),
        ]


def let_go_of_timers(instance: Orchestration) -> None:
    """An instance that is over waits for nothing."""
    for timer in instance.timers.values():
        timer.cancel()
    instance.timers.clear()


def from_row(row: tuple[Any, ...], parent: dict[str, Any] | None, status: str) -> Orchestration:
    """`row`: instance_id, name, execution_id, version, input, created, generation."""
    instance_id, name, execution_id, version, input_text, created, generation = row
    return Orchestration(instance_id, name, execution_id, version, input_text, created, generation, parent, status)


def parent_json(parent: dict[str, Any] | None) -> str:
    """ParentInstance of ExecutionStarted."""
    if parent is None:
        return "null"
    return json.dumps(
        {
            "Name": parent["name"],
            "OrchestrationInstance": {"InstanceId": parent["instance_id"], "ExecutionId": parent["execution_id"]},
            "TaskScheduleId": parent["task_id"],
            "Version": parent["version"],
        },
        separators=(",", ":"),
    )


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

    def add(self, instance: Orchestration) -> None:
        """A new one takes the place of an older one of its id."""
        older = self._live.get(instance.instance_id)
        if older is not None:
            let_go_of_timers(older)
        self._live[instance.instance_id] = instance

    def remove(self, instance: Orchestration) -> None:
        """It is over; a newer instance of the same id stays."""
        let_go_of_timers(instance)
        if self._live.get(instance.instance_id) is instance:
            del self._live[instance.instance_id]
        self._idle.pop(instance.instance_id, None)

    def load(self) -> list[Orchestration]:
        """At start: all that are not over, without their history."""
        rows = self._store.read(
            "SELECT i.instance_id, name, execution_id, version, input, created, generation, parent, status, "
            "custom_status, output, (SELECT count(*) FROM history h WHERE h.instance_id=i.instance_id) "
            "FROM instances i LEFT JOIN inputs USING(instance_id) "
            "WHERE kind=0 AND status IN ('Pending','Running','Suspended') ORDER BY created"
        )
        for row in rows:
            parent = json.loads(row[7]) if row[7] else None
            instance = from_row(row[:7], parent, row[8])
            instance.custom_status = row[9]
            instance.output = row[10]
            instance.episodes = row[11]
            if instance.episodes:
                instance.parts = instance.facts = None
            self.add(instance)
        return list(self)

    def with_history(self, instance: Orchestration) -> tuple[list[str], list[Fact]]:
        """Text and facts of its past episodes, read from the store if they are not in memory."""
        self._idle.pop(instance.instance_id, None)
        if instance.parts is None or instance.facts is None:
            rows = self._store.read(
                "SELECT started, events FROM history WHERE instance_id=? ORDER BY episode", (instance.instance_id,)
            )
            instance.parts = [episode_text(instance, number, *row) for number, row in enumerate(rows)]
            instance.facts = from_events(json.loads(f"[{','.join(instance.parts)}]"))
        return instance.parts, instance.facts

    def idle(self, instance: Orchestration) -> None:
        """It waits; the longest waiting ones give up their history in memory."""
        self._idle.pop(instance.instance_id, None)
        self._idle[instance.instance_id] = None
        while len(self._idle) > HISTORIES_IN_MEMORY:
            oldest = self._live.get(next(iter(self._idle)))
            del self._idle[next(iter(self._idle))]
            if oldest is not None and not oldest.running:
                oldest.parts = oldest.facts = None


def episode_text(instance: Orchestration, number: int, started: int, events: str) -> str:
    """An episode as history shows it later: its start, the execution's start in the first, then its events."""
    text = ev.orchestrator_started(started)
    if number == 0:
        text += "," + ev.render(instance.started_event(), True)
    return f"{text},{events}" if events else text


def insert_episode(instance_id: str, number: int, started: int, parts: Iterable[str]) -> Write:
    return (
        "INSERT OR REPLACE INTO history(instance_id, episode, started, events) VALUES (?,?,?,?)",
        (instance_id, number, started, ",".join(parts)),
    )


def now_seconds() -> float:
    """Monotonic seconds, for durations."""
    return time.perf_counter()
