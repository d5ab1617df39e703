"""One heap for all that is due at some time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

from functions_host.durable.clock import Clock

# The event loop's clock is finite: a longer sleep is taken in pieces.
_LONGEST_SLEEP_SECONDS = 3600.0


class Timers:
    """Callbacks at a time in microseconds since 1970. Nothing is cancelled here: who is called looks for itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._handle: asyncio.TimerHandle | None = None
        self._stopped = True

    def start(self) -> None:
        self._stopped = False
        self._arm()

    def stop(self) -> None:
        self._stopped = True
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def at(self, due: int, call: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (due, next(self._order), call))
        if not self._stopped and self._heap[0][0] == due:
            self._arm()

    def __len__(self) -> int:
        return len(self._heap)

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._heap and not self._stopped:
            seconds = max(0.0, (self._heap[0][0] - self._clock.now()) / 1_000_000)
            loop = asyncio.get_running_loop()
            self._handle = loop.call_later(min(seconds, _LONGEST_SLEEP_SECONDS), self._fire)

    def _fire(self) -> None:
        self._handle = None
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2]()
        self._arm()
