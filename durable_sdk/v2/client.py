"""The client of 2.x. It answers all instances; its ``get_status_by`` has lost the prefix, and its statuses know no
``Canceled``, so it is asked by the query that the deprecated call would make itself.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from durabletask.client import OrchestrationQuery, OrchestrationStatus

from durable_sdk.client import CommonClient
from pipeline.durable import InstanceStatus, Walk


class Client(CommonClient):
    async def instance_ids(
        self, prefix: str, created_before: datetime, statuses: Collection[InstanceStatus], walk: Walk
    ) -> list[str]:
        known = {status.name: status for status in OrchestrationStatus}
        query = OrchestrationQuery(
            created_time_to=created_before,
            runtime_status=[known[status.value.upper()] for status in statuses if status.value.upper() in known],
            instance_id_prefix=prefix,
        )
        states = await self._client.get_all_orchestration_states(query)
        walk.token, walk.over = None, True
        return [state.instance_id for state in states]
