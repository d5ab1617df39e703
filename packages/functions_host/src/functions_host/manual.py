"""Runs a function now, whatever its trigger: what POST /admin/functions/{name} asks for."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from functions_host.clock import CLOCK
from functions_host.errors import FunctionFailed
from functions_host.eventhubs.events import ReceivedEvent
from functions_host.eventhubs.wire import wired
from functions_host.functions import FunctionInfo
from functions_host.http.admin import Refused
from functions_host.invoker import Invoker
from functions_host.payloads import EMPTY, Payload, plain
from functions_host.timers.service import TimerService

if TYPE_CHECKING:
    from functions_host.durable_service import DurableService

logger = logging.getLogger("functions_host.admin")


class ManualTrigger:
    """Starts the run in the background, as the real host does: the answer (202) does not wait for it."""

    def __init__(self, invoker: Invoker, timers: TimerService, durable: DurableService | None) -> None:
        self._invoker = invoker
        self._timers = timers
        self._durable = durable
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, function: FunctionInfo, given: Any) -> None:
        match function.kind:
            case "timerTrigger":
                self._start(self._timers.fire_now(function))
            case "eventHubTrigger":
                self._start(self._event(function, given))
            case "orchestrationTrigger":
                await self._orchestration(function, given)
            case "activityTrigger":
                text = "null" if given is None else given if isinstance(given, str) else json.dumps(given)
                self._start(self._invoke(function, plain("string", text)))
            case "warmupTrigger":
                self._start(self._invoke(function, EMPTY))
            case _:
                raise Refused("Entities are signalled at /runtime/webhooks/durabletask/entities/{name}/{key}?op=")

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _invoke(self, function: FunctionInfo, payload: Payload) -> None:
        with contextlib.suppress(FunctionFailed):  # logged where it happened
            await self._invoker.invoke(function, payload)

    async def _event(self, function: FunctionInfo, given: Any) -> None:
        event = _event_data("" if given is None else given if isinstance(given, str) else json.dumps(given))
        context = {
            "FullyQualifiedNamespace": "",
            "EventHubName": str(function.trigger.get("eventHubName") or ""),
            "ConsumerGroup": str(function.trigger.get("consumerGroup") or "$Default"),
            "PartitionId": "0",
        }
        wire = wired(event, binary=True)
        many = function.takes_many
        await self._invoke(function, ("events", context, [wire]) if many else ("event", context, wire))

    async def _orchestration(self, function: FunctionInfo, given: Any) -> None:
        assert self._durable is not None
        refusal = await self._durable.start_orchestration(function.durable_name, given)
        if refusal:
            raise Refused(refusal)


def _event_data(text: str) -> ReceivedEvent:
    """An event as it would arrive: with a sequence number, an offset and the time of its arrival."""
    now = int(CLOCK.moment().timestamp() * 1000)
    return ReceivedEvent(text.encode("utf-8", "replace"), 0, "0", enqueued=now)
