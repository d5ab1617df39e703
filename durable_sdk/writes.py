"""Whether the engine takes what this process gives it: starts and signals, those that failed and those that wait.

An engine whose disk is full still answers questions, so asking it is not enough to know that it works.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

WAITING_SECONDS = 10.0


class Writes:
    """One a process (``WRITES``)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._numbers = count()
        self._under_way: dict[int, float] = {}
        self._failed: str | None = None

    def one(self) -> _One:
        """``with WRITES.one():`` around one call that writes."""
        return _One(self)

    def begin(self) -> int:
        """Its number, for ``end``."""
        number = next(self._numbers)
        self._under_way[number] = self._clock()
        return number

    def end(self, number: int, error: BaseException | None) -> None:
        del self._under_way[number]
        if error is None:
            self._failed = None
        elif isinstance(error, Exception):
            self._failed = type(error).__name__

    def waiting(self) -> float:
        """Seconds for which the oldest call has waited, 0.0 when none has for ``WAITING_SECONDS``."""
        oldest = min(self._under_way.values(), default=None)
        waited = 0.0 if oldest is None else self._clock() - oldest
        return waited if waited >= WAITING_SECONDS else 0.0

    def failed(self) -> str | None:
        """What kind of error the last call ended with; None since one has succeeded."""
        return self._failed


class _One:
    """There is one for each signal: a generator would cost twice as much."""

    __slots__ = ("_number", "_writes")

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def __enter__(self) -> None:
        self._number = self._writes.begin()

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self._writes.end(self._number, error)


WRITES = Writes()
