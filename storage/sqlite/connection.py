"""Connections to the store's file, and their pragmas.

``synchronous=FULL``: a commit is on the disk before a call returns, so that not only kill -9 but a power cut too loses
nothing that was acknowledged. With group commit that costs one fsync a group, not one a call (measured: 0.15 ms of
processor time a commit on the development machine's disk, against 0.012 with NORMAL). So ``Database`` asks for it where
somebody has been told that a thing is kept, and not for the steps of a batch, which are run again.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from storage.sqlite import coverage
from storage.sqlite.schema import ensure_schema

_WAL_CHECKPOINT_PAGES = (
    4000  # a batch of messages of many drones dirties a page a drone: SQLite's 1,000 would stall each
)
_WAL_SIZE_LIMIT = 64 * 1024 * 1024
_CACHE_KIB = 16 * 1024


def _connect(path: Path, timeout: float) -> sqlite3.Connection:
    # Closing happens on another thread than use, hence check_same_thread; no connection is used by two threads at once.
    return sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False, cached_statements=256)


def connect_writer(path: Path, timeout: float) -> sqlite3.Connection:
    """The one connection that writes: WAL, schema in place. ``timeout`` is how long to wait for another process's lock
    (seconds). Raises ``sqlite3.Error``, or ``SchemaTooNew``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = _connect(path, timeout)
    try:
        _switch_to_wal(connection, timeout)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_WAL_CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit={_WAL_SIZE_LIMIT}")
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        connection.execute("PRAGMA temp_store=MEMORY")
        ensure_schema(connection, path)
        coverage.ensure_table(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path, timeout: float) -> sqlite3.Connection:
    connection = _connect(path, timeout)
    connection.execute("PRAGMA query_only=ON")
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB // 4}")
    return connection


def _switch_to_wal(connection: sqlite3.Connection, timeout: float) -> None:
    # Two processes that make the same file: the switch does not wait for a lock as ordinary statements do.
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "is locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
