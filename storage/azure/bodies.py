"""The bytes of batches: small ones, which most are, in an item of the batches' container, others in a blob.

An item is written compressed and as text: a tenth of what telemetry is. Up to ``MAX_TEXT`` it costs less than a blob's
write alone: docs/storage-azure.md has the sums.
"""

from __future__ import annotations

import base64

from backports import zstd

from storage.azure.blobs import Blobs
from storage.azure.ids import digest, safe_id
from storage.azure.items import Item, Items

MAX_TEXT = 150_000
"""Characters of one body in an item: far from the 2 MB that an item may have, so that it shares a transaction."""
_LEVEL = 1


def to_text(content: bytes) -> str | None:
    """None when it is too large for an item."""
    text = base64.b64encode(zstd.compress(content, _LEVEL)).decode()
    return text if len(text) <= MAX_TEXT else None


def to_bytes(text: str) -> bytes:
    return zstd.decompress(base64.b64decode(text))


class RawBodies:
    """The bytes of each batch as received. Every item is a logical partition of its own: together they would outgrow
    the 20 GB that one may have."""

    def __init__(self, items: Items, blobs: Blobs) -> None:
        self._items = items
        self._blobs = blobs

    async def put(self, batch_id: str, raw: bytes) -> bool:
        """What is there stays. True when it went into an item."""
        text = to_text(raw)
        if text is None:
            await self._blobs.put(_raw_name(batch_id), raw, overwrite=False)
            return False
        partition = _raw_partition(batch_id)
        await self._items.create({"id": safe_id(batch_id), "bucket": partition, "kind": "raw", "body": text}, partition)
        return True

    async def get(self, batch_id: str) -> bytes | None:
        item_id, partition = safe_id(batch_id), _raw_partition(batch_id)
        item = await self._items.read(item_id, partition)
        if item is None:
            content = await self._blobs.get(_raw_name(batch_id))
            if content is not None:
                return content
            # Nothing may rest on a replica that lags behind.
            item = await self._items.read_current(item_id, partition)
        return None if item is None else to_bytes(item["body"])

    async def delete(self, batch_id: str, in_item: bool | None) -> None:
        """``in_item`` None: of a batch of the version before, which may have been delivered again to this one."""
        if in_item is not True:
            await self._blobs.delete(_raw_name(batch_id))
        if in_item is not False:
            await self._items.delete(safe_id(batch_id), _raw_partition(batch_id))


class StagedBodies:
    """What the steps of a batch leave for each other: items in the batch's own partition, so that they come and go in
    the transactions that change its record, and blobs."""

    def __init__(self, items: Items, blobs: Blobs) -> None:
        self._items = items
        self._blobs = blobs

    async def get(self, batch_id: str, bucket: str, instance_id: str, name: str) -> bytes | None:
        item_id = item_id_of(instance_id, name)
        item = await self._items.read(item_id, bucket)
        if item is None:
            content = await self._blobs.get(blob_name(batch_id, instance_id, name))
            if content is not None:
                return content
            item = await self._items.read_current(item_id, bucket)
        return None if item is None else to_bytes(item["body"])

    async def put_blob(self, batch_id: str, instance_id: str, name: str, document: bytes) -> None:
        await self._blobs.put(blob_name(batch_id, instance_id, name), document)

    async def delete_blob(self, batch_id: str, instance_id: str, name: str) -> None:
        await self._blobs.delete(blob_name(batch_id, instance_id, name))

    async def delete_blobs_under(self, batch_id: str, *, but: str | None = None) -> None:
        """All of the batch, save those of the instance ``but``: where the record does not say which there are."""
        folder = _folder(batch_id)
        await self._blobs.delete_under(folder, but=None if but is None else f"{folder}{safe_id(but)}/")


def to_item(bucket: str, instance_id: str, name: str, text: str) -> Item:
    return {"id": item_id_of(instance_id, name), "bucket": bucket, "kind": "staged", "body": text}


def item_id_of(instance_id: str, name: str) -> str:
    return f"~staged~{digest(instance_id, name)}"


def blob_name(batch_id: str, instance_id: str, name: str) -> str:
    return f"{_folder(batch_id)}{safe_id(instance_id)}/{safe_id(name)}"


def _folder(batch_id: str) -> str:
    return f"staged/{safe_id(batch_id)}/"


def _raw_name(batch_id: str) -> str:
    return f"raw/{safe_id(batch_id)}"


def _raw_partition(batch_id: str) -> str:
    return f"~raw~{safe_id(batch_id)}"
