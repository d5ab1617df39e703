"""What arrives at an instance and waits for its next step."""

from __future__ import annotations

import json
from typing import Any

from functions_host.durable.jsontext import compact
from functions_host.durable.store import Write

INSERT = "INSERT INTO inbox(seq, instance_id, kind, payload, due) VALUES (?,?,?,?,?)"
DELETE = "DELETE FROM inbox WHERE seq=?"

EVENT = "event"
TASK = "task"
SUB = "sub"
TIMER = "timer"
TERMINATE = "terminate"
SUSPEND = "suspend"
RESUME = "resume"
REWIND = "rewind"
OPERATION = "op"


class Message:
    """`payload` by kind (all with ``at``, microseconds):

    event: name, input (JSON text or null); task and sub: id, result, or reason and details; timer: id, never stored
    (its row in ``tasks`` is); terminate, suspend, resume, rewind: reason; op: id, name, input, and of a
    call also parent and execution.
    """

    __slots__ = ("consumed", "due", "instance_id", "kind", "payload", "seq")

    def __init__(self, seq: int, instance_id: str, kind: str, payload: dict[str, Any], due: int | None = None) -> None:
        self.seq = seq
        self.instance_id = instance_id
        self.kind = kind
        self.payload = payload
        self.due = due
        self.consumed = False

    def insert(self) -> Write:
        return INSERT, (self.seq, self.instance_id, self.kind, compact(self.payload), self.due)

    def delete(self) -> Write:
        return DELETE, (self.seq,)

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> Message:
        seq, instance_id, kind, payload, due = row
        return cls(seq, instance_id, kind, json.loads(payload), due)
