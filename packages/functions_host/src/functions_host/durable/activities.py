"""Running activities, so many at a time; each at least once, its result exactly once."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from functions_host.driven import Drive
from functions_host.durable import failures
from functions_host.durable.actions import HTTP_ACTIVITY
from functions_host.durable.deaths import Deaths, item_key
from functions_host.durable.http_activity import HttpActivity
from functions_host.durable.jsontext import recompact
from functions_host.durable.names import Names
from functions_host.durable.runner import FunctionRunner, UserFunctionError, WorkItemLostError

logger = logging.getLogger(__name__)


class ActivityTask(NamedTuple):
    """One scheduled activity; `input` is the SDK's JSON text."""

    instance_id: str
    execution_id: str
    task_id: int
    name: str
    input: str | None


class ActivityResult(NamedTuple):
    """`reason` None: it succeeded and `result` is compact JSON text."""

    task: ActivityTask
    result: str | None = None
    reason: str | None = None
    details: str | None = None


class Activities:
    """`finished` is called once a task with its result; a task that is interrupted by stop is not finished."""

    def __init__(
        self,
        limit: int,
        runner: FunctionRunner,
        names: Names,
        deaths: Deaths,
        finished: Callable[[ActivityResult], None],
    ) -> None:
        self._limit = limit
        self._runner = runner
        self._names = names
        self._deaths = deaths
        self._finished = finished
        self._http = HttpActivity()
        self._queue: deque[ActivityTask] = deque()
        self._running = Drive()
        self._pump_is_due = False
        self._active = 0
        self._stopped = True

    @property
    def backlog(self) -> int:
        return len(self._queue)

    @property
    def active(self) -> int:
        return self._active

    def start(self) -> None:
        """What waits begins in the next turn of the loop."""
        self._stopped = False
        self._pump_soon()

    def add(self, task: ActivityTask) -> None:
        self._queue.append(task)
        self._pump_soon()

    async def stop(self, grace: float) -> None:
        """No new activity; those that run get `grace` seconds."""
        self._stopped = True
        await self._running.finish_within(grace)
        await self._http.close()

    def _pump_soon(self) -> None:
        """In the next turn of the loop: behind the turns of entities that were told something in this one."""
        if not self._pump_is_due:
            self._pump_is_due = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._pump_is_due = False
        while self._queue and self._active < self._limit and not self._stopped:
            self._active += 1
            self._running.start(self._run(self._queue.popleft()))

    async def _run(self, task: ActivityTask) -> None:
        try:
            result = await self._call(task)
        except WorkItemLostError as lost:
            logger.warning("activity '%s' of '%s' is run again: %s", task.name, task.instance_id, lost)
            self._queue.append(task)
            return
        finally:
            self._active -= 1
            if self._queue:
                self._pump_soon()
        self._finished(result)

    async def _call(self, task: ActivityTask) -> ActivityResult:
        try:
            if task.name == HTTP_ACTIVITY:
                # As a task of its own: its timeouts ask for one.
                return ActivityResult(task, await asyncio.create_task(self._http.call(task.input)))
            name = self._names.find(task.name)
            if name is None:
                text = failures.unknown_function("activity", task.name, self._names.all())
                return ActivityResult(task, reason=f"Activity function '{task.name}' failed: {text}")
            item = item_key(f"a {task.execution_id} {task.task_id} {task.instance_id}")
            return ActivityResult(task, recompact(await self._deaths.run(item, partial(self._ask, name, task))))
        except UserFunctionError as error:
            return _failed(task, error)
        except WorkItemLostError:
            raise
        except BaseException as error:
            if self._stopped:
                raise
            logger.exception("activity '%s' of '%s' broke off in the host", task.name, task.instance_id)
            return _failed(task, UserFunctionError(type(error).__name__, str(error), traceback.format_exc()))

    def _ask(self, name: str, task: ActivityTask) -> Awaitable[str | None]:
        return self._runner.run_activity(name, task.input, task.instance_id)


def _failed(task: ActivityTask, error: UserFunctionError) -> ActivityResult:
    return ActivityResult(
        task, reason=failures.activity_reason(task.name, error), details=failures.activity_details(error)
    )
