"""Background tasks whose unexpected end is not silent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

logger = logging.getLogger("functions_host")


def spawn(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Run `work` in a task of the running loop; an exception that ends it is logged with its trace."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    task.add_done_callback(_report)
    return task


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        trace = (type(error), error, error.__traceback__)
        logger.critical("%s ended unexpectedly; it stands still until a restart", task.get_name(), exc_info=trace)
