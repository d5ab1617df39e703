"""A small store made large is still one that the app reads: every copy whole, further in the past, and counted."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from functions_host.durable.schema import prepare

from benchmarks.big_data import Copies, multiply_instances, multiply_store
from pipeline.ports import BatchFilter, DeadLetterFilter
from pipeline.records import Counts
from storage.sqlite import SqliteStore
from tests.support.records import at, batch, letter, message

SHIFT = 30


async def seeded(folder: Path) -> None:
    store = SqliteStore(folder)
    await store.open()
    for number in range(2):
        await store.ledger.receive(batch(f"b{number}", second=3000 + number), b"raw")
        await store.ledger.begin(f"b{number}", f"b{number}-1", "validate")
        await store.ledger.complete(f"b{number}", f"b{number}-1", Counts(3, 2, 0, 1), at(3010 + number))
    await store.messages.put([message(f"m{n}", "d", second=3000 + n) for n in range(4)], "b0")
    await store.dead_letters.put([letter("l0", second=3000)], "b0")
    await store.close()


async def test_every_copy_is_whole_and_further_in_the_past(tmp_path: Path) -> None:
    await seeded(tmp_path)
    multiply_store(tmp_path / "store.db", Copies(messages=5, batches=3, shift_seconds=SHIFT, rare=2))
    store = SqliteStore(tmp_path)
    await store.open()
    history = await store.messages.history("d", None, None, ascending=True, limit=100, continuation=None)
    times = [one["time"] for one in history.items]
    assert times == sorted(times)
    assert len(times) == 4 * 6
    assert times[0] == at(3000 - 5 * SHIFT)
    assert {one["batchId"] for one in history.items} == {"b0", *(f"b0-{k}" for k in range(1, 6))}
    batches = await store.ledger.list(BatchFilter(), 100, None)
    assert len(batches.items) == 2 * 4
    assert (await store.ledger.totals()).messages == 3 * 2 * 4
    assert await store.ledger.raw("b1-3") == b"raw"
    letters = await store.dead_letters.list(DeadLetterFilter(error_code=letter("l0")["errors"][0]["code"]), 100, None)
    assert sorted(one["id"] for one in letters.items) == ["l0", "l0-1", "l0-3", "l0-5"]
    # What is written afterwards is found as ever.
    await store.messages.put([message("new", "d", second=3100)], "b9")
    assert (await store.flights.arrivals(await store.flights.mark(), 100)).messages
    await store.close()


def test_only_what_has_ended_is_copied(tmp_path: Path) -> None:
    path = tmp_path / "durable.db"
    connection = sqlite3.connect(path)
    prepare(connection, "NORMAL")
    for name, kind, status in (("done", 0, "Completed"), ("runs", 0, "Running"), ("@drone@d", 1, "Running")):
        connection.execute(
            "INSERT INTO instances(instance_id, kind, name, status, execution_id, created, updated) "
            "VALUES(?, ?, 'n', ?, 'e', ?, ?)",
            (name, kind, status, 10**15, 10**15),
        )
        connection.execute(
            "INSERT INTO history(instance_id, episode, started, events) VALUES(?, 0, ?, '')", (name, 10**15)
        )
    connection.commit()
    connection.close()
    multiply_instances(path, 3, SHIFT)
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT instance_id, created FROM instances ORDER BY created").fetchall()
    assert rows[:3] == [(f"done-{k}", 10**15 - k * SHIFT * 1_000_000) for k in (3, 2, 1)]
    assert len(rows) == 6
    assert connection.execute("SELECT count(*) FROM history").fetchone() == (6,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
