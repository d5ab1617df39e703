"""Continuation tokens: the sort key of the last item handed out, bound to the query that it continues.

A token is ``base64url(JSON [query digest, key…])``. The digest covers everything that decides which items the query
yields and in which order, so a token that is handed to another query is refused instead of answered with wrong items.
It is no secret: it holds a sort key that the caller has just read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

import orjson

from pipeline.ports import InvalidContinuation

_MAX_LENGTH = 4096


def query_digest(kind: str, *parameters: Any) -> str:
    """A short digest of the query: its kind and all parameters but the page size."""
    return hashlib.blake2b(orjson.dumps([kind, *parameters]), digest_size=9).hexdigest()


def encode(query: str, *key: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([query, *key])).decode().rstrip("=")


def decode(query: str, token: str | None, length: int) -> tuple[str, ...] | None:
    """The sort key (``length`` texts) in ``token``, None for None; ``InvalidContinuation`` for any other token."""
    if token is None:
        return None
    problem = InvalidContinuation("the continuation token does not belong to this query")
    if len(token) > _MAX_LENGTH:
        raise problem
    try:
        content = orjson.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        raise problem from None
    if not isinstance(content, list) or len(content) != length + 1 or not all(isinstance(x, str) for x in content):
        raise problem
    if content[0] != query:
        raise problem
    return tuple(content[1:])
