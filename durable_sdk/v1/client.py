"""The client of 1.x. It answers a hundred instances at most in one go."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import azure.durable_functions as df

from durable_sdk.client import CommonClient
from pipeline.durable import InstanceStatus


class Client(CommonClient):
    async def instance_ids(
        self, prefix: str, created_before: datetime, statuses: Collection[InstanceStatus]
    ) -> list[str]:
        wanted = [df.OrchestrationRuntimeStatus(status.value) for status in statuses]
        found = await self._client.get_status_by(
            created_time_to=created_before, runtime_status=wanted, instance_id_prefix=prefix
        )
        return [status.instance_id for status in found]
