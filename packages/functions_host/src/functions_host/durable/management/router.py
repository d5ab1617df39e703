"""Which call it is."""

from __future__ import annotations

import logging
from dataclasses import replace
from urllib.parse import unquote

from functions_host.durable.jsontext import storable
from functions_host.durable.management.answers import Query, empty, json_value, unexpected
from functions_host.durable.management.control import Control
from functions_host.durable.management.entities import EntityApi
from functions_host.durable.management.hub import TaskHub
from functions_host.durable.management.purge import Purge
from functions_host.durable.management.starting import Starting
from functions_host.durable.management.status import Status
from functions_host.durable.transport import ManagementRequest, ManagementResponse

logger = logging.getLogger(__name__)


class ManagementApi:
    """Routes by segments; a method or path that is none gets an empty 404, as on the real one."""

    def __init__(self, hub: TaskHub) -> None:
        self._hub = hub
        self._status = Status(hub)
        self._starting = Starting(hub, self._status)
        self._control = Control(hub)
        self._purge = Purge(hub)
        self._entities = EntityApi(hub)

    async def handle(self, request: ManagementRequest) -> ManagementResponse:
        request = _storable(request)
        segments = [unquote(segment) for segment in request.path.strip("/").split("/")]
        trailing = request.path.endswith("/")
        query = Query(request)
        try:
            if not self._is_own_hub(query):
                return self._other_hub(segments)
            kind = segments[0].lower()
            if kind == "instances":
                return await self._instances(request, segments[1:], query)
            if kind == "orchestrators":
                return await self._orchestrators(request, segments[1:], query)
            if kind == "entities":
                return await self._entities.handle(request, segments[1:], query, trailing)
        except Exception as error:
            logger.exception("durable management API: %s %s", request.method, request.path)
            return unexpected(str(error), type(error).__name__)
        return empty(404)

    def _is_own_hub(self, query: Query) -> bool:
        hub = query.get("taskHub")
        return hub is None or hub.lower() == self._hub.options.hub_name.lower()

    @staticmethod
    def _other_hub(segments: list[str]) -> ManagementResponse:
        """This host has one hub; any other is empty."""
        if len(segments) == 1:
            return json_value(200, [], {"x-ms-continuation-token": ""})
        return empty(404)

    async def _instances(self, request: ManagementRequest, rest: list[str], query: Query) -> ManagementResponse:
        method = request.method.upper()
        if not rest or rest == [""]:
            if method == "GET":
                return self._status.list(request, query)
            return await self._purge.many(query) if method == "DELETE" else empty(404)
        instance_id = rest[0]
        if "/" in instance_id:
            return empty(404)
        if len(rest) == 1:
            if method == "GET":
                return self._status.one(request, instance_id, query)
            return await self._purge.one(instance_id) if method == "DELETE" else empty(404)
        if method != "POST":
            return empty(404)
        operation = rest[1].lower()
        if operation == "raiseevent" and len(rest) == 3:
            return await self._control.raise_event(request, instance_id, rest[2])
        if len(rest) != 2:
            return empty(404)
        if operation == "restart":
            return await self._starting.restart(request, instance_id, query)
        return await self._control.operate(operation, instance_id, query.get("reason"))

    async def _orchestrators(self, request: ManagementRequest, rest: list[str], query: Query) -> ManagementResponse:
        if request.method.upper() != "POST" or not rest or len(rest) > 2 or not rest[0]:
            return empty(404)
        instance_id = rest[1] if len(rest) == 2 and rest[1] else None
        if instance_id is not None and "/" in instance_id:
            return empty(404)
        return await self._starting.start(request, rest[0], instance_id, query)


def _storable(request: ManagementRequest) -> ManagementRequest:
    """With the character for what is none in place of half surrogate pairs, which no UTF-8 holds."""
    if storable(request.path) and all(storable(name) and storable(value) for name, value in request.query):
        return request
    query = [(_repaired(name), _repaired(value)) for name, value in request.query]
    return replace(request, path=_repaired(request.path), query=query)


def _repaired(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
