"""How many requests a receiver gets at once, so that one which hangs takes no room from the others.

A receiver that answers is sent a few at a time. One that fails, or has not answered for a second, is sent one at a
time, and rests in between, longer after each failure; whoever has a notice for it meanwhile is told to come back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp

from webhooks.connecting import post

AT_ONCE = 6
SLOW_SECONDS = 1.0
PATIENCE_SECONDS = 0.5
"""How long one waits for its turn at a receiver that answers."""
FIRST_REST_SECONDS = 0.5
LONGEST_REST_SECONDS = 15.0
_LOOK_SECONDS = 0.02

Post = Callable[[str, bytes, dict[str, str]], Awaitable[int]]


@dataclass(frozen=True)
class Answer:
    """``delivered`` by a 2xx; ``gone`` by a 410, after which nothing more is wanted there; ``reason`` in words."""

    delivered: bool
    gone: bool
    reason: str


@dataclass(frozen=True)
class Later:
    """Nothing was sent: come back in so many ``seconds``."""

    seconds: float


@dataclass
class _Receiver:
    under_way: dict[int, float] = field(default_factory=dict)  # number -> since
    failures: int = 0
    rests_until: float = 0.0


@dataclass
class Receivers:
    """What one process knows of its receivers."""

    post: Post = post
    clock: Callable[[], float] = time.monotonic
    _known: dict[str, _Receiver] = field(default_factory=dict)
    _numbers: int = 0

    async def send(self, key: str, url: str, body: bytes, headers: dict[str, str]) -> Answer | Later:
        receiver = self._known.setdefault(key, _Receiver())
        later = await self._turn(receiver)
        if later is not None:
            return later
        self._numbers += 1
        number = self._numbers
        receiver.under_way[number] = self.clock()
        try:
            answer = await self._post(url, body, headers)
        finally:
            del receiver.under_way[number]
        if answer.delivered:
            receiver.failures, receiver.rests_until = 0, 0.0
        else:
            receiver.failures += 1
            rest = min(FIRST_REST_SECONDS * 2 ** min(receiver.failures, 10), LONGEST_REST_SECONDS)
            receiver.rests_until = self.clock() + rest
        return answer

    async def _turn(self, receiver: _Receiver) -> Later | None:
        until = self.clock() + PATIENCE_SECONDS
        while True:
            now = self.clock()
            if receiver.rests_until > now:
                return Later(receiver.rests_until - now)
            hangs = any(now - since > SLOW_SECONDS for since in receiver.under_way.values())
            if len(receiver.under_way) < (1 if hangs or receiver.failures else AT_ONCE):
                return None
            if hangs or now >= until:
                return Later(SLOW_SECONDS)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        try:
            status = await self.post(url, body, headers)
        except (asyncio.TimeoutError, TimeoutError):
            return Answer(False, False, "no answer in time")
        except (aiohttp.ClientError, OSError) as error:
            # The error's own text may hold the URL.
            return Answer(False, False, f"not reached ({type(error).__name__})")
        if 200 <= status < 300:
            return Answer(True, False, f"HTTP {status}")
        redirected = " (no redirect is followed)" if 300 <= status < 400 else ""
        return Answer(False, status == 410, f"HTTP {status}{redirected}")
