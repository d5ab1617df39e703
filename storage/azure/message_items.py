"""A message as an item of Cosmos DB, and back."""

from __future__ import annotations

from typing import Any, cast

import orjson

from storage.azure import oversize
from storage.azure.blobs import Blobs
from storage.azure.ids import digest, safe_id
from storage.azure.items import Item, without_system_fields
from telemetry.model import Message

_OWN_FIELDS = ("sort", "ttl", "day", "messageId", "extraJson")
_KEY_FIELDS = ("id", "messageId", "deviceId", "day", "sort", "time", "enqueuedAt", "batchId", "ttl")
_HUB_ID = "h"
"""Begins the ids of messages that are known by where the hub delivered them (``telemetry.identity``)."""


def day_of(message: Message) -> str:
    """The second level of the partition key: the same whenever the message comes again, because it rests on nothing but
    what its id rests on. That is the device's time, or where and when the hub took it in."""
    return (message["enqueuedAt"] if message["id"].startswith(_HUB_ID) else message["time"])[:10]


async def to_item(blobs: Blobs, message: Message, batch_id: str, ttl: int | None) -> tuple[Item, int]:
    """With its size in bytes."""
    item_id = safe_id(message["id"])
    item = message | {"id": item_id, "batchId": batch_id, "day": day_of(message), "sort": _sort(message)}
    if item_id != message["id"]:
        item["messageId"] = message["id"]
    if "extra" in item:
        # As text: Cosmos DB keeps numbers as doubles and would change large integers of fields we know nothing of.
        item["extraJson"] = orjson.dumps(item.pop("extra")).decode()
    if ttl is not None:
        item["ttl"] = ttl
    folder = f"messages/{digest(message['deviceId'], message['id'])}"
    small, size = await oversize.move_out(blobs, item, folder, _KEY_FIELDS)
    if oversize.FIELD in small:
        small.pop("ttl", None)  # the blob would outlive it: purge deletes both
    return small, size


async def to_message(blobs: Blobs, item: Item) -> Message:
    message: Any = without_system_fields(await oversize.bring_back(blobs, item))
    if "extraJson" in message:
        message["extra"] = orjson.loads(message["extraJson"])
    message["id"] = message.get("messageId", message["id"])
    kept: Any = {name: value for name, value in message.items() if name not in _OWN_FIELDS}
    return cast(Message, kept)


def is_written_by(item: Item, message: Message, batch_id: str) -> bool:
    place = item["batchId"], item["sequenceNumber"], item["index"]
    return place == (batch_id, message["sequenceNumber"], message["index"])


def _sort(message: Message) -> str:
    """The order of the stamps (telemetry.merge). Messages of an earlier version have their id right after the time, so
    that among equal times they come last."""
    place = f"{message['enqueuedAt']}|{message.get('sequenceNumber', 0):020d}|{message.get('index', 0):06d}"
    return f"{message['deviceId']}|{message['time']}|{place}|{message['id']}"
