"""Zones and registry: every version of the zones, and one row per registration."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import orjson

from pipeline.ports import Conflict, Page, RegistrationRecord, ZonesVersion
from storage.continuation import decode, encode, query_digest
from storage.sqlite.database import Database
from telemetry.registry import Registration

_TAKEN_OVER = "registry"


class SqliteReference:
    """``ReferenceStore`` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def revision(self) -> str:
        def read(connection: sqlite3.Connection) -> str:
            row = connection.execute("SELECT value FROM reference_revision").fetchone()
            return "" if row is None else str(row[0])

        return await self._database.read(read)

    async def zones(self, version: int | None = None) -> ZonesVersion | None:
        where = "ORDER BY version DESC LIMIT 1" if version is None else "WHERE version = ?"

        def read(connection: sqlite3.Connection) -> ZonesVersion | None:
            row = connection.execute(
                f"SELECT version, at, by, document FROM zone_versions {where}", () if version is None else (version,)
            ).fetchone()
            return None if row is None else ZonesVersion(row[0], row[1], row[2], orjson.loads(row[3]))

        return await self._database.read(read)

    async def put_zones(self, new: ZonesVersion) -> None:
        def write(connection: sqlite3.Connection) -> None:
            newest = connection.execute("SELECT max(version) FROM zone_versions").fetchone()[0] or 0
            if new.version != newest + 1:
                raise Conflict(f"the zones have version {newest}")
            connection.execute(
                "INSERT INTO zone_versions (version, at, by, document) VALUES (?, ?, ?, ?)",
                (new.version, new.at, new.by, orjson.dumps(new.document)),
            )
            _revise(connection)

        await self._database.write(write)

    async def zone_versions(self, limit: int, continuation: str | None) -> Page[ZonesVersion]:
        query = query_digest("zones")
        after = decode(query, continuation, 1)
        before = int(after[0]) if after is not None else 1 << 62

        def read(connection: sqlite3.Connection) -> Page[ZonesVersion]:
            rows = connection.execute(
                "SELECT version, at, by FROM zone_versions WHERE version < ? ORDER BY version DESC LIMIT ?",
                (before, limit + 1),
            ).fetchall()
            page = rows[:limit]
            token = encode(query, str(page[-1][0])) if len(rows) > limit else None
            return Page([ZonesVersion(row[0], row[1], row[2], {}) for row in page], token)

        return await self._database.read(read)

    async def registry(self) -> list[RegistrationRecord] | None:
        def read(connection: sqlite3.Connection) -> list[RegistrationRecord] | None:
            if not _taken_over(connection):
                return None
            rows = connection.execute("SELECT document, version FROM registrations ORDER BY id").fetchall()
            return [RegistrationRecord(orjson.loads(row[0]), row[1]) for row in rows]

        return await self._database.read(read)

    async def take_over(self, registrations: Sequence[Registration]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            if _taken_over(connection):
                return
            connection.execute("INSERT INTO reference_taken_over (name) VALUES (?)", (_TAKEN_OVER,))
            connection.executemany(
                "INSERT INTO registrations (id, version, document) VALUES (?, 1, ?)",
                [(one["id"], orjson.dumps(one)) for one in registrations],
            )
            _revise(connection)

        await self._database.write(write)

    async def put_registration(self, registration: Registration, expect: int | None) -> RegistrationRecord:
        def write(connection: sqlite3.Connection) -> RegistrationRecord:
            _expect(connection, registration["id"], expect)
            version = (expect or 0) + 1
            connection.execute(
                "INSERT OR REPLACE INTO registrations (id, version, document) VALUES (?, ?, ?)",
                (registration["id"], version, orjson.dumps(registration)),
            )
            _revise(connection)
            return RegistrationRecord(registration, version)

        return await self._database.write(write)

    async def delete_registration(self, device_id: str, expect: int) -> None:
        def write(connection: sqlite3.Connection) -> None:
            _expect(connection, device_id, expect)
            connection.execute("DELETE FROM registrations WHERE id = ?", (device_id,))
            _revise(connection)

        await self._database.write(write)


def _taken_over(connection: sqlite3.Connection) -> bool:
    sql = "SELECT 1 FROM reference_taken_over WHERE name = ?"
    return connection.execute(sql, (_TAKEN_OVER,)).fetchone() is not None


def _expect(connection: sqlite3.Connection, device_id: str, version: int | None) -> None:
    row = connection.execute("SELECT version FROM registrations WHERE id = ?", (device_id,)).fetchone()
    there = None if row is None else row[0]
    if there != version:
        raise Conflict(f"the registration of {device_id} has version {there}")


def _revise(connection: sqlite3.Connection) -> None:
    sql = """INSERT INTO reference_revision (number, value) VALUES (1, 1)
             ON CONFLICT (number) DO UPDATE SET value = value + 1"""
    connection.execute(sql)
