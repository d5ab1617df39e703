"""No listing, purge or look-up walks a table or sorts: SQLite's own plans for the store's queries say so."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipeline.ports import AlertFilter, BatchFilter, DeadLetterFilter
from pipeline.records import BatchStatus, Counts, Move
from storage.sqlite import SqliteStore, connection
from telemetry.episodes import told
from tests.support.episodes import active, ended, note, pending
from tests.support.records import FAR_FUTURE, at, batch, letter, message


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqliteStore]:
    statements: list[str] = []
    connect = connection._connect

    def traced(path: Path, timeout: float) -> sqlite3.Connection:
        made = connect(path, timeout)
        made.set_trace_callback(statements.append)
        return made

    monkeypatch.setattr(connection, "_connect", traced)
    opened = SqliteStore(tmp_path)
    opened.statements = statements  # type: ignore[attr-defined]
    await opened.open()
    statements.clear()
    yield opened
    await opened.close()


def _plans(tmp_path: Path, statements: list[str]) -> list[str]:
    """Steps of all plans that walk a whole table or sort; json_each and sub-queries' results are no tables."""
    other = sqlite3.connect(tmp_path / "store.db")
    bad = []
    for statement in set(statements):
        if not re.match(r"\s*(SELECT|DELETE|UPDATE)", statement) or "user_version" in statement:
            continue
        scanned: dict[int, str] = {}
        for _, parent, _, step in other.execute(f"EXPLAIN QUERY PLAN {statement}"):
            walks = re.match(r"SCAN (?!\(|k\b|json_each|.*VIRTUAL)", step) and "USING INDEX" not in step
            # Sorting the rows of a sub-query merges pages that are cut already: limit rows of each status.
            merges = scanned.get(parent, "").startswith("SCAN (subquery")
            # Or those of one message time, as the index gives them.
            ties = re.search(r"(RIGHT PART|LAST( \d+)? TERMS?) OF ORDER BY", step) and "FROM messages" in statement
            scanned[parent] = step
            if walks or ("TEMP B-TREE" in step and not merges and not ties):
                bad.append(f"{step}: {' '.join(statement.split())[:200]}")
    other.close()
    return bad


async def test_every_query_is_read_off_an_index(store: SqliteStore, tmp_path: Path) -> None:
    ledger, messages, letters = store.ledger, store.messages, store.dead_letters
    for n in range(12):
        await ledger.receive(batch(f"b{n}", second=n), b"raw")
        await ledger.begin(f"b{n}", f"b{n}-1", "validate")
    await ledger.complete("b0", "b0-1", Counts(1, 0, 0, 1), at(3))
    await messages.put([message(f"m{n}", second=n) for n in range(12)], "b0")
    await messages.put([message(f"m{n}", second=n) for n in range(12)], "b1")
    await letters.put([letter(f"l{n}", second=n, codes=("a", "b")) for n in range(12)], "b0")
    await letters.resolve("l1", "replayed", at=at(20))
    await ledger.recount("b0", "l1", Move(1, 1, 0))
    await letters.of_batch("b0")
    await letters.claim({"l2": [], "l3": None}, at(21))
    await letters.claims(FAR_FUTURE, 10)
    await letters.release(["l2"])
    await messages.written_by("b0", at(0), at(20))
    await messages.of_batch("b0", at(0), at(20))

    for where in (
        BatchFilter(),
        BatchFilter(frozenset({BatchStatus.RUNNING})),
        BatchFilter(partition="0"),
        BatchFilter(frozenset({BatchStatus.RUNNING, BatchStatus.COMPLETED}), "0", at(1), at(9)),
    ):
        page = await ledger.list(where, 3, None)
        await ledger.list(where, 3, page.continuation)
    for ascending in (True, False):
        page_of_messages = await messages.history(
            "drone-1", at(1), at(9), ascending=ascending, limit=3, continuation=None
        )
        await messages.history(
            "drone-1", at(1), at(9), ascending=ascending, limit=3, continuation=page_of_messages.continuation
        )
    for chosen in (
        DeadLetterFilter(),
        DeadLetterFilter(status="open"),
        DeadLetterFilter(error_code="a"),
        DeadLetterFilter(error_code="a", status="open"),
        DeadLetterFilter(device_id="drone-1"),
        DeadLetterFilter(batch_id="b0", error_code="b", status="open"),
    ):
        page_of_letters = await letters.list(chosen, 3, None)
        await letters.list(chosen, 3, page_of_letters.continuation)
    await ledger.stalled(FAR_FUTURE, 10)
    await ledger.totals()
    await letters.totals()
    await ledger.purge(FAR_FUTURE, 5)
    await messages.purge(FAR_FUTURE, 5)
    await letters.purge(FAR_FUTURE, 5)

    statements: list[str] = store.statements  # type: ignore[attr-defined]
    assert len(set(statements)) > 50
    assert _plans(tmp_path, statements) == []


async def test_every_query_for_alerts_is_read_off_an_index(store: SqliteStore, tmp_path: Path) -> None:
    alerts = store.alerts
    for n in range(6):
        for episode in (pending(n, f"p{n}"), active(n, f"a{n}"), ended(n, f"e{n}")):
            await alerts.begin(episode)
    notes = [note(f"d{n}", second=n) for n in range(6)]
    await alerts.note(notes)
    assert len(await alerts.notes(4)) == 4
    await alerts.forget(notes[:2])
    await alerts.change(active(0, "a0")["id"], lambda one: told(one, "raised", [], at(9)))
    await alerts.drop(pending(0, "p0")["id"])
    await alerts.unsettled()
    for where in (
        AlertFilter(),
        AlertFilter(status="active"),
        AlertFilter(status="cleared", acknowledged=False),
        AlertFilter(device_id="a1"),
        AlertFilter(code="low_battery", raised_from=at(1), raised_to=at(4)),
    ):
        page = await alerts.list(where, 1, None)
        await alerts.list(where, 1, page.continuation)
    await alerts.purge(FAR_FUTURE, 5)
    statements: list[str] = store.statements  # type: ignore[attr-defined]
    assert _plans(tmp_path, statements) == []


def test_the_check_itself_finds_a_walk(tmp_path: Path) -> None:
    made = connection.connect_writer(tmp_path / "store.db", 1)
    made.close()
    assert _plans(tmp_path, ["SELECT * FROM batches WHERE error = 'x'"])
    assert _plans(tmp_path, ["SELECT * FROM messages WHERE device_id = 'd' ORDER BY enqueued_at"])
