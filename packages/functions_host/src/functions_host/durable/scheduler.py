"""Which instances have something to do, and how many may do it at once."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from functions_host.durable.timers import Timers
from functions_host.tasks import finish_within

logger = logging.getLogger(__name__)

_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 60.0


class Runnable(Protocol):
    """An orchestration or an entity: never more than one step of it at a time."""

    instance_id: str
    queued: bool
    running: bool

    def has_work(self) -> bool: ...


class Scheduler:
    """First come, first served; `limit` steps at a time. One that broke off is tried again later and later."""

    def __init__(self, limit: int, step: Callable[[Runnable], Awaitable[None]], timers: Timers) -> None:
        self._limit = limit
        self._step = step
        self._queue: deque[Runnable] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._active = 0
        self._stopped = True
        self._timers = timers
        self._broken: dict[str, int] = {}

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
        broke_off = False
        try:
            await self._step(instance)
        except asyncio.CancelledError:
            raise
        except sqlite3.Error as error:
            broke_off = True
            logger.error("durable: a step of instance %s broke off: %s", instance.instance_id, error)
        except Exception:
            broke_off = True
            logger.exception("durable: a step of instance %s broke off", instance.instance_id)
        finally:
            instance.running = False
            self._active -= 1
            if broke_off:
                self._try_later(instance)
            elif self._broken:
                self._broken.pop(instance.instance_id, None)
            if instance.has_work():
                self.ready(instance)
            self._pump()

    def _try_later(self, instance: Runnable) -> None:
        times = self._broken[instance.instance_id] = self._broken.get(instance.instance_id, 0) + 1
        instance.queued = True

        def again() -> None:
            instance.queued = False
            if instance.has_work():
                self.ready(instance)

        self._timers.after(min(_FIRST_DELAY_SECONDS * 2 ** (times - 1), _LONGEST_DELAY_SECONDS), again)
