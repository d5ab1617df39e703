"""What both versions of the SDK's client do alike, as the pipeline asks it (``pipeline.durable``)."""

from __future__ import annotations

from datetime import timezone
from typing import Any

import azure.durable_functions as df

from durable_sdk.links import without_code
from durable_sdk.writes import WRITES
from pipeline.durable import Instance, InstanceStatus


class CommonClient:
    """All of ``DurableClient`` but the question for several instances. ``client`` is what a function was handed."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def start(self, orchestrator: str, instance_id: str, argument: Any) -> None:
        with WRITES.one():
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

    async def raise_event(self, instance_id: str, name: str) -> None:
        with WRITES.one():
            await self._client.raise_event(instance_id, name)

    def status_uri(self, instance_id: str) -> str:
        links = self._client.create_http_management_payload(instance_id)
        return without_code(str(links["statusQueryGetUri"]))

    async def signal(self, entity: str, key: str, operation: str, argument: Any) -> None:
        with WRITES.one():
            await self._client.signal_entity(df.EntityId(entity, key), operation, argument)

    async def terminate(self, instance_id: str, reason: str) -> None:
        await self._client.terminate(instance_id, reason)

    async def purge(self, instance_id: str) -> int:
        return int((await self._client.purge_instance_history(instance_id)).instances_deleted)
