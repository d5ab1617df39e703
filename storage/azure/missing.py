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
            # What came before the refused one was not there; of the rest nothing is known yet.
            suspects = [item["id"] for item in missing[refused.index :]]
            there |= await _owners(items, partition, suspects)
            # The refused one is there, whatever a replica that lags behind says.
            if suspects[0] not in there and (owner := await owner_of(items, partition, suspects[0])) is not None:
                there[suspects[0]] = owner
            missing = [item for item in missing if item["id"] not in there]
    return there


async def owner_of(items: Items, partition: str, item_id: str) -> str | None:
    current = await items.read_current(item_id, partition)
    return None if current is None else str(current["batchId"])


async def _owners(items: Items, partition: str, ids: list[str]) -> dict[str, str]:
    try:
        # A batch that is delivered again is there whole: one transaction of reads, at 1 RU each, finds all.
        found = await items.transact([("read", (item_id,)) for item_id in ids], partition)
    except Refused:
        found = await items.query(
            "SELECT c.id, c.batchId FROM c WHERE ARRAY_CONTAINS(@ids, c.id)",
            {"@ids": ids},
            len(ids),
            partition=partition,
        )
    return {item["id"]: item["batchId"] for item in found}
