"""Tables of the durable store."""

from __future__ import annotations

import sqlite3

VERSION = 2

_DEATHS = """
CREATE TABLE deaths(                   -- work items that were running when what ran them died, until they succeed
  item   BLOB PRIMARY KEY NOT NULL,
  count  INTEGER NOT NULL,
  latest INTEGER NOT NULL
) WITHOUT ROWID;
"""

# What each later version added, by the version before.
_MIGRATIONS = {1: _DEATHS}

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
  PRIMARY KEY(instance_id, episode)
) WITHOUT ROWID;
CREATE TABLE tasks(                    -- scheduled, result not yet in history
  instance_id  TEXT NOT NULL,
  task_id      INTEGER NOT NULL,
  kind         TEXT NOT NULL,          -- activity, http or timer
  execution_id TEXT NOT NULL,
  name         TEXT NOT NULL,
  input        TEXT,
  due          INTEGER,                -- of a timer
  PRIMARY KEY(instance_id, task_id)
) WITHOUT ROWID;
CREATE TABLE inbox(                    -- arrived, not yet in history (orchestration) or executed (entity)
  seq         INTEGER PRIMARY KEY,
  instance_id TEXT NOT NULL,
  kind        TEXT NOT NULL,
  payload     TEXT NOT NULL,
  due         INTEGER                  -- of a scheduled signal
);
{_DEATHS}"""


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
    if version == 0:
        connection.executescript(f"BEGIN IMMEDIATE;{_TABLES}PRAGMA user_version={VERSION};COMMIT;")
    elif not 0 < version <= VERSION:
        raise LaterVersionError(f"its version is {version}, this host reads those up to {VERSION}")
    for older in range(version, VERSION) if version else ():
        connection.executescript(f"BEGIN IMMEDIATE;{_MIGRATIONS[older]}PRAGMA user_version={older + 1};COMMIT;")
