"""Resident memory over an hour at 1,000 messages/s without purge: what it gains in the last thirty minutes."""

from __future__ import annotations

from benchmarks.memory import growth, sampled
from benchmarks.report import Row

ALLOWED_GROWTH = 5.0  # percent
AT_BOTH_ENDS = 5 * 60
"""Seconds of samples that are averaged at the beginning and at the end of the last half."""


def measure(*, quick: bool) -> list[Row]:
    minutes = 12 if quick else 60
    samples = sampled(minutes)
    end = samples[-1][0]
    half = end / 2
    early = [mib for at, mib in samples if half <= at < half + AT_BOTH_ENDS]
    late = [mib for at, mib in samples if at >= end - AT_BOTH_ENDS]
    what = f"host, hub and workers, {minutes} min at 1,000 messages/s, no purge"
    return [
        Row("hour", f"{what}: at the end", samples[-1][1], "MiB"),
        Row(
            "hour", f"{what}: growth over the last {minutes // 2} min", growth(early, late), "%", ALLOWED_GROWTH, False
        ),
    ]
