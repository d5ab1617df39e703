"""How new the drones' entities are while signals wait for the end of their window, and what stored messages add."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakKeyDictionary

from observability import log
from pipeline.clock import ago, now
from pipeline.ports import HeldTotals, Store, StoreUnavailable
from telemetry.merge import merge, merge_messages
from telemetry.model import DroneState
from telemetry.soundness import check_state

LOOK_SECONDS = 1.0
"""For so long a process takes what it knows of the held batches for true."""
GRACE_SECONDS = 15.0
"""From a signal that was taken to the entity that has merged it."""
MOST_MESSAGES = 5_000


class Freshness:
    """One a process and store."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._totals = HeldTotals()
        self._looked_at = float("-inf")
        self._seen: deque[tuple[float, str]] = deque()

    async def held(self) -> HeldTotals:
        """As of a second ago at most. ``StoreUnavailable``."""
        if self._clock() - self._looked_at >= LOOK_SECONDS:
            began = self._clock()
            self._totals = await self._store.held.totals()
            self._looked_at = began
            if self._totals.enqueued_from is not None:
                self._seen.append((began, self._totals.enqueued_from))
        while self._seen and self._clock() - self._seen[0][0] > GRACE_SECONDS:
            self._seen.popleft()
        return self._totals

    async def state(self, device_id: str, read: Callable[[str], Awaitable[Any]], window_seconds: float) -> Any:
        """The drone's state with what its stored messages know besides; None when nobody knows of it.

        What was held is read before the entity, so that a flush in between takes nothing away.
        """
        if not window_seconds:
            return await read(device_id)
        try:
            await self.held()
            since = min([ago(window_seconds + GRACE_SECONDS), *(enqueued_from for _, enqueued_from in self._seen)])
            messages = self._store.messages.enqueued_since(device_id, since, MOST_MESSAGES)
            stored, news = await asyncio.gather(read(device_id), messages)
        except StoreUnavailable as error:
            log(logging.WARNING, "drone shown as its entity has it", deviceId=device_id, error=str(error))
            return await read(device_id)
        patch = merge_messages(news).get(device_id)
        return stored if patch is None else _both(stored, patch)

    async def as_of(self, window_seconds: float) -> str | None:
        """Drones know of all that the hub took before it, but for batches that are not completed. None: unknown."""
        if not window_seconds:
            return now()
        looked = now()
        try:
            return (await self.held()).enqueued_from or looked
        except StoreUnavailable:
            return None


def _both(stored: Any, patch: DroneState) -> DroneState:
    try:
        check_state(stored)
    except Exception:
        return patch
    return merge(stored, patch)


_of_store: WeakKeyDictionary[Store, Freshness] = WeakKeyDictionary()


def freshness_of(store: Store) -> Freshness:
    found = _of_store.get(store)
    if found is None:
        found = _of_store[store] = Freshness(store)
    return found
