"""Accepted messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipeline.ports.paging import Page
from pipeline.records import Outcome, Slot
from telemetry.model import Message


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

    async def of_batch(self, batch_id: str, enqueued_from: str, enqueued_to: str) -> list[Message]:
        """Those documents, in no order."""
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

    async def enqueued_since(self, device_id: str, enqueued_from: str, limit: int) -> list[Message]:
        """Messages of one drone that were enqueued at or after that time, in any order; of more than ``limit`` those
        that were enqueued last."""
        ...

    async def purge(self, enqueued_before: str, limit: int) -> int: ...
