"""Orchestrations over the Durable HTTP API, at the client binding's RPC base URL: the SDK's own calls give one page,
drop the reasons and raise bare exceptions."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson

from durable_sdk.instances import (
    PAGE,
    InstanceDetail,
    InstanceMissing,
    InstanceQuery,
    InstanceRefuses,
    InstanceRow,
    error_of,
    is_orchestration,
    newest,
    refuse,
)
from durable_sdk.v1.session import TOKEN_HEADER, session
from pipeline.durable import InstanceStatus
from telemetry.times import parse_rfc3339, to_datetime

_GONE = frozenset({400, 404})  # 400 is what a restart of an unknown one gets
_REFUSED = frozenset({409, 410, 412})


class Instances:
    """``client`` is the durable client that a function was handed."""

    def __init__(self, client: Any) -> None:
        self._url = str(client._orchestration_bindings.rpc_base_url).rstrip("/") + "/instances"

    async def page(self, where: InstanceQuery, token: str | None) -> tuple[list[InstanceRow], str | None]:
        query = {"top": str(PAGE), "showInput": "false"}
        if where.created_from is not None:
            query["createdTimeFrom"] = where.created_from.strftime("%Y-%m-%dT%H:%M:%SZ")
        if where.created_to is not None:
            # The times have fractions where the engine compares them, and none where it shows them.
            query["createdTimeTo"] = where.created_to.strftime("%Y-%m-%dT%H:%M:%S.999999Z")
        if where.statuses:
            query["runtimeStatus"] = ",".join(sorted(status.value for status in where.statuses))
        if where.prefix is not None:
            query["instanceIdPrefix"] = where.prefix
        headers = {TOKEN_HEADER: token} if token else {}
        async with session().get(self._url, params=query, headers=headers) as response:
            response.raise_for_status()
            rows = orjson.loads(await response.read())
            following = response.headers.get(TOKEN_HEADER, "").strip()
        return [_row(one) for one in rows if is_orchestration(one["instanceId"])], following or None

    async def one(self, instance_id: str) -> InstanceDetail | None:
        found = await self._status(instance_id, showHistory="true", showHistoryOutput="true")
        if found is None:
            return None
        history, left_out = newest(found.get("historyEvents") or [])
        return InstanceDetail(_row(found), found["input"], found["output"], history, left_out)

    async def suspend(self, instance_id: str, reason: str) -> None:
        await self._post("suspend", instance_id, reason=reason)

    async def resume(self, instance_id: str, reason: str) -> None:
        await self._post("resume", instance_id, reason=reason)

    async def terminate(self, instance_id: str, reason: str) -> None:
        await self._post("terminate", instance_id, reason=reason)

    async def restart(self, instance_id: str) -> str:
        body = await self._post("restart", instance_id, restartWithNewInstanceId="true")
        return str(orjson.loads(body)["id"])

    async def purge(self, instance_id: str) -> None:
        await self._may("purge", instance_id)
        await self._do("purge", "DELETE", self._path(instance_id), instance_id, {})

    async def _post(self, operation: str, instance_id: str, **query: str) -> bytes:
        await self._may(operation, instance_id)
        return await self._do(operation, "POST", f"{self._path(instance_id)}/{operation}", instance_id, query)

    async def _do(self, operation: str, method: str, url: str, instance_id: str, query: dict[str, str]) -> bytes:
        async with session().request(method, url, params=query) as response:
            if response.status in _GONE:
                raise InstanceMissing(instance_id)
            if response.status in _REFUSED:
                raise InstanceRefuses(f"orchestration {instance_id} has changed meanwhile: {operation} is too late")
            response.raise_for_status()
            return await response.read()

    async def _may(self, operation: str, instance_id: str) -> None:
        found = await self._status(instance_id, showInput="false")
        if found is None:
            raise InstanceMissing(instance_id)
        refuse(operation, instance_id, InstanceStatus(found["runtimeStatus"]))

    async def _status(self, instance_id: str, **query: str) -> dict[str, Any] | None:
        if not is_orchestration(instance_id):
            return None
        async with session().get(self._path(instance_id), params=query) as response:
            if response.status == 404:
                return None
            response.raise_for_status()
            found: dict[str, Any] | None = orjson.loads(await response.read())
            return found

    def _path(self, instance_id: str) -> str:
        return f"{self._url}/{quote(instance_id, safe='')}"


def _row(found: dict[str, Any]) -> InstanceRow:
    status = InstanceStatus(found["runtimeStatus"])
    return InstanceRow(
        id=found["instanceId"],
        name=found["name"],
        status=status,
        created=to_datetime(parse_rfc3339(found["createdTime"])),
        updated=to_datetime(parse_rfc3339(found["lastUpdatedTime"])),
        custom_status=found["customStatus"],
        error=error_of(status, found["output"]),
    )
