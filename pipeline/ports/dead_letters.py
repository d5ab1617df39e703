"""What was rejected."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.ports.ledger import Totals
from pipeline.ports.paging import Page
from pipeline.records import Claim, Outcome, Standing
from telemetry.model import Correction, DeadLetter, Error, Message
from telemetry.vocabulary import LetterStatus


@dataclass(frozen=True)
class DeadLetterFilter:
    """Newest first (createdAt)."""

    error_code: str | None = None
    device_id: str | None = None
    batch_id: str | None = None
    status: LetterStatus | None = None


@dataclass(frozen=True)
class LetterGroup:
    """Letters of one device (None: not known) that break one rule; one that breaks several is in several groups."""

    error_code: str
    device_id: str | None
    letters: int
    newest: str  # createdAt
    oldest: str


@dataclass(frozen=True)
class LetterGroups:
    """The largest groups first. ``letters`` are those that were looked at, the newest; ``complete`` unless there were
    more."""

    groups: list[LetterGroup]
    letters: int
    complete: bool


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

    async def correct(
        self, letter_id: str, messages: Sequence[Message], correction: Correction, at: str
    ) -> Claim | None:
        """As ``claim`` of one, for the messages of a corrected copy, which the letter keeps beside its own bytes from
        then on. How it stands then: with another correction, or none, when somebody was quicker. None when unknown."""
        ...

    async def groups(self, where: DeadLetterFilter, most: int, limit: int) -> LetterGroups:
        """Up to ``limit`` groups of the newest ``most`` letters that match."""
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
