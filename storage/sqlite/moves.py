"""What dead letters that were replayed moved in their batches' counts: a row each, so that each moves once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from pipeline.records import Move
from storage.sqlite import bulk

_ADD = """INSERT OR IGNORE INTO moves (batch_id, dead_letter_id, messages, stored, duplicates, pending)
          VALUES (?, ?, ?, ?, ?, ?)"""
_COVER = """INSERT INTO moves (batch_id, dead_letter_id, messages, stored, duplicates, pending)
            SELECT ?, value, 0, 0, 0, 0 FROM json_each(?) WHERE true
            ON CONFLICT (batch_id, dead_letter_id) DO UPDATE SET pending = 0"""


def add(connection: sqlite3.Connection, batch_id: str, dead_letter_id: str, move: Move, *, pending: bool) -> bool:
    """False when the letter has moved before."""
    row = (batch_id, dead_letter_id, move.messages, move.stored, move.duplicates, pending)
    return connection.execute(_ADD, row).rowcount > 0


def pending(connection: sqlite3.Connection, batch_id: str) -> list[Move]:
    sql = "SELECT messages, stored, duplicates FROM moves WHERE batch_id = ? AND pending = 1"
    return [Move(*row) for row in connection.execute(sql, (batch_id,))]


def settle(connection: sqlite3.Connection, batch_id: str) -> None:
    """None of the batch's moves is pending any more."""
    connection.execute("UPDATE moves SET pending = 0 WHERE batch_id = ? AND pending = 1", (batch_id,))


def cover(connection: sqlite3.Connection, batch_id: str, dead_letter_ids: Sequence[str]) -> None:
    """These letters have been counted otherwise: they move nothing, whether they were about to or come to it later."""
    if dead_letter_ids:
        connection.execute(_COVER, (batch_id, bulk.json_array(dead_letter_ids)))


def forget(connection: sqlite3.Connection, dead_letter_ids: Sequence[str]) -> None:
    """Nobody can replay a letter that is gone."""
    keys = bulk.json_array(dead_letter_ids)
    connection.execute("DELETE FROM moves WHERE dead_letter_id IN (SELECT value FROM json_each(?))", (keys,))
