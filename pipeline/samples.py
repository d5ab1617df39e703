"""The last hour of the pipeline in a few hundred samples, so that a page that is opened now shows how it came to this.

A sample is of the store's own totals, so every process and every instance of the app takes the same ones, and whoever
is asked tells no less than the truth, only of the time for which it has been there. Samples are taken while there is
work and for a minute after it: in an idle fleet nothing changes, and nothing is asked for. What somebody has asked for
anyway (the stats) is a sample too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from observability import log
from pipeline.clock import ago, now
from pipeline.ports import Store, StoreUnavailable, Totals
from pipeline.records import BatchStatus
from settings import get_settings

SECONDS = 5.0
"""Between two samples on SQLite, whose totals cost next to nothing."""
SECONDS_IN_AZURE = 15.0
"""On Cosmos DB, where each costs some ten request units."""
KEPT_SECONDS = 3600.0
MOST = 1000
LINGER_SECONDS = 60.0


def sample_seconds() -> float:
    return SECONDS_IN_AZURE if get_settings().store == "azure" else SECONDS


@dataclass(frozen=True)
class Sample:
    """``at`` is canonical time; the rest as the stats say it."""

    at: str
    messages: int
    stored: int
    duplicates: int
    rejected: int
    unfinished: int  # batches received or running
    failed: int  # batches
    unprocessed: int  # events
    oldest_unprocessed_at: str | None


def sample_of(totals: Totals, at: str) -> Sample:
    batches = totals.batches
    return Sample(
        at=at,
        messages=totals.messages,
        stored=totals.stored,
        duplicates=totals.duplicates,
        rejected=totals.rejected,
        unfinished=batches.get(BatchStatus.RECEIVED.value, 0) + batches.get(BatchStatus.RUNNING.value, 0),
        failed=batches.get(BatchStatus.FAILED.value, 0),
        unprocessed=totals.unprocessed,
        oldest_unprocessed_at=totals.oldest_unprocessed_at,
    )


class Samples:
    """One a process (``SAMPLES``)."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._kept: deque[Sample] = deque(maxlen=MOST)
        self._noted_at = float("-inf")
        self._until = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def since(self, at: str | None) -> list[Sample]:
        """Those of the last hour, oldest first; of them those taken after ``at``."""
        oldest = max(ago(KEPT_SECONDS), at or "")
        return [sample for sample in self._kept if sample.at > oldest]

    def note(self, totals: Totals, seconds: float = SECONDS) -> None:
        """Keep what somebody has just asked for, unless the last sample is as good as new."""
        at = now()
        if self._clock() - self._noted_at >= seconds * 0.8 and (not self._kept or self._kept[-1].at < at):
            self._kept.append(sample_of(totals, at))
            self._noted_at = self._clock()

    def touch(self, store: Store, seconds: float = SECONDS) -> None:
        """There is work: see to it that samples are taken."""
        self._until = self._clock() + LINGER_SECONDS
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._task = loop.create_task(self._take(store, seconds))

    async def _take(self, store: Store, seconds: float) -> None:
        while True:
            if self._clock() - self._noted_at >= seconds * 0.8:
                try:
                    self.note(await store.ledger.totals(), seconds)
                except StoreUnavailable as error:
                    # A gap in the picture; whoever needs the store says so loudly enough.
                    log(logging.DEBUG, "no sample taken", error=str(error))
            if self._clock() >= self._until:
                return
            await self._sleep(seconds)


SAMPLES = Samples()
