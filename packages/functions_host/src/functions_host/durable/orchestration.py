"""One orchestration as it is in memory, and the rows that create it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

from functions_host.durable import events as ev
from functions_host.durable.facts import SCHEDULED, Completed, Fact, Failed, Scheduled
from functions_host.durable.messages import Message
from functions_host.durable.replay import Replay
from functions_host.durable.scheduler import PLACE
from functions_host.durable.store import Write
from functions_host.durable.timers import Timer

PENDING = "Pending"
RUNNING = "Running"
SUSPENDED = "Suspended"
COMPLETED = "Completed"
FAILED = "Failed"
TERMINATED = "Terminated"
ACTIVE = frozenset({PENDING, RUNNING, SUSPENDED})

# Values of the column `kind`.
ORCHESTRATION = 0
ENTITY = 1

_INSERT_INPUT = "INSERT OR REPLACE INTO inputs(instance_id, input) VALUES (?,?)"


class Conflict(Exception):
    """An instance of that id is not over; the text is its status."""


class Parent(NamedTuple):
    """Who called a child, and as which task. `replaced`: the caller of the child whose place this one took."""

    instance_id: str
    execution_id: str
    name: str
    version: str | None
    task_id: int
    replaced: Parent | None = None

    def stored(self) -> str:
        return json.dumps(self._document())

    def _document(self) -> dict[str, Any]:
        document = self._asdict()
        del document["replaced"]
        if self.replaced is not None:
            document["replaced"] = self.replaced._document()
        return document

    @classmethod
    def load(cls, text: str | None) -> Parent | None:
        return cls._read(json.loads(text)) if text else None

    @classmethod
    def _read(cls, document: dict[str, Any]) -> Parent:
        replaced = document.pop("replaced", None)
        return cls(**document, replaced=cls._read(replaced) if replaced else None)

    def json(self) -> str:
        """ParentInstance of ExecutionStarted."""
        return json.dumps(
            {
                "Name": self.name,
                "OrchestrationInstance": {"InstanceId": self.instance_id, "ExecutionId": self.execution_id},
                "TaskScheduleId": self.task_id,
                "Version": self.version,
            },
            separators=(",", ":"),
        )


class History:
    """Past episodes: `parts` their text, `facts` what it says, `open` what is scheduled and has not ended, by id."""

    __slots__ = ("facts", "open", "parts", "replay")

    def __init__(self, parts: list[str], facts: list[Fact]) -> None:
        self.parts = parts
        # The walk of the last episode, if the next may go on with it.
        self.replay: Replay | None = None
        self.facts: list[Fact] = []
        self.open: dict[int, Scheduled] = {}
        self.extend(facts)

    def extend(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.facts.append(fact)
            if isinstance(fact, SCHEDULED):
                self.open[fact.id] = fact
            elif isinstance(fact, (Completed, Failed)):
                self.open.pop(fact.id, None)


class Orchestration:
    """One instance that is not over. `history` is None while it is only in the store."""

    __slots__ = (
        "blocked",
        "created",
        "custom_status",
        "deferred",
        "episodes",
        "execution_id",
        "generation",
        "history",
        "inbox",
        "input",
        "instance_id",
        "name",
        "output",
        "outstanding",
        "parent",
        "queued",
        "running",
        "status",
        "step_ended",
        "step_seconds",
        "stored",
        "timers",
        "version",
        "warned",
    )

    weight = PLACE

    def __init__(
        self,
        instance_id: str,
        name: str,
        execution_id: str,
        version: str | None,
        input_text: str | None,
        created: int,
        generation: int | None,
        parent: Parent | None = None,
        status: str = PENDING,
    ) -> None:
        self.instance_id = instance_id
        self.name = name
        self.execution_id = execution_id
        self.version = version
        self.input = input_text
        self.created = created
        self.generation = generation
        self.parent = parent
        self.status = status
        self.custom_status: str | None = None
        self.output: str | None = None
        self.episodes = 0
        self.history: History | None = History([], [])
        self.inbox: deque[Message] = deque()
        self.queued = False
        self.running = False
        self.outstanding = 0
        self.step_seconds = 0.0
        self.step_ended = 0
        # Waits a little for more results of a fan-out, so that fewer steps replay its long history.
        self.deferred = False
        # Its version is not this host's: it stays Pending.
        self.blocked = False
        self.timers: dict[int, Timer] = {}
        self.warned: set[str] = set()
        # Status, custom status and output as the instance's row has them; None: not known.
        self.stored: tuple[str, str | None, str | None] | None = None

    @classmethod
    def from_row(cls, row: tuple[Any, ...], status: str) -> Orchestration:
        """`row`: instance_id, name, execution_id, version, input, created, generation, parent (text)."""
        instance_id, name, execution_id, version, input_text, created, generation, parent = row[:8]
        return cls(
            instance_id, name, execution_id, version, input_text, created, generation, Parent.load(parent), status
        )

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
            "null" if self.parent is None else self.parent.json(),
            self.generation,
            self.created,
        )

    def let_go_of_timers(self) -> None:
        """An instance that is over waits for nothing."""
        for timer in self.timers.values():
            timer.cancel()
        self.timers.clear()

    def insert(self, replaces: bool) -> list[Write]:
        """Writes that create the instance; `replaces`: there may be an older one of its id."""
        writes: list[Write] = []
        if replaces:
            writes.append(("DELETE FROM history WHERE instance_id=?", (self.instance_id,)))
            writes.append(("DELETE FROM inputs WHERE instance_id=?", (self.instance_id,)))
        if self.input is not None:
            writes.append((_INSERT_INPUT, (self.instance_id, self.input)))
        writes.append(
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
                    None if self.parent is None else self.parent.stored(),
                    self.created,
                    self.created,
                ),
            )
        )
        return writes
