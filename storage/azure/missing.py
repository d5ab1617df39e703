"""Create what is not there, and say whose the rest is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from storage.azure.items import Item, Items, Partition, Refused

_WANTED = 'c.id, c.batchId, c.sequenceNumber, c["index"]'


async def create_missing(
    items: Items, partition: Partition, wanted: list[Item], write: Callable[[list[Item]], Awaitable[None]]
) -> dict[str, Item]:
    """``write`` creates a list of items in one transaction; it is given fewer and fewer until one passes. Returns those
    that were there already, by id: at least the batch that wrote them, and the place of the delivery."""
    there: dict[str, Item] = {}
    missing = wanted
    while missing:
        try:
            await write(missing)
            break
        except Refused as refused:
            # What came before the refused one was not there; of the rest nothing is known yet.
            suspects = [item["id"] for item in missing[refused.index :]]
            there |= await _those_there(items, partition, suspects)
            # The refused one is there, whatever a replica that lags behind says.
            if suspects[0] not in there and (found := await items.read_current(suspects[0], partition)) is not None:
                there[suspects[0]] = found
            missing = [item for item in missing if item["id"] not in there]
    return there


async def _those_there(items: Items, partition: Partition, ids: list[str]) -> dict[str, Item]:
    try:
        # A batch that is delivered again is there whole: one transaction of reads, at 1 RU each, finds all.
        found = await items.transact([("read", (item_id,)) for item_id in ids], partition)
    except Refused:
        return await found_among(items, partition, ids)
    return {item["id"]: item for item in found}


async def found_among(items: Items, partition: Partition, ids: list[str]) -> dict[str, Item]:
    """Those of ``ids`` that are there, by id, as far as a replica has heard of them."""
    found = await items.query(
        f"SELECT {_WANTED} FROM c WHERE ARRAY_CONTAINS(@ids, c.id)",
        {"@ids": ids},
        len(ids),
        partition=partition,
        patient=True,
    )
    return {item["id"]: item for item in found}
