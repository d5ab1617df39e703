"""Counters that change in the same transaction as what they count, and stay when that is purged."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Mapping


@functools.cache
def _add(counters: int) -> str:
    rows = ", ".join(["(?, ?)"] * counters)
    return f"INSERT INTO totals VALUES {rows} ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"


def add(connection: sqlite3.Connection, changes: Mapping[str, int]) -> None:
    values = [part for change in changes.items() if change[1] for part in change]
    if values:
        connection.execute(_add(len(values) // 2), values)


def read(connection: sqlite3.Connection, prefix: str) -> dict[str, int]:
    """Counters whose name starts with ``prefix``, by the rest of their name."""
    rows = connection.execute(
        "SELECT name, value FROM totals WHERE name >= ? AND name < ?", (prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1))
    )
    return {name[len(prefix) :]: value for name, value in rows if value}
