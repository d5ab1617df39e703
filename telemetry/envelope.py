"""One raw document per batch: the deliveries with their bodies as they came, readable for as long as the format lives.

Layout: magic and version (4 bytes), length of the header (u32, little-endian), CRC-32 of all that follows (u32),
header (JSON: one column per property, a single value where all deliveries agree), bodies end to end. Bodies are not
compressed: it would cost more processor time than decoding them.

``DTB2`` has one column more than ``DTB1``, which stays readable: what came with each event besides its body.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import orjson

from telemetry.model import Delivery

_PREFIX = struct.Struct("<4sII")
_FIRST, _MAGIC = b"DTB1", b"DTB2"
_COLUMNS = ("hub", "partition", "sequence_number", "offset", "enqueued_at", "content_type", "content_encoding")
_CONTEXT = "context"


class DamagedEnvelope(ValueError):
    """The bytes are not what ``pack`` wrote; the text says where they differ."""


def pack(deliveries: Sequence[Delivery]) -> bytes:
    """The raw document of a batch."""
    header: dict[str, Any] = {"count": len(deliveries), "size": [len(delivery.body) for delivery in deliveries]}
    for column in (*_COLUMNS, _CONTEXT):
        values = [getattr(delivery, column) for delivery in deliveries]
        header[column] = values[0] if values and values.count(values[0]) == len(values) else values
    payload = orjson.dumps(header)
    length = len(payload)
    payload = b"".join([payload, *(delivery.body for delivery in deliveries)])
    return _PREFIX.pack(_MAGIC, length, zlib.crc32(payload)) + payload


def unpack(document: bytes) -> list[Delivery]:
    """The deliveries that ``pack`` was given. Raises DamagedEnvelope."""
    if len(document) < _PREFIX.size:
        raise DamagedEnvelope(f"{len(document)} bytes are too few for a raw batch")
    magic, length, checksum = _PREFIX.unpack_from(document)
    if magic not in (_MAGIC, _FIRST):
        raise DamagedEnvelope(f"starts with {magic!r} where a raw batch starts with {_MAGIC!r}")
    if zlib.crc32(memoryview(document)[_PREFIX.size :]) != checksum:
        raise DamagedEnvelope("checksum differs: the document was cut or changed")
    try:
        header = orjson.loads(document[_PREFIX.size : _PREFIX.size + length])
        count = header["count"]
        columns = [header[name] if isinstance(header[name], list) else [header[name]] * count for name in _COLUMNS]
        hubs, partitions, numbers, offsets, times, types, encodings = columns
        if (magic == _MAGIC) != (_CONTEXT in header):
            raise DamagedEnvelope(f"{magic!r} is not the version that its header has")
        contexts = header.get(_CONTEXT)
        if not isinstance(contexts, list):
            contexts = [contexts] * count
        deliveries: list[Delivery] = []
        position = _PREFIX.size + length
        for i, size in enumerate(header["size"]):
            body = document[position : position + size]
            position += size
            place = hubs[i], partitions[i], numbers[i], offsets[i], times[i]
            deliveries.append(Delivery(*place, body, types[i], encodings[i], contexts[i]))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise DamagedEnvelope(f"header does not describe a raw batch: {error!r}") from error
    if position != len(document) or len(deliveries) != count:
        raise DamagedEnvelope("header and bodies differ in length")
    return deliveries
