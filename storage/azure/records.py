"""How a batch's record is changed: a conditional transaction on what stands there now (ETag), with the bucket's
counters and the staged bodies that come and go with it. Who comes second looks and decides again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from pipeline.ports import StoreUnavailable
from storage.azure.batch_items import PURGED, Record, from_item, increments, to_item
from storage.azure.bodies import item_id_of
from storage.azure.counters import commit
from storage.azure.ids import bucket_of, safe_id
from storage.azure.items import Items, Operation, Refused

MAX_TRIES = 50
R = TypeVar("R", Record, "Record | None")


class Records:
    def __init__(self, items: Items) -> None:
        self._items = items

    async def current(self, batch_id: str) -> tuple[Record, str] | None:
        """What stands there now, with its ETag."""
        item = await self._items.read_current(safe_id(batch_id), bucket_of(batch_id))
        return None if item is None or item["kind"] == PURGED else (from_item(item), item["_etag"])

    async def change(self, batch_id: str, change: Callable[[Record | None], R], *with_it: Operation) -> R:
        """The record after ``change``, which gives back the very record where there is nothing to change. What else
        is to be written ``with_it`` is written all the same."""
        for tries in range(MAX_TRIES):
            there = await self.current(batch_id)
            record, etag = there if there else (None, "")
            new = change(record)
            if record is None or new is None or (new is record and not with_it):
                return new
            try:
                await self.replace(record, new, etag, with_it)
            except Refused:
                await step_aside(tries)
            else:
                return new
        raise StoreUnavailable(f"batch {batch_id} is being changed by too many at once")

    async def replace(self, old: Record, new: Record, etag: str, with_it: Sequence[Operation] = ()) -> None:
        """``Refused`` (of the operation ``len(with_it)``) when another version than ``etag`` stands there."""
        item = to_item(new)
        operations = [*with_it, ("replace", (item["id"], item), {"if_match_etag": etag}), *_deletions(old, new)]
        await commit(self._items, operations, increments(old.batch, new.batch), bucket_of(new.batch.id))


def _deletions(old: Record, new: Record) -> list[Operation]:
    """Of the staged items that the new record no longer has: each is there as long as the record names it."""
    return [
        ("delete", (item_id_of(one.instance_id, one.name),))
        for one in old.staged
        if not one.in_blob and one not in new.staged
    ]


async def step_aside(tries: int) -> None:
    await asyncio.sleep(random.uniform(0, min(0.005 * 2**tries, 0.5)))
