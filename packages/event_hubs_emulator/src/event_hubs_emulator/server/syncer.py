"""Group commit: force appended events onto the disk in a thread, many sends at a time, and then acknowledge them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from event_hubs_emulator.log.partition_log import PartitionLog
from event_hubs_emulator.message import Event

Then = Callable[[OSError | None], None]


class Syncer:
    """Used when `fsync` is asked for; a send is then acknowledged only after its bytes are on the disk."""

    def __init__(self) -> None:
        self._waiting: dict[PartitionLog[Event], list[Then]] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, log: PartitionLog[Event], then: Then) -> None:
        """Call `then` after what `log` holds now was forced to disk."""
        self._waiting.setdefault(log, []).append(then)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, {}
            for log, callbacks in batch.items():
                error: OSError | None = None
                try:
                    await loop.run_in_executor(None, log.sync())
                except OSError as failure:
                    error = failure
                for then in callbacks:
                    then(error)

    async def close(self) -> None:
        """Wait for what is under way."""
        if self._task is not None:
            await self._task
