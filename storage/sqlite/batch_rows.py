"""One line of the ledger as a row, and the counters that follow its changes."""

from __future__ import annotations

import functools
import sqlite3
from typing import Any

import orjson

from pipeline.records import Batch, BatchStatus, Counts
from storage.sqlite import totals

COLUMNS = (
    'id, hub, "partition", first_sequence_number, last_sequence_number, events, instance_id, received_at, status, '
    "stage, attempts, sweeps, error, messages, stored, duplicates, rejected, updated_at, completed_at, worker, deaths"
)
_SELECT = f"SELECT {COLUMNS} FROM batches WHERE id = ?"
_CHANGING = (
    *("instance_id", "status", "stage", "attempts", "sweeps", "error", "messages", "stored", "duplicates", "rejected"),
    *("updated_at", "completed_at", "worker", "deaths"),
)
_FIXED = ("id", "hub", '"partition"', "first_sequence_number", "last_sequence_number", "events", "received_at")
_INSERT = (
    f"INSERT INTO batches ({', '.join((*_FIXED, *_CHANGING))}) VALUES ({', '.join('?' * len((*_FIXED, *_CHANGING)))})"
)


def from_row(row: tuple[Any, ...]) -> Batch:
    return Batch(
        id=row[0],
        hub=row[1],
        partition=row[2],
        first_sequence_number=row[3],
        last_sequence_number=row[4],
        events=row[5],
        instance_id=row[6],
        received_at=row[7],
        status=BatchStatus(row[8]),
        stage=row[9],
        attempts=row[10],
        sweeps=row[11],
        error=row[12],
        counts=None if row[13] is None else Counts(*row[13:17]),
        updated_at=row[17],
        completed_at=row[18],
        worker=row[19],
        deaths=row[20],
    )


def _counts(batch: Batch) -> tuple[int | None, ...]:
    counts = batch.counts
    if counts is None:
        return (None, None, None, None)
    return (counts.messages, counts.stored, counts.duplicates, counts.rejected)


def find(connection: sqlite3.Connection, batch_id: str) -> Batch | None:
    row = connection.execute(_SELECT, (batch_id,)).fetchone()
    return None if row is None else from_row(row)


def counted(connection: sqlite3.Connection, batch_id: str, instance_id: str) -> Counts | None:
    """What this attempt has counted itself."""
    row = connection.execute("SELECT counted FROM batches WHERE id = ?", (batch_id,)).fetchone()
    if row is None or row[0] is None:
        return None
    by, *numbers = orjson.loads(row[0])
    return Counts(*numbers) if by == instance_id else None


def set_counted(connection: sqlite3.Connection, batch_id: str, instance_id: str, counts: Counts) -> None:
    text = orjson.dumps([instance_id, counts.messages, counts.stored, counts.duplicates, counts.rejected]).decode()
    connection.execute("UPDATE batches SET counted = ? WHERE id = ?", (text, batch_id))


def insert(connection: sqlite3.Connection, batch: Batch) -> None:
    connection.execute(
        _INSERT,
        (
            batch.id,
            batch.hub,
            batch.partition,
            batch.first_sequence_number,
            batch.last_sequence_number,
            batch.events,
            batch.received_at,
            *_changing(batch),
        ),
    )
    totals.add(connection, {"ledger.events": batch.events, f"batches.{batch.status.value}": 1})


def update(connection: sqlite3.Connection, old: Batch, new: Batch) -> Batch:
    """Write ``new`` over ``old``, and move the counters by what differs."""
    before, after = _changing(old), _changing(new)
    # Only what differs: SQLite writes every index anew that has a column which is set, whatever to.
    columns = tuple(name for name, was, is_now in zip(_CHANGING, before, after, strict=True) if was != is_now)
    if columns:
        values = [is_now for was, is_now in zip(before, after, strict=True) if was != is_now]
        connection.execute(_update(columns), [*values, new.id])
    moved: dict[str, int] = {}
    if old.status is not new.status:
        moved = {f"batches.{old.status.value}": -1, f"batches.{new.status.value}": 1}
    if old.counts != new.counts:
        had, has = old.counts or Counts(0, 0, 0, 0), new.counts or Counts(0, 0, 0, 0)
        moved["ledger.messages"] = has.messages - had.messages
        moved["ledger.stored"] = has.stored - had.stored
        moved["ledger.duplicates"] = has.duplicates - had.duplicates
        moved["ledger.rejected"] = has.rejected - had.rejected
    totals.add(connection, moved)
    return new


def _changing(batch: Batch) -> tuple[Any, ...]:
    """The values of the columns that may change, in their order."""
    return (
        batch.instance_id,
        batch.status.value,
        batch.stage,
        batch.attempts,
        batch.sweeps,
        batch.error,
        *_counts(batch),
        batch.updated_at,
        batch.completed_at,
        batch.worker,
        batch.deaths,
    )


@functools.lru_cache(maxsize=128)
def _update(columns: tuple[str, ...]) -> str:
    return f"UPDATE batches SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?"
