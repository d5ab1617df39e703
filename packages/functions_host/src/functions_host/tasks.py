"""Background tasks: their unexpected end is not silent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from functions_host.clock import CLOCK

logger = logging.getLogger("functions_host")

_DELAYS = (0.1, 0.5, 2.0, 5.0)
_WELL_SECONDS = 30.0


def spawn(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Run `work` in a task of the running loop; an exception that ends it is logged with its trace."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    task.add_done_callback(_report)
    return task


class Supervised:
    """A task that is started again when it ends by itself; see `supervise`."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        self._make = make
        self._name = name
        self._task = asyncio.get_running_loop().create_task(self._run(), name=name)

    def done(self) -> bool:
        return self._task.done()

    def cancel(self) -> None:
        self._task.cancel()

    async def stop(self, grace: float = 0.0) -> None:
        """Let it end within `grace` seconds, else cancel it."""
        await asyncio.wait([self._task], timeout=grace)
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        failures = 0
        while True:
            begun = CLOCK.monotonic()
            # A task of its own tells its cancellation, which is a way to break off, from that of this one.
            inner = asyncio.get_running_loop().create_task(self._make(), name=self._name)
            try:
                await asyncio.wait([inner])
            finally:
                inner.cancel()
            if not inner.cancelled() and inner.exception() is None:
                return
            error = asyncio.CancelledError() if inner.cancelled() else inner.exception()
            failures = failures + 1 if CLOCK.monotonic() - begun < _WELL_SECONDS else 0
            delay = _DELAYS[min(failures, len(_DELAYS) - 1)]
            trace = None if error is None else (type(error), error, error.__traceback__)
            logger.critical("%s ended unexpectedly; it is started again in %.1f s", self._name, delay, exc_info=trace)
            await CLOCK.sleep(delay)


def supervise(make: Callable[[], Coroutine[Any, Any, None]], name: str) -> Supervised:
    """Run ``make()`` in a task of the running loop until it returns; when it breaks off, say so and run it again.

    A cancellation that did not come by `Supervised.cancel` or `Supervised.stop` breaks it off like any exception.
    """
    return Supervised(make, name)


def tell_end(name: str, error: BaseException) -> None:
    """What nobody waits for ended by an error: it is logged with its trace."""
    logger.critical("%s ended unexpectedly; it is stalled until a restart", name, exc_info=error)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        tell_end(task.get_name(), error)
