"""The wall clock as canonical time text. Only starters and activities may look at it; orchestrators replay."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone


def canonical(moment: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SS.ffffffZ`` in UTC: all the same length, so that they sort as text. Naive counts as UTC."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds") + "Z"


def now() -> str:
    return canonical(datetime.now(timezone.utc))


def ago(seconds: float) -> str:
    """The time ``seconds`` before now."""
    return canonical(datetime.now(timezone.utc) - timedelta(seconds=seconds))
