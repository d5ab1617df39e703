"""Records for the contract tests, with everything that does not matter filled in."""

from __future__ import annotations

from typing import Any

from pipeline.ports import Page, Store
from pipeline.records import Batch, Counts

FAR_PAST = "2000-01-01T00:00:00.000000Z"
FAR_FUTURE = "2999-01-01T00:00:00.000000Z"


def at(second: int) -> str:
    """The canonical text of a time ``second`` seconds into the tests' day."""
    return f"2026-03-01T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.000000Z"


def batch(batch_id: str = "hub-0-1-9", *, second: int = 0, **changes: Any) -> Batch:
    fields: dict[str, Any] = {
        "id": batch_id,
        "hub": "telemetry",
        "partition": "0",
        "first_sequence_number": 1,
        "last_sequence_number": 9,
        "events": 9,
        "instance_id": f"{batch_id}-1",
        "received_at": at(second),
    }
    return Batch(**(fields | changes))


def message(message_id: str, device_id: str = "drone-1", *, second: int = 0, **changes: Any) -> Any:
    return {
        "id": message_id,
        "deviceId": device_id,
        "time": at(second),
        "timeSource": "device",
        "keyFrame": False,
        "battery": 0.5,
        "flags": [],
        "enqueuedAt": at(second),
        "partition": "0",
        "sequenceNumber": 1,
        "index": 0,
    } | changes


def letter(
    letter_id: str, *, second: int = 0, codes: tuple[str, ...] = ("battery_out_of_range",), **changes: Any
) -> Any:
    return {
        "id": letter_id,
        "status": "open",
        "errors": [{"code": code, "field": None, "value": None, "detail": code} for code in codes],
        "body": "eyJ9",
        "deviceId": "drone-1",
        "hub": "telemetry",
        "partition": "0",
        "offset": "0",
        "sequenceNumber": 1,
        "enqueuedAt": at(second),
        "index": 0,
        "attempts": 1,
        "createdAt": at(second),
        "resolvedAt": None,
        "reason": None,
        "contentType": None,
        "contentEncoding": None,
        "context": {"properties": {"n": 2**53 + 1}, "system": {"message-id": "m"}},
    } | changes


async def running(store: Store, batch_id: str = "hub-0-1-9", **changes: Any) -> Batch:
    """A batch that has begun."""
    received = await store.ledger.receive(batch(batch_id, **changes), b"raw")
    return await store.ledger.begin(batch_id, received.instance_id, "validate")


async def completed(store: Store, batch_id: str, counts: Counts, *, second: int = 0) -> Batch:
    begun = await running(store, batch_id, second=second)
    return await store.ledger.complete(batch_id, begun.instance_id, counts, at(second))


async def walk(ask: Any) -> tuple[list[Any], list[int]]:
    """All items of a listing, page by page, and the pages' sizes; ``ask(continuation)`` gives a page."""
    items: list[Any] = []
    sizes = []
    continuation = None
    while True:
        page: Page[Any] = await ask(continuation)
        items += page.items
        sizes.append(len(page.items))
        continuation = page.continuation
        if continuation is None:
            return items, sizes
        assert len(sizes) < 1000, "the listing does not end"
