"""The SQLite file: one writer that commits the steps of many instances together, one reader beside it.

A submission (the writes of one step) is atomic; submissions made in one turn of the event loop share a transaction,
and keep their order. Nothing may act on a step before its submission is done. A commit that fails is rolled
back and tried again until it succeeds; only a write that SQLite refuses for its content fails alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from functions_host.clock import Clock
from functions_host.driven import Later
from functions_host.durable.schema import LaterVersionError, prepare
from functions_host.errors import StartError

logger = logging.getLogger(__name__)

Write = tuple[str, tuple[Any, ...]]
# Called with what the write failed with for good, or None.
Then = Callable[["BaseException | None"], None]
Submission = tuple[Any, "Then | None"]
_TOLD_EVERY = 60
RETRY_SECONDS = (0.01, 0.05, 0.2, 1.0)
CHECKPOINT_SECONDS = 2.0
CLOSE_SECONDS = 5.0
LATE_SECONDS = 0.1
LOG_LIMIT_BYTES = 64 * 1024 * 1024


class Commuting:
    """Writes of which it does not matter in which order they stand among those of other such submissions.

    `taken`: the store has them, and no more may be added.
    """

    __slots__ = ("rows", "taken")

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[Any, ...]]] = {}
        self.taken = False

    def add(self, sql: str, *rows: tuple[Any, ...]) -> None:
        of_sql = self.rows.get(sql)
        if of_sql is None:
            self.rows[sql] = list(rows)
        else:
            of_sql += rows


class Store:
    """`before_write` is called with what comes next (``begin``, each statement, ``commit``): tests fail there."""

    def __init__(self, path: Path, synchronous: str = "normal", clock: Clock | None = None) -> None:
        self.path = path
        self._clock = clock or Clock()
        self.before_write: Callable[[str], None] | None = None
        self.after_commit: Callable[[], None] | None = None
        self.commits = 0
        # What the last write failed with, until one succeeds.
        self.failed_write: str | None = None
        self._full = synchronous == "full"
        self._queue: list[Submission] = []
        self._late: list[Submission] = []
        self._scheduled = False
        self._closed = False
        self._failures = 0
        self._writer: Any = None
        self._reader: Any = None
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="durable-store")
        self._checkpointing: asyncio.Task[None] | None = None
        self._committing: asyncio.Future[None] | None = None

    def open(self) -> None:
        """Open or create the file. Raises StartError if it cannot be opened, is no database or of a later version."""
        with self.damage_named():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect()
            prepare(self._writer, "FULL" if self._full else "NORMAL")
            self._reader = self._connect()
            self._reader.execute("PRAGMA query_only=ON")
        self._loop = asyncio.get_running_loop()
        self._checkpointing = self._loop.create_task(self._checkpoints())

    @contextlib.contextmanager
    def damage_named(self) -> Iterator[None]:
        """Turns what comes of a file that cannot be read into a StartError that says what to do about it."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise StartError(f"the durable store {self.path} cannot be opened: {error}") from error
        except LaterVersionError as error:
            raise StartError(f"the durable store {self.path}: {error}") from error
        except (sqlite3.DatabaseError, LookupError, ValueError, TypeError) as error:
            raise StartError(
                f"the durable store {self.path} is damaged ({error}). Put a copy back that you trust, with its -wal "
                "file if there is one; or move all files of that name away to start with an empty one, which forgets "
                "every instance and entity. What can still be read of it: sqlite3 FILE .recover"
            ) from error

    async def close(self) -> None:
        """Commit what is queued, fold the log into the file, close."""
        if self._checkpointing is None:
            return
        self._checkpointing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._checkpointing
        self._checkpointing = None
        self._no_later()
        while self._queue or self._committing is not None:
            written = self.submit([])
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(written.wait(), CLOSE_SECONDS)
            if not written.done():
                # Nobody was told that these are stored: what they belong to starts over from what is.
                logger.error("durable store: closed with %d unwritten submission(s)", len(self._queue))
                break
        self._closed = True
        self._threads.shutdown()
        self._reader.close()
        with contextlib.suppress(sqlite3.Error):
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writer.close()

    def abandon(self) -> None:
        """Close without a write, after a start that failed."""
        self._closed = True
        if self._checkpointing is not None:
            self._checkpointing.cancel()
        self._threads.shutdown()
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()

    def submit(self, writes: list[Write]) -> Later[None]:
        """Queue one step's writes; what is returned is done when they are committed."""
        written: Later[None] = Later()
        self.submit_then(writes, lambda error: written.give(None) if error is None else written.fail(error))
        return written

    def submit_then(self, writes: list[Write] | Commuting, then: Then) -> None:
        """As submit; `then` is called at once when they are committed, or with what SQLite refused them for.
        What commutes may grow until it is `taken`.
        """
        self._queue.append((writes, then))
        self._schedule()

    def submit_nowait(self, writes: list[Write]) -> None:
        """As submit, for writes nobody waits for."""
        self._queue.append((writes, None))
        self._schedule()

    def submit_late(self, writes: Callable[[], list[Write]]) -> None:
        """As submit_nowait, a little later; what to write is asked then: most often nothing any more."""
        self._late.append((writes, None))
        if len(self._late) == 1:
            self._clock.call_later(LATE_SECONDS, self._no_later)

    def _no_later(self) -> None:
        if self._late and not self._closed:
            self._queue += self._late
            self._late.clear()
            self._schedule()

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query over what is committed."""
        rows: list[tuple[Any, ...]] = self._reader.execute(sql, parameters).fetchall()
        return rows

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, cached_statements=256)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        if self._closed:
            return
        batch, self._queue = self._queue, []
        for writes, _ in batch:
            if type(writes) is Commuting:
                writes.taken = True
        if self._full:
            self._committing = self._loop.run_in_executor(self._threads, self._write, batch)
            self._committing.add_done_callback(lambda done: self._settle(batch, done.exception()))
            return
        try:
            self._write(batch)
        except Exception as error:
            self._settle(batch, error)
        else:
            self._settle(batch, None)

    def _settle(self, batch: list[Submission], error: BaseException | None) -> None:
        self._committing = None
        self._scheduled = False
        if error is None:
            self._succeeded(batch)
        elif isinstance(error, sqlite3.OperationalError):
            self._retry_later(batch, error)
            return
        else:
            self._write_one_by_one(batch)
        if self._queue:
            self._schedule()

    def _succeeded(self, batch: list[Submission]) -> None:
        if self._failures:
            logger.info("durable store: %s is written again after %d failed commit(s)", self.path, self._failures)
        self._failures = 0
        if self.failed_write is not None and any(writes for writes, _ in batch):
            self.failed_write = None
        _resolve(batch)

    def _retry_later(self, batch: list[Submission], error: BaseException) -> None:
        delay = RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)]
        self.failed_write = f"{self.path.name}: {error}"
        if self._failures < len(RETRY_SECONDS) or self._failures % _TOLD_EVERY == 0:
            logger.warning("durable store: commit failed (%s), trying again in %.2f s", error, delay)
        self._failures += 1
        self._queue = batch + self._queue
        self._scheduled = True
        self._clock.call_later(delay, self._flush)

    def _write_one_by_one(self, batch: list[Submission]) -> None:
        for submission in batch:
            try:
                self._write([submission])
            except sqlite3.OperationalError as error:
                self._retry_later([submission], error)
            except Exception as error:
                self.failed_write = f"{self.path.name}: {error}"
                logger.error("durable store: %s refused a write: %s", self.path, error)
                _tell(submission[1], error)
            else:
                _resolve([submission])

    def _write(self, batch: Iterable[Submission]) -> None:
        connection = self._writer
        hook = self.before_write
        if hook:
            hook("begin")
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._execute(connection, batch)
            if hook:
                hook("commit")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self.commits += 1
        if self.after_commit:
            self.after_commit()

    def _execute(self, connection: sqlite3.Connection, batch: Iterable[Submission]) -> None:
        """All statements in their order, those that are the same one after another in one call; of submissions that
        commute, one after another, all that are the same.
        """
        hook = self.before_write
        commuting = False
        rows: dict[str, list[tuple[Any, ...]]] = {}
        for writes, _ in batch:
            commutes = type(writes) is Commuting
            if commuting is not commutes:
                _run(connection, rows)
            commuting = commutes
            if commutes:
                for sql, more in writes.rows.items():
                    if hook:
                        for _ in more:
                            hook(sql)
                    rows.setdefault(sql, []).extend(more)
                continue
            for sql, parameters in writes() if callable(writes) else writes:
                if hook:
                    hook(sql)
                if rows and sql not in rows:
                    _run(connection, rows)
                of_sql = rows.get(sql)
                if of_sql is None:
                    rows[sql] = [parameters]
                else:
                    of_sql.append(parameters)
        _run(connection, rows)

    async def _checkpoints(self) -> None:
        """Fold the log into the file from a connection of its own, so that no step waits for the disk."""
        folded = -1
        while True:
            await asyncio.sleep(CHECKPOINT_SECONDS)
            if folded == self.commits:
                continue
            folded = self.commits
            with contextlib.suppress(sqlite3.Error):
                await self._loop.run_in_executor(None, self._checkpoint)
                # Under constant writes the log is never wholly copied beside the work; what is left now is little.
                if self._committing is None and self._log_bytes() > LOG_LIMIT_BYTES:
                    self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _log_bytes(self) -> int:
        try:
            return self.path.with_name(self.path.name + "-wal").stat().st_size
        except OSError:
            return 0

    def _checkpoint(self) -> None:
        with contextlib.closing(self._connect()) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _run(connection: sqlite3.Connection, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    for sql, of_sql in rows.items():
        if len(of_sql) == 1:
            connection.execute(sql, of_sql[0])
        else:
            connection.executemany(sql, of_sql)
    rows.clear()


def _resolve(batch: Iterable[Submission]) -> None:
    for _, then in batch:
        _tell(then, None)


def _tell(then: Then | None, error: BaseException | None) -> None:
    if then is None:
        return
    try:
        then(error)
    except Exception:
        logger.exception("durable store: what follows a commit broke off")
