"""JSON text as the real host writes it: compact, not ASCII only."""

from __future__ import annotations

import json
from typing import Any

_escape = json.encoder.encode_basestring
_escape_ascii = json.encoder.encode_basestring_ascii


def compact(value: Any) -> str:
    """Serialise; a lone surrogate, which no UTF-8 can hold, keeps its escape."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if storable(text) else json.dumps(value, separators=(",", ":"))


def quote(text: str | None) -> str:
    """A JSON string, or ``null``."""
    if text is None:
        return "null"
    quoted = _escape(text)
    return quoted if storable(quoted) else _escape_ascii(text)


def recompact(text: str | None) -> str | None:
    """Parse and serialise again, as the host does with every result; text that is no JSON becomes a JSON string."""
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return compact(text)
    return None if value is None else compact(value)


def storable(text: str) -> bool:
    """Whether SQLite can keep it, that is, whether it is valid UTF-8 when encoded."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
