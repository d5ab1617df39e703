"""Accepted messages: one row each, the document as JSON beside the columns that are asked for."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import orjson

from pipeline.ports import Page
from pipeline.records import Outcome, Slot
from storage.continuation import decode, encode, query_digest
from storage.sqlite import bulk
from storage.sqlite.database import Database
from telemetry.model import Message

_COLUMNS = ("device_id", "time", "id", "enqueued_at", "batch_id", "document")
# The order of the stamps (telemetry.merge). The index has (device_id, time, id): SQLite walks it and sorts only what is
# of one time, so that a history costs no second index on every message written.
_STAMP_COLUMNS = (
    "time",
    "enqueued_at",
    "coalesce(json_extract(CAST(document AS TEXT), '$.sequenceNumber'), 0)",
    "coalesce(json_extract(CAST(document AS TEXT), '$.index'), 0)",
    "id",
)
_STAMP = ", ".join(_STAMP_COLUMNS)
_WRITTEN_AT = """
    json_array(m.id, m.batch_id, json_extract(CAST(m.document AS TEXT), '$.sequenceNumber'),
               json_extract(CAST(m.document AS TEXT), '$.index'))"""
_WRITERS = f"""
    SELECT {_WRITTEN_AT} AS value FROM json_each(?) AS k CROSS JOIN messages AS m
    ON m.device_id = json_extract(k.value, '$[0]') AND m.time = json_extract(k.value, '$[1]')
       AND m.id = json_extract(k.value, '$[2]')"""
_FROM_BATCH = """FROM messages AS m INDEXED BY messages_by_enqueued
    WHERE m.enqueued_at BETWEEN ? AND ? AND m.batch_id = ?"""
_OF_BATCH = f"SELECT {_WRITTEN_AT} AS value {_FROM_BATCH}"
_DOCUMENTS_OF_BATCH = f"SELECT m.document {_FROM_BATCH}"


class SqliteMessages:
    """``MessageStore`` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, messages: Sequence[Message], batch_id: str) -> list[Outcome]:
        if not messages:
            return []
        return await self._database.write(lambda connection: _put(connection, messages, batch_id), lasting=False)

    async def written_by(self, batch_id: str, enqueued_from: str, enqueued_to: str) -> set[Slot]:
        def read(connection: sqlite3.Connection) -> set[Slot]:
            found = bulk.column(connection, _OF_BATCH, (enqueued_from, enqueued_to, batch_id))
            return {(number, index) for _, _, number, index in map(orjson.loads, found)}

        return await self._database.read(read)

    async def of_batch(self, batch_id: str, enqueued_from: str, enqueued_to: str) -> list[Message]:
        parameters = (enqueued_from, enqueued_to, batch_id)

        def read(connection: sqlite3.Connection) -> list[Message]:
            return [orjson.loads(row[0]) for row in connection.execute(_DOCUMENTS_OF_BATCH, parameters)]

        return await self._database.read(read)

    async def history(
        self,
        device_id: str,
        time_from: str | None,
        time_to: str | None,
        *,
        ascending: bool,
        limit: int,
        continuation: str | None,
    ) -> Page[Message]:
        query = query_digest("history", device_id, time_from, time_to, ascending)
        after = decode(query, continuation, 5)
        sign, order = (">", "ASC") if ascending else ("<", "DESC")
        conditions, parameters = ["device_id = ?"], [device_id]
        # The token is the tighter bound on its side; with both, SQLite might start its walk at the looser one.
        if time_from is not None and not (after and ascending):
            conditions.append("time >= ?")
            parameters.append(time_from)
        if time_to is not None and not (after and not ascending):
            conditions.append("time < ?")
            parameters.append(time_to)
        if after:
            # Said twice: the index leads to the time, the rest is told among the few of that time.
            conditions += [f"time {sign}= ?", f"({_STAMP}) {sign} (?, ?, CAST(? AS INTEGER), CAST(? AS INTEGER), ?)"]
            parameters += [after[0], *after]
        ordered = ", ".join(f"{column} {order}" for column in _STAMP_COLUMNS)
        sql = f"SELECT {_STAMP}, document FROM messages WHERE {' AND '.join(conditions)} ORDER BY {ordered} LIMIT ?"

        def read(connection: sqlite3.Connection) -> Page[Message]:
            rows = connection.execute(sql, [*parameters, limit + 1]).fetchall()
            page = rows[:limit]
            token = encode(query, *map(str, page[-1][:5])) if len(rows) > limit else None
            return Page([orjson.loads(row[5]) for row in page], token)

        return await self._database.read(read)

    async def enqueued_since(self, device_id: str, enqueued_from: str, limit: int) -> list[Message]:
        # All drones' messages of the last seconds are fewer than one drone's of a month.
        sql = """SELECT document FROM messages INDEXED BY messages_by_enqueued
                 WHERE enqueued_at >= ? AND device_id = ? ORDER BY enqueued_at DESC LIMIT ?"""

        def read(connection: sqlite3.Connection) -> list[Message]:
            return [orjson.loads(row[0]) for row in connection.execute(sql, (enqueued_from, device_id, limit))]

        return await self._database.read(read)

    async def purge(self, enqueued_before: str, limit: int) -> int:
        sql = """DELETE FROM messages WHERE number IN
                 (SELECT number FROM messages WHERE enqueued_at < ? ORDER BY enqueued_at LIMIT ?)"""
        return await self._database.write(lambda connection: connection.execute(sql, (enqueued_before, limit)).rowcount)


def _put(connection: sqlite3.Connection, messages: Sequence[Message], batch_id: str) -> list[Outcome]:
    rows = {}
    outcomes = []
    for message in messages:
        message_id = message["id"]
        if message_id in rows:
            outcomes.append(Outcome.DUPLICATE)
            continue
        outcomes.append(Outcome.STORED)
        document = message if message.get("batchId") == batch_id else {**message, "batchId": batch_id}
        rows[message_id] = (
            message["deviceId"],
            message["time"],
            message_id,
            message["enqueuedAt"],
            batch_id,
            orjson.dumps(document),
        )
    if bulk.insert_missing(connection, "messages", _COLUMNS, list(rows.values())) == len(rows):
        return outcomes
    # Some were there: whose is it?
    keys = orjson.dumps([row[:3] for row in rows.values()]).decode()
    writers = {one[0]: one[1:] for one in map(orjson.loads, bulk.column(connection, _WRITERS, (keys,)))}
    return [
        Outcome.STORED
        if writers[message["id"]] == [batch_id, message["sequenceNumber"], message["index"]]
        else Outcome.DUPLICATE
        for message in messages
    ]
