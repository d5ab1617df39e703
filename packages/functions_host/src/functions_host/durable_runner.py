"""Lends the app's orchestrators, activities and entities to the durable engine."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial

from functions_host.durable import UserFunctionError, WorkItemLostError
from functions_host.durable.entity_calls import EntityAnswer, EntityCall
from functions_host.durable.runner import EntityFinished
from functions_host.errors import FunctionFailed, FunctionTimeout, UserError, WorkerLost
from functions_host.functions import FunctionInfo
from functions_host.invoker import Invoker
from functions_host.payloads import Value, handle, plain


class AppRunner:
    """Implements the engine's FunctionRunner over the invoker."""

    def __init__(self, functions: Sequence[FunctionInfo], invoker: Invoker) -> None:
        self._invoker = invoker
        by_kind: dict[str, dict[str, FunctionInfo]] = {}
        for function in functions:
            by_kind.setdefault(function.kind, {})[function.durable_name] = function
        self._orchestrators = by_kind.get("orchestrationTrigger", {})
        self._activities = by_kind.get("activityTrigger", {})
        self._entities = by_kind.get("entityTrigger", {})

    @property
    def orchestrators(self) -> Mapping[str, FunctionInfo]:
        return self._orchestrators

    @property
    def activities(self) -> Mapping[str, FunctionInfo]:
        return self._activities

    @property
    def entities(self) -> Mapping[str, FunctionInfo]:
        return self._entities

    async def run_orchestrator(self, name: str, context_json: str, instance_id: str) -> str:
        function = self._orchestrators[name]
        try:
            value = await self._invoker.handle(function, handle(context_json))
        except (UserError, WorkerLost, FunctionTimeout) as error:
            raise _told(function, error) from error
        return str(value[2])

    def start_entities(self, name: str, calls: Sequence[tuple[EntityCall, EntityFinished]], at_once: int) -> None:
        function = self._entities[name]
        self._invoker.hand_over(
            function,
            [(("entity", *call), partial(_answered, function, finished)) for call, finished in calls],
            at_once,
        )

    async def run_activity(self, name: str, input_json: str | None, instance_id: str) -> str | None:
        payload = plain("string", "null" if input_json is None else input_json)
        try:
            result = await self._invoker.invoke(self._activities[name], payload, level=logging.DEBUG)
        except FunctionFailed as failed:
            error = failed.cause
            if isinstance(error, WorkerLost):
                raise WorkItemLostError(str(error), error.blamed) from error
            if isinstance(error, UserError):
                raise _user_error(error) from error
            raise UserFunctionError(type(error).__name__, str(error)) from error
        return None if result.returned is None else str(result.returned[2])


def _answered(function: FunctionInfo, finished: EntityFinished, value: Value, error: Exception | None) -> None:
    if value is not None:
        finished(EntityAnswer(*value[1:]), None)
    else:
        finished(None, None if error is None else _told(function, error))


def _told(function: FunctionInfo, error: Exception) -> Exception:
    """What became of a step, as the engine knows it."""
    if isinstance(error, UserError):
        return _user_error(error)
    if isinstance(error, WorkerLost):
        return WorkItemLostError(str(error), error.blamed)
    if isinstance(error, FunctionTimeout):
        # It blocks its worker, which is ended for it: like a step whose worker died, it may be tried again.
        return WorkItemLostError(f"{function.name} {error}")
    return error


def _user_error(error: UserError) -> UserFunctionError:
    return UserFunctionError(error.type_name, error.message, error.stack)
