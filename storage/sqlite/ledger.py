"""The batch ledger: one row a batch, its raw bytes and staged documents beside it, counters in the same transaction."""

from __future__ import annotations

import builtins
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace

from pipeline import transitions
from pipeline.clock import now
from pipeline.coverage import Coverage
from pipeline.ports import BatchFilter, Conflict, Held, Page, Totals
from pipeline.records import UNFINISHED, Batch, BatchStatus, Counts, Move, Purged
from storage.continuation import decode, encode, query_digest
from storage.sqlite import batch_rows, bulk, coverage, held, moves, purged, totals
from storage.sqlite.database import Database
from storage.sqlite.keyset import newest_first

_WAITING = "SELECT sum(events), min(received_at) FROM batches WHERE status = ?"


class SqliteLedger:
    """``BatchLedger`` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def receive(self, batch: Batch, raw: bytes) -> Batch:
        new = replace(batch, updated_at=batch.updated_at or batch.received_at)

        def write(connection: sqlite3.Connection) -> Batch:
            there = batch_rows.find(connection, batch.id) or purged.find(connection, batch.id)
            if there is not None:
                return there
            coverage.note(
                connection, batch.hub, batch.partition, batch.first_sequence_number, batch.last_sequence_number
            )
            connection.execute("INSERT OR REPLACE INTO batch_raw (batch_id, body) VALUES (?, ?)", (batch.id, raw))
            batch_rows.insert(connection, new)
            return new

        return await self._database.write(write)

    async def get(self, batch_id: str) -> Batch | None:
        return await self._database.look(lambda connection: batch_rows.find(connection, batch_id))

    async def raw(self, batch_id: str) -> bytes | None:
        return await self._blob("SELECT body FROM batch_raw WHERE batch_id = ?", batch_id)

    async def begin(self, batch_id: str, instance_id: str, stage: str, worker: str | None = None) -> Batch:
        return await self._change(
            batch_id, lambda _, batch: transitions.begin(batch, batch_id, instance_id, stage, now(), worker)
        )

    async def leave(self, batch_id: str, instance_id: str) -> None:
        await self._change(batch_id, lambda _, batch: transitions.leave(batch, batch_id, instance_id))

    async def complete(
        self, batch_id: str, instance_id: str, counts: Counts, at: str, *, held_from: str | None = None
    ) -> Batch:
        def change(connection: sqlite3.Connection, batch: Batch | None) -> Batch:
            own = batch_rows.counted(connection, batch_id, instance_id)
            pending = moves.pending(connection, batch_id)
            new = transitions.complete(batch, batch_id, instance_id, own or counts, at, pending)
            if new is not batch:
                if held_from is not None:
                    held.hold(connection, Held(new.id, instance_id, new.hub, new.partition, at, held_from))
                held.delete_staged(connection, batch_id)
                if pending:
                    moves.settle(connection, batch_id)
            return new

        return await self._change(batch_id, change)

    async def fail(self, batch_id: str, instance_id: str, stage: str, error: str, at: str) -> Batch:
        return await self._change(
            batch_id, lambda _, batch: transitions.fail(batch, batch_id, instance_id, stage, error, at)
        )

    async def open_attempt(self, batch_id: str, expect: Batch, instance_id: str, at: str, *, swept: bool) -> Batch:
        def change(connection: sqlite3.Connection, batch: Batch | None) -> Batch:
            new = transitions.open_attempt(batch, batch_id, expect, instance_id, at, swept)
            if new is not batch:
                held.delete_staged(connection, batch_id)
                # The new attempt counts everything afresh: of what was replayed before the letters themselves tell.
                moves.settle(connection, batch_id)
            return new

        return await self._change(batch_id, change, lasting=True)

    async def stage(self, batch_id: str, instance_id: str, name: str, document: bytes) -> None:
        def write(connection: sqlite3.Connection) -> None:
            transitions.unfinished(batch_rows.find(connection, batch_id), batch_id, instance_id)
            connection.execute(
                "INSERT OR REPLACE INTO batch_staged (batch_id, instance_id, name, body) VALUES (?, ?, ?, ?)",
                (batch_id, instance_id, name, document),
            )

        await self._database.write(write, lasting=False)

    async def staged(self, batch_id: str, instance_id: str, name: str) -> bytes | None:
        return await self._blob(
            "SELECT body FROM batch_staged WHERE batch_id = ? AND instance_id = ? AND name = ?",
            batch_id,
            instance_id,
            name,
        )

    async def list(self, where: BatchFilter, limit: int, continuation: str | None) -> Page[Batch]:
        statuses = sorted(status.value for status in where.statuses or BatchStatus)
        query = query_digest("batches", statuses, where.partition, where.received_from, where.received_to)
        after = decode(query, continuation, 2)
        conditions = []
        if where.partition is not None:
            conditions.append(('"partition" = ?', where.partition))
        if where.received_from is not None:
            conditions.append(("received_at >= ?", where.received_from))
        if where.received_to is not None and after is None:
            conditions.append(("received_at < ?", where.received_to))

        def read(connection: sqlite3.Connection) -> Page[Batch]:
            rows = newest_first(
                connection,
                columns=batch_rows.COLUMNS,
                table="batches",
                time="received_at",
                statuses=statuses,
                where=conditions,
                after=after,
                limit=limit + 1,
            )
            token = encode(query, *rows[limit - 1][:2]) if len(rows) > limit else None
            return Page([batch_rows.from_row(row[2:]) for row in rows[:limit]], token)

        return await self._database.read(read)

    async def stalled(self, updated_before: str, limit: int, *, after: Batch | None = None) -> builtins.list[Batch]:
        sql = (
            f"SELECT {batch_rows.COLUMNS} FROM batches INDEXED BY batches_in_flight "
            "WHERE status IN ('received', 'running') AND updated_at < ? AND (updated_at, id) > (?, ?) "
            "ORDER BY updated_at, id LIMIT ?"
        )
        start = ("", "") if after is None else (after.updated_at, after.id)

        def read(connection: sqlite3.Connection) -> builtins.list[Batch]:
            return [batch_rows.from_row(row) for row in connection.execute(sql, (updated_before, *start, limit))]

        return await self._database.read(read)

    async def recount(self, batch_id: str, dead_letter_id: str, move: Move) -> None:
        def write(connection: sqlite3.Connection) -> None:
            batch = batch_rows.find(connection, batch_id)
            # While an attempt runs, its counts are not there yet: complete() takes up what is pending.
            pending = batch is not None and batch.status in UNFINISHED
            if not moves.add(connection, batch_id, dead_letter_id, move, pending=pending):
                return
            if batch is None:  # purged: only the totals still know of it
                totals.add(
                    connection,
                    {
                        "ledger.messages": move.stored + move.duplicates - move.messages,
                        "ledger.stored": move.stored,
                        "ledger.duplicates": move.duplicates,
                        "ledger.rejected": -move.messages,
                    },
                )
            elif batch.counts is not None:
                batch_rows.update(connection, batch, replace(batch, counts=transitions.move(batch.counts, move)))

        await self._database.write(write)

    async def count(self, batch_id: str, instance_id: str, counts: Counts, replayed_letters: Sequence[str]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            transitions.unfinished(batch_rows.find(connection, batch_id), batch_id, instance_id)
            moves.cover(connection, batch_id, replayed_letters)
            batch_rows.set_counted(connection, batch_id, instance_id, counts)

        await self._database.write(write, lasting=False)

    async def totals(self) -> Totals:
        def read(connection: sqlite3.Connection) -> Totals:
            # One snapshot, so that messages = stored + duplicates + rejected in every answer.
            connection.execute("BEGIN")
            try:
                counters = totals.read(connection, "ledger.")
                batches = totals.read(connection, "batches.")
                waiting = [
                    connection.execute(_WAITING, (status.value,)).fetchone()
                    for status in BatchStatus
                    if status is not BatchStatus.COMPLETED
                ]
            finally:
                connection.execute("COMMIT")
            return Totals(
                events=counters.get("events", 0),
                messages=counters.get("messages", 0),
                stored=counters.get("stored", 0),
                duplicates=counters.get("duplicates", 0),
                rejected=counters.get("rejected", 0),
                batches={status.value: batches.get(status.value, 0) for status in BatchStatus},
                unprocessed=sum(events or 0 for events, _ in waiting),
                oldest_unprocessed_at=min((oldest for _, oldest in waiting if oldest is not None), default=None),
            )

        return await self._database.read(read)

    async def coverage(self) -> Coverage:
        return await self._database.read(coverage.read)

    async def cover(self, hub: str, partition: str, first: int, last: int) -> None:
        await self._database.write(lambda connection: coverage.note(connection, hub, partition, first, last))

    async def completed_between(self, after: str, before: str, limit: int | None) -> builtins.list[Batch]:
        sql = f"""SELECT {batch_rows.COLUMNS} FROM batches INDEXED BY batches_completed
                  WHERE status = 'completed' AND completed_at > ? AND completed_at < ?
                  ORDER BY completed_at, id LIMIT ?"""

        def read(connection: sqlite3.Connection) -> builtins.list[Batch]:
            rows = connection.execute(sql, (after, before, -1 if limit is None else limit))
            return [batch_rows.from_row(row) for row in rows]

        return await self._database.read(read)

    async def mark(self, name: str) -> str:
        def read(connection: sqlite3.Connection) -> str:
            row = connection.execute("SELECT mark FROM marks WHERE name = ?", (name,)).fetchone()
            return "" if row is None else str(row[0])

        return await self._database.read(read)

    async def set_mark(self, name: str, mark: str) -> None:
        sql = "INSERT OR REPLACE INTO marks (name, mark) VALUES (?, ?)"
        await self._database.write(lambda connection: connection.execute(sql, (name, mark)))

    async def purge(self, completed_before: str, limit: int) -> int:
        sql = """SELECT id AS value FROM batches INDEXED BY batches_completed
                 WHERE status = 'completed' AND completed_at < ? AND id NOT IN (SELECT batch_id FROM held_batches)
                 ORDER BY completed_at, id LIMIT ?"""

        def write(connection: sqlite3.Connection) -> int:
            ids = bulk.column(connection, sql, (completed_before, limit))
            keys = bulk.json_array(ids)
            purged.keep(connection, keys)
            for table, key in (("batches", "id"), ("batch_raw", "batch_id"), ("batch_staged", "batch_id")):
                connection.execute(f"DELETE FROM {table} WHERE {key} IN (SELECT value FROM json_each(?))", (keys,))
            return len(ids)

        return await self._database.write(write)

    async def purged(self, hub: str, partition: str, first: int, last: int) -> builtins.list[Purged]:
        return await self._database.look(lambda connection: purged.between(connection, hub, partition, first, last))

    async def forget(self, received_before: str, limit: int) -> int:
        return await self._database.write(lambda connection: purged.forget(connection, received_before, limit))

    async def _change(
        self, batch_id: str, change: Callable[[sqlite3.Connection, Batch | None], Batch], *, lasting: bool = False
    ) -> Batch:
        """A batch's step is done again if a power cut takes it: what must last is that there is such a batch."""

        def write(connection: sqlite3.Connection) -> Batch:
            old = batch_rows.find(connection, batch_id)
            new = change(connection, old)
            if old is None:
                raise Conflict(f"batch {batch_id} is not in the ledger")
            return new if new is old else batch_rows.update(connection, old, new)

        return await self._database.write(write, lasting=lasting)

    async def _blob(self, sql: str, *key: str) -> bytes | None:
        def read(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute(sql, key).fetchone()
            return None if row is None else bytes(row[0])

        return await self._database.look(read)
