"""What is left of purged batches: a row each, by which their events are known when they come again."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from pipeline.records import Batch, BatchStatus, Purged

_COLUMNS = 'id, hub, "partition", first_sequence_number, last_sequence_number, events, instance_id, received_at'
_KEEP = f"""INSERT OR IGNORE INTO purged_batches ({_COLUMNS}) SELECT {_COLUMNS} FROM batches
            WHERE id IN (SELECT value FROM json_each(?))"""
_BETWEEN = """SELECT first_sequence_number, last_sequence_number, received_at FROM purged_batches
              WHERE hub = ? AND "partition" = ? AND last_sequence_number >= ? AND first_sequence_number <= ?"""
_FORGET = """DELETE FROM purged_batches WHERE id IN
             (SELECT id FROM purged_batches WHERE received_at < ? ORDER BY received_at LIMIT ?)"""


def keep(connection: sqlite3.Connection, keys: str) -> None:
    """``keys``: a JSON array of the ids of batches that are about to be deleted."""
    connection.execute(_KEEP, (keys,))


def find(connection: sqlite3.Connection, batch_id: str) -> Batch | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM purged_batches WHERE id = ?", (batch_id,)).fetchone()
    return None if row is None else replace(Batch(*row), status=BatchStatus.COMPLETED, updated_at=row[-1])


def between(connection: sqlite3.Connection, hub: str, partition: str, first: int, last: int) -> list[Purged]:
    return [Purged(*row) for row in connection.execute(_BETWEEN, (hub, partition, first, last))]


def forget(connection: sqlite3.Connection, received_before: str, limit: int) -> int:
    return connection.execute(_FORGET, (received_before, limit)).rowcount
