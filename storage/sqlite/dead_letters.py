"""Rejected messages: the record as JSON beside the columns that are filtered by, and one row an error code."""

from __future__ import annotations

import builtins
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from pipeline.ports import Conflict, DeadLetterFilter, LetterGroups, Page, Totals
from pipeline.records import Claim, Outcome, Standing
from storage.continuation import decode, encode, query_digest
from storage.sqlite import bulk, letter_groups, moves, totals
from storage.sqlite.database import Database
from storage.sqlite.keyset import newest_first
from telemetry.model import Correction, DeadLetter, Error, Message
from telemetry.vocabulary import DISCARDED, LETTER_STATUSES, OPEN, REPLAYED, LetterStatus

_STANDING = """
    SELECT id, status, coalesce(json_extract(text, '$.messages'), 1), json_extract(text, '$.sequenceNumber'),
           json_extract(text, '$.index'), json_extract(text, '$.enqueuedAt'), json_extract(text, '$.correction.count')
    FROM (SELECT id, status, CAST(document AS TEXT) AS text FROM dead_letters WHERE batch_id = ?)"""
_COLUMNS = ("id", "status", "created_at", "device_id", "batch_id", "resolved_at", "document")


class SqliteDeadLetters:
    """``DeadLetterStore`` on SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, letters: Sequence[DeadLetter], batch_id: str) -> list[Outcome]:
        if not letters:
            return []
        return await self._database.write(lambda connection: _put(connection, letters, batch_id), lasting=False)

    async def get(self, letter_id: str) -> DeadLetter | None:
        return await self._database.read(lambda connection: _find(connection, letter_id))

    async def list(self, where: DeadLetterFilter, limit: int, continuation: str | None) -> Page[DeadLetter]:
        query = query_digest("dead letters", where.error_code, where.device_id, where.batch_id, where.status)
        after = decode(query, continuation, 2)
        conditions: builtins.list[tuple[str, Any]] = []
        if where.batch_id is not None:
            conditions.append(("batch_id = ?", where.batch_id))
        if where.device_id is not None:
            conditions.append(("device_id = ?", where.device_id))
        table, document = "dead_letters", "document"
        if where.error_code is not None and not conditions:
            table = "dead_letter_codes"
            document = "(SELECT d.document FROM dead_letters AS d WHERE d.id = dead_letter_codes.id)"
            conditions.append(("code = ?", where.error_code))
        elif where.error_code is not None:
            has_code = """EXISTS (SELECT 1 FROM dead_letter_codes AS k WHERE k.code = ?
                          AND k.status = dead_letters.status AND k.created_at = dead_letters.created_at
                          AND k.id = dead_letters.id)"""
            conditions.append((has_code, where.error_code))

        def read(connection: sqlite3.Connection) -> Page[DeadLetter]:
            rows = newest_first(
                connection,
                columns=document,
                table=table,
                time="created_at",
                statuses=LETTER_STATUSES if where.status is None else (where.status,),
                where=conditions,
                after=after,
                limit=limit + 1,
            )
            token = encode(query, *rows[limit - 1][:2]) if len(rows) > limit else None
            return Page([orjson.loads(row[2]) for row in rows[:limit]], token)

        return await self._database.read(read)

    async def claim(self, wanted: Mapping[str, Sequence[Message] | None], at: str) -> dict[str, Claim]:
        def write(connection: sqlite3.Connection) -> dict[str, Claim]:
            found = ((letter_id, _claim(connection, letter_id, messages, at)) for letter_id, messages in wanted.items())
            return {letter_id: claim for letter_id, claim in found if claim is not None}

        return await self._database.write(write) if wanted else {}

    async def correct(
        self, letter_id: str, messages: Sequence[Message], correction: Correction, at: str
    ) -> Claim | None:
        return await self._database.write(
            lambda connection: _claim(connection, letter_id, messages, at, correction=correction)
        )

    async def groups(self, where: DeadLetterFilter, most: int, limit: int) -> LetterGroups:
        return await self._database.read(lambda connection: letter_groups.read(connection, where, most, limit))

    async def claims(self, claimed_before: str, limit: int) -> builtins.list[Claim]:
        sql = """SELECT document, claim FROM dead_letters INDEXED BY dead_letters_claimed
                 WHERE claimed_at IS NOT NULL AND claimed_at < ? ORDER BY claimed_at, id LIMIT ?"""
        return await self._database.read(
            lambda connection: [
                Claim(orjson.loads(document), orjson.loads(claim))
                for document, claim in connection.execute(sql, (claimed_before, limit))
            ]
        )

    async def resolve(self, letter_id: str, status: LetterStatus, *, at: str, reason: str | None = None) -> DeadLetter:
        if status not in (REPLAYED, DISCARDED):
            raise ValueError(f"a dead letter is resolved as replayed or discarded, not as {status!r}")

        def write(connection: sqlite3.Connection) -> DeadLetter:
            letter, claimed = _required(connection, letter_id)
            if letter["status"] == status:
                return letter
            if letter["status"] != OPEN:
                raise Conflict(f"dead letter {letter_id} is {letter['status']} already", letter)
            if claimed is not None and status == DISCARDED:
                raise Conflict(f"dead letter {letter_id} is being replayed", letter)
            letter |= {"status": status, "resolvedAt": at, "reason": reason}
            connection.execute(
                "UPDATE dead_letters SET status = ?, resolved_at = ?, document = ? WHERE id = ?",
                (status, at, orjson.dumps(letter), letter_id),
            )
            _replace_codes(connection, letter)
            totals.add(connection, {f"letters.{OPEN}": -1, f"letters.{status}": 1})
            return letter

        return await self._database.write(write)

    async def release(self, letter_ids: Sequence[str]) -> None:
        sql = """UPDATE dead_letters SET claim = NULL, claimed_at = NULL
                 WHERE id IN (SELECT value FROM json_each(?)) AND status <> 'open'"""
        if letter_ids:
            keys = bulk.json_array(letter_ids)
            await self._database.write(lambda connection: connection.execute(sql, (keys,)).rowcount)

    async def record_failed_replay(self, letter_id: str, errors: Sequence[Error], at: str) -> DeadLetter:
        def write(connection: sqlite3.Connection) -> DeadLetter:
            letter, claimed = _required(connection, letter_id)
            if letter["status"] != OPEN:
                raise Conflict(f"dead letter {letter_id} is {letter['status']} already", letter)
            if claimed is not None:
                raise Conflict(f"dead letter {letter_id} is being replayed", letter)
            last = connection.execute("SELECT attempted_at FROM dead_letters WHERE id = ?", (letter_id,)).fetchone()
            if last[0] == at:  # the same call again
                return letter
            connection.execute("UPDATE dead_letters SET attempted_at = ? WHERE id = ?", (at, letter_id))
            _bring_up_to_date(connection, letter, errors, letter["attempts"] + 1)
            return letter

        return await self._database.write(write)

    async def of_batch(self, batch_id: str) -> builtins.list[Standing]:
        def read(connection: sqlite3.Connection) -> builtins.list[Standing]:
            rows = connection.execute(_STANDING, (batch_id,))
            return [Standing(*row) for row in rows]

        return await self._database.read(read)

    async def totals(self) -> Totals:
        def read(connection: sqlite3.Connection) -> Totals:
            letters = totals.read(connection, "letters.")
            codes = totals.read(connection, "codes.")
            return Totals(
                dead_letters={status: letters.get(status, 0) for status in LETTER_STATUSES}, dead_letter_codes=codes
            )

        return await self._database.read(read)

    async def purge(self, resolved_before: str, limit: int) -> int:
        sql = """SELECT id AS value FROM dead_letters INDEXED BY dead_letters_resolved
                 WHERE resolved_at IS NOT NULL AND resolved_at < ?
                 AND NOT EXISTS (SELECT 1 FROM batches WHERE batches.id = dead_letters.batch_id)
                 ORDER BY resolved_at, id LIMIT ?"""

        def write(connection: sqlite3.Connection) -> int:
            ids = bulk.column(connection, sql, (resolved_before, limit))
            for letter_id in ids:
                _delete_codes(connection, _required(connection, letter_id)[0])
            keys = bulk.json_array(ids)
            connection.execute("DELETE FROM dead_letters WHERE id IN (SELECT value FROM json_each(?))", (keys,))
            moves.forget(connection, ids)
            return len(ids)

        return await self._database.write(write)


def _find(connection: sqlite3.Connection, letter_id: str) -> DeadLetter | None:
    row = connection.execute("SELECT document FROM dead_letters WHERE id = ?", (letter_id,)).fetchone()
    return None if row is None else orjson.loads(row[0])


def _required(connection: sqlite3.Connection, letter_id: str) -> tuple[DeadLetter, bytes | None]:
    """The letter and its claim."""
    row = connection.execute("SELECT document, claim FROM dead_letters WHERE id = ?", (letter_id,)).fetchone()
    if row is None:
        raise KeyError(letter_id)
    return orjson.loads(row[0]), row[1]


def _claim(
    connection: sqlite3.Connection,
    letter_id: str,
    messages: Sequence[Message] | None,
    at: str,
    *,
    correction: Correction | None = None,
) -> Claim | None:
    try:
        letter, claimed = _required(connection, letter_id)
    except KeyError:
        return None
    if claimed is None and letter["status"] == OPEN and messages is not None:
        claimed = orjson.dumps(list(messages))
        if correction is not None:
            letter["correction"] = correction
        connection.execute(
            "UPDATE dead_letters SET claim = ?, claimed_at = ?, document = ? WHERE id = ?",
            (claimed, at, orjson.dumps(letter), letter_id),
        )
    return Claim(letter, None if claimed is None else orjson.loads(claimed))


def _put(connection: sqlite3.Connection, letters: Sequence[DeadLetter], batch_id: str) -> list[Outcome]:
    outcomes = []
    seen = set()
    for letter in letters:
        letter_id = letter["id"]
        if letter_id in seen:
            outcomes.append(Outcome.DUPLICATE)
            continue
        seen.add(letter_id)
        try:
            there, claimed = _required(connection, letter_id)
        except KeyError:
            _insert(connection, {**letter, "batchId": batch_id})
            outcomes.append(Outcome.STORED)
            continue
        if there["batchId"] != batch_id:
            outcomes.append(Outcome.DUPLICATE)
        elif there["status"] != OPEN or claimed is not None:
            outcomes.append(Outcome.SETTLED)
        else:
            _bring_up_to_date(connection, there, letter["errors"], max(there["attempts"], letter["attempts"]))
            outcomes.append(Outcome.STORED)
    return outcomes


def _insert(connection: sqlite3.Connection, letter: DeadLetter) -> None:
    row = (
        letter["id"],
        letter["status"],
        letter["createdAt"],
        letter["deviceId"],
        letter["batchId"],
        letter["resolvedAt"],
        orjson.dumps(letter),
    )
    bulk.insert_missing(connection, "dead_letters", _COLUMNS, [row])
    _insert_codes(connection, letter)
    totals.add(connection, {f"letters.{letter['status']}": 1} | {f"codes.{code}": 1 for code in _codes(letter)})


def _bring_up_to_date(
    connection: sqlite3.Connection, letter: DeadLetter, errors: Sequence[Error], attempts: int
) -> None:
    """Today's errors and attempts into ``letter`` and its row, codes and counters with them."""
    if letter["errors"] == errors and letter["attempts"] == attempts:
        return
    before = _codes(letter)
    _delete_codes(connection, letter)
    letter |= {"errors": list(errors), "attempts": attempts}
    _insert_codes(connection, letter)
    connection.execute("UPDATE dead_letters SET document = ? WHERE id = ?", (orjson.dumps(letter), letter["id"]))
    changes = {f"codes.{code}": -1 for code in before}
    for code in _codes(letter):
        changes[f"codes.{code}"] = changes.get(f"codes.{code}", 0) + 1
    totals.add(connection, changes)


def _codes(letter: DeadLetter) -> list[str]:
    return sorted({error["code"] for error in letter["errors"]})


def _insert_codes(connection: sqlite3.Connection, letter: DeadLetter) -> None:
    rows = [(code, letter["status"], letter["createdAt"], letter["id"]) for code in _codes(letter)]
    bulk.insert_missing(connection, "dead_letter_codes", ("code", "status", "created_at", "id"), rows)


def _delete_codes(connection: sqlite3.Connection, letter: DeadLetter) -> None:
    sql = "DELETE FROM dead_letter_codes WHERE code = ? AND status = ? AND created_at = ? AND id = ?"
    for code in _codes(letter):
        connection.execute(sql, (code, letter["status"], letter["createdAt"], letter["id"]))


def _replace_codes(connection: sqlite3.Connection, letter: DeadLetter) -> None:
    sql = "UPDATE dead_letter_codes SET status = ? WHERE code = ? AND status = 'open' AND created_at = ? AND id = ?"
    for code in _codes(letter):
        connection.execute(sql, (letter["status"], code, letter["createdAt"], letter["id"]))
