"""When the sweeper takes a batch up again."""

from __future__ import annotations

from dataclasses import dataclass

from settings.errors import SettingError
from settings.reader import Reader


@dataclass(frozen=True)
class Sweeping:
    """When an unfinished batch counts as stalled, and when a running instance counts as lost (seconds)."""

    schedule: str
    stalled_seconds: float
    stuck_seconds: float
    max_sweeps: int
    limit: int


def read_sweeping(read: Reader) -> Sweeping:
    still = read.seconds("SWEEP_STILL_SECONDS", 15)
    stuck = read.seconds("SWEEP_STUCK_SECONDS", 600)
    if stuck < still:
        raise SettingError("SWEEP_STUCK_SECONDS", f"is {stuck:g}; allowed: at least SWEEP_STILL_SECONDS, {still:g}")
    return Sweeping(
        schedule=read.schedule("SWEEP_SCHEDULE", "*/10 * * * * *"),
        stalled_seconds=still,
        stuck_seconds=stuck,
        max_sweeps=3,
        limit=read.whole("SWEEP_LIMIT", 200, 1, 10_000),
    )
