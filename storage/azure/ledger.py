"""The batch ledger: records in Cosmos DB, each in one bucket with the bucket's counters; bytes in Blob storage.

Every change is a conditional transaction on what stands there now (ETag); who comes second looks and decides again.
Where a record and bytes must agree, the order of the writes leaves a crash in between harmless: bytes before the record
that promises them, the record before bytes that nobody needs any more are deleted.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import replace

from pipeline import transitions
from pipeline.clock import now
from pipeline.coverage import Coverage
from pipeline.ports import Conflict, Held, StoreUnavailable
from pipeline.records import UNFINISHED, Batch, Counts, Move
from storage.azure import coverage
from storage.azure.batch_items import (
    PURGED,
    Record,
    Staged,
    from_item,
    from_purged,
    increments,
    to_item,
    to_purged,
    with_counts,
)
from storage.azure.batch_queries import BatchQueries
from storage.azure.blobs import Blobs
from storage.azure.bodies import RawBodies, StagedBodies, to_text
from storage.azure.bodies import to_item as to_staged_item
from storage.azure.counters import commit
from storage.azure.gather import gather_all
from storage.azure.ids import bucket_of, digest, safe_id
from storage.azure.items import Item, Items, Operation, Refused
from storage.azure.records import MAX_TRIES, Records, step_aside

_REDELIVERY_SECONDS = 90 * 24 * 3600
"""The longest that Event Hubs keeps events."""


class CosmosLedger(BatchQueries):
    """``BatchLedger`` on Azure. ``trace_ttl``: seconds for which a recount is remembered, longer than a resolved dead
    letter is kept."""

    def __init__(self, items: Items, blobs: Blobs, trace_ttl: int) -> None:
        super().__init__(items)
        self._records = Records(items)
        self._raw = RawBodies(items, blobs)
        self._staged = StagedBodies(items, blobs)
        self._trace_ttl = trace_ttl

    async def receive(self, batch: Batch, raw: bytes) -> Batch:
        new = replace(batch, updated_at=batch.updated_at or batch.received_at)
        in_item = await self._raw.put(batch.id, raw)
        item = to_item(Record(new, raw_in_item=in_item))
        try:
            await commit(self._items, [("create", (item,))], increments(None, new), bucket_of(batch.id))
        except Refused:
            there = await self._items.read_current(safe_id(batch.id), bucket_of(batch.id))
            if there is None:  # forgotten between the two calls
                raise StoreUnavailable(f"batch {batch.id} was being forgotten; ask again") from None
            if there["kind"] == PURGED:
                await self._raw.delete(batch.id, in_item)
                return from_purged(there)
            new = from_item(there).batch
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
        return await self._raw.get(batch_id)

    async def begin(self, batch_id: str, instance_id: str, stage: str, worker: str | None = None) -> Batch:
        at = now()  # once: a write whose answer was lost is known by it
        stage_before: str | None = None

        def change(record: Record | None) -> Record:
            nonlocal stage_before
            batch = transitions.begin(_batch_of(record), batch_id, instance_id, stage, at, worker)
            old = _known(record)
            if batch is old.batch:
                return old
            stage_before = batch.stage_before
            return replace(old, batch=batch)

        begun = (await self._records.change(batch_id, change)).batch
        return replace(begun, stage_before=stage_before)

    async def leave(self, batch_id: str, instance_id: str) -> None:
        def change(record: Record | None) -> Record:
            batch = transitions.leave(_batch_of(record), batch_id, instance_id)
            old = _known(record)
            return old if batch is old.batch else replace(old, batch=batch)

        await self._records.change(batch_id, change)

    async def complete(
        self, batch_id: str, instance_id: str, counts: Counts, at: str, *, held_from: str | None = None
    ) -> Batch:
        def change(record: Record | None) -> Record:
            moves = [move for _, move in record.moved] if record else []
            own = record.counted[1] if record and record.counted and record.counted[0] == instance_id else counts
            batch = transitions.complete(_batch_of(record), batch_id, instance_id, own, at, moves)
            old = _known(record)
            if batch is old.batch:
                return old
            new = replace(old, batch=batch, moved=(), counted=None)
            if held_from is not None:
                held = Held(batch_id, instance_id, batch.hub, batch.partition, at, held_from)
                new = replace(new, held=(*old.held, held))
            return replace(new, staged=_still_staged(new))

        done = await self._records.change(batch_id, change)
        # Also when there was nothing to change: the call before may have ended between the record and this.
        await self._delete_blobs(done)
        return done.batch

    async def fail(self, batch_id: str, instance_id: str, stage: str, error: str, at: str) -> Batch:
        def change(record: Record | None) -> Record:
            batch = transitions.fail(_batch_of(record), batch_id, instance_id, stage, error, at)
            old = _known(record)
            return old if batch is old.batch else replace(old, batch=batch)

        return (await self._records.change(batch_id, change)).batch

    async def open_attempt(self, batch_id: str, expect: Batch, instance_id: str, at: str, *, swept: bool) -> Batch:
        def change(record: Record | None) -> Record:
            if record is not None and record.purging:
                raise Conflict(f"batch {batch_id} is being purged", record.batch)
            batch = transitions.open_attempt(_batch_of(record), batch_id, expect, instance_id, at, swept)
            old = _known(record)
            # The new attempt counts everything afresh: of what was replayed before the letters themselves tell.
            if batch is old.batch:
                return old
            return replace(old, batch=batch, moved=(), staged=_still_staged(old))

        opened = await self._records.change(batch_id, change)
        await self._delete_blobs(opened, but=instance_id)
        return opened.batch

    async def stage(self, batch_id: str, instance_id: str, name: str, document: bytes) -> None:
        text = to_text(document)
        one = Staged(instance_id, name, in_blob=text is None)

        def change(record: Record | None) -> Record:
            transitions.unfinished(_batch_of(record), batch_id, instance_id)
            old = _known(record)
            # An item would be read before the blob; a blob is remembered until it is deleted.
            left = tuple(there for there in old.staged if there != replace(one, in_blob=False) or not one.in_blob)
            return old if one in left else replace(old, staged=(*left, one))

        bucket = bucket_of(batch_id)
        if text is not None:
            item = to_staged_item(bucket, instance_id, name, text)
            await self._records.change(batch_id, change, ("upsert", (item,)))
        else:  # named first, so that it is deleted whatever happens
            await self._records.change(batch_id, change)
            await self._staged.put_blob(batch_id, instance_id, name, document)

    async def staged(self, batch_id: str, instance_id: str, name: str) -> bytes | None:
        return await self._staged.get(batch_id, bucket_of(batch_id), instance_id, name)

    async def _delete_blobs(self, record: Record, *, but: str | None = None) -> None:
        """The staged blobs, save those of the instance ``but`` and of those that are held."""
        if record.unlisted and not record.held:
            await self._staged.delete_blobs_under(record.batch.id, but=but)
            return
        stay = {but, *(one.instance_id for one in record.held)}
        await gather_all(
            self._staged.delete_blob(record.batch.id, one.instance_id, one.name)
            for one in record.staged
            if one.in_blob and one.instance_id not in stay
        )

    async def recount(self, batch_id: str, dead_letter_id: str, move: Move) -> None:
        trace = self._trace(batch_id, dead_letter_id, move)

        def change(record: Record) -> Record:
            if record.batch.status in UNFINISHED:
                record = replace(record, moved=(*record.moved, (dead_letter_id, move)))
            if record.batch.counts is None:
                return record
            return with_counts(record, transitions.move(record.batch.counts, move))

        async def attempt() -> None:
            there = await self._records.current(batch_id)
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
            await self._records.replace(record, change(record), etag, operations)

        for tries in range(MAX_TRIES):
            try:
                return await attempt()
            except Refused as refused:
                if refused.index == 0:  # the trace is there: this has been done
                    return None
                await step_aside(tries)
        raise StoreUnavailable(f"batch {batch_id} is being changed by too many at once")

    async def count(self, batch_id: str, instance_id: str, counts: Counts, replayed_letters: Sequence[str]) -> None:
        there = await self._records.current(batch_id)
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

        await self._records.change(batch_id, change)

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

    async def mark(self, name: str) -> str:
        identity = f"~mark~{name}"
        item = await self._items.read_current(identity, bucket_of(identity))
        return "" if item is None else str(item["mark"])

    async def set_mark(self, name: str, mark: str) -> None:
        identity = f"~mark~{name}"
        item = {"id": identity, "bucket": bucket_of(identity), "kind": "mark", "mark": mark}
        await self._items.transact([("upsert", (item,))], bucket_of(identity))

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
            if old.held:
                raise Conflict(f"batch {batch_id} is held: not all of its drones have been told", old.batch)
            return old if old.purging else replace(old, purging=True)

        try:
            marked = await self._records.change(batch_id, mark)
        except Conflict:
            return False
        await self._delete_blobs(marked)
        await self._raw.delete(batch_id, marked.raw_in_item)
        while (there := await self._records.current(batch_id)) is not None:
            left = to_purged(there[0].batch, _REDELIVERY_SECONDS)
            try:
                await self._items.transact(
                    [("replace", (left["id"], left), {"if_match_etag": there[1]})], bucket_of(batch_id)
                )
            except Refused:  # a letter of it was replayed in between
                continue
        return True

    async def forget(self, received_before: str, limit: int) -> int:
        """The service does it, by the time to live."""
        return 0


def _batch_of(record: Record | None) -> Batch | None:
    return None if record is None else record.batch


def _known(record: Record | None) -> Record:
    if record is None:  # the transitions refuse an unknown batch before this
        raise Conflict("the batch is not in the ledger")
    return record


def _still_staged(record: Record) -> tuple[Staged, ...]:
    """What is held, and blobs: they are deleted after the record, and named until all of it is."""
    held = {one.instance_id for one in record.held}
    return tuple(one for one in record.staged if one.in_blob or one.instance_id in held)
