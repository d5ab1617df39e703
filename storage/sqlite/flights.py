"""Flights: one row each, and one per drone for how far they have been worked out."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson

from pipeline.ports import Arrivals, Conflict, FlightFilter, FlightHead, Page
from storage.continuation import decode, encode, query_digest
from storage.sqlite.database import Database
from telemetry.flights import Flight

_PUT = """INSERT INTO flights (id, device_id, started_at, last_at, ended, document) VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (id) DO UPDATE
          SET last_at = excluded.last_at, ended = excluded.ended, document = excluded.document"""


class SqliteFlights:
    """``FlightStore`` on SQLite. A mark is the number of the last row of ``messages`` that was handed out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def arrivals(self, mark: str, limit: int) -> Arrivals:
        def read(connection: sqlite3.Connection) -> Arrivals:
            newest = connection.execute("SELECT max(number) FROM messages").fetchone()[0] or 0
            # A store whose messages were all purged begins its numbers again.
            after = int(mark or 0) if int(mark or 0) <= newest else 0
            rows = connection.execute(
                "SELECT number, document FROM messages WHERE number > ? ORDER BY number LIMIT ?", (after, limit)
            ).fetchall()
            last = rows[-1][0] if rows else after
            return Arrivals([orjson.loads(row[1]) for row in rows], str(last), last < newest)

        return await self._database.read(read)

    async def mark(self) -> str:
        def read(connection: sqlite3.Connection) -> str:
            row = connection.execute("SELECT mark FROM flight_mark").fetchone()
            return "" if row is None else str(row[0])

        return await self._database.read(read)

    async def set_mark(self, mark: str) -> None:
        sql = "INSERT OR REPLACE INTO flight_mark (number, mark) VALUES (1, ?)"
        await self._database.write(lambda connection: connection.execute(sql, (mark,)))

    async def head(self, device_id: str) -> FlightHead | None:
        def read(connection: sqlite3.Connection) -> FlightHead | None:
            row = connection.execute(
                "SELECT version, by_mode, fold FROM flight_heads WHERE device_id = ?", (device_id,)
            ).fetchone()
            return None if row is None else FlightHead(device_id, orjson.loads(row[2]), bool(row[1]), str(row[0]))

        return await self._database.read(read)

    async def save(self, head: FlightHead, put: Sequence[Flight], delete: Sequence[str]) -> None:
        values = (int(head.by_mode), orjson.dumps(head.fold), head.device_id)

        def write(connection: sqlite3.Connection) -> None:
            if head.version is None:
                sql = """INSERT INTO flight_heads (by_mode, fold, device_id, version) VALUES (?, ?, ?, 1)
                         ON CONFLICT DO NOTHING"""
                changed = connection.execute(sql, values).rowcount
            else:
                sql = """UPDATE flight_heads SET by_mode = ?, fold = ?, version = version + 1
                         WHERE device_id = ? AND version = ?"""
                changed = connection.execute(sql, (*values, int(head.version))).rowcount
            if changed != 1:
                raise Conflict(f"the flights of {head.device_id} have been worked out by somebody else meanwhile")
            connection.executemany("DELETE FROM flights WHERE id = ?", [(flight,) for flight in delete])
            connection.executemany(_PUT, [_row(flight) for flight in put])

        await self._database.write(write)

    async def between(self, device_id: str, time_from: str | None, time_to: str | None) -> list[Flight]:
        sql = """SELECT document FROM flights WHERE device_id = ? AND last_at >= ? AND started_at <= ?
                 ORDER BY started_at, id"""

        def read(connection: sqlite3.Connection) -> list[Flight]:
            return [
                orjson.loads(row[0]) for row in connection.execute(sql, (device_id, time_from or "", time_to or "~"))
            ]

        return await self._database.read(read)

    async def get(self, flight_id: str) -> Flight | None:
        def read(connection: sqlite3.Connection) -> Flight | None:
            row = connection.execute("SELECT document FROM flights WHERE id = ?", (flight_id,)).fetchone()
            return None if row is None else orjson.loads(row[0])

        return await self._database.read(read)

    async def list(self, where: FlightFilter, limit: int, continuation: str | None) -> Page[Flight]:
        query = query_digest("flights", where.device_id, where.time_from, where.time_to)
        after = decode(query, continuation, 2)
        conditions, parameters = ["1"], list[Any]()
        for condition, value in (
            ("device_id = ?", where.device_id),
            ("last_at >= ?", where.time_from),
            ("started_at < ?", where.time_to),
        ):
            if value is not None:
                conditions.append(condition)
                parameters.append(value)
        if after is not None:
            conditions.append("(started_at, id) < (?, ?)")
            parameters += after
        sql = (
            f"SELECT started_at, id, document FROM flights WHERE {' AND '.join(conditions)} "
            "ORDER BY started_at DESC, id DESC LIMIT ?"
        )

        def read(connection: sqlite3.Connection) -> Page[Flight]:
            rows = connection.execute(sql, [*parameters, limit + 1]).fetchall()
            page = rows[:limit]
            token = encode(query, *page[-1][:2]) if len(rows) > limit else None
            return Page([orjson.loads(row[2]) for row in page], token)

        return await self._database.read(read)

    async def purge(self, ended_before: str, limit: int) -> int:
        sql = "DELETE FROM flights WHERE id IN (SELECT id FROM flights WHERE last_at < ? ORDER BY last_at LIMIT ?)"
        return await self._database.write(lambda connection: connection.execute(sql, (ended_before, limit)).rowcount)


def _row(flight: Flight) -> tuple[Any, ...]:
    return (
        flight["id"],
        flight["deviceId"],
        flight["startedAt"],
        flight["lastAt"],
        int(flight["ended"]),
        orjson.dumps(flight),
    )
