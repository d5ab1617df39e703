"""Messages in Cosmos DB: one item each, partitioned by drone and day, so that a history is read where the drone's
partitions lie together, and none of them comes near the size that a logical partition may have.

Several messages of one drone and day go in one transaction. An item that is there already (409) is looked at once: it
is this batch's own, from an earlier run, or another's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from observability import log
from pipeline.ports import Page
from pipeline.records import Outcome, Slot
from storage.azure import oversize
from storage.azure.blobs import Blobs
from storage.azure.calls import PartitionFull
from storage.azure.gather import gather_all
from storage.azure.ids import safe_id
from storage.azure.items import Item, Items, Operation, Partition, chunks
from storage.azure.message_items import day_of, is_written_by, to_item, to_message
from storage.azure.missing import create_missing, found_among
from storage.continuation import decode, encode, query_digest
from telemetry.model import Message

_MAX_OF_BATCH = 1_000_000
_MOST_PARTITIONS_OF_A_DAY = 100


class CosmosMessages:
    """``MessageStore`` on Azure. ``ttl``: seconds after which the service itself deletes a message. ``old``: where an
    earlier version kept them, by the drone alone; it is read like the rest, and never written."""

    def __init__(self, items: Items, blobs: Blobs, ttl: int | None, old: Items | None = None) -> None:
        self._items = items
        self._blobs = blobs
        self._ttl = ttl
        self._old = old
        self._all = [items] if old is None else [items, old]

    async def put(self, messages: Sequence[Message], batch_id: str) -> list[Outcome]:
        by_day: dict[tuple[str, str], dict[str, Message]] = {}
        for message in messages:
            by_day.setdefault((message["deviceId"], day_of(message)), {}).setdefault(message["id"], message)
        there: dict[str, Item] = {}
        for found in await gather_all(
            self._put_of_day(device_id, day, list(some.values()), batch_id) for (device_id, day), some in by_day.items()
        ):
            there |= found
        seen: set[str] = set()
        outcomes = []
        for message in messages:
            item = there.get(message["id"])
            first = message["id"] not in seen
            seen.add(message["id"])
            stored = first if item is None else is_written_by(item, message, batch_id)
            outcomes.append(Outcome.STORED if stored else Outcome.DUPLICATE)
        return outcomes

    async def _put_of_day(self, device_id: str, day: str, messages: list[Message], batch_id: str) -> dict[str, Item]:
        """Writes what is missing; what was there already, by message id."""
        items = [await to_item(self._blobs, message, batch_id, self._ttl) for message in messages]
        there: dict[str, Item] = {}
        if self._old is not None:
            there = await found_among(self._old, device_id, [item["id"] for item, _ in items])
        for number in range(_MOST_PARTITIONS_OF_A_DAY):
            partition = [device_id, day if number == 0 else f"{day}+{number}"]
            left = [(item | {"day": partition[1]}, size) for item, size in items if item["id"] not in there]
            try:
                there |= await self._create(left, partition)
                break
            except PartitionFull:
                # What this call has written is found too: it is known by its batch.
                log(logging.WARNING, "a partition of messages is full; the next one is taken", partition=partition)
                there |= await found_among(self._items, partition, [item["id"] for item, _ in left])
        else:
            raise PartitionFull(f"messages of {device_id} on {day}: no room in any partition")
        ids = {safe_id(message["id"]): message["id"] for message in messages}
        return {ids[item_id]: item for item_id, item in there.items()}

    async def _create(self, items: Sequence[tuple[Item, int]], partition: Partition) -> dict[str, Item]:
        """Those that were there already."""
        there: dict[str, Item] = {}
        if len(items) == 1:
            only = items[0][0]
            if not await self._items.create(only, partition):
                found = await self._items.read_current(only["id"], partition)
                there = {} if found is None else {only["id"]: found}
            return there
        creates: list[tuple[Operation, int]] = [(("create", (item,)), size) for item, size in items]
        for chunk in chunks(creates):
            wanted = [operation[1][0] for operation in chunk]
            there |= await create_missing(self._items, partition, wanted, self._creating(partition))
        return there

    def _creating(self, partition: Partition) -> Callable[[list[Item]], Awaitable[None]]:
        async def create(items: list[Item]) -> None:
            await self._items.transact([("create", (item,)) for item in items], partition)

        return create

    async def written_by(self, batch_id: str, enqueued_from: str, enqueued_to: str) -> set[Slot]:
        found = await self._of_batch('c.sequenceNumber, c["index"]', batch_id, enqueued_from, enqueued_to)
        return {(item["sequenceNumber"], item["index"]) for item in found}

    async def of_batch(self, batch_id: str, enqueued_from: str, enqueued_to: str) -> list[Message]:
        found = await self._of_batch("*", batch_id, enqueued_from, enqueued_to)
        return list(await asyncio.gather(*(to_message(self._blobs, item) for item in found)))

    async def _of_batch(self, what: str, batch_id: str, enqueued_from: str, enqueued_to: str) -> list[Item]:
        return await self._of_all(
            f"SELECT {what} FROM c WHERE c.enqueuedAt >= @from AND c.enqueuedAt <= @to AND c.batchId = @batch",
            {"@from": enqueued_from, "@to": enqueued_to, "@batch": batch_id},
            _MAX_OF_BATCH,
        )

    async def history(
        self,
        device_id: str,
        time_from: str | None,
        time_to: str | None,
        *,
        ascending: bool,
        limit: int,
        continuation: str | None,
    ) -> Page[Message]:
        query = query_digest("history", device_id, time_from, time_to, ascending)
        after = decode(query, continuation, 1)
        # One range of one index. Drone|time|place|id is larger than drone|time alone, and smaller than any later time;
        # "~" is larger than any time.
        first, end = f"{device_id}|{time_from or ''}", f"{device_id}|{time_to or '~'}"
        if after is not None and ascending:
            first = after[0]
        elif after is not None:
            end = after[0]
        operator, order = (">" if after is not None and ascending else ">="), ("ASC" if ascending else "DESC")
        text = (
            f"SELECT TOP {limit + 1} * FROM c WHERE c.sort {operator} @first AND c.sort < @end ORDER BY c.sort {order}"
        )
        found = await self._of_drone(device_id, text, {"@first": first, "@end": end})
        found.sort(key=lambda item: str(item["sort"]), reverse=not ascending)
        token = encode(query, found[limit - 1]["sort"]) if len(found) > limit else None
        return Page(list(await asyncio.gather(*(to_message(self._blobs, item) for item in found[:limit]))), token)

    async def _of_drone(self, device_id: str, text: str, parameters: dict[str, Any]) -> list[Item]:
        """Of all the drone's days. Each physical partition that has some answers for itself, so that the order, and
        what is beyond the first ``TOP``, is the caller's to see to."""
        calls = [self._items.query(text, parameters, None, partition=[device_id])]
        if self._old is not None:
            calls.append(self._old.query(text, parameters, None, partition=device_id))
        return [item for found in await gather_all(calls) for item in found]

    async def _of_all(self, text: str, parameters: dict[str, Any], limit: int | None) -> list[Item]:
        calls = (items.query(text, parameters, limit, patient=True) for items in self._all)
        return [item for found in await gather_all(calls) for item in found]

    async def written_between(self, after: int, until: int, limit: int | None) -> list[tuple[int, Message]]:
        """Messages with the second of their last write (since the epoch) above ``after`` and at most ``until``, in that
        order: at most ``limit``, or all."""
        top = "" if limit is None else f"TOP {limit} "
        found = await self._of_all(
            f"SELECT {top}* FROM c WHERE c._ts > @after AND c._ts <= @until ORDER BY c._ts ASC",
            {"@after": after, "@until": until},
            limit,
        )
        found.sort(key=lambda item: int(item["_ts"]))
        del found[len(found) if limit is None else limit :]
        written = [int(item["_ts"]) for item in found]
        messages = await asyncio.gather(*(to_message(self._blobs, item) for item in found))
        return list(zip(written, messages, strict=True))

    async def enqueued_since(self, device_id: str, enqueued_from: str, limit: int) -> list[Message]:
        text = (
            f"SELECT TOP {limit} * FROM c WHERE c.deviceId = @drone AND c.enqueuedAt >= @from "
            "ORDER BY c.enqueuedAt DESC"
        )
        found = await self._of_drone(device_id, text, {"@drone": device_id, "@from": enqueued_from})
        found.sort(key=lambda item: str(item["enqueuedAt"]), reverse=True)
        return list(await asyncio.gather(*(to_message(self._blobs, item) for item in found[:limit])))

    async def purge(self, enqueued_before: str, limit: int) -> int:
        """Normally the service has deleted them by their time to live; this takes what has none or outlived its own."""
        return sum([await self._purge_of(items, enqueued_before, limit) for items in self._all])

    async def _purge_of(self, items: Items, enqueued_before: str, limit: int) -> int:
        found = await items.query(
            f"SELECT TOP {limit} c.id, c.deviceId, c.day, c.oversize FROM c "
            "WHERE c.enqueuedAt < @before ORDER BY c.enqueuedAt",
            {"@before": enqueued_before},
            limit,
            patient=True,
        )
        await gather_all(self._purge_one(items, item) for item in found)
        return len(found)

    async def _purge_one(self, items: Items, item: Item) -> None:
        if oversize.FIELD in item:
            await self._blobs.delete(item[oversize.FIELD])
        device_id = str(item["deviceId"])
        await items.delete(item["id"], device_id if items is self._old else [device_id, item["day"]])
