"""One file, one thread that writes, a few that read; coroutines on any event loop.

Group commit: calls that arrive while the disk is busy share the next transaction. Each call runs in a savepoint of its
own, so its effects are all there or not at all, and its result is handed out only after the COMMIT that makes it last.

What goes from thread to thread costs more than most statements: so calls of one turn of an event loop are handed over
together, there is one wake-up a group, and none for a look-up by key.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from pipeline.ports import StoreUnavailable
from storage.sqlite.connection import connect_reader, connect_writer
from storage.sqlite.errors import breaks_connection, is_read_only, unavailable, unusable

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
Synchronous = Literal["normal", "full"]

_MAX_WAITING = 4096
_MAX_GROUP = 128
_MAX_GROUP_SECONDS = 0.05


class _Job(NamedTuple):
    """``future`` is of ``loop``, and settled there alone."""

    work: Work[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    lasting: bool


_Done = tuple[_Job, Any, "BaseException | None"]


class Database:
    """``write`` and ``read`` run a function on a connection. Bounded: beyond 4,096 waiting calls they are refused."""

    def __init__(
        self, path: Path, *, lock_timeout: float = 5.0, readers: int = 4, synchronous: Synchronous = "normal"
    ) -> None:
        """``synchronous``: with ``full`` every commit is on the disk before its calls return, with ``normal`` those of
        calls that ask for it (``lasting``)."""
        self._path = path
        self._always_lasting = synchronous == "full"
        self._synchronous = ""  # as the writing connection has it
        self._next: _Job | None = None  # taken from the queue, for the next group
        self._lock_timeout = lock_timeout
        self._reader_count = readers
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        # What was called for in this turn of each event loop; touched by its thread alone.
        self._called: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
        self._most_waiting = _MAX_WAITING
        self._writer: sqlite3.Connection | None = None
        self._thread: threading.Thread | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._reading = threading.BoundedSemaphore(_MAX_WAITING)
        self._idle: list[sqlite3.Connection] = []
        self._generation = 0  # connections of an earlier one are closed after use
        self._idle_lock = threading.Lock()
        self._failure: StoreUnavailable | None = None

    async def open(self) -> None:
        """Open the file, start the threads. ``StoreUnavailable`` says what is wrong; then open may be called again."""
        if self._thread is not None:
            return
        self._writer = await asyncio.to_thread(self._connect_writer)
        self._readers = ThreadPoolExecutor(self._reader_count, thread_name_prefix="sqlite-reader")
        self._thread = threading.Thread(target=self._write_forever, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Finish what was accepted, then close."""
        self._hand_over(asyncio.get_running_loop())
        thread, readers, self._thread, self._readers = self._thread, self._readers, None, None
        if thread is None or readers is None:
            return
        await asyncio.to_thread(self._queue.put, None)
        await asyncio.to_thread(thread.join)
        await asyncio.to_thread(readers.shutdown)
        self._drop_readers()

    async def write(self, work: Work[T], *, lasting: bool = True) -> T:
        """Run ``work`` in the next group; its result after the COMMIT. Whatever it raises undoes it, and it alone. The
        result must not be a cursor: another thread would let go of its statement, which the next call may be using.

        Not ``lasting``: a power cut may take it, with all that was written after it; a kill of the process never does.
        That is for what would then be done again. The next lasting write takes what was written before onto the disk.
        """
        if self._thread is None:
            raise unusable(self._path, "it is not open")
        loop = asyncio.get_running_loop()
        called = self._called.get(loop)
        if self._queue.qsize() + len(called or ()) >= self._most_waiting:
            raise unusable(self._path, f"{self._most_waiting} writes are waiting already")
        if called is None:
            called = self._called[loop] = []
            loop.call_soon(self._hand_over, loop)
        future: asyncio.Future[T] = loop.create_future()
        called.append(_Job(work, loop, future, lasting or self._always_lasting))
        return await future

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """One after another without a pause: the thread that writes takes them as one group."""
        for job in self._called.pop(loop, ()):
            if self._thread is not None:
                self._queue.put(job)
            elif not job.future.done():
                job.future.set_exception(unusable(self._path, "it was closed"))

    async def read(self, work: Work[T]) -> T:
        """Run ``work`` on a reading connection; it sees every write whose call has returned."""
        readers = self._readers
        if readers is None:
            raise unusable(self._path, "it is not open")
        if not self._reading.acquire(blocking=False):
            raise unusable(self._path, f"{_MAX_WAITING} reads are waiting already")
        future = readers.submit(self._read_one, work)
        future.add_done_callback(lambda _: self._reading.release())
        return await asyncio.wrap_future(future)

    async def look(self, work: Work[T]) -> T:
        """As ``read``, at once on the caller's thread: for rows found by their key, which takes microseconds."""
        if self._readers is None:
            raise unusable(self._path, "it is not open")
        return self._read_one(work)

    def failure(self) -> StoreUnavailable | None:
        """Why the last group of writes failed; None since one has succeeded."""
        return self._failure

    def _read_one(self, work: Work[T]) -> T:
        with self._idle_lock:
            generation = self._generation
            connection = self._idle.pop() if self._idle else None
        sound = False
        try:
            if connection is None:
                connection = connect_reader(self._path, self._lock_timeout)
            value = work(connection)
            sound = True
            return value
        except sqlite3.Error as error:
            sound = not breaks_connection(error)
            raise unavailable(error, self._path) from error
        except Exception:
            sound = True
            raise
        finally:
            if connection is not None:
                self._give_back(connection, generation, sound)

    def _give_back(self, connection: sqlite3.Connection, generation: int, sound: bool) -> None:
        with self._idle_lock:
            if sound and generation == self._generation and self._readers is not None:
                self._idle.append(connection)
                return
        connection.close()

    def _drop_readers(self) -> None:
        with self._idle_lock:
            idle, self._idle = self._idle, []
            self._generation += 1
        for connection in idle:
            connection.close()

    def _connect_writer(self) -> sqlite3.Connection:
        try:
            return connect_writer(self._path, self._lock_timeout)
        except sqlite3.Error as error:
            raise unavailable(error, self._path) from error
        except OSError as error:
            raise unusable(self._path, f"{error.strerror}") from error

    def _write_forever(self) -> None:
        stopping = False
        while not stopping:
            job, self._next = self._next or self._queue.get(), None
            stopping = job is None or self._write_group(job)
        self._refuse_waiting()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _refuse_waiting(self) -> None:
        while True:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return
            if job is not None:
                _tell([(job, None, unusable(self._path, "it was closed"))])

    def _write_group(self, first: _Job) -> bool:
        """One transaction with ``first`` and what waits behind it; true when the store is being closed."""
        done: list[_Done] = []
        job: _Job | None = first
        stopping = False
        until = time.monotonic() + _MAX_GROUP_SECONDS
        try:
            connection = self._writer = self._writer or self._connect_writer()
            lasting = first.lasting
            self._synchronise(connection, "FULL" if lasting else "NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            while job is not None:
                if not job.future.cancelled():
                    run = _run_in_savepoint if done else _run_first
                    done.append((job, *run(connection, job.work, self._path)))
                job = None
                if len(done) < _MAX_GROUP and time.monotonic() < until:
                    try:
                        job = self._queue.get_nowait()
                    except queue.Empty:
                        break
                    stopping = job is None
                    if job is not None and job.lasting and not lasting:
                        self._next, job = job, None  # what is under way will not wait for the disk
            connection.execute("COMMIT")
            self._note(done)
        except BaseException as error:
            self._undo(error)
            failure = unavailable(error, self._path) if isinstance(error, sqlite3.Error) else error
            if job is not None:
                done.append((job, None, failure))
            done = [(one, None, failure) for one, _, _ in done]
            self._note(done)
        _tell(done)
        return stopping

    def _synchronise(self, connection: sqlite3.Connection, synchronous: str) -> None:
        if self._synchronous != synchronous:
            connection.execute(f"PRAGMA synchronous={synchronous}")
            self._synchronous = synchronous

    def _note(self, done: Sequence[_Done]) -> None:
        """What a group came to, for ``failure``: a failed write counts until a whole group has been written."""
        failed = [error for _, _, error in done if isinstance(error, StoreUnavailable)]
        if failed:
            self._failure = failed[-1]
        elif done:
            self._failure = None

    def _undo(self, error: BaseException) -> None:
        """Back to before the group; a connection that may be broken is dropped and made anew for the next one."""
        connection, self._writer = self._writer, None
        self._synchronous = ""
        if is_read_only(error):
            # All connections of a process to a file share the file beside it through which they see each other's
            # writes: as long as one is left that opened it read-only, the next one cannot write either.
            self._drop_readers()
        if connection is None:
            return
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            connection.close()
            return
        if isinstance(error, sqlite3.Error) and breaks_connection(error):
            connection.close()
        else:
            self._writer = connection


def _tell(done: Sequence[_Done]) -> None:
    """Hand the results out, in one wake-up of each event loop."""
    loops = {job.loop for job, _, _ in done}
    for loop in loops:
        try:
            loop.call_soon_threadsafe(_settle, [one for one in done if one[0].loop is loop])
        except RuntimeError:
            continue  # it was closed: nobody waits any more


def _settle(done: Sequence[_Done]) -> None:
    for job, value, failed in done:
        if job.future.done():
            continue
        if failed is None:
            job.future.set_result(value)
        else:
            job.future.set_exception(failed)


def _run_first(connection: sqlite3.Connection, work: Work[Any], path: Path) -> tuple[Any, BaseException | None]:
    """As ``_run_in_savepoint``, for a call that has the transaction to itself so far."""
    try:
        return work(connection), None
    except BaseException as error:
        if not connection.in_transaction or (isinstance(error, sqlite3.Error) and breaks_connection(error)):
            raise
        connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        return None, unavailable(error, path) if isinstance(error, sqlite3.Error) else error


def _run_in_savepoint(connection: sqlite3.Connection, work: Work[Any], path: Path) -> tuple[Any, BaseException | None]:
    """The call's value or error. Raises what ends the whole group: a lost transaction, a connection that is broken."""
    connection.execute("SAVEPOINT one_call")
    try:
        value = work(connection)
    except BaseException as error:
        if not connection.in_transaction or (isinstance(error, sqlite3.Error) and breaks_connection(error)):
            raise
        connection.execute("ROLLBACK TO one_call")
        connection.execute("RELEASE one_call")
        return None, unavailable(error, path) if isinstance(error, sqlite3.Error) else error
    connection.execute("RELEASE one_call")
    return value, None
