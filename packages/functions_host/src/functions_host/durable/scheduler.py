"""Which instances have something to do, and how many may do it at once."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from functions_host.tasks import finish_within

logger = logging.getLogger(__name__)


class Runnable(Protocol):
    """An orchestration or an entity: never more than one step of it at a time."""

    instance_id: str
    queued: bool
    running: bool

    def has_work(self) -> bool: ...


class Scheduler:
    """First come, first served; `limit` steps at a time."""

    def __init__(self, limit: int, step: Callable[[Runnable], Awaitable[None]]) -> None:
        self._limit = limit
        self._step = step
        self._queue: deque[Runnable] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._active = 0
        self._stopped = True

    def start(self) -> None:
        self._stopped = False
        self._pump()

    @property
    def backlog(self) -> int:
        """Instances that wait for a turn."""
        return len(self._queue)

    @property
    def active(self) -> int:
        """Steps that run now."""
        return self._active

    def ready(self, instance: Runnable) -> None:
        """It has work; harmless if it is queued or running already."""
        if not instance.queued and not instance.running:
            instance.queued = True
            self._queue.append(instance)
            self._pump()

    async def stop(self, grace: float) -> None:
        """No new step; those that run get `grace` seconds."""
        self._stopped = True
        await finish_within(self._tasks, grace)

    def _pump(self) -> None:
        while self._queue and self._active < self._limit and not self._stopped:
            instance = self._queue.popleft()
            instance.queued = False
            instance.running = True
            self._active += 1
            task = asyncio.get_running_loop().create_task(self._run(instance))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, instance: Runnable) -> None:
        try:
            await self._step(instance)
        except asyncio.CancelledError:
            raise
        except Exception:
            logger.exception("durable: a step of instance %s broke off", instance.instance_id)
        finally:
            instance.running = False
            self._active -= 1
            if instance.has_work():
                self.ready(instance)
            else:
                self._pump()
