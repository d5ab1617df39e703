"""Counters that change in the same transaction as what they count, and stay when that is purged."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

_ADD = """INSERT INTO totals (name, value) VALUES (?, ?)
          ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"""


def add(connection: sqlite3.Connection, changes: Mapping[str, int]) -> None:
    for name, change in changes.items():
        if change:
            connection.execute(_ADD, (name, change))


def read(connection: sqlite3.Connection, prefix: str) -> dict[str, int]:
    """Counters whose name starts with ``prefix``, by the rest of their name."""
    rows = connection.execute(
        "SELECT name, value FROM totals WHERE name >= ? AND name < ?", (prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1))
    )
    return {name[len(prefix) :]: value for name, value in rows if value}
