"""Raising events, terminate, suspend, resume, rewind."""

from __future__ import annotations

import json
from collections.abc import Callable

from functions_host.durable import messages as msg
from functions_host.durable.jsontext import compact
from functions_host.durable.management.answers import (
    empty,
    invalid_json,
    invalid_state,
    is_json_type,
    json_error,
    json_value,
    message,
)
from functions_host.durable.management.hub import TaskHub
from functions_host.durable.orchestration import ACTIVE
from functions_host.durable.transport import ManagementRequest, ManagementResponse

_PAYLOADS: dict[str, Callable[[int, str | None], msg.Payload]] = {
    "terminate": msg.Terminate,
    "suspend": msg.Suspend,
    "resume": msg.Resume,
}


class Control:
    """POST instances/{id}/…"""

    def __init__(self, hub: TaskHub) -> None:
        self._hub = hub

    async def raise_event(self, request: ManagementRequest, instance_id: str, name: str) -> ManagementResponse:
        """404 and 410 come before any look at the body."""
        status = self._hub.status_of(instance_id)
        if status is None or status not in ACTIVE:
            return empty(404 if status is None else 410)
        if not is_json_type(request):
            return message(400, "Only application/json request content is supported")
        text = request.body.decode("utf-8", "replace")
        if error := json_error(text):
            return invalid_json(error)
        event = msg.Event(name, compact(json.loads(text)), self._hub.now())
        await self._hub.send(instance_id, event)
        return empty(202)

    async def operate(self, operation: str, instance_id: str, reason: str | None) -> ManagementResponse:
        """terminate, suspend, resume or rewind."""
        if operation not in _PAYLOADS and operation != "rewind":
            return empty(404)
        status = self._hub.status_of(instance_id)
        if status is None and operation == "rewind":
            # The dollar is the extension's own.
            return json_value(404, f'No orchestration with instance ID "${instance_id}" found.')
        if status is None:
            return empty(404)
        if operation == "rewind":
            if status != "Failed":
                return json_value(
                    412,
                    f'This orchestration has status {status}, but only orchestrations in the "Failed" state '
                    "can be rewound.",
                )
            await self._hub.rewind(instance_id, reason)
            return empty(202)
        if status not in ACTIVE:
            return empty(410)
        if (operation == "suspend" and status == "Suspended") or (operation == "resume" and status != "Suspended"):
            return invalid_state(operation, instance_id, status)
        if operation == "terminate" and await self._hub.terminate_unstarted(instance_id, reason):
            return empty(202)
        await self._hub.send(instance_id, _PAYLOADS[operation](self._hub.now(), reason))
        return empty(202)
