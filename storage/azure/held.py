"""Batches that are held: said in their records, and found by a sort key that only those have."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import replace

from pipeline.ports import Held, HeldTotals
from storage.azure.batch_items import Record, from_item, held_sort
from storage.azure.blobs import Blobs
from storage.azure.bodies import StagedBodies
from storage.azure.gather import gather_all
from storage.azure.items import Items
from storage.azure.records import Records

_MOST = 100_000


class CosmosHeld:
    """``HeldBatches`` on Azure."""

    def __init__(self, items: Items, blobs: Blobs) -> None:
        self._items = items
        self._records = Records(items)
        self._staged = StagedBodies(items, blobs)

    async def list(self, hub: str, partition: str, limit: int) -> builtins.list[Held]:
        found = await self._items.query(
            f"SELECT TOP {limit} * FROM c WHERE c.heldSort >= @from AND c.heldSort < @to ORDER BY c.heldSort ASC",
            {"@from": held_sort(hub, partition, ""), "@to": held_sort(hub, partition, "~")},
            limit,
        )
        # More than one attempt of a batch only where one was replayed within its window.
        return [one for item in found for one in from_item(item).held][:limit]

    async def partitions(self, since_before: str) -> builtins.list[tuple[str, str]]:
        return sorted({(one.hub, one.partition) for one in await self._all() if one.since < since_before})

    async def totals(self) -> HeldTotals:
        held = await self._all()
        if not held:
            return HeldTotals()
        return HeldTotals(len(held), min(one.since for one in held), min(one.enqueued_from for one in held))

    async def _all(self) -> builtins.list[Held]:
        found = await self._items.query(
            f"SELECT TOP {_MOST} c.batchId, c.hub, c.partition, c.held FROM c WHERE c.heldSort >= @from",
            {"@from": ""},
            _MOST,
        )
        return [
            Held(item["batchId"], one[0], item["hub"], item["partition"], *one[1:])
            for item in found
            for one in item["held"]
        ]

    async def release(self, held: Sequence[Held]) -> None:
        await gather_all(self._release(one) for one in held)

    async def _release(self, held: Held) -> None:
        def change(record: Record | None) -> Record | None:
            if record is None:
                return None
            left = tuple(one for one in record.held if one.instance_id != held.instance_id)
            if left == record.held:
                return record
            staged = tuple(one for one in record.staged if one.in_blob or one.instance_id != held.instance_id)
            return replace(record, held=left, staged=staged)

        done = await self._records.change(held.id, change)
        for one in () if done is None else done.of_instance(held.instance_id):
            await self._staged.delete_blob(held.id, one.instance_id, one.name)
