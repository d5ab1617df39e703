"""Many rows in few statements.

Python gives up the interpreter lock at every step of a statement and must win it back, up to 5 ms later while another
thread computes. ``executemany`` does that once a row: 1,000 rows took 7 ms in an idle process and 0.16–3.5 s in a
busy one. Statements of a hundred rows, and results as one JSON text, took 5.5 and 23 ms.
"""

from __future__ import annotations

import functools
import itertools
import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson

_SIZES = (100, 10, 1)


@functools.cache
def _insert(table: str, columns: tuple[str, ...], rows: int) -> str:
    row = "(" + ",".join("?" * len(columns)) + ")"
    return f"INSERT INTO {table} ({','.join(columns)}) VALUES {','.join([row] * rows)} ON CONFLICT DO NOTHING"


def insert_missing(
    connection: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> int:
    """Insert the rows that are not there; how many those were."""
    inserted = start = 0
    for size in _SIZES:
        while len(rows) - start >= size:
            values = tuple(itertools.chain.from_iterable(rows[start : start + size]))
            inserted += connection.execute(_insert(table, columns, size), values).rowcount
            start += size
    return inserted


def column(connection: sqlite3.Connection, query: str, parameters: Sequence[Any]) -> list[Any]:
    """All values of a query of one column, fetched in one step."""
    row = connection.execute(f"SELECT json_group_array(value) FROM ({query})", parameters).fetchone()
    values: list[Any] = orjson.loads(row[0])
    return values


def json_array(values: Sequence[Any]) -> str:
    """What ``json_each(?)`` takes apart again."""
    return orjson.dumps(values).decode()
