"""Background tasks: their unexpected end is not silent, and a stop gives them time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

logger = logging.getLogger("functions_host")


def spawn(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Run `work` in a task of the running loop; an exception that ends it is logged with its trace."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    task.add_done_callback(_report)
    return task


async def finish_within(tasks: Iterable[asyncio.Task[Any]], grace: float) -> None:
    """Wait `grace` seconds for the tasks to end; cancel those that have not, and wait for that."""
    running = set(tasks)
    if not running:
        return
    _, late = await asyncio.wait(running, timeout=grace)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        trace = (type(error), error, error.__traceback__)
        logger.critical("%s ended unexpectedly; it stands still until a restart", task.get_name(), exc_info=trace)
