"""AMQP values as JSON and as text: what the real host, or failing that JSON, can carry of them."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

import orjson

# orjson writes 254 levels, and azure-eventhub reads about as many as Python's stack allows.
_DEEPEST = 200


def text_of(value: Any) -> str:
    """Text of a name or of a string that azure-eventhub left as bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@lru_cache(maxsize=1024)
def time_text(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with Z, fractions without trailing zeros."""
    if moment is None:
        return None
    text = moment.astimezone(timezone.utc).isoformat()[: -len("+00:00")]
    return f"{text.rstrip('0')}Z" if "." in text else f"{text}Z"


def plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON can carry it. Raises ValueError below 200 levels of nesting.

    Strings and binaries arrive alike, as bytes: UTF-8 becomes text, anything else base64, as .NET writes bytes.
    Infinities and NaN become strings; a map whose keys would be the same text becomes a list of pairs.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        raw = bytes(value)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return base64.b64encode(raw).decode()
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _non_finite(value)
    if depth > _DEEPEST:
        raise ValueError(f"nested more than {_DEEPEST} deep")
    if isinstance(value, Mapping):
        pairs = [(_key(key), plain(item, depth + 1)) for key, item in value.items()]
        made = dict(pairs)
        return (
            made
            if len(made) == len(pairs)
            else [[plain(key), item] for key, (_, item) in zip(value, pairs, strict=True)]
        )
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in value]
    return time_text(value) if isinstance(value, datetime) else str(value)


def holds_binary(value: Any) -> bool:
    """Whether there are bytes in it that are no UTF-8, so no text: JSON has nothing for them. At most as deep as
    `plain` goes."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        try:
            bytes(value).decode()
        except UnicodeDecodeError:
            return True
        return False
    if isinstance(value, Mapping):
        return any(holds_binary(part) for pair in value.items() for part in pair)
    return isinstance(value, (list, tuple)) and any(holds_binary(part) for part in value)


def plain_or_text(value: Any) -> Any:
    """As `plain`, and never raises: what JSON cannot carry becomes Python's text of it."""
    try:
        made = plain(value)
        orjson.dumps(made)
    except Exception:
        return last_resort(value).decode("utf-8", "replace")
    return made


def last_resort(value: Any) -> bytes:
    """Python's text of a value, as UTF-8; of one that has none, its type's name."""
    try:
        return str(value).encode("utf-8", "backslashreplace")
    except Exception:
        return type(value).__name__.encode()


def json_bytes(value: Any) -> bytes:
    """JSON of any AMQP value, as UTF-8."""
    return orjson.dumps(plain(value))


def _key(key: Any) -> str:
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    return str(plain(key))


def _non_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
