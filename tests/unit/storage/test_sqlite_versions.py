"""Files that earlier versions of the app wrote are brought up to today's."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipeline.ports import DeadLetterFilter
from pipeline.records import BatchStatus, Counts, Move, Outcome, Standing
from storage.sqlite import SqliteStore
from storage.sqlite.schema import VERSION
from tests.support.records import FAR_FUTURE, at, letter, message

STORES = Path(__file__).parent / "stores"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """As version 1 left it: a batch that is done, with a letter that was replayed and one that is open; and one that
    runs, with a letter that was replayed meanwhile."""
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.executescript((STORES / "version_1.sql").read_text())
    connection.close()
    opened = SqliteStore(tmp_path)
    await opened.open()
    yield opened
    await opened.close()


async def test_what_was_there_is_there(store: SqliteStore, tmp_path: Path) -> None:
    done = await store.ledger.get("done")
    assert done is not None
    assert (done.status, done.counts) == (BatchStatus.COMPLETED, Counts(5, 3, 1, 1))
    assert await store.ledger.raw("done") == b"raw"
    assert [one["status"] for one in (await store.dead_letters.list(DeadLetterFilter(), 9, None)).items] == [
        "open",
        "replayed",
    ]
    assert set(await store.dead_letters.of_batch("done")) == {
        Standing("l1", "replayed", 1, 2, 0, at(0)),
        Standing("l2", "open", 1, 3, 0, at(0)),
    }
    assert await store.messages.written_by("done", at(0), at(9)) == {(1, 0), (1, 1)}
    with sqlite3.connect(tmp_path / "store.db") as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


async def test_what_was_counted_is_not_counted_again(store: SqliteStore) -> None:
    await store.ledger.recount("done", "l1", Move(1, 1, 0))
    await store.ledger.recount("runs", "l9", Move(1, 0, 1))
    await store.ledger.complete("runs", "runs-1", Counts(3, 1, 0, 2), at(9))
    done, runs = [await store.ledger.get(name) for name in ("done", "runs")]
    assert done is not None
    assert runs is not None
    assert (done.counts, runs.counts) == (Counts(5, 3, 1, 1), Counts(3, 1, 1, 1))
    assert (await store.ledger.totals()).messages == 8


async def test_it_goes_on_being_used(store: SqliteStore) -> None:
    assert await store.messages.put([message("m1"), message("m3", second=3)], "done") == [Outcome.STORED] * 2
    held = await store.dead_letters.claim({"l2": [message("m4")]}, at(4))
    assert held["l2"].messages == [message("m4")]
    assert len(await store.dead_letters.claims(FAR_FUTURE, 9)) == 1
    await store.dead_letters.resolve("l2", "replayed", at=at(5))
    await store.dead_letters.release(["l2"])
    assert await store.dead_letters.put([letter("l2")], "done") == [Outcome.SETTLED]
