"""Raising events, terminate, suspend, resume, rewind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions_host.durable import messages as msg
from functions_host.durable.instances import ACTIVE
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
from functions_host.durable.transport import ManagementRequest, ManagementResponse

if TYPE_CHECKING:
    from functions_host.durable.engine import DurableEngine

_KINDS = {"terminate": msg.TERMINATE, "suspend": msg.SUSPEND, "resume": msg.RESUME}


class Control:
    """POST instances/{id}/…"""

    def __init__(self, engine: DurableEngine) -> None:
        self._engine = engine

    async def raise_event(self, request: ManagementRequest, instance_id: str, name: str) -> ManagementResponse:
        """404 and 410 come before any look at the body."""
        status = self._status(instance_id)
        if status is None or status not in ACTIVE:
            return empty(404 if status is None else 410)
        if not is_json_type(request):
            return message(400, "Only application/json request content is supported")
        text = request.body.decode("utf-8", "replace")
        if error := json_error(text):
            return invalid_json(error)
        await self._send(instance_id, msg.EVENT, {"name": name, "input": compact(json.loads(text))})
        return empty(202)

    async def operate(self, operation: str, instance_id: str, reason: str | None) -> ManagementResponse:
        """terminate, suspend, resume or rewind."""
        if operation not in _KINDS and operation != "rewind":
            return empty(404)
        status = self._status(instance_id)
        if status is None:
            return empty(404)
        if operation == "rewind":
            if status != "Failed":
                return json_value(
                    412,
                    f'This orchestration has status {status}, but only orchestrations in the "Failed" state '
                    "can be rewound.",
                )
            await self._engine.rewind(instance_id, reason)
            return empty(202)
        if status not in ACTIVE:
            return empty(410)
        if (operation == "suspend" and status == "Suspended") or (operation == "resume" and status != "Suspended"):
            return invalid_state(operation, instance_id, status)
        if operation == "terminate" and await self._engine.terminate_unstarted(instance_id, reason):
            return empty(202)
        await self._send(instance_id, _KINDS[operation], {"reason": reason})
        return empty(202)

    async def _send(self, instance_id: str, kind: str, payload: dict[str, object]) -> None:
        payload["at"] = self._engine.core.clock.now()
        await self._engine.send(self._engine.core.message(instance_id, kind, payload))

    def _status(self, instance_id: str) -> str | None:
        live = self._engine.orchestrations.live.get(instance_id)
        if live is not None:
            return live.status
        rows = self._engine.store.read("SELECT status FROM instances WHERE instance_id=? AND kind=0", (instance_id,))
        return rows[0][0] if rows else None
