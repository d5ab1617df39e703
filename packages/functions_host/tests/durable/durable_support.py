"""A FunctionRunner over a real azure-functions-durable app, as thin as can be: the host, without a host."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import azure.functions as func
from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum
from functions_host.durable import (
    DurableEngine,
    DurableOptions,
    ManagementRequest,
    ManagementResponse,
    UserFunctionError,
)
from functions_host.durable.entities import entity_instance_id
from functions_host.durable.entity_calls import EntityAnswer, EntityCall
from functions_host.durable.runner import EntityFinished


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
        self._tasks: set[asyncio.Task[None]] = set()
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

    def start_entities(self, name: str, calls: Sequence[tuple[EntityCall, EntityFinished]], at_once: int) -> None:
        async def run(call: EntityCall, finished: EntityFinished) -> None:
            try:
                answer = await self.run_entity(name, call, entity_instance_id(call.name, call.key))
            except BaseException as error:
                finished(None, error)
            else:
                finished(answer, None)

        for call, finished in calls:
            task = asyncio.get_running_loop().create_task(run(call, finished))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def run_entity(self, name: str, call: EntityCall, instance_id: str) -> EntityAnswer:
        return EntityAnswer.parse(await self._handle("entity", name, self.entities[name], call.json(), instance_id))

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
                self.contexts.append(
                    (kind, name, context_json, json.dumps({"raised": f"{type(error).__name__}: {error}"}))
                )
            raise _reported(error) from error
        if self.keep_contexts:
            self.contexts.append((kind, name, context_json, answer))
        return answer


def _reported(error: Exception) -> UserFunctionError:
    return UserFunctionError(type(error).__name__, str(error), "".join(traceback.format_tb(error.__traceback__)))


class Answer:
    """Status, headers and parsed body of a management call."""

    def __init__(self, response: ManagementResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.text = response.body.decode()
        self.body: Any = json.loads(self.text) if self.text else None


class Host:
    """An engine and the calls tests make on it."""

    def __init__(self, app: Any, data: Path, options: DurableOptions, accelerate: bool = False, **runner: Any) -> None:
        self.runner = AppRunner(app, **runner)
        self.engine = DurableEngine(data, options, self.runner)
        self.engine.base_url = "http://127.0.0.1:7071"
        self._accelerate = accelerate
        self._running = False

    async def start(self) -> None:
        await self.engine.start()
        if self._accelerate:
            self.engine.install_sdk_acceleration()
        self._running = True

    async def stop(self, grace: float = 5.0) -> None:
        if self._running:
            self._running = False
            await self.engine.stop(grace)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        """`path` may have a query; `body` goes out as JSON, `raw` as it is."""
        route, _, query = path.partition("?")
        content = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        request = ManagementRequest(
            method,
            route,
            parse_qsl(query, keep_blank_values=True),
            {"content-type": "application/json"} if headers is None else headers,
            content,
            self.engine.base_url,
        )
        return Answer(await self.engine.handle_management(request))

    async def start_new(self, name: str, instance_id: str | None = None, value: Any = None) -> str:
        """As the SDK starts: the input is a JSON string that holds JSON."""
        path = f"orchestrators/{name}" + (f"/{instance_id}" if instance_id else "")
        answer = await self.call("POST", path, None if value is None else json.dumps(value))
        assert answer.status == 202, answer.text
        return str(answer.body["id"])

    async def end_of(self, instance_id: str, seconds: float = 20.0) -> Any:
        """Its status once it is over."""
        await self.engine.clients.wait_for_end(instance_id, seconds)
        answer = await self.call("GET", f"instances/{instance_id}")
        assert answer.status == 200, f"{instance_id} is not over: {answer.text}"
        return answer.body

    async def run(self, name: str, instance_id: str, value: Any = None) -> Any:
        await self.start_new(name, instance_id, value)
        return await self.end_of(instance_id)

    def is_quiet(self) -> bool:
        """Whether no step and no activity runs or waits."""
        return not any(self._busy())

    async def quiet(self, seconds: float = 20.0) -> None:
        await self.until(self.is_quiet, seconds)

    async def settled(self, seconds: float = 20.0) -> None:
        """Until no step runs or waits; activities and timers may."""
        await self.until(lambda: not any(self._busy()[:3]), seconds)

    async def until(self, condition: Callable[[], Any], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"still not: {self.engine.health()}"
            await asyncio.sleep(0.002)

    async def status(self, instance_id: str, wanted: str, seconds: float = 20.0) -> Any:
        """Its status once that is `wanted`."""
        deadline = time.monotonic() + seconds
        while True:
            answer = await self.call("GET", f"instances/{instance_id}")
            if answer.body and answer.body["runtimeStatus"] == wanted:
                return answer.body
            assert time.monotonic() < deadline, f"{instance_id} is not {wanted}: {answer.text}"
            await asyncio.sleep(0.002)

    def _busy(self) -> list[int]:
        health = self.engine.health()
        names = ("steps", "stepBacklog", "entityBacklog", "activities", "activityBacklog")
        return [health[name] for name in names]


async def raise_event(host: Host, instance_id: str, name: str, value: Any) -> None:
    """Raise an event that must be accepted."""
    answer = await host.call("POST", f"instances/{instance_id}/raiseEvent/{name}", value)
    assert answer.status == 202
