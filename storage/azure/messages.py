"""Messages in Cosmos DB: one item each, partitioned by drone, so that a history is read from one partition.

Several messages of one drone go in one transaction. An item that is there already (409) is looked at once: it is this
batch's own, from an earlier run, or another's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import orjson

from pipeline.ports import Page
from pipeline.records import Outcome, Slot
from storage.azure import oversize
from storage.azure.blobs import Blobs
from storage.azure.gather import gather_all
from storage.azure.ids import digest, safe_id
from storage.azure.items import Item, Items, Operation, chunks, without_system_fields
from storage.azure.missing import create_missing
from storage.continuation import decode, encode, query_digest
from telemetry.model import Message

_OWN_FIELDS = ("sort", "ttl", "messageId", "extraJson")
_KEY_FIELDS = ("id", "messageId", "deviceId", "sort", "time", "enqueuedAt", "batchId", "ttl")
_MAX_OF_BATCH = 1_000_000


class CosmosMessages:
    """``MessageStore`` on Azure. ``ttl``: seconds after which the service itself deletes a message."""

    def __init__(self, items: Items, blobs: Blobs, ttl: int | None) -> None:
        self._items = items
        self._blobs = blobs
        self._ttl = ttl

    async def put(self, messages: Sequence[Message], batch_id: str) -> list[Outcome]:
        by_device: dict[str, dict[str, Message]] = {}
        for message in messages:
            by_device.setdefault(message["deviceId"], {}).setdefault(message["id"], message)
        there: dict[str, Item] = {}
        for found in await gather_all(
            self._put_of_device(device_id, list(some.values()), batch_id) for device_id, some in by_device.items()
        ):
            there |= found
        seen: set[str] = set()
        outcomes = []
        for message in messages:
            item = there.get(message["id"])
            first = message["id"] not in seen
            seen.add(message["id"])
            stored = first if item is None else _is_written_by(item, message, batch_id)
            outcomes.append(Outcome.STORED if stored else Outcome.DUPLICATE)
        return outcomes

    async def _put_of_device(self, device_id: str, messages: list[Message], batch_id: str) -> dict[str, Item]:
        """Writes what is missing; what was there already, by message id."""
        items = [await self._to_item(message, batch_id) for message in messages]
        there: dict[str, Item] = {}
        if len(items) == 1:
            only = items[0][0]
            if not await self._items.create(only, device_id):
                found = await self._items.read_current(only["id"], device_id)
                there = {} if found is None else {only["id"]: found}
        else:
            creates: list[tuple[Operation, int]] = [(("create", (item,)), size) for item, size in items]
            for chunk in chunks(creates):
                wanted = [operation[1][0] for operation in chunk]
                there |= await create_missing(self._items, device_id, wanted, self._creating(device_id))
        ids = {safe_id(message["id"]): message["id"] for message in messages}
        return {ids[item_id]: item for item_id, item in there.items()}

    async def written_by(self, batch_id: str, enqueued_from: str, enqueued_to: str) -> set[Slot]:
        found = await self._items.query(
            'SELECT c.sequenceNumber, c["index"] FROM c '
            "WHERE c.enqueuedAt >= @from AND c.enqueuedAt <= @to AND c.batchId = @batch",
            {"@from": enqueued_from, "@to": enqueued_to, "@batch": batch_id},
            _MAX_OF_BATCH,
        )
        return {(item["sequenceNumber"], item["index"]) for item in found}

    def _creating(self, device_id: str) -> Callable[[list[Item]], Awaitable[None]]:
        async def create(items: list[Item]) -> None:
            await self._items.transact([("create", (item,)) for item in items], device_id)

        return create

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
        parameters = {"@first": first, "@end": end}
        found = await self._items.query(text, parameters, limit + 1, partition=device_id)
        token = encode(query, found[limit - 1]["sort"]) if len(found) > limit else None
        return Page(list(await asyncio.gather(*(self._to_message(item) for item in found[:limit]))), token)

    async def written_between(self, after: int, until: int, limit: int | None) -> list[tuple[int, Message]]:
        """Messages with the second of their last write (since the epoch) above ``after`` and at most ``until``, in that
        order: at most ``limit``, or all."""
        top = "" if limit is None else f"TOP {limit} "
        found = await self._items.query(
            f"SELECT {top}* FROM c WHERE c._ts > @after AND c._ts <= @until ORDER BY c._ts ASC",
            {"@after": after, "@until": until},
            limit,
        )
        written = [int(item["_ts"]) for item in found]
        messages = await asyncio.gather(*(self._to_message(item) for item in found))
        return list(zip(written, messages, strict=True))

    async def purge(self, enqueued_before: str, limit: int) -> int:
        """Normally the service has deleted them by their time to live; this takes what has none or outlived its own."""
        found = await self._items.query(
            f"SELECT TOP {limit} c.id, c.deviceId, c.oversize FROM c "
            "WHERE c.enqueuedAt < @before ORDER BY c.enqueuedAt",
            {"@before": enqueued_before},
            limit,
        )
        await gather_all(self._purge_one(item) for item in found)
        return len(found)

    async def _purge_one(self, item: Item) -> None:
        if oversize.FIELD in item:
            await self._blobs.delete(item[oversize.FIELD])
        await self._items.delete(item["id"], item["deviceId"])

    async def _to_item(self, message: Message, batch_id: str) -> tuple[Item, int]:
        item_id = safe_id(message["id"])
        item = message | {"id": item_id, "batchId": batch_id, "sort": _sort(message)}
        if item_id != message["id"]:
            item["messageId"] = message["id"]
        if "extra" in item:
            # As text: Cosmos DB keeps numbers as doubles and would change large integers of fields we know nothing of.
            item["extraJson"] = orjson.dumps(item.pop("extra")).decode()
        if self._ttl is not None:
            item["ttl"] = self._ttl
        small, size = await oversize.move_out(
            self._blobs, item, f"messages/{digest(message['deviceId'], message['id'])}", _KEY_FIELDS
        )
        if oversize.FIELD in small:
            small.pop("ttl", None)  # the blob would outlive it: purge deletes both
        return small, size

    async def _to_message(self, item: Item) -> Message:
        message: Any = without_system_fields(await oversize.bring_back(self._blobs, item))
        if "extraJson" in message:
            message["extra"] = orjson.loads(message["extraJson"])
        message["id"] = message.get("messageId", message["id"])
        kept: Any = {name: value for name, value in message.items() if name not in _OWN_FIELDS}
        return cast(Message, kept)


def _is_written_by(item: Item, message: Message, batch_id: str) -> bool:
    place = item["batchId"], item["sequenceNumber"], item["index"]
    return place == (batch_id, message["sequenceNumber"], message["index"])


def _sort(message: Message) -> str:
    """The order of the stamps (telemetry.merge). Messages of an earlier version have their id right after the time, so
    that among equal times they come last."""
    place = f"{message['enqueuedAt']}|{message.get('sequenceNumber', 0):020d}|{message.get('index', 0):06d}"
    return f"{message['deviceId']}|{message['time']}|{place}|{message['id']}"
