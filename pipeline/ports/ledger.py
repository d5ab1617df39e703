"""The batch ledger, and the totals that it keeps."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.coverage import Coverage
from pipeline.ports.paging import Page
from pipeline.records import Batch, BatchStatus, Counts, Move, Purged


@dataclass(frozen=True)
class BatchFilter:
    """``received_from`` is inclusive, ``received_to`` exclusive. Newest first."""

    statuses: frozenset[BatchStatus] = frozenset()  # empty: any
    partition: str | None = None
    received_from: str | None = None
    received_to: str | None = None


@dataclass(frozen=True)
class Totals:
    """Since the store was made, purge or not. ``messages`` and its parts count what completed batches counted last."""

    events: int = 0
    messages: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    batches: Mapping[str, int] = field(default_factory=dict)  # status -> n
    unprocessed: int = 0  # events of batches that are received, running or failed
    oldest_unprocessed_at: str | None = None  # when the oldest of those batches was received
    dead_letters: Mapping[str, int] = field(default_factory=dict)  # status -> n
    dead_letter_codes: Mapping[str, int] = field(
        default_factory=dict
    )  # error code -> n (a dead letter may have several)


class BatchLedger(Protocol):
    """Life of a batch: received → running → completed | failed; a replay or a sweep opens a new attempt (received).

    Every change after ``receive`` names the instance that makes it and succeeds only while that instance is the batch's
    current attempt (``Conflict`` otherwise, without a record when the batch is unknown), so two runs never mix.
    """

    async def receive(self, batch: Batch, raw: bytes) -> Batch:
        """Keep a new batch with its raw bytes (bytes first). A batch that is there already is returned untouched; one
        that was purged as a completed one, though ``get`` does not give it."""
        ...

    async def coverage(self) -> Coverage:
        """Which sequence numbers of each partition have come: those of all batches ever received, purge or not."""
        ...

    async def cover(self, hub: str, partition: str, first: int, last: int) -> None:
        """Count these sequence numbers as come: the hub was asked for them and has them no more."""
        ...

    async def get(self, batch_id: str) -> Batch | None: ...

    async def raw(self, batch_id: str) -> bytes | None:
        """The bytes as received; None when purged or never there."""
        ...

    async def begin(self, batch_id: str, instance_id: str, stage: str, worker: str | None = None) -> Batch:
        """received|running → running at ``stage``. ``Conflict`` when not current, or completed or failed already.
        ``worker`` names the process: where another has begun the same stage and not left it, the record counts a
        death. The answer alone tells the ``stage_before``."""
        ...

    async def leave(self, batch_id: str, instance_id: str) -> None:
        """The step under way has ended with an error, and its process lives. ``Conflict`` as ``begin``."""
        ...

    async def complete(
        self, batch_id: str, instance_id: str, counts: Counts, at: str, *, held_from: str | None = None
    ) -> Batch:
        """running → completed; deletes the staged documents. ``counts`` unless ``count`` has said others. Again with
        the same instance: no change. ``held_from``: the earliest enqueued time of messages of which drones have not
        been told yet; the batch is held (``HeldBatches``), and what this attempt staged stays until it is released."""
        ...

    async def fail(self, batch_id: str, instance_id: str, stage: str, error: str, at: str) -> Batch:
        """received|running → failed with the stage that failed and the error's text (cut to 4,000 characters)."""
        ...

    async def open_attempt(self, batch_id: str, expect: Batch, instance_id: str, at: str, *, swept: bool) -> Batch:
        """Any status → received with ``attempts + 1`` and the new instance id, if the record still equals ``expect`` in
        status, attempts and instance id (``Conflict`` otherwise). ``swept`` adds one to ``sweeps``; a person's replay
        sets it to 0."""
        ...

    async def stage(self, batch_id: str, instance_id: str, name: str, document: bytes) -> None:
        """Write a staged document (overwrites the same attempt's), for the next activity to read. ``Conflict`` when the
        attempt is not current or has ended."""
        ...

    async def staged(self, batch_id: str, instance_id: str, name: str) -> bytes | None: ...

    async def list(self, where: BatchFilter, limit: int, continuation: str | None) -> Page[Batch]: ...

    async def stalled(self, updated_before: str, limit: int, *, after: Batch | None = None) -> builtins.list[Batch]:
        """Received and running batches whose record did not change since ``updated_before``, by the time of that change
        (then id): the oldest, or those that come after one that was handed out before."""
        ...

    async def recount(self, batch_id: str, dead_letter_id: str, move: Move) -> None:
        """A dead letter that counted as rejected has been replayed: move the batch's counts, once per dead letter,
        however often asked. Asked while an attempt runs, it is taken up when that attempt completes; of a purged batch
        only the totals move. The letter has been resolved before: an attempt that counts later finds it so."""
        ...

    async def count(self, batch_id: str, instance_id: str, counts: Counts, replayed_letters: Sequence[str]) -> None:
        """The counts with which this attempt will complete, whatever ``complete`` is told. What became of the dead
        letters that are named is in them: no move of one of them, made before or to come, touches them. ``Conflict``
        when the attempt is not current or has ended."""
        ...

    async def totals(self) -> Totals:
        """Ledger part of the totals: events, messages and parts, batches."""
        ...

    async def completed_between(self, after: str, before: str, limit: int | None) -> builtins.list[Batch]:
        """Batches that were completed later than ``after`` and earlier than ``before``, in that order: at most
        ``limit``, or all."""
        ...

    async def mark(self, name: str) -> str:
        """How far some work on the ledger has come, as ``set_mark`` was told; empty when it never was."""
        ...

    async def set_mark(self, name: str, mark: str) -> None: ...

    async def purge(self, completed_before: str, limit: int) -> int:
        """Delete completed batches (record, raw bytes, staged documents) that ended before; the totals keep them.
        Never one that is received, running, failed or held. Returns how many. What is needed to know its events again
        stays: see ``purged``."""
        ...

    async def purged(self, hub: str, partition: str, first: int, last: int) -> builtins.list[Purged]:
        """What is left of purged batches that have sequence numbers between these two."""
        ...

    async def forget(self, received_before: str, limit: int) -> int:
        """Delete that too, of batches received before: the hub itself has their events no more. Returns how many."""
        ...
