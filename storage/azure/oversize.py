"""Documents that are too large for Cosmos DB: their largest fields go to a blob, and come back when they are read.

A document may have 2 MB. What a device sends may not: a message of many unknown fields, a body of a megabyte in base64.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import orjson

from storage.azure.blobs import Blobs
from storage.azure.items import Item

FIELD = "oversize"
"""Name of the blob that holds the missing fields."""

_MAX_BYTES = 500_000  # of one document, so that several share a transaction
_LARGE_FIELD = 16_384


async def move_out(blobs: Blobs, item: Item, folder: str, keep: Collection[str]) -> tuple[Item, int]:
    """``item`` small enough, with its size in bytes; never moves the fields in ``keep``. The blob is written first: an
    item that names one can always be read. Its name holds a digest, so that another content has another name."""
    size = len(orjson.dumps(item))
    if size <= _MAX_BYTES:
        return item, size
    large = {
        name: value
        for name, value in item.items()
        if name not in keep and isinstance(value, (str, list, dict)) and len(orjson.dumps(value)) > _LARGE_FIELD
    }
    content = orjson.dumps(large)
    name = f"{folder}/{hashlib.blake2b(content, digest_size=12).hexdigest()}"
    await blobs.put(name, content, overwrite=False)
    small = {key: value for key, value in item.items() if key not in large} | {FIELD: name}
    return small, len(orjson.dumps(small))


async def bring_back(blobs: Blobs, item: Item) -> Item:
    name = item.pop(FIELD, None)
    if name is None:
        return item
    content = await blobs.get(name)
    # What stands in the item was written later than the blob.
    return item if content is None else orjson.loads(content) | item
