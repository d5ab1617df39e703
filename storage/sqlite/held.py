"""Batches that are held, one row each beside the documents that they staged."""

from __future__ import annotations

import builtins
import sqlite3
from collections.abc import Sequence

from pipeline.ports import Held, HeldTotals
from storage.sqlite.database import Database

_COLUMNS = 'batch_id, instance_id, hub, "partition", since, enqueued_from'
_DELETE_STAGED = """DELETE FROM batch_staged WHERE batch_id = ?
    AND instance_id NOT IN (SELECT instance_id FROM held_batches WHERE batch_id = ?)"""


class SqliteHeld:
    """``HeldBatches`` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, hub: str, partition: str, limit: int) -> builtins.list[Held]:
        sql = f'SELECT {_COLUMNS} FROM held_batches WHERE hub = ? AND "partition" = ? ORDER BY since, batch_id LIMIT ?'

        def read(connection: sqlite3.Connection) -> builtins.list[Held]:
            return [Held(*row) for row in connection.execute(sql, (hub, partition, limit))]

        return await self._database.read(read)

    async def partitions(self, since_before: str) -> builtins.list[tuple[str, str]]:
        sql = 'SELECT DISTINCT hub, "partition" FROM held_batches WHERE since < ? ORDER BY hub, "partition"'

        def read(connection: sqlite3.Connection) -> builtins.list[tuple[str, str]]:
            return [(row[0], row[1]) for row in connection.execute(sql, (since_before,))]

        return await self._database.read(read)

    async def totals(self) -> HeldTotals:
        sql = "SELECT count(*), min(since), min(enqueued_from) FROM held_batches"
        return await self._database.read(lambda connection: HeldTotals(*connection.execute(sql).fetchone()))

    async def release(self, held: Sequence[Held]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            for one in held:
                key = (one.id, one.instance_id)
                connection.execute("DELETE FROM held_batches WHERE batch_id = ? AND instance_id = ?", key)
                connection.execute("DELETE FROM batch_staged WHERE batch_id = ? AND instance_id = ?", key)

        if held:
            await self._database.write(write)


def hold(connection: sqlite3.Connection, held: Held) -> None:
    connection.execute(
        f"INSERT OR IGNORE INTO held_batches ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
        (held.id, held.instance_id, held.hub, held.partition, held.since, held.enqueued_from),
    )


def delete_staged(connection: sqlite3.Connection, batch_id: str) -> None:
    """What the batch's attempts have staged, but for those that are held."""
    connection.execute(_DELETE_STAGED, (batch_id, batch_id))
