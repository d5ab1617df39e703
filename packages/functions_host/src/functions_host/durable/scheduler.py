"""Which instances have something to do, and how many may do it at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from functions_host.driven import Drive
from functions_host.durable.timers import Timers

logger = logging.getLogger(__name__)

_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 60.0


# What an orchestration's step takes. Turns of entities take less: handed over together they share a message and a
# commit, and run one after another all the same.
PLACE = 4


class Runnable(Protocol):
    """An orchestration or an entity: never more than one step of it at a time."""

    instance_id: str
    queued: bool
    running: bool

    @property
    def weight(self) -> int:
        """How much of one of the scheduler's places its step takes, in `PLACE`-ths."""
        ...

    def has_work(self) -> bool: ...


Start = Callable[[Runnable], bool]


class Scheduler:
    """First come, first served; `limit` steps at a time, or `PLACE` turns of entities for one. What broke off is tried
    again later and later.
    """

    def __init__(
        self,
        limit: int,
        step: Callable[[Runnable], Coroutine[Any, Any, None]],
        timers: Timers,
        start: Start | None = None,
        started: Callable[[], None] | None = None,
    ) -> None:
        """`start` takes a step that needs no task, and has `ended` called when it is over; False: `step` is to run it.
        `started` is called when it has been given all that may run now.
        """
        self._limit = limit * PLACE
        self._load = 0
        self._step = step
        self._start = start
        self._started = started
        self._pump_is_due = False
        self._idle = asyncio.Event()
        self._queue: deque[Runnable] = deque()
        self._steps = Drive()
        self._active = 0
        self._stopped = True
        self._timers = timers
        self._broken: dict[str, int] = {}

    def start(self) -> None:
        """What waits begins in the next turn of the loop."""
        self._stopped = False
        self._pump_soon()

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
            self._pump_soon()

    async def stop(self, grace: float) -> None:
        """No new step; those that run get `grace` seconds."""
        self._stopped = True
        until = asyncio.get_running_loop().time() + grace
        await self._steps.finish_within(grace)
        while self._active and (left := until - asyncio.get_running_loop().time()) > 0:
            self._idle.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._idle.wait(), left)

    def _pump_soon(self) -> None:
        """In the next turn of the loop: what arrives in this one at one instance is done in one step."""
        if self._queue and not self._pump_is_due and not self._stopped:
            self._pump_is_due = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._pump_is_due = False
        queue = self._queue
        while queue and not self._stopped and self._load + queue[0].weight <= self._limit:
            self._begin(queue.popleft())
        if self._started is not None:
            self._started()

    def _begin(self, instance: Runnable) -> None:
        instance.queued = False
        instance.running = True
        self._active += 1
        self._load += instance.weight
        if self._start is not None and self._start(instance):
            return
        self._steps.start(self._run(instance))

    async def _run(self, instance: Runnable) -> None:
        error: BaseException | None = None
        try:
            await self._step(instance)
        except asyncio.CancelledError:
            raise
        except Exception as broke_off:
            error = broke_off
        finally:
            self.ended(instance, error)

    def ended(self, instance: Runnable, error: BaseException | None = None) -> None:
        """Its step is over, or broke off."""
        instance.running = False
        self._active -= 1
        self._load -= instance.weight
        if error is not None:
            # What SQLite says needs no stack.
            stack = None if isinstance(error, sqlite3.Error) else error
            logger.error("durable: a step of instance %s broke off: %s", instance.instance_id, error, exc_info=stack)
            self._try_later(instance)
        elif self._broken:
            self._broken.pop(instance.instance_id, None)
        if instance.has_work():
            self.ready(instance)
        self._pump_soon()
        if self._stopped and not self._active:
            self._idle.set()

    def _try_later(self, instance: Runnable) -> None:
        times = self._broken[instance.instance_id] = self._broken.get(instance.instance_id, 0) + 1
        instance.queued = True

        def again() -> None:
            instance.queued = False
            if instance.has_work():
                self.ready(instance)

        self._timers.after(min(_FIRST_DELAY_SECONDS * 2 ** (times - 1), _LONGEST_DELAY_SECONDS), again)
