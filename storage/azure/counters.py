"""Totals that stay true through purges, repeats and crashes, without a transaction across partitions.

Every bucket (logical partition) has one counter item, and every change of a record in the bucket is one transaction of
two parts: the record, conditionally, and the counters, by increments. So a change that is made twice counts once: the
second time the condition fails. A record that is purged leaves the counters alone. The totals are the sum over the
buckets, and because each bucket agrees with itself, messages = stored + duplicates + rejected holds in any mix of
buckets read at different moments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from storage.azure.ids import BUCKETS
from storage.azure.items import Item, Items, Operation, Refused, patches, without_system_fields

COUNTER_ID = "~totals"
_KIND = "totals"


async def commit(items: Items, operations: Sequence[Operation], increments: Mapping[str, int], bucket: str) -> None:
    """``operations`` and the counters' ``increments`` together. ``Refused`` when one of the former was impossible."""
    counting = patches(COUNTER_ID, increments)
    while True:
        try:
            await items.transact([*operations, *counting], bucket)
        except Refused as refused:
            if refused.index < len(operations) or refused.status != 404:
                raise
            # The bucket's first change ever; whoever else makes the item meanwhile makes the same one.
            await items.create({"id": COUNTER_ID, "bucket": bucket, "kind": _KIND}, bucket)
        else:
            return


async def total(items: Items) -> Counter[str]:
    """All counters, summed over the buckets."""
    found: list[Item] = await items.query("SELECT * FROM c WHERE c.kind = @kind", {"@kind": _KIND}, BUCKETS)
    sums: Counter[str] = Counter()
    for item in found:
        for name, value in without_system_fields(item).items():
            if name not in ("id", "bucket", "kind"):
                sums[name] += int(value)
    return sums
