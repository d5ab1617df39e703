"""The records of a batch: what the ledger keeps of it, and the words for what became of it and of its messages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class BatchStatus(str, Enum):
    RECEIVED = "received"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


UNFINISHED = (BatchStatus.RECEIVED, BatchStatus.RUNNING)


class Outcome(str, Enum):
    """What a write of one message or dead letter found; ``STORED`` also when this batch wrote it in an earlier run."""

    STORED = "stored"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Counts:
    """``messages = stored + duplicates + rejected`` for every completed batch."""

    messages: int
    stored: int
    duplicates: int
    rejected: int


@dataclass(frozen=True)
class Batch:
    """One line of the ledger. ``instance_id`` is the durable instance of the current attempt."""

    id: str
    hub: str
    partition: str
    first_sequence_number: int
    last_sequence_number: int
    events: int
    instance_id: str
    received_at: str
    status: BatchStatus = BatchStatus.RECEIVED
    stage: str | None = None
    attempts: int = 1
    sweeps: int = 0  # how often the sweeper has started it again since a person last did
    error: str | None = None
    counts: Counts | None = None  # of the last completed run; survives into a replay until that completes
    updated_at: str = ""
    completed_at: str | None = None
