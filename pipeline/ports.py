"""The ports of the store: what the pipeline and the HTTP API may ask of it, and what every adapter must keep.

Shaped so that SQLite, and Cosmos DB with Blob storage, can both stand behind them:

* every call is a coroutine and safe to repeat: a call that failed after its effect is simply made again;
* no call spans documents of two partitions atomically; where two documents must agree, the order of the two writes
  makes every crash in between visible and repairable by running the call again;
* documents are JSON objects; what may exceed a document (raw batches, staged batches, large bodies) is bytes or is
  moved to bytes by the adapter; continuation tokens are opaque text.

Times are canonical text, ``YYYY-MM-DDTHH:MM:SS.ffffffZ`` in UTC (they sort as text). All errors that a retry may cure
are ``StoreUnavailable``; a continuation token that is not the adapter's own, or another query's, raises
``InvalidContinuation``. Limits are at least 1.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from pipeline.coverage import Coverage
from pipeline.records import Batch, BatchStatus, Claim, Counts, Move, Outcome, Purged, Slot, Standing
from telemetry.flights import Flight, Fold
from telemetry.model import DeadLetter, Error, Message
from telemetry.registry import Registration
from telemetry.vocabulary import LetterStatus

T = TypeVar("T")


class StoreUnavailable(Exception):
    """The store did not do what was asked (down, throttled, disk full, read-only, injected fault): ask again later.

    ``shown`` is the reason in words fit for everybody: no path, no address.
    """

    def __init__(self, message: str, *, shown: str | None = None) -> None:
        super().__init__(message)
        self.shown = message if shown is None else shown


class InvalidContinuation(ValueError):
    """A continuation token that this store did not hand out for this query."""


class Conflict(Exception):
    """A conditional change found another state than it expects; ``record`` is what stands there."""

    def __init__(self, message: str, record: Any = None) -> None:
        super().__init__(message)
        self.record = record


@dataclass(frozen=True)
class Page(Generic[T]):
    items: list[T]
    continuation: str | None


@dataclass(frozen=True)
class BatchFilter:
    """``received_from`` is inclusive, ``received_to`` exclusive. Newest first."""

    statuses: frozenset[BatchStatus] = frozenset()  # empty: any
    partition: str | None = None
    received_from: str | None = None
    received_to: str | None = None


@dataclass(frozen=True)
class DeadLetterFilter:
    """Newest first (createdAt)."""

    error_code: str | None = None
    device_id: str | None = None
    batch_id: str | None = None
    status: LetterStatus | None = None


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
        death."""
        ...

    async def leave(self, batch_id: str, instance_id: str) -> None:
        """The step under way has ended with an error, and its process lives. ``Conflict`` as ``begin``."""
        ...

    async def complete(self, batch_id: str, instance_id: str, counts: Counts, at: str) -> Batch:
        """running → completed; deletes the staged documents. ``counts`` unless ``count`` has said others. Again with
        the same instance: no change."""
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

    async def purge(self, completed_before: str, limit: int) -> int:
        """Delete completed batches (record, raw bytes, staged documents) that ended before; the totals keep them.
        Never one that is received, running or failed. Returns how many. What is needed to know its events again
        stays: see ``purged``."""
        ...

    async def purged(self, hub: str, partition: str, first: int, last: int) -> builtins.list[Purged]:
        """What is left of purged batches that have sequence numbers between these two."""
        ...

    async def forget(self, received_before: str, limit: int) -> int:
        """Delete that too, of batches received before: the hub itself has their events no more. Returns how many."""
        ...


class MessageStore(Protocol):
    """Accepted, enriched messages (``telemetry`` documents); written once, by the first batch that brings them.

    A message has at least ``id``, ``deviceId``, ``time`` and ``enqueuedAt``. Its id determines its ``deviceId`` and its
    ``time``: identity is made of them."""

    async def put(self, messages: Sequence[Message], batch_id: str) -> list[Outcome]:
        """Create each message that is not there, one outcome a message in order. STORED is the one whose slot
        (``sequenceNumber`` and ``index``) in ``batch_id`` is that of the document, in this call or an earlier one; of
        several with one id, and of all that another batch has written, the rest are DUPLICATE. What is kept has
        ``batch_id`` as its ``batchId``."""
        ...

    async def written_by(self, batch_id: str, enqueued_from: str, enqueued_to: str) -> set[Slot]:
        """The slots whose documents ``batch_id`` has written, of events enqueued between the two times, both
        included."""
        ...

    async def history(
        self,
        device_id: str,
        time_from: str | None,
        time_to: str | None,
        *,
        ascending: bool,
        limit: int,
        continuation: str | None,
    ) -> Page[Message]:
        """Messages of one drone in the order of their stamps: message time, enqueued time, sequence number, index, id;
        from inclusive, to exclusive."""
        ...

    async def purge(self, enqueued_before: str, limit: int) -> int: ...


class DeadLetterStore(Protocol):
    """Rejected messages with their original bytes: documents as in the HTTP API, plus ``contentType`` and
    ``contentEncoding`` of the event where the whole event is kept."""

    async def put(self, letters: Sequence[DeadLetter], batch_id: str) -> list[Outcome]:
        """Create each letter that is not there, one outcome a letter in order. ``attempts`` and ``errors`` of one that
        ``batch_id`` has written and that is open are brought up to date; one that is no longer just open is left as it
        is, and SETTLED."""
        ...

    async def get(self, letter_id: str) -> DeadLetter | None: ...

    async def list(self, where: DeadLetterFilter, limit: int, continuation: str | None) -> Page[DeadLetter]: ...

    async def claim(self, wanted: Mapping[str, Sequence[Message] | None], at: str) -> dict[str, Claim]:
        """Claim open letters, each for the messages that it turned out to hold: from then on it can only become
        replayed, and whoever finds the claim can store them. How each stands then, by id; unknown ones are left out.
        One that is claimed already keeps its claim, one that is resolved is not claimed. None only looks."""
        ...

    async def claims(self, claimed_before: str, limit: int) -> builtins.list[Claim]:
        """Claims that have not been released, the oldest first."""
        ...

    async def resolve(self, letter_id: str, status: LetterStatus, *, at: str, reason: str | None = None) -> DeadLetter:
        """open → replayed | discarded. The same status again: no change, the record as it is. ``Conflict`` on the other
        one, and when one that is claimed is to be discarded; ``KeyError`` when unknown. A claim stays."""
        ...

    async def release(self, letter_ids: Sequence[str]) -> None:
        """Forget the claims of resolved letters: all that follows from them has been done."""
        ...

    async def record_failed_replay(self, letter_id: str, errors: Sequence[Error], at: str) -> DeadLetter:
        """A replay that was rejected again: ``attempts + 1`` and today's errors, still open. Again with the same
        ``at``: no change. ``Conflict`` when it is claimed or not open, ``KeyError`` when unknown."""
        ...

    async def of_batch(self, batch_id: str) -> builtins.list[Standing]:
        """All letters that this batch has written."""
        ...

    async def totals(self) -> Totals:
        """Dead-letter part of the totals: by status and by error code."""
        ...

    async def purge(self, resolved_before: str, limit: int) -> int:
        """Delete replayed and discarded ones resolved before; never an open one, nor one whose batch is still in the
        ledger: a batch that runs again is told by them. The totals keep them."""
        ...


@dataclass(frozen=True)
class FlightHead:
    """How far a drone's flights have been worked out. ``version`` is the adapter's, None before it is saved."""

    device_id: str
    fold: Fold
    by_mode: bool  # the drone has said a flight mode
    version: str | None


@dataclass(frozen=True)
class Arrivals:
    """Messages in the order in which they were stored. ``more``: there may be others behind them."""

    messages: list[Message]
    mark: str
    more: bool


@dataclass(frozen=True)
class FlightFilter:
    """Flights that overlap from ``time_from`` (inclusive) to ``time_to`` (exclusive). Newest start first."""

    device_id: str | None = None
    time_from: str | None = None
    time_to: str | None = None


class FlightStore(Protocol):
    """Flights (``telemetry.flights``), worked out from stored messages; everything here can be worked out again."""

    async def arrivals(self, mark: str, limit: int) -> Arrivals:
        """Messages stored after ``mark`` ("" for all), each once. What was stored in the last seconds may come
        later."""
        ...

    async def mark(self) -> str:
        """The mark last set, "" before."""
        ...

    async def set_mark(self, mark: str) -> None: ...

    async def head(self, device_id: str) -> FlightHead | None: ...

    async def save(self, head: FlightHead, put: Sequence[Flight], delete: Sequence[str]) -> None:
        """Replace the drone's head, put and delete flights of it (by id), all or nothing. ``Conflict`` when the head
        that is kept has another version than ``head``."""
        ...

    async def between(self, device_id: str, time_from: str | None, time_to: str | None) -> builtins.list[Flight]:
        """Flights of one drone of which any part lies from ``time_from`` to ``time_to``, both inclusive."""
        ...

    async def get(self, flight_id: str) -> Flight | None: ...

    async def list(self, where: FlightFilter, limit: int, continuation: str | None) -> Page[Flight]: ...

    async def purge(self, ended_before: str, limit: int) -> int:
        """Delete flights whose last message is older. Returns how many."""
        ...


@dataclass(frozen=True)
class ZonesVersion:
    """One version of the zones, from 1: a GeoJSON FeatureCollection, when it was made (canonical) and by whom."""

    version: int
    at: str
    by: str | None
    document: dict[str, Any]


@dataclass(frozen=True)
class RegistrationRecord:
    registration: Registration
    version: int


class ReferenceStore(Protocol):
    """Zones and registry, once somebody has changed them; before that the files they are seeded from are in force."""

    async def revision(self) -> str:
        """Changes with everything that changes here; "" while nothing was ever changed. One cheap read."""
        ...

    async def zones(self, version: int | None = None) -> ZonesVersion | None:
        """That version, or the newest."""
        ...

    async def put_zones(self, new: ZonesVersion) -> None:
        """``Conflict`` unless ``new`` follows the newest version."""
        ...

    async def zone_versions(self, limit: int, continuation: str | None) -> Page[ZonesVersion]:
        """Newest first, without their documents."""
        ...

    async def registry(self) -> builtins.list[RegistrationRecord] | None:
        """All registrations by id; None before ``take_over``."""
        ...

    async def take_over(self, registrations: Sequence[Registration]) -> None:
        """Keep the file's registrations, each in version 1: from now on the store's are in force. Done once only."""
        ...

    async def put_registration(self, registration: Registration, expect: int | None) -> RegistrationRecord:
        """Make it (``expect`` None) or replace it in that version. ``Conflict`` when another one is there."""
        ...

    async def delete_registration(self, device_id: str, expect: int) -> None:
        """``Conflict`` when it is not there in that version."""
        ...


class Store(Protocol):
    """One per process. ``open`` before use; ``health`` raises ``StoreUnavailable`` when it cannot be written,
    or when the last write failed and none has succeeded since."""

    ledger: BatchLedger
    messages: MessageStore
    dead_letters: DeadLetterStore
    flights: FlightStore
    reference: ReferenceStore

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def health(self) -> None: ...
