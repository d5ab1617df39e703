"""``DurableClient`` over the client that a function is handed, of Durable 1.x or 2.x.

1.x answers a hundred instances at most in one go. 2.x answers all; its ``get_status_by`` has lost the prefix, and its
statuses know no ``Canceled``, so it is asked by the query that the deprecated call would make itself.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timezone
from typing import Any

import azure.durable_functions as df

from pipeline.durable import DurableClient, Instance, InstanceStatus


def durable_client(client: Any) -> DurableClient:
    """``client`` is what the durable client binding hands to a function."""
    return _Client2(client) if hasattr(client, "get_all_orchestration_states") else _Client(client)


class _Client:
    def __init__(self, client: Any) -> None:
        self._client = client

    async def start(self, orchestrator: str, instance_id: str, argument: Any) -> None:
        try:
            await self._client.start_new(orchestrator, instance_id, argument)
        except Exception as error:
            if "already exists" not in str(error):
                raise

    async def instance(self, instance_id: str) -> Instance | None:
        status = await self._client.get_status(instance_id)
        if not status:
            return None
        moved = status.last_updated_time or status.created_time
        # 2.x gives times without a zone, and means UTC.
        moved = moved if moved.tzinfo is not None else moved.replace(tzinfo=timezone.utc)
        return Instance(instance_id, InstanceStatus(status.runtime_status.value), moved)

    async def instance_ids(
        self, prefix: str, created_before: datetime, statuses: Collection[InstanceStatus]
    ) -> list[str]:
        wanted = [df.OrchestrationRuntimeStatus(status.value) for status in statuses]
        found = await self._client.get_status_by(
            created_time_to=created_before, runtime_status=wanted, instance_id_prefix=prefix
        )
        return [status.instance_id for status in found]

    async def signal(self, entity: str, key: str, operation: str, argument: Any) -> None:
        await self._client.signal_entity(df.EntityId(entity, key), operation, argument)

    async def terminate(self, instance_id: str, reason: str) -> None:
        await self._client.terminate(instance_id, reason)

    async def purge(self, instance_id: str) -> int:
        return int((await self._client.purge_instance_history(instance_id)).instances_deleted)


class _Client2(_Client):
    async def instance_ids(
        self, prefix: str, created_before: datetime, statuses: Collection[InstanceStatus]
    ) -> list[str]:
        from durabletask.client import OrchestrationQuery, OrchestrationStatus  # there with 2.x only

        known = {status.name: status for status in OrchestrationStatus}
        query = OrchestrationQuery(
            created_time_to=created_before,
            runtime_status=[known[status.value.upper()] for status in statuses if status.value.upper() in known],
            instance_id_prefix=prefix,
        )
        return [state.instance_id for state in await self._client.get_all_orchestration_states(query)]
