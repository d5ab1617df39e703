"""Ids, from what the thing is and never from a clock or chance: doing anything twice finds what the first time made.

Every id here is at most 100 printable ASCII characters out of letters, digits and ``. _ : - ~``, so it is at once a
durable instance id, a Cosmos DB id and one URL path segment that needs no escaping.
"""

from __future__ import annotations

import base64
import re
from hashlib import blake2b

MAX_BATCH_ID = 85
"""Leaves a durable instance id (at most 100) room for the attempt."""

# In no part an Event Hubs name or a device id can have, hence no two lists of parts give one id.
_SEPARATOR = "~"
_SAFE = re.compile(r"[A-Za-z0-9._-]+").fullmatch
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_DIGEST_LENGTH = 9


def _compact(canonical_time: str) -> str:
    return canonical_time.replace("-", "").replace(":", "").replace(".", "")


def _join(hub: str, partition: str, rest: list[str], limit: int) -> str:
    tail = _SEPARATOR.join([_segment(partition, 10), *rest])
    return _segment(hub, limit - len(tail) - 1) + _SEPARATOR + tail


def _segment(name: str, limit: int) -> str:
    """``name`` if it is legal and fits; else as much of it as fits with a digest of all of it."""
    if len(name) <= limit and _SAFE(name):
        return name
    full = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=10).digest()
    digest = base64.b32encode(full).decode().lower()[:_DIGEST_LENGTH]
    # ``:`` is in no legal name: a cut name never equals another hub's whole one.
    return _UNSAFE.sub("_", name)[: max(limit - _DIGEST_LENGTH - 1, 0)] + ":" + digest


def batch_id(
    hub: str, partition: str, first_sequence_number: int, last_sequence_number: int, first_enqueued_at: str
) -> str:
    """Id of the deliveries from first to last; ``first_enqueued_at`` (canonical) tells a hub from its successor of the
    same name, whose sequence numbers start again."""
    span = [str(first_sequence_number), str(last_sequence_number), _compact(first_enqueued_at)]
    return _join(hub, partition, span, MAX_BATCH_ID)


def instance_id(batch: str, attempt: int) -> str:
    """Durable instance that runs a batch for the ``attempt``-th time (from 1)."""
    return f"{batch}{_SEPARATOR}{attempt}"


def dead_letter_id(hub: str, partition: str, sequence_number: int, enqueued_at: str, index: int | None) -> str:
    """Id by where the hub delivered it; ``index`` is None when the whole event was rejected."""
    place = [str(sequence_number), _compact(enqueued_at), "event" if index is None else str(index)]
    return _join(hub, partition, place, MAX_BATCH_ID)


def message_id(content: bytes) -> str:
    """Id of a message with a device timestamp; ``content`` is canonical bytes of its device, time and fields."""
    return "d" + blake2b(content, digest_size=16).hexdigest()


def hub_message_id(hub: str, partition: str, sequence_number: int, enqueued_at: str, index: int) -> str:
    """Id of a message without a device timestamp: two such with equal content are two messages."""
    place = f"{hub}\n{partition}\n{sequence_number}\n{enqueued_at}\n{index}"
    return "h" + blake2b(place.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
