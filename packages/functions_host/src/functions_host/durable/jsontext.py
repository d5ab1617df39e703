"""JSON text as the real host writes it: compact, not ASCII only."""

from __future__ import annotations

import json
import math
from typing import Any

_escape = json.encoder.encode_basestring
_escape_ascii = json.encoder.encode_basestring_ascii


_plain = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def compact(value: Any) -> str:
    """Serialise. A lone surrogate, which no UTF-8 can hold, keeps its escape; NaN and infinities become strings."""
    try:
        text = _plain(value)
    except ValueError:
        return compact(_finite(value))
    return text if storable(text) else json.dumps(value, separators=(",", ":"))


def quote(text: str | None) -> str:
    """A JSON string, or ``null``."""
    if text is None:
        return "null"
    quoted = _escape(text)
    return quoted if storable(quoted) else _escape_ascii(text)


def recompact(text: str | None) -> str | None:
    """Parse and serialise again, as the host does with every result; text that is no JSON becomes a JSON string."""
    if text is None or _is_compact(text):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return compact(text)
    return None if value is None else compact(value)


def _is_compact(text: str) -> bool:
    """Whether it is a plain string or a whole number, which serialising again does not change."""
    if text.isascii() and text.isdigit():
        return text[0] != "0" or len(text) == 1
    return text[:1] == '"' and text.find('"', 1) == len(text) - 1 and "\\" not in text and text.isprintable()


def strict(text: str) -> str:
    """JSON text that may hold bare NaN and infinities, which Python reads and writes, as all others can read it."""
    if "NaN" not in text and "Infinity" not in text:
        return text
    return compact(json.loads(text))


def _finite(value: Any) -> Any:
    """As Newtonsoft writes them: ``"NaN"``, ``"Infinity"``, ``"-Infinity"``. Raises ValueError for what has a cycle."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {_finite_key(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _finite_key(key: Any) -> Any:
    return _finite(key) if isinstance(key, float) else key


def storable(text: str) -> bool:
    """Whether SQLite can keep it, that is, whether it is valid UTF-8 when encoded."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
