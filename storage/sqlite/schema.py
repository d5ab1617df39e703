"""The file's tables, and its version (``PRAGMA user_version``)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pipeline.ports import StoreUnavailable

# messages: the index that serves a drone's history is also what makes a message unique: an id determines its drone and
# its time, and a second index, over random ids, would dirty one more page for every message written.
_TABLES = """
CREATE TABLE batches (
    id TEXT PRIMARY KEY, hub TEXT NOT NULL, "partition" TEXT NOT NULL,
    first_sequence_number INTEGER NOT NULL, last_sequence_number INTEGER NOT NULL, events INTEGER NOT NULL,
    instance_id TEXT NOT NULL, received_at TEXT NOT NULL, status TEXT NOT NULL, stage TEXT,
    attempts INTEGER NOT NULL, sweeps INTEGER NOT NULL, error TEXT,
    messages INTEGER, stored INTEGER, duplicates INTEGER, rejected INTEGER,
    updated_at TEXT NOT NULL, completed_at TEXT
);
CREATE INDEX batches_by_status ON batches (status, received_at, id);
CREATE INDEX batches_by_partition ON batches ("partition", status, received_at, id);
CREATE INDEX batches_in_flight ON batches (updated_at, id) WHERE status IN ('received', 'running');
CREATE INDEX batches_completed ON batches (completed_at, id) WHERE status = 'completed';

CREATE TABLE batch_raw (batch_id TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE batch_staged (
    batch_id TEXT NOT NULL, instance_id TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (batch_id, instance_id, name)
);
CREATE TABLE recounts (
    batch_id TEXT NOT NULL, dead_letter_id TEXT NOT NULL, outcome TEXT NOT NULL, settled INTEGER NOT NULL,
    PRIMARY KEY (batch_id, dead_letter_id)
) WITHOUT ROWID;
CREATE INDEX recounts_by_letter ON recounts (dead_letter_id);

CREATE TABLE messages (
    number INTEGER PRIMARY KEY, device_id TEXT NOT NULL, time TEXT NOT NULL, id TEXT NOT NULL,
    enqueued_at TEXT NOT NULL, batch_id TEXT NOT NULL, document BLOB NOT NULL
);
CREATE UNIQUE INDEX messages_by_device ON messages (device_id, time, id);
CREATE INDEX messages_by_enqueued ON messages (enqueued_at);

CREATE TABLE dead_letters (
    id TEXT PRIMARY KEY, status TEXT NOT NULL, created_at TEXT NOT NULL, device_id TEXT, batch_id TEXT NOT NULL,
    resolved_at TEXT, attempted_at TEXT, document BLOB NOT NULL
);
CREATE INDEX dead_letters_by_status ON dead_letters (status, created_at, id);
CREATE INDEX dead_letters_by_device ON dead_letters (device_id, status, created_at, id) WHERE device_id IS NOT NULL;
CREATE INDEX dead_letters_by_batch ON dead_letters (batch_id, status, created_at, id);
CREATE INDEX dead_letters_resolved ON dead_letters (resolved_at, id) WHERE resolved_at IS NOT NULL;
CREATE TABLE dead_letter_codes (
    code TEXT NOT NULL, status TEXT NOT NULL, created_at TEXT NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (code, status, created_at, id)
) WITHOUT ROWID;

CREATE TABLE totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE health (number INTEGER PRIMARY KEY, checked_at TEXT NOT NULL);
"""

# What a replayed letter moved in its batch's counts (``pending``: to be taken up when the running attempt ends); what
# an attempt has counted itself; claims of letters.
_MOVES_AND_CLAIMS = """
CREATE TABLE moves (
    batch_id TEXT NOT NULL, dead_letter_id TEXT NOT NULL, messages INTEGER NOT NULL, stored INTEGER NOT NULL,
    duplicates INTEGER NOT NULL, pending INTEGER NOT NULL, PRIMARY KEY (batch_id, dead_letter_id)
) WITHOUT ROWID;
INSERT INTO moves SELECT batch_id, dead_letter_id, 1, outcome = 'stored', outcome = 'duplicate', 1 - settled
    FROM recounts;
DROP TABLE recounts;
CREATE INDEX moves_by_letter ON moves (dead_letter_id);
ALTER TABLE batches ADD COLUMN counted TEXT;
ALTER TABLE dead_letters ADD COLUMN claim BLOB;
ALTER TABLE dead_letters ADD COLUMN claimed_at TEXT;
CREATE INDEX dead_letters_claimed ON dead_letters (claimed_at, id) WHERE claimed_at IS NOT NULL;
"""

_FLIGHTS = """
CREATE TABLE flights (
    id TEXT PRIMARY KEY, device_id TEXT NOT NULL, started_at TEXT NOT NULL, last_at TEXT NOT NULL,
    ended INTEGER NOT NULL, document BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX flights_by_device ON flights (device_id, started_at, id);
CREATE INDEX flights_by_start ON flights (started_at, id);
CREATE INDEX flights_by_end ON flights (last_at);
CREATE TABLE flight_heads (
    device_id TEXT PRIMARY KEY, version INTEGER NOT NULL, by_mode INTEGER NOT NULL, fold BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE flight_mark (number INTEGER PRIMARY KEY, mark TEXT NOT NULL);
"""

# What is left of a purged batch.
_PURGED = """
CREATE TABLE purged_batches (
    id TEXT PRIMARY KEY, hub TEXT NOT NULL, "partition" TEXT NOT NULL, first_sequence_number INTEGER NOT NULL,
    last_sequence_number INTEGER NOT NULL, events INTEGER NOT NULL, instance_id TEXT NOT NULL, received_at TEXT NOT NULL
);
CREATE INDEX purged_by_sequence ON purged_batches (hub, "partition", last_sequence_number);
CREATE INDEX purged_by_received ON purged_batches (received_at);
"""

_REFERENCE = """
CREATE TABLE zone_versions (version INTEGER PRIMARY KEY, at TEXT NOT NULL, by TEXT, document BLOB NOT NULL);
CREATE TABLE registrations (id TEXT PRIMARY KEY, version INTEGER NOT NULL, document BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE reference_taken_over (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE reference_revision (number INTEGER PRIMARY KEY, value INTEGER NOT NULL);
"""

# Processes that died while they ran a step of a batch.
_DEATHS = """
ALTER TABLE batches ADD COLUMN worker TEXT;
ALTER TABLE batches ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0;
"""

_ALERTS = """
CREATE TABLE alerts (
    id TEXT PRIMARY KEY, device_id TEXT NOT NULL, code TEXT NOT NULL, status TEXT NOT NULL, raised_at TEXT NOT NULL,
    acknowledged INTEGER NOT NULL, settled INTEGER NOT NULL, cleared_at TEXT, document BLOB NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX alerts_open ON alerts (device_id, code) WHERE status != 'cleared';
CREATE INDEX alerts_unsettled ON alerts (raised_at) WHERE settled = 0;
CREATE INDEX alerts_by_time ON alerts (raised_at, id) WHERE status != 'pending';
CREATE INDEX alerts_by_status ON alerts (status, raised_at, id) WHERE status != 'pending';
CREATE INDEX alerts_by_device ON alerts (device_id, raised_at, id) WHERE status != 'pending';
CREATE INDEX alerts_cleared ON alerts (cleared_at) WHERE status = 'cleared';
CREATE TABLE alert_notes (
    device_id TEXT NOT NULL, key TEXT NOT NULL, at TEXT NOT NULL, patch BLOB NOT NULL, PRIMARY KEY (device_id, key)
) WITHOUT ROWID;
CREATE INDEX alert_notes_by_time ON alert_notes (at);
"""

# How far some work on the ledger has come.
_MARKS = """
CREATE TABLE marks (name TEXT PRIMARY KEY, mark TEXT NOT NULL) WITHOUT ROWID;
"""

# How long the longest flight took (seconds, rounded up): no earlier one reaches into a range that is asked for.
_LONGEST_FLIGHT = """
INSERT INTO totals SELECT 'flights.longest', CAST(days * 86400 AS INTEGER) + 1
    FROM (SELECT max(julianday(last_at) - julianday(started_at)) AS days FROM flights) WHERE days IS NOT NULL;
"""

# Completed batches of whose messages some drones have not been told yet.
_HELD = """
CREATE TABLE held_batches (
    batch_id TEXT NOT NULL, instance_id TEXT NOT NULL, hub TEXT NOT NULL, "partition" TEXT NOT NULL,
    since TEXT NOT NULL, enqueued_from TEXT NOT NULL, PRIMARY KEY (batch_id, instance_id)
) WITHOUT ROWID;
CREATE INDEX held_by_partition ON held_batches (hub, "partition", since, batch_id);
"""

_VERSIONS = (
    _TABLES,
    _MOVES_AND_CLAIMS,
    _FLIGHTS,
    _PURGED,
    _REFERENCE,
    _DEATHS,
    _ALERTS,
    _MARKS,
    _LONGEST_FLIGHT,
    _HELD,
)
"""What leads from each version to the next; a new file goes through all of them."""
VERSION = len(_VERSIONS)


class SchemaTooNew(StoreUnavailable):
    """The file was written by a later version of the app."""


def ensure_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file up to this version, from nothing or from an earlier one; refuse what a later one has written."""
    if _version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        if version > VERSION:
            cause = (
                f"the file has schema version {version}, this app knows versions up to {VERSION}; "
                "run the app that wrote it, or name another DATA_DIR"
            )
            raise SchemaTooNew(f"store {path}: {cause}", shown=f"store: {cause}")
        for statements in _VERSIONS[version:]:
            for statement in statements.split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
