"""Frames that have arrived already are read without giving up the event loop in between.

azure-eventhub reads every frame under ``asyncio.wait_for``. Before Python 3.12 that makes a task for each one, so an
event takes a turn or two of the loop even when its bytes are there; in a loop that is busy with the app a turn takes
milliseconds, and a partition that should give thousands of events a second gives a hundred. Python 3.12's own wait_for
awaits in place; here older ones do the same.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import types
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")

_MODULE = "azure.eventhub._pyamqp.aio._transport_async"


async def wait_for(awaitable: Awaitable[T], timeout: float | None = None) -> T:
    """As ``asyncio.wait_for`` of Python 3.12: in place, ``asyncio.TimeoutError`` when ``timeout`` seconds are over."""
    if sys.version_info >= (3, 11):
        async with asyncio.timeout(timeout):
            return await awaitable
    else:
        from async_timeout import timeout as expiring  # type: ignore[import-not-found]  # aiohttp's, on 3.10

        async with expiring(timeout):
            return await awaitable


def install_quick_frames() -> None:
    """Let azure-eventhub's transport of this process use it. Nothing to do from Python 3.12 on."""
    if sys.version_info >= (3, 12):
        return
    transport = importlib.import_module(_MODULE)
    if transport.asyncio is asyncio:
        same_but_one = types.ModuleType("asyncio")
        same_but_one.__dict__.update(asyncio.__dict__)
        same_but_one.__dict__["wait_for"] = wait_for
        transport.__dict__["asyncio"] = same_but_one
