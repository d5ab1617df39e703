"""Under load, fewer and larger batches instead of more of them.

One signal per drone per batch is what the pipeline costs, so a backlog is worked off fastest in large batches. The
trigger hands over the next batch of a partition when the function returns: a starter that holds on while the batch
before its own is still unfinished lets the events gather meanwhile, and keeps the durable backlog short. It holds for a
moment only, and for any one batch only once, so that a stalled batch does not make its partition wait.
"""

from __future__ import annotations

import asyncio
from collections import deque

from pipeline.ports import BatchLedger, StoreUnavailable
from pipeline.records import UNFINISHED, Batch


class Pace:
    """Of one process: a partition stays with the process that reads it."""

    def __init__(self, *, ahead: int = 1, longest_seconds: float = 2.0, look_seconds: float = 0.05) -> None:
        self._ahead = ahead  # batches of a partition that may be unfinished besides the one just started
        self._longest = longest_seconds
        self._look = look_seconds
        self._started: dict[str, deque[str]] = {}

    async def hold(self, ledger: BatchLedger, batch: Batch) -> None:
        """Return when at most ``ahead`` batches before this one are unfinished, or after ``longest_seconds``."""
        started = self._started.setdefault(batch.partition, deque())
        started.append(batch.id)
        until = asyncio.get_running_loop().time() + self._longest
        while len(started) > self._ahead + 1:
            if await _ended(ledger, started[0]):
                started.popleft()
            elif asyncio.get_running_loop().time() >= until:
                started.popleft()
                return
            else:
                await asyncio.sleep(self._look)


async def _ended(ledger: BatchLedger, batch_id: str) -> bool:
    try:
        batch = await ledger.get(batch_id)
    except StoreUnavailable:
        return True  # holding would not help: the next batch's own write waits for the store
    return batch is None or batch.status not in UNFINISHED
