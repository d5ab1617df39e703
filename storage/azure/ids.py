"""Ids that Cosmos DB and Blob storage take, and the bucket in which a record lives beside its counters."""

from __future__ import annotations

import base64
import hashlib
import re

BUCKETS = 32
"""Logical partitions of the ledger and of the dead letters. Never to be changed: an id is looked for in its bucket."""

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,254}")


def safe_id(text: str) -> str:
    """``text`` where every service takes it as an id, else ``=`` and its base64url; never two texts to one id."""
    if _PLAIN.fullmatch(text):
        return text
    return "=" + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def bucket_of(text: str) -> str:
    digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
    return f"{int.from_bytes(digest, 'big') % BUCKETS:02d}"


def digest(*parts: str) -> str:
    """A short id of several texts."""
    text = "\x00".join(parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
