"""Lends the app's orchestrators, activities and entities to the durable engine."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from typing import Any

from azure.functions import EntityContext, OrchestrationContext
from azure.functions.meta import Datum

from functions_host.context import current, new_invocation
from functions_host.durable import UserFunctionError
from functions_host.errors import FunctionFailed, user_traceback
from functions_host.functions import FunctionInfo
from functions_host.invoker import Invoker

logger = logging.getLogger("functions_host.durable")


class AppRunner:
    """Implements the engine's FunctionRunner over the invoker.

    Orchestrators and entities are short and synchronous (the SDK's handles): they run on the event loop, which on
    two cores is faster than handing them to a thread that then competes for the same lock.
    """

    def __init__(self, functions: list[FunctionInfo], invoker: Invoker) -> None:
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
        return self._run_handle(self._orchestrators[name], OrchestrationContext(context_json))

    async def run_entity(self, name: str, context_json: str, instance_id: str) -> str:
        return self._run_handle(self._entities[name], EntityContext(context_json))

    async def run_activity(self, name: str, input_json: str | None, instance_id: str) -> str | None:
        function = self._activities[name]
        datum = Datum("null" if input_json is None else input_json, "string")
        try:
            result = await self._invoker.invoke(function, datum, level=logging.DEBUG)
        except FunctionFailed as error:
            raise user_error(error.cause) from error
        return None if result.returned is None else str(result.returned.value)

    def _run_handle(self, function: FunctionInfo, context: Any) -> str:
        invocation = new_invocation(function.name, function.directory)
        token = current.set(invocation)
        try:
            state = function.call(context)
            return state if isinstance(state, str) else str(state)
        except Exception as error:
            raise user_error(error) from error
        finally:
            current.reset(token)


def user_error(error: BaseException) -> UserFunctionError:
    """The three parts the worker reports: class name, text, and the trace below the host's own frames."""
    stack = "".join(traceback.format_tb(user_traceback(error)))
    return UserFunctionError(type(error).__name__, str(error), stack)
