"""One heap for all that is due at some time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

from functions_host.clock import Clock, Handle

# The event loop's clock is finite: a longer sleep is taken in pieces.
_LONGEST_SLEEP_SECONDS = 3600.0
_FEW = 64


class Timer:
    """Something due; `cancel` lets go of it at once, though the heap may keep the empty shell for a while."""

    __slots__ = ("_owner", "call", "due", "order")

    def __init__(self, owner: Timers, due: int, order: int, call: Callable[[], None]) -> None:
        self._owner = owner
        self.due = due
        self.order = order
        self.call: Callable[[], None] | None = call

    def __lt__(self, other: Timer) -> bool:
        return (self.due, self.order) < (other.due, other.order)

    def cancel(self) -> None:
        if self.call is not None:
            self.call = None
            self._owner.cancelled(self)


class Timers:
    """Callbacks at a time in microseconds since 1970."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[Timer] = []
        self._order = itertools.count()
        self._shells = 0
        self._handle: Handle | None = None
        self._stopped = True

    def start(self) -> None:
        self._stopped = False
        self._arm()

    def stop(self) -> None:
        self._stopped = True
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def at(self, due: int, call: Callable[[], None]) -> Timer:
        timer = Timer(self, due, next(self._order), call)
        heapq.heappush(self._heap, timer)
        if not self._stopped and self._heap[0] is timer:
            self._arm()
        return timer

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        """As `at`, so many seconds from now."""
        return self.at(self._clock.now() + int(seconds * 1_000_000), call)

    def cancelled(self, _timer: Timer) -> None:
        """Called by a timer that was cancelled: shells go when they are most of the heap."""
        self._shells += 1
        if self._shells > _FEW and 2 * self._shells > len(self._heap):
            self._heap = [timer for timer in self._heap if timer.call is not None]
            heapq.heapify(self._heap)
            self._shells = 0

    def __len__(self) -> int:
        """How many are due some time, without the cancelled."""
        return len(self._heap) - self._shells

    def _arm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._heap and not self._stopped:
            seconds = max(0.0, (self._heap[0].due - self._clock.now()) / 1_000_000)
            self._handle = self._clock.call_later(min(seconds, _LONGEST_SLEEP_SECONDS), self._fire)

    def _fire(self) -> None:
        self._handle = None
        now = self._clock.now()
        while self._heap and self._heap[0].due <= now:
            timer = heapq.heappop(self._heap)
            call, timer.call = timer.call, None
            if call is None:
                self._shells -= 1
            else:
                call()
        self._arm()
