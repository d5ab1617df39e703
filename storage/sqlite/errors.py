"""SQLite's errors in plain words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pipeline.ports import StoreUnavailable

# SQLite's texts are part of its stable interface; error codes reach Python only from 3.11 on.
_CAUSES = {
    "disk is full": "the disk is full",
    "readonly database": "the file is read-only",
    "is locked": "another process keeps the file locked",
    "disk I/O error": "the disk reports an I/O error",
    "unable to open database file": "the file cannot be opened (does the folder exist, may this process write there?)",
    "malformed": "the file is damaged",
    "not a database": "the file is no SQLite database",
}

_OF_THE_CALL = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.DataError)


def unavailable(error: sqlite3.Error, path: Path) -> Exception:
    """``StoreUnavailable`` for what the outside world causes; the error itself where only our own SQL can be wrong."""
    if isinstance(error, _OF_THE_CALL):
        return error
    text = str(error)
    cause = next((plain for part, plain in _CAUSES.items() if part in text), text)
    return unusable(path, cause)


def unusable(path: Path, cause: str) -> StoreUnavailable:
    return StoreUnavailable(f"store {path}: {cause}", shown=f"store: {cause}")


def is_read_only(error: BaseException) -> bool:
    return isinstance(error, sqlite3.Error) and "readonly database" in str(error)


def breaks_connection(error: sqlite3.Error) -> bool:
    """Whether the connection must be made anew: not after a full disk or a lock, but after a file that was read-only or
    lost, which a connection that has seen it so may never see otherwise."""
    return not isinstance(error, _OF_THE_CALL) and "is full" not in str(error) and "is locked" not in str(error)
