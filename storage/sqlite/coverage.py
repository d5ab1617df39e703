"""The received ranges of sequence numbers, one row each (see ``pipeline.coverage``)."""

from __future__ import annotations

import sqlite3
from collections import defaultdict

from pipeline.coverage import Coverage, Range, add

_ADOPTED = ("", "")
"""The row of no hub says that the store is older than this table."""


def ensure_table(connection: sqlite3.Connection) -> None:
    """Make the table where it is not; a store that has received batches before begins with what they say."""
    there = "SELECT 1 FROM sqlite_master WHERE name = 'coverage'"
    if connection.execute(there).fetchone():
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not connection.execute(there).fetchone():
            connection.execute(
                'CREATE TABLE coverage (hub TEXT NOT NULL, "partition" TEXT NOT NULL, first INTEGER NOT NULL, '
                'last INTEGER NOT NULL, PRIMARY KEY (hub, "partition", first)) WITHOUT ROWID'
            )
            if connection.execute("SELECT 1 FROM totals LIMIT 1").fetchone():
                connection.execute("INSERT INTO coverage VALUES (?, ?, 0, 0)", _ADOPTED)
                connection.execute(
                    'INSERT INTO coverage SELECT hub, "partition", min(first_sequence_number), '
                    'max(last_sequence_number) FROM batches GROUP BY hub, "partition"'
                )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def note(connection: sqlite3.Connection, hub: str, partition: str, first: int, last: int) -> None:
    """The events of these sequence numbers have come."""
    key = (hub, partition)
    rows = connection.execute('SELECT first, last FROM coverage WHERE hub = ? AND "partition" = ?', key).fetchall()
    ranges = add(rows, first, last)
    if ranges == rows:
        return
    gone, new = set(rows) - set(ranges), set(ranges) - set(rows)
    connection.executemany(
        'DELETE FROM coverage WHERE hub = ? AND "partition" = ? AND first = ?', [(*key, start) for start, _ in gone]
    )
    connection.executemany("INSERT INTO coverage VALUES (?, ?, ?, ?)", [(*key, *one) for one in new])


def read(connection: sqlite3.Connection) -> Coverage:
    found: dict[tuple[str, str], list[Range]] = defaultdict(list)
    rows = connection.execute('SELECT hub, "partition", first, last FROM coverage ORDER BY hub, "partition", first')
    for hub, partition, first, last in rows:
        found[hub, partition].append((first, last))
    adopted = found.pop(_ADOPTED, None) is not None
    return Coverage({key: tuple(ranges) for key, ranges in found.items()}, adopted)
