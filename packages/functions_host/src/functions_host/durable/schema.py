"""Tables of the durable store."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Any

VERSION = 5
"""Up to 3 there was no table of that name or no index; up to 4 nothing in the inbox was of kind ``signal``."""

_DEATHS = """
CREATE TABLE deaths(                   -- work items that were running when what ran them died, until they succeed
  item   BLOB PRIMARY KEY NOT NULL,
  count  INTEGER NOT NULL,
  latest INTEGER NOT NULL
) WITHOUT ROWID;
"""
LIVE = "kind=0 AND status IN ('Pending','Running','Suspended')"
"""What the index of that name holds, letter by letter: SQLite takes it only for a query that says the same."""
_LIVE = f"""
CREATE INDEX live ON instances(status) WHERE {LIVE};
"""
_CREATED = """
CREATE INDEX created ON instances(created);
"""

_TABLES = f"""
CREATE TABLE instances(
  instance_id   TEXT PRIMARY KEY NOT NULL,
  kind          INTEGER NOT NULL,      -- 0 orchestration, 1 entity
  name          TEXT NOT NULL,         -- as the caller spelt it
  status        TEXT NOT NULL,
  execution_id  TEXT NOT NULL,
  version       TEXT,
  generation    INTEGER,               -- starts over finished ones; NULL: a child, or continued as new
  parent        TEXT,                  -- JSON: instance_id, execution_id, name, version, task_id
  created       INTEGER NOT NULL,      -- microseconds since 1970, as all times here
  updated       INTEGER NOT NULL,
  output        TEXT,                  -- JSON; of a failed, suspended or terminated one plain text as JSON string
  custom_status TEXT,                  -- JSON
  entity_exists INTEGER,
  entity_state  TEXT
);
CREATE TABLE inputs(instance_id TEXT PRIMARY KEY NOT NULL, input TEXT) WITHOUT ROWID;
CREATE TABLE history(                  -- one row an episode: its start and the JSON events that follow
  instance_id TEXT NOT NULL,
  episode     INTEGER NOT NULL,
  started     INTEGER NOT NULL,
  events      TEXT NOT NULL,
  scheduled   TEXT,                    -- JSON: id, kind (activity or timer), name, input, due of what begins with it
  ended       TEXT,                    -- JSON: ids of what ended before it and was taken up in it
  PRIMARY KEY(instance_id, episode)
) WITHOUT ROWID;
CREATE TABLE inbox(                    -- arrived, not yet in history (orchestration) or executed (entity)
  seq         INTEGER PRIMARY KEY,
  instance_id TEXT NOT NULL,
  kind        TEXT NOT NULL,
  payload     TEXT NOT NULL,
  due         INTEGER                  -- of a scheduled signal
);
{_DEATHS}{_LIVE}{_CREATED}"""


class LaterVersionError(Exception):
    """A later host made the store."""


def prepare(connection: sqlite3.Connection, synchronous: str) -> None:
    """Set the connection up; make or extend the tables. Raises LaterVersionError."""
    connection.execute("PRAGMA page_size=8192")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    # The engine checkpoints beside its work: an automatic one would run inside somebody's commit.
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("PRAGMA busy_timeout=5000")
    connection.execute("PRAGMA cache_size=-32768")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if not 0 <= version <= VERSION:
        raise LaterVersionError(f"its version is {version}, this host reads those up to {VERSION}")
    if version == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    if version == 0:
        _run(connection, _TABLES)
    if version == 1:
        _run(connection, _DEATHS)
    if version in (1, 2):
        _tasks_into_history(connection)
        _run(connection, _LIVE)
    if version in (1, 2, 3):
        _run(connection, _CREATED)
    connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute("COMMIT")


def _tasks_into_history(connection: sqlite3.Connection) -> None:
    """Up to version 2 what was under way stood in a table of its own."""
    connection.execute("ALTER TABLE history ADD COLUMN scheduled TEXT")
    connection.execute("ALTER TABLE history ADD COLUMN ended TEXT")
    tasks: dict[str, list[Any]] = {}
    rows = connection.execute("SELECT instance_id, task_id, kind, name, input, due FROM tasks ORDER BY 1, 2")
    for instance_id, *task in rows.fetchall():
        tasks.setdefault(instance_id, []).append(task)
    connection.executemany(
        "UPDATE history SET scheduled=?1 WHERE instance_id=?2 "
        "AND episode=(SELECT max(episode) FROM history WHERE instance_id=?2)",
        [(json.dumps(scheduled), instance_id) for instance_id, scheduled in tasks.items()],
    )
    connection.execute("DROP TABLE tasks")


def _run(connection: sqlite3.Connection, statements: str) -> None:
    """Within the transaction, which executescript would commit."""
    for statement in re.sub("--.*", "", statements).split(";"):
        if statement.strip():
            connection.execute(statement)
