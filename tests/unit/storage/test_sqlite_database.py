"""The engine: group commit, one call's failure beside others, any event loop."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from pipeline.ports import StoreUnavailable
from storage.sqlite.database import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "x.db", lock_timeout=0.2)
    await opened.open()
    await opened.write(_make_table)
    yield opened
    await opened.close()


def _make_table(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)")


def _insert(number: int) -> Callable[[sqlite3.Connection], int]:
    def work(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO t VALUES (?)", (number,))
        return number

    return work


def _numbers(connection: sqlite3.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT n FROM t ORDER BY n")]


class _Gate:
    """Holds the writer's thread, so that what is asked meanwhile must share the next transaction."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.release = threading.Event()

    def __call__(self, connection: sqlite3.Connection) -> None:
        self.reached.set()
        assert self.release.wait(10)


async def _handed_over() -> None:
    """What tasks have called for by now is with the thread that writes: they run in one turn, it has it in the next."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_calls_of_one_turn_share_a_transaction_however_long_it_takes(database: Database) -> None:
    async def write(number: int) -> int:
        time.sleep(0.01)  # noqa: ASYNC251 (the other thread could begin)
        return await database.write(_insert(number))

    commits: list[str] = []
    await database.write(lambda connection: connection.set_trace_callback(commits.append))
    commits.clear()
    assert await asyncio.gather(*(write(number) for number in range(8))) == list(range(8))
    # Two, should this thread lose its processor while it hands them over.
    assert sum(text.startswith("COMMIT") for text in commits) <= 2


async def test_a_call_of_the_turn_in_which_the_store_closes_is_still_done(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.db")
    await database.open()
    await database.write(_make_table)
    called = asyncio.create_task(database.write(_insert(1)))
    closing = asyncio.create_task(database.close())
    assert await called == 1
    await closing


async def test_calls_that_arrive_together_share_a_transaction(database: Database) -> None:
    commits: list[str] = []
    await database.write(lambda connection: connection.set_trace_callback(commits.append))
    gate = _Gate()
    first = asyncio.create_task(database.write(gate))
    await asyncio.to_thread(gate.reached.wait, 10)
    others = [asyncio.create_task(database.write(_insert(n))) for n in range(100)]
    await _handed_over()
    commits.clear()
    gate.release.set()
    assert await asyncio.gather(*others) == list(range(100))
    await first
    # The gate's own group had used up its time; the hundred came in the next one or two.
    assert sum(text.startswith("COMMIT") for text in commits) <= 3
    assert await database.read(_numbers) == list(range(100))


async def test_a_failing_call_undoes_itself_and_nothing_else(database: Database) -> None:
    def fails_late(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES (1000)")
        raise LookupError("late")

    def breaks_a_rule(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES (2000)")
        connection.execute("INSERT INTO t VALUES (2000)")

    results: Sequence[object] = await asyncio.gather(
        database.write(_insert(1)),
        database.write(fails_late),
        database.write(breaks_a_rule),
        database.write(_insert(2)),
        return_exceptions=True,
    )
    assert results[0] == 1
    assert isinstance(results[1], LookupError)
    assert isinstance(results[2], sqlite3.IntegrityError)
    assert results[3] == 2
    assert await database.read(_numbers) == [1, 2]


async def test_a_result_is_handed_out_only_when_others_can_see_it(database: Database, tmp_path: Path) -> None:
    await database.write(_insert(7))
    other = sqlite3.connect(tmp_path / "x.db")
    assert _numbers(other) == [7]
    other.close()


def test_several_event_loops_share_one_database(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.db")

    async def start() -> None:
        await database.open()
        await database.write(_make_table)

    async def insert(start: int) -> None:
        await asyncio.gather(*(database.write(_insert(start + n)) for n in range(25)))

    asyncio.run(start())
    threads = [threading.Thread(target=lambda n=n: asyncio.run(insert(n * 100))) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def finish() -> list[int]:
        numbers = await database.read(_numbers)
        await database.close()
        return numbers

    assert len(asyncio.run(finish())) == 100


async def test_closing_finishes_what_was_accepted_and_refuses_the_rest(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.db")
    await database.open()
    await database.write(_make_table)
    accepted = [asyncio.create_task(database.write(_insert(n))) for n in range(50)]
    await _handed_over()
    await database.close()
    assert await asyncio.gather(*accepted) == list(range(50))
    for call in (database.write(_insert(99)), database.read(_numbers)):
        with pytest.raises(StoreUnavailable, match="not open"):
            await call
    await database.open()
    assert await database.read(_numbers) == list(range(50))
    await database.close()


async def test_too_many_waiting_writes_are_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = _Gate()
    first = asyncio.create_task(database.write(gate))
    await asyncio.to_thread(gate.reached.wait, 10)
    monkeypatch.setattr(database, "_most_waiting", 3)
    waiting = [asyncio.create_task(database.write(_insert(n))) for n in range(3)]
    await _handed_over()
    with pytest.raises(StoreUnavailable, match="waiting"):
        await database.write(_insert(99))
    gate.release.set()
    await asyncio.gather(first, *waiting)
    assert await database.read(_numbers) == [0, 1, 2]


async def test_a_cancelled_call_that_has_not_begun_has_no_effect(database: Database) -> None:
    gate = _Gate()
    first = asyncio.create_task(database.write(gate))
    await asyncio.to_thread(gate.reached.wait, 10)
    cancelled = asyncio.create_task(database.write(_insert(1)))
    await _handed_over()
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    gate.release.set()
    await first
    await database.write(_insert(2))
    assert await database.read(_numbers) == [2]


class _Traced:
    """What the writing connection executes, as SQLite has it."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __call__(self, connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(self.statements.append)

    def modes(self) -> list[str]:
        """Of each transaction the mode in which it was committed, and what was inserted in it."""
        found: list[str] = []
        mode = "?"
        for statement in self.statements:
            if statement.startswith("PRAGMA synchronous="):
                mode = statement.partition("=")[2]
            elif statement.startswith("BEGIN"):
                found.append(mode)
            elif statement.startswith("INSERT"):
                found[-1] += f" {statement.rpartition('(')[2].rstrip(')')}"
        return found


async def _written(database: Database) -> list[str]:
    """Five calls that wait for a sixth, of which the third and the last are to last."""
    traced, gate = _Traced(), _Gate()
    await database.write(traced)
    first = asyncio.create_task(database.write(gate, lasting=False))
    await asyncio.to_thread(gate.reached.wait, 10)
    waiting = [asyncio.create_task(database.write(_insert(number), lasting=number in (3, 5))) for number in range(1, 6)]
    await _handed_over()
    gate.release.set()
    await asyncio.gather(first, *waiting)
    assert await database.read(_numbers) == [1, 2, 3, 4, 5]
    return traced.modes()


async def test_what_is_to_last_is_on_the_disk_and_the_rest_does_not_wait_for_it(database: Database) -> None:
    assert await _written(database) == ["NORMAL 1 2", "FULL 3 4 5"]


async def test_with_full_everything_lasts(tmp_path: Path) -> None:
    database = Database(tmp_path / "full.db", synchronous="full")
    await database.open()
    for lasting in (True, False):
        mode = await database.write(
            lambda connection: connection.execute("PRAGMA synchronous").fetchone(), lasting=lasting
        )
        assert mode == (2,)
    await database.close()


async def test_a_connection_made_anew_is_told_again(database: Database) -> None:
    def break_it(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")

    await database.write(_insert(1), lasting=False)
    with pytest.raises(StoreUnavailable):
        await database.write(break_it, lasting=False)
    modes = [
        await database.write(lambda connection: connection.execute("PRAGMA synchronous").fetchone(), lasting=lasting)
        for lasting in (False, True, False)
    ]
    assert modes == [(1,), (2,), (1,)]
