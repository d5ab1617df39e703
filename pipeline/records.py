"""The records of a batch: what the ledger keeps of it, and the words for what became of it and of its messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from telemetry.model import DeadLetter, Message
from telemetry.vocabulary import LetterStatus


class BatchStatus(str, Enum):
    RECEIVED = "received"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


UNFINISHED = (BatchStatus.RECEIVED, BatchStatus.RUNNING)


class Outcome(str, Enum):
    """What became of one message, or of one dead letter.

    ``STORED``: the document is there and this very delivery of this batch wrote it, now or in an earlier run.
    ``DUPLICATE``: another batch wrote it, or another delivery in this one. ``SETTLED`` (dead letters only): it is this
    batch's, and it has been claimed, replayed or discarded meanwhile.
    """

    STORED = "stored"
    DUPLICATE = "duplicate"
    SETTLED = "settled"


Slot = tuple[int, int]
"""A message's place in its batch: sequence number of the event, index within the event."""


@dataclass(frozen=True)
class Counts:
    """``messages = stored + duplicates + rejected`` for every completed batch."""

    messages: int
    stored: int
    duplicates: int
    rejected: int


@dataclass(frozen=True)
class Move:
    """What became of the ``messages`` for which a dead letter stood: that many are no longer rejected."""

    messages: int
    stored: int
    duplicates: int


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
    worker: str | None = None  # the process that began the step under way, as far as it is known to live
    deaths: int = 0  # how often a process has died while it ran a step of this batch, since a person last replayed it
    stage_before: str | None = field(default=None, compare=False)
    """Said by the ledger's ``begin`` alone, and kept nowhere: the stage at which this attempt stood, None before its
    first step; the same stage where that step is begun again."""


@dataclass(frozen=True)
class Purged:
    """What is left of a purged batch: events that come again are known by it."""

    first_sequence_number: int
    last_sequence_number: int
    received_at: str

    def holds(self, sequence_number: int, enqueued_at: str) -> bool:
        """A hub that was made anew starts its sequence numbers again, later."""
        return (
            self.first_sequence_number <= sequence_number <= self.last_sequence_number
            and enqueued_at <= self.received_at
        )


@dataclass(frozen=True)
class Claim:
    """How a letter stands, and the messages for which it is claimed; None when it is not."""

    letter: DeadLetter
    messages: list[Message] | None


@dataclass(frozen=True)
class Standing:
    """What the counting asks of a letter. ``messages`` is how many it stands for, ``index`` None the whole event;
    ``corrected`` how many a corrected copy holds that was accepted in its place, None where there is none."""

    id: str
    status: LetterStatus
    messages: int
    sequence_number: int
    index: int | None
    enqueued_at: str
    corrected: int | None = None
