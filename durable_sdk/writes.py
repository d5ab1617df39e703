"""Whether the engine takes what this process gives it: starts and signals, those that failed and those that wait.

An engine whose disk is full still answers questions, so asking it is not enough to know that it works.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

WAITING_SECONDS = 10.0


class Writes:
    """One a process (``WRITES``)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._numbers = count()
        self._under_way: dict[int, float] = {}
        self._failed: str | None = None

    @contextmanager
    def one(self) -> Iterator[None]:
        """Around one call that writes."""
        number = next(self._numbers)
        self._under_way[number] = self._clock()
        try:
            yield
        except Exception as error:
            self._failed = type(error).__name__
            raise
        else:
            self._failed = None
        finally:
            del self._under_way[number]

    def waiting(self) -> float:
        """Seconds for which the oldest call has waited, 0.0 when none has for ``WAITING_SECONDS``."""
        oldest = min(self._under_way.values(), default=None)
        waited = 0.0 if oldest is None else self._clock() - oldest
        return waited if waited >= WAITING_SECONDS else 0.0

    def failed(self) -> str | None:
        """What kind of error the last call ended with; None since one has succeeded."""
        return self._failed


WRITES = Writes()
