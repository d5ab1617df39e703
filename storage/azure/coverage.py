"""The received ranges of sequence numbers, one item a partition (see ``pipeline.coverage``)."""

from __future__ import annotations

import asyncio
import random

from pipeline.coverage import Coverage, Range, add
from pipeline.ports import StoreUnavailable
from storage.azure.ids import bucket_of, digest
from storage.azure.items import Item, Items, Refused

_KIND = "coverage"
_MAX_TRIES = 20
_MOST_PARTITIONS = 10_000


async def note(items: Items, hub: str, partition: str, first: int, last: int) -> None:
    """The events of these sequence numbers have come. Called after the batch is written: a call that ended in between
    is made again, because the batch is then delivered again."""
    identity = f"~{_KIND}~{digest(hub, partition)}"
    bucket = bucket_of(identity)
    for tries in range(_MAX_TRIES):
        there = await items.read_current(identity, bucket)
        ranges = _ranges(there) if there else []
        new = add(ranges, first, last)
        if new == ranges:
            return
        item: Item = {
            "id": identity,
            "bucket": bucket,
            "kind": _KIND,
            "hub": hub,
            "partition": partition,
            "ranges": new,
        }
        if there is None:
            done = await items.create(item, bucket)
        else:
            done = await _replaced(items, item, there["_etag"], bucket)
        if done:
            return
        await asyncio.sleep(random.uniform(0, min(0.005 * 2**tries, 0.5)))  # another host's batch came in between
    raise StoreUnavailable(f"coverage of partition {partition} is being changed by too many at once")


async def read(items: Items) -> Coverage:
    """Always ``adopted``: an account is not lost as a file is, and one that is older than this bookkeeping knows
    nothing of what it has purged."""
    found = await items.query("SELECT * FROM c WHERE c.kind = @kind", {"@kind": _KIND}, _MOST_PARTITIONS)
    return Coverage({(item["hub"], item["partition"]): tuple(_ranges(item)) for item in found}, adopted=True)


async def _replaced(items: Items, item: Item, etag: str, bucket: str) -> bool:
    try:
        await items.transact([("replace", (item["id"], item), {"if_match_etag": etag})], bucket)
    except Refused:
        return False
    return True


def _ranges(item: Item) -> list[Range]:
    return [(first, last) for first, last in item["ranges"]]
