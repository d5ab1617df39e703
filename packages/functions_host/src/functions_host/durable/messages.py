"""What arrives at an instance and waits for its next episode."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from functions_host.durable.jsontext import compact
from functions_host.durable.store import Write

INSERT = "INSERT INTO inbox(seq, instance_id, kind, payload, due) VALUES (?,?,?,?,?)"
DELETE = "DELETE FROM inbox WHERE seq=?"


class Event(NamedTuple):
    """Raised from outside, or an entity's answer: then `execution` is the caller's, and nobody else's business."""

    name: str
    input: str | None
    at: int
    execution: str | None = None


class TaskEnded(NamedTuple):
    """An activity's result, JSON text; `reason` not None: it failed."""

    id: int
    at: int
    result: str | None = None
    reason: str | None = None
    details: str | None = None


class SubEnded(NamedTuple):
    """A child's result, as of an activity; `execution` is the parent's."""

    id: int
    at: int
    execution: str
    result: str | None = None
    reason: str | None = None
    details: str | None = None


class TimerDue(NamedTuple):
    """Never stored: that the timer was created is."""

    id: int
    at: int


class Terminate(NamedTuple):
    at: int
    reason: str | None = None


class Suspend(NamedTuple):
    at: int
    reason: str | None = None


class Resume(NamedTuple):
    at: int
    reason: str | None = None


class Rewind(NamedTuple):
    at: int
    reason: str | None = None


class Operation(NamedTuple):
    """For an entity; `parent` and `execution` are the caller's, None for a signal."""

    id: str
    name: str
    input: str | None
    parent: str | None = None
    execution: str | None = None


Payload = Event | TaskEnded | SubEnded | TimerDue | Terminate | Suspend | Resume | Rewind | Operation

# As the store names them.
_BY_KIND: dict[str, Any] = {
    "event": Event,
    "task": TaskEnded,
    "sub": SubEnded,
    "timer": TimerDue,
    "terminate": Terminate,
    "suspend": Suspend,
    "resume": Resume,
    "rewind": Rewind,
    "op": Operation,
}
# An operation nobody waits for: id, name and input as they are, a line each but for the last. There are many, and their
# input is long and would be JSON in JSON.
_SIGNAL = "signal"
_KINDS: dict[type[Any], str] = {payload: kind for kind, payload in _BY_KIND.items()}


class Message:
    """One payload for one instance. `due`: of a scheduled signal, microseconds; `stored`: it has a row, or will."""

    __slots__ = ("consumed", "due", "instance_id", "payload", "seq", "stored")

    def __init__(self, seq: int, instance_id: str, payload: Payload, due: int | None = None) -> None:
        self.seq = seq
        self.instance_id = instance_id
        self.payload = payload
        self.due = due
        self.consumed = False
        self.stored = False

    @property
    def execution(self) -> str | None:
        """The execution it is for; None: whichever runs."""
        return getattr(self.payload, "execution", None)

    def insert(self) -> Write:
        self.stored = True
        payload = self.payload
        if type(payload) is Operation and payload.parent is None and payload.input and payload.name.isidentifier():
            text = f"{payload.id}\n{payload.name}\n{payload.input}"
            return INSERT, (self.seq, self.instance_id, _SIGNAL, text, self.due)
        told = {name: value for name, value in zip(payload._fields, payload, strict=True) if value is not None}
        return INSERT, (self.seq, self.instance_id, _KINDS[type(payload)], compact(told), self.due)

    def delete(self) -> Write:
        return DELETE, (self.seq,)

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> Message:
        """`row`: seq, instance_id, kind, payload, due."""
        seq, instance_id, kind, text, due = row
        if kind == _SIGNAL:
            message = cls(seq, instance_id, Operation(*text.split("\n", 2)), due)
        else:
            payload = _BY_KIND[kind]
            told: dict[str, Any] = json.loads(text)
            message = cls(seq, instance_id, payload(*(told.get(name) for name in payload._fields)), due)
        message.stored = True
        return message
