"""From the fleet to the hub: one lane per partition, in order, one batch under way in each; nothing is lost on the way.

What the hub has not acknowledged is sent again, and only what it has acknowledged is counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from gateway.target import HubRefused, HubUnavailable
from simulator.fleet import Outgoing

T = TypeVar("T")

_LONGEST_BATCH = 1000


class Transport(Protocol):
    """A connection to one hub."""

    async def open(self) -> Sequence[str]:
        """Connect; the ids of the hub's partitions. Raises HubUnavailable, HubRefused."""
        ...

    def partition_of(self, outgoing: Outgoing) -> str: ...

    async def send(self, partition: str, events: Sequence[Outgoing]) -> int:
        """Send as many of the first events as one batch holds, and wait until they are acknowledged; how many.
        Raises HubUnavailable, HubRefused."""
        ...

    async def close(self) -> None: ...


@dataclass
class Totals:
    """What the hub has acknowledged. ``sent`` is messages: one an event, duplicates and corrupted ones included."""

    sent: int = 0
    events: int = 0
    bytes: int = 0
    corrupted: int = 0
    duplicated: int = 0

    def count(self, outgoing: Outgoing) -> None:
        self.sent += 1
        self.events += 1
        self.bytes += len(outgoing.body)
        self.corrupted += outgoing.corrupted
        self.duplicated += outgoing.duplicated


@dataclass
class _Lane:
    waiting: deque[Outgoing] = field(default_factory=deque)
    filled: asyncio.Event = field(default_factory=asyncio.Event)


class Sender:
    """Use as an async context manager; ``put`` never waits, ``backlog`` says how much does."""

    def __init__(self, transport: Transport, *, first_retry_seconds: float = 0.2) -> None:
        self.totals = Totals()
        self.backlog = 0
        self.trouble: str | None = None
        """Why the hub is not reached at the moment."""
        self._transport = transport
        self._first_retry = first_retry_seconds
        self._lanes: dict[str, _Lane] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()

    async def open(self, seconds: float) -> None:
        """Connect, trying for so long. Raises HubUnavailable, HubRefused."""
        deadline = asyncio.get_running_loop().time() + seconds
        partitions = await self._retrying(self._transport.open, lambda _: asyncio.get_running_loop().time() >= deadline)
        for partition in partitions:
            lane = self._lanes[partition] = _Lane()
            self._tasks.append(asyncio.create_task(self._run(partition, lane)))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._transport.close()

    def put(self, outgoing: Outgoing) -> None:
        lane = self._lanes[self._transport.partition_of(outgoing)]
        lane.waiting.append(outgoing)
        lane.filled.set()
        self.backlog += 1

    async def drain(self, seconds_without_progress: float) -> bool:
        """Wait until all is acknowledged; False when nothing was for so long. Raises HubRefused."""
        while self.backlog:
            self.raise_if_refused()
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), seconds_without_progress)
            except asyncio.TimeoutError:
                return False
        return True

    def raise_if_refused(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _run(self, partition: str, lane: _Lane) -> None:
        try:
            while True:
                if not lane.waiting:
                    lane.filled.clear()
                    await lane.filled.wait()
                events = [lane.waiting[i] for i in range(min(len(lane.waiting), _LONGEST_BATCH))]
                taken = await self._retrying(partial(self._transport.send, partition, events))
                for _ in range(taken):
                    self.totals.count(lane.waiting.popleft())
                self.backlog -= taken
                self.trouble = None
                self._changed.set()
        except HubRefused:
            self._changed.set()
            raise

    async def _retrying(
        self, operation: Callable[[], Awaitable[T]], stop: Callable[[RetryCallState], bool] = lambda _: False
    ) -> T:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(HubUnavailable),
            wait=wait_exponential_jitter(multiplier=self._first_retry, max=5.0, jitter=self._first_retry),
            stop=stop,
            reraise=True,
            before_sleep=self._note,
        )
        result: T = await retrying(operation)
        return result

    def _note(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self.trouble = str(error)
