"""Time as the protocol writes it. The engine keeps whole microseconds since 1970, UTC."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from functools import lru_cache

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?\s*(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE
)


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=4096)
def wire(microseconds: int) -> str:
    """As .NET writes a UTC DateTime: up to seven fraction digits, trailing zeros cut, ``Z``."""
    seconds, fraction = divmod(microseconds, 1_000_000)
    if not fraction:
        return _second(seconds) + "Z"
    return f"{_second(seconds)}.{fraction:06d}".rstrip("0") + "Z"


def wire_seconds(microseconds: int) -> str:
    """As the management API writes createdTime and lastUpdatedTime: whole seconds, cut, not rounded."""
    return _second(microseconds // 1_000_000) + "Z"


def parse(text: str) -> int | None:
    """Microseconds of an ISO 8601 time; without an offset it is UTC; None if it is none."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=timezone.utc
        )
    except ValueError:
        return None
    value = int(moment.timestamp()) * 1_000_000 + int(((fraction or "") + "000000")[:6])
    if zone and zone not in "zZ":
        digits = zone[1:].replace(":", "")
        offset = (int(digits[:2]) * 60 + int(digits[2:])) * 60_000_000
        value += offset if zone[0] == "-" else -offset
    return value
