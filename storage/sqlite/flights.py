"""Flights: one row each, and one per drone for how far they have been worked out."""

from __future__ import annotations

import builtins
import functools
import math
import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson

from pipeline.ports import Arrival, Arrivals, FlightChange, FlightFilter, FlightHead, Page
from storage.continuation import decode, encode, query_digest
from storage.sqlite.database import Database
from telemetry import times
from telemetry.flights import Flight, needed

# A drone's flights do not overlap: none that began before the last one of these can reach into a later time.
_LAST_BEFORE = (
    """coalesce((SELECT max(b.started_at) FROM flights AS b WHERE b.device_id = ? AND b.started_at <= ?), '')"""
)
_LONGEST = "flights.longest"
"""The counter of the seconds that the longest flight took: one that reaches into a time has not begun earlier."""
_LENGTHEN = """INSERT INTO totals (name, value) VALUES (?, ?)
               ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > value"""
_PUT = """INSERT INTO flights (id, device_id, started_at, last_at, ended, document) VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (id) DO UPDATE
          SET last_at = excluded.last_at, ended = excluded.ended, document = excluded.document"""

_NEW_HEAD = """INSERT INTO flight_heads (by_mode, fold, device_id, version) VALUES (?, ?, ?, 1)
               ON CONFLICT DO NOTHING"""
_NEXT_HEAD = """UPDATE flight_heads SET by_mode = ?, fold = ?, version = version + 1
                WHERE device_id = ? AND version = ?"""
_SAVED_AT_ONCE = 250
"""Drones: a transaction of some milliseconds, so that others' writes do not wait long behind it."""


class SqliteFlights:
    """``FlightStore`` on SQLite. A mark is the number of the last row of ``messages`` that was handed out."""

    # A write is cheap here; what is read at once stays in the process's memory for good, as free blocks.
    arrivals_at_once = 20_000

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
            messages = [Arrival(number, needed(orjson.loads(document))) for number, document in rows]
            return Arrivals(messages, str(last), last < newest, newest)

        return await self._database.read(read)

    async def mark(self) -> str:
        def read(connection: sqlite3.Connection) -> str:
            row = connection.execute("SELECT mark FROM flight_mark").fetchone()
            return "" if row is None else str(row[0])

        return await self._database.read(read)

    async def set_mark(self, mark: str) -> None:
        sql = "INSERT OR REPLACE INTO flight_mark (number, mark) VALUES (1, ?)"
        await self._database.write(lambda connection: connection.execute(sql, (mark,)).rowcount, lasting=False)

    async def heads(self, device_ids: Sequence[str]) -> builtins.list[FlightHead]:
        sql = """SELECT device_id, fold, by_mode, version FROM flight_heads
                 WHERE device_id IN (SELECT value FROM json_each(?))"""

        def read(connection: sqlite3.Connection) -> list[FlightHead]:
            rows = connection.execute(sql, (orjson.dumps(device_ids).decode(),))
            return [FlightHead(row[0], orjson.loads(row[1]), bool(row[2]), str(row[3])) for row in rows]

        return await self._database.read(read)

    async def save(self, changes: Sequence[FlightChange]) -> builtins.list[str]:
        refused: list[str] = []
        for start in range(0, len(changes), _SAVED_AT_ONCE):
            some = changes[start : start + _SAVED_AT_ONCE]
            # Worked out of what is stored, and again if need be.
            refused += await self._database.write(functools.partial(_save, some), lasting=False)
        return refused

    async def between(self, device_id: str, time_from: str | None, time_to: str | None) -> list[Flight]:
        sql = f"""SELECT document FROM flights WHERE device_id = ? AND last_at >= ? AND started_at <= ?
                  AND started_at >= {_LAST_BEFORE} ORDER BY started_at, id"""
        since = time_from or ""
        parameters = (device_id, since, time_to or "~", device_id, since)

        def read(connection: sqlite3.Connection) -> list[Flight]:
            return [orjson.loads(row[0]) for row in connection.execute(sql, parameters)]

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
        if where.device_id is not None and where.time_from is not None:
            conditions.append(f"started_at >= {_LAST_BEFORE}")
            parameters += (where.device_id, where.time_from)
        elif where.time_from is not None:
            conditions.append("started_at >= ?")
        sql = (
            f"SELECT started_at, id, document FROM flights WHERE {' AND '.join(conditions)} "
            "ORDER BY started_at DESC, id DESC LIMIT ?"
        )

        def read(connection: sqlite3.Connection) -> Page[Flight]:
            bound = []
            if where.device_id is None and where.time_from is not None:
                bound.append(_earliest(connection, where.time_from))
            rows = connection.execute(sql, [*parameters, *bound, limit + 1]).fetchall()
            page = rows[:limit]
            token = encode(query, *page[-1][:2]) if len(rows) > limit else None
            return Page([orjson.loads(row[2]) for row in page], token)

        return await self._database.read(read)

    async def purge(self, ended_before: str, limit: int) -> int:
        sql = "DELETE FROM flights WHERE id IN (SELECT id FROM flights WHERE last_at < ? ORDER BY last_at LIMIT ?)"
        return await self._database.write(lambda connection: connection.execute(sql, (ended_before, limit)).rowcount)


def _save(changes: Sequence[FlightChange], connection: sqlite3.Connection) -> builtins.list[str]:
    refused: list[str] = []
    put: list[Flight] = []
    delete: list[tuple[str]] = []
    for change in changes:
        head = change.head
        values = (int(head.by_mode), orjson.dumps(head.fold), head.device_id)
        if head.version is None:
            done = connection.execute(_NEW_HEAD, values).rowcount
        else:
            done = connection.execute(_NEXT_HEAD, (*values, int(head.version))).rowcount
        if done != 1:
            refused.append(head.device_id)
            continue
        put += change.put
        delete += [(flight,) for flight in change.delete]
    connection.executemany("DELETE FROM flights WHERE id = ?", delete)
    connection.executemany(_PUT, [_row(flight) for flight in put])
    if put:
        longest = max(times.seconds_between(flight["startedAt"], flight["lastAt"]) for flight in put)
        connection.execute(_LENGTHEN, (_LONGEST, math.ceil(longest)))
    return refused


def _earliest(connection: sqlite3.Connection, time_from: str) -> str:
    """No flight that began before it reaches ``time_from``."""
    row = connection.execute("SELECT value FROM totals WHERE name = ?", (_LONGEST,)).fetchone()
    return times.add_seconds(time_from, -float(row[0] if row else 0))


def _row(flight: Flight) -> tuple[Any, ...]:
    return (
        flight["id"],
        flight["deviceId"],
        flight["startedAt"],
        flight["lastAt"],
        int(flight["ended"]),
        orjson.dumps(flight),
    )
