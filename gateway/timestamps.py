"""A message's time as it is written."""

from __future__ import annotations

from datetime import datetime, timezone


def timestamp(seconds: float) -> str:
    """RFC 3339 of seconds since the epoch, to the millisecond."""
    moment = datetime.fromtimestamp(round(seconds * 1000) / 1000, timezone.utc).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds") + "Z"
