"""A clock that stands until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

from functions_host.clock import Clock, Handle, Ids


class MovedClock(Clock):
    """`advance` moves it, stopping at each thing that is due on the way."""

    def __init__(self, start: int = 1_800_000_000_000_000) -> None:
        super().__init__()
        self._time = start
        self._due: list[tuple[int, int, _Due]] = []
        self._order = itertools.count()

    def now(self) -> int:
        self._last = max(self._time, self._last + 1)
        return self._last

    def monotonic(self) -> float:
        return self._time / 1_000_000

    def call_later(self, seconds: float, call: Callable[[], None]) -> Handle:
        due = _Due(call)
        heapq.heappush(self._due, (self._time + int(seconds * 1_000_000), next(self._order), due))
        return due

    async def advance(self, seconds: float) -> None:
        end = self._time + int(seconds * 1_000_000)
        while self._due and self._due[0][0] <= end:
            at, _, due = heapq.heappop(self._due)
            self._time = max(self._time, at)
            due.happen()
            for _ in range(20):
                await asyncio.sleep(0)
        self._time = end


class _Due:
    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self._call = None

    def happen(self) -> None:
        if self._call is not None:
            self._call()


class CountedIds(Ids):
    """1, 2, 3 … in the form of each kind of id."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def guid(self) -> str:
        digits = self.hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def hex(self) -> str:
        return f"{next(self._numbers):032x}"
