"""Starting and restarting instances, waiting for them on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions_host.durable.binding import fixed_query, management_urls
from functions_host.durable.instances import Conflict
from functions_host.durable.management.answers import Query, invalid_json, json_error, json_value, message
from functions_host.durable.management.status import Status
from functions_host.durable.transport import ManagementRequest, ManagementResponse

if TYPE_CHECKING:
    from functions_host.durable.engine import DurableEngine


class Starting:
    """POST orchestrators and POST instances/{id}/restart."""

    def __init__(self, engine: DurableEngine, status: Status) -> None:
        self._engine = engine
        self._status = status

    async def start(
        self, request: ManagementRequest, function: str, instance_id: str | None, query: Query
    ) -> ManagementResponse:
        """202 with the URLs, 400 for a body that is no JSON, 409 for an id that is not over."""
        body = request.body.decode("utf-8", "replace").strip("\ufeff")
        if body.strip() and (error := json_error(body)):
            return invalid_json(error)
        timeout, interval = query.get("timeout"), query.get("pollingInterval")
        waits = timeout is not None and interval is not None
        if waits and float(interval or 0) > float(timeout or 0):
            return message(400, f"Total timeout {timeout} should be bigger than retry timeout {interval}")
        input_text = body if body.strip() and body.strip() != "null" else None
        answer = await self._start(function, instance_id, input_text, query.get("version"))
        if not isinstance(answer, str):
            return answer
        if waits:
            await self._engine.wait_for_end(answer, float(timeout or 0))
            ended = self._status.output_if_over(request, answer)
            if ended is not None:
                return ended
        return self._accepted(request, answer)

    async def restart(self, request: ManagementRequest, instance_id: str, query: Query) -> ManagementResponse:
        """The same function and input again, under a new id unless told otherwise."""
        rows = self._engine.store.read(
            "SELECT name, version, input FROM instances LEFT JOIN inputs USING(instance_id) "
            "WHERE instance_id=? AND kind=0",
            (instance_id,),
        )
        if not rows:
            return message(400, f"An orchestration with the instanceId {instance_id} was not found.")
        name, version, input_text = rows[0]
        fresh = query.flag("restartWithNewInstanceId", True)
        answer = await self._start(name, None if fresh else instance_id, input_text, version)
        return self._accepted(request, answer) if isinstance(answer, str) else answer

    async def _start(
        self, function: str, instance_id: str | None, input_text: str | None, version: str | None
    ) -> str | ManagementResponse:
        try:
            return await self._engine.start_instance(function, instance_id, input_text, version)
        except Conflict as conflict:
            return message(409, f"An Orchestration instance with the status {conflict} already exists.")

    def _accepted(self, request: ManagementRequest, instance_id: str) -> ManagementResponse:
        options = self._engine.options
        query = fixed_query(options.hub_name, options.connection_name)
        urls = management_urls(request.base_url, instance_id, query, rewind=False)
        return json_value(202, urls, {"Location": urls["statusQueryGetUri"], "Retry-After": "10"})
