"""Alerts: one row each; and the notes of batches."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from pipeline.ports import AlertFilter, AlertNote, Page
from storage.continuation import decode, encode, query_digest
from storage.sqlite.database import Database
from telemetry.episodes import Episode, is_settled

_COLUMNS = "id, device_id, code, status, raised_at, acknowledged, settled, cleared_at, document"


class SqliteAlerts:
    """``AlertStore`` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, notes: Sequence[AlertNote]) -> None:
        if not notes:
            return
        sql = "INSERT OR REPLACE INTO alert_notes (device_id, key, at, patch) VALUES (?, ?, ?, ?)"
        rows = [(note.device_id, note.key, note.at, orjson.dumps(note.patch)) for note in notes]
        await self._database.write(lambda connection: connection.executemany(sql, rows).rowcount)

    async def notes(self, limit: int) -> list[AlertNote]:
        sql = "SELECT device_id, key, at, patch FROM alert_notes ORDER BY at LIMIT ?"

        def read(connection: sqlite3.Connection) -> list[AlertNote]:
            return [
                AlertNote(row[0], row[1], row[2], orjson.loads(row[3])) for row in connection.execute(sql, (limit,))
            ]

        return await self._database.read(read)

    async def forget(self, notes: Sequence[AlertNote]) -> None:
        if not notes:
            return
        # One that was replaced meanwhile stays.
        sql = "DELETE FROM alert_notes WHERE device_id = ? AND key = ? AND at = ?"
        rows = [(note.device_id, note.key, note.at) for note in notes]
        await self._database.write(lambda connection: connection.executemany(sql, rows).rowcount)

    async def unsettled(self) -> list[Episode]:
        sql = "SELECT document FROM alerts WHERE settled = 0 ORDER BY raised_at"

        def read(connection: sqlite3.Connection) -> list[Episode]:
            return [orjson.loads(row[0]) for row in connection.execute(sql)]

        return await self._database.read(read)

    async def begin(self, episode: Episode) -> bool:
        sql = f"INSERT INTO alerts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        return await self._database.write(lambda connection: connection.execute(sql, _row(episode)).rowcount == 1)

    async def drop(self, alert_id: str) -> None:
        sql = "DELETE FROM alerts WHERE id = ? AND status = 'pending'"
        await self._database.write(lambda connection: connection.execute(sql, (alert_id,)).rowcount)

    async def get(self, alert_id: str) -> Episode | None:
        return await self._database.read(lambda connection: _get(connection, alert_id))

    async def change(self, alert_id: str, change: Callable[[Episode], Episode | None]) -> Episode | None:
        sql = """UPDATE alerts SET status = ?, acknowledged = ?, settled = ?, cleared_at = ?, document = ?
                 WHERE id = ?"""

        def write(connection: sqlite3.Connection) -> Episode | None:
            known = _get(connection, alert_id)
            changed = None if known is None else change(known)
            if changed is None:
                return known
            _, _, _, status, _, *rest = _row(changed)
            connection.execute(sql, (status, *rest, alert_id))
            return changed

        return await self._database.write(write)

    async def list(self, where: AlertFilter, limit: int, continuation: str | None) -> Page[Episode]:
        query = query_digest(
            "alerts", where.status, where.acknowledged, where.code, where.device_id, where.raised_from, where.raised_to
        )
        after = decode(query, continuation, 2)
        conditions, parameters = ["status != 'pending'"], list[Any]()
        for condition, value in (
            ("status = ?", where.status),
            ("acknowledged = ?", None if where.acknowledged is None else int(where.acknowledged)),
            ("code = ?", where.code),
            ("device_id = ?", where.device_id),
            ("raised_at >= ?", where.raised_from),
            ("raised_at < ?", where.raised_to),
        ):
            if value is not None:
                conditions.append(condition)
                parameters.append(value)
        if after is not None:
            conditions.append("(raised_at, id) < (?, ?)")
            parameters += after
        sql = (
            f"SELECT raised_at, id, document FROM alerts WHERE {' AND '.join(conditions)} "
            "ORDER BY raised_at DESC, id DESC LIMIT ?"
        )

        def read(connection: sqlite3.Connection) -> Page[Episode]:
            rows = connection.execute(sql, [*parameters, limit + 1]).fetchall()
            page = rows[:limit]
            token = encode(query, *page[-1][:2]) if len(rows) > limit else None
            return Page([orjson.loads(row[2]) for row in page], token)

        return await self._database.read(read)

    async def purge(self, cleared_before: str, limit: int) -> int:
        alerts = """DELETE FROM alerts WHERE id IN
                    (SELECT id FROM alerts WHERE status = 'cleared' AND cleared_at < ? ORDER BY cleared_at LIMIT ?)"""
        notes = """DELETE FROM alert_notes WHERE (device_id, key) IN
                   (SELECT device_id, key FROM alert_notes WHERE at < ? ORDER BY at LIMIT ?)"""

        def write(connection: sqlite3.Connection) -> int:
            connection.execute(notes, (cleared_before, limit))
            return connection.execute(alerts, (cleared_before, limit)).rowcount

        return await self._database.write(write)


def _get(connection: sqlite3.Connection, alert_id: str) -> Episode | None:
    row = connection.execute("SELECT document FROM alerts WHERE id = ?", (alert_id,)).fetchone()
    return None if row is None else orjson.loads(row[0])


def _row(episode: Episode) -> tuple[Any, ...]:
    return (
        episode["id"],
        episode["deviceId"],
        episode["code"],
        episode["status"],
        episode["raisedAt"],
        int(episode["acknowledgedAt"] is not None),
        int(is_settled(episode)),
        episode["clearedAt"],
        orjson.dumps(episode),
    )
