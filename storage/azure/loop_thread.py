"""An event loop of the store's own, in a thread of its own.

The SDKs' clients belong to the loop in which they were made. With this one, there is one client per process, whatever
loop or thread a function is called on.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    async def run(self, call: Coroutine[Any, Any, T]) -> T:
        """The call's result, awaited on the caller's loop, run on this one. Cancelling the one cancels the other."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call, self._loop))

    async def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()


class OnLoop:
    """``port`` with all its coroutines run on ``thread``."""

    def __init__(self, port: object, thread: LoopThread) -> None:
        self._port = port
        self._thread = thread

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        return _moved(member, self._thread) if inspect.iscoroutinefunction(member) else member


def _moved(method: Callable[..., Coroutine[Any, Any, T]], thread: LoopThread) -> Callable[..., Awaitable[T]]:
    @functools.wraps(method)
    async def moved(*args: Any, **kwargs: Any) -> T:
        return await thread.run(method(*args, **kwargs))

    return moved
