"""How many drones there are, without one request paying for a whole walk through a large fleet.

The extension cannot count entities, only page through them. The walk goes on in the background; a request waits for
it a short while and then answers with the last complete count. Where the walk is quick every request has a count of its
own; where it is not, a count is good for a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from durable_sdk import EntityPage

WAIT_SECONDS = 2.0
FRESH_SECONDS = 1.0
QUICK_SECONDS = 0.25
PAGE = 1000


class EntityLister(Protocol):
    async def page(self, top: int, token: str | None, *, fetch_state: bool = True) -> EntityPage: ...


@dataclass
class DroneCounter:
    """One a process. ``count`` answers None only while the very first walk of a large fleet is under way."""

    clock: Callable[[], float] = time.monotonic
    _last: int | None = None
    _fresh_until: float = float("-inf")
    _walk: asyncio.Task[int] | None = field(default=None, repr=False)

    async def count(self, entities: EntityLister, *, wait_seconds: float = WAIT_SECONDS) -> int | None:
        if self.clock() < self._fresh_until:
            return self._last
        loop = asyncio.get_running_loop()
        if self._walk is None or self._walk.done() or self._walk.get_loop() is not loop:
            self._walk = loop.create_task(self._count_all(entities))
        done, _ = await asyncio.wait({self._walk}, timeout=wait_seconds)
        return self._walk.result() if done else self._last

    async def _count_all(self, entities: EntityLister) -> int:
        began_at = self.clock()
        total, token = 0, None
        while True:
            page = await entities.page(PAGE, token, fetch_state=False)
            total += len(page.items)
            token = page.token
            if token is None:
                self._last, ended_at = total, self.clock()
                self._fresh_until = ended_at + (FRESH_SECONDS if ended_at - began_at > QUICK_SECONDS else 0)
                return total
