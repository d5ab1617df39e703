"""The store on one machine: SQLite."""

from storage.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
