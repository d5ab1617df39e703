"""From the spool to the hub: each device's messages in order, kept until they are acknowledged."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from gateway.hub import Lane, Unsendable
from gateway.spool import LANES, Message, Spool, Waiting
from gateway.target import HubRefused, HubUnavailable

T = TypeVar("T")

_AT_A_TIME = 500
_LONGEST_PAUSE_SECONDS = 5.0
_WHILE_REFUSED_SECONDS = 10.0


class Forwarder:
    """Puts messages into the spool and sends what is in it. A hub that is away, or that refuses, is asked again
    indefinitely: the drones go on flying meanwhile, and the spool keeps what they say."""

    def __init__(self, spool: Spool, connect: Callable[[], Lane], *, first_pause: float = 0.2) -> None:
        self.sent = 0
        self.too_large = 0
        self.unwritten = 0
        """Messages that were lost because the disk would not take them."""
        self.trouble: str | None = None
        """What keeps messages from the hub at the moment, or from the disk."""
        self._spool = spool
        self._connect = connect
        self._first_pause = first_pause
        # SQLite's fsync may take its time on a small computer's card: packets are received meanwhile.
        self._disk = ThreadPoolExecutor(1, "spool")
        self._filled = [asyncio.Event() for _ in range(LANES)]
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()

    @property
    def waiting(self) -> int:
        return int(self._spool.waiting)

    @property
    def dropped(self) -> int:
        """Messages that no hub has seen and none will: by this run and earlier ones of this spool."""
        return self._spool.dropped + self.unwritten

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._run(number)) for number in range(LANES)]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.on_disk(self._spool.close)
        self._disk.shutdown()

    async def put(self, messages: Sequence[Message], notes: Mapping[str, str | None] | None = None) -> None:
        """Returns when the messages are on disk. Trouble with the disk is told and counted, never raised: what comes
        next may fit again."""
        try:
            await self.on_disk(partial(self._spool.put, messages, notes))
        except sqlite3.Error as error:
            self.unwritten += len(messages)
            self.trouble = f"the spool cannot be written: {error}"
            return
        for event in self._filled:
            event.set()

    async def note(self, name: str) -> str | None:
        return await self.on_disk(partial(self._spool.note, name))

    async def put_patiently(self, messages: Sequence[Message]) -> None:
        """As ``put``, but waits for room: for what can wait, because it is in a file."""
        while messages:
            self._changed.clear()
            fitting = self._spool.fitting(messages)
            if not fitting and self._spool.waiting:
                await self._changed.wait()
                continue
            # What does not fit into an empty spool never will: it is dropped and counted.
            fitting = fitting or 1
            await self.put(messages[:fitting])
            messages = messages[fitting:]

    async def drain(self, seconds_without_progress: float) -> bool:
        """Wait until all is acknowledged; False when nothing was for so long."""
        while self._spool.waiting:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), seconds_without_progress)
            except asyncio.TimeoutError:
                return False
        return True

    async def on_disk(self, work: Callable[[], T]) -> T:
        """Do it in the one thread that may use the spool."""
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)

    async def _run(self, number: int) -> None:
        lane, filled = self._connect(), self._filled[number]
        try:
            while True:
                filled.clear()
                try:
                    if await self._send_oldest(number, lane):
                        continue
                except sqlite3.Error as error:
                    # A full disk, say: what was sent and could not be removed is sent again, and recognised.
                    self.trouble = f"the spool cannot be used: {error}"
                    await asyncio.sleep(_LONGEST_PAUSE_SECONDS)
                    continue
                await filled.wait()
        finally:
            await lane.close()

    async def _send_oldest(self, number: int, lane: Lane) -> bool:
        """Whether there was anything to send."""
        oldest = await self.on_disk(partial(self._spool.first, number, _AT_A_TIME))
        by_key = sorted(oldest, key=lambda message: message.key)  # stable: each device's stay in order
        for key, group in groupby(by_key, key=lambda message: message.key):
            await self._send(lane, key, list(group))
        return bool(oldest)

    async def _send(self, lane: Lane, key: str, messages: list[Waiting]) -> None:
        while messages:
            try:
                taken = await self._retrying(partial(lane.send, key, messages))
            except Unsendable:
                taken = 1
                self.too_large += 1
                await self.on_disk(partial(self._spool.remove, [messages[0].number], dropped=True))
            else:
                self.sent += taken
                await self.on_disk(partial(self._spool.remove, [message.number for message in messages[:taken]]))
                self.trouble = None
            messages = messages[taken:]
            self._changed.set()

    async def _retrying(self, operation: Callable[[], Any]) -> int:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type((HubUnavailable, HubRefused)), wait=self._pause, before_sleep=self._note
        )
        taken: int = await retrying(operation)
        return taken

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, HubRefused):
            return _WHILE_REFUSED_SECONDS
        wait = wait_exponential_jitter(
            multiplier=self._first_pause, max=_LONGEST_PAUSE_SECONDS, jitter=self._first_pause
        )
        return float(wait(state))

    def _note(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self.trouble = f"hub not reached: {error}"
