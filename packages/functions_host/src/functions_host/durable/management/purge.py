"""DELETE instances: one, and many by creation time and status."""

from __future__ import annotations

from typing import Any

from functions_host.durable.clock import parse
from functions_host.durable.management.answers import Query, empty, json_value
from functions_host.durable.management.hub import TaskHub
from functions_host.durable.management.status import FINAL, filters
from functions_host.durable.orchestration import ACTIVE, ENTITY
from functions_host.durable.transport import ManagementResponse


class Purge:
    """The real one drops statuses that are not final from the filter, and with nothing left in it filters by none."""

    def __init__(self, hub: TaskHub) -> None:
        self._hub = hub

    async def one(self, instance_id: str) -> ManagementResponse:
        """200 with the count; 404; 412 for an orchestration that is not over."""
        rows = self._hub.read("SELECT kind, status FROM instances WHERE instance_id=?", (instance_id,))
        if not rows:
            return empty(404)
        kind, status = rows[0]
        if kind != ENTITY and status in ACTIVE:
            return json_value(
                412,
                "Only orchestrations in a terminal state can be purged, but the orchestration with instance ID "
                f"{instance_id} has status {status}",
            )
        await self._hub.purge([instance_id])
        return json_value(200, {"instancesDeleted": 1})

    async def many(self, query: Query) -> ManagementResponse:
        """400 without createdTimeFrom; 404 if nothing matches. With no final status to filter by, all go, running or
        not, entities too.
        """
        if parse(query.get("createdTimeFrom") or "") is None:
            return json_value(400, "Please provide value for 'createdTimeFrom' parameter.")
        where, values = filters(query, FINAL)
        rows: list[tuple[Any, ...]] = self._hub.read(
            f"SELECT instance_id FROM instances WHERE {' AND '.join(where)}", values
        )
        if not rows:
            return empty(404)
        await self._hub.purge([row[0] for row in rows])
        return json_value(200, {"instancesDeleted": len(rows)})
