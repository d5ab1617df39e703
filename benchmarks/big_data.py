"""A small store and engine, written by the app itself, made large: every row many times, each copy further in the past.

The rows are what the app writes, the tables and indexes the store's and the engine's own; only identifiers, times and
sequence numbers of a copy differ. Nothing else may have the files open.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from telemetry.times import from_microseconds, microseconds

SEQUENCE_STEP = 1_000_000_000
"""A copy's sequence numbers are beyond all that the hub gives out meanwhile."""
_AT_ONCE = 100
_COPIES = "SELECT value AS k FROM json_each(?)"


@dataclass(frozen=True)
class Copies:
    """How many more of each; of flights and dead letters one copy in ``rare``."""

    messages: int
    batches: int
    shift_seconds: int
    rare: int


def multiply_store(path: Path, copies: Copies) -> None:
    """Each copy is ``shift_seconds`` further in the past than the one before."""
    with _alone(path) as connection:
        connection.create_function("earlier", 2, _earlier(copies.shift_seconds), deterministic=True)
        for table in ("messages", "batches", "batch_raw", "flights", "dead_letters", "dead_letter_codes"):
            connection.execute(f"CREATE TEMP TABLE seed_{table} AS SELECT * FROM {table}")
        _run(connection, (_MESSAGES,), range(copies.messages, 0, -1))
        _run(connection, (_BATCHES, _RAW), range(copies.batches, 0, -1))
        _run(connection, (_FLIGHTS, _LETTERS, _CODES), range(copies.messages, 0, -copies.rare))
        # The counters and the mark of the flights as if all of it had come in the ordinary way.
        for statement in _COUNTERS:
            connection.execute(statement)


def multiply_instances(path: Path, copies: int, shift_seconds: int) -> None:
    """``copies`` more of every finished orchestration, with inputs and history."""
    with _alone(path) as connection:
        finished = "SELECT instance_id FROM instances WHERE kind = 0 AND status = 'Completed'"
        for table in ("instances", "inputs", "history"):
            connection.execute(
                f"CREATE TEMP TABLE seed_{table} AS SELECT * FROM {table} WHERE instance_id IN ({finished})"
            )
        shift = shift_seconds * 1_000_000
        statements = [
            _copied(connection, table, columns)
            for table, columns in (
                ("instances", {"created": shift, "updated": shift}),
                ("inputs", {}),
                ("history", {"started": shift}),
            )
        ]
        _run(connection, statements, range(copies, 0, -1))


def _run(connection: sqlite3.Connection, statements: Sequence[str], numbers: Sequence[int]) -> None:
    """For the copies of these numbers, some in a transaction: the oldest first, as they would have come."""
    for start in range(0, len(numbers), _AT_ONCE):
        some = json.dumps(list(numbers[start : start + _AT_ONCE]))
        connection.execute("BEGIN")
        for statement in statements:
            connection.execute(statement, (some,))
        connection.execute("COMMIT")


def _copied(connection: sqlite3.Connection, table: str, shifted: dict[str, int]) -> str:
    names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    values = [
        "s.instance_id || '-' || k" if name == "instance_id" else f"s.{name} - k * {shifted[name]}"
        if name in shifted else f"s.{name}"
        for name in names
    ]  # fmt: skip
    return f"INSERT INTO {table} SELECT {', '.join(values)} FROM ({_COPIES}) CROSS JOIN seed_{table} AS s"


def _earlier(shift_seconds: int) -> Callable[[str | None, int], str | None]:
    @lru_cache(maxsize=100_000)
    def earlier(time: str | None, k: int) -> str | None:
        return None if time is None else from_microseconds(microseconds(time) - k * shift_seconds * 1_000_000)

    return earlier


@contextmanager
def _alone(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=DELETE")
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=OFF", "synchronous=OFF", "cache_size=-500000",
                       "temp_store=MEMORY"):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")
        yield connection
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA locking_mode=NORMAL")
        connection.execute("SELECT 1 FROM sqlite_master").fetchall()
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


_MESSAGES = f"""
INSERT INTO messages (device_id, time, id, enqueued_at, batch_id, document)
SELECT s.device_id, earlier(s.time, k), s.id || '-' || k, earlier(s.enqueued_at, k), s.batch_id || '-' || k,
       CAST(json_set(CAST(s.document AS TEXT), '$.id', s.id || '-' || k, '$.time', earlier(s.time, k),
                     '$.enqueuedAt', earlier(s.enqueued_at, k), '$.batchId', s.batch_id || '-' || k,
                     '$.sequenceNumber', {SEQUENCE_STEP} - k) AS BLOB)
FROM ({_COPIES}) CROSS JOIN seed_messages AS s"""
_BATCHES = f"""
INSERT INTO batches (id, hub, "partition", first_sequence_number, last_sequence_number, events, instance_id,
                     received_at, status, stage, attempts, sweeps, error, messages, stored, duplicates, rejected,
                     updated_at, completed_at)
SELECT id || '-' || k, hub, "partition", first_sequence_number + {SEQUENCE_STEP},
       last_sequence_number + {SEQUENCE_STEP}, events, instance_id || '-' || k, earlier(received_at, k), status, stage,
       attempts, sweeps, error, messages, stored, duplicates, rejected, earlier(updated_at, k), earlier(completed_at, k)
FROM ({_COPIES}) CROSS JOIN seed_batches"""
_RAW = f"""
INSERT INTO batch_raw (batch_id, body) SELECT batch_id || '-' || k, body FROM ({_COPIES}) CROSS JOIN seed_batch_raw"""
_FLIGHTS = f"""
INSERT INTO flights (id, device_id, started_at, last_at, ended, document)
SELECT id || '-' || k, device_id, earlier(started_at, k), earlier(last_at, k), 1,
       CAST(json_set(CAST(document AS TEXT), '$.id', id || '-' || k, '$.startedAt', earlier(started_at, k),
                     '$.lastAt', earlier(last_at, k), '$.ended', json('true')) AS BLOB)
FROM ({_COPIES}) CROSS JOIN seed_flights"""
_LETTERS = f"""
INSERT INTO dead_letters (id, status, created_at, device_id, batch_id, document)
SELECT id || '-' || k, status, earlier(created_at, k), device_id, batch_id || '-' || k,
       CAST(json_set(CAST(document AS TEXT), '$.id', id || '-' || k, '$.createdAt', earlier(created_at, k),
                     '$.batchId', batch_id || '-' || k) AS BLOB)
FROM ({_COPIES}) CROSS JOIN seed_dead_letters"""
_CODES = f"""
INSERT INTO dead_letter_codes (code, status, created_at, id)
SELECT code, status, earlier(created_at, k), id || '-' || k FROM ({_COPIES}) CROSS JOIN seed_dead_letter_codes"""
_COUNTERS = (
    "UPDATE totals SET value = (SELECT sum(events) FROM batches) WHERE name = 'ledger.events'",
    "UPDATE totals SET value = (SELECT sum(messages) FROM batches) WHERE name = 'ledger.messages'",
    "UPDATE totals SET value = (SELECT sum(stored) FROM batches) WHERE name = 'ledger.stored'",
    "UPDATE totals SET value = (SELECT sum(rejected) FROM batches) WHERE name = 'ledger.rejected'",
    "UPDATE totals SET value = (SELECT count(*) FROM batches) WHERE name = 'batches.completed'",
    "UPDATE flight_mark SET mark = (SELECT max(number) FROM messages)",
)
