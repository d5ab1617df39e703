"""Resident memory of the host with its hub and workers, while 1,000 drones send one message a second each."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.fleet import Fleet, resident_bytes
from benchmarks.report import Row
from tools.local_host import LocalHost

MIB = 2**20
Sample = tuple[float, float]
"""Seconds since the fleet began, MiB of all the host's processes."""


def measure(*, quick: bool) -> list[Row]:
    minutes = 1 if quick else 10
    samples = sampled(minutes)
    # The first quarter is warm-up: caches and pools are still being filled.
    settled = [mib for at, mib in samples if at > 15 * minutes]
    half = len(settled) // 2
    what = f"host, hub and workers, {minutes} min at 1,000 messages/s"
    return [
        Row("memory", f"{what}: at the end", samples[-1][1], "MiB"),
        Row(
            "memory",
            f"{what}: growth, second half against first half",
            growth(settled[:half], settled[half:]),
            "%",
            5,
            False,
        ),
    ]


def sampled(minutes: float) -> list[Sample]:
    """One sample a second until the fleet ends; whatever it sent must be settled then."""
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory() as folder, LocalHost(Path(folder) / "data") as host:
        fleet = Fleet(host, drones=1_000, rate=1, seconds=60 * minutes)
        assert host.process is not None
        began = said = time.monotonic()
        while fleet.running():
            now = time.monotonic()
            samples.append((now - began, resident_bytes(host.process.pid) / MIB))
            if now - said > 60:
                said = now
                print(f"   {samples[-1][0] / 60:3.0f} min: {samples[-1][1]:.1f} MiB", flush=True)
            time.sleep(1)
        host.settled(messages=int(fleet.result()["sent"]), seconds=120)
    return samples


def growth(early: list[float], late: list[float]) -> float:
    """Percent by which the mean of the later samples exceeds that of the earlier ones."""
    return 100 * (statistics.fmean(late) / statistics.fmean(early) - 1)
