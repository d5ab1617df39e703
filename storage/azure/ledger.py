"""The batch ledger: records in Cosmos DB, each in one bucket with the bucket's counters; bytes in Blob storage.

Every change is a conditional transaction on what stands there now (ETag); who comes second looks and decides again.
Where a record and bytes must agree, the order of the writes leaves a crash in between harmless: bytes before the record
that promises them, the record before bytes that nobody needs any more are deleted.
"""

from __future__ import annotations

import asyncio
import builtins
import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from pipeline import transitions
from pipeline.clock import now
from pipeline.coverage import Coverage
from pipeline.ports import BatchFilter, Conflict, Page, StoreUnavailable, Totals
from pipeline.records import UNFINISHED, Batch, BatchStatus, Counts, Move, Purged
from storage.azure import coverage
from storage.azure.batch_items import (
    PURGED,
    Record,
    from_item,
    from_purged,
    in_flight_since,
    increments,
    purged_sort,
    to_item,
    to_purged,
    with_counts,
)
from storage.azure.blobs import Blobs
from storage.azure.counters import commit, total
from storage.azure.gather import gather_all
from storage.azure.ids import bucket_of, digest, safe_id
from storage.azure.items import Item, Items, Operation, Refused
from storage.continuation import decode, encode, query_digest

_MAX_TRIES = 50
_MOST_PURGED = 1000
_REDELIVERY_SECONDS = 90 * 24 * 3600
"""The longest that Event Hubs keeps events."""
Change = Callable[[Record | None], Record]


_MOST_WAITING = 10_000
"""Batches of one status whose events are added up for the totals: beyond it the number is a lower bound."""


class CosmosLedger:
    """``BatchLedger`` on Azure. ``trace_ttl``: seconds for which a recount is remembered, longer than a resolved dead
    letter is kept."""

    def __init__(self, items: Items, blobs: Blobs, trace_ttl: int) -> None:
        self._items = items
        self._blobs = blobs
        self._trace_ttl = trace_ttl

    async def receive(self, batch: Batch, raw: bytes) -> Batch:
        new = replace(batch, updated_at=batch.updated_at or batch.received_at)
        await self._blobs.put(_raw_name(batch.id), raw, overwrite=False)
        try:
            await commit(self._items, [("create", (to_item(Record(new)),))], increments(None, new), bucket_of(batch.id))
        except Refused:
            item = await self._items.read_current(safe_id(batch.id), bucket_of(batch.id))
            if item is None:  # forgotten between the two calls
                raise StoreUnavailable(f"batch {batch.id} was being forgotten; ask again") from None
            if item["kind"] == PURGED:
                await self._blobs.delete(_raw_name(batch.id))
                return from_purged(item)
            new = from_item(item).batch
        # Also when it was there: the call before may have ended between the record and this.
        await self.cover(batch.hub, batch.partition, batch.first_sequence_number, batch.last_sequence_number)
        return new

    async def coverage(self) -> Coverage:
        return await coverage.read(self._items)

    async def cover(self, hub: str, partition: str, first: int, last: int) -> None:
        await coverage.note(self._items, hub, partition, first, last)

    async def get(self, batch_id: str) -> Batch | None:
        item = await self._items.read(safe_id(batch_id), bucket_of(batch_id))
        return None if item is None or item["kind"] == PURGED else from_item(item).batch

    async def raw(self, batch_id: str) -> bytes | None:
        return await self._blobs.get(_raw_name(batch_id))

    async def begin(self, batch_id: str, instance_id: str, stage: str, worker: str | None = None) -> Batch:
        at = now()  # once: a write whose answer was lost is known by it

        def change(record: Record | None) -> Record:
            batch = transitions.begin(_batch_of(record), batch_id, instance_id, stage, at, worker)
            old = _known(record)
            return old if batch is old.batch else replace(old, batch=batch)

        return await self._change(batch_id, change)

    async def leave(self, batch_id: str, instance_id: str) -> None:
        def change(record: Record | None) -> Record:
            batch = transitions.leave(_batch_of(record), batch_id, instance_id)
            old = _known(record)
            return old if batch is old.batch else replace(old, batch=batch)

        await self._change(batch_id, change)

    async def complete(self, batch_id: str, instance_id: str, counts: Counts, at: str) -> Batch:
        def change(record: Record | None) -> Record:
            moves = [move for _, move in record.moved] if record else []
            own = record.counted[1] if record and record.counted and record.counted[0] == instance_id else counts
            batch = transitions.complete(_batch_of(record), batch_id, instance_id, own, at, moves)
            old = _known(record)
            return old if batch is old.batch else replace(old, batch=batch, moved=(), counted=None)

        done = await self._change(batch_id, change)
        # Also when there was nothing to change: the call before may have ended between the record and this.
        await self._blobs.delete_under(_staged_folder(batch_id))
        return done

    async def fail(self, batch_id: str, instance_id: str, stage: str, error: str, at: str) -> Batch:
        def change(record: Record | None) -> Record:
            batch = transitions.fail(_batch_of(record), batch_id, instance_id, stage, error, at)
            old = _known(record)
            return old if batch is old.batch else replace(old, batch=batch)

        return await self._change(batch_id, change)

    async def open_attempt(self, batch_id: str, expect: Batch, instance_id: str, at: str, *, swept: bool) -> Batch:
        def change(record: Record | None) -> Record:
            if record is not None and record.purging:
                raise Conflict(f"batch {batch_id} is being purged", record.batch)
            batch = transitions.open_attempt(_batch_of(record), batch_id, expect, instance_id, at, swept)
            old = _known(record)
            # The new attempt counts everything afresh: of what was replayed before the letters themselves tell.
            return old if batch is old.batch else replace(old, batch=batch, moved=())

        opened = await self._change(batch_id, change)
        await self._blobs.delete_under(_staged_folder(batch_id), but=_staged_folder(batch_id, instance_id))
        return opened

    async def stage(self, batch_id: str, instance_id: str, name: str, document: bytes) -> None:
        there = await self._current(batch_id)
        transitions.unfinished(_batch_of(there[0] if there else None), batch_id, instance_id)
        await self._blobs.put(_staged_folder(batch_id, instance_id) + safe_id(name), document)

    async def staged(self, batch_id: str, instance_id: str, name: str) -> bytes | None:
        return await self._blobs.get(_staged_folder(batch_id, instance_id) + safe_id(name))

    async def list(self, where: BatchFilter, limit: int, continuation: str | None) -> Page[Batch]:
        statuses = sorted(status.value for status in where.statuses)
        query = query_digest("batches", statuses, where.partition, where.received_from, where.received_to)
        after = decode(query, continuation, 1)
        before = after[0] if after else where.received_to
        # One query a status, each a single range of one index, and a merge; all statuses are one range by themselves.
        pages = await gather_all(
            self._newest(status, where, before, limit + 1) for status in (statuses if statuses else [None])
        )
        found = builtins.list(heapq.merge(*pages, key=lambda item: str(item["sort"]), reverse=True))[: limit + 1]
        token = encode(query, found[limit - 1]["sort"]) if len(found) > limit else None
        return Page([from_item(item).batch for item in found[:limit]], token)

    async def _newest(
        self, status: str | None, where: BatchFilter, before: str | None, limit: int
    ) -> builtins.list[Item]:
        path, prefix = ("c.sort", "") if status is None else ("c.statusSort", f"{status}|")
        conditions = [f"{path} >= @from", f"{path} < @to"]
        # "~" is larger than any time.
        parameters = {"@from": prefix + (where.received_from or ""), "@to": prefix + (before or "~")}
        if where.partition is not None:
            conditions.append("c.partition = @partition")
            parameters["@partition"] = where.partition
        text = f"SELECT TOP {limit} * FROM c WHERE {' AND '.join(conditions)} ORDER BY {path} DESC"
        return await self._items.query(text, parameters, limit)

    async def stalled(self, updated_before: str, limit: int, *, after: Batch | None = None) -> builtins.list[Batch]:
        text = (
            f"SELECT TOP {limit} * FROM c WHERE c.inFlightSince > @after AND c.inFlightSince < @before "
            "ORDER BY c.inFlightSince"
        )
        parameters = {"@before": updated_before, "@after": "" if after is None else in_flight_since(after)}
        return [from_item(item).batch for item in await self._items.query(text, parameters, limit)]

    async def recount(self, batch_id: str, dead_letter_id: str, move: Move) -> None:
        trace = self._trace(batch_id, dead_letter_id, move)

        def change(record: Record) -> Record:
            if record.batch.status in UNFINISHED:
                record = replace(record, moved=(*record.moved, (dead_letter_id, move)))
            if record.batch.counts is None:
                return record
            return with_counts(record, transitions.move(record.batch.counts, move))

        async def attempt() -> None:
            there = await self._current(batch_id)
            operations: builtins.list[Operation] = [("create", (trace,))]
            if there is None:  # purged: only the totals still know of it
                changes = {
                    "messages": move.stored + move.duplicates - move.messages,
                    "stored": move.stored,
                    "duplicates": move.duplicates,
                    "rejected": -move.messages,
                }
                await commit(self._items, operations, changes, bucket_of(batch_id))
                return
            record, etag = there
            new = change(record)
            operations.append(_replacing(new, etag))
            await commit(self._items, operations, increments(record.batch, new.batch), bucket_of(batch_id))

        for tries in range(_MAX_TRIES):
            try:
                return await attempt()
            except Refused as refused:
                if refused.index == 0:  # the trace is there: this has been done
                    return None
                await _step_aside(tries)
        raise StoreUnavailable(f"batch {batch_id} is being changed by too many at once")

    async def count(self, batch_id: str, instance_id: str, counts: Counts, replayed_letters: Sequence[str]) -> None:
        there = await self._current(batch_id)
        transitions.unfinished(_batch_of(there[0] if there else None), batch_id, instance_id)
        # First what keeps moves of these letters from being made, then the counts that have them.
        await gather_all(
            self._items.create(self._trace(batch_id, letter_id, Move(0, 0, 0)), bucket_of(batch_id))
            for letter_id in replayed_letters
        )
        covered = set(replayed_letters)

        def change(record: Record | None) -> Record:
            transitions.unfinished(_batch_of(record), batch_id, instance_id)
            old = _known(record)
            left = tuple(one for one in old.moved if one[0] not in covered)
            new = replace(old, moved=left, counted=(instance_id, counts))
            return old if new == old else new

        await self._change(batch_id, change)

    def _trace(self, batch_id: str, dead_letter_id: str, move: Move) -> Item:
        return {
            "id": f"~recount~{digest(batch_id, dead_letter_id)}",
            "bucket": bucket_of(batch_id),
            "kind": "recount",
            "batchId": batch_id,
            "deadLetterId": dead_letter_id,
            **vars(move),
            "ttl": self._trace_ttl,
        }

    async def totals(self) -> Totals:
        sums = await total(self._items)
        waiting = await gather_all(
            self._waiting(status.value) for status in BatchStatus if status is not BatchStatus.COMPLETED
        )
        return Totals(
            events=sums["events"],
            messages=sums["messages"],
            stored=sums["stored"],
            duplicates=sums["duplicates"],
            rejected=sums["rejected"],
            batches={status.value: sums[f"batches_{status.value}"] for status in BatchStatus},
            unprocessed=sum(events for events, _ in waiting),
            oldest_unprocessed_at=min((oldest for _, oldest in waiting if oldest is not None), default=None),
        )

    async def _waiting(self, status: str) -> tuple[int, str | None]:
        """Events of the batches in this status (of the oldest so many), and when the oldest was received."""
        found = await self._items.query(
            f"SELECT TOP {_MOST_WAITING} c.events, c.receivedAt FROM c "
            "WHERE c.statusSort >= @first AND c.statusSort < @end ORDER BY c.statusSort ASC",
            {"@first": f"{status}|", "@end": f"{status}|~"},
            _MOST_WAITING,
        )
        return sum(item["events"] for item in found), found[0]["receivedAt"] if found else None

    async def purge(self, completed_before: str, limit: int) -> int:
        text = f"SELECT TOP {limit} * FROM c WHERE c.completedAt < @before ORDER BY c.completedAt"
        found = await self._items.query(text, {"@before": completed_before}, limit)
        purged = await gather_all(self._purge_one(from_item(item).batch.id, completed_before) for item in found)
        return sum(purged)

    async def _purge_one(self, batch_id: str, completed_before: str) -> bool:
        """Marked first, so that nobody opens an attempt whose bytes are gone; then the bytes; then the record, of which
        only that stays by which its events are known again."""

        def mark(record: Record | None) -> Record:
            old = _known(record)
            if old.batch.completed_at is None or old.batch.completed_at >= completed_before:
                raise Conflict(f"batch {batch_id} is in use again", old.batch)
            return old if old.purging else replace(old, purging=True)

        try:
            await self._change(batch_id, mark)
        except Conflict:
            return False
        await self._blobs.delete_under(_staged_folder(batch_id))
        await self._blobs.delete(_raw_name(batch_id))
        while (there := await self._current(batch_id)) is not None:
            left = to_purged(there[0].batch, _REDELIVERY_SECONDS)
            try:
                await self._items.transact(
                    [("replace", (left["id"], left), {"if_match_etag": there[1]})], bucket_of(batch_id)
                )
            except Refused:  # a letter of it was replayed in between
                continue
        return True

    async def purged(self, hub: str, partition: str, first: int, last: int) -> builtins.list[Purged]:
        found = await self._items.query(
            "SELECT * FROM c WHERE c.purgedSort >= @from AND c.purgedSort < @to AND c.firstSequenceNumber <= @last",
            {"@from": purged_sort(hub, partition, first), "@to": f"{hub}|{partition}|~", "@last": last},
            _MOST_PURGED,
        )
        return [Purged(item["firstSequenceNumber"], item["lastSequenceNumber"], item["receivedAt"]) for item in found]

    async def forget(self, received_before: str, limit: int) -> int:
        """The service does it, by the time to live."""
        return 0

    async def _current(self, batch_id: str) -> tuple[Record, str] | None:
        item = await self._items.read_current(safe_id(batch_id), bucket_of(batch_id))
        return None if item is None or item["kind"] == PURGED else (from_item(item), item["_etag"])

    async def _change(self, batch_id: str, change: Change) -> Batch:
        for tries in range(_MAX_TRIES):
            there = await self._current(batch_id)
            record, etag = there if there else (None, "")
            new = change(record)
            if record is None or new is record:
                return new.batch
            try:
                await commit(
                    self._items,
                    [_replacing(new, etag)],
                    increments(record.batch, new.batch),
                    bucket_of(batch_id),
                )
            except Refused:
                await _step_aside(tries)
            else:
                return new.batch
        raise StoreUnavailable(f"batch {batch_id} is being changed by too many at once")


def _batch_of(record: Record | None) -> Batch | None:
    return None if record is None else record.batch


def _known(record: Record | None) -> Record:
    if record is None:  # the transitions refuse an unknown batch before this
        raise Conflict("the batch is not in the ledger")
    return record


def _replacing(record: Record, etag: str) -> Operation:
    item = to_item(record)
    return ("replace", (item["id"], item), {"if_match_etag": etag})


async def _step_aside(tries: int) -> None:
    await asyncio.sleep(random.uniform(0, min(0.005 * 2**tries, 0.5)))


def _raw_name(batch_id: str) -> str:
    return f"raw/{safe_id(batch_id)}"


def _staged_folder(batch_id: str, instance_id: str | None = None) -> str:
    folder = f"staged/{safe_id(batch_id)}/"
    return folder if instance_id is None else f"{folder}{safe_id(instance_id)}/"
