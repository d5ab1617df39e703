"""The app on Durable 2.x's own engine in memory: the part of a Functions host that stands between the two.

It pulls the engine's work items and calls the app's registered functions with them as the extension does (base64 of the
protocol's messages, JSON text for activities, the client binding as JSON text), so that the SDK's handles, converters
and clients all run for real. What an activity raises comes back as the extension passes it on: its type, and the first
line of its message.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import traceback
from collections.abc import AsyncIterator, Callable
from concurrent import futures
from importlib.metadata import version
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import grpc
import pytest
from azure.functions import meta
from durabletask.internal import helpers
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal import orchestrator_service_pb2_grpc as stubs
from durabletask.testing.in_memory_backend import InMemoryOrchestrationBackend
from google.protobuf.wrappers_pb2 import StringValue

from durable_sdk import durable_client
from pipeline.durable import ENDED, DurableClient
from tests.support import registered

if int(version("azure-functions-durable").split(".")[0]) < 2:
    reason = f"azure-functions-durable {version('azure-functions-durable')} is installed; `make durable-2x` runs this"
    pytest.skip(reason, allow_module_level=True)

FUNCTIONS: dict[str, Any] = registered.functions()
_ACTIVITY: Any = meta._ConverterMeta.get("activityTrigger")


class Backend(InMemoryOrchestrationBackend):  # type: ignore[misc]  # Any to the type checker
    """On 127.0.0.1 and a free port: its own ``start`` listens on all addresses."""

    def start(self) -> str:
        self._shutdown_event.clear()
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=10))
        stubs.add_TaskHubSidecarServiceServicer_to_server(self, self._server)
        self._port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return f"127.0.0.1:{self._port}"


class Host:
    def __init__(self, address: str, backend: Backend) -> None:
        self.address = address
        self.backend = backend
        self.client = df.DurableOrchestrationClient(self.binding())
        self.durable: DurableClient = durable_client(self.client)
        self.activities: dict[str, Callable[[Any], Any]] = {}
        """Activity -> what is called in its place."""
        self.calls: list[str] = []
        self._under_way: set[asyncio.Task[None]] = set()

    def binding(self) -> str:
        """What the extension hands to a function with a durable client when it speaks gRPC."""
        return json.dumps(
            {
                "taskHubName": "Hub",
                "connectionName": None,
                "creationUrls": None,
                "managementUrls": None,
                "baseUrl": "http://public.example/runtime/webhooks/durabletask",
                "requiredQueryStringParameters": "code=TASKHUBSECRET",
                "rpcBaseUrl": f"http://{self.address}",
            }
        )

    async def call(self, name: str, **arguments: Any) -> Any:
        """Calls a function as the worker does, with a durable client if it has one."""
        function = FUNCTIONS[name]
        for binding in function.get_bindings():
            if binding.type == "durableClient":
                arguments[binding.name] = self.binding()
        return await function.get_user_function()(**arguments)

    async def ended(self, instance_id: str) -> Any:
        """The status of the instance once it has ended."""
        # Asked for again and again: the engine's own wait would hold one of its ten threads.
        ended = {status.value for status in ENDED}
        while (status := await self.client.get_status(instance_id)).runtime_status.value not in ended:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return status

    async def idle(self) -> None:
        """Until no orchestrator, activity or entity has anything left to do."""
        while True:
            with self.backend._lock:
                entities = self.backend._entities.values()
                waiting = (
                    self.backend._orchestration_queue
                    or self.backend._orchestration_in_flight
                    or self.backend._activity_queue
                    or self.backend._entity_in_flight
                    or any(entity.pending_operations for entity in entities)
                )
            if not waiting and not self._under_way:
                return
            await asyncio.sleep(0.01)

    async def trigger(self, name: str, value: Any) -> Any:
        return await self.call(name, **{FUNCTIONS[name].get_trigger().name: value})

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serves the engine's work items meanwhile."""
        async with grpc.aio.insecure_channel(self.address) as channel:
            stub: Any = stubs.TaskHubSidecarServiceStub(channel)
            serving = asyncio.create_task(self._serve(stub))
            try:
                yield
            finally:
                serving.cancel()
                await asyncio.gather(serving, *self._under_way, return_exceptions=True)

    async def _serve(self, stub: Any) -> None:
        async for item in stub.GetWorkItems(pb.GetWorkItemsRequest()):
            task = asyncio.create_task(self._work(stub, item))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _work(self, stub: Any, item: Any) -> None:
        kind = item.WhichOneof("request")
        if kind == "orchestratorRequest":
            await stub.CompleteOrchestratorTask(await self._orchestrator(item))
        elif kind == "activityRequest":
            await stub.CompleteActivityTask(await self._activity(item))
        else:
            assert kind == "entityRequestV2", kind
            await stub.CompleteEntityTask(await self._entity(item))

    async def _orchestrator(self, item: Any) -> Any:
        request = item.orchestratorRequest
        [name] = [
            event.executionStarted.name
            for event in (*request.pastEvents, *request.newEvents)
            if event.HasField("executionStarted")
        ]
        response = pb.OrchestratorResponse()
        response.ParseFromString(base64.b64decode(await self.trigger(name, func.OrchestrationContext(_text(request)))))
        response.completionToken = item.completionToken
        return response

    async def _entity(self, item: Any) -> Any:
        batch, infos = helpers.convert_to_entity_batch_request(item.entityRequestV2)
        name = batch.instanceId.split("@")[1]
        response = pb.EntityBatchResult()
        response.ParseFromString(base64.b64decode(await self.trigger(name, func.EntityContext(_text(batch)))))
        response.completionToken = item.completionToken
        del response.operationInfos[:]
        response.operationInfos.extend(infos)
        return response

    async def _activity(self, item: Any) -> Any:
        request = item.activityRequest
        self.calls.append(request.name)
        response = pb.ActivityResponse(
            instanceId=request.orchestrationInstance.instanceId,
            taskId=request.taskId,
            completionToken=item.completionToken,
        )
        try:
            value = _ACTIVITY.decode(meta.Datum(request.input.value, "json"), trigger_metadata=None)
            instead = self.activities.get(request.name)
            result = await self.trigger(request.name, value) if instead is None else instead(value)
            answer = _ACTIVITY.encode(result, expected_type=None)
            response.result.CopyFrom(StringValue(value=answer.value))
        except Exception as error:
            response.failureDetails.CopyFrom(
                pb.TaskFailureDetails(
                    errorType=type(error).__name__,
                    errorMessage=str(error).split("\n")[0],
                    stackTrace=StringValue(value=traceback.format_exc()),
                )
            )
        return response


def _text(message: Any) -> str:
    return base64.b64encode(message.SerializeToString()).decode()
