"""Instances of a hub's batches by age and status, asked of Durable 1.x or 2.x.

1.x answers a hundred at most in one go. 2.x answers all; its ``get_status_by`` has lost the prefix, and its statuses
know no ``Canceled``, so it is asked by the query that the deprecated call would make itself.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import azure.durable_functions as df

from pipeline.durable import DurableClient

_Status = df.OrchestrationRuntimeStatus
UNFINISHED_STATUSES = (_Status.Pending, _Status.Running)
ENDED_STATUSES = (_Status.Completed, _Status.Failed, _Status.Terminated, _Status.Canceled)


def instance_prefix(hub: str) -> str:
    """What the ids of all instances of this hub's batches begin with; drones (``@drone@…``) never do."""
    return hub[:20]


async def instance_ids(client: DurableClient, hub: str, before: datetime, statuses: Collection[Any]) -> list[str]:
    """Ids of this hub's instances that were created before ``before`` (aware) and have one of the statuses."""
    if not hasattr(client, "get_all_orchestration_states"):
        found = await client.get_status_by(
            created_time_to=before, runtime_status=list(statuses), instance_id_prefix=instance_prefix(hub)
        )
        return [status.instance_id for status in found]

    from durabletask.client import OrchestrationQuery, OrchestrationStatus  # there with 2.x only

    known = {status.name: status for status in OrchestrationStatus}
    query = OrchestrationQuery(
        created_time_to=before,
        runtime_status=[known[status.name.upper()] for status in statuses if status.name.upper() in known],
        instance_id_prefix=instance_prefix(hub),
    )
    return [state.instance_id for state in await client.get_all_orchestration_states(query)]
