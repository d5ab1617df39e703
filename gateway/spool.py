"""What waits to be sent, on disk: it outlives the hub's absence, the process and its end by kill -9.

One SQLite file. A message is in it from the moment ``put`` returns until ``remove`` is told that the hub has
acknowledged it. Notes are written with messages in one transaction: what a later run must know about them.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

FILE_NAME = "spool.sqlite"
LANES = 4
"""Devices are spread over so many lanes; each lane is sent in order, the lanes beside each other."""
_ROW_OVERHEAD = 64
_SCHEMA = """
CREATE TABLE IF NOT EXISTS waiting (
    id INTEGER PRIMARY KEY AUTOINCREMENT, lane INTEGER NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL,
    properties TEXT, size INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS waiting_by_lane ON waiting (lane, id);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class SpoolBusy(Exception):
    """Another gateway uses this folder."""


class SpoolUnusable(Exception):
    """The folder or its file cannot be used; the text says why."""


class Message(NamedTuple):
    """One event to send: the device it belongs to (partition key), its bytes, its application properties."""

    key: str
    body: bytes
    properties: Mapping[str, str] | None = None


class Waiting(NamedTuple):
    """A message in the spool, with its place."""

    number: int
    key: str
    body: bytes
    properties: dict[str, str] | None


def lane_of(key: str) -> int:
    """The lane of a device: the same in every run, whatever Python's hash seed."""
    return zlib.crc32(key.encode("utf-8", "surrogatepass")) % LANES


class Spool:
    """Use from one thread at a time. ``limit`` bytes of waiting messages at most: what comes then is dropped, the
    oldest are kept."""

    def __init__(self, folder: Path, limit: int) -> None:
        """Raises SpoolBusy, SpoolUnusable."""
        self._limit = limit
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(folder / FILE_NAME, timeout=0.5, isolation_level=None, check_same_thread=False)
            # One owner at a time: two would send everything twice. The lock goes with the process, however it ends.
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_SCHEMA)
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("COMMIT")
            counted = self._db.execute("SELECT count(*), coalesce(sum(size), 0) FROM waiting").fetchone()
            self.waiting: int = counted[0]
            self.size: int = counted[1]
            self.dropped = int(self.note("dropped") or 0)
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise SpoolBusy(f"{folder} is in use by another gateway: give this one its own --spool") from None
            raise SpoolUnusable(f"the spool {folder} cannot be used: {error}") from None
        except (OSError, sqlite3.DatabaseError) as error:
            raise SpoolUnusable(f"the spool {folder} cannot be used: {error}") from None

    def close(self) -> None:
        self._db.close()

    def fitting(self, messages: Sequence[Message]) -> int:
        """How many of the first messages there is room for."""
        size = self.size
        for number, message in enumerate(messages):
            size += _size(message)
            if size > self._limit:
                return number
        return len(messages)

    def put(self, messages: Sequence[Message], notes: Mapping[str, str | None] | None = None) -> int:
        """Keep the messages and the notes; how many messages were dropped for lack of room. All of it is on disk when
        this returns, or none of it."""
        rows: list[tuple[int, str, bytes, str | None, int]] = []
        dropped = added = 0
        for message in messages:
            key, body, properties = message
            size = _size(message)
            if self.size + added + size > self._limit:
                dropped += 1
                continue
            added += size
            rows.append((lane_of(key), key, body, json.dumps(dict(properties)) if properties else None, size))
        with _transaction(self._db):
            self._db.executemany("INSERT INTO waiting (lane, key, body, properties, size) VALUES (?, ?, ?, ?, ?)", rows)
            for name, value in (notes or {}).items():
                self._write_note(name, value)
            if dropped:
                self._write_note("dropped", str(self.dropped + dropped))
        self.dropped += dropped
        self.waiting += len(rows)
        self.size += added
        return dropped

    def first(self, lane: int, count: int) -> list[Waiting]:
        """The oldest messages of a lane, in the order in which they came."""
        rows = self._db.execute(
            "SELECT id, key, body, properties FROM waiting WHERE lane = ? ORDER BY id LIMIT ?", (lane, count)
        )
        return [Waiting(number, key, body, json.loads(more) if more else None) for number, key, body, more in rows]

    def remove(self, numbers: Sequence[int], *, dropped: bool = False) -> None:
        """Forget what the hub has acknowledged; ``dropped``: what it will never take."""
        with _transaction(self._db):
            for start in range(0, len(numbers), 500):
                chunk = numbers[start : start + 500]
                marks = ",".join("?" * len(chunk))
                count, size = self._db.execute(
                    f"SELECT count(*), coalesce(sum(size), 0) FROM waiting WHERE id IN ({marks})", chunk
                ).fetchone()
                self._db.execute(f"DELETE FROM waiting WHERE id IN ({marks})", chunk)
                self.waiting -= count
                self.size -= size
                self.dropped += count if dropped else 0
            if dropped:
                self._write_note("dropped", str(self.dropped))

    def note(self, name: str) -> str | None:
        """What ``put`` noted under the name, in this run or an earlier one."""
        row: Any = self._db.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def _write_note(self, name: str, value: str | None) -> None:
        if value is None:
            self._db.execute("DELETE FROM notes WHERE name = ?", (name,))
        else:
            self._db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))


def _size(message: Message) -> int:
    return len(message.body) + len(message.key) + _ROW_OVERHEAD


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
