"""The one place where host and engine read the time, wait, and get ids: tests put others in its stead."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Handle(Protocol):
    """Something that is due; `cancel` lets go of it."""

    def cancel(self) -> None: ...


class Clock:
    """The wall clock; `now` never repeats a value nor goes back within one process: history stays in order."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        """Microseconds since 1970."""
        now = time.time_ns() // 1000
        if now <= self._last:
            now = self._last + 1
        self._last = now
        return now

    def moment(self) -> datetime:
        """As `now`, an aware time in UTC."""
        return _EPOCH + timedelta(microseconds=self.now())

    def monotonic(self) -> float:
        """Seconds since some moment; a wall clock that is set does not change it."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self.wait_for(asyncio.Event(), seconds)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Handle:
        """Call it so many seconds from now, on the running event loop."""
        return asyncio.get_running_loop().call_later(seconds, call)

    async def wait_for(self, event: asyncio.Event | asyncio.Future[None], seconds: float) -> bool:
        """Whether it happens within `seconds`; returns as soon as it does. A future is not cancelled."""
        happening: asyncio.Future[Any] = event if isinstance(event, asyncio.Future) else _task(event)
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        handle = self.call_later(seconds, lambda: None if over.done() else over.set_result(None))
        try:
            await asyncio.wait([happening, over], return_when=asyncio.FIRST_COMPLETED)
            return happening.done()
        finally:
            handle.cancel()
            if happening is not event:
                happening.cancel()


_IDS_AT_ONCE = 64


class Ids:
    """Random ids, of random bytes that are asked for many at once. Not to be shared with a forked process."""

    def __init__(self) -> None:
        self._digits: list[str] = []
        self._counted: list[str] = []

    def guid(self) -> str:
        """A random UUID (version 4) with dashes; made by hand because ``uuid.uuid4`` costs five times as much."""
        digits = self.hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def guids(self, count: int) -> list[str]:
        """So many at once: they begin alike and count on, for work that needs ids in numbers."""
        head, tail = self.guid()[:24], int.from_bytes(os.urandom(6), "big")
        return [f"{head}{(tail + number) & 0xFFFFFFFFFFFF:012x}" for number in range(count)]

    def counted_guid(self) -> str:
        """One of `guids`, for what is only to be told apart: whoever knows one may guess the next."""
        if not self._counted:
            self._counted = self.guids(_IDS_AT_ONCE)
        return self._counted.pop()

    def hex(self) -> str:
        """Its 32 digits alone."""
        if not self._digits:
            random = os.urandom(16 * _IDS_AT_ONCE).hex()
            self._digits = [random[at : at + 32] for at in range(0, len(random), 32)]
        digits = self._digits.pop()
        return f"{digits[:12]}4{digits[13:16]}{'89ab'[int(digits[16], 16) & 3]}{digits[17:]}"


def _task(event: asyncio.Event) -> asyncio.Task[Any]:
    return asyncio.get_running_loop().create_task(event.wait())


CLOCK = Clock()
IDS = Ids()
