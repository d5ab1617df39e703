"""A FunctionRunner over a real azure-functions-durable app, as thin as can be: the host, without a host."""

from __future__ import annotations

import asyncio
import inspect
import json
import traceback
from collections.abc import Mapping
from typing import Any

import azure.functions as func
from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum
from functions_host.durable import UserFunctionError


class AppRunner:
    """Runs orchestrators and entities on the loop, synchronous activities in a thread when `threads` is set."""

    def __init__(self, app: Any, threads: bool = True) -> None:
        self.orchestrators: dict[str, Any] = {}
        self.activities: dict[str, Any] = {}
        self.entities: dict[str, Any] = {}
        self.clients: dict[str, Any] = {}
        self.contexts: list[tuple[str, str, str, str]] = []
        self.keep_contexts = True
        self._threads = threads
        for function in app.get_functions():
            trigger = function.get_trigger()
            kinds: Mapping[str, dict[str, Any]] = {
                "orchestrationTrigger": self.orchestrators,
                "activityTrigger": self.activities,
                "entityTrigger": self.entities,
            }
            name = function.get_function_name()
            kinds.get(trigger.get_binding_name(), self.clients)[name] = function.get_user_function()

    async def run_orchestrator(self, name: str, context_json: str, instance_id: str) -> str:
        return await self._handle("orchestrator", name, self.orchestrators[name], context_json, instance_id)

    async def run_entity(self, name: str, context_json: str, instance_id: str) -> str:
        return await self._handle("entity", name, self.entities[name], context_json, instance_id)

    async def run_activity(self, name: str, input_json: str | None, instance_id: str) -> str | None:
        function = self.activities[name]
        try:
            value = ActivityTriggerConverter.decode(Datum(input_json, "string"), trigger_metadata=None)
            if inspect.iscoroutinefunction(function):
                result = await function(value)
            elif self._threads:
                result = await asyncio.to_thread(function, value)
            else:
                result = function(value)
            encoded: str = ActivityTriggerConverter.encode(result, expected_type=None).value
        except Exception as error:
            raise _reported(error) from error
        return encoded

    async def _handle(self, kind: str, name: str, function: Any, context_json: str, instance_id: str) -> str:
        try:
            answer: str = function(func.OrchestrationContext(context_json))
        except Exception as error:
            if self.keep_contexts:
                self.contexts.append((kind, name, context_json, json.dumps({"raised": str(error)})))
            raise _reported(error) from error
        if self.keep_contexts:
            self.contexts.append((kind, name, context_json, answer))
        return answer


def _reported(error: Exception) -> UserFunctionError:
    return UserFunctionError(type(error).__name__, str(error), "".join(traceback.format_tb(error.__traceback__)))
