"""Frames that have arrived already are read without giving up the event loop in between, and without a timer each.

azure-eventhub reads every frame under ``asyncio.wait_for``. Before Python 3.12 that makes a task for each one, so an
event takes a turn or two of the loop even when its bytes are there; in a loop that is busy with the app a turn takes
milliseconds, and a partition that should give thousands of events a second gives a hundred. Python 3.12's own wait_for
awaits in place, but still sets a timer for a frame that is there. Here the time starts only when there is something to
wait for.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import types
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")

_MODULE = "azure.eventhub._pyamqp.aio._transport_async"


async def wait_for(coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
    """As ``asyncio.wait_for``, for a coroutine: ``asyncio.TimeoutError`` when ``timeout`` seconds are over."""
    try:
        waits_on = coroutine.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    if sys.version_info >= (3, 11):
        async with asyncio.timeout(timeout):
            return await _rest(coroutine, waits_on)
    else:
        from async_timeout import timeout as expiring  # type: ignore[import-not-found]  # aiohttp's, on 3.10

        async with expiring(timeout):
            return await _rest(coroutine, waits_on)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, T], waits_on: Any) -> Generator[Any, Any, T]:
    """Goes on with a coroutine that has been started and waits on something."""
    try:
        while True:
            try:
                sent = yield waits_on
            except BaseException as thrown:
                waits_on = coroutine.throw(thrown)
            else:
                waits_on = coroutine.send(sent)
    except StopIteration as done:
        value: T = done.value
        return value


def install_quick_frames() -> None:
    """Let azure-eventhub's transport of this process use it."""
    transport = importlib.import_module(_MODULE)
    if transport.asyncio is asyncio:
        same_but_one = types.ModuleType("asyncio")
        same_but_one.__dict__.update(asyncio.__dict__)
        same_but_one.__dict__["wait_for"] = wait_for
        transport.__dict__["asyncio"] = same_but_one
