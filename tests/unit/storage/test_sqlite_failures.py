"""What the outside world does to a file: a clear error, a living process, and work again when the cause is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from pipeline.ports import StoreUnavailable
from storage.sqlite import SqliteStore, connection
from storage.sqlite.schema import VERSION
from tests.support.records import batch, message

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path, lock_timeout=0.1)
    await opened.open()
    yield opened
    await opened.close()


async def test_a_full_disk(store: SqliteStore) -> None:
    def limit(pages: int) -> Callable[[sqlite3.Connection], object]:
        return lambda connection: connection.execute(f"PRAGMA max_page_count={pages}").fetchone()

    await store.ledger.receive(batch("before"), b"raw")
    await store.database.write(limit(60))
    with pytest.raises(StoreUnavailable, match=r"store\.db: the disk is full"):
        await store.ledger.receive(batch("too big"), b"x" * 1_000_000)
    with pytest.raises(StoreUnavailable, match="the disk is full"):
        await store.messages.put([message(f"m{n}", extra="x" * 2000) for n in range(500)], "b")
    assert await store.ledger.get("too big") is None
    assert (await store.ledger.totals()).events == 9
    await store.database.write(limit(1_000_000))
    await store.ledger.receive(batch("too big"), b"x" * 1_000_000)
    assert await store.ledger.raw("too big") == b"x" * 1_000_000
    await store.health()


async def test_health_tells_of_a_write_that_failed_until_one_succeeds(store: SqliteStore) -> None:
    """The disk that had no room for a batch has room for a line of a few bytes: that does not make it well."""

    def limit(pages: int) -> Callable[[sqlite3.Connection], object]:
        return lambda connection: connection.execute(f"PRAGMA max_page_count={pages}").fetchone()

    await store.database.write(limit(60))
    await store.health()
    with pytest.raises(StoreUnavailable):
        await store.ledger.receive(batch("too big"), b"x" * 1_000_000)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            await store.health()
    await store.database.write(limit(1_000_000))
    await store.health()


async def test_a_failed_write_is_over_when_the_next_one_is_written(store: SqliteStore) -> None:
    def full(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(StoreUnavailable):
        await store.database.write(full)
    assert store.database.failure() is not None
    with pytest.raises(KeyError):  # a refusal says nothing of the disk, and the transaction around it is written
        await store.dead_letters.resolve("nobody", "discarded", at="2026-01-01T00:00:00.000000Z", reason="x")
    assert store.database.failure() is None


_READ_ONLY_AT_THE_START = """
import asyncio, os, pathlib, sys
from pipeline.ports import StoreUnavailable
from storage.sqlite import SqliteStore
from tests.support.records import batch

async def main():
    folder = pathlib.Path(sys.argv[1])
    if os.getuid() == 0:  # whom no mode stops
        os.setgid(65534), os.setuid(65534)
    store = SqliteStore(folder)
    await store.open()
    await store.ledger.receive(batch("before"), b"raw")
    await store.close()
    (folder / "store.db").chmod(0o444)
    store = SqliteStore(folder)
    await store.open()
    assert await store.ledger.raw("before") == b"raw"
    try:
        await store.health()
    except StoreUnavailable as error:
        print(error.shown)
    for file in folder.iterdir():
        file.chmod(0o644)
    for _ in range(2):
        try:
            await store.ledger.receive(batch("after"), b"raw")
            await store.health()
            assert await store.ledger.raw("after") == b"raw"
            print("recovered")
            return
        except StoreUnavailable:
            pass

asyncio.run(main())
"""


def test_a_file_that_was_read_only_at_the_start_is_written_when_it_can_be() -> None:
    with tempfile.TemporaryDirectory() as folder:  # tmp_path lies in folders that only their owner may enter
        Path(folder).chmod(0o777)
        done = subprocess.run(
            [sys.executable, "-c", _READ_ONLY_AT_THE_START, folder],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            timeout=60,
            check=False,
        )
    assert done.stdout.splitlines() == ["store: the file is read-only", "recovered"], done.stderr


async def test_a_lock_of_another_process(store: SqliteStore, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another process keeps the file locked"):
        await store.health()
    assert await store.ledger.get("nobody") is None
    other.execute("ROLLBACK")
    other.close()
    await store.health()


async def test_a_read_only_file(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    # Permissions do not stop root, under whom tests may run; the file's mode in the connection's address does.
    def read_only(path: Path, timeout: float) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)

    await store.ledger.receive(batch("before"), b"raw")
    await store.database.write(lambda connection: connection.execute("PRAGMA query_only=ON").fetchone())
    with monkeypatch.context() as patched:
        patched.setattr(connection, "_connect", read_only)
        for _ in range(3):  # also with the connection that replaces the one that failed
            with pytest.raises(StoreUnavailable, match="the file is read-only"):
                await store.health()
        assert await store.ledger.raw("before") == b"raw"
    await store.health()
    await store.ledger.receive(batch("after"), b"raw")


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = SqliteStore(tmp_path / "file" / "data")
    with pytest.raises(StoreUnavailable, match=r"data/store\.db: Not a directory"):
        await store.open()
    (tmp_path / "file").unlink()
    await store.open()
    await store.health()
    await store.close()


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"not a database at all " * 100)
    store = SqliteStore(tmp_path)
    with pytest.raises(StoreUnavailable, match="no SQLite database"):
        await store.open()


async def test_a_file_of_a_later_version(tmp_path: Path) -> None:
    later = sqlite3.connect(tmp_path / "store.db")
    later.execute("PRAGMA user_version=99")
    later.close()
    store = SqliteStore(tmp_path)
    with pytest.raises(StoreUnavailable, match=f"schema version 99, this app knows versions up to {VERSION};"):
        await store.open()
    untouched = sqlite3.connect(tmp_path / "store.db")
    assert untouched.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    untouched.close()


async def test_two_processes_may_open_a_new_file(tmp_path: Path) -> None:
    one, two = SqliteStore(tmp_path), SqliteStore(tmp_path)
    await one.open()
    await two.open()
    await one.ledger.receive(batch("from-one"), b"1")
    await two.ledger.receive(batch("from-two"), b"2")
    assert await one.ledger.raw("from-two") == b"2"
    assert (await two.ledger.totals()).batches["received"] == 2
    await one.close()
    await two.close()


_WRITES_UNTIL_KILLED = """
import asyncio, pathlib, sys
from storage.sqlite import SqliteStore
from tests.support.records import batch, message

async def main():
    store = SqliteStore(pathlib.Path(sys.argv[1]))
    await store.open()
    for n in range(1_000_000):
        await asyncio.gather(
            store.ledger.receive(batch(f"b{n}"), b"raw"),
            store.messages.put([message(f"m{n}-{i}", f"drone-{n}") for i in range(20)], f"b{n}"),
        )
        print(n, flush=True)

asyncio.run(main())
"""


def _write_until_killed(data_dir: Path) -> int:
    """The number of the last batch that a process, killed in the midst of its work, had acknowledged."""
    child = subprocess.Popen(
        [sys.executable, "-c", _WRITES_UNTIL_KILLED, str(data_dir)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None
    last = -1
    for line in child.stdout:
        last = int(line)
        if last >= 50:
            break
    child.send_signal(signal.SIGKILL)
    last = max([last, *(int(line) for line in child.stdout.read().split()[:-1])])
    child.stdout.close()
    child.wait()
    return last


async def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    last = await asyncio.to_thread(_write_until_killed, tmp_path)
    store = SqliteStore(tmp_path)
    await store.open()
    received = (await store.ledger.totals()).batches["received"]
    assert received >= last + 1
    for n in range(last + 1):
        assert await store.ledger.raw(f"b{n}") == b"raw"
        page = await store.messages.history(f"drone-{n}", None, None, ascending=True, limit=100, continuation=None)
        assert len(page.items) == 20
    # Whatever was under way is there whole or not at all.
    page = await store.messages.history(f"drone-{last + 1}", None, None, ascending=True, limit=100, continuation=None)
    assert len(page.items) in (0, 20)
    await store.close()
