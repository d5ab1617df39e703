"""Create what is not there, and say whose the rest is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from storage.azure.items import Item, Items, Refused


async def create_missing(
    items: Items, partition: str, wanted: list[Item], write: Callable[[list[Item]], Awaitable[None]]
) -> dict[str, str]:
    """``write`` creates a list of items in one transaction; it is given fewer and fewer until one passes. Returns the
    ids that were there already, each with the batch that wrote it."""
    there: dict[str, str] = {}
    missing = wanted
    while missing:
        try:
            await write(missing)
            break
        except Refused as refused:
            there |= await _owners(items, partition, [item["id"] for item in missing])
            # The refused one is there, whatever a replica that lags behind says.
            certain = missing[refused.index]["id"]
            if certain not in there and (owner := await owner_of(items, partition, certain)) is not None:
                there[certain] = owner
            missing = [item for item in missing if item["id"] not in there]
    return there


async def owner_of(items: Items, partition: str, item_id: str) -> str | None:
    current = await items.read_current(item_id, partition)
    return None if current is None else str(current["batchId"])


async def _owners(items: Items, partition: str, ids: list[str]) -> dict[str, str]:
    found = await items.query(
        "SELECT c.id, c.batchId FROM c WHERE ARRAY_CONTAINS(@ids, c.id)", {"@ids": ids}, len(ids), partition=partition
    )
    return {item["id"]: item["batchId"] for item in found}
