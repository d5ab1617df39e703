"""Keep a log readable when the same thing happens a thousand times a second."""

from __future__ import annotations

import time
from collections.abc import Callable


class Throttle:
    """Admits one line in `seconds`, and counts those it held back."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._next = 0.0
        self._held_back = 0

    def admit(self) -> str | None:
        """None if the line is to be left out; or else what to put behind it: nothing, or how many were left out."""
        now = self._clock()
        if now < self._next:
            self._held_back += 1
            return None
        said = f" ({self._held_back} more since the last such line)" if self._held_back else ""
        self._next, self._held_back = now + self._seconds, 0
        return said
