"""Reads entities over gRPC, which is what the client binding's RPC base URL speaks from Durable 2.x on.

The SDK's client lists all entities or none: one page with its token is asked of the stub beneath it. A client lives
as long as its function call; a walk through all entities lives longer, so there is one here for each event loop.
Unreachable is ``ConnectionError`` or a time-out.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import grpc
import orjson
from durabletask.client import EntityQuery
from durabletask.entities import EntityInstanceId
from durabletask.internal.client_helpers import build_query_entities_req
from google.protobuf.wrappers_pb2 import StringValue

from durable_sdk.pages import DEADLINE_SECONDS, EntityPage, InvalidHostToken
from telemetry.times import to_datetime

_Answer = TypeVar("_Answer")
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Any]] = WeakKeyDictionary()


class Entities:
    """``client`` is the ``DurableFunctionsClient`` that a function was handed, ``name`` the entity's."""

    def __init__(self, client: Any, name: str) -> None:
        self._name = name
        configuration = json.dumps({"taskHubName": client.taskHubName, "rpcBaseUrl": client.rpcBaseUrl})
        of_loop = _clients.setdefault(asyncio.get_running_loop(), {})
        if configuration not in of_loop:
            of_loop[configuration] = type(client)(configuration)
        self._client = of_loop[configuration]

    async def state(self, key: str) -> dict[str, Any] | None:
        """The stored state of one entity; None when it was never written, or was deleted."""
        entity = await _answered(self._client.get_entity(EntityInstanceId(self._name, key)))
        return None if entity is None else _state(entity.get_state())

    async def page(
        self, top: int, token: str | None, *, fetch_state: bool = True, operated_from: str | None = None
    ) -> EntityPage:
        """Up to ``top`` entities, those operated on at or after ``operated_from`` (canonical time) if it is given."""
        query = EntityQuery(
            instance_id_starts_with=f"@{self._name}@",
            last_modified_from=None if operated_from is None else to_datetime(operated_from),
            include_state=fetch_state,
            page_size=top,
        )
        request = build_query_entities_req(query, StringValue(value=token) if token else None)
        try:
            response = await _answered(self._client._get_stub().QueryEntities(request))
        except ConnectionError as error:
            if token and _code(error) is grpc.StatusCode.INVALID_ARGUMENT:
                raise InvalidHostToken(token) from error
            raise
        following = response.continuationToken.value
        items = [
            (EntityInstanceId.parse(entity.instanceId).key, _state(entity.serializedState.value))
            for entity in response.entities
        ]
        # The SDK takes "0" for the end, as some storage providers send it.
        return EntityPage(items, following if following not in ("", "0") else None)

    async def reachable(self) -> None:
        """Raises when the engine does not answer."""
        await _answered(self._client.get_entity(EntityInstanceId(self._name, "-"), include_state=False))


def _state(text: str | None) -> dict[str, Any] | None:
    state = orjson.loads(text) if text else None
    return state if isinstance(state, dict) else None


async def _answered(call: Awaitable[_Answer]) -> _Answer:
    try:
        return await asyncio.wait_for(call, DEADLINE_SECONDS)
    except grpc.aio.AioRpcError as error:
        raise ConnectionError(f"{error.code().name}: {error.details()}") from error


def _code(error: ConnectionError) -> Any:
    cause = error.__cause__
    return cause.code() if isinstance(cause, grpc.aio.AioRpcError) else None


async def close_clients() -> None:
    """Ends this loop's clients (tests; a process that ends takes them along)."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.close()
