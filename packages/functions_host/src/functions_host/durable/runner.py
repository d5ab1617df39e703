"""What the engine asks of the host: run one function and say what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from functions_host.durable.entity_calls import EntityAnswer, EntityCall


class UserFunctionError(Exception):
    """A function raised. The three parts are what the real Python worker reports to its host.

    `type_name`: the exception's class name (``ValueError``); `message`: ``str(exception)``; `stack`: the formatted
    traceback, user frames only. A failed activity reads ``Activity function 'boom' failed:  ValueError: <message>``.
    An orchestrator that fails on purpose carries its state after ``$OutOfProcData$:`` in `message`.
    """

    def __init__(self, type_name: str, message: str, stack: str = "") -> None:
        super().__init__(f"{type_name}: {message}")
        self.type_name = type_name
        self.message = message
        self.stack = stack


class WorkItemLostError(Exception):
    """What ran the function ended before it answered: its process died, or was ended because it took too long.

    The engine runs the work item again; one that was running at three such ends is failed instead (see `deaths`).
    `blamed` False: another function was why, this one only ran beside it; it is run again however often.
    The text says what happened (``the worker process ended with exit code 1``).
    """

    def __init__(self, reason: str, blamed: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.blamed = blamed


# Gets the answer, or what a coroutine would have raised.
EntityFinished = Callable[["EntityAnswer | None", "BaseException | None"], None]


class FunctionRunner(Protocol):
    """Implemented by the host. The mappings hold registered names as the app spells them; the engine folds case.

    `orchestrators`, `activities`, `entities` are read at each call, so that an app may be loaded after the engine.
    Each coroutine raises UserFunctionError for what the function did, WorkItemLostError for what became of its process.
    """

    @property
    def orchestrators(self) -> Mapping[str, Any]: ...
    @property
    def activities(self) -> Mapping[str, Any]: ...
    @property
    def entities(self) -> Mapping[str, Any]: ...

    async def run_orchestrator(self, name: str, context_json: str, instance_id: str) -> str:
        """Run one step of an orchestrator; returns the SDK's JSON state. `name` is spelt as registered."""
        ...

    async def run_activity(self, name: str, input_json: str | None, instance_id: str) -> str | None:
        """Run an activity; `input_json` is what the SDK put into the action; returns JSON text of the result."""
        ...

    def start_entities(self, name: str, calls: Sequence[tuple[EntityCall, EntityFinished]], at_once: int) -> None:
        """Run batches of operations of different entities; each `finished` is called once, now or later. Entities'
        steps are many and short: each its own task would cost more than what it does. No more than `at_once` of them
        may run at any time, whatever else was started.
        """
        ...
