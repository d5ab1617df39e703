"""Work items that were running when what ran them died: run again, but not at every start anew.

What runs now is noted in a file mapped into memory, which outlives a kill -9 of the process and costs no system call;
what it holds at the next start was running at the death. Only such items are counted, in the store, until they succeed.
One that was running at `LIMIT` deaths is failed. On its last chance no other item on its last chance runs beside it, so
that the one that kills its process does not take others with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import mmap
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from functions_host.clock import Clock
from functions_host.driven import Later
from functions_host.durable.runner import UserFunctionError, WorkItemLostError
from functions_host.durable.store import Store, Write
from functions_host.tasks import spawn

logger = logging.getLogger(__name__)

LIMIT = 3
# A byte that tells the length, 0 when nothing runs, and a key; one that is longer is noted by its digest.
_SLOT_BYTES = 256
_LONGEST_KEY = _SLOT_BYTES - 1
_KEPT_MICROSECONDS = 30 * 24 * 3600 * 1_000_000
_COUNT = (
    "INSERT INTO deaths(item, count, latest) VALUES (?,1,?) "
    "ON CONFLICT(item) DO UPDATE SET count=count+1, latest=excluded.latest"
)

T = TypeVar("T")
Finished = Callable[[Any, "BaseException | None"], None]


class GivenUpError(UserFunctionError):
    """The work item was running at `LIMIT` deaths of what ran it."""

    def __init__(self, reason: str) -> None:
        text = f"what ran this function died {LIMIT} times while it was running ({reason}); it is not run again"
        super().__init__("WorkerProcessExitException", text)


def item_key(text: str) -> bytes:
    """A work item's key: `text` tells an orchestration's execution and episode, an activity's task, an entity's oldest
    operation.
    """
    key = text.encode("utf-8", "surrogatepass")
    return key if len(key) <= _LONGEST_KEY else hashlib.blake2b(key).digest()


class Deaths:
    """`slots`: how many work items may run at once; beyond that they are not noted."""

    def __init__(self, store: Store, clock: Clock, path: Path, slots: int) -> None:
        self._store = store
        self._clock = clock
        self._path = path
        self._slots = slots
        self._free: list[int] = []
        self._map: mmap.mmap | None = None
        self._counts: dict[bytes, int] = {}
        self._last_chance = asyncio.Lock()

    def load(self) -> None:
        """Count what the last process was running when it died, and begin to note. The store must be open."""
        now = self._clock.now()
        writes: list[Write] = [("DELETE FROM deaths WHERE latest<?", (now - _KEPT_MICROSECONDS,))]
        self._counts = {bytes(item): count for item, count in self._store.read("SELECT item, count FROM deaths")}
        size = self._slots * _SLOT_BYTES
        with self._path.open("a+b") as file:
            file.seek(0)
            left = file.read()
            # What was running is told once: the count follows with the first commit.
            file.truncate(0)
            file.truncate(size)
            self._map = mmap.mmap(file.fileno(), size)
        for start in range(0, len(left), _SLOT_BYTES):
            length = left[start]
            if length:
                writes.append(self._died(left[start + 1 : start + 1 + length], now))
        self._store.submit_nowait(writes)
        self._free = list(range(0, size, _SLOT_BYTES))

    def close(self) -> None:
        """What was interrupted by an orderly stop did not die."""
        if self._map is not None:
            self._map[:] = bytes(len(self._map))
            self._map.close()
            self._map = None

    def suspects(self, item: bytes) -> bool:
        """Whether it was running at a death."""
        return bool(self._counts) and item in self._counts

    async def run(self, item: bytes, call: Callable[[], Awaitable[T]]) -> T:
        """Await `call`, noting that it runs. Raises GivenUpError, and WorkItemLostError if it is to be run again."""
        if self._counts and item in self._counts:
            return await self._run_suspect(item, call)
        slot = self.enter(item)
        try:
            return await call()
        except WorkItemLostError as lost:
            self._lost(item, lost)
            raise
        finally:
            self.leave(slot)

    def start(self, item: bytes, call: Callable[[Finished], None], finished: Finished) -> None:
        """As `run` for a suspect whose call says itself when it is over; `finished` gets what `run` would give or
        raise. For others: `enter`, `leave` and `lost`."""
        spawn(self._start_suspect(item, call, finished), "an entity that was running at a death")

    def lost(self, item: bytes, error: WorkItemLostError) -> BaseException:
        """What ran the item died. The error to be told: this one, or that it is given up."""
        try:
            self._lost(item, error)
        except GivenUpError as given_up:
            return given_up
        return error

    async def _start_suspect(self, item: bytes, call: Callable[[Finished], None], finished: Finished) -> None:
        over: Later[Any] = Later()

        def ended(answer: Any, error: BaseException | None) -> None:
            if error is None:
                over.give(answer)
            else:
                over.fail(error)

        async def asked() -> Any:
            call(ended)
            return await over

        try:
            answer = await self._run_suspect(item, asked)
        except BaseException as error:
            finished(None, error)
        else:
            finished(answer, None)

    async def _run_suspect(self, item: bytes, call: Callable[[], Awaitable[T]]) -> T:
        deaths = self._counts[item]
        if deaths >= LIMIT:
            self._forget(item)
            raise GivenUpError("at the last, the host itself")
        async with self._alone(deaths):
            slot = self.enter(item)
            try:
                answer = await call()
            except WorkItemLostError as lost:
                self._lost(item, lost)
                raise
            finally:
                self.leave(slot)
        self._forget(item)
        return answer

    @contextlib.asynccontextmanager
    async def _alone(self, deaths: int) -> AsyncIterator[None]:
        if deaths < LIMIT - 1:
            yield
            return
        async with self._last_chance:
            yield

    def enter(self, item: bytes) -> int:
        """Note that it runs; the slot is for `leave`."""
        if self._map is None or not self._free:
            return -1
        slot = self._free.pop()
        begin, length = slot + 1, len(item)
        self._map[begin : begin + length] = item
        self._map[slot] = length
        return slot

    def leave(self, slot: int) -> None:
        if slot >= 0:
            if self._map is not None:
                self._map[slot] = 0
            self._free.append(slot)

    def _lost(self, item: bytes, lost: WorkItemLostError) -> None:
        if not lost.blamed:
            return
        self._store.submit_nowait([self._died(item, self._clock.now())])
        if self._counts[item] >= LIMIT:
            self._forget(item)
            raise GivenUpError(lost.reason) from lost

    def _died(self, item: bytes, now: int) -> Write:
        self._counts[item] = self._counts.get(item, 0) + 1
        return _COUNT, (item, now)

    def _forget(self, item: bytes) -> None:
        if self._counts.pop(item, None) is not None:
            self._store.submit_nowait([("DELETE FROM deaths WHERE item=?", (item,))])
