"""Dead letters counted by rule and device, off indexes alone: no document is read."""

from __future__ import annotations

import sqlite3
from typing import Any

from pipeline.ports import DeadLetterFilter, LetterGroup, LetterGroups
from telemetry.vocabulary import LETTER_STATUSES

# Of the rules that any letter ever broke, those that each of these letters breaks: one look-up each in the primary key.
_COUNT = """
    SELECT k.code, d.device_id, count(*), max(d.created_at), min(d.created_at)
    FROM ({newest}) AS d
    CROSS JOIN (SELECT substr(name, 7) AS code FROM totals WHERE name >= 'codes.' AND name < 'codes/') AS c
    CROSS JOIN dead_letter_codes AS k
        ON k.code = c.code AND k.status = d.status AND k.created_at = d.created_at AND k.id = d.id
    WHERE ? IS NULL OR k.code = ?
    GROUP BY k.code, d.device_id ORDER BY count(*) DESC, k.code, d.device_id LIMIT ?"""


def read(connection: sqlite3.Connection, where: DeadLetterFilter, most: int, limit: int) -> LetterGroups:
    newest, values = _newest(where, most)
    (letters,) = connection.execute(f"SELECT count(*) FROM ({newest})", values).fetchone()
    more, more_values = _newest(where, most + 1)
    (all_of_them,) = connection.execute(f"SELECT count(*) FROM ({more})", more_values).fetchone()
    rows = connection.execute(
        _COUNT.format(newest=newest), [*values, where.error_code, where.error_code, limit]
    ).fetchall()
    return LetterGroups([LetterGroup(*row) for row in rows], letters, letters == all_of_them)


def _newest(where: DeadLetterFilter, most: int) -> tuple[str, list[Any]]:
    """SQL of (id, device_id, status, created_at) of the newest letters that match, and its parameters."""
    conditions, values = ["d.status = ?"], []
    if where.batch_id is not None:
        conditions.append("d.batch_id = ?")
        values.append(where.batch_id)
    if where.device_id is not None:
        conditions.append("d.device_id = ?")
        values.append(where.device_id)
    table, device = "dead_letters AS d", "d.device_id"
    if where.error_code is not None:
        if values:
            conditions.append(
                "EXISTS (SELECT 1 FROM dead_letter_codes AS k WHERE k.code = ? AND k.status = d.status "
                "AND k.created_at = d.created_at AND k.id = d.id)"
            )
        else:
            table, device = "dead_letter_codes AS d", "(SELECT l.device_id FROM dead_letters AS l WHERE l.id = d.id)"
            conditions.append("d.code = ?")
        values.append(where.error_code)
    one = (
        f"SELECT * FROM (SELECT d.id, {device} AS device_id, d.status, d.created_at FROM {table} "
        f"WHERE {' AND '.join(conditions)} ORDER BY d.created_at DESC, d.id DESC LIMIT ?)"
    )
    statuses = LETTER_STATUSES if where.status is None else (where.status,)
    parameters = [value for status in statuses for value in (status, *values, most)]
    together = " UNION ALL ".join([one] * len(statuses))
    return f"{together} ORDER BY created_at DESC, id DESC LIMIT ?", [*parameters, most]
