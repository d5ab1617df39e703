"""The wall clock as canonical time text. Only starters and activities may look at it; orchestrators replay."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from telemetry.times import from_datetime


def now() -> str:
    return ago(0)


def ago(seconds: float) -> str:
    """The time ``seconds`` before now."""
    return from_datetime(datetime.now(timezone.utc) - timedelta(seconds=seconds))
