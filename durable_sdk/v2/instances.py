"""Orchestrations over gRPC, as Durable 2.x asks for them; a history is shown in the words of the Durable HTTP API."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

import grpc
import orjson
from durabletask import history
from durabletask.client import OrchestrationQuery, OrchestrationStatus, parse_orchestration_state
from durabletask.internal.client_helpers import build_query_instances_req
from google.protobuf.wrappers_pb2 import StringValue

from durable_sdk.instances import (
    PAGE,
    InstanceDetail,
    InstanceMissing,
    InstanceQuery,
    InstanceRow,
    error_of,
    is_orchestration,
    newest,
    refuse,
)
from durable_sdk.pages import DEADLINE_SECONDS
from pipeline.durable import InstanceStatus

_Answer = TypeVar("_Answer")


class Instances:
    """``client`` is the ``DurableFunctionsClient`` that a function was handed."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def page(self, where: InstanceQuery, token: str | None) -> tuple[list[InstanceRow], str | None]:
        statuses = [one for one in OrchestrationStatus if InstanceStatus[one.name] in where.statuses]
        if where.statuses and not statuses:
            return [], None  # 2.x knows no ``Canceled``, and takes no status for every one
        query = OrchestrationQuery(
            created_time_from=where.created_from,
            created_time_to=None if where.created_to is None else where.created_to + timedelta(seconds=1),
            runtime_status=statuses,
            max_instance_count=PAGE,
            instance_id_prefix=where.prefix,
        )
        request = build_query_instances_req(query, StringValue(value=token) if token else None)
        response = await _answered(self._client._get_stub().QueryInstances(request))
        following = response.continuationToken.value
        rows = [_row(parse_orchestration_state(one)) for one in response.orchestrationState]
        # The SDK takes "0" for the end, as some storage providers send it.
        return [row for row in rows if is_orchestration(row.id)], following if following not in ("", "0") else None

    async def one(self, instance_id: str) -> InstanceDetail | None:
        state = await self._state(instance_id)
        if state is None:
            return None
        events = await _answered(self._client.get_orchestration_history(instance_id))
        shown, left_out = newest(shown_history(events))
        output = _parsed(state.serialized_output)
        if output is None and state.failure_details is not None:
            output = state.failure_details.message
        return InstanceDetail(_row(state), _parsed(state.serialized_input), output, shown, left_out)

    async def suspend(self, instance_id: str, reason: str) -> None:
        await self._may("suspend", instance_id)
        await _answered(self._client.suspend_orchestration(instance_id, reason=reason))

    async def resume(self, instance_id: str, reason: str) -> None:
        await self._may("resume", instance_id)
        await _answered(self._client.resume_orchestration(instance_id, reason=reason))

    async def terminate(self, instance_id: str, reason: str) -> None:
        await self._may("terminate", instance_id)
        await _answered(self._client.terminate_orchestration(instance_id, output=reason, recursive=False))

    async def restart(self, instance_id: str) -> str:
        await self._may("restart", instance_id)
        call = self._client.restart_orchestration(instance_id, restart_with_new_instance_id=True)
        return str(await _answered(call))

    async def purge(self, instance_id: str) -> None:
        await self._may("purge", instance_id)
        await _answered(self._client.purge_orchestration(instance_id, recursive=False))

    async def _may(self, operation: str, instance_id: str) -> None:
        state = await self._state(instance_id)
        if state is None:
            raise InstanceMissing(instance_id)
        refuse(operation, instance_id, InstanceStatus[state.runtime_status.name])

    async def _state(self, instance_id: str) -> Any:
        if not is_orchestration(instance_id):
            return None
        return await _answered(self._client.get_orchestration_state(instance_id))


def _row(state: Any) -> InstanceRow:
    status = InstanceStatus[state.runtime_status.name]
    failure = state.failure_details
    return InstanceRow(
        id=state.instance_id,
        name=state.name,
        status=status,
        created=_aware(state.created_at),
        updated=_aware(state.last_updated_at),
        custom_status=_parsed(state.serialized_custom_status),
        error=error_of(status, _parsed(state.serialized_output) if failure is None else failure.message),
    )


def shown_history(events: Sequence[history.HistoryEvent]) -> list[Mapping[str, Any]]:
    """As the HTTP API shows one: events by name, and what was scheduled as one with its end."""
    ends = {event.task_scheduled_id for event in events if hasattr(event, "task_scheduled_id")}
    scheduled = {event.event_id: event for event in events if isinstance(event, _SCHEDULED)}
    shown: list[Mapping[str, Any]] = []
    for event in events:
        if isinstance(event, _HIDDEN) or (isinstance(event, _SCHEDULED) and event.event_id in ends):
            continue
        view: dict[str, Any] = {"EventType": type(event).__name__.removesuffix("Event")}
        for name, value in event.to_dict().items():
            if name not in _DROPPED:
                view[_pascal(name)] = value
        origin = scheduled.get(getattr(event, "task_scheduled_id", -1))
        if origin is not None:
            view |= {"ScheduledTime": origin.to_dict()["timestamp"], "FunctionName": origin.name}
        elif isinstance(event, history.ExecutionStartedEvent):
            view["FunctionName"] = view.pop("Name")
        failure = view.pop("FailureDetails", None)
        if failure is not None:
            view["Reason"] = f"{failure['error_type']}: {failure['message']}"
        if isinstance(view.get("Result"), str):
            view["Result"] = _parsed(view["Result"])
        if "OrchestrationStatus" in view:
            view["OrchestrationStatus"] = InstanceStatus[OrchestrationStatus(view["OrchestrationStatus"]).name].value
        shown.append(view)
    return shown


_SCHEDULED = (history.TaskScheduledEvent, history.SubOrchestrationInstanceCreatedEvent)
_HIDDEN = (history.OrchestratorStartedEvent, history.OrchestratorCompletedEvent)
_DROPPED = frozenset({"event_id", "task_scheduled_id", "timer_id", "orchestration_instance", "parent_instance"})


def _pascal(name: str) -> str:
    return re.sub(r"(?:^|_)([a-z])", lambda match: match[1].upper(), name)


def _parsed(text: str | None) -> Any:
    if not text:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _aware(moment: datetime) -> datetime:
    """2.x gives times without a zone, and means UTC."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


async def _answered(call: Awaitable[_Answer]) -> _Answer:
    try:
        return await asyncio.wait_for(call, DEADLINE_SECONDS)
    except grpc.aio.AioRpcError as error:
        raise ConnectionError(f"{error.code().name}: {error.details()}") from error
