"""When what is in a file is sent, and with what time: as it was flown, faster, or as if it were flown now."""

from __future__ import annotations

import asyncio
import time


class Pace:
    """``speed`` 1 as it was flown, 2 twice as fast, 0 as fast as it goes. Times are seconds since the epoch."""

    def __init__(self, speed: float, *, as_if_now: bool = False) -> None:
        self.as_if_now = as_if_now
        self.base = time.time()
        """The time that counts as now."""
        self._speed = speed
        self._first: float | None = None
        self._last: float | None = None
        self._started = time.monotonic()

    def start_now(self) -> float:
        """Now counts as now from here on."""
        self.base = time.time()
        return self.base

    def span(self, first: float | None, last: float | None) -> None:
        """The recording's first and last moment, as it begins; None when it tells no time."""
        self._first, self._last = first, last
        self._started = time.monotonic()

    def moment(self, recorded: float) -> float:
        """The time a message gets: its own, or as if it were flown now. At speed 0 the last moment is now, so that none
        lies in the future; else the first is."""
        if not self.as_if_now or self._first is None or self._last is None:
            return recorded
        if self._speed <= 0:
            return recorded - self._last + self.base
        return self.base + (recorded - self._first) / self._speed

    def due(self, recorded: float) -> bool:
        return self._pause(recorded) <= 0

    async def wait(self, recorded: float) -> None:
        """Until this moment of the recording is due."""
        pause = self._pause(recorded)
        if pause > 0:
            await asyncio.sleep(pause)

    def _pause(self, recorded: float) -> float:
        if self._speed <= 0 or self._first is None:
            return 0.0
        return self._started + (recorded - self._first) / self._speed - time.monotonic()
