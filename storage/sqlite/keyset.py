"""Pages in order of (time, id), newest first, each read off an index from where the last one ended.

One sub-query a status: every index leads with the status, so that a filter for a rare one does not walk all rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any


def newest_first(
    connection: sqlite3.Connection,
    *,
    columns: str,
    table: str,
    time: str,
    statuses: Sequence[str],
    where: Sequence[tuple[str, Any]],
    after: tuple[str, ...] | None,
    limit: int,
) -> list[tuple[Any, ...]]:
    """Rows of (time, id, columns…). ``where`` holds conditions with one parameter each; ``after`` the (time, id) of the
    last row of the page before."""
    conditions = ["status = ?", *(condition for condition, _ in where)]
    if after is not None:
        conditions.append(f"({time}, id) < (?, ?)")
    one = (
        f"SELECT * FROM (SELECT {time} AS sort_time, id AS sort_id, {columns} FROM {table} "
        f"WHERE {' AND '.join(conditions)} ORDER BY {time} DESC, id DESC LIMIT ?)"
    )
    parameters: list[Any] = []
    for status in statuses:
        parameters += [status, *(value for _, value in where), *(after or ()), limit]
    query = " UNION ALL ".join([one] * len(statuses)) + " ORDER BY sort_time DESC, sort_id DESC LIMIT ?"
    return connection.execute(query, [*parameters, limit]).fetchall()
